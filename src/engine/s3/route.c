/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of operations, and how a request finds its row: method, scope of the path, then the
 * query parameter or header that marks it. A sub-resource that S3 has and this table does not
 * is refused, so that nobody takes an answer for what it is not.
 */
#include "engine/s3/call.h"

#include <strings.h>

static const struct lt_s3_operation operations[] = {
    {"GET", LT_S3_SERVICE, NULL, NULL, "ListBuckets", NULL, lt_s3_list_buckets},
    {"PUT", LT_S3_BUCKET, NULL, NULL, "CreateBucket", NULL, lt_s3_create_bucket},
    {"HEAD", LT_S3_BUCKET, NULL, NULL, "HeadBucket", NULL, lt_s3_head_bucket},
    {"DELETE", LT_S3_BUCKET, NULL, NULL, "DeleteBucket", NULL, lt_s3_delete_bucket},
    {"GET", LT_S3_BUCKET, "location", NULL, "GetBucketLocation", NULL, lt_s3_get_bucket_location},
    {"GET", LT_S3_BUCKET, "list-type", NULL, "ListObjectsV2", NULL, lt_s3_list_objects_v2},
    {"GET", LT_S3_BUCKET, NULL, NULL, "ListObjects", NULL, lt_s3_list_objects},
    {"POST", LT_S3_BUCKET, "delete", NULL, "DeleteObjects", NULL, lt_s3_delete_objects},
    {"PUT", LT_S3_OBJECT, NULL, "x-amz-copy-source", "CopyObject", NULL, lt_s3_copy_object},
    {"PUT", LT_S3_OBJECT, NULL, NULL, "PutObject", lt_s3_put_object_begin, lt_s3_put_object},
    {"GET", LT_S3_OBJECT, NULL, NULL, "GetObject", NULL, lt_s3_get_object},
    {"HEAD", LT_S3_OBJECT, NULL, NULL, "HeadObject", NULL, lt_s3_get_object},
    {"DELETE", LT_S3_OBJECT, NULL, NULL, "DeleteObject", NULL, lt_s3_delete_object},
};
const size_t lt_s3_n_operations = sizeof(operations) / sizeof(operations[0]);

static const char *const sub_resources[] = {
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
};

size_t lt_s3_operation_index(const struct lt_s3_operation *operation) {
    return (size_t)(operation - operations);
}

const char *lt_s3_operation_name(size_t index) {
    return operations[index].name;
}

bool lt_s3_name_is(struct lt_slice a, const char *b) {
    return a.len == strlen(b) && !strncasecmp(a.data, b, a.len);
}

struct lt_slice lt_s3_header(const struct lt_s3_call *call, const char *name) {
    for (size_t i = 0; i < call->n_headers; i++)
        if (lt_s3_name_is(call->headers[i].name, name))
            return call->headers[i].value;
    return lt_slice(NULL, 0);
}

struct lt_slice lt_s3_param(const struct lt_s3_call *call, const char *name) {
    return lt_http_query(call->query, name, call->arena);
}

bool lt_s3_is_utf8(struct lt_slice text) {
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.len;

    while (at < end) {
        unsigned n = *at < 0x80   ? 0
                     : *at < 0xc2 ? 9
                     : *at < 0xe0 ? 1
                     : *at < 0xf0 ? 2
                     : *at < 0xf5 ? 3
                                  : 9;
        if (n > (size_t)(end - at) - 1)
            return false;
        /* over-long forms, surrogates, and what lies over U+10FFFF */
        if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
            (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f))
            return false;
        for (unsigned i = 1; i <= n; i++)
            if ((at[i] & 0xc0) != 0x80)
                return false;
        at += n + 1;
    }
    return true;
}

static bool is_address(struct lt_slice name) {
    unsigned n_dots = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '.')
            n_dots++;
        else if (name.data[i] < '0' || name.data[i] > '9')
            return false;
    }
    return n_dots == 3;
}

bool lt_s3_is_bucket_name(struct lt_slice name) {
    if (name.len < 3 || name.len > 63 || is_address(name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool inside = i > 0 && i + 1 < name.len;
        if (!letter && !(inside && (c == '-' || (c == '.' && name.data[i - 1] != '.'))))
            return false;
    }
    return !lt_slice_starts(name, LT_LIT("xn--"));
}

/** True when the query has that parameter, with or without a value. */
static bool has_param(const struct lt_s3_call *call, const char *name) {
    return lt_s3_param(call, name).data != NULL;
}

static const struct lt_s3_operation *find_row(const struct lt_s3_call *call,
                                              enum lt_s3_scope scope) {
    const struct lt_s3_operation *plain = NULL;

    for (size_t i = 0; i < lt_s3_n_operations; i++) {
        const struct lt_s3_operation *row = &operations[i];
        if (row->scope != scope || !lt_slice_eq_str(call->method, row->method))
            continue;
        if (row->marker ? has_param(call, row->marker)
                        : row->header && lt_s3_header(call, row->header).data)
            return row;
        if (!row->marker && !row->header)
            plain = row;
    }
    return plain;
}

static leat_status find_operation(struct lt_s3_call *call, enum lt_s3_scope scope,
                                  struct leat_error *err) {
    const struct lt_s3_operation *row = find_row(call, scope);

    for (size_t i = 0; i < sizeof(sub_resources) / sizeof(sub_resources[0]); i++) {
        if (row && row->marker && !strcmp(row->marker, sub_resources[i]))
            continue;
        if (!call->query.len || !has_param(call, sub_resources[i]))
            continue;
        if (!strncmp(sub_resources[i], "upload", 6))
            return lt_fail_code(err, LEAT_E_UNSUPPORTED, "NotImplemented",
                                "Multipart uploads are not implemented: raise the client's "
                                "multipart_threshold");
        return lt_fail_code(err, LEAT_E_UNSUPPORTED, "NotImplemented",
                            "The sub-resource \"%s\" is not implemented for %.*s", sub_resources[i],
                            LT_FMT(call->method));
    }
    if (!row && lt_slice_eq_str(call->method, "POST") && scope != LT_S3_SERVICE)
        return lt_fail_code(err, LEAT_E_UNSUPPORTED, "NotImplemented",
                            "Uploads from HTML forms are not implemented");
    if (!row)
        return lt_fail_code(err, LEAT_E_INVALID, "MethodNotAllowed",
                            "The specified method is not allowed against this resource.");
    call->operation = row;
    return LEAT_OK;
}

leat_status lt_s3_route(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_slice path = lt_http_raw_path(call->request);
    const struct lt_slice raw = path;

    call->method = lt_arena_dup(call->arena, lt_http_method(call->request));
    call->query = lt_http_raw_query(call->request);
    call->bucket = "";
    call->key = lt_slice("", 0);
    if (!path.len || path.data[0] != '/')
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidURI", "Couldn't parse the specified URI.");
    path = lt_slice_from(path, 1);
    if (!path.len)
        return find_operation(call, LT_S3_SERVICE, err);
    const char *slash = memchr(path.data, '/', path.len);
    size_t bucket_len = slash ? (size_t)(slash - path.data) : path.len;
    struct lt_slice bucket =
        lt_http_percent_decode(lt_slice(path.data, bucket_len), false, call->arena);
    call->key = lt_http_percent_decode(lt_slice_from(path, bucket_len + 1), false, call->arena);
    if (!bucket.data || !call->key.data || !lt_s3_is_utf8(call->key))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidURI",
                            "Couldn't parse the specified URI: %.*s", LT_FMT(raw));
    if (!lt_s3_is_bucket_name(bucket))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidBucketName",
                            "The specified bucket is not valid.");
    call->bucket = bucket.data;
    leat_status status = find_operation(call, call->key.len ? LT_S3_OBJECT : LT_S3_BUCKET, err);
    if (status == LEAT_OK && call->key.len > 1024)
        return lt_fail_code(err, LEAT_E_INVALID, "KeyTooLongError",
                            "Your key is too long: %zu bytes, at most 1024", call->key.len);
    return status;
}
