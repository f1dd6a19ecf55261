/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document: {"key","shards":[{"shard","first","last","position"}],"records","bytes",
 * "compression","newline"}. It says all that is needed to write the same object again, or to move
 * the positions when the object turns out to be there.
 */
#include "deliver/intent.h"

#include "base/hash.h"
#include "deliver/compress.h"
#include "deliver/javatime.h"
#include "deliver/prefix.h"
#include "json/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { INTENT_MAX_BYTES = 64 << 20, KEY_MAX_BYTES = 16 << 10, UNIQUE_CHARS = 36 };

void lt_intent_free(struct lt_intent *intent) {
    if (!intent)
        return;
    lt_arena_deinit(&intent->arena);
    free(intent);
}

/* A UUID (version 8: its bits are the maker's own) of what the object holds. */
static leat_status hash_unique(const struct lt_intent_naming *naming, const struct lt_intent *of,
                               char out[UNIQUE_CHARS + 1], struct leat_error *err) {
    struct lt_digest *digest = lt_digest_new(LT_DIGEST_SHA256);
    uint8_t bytes[LT_SHA256_BYTES];
    char hex[33];

    if (!digest)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to name an object");
    lt_digest_update(digest, lt_slice(naming->delivery, strlen(naming->delivery) + 1));
    lt_digest_update(digest, lt_slice(naming->identity, strlen(naming->identity) + 1));
    for (size_t i = 0; i < of->n_ranges; i++) {
        const struct lt_intent_range *range = &of->ranges[i];
        uint64_t ends[2] = {__builtin_bswap64(range->first), __builtin_bswap64(range->last)};
        lt_digest_update(digest, lt_slice(range->shard, strlen(range->shard) + 1));
        lt_digest_update(digest, lt_slice(ends, sizeof(ends)));
    }
    lt_digest_final(digest, bytes);
    lt_digest_free(digest);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x80);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    lt_hex(bytes, 16, hex);
    snprintf(out, UNIQUE_CHARS + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
    return LEAT_OK;
}

static leat_status make_key(struct lt_intent *intent, const struct lt_intent_naming *naming,
                            int64_t oldest_ms, struct leat_error *err) {
    char unique[UNIQUE_CHARS + 1];
    struct lt_prefix_values values = {.time_ms = oldest_ms};
    struct lt_buf key;

    leat_status status = hash_unique(naming, intent, unique, err);
    if (status != LEAT_OK)
        return status;
    values.seed = lt_slice(unique, UNIQUE_CHARS);
    lt_buf_init(&key, KEY_MAX_BYTES);
    status = lt_prefix_append(&key, lt_slice_str(naming->prefix), &values, err);
    if (status != LEAT_OK)
        goto out;
    lt_buf_printf(&key, "%s-%u-", naming->delivery, naming->version);
    lt_javatime_append(&key, LT_LIT("yyyy-MM-dd-HH-mm-ss-"), oldest_ms);
    lt_buf_append(&key, values.seed);
    lt_buf_append_str(&key, naming->suffix);
    status = lt_buf_status(&key, err);
    if (status != LEAT_OK)
        goto out;
    intent->key = lt_arena_str(&intent->arena, lt_buf_slice(&key));
    if (!intent->key)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a key of %zu bytes", key.len);
out:
    lt_buf_deinit(&key);
    return status;
}

static struct lt_intent *new_intent(size_t n_ranges) {
    struct lt_intent *intent = calloc(1, sizeof(*intent));
    if (!intent)
        return NULL;
    lt_arena_init(&intent->arena, INTENT_MAX_BYTES);
    intent->ranges = lt_arena_calloc(&intent->arena, n_ranges + 1, sizeof(intent->ranges[0]));
    if (!intent->ranges) {
        lt_intent_free(intent);
        return NULL;
    }
    return intent;
}

leat_status lt_intent_new(struct lt_intent **out, const struct lt_intent_naming *naming,
                          const struct lt_gather *gather, struct leat_error *err) {
    struct lt_intent *intent = new_intent(gather->n_parts);

    *out = NULL;
    if (!intent)
        goto no_memory;
    for (size_t i = 0; i < gather->n_parts; i++) {
        const struct lt_gather_part *part = &gather->parts[i];
        struct lt_intent_range *range = &intent->ranges[i];
        range->first = part->first;
        range->last = part->last;
        range->shard = lt_arena_str(&intent->arena, lt_slice_str(part->shard));
        range->position = lt_arena_dup(&intent->arena, lt_buf_slice(&part->position));
        if (!range->shard || !range->position.data)
            goto no_memory;
    }
    intent->n_ranges = gather->n_parts;
    intent->n_records = gather->n_records;
    intent->n_bytes = gather->n_bytes;
    intent->compression = naming->compression;
    intent->newline = naming->newline;
    leat_status status = make_key(intent, naming, gather->oldest_ms, err);
    if (status != LEAT_OK) {
        lt_intent_free(intent);
        return status;
    }
    *out = intent;
    return LEAT_OK;

no_memory:
    lt_intent_free(intent);
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to note an object of %zu shards",
                   gather->n_parts);
}

void lt_intent_write(const struct lt_intent *intent, struct lt_buf *out) {
    struct lt_json_writer w;

    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "key");
    lt_json_put_str(&w, intent->key);
    lt_json_key(&w, "shards");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < intent->n_ranges; i++) {
        const struct lt_intent_range *range = &intent->ranges[i];
        lt_json_begin_object(&w);
        lt_json_key(&w, "shard");
        lt_json_put_str(&w, range->shard);
        lt_json_key(&w, "first");
        lt_json_put_uint(&w, range->first);
        lt_json_key(&w, "last");
        lt_json_put_uint(&w, range->last);
        lt_json_key(&w, "position");
        lt_json_put_string(&w, range->position);
        lt_json_end_object(&w);
    }
    lt_json_end_array(&w);
    lt_json_key(&w, "records");
    lt_json_put_uint(&w, intent->n_records);
    lt_json_key(&w, "bytes");
    lt_json_put_uint(&w, intent->n_bytes);
    lt_json_key(&w, "compression");
    lt_json_put_str(&w, lt_compressor_of(intent->compression)->name);
    lt_json_key(&w, "newline");
    lt_json_put_bool(&w, intent->newline);
    lt_json_end_object(&w);
}

static bool read_uint(struct lt_json object, const char *name, uint64_t *out) {
    struct lt_json value;
    char digits[24];
    char *end;

    if (!lt_json_get(object, name, &value) || value.type != LT_JSON_NUMBER ||
        value.raw.len >= sizeof(digits) || value.raw.data[0] == '-')
        return false;
    memcpy(digits, value.raw.data, value.raw.len);
    digits[value.raw.len] = '\0';
    errno = 0;
    *out = strtoull(digits, &end, 10);
    return !*end && !errno;
}

static const char *read_str(struct lt_json object, const char *name, struct lt_arena *arena) {
    struct lt_json value;
    if (!lt_json_get(object, name, &value) || value.type != LT_JSON_STRING)
        return NULL;
    return lt_arena_str(arena, lt_json_string(value, arena));
}

static bool read_ranges(struct lt_intent *intent, struct lt_json shards) {
    struct lt_json_iter iter = lt_json_iter(shards);
    struct lt_json item;

    while (lt_json_next(&iter, &item)) {
        struct lt_intent_range *range = &intent->ranges[intent->n_ranges];
        const char *position = read_str(item, "position", &intent->arena);
        range->shard = read_str(item, "shard", &intent->arena);
        range->position = lt_slice_str(position);
        if (!range->shard || !position || !read_uint(item, "first", &range->first) ||
            !read_uint(item, "last", &range->last))
            return false;
        intent->n_ranges++;
    }
    return true;
}

leat_status lt_intent_read(struct lt_intent **out, struct lt_slice document,
                           struct leat_error *err) {
    struct lt_json root, shards, newline;
    struct lt_intent *intent = NULL;
    const struct lt_compressor *compressor;
    const char *name;

    *out = NULL;
    if (lt_json_parse(&root, document, LT_JSON_DEFAULT_DEPTH, err) != LEAT_OK ||
        !lt_json_get(root, "shards", &shards) || shards.type != LT_JSON_ARRAY)
        goto corrupt;
    intent = new_intent(lt_json_count(shards));
    if (!intent)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read a delivery's intent");
    intent->key = read_str(root, "key", &intent->arena);
    name = read_str(root, "compression", &intent->arena);
    compressor = name ? lt_compressor_find(lt_slice_str(name)) : NULL;
    if (!intent->key || !compressor || !read_uint(root, "records", &intent->n_records) ||
        !read_uint(root, "bytes", &intent->n_bytes) || !lt_json_get(root, "newline", &newline) ||
        !read_ranges(intent, shards) || !intent->n_ranges)
        goto corrupt;
    intent->compression = compressor->kind;
    intent->newline = newline.type == LT_JSON_TRUE;
    *out = intent;
    return LEAT_OK;

corrupt:
    lt_intent_free(intent);
    return lt_fail(err, LEAT_E_CORRUPT, 0, "the intent of a delivery is not readable: %.*s",
                   (int)(document.len > 200 ? 200 : document.len),
                   document.data ? document.data : "");
}
