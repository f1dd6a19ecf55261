/* SPDX-License-Identifier: Apache-2.0 */
/* The process that runs libjq: what it gives, how it is stopped, what it may see. */
#include "kit.h"

#include "expr/remote.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_JOBS = 400 };

/* What came of each job: its values with blanks between them, then how it ended. */
struct answers {
    struct lt_buf texts[MAX_JOBS];
    const char *kill_at; /* the process is killed when this value comes */
    struct lt_remote *remote;
    const char *const *inputs;
    char messages[200];
};

static leat_status take_value(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                              struct leat_error *err) {
    struct answers *a = ctx;

    (void)err;
    lt_buf_printf(&a->texts[job], "%u:%.*s ", ask, LT_FMT(json));
    if (a->kill_at && lt_slice_eq_str(json, a->kill_at)) {
        kill(lt_remote_pid(a->remote), SIGKILL);
        a->kill_at = NULL;
    }
    return LEAT_OK;
}

static leat_status take_end(void *ctx, size_t job, const struct lt_remote_outcome *o,
                            struct leat_error *err) {
    static const char *const words[] = {"done", "error", "fault", "halt", "killed"};
    struct answers *a = ctx;

    (void)err;
    lt_buf_printf(&a->texts[job], "%s", words[o->end]);
    if (o->end != LT_REMOTE_DONE)
        lt_buf_printf(&a->texts[job], " %u %.*s", o->ask, LT_FMT(o->reason));
    if (o->end == LT_REMOTE_HALT)
        lt_buf_printf(&a->texts[job], " %d", o->code);
    return LEAT_OK;
}

static leat_status give_input(void *ctx, struct lt_slice *json, struct leat_error *err) {
    struct answers *a = ctx;

    (void)err;
    if (a->inputs && *a->inputs)
        *json = lt_slice_str(*a->inputs++);
    return LEAT_OK;
}

static void take_message(void *ctx, struct lt_slice json) {
    struct answers *a = ctx;

    snprintf(a->messages, sizeof(a->messages), "%.*s", LT_FMT(json));
}

static struct lt_remote *make(const char *text, bool for_people) {
    struct lt_expr_var var = {"v", LT_LIT("[7]")};
    struct lt_remote_program program = {
        .text = lt_slice_str(text), .vars = &var, .n_vars = 1, .for_people = for_people};
    struct lt_remote *remote;
    struct leat_error err;

    if (lt_remote_new(&remote, &program, &err) != LEAT_OK)
        fail_msg("%s", err.text);
    return remote;
}

/* Runs `n` jobs, one document each. */
static void run(struct lt_remote *remote, const struct lt_remote_ask *asks, uint32_t n_asks,
                const char *const *docs, size_t n, struct answers *a) {
    const struct lt_remote_sink sink = {a, take_value, take_end, give_input, take_message};
    struct lt_remote_job jobs[MAX_JOBS];
    struct leat_error err;

    a->remote = remote;
    for (size_t i = 0; i < n; i++) {
        lt_buf_init(&a->texts[i], 64 << 20);
        jobs[i] = (struct lt_remote_job){lt_slice_str(docs[i]), asks, n_asks};
    }
    if (lt_remote_run(remote, jobs, n, &sink, &err) != LEAT_OK)
        fail_msg("%s", err.text);
}

static void drop(struct answers *a, size_t n) {
    for (size_t i = 0; i < n; i++)
        lt_buf_deinit(&a->texts[i]);
}

static void expect(struct answers *a, size_t job, const char *text) {
    assert_string_equal(lt_buf_cstr(&a->texts[job]), text);
}

static void check_one(const char *text, bool for_people, const char *doc, const char *expected) {
    struct lt_remote *remote = make(text, for_people);
    const struct lt_remote_ask all = {.part = 0};
    struct answers a = {.inputs = (const char *const[]){"1", "[2]", NULL}};

    run(remote, &all, 1, &doc, 1, &a);
    expect(&a, 0, expected);
    drop(&a, 1);
    lt_remote_free(remote);
}

static void remote_gives_values_errors_and_faults(void **state) {
    (void)state;
    check_one(".[] | . + 1", false, "[1,2]", "0:2 0:3 done");
    check_one("empty", false, "[1,2]", "done");
    check_one("$v", false, "1", "0:[7] done");
    check_one("1, error(\"no\")", false, "1", "0:1 error 0 no");
    check_one("error({a: 1})", false, "1", "error 0 {\"a\":1}");
    check_one("1, nan", false, "1", "0:1 fault 0 gave a number that is not finite");
}

static void remote_for_people_asks_for_input_and_halts(void **state) {
    (void)state;
    check_one("., inputs", true, "0", "0:0 0:1 0:[2] done");
    check_one("input, input, (try input catch .)", true, "0", "0:1 0:[2] 0:\"break\" done");
    check_one("1, halt", true, "0", "0:1 halt 0  0");
    check_one("\"bye\" | halt_error(3)", true, "0", "halt 0 bye 3");
    check_one("nan", true, "0", "0:null done");
}

static void remote_tells_what_debug_says(void **state) {
    struct lt_remote *remote = make("debug", true);
    const struct lt_remote_ask all = {.part = 0};
    struct answers a = {.inputs = NULL};

    (void)state;
    run(remote, &all, 1, (const char *const[]){"{\"a\":1}"}, 1, &a);
    assert_string_equal(a.messages, "{\"a\":1}");
    drop(&a, 1);
    lt_remote_free(remote);
}

static void remote_asks_parts_in_order_until_one_settles_it(void **state) {
    struct lt_remote *remote = make("input as $i | if $i == 0 then .a elif $i == 1 then .b, 1, 2"
                                    " else error(\"x\") end",
                                    false);
    static const struct lt_remote_ask asks[] = {{0, 1, true}, {1, 2, false}, {2, 1, false}};
    static const char *const docs[] = {"{\"a\":1}", "{\"a\":null,\"b\":5}", "{\"a\":false}"};
    struct answers a = {.inputs = NULL};

    (void)state;
    run(remote, asks, 2, docs, 3, &a);
    expect(&a, 0, "0:1 done");
    expect(&a, 1, "0:null 1:5 1:1 done");
    expect(&a, 2, "0:false 1:null 1:1 done");
    drop(&a, 3);
    run(remote, asks, 3, docs + 1, 1, &a);
    expect(&a, 0, "0:null 1:5 1:1 error 2 x");
    drop(&a, 1);
    lt_remote_free(remote);
}

/* Every tenth document does what `bad` says: its outcome alone is another. */
static void check_survives(const char *text, int64_t max_ms, const char *reason) {
    struct lt_remote *remote = make(text, false);
    const struct lt_remote_ask all = {.part = 0};
    const char *docs[25];
    struct answers a = {.inputs = NULL};

    for (size_t i = 0; i < 25; i++)
        docs[i] = i % 10 == 3 ? "{\"bad\":true}" : "{\"n\":1}";
    lt_remote_set_limits(remote, max_ms, 64 << 20);
    run(remote, &all, 1, docs, 25, &a);
    for (size_t i = 0; i < 25; i++) {
        const char *got = lt_buf_cstr(&a.texts[i]);
        if (i % 10 != 3)
            assert_string_equal(got, "0:1 done");
        else if (!strstr(got, reason))
            fail_msg("%s: %s", text, got);
    }
    drop(&a, 25);
    lt_remote_free(remote);
}

static void remote_that_never_ends_is_stopped_and_the_others_are_answered(void **state) {
    (void)state;
    check_survives("if .bad then (def f: f; f) else .n end", 300,
                   "killed 0 took longer than 300 ms");
    /* within one C function of libjq, where it looks at nothing */
    check_survives("def twin: reduce range(60) as $i (1; [., .]);"
                   "if .bad then [twin == twin] else .n end",
                   300, "killed 0 took longer than 300 ms");
}

static void remote_that_eats_memory_is_stopped_and_the_others_are_answered(void **state) {
    (void)state;
    check_survives("if .bad then [range(1e9)] else .n end", 60000,
                   "killed 0 took more than 64 MiB of memory");
    check_survives("if .bad then \"x\" * 1e9 else .n end", 60000,
                   "killed 0 took more than 64 MiB of memory");
}

static void remote_that_crashes_is_that_documents_outcome(void **state) {
    (void)state;
    /* jq 1.6 aborts over a path that is too deep for its stack */
    check_survives("if .bad then (reduce range(300000) as $i (1; [.])) | length else .n end", 60000,
                   "killed 0 ");
}

static void remote_names_the_part_that_was_at_work(void **state) {
    struct lt_remote *remote =
        make("input as $i | if $i == 1 then (def f: f; f) else . end", false);
    static const struct lt_remote_ask asks[] = {{0, 2, false}, {1, 2, false}, {2, 2, false}};
    struct answers a = {.inputs = NULL};

    (void)state;
    lt_remote_set_limits(remote, 200, 0);
    run(remote, asks, 3, (const char *const[]){"1"}, 1, &a);
    assert_non_null(strstr(lt_buf_cstr(&a.texts[0]), "killed 1 took longer than 200 ms"));
    drop(&a, 1);
    lt_remote_free(remote);
}

static void remote_killed_from_outside_answers_everything_once(void **state) {
    struct lt_remote *remote = make(".n", false);
    const struct lt_remote_ask all = {.part = 0};
    static char texts[MAX_JOBS][20];
    const char *docs[MAX_JOBS];
    struct answers a = {.kill_at = "17"};

    (void)state;
    for (int i = 0; i < MAX_JOBS; i++) {
        snprintf(texts[i], sizeof(texts[i]), "{\"n\":%d}", i);
        docs[i] = texts[i];
    }
    run(remote, &all, 1, docs, MAX_JOBS, &a);
    for (size_t i = 0; i < MAX_JOBS; i++) {
        char expected[30];
        snprintf(expected, sizeof(expected), "0:%zu done", i);
        expect(&a, i, expected);
    }
    drop(&a, MAX_JOBS);

    kill(lt_remote_pid(remote), SIGKILL); /* in its sleep */
    waitpid(-1, NULL, WNOHANG | WNOWAIT);
    run(remote, &all, 1, docs, 3, &a);
    expect(&a, 2, "0:2 done");
    drop(&a, 3);
    lt_remote_free(remote);
}

static void remote_takes_documents_and_values_of_any_size(void **state) {
    struct lt_remote *remote = make("., .", false);
    const struct lt_remote_ask all = {.part = 0};
    enum { LEN = 3 << 20 };
    char *text = malloc(LEN + 1);
    struct answers a = {.inputs = NULL};
    const char *docs[3] = {text, "1", text};

    (void)state;
    assert_non_null(text);
    memset(text, 'x', LEN);
    text[0] = text[LEN - 1] = '"';
    text[LEN] = '\0';
    run(remote, &all, 1, docs, 3, &a);
    expect(&a, 1, "0:1 0:1 done");
    assert_int_equal(a.texts[0].len, 2 * (LEN + 3) + strlen("done"));
    assert_int_equal(a.texts[2].len, a.texts[0].len);
    drop(&a, 3);
    lt_remote_free(remote);
    free(text);
}

static leat_status refuse(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                          struct leat_error *err) {
    (void)ctx;
    (void)job;
    (void)ask;
    (void)json;
    return lt_fail(err, LEAT_E_FULL, 0, "full");
}

static void error_of_the_sink_ends_an_endless_run_and_the_next_one_is_clean(void **state) {
    struct lt_remote *remote = make("if . then repeat(1) else 5 end", false);
    const struct lt_remote_ask all = {.part = 0};
    struct answers a = {.inputs = NULL};
    const struct lt_remote_sink sink = {&a, refuse, take_end, NULL, NULL};
    const struct lt_remote_job job = {LT_LIT("true"), &all, 1};
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_remote_run(remote, &job, 1, &sink, &err), LEAT_E_FULL);
    run(remote, &all, 1, (const char *const[]){"false"}, 1, &a);
    expect(&a, 0, "0:5 done");
    drop(&a, 1);
    lt_remote_free(remote);
}

static void complain(void *ctx, struct lt_slice message) {
    lt_buf_append(ctx, message);
}

static void remote_that_does_not_compile_tells_jqs_words(void **state) {
    struct lt_remote *remote = make("nosuch", false);
    struct leat_error err;
    struct lt_buf words;

    (void)state;
    lt_buf_init(&words, 10000);
    assert_int_equal(lt_remote_start(remote, complain, &words, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(lt_buf_cstr(&words), "nosuch/0 is not defined at <top-level>, line 1"));
    lt_buf_deinit(&words);
    lt_remote_free(remote);
}

static void program_that_is_not_leat_is_an_error_that_says_so(void **state) {
    static const char *const others[] = {"/bin/true", "/nonexistent/leat"};
    struct lt_remote *remote = make(".", false);
    char *real = strdup(getenv("LEAT_EXECUTABLE"));
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        setenv("LEAT_EXECUTABLE", others[i], 1);
        assert_int_equal(lt_remote_start(remote, NULL, NULL, &err), LEAT_E_UNSUPPORTED);
        assert_non_null(strstr(err.text, "the process that runs libjq"));
        assert_int_equal(lt_remote_pid(remote), 0);
    }
    setenv("LEAT_EXECUTABLE", real, 1);
    assert_int_equal(lt_remote_start(remote, NULL, NULL, &err), LEAT_OK);
    free(real);
    lt_remote_free(remote);
}

/* The bytes of /proc/PID/NAME. */
static size_t read_proc(int pid, const char *name, char *out, size_t cap) {
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, cap);
    close(fd);
    assert_true(n >= 0);
    return (size_t)n;
}

static void remote_shows_no_secret_and_holds_no_descriptor_of_ours(void **state) {
    char text[64 << 10], path[64];
    struct leat_error err;

    (void)state;
    setenv("SPOTIFY_CLIENT_SECRET", "hunter2", 1);
    int ours = open("/dev/null", O_RDONLY); /* not even marked as to be closed */
    struct lt_remote *remote = make("\"hunter2\"", false);
    assert_int_equal(lt_remote_start(remote, NULL, NULL, &err), LEAT_OK);
    int pid = lt_remote_pid(remote);
    size_t n = read_proc(pid, "environ", text, sizeof(text));
    assert_null(n ? memmem(text, n, "hunter2", 7) : NULL);
    n = read_proc(pid, "cmdline", text, sizeof(text));
    assert_int_equal(n, sizeof("leat\0libjq-helper"));
    assert_memory_equal(text, "leat\0libjq-helper", n);
    n = read_proc(pid, "comm", text, sizeof(text));
    assert_memory_equal(text, "leat-libjq\n", n);
    for (int fd = 5; fd < 40; fd++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_int_not_equal(getpgid(pid), getpgid(0));
    close(ours);
    lt_remote_free(remote);
    unsetenv("SPOTIFY_CLIENT_SECRET");
    assert_int_equal(kill(pid, 0), -1);
}

static void remote_for_people_sees_the_environment(void **state) {
    (void)state;
    setenv("LEAT_TEST_VALUE", "seen", 1);
    check_one("env.LEAT_TEST_VALUE, $ENV.LEAT_TEST_VALUE", true, "1", "0:\"seen\" 0:\"seen\" done");
    check_one("env.LEAT_TEST_VALUE", false, "1", "0:null done");
    unsetenv("LEAT_TEST_VALUE");
}

/* A process that is at work for ever ends when its parent is killed. */
static void remote_ends_with_its_parent_even_at_work(void **state) {
    int out[2], pid = 0;
    char byte;

    (void)state;
    assert_int_equal(pipe(out), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct lt_remote *remote = make("def f: f; f", false);
        const struct lt_remote_ask all = {.part = 0};
        struct answers a = {.inputs = NULL};
        struct leat_error err;
        if (lt_remote_start(remote, NULL, NULL, &err) != LEAT_OK)
            _exit(1);
        pid = lt_remote_pid(remote);
        if (write(out[1], &pid, sizeof(pid)) != sizeof(pid))
            _exit(1);
        run(remote, &all, 1, (const char *const[]){"1"}, 1, &a);
        _exit(0);
    }
    assert_int_equal(read(out[0], &pid, sizeof(pid)), sizeof(pid));
    usleep(50000); /* into the endless run, most likely; right either way */
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    close(out[1]);
    for (int i = 0; i < 2000; i++) {
        char stat[512];
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        FILE *file = fopen(path, "r");
        if (!file)
            break;
        bool dead = fgets(stat, sizeof(stat), file) && strstr(stat, ") Z ");
        fclose(file);
        if (dead)
            break;
        assert_true(i < 1999);
        usleep(5000);
    }
    assert_int_equal(read(out[0], &byte, 1), 0);
    close(out[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remote_gives_values_errors_and_faults),
        cmocka_unit_test(remote_for_people_asks_for_input_and_halts),
        cmocka_unit_test(remote_tells_what_debug_says),
        cmocka_unit_test(remote_asks_parts_in_order_until_one_settles_it),
        cmocka_unit_test(remote_that_never_ends_is_stopped_and_the_others_are_answered),
        cmocka_unit_test(remote_that_eats_memory_is_stopped_and_the_others_are_answered),
        cmocka_unit_test(remote_that_crashes_is_that_documents_outcome),
        cmocka_unit_test(remote_names_the_part_that_was_at_work),
        cmocka_unit_test(remote_killed_from_outside_answers_everything_once),
        cmocka_unit_test(remote_takes_documents_and_values_of_any_size),
        cmocka_unit_test(error_of_the_sink_ends_an_endless_run_and_the_next_one_is_clean),
        cmocka_unit_test(remote_that_does_not_compile_tells_jqs_words),
        cmocka_unit_test(program_that_is_not_leat_is_an_error_that_says_so),
        cmocka_unit_test(remote_shows_no_secret_and_holds_no_descriptor_of_ours),
        cmocka_unit_test(remote_for_people_sees_the_environment),
        cmocka_unit_test(remote_ends_with_its_parent_even_at_work),
    };
    return cmocka_run_group_tests_name("expr remote", tests, NULL, NULL);
}
