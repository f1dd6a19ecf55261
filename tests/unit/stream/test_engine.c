/* SPDX-License-Identifier: Apache-2.0 */
/* The stream service on an engine of this process: what comes back, when, and in which order. */
#include "base/clock.h"
#include "engine/engine.h"
#include "engine/streams.h"
#include "stream/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[64];
    struct lt_engine *engine;
    struct lt_stream_service *service;
    uv_loop_t loop;
    struct leat_error err;
};

/* What a callback said. */
struct outcome {
    unsigned n_calls;
    leat_status status;
    size_t n;
    bool end;
    char first[64]; /* data of the first record, or id of the first shard */
    char shard[128], sequence[132];
    int64_t at_us;
};

static int set_up(void **state) {
    struct place *p = calloc(1, sizeof(*p));
    struct lt_engine_options options = {.data_dir = p->dir};

    strcpy(p->dir, "/tmp/leat-stream-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    assert_int_equal(lt_engine_open(&p->engine, &options, &p->err), LEAT_OK);
    uv_loop_init(&p->loop);
    assert_int_equal(lt_stream_engine_new(&p->service, &p->loop, p->engine, &p->err), LEAT_OK);
    assert_int_equal(p->service->ops->create(p->service, "a", 1, &p->err), LEAT_OK);
    *state = p;
    return 0;
}

static void close_service(struct place *p) {
    if (p->service)
        p->service->ops->close(p->service);
    p->service = NULL;
}

static int tear_down(void **state) {
    struct place *p = *state;
    char command[128];

    close_service(p);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&p->loop), 0);
    lt_engine_close(p->engine, false);
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static void wait_for(struct place *p, const struct outcome *outcome, unsigned n_calls) {
    while (outcome->n_calls < n_calls)
        uv_run(&p->loop, UV_RUN_ONCE);
}

static void on_put(void *ctx, leat_status status, const struct lt_stream_put_result *results,
                   size_t n, const struct leat_error *err) {
    struct outcome *o = ctx;
    (void)err;
    o->n_calls++;
    o->status = status;
    o->n = n;
    if (n > 0) {
        strcpy(o->shard, results[n - 1].shard);
        strcpy(o->sequence, results[n - 1].sequence);
    }
}

static void on_read(void *ctx, leat_status status, struct lt_stream_batch *batch,
                    const struct leat_error *err) {
    struct outcome *o = ctx;
    (void)err;
    o->n_calls++;
    o->status = status;
    o->at_us = lt_clock_mono_us();
    o->n = batch ? batch->n : 0;
    o->end = batch && batch->end;
    if (o->n > 0)
        snprintf(o->first, sizeof(o->first), "%.*s", LT_FMT(batch->records[0].data));
    lt_stream_batch_free(batch);
}

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    struct outcome *o = ctx;
    (void)err;
    o->n_calls++;
    o->status = status;
    o->n = n;
    if (n > 0)
        strcpy(o->first, shards[0].id);
}

static struct outcome put(struct place *p, const char *stream, const char *const *datas, size_t n) {
    struct lt_stream_put records[8];
    struct outcome o = {0};

    for (size_t i = 0; i < n; i++)
        records[i] = (struct lt_stream_put){.key = LT_LIT("k"), .data = lt_slice_str(datas[i])};
    assert_int_equal(p->service->ops->put(p->service, stream, records, n, on_put, &o, &p->err),
                     LEAT_OK);
    assert_int_equal(o.n_calls, 0); /* never from inside */
    wait_for(p, &o, 1);
    return o;
}

static struct lt_stream_reader *open_reader(struct place *p, struct lt_stream_start start) {
    struct lt_stream_reader *reader;
    assert_int_equal(p->service->ops->open_shard(p->service, "a", "shardId-000000000000", &start,
                                                 &reader, &p->err),
                     LEAT_OK);
    return reader;
}

static struct outcome read_once(struct place *p, struct lt_stream_reader *reader, size_t max,
                                int64_t idle_ms) {
    struct outcome o = {0};
    assert_int_equal(p->service->ops->read(reader, max, 1 << 20, idle_ms, on_read, &o, &p->err),
                     LEAT_OK);
    assert_int_equal(o.n_calls, 0);
    wait_for(p, &o, 1);
    return o;
}

static const char *const three[] = {"one", "two", "three"};

static void what_is_put_is_read_in_order(void **state) {
    struct place *p = *state;
    struct outcome o = put(p, "a", three, 3);
    struct lt_stream_reader *reader;

    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.n, 3);
    assert_string_equal(o.shard, "shardId-000000000000");
    assert_int_equal(strlen(o.sequence), LT_SEQUENCE_DIGITS);
    reader = open_reader(p, (struct lt_stream_start){.from = LT_FROM_TRIM_HORIZON});
    o = read_once(p, reader, 2, 0);
    assert_int_equal(o.n, 2);
    assert_string_equal(o.first, "one");
    o = read_once(p, reader, 2, 0);
    assert_int_equal(o.n, 1);
    assert_string_equal(o.first, "three");
    o = read_once(p, reader, 2, 0);
    assert_int_equal(o.n, 0);
    assert_false(o.end);
    p->service->ops->close_shard(reader);
}

static void reading_starts_where_it_is_told(void **state) {
    struct place *p = *state;
    struct outcome put_two = put(p, "a", three, 2), last = put(p, "a", three + 2, 1), o;
    struct lt_slice sequence = lt_slice_str(put_two.sequence);
    struct lt_stream_start starts[] = {
        {.from = LT_FROM_AT_SEQUENCE, .sequence = sequence},
        {.from = LT_FROM_AFTER_SEQUENCE, .sequence = sequence},
        {.from = LT_FROM_TIME, .time_ms = 1},
        {.from = LT_FROM_LATEST},
    };
    static const char *const firsts[] = {"two", "three", "one", ""};

    for (size_t i = 0; i < 4; i++) {
        struct lt_stream_reader *reader = open_reader(p, starts[i]);
        o = read_once(p, reader, 10, 0);
        assert_string_equal(o.first, firsts[i]);
        p->service->ops->close_shard(reader);
    }
    struct lt_stream_reader *reader;
    struct lt_stream_start bad = {.from = LT_FROM_AT_SEQUENCE, .sequence = LT_LIT("12")};
    assert_int_equal(p->service->ops->open_shard(p->service, "a", "shardId-000000000000", &bad,
                                                 &reader, &p->err),
                     LEAT_E_INVALID);
    assert_int_equal(p->service->ops->open_shard(p->service, "a", "shardId-000000000001",
                                                 &starts[2], &reader, &p->err),
                     LEAT_E_NOT_FOUND);
    assert_int_equal(p->service->ops->open_shard(p->service, "b", "shardId-000000000000",
                                                 &starts[2], &reader, &p->err),
                     LEAT_E_NOT_FOUND);
    assert_null(reader);
    assert_int_equal(last.status, LEAT_OK);
}

static void a_waiting_read_wakes_when_a_record_becomes_durable(void **state) {
    struct place *p = *state;
    struct lt_stream_reader *reader =
        open_reader(p, (struct lt_stream_start){.from = LT_FROM_LATEST});
    struct outcome o = {0};
    int64_t start_us;

    assert_int_equal(p->service->ops->read(reader, 10, 1 << 20, 60 * 1000, on_read, &o, &p->err),
                     LEAT_OK);
    for (int i = 0; i < 5; i++)
        uv_run(&p->loop, UV_RUN_NOWAIT);
    assert_int_equal(o.n_calls, 0);
    start_us = lt_clock_mono_us();
    put(p, "a", three, 1);
    wait_for(p, &o, 1);
    assert_int_equal(o.n, 1);
    assert_string_equal(o.first, "one");
    assert_true(o.at_us - start_us < 20 * 1000 * 1000);
    p->service->ops->close_shard(reader);
}

static void a_waiting_read_ends_empty_when_its_time_is_over(void **state) {
    struct place *p = *state;
    struct lt_stream_reader *reader =
        open_reader(p, (struct lt_stream_start){.from = LT_FROM_LATEST});
    int64_t start_us = lt_clock_mono_us();
    struct outcome o = read_once(p, reader, 10, 50);

    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.n, 0);
    assert_true(o.at_us - start_us >= 45 * 1000);
    p->service->ops->close_shard(reader);
}

static void a_closed_reader_ends_its_read_as_cancelled(void **state) {
    struct place *p = *state;
    struct lt_stream_reader *waiting =
        open_reader(p, (struct lt_stream_start){.from = LT_FROM_LATEST});
    struct outcome o = {0}, at_work = {0};

    assert_int_equal(p->service->ops->read(waiting, 10, 1 << 20, 60 * 1000, on_read, &o, &p->err),
                     LEAT_OK);
    p->service->ops->close_shard(waiting);
    assert_int_equal(o.n_calls, 0);
    wait_for(p, &o, 1);
    assert_int_equal(o.status, LEAT_E_CANCELLED);

    put(p, "a", three, 3);
    for (int i = 0; i < 50; i++) {
        struct lt_stream_reader *reader =
            open_reader(p, (struct lt_stream_start){.from = LT_FROM_TRIM_HORIZON});
        at_work = (struct outcome){0};
        assert_int_equal(p->service->ops->read(reader, 10, 1 << 20, 0, on_read, &at_work, &p->err),
                         LEAT_OK);
        if (i % 2)
            usleep(200);
        p->service->ops->close_shard(reader);
        wait_for(p, &at_work, 1);
        assert_int_equal(at_work.status, LEAT_E_CANCELLED);
    }
}

static void a_reader_has_one_read_at_a_time(void **state) {
    struct place *p = *state;
    struct lt_stream_reader *reader =
        open_reader(p, (struct lt_stream_start){.from = LT_FROM_LATEST});
    struct outcome o = {0};

    assert_int_equal(p->service->ops->read(reader, 1, 100, 1000, on_read, &o, &p->err), LEAT_OK);
    assert_int_not_equal(p->service->ops->read(reader, 1, 100, 1000, on_read, &o, &p->err),
                         LEAT_OK);
    p->service->ops->close_shard(reader);
    wait_for(p, &o, 1);
    assert_int_equal(o.n_calls, 1);
}

static void a_stream_removed_under_a_reader_is_not_found(void **state) {
    struct place *p = *state;
    struct lt_stream_reader *reader =
        open_reader(p, (struct lt_stream_start){.from = LT_FROM_LATEST});
    struct outcome o;

    assert_int_equal(p->service->ops->remove(p->service, "a", &p->err), LEAT_OK);
    o = read_once(p, reader, 1, 0);
    assert_int_equal(o.status, LEAT_E_NOT_FOUND);
    o = put(p, "a", three, 1);
    assert_int_equal(o.status, LEAT_E_NOT_FOUND);
    p->service->ops->close_shard(reader);
}

static void a_put_that_does_not_fit_is_refused_whole(void **state) {
    struct place *p = *state;
    char *large = calloc(1, (2 << 20) + 1);
    struct lt_stream_put records[2] = {{.key = LT_LIT("k"), .data = LT_LIT("small")},
                                       {.key = LT_LIT("k"), .data = {large, 2 << 20}}};
    struct lt_stream_put keyless = {.data = LT_LIT("x")};
    struct outcome o = {0};
    struct lt_stream_reader *reader;

    assert_int_equal(p->service->ops->put(p->service, "a", records, 2, on_put, &o, &p->err),
                     LEAT_OK);
    wait_for(p, &o, 1);
    assert_int_equal(o.status, LEAT_E_LIMIT);
    assert_int_equal(p->service->ops->put(p->service, "a", &keyless, 1, on_put, &o, &p->err),
                     LEAT_OK);
    wait_for(p, &o, 2);
    assert_int_equal(o.status, LEAT_E_INVALID);
    reader = open_reader(p, (struct lt_stream_start){.from = LT_FROM_TRIM_HORIZON});
    o = read_once(p, reader, 10, 0);
    assert_int_equal(o.n, 0);
    p->service->ops->close_shard(reader);
    free(large);
}

static void on_bulk(void *ctx, leat_status status, const struct lt_stream_put_result *results,
                    size_t n, const struct leat_error *err) {
    struct outcome *o = ctx;
    (void)err;
    assert_null(results);
    o->n_calls++;
    o->status = status;
    o->n = n;
}

static void a_bulk_put_takes_thousands_in_their_order_and_tells_no_places(void **state) {
    enum { N = LT_STREAM_BULK_MAX_RECORDS };
    struct place *p = *state;
    struct lt_stream_put *records = calloc(N + 1, sizeof(*records));
    char(*texts)[16] = calloc(N + 1, sizeof(*texts));
    struct outcome o = {0};
    struct lt_stream_reader *reader;

    for (size_t i = 0; i <= N; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%zu", i);
        records[i] = (struct lt_stream_put){.key = LT_LIT("k"), .data = lt_slice_str(texts[i])};
    }
    assert_int_equal(
        p->service->ops->put_bulk(p->service, "a", records, N + 1, on_bulk, &o, &p->err), LEAT_OK);
    wait_for(p, &o, 1);
    assert_int_equal(o.status, LEAT_E_LIMIT);
    assert_int_equal(o.n, 0);
    assert_int_equal(p->service->ops->put_bulk(p->service, "a", records, N, on_bulk, &o, &p->err),
                     LEAT_OK);
    wait_for(p, &o, 2);
    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.n, N);
    reader = open_reader(p, (struct lt_stream_start){.from = LT_FROM_TRIM_HORIZON});
    for (size_t i = 0; i < N; i += o.n) {
        o = read_once(p, reader, i ? 1000 : 1, 0);
        assert_in_range(o.n, 1, 1000);
        assert_string_equal(o.first, texts[i]);
    }
    p->service->ops->close_shard(reader);
    free(texts);
    free(records);
}

static void streams_are_listed_and_described(void **state) {
    struct place *p = *state;
    struct lt_stream_summary summary;
    const char *const *names;
    struct lt_arena arena;
    struct outcome o = {0};
    size_t n;

    assert_int_equal(p->service->ops->create(p->service, "b", 3, &p->err), LEAT_OK);
    assert_int_equal(p->service->ops->create(p->service, "b", 3, &p->err), LEAT_E_EXISTS);
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(p->service->ops->list(p->service, &arena, &names, &n, &p->err), LEAT_OK);
    assert_int_equal(n, 2);
    assert_string_equal(names[1], "b");
    lt_arena_deinit(&arena);
    assert_int_equal(p->service->ops->describe(p->service, "b", &summary, &p->err), LEAT_OK);
    assert_int_equal(summary.n_open_shards, 3);
    assert_string_equal(summary.status, "ACTIVE");
    assert_string_equal(summary.arn, "arn:aws:kinesis:us-east-1:000000000000:stream/b");
    assert_int_equal(p->service->ops->describe(p->service, "c", &summary, &p->err),
                     LEAT_E_NOT_FOUND);
    assert_int_equal(p->service->ops->list_shards(p->service, "b", on_shards, &o, &p->err),
                     LEAT_OK);
    assert_int_equal(o.n_calls, 0);
    wait_for(p, &o, 1);
    assert_int_equal(o.n, 3);
    assert_string_equal(o.first, "shardId-000000000000");
    assert_int_equal(p->service->ops->list_shards(p->service, "c", on_shards, &o, &p->err),
                     LEAT_OK);
    wait_for(p, &o, 2);
    assert_int_equal(o.status, LEAT_E_NOT_FOUND);
}

static void closing_the_service_ends_every_call(void **state) {
    struct place *p = *state;
    struct lt_stream_put record = {.key = LT_LIT("k"), .data = LT_LIT("x")};
    struct lt_stream_reader *reader =
        open_reader(p, (struct lt_stream_start){.from = LT_FROM_LATEST});
    struct outcome puts = {0}, reads = {0}, lists = {0};

    assert_int_equal(
        p->service->ops->read(reader, 10, 1 << 20, 60 * 1000, on_read, &reads, &p->err), LEAT_OK);
    assert_int_equal(p->service->ops->list_shards(p->service, "a", on_shards, &lists, &p->err),
                     LEAT_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(p->service->ops->put(p->service, "a", &record, 1, on_put, &puts, &p->err),
                         LEAT_OK);
    close_service(p);
    assert_int_equal(puts.n_calls, 20);
    assert_int_equal(reads.n_calls, 1);
    assert_int_equal(reads.status, LEAT_E_CANCELLED);
    assert_int_equal(lists.n_calls, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_read_in_order),
        TEST(reading_starts_where_it_is_told),
        TEST(a_waiting_read_wakes_when_a_record_becomes_durable),
        TEST(a_waiting_read_ends_empty_when_its_time_is_over),
        TEST(a_closed_reader_ends_its_read_as_cancelled),
        TEST(a_reader_has_one_read_at_a_time),
        TEST(a_stream_removed_under_a_reader_is_not_found),
        TEST(a_put_that_does_not_fit_is_refused_whole),
        TEST(a_bulk_put_takes_thousands_in_their_order_and_tells_no_places),
        TEST(streams_are_listed_and_described),
        TEST(closing_the_service_ends_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
