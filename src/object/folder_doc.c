/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object's document: {"size","etag","modified" (ms),"ino","type","encoding","meta":{header:
 * value},"path"}, what is empty left out.
 */
#include "object/folder_parts.h"

#include "json/json.h"

#include <stdio.h>

const char lt_object_intent_kind[] = "object-intent";

void lt_object_kind(const char *bucket, char out[80]) {
    snprintf(out, 80, "object/%s", bucket);
}

static void put_text(struct lt_json_writer *w, const char *name, struct lt_slice text) {
    if (!text.len)
        return;
    lt_json_key(w, name);
    lt_json_put_string(w, text);
}

void lt_object_doc_write(const struct lt_object_doc *doc, struct lt_buf *out) {
    struct lt_json_writer w;

    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "size");
    lt_json_put_uint(&w, doc->info.size);
    lt_json_key(&w, "etag");
    lt_json_put_str(&w, doc->info.etag);
    lt_json_key(&w, "modified");
    lt_json_put_int(&w, doc->info.modified_ms);
    lt_json_key(&w, "ino");
    lt_json_put_uint(&w, doc->ino);
    put_text(&w, "type", doc->info.content_type);
    put_text(&w, "encoding", doc->info.content_encoding);
    if (doc->info.user_meta.len) {
        lt_json_key(&w, "meta");
        lt_json_put_raw(&w, doc->info.user_meta);
    }
    put_text(&w, "path", doc->path);
    lt_json_end_object(&w);
}

/** Numbers stand as they were written, in digits alone: an inode may pass int64. */
static bool read_u64(struct lt_json value, uint64_t *out) {
    uint64_t n = 0;

    if (value.type != LT_JSON_NUMBER || !value.raw.len)
        return false;
    for (size_t i = 0; i < value.raw.len; i++) {
        char c = value.raw.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (uint64_t)(c - '0'), &n))
            return false;
    }
    *out = n;
    return true;
}

static leat_status read_text(struct lt_json value, struct lt_arena *arena, struct lt_slice *out,
                             struct leat_error *err) {
    *out = lt_json_string(value, arena);
    if (out->data)
        *out = lt_arena_dup(arena, *out);
    return out->data ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an object's headers");
}

static leat_status read_texts(struct lt_object_doc *doc, struct lt_json json,
                              struct lt_arena *arena, struct leat_error *err) {
    const struct {
        const char *name;
        struct lt_slice *out;
    } texts[] = {{"type", &doc->info.content_type},
                 {"encoding", &doc->info.content_encoding},
                 {"path", &doc->path}};
    struct lt_json value;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (lt_json_get(json, texts[i].name, &value)) {
            leat_status status = read_text(value, arena, texts[i].out, err);
            if (status != LEAT_OK)
                return status;
        }
    if (lt_json_get(json, "meta", &value)) {
        doc->info.user_meta = lt_arena_dup(arena, value.raw);
        if (!doc->info.user_meta.data)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an object's headers");
    }
    return LEAT_OK;
}

leat_status lt_object_doc_read(struct lt_object_doc *doc, struct lt_slice body,
                               struct lt_arena *arena, struct leat_error *err) {
    struct lt_json json, size, etag, modified, ino;

    memset(doc, 0, sizeof(*doc));
    leat_status status = lt_json_parse(&json, body, LT_JSON_DEFAULT_DEPTH, err);
    if (status != LEAT_OK || !lt_json_get(json, "size", &size) ||
        !lt_json_get(json, "etag", &etag) || !lt_json_get(json, "modified", &modified) ||
        !lt_json_get(json, "ino", &ino) || !read_u64(size, &doc->info.size) ||
        !read_u64(ino, &doc->ino) || !lt_json_int64(modified, &doc->info.modified_ms) ||
        etag.raw.len < 2 || etag.raw.len - 2 >= sizeof(doc->info.etag))
        return lt_fail(err, LEAT_E_CORRUPT, 0, "the document of an object is damaged");
    memcpy(doc->info.etag, etag.raw.data + 1, etag.raw.len - 2);
    return arena ? read_texts(doc, json, arena, err) : LEAT_OK;
}

void lt_object_doc_path(const struct lt_object_doc *doc, const char *bucket, struct lt_slice key,
                        char out[LT_OBJECT_PATH_BYTES]) {
    if (doc->path.len || !lt_object_plain_path(bucket, key, out))
        lt_object_escaped_path(bucket, key, out);
}
