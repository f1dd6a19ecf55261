/* SPDX-License-Identifier: Apache-2.0 */
/* CreateStream. The stream is ACTIVE when the call returns. */
#include "engine/kinesis/kinesis.h"

enum { ON_DEMAND_SHARDS = 4 };
enum { IN_NAME, IN_SHARD_COUNT, IN_MODE, IN_MAX_RECORD_KIB, IN_DISTRIBUTION };

static const char *const distributions[] = {"AUTO", "USER_PARTITION_KEY", NULL};
static const char *const modes[] = {"PROVISIONED", "ON_DEMAND", NULL};
static const struct lt_shape_member mode_members[] = {
    {.name = "StreamMode", .type = LT_SHAPE_STRING, .required = true, .values = modes},
};
static const struct lt_shape mode_shape = LT_SHAPE(mode_members);

static const struct lt_shape_member members[] = {
    [IN_NAME] = {.name = "StreamName",
                 .type = LT_SHAPE_STRING,
                 .required = true,
                 .min = 1,
                 .max = 128,
                 .pattern = &lt_pattern_name},
    [IN_SHARD_COUNT] = {.name = "ShardCount", .type = LT_SHAPE_INTEGER, .min = 1},
    [IN_MODE] = {.name = "StreamModeDetails", .type = LT_SHAPE_STRUCTURE, .shape = &mode_shape},
    [IN_MAX_RECORD_KIB] = {.name = "MaxRecordSizeInKiB",
                           .type = LT_SHAPE_INTEGER,
                           .min = 1024,
                           .max = 10240},
    [IN_DISTRIBUTION] = {.name = "RecordDistributionStrategy",
                         .type = LT_SHAPE_STRING,
                         .values = distributions},
};
const struct lt_shape lt_kinesis_create_stream_input = LT_SHAPE(members);

leat_status lt_kinesis_create_stream(struct lt_service_call *call, struct leat_error *err) {
    const char *name = lt_service_cstr(call, IN_NAME);
    int64_t n_shards = lt_service_int(call, IN_SHARD_COUNT, 0);
    int64_t max_kib = lt_service_int(call, IN_MAX_RECORD_KIB, 1024);
    bool on_demand = false;
    struct lt_json mode;

    if (!name)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a stream's name");
    if (lt_json_get(call->in[IN_MODE], "StreamMode", &mode))
        on_demand = lt_json_string_is(mode, LT_LIT("ON_DEMAND"));
    if (lt_slice_eq_str(lt_service_string(call, IN_DISTRIBUTION), "AUTO"))
        return lt_fail_code(err, LEAT_E_UNSUPPORTED, "ValidationException",
                            "RecordDistributionStrategy AUTO is not done here: records go to the "
                            "shard of their partition key");
    if (on_demand && n_shards > 0)
        return lt_fail_code(err, LEAT_E_INVALID, "ValidationException",
                            "ShardCount is not expected when StreamMode=ON_DEMAND");
    if (!on_demand && n_shards == 0)
        return lt_fail_code(err, LEAT_E_INVALID, "ValidationException",
                            "1 validation error detected: Value null at 'shardCount' failed to "
                            "satisfy constraint: Member must not be null");
    if (n_shards > UINT16_MAX)
        n_shards = UINT16_MAX; /* over the limit either way */
    return lt_streams_create(call->env->streams, name,
                             on_demand ? ON_DEMAND_SHARDS : (unsigned)n_shards, false, on_demand,
                             (unsigned)max_kib << 10, err);
}
