/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one thread, one loop, one stream service, the tasks it was given. Checkpoints of its
 * tasks are saved a few times a second, and once more when it stops: after a crash, what was
 * acknowledged since is read again.
 */
#include "base/clock.h"
#include "pipeline/runner_parts.h"

#include <stdlib.h>

enum { SAVE_EVERY_MS = 200, STOP_POLL_MS = 10, STOP_GRACE_MS = 10000 };

/* A step that failed stops the run; what is not saved is read again next time. */
static void save_all(struct lt_run_worker *worker) {
    struct leat_error err;
    for (struct lt_run_task *task = worker->tasks; task; task = task->next_of_worker) {
        if (lt_run_task_save(task, &err) != LEAT_OK) {
            lt_error_prefix(&err, "cannot save the checkpoint of %s", task->pipeline->system->name);
            lt_runner_fail(worker->runner, &err);
        }
    }
}

static void on_save_timer(uv_timer_t *timer) {
    struct lt_run_worker *worker = timer->data;
    for (struct lt_run_task *task = worker->tasks; task; task = task->next_of_worker)
        lt_run_task_resume(task);
    save_all(worker);
}

static leat_status compile(struct lt_run_worker *worker, struct lt_run_pipeline *pipeline,
                           struct leat_error *err) {
    if (pipeline->has_objects && !pipeline->objects) {
        leat_status status = lt_run_objects_open(worker, pipeline, err);
        if (status != LEAT_OK)
            return status;
    }
    if (worker->exprs[pipeline->index])
        return LEAT_OK;
    return lt_system_compile(pipeline->system, &worker->exprs[pipeline->index], err);
}

static void take_task(struct lt_run_worker *worker, struct lt_run_task *task) {
    struct leat_error err;
    task->next_of_worker = worker->tasks;
    worker->tasks = task;
    leat_status status = compile(worker, task->pipeline, &err);
    if (status == LEAT_OK)
        status = lt_run_task_start(task, &err);
    if (status != LEAT_OK) {
        lt_error_prefix(&err, "pipeline %s, %s", task->pipeline->system->name, task->shard);
        lt_runner_fail(worker->runner, &err);
    }
}

static bool owns_objects(const struct lt_run_worker *worker, size_t pipeline) {
    return worker->runner->pipelines[pipeline].has_objects &&
           pipeline % worker->runner->n_workers == worker->index;
}

static void on_flushed(void *ctx, leat_status status, const struct leat_error *err) {
    struct lt_run_worker *worker = ctx;
    if (worker->stopping)
        return; /* its deliveries are being freed: nothing may be given to them */
    if (status != LEAT_OK)
        lt_runner_fail(worker->runner, err);
    on_save_timer(&worker->save_timer);
    atomic_fetch_sub(&worker->n_flushes, 1);
    uv_async_send(&worker->runner->wake);
}

static void flush_objects(struct lt_run_worker *worker) {
    struct lt_runner *runner = worker->runner;
    int n = 0;

    worker->flushing = true;
    atomic_store(&worker->n_flushes, 1);
    for (size_t p = 0; p < runner->n_pipelines; p++) {
        struct lt_run_pipeline *pipeline = &runner->pipelines[p];
        if (!pipeline->has_objects || !pipeline->objects || p % runner->n_workers != worker->index)
            continue;
        for (size_t i = 0; i < pipeline->system->n_routes; i++) {
            if (!pipeline->objects[i])
                continue;
            n++;
            atomic_fetch_add(&worker->n_flushes, 1);
            lt_delivery_flush(pipeline->objects[i], on_flushed, worker);
        }
    }
    atomic_fetch_sub(&worker->n_flushes, 1);
    if (!n)
        uv_async_send(&runner->wake);
}

/* After the stop: what is on its way may still be acknowledged, for a while. */
static void on_stop_timer(uv_timer_t *timer) {
    struct lt_run_worker *worker = timer->data;
    bool idle = true;

    for (struct lt_run_task *task = worker->tasks; task; task = task->next_of_worker)
        idle = lt_run_task_is_idle(task) && idle;
    if (!idle && uv_now(&worker->loop) < worker->stop_by_ms)
        return;
    for (struct lt_run_task *task = worker->tasks; task; task = task->next_of_worker)
        lt_run_task_advance(task);
    save_all(worker);
    for (struct lt_run_task *task = worker->tasks; task; task = task->next_of_worker)
        lt_run_task_close(task);
    for (size_t p = 0; p < worker->runner->n_pipelines; p++) {
        if (owns_objects(worker, p))
            lt_run_objects_close(&worker->runner->pipelines[p]);
    }
    uv_close((uv_handle_t *)&worker->save_timer, NULL);
    uv_close((uv_handle_t *)&worker->wake, NULL);
    worker->service->ops->close(worker->service);
    worker->service = NULL;
}

static void begin_stop(struct lt_run_worker *worker) {
    worker->stopping = true;
    for (struct lt_run_task *task = worker->tasks; task; task = task->next_of_worker)
        lt_run_task_stop(task);
    uv_update_time(&worker->loop);
    worker->stop_by_ms = uv_now(&worker->loop) + STOP_GRACE_MS;
    uv_timer_start(&worker->save_timer, on_stop_timer, 0, STOP_POLL_MS);
}

static void on_wake(uv_async_t *async) {
    struct lt_run_worker *worker = async->data;

    pthread_mutex_lock(&worker->mu);
    struct lt_run_task *task = worker->inbox;
    worker->inbox = NULL;
    bool stop = worker->stop_asked, flush = worker->flush_asked;
    pthread_mutex_unlock(&worker->mu);
    while (task) {
        struct lt_run_task *next = task->next_of_worker;
        take_task(worker, task);
        task = next;
    }
    if (flush && !worker->flushing && !worker->stopping)
        flush_objects(worker);
    if (stop && !worker->stopping)
        begin_stop(worker);
}

static leat_status open_worker(struct lt_run_worker *worker, struct leat_error *err) {
    worker->exprs = calloc(worker->runner->n_pipelines, sizeof(struct lt_expr *));
    if (!worker->exprs)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a worker");
    uv_timer_init(&worker->loop, &worker->save_timer);
    worker->save_timer.data = worker;
    uv_timer_start(&worker->save_timer, on_save_timer, SAVE_EVERY_MS, SAVE_EVERY_MS);
    return lt_target_streams(worker->runner->opt->target, &worker->loop, &worker->service, err);
}

static void close_exprs(struct lt_run_worker *worker) {
    for (size_t i = 0; worker->exprs && i < worker->runner->n_pipelines; i++)
        lt_expr_free(worker->exprs[i]);
    free(worker->exprs);
    worker->exprs = NULL;
}

static void run(void *arg) {
    struct lt_run_worker *worker = arg;

    worker->open_status = open_worker(worker, &worker->open_error);
    if (worker->open_status != LEAT_OK) {
        if (worker->exprs)
            uv_close((uv_handle_t *)&worker->save_timer, NULL);
        uv_close((uv_handle_t *)&worker->wake, NULL);
    }
    uv_sem_post(&worker->opened);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    close_exprs(worker);
}

leat_status lt_run_worker_start(struct lt_run_worker *worker, struct leat_error *err) {
    pthread_mutex_init(&worker->mu, NULL);
    int rc = uv_loop_init(&worker->loop);
    if (rc)
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot make a loop");
    worker->loop_open = true;
    uv_async_init(&worker->loop, &worker->wake, on_wake);
    worker->wake.data = worker;
    uv_sem_init(&worker->opened, 0);
    rc = uv_thread_create(&worker->thread, run, worker);
    if (rc) {
        uv_close((uv_handle_t *)&worker->wake, NULL);
        uv_run(&worker->loop, UV_RUN_DEFAULT);
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot start a thread");
    }
    worker->thread_started = true;
    uv_sem_wait(&worker->opened);
    if (err && worker->open_status != LEAT_OK)
        *err = worker->open_error;
    return worker->open_status;
}

void lt_run_worker_give(struct lt_run_worker *worker, struct lt_run_task *task) {
    pthread_mutex_lock(&worker->mu);
    task->next_of_worker = worker->inbox;
    worker->inbox = task;
    pthread_mutex_unlock(&worker->mu);
    uv_async_send(&worker->wake);
}

static void ask(struct lt_run_worker *worker, bool *what) {
    if (!worker->thread_started || worker->open_status != LEAT_OK)
        return;
    pthread_mutex_lock(&worker->mu);
    *what = true;
    pthread_mutex_unlock(&worker->mu);
    uv_async_send(&worker->wake);
}

void lt_run_worker_flush(struct lt_run_worker *worker) {
    atomic_store(&worker->n_flushes, -1);
    ask(worker, &worker->flush_asked);
}

void lt_run_worker_stop(struct lt_run_worker *worker) {
    ask(worker, &worker->stop_asked);
}

void lt_run_worker_join(struct lt_run_worker *worker) {
    if (worker->thread_started) {
        uv_thread_join(&worker->thread);
        uv_sem_destroy(&worker->opened);
    }
    worker->thread_started = false;
    if (worker->loop_open)
        uv_loop_close(&worker->loop);
    worker->loop_open = false;
    pthread_mutex_destroy(&worker->mu);
}
