/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/consumer.h"

#include "base/clock.h"
#include "pipeline/outlet.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MAX_RECORDS = 1000, READ_MAX_BYTES = 2 << 20, IDLE_MS = 1000 };

struct consumer;

struct reader {
    struct reader *next;
    struct consumer *consumer;
    char id[129];
    struct lt_stream_reader *stream;
    uv_timer_t timer;
    struct lt_retry retry;
    int64_t started_us;
    bool reading;
    bool ended;    /* the shard is closed and read to its end */
    bool finished; /* nothing more is asked of it */
};

struct consumer {
    const struct lt_consume_options *opt;
    struct reader *readers;
    uint64_t n_records;
    uv_signal_t sigint, sigterm;
    bool listing, listed_before, stopping, interrupted;
    leat_status status;
    struct leat_error error;
};

static void start_read(struct reader *reader);
static void list_shards(struct consumer *consumer);

/* ---- its end ---- */

static void stop(struct consumer *consumer) {
    struct lt_stream_service *service = consumer->opt->service;

    if (consumer->stopping)
        return;
    consumer->stopping = true;
    for (struct reader *reader = consumer->readers; reader; reader = reader->next) {
        if (reader->stream)
            service->ops->close_shard(reader->stream);
        reader->stream = NULL;
        uv_close((uv_handle_t *)&reader->timer, NULL);
    }
    uv_close((uv_handle_t *)&consumer->sigint, NULL);
    uv_close((uv_handle_t *)&consumer->sigterm, NULL);
}

static void fail(struct consumer *consumer, const struct leat_error *err) {
    if (consumer->status == LEAT_OK) {
        consumer->status = err->status;
        consumer->error = *err;
    }
    stop(consumer);
}

static void stop_if_finished(struct consumer *consumer) {
    if (consumer->listing)
        return;
    for (struct reader *reader = consumer->readers; reader; reader = reader->next) {
        if (!reader->finished)
            return;
    }
    stop(consumer);
}

/* ---- reading ---- */

static void on_timer(uv_timer_t *timer) {
    start_read(timer->data);
}

static void wait(struct reader *reader, int64_t ms) {
    uv_timer_start(&reader->timer, on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
}

static void deliver(struct reader *reader, const struct lt_stream_batch *batch) {
    struct consumer *consumer = reader->consumer;
    uint64_t left =
        consumer->opt->max_records ? consumer->opt->max_records - consumer->n_records : UINT64_MAX;
    size_t n = batch->n < left ? batch->n : (size_t)left;

    consumer->n_records += n;
    bool more = consumer->opt->on_records(consumer->opt->ctx, reader->id, batch->records, n);
    if (!more || n == left)
        stop(consumer);
}

static void go_on(struct reader *reader, size_t n, bool at_tip) {
    struct consumer *consumer = reader->consumer;

    if (reader->ended || (at_tip && !consumer->opt->follow)) {
        reader->finished = true;
        if (reader->ended && !consumer->opt->shard)
            list_shards(consumer);
        stop_if_finished(consumer);
        return;
    }
    int64_t spent_ms = (lt_clock_mono_us() - reader->started_us) / 1000;
    if (n || !consumer->opt->follow)
        start_read(reader);
    else
        wait(reader, IDLE_MS - spent_ms);
}

static void on_read(void *ctx, leat_status status, struct lt_stream_batch *batch,
                    const struct leat_error *err) {
    struct reader *reader = ctx;
    struct consumer *consumer = reader->consumer;
    int64_t wait_ms;

    reader->reading = false;
    if (status != LEAT_OK) {
        if (status == LEAT_E_CANCELLED || consumer->stopping)
            return;
        if (lt_retry_next(&reader->retry, err, &wait_ms))
            wait(reader, wait_ms);
        else
            fail(consumer, err);
        return;
    }
    reader->retry.n_attempts = 0;
    reader->ended = batch->end;
    size_t n = batch->n;
    bool at_tip = !n && !batch->behind_ms;
    if (n && !consumer->stopping)
        deliver(reader, batch);
    lt_stream_batch_free(batch);
    if (!consumer->stopping)
        go_on(reader, n, at_tip);
}

static void start_read(struct reader *reader) {
    struct consumer *consumer = reader->consumer;
    struct leat_error err;

    if (reader->reading || reader->finished || consumer->stopping)
        return;
    reader->reading = true;
    reader->started_us = lt_clock_mono_us();
    if (consumer->opt->service->ops->read(reader->stream, READ_MAX_RECORDS, READ_MAX_BYTES,
                                          consumer->opt->follow ? IDLE_MS : 0, on_read, reader,
                                          &err) != LEAT_OK) {
        reader->reading = false;
        fail(consumer, &err);
    }
}

/* ---- shards ---- */

static struct reader *find(struct consumer *consumer, const char *id) {
    for (struct reader *reader = consumer->readers; reader; reader = reader->next) {
        if (strcmp(reader->id, id) == 0)
            return reader;
    }
    return NULL;
}

/* From LATEST, a shard that was closed before has nothing to say; its children start at LATEST,
 * too. */
static bool is_over(const struct consumer *consumer, const struct lt_stream_shard *shard) {
    return !consumer->listed_before && shard->closed && !consumer->opt->shard &&
           consumer->opt->start.from == LT_FROM_LATEST;
}

static bool is_unread_parent(struct consumer *consumer, const char *parent,
                             const struct lt_stream_shard *shards, size_t n) {
    for (size_t i = 0; parent && i < n; i++) {
        if (strcmp(shards[i].id, parent) == 0) {
            struct reader *reader = find(consumer, parent);
            return !is_over(consumer, &shards[i]) && (!reader || !reader->ended);
        }
    }
    return false;
}

static leat_status add(struct consumer *consumer, const char *id, struct leat_error *err) {
    struct lt_stream_service *service = consumer->opt->service;
    /* a child found later begins where its parent ended: at its first record */
    const struct lt_stream_start horizon = {.from = LT_FROM_TRIM_HORIZON};
    const struct lt_stream_start *start =
        consumer->listed_before ? &horizon : &consumer->opt->start;
    struct reader *reader = calloc(1, sizeof(*reader));

    if (!reader || strlen(id) >= sizeof(reader->id)) {
        free(reader);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for shard %s", id);
    }
    memcpy(reader->id, id, strlen(id) + 1);
    reader->consumer = consumer;
    reader->retry.policy = &lt_retry_for_ever;
    uv_timer_init(consumer->opt->loop, &reader->timer);
    reader->timer.data = reader;
    reader->next = consumer->readers;
    consumer->readers = reader;
    leat_status status =
        service->ops->open_shard(service, consumer->opt->stream, id, start, &reader->stream, err);
    if (status == LEAT_OK)
        start_read(reader);
    return status;
}

static bool is_wanted(struct consumer *consumer, const struct lt_stream_shard *shards, size_t n,
                      size_t i) {
    if (find(consumer, shards[i].id) || is_over(consumer, &shards[i]))
        return false;
    if (consumer->opt->shard)
        return strcmp(consumer->opt->shard, shards[i].id) == 0;
    return !is_unread_parent(consumer, shards[i].parent, shards, n) &&
           !is_unread_parent(consumer, shards[i].adjacent_parent, shards, n);
}

static leat_status check_start(struct consumer *consumer, size_t n, struct leat_error *err) {
    enum lt_stream_from from = consumer->opt->start.from;
    bool sequence = from == LT_FROM_AT_SEQUENCE || from == LT_FROM_AFTER_SEQUENCE;

    if (sequence && !consumer->opt->shard && n > 1 && !consumer->listed_before)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "a sequence number is of one shard, and stream %s has %zu: name it with "
                       "--shard",
                       consumer->opt->stream, n);
    return LEAT_OK;
}

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    struct consumer *consumer = ctx;
    struct leat_error failure;

    consumer->listing = false;
    if (status == LEAT_E_CANCELLED || consumer->stopping)
        return;
    if (status == LEAT_OK)
        status = check_start(consumer, n, &failure);
    else
        failure = *err;
    for (size_t i = 0; i < n && status == LEAT_OK && !consumer->stopping; i++) {
        if (is_wanted(consumer, shards, n, i))
            status = add(consumer, shards[i].id, &failure);
    }
    if (status == LEAT_OK && !consumer->readers)
        status = lt_fail(&failure, LEAT_E_NOT_FOUND, 0, "stream %s has no shard %s",
                         consumer->opt->stream, consumer->opt->shard ? consumer->opt->shard : "");
    consumer->listed_before = true;
    if (status != LEAT_OK)
        fail(consumer, &failure);
    else
        stop_if_finished(consumer);
}

static void list_shards(struct consumer *consumer) {
    struct lt_stream_service *service = consumer->opt->service;
    struct leat_error err;

    if (consumer->listing || consumer->stopping)
        return;
    consumer->listing = true;
    if (service->ops->list_shards(service, consumer->opt->stream, on_shards, consumer, &err) !=
        LEAT_OK) {
        consumer->listing = false;
        fail(consumer, &err);
    }
}

static void on_signal(uv_signal_t *handle, int signum) {
    struct consumer *consumer = handle->data;
    (void)signum;
    consumer->interrupted = true;
    stop(consumer);
}

static bool is_reading(const struct consumer *consumer) {
    for (const struct reader *reader = consumer->readers; reader; reader = reader->next) {
        if (reader->reading)
            return true;
    }
    return consumer->listing;
}

leat_status lt_consume(const struct lt_consume_options *opt, uint64_t *n_records, bool *interrupted,
                       struct leat_error *err) {
    struct consumer *consumer = calloc(1, sizeof(*consumer));

    *n_records = 0;
    *interrupted = false;
    if (!consumer)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a consumer");
    consumer->opt = opt;
    uv_signal_init(opt->loop, &consumer->sigint);
    uv_signal_init(opt->loop, &consumer->sigterm);
    consumer->sigint.data = consumer->sigterm.data = consumer;
    uv_signal_start_oneshot(&consumer->sigint, on_signal, SIGINT);
    uv_signal_start_oneshot(&consumer->sigterm, on_signal, SIGTERM);
    list_shards(consumer);
    while (!consumer->stopping || is_reading(consumer))
        uv_run(opt->loop, UV_RUN_ONCE);
    for (int i = 0; i < 4; i++) /* the closed handles' own turns */
        uv_run(opt->loop, UV_RUN_NOWAIT);
    leat_status status = consumer->status;
    if (status != LEAT_OK)
        *err = consumer->error;
    *n_records = consumer->n_records;
    *interrupted = consumer->interrupted;
    while (consumer->readers) {
        struct reader *reader = consumer->readers;
        consumer->readers = reader->next;
        free(reader);
    }
    free(consumer);
    return status;
}
