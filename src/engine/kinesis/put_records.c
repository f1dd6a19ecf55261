/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutRecords, the engine's most called operation. The body is validated once as JSON; then one walk
 * over the records decodes their data side by side into one piece of memory, from where the journal
 * copies it. The walk only tells good from bad: for the words of an error, the body is checked
 * once more against the whole shape.
 */
#include "base/base64.h"
#include "engine/kinesis/put.h"

#include <stdio.h>

enum { IN_RECORDS = LT_KINESIS_OWN, IN_DRY_RUN };
enum { ENTRY_DATA, ENTRY_KEY, ENTRY_HASH, ENTRY_N };
enum { MAX_RECORDS = 500, MAX_BYTES = 10 << 20, MAX_KEY = 256, ANSWER_OVERHEAD = 128 };

static const struct lt_shape_member entry_members[] = {
    [ENTRY_DATA] = {.name = "Data", .type = LT_SHAPE_BLOB, .required = true, .max = 10485760},
    [ENTRY_KEY] = {.name = "PartitionKey",
                   .type = LT_SHAPE_STRING,
                   .required = true,
                   .min = 1,
                   .max = MAX_KEY},
    [ENTRY_HASH] = {.name = "ExplicitHashKey",
                    .type = LT_SHAPE_STRING,
                    .pattern = &lt_kinesis_pattern_hash_key},
};
static const struct lt_shape entry_shape = LT_SHAPE(entry_members);
static const struct lt_shape_member entry = {.type = LT_SHAPE_STRUCTURE, .shape = &entry_shape};

/* What is checked ahead: all but the records. */
static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "Records", .type = LT_SHAPE_LIST, .required = true},
    {.name = "DryRun", .type = LT_SHAPE_BOOLEAN},
};
const struct lt_shape lt_kinesis_put_records_input = LT_SHAPE(members);

static const struct lt_shape_member whole_members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "Records",
     .type = LT_SHAPE_LIST,
     .required = true,
     .min = 1,
     .max = MAX_RECORDS,
     .element = &entry},
};
static const struct lt_shape whole_shape = LT_SHAPE(whole_members);

/* The string's bytes; `data` NULL when it is not a string. */
static struct lt_slice text_of(struct lt_json value, struct lt_arena *arena) {
    if (!value.raw.data || value.type != LT_JSON_STRING)
        return (struct lt_slice){NULL, 0};
    return lt_json_string(value, arena);
}

static bool is_key(struct lt_slice key) {
    size_t n = key.len;

    if (n > MAX_KEY) /* in characters it may be less */
        for (size_t i = 0; i < key.len; i++)
            n -= ((unsigned char)key.data[i] & 0xC0) == 0x80;
    return key.data && n >= 1 && n <= MAX_KEY;
}

/* Reads one record, its data to `*room`. False when anything is not as it should be. */
static bool read_record(struct lt_json json, struct lt_streams_put *record, char **room,
                        struct lt_arena *arena) {
    struct lt_json in[ENTRY_N];
    struct lt_slice text;
    size_t len;

    if (json.type != LT_JSON_OBJECT)
        return false;
    lt_shape_pick(&entry_shape, json, in);
    record->key = text_of(in[ENTRY_KEY], arena);
    text = text_of(in[ENTRY_DATA], arena);
    if (!is_key(record->key) || !text.data)
        return false;
    len = lt_base64_decode(text, *room);
    if (len == SIZE_MAX || len > (size_t)entry_members[ENTRY_DATA].max)
        return false;
    record->data = lt_slice(*room, len);
    *room += len;
    if (in[ENTRY_HASH].raw.data) {
        record->hash = text_of(in[ENTRY_HASH], arena);
        if (!record->hash.data || !lt_kinesis_pattern_hash_key.matches(record->hash))
            return false;
    }
    return true;
}

/* The number of records read, or SIZE_MAX when one is not as it should be, or there is none. */
static size_t read_records(struct lt_service_call *call, struct lt_streams_put *records,
                           char *room) {
    struct lt_json_iter iter = lt_json_iter(call->in[IN_RECORDS]);
    struct lt_json json;
    size_t n = 0;

    while (lt_json_next(&iter, &json)) {
        if (n == MAX_RECORDS || !read_record(json, &records[n], &room, call->arena))
            return SIZE_MAX;
        n++;
    }
    return n > 0 ? n : SIZE_MAX;
}

static leat_status refuse(struct lt_service_call *call, struct leat_error *err) {
    struct lt_json values[LT_SHAPE_MAX_MEMBERS];
    leat_status status = lt_shape_check(&whole_shape, call->body, "", call->arena, values, err);

    if (status == LEAT_OK)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the records");
    return status;
}

static leat_status check_sizes(const struct lt_kinesis_put *put, unsigned max_record_bytes,
                               struct leat_error *err) {
    size_t n_bytes = 0;
    char path[48];

    for (size_t i = 0; i < put->n; i++) {
        n_bytes += put->records[i].data.len + put->records[i].key.len;
        if (put->records[i].data.len <= max_record_bytes)
            continue;
        snprintf(path, sizeof(path), "records.%zu.member.data", i + 1);
        return lt_kinesis_too_large(err, path, put->records[i].data.len, max_record_bytes);
    }
    if (n_bytes > MAX_BYTES)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "Records size exceeds 10 MB limit");
    return LEAT_OK;
}

static char *put_text(char *at, const char *text) {
    return stpcpy(at, text);
}

static void answer(struct lt_kinesis_put *put) {
    struct lt_buf *out = &put->call->out;
    char *start = lt_buf_reserve(out, put->n * ANSWER_OVERHEAD + 256);
    char *at = start;
    char id[32];

    if (!at)
        return;
    at = put_text(at, "{\"FailedRecordCount\":0,\"Records\":[");
    for (size_t i = 0; i < put->n; i++) {
        const struct lt_streams_put *record = &put->records[i];
        at = put_text(at, i > 0 ? ",{\"SequenceNumber\":\"" : "{\"SequenceNumber\":\"");
        lt_sequence_format(record->shard_uid, record->seq, at);
        at = put_text(at + LT_SEQUENCE_DIGITS, "\",\"ShardId\":\"");
        lt_shard_id_format(record->shard_index, id);
        at = put_text(at, id);
        at = put_text(at, "\"}");
    }
    at = put_text(at, "],\"EncryptionType\":\"NONE\"}");
    lt_buf_commit(out, (size_t)(at - start));
}

/* All records failed, each for itself, as the service says it when a shard takes no more. */
static void answer_throttled(struct lt_kinesis_put *put) {
    struct lt_json_writer w;
    char message[256], id[32];

    lt_json_writer_init(&w, &put->call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "FailedRecordCount");
    lt_json_put_uint(&w, put->n);
    lt_json_key(&w, "Records");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < put->n; i++) {
        lt_shard_id_format(put->records[i].shard_index, id);
        snprintf(message, sizeof(message),
                 "Rate exceeded for shard %s in stream %s under account "
                 "%s.",
                 id, put->stream, LT_SERVICE_ACCOUNT);
        lt_json_begin_object(&w);
        lt_json_key(&w, "ErrorCode");
        lt_json_put_str(&w, "ProvisionedThroughputExceededException");
        lt_json_key(&w, "ErrorMessage");
        lt_json_put_str(&w, message);
        lt_json_end_object(&w);
    }
    lt_json_end_array(&w);
    lt_json_end_object(&w);
}

leat_status lt_kinesis_put_records(struct lt_service_call *call, struct leat_error *err) {
    struct lt_kinesis_put *put = lt_arena_calloc(call->arena, 1, sizeof(*put));
    struct lt_streams_put *records = lt_arena_calloc(call->arena, MAX_RECORDS, sizeof(*records));
    /* Decoded data is shorter than its text; the decoder may write a little past its end. */
    char *room = lt_arena_alloc(call->arena, lt_base64_decoded_max(call->body.raw.len) + 64);
    struct lt_streams_info info;
    leat_status status;

    if (!put || !records || !room)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a body of %zu bytes",
                       call->body.raw.len);
    put->records = records;
    put->answer = answer;
    put->n = read_records(call, records, room);
    if (put->n == SIZE_MAX)
        return refuse(call, err);
    status = lt_kinesis_stream(call, &put->stream, err);
    if (status == LEAT_OK)
        status = lt_streams_info(call->env->streams, put->stream, &info, err);
    if (status == LEAT_OK)
        status = check_sizes(put, info.max_record_bytes, err);
    if (status == LEAT_OK)
        status = lt_kinesis_dry_run(call, IN_DRY_RUN, err);
    if (status == LEAT_OK)
        status = lt_kinesis_put_start(call, put, err);
    if (status == LEAT_E_THROTTLED) {
        answer_throttled(put);
        status = LEAT_OK;
    }
    return status;
}
