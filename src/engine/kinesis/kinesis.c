/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations and of the codes that answer what the engine itself reports. */
#include "engine/kinesis/kinesis.h"

#define ROW(wire, c_name, blocks_)                                                                 \
    {                                                                                              \
        .name = wire, .input = &lt_kinesis_##c_name##_input, .handle = lt_kinesis_##c_name,        \
        .blocks = blocks_                                                                          \
    }

static const struct lt_service_operation operations[] = {
    ROW("PutRecords", put_records, false),
    ROW("GetRecords", get_records, false),
    ROW("PutRecord", put_record, false),
    ROW("GetShardIterator", get_shard_iterator, true),
    ROW("ListShards", list_shards, false),
    ROW("DescribeStream", describe_stream, false),
    ROW("DescribeStreamSummary", describe_stream_summary, false),
    ROW("ListStreams", list_streams, false),
    ROW("CreateStream", create_stream, true),
    ROW("DeleteStream", delete_stream, true),
    ROW("IncreaseStreamRetentionPeriod", increase_retention, true),
    ROW("DecreaseStreamRetentionPeriod", decrease_retention, true),
};

static const struct lt_service_code codes[] = {
    {LEAT_E_NOT_FOUND, "ResourceNotFoundException", 400},
    {LEAT_E_EXISTS, "ResourceInUseException", 400},
    {LEAT_E_BUSY, "ResourceInUseException", 400},
    {LEAT_E_LIMIT, "LimitExceededException", 400},
    {LEAT_E_INVALID, "InvalidArgumentException", 400},
    {LEAT_E_EXPIRED, "ExpiredIteratorException", 400},
    {LEAT_E_THROTTLED, "ProvisionedThroughputExceededException", 400},
    {LEAT_E_CANCELLED, "ServiceUnavailable", 503},
    {LEAT_E_NOMEM, "ServiceUnavailable", 503},
};

const struct lt_service lt_kinesis = {
    .name = "kinesis",
    .target = "Kinesis_20131202",
    .operations = operations,
    .n_operations = sizeof(operations) / sizeof(operations[0]),
    .codes = codes,
    .n_codes = sizeof(codes) / sizeof(codes[0]),
};
