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
__attribute__((target("sse4.2"))) static uint32_t sum_sse42(uint32_t crc, const void *data,
                                                            size_t len) {
    const unsigned char *p = data;
    uint64_t sum = ~crc;

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
    if (__builtin_cpu_supports("sse4.2"))
        return sum_sse42(crc, data, len);
#endif
    return lt_crc32c_portable(crc, data, len);
}
