/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a shard by iterators. The position is the iterator of the last answer; one
 * that has expired is replaced by one after the last record that was handed on, so
 * that none is lost or read twice. A throttled read waits inside. A service takes
 * five reads a second from all readers of a shard, so a reader asks no more often,
 * and gives an empty answer back at once; an engine (at a Unix socket) has no such
 * limit and is asked again until `idle_ms` has passed.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "stream/kinesis.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ITERATOR_MAX = 1024, /* 512 by the service's model */
    SEQUENCE_MAX = 256,
    BODY_MAX = 8 << 10,
    LIMIT_MAX = 10000,
    BATCH_MAX_BYTES = 128 << 20,
    READ_GAP_MS = 200,       /* five a second */
    ENGINE_GAP_MS = 20,      /* between looks at an engine that has nothing */
    MAX_NEW_ITERATORS = 3,   /* in one read: more means that the service is out of its mind */
    LATEST_MARGIN_MS = 5000, /* by which clocks may differ */
};

static const struct lt_retry_policy throttle_policy = {
    .max_attempts = 0, .base_ms = 400, .cap_ms = 10000, .retry_after_cap_ms = 120000};

struct lt_stream_reader {
    struct lt_kinesis *service;
    struct lt_arena arena; /* owns the names and the start's sequence */
    const char *stream;
    const char *shard;
    struct lt_stream_start start;
    char iterator[ITERATOR_MAX];      /* "": none yet, or expired */
    char last_sequence[SEQUENCE_MAX]; /* of the last record handed on, or "" */
    int64_t seen_ms;     /* wall clock at the last iterator or answer: up to then LATEST saw all */
    int64_t next_us;     /* monotonic clock: no read before */
    size_t record_bytes; /* mean of the last batch; 0: not known */
    bool at_end;
    bool closed;

    /* the read under way */
    struct lt_kinesis_call *call;
    size_t max_records, max_bytes;
    int64_t until_us;
    unsigned n_new_iterators;
    lt_stream_read_done *done;
    void *ctx;
};

static void free_reader(struct lt_stream_reader *reader) {
    lt_arena_deinit(&reader->arena);
    free(reader);
}

leat_status lt_kinesis_open_shard(struct lt_stream_service *base, const char *stream,
                                  const char *shard, const struct lt_stream_start *start,
                                  struct lt_stream_reader **out, struct leat_error *err) {
    struct lt_stream_reader *reader = calloc(1, sizeof(*reader));

    *out = NULL;
    if (!reader)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a reader of stream %s", stream);
    lt_arena_init(&reader->arena, 64 << 10);
    reader->service = lt_kinesis_of(base);
    reader->stream = lt_arena_str(&reader->arena, lt_slice_str(stream));
    reader->shard = lt_arena_str(&reader->arena, lt_slice_str(shard));
    reader->start = *start;
    reader->start.sequence = lt_arena_dup(&reader->arena, start->sequence);
    if (!reader->stream || !reader->shard || !reader->start.sequence.data) {
        free_reader(reader);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a reader of stream %s", stream);
    }
    *out = reader;
    return LEAT_OK;
}

void lt_kinesis_close_shard(struct lt_stream_reader *reader) {
    if (!reader)
        return;
    reader->closed = true;
    if (reader->call)
        lt_kinesis_cancel(reader->call);
    else
        free_reader(reader);
}

/* The callback may close the reader, or read again, so nothing is touched after it. */
static void finish(struct lt_stream_reader *reader, leat_status status,
                   struct lt_stream_batch *batch, const struct leat_error *err) {
    lt_stream_read_done *done = reader->done;
    void *ctx = reader->ctx;
    reader->done = NULL;
    if (reader->closed)
        free_reader(reader);
    done(ctx, status, batch, status == LEAT_OK ? NULL : err);
}

static void ask(struct lt_stream_reader *reader, int64_t delay_ms);

static void write_start(struct lt_json_writer *w, const struct lt_stream_reader *reader) {
    static const char *const types[] = {
        [LT_FROM_TRIM_HORIZON] = "TRIM_HORIZON",
        [LT_FROM_LATEST] = "LATEST",
        [LT_FROM_AT_SEQUENCE] = "AT_SEQUENCE_NUMBER",
        [LT_FROM_AFTER_SEQUENCE] = "AFTER_SEQUENCE_NUMBER",
        [LT_FROM_TIME] = "AT_TIMESTAMP",
    };
    struct lt_stream_start start = reader->start;
    if (reader->last_sequence[0]) {
        start.from = LT_FROM_AFTER_SEQUENCE;
        start.sequence = lt_slice_str(reader->last_sequence);
    } else if (start.from == LT_FROM_LATEST && reader->seen_ms) {
        /* What has come since the iterator expired is not to be missed. */
        start.from = LT_FROM_TIME;
        start.time_ms = reader->seen_ms - LATEST_MARGIN_MS;
    }
    lt_json_key(w, "ShardIteratorType");
    lt_json_put_str(w, types[start.from]);
    if (start.from == LT_FROM_AT_SEQUENCE || start.from == LT_FROM_AFTER_SEQUENCE) {
        lt_json_key(w, "StartingSequenceNumber");
        lt_json_put_string(w, start.sequence);
    } else if (start.from == LT_FROM_TIME) {
        lt_json_key(w, "Timestamp");
        lt_json_put_epoch(w, start.time_ms);
    }
}

static bool take_iterator(struct lt_stream_reader *reader, struct lt_json value) {
    char text[ITERATOR_MAX + 1];
    lt_kinesis_copy(value, text, sizeof(text));
    if (!text[0] || strlen(text) >= ITERATOR_MAX)
        return false;
    memcpy(reader->iterator, text, strlen(text) + 1);
    reader->seen_ms = lt_clock_wall_ms();
    return true;
}

static void on_iterator(void *ctx, leat_status status, struct lt_json answer,
                        const struct leat_error *err) {
    struct lt_stream_reader *reader = ctx;
    struct lt_json value;
    struct leat_error local;

    reader->call = NULL;
    if (status == LEAT_OK &&
        (!lt_json_get(answer, "ShardIterator", &value) || !take_iterator(reader, value))) {
        status = lt_fail(&local, LEAT_E_REMOTE, 0, "no iterator in the answer for shard %s of %s",
                         reader->shard, reader->stream);
        err = &local;
    }
    if (status != LEAT_OK)
        finish(reader, status, NULL, err);
    else
        ask(reader, 0);
}

/* One record; all of it lies in the batch's arena. */
static leat_status read_record(struct lt_json entry, struct lt_arena *arena,
                               struct lt_stream_record *record, struct leat_error *err) {
    struct lt_json_iter iter = lt_json_iter(entry);
    struct lt_json key, value;
    double seconds;

    memset(record, 0, sizeof(*record));
    while (lt_json_next_member(&iter, &key, &value)) {
        if (lt_json_string_is(key, LT_LIT("SequenceNumber"))) {
            record->sequence = lt_arena_dup(arena, lt_json_string(value, arena));
        } else if (lt_json_string_is(key, LT_LIT("PartitionKey"))) {
            record->key = lt_arena_dup(arena, lt_json_string(value, arena));
        } else if (lt_json_string_is(key, LT_LIT("ApproximateArrivalTimestamp"))) {
            if (lt_json_double(value, &seconds) && seconds > 0 && seconds < 1e12)
                record->time_ms = (int64_t)(seconds * 1000 + 0.5);
        } else if (lt_json_string_is(key, LT_LIT("Data"))) {
            struct lt_slice text = lt_json_string(value, arena);
            char *data = lt_arena_alloc(arena, lt_base64_decoded_max(text.len));
            size_t len = data && text.data ? lt_base64_decode(text, data) : SIZE_MAX;
            if (len == SIZE_MAX)
                return lt_fail(err, LEAT_E_REMOTE, 0, "a record whose data is no base64");
            record->data = lt_slice(data, len);
        }
    }
    if (!record->sequence.len || record->sequence.len >= SEQUENCE_MAX || !record->data.data)
        return lt_fail(err, LEAT_E_REMOTE, 0, "a record without a sequence number or data");
    return LEAT_OK;
}

struct answer_parts {
    struct lt_json records, next, behind;
};

/* In one walk, for the records may be megabytes. */
static struct answer_parts split_answer(struct lt_json answer) {
    struct answer_parts parts = {0};
    struct lt_json_iter iter = lt_json_iter(answer);
    struct lt_json key, value;
    while (lt_json_next_member(&iter, &key, &value)) {
        if (lt_json_string_is(key, LT_LIT("Records")))
            parts.records = value;
        else if (lt_json_string_is(key, LT_LIT("NextShardIterator")))
            parts.next = value;
        else if (lt_json_string_is(key, LT_LIT("MillisBehindLatest")))
            parts.behind = value;
    }
    return parts;
}

static leat_status read_batch(const struct answer_parts *parts, struct lt_stream_batch **out,
                              struct leat_error *err) {
    struct lt_stream_batch *batch = calloc(1, sizeof(*batch));
    struct lt_json entry;
    leat_status status = LEAT_OK;

    *out = NULL;
    if (!batch)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a batch");
    lt_arena_init(&batch->arena, BATCH_MAX_BYTES);
    if (parts->records.type != LT_JSON_ARRAY)
        status = lt_fail(err, LEAT_E_REMOTE, 0, "an answer without Records");
    size_t n = status == LEAT_OK ? lt_json_count(parts->records) : 0;
    if (n && !(batch->records = lt_arena_calloc(&batch->arena, n, sizeof(*batch->records))))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a batch of %zu records", n);
    struct lt_json_iter iter = lt_json_iter(parts->records);
    while (status == LEAT_OK && batch->records && batch->n < n && lt_json_next(&iter, &entry)) {
        status = read_record(entry, &batch->arena, &batch->records[batch->n], err);
        batch->n += status == LEAT_OK;
    }
    if (status != LEAT_OK) {
        lt_stream_batch_free(batch);
        return status;
    }
    if (!lt_json_int64(parts->behind, &batch->behind_ms) || batch->behind_ms < 0)
        batch->behind_ms = 0;
    *out = batch;
    return LEAT_OK;
}

/* Moves the position behind the batch. */
static leat_status advance(struct lt_stream_reader *reader, const struct answer_parts *parts,
                           struct lt_stream_batch *batch, struct leat_error *err) {
    if (parts->next.type == LT_JSON_STRING && !take_iterator(reader, parts->next))
        return lt_fail(err, LEAT_E_REMOTE, 0, "an iterator that is too long");
    reader->at_end = parts->next.type != LT_JSON_STRING;
    batch->end = reader->at_end;
    if (batch->n) {
        struct lt_slice last = batch->records[batch->n - 1].sequence;
        size_t total = 0;
        memcpy(reader->last_sequence, last.data, last.len);
        reader->last_sequence[last.len] = '\0';
        for (size_t i = 0; i < batch->n; i++)
            total += batch->records[i].data.len + 1;
        reader->record_bytes = total / batch->n + 1;
    }
    return LEAT_OK;
}

static void on_records(void *ctx, leat_status status, struct lt_json answer,
                       const struct leat_error *err) {
    struct lt_stream_reader *reader = ctx;
    struct lt_stream_batch *batch = NULL;
    struct leat_error local;

    reader->call = NULL;
    if (status == LEAT_E_EXPIRED && ++reader->n_new_iterators <= MAX_NEW_ITERATORS) {
        reader->iterator[0] = '\0';
        ask(reader, 0);
        return;
    }
    if (status == LEAT_OK) {
        struct answer_parts parts = split_answer(answer);
        status = read_batch(&parts, &batch, &local);
        if (status == LEAT_OK)
            status = advance(reader, &parts, batch, &local);
        if (status != LEAT_OK) {
            lt_error_prefix(&local, "GetRecords of shard %s of %s", reader->shard, reader->stream);
            lt_stream_batch_free(batch);
            batch = NULL;
        }
        err = &local;
    }
    bool nothing = batch && batch->n == 0 && !batch->end;
    if (nothing && reader->service->endpoint.unix_socket &&
        lt_clock_mono_us() + ENGINE_GAP_MS * 1000 < reader->until_us) {
        lt_stream_batch_free(batch);
        ask(reader, ENGINE_GAP_MS);
        return;
    }
    finish(reader, status, batch, err);
}

static void on_end(void *ctx, leat_status status, struct lt_json answer,
                   const struct leat_error *err) {
    struct lt_stream_reader *reader = ctx;
    struct lt_stream_batch *batch = NULL;
    struct leat_error local;
    (void)answer;
    reader->call = NULL;
    if (status == LEAT_OK)
        batch = calloc(1, sizeof(*batch));
    if (batch) {
        lt_arena_init(&batch->arena, BATCH_MAX_BYTES);
        batch->end = true;
    } else if (status == LEAT_OK) {
        status = lt_fail(&local, LEAT_E_NOMEM, 0, "no memory for a batch");
        err = &local;
    }
    finish(reader, status, batch, err);
}

static void write_get_iterator(struct lt_buf *body, const struct lt_stream_reader *reader) {
    struct lt_json_writer w;
    lt_json_writer_init(&w, body);
    lt_json_begin_object(&w);
    lt_json_key(&w, "StreamName");
    lt_json_put_str(&w, reader->stream);
    lt_json_key(&w, "ShardId");
    lt_json_put_str(&w, reader->shard);
    write_start(&w, reader);
    lt_json_end_object(&w);
}

static void write_get_records(struct lt_buf *body, const struct lt_stream_reader *reader) {
    struct lt_json_writer w;
    size_t limit = reader->max_records;
    if (reader->record_bytes && reader->max_bytes / reader->record_bytes < limit)
        limit = reader->max_bytes / reader->record_bytes;
    limit = limit < 1 ? 1 : limit > LIMIT_MAX ? (size_t)LIMIT_MAX : limit;
    lt_json_writer_init(&w, body);
    lt_json_begin_object(&w);
    lt_json_key(&w, "ShardIterator");
    lt_json_put_str(&w, reader->iterator);
    lt_json_key(&w, "Limit");
    lt_json_put_uint(&w, limit);
    lt_json_end_object(&w);
}

static leat_status start_ask(struct lt_stream_reader *reader, int64_t delay_ms,
                             struct leat_error *err) {
    struct lt_kinesis_how how = {
        .delay_ms = delay_ms, .policy = &throttle_policy, .only_throttles = true};
    lt_kinesis_done *done = on_end;
    struct lt_buf body;

    lt_buf_init(&body, BODY_MAX);
    if (reader->at_end) {
        how.policy = NULL;
    } else if (!reader->iterator[0]) {
        how.operation = "GetShardIterator";
        done = on_iterator;
        write_get_iterator(&body, reader);
    } else {
        how.operation = "GetRecords";
        done = on_records;
        write_get_records(&body, reader);
        int64_t now_us = lt_clock_mono_us();
        if (!reader->service->endpoint.unix_socket) {
            if (reader->next_us > now_us + delay_ms * 1000)
                how.delay_ms = (reader->next_us - now_us + 999) / 1000;
            reader->next_us = now_us + (how.delay_ms + READ_GAP_MS) * 1000;
        }
    }
    return lt_kinesis_start(reader->service, &how, &body, done, reader, &reader->call, err);
}

static void ask(struct lt_stream_reader *reader, int64_t delay_ms) {
    struct leat_error err;
    leat_status status = start_ask(reader, delay_ms, &err);
    if (status != LEAT_OK)
        finish(reader, status, NULL, &err);
}

leat_status lt_kinesis_read(struct lt_stream_reader *reader, size_t max_records, size_t max_bytes,
                            int64_t idle_ms, lt_stream_read_done *done, void *ctx,
                            struct leat_error *err) {
    if (reader->call)
        return lt_fail(err, LEAT_E_BUSY, 0, "shard %s of %s is being read", reader->shard,
                       reader->stream);
    reader->max_records = max_records;
    reader->max_bytes = max_bytes;
    reader->until_us = lt_clock_mono_us() + idle_ms * 1000;
    reader->n_new_iterators = 0;
    reader->done = done;
    reader->ctx = ctx;
    return start_ask(reader, 0, err);
}
