/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on buckets. All of them belong to the one owner there is. */
#include "engine/s3/call.h"

#include "aws/xml.h"
#include "base/base64.h"

#include <stdio.h>

enum { MAX_BUCKETS = 10000 };

/** A number of a query parameter, or `fallback` when it is absent. */
static leat_status read_max(const struct lt_s3_call *call, const char *name, unsigned fallback,
                            unsigned *out, struct leat_error *err) {
    struct lt_slice text = lt_s3_param(call, name);
    unsigned n = 0;

    for (size_t i = 0; i < text.len && n <= MAX_BUCKETS; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            n = MAX_BUCKETS;
        n = n * 10 + (unsigned)(text.data[i] - '0');
    }
    *out = text.len ? n : fallback;
    if (text.len && (n == 0 || n > MAX_BUCKETS))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgument",
                            "Argument %s must be an integer between 1 and %d", name, MAX_BUCKETS);
    return LEAT_OK;
}

static const char *region_of(const struct lt_s3_call *call, const struct lt_object_bucket *bucket) {
    return *bucket->location ? bucket->location : call->region;
}

leat_status lt_s3_list_buckets(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_slice prefix = lt_s3_param(call, "prefix");
    struct lt_slice after = lt_s3_param(call, "continuation-token");
    struct lt_slice region = lt_s3_param(call, "bucket-region");
    struct lt_object_bucket *buckets;
    size_t n, n_listed = 0;
    unsigned max;

    leat_status status = read_max(call, "max-buckets", MAX_BUCKETS, &max, err);
    if (status == LEAT_OK)
        status = lt_object_folder_buckets(call->objects, call->arena, &buckets, &n, err);
    if (status != LEAT_OK)
        return status;
    struct lt_buf *out = &call->out;
    const char *last = NULL, *token = NULL;
    lt_s3_xml_start(call, "ListAllMyBucketsResult");
    lt_s3_xml_owner(out, "Owner");
    lt_buf_append_str(out, "<Buckets>");
    for (size_t i = 0; i < n; i++) {
        struct lt_slice name = lt_slice_str(buckets[i].name);
        if (!lt_slice_starts(name, prefix) || (after.len && lt_slice_cmp(name, after) <= 0) ||
            (region.len && !lt_slice_eq_str(region, region_of(call, &buckets[i]))))
            continue;
        if (n_listed == max) {
            token = last;
            break;
        }
        lt_buf_append_str(out, "<Bucket>");
        lt_s3_xml_text(out, "Name", name);
        lt_s3_xml_time(out, "CreationDate", buckets[i].created_ms);
        lt_s3_xml_str(out, "BucketRegion", region_of(call, &buckets[i]));
        lt_buf_append_str(out, "</Bucket>");
        last = buckets[i].name;
        n_listed++;
    }
    lt_buf_append_str(out, "</Buckets>");
    if (token)
        lt_s3_xml_str(out, "ContinuationToken", token);
    if (prefix.len)
        lt_s3_xml_text(out, "Prefix", prefix);
    lt_s3_xml_end(call, "ListAllMyBucketsResult");
    return LEAT_OK;
}

struct configuration {
    char location[32];
    bool too_long;
};

static leat_status on_leaf(void *ctx, const char *path, struct lt_slice text,
                           struct leat_error *err) {
    struct configuration *configuration = ctx;
    (void)err;
    if (strcmp(path, "CreateBucketConfiguration/LocationConstraint") != 0)
        return LEAT_OK;
    configuration->too_long = text.len >= sizeof(configuration->location);
    if (!configuration->too_long && text.len)
        memcpy(configuration->location, text.data, text.len);
    return LEAT_OK;
}

static leat_status read_location(const struct lt_s3_call *call, struct configuration *configuration,
                                 struct leat_error *err) {
    const struct lt_xml_visitor visitor = {configuration, on_leaf, NULL};

    if (!call->body.len)
        return LEAT_OK;
    leat_status status = lt_xml_read(call->body, &visitor, err);
    if (status == LEAT_E_UNSUPPORTED)
        return status;
    if (status != LEAT_OK)
        return lt_fail_code(err, LEAT_E_PARSE, "MalformedXML",
                            "The XML you provided was not well-formed or did not validate "
                            "against our published schema");
    bool valid = !configuration->too_long;
    for (const char *at = configuration->location; *at; at++)
        valid &= (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '-' ||
                 (*at >= 'A' && *at <= 'Z');
    if (!valid)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidLocationConstraint",
                            "The specified location-constraint is not valid");
    if (!strcmp(configuration->location, "us-east-1"))
        *configuration->location = '\0';
    return LEAT_OK;
}

/* As in AWS: who makes a bucket again in us-east-1 gets 200, elsewhere an error. */
leat_status lt_s3_create_bucket(struct lt_s3_call *call, struct leat_error *err) {
    struct configuration configuration = {0};
    struct lt_object_bucket bucket;

    leat_status status = read_location(call, &configuration, err);
    if (status != LEAT_OK)
        return status;
    status = lt_object_folder_create(call->objects, call->bucket, configuration.location, err);
    if (status == LEAT_E_EXISTS && lt_object_folder_has(call->objects, call->bucket, &bucket) &&
        !*configuration.location && !*bucket.location)
        status = LEAT_OK;
    if (status == LEAT_E_EXISTS)
        return lt_fail_code(err, LEAT_E_EXISTS, "BucketAlreadyOwnedByYou",
                            "Your previous request to create the named bucket succeeded and you "
                            "already own it.");
    if (status == LEAT_OK)
        lt_s3_answer_header_str(call, "Location",
                                lt_arena_printf(call->arena, "/%s", call->bucket));
    return status;
}

static leat_status find(const struct lt_s3_call *call, struct lt_object_bucket *bucket,
                        struct leat_error *err) {
    if (lt_object_folder_has(call->objects, call->bucket, bucket))
        return LEAT_OK;
    return lt_fail_code(err, LEAT_E_NOT_FOUND, "NoSuchBucket",
                        "The specified bucket does not exist");
}

leat_status lt_s3_head_bucket(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_object_bucket *bucket = lt_arena_calloc(call->arena, 1, sizeof(*bucket));
    leat_status status =
        bucket ? find(call, bucket, err) : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a bucket");
    if (status == LEAT_OK)
        lt_s3_answer_header_str(call, "x-amz-bucket-region", region_of(call, bucket));
    return status;
}

leat_status lt_s3_delete_bucket(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_object_store *store = lt_object_folder_store(call->objects);
    leat_status status = store->ops->remove_bucket(store, call->bucket, false, err);

    if (status == LEAT_E_BUSY)
        return lt_fail_code(err, status, "BucketNotEmpty",
                            "The bucket you tried to delete is not empty");
    if (status == LEAT_OK)
        call->status = 204;
    return status;
}

leat_status lt_s3_get_bucket_location(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_object_bucket bucket;
    leat_status status = find(call, &bucket, err);
    if (status != LEAT_OK)
        return status;
    const char *region = region_of(call, &bucket);
    lt_s3_xml_start(call, "LocationConstraint");
    if (strcmp(region, "us-east-1") != 0) /* which this document leaves out */
        lt_buf_append_str(&call->out, region);
    lt_s3_xml_end(call, "LocationConstraint");
    return LEAT_OK;
}
