/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner for x86-64 of 2013 on: 32 bytes a register. */
#include "json/scanner.h"

#ifdef __x86_64__
#include <immintrin.h>

#define SCAN_TARGET __attribute__((target("avx2,pclmul,bmi,bmi2,popcnt")))
#define SCAN_FN static inline __attribute__((always_inline)) SCAN_TARGET
#define VEC __m256i
#define N_VECS 2

SCAN_FN VEC vec_load(const char *at) {
    return _mm256_loadu_si256((const __m256i *)at);
}

SCAN_FN VEC vec_set(char c) {
    return _mm256_set1_epi8(c);
}

SCAN_FN VEC vec_table(const char *table) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

SCAN_FN VEC vec_eq(VEC a, VEC b) {
    return _mm256_cmpeq_epi8(a, b);
}

SCAN_FN VEC vec_gt(VEC a, VEC b) {
    return _mm256_cmpgt_epi8(a, b);
}

SCAN_FN VEC vec_ge(VEC a, VEC b) {
    return _mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a);
}

SCAN_FN VEC vec_lookup(VEC table, VEC index) {
    return _mm256_shuffle_epi8(table, index);
}

SCAN_FN VEC vec_high_nibble(VEC v) {
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));
}

SCAN_FN VEC vec_and(VEC a, VEC b) {
    return _mm256_and_si256(a, b);
}

SCAN_FN uint64_t to_mask(const VEC *v) {
    uint64_t low = (uint32_t)_mm256_movemask_epi8(v[0]);
    uint64_t high = (uint32_t)_mm256_movemask_epi8(v[1]);
    return low | high << 32;
}

#include "json/scan_vectors.h"

#include "json/scan_clmul.h"

#include "json/scan_step.h"

SCAN_TARGET bool lt_json_scan_avx2(struct lt_json_tape *tape) {
    return scan_text(tape);
}

bool lt_json_has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}
#endif
