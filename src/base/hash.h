/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_HASH_H
#define LT_BASE_HASH_H

#include "base/slice.h"

enum { LT_MD5_BYTES = 16, LT_SHA1_BYTES = 20, LT_SHA256_BYTES = 32 };

/** CRC-32C (Castagnoli) of `data`, going on from `crc` (0 to start). SSE4.2 where there is one. */
uint32_t lt_crc32c(uint32_t crc, const void *data, size_t len);
/** The same without special instructions: what lt_crc32c() is compared with. */
uint32_t lt_crc32c_portable(uint32_t crc, const void *data, size_t len);

/* Digests of whole inputs, by libcrypto. They cannot fail: what they need is fetched once, and
 * a libcrypto without them ends the process with a message, for no hash key could be computed. */
void lt_md5(struct lt_slice data, uint8_t out[LT_MD5_BYTES]);
/** `n` of them at once: short ones, as partition keys are, side by side. */
void lt_md5_all(const struct lt_slice *keys, uint8_t (*out)[LT_MD5_BYTES], size_t n);
void lt_sha1(struct lt_slice data, uint8_t out[LT_SHA1_BYTES]);
void lt_sha256(struct lt_slice data, uint8_t out[LT_SHA256_BYTES]);
void lt_hmac_sha256(struct lt_slice key, struct lt_slice data, uint8_t out[LT_SHA256_BYTES]);

/** A digest in parts. */
enum lt_digest_kind { LT_DIGEST_MD5, LT_DIGEST_SHA1, LT_DIGEST_SHA256 };
struct lt_digest;
struct lt_digest *lt_digest_new(enum lt_digest_kind kind); /**< NULL: no memory */
void lt_digest_update(struct lt_digest *digest, struct lt_slice data);
/** Writes 16, 20 or 32 bytes. */
void lt_digest_final(struct lt_digest *digest, uint8_t *out);
void lt_digest_free(struct lt_digest *digest);

/** Lower-case hex of `n` bytes into `out`, which has room for 2n + 1. */
void lt_hex(const uint8_t *bytes, size_t n, char *out);

/** `n` random bytes from the kernel. */
void lt_random(void *out, size_t n);

#endif
