/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of AWS' JSON protocols and of S3, each signed for its own sending. What
 * blocks retries by the one policy; what runs on a loop leaves that to its caller.
 */
#include "aws/client.h"

#include "aws/request.h"
#include "base/retry.h"

#include <stdlib.h>
#include <time.h>

enum { LOCAL_ATTEMPTS = 3 };

/* "PutRecords" of "Kinesis_20131202.PutRecords" */
static const char *operation_of(const char *target) {
    const char *dot = strrchr(target, '.');
    return dot ? dot + 1 : target;
}

static leat_status init_json_request(struct lt_aws_request *request,
                                     const struct lt_aws_endpoint *endpoint,
                                     const struct lt_aws_call *call, struct leat_error *err) {
    char target[128];
    const char *headers[] = {"Content-Type: application/x-amz-json-1.1", target, NULL};
    const struct lt_aws_request_spec spec = {
        .service = call->service,
        .method = "POST",
        .path = LT_LIT("/"),
        .headers = headers,
        .body = call->body,
    };
    int len = snprintf(target, sizeof(target), "X-Amz-Target: %s", call->target);
    if (len < 0 || (size_t)len >= sizeof(target))
        return lt_fail(err, LEAT_E_INTERNAL, 0, "the operation's name is too long");
    return lt_aws_request_init(request, endpoint, &spec, err);
}

static leat_status read_answer(const struct lt_http_answer *answer, struct lt_json *json,
                               struct leat_error *err) {
    if (answer->status < 200 || answer->status >= 300)
        return lt_aws_error(answer, err);
    if (answer->body.len == 0) {
        *json = (struct lt_json){LT_JSON_OBJECT, LT_LIT("{}")};
        return LEAT_OK;
    }
    leat_status status =
        lt_json_parse(json, lt_buf_slice(&answer->body), LT_JSON_DEFAULT_DEPTH, err);
    if (status != LEAT_OK)
        lt_error_prefix(err, "the answer is not JSON");
    return status;
}

struct started_call {
    lt_aws_done *done;
    void *ctx;
    char operation[64];
};

static void on_done(void *ctx, leat_status status, struct lt_http_answer *answer,
                    const struct leat_error *http_err) {
    struct started_call *call = ctx;
    struct lt_json json = {LT_JSON_OBJECT, LT_LIT("{}")};
    struct leat_error err;
    if (status != LEAT_OK)
        err = *http_err;
    else
        status = read_answer(answer, &json, &err);
    if (status != LEAT_OK)
        lt_error_prefix(&err, "%s at %s", call->operation, answer->remote);
    call->done(call->ctx, status, json, status == LEAT_OK ? NULL : &err);
    free(call);
}

leat_status lt_aws_start(struct lt_http_client *client, const struct lt_aws_endpoint *endpoint,
                         const struct lt_aws_call *spec, lt_aws_done *done, void *ctx,
                         struct leat_error *err) {
    struct lt_aws_request request;
    struct started_call *call = calloc(1, sizeof(*call));

    if (!call)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a call of %s", spec->target);
    call->done = done;
    call->ctx = ctx;
    snprintf(call->operation, sizeof(call->operation), "%s", operation_of(spec->target));
    leat_status status = init_json_request(&request, endpoint, spec, err);
    if (status == LEAT_OK)
        status = lt_http_client_start(client, &request.call, on_done, call, err);
    lt_aws_request_deinit(&request);
    if (status != LEAT_OK)
        free(call);
    return status;
}

static void sleep_ms(int64_t ms) {
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        ;
}

/* Nothing lies between here and a peer on this machine that could mend itself. */
static bool may_retry(struct lt_retry *retry, const struct lt_aws_endpoint *endpoint,
                      const struct leat_error *err, int64_t *wait_ms) {
    bool local = endpoint->unix_socket || lt_http_is_loopback(endpoint->url);
    if (err->status == LEAT_E_BUSY)
        return false;
    if (local && err->status == LEAT_E_NETWORK && retry->n_attempts + 1 >= LOCAL_ATTEMPTS)
        return false;
    return lt_retry_next(retry, err, wait_ms);
}

leat_status lt_aws_fetch(const struct lt_aws_endpoint *endpoint, const struct lt_aws_call *call,
                         struct lt_buf *body, struct lt_json *answer, struct leat_error *err) {
    struct lt_retry retry = {.policy = &lt_retry_default};
    struct leat_error local;
    int64_t wait_ms = 0;

    lt_buf_init(body, 0);
    if (!err)
        err = &local;
    for (;;) {
        struct lt_aws_request request;
        struct lt_http_answer got = {0};
        leat_status status = init_json_request(&request, endpoint, call, err);
        if (status == LEAT_OK)
            status = lt_http_fetch(&request.call, &got, err);
        lt_aws_request_deinit(&request);
        if (status == LEAT_OK)
            status = read_answer(&got, answer, err);
        if (status == LEAT_OK) {
            *body = got.body; /* `*answer` views it */
            memset(&got.body, 0, sizeof(got.body));
        }
        lt_http_answer_deinit(&got);
        if (status == LEAT_OK)
            return status;
        if (!may_retry(&retry, endpoint, err, &wait_ms)) {
            lt_error_prefix(err, "%s", operation_of(call->target));
            return status;
        }
        sleep_ms(wait_ms);
    }
}

leat_status lt_s3_fetch(const struct lt_aws_endpoint *endpoint, const char *method,
                        struct lt_slice path, struct lt_slice query, const char *const *headers,
                        struct lt_slice body, struct lt_http_answer *answer,
                        struct leat_error *err) {
    const struct lt_aws_request_spec spec = {.service = "s3",
                                             .method = method,
                                             .path = path,
                                             .query = query,
                                             .headers = headers,
                                             .body = body,
                                             .s3 = true};
    struct lt_retry retry = {.policy = &lt_retry_default};
    struct leat_error local;
    int64_t wait_ms = 0;

    if (!err)
        err = &local;
    for (;;) {
        struct lt_aws_request request;
        memset(answer, 0, sizeof(*answer));
        leat_status status = lt_aws_request_init(&request, endpoint, &spec, err);
        if (status == LEAT_OK)
            status = lt_http_fetch(&request.call, answer, err);
        lt_aws_request_deinit(&request);
        if (status == LEAT_OK && (answer->status < 200 || answer->status >= 300)) {
            status = lt_aws_error(answer, err);
            lt_http_answer_deinit(answer);
        }
        if (status == LEAT_OK)
            return status;
        if (!may_retry(&retry, endpoint, err, &wait_ms)) {
            lt_error_prefix(err, "%s %.*s", method, LT_FMT(path));
            return status;
        }
        sleep_ms(wait_ms);
    }
}
