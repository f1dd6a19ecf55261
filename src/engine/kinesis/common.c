/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations share: naming a stream, patterns of the model, and pieces of answers. */
#include "engine/kinesis/kinesis.h"

#include <math.h>
#include <stdio.h>

#define ARN_PREFIX "arn:aws:kinesis:" LT_SERVICE_REGION ":" LT_SERVICE_ACCOUNT ":stream/"

/* The name in "arn:aws…:kinesis:REGION:ACCOUNT:stream/NAME"; `data` NULL when it is none. */
static struct lt_slice name_in_arn(struct lt_slice arn) {
    static const struct lt_slice none = {NULL, 0};
    static const char mark[] = ":stream/";
    const char *at = memmem(arn.data, arn.len, mark, sizeof(mark) - 1);
    const char *end = arn.data + arn.len;
    const char *account;

    if (!at || !lt_slice_starts(arn, LT_LIT("arn:aws")) || at - arn.data < 12)
        return none;
    account = at - 12;
    for (int i = 0; i < 12; i++)
        if (account[i] < '0' || account[i] > '9')
            return none;
    if (account == arn.data || account[-1] != ':' ||
        !memmem(arn.data, (size_t)(account - arn.data), ":kinesis:", 9))
        return none;
    at += sizeof(mark) - 1;
    for (const char *c = at; c < end; c++)
        if ((unsigned char)*c <= ' ')
            return none;
    return at < end ? lt_slice(at, (size_t)(end - at)) : none;
}

static bool is_arn(struct lt_slice value) {
    return name_in_arn(value).data != NULL;
}

static bool is_number(struct lt_slice value, size_t max_digits) {
    if (value.len == 0 || value.len > max_digits || (value.data[0] == '0' && value.len > 1))
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
    return true;
}

static bool is_sequence(struct lt_slice value) {
    return is_number(value, 129);
}

static bool is_hash_key(struct lt_slice value) {
    return is_number(value, 39);
}

const struct lt_shape_pattern lt_kinesis_pattern_arn = {"arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+",
                                                        is_arn};
const struct lt_shape_pattern lt_kinesis_pattern_sequence = {"0|([1-9]\\d{0,128})", is_sequence};
const struct lt_shape_pattern lt_kinesis_pattern_hash_key = {"0|([1-9]\\d{0,38})", is_hash_key};

leat_status lt_kinesis_stream(struct lt_service_call *call, const char **name,
                              struct leat_error *err) {
    struct lt_slice arn = lt_service_string(call, LT_KINESIS_STREAM_ARN);
    struct lt_slice given = lt_service_string(call, LT_KINESIS_STREAM_NAME);
    struct lt_slice in_arn = arn.data ? name_in_arn(arn) : given;

    if (!given.data && !arn.data)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "Either StreamName or StreamARN must be provided.");
    if (given.data && !lt_slice_eq(given, in_arn))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "StreamName %.*s and StreamARN %.*s do not name the same stream.",
                            LT_FMT(given), LT_FMT(arn));
    *name = lt_arena_str(call->arena, in_arn);
    return *name ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a stream's name");
}

leat_status lt_kinesis_dry_run(const struct lt_service_call *call, size_t member,
                               struct leat_error *err) {
    if (!lt_service_bool(call, member, false))
        return LEAT_OK;
    return lt_fail_code(err, LEAT_E_INVALID, "DryRunOperationException",
                        "The request was rejected because the DryRun parameter was specified.");
}

leat_status lt_kinesis_find_shard(struct lt_service_call *call, const char *stream,
                                  struct lt_slice id, struct lt_streams_shard *shard,
                                  struct leat_error *err) {
    unsigned index;

    if (!lt_shard_id_parse(id, &index))
        return lt_fail_code(err, LEAT_E_NOT_FOUND, "ResourceNotFoundException",
                            "Could not find shard %.*s in stream %s under account %s.", LT_FMT(id),
                            stream, LT_SERVICE_ACCOUNT);
    return lt_streams_shard(call->env->streams, stream, index, shard, err);
}

void lt_kinesis_write_arn(struct lt_json_writer *w, const char *stream) {
    char arn[sizeof(ARN_PREFIX) + 129];

    snprintf(arn, sizeof(arn), ARN_PREFIX "%s", stream);
    lt_json_key(w, "StreamARN");
    lt_json_put_str(w, arn);
}

void lt_kinesis_write_mode(struct lt_json_writer *w, bool on_demand) {
    lt_json_key(w, "StreamModeDetails");
    lt_json_begin_object(w);
    lt_json_key(w, "StreamMode");
    lt_json_put_str(w, on_demand ? "ON_DEMAND" : "PROVISIONED");
    lt_json_end_object(w);
}

void lt_kinesis_write_hash_range(struct lt_json_writer *w, const struct lt_streams_shard *shard) {
    char key[LT_HASH_KEY_TEXT];

    lt_json_key(w, "HashKeyRange");
    lt_json_begin_object(w);
    lt_hash_key_format(shard->hash_first, key);
    lt_json_key(w, "StartingHashKey");
    lt_json_put_str(w, key);
    lt_hash_key_format(shard->hash_last, key);
    lt_json_key(w, "EndingHashKey");
    lt_json_put_str(w, key);
    lt_json_end_object(w);
}

void lt_kinesis_write_shard_id(struct lt_json_writer *w, const char *key, int index) {
    char id[32];

    if (index < 0)
        return;
    lt_shard_id_format((unsigned)index, id);
    if (key)
        lt_json_key(w, key);
    lt_json_put_str(w, id);
}

void lt_kinesis_write_shard(struct lt_json_writer *w, const struct lt_streams_shard *shard) {
    char sequence[LT_SEQUENCE_DIGITS + 1];

    lt_json_begin_object(w);
    lt_kinesis_write_shard_id(w, "ShardId", (int)shard->index);
    lt_kinesis_write_shard_id(w, "ParentShardId", shard->parent);
    lt_kinesis_write_shard_id(w, "AdjacentParentShardId", shard->adjacent_parent);
    lt_kinesis_write_hash_range(w, shard);
    lt_json_key(w, "SequenceNumberRange");
    lt_json_begin_object(w);
    /* Records begin with 1: the shard's own first number is before all of them. */
    lt_sequence_format(shard->uid, 0, sequence);
    lt_json_key(w, "StartingSequenceNumber");
    lt_json_put_str(w, sequence);
    if (shard->closed) {
        lt_sequence_format(shard->uid, shard->closed_after, sequence);
        lt_json_key(w, "EndingSequenceNumber");
        lt_json_put_str(w, sequence);
    }
    lt_json_end_object(w);
    lt_json_end_object(w);
}

void lt_kinesis_write_stream(struct lt_json_writer *w, const struct lt_streams_info *info) {
    lt_json_key(w, "StreamName");
    lt_json_put_str(w, info->name);
    lt_kinesis_write_arn(w, info->name);
    lt_json_key(w, "StreamStatus");
    lt_json_put_str(w, "ACTIVE");
    lt_kinesis_write_mode(w, info->on_demand);
    lt_json_key(w, "RetentionPeriodHours");
    lt_json_put_uint(w, info->retention_hours);
    lt_json_key(w, "StreamCreationTimestamp");
    lt_json_put_epoch(w, info->created_ms);
    lt_json_key(w, "EnhancedMonitoring");
    lt_json_begin_array(w);
    lt_json_begin_object(w);
    lt_json_key(w, "ShardLevelMetrics");
    lt_json_begin_array(w);
    lt_json_end_array(w);
    lt_json_end_object(w);
    lt_json_end_array(w);
    lt_json_key(w, "EncryptionType");
    lt_json_put_str(w, "NONE");
}

int64_t lt_kinesis_time_ms(struct lt_json value) {
    double seconds = 0;

    if (!lt_json_double(value, &seconds) || seconds < 0)
        return 0;
    return seconds > 9e15 ? INT64_MAX : (int64_t)llround(seconds * 1000);
}

leat_status lt_kinesis_too_large(struct leat_error *err, const char *path, size_t len,
                                 unsigned max) {
    return lt_fail_code(err, LEAT_E_INVALID, "ValidationException",
                        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=%zu "
                        "cap=%zu]' at '%s' failed to satisfy constraint: Member must have length "
                        "less than or equal to %u",
                        len, len, path, max);
}
