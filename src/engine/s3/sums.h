/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_S3_SUMS_H
#define LT_ENGINE_S3_SUMS_H

#include "base/error.h"
#include "base/hash.h"
#include "base/slice.h"

/* The checksums that S3 knows, any of them over the same bytes in one go. */
enum lt_s3_sum {
    LT_S3_MD5,
    LT_S3_CRC32,
    LT_S3_CRC32C,
    LT_S3_CRC64NVME,
    LT_S3_SHA1,
    LT_S3_SHA256,
    LT_S3_N_SUMS
};

struct lt_s3_sum_kind {
    const char *header; /**< "x-amz-checksum-crc32" */
    const char *name;   /**< "CRC32", in errors and documents */
    size_t n_bytes;
};
extern const struct lt_s3_sum_kind lt_s3_sum_kinds[LT_S3_N_SUMS];

struct lt_s3_sums {
    bool want[LT_S3_N_SUMS];
    uint32_t crc32, crc32c;
    uint64_t crc64;
    struct lt_digest *digests[LT_S3_N_SUMS];
    uint8_t out[LT_S3_N_SUMS][LT_SHA256_BYTES]; /**< after the end, as on the wire */
};

/** Starts those in `want`. Release with lt_s3_sums_deinit(), also after failure. */
LEAT_MUST_CHECK leat_status lt_s3_sums_init(struct lt_s3_sums *sums, struct leat_error *err);
void lt_s3_sums_add(struct lt_s3_sums *sums, struct lt_slice data);
void lt_s3_sums_end(struct lt_s3_sums *sums);
void lt_s3_sums_deinit(struct lt_s3_sums *sums);

/** All of a file of `len` bytes. Blocks. Errors: LEAT_E_IO. */
LEAT_MUST_CHECK leat_status lt_s3_sums_file(struct lt_s3_sums *sums, int fd, uint64_t len,
                                            struct leat_error *err);

/** Compares with base64 text. False when it is another sum. */
bool lt_s3_sum_is(const struct lt_s3_sums *sums, enum lt_s3_sum sum, struct lt_slice base64);
/** True when the text is base64 of as many bytes as the sum has. */
bool lt_s3_sum_is_valid(enum lt_s3_sum sum, struct lt_slice base64);

/** CRC-64/NVME (reflected, polynomial ad93d23594c93659), going on from `crc` (0 to start). */
uint64_t lt_crc64nvme(uint64_t crc, const void *data, size_t len);

#endif
