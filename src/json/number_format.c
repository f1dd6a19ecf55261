/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubles to text, always in the C locale. Numbers of a few decimal places, which most are, need
 * integers only; the rest is printed by the C library with as many digits as it takes.
 */
#include "json/number.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_c_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t lt_json_c_locale(void) {
    pthread_once(&once, make_c_locale);
    return c_locale;
}

/* The digits of `value`, zeros before them up to `least`. Returns the end. */
static char *put_digits(char *out, uint64_t value, unsigned least) {
    char digits[20];
    unsigned n = 0;

    for (; value || n < least; value /= 10)
        digits[n++] = (char)('0' + value % 10);
    while (n)
        *out++ = digits[--n];
    return out;
}

/*
 * A value of at most 15 digits in all, `places` of them behind the point. When dividing gives the
 * value again, these digits read back as it, and no other 15 digits or fewer do: they are what
 * "%.15g" would print. Returns the length; 0 when it is no such value.
 */
static size_t format_places(double value, char out[32]) {
    double size = fabs(value), power = 1;

    if (size >= 1e15 || size < 1e-4)
        return 0;
    for (unsigned places = 0; places <= 8; places++, power *= 10) {
        double scaled = rint(size * power);
        if (scaled >= 1e15)
            return 0;
        if (scaled / power != size)
            continue;
        uint64_t digits = (uint64_t)scaled, unit = (uint64_t)power;
        char *end = out;
        if (value < 0)
            *end++ = '-';
        end = put_digits(end, digits / unit, 1);
        if (places) {
            *end++ = '.';
            end = put_digits(end, digits % unit, places);
        }
        *end = '\0';
        return (size_t)(end - out);
    }
    return 0;
}

size_t lt_json_format_double(double value, char out[32]) {
    if (!isfinite(value))
        return (size_t)snprintf(out, 32, "null");
    if (value == 0)
        return (size_t)snprintf(out, 32, signbit(value) ? "-0" : "0");
    size_t quick = format_places(value, out);
    if (quick)
        return quick;

    /* 15 digits are the shortest form of a normal number unless it needs more; a subnormal has
     * fewer bits and may need fewer */
    locale_t before = uselocale(lt_json_c_locale());
    size_t len = 0;
    for (int precision = fabs(value) < DBL_MIN ? 1 : 15; precision <= 17; precision++) {
        double again;
        len = (size_t)snprintf(out, 32, "%.*g", precision, value);
        if (lt_json_double((struct lt_json){LT_JSON_NUMBER, {out, len}}, &again) && again == value)
            break;
    }
    uselocale(before);
    return len;
}
