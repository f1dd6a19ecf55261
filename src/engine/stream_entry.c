/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream in memory and as a document. The open shards stand in the order of their hash ranges,
 * which together cover 0 to 2^128 - 1 without a gap; a document that does not is corrupt.
 */
#include "engine/stream_entry.h"

#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>

static const unsigned __int128 MAX_KEY = ~(unsigned __int128)0;

static leat_status allocate(struct lt_stream_entry **out, size_t n_shards, struct leat_error *err) {
    struct lt_stream_entry *entry = calloc(1, sizeof(*entry));

    *out = entry;
    if (entry) {
        entry->n_shards = n_shards;
        entry->shards = calloc(n_shards, sizeof(*entry->shards));
        entry->open = calloc(n_shards, sizeof(*entry->open));
    }
    if (!entry || !entry->shards || !entry->open)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a stream of %zu shards", n_shards);
    return LEAT_OK;
}

void lt_stream_entry_free(struct lt_stream_entry *entry) {
    if (!entry)
        return;
    free(entry->shards);
    free(entry->open);
    free(entry);
}

/* Sorts the open shards by range; false when they do not cover every key just once. */
static bool order_open(struct lt_stream_entry *entry) {
    unsigned __int128 next = 0;

    entry->n_open = 0;
    for (size_t i = 0; i < entry->n_shards; i++) {
        size_t at = entry->n_open;

        if (entry->shards[i].closed)
            continue;
        for (; at > 0; at--) {
            uint32_t before = entry->open[at - 1];
            if (entry->shards[before].hash_first <= entry->shards[i].hash_first)
                break;
            entry->open[at] = before;
        }
        entry->open[at] = (uint32_t)i;
        entry->n_open++;
    }
    for (size_t i = 0; i < entry->n_open; i++) {
        const struct lt_streams_shard *shard = &entry->shards[entry->open[i]];
        if (shard->hash_first != next || shard->hash_last < next)
            return false;
        next = shard->hash_last + 1; /* 0 after the last one */
    }
    entry->info.n_shards = (unsigned)entry->n_shards;
    entry->info.n_open_shards = (unsigned)entry->n_open;
    return entry->n_open > 0 && next == 0;
}

static void find_series(struct lt_stream_entry *entry) {
    struct lt_metrics *m = lt_metrics_global();
    const char *name = entry->info.name;

    entry->records_in = lt_metric(m, LT_METRIC_STREAM_RECORDS_IN, name, NULL, NULL);
    entry->bytes_in = lt_metric(m, LT_METRIC_STREAM_BYTES_IN, name, NULL, NULL);
    entry->records_out = lt_metric(m, LT_METRIC_STREAM_RECORDS_OUT, name, NULL, NULL);
    entry->bytes_out = lt_metric(m, LT_METRIC_STREAM_BYTES_OUT, name, NULL, NULL);
}

leat_status lt_stream_entry_new(struct lt_stream_entry **out, const struct lt_streams_info *info,
                                size_t n_shards, uint64_t first_uid, struct leat_error *err) {
    unsigned __int128 width = n_shards > 1 ? MAX_KEY / n_shards : MAX_KEY;
    leat_status status = allocate(out, n_shards, err);

    if (status != LEAT_OK) {
        lt_stream_entry_free(*out);
        *out = NULL;
        return status;
    }
    (*out)->info = *info;
    /* 2^128 / n rounded down, as the service cuts it: MAX_KEY / n is one less where n divides. */
    if (n_shards > 1 && MAX_KEY % n_shards == n_shards - 1)
        width++;
    for (size_t i = 0; i < n_shards; i++) {
        struct lt_streams_shard *shard = &(*out)->shards[i];
        shard->uid = first_uid + i;
        shard->index = (unsigned)i;
        shard->parent = shard->adjacent_parent = -1;
        shard->hash_first = width * i;
        shard->hash_last = i + 1 < n_shards ? width * (i + 1) - 1 : MAX_KEY;
        shard->created_ms = info->created_ms;
    }
    (void)order_open(*out);
    find_series(*out);
    return LEAT_OK;
}

static bool read_int(struct lt_json object, const char *name, int64_t min, int64_t max,
                     int64_t *out) {
    struct lt_json value;
    return lt_json_get(object, name, &value) && lt_json_int64(value, out) && *out >= min &&
           *out <= max;
}

static bool read_bool(struct lt_json object, const char *name) {
    struct lt_json value;
    return lt_json_get(object, name, &value) && value.type == LT_JSON_TRUE;
}

static bool read_key(struct lt_json object, const char *name, unsigned __int128 *out) {
    struct lt_json value;
    return lt_json_get(object, name, &value) && value.type == LT_JSON_STRING &&
           lt_hash_key_parse(lt_slice(value.raw.data + 1, value.raw.len - 2), out);
}

static bool read_shard(struct lt_json json, struct lt_streams_shard *shard) {
    int64_t uid, parent, adjacent, after, n = INT64_MAX;

    if (!read_int(json, "uid", 1, 999999999999, &uid) ||
        !read_int(json, "parent", -1, INT32_MAX, &parent) ||
        !read_int(json, "adjacent_parent", -1, INT32_MAX, &adjacent) ||
        !read_key(json, "first", &shard->hash_first) ||
        !read_key(json, "last", &shard->hash_last) ||
        !read_int(json, "created_ms", 0, n, &shard->created_ms) ||
        !read_int(json, "closed_after", 0, n, &after) ||
        !read_int(json, "closed_ms", 0, n, &shard->closed_ms))
        return false;
    shard->uid = (uint64_t)uid;
    shard->parent = (int)parent;
    shard->adjacent_parent = (int)adjacent;
    shard->closed_after = (uint64_t)after;
    shard->closed = read_bool(json, "closed");
    return true;
}

static bool read_info(struct lt_json json, struct lt_slice name, struct lt_streams_info *info) {
    int64_t id, hours, bytes;

    if (name.len == 0 || name.len >= sizeof(info->name) ||
        !read_int(json, "id", 1, INT64_MAX, &id) ||
        !read_int(json, "created_ms", 0, INT64_MAX, &info->created_ms) ||
        !read_int(json, "retention_hours", 1, 8760, &hours) ||
        !read_int(json, "max_record_bytes", 1, 64 << 20, &bytes))
        return false;
    memcpy(info->name, name.data, name.len);
    info->name[name.len] = 0;
    info->id = (uint64_t)id;
    info->retention_hours = (unsigned)hours;
    info->max_record_bytes = (unsigned)bytes;
    info->hidden = read_bool(json, "hidden");
    info->on_demand = read_bool(json, "on_demand");
    return true;
}

leat_status lt_stream_entry_parse(struct lt_stream_entry **out, struct lt_slice name,
                                  struct lt_slice body, struct leat_error *err) {
    struct lt_json json, shards, shard;
    struct lt_json_iter iter;
    size_t i = 0;
    leat_status status;

    *out = NULL;
    status = lt_json_parse(&json, body, LT_JSON_DEFAULT_DEPTH, err);
    if (status != LEAT_OK || !lt_json_get(json, "shards", &shards) || lt_json_count(shards) == 0)
        goto corrupt;
    status = allocate(out, lt_json_count(shards), err);
    if (status != LEAT_OK)
        goto fail;
    if (!read_info(json, name, &(*out)->info))
        goto corrupt;
    iter = lt_json_iter(shards);
    for (; lt_json_next(&iter, &shard); i++) {
        if (!read_shard(shard, &(*out)->shards[i]))
            goto corrupt;
        (*out)->shards[i].index = (unsigned)i;
    }
    if (!order_open(*out))
        goto corrupt;
    find_series(*out);
    return LEAT_OK;

corrupt:
    status = lt_fail(err, LEAT_E_CORRUPT, 0, "the document of stream %.*s is not as leat writes it",
                     LT_FMT(name));
fail:
    lt_stream_entry_free(*out);
    *out = NULL;
    return status;
}

static void write_shard(struct lt_json_writer *w, const struct lt_streams_shard *shard) {
    char key[LT_HASH_KEY_TEXT];

    lt_json_begin_object(w);
    lt_json_key(w, "uid");
    lt_json_put_uint(w, shard->uid);
    lt_json_key(w, "parent");
    lt_json_put_int(w, shard->parent);
    lt_json_key(w, "adjacent_parent");
    lt_json_put_int(w, shard->adjacent_parent);
    lt_hash_key_format(shard->hash_first, key);
    lt_json_key(w, "first");
    lt_json_put_str(w, key);
    lt_hash_key_format(shard->hash_last, key);
    lt_json_key(w, "last");
    lt_json_put_str(w, key);
    lt_json_key(w, "created_ms");
    lt_json_put_int(w, shard->created_ms);
    lt_json_key(w, "closed");
    lt_json_put_bool(w, shard->closed);
    lt_json_key(w, "closed_after");
    lt_json_put_uint(w, shard->closed_after);
    lt_json_key(w, "closed_ms");
    lt_json_put_int(w, shard->closed_ms);
    lt_json_end_object(w);
}

void lt_stream_entry_write(const struct lt_stream_entry *entry, struct lt_buf *out) {
    struct lt_json_writer w;

    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "id");
    lt_json_put_uint(&w, entry->info.id);
    lt_json_key(&w, "created_ms");
    lt_json_put_int(&w, entry->info.created_ms);
    lt_json_key(&w, "retention_hours");
    lt_json_put_uint(&w, entry->info.retention_hours);
    lt_json_key(&w, "max_record_bytes");
    lt_json_put_uint(&w, entry->info.max_record_bytes);
    lt_json_key(&w, "hidden");
    lt_json_put_bool(&w, entry->info.hidden);
    lt_json_key(&w, "on_demand");
    lt_json_put_bool(&w, entry->info.on_demand);
    lt_json_key(&w, "shards");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < entry->n_shards; i++)
        write_shard(&w, &entry->shards[i]);
    lt_json_end_array(&w);
    lt_json_end_object(&w);
}

const struct lt_streams_shard *lt_stream_entry_route(const struct lt_stream_entry *entry,
                                                     unsigned __int128 key) {
    size_t low = 0, high = entry->n_open;

    /* The last one that starts at or before the key. */
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (entry->shards[entry->open[mid]].hash_first <= key)
            low = mid;
        else
            high = mid;
    }
    return &entry->shards[entry->open[low]];
}
