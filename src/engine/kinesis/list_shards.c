/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListShards. A filter is one row: which shards of the kept ones it lets through, given a moment.
 * The token carries stream, filter and the next index, since a call with a token may say nothing
 * else.
 */
#include "base/clock.h"
#include "engine/kinesis/kinesis.h"

#include <stdio.h>

enum { DEFAULT_PAGE = 1000, HOUR_MS = 3600 * 1000 };
enum { IN_TOKEN = LT_KINESIS_OWN, IN_START, IN_MAX, IN_CREATED, IN_FILTER };
enum { FILTER_TYPE, FILTER_SHARD, FILTER_TIME, FILTER_N };
/* The token's numbers. */
enum { TOKEN_NEXT, TOKEN_FILTER, TOKEN_TIME, TOKEN_STREAM_ID };

static bool every(const struct lt_streams_shard *shard, int64_t time_ms) {
    (void)shard;
    (void)time_ms;
    return true;
}

static bool open_now(const struct lt_streams_shard *shard, int64_t time_ms) {
    (void)time_ms;
    return !shard->closed;
}

static bool open_at(const struct lt_streams_shard *shard, int64_t time_ms) {
    return shard->created_ms <= time_ms && (!shard->closed || shard->closed_ms >= time_ms);
}

static bool open_since(const struct lt_streams_shard *shard, int64_t time_ms) {
    return !shard->closed || shard->closed_ms >= time_ms;
}

/* In the order of the model's enumeration. */
enum {
    AFTER_SHARD_ID,
    AT_TRIM_HORIZON,
    FROM_TRIM_HORIZON,
    AT_LATEST,
    AT_TIMESTAMP,
    FROM_TIMESTAMP
};
static const char *const filter_types[] = {"AFTER_SHARD_ID",
                                           "AT_TRIM_HORIZON",
                                           "FROM_TRIM_HORIZON",
                                           "AT_LATEST",
                                           "AT_TIMESTAMP",
                                           "FROM_TIMESTAMP",
                                           NULL};
static const struct filter {
    bool (*takes)(const struct lt_streams_shard *shard, int64_t time_ms);
    bool with_time;
} filters[] = {
    [AFTER_SHARD_ID] = {every, false},    [AT_TRIM_HORIZON] = {open_at, false},
    [FROM_TRIM_HORIZON] = {every, false}, [AT_LATEST] = {open_now, false},
    [AT_TIMESTAMP] = {open_at, true},     [FROM_TIMESTAMP] = {open_since, true},
};

static const struct lt_shape_member filter_members[] = {
    [FILTER_TYPE] = {.name = "Type",
                     .type = LT_SHAPE_STRING,
                     .required = true,
                     .values = filter_types},
    [FILTER_SHARD] = {.name = "ShardId",
                      .type = LT_SHAPE_STRING,
                      .min = 1,
                      .max = 128,
                      .pattern = &lt_pattern_name},
    [FILTER_TIME] = {.name = "Timestamp", .type = LT_SHAPE_TIMESTAMP},
};
static const struct lt_shape filter_shape = LT_SHAPE(filter_members);

static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "NextToken", .type = LT_SHAPE_STRING, .min = 1, .max = 1048576},
    {.name = "ExclusiveStartShardId",
     .type = LT_SHAPE_STRING,
     .min = 1,
     .max = 128,
     .pattern = &lt_pattern_name},
    {.name = "MaxResults", .type = LT_SHAPE_INTEGER, .min = 1, .max = 10000},
    {.name = "StreamCreationTimestamp", .type = LT_SHAPE_TIMESTAMP},
    {.name = "ShardFilter", .type = LT_SHAPE_STRUCTURE, .shape = &filter_shape},
};
const struct lt_shape lt_kinesis_list_shards_input = LT_SHAPE(members);

static leat_status refuse(struct leat_error *err, const char *text) {
    return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException", "%s", text);
}

/* Where the call starts: from its token. */
static leat_status read_token(struct lt_service_call *call, struct lt_kinesis_token *where,
                              struct lt_streams_info *info, struct leat_error *err) {
    leat_status status;

    if (lt_service_has(call, LT_KINESIS_STREAM_NAME) || lt_service_has(call, LT_KINESIS_STREAM_ARN))
        return refuse(err, "NextToken and StreamName cannot be provided together.");
    if (lt_service_has(call, IN_START) || lt_service_has(call, IN_FILTER))
        return refuse(err, "NextToken cannot be provided together with ExclusiveStartShardId or "
                           "ShardFilter.");
    if (!lt_kinesis_token_parse(lt_service_string(call, IN_TOKEN), LT_KINESIS_TOKEN_SHARDS, where))
        return refuse(err, "Invalid NextToken.");
    if (lt_kinesis_token_is_expired(where))
        return lt_kinesis_token_expired(err);
    status = lt_streams_info(call->env->streams, where->name, info, err);
    if (status == LEAT_OK && info->id != where->n[TOKEN_STREAM_ID])
        return refuse(err, "The stream of this NextToken has been deleted since.");
    return status;
}

static leat_status read_filter(struct lt_service_call *call, struct lt_kinesis_token *where,
                               const struct lt_streams_info *info, struct leat_error *err) {
    int64_t now_ms = lt_clock_wall_ms();
    int64_t horizon_ms = now_ms - (int64_t)info->retention_hours * HOUR_MS;
    struct lt_json in[FILTER_N];
    struct lt_streams_shard shard;
    int64_t time_ms = 0;
    unsigned type = 0;
    leat_status status;

    lt_shape_pick(&filter_shape, call->in[IN_FILTER], in);
    while (!lt_json_string_is(in[FILTER_TYPE], lt_slice_str(filter_types[type])))
        type++; /* one of them it is: the shape says so */
    where->n[TOKEN_FILTER] = type;
    if (type == AFTER_SHARD_ID) {
        if (!in[FILTER_SHARD].raw.data)
            return refuse(err, "ShardId must be provided for ShardFilter type AFTER_SHARD_ID.");
        status = lt_kinesis_find_shard(call, info->name,
                                       lt_json_string(in[FILTER_SHARD], call->arena), &shard, err);
        if (status != LEAT_OK)
            return status;
        where->n[TOKEN_NEXT] = shard.index + 1;
        return LEAT_OK;
    }
    if (filters[type].with_time) {
        if (!in[FILTER_TIME].raw.data)
            return refuse(err, "Timestamp must be provided for ShardFilter types AT_TIMESTAMP and "
                               "FROM_TIMESTAMP.");
        time_ms = lt_kinesis_time_ms(in[FILTER_TIME]);
        if (time_ms > now_ms)
            return refuse(err, "The timestamp of a ShardFilter cannot be in the future.");
    }
    /* No moment before the horizon is known, and none before the stream's first. */
    if (time_ms < horizon_ms)
        time_ms = horizon_ms;
    if (time_ms < info->created_ms)
        time_ms = info->created_ms;
    where->n[TOKEN_TIME] = (uint64_t)time_ms;
    return LEAT_OK;
}

/* Where the call starts: from its other members. */
static leat_status read_members(struct lt_service_call *call, struct lt_kinesis_token *where,
                                struct lt_streams_info *info, struct leat_error *err) {
    struct lt_slice start = lt_service_string(call, IN_START);
    struct lt_streams_shard shard;
    const char *name;
    leat_status status;

    status = lt_kinesis_stream(call, &name, err);
    if (status == LEAT_OK)
        status = lt_streams_info(call->env->streams, name, info, err);
    if (status != LEAT_OK)
        return status;
    if (lt_service_has(call, IN_CREATED) &&
        lt_kinesis_time_ms(call->in[IN_CREATED]) / 1000 != info->created_ms / 1000)
        return lt_fail_code(err, LEAT_E_NOT_FOUND, "ResourceNotFoundException",
                            "Stream %s under account %s has not been created at that time.", name,
                            LT_SERVICE_ACCOUNT);
    snprintf(where->name, sizeof(where->name), "%s", name);
    where->n[TOKEN_FILTER] = FROM_TRIM_HORIZON;
    where->n[TOKEN_STREAM_ID] = info->id;
    if (start.data) {
        status = lt_kinesis_find_shard(call, name, start, &shard, err);
        if (status != LEAT_OK)
            return status;
        where->n[TOKEN_NEXT] = shard.index + 1;
    }
    return lt_service_has(call, IN_FILTER) ? read_filter(call, where, info, err) : LEAT_OK;
}

leat_status lt_kinesis_list_shards(struct lt_service_call *call, struct leat_error *err) {
    size_t max = (size_t)lt_service_int(call, IN_MAX, DEFAULT_PAGE);
    struct lt_kinesis_token where = {.kind = LT_KINESIS_TOKEN_SHARDS};
    struct lt_streams_shard *shards;
    struct lt_streams_info info;
    struct lt_json_writer w;
    bool more = false;
    size_t n, n_written = 0;
    leat_status status;

    if (!lt_service_has(call, IN_TOKEN) && !lt_service_has(call, LT_KINESIS_STREAM_NAME) &&
        !lt_service_has(call, LT_KINESIS_STREAM_ARN))
        return refuse(err, "Either NextToken or StreamName should be provided.");
    status = lt_service_has(call, IN_TOKEN) ? read_token(call, &where, &info, err)
                                            : read_members(call, &where, &info, err);
    if (status == LEAT_OK)
        status = lt_streams_shards(call->env->streams, where.name, call->arena, &shards, &n, err);
    if (status != LEAT_OK)
        return status;

    const struct filter *filter = &filters[where.n[TOKEN_FILTER]];
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "Shards");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < n && !more; i++) {
        if (shards[i].index < where.n[TOKEN_NEXT] ||
            !filter->takes(&shards[i], (int64_t)where.n[TOKEN_TIME]))
            continue;
        if (n_written == max) {
            where.n[TOKEN_NEXT] = shards[i].index;
            more = true;
            break;
        }
        lt_kinesis_write_shard(&w, &shards[i]);
        n_written++;
    }
    lt_json_end_array(&w);
    if (more)
        lt_kinesis_write_token(&w, "NextToken", where);
    lt_json_end_object(&w);
    return LEAT_OK;
}
