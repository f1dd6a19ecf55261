/* SPDX-License-Identifier: Apache-2.0 */
/* Of the scanners for x86-64, behind their SCAN_FN; no include guard. */

/* Each bit becomes the parity of those up to it: a product without carries by all ones. */
SCAN_FN uint64_t prefix_xor(uint64_t bits) {
    __m128i product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)bits), _mm_set1_epi8(-1), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}
