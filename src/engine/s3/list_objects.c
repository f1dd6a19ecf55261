/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjects and ListObjectsV2. A continuation token is the last key or common prefix of the page
 * before, in base64: it needs no memory of the server's and outlasts a restart.
 */
#include "engine/s3/call.h"

#include "aws/client.h"
#include "base/base64.h"

enum { MAX_KEYS = 1000 };

/** What both versions ask. */
struct listing {
    struct lt_s3_call *call;
    struct lt_object_list list;
    unsigned max_keys; /* as asked */
    bool url;          /* encoding-type=url */
    bool owner;
    struct lt_object_listing found;
};

static leat_status read_listing(struct listing *listing, struct leat_error *err) {
    struct lt_s3_call *call = listing->call;
    struct lt_slice max = lt_s3_param(call, "max-keys");
    struct lt_slice encoding = lt_s3_param(call, "encoding-type");
    uint64_t n = 0;

    listing->list.prefix = lt_s3_param(call, "prefix");
    listing->list.delimiter = lt_s3_param(call, "delimiter");
    if (listing->list.prefix.len > 1024 || listing->list.delimiter.len > 1024)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgument",
                            "A prefix or a delimiter has at most 1024 bytes");
    for (size_t i = 0; i < max.len; i++) {
        n = n * 10 + (uint64_t)(max.data[i] - '0');
        if (max.data[i] < '0' || max.data[i] > '9' || n > INT32_MAX)
            return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgument",
                                "Provided max-keys not an integer or within integer range");
    }
    listing->max_keys = max.len ? (unsigned)n : MAX_KEYS;
    listing->list.max = listing->max_keys < MAX_KEYS ? listing->max_keys : MAX_KEYS;
    listing->url = lt_slice_eq_str(encoding, "url");
    if (encoding.len && !listing->url)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgument",
                            "Invalid Encoding Method specified in Request");
    return LEAT_OK;
}

/** A key's text, encoded as the client asked. */
static void put_key(struct listing *listing, const char *name, struct lt_slice key) {
    struct lt_buf *out = &listing->call->out;

    if (!listing->url) {
        lt_s3_xml_text(out, name, key);
        return;
    }
    lt_buf_append_byte(out, '<');
    lt_buf_append_str(out, name);
    lt_buf_append_byte(out, '>');
    lt_aws_percent_encode(out, key, true);
    lt_buf_append_str(out, "</");
    lt_buf_append_str(out, name);
    lt_buf_append_byte(out, '>');
}

static void put_object(struct listing *listing, const struct lt_object_info *info) {
    struct lt_buf *out = &listing->call->out;

    lt_buf_append_str(out, "<Contents>");
    put_key(listing, "Key", info->key);
    lt_s3_xml_time(out, "LastModified", info->modified_ms);
    lt_buf_printf(out, "<ETag>&quot;%s&quot;</ETag>", info->etag);
    lt_s3_xml_u64(out, "Size", info->size);
    if (listing->owner)
        lt_s3_xml_owner(out, "Owner");
    lt_buf_append_str(out, "<StorageClass>STANDARD</StorageClass></Contents>");
}

static void put_entries(struct listing *listing) {
    const struct lt_object_listing *found = &listing->found;
    struct lt_buf *out = &listing->call->out;

    for (size_t i = 0; i < found->n; i++)
        if (!found->entries[i].is_prefix)
            put_object(listing, &found->entries[i].info);
    for (size_t i = 0; i < found->n; i++)
        if (found->entries[i].is_prefix) {
            lt_buf_append_str(out, "<CommonPrefixes>");
            put_key(listing, "Prefix", found->entries[i].info.key);
            lt_buf_append_str(out, "</CommonPrefixes>");
        }
}

static leat_status find(struct listing *listing, struct leat_error *err) {
    struct lt_s3_call *call = listing->call;
    struct lt_buf *out = &call->out;

    leat_status status = lt_object_folder_list(call->objects, call->bucket, &listing->list,
                                               call->arena, &listing->found, err);
    if (status != LEAT_OK)
        return status;
    lt_s3_xml_start(call, "ListBucketResult");
    lt_s3_xml_str(out, "Name", call->bucket);
    put_key(listing, "Prefix", listing->list.prefix);
    lt_s3_xml_u64(out, "MaxKeys", listing->list.max);
    if (listing->list.delimiter.len)
        put_key(listing, "Delimiter", listing->list.delimiter);
    if (listing->url)
        lt_s3_xml_str(out, "EncodingType", "url");
    lt_s3_xml_str(out, "IsTruncated", listing->found.more ? "true" : "false");
    return LEAT_OK;
}

static struct lt_slice last_key(const struct listing *listing) {
    return listing->found.entries[listing->found.n - 1].info.key;
}

leat_status lt_s3_list_objects(struct lt_s3_call *call, struct leat_error *err) {
    struct listing listing = {.call = call, .owner = true};

    leat_status status = read_listing(&listing, err);
    listing.list.after = lt_s3_param(call, "marker");
    if (status == LEAT_OK)
        status = find(&listing, err);
    if (status != LEAT_OK)
        return status;
    put_key(&listing, "Marker", listing.list.after);
    /* Without a delimiter the client takes the last key: S3 leaves it out then. */
    if (listing.found.more && listing.list.delimiter.len)
        put_key(&listing, "NextMarker", last_key(&listing));
    put_entries(&listing);
    lt_s3_xml_end(call, "ListBucketResult");
    return LEAT_OK;
}

static leat_status read_token(struct lt_s3_call *call, struct lt_slice token,
                              struct lt_slice *after, struct leat_error *err) {
    char *out = lt_arena_alloc(call->arena, lt_base64_decoded_max(token.len));
    size_t n = out && token.len ? lt_base64_decode(token, out) : SIZE_MAX;

    if (n == SIZE_MAX)
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgument",
                            "The continuation token provided is incorrect");
    *after = lt_slice(out, n);
    return LEAT_OK;
}

leat_status lt_s3_list_objects_v2(struct lt_s3_call *call, struct leat_error *err) {
    struct listing listing = {.call = call};
    struct lt_slice token = lt_s3_param(call, "continuation-token");
    struct lt_slice start = lt_s3_param(call, "start-after");

    if (!lt_slice_eq_str(lt_s3_param(call, "list-type"), "2"))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgument",
                            "Invalid List Type specified in Request");
    listing.owner = lt_slice_eq_str(lt_s3_param(call, "fetch-owner"), "true");
    listing.list.after = start;
    leat_status status = read_listing(&listing, err);
    if (status == LEAT_OK && token.data)
        status = read_token(call, token, &listing.list.after, err);
    if (status == LEAT_OK)
        status = find(&listing, err);
    if (status != LEAT_OK)
        return status;
    struct lt_buf *out = &call->out;
    lt_s3_xml_u64(out, "KeyCount", listing.found.n);
    if (start.len)
        put_key(&listing, "StartAfter", start);
    if (token.data)
        lt_s3_xml_text(out, "ContinuationToken", token);
    if (listing.found.more) {
        lt_buf_append_str(out, "<NextContinuationToken>");
        lt_base64_append(out, last_key(&listing));
        lt_buf_append_str(out, "</NextContinuationToken>");
    }
    put_entries(&listing);
    lt_s3_xml_end(call, "ListBucketResult");
    return LEAT_OK;
}
