/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of a delivery stream: {"source": "DirectPut"|"KinesisStreamAsSource", "stream",
 * "bucket", "prefix", "error_prefix", "suffix", "buffer_bytes", "buffer_ms", "compression",
 * "newline", "version", "created_ms", "start": [{"shard", "seq"}], "describe": {…}}.
 */
#include "deliver/compress.h"
#include "engine/deliveries_parts.h"

#include <stdlib.h>

enum { DOCUMENT_ARENA_BYTES = 16 << 20 };

#define DIRECT_PUT "DirectPut"
#define FROM_STREAM "KinesisStreamAsSource"

static struct lt_delivery_document *new_document(void) {
    struct lt_delivery_document *doc = calloc(1, sizeof(*doc));
    if (doc)
        lt_arena_init(&doc->arena, DOCUMENT_ARENA_BYTES);
    return doc;
}

void lt_delivery_document_free(struct lt_delivery_document *doc) {
    if (!doc)
        return;
    lt_arena_deinit(&doc->arena);
    free(doc);
}

struct lt_delivery_document *lt_delivery_document_new(const struct lt_delivery_config *config) {
    struct lt_delivery_document *doc = new_document();

    if (!doc)
        return NULL;
    doc->config = *config;
    const char **const texts[] = {
        &doc->config.name,   &doc->config.stream,       &doc->config.bucket,
        &doc->config.prefix, &doc->config.error_prefix, &doc->config.suffix,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = lt_arena_str(&doc->arena, lt_slice_str(*texts[i] ? *texts[i] : ""));
        if (!*texts[i])
            goto no_memory;
    }
    doc->config.describe = lt_arena_dup(&doc->arena, config->describe);
    if (!doc->config.describe.data)
        goto no_memory;
    return doc;

no_memory:
    lt_delivery_document_free(doc);
    return NULL;
}

static void put_str(struct lt_json_writer *w, const char *key, const char *value) {
    lt_json_key(w, key);
    lt_json_put_str(w, value);
}

static void put_uint(struct lt_json_writer *w, const char *key, uint64_t value) {
    lt_json_key(w, key);
    lt_json_put_uint(w, value);
}

void lt_delivery_document_write(const struct lt_delivery_document *doc, struct lt_buf *out) {
    const struct lt_delivery_config *config = &doc->config;
    struct lt_json_writer w;

    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    put_str(&w, "source", config->direct_put ? DIRECT_PUT : FROM_STREAM);
    put_str(&w, "stream", config->stream);
    put_str(&w, "bucket", config->bucket);
    put_str(&w, "prefix", config->prefix);
    put_str(&w, "error_prefix", config->error_prefix);
    put_str(&w, "suffix", config->suffix);
    put_uint(&w, "buffer_bytes", config->buffer_bytes);
    put_uint(&w, "buffer_ms", (uint64_t)config->buffer_ms);
    put_str(&w, "compression", lt_compressor_of(config->compression)->name);
    lt_json_key(&w, "newline");
    lt_json_put_bool(&w, config->newline);
    put_uint(&w, "version", config->version);
    put_uint(&w, "created_ms", (uint64_t)config->created_ms);
    lt_json_key(&w, "start");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < doc->n_starts; i++) {
        lt_json_begin_object(&w);
        put_uint(&w, "shard", doc->starts[i].shard_uid);
        put_uint(&w, "seq", doc->starts[i].seq);
        lt_json_end_object(&w);
    }
    lt_json_end_array(&w);
    if (config->describe.len) {
        lt_json_key(&w, "describe");
        lt_json_put_raw(&w, config->describe);
    }
    lt_json_end_object(&w);
}

static const char *get_str(struct lt_json object, const char *name, struct lt_arena *arena) {
    struct lt_json value;
    if (!lt_json_get(object, name, &value) || value.type != LT_JSON_STRING)
        return NULL;
    return lt_arena_str(arena, lt_json_string(value, arena));
}

static bool get_uint(struct lt_json object, const char *name, uint64_t *out) {
    struct lt_json value;
    int64_t number;
    if (!lt_json_get(object, name, &value) || !lt_json_int64(value, &number) || number < 0)
        return false;
    *out = (uint64_t)number;
    return true;
}

static bool read_texts(struct lt_delivery_document *doc, struct lt_json root) {
    struct lt_delivery_config *config = &doc->config;
    const char *source = get_str(root, "source", &doc->arena);
    const char *compression = get_str(root, "compression", &doc->arena);
    const struct lt_compressor *compressor;
    struct lt_json value;

    config->stream = get_str(root, "stream", &doc->arena);
    config->bucket = get_str(root, "bucket", &doc->arena);
    config->prefix = get_str(root, "prefix", &doc->arena);
    config->error_prefix = get_str(root, "error_prefix", &doc->arena);
    config->suffix = get_str(root, "suffix", &doc->arena);
    compressor = compression ? lt_compressor_find(lt_slice_str(compression)) : NULL;
    if (!source || !compressor || !config->stream || !config->bucket || !config->prefix ||
        !config->error_prefix || !config->suffix)
        return false;
    config->direct_put = !strcmp(source, DIRECT_PUT);
    config->compression = compressor->kind;
    config->newline = lt_json_get(root, "newline", &value) && value.type == LT_JSON_TRUE;
    if (lt_json_get(root, "describe", &value))
        config->describe = lt_arena_dup(&doc->arena, value.raw);
    return true;
}

static bool read_numbers(struct lt_delivery_document *doc, struct lt_json root) {
    struct lt_delivery_config *config = &doc->config;
    uint64_t buffer_ms, version, created_ms;

    if (!get_uint(root, "buffer_bytes", &config->buffer_bytes) ||
        !get_uint(root, "buffer_ms", &buffer_ms) || !get_uint(root, "version", &version) ||
        !get_uint(root, "created_ms", &created_ms))
        return false;
    config->buffer_ms = (int64_t)buffer_ms;
    config->version = (unsigned)version;
    config->created_ms = (int64_t)created_ms;
    return true;
}

static bool read_starts(struct lt_delivery_document *doc, struct lt_json root) {
    struct lt_json starts, item;

    if (!lt_json_get(root, "start", &starts) || starts.type != LT_JSON_ARRAY)
        return false;
    doc->starts = lt_arena_calloc(&doc->arena, lt_json_count(starts) + 1, sizeof(doc->starts[0]));
    struct lt_json_iter iter = lt_json_iter(starts);
    while (doc->starts && lt_json_next(&iter, &item)) {
        struct lt_pump_start *start = &doc->starts[doc->n_starts++];
        if (!get_uint(item, "shard", &start->shard_uid) || !get_uint(item, "seq", &start->seq))
            return false;
    }
    return doc->starts != NULL;
}

leat_status lt_delivery_document_read(struct lt_delivery_document **out, struct lt_slice name,
                                      struct lt_slice body, struct leat_error *err) {
    struct lt_delivery_document *doc = new_document();
    struct lt_json root;

    *out = NULL;
    if (!doc)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %.*s", LT_FMT(name));
    doc->config.name = lt_arena_str(&doc->arena, name);
    if (lt_json_parse(&root, body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK || !doc->config.name ||
        !read_texts(doc, root) || !read_numbers(doc, root) || !read_starts(doc, root)) {
        lt_delivery_document_free(doc);
        return lt_fail(err, LEAT_E_CORRUPT, 0, "the document of the delivery %.*s is not readable",
                       LT_FMT(name));
    }
    *out = doc;
    return LEAT_OK;
}
