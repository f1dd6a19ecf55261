/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_AWS_SIGV4_H
#define LT_AWS_SIGV4_H

#include "aws/credentials.h"

#include "base/buf.h"

/** A request to sign. Source: AWS Signature Version 4. */
struct lt_sigv4_request {
    const char *method;
    struct lt_slice path;  /**< as it goes on the wire (percent-encoded), or "" */
    struct lt_slice query; /**< as it goes on the wire, without '?' */
    const struct lt_sigv4_header {
        struct lt_slice name, value;
    } * headers; /**< all headers to sign, Host and X-Amz-Date among them */
    size_t n_headers;
    struct lt_slice payload_hash; /**< hex SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
    bool s3;                      /**< the path is encoded once and not normalised */
    const char *region;
    const char *service;
    int64_t time_ms; /**< the same moment as X-Amz-Date */
};

/**
 * Appends the value of the Authorization header; `canonical` and `to_sign` (may be NULL) get
 * what is hashed and what is signed, for tests.
 * Errors: LEAT_E_NOMEM; LEAT_E_LIMIT over 64 headers or 256 parameters.
 */
LEAT_MUST_CHECK leat_status lt_sigv4_sign(const struct lt_sigv4_request *request,
                                          const struct lt_aws_credentials *credentials,
                                          struct lt_buf *authorization, struct lt_buf *canonical,
                                          struct lt_buf *to_sign, struct leat_error *err);

/** "20150830T123600Z" in UTC. */
void lt_sigv4_time(int64_t ms, char out[17]);

#endif
