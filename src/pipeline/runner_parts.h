/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_RUNNER_PARTS_H
#define LT_PIPELINE_RUNNER_PARTS_H

#include "base/metrics.h"
#include "pipeline/checkpoint.h"
#include "pipeline/outlet.h"
#include "pipeline/runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

/*
 * The runner's own parts. A coordinator (the caller's thread) lists shards, hands each to a worker
 * as a task, and watches; a worker (a thread with its loop and stream service) runs its tasks;
 * a task reads one shard, and owns an outlet for each stream it writes to.
 *
 *     coordinator ──inbox──▶ worker ──▶ task ──▶ outlet (one a route, one for dead letters)
 *          ◀──atomics, uv_async──┘
 */

struct lt_runner;
struct lt_run_worker;
struct lt_run_task;

/** Records read together: kept until every sink has them, in the order of the shard. */
struct lt_run_batch {
    struct lt_run_batch *next;
    struct lt_stream_batch *in; /**< NULL once no outlet needs its bytes */
    struct lt_arena out;        /**< what the transform made */
    size_t n_items; /**< records that outlets still hold, and one while it is being filled */
    size_t n_records;
    char sequence[132]; /**< of its last record */
    uint64_t ordinal;
    int64_t time_ms;

    uint64_t
        in_object[]; /**< one a route: ordinal of the last record given to its delivery, or 0 */
};

/** A pipeline while it runs. */
struct lt_run_pipeline {
    /* immutable after start */
    struct lt_runner *runner;
    const struct lt_system_pipeline *system;
    size_t index;
    size_t buffer_per_task_bytes;
    bool has_objects; /**< all its tasks are on one worker, which owns `objects` */
    /* any thread */
    _Atomic uint64_t n_read, n_bytes, n_dead;
    struct lt_run_route_count {
        _Atomic uint64_t n_records, n_bytes, n_retries;
        struct lt_metric_series *records, *bytes, *errors, *buffer;
    } * routes;
    struct lt_metric_series *m_records, *m_dead, *m_latency;
    /* guarded by latency_mu */
    pthread_mutex_t latency_mu;
    struct lt_latency latency;
    /* coordinator only */
    struct lt_checkpoint *checkpoints;
    size_t n_checkpoints;
    struct lt_arena arena;
    int claim; /**< a descriptor: nobody else runs this pipeline; 0: none */
    bool listing, listed;
    unsigned relist_at_tick; /**< 0: not waiting to list its shards again */
    size_t n_ended;          /**< tasks seen at their end: children may start */
    /* its worker only */
    struct lt_delivery **objects; /**< one a route; NULL for streams */
};

/** One shard being read. */
struct lt_run_task {
    struct lt_run_task *next; /**< coordinator: all tasks */
    struct lt_run_pipeline *pipeline;
    struct lt_run_worker *worker;
    char shard[129];
    struct lt_stream_start start;
    char start_sequence[132];
    /* any thread */
    _Atomic uint64_t
        tip; /**< the runner's activity when it was last found at the tip, or UINT64_MAX */
    _Atomic uint64_t n_unacknowledged; /**< records on their way to streams and deliveries */
    _Atomic bool ended;                /**< read to its end, and all of it in its sinks */
    /* worker thread only */
    struct lt_run_task *next_of_worker;
    struct lt_stream_reader *reader;
    struct lt_outlet *
        *outlets; /**< one a route (NULL for objects), then the dead letters' (or NULL) */
    struct lt_queue
        *to_objects; /**< one a route, or NULL: records its delivery has no room for yet */
    struct lt_run_batch *first, *last;
    uint64_t ordinal;
    uint64_t activity_before;
    int64_t read_started_us;
    struct lt_retry read_retry;
    uv_timer_t idle_timer;
    bool timer_open, reading, source_ended, stopping, failed, dirty, end_saved;
    struct lt_checkpoint done; /**< what may be saved */
    char done_sequence[132];
};

struct lt_run_worker {
    struct lt_runner *runner;
    unsigned index;
    uv_thread_t thread;
    bool thread_started;
    /* worker thread only */
    uv_loop_t loop;
    struct lt_stream_service *service;
    struct lt_expr **exprs; /**< one a pipeline, compiled when first needed */
    struct lt_run_task *tasks;
    uv_timer_t save_timer;
    bool stopping;
    bool flushing;
    bool loop_open;
    uint64_t stop_by_ms; /**< in the loop's time */
    struct leat_error open_error;
    leat_status open_status;
    uv_sem_t opened;
    /* guarded by mu */
    pthread_mutex_t mu;
    struct lt_run_task *inbox;
    bool stop_asked;
    bool flush_asked;
    uv_async_t wake;
    _Atomic int n_flushes; /**< deliveries of object routes still being flushed; -1: not begun */
};

struct lt_runner {
    /* immutable after start */
    const struct lt_run_options *opt;
    struct lt_state *state;
    struct lt_run_pipeline *pipelines;
    size_t n_pipelines;
    struct lt_run_worker *workers;
    unsigned n_workers;
    struct lt_object_store *objects;
    int64_t started_us;
    /* any thread */
    _Atomic uint64_t
        activity; /**< puts acknowledged by a stream: what may give somebody new to read */
    _Atomic bool failed;
    uv_async_t wake;
    /* guarded by mu */
    pthread_mutex_t mu;
    struct leat_error error;
    /* coordinator only */
    uv_loop_t loop;
    struct lt_stream_service *service;
    struct lt_run_task *tasks;
    struct lt_run_pump *pumps;
    uv_timer_t tick;
    uv_signal_t sigint, sigterm;
    unsigned next_worker;
    unsigned n_ticks;
    bool stopping, draining;
    struct lt_run_stat *stat;
};

/* runner.c */
void lt_runner_fail(struct lt_runner *runner,
                    const struct leat_error *err); /**< any thread; the first one counts */

/* runner_worker.c */
LEAT_MUST_CHECK leat_status lt_run_worker_start(struct lt_run_worker *worker,
                                                struct leat_error *err);
void lt_run_worker_give(struct lt_run_worker *worker, struct lt_run_task *task);
void lt_run_worker_flush(struct lt_run_worker *worker); /**< puts what object routes hold */
void lt_run_worker_stop(struct lt_run_worker *worker);  /**< asks, once it runs; join waits */
void lt_run_worker_join(struct lt_run_worker *worker);

/* runner_task.c; worker thread, but for free (after the worker ended) */
LEAT_MUST_CHECK leat_status lt_run_task_start(struct lt_run_task *task, struct leat_error *err);
void lt_run_task_stop(struct lt_run_task *task);
bool lt_run_task_is_idle(const struct lt_run_task *task); /**< nothing on its way to a stream */
void lt_run_task_close(struct lt_run_task *task);   /**< closes its handles; bytes go with free */
void lt_run_task_advance(struct lt_run_task *task); /**< looks what has become durable */
void lt_run_task_resume(struct lt_run_task *task);  /**< after a delivery moved on: goes on */
void lt_run_batch_let_go(struct lt_run_batch *batch,
                         size_t n); /**< n of its items need its bytes no more */
LEAT_MUST_CHECK leat_status lt_run_task_save(struct lt_run_task *task, struct leat_error *err);
void lt_run_task_free(struct lt_run_task *task);

/* runner_objects.c; the pipeline's worker */
LEAT_MUST_CHECK leat_status lt_run_objects_open(struct lt_run_worker *worker,
                                                struct lt_run_pipeline *pipeline,
                                                struct leat_error *err);
void lt_run_objects_close(struct lt_run_pipeline *pipeline);
/** Gives the delivery of a route what waits in the task, as far as it has room. */
LEAT_MUST_CHECK leat_status lt_run_objects_give(struct lt_run_task *task, size_t route,
                                                struct leat_error *err);
/** True when all of the batch's records for object routes are durable. */
bool lt_run_objects_have(const struct lt_run_task *task, const struct lt_run_batch *batch);

/* runner_pump.c; coordinator: deliveries of the file that run here, since no service does */
struct lt_run_pump;
LEAT_MUST_CHECK leat_status lt_run_pump_open(struct lt_run_pump **out, struct lt_runner *runner,
                                             const struct lt_system_delivery *delivery,
                                             struct leat_error *err);
bool lt_run_pump_is_drained(struct lt_run_pump *pump, uint64_t activity);
void lt_run_pump_flush(struct lt_run_pump *pump); /**< starts it, once */
bool lt_run_pump_is_flushed(const struct lt_run_pump *pump);
void lt_run_pump_stop(struct lt_run_pump *pump);
void lt_run_pump_free(struct lt_run_pump *pump);
struct lt_run_pump **lt_run_pump_next(struct lt_run_pump *pump);

#endif
