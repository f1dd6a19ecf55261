/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_EXPR_H
#define LT_EXPR_EXPR_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * The expressions of one pipeline, in jq, compiled together and run over batches. Who uses it sees
 * only batches of JSON text in and results out, whichever way an expression is run: fused with the
 * others into one pass over the record (fuse.h), evaluated (vm.h), or left to libjq in a process of
 * its own (remote.h).
 *
 * The language is that of jq 1.6, but for what a pipeline must not do: `$ENV` is an error of the
 * file; `env`, `input`, `inputs`, `input_line_number`, `halt`, `get_search_list` and `modulemeta`
 * raise an error; `halt_error` is `error`; `input_filename` is null; `debug` and `stderr` write
 * nothing; `import` and `include` are syntax errors; ~/.jq is not read. `error(null)` is, in
 * jq 1.6, the same as `empty`. Numbers that are passed on keep their spelling, integers within
 * int64 are exact; a text that is left to libjq has doubles alone. What else differs:
 * docs/design.md.
 *
 * An expression that does not end, whose memory grows, or over which libjq ends, costs its record
 * and nothing else.
 */

/** One expression of a file and where it stands, for errors. */
struct lt_expr_text {
    struct lt_slice
        name; /**< def: its NAME; set: the field; route: where it goes; else a word for errors */
    struct lt_slice text; /**< jq; `data` NULL on a route means "always" */
    unsigned line; /**< of the text's first character in the user's file; 0: not from a file */
    unsigned column;
};

/** A value that all texts of a program see as `$name`. */
struct lt_expr_var {
    const char *name;     /**< letters, digits, '_' */
    struct lt_slice json; /**< one JSON value */
};

/**
 * All sets see the record as it came, not each other's results; key and routes see it
 * with its fields. A condition holds when its first output is neither null nor false; without an
 * output it does not. An error in a set, in the key, or in a condition that is reached is the
 * record's failure. Without routes every record is OK, with route 0.
 */
struct lt_expr_source {
    const struct lt_expr_text *defs; /**< `with:`, each a `def NAME: TEXT;`, in order; a NAME may
                                        have parameters: "total(f; $x)" */
    size_t n_defs;
    const struct lt_expr_text *sets; /**< each gives exactly one value for its field */
    size_t n_sets;
    const struct lt_expr_text *routes; /**< conditions, seen after the sets; first true one wins */
    size_t n_routes;
    const struct lt_expr_text *key; /**< partition key of what goes out; may be NULL */
    const struct lt_expr_var *vars; /**< may be NULL */
    size_t n_vars;
};

struct lt_expr;

/**
 * Compiles. Each text is checked on its own, so that an error names its line
 * and column. Texts that cannot see the record (`$resource == "a"`) are computed here once; where
 * no other is ever asked for, lt_expr_run() only validates records.
 *
 * Owns:   on LEAT_OK the caller owns `*out`; release it with lt_expr_free().
 * Thread: a program belongs to one thread at a time.
 * Errors: LEAT_E_CONFIG with line, column, jq's own message and the nearest known function name;
 *         LEAT_E_UNSUPPORTED when libjq cannot be started.
 */
LEAT_MUST_CHECK leat_status lt_expr_compile(struct lt_expr **out, const struct lt_expr_source *src,
                                            struct leat_error *err);
void lt_expr_free(struct lt_expr *expr);

/** False when results follow without any expression being run with a record: it is validated alone.
 */
bool lt_expr_computes(const struct lt_expr *expr);

/** What one record may take before its evaluation is stopped and its outcome is FAILED. 0: no
 * limit. */
struct lt_expr_limits {
    uint64_t max_steps; /**< of the evaluator: the same for the same record on any machine */
    int64_t max_ms;
    uint64_t max_bytes;
};

/** 100 million steps, 5 seconds, 512 MiB: what holds without lt_expr_set_limits(). */
extern const struct lt_expr_limits lt_expr_default_limits;

void lt_expr_set_limits(struct lt_expr *expr, const struct lt_expr_limits *limits);

enum lt_expr_tier {
    LT_EXPR_CONSTANT, /**< the same for every record: computed once */
    LT_EXPR_FUSED,    /**< one pass over the record's bytes serves all */
    LT_EXPR_COMPILED, /**< evaluated in this process, looking into the record's own bytes */
    LT_EXPR_LIBJQ,    /**< by libjq, in a process of its own */
};
/** "constant", "fused", "compiled", "libjq" */
const char *lt_expr_tier_name(enum lt_expr_tier tier);

/** How one expression is run. */
struct lt_expr_plan {
    struct lt_slice label; /**< "set.NAME", "key", "route[2].when" */
    enum lt_expr_tier tier;
    const char *why; /**< COMPILED: why not fused; LIBJQ: why not compiled; else NULL */
};

/** The i-th expression's, in the order sets, key, conditions; false behind the last one. Lives as
 * long as `expr`. */
bool lt_expr_explain(const struct lt_expr *expr, size_t i, struct lt_expr_plan *plan);

enum lt_expr_outcome {
    LT_EXPR_OK,
    LT_EXPR_NOT_JSON,   /**< not valid JSON, or too deep */
    LT_EXPR_NOT_OBJECT, /**< valid JSON, but no object: fields cannot be added to it */
    LT_EXPR_FAILED,     /**< an expression raised an error, or gave no value or several */
    LT_EXPR_NO_ROUTE,   /**< no route's condition held */
};

/** What came of one record. Slices live in the arena given to lt_expr_run(), or are the input's. */
struct lt_expr_result {
    enum lt_expr_outcome outcome;
    size_t route; /**< OK: index into routes */
    struct lt_slice
        data; /**< OK: the record with its fields spliced in (the input itself without sets) */
    struct lt_slice key;        /**< OK: value of `key` as text; `data` NULL when there is no such
                                   expression or it gave null */
    struct lt_slice expression; /**< FAILED: the name of the expression, as "set.NAME",
                                   "route[2].when", "key" */
    struct lt_slice reason;     /**< else: why, one line */
};

/**
 * Runs the program over `n` records (each one JSON text, white space around it
 * allowed). A record's failure is its result, never the call's.
 *
 * Errors: LEAT_E_NOMEM when the arena is full: give less records, or more room.
 */
LEAT_MUST_CHECK leat_status lt_expr_run(struct lt_expr *expr, const struct lt_slice *records,
                                        size_t n, struct lt_expr_result *results,
                                        struct lt_arena *arena, struct leat_error *err);

/**
 * Evaluates one jq text against JSON and gives its outputs as compact JSON texts, one a line, in
 * `out` (for `leat put --key`, tests, and tools).
 * With `raw`, strings come without quotes. On failure `out` is as it was.
 *
 * Errors: LEAT_E_CONFIG from new; LEAT_E_PARSE for bad JSON, LEAT_E_INVALID with jq's message when
 *         the expression raised an error, LEAT_E_LIMIT when it was stopped, LEAT_E_NOMEM when `out`
 *         is full.
 */
struct lt_expr_filter;
LEAT_MUST_CHECK leat_status lt_expr_filter_new(struct lt_expr_filter **out, struct lt_slice text,
                                               struct leat_error *err);
LEAT_MUST_CHECK leat_status lt_expr_filter_run(struct lt_expr_filter *filter, struct lt_slice json,
                                               bool raw, struct lt_buf *out, size_t *n_outputs,
                                               struct leat_error *err);
void lt_expr_filter_free(struct lt_expr_filter *filter);

#endif
