/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from and to text, always in the C locale, whatever the program that
 * links us has set. Whole numbers are exact over all of int64; doubles are
 * correctly rounded by the C library where the short way is not exact.
 */
#include "json/json.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_c_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t get_c_locale(void) {
    pthread_once(&once, make_c_locale);
    return c_locale;
}

/* digits × 10^exponent, as it stands in the text: digits without the point. */
struct decimal {
    bool negative;
    bool overflow;   /* more digits than fit in `digits` */
    uint64_t digits; /* without trailing zeros, which are in the exponent */
    int64_t exponent;
};

/* How far an exponent is followed; no double or int64 needs more, and sums stay in range. */
enum { EXPONENT_LIMIT = 1000000000 };

static void add_digit(struct decimal *d, unsigned digit, bool fraction, int64_t *zeros) {
    if (fraction)
        d->exponent--;
    if (digit == 0) {
        ++*zeros; /* counts only when another digit follows */
        return;
    }
    for (; *zeros >= 0; --*zeros) {
        uint64_t next = *zeros ? 0 : digit;
        if (d->digits == 0 && next == 0)
            continue; /* leading zeros have no weight */
        if (__builtin_mul_overflow(d->digits, 10, &d->digits) ||
            __builtin_add_overflow(d->digits, next, &d->digits)) {
            d->overflow = true;
            break;
        }
    }
    *zeros = 0;
}

static struct decimal read_decimal(struct lt_slice raw) {
    struct decimal d = {0};
    const char *at = raw.data, *end = raw.data + raw.len;
    bool fraction = false;
    int64_t zeros = 0;

    if (at < end && *at == '-') {
        d.negative = true;
        at++;
    }
    for (; at < end && (*at | 0x20) != 'e' && !d.overflow; at++) {
        if (*at == '.')
            fraction = true;
        else
            add_digit(&d, (unsigned)(*at - '0'), fraction, &zeros);
    }
    d.exponent += zeros;
    if (at < end && (*at | 0x20) == 'e') {
        bool negative = at[1] == '-';
        int64_t exponent = 0;
        for (at += 1 + (at[1] == '-' || at[1] == '+'); at < end; at++)
            if (exponent < EXPONENT_LIMIT)
                exponent = exponent * 10 + (*at - '0');
        d.exponent += negative ? -exponent : exponent;
    }
    return d;
}

bool lt_json_int64(struct lt_json number, int64_t *out) {
    if (number.type != LT_JSON_NUMBER)
        return false;
    struct decimal d = read_decimal(number.raw);
    if (d.overflow || (d.exponent < 0 && d.digits))
        return false;
    for (; d.digits && d.exponent > 0; d.exponent--)
        if (__builtin_mul_overflow(d.digits, 10, &d.digits))
            return false;
    if (d.digits > (uint64_t)INT64_MAX + d.negative)
        return false;
    *out = d.negative ? (int64_t)(0 - d.digits) : (int64_t)d.digits;
    return true;
}

/* Every double that the C library must round itself. */
static bool read_with_libc(struct lt_slice raw, double *out) {
    char small[128];
    char *text = raw.len < sizeof(small) ? small : malloc(raw.len + 1);

    if (!text)
        return false;
    memcpy(text, raw.data, raw.len);
    text[raw.len] = '\0';
    *out = strtod_l(text, NULL, get_c_locale());
    if (text != small)
        free(text);
    return true;
}

bool lt_json_double(struct lt_json number, double *out) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    if (number.type != LT_JSON_NUMBER)
        return false;
    struct decimal d = read_decimal(number.raw);
    /* both factors are exact, so one rounding gives the nearest double */
    if (d.overflow || d.digits > 1ULL << 53 || d.exponent > 22 || d.exponent < -22)
        return read_with_libc(number.raw, out);
    double value = (double)d.digits;
    value = d.exponent < 0 ? value / powers[-d.exponent] : value * powers[d.exponent];
    *out = d.negative ? -value : value;
    return true;
}

size_t lt_json_format_double(double value, char out[32]) {
    if (!isfinite(value))
        return (size_t)snprintf(out, 32, "null");
    if (fabs(value) < 1e15 && trunc(value) == value && !(value == 0 && signbit(value)))
        return (size_t)snprintf(out, 32, "%lld", (long long)value);

    /* 15 digits are the shortest form of a normal number unless it needs more; a subnormal has
     * fewer bits and may need fewer */
    locale_t before = uselocale(get_c_locale());
    int len = 0;
    for (int precision = fabs(value) < DBL_MIN ? 1 : 15; precision <= 17; precision++) {
        len = snprintf(out, 32, "%.*g", precision, value);
        if (strtod(out, NULL) == value)
            break;
    }
    uselocale(before);
    return (size_t)len;
}
