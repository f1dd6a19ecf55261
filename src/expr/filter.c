/* SPDX-License-Identifier: Apache-2.0 */
/* One jq text over one JSON value at a time, with all its outputs. */
#include "expr/expr.h"

#include "expr/guard.h"
#include "expr/program.h"
#include "expr/value.h"

#include <stdlib.h>

struct lt_expr_filter {
    jq_state *jq;
    struct lt_guard guard;
};

leat_status lt_expr_filter_new(struct lt_expr_filter **out, struct lt_slice text,
                               struct leat_error *err) {
    struct lt_expr_text source = {.text = text};
    struct lt_expr_program program = {0};
    struct lt_expr_filter *filter = calloc(1, sizeof(*filter));

    *out = NULL;
    if (!filter)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an expression");
    leat_status status = lt_expr_program_init_filter(&program, &source, err);
    if (status == LEAT_OK)
        status = lt_libjq_load(err);
    if (status == LEAT_OK)
        status = lt_expr_program_compile(&program, &filter->jq, err);
    lt_expr_program_deinit(&program);
    if (status != LEAT_OK) {
        free(filter);
        return status;
    }
    lt_guard_init(&filter->guard, filter->jq);
    *out = filter;
    return LEAT_OK;
}

void lt_expr_filter_free(struct lt_expr_filter *filter) {
    if (!filter)
        return;
    lt_guard_deinit(&filter->guard);
    lt_jq.teardown(&filter->jq);
    free(filter);
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

static leat_status put_output(jv value, bool raw, struct lt_buf *out, struct leat_error *err) {
    const char *fault = NULL;

    if (raw && lt_jq.get_kind(value) == JV_KIND_STRING)
        lt_buf_append(out, lt_expr_string(value));
    else
        fault = lt_expr_write_value(out, value);
    lt_buf_append_byte(out, '\n');
    if (out->failed)
        return lt_buf_status(out, err);
    return fault ? lt_fail(err, LEAT_E_INVALID, 0, "the expression %s", fault) : LEAT_OK;
}

static leat_status take_outputs(struct lt_expr_filter *filter, bool raw, struct lt_buf *out,
                                size_t *n_outputs, struct leat_error *err) {
    for (;;) {
        jv value = lt_jq.next(filter->jq);
        if (lt_jq.get_kind(value) == JV_KIND_INVALID) {
            jv message = lt_jq.invalid_get_msg(value);
            if (lt_jq.halted(filter->jq) || lt_jq.get_kind(message) == JV_KIND_NULL) {
                lt_jq.free(message);
                return LEAT_OK; /* the guard says why it was halted */
            }
            return fail_with_message(message, err);
        }
        leat_status status = put_output(value, raw, out, err);
        lt_jq.free(value);
        if (status != LEAT_OK)
            return status;
        ++*n_outputs;
    }
}

leat_status lt_expr_filter_run(struct lt_expr_filter *filter, struct lt_slice json, bool raw,
                               struct lt_buf *out, size_t *n_outputs, struct leat_error *err) {
    struct lt_json checked;
    size_t start = out->len;
    size_t n = 0;

    if (n_outputs)
        *n_outputs = 0;
    leat_status status = lt_json_parse(&checked, json, LT_JSON_DEFAULT_DEPTH, err);
    if (status != LEAT_OK)
        return status;
    jv value = lt_expr_read_value(checked);
    if (lt_jq.get_kind(value) == JV_KIND_INVALID) {
        lt_jq.free(value);
        return lt_fail(err, LEAT_E_LIMIT, 0, "a JSON text of more than 2 GiB");
    }
    status = lt_guard_enter(&filter->guard, err);
    if (status != LEAT_OK) {
        lt_jq.free(value);
        return status;
    }
    lt_guard_begin(&filter->guard);
    lt_jq.start(filter->jq, value, 0);
    status = take_outputs(filter, raw, out, &n, err);
    enum lt_guard_trip trip = lt_guard_end(&filter->guard);
    lt_guard_leave(&filter->guard);
    if (status == LEAT_OK && trip) {
        char why[64];
        lt_guard_explain(&filter->guard, trip, why);
        status = lt_fail(err, LEAT_E_LIMIT, 0, "the expression %s", why);
    }
    if (status != LEAT_OK)
        out->len = start;
    else if (n_outputs)
        *n_outputs = n;
    return status;
}
