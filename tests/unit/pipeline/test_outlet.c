/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/outlet.h"

/* A stream service whose puts are answered by a script: one string a call, one letter a record:
 * '.' taken, 't' throttled, 'i' invalid; a call "T" throttles whole, "I" is invalid whole, "A" is
 * not allowed; a call "!" is refused as invalid before it begins. */
struct fake {
    struct lt_stream_service service;
    uv_loop_t loop;
    uv_idle_t later;
    const char *const *script;
    size_t n_calls;
    char log[4096]; /* the data of all records of all calls, calls ended by '|' */
    size_t n;
    lt_stream_put_done *done;
    void *ctx;
    char acknowledged[1024];
    char refused[1024];
    size_t n_retried;
    leat_status failed;
};

static struct fake fake;
static struct lt_outlet outlet;

static void answer(uv_idle_t *idle) {
    const char *line = fake.script[fake.n_calls - 1];
    struct lt_stream_put_result results[LT_STREAM_PUT_MAX_RECORDS] = {0};
    struct leat_error err;
    leat_status status = LEAT_OK;

    uv_idle_stop(idle);
    if (*line == 'T')
        status = lt_fail(&err, LEAT_E_THROTTLED, 0, "slow down");
    if (*line == 'I')
        status = lt_fail(&err, LEAT_E_INVALID, 0, "a record is invalid");
    if (*line == 'A')
        status = lt_fail(&err, LEAT_E_AUTH, 0, "not allowed");
    for (size_t i = 0; i < fake.n && status == LEAT_OK; i++)
        results[i].status = line[i] == 't'   ? LEAT_E_THROTTLED
                            : line[i] == 'i' ? LEAT_E_INVALID
                                             : LEAT_OK;
    bool told = status == LEAT_OK && fake.service.ops->put_bulk == NULL;
    fake.done(fake.ctx, status, told ? results : NULL, fake.n, &err);
}

static leat_status put(struct lt_stream_service *s, const char *stream,
                       const struct lt_stream_put *records, size_t n, lt_stream_put_done *done,
                       void *ctx, struct leat_error *err) {
    (void)s;
    assert_string_equal(stream, "out");
    for (size_t i = 0; i < n; i++)
        strncat(fake.log, records[i].data.data, records[i].data.len);
    strcat(fake.log, "|");
    fake.n_calls++;
    fake.n = n;
    fake.done = done;
    fake.ctx = ctx;
    if (*fake.script[fake.n_calls - 1] == '!')
        return lt_fail(err, LEAT_E_INVALID, 0, "not even begun");
    uv_idle_start(&fake.later, answer);
    return LEAT_OK;
}

static const struct lt_stream_ops ops = {.kind = "fake", .put = put};
/* As an engine in the same process: all or none, without results. */
static const struct lt_stream_ops bulk_ops = {.kind = "near", .put_bulk = put};

static void on_acknowledged(void *ctx, size_t route, const struct lt_item *items, size_t n) {
    (void)ctx;
    assert_int_equal(route, 7);
    for (size_t i = 0; i < n; i++)
        strncat(fake.acknowledged, items[i].data.data, items[i].data.len);
}

static void on_refused(void *ctx, size_t route, const struct lt_item *item,
                       const struct leat_error *err) {
    (void)ctx;
    (void)route;
    assert_true(err->text[0] != '\0');
    strncat(fake.refused, item->data.data, item->data.len);
}

static void on_failed(void *ctx, const struct leat_error *err) {
    (void)ctx;
    fake.failed = err->status;
}

static void on_retried(void *ctx, size_t route, size_t n) {
    (void)ctx;
    (void)route;
    fake.n_retried += n;
}

static const struct lt_outlet_events events = {on_acknowledged, on_refused, on_failed, on_retried};

/* Sends records whose data are the letters of `data` and whose keys are those of `keys`. */
static void run_on(const struct lt_stream_ops *kind, const char *data, const char *keys,
                   bool atomic_put, const char *const *script) {
    struct leat_error err;

    fake = (struct fake){.service = {.ops = kind, .atomic_put = atomic_put}, .script = script};
    assert_int_equal(uv_loop_init(&fake.loop), 0);
    uv_idle_init(&fake.loop, &fake.later);
    assert_int_equal(
        lt_outlet_init(&outlet, &fake.service, &fake.loop, "out", 7, &events, NULL, &err), LEAT_OK);
    for (size_t i = 0; data[i]; i++) {
        const struct lt_item item = {.key = lt_slice(keys + i, 1), .data = lt_slice(data + i, 1)};
        assert_int_equal(lt_outlet_push(&outlet, &item, &err), LEAT_OK);
    }
    lt_outlet_send(&outlet);
    uv_run(&fake.loop, UV_RUN_DEFAULT);
    lt_outlet_stop(&outlet);
    uv_close((uv_handle_t *)&fake.later, NULL);
    uv_run(&fake.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fake.loop), 0);
    lt_outlet_deinit(&outlet);
}

static void run(const char *data, const char *keys, bool atomic_put, const char *const *script) {
    run_on(&ops, data, keys, atomic_put, script);
}

static void outlet_takes_an_answer_without_results_for_all_of_a_bulk_call(void **state) {
    const char *const script[] = {"T", "I", ".", "I", ".", "."};
    (void)state;
    run_on(&bulk_ops, "abcd", "1234", true, script);
    assert_string_equal(fake.log, "abcd|abcd|a|b|c|d|");
    assert_string_equal(fake.acknowledged, "acd");
    assert_string_equal(fake.refused, "b");
    assert_int_equal(fake.n_retried, 4);
}

static void outlet_sends_failed_records_alone_again(void **state) {
    const char *const script[] = {".t.t", "t.", "."};
    (void)state;
    run("abcd", "1234", true, script);
    assert_string_equal(fake.log, "abcd|bd|b|");
    assert_string_equal(fake.acknowledged, "acdb");
    assert_int_equal(fake.n_retried, 3);
}

static void outlet_keeps_the_order_of_a_key_where_puts_are_not_whole(void **state) {
    const char *const script[] = {"t.", "..", "."};
    (void)state;
    /* c has a's key: it waits until a is taken */
    run("abc", "121", false, script);
    assert_string_equal(fake.log, "ab|a|c|");
    assert_string_equal(fake.acknowledged, "bac");
}

static void outlet_sends_one_by_one_to_find_the_record_that_is_refused(void **state) {
    const char *const script[] = {"I", ".", "I", "."};
    (void)state;
    run("abc", "123", true, script);
    assert_string_equal(fake.log, "abc|a|b|c|");
    assert_string_equal(fake.acknowledged, "ac");
    assert_string_equal(fake.refused, "b");
    assert_int_equal(fake.failed, LEAT_OK);
}

static void outlet_goes_on_after_a_call_that_did_not_begin(void **state) {
    const char *const script[] = {"!", "!", ".", "!"};
    (void)state;
    run("abc", "123", true, script);
    assert_string_equal(fake.log, "abc|a|b|c|");
    assert_string_equal(fake.acknowledged, "b");
    assert_string_equal(fake.refused, "ac");
}

static void outlet_refuses_a_record_that_its_result_calls_invalid(void **state) {
    const char *const script[] = {".i."};
    (void)state;
    run("abc", "123", true, script);
    assert_string_equal(fake.acknowledged, "ac");
    assert_string_equal(fake.refused, "b");
}

static void outlet_tries_a_throttled_call_again_whole(void **state) {
    const char *const script[] = {"T", "T", "..."};
    (void)state;
    run("abc", "123", true, script);
    assert_string_equal(fake.log, "abc|abc|abc|");
    assert_string_equal(fake.acknowledged, "abc");
}

static void outlet_stops_for_good_where_it_is_not_allowed(void **state) {
    const char *const script[] = {"A"};
    (void)state;
    run("abc", "123", true, script);
    assert_string_equal(fake.log, "abc|");
    assert_string_equal(fake.acknowledged, "");
    assert_int_equal(fake.failed, LEAT_E_AUTH);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlet_takes_an_answer_without_results_for_all_of_a_bulk_call),
        cmocka_unit_test(outlet_sends_failed_records_alone_again),
        cmocka_unit_test(outlet_keeps_the_order_of_a_key_where_puts_are_not_whole),
        cmocka_unit_test(outlet_sends_one_by_one_to_find_the_record_that_is_refused),
        cmocka_unit_test(outlet_goes_on_after_a_call_that_did_not_begin),
        cmocka_unit_test(outlet_refuses_a_record_that_its_result_calls_invalid),
        cmocka_unit_test(outlet_tries_a_throttled_call_again_whole),
        cmocka_unit_test(outlet_stops_for_good_where_it_is_not_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
