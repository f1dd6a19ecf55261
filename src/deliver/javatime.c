/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of Java's DateTimeFormatter. A run of one letter is a field: its row says how many may
 * stand together and how it is written. Text in single quotes stands as it is, '' is one quote,
 * other bytes that are no letters stand for themselves. Zone fields are those of UTC, text and
 * weeks those of the locale en_US (weeks start on Sunday; week 1 holds January 1).
 */
#include "deliver/javatime.h"

#include <time.h>

struct moment {
    struct tm tm;
    int64_t ms; /* since 1970 */
    unsigned milli;
};

struct field {
    char letter;
    unsigned max; /* letters in a run */
    void (*write)(struct lt_buf *out, const struct moment *at, unsigned n);
};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

static void put_number(struct lt_buf *out, int64_t value, unsigned width) {
    lt_buf_printf(out, "%0*lld", (int)width, (long long)value);
}

/* 1 to 3 letters: short; 4: whole; 5: one letter. */
static void put_name(struct lt_buf *out, const char *name, unsigned n) {
    size_t len = n == 4 ? strlen(name) : n == 5 ? 1 : 3;
    lt_buf_append(out, lt_slice(name, len));
}

static void put_year(struct lt_buf *out, int64_t year, unsigned n) {
    if (n == 2)
        put_number(out, year % 100, 2);
    else
        put_number(out, year, n);
}

static void write_era(struct lt_buf *out, const struct moment *at, unsigned n) {
    (void)at;
    lt_buf_append_str(out, n == 4 ? "Anno Domini" : n == 5 ? "A" : "AD");
}

static void write_year(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_year(out, at->tm.tm_year + 1900, n);
}

static void write_month(struct lt_buf *out, const struct moment *at, unsigned n) {
    if (n <= 2)
        put_number(out, at->tm.tm_mon + 1, n);
    else
        put_name(out, months[at->tm.tm_mon], n);
}

static void write_quarter(struct lt_buf *out, const struct moment *at, unsigned n) {
    static const char *const names[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    int quarter = at->tm.tm_mon / 3;
    if (n <= 2)
        put_number(out, quarter + 1, n);
    else if (n == 3)
        lt_buf_printf(out, "Q%d", quarter + 1);
    else if (n == 4)
        lt_buf_append_str(out, names[quarter]);
    else
        put_number(out, quarter + 1, 1);
}

static void write_day(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_mday, n);
}

static void write_day_of_year(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_yday + 1, n);
}

static void write_day_name(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_name(out, days[at->tm.tm_wday], n);
}

static void write_local_day(struct lt_buf *out, const struct moment *at, unsigned n) {
    if (n <= 2)
        put_number(out, at->tm.tm_wday + 1, n);
    else
        put_name(out, days[at->tm.tm_wday], n);
}

/* F: which of the month's weeks of seven days, counted from its first day. */
static void write_aligned_week(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, (at->tm.tm_mday - 1) / 7 + 1, n);
}

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The week of the week-based year, which may be the next calendar year. */
static unsigned week_of(const struct moment *at, int *year) {
    int jan1 = ((at->tm.tm_wday - at->tm.tm_yday) % 7 + 7) % 7; /* its day of the week */
    int length = is_leap(at->tm.tm_year + 1900) ? 366 : 365;
    int next_jan1 = (jan1 + length) % 7;

    *year = at->tm.tm_year + 1900;
    if (at->tm.tm_yday >= length - next_jan1) {
        *year += 1;
        return 1;
    }
    return (unsigned)((at->tm.tm_yday + jan1) / 7 + 1);
}

static void write_week_year(struct lt_buf *out, const struct moment *at, unsigned n) {
    int year;
    (void)week_of(at, &year);
    put_year(out, year, n);
}

static void write_week(struct lt_buf *out, const struct moment *at, unsigned n) {
    int year;
    put_number(out, week_of(at, &year), n);
}

static void write_week_of_month(struct lt_buf *out, const struct moment *at, unsigned n) {
    int first = ((at->tm.tm_wday - (at->tm.tm_mday - 1)) % 7 + 7) % 7;
    put_number(out, (at->tm.tm_mday - 1 + first) / 7 + 1, n);
}

static void write_half(struct lt_buf *out, const struct moment *at, unsigned n) {
    (void)n;
    lt_buf_append_str(out, at->tm.tm_hour < 12 ? "AM" : "PM");
}

static void write_hour(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_hour, n);
}

static void write_hour_1_24(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_hour ? at->tm.tm_hour : 24, n);
}

static void write_hour_0_11(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_hour % 12, n);
}

static void write_hour_1_12(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_hour % 12 ? at->tm.tm_hour % 12 : 12, n);
}

static void write_minute(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_min, n);
}

static void write_second(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, at->tm.tm_sec, n);
}

/* The first n digits of the second's fraction. */
static void write_fraction(struct lt_buf *out, const struct moment *at, unsigned n) {
    char digits[10];
    for (unsigned i = 0, unit = 100; i < 9; i++, unit /= 10)
        digits[i] = unit ? (char)('0' + at->milli / unit % 10) : '0';
    lt_buf_append(out, lt_slice(digits, n));
}

static void write_nano(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, (int64_t)at->milli * 1000000, n);
}

static int64_t day_ms(const struct moment *at) {
    return (at->ms % 86400000 + 86400000) % 86400000;
}

static void write_milli_of_day(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, day_ms(at), n);
}

static void write_nano_of_day(struct lt_buf *out, const struct moment *at, unsigned n) {
    put_number(out, day_ms(at) * 1000000, n);
}

static void write_zone_name(struct lt_buf *out, const struct moment *at, unsigned n) {
    (void)at;
    lt_buf_append_str(out, n == 4 ? "Coordinated Universal Time" : "UTC");
}

static void write_zone_id(struct lt_buf *out, const struct moment *at, unsigned n) {
    (void)at, (void)n;
    lt_buf_append_str(out, "UTC");
}

static void write_gmt(struct lt_buf *out, const struct moment *at, unsigned n) {
    (void)at, (void)n;
    lt_buf_append_str(out, "GMT");
}

static void write_zulu(struct lt_buf *out, const struct moment *at, unsigned n) {
    (void)at, (void)n;
    lt_buf_append_byte(out, 'Z');
}

static void write_offset(struct lt_buf *out, const struct moment *at, unsigned n) {
    static const char *const texts[] = {"+00", "+0000", "+00:00", "+0000", "+00:00"};
    (void)at;
    lt_buf_append_str(out, texts[n - 1]);
}

static void write_rfc_offset(struct lt_buf *out, const struct moment *at, unsigned n) {
    (void)at;
    lt_buf_append_str(out, n == 5 ? "Z" : n == 4 ? "GMT" : "+0000");
}

static const struct field fields[] = {
    {'G', 5, write_era},           {'u', 19, write_year},     {'y', 19, write_year},
    {'Y', 19, write_week_year},    {'Q', 5, write_quarter},   {'q', 5, write_quarter},
    {'M', 5, write_month},         {'L', 5, write_month},     {'w', 2, write_week},
    {'W', 1, write_week_of_month}, {'d', 2, write_day},       {'D', 3, write_day_of_year},
    {'F', 1, write_aligned_week},  {'E', 5, write_day_name},  {'e', 5, write_local_day},
    {'c', 5, write_local_day},     {'a', 1, write_half},      {'H', 2, write_hour},
    {'k', 2, write_hour_1_24},     {'K', 2, write_hour_0_11}, {'h', 2, write_hour_1_12},
    {'m', 2, write_minute},        {'s', 2, write_second},    {'S', 9, write_fraction},
    {'A', 19, write_milli_of_day}, {'n', 19, write_nano},     {'N', 19, write_nano_of_day},
    {'V', 2, write_zone_id},       {'z', 4, write_zone_name}, {'O', 4, write_gmt},
    {'X', 5, write_zulu},          {'x', 5, write_offset},    {'Z', 5, write_rfc_offset},
};

static const struct field *find_field(char letter) {
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].letter == letter)
            return &fields[i];
    return NULL;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of the quoted text at `at` (a quote), both quotes counted; 0 when it does not end. */
static size_t quoted_len(struct lt_slice pattern, size_t at) {
    for (size_t i = at + 1; i < pattern.len; i++) {
        if (pattern.data[i] != '\'')
            continue;
        if (i + 1 < pattern.len && pattern.data[i + 1] == '\'')
            i++;
        else
            return i + 1 - at;
    }
    return 0;
}

/* Appends what stands between two quotes; a doubled quote in it is one. */
static void append_quoted(struct lt_buf *out, struct lt_slice text) {
    if (!text.len)
        lt_buf_append_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        lt_buf_append_byte(out, text.data[i]);
        if (text.data[i] == '\'')
            i++;
    }
}

static size_t run_len(struct lt_slice pattern, size_t at) {
    size_t n = 1;
    while (at + n < pattern.len && pattern.data[at + n] == pattern.data[at])
        n++;
    return n;
}

leat_status lt_javatime_check(struct lt_slice pattern, struct leat_error *err) {
    int depth = 0; /* of the optional parts in [ ] */

    if (!pattern.len)
        return lt_fail(err, LEAT_E_INVALID, 0, "the timestamp pattern is empty");
    for (size_t i = 0, n; i < pattern.len; i += n) {
        char c = pattern.data[i];
        n = 1;
        if (is_letter(c)) {
            const struct field *field = find_field(c);
            n = run_len(pattern, i);
            if (!field)
                return lt_fail(err, LEAT_E_INVALID, 0, "Unknown pattern letter: %c", c);
            if (n > field->max || (c == 'V' && n != 2) || ((c == 'O') && n != 1 && n != 4) ||
                (c == 'c' && n == 2))
                return lt_fail(err, LEAT_E_INVALID, 0, "Too many pattern letters: %c (%zu)", c, n);
        } else if (c == '\'') {
            n = quoted_len(pattern, i);
            if (!n)
                return lt_fail(err, LEAT_E_INVALID, 0,
                               "Pattern ends with an incomplete string literal: %.*s",
                               LT_FMT(pattern));
        } else if (c == '[') {
            depth++;
        } else if (c == ']' && --depth < 0) {
            return lt_fail(err, LEAT_E_INVALID, 0,
                           "Pattern invalid as it contains ] without previous [");
        } else if (c == '{' || c == '}' || c == '#') {
            return lt_fail(err, LEAT_E_INVALID, 0, "Pattern includes reserved character: '%c'", c);
        }
    }
    return LEAT_OK;
}

void lt_javatime_append(struct lt_buf *out, struct lt_slice pattern, int64_t time_ms) {
    struct moment at = {.ms = time_ms, .milli = (unsigned)((time_ms % 1000 + 1000) % 1000)};
    time_t seconds = (time_t)((time_ms - (int64_t)at.milli) / 1000);

    gmtime_r(&seconds, &at.tm);
    for (size_t i = 0, n; i < pattern.len; i += n) {
        char c = pattern.data[i];
        n = 1;
        if (is_letter(c)) {
            const struct field *field = find_field(c);
            n = run_len(pattern, i);
            if (field && n <= field->max)
                field->write(out, &at, (unsigned)n);
        } else if (c == '\'') {
            n = quoted_len(pattern, i);
            if (!n)
                return;
            append_quoted(out, lt_slice(pattern.data + i + 1, n - 2));
        } else if (c != '[' && c != ']') {
            lt_buf_append_byte(out, c);
        }
    }
}
