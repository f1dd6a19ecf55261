/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_S3_S3_H
#define LT_ENGINE_S3_S3_H

#include "http/server.h"
#include "object/folder.h"

/*
 * Amazon S3's REST protocol, path style, over the folder's objects. Signatures are not
 * verified: the engine has one owner, who may do all. What blocks on the disk happens on libuv's
 * worker pool; bodies of objects go to files as they come.
 *
 * Thread: the loop's.
 */
struct lt_s3_service;

struct lt_s3_options {
    uv_loop_t *loop;
    struct lt_object_folder *objects; /**< borrowed */
    const char *region;               /**< NULL: us-east-1 */
};

LEAT_MUST_CHECK leat_status lt_s3_service_new(struct lt_s3_service **out,
                                              const struct lt_s3_options *opt,
                                              struct leat_error *err);

/** Waits for what is on the worker pool, whose requests are then answered no more: free the HTTP
 * server first. Blocks. NULL is fine. */
void lt_s3_service_free(struct lt_s3_service *service);

/* Hooks of the HTTP server's three callbacks, for every request that is S3's. All three must be
 * called; lt_http_user() is the service's. */
void lt_s3_on_headers(struct lt_s3_service *service, struct lt_http_request *request);
void lt_s3_on_request(struct lt_s3_service *service, struct lt_http_request *request);
void lt_s3_on_abort(struct lt_s3_service *service, struct lt_http_request *request);

#endif
