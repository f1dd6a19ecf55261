/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_PROGRAM_H
#define LT_EXPR_PROGRAM_H

#include "base/buf.h"
#include "expr/expr.h"
#include "expr/remote.h"
#include "expr/tree.h"

enum lt_expr_kind { LT_EXPR_DEF, LT_EXPR_SET, LT_EXPR_KEY, LT_EXPR_ROUTE, LT_EXPR_FILTER };

/** One text at its place in the program. It begins at column 1 of `first_line` there. */
struct lt_expr_part {
    enum lt_expr_kind kind;
    size_t index; /**< among its kind */
    const struct lt_expr_text *text;
    unsigned first_line;
    uint32_t number; /**< among those that can be run (all but DEF): struct lt_remote_ask */
};

/** What a user's texts become before jq compiles them. */
struct lt_expr_program {
    struct lt_buf text;
    struct lt_expr_part *parts;
    size_t n_parts;
    uint32_t n_asked;               /**< of them, those that can be run */
    const struct lt_expr_var *vars; /**< borrowed */
    size_t n_vars;
};

/**
 * Puts the texts into one program, each checked to be closed in itself, so that one text cannot
 * reach into another. Of several parts it runs the one whose number `input` gives. A filter's
 * program has one part.
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

/**
 * Has libjq compile `p` in a process of its own, which `*out` then is.
 *
 * Owns:   on LEAT_OK the caller owns `*out`; release it with lt_remote_free().
 * Errors: as lt_expr_compile().
 */
LEAT_MUST_CHECK leat_status lt_expr_program_compile(const struct lt_expr_program *p,
                                                    struct lt_remote **out, struct leat_error *err);

/** As above, but it is compiled when it is first asked. Errors: LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_expr_program_keep(const struct lt_expr_program *p,
                                                 struct lt_remote **out, struct leat_error *err);

/** Parses a part's text by our own parser, with the definitions and variables of `src`.
 * Errors: as lt_tree_parse(), with the expression's name. */
LEAT_MUST_CHECK leat_status lt_expr_parse_part(struct lt_tree_part *tree,
                                               const struct lt_expr_part *part,
                                               const struct lt_expr_source *src,
                                               struct lt_arena *arena, struct leat_error *err);

/** The definitions alone, where nothing uses them. */
LEAT_MUST_CHECK leat_status lt_expr_parse_defs(const struct lt_expr_source *src,
                                               struct lt_arena *arena, struct leat_error *err);

/** Checks that the value of each variable is JSON. Errors: LEAT_E_CONFIG. */
LEAT_MUST_CHECK leat_status lt_expr_check_vars(const struct lt_expr_var *vars, size_t n,
                                               struct leat_error *err);

/** Where byte `at` of a part's text is in the user's file: fills in line and column. */
void lt_expr_locate(const struct lt_expr_text *text, size_t at, struct leat_error *err);

#endif
