/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential backoff with full jitter: the wait is drawn evenly from 0 to base * 2^(n-1), so that
 * many callers that failed together do not come back together. */
#include "base/retry.h"

#include "base/hash.h"

const struct lt_retry_policy lt_retry_default = {
    .max_attempts = 8, .base_ms = 100, .cap_ms = 20000, .retry_after_cap_ms = 120000};

static int64_t longest_wait_ms(const struct lt_retry_policy *policy, unsigned n_failed) {
    int64_t wait = policy->base_ms;

    for (unsigned i = 1; i < n_failed && wait < policy->cap_ms; i++)
        wait = wait > policy->cap_ms / 2 ? policy->cap_ms : wait * 2;
    return wait < policy->cap_ms ? wait : policy->cap_ms;
}

static int64_t draw(int64_t max) {
    uint64_t bits;

    if (max <= 0)
        return 0;
    lt_random(&bits, sizeof(bits));
    return (int64_t)(bits % ((uint64_t)max + 1));
}

bool lt_retry_next(struct lt_retry *retry, const struct leat_error *err, int64_t *wait_ms) {
    const struct lt_retry_policy *policy = retry->policy ? retry->policy : &lt_retry_default;

    if (retry->n_attempts < UINT32_MAX)
        retry->n_attempts++;
    if (!leat_status_is_retryable(err->status) ||
        (policy->max_attempts && retry->n_attempts >= policy->max_attempts))
        return false;
    *wait_ms = draw(longest_wait_ms(policy, retry->n_attempts));
    int64_t asked = err->retry_after_ms;
    if (asked > policy->retry_after_cap_ms)
        asked = policy->retry_after_cap_ms;
    if (*wait_ms < asked)
        *wait_ms = asked;
    return true;
}
