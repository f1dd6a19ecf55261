/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_rig.h"

static const uint64_t A = 1, B = 2;
enum { LEN = 300 };

static int setup(void **state) {
    struct rig *rig = malloc(sizeof(*rig));
    rig_init(rig);
    rig->opt.segment_bytes = 8000;
    rig_open(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state) {
    rig_deinit(*state);
    free(*state);
    return 0;
}

static struct lt_journal_shard stat_of(struct rig *rig, uint64_t shard) {
    struct lt_journal_shard at;
    lt_journal_stat(rig->journal, shard, &at);
    return at;
}

/* Appends records `from`..`until`, and lets a moment pass. */
static void put_some(struct rig *rig, uint64_t shard, uint64_t from, uint64_t until) {
    for (uint64_t i = from; i <= until; i++)
        rig_put(rig, shard, i, LEN);
    usleep(3000);
}

static int64_t time_of(struct rig *rig, uint64_t shard, uint64_t seq) {
    struct leat_error err;
    int64_t time_ms = 0;
    assert_int_equal(lt_journal_time_of(rig->journal, shard, seq, &time_ms, &err), LEAT_OK);
    return time_ms;
}

static void collect(struct rig *rig) {
    struct leat_error err;
    if (lt_journal_collect(rig->journal, &err) != LEAT_OK)
        fail_msg("%s", err.text);
}

/* Drops what is before `seq`, which must be the first one of its moment. */
static void trim_to(struct rig *rig, uint64_t shard, uint64_t seq) {
    lt_journal_trim(rig->journal, shard, time_of(rig, shard, seq));
    assert_int_equal(stat_of(rig, shard).first, seq);
}

static void trimmed_records_are_out_of_view_at_once_and_the_count_of_bytes_is_exact(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    int64_t time_ms;

    put_some(rig, A, 1, 33);
    put_some(rig, A, 34, 100);
    assert_int_equal(stat_of(rig, A).n_bytes, 100 * (LEN + 3));
    trim_to(rig, A, 34);
    assert_int_equal(stat_of(rig, A).n_bytes, 67 * (LEN + 3));
    assert_int_equal(rig_check(rig, A, 34), 67);
    struct lt_journal_record *records;
    struct lt_arena arena;
    size_t n;
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_journal_read(rig->journal, A, 5, 1, 1 << 20, &arena, &records, &n, &err),
                     LEAT_OK);
    assert_int_equal(records[0].seq, 34);
    lt_arena_deinit(&arena);
    assert_int_equal(lt_journal_time_of(rig->journal, A, 33, &time_ms, &err), LEAT_E_NOT_FOUND);
    lt_journal_trim(rig->journal, A, 0); /* going back changes nothing */
    assert_int_equal(stat_of(rig, A).first, 34);
    lt_journal_trim(rig->journal, B, INT64_MAX);
    assert_int_equal(stat_of(rig, B).first, 1);
}

static void collect_deletes_segments_out_of_view_and_trims_last_across_a_restart(void **state) {
    struct rig *rig = *state;

    put_some(rig, A, 1, 100);
    put_some(rig, A, 101, 120);
    uint64_t before = lt_journal_disk_bytes(rig->journal);
    trim_to(rig, A, 101);
    collect(rig);
    assert_true(lt_journal_disk_bytes(rig->journal) < before / 3);
    assert_int_equal(rig_size(rig, "000000000001.log"), -1);
    assert_int_equal(rig_size(rig, "000000000001.idx"), -1);
    for (int opened = 0; opened < 2; opened++) {
        assert_int_equal(stat_of(rig, A).first, 101);
        assert_int_equal(stat_of(rig, A).n_bytes, 20 * (LEN + 3));
        assert_int_equal(rig_check(rig, A, 101), 20);
        rig_close(rig);
        rig_open(rig);
    }
    rig_put(rig, A, 121, LEN);
}

static void a_shard_that_lost_all_its_records_goes_on_with_its_numbers(void **state) {
    struct rig *rig = *state;

    put_some(rig, A, 1, 60);
    lt_journal_trim(rig->journal, A, INT64_MAX);
    collect(rig);
    assert_int_equal(lt_journal_disk_bytes(rig->journal), 0);
    for (int opened = 0; opened < 2; opened++) {
        assert_int_equal(stat_of(rig, A).first, 61);
        assert_int_equal(stat_of(rig, A).next, 61);
        assert_int_equal(stat_of(rig, A).n_bytes, 0);
        assert_int_equal(rig_check(rig, A, 61), 0);
        rig_close(rig);
        rig_open(rig);
    }
    rig_put(rig, A, 61, LEN);
    assert_int_equal(rig_check(rig, A, 61), 1);
}

static void mostly_dead_segments_are_written_together_with_numbers_and_times_kept(void **state) {
    struct rig *rig = *state;
    int64_t times[41];

    for (uint64_t i = 1; i <= 40; i++) { /* one record of B among ten of A */
        put_some(rig, A, i * 10 - 9, i * 10);
        rig_put(rig, B, i, LEN);
    }
    put_some(rig, A, 401, 402);
    for (uint64_t i = 1; i <= 40; i++)
        times[i] = time_of(rig, B, i);
    size_t n_before = rig->journal->n_sealed;
    uint64_t before = lt_journal_disk_bytes(rig->journal);
    trim_to(rig, A, 401);
    collect(rig);
    assert_true(rig->journal->n_sealed <= n_before / 4);
    assert_true(lt_journal_disk_bytes(rig->journal) < before / 4);
    for (int opened = 0; opened < 2; opened++) {
        assert_int_equal(rig_check(rig, A, 401), 2);
        assert_int_equal(rig_check(rig, B, 1), 40);
        assert_int_equal(stat_of(rig, B).n_bytes, 40 * (LEN + 3));
        for (uint64_t i = 1; i <= 40; i++)
            assert_int_equal(time_of(rig, B, i), times[i]);
        collect(rig); /* nothing more to do */
        rig_close(rig);
        rig_open(rig);
    }
    put_some(rig, A, 403, 450);
    rig_put(rig, B, 41, LEN);
    assert_int_equal(rig_check(rig, A, 401), 50);
    assert_int_equal(rig_check(rig, B, 1), 41);
    rig_close(rig);
    rig_open(rig);
    assert_int_equal(rig_check(rig, A, 401), 50);
    assert_int_equal(rig_check(rig, B, 1), 41);
}

static void new_segments_never_take_a_number_that_a_collected_one_covers(void **state) {
    struct rig *rig = *state;

    for (uint64_t i = 1; i <= 30; i++) {
        put_some(rig, A, i * 10 - 9, i * 10);
        rig_put(rig, B, i, LEN);
    }
    lt_journal_forget(rig->journal, A);
    collect(rig);
    for (uint64_t i = 31; i <= 100; i++) { /* each time the last file is one that covers others */
        rig_close(rig);
        rig_open(rig);
        rig_put(rig, B, i, LEN);
    }
    rig_close(rig);
    rig_open(rig);
    assert_int_equal(rig_check(rig, B, 1), 100);
}

static void a_crash_before_covered_segments_were_deleted_leaves_nothing_doubled(void **state) {
    struct rig *rig = *state;
    struct rig old;
    char from[400], to[400];

    for (uint64_t i = 1; i <= 30; i++) {
        put_some(rig, A, i * 10 - 9, i * 10);
        rig_put(rig, B, i, LEN);
    }
    put_some(rig, A, 301, 310);
    rig_snapshot(rig, &old);
    trim_to(rig, A, 301);
    collect(rig);
    rig_close(rig);
    for (int i = 2; i <= 4; i++) { /* come back, as if their deletion had not reached the disk */
        snprintf(from, sizeof(from), "%s/%012d.log", old.dir, i);
        snprintf(to, sizeof(to), "%s/%012d.log", rig->dir, i);
        rig_copy_file(from, to);
    }
    rig_open(rig);
    assert_int_equal(rig_size(rig, "000000000003.log"), -1);
    assert_int_equal(rig_check(rig, A, 301), 10);
    assert_int_equal(rig_check(rig, B, 1), 30);
    rig_deinit(&old);
}

static void a_forgotten_shard_is_gone_and_stays_so(void **state) {
    struct rig *rig = *state;
    struct leat_error err;
    struct lt_journal_append in = {.shard = A, .data = LT_LIT("late")};

    put_some(rig, A, 1, 50);
    put_some(rig, B, 1, 50);
    lt_journal_forget(rig->journal, A);
    assert_int_equal(stat_of(rig, A).next, 1);
    assert_int_equal(rig_check(rig, A, 1), 0);
    assert_int_equal(rig_append(rig, &in, 1, NULL, &err), LEAT_E_NOT_FOUND);
    collect(rig);
    for (int opened = 0; opened < 3; opened++) {
        assert_int_equal(stat_of(rig, A).next, 1);
        assert_int_equal(rig_check(rig, A, 1), 0);
        assert_int_equal(rig_check(rig, B, 1), 50);
        rig_close(rig);
        rig_open(rig);
        collect(rig);
    }
}

static void an_index_rebuilt_after_a_forget_does_not_bring_the_shard_back(void **state) {
    struct rig *rig = *state;

    rig_close(rig);
    rig->opt.segment_bytes = 1 << 20;
    rig_open(rig);
    put_some(rig, A, 1, 3);
    put_some(rig, B, 1, 20);
    lt_journal_forget(rig->journal, A);
    collect(rig);
    collect(rig);
    rig_close(rig);
    rig_unlink(rig, "000000000001.idx");
    rig_open(rig);
    assert_int_equal(rig_check(rig, A, 1), 0);
    assert_int_equal(stat_of(rig, A).next, 1);
    assert_int_equal(rig_check(rig, B, 1), 20);
}

static void a_reader_keeps_what_it_took_while_segments_go(void **state) {
    struct rig *rig = *state;
    struct leat_error err;

    put_some(rig, A, 1, 100);
    struct lt_segment *segment = rig->journal->sealed[0];
    pthread_mutex_lock(&rig->journal->mu);
    assert_int_equal(lt_segment_ref(rig->journal, segment, &err), LEAT_OK);
    pthread_mutex_unlock(&rig->journal->mu);
    lt_journal_trim(rig->journal, A, INT64_MAX);
    collect(rig);
    assert_int_equal(rig_size(rig, "000000000001.log"), -1);
    char bytes[LT_SEGMENT_HEADER_BYTES];
    assert_int_equal(pread(segment->fd, bytes, sizeof(bytes), 0), sizeof(bytes));
    pthread_mutex_lock(&rig->journal->mu);
    lt_segment_unref(rig->journal, segment);
    pthread_mutex_unlock(&rig->journal->mu);
}

static void collect_without_anything_to_do_writes_nothing(void **state) {
    struct rig *rig = *state;

    collect(rig);
    put_some(rig, A, 1, 50);
    collect(rig);
    assert_int_equal(rig_size(rig, "marks"), -1);
    assert_int_equal(rig_check(rig, A, 1), 50);
}

static void damaged_marks_are_reported(void **state) {
    struct rig *rig = *state;
    struct leat_error err;

    put_some(rig, A, 1, 50);
    lt_journal_trim(rig->journal, A, INT64_MAX);
    collect(rig);
    rig_close(rig);
    off_t len = rig_size(rig, "marks");
    for (off_t at = 0; at < len; at += 3) {
        rig_flip(rig, "marks", at);
        assert_int_equal(rig_try_open(rig, &err), LEAT_E_CORRUPT);
        assert_non_null(strstr(err.text, "marks"));
        rig_flip(rig, "marks", at);
    }
    rig_truncate(rig, "marks", 10);
    assert_int_equal(rig_try_open(rig, &err), LEAT_E_CORRUPT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    lt_journal_io.fdatasync = lt_journal_io.fsync = rig_no_sync; /* no power fails here */
    const struct CMUnitTest tests[] = {
        TEST(trimmed_records_are_out_of_view_at_once_and_the_count_of_bytes_is_exact),
        TEST(collect_deletes_segments_out_of_view_and_trims_last_across_a_restart),
        TEST(a_shard_that_lost_all_its_records_goes_on_with_its_numbers),
        TEST(mostly_dead_segments_are_written_together_with_numbers_and_times_kept),
        TEST(new_segments_never_take_a_number_that_a_collected_one_covers),
        TEST(a_crash_before_covered_segments_were_deleted_leaves_nothing_doubled),
        TEST(a_forgotten_shard_is_gone_and_stays_so),
        TEST(an_index_rebuilt_after_a_forget_does_not_bring_the_shard_back),
        TEST(a_reader_keeps_what_it_took_while_segments_go),
        TEST(collect_without_anything_to_do_writes_nothing),
        TEST(damaged_marks_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
