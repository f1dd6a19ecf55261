/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_AWS_REQUEST_H
#define LT_AWS_REQUEST_H

#include "aws/client.h"

/** What goes into a signed request; borrowed during the making of it, but for the body. */
struct lt_aws_request_spec {
    const char *service; /**< as in the credential scope */
    const char *method;
    struct lt_slice path;       /**< percent-encoded; comes after the endpoint's own */
    struct lt_slice query;      /**< percent-encoded, or empty */
    const char *const *headers; /**< "Name: value", ended by NULL; may be NULL; all are signed */
    struct lt_slice body;
    bool s3;
};

/** A signed request, ready to send; its strings live in its arena. */
struct lt_aws_request {
    struct lt_arena arena;
    struct lt_http_call call;
};

/**
 * Signs a request for this moment. Release with lt_aws_request_deinit(), also after failure.
 * Errors: those of lt_aws_endpoint_check(); LEAT_E_INVALID, LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_aws_request_init(struct lt_aws_request *request,
                                                const struct lt_aws_endpoint *endpoint,
                                                const struct lt_aws_request_spec *spec,
                                                struct leat_error *err);
void lt_aws_request_deinit(struct lt_aws_request *request);

#endif
