/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_SCAN_H
#define LT_JSON_SCAN_H

/*
 * The byte scans of this room: each gives the first byte of a class, 16 bytes a
 * step where SSE2 is there. None reads at or past `end`, so text needs no padding.
 */

#include "base/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool lt_json_is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *lt_json_skip_space(const char *at, const char *end) {
    while (at < end && lt_json_is_space(*at))
        at++;
    return at;
}

/** The first byte that a string cannot hold as it is, or that needs a look: `"`, `\`, a control
 * character, or one over 0x7f. */
static inline const char *lt_json_scan_plain(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(0x20);
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');

    while (end - at >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)at);
        /* as signed bytes, those over 0x7f are below the space too */
        __m128i hit = _mm_or_si128(_mm_cmplt_epi8(v, space), _mm_cmpeq_epi8(v, quote));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, backslash));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && (signed char)*at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/** The first `"` or `\`: the next stop in a string that is known to be valid. */
static inline const char *lt_json_scan_quote(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');

    while (end - at >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)at);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && *at != '"' && *at != '\\')
        at++;
    return at;
}

/** The first quote, bracket or brace: what matters when a container is skipped. */
static inline const char *lt_json_scan_structure(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i open = _mm_set1_epi8('{');
    const __m128i close = _mm_set1_epi8('}');
    const __m128i bit = _mm_set1_epi8(0x20); /* makes a brace of a bracket */

    while (end - at >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)at);
        __m128i low = _mm_or_si128(v, bit);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(low, open), _mm_cmpeq_epi8(low, close));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, quote));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < end && *at != '"' && (*at | 0x20) != '{' && (*at | 0x20) != '}')
        at++;
    return at;
}

/**
 * Bytes of the UTF-8 sequence at `at` (1 to 4); 0 when it is not one: overlong,
 * a surrogate, over U+10FFFF, cut short. `at` is before `end`.
 */
static inline unsigned lt_utf8_len(const char *at, const char *end) {
    const unsigned char *s = (const unsigned char *)at;
    unsigned char lead = s[0];
    unsigned n = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (n <= 1)
        return n;
    if (lead > 0xf4 || (size_t)(end - at) < n)
        return 0;
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high)
        return 0;
    for (unsigned i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/** Four hex digits as a number; at least 4 bytes are there. Below 0 when they are not hex digits.
 */
static inline int lt_json_hex4(const char *at) {
    /* one more than the digit's value, so that 0 is none */
    static const signed char digits[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    };
    const unsigned char *s = (const unsigned char *)at;
    int a = digits[s[0]] - 1, b = digits[s[1]] - 1, c = digits[s[2]] - 1, d = digits[s[3]] - 1;

    return (a | b | c | d) < 0 ? -1 : a << 12 | b << 8 | c << 4 | d;
}

/** Of eight bytes, the highest bit of each that is not a digit, the first byte lowest; of those
 * behind the first such byte nothing is said. */
static inline uint64_t lt_json_not_digits(const char *at) {
    uint64_t bytes;

    memcpy(&bytes, at, sizeof(bytes));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    bytes ^= 0x3030303030303030;
    return ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
}

/** What the validator found wrong: the byte at fault (or the end), and what should be there. */
struct lt_json_fault {
    const char *at;
    const char *expected;
};

/** The byte after the escape at `at`, which is on the backslash and may be a pair of surrogates;
 * NULL when it is not one. */
const char *lt_json_check_escape(const char *at, const char *end, struct lt_json_fault *fault);

/** The byte after the string's closing quote; `at` is after the opening one. NULL when the string
 * is not as RFC 8259 has it. */
const char *lt_json_check_string(const char *at, const char *end, struct lt_json_fault *fault);

#endif
