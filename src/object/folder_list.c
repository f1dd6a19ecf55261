/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing with a prefix and a delimiter. The documents are read in order, a batch at a time; where
 * keys have a part in common up to the delimiter, the next batch begins behind all of them, so
 * that a "folder" of a million keys costs one look.
 */
#include "object/folder_parts.h"

enum { FIRST_BATCH = 16, LAST_BATCH = 1024, BATCH_ARENA_BYTES = 1 << 30 };

struct scan {
    struct lt_object_folder *folder;
    const struct lt_object_list *list;
    char kind[80];
    struct lt_arena *arena;  /* of what is returned */
    struct lt_arena scratch; /* of a batch */
    struct lt_slice from;
    bool after;
    bool end;
    size_t batch;
    struct lt_object_listing *out;
    size_t cap;
};

/** The part of `key` up to and with the first delimiter behind the prefix; empty without one. */
static struct lt_slice common_of(const struct lt_object_list *list, struct lt_slice key) {
    struct lt_slice rest = lt_slice_from(key, list->prefix.len);
    const char *at = list->delimiter.len && rest.len
                         ? memmem(rest.data, rest.len, list->delimiter.data, list->delimiter.len)
                         : NULL;
    return at ? lt_slice(key.data, (size_t)(at - key.data) + list->delimiter.len)
              : lt_slice(NULL, 0);
}

/** Goes on behind everything that starts with `prefix`. */
static leat_status skip_prefix(struct scan *scan, struct lt_slice prefix, struct leat_error *err) {
    char *next = lt_arena_str(scan->arena, prefix);
    size_t len = prefix.len;

    if (!next)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a listing");
    while (len && (unsigned char)next[len - 1] == 0xff)
        len--;
    if (len)
        next[len - 1]++;
    else
        scan->end = true;
    scan->from = lt_slice(next, len);
    scan->after = false;
    return LEAT_OK;
}

static leat_status start(struct scan *scan, struct leat_error *err) {
    const struct lt_object_list *list = scan->list;

    scan->from = list->prefix;
    if (lt_slice_cmp(list->after, list->prefix) < 0 || !list->after.len)
        return LEAT_OK;
    scan->from = list->after;
    scan->after = true;
    if (!lt_slice_starts(list->after, list->prefix)) {
        scan->end = true; /* it orders behind all that starts with the prefix */
        return LEAT_OK;
    }
    struct lt_slice common = common_of(list, list->after);
    return common.len ? skip_prefix(scan, common, err) : LEAT_OK;
}

static leat_status add(struct scan *scan, struct lt_slice key, struct lt_slice body,
                       struct leat_error *err) {
    struct lt_object_listing *out = scan->out;
    struct lt_object_doc doc;

    if (out->n == scan->cap) {
        size_t cap = scan->cap ? scan->cap * 2 : 64;
        struct lt_object_entry *more = lt_arena_calloc(scan->arena, cap, sizeof(*more));
        if (!more)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a listing of %zu entries", cap);
        if (out->n)
            memcpy(more, out->entries, out->n * sizeof(*more));
        out->entries = more;
        scan->cap = cap;
    }
    struct lt_object_entry *entry = &out->entries[out->n];
    entry->is_prefix = body.data == NULL;
    if (body.data) {
        leat_status status = lt_object_doc_read(&doc, body, NULL, err);
        if (status != LEAT_OK)
            return status;
        entry->info = doc.info;
    }
    entry->info.key = lt_arena_dup(scan->arena, key);
    if (!entry->info.key.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a listing");
    out->n++;
    return LEAT_OK;
}

static leat_status take_batch(struct scan *scan, const struct lt_state_row *rows, size_t n,
                              struct leat_error *err) {
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (!lt_slice_starts(rows[i].name, scan->list->prefix)) {
            scan->end = true;
            break;
        }
        if (scan->out->n == scan->list->max) {
            scan->out->more = true;
            scan->end = true;
            break;
        }
        struct lt_slice common = common_of(scan->list, rows[i].name);
        if (common.len) {
            status = add(scan, common, lt_slice(NULL, 0), err);
            scan->batch = FIRST_BATCH;
            return status == LEAT_OK ? skip_prefix(scan, common, err) : status;
        }
        status = add(scan, rows[i].name, rows[i].body, err);
    }
    if (status == LEAT_OK && n && !scan->end) {
        scan->from = scan->out->entries[scan->out->n - 1].info.key;
        scan->after = true;
    }
    return status;
}

leat_status lt_object_folder_list(struct lt_object_folder *folder, const char *bucket,
                                  const struct lt_object_list *list, struct lt_arena *arena,
                                  struct lt_object_listing *out, struct leat_error *err) {
    struct scan scan = {
        .folder = folder, .list = list, .arena = arena, .out = out, .batch = FIRST_BATCH};

    memset(out, 0, sizeof(*out));
    if (!lt_object_folder_has(folder, bucket, NULL))
        return lt_object_no_bucket(err, bucket);
    if (!list->max)
        return LEAT_OK;
    lt_object_kind(bucket, scan.kind);
    lt_arena_init(&scan.scratch, BATCH_ARENA_BYTES);
    leat_status status = start(&scan, err);
    while (status == LEAT_OK && !scan.end) {
        struct lt_state_row *rows;
        size_t n, ask = scan.batch;
        size_t missing = list->max - out->n + 1;
        if (ask > missing)
            ask = missing;
        lt_arena_reset(&scan.scratch);
        scan.batch = scan.batch < LAST_BATCH ? scan.batch * 4 : LAST_BATCH;
        status = lt_state_list(folder->state, scan.kind, scan.from, scan.after, ask, &scan.scratch,
                               &rows, &n, err);
        if (status == LEAT_OK && n == 0)
            break;
        if (status == LEAT_OK)
            status = take_batch(&scan, rows, n, err);
    }
    lt_arena_deinit(&scan.scratch);
    return status;
}
