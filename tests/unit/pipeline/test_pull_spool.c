/* SPDX-License-Identifier: Apache-2.0 */
#include "pull_spool_rig.h"

static void records_come_out_as_objects_named_by_what_they_hold(void **state) {
    struct rig *rig = *state;
    open_rig(rig);
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    assert_true(rig->n_objects >= 6);
    assert_int_equal(rig->n_put, N_RECORDS);
    close_rig(rig);
    assert_everything_once(rig);
}

static void compressed_ones_have_the_suffix_and_the_same_records(void **state) {
    struct rig *rig = *state;
    char folder[128];
    char *names[256];
    rig->place.compression = LT_COMPRESSION_GZIP;
    open_rig(rig);
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    close_rig(rig);
    assert_everything_once(rig);
    snprintf(folder, sizeof(folder), "%s/lake/x", rig->out_dir);
    size_t n = list(folder, names);
    assert_true(n >= 4);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(strstr(names[i], ".jsonl.gz"));
        free(names[i]);
    }
}

static void the_same_records_again_make_the_same_objects(void **state) {
    struct rig *rig = *state;
    char folder[128];
    char *names[256], *again[256];
    open_rig(rig);
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    snprintf(folder, sizeof(folder), "%s/lake/x", rig->out_dir);
    size_t n = list(folder, names);
    commit(rig, 0);
    wait_for_commit(rig);
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    close_rig(rig);
    assert_int_equal(list(folder, again), n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(names[i], again[i]);
        free(names[i]);
        free(again[i]);
    }
}

static void what_was_not_committed_is_cut(void **state) {
    struct rig *rig = *state;
    open_rig(rig);
    take_records(rig, 5);
    for (uint64_t i = 5; i < 9; i++)
        append(rig, i % 2 ? "b" : "a", i);
    close_rig(rig);
    open_rig(rig);
    assert_int_equal(position(rig), 5);
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    close_rig(rig);
    assert_everything_once(rig);
}

static void a_disk_that_is_full_or_read_only_is_an_error_and_the_state_stays(void **state) {
    struct rig *rig = *state;
    const int errors[] = {ENOSPC, EROFS};
    for (size_t i = 0; i < 2; i++) {
        open_rig(rig);
        take_records(rig, 5 + 5 * i);
        fail_writes = errors[i];
        take_records(rig, N_RECORDS);
        assert_true(rig->failed);
        assert_int_equal(rig->error.status, i ? LEAT_E_IO : LEAT_E_FULL);
        assert_non_null(strstr(rig->error.text, rig->spool_dir));
        fail_writes = 0;
        assert_int_equal(position(rig), 5 + 5 * i);
        assert_int_not_equal(lt_pull_spools_commit(rig->spools, NULL, 0, &rig->err), LEAT_OK);
        close_rig(rig);
    }
    open_rig(rig);
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    close_rig(rig);
    assert_everything_once(rig);
}

static void a_put_that_may_succeed_later_is_tried_again(void **state) {
    struct rig *rig = *state;
    open_rig(rig);
    fail_puts = 2;
    put_failure = LEAT_E_THROTTLED;
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    assert_int_equal(rig->n_retries, 2);
    close_rig(rig);
    assert_everything_once(rig);
}

static void a_put_that_fails_for_good_leaves_the_records_for_the_next_run(void **state) {
    struct rig *rig = *state;
    open_rig(rig);
    fail_puts = 1;
    put_failure = LEAT_E_AUTH;
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    assert_true(rig->failed);
    assert_int_equal(rig->error.status, LEAT_E_AUTH);
    assert_non_null(strstr(rig->error.text, "s3://lake/x/"));
    rig->failed = false;
    commit(rig, rig->n_taken); /* what was taken is kept in spite of it */
    wait_for_commit(rig);
    assert_false(rig->failed);
    assert_int_equal(position(rig), rig->n_taken);
    close_rig(rig);
    open_rig(rig);
    take_records(rig, N_RECORDS);
    finish(rig, N_RECORDS);
    close_rig(rig);
    assert_everything_once(rig);
}

static void assert_one_record_in(struct rig *rig, const char *folder, uint64_t i) {
    char path[512], text[128];
    char *names[256];
    snprintf(path, sizeof(path), "%s/lake/%s", rig->out_dir, folder);
    assert_int_equal(list(path, names), 1);
    snprintf(path, sizeof(path), "%s/lake/%s/%s", rig->out_dir, folder, names[0]);
    free(names[0]);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    assert_record(text, "a", i);
    assert_null(fgets(text, sizeof(text), file));
    fclose(file);
}

static void a_place_that_was_edited_does_not_change_what_was_begun(void **state) {
    struct rig *rig = *state;
    open_rig(rig);
    append(rig, "a", 0);
    commit(rig, 1);
    wait_for_commit(rig);
    close_rig(rig);
    rig->place.prefix = "y/";
    for (uint64_t i = 1; i <= 2; i++) {
        open_rig(rig);
        if (i == 1)
            append(rig, "a", i);
        commit(rig, i);
        wait_for_commit(rig);
        if (i == 2)
            finish(rig, i);
        close_rig(rig);
    }
    assert_one_record_in(rig, "x", 0);
    assert_one_record_in(rig, "y", 1);
}

static void a_file_that_lost_bytes_is_an_error_that_says_so(void **state) {
    struct rig *rig = *state;
    char *names[256], path[512];
    open_rig(rig);
    append(rig, "a", 0);
    commit(rig, 1);
    wait_for_commit(rig);
    lt_pull_spools_free(rig->spools);
    assert_int_equal(list(rig->spool_dir, names), 1);
    snprintf(path, sizeof(path), "%s/%s", rig->spool_dir, names[0]);
    free(names[0]);
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(try_open_spools(rig), LEAT_E_CORRUPT);
    assert_non_null(strstr(rig->err.text, "--fresh"));
    assert_int_equal(unlink_really(path), 0);
    assert_int_equal(try_open_spools(rig), LEAT_E_CORRUPT);
    assert_non_null(strstr(rig->err.text, "is gone"));
    assert_int_equal(lt_pull_spools_forget(rig->spool_dir, rig_kind, rig->state, &rig->err),
                     LEAT_OK);
    assert_int_equal(try_open_spools(rig), LEAT_OK);
    assert_true(lt_pull_spools_is_empty(rig->spools));
    close_rig(rig);
}

static void what_is_dropped_is_forgotten_and_no_object(void **state) {
    struct rig *rig = *state;
    open_rig(rig);
    take_records(rig, 4);
    close_rig(rig);
    open_rig(rig);
    lt_pull_spools_drop(rig->spools, "a");
    assert_false(lt_pull_spools_is_empty(rig->spools));
    for (uint64_t i = 0; i < N_RECORDS; i += 2)
        append(rig, "a", i);
    for (uint64_t i = 5; i < N_RECORDS; i += 2)
        append(rig, "b", i);
    finish(rig, N_RECORDS);
    close_rig(rig);
    assert_everything_once(rig);
}

static void what_an_ended_pass_left_is_not_joined_with_the_next(void **state) {
    struct rig *rig = *state;
    char *names[256], folder[256];
    open_rig(rig);
    append(rig, "a", 0);
    append(rig, "a", 1);
    append(rig, "b", 0);
    commit(rig, 2);
    wait_for_commit(rig);
    close_rig(rig);
    open_rig(rig);
    lt_pull_spools_end_pass(rig->spools, "a");
    append(rig, "a", 0); /* the same records, by a new pass: the same object */
    append(rig, "a", 1);
    append(rig, "b", 1);
    finish(rig, 2);
    close_rig(rig);
    snprintf(folder, sizeof(folder), "%s/lake/x", rig->out_dir);
    size_t n = list(folder, names), n_of_a = 0;
    for (size_t i = 0; i < n; i++) {
        n_of_a += strstr(names[i], "a-000000000000-") != NULL;
        free(names[i]);
    }
    assert_int_equal(n, 2);
    assert_int_equal(n_of_a, 1);
}

static void timestamps_in_a_prefix_are_those_of_the_first_record(void **state) {
    struct rig *rig = *state;
    char path[256], want[64], line[64];
    rig->place.prefix = "y/!{timestamp:yyyy}/";
    open_rig(rig);
    append(rig, "a", 0);
    finish(rig, 1);
    close_rig(rig);
    time_t now = (time_t)(lt_clock_wall_ms() / 1000);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(want, sizeof(want), "%Y", &tm);
    snprintf(path, sizeof(path), "ls %s/lake/y", rig->out_dir);
    FILE *out = popen(path, "r");
    assert_non_null(fgets(line, sizeof(line), out));
    pclose(out);
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(line, want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(records_come_out_as_objects_named_by_what_they_hold),
        TEST(compressed_ones_have_the_suffix_and_the_same_records),
        TEST(the_same_records_again_make_the_same_objects),
        TEST(what_was_not_committed_is_cut),
        TEST(a_disk_that_is_full_or_read_only_is_an_error_and_the_state_stays),
        TEST(a_put_that_may_succeed_later_is_tried_again),
        TEST(a_put_that_fails_for_good_leaves_the_records_for_the_next_run),
        TEST(a_place_that_was_edited_does_not_change_what_was_begun),
        TEST(a_file_that_lost_bytes_is_an_error_that_says_so),
        TEST(what_is_dropped_is_forgotten_and_no_object),
        TEST(what_an_ended_pass_left_is_not_joined_with_the_next),
        TEST(timestamps_in_a_prefix_are_those_of_the_first_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
