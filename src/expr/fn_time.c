/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, by the C library's functions as in jq: a broken-down time is an array of year, month (from
 * 0), day, hour, minute, second, day of the week, day of the year.
 */
#include "expr/fn.h"
#include "expr/fn_help.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

/* --- to and from struct tm ------------------------------------------------------------------- */

static struct lt_val from_tm(struct lt_vm *vm, const struct tm *tm, double part_of_second) {
    struct lt_heap *heap = &vm->heap;
    double second = tm->tm_sec + part_of_second;
    const struct lt_val fields[] = {
        lt_val_int((int64_t)tm->tm_year + 1900),
        lt_val_int(tm->tm_mon),
        lt_val_int(tm->tm_mday),
        lt_val_int(tm->tm_hour),
        lt_val_int(tm->tm_min),
        part_of_second != 0 ? lt_val_double(second) : lt_val_int(tm->tm_sec),
        lt_val_int(tm->tm_wday),
        lt_val_int(tm->tm_yday),
    };
    struct lt_val v = lt_val_array(heap, 9);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        v = lt_val_array_append(heap, v, fields[i]);
    return v;
}

/* False when it is not eight numbers at least. */
static bool to_tm(struct lt_vm *vm, struct lt_val v, struct tm *tm) {
    int *const fields[] = {&tm->tm_year, &tm->tm_mon, &tm->tm_mday, &tm->tm_hour,
                           &tm->tm_min,  &tm->tm_sec, &tm->tm_wday, &tm->tm_yday};
    size_t n;
    const struct lt_val *values = lt_val_items(&vm->heap, v, &n);

    memset(tm, 0, sizeof(*tm));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (i >= n || values[i].kind != LT_VAL_NUMBER)
            return false;
        *fields[i] = lt_fn_to_int(lt_val_as_double(values[i]));
    }
    /* a year that is too far away wraps around, as it does in jq */
    tm->tm_year = (int)((unsigned)tm->tm_year - 1900u);
    return true;
}

/* A C string of the bytes, up to the first NUL of theirs. */
static char *c_string(struct lt_vm *vm, struct lt_val v) {
    struct lt_slice s = lt_val_bytes(&vm->heap, v);
    char *text = lt_fn_string_room(vm, s.len);
    if (!text)
        return NULL;
    if (s.len)
        memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return text;
}

/* --- gmtime, localtime, mktime, now ---------------------------------------------------------- */

static bool seconds_fit(double d) {
    return d >= -9223372036854775808.0 && d < 9223372036854775808.0;
}

typedef struct tm *breaker(const time_t *, struct tm *);

/* jq's words for gmtime have three r. */
static enum lt_flow break_down(struct lt_vm *vm, struct lt_val v, breaker *by, const char *refusal,
                               struct lt_val *out) {
    struct tm tm = {0};
    double seconds = lt_val_as_double(v);
    time_t whole = seconds_fit(seconds) ? (time_t)seconds : INT64_MIN;
    if (!by(&whole, &tm))
        return lt_vm_raise(vm, "%s converting number of seconds since epoch to datetime", refusal);
    *out = from_tm(vm, &tm, seconds - floor(seconds));
    return LT_FLOW_ON;
}

static enum lt_flow break_down_utc(struct lt_vm *vm, struct lt_val v, struct lt_val *out) {
    return break_down(vm, v, gmtime_r, "errror", out);
}

static enum lt_flow break_down_local(struct lt_vm *vm, struct lt_val v, struct lt_val *out) {
    return break_down(vm, v, localtime_r, "error", out);
}

static enum lt_flow to_utc(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    if (args[0].kind != LT_VAL_NUMBER)
        return lt_vm_raise(vm, "gmtime() requires numeric inputs");
    return break_down_utc(vm, args[0], out);
}

static enum lt_flow to_local(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    if (args[0].kind != LT_VAL_NUMBER)
        return lt_vm_raise(vm, "localtime() requires numeric inputs");
    return break_down_local(vm, args[0], out);
}

static enum lt_flow to_seconds(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct tm tm;
    if (args[0].kind != LT_VAL_ARRAY)
        return lt_vm_raise(vm, "mktime requires array inputs");
    if (!to_tm(vm, args[0], &tm))
        return lt_vm_raise(vm, "mktime requires parsed datetime inputs");
    time_t t = timegm(&tm);
    if (t == (time_t)-1) /* the last second of 1969, too */
        return lt_vm_raise(vm, "invalid gmtime representation");
    if (t == (time_t)-2)
        return lt_vm_raise(vm, "mktime not supported on this platform");
    *out = lt_val_int(t);
    return LT_FLOW_ON;
}

static enum lt_flow now(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct timeval tv;
    (void)vm;
    (void)args;
    gettimeofday(&tv, NULL);
    *out = lt_val_double((double)tv.tv_sec + (double)tv.tv_usec / 1000000.0);
    return LT_FLOW_ON;
}

/* --- strptime ------------------------------------------------------------------------------- */

/* Values that no reader of a date sets: jq puts them in before it calls strptime(). */
enum { NO_WDAY = 8, NO_YDAY = 367 };

static int floor_div(int a, int b) {
    return a / b - (a % b < 0);
}

/* Gauss's rule, with jq's own fault at the beginning of centuries. */
static int day_of_week(const struct tm *tm) {
    int century = (1900 + tm->tm_year) / 100;
    int year = (1900 + tm->tm_year) % 100;
    int month = tm->tm_mon - 1;

    if (tm->tm_mon < 2)
        year--;
    if (month < 1)
        month += 12;
    int day = (tm->tm_mday + (int)floor(2.6 * month - 0.2) + year + floor_div(year, 4) +
               floor_div(century, 4) - 2 * century) %
              7;
    return day < 0 ? day + 7 : day;
}

static int day_of_year(const struct tm *tm) {
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int year = 1900 + tm->tm_year;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return before[tm->tm_mon] + (tm->tm_mon > 1 && leap) + tm->tm_mday - 1;
}

static void add_days(struct tm *tm) {
    bool has_date = tm->tm_mday != 0 && tm->tm_mon >= 0 && tm->tm_mon <= 11;
    if (tm->tm_wday == NO_WDAY && has_date)
        tm->tm_wday = day_of_week(tm);
    if (tm->tm_yday == NO_YDAY && has_date)
        tm->tm_yday = day_of_year(tm);
}

static enum lt_flow parse_time(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct tm tm = {.tm_wday = NO_WDAY, .tm_yday = NO_YDAY};

    if (args[0].kind != LT_VAL_STRING || args[1].kind != LT_VAL_STRING)
        return lt_vm_raise(vm, "strptime/1 requires string inputs and arguments");
    const char *text = c_string(vm, args[0]);
    const char *format = c_string(vm, args[1]);
    if (!text || !format)
        return lt_vm_step(vm);
    const char *end = strptime(text, format, &tm);
    if (!end || (*end && !isspace((unsigned char)*end)))
        return lt_vm_raise(vm, "date \"%s\" does not match format \"%s\"", text, format);
    add_days(&tm);
    *out = from_tm(vm, &tm, 0);
    if (*end) /* what is left */
        *out = lt_val_array_append(&vm->heap, *out,
                                   lt_val_string((struct lt_slice){end, strlen(end)}));
    return LT_FLOW_ON;
}

/* --- strftime ------------------------------------------------------------------------------- */

static enum lt_flow print_time(struct lt_vm *vm, const struct lt_val *args, const char *name,
                               enum lt_flow (*broken)(struct lt_vm *, struct lt_val,
                                                      struct lt_val *),
                               struct lt_val *out) {
    struct lt_val v = args[0];
    struct tm tm;
    enum lt_flow flow = LT_FLOW_ON;

    if (v.kind == LT_VAL_NUMBER)
        flow = broken(vm, v, &v);
    else if (v.kind != LT_VAL_ARRAY)
        flow = lt_vm_raise(vm, "%s/1 requires parsed datetime inputs", name);
    if (flow == LT_FLOW_ON && args[1].kind != LT_VAL_STRING)
        flow = lt_vm_raise(vm, "%s/1 requires a string format", name);
    if (flow == LT_FLOW_ON && !to_tm(vm, v, &tm))
        flow = lt_vm_raise(vm, "%s/1 requires parsed datetime inputs", name);
    if (flow != LT_FLOW_ON)
        return flow;
    const char *format = c_string(vm, args[1]);
    if (!format)
        return lt_vm_step(vm);
    /* jq's own room: what does not fit is an error there, and so is an empty text */
    size_t room = strlen(format) + 100;
    char *text = lt_fn_string_room(vm, room);
    if (!text)
        return lt_vm_step(vm);
    size_t n = strftime(text, room, format, &tm);
    if (n == 0)
        return lt_vm_raise(vm, "%s/1: unknown system failure", name);
    *out = lt_val_copy_string(&vm->heap, (struct lt_slice){text, n});
    return LT_FLOW_ON;
}

static enum lt_flow print_utc(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return print_time(vm, args, "strftime", break_down_utc, out);
}

static enum lt_flow print_local(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return print_time(vm, args, "strflocaltime", break_down_local, out);
}

const struct lt_fn lt_fn_time[] = {
    {"gmtime", 0, to_utc, NULL},
    {"localtime", 0, to_local, NULL},
    {"mktime", 0, to_seconds, NULL},
    {"now", 0, now, NULL},
    {"strflocaltime", 1, print_local, NULL},
    {"strftime", 1, print_utc, NULL},
    {"strptime", 1, parse_time, NULL},
    {NULL, 0, NULL, NULL},
};
