/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of an API without asking it: its first requests, and what a recorded page is. */
#include "rest/auth.h"
#include "rest/walk_parts.h"

#include <stdlib.h>

enum { SCRATCH_MAX = 64 << 20, TEXT_MAX = 16 << 20 };

/* The values of a list without a parent; NULL for one with, whose texts stay as written. */
static leat_status list_values(struct lt_walk_resource *res, struct lt_arena *arena,
                               struct lt_json **out, struct leat_error *err) {
    const struct lt_json nothing = {LT_JSON_NULL, LT_LIT("null")};
    struct lt_json list;
    struct lt_buf text;
    size_t n = 0;

    *out = NULL;
    if (res->resource->parent != SIZE_MAX)
        return LEAT_OK;
    lt_buf_init(&text, TEXT_MAX);
    leat_status status = lt_walk_ask_values(res, nothing, arena, &text, err);
    struct lt_slice kept = lt_arena_dup(arena, lt_buf_slice(&text));
    lt_buf_deinit(&text);
    if (status == LEAT_OK && kept.data)
        status = lt_json_parse(&list, kept, LT_JSON_MAX_DEPTH, err);
    if (status != LEAT_OK)
        return status;
    *out = lt_arena_calloc(arena, res->n_values + 1, sizeof(**out));
    if (!kept.data || !*out)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
    struct lt_json_iter iter = lt_json_iter(list);
    while (n < res->n_values && lt_json_next(&iter, *out + n))
        n++;
    return LEAT_OK;
}

/* Appends a request as it would go out, credentials and all; the mask hides them. */
static leat_status write_request(const struct lt_rest_api *api, const struct lt_walk_request *made,
                                 struct lt_arena *arena, struct lt_buf *out,
                                 struct leat_error *err) {
    const struct lt_rest_auth_kind *auth = lt_rest_auth_find(api->auth.kind);
    struct lt_rest_credentials credentials = {NULL, NULL};

    if (auth && !auth->authorise(&api->auth, "***", made->url, &credentials, arena))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
    lt_buf_printf(out, "%s %s\n", made->method, credentials.url ? credentials.url : made->url);
    for (const char **line = made->headers; *line; line++)
        lt_buf_printf(out, "%s\n", *line);
    if (credentials.header)
        lt_buf_printf(out, "%s\n", credentials.header);
    if (made->body.data)
        lt_buf_printf(out, "\n%.*s\n", LT_FMT(made->body));
    return lt_buf_status(out, err);
}

static leat_status describe(const struct lt_rest_api *api, size_t index,
                            const struct lt_rest_mask *mask, struct lt_buf *out,
                            struct leat_error *err) {
    const struct lt_rest_place first = {.kind = LT_REST_FIRST};
    struct lt_walk_resource res;
    struct lt_walk_request made;
    struct lt_json *values;
    struct lt_arena arena;
    struct lt_buf text;

    lt_arena_init(&arena, SCRATCH_MAX);
    lt_buf_init(&text, TEXT_MAX);
    leat_status status = lt_walk_resource_init(&res, api, index, err);
    if (status == LEAT_OK)
        status = list_values(&res, &arena, &values, err);
    if (status == LEAT_OK)
        status = lt_walk_request(&res, values, &first, &arena, &made, err);
    if (status == LEAT_OK)
        status = write_request(api, &made, &arena, &text, err);
    if (status == LEAT_OK) {
        if (out->len)
            lt_buf_append_byte(out, '\n');
        lt_rest_mask_append(mask, lt_buf_slice(&text), out);
        status = lt_buf_status(out, err);
    }
    lt_walk_resource_deinit(&res);
    lt_buf_deinit(&text);
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_rest_walk_describe(const struct lt_rest_api *api, const bool *selected,
                                  struct lt_buf *out, struct leat_error *err) {
    bool *needed = calloc(api->n_resources + 1, sizeof(*needed));
    struct lt_rest_mask *mask = NULL;
    leat_status status = needed ? lt_rest_mask_new(&mask, api, err)
                                : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the requests");

    for (size_t i = needed ? api->n_resources : 0; i > 0; i--) {
        size_t parent = api->resources[i - 1].parent;
        needed[i - 1] |= selected[i - 1];
        if (needed[i - 1] && parent < i - 1)
            needed[parent] = true;
    }
    for (size_t i = 0; i < api->n_resources && status == LEAT_OK; i++)
        if (needed[i])
            status = describe(api, i, mask, out, err);
    lt_rest_mask_free(mask);
    free(needed);
    return status;
}

/* The URL of the request after a recorded page. */
static leat_status find_next(struct lt_walk_resource *res, struct lt_json body, size_t n_records,
                             struct lt_arena *arena, const char **out, struct leat_error *err) {
    const struct lt_rest_place first = {.kind = LT_REST_FIRST};
    struct lt_walk_request made;
    struct lt_rest_place next;
    struct lt_rest_told told;
    struct lt_json *values;

    leat_status status = list_values(res, arena, &values, err);
    if (status == LEAT_OK)
        status = lt_walk_request(res, values, &first, arena, &made, err);
    if (status != LEAT_OK)
        return status;
    const struct lt_rest_seen seen = {.url = made.url,
                                      .body = body,
                                      .n_records = n_records,
                                      .limit = made.limit,
                                      .around = lt_rest_records_around(&res->records)};
    status = lt_rest_pager_detect(&res->pager, &seen, arena, err);
    if (status == LEAT_OK)
        status = lt_rest_pager_next(&res->pager, &seen, &next, &told, arena, err);
    *out = "";
    if (status == LEAT_OK && next.kind != LT_REST_END) {
        status = lt_walk_request(res, values, &next, arena, &made, err);
        *out = made.url;
    }
    return status;
}

static leat_status replay(struct lt_walk_resource *res, struct lt_slice page,
                          struct lt_arena *arena, struct lt_rest_replay *out,
                          struct leat_error *err) {
    struct lt_rest_mask *mask = NULL;
    struct lt_json body;

    leat_status status = lt_json_parse(&body, page, LT_JSON_DEFAULT_DEPTH, err);
    if (status == LEAT_OK && body.type != LT_JSON_NULL)
        status =
            lt_rest_records_find(&res->records, body, arena, &out->records, &out->n_records, err);
    if (status == LEAT_OK)
        status = find_next(res, body, out->n_records, arena, &out->next, err);
    if (status == LEAT_OK)
        status = lt_rest_mask_new(&mask, res->api, err);
    if (status == LEAT_OK) {
        out->next = lt_rest_mask_str(mask, lt_slice_str(out->next), arena);
        if (!out->next)
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a URL");
    }
    lt_rest_mask_free(mask);
    return status;
}

leat_status lt_rest_replay_page(const struct lt_rest_api *api, size_t resource,
                                struct lt_slice page, struct lt_arena *arena,
                                struct lt_rest_replay *out, struct leat_error *err) {
    struct lt_walk_resource res;

    *out = (struct lt_rest_replay){0};
    leat_status status = lt_walk_resource_init(&res, api, resource, err);
    if (status == LEAT_OK)
        status = replay(&res, page, arena, out, err);
    lt_walk_resource_deinit(&res);
    return status;
}
