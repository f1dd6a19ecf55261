/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process takes records 0 to N-1 from a source that remembers nothing, spools them, and
 * commits how far it came; it is killed at each of its steps in turn (each write, sync, removal,
 * change of the state and put, before and after), another child goes on, and the folder of objects
 * must then hold each record once, in order.
 */
#include "base/clock.h"
#include "object/plain.h"
#include "pipeline/pull_spool.h"
#include "json/json.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { N_RECORDS = 40, OBJECT_BYTES = 150, COMMIT_EVERY = 7, KILLED = 99, FAILED = 98 };

static const char kind[] = "pull/p";

/* ---- kill points ---- */

static unsigned kill_at;  /* 0: never */
static unsigned n_points; /* passed */
static int fail_writes;   /* errno of every write, or 0 */
static int fail_puts;     /* so many puts fail first */
static leat_status put_failure;

static void point(void) {
    if (__atomic_add_fetch(&n_points, 1, __ATOMIC_SEQ_CST) == kill_at)
        _exit(KILLED);
}

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at) {
    point();
    if (fail_writes) {
        errno = fail_writes;
        return -1;
    }
    /* by halves, so that a kill can tear a write */
    ssize_t n = __real_pwrite64(fd, data, len > 20 ? len / 2 : len, at);
    point();
    return n;
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd) {
    point();
    return __real_fdatasync(fd);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
    point();
    int rc = __real_unlink(path);
    point();
    return rc;
}

leat_status __real_lt_state_apply(struct lt_state *state, const struct lt_state_change *changes,
                                  size_t n, struct leat_error *err);
leat_status __wrap_lt_state_apply(struct lt_state *state, const struct lt_state_change *changes,
                                  size_t n, struct leat_error *err);
leat_status __wrap_lt_state_apply(struct lt_state *state, const struct lt_state_change *changes,
                                  size_t n, struct leat_error *err) {
    point();
    leat_status status = __real_lt_state_apply(state, changes, n, err);
    point();
    return status;
}

/* ---- the source, and what takes from it ---- */

struct rig {
    char dir[64];
    char spool_dir[96], out_dir[96], state_path[96];
    struct lt_object_store *plain;
    struct lt_object_store store; /* the plain one, with kill points */
    struct lt_object_ops ops;
    struct lt_state *state;
    uv_loop_t loop;
    struct lt_pull_spools *spools;
    struct lt_pull_place place;
    unsigned n_objects, n_retries;
    uint64_t n_put, n_taken;
    bool failed;
    struct leat_error error, err;
};

static struct rig *the_rig;

static leat_status put(struct lt_object_store *store, const char *bucket,
                       const struct lt_object_put *object, struct leat_error *err) {
    (void)store;
    point();
    if (fail_puts) {
        fail_puts--;
        return lt_fail(err, put_failure, 0, "the store does not want it");
    }
    leat_status status = the_rig->plain->ops->put(the_rig->plain, bucket, object, err);
    point();
    return status;
}

static void on_progress(void *ctx) {
    (void)ctx;
}

static void on_object(void *ctx, const char *to, uint64_t n_records) {
    struct rig *rig = ctx;
    assert_int_equal(strncmp(to, rig->place.to, strlen(rig->place.to)), 0);
    rig->n_objects++;
    rig->n_put += n_records;
}

static void on_retry(void *ctx, const struct leat_error *err, int64_t until_ms) {
    struct rig *rig = ctx;
    assert_true(until_ms > 0);
    assert_non_null(strstr(err->text, "does not want it"));
    rig->n_retries++;
}

static void on_failed(void *ctx, const struct leat_error *err) {
    struct rig *rig = ctx;
    assert_false(rig->failed);
    rig->failed = true;
    rig->error = *err;
}

static leat_status try_open_spools(struct rig *rig) {
    const struct lt_pull_spools_options opt = {
        .dir = rig->spool_dir,
        .kind = kind,
        .pipeline = "p",
        .state = rig->state,
        .objects = &rig->store,
        .loop = &rig->loop,
        .ctx = rig,
        .on_progress = on_progress,
        .on_object = on_object,
        .on_retry = on_retry,
        .on_failed = on_failed,
    };
    return lt_pull_spools_open(&rig->spools, &opt, &rig->err);
}

static void open_rig(struct rig *rig) {
    the_rig = rig;
    rig->failed = false;
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    assert_int_equal(lt_state_open(&rig->state, rig->state_path, &rig->err), LEAT_OK);
    assert_int_equal(lt_object_plain_new(&rig->plain, rig->out_dir, &rig->err), LEAT_OK);
    rig->ops = (struct lt_object_ops){.put = put};
    rig->store.ops = &rig->ops;
    if (try_open_spools(rig) != LEAT_OK)
        fail_msg("%s", rig->err.text);
}

static void close_rig(struct rig *rig) {
    lt_pull_spools_free(rig->spools);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    rig->plain->ops->close(rig->plain);
    lt_state_close(rig->state);
}

static uint64_t position(struct rig *rig) {
    struct lt_arena arena;
    struct lt_slice body;
    uint64_t n = 0;
    lt_arena_init(&arena, 1 << 20);
    if (lt_state_get(rig->state, kind, LT_LIT("position"), &arena, &body, &rig->err) == LEAT_OK)
        n = strtoull(body.data, NULL, 10);
    lt_arena_deinit(&arena);
    return n;
}

static void wait_for_commit(struct rig *rig) {
    while (lt_pull_spools_is_committing(rig->spools))
        uv_run(&rig->loop, UV_RUN_ONCE);
}

static void commit(struct rig *rig, uint64_t at) {
    char text[32];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)at);
    const struct lt_state_change change = {kind, LT_LIT("position"), lt_slice_str(text)};
    wait_for_commit(rig);
    if (!rig->failed)
        assert_int_equal(lt_pull_spools_commit(rig->spools, &change, 1, &rig->err), LEAT_OK);
}

static void append(struct rig *rig, const char *resource, uint64_t i) {
    struct lt_pull_spool *spool;
    char text[64];
    snprintf(text, sizeof(text), "{\"r\":\"%s\",\"i\":%llu}", resource, (unsigned long long)i);
    assert_int_equal(lt_pull_spools_get(rig->spools, &rig->place, resource, &spool, &rig->err),
                     LEAT_OK);
    assert_int_equal(lt_pull_spool_append(spool, i, lt_slice_str(text), &rig->err), LEAT_OK);
}

/* Puts all there is. */
static void finish(struct rig *rig, uint64_t at) {
    lt_pull_spools_seal(rig->spools);
    while (!rig->failed && !lt_pull_spools_is_empty(rig->spools)) {
        commit(rig, at);
        wait_for_commit(rig);
        lt_pull_spools_tick(rig->spools);
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    }
}

/* Records with an even number go to "a", others to "b". */
static void take_records(struct rig *rig, uint64_t until) {
    uint64_t i = position(rig);
    for (; i < until && !rig->failed; i++) {
        append(rig, i % 2 ? "b" : "a", i);
        if (i % COMMIT_EVERY == COMMIT_EVERY - 1)
            commit(rig, i + 1);
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    }
    rig->n_taken = i;
    if (!rig->failed)
        commit(rig, i);
    wait_for_commit(rig);
}

/* ---- a folder for each test ---- */

static int set_up(void **state) {
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    kill_at = n_points = 0;
    fail_writes = fail_puts = 0;
    snprintf(rig->dir, sizeof(rig->dir), "/tmp/leat-spool-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->spool_dir, sizeof(rig->spool_dir), "%s/spool/p", rig->dir);
    snprintf(rig->out_dir, sizeof(rig->out_dir), "%s/out", rig->dir);
    snprintf(rig->state_path, sizeof(rig->state_path), "%s/state.db", rig->dir);
    rig->place = (struct lt_pull_place){.to = "s3://lake/x/",
                                        .bucket = "lake",
                                        .prefix = "x/",
                                        .object_bytes = OBJECT_BYTES,
                                        .object_ms = 60000};
    *state = rig;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state) {
    struct rig *rig = *state;
    nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(rig);
    return 0;
}

/* ---- what came out ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder, in order; the caller frees them. */
static size_t list(const char *path, char *names[256]) {
    DIR *dir = opendir(path);
    size_t n = 0;
    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' && strlen(entry->d_name) < 3)
            continue;
        assert_true(n < 256);
        names[n++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

static void assert_record(const char *line, const char *resource, uint64_t i) {
    char want[64];
    snprintf(want, sizeof(want), "{\"r\":\"%s\",\"i\":%llu}\n", resource, (unsigned long long)i);
    assert_string_equal(line, want);
}

/* Each record of a resource once, in order: gzread() also reads what is not packed. */
static void assert_all_there(struct rig *rig, const char *resource, uint64_t first, uint64_t until,
                             uint64_t step) {
    char folder[128], path[512], line[128];
    char *names[256];
    uint64_t next = first;

    snprintf(folder, sizeof(folder), "%s/lake/x", rig->out_dir);
    size_t n = list(folder, names);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (strncmp(names[i], resource, 1) == 0) {
            gzFile file = gzopen(path, "r");
            assert_non_null(file);
            unsigned long long in_name = strtoull(names[i] + 2, NULL, 10);
            assert_int_equal(in_name, next);
            while (gzgets(file, line, sizeof(line))) {
                assert_record(line, resource, next);
                next += step;
            }
            gzclose(file);
        }
        free(names[i]);
    }
    assert_int_equal(next, until);
}

static void assert_everything_once(struct rig *rig) {
    char *names[256];
    assert_all_there(rig, "a", 0, N_RECORDS, 2);
    assert_all_there(rig, "b", 1, N_RECORDS + 1, 2);
    assert_int_equal(list(rig->spool_dir, names), 0);
}

/* ---- tests ---- */

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

/* One run in a child, killed at its nth point. True when it came to its end. */
static bool run_child(struct rig *rig, unsigned nth) {
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        kill_at = nth;
        n_points = 0;
        open_rig(rig);
        take_records(rig, N_RECORDS);
        finish(rig, N_RECORDS);
        close_rig(rig);
        _exit(rig->failed ? FAILED : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
    return WEXITSTATUS(status) == 0;
}

static void start_over(struct rig *rig) {
    nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(rig->dir, 0777), 0);
}

static void killed_at_any_step_each_record_is_in_an_object_once(void **state) {
    struct rig *rig = *state;
    unsigned nth = 1;
    for (;; nth++) {
        start_over(rig);
        bool ended = run_child(rig, nth);
        if (!ended)
            assert_true(run_child(rig, 0));
        assert_everything_once(rig);
        if (ended)
            break;
    }
    assert_true(nth > 60); /* that many steps there are at least */
}

static void killed_again_and_again_it_still_comes_to_the_end(void **state) {
    struct rig *rig = *state;
    for (unsigned step = 11; step < 60; step += 8) {
        unsigned nth = step, n_runs = 1;
        start_over(rig);
        while (!run_child(rig, nth)) {
            n_runs++;
            nth++; /* so that it ends for sure */
        }
        assert_true(n_runs > 1);
        assert_everything_once(rig);
    }
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
    assert_int_equal(__real_unlink(path), 0);
    assert_int_equal(try_open_spools(rig), LEAT_E_CORRUPT);
    assert_non_null(strstr(rig->err.text, "is gone"));
    assert_int_equal(lt_pull_spools_forget(rig->spool_dir, kind, rig->state, &rig->err), LEAT_OK);
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
        TEST(killed_at_any_step_each_record_is_in_an_object_once),
        TEST(killed_again_and_again_it_still_comes_to_the_end),
        TEST(a_disk_that_is_full_or_read_only_is_an_error_and_the_state_stays),
        TEST(a_put_that_may_succeed_later_is_tried_again),
        TEST(a_put_that_fails_for_good_leaves_the_records_for_the_next_run),
        TEST(a_place_that_was_edited_does_not_change_what_was_begun),
        TEST(a_file_that_lost_bytes_is_an_error_that_says_so),
        TEST(what_is_dropped_is_forgotten_and_no_object),
        TEST(timestamps_in_a_prefix_are_those_of_the_first_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
