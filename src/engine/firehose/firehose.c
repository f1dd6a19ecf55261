/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations, and of the codes that answer what the engine itself reports. */
#include "engine/firehose/firehose.h"

#include <stdio.h>

#define ROW(wire, c_name)                                                                          \
    { .name = wire, .input = &lt_firehose_##c_name##_input, .handle = lt_firehose_##c_name }

static const struct lt_service_operation operations[] = {
    ROW("PutRecordBatch", put_record_batch),
    ROW("PutRecord", put_record),
    ROW("CreateDeliveryStream", create_delivery_stream),
    ROW("DeleteDeliveryStream", delete_delivery_stream),
    ROW("DescribeDeliveryStream", describe_delivery_stream),
    ROW("ListDeliveryStreams", list_delivery_streams),
};

static const struct lt_service_code codes[] = {
    {LEAT_E_NOT_FOUND, "ResourceNotFoundException", 400},
    {LEAT_E_EXISTS, "ResourceInUseException", 400},
    {LEAT_E_BUSY, "ResourceInUseException", 400},
    {LEAT_E_LIMIT, "LimitExceededException", 400},
    {LEAT_E_INVALID, "InvalidArgumentException", 400},
    {LEAT_E_THROTTLED, "ServiceUnavailableException", 503},
    {LEAT_E_FULL, "ServiceUnavailableException", 503},
    {LEAT_E_CANCELLED, "ServiceUnavailableException", 503},
    {LEAT_E_NOMEM, "ServiceUnavailableException", 503},
};

const struct lt_service lt_firehose = {
    .name = "firehose",
    .target = "Firehose_20150804",
    .operations = operations,
    .n_operations = sizeof(operations) / sizeof(operations[0]),
    .codes = codes,
    .n_codes = sizeof(codes) / sizeof(codes[0]),
};

const char *const lt_firehose_types[] = {"DirectPut", "KinesisStreamAsSource", "MSKAsSource",
                                         "DatabaseAsSource", NULL};

void lt_firehose_write_arn(struct lt_json_writer *w, const char *name) {
    char arn[160];

    snprintf(arn, sizeof(arn),
             "arn:aws:firehose:" LT_SERVICE_REGION ":" LT_SERVICE_ACCOUNT ":deliverystream/%.64s",
             name);
    lt_json_key(w, "DeliveryStreamARN");
    lt_json_put_str(w, arn);
}

void lt_firehose_answer(void *ctx, leat_status status, const struct leat_error *err) {
    lt_service_finish(ctx, status, err);
}
