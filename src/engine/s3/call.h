/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_S3_CALL_H
#define LT_ENGINE_S3_CALL_H

#include "engine/s3/s3.h"

/*
 * One request on its way, and the tables that decide what becomes of it. Until on_request the
 * loop's thread has the call, then a worker, then the loop's again.
 */
struct lt_s3_call;

enum lt_s3_scope { LT_S3_SERVICE, LT_S3_BUCKET, LT_S3_OBJECT };

/** An operation: one file, one row in route.c. */
struct lt_s3_operation {
    const char *method;
    enum lt_s3_scope scope;
    const char *marker; /**< a query parameter by which it is known, or NULL */
    const char *header; /**< a header by which it is known, or NULL */
    const char *name;
    /** On the loop, before the body is read. May be NULL. */
    leat_status (*begin)(struct lt_s3_call *call, struct leat_error *err);
    /** On a worker; may block. An error is answered by its code (reply.c), or else its status. */
    leat_status (*run)(struct lt_s3_call *call, struct leat_error *err);
};

struct lt_s3_header {
    struct lt_slice name;
    struct lt_slice value;
};

struct lt_s3_upload;

struct lt_s3_call {
    struct lt_s3_service *service;
    struct lt_object_folder *objects;
    const char *region;
    struct lt_http_request *request;
    struct lt_arena *arena; /**< the request's */
    const struct lt_s3_operation *operation;
    struct lt_slice method;
    struct lt_slice query;
    const char *bucket; /**< "" in the service's scope */
    struct lt_slice key;
    struct lt_s3_header *headers;
    size_t n_headers;
    struct lt_slice body;        /**< in memory; alive until the answer */
    struct lt_s3_upload *upload; /**< a body that goes to a file */
    char id[20];

    /* the answer */
    unsigned status; /**< 0: 200 */
    struct lt_http_header *answer;
    size_t n_answer, cap_answer;
    struct lt_buf out;
    bool sends_file; /**< `len` bytes of `fd` (-1 for HEAD) from `offset`, instead of `out` */
    int fd;
    uint64_t offset, len;

    /* service.c's own */
    uv_work_t work;
    leat_status result;
    struct leat_error err;
};

/* route.c */
/** Reads method, path and query, and finds the row. */
LEAT_MUST_CHECK leat_status lt_s3_route(struct lt_s3_call *call, struct leat_error *err);
size_t lt_s3_operation_index(const struct lt_s3_operation *operation);
extern const size_t lt_s3_n_operations;
const char *lt_s3_operation_name(size_t index);
/** 3 to 63 lower-case letters, digits, dots, hyphens; not an address. */
bool lt_s3_is_bucket_name(struct lt_slice name);
/** A header's value; `data` NULL when absent. */
struct lt_slice lt_s3_header(const struct lt_s3_call *call, const char *name);
/** A query parameter; `data` NULL when absent. */
struct lt_slice lt_s3_param(const struct lt_s3_call *call, const char *name);
bool lt_s3_name_is(struct lt_slice a, const char *b); /**< without case */
bool lt_s3_is_utf8(struct lt_slice text);

/* reply.c */
/** Adds a header to the answer; both live as long as the request. */
void lt_s3_answer_header(struct lt_s3_call *call, const char *name, struct lt_slice value);
void lt_s3_answer_header_str(struct lt_s3_call *call, const char *name, const char *value);
/** Turns an error into the answer. */
void lt_s3_answer_error(struct lt_s3_call *call, leat_status status, const struct leat_error *err);
/** Gives the answer to the HTTP server; the call is gone then. Thread: the loop's. */
void lt_s3_send(struct lt_s3_call *call);
/** "Sun, 06 Nov 1994 08:49:37 GMT" */
const char *lt_s3_http_date(struct lt_arena *arena, int64_t ms);
/** False when it is not such a date. */
bool lt_s3_parse_http_date(struct lt_slice text, int64_t *ms);
/** An etag in its quotes. */
const char *lt_s3_quoted(struct lt_arena *arena, const char *etag);

/* xml.c: the answer's document, into call->out. */
void lt_s3_xml_start(struct lt_s3_call *call, const char *root);
void lt_s3_xml_end(struct lt_s3_call *call, const char *root);
void lt_s3_xml_text(struct lt_buf *out, const char *name, struct lt_slice text);
void lt_s3_xml_str(struct lt_buf *out, const char *name, const char *text);
void lt_s3_xml_u64(struct lt_buf *out, const char *name, uint64_t value);
/** "2009-10-12T17:50:30.000Z" */
void lt_s3_xml_time(struct lt_buf *out, const char *name, int64_t ms);
/** The one owner of all buckets and objects. */
void lt_s3_xml_owner(struct lt_buf *out, const char *name);

/* meta.c */
/** The request's headers to keep with an object, as a JSON object in the arena. */
LEAT_MUST_CHECK leat_status lt_s3_meta_read(struct lt_s3_call *call, struct lt_slice checksum_name,
                                            struct lt_slice checksum, struct lt_slice *json,
                                            struct leat_error *err);
/** Gives the kept headers back; checksums only with `checksums`. */
void lt_s3_meta_answer(struct lt_s3_call *call, struct lt_slice json, bool checksums);
/** The Content-Encoding to keep: without "aws-chunked". */
struct lt_slice lt_s3_content_encoding(const struct lt_s3_call *call);

/* conditions.c */
enum lt_s3_verdict { LT_S3_GO, LT_S3_NOT_MODIFIED, LT_S3_FAILED };
/** What If-Match and the others (each with `prefix` before its name) say of an object. */
enum lt_s3_verdict lt_s3_check(const struct lt_s3_call *call, const char *prefix,
                               const struct lt_object_info *info);
/** The part that a Range header asks for. LT_S3_NOT_MODIFIED: none, send all; LT_S3_FAILED: none of
 * it is there. */
enum lt_s3_verdict lt_s3_range(struct lt_slice range, uint64_t size, uint64_t *offset,
                               uint64_t *len);
/** True when one of a list of etags (or "*") is that one. */
bool lt_s3_etag_in(struct lt_slice list, const char *etag);

/* The operations. */
leat_status lt_s3_list_buckets(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_create_bucket(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_head_bucket(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_delete_bucket(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_get_bucket_location(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_list_objects(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_list_objects_v2(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_delete_objects(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_get_object(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_delete_object(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_copy_object(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_put_object_begin(struct lt_s3_call *call, struct leat_error *err);
leat_status lt_s3_put_object(struct lt_s3_call *call, struct leat_error *err);

/** Removes what an upload has written. NULL is fine. */
void lt_s3_upload_drop(struct lt_s3_call *call);

#endif
