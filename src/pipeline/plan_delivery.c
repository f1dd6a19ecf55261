/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A delivery of the file as a Firehose delivery stream: what is asked for, and how what is there
 * compares. Source: botocore's data/firehose/2015-08-04/service-2.json.
 */
#include "pipeline/plan_delivery.h"

#include "base/clock.h"
#include "base/units.h"

#include <stdlib.h>
#include <time.h>

enum { MAX_REQUEST_BYTES = 64 << 10, MAX_TEXT_BYTES = 2048, WAIT_MS = 500, MAX_WAIT_MS = 600000 };

static const char *const compression_names[] = {
    [LT_COMPRESSION_NONE] = "UNCOMPRESSED",
    [LT_COMPRESSION_GZIP] = "GZIP",
};

/* The embedded engine asks for a role as Amazon does, and does not look at it. */
static const char embedded_role[] = "arn:aws:iam::000000000000:role/leat";

static leat_status call(const struct lt_aws_endpoint *firehose, const char *target,
                        struct lt_buf *request, struct lt_buf *body, struct lt_json *answer,
                        struct leat_error *err) {
    const struct lt_aws_call what = {
        .service = "firehose", .target = target, .body = lt_buf_slice(request)};

    lt_buf_init(body, 0);
    leat_status status = lt_buf_status(request, err);
    return status == LEAT_OK ? lt_aws_fetch(firehose, &what, body, answer, err) : status;
}

/* {"DeliveryStreamName": NAME}, all that some operations take. */
static leat_status call_by_name(const struct lt_aws_endpoint *firehose, const char *target,
                                const char *name, struct lt_buf *body, struct lt_json *answer,
                                struct leat_error *err) {
    struct lt_json_writer w;
    struct lt_buf request;

    lt_buf_init(&request, MAX_REQUEST_BYTES);
    lt_json_writer_init(&w, &request);
    lt_json_begin_object(&w);
    lt_json_key(&w, "DeliveryStreamName");
    lt_json_put_str(&w, name);
    lt_json_end_object(&w);
    leat_status status = call(firehose, target, &request, body, answer, err);
    lt_buf_deinit(&request);
    return status;
}

static void put_member(struct lt_json_writer *w, const char *key, const char *value) {
    lt_json_key(w, key);
    lt_json_put_str(w, value);
}

/* Line ends are a processor of Firehose's; its delimiter is written as an escape. */
static void write_newline(struct lt_json_writer *w) {
    lt_json_key(w, "ProcessingConfiguration");
    lt_json_begin_object(w);
    lt_json_key(w, "Enabled");
    lt_json_put_bool(w, true);
    lt_json_key(w, "Processors");
    lt_json_begin_array(w);
    lt_json_begin_object(w);
    put_member(w, "Type", "AppendDelimiterToRecord");
    lt_json_key(w, "Parameters");
    lt_json_begin_array(w);
    lt_json_begin_object(w);
    put_member(w, "ParameterName", "Delimiter");
    put_member(w, "ParameterValue", "\\n");
    lt_json_end_object(w);
    lt_json_end_array(w);
    lt_json_end_object(w);
    lt_json_end_array(w);
    lt_json_end_object(w);
}

static void write_destination(struct lt_json_writer *w, const struct lt_system_delivery *delivery,
                              const char *role) {
    char bucket[96];

    snprintf(bucket, sizeof(bucket), "arn:aws:s3:::%.63s", delivery->bucket);
    lt_json_key(w, "ExtendedS3DestinationConfiguration");
    lt_json_begin_object(w);
    put_member(w, "RoleARN", role);
    put_member(w, "BucketARN", bucket);
    put_member(w, "Prefix", delivery->prefix);
    if (*delivery->error_prefix)
        put_member(w, "ErrorOutputPrefix", delivery->error_prefix);
    if (*delivery->suffix)
        put_member(w, "FileExtension", delivery->suffix);
    put_member(w, "CompressionFormat", compression_names[delivery->compression]);
    lt_json_key(w, "BufferingHints");
    lt_json_begin_object(w);
    lt_json_key(w, "SizeInMBs");
    lt_json_put_uint(w, delivery->buffer_bytes >> 20);
    lt_json_key(w, "IntervalInSeconds");
    lt_json_put_int(w, delivery->buffer_ms / 1000);
    lt_json_end_object(w);
    if (delivery->newline)
        write_newline(w);
    lt_json_end_object(w);
}

static struct lt_slice text_at(struct lt_json object, const char *name, struct lt_arena *arena) {
    struct lt_json value;
    struct lt_slice text = {0};

    if (lt_json_get(object, name, &value) && value.type == LT_JSON_STRING)
        text = lt_json_string(value, arena);
    return text.data ? text : lt_slice("", 0);
}

static int64_t int_at(struct lt_json object, const char *name) {
    struct lt_json value;
    int64_t n = 0;

    return lt_json_get(object, name, &value) && lt_json_int64(value, &n) ? n : 0;
}

/* Whether the destination ends each record with a delimiter. */
static bool has_newline(struct lt_json destination) {
    struct lt_json processing, list, processor, type;
    bool found = false;

    if (!lt_json_get(destination, "ProcessingConfiguration", &processing) ||
        !lt_json_get(processing, "Processors", &list))
        return false;
    struct lt_json_iter iter = lt_json_iter(list);
    while (lt_json_next(&iter, &processor))
        found = found || (lt_json_get(processor, "Type", &type) &&
                          lt_json_string_is(type, LT_LIT("AppendDelimiterToRecord")));
    return found;
}

struct comparison {
    struct lt_buf text;
};

static void differ(struct comparison *c, const char *what, struct lt_slice is,
                   struct lt_slice wanted) {
    if (!lt_slice_eq(is, wanted))
        lt_buf_printf(&c->text, "%s%s is %.*s%s, the file says %.*s%s", c->text.len ? "; " : "",
                      what, LT_FMT(is), is.len ? "" : "empty", LT_FMT(wanted),
                      wanted.len ? "" : "none");
}

static struct lt_slice last_part(struct lt_slice arn, const char *separator) {
    size_t len = strlen(separator);

    for (size_t i = arn.len; i-- > 0;)
        if (lt_slice_starts(lt_slice_from(arn, i), lt_slice(separator, len)))
            return lt_slice_from(arn, i + len);
    return arn;
}

static void compare_buffer(struct comparison *c, struct lt_json destination,
                           const struct lt_system_delivery *delivery) {
    char is[32], wanted[32];
    struct lt_json hints;

    if (!lt_json_get(destination, "BufferingHints", &hints))
        return;
    differ(c, "buffer size",
           lt_slice_str(lt_format_bytes((uint64_t)int_at(hints, "SizeInMBs") << 20, is)),
           lt_slice_str(lt_format_bytes(delivery->buffer_bytes, wanted)));
    snprintf(is, sizeof(is), "%llds", (long long)int_at(hints, "IntervalInSeconds"));
    snprintf(wanted, sizeof(wanted), "%llds", (long long)(delivery->buffer_ms / 1000));
    differ(c, "buffer interval", lt_slice_str(is), lt_slice_str(wanted));
}

static void compare(struct comparison *c, struct lt_json description,
                    const struct lt_system_delivery *delivery, struct lt_arena *arena) {
    struct lt_json list, first, destination, source;
    struct lt_json_iter iter;

    if (lt_json_get(description, "Source", &source) &&
        lt_json_get(source, "KinesisStreamSourceDescription", &source))
        differ(c, "source stream",
               last_part(text_at(source, "KinesisStreamARN", arena), ":stream/"),
               lt_slice_str(delivery->from));
    else
        differ(c, "source", LT_LIT("put calls"), lt_slice_str(delivery->from));
    if (!lt_json_get(description, "Destinations", &list))
        return;
    iter = lt_json_iter(list);
    if (!lt_json_next(&iter, &first) ||
        (!lt_json_get(first, "ExtendedS3DestinationDescription", &destination) &&
         !lt_json_get(first, "S3DestinationDescription", &destination))) {
        differ(c, "destination", LT_LIT("no object store"), lt_slice_str(delivery->bucket));
        return;
    }
    differ(c, "bucket", last_part(text_at(destination, "BucketARN", arena), ":::"),
           lt_slice_str(delivery->bucket));
    differ(c, "prefix", text_at(destination, "Prefix", arena), lt_slice_str(delivery->prefix));
    differ(c, "error prefix", text_at(destination, "ErrorOutputPrefix", arena),
           lt_slice_str(delivery->error_prefix));
    differ(c, "suffix", text_at(destination, "FileExtension", arena),
           lt_slice_str(delivery->suffix));
    differ(c, "compression", text_at(destination, "CompressionFormat", arena),
           lt_slice_str(compression_names[delivery->compression]));
    compare_buffer(c, destination, delivery);
    differ(c, "newline", has_newline(destination) ? LT_LIT("true") : LT_LIT("false"),
           delivery->newline ? LT_LIT("true") : LT_LIT("false"));
}

leat_status lt_plan_delivery_look(const struct lt_aws_endpoint *firehose,
                                  const struct lt_system_delivery *delivery, struct lt_arena *arena,
                                  const char **difference, struct leat_error *err) {
    struct comparison c;
    struct lt_json answer, description;
    struct lt_buf body;

    *difference = NULL;
    lt_buf_init(&c.text, MAX_TEXT_BYTES);
    leat_status status = call_by_name(firehose, "Firehose_20150804.DescribeDeliveryStream",
                                      delivery->name, &body, &answer, err);
    if (status != LEAT_OK)
        goto done;
    if (!lt_json_get(answer, "DeliveryStreamDescription", &description)) {
        status = lt_fail(err, LEAT_E_PARSE, 0, "the description of delivery %s is not understood",
                         delivery->name);
        goto done;
    }
    compare(&c, description, delivery, arena);
    if (c.text.len)
        *difference = lt_arena_str(arena, lt_buf_slice(&c.text));
done:
    lt_buf_deinit(&c.text);
    lt_buf_deinit(&body);
    return status;
}

static void wait_a_little(void) {
    const struct timespec wait = {.tv_nsec = WAIT_MS * 1000000L};
    nanosleep(&wait, NULL);
}

/* Until the status is no longer "CREATING" or "DELETING"; LEAT_E_NOT_FOUND once it is gone. */
static leat_status settle(const struct lt_aws_endpoint *firehose, const char *name,
                          struct leat_error *err) {
    int64_t until_us = lt_clock_mono_us() + MAX_WAIT_MS * 1000LL;

    for (;;) {
        struct lt_json answer, description, state;
        struct lt_buf body;
        leat_status status = call_by_name(firehose, "Firehose_20150804.DescribeDeliveryStream",
                                          name, &body, &answer, err);
        bool busy = false;
        if (status == LEAT_OK && lt_json_get(answer, "DeliveryStreamDescription", &description) &&
            lt_json_get(description, "DeliveryStreamStatus", &state)) {
            busy = lt_json_string_is(state, LT_LIT("CREATING")) ||
                   lt_json_string_is(state, LT_LIT("DELETING"));
            if (!busy && !lt_json_string_is(state, LT_LIT("ACTIVE")))
                status =
                    lt_fail(err, LEAT_E_REMOTE, 0, "delivery %s is %.*s", name, LT_FMT(state.raw));
        }
        lt_buf_deinit(&body);
        if (status != LEAT_OK || !busy)
            return status;
        if (lt_clock_mono_us() > until_us)
            return lt_fail(err, LEAT_E_TIMEOUT, 0, "delivery %s is not ready after %d s", name,
                           MAX_WAIT_MS / 1000);
        wait_a_little();
    }
}

leat_status lt_plan_delivery_create(const struct lt_aws_endpoint *firehose,
                                    const struct lt_system_delivery *delivery,
                                    const char *stream_arn, struct leat_error *err) {
    const char *role = delivery->role ? delivery->role : embedded_role;
    struct lt_json_writer w;
    struct lt_json answer;
    struct lt_buf request, body;

    lt_buf_init(&request, MAX_REQUEST_BYTES);
    lt_json_writer_init(&w, &request);
    lt_json_begin_object(&w);
    put_member(&w, "DeliveryStreamName", delivery->name);
    put_member(&w, "DeliveryStreamType", "KinesisStreamAsSource");
    lt_json_key(&w, "KinesisStreamSourceConfiguration");
    lt_json_begin_object(&w);
    put_member(&w, "KinesisStreamARN", stream_arn);
    put_member(&w, "RoleARN", role);
    lt_json_end_object(&w);
    write_destination(&w, delivery, role);
    lt_json_end_object(&w);
    leat_status status =
        call(firehose, "Firehose_20150804.CreateDeliveryStream", &request, &body, &answer, err);
    lt_buf_deinit(&request);
    lt_buf_deinit(&body);
    return status == LEAT_OK ? settle(firehose, delivery->name, err) : status;
}

leat_status lt_plan_delivery_remove(const struct lt_aws_endpoint *firehose, const char *name,
                                    struct leat_error *err) {
    struct lt_json answer;
    struct lt_buf body;
    leat_status status =
        call_by_name(firehose, "Firehose_20150804.DeleteDeliveryStream", name, &body, &answer, err);

    lt_buf_deinit(&body);
    if (status != LEAT_OK)
        return status;
    status = settle(firehose, name, err);
    return status == LEAT_E_NOT_FOUND ? LEAT_OK : status;
}
