/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner for 64-bit ARM: 16 bytes a register. */
#include "json/scanner.h"

#ifdef __aarch64__
#include <arm_neon.h>

#define SCAN_FN static inline __attribute__((always_inline))
#define VEC uint8x16_t
#define N_VECS 4

SCAN_FN VEC vec_load(const char *at) {
    return vld1q_u8((const uint8_t *)at);
}

SCAN_FN VEC vec_set(char c) {
    return vdupq_n_u8((uint8_t)c);
}

SCAN_FN VEC vec_table(const char *table) {
    return vec_load(table);
}

SCAN_FN VEC vec_eq(VEC a, VEC b) {
    return vceqq_u8(a, b);
}

SCAN_FN VEC vec_gt(VEC a, VEC b) {
    return vcgtq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b));
}

SCAN_FN VEC vec_ge(VEC a, VEC b) {
    return vcgeq_u8(a, b);
}

/* An index over 15 gives 0. */
SCAN_FN VEC vec_lookup(VEC table, VEC index) {
    return vqtbl1q_u8(table, vandq_u8(index, vdupq_n_u8(0x8f)));
}

SCAN_FN VEC vec_high_nibble(VEC v) {
    return vshrq_n_u8(v, 4);
}

SCAN_FN VEC vec_and(VEC a, VEC b) {
    return vandq_u8(a, b);
}

SCAN_FN VEC sign(VEC v) {
    return vcltzq_s8(vreinterpretq_s8_u8(v));
}

/* There is no instruction for it: each byte keeps the bit of its place among eight, and neighbours
 * are added until eight bytes are one. */
SCAN_FN uint64_t to_mask(const VEC *v) {
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const VEC place = vld1q_u8(places);
    VEC low = vpaddq_u8(vandq_u8(sign(v[0]), place), vandq_u8(sign(v[1]), place));
    VEC high = vpaddq_u8(vandq_u8(sign(v[2]), place), vandq_u8(sign(v[3]), place));
    VEC sum = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

/* Each bit becomes the parity of those up to it. */
SCAN_FN uint64_t prefix_xor(uint64_t bits) {
    for (unsigned shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

#include "json/scan_vectors.h"

#include "json/scan_step.h"

bool lt_json_scan_neon(struct lt_json_tape *tape) {
    return scan_text(tape);
}
#endif
