/* SPDX-License-Identifier: Apache-2.0 */
/* The pace of requests to one host, and what a host asks for in Retry-After. */
#include "rest/limit.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { WINDOW_MS = 1000, RISES_TO_FULL = 20 };

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
    double slowest = budget->rate > 0 && budget->rate < slowest_pace ? budget->rate : slowest_pace;
    budget->pace = was / 2 > slowest ? was / 2 : slowest;
    budget->step = (budget->rate > 0 ? budget->rate : was) / RISES_TO_FULL;
    if (budget->rate <= 0 && budget->step < slowest_step)
        budget->step = slowest_step;
    budget->tokens = 0;
    budget->halved_ms = now_ms;
    if (budget->filled_ms < now_ms)
        budget->filled_ms = now_ms;
    if (budget->raised_ms < now_ms)
        budget->raised_ms = now_ms;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
 * No strptime(): its names of days and months are those of the locale. */
static bool parse_date(const char *text, struct tm *tm) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4];
    int year, n = 0;

    *tm = (struct tm){0};
    if (sscanf(text, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT%n", &tm->tm_mday, month, &year,
               &tm->tm_hour, &tm->tm_min, &tm->tm_sec, &n) != 6 &&
        sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &tm->tm_mday, month, &year,
               &tm->tm_hour, &tm->tm_min, &tm->tm_sec, &n) != 6 &&
        sscanf(text, "%*3[A-Za-z] %3s %2d %2d:%2d:%2d %4d%n", month, &tm->tm_mday, &tm->tm_hour,
               &tm->tm_min, &tm->tm_sec, &year, &n) != 6)
        return false;
    if (n == 0 || text[n] || tm->tm_mday < 1 || tm->tm_mday > 31 || tm->tm_hour > 23 ||
        tm->tm_hour < 0 || tm->tm_min > 59 || tm->tm_min < 0 || tm->tm_sec > 60 || tm->tm_sec < 0)
        return false;
    const char *at = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!at || (at - months) % 3)
        return false;
    if (year < 100)
        year += year < 70 ? 2000 : 1900;
    tm->tm_mon = (int)(at - months) / 3;
    tm->tm_year = year - 1900;
    return true;
}

bool lt_rest_retry_after(struct lt_slice value, int64_t wall_ms, int64_t *wait_ms) {
    char text[64];
    struct tm tm;
    double seconds;
    int n = 0;

    if (!value.len || value.len >= sizeof(text))
        return false;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    if (text[0] >= '0' && text[0] <= '9') {
        /* Some send fractions. */
        if (strspn(text, "0123456789.") != value.len || sscanf(text, "%lf%n", &seconds, &n) != 1 ||
            text[n])
            return false;
        *wait_ms = (int64_t)ceil((seconds < longest_wait_s ? seconds : longest_wait_s) * 1000);
        return true;
    }
    if (!parse_date(text, &tm))
        return false;
    int64_t at_ms = (int64_t)timegm(&tm) * 1000;
    *wait_ms = at_ms > wall_ms ? at_ms - wall_ms : 0;
    return true;
}
