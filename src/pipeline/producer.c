/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is read in chunks: a pipe or terminal when it is readable, a file on libuv's pool. A
 * record's bytes stay in their chunk, which is freed when all of its records are acknowledged. What
 * is longer than any record is not kept: it is passed over to its line end, or stops the work. A
 * key always takes the same outlet, so its records keep their order while several calls are under
 * way.
 */
#include "pipeline/producer.h"

#include "base/clock.h"
#include "base/hash.h"
#include "pipeline/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 1 << 20,
    LINE_LIMIT_BYTES = 2 << 20, /* more is no record, whatever white space is around it */
    QUEUED_MAX_BYTES = 16 << 20,
    MAX_OUTLETS = 4,
    PROGRESS_MS = 200,
};

/* Bytes read together, and the keys of their records. */
struct chunk {
    size_t n_items; /* records on their way, and one while it is being filled */
    struct lt_arena keys;
    size_t len, cap;
    char data[];
};

struct producer {
    const struct lt_produce_options *opt;
    struct lt_produce_stat *stat;
    struct lt_outlet outlets[MAX_OUTLETS];
    size_t n_outlets;
    struct chunk *chunk; /* being filled */
    size_t line_start;   /* of the line not yet whole in it */
    bool too_long;       /* it is over the limit; its bytes are dropped as they come */
    uv_fs_t read;        /* a file's */
    uv_poll_t poll;      /* of what can be polled */
    bool polled;
    int old_flags; /* of the descriptor, which others may share */
    uv_timer_t timer;
    uv_signal_t sigint, sigterm;
    bool reading, input_ended, stopping, closed;
    leat_status status;
    struct leat_error error;
    int64_t started_us;
};

static void start_read(struct producer *producer);

/* ---- its end ---- */

static void fail(struct producer *producer, const struct leat_error *err) {
    if (producer->status == LEAT_OK) {
        producer->status = err->status;
        producer->error = *err;
    }
    producer->input_ended = true;
}

static size_t n_queued_bytes(const struct producer *producer) {
    size_t n = 0;
    for (size_t i = 0; i < producer->n_outlets; i++)
        n += producer->outlets[i].queue.n_bytes;
    return n;
}

static bool is_sending(const struct producer *producer) {
    for (size_t i = 0; i < producer->n_outlets; i++) {
        const struct lt_outlet *outlet = &producer->outlets[i];
        if (outlet->busy || (!outlet->stopped && outlet->queue.head != outlet->queue.tail))
            return true;
    }
    return false;
}

/* Closes the handles once there is nothing more to come, so that the loop ends. */
static void close_if_done(struct producer *producer) {
    if (producer->closed || producer->reading || !producer->input_ended || is_sending(producer))
        return;
    producer->closed = true;
    for (size_t i = 0; i < producer->n_outlets; i++)
        lt_outlet_stop(&producer->outlets[i]);
    if (producer->polled)
        uv_close((uv_handle_t *)&producer->poll, NULL);
    uv_close((uv_handle_t *)&producer->timer, NULL);
    uv_close((uv_handle_t *)&producer->sigint, NULL);
    uv_close((uv_handle_t *)&producer->sigterm, NULL);
    uv_stop(producer->opt->loop);
}

static void let_go(struct chunk *chunk, size_t n) {
    chunk->n_items -= n;
    if (chunk->n_items)
        return;
    lt_arena_deinit(&chunk->keys);
    free(chunk);
}

/* ---- what comes back ---- */

static void on_acknowledged(void *ctx, size_t route, const struct lt_item *items, size_t n) {
    struct producer *producer = ctx;

    (void)route;
    producer->stat->n_records += n;
    for (size_t i = 0; i < n; i++) {
        producer->stat->n_bytes += items[i].data.len;
        let_go(items[i].owner, 1);
    }
    start_read(producer);
}

static void on_refused(void *ctx, size_t route, const struct lt_item *item,
                       const struct leat_error *err) {
    struct producer *producer = ctx;

    (void)route;
    let_go(item->owner, 1);
    if (!producer->opt->skip) {
        fail(producer, err);
        return;
    }
    producer->stat->n_skipped++;
    if (producer->opt->on_skip)
        producer->opt->on_skip(producer->opt->ctx, item->ordinal, err->text);
}

static void on_failed(void *ctx, const struct leat_error *err) {
    struct producer *producer = ctx;
    fail(producer, err);
    /* the others have nothing to wait for either */
    for (size_t i = 0; i < producer->n_outlets; i++)
        producer->outlets[i].stopped = true;
}

static void on_retried(void *ctx, size_t route, size_t n) {
    struct producer *producer = ctx;

    producer->stat->n_retries += n;
    if (producer->stopping) /* what is not taken now is left, and told */
        producer->outlets[route].stopped = true;
}

static const struct lt_outlet_events events = {
    .acknowledged = on_acknowledged,
    .refused = on_refused,
    .failed = on_failed,
    .retried = on_retried,
};

/* ---- lines ---- */

static bool is_blank(struct lt_slice line) {
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            return false;
    }
    return true;
}

static struct lt_outlet *outlet_of(struct producer *producer, struct lt_slice key) {
    uint32_t hash = producer->n_outlets > 1 ? lt_crc32c(0, key.data, key.len) : 0;
    return &producer->outlets[hash % producer->n_outlets];
}

/* The line last counted is no record: it is skipped, or it ends the work. */
static void pass_over(struct producer *producer, struct leat_error *err) {
    if (!producer->opt->skip || err->status == LEAT_E_NOMEM) {
        lt_error_prefix(err, "line %llu of %s", (unsigned long long)producer->stat->n_lines,
                        producer->opt->name);
        fail(producer, err);
        return;
    }
    producer->stat->n_skipped++;
    if (producer->opt->on_skip)
        producer->opt->on_skip(producer->opt->ctx, producer->stat->n_lines, err->text);
}

static void take_line(struct producer *producer, struct lt_slice line) {
    struct chunk *chunk = producer->chunk;
    struct leat_error err;
    struct lt_slice key;

    producer->stat->n_lines++;
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (is_blank(line))
        return;
    leat_status status = lt_produce_key(producer->opt->key, line, &chunk->keys, &key, &err);
    if (status == LEAT_OK) {
        const struct lt_item item = {
            .key = key, .data = line, .owner = chunk, .ordinal = producer->stat->n_lines};
        status = lt_outlet_push(outlet_of(producer, key), &item, &err);
        chunk->n_items += status == LEAT_OK;
    }
    if (status != LEAT_OK)
        pass_over(producer, &err);
}

/* The line that is not yet whole is longer than a record can be. */
static void take_long_line(struct producer *producer) {
    struct leat_error err;

    producer->stat->n_lines++;
    producer->too_long = true;
    lt_fail(&err, LEAT_E_LIMIT, 0, "a line of more than %d bytes; a record has at most %d",
            LINE_LIMIT_BYTES, LT_STREAM_RECORD_MAX_BYTES);
    pass_over(producer, &err);
}

/* Takes the whole lines that are there; at the end of the input also what follows the last line
 * end. */
static void take_lines(struct producer *producer, bool end) {
    struct chunk *chunk = producer->chunk;

    while (producer->line_start < chunk->len && producer->status == LEAT_OK) {
        const char *line = chunk->data + producer->line_start;
        size_t left = chunk->len - producer->line_start;
        const char *stop = memchr(line, '\n', left);
        if (!stop && !end)
            break;
        size_t len = stop ? (size_t)(stop - line) : left;
        producer->line_start += len + (stop ? 1 : 0);
        if (!producer->too_long)
            take_line(producer, lt_slice(line, len));
        producer->too_long = false;
    }
    if (chunk->len - producer->line_start > LINE_LIMIT_BYTES && !producer->too_long &&
        producer->status == LEAT_OK)
        take_long_line(producer);
    if (producer->too_long)
        producer->line_start = chunk->len;
    for (size_t i = 0; i < producer->n_outlets; i++)
        lt_outlet_send(&producer->outlets[i]);
}

/* ---- reading ---- */

static struct chunk *new_chunk(size_t cap) {
    struct chunk *chunk = malloc(sizeof(*chunk) + cap);
    if (!chunk)
        return NULL;
    chunk->n_items = 1;
    chunk->len = 0;
    chunk->cap = cap;
    lt_arena_init(&chunk->keys, SIZE_MAX / 4);
    return chunk;
}

/* Makes room to read into: in the chunk, or in a new one that begins with the line not yet whole.
 */
static leat_status make_room(struct producer *producer, struct leat_error *err) {
    struct chunk *old = producer->chunk;
    size_t left = old ? old->len - producer->line_start : 0;

    if (old && old->cap - old->len >= CHUNK_BYTES / 4)
        return LEAT_OK;
    struct chunk *chunk = new_chunk(left * 2 > CHUNK_BYTES ? left * 2 : CHUNK_BYTES);
    if (!chunk)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read %s", producer->opt->name);
    if (left)
        memcpy(chunk->data, old->data + producer->line_start, left);
    chunk->len = left;
    producer->chunk = chunk;
    producer->line_start = 0;
    if (old)
        let_go(old, 1);
    return LEAT_OK;
}

/* `n` bytes came, 0: the end, or less: an errno. */
static void take_bytes(struct producer *producer, ssize_t n) {
    struct leat_error err;

    producer->reading = false;
    if (n < 0) {
        lt_fail_sys(&err, (int)-n, "cannot read %s", producer->opt->name);
        fail(producer, &err);
    } else if (!producer->stopping) {
        producer->chunk->len += (size_t)n;
        producer->input_ended |= n == 0;
        take_lines(producer, n == 0);
    }
    start_read(producer);
}

static void on_file(uv_fs_t *req) {
    ssize_t n = req->result;
    uv_fs_req_cleanup(req);
    take_bytes(req->data, n);
}

static void on_readable(uv_poll_t *poll, int status, int events_seen) {
    struct producer *producer = poll->data;
    struct chunk *chunk = producer->chunk;

    (void)events_seen;
    ssize_t n = status < 0
                    ? status
                    : read(producer->opt->fd, chunk->data + chunk->len, chunk->cap - chunk->len);
    if (n < 0 && status >= 0) {
        if (errno == EAGAIN || errno == EINTR)
            return;
        n = -errno;
    }
    uv_poll_stop(poll);
    take_bytes(producer, n);
}

static void start_read(struct producer *producer) {
    struct leat_error err;

    if (producer->stopping)
        producer->input_ended = true;
    if (producer->reading || producer->input_ended) {
        close_if_done(producer);
        return;
    }
    if (n_queued_bytes(producer) >= QUEUED_MAX_BYTES)
        return; /* an acknowledgement comes back here */
    if (make_room(producer, &err) != LEAT_OK) {
        fail(producer, &err);
        close_if_done(producer);
        return;
    }
    producer->reading = true;
    if (producer->polled) {
        uv_poll_start(&producer->poll, UV_READABLE, on_readable);
        return;
    }
    struct chunk *chunk = producer->chunk;
    uv_buf_t buf = uv_buf_init(chunk->data + chunk->len, (unsigned)(chunk->cap - chunk->len));
    producer->read.data = producer;
    uv_fs_read(producer->opt->loop, &producer->read, producer->opt->fd, &buf, 1, -1, on_file);
}

static void on_timer(uv_timer_t *timer) {
    struct producer *producer = timer->data;
    producer->stat->elapsed_ms = (lt_clock_mono_us() - producer->started_us) / 1000;
    if (producer->opt->on_progress)
        producer->opt->on_progress(producer->opt->ctx, producer->stat);
    close_if_done(producer);
}

static void on_signal(uv_signal_t *handle, int signum) {
    struct producer *producer = handle->data;
    (void)signum;
    producer->stat->interrupted = true;
    producer->stopping = true;
    producer->input_ended = true;
    if (producer->polled) {
        uv_poll_stop(&producer->poll);
        producer->reading = false;
    }
    for (size_t i = 0; i < producer->n_outlets; i++)
        producer->outlets[i].stopped |= producer->outlets[i].waiting;
    close_if_done(producer);
}

static leat_status open_producer(struct producer *producer, struct leat_error *err) {
    uv_loop_t *loop = producer->opt->loop;
    leat_status status = LEAT_OK;
    /* towards the engine one call after the other is as fast, and keeps the order of the whole
     * input */
    size_t n = producer->opt->service->atomic_put ? 1 : MAX_OUTLETS;

    uv_timer_init(loop, &producer->timer);
    uv_signal_init(loop, &producer->sigint);
    uv_signal_init(loop, &producer->sigterm);
    producer->timer.data = producer->sigint.data = producer->sigterm.data = producer;
    uv_timer_start(&producer->timer, on_timer, PROGRESS_MS, PROGRESS_MS);
    producer->old_flags = fcntl(producer->opt->fd, F_GETFL);
    producer->polled = uv_poll_init(loop, &producer->poll, producer->opt->fd) == 0;
    producer->poll.data = producer;
    uv_signal_start_oneshot(&producer->sigint, on_signal, SIGINT);
    uv_signal_start_oneshot(&producer->sigterm, on_signal, SIGTERM);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        status = lt_outlet_init(&producer->outlets[i], producer->opt->service, loop,
                                producer->opt->stream, i, &events, producer, err);
        producer->n_outlets += status == LEAT_OK;
    }
    return status;
}

static void free_left(struct producer *producer) {
    for (size_t i = 0; i < producer->n_outlets; i++) {
        struct lt_queue *queue = &producer->outlets[i].queue;
        producer->stat->n_left += queue->tail - queue->head;
        for (size_t at = queue->head; at < queue->tail; at++)
            let_go(queue->items[at].owner, 1);
        lt_outlet_deinit(&producer->outlets[i]);
    }
}

leat_status lt_produce(const struct lt_produce_options *opt, struct lt_produce_stat *stat,
                       struct leat_error *err) {
    struct producer *producer = calloc(1, sizeof(*producer));

    *stat = (struct lt_produce_stat){0};
    if (!producer)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a producer");
    producer->opt = opt;
    producer->stat = stat;
    producer->started_us = lt_clock_mono_us();
    leat_status status = open_producer(producer, err);
    if (status != LEAT_OK) {
        producer->error = *err;
        producer->status = status;
        producer->input_ended = true;
    }
    start_read(producer);
    while (!producer->closed)
        uv_run(opt->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 4; i++) /* the closed handles' own turns */
        uv_run(opt->loop, UV_RUN_NOWAIT);
    stat->elapsed_ms = (lt_clock_mono_us() - producer->started_us) / 1000;
    free_left(producer);
    status = producer->status;
    if (status != LEAT_OK)
        *err = producer->error;
    if (producer->polled && producer->old_flags >= 0)
        fcntl(opt->fd, F_SETFL, producer->old_flags);
    if (producer->chunk)
        let_go(producer->chunk, 1);
    free(producer);
    return status;
}
