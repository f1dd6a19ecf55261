/* SPDX-License-Identifier: Apache-2.0 */
/* The pace of requests to one host, and what a host asks for in Retry-After. */
#include "rest/limit.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { WINDOW_MS = 1000, RISES_TO_FULL = 20, RISES_TO_PEAK = 50 };

static const double slowest_pace = 0.2, bucket_s = 0.1, longest_wait_s = 1e9;
/* Where the file says no rate: what a host is taken to bear that was not yet watched for a second,
 * and the least by which its pace rises, so that one 429 early on does not slow a long run. */
static const double unknown_pace = 20, slowest_step = 0.5;

void lt_rest_budget_init(struct lt_rest_budget *budget, double rate_per_s, int64_t now_ms) {
    *budget = (struct lt_rest_budget){.rate = rate_per_s,
                                      .pace = rate_per_s,
                                      .tokens = 1,
                                      .filled_ms = now_ms,
                                      .raised_ms = now_ms,
                                      .halved_ms = INT64_MIN,
                                      .window_ms = now_ms};
}

static void raise_pace(struct lt_rest_budget *budget, int64_t now_ms) {
    if (budget->step <= 0 || now_ms - budget->raised_ms < WINDOW_MS)
        return;
    int64_t n_steps = (now_ms - budget->raised_ms) / WINDOW_MS;
    budget->pace += budget->step * (double)n_steps;
    budget->raised_ms += n_steps * WINDOW_MS;
    if (budget->rate > 0 && budget->pace >= budget->rate) {
        budget->pace = budget->rate;
        budget->step = 0;
    }
}

static void fill(struct lt_rest_budget *budget, int64_t now_ms) {
    double cap = budget->pace * bucket_s > 1 ? budget->pace * bucket_s : 1;
    budget->tokens += budget->pace * (double)(now_ms - budget->filled_ms) / 1000;
    if (budget->tokens > cap)
        budget->tokens = cap;
    budget->filled_ms = now_ms;
}

static void count(struct lt_rest_budget *budget, int64_t now_ms) {
    int64_t age_ms = now_ms - budget->window_ms;
    if (age_ms >= WINDOW_MS) {
        budget->n_window_before = age_ms < 2 * WINDOW_MS ? budget->n_window : 0;
        budget->n_window = 0;
        budget->window_ms = now_ms;
    }
    budget->n_window++;
}

int64_t lt_rest_budget_take(struct lt_rest_budget *budget, int64_t now_ms) {
    if (now_ms < budget->paused_to_ms)
        return budget->paused_to_ms - now_ms;
    if (budget->pace > 0) {
        raise_pace(budget, now_ms);
        fill(budget, now_ms);
        if (budget->tokens < 1)
            return (int64_t)ceil((1 - budget->tokens) * 1000 / budget->pace);
        budget->tokens -= 1;
    }
    count(budget, now_ms);
    return 0;
}

void lt_rest_budget_pause(struct lt_rest_budget *budget, int64_t now_ms, int64_t pause_ms) {
    if (pause_ms <= 0 || now_ms + pause_ms <= budget->paused_to_ms)
        return;
    budget->paused_to_ms = now_ms + pause_ms;
    /* What waited starts one by one, not all at once. */
    if (budget->tokens > 1)
        budget->tokens = 1;
    budget->filled_ms = budget->paused_to_ms;
    budget->raised_ms = budget->paused_to_ms;
}

/* Requests a second that went out without a limit. */
static double sent_pace(const struct lt_rest_budget *budget, int64_t now_ms) {
    double seen = (double)(budget->n_window > budget->n_window_before ? budget->n_window
                                                                      : budget->n_window_before);
    bool watched = budget->n_window_before || now_ms - budget->window_ms >= WINDOW_MS;
    return watched || seen > unknown_pace ? seen : unknown_pace;
}

void lt_rest_budget_slow(struct lt_rest_budget *budget, int64_t sent_ms, int64_t now_ms) {
    if (sent_ms <= budget->halved_ms)
        return;
    double was = budget->pace;
    if (was <= 0)
        was = sent_pace(budget, now_ms);
    if (budget->peak < was)
        budget->peak = was;
    double slowest = budget->rate > 0 && budget->rate < slowest_pace ? budget->rate : slowest_pace;
    budget->pace = was / 2 > slowest ? was / 2 : slowest;
    budget->step = slowest_step;
    if (budget->rate > 0)
        budget->step = budget->rate / RISES_TO_FULL;
    else if (budget->step < budget->peak / RISES_TO_PEAK)
        budget->step = budget->peak / RISES_TO_PEAK;
    budget->tokens = 0;
    budget->halved_ms = now_ms;
    if (budget->filled_ms < now_ms)
        budget->filled_ms = now_ms;
    if (budget->raised_ms < now_ms)
        budget->raised_ms = now_ms;
}

/* A number of up to four digits; -1 for what is none. */
static int number(struct lt_slice text) {
    int value = 0;
    if (!text.len || text.len > 4)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

/* 0 to 11, or -1. */
static int month_of(struct lt_slice text) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12 && text.len == 3; i++)
        if (memcmp(names + (size_t)i * 3, text.data, 3) == 0)
            return i;
    return -1;
}

enum { DATE_WORDS = 8 };

/* Cuts at spaces, commas, dashes and colons; how many words there are, or 0 for too many. */
static size_t split(struct lt_slice text, struct lt_slice words[DATE_WORDS]) {
    size_t n = 0;
    while (text.len) {
        size_t len = 0;
        while (len < text.len && !strchr(" ,-:", text.data[len]))
            len++;
        if (len && n == DATE_WORDS)
            return 0;
        if (len)
            words[n++] = lt_slice(text.data, len);
        text = lt_slice_from(text, len + 1);
    }
    return n;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
 * No strptime(): its names of days and months are those of the locale. */
static bool parse_date(struct lt_slice text, struct tm *tm) {
    struct lt_slice words[DATE_WORDS];
    size_t n = split(text, words);
    bool by_c = n == 7; /* as C's asctime() has it */
    if (!by_c && !(n == 8 && lt_slice_eq_str(words[7], "GMT")))
        return false;
    const struct lt_slice *time = words + (by_c ? 3 : 4);
    int year = number(words[by_c ? 6 : 3]);
    *tm = (struct tm){.tm_mday = number(words[by_c ? 2 : 1]),
                      .tm_mon = month_of(words[by_c ? 1 : 2]),
                      .tm_hour = number(time[0]),
                      .tm_min = number(time[1]),
                      .tm_sec = number(time[2])};
    if (year >= 0 && year < 100)
        year += year < 70 ? 2000 : 1900;
    tm->tm_year = year - 1900;
    return year >= 1970 && tm->tm_mon >= 0 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 &&
           tm->tm_sec >= 0 && tm->tm_sec <= 60;
}

bool lt_rest_retry_after(struct lt_slice value, int64_t wall_ms, int64_t *wait_ms) {
    struct tm tm;

    if (value.len && value.data[0] >= '0' && value.data[0] <= '9') {
        char text[32], *end;
        if (value.len >= sizeof(text))
            return false;
        memcpy(text, value.data, value.len);
        text[value.len] = '\0';
        double seconds = strtod(text, &end); /* some send fractions */
        if (*end || strspn(text, "0123456789.") != value.len)
            return false;
        *wait_ms = (int64_t)ceil((seconds < longest_wait_s ? seconds : longest_wait_s) * 1000);
        return true;
    }
    if (!value.len || !parse_date(value, &tm))
        return false;
    int64_t at_ms = (int64_t)timegm(&tm) * 1000;
    *wait_ms = at_ms > wall_ms ? at_ms - wall_ms : 0;
    return true;
}
