/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../script.h"
#include "aws/client.h"
#include "base/clock.h"
#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define END                                                                                        \
    { NULL, NULL, 0, NULL, NULL }

struct fixture {
    struct script script;
    uv_loop_t loop;
    struct lt_stream_service *service;
    struct leat_error err;
    char dir[32], path[64];
};

static void open_at(struct fixture *f, bool unix_socket, const struct script_line *lines) {
    memset(f, 0, sizeof(*f));
    if (unix_socket) {
        snprintf(f->dir, sizeof(f->dir), "/tmp/leat-kin-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
    }
    script_start(&f->script, unix_socket ? f->path : NULL, lines);
    const struct lt_aws_endpoint endpoint = {.url = peer_url(f->script.peer),
                                             .unix_socket = unix_socket ? f->path : NULL};
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(lt_stream_kinesis_new(&f->service, &f->loop, &endpoint, &f->err), LEAT_OK);
    assert_int_equal(f->service->atomic_put, unix_socket);
}

static void close_all(struct fixture *f) {
    if (f->service)
        f->service->ops->close(f->service);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    script_end(&f->script);
    if (f->path[0]) {
        unlink(f->path);
        rmdir(f->dir);
    }
}

/* What came of a call, as text where it is more than a status. */
struct outcome {
    unsigned n_calls;
    leat_status status;
    struct leat_error err;
    char text[2048];
    bool end;
    int64_t behind_ms;
    struct lt_stream_reader *close_me;
    struct fixture *close_all_of;
};

static void await(struct fixture *f, const struct outcome *o, unsigned n_calls) {
    int64_t deadline_us = lt_clock_mono_us() + 20000000;
    while (o->n_calls < n_calls && lt_clock_mono_us() < deadline_us)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(o->n_calls, n_calls);
}

static void add_text(struct outcome *o, const char *fmt, ...) {
    size_t len = strlen(o->text);
    va_list args;
    va_start(args, fmt);
    vsnprintf(o->text + len, sizeof(o->text) - len, fmt, args);
    va_end(args);
}

static void note(struct outcome *o, leat_status status, const struct leat_error *err) {
    o->n_calls++;
    o->status = status;
    o->text[0] = '\0';
    if (err)
        o->err = *err;
    assert_int_equal(status != LEAT_OK, err != NULL);
}

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    note(ctx, status, err);
    for (size_t i = 0; i < n; i++)
        add_text(ctx, "%s%s%s%s%s%s;", shards[i].id, shards[i].parent ? "<" : "",
                 shards[i].parent ? shards[i].parent : "", shards[i].adjacent_parent ? "+" : "",
                 shards[i].adjacent_parent ? shards[i].adjacent_parent : "",
                 shards[i].closed ? "." : "");
}

static void on_put(void *ctx, leat_status status, const struct lt_stream_put_result *results,
                   size_t n, const struct leat_error *err) {
    note(ctx, status, err);
    for (size_t i = 0; i < n; i++)
        add_text(ctx, "%s/%s/%s/%s;", leat_status_name(results[i].status), results[i].code,
                 results[i].shard, results[i].sequence);
}

static void on_read(void *ctx, leat_status status, struct lt_stream_batch *batch,
                    const struct leat_error *err) {
    struct outcome *o = ctx;
    note(o, status, err);
    assert_int_equal(status == LEAT_OK, batch != NULL);
    for (size_t i = 0; batch && i < batch->n; i++)
        add_text(o, "%.*s/%.*s/%.*s/%lld;", LT_FMT(batch->records[i].sequence),
                 LT_FMT(batch->records[i].key), LT_FMT(batch->records[i].data),
                 (long long)batch->records[i].time_ms);
    o->end = batch && batch->end;
    o->behind_ms = batch ? batch->behind_ms : -1;
    lt_stream_batch_free(batch);
    if (o->close_me)
        o->close_all_of->service->ops->close_shard(o->close_me);
    if (o->close_all_of && !o->close_me) {
        o->close_all_of->service->ops->close(o->close_all_of->service);
        o->close_all_of->service = NULL;
    }
}

static struct lt_stream_reader *open_shard(struct fixture *f, enum lt_stream_from from) {
    const struct lt_stream_start start = {
        .from = from, .sequence = LT_LIT("49"), .time_ms = 1700000000123};
    struct lt_stream_reader *reader;
    assert_int_equal(f->service->ops->open_shard(f->service, "s", "shardId-000000000000", &start,
                                                 &reader, &f->err),
                     LEAT_OK);
    return reader;
}

static struct outcome read_once(struct fixture *f, struct lt_stream_reader *reader) {
    struct outcome o = {0};
    assert_int_equal(f->service->ops->read(reader, 100, 1 << 20, 100, on_read, &o, &f->err),
                     LEAT_OK);
    assert_int_equal(o.n_calls, 0);
    await(f, &o, 1);
    return o;
}

static void shards_are_listed_over_all_pages(void **state) {
    static const struct script_line lines[] = {
        {"ListShards", "{\"StreamName\":\"s\"}", 200,
         "{\"Shards\":[{\"ShardId\":\"a\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":"
         "\"1\","
         "\"EndingSequenceNumber\":\"5\"}},{\"ShardId\":\"b\",\"SequenceNumberRange\":{}}],"
         "\"NextToken\":\"t\"}",
         NULL},
        {"ListShards", "{\"NextToken\":\"t\"}", 200,
         "{\"Shards\":[{\"ShardId\":\"c\",\"ParentShardId\":\"a\",\"AdjacentParentShardId\":\"b\"}]"
         "}",
         NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    assert_int_equal(o.n_calls, 0);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "a.;b;c<a+b;");
    close_all(&f);
}

static void shards_of_an_older_service_are_listed_by_describing(void **state) {
    static const struct script_line lines[] = {
        {"ListShards", NULL, 400, "{\"__type\":\"UnknownOperationException\"}", NULL},
        {"DescribeStream", "{\"StreamName\":\"s\"}", 200,
         "{\"StreamDescription\":{\"Shards\":[{\"ShardId\":\"a\"}],\"HasMoreShards\":true}}", NULL},
        {"DescribeStream", "{\"StreamName\":\"s\",\"ExclusiveStartShardId\":\"a\"}", 200,
         "{\"StreamDescription\":{\"Shards\":[{\"ShardId\":\"b\"}],\"HasMoreShards\":false}}",
         NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_string_equal(o.text, "a;b;");
    close_all(&f);
}

static void listing_shards_waits_for_throttles_and_tells_other_errors(void **state) {
    static const struct script_line lines[] = {
        {"ListShards", NULL, 400,
         "{\"__type\":\"LimitExceededException\",\"message\":\"Rate exceeded for stream s\"}",
         NULL},
        {"ListShards", NULL, 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no\"}",
         NULL},
        {"ListShards", NULL, 200, "{\"Shards\":[{}]}", NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_E_NOT_FOUND);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    await(&f, &o, 2);
    assert_int_equal(o.status, LEAT_E_REMOTE);
    close_all(&f);
}

static void a_put_tells_what_became_of_each_record(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords",
         "{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"aGk=\",\"PartitionKey\":\"k\"},"
         "{\"Data\":\"\",\"PartitionKey\":\"\\\"\",\"ExplicitHashKey\":\"7\"}]}",
         200,
         "{\"FailedRecordCount\":1,\"Records\":["
         "{\"SequenceNumber\":\"495\",\"ShardId\":\"shardId-000000000001\",\"ErrorCode\":null},"
         "{\"ErrorCode\":\"ProvisionedThroughputExceededException\",\"ErrorMessage\":\"slow\"}]}",
         NULL},
        END,
    };
    const struct lt_stream_put records[] = {
        {.key = LT_LIT("k"), .data = LT_LIT("hi")},
        {.key = LT_LIT("\""), .hash = LT_LIT("7")},
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->put(f.service, "s", records, 2, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "LEAT_OK//shardId-000000000001/495;"
                                "LEAT_E_THROTTLED/ProvisionedThroughputExceededException//;");
    close_all(&f);
}

static void a_put_is_sent_once_and_its_error_told(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", NULL, 500, "{\"__type\":\"InternalFailure\"}", NULL},
        {"PutRecords", NULL, 200, "{\"Records\":[]}", NULL},
        {"PutRecords", NULL, 200, "{\"Records\":[{}]}", NULL},
        END,
    };
    const struct lt_stream_put record = {.key = LT_LIT("k"), .data = LT_LIT("hi")};
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 0, on_put, &o, &f.err),
                     LEAT_E_INVALID);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 501, on_put, &o, &f.err),
                     LEAT_E_INVALID);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 1, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_E_REMOTE);
    assert_string_equal(o.err.code, "InternalFailure");
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 1, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 2);
    assert_int_equal(o.status, LEAT_E_REMOTE);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 1, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 3);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "LEAT_E_REMOTE///;");
    close_all(&f);
}

#define ITERATOR(name) "{\"ShardIterator\":\"" name "\"}"
#define RECORD(seq, key, data)                                                                     \
    "{\"SequenceNumber\":\"" seq "\",\"PartitionKey\":\"" key "\",\"Data\":\"" data "\","          \
    "\"ApproximateArrivalTimestamp\":1700000000.123}"
#define ASK_FOR_ITERATOR "{\"StreamName\":\"s\",\"ShardId\":\"shardId-000000000000\","

static void a_shard_is_read_to_its_end(void **state) {
    static const struct script_line lines[] = {
        {"GetShardIterator", ASK_FOR_ITERATOR "\"ShardIteratorType\":\"TRIM_HORIZON\"}", 200,
         ITERATOR("i1"), NULL},
        {"GetRecords", "{\"ShardIterator\":\"i1\",\"Limit\":100}", 200,
         "{\"MillisBehindLatest\":7,\"NextShardIterator\":\"i2\",\"Records\":[" RECORD(
             "1", "k\\u00e9", "aGk=") "," RECORD("2", "l", "") "]}",
         NULL},
        {"GetRecords", "{\"ShardIterator\":\"i2\",", 200,
         "{\"MillisBehindLatest\":0,\"NextShardIterator\":null,\"Records\":[],\"ChildShards\":[]}",
         NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, true, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    struct outcome o = read_once(&f, reader);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "1/k\xc3\xa9/hi/1700000000123;2/l//1700000000123;");
    assert_int_equal(o.behind_ms, 7);
    assert_false(o.end);
    o = read_once(&f, reader);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "");
    assert_true(o.end);
    o = read_once(&f, reader); /* nothing is asked any more */
    assert_true(o.end);
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void reading_starts_where_it_is_told_to(void **state) {
    static const struct {
        enum lt_stream_from from;
        const char *asked;
    } rows[] = {
        {LT_FROM_TRIM_HORIZON, "\"ShardIteratorType\":\"TRIM_HORIZON\"}"},
        {LT_FROM_LATEST, "\"ShardIteratorType\":\"LATEST\"}"},
        {LT_FROM_AT_SEQUENCE,
         "\"ShardIteratorType\":\"AT_SEQUENCE_NUMBER\",\"StartingSequenceNumber\":\"49\"}"},
        {LT_FROM_AFTER_SEQUENCE,
         "\"ShardIteratorType\":\"AFTER_SEQUENCE_NUMBER\",\"StartingSequenceNumber\":\"49\"}"},
        {LT_FROM_TIME, "\"ShardIteratorType\":\"AT_TIMESTAMP\",\"Timestamp\":1700000000.123}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct script_line lines[] = {
            {"GetShardIterator", rows[i].asked, 200, ITERATOR("i"), NULL},
            {"GetRecords", NULL, 200, "{\"NextShardIterator\":\"j\",\"Records\":[]}", NULL},
            END,
        };
        struct fixture f;
        open_at(&f, false, lines);
        struct lt_stream_reader *reader = open_shard(&f, rows[i].from);
        assert_int_equal(read_once(&f, reader).status, LEAT_OK);
        f.service->ops->close_shard(reader);
        close_all(&f);
    }
}

static void an_expired_iterator_is_replaced_by_one_after_the_last_record(void **state) {
    static const char expired[] = "{\"__type\":\"ExpiredIteratorException\",\"message\":\"old\"}";
    static const struct script_line lines[] = {
        {"GetShardIterator", "TRIM_HORIZON", 200, ITERATOR("i1"), NULL},
        {"GetRecords", "i1", 400, expired, NULL}, /* nothing was read yet */
        {"GetShardIterator", "TRIM_HORIZON", 200, ITERATOR("i2"), NULL},
        {"GetRecords", "i2", 200,
         "{\"NextShardIterator\":\"i3\",\"Records\":[" RECORD("1", "k", "") "," RECORD("22", "k",
                                                                                       "") "]}",
         NULL},
        {"GetRecords", "i3", 400, expired, NULL},
        {"GetShardIterator", "AFTER_SEQUENCE_NUMBER\",\"StartingSequenceNumber\":\"22\"", 200,
         ITERATOR("i4"), NULL},
        {"GetRecords", "i4", 200,
         "{\"NextShardIterator\":\"i5\",\"Records\":[" RECORD("23", "k", "") "]}", NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, true, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    assert_string_equal(read_once(&f, reader).text, "1/k//1700000000123;22/k//1700000000123;");
    assert_string_equal(read_once(&f, reader).text, "23/k//1700000000123;");
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void latest_that_expired_misses_nothing_since(void **state) {
    static const struct script_line lines[] = {
        {"GetShardIterator", "LATEST", 200, ITERATOR("i1"), NULL},
        {"GetRecords", "i1", 400, "{\"__type\":\"ExpiredIteratorException\"}", NULL},
        {"GetShardIterator", "\"ShardIteratorType\":\"AT_TIMESTAMP\",\"Timestamp\":", 200,
         ITERATOR("i2"), NULL},
        {"GetRecords", "i2", 200,
         "{\"NextShardIterator\":\"i3\",\"Records\":[" RECORD("1", "k", "") "]}", NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, true, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_LATEST);
    assert_int_equal(read_once(&f, reader).status, LEAT_OK);
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void iterators_that_expire_for_ever_are_an_error_not_a_loop(void **state) {
    static const char expired[] = "{\"__type\":\"ExpiredIteratorException\"}";
    static const struct script_line lines[] = {
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 400, expired, NULL},
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 400, expired, NULL},
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 400, expired, NULL},
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 400, expired, NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, true, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    assert_int_equal(read_once(&f, reader).status, LEAT_E_EXPIRED);
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void a_throttled_read_waits_inside_and_other_errors_are_told(void **state) {
    static const struct script_line lines[] = {
        {"GetShardIterator", NULL, 400, "{\"__type\":\"ProvisionedThroughputExceededException\"}",
         NULL},
        {"GetShardIterator", NULL, 200, ITERATOR("i1"), NULL},
        {"GetRecords", "i1", 400, "{\"__type\":\"ProvisionedThroughputExceededException\"}", NULL},
        {"GetRecords", "i1", 200,
         "{\"NextShardIterator\":\"i2\",\"Records\":[" RECORD("1", "k", "") "]}", NULL},
        {"GetRecords", "i2", 500, "{\"__type\":\"InternalFailure\"}", NULL},
        {"GetRecords", "i2", 200,
         "{\"NextShardIterator\":\"i3\",\"Records\":[" RECORD("2", "k", "") "]}", NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, true, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    assert_string_equal(read_once(&f, reader).text, "1/k//1700000000123;");
    assert_int_equal(read_once(&f, reader).status, LEAT_E_REMOTE);
    assert_string_equal(read_once(&f, reader).text, "2/k//1700000000123;");
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void an_answer_that_makes_no_sense_is_an_error(void **state) {
    static const char *const answers[] = {
        "{}",
        "{\"Records\":3}",
        "{\"Records\":[3],\"NextShardIterator\":\"j\"}",
        "{\"Records\":[{\"SequenceNumber\":\"1\",\"Data\":\"*\"}],\"NextShardIterator\":\"j\"}",
        "{\"Records\":[{\"SequenceNumber\":\"1\"}],\"NextShardIterator\":\"j\"}",
        "{\"Records\":[{\"Data\":\"\"}],\"NextShardIterator\":\"j\"}",
        "{\"Records\":[{\"SequenceNumber\":1,\"Data\":\"\"}],\"NextShardIterator\":\"j\"}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct script_line lines[] = {
            {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
            {"GetRecords", NULL, 200, answers[i], NULL},
            END,
        };
        struct fixture f;
        open_at(&f, true, lines);
        struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
        assert_int_equal(read_once(&f, reader).status, LEAT_E_REMOTE);
        f.service->ops->close_shard(reader);
        close_all(&f);
    }
}

static void an_iterator_that_is_missing_or_too_long_is_an_error(void **state) {
    char long_one[2000] = "{\"ShardIterator\":\"";
    const char *const answers[] = {"{}", "{\"ShardIterator\":\"\"}", "{\"ShardIterator\":7}",
                                   long_one};
    (void)state;
    memset(long_one + strlen(long_one), 'x', 1500);
    strcat(long_one, "\"}");
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct script_line lines[] = {
            {"GetShardIterator", NULL, 200, answers[i], NULL},
            END,
        };
        struct fixture f;
        open_at(&f, true, lines);
        struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
        assert_int_equal(read_once(&f, reader).status, LEAT_E_REMOTE);
        f.service->ops->close_shard(reader);
        close_all(&f);
    }
}

static void a_service_is_asked_five_times_a_second_at_most(void **state) {
    static const char empty[] = "{\"NextShardIterator\":\"j\",\"Records\":[]}";
    static const struct script_line lines[] = {
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 200, empty, NULL},
        {"GetRecords", NULL, 200, empty, NULL},
        {"GetRecords", NULL, 200, empty, NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, false, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    int64_t start_us = lt_clock_mono_us();
    for (int i = 0; i < 3; i++)
        assert_int_equal(read_once(&f, reader).status, LEAT_OK);
    assert_in_range(lt_clock_mono_us() - start_us, 390000, 5000000);
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void an_engine_that_has_nothing_is_asked_until_the_idle_time_is_over(void **state) {
    static const char empty[] = "{\"NextShardIterator\":\"j\",\"Records\":[]}";
    static const struct script_line lines[] = {
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 200, empty, NULL},
        {"GetRecords", NULL, 200, empty, NULL},
        {"GetRecords", NULL, 200,
         "{\"NextShardIterator\":\"j\",\"Records\":[" RECORD("1", "k", "") "]}", NULL},
        {"GetRecords", NULL, 200, empty, NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, true, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    assert_int_equal(f.service->ops->read(reader, 100, 1 << 20, 20000, on_read, &o, &f.err),
                     LEAT_OK);
    await(&f, &o, 1);
    assert_string_equal(o.text, "1/k//1700000000123;");
    assert_int_equal(f.service->ops->read(reader, 100, 1 << 20, 0, on_read, &o, &f.err), LEAT_OK);
    await(&f, &o, 2);
    assert_string_equal(o.text, "");
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void the_size_of_records_bounds_how_many_are_asked_for(void **state) {
    static const struct script_line lines[] = {
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", "\"Limit\":10000}", 200,
         "{\"NextShardIterator\":\"j\",\"Records\":[" RECORD("1", "k",
                                                             "MDEyMzQ1Njc4OTAxMjM0NTY3") "]}",
         NULL},
        {"GetRecords", "\"Limit\":10}", 200, "{\"Records\":[]}", NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, true, lines);
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(f.service->ops->read(reader, 50000, 200, 0, on_read, &o, &f.err), LEAT_OK);
        await(&f, &o, i);
    }
    f.service->ops->close_shard(reader);
    close_all(&f);
}

static void a_reader_closed_while_it_reads_ends_with_cancelled(void **state) {
    static const struct script_line lines[] = {END};
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    f.script.n_lines = f.script.n_played; /* whatever is asked, or not, before it is closed */
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    assert_int_equal(f.service->ops->read(reader, 1, 1, 0, on_read, &o, &f.err), LEAT_OK);
    assert_int_equal(f.service->ops->read(reader, 1, 1, 0, on_read, &o, &f.err), LEAT_E_BUSY);
    f.service->ops->close_shard(reader);
    assert_int_equal(o.n_calls, 0);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_E_CANCELLED);
    f.service->ops->close(f.service);
    f.service = NULL;
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f.loop), 0);
    peer_stop(f.script.peer);
    assert_int_equal(o.n_calls, 1);
}

static void a_callback_may_close_its_reader_or_the_service(void **state) {
    static const struct script_line lines[] = {
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 200, "{\"NextShardIterator\":\"j\",\"Records\":[]}", NULL},
        END,
    };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        struct outcome o = {0};
        open_at(&f, false, lines);
        struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
        o.close_all_of = &f;
        o.close_me = i == 0 ? reader : NULL;
        const struct lt_stream_ops *ops = f.service->ops;
        assert_int_equal(ops->read(reader, 1, 1, 0, on_read, &o, &f.err), LEAT_OK);
        await(&f, &o, 1);
        assert_int_equal(o.status, LEAT_OK);
        if (i == 1)
            ops->close_shard(reader);
        close_all(&f);
    }
}

static void closing_the_service_cancels_what_is_under_way(void **state) {
    static const struct script_line lines[] = {
        {"GetShardIterator", NULL, 200, ITERATOR("i"), NULL},
        {"GetRecords", NULL, 400, "{\"__type\":\"ProvisionedThroughputExceededException\"}",
         "Retry-After: 60\r\n"},
        END,
    };
    const struct lt_stream_put record = {.key = LT_LIT("k"), .data = LT_LIT("hi")};
    struct fixture f;
    struct outcome waiting = {0}, sent = {0};
    (void)state;
    open_at(&f, false, lines);
    const struct lt_stream_ops *ops = f.service->ops;
    struct lt_stream_reader *reader = open_shard(&f, LT_FROM_TRIM_HORIZON);
    assert_int_equal(ops->read(reader, 1, 1, 0, on_read, &waiting, &f.err), LEAT_OK);
    int64_t deadline_us = lt_clock_mono_us() + 10000000;
    while (peer_requests(f.script.peer) < 2 && lt_clock_mono_us() < deadline_us)
        uv_run(&f.loop, UV_RUN_NOWAIT);
    assert_int_equal(ops->put(f.service, "s", &record, 1, on_put, &sent, &f.err), LEAT_OK);
    ops->close(f.service);
    f.service = NULL;
    assert_int_equal(waiting.n_calls, 1);
    assert_int_equal(waiting.status, LEAT_E_CANCELLED);
    assert_int_equal(sent.n_calls, 1);
    assert_int_equal(sent.status, LEAT_E_CANCELLED);
    ops->close_shard(reader);
    close_all(&f);
}

#define SUMMARY(status)                                                                            \
    "{\"StreamDescriptionSummary\":{\"StreamName\":\"s\",\"StreamARN\":\"arn:s\","                 \
    "\"StreamStatus\":\"" status "\",\"RetentionPeriodHours\":24,"                                 \
    "\"StreamCreationTimestamp\":1700000000.5,\"OpenShardCount\":3}}"
#define GONE "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no s\"}"
#define TAKEN "{\"__type\":\"ResourceInUseException\",\"message\":\"s exists\"}"

static void creating_waits_until_the_stream_is_active(void **state) {
    static const struct script_line lines[] = {
        {"CreateStream", "{\"StreamName\":\"s\",\"ShardCount\":3}", 200, "", NULL},
        {"DescribeStreamSummary", "{\"StreamName\":\"s\"}", 200, SUMMARY("CREATING"), NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        {"CreateStream", NULL, 400, TAKEN, NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->create(f.service, "s", 3, &f.err), LEAT_OK);
    assert_int_equal(f.service->ops->create(f.service, "s", 3, &f.err), LEAT_E_EXISTS);
    close_all(&f);
}

static void creating_waits_for_a_stream_that_is_being_deleted(void **state) {
    static const struct script_line lines[] = {
        {"CreateStream", NULL, 400, TAKEN, NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("DELETING"), NULL},
        {"DescribeStreamSummary", NULL, 400, GONE, NULL},
        {"CreateStream", NULL, 200, "", NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->create(f.service, "s", 3, &f.err), LEAT_OK);
    close_all(&f);
}

static void a_stream_is_described_by_older_services_too(void **state) {
    static const struct script_line lines[] = {
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        {"DescribeStreamSummary", NULL, 400, "{\"__type\":\"UnknownOperationException\"}", NULL},
        {"DescribeStream", "{\"StreamName\":\"s\"}", 200,
         "{\"StreamDescription\":{\"StreamName\":\"s\",\"StreamStatus\":\"ACTIVE\","
         "\"HasMoreShards\":true,"
         "\"Shards\":[{\"ShardId\":\"a\",\"SequenceNumberRange\":{\"EndingSequenceNumber\":\"5\"}},"
         "{\"ShardId\":\"b\",\"SequenceNumberRange\":{}}]}}",
         NULL},
        {"DescribeStream", "\"ExclusiveStartShardId\":\"b\"", 200,
         "{\"StreamDescription\":{\"StreamName\":\"s\",\"StreamStatus\":\"ACTIVE\","
         "\"HasMoreShards\":false,"
         "\"Shards\":[{\"ShardId\":\"c\"}]}}",
         NULL},
        {"DescribeStreamSummary", NULL, 400, GONE, NULL},
        END,
    };
    struct lt_stream_summary summary;
    struct fixture f;
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->describe(f.service, "s", &summary, &f.err), LEAT_OK);
    assert_string_equal(summary.name, "s");
    assert_string_equal(summary.arn, "arn:s");
    assert_string_equal(summary.status, "ACTIVE");
    assert_int_equal(summary.n_open_shards, 3);
    assert_int_equal(summary.retention_hours, 24);
    assert_int_equal(summary.created_ms, 1700000000500);
    assert_int_equal(f.service->ops->describe(f.service, "s", &summary, &f.err), LEAT_OK);
    assert_int_equal(summary.n_open_shards, 2);
    assert_int_equal(f.service->ops->describe(f.service, "s", &summary, &f.err), LEAT_E_NOT_FOUND);
    close_all(&f);
}

static void streams_are_removed_and_listed(void **state) {
    static const struct script_line lines[] = {
        {"DeleteStream", "{\"StreamName\":\"s\"}", 200, "", NULL},
        {"DeleteStream", NULL, 400, GONE, NULL},
        {"DeleteStream", NULL, 400, TAKEN, NULL},
        {"ListStreams", "{}", 200, "{\"StreamNames\":[\"a\",\"b\"],\"HasMoreStreams\":true}", NULL},
        {"ListStreams", "{\"ExclusiveStartStreamName\":\"b\"}", 200,
         "{\"StreamNames\":[\"c\"],\"HasMoreStreams\":false}", NULL},
        {"ListStreams", NULL, 200, "{\"StreamNames\":[],\"HasMoreStreams\":true}", NULL},
        END,
    };
    const char *const *names;
    struct lt_arena arena;
    struct fixture f;
    size_t n;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->remove(f.service, "s", &f.err), LEAT_OK);
    assert_int_equal(f.service->ops->remove(f.service, "s", &f.err), LEAT_E_NOT_FOUND);
    assert_int_equal(f.service->ops->remove(f.service, "s", &f.err), LEAT_E_BUSY);
    assert_int_equal(f.err.status, LEAT_E_BUSY);
    assert_int_equal(f.service->ops->list(f.service, &arena, &names, &n, &f.err), LEAT_OK);
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[2], "c");
    assert_int_equal(f.service->ops->list(f.service, &arena, &names, &n, &f.err), LEAT_E_REMOTE);
    lt_arena_deinit(&arena);
    close_all(&f);
}

static void a_service_without_credentials_is_not_made(void **state) {
    const struct lt_aws_endpoint endpoint = {.url = "https://kinesis.us-east-1.amazonaws.com",
                                             .region = "us-east-1"};
    struct lt_stream_service *service;
    struct leat_error err;
    uv_loop_t loop;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(lt_stream_kinesis_new(&service, &loop, &endpoint, &err), LEAT_E_AUTH);
    assert_null(service);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_listed_over_all_pages),
        cmocka_unit_test(shards_of_an_older_service_are_listed_by_describing),
        cmocka_unit_test(listing_shards_waits_for_throttles_and_tells_other_errors),
        cmocka_unit_test(a_put_tells_what_became_of_each_record),
        cmocka_unit_test(a_put_is_sent_once_and_its_error_told),
        cmocka_unit_test(a_shard_is_read_to_its_end),
        cmocka_unit_test(reading_starts_where_it_is_told_to),
        cmocka_unit_test(an_expired_iterator_is_replaced_by_one_after_the_last_record),
        cmocka_unit_test(latest_that_expired_misses_nothing_since),
        cmocka_unit_test(iterators_that_expire_for_ever_are_an_error_not_a_loop),
        cmocka_unit_test(a_throttled_read_waits_inside_and_other_errors_are_told),
        cmocka_unit_test(an_answer_that_makes_no_sense_is_an_error),
        cmocka_unit_test(an_iterator_that_is_missing_or_too_long_is_an_error),
        cmocka_unit_test(a_service_is_asked_five_times_a_second_at_most),
        cmocka_unit_test(an_engine_that_has_nothing_is_asked_until_the_idle_time_is_over),
        cmocka_unit_test(the_size_of_records_bounds_how_many_are_asked_for),
        cmocka_unit_test(a_reader_closed_while_it_reads_ends_with_cancelled),
        cmocka_unit_test(a_callback_may_close_its_reader_or_the_service),
        cmocka_unit_test(closing_the_service_cancels_what_is_under_way),
        cmocka_unit_test(creating_waits_until_the_stream_is_active),
        cmocka_unit_test(creating_waits_for_a_stream_that_is_being_deleted),
        cmocka_unit_test(a_stream_is_described_by_older_services_too),
        cmocka_unit_test(streams_are_removed_and_listed),
        cmocka_unit_test(a_service_without_credentials_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
