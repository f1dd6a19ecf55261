/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_EVAL_H
#define LT_EXPR_EVAL_H

#include "expr/expr_parts.h"

/** One jq text that is asked of one JSON value at a time: what a filter and a query are made of. */
struct lt_expr_eval {
    struct lt_arena config;
    struct lt_tree_part part;
    struct lt_machine machine;
    struct lt_remote *remote; /**< for what is left to libjq */
    struct lt_buf text;       /**< of one output */
};

/** Compiles. Owns: release it with lt_expr_eval_deinit(), also after a failure. Errors: as
 * lt_expr_compile(). */
LEAT_MUST_CHECK leat_status lt_expr_eval_init(struct lt_expr_eval *eval,
                                              const struct lt_expr_text *text,
                                              const struct lt_expr_var *vars, size_t n_vars,
                                              struct leat_error *err);
void lt_expr_eval_deinit(struct lt_expr_eval *eval);

/** Who takes the outputs. */
struct lt_expr_outputs {
    void *ctx;
    bool views; /**< wanted: what stands in the document comes as it stands there; else all comes as
                   compact JSON */
    /** JSON text, which lives until the call returns, but for views. An error ends the run and is
     * returned. */
    leat_status (*add)(void *ctx, struct lt_json value, struct leat_error *err);
    /** What came is void: libjq begins anew. */
    void (*clear)(void *ctx);
};

/**
 * Runs it over `doc`, which is validated.
 *
 * Errors: LEAT_E_INVALID with jq's message when the expression raised an error or gave a number
 *         that is not finite; LEAT_E_LIMIT when it was stopped; those of lt_remote_start().
 */
LEAT_MUST_CHECK leat_status lt_expr_eval_run(struct lt_expr_eval *eval, struct lt_json doc,
                                             const struct lt_expr_outputs *outputs,
                                             struct leat_error *err);

#endif
