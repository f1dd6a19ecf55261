/* SPDX-License-Identifier: Apache-2.0 */
/* GetObject and HeadObject: the same answer, the second without its body. */
#include "engine/s3/call.h"

#include <stdio.h>
#include <unistd.h>

/* Query parameters by which a client chooses headers of the answer. */
static const struct {
    const char *param;
    const char *header;
} overrides[] = {
    {"response-content-type", "Content-Type"},
    {"response-content-encoding", "Content-Encoding"},
    {"response-content-disposition", "content-disposition"},
    {"response-content-language", "content-language"},
    {"response-cache-control", "cache-control"},
    {"response-expires", "expires"},
};

static void override(struct lt_s3_call *call, const char *param, const char *header) {
    struct lt_slice value = lt_s3_param(call, param);

    if (!value.len)
        return;
    for (size_t i = 0; i < call->n_answer; i++)
        if (lt_s3_name_is(lt_slice_str(call->answer[i].name), header)) {
            call->answer[i].value = value;
            return;
        }
    lt_s3_answer_header(call, header, value);
}

static leat_status check_version(const struct lt_s3_call *call, struct leat_error *err) {
    struct lt_slice version = lt_s3_param(call, "versionId");
    if (!version.data || lt_slice_eq_str(version, "null"))
        return LEAT_OK;
    return lt_fail_code(err, LEAT_E_NOT_FOUND, "NoSuchVersion",
                        "The specified version does not exist.");
}

/** What to send of the object: sets offset, length and status. */
static leat_status choose_part(struct lt_s3_call *call, const struct lt_object_info *info,
                               struct leat_error *err) {
    struct lt_slice range = lt_s3_header(call, "Range");
    struct lt_slice if_range = lt_s3_header(call, "If-Range");

    call->offset = 0;
    call->len = info->size;
    if (!range.data || (if_range.data && !lt_s3_etag_in(if_range, info->etag)))
        return LEAT_OK;
    switch (lt_s3_range(range, info->size, &call->offset, &call->len)) {
    case LT_S3_FAILED:
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidRange",
                            "The requested range is not satisfiable: the object has %llu bytes",
                            (unsigned long long)info->size);
    case LT_S3_NOT_MODIFIED:
        return LEAT_OK;
    case LT_S3_GO:
        break;
    }
    call->status = 206;
    lt_s3_answer_header_str(call, "Content-Range",
                            lt_arena_printf(call->arena, "bytes %llu-%llu/%llu",
                                            (unsigned long long)call->offset,
                                            (unsigned long long)(call->offset + call->len - 1),
                                            (unsigned long long)info->size));
    return LEAT_OK;
}

static void describe(struct lt_s3_call *call, const struct lt_object_info *info) {
    lt_s3_answer_header_str(call, "ETag", lt_s3_quoted(call->arena, info->etag));
    lt_s3_answer_header_str(call, "Last-Modified", lt_s3_http_date(call->arena, info->modified_ms));
}

static void describe_body(struct lt_s3_call *call, const struct lt_object_info *info) {
    bool checksums = lt_s3_name_is(lt_s3_header(call, "x-amz-checksum-mode"), "ENABLED");

    lt_s3_answer_header_str(call, "Accept-Ranges", "bytes");
    if (info->content_type.len)
        lt_s3_answer_header(call, "Content-Type", info->content_type);
    else
        lt_s3_answer_header_str(call, "Content-Type", "binary/octet-stream");
    if (info->content_encoding.len)
        lt_s3_answer_header(call, "Content-Encoding", info->content_encoding);
    lt_s3_meta_answer(call, info->user_meta, checksums && call->status != 206);
    for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++)
        override(call, overrides[i].param, overrides[i].header);
}

leat_status lt_s3_get_object(struct lt_s3_call *call, struct leat_error *err) {
    bool is_head = lt_slice_eq_str(call->method, "HEAD");
    struct lt_object_info info;

    leat_status status = check_version(call, err);
    if (status == LEAT_OK)
        status = lt_object_folder_open(call->objects, call->bucket, call->key, call->arena, &info,
                                       is_head ? NULL : &call->fd, err);
    if (status != LEAT_OK)
        return status;
    if (is_head)
        call->fd = -1;
    switch (lt_s3_check(call, "", &info)) {
    case LT_S3_NOT_MODIFIED:
        describe(call, &info);
        call->status = 304;
        goto without_body;
    case LT_S3_FAILED:
        status = lt_fail_code(err, LEAT_E_INVALID, "PreconditionFailed",
                              "At least one of the pre-conditions you specified did not hold");
        goto without_body;
    case LT_S3_GO:
        break;
    }
    status = choose_part(call, &info, err);
    if (status != LEAT_OK)
        goto without_body;
    describe(call, &info);
    describe_body(call, &info);
    call->sends_file = true;
    return LEAT_OK;

without_body:
    if (call->fd >= 0)
        close(call->fd);
    call->fd = -1;
    return status;
}
