/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteObject, and DeleteObjects with its up to 1,000 keys, which are removed with one sync. What
 * is not there counts as removed. */
#include "engine/s3/call.h"
#include "engine/s3/sums.h"

#include "aws/xml.h"

enum { MAX_KEYS = 1000 };

leat_status lt_s3_delete_object(struct lt_s3_call *call, struct leat_error *err) {
    struct lt_slice version = lt_s3_param(call, "versionId");

    if (version.data && !lt_slice_eq_str(version, "null"))
        return lt_fail_code(err, LEAT_E_NOT_FOUND, "NoSuchVersion",
                            "The specified version does not exist.");
    call->status = 204;
    return lt_object_folder_remove(call->objects, call->bucket, call->key, err);
}

struct request {
    struct lt_arena *arena;
    struct lt_slice *keys; /* room for MAX_KEYS */
    size_t n;
    bool quiet;
    bool wrong;
};

static leat_status on_leaf(void *ctx, const char *path, struct lt_slice text,
                           struct leat_error *err) {
    struct request *request = ctx;
    (void)err;

    if (!strcmp(path, "Delete/Quiet")) {
        request->quiet = lt_slice_eq_str(text, "true");
    } else if (!strcmp(path, "Delete/Object/Key")) {
        request->wrong |= request->n == MAX_KEYS || !text.len;
        if (request->n < MAX_KEYS)
            request->keys[request->n++] = lt_arena_dup(request->arena, text);
    } else if (!strcmp(path, "Delete/Object/VersionId")) {
        request->wrong |= !lt_slice_eq_str(text, "null");
    }
    return LEAT_OK;
}

static leat_status read_request(const struct lt_s3_call *call, struct request *request,
                                struct leat_error *err) {
    const struct lt_xml_visitor visitor = {request, on_leaf, NULL};

    request->arena = call->arena;
    request->keys = lt_arena_calloc(call->arena, MAX_KEYS, sizeof(*request->keys));
    if (!request->keys)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %d keys", MAX_KEYS);
    leat_status status = lt_xml_read(call->body, &visitor, err);
    if (status == LEAT_E_UNSUPPORTED)
        return status;
    for (size_t i = 0; i < request->n; i++)
        request->wrong |= !request->keys[i].data;
    if (status != LEAT_OK || request->wrong || !request->n)
        return lt_fail_code(err, LEAT_E_PARSE, "MalformedXML",
                            "The XML you provided was not well-formed or did not validate "
                            "against our published schema");
    return LEAT_OK;
}

/** What the client says of the document's bytes has to be so. */
static leat_status check_sums(const struct lt_s3_call *call, struct leat_error *err) {
    struct lt_slice md5 = lt_s3_header(call, "Content-MD5");
    struct lt_slice said[LT_S3_N_SUMS];
    struct lt_s3_sums sums;

    memset(&sums, 0, sizeof(sums));
    for (unsigned i = 0; i < LT_S3_N_SUMS; i++) {
        said[i] = lt_s3_header(call, lt_s3_sum_kinds[i].header);
        sums.want[i] = said[i].data || (i == LT_S3_MD5 && md5.data);
    }
    leat_status status = lt_s3_sums_init(&sums, err);
    if (status == LEAT_OK) {
        lt_s3_sums_add(&sums, call->body);
        lt_s3_sums_end(&sums);
    }
    bool same = !md5.data || lt_s3_sum_is(&sums, LT_S3_MD5, md5);
    for (unsigned i = 0; i < LT_S3_N_SUMS; i++)
        same &= !said[i].data || lt_s3_sum_is(&sums, i, said[i]);
    lt_s3_sums_deinit(&sums);
    if (status == LEAT_OK && !same)
        return lt_fail_code(err, LEAT_E_INVALID, "BadDigest",
                            "The checksum you specified did not match the calculated checksum.");
    return status;
}

leat_status lt_s3_delete_objects(struct lt_s3_call *call, struct leat_error *err) {
    struct request request = {0};

    leat_status status = check_sums(call, err);
    if (status == LEAT_OK)
        status = read_request(call, &request, err);
    if (status == LEAT_OK)
        status =
            lt_object_folder_remove_many(call->objects, call->bucket, request.keys, request.n, err);
    if (status != LEAT_OK)
        return status;
    lt_s3_xml_start(call, "DeleteResult");
    for (size_t i = 0; i < request.n && !request.quiet; i++) {
        lt_buf_append_str(&call->out, "<Deleted>");
        lt_s3_xml_text(&call->out, "Key", request.keys[i]);
        lt_buf_append_str(&call->out, "</Deleted>");
    }
    lt_s3_xml_end(call, "DeleteResult");
    return LEAT_OK;
}
