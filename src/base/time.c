/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moments as people and services write them, from the year 1970 to 9999: RFC 3339, a
 * date alone (its midnight in UTC), or seconds since 1970. A date that the calendar does
 * not have is refused, and so is a time of day without an offset, which could mean two things.
 */
#include "base/units.h"

#include <stdio.h>
#include <time.h>

static const int64_t end_of_time_s = 253402300800; /* 10000-01-01 */

struct reader {
    struct lt_slice left;
    bool failed;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int take_number(struct reader *in, size_t n_digits, int min, int max) {
    int value = 0;

    for (size_t i = 0; i < n_digits; i++) {
        if (i >= in->left.len || !is_digit(in->left.data[i])) {
            in->failed = true;
            return min;
        }
        value = value * 10 + (in->left.data[i] - '0');
    }
    in->left = lt_slice_from(in->left, n_digits);
    in->failed |= value < min || value > max;
    return value;
}

static bool take_one_of(struct reader *in, const char *set) {
    if (!in->left.len || !in->left.data[0] || !strchr(set, in->left.data[0]))
        return false;
    in->left = lt_slice_from(in->left, 1);
    return true;
}

static void expect(struct reader *in, const char *set) {
    in->failed |= !take_one_of(in, set);
}

/* Digits after a dot, cut to milliseconds. */
static int take_milliseconds(struct reader *in) {
    int ms = 0, scale = 100;

    if (!take_one_of(in, "."))
        return 0;
    in->failed |= !in->left.len || !is_digit(in->left.data[0]);
    for (; in->left.len && is_digit(in->left.data[0]); in->left = lt_slice_from(in->left, 1)) {
        ms += (in->left.data[0] - '0') * scale;
        scale /= 10;
    }
    return ms;
}

static int take_offset_s(struct reader *in) {
    if (take_one_of(in, "Zz"))
        return 0;
    bool west = in->left.len && in->left.data[0] == '-';
    expect(in, "+-");
    int hours = take_number(in, 2, 0, 23);
    expect(in, ":");
    int seconds = hours * 3600 + take_number(in, 2, 0, 59) * 60;
    return west ? -seconds : seconds;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool parse_date(struct lt_slice text, int64_t *ms) {
    struct reader in = {.left = text};
    struct tm tm = {0};
    int offset_s = 0, part_ms = 0;

    tm.tm_year = take_number(&in, 4, 1970, 9999) - 1900;
    expect(&in, "-");
    tm.tm_mon = take_number(&in, 2, 1, 12) - 1;
    expect(&in, "-");
    tm.tm_mday = take_number(&in, 2, 1, 31);
    if (in.failed || tm.tm_mday > days_in_month(tm.tm_year + 1900, tm.tm_mon + 1))
        return false;
    if (in.left.len) {
        expect(&in, "Tt ");
        tm.tm_hour = take_number(&in, 2, 0, 23);
        expect(&in, ":");
        tm.tm_min = take_number(&in, 2, 0, 59);
        expect(&in, ":");
        tm.tm_sec = take_number(&in, 2, 0, 60);
        part_ms = take_milliseconds(&in);
        offset_s = take_offset_s(&in);
    }
    int64_t seconds = (int64_t)timegm(&tm) - offset_s;
    *ms = seconds * 1000 + part_ms;
    return !in.failed && !in.left.len && seconds >= 0 && seconds < end_of_time_s;
}

static bool parse_seconds(struct lt_slice text, int64_t *ms) {
    struct reader in = {.left = text};
    int64_t seconds = 0;

    if (!text.len || !is_digit(text.data[0]))
        return false;
    for (; in.left.len && is_digit(in.left.data[0]); in.left = lt_slice_from(in.left, 1)) {
        seconds = seconds * 10 + (in.left.data[0] - '0');
        if (seconds >= end_of_time_s)
            return false;
    }
    *ms = seconds * 1000 + take_milliseconds(&in);
    return !in.failed && !in.left.len;
}

leat_status lt_parse_time(struct lt_slice text, int64_t *ms, struct leat_error *err) {
    if (parse_seconds(text, ms) || parse_date(text, ms))
        return LEAT_OK;
    return lt_fail(err, LEAT_E_INVALID, 0,
                   "\"%.*s\" is not a time; write it as 2026-02-01T10:00:00Z, "
                   "2026-02-01T10:00:00+01:00, 2026-02-01, or seconds since 1970",
                   LT_FMT(lt_slice(text.data, text.len < 64 ? text.len : 64)));
}

char *lt_format_time(int64_t ms, char out[32]) {
    int64_t part = ms % 1000;
    struct tm tm;

    if (part < 0)
        part += 1000;
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0)); /* rounded down, without overflow */
    if (seconds < -62135596800 || seconds >= end_of_time_s || !gmtime_r(&seconds, &tm)) {
        snprintf(out, 32, "%lld ms", (long long)ms); /* before the year 1 or after 9999 */
        return out;
    }
    snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000U,
             (unsigned)(tm.tm_mon + 1) % 100U, (unsigned)tm.tm_mday % 100U,
             (unsigned)tm.tm_hour % 100U, (unsigned)tm.tm_min % 100U, (unsigned)tm.tm_sec % 100U,
             (unsigned)part % 1000U);
    return out;
}
