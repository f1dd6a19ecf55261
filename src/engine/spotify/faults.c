/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits and faults. Whether a request meets a fault follows from the seed, its page and how often
 * that page was asked for, and from nothing else: the same run meets the same faults, in whatever
 * order its requests come.
 */
#include "engine/spotify/parts.h"

#include "base/clock.h"

/* A number in [0, 1), another for each fault of the same request. */
static double draw(uint64_t dice, uint64_t fault) {
    dice = lt_spotify_hash(dice, &fault, sizeof(fault));
    return (double)(dice >> 11) * 0x1p-53;
}

static unsigned round_up_s(int64_t ms) {
    return (unsigned)((ms + 999) / 1000);
}

unsigned lt_spotify_limit(struct lt_spotify_call *call, unsigned slot) {
    struct lt_spotify *spotify = call->spotify;
    const struct lt_spotify_settings *settings = &spotify->settings;

    if (settings->quota >= 0 && spotify->n_quota_used >= (uint64_t)settings->quota) {
        spotify->counters.n_over_quota++;
        call->retry_after_s = round_up_s(settings->retry_after_ms);
        return lt_spotify_error_reason(call, 429, "API quota exceeded", "QUOTA_EXCEEDED");
    }
    int64_t wait_ms =
        lt_spotify_rate_take(spotify->tokens, slot, &settings->rate, lt_clock_mono_us());
    if (wait_ms > 0) {
        spotify->counters.n_over_rate++;
        call->retry_after_s = round_up_s(wait_ms);
        return lt_spotify_error(call, 429, "API rate limit exceeded");
    }
    if (settings->quota >= 0)
        spotify->n_quota_used++;
    return 200;
}

unsigned lt_spotify_fault(struct lt_spotify_call *call, bool *truncate) {
    static const struct {
        unsigned status;
        const char *message;
    } errors[] = {{500, "Server error."}, {502, "Bad gateway."}, {503, "Service unavailable"}};
    enum { THROTTLE, ERROR, WHICH_ERROR, TRUNCATE };
    struct lt_spotify *spotify = call->spotify;
    const struct lt_spotify_settings *settings = &spotify->settings;
    struct lt_spotify_page_count *page = lt_spotify_page_find(&spotify->pages, call->page);
    uint64_t turn = page ? page->asked++ : spotify->n_draws++;
    uint64_t dice = lt_spotify_hash((uint64_t)settings->seed, call->page.data, call->page.len);

    dice = lt_spotify_hash(dice, &turn, sizeof(turn));
    *truncate = false;
    if (settings->throttle > 0 && draw(dice, THROTTLE) < settings->throttle) {
        spotify->counters.n_throttled++;
        call->retry_after_s = round_up_s(settings->retry_after_ms);
        return lt_spotify_error(call, 429, "API rate limit exceeded");
    }
    if (settings->errors > 0 && draw(dice, ERROR) < settings->errors) {
        size_t which = (size_t)(draw(dice, WHICH_ERROR) * 3);
        spotify->counters.n_errors++;
        return lt_spotify_error(call, errors[which].status, errors[which].message);
    }
    *truncate = settings->truncate > 0 && draw(dice, TRUNCATE) < settings->truncate;
    return 200;
}
