/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream service on an engine of this process, without a socket between: puts go straight to the
 * journal and are called back when their group is synced. Every call that is owed a callback stands
 * in one list, so that closing the service ends all of them with LEAT_E_CANCELLED; the journal's
 * thread then finds no queue to post to, and whoever of the two has done last frees the call.
 */
#include "engine/engine.h"
#include "stream/engine_parts.h"

#include <stdio.h>
#include <stdlib.h>

static void mail_unref_locked(struct lt_engine_mail *mail) {
    bool last = --mail->refs == 0;

    pthread_mutex_unlock(&mail->mu);
    if (last) {
        pthread_mutex_destroy(&mail->mu);
        free(mail);
    }
}

static void unlink_op(struct lt_engine_op *op) {
    if (op->prev)
        op->prev->next = op->next;
    else
        op->service->ops = op->next;
    if (op->next)
        op->next->prev = op->prev;
}

static void release(struct lt_engine_op *op) {
    if (op->release)
        op->release(op);
    else
        free(op);
}

static void run_op(struct lt_completion *completion) {
    struct lt_engine_op *op = (struct lt_engine_op *)completion;

    unlink_op(op);
    op->deliver(op);
    release(op);
}

struct lt_engine_op *lt_engine_op_new(struct lt_engine_service *service, size_t size,
                                      void (*deliver)(struct lt_engine_op *op)) {
    struct lt_engine_op *op = service->closed ? NULL : calloc(1, size);

    if (!op)
        return NULL;
    op->completion.run = run_op;
    op->service = service;
    op->deliver = deliver;
    op->next = service->ops;
    if (op->next)
        op->next->prev = op;
    service->ops = op;
    return op;
}

void lt_engine_op_post(struct lt_engine_op *op) {
    lt_completions_post(op->service->mail->queue, &op->completion);
}

void lt_engine_op_drop(struct lt_engine_op *op) {
    unlink_op(op);
    release(op);
}

struct list_op {
    struct lt_engine_op op; /* first */
    lt_stream_shards_done *done;
    void *ctx;
    struct lt_arena arena;
    struct lt_stream_shard *shards;
    size_t n;
};

static const char *shard_id(struct lt_arena *arena, int index) {
    char id[32];

    if (index < 0)
        return NULL;
    lt_shard_id_format((unsigned)index, id);
    return lt_arena_str(arena, lt_slice_str(id));
}

static void deliver_list(struct lt_engine_op *op) {
    struct list_op *list = (struct list_op *)op;
    list->done(list->ctx, op->status, list->shards, op->status == LEAT_OK ? list->n : 0, &op->err);
}

static void release_list(struct lt_engine_op *op) {
    struct list_op *list = (struct list_op *)op;
    lt_arena_deinit(&list->arena);
    free(list);
}

static leat_status list_shards(struct lt_stream_service *base, const char *stream,
                               lt_stream_shards_done *done, void *ctx, struct leat_error *err) {
    struct lt_engine_service *service = lt_engine_service_of(base);
    struct list_op *list = (struct list_op *)lt_engine_op_new(service, sizeof(*list), deliver_list);
    struct lt_streams_shard *shards;
    struct lt_engine_op *op;

    if (!list)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to list shards");
    op = &list->op;
    op->release = release_list;
    list->done = done;
    list->ctx = ctx;
    lt_arena_init(&list->arena, 64 << 20);
    op->status =
        lt_streams_shards(service->streams, stream, &list->arena, &shards, &list->n, &op->err);
    if (op->status == LEAT_OK) {
        list->shards = lt_arena_calloc(&list->arena, list->n + 1, sizeof(*list->shards));
        if (!list->shards)
            op->status = lt_fail(&op->err, LEAT_E_NOMEM, 0, "no memory for %zu shards", list->n);
    }
    for (size_t i = 0; op->status == LEAT_OK && i < list->n; i++) {
        struct lt_stream_shard *out = &list->shards[i];
        out->id = shard_id(&list->arena, (int)shards[i].index);
        out->parent = shard_id(&list->arena, shards[i].parent);
        out->adjacent_parent = shard_id(&list->arena, shards[i].adjacent_parent);
        out->closed = shards[i].closed;
        if (!out->id)
            op->status = lt_fail(&op->err, LEAT_E_NOMEM, 0, "no memory for %zu shards", list->n);
    }
    lt_engine_op_post(op);
    return LEAT_OK;
}

struct put_op {
    struct lt_engine_op op; /* first */
    lt_stream_put_done *done;
    void *ctx;
    struct lt_engine_mail *mail;
    bool let_go; /**< guarded by mail->mu: one of the two that free it has done with it */
    bool bulk;   /**< nobody asks where its records went */
    size_t n;
    struct lt_streams_put records[];
};

static void fill_result(struct lt_stream_put_result *result, const struct lt_streams_put *record) {
    char id[32];

    result->status = LEAT_OK;
    lt_shard_id_format(record->shard_index, id);
    memcpy(result->shard, id, sizeof(id));
    lt_sequence_format(record->shard_uid, record->seq, result->sequence);
}

static void deliver_put(struct lt_engine_op *op) {
    struct put_op *put = (struct put_op *)op;
    struct lt_stream_put_result *results = NULL;

    if (op->status == LEAT_OK && put->bulk) {
        put->done(put->ctx, LEAT_OK, NULL, put->n, &op->err);
        return;
    }
    if (op->status == LEAT_OK) {
        results = calloc(put->n, sizeof(*results));
        if (!results)
            op->status = lt_fail(&op->err, LEAT_E_NOMEM, 0, "no memory for %zu results", put->n);
    }
    for (size_t i = 0; results && i < put->n; i++)
        fill_result(&results[i], &put->records[i]);
    put->done(put->ctx, op->status, results, results ? put->n : 0, &op->err);
    free(results);
}

/* On the journal's thread. */
static void on_durable(void *ctx, leat_status status, const struct leat_error *err) {
    struct put_op *put = ctx;
    struct lt_engine_mail *mail = put->mail;

    pthread_mutex_lock(&mail->mu);
    if (mail->queue) {
        put->op.status = status;
        if (status != LEAT_OK && err)
            put->op.err = *err;
        lt_completions_post(mail->queue, &put->op.completion);
    } else if (put->let_go) {
        free(put); /* the service was closed meanwhile, and its caller told */
    } else {
        put->let_go = true;
    }
    mail_unref_locked(mail);
}

/* The service's half of what on_durable() does when the service was closed: whoever comes last
 * frees. The mail is held by the caller. */
static void let_go(struct put_op *put) {
    struct lt_engine_mail *mail = put->mail;

    pthread_mutex_lock(&mail->mu);
    bool last = put->let_go;
    put->let_go = true;
    pthread_mutex_unlock(&mail->mu);
    if (last)
        free(put);
}

static leat_status check_put(const struct lt_stream_put *records, size_t n, bool bulk,
                             const struct lt_streams_info *info, struct leat_error *err) {
    const size_t most = bulk ? LT_STREAM_BULK_MAX_RECORDS : LT_STREAM_PUT_MAX_RECORDS;
    const size_t most_bytes = bulk ? LT_STREAM_BULK_MAX_BYTES : LT_STREAM_PUT_MAX_BYTES;
    size_t n_bytes = 0;

    for (size_t i = 0; i < n; i++) {
        n_bytes += records[i].data.len + records[i].key.len;
        if (records[i].key.len == 0 || records[i].key.len > 4 * 256)
            return lt_fail(err, LEAT_E_INVALID, 0,
                           "a partition key has 1 to 256 characters, that of record %zu has %zu "
                           "bytes",
                           i, records[i].key.len);
        if (records[i].data.len > info->max_record_bytes)
            return lt_fail(err, LEAT_E_LIMIT, 0,
                           "record %zu has %zu bytes, stream %s takes records of up to %u", i,
                           records[i].data.len, info->name, info->max_record_bytes);
    }
    /* One record of a stream with larger ones may be larger alone. */
    if (n == 0 || n > most || (n > 1 && n_bytes > most_bytes))
        return lt_fail(err, LEAT_E_LIMIT, 0,
                       "a put takes 1 to %zu records and %zu bytes, not %zu records and %zu bytes",
                       most, most_bytes, n, n_bytes);
    return LEAT_OK;
}

static leat_status start_put(struct lt_stream_service *base, const char *stream,
                             const struct lt_stream_put *records, size_t n, bool bulk,
                             lt_stream_put_done *done, void *ctx, struct leat_error *err) {
    struct lt_engine_service *service = lt_engine_service_of(base);
    struct lt_streams_info info;
    struct put_op *put;
    leat_status status;

    put = (struct put_op *)lt_engine_op_new(service, sizeof(*put) + n * sizeof(put->records[0]),
                                            deliver_put);
    if (!put)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to put %zu records", n);
    put->done = done;
    put->ctx = ctx;
    put->mail = service->mail;
    put->n = n;
    put->bulk = bulk;
    for (size_t i = 0; i < n; i++)
        put->records[i] = (struct lt_streams_put){
            .key = records[i].key, .hash = records[i].hash, .data = records[i].data};

    status = lt_streams_info(service->streams, stream, &info, &put->op.err);
    if (status == LEAT_OK)
        status = check_put(records, n, bulk, &info, &put->op.err);
    if (status == LEAT_OK) {
        pthread_mutex_lock(&put->mail->mu);
        put->mail->refs++;
        pthread_mutex_unlock(&put->mail->mu);
        status = lt_streams_put(service->streams, stream, put->records, n, on_durable, put,
                                &put->op.err);
        if (status == LEAT_OK)
            return LEAT_OK;
        pthread_mutex_lock(&put->mail->mu);
        mail_unref_locked(put->mail);
    }
    put->op.status = status;
    lt_engine_op_post(&put->op);
    return LEAT_OK;
}

static leat_status put_records(struct lt_stream_service *base, const char *stream,
                               const struct lt_stream_put *records, size_t n,
                               lt_stream_put_done *done, void *ctx, struct leat_error *err) {
    return start_put(base, stream, records, n, false, done, ctx, err);
}

static leat_status put_bulk(struct lt_stream_service *base, const char *stream,
                            const struct lt_stream_put *records, size_t n, lt_stream_put_done *done,
                            void *ctx, struct leat_error *err) {
    return start_put(base, stream, records, n, true, done, ctx, err);
}

static leat_status create_stream(struct lt_stream_service *base, const char *stream,
                                 unsigned n_shards, struct leat_error *err) {
    return lt_streams_create(lt_engine_service_of(base)->streams, stream, n_shards, false, false, 0,
                             err);
}

static leat_status set_retention(struct lt_stream_service *base, const char *stream, unsigned hours,
                                 struct leat_error *err) {
    return lt_streams_set_retention(lt_engine_service_of(base)->streams, stream, hours, err);
}

static leat_status remove_stream(struct lt_stream_service *base, const char *stream,
                                 struct leat_error *err) {
    return lt_streams_remove(lt_engine_service_of(base)->streams, stream, err);
}

static leat_status describe_stream(struct lt_stream_service *base, const char *stream,
                                   struct lt_stream_summary *out, struct leat_error *err) {
    struct lt_streams_info info;
    leat_status status = lt_streams_info(lt_engine_service_of(base)->streams, stream, &info, err);

    if (status != LEAT_OK)
        return status;
    *out = (struct lt_stream_summary){.n_open_shards = info.n_open_shards,
                                      .retention_hours = info.retention_hours,
                                      .created_ms = info.created_ms};
    snprintf(out->name, sizeof(out->name), "%s", info.name);
    snprintf(out->arn, sizeof(out->arn), "arn:aws:kinesis:us-east-1:000000000000:stream/%s",
             info.name);
    snprintf(out->status, sizeof(out->status), "ACTIVE");
    return LEAT_OK;
}

static leat_status list_streams(struct lt_stream_service *base, struct lt_arena *arena,
                                const char *const **names, size_t *n, struct leat_error *err) {
    const char **own = NULL;
    bool more;
    leat_status status = lt_streams_list(lt_engine_service_of(base)->streams, NULL, false, SIZE_MAX,
                                         arena, &own, n, &more, err);
    *names = own;
    return status;
}

/* On the journal's thread. */
static void on_group(void *ctx) {
    struct lt_engine_service *service = ctx;
    uv_async_send(&service->wake);
}

static void on_wake(uv_async_t *wake) {
    lt_engine_wake_readers(wake->data);
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void close_service(struct lt_stream_service *base) {
    struct lt_engine_service *service = lt_engine_service_of(base);
    struct lt_engine_mail *mail;
    struct lt_completions *queue;

    if (!base || service->closed)
        return;
    service->closed = true;
    lt_journal_unwatch(service->journal, service);
    while (service->readers)
        lt_engine_close_shard(service->readers);

    mail = service->mail;
    pthread_mutex_lock(&mail->mu);
    queue = mail->queue;
    mail->queue = NULL; /* from here on nobody posts */
    pthread_mutex_unlock(&mail->mu);
    lt_completions_close(queue); /* what is done is called back */
    while (service->ops) {
        struct lt_engine_op *op = service->ops;
        unlink_op(op);
        op->status = lt_fail(&op->err, LEAT_E_CANCELLED, 0, "the stream service was closed");
        op->deliver(op); /* what is left are puts */
        let_go((struct put_op *)op);
    }
    pthread_mutex_lock(&mail->mu);
    mail_unref_locked(mail);
    uv_close((uv_handle_t *)&service->wake, on_closed);
}

static const struct lt_stream_ops ops = {
    .kind = "engine",
    .list_shards = list_shards,
    .open_shard = lt_engine_open_shard,
    .read = lt_engine_read,
    .close_shard = lt_engine_close_shard,
    .put = put_records,
    .put_bulk = put_bulk,
    .create = create_stream,
    .set_retention = set_retention,
    .remove = remove_stream,
    .describe = describe_stream,
    .list = list_streams,
    .close = close_service,
};

static leat_status new_mail(struct lt_engine_service *service, struct leat_error *err) {
    struct lt_engine_mail *mail = calloc(1, sizeof(*mail));
    leat_status status;

    if (!mail)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a stream service");
    status = lt_completions_open(&mail->queue, service->loop, err);
    if (status != LEAT_OK) {
        free(mail);
        return status;
    }
    pthread_mutex_init(&mail->mu, NULL);
    mail->refs = 1;
    service->mail = mail;
    return LEAT_OK;
}

leat_status lt_stream_engine_new(struct lt_stream_service **out, uv_loop_t *loop,
                                 struct lt_engine *engine, struct leat_error *err) {
    struct lt_engine_service *service = calloc(1, sizeof(*service));
    leat_status status;
    int rc;

    *out = NULL;
    if (!service)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a stream service");
    service->base = (struct lt_stream_service){.ops = &ops, .atomic_put = true};
    service->loop = loop;
    service->engine = engine;
    service->streams = lt_engine_streams(engine);
    service->journal = lt_engine_journal(engine);
    rc = uv_async_init(loop, &service->wake, on_wake);
    if (rc < 0) {
        free(service);
        return lt_fail(err, LEAT_E_IO, -rc, "cannot make a wake-up for the loop");
    }
    service->wake.data = service;
    status = new_mail(service, err);
    if (status == LEAT_OK)
        status = lt_journal_watch(service->journal, on_group, service, err);
    if (status != LEAT_OK) {
        if (service->mail) {
            lt_completions_close(service->mail->queue);
            pthread_mutex_destroy(&service->mail->mu);
            free(service->mail);
        }
        uv_close((uv_handle_t *)&service->wake, on_closed);
        return status;
    }
    *out = &service->base;
    return LEAT_OK;
}
