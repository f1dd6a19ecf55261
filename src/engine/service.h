/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SERVICE_H
#define LT_ENGINE_SERVICE_H

#include "base/arena.h"
#include "base/buf.h"
#include "engine/shape.h"
#include "http/server.h"
#include "json/json.h"

#include <uv.h>

/*
 * A service of AWS' JSON protocol is a table of operations (Kinesis and Firehose are two). This
 * is what both share: reading the body, checking it against the operation's input shape, the
 * answer, the errors, the metrics. An operation is one handler in one file and one row.
 */
struct lt_engine;
struct lt_streams;
struct lt_journal;
struct lt_state;
struct lt_object_store;
struct lt_deliveries;
struct lt_service;
struct lt_service_desk;
struct lt_completions;

/** What operations stand on; made by the engine, borrowed by all. */
struct lt_service_env {
    struct lt_engine *engine;
    uv_loop_t *loop;
    struct lt_state *state;
    struct lt_journal *journal;
    struct lt_streams *streams;
    struct lt_object_store *objects;
    struct lt_deliveries *deliveries;
    struct lt_service_desk *desk;       /**< calls under way and their metrics */
    struct lt_completions *completions; /**< from the journal's thread to the loop */
};

struct lt_service_call;

/**
 * Handles a call: LEAT_OK with the answer in `call->out`; or LEAT_OK and `call->pending`; or an
 * error. An error's code is `err->code` (see lt_fail_code()), or where that is empty the
 * service's code for the status.
 *
 * Thread: the engine's loop; a worker of libuv's pool for operations that `block`.
 */
typedef leat_status lt_service_handler(struct lt_service_call *call, struct leat_error *err);

/**
 * One request on its way. The arena, the input and the body live until the answer is given.
 */
struct lt_service_call {
    const struct lt_service_env *env;
    const struct lt_service_operation *operation;
    struct lt_arena *arena;
    /** The body: a valid JSON object that fits the operation's input shape. */
    struct lt_json body;
    /** The members of the body in the order of the shape's rows; `raw.data` NULL: absent or null.
     */
    struct lt_json in[LT_SHAPE_MAX_MEMBERS];
    /** The answer's JSON; left empty, the answer has no body. */
    struct lt_buf out;
    /** Set by a handler that answers later with lt_service_finish(). */
    bool pending;
    void *user; /**< the handler's own, for a later answer */

    /* the service's own */
    const struct lt_service *service;
    struct lt_http_request *request;
    lt_service_handler *work_handler;
    uv_work_t work;
    leat_status status;
    struct leat_error err;
};

struct lt_service_operation {
    const char *name; /**< "PutRecords" */
    const struct lt_shape *input;
    lt_service_handler *handle;
    bool blocks; /**< waits for the disk: run on the worker pool (never `pending` then) */
};

/** The code that answers a status without a code of its own. */
struct lt_service_code {
    leat_status status;
    const char *code;
    unsigned http;
};

struct lt_service {
    const char *name;   /**< "kinesis": the metrics' label */
    const char *target; /**< "Kinesis_20131202" */
    const struct lt_service_operation *operations;
    size_t n_operations;
    const struct lt_service_code *codes; /**< first match; else InternalFailure, 500 */
    size_t n_codes;
};

/** Handles a request whose X-Amz-Target names this service; `name` is what follows the dot.
 * Answers it, now or later. Thread: the engine's loop. */
void lt_service_handle(const struct lt_service *service, const struct lt_service_env *env,
                       struct lt_slice name, struct lt_http_request *request);

/** Answers a pending call and frees it: with `call->out`, or with the error. Thread: the loop. */
void lt_service_finish(struct lt_service_call *call, leat_status status,
                       const struct leat_error *err);

/** Goes on with a call on libuv's worker pool: `handler` is called there as one of an operation
 * that `blocks`, and its answer sent from the loop. Call it as the last thing of a handler and
 * return its result. Thread: the loop. */
LEAT_MUST_CHECK leat_status lt_service_offload(struct lt_service_call *call,
                                               lt_service_handler *handler, struct leat_error *err);

/** The desk of one engine. */
LEAT_MUST_CHECK leat_status lt_service_desk_new(struct lt_service_desk **out,
                                                struct leat_error *err);
void lt_service_desk_free(struct lt_service_desk *desk);
/** Number of calls handed to handlers and not yet answered. Thread: the loop. */
size_t lt_service_desk_n_open(const struct lt_service_desk *desk);

/** Answers a request of the JSON protocol with an error that no operation made. */
void lt_service_refuse(struct lt_http_request *request, unsigned http, const char *code,
                       const char *message);

/* Input made easy: each gives a default when the member is absent. */

/** The string, unescaped; `data` NULL when absent. */
struct lt_slice lt_service_string(struct lt_service_call *call, size_t member);
/** The string as a C string; NULL when absent. A NUL in it ends it: for members with a pattern. */
const char *lt_service_cstr(struct lt_service_call *call, size_t member);
int64_t lt_service_int(const struct lt_service_call *call, size_t member, int64_t absent);
bool lt_service_bool(const struct lt_service_call *call, size_t member, bool absent);
bool lt_service_has(const struct lt_service_call *call, size_t member);

/** The account in the engine's ARNs, and their region. */
#define LT_SERVICE_ACCOUNT "000000000000"
#define LT_SERVICE_REGION "us-east-1"

#endif
