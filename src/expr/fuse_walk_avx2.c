/* SPDX-License-Identifier: Apache-2.0 */
/* The walk with 32 bytes a step (AVX2). */
#include "expr/fuse_run.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WALK lt_fuse_walk_avx2
#define COUNT(site, at) ((void)from)
#define NOTE(site, behind) ((void)0)
#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

TARGET static inline __attribute__((always_inline)) unsigned bits_equal(const char *at,
                                                                        const char *gap) {
    __m256i a = _mm256_loadu_si256((const __m256i *)at);
    return (unsigned)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(a, _mm256_loadu_si256((const __m256i *)gap)));
}

TARGET static inline __attribute__((always_inline)) bool
is_short_gap(const struct lt_fuse_site *site, const char *at) {
    return !((uint32_t)site->mask & ~bits_equal(at, site->gap));
}

TARGET static inline __attribute__((always_inline)) bool is_gap(const struct lt_fuse_site *site,
                                                                const char *at) {
    return is_short_gap(site, at) && (!site->is_long || !((uint32_t)(site->mask >> 32) &
                                                          ~bits_equal(at + 32, site->gap + 32)));
}

TARGET static inline __attribute__((always_inline)) uint64_t low_bytes(uint64_t word, uint32_t n) {
    return _bzhi_u64(word, 8 * n);
}

/* From memory: the compiler would make them anew for each string. */
static const struct {
    _Alignas(32) char quote[32], space[32], backslash[32];
} of = {
    .quote = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
    .space = "                                ",
    .backslash = "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\",
};

TARGET static inline __attribute__((always_inline)) __m256i get(const char *bytes) {
    return _mm256_load_si256((const __m256i *)bytes);
}

enum { STEP = 32 };

TARGET static inline __attribute__((always_inline)) unsigned stop_bits(const char *at) {
    __m256i v = _mm256_loadu_si256((const __m256i *)at);
    /* as signed bytes, those over 0x7f are below the space too */
    __m256i stop = _mm256_or_si256(_mm256_cmpgt_epi8(get(of.space), v),
                                   _mm256_or_si256(_mm256_cmpeq_epi8(v, get(of.quote)),
                                                   _mm256_cmpeq_epi8(v, get(of.backslash))));
    return (unsigned)_mm256_movemask_epi8(stop);
}

TARGET static inline __attribute__((always_inline)) const char *find_stop(const char *at) {
    return at + _tzcnt_u32(stop_bits(at));
}

/* A string whose first stop is where the site expects it, and a quote. */
TARGET static inline __attribute__((always_inline)) bool
is_fixed_string(const struct lt_fuse_site *site, const char *at) {
    return *at == '"' && _blsmsk_u32(stop_bits(at + 1)) == site->stops &&
           at[site->fixed + 1] == '"';
}

/* Digits, as numbers 0 to 9; those that are none have more. */
TARGET static inline __attribute__((always_inline)) __m128i load_digits(const char *at) {
    return _mm_sub_epi8(_mm_loadl_epi64((const __m128i *)at), _mm_set1_epi8('0'));
}

TARGET static inline __attribute__((always_inline)) unsigned count(__m128i digits) {
    __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    return _tzcnt_u32(~(unsigned)_mm_movemask_epi8(small) | 0x100);
}

TARGET static inline __attribute__((always_inline)) unsigned count_digits(const char *at) {
    return count(load_digits(at));
}

TARGET static inline __attribute__((always_inline)) uint64_t add_digits(__m128i v, unsigned n) {
    /* from shuffle + n on: moves n bytes to the end of 8, zeros before them */
    static const char shuffle[] = {-1, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,
                                   4,  5,  6,  7,  -1, -1, -1, -1, -1, -1, -1, -1};

    v = _mm_shuffle_epi8(v, _mm_loadu_si128((const __m128i *)(shuffle + n)));
    v = _mm_maddubs_epi16(v, _mm_set1_epi16(0x010a));
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00010064));
    v = _mm_packus_epi32(v, v);
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00012710));
    return (uint32_t)_mm_cvtsi128_si32(v);
}

TARGET static inline __attribute__((always_inline)) unsigned read_digits(const char *at,
                                                                         uint64_t *value) {
    __m128i v = load_digits(at);
    unsigned n = count(v);
    *value = add_digits(v, n);
    return n;
}

/* Whether there are as many digits as the site expects. */
TARGET static inline __attribute__((always_inline)) bool
is_fixed_int(const struct lt_fuse_site *site, const char *at, uint64_t *value) {
    __m128i v = load_digits(at);
    *value = add_digits(v, site->fixed);
    return count(v) == site->fixed && (*at != '0' || site->fixed == 1);
}

/* The same, with a point among them where the site expects it. */
TARGET static inline __attribute__((always_inline)) bool
is_fixed_number(const struct lt_fuse_site *site, const char *at) {
    __m128i v = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)at), _mm_set1_epi8('0'));
    __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v);
    unsigned digits = (unsigned)_mm_movemask_epi8(small);
    return (digits & site->stops) == site->digits &&
           (site->point == site->fixed || at[site->point] == '.') &&
           (*at != '0' || site->point == 1);
}

#include "expr/fuse_walk.h"
#endif
