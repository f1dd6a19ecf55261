/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_AWS_CLIENT_H
#define LT_AWS_CLIENT_H

#include "aws/credentials.h"
#include "http/client.h"
#include "json/json.h"

/** Where a service is, and how requests to it are signed. Strings live as long as what uses it. */
struct lt_aws_endpoint {
    const char
        *url; /**< "https://kinesis.us-east-1.amazonaws.com"; any when `unix_socket` is set */
    const char *unix_socket; /**< of an embedded engine in another process, or NULL */
    const char *region;
    struct lt_aws_credentials credentials;
};

/** One call of a JSON protocol (Kinesis, Firehose, DynamoDB). */
struct lt_aws_call {
    const char *service;  /**< "kinesis" */
    const char *target;   /**< "Kinesis_20131202.PutRecords" */
    struct lt_slice body; /**< borrowed until the callback */
};

/** `answer` is the parsed body, alive during the callback. Errors as lt_aws_error() makes them. */
typedef void lt_aws_done(void *ctx, leat_status status, struct lt_json answer,
                         const struct leat_error *err);

/** A copy whose strings lie in `arena`. Errors: LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_aws_endpoint_copy(struct lt_aws_endpoint *out,
                                                 const struct lt_aws_endpoint *endpoint,
                                                 struct lt_arena *arena, struct leat_error *err);

/**
 * Whether requests to it can be signed. A Unix socket and a loopback need no credentials and no
 * region: theirs are signed with a made-up key where none is given. Every call below checks.
 * Errors: LEAT_E_AUTH when there are no credentials, LEAT_E_INVALID when there is no region; both
 * say what to set.
 */
LEAT_MUST_CHECK leat_status lt_aws_endpoint_check(const struct lt_aws_endpoint *endpoint,
                                                  struct leat_error *err);

/** Starts a call; no retry. `done` is called once, from the loop, when this returned LEAT_OK. An
 * empty answer is read as {}. */
LEAT_MUST_CHECK leat_status lt_aws_start(struct lt_http_client *client,
                                         const struct lt_aws_endpoint *endpoint,
                                         const struct lt_aws_call *call, lt_aws_done *done,
                                         void *ctx, struct leat_error *err);

/**
 * One JSON call, waited for, retried as lt_retry_default says (LEAT_E_BUSY is not; a loopback or
 * Unix socket that refuses the connection is tried three times). `*answer` views `body`, which the
 * caller releases with lt_buf_deinit() (also after failure). Any thread.
 */
LEAT_MUST_CHECK leat_status lt_aws_fetch(const struct lt_aws_endpoint *endpoint,
                                         const struct lt_aws_call *call, struct lt_buf *body,
                                         struct lt_json *answer, struct leat_error *err);

/**
 * Reads a failed answer (JSON `__type`/`message` and x-amzn-errortype, or S3's XML) into `err`:
 * `code` is the service's own; the status is by one table of codes, else by HTTP status.
 */
leat_status lt_aws_error(const struct lt_http_answer *answer, struct leat_error *err);

/** The status of a service's error code, as it stands in batch answers; LEAT_E_REMOTE when it is
 * not known. */
leat_status lt_aws_code_status(const char *code);

/**
 * One S3 request (path style), waited for, retried as lt_aws_fetch() does. `path` is "/bucket/key"
 * percent-encoded, `query` may be "". On LEAT_OK (an answer 2xx) the caller releases `answer`. Any
 * thread.
 */
LEAT_MUST_CHECK leat_status lt_s3_fetch(const struct lt_aws_endpoint *endpoint, const char *method,
                                        struct lt_slice path, struct lt_slice query,
                                        const char *const *headers, struct lt_slice body,
                                        struct lt_http_answer *answer, struct leat_error *err);

/** Appends `text` percent-encoded as SigV4 wants it; '/' stays when `keep_slash`. */
void lt_aws_percent_encode(struct lt_buf *out, struct lt_slice text, bool keep_slash);

#endif
