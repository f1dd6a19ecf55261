/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of an engine in this process. A read that finds records takes them from the journal on
 * libuv's worker pool, so that the loop goes on with the batch before; one that finds none waits,
 * as long as its caller lets it, and is woken by the journal when a group became durable. A reader
 * that is closed while a worker reads for it lives on until that worker is done.
 */
#include "stream/engine_parts.h"

#include <stdlib.h>

/* One read under way. */
struct read_op {
    struct lt_engine_op op; /* first */
    struct lt_stream_reader *reader;
    lt_stream_read_done *done;
    void *ctx;
    size_t max_records, max_bytes;
    struct lt_stream_batch *batch;
    struct lt_streams_batch got;
};

struct lt_stream_reader {
    struct lt_engine_service *service;
    struct lt_stream_reader *prev, *next;
    uv_timer_t timer;
    char stream[129];
    struct lt_streams_shard shard;
    uint64_t from;        /* the next record's number */
    struct read_op *read; /* under way, or NULL */
    bool waiting;         /* for a record or the timer */
    bool closed;

    /* the work on the pool; `running` is guarded by mu */
    uv_work_t work;
    pthread_mutex_t mu;
    pthread_cond_t idle;
    bool queued, running;
};

static void free_reader(uv_handle_t *handle) {
    struct lt_stream_reader *reader = handle->data;

    pthread_mutex_destroy(&reader->mu);
    pthread_cond_destroy(&reader->idle);
    free(reader);
}

static leat_status find_from(struct lt_engine_service *service, struct lt_stream_reader *reader,
                             const struct lt_stream_start *start, struct leat_error *err) {
    static const enum lt_streams_from froms[] = {
        [LT_FROM_TRIM_HORIZON] = LT_STREAMS_TRIM_HORIZON,
        [LT_FROM_LATEST] = LT_STREAMS_LATEST,
        [LT_FROM_AT_SEQUENCE] = LT_STREAMS_AT_SEQUENCE,
        [LT_FROM_AFTER_SEQUENCE] = LT_STREAMS_AFTER_SEQUENCE,
        [LT_FROM_TIME] = LT_STREAMS_AT_TIME,
    };
    struct lt_journal_shard stat;
    uint64_t uid, seq = 0;

    if (start->from == LT_FROM_AT_SEQUENCE || start->from == LT_FROM_AFTER_SEQUENCE) {
        lt_journal_stat(service->journal, reader->shard.uid, &stat);
        if (!lt_sequence_parse(start->sequence, &uid, &seq) || uid != reader->shard.uid ||
            seq >= stat.next)
            return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                                "sequence number %.*s is not one of shard shardId-%012u of stream "
                                "%s",
                                LT_FMT(start->sequence), reader->shard.index, reader->stream);
    }
    return lt_streams_seek(service->streams, &reader->shard, froms[start->from], seq,
                           start->time_ms, &reader->from, err);
}

leat_status lt_engine_open_shard(struct lt_stream_service *base, const char *stream,
                                 const char *shard, const struct lt_stream_start *start,
                                 struct lt_stream_reader **out, struct leat_error *err) {
    struct lt_engine_service *service = lt_engine_service_of(base);
    struct lt_stream_reader *reader;
    unsigned index;
    leat_status status;

    *out = NULL;
    if (strlen(stream) >= sizeof(reader->stream) || !lt_shard_id_parse(lt_slice_str(shard), &index))
        return lt_fail_code(err, LEAT_E_NOT_FOUND, "ResourceNotFoundException",
                            "there is no shard %s in stream %s", shard, stream);
    reader = calloc(1, sizeof(*reader));
    if (!reader)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a reader");
    reader->service = service;
    memcpy(reader->stream, stream, strlen(stream) + 1);
    status = lt_streams_shard(service->streams, stream, index, &reader->shard, err);
    if (status == LEAT_OK)
        status = find_from(service, reader, start, err);
    if (status != LEAT_OK) {
        free(reader);
        return status;
    }
    uv_timer_init(service->loop, &reader->timer);
    reader->timer.data = reader;
    pthread_mutex_init(&reader->mu, NULL);
    pthread_cond_init(&reader->idle, NULL);
    reader->next = service->readers;
    if (reader->next)
        reader->next->prev = reader;
    service->readers = reader;
    *out = reader;
    return LEAT_OK;
}

/* The batch becomes the callee's; the reader may be closed by it. */
static void deliver_read(struct lt_engine_op *op) {
    struct read_op *read = (struct read_op *)op;
    struct lt_stream_batch *batch = read->batch;

    read->batch = NULL;
    if (read->reader) {
        read->reader->read = NULL;
        if (op->status == LEAT_OK)
            read->reader->from = read->got.next;
    }
    if (op->status != LEAT_OK) {
        lt_stream_batch_free(batch);
        batch = NULL;
    }
    read->done(read->ctx, op->status, batch, &op->err);
}

static void release_read(struct lt_engine_op *op) {
    struct read_op *read = (struct read_op *)op;

    lt_stream_batch_free(read->batch);
    free(read);
}

/* From the journal's records to the stream's. */
static leat_status fill_batch(struct read_op *read, uint64_t uid, struct leat_error *err) {
    struct lt_stream_batch *batch = read->batch;
    const struct lt_streams_batch *got = &read->got;
    char *texts;

    batch->behind_ms = got->behind_ms;
    batch->end = got->end;
    if (got->n == 0)
        return LEAT_OK;
    batch->records = lt_arena_calloc(&batch->arena, got->n, sizeof(*batch->records));
    texts = lt_arena_alloc(&batch->arena, got->n * (LT_SEQUENCE_DIGITS + 1));
    if (!batch->records || !texts)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu records", got->n);
    batch->n = got->n;
    for (size_t i = 0; i < got->n; i++, texts += LT_SEQUENCE_DIGITS + 1) {
        if (i && got->records[i].seq == got->records[i - 1].seq + 1)
            lt_sequence_next(texts - (LT_SEQUENCE_DIGITS + 1), texts);
        else
            lt_sequence_format(uid, got->records[i].seq, texts);
        batch->records[i] = (struct lt_stream_record){
            .sequence = lt_slice(texts, LT_SEQUENCE_DIGITS),
            .key = got->records[i].key,
            .data = got->records[i].data,
            .time_ms = got->records[i].time_ms,
        };
    }
    return LEAT_OK;
}

/* On a worker. */
static void run_work(uv_work_t *work) {
    struct lt_stream_reader *reader = work->data;
    struct read_op *read = reader->read;
    struct lt_engine_op *op = &read->op;

    op->status = lt_streams_read(reader->service->streams, reader->stream, &reader->shard,
                                 reader->from, read->max_records, read->max_bytes,
                                 &read->batch->arena, &read->got, &op->err);
    if (op->status == LEAT_OK)
        op->status = fill_batch(read, reader->shard.uid, &op->err);
    pthread_mutex_lock(&reader->mu);
    reader->running = false;
    pthread_cond_signal(&reader->idle);
    pthread_mutex_unlock(&reader->mu);
}

static void end_work(uv_work_t *work, int cancelled) {
    struct lt_stream_reader *reader = work->data;

    (void)cancelled; /* only by closing the reader */
    reader->queued = false;
    if (reader->closed) {
        uv_close((uv_handle_t *)&reader->timer, free_reader);
        return;
    }
    reader->read->op.completion.run(&reader->read->op.completion);
}

static bool has_records(const struct lt_stream_reader *reader) {
    struct lt_journal_shard stat;

    lt_journal_stat(reader->service->journal, reader->shard.uid, &stat);
    return reader->from < stat.next && stat.first < stat.next;
}

static void start_work(struct lt_stream_reader *reader) {
    reader->waiting = false;
    uv_timer_stop(&reader->timer);
    reader->work.data = reader;
    reader->queued = reader->running = true;
    int rc = uv_queue_work(reader->service->loop, &reader->work, run_work, end_work);
    if (rc < 0) {
        reader->queued = reader->running = false;
        reader->read->op.status =
            lt_fail(&reader->read->op.err, LEAT_E_IO, -rc, "no worker for a read");
        lt_engine_op_post(&reader->read->op);
    }
}

/* The answer without a record. */
static void answer_empty(struct lt_stream_reader *reader) {
    struct read_op *read = reader->read;

    reader->waiting = false;
    uv_timer_stop(&reader->timer);
    read->got = (struct lt_streams_batch){.next = reader->from};
    read->got.end = reader->shard.closed && reader->from > reader->shard.closed_after;
    read->batch->end = read->got.end;
    lt_engine_op_post(&read->op);
}

static void on_idle(uv_timer_t *timer) {
    struct lt_stream_reader *reader = timer->data;

    if (has_records(reader))
        start_work(reader);
    else
        answer_empty(reader);
}

/* Starts the read when there is something to read, or to say. */
static bool try_read(struct lt_stream_reader *reader) {
    struct read_op *read = reader->read;

    if (has_records(reader)) {
        start_work(reader);
        return true;
    }
    read->op.status = lt_streams_shard(reader->service->streams, reader->stream,
                                       reader->shard.index, &reader->shard, &read->op.err);
    if (read->op.status != LEAT_OK) {
        reader->waiting = false;
        uv_timer_stop(&reader->timer);
        lt_engine_op_post(&read->op);
        return true;
    }
    if (reader->shard.closed && reader->from > reader->shard.closed_after) {
        answer_empty(reader);
        return true;
    }
    return false;
}

leat_status lt_engine_read(struct lt_stream_reader *reader, size_t max_records, size_t max_bytes,
                           int64_t idle_ms, lt_stream_read_done *done, void *ctx,
                           struct leat_error *err) {
    struct read_op *read;

    if (reader->read)
        return lt_fail(err, LEAT_E_INTERNAL, 0, "a reader has one read at a time");
    read = (struct read_op *)lt_engine_op_new(reader->service, sizeof(*read), deliver_read);
    if (!read)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a read");
    read->op.release = release_read;
    read->batch = calloc(1, sizeof(*read->batch));
    if (!read->batch) {
        lt_engine_op_drop(&read->op);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a batch");
    }
    /* Generous: what is read is bounded by max_bytes, and its slices are the rest. */
    lt_arena_init(&read->batch->arena, 4 * max_bytes + (256 << 20));
    read->reader = reader;
    read->done = done;
    read->ctx = ctx;
    read->max_records = max_records;
    read->max_bytes = max_bytes;
    reader->read = read;
    if (try_read(reader))
        return LEAT_OK;
    if (idle_ms > 0) {
        reader->waiting = true;
        uv_update_time(reader->service->loop); /* who calls may have worked for long */
        uv_timer_start(&reader->timer, on_idle, (uint64_t)idle_ms, 0);
    } else {
        answer_empty(reader);
    }
    return LEAT_OK;
}

void lt_engine_wake_readers(struct lt_engine_service *service) {
    struct lt_stream_reader *next;

    for (struct lt_stream_reader *reader = service->readers; reader; reader = next) {
        next = reader->next;
        if (reader->waiting)
            (void)try_read(reader);
    }
}

/* Ends the work on the pool: takes it back, or waits for it, since the journal may go next. */
static void stop_work(struct lt_stream_reader *reader) {
    if (!reader->queued || uv_cancel((uv_req_t *)&reader->work) == 0)
        return;
    pthread_mutex_lock(&reader->mu);
    while (reader->running)
        pthread_cond_wait(&reader->idle, &reader->mu);
    pthread_mutex_unlock(&reader->mu);
}

void lt_engine_close_shard(struct lt_stream_reader *reader) {
    struct read_op *read;

    if (!reader || reader->closed)
        return;
    reader->closed = true;
    if (reader->prev)
        reader->prev->next = reader->next;
    else
        reader->service->readers = reader->next;
    if (reader->next)
        reader->next->prev = reader->prev;
    uv_timer_stop(&reader->timer);
    stop_work(reader);
    read = reader->read;
    if (read) {
        bool posted = !reader->queued && !reader->waiting;

        read->reader = NULL;
        read->op.status = lt_fail(&read->op.err, LEAT_E_CANCELLED, 0, "the reader was closed");
        if (!posted)
            lt_engine_op_post(&read->op);
    }
    if (!reader->queued)
        uv_close((uv_handle_t *)&reader->timer, free_reader);
}
