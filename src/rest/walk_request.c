/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request for a place of a list. The first one is made of the resource's path and parameters,
 * and so is one for a number or a cursor, with a parameter more. A URL that the API gave goes out
 * as it came; only what it leaves out of the API's own parameters, and of those whose values are
 * secret, is added, for these may have been taken out of a position. Never for another origin.
 */
#include "http/server.h"
#include "rest/body.h"
#include "rest/url.h"
#include "rest/walk_parts.h"

#include <strings.h>

enum { REQUEST_MAX = 16 << 20 };

struct making {
    struct lt_walk_resource *res;
    const struct lt_json *values; /* those of the next text; NULL: describe */
    struct lt_arena *arena;
    struct lt_buf text;
};

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
}

/* The next text, with its values; in `m->text`. */
static leat_status render(struct making *m, const struct lt_rest_template *template,
                          struct leat_error *err) {
    lt_buf_clear(&m->text);
    if (!m->values) {
        lt_rest_template_describe(template, &m->text);
        return lt_buf_status(&m->text, err);
    }
    leat_status status = lt_rest_template_render(template, m->values, &m->text, err);
    m->values += lt_rest_template_n_values(template);
    return status;
}

static bool is_secret(const struct lt_rest_api *api, struct lt_slice value) {
    if (api->auth.in == 1 && api->auth.value && lt_slice_eq_str(value, api->auth.value))
        return true;
    for (size_t i = 0; i < api->n_secrets; i++)
        if (value.len && lt_slice_eq_str(value, api->secrets[i]))
            return true;
    return false;
}

static leat_status set_param(struct making *m, const char **url, const char *name,
                             struct lt_slice value, struct leat_error *err) {
    *url = m->values ? lt_rest_url_set_param(*url, name, value, m->arena)
                     : lt_arena_printf(m->arena, "%s%c%s=%.*s", *url, strchr(*url, '?') ? '&' : '?',
                                       name, LT_FMT(value)); /* for people */
    return *url ? LEAT_OK : no_memory(err);
}

/* An API's own parameter: no expressions stand in it, but "{{" does for a brace. */
static leat_status read_plain(struct making *m, const struct lt_rest_param *param,
                              struct lt_slice *value, struct leat_error *err) {
    struct lt_rest_template *template;
    leat_status status = lt_rest_template_new(&template, &param->value, LT_REST_PARAM,
                                              m->res->api->name, param->name, NULL, 0, err);

    if (status != LEAT_OK)
        return status;
    lt_buf_clear(&m->text);
    if (lt_rest_template_n_values(template))
        status = lt_fail(err, LEAT_E_CONFIG, 0, "%s of an API takes no expressions", param->name);
    else
        status = lt_rest_template_render(template, NULL, &m->text, err);
    lt_rest_template_free(template);
    if (status == LEAT_OK)
        *value = lt_arena_dup(m->arena, lt_buf_slice(&m->text));
    return status == LEAT_OK && !value->data ? no_memory(err) : status;
}

static leat_status add_api_params(struct making *m, const char **url, bool if_absent,
                                  struct leat_error *err) {
    const struct lt_rest_api *api = m->res->api;
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < api->n_params && status == LEAT_OK; i++) {
        struct lt_slice value;
        if (if_absent && lt_rest_url_param(*url, api->params[i].name, m->arena).data)
            continue;
        status = read_plain(m, &api->params[i], &value, err);
        if (status == LEAT_OK)
            status = set_param(m, url, api->params[i].name, value, err);
    }
    return status;
}

/* The resource's parameters; of a URL that the API gave, only those that are secret. */
static leat_status add_params(struct making *m, const char **url, bool only_secret,
                              struct leat_error *err) {
    const struct lt_rest_resource *resource = m->res->resource;
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < resource->n_params && status == LEAT_OK; i++) {
        const char *name = resource->params[i].name;
        status = render(m, m->res->params[i], err);
        if (status != LEAT_OK)
            break;
        struct lt_slice value = lt_buf_slice(&m->text);
        if (!only_secret ||
            (is_secret(m->res->api, value) && !lt_rest_url_param(*url, name, m->arena).data))
            status = set_param(m, url, name, value, err);
    }
    return status;
}

/* Where an incremental resource begins; `raw.data` NULL: at its very start. */
static leat_status find_cursor(struct making *m, struct lt_json *cursor, struct leat_error *err) {
    const struct lt_rest_incremental *incremental = &m->res->resource->incremental;
    struct lt_buf *text = &m->text;

    *cursor = m->res->base.value;
    if (cursor->raw.data || !incremental->start)
        return LEAT_OK;
    lt_buf_clear(text);
    lt_json_write_string(text, lt_slice_str(incremental->start));
    *cursor = (struct lt_json){LT_JSON_STRING, lt_arena_dup(m->arena, lt_buf_slice(text))};
    return text->failed || !cursor->raw.data ? no_memory(err) : LEAT_OK;
}

static leat_status add_cursor(struct making *m, const char **url, struct leat_error *err) {
    const struct lt_rest_incremental *incremental = &m->res->resource->incremental;
    struct lt_json from;

    if (!m->res->incremental || !incremental->param || incremental->in)
        return LEAT_OK;
    leat_status status = find_cursor(m, &from, err);
    if (status != LEAT_OK || !from.raw.data)
        return status;
    struct lt_slice value = from.type == LT_JSON_STRING ? lt_json_string(from, m->arena) : from.raw;
    return value.data ? set_param(m, url, incremental->param, value, err) : no_memory(err);
}

static bool find_place(struct making *m, const struct lt_rest_place *at, const char **name,
                       struct lt_slice *value) {
    const struct lt_rest_paginator *row = m->res->pager.row;
    return row->param && row->param(&m->res->pager, at, m->arena, name, value);
}

static leat_status add_place(struct making *m, const char **url, const struct lt_rest_place *at,
                             struct leat_error *err) {
    const char *name = NULL;
    struct lt_slice value;

    if (m->res->pager.how.in || !find_place(m, at, &name, &value))
        return LEAT_OK;
    return set_param(m, url, name, value, err);
}

/* A count is a number; a cursor a text, or a number where the file's body has one at its place. */
static leat_status set_place(struct making *m, const struct lt_rest_place *at,
                             struct lt_slice *body, struct leat_error *err) {
    const char *name = NULL;
    struct lt_json there, number;
    struct lt_slice value;

    if (!m->res->pager.how.in || !find_place(m, at, &name, &value))
        return LEAT_OK;
    bool is_number =
        at->kind != LT_REST_TOKEN ||
        (lt_rest_body_get(*body, name, &there) && there.type == LT_JSON_NUMBER &&
         lt_json_parse(&number, value, 0, NULL) == LEAT_OK && number.type == LT_JSON_NUMBER);
    if (!is_number) {
        lt_buf_clear(&m->text);
        lt_json_write_string(&m->text, value);
        value = lt_arena_dup(m->arena, lt_buf_slice(&m->text));
        if (m->text.failed || !value.data)
            return no_memory(err);
    }
    return lt_rest_body_set(body, name, value, m->arena, err);
}

static leat_status make_body(struct making *m, const struct lt_rest_place *at,
                             struct lt_slice *body, struct leat_error *err) {
    const struct lt_rest_incremental *incremental = &m->res->resource->incremental;
    struct lt_json from = {LT_JSON_NULL, {NULL, 0}};
    leat_status status = LEAT_OK;

    if (m->res->body) {
        status = render(m, m->res->body, err);
        if (status == LEAT_OK)
            *body = lt_arena_dup(m->arena, lt_buf_slice(&m->text));
        if (status == LEAT_OK && !body->data)
            status = no_memory(err);
    }
    if (status == LEAT_OK && m->res->incremental && incremental->param && incremental->in)
        status = find_cursor(m, &from, err);
    if (status == LEAT_OK && from.raw.data)
        status = lt_rest_body_set(body, incremental->param, from.raw, m->arena, err);
    return status == LEAT_OK ? set_place(m, at, body, err) : status;
}

static leat_status make_url(struct making *m, const struct lt_rest_place *at, const char **out,
                            struct leat_error *err) {
    const struct lt_rest_api *api = m->res->api;
    bool is_given = at->kind == LT_REST_URL;

    leat_status status = render(m, m->res->path, err);
    if (status != LEAT_OK)
        return status;
    const char *url = is_given ? lt_arena_str(m->arena, at->text)
                               : lt_rest_url_join(api->base_url, lt_buf_slice(&m->text), m->arena);
    if (!url)
        return no_memory(err);
    bool is_own = lt_rest_url_same_origin(lt_slice_str(url), lt_slice_str(api->base_url));
    if (is_own || !is_given)
        status = add_api_params(m, &url, is_given, err);
    const struct lt_json *values = m->values;
    if (status == LEAT_OK && (is_own || !is_given))
        status = add_params(m, &url, is_given, err);
    if (values && is_given && !is_own) /* stepped over all the same */
        for (size_t i = 0; i < m->res->resource->n_params; i++)
            m->values += lt_rest_template_n_values(m->res->params[i]);
    if (status == LEAT_OK && !is_given)
        status = add_cursor(m, &url, err);
    if (status == LEAT_OK && !is_given)
        status = add_place(m, &url, at, err);
    *out = url;
    return status;
}

static bool is_named_already(const struct lt_rest_resource *resource, const char *name) {
    for (size_t i = 0; i < resource->n_headers; i++)
        if (!strcasecmp(resource->headers[i].name, name))
            return true;
    return false;
}

/* The API's headers, and the resource's own, which stand for those of the same name. */
static leat_status make_headers(struct making *m, const char ***out, struct leat_error *err) {
    const struct lt_rest_api *api = m->res->api;
    const struct lt_rest_resource *resource = m->res->resource;
    size_t n = 0;
    const char **lines =
        lt_arena_calloc(m->arena, api->n_headers + resource->n_headers + 1, sizeof(*lines));
    leat_status status = lines ? LEAT_OK : no_memory(err);

    for (size_t i = 0; i < api->n_headers && status == LEAT_OK; i++) {
        struct lt_slice value;
        if (is_named_already(resource, api->headers[i].name))
            continue;
        status = read_plain(m, &api->headers[i], &value, err);
        if (status == LEAT_OK && !(lines[n++] = lt_arena_printf(
                                       m->arena, "%s: %.*s", api->headers[i].name, LT_FMT(value))))
            status = no_memory(err);
    }
    for (size_t i = 0; i < resource->n_headers && status == LEAT_OK; i++) {
        status = render(m, m->res->headers[i], err);
        if (status == LEAT_OK &&
            !(lines[n++] = lt_arena_printf(m->arena, "%s: %.*s", resource->headers[i].name,
                                           LT_FMT(lt_buf_slice(&m->text)))))
            status = no_memory(err);
    }
    *out = lines;
    return status;
}

/* The number that the request asks a page to hold. */
static int64_t limit_of(struct lt_walk_resource *res, const struct lt_walk_request *request,
                        struct lt_arena *arena) {
    const char *name = res->pager.how.limit_param;
    struct lt_json number;
    int64_t limit = 0;

    if (!name)
        return 0;
    if (!res->pager.how.in || !lt_rest_body_get(request->body, name, &number)) {
        struct lt_slice value = lt_rest_url_param(request->url, name, arena);
        if (!value.data || lt_json_parse(&number, value, 0, NULL) != LEAT_OK)
            return 0;
    }
    return lt_json_int64(number, &limit) && limit > 0 ? limit : 0;
}

leat_status lt_walk_request(struct lt_walk_resource *res, const struct lt_json *values,
                            const struct lt_rest_place *at, struct lt_arena *arena,
                            struct lt_walk_request *out, struct leat_error *err) {
    struct making m = {.res = res, .values = values, .arena = arena};

    *out =
        (struct lt_walk_request){.method = res->resource->method ? res->resource->method : "GET"};
    lt_buf_init(&m.text, REQUEST_MAX);
    leat_status status = make_url(&m, at, &out->url, err);
    if (status == LEAT_OK)
        status = make_headers(&m, &out->headers, err);
    if (status == LEAT_OK)
        status = make_body(&m, at, &out->body, err);
    if (status == LEAT_OK)
        out->limit = limit_of(res, out, arena);
    lt_buf_deinit(&m.text);
    return status;
}

/* The name of a parameter of `url` whose value is secret, or NULL. What is no well-formed query is
 * passed over: a mask looks over the whole afterwards. */
static const char *find_secret(const struct lt_rest_api *api, const char *url,
                               struct lt_arena *arena) {
    struct lt_rest_url parts;

    if (!lt_rest_url_split(lt_slice_str(url), &parts))
        return NULL;
    for (struct lt_slice left = parts.query; left.len;) {
        const char *amp = memchr(left.data, '&', left.len);
        struct lt_slice pair = lt_slice(left.data, amp ? (size_t)(amp - left.data) : left.len);
        const char *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
        left = lt_slice_from(left, pair.len + 1);
        if (!equals)
            continue;
        struct lt_slice raw = lt_slice(pair.data, (size_t)(equals - pair.data));
        struct lt_slice name = lt_http_percent_decode(raw, true, arena);
        struct lt_slice value =
            lt_http_percent_decode(lt_slice_from(pair, raw.len + 1), true, arena);
        if (name.data && value.data && is_secret(api, value))
            return name.data;
    }
    return NULL;
}

char *lt_walk_url_without_secrets(const struct lt_rest_api *api, const char *url,
                                  struct lt_arena *arena) {
    char *kept = lt_arena_str(arena, lt_slice_str(url));
    const char *name;

    while (kept && (name = find_secret(api, kept, arena))) {
        char *less = lt_rest_url_remove_param(kept, name, arena);
        if (less && strlen(less) >= strlen(kept))
            break; /* a name that no parameter can have */
        kept = less;
    }
    return kept;
}
