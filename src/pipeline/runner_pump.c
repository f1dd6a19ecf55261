/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A delivery of the file that runs here, because the service that its stream lies in has none: all
 * shards of the stream are read on the coordinator's loop and pushed into the delivery, which keeps
 * the positions. A record's number there is its ordinal in the shard, counted on from the kept
 * position.
 */
#include "base/clock.h"
#include "pipeline/runner_parts.h"

#include <stdlib.h>

enum {
    PUMP_MAX_RECORDS = 1000,
    PUMP_MAX_BYTES = 1 << 20,
    PUMP_IDLE_MS = 1000,
    PUMP_DRAIN_IDLE_MS = 50
};

struct pump_shard {
    struct pump_shard *next;
    struct lt_run_pump *pump;
    char id[129];
    char start_sequence[132];
    struct lt_stream_reader *reader;
    struct lt_stream_batch *batch; /* read, and not all of it pushed */
    size_t n_pushed;
    uint64_t ordinal;
    uint64_t activity_before, tip;
    int64_t read_started_us;
    struct lt_retry retry;
    uv_timer_t timer;
    bool reading, ended;
};

struct lt_run_pump {
    struct lt_run_pump *next;
    struct lt_runner *runner;
    const struct lt_system_delivery *system;
    struct lt_delivery *delivery;
    struct pump_shard *shards;
    bool listing, listed, stopping, flushing, flushed;
};

static void start_read(struct pump_shard *shard);
static void list_shards(struct lt_run_pump *pump);

static void fail(struct lt_run_pump *pump, const struct leat_error *err) {
    struct leat_error named = *err;
    lt_error_prefix(&named, "delivery %s", pump->system->name);
    lt_runner_fail(pump->runner, &named);
}

struct lt_run_pump **lt_run_pump_next(struct lt_run_pump *pump) {
    return &pump->next;
}

/* ---- reading and pushing ---- */

static leat_status push(struct pump_shard *shard, struct leat_error *err) {
    struct lt_stream_batch *batch = shard->batch;
    leat_status status = LEAT_OK;

    while (shard->n_pushed < batch->n && status == LEAT_OK) {
        const struct lt_stream_record *record = &batch->records[shard->n_pushed];
        const struct lt_delivery_record out = {.seq = shard->ordinal + 1,
                                               .position = record->sequence,
                                               .time_ms = record->time_ms,
                                               .data = record->data};
        size_t n_taken = 0;
        status = lt_delivery_push(shard->pump->delivery, shard->id, &out, 1, &n_taken, err);
        if (status != LEAT_OK || !n_taken)
            return status;
        shard->ordinal++;
        shard->n_pushed++;
    }
    return status;
}

/* Pushes what was read; true when there is nothing left and the shard may be read on. */
static bool finish_batch(struct pump_shard *shard) {
    struct leat_error err;

    if (!shard->batch)
        return true;
    if (push(shard, &err) != LEAT_OK) {
        fail(shard->pump, &err);
        return false;
    }
    if (shard->n_pushed < shard->batch->n)
        return false;
    shard->ended = shard->batch->end;
    lt_stream_batch_free(shard->batch);
    shard->batch = NULL;
    return true;
}

static void go_on(struct pump_shard *shard) {
    if (!finish_batch(shard))
        return;
    if (shard->ended) {
        shard->tip = shard->activity_before;
        list_shards(shard->pump);
        return;
    }
    start_read(shard);
}

static void on_timer(uv_timer_t *timer) {
    start_read(timer->data);
}

static int64_t idle_ms(const struct lt_run_pump *pump) {
    return pump->runner->opt->drain ? PUMP_DRAIN_IDLE_MS : PUMP_IDLE_MS;
}

static void on_read(void *ctx, leat_status status, struct lt_stream_batch *batch,
                    const struct leat_error *err) {
    struct pump_shard *shard = ctx;

    int64_t wait_ms;

    shard->reading = false;
    if (status != LEAT_OK) {
        if (status == LEAT_E_CANCELLED || shard->pump->stopping)
            return;
        if (lt_retry_next(&shard->retry, err, &wait_ms))
            uv_timer_start(&shard->timer, on_timer, (uint64_t)wait_ms, 0);
        else
            fail(shard->pump, err);
        return;
    }
    shard->retry.n_attempts = 0;
    if (shard->pump->stopping) {
        lt_stream_batch_free(batch);
        return;
    }
    bool empty = batch->n == 0 && !batch->end;
    shard->tip = empty && batch->behind_ms == 0 ? shard->activity_before : UINT64_MAX;
    shard->batch = batch;
    shard->n_pushed = 0;
    int64_t spent_ms = (lt_clock_mono_us() - shard->read_started_us) / 1000;
    if (empty && spent_ms < idle_ms(shard->pump)) {
        (void)finish_batch(shard); /* nothing in it */
        uv_timer_start(&shard->timer, on_timer, (uint64_t)(idle_ms(shard->pump) - spent_ms), 0);
    } else {
        go_on(shard);
    }
}

static void start_read(struct pump_shard *shard) {
    struct lt_runner *runner = shard->pump->runner;
    struct leat_error err;

    if (shard->reading || shard->ended || shard->batch || shard->pump->stopping)
        return;
    shard->reading = true;
    shard->read_started_us = lt_clock_mono_us();
    shard->activity_before = atomic_load(&runner->activity);
    if (runner->service->ops->read(shard->reader, PUMP_MAX_RECORDS, PUMP_MAX_BYTES,
                                   idle_ms(shard->pump), on_read, shard, &err) != LEAT_OK) {
        shard->reading = false;
        fail(shard->pump, &err);
    }
}

static void on_progress(void *ctx, struct lt_delivery *delivery) {
    struct lt_run_pump *pump = ctx;
    (void)delivery;
    for (struct pump_shard *shard = pump->shards; shard && !pump->stopping; shard = shard->next) {
        if (shard->batch)
            go_on(shard);
    }
}

/* ---- shards ---- */

static struct pump_shard *find_shard(struct lt_run_pump *pump, const char *id) {
    for (struct pump_shard *shard = pump->shards; shard; shard = shard->next) {
        if (strcmp(shard->id, id) == 0)
            return shard;
    }
    return NULL;
}

static bool waits_for(struct lt_run_pump *pump, const char *parent,
                      const struct lt_stream_shard *shards, size_t n) {
    for (size_t i = 0; parent && i < n; i++) {
        if (strcmp(shards[i].id, parent) == 0) {
            struct pump_shard *shard = find_shard(pump, parent);
            return !shard || !shard->ended;
        }
    }
    return false;
}

static leat_status add_shard(struct lt_run_pump *pump, const char *id, struct leat_error *err) {
    struct lt_stream_service *service = pump->runner->service;
    struct lt_stream_start start = {.from = LT_FROM_TRIM_HORIZON};
    struct lt_slice position;
    struct pump_shard *shard = calloc(1, sizeof(*shard));

    if (!shard || strlen(id) >= sizeof(shard->id)) {
        free(shard);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for shard %s", id);
    }
    memcpy(shard->id, id, strlen(id) + 1);
    shard->pump = pump;
    shard->tip = UINT64_MAX;
    shard->retry.policy = &lt_retry_for_ever;
    shard->ordinal = lt_delivery_position(pump->delivery, id, &position);
    if (position.len && position.len < sizeof(shard->start_sequence)) {
        memcpy(shard->start_sequence, position.data, position.len);
        start.from = LT_FROM_AFTER_SEQUENCE;
        start.sequence = lt_slice_str(shard->start_sequence);
    }
    uv_timer_init(&pump->runner->loop, &shard->timer);
    shard->timer.data = shard;
    shard->next = pump->shards;
    pump->shards = shard;
    leat_status status =
        service->ops->open_shard(service, pump->system->from, id, &start, &shard->reader, err);
    if (status == LEAT_OK)
        start_read(shard);
    return status;
}

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    struct lt_run_pump *pump = ctx;
    struct leat_error failure;

    pump->listing = false;
    pump->listed = true;
    if (status == LEAT_E_CANCELLED || pump->stopping)
        return;
    if (status != LEAT_OK)
        failure = *err;
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (find_shard(pump, shards[i].id) || waits_for(pump, shards[i].parent, shards, n) ||
            waits_for(pump, shards[i].adjacent_parent, shards, n))
            continue;
        status = add_shard(pump, shards[i].id, &failure);
    }
    if (status != LEAT_OK)
        fail(pump, &failure);
}

static void list_shards(struct lt_run_pump *pump) {
    struct lt_stream_service *service = pump->runner->service;
    struct leat_error err;

    if (pump->listing || pump->stopping)
        return;
    pump->listing = true;
    if (service->ops->list_shards(service, pump->system->from, on_shards, pump, &err) != LEAT_OK) {
        pump->listing = false;
        fail(pump, &err);
    }
}

/* ---- its life ---- */

leat_status lt_run_pump_open(struct lt_run_pump **out, struct lt_runner *runner,
                             const struct lt_system_delivery *system, struct leat_error *err) {
    struct lt_run_pump *pump = calloc(1, sizeof(*pump));

    *out = NULL;
    if (!pump)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for delivery %s", system->name);
    pump->runner = runner;
    pump->system = system;
    const struct lt_delivery_options opt = {
        .name = system->name,
        .source = system->from,
        .loop = &runner->loop,
        .objects = runner->objects,
        .state = runner->state,
        .bucket = system->bucket,
        .prefix = system->prefix,
        .error_prefix = system->error_prefix ? system->error_prefix : "",
        .suffix = system->suffix ? system->suffix : "",
        .buffer_bytes = system->buffer_bytes,
        .buffer_ms = system->buffer_ms,
        .compression = system->compression,
        .newline = system->newline,
        .version = 1,
        .on_progress = on_progress,
        .ctx = pump,
    };
    leat_status status = lt_delivery_new(&pump->delivery, &opt, err);
    if (status != LEAT_OK) {
        free(pump);
        return status;
    }
    list_shards(pump);
    *out = pump;
    return LEAT_OK;
}

bool lt_run_pump_is_drained(struct lt_run_pump *pump, uint64_t activity) {
    if (!pump->listed || pump->listing)
        return false;
    for (struct pump_shard *shard = pump->shards; shard; shard = shard->next) {
        if (shard->batch || (!shard->ended && shard->tip != activity))
            return false;
    }
    return true;
}

static void on_flushed(void *ctx, leat_status status, const struct leat_error *err) {
    struct lt_run_pump *pump = ctx;
    if (status != LEAT_OK && status != LEAT_E_CANCELLED)
        fail(pump, err);
    pump->flushed = true;
}

void lt_run_pump_flush(struct lt_run_pump *pump) {
    if (pump->flushing)
        return;
    pump->flushing = true;
    lt_delivery_flush(pump->delivery, on_flushed, pump);
}

bool lt_run_pump_is_flushed(const struct lt_run_pump *pump) {
    return pump->flushed;
}

void lt_run_pump_stop(struct lt_run_pump *pump) {
    if (pump->stopping)
        return;
    pump->stopping = true;
    for (struct pump_shard *shard = pump->shards; shard; shard = shard->next) {
        if (shard->reader)
            pump->runner->service->ops->close_shard(shard->reader);
        shard->reader = NULL;
        uv_close((uv_handle_t *)&shard->timer, NULL);
    }
    lt_delivery_free(pump->delivery);
    pump->delivery = NULL;
}

void lt_run_pump_free(struct lt_run_pump *pump) {
    while (pump && pump->shards) {
        struct pump_shard *shard = pump->shards;
        pump->shards = shard->next;
        lt_stream_batch_free(shard->batch);
        free(shard);
    }
    free(pump);
}
