/* SPDX-License-Identifier: Apache-2.0 */
#include "kinesis_fixture.h"

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
    assert_true(lt_clock_mono_us() - start_us >= 390000);
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

int main(void) {
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
