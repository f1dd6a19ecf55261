/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of an S3 destination. Each that changes what is delivered is either done or refused by
 * name: data that lands otherwise than asked for would be found out too late. Source: botocore's
 * data/firehose/2015-08-04/service-2.json.
 */
#include "engine/firehose/destination.h"

#include "deliver/compress.h"
#include "deliver/prefix.h"

enum {
    IN_ROLE,
    IN_BUCKET,
    IN_PREFIX,
    IN_ERROR_PREFIX,
    IN_BUFFERING,
    IN_COMPRESSION,
    IN_ENCRYPTION,
    IN_LOGGING,
    IN_S3_N,
    IN_PROCESSING = IN_S3_N,
    IN_BACKUP_MODE,
    IN_BACKUP,
    IN_CONVERSION,
    IN_PARTITIONING,
    IN_EXTENSION,
    IN_TIME_ZONE,
    IN_EXTENDED_N
};

enum { DEFAULT_MIB = 5, DEFAULT_SECONDS = 300 };

#define REFUSE(err, ...) lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException", __VA_ARGS__)

/* arn:.*:iam::\d{12}:role/… */
static bool is_role(struct lt_slice value) {
    static const char mark[] = ":iam::";
    const char *at = lt_slice_starts(value, LT_LIT("arn:"))
                         ? memmem(value.data + 4, value.len - 4, mark, sizeof(mark) - 1)
                         : NULL;
    if (!at)
        return false;
    struct lt_slice rest = lt_slice_from(value, (size_t)(at - value.data) + sizeof(mark) - 1);
    for (size_t i = 0; i < 12; i++)
        if (i >= rest.len || rest.data[i] < '0' || rest.data[i] > '9')
            return false;
    return rest.len > 18 && !memcmp(rest.data + 12, ":role/", 6);
}

static bool is_bucket_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

/* The name in arn:.*:s3:::NAME; `data` NULL when it is none. */
static struct lt_slice bucket_of(struct lt_slice arn) {
    static const struct lt_slice none = {NULL, 0};
    size_t at = arn.len;

    while (at > 0 && is_bucket_char(arn.data[at - 1]))
        at--;
    if (at == arn.len || arn.len - at > 255 || at < 10 ||
        memcmp(arn.data + at - 6, ":s3:::", 6) != 0 || !lt_slice_starts(arn, LT_LIT("arn:")))
        return none;
    return lt_slice_from(arn, at);
}

static bool is_bucket_arn(struct lt_slice value) {
    return bucket_of(value).data != NULL;
}

/* ^$|\.[0-9a-z!\-_.*'()]+ */
static bool is_extension(struct lt_slice value) {
    if (!value.len)
        return true;
    for (size_t i = 1; i < value.len; i++) {
        char c = value.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c && strchr("!-_.*'()", c))))
            return false;
    }
    return value.data[0] == '.' && value.len > 1;
}

static bool is_time_zone(struct lt_slice value) {
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '_'))
            return false;
    }
    return true;
}

static const struct lt_shape_pattern pattern_role = {
    "arn:.*:iam::\\d{12}:role/[a-zA-Z_0-9+=,.@\\-_/]+", is_role};
static const struct lt_shape_pattern pattern_bucket = {"arn:.*:s3:::[\\w\\.\\-]{1,255}",
                                                       is_bucket_arn};
static const struct lt_shape_pattern pattern_extension = {"^$|\\.[0-9a-z!\\-_.*'()]+",
                                                          is_extension};
static const struct lt_shape_pattern pattern_time_zone = {"^$|[a-zA-Z/_]+", is_time_zone};

static const char *const compressions[] = {"UNCOMPRESSED", "GZIP",          "ZIP",
                                           "Snappy",       "HADOOP_SNAPPY", NULL};
static const char *const processor_types[] = {"RecordDeAggregation",
                                              "Decompression",
                                              "CloudWatchLogProcessing",
                                              "Lambda",
                                              "MetadataExtraction",
                                              "AppendDelimiterToRecord",
                                              NULL};
static const char *const backup_modes[] = {"Disabled", "Enabled", NULL};
static const char *const no_encryption[] = {"NoEncryption", NULL};

enum { HINT_SIZE, HINT_INTERVAL, HINT_N };
static const struct lt_shape_member hint_members[] = {
    [HINT_SIZE] = {.name = "SizeInMBs", .type = LT_SHAPE_INTEGER, .min = 1, .max = 128},
    [HINT_INTERVAL] = {.name = "IntervalInSeconds", .type = LT_SHAPE_INTEGER, .min = 0, .max = 900},
};
static const struct lt_shape hint_shape = LT_SHAPE(hint_members);

static const struct lt_shape_member encryption_members[] = {
    {.name = "NoEncryptionConfig", .type = LT_SHAPE_STRING, .values = no_encryption},
    {.name = "KMSEncryptionConfig", .type = LT_SHAPE_STRUCTURE},
};
static const struct lt_shape encryption_shape = LT_SHAPE(encryption_members);

static const struct lt_shape_member logging_members[] = {
    {.name = "Enabled", .type = LT_SHAPE_BOOLEAN},
    {.name = "LogGroupName", .type = LT_SHAPE_STRING, .max = 512},
    {.name = "LogStreamName", .type = LT_SHAPE_STRING, .max = 512},
};
static const struct lt_shape logging_shape = LT_SHAPE(logging_members);

enum { PARAMETER_NAME, PARAMETER_VALUE, PARAMETER_N };
static const struct lt_shape_member parameter_members[] = {
    [PARAMETER_NAME] = {.name = "ParameterName", .type = LT_SHAPE_STRING, .required = true},
    [PARAMETER_VALUE] = {.name = "ParameterValue",
                         .type = LT_SHAPE_STRING,
                         .required = true,
                         .min = 1,
                         .max = 5120},
};
static const struct lt_shape parameter_shape = LT_SHAPE(parameter_members);
static const struct lt_shape_member parameter = {.type = LT_SHAPE_STRUCTURE,
                                                 .shape = &parameter_shape};

enum { PROCESSOR_TYPE, PROCESSOR_PARAMETERS, PROCESSOR_N };
static const struct lt_shape_member processor_members[] = {
    [PROCESSOR_TYPE] = {.name = "Type",
                        .type = LT_SHAPE_STRING,
                        .required = true,
                        .values = processor_types},
    [PROCESSOR_PARAMETERS] = {.name = "Parameters", .type = LT_SHAPE_LIST, .element = &parameter},
};
static const struct lt_shape processor_shape = LT_SHAPE(processor_members);
static const struct lt_shape_member processor = {.type = LT_SHAPE_STRUCTURE,
                                                 .shape = &processor_shape};

enum { PROCESSING_ENABLED, PROCESSING_LIST, PROCESSING_N };
static const struct lt_shape_member processing_members[] = {
    [PROCESSING_ENABLED] = {.name = "Enabled", .type = LT_SHAPE_BOOLEAN},
    [PROCESSING_LIST] = {.name = "Processors", .type = LT_SHAPE_LIST, .element = &processor},
};
static const struct lt_shape processing_shape = LT_SHAPE(processing_members);

static const struct lt_shape_member enabled_members[] = {
    {.name = "Enabled", .type = LT_SHAPE_BOOLEAN},
};
static const struct lt_shape enabled_shape = LT_SHAPE(enabled_members);

#define S3_ROWS                                                                                    \
    [IN_ROLE] = {.name = "RoleARN",                                                                \
                 .type = LT_SHAPE_STRING,                                                          \
                 .required = true,                                                                 \
                 .min = 1,                                                                         \
                 .max = 512,                                                                       \
                 .pattern = &pattern_role},                                                        \
    [IN_BUCKET] = {.name = "BucketARN",                                                            \
                   .type = LT_SHAPE_STRING,                                                        \
                   .required = true,                                                               \
                   .min = 1,                                                                       \
                   .max = 2048,                                                                    \
                   .pattern = &pattern_bucket},                                                    \
    [IN_PREFIX] = {.name = "Prefix", .type = LT_SHAPE_STRING, .max = 1024},                        \
    [IN_ERROR_PREFIX] = {.name = "ErrorOutputPrefix", .type = LT_SHAPE_STRING, .max = 1024},       \
    [IN_BUFFERING] = {.name = "BufferingHints", .type = LT_SHAPE_STRUCTURE, .shape = &hint_shape}, \
    [IN_COMPRESSION] = {.name = "CompressionFormat",                                               \
                        .type = LT_SHAPE_STRING,                                                   \
                        .values = compressions},                                                   \
    [IN_ENCRYPTION] = {.name = "EncryptionConfiguration",                                          \
                       .type = LT_SHAPE_STRUCTURE,                                                 \
                       .shape = &encryption_shape},                                                \
    [IN_LOGGING] = {                                                                               \
        .name = "CloudWatchLoggingOptions", .type = LT_SHAPE_STRUCTURE, .shape = &logging_shape}

static const struct lt_shape_member s3_members[] = {S3_ROWS};
static const struct lt_shape_member extended_members[] = {
    S3_ROWS,
    [IN_PROCESSING] = {.name = "ProcessingConfiguration",
                       .type = LT_SHAPE_STRUCTURE,
                       .shape = &processing_shape},
    [IN_BACKUP_MODE] = {.name = "S3BackupMode", .type = LT_SHAPE_STRING, .values = backup_modes},
    [IN_BACKUP] = {.name = "S3BackupConfiguration",
                   .type = LT_SHAPE_STRUCTURE,
                   .shape = &lt_firehose_s3_shape},
    [IN_CONVERSION] = {.name = "DataFormatConversionConfiguration",
                       .type = LT_SHAPE_STRUCTURE,
                       .shape = &enabled_shape},
    [IN_PARTITIONING] = {.name = "DynamicPartitioningConfiguration",
                         .type = LT_SHAPE_STRUCTURE,
                         .shape = &enabled_shape},
    [IN_EXTENSION] = {.name = "FileExtension",
                      .type = LT_SHAPE_STRING,
                      .max = 128,
                      .pattern = &pattern_extension},
    [IN_TIME_ZONE] = {.name = "CustomTimeZone",
                      .type = LT_SHAPE_STRING,
                      .max = 50,
                      .pattern = &pattern_time_zone},
};
const struct lt_shape lt_firehose_s3_shape = LT_SHAPE(s3_members);
const struct lt_shape lt_firehose_extended_s3_shape = LT_SHAPE(extended_members);

/* The string as a C string, "" when absent; NULL when there is no memory. */
static const char *text_of(struct lt_json value, struct lt_arena *arena) {
    return value.raw.data ? lt_arena_str(arena, lt_json_string(value, arena)) : "";
}

static leat_status read_hints(struct lt_json hints, struct lt_delivery_config *config,
                              struct leat_error *err) {
    int64_t mib = DEFAULT_MIB, seconds = DEFAULT_SECONDS;
    struct lt_json in[HINT_N];

    if (hints.raw.data) {
        lt_shape_pick(&hint_shape, hints, in);
        if (!in[HINT_SIZE].raw.data != !in[HINT_INTERVAL].raw.data)
            return REFUSE(err, "BufferingHints: SizeInMBs and IntervalInSeconds must be given "
                               "together");
        if (in[HINT_SIZE].raw.data &&
            (!lt_json_int64(in[HINT_SIZE], &mib) || !lt_json_int64(in[HINT_INTERVAL], &seconds)))
            return REFUSE(err, "BufferingHints: whole numbers are needed");
    }
    config->buffer_bytes = (uint64_t)mib << 20;
    config->buffer_ms = seconds * 1000;
    return LEAT_OK;
}

/* AppendDelimiterToRecord with a line end, Firehose's newline option. */
static leat_status read_delimiter(struct lt_json parameters, struct leat_error *err) {
    struct lt_json_iter iter = lt_json_iter(parameters);
    struct lt_json item, in[PARAMETER_N];

    while (parameters.raw.data && lt_json_next(&iter, &item)) {
        lt_shape_pick(&parameter_shape, item, in);
        if (!lt_json_string_is(in[PARAMETER_NAME], LT_LIT("Delimiter")))
            return REFUSE(err, "ProcessingConfiguration: AppendDelimiterToRecord has no parameter "
                               "but Delimiter");
        /* The console and the SDKs send a backslash and an n. */
        if (!lt_json_string_is(in[PARAMETER_VALUE], LT_LIT("\\n")) &&
            !lt_json_string_is(in[PARAMETER_VALUE], LT_LIT("\n")))
            return REFUSE(err,
                          "ProcessingConfiguration: the Delimiter %.*s is not supported "
                          "here, \\n is",
                          LT_FMT(in[PARAMETER_VALUE].raw));
    }
    return LEAT_OK;
}

static leat_status read_processing(struct lt_json processing, struct lt_delivery_config *config,
                                   struct leat_error *err) {
    struct lt_json in[PROCESSING_N], item, of[PROCESSOR_N];
    struct lt_json_iter iter;
    leat_status status = LEAT_OK;

    if (!processing.raw.data)
        return LEAT_OK;
    lt_shape_pick(&processing_shape, processing, in);
    if (in[PROCESSING_ENABLED].raw.data && in[PROCESSING_ENABLED].type == LT_JSON_FALSE)
        return LEAT_OK;
    if (!in[PROCESSING_LIST].raw.data)
        return LEAT_OK;
    iter = lt_json_iter(in[PROCESSING_LIST]);
    while (status == LEAT_OK && lt_json_next(&iter, &item)) {
        lt_shape_pick(&processor_shape, item, of);
        if (!lt_json_string_is(of[PROCESSOR_TYPE], LT_LIT("AppendDelimiterToRecord")))
            return REFUSE(err,
                          "ProcessingConfiguration: the processor %.*s is not supported "
                          "here, AppendDelimiterToRecord is",
                          LT_FMT(of[PROCESSOR_TYPE].raw));
        status = read_delimiter(of[PROCESSOR_PARAMETERS], err);
        config->newline = true;
    }
    return status;
}

static bool says_enabled(struct lt_json object, bool absent) {
    struct lt_json enabled;
    if (!object.raw.data)
        return false;
    return lt_json_get(object, "Enabled", &enabled) ? enabled.type == LT_JSON_TRUE : absent;
}

static leat_status refuse_unsupported(const struct lt_json *in, struct leat_error *err) {
    struct lt_json kms;

    if (in[IN_ENCRYPTION].raw.data && lt_json_get(in[IN_ENCRYPTION], "KMSEncryptionConfig", &kms) &&
        kms.type != LT_JSON_NULL)
        return REFUSE(err, "EncryptionConfiguration: KMSEncryptionConfig is not supported here");
    if (in[IN_BACKUP_MODE].raw.data && lt_json_string_is(in[IN_BACKUP_MODE], LT_LIT("Enabled")))
        return REFUSE(err, "S3BackupMode: Enabled is not supported here");
    /* its Enabled is true unless it says otherwise */
    if (says_enabled(in[IN_CONVERSION], true))
        return REFUSE(err, "DataFormatConversionConfiguration is not supported here");
    if (says_enabled(in[IN_PARTITIONING], false))
        return REFUSE(err, "DynamicPartitioningConfiguration is not supported here");
    if (in[IN_TIME_ZONE].raw.data && in[IN_TIME_ZONE].raw.len > 2 &&
        !lt_json_string_is(in[IN_TIME_ZONE], LT_LIT("UTC")))
        return REFUSE(err, "CustomTimeZone: %.*s is not supported here, UTC is",
                      LT_FMT(in[IN_TIME_ZONE].raw));
    return LEAT_OK;
}

static leat_status read_compression(struct lt_json format, struct lt_delivery_config *config,
                                    struct lt_arena *arena, struct leat_error *err) {
    const struct lt_compressor *compressor;

    config->compression = LT_COMPRESSION_NONE;
    if (!format.raw.data)
        return LEAT_OK;
    compressor = lt_compressor_find(lt_json_string(format, arena));
    if (!compressor || !compressor->in_firehose)
        return REFUSE(err,
                      "CompressionFormat: %.*s is not supported here, UNCOMPRESSED and GZIP "
                      "are",
                      LT_FMT(format.raw));
    config->compression = compressor->kind;
    return LEAT_OK;
}

leat_status lt_firehose_read_destination(struct lt_json destination, bool extended,
                                         struct lt_delivery_config *config, struct lt_arena *arena,
                                         struct leat_error *err) {
    struct lt_json in[IN_EXTENDED_N] = {0};
    leat_status status;

    lt_shape_pick(extended ? &lt_firehose_extended_s3_shape : &lt_firehose_s3_shape, destination,
                  in);
    config->bucket = lt_arena_str(arena, bucket_of(lt_json_string(in[IN_BUCKET], arena)));
    config->prefix = text_of(in[IN_PREFIX], arena);
    config->error_prefix = text_of(in[IN_ERROR_PREFIX], arena);
    config->suffix = text_of(in[IN_EXTENSION], arena);
    if (!config->bucket || !config->prefix || !config->error_prefix || !config->suffix)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a destination");
    status = refuse_unsupported(in, err);
    if (status == LEAT_OK)
        status = read_compression(in[IN_COMPRESSION], config, arena, err);
    if (status == LEAT_OK)
        status = read_hints(in[IN_BUFFERING], config, err);
    if (status == LEAT_OK)
        status = read_processing(in[IN_PROCESSING], config, err);
    if (status != LEAT_OK)
        return status;
    if (!*config->suffix)
        config->suffix = lt_compressor_of(config->compression)->suffix;
    if (lt_prefix_has_expression(lt_slice_str(config->prefix)) && !*config->error_prefix)
        return REFUSE(err, "The supplied prefix(es) do not satisfy the following constraint: "
                           "ErrorOutputPrefix cannot be null or empty when Prefix contains "
                           "expressions");
    return LEAT_OK;
}

/* Writes a member as it was given. */
static void write_given(struct lt_json_writer *w, const char *name, struct lt_json value) {
    if (!value.raw.data)
        return;
    lt_json_key(w, name);
    lt_json_put_raw(w, value.raw);
}

static void write_s3(struct lt_json_writer *w, const struct lt_json *in,
                     const struct lt_delivery_config *config) {
    write_given(w, "RoleARN", in[IN_ROLE]);
    write_given(w, "BucketARN", in[IN_BUCKET]);
    write_given(w, "Prefix", in[IN_PREFIX]);
    write_given(w, "ErrorOutputPrefix", in[IN_ERROR_PREFIX]);
    lt_json_key(w, "BufferingHints");
    lt_json_begin_object(w);
    lt_json_key(w, "SizeInMBs");
    lt_json_put_uint(w, config->buffer_bytes >> 20);
    lt_json_key(w, "IntervalInSeconds");
    lt_json_put_int(w, config->buffer_ms / 1000);
    lt_json_end_object(w);
    lt_json_key(w, "CompressionFormat");
    lt_json_put_str(w, lt_compressor_of(config->compression)->name);
    lt_json_key(w, "EncryptionConfiguration");
    lt_json_put_raw(w, LT_LIT("{\"NoEncryptionConfig\":\"NoEncryption\"}"));
    lt_json_key(w, "CloudWatchLoggingOptions");
    lt_json_put_raw(w,
                    in[IN_LOGGING].raw.data ? in[IN_LOGGING].raw : LT_LIT("{\"Enabled\":false}"));
}

void lt_firehose_write_destination(struct lt_json_writer *w, struct lt_json destination,
                                   const struct lt_delivery_config *config) {
    struct lt_json in[IN_EXTENDED_N];

    lt_shape_pick(&lt_firehose_extended_s3_shape, destination, in);
    lt_json_key(w, LT_FIREHOSE_DESCRIBE_S3);
    lt_json_begin_object(w);
    write_s3(w, in, config);
    lt_json_end_object(w);
    lt_json_key(w, LT_FIREHOSE_DESCRIBE_EXTENDED);
    lt_json_begin_object(w);
    write_s3(w, in, config);
    write_given(w, "ProcessingConfiguration", in[IN_PROCESSING]);
    lt_json_key(w, "S3BackupMode");
    lt_json_put_str(w, "Disabled");
    write_given(w, "DataFormatConversionConfiguration", in[IN_CONVERSION]);
    write_given(w, "DynamicPartitioningConfiguration", in[IN_PARTITIONING]);
    write_given(w, "FileExtension", in[IN_EXTENSION]);
    write_given(w, "CustomTimeZone", in[IN_TIME_ZONE]);
    lt_json_end_object(w);
}
