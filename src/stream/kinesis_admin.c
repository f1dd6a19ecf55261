/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams made, removed and described over Kinesis' protocol, waited for. A service
 * that does not know DescribeStreamSummary (older ones) is asked by DescribeStream.
 * A name that is being deleted is waited for, so that `up` may follow `down` at once.
 */
#include "base/clock.h"
#include "stream/kinesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    BODY_MAX = 64 << 10,
    SETTLE_MAX_MS = 600000, /* AWS takes about a minute */
    SETTLE_FIRST_MS = 20,
    SETTLE_GAP_MS = 1000,
};

/* A request's body, being written: {"StreamName": NAME, … */
struct request {
    struct lt_buf body;
    struct lt_json_writer w;
};

static void begin(struct request *request, const char *stream) {
    lt_buf_init(&request->body, BODY_MAX);
    lt_json_writer_init(&request->w, &request->body);
    lt_json_begin_object(&request->w);
    if (stream) {
        lt_json_key(&request->w, "StreamName");
        lt_json_put_str(&request->w, stream);
    }
}

/* Ends the body, sends it, and frees it. The answer lives in `*bytes`, which the caller frees. */
static leat_status fetch(struct lt_kinesis *service, const char *operation, struct request *request,
                         struct lt_buf *bytes, struct lt_json *answer, struct leat_error *err) {
    char target[64];

    lt_json_end_object(&request->w);
    lt_buf_init(bytes, 0);
    snprintf(target, sizeof(target), "Kinesis_20131202.%s", operation);
    const struct lt_aws_call call = {
        .service = "kinesis", .target = target, .body = lt_buf_slice(&request->body)};
    leat_status status = lt_buf_status(&request->body, err);
    if (status == LEAT_OK)
        status = lt_aws_fetch(&service->endpoint, &call, bytes, answer, err);
    lt_buf_deinit(&request->body);
    return status;
}

static leat_status call_for_nothing(struct lt_kinesis *service, const char *operation,
                                    struct request *request, struct leat_error *err) {
    struct lt_buf bytes;
    struct lt_json answer;
    leat_status status = fetch(service, operation, request, &bytes, &answer, err);
    lt_buf_deinit(&bytes);
    return status;
}

static void copy_member(struct lt_json object, const char *name, char *out, size_t cap) {
    struct lt_json value;
    out[0] = '\0';
    if (lt_json_get(object, name, &value))
        lt_kinesis_copy(value, out, cap);
}

static int64_t int_member(struct lt_json object, const char *name) {
    struct lt_json value;
    int64_t n;
    return lt_json_get(object, name, &value) && lt_json_int64(value, &n) && n > 0 ? n : 0;
}

static void read_summary(struct lt_json description, struct lt_stream_summary *out) {
    struct lt_json value;
    double seconds;
    copy_member(description, "StreamName", out->name, sizeof(out->name));
    copy_member(description, "StreamARN", out->arn, sizeof(out->arn));
    copy_member(description, "StreamStatus", out->status, sizeof(out->status));
    out->retention_hours = (unsigned)int_member(description, "RetentionPeriodHours");
    out->n_open_shards = (unsigned)int_member(description, "OpenShardCount");
    if (lt_json_get(description, "StreamCreationTimestamp", &value) &&
        lt_json_double(value, &seconds) && seconds > 0 && seconds < 1e12)
        out->created_ms = (int64_t)(seconds * 1000 + 0.5);
}

/* Counts the open shards of a page; `last` becomes the page's last shard. True when more follow. */
static bool count_shards(struct lt_json description, unsigned *n_open, char *last, size_t cap) {
    struct lt_json shards, shard, range, ending, more;
    char id[128] = "";
    if (!lt_json_get(description, "Shards", &shards))
        return false;
    struct lt_json_iter iter = lt_json_iter(shards);
    while (lt_json_next(&iter, &shard)) {
        copy_member(shard, "ShardId", id, sizeof(id));
        bool closed = lt_json_get(shard, "SequenceNumberRange", &range) &&
                      lt_json_get(range, "EndingSequenceNumber", &ending) &&
                      ending.type == LT_JSON_STRING;
        *n_open += !closed;
    }
    if (!id[0] || strcmp(id, last) == 0)
        return false;
    snprintf(last, cap, "%s", id);
    return lt_json_get(description, "HasMoreShards", &more) && more.type == LT_JSON_TRUE;
}

static leat_status describe_by_shards(struct lt_kinesis *service, const char *stream,
                                      struct lt_stream_summary *out, struct leat_error *err) {
    char last[128] = "";
    unsigned n_open = 0;
    bool more = true;
    leat_status status = LEAT_OK;

    while (more && status == LEAT_OK) {
        struct request request;
        struct lt_buf bytes;
        struct lt_json answer, description;
        begin(&request, stream);
        if (last[0]) {
            lt_json_key(&request.w, "ExclusiveStartShardId");
            lt_json_put_str(&request.w, last);
        }
        status = fetch(service, "DescribeStream", &request, &bytes, &answer, err);
        if (status == LEAT_OK && !lt_json_get(answer, "StreamDescription", &description))
            status = lt_fail(err, LEAT_E_REMOTE, 0, "DescribeStream: no StreamDescription");
        if (status == LEAT_OK) {
            read_summary(description, out);
            more = count_shards(description, &n_open, last, sizeof(last));
        }
        lt_buf_deinit(&bytes);
    }
    out->n_open_shards = n_open;
    return status;
}

leat_status lt_kinesis_describe(struct lt_stream_service *base, const char *stream,
                                struct lt_stream_summary *out, struct leat_error *err) {
    struct lt_kinesis *service = lt_kinesis_of(base);
    struct request request;
    struct lt_buf bytes;
    struct lt_json answer, description;
    struct leat_error local;

    if (!err)
        err = &local;
    memset(out, 0, sizeof(*out));
    begin(&request, stream);
    leat_status status = fetch(service, "DescribeStreamSummary", &request, &bytes, &answer, err);
    if (status == LEAT_OK && !lt_json_get(answer, "StreamDescriptionSummary", &description))
        status =
            lt_fail(err, LEAT_E_REMOTE, 0, "DescribeStreamSummary: no description of %s", stream);
    if (status == LEAT_OK)
        read_summary(description, out);
    lt_buf_deinit(&bytes);
    return lt_kinesis_is_unknown(status, err) ? describe_by_shards(service, stream, out, err)
                                              : status;
}

static void sleep_ms(int64_t ms) {
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        ;
}

/* Waits until the stream is neither being made, nor changed, nor deleted: LEAT_OK when it is there,
 * LEAT_E_NOT_FOUND when it is gone. */
static leat_status settle(struct lt_stream_service *base, const char *stream,
                          struct leat_error *err) {
    int64_t deadline_us = lt_clock_mono_us() + (int64_t)SETTLE_MAX_MS * 1000;
    int64_t gap_ms = SETTLE_FIRST_MS;
    for (;;) {
        struct lt_stream_summary summary;
        leat_status status = lt_kinesis_describe(base, stream, &summary, err);
        if (status != LEAT_OK)
            return status;
        if (strcmp(summary.status, "CREATING") != 0 && strcmp(summary.status, "DELETING") != 0 &&
            strcmp(summary.status, "UPDATING") != 0)
            return LEAT_OK;
        if (lt_clock_mono_us() > deadline_us)
            return lt_fail(err, LEAT_E_TIMEOUT, 0, "stream %s is still %s after %d s", stream,
                           summary.status, SETTLE_MAX_MS / 1000);
        sleep_ms(gap_ms);
        gap_ms = gap_ms * 2 < SETTLE_GAP_MS ? gap_ms * 2 : SETTLE_GAP_MS;
    }
}

static leat_status ask_to_create(struct lt_kinesis *service, const char *stream, unsigned n_shards,
                                 struct leat_error *err) {
    struct request request;
    begin(&request, stream);
    lt_json_key(&request.w, "ShardCount");
    lt_json_put_uint(&request.w, n_shards);
    return call_for_nothing(service, "CreateStream", &request, err);
}

leat_status lt_kinesis_create(struct lt_stream_service *base, const char *stream, unsigned n_shards,
                              struct leat_error *err) {
    struct lt_kinesis *service = lt_kinesis_of(base);
    leat_status created = ask_to_create(service, stream, n_shards, err);
    if (created != LEAT_OK && created != LEAT_E_EXISTS)
        return created;
    leat_status status = settle(base, stream, err);
    if (created == LEAT_E_EXISTS && status == LEAT_E_NOT_FOUND) { /* it was being deleted */
        created = ask_to_create(service, stream, n_shards, err);
        if (created != LEAT_OK && created != LEAT_E_EXISTS)
            return created;
        status = settle(base, stream, err);
    }
    if (status == LEAT_OK && created == LEAT_E_EXISTS)
        return lt_fail(err, LEAT_E_EXISTS, 0, "stream %s exists already", stream);
    return status;
}

/* The service has one call for more and one for less, and refuses the other. */
leat_status lt_kinesis_set_retention(struct lt_stream_service *base, const char *stream,
                                     unsigned hours, struct leat_error *err) {
    struct lt_stream_summary summary;
    struct request request;
    leat_status status = lt_kinesis_describe(base, stream, &summary, err);

    if (status != LEAT_OK || summary.retention_hours == hours)
        return status;
    begin(&request, stream);
    lt_json_key(&request.w, "RetentionPeriodHours");
    lt_json_put_uint(&request.w, hours);
    status = call_for_nothing(lt_kinesis_of(base),
                              hours > summary.retention_hours ? "IncreaseStreamRetentionPeriod"
                                                              : "DecreaseStreamRetentionPeriod",
                              &request, err);
    return status == LEAT_OK ? settle(base, stream, err) : status;
}

leat_status lt_kinesis_remove(struct lt_stream_service *base, const char *stream,
                              struct leat_error *err) {
    struct request request;
    begin(&request, stream);
    leat_status status = call_for_nothing(lt_kinesis_of(base), "DeleteStream", &request, err);
    if (status != LEAT_E_EXISTS)
        return status;
    if (err)
        err->status = LEAT_E_BUSY; /* ResourceInUseException: it is not ACTIVE, or has consumers */
    return LEAT_E_BUSY;
}

struct names {
    struct lt_arena *arena;
    const char **items;
    size_t n, cap;
};

static leat_status add_name(struct names *names, struct lt_json value, struct leat_error *err) {
    if (names->n == names->cap) {
        size_t cap = names->cap ? names->cap * 2 : 32;
        const char **items = lt_arena_calloc(names->arena, cap, sizeof(*items));
        if (!items)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the names of streams");
        if (names->n)
            memcpy(items, names->items, names->n * sizeof(*items));
        names->items = items;
        names->cap = cap;
    }
    names->items[names->n] = lt_arena_str(names->arena, lt_json_string(value, names->arena));
    if (!names->items[names->n])
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the names of streams");
    names->n++;
    return LEAT_OK;
}

static leat_status read_names(struct lt_json answer, struct names *names, bool *more,
                              struct leat_error *err) {
    struct lt_json list, value, has_more;
    size_t n_before = names->n;
    leat_status status = LEAT_OK;

    if (!lt_json_get(answer, "StreamNames", &list))
        return lt_fail(err, LEAT_E_REMOTE, 0, "ListStreams: no StreamNames");
    struct lt_json_iter iter = lt_json_iter(list);
    while (status == LEAT_OK && lt_json_next(&iter, &value))
        status = add_name(names, value, err);
    *more = lt_json_get(answer, "HasMoreStreams", &has_more) && has_more.type == LT_JSON_TRUE;
    if (status == LEAT_OK && *more && names->n == n_before)
        return lt_fail(err, LEAT_E_REMOTE, 0, "ListStreams: the list goes on after an empty page");
    return status;
}

leat_status lt_kinesis_list(struct lt_stream_service *base, struct lt_arena *arena,
                            const char *const **out, size_t *n, struct leat_error *err) {
    struct names names = {.arena = arena};
    leat_status status = LEAT_OK;
    bool more = true;

    *out = NULL;
    *n = 0;
    while (more && status == LEAT_OK) {
        struct request request;
        struct lt_buf bytes;
        struct lt_json answer;
        begin(&request, NULL);
        if (names.n) {
            lt_json_key(&request.w, "ExclusiveStartStreamName");
            lt_json_put_str(&request.w, names.items[names.n - 1]);
        }
        status = fetch(lt_kinesis_of(base), "ListStreams", &request, &bytes, &answer, err);
        if (status == LEAT_OK)
            status = read_names(answer, &names, &more, err);
        lt_buf_deinit(&bytes);
    }
    if (status == LEAT_OK) {
        *out = (const char *const *)names.items;
        *n = names.n;
    }
    return status;
}
