/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner for x86-64 of 2010 on: 16 bytes a register. */
#include "json/scanner.h"

#ifdef __x86_64__
#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("sse4.2,pclmul,popcnt")))
#define SCAN_FN static inline __attribute__((always_inline)) SCAN_TARGET
#define VEC __m128i
#define N_VECS 4

SCAN_FN VEC vec_load(const char *at) {
    return _mm_loadu_si128((const __m128i *)at);
}

SCAN_FN VEC vec_set(char c) {
    return _mm_set1_epi8(c);
}

SCAN_FN VEC vec_table(const char *table) {
    return _mm_loadu_si128((const __m128i *)table);
}

SCAN_FN VEC vec_eq(VEC a, VEC b) {
    return _mm_cmpeq_epi8(a, b);
}

SCAN_FN VEC vec_gt(VEC a, VEC b) {
    return _mm_cmpgt_epi8(a, b);
}

SCAN_FN VEC vec_ge(VEC a, VEC b) {
    return _mm_cmpeq_epi8(_mm_max_epu8(a, b), a);
}

SCAN_FN VEC vec_lookup(VEC table, VEC index) {
    return _mm_shuffle_epi8(table, index);
}

SCAN_FN VEC vec_high_nibble(VEC v) {
    return _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(0x0f));
}

SCAN_FN VEC vec_and(VEC a, VEC b) {
    return _mm_and_si128(a, b);
}

SCAN_FN uint64_t to_mask(const VEC *v) {
    uint64_t low = (unsigned)_mm_movemask_epi8(v[0]) | (unsigned)_mm_movemask_epi8(v[1]) << 16;
    uint64_t high = (unsigned)_mm_movemask_epi8(v[2]) | (unsigned)_mm_movemask_epi8(v[3]) << 16;
    return low | high << 32;
}

#include "json/scan_vectors.h"

#include "json/scan_clmul.h"

#include "json/scan_step.h"

SCAN_TARGET bool lt_json_scan_sse42(struct lt_json_tape *tape) {
    return scan_text(tape);
}

bool lt_json_has_sse42(void) {
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul") &&
           __builtin_cpu_supports("popcnt");
}
#endif
