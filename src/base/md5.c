/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MD5 (RFC 1321) of partition keys: each fits into one block with its padding, and a step of MD5
 * waits for the one before it, so eight keys are digested side by side, one in each lane of a
 * vector. The compiler makes of the vectors what the processor has; for AVX2 it is asked at run
 * time. Keys that do not fit go through libcrypto.
 */
#include "base/hash.h"

enum { LANES = 8, BLOCK_BYTES = 64, SHORT_BYTES = BLOCK_BYTES - 9 };

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

/* The whole part of 2^32 |sin(i + 1)|. */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

struct batch {
    lanes words[16];
    lanes state[4];
};

/* One step; the four letters change places from step to step. */
#define STEP(a, b, mix, i, word)                                                                   \
    do {                                                                                           \
        lanes sum_ = (a) + (mix) + sines[i] + batch->words[word];                                  \
        const int turn_ = turns[(i) / 16][(i) % 4];                                                \
        (a) = (b) + (sum_ << turn_ | sum_ >> (32 - turn_));                                        \
    } while (0)

#define FOUR(i, MIX, WORD)                                                                         \
    STEP(a, b, MIX(b, c, d), i, WORD(i));                                                          \
    STEP(d, a, MIX(a, b, c), (i) + 1, WORD((i) + 1));                                              \
    STEP(c, d, MIX(d, a, b), (i) + 2, WORD((i) + 2));                                              \
    STEP(b, c, MIX(c, d, a), (i) + 3, WORD((i) + 3))

#define SIXTEEN(i, MIX, WORD)                                                                      \
    FOUR(i, MIX, WORD);                                                                            \
    FOUR((i) + 4, MIX, WORD);                                                                      \
    FOUR((i) + 8, MIX, WORD);                                                                      \
    FOUR((i) + 12, MIX, WORD)

#define MIX_F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MIX_G(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define MIX_H(x, y, z) ((x) ^ (y) ^ (z))
#define MIX_I(x, y, z) ((y) ^ ((x) | ~(z)))
#define WORD_F(i) ((i) % 16)
#define WORD_G(i) ((5 * (i) + 1) % 16)
#define WORD_H(i) ((3 * (i) + 5) % 16)
#define WORD_I(i) ((7 * (i)) % 16)

static inline __attribute__((always_inline)) void compress(struct batch *batch) {
    lanes a = (lanes){0} + start[0], b = (lanes){0} + start[1];
    lanes c = (lanes){0} + start[2], d = (lanes){0} + start[3];

    SIXTEEN(0, MIX_F, WORD_F);
    SIXTEEN(16, MIX_G, WORD_G);
    SIXTEEN(32, MIX_H, WORD_H);
    SIXTEEN(48, MIX_I, WORD_I);
    batch->state[0] = a + start[0];
    batch->state[1] = b + start[1];
    batch->state[2] = c + start[2];
    batch->state[3] = d + start[3];
}

static void compress_any(struct batch *batch) {
    compress(batch);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void compress_avx2(struct batch *batch) {
    compress(batch);
}
#endif

static uint32_t load_le32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void digest_lanes(const struct lt_slice *const *keys, uint8_t (**out)[LT_MD5_BYTES],
                         size_t n) {
    struct batch batch;

    for (size_t lane = 0; lane < LANES; lane++) {
        const struct lt_slice *key = keys[lane < n ? lane : 0];
        unsigned char block[BLOCK_BYTES] = {0};
        if (key->len)
            memcpy(block, key->data, key->len);
        block[key->len] = 0x80;
        block[BLOCK_BYTES - 8] = (unsigned char)(key->len << 3);
        block[BLOCK_BYTES - 7] = (unsigned char)(key->len >> 5);
        for (size_t i = 0; i < 16; i++)
            batch.words[i][lane] = load_le32(block + 4 * i);
    }
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        compress_avx2(&batch);
    else
#endif
        compress_any(&batch);
    for (size_t lane = 0; lane < n; lane++)
        for (size_t i = 0; i < LT_MD5_BYTES; i++)
            (*out[lane])[i] = (uint8_t)(batch.state[i / 4][lane] >> 8 * (i % 4));
}

void lt_md5_all(const struct lt_slice *keys, uint8_t (*out)[LT_MD5_BYTES], size_t n) {
    const struct lt_slice *some[LANES];
    uint8_t(*to[LANES])[LT_MD5_BYTES];
    size_t n_some = 0;

    for (size_t i = 0; i < n; i++) {
        if (keys[i].len > SHORT_BYTES) {
            lt_md5(keys[i], out[i]);
            continue;
        }
        some[n_some] = &keys[i];
        to[n_some++] = &out[i];
        if (n_some == LANES) {
            digest_lanes(some, to, LANES);
            n_some = 0;
        }
    }
    if (n_some > 1)
        digest_lanes(some, to, n_some);
    else if (n_some)
        lt_md5(*some[0], *to[0]);
}
