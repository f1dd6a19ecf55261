/* SPDX-License-Identifier: Apache-2.0 */
/* IncreaseStreamRetentionPeriod and DecreaseStreamRetentionPeriod. */
#include "engine/kinesis/kinesis.h"

enum { IN_HOURS = LT_KINESIS_OWN };
enum { MIN_HOURS = 24, MAX_HOURS = 8760 };

static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "RetentionPeriodHours", .type = LT_SHAPE_INTEGER, .required = true},
};
const struct lt_shape lt_kinesis_increase_retention_input = LT_SHAPE(members);
const struct lt_shape lt_kinesis_decrease_retention_input = LT_SHAPE(members);

static leat_status set(struct lt_service_call *call, bool increase, struct leat_error *err) {
    int64_t hours = lt_service_int(call, IN_HOURS, 0);
    struct lt_streams_info info;
    const char *name;
    leat_status status = lt_kinesis_stream(call, &name, err);

    if (status == LEAT_OK)
        status = lt_streams_info(call->env->streams, name, &info, err);
    if (status != LEAT_OK)
        return status;
    if (hours < MIN_HOURS || hours > MAX_HOURS)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "%s allowed retention period is %d hours. Requested retention period "
                            "(%lld hours) is too %s.",
                            hours < MIN_HOURS ? "Minimum" : "Maximum",
                            hours < MIN_HOURS ? MIN_HOURS : MAX_HOURS, (long long)hours,
                            hours < MIN_HOURS ? "short" : "long");
    if (increase ? hours < info.retention_hours : hours > info.retention_hours)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "Requested retention period (%lld hours) for stream %s can not be %s "
                            "than existing retention period (%u hours). Use %s API.",
                            (long long)hours, name, increase ? "shorter" : "longer",
                            info.retention_hours,
                            increase ? "DecreaseRetentionPeriod" : "IncreaseRetentionPeriod");
    return lt_streams_set_retention(call->env->streams, name, (unsigned)hours, err);
}

leat_status lt_kinesis_increase_retention(struct lt_service_call *call, struct leat_error *err) {
    return set(call, true, err);
}

leat_status lt_kinesis_decrease_retention(struct lt_service_call *call, struct leat_error *err) {
    return set(call, false, err);
}
