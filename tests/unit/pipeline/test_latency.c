/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/latency.h"

static void latency_percentiles_are_within_an_eighth(void **state) {
    struct lt_latency latency = {0};

    (void)state;
    for (uint64_t us = 1; us <= 100000; us++)
        lt_latency_add(&latency, us, 1);
    assert_in_range(lt_latency_percentile(&latency, 50), 50000, 56250);
    assert_in_range(lt_latency_percentile(&latency, 99), 99000, 100000);
    assert_int_equal(lt_latency_percentile(&latency, 100), 100000);
    assert_int_equal(latency.n, 100000);
}

static void latency_of_nothing_is_zero(void **state) {
    struct lt_latency latency = {0};

    (void)state;
    assert_int_equal(lt_latency_percentile(&latency, 50), 0);
}

static void latency_keeps_values_beyond_its_last_bucket(void **state) {
    struct lt_latency latency = {0};

    (void)state;
    lt_latency_add(&latency, UINT64_MAX, 3);
    lt_latency_add(&latency, 0, 1);
    assert_int_equal(lt_latency_percentile(&latency, 1), 0);
    assert_int_equal(latency.max_us, UINT64_MAX);
    assert_true(lt_latency_percentile(&latency, 99) > 3600ull * 1000000);
}

static void latency_merge_adds_up(void **state) {
    struct lt_latency a = {0}, b = {0};

    (void)state;
    lt_latency_add(&a, 10, 99);
    lt_latency_add(&b, 5000, 1);
    lt_latency_merge(&a, &b);
    assert_int_equal(a.n, 100);
    assert_in_range(lt_latency_percentile(&a, 50), 10, 11);
    assert_int_equal(lt_latency_percentile(&a, 100), 5000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latency_percentiles_are_within_an_eighth),
        cmocka_unit_test(latency_of_nothing_is_zero),
        cmocka_unit_test(latency_keeps_values_beyond_its_last_bucket),
        cmocka_unit_test(latency_merge_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
