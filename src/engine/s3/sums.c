/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/s3/sums.h"

#include "base/base64.h"

#include <endian.h>
#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK_BYTES = 256 << 10 };

const struct lt_s3_sum_kind lt_s3_sum_kinds[LT_S3_N_SUMS] = {
    [LT_S3_MD5] = {"x-amz-checksum-md5", "MD5", LT_MD5_BYTES},
    [LT_S3_CRC32] = {"x-amz-checksum-crc32", "CRC32", 4},
    [LT_S3_CRC32C] = {"x-amz-checksum-crc32c", "CRC32C", 4},
    [LT_S3_CRC64NVME] = {"x-amz-checksum-crc64nvme", "CRC64NVME", 8},
    [LT_S3_SHA1] = {"x-amz-checksum-sha1", "SHA1", LT_SHA1_BYTES},
    [LT_S3_SHA256] = {"x-amz-checksum-sha256", "SHA256", LT_SHA256_BYTES},
};

static const enum lt_digest_kind digest_kinds[LT_S3_N_SUMS] = {
    [LT_S3_MD5] = LT_DIGEST_MD5,
    [LT_S3_SHA1] = LT_DIGEST_SHA1,
    [LT_S3_SHA256] = LT_DIGEST_SHA256,
};

static bool is_digest(enum lt_s3_sum sum) {
    return lt_s3_sum_kinds[sum].n_bytes > 8;
}

leat_status lt_s3_sums_init(struct lt_s3_sums *sums, struct leat_error *err) {
    for (unsigned i = 0; i < LT_S3_N_SUMS; i++)
        if (sums->want[i] && is_digest(i)) {
            sums->digests[i] = lt_digest_new(digest_kinds[i]);
            if (!sums->digests[i])
                return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a checksum");
        }
    return LEAT_OK;
}

void lt_s3_sums_add(struct lt_s3_sums *sums, struct lt_slice data) {
    if (!data.len)
        return;
    if (sums->want[LT_S3_CRC32])
        sums->crc32 = libdeflate_crc32(sums->crc32, data.data, data.len);
    if (sums->want[LT_S3_CRC32C])
        sums->crc32c = lt_crc32c(sums->crc32c, data.data, data.len);
    if (sums->want[LT_S3_CRC64NVME])
        sums->crc64 = lt_crc64nvme(sums->crc64, data.data, data.len);
    for (unsigned i = 0; i < LT_S3_N_SUMS; i++)
        if (sums->digests[i])
            lt_digest_update(sums->digests[i], data);
}

void lt_s3_sums_end(struct lt_s3_sums *sums) {
    uint32_t crc32 = htobe32(sums->crc32), crc32c = htobe32(sums->crc32c);
    uint64_t crc64 = htobe64(sums->crc64);

    memcpy(sums->out[LT_S3_CRC32], &crc32, sizeof(crc32));
    memcpy(sums->out[LT_S3_CRC32C], &crc32c, sizeof(crc32c));
    memcpy(sums->out[LT_S3_CRC64NVME], &crc64, sizeof(crc64));
    for (unsigned i = 0; i < LT_S3_N_SUMS; i++)
        if (sums->digests[i])
            lt_digest_final(sums->digests[i], sums->out[i]);
}

void lt_s3_sums_deinit(struct lt_s3_sums *sums) {
    for (unsigned i = 0; i < LT_S3_N_SUMS; i++) {
        lt_digest_free(sums->digests[i]);
        sums->digests[i] = NULL;
    }
}

leat_status lt_s3_sums_file(struct lt_s3_sums *sums, int fd, uint64_t len, struct leat_error *err) {
    leat_status status = lt_s3_sums_init(sums, err);
    char *block = status == LEAT_OK ? malloc(BLOCK_BYTES) : NULL;

    if (status == LEAT_OK && !block)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read a file");
    for (uint64_t at = 0; status == LEAT_OK && at < len;) {
        size_t n = len - at < BLOCK_BYTES ? (size_t)(len - at) : BLOCK_BYTES;
        ssize_t got = pread(fd, block, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            status = lt_fail_sys(err, got < 0 ? errno : EIO, "reading an object's file at %llu",
                                 (unsigned long long)at);
            break;
        }
        lt_s3_sums_add(sums, lt_slice(block, (size_t)got));
        at += (uint64_t)got;
    }
    free(block);
    if (status == LEAT_OK)
        lt_s3_sums_end(sums);
    return status;
}

/** Decodes into `out`; false when it is not base64 of `n` bytes. */
static bool decode(struct lt_slice base64, size_t n, uint8_t out[LT_SHA256_BYTES]) {
    char bytes[LT_SHA256_BYTES + 8];

    if (base64.len != lt_base64_encoded_len(n) || lt_base64_decode(base64, bytes) != n)
        return false;
    memcpy(out, bytes, n);
    return true;
}

bool lt_s3_sum_is_valid(enum lt_s3_sum sum, struct lt_slice base64) {
    uint8_t bytes[LT_SHA256_BYTES];
    return decode(base64, lt_s3_sum_kinds[sum].n_bytes, bytes);
}

bool lt_s3_sum_is(const struct lt_s3_sums *sums, enum lt_s3_sum sum, struct lt_slice base64) {
    uint8_t bytes[LT_SHA256_BYTES];
    size_t n = lt_s3_sum_kinds[sum].n_bytes;
    return decode(base64, n, bytes) && !memcmp(bytes, sums->out[sum], n);
}
