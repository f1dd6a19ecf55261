/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_rig.h"

#include "base/hash.h"

static const uint64_t A = 1, B = 2;
static const char *const FIRST = "000000000001.log";

enum { N_GROUPS = 5 };

/* Five groups, of which the last is one append of four records in two shards, left as by kill -9.
 * `starts` are the groups' offsets, and the end. */
static void make_crashed(struct rig *crashed, uint64_t starts[N_GROUPS + 1]) {
    struct rig rig;
    struct leat_error err;
    char data[4][500];
    struct lt_journal_append in[4];

    rig_init(&rig);
    rig.opt.segment_bytes = 64 << 10;
    rig_open(&rig);
    for (uint64_t i = 0; i < N_GROUPS - 1; i++) {
        starts[i] = i ? rig.journal->active->len : LT_SEGMENT_HEADER_BYTES;
        rig_put(&rig, A, i + 1, 150);
    }
    starts[N_GROUPS - 1] = rig.journal->active->len;
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t shard = i < 2 ? A : B, seq = i < 2 ? N_GROUPS + i : i - 1;
        in[i] = (struct lt_journal_append){.shard = shard, .key = LT_LIT("key")};
        in[i].data = lt_slice(data[i], fill_data(data[i], 400, shard, seq));
    }
    assert_int_equal(rig_append(&rig, in, 4, NULL, &err), LEAT_OK);
    starts[N_GROUPS] = rig.journal->active->len;
    rig_snapshot(&rig, crashed);
    rig_deinit(&rig);
}

static void check_whole(struct rig *rig) {
    rig_open(rig);
    assert_int_equal(rig_check(rig, A, 1), N_GROUPS + 1);
    assert_int_equal(rig_check(rig, B, 1), 2);
}

/* All before the last group is there, nothing of it, and new records take its numbers. */
static void check_cut(struct rig *rig) {
    rig_open(rig);
    assert_int_equal(rig_check(rig, A, 1), N_GROUPS - 1);
    assert_int_equal(rig_check(rig, B, 1), 0);
    rig_put(rig, A, N_GROUPS, 99);
    rig_put(rig, B, 1, 99);
    rig_close(rig);
    rig_open(rig);
    assert_int_equal(rig_check(rig, A, 1), N_GROUPS);
    assert_int_equal(rig_check(rig, B, 1), 1);
}

static void check_damaged(struct rig *rig, uint64_t from, uint64_t until) {
    struct leat_error err;
    leat_status status = rig_try_open(rig, &err);

    if (status != LEAT_E_CORRUPT)
        fail_msg("damage at %" PRIu64 " was not noticed", from);
    const char *name = strstr(err.text, FIRST), *at = strstr(err.text, "offset ");
    assert_non_null(name);
    assert_non_null(at);
    uint64_t offset = strtoull(at + 7, NULL, 10);
    if (offset < from || offset > until)
        fail_msg("damage in %" PRIu64 "..%" PRIu64 " is said to be at %" PRIu64, from, until,
                 offset);
}

static void with_copy(const struct rig *crashed, void (*damage)(const struct rig *, uint64_t),
                      uint64_t at, void (*check)(struct rig *)) {
    struct rig rig;

    rig_snapshot(crashed, &rig);
    damage(&rig, at);
    check(&rig);
    rig_deinit(&rig);
}

static void cut_file(const struct rig *rig, uint64_t at) {
    rig_truncate(rig, FIRST, (off_t)at);
}

static void zero_from(const struct rig *rig, uint64_t at) {
    off_t size = rig_size(rig, FIRST);
    rig_truncate(rig, FIRST, (off_t)at);
    rig_truncate(rig, FIRST, size);
}

static void after_a_crash_all_that_was_acknowledged_is_there(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];

    (void)state;
    make_crashed(&crashed, starts);
    assert_true((uint64_t)rig_size(&crashed, FIRST) > starts[N_GROUPS]); /* preallocated room */
    check_whole(&crashed);
    rig_put(&crashed, B, 3, 40);
    rig_deinit(&crashed);
}

static void a_tail_torn_at_any_byte_is_cut_with_its_whole_group(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];

    (void)state;
    make_crashed(&crashed, starts);
    for (uint64_t at = starts[N_GROUPS - 1]; at < starts[N_GROUPS]; at++) {
        with_copy(&crashed, cut_file, at, check_cut);
        if (at < starts[N_GROUPS] - 7) /* the last ones are zeros anyway */
            with_copy(&crashed, zero_from, at, check_cut);
    }
    with_copy(&crashed, cut_file, starts[N_GROUPS], check_whole);
    rig_deinit(&crashed);
}

static void zero_sector(const struct rig *rig, uint64_t at) {
    const char zeros[512] = {0};
    rig_write(rig, FIRST, (off_t)at, zeros, sizeof(zeros));
}

static void a_last_group_with_a_sector_that_was_never_written_is_cut(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];

    (void)state;
    make_crashed(&crashed, starts);
    uint64_t sector = (starts[N_GROUPS - 1] / 512 + 1) * 512;
    assert_true(sector + 512 < starts[N_GROUPS] - LT_GROUP_TRAILER_BYTES);
    with_copy(&crashed, zero_sector, sector, check_cut);
    rig_deinit(&crashed);
}

static void garbage(const struct rig *rig, uint64_t at) {
    char bytes[3000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 37 + 11);
    rig_write(rig, FIRST, (off_t)at, bytes, sizeof(bytes));
}

static void garbage_after_the_last_group_is_cut(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];

    (void)state;
    make_crashed(&crashed, starts);
    with_copy(&crashed, garbage, starts[N_GROUPS], check_whole);
    rig_truncate(&crashed, FIRST, (off_t)starts[N_GROUPS]);
    with_copy(&crashed, garbage, starts[N_GROUPS], check_whole);
    rig_deinit(&crashed);
}

static void a_flipped_bit_anywhere_is_reported_with_file_and_offset(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];

    (void)state;
    make_crashed(&crashed, starts);
    for (size_t group = 0; group < N_GROUPS; group++) {
        for (uint64_t at = starts[group]; at < starts[group + 1]; at += 3) {
            struct rig rig;
            /* In the last group a sector of it must not look as if it was never written; its
             * header and trailer prove each other. */
            rig_snapshot(&crashed, &rig);
            rig_flip(&rig, FIRST, (off_t)at);
            if (group < N_GROUPS - 1 || at < starts[N_GROUPS] - LT_GROUP_TRAILER_BYTES)
                check_damaged(&rig, starts[group], at);
            rig_deinit(&rig);
        }
    }
    for (uint64_t at = 0; at < LT_SEGMENT_HEADER_BYTES; at += 5) {
        struct rig rig;
        rig_snapshot(&crashed, &rig);
        rig_flip(&rig, FIRST, (off_t)at);
        check_damaged(&rig, 0, LT_SEGMENT_HEADER_BYTES);
        rig_deinit(&rig);
    }
    rig_deinit(&crashed);
}

static void zeros_before_a_later_group_are_damage(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];
    char zeros[300] = {0};

    (void)state;
    make_crashed(&crashed, starts);
    assert_true(starts[3] - starts[2] < sizeof(zeros));
    rig_write(&crashed, FIRST, (off_t)starts[2], zeros, starts[3] - starts[2]);
    check_damaged(&crashed, starts[2], starts[2]);
    rig_deinit(&crashed);
}

static void what_a_clean_close_left_is_not_cut_even_at_its_end(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];

    (void)state;
    make_crashed(&crashed, starts);
    rig_open(&crashed);
    rig_close(&crashed);
    assert_int_equal(rig_size(&crashed, FIRST), starts[N_GROUPS]);
    rig_truncate(&crashed, FIRST, (off_t)starts[N_GROUPS] - 10);
    check_damaged(&crashed, starts[N_GROUPS - 1], starts[N_GROUPS]);
    rig_truncate(&crashed, FIRST, (off_t)starts[N_GROUPS]); /* zeros now */
    check_damaged(&crashed, starts[N_GROUPS - 1], starts[N_GROUPS]);
    rig_unlink(&crashed, "000000000001.idx"); /* the way out that the message names */
    check_cut(&crashed);
    rig_deinit(&crashed);
}

static void an_emptied_segment_that_was_synced_is_reported(void **state) {
    struct rig crashed;
    uint64_t starts[N_GROUPS + 1];
    struct leat_error err;

    (void)state;
    make_crashed(&crashed, starts);
    rig_open(&crashed);
    rig_close(&crashed);
    rig_truncate(&crashed, FIRST, 0);
    assert_int_equal(rig_try_open(&crashed, &err), LEAT_E_CORRUPT);
    assert_non_null(strstr(err.text, ".idx"));
    rig_unlink(&crashed, "000000000001.idx");
    rig_open(&crashed);
    rig_deinit(&crashed);
}

static void a_stale_index_after_a_crash_does_not_hide_what_came_later(void **state) {
    struct rig rig, crashed;

    (void)state;
    rig_init(&rig);
    rig_open(&rig);
    rig_put(&rig, A, 1, 100);
    rig_close(&rig);
    rig_open(&rig);
    rig_put(&rig, A, 2, 100);
    rig_snapshot(&rig, &crashed);
    rig_deinit(&rig);
    rig_open(&crashed);
    assert_int_equal(rig_check(&crashed, A, 1), 2);
    rig_deinit(&crashed);
}

static void a_segment_that_never_got_its_first_group_is_as_if_it_were_not(void **state) {
    struct rig rig;
    const char zeros[200] = {0};

    (void)state;
    rig_init(&rig);
    rig_open(&rig);
    rig_put(&rig, A, 1, 100);
    rig_close(&rig);
    rig_write(&rig, "000000000002.log", 0, "", 0);
    rig_open(&rig);
    assert_int_equal(rig_check(&rig, A, 1), 1);
    rig_put(&rig, A, 2, 100);
    rig_close(&rig);
    rig_write(&rig, "000000000007.log", 0, zeros, sizeof(zeros));
    rig_open(&rig);
    rig_put(&rig, A, 3, 100);
    assert_int_equal(rig_check(&rig, A, 1), 3);
    rig_deinit(&rig);
}

/* Four sealed segments and an active one, closed. Returns the number of records in shard A. */
static uint64_t make_segments(struct rig *rig) {
    uint64_t n = 0;

    rig_init(rig);
    rig->opt.segment_bytes = 4000;
    rig_open(rig);
    while (rig->journal->n_sealed < 4) {
        rig_put(rig, A, ++n, 300);
        rig_put(rig, B, n, 20);
    }
    return n;
}

static void a_missing_or_damaged_index_is_built_again(void **state) {
    struct rig rig;
    uint64_t n = make_segments(&rig);

    (void)state;
    rig_close(&rig);
    rig_unlink(&rig, "000000000001.idx");
    rig_flip(&rig, "000000000002.idx", 20);
    rig_flip(&rig, "000000000003.idx", LT_INDEX_HEADER_BYTES + 9);
    rig_truncate(&rig, "000000000004.idx", 100);
    rig_open(&rig);
    assert_int_equal(rig_check(&rig, A, 1), n);
    assert_int_equal(rig_check(&rig, B, 1), n);
    assert_true(rig_size(&rig, "000000000001.idx") > 0);
    rig_deinit(&rig);
}

static void damaged_runs_of_an_index_are_found_again_while_reading(void **state) {
    struct rig rig;
    uint64_t n = make_segments(&rig);

    (void)state;
    rig_close(&rig);
    off_t at = rig_size(&rig, "000000000002.idx") - 5; /* a run of shard B */
    rig_flip(&rig, "000000000002.idx", at);
    rig_open(&rig);
    assert_int_equal(rig_check(&rig, A, 1), n);
    assert_int_equal(rig_check(&rig, B, 1), n);
    rig_deinit(&rig);
}

static void damage_in_a_sealed_segment_is_met_by_its_reader_after_what_is_good(void **state) {
    struct rig rig;
    uint64_t n = make_segments(&rig);
    struct lt_journal_record *records;
    struct lt_arena arena;
    struct leat_error err;
    uint64_t from = 1;
    size_t got = 1;
    leat_status status = LEAT_OK;

    (void)state;
    rig_close(&rig);
    rig_flip(&rig, "000000000002.log", 1500);
    rig_open(&rig);
    lt_arena_init(&arena, 1 << 20);
    while (got && status == LEAT_OK) {
        status = lt_journal_read(rig.journal, A, from, 1000, 1 << 20, &arena, &records, &got, &err);
        from += got;
    }
    assert_int_equal(status, LEAT_E_CORRUPT);
    assert_non_null(strstr(err.text, "000000000002.log"));
    assert_non_null(strstr(err.text, "offset 1"));
    assert_in_range(from, 2, n);
    assert_int_equal(rig_check(&rig, A, from + 1), n - from);
    lt_arena_deinit(&arena);
    rig_deinit(&rig);
}

static void a_missing_segment_is_reported_not_skipped(void **state) {
    struct rig rig;
    struct leat_error err;

    (void)state;
    for (int i = 1; i <= 4; i++) {
        char name[64];
        make_segments(&rig);
        rig_close(&rig);
        snprintf(name, sizeof(name), "%012d.log", i);
        rig_unlink(&rig, name);
        assert_int_equal(rig_try_open(&rig, &err), LEAT_E_CORRUPT);
        assert_non_null(strstr(err.text, "missing"));
        rig_deinit(&rig);
    }
}

static void a_sealed_segment_that_lost_its_end_is_reported(void **state) {
    struct rig rig;
    struct leat_error err;

    (void)state;
    make_segments(&rig);
    rig_close(&rig);
    rig_truncate(&rig, "000000000002.log", rig_size(&rig, "000000000002.log") - 1);
    assert_int_equal(rig_try_open(&rig, &err), LEAT_E_CORRUPT);
    assert_non_null(strstr(err.text, "000000000002.log"));
    rig_deinit(&rig);
}

static void put_crc_header(struct rig *rig, const char *name, size_t len, const char *magic) {
    char bytes[64] = {0};
    uint32_t crc;

    memcpy(bytes, magic, 8);
    bytes[8] = LT_JOURNAL_VERSION + 1;
    crc = lt_crc32c(0, bytes, len - 4);
    memcpy(bytes + len - 4, &crc, 4);
    rig_write(rig, name, 0, bytes, len);
}

static void files_of_a_newer_version_are_refused(void **state) {
    struct rig rig;
    struct leat_error err;

    (void)state;
    rig_init(&rig);
    put_crc_header(&rig, FIRST, LT_SEGMENT_HEADER_BYTES, "leatjrnl");
    assert_int_equal(rig_try_open(&rig, &err), LEAT_E_UNSUPPORTED);
    rig_unlink(&rig, FIRST);
    put_crc_header(&rig, "marks", LT_MARKS_HEADER_BYTES, "leatmark");
    assert_int_equal(rig_try_open(&rig, &err), LEAT_E_UNSUPPORTED);
    rig_deinit(&rig);
}

static void leftovers_of_interrupted_writes_are_removed(void **state) {
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_write(&rig, "000000000004.log.tmp", 0, "half", 4);
    rig_write(&rig, "marks.tmp", 0, "half", 4);
    rig_write(&rig, "README", 0, "mine", 4);
    rig_open(&rig);
    assert_int_equal(rig_size(&rig, "000000000004.log.tmp"), -1);
    assert_int_equal(rig_size(&rig, "marks.tmp"), -1);
    assert_int_equal(rig_size(&rig, "README"), 4);
    rig_deinit(&rig);
}

/* A payload that looks like the journal's own bytes must not pass for a later group. */
static void a_stored_copy_of_a_journal_does_not_make_a_torn_tail_look_like_damage(void **state) {
    struct rig rig, crashed;
    struct leat_error err;
    char path[128];
    static char bytes[2000];

    (void)state;
    rig_init(&rig);
    rig_open(&rig);
    rig_put(&rig, A, 1, 600);
    int fd = open(rig_path(&rig, path, FIRST), O_RDONLY);
    assert_int_equal(pread(fd, bytes, 800, 0), 800);
    close(fd);
    struct lt_journal_append in = {.shard = B, .data = lt_slice(bytes, sizeof(bytes))};
    uint64_t start = rig.journal->active->len;
    assert_int_equal(rig_append(&rig, &in, 1, NULL, &err), LEAT_OK);
    rig_snapshot(&rig, &crashed);
    rig_deinit(&rig);
    rig_truncate(&crashed, FIRST, (off_t)start + 1500);
    rig_open(&crashed);
    assert_int_equal(rig_check(&crashed, A, 1), 1);
    assert_int_equal(crashed.journal->active->len, start);
    rig_deinit(&crashed);
}

int main(void) {
    lt_journal_io.fdatasync = lt_journal_io.fsync = rig_no_sync; /* no power fails here */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_crash_all_that_was_acknowledged_is_there),
        cmocka_unit_test(a_tail_torn_at_any_byte_is_cut_with_its_whole_group),
        cmocka_unit_test(a_last_group_with_a_sector_that_was_never_written_is_cut),
        cmocka_unit_test(garbage_after_the_last_group_is_cut),
        cmocka_unit_test(a_flipped_bit_anywhere_is_reported_with_file_and_offset),
        cmocka_unit_test(zeros_before_a_later_group_are_damage),
        cmocka_unit_test(what_a_clean_close_left_is_not_cut_even_at_its_end),
        cmocka_unit_test(a_stale_index_after_a_crash_does_not_hide_what_came_later),
        cmocka_unit_test(a_segment_that_never_got_its_first_group_is_as_if_it_were_not),
        cmocka_unit_test(a_missing_or_damaged_index_is_built_again),
        cmocka_unit_test(damaged_runs_of_an_index_are_found_again_while_reading),
        cmocka_unit_test(damage_in_a_sealed_segment_is_met_by_its_reader_after_what_is_good),
        cmocka_unit_test(a_missing_segment_is_reported_not_skipped),
        cmocka_unit_test(a_sealed_segment_that_lost_its_end_is_reported),
        cmocka_unit_test(an_emptied_segment_that_was_synced_is_reported),
        cmocka_unit_test(files_of_a_newer_version_are_refused),
        cmocka_unit_test(leftovers_of_interrupted_writes_are_removed),
        cmocka_unit_test(a_stored_copy_of_a_journal_does_not_make_a_torn_tail_look_like_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
