/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 both ways. The portable body goes four characters at a time through
 * tables in which a character outside the alphabet sets the top bits, so that one test a
 * group finds it. With AVX2 the bulk goes 32 characters at a time, and the portable body
 * finishes (and judges) what is left: the end, the padding, and everything odd.
 */
#include "base/base64.h"

#include <pthread.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { BAD = 1 << 24 };

/* values[i][c]: the bits that character c means as the i-th of four, or BAD; immutable after
 * fill_values */
static uint32_t values[4][256];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

static void fill_values(void) {
    for (size_t i = 0; i < 4; i++) {
        for (size_t c = 0; c < 256; c++)
            values[i][c] = BAD;
        for (uint32_t v = 0; v < 64; v++)
            values[i][(unsigned char)alphabet[v]] = v << (18 - 6 * i);
    }
}

static void encode_three(const unsigned char *in, char *out) {
    uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = alphabet[bits >> 6 & 63];
    out[3] = alphabet[bits & 63];
}

size_t lt_base64_encode_portable(struct lt_slice in, char *out) {
    const unsigned char *p = (const unsigned char *)in.data;
    size_t left = in.len;
    char *to = out;

    for (; left >= 3; left -= 3, p += 3, to += 4)
        encode_three(p, to);
    if (left) {
        const unsigned char last[3] = {p[0], left == 2 ? p[1] : 0, 0};
        encode_three(last, to);
        to[3] = '=';
        if (left == 1)
            to[2] = '=';
        to += 4;
    }
    return (size_t)(to - out);
}

static uint32_t value_of_four(const unsigned char *p) {
    return values[0][p[0]] | values[1][p[1]] | values[2][p[2]] | values[3][p[3]];
}

/* The last four characters, of which one or two may be padding. */
static size_t decode_last(const unsigned char *p, char *out) {
    size_t n_pad = p[3] != '=' ? 0 : p[2] != '=' ? 1 : 2;
    const unsigned char four[4] = {p[0], p[1], n_pad < 2 ? p[2] : 'A', n_pad < 1 ? p[3] : 'A'};
    uint32_t bits = value_of_four(four);

    if (bits & BAD || (n_pad == 1 && bits & 0xff) || (n_pad == 2 && bits & 0xffff))
        return SIZE_MAX;
    out[0] = (char)(bits >> 16);
    if (n_pad < 2)
        out[1] = (char)(bits >> 8);
    if (n_pad < 1)
        out[2] = (char)bits;
    return 3 - n_pad;
}

size_t lt_base64_decode_portable(struct lt_slice in, char *out) {
    const unsigned char *p = (const unsigned char *)in.data;
    size_t left = in.len;
    char *to = out;

    if (left == 0)
        return 0;
    if (left % 4)
        return SIZE_MAX;
    pthread_once(&filled, fill_values);
    for (; left > 4; left -= 4, p += 4, to += 3) {
        uint32_t bits = value_of_four(p);
        if (bits & BAD)
            return SIZE_MAX;
        to[0] = (char)(bits >> 16);
        to[1] = (char)(bits >> 8);
        to[2] = (char)bits;
    }
    size_t n = decode_last(p, to);
    return n == SIZE_MAX ? SIZE_MAX : (size_t)(to - out) + n;
}

#if defined(__x86_64__)
/* Both bodies follow W. Mula and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2
 * Instructions", 2018. They return how much of the input they did. */

/* 24 bytes a step, from two loads of 16, so 28 must be readable. */
__attribute__((target("avx2"))) static size_t encode_avx2(const char *in, size_t len, char *out) {
    const __m256i spread = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0,
                                            2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    const __m256i offsets =
        _mm256_setr_epi8(65, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 0, 0, 65, 71, -4,
                         -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 0, 0);
    size_t done = 0;

    for (; len - done >= 28; done += 24, out += 32) {
        __m128i low = _mm_loadu_si128((const __m128i *)(const void *)(in + done));
        __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(in + done + 12));
        __m256i bytes = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
        __m256i ac = _mm256_mulhi_epu16(_mm256_and_si256(bytes, _mm256_set1_epi32(0x0fc0fc00)),
                                        _mm256_set1_epi32(0x04000040));
        __m256i bd = _mm256_mullo_epi16(_mm256_and_si256(bytes, _mm256_set1_epi32(0x003f03f0)),
                                        _mm256_set1_epi32(0x01000010));
        __m256i six = _mm256_or_si256(ac, bd);
        /* 0 for A-Z, 1 for a-z, 2..11 for digits, 12 and 13 for + and / */
        __m256i class = _mm256_sub_epi8(_mm256_subs_epu8(six, _mm256_set1_epi8(51)),
                                        _mm256_cmpgt_epi8(six, _mm256_set1_epi8(25)));
        __m256i text = _mm256_add_epi8(six, _mm256_shuffle_epi8(offsets, class));
        _mm256_storeu_si256((__m256i *)(void *)out, text);
    }
    return done;
}

/* 32 characters a step; stops before the first step that holds anything but the alphabet. It
 * stores 32 bytes of which 24 count, for which 40 characters left leave room. */
__attribute__((target("avx2"))) static size_t decode_avx2(const char *in, size_t len, char *out) {
    /* a character is of the alphabet when the sets of its two nibbles have no bit in common */
    const __m256i low_sets =
        _mm256_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1A,
                         0x1B, 0x1B, 0x1B, 0x1A, 0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                         0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A);
    const __m256i high_sets =
        _mm256_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10,
                         0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
                         0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
    const __m256i rolls =
        _mm256_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 19, 4,
                         -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i gather = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,
                                            2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    const __m256i slash = _mm256_set1_epi8(0x2f);
    size_t done = 0;

    for (; len - done >= 40; done += 32, out += 24) {
        __m256i text = _mm256_loadu_si256((const __m256i *)(const void *)(in + done));
        __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), slash);
        __m256i low = _mm256_and_si256(text, slash);
        if (!_mm256_testz_si256(_mm256_shuffle_epi8(low_sets, low),
                                _mm256_shuffle_epi8(high_sets, high)))
            break;
        __m256i roll =
            _mm256_shuffle_epi8(rolls, _mm256_add_epi8(_mm256_cmpeq_epi8(text, slash), high));
        __m256i six = _mm256_add_epi8(text, roll);
        __m256i twelve = _mm256_maddubs_epi16(six, _mm256_set1_epi32(0x01400140));
        __m256i bytes = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));
        bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(bytes, gather),
                                            _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
        _mm256_storeu_si256((__m256i *)(void *)out, bytes);
    }
    return done;
}
#endif

size_t lt_base64_encode(struct lt_slice in, char *out) {
    size_t done = 0;

#if defined(__x86_64__)
    if (in.len >= 28 && __builtin_cpu_supports("avx2"))
        done = encode_avx2(in.data, in.len, out);
#endif
    return done / 3 * 4 + lt_base64_encode_portable(lt_slice_from(in, done), out + done / 3 * 4);
}

size_t lt_base64_decode(struct lt_slice in, char *out) {
    size_t done = 0;

#if defined(__x86_64__)
    if (in.len >= 40 && __builtin_cpu_supports("avx2"))
        done = decode_avx2(in.data, in.len, out);
#endif
    size_t n = lt_base64_decode_portable(lt_slice_from(in, done), out + done / 4 * 3);
    return n == SIZE_MAX ? SIZE_MAX : done / 4 * 3 + n;
}

void lt_base64_append(struct lt_buf *buf, struct lt_slice in) {
    size_t len;

    if (__builtin_mul_overflow(in.len / 3 + (in.len % 3 != 0), (size_t)4, &len)) {
        buf->failed = true;
        return;
    }
    char *to = len ? lt_buf_reserve(buf, len) : NULL;
    if (to)
        lt_buf_commit(buf, lt_base64_encode(in, to));
}
