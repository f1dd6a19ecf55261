/* SPDX-License-Identifier: Apache-2.0 */
/* GetShardIterator: where to start in a shard, by one of five types, each a row. */
#include "base/clock.h"
#include "engine/kinesis/kinesis.h"

#include <stdio.h>

enum { IN_SHARD = LT_KINESIS_OWN, IN_TYPE, IN_SEQUENCE, IN_TIME, IN_DRY_RUN };

static const char *const types[] = {
    "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", NULL};
/* In the same order. */
static const enum lt_streams_from froms[] = {LT_STREAMS_AT_SEQUENCE, LT_STREAMS_AFTER_SEQUENCE,
                                             LT_STREAMS_TRIM_HORIZON, LT_STREAMS_LATEST,
                                             LT_STREAMS_AT_TIME};

static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "ShardId",
     .type = LT_SHAPE_STRING,
     .required = true,
     .min = 1,
     .max = 128,
     .pattern = &lt_pattern_name},
    {.name = "ShardIteratorType", .type = LT_SHAPE_STRING, .required = true, .values = types},
    {.name = "StartingSequenceNumber",
     .type = LT_SHAPE_STRING,
     .pattern = &lt_kinesis_pattern_sequence},
    {.name = "Timestamp", .type = LT_SHAPE_TIMESTAMP},
    {.name = "DryRun", .type = LT_SHAPE_BOOLEAN},
};
const struct lt_shape lt_kinesis_get_shard_iterator_input = LT_SHAPE(members);

static bool needs_sequence(enum lt_streams_from from) {
    return from == LT_STREAMS_AT_SEQUENCE || from == LT_STREAMS_AFTER_SEQUENCE;
}

/* A number of another shard of the same stream, or of none. */
static leat_status refuse_foreign(struct lt_service_call *call, const char *stream,
                                  const struct lt_streams_shard *shard, uint64_t uid,
                                  struct lt_slice text, struct leat_error *err) {
    struct lt_streams_shard *shards;
    char own[32], other[32];
    size_t n;
    leat_status status =
        lt_streams_shards(call->env->streams, stream, call->arena, &shards, &n, err);

    if (status != LEAT_OK)
        return status;
    lt_shard_id_format(shard->index, own);
    for (size_t i = 0; i < n; i++) {
        if (shards[i].uid != uid)
            continue;
        lt_shard_id_format(shards[i].index, other);
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "Invalid StartingSequenceNumber. It encodes %s, while it was used in a "
                            "call to a shard with %s",
                            other, own);
    }
    return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                        "StartingSequenceNumber %.*s used in GetShardIterator on shard %s in "
                        "stream %s under account %s is invalid because it did not come from this "
                        "stream.",
                        LT_FMT(text), own, stream, LT_SERVICE_ACCOUNT);
}

static leat_status read_sequence(struct lt_service_call *call, const char *stream,
                                 const struct lt_streams_shard *shard, uint64_t *seq,
                                 struct leat_error *err) {
    struct lt_slice text = lt_service_string(call, IN_SEQUENCE);
    struct lt_journal_shard stat;
    uint64_t uid = 0;
    char id[32];

    if (lt_sequence_parse(text, &uid, seq) && uid != shard->uid)
        return refuse_foreign(call, stream, shard, uid, text, err);
    lt_journal_stat(call->env->journal, shard->uid, &stat);
    /* One that was never given out: the reader would wait for it, and miss what comes before. */
    if (uid == shard->uid && *seq < stat.next)
        return LEAT_OK;
    lt_shard_id_format(shard->index, id);
    return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                        "StartingSequenceNumber %.*s used in GetShardIterator on shard %s in "
                        "stream %s under account %s is invalid.",
                        LT_FMT(text), id, stream, LT_SERVICE_ACCOUNT);
}

static leat_status read_time(struct lt_service_call *call, int64_t *time_ms,
                             struct leat_error *err) {
    int64_t now_ms = lt_clock_wall_ms();

    if (!lt_service_has(call, IN_TIME))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "Must specify timestampInMillis parameter for iterator of type "
                            "AT_TIMESTAMP. Current request has no timestamp parameter.");
    *time_ms = lt_kinesis_time_ms(call->in[IN_TIME]);
    if (*time_ms > now_ms)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "The timestampInMillis parameter cannot be greater than the "
                            "currentTimestampInMillis. timestampInMillis: %lld, "
                            "currentTimestampInMillis: %lld",
                            (long long)*time_ms, (long long)now_ms);
    return LEAT_OK;
}

static leat_status find_first(struct lt_service_call *call, const char *stream,
                              const struct lt_streams_shard *shard, uint64_t *first,
                              struct leat_error *err) {
    bool has_sequence = lt_service_has(call, IN_SEQUENCE);
    enum lt_streams_from from;
    uint64_t seq = 0;
    int64_t time_ms = 0;
    leat_status status = LEAT_OK;
    unsigned type = 0;

    while (!lt_json_string_is(call->in[IN_TYPE], lt_slice_str(types[type])))
        type++; /* one of them it is: the shape says so */
    from = froms[type];
    if (needs_sequence(from) != has_sequence)
        return lt_fail_code(
            err, LEAT_E_INVALID, "InvalidArgumentException",
            "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
            "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
            "Request specified %s and %s StartingSequenceNumber.",
            types[type], has_sequence ? "also a" : "no");
    if (has_sequence)
        status = read_sequence(call, stream, shard, &seq, err);
    else if (from == LT_STREAMS_AT_TIME)
        status = read_time(call, &time_ms, err);
    if (status != LEAT_OK)
        return status;
    return lt_streams_seek(call->env->streams, shard, from, seq, time_ms, first, err);
}

leat_status lt_kinesis_get_shard_iterator(struct lt_service_call *call, struct leat_error *err) {
    struct lt_kinesis_token iterator = {.kind = LT_KINESIS_TOKEN_ITERATOR};
    struct lt_streams_shard shard;
    struct lt_json_writer w;
    const char *stream;
    leat_status status;

    status = lt_kinesis_stream(call, &stream, err);
    if (status == LEAT_OK)
        status =
            lt_kinesis_find_shard(call, stream, lt_service_string(call, IN_SHARD), &shard, err);
    if (status == LEAT_OK)
        status = find_first(call, stream, &shard, &iterator.n[LT_KINESIS_ITERATOR_NEXT], err);
    if (status == LEAT_OK)
        status = lt_kinesis_dry_run(call, IN_DRY_RUN, err);
    if (status != LEAT_OK)
        return status;
    snprintf(iterator.name, sizeof(iterator.name), "%s", stream);
    iterator.n[LT_KINESIS_ITERATOR_INDEX] = shard.index;
    iterator.n[LT_KINESIS_ITERATOR_UID] = shard.uid;
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_kinesis_write_token(&w, "ShardIterator", iterator);
    lt_json_end_object(&w);
    return LEAT_OK;
}
