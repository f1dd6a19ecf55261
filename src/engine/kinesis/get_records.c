/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetRecords. A call that finds nothing new is answered from memory on the loop; one that reads
 * does so on the worker pool, and encodes there, so that the loop goes on with puts. It goes
 * through the journal in slices, so that a read of 10 MiB takes no more memory than its answer.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "engine/kinesis/kinesis.h"

#include <time.h>

enum { IN_ITERATOR = LT_KINESIS_OWN, IN_LIMIT, IN_DRY_RUN };
enum { MAX_RECORDS = 10000, MAX_BYTES = 10 << 20, RECORD_OVERHEAD = 160 };
enum { SLICE_BYTES = 512 << 10, SLICE_ARENA_BYTES = 64 << 20 };

static const struct lt_shape_member members[] = {
    LT_KINESIS_STREAM_ROWS,
    {.name = "ShardIterator", .type = LT_SHAPE_STRING, .required = true, .min = 1, .max = 512},
    {.name = "Limit", .type = LT_SHAPE_INTEGER, .min = 1, .max = MAX_RECORDS},
    {.name = "DryRun", .type = LT_SHAPE_BOOLEAN},
};
const struct lt_shape lt_kinesis_get_records_input = LT_SHAPE(members);

struct get {
    struct lt_kinesis_token iterator;
    struct lt_streams_shard shard;
    size_t limit;
    unsigned max_record_bytes;
};

/* "Thu Jan 22 01:22:02 UTC 2015" */
static void format_time(int64_t ms, char out[40]) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(out, 40, "%a %b %d %H:%M:%S UTC %Y", &tm) == 0)
        out[0] = 0;
}

static leat_status refuse_expired(const struct lt_kinesis_token *iterator, struct leat_error *err) {
    char made[40], now[40];

    format_time(iterator->time_ms, made);
    format_time(lt_clock_wall_ms(), now);
    return lt_fail_code(err, LEAT_E_EXPIRED, "ExpiredIteratorException",
                        "Iterator expired. The iterator was created at time %s while right now it "
                        "is %s which is further in the future than the tolerated delay of %d "
                        "milliseconds.",
                        made, now, LT_KINESIS_TOKEN_LIFE_MS);
}

static leat_status read_iterator(struct lt_service_call *call, struct get *get,
                                 struct leat_error *err) {
    const char *named;
    leat_status status;

    if (!lt_kinesis_token_parse(lt_service_string(call, IN_ITERATOR), LT_KINESIS_TOKEN_ITERATOR,
                                &get->iterator))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                            "Invalid ShardIterator.");
    if (lt_kinesis_token_is_expired(&get->iterator))
        return refuse_expired(&get->iterator, err);
    if (lt_service_has(call, LT_KINESIS_STREAM_ARN)) {
        status = lt_kinesis_stream(call, &named, err);
        if (status != LEAT_OK)
            return status;
        if (strcmp(named, get->iterator.name) != 0)
            return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                                "The ShardIterator is not of the stream of the StreamARN.");
    }
    status =
        lt_streams_shard(call->env->streams, get->iterator.name,
                         (unsigned)get->iterator.n[LT_KINESIS_ITERATOR_INDEX], &get->shard, err);
    /* Another stream of that name since the iterator was made. */
    if (status == LEAT_OK && get->shard.uid != get->iterator.n[LT_KINESIS_ITERATOR_UID])
        status = lt_fail_code(err, LEAT_E_NOT_FOUND, "ResourceNotFoundException",
                              "Shard shardId-%012u in stream %s under account %s does not exist",
                              get->shard.index, get->iterator.name, LT_SERVICE_ACCOUNT);
    return status;
}

static void append_record(struct lt_buf *out, const struct lt_journal_record *record,
                          uint64_t uid) {
    static const char head[] = "{\"SequenceNumber\":\"";
    static const char time[] = "\",\"ApproximateArrivalTimestamp\":";
    static const char data[] = ",\"Data\":\"";
    char *start = lt_buf_reserve(out, RECORD_OVERHEAD + lt_base64_encoded_len(record->data.len));
    char *at = start;

    if (!at)
        return;
    at = mempcpy(at, head, sizeof(head) - 1);
    lt_sequence_format(uid, record->seq, at);
    at = mempcpy(at + LT_SEQUENCE_DIGITS, time, sizeof(time) - 1);
    lt_buf_commit(out, (size_t)(at - start));
    lt_buf_append_u64(out, (uint64_t)record->time_ms / 1000);
    unsigned rest = (unsigned)(record->time_ms % 1000);
    char fraction[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                        (char)('0' + rest % 10)};
    lt_buf_append(out, lt_slice(fraction, 4));
    lt_buf_append(out, lt_slice(data, sizeof(data) - 1));
    lt_base64_append(out, record->data);
    lt_buf_append_str(out, "\",\"PartitionKey\":");
    lt_json_write_string(out, record->key);
    lt_buf_append_byte(out, '}');
}

static void append_records(struct lt_buf *out, const struct lt_streams_batch *batch, uint64_t uid,
                           bool first) {
    for (size_t i = 0; i < batch->n; i++) {
        if (!first)
            lt_buf_append_byte(out, ',');
        first = false;
        append_record(out, &batch->records[i], uid);
    }
}

/* The shards that go on where this one ended. */
static leat_status write_children(struct lt_service_call *call, struct lt_json_writer *w,
                                  const struct get *get, struct leat_error *err) {
    int parent = (int)get->shard.index;
    struct lt_streams_shard *shards;
    size_t n;
    leat_status status =
        lt_streams_shards(call->env->streams, get->iterator.name, call->arena, &shards, &n, err);

    if (status != LEAT_OK)
        return status;
    lt_json_key(w, "ChildShards");
    lt_json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        if (shards[i].parent != parent && shards[i].adjacent_parent != parent)
            continue;
        lt_json_begin_object(w);
        lt_kinesis_write_shard_id(w, "ShardId", (int)shards[i].index);
        lt_json_key(w, "ParentShards");
        lt_json_begin_array(w);
        lt_kinesis_write_shard_id(w, NULL, shards[i].parent);
        lt_kinesis_write_shard_id(w, NULL, shards[i].adjacent_parent);
        lt_json_end_array(w);
        lt_kinesis_write_hash_range(w, &shards[i]);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
    return LEAT_OK;
}

/* What follows the records: written as an object of its own, without its brace. */
static leat_status write_rest(struct lt_service_call *call, struct get *get,
                              const struct lt_streams_batch *last, struct leat_error *err) {
    struct lt_json_writer w;
    struct lt_buf rest;
    leat_status status = LEAT_OK;

    lt_buf_init(&rest, 16 << 20);
    lt_json_writer_init(&w, &rest);
    lt_json_begin_object(&w);
    lt_json_key(&w, "MillisBehindLatest");
    lt_json_put_int(&w, last->behind_ms);
    if (last->end) {
        status = write_children(call, &w, get, err);
    } else {
        get->iterator.n[LT_KINESIS_ITERATOR_NEXT] = last->next;
        lt_kinesis_write_token(&w, "NextShardIterator", get->iterator);
    }
    if (status == LEAT_OK) {
        lt_json_end_object(&w);
        status = lt_buf_status(&rest, err);
    }
    if (status == LEAT_OK) {
        lt_buf_append_str(&call->out, "],");
        lt_buf_append(&call->out, lt_slice_from(lt_buf_slice(&rest), 1));
    }
    lt_buf_deinit(&rest);
    return status;
}

/* On a worker: a slice of the journal is read and encoded while it is in the processor's cache,
 * then the next, until the call has what it may have. */
static leat_status read_records(struct lt_service_call *call, struct leat_error *err) {
    struct get *get = call->user;
    struct lt_streams_batch batch, last = {.next = get->iterator.n[LT_KINESIS_ITERATOR_NEXT]};
    size_t n = 0, n_bytes = 0;
    struct lt_arena arena;
    leat_status status = LEAT_OK;

    lt_arena_init(&arena, SLICE_ARENA_BYTES);
    lt_buf_append_str(&call->out, "{\"Records\":[");
    while (status == LEAT_OK && n < get->limit) {
        size_t left = MAX_BYTES - n_bytes;

        status = lt_streams_read(call->env->streams, get->iterator.name, &get->shard, last.next,
                                 get->limit - n, left < SLICE_BYTES ? left : SLICE_BYTES, &arena,
                                 &batch, err);
        if (status != LEAT_OK)
            break;
        last = batch;
        append_records(&call->out, &batch, get->shard.uid, n == 0);
        n += batch.n;
        for (size_t i = 0; i < batch.n; i++)
            n_bytes += batch.records[i].data.len + batch.records[i].key.len;
        /* One record is read in any case, and may be as large as a record can be. */
        if (batch.n == 0 || batch.behind_ms == 0 || n_bytes + get->max_record_bytes > MAX_BYTES)
            break;
        lt_arena_reset(&arena);
    }
    /* What fails behind good records is the next call's error. */
    if (status == LEAT_OK || n > 0)
        status = write_rest(call, get, &last, err);
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_kinesis_get_records(struct lt_service_call *call, struct leat_error *err) {
    struct get *get = lt_arena_calloc(call->arena, 1, sizeof(*get));
    struct lt_journal_shard stat;
    struct lt_streams_info info;
    leat_status status;

    if (!get)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a read");
    call->user = get;
    get->limit = (size_t)lt_service_int(call, IN_LIMIT, MAX_RECORDS);
    status = read_iterator(call, get, err);
    if (status == LEAT_OK)
        status = lt_streams_info(call->env->streams, get->iterator.name, &info, err);
    if (status == LEAT_OK)
        status = lt_kinesis_dry_run(call, IN_DRY_RUN, err);
    if (status != LEAT_OK)
        return status;
    get->max_record_bytes = info.max_record_bytes;
    lt_journal_stat(call->env->journal, get->shard.uid, &stat);
    uint64_t next = get->iterator.n[LT_KINESIS_ITERATOR_NEXT];
    if (next < stat.next && stat.first < stat.next)
        return lt_service_offload(call, read_records, err);

    struct lt_streams_batch nothing = {.next = next < stat.next ? stat.next : next};
    nothing.end = get->shard.closed && nothing.next > get->shard.closed_after;
    lt_buf_append_str(&call->out, "{\"Records\":[");
    return write_rest(call, get, &nothing, err);
}
