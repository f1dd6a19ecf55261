/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_RETRY_H
#define LT_BASE_RETRY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** How often and how long apart the same call is tried. Exponential with full jitter. */
struct lt_retry_policy {
    unsigned max_attempts; /**< the first one counted; 0: without end */
    int64_t base_ms;       /**< the first wait is 0..base_ms */
    int64_t
        cap_ms; /**< no wait is longer, a peer's Retry-After excepted up to retry_after_cap_ms */
    int64_t retry_after_cap_ms;
};

extern const struct lt_retry_policy lt_retry_default; /**< 8 attempts, 100 ms, 20 s, 120 s */

struct lt_retry {
    const struct lt_retry_policy *policy;
    unsigned n_attempts;
};

/**
 * After a failed attempt: true, with the wait in `*wait_ms`, when the status
 * may be retried and attempts are left. `err->retry_after_ms` is honoured, but
 * a peer's wait of 0 still backs off.
 */
bool lt_retry_next(struct lt_retry *retry, const struct leat_error *err, int64_t *wait_ms);

#endif
