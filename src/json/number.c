/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from text, always in the C locale, whatever the program that links us has set. Whole
 * numbers are exact over all of int64. Doubles are rounded correctly: where both factors are exact
 * by one operation, up to 19 digits and 27 places by integers of 128 bits, else by the C library.
 */
#include "json/number.h"
#include "json/scan.h"

#include <stdlib.h>

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

/* Up to eight bytes as one integer, the first in the lowest byte, those missing before the first:
 * no byte outside is read, and no loop asks how many there are. */
static inline uint64_t load_right(const char *at, size_t n) {
    const unsigned char *s = (const unsigned char *)at;

    if (n >= 4) {
        uint32_t first, last;
        memcpy(&first, at, 4);
        memcpy(&last, at + n - 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        first = __builtin_bswap32(first);
        last = __builtin_bswap32(last);
#endif
        return (uint64_t)first << (64 - 8 * n) | (uint64_t)last << 32;
    }
    return (uint64_t)s[0] << (64 - 8 * n) | (uint64_t)s[n / 2] << (64 - 8 * (n - n / 2)) |
           (uint64_t)s[n - 1] << 56;
}

/* One to eight digits. False when one of the bytes is not a digit. */
static inline bool read_8(const char *at, size_t n, uint64_t *out) {
    uint64_t zeros = n < 8 ? 0x3030303030303030 >> 8 * n : 0;
    uint64_t v = (load_right(at, n) | zeros) ^ 0x3030303030303030;

    if (((v + 0x7676767676767676) | v) & 0x8080808080808080)
        return false;
    v = v * 10 + (v >> 8); /* pairs, in every second byte */
    uint64_t even = (v & 0x000000ff000000ff) * (100 + (1000000ULL << 32));
    uint64_t odd = (v >> 16 & 0x000000ff000000ff) * (1 + (10000ULL << 32));
    *out = (even + odd) >> 32;
    return true;
}

/* A whole number of up to 16 digits without exponent: most there are. */
static inline bool read_whole(struct lt_slice raw, bool *negative, uint64_t *out) {
    const char *at = raw.data;
    uint64_t high = 0;

    if (raw.len == 0)
        return false;
    *negative = *at == '-';
    size_t n = raw.len - *negative;
    at += *negative;
    if (n - 1 > 15)
        return false;
    if (n > 8) {
        if (!read_8(at, n - 8, &high))
            return false;
        at += n - 8;
        n = 8;
    }
    if (!read_8(at, n, out))
        return false;
    *out += high * 100000000;
    return true;
}

bool lt_json_int64(struct lt_json number, int64_t *out) {
    if (number.type != LT_JSON_NUMBER)
        return false;
    bool negative;
    uint64_t whole;
    if (read_whole(number.raw, &negative, &whole)) {
        *out = negative ? -(int64_t)whole : (int64_t)whole;
        return true;
    }
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
    *out = strtod_l(text, NULL, lt_json_c_locale());
    if (text != small)
        free(text);
    return true;
}

/* 5^27 is the last below 2^64. */
enum { MAX_FIVES = 27 };

static uint64_t five_to(unsigned n) {
    static const uint64_t powers[] = {
        1ULL,
        5ULL,
        25ULL,
        125ULL,
        625ULL,
        3125ULL,
        15625ULL,
        78125ULL,
        390625ULL,
        1953125ULL,
        9765625ULL,
        48828125ULL,
        244140625ULL,
        1220703125ULL,
        6103515625ULL,
        30517578125ULL,
        152587890625ULL,
        762939453125ULL,
        3814697265625ULL,
        19073486328125ULL,
        95367431640625ULL,
        476837158203125ULL,
        2384185791015625ULL,
        11920928955078125ULL,
        59604644775390625ULL,
        298023223876953125ULL,
        1490116119384765625ULL,
        7450580596923828125ULL,
    };
    return powers[n];
}

__extension__ typedef unsigned __int128 wide;

/* bits × 2^exponent as the nearest double, ties to even; the highest of `bits` is set, `more` says
 * that something not 0 was cut off behind them. The result is a normal number. */
static double round_to_double(uint64_t bits, bool more, int exponent) {
    uint64_t mantissa = bits >> 11, rest = bits & 0x7ff;
    double value;

    mantissa += rest > 0x400 || (rest == 0x400 && (more || (mantissa & 1)));
    /* a mantissa that became 2^53 carries into the exponent's bits, as it should */
    uint64_t image = ((uint64_t)(exponent + 11 + 52 + 1023) << 52) + (mantissa - (1ULL << 52));
    memcpy(&value, &image, sizeof(value));
    return value;
}

/* digits × 10^exponent, neither 0 nor beyond MAX_FIVES: exactly as integers, rounded once. */
static double multiply_exactly(uint64_t digits, int exponent) {
    if (exponent >= 0) {
        wide product = (wide)digits * five_to((unsigned)exponent);
        uint64_t high = (uint64_t)(product >> 64);
        int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)product);
        product <<= shift;
        return round_to_double((uint64_t)(product >> 64), (uint64_t)product != 0,
                               exponent + 64 - shift);
    }
    /* both with their highest bit set, the dividend less: a quotient of 63 or 64 bits */
    uint64_t divisor = five_to((unsigned)-exponent);
    int divisor_shift = __builtin_clzll(divisor), shift = __builtin_clzll(digits);
    divisor <<= divisor_shift;
    wide dividend = (wide)(digits << shift) << 63;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    bool more = dividend != (wide)quotient * divisor;
    int lead = __builtin_clzll(quotient);
    return round_to_double(quotient << lead, more, exponent + divisor_shift - shift - 63 - lead);
}

static bool decimal_to_double(uint64_t digits, int64_t exponent, double *out) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    if (digits == 0) {
        *out = 0;
        return true;
    }
    if (exponent > MAX_FIVES || exponent < -MAX_FIVES)
        return false;
    /* both factors are exact, so one rounding gives the nearest double */
    if (digits <= 1ULL << 53 && exponent <= 22 && exponent >= -22)
        *out =
            exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    else
        *out = multiply_exactly(digits, (int)exponent);
    return true;
}

/* Digits with a point among them: 19 at most, no exponent. */
static bool read_fraction(struct lt_slice raw, struct decimal *d) {
    const char *at = raw.data, *end = raw.data + raw.len;
    const char *point = NULL;

    *d = (struct decimal){.negative = *at == '-'};
    at += d->negative;
    if (end - at > 20)
        return false;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit <= 9)
            d->digits = d->digits * 10 + digit;
        else if (*at == '.')
            point = at;
        else
            return false;
    }
    if (!point) /* may be 20 digits */
        return false;
    d->exponent = point + 1 - end;
    return true;
}

bool lt_json_double(struct lt_json number, double *out) {
    bool negative;
    uint64_t whole;
    struct decimal d;

    if (number.type != LT_JSON_NUMBER || number.raw.len == 0)
        return false;
    if (read_whole(number.raw, &negative, &whole)) {
        *out = negative ? -(double)whole : (double)whole;
        return true;
    }
    if (!read_fraction(number.raw, &d)) {
        d = read_decimal(number.raw);
        if (d.overflow)
            return read_with_libc(number.raw, out);
    }
    if (!decimal_to_double(d.digits, d.exponent, out))
        return read_with_libc(number.raw, out);
    if (d.negative)
        *out = -*out;
    return true;
}
