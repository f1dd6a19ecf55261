/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_EVAL_H
#define LT_EXPR_EVAL_H

#include "expr/expr.h"
#include "expr/guard.h"
#include "json/json.h"

/** One jq text that libjq runs, with its guard: what a filter and a query are made of. */
struct lt_expr_eval {
    jq_state *jq; /**< NULL: not initialised */
    struct lt_guard guard;
};

/** Compiles. Owns: release it with lt_expr_eval_deinit(). Errors: as lt_expr_compile(). */
LEAT_MUST_CHECK leat_status lt_expr_eval_init(struct lt_expr_eval *eval,
                                              const struct lt_expr_text *text,
                                              const struct lt_expr_var *vars, size_t n_vars,
                                              struct leat_error *err);
void lt_expr_eval_deinit(struct lt_expr_eval *eval);

/**
 * Runs it over `doc` and hands each output to `each`, which borrows it; an error of
 * `each` ends the run and is returned.
 *
 * Errors: LEAT_E_INVALID with jq's message when the expression raised an error; LEAT_E_LIMIT when
 *         it was stopped, or `doc` is longer than 2 GiB; those of lt_guard_enter().
 */
LEAT_MUST_CHECK leat_status lt_expr_eval_run(struct lt_expr_eval *eval, struct lt_json doc,
                                             leat_status (*each)(void *ctx, jv value,
                                                                 struct leat_error *err),
                                             void *ctx, struct leat_error *err);

#endif
