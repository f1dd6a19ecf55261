/* SPDX-License-Identifier: Apache-2.0 */
/* ListDeliveryStreams: names in order, ten a page unless the caller says otherwise. */
#include "engine/firehose/firehose.h"

enum { IN_LIMIT, IN_TYPE, IN_AFTER };
enum { DEFAULT_LIMIT = 10 };

static const struct lt_shape_member members[] = {
    [IN_LIMIT] = {.name = "Limit", .type = LT_SHAPE_INTEGER, .min = 1, .max = 10000},
    [IN_TYPE] = {.name = "DeliveryStreamType",
                 .type = LT_SHAPE_STRING,
                 .values = lt_firehose_types},
    [IN_AFTER] = {.name = "ExclusiveStartDeliveryStreamName",
                  .type = LT_SHAPE_STRING,
                  .min = 1,
                  .max = 64,
                  .pattern = &lt_pattern_name},
};
const struct lt_shape lt_firehose_list_delivery_streams_input = LT_SHAPE(members);

/* The next one of the type ("": any). */
static const struct lt_delivery_config *next(struct lt_deliveries *deliveries, const char *after,
                                             struct lt_slice type) {
    const struct lt_delivery_config *config;

    for (config = lt_deliveries_next(deliveries, after); config;
         config = lt_deliveries_next(deliveries, config->name))
        if (!type.data || lt_slice_eq_str(type, lt_firehose_types[config->direct_put ? 0 : 1]))
            return config;
    return NULL;
}

leat_status lt_firehose_list_delivery_streams(struct lt_service_call *call,
                                              struct leat_error *err) {
    struct lt_deliveries *deliveries = call->env->deliveries;
    int64_t limit = lt_service_int(call, IN_LIMIT, DEFAULT_LIMIT);
    struct lt_slice type = lt_service_string(call, IN_TYPE);
    const char *after = lt_service_cstr(call, IN_AFTER);
    const struct lt_delivery_config *config = next(deliveries, after ? after : "", type);
    struct lt_json_writer w;

    (void)err;
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "DeliveryStreamNames");
    lt_json_begin_array(&w);
    for (; config && limit > 0; limit--) {
        lt_json_put_str(&w, config->name);
        config = next(deliveries, config->name, type);
    }
    lt_json_end_array(&w);
    lt_json_key(&w, "HasMoreDeliveryStreams");
    lt_json_put_bool(&w, config != NULL);
    lt_json_end_object(&w);
    return LEAT_OK;
}
