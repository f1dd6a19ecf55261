/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_LIMIT_H
#define LT_REST_LIMIT_H

#include "base/slice.h"

/*
 * How fast requests may go to a host: a bucket of tokens that never holds more than a tenth of a
 * second's worth (at least one), so that no window of a second sees much more than the rate. A host
 * that says "too many" halves the pace, once for all requests that were under way; from then on it
 * rises again for each second without another one: by a twentieth of the rate, or, where the file
 * says none, by a fiftieth of the most that was sent in a second; less than a second says nothing.
 *
 * Units: `now_ms` is any clock that is never set back, the same in all calls.
 */
struct lt_rest_budget {
    double rate;       /**< the file's, a second; 0: without a limit */
    double pace;       /**< the one in force; 0: without a limit */
    double peak;       /**< without a rate: the most that was sent in a second, so far as known */
    double step;       /**< by which it rises each second */
    double tokens;     /**< left at `filled_ms` */
    int64_t filled_ms; /**< when tokens were last counted */
    int64_t raised_ms; /**< when the pace last changed */
    int64_t halved_ms; /**< when it was last halved; what was sent before is no new sign */
    int64_t paused_to_ms; /**< nothing goes out before */
    int64_t window_ms;    /**< sends are counted since then, to know the pace without a limit */
    uint64_t n_window, n_window_before;
};

void lt_rest_budget_init(struct lt_rest_budget *budget, double rate_per_s, int64_t now_ms);

/** 0: a request may go now, and is counted. Else how many milliseconds to wait before asking again;
 * nothing is taken. */
int64_t lt_rest_budget_take(struct lt_rest_budget *budget, int64_t now_ms);

/** Nothing goes out for so long. An earlier, longer pause stays. */
void lt_rest_budget_pause(struct lt_rest_budget *budget, int64_t now_ms, int64_t pause_ms);

/** The host said that a request sent at `sent_ms` was one too many. */
void lt_rest_budget_slow(struct lt_rest_budget *budget, int64_t sent_ms, int64_t now_ms);

/** What a Retry-After asks for: seconds ("120") or an HTTP date (RFC 9110, in its three forms),
 * which counts from `wall_ms`. False for what is neither. Never negative. */
bool lt_rest_retry_after(struct lt_slice value, int64_t wall_ms, int64_t *wait_ms);

#endif
