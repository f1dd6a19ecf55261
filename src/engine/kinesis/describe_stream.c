/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeStream: a stream and up to 100 of its shards, and DescribeStreamSummary without them. */
#include "engine/kinesis/kinesis.h"

enum { MAX_PAGE = 100 };
enum { IN_LIMIT = LT_KINESIS_OWN, IN_START };

static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "Limit", .type = LT_SHAPE_INTEGER, .min = 1, .max = 10000},
    {.name = "ExclusiveStartShardId",
     .type = LT_SHAPE_STRING,
     .min = 1,
     .max = 128,
     .pattern = &lt_pattern_name},
};
const struct lt_shape lt_kinesis_describe_stream_input = LT_SHAPE(members);

static const struct lt_shape_member summary_members[] = {LT_KINESIS_STREAM_ROWS};
const struct lt_shape lt_kinesis_describe_stream_summary_input = LT_SHAPE(summary_members);

/* Index of the first shard after ExclusiveStartShardId. */
static leat_status find_start(struct lt_service_call *call, const char *name,
                              const struct lt_streams_shard *shards, size_t n, size_t *at,
                              struct leat_error *err) {
    struct lt_slice id = lt_service_string(call, IN_START);
    struct lt_streams_shard start;

    *at = 0;
    if (!id.data)
        return LEAT_OK;
    leat_status status = lt_kinesis_find_shard(call, name, id, &start, err);
    while (status == LEAT_OK && *at < n && shards[*at].index <= start.index)
        ++*at;
    return status;
}

leat_status lt_kinesis_describe_stream(struct lt_service_call *call, struct leat_error *err) {
    size_t limit = (size_t)lt_service_int(call, IN_LIMIT, MAX_PAGE);
    struct lt_streams_shard *shards;
    struct lt_streams_info info;
    struct lt_json_writer w;
    const char *name;
    size_t n, at;
    leat_status status;

    status = lt_kinesis_stream(call, &name, err);
    if (status == LEAT_OK)
        status = lt_streams_info(call->env->streams, name, &info, err);
    if (status == LEAT_OK)
        status = lt_streams_shards(call->env->streams, name, call->arena, &shards, &n, err);
    if (status == LEAT_OK)
        status = find_start(call, name, shards, n, &at, err);
    if (status != LEAT_OK)
        return status;
    if (limit > MAX_PAGE)
        limit = MAX_PAGE;

    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "StreamDescription");
    lt_json_begin_object(&w);
    lt_kinesis_write_stream(&w, &info);
    lt_json_key(&w, "Shards");
    lt_json_begin_array(&w);
    for (; limit > 0 && at < n; at++, limit--)
        lt_kinesis_write_shard(&w, &shards[at]);
    lt_json_end_array(&w);
    lt_json_key(&w, "HasMoreShards");
    lt_json_put_bool(&w, at < n);
    lt_json_end_object(&w);
    lt_json_end_object(&w);
    return LEAT_OK;
}

leat_status lt_kinesis_describe_stream_summary(struct lt_service_call *call,
                                               struct leat_error *err) {
    struct lt_streams_info info;
    struct lt_json_writer w;
    const char *name;
    leat_status status;

    status = lt_kinesis_stream(call, &name, err);
    if (status == LEAT_OK)
        status = lt_streams_info(call->env->streams, name, &info, err);
    if (status != LEAT_OK)
        return status;
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "StreamDescriptionSummary");
    lt_json_begin_object(&w);
    lt_kinesis_write_stream(&w, &info);
    lt_json_key(&w, "OpenShardCount");
    lt_json_put_uint(&w, info.n_open_shards);
    lt_json_key(&w, "ConsumerCount");
    lt_json_put_uint(&w, 0);
    lt_json_key(&w, "MaxRecordSizeInKiB");
    lt_json_put_uint(&w, info.max_record_bytes >> 10);
    lt_json_end_object(&w);
    lt_json_end_object(&w);
    return LEAT_OK;
}
