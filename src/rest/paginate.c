/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of paginators, and what they have in common: the expressions that a file gives for
 * them, and what ends a list whatever its kind.
 */
#include "rest/paginate.h"

#include "rest/body.h"
#include "rest/paginate_parts.h"
#include "rest/url.h"

enum { FOUND_MAX = 64 << 10 };

static const struct lt_rest_paginator *const rows[] = {
    &lt_rest_paginate_auto, &lt_rest_paginate_none,   &lt_rest_paginate_offset,
    &lt_rest_paginate_page, &lt_rest_paginate_cursor, &lt_rest_paginate_next,
    &lt_rest_paginate_link,
};

const char *const lt_rest_paginator_kinds[] = {"auto",   "none", "offset", "page",
                                               "cursor", "next", "link",   NULL};

const struct lt_rest_paginator *lt_rest_paginator_find(const char *kind) {
    for (size_t i = 0; kind && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!strcmp(rows[i]->kind, kind))
            return rows[i];
    return NULL;
}

static leat_status compile(struct lt_expr_query **out, struct lt_expr_text text, const char *name,
                           struct leat_error *err) {
    if (!text.text.data)
        return LEAT_OK;
    if (!text.name.data)
        text.name = lt_slice_str(name);
    return lt_expr_query_new(out, &text, NULL, 0, err);
}

leat_status lt_rest_pager_set_up(struct lt_rest_pager *pager, struct leat_error *err) {
    const struct lt_rest_pagination *how = &pager->how;
    const char *kind = how->kind ? how->kind : "auto";

    pager->row = lt_rest_paginator_find(kind);
    if (!pager->row)
        return lt_fail(err, LEAT_E_CONFIG, 0, "resource %s: there is no pagination \"%s\"",
                       pager->resource->name, kind);
    leat_status status = compile(&pager->total, how->total, "total", err);
    if (status == LEAT_OK)
        status = compile(&pager->pages, how->pages, "pages", err);
    if (status == LEAT_OK)
        status = compile(&pager->next, how->next, "next", err);
    if (status == LEAT_OK)
        status = compile(&pager->more, how->more, "more", err);
    return status;
}

leat_status lt_rest_pager_init(struct lt_rest_pager *pager, const struct lt_rest_resource *resource,
                               struct leat_error *err) {
    *pager = (struct lt_rest_pager){.resource = resource, .how = resource->pagination};
    lt_arena_init(&pager->arena, FOUND_MAX);
    leat_status status = lt_rest_pager_set_up(pager, err);
    if (status != LEAT_OK)
        lt_rest_pager_deinit(pager);
    return status;
}

void lt_rest_pager_deinit(struct lt_rest_pager *pager) {
    lt_expr_query_free(pager->total);
    lt_expr_query_free(pager->pages);
    lt_expr_query_free(pager->next);
    lt_expr_query_free(pager->more);
    lt_arena_deinit(&pager->arena);
    *pager = (struct lt_rest_pager){.resource = pager->resource};
}

const char *lt_rest_type_word(struct lt_json value) {
    static const char *const words[] = {
        [LT_JSON_NULL] = "null",        [LT_JSON_FALSE] = "false",   [LT_JSON_TRUE] = "true",
        [LT_JSON_NUMBER] = "a number",  [LT_JSON_STRING] = "a text", [LT_JSON_ARRAY] = "an array",
        [LT_JSON_OBJECT] = "an object",
    };
    return words[value.type];
}

leat_status lt_rest_pager_misfit(const struct lt_rest_pager *pager, const char *what,
                                 struct lt_json found, const char *expected,
                                 struct leat_error *err) {
    return lt_fail(err, LEAT_E_PARSE, 0, "resource %s: `%s` gives %s; expected %s",
                   pager->resource->name, what, lt_rest_type_word(found), expected);
}

leat_status lt_rest_pager_ask(const struct lt_rest_pager *pager, struct lt_expr_query *query,
                              const char *what, struct lt_json body, struct lt_arena *arena,
                              struct lt_json *out, struct leat_error *err) {
    struct lt_json *outputs = NULL;
    size_t n = 0;

    *out = (struct lt_json){LT_JSON_NULL, LT_LIT("null")};
    if (!query)
        return LEAT_OK;
    leat_status status = lt_expr_query_run(query, body, arena, &outputs, &n, err);
    if (status != LEAT_OK) {
        lt_error_prefix(err, "resource %s: `%s`", pager->resource->name, what);
        if (status == LEAT_E_INVALID && err)
            err->status = LEAT_E_PARSE;
        return status == LEAT_E_INVALID ? LEAT_E_PARSE : status;
    }
    if (n)
        *out = outputs[0];
    return LEAT_OK;
}

/* A count: a whole number, also as a text. Null, and a negative one, tell nothing. */
static leat_status ask_count(const struct lt_rest_pager *pager, struct lt_expr_query *query,
                             const char *what, const struct lt_rest_seen *seen,
                             struct lt_arena *arena, int64_t *count, struct leat_error *err) {
    struct lt_json value;
    leat_status status = lt_rest_pager_ask(pager, query, what, seen->body, arena, &value, err);

    *count = -1;
    if (status != LEAT_OK || value.type == LT_JSON_NULL)
        return status;
    struct lt_json number = value;
    if (value.type == LT_JSON_STRING &&
        (lt_json_parse(&number, lt_json_string(value, arena), 0, NULL) != LEAT_OK))
        number = value;
    if (!lt_json_int64(number, count))
        return lt_rest_pager_misfit(pager, what, value, "a whole number", err);
    if (*count < 0)
        *count = -1;
    return LEAT_OK;
}

static leat_status ask_more(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                            struct lt_arena *arena, bool *more, struct leat_error *err) {
    struct lt_json value;
    leat_status status =
        lt_rest_pager_ask(pager, pager->more, "more", seen->body, arena, &value, err);

    *more = !pager->more || (value.type != LT_JSON_NULL && value.type != LT_JSON_FALSE);
    return status;
}

leat_status lt_rest_pager_next(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                               struct lt_rest_place *next, struct lt_rest_told *told,
                               struct lt_arena *arena, struct leat_error *err) {
    bool more = true;

    *next = (struct lt_rest_place){.kind = LT_REST_END};
    *told = (struct lt_rest_told){-1, -1};
    leat_status status = ask_count(pager, pager->total, "total", seen, arena, &told->total, err);
    if (status == LEAT_OK)
        status = ask_count(pager, pager->pages, "pages", seen, arena, &told->pages, err);
    if (status == LEAT_OK)
        status = ask_more(pager, seen, arena, &more, err);
    if (status != LEAT_OK || !more)
        return status;
    if (told->total >= 0 && seen->n_before + seen->n_records >= (uint64_t)told->total)
        return LEAT_OK;
    return pager->row->next(pager, seen, told, next, arena, err);
}

int64_t lt_rest_pager_number(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                             const char *param) {
    const struct lt_rest_resource *resource = pager->resource;

    if (at->kind == LT_REST_NUMBER)
        return at->number;
    struct lt_json number;
    int64_t value;
    if (param && pager->how.in && lt_rest_body_get(resource->body.source.text, param, &number) &&
        lt_json_int64(number, &value))
        return value;
    for (size_t i = 0; param && i < resource->n_params; i++) {
        if (!strcmp(resource->params[i].name, param) &&
            lt_json_parse(&number, resource->params[i].value.source.text, 0, NULL) == LEAT_OK &&
            lt_json_int64(number, &value))
            return value;
    }
    return pager->how.first;
}

bool lt_rest_pager_number_param(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                                const char *param, struct lt_arena *arena, const char **name,
                                struct lt_slice *value) {
    if (!param || (at->kind != LT_REST_NUMBER && at->kind != LT_REST_FIRST))
        return false;
    int64_t number = lt_rest_pager_number(pager, at, param);
    *name = param;
    *value = lt_slice_str(lt_arena_printf(arena, "%lld", (long long)number));
    return value->data;
}

struct lt_rest_place lt_rest_place_after(int64_t number, int64_t step) {
    struct lt_rest_place place = {.kind = LT_REST_NUMBER};

    if (__builtin_add_overflow(number, step, &place.number))
        place.kind = LT_REST_END;
    return place;
}

leat_status lt_rest_pager_follow(const struct lt_rest_pager *pager, const char *what,
                                 const char *base, struct lt_slice reference,
                                 struct lt_rest_place *next, struct lt_arena *arena,
                                 struct leat_error *err) {
    char *url = NULL;
    leat_status status = lt_rest_url_resolve(base, reference, arena, &url, err);

    if (status != LEAT_OK)
        return lt_error_prefix(err, "resource %s: %s", pager->resource->name, what);
    *next = (struct lt_rest_place){.kind = LT_REST_URL, .text = lt_slice_str(url)};
    return LEAT_OK;
}

/* One expression or name of what was found. */
static void write_text(struct lt_json_writer *w, const char *name, struct lt_slice text) {
    if (!text.data)
        return;
    lt_json_key(w, name);
    lt_json_put_string(w, text);
}

void lt_rest_pager_write_found(const struct lt_rest_pager *pager, struct lt_buf *out) {
    const struct lt_rest_pagination *how = &pager->how;
    struct lt_json_writer w;

    if (how->kind == pager->resource->pagination.kind) {
        lt_buf_append_str(out, "null");
        return;
    }
    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    write_text(&w, "kind", lt_slice_str(how->kind));
    write_text(&w, "total", how->total.text);
    write_text(&w, "pages", how->pages.text);
    write_text(&w, "next", how->next.text);
    write_text(&w, "more", how->more.text);
    write_text(&w, "cursor_param", lt_slice_str(how->cursor_param));
    write_text(&w, "offset_param", lt_slice_str(how->offset_param));
    write_text(&w, "limit_param", lt_slice_str(how->limit_param));
    write_text(&w, "page_param", lt_slice_str(how->page_param));
    lt_json_key(&w, "first");
    lt_json_put_int(&w, how->first);
    lt_json_end_object(&w);
}

/* A member that is a text, in the pager's arena; data NULL when it is absent. */
static struct lt_slice read_text(struct lt_rest_pager *pager, struct lt_json found,
                                 const char *name, bool *ok) {
    struct lt_json value;

    if (!lt_json_get(found, name, &value))
        return lt_slice(NULL, 0);
    struct lt_slice text = lt_json_string(value, &pager->arena);
    struct lt_slice copy = text.data ? lt_arena_dup(&pager->arena, text) : text;
    *ok &= copy.data && !memchr(copy.data, 0, copy.len);
    return copy;
}

/* What is found is always a path. */
static bool is_path(const struct lt_expr_query *query) {
    return !query || lt_expr_query_is_path(query);
}

leat_status lt_rest_pager_read_found(struct lt_rest_pager *pager, struct lt_json found,
                                     struct leat_error *err) {
    struct lt_rest_pagination how = {0};
    struct lt_json first;
    bool ok = found.type == LT_JSON_OBJECT;

    if (found.type == LT_JSON_NULL)
        return LEAT_OK;
    how.kind = read_text(pager, found, "kind", &ok).data;
    how.total.text = read_text(pager, found, "total", &ok);
    how.pages.text = read_text(pager, found, "pages", &ok);
    how.next.text = read_text(pager, found, "next", &ok);
    how.more.text = read_text(pager, found, "more", &ok);
    how.cursor_param = read_text(pager, found, "cursor_param", &ok).data;
    how.offset_param = read_text(pager, found, "offset_param", &ok).data;
    how.limit_param = read_text(pager, found, "limit_param", &ok).data;
    how.page_param = read_text(pager, found, "page_param", &ok).data;
    ok = ok && lt_json_get(found, "first", &first) && lt_json_int64(first, &how.first);
    if (!ok || !lt_rest_paginator_find(how.kind) || pager->row != &lt_rest_paginate_auto)
        return lt_fail(err, LEAT_E_PARSE, 0,
                       "the kept position of resource %s holds a pagination that does not fit it",
                       pager->resource->name);
    pager->how = how;
    leat_status status = lt_rest_pager_set_up(pager, err);
    if (status == LEAT_OK && !(is_path(pager->total) && is_path(pager->pages) &&
                               is_path(pager->next) && is_path(pager->more)))
        status = lt_fail(err, LEAT_E_PARSE, 0,
                         "the kept position of resource %s holds what was never found",
                         pager->resource->name);
    return status;
}
