/* SPDX-License-Identifier: Apache-2.0 */
/* PutRecord: one record, answered when it is on disk. And how any put waits for the disk. */
#include "base/base64.h"
#include "engine/kinesis/put.h"

enum { IN_DATA = LT_KINESIS_OWN, IN_KEY, IN_HASH, IN_ORDERING, IN_DRY_RUN };

static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "Data", .type = LT_SHAPE_BLOB, .required = true, .max = 10485760},
    {.name = "PartitionKey", .type = LT_SHAPE_STRING, .required = true, .min = 1, .max = 256},
    {.name = "ExplicitHashKey", .type = LT_SHAPE_STRING, .pattern = &lt_kinesis_pattern_hash_key},
    {.name = "SequenceNumberForOrdering",
     .type = LT_SHAPE_STRING,
     .pattern = &lt_kinesis_pattern_sequence},
    {.name = "DryRun", .type = LT_SHAPE_BOOLEAN},
};
const struct lt_shape lt_kinesis_put_record_input = LT_SHAPE(members);

/* On the loop. */
static void finish(struct lt_completion *completion) {
    struct lt_kinesis_put *put = (struct lt_kinesis_put *)completion;

    if (put->status == LEAT_OK)
        put->answer(put);
    lt_service_finish(put->call, put->status, &put->err);
}

/* On the journal's thread. */
static void on_durable(void *ctx, leat_status status, const struct leat_error *err) {
    struct lt_kinesis_put *put = ctx;

    put->status = status;
    if (status != LEAT_OK && err)
        put->err = *err;
    lt_completions_post(put->call->env->completions, &put->completion);
}

leat_status lt_kinesis_put_start(struct lt_service_call *call, struct lt_kinesis_put *put,
                                 struct leat_error *err) {
    leat_status status;

    put->call = call;
    put->completion.run = finish;
    /* Before: the other thread may be done at any moment from here on. */
    call->pending = true;
    status =
        lt_streams_put(call->env->streams, put->stream, put->records, put->n, on_durable, put, err);
    if (status != LEAT_OK)
        call->pending = false;
    return status;
}

static void answer(struct lt_kinesis_put *put) {
    char sequence[LT_SEQUENCE_DIGITS + 1];
    struct lt_json_writer w;

    lt_sequence_format(put->records->shard_uid, put->records->seq, sequence);
    lt_json_writer_init(&w, &put->call->out);
    lt_json_begin_object(&w);
    lt_kinesis_write_shard_id(&w, "ShardId", (int)put->records->shard_index);
    lt_json_key(&w, "SequenceNumber");
    lt_json_put_str(&w, sequence);
    lt_json_key(&w, "EncryptionType");
    lt_json_put_str(&w, "NONE");
    lt_json_end_object(&w);
}

static leat_status check_ordering(struct lt_service_call *call, const char *stream,
                                  struct leat_error *err) {
    struct lt_slice text = lt_service_string(call, IN_ORDERING);
    uint64_t uid, seq;

    /* Records of a shard are ordered in any case: there is nothing more to do for it. */
    if (!text.data || lt_sequence_parse(text, &uid, &seq))
        return LEAT_OK;
    return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                        "ExclusiveMinimumSequenceNumber %.*s used in PutRecord on stream %s under "
                        "account %s is invalid.",
                        LT_FMT(text), stream, LT_SERVICE_ACCOUNT);
}

leat_status lt_kinesis_put_record(struct lt_service_call *call, struct leat_error *err) {
    struct lt_kinesis_put *put = lt_arena_calloc(call->arena, 1, sizeof(*put));
    struct lt_streams_put *record = lt_arena_calloc(call->arena, 1, sizeof(*record));
    struct lt_slice text = lt_service_string(call, IN_DATA);
    char *data = lt_arena_alloc(call->arena, lt_base64_decoded_max(text.len));
    struct lt_streams_info info;
    leat_status status;

    if (!put || !record || !data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a record of %zu bytes", text.len);
    record->data = lt_slice(data, lt_base64_decode(text, data)); /* the shape says that it can */
    record->key = lt_service_string(call, IN_KEY);
    record->hash = lt_service_string(call, IN_HASH);
    put->records = record;
    put->n = 1;
    put->answer = answer;
    status = lt_kinesis_stream(call, &put->stream, err);
    if (status == LEAT_OK)
        status = lt_streams_info(call->env->streams, put->stream, &info, err);
    if (status == LEAT_OK)
        status = check_ordering(call, put->stream, err);
    if (status == LEAT_OK && record->data.len > info.max_record_bytes)
        status = lt_kinesis_too_large(err, "data", record->data.len, info.max_record_bytes);
    if (status == LEAT_OK)
        status = lt_kinesis_dry_run(call, IN_DRY_RUN, err);
    if (status == LEAT_OK)
        status = lt_kinesis_put_start(call, put, err);
    return status;
}
