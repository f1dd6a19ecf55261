/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_rig.h"

#include "base/clock.h"

static const uint64_t A = 11, B = UINT64_C(0xffffffff00000022), C = 33;

static int setup(void **state) {
    struct rig *rig = malloc(sizeof(*rig));
    rig_init(rig);
    rig_open(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state) {
    rig_deinit(*state);
    free(*state);
    return 0;
}

static struct lt_journal_append text_record(uint64_t shard, const char *data) {
    return (struct lt_journal_append){
        .shard = shard, .key = LT_LIT("k"), .data = lt_slice_str(data)};
}

static void an_empty_journal_has_no_files_and_its_shards_start_at_one(void **state) {
    struct rig *rig = *state;
    struct lt_journal_shard at;
    struct lt_journal_record *records;
    struct lt_arena arena;
    size_t n = 7;
    uint64_t seq;
    struct leat_error err;

    lt_arena_init(&arena, 1 << 20);
    lt_journal_stat(rig->journal, A, &at);
    assert_int_equal(at.first, 1);
    assert_int_equal(at.next, 1);
    assert_int_equal(at.last_time_ms, 0);
    assert_int_equal(lt_journal_read(rig->journal, A, 1, 10, 1000, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(lt_journal_seek_time(rig->journal, A, 0, &seq, &err), LEAT_OK);
    assert_int_equal(seq, 1);
    assert_int_equal(lt_journal_disk_bytes(rig->journal), 0);
    rig_close(rig);
    assert_int_equal(rig_size(rig, "000000000001.log"), -1);
    lt_arena_deinit(&arena);
    rig_open(rig);
}

static void append_gives_dense_numbers_a_shard_and_read_gives_the_bytes_back(void **state) {
    struct rig *rig = *state;
    struct lt_journal_append in[] = {text_record(A, "one"), text_record(B, "two"),
                                     text_record(A, "three"), text_record(C, ""),
                                     text_record(B, "five")};
    struct lt_journal_record *records;
    struct lt_arena arena;
    struct leat_error err;
    int64_t time_ms = 0, before = lt_clock_wall_ms();
    size_t n;

    in[2].key = LT_LIT("another key");
    in[2].hash = LT_LIT("340282366920938463463374607431768211455");
    assert_int_equal(rig_append(rig, in, 5, &time_ms, &err), LEAT_OK);
    assert_in_range(time_ms, before, lt_clock_wall_ms());
    assert_int_equal(in[0].seq, 1);
    assert_int_equal(in[1].seq, 1);
    assert_int_equal(in[2].seq, 2);
    assert_int_equal(in[3].seq, 1);
    assert_int_equal(in[4].seq, 2);

    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_journal_read(rig->journal, A, 0, 10, 1000, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 2);
    assert_true(lt_slice_eq_str(records[0].data, "one"));
    assert_true(lt_slice_eq_str(records[0].key, "k"));
    assert_int_equal(records[0].hash.len, 0);
    assert_true(lt_slice_eq_str(records[1].data, "three"));
    assert_true(lt_slice_eq_str(records[1].key, "another key"));
    assert_true(lt_slice_eq(records[1].hash, in[2].hash));
    assert_int_equal(records[1].time_ms, time_ms);
    assert_int_equal(lt_journal_read(rig->journal, C, 1, 10, 1000, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 1);
    assert_int_equal(records[0].data.len, 0);
    lt_arena_deinit(&arena);
}

static void read_keeps_to_its_limits_but_gives_at_least_one_record(void **state) {
    struct rig *rig = *state;
    struct lt_journal_record *records;
    struct lt_arena arena;
    struct leat_error err;
    size_t n;

    for (uint64_t i = 1; i <= 20; i++)
        rig_put(rig, A, i, 100);
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_journal_read(rig->journal, A, 3, 4, 1 << 20, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 4);
    assert_int_equal(records[0].seq, 3);
    assert_int_equal(lt_journal_read(rig->journal, A, 1, 100, 1, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 1);
    assert_int_equal(lt_journal_read(rig->journal, A, 1, 100, 3 * 103, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 3);
    assert_int_equal(
        lt_journal_read(rig->journal, A, 1, 100, 4 * 103 - 1, &arena, &records, &n, &err), LEAT_OK);
    assert_int_equal(n, 3);
    assert_int_equal(lt_journal_read(rig->journal, A, 21, 100, 1000, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(lt_journal_read(rig->journal, A, 1, 0, 1000, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 0);
    lt_arena_deinit(&arena);
}

static void read_stops_before_a_full_arena_and_fails_when_not_even_one_fits(void **state) {
    struct rig *rig = *state;
    struct lt_journal_record *records;
    struct lt_arena arena;
    struct leat_error err;
    size_t n;

    for (uint64_t i = 1; i <= 20; i++)
        rig_put(rig, A, i, 1000);
    lt_arena_init(&arena, 5000);
    assert_int_equal(lt_journal_read(rig->journal, A, 1, 100, 1 << 20, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_in_range(n, 3, 4);
    lt_arena_deinit(&arena);
    lt_arena_init(&arena, 500);
    assert_int_equal(lt_journal_read(rig->journal, A, 1, 100, 1 << 20, &arena, &records, &n, &err),
                     LEAT_E_NOMEM);
    lt_arena_deinit(&arena);
}

static void records_of_many_shards_and_sizes_survive_a_reopen(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    enum { SHARDS = 17, ROUNDS = 30 };
    static char data[SHARDS * 3][70000];
    uint64_t n[SHARDS] = {0};

    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct lt_journal_append in[SHARDS * 3];
        for (size_t i = 0; i < SHARDS * 3; i++) {
            uint64_t shard = (i * 5 + round) % SHARDS;
            size_t len = i == 7 ? 66000 : 20 + (i * 97 + round * 13) % 3000;
            in[i] = (struct lt_journal_append){.shard = shard, .key = LT_LIT("key")};
            in[i].data = lt_slice(data[i], fill_data(data[i], len, shard, ++n[shard]));
        }
        assert_int_equal(rig_append(rig, in, SHARDS * 3, NULL, &err), LEAT_OK);
    }
    for (int opened = 0; opened < 3; opened++) {
        for (uint64_t shard = 0; shard < SHARDS; shard++) {
            assert_int_equal(rig_check(rig, shard, 1), n[shard]);
            assert_int_equal(rig_check(rig, shard, n[shard] / 2), n[shard] - n[shard] / 2 + 1);
        }
        rig_close(rig);
        rig_open(rig);
    }
    rig_put(rig, 3, n[3] + 1, 100);
    assert_int_equal(rig_check(rig, 3, 1), n[3] + 1);
}

static void segments_roll_and_are_read_through_their_indexes(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    char data[500][700];
    struct lt_journal_append in[500];
    uint64_t n[3] = {0};

    rig_close(rig);
    rig->opt.segment_bytes = 1 << 20;
    rig_open(rig);
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < 500; i++) {
            uint64_t shard = i % 7 == 0 ? 2 : i % 2;
            in[i] = (struct lt_journal_append){.shard = shard, .key = LT_LIT("key")};
            in[i].data = lt_slice(data[i], fill_data(data[i], 600, shard, ++n[shard]));
        }
        assert_int_equal(rig_append(rig, in, 500, NULL, &err), LEAT_OK);
    }
    assert_true(rig->journal->n_sealed >= 10);
    assert_int_equal(rig_size(rig, "000000000001.log"), rig->journal->sealed[0]->len);
    for (int opened = 0; opened < 2; opened++) {
        for (uint64_t shard = 0; shard < 3; shard++) {
            struct lt_journal_shard at;
            assert_int_equal(rig_check(rig, shard, 1), n[shard]);
            assert_int_equal(rig_check(rig, shard, n[shard] - 5), 6);
            lt_journal_stat(rig->journal, shard, &at);
            assert_int_equal(at.first, 1);
            assert_int_equal(at.next, n[shard] + 1);
            assert_int_equal(at.n_bytes, n[shard] * 603);
        }
        rig_close(rig);
        rig_open(rig);
    }
}

static void more_segments_than_may_be_open_are_all_readable(void **state) {
    struct rig *rig = *state;
    uint64_t n = 0;

    rig_close(rig);
    rig->opt.segment_bytes = 300;
    rig_open(rig);
    while (rig->journal->n_sealed < LT_OPEN_SEGMENTS * 3) {
        rig_put(rig, A, ++n, 200);
    }
    assert_int_equal(rig_check(rig, A, 1), n);
    assert_true(rig->journal->n_open <= LT_OPEN_SEGMENTS + 1);
}

static void a_record_over_its_limits_is_refused_and_changes_nothing(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    char *big = calloc(1, LT_RECORD_MAX_BYTES + 1);
    struct lt_journal_append in[2] = {text_record(A, "fine"), text_record(A, "")};

    in[1].data = lt_slice(big, LT_RECORD_MAX_BYTES + 1);
    assert_int_equal(rig_append(rig, in, 2, NULL, &err), LEAT_E_LIMIT);
    in[1].data = lt_slice(big, LT_RECORD_MAX_BYTES);
    assert_int_equal(rig_append(rig, in, 2, NULL, &err), LEAT_E_LIMIT); /* with its key */
    in[1].key = lt_slice(big, LT_RECORD_KEY_MAX_BYTES + 1);
    in[1].data = LT_LIT("x");
    assert_int_equal(rig_append(rig, in, 2, NULL, &err), LEAT_E_LIMIT);
    assert_int_equal(rig_append(rig, in, 0, NULL, &err), LEAT_E_INVALID);
    rig_put(rig, A, 1, 10);
    free(big);
}

static void the_largest_record_goes_through(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    struct lt_journal_record *records;
    struct lt_arena arena;
    size_t n;
    char *big = malloc(LT_RECORD_MAX_BYTES);
    struct lt_journal_append in = text_record(A, "");

    memset(big, 'z', LT_RECORD_MAX_BYTES);
    in.data = lt_slice(big, LT_RECORD_MAX_BYTES - 1);
    assert_int_equal(rig_append(rig, &in, 1, NULL, &err), LEAT_OK);
    rig_close(rig);
    rig_open(rig);
    lt_arena_init(&arena, 100 << 20);
    assert_int_equal(lt_journal_read(rig->journal, A, 1, 1, 1, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 1);
    assert_int_equal(records[0].data.len, LT_RECORD_MAX_BYTES - 1);
    assert_memory_equal(records[0].data.data, big, LT_RECORD_MAX_BYTES - 1);
    lt_arena_deinit(&arena);
    free(big);
}

static void times_never_go_back_and_are_found_again(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    enum { N = 200 };
    int64_t times[N + 2], last = 0;
    uint64_t seq;

    rig_close(rig);
    rig->opt.segment_bytes = 20000;
    rig_open(rig);
    for (int i = 1; i <= N; i++) {
        char data[400];
        struct lt_journal_append in = {.shard = A, .key = LT_LIT("key")};
        in.data = lt_slice(data, fill_data(data, 300, A, (uint64_t)i));
        if (i % 10 == 0)
            usleep(3000);
        assert_int_equal(rig_append(rig, &in, 1, &times[i], &err), LEAT_OK);
        assert_true(times[i] >= last);
        last = times[i];
    }
    for (int opened = 0; opened < 2; opened++) {
        for (int i = 1; i <= N; i++) {
            int64_t got;
            int want = i;
            assert_int_equal(lt_journal_time_of(rig->journal, A, (uint64_t)i, &got, &err), LEAT_OK);
            assert_int_equal(got, times[i]);
            while (want > 1 && times[want - 1] == times[i])
                want--;
            assert_int_equal(lt_journal_seek_time(rig->journal, A, times[i], &seq, &err), LEAT_OK);
            assert_int_equal(seq, want);
            assert_int_equal(lt_journal_seek_time(rig->journal, A, times[i] + 1, &seq, &err),
                             LEAT_OK);
            for (want = i; want <= N && times[want] <= times[i];)
                want++;
            assert_int_equal(seq, want);
        }
        rig_close(rig);
        rig_open(rig);
    }
    assert_int_equal(lt_journal_time_of(rig->journal, A, N + 1, &last, &err), LEAT_E_NOT_FOUND);
    assert_int_equal(lt_journal_time_of(rig->journal, A, 0, &last, &err), LEAT_E_NOT_FOUND);
    assert_int_equal(lt_journal_time_of(rig->journal, B, 1, &last, &err), LEAT_E_NOT_FOUND);
}

/* ---- throttling, order, watches: the disk is held up by a slow sync ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int gated_fdatasync(int fd) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return fdatasync(fd);
}

static void appends_over_what_may_wait_are_throttled_until_it_is_on_disk(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    struct waiter waiter;
    char data[1000] = {0};
    struct lt_journal_append in = {.shard = A, .data = lt_slice(data, sizeof(data))};
    int n_taken = 0;

    waiter_init(&waiter);
    rig_close(rig);
    rig->opt.group_max_bytes = 10 * 1048;
    lt_journal_io.fdatasync = gated_fdatasync;
    rig_open(rig);
    pthread_mutex_lock(&gate);
    leat_status status = LEAT_OK;
    while (n_taken < 100) {
        status = lt_journal_append(rig->journal, &in, 1, NULL, waiter_done, &waiter, &err);
        if (status != LEAT_OK)
            break;
        n_taken++;
    }
    assert_int_equal(status, LEAT_E_THROTTLED);
    assert_true(err.retry_after_ms > 0);
    assert_int_equal(n_taken, 10);
    struct lt_journal_shard at;
    lt_journal_stat(rig->journal, A, &at);
    assert_int_equal(at.next, 1); /* nothing is visible before its sync */
    pthread_mutex_unlock(&gate);
    assert_int_equal(waiter_wait(&waiter, 10), LEAT_OK);
    assert_int_equal(rig_append(rig, &in, 1, NULL, &err), LEAT_OK);
    assert_int_equal(in.seq, 11);
    lt_journal_io.fdatasync = fdatasync;
}

static void an_append_larger_than_what_may_wait_is_taken_when_nothing_waits(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    char data[1000] = {0};
    struct lt_journal_append in = {.shard = A, .data = lt_slice(data, sizeof(data))};

    rig_close(rig);
    rig->opt.group_max_bytes = 100;
    rig_open(rig);
    assert_int_equal(rig_append(rig, &in, 1, NULL, &err), LEAT_OK);
}

static void what_gathers_during_a_sync_is_one_group_with_each_shard_together(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    struct waiter waiter;
    char data[60][200];

    waiter_init(&waiter);
    lt_journal_io.fdatasync = gated_fdatasync;
    pthread_mutex_lock(&gate);
    for (uint64_t i = 0; i < 60; i++) {
        struct lt_journal_append in = {.shard = i % 3, .key = LT_LIT("key")};
        in.data = lt_slice(data[i], fill_data(data[i], 100, i % 3, i / 3 + 1));
        assert_int_equal(lt_journal_append(rig->journal, &in, 1, NULL, waiter_done, &waiter, &err),
                         LEAT_OK);
        if (i == 0)
            usleep(50000); /* the first one is alone in its group */
    }
    pthread_mutex_unlock(&gate);
    assert_int_equal(waiter_wait(&waiter, 60), LEAT_OK);
    lt_journal_io.fdatasync = fdatasync;
    assert_int_equal(rig->journal->active->n_groups, 2);
    for (uint64_t shard = 0; shard < 3; shard++) {
        assert_int_equal(rig_check(rig, shard, 1), 20);
        assert_true(lt_shard_find(&rig->journal->shards, shard)->n_runs <= 2);
    }
}

struct wakes {
    atomic_int n;
};

static void count_wake(void *ctx) {
    struct wakes *wakes = ctx;
    atomic_fetch_add(&wakes->n, 1);
}

static void a_watch_wakes_after_each_group_until_it_is_taken_off(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    struct wakes one = {0}, two = {0};

    assert_int_equal(lt_journal_watch(rig->journal, count_wake, &one, &err), LEAT_OK);
    assert_int_equal(lt_journal_watch(rig->journal, count_wake, &one, &err), LEAT_E_EXISTS);
    assert_int_equal(lt_journal_watch(rig->journal, count_wake, &two, &err), LEAT_OK);
    rig_put(rig, A, 1, 10);
    rig_put(rig, A, 2, 10);
    lt_journal_unwatch(rig->journal, &one);
    int n = atomic_load(&one.n);
    assert_in_range(n, 1, 2);
    rig_put(rig, A, 3, 10);
    rig_put(rig, A, 4, 10);
    lt_journal_unwatch(rig->journal, &two);
    assert_int_equal(atomic_load(&one.n), n);
    assert_in_range(atomic_load(&two.n), 3, 4);
}

static void close_syncs_what_was_appended_and_calls_back(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    struct waiter waiter;

    waiter_init(&waiter);
    for (uint64_t i = 1; i <= 100; i++) {
        char data[100];
        struct lt_journal_append in = {.shard = A, .key = LT_LIT("key")};
        in.data = lt_slice(data, fill_data(data, 50, A, i));
        assert_int_equal(lt_journal_append(rig->journal, &in, 1, NULL, waiter_done, &waiter, &err),
                         LEAT_OK);
    }
    rig_close(rig);
    assert_int_equal(waiter.n_done, 100);
    assert_int_equal(waiter.status, LEAT_OK);
    rig_open(rig);
    assert_int_equal(rig_check(rig, A, 1), 100);
}

static void a_journal_that_cannot_be_opened_says_why(void **state) {
    struct rig *rig = *state;
    struct lt_journal_options opt = {.dir = "/nowhere/at/all"};
    struct lt_journal *journal = (struct lt_journal *)rig;
    struct leat_error err;

    assert_int_equal(lt_journal_open(&journal, &opt, &err), LEAT_E_NOT_FOUND);
    assert_null(journal);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    lt_journal_close(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_empty_journal_has_no_files_and_its_shards_start_at_one),
        TEST(append_gives_dense_numbers_a_shard_and_read_gives_the_bytes_back),
        TEST(read_keeps_to_its_limits_but_gives_at_least_one_record),
        TEST(read_stops_before_a_full_arena_and_fails_when_not_even_one_fits),
        TEST(records_of_many_shards_and_sizes_survive_a_reopen),
        TEST(segments_roll_and_are_read_through_their_indexes),
        TEST(more_segments_than_may_be_open_are_all_readable),
        TEST(a_record_over_its_limits_is_refused_and_changes_nothing),
        TEST(the_largest_record_goes_through),
        TEST(times_never_go_back_and_are_found_again),
        TEST(appends_over_what_may_wait_are_throttled_until_it_is_on_disk),
        TEST(an_append_larger_than_what_may_wait_is_taken_when_nothing_waits),
        TEST(what_gathers_during_a_sync_is_one_group_with_each_shard_together),
        TEST(a_watch_wakes_after_each_group_until_it_is_taken_off),
        TEST(close_syncs_what_was_appended_and_calls_back),
        TEST(a_journal_that_cannot_be_opened_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
