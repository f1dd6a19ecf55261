/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanner for x86-64 with AVX-512 VBMI and VBMI2: a block is one register, comparisons give
 * masks, and a mask becomes a list of positions without a loop.
 */
#include "json/scanner.h"

#ifdef __x86_64__
#include <immintrin.h>

#define SCAN_TARGET                                                                                \
    __attribute__((target("avx512f,avx512bw,avx512vbmi,avx512vbmi2,pclmul,bmi,bmi2,"               \
                          "popcnt")))
#define SCAN_FN static inline __attribute__((always_inline)) SCAN_TARGET

struct block {
    __m512i v;
};

struct classes {
    uint64_t structure, blank_or_structure, control, high;
};

SCAN_FN struct block load_block(const char *at) {
    return (struct block){_mm512_loadu_si512(at)};
}

/* Bytes that the mask leaves out are not touched, whatever page they lie in. */
SCAN_FN struct block load_tail(const char *at, unsigned len) {
    return (struct block){_mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), (1ULL << len) - 1, at)};
}

SCAN_FN uint64_t mask_eq(struct block block, char c) {
    return _mm512_cmpeq_epi8_mask(block.v, _mm512_set1_epi8(c));
}

SCAN_FN uint64_t mask_ge(struct block block, unsigned char c) {
    return _mm512_cmpge_epu8_mask(block.v, _mm512_set1_epi8((char)c));
}

/* One lookup in a table of the 128 ASCII bytes: 1 for structure, 2 for white space. The lookup
 * takes seven bits; a byte over 0x7f gets the class of another, and is a fault wherever that
 * matters. */
SCAN_FN struct classes classify(struct block block) {
    static const char table[128] __attribute__((aligned(64))) = {
        [' '] = 2, ['\t'] = 2, ['\n'] = 2, ['\r'] = 2, ['{'] = 1,
        ['}'] = 1, ['['] = 1,  [']'] = 1,  [':'] = 1,  [','] = 1,
    };
    __m512i class =
        _mm512_permutex2var_epi8(_mm512_load_si512(table), block.v, _mm512_load_si512(table + 64));
    return (struct classes){
        _mm512_test_epi8_mask(class, _mm512_set1_epi8(1)), _mm512_test_epi8_mask(class, class),
        _mm512_cmplt_epu8_mask(block.v, _mm512_set1_epi8(0x20)), _mm512_movepi8_mask(block.v)};
}

/* Positions are compressed as bytes in a register (into memory it is slow on some machines), then
 * widened. Thirty-two are stored without asking: more are rare. */
SCAN_FN uint32_t *put_tokens(uint32_t *out, uint32_t base, uint64_t tokens) {
    static const unsigned char positions[64] __attribute__((aligned(64))) = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
    };
    __m512i start = _mm512_set1_epi32((int)base);
    __m512i found = _mm512_maskz_compress_epi8(tokens, _mm512_load_si512(positions));
    unsigned n = (unsigned)__builtin_popcountll(tokens);

    _mm512_storeu_si512(
        out, _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found))));
    _mm512_storeu_si512(
        out + 16,
        _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(found, 1))));
    if (__builtin_expect(n > 32, 0)) {
        _mm512_storeu_si512(
            out + 32,
            _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(found, 2))));
        _mm512_storeu_si512(
            out + 48,
            _mm512_add_epi32(start, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(found, 3))));
    }
    return out + n;
}

#include "json/scan_clmul.h"

#include "json/scan_step.h"

SCAN_TARGET bool lt_json_scan_avx512(struct lt_json_tape *tape) {
    return scan_text(tape);
}

bool lt_json_has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
           __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}
#endif
