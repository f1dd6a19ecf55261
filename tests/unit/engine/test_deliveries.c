/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery streams over the real journal, state and folder of objects, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/deliveries.h"
#include "object/folder.h"
#include "store/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

struct answer {
    bool came;
    leat_status status;
    struct leat_error err;
};

static struct {
    char dir[64];
    uv_loop_t loop;
    uv_timer_t tick;
    struct lt_folder *folder;
    struct lt_state *state;
    struct lt_journal *journal;
    struct lt_streams *streams;
    struct lt_object_folder *objects;
    struct lt_deliveries *deliveries;
} rig;

static void must(leat_status status, const struct leat_error *err) {
    if (status != LEAT_OK)
        fail_msg("%s: %s", leat_status_name(status), err->text);
}

static void open_rig(void) {
    struct lt_journal_options journal = {0};
    struct leat_error err;
    char path[128];

    must(lt_folder_lock(&rig.folder, rig.dir, &err), &err);
    snprintf(path, sizeof(path), "%s/state.db", rig.dir);
    must(lt_state_open(&rig.state, path, &err), &err);
    snprintf(path, sizeof(path), "%s/journal", rig.dir);
    journal.dir = path;
    must(lt_journal_open(&rig.journal, &journal, &err), &err);
    must(lt_streams_open(&rig.streams, rig.state, rig.journal, &err), &err);
    must(lt_object_folder_new(&rig.objects, rig.dir, rig.state, &err), &err);
    uv_loop_init(&rig.loop);
    uv_timer_init(&rig.loop, &rig.tick);
    struct lt_deliveries_options opt = {.loop = &rig.loop,
                                        .state = rig.state,
                                        .journal = rig.journal,
                                        .streams = rig.streams,
                                        .objects = lt_object_folder_store(rig.objects)};
    must(lt_deliveries_open(&rig.deliveries, &opt, &err), &err);
}

static void close_rig(void) {
    lt_deliveries_close(rig.deliveries);
    uv_close((uv_handle_t *)&rig.tick, NULL);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig.loop), 0);
    lt_streams_close(rig.streams);
    lt_journal_close(rig.journal);
    lt_object_folder_free(rig.objects);
    lt_state_close(rig.state);
    lt_folder_unlock(rig.folder);
}

static void reopen_rig(void) {
    close_rig();
    open_rig();
}

static int setup(void **state) {
    (void)state;
    memset(&rig, 0, sizeof(rig));
    snprintf(rig.dir, sizeof(rig.dir), "/tmp/leat-deliveries-XXXXXX");
    assert_non_null(mkdtemp(rig.dir));
    open_rig();
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)st, (void)flag, (void)at;
    return remove(path);
}

static int teardown(void **state) {
    (void)state;
    close_rig();
    return nftw(rig.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_tick(uv_timer_t *timer) {
    (void)timer;
}

static void turn(void) {
    uv_timer_start(&rig.tick, on_tick, 5, 0);
    uv_run(&rig.loop, UV_RUN_ONCE);
}

static void on_answer(void *ctx, leat_status status, const struct leat_error *err) {
    struct answer *answer = ctx;
    assert_false(answer->came);
    answer->came = true;
    answer->status = status;
    if (err)
        answer->err = *err;
}

static leat_status await(struct answer *answer) {
    int64_t end_us = lt_clock_mono_us() + WAIT_MS * 1000;
    while (!answer->came) {
        assert_true(lt_clock_mono_us() < end_us);
        turn();
    }
    return answer->status;
}

static struct lt_delivery_config config_of(const char *name, const char *stream) {
    return (struct lt_delivery_config){.name = name,
                                       .direct_put = !stream,
                                       .stream = stream,
                                       .bucket = "lake",
                                       .prefix = "",
                                       .error_prefix = "",
                                       .suffix = "",
                                       .buffer_bytes = 4096,
                                       .buffer_ms = 3600000,
                                       .version = 1};
}

static leat_status create(const struct lt_delivery_config *config) {
    struct answer answer = {0};
    leat_status status =
        lt_deliveries_create(rig.deliveries, config, on_answer, &answer, &answer.err);
    return status == LEAT_OK ? await(&answer) : status;
}

static leat_status create_simple(const char *name, const char *stream) {
    struct lt_delivery_config config = config_of(name, stream);
    return create(&config);
}

static leat_status remove_delivery(const char *name) {
    struct answer answer = {0};
    leat_status status =
        lt_deliveries_remove(rig.deliveries, name, on_answer, &answer, &answer.err);
    return status == LEAT_OK ? await(&answer) : status;
}

static leat_status flush(const char *name, int64_t timeout_ms) {
    struct answer answer = {0};
    leat_status status =
        lt_deliveries_flush(rig.deliveries, name, timeout_ms, on_answer, &answer, &answer.err);
    return status == LEAT_OK ? await(&answer) : status;
}

/* Puts `n` records "<first>;" and on, directly. */
static void put_direct(const char *name, unsigned first, unsigned n) {
    struct answer answer = {0};
    struct lt_slice records[500];
    char texts[500][16];
    char ids[500][LT_SEQUENCE_DIGITS + 1];

    for (unsigned i = 0; i < n; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%u;", first + i);
        records[i] = lt_slice_str(texts[i]);
    }
    must(lt_deliveries_put(rig.deliveries, name, records, n, ids, on_answer, &answer, &answer.err),
         &answer.err);
    must(await(&answer), &answer.err);
    for (unsigned i = 1; i < n; i++)
        assert_true(strcmp(ids[i - 1], ids[i]) < 0);
}

struct waiter {
    uv_sem_t sem;
    leat_status status;
};

static void on_journal(void *ctx, leat_status status, const struct leat_error *err) {
    struct waiter *waiter = ctx;
    (void)err;
    waiter->status = status;
    uv_sem_post(&waiter->sem);
}

/* The same into a stream, spread over its shards. */
static void put_stream(const char *stream, unsigned first, unsigned n) {
    struct lt_streams_put records[500];
    char texts[500][16];
    struct leat_error err;
    struct waiter waiter;

    for (unsigned i = 0; i < n; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%u;", first + i);
        records[i] =
            (struct lt_streams_put){.key = lt_slice_str(texts[i]), .data = lt_slice_str(texts[i])};
    }
    uv_sem_init(&waiter.sem, 0);
    must(lt_streams_put(rig.streams, stream, records, n, on_journal, &waiter, &err), &err);
    uv_sem_wait(&waiter.sem);
    uv_sem_destroy(&waiter.sem);
    assert_int_equal(waiter.status, LEAT_OK);
}

static void create_stream(const char *name, unsigned n_shards) {
    struct leat_error err;
    must(lt_streams_create(rig.streams, name, n_shards, false, false, 1 << 20, &err), &err);
}

static void create_bucket(void) {
    struct lt_object_store *store = lt_object_folder_store(rig.objects);
    struct leat_error err;
    must(store->ops->create_bucket(store, "lake", &err), &err);
}

static struct {
    unsigned counts[100000];
    unsigned n_records, n_files;
} found;

static int read_one(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)st, (void)at;
    if (flag != FTW_F)
        return 0;
    FILE *file = fopen(path, "r");
    unsigned number;
    assert_non_null(file);
    found.n_files++;
    while (fscanf(file, "%u;", &number) == 1) {
        assert_in_range(number, 0, 99999);
        found.counts[number]++;
        found.n_records++;
    }
    fclose(file);
    return 0;
}

/* Asserts that each of the numbers is in the bucket once, and nothing else. */
static void expect_numbers(unsigned first, unsigned n) {
    char path[128];

    memset(&found, 0, sizeof(found));
    snprintf(path, sizeof(path), "%s/buckets/lake", rig.dir);
    assert_int_equal(nftw(path, read_one, 16, FTW_PHYS), 0);
    for (unsigned i = first; i < first + n; i++)
        assert_int_equal(found.counts[i], 1);
    assert_int_equal(found.n_records, n);
}

/* A number of a delivery's status. */
static int64_t status_number(const char *name, const char *field) {
    struct lt_json_writer w;
    struct lt_json root, item, value, key;
    int64_t number = -1;
    struct lt_buf out;

    lt_buf_init(&out, 1 << 20);
    lt_json_writer_init(&w, &out);
    lt_deliveries_write_status(rig.deliveries, &w);
    assert_int_equal(lt_json_parse(&root, lt_buf_slice(&out), 16, NULL), LEAT_OK);
    struct lt_json_iter iter = lt_json_iter(root);
    while (lt_json_next(&iter, &item))
        if (lt_json_get(item, "name", &key) && lt_json_string_is(key, lt_slice_str(name))) {
            assert_true(lt_json_get(item, field, &value));
            if (value.type == LT_JSON_NULL)
                number = 0;
            else if (value.type == LT_JSON_STRING)
                number = 1;
            else
                assert_true(lt_json_int64(value, &number));
        }
    lt_buf_deinit(&out);
    return number;
}

static void wait_until(const char *name, const char *field, int64_t at_least) {
    int64_t end_us = lt_clock_mono_us() + WAIT_MS * 1000;
    while (status_number(name, field) < at_least) {
        assert_true(lt_clock_mono_us() < end_us);
        turn();
    }
}

static void direct_put_records_are_in_objects_after_a_flush(void **state) {
    (void)state;
    create_bucket();
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    for (unsigned i = 0; i < 4000; i += 500)
        put_direct("us", i, 500);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 4000);
    assert_true(found.n_files > 4); /* of 4096 bytes */
    assert_int_equal(status_number("us", "records"), 4000);
    assert_int_equal(status_number("us", "lag_records"), 0);
    assert_int_equal(status_number("us", "buffer_bytes"), 0);
}

static void delivery_of_a_stream_starts_behind_what_is_there(void **state) {
    (void)state;
    create_bucket();
    create_stream("sessions", 4);
    put_stream("sessions", 0, 100);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    assert_int_equal(status_number("us", "lag_records"), 0);
    put_stream("sessions", 100, 400);
    reopen_rig(); /* the start is kept */
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(100, 400);
    assert_int_equal(status_number("us", "lost_records"), 0);
}

static void many_shards_and_deliveries_each_get_every_record(void **state) {
    (void)state;
    create_bucket();
    create_stream("sessions", 16);
    struct lt_delivery_config config = config_of("a", "sessions");
    config.buffer_bytes = 3000;
    assert_int_equal(create(&config), LEAT_OK);
    for (unsigned i = 0; i < 20000; i += 500)
        put_stream("sessions", i, 500);
    assert_int_equal(flush(NULL, WAIT_MS), LEAT_OK);
    expect_numbers(0, 20000);
}

static void restart_in_the_middle_goes_on_where_it_was(void **state) {
    (void)state;
    create_bucket();
    create_stream("sessions", 3);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned i = 0; i < 2000; i += 500)
            put_stream("sessions", round * 2000 + i, 500);
        for (unsigned i = 0; i < round; i++)
            turn();
        reopen_rig();
    }
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 12000);
    assert_int_equal(status_number("us", "records"), 12000);
}

static void names_are_taken_once_and_free_after_removal(void **state) {
    (void)state;
    create_bucket();
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    assert_int_equal(create_simple("us", NULL), LEAT_E_EXISTS);
    put_direct("us", 0, 10);
    assert_int_equal(remove_delivery("us"), LEAT_OK);
    assert_int_equal(remove_delivery("us"), LEAT_E_NOT_FOUND);
    assert_null(lt_deliveries_find(rig.deliveries, "us"));
    assert_int_equal(lt_deliveries_count(rig.deliveries), 0);
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 10, 10);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(10, 10);
    reopen_rig();
    assert_non_null(lt_deliveries_find(rig.deliveries, "us"));
}

static void calls_on_a_delivery_in_creation_find_it_taken(void **state) {
    struct lt_delivery_config config = config_of("us", NULL);
    struct answer first = {0};
    struct leat_error err;
    (void)state;
    must(lt_deliveries_create(rig.deliveries, &config, on_answer, &first, &err), &err);
    assert_int_equal(create(&config), LEAT_E_EXISTS);
    assert_int_equal(remove_delivery("us"), LEAT_E_BUSY);
    assert_null(lt_deliveries_find(rig.deliveries, "us"));
    assert_int_equal(await(&first), LEAT_OK);
    assert_non_null(lt_deliveries_find(rig.deliveries, "us"));
}

static void creation_of_a_bad_one_is_refused(void **state) {
    struct lt_delivery_config config = config_of("us", "nothing");
    (void)state;
    assert_int_equal(create(&config), LEAT_E_NOT_FOUND);
    config = config_of("us", NULL);
    config.prefix = "!{bad}";
    assert_int_equal(create(&config), LEAT_E_INVALID);
    assert_int_equal(lt_deliveries_count(rig.deliveries), 0);
}

static void hidden_stream_left_by_a_crash_is_cleared_away(void **state) {
    struct leat_error err;
    (void)state;
    create_bucket();
    must(lt_streams_create(rig.streams, "firehose:us", 1, true, false, 1000, &err), &err);
    put_stream("firehose:us", 500, 20);
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 0, 20);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 20);
}

static void list_goes_by_name(void **state) {
    (void)state;
    assert_int_equal(create_simple("b", NULL), LEAT_OK);
    assert_int_equal(create_simple("c", NULL), LEAT_OK);
    assert_int_equal(create_simple("a", NULL), LEAT_OK);
    assert_string_equal(lt_deliveries_next(rig.deliveries, "")->name, "a");
    assert_string_equal(lt_deliveries_next(rig.deliveries, "a")->name, "b");
    assert_string_equal(lt_deliveries_next(rig.deliveries, "aa")->name, "b");
    assert_null(lt_deliveries_next(rig.deliveries, "c"));
}

static void flush_tells_the_missing_bucket_and_works_once_it_is_there(void **state) {
    (void)state;
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 0, 5);
    assert_int_equal(flush("us", WAIT_MS), LEAT_E_NOT_FOUND);
    assert_int_equal(status_number("us", "last_error"), 1);
    assert_int_equal(status_number("us", "lag_records"), 5);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    assert_int_equal(status_number("us", "last_error"), 0);
    expect_numbers(0, 5);
}

static void flush_of_a_delivery_stuck_with_a_full_buffer_tells_why(void **state) {
    (void)state;
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    for (unsigned i = 0; i < 10000; i += 500)
        put_direct("us", i, 500);
    wait_until("us", "errors", 1);
    assert_true(status_number("us", "buffer_bytes") <= 2 * 4096);
    assert_int_equal(flush("us", WAIT_MS), LEAT_E_NOT_FOUND);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 10000);
}

static void flush_of_nothing_and_of_nobody(void **state) {
    (void)state;
    assert_int_equal(flush(NULL, 1000), LEAT_OK);
    assert_int_equal(flush("us", 1000), LEAT_E_NOT_FOUND);
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    assert_int_equal(flush("us", 1000), LEAT_OK);
}

static void close_answers_what_is_open(void **state) {
    struct lt_delivery_config config = config_of("new", NULL);
    struct answer flushing = {0}, creating = {0};
    struct leat_error err;
    (void)state;
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 0, 5);
    must(lt_deliveries_flush(rig.deliveries, NULL, WAIT_MS, on_answer, &flushing, &err), &err);
    must(lt_deliveries_create(rig.deliveries, &config, on_answer, &creating, &err), &err);
    reopen_rig();
    assert_true(flushing.came && flushing.status == LEAT_E_CANCELLED);
    assert_true(creating.came && creating.status == LEAT_E_CANCELLED);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 5);
}

static void expired_records_are_counted_and_block_nothing(void **state) {
    struct lt_streams_shard *shards;
    struct lt_arena arena;
    struct leat_error err;
    size_t n;
    (void)state;
    create_stream("sessions", 2);
    struct lt_delivery_config config = config_of("us", "sessions");
    config.buffer_bytes = 50; /* nearly all stays unread while there is no bucket */
    assert_int_equal(create(&config), LEAT_OK);
    put_stream("sessions", 0, 400);
    wait_until("us", "errors", 1);
    lt_arena_init(&arena, 1 << 20);
    must(lt_streams_shards(rig.streams, "sessions", &arena, &shards, &n, &err), &err);
    for (size_t i = 0; i < n; i++)
        lt_journal_trim(rig.journal, shards[i].uid, lt_clock_wall_ms() + 1000);
    lt_arena_deinit(&arena);
    put_stream("sessions", 400, 100);
    wait_until("us", "lost_records", 1);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    int64_t n_lost = status_number("us", "lost_records");
    assert_in_range(n_lost, 300, 399);
    assert_int_equal(status_number("us", "records") + n_lost, 500);
}

static void stream_removed_under_a_delivery_is_told_and_one_made_anew_is_read(void **state) {
    struct leat_error err;
    (void)state;
    create_bucket();
    create_stream("sessions", 2);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    put_stream("sessions", 0, 10);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    must(lt_streams_remove(rig.streams, "sessions", &err), &err);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    assert_int_equal(status_number("us", "last_error"), 1);
    reopen_rig();
    assert_int_equal(status_number("us", "last_error"), 1);
    create_stream("sessions", 1);
    put_stream("sessions", 10, 10);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    assert_int_equal(status_number("us", "last_error"), 0);
    expect_numbers(0, 20);
}

static void unreadable_document_stops_no_other_delivery(void **state) {
    struct leat_error err;
    (void)state;
    create_bucket();
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    must(lt_state_set(rig.state, "delivery", LT_LIT("bad"), LT_LIT("{\"source\":1}"), &err), &err);
    reopen_rig();
    assert_int_equal(lt_deliveries_count(rig.deliveries), 1);
    put_direct("us", 0, 5);
    assert_int_equal(flush(NULL, WAIT_MS), LEAT_OK);
    expect_numbers(0, 5);
}

static void put_to_a_delivery_of_a_stream_is_refused(void **state) {
    struct lt_slice record = LT_LIT("x");
    char id[1][LT_SEQUENCE_DIGITS + 1];
    struct leat_error err;
    (void)state;
    create_stream("sessions", 1);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    assert_int_equal(lt_deliveries_put(rig.deliveries, "us", &record, 1, id, on_answer, NULL, &err),
                     LEAT_E_INVALID);
    assert_int_equal(
        lt_deliveries_put(rig.deliveries, "nobody", &record, 1, id, on_answer, NULL, &err),
        LEAT_E_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(direct_put_records_are_in_objects_after_a_flush),
        TEST(delivery_of_a_stream_starts_behind_what_is_there),
        TEST(many_shards_and_deliveries_each_get_every_record),
        TEST(restart_in_the_middle_goes_on_where_it_was),
        TEST(names_are_taken_once_and_free_after_removal),
        TEST(calls_on_a_delivery_in_creation_find_it_taken),
        TEST(creation_of_a_bad_one_is_refused),
        TEST(hidden_stream_left_by_a_crash_is_cleared_away),
        TEST(list_goes_by_name),
        TEST(flush_tells_the_missing_bucket_and_works_once_it_is_there),
        TEST(flush_of_a_delivery_stuck_with_a_full_buffer_tells_why),
        TEST(flush_of_nothing_and_of_nobody),
        TEST(close_answers_what_is_open),
        TEST(expired_records_are_counted_and_block_nothing),
        TEST(stream_removed_under_a_delivery_is_told_and_one_made_anew_is_read),
        TEST(unreadable_document_stops_no_other_delivery),
        TEST(put_to_a_delivery_of_a_stream_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
