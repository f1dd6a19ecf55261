/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/limit.h"

/* How many requests go out from `from_ms` for `ms`, when whoever asks waits as it is told. */
static unsigned run(struct lt_rest_budget *budget, int64_t from_ms, int64_t ms) {
    unsigned n = 0;
    for (int64_t now = from_ms; now < from_ms + ms;) {
        int64_t wait = lt_rest_budget_take(budget, now);
        n += wait == 0;
        assert_true(wait >= 0);
        now += wait;
    }
    return n;
}

static void a_rate_is_kept_without_bursts(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 10, 1000);
    assert_in_range(run(&budget, 1000, 1000), 10, 11);
    assert_in_range(run(&budget, 2000, 10000), 100, 101);
    /* An hour without requests saves up nothing. */
    assert_in_range(run(&budget, 3612000, 1000), 10, 11);

    lt_rest_budget_init(&budget, 1000, 0);
    assert_in_range(run(&budget, 0, 1000), 999, 1001);
    assert_in_range(run(&budget, 60000, 1000), 1000, 1101);

    lt_rest_budget_init(&budget, 5000.0 / 3600, 0);
    assert_in_range(run(&budget, 0, 3600000), 4999, 5002);
}

static void without_a_rate_nothing_waits(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 0, 0);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(lt_rest_budget_take(&budget, 5), 0);
}

static void a_pause_holds_the_whole_host_and_the_longest_counts(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 0, 0);
    lt_rest_budget_pause(&budget, 1000, 5000);
    lt_rest_budget_pause(&budget, 1000, 2000);
    lt_rest_budget_pause(&budget, 1000, 0);
    assert_int_equal(lt_rest_budget_take(&budget, 1000), 5000);
    assert_int_equal(lt_rest_budget_take(&budget, 5999), 1);
    assert_int_equal(lt_rest_budget_take(&budget, 6000), 0);
}

static void too_many_halves_the_pace_once_for_all_that_were_under_way(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 100, 0);
    run(&budget, 0, 2000);
    for (int i = 0; i < 16; i++)
        lt_rest_budget_slow(&budget, 1990, 2000 + i);
    assert_in_range(run(&budget, 2016, 1000), 49, 51);
    lt_rest_budget_slow(&budget, 2999, 3016);
    assert_in_range(run(&budget, 3016, 999), 26, 29); /* it had risen to 55 */
}

static void the_pace_rises_slowly_and_no_further_than_the_rate(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 100, 0);
    lt_rest_budget_slow(&budget, 1, 2);
    run(&budget, 2, 1000);
    unsigned early = run(&budget, 1002, 1000);
    run(&budget, 2002, 3000);
    unsigned later = run(&budget, 5002, 1000);
    assert_in_range(early, 52, 58);
    assert_in_range(later, 72, 78);
    run(&budget, 6002, 60000);
    assert_in_range(run(&budget, 66002, 1000), 99, 101);
}

static void a_host_without_a_rate_is_slowed_to_half_of_what_it_was_sent(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 0, 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(lt_rest_budget_take(&budget, 1000 + i * 5), 0);
    lt_rest_budget_slow(&budget, 1990, 2000);
    assert_in_range(run(&budget, 2000, 1000), 99, 101);
    run(&budget, 3000, 60000);
    assert_true(run(&budget, 63000, 1000) > 300); /* it goes on rising */
}

static void too_many_in_the_first_moment_does_not_slow_a_long_run(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 0, 0);
    assert_int_equal(lt_rest_budget_take(&budget, 0), 0);
    lt_rest_budget_slow(&budget, 0, 5);
    assert_in_range(run(&budget, 5, 1000), 9, 11);
    lt_rest_budget_slow(&budget, 1005, 1006);
    lt_rest_budget_slow(&budget, 1007, 1008);
    assert_true(run(&budget, 1008, 60000) > 900);
}

static void a_pace_that_was_cut_down_again_and_again_recovers_as_fast_as_ever(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 0, 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(lt_rest_budget_take(&budget, 1000 + i), 0);
    for (int64_t now = 2000; now < 2010; now++)
        lt_rest_budget_slow(&budget, now - 1, now);
    assert_in_range(run(&budget, 2010, 1000), 0, 55);
    run(&budget, 3010, 50000);
    assert_true(run(&budget, 53010, 1000) > 900);
}

static void a_host_that_always_says_too_many_is_still_asked(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 10, 0);
    for (int64_t now = 1; now < 100; now++)
        lt_rest_budget_slow(&budget, now, now);
    assert_in_range(lt_rest_budget_take(&budget, 100), 1, 5000);
    assert_in_range(run(&budget, 100, 10000), 2, 60);
}

static void after_a_pause_requests_start_one_by_one(void **state) {
    struct lt_rest_budget budget;
    (void)state;
    lt_rest_budget_init(&budget, 100, 0);
    lt_rest_budget_slow(&budget, 1, 1000);
    lt_rest_budget_pause(&budget, 1000, 60000);
    assert_int_equal(lt_rest_budget_take(&budget, 1000), 60000);
    assert_in_range(run(&budget, 61000, 100), 4, 6);
}

static void retry_after_is_seconds_or_a_date(void **state) {
    static const struct {
        const char *text;
        int64_t ms; /* -1: neither */
    } rows[] = {
        {"0", 0},
        {"1", 1000},
        {"120", 120000},
        {"0.5", 500},
        {"99999999999999999999", 1000000000000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 37000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 37000},
        {"Sun Nov  6 08:49:37 1994", 37000},
        {"Sat, 05 Nov 1994 08:49:37 GMT", 0},
        {"", -1},
        {"-1", -1},
        {"soon", -1},
        {"1e9", -1},
        {"12 s", -1},
        {"1.2.3", -1},
        {"Sun, 06 Nov 1994 08:49:37 CET", -1},
        {"Sun, 06 Xxx 1994 08:49:37 GMT", -1},
        {"Sun, 06 anF 1994 08:49:37 GMT", -1},
        {"Sun, 46 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT and a very long tail that is no part of a date", -1},
    };
    const int64_t wall_ms = 784111740000; /* 08:49:00 on that day */
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;
        bool ok = lt_rest_retry_after(lt_slice_str(rows[i].text), wall_ms, &ms);
        assert_int_equal(ok, rows[i].ms >= 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_kept_without_bursts),
        cmocka_unit_test(without_a_rate_nothing_waits),
        cmocka_unit_test(a_pause_holds_the_whole_host_and_the_longest_counts),
        cmocka_unit_test(too_many_halves_the_pace_once_for_all_that_were_under_way),
        cmocka_unit_test(the_pace_rises_slowly_and_no_further_than_the_rate),
        cmocka_unit_test(a_host_without_a_rate_is_slowed_to_half_of_what_it_was_sent),
        cmocka_unit_test(too_many_in_the_first_moment_does_not_slow_a_long_run),
        cmocka_unit_test(a_pace_that_was_cut_down_again_and_again_recovers_as_fast_as_ever),
        cmocka_unit_test(a_host_that_always_says_too_many_is_still_asked),
        cmocka_unit_test(after_a_pause_requests_start_one_by_one),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
