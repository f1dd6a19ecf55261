/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_PROGRAM_H
#define LT_EXPR_PROGRAM_H

#include "base/buf.h"
#include "expr/expr.h"
#include "expr/libjq.h"

enum lt_expr_kind { LT_EXPR_DEF, LT_EXPR_SET, LT_EXPR_KEY, LT_EXPR_ROUTE, LT_EXPR_FILTER };

/** One text at its place in the program. It begins at column 1 of `first_line` there. */
struct lt_expr_part {
    enum lt_expr_kind kind;
    size_t index; /**< among its kind */
    const struct lt_expr_text *text;
    unsigned first_line;
    bool constant; /**< gives the same for every record */
};

/** What a user's texts become before jq compiles them. */
struct lt_expr_program {
    struct lt_buf text;
    struct lt_expr_part *parts;
    size_t n_parts;
    const struct lt_expr_var *vars; /**< borrowed */
    size_t n_vars;
};

/**
 * Puts the texts into one program, each checked to be closed in itself. Run with
 * jq_start() on a record, the program gives one output a set in order; then, if there is a
 * second half, it takes the record with its fields from the input callback (from jq_start() where
 * there are no sets) and gives one output for the key and one for each route that has a condition.
 * Texts that are constant are left out there; they give theirs, in the same order, when the program
 * is run on null.
 * Each output is an array of the first values (at most two) that the expression gave, or
 * {"e": message}. A filter's program gives its outputs as they are.
 *
 * Owns:   release it with lt_expr_program_deinit(), also after a failure. It borrows `src`.
 * Errors: LEAT_E_CONFIG with line and column; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_expr_program_init(struct lt_expr_program *p,
                                                 const struct lt_expr_source *src,
                                                 struct leat_error *err);
LEAT_MUST_CHECK leat_status lt_expr_program_init_filter(struct lt_expr_program *p,
                                                        const struct lt_expr_text *text,
                                                        const struct lt_expr_var *vars,
                                                        size_t n_vars, struct leat_error *err);
void lt_expr_program_deinit(struct lt_expr_program *p);

/** Bytes that lt_expr_label() writes at most, with its NUL. */
enum { LT_EXPR_LABEL_BYTES = 160 };

/** How a user knows an expression: "with.NAME", "set.NAME", "route[2].when", "key". Returns `out`.
 */
const char *lt_expr_label(enum lt_expr_kind kind, size_t index, struct lt_slice name,
                          char out[LT_EXPR_LABEL_BYTES]);

/** Compiles `p` with libjq, which must be loaded. Errors: as lt_expr_compile(). */
LEAT_MUST_CHECK leat_status lt_expr_program_compile(const struct lt_expr_program *p, jq_state **out,
                                                    struct leat_error *err);

/** Where byte `at` of a part's text is in the user's file: fills in line and column. */
void lt_expr_locate(const struct lt_expr_text *text, size_t at, struct leat_error *err);

#endif
