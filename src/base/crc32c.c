/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32C, reflected polynomial 0x82F63B78 (RFC 3720 appendix B.4). Two bodies
 * that give the same: the processor's own instruction where there is one, asked for at
 * run time, and tables of eight bytes a step. The journal trusts this sum for what it serves.
 */
#include "base/hash.h"

#include <pthread.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

static uint32_t tables[8][256]; /* immutable after fill_tables */
static pthread_once_t filled = PTHREAD_ONCE_INIT;

static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
        tables[0][byte] = crc;
    }
    for (size_t k = 1; k < 8; k++)
        for (size_t byte = 0; byte < 256; byte++) {
            uint32_t before = tables[k - 1][byte];
            tables[k][byte] = before >> 8 ^ tables[0][before & 255];
        }
}

static uint64_t load_le64(const unsigned char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

uint32_t lt_crc32c_portable(uint32_t crc, const void *data, size_t len) {
    const unsigned char *p = data;

    pthread_once(&filled, fill_tables);
    crc = ~crc;
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t word = load_le64(p) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++)
            crc ^= tables[7 - i][word >> 8 * i & 255];
    }
    for (; len; len--, p++)
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 255];
    return ~crc;
}

#if defined(__x86_64__)
/*
 * The instruction gives a result each cycle but takes three for it, so three stretches of the same
 * length are summed side by side. The sum of A followed by B is that of A, moved on over the
 * length of B, and that of B, added (polynomials over two elements). Moving on is a product with
 * x^(8 * length) modulo the polynomial: carry-less multiplication gives the product, and the
 * instruction itself its remainder, times x^33, which the factor makes up for.
 */
enum { SHORT_BYTES = 128, LONG_BYTES = 1024, N_STRIDES = 2 };
static const size_t strides[N_STRIDES] = {LONG_BYTES, SHORT_BYTES};
static uint32_t factors[N_STRIDES][2]; /* immutable after find_factors: over one, over two */
static pthread_once_t found = PTHREAD_ONCE_INIT;
static bool folds; /* immutable after find_factors */

/* x^n modulo the polynomial, lowest power in the highest bit. */
static uint32_t power(size_t n) {
    uint32_t value = 1U << 31;

    for (; n; n--)
        value = value & 1 ? value >> 1 ^ 0x82F63B78U : value >> 1;
    return value;
}

static void find_factors(void) {
    for (size_t i = 0; i < N_STRIDES; i++)
        for (size_t k = 0; k < 2; k++)
            factors[i][k] = power(8 * strides[i] * (k + 1) - 33);
    folds = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t move_on(uint64_t sum, uint32_t factor) {
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)sum), _mm_cvtsi32_si128((int)factor), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* The sum after three stretches of `stride` bytes. */
__attribute__((target("sse4.2,pclmul"))) static uint64_t
sum_three(uint64_t sum, const unsigned char *p, size_t stride, const uint32_t *factor) {
    uint64_t second = 0, third = 0;

    for (size_t i = 0; i < stride; i += 8) {
        sum = _mm_crc32_u64(sum, load_le64(p + i));
        second = _mm_crc32_u64(second, load_le64(p + stride + i));
        third = _mm_crc32_u64(third, load_le64(p + 2 * stride + i));
    }
    return move_on(sum, factor[1]) ^ move_on(second, factor[0]) ^ third;
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t sum_sse42(uint32_t crc, const void *data,
                                                                   size_t len) {
    const unsigned char *p = data;
    uint64_t sum = ~crc;

    for (size_t i = 0; i < N_STRIDES; i++) {
        const size_t step = 3 * strides[i];
        for (; len >= step; len -= step, p += step)
            sum = sum_three(sum, p, strides[i], factors[i]);
    }
    for (; len >= 8; len -= 8, p += 8)
        sum = _mm_crc32_u64(sum, load_le64(p));
    crc = (uint32_t)sum;
    for (; len; len--, p++)
        crc = _mm_crc32_u8(crc, *p);
    return ~crc;
}
#endif

uint32_t lt_crc32c(uint32_t crc, const void *data, size_t len) {
#if defined(__x86_64__)
    pthread_once(&found, find_factors);
    if (folds)
        return sum_sse42(crc, data, len);
#endif
    return lt_crc32c_portable(crc, data, len);
}
