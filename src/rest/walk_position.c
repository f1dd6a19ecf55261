/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions. One resource's:
 *
 *     {"v":1,"n":ORDINAL,"complete":false,
 *      "tasks":[{"p":[VALUE…],"at":PLACE,"n":RECORDS,"body":HASH,"loop":true}…],
 *      "found":{"records":[NAME…],"pages":{…}},              where the file left it to be found
 *      "cursor":VALUE,"seen":[HASH…],"high":VALUE,"high_seen":[HASH…]}        when incremental
 *
 * PLACE is null for a list's first page, {"number":N}, {"token":TEXT} or {"url":TEXT}. A complete
 * one has no tasks, and its cursor is the highest. Tasks are those whose parent's page is counted;
 * only the first can have pages that are. No secret stands in a position: parameters of a URL that
 * hold one are left out (the next request adds them again), and a place that holds one elsewhere
 * is not kept at all, so that going on from it is an error and not a wrong request.
 */
#include "rest/url.h"
#include "rest/walk_parts.h"

#include <stdlib.h>

enum { VERSION = 1 };

static void put_hash(struct lt_json_writer *w, uint64_t hash) {
    char text[17];

    snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash);
    lt_json_put_str(w, text);
}

static void put_text(struct lt_json_writer *w, const char *key, const char *text,
                     const struct lt_rest_mask *mask) {
    bool lost = lt_rest_mask_hides(mask, lt_slice_str(text));

    w->out->failed |= !text; /* no memory */
    lt_json_key(w, lost ? "lost" : key);
    if (lost)
        lt_json_put_bool(w, true);
    else
        lt_json_put_str(w, text);
}

static void put_place(struct lt_json_writer *w, const struct lt_rest_walk *walk,
                      const struct lt_rest_place *at) {
    struct lt_arena arena;

    if (at->kind != LT_REST_NUMBER && at->kind != LT_REST_TOKEN && at->kind != LT_REST_URL) {
        lt_json_put_null(w);
        return;
    }
    lt_arena_init(&arena, SIZE_MAX);
    lt_json_begin_object(w);
    if (at->kind == LT_REST_NUMBER) {
        lt_json_key(w, "number");
        lt_json_put_int(w, at->number);
    } else if (at->kind == LT_REST_TOKEN) {
        put_text(w, "token", at->text.data, walk->mask);
    } else {
        put_text(w, "url", lt_walk_url_without_secrets(walk->api, at->text.data, &arena),
                 walk->mask);
    }
    lt_json_end_object(w);
    lt_arena_deinit(&arena);
}

static void put_task(struct lt_json_writer *w, const struct lt_walk_task *task) {
    lt_json_begin_object(w);
    lt_json_key(w, "p");
    lt_json_put_raw(w, task->values);
    lt_json_key(w, "at");
    put_place(w, task->resource->walk, &task->counted_at);
    lt_json_key(w, "n");
    lt_json_put_uint(w, task->counted_n);
    if (task->counted_body) {
        lt_json_key(w, "body");
        put_hash(w, task->counted_body);
    }
    if (task->counted_loop) {
        lt_json_key(w, "loop");
        lt_json_put_bool(w, true);
    }
    lt_json_end_object(w);
}

static void put_mark(struct lt_json_writer *w, const struct lt_walk_mark *mark, const char *value,
                     const char *seen) {
    lt_json_key(w, value);
    if (mark->value.raw.data)
        lt_json_put_raw(w, mark->value.raw);
    else
        lt_json_put_null(w);
    lt_json_key(w, seen);
    lt_json_begin_array(w);
    for (size_t i = 0; i < mark->n_seen; i++)
        put_hash(w, mark->seen[i]);
    lt_json_end_array(w);
}

static void put_found(struct lt_json_writer *w, const struct lt_walk_resource *res) {
    lt_json_key(w, "found");
    lt_json_begin_object(w);
    lt_json_key(w, "records");
    lt_json_before_value(w);
    lt_rest_records_write_found(&res->records, w->out);
    lt_json_after_value(w);
    lt_json_key(w, "pages");
    lt_json_before_value(w);
    lt_rest_pager_write_found(&res->pager, w->out);
    lt_json_after_value(w);
    lt_json_end_object(w);
}

void lt_rest_walk_position(const struct lt_rest_walk *walk, size_t resource, struct lt_buf *out) {
    const struct lt_walk_resource *res = &walk->resources[resource];
    struct lt_json_writer w;

    if (!res->needed && res->kept.data) {
        lt_buf_append(out, res->kept);
        return;
    }
    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "v");
    lt_json_put_int(&w, VERSION);
    lt_json_key(&w, "n");
    lt_json_put_uint(&w, res->counted_ordinal);
    lt_json_key(&w, "complete");
    lt_json_put_bool(&w, res->complete || !res->needed);
    lt_json_key(&w, "tasks");
    lt_json_begin_array(&w);
    for (const struct lt_walk_task *task = res->first; task && !task->origin; task = task->next)
        put_task(&w, task);
    lt_json_end_array(&w);
    if (!res->complete && res->needed)
        put_found(&w, res);
    if (res->incremental && res->complete) {
        put_mark(&w, &res->high, "cursor", "seen");
    } else if (res->incremental) {
        put_mark(&w, &res->base, "cursor", "seen");
        put_mark(&w, &res->high, "high", "high_seen");
    }
    lt_json_end_object(&w);
}

/* ---- reading one ---- */

static leat_status misfit(const struct lt_walk_resource *res, const char *what,
                          struct leat_error *err) {
    return lt_fail(err, LEAT_E_PARSE, 0, "the kept position of resource %s is none: %s",
                   res->resource->name, what);
}

/* It is a position, but of another file. */
static leat_status outdated(const struct lt_walk_resource *res, const char *why,
                            struct leat_error *err) {
    return lt_fail(err, LEAT_E_CONFIG, 0,
                   "resource %s cannot go on where the last run ended: %s; start over",
                   res->resource->name, why);
}

static bool get_uint(struct lt_json object, const char *name, uint64_t *out) {
    struct lt_json value;
    int64_t number;

    if (!lt_json_get(object, name, &value) || !lt_json_int64(value, &number) || number < 0)
        return false;
    *out = (uint64_t)number;
    return true;
}

static bool get_bool(struct lt_json object, const char *name) {
    struct lt_json value;

    return lt_json_get(object, name, &value) && value.type == LT_JSON_TRUE;
}

static bool read_hash(struct lt_json value, uint64_t *hash) {
    *hash = 0;
    if (value.type != LT_JSON_STRING || value.raw.len != 18)
        return false;
    for (size_t i = 1; i < 17; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = value.raw.data[i] ? strchr(digits, value.raw.data[i]) : NULL;
        if (!digit)
            return false;
        *hash = *hash << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

static leat_status read_text(struct lt_walk_resource *res, struct lt_json value, int kind,
                             struct lt_rest_place *at, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_rest_url url;

    lt_arena_init(&arena, value.raw.len + 4096);
    struct lt_slice text = lt_json_string(value, &arena);
    struct lt_rest_place place = {.text = text};
    leat_status status = LEAT_OK;
    if (kind == LT_REST_URL)
        place.kind = LT_REST_URL;
    else
        place.kind = LT_REST_TOKEN;
    if (!text.len || memchr(text.data, 0, text.len) ||
        (kind == LT_REST_URL && !lt_rest_url_split(text, &url)))
        status = misfit(res, "a place of a list is no text or URL", err);
    else if (!lt_walk_place_copy(at, &place))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a position");
    lt_arena_deinit(&arena);
    return status;
}

static leat_status read_place(struct lt_walk_resource *res, struct lt_json value,
                              struct lt_rest_place *at, struct leat_error *err) {
    struct lt_json inner;
    leat_status status = LEAT_OK;

    *at = (struct lt_rest_place){.kind = LT_REST_FIRST};
    if (value.type == LT_JSON_NULL)
        return LEAT_OK;
    if (lt_json_get(value, "number", &inner)) {
        at->kind = LT_REST_NUMBER;
        if (!lt_json_int64(inner, &at->number))
            status = misfit(res, "a place of a list is no number", err);
    } else if (lt_json_get(value, "token", &inner)) {
        status = read_text(res, inner, LT_REST_TOKEN, at, err);
    } else if (lt_json_get(value, "url", &inner)) {
        status = read_text(res, inner, LT_REST_URL, at, err);
    } else if (get_bool(value, "lost")) {
        return outdated(res, "the place of its next page holds a secret, and was not kept", err);
    } else {
        return misfit(res, "a place of a list says nothing", err);
    }
    if (status == LEAT_OK && (int)at->kind != res->pager.row->places)
        status = outdated(res, "its pagination is another one now", err);
    return status;
}

static leat_status read_task(struct lt_walk_resource *res, struct lt_json value,
                             struct leat_error *err) {
    struct lt_json values, at, hash;

    if (!lt_json_get(value, "p", &values) || values.type != LT_JSON_ARRAY ||
        !lt_json_get(value, "at", &at))
        return misfit(res, "a list has no values or no place", err);
    if (lt_json_count(values) != res->n_values)
        return outdated(res, "its texts take other values of the parent now", err);
    struct lt_walk_task *task = lt_walk_task_new(res, values.raw, NULL);
    if (!task)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a position");
    leat_status status = LEAT_OK;
    if (!get_uint(value, "n", &task->counted_n) ||
        (lt_json_get(value, "body", &hash) && !read_hash(hash, &task->counted_body)))
        status = misfit(res, "a list has no number of records", err);
    if (status == LEAT_OK)
        status = read_place(res, at, &task->counted_at, err);
    if (status == LEAT_OK && !lt_walk_place_copy(&task->ask, &task->counted_at))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a position");
    if (status != LEAT_OK) {
        lt_walk_task_free(task);
        return status;
    }
    task->loop = task->counted_loop = get_bool(value, "loop");
    task->guard.last_body = task->counted_body;
    task->n_read = task->counted_n;
    lt_walk_task_append(task);
    return LEAT_OK;
}

static leat_status read_mark(struct lt_walk_resource *res, struct lt_json position,
                             const char *value_name, const char *seen_name,
                             struct lt_walk_mark *mark, struct leat_error *err) {
    struct lt_json value, seen, one;
    uint64_t hash;

    if (!lt_json_get(position, value_name, &value) || value.type == LT_JSON_NULL)
        return LEAT_OK;
    if (value.type != LT_JSON_STRING && value.type != LT_JSON_NUMBER)
        return misfit(res, "its cursor is neither a text nor a number", err);
    if (!lt_walk_mark_set(mark, value))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a position");
    if (!lt_json_get(position, seen_name, &seen))
        return LEAT_OK;
    struct lt_json_iter iter = lt_json_iter(seen);
    while (lt_json_next(&iter, &one)) {
        if (!read_hash(one, &hash))
            return misfit(res, "what was seen at its cursor is no hash", err);
        if (!lt_walk_mark_see(mark, hash))
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a position");
    }
    return LEAT_OK;
}

/* The cursor of the file, where there is no other. */
static leat_status start_mark(struct lt_walk_resource *res, struct leat_error *err) {
    const char *start = res->resource->incremental.start;
    struct lt_buf text;
    bool ok = true;

    if (!res->base.value.raw.data && start) {
        lt_buf_init(&text, 1 << 16);
        lt_json_write_string(&text, lt_slice_str(start));
        ok = !text.failed &&
             lt_walk_mark_set(&res->base, (struct lt_json){LT_JSON_STRING, lt_buf_slice(&text)});
        lt_buf_deinit(&text);
    }
    if (ok && !res->high.value.raw.data)
        ok = lt_walk_mark_merge(&res->high, &res->base);
    return ok ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a cursor");
}

static leat_status read_found(struct lt_walk_resource *res, struct lt_json position,
                              struct leat_error *err) {
    struct lt_json found, part;
    leat_status status = LEAT_OK;

    if (!lt_json_get(position, "found", &found))
        return LEAT_OK;
    if (lt_json_get(found, "records", &part))
        status = lt_rest_records_read_found(&res->records, part, err);
    if (status == LEAT_OK && lt_json_get(found, "pages", &part) && part.type != LT_JSON_NULL) {
        if (strcmp(res->pager.row->kind, "auto") != 0)
            return outdated(res, "its pagination is another one now", err);
        status = lt_rest_pager_read_found(&res->pager, part, err);
    }
    return status;
}

/* The middle of a pass. */
static leat_status read_pass(struct lt_walk_resource *res, struct lt_json position,
                             struct leat_error *err) {
    struct lt_json tasks, task;

    if (!lt_json_get(position, "tasks", &tasks) || tasks.type != LT_JSON_ARRAY)
        return misfit(res, "it names no lists", err);
    leat_status status = read_found(res, position, err);
    struct lt_json_iter iter = lt_json_iter(tasks);
    while (status == LEAT_OK && lt_json_next(&iter, &task))
        status = read_task(res, task, err);
    res->next_ordinal = res->counted_ordinal;
    if (status == LEAT_OK && res->incremental)
        status = read_mark(res, position, "high", "high_seen", &res->high, err);
    return status;
}

static leat_status restore(struct lt_walk_resource *res, struct lt_slice text, bool *is_within,
                           struct leat_error *err) {
    struct lt_json position, complete;
    uint64_t version;

    *is_within = false;
    if (text.data) {
        if (lt_json_parse(&position, text, LT_JSON_MAX_DEPTH, NULL) != LEAT_OK ||
            position.type != LT_JSON_OBJECT)
            return misfit(res, "it is no JSON object", err);
        if (!get_uint(position, "v", &version) || version != VERSION)
            return misfit(res, "it is of another version of this program", err);
        if (!get_uint(position, "n", &res->counted_ordinal) ||
            !lt_json_get(position, "complete", &complete) ||
            (complete.type != LT_JSON_TRUE && complete.type != LT_JSON_FALSE))
            return misfit(res, "it does not say how far it is", err);
        *is_within = complete.type == LT_JSON_FALSE;
        leat_status status = LEAT_OK;
        if (res->incremental)
            status = read_mark(res, position, "cursor", "seen", &res->base, err);
        if (status == LEAT_OK && *is_within)
            status = read_pass(res, position, err);
        if (status != LEAT_OK)
            return status;
        if (!*is_within)
            res->counted_ordinal = 0; /* a new pass */
    }
    return res->incremental ? start_mark(res, err) : LEAT_OK;
}

/* The list of a resource without a parent. */
static leat_status add_root(struct lt_walk_resource *res, struct leat_error *err) {
    struct lt_rest_walk *walk = res->walk;
    const struct lt_json nothing = {LT_JSON_NULL, LT_LIT("null")};

    lt_arena_reset(&walk->scratch);
    lt_buf_clear(&walk->text);
    leat_status status = lt_walk_ask_values(res, nothing, &walk->scratch, &walk->text, err);
    if (status != LEAT_OK)
        return status;
    struct lt_walk_task *task = lt_walk_task_new(res, lt_buf_slice(&walk->text), NULL);
    if (!task)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a list");
    lt_walk_task_append(task);
    return LEAT_OK;
}

/* A resource and its parent stand in the same pass, or neither stands in one: else records of the
 * parent that are counted would have no lists in the child. */
static leat_status check_pass(const struct lt_walk_resource *res, bool is_within,
                              bool parent_is_within, struct leat_error *err) {
    if (!res->parent || is_within == parent_is_within)
        return LEAT_OK;
    return lt_fail(err, LEAT_E_CONFIG, 0,
                   "resource %s stands in the middle of a pass that resource %s has no part in: "
                   "end it with the resources that it began with, or start over",
                   is_within ? res->resource->name : res->parent->resource->name,
                   is_within ? res->parent->resource->name : res->resource->name);
}

leat_status lt_walk_restore(struct lt_rest_walk *walk, struct leat_error *err) {
    bool *is_within = calloc(walk->n_resources + 1, sizeof(*is_within));
    leat_status status = is_within ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory");

    for (size_t i = 0; i < walk->n_resources && status == LEAT_OK; i++) {
        struct lt_walk_resource *res = &walk->resources[i];
        struct lt_slice text = {NULL, 0};
        if (walk->opt.positions)
            text = walk->opt.positions[i];
        if (!res->needed) {
            char *copy = text.data ? malloc(text.len + 1) : NULL;
            if (text.data && !copy)
                status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a position");
            else if (copy)
                res->kept = lt_slice(memcpy(copy, text.data, text.len), text.len);
            continue;
        }
        status = restore(res, text, &is_within[i], err);
        if (status == LEAT_OK)
            status =
                check_pass(res, is_within[i], res->parent && is_within[res->parent->index], err);
        if (status == LEAT_OK && !res->parent && !is_within[i])
            status = add_root(res, err);
    }
    free(is_within);
    return status;
}
