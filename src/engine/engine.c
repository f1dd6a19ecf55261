/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's life. All is opened on the caller's thread, so that an error is the caller's; then
 * one thread runs the loop. It ends in this order: no new connections; requests under way are
 * answered; the deliveries stop, what they hold stays in the journal; the last calls come back
 * from the journal and the worker pool; the loop runs out of handles; the journal is synced and
 * closed; the folder is given up.
 */
#include "engine/engine.h"

#include "base/log.h"
#include "engine/parts.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { GRACE_MS = 5000, DRAIN_MS = 5, MAINTAIN_MS = 60 * 1000, FLUSH_MS = 60 * 1000 };

unsigned lt_engine_port(const struct lt_engine *engine) {
    return engine->port;
}

struct lt_state *lt_engine_state(struct lt_engine *engine) {
    return engine->state;
}

struct lt_journal *lt_engine_journal(struct lt_engine *engine) {
    return engine->journal;
}

struct lt_object_store *lt_engine_objects(struct lt_engine *engine) {
    return lt_object_folder_store(engine->objects);
}

struct lt_streams *lt_engine_streams(struct lt_engine *engine) {
    return engine->streams;
}

static void maintain(uv_work_t *work) {
    struct lt_engine *engine = work->data;
    struct leat_error err;

    if (lt_streams_maintain(engine->streams, &err) != LEAT_OK)
        lt_log(LT_LOG_WARN, "engine", "retention: %s", err.text);
}

static void on_maintained(uv_work_t *work, int cancelled) {
    struct lt_engine *engine = work->data;
    (void)cancelled;
    engine->maintaining = false;
}

static void on_maintain(uv_timer_t *timer) {
    struct lt_engine *engine = timer->data;

    if (engine->maintaining)
        return;
    engine->maintenance.data = engine;
    engine->maintaining =
        uv_queue_work(&engine->loop, &engine->maintenance, maintain, on_maintained) == 0;
}

/* Until the last call is back. */
static void on_drain(uv_timer_t *timer) {
    struct lt_engine *engine = timer->data;

    if (lt_service_desk_n_open(engine->env.desk) > 0)
        return;
    uv_close((uv_handle_t *)&engine->drain, NULL);
    lt_completions_close(engine->completions);
    engine->completions = NULL;
}

static void on_answered(uv_timer_t *timer) {
    struct lt_engine *engine = timer->data;

    lt_http_server_free(engine->server);
    engine->server = NULL;
    lt_s3_service_free(engine->s3);
    engine->s3 = NULL;
    lt_spotify_close(engine->sample);
    engine->sample = NULL;
    lt_deliveries_close(engine->deliveries);
    engine->deliveries = NULL;
    uv_close((uv_handle_t *)&engine->maintain, NULL);
    uv_timer_start(&engine->drain, on_drain, 0, DRAIN_MS);
}

static void on_server_stopped(void *ctx) {
    struct lt_engine *engine = ctx;
    /* From a turn of its own: the server is not freed from its own callback. */
    uv_timer_start(&engine->drain, on_answered, 0, 0);
}

static void stop(void *ctx) {
    struct lt_engine *engine = ctx;

    engine->stopping = true;
    uv_timer_stop(&engine->maintain);
    lt_http_server_stop(engine->server, GRACE_MS, on_server_stopped, engine);
}

static void run_loop(void *ctx) {
    struct lt_engine *engine = ctx;
    uv_run(&engine->loop, UV_RUN_DEFAULT);
}

struct loop_call {
    struct lt_completion completion; /* first */
    void (*run)(void *ctx);
    void *ctx;
    uv_sem_t done;
};

static void run_call(struct lt_completion *completion) {
    struct loop_call *call = (struct loop_call *)completion;

    call->run(call->ctx);
    uv_sem_post(&call->done);
}

void lt_engine_call(struct lt_engine *engine, void (*run)(void *ctx), void *ctx) {
    struct loop_call call = {.completion.run = run_call, .run = run, .ctx = ctx};

    uv_sem_init(&call.done, 0);
    lt_completions_post(engine->completions, &call.completion);
    uv_sem_wait(&call.done);
    uv_sem_destroy(&call.done);
}

/* What survives a crash. */
/* Streams are in the state before the first record is in the journal: records without a state mean
 * that it was lost. */
static leat_status check_state_is_there(struct lt_engine *engine, const char *data_dir,
                                        struct leat_error *err) {
    uint64_t n_bytes = lt_journal_disk_bytes(engine->journal);
    struct stat st;
    char *path;

    if (!n_bytes)
        return LEAT_OK;
    if (asprintf(&path, "%s/state.db", data_dir) < 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a path");
    bool there = stat(path, &st) == 0 && st.st_size > 0;
    free(path);
    if (there)
        return LEAT_OK;
    return lt_fail(
        err, LEAT_E_CORRUPT, 0,
        "%s/state.db is missing or empty, but the journal holds %llu bytes of records: put "
        "it back, or remove %s/journal to begin anew without them",
        data_dir, (unsigned long long)n_bytes, data_dir);
}

static leat_status open_stores(struct lt_engine *engine, const struct lt_engine_options *opt,
                               struct leat_error *err) {
    const char *data_dir = opt->data_dir;
    struct lt_journal_options journal = {0};
    char *path = NULL;
    leat_status status;

    status = lt_folder_lock(&engine->folder, data_dir, err);
    if (status != LEAT_OK)
        return status;
    if (opt->passing)
        lt_folder_pass(engine->folder);
    data_dir = lt_folder_path(engine->folder);
    if (asprintf(&path, "%s/state.db", data_dir) < 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a path");
    status = lt_state_open(&engine->state, path, err);
    free(path);
    if (status != LEAT_OK)
        return status;
    if (asprintf(&path, "%s/journal", data_dir) < 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a path");
    journal.dir = path;
    status = lt_journal_open(&engine->journal, &journal, err);
    free(path);
    if (status == LEAT_OK)
        status = check_state_is_there(engine, data_dir, err);
    if (status == LEAT_OK)
        status = lt_streams_open(&engine->streams, engine->state, engine->journal, err);
    if (status == LEAT_OK)
        status = lt_object_folder_new(&engine->objects, data_dir, engine->state, err);
    return status;
}

static leat_status open_loop(struct lt_engine *engine, struct leat_error *err) {
    leat_status status;
    int rc = uv_loop_init(&engine->loop);

    if (rc < 0)
        return lt_fail(err, LEAT_E_IO, -rc, "cannot make an event loop");
    engine->has_loop = true;
    uv_timer_init(&engine->loop, &engine->maintain);
    uv_timer_init(&engine->loop, &engine->drain);
    engine->maintain.data = engine->drain.data = engine;
    uv_timer_start(&engine->maintain, on_maintain, MAINTAIN_MS, MAINTAIN_MS);
    status = lt_completions_open(&engine->completions, &engine->loop, err);
    if (status == LEAT_OK)
        status = lt_service_desk_new(&engine->env.desk, err);
    return status;
}

static leat_status open_services(struct lt_engine *engine, struct leat_error *err) {
    struct lt_object_store *objects = lt_object_folder_store(engine->objects);
    struct lt_s3_options s3 = {.loop = &engine->loop, .objects = engine->objects};
    struct lt_deliveries_options deliveries = {.loop = &engine->loop,
                                               .state = engine->state,
                                               .journal = engine->journal,
                                               .streams = engine->streams,
                                               .objects = objects};
    leat_status status = lt_s3_service_new(&engine->s3, &s3, err);

    if (status == LEAT_OK)
        status = lt_deliveries_open(&engine->deliveries, &deliveries, err);
    engine->env = (struct lt_service_env){.engine = engine,
                                          .loop = &engine->loop,
                                          .state = engine->state,
                                          .journal = engine->journal,
                                          .streams = engine->streams,
                                          .objects = objects,
                                          .deliveries = engine->deliveries,
                                          .desk = engine->env.desk,
                                          .completions = engine->completions};
    return status;
}

static leat_status open_sample(struct lt_engine *engine, const struct lt_engine_sample *sample,
                               struct leat_error *err) {
    struct lt_spotify_options options = {.loop = &engine->loop,
                                         .data = sample->data,
                                         .scale = sample->scale,
                                         .faults = sample->faults};

    if (!sample->name)
        return LEAT_OK;
    if (strcmp(sample->name, "spotify") != 0)
        return lt_fail(err, LEAT_E_INVALID, 0, "there is no sample \"%s\", there is spotify",
                       sample->name);
    return lt_spotify_open(&engine->sample, &options, err);
}

static leat_status open_server(struct lt_engine *engine, const char *address,
                               struct leat_error *err) {
    struct lt_http_server_options options = {.loop = &engine->loop,
                                             .ctx = engine,
                                             .on_headers = lt_dispatch_on_headers,
                                             .on_request = lt_dispatch_on_request,
                                             .on_abort = lt_dispatch_on_abort};
    int fd;
    leat_status status = lt_http_server_new(&engine->server, &options, err);

    if (status == LEAT_OK && address)
        status = lt_http_server_listen(engine->server, address, &engine->port, err);
    /* Last: who finds the private address finds an engine behind it. */
    if (status == LEAT_OK)
        status = lt_folder_listen(engine->folder, &fd, err);
    if (status == LEAT_OK)
        status = lt_http_server_listen_fd(engine->server, fd, err);
    return status;
}

leat_status lt_engine_open(struct lt_engine **out, const struct lt_engine_options *opt,
                           struct leat_error *err) {
    struct lt_engine *engine = calloc(1, sizeof(*engine));
    leat_status status;
    int rc;

    *out = NULL;
    if (!engine)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an engine");
    status = open_stores(engine, opt, err);
    if (status == LEAT_OK)
        status = open_loop(engine, err);
    if (status == LEAT_OK)
        status = open_services(engine, err);
    if (status == LEAT_OK)
        status = open_sample(engine, &opt->sample, err);
    if (status == LEAT_OK)
        status = open_server(engine, opt->listen, err);
    if (status == LEAT_OK) {
        rc = uv_thread_create(&engine->thread, run_loop, engine);
        engine->has_thread = rc == 0;
        if (rc < 0)
            status = lt_fail(err, LEAT_E_IO, -rc, "cannot start the engine's thread");
    }
    if (status != LEAT_OK) {
        lt_engine_close(engine, false);
        return status;
    }
    *out = engine;
    return LEAT_OK;
}

/* Takes down what the loop has, on this thread, of an engine that never ran. */
static void close_unstarted(struct lt_engine *engine) {
    if (engine->server)
        lt_http_server_free(engine->server);
    lt_s3_service_free(engine->s3);
    lt_spotify_close(engine->sample);
    lt_deliveries_close(engine->deliveries);
    uv_close((uv_handle_t *)&engine->maintain, NULL);
    uv_close((uv_handle_t *)&engine->drain, NULL);
    lt_completions_close(engine->completions);
    uv_run(&engine->loop, UV_RUN_DEFAULT);
}

void lt_engine_close(struct lt_engine *engine, bool flush) {
    struct leat_error err;

    if (!engine)
        return;
    if (engine->has_thread) {
        if (flush && lt_engine_flush(engine, NULL, FLUSH_MS, &err) != LEAT_OK)
            lt_log(LT_LOG_WARN, "engine", "kept in the journal, not delivered: %s", err.text);
        lt_engine_call(engine, stop, engine);
        uv_thread_join(&engine->thread);
    } else if (engine->has_loop) {
        close_unstarted(engine);
    }
    if (engine->has_loop && uv_loop_close(&engine->loop) != 0)
        lt_log(LT_LOG_ERROR, "engine", "handles were left open at the end");
    lt_service_desk_free(engine->env.desk);
    lt_streams_close(engine->streams);
    lt_journal_close(engine->journal);
    lt_object_folder_free(engine->objects);
    lt_state_close(engine->state);
    lt_folder_unlock(engine->folder);
    free(engine);
}

/* A flush that another thread waits for. */
struct flush_call {
    struct lt_engine *engine;
    const char *delivery;
    int64_t timeout_ms;
    uv_sem_t done;
    leat_status status;
    struct leat_error *err;
};

static void on_flushed(void *ctx, leat_status status, const struct leat_error *err) {
    struct flush_call *call = ctx;

    call->status = status;
    if (status != LEAT_OK && call->err)
        *call->err = *err;
    uv_sem_post(&call->done);
}

static void start_flush(void *ctx) {
    struct flush_call *call = ctx;

    call->status = lt_deliveries_flush(call->engine->deliveries, call->delivery, call->timeout_ms,
                                       on_flushed, call, call->err);
    if (call->status != LEAT_OK)
        uv_sem_post(&call->done);
}

leat_status lt_engine_flush(struct lt_engine *engine, const char *delivery, int64_t timeout_ms,
                            struct leat_error *err) {
    struct flush_call call = {
        .engine = engine, .delivery = delivery, .timeout_ms = timeout_ms, .err = err};

    uv_sem_init(&call.done, 0);
    lt_engine_call(engine, start_flush, &call);
    uv_sem_wait(&call.done);
    uv_sem_destroy(&call.done);
    return call.status;
}
