/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateDeliveryStream: Direct PUT or a Kinesis stream as the source, S3 as the destination. The
 * stream is ACTIVE when this is answered. The bucket need not be there yet.
 */
#include "engine/firehose/destination.h"

enum {
    IN_NAME,
    IN_TYPE,
    IN_DIRECT_PUT,
    IN_KINESIS,
    IN_ENCRYPTION,
    IN_S3,
    IN_EXTENDED_S3,
    IN_TAGS,
    IN_OTHERS, /* what is refused */
    IN_N = IN_OTHERS + 10
};

enum { KINESIS_ARN, KINESIS_ROLE, KINESIS_N };

/* The name in arn:.*:kinesis:REGION:ACCOUNT:stream/NAME; `data` NULL when it is none. */
static struct lt_slice stream_of(struct lt_slice arn) {
    static const struct lt_slice none = {NULL, 0};
    static const char mark[] = ":stream/";
    const char *at = memmem(arn.data, arn.len, mark, sizeof(mark) - 1);

    if (!at || !lt_slice_starts(arn, LT_LIT("arn:")) ||
        !memmem(arn.data, (size_t)(at - arn.data), ":kinesis:", 9))
        return none;
    struct lt_slice name = lt_slice_from(arn, (size_t)(at - arn.data) + sizeof(mark) - 1);
    return lt_pattern_name.matches(name) ? name : none;
}

static bool is_stream_arn(struct lt_slice value) {
    return stream_of(value).data != NULL;
}

static const struct lt_shape_pattern pattern_stream = {
    "arn:.*:kinesis:[a-zA-Z0-9\\-]+:\\d{12}:stream/[a-zA-Z0-9_.-]+", is_stream_arn};

static const struct lt_shape_member kinesis_members[] = {
    [KINESIS_ARN] = {.name = "KinesisStreamARN",
                     .type = LT_SHAPE_STRING,
                     .required = true,
                     .min = 1,
                     .max = 512,
                     .pattern = &pattern_stream},
    [KINESIS_ROLE] =
        {.name = "RoleARN", .type = LT_SHAPE_STRING, .required = true, .min = 1, .max = 512},
};
static const struct lt_shape kinesis_shape = LT_SHAPE(kinesis_members);

#define REFUSED_ROW(member)                                                                        \
    { .name = member, .type = LT_SHAPE_STRUCTURE }

static const struct lt_shape_member members[IN_N] = {
    [IN_NAME] = LT_FIREHOSE_NAME_ROW,
    [IN_TYPE] = {.name = "DeliveryStreamType",
                 .type = LT_SHAPE_STRING,
                 .values = lt_firehose_types},
    [IN_DIRECT_PUT] = {.name = "DirectPutSourceConfiguration", .type = LT_SHAPE_STRUCTURE},
    [IN_KINESIS] = {.name = "KinesisStreamSourceConfiguration",
                    .type = LT_SHAPE_STRUCTURE,
                    .shape = &kinesis_shape},
    [IN_ENCRYPTION] = {.name = "DeliveryStreamEncryptionConfigurationInput",
                       .type = LT_SHAPE_STRUCTURE},
    [IN_S3] = {.name = "S3DestinationConfiguration",
               .type = LT_SHAPE_STRUCTURE,
               .shape = &lt_firehose_s3_shape},
    [IN_EXTENDED_S3] = {.name = "ExtendedS3DestinationConfiguration",
                        .type = LT_SHAPE_STRUCTURE,
                        .shape = &lt_firehose_extended_s3_shape},
    [IN_TAGS] = {.name = "Tags", .type = LT_SHAPE_LIST, .min = 1, .max = 50},
    [IN_OTHERS] = REFUSED_ROW("RedshiftDestinationConfiguration"),
    REFUSED_ROW("ElasticsearchDestinationConfiguration"),
    REFUSED_ROW("AmazonopensearchserviceDestinationConfiguration"),
    REFUSED_ROW("SplunkDestinationConfiguration"),
    REFUSED_ROW("HttpEndpointDestinationConfiguration"),
    REFUSED_ROW("AmazonOpenSearchServerlessDestinationConfiguration"),
    REFUSED_ROW("SnowflakeDestinationConfiguration"),
    REFUSED_ROW("IcebergDestinationConfiguration"),
    REFUSED_ROW("MSKSourceConfiguration"),
    REFUSED_ROW("DatabaseSourceConfiguration"),
};
const struct lt_shape lt_firehose_create_delivery_stream_input = LT_SHAPE(members);

#define REFUSE(err, ...) lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException", __VA_ARGS__)

static leat_status check_source(struct lt_service_call *call, bool *direct_put,
                                struct leat_error *err) {
    struct lt_slice type = lt_service_string(call, IN_TYPE);

    *direct_put = !type.data || lt_slice_eq(type, LT_LIT("DirectPut"));
    if (!*direct_put && !lt_slice_eq(type, LT_LIT("KinesisStreamAsSource")))
        return REFUSE(err,
                      "DeliveryStreamType: %.*s is not supported here, DirectPut and "
                      "KinesisStreamAsSource are",
                      LT_FMT(type));
    if (*direct_put && lt_service_has(call, IN_KINESIS))
        return REFUSE(err, "KinesisStreamSourceConfiguration is only applicable for "
                           "KinesisStreamAsSource stream type.");
    if (!*direct_put && !lt_service_has(call, IN_KINESIS))
        return REFUSE(err, "KinesisStreamSourceConfiguration is required for "
                           "KinesisStreamAsSource stream type.");
    if (!*direct_put && lt_service_has(call, IN_DIRECT_PUT))
        return REFUSE(err, "DirectPutSourceConfiguration is only applicable for DirectPut stream "
                           "type.");
    return LEAT_OK;
}

static leat_status check_members(struct lt_service_call *call, struct leat_error *err) {
    for (size_t i = IN_OTHERS; i < IN_N; i++)
        if (lt_service_has(call, i))
            return REFUSE(err,
                          "%s is not supported here; S3 destinations are, with records put "
                          "directly or from a Kinesis stream",
                          members[i].name);
    if (lt_service_has(call, IN_ENCRYPTION))
        return REFUSE(err, "DeliveryStreamEncryptionConfigurationInput is not supported here");
    if (lt_service_has(call, IN_S3) == lt_service_has(call, IN_EXTENDED_S3))
        return REFUSE(err, "Exactly one destination configuration is supported for a Firehose");
    return LEAT_OK;
}

/* What DescribeDeliveryStream shows of the source and the destination. */
static leat_status write_describe(struct lt_service_call *call, struct lt_delivery_config *config,
                                  struct lt_json destination, struct leat_error *err) {
    struct lt_json in[KINESIS_N];
    struct lt_json_writer w;
    struct lt_buf doc;

    lt_buf_init(&doc, 1 << 20);
    lt_json_writer_init(&w, &doc);
    lt_json_begin_object(&w);
    if (!config->direct_put) {
        lt_shape_pick(&kinesis_shape, call->in[IN_KINESIS], in);
        lt_json_key(&w, LT_FIREHOSE_DESCRIBE_SOURCE);
        lt_json_begin_object(&w);
        lt_json_key(&w, "KinesisStreamARN");
        lt_json_put_raw(&w, in[KINESIS_ARN].raw);
        lt_json_key(&w, "RoleARN");
        lt_json_put_raw(&w, in[KINESIS_ROLE].raw);
        lt_json_end_object(&w);
    }
    lt_firehose_write_destination(&w, destination, config);
    lt_json_end_object(&w);
    leat_status status = lt_buf_status(&doc, err);
    config->describe = lt_arena_dup(call->arena, lt_buf_slice(&doc));
    lt_buf_deinit(&doc);
    if (status == LEAT_OK && !config->describe.data)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a delivery stream");
    return status;
}

static leat_status read_config(struct lt_service_call *call, struct lt_delivery_config *config,
                               struct leat_error *err) {
    bool extended = lt_service_has(call, IN_EXTENDED_S3);
    struct lt_json destination = call->in[extended ? IN_EXTENDED_S3 : IN_S3];
    struct lt_json arn;
    leat_status status;

    config->name = lt_service_cstr(call, IN_NAME);
    config->version = 1;
    if (!config->direct_put && lt_json_get(call->in[IN_KINESIS], "KinesisStreamARN", &arn))
        config->stream = lt_arena_str(call->arena, stream_of(lt_json_string(arn, call->arena)));
    if (!config->name || (!config->direct_put && !config->stream))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a delivery stream");
    status = lt_firehose_read_destination(destination, extended, config, call->arena, err);
    if (status == LEAT_OK)
        status = write_describe(call, config, destination, err);
    return status;
}

leat_status lt_firehose_create_delivery_stream(struct lt_service_call *call,
                                               struct leat_error *err) {
    struct lt_delivery_config config = {0};
    struct lt_json_writer w;
    leat_status status = check_members(call, err);

    if (status == LEAT_OK)
        status = check_source(call, &config.direct_put, err);
    if (status == LEAT_OK)
        status = read_config(call, &config, err);
    if (status != LEAT_OK)
        return status;
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_firehose_write_arn(&w, config.name);
    lt_json_end_object(&w);
    status = lt_deliveries_create(call->env->deliveries, &config, lt_firehose_answer, call, err);
    if (status == LEAT_E_NOT_FOUND) /* of the source; the operation knows no such code */
        return REFUSE(err, "Stream %s under account " LT_SERVICE_ACCOUNT " not found.",
                      config.stream);
    call->pending = status == LEAT_OK;
    return status;
}
