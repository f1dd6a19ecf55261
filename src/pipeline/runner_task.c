/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One shard: read a batch, transform it, hand each record to its route's outlet, and move the
 * checkpoint to the last record before which every sink has acknowledged. Batches stand in the
 * shard's order; reading waits while an outlet holds more than its share of the buffer.
 */
#include "base/clock.h"
#include "base/log.h"
#include "pipeline/dead_letter.h"
#include "pipeline/runner_parts.h"

#include <stdlib.h>

enum {
    READ_MAX_RECORDS = 2000,
    READ_MAX_BYTES = 2 << 20,
    NEAR_BUFFER_BYTES = 1 << 20,
    IDLE_MS = 1000,
    DRAIN_IDLE_MS = 20,
    OUT_ARENA_MAX_BYTES = 256 << 20,
};

static void start_read(struct lt_run_task *task);

static void fail(struct lt_run_task *task, const struct leat_error *err) {
    struct leat_error named = *err;
    task->failed = true; /* what comes after it would stand under wrong ordinals */
    lt_error_prefix(&named, "pipeline %s, %s of stream %s", task->pipeline->system->name,
                    task->shard, task->pipeline->system->source_stream);
    lt_runner_fail(task->pipeline->runner, &named);
}

/* ---- what comes back from the outlets ---- */

static void free_batch(struct lt_run_batch *batch) {
    lt_stream_batch_free(batch->in);
    lt_arena_deinit(&batch->out);
    free(batch);
}

void lt_run_batch_let_go(struct lt_run_batch *batch, size_t n) {
    batch->n_items -= n;
    if (batch->n_items)
        return;
    lt_stream_batch_free(batch->in);
    batch->in = NULL;
    lt_arena_deinit(&batch->out);
}

static void count_latency(struct lt_run_pipeline *pipeline, const struct lt_item *items, size_t n) {
    int64_t now_ms = lt_clock_wall_ms();

    pthread_mutex_lock(&pipeline->latency_mu);
    for (size_t i = 0, same; i < n;
         i += same) { /* records that were put together arrived at once */
        int64_t ms = now_ms - items[i].arrival_ms;
        for (same = 1; i + same < n && items[i + same].arrival_ms == items[i].arrival_ms;)
            same++;
        lt_latency_add(&pipeline->latency, ms > 0 ? (uint64_t)ms * 1000 : 0, same);
        lt_metric_observe_all(pipeline->m_latency, (double)ms / 1000.0, same);
    }
    pthread_mutex_unlock(&pipeline->latency_mu);
}

static void on_acknowledged(void *ctx, size_t route, const struct lt_item *items, size_t n) {
    struct lt_run_task *task = ctx;
    struct lt_run_pipeline *pipeline = task->pipeline;
    uint64_t n_bytes = 0;

    if (!n)
        return;
    for (size_t i = 0; i < n; i++) {
        n_bytes += items[i].data.len;
        lt_run_batch_let_go(items[i].owner, 1);
    }
    atomic_fetch_add(&pipeline->runner->activity, n);
    if (route < pipeline->system->n_routes) {
        struct lt_run_route_count *count = &pipeline->routes[route];
        atomic_fetch_add(&count->n_records, n);
        atomic_fetch_add(&count->n_bytes, n_bytes);
        lt_metric_add(count->records, (double)n);
        lt_metric_add(count->bytes, (double)n_bytes);
        lt_metric_set(count->buffer, (double)task->outlets[route]->queue.n_bytes);
        count_latency(pipeline, items, n);
    }
    lt_run_task_advance(task);
    atomic_fetch_sub(&task->n_unacknowledged, n);
    start_read(task);
}

static void on_retried(void *ctx, size_t route, size_t n) {
    struct lt_run_task *task = ctx;
    if (route >= task->pipeline->system->n_routes)
        return;
    atomic_fetch_add(&task->pipeline->routes[route].n_retries, n);
    lt_metric_add(task->pipeline->routes[route].errors, (double)n);
}

static void on_failed(void *ctx, const struct leat_error *err) {
    fail(ctx, err);
}

static const struct lt_outlet_events events;

/* ---- dead letters ---- */

static leat_status push_letter(struct lt_run_task *task, struct lt_run_batch *batch,
                               const struct lt_stream_record *record,
                               const struct lt_dead_letter *letter, struct leat_error *err) {
    struct lt_outlet *outlet = task->outlets[task->pipeline->system->n_routes];
    struct lt_slice text = lt_dead_letter_write(letter, &batch->out);

    if (!text.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a dead letter");
    const struct lt_item item = {
        .key = record->key.len ? record->key : LT_LIT("dead"),
        .data = text,
        .owner = batch,
        .source = record,
        .arrival_ms = record->time_ms,
    };
    leat_status status = lt_outlet_push(outlet, &item, err);
    if (status == LEAT_OK) {
        batch->n_items++;
        atomic_fetch_add(&task->n_unacknowledged, 1);
    }
    return status;
}

static leat_status kill_record(struct lt_run_task *task, struct lt_run_batch *batch,
                               const struct lt_stream_record *record, const char *code,
                               struct lt_slice expression, struct lt_slice reason,
                               struct leat_error *err) {
    const struct lt_system_pipeline *system = task->pipeline->system;
    leat_status status = LEAT_OK;
    struct lt_dead_letter letter = {
        .pipeline = lt_slice_str(system->name),
        .code = lt_slice_str(code),
        .message = reason,
        .expression = expression,
        .stream = lt_slice_str(system->source_stream),
        .shard = lt_slice_str(task->shard),
        .sequence = record->sequence,
        .key = record->key,
        .arrival_ms = record->time_ms,
        .data = record->data,
        .parts = lt_dead_letter_parts(record->data.len),
    };

    if (!system->dead_stream)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "record %.*s cannot be processed and the pipeline has no dead_letters: "
                       "%.*s%s%.*s",
                       LT_FMT(record->sequence), LT_FMT(expression), expression.len ? ": " : "",
                       LT_FMT(reason));
    atomic_fetch_add(&task->pipeline->n_dead, 1);
    lt_metric_add(task->pipeline->m_dead, 1);
    for (letter.part = 1; letter.part <= letter.parts && status == LEAT_OK; letter.part++)
        status = push_letter(task, batch, record, &letter, err);
    return status;
}

static void on_refused(void *ctx, size_t route, const struct lt_item *item,
                       const struct leat_error *err) {
    struct lt_run_task *task = ctx;
    struct leat_error failure;

    if (route >= task->pipeline->system->n_routes) {
        fail(task,
             err); /* a letter that its own stream refuses cannot be kept: stop, it stays unread */
        return;
    }
    struct lt_run_batch *batch = item->owner;
    struct lt_slice reason = lt_arena_dup(&batch->out, lt_slice_str(err->text));
    if (kill_record(task, batch, item->source, "Refused",
                    lt_slice_str(task->pipeline->system->routes[route].to), reason,
                    &failure) != LEAT_OK) {
        fail(task, &failure);
        return;
    }
    lt_run_batch_let_go(batch, 1);
    atomic_fetch_sub(&task->n_unacknowledged, 1);
    lt_outlet_send(task->outlets[task->pipeline->system->n_routes]);
}

static const struct lt_outlet_events events = {
    .acknowledged = on_acknowledged,
    .refused = on_refused,
    .failed = on_failed,
    .retried = on_retried,
};

/* ---- the checkpoint ---- */

void lt_run_task_advance(struct lt_run_task *task) {
    struct lt_run_batch *batch;

    while ((batch = task->first) && !batch->n_items && lt_run_objects_have(task, batch)) {
        task->first = batch->next;
        if (!task->first)
            task->last = NULL;
        memcpy(task->done_sequence, batch->sequence, sizeof(task->done_sequence));
        task->done.sequence = lt_slice_str(task->done_sequence);
        task->done.ordinal = batch->ordinal;
        task->done.at = false;
        task->done.seek_time_ms = 0;
        task->done.time_ms = batch->time_ms;
        task->dirty = true;
        free_batch(batch);
    }
    if (task->source_ended && !task->failed && !task->first && !task->done.ended) {
        task->done.ended = true;
        task->dirty = true;
    }
}

leat_status lt_run_task_save(struct lt_run_task *task, struct leat_error *err) {
    const struct lt_system_pipeline *system = task->pipeline->system;

    if (!task->dirty)
        return LEAT_OK;
    task->done.shard = lt_slice_str(task->shard);
    leat_status status = lt_checkpoint_save(task->pipeline->runner->state, system->name,
                                            system->source_stream, &task->done, 1, err);
    if (status != LEAT_OK)
        return status;
    task->dirty = false;
    if (task->done.ended && !task->end_saved) {
        task->end_saved = true;
        atomic_store(&task->ended, true);
        uv_async_send(&task->pipeline->runner->wake);
    }
    return LEAT_OK;
}

/* ---- reading and transforming ---- */

static leat_status push_object(struct lt_run_task *task, size_t route, struct lt_run_batch *batch,
                               const struct lt_item *item, struct leat_error *err) {
    struct lt_run_route_count *count = &task->pipeline->routes[route];
    leat_status status = lt_queue_push(&task->to_objects[route], item, err);

    if (status != LEAT_OK)
        return status;
    batch->n_items++;
    atomic_fetch_add(&task->n_unacknowledged, 1);
    batch->in_object[route] = item->ordinal;
    atomic_fetch_add(&count->n_records, 1);
    atomic_fetch_add(&count->n_bytes, item->data.len);
    lt_metric_add(count->records, 1);
    lt_metric_add(count->bytes, (double)item->data.len);
    return LEAT_OK;
}

static leat_status push_stream(struct lt_run_task *task, size_t route, struct lt_run_batch *batch,
                               const struct lt_item *item, struct leat_error *err) {
    if (!lt_outlet_takes_key(item->key))
        return kill_record(task, batch, item->source, "Refused", LT_LIT("key"),
                           LT_LIT("a partition key has 1 to 256 characters"), err);
    if (item->key.len + item->data.len > LT_STREAM_RECORD_MAX_BYTES)
        return kill_record(task, batch, item->source, "TooLarge", lt_slice(NULL, 0),
                           LT_LIT("with its added fields and key the record is over the 1 MiB that "
                                  "a stream takes"),
                           err);
    leat_status status = lt_outlet_push(task->outlets[route], item, err);
    if (status == LEAT_OK) {
        batch->n_items++;
        atomic_fetch_add(&task->n_unacknowledged, 1);
    }
    return status;
}

static const char *const outcome_codes[] = {
    [LT_EXPR_OK] = "",
    [LT_EXPR_NOT_JSON] = "NotJson",
    [LT_EXPR_NOT_OBJECT] = "NotObject",
    [LT_EXPR_FAILED] = "ExpressionFailed",
    [LT_EXPR_NO_ROUTE] = "NoRoute",
};

static leat_status route_record(struct lt_run_task *task, struct lt_run_batch *batch, size_t i,
                                const struct lt_expr_result *result, struct leat_error *err) {
    const struct lt_stream_record *record = &batch->in->records[i];
    const struct lt_item item = {
        .key = result->key.data ? result->key : record->key,
        .data = result->data,
        .owner = batch,
        .source = record,
        .arrival_ms = record->time_ms,
        .ordinal = task->ordinal + i + 1,
    };

    if (result->outcome != LT_EXPR_OK)
        return kill_record(task, batch, record, outcome_codes[result->outcome], result->expression,
                           result->reason, err);
    if (task->pipeline->system->routes[result->route].kind == LT_ROUTE_OBJECTS)
        return push_object(task, result->route, batch, &item, err);
    return push_stream(task, result->route, batch, &item, err);
}

static leat_status transform(struct lt_run_task *task, struct lt_run_batch *batch,
                             struct leat_error *err) {
    struct lt_stream_batch *in = batch->in;
    struct lt_slice *texts = lt_arena_calloc(&batch->out, in->n, sizeof(*texts));
    struct lt_expr_result *results = lt_arena_calloc(&batch->out, in->n, sizeof(*results));
    leat_status status = LEAT_OK;

    if (!texts || !results)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a batch of %zu records", in->n);
    for (size_t i = 0; i < in->n; i++)
        texts[i] = in->records[i].data;
    status = lt_expr_run(task->worker->exprs[task->pipeline->index], texts, in->n, results,
                         &batch->out, err);
    for (size_t i = 0; i < in->n && status == LEAT_OK; i++)
        status = route_record(task, batch, i, &results[i], err);
    return status;
}

static struct lt_run_batch *add_batch(struct lt_run_task *task, struct lt_stream_batch *in) {
    size_t n_routes = task->pipeline->system->n_routes;
    struct lt_run_batch *batch = calloc(1, sizeof(*batch) + n_routes * sizeof(uint64_t));
    if (!batch) {
        lt_stream_batch_free(in);
        return NULL;
    }
    const struct lt_stream_record *last = &in->records[in->n - 1];
    lt_arena_init(&batch->out, OUT_ARENA_MAX_BYTES);
    batch->in = in;
    batch->n_items = 1; /* while it is being filled */
    batch->n_records = in->n;
    batch->ordinal = task->ordinal + in->n;
    batch->time_ms = last->time_ms;
    size_t len = last->sequence.len < sizeof(batch->sequence) - 1 ? last->sequence.len
                                                                  : sizeof(batch->sequence) - 1;
    memcpy(batch->sequence, last->sequence.data, len);
    if (task->last)
        task->last->next = batch;
    else
        task->first = batch;
    task->last = batch;
    return batch;
}

static void send_all(struct lt_run_task *task) {
    struct leat_error err;

    for (size_t i = 0; i <= task->pipeline->system->n_routes; i++) {
        if (task->outlets[i])
            lt_outlet_send(task->outlets[i]);
        if (task->to_objects && i < task->pipeline->system->n_routes &&
            lt_run_objects_give(task, i, &err) != LEAT_OK)
            fail(task, &err);
    }
}

/* "Latest" is another place at the next start: from the first record that was seen on, there is a
 * place to come back to. */
static leat_status pin_latest(struct lt_run_task *task, const struct lt_stream_record *first,
                              struct leat_error *err) {
    if (task->start.from != LT_FROM_LATEST || task->done.sequence.len)
        return LEAT_OK;
    if (first->sequence.len >= sizeof(task->done_sequence))
        return lt_fail(err, LEAT_E_LIMIT, 0, "a sequence number of %zu bytes", first->sequence.len);
    memcpy(task->done_sequence, first->sequence.data, first->sequence.len);
    task->done.sequence = lt_slice(task->done_sequence, first->sequence.len);
    task->done.at = true;
    task->done.time_ms = first->time_ms;
    task->dirty = true;
    return lt_run_task_save(task, err);
}

static void take_batch(struct lt_run_task *task, struct lt_stream_batch *in) {
    struct lt_run_pipeline *pipeline = task->pipeline;
    struct leat_error err;
    uint64_t n_bytes = 0;

    if (pin_latest(task, &in->records[0], &err) != LEAT_OK) {
        lt_stream_batch_free(in);
        fail(task, &err);
        return;
    }
    for (size_t i = 0; i < in->n; i++)
        n_bytes += in->records[i].data.len;
    atomic_fetch_add(&pipeline->n_read, in->n);
    atomic_fetch_add(&pipeline->n_bytes, n_bytes);
    lt_metric_add(pipeline->m_records, (double)in->n);
    struct lt_run_batch *batch = add_batch(task, in);
    leat_status status = batch ? transform(task, batch, &err)
                               : lt_fail(&err, LEAT_E_NOMEM, 0, "no memory for a batch");
    if (status != LEAT_OK) {
        /* the batch stays at the head of the line, so no checkpoint passes it */
        fail(task, &err);
        return;
    }
    task->ordinal += batch->n_records;
    lt_run_batch_let_go(batch, 1);
    send_all(task);
    lt_run_task_advance(task);
}

static void on_idle(uv_timer_t *timer) {
    start_read(timer->data);
}

/* A service that is away for a while is asked again: what was read stays read. */
static void on_read_failed(struct lt_run_task *task, leat_status status,
                           const struct leat_error *err) {
    int64_t wait_ms;

    if (status == LEAT_E_CANCELLED || task->stopping)
        return;
    if (!lt_retry_next(&task->read_retry, err, &wait_ms)) {
        fail(task, err);
        return;
    }
    if (task->read_retry.n_attempts == 1)
        lt_log(LT_LOG_WARN, "run", "%s of %s: %s; trying again", task->shard,
               task->pipeline->system->source_stream, err->text);
    uv_timer_start(&task->idle_timer, on_idle, (uint64_t)wait_ms, 0);
}

static void on_read(void *ctx, leat_status status, struct lt_stream_batch *batch,
                    const struct leat_error *err) {
    struct lt_run_task *task = ctx;

    task->reading = false;
    if (status != LEAT_OK) {
        on_read_failed(task, status, err);
        return;
    }
    task->read_retry.n_attempts = 0;
    bool empty = batch->n == 0;
    bool at_tip = empty && batch->behind_ms == 0;
    bool end = batch->end;
    if (empty || task->stopping || task->failed)
        lt_stream_batch_free(batch);
    else
        take_batch(task, batch);
    if (task->stopping || task->failed)
        return; /* not at its end, even if the shard is: the batch was not taken */
    task->source_ended = end;
    if (task->source_ended) {
        atomic_store(&task->tip, task->activity_before);
        lt_run_task_advance(task);
        return;
    }
    atomic_store(&task->tip, at_tip ? task->activity_before : UINT64_MAX);
    int64_t idle_ms = task->pipeline->runner->opt->drain ? DRAIN_IDLE_MS : IDLE_MS;
    int64_t spent_ms = (lt_clock_mono_us() - task->read_started_us) / 1000;
    if (empty && spent_ms < idle_ms)
        uv_timer_start(&task->idle_timer, on_idle, (uint64_t)(idle_ms - spent_ms), 0);
    else
        start_read(task);
}

/* A sink in this process takes what it gets at once: more than the next batch would only wait for
 * the disk, and no longer be in a processor's cache when its turn comes. */
static bool has_room(const struct lt_run_task *task) {
    const size_t most = task->pipeline->buffer_per_task_bytes;
    const bool near = task->worker->service->ops->put_bulk && most > NEAR_BUFFER_BYTES;
    bool room = true;

    for (size_t i = 0; i <= task->pipeline->system->n_routes; i++) {
        if (task->outlets[i])
            room = room && task->outlets[i]->queue.n_bytes < (near ? NEAR_BUFFER_BYTES : most);
        if (task->to_objects && i < task->pipeline->system->n_routes)
            room = room && task->to_objects[i].n_bytes < most;
    }
    return room;
}

static void start_read(struct lt_run_task *task) {
    struct leat_error err;
    int64_t idle_ms = task->pipeline->runner->opt->drain ? DRAIN_IDLE_MS : IDLE_MS;

    if (task->reading || task->stopping || task->failed || task->source_ended ||
        uv_is_active((uv_handle_t *)&task->idle_timer))
        return;
    if (!has_room(task))
        return; /* an acknowledgement, or the worker's timer, comes back here */
    task->reading = true;
    task->read_started_us = lt_clock_mono_us();
    task->activity_before = atomic_load(&task->pipeline->runner->activity);
    if (task->worker->service->ops->read(task->reader, READ_MAX_RECORDS, READ_MAX_BYTES, idle_ms,
                                         on_read, task, &err) != LEAT_OK) {
        task->reading = false;
        fail(task, &err);
    }
}

void lt_run_task_resume(struct lt_run_task *task) {
    if (!task->outlets)
        return; /* it could not be opened: its worker ends */
    send_all(task);
    lt_run_task_advance(task);
    start_read(task);
}

/* ---- its life ---- */

static leat_status open_outlets(struct lt_run_task *task, struct leat_error *err) {
    const struct lt_system_pipeline *system = task->pipeline->system;
    leat_status status = LEAT_OK;

    task->outlets = calloc(system->n_routes + 1, sizeof(struct lt_outlet *));
    if (task->pipeline->has_objects)
        task->to_objects = calloc(system->n_routes + 1, sizeof(*task->to_objects));
    if (!task->outlets || (task->pipeline->has_objects && !task->to_objects))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a shard's routes");
    for (size_t i = 0; i <= system->n_routes && status == LEAT_OK; i++) {
        const char *stream = i < system->n_routes ? system->routes[i].stream : system->dead_stream;
        if (!stream || (i < system->n_routes && system->routes[i].kind != LT_ROUTE_STREAM))
            continue;
        task->outlets[i] = calloc(1, sizeof(struct lt_outlet));
        if (!task->outlets[i])
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a shard's routes");
        status = lt_outlet_init(task->outlets[i], task->worker->service, &task->worker->loop,
                                stream, i, &events, task, err);
    }
    return status;
}

leat_status lt_run_task_start(struct lt_run_task *task, struct leat_error *err) {
    atomic_store(&task->tip, UINT64_MAX);
    int rc = uv_timer_init(&task->worker->loop, &task->idle_timer);
    if (rc)
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot make a timer");
    task->idle_timer.data = task;
    task->timer_open = true;
    task->read_retry.policy = &lt_retry_for_ever;
    leat_status status = open_outlets(task, err);
    if (status == LEAT_OK)
        status = task->worker->service->ops->open_shard(
            task->worker->service, task->pipeline->system->source_stream, task->shard, &task->start,
            &task->reader, err);
    if (status == LEAT_OK)
        start_read(task);
    return status;
}

void lt_run_task_stop(struct lt_run_task *task) {
    task->stopping = true;
    if (task->timer_open)
        uv_timer_stop(&task->idle_timer);
    if (task->reader)
        task->worker->service->ops->close_shard(task->reader);
    task->reader = NULL;
}

bool lt_run_task_is_idle(const struct lt_run_task *task) {
    for (size_t i = 0; task->outlets && i <= task->pipeline->system->n_routes; i++) {
        const struct lt_outlet *outlet = task->outlets[i];
        if (outlet && !outlet->stopped && outlet->queue.head != outlet->queue.tail)
            return false;
    }
    return !task->reading;
}

void lt_run_task_close(struct lt_run_task *task) {
    lt_run_task_stop(task);
    for (size_t i = 0; task->outlets && i <= task->pipeline->system->n_routes; i++) {
        if (task->outlets[i])
            lt_outlet_stop(task->outlets[i]);
    }
    if (task->timer_open) {
        task->timer_open = false;
        uv_close((uv_handle_t *)&task->idle_timer, NULL);
    }
}

void lt_run_task_free(struct lt_run_task *task) {
    if (!task)
        return;
    while (task->first) {
        struct lt_run_batch *batch = task->first;
        task->first = batch->next;
        free_batch(batch);
    }
    for (size_t i = 0; task->outlets && i <= task->pipeline->system->n_routes; i++) {
        if (task->outlets[i])
            lt_outlet_deinit(task->outlets[i]);
        free(task->outlets[i]);
        if (task->to_objects)
            lt_queue_deinit(&task->to_objects[i]);
    }
    free(task->to_objects);
    free(task->outlets);
    free(task);
}
