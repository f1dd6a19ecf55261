/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_EVAL_H
#define LT_EXPR_EVAL_H

#include "expr/expr.h"
#include "expr/remote.h"
#include "json/json.h"

/** One jq text that is asked of one JSON value at a time: what a filter and a query are made of. */
struct lt_expr_eval {
    struct lt_remote *remote; /**< NULL: not initialised */
};

/** Compiles. Owns: release it with lt_expr_eval_deinit(). Errors: as lt_expr_compile(). */
LEAT_MUST_CHECK leat_status lt_expr_eval_init(struct lt_expr_eval *eval,
                                              const struct lt_expr_text *text,
                                              const struct lt_expr_var *vars, size_t n_vars,
                                              struct leat_error *err);
void lt_expr_eval_deinit(struct lt_expr_eval *eval);

/**
 * Runs it over `doc` and hands each output to `each`, as JSON text that lives until it returns; an
 * error of `each` ends the run and is returned.
 *
 * Errors: LEAT_E_INVALID with jq's message when the expression raised an error or gave a number
 *         that is not finite; LEAT_E_LIMIT when it was stopped; those of lt_remote_start().
 */
LEAT_MUST_CHECK leat_status lt_expr_eval_run(struct lt_expr_eval *eval, struct lt_json doc,
                                             leat_status (*each)(void *ctx, struct lt_json value,
                                                                 struct leat_error *err),
                                             void *ctx, struct leat_error *err);

#endif
