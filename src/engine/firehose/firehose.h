/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_FIREHOSE_FIREHOSE_H
#define LT_ENGINE_FIREHOSE_FIREHOSE_H

#include "engine/deliveries.h"
#include "engine/service.h"

/*
 * Amazon Data Firehose as a table of operations: each is a file of this folder with its input
 * shape and its handler, and a row in firehose.c.
 */
extern const struct lt_service lt_firehose;

/* The operations. */
#define LT_FIREHOSE_OPERATION(name)                                                                \
    extern const struct lt_shape lt_firehose_##name##_input;                                       \
    lt_service_handler lt_firehose_##name
LT_FIREHOSE_OPERATION(create_delivery_stream);
LT_FIREHOSE_OPERATION(delete_delivery_stream);
LT_FIREHOSE_OPERATION(describe_delivery_stream);
LT_FIREHOSE_OPERATION(list_delivery_streams);
LT_FIREHOSE_OPERATION(put_record);
LT_FIREHOSE_OPERATION(put_record_batch);

/* A delivery stream's name, as the first row of a shape. */
#define LT_FIREHOSE_NAME_ROW                                                                       \
    {                                                                                              \
        .name = "DeliveryStreamName", .type = LT_SHAPE_STRING, .required = true, .min = 1,         \
        .max = 64, .pattern = &lt_pattern_name                                                     \
    }

/* The values of DeliveryStreamType; the first two are done here. */
extern const char *const lt_firehose_types[];

/** The fields of a delivery stream's `describe` document, written by create and read by describe:
 * {"source": {…} (of a Kinesis source), "s3": {…}, "extended_s3": {…}}. */
#define LT_FIREHOSE_DESCRIBE_SOURCE "source"
#define LT_FIREHOSE_DESCRIBE_S3 "s3"
#define LT_FIREHOSE_DESCRIBE_EXTENDED "extended_s3"

void lt_firehose_write_arn(struct lt_json_writer *w, const char *name);

/** A `done` that answers the call in `ctx` with `call->out`, or with the error. */
void lt_firehose_answer(void *ctx, leat_status status, const struct leat_error *err);

#endif
