/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_BASE64_H
#define LT_BASE_BASE64_H

#include "base/buf.h"

/** Bytes that the encoding of `n` bytes takes, padding included. */
static inline size_t lt_base64_encoded_len(size_t n) {
    return (n + 2) / 3 * 4;
}

/** Most bytes that decoding `n` characters can give. */
static inline size_t lt_base64_decoded_max(size_t n) {
    return n / 4 * 3 + 3;
}

/** Encodes (RFC 4648 section 4, padded) into `out`, which has room; returns the length. */
size_t lt_base64_encode(struct lt_slice in, char *out);

/**
 * Decodes padded RFC 4648 text into `out`, which has room for
 * lt_base64_decoded_max(). Returns the length, or SIZE_MAX where `in` has a
 * character outside the alphabet, a wrong length, or padding that is missing,
 * misplaced or hides bits that are not zero.
 */
size_t lt_base64_decode(struct lt_slice in, char *out);

/* The same without special instructions: what the two above are compared with. */
size_t lt_base64_encode_portable(struct lt_slice in, char *out);
size_t lt_base64_decode_portable(struct lt_slice in, char *out);

void lt_base64_append(struct lt_buf *buf, struct lt_slice in);

#endif
