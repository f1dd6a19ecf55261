/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutObject. The loop writes the body to a file under `tmp/` as it comes (decoded, where it is
 * "aws-chunked"); a worker then reads it once for all its sums, compares what the client said of
 * it, and commits it.
 */
#include "engine/s3/call.h"
#include "engine/s3/chunked.h"
#include "engine/s3/sums.h"

#include "base/base64.h"

#include <errno.h>
#include <unistd.h>

static const uint64_t object_max_bytes = UINT64_C(5) << 30;

struct lt_s3_upload {
    struct lt_object_tmp tmp;
    uint64_t n_bytes;
    bool is_chunked;
    struct lt_s3_chunked chunked;
    enum lt_s3_sum sum; /* what the client gives: in a header, or a trailer */
    bool has_sum, in_trailer;
    struct lt_slice sum_text;
    struct lt_slice md5; /* Content-MD5, or empty */
};

void lt_s3_upload_drop(struct lt_s3_call *call) {
    struct lt_s3_upload *upload = call->upload;

    if (!upload)
        return;
    lt_object_tmp_drop(call->objects, &upload->tmp);
    lt_s3_chunked_deinit(&upload->chunked);
    call->upload = NULL;
}

static int write_part(void *ctx, struct lt_slice part) {
    struct lt_s3_upload *upload = ctx;

    upload->n_bytes += part.len;
    if (upload->n_bytes > object_max_bytes)
        return EFBIG;
    while (part.len) {
        ssize_t n = write(upload->tmp.fd, part.data, part.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        part = lt_slice_from(part, (size_t)n);
    }
    return 0;
}

static int take_part(void *ctx, struct lt_slice part) {
    struct lt_s3_upload *upload = ctx;
    if (!upload->is_chunked)
        return write_part(upload, part);
    return lt_s3_chunked_feed(&upload->chunked, part, write_part, upload);
}

/** The checksum that the client sends, if any: in a header, or announced as a trailer. */
static leat_status find_sum(struct lt_s3_call *call, struct lt_s3_upload *upload,
                            struct leat_error *err) {
    struct lt_slice trailer = lt_s3_header(call, "x-amz-trailer");
    unsigned n = 0;

    for (size_t i = 0; i < call->n_headers; i++) {
        struct lt_slice name = call->headers[i].name;
        bool known = name.len <= 15 || strncasecmp(name.data, "x-amz-checksum-", 15) != 0 ||
                     lt_s3_name_is(name, "x-amz-checksum-mode") ||
                     lt_s3_name_is(name, "x-amz-checksum-type") ||
                     lt_s3_name_is(name, "x-amz-checksum-algorithm");
        for (unsigned sum = 0; !known && sum < LT_S3_N_SUMS; sum++)
            if (lt_s3_name_is(name, lt_s3_sum_kinds[sum].header)) {
                upload->sum = sum;
                upload->sum_text = call->headers[i].value;
                known = true;
                n++;
            }
        if (!known)
            return lt_fail_code(err, LEAT_E_UNSUPPORTED, "NotImplemented",
                                "The checksum %.*s is not implemented", LT_FMT(name));
    }
    for (unsigned sum = 0; trailer.data && sum < LT_S3_N_SUMS; sum++)
        if (lt_s3_name_is(trailer, lt_s3_sum_kinds[sum].header)) {
            upload->sum = sum;
            upload->in_trailer = true;
            n++;
        }
    if (trailer.len && !upload->in_trailer)
        return lt_fail_code(err, LEAT_E_UNSUPPORTED, "NotImplemented",
                            "The trailer %.*s is not implemented", LT_FMT(trailer));
    if (n > 1)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidRequest",
                            "Expecting a single x-amz-checksum- header. Multiple checksum types "
                            "are not allowed.");
    if (n && !upload->in_trailer && !lt_s3_sum_is_valid(upload->sum, upload->sum_text))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidRequest",
                            "Value for %s header is invalid.", lt_s3_sum_kinds[upload->sum].header);
    upload->has_sum = n == 1;
    return LEAT_OK;
}

static leat_status check_headers(struct lt_s3_call *call, struct lt_s3_upload *upload,
                                 struct leat_error *err) {
    struct lt_slice sha256 = lt_s3_header(call, "x-amz-content-sha256");
    struct lt_slice encoding = lt_s3_header(call, "Content-Encoding");
    struct lt_slice none = lt_s3_header(call, "If-None-Match");
    uint64_t len = lt_http_content_length(call->request);

    if (!lt_object_folder_has(call->objects, call->bucket, NULL))
        return lt_fail_code(err, LEAT_E_NOT_FOUND, "NoSuchBucket",
                            "The specified bucket does not exist");
    if (len != UINT64_MAX && len > object_max_bytes)
        return lt_fail_code(err, LEAT_E_LIMIT, "EntityTooLarge",
                            "Your proposed upload exceeds the maximum allowed size: %llu bytes, "
                            "at most %llu",
                            (unsigned long long)len, (unsigned long long)object_max_bytes);
    if (lt_s3_header(call, "x-amz-server-side-encryption-customer-algorithm").data)
        return lt_fail_code(err, LEAT_E_UNSUPPORTED, "NotImplemented",
                            "Encryption with a customer's key is not implemented");
    if (none.data && !lt_slice_eq_str(none, "*"))
        return lt_fail_code(err, LEAT_E_UNSUPPORTED, "NotImplemented",
                            "If-None-Match of a put can only be *");
    upload->is_chunked = lt_slice_starts(sha256, LT_LIT("STREAMING-")) ||
                         (encoding.data && memmem(encoding.data, encoding.len, "aws-chunked", 11));
    upload->md5 = lt_s3_header(call, "Content-MD5");
    if (upload->md5.data && !lt_s3_sum_is_valid(LT_S3_MD5, upload->md5))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidDigest",
                            "The Content-MD5 you specified is not valid.");
    leat_status status = find_sum(call, upload, err);
    struct lt_slice meta;
    if (status == LEAT_OK)
        status = lt_s3_meta_read(call, lt_slice("", 0), lt_slice("", 0), &meta, err);
    return status;
}

leat_status lt_s3_put_object_begin(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_s3_upload *upload = lt_arena_calloc(call->arena, 1, sizeof(*upload));

    if (!upload)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an upload");
    upload->tmp.fd = -1;
    leat_status status = check_headers(call, upload, err);
    if (status == LEAT_OK)
        status = lt_object_tmp_new(call->objects, &upload->tmp, err);
    if (status != LEAT_OK)
        return status;
    lt_s3_chunked_init(&upload->chunked);
    call->upload = upload;
    lt_http_body_to(call->request, UINT64_MAX, take_part, upload);
    return LEAT_OK;
}

/** Whether all of the body came, as far as one can tell without its sums. */
static leat_status check_whole(struct lt_s3_call *call, struct leat_error *err) {
    const struct lt_s3_upload *upload = call->upload;
    struct lt_slice decoded = lt_s3_header(call, "x-amz-decoded-content-length");
    int sys = lt_http_body_error(call->request);
    char text[24];
    int n;

    if (sys == EFBIG)
        return lt_fail_code(err, LEAT_E_LIMIT, "EntityTooLarge",
                            "Your proposed upload exceeds the maximum allowed size: at most %llu "
                            "bytes",
                            (unsigned long long)object_max_bytes);
    if (sys == EPROTO)
        return lt_fail_code(err, LEAT_E_PARSE, "IncompleteBody",
                            "The aws-chunked coding of the body is malformed");
    if (sys)
        return lt_fail_sys(err, sys, "writing an upload");
    if (!upload->is_chunked)
        return LEAT_OK;
    n = snprintf(text, sizeof(text), "%llu", (unsigned long long)upload->n_bytes);
    if (!lt_s3_chunked_is_whole(&upload->chunked) ||
        (decoded.data && !lt_slice_eq(decoded, lt_slice(text, (size_t)n))))
        return lt_fail_code(err, LEAT_E_PARSE, "IncompleteBody",
                            "You did not provide the number of bytes specified by the "
                            "x-amz-decoded-content-length HTTP header.");
    return LEAT_OK;
}

static leat_status bad_digest(const char *name, struct leat_error *err) {
    return lt_fail_code(err, LEAT_E_INVALID, "BadDigest",
                        "The %s you specified did not match the calculated checksum.", name);
}

static leat_status compare_sums(struct lt_s3_call *call, const struct lt_s3_sums *sums,
                                struct leat_error *err) {
    struct lt_s3_upload *upload = call->upload;
    struct lt_slice sha256 = lt_s3_header(call, "x-amz-content-sha256");
    char hex[2 * LT_SHA256_BYTES + 1];

    if (upload->in_trailer) {
        upload->sum_text =
            lt_s3_chunked_trailer(&upload->chunked, lt_s3_sum_kinds[upload->sum].header);
        if (!lt_s3_sum_is_valid(upload->sum, upload->sum_text))
            return lt_fail_code(err, LEAT_E_INVALID, "InvalidRequest",
                                "Value for %s trailing header is invalid.",
                                lt_s3_sum_kinds[upload->sum].header);
    }
    if (upload->md5.data && !lt_s3_sum_is(sums, LT_S3_MD5, upload->md5))
        return bad_digest("Content-MD5", err);
    if (upload->has_sum && !lt_s3_sum_is(sums, upload->sum, upload->sum_text))
        return bad_digest(lt_s3_sum_kinds[upload->sum].name, err);
    if (!upload->is_chunked && sha256.len == 2 * LT_SHA256_BYTES) {
        lt_hex(sums->out[LT_S3_SHA256], LT_SHA256_BYTES, hex);
        if (strncasecmp(hex, sha256.data, sha256.len) != 0)
            return lt_fail_code(err, LEAT_E_INVALID, "XAmzContentSHA256Mismatch",
                                "The provided 'x-amz-content-sha256' header does not match what "
                                "was computed.");
    }
    return LEAT_OK;
}

static leat_status commit(struct lt_s3_call *call, const struct lt_s3_sums *sums,
                          struct leat_error *err) {
    struct lt_s3_upload *upload = call->upload;
    const struct lt_s3_sum_kind *kind = &lt_s3_sum_kinds[upload->sum];
    struct lt_slice match = lt_s3_header(call, "If-Match");
    struct lt_object_commit object = {
        .key = call->key,
        .content_type = lt_s3_header(call, "Content-Type"),
        .content_encoding = lt_s3_content_encoding(call),
        .if_none = lt_s3_header(call, "If-None-Match").data != NULL,
    };

    if (match.len >= 2 && match.data[0] == '"' && match.data[match.len - 1] == '"')
        match = lt_slice(match.data + 1, match.len - 2);
    object.if_match = match;
    lt_hex(sums->out[LT_S3_MD5], LT_MD5_BYTES, object.etag);
    leat_status status = lt_s3_meta_read(call, lt_slice_str(kind->header),
                                         upload->has_sum ? upload->sum_text : lt_slice("", 0),
                                         &object.user_meta, err);
    if (status == LEAT_OK)
        status = lt_object_folder_commit(call->objects, call->bucket, &upload->tmp, &object, err);
    if (status != LEAT_OK)
        return status;
    lt_s3_answer_header_str(call, "ETag", lt_s3_quoted(call->arena, object.etag));
    if (upload->has_sum) {
        lt_s3_answer_header(call, kind->header, lt_arena_dup(call->arena, upload->sum_text));
        lt_s3_answer_header_str(call, "x-amz-checksum-type", "FULL_OBJECT");
    }
    return LEAT_OK;
}

leat_status lt_s3_put_object(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_s3_upload *upload = call->upload;
    struct lt_s3_sums sums;

    memset(&sums, 0, sizeof(sums));
    sums.want[LT_S3_MD5] = true;
    if (upload->has_sum)
        sums.want[upload->sum] = true;
    if (!upload->is_chunked &&
        lt_s3_header(call, "x-amz-content-sha256").len == 2 * LT_SHA256_BYTES)
        sums.want[LT_S3_SHA256] = true;
    leat_status status = check_whole(call, err);
    if (status == LEAT_OK)
        status = lt_s3_sums_file(&sums, upload->tmp.fd, upload->n_bytes, err);
    if (status == LEAT_OK)
        status = compare_sums(call, &sums, err);
    if (status == LEAT_OK)
        status = commit(call, &sums, err);
    lt_s3_sums_deinit(&sums);
    lt_s3_upload_drop(call);
    return status;
}
