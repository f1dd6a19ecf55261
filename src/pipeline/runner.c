/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The coordinator: which shards are read and by whom, when all is drained, and how it ends. It runs
 * on the caller's thread and touches a task only through its atomics.
 */
#include "pipeline/runner_parts.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TICK_MS = 20,
    PROGRESS_EVERY_TICKS = 10,
    MAX_THREADS = 8,
    RELIST_TICKS = 25,
    LISTING_ARENA_MAX_BYTES = 64 << 20
};

void lt_runner_fail(struct lt_runner *runner, const struct leat_error *err) {
    pthread_mutex_lock(&runner->mu);
    if (!atomic_load(&runner->failed)) {
        runner->error = *err;
        atomic_store(&runner->failed, true);
    }
    pthread_mutex_unlock(&runner->mu);
    uv_async_send(&runner->wake);
}

/* ---- which shards are read ---- */

static struct lt_run_task *find_task(struct lt_runner *runner, struct lt_run_pipeline *pipeline,
                                     const char *shard) {
    for (struct lt_run_task *task = runner->tasks; task; task = task->next) {
        if (task->pipeline == pipeline && strcmp(task->shard, shard) == 0)
            return task;
    }
    return NULL;
}

static const struct lt_checkpoint *find_checkpoint(struct lt_run_pipeline *pipeline,
                                                   const char *shard) {
    for (size_t i = 0; i < pipeline->n_checkpoints; i++) {
        if (lt_slice_eq_str(pipeline->checkpoints[i].shard, shard))
            return &pipeline->checkpoints[i];
    }
    return NULL;
}

static bool is_done(struct lt_runner *runner, struct lt_run_pipeline *pipeline, const char *shard) {
    struct lt_run_task *task = find_task(runner, pipeline, shard);
    const struct lt_checkpoint *checkpoint = find_checkpoint(pipeline, shard);
    return task ? atomic_load(&task->ended) : checkpoint && checkpoint->ended;
}

static bool is_listed(const struct lt_stream_shard *shards, size_t n, const char *id) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(shards[i].id, id) == 0)
            return true;
    }
    return false;
}

/* A parent that is still kept is read to its end before its children. */
static bool parents_are_done(struct lt_runner *runner, struct lt_run_pipeline *pipeline,
                             const struct lt_stream_shard *shards, size_t n,
                             const struct lt_stream_shard *shard) {
    const char *const parents[] = {shard->parent, shard->adjacent_parent};
    for (size_t i = 0; i < 2; i++) {
        if (parents[i] && is_listed(shards, n, parents[i]) &&
            !is_done(runner, pipeline, parents[i]))
            return false;
    }
    return true;
}

static void set_start(struct lt_run_task *task, const struct lt_checkpoint *checkpoint,
                      bool has_parent) {
    bool latest = task->pipeline->system->from_latest && !has_parent;
    task->start.from = latest ? LT_FROM_LATEST : LT_FROM_TRIM_HORIZON;
    if (!checkpoint)
        return;
    task->ordinal = checkpoint->ordinal;
    task->done.ordinal = checkpoint->ordinal;
    size_t len = checkpoint->sequence.len;
    if (!len && checkpoint->seek_time_ms) {
        task->start.from = LT_FROM_TIME;
        task->start.time_ms = checkpoint->seek_time_ms;
    }
    if (!len || len >= sizeof(task->start_sequence))
        return;
    memcpy(task->start_sequence, checkpoint->sequence.data, len);
    memcpy(task->done_sequence, checkpoint->sequence.data, len);
    task->done.sequence = lt_slice_str(task->done_sequence);
    task->done.time_ms = checkpoint->time_ms;
    task->done.at = checkpoint->at;
    task->start.from = checkpoint->at ? LT_FROM_AT_SEQUENCE : LT_FROM_AFTER_SEQUENCE;
    task->start.sequence = lt_slice_str(task->start_sequence);
}

static leat_status add_task(struct lt_runner *runner, struct lt_run_pipeline *pipeline,
                            const struct lt_stream_shard *shard, struct leat_error *err) {
    struct lt_run_task *task = calloc(1, sizeof(*task));
    if (!task || strlen(shard->id) >= sizeof(task->shard)) {
        free(task);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for shard %s", shard->id);
    }
    task->pipeline = pipeline;
    memcpy(task->shard, shard->id, strlen(shard->id) + 1);
    atomic_store(&task->tip, UINT64_MAX);
    set_start(task, find_checkpoint(pipeline, shard->id), shard->parent != NULL);
    size_t at = pipeline->has_objects ? pipeline->index : runner->next_worker++;
    task->worker = &runner->workers[at % runner->n_workers];
    task->next = runner->tasks;
    runner->tasks = task;
    lt_run_worker_give(task->worker, task);
    return LEAT_OK;
}

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    struct lt_run_pipeline *pipeline = ctx;
    struct lt_runner *runner = pipeline->runner;
    struct leat_error failure;

    pipeline->listing = false;
    pipeline->listed = status == LEAT_OK;
    if (status == LEAT_E_CANCELLED || runner->stopping)
        return;
    if (status != LEAT_OK && leat_status_is_retryable(status)) {
        pipeline->relist_at_tick = runner->n_ticks + RELIST_TICKS;
        return;
    }
    if (status != LEAT_OK)
        failure = *err;
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (find_task(runner, pipeline, shards[i].id) || is_done(runner, pipeline, shards[i].id) ||
            !parents_are_done(runner, pipeline, shards, n, &shards[i]))
            continue;
        status = add_task(runner, pipeline, &shards[i], &failure);
    }
    if (status == LEAT_E_NOT_FOUND)
        lt_fail(&failure, LEAT_E_NOT_FOUND, 0,
                "stream %s does not exist in %s; `leat up %s` creates what the file names",
                pipeline->system->source_stream, lt_target_describe(runner->opt->target),
                runner->opt->system->path);
    if (status != LEAT_OK)
        lt_runner_fail(runner, &failure);
}

static void list_shards(struct lt_run_pipeline *pipeline) {
    struct lt_runner *runner = pipeline->runner;
    struct leat_error err;

    if (pipeline->listing)
        return;
    pipeline->listing = true;
    if (runner->service->ops->list_shards(runner->service, pipeline->system->source_stream,
                                          on_shards, pipeline, &err) != LEAT_OK) {
        pipeline->listing = false;
        lt_runner_fail(runner, &err);
    }
}

/* A shard that ended hands over to its children. */
static void look_for_children(struct lt_runner *runner) {
    for (size_t i = 0; i < runner->n_pipelines; i++) {
        struct lt_run_pipeline *pipeline = &runner->pipelines[i];
        size_t n = 0;
        for (struct lt_run_task *task = runner->tasks; task; task = task->next)
            n += task->pipeline == pipeline && atomic_load(&task->ended);
        bool again = pipeline->relist_at_tick && runner->n_ticks >= pipeline->relist_at_tick;
        if ((n > pipeline->n_ended || again) && !pipeline->listing) {
            pipeline->n_ended = n;
            pipeline->relist_at_tick = 0;
            list_shards(pipeline);
        }
    }
}

/* ---- figures ---- */

static void fill_stat(struct lt_runner *runner) {
    struct lt_run_stat *stat = runner->stat;

    for (size_t i = 0; stat->pipelines && runner->pipelines && i < runner->n_pipelines; i++) {
        struct lt_run_pipeline *from = &runner->pipelines[i];
        struct lt_run_pipeline_stat *to = &stat->pipelines[i];
        to->name = from->system->name;
        to->n_read = atomic_load(&from->n_read);
        to->n_bytes = atomic_load(&from->n_bytes);
        to->n_dead = atomic_load(&from->n_dead);
        for (size_t r = 0; from->routes && r < to->n_routes; r++) {
            to->routes[r].to = from->system->routes[r].to;
            to->routes[r].n_records = atomic_load(&from->routes[r].n_records);
            to->routes[r].n_bytes = atomic_load(&from->routes[r].n_bytes);
            to->routes[r].n_retries = atomic_load(&from->routes[r].n_retries);
        }
        to->n_shards = 0;
        for (struct lt_run_task *task = runner->tasks; task; task = task->next)
            to->n_shards += task->pipeline == from;
        pthread_mutex_lock(&from->latency_mu);
        to->latency = from->latency;
        pthread_mutex_unlock(&from->latency_mu);
    }
    stat->elapsed_ms = (lt_clock_mono_us() - runner->started_us) / 1000;
}

void lt_run_stat_deinit(struct lt_run_stat *stat) {
    for (size_t i = 0; stat->pipelines && i < stat->n_pipelines; i++)
        free(stat->pipelines[i].routes);
    free(stat->pipelines);
    *stat = (struct lt_run_stat){0};
}

static leat_status init_stat(struct lt_runner *runner, struct leat_error *err) {
    struct lt_run_stat *stat = runner->stat;

    stat->pipelines = calloc(runner->n_pipelines + 1, sizeof(*stat->pipelines));
    stat->n_pipelines = stat->pipelines ? runner->n_pipelines : 0;
    for (size_t i = 0; i < stat->n_pipelines; i++) {
        const struct lt_system_pipeline *system = runner->pipelines[i].system;
        assert(system); /* every pipeline of the runner has one */
        size_t n_routes = system->n_routes;
        stat->pipelines[i].routes = calloc(n_routes + 1, sizeof(struct lt_run_route_stat));
        stat->pipelines[i].n_routes = stat->pipelines[i].routes ? n_routes : 0;
        if (!stat->pipelines[i].routes)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the figures");
    }
    return stat->pipelines ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the figures");
}

/* ---- the end ---- */

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void begin_stop(struct lt_runner *runner) {
    if (runner->stopping)
        return;
    runner->stopping = true;
    for (struct lt_run_pump *pump = runner->pumps; pump; pump = *lt_run_pump_next(pump))
        lt_run_pump_stop(pump);
    for (unsigned i = 0; i < runner->n_workers; i++)
        lt_run_worker_stop(&runner->workers[i]);
    close_handle((uv_handle_t *)&runner->tick);
    close_handle((uv_handle_t *)&runner->sigint);
    close_handle((uv_handle_t *)&runner->sigterm);
    close_handle((uv_handle_t *)&runner->wake);
    if (runner->service)
        runner->service->ops->close(runner->service);
    runner->service = NULL;
}

static bool all_read(struct lt_runner *runner) {
    uint64_t activity = atomic_load(&runner->activity);
    size_t n_ended = 0;

    for (size_t i = 0; i < runner->n_pipelines; i++) {
        if (!runner->pipelines[i].listed || runner->pipelines[i].listing)
            return false;
        n_ended += runner->pipelines[i].n_ended;
    }
    for (struct lt_run_task *task = runner->tasks; task; task = task->next) {
        if (atomic_load(&task->n_unacknowledged))
            return false;
        bool ended = atomic_load(&task->ended);
        if (!ended && atomic_load(&task->tip) != activity)
            return false;
        if (ended && !n_ended--)
            return false; /* its children were not looked for yet */
    }
    for (struct lt_run_pump *pump = runner->pumps; pump; pump = *lt_run_pump_next(pump)) {
        if (!lt_run_pump_is_drained(pump, activity))
            return false;
    }
    /* a put acknowledged meanwhile gave somebody who was found at the tip something to read */
    return atomic_load(&runner->activity) == activity;
}

static bool all_flushed(struct lt_runner *runner) {
    for (unsigned i = 0; i < runner->n_workers; i++) {
        if (atomic_load(&runner->workers[i].n_flushes) != 0)
            return false;
    }
    for (struct lt_run_pump *pump = runner->pumps; pump; pump = *lt_run_pump_next(pump)) {
        if (!lt_run_pump_is_flushed(pump))
            return false;
    }
    return true;
}

static void drain(struct lt_runner *runner) {
    if (!runner->draining) {
        if (!all_read(runner))
            return;
        runner->draining = true;
        for (unsigned i = 0; i < runner->n_workers; i++)
            lt_run_worker_flush(&runner->workers[i]);
        for (struct lt_run_pump *pump = runner->pumps; pump; pump = *lt_run_pump_next(pump))
            lt_run_pump_flush(pump);
    }
    if (all_flushed(runner))
        begin_stop(runner);
}

static void look(struct lt_runner *runner) {
    if (atomic_load(&runner->failed)) {
        begin_stop(runner);
        return;
    }
    if (runner->stopping)
        return;
    look_for_children(runner);
    if (runner->opt->drain)
        drain(runner);
}

static void on_wake(uv_async_t *async) {
    look(async->data);
}

static void on_tick(uv_timer_t *timer) {
    struct lt_runner *runner = timer->data;
    if (++runner->n_ticks % PROGRESS_EVERY_TICKS == 0 && runner->opt->on_progress) {
        fill_stat(runner);
        runner->opt->on_progress(runner->opt->ctx, runner->stat);
    }
    look(runner);
}

static void on_signal(uv_signal_t *handle, int signum) {
    struct lt_runner *runner = handle->data;
    (void)signum;
    runner->stat->interrupted = true;
    begin_stop(runner);
}

/* ---- the beginning ---- */

static leat_status open_pipeline(struct lt_runner *runner, struct lt_run_pipeline *pipeline,
                                 struct leat_error *err) {
    const struct lt_system_pipeline *system = pipeline->system;
    struct lt_metrics *metrics = lt_metrics_global();

    leat_status status =
        lt_target_claim_pipeline(runner->opt->target, system->name, &pipeline->claim, err);
    if (status != LEAT_OK)
        return status;
    for (size_t i = 0; i < system->n_routes; i++)
        pipeline->has_objects |= system->routes[i].kind == LT_ROUTE_OBJECTS;
    pipeline->routes = calloc(system->n_routes + 1, sizeof(*pipeline->routes));
    if (!pipeline->routes)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline");
    for (size_t i = 0; i < system->n_routes; i++) {
        struct lt_run_route_count *count = &pipeline->routes[i];
        const char *to = system->routes[i].to;
        count->records = lt_metric(metrics, LT_METRIC_ROUTE_RECORDS, system->name, to, NULL);
        count->bytes = lt_metric(metrics, LT_METRIC_ROUTE_BYTES, system->name, to, NULL);
        count->errors = lt_metric(metrics, LT_METRIC_ROUTE_ERRORS, system->name, to, NULL);
        count->buffer = lt_metric(metrics, LT_METRIC_ROUTE_BUFFER, system->name, to, NULL);
    }
    pipeline->m_records = lt_metric(metrics, LT_METRIC_PIPELINE_RECORDS, system->name, NULL, NULL);
    pipeline->m_dead = lt_metric(metrics, LT_METRIC_PIPELINE_DEAD, system->name, NULL, NULL);
    pipeline->m_latency = lt_metric(metrics, LT_METRIC_PIPELINE_LATENCY, system->name, NULL, NULL);
    if (pipeline->has_objects && !runner->objects) {
        status = lt_target_objects(runner->opt->target, &runner->objects, err);
        if (status != LEAT_OK)
            return status;
    }
    return lt_checkpoint_load(runner->state, system->name, system->source_stream, &pipeline->arena,
                              &pipeline->checkpoints, &pipeline->n_checkpoints, err);
}

static leat_status open_pipelines(struct lt_runner *runner, struct leat_error *err) {
    const struct lt_system *system = runner->opt->system;
    leat_status status = LEAT_OK;

    runner->pipelines = calloc(system->n_pipelines + 1, sizeof(*runner->pipelines));
    if (!runner->pipelines)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the pipelines");
    for (size_t i = 0; i < system->n_pipelines; i++) {
        if (runner->opt->only && strcmp(system->pipelines[i].name, runner->opt->only) != 0)
            continue;
        if (!system->pipelines[i].source_stream)
            continue; /* `leat pull` runs it */
        struct lt_run_pipeline *pipeline = &runner->pipelines[runner->n_pipelines];
        pipeline->runner = runner;
        pipeline->system = &system->pipelines[i];
        pipeline->index = runner->n_pipelines++;
        /* every shard has its share of the buffer; one share is at least a batch */
        pipeline->buffer_per_task_bytes = (size_t)(pipeline->system->buffer_bytes / 8);
        pthread_mutex_init(&pipeline->latency_mu, NULL);
        lt_arena_init(&pipeline->arena, LISTING_ARENA_MAX_BYTES);
    }
    if (!runner->n_pipelines)
        return lt_fail(err, LEAT_E_INVALID, 0, "%s has no pipeline%s%s that reads a stream",
                       system->path, runner->opt->only ? " " : "",
                       runner->opt->only ? runner->opt->only : "");
    status = init_stat(runner, err);
    for (size_t i = 0; i < runner->n_pipelines && status == LEAT_OK; i++)
        status = open_pipeline(runner, &runner->pipelines[i], err);
    return status;
}

static leat_status open_workers(struct lt_runner *runner, struct leat_error *err) {
    long n = runner->opt->n_threads ? (long)runner->opt->n_threads : sysconf(_SC_NPROCESSORS_ONLN);
    leat_status status = LEAT_OK;

    n = n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
    runner->workers = calloc((size_t)n, sizeof(*runner->workers));
    if (!runner->workers)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the workers");
    for (long i = 0; i < n && status == LEAT_OK; i++) {
        runner->workers[i].runner = runner;
        runner->workers[i].index = (unsigned)i;
    }
    for (long i = 0; i < n && status == LEAT_OK; i++) {
        runner->n_workers++;
        status = lt_run_worker_start(&runner->workers[i], err);
    }
    return status;
}

static leat_status open_pumps(struct lt_runner *runner, struct leat_error *err) {
    const struct lt_system *system = runner->opt->system;
    leat_status status = LEAT_OK;

    if (!system->n_deliveries || lt_target_streams_embedded(runner->opt->target))
        return LEAT_OK;
    if (!runner->objects)
        status = lt_target_objects(runner->opt->target, &runner->objects, err);
    for (size_t i = 0; i < system->n_deliveries && status == LEAT_OK; i++) {
        if (system->deliveries[i].role)
            continue; /* Firehose itself has it */
        struct lt_run_pump *pump;
        status = lt_run_pump_open(&pump, runner, &system->deliveries[i], err);
        if (status == LEAT_OK) {
            *lt_run_pump_next(pump) = runner->pumps;
            runner->pumps = pump;
        }
    }
    return status;
}

static void open_handles(struct lt_runner *runner) {
    uv_async_init(&runner->loop, &runner->wake, on_wake);
    uv_timer_init(&runner->loop, &runner->tick);
    uv_signal_init(&runner->loop, &runner->sigint);
    uv_signal_init(&runner->loop, &runner->sigterm);
    runner->wake.data = runner->tick.data = runner;
    runner->sigint.data = runner->sigterm.data = runner;
    uv_timer_start(&runner->tick, on_tick, TICK_MS, TICK_MS);
    /* once: a second signal finds the system's own action, and ends the program */
    uv_signal_start_oneshot(&runner->sigint, on_signal, SIGINT);
    uv_signal_start_oneshot(&runner->sigterm, on_signal, SIGTERM);
}

static void close_all(struct lt_runner *runner) {
    for (unsigned i = 0; i < runner->n_workers; i++)
        lt_run_worker_join(&runner->workers[i]);
    fill_stat(runner);
    while (runner->pumps) {
        struct lt_run_pump *pump = runner->pumps;
        runner->pumps = *lt_run_pump_next(pump);
        lt_run_pump_free(pump);
    }
    uv_run(&runner->loop, UV_RUN_DEFAULT);
    uv_loop_close(&runner->loop);
    while (runner->tasks) {
        struct lt_run_task *task = runner->tasks;
        runner->tasks = task->next;
        lt_run_task_free(task);
    }
    for (size_t i = 0; i < runner->n_pipelines; i++) {
        lt_arena_deinit(&runner->pipelines[i].arena);
        if (runner->pipelines[i].claim > 0)
            close(runner->pipelines[i].claim);
        pthread_mutex_destroy(&runner->pipelines[i].latency_mu);
        free(runner->pipelines[i].routes);
    }
    free(runner->pipelines);
    free(runner->workers);
    pthread_mutex_destroy(&runner->mu);
}

leat_status lt_run(const struct lt_run_options *opt, struct lt_run_stat *stat,
                   struct leat_error *err) {
    struct lt_runner runner = {.opt = opt, .stat = stat, .started_us = lt_clock_mono_us()};
    leat_status status;

    *stat = (struct lt_run_stat){0};
    int rc = uv_loop_init(&runner.loop);
    if (rc)
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot make a loop");
    pthread_mutex_init(&runner.mu, NULL);
    open_handles(&runner);
    /* the service first: it makes the embedded folder that the state lies in */
    status = lt_target_streams(opt->target, &runner.loop, &runner.service, err);
    if (status == LEAT_OK)
        status = lt_target_state(opt->target, &runner.state, err);
    if (status == LEAT_OK)
        status = open_pipelines(&runner, err);
    if (status == LEAT_OK)
        status = open_workers(&runner, err);
    if (status == LEAT_OK)
        status = open_pumps(&runner, err);
    for (size_t i = 0; i < runner.n_pipelines && status == LEAT_OK; i++)
        list_shards(&runner.pipelines[i]);
    if (status != LEAT_OK)
        begin_stop(&runner);
    uv_run(&runner.loop, UV_RUN_DEFAULT);
    close_all(&runner);
    if (status == LEAT_OK && atomic_load(&runner.failed)) {
        *err = runner.error;
        status = runner.error.status;
    }
    return status;
}
