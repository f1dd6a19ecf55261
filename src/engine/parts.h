/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_PARTS_H
#define LT_ENGINE_PARTS_H

#include "engine/completions.h"
#include "engine/deliveries.h"
#include "engine/engine.h"
#include "engine/s3/s3.h"
#include "engine/service.h"
#include "engine/spotify/spotify.h"
#include "http/server.h"
#include "object/folder.h"
#include "store/folder.h"

/* The engine's own structure, shared by engine.c (its life), dispatch.c (where a request goes),
 * admin.c (its own pages) and status.c (what it holds). */
struct lt_engine {
    /* immutable after open */
    struct lt_folder *folder;
    struct lt_state *state;
    struct lt_journal *journal;
    struct lt_streams *streams;
    struct lt_object_folder *objects;
    struct lt_completions *completions;
    unsigned port;
    uv_thread_t thread;
    bool has_thread, has_loop;

    /* engine thread only, once it runs */
    uv_loop_t loop;
    struct lt_http_server *server;
    struct lt_s3_service *s3;
    struct lt_spotify *sample; /* NULL: off */
    struct lt_deliveries *deliveries;
    struct lt_service_env env;
    uv_timer_t maintain;
    uv_work_t maintenance;
    bool maintaining;
    uv_timer_t drain;
    bool stopping;
};

/* Callbacks of the HTTP server; `ctx` is the engine. */
void lt_dispatch_on_headers(void *ctx, struct lt_http_request *request);
void lt_dispatch_on_request(void *ctx, struct lt_http_request *request);
void lt_dispatch_on_abort(void *ctx, struct lt_http_request *request);

/** Answers the engine's own page of that path; false when there is none. */
bool lt_admin_handle(struct lt_engine *engine, struct lt_http_request *request);
/** Whether a request is for one of them. */
bool lt_admin_is(struct lt_http_request *request);

/** lt_engine_status_json() on the engine's thread. */
leat_status lt_engine_write_status(struct lt_engine *engine, struct lt_buf *out,
                                   struct leat_error *err);

/** Calls `run` on the engine's thread and waits for it. Thread: any but the engine's. */
void lt_engine_call(struct lt_engine *engine, void (*run)(void *ctx), void *ctx);

#endif
