/* SPDX-License-Identifier: Apache-2.0 */
/* CopyObject: the bytes are copied by the kernel, the headers with them or anew. */
#include "engine/s3/call.h"

#include <errno.h>
#include <unistd.h>

/** "/bucket/key" or "bucket/key", percent-encoded. */
static leat_status read_source(struct lt_s3_call *call, const char **bucket, struct lt_slice *key,
                               struct leat_error *err) {
    struct lt_slice source = lt_s3_header(call, "x-amz-copy-source");
    const char *mark = source.len ? memchr(source.data, '?', source.len) : NULL;

    if (mark) {
        struct lt_slice query = lt_slice_from(source, (size_t)(mark - source.data) + 1);
        if (!lt_slice_eq_str(query, "versionId=null"))
            return lt_fail_code(err, LEAT_E_NOT_FOUND, "NoSuchVersion",
                                "The specified version does not exist.");
        source.len = (size_t)(mark - source.data);
    }
    source = lt_http_percent_decode(source, false, call->arena);
    if (source.len && source.data[0] == '/')
        source = lt_slice_from(source, 1);
    const char *slash = source.len ? memchr(source.data, '/', source.len) : NULL;
    size_t n = slash ? (size_t)(slash - source.data) : 0;
    *key = lt_slice_from(source, n + 1);
    *bucket = n ? lt_arena_str(call->arena, lt_slice(source.data, n)) : NULL;
    if (!*bucket || !key->len || !lt_s3_is_bucket_name(lt_slice_str(*bucket)))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgument",
                            "Copy Source must mention the source bucket and key: "
                            "sourcebucket/sourcekey");
    return LEAT_OK;
}

static leat_status copy_bytes(int from, int to, uint64_t len, struct leat_error *err) {
    while (len) {
        size_t ask = len < (1 << 30) ? (size_t)len : 1 << 30;
        ssize_t n = copy_file_range(from, NULL, to, NULL, ask, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lt_fail_sys(err, n < 0 ? errno : EIO, "copying an object");
        len -= (uint64_t)n;
    }
    return LEAT_OK;
}

static leat_status commit(struct lt_s3_call *call, const struct lt_object_info *info, int from,
                          bool replace, struct lt_object_commit *object, struct leat_error *err) {
    struct lt_object_tmp tmp;

    memcpy(object->etag, info->etag, sizeof(object->etag));
    if (replace) {
        object->content_type = lt_s3_header(call, "Content-Type");
        object->content_encoding = lt_s3_content_encoding(call);
        leat_status status =
            lt_s3_meta_read(call, lt_slice("", 0), lt_slice("", 0), &object->user_meta, err);
        if (status != LEAT_OK)
            return status;
    } else {
        object->content_type = info->content_type;
        object->content_encoding = info->content_encoding;
        object->user_meta = info->user_meta;
    }
    leat_status status = lt_object_tmp_new(call->objects, &tmp, err);
    if (status != LEAT_OK)
        return status;
    status = copy_bytes(from, tmp.fd, info->size, err);
    if (status == LEAT_OK)
        status = lt_object_folder_commit(call->objects, call->bucket, &tmp, object, err);
    lt_object_tmp_drop(call->objects, &tmp);
    return status;
}

leat_status lt_s3_copy_object(struct lt_s3_call *call, struct leat_error *err) {
    bool replace = lt_s3_name_is(lt_s3_header(call, "x-amz-metadata-directive"), "REPLACE");
    struct lt_object_commit object = {.key = call->key};
    struct lt_object_info info;
    struct lt_slice key = {NULL, 0};
    const char *bucket = NULL;
    int from = -1;

    leat_status status = read_source(call, &bucket, &key, err);
    if (status != LEAT_OK)
        return status;
    if (!replace && lt_slice_eq(key, call->key) && !strcmp(bucket, call->bucket))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidRequest",
                            "This copy request is illegal because it is trying to copy an object "
                            "to itself without changing the object's metadata.");
    status = lt_object_folder_open(call->objects, bucket, key, call->arena, &info, &from, err);
    if (status != LEAT_OK)
        return status;
    if (lt_s3_check(call, "x-amz-copy-source-", &info) == LT_S3_GO)
        status = commit(call, &info, from, replace, &object, err);
    else
        status = lt_fail_code(err, LEAT_E_INVALID, "PreconditionFailed",
                              "At least one of the pre-conditions you specified did not hold");
    close(from);
    if (status != LEAT_OK)
        return status;
    lt_s3_xml_start(call, "CopyObjectResult");
    lt_s3_xml_time(&call->out, "LastModified", object.modified_ms);
    lt_buf_printf(&call->out, "<ETag>&quot;%s&quot;</ETag>", object.etag);
    lt_s3_xml_end(call, "CopyObjectResult");
    return LEAT_OK;
}
