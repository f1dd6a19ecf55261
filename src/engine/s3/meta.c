/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers that are kept with an object and given back with it: x-amz-meta-*, what a browser or a
 * cache looks at, and the checksum that the client sent. As a JSON object, names in lower case.
 */
#include "engine/s3/call.h"

#include "json/json.h"

#include <strings.h>

enum { META_MAX_BYTES = 2048, JSON_MAX_BYTES = 64 << 10 };

static const char *const kept[] = {"cache-control", "content-disposition", "content-language",
                                   "expires", "x-amz-website-redirect-location"};

static bool is_user_meta(struct lt_slice name) {
    static const char prefix[] = "x-amz-meta-";
    return name.len > sizeof(prefix) - 1 && !strncasecmp(name.data, prefix, sizeof(prefix) - 1);
}

static bool is_kept(struct lt_slice name) {
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (lt_s3_name_is(name, kept[i]))
            return true;
    return is_user_meta(name);
}

static bool same_name(const struct lt_s3_call *call, size_t a, size_t b) {
    return call->headers[a].name.len == call->headers[b].name.len &&
           !strncasecmp(call->headers[a].name.data, call->headers[b].name.data,
                        call->headers[a].name.len);
}

static void put_lower(struct lt_json_writer *w, struct lt_arena *arena, struct lt_slice name) {
    char *lower = lt_arena_str(arena, name);
    for (char *at = lower; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at | 0x20);
    lt_json_key_slice(w, lt_slice_str(lower));
}

/** One header, its values joined where it came more than once. */
static void put_header(struct lt_s3_call *call, struct lt_json_writer *w, struct lt_buf *value,
                       size_t at) {
    for (size_t i = 0; i < at; i++)
        if (same_name(call, i, at))
            return; /* written with the first one */
    lt_buf_clear(value);
    lt_buf_append(value, call->headers[at].value);
    for (size_t i = at + 1; i < call->n_headers; i++)
        if (same_name(call, i, at)) {
            lt_buf_append_byte(value, ',');
            lt_buf_append(value, call->headers[i].value);
        }
    put_lower(w, call->arena, call->headers[at].name);
    lt_json_put_string(w, lt_buf_slice(value));
}

leat_status lt_s3_meta_read(struct lt_s3_call *call, struct lt_slice checksum_name,
                            struct lt_slice checksum, struct lt_slice *json,
                            struct leat_error *err) {
    struct lt_buf out, value;
    struct lt_json_writer w;
    size_t n_bytes = 0;

    for (size_t i = 0; i < call->n_headers; i++)
        if (is_user_meta(call->headers[i].name))
            n_bytes +=
                call->headers[i].name.len - strlen("x-amz-meta-") + call->headers[i].value.len;
    if (n_bytes > META_MAX_BYTES)
        return lt_fail_code(err, LEAT_E_LIMIT, "MetadataTooLarge",
                            "Your metadata headers exceed the maximum allowed metadata size: %zu "
                            "bytes, at most %d",
                            n_bytes, META_MAX_BYTES);
    lt_buf_init(&out, JSON_MAX_BYTES);
    lt_buf_init(&value, JSON_MAX_BYTES);
    lt_json_writer_init(&w, &out);
    lt_json_begin_object(&w);
    for (size_t i = 0; i < call->n_headers; i++)
        if (is_kept(call->headers[i].name))
            put_header(call, &w, &value, i);
    if (checksum.len) {
        lt_json_key_slice(&w, checksum_name);
        lt_json_put_string(&w, checksum);
    }
    lt_json_end_object(&w);
    leat_status status = lt_buf_status(&out, err);
    *json = out.len > 2 ? lt_arena_dup(call->arena, lt_buf_slice(&out)) : lt_slice(NULL, 0);
    lt_buf_deinit(&out);
    lt_buf_deinit(&value);
    return status;
}

void lt_s3_meta_answer(struct lt_s3_call *call, struct lt_slice json, bool checksums) {
    struct lt_json object, name, value;
    struct leat_error err;

    if (!json.len || lt_json_parse(&object, json, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK)
        return;
    struct lt_json_iter iter = lt_json_iter(object);
    while (lt_json_next_member(&iter, &name, &value)) {
        char *header = lt_arena_str(call->arena, lt_json_string(name, call->arena));
        struct lt_slice text = lt_json_string(value, call->arena);
        bool checksum = header && !strncmp(header, "x-amz-checksum-", 15);
        if (!header || !text.data || (checksum && !checksums))
            continue;
        lt_s3_answer_header(call, header, text);
        if (checksum)
            lt_s3_answer_header_str(call, "x-amz-checksum-type", "FULL_OBJECT");
    }
}

struct lt_slice lt_s3_content_encoding(const struct lt_s3_call *call) {
    struct lt_slice rest = lt_s3_header(call, "Content-Encoding");
    struct lt_buf out;

    lt_buf_init(&out, 4096);
    while (rest.len) {
        const char *comma = memchr(rest.data, ',', rest.len);
        struct lt_slice one = lt_slice(rest.data, comma ? (size_t)(comma - rest.data) : rest.len);
        rest = lt_slice_from(rest, one.len + 1);
        while (one.len && one.data[0] == ' ')
            one = lt_slice_from(one, 1);
        while (one.len && one.data[one.len - 1] == ' ')
            one.len--;
        if (!one.len || lt_s3_name_is(one, "aws-chunked"))
            continue;
        if (out.len)
            lt_buf_append_byte(&out, ',');
        lt_buf_append(&out, one);
    }
    struct lt_slice text = lt_arena_dup(call->arena, lt_buf_slice(&out));
    lt_buf_deinit(&out);
    return text;
}
