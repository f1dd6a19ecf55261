/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine holds, as one JSON document: for `leat ls` and whoever watches it. */
#include "engine/parts.h"

enum { MAX_MEMORY = 256 << 20 };

struct totals {
    uint64_t n_records, n_bytes;
};

static void write_sequence(struct lt_json_writer *w, const char *key, uint64_t uid, uint64_t seq) {
    char text[LT_SEQUENCE_DIGITS + 1];

    lt_sequence_format(uid, seq, text);
    lt_json_key(w, key);
    lt_json_put_str(w, text);
}

static void write_shard(struct lt_engine *engine, struct lt_json_writer *w,
                        const struct lt_streams_shard *shard, struct totals *totals) {
    struct lt_journal_shard stat;
    char id[32];

    lt_journal_stat(engine->journal, shard->uid, &stat);
    totals->n_records += stat.next - stat.first;
    totals->n_bytes += stat.n_bytes;
    lt_json_begin_object(w);
    lt_shard_id_format(shard->index, id);
    lt_json_key(w, "id");
    lt_json_put_str(w, id);
    lt_json_key(w, "open");
    lt_json_put_bool(w, !shard->closed);
    lt_json_key(w, "records");
    lt_json_put_uint(w, stat.next - stat.first);
    lt_json_key(w, "bytes");
    lt_json_put_uint(w, stat.n_bytes);
    lt_json_key(w, "last_arrival_ms");
    lt_json_put_int(w, stat.last_time_ms);
    write_sequence(w, "first_sequence", shard->uid, stat.first);
    write_sequence(w, "next_sequence", shard->uid, stat.next);
    lt_json_end_object(w);
}

static leat_status write_stream(struct lt_engine *engine, struct lt_json_writer *w,
                                const char *name, struct lt_arena *arena, struct leat_error *err) {
    struct totals totals = {0, 0};
    struct lt_streams_shard *shards;
    struct lt_streams_info info;
    size_t n;
    leat_status status = lt_streams_info(engine->streams, name, &info, err);

    if (status == LEAT_OK)
        status = lt_streams_shards(engine->streams, name, arena, &shards, &n, err);
    if (status == LEAT_E_NOT_FOUND)
        return LEAT_OK; /* removed since it was listed */
    if (status != LEAT_OK)
        return status;
    lt_json_begin_object(w);
    lt_json_key(w, "name");
    lt_json_put_str(w, name);
    lt_json_key(w, "status");
    lt_json_put_str(w, "ACTIVE");
    lt_json_key(w, "mode");
    lt_json_put_str(w, info.on_demand ? "ON_DEMAND" : "PROVISIONED");
    lt_json_key(w, "created_ms");
    lt_json_put_int(w, info.created_ms);
    lt_json_key(w, "retention_hours");
    lt_json_put_uint(w, info.retention_hours);
    lt_json_key(w, "shards");
    lt_json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        write_shard(engine, w, &shards[i], &totals);
    lt_json_end_array(w);
    lt_json_key(w, "records");
    lt_json_put_uint(w, totals.n_records);
    lt_json_key(w, "bytes");
    lt_json_put_uint(w, totals.n_bytes);
    lt_json_end_object(w);
    return LEAT_OK;
}

static leat_status write_streams(struct lt_engine *engine, struct lt_json_writer *w,
                                 struct lt_arena *arena, struct leat_error *err) {
    const char **names;
    size_t n;
    bool more;
    leat_status status =
        lt_streams_list(engine->streams, NULL, false, SIZE_MAX, arena, &names, &n, &more, err);

    lt_json_key(w, "streams");
    lt_json_begin_array(w);
    for (size_t i = 0; status == LEAT_OK && i < n; i++)
        status = write_stream(engine, w, names[i], arena, err);
    lt_json_end_array(w);
    return status;
}

static leat_status write_buckets(struct lt_engine *engine, struct lt_json_writer *w,
                                 struct lt_arena *arena, struct leat_error *err) {
    struct lt_object_bucket *buckets;
    size_t n = 0;
    leat_status status = lt_object_folder_buckets(engine->objects, arena, &buckets, &n, err);

    lt_json_key(w, "buckets");
    lt_json_begin_array(w);
    for (size_t i = 0; status == LEAT_OK && i < n; i++) {
        lt_json_begin_object(w);
        lt_json_key(w, "name");
        lt_json_put_str(w, buckets[i].name);
        lt_json_key(w, "objects");
        lt_json_put_uint(w, buckets[i].n_objects);
        lt_json_key(w, "bytes");
        lt_json_put_uint(w, buckets[i].n_bytes);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
    return status;
}

leat_status lt_engine_write_status(struct lt_engine *engine, struct lt_buf *out,
                                   struct leat_error *err) {
    struct lt_json_writer w;
    struct lt_arena arena;
    leat_status status;

    lt_arena_init(&arena, MAX_MEMORY);
    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    status = write_streams(engine, &w, &arena, err);
    if (status == LEAT_OK) {
        lt_json_key(&w, "deliveries");
        lt_deliveries_write_status(engine->deliveries, &w);
        status = write_buckets(engine, &w, &arena, err);
    }
    if (status == LEAT_OK) {
        lt_json_key(&w, "disk_bytes");
        lt_json_put_uint(&w, lt_journal_disk_bytes(engine->journal));
        lt_json_end_object(&w);
        status = lt_buf_status(out, err);
    }
    lt_arena_deinit(&arena);
    return status;
}

struct status_call {
    struct lt_engine *engine;
    struct lt_buf *out;
    leat_status status;
    struct leat_error *err;
};

static void write_for_call(void *ctx) {
    struct status_call *call = ctx;
    call->status = lt_engine_write_status(call->engine, call->out, call->err);
}

leat_status lt_engine_status_json(struct lt_engine *engine, struct lt_buf *out,
                                  struct leat_error *err) {
    struct status_call call = {.engine = engine, .out = out, .err = err};

    lt_engine_call(engine, write_for_call, &call);
    return call.status;
}
