/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes that end in an object store: one delivery a route, on the loop of the pipeline's worker. A
 * record's number there is its ordinal in the source shard, every record counted whichever route it
 * takes, so that a restart gives the same numbers to the same records and the delivery knows them
 * again.
 */
#include "pipeline/runner_parts.h"

#include "deliver/compress.h"

#include <stdio.h>
#include <stdlib.h>

enum { GIVE_MAX_RECORDS = 512, DEFAULT_OBJECT_MS = 60000 };

static void on_progress(void *ctx, struct lt_delivery *delivery) {
    struct lt_run_worker *worker = ctx;
    (void)delivery;
    for (struct lt_run_task *task = worker->tasks; task; task = task->next_of_worker) {
        if (task->pipeline->has_objects)
            lt_run_task_resume(task);
    }
}

static leat_status open_one(struct lt_run_worker *worker, struct lt_run_pipeline *pipeline,
                            size_t route, struct leat_error *err) {
    const struct lt_system_route *system = &pipeline->system->routes[route];
    char name[LT_ROUTE_DELIVERY_BYTES], suffix[32] = "";

    if (!lt_system_route_delivery(pipeline->system, route, name))
        return LEAT_OK;
    if (system->compression != LT_COMPRESSION_NONE) /* so that any tool knows what it is */
        snprintf(suffix, sizeof(suffix), ".jsonl%s", lt_compressor_of(system->compression)->suffix);
    const struct lt_delivery_options opt = {
        .name = name,
        .source = pipeline->system->source_stream,
        .loop = &worker->loop,
        .objects = pipeline->runner->objects,
        .state = pipeline->runner->state,
        .bucket = system->bucket,
        .prefix = system->prefix,
        .error_prefix = "",
        .suffix = suffix,
        .buffer_bytes = system->object_bytes,
        .buffer_ms = system->object_ms ? system->object_ms : DEFAULT_OBJECT_MS,
        .compression = system->compression,
        .newline = true,
        .version = 1,
        .on_progress = on_progress,
        .ctx = worker,
    };
    return lt_delivery_new(&pipeline->objects[route], &opt, err);
}

leat_status lt_run_objects_open(struct lt_run_worker *worker, struct lt_run_pipeline *pipeline,
                                struct leat_error *err) {
    size_t n_routes = pipeline->system->n_routes;
    leat_status status = LEAT_OK;

    pipeline->objects = calloc(n_routes, sizeof(struct lt_delivery *));
    if (!pipeline->objects)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for routes");
    for (size_t i = 0; i < n_routes && status == LEAT_OK; i++)
        status = open_one(worker, pipeline, i, err);
    return status;
}

void lt_run_objects_close(struct lt_run_pipeline *pipeline) {
    for (size_t i = 0; pipeline->objects && i < pipeline->system->n_routes; i++)
        lt_delivery_free(pipeline->objects[i]);
    free(pipeline->objects);
    pipeline->objects = NULL;
}

leat_status lt_run_objects_give(struct lt_run_task *task, size_t route, struct leat_error *err) {
    struct lt_queue *queue = &task->to_objects[route];
    struct lt_delivery_record records[GIVE_MAX_RECORDS];

    while (queue->head != queue->tail) {
        size_t n = 0, n_taken = 0;
        for (; n < GIVE_MAX_RECORDS && queue->head + n < queue->tail; n++) {
            const struct lt_item *item = &queue->items[queue->head + n];
            records[n] = (struct lt_delivery_record){.seq = item->ordinal,
                                                     .position = item->source->sequence,
                                                     .time_ms = item->arrival_ms,
                                                     .data = item->data};
        }
        leat_status status = lt_delivery_push(task->pipeline->objects[route], task->shard, records,
                                              n, &n_taken, err);
        if (status != LEAT_OK)
            return status;
        for (size_t i = 0; i < n_taken; i++) {
            const struct lt_item *item = &queue->items[queue->head++];
            queue->n_bytes -= item->data.len + item->key.len;
            lt_run_batch_let_go(item->owner, 1);
        }
        atomic_fetch_sub(&task->n_unacknowledged, n_taken);
        if (n_taken < n)
            break;
    }
    return LEAT_OK;
}

bool lt_run_objects_have(const struct lt_run_task *task, const struct lt_run_batch *batch) {
    struct lt_run_pipeline *pipeline = task->pipeline;
    struct lt_slice position;

    if (pipeline->has_objects && !pipeline->objects)
        return false; /* closed: nobody can tell any more */
    for (size_t i = 0; pipeline->has_objects && i < pipeline->system->n_routes; i++) {
        if (batch->in_object[i] && lt_delivery_position(pipeline->objects[i], task->shard,
                                                        &position) < batch->in_object[i])
            return false;
    }
    return true;
}
