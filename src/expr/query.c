/* SPDX-License-Identifier: Apache-2.0 */
/* A jq text of one value: a path walked over the text, or a program of libjq. */
#include "expr/query.h"

#include "expr/eval.h"
#include "expr/path.h"

#include <stdlib.h>

enum { MAX_PATH_BYTES = 16 << 20 };

struct lt_expr_query {
    bool is_path;
    struct lt_expr_path path;
    struct lt_arena path_memory;
    struct lt_expr_eval eval; /* where it is no path */

    /* of the run at work */
    struct lt_expr_views views;
    struct lt_arena *arena;
    struct lt_slice doc;
};

leat_status lt_expr_query_new(struct lt_expr_query **out, const struct lt_expr_text *text,
                              const struct lt_expr_var *vars, size_t n_vars,
                              struct leat_error *err) {
    struct lt_expr_query *query = calloc(1, sizeof(*query));

    *out = NULL;
    if (!query)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an expression");
    lt_arena_init(&query->path_memory, MAX_PATH_BYTES);
    leat_status status =
        lt_expr_path_parse(&query->path, &query->is_path, text->text, &query->path_memory, err);
    if (status == LEAT_OK && !query->is_path)
        status = lt_expr_eval_init(&query->eval, text, vars, n_vars, err);
    if (status == LEAT_OK)
        *out = query;
    else
        lt_expr_query_free(query);
    return status;
}

void lt_expr_query_free(struct lt_expr_query *query) {
    if (!query)
        return;
    lt_expr_eval_deinit(&query->eval);
    lt_arena_deinit(&query->path_memory);
    free(query->views.items);
    free(query);
}

bool lt_expr_query_is_path(const struct lt_expr_query *query) {
    return query->is_path;
}

const char *lt_expr_query_why_libjq(const struct lt_expr_query *query) {
    return query->is_path || query->eval.part.root ? NULL : query->eval.part.why;
}

static leat_status no_room(struct lt_expr_query *query, struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "the outputs of an expression do not fit in %zu bytes",
                   query->arena->max);
}

static leat_status keep_output(void *ctx, struct lt_json value, struct leat_error *err) {
    struct lt_expr_query *query = ctx;

    if (value.raw.data < query->doc.data || value.raw.data >= query->doc.data + query->doc.len)
        value.raw = lt_arena_dup(query->arena, value.raw);
    if (!value.raw.data)
        return no_room(query, err);
    return lt_expr_views_add(&query->views, value, err);
}

static void clear_outputs(void *ctx) {
    struct lt_expr_query *query = ctx;

    query->views.n = 0;
}

leat_status lt_expr_query_run(struct lt_expr_query *query, struct lt_json doc,
                              struct lt_arena *arena, struct lt_json **outputs, size_t *n,
                              struct leat_error *err) {
    const struct lt_expr_outputs to = {
        .ctx = query, .views = true, .add = keep_output, .clear = clear_outputs};
    leat_status status;

    *outputs = NULL;
    *n = 0;
    query->arena = arena;
    query->doc = doc.raw;
    query->views.n = 0;
    if (query->is_path)
        status = lt_expr_path_walk(&query->path, doc, &query->views, err);
    else
        status = lt_expr_eval_run(&query->eval, doc, &to, err);
    if (status != LEAT_OK || query->views.n == 0)
        return status;
    size_t bytes = query->views.n * sizeof(*query->views.items);
    *outputs = lt_arena_alloc(arena, bytes);
    if (!*outputs)
        return no_room(query, err);
    memcpy(*outputs, query->views.items, bytes);
    *n = query->views.n;
    return LEAT_OK;
}
