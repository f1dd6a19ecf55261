/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding out how an API pages from one of its pages. A word alone is no sign: a `next` must be a
 * URL, a cursor a text, an offset stand beside its limit and a total that lies beyond this page.
 * And it is looked for only where paging is told: beside the records, at the top of the body, and
 * in objects there whose name says that they are about paging.
 */
#include "rest/paginate_parts.h"
#include "rest/url.h"

/* An object that may tell of paging, and its path in jq. */
struct holder {
    const char *path; /* "" for the body */
    struct lt_json object;
};
enum { MAX_HOLDERS = 32 };

struct search {
    struct lt_rest_pager *pager;
    const struct lt_rest_seen *seen;
    struct lt_arena *arena;
    struct holder holders[MAX_HOLDERS];
    size_t n_holders;
    bool no_memory;
};

static const char *const about_paging[] = {
    "paging",    "pagination", "page_info",         "pageInfo", "links",  "_links", "meta",
    "_metadata", "metadata",   "response_metadata", "page",     "cursor", "cursors"};
static const char *const next_names[] = {
    "next",      "next_url",        "nextUrl",   "next_page_url", "nextPageUrl",
    "next_page", "nextPage",        "next_link", "nextLink",      "next_href",
    "nextHref",  "@odata.nextLink", "@nextLink", "odata.nextLink"};
static const struct {
    const char *name, *param;
} cursor_names[] = {
    {"next_cursor", "cursor"},
    {"nextCursor", "cursor"},
    {"next_page_token", "page_token"},
    {"nextPageToken", "pageToken"},
    {"next_token", "next_token"},
    {"nextToken", "nextToken"},
    {"continuation_token", "continuation_token"},
    {"continuationToken", "continuationToken"},
};
static const char *const more_names[] = {"has_more", "hasMore", "has_next", "hasNext"};
static const char *const total_names[] = {"total", "total_count", "totalCount"};
static const char *const page_names[] = {"page",        "current_page", "currentPage",
                                         "page_number", "pageNumber",   "number"};
static const char *const pages_names[] = {"total_pages", "totalPages", "pages",    "last_page",
                                          "lastPage",    "page_count", "pageCount"};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A path one step further; a name that is no word is quoted. */
static const char *step(struct search *s, const char *path, const char *name) {
    bool is_word = true;

    for (const char *at = name; *at; at++)
        is_word &= (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_';
    char *out = lt_arena_printf(&s->pager->arena, is_word ? "%s.%s" : "%s.\"%s\"", path, name);
    s->no_memory |= !out;
    return out ? out : "";
}

static void add_holder(struct search *s, const char *path, struct lt_json object) {
    if (object.type == LT_JSON_OBJECT && s->n_holders < MAX_HOLDERS)
        s->holders[s->n_holders++] = (struct holder){path, object};
}

/* An object, and those in it that are about paging. */
static void add_level(struct search *s, const char *path, struct lt_json object) {
    struct lt_json inner;

    add_holder(s, path, object);
    for (size_t i = 0; i < N_OF(about_paging); i++)
        if (lt_json_get(object, about_paging[i], &inner) && inner.type == LT_JSON_OBJECT)
            add_holder(s, step(s, path, about_paging[i]), inner);
}

/* The object around the records: one step below the body, as `around` says. */
static void add_around(struct search *s) {
    const char *around = s->seen->around;
    struct lt_json inner;

    if (around && around[0] == '.' && lt_json_get(s->seen->body, around + 1, &inner) &&
        inner.type == LT_JSON_OBJECT)
        add_level(s, step(s, "", around + 1), inner);
}

static bool is_url(struct lt_json value, struct lt_arena *arena) {
    struct lt_slice text = lt_json_string(value, arena);

    return text.len > 1 && (lt_rest_url_is_absolute(text) || text.data[0] == '/' ||
                            text.data[0] == '?' || lt_slice_starts(text, LT_LIT("./")));
}

static leat_status set(struct search *s, const struct lt_rest_pagination *how,
                       struct leat_error *err) {
    struct lt_rest_pager *pager = s->pager;
    const struct lt_rest_resource *resource = pager->resource;
    struct lt_arena strings = pager->arena;

    if (s->no_memory)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pagination");
    pager->arena = (struct lt_arena){0}; /* kept in `strings` */
    lt_rest_pager_deinit(pager);
    *pager = (struct lt_rest_pager){.resource = resource, .how = *how};
    pager->arena = strings;
    return lt_rest_pager_set_up(pager, err);
}

static struct lt_expr_text text_of(const char *path) {
    return (struct lt_expr_text){.text = lt_slice_str(path)};
}

/* Reads a URL under `name`: a text, or an object with `href` or `url`. */
static const char *find_url(struct search *s, const struct holder *holder, const char *name) {
    static const char *const inside[] = {"href", "url"};
    struct lt_json value, url;

    if (!lt_json_get(holder->object, name, &value))
        return NULL;
    if (is_url(value, s->arena))
        return step(s, holder->path, name);
    for (size_t i = 0; i < N_OF(inside); i++)
        if (lt_json_get(value, inside[i], &url) && is_url(url, s->arena))
            return step(s, step(s, holder->path, name), inside[i]);
    return NULL;
}

static bool find_next(struct search *s, struct lt_rest_pagination *how) {
    for (size_t i = 0; i < s->n_holders; i++)
        for (size_t j = 0; j < N_OF(next_names); j++) {
            const char *path = find_url(s, &s->holders[i], next_names[j]);
            if (!path)
                continue;
            *how = (struct lt_rest_pagination){.kind = "next", .next = text_of(path)};
            return true;
        }
    return false;
}

static bool find_link(struct search *s, struct lt_rest_pagination *how) {
    if (!s->seen->answer || !lt_rest_link_next(lt_buf_slice(&s->seen->answer->headers)).data)
        return false;
    *how = (struct lt_rest_pagination){.kind = "link"};
    return true;
}

static bool find_cursor(struct search *s, struct lt_rest_pagination *how) {
    struct lt_json value;

    for (size_t i = 0; i < s->n_holders; i++) {
        const struct holder *holder = &s->holders[i];
        for (size_t j = 0; j < N_OF(cursor_names); j++) {
            if (!lt_json_get(holder->object, cursor_names[j].name, &value) ||
                value.type != LT_JSON_STRING || value.raw.len <= 2)
                continue;
            *how = (struct lt_rest_pagination){
                .kind = "cursor",
                .next = text_of(step(s, holder->path, cursor_names[j].name)),
                .cursor_param = cursor_names[j].param};
            for (size_t k = 0; k < N_OF(more_names) && !how->more.text.data; k++)
                if (lt_json_get(holder->object, more_names[k], &value) &&
                    value.type == LT_JSON_TRUE)
                    how->more = text_of(step(s, holder->path, more_names[k]));
            return true;
        }
    }
    return false;
}

/* The first of the names that is a whole number of 0 or more. */
static const char *find_count(const struct holder *holder, const char *const *names, size_t n,
                              int64_t *count) {
    struct lt_json value;

    for (size_t i = 0; i < n; i++)
        if (lt_json_get(holder->object, names[i], &value) && lt_json_int64(value, count) &&
            *count >= 0)
            return names[i];
    return NULL;
}

/* How many records were asked for, by a `limit` of the page or of its request. */
static bool find_limit(const struct search *s, const struct holder *holder, int64_t *limit) {
    static const char *const name = "limit";
    struct lt_json number;

    if (find_count(holder, &name, 1, limit))
        return true;
    struct lt_slice asked = lt_rest_url_param(s->seen->url, name, s->arena);
    return asked.data && lt_json_parse(&number, asked, 0, NULL) == LEAT_OK &&
           lt_json_int64(number, limit);
}

static bool find_offset(struct search *s, struct lt_rest_pagination *how) {
    static const char *const offset_name = "offset";
    int64_t offset, limit, total;
    int64_t n = (int64_t)s->seen->n_records;

    for (size_t i = 0; i < s->n_holders; i++) {
        const struct holder *holder = &s->holders[i];
        const char *name = find_count(holder, total_names, N_OF(total_names), &total);
        if (!name || !find_count(holder, &offset_name, 1, &offset) ||
            !find_limit(s, holder, &limit))
            continue;
        if (n == 0 || n > limit || offset > total - n || total - n == offset)
            continue;
        *how = (struct lt_rest_pagination){.kind = "offset",
                                           .offset_param = offset_name,
                                           .limit_param = "limit",
                                           .total = text_of(step(s, holder->path, name))};
        return true;
    }
    return false;
}

static bool find_page(struct search *s, struct lt_rest_pagination *how) {
    int64_t page, pages;

    for (size_t i = 0; i < s->n_holders; i++) {
        const struct holder *holder = &s->holders[i];
        const char *name = find_count(holder, pages_names, N_OF(pages_names), &pages);
        if (!name || !find_count(holder, page_names, N_OF(page_names), &page) || page > 1 ||
            pages < 2)
            continue;
        *how = (struct lt_rest_pagination){.kind = "page",
                                           .page_param = "page",
                                           .first = page,
                                           .pages = text_of(step(s, holder->path, name))};
        return true;
    }
    return false;
}

leat_status lt_rest_pager_detect(struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                                 struct lt_arena *arena, struct leat_error *err) {
    static bool (*const finders[])(struct search *, struct lt_rest_pagination *) = {
        find_link, find_next, find_cursor, find_offset, find_page};
    struct search s = {.pager = pager, .seen = seen, .arena = arena};
    struct lt_rest_pagination how;

    if (pager->row != &lt_rest_paginate_auto)
        return LEAT_OK;
    lt_arena_deinit(&pager->arena); /* of pages that showed nothing */
    add_around(&s);
    add_level(&s, "", seen->body);
    for (size_t i = 0; i < N_OF(finders); i++)
        if (finders[i](&s, &how))
            return set(&s, &how, err);
    return LEAT_OK;
}
