/* SPDX-License-Identifier: Apache-2.0 */
/* One jq text over one JSON value at a time. */
#include "expr/eval.h"

#include "expr/expr_parts.h"
#include "expr/program.h"

leat_status lt_expr_eval_init(struct lt_expr_eval *eval, const struct lt_expr_text *text,
                              const struct lt_expr_var *vars, size_t n_vars,
                              struct leat_error *err) {
    struct lt_expr_program program = {0};

    eval->remote = NULL;
    leat_status status = lt_expr_program_init_filter(&program, text, vars, n_vars, err);
    if (status == LEAT_OK)
        status = lt_expr_program_compile(&program, &eval->remote, err);
    lt_expr_program_deinit(&program);
    return status;
}

void lt_expr_eval_deinit(struct lt_expr_eval *eval) {
    lt_remote_free(eval->remote);
}

struct run {
    leat_status (*each)(void *ctx, struct lt_json value, struct leat_error *err);
    void *ctx;
};

/* The type of a text that is JSON. */
static enum lt_json_type type_of(struct lt_slice json) {
    switch (*json.data) {
    case '"':
        return LT_JSON_STRING;
    case '{':
        return LT_JSON_OBJECT;
    case '[':
        return LT_JSON_ARRAY;
    case 't':
        return LT_JSON_TRUE;
    case 'f':
        return LT_JSON_FALSE;
    case 'n':
        return LT_JSON_NULL;
    default:
        return LT_JSON_NUMBER;
    }
}

static leat_status give_value(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                              struct leat_error *err) {
    struct run *run = ctx;

    (void)job;
    (void)ask;
    return run->each(run->ctx, (struct lt_json){type_of(json), json}, err);
}

static leat_status take_end(void *ctx, size_t job, const struct lt_remote_outcome *outcome,
                            struct leat_error *err) {
    leat_status status = LEAT_OK;
    struct lt_arena arena;

    (void)ctx;
    (void)job;
    lt_arena_init(&arena, 4096);
    struct lt_slice reason = lt_expr_one_line(outcome->reason, &arena);
    if (outcome->end == LT_REMOTE_ERROR)
        status = lt_fail(err, LEAT_E_INVALID, 0, "the expression failed: %.*s", LT_FMT(reason));
    else if (outcome->end == LT_REMOTE_FAULT)
        status = lt_fail(err, LEAT_E_INVALID, 0, "the expression %.*s", LT_FMT(reason));
    else if (outcome->end == LT_REMOTE_KILLED)
        status = lt_fail(err, LEAT_E_LIMIT, 0, "the expression %.*s", LT_FMT(reason));
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_expr_eval_run(struct lt_expr_eval *eval, struct lt_json doc,
                             leat_status (*each)(void *ctx, struct lt_json value,
                                                 struct leat_error *err),
                             void *ctx, struct leat_error *err) {
    const struct lt_remote_ask ask = {.part = 0};
    const struct lt_remote_job job = {doc.raw, &ask, 1};
    struct run run = {each, ctx};
    const struct lt_remote_sink sink = {.ctx = &run, .value = give_value, .end = take_end};

    return lt_remote_run(eval->remote, &job, 1, &sink, err);
}
