/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "store/state.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static char path[128];
static struct lt_arena arena;

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/leat-state-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/state.db", dir);
    lt_arena_init(&arena, 64 << 20);
    return 0;
}

static int tear_down(void **state) {
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[160];

    (void)state;
    lt_arena_deinit(&arena);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        unlink(name);
    }
    return rmdir(dir);
}

static struct lt_state *open_state(void) {
    struct lt_state *state;
    struct leat_error err;

    assert_int_equal(lt_state_open(&state, path, &err), LEAT_OK);
    assert_non_null(state);
    return state;
}

static void set(struct lt_state *state, const char *kind, const char *name, const char *body) {
    struct leat_error err;

    assert_int_equal(lt_state_set(state, kind, lt_slice_str(name), lt_slice_str(body), &err),
                     LEAT_OK);
}

/* NULL when it is not there. */
static const char *get(struct lt_state *state, const char *kind, const char *name) {
    struct lt_slice body;
    struct leat_error err;
    leat_status status = lt_state_get(state, kind, lt_slice_str(name), &arena, &body, &err);

    if (status == LEAT_E_NOT_FOUND)
        return NULL;
    assert_int_equal(status, LEAT_OK);
    return body.data;
}

static uint64_t count(struct lt_state *state, const char *kind) {
    struct leat_error err;
    uint64_t n;

    assert_int_equal(lt_state_count(state, kind, &n, &err), LEAT_OK);
    return n;
}

static void state_reading_an_empty_folder_makes_no_file(void **unused) {
    struct lt_state *state = open_state();
    struct lt_state_row *rows;
    struct leat_error err;
    struct stat st;
    size_t n;

    (void)unused;
    assert_null(get(state, "stream", "s"));
    assert_int_equal(count(state, "stream"), 0);
    assert_int_equal(lt_state_list(state, "stream", LT_LIT(""), false, 10, &arena, &rows, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(lt_state_remove(state, "stream", LT_LIT("s"), &err), LEAT_OK);
    assert_int_equal(lt_state_remove_kind(state, "stream", &err), LEAT_OK);
    assert_int_equal(lt_state_apply(state, NULL, 0, &err), LEAT_OK);
    lt_state_close(state);
    assert_int_not_equal(stat(path, &st), 0);
}

static void state_documents_last_across_a_reopen(void **unused) {
    struct lt_state *state = open_state();

    (void)unused;
    set(state, "stream", "sessions", "{\"shards\":4}");
    set(state, "delivery", "sessions", "other kind");
    set(state, "stream", "sessions", "{\"shards\":5}");
    lt_state_close(state);
    state = open_state();
    assert_string_equal(get(state, "stream", "sessions"), "{\"shards\":5}");
    assert_string_equal(get(state, "delivery", "sessions"), "other kind");
    assert_null(get(state, "stream", "session"));
    assert_int_equal(count(state, "stream"), 1);
    lt_state_close(state);
}

static void state_a_removed_document_is_gone_and_others_stay(void **unused) {
    struct lt_state *state = open_state();
    struct leat_error err;

    (void)unused;
    set(state, "stream", "a", "1");
    set(state, "stream", "b", "2");
    set(state, "bucket", "a", "3");
    assert_int_equal(lt_state_remove(state, "stream", LT_LIT("a"), &err), LEAT_OK);
    assert_int_equal(lt_state_remove(state, "stream", LT_LIT("a"), &err), LEAT_OK);
    assert_null(get(state, "stream", "a"));
    assert_string_equal(get(state, "stream", "b"), "2");
    assert_int_equal(lt_state_remove_kind(state, "stream", &err), LEAT_OK);
    assert_int_equal(count(state, "stream"), 0);
    assert_string_equal(get(state, "bucket", "a"), "3");
    lt_state_close(state);
}

static void state_names_and_bodies_are_any_bytes_even_none(void **unused) {
    struct lt_state *state = open_state();
    struct lt_slice body;
    struct leat_error err;

    (void)unused;
    assert_int_equal(lt_state_set(state, "k", lt_slice("a\0b", 3), lt_slice("\0\xff", 2), &err),
                     LEAT_OK);
    assert_int_equal(lt_state_set(state, "k", lt_slice("a", 1), lt_slice(NULL, 0), &err), LEAT_OK);
    assert_int_equal(lt_state_set(state, "k", lt_slice(NULL, 0), LT_LIT("no name"), &err), LEAT_OK);
    assert_int_equal(count(state, "k"), 3);
    assert_int_equal(lt_state_get(state, "k", lt_slice("a\0b", 3), &arena, &body, &err), LEAT_OK);
    assert_true(lt_slice_eq(body, lt_slice("\0\xff", 2)));
    assert_int_equal(lt_state_get(state, "k", LT_LIT("a"), &arena, &body, &err), LEAT_OK);
    assert_int_equal(body.len, 0);
    assert_non_null(body.data);
    assert_string_equal(get(state, "k", ""), "no name");
    lt_state_close(state);
}

static void expect_list(struct lt_state *state, const char *from, bool after, size_t max,
                        const char *expected) {
    struct lt_state_row *rows;
    struct leat_error err;
    struct lt_buf names;
    size_t n;

    lt_buf_init(&names, 1000);
    assert_int_equal(
        lt_state_list(state, "object/b", lt_slice_str(from), after, max, &arena, &rows, &n, &err),
        LEAT_OK);
    for (size_t i = 0; i < n; i++) {
        lt_buf_append(&names, rows[i].name);
        lt_buf_append_byte(&names, ' ');
        assert_true(lt_slice_eq(rows[i].name, rows[i].body));
    }
    assert_string_equal(lt_buf_cstr(&names), expected);
    lt_buf_deinit(&names);
}

static void state_lists_are_in_order_of_bytes_and_can_go_on(void **unused) {
    static const char *const names[] = {"b", "a/b", "\xc3\xa9", "a", "B", "a0", "\xff"};
    struct lt_state *state = open_state();

    (void)unused;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        set(state, "object/b", names[i], names[i]);
    set(state, "object/c", "x", "x");
    expect_list(state, "", false, 100, "B a a/b a0 b \xc3\xa9 \xff ");
    expect_list(state, "a", false, SIZE_MAX, "a a/b a0 b \xc3\xa9 \xff ");
    expect_list(state, "a", true, 2, "a/b a0 ");
    expect_list(state, "a/c", true, 1, "a0 ");
    expect_list(state, "\xff", true, 5, "");
    expect_list(state, "", false, 0, "");
    lt_state_close(state);
}

static void state_a_list_longer_than_its_first_room_is_whole(void **unused) {
    struct lt_state *state = open_state();
    struct lt_state_change changes[500];
    struct lt_state_row *rows;
    struct leat_error err;
    char names[500][8];
    size_t n;

    (void)unused;
    for (size_t i = 0; i < 500; i++) {
        snprintf(names[i], sizeof(names[i]), "n%03zu", i);
        changes[i] = (struct lt_state_change){"k", lt_slice_str(names[i]), LT_LIT("x")};
    }
    assert_int_equal(lt_state_apply(state, changes, 500, &err), LEAT_OK);
    assert_int_equal(lt_state_list(state, "k", LT_LIT(""), false, 1000, &arena, &rows, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 500);
    for (size_t i = 0; i < n; i++)
        assert_true(lt_slice_eq_str(rows[i].name, names[i]));
    lt_state_close(state);
}

static void state_changes_are_made_all_or_none(void **unused) {
    struct lt_state *state = open_state();
    struct leat_error err;
    const struct lt_state_change good[] = {{"a", LT_LIT("1"), LT_LIT("new")},
                                           {"b", LT_LIT("1"), LT_LIT("new")},
                                           {"a", LT_LIT("0"), {NULL, 0}}};
    /* a kind that is NULL is refused by the table, after the changes before it */
    const struct lt_state_change bad[] = {{"a", LT_LIT("1"), LT_LIT("never")},
                                          {"b", LT_LIT("1"), {NULL, 0}},
                                          {NULL, LT_LIT("x"), LT_LIT("x")},
                                          {"c", LT_LIT("1"), LT_LIT("never")}};

    (void)unused;
    set(state, "a", "0", "old");
    assert_int_equal(lt_state_apply(state, good, 3, &err), LEAT_OK);
    assert_int_not_equal(lt_state_apply(state, bad, 4, &err), LEAT_OK);
    assert_string_equal(get(state, "a", "1"), "new");
    assert_string_equal(get(state, "b", "1"), "new");
    assert_null(get(state, "a", "0"));
    assert_null(get(state, "c", "1"));
    set(state, "c", "1", "after the failure");
    assert_string_equal(get(state, "c", "1"), "after the failure");
    lt_state_close(state);
}

static void state_a_handle_notices_that_another_made_the_file(void **unused) {
    struct lt_state *reader = open_state();
    struct lt_state *writer = open_state();
    struct lt_state *late = open_state();

    (void)unused;
    assert_null(get(reader, "k", "n"));
    set(writer, "k", "n", "first");
    assert_string_equal(get(reader, "k", "n"), "first");
    set(late, "k", "m", "second");
    set(writer, "k", "n", "changed");
    assert_string_equal(get(reader, "k", "m"), "second");
    assert_string_equal(get(late, "k", "n"), "changed");
    lt_state_close(reader);
    lt_state_close(writer);
    lt_state_close(late);
}

static void state_a_file_that_is_there_but_empty_counts_as_none(void **unused) {
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    struct lt_state *state, *other;

    (void)unused;
    assert_true(fd >= 0);
    close(fd);
    state = open_state();
    other = open_state();
    assert_null(get(state, "k", "n"));
    set(state, "k", "n", "x");
    assert_string_equal(get(other, "k", "n"), "x");
    lt_state_close(state);
    lt_state_close(other);
}

enum { N_CHILDREN = 4, N_EACH = 25 };

static void write_many(int child) {
    struct lt_state *state;
    struct leat_error err;
    char name[32];

    if (lt_state_open(&state, path, &err) != LEAT_OK)
        _exit(1);
    for (int i = 0; i < N_EACH; i++) {
        snprintf(name, sizeof(name), "%d-%d", child, i);
        if (lt_state_set(state, "k", lt_slice_str(name), LT_LIT("x"), &err) != LEAT_OK) {
            fprintf(stderr, "child %d: %s\n", child, err.text);
            _exit(2);
        }
    }
    lt_state_close(state);
    _exit(0);
}

static void state_processes_that_make_and_write_the_file_at_once_lose_nothing(void **unused) {
    pid_t children[N_CHILDREN];

    (void)unused;
    for (int i = 0; i < N_CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            write_many(i);
    }
    for (int i = 0; i < N_CHILDREN; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct lt_state *state = open_state();
    assert_int_equal(count(state, "k"), N_CHILDREN * N_EACH);
    lt_state_close(state);
}

static void state_what_was_set_before_a_kill_is_kept(void **unused) {
    int status;
    pid_t child = fork();

    (void)unused;
    assert_true(child >= 0);
    if (child == 0) {
        struct lt_state *state;
        struct leat_error err;
        if (lt_state_open(&state, path, &err) == LEAT_OK &&
            lt_state_set(state, "k", LT_LIT("n"), LT_LIT("kept"), &err) == LEAT_OK)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct lt_state *state = open_state();
    assert_string_equal(get(state, "k", "n"), "kept");
    lt_state_close(state);
}

/* A limit on the size of files stands in for a full disk. */
static void write_against_a_limit(void) {
    static char big[1 << 20];
    const struct rlimit limit = {256 << 10, 256 << 10};
    struct lt_state *state;
    struct lt_slice body;
    struct leat_error err;

    signal(SIGXFSZ, SIG_IGN);
    if (lt_state_open(&state, path, &err) != LEAT_OK || setrlimit(RLIMIT_FSIZE, &limit))
        _exit(1);
    leat_status status = lt_state_set(state, "k", LT_LIT("big"), lt_slice(big, sizeof(big)), &err);
    if (status != LEAT_E_FULL && status != LEAT_E_IO)
        _exit(2);
    if (lt_state_get(state, "k", LT_LIT("n"), &arena, &body, &err) != LEAT_OK)
        _exit(3);
    if (lt_state_set(state, "k", LT_LIT("small"), LT_LIT("x"), &err) != LEAT_OK)
        _exit(4);
    lt_state_close(state);
    _exit(0);
}

static void state_a_write_that_finds_no_room_fails_and_harms_nothing(void **unused) {
    struct lt_state *state = open_state();
    int status;

    (void)unused;
    set(state, "k", "n", "before");
    lt_state_close(state);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_against_a_limit();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    state = open_state();
    assert_string_equal(get(state, "k", "n"), "before");
    assert_string_equal(get(state, "k", "small"), "x");
    assert_null(get(state, "k", "big"));
    lt_state_close(state);
}

static void state_of_a_newer_leat_is_refused(void **unused) {
    struct lt_state *state = open_state();
    struct leat_error err;
    sqlite3 *db;

    (void)unused;
    set(state, "k", "n", "x");
    lt_state_close(state);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(lt_state_open(&state, path, &err), LEAT_E_UNSUPPORTED);
    assert_null(state);
    assert_non_null(strstr(err.text, "newer leat"));
}

static void state_a_file_that_is_something_else_is_reported_as_damaged(void **unused) {
    struct lt_state *state;
    struct leat_error err;
    FILE *file = fopen(path, "w");

    (void)unused;
    assert_non_null(file);
    for (int i = 0; i < 2000; i++)
        fputs("not a database ", file);
    fclose(file);
    assert_int_equal(lt_state_open(&state, path, &err), LEAT_E_CORRUPT);
    assert_null(state);
    assert_non_null(strstr(err.text, path));
}

static void state_in_a_folder_that_is_not_there_reads_as_empty_and_fails_to_write(void **unused) {
    char name[160];
    struct lt_state *state;
    struct leat_error err;

    (void)unused;
    snprintf(name, sizeof(name), "%s/none/state.db", dir);
    assert_int_equal(lt_state_open(&state, name, &err), LEAT_OK);
    assert_int_equal(count(state, "k"), 0);
    assert_int_equal(lt_state_set(state, "k", LT_LIT("n"), LT_LIT("x"), &err), LEAT_E_IO);
    assert_int_equal(lt_state_set(state, "k", LT_LIT("n"), LT_LIT("x"), &err), LEAT_E_IO);
    lt_state_close(state);
    lt_state_close(NULL);
}

static void state_an_arena_that_is_too_small_is_an_error_not_a_short_answer(void **unused) {
    static char big[5000];
    struct lt_state *state = open_state();
    struct lt_arena small;
    struct lt_slice body;
    struct lt_state_row *rows;
    struct leat_error err;
    size_t n;

    (void)unused;
    assert_int_equal(lt_state_set(state, "k", LT_LIT("n"), lt_slice(big, sizeof(big)), &err),
                     LEAT_OK);
    lt_arena_init(&small, 1000);
    assert_int_equal(lt_state_get(state, "k", LT_LIT("n"), &small, &body, &err), LEAT_E_NOMEM);
    assert_int_equal(lt_state_list(state, "k", LT_LIT(""), false, 9, &small, &rows, &n, &err),
                     LEAT_E_NOMEM);
    assert_int_equal(n, 0);
    lt_arena_deinit(&small);
    lt_state_close(state);
}

static void *write_from_thread(void *arg) {
    struct leat_error err;
    char name[32];

    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "%p-%d", (void *)&err, i);
        if (lt_state_set(arg, "k", lt_slice_str(name), LT_LIT("x"), &err) != LEAT_OK)
            return arg;
    }
    return NULL;
}

static void state_one_handle_serves_many_threads(void **unused) {
    struct lt_state *state = open_state();
    pthread_t threads[4];

    (void)unused;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_from_thread, state), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(count(state, "k"), 80);
    lt_state_close(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(state_reading_an_empty_folder_makes_no_file),
        TEST(state_documents_last_across_a_reopen),
        TEST(state_a_removed_document_is_gone_and_others_stay),
        TEST(state_names_and_bodies_are_any_bytes_even_none),
        TEST(state_lists_are_in_order_of_bytes_and_can_go_on),
        TEST(state_a_list_longer_than_its_first_room_is_whole),
        TEST(state_changes_are_made_all_or_none),
        TEST(state_a_handle_notices_that_another_made_the_file),
        TEST(state_a_file_that_is_there_but_empty_counts_as_none),
        TEST(state_processes_that_make_and_write_the_file_at_once_lose_nothing),
        TEST(state_what_was_set_before_a_kill_is_kept),
        TEST(state_a_write_that_finds_no_room_fails_and_harms_nothing),
        TEST(state_of_a_newer_leat_is_refused),
        TEST(state_a_file_that_is_something_else_is_reported_as_damaged),
        TEST(state_in_a_folder_that_is_not_there_reads_as_empty_and_fails_to_write),
        TEST(state_an_arena_that_is_too_small_is_an_error_not_a_short_answer),
        TEST(state_one_handle_serves_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
