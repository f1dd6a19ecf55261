/* SPDX-License-Identifier: Apache-2.0 */
/* One jq text over one JSON value at a time, by libjq. */
#include "expr/eval.h"

#include "expr/program.h"
#include "expr/value.h"

leat_status lt_expr_eval_init(struct lt_expr_eval *eval, const struct lt_expr_text *text,
                              const struct lt_expr_var *vars, size_t n_vars,
                              struct leat_error *err) {
    struct lt_expr_program program = {0};

    eval->jq = NULL;
    leat_status status = lt_expr_program_init_filter(&program, text, vars, n_vars, err);
    if (status == LEAT_OK)
        status = lt_libjq_load(err);
    if (status == LEAT_OK)
        status = lt_expr_program_compile(&program, &eval->jq, err);
    lt_expr_program_deinit(&program);
    if (status == LEAT_OK)
        lt_guard_init(&eval->guard, eval->jq);
    return status;
}

void lt_expr_eval_deinit(struct lt_expr_eval *eval) {
    if (!eval->jq)
        return;
    lt_guard_deinit(&eval->guard);
    lt_jq.teardown(&eval->jq);
}

static leat_status fail_with_message(jv message, struct leat_error *err) {
    struct lt_arena arena;

    lt_arena_init(&arena, 4096);
    struct lt_slice text = lt_expr_message(message, &arena);
    leat_status status =
        lt_fail(err, LEAT_E_INVALID, 0, "the expression failed: %.*s", LT_FMT(text));
    lt_arena_deinit(&arena);
    return status;
}

static leat_status take_outputs(struct lt_expr_eval *eval,
                                leat_status (*each)(void *, jv, struct leat_error *), void *ctx,
                                struct leat_error *err) {
    for (;;) {
        jv value = lt_jq.next(eval->jq);
        if (lt_jq.get_kind(value) == JV_KIND_INVALID) {
            jv message = lt_jq.invalid_get_msg(value);
            if (lt_jq.halted(eval->jq) || lt_jq.get_kind(message) == JV_KIND_NULL) {
                lt_jq.free(message);
                return LEAT_OK; /* the guard says why it was halted */
            }
            return fail_with_message(message, err);
        }
        leat_status status = each(ctx, value, err);
        lt_jq.free(value);
        if (status != LEAT_OK)
            return status;
    }
}

leat_status lt_expr_eval_run(struct lt_expr_eval *eval, struct lt_json doc,
                             leat_status (*each)(void *ctx, jv value, struct leat_error *err),
                             void *ctx, struct leat_error *err) {
    jv value = lt_expr_read_value(doc);

    if (lt_jq.get_kind(value) == JV_KIND_INVALID) {
        lt_jq.free(value);
        return lt_fail(err, LEAT_E_LIMIT, 0, "a JSON text of more than 2 GiB");
    }
    leat_status status = lt_guard_enter(&eval->guard, err);
    if (status != LEAT_OK) {
        lt_jq.free(value);
        return status;
    }
    lt_guard_begin(&eval->guard);
    lt_jq.start(eval->jq, value, 0);
    status = take_outputs(eval, each, ctx, err);
    enum lt_guard_trip trip = lt_guard_end(&eval->guard);
    lt_guard_leave(&eval->guard);
    if (status == LEAT_OK && trip) {
        char why[64];
        lt_guard_explain(&eval->guard, trip, why);
        status = lt_fail(err, LEAT_E_LIMIT, 0, "the expression %s", why);
    }
    return status;
}
