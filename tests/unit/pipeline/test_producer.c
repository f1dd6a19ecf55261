/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/producer.h"
#include "json/json.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* A stream service that takes puts, some records of them only at a second try. */
static struct {
    struct lt_stream_service service;
    uv_loop_t loop;
    unsigned throttle_each; /* this many-th record of all is throttled; 0: none */
    leat_status fail_with;  /* whole calls fail */
    uint64_t answer_ms;
    unsigned n_calls, n_seen, n_under_way, n_under_way_most;
    size_t largest_n, largest_bytes;
    char *taken; /* the taken records, a line each */
    size_t taken_len, taken_cap;
} fake;

struct later {
    uv_timer_t timer;
    const struct lt_stream_put *records;
    size_t n;
    lt_stream_put_done *done;
    void *ctx;
};

static void take(struct lt_slice data) {
    if (fake.taken_len + data.len + 2 > fake.taken_cap) {
        fake.taken_cap = (fake.taken_len + data.len + 2) * 2;
        fake.taken = realloc(fake.taken, fake.taken_cap);
    }
    memcpy(fake.taken + fake.taken_len, data.data, data.len);
    fake.taken_len += data.len;
    fake.taken[fake.taken_len++] = '\n';
    fake.taken[fake.taken_len] = '\0';
}

static void free_later(uv_handle_t *handle) {
    free(handle->data);
}

static void answer(uv_timer_t *timer) {
    struct later *later = timer->data;
    struct lt_stream_put_result *results = calloc(later->n, sizeof(*results));
    struct leat_error err;

    fake.n_under_way--;
    for (size_t i = 0; i < later->n && fake.fail_with == LEAT_OK; i++) {
        fake.n_seen++;
        if (fake.throttle_each && fake.n_seen % fake.throttle_each == 0)
            results[i].status = LEAT_E_THROTTLED;
        else
            take(later->records[i].data);
    }
    if (fake.fail_with != LEAT_OK)
        later->done(later->ctx, lt_fail(&err, fake.fail_with, 0, "it does not work"), NULL,
                    later->n, &err);
    else
        later->done(later->ctx, LEAT_OK, results, later->n, NULL);
    free(results);
    uv_close((uv_handle_t *)timer, free_later);
}

static leat_status put(struct lt_stream_service *s, const char *stream,
                       const struct lt_stream_put *records, size_t n, lt_stream_put_done *done,
                       void *ctx, struct leat_error *err) {
    struct later *later = malloc(sizeof(*later));
    size_t bytes = 0;

    (void)s;
    (void)err;
    assert_string_equal(stream, "out");
    for (size_t i = 0; i < n; i++)
        bytes += records[i].key.len + records[i].data.len;
    fake.largest_n = n > fake.largest_n ? n : fake.largest_n;
    fake.largest_bytes = bytes > fake.largest_bytes ? bytes : fake.largest_bytes;
    fake.n_calls++;
    if (++fake.n_under_way > fake.n_under_way_most)
        fake.n_under_way_most = fake.n_under_way;
    *later = (struct later){.records = records, .n = n, .done = done, .ctx = ctx};
    uv_timer_init(&fake.loop, &later->timer);
    later->timer.data = later;
    uv_timer_start(&later->timer, answer, fake.answer_ms, 0);
    return LEAT_OK;
}

static const struct lt_stream_ops ops = {.kind = "fake", .put = put};

/* ---- the input ---- */

struct input {
    char *text;
    size_t len;
    int fd;
};

static void *feed(void *arg) {
    struct input *input = arg;
    for (size_t at = 0; at < input->len;) {
        ssize_t n = write(input->fd, input->text + at, input->len - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    close(input->fd);
    return NULL;
}

static leat_status produce_from(int fd, struct lt_produce_options opt, struct lt_produce_stat *stat,
                                struct leat_error *err) {
    fake.service.ops = &ops;
    fake.n_calls = fake.n_seen = fake.n_under_way_most = 0;
    fake.largest_n = fake.largest_bytes = fake.taken_len = 0;
    uv_loop_init(&fake.loop);
    opt.service = &fake.service;
    opt.loop = &fake.loop;
    opt.stream = "out";
    opt.fd = fd;
    opt.name = "the test";
    leat_status status = lt_produce(&opt, stat, err);
    close(fd);
    assert_int_equal(fake.n_under_way, 0);
    uv_run(&fake.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fake.loop), 0);
    return status;
}

/* Through a pipe. */
static leat_status produce(char *text, size_t len, struct lt_produce_options opt,
                           struct lt_produce_stat *stat, struct leat_error *err) {
    struct input input = {.text = text, .len = len};
    pthread_t thread;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    input.fd = fds[1];
    assert_int_equal(pthread_create(&thread, NULL, feed, &input), 0);
    leat_status status = produce_from(fds[0], opt, stat, err);
    pthread_join(thread, NULL);
    return status;
}

/* From a file. */
static leat_status produce_file(const char *text, size_t len, struct lt_produce_stat *stat,
                                struct leat_error *err) {
    char path[] = "/tmp/leat-producer-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return produce_from(fd, (struct lt_produce_options){0}, stat, err);
}

enum { N = 8000, FEW = 13 };

/* N lines over so many keys, numbered. The caller frees them. */
static char *make_lines(size_t pad, int n_keys, size_t *len) {
    char *text = malloc(N * (pad + 64));

    *len = 0;
    for (int i = 0; i < N; i++)
        *len += (size_t)sprintf(text + *len, "{\"id\":\"k%d\",\"n\":%d,\"pad\":\"%0*d\"}\n",
                                i % n_keys, i, (int)pad, 0);
    return text;
}

/* Each line was taken once, and those of a key in their order. */
static void check_taken(int n_keys) {
    static int last[N];
    int n = 0;

    for (int k = 0; k < n_keys; k++)
        last[k] = -1;
    for (char *line = strtok(fake.taken, "\n"); line; line = strtok(NULL, "\n"), n++) {
        int key = -1, number = -1;
        assert_int_equal(sscanf(line, "{\"id\":\"k%d\",\"n\":%d", &key, &number), 2);
        assert_int_equal(number % n_keys, key);
        assert_int_equal(number, last[key] < 0 ? key : last[key] + n_keys);
        last[key] = number;
    }
    assert_int_equal(n, N);
}

static void calls_stay_within_the_limits_and_several_are_under_way(void **state) {
    struct lt_produce_stat stat;
    struct leat_error err;
    size_t len;
    char *text = make_lines(100, N, &len);

    (void)state;
    assert_int_equal(produce_file(text, len, &stat, &err), LEAT_OK);
    assert_int_equal(stat.n_lines, N);
    assert_int_equal(stat.n_records, N);
    assert_int_equal(stat.n_bytes, len - N);
    /* how full a call gets depends on how fast the file is read: only that records travel together
     */
    assert_in_range(fake.largest_n, 2, LT_STREAM_PUT_MAX_RECORDS);
    assert_true(fake.n_under_way_most > 1);
    check_taken(N);
    free(text);
    text = make_lines(20000, N, &len);
    fake.answer_ms = 100; /* so that they fill */
    assert_int_equal(produce_file(text, len, &stat, &err), LEAT_OK);
    fake.answer_ms = 0;
    assert_in_range(fake.largest_bytes, 40000, LT_STREAM_PUT_MAX_BYTES);
    check_taken(N);
    free(text);
}

static void throttled_records_are_sent_again_alone_and_their_keys_keep_their_order(void **state) {
    struct lt_produce_stat stat;
    struct leat_error err;
    size_t len;
    char *text = make_lines(10, FEW, &len);

    (void)state;
    fake.throttle_each = 997;
    assert_int_equal(produce(text, len, (struct lt_produce_options){0}, &stat, &err), LEAT_OK);
    fake.throttle_each = 0;
    assert_int_equal(stat.n_records, N);
    assert_in_range(stat.n_retries, N / 997, N);
    check_taken(FEW);
    free(text);
}

static void a_service_that_refuses_ends_it_with_its_reason(void **state) {
    struct lt_produce_stat stat;
    struct leat_error err;
    size_t len;
    char *text = make_lines(100, FEW, &len);

    (void)state;
    fake.fail_with = LEAT_E_AUTH;
    assert_int_equal(produce(text, len, (struct lt_produce_options){0}, &stat, &err), LEAT_E_AUTH);
    fake.fail_with = LEAT_OK;
    assert_non_null(strstr(err.text, "it does not work"));
    assert_int_equal(stat.n_records, 0);
    free(text);
}

/* ---- lines that are no record ---- */

struct skipped {
    uint64_t lines[16];
    size_t n;
};

static void on_skip(void *ctx, uint64_t line, const char *why) {
    struct skipped *skipped = ctx;
    assert_true(strlen(why) > 5);
    skipped->lines[skipped->n++] = line;
}

static void a_line_longer_than_any_record_is_dropped_as_it_comes_and_counted(void **state) {
    static const size_t sizes[] = {(1 << 20) + 1, (2 << 20) - 1, 9 << 20};
    struct lt_produce_stat stat;
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        for (int last = 0; last < 2; last++) { /* within the input, and without a line end */
            struct skipped skipped = {.n = 0};
            const struct lt_produce_options skip = {
                .skip = true, .on_skip = on_skip, .ctx = &skipped};
            char *text = malloc(sizes[i] + 64);
            size_t len = (size_t)sprintf(text, "{\"id\":1}\n");
            memset(text + len, 'x', sizes[i]);
            len += sizes[i];
            if (!last)
                len += (size_t)sprintf(text + len, "\n{\"id\":2}\nbad\n{\"id\":3}");
            assert_int_equal(produce(text, len, skip, &stat, &err), LEAT_OK);
            assert_int_equal(stat.n_records, last ? 1 : 3);
            assert_int_equal(skipped.n, last ? 1 : 2);
            assert_int_equal(skipped.lines[0], 2);
            if (!last)
                assert_int_equal(skipped.lines[1], 4);
            leat_status status = produce(text, len, (struct lt_produce_options){0}, &stat, &err);
            assert_int_equal(status, sizes[i] > 4 << 20 ? LEAT_E_LIMIT : LEAT_E_PARSE);
            assert_non_null(strstr(err.text, "line 2 of the test"));
            assert_int_equal(stat.n_records, 1);
            free(text);
        }
    }
}

/* ---- keys ---- */

static void keys_of_records(void **state) {
    static const struct {
        const char *record, *key; /* NULL: a random one */
    } rows[] = {
        {"{\"session_id\":\"s\",\"id\":\"i\"}", "s"},
        {"{\"id\":\"i\"}", "i"},
        {"{\"session_id\":null,\"id\":1.50}", "1.50"},
        {"{\"session_id\":false,\"id\":true}", "true"},
        {"{\"session_id\":{\"a\": 1}}", "{\"a\": 1}"},
        {"{\"session_id\":\"a\\nb\\u00e9\"}", "a\nb\xc3\xa9"},
        {"{\"session_id\":\"one\",\"session_id\":\"two\"}", "two"},
        {"{\"session_id\":\"\",\"id\":\"i\"}", "i"},
        {"{}", NULL},
        {"{\"id\":null}", NULL},
        {"[1]", NULL},
        {"\"text\"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lt_arena arena;
        struct leat_error err;
        struct lt_slice key, again;
        lt_arena_init(&arena, 1 << 20);
        assert_int_equal(lt_produce_key(NULL, lt_slice_str(rows[i].record), &arena, &key, &err),
                         LEAT_OK);
        assert_int_equal(lt_produce_key(NULL, lt_slice_str(rows[i].record), &arena, &again, &err),
                         LEAT_OK);
        assert_int_equal(lt_slice_eq(key, again), rows[i].key != NULL);
        if (rows[i].key)
            assert_true(lt_slice_eq_str(key, rows[i].key));
        else
            assert_int_equal(key.len, 32);
        lt_arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_stay_within_the_limits_and_several_are_under_way),
        cmocka_unit_test(throttled_records_are_sent_again_alone_and_their_keys_keep_their_order),
        cmocka_unit_test(a_service_that_refuses_ends_it_with_its_reason),
        cmocka_unit_test(a_line_longer_than_any_record_is_dropped_as_it_comes_and_counted),
        cmocka_unit_test(keys_of_records),
    };
    signal(SIGPIPE, SIG_IGN);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    free(fake.taken);
    return rc;
}
