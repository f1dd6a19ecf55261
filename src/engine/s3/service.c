/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests between the loop and the workers. A call is made when its headers are there, in the
 * request's own arena; every operation runs on a worker, for even a look at the state may wait
 * for another one's sync; the answer is given on the loop.
 */
#include "engine/s3/call.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct lt_s3_service {
    struct lt_s3_options opt;
    uint64_t id_base, n_requests;
    struct lt_metric_series **requests, **latencies; /* by operation */
    unsigned n_unsent; /* on their way from a worker to the loop, or with one */
    bool freed;
    pthread_mutex_t mu;
    pthread_cond_t idle;
    unsigned n_working; /* guarded by mu */
};

/** The series of each operation, found once. */
static leat_status find_metrics(struct lt_s3_service *service, struct leat_error *err) {
    service->requests = calloc(lt_s3_n_operations, sizeof(struct lt_metric_series *));
    service->latencies = calloc(lt_s3_n_operations, sizeof(struct lt_metric_series *));
    if (!service->requests || !service->latencies)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the S3 service");
    for (size_t i = 0; i < lt_s3_n_operations; i++) {
        const char *name = lt_s3_operation_name(i);
        service->requests[i] = lt_metric(lt_metrics_global(), LT_METRIC_REQUESTS, "s3", name, NULL);
        service->latencies[i] =
            lt_metric(lt_metrics_global(), LT_METRIC_REQUEST_LATENCY, "s3", name, NULL);
    }
    return LEAT_OK;
}

leat_status lt_s3_service_new(struct lt_s3_service **out, const struct lt_s3_options *opt,
                              struct leat_error *err) {
    struct lt_s3_service *service = calloc(1, sizeof(*service));

    *out = NULL;
    if (!service)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the S3 service");
    service->opt = *opt;
    if (!service->opt.region)
        service->opt.region = "us-east-1";
    pthread_mutex_init(&service->mu, NULL);
    pthread_cond_init(&service->idle, NULL);
    lt_random(&service->id_base, sizeof(service->id_base));
    leat_status status = find_metrics(service, err);
    if (status != LEAT_OK) {
        lt_s3_service_free(service);
        return status;
    }
    *out = service;
    return LEAT_OK;
}

static void destroy(struct lt_s3_service *service) {
    pthread_mutex_destroy(&service->mu);
    pthread_cond_destroy(&service->idle);
    free(service->requests);
    free(service->latencies);
    free(service);
}

void lt_s3_service_free(struct lt_s3_service *service) {
    if (!service)
        return;
    pthread_mutex_lock(&service->mu);
    while (service->n_working)
        pthread_cond_wait(&service->idle, &service->mu);
    pthread_mutex_unlock(&service->mu);
    service->freed = true;
    if (!service->n_unsent)
        destroy(service);
}

static void count_header(void *ctx, struct lt_slice name, struct lt_slice value) {
    (void)name;
    (void)value;
    ++*(size_t *)ctx;
}

static void copy_header(void *ctx, struct lt_slice name, struct lt_slice value) {
    struct lt_s3_call *call = ctx;
    struct lt_s3_header header = {lt_arena_dup(call->arena, name),
                                  lt_arena_dup(call->arena, value)};
    if (header.name.data && header.value.data)
        call->headers[call->n_headers++] = header;
}

static struct lt_s3_call *new_call(struct lt_s3_service *service, struct lt_http_request *request) {
    struct lt_arena *arena = lt_http_arena(request);
    struct lt_s3_call *call = lt_arena_calloc(arena, 1, sizeof(*call));
    size_t n = 0;

    lt_http_each_header(request, count_header, &n);
    struct lt_s3_header *headers = lt_arena_calloc(arena, n + 1, sizeof(*headers));
    if (!call || !headers)
        return NULL;
    call->service = service;
    call->objects = service->opt.objects;
    call->region = service->opt.region;
    call->request = request;
    call->arena = arena;
    call->headers = headers;
    call->bucket = "";
    call->fd = -1;
    lt_http_each_header(request, copy_header, call);
    snprintf(call->id, sizeof(call->id), "%016llX",
             (unsigned long long)(service->id_base + ++service->n_requests));
    call->work.data = call;
    return call;
}

static const char *name_of(const struct lt_s3_call *call) {
    return call->operation ? call->operation->name : "Unknown";
}

static void count_error(const struct lt_s3_call *call, const struct leat_error *err) {
    lt_metric_add(lt_metric(lt_metrics_global(), LT_METRIC_REQUEST_ERRORS, "s3", name_of(call),
                            *err->code ? err->code : leat_status_name(err->status)),
                  1);
}

/** The last thing done with a call. */
static void finish(struct lt_s3_call *call, leat_status status, const struct leat_error *err) {
    struct lt_s3_service *service = call->service;

    if (status == LEAT_OK)
        status = lt_buf_status(&call->out, &call->err);
    if (status != LEAT_OK) {
        count_error(call, err);
        lt_s3_answer_error(call, status, err);
        if (call->status >= 500)
            lt_log(LT_LOG_WARN, "s3", "%s: %s", name_of(call), err->text);
    }
    if (call->operation) {
        size_t i = lt_s3_operation_index(call->operation);
        int64_t us = lt_clock_mono_us() - lt_http_started_us(call->request);
        lt_metric_add(service->requests[i], 1);
        lt_metric_observe(service->latencies[i], (double)us / 1e6);
    }
    lt_s3_upload_drop(call);
    lt_s3_send(call);
}

void lt_s3_on_headers(struct lt_s3_service *service, struct lt_http_request *request) {
    struct lt_s3_call *call = new_call(service, request);

    *lt_http_user(request) = call;
    if (!call) {
        lt_http_respond(request, 503, NULL, lt_slice("", 0));
        return;
    }
    leat_status status = lt_s3_route(call, &call->err);
    if (status == LEAT_OK && call->operation->begin)
        status = call->operation->begin(call, &call->err);
    if (status != LEAT_OK)
        finish(call, status, &call->err);
}

static void run(uv_work_t *work) {
    struct lt_s3_call *call = work->data;
    struct lt_s3_service *service = call->service;

    call->result = call->operation->run(call, &call->err);
    lt_s3_upload_drop(call);
    pthread_mutex_lock(&service->mu);
    if (--service->n_working == 0)
        pthread_cond_signal(&service->idle);
    pthread_mutex_unlock(&service->mu);
}

static void after_run(uv_work_t *work, int uv) {
    struct lt_s3_call *call = work->data;
    struct lt_s3_service *service = call->service;

    (void)uv; /* nobody cancels it */
    finish(call, call->result, &call->err);
    if (--service->n_unsent == 0 && service->freed)
        destroy(service);
}

void lt_s3_on_request(struct lt_s3_service *service, struct lt_http_request *request) {
    struct lt_s3_call *call = *lt_http_user(request);

    if (!call) {
        lt_http_respond(request, 503, NULL, lt_slice("", 0));
        return;
    }
    call->body = lt_http_body(request);
    pthread_mutex_lock(&service->mu);
    service->n_working++;
    pthread_mutex_unlock(&service->mu);
    service->n_unsent++;
    uv_queue_work(service->opt.loop, &call->work, run, after_run);
}

void lt_s3_on_abort(struct lt_s3_service *service, struct lt_http_request *request) {
    struct lt_s3_call *call = *lt_http_user(request);

    (void)service;
    if (call)
        lt_s3_upload_drop(call);
    *lt_http_user(request) = NULL;
}
