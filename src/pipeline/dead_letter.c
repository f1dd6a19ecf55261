/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/dead_letter.h"

#include "base/base64.h"
#include "base/clock.h"
#include "json/json.h"

/* base64 of a part, its key and the words around it stay under a stream's 1 MiB */
enum { PART_BYTES = 700000, LETTER_MAX_BYTES = 4 << 20, MESSAGE_MAX_BYTES = 4096 };

unsigned lt_dead_letter_parts(size_t len) {
    return len ? (unsigned)((len + PART_BYTES - 1) / PART_BYTES) : 1;
}

static void put_text(struct lt_json_writer *w, const char *key, struct lt_slice text) {
    if (!text.len)
        return;
    lt_json_key(w, key);
    lt_json_put_string(w, text);
}

static struct lt_slice part_of(const struct lt_dead_letter *letter) {
    if (letter->parts <= 1)
        return letter->data;
    struct lt_slice rest =
        lt_slice_from(letter->data, (size_t)(letter->part - 1) * (size_t)PART_BYTES);
    return lt_slice(rest.data, rest.len < PART_BYTES ? rest.len : PART_BYTES);
}

struct lt_slice lt_dead_letter_write(const struct lt_dead_letter *letter, struct lt_arena *arena) {
    struct lt_buf buf;
    struct lt_json_writer w;
    struct lt_slice message = letter->message;
    struct lt_slice text = {NULL, 0};

    if (message.len > MESSAGE_MAX_BYTES)
        message.len = MESSAGE_MAX_BYTES;
    lt_buf_init(&buf, LETTER_MAX_BYTES);
    lt_json_writer_init(&w, &buf);
    lt_json_begin_object(&w);
    lt_json_key(&w, "attemptsMade");
    lt_json_put_int(&w, 1);
    lt_json_key(&w, "arrivalTimestamp");
    lt_json_put_int(&w, letter->arrival_ms);
    put_text(&w, "errorCode", letter->code);
    put_text(&w, "errorMessage", message);
    lt_json_key(&w, "attemptEndingTimestamp");
    lt_json_put_int(&w, lt_clock_wall_ms());
    put_text(&w, "pipeline", letter->pipeline);
    put_text(&w, "expression", letter->expression);
    put_text(&w, "stream", letter->stream);
    put_text(&w, "shardId", letter->shard);
    put_text(&w, "sequenceNumber", letter->sequence);
    put_text(&w, "partitionKey", letter->key);
    put_text(&w, "resource", letter->resource);
    put_text(&w, "url", letter->url);
    if (letter->parts > 1) {
        lt_json_key(&w, "part");
        lt_json_put_int(&w, letter->part);
        lt_json_key(&w, "parts");
        lt_json_put_int(&w, letter->parts);
    }
    lt_json_key(&w, "rawData");
    lt_json_put_base64(&w, part_of(letter));
    lt_json_end_object(&w);
    if (!buf.failed)
        text = lt_arena_dup(arena, lt_buf_slice(&buf));
    lt_buf_deinit(&buf);
    return text;
}

static struct lt_slice text_of(struct lt_json doc, const char *name, struct lt_arena *arena) {
    struct lt_json value;
    if (!lt_json_get(doc, name, &value) || value.type != LT_JSON_STRING)
        return lt_slice(NULL, 0);
    return lt_json_string(value, arena);
}

static int64_t int_of(struct lt_json doc, const char *name, int64_t without) {
    struct lt_json value;
    int64_t number;
    return lt_json_get(doc, name, &value) && lt_json_int64(value, &number) ? number : without;
}

leat_status lt_dead_letter_read(struct lt_dead_letter *out, struct lt_slice text,
                                struct lt_arena *arena, struct leat_error *err) {
    struct lt_json doc, raw;
    leat_status status = lt_json_parse(&doc, text, LT_JSON_DEFAULT_DEPTH, err);

    if (status != LEAT_OK)
        return lt_error_prefix(err, "not a dead letter");
    if (!lt_json_get(doc, "rawData", &raw) || raw.type != LT_JSON_STRING)
        return lt_fail(err, LEAT_E_PARSE, 0, "not a dead letter: it has no rawData");
    struct lt_slice encoded = lt_json_string(raw, arena);
    char *data = encoded.data ? lt_arena_alloc(arena, lt_base64_decoded_max(encoded.len)) : NULL;
    if (!data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a dead letter of %zu bytes", text.len);
    size_t len = lt_base64_decode(encoded, data);
    if (len == SIZE_MAX)
        return lt_fail(err, LEAT_E_PARSE, 0, "not a dead letter: rawData is not base64");
    *out = (struct lt_dead_letter){
        .pipeline = text_of(doc, "pipeline", arena),
        .code = text_of(doc, "errorCode", arena),
        .message = text_of(doc, "errorMessage", arena),
        .expression = text_of(doc, "expression", arena),
        .stream = text_of(doc, "stream", arena),
        .shard = text_of(doc, "shardId", arena),
        .sequence = text_of(doc, "sequenceNumber", arena),
        .key = text_of(doc, "partitionKey", arena),
        .resource = text_of(doc, "resource", arena),
        .url = text_of(doc, "url", arena),
        .arrival_ms = int_of(doc, "arrivalTimestamp", 0),
        .data = lt_slice(data, len),
        .part = (unsigned)int_of(doc, "part", 1),
        .parts = (unsigned)int_of(doc, "parts", 1),
    };
    return LEAT_OK;
}
