/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of Kinesis on the loop: perhaps a wait, a request, and by its policy more of
 * both. A call ends once, with its callback; its memory goes when its request has
 * come back and its timer is closed, whichever is later, and holds the service's
 * memory until then.
 */
#include "stream/kinesis.h"

#include <stdio.h>
#include <stdlib.h>

struct lt_kinesis_call {
    struct lt_kinesis *service;
    struct lt_kinesis_call *prev, *next;
    uv_timer_t timer;
    char target[64]; /* "" when there is no request to make */
    struct lt_buf body;
    struct lt_retry retry;
    bool only_throttles;
    lt_kinesis_done *done;
    void *ctx;
    bool sent;      /* a request is under way */
    bool ended;     /* the callback was called */
    bool cancelled; /* the timer brings the callback */
};

static const struct lt_json empty_answer = {LT_JSON_OBJECT, {"{}", 2}};

void lt_kinesis_unref(struct lt_kinesis *service) {
    if (--service->n_refs)
        return;
    lt_arena_deinit(&service->arena);
    free(service);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct lt_kinesis_call *call = handle->data;
    struct lt_kinesis *service = call->service;
    lt_buf_deinit(&call->body);
    free(call);
    lt_kinesis_unref(service);
}

static void release(struct lt_kinesis_call *call) {
    if (call->ended && !call->sent)
        uv_close((uv_handle_t *)&call->timer, on_timer_closed);
}

static void unlink_call(struct lt_kinesis_call *call) {
    if (call->prev)
        call->prev->next = call->next;
    else
        call->service->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
}

static void end(struct lt_kinesis_call *call, leat_status status, struct lt_json answer,
                const struct leat_error *err) {
    call->ended = true;
    uv_timer_stop(&call->timer);
    unlink_call(call);
    call->done(call->ctx, status, answer, status == LEAT_OK ? NULL : err);
    release(call);
}

static void end_cancelled(struct lt_kinesis_call *call) {
    struct leat_error err;
    lt_fail(&err, LEAT_E_CANCELLED, 0, "%s: cancelled", call->target[0] ? call->target : "read");
    end(call, LEAT_E_CANCELLED, empty_answer, &err);
}

static void on_timer(uv_timer_t *timer);

static bool wait_to_retry(struct lt_kinesis_call *call, const struct leat_error *err) {
    int64_t wait_ms;
    if (!call->retry.policy || err->status == LEAT_E_BUSY ||
        (call->only_throttles && err->status != LEAT_E_THROTTLED) ||
        !lt_retry_next(&call->retry, err, &wait_ms))
        return false;
    uv_timer_start(&call->timer, on_timer, (uint64_t)wait_ms, 0);
    return true;
}

static void on_answer(void *ctx, leat_status status, struct lt_json answer,
                      const struct leat_error *err) {
    struct lt_kinesis_call *call = ctx;
    call->sent = false;
    if (call->ended) {
        release(call);
        return;
    }
    if (call->cancelled || (status != LEAT_OK && wait_to_retry(call, err)))
        return; /* the timer goes on */
    end(call, status, answer, err);
}

static leat_status send_request(struct lt_kinesis_call *call, struct leat_error *err) {
    const struct lt_aws_call request = {
        .service = "kinesis", .target = call->target, .body = lt_buf_slice(&call->body)};
    leat_status status = lt_aws_start(call->service->client, &call->service->endpoint, &request,
                                      on_answer, call, err);
    call->sent = status == LEAT_OK;
    return status;
}

static void on_timer(uv_timer_t *timer) {
    struct lt_kinesis_call *call = timer->data;
    struct leat_error err;
    if (call->cancelled) {
        end_cancelled(call);
        return;
    }
    if (!call->target[0]) {
        end(call, LEAT_OK, empty_answer, NULL);
        return;
    }
    leat_status status = send_request(call, &err);
    if (status != LEAT_OK)
        end(call, status, empty_answer, &err);
}

leat_status lt_kinesis_start(struct lt_kinesis *service, const struct lt_kinesis_how *how,
                             struct lt_buf *body, lt_kinesis_done *done, void *ctx,
                             struct lt_kinesis_call **out, struct leat_error *err) {
    leat_status status = lt_buf_status(body, err);
    if (status == LEAT_OK && service->closed)
        status = lt_fail(err, LEAT_E_CANCELLED, 0, "the stream service is being closed");
    if (status != LEAT_OK) {
        lt_buf_deinit(body);
        return status;
    }
    struct lt_kinesis_call *call = calloc(1, sizeof(*call));
    if (!call) {
        lt_buf_deinit(body);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a call of Kinesis");
    }
    if (how->operation)
        snprintf(call->target, sizeof(call->target), "Kinesis_20131202.%s", how->operation);
    call->service = service;
    call->body = *body;
    memset(body, 0, sizeof(*body));
    call->retry.policy = how->policy;
    call->only_throttles = how->only_throttles;
    call->done = done;
    call->ctx = ctx;
    uv_timer_init(service->loop, &call->timer);
    call->timer.data = call;
    service->n_refs++;

    if (how->delay_ms > 0 || !how->operation)
        uv_timer_start(&call->timer, on_timer, (uint64_t)how->delay_ms, 0);
    else
        status = send_request(call, err);
    if (status != LEAT_OK) {
        call->ended = true;
        release(call);
        return status;
    }
    call->next = service->calls;
    if (call->next)
        call->next->prev = call;
    service->calls = call;
    if (out)
        *out = call;
    return LEAT_OK;
}

void lt_kinesis_cancel(struct lt_kinesis_call *call) {
    call->cancelled = true;
    uv_timer_start(&call->timer, on_timer, 0, 0);
}

void lt_kinesis_close_calls(struct lt_kinesis *service) {
    service->closed = true;
    while (service->calls)
        end_cancelled(service->calls);
}
