/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_SCRIPT_H
#define LT_EXPR_SCRIPT_H

#include "expr/tree.h"
#include "expr/val.h"

/*
 * A jq text run over a stream of values for people, as the program `jq` does it: its inputs are
 * JSON values in any layout, or lines; each output is printed; an error of one input is told and
 * the next one goes on. What is not compiled runs through libjq in its helper process, unseen.
 *
 * Thread: one at a time.
 */
struct lt_script;

struct lt_script_options {
    struct lt_expr_text text;
    const struct lt_expr_var *vars; /**< kept as long as the script */
    size_t n_vars;

    bool null_input; /**< runs once, on null; inputs come by `input` */
    bool slurp;      /**< runs once, on an array of all inputs (raw: one string) */
    bool raw_input;  /**< each line is a string */

    bool raw_output; /**< strings without quotes */
    bool join;       /**< raw_output, and no line end */
    struct lt_val_style style;

    size_t max_value_bytes; /**< of one input */
    size_t max_bytes;       /**< memory of one run */
};

/** Where bytes come from and go to. An error that a call gives ends the run. */
struct lt_script_io {
    void *ctx;
    /** Opens the next input (a file); `*more` is false when there is none. `*name` is what
     * `input_filename` gives; NULL: null. */
    leat_status (*next)(void *ctx, bool *more, const char **name, struct leat_error *err);
    /** The next bytes of it; `*n` is 0 at its end. */
    leat_status (*read)(void *ctx, char *to, size_t room, size_t *n, struct leat_error *err);
    /** Some outputs. */
    leat_status (*write)(void *ctx, struct lt_slice bytes, struct leat_error *err);
    /** An input failed: `line` is that of its first byte in its file (0: it has none). */
    void (*complain)(void *ctx, uint64_t line, struct lt_slice text);
    /** What `debug` and `stderr` show. */
    void (*message)(void *ctx, struct lt_slice text);
};

struct lt_script_result {
    uint64_t n_outputs;
    uint64_t n_failed; /**< inputs */
    bool last_is_true; /**< the last output is neither null nor false */
    bool halted;       /**< `halt`, `halt_error` */
    int halt_code;
};

/**
 * Compiles.
 *
 * Owns:   on LEAT_OK the caller owns `*out`; release it with lt_script_free().
 * Errors: LEAT_E_CONFIG with line and column (lt_tree_explain() draws the place); LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_script_new(struct lt_script **out,
                                          const struct lt_script_options *opt,
                                          struct leat_error *err);
void lt_script_free(struct lt_script *script);

/** Why it runs through libjq; NULL when it is compiled. */
const char *lt_script_why_libjq(const struct lt_script *script);

/**
 * Runs to the end of the inputs.
 *
 * Blocks: on the inputs. Outputs are written before it waits for more.
 * Errors: LEAT_E_PARSE with the line where an input is no JSON; LEAT_E_LIMIT; those of `io`.
 */
LEAT_MUST_CHECK leat_status lt_script_run(struct lt_script *script, const struct lt_script_io *io,
                                          struct lt_script_result *result, struct leat_error *err);

#endif
