/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a request goes: X-Amz-Target names a service of the JSON protocol and its operation; a few
 * paths are the engine's own, a few its sample's while that is on; all else is S3's. The server's
 * three callbacks must agree on it, so it is decided from the head of the request alone.
 */
#include "engine/firehose/firehose.h"
#include "engine/kinesis/kinesis.h"
#include "engine/parts.h"

static const struct lt_service *const services[] = {&lt_kinesis, &lt_firehose};

enum place { PLACE_SERVICE, PLACE_ADMIN, PLACE_SAMPLE, PLACE_S3 };

/* A POST to "/" is never S3's. */
static bool is_json_protocol(struct lt_http_request *request) {
    return lt_slice_eq_str(lt_http_method(request), "POST") &&
           (lt_http_header(request, "x-amz-target").data ||
            lt_slice_eq_str(lt_http_raw_path(request), "/"));
}

static enum place find_place(const struct lt_engine *engine, struct lt_http_request *request) {
    if (is_json_protocol(request))
        return PLACE_SERVICE;
    if (lt_admin_is(request))
        return PLACE_ADMIN;
    return engine->sample && lt_spotify_is(request) ? PLACE_SAMPLE : PLACE_S3;
}

static void call_service(struct lt_engine *engine, struct lt_http_request *request) {
    struct lt_slice target = lt_http_header(request, "x-amz-target");
    const char *dot = target.data ? memchr(target.data, '.', target.len) : NULL;

    for (size_t i = 0; dot && i < sizeof(services) / sizeof(services[0]); i++) {
        struct lt_slice name = lt_slice(target.data, (size_t)(dot - target.data));
        if (lt_slice_eq_str(name, services[i]->target)) {
            lt_service_handle(services[i], &engine->env, lt_slice_from(target, name.len + 1),
                              request);
            return;
        }
    }
    lt_service_refuse(request, 400, "UnknownOperationException",
                      "X-Amz-Target names no service here: Kinesis_20131202.OPERATION, "
                      "Firehose_20150804.OPERATION");
}

void lt_dispatch_on_headers(void *ctx, struct lt_http_request *request) {
    struct lt_engine *engine = ctx;
    if (find_place(engine, request) == PLACE_S3)
        lt_s3_on_headers(engine->s3, request);
}

void lt_dispatch_on_request(void *ctx, struct lt_http_request *request) {
    struct lt_engine *engine = ctx;

    switch (find_place(engine, request)) {
    case PLACE_SERVICE:
        call_service(engine, request);
        break;
    case PLACE_ADMIN:
        lt_admin_handle(engine, request);
        break;
    case PLACE_SAMPLE:
        lt_spotify_on_request(engine->sample, request);
        break;
    case PLACE_S3:
        lt_s3_on_request(engine->s3, request);
        break;
    }
}

void lt_dispatch_on_abort(void *ctx, struct lt_http_request *request) {
    struct lt_engine *engine = ctx;
    if (find_place(engine, request) == PLACE_S3)
        lt_s3_on_abort(engine->s3, request);
}
