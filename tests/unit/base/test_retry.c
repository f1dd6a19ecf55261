/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/retry.h"

static struct leat_error error_of(leat_status status, long retry_after_ms) {
    struct leat_error err = {.status = status, .retry_after_ms = retry_after_ms};
    return err;
}

static void retry_stops_after_the_policys_attempts(void **state) {
    struct leat_error err = error_of(LEAT_E_NETWORK, 0);
    struct lt_retry retry = {.policy = &lt_retry_default};
    int64_t wait_ms = -1;

    (void)state;
    for (unsigned i = 1; i < lt_retry_default.max_attempts; i++)
        assert_true(lt_retry_next(&retry, &err, &wait_ms));
    assert_false(lt_retry_next(&retry, &err, &wait_ms));
    assert_false(lt_retry_next(&retry, &err, &wait_ms));
}

static void retry_does_not_repeat_what_cannot_succeed(void **state) {
    struct leat_error err = error_of(LEAT_E_INVALID, 5000);
    struct lt_retry retry = {.policy = &lt_retry_default};
    int64_t wait_ms;

    (void)state;
    assert_false(lt_retry_next(&retry, &err, &wait_ms));
}

static void retry_waits_grow_to_the_cap_and_are_spread(void **state) {
    static const struct lt_retry_policy policy = {
        .max_attempts = 0, .base_ms = 100, .cap_ms = 1000, .retry_after_cap_ms = 2000};
    struct leat_error err = error_of(LEAT_E_REMOTE, 0);
    int64_t largest[8] = {0};

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct lt_retry retry = {.policy = &policy};
        for (size_t i = 0; i < 8; i++) {
            int64_t limit = i < 4 ? 100LL << i : 1000;
            int64_t wait_ms = -1;
            assert_true(lt_retry_next(&retry, &err, &wait_ms));
            assert_in_range(wait_ms, 0, limit);
            if (wait_ms > largest[i])
                largest[i] = wait_ms;
        }
    }
    /* 200 draws all in the lower half would be a chance of one in 2^200 */
    for (size_t i = 0; i < 8; i++)
        assert_true(largest[i] > (i < 4 ? 50LL << i : 500));
}

static void retry_honours_the_peers_wait_up_to_its_cap(void **state) {
    struct leat_error err = error_of(LEAT_E_THROTTLED, 30000);
    struct lt_retry retry = {0};
    int64_t wait_ms;

    (void)state;
    assert_true(lt_retry_next(&retry, &err, &wait_ms));
    assert_int_equal(wait_ms, 30000);
    err.retry_after_ms = 3600000;
    assert_true(lt_retry_next(&retry, &err, &wait_ms));
    assert_int_equal(wait_ms, lt_retry_default.retry_after_cap_ms);
}

static void retry_without_end_never_overflows_its_wait(void **state) {
    static const struct lt_retry_policy policy = {
        .max_attempts = 0, .base_ms = 3, .cap_ms = INT64_MAX - 1, .retry_after_cap_ms = 0};
    struct leat_error err = error_of(LEAT_E_BUSY, 0);
    struct lt_retry retry = {.policy = &policy};
    int64_t wait_ms;

    (void)state;
    for (int i = 0; i < 200; i++) {
        assert_true(lt_retry_next(&retry, &err, &wait_ms));
        assert_true(wait_ms >= 0 && wait_ms < INT64_MAX);
    }
    retry.n_attempts = UINT32_MAX;
    assert_true(lt_retry_next(&retry, &err, &wait_ms));
    assert_int_equal(retry.n_attempts, UINT32_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_stops_after_the_policys_attempts),
        cmocka_unit_test(retry_does_not_repeat_what_cannot_succeed),
        cmocka_unit_test(retry_waits_grow_to_the_cap_and_are_spread),
        cmocka_unit_test(retry_honours_the_peers_wait_up_to_its_cap),
        cmocka_unit_test(retry_without_end_never_overflows_its_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
