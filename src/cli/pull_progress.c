/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On a terminal one line that changes: what came, how fast, how long still, and what is waited for.
 * Waits that a person would wonder about are also told in a line of their own, wherever standard
 * error goes; each request with -v.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "cli/pull_parts.h"

#include <string.h>

enum { LOG_EVERY_MS = 10000, TOLD_WAIT_MS = 500, ESTIMATE_AFTER_MS = 500, WHY_SHOWN = 60 };

struct sums {
    uint64_t n_pages, n_records, n_retries;
};

static struct sums sum(const struct lt_pull_stat *stat) {
    struct sums sums = {0};
    for (size_t i = 0; i < stat->n_resources; i++) {
        sums.n_pages += stat->resources[i].n_pages;
        sums.n_records += stat->resources[i].n_records;
        sums.n_retries += stat->resources[i].n_retries;
    }
    return sums;
}

/* Lists and records, whichever is less far: a list has at least one page. */
static double share_of(const struct lt_rest_stat *stat) {
    double share = -1;

    if (stat->complete)
        return 1;
    if (stat->total_records)
        share = (double)stat->n_records / (double)stat->total_records;
    if (stat->n_tasks > 1) {
        double tasks = (double)stat->n_tasks_done / (double)stat->n_tasks;
        if (share < 0 || tasks < share)
            share = tasks;
    }
    return share > 1 ? 1 : share;
}

double lt_cli_pull_share(const struct lt_pull_stat *stat) {
    double least = 1;

    for (size_t i = 0; i < stat->n_resources; i++) {
        double share = share_of(&stat->resources[i]);
        if (share < 0)
            return -1;
        if (share < least)
            least = share;
    }
    return stat->n_resources ? least : -1;
}

static void print_duration(char out[32], int64_t ms) {
    int64_t s = (ms + 999) / 1000;

    if (s < 60)
        snprintf(out, 32, "%lld s", (long long)s);
    else if (s < 3600)
        snprintf(out, 32, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
    else
        snprintf(out, 32, "%lld h %lld min", (long long)(s / 3600), (long long)(s % 3600 / 60));
}

static void append_left(char *out, size_t room, const struct lt_pull_stat *stat) {
    double share = lt_cli_pull_share(stat);
    char left[32];

    if (share <= 0.01 || share >= 1 || stat->elapsed_ms < ESTIMATE_AFTER_MS)
        return;
    print_duration(left, (int64_t)((double)stat->elapsed_ms * (1 - share) / share));
    snprintf(out, room, ", %.0f %%, about %s left", share * 100, left);
}

static void append_wait(char *out, size_t room, const struct lt_pull_stat *stat) {
    int64_t ms = stat->wait_until_ms - lt_clock_wall_ms();
    char wait[32];

    if (!stat->wait_until_ms || ms <= 0)
        return;
    print_duration(wait, ms);
    snprintf(out, room, "; waiting %s: %.*s", wait, WHY_SHOWN, stat->wait_why);
}

static void describe(char *out, size_t room, const struct lt_pull_stat *stat) {
    struct sums sums = sum(stat);
    char pages[32], records[32], rate[32];
    double seconds = stat->elapsed_ms > 0 ? (double)stat->elapsed_ms / 1000.0 : 0.001;

    snprintf(out, room, "%s page%s, %s record%s, %s records/s",
             lt_format_count(sums.n_pages, pages), sums.n_pages == 1 ? "" : "s",
             lt_format_count(sums.n_records, records), sums.n_records == 1 ? "" : "s",
             lt_format_count((uint64_t)((double)sums.n_records / seconds), rate));
    if (sums.n_retries)
        snprintf(out + strlen(out), room - strlen(out), ", %llu retried",
                 (unsigned long long)sums.n_retries);
    append_left(out + strlen(out), room - strlen(out), stat);
    append_wait(out + strlen(out), room - strlen(out), stat);
}

void lt_cli_pull_clear(struct lt_cli_pull_progress *progress) {
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

void lt_cli_pull_show(void *ctx, const struct lt_pull_stat *stat) {
    struct lt_cli_pull_progress *progress = ctx;
    char text[400];

    if (progress->line) {
        describe(text, sizeof(text), stat);
        fprintf(stderr, "\r\033[K%s", text);
        progress->shown = true;
    } else if (progress->log && stat->elapsed_ms - progress->logged_ms >= LOG_EVERY_MS) {
        progress->logged_ms = stat->elapsed_ms;
        describe(text, sizeof(text), stat);
        lt_log(LT_LOG_INFO, "pull", "%s", text);
    }
}

/* The same wait is told once, however many requests share it; a retry only when it waits long. */
static bool is_worth_a_line(struct lt_cli_pull_progress *progress, enum lt_rest_note note,
                            int64_t until_ms) {
    if (progress->verbose)
        return true;
    if (progress->quiet || (note != LT_REST_NOTE_WAIT && note != LT_REST_NOTE_RETRY) ||
        until_ms - lt_clock_wall_ms() < TOLD_WAIT_MS || until_ms <= progress->wait_told_ms + 1000)
        return false;
    progress->wait_told_ms = until_ms;
    return true;
}

void lt_cli_pull_note(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms) {
    struct lt_cli_pull_progress *progress = ctx;
    char time[32] = "";

    if (!is_worth_a_line(progress, note, until_ms))
        return;
    lt_cli_pull_clear(progress);
    bool has_end = until_ms && note == LT_REST_NOTE_WAIT; /* a retry's text says when it comes */
    if (has_end)
        lt_format_time(until_ms, time);
    if (progress->log)
        lt_log(LT_LOG_INFO, "pull", "%s%s%s", text, has_end ? "; until " : "", time);
    else
        fprintf(stderr, "%s%s%s\n", text, has_end ? "; until " : "", time);
}
