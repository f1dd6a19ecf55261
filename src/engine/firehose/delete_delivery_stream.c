/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteDeliveryStream: it is gone when this is answered; objects stay. */
#include "engine/firehose/firehose.h"

enum { IN_NAME, IN_FORCE };

static const struct lt_shape_member members[] = {
    [IN_NAME] = LT_FIREHOSE_NAME_ROW,
    [IN_FORCE] = {.name = "AllowForceDelete", .type = LT_SHAPE_BOOLEAN},
};
const struct lt_shape lt_firehose_delete_delivery_stream_input = LT_SHAPE(members);

leat_status lt_firehose_delete_delivery_stream(struct lt_service_call *call,
                                               struct leat_error *err) {
    const char *name = lt_service_cstr(call, IN_NAME);

    if (!name)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the request");
    lt_buf_append_str(&call->out, "{}");
    leat_status status =
        lt_deliveries_remove(call->env->deliveries, name, lt_firehose_answer, call, err);
    call->pending = status == LEAT_OK;
    return status;
}
