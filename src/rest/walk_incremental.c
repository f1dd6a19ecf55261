/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is new. A cursor is a value with the hashes of the records that had it: of those at the
 * cursor, the ones that came before are known by their bytes. Records that say nothing comparable
 * are always taken, and move no cursor.
 */
#include "base/hash.h"
#include "base/log.h"
#include "rest/walk_parts.h"

#include <stdlib.h>

void lt_walk_mark_deinit(struct lt_walk_mark *mark) {
    free((char *)mark->value.raw.data);
    free(mark->seen);
    *mark = (struct lt_walk_mark){0};
}

bool lt_walk_mark_set(struct lt_walk_mark *mark, struct lt_json value) {
    char *bytes = malloc(value.raw.len);

    if (!bytes)
        return false;
    memcpy(bytes, value.raw.data, value.raw.len);
    free((char *)mark->value.raw.data);
    mark->value = (struct lt_json){value.type, lt_slice(bytes, value.raw.len)};
    mark->n_seen = 0;
    return true;
}

bool lt_walk_mark_see(struct lt_walk_mark *mark, uint64_t hash) {
    for (size_t i = mark->n_seen; i > 0; i--)
        if (mark->seen[i - 1] == hash)
            return true;
    if (mark->n_seen == LT_WALK_MAX_SEEN)
        return true; /* beyond this many with one value, some come again */
    if (mark->n_seen == mark->cap_seen) {
        size_t cap = mark->cap_seen ? mark->cap_seen * 2 : 8;
        uint64_t *seen = reallocarray(mark->seen, cap, sizeof(*seen));
        if (!seen)
            return false;
        mark->seen = seen;
        mark->cap_seen = cap;
    }
    mark->seen[mark->n_seen++] = hash;
    return true;
}

static bool has_seen(const struct lt_walk_mark *mark, uint64_t hash) {
    for (size_t i = 0; i < mark->n_seen; i++)
        if (mark->seen[i] == hash)
            return true;
    return false;
}

/* A number, also one that stands in a text: the start of a file is always a text. */
static bool number_of(struct lt_json value, struct lt_json *number) {
    struct lt_slice text = value.raw;

    *number = value;
    if (value.type == LT_JSON_NUMBER)
        return true;
    if (value.type != LT_JSON_STRING || text.len < 3)
        return false;
    return lt_json_parse(number, lt_slice(text.data + 1, text.len - 2), 0, NULL) == LEAT_OK &&
           number->type == LT_JSON_NUMBER;
}

static int compare_numbers(struct lt_json a, struct lt_json b) {
    int64_t whole_a, whole_b;
    double x = 0, y = 0;

    if (lt_json_int64(a, &whole_a) && lt_json_int64(b, &whole_b))
        return (whole_a > whole_b) - (whole_a < whole_b);
    lt_json_double(a, &x);
    lt_json_double(b, &y);
    return (x > y) - (x < y);
}

/* Orders two values; false when they cannot be compared. */
static bool compare(struct lt_json a, struct lt_json b, struct lt_arena *arena, int *order) {
    struct lt_json x, y;

    if (a.type == LT_JSON_STRING && b.type == LT_JSON_STRING) {
        struct lt_slice left = lt_json_string(a, arena), right = lt_json_string(b, arena);
        *order = lt_slice_cmp(left, right);
        return left.data && right.data;
    }
    if (!number_of(a, &x) || !number_of(b, &y))
        return false;
    *order = compare_numbers(x, y);
    return true;
}

bool lt_walk_mark_merge(struct lt_walk_mark *into, const struct lt_walk_mark *from) {
    struct lt_arena arena;
    int order = 1;

    if (!from || !from->value.raw.data)
        return true;
    if (into->value.raw.data) {
        lt_arena_init(&arena, SIZE_MAX);
        bool can = compare(from->value, into->value, &arena, &order);
        lt_arena_deinit(&arena);
        if (!can || order < 0)
            return true;
    }
    bool ok = order == 0 || lt_walk_mark_set(into, from->value);
    for (size_t i = 0; i < from->n_seen && ok; i++)
        ok = lt_walk_mark_see(into, from->seen[i]);
    return ok;
}

static uint64_t hash_of(struct lt_json record) {
    uint8_t digest[LT_SHA256_BYTES];
    uint64_t hash = 0;

    lt_sha256(record.raw, digest);
    for (size_t i = 0; i < 8; i++)
        hash = hash << 8 | digest[i];
    return hash;
}

/* One record's place against the cursor. */
enum age { NEWER, AT_CURSOR, OLDER };

/* The value of the field; raw.data NULL when it is not there or nothing to compare. */
static leat_status field_of(struct lt_walk_resource *res, struct lt_json record,
                            struct lt_arena *arena, struct lt_json *value, struct leat_error *err) {
    struct lt_json *outputs = NULL;
    size_t n = 0;

    *value = (struct lt_json){LT_JSON_NULL, {NULL, 0}};
    leat_status status = lt_expr_query_run(res->incremental, record, arena, &outputs, &n, err);
    if (status == LEAT_E_INVALID)
        return LEAT_OK; /* of a record that is no object, say */
    if (status != LEAT_OK)
        return lt_error_prefix(err, "resource %s: incremental.field", res->resource->name);
    if (n == 1 && (outputs[0].type == LT_JSON_STRING || outputs[0].type == LT_JSON_NUMBER))
        *value = outputs[0];
    return LEAT_OK;
}

static enum age age_of(struct lt_walk_resource *res, struct lt_json value, struct lt_arena *arena) {
    int order;

    if (!value.raw.data || !res->base.value.raw.data ||
        !compare(value, res->base.value, arena, &order) || order > 0)
        return NEWER;
    return order < 0 ? OLDER : AT_CURSOR;
}

/* Takes a record that is given out into the mark of its page. */
static bool mark_record(struct lt_walk_page *page, struct lt_json record, struct lt_json value,
                        struct lt_arena *arena) {
    int order = 1;

    if (!page->mark)
        page->mark = calloc(1, sizeof(*page->mark));
    if (!page->mark)
        return false;
    if (page->mark->value.raw.data &&
        (!compare(value, page->mark->value, arena, &order) || order < 0))
        return true;
    if (order > 0 && !lt_walk_mark_set(page->mark, value))
        return false;
    return lt_walk_mark_see(page->mark, hash_of(record));
}

/* Without a value nothing can be left out the next time: told once, for the name may be wrong. */
static void warn_without_value(struct lt_walk_resource *res) {
    if (res->warned_without_value)
        return;
    res->warned_without_value = true;
    lt_log(
        LT_LOG_WARN, "pull",
        "resource %s: no record of a page has a value at incremental.field (%.*s); every run takes "
        "such records again",
        res->resource->name, LT_FMT(res->resource->incremental.field.text));
}

leat_status lt_walk_skip_old(struct lt_walk_page *page, struct lt_json *records, size_t *n,
                             bool *is_old, struct leat_error *err) {
    struct lt_walk_resource *res = page->task->resource;
    struct lt_arena *scratch = &page->walk->scratch;
    size_t n_old = 0, n_kept = 0, n_without = 0;

    for (size_t i = 0; i < *n; i++) {
        struct lt_json value;
        lt_arena_reset(scratch);
        leat_status status = field_of(res, records[i], scratch, &value, err);
        if (status != LEAT_OK)
            return status;
        n_without += !value.raw.data;
        enum age age = age_of(res, value, scratch);
        n_old += age == OLDER;
        if (age == OLDER || (age == AT_CURSOR && has_seen(&res->base, hash_of(records[i]))))
            continue;
        if (value.raw.data && !mark_record(page, records[i], value, scratch))
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a cursor");
        records[n_kept++] = records[i];
    }
    if (*n && n_without == *n)
        warn_without_value(res);
    *is_old = *n && n_old == *n;
    page->n_skipped = *n - n_kept;
    *n = n_kept;
    return LEAT_OK;
}
