/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeDeliveryStream: what was asked for at creation, kept in the delivery's document. */
#include "engine/firehose/firehose.h"

#include <stdio.h>

enum { IN_NAME, IN_LIMIT, IN_START };

#define DESTINATION_ID "destinationId-000000000001"

static const struct lt_shape_member members[] = {
    [IN_NAME] = LT_FIREHOSE_NAME_ROW,
    [IN_LIMIT] = {.name = "Limit", .type = LT_SHAPE_INTEGER, .min = 1, .max = 10000},
    [IN_START] = {.name = "ExclusiveStartDestinationId",
                  .type = LT_SHAPE_STRING,
                  .min = 1,
                  .max = 100},
};
const struct lt_shape lt_firehose_describe_delivery_stream_input = LT_SHAPE(members);

static void write_source(struct lt_json_writer *w, const struct lt_delivery_config *config,
                         struct lt_json source) {
    struct lt_json value;

    lt_json_key(w, "Source");
    lt_json_begin_object(w);
    lt_json_key(w, "KinesisStreamSourceDescription");
    lt_json_begin_object(w);
    static const char *const names[] = {"KinesisStreamARN", "RoleARN"};
    for (size_t i = 0; i < 2; i++)
        if (lt_json_get(source, names[i], &value)) {
            lt_json_key(w, names[i]);
            lt_json_put_raw(w, value.raw);
        }
    lt_json_key(w, "DeliveryStartTimestamp");
    lt_json_put_epoch(w, config->created_ms);
    lt_json_end_object(w);
    lt_json_end_object(w);
}

static void write_destinations(struct lt_json_writer *w, struct lt_json describe, bool listed) {
    struct lt_json value;

    lt_json_key(w, "Destinations");
    lt_json_begin_array(w);
    if (listed) {
        lt_json_begin_object(w);
        lt_json_key(w, "DestinationId");
        lt_json_put_str(w, DESTINATION_ID);
        if (lt_json_get(describe, LT_FIREHOSE_DESCRIBE_S3, &value)) {
            lt_json_key(w, "S3DestinationDescription");
            lt_json_put_raw(w, value.raw);
        }
        if (lt_json_get(describe, LT_FIREHOSE_DESCRIBE_EXTENDED, &value)) {
            lt_json_key(w, "ExtendedS3DestinationDescription");
            lt_json_put_raw(w, value.raw);
        }
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
    lt_json_key(w, "HasMoreDestinations");
    lt_json_put_bool(w, false);
}

leat_status lt_firehose_describe_delivery_stream(struct lt_service_call *call,
                                                 struct leat_error *err) {
    const char *name = lt_service_cstr(call, IN_NAME);
    const struct lt_delivery_config *config =
        name ? lt_deliveries_find(call->env->deliveries, name) : NULL;
    struct lt_slice start = lt_service_string(call, IN_START);
    struct lt_json describe = {0}, source;
    struct lt_json_writer w;
    char version[16];

    if (!config)
        return lt_fail(err, LEAT_E_NOT_FOUND, 0,
                       "Firehose %s under account " LT_SERVICE_ACCOUNT " not found.",
                       name ? name : "");
    if (config->describe.len &&
        lt_json_parse(&describe, config->describe, LT_JSON_DEFAULT_DEPTH, err) != LEAT_OK)
        return lt_fail(err, LEAT_E_CORRUPT, 0, "the description of %s is not readable", name);
    snprintf(version, sizeof(version), "%u", config->version);
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "DeliveryStreamDescription");
    lt_json_begin_object(&w);
    lt_json_key(&w, "DeliveryStreamName");
    lt_json_put_str(&w, name);
    lt_firehose_write_arn(&w, name);
    lt_json_key(&w, "DeliveryStreamStatus");
    lt_json_put_str(&w, "ACTIVE");
    lt_json_key(&w, "DeliveryStreamEncryptionConfiguration");
    lt_json_put_raw(&w, LT_LIT("{\"Status\":\"DISABLED\"}"));
    lt_json_key(&w, "DeliveryStreamType");
    lt_json_put_str(&w, lt_firehose_types[config->direct_put ? 0 : 1]);
    lt_json_key(&w, "VersionId");
    lt_json_put_str(&w, version);
    lt_json_key(&w, "CreateTimestamp");
    lt_json_put_epoch(&w, config->created_ms);
    if (!config->direct_put && lt_json_get(describe, LT_FIREHOSE_DESCRIBE_SOURCE, &source))
        write_source(&w, config, source);
    write_destinations(&w, describe,
                       !start.data || lt_slice_cmp(start, LT_LIT(DESTINATION_ID)) < 0);
    lt_json_end_object(&w);
    lt_json_end_object(&w);
    return LEAT_OK;
}
