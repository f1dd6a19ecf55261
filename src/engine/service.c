/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AWS JSON protocol over tables of operations: X-Amz-Target names the operation, the body is a
 * JSON object that is parsed and checked against the operation's shape before its handler sees it,
 * an error is {"__type", "message"} with the code's HTTP status. A call lives in its request's
 * arena, so it is gone with the answer.
 */
#include "engine/service.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32, MAX_SERIES = 64, MAX_ANSWER = 64 << 20 };

/* What is kept for an operation's metrics, found by its row's address. */
struct op_series {
    const struct lt_service_operation *operation;
    struct lt_metric_series *requests;
    struct lt_metric_series *latency;
};

struct lt_service_desk {
    size_t n_open;
    size_t n_series;
    struct op_series series[MAX_SERIES];
};

leat_status lt_service_desk_new(struct lt_service_desk **out, struct leat_error *err) {
    *out = calloc(1, sizeof(**out));
    return *out ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the engine's services");
}

void lt_service_desk_free(struct lt_service_desk *desk) {
    free(desk);
}

size_t lt_service_desk_n_open(const struct lt_service_desk *desk) {
    return desk->n_open;
}

static struct op_series *find_series(struct lt_service_desk *desk, const struct lt_service *service,
                                     const struct lt_service_operation *operation) {
    for (size_t i = 0; i < desk->n_series; i++)
        if (desk->series[i].operation == operation)
            return &desk->series[i];
    assert(desk->n_series < MAX_SERIES);
    struct op_series *series = &desk->series[desk->n_series++];
    struct lt_metrics *metrics = lt_metrics_global();
    series->operation = operation;
    series->requests = lt_metric(metrics, LT_METRIC_REQUESTS, service->name, operation->name, NULL);
    series->latency =
        lt_metric(metrics, LT_METRIC_REQUEST_LATENCY, service->name, operation->name, NULL);
    return series;
}

/* A UUID of version 4. */
static void make_request_id(char out[37]) {
    uint8_t b[16];
    char hex[33];

    lt_random(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    lt_hex(b, sizeof(b), hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* The answer's type is the request's: 1.0 and 1.1 differ in nothing that is said here. */
static struct lt_slice answer_type(struct lt_http_request *request) {
    struct lt_slice type = lt_http_header(request, "content-type");
    return lt_slice_starts(type, LT_LIT("application/x-amz-json-1.0"))
               ? LT_LIT("application/x-amz-json-1.0")
               : LT_LIT("application/x-amz-json-1.1");
}

static void answer(struct lt_http_request *request, unsigned http, const char *error_type,
                   struct lt_buf *body) {
    char id[37];
    make_request_id(id);
    struct lt_http_header headers[] = {
        {"x-amzn-RequestId", lt_slice_str(id)},
        {"Content-Type", answer_type(request)},
        {error_type ? "x-amzn-ErrorType" : NULL, lt_slice_str(error_type)},
        {NULL, {NULL, 0}},
    };
    lt_http_respond_take(request, http, headers, body);
}

static void answer_error(struct lt_http_request *request, unsigned http, const char *code,
                         struct lt_slice message) {
    struct lt_buf body;
    struct lt_json_writer w;

    lt_buf_init(&body, 64 << 10);
    lt_json_writer_init(&w, &body);
    lt_json_begin_object(&w);
    lt_json_key(&w, "__type");
    lt_json_put_str(&w, code);
    if (message.len > 0) {
        lt_json_key(&w, "message");
        lt_json_put_string(&w, message);
    }
    lt_json_end_object(&w);
    if (body.failed)
        lt_buf_clear(&body);
    answer(request, http, code, &body);
    lt_buf_deinit(&body);
}

void lt_service_refuse(struct lt_http_request *request, unsigned http, const char *code,
                       const char *message) {
    answer_error(request, http, code, lt_slice_str(message));
}

/* Code and HTTP status of an error: its own code, else the service's for its status. */
static const char *error_code(const struct lt_service *service, const struct leat_error *err,
                              unsigned *http) {
    for (size_t i = 0; i < service->n_codes; i++) {
        const struct lt_service_code *row = &service->codes[i];
        if (err->code[0] ? !strcmp(row->code, err->code) : row->status == err->status) {
            *http = row->http;
            return row->code;
        }
    }
    if (err->code[0]) {
        *http = 400;
        return err->code;
    }
    *http = 500;
    return "InternalFailure";
}

static void answer_failure(const struct lt_service *service, const char *operation,
                           struct lt_http_request *request, const struct leat_error *err) {
    unsigned http;
    const char *code = error_code(service, err, &http);

    lt_metric_add(
        lt_metric(lt_metrics_global(), LT_METRIC_REQUEST_ERRORS, service->name, operation, code),
        1);
    if (http >= 500)
        lt_log(LT_LOG_ERROR, service->name, "%s: %s", operation, err->text);
    answer_error(request, http, code, lt_slice_str(err->text));
}

void lt_service_finish(struct lt_service_call *call, leat_status status,
                       const struct leat_error *err) {
    struct lt_service_desk *desk = call->env->desk;
    struct op_series *series = find_series(desk, call->service, call->operation);
    struct leat_error own;

    if (status == LEAT_OK && call->out.failed) {
        status = lt_buf_status(&call->out, &own);
        err = &own;
    }
    lt_metric_add(series->requests, 1);
    lt_metric_observe(series->latency,
                      (double)(lt_clock_mono_us() - lt_http_started_us(call->request)) * 1e-6);
    assert(desk->n_open > 0);
    desk->n_open--;

    struct lt_buf out = call->out;
    if (status == LEAT_OK)
        answer(call->request, 200, NULL, &out);
    else
        answer_failure(call->service, call->operation->name, call->request, err);
    lt_buf_deinit(&out);
}

static void run_work(uv_work_t *work) {
    struct lt_service_call *call = work->data;
    call->status = call->work_handler(call, &call->err);
}

static void end_work(uv_work_t *work, int cancelled) {
    struct lt_service_call *call = work->data;

    if (cancelled)
        call->status = lt_fail(&call->err, LEAT_E_CANCELLED, 0, "the engine stops");
    lt_service_finish(call, call->status, &call->err);
}

leat_status lt_service_offload(struct lt_service_call *call, lt_service_handler *handler,
                               struct leat_error *err) {
    call->work_handler = handler;
    call->work.data = call;
    int rc = uv_queue_work(call->env->loop, &call->work, run_work, end_work);
    if (rc < 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no worker for %s: %s", call->operation->name,
                       uv_strerror(rc));
    call->pending = true;
    return LEAT_OK;
}

static const struct lt_service_operation *find_operation(const struct lt_service *service,
                                                         struct lt_slice name) {
    for (size_t i = 0; i < service->n_operations; i++)
        if (lt_slice_eq_str(name, service->operations[i].name))
            return &service->operations[i];
    return NULL;
}

/* Parses and checks the body into `call`. */
static leat_status read_input(struct lt_service_call *call, struct leat_error *err) {
    struct lt_slice body = lt_http_body(call->request);
    leat_status status;

    if (lt_slice_starts(lt_http_header(call->request, "content-type"),
                        LT_LIT("application/x-amz-cbor")))
        return lt_fail_code(err, LEAT_E_UNSUPPORTED, "SerializationException",
                            "CBOR is not spoken here, JSON is: set AWS_CBOR_DISABLE=1 (Java: "
                            "-Dcom.amazonaws.sdk.disableCbor=1, aws.cborEnabled=false)");
    if (body.len == 0)
        return lt_fail_code(err, LEAT_E_PARSE, "SerializationException", "the body is empty");
    status = lt_json_parse(&call->body, body, MAX_DEPTH, &call->err);
    if (status != LEAT_OK)
        return lt_fail_code(err, LEAT_E_PARSE, "SerializationException", "%s", call->err.text);
    if (call->body.type != LT_JSON_OBJECT)
        return lt_fail_code(err, LEAT_E_PARSE, "SerializationException",
                            "the body is not a JSON object");
    return lt_shape_check(call->operation->input, call->body, "", call->arena, call->in, err);
}

void lt_service_handle(const struct lt_service *service, const struct lt_service_env *env,
                       struct lt_slice name, struct lt_http_request *request) {
    const struct lt_service_operation *operation = find_operation(service, name);
    struct lt_arena *arena = lt_http_arena(request);
    struct lt_service_call *call = lt_arena_calloc(arena, 1, sizeof(*call));
    struct leat_error err;

    if (!operation) {
        char *message =
            lt_arena_printf(arena, "%s has no operation %.*s here", service->target, LT_FMT(name));
        lt_service_refuse(request, 400, "UnknownOperationException", message ? message : "");
        return;
    }
    if (!call) {
        lt_service_refuse(request, 503, "ServiceUnavailable", "no memory for the request");
        return;
    }
    call->env = env;
    call->service = service;
    call->operation = operation;
    call->request = request;
    call->arena = arena;
    lt_buf_init(&call->out, MAX_ANSWER);
    env->desk->n_open++;

    leat_status status = read_input(call, &err);
    if (status == LEAT_OK)
        status = operation->blocks ? lt_service_offload(call, operation->handle, &err)
                                   : operation->handle(call, &err);
    if (status != LEAT_OK || !call->pending)
        lt_service_finish(call, status, &err);
}

struct lt_slice lt_service_string(struct lt_service_call *call, size_t member) {
    if (!call->in[member].raw.data)
        return (struct lt_slice){NULL, 0};
    return lt_json_string(call->in[member], call->arena);
}

const char *lt_service_cstr(struct lt_service_call *call, size_t member) {
    struct lt_slice text = lt_service_string(call, member);
    return text.data ? lt_arena_str(call->arena, text) : NULL;
}

int64_t lt_service_int(const struct lt_service_call *call, size_t member, int64_t absent) {
    int64_t value;
    double number;

    if (!call->in[member].raw.data)
        return absent;
    if (lt_json_int64(call->in[member], &value))
        return value;
    if (!lt_json_double(call->in[member], &number))
        return absent;
    return number >= 9e18 ? INT64_MAX : number <= -9e18 ? INT64_MIN : (int64_t)floor(number);
}

bool lt_service_bool(const struct lt_service_call *call, size_t member, bool absent) {
    return call->in[member].raw.data ? call->in[member].type == LT_JSON_TRUE : absent;
}

bool lt_service_has(const struct lt_service_call *call, size_t member) {
    return call->in[member].raw.data != NULL;
}
