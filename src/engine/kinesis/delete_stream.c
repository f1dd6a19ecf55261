/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteStream. The stream is gone when the call returns; its disk is freed later. */
#include "engine/kinesis/kinesis.h"

static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "EnforceConsumerDeletion", .type = LT_SHAPE_BOOLEAN},
};
const struct lt_shape lt_kinesis_delete_stream_input = LT_SHAPE(members);

leat_status lt_kinesis_delete_stream(struct lt_service_call *call, struct leat_error *err) {
    const char *name;
    leat_status status = lt_kinesis_stream(call, &name, err);

    return status == LEAT_OK ? lt_streams_remove(call->env->streams, name, err) : status;
}
