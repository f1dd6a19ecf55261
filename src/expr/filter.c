/* SPDX-License-Identifier: Apache-2.0 */
/* One jq text over one JSON value at a time, with all its outputs. */
#include "expr/expr.h"

#include "expr/eval.h"

#include <stdlib.h>

struct lt_expr_filter {
    struct lt_expr_eval eval;
};

leat_status lt_expr_filter_new(struct lt_expr_filter **out, struct lt_slice text,
                               struct leat_error *err) {
    struct lt_expr_text source = {.text = text};
    struct lt_expr_filter *filter = calloc(1, sizeof(*filter));

    *out = NULL;
    if (!filter)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an expression");
    leat_status status = lt_expr_eval_init(&filter->eval, &source, NULL, 0, err);
    if (status == LEAT_OK)
        *out = filter;
    else
        lt_expr_filter_free(filter);
    return status;
}

void lt_expr_filter_free(struct lt_expr_filter *filter) {
    if (!filter)
        return;
    lt_expr_eval_deinit(&filter->eval);
    free(filter);
}

struct lines {
    bool raw;
    struct lt_buf *out;
    size_t start; /* what it had */
    size_t n;
};

static leat_status put_line(void *ctx, struct lt_json value, struct leat_error *err) {
    struct lines *lines = ctx;

    if (lines->raw && value.type == LT_JSON_STRING)
        lt_json_string_append(value, lines->out);
    else
        lt_buf_append(lines->out, value.raw);
    lt_buf_append_byte(lines->out, '\n');
    lines->n++;
    return lt_buf_status(lines->out, err);
}

static void clear_lines(void *ctx) {
    struct lines *lines = ctx;

    lines->out->len = lines->start;
    lines->n = 0;
}

leat_status lt_expr_filter_run(struct lt_expr_filter *filter, struct lt_slice json, bool raw,
                               struct lt_buf *out, size_t *n_outputs, struct leat_error *err) {
    struct lines lines = {.raw = raw, .out = out, .start = out->len};
    const struct lt_expr_outputs outputs = {.ctx = &lines, .add = put_line, .clear = clear_lines};
    struct lt_json checked;

    if (n_outputs)
        *n_outputs = 0;
    leat_status status = lt_json_parse(&checked, json, LT_JSON_DEFAULT_DEPTH, err);
    if (status != LEAT_OK)
        return status;
    status = lt_expr_eval_run(&filter->eval, checked, &outputs, err);
    if (status != LEAT_OK)
        out->len = lines.start;
    else if (n_outputs)
        *n_outputs = lines.n;
    return status;
}
