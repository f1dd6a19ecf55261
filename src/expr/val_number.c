/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: how they are read, and how jq 1.6 prints a double. */
#include "expr/val_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAFE_DIGITS = 18 }; /* that always fit int64 */

/* A spelling without point and exponent that fits int64; "-0" has a sign that only a double has. */
static bool read_int(const char *at, size_t len, int64_t *out) {
    bool negative = len && *at == '-';
    at += negative;
    len -= negative;
    int64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)at[i] - '0';
        if (digit > 9)
            return false;
        if (i < SAFE_DIGITS)
            value = value * 10 - (int)digit;
        else if (__builtin_mul_overflow(value, 10, &value) ||
                 __builtin_sub_overflow(value, (int64_t)digit, &value))
            return false;
    }
    if ((negative && value == 0) || (!negative && value == INT64_MIN))
        return false;
    *out = negative ? value : -value;
    return true;
}

struct lt_val lt_val_number(struct lt_val v) {
    if (v.kind != LT_VAL_NUMBER || v.form != LT_VAL_RAW)
        return v;
    int64_t i;
    if (read_int(v.s, v.n, &i))
        return lt_val_int(i);
    double d = 0;
    (void)lt_json_double((struct lt_json){LT_JSON_NUMBER, lt_slice(v.s, v.n)}, &d);
    return lt_val_double(d);
}

double lt_val_as_double(struct lt_val number) {
    struct lt_val v = lt_val_number(number);
    return v.form == LT_VAL_INT ? (double)v.i : v.d;
}

size_t lt_val_format_int(int64_t value, char out[24]) {
    char digits[24];
    size_t n = 0, len = 0;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (value < 0)
        out[len++] = '-';
    while (n)
        out[len++] = digits[--n];
    return len;
}

/* A positive double as its shortest digits (without zeros at their end) × 10^-scale, the short way:
 * of the first scale at which a whole number below 10^15 gives the double back. Both the number and
 * the power are exact, so what is divided is rounded once. */
static bool shorten_fast(double value, uint64_t *digits, int *scale) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (value < 1e-5 || value >= 1e15)
        return false;
    for (int i = 0; i <= 20; i++) {
        double scaled = value * powers[i];
        if (scaled >= 1e15)
            return false;
        double whole = nearbyint(scaled);
        if (whole / powers[i] == value) {
            *digits = (uint64_t)whole;
            *scale = i;
            return true;
        }
    }
    return false;
}

/* `value` rounded to `n` digits, as a whole number × 10^-scale. The locale's point is skipped,
 * whatever it is. */
static void round_to(double value, int n, uint64_t *digits, int *scale) {
    char text[64];
    (void)snprintf(text, sizeof(text), "%.*e", n - 1, value);
    const char *at = text;
    *digits = 0;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            *digits = *digits * 10 + (unsigned)(*at - '0');
    *scale = n - 1 - (int)strtol(at + 1, NULL, 10);
}

static bool reads_back(uint64_t digits, int scale, double value) {
    char text[64];
    double again;
    int len = snprintf(text, sizeof(text), "%llue%d", (unsigned long long)digits, -scale);
    return lt_json_double((struct lt_json){LT_JSON_NUMBER, lt_slice(text, (size_t)len)}, &again) &&
           again == value;
}

/* The same for any double. A power of two has twice the room above it that it has below: there the
 * digits may be those above though others are nearer, which do not read back. */
static void shorten(double value, uint64_t *digits, int *scale) {
    int exponent;
    if (shorten_fast(value, digits, scale))
        return;
    bool power_of_two = frexp(value, &exponent) == 0.5;
    for (int n = value < DBL_MIN ? 1 : 15; n <= 17; n++) {
        round_to(value, n, digits, scale);
        if (reads_back(*digits, *scale, value))
            return;
        if (power_of_two && reads_back(*digits + 1, *scale, value)) {
            ++*digits;
            return;
        }
    }
}

static size_t put_exponent(char *out, int exponent) {
    size_t len = 0;
    out[len++] = 'e';
    out[len++] = exponent < 0 ? '-' : '+';
    unsigned left = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (left >= 100)
        out[len++] = (char)('0' + left / 100);
    out[len++] = (char)('0' + left / 10 % 10);
    out[len++] = (char)('0' + left % 10);
    return len;
}

/* `n` digits whose point stands after the first `point` of them. */
static size_t put_plain(char *out, const char *digits, int n, int point) {
    size_t len = 0;
    if (point <= 0) {
        out[len++] = '0';
        out[len++] = '.';
        for (; point < 0; point++)
            out[len++] = '0';
    }
    for (int i = 0; i < n; i++) {
        if (i == point && i)
            out[len++] = '.';
        out[len++] = digits[i];
    }
    for (int i = n; i < point; i++)
        out[len++] = '0';
    return len;
}

size_t lt_val_format_double(double value, char out[32]) {
    if (isnan(value)) {
        memcpy(out, "null", 4);
        return 4;
    }
    if (isinf(value))
        value = value > 0 ? DBL_MAX : -DBL_MAX;
    size_t len = 0;
    if (signbit(value)) {
        out[len++] = '-';
        value = -value;
    }
    if (value < 1e15 && value == (double)(int64_t)value)
        return len + lt_val_format_int((int64_t)value, out + len);

    uint64_t all;
    int scale;
    char digits[24];
    shorten(value, &all, &scale);
    while (all % 10 == 0) {
        all /= 10;
        scale--;
    }
    int n = (int)lt_val_format_int((int64_t)all, digits);
    int point = n - scale; /* digits before the point */
    if (point > -4 && point <= n + 15)
        return len + put_plain(out + len, digits, n, point);
    out[len++] = digits[0];
    if (n > 1) {
        out[len++] = '.';
        memcpy(out + len, digits + 1, (size_t)n - 1);
        len += (size_t)n - 1;
    }
    return len + put_exponent(out + len, point - 1);
}

size_t lt_val_format_number(struct lt_val number, char out[32]) {
    struct lt_val v = lt_val_number(number);
    return v.form == LT_VAL_INT ? lt_val_format_int(v.i, out) : lt_val_format_double(v.d, out);
}
