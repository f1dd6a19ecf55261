/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of the embedded engine the status text is read, from this process or over its private socket
 * (GET /_leat/status); a remote service is asked stream by stream.
 */
#include "pipeline/listing.h"

#include "engine/streams.h"
#include "http/client.h"
#include "json/json.h"

enum { MAX_STATUS_BYTES = 64 << 20, MAX_CHECKPOINTS = 100000 };

static leat_status fetch_status(struct lt_target *target, struct lt_buf *out,
                                struct leat_error *err) {
    const struct lt_aws_endpoint *endpoint;
    struct lt_http_answer answer = {0};
    leat_status status = lt_target_engine_endpoint(target, &endpoint, err);

    if (status != LEAT_OK)
        return status;
    if (lt_target_engine(target))
        return lt_engine_status_json(lt_target_engine(target), out, err);
    const struct lt_http_call call = {.method = "GET",
                                      .url = "http://localhost/_leat/status",
                                      .unix_socket = endpoint->unix_socket};
    status = lt_http_fetch(&call, &answer, err);
    if (status == LEAT_OK && answer.status != 200)
        status = lt_fail(err, LEAT_E_REMOTE, 0, "the engine answers %u to a look at its status",
                         answer.status);
    if (status == LEAT_OK) {
        lt_buf_append(out, lt_buf_slice(&answer.body));
        status = lt_buf_status(out, err);
    }
    lt_http_answer_deinit(&answer);
    return status;
}

static const char *string_at(struct lt_json object, const char *name, struct lt_arena *arena) {
    struct lt_json value;
    struct lt_slice text = {0};

    if (lt_json_get(object, name, &value) && value.type == LT_JSON_STRING)
        text = lt_json_string(value, arena);
    return text.data ? lt_arena_str(arena, text) : NULL;
}

static int64_t int_at(struct lt_json object, const char *name) {
    struct lt_json value;
    int64_t n = 0;

    return lt_json_get(object, name, &value) && lt_json_int64(value, &n) ? n : 0;
}

static uint64_t count_at(struct lt_json object, const char *name) {
    int64_t n = int_at(object, name);
    return n > 0 ? (uint64_t)n : 0;
}

static bool bool_at(struct lt_json object, const char *name) {
    struct lt_json value;
    return lt_json_get(object, name, &value) && value.type == LT_JSON_TRUE;
}

/* Room for the elements of an array member; their number in `*n`. */
static void *room_for(struct lt_json object, const char *name, size_t size, struct lt_arena *arena,
                      struct lt_json_iter *iter, size_t *n) {
    struct lt_json list;

    *n = 0;
    *iter = (struct lt_json_iter){0};
    if (!lt_json_get(object, name, &list) || list.type != LT_JSON_ARRAY)
        return lt_arena_calloc(arena, 1, size);
    *iter = lt_json_iter(list);
    *n = lt_json_count(list);
    return lt_arena_calloc(arena, *n + 1, size);
}

static bool read_stream(struct lt_listing *out, struct lt_json object,
                        struct lt_listing_stream *stream) {
    struct lt_json_iter iter;
    struct lt_json shard;
    size_t i = 0;

    stream->name = string_at(object, "name", &out->arena);
    stream->status = string_at(object, "status", &out->arena);
    stream->counted = true;
    stream->shards =
        room_for(object, "shards", sizeof(*stream->shards), &out->arena, &iter, &stream->n_shards);
    if (!stream->shards || !stream->name)
        return false;
    for (; i < stream->n_shards && lt_json_next(&iter, &shard); i++) {
        struct lt_listing_shard *to = &stream->shards[i];
        *to = (struct lt_listing_shard){
            .id = string_at(shard, "id", &out->arena),
            .open = bool_at(shard, "open"),
            .n_records = count_at(shard, "records"),
            .n_bytes = count_at(shard, "bytes"),
            .last_arrival_ms = int_at(shard, "last_arrival_ms"),
            .next_sequence = string_at(shard, "next_sequence", &out->arena),
        };
        stream->n_open_shards += to->open;
        stream->n_records += to->n_records;
        stream->n_bytes += to->n_bytes;
        if (to->last_arrival_ms > stream->last_arrival_ms)
            stream->last_arrival_ms = to->last_arrival_ms;
    }
    return true;
}

static bool read_delivery(struct lt_listing *out, struct lt_json object,
                          struct lt_listing_delivery *delivery) {
    *delivery = (struct lt_listing_delivery){
        .name = string_at(object, "name", &out->arena),
        .source = string_at(object, "source", &out->arena),
        .bucket = string_at(object, "bucket", &out->arena),
        .prefix = string_at(object, "prefix", &out->arena),
        .n_records = count_at(object, "records"),
        .n_bytes = count_at(object, "bytes"),
        .n_objects = count_at(object, "objects"),
        .buffer_bytes = count_at(object, "buffer_bytes"),
        .lag_records = count_at(object, "lag_records"),
        .last_error = string_at(object, "last_error", &out->arena),
    };
    if (delivery->last_error && !*delivery->last_error)
        delivery->last_error = NULL;
    return delivery->name != NULL;
}

static leat_status read_status(struct lt_listing *out, struct lt_slice text,
                               struct leat_error *err) {
    struct lt_json_iter iter;
    struct lt_json root, item;
    bool ok = true;
    leat_status status = lt_json_parse(&root, text, LT_JSON_DEFAULT_DEPTH, err);

    if (status != LEAT_OK)
        return lt_error_prefix(err, "reading the engine's status");
    out->streams =
        room_for(root, "streams", sizeof(*out->streams), &out->arena, &iter, &out->n_streams);
    for (size_t i = 0; ok && out->streams && i < out->n_streams && lt_json_next(&iter, &item); i++)
        ok = read_stream(out, item, &out->streams[i]);
    out->deliveries = room_for(root, "deliveries", sizeof(*out->deliveries), &out->arena, &iter,
                               &out->n_deliveries);
    for (size_t i = 0; ok && out->deliveries && i < out->n_deliveries && lt_json_next(&iter, &item);
         i++)
        ok = read_delivery(out, item, &out->deliveries[i]);
    out->buckets =
        room_for(root, "buckets", sizeof(*out->buckets), &out->arena, &iter, &out->n_buckets);
    for (size_t i = 0; ok && out->buckets && i < out->n_buckets && lt_json_next(&iter, &item);
         i++) {
        out->buckets[i] =
            (struct lt_listing_bucket){string_at(item, "name", &out->arena),
                                       count_at(item, "objects"), count_at(item, "bytes")};
        ok = out->buckets[i].name != NULL;
    }
    out->disk_bytes = count_at(root, "disk_bytes");
    if (!ok || !out->streams || !out->deliveries || !out->buckets) {
        out->n_streams = out->n_deliveries = out->n_buckets = 0;
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the engine's status");
    }
    return LEAT_OK;
}

static leat_status load_engine(struct lt_listing *out, struct lt_target *target,
                               struct leat_error *err) {
    struct lt_buf text;

    lt_buf_init(&text, MAX_STATUS_BYTES);
    leat_status status = fetch_status(target, &text, err);
    if (status == LEAT_OK)
        status = read_status(out, lt_buf_slice(&text), err);
    lt_buf_deinit(&text);
    return status;
}

/* ---- pipelines, from their checkpoints ---- */

static const struct lt_listing_shard *find_shard(const struct lt_listing_stream *stream,
                                                 struct lt_slice id) {
    for (size_t i = 0; stream && i < stream->n_shards; i++)
        if (stream->shards[i].id && lt_slice_eq_str(id, stream->shards[i].id))
            return &stream->shards[i];
    return NULL;
}

/* The engine numbers the records of a shard without gaps. What retention took away is no lag. */
static uint64_t lag_of(const struct lt_listing_shard *shard, struct lt_slice sequence) {
    uint64_t uid, next, done = 0;

    if (!shard->next_sequence ||
        !lt_sequence_parse(lt_slice_str(shard->next_sequence), &uid, &next))
        return 0;
    if (sequence.len && !lt_sequence_parse(sequence, &uid, &done))
        return 0;
    uint64_t lag = next > done ? next - done - 1 : 0;
    return lag < shard->n_records ? lag : shard->n_records;
}

/* Splits "PIPELINE/STREAM/SHARD". */
static bool split_name(struct lt_slice name, struct lt_slice parts[3]) {
    const char *first = name.len ? memchr(name.data, '/', name.len) : NULL;
    if (!first)
        return false;
    parts[0] = lt_slice(name.data, (size_t)(first - name.data));
    struct lt_slice rest = lt_slice_from(name, parts[0].len + 1);
    const char *second = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
    if (!second)
        return false;
    parts[1] = lt_slice(rest.data, (size_t)(second - rest.data));
    parts[2] = lt_slice_from(rest, parts[1].len + 1);
    return true;
}

/* Every record that is kept lags until a checkpoint of its shard says otherwise. */
static struct lt_listing_pipeline *find_pipeline(struct lt_listing *out, struct lt_slice name,
                                                 struct lt_slice source) {
    for (size_t i = 0; i < out->n_pipelines; i++)
        if (lt_slice_eq_str(name, out->pipelines[i].name) &&
            lt_slice_eq_str(source, out->pipelines[i].source))
            return &out->pipelines[i];
    struct lt_listing_pipeline *added = &out->pipelines[out->n_pipelines++];
    added->name = lt_arena_str(&out->arena, name);
    added->source = lt_arena_str(&out->arena, source);
    const struct lt_listing_stream *stream =
        added->name && added->source ? lt_listing_stream(out, added->source) : NULL;
    added->counted = stream && stream->counted;
    added->lag_records = added->counted ? stream->n_records : 0;
    return added->name && added->source ? added : NULL;
}

static void add_checkpoint(struct lt_listing *out, const struct lt_state_row *row) {
    struct lt_slice parts[3], sequence = {0};
    struct lt_json body, value;

    if (!split_name(row->name, parts) ||
        lt_json_parse(&body, row->body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
        return;
    struct lt_listing_pipeline *pipeline = find_pipeline(out, parts[0], parts[1]);
    if (!pipeline)
        return;
    if (lt_json_get(body, "sequence", &value))
        sequence = lt_json_string(value, &out->arena);
    pipeline->n_done += count_at(body, "ordinal");
    int64_t time_ms = int_at(body, "time_ms");
    if (time_ms > pipeline->last_time_ms)
        pipeline->last_time_ms = time_ms;
    const struct lt_listing_shard *shard =
        find_shard(lt_listing_stream(out, pipeline->source), parts[2]);
    if (shard && pipeline->counted) {
        uint64_t read = shard->n_records - (bool_at(body, "ended") ? 0 : lag_of(shard, sequence));
        pipeline->lag_records -= read < pipeline->lag_records ? read : pipeline->lag_records;
    }
}

static leat_status load_pipelines(struct lt_listing *out, struct lt_target *target,
                                  struct leat_error *err) {
    struct lt_state_row *rows = NULL;
    struct lt_state *state;
    size_t n = 0;
    leat_status status = lt_target_state(target, &state, err);

    if (status == LEAT_OK)
        status = lt_state_list(state, "checkpoint", lt_slice("", 0), false, MAX_CHECKPOINTS,
                               &out->arena, &rows, &n, err);
    if (status != LEAT_OK)
        return status == LEAT_E_NOT_FOUND ? LEAT_OK : status;
    out->pipelines = lt_arena_calloc(&out->arena, n + 1, sizeof(*out->pipelines));
    if (!out->pipelines)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu checkpoints", n);
    for (size_t i = 0; i < n; i++)
        add_checkpoint(out, &rows[i]);
    return LEAT_OK;
}

static leat_status describe_streams(struct lt_listing *out, struct lt_stream_service *service,
                                    struct leat_error *err) {
    const char *const *names;
    size_t n;

    out->n_streams = out->n_deliveries = 0; /* the engine's own, which are not meant */
    leat_status status = service->ops->list(service, &out->arena, &names, &n, err);

    if (status != LEAT_OK)
        return status;
    out->streams = lt_arena_calloc(&out->arena, n + 1, sizeof(*out->streams));
    if (!out->streams)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu streams", n);
    for (size_t i = 0; i < n; i++) {
        struct lt_listing_stream *to = &out->streams[out->n_streams];
        struct lt_stream_summary summary;
        status = service->ops->describe(service, names[i], &summary, err);
        if (status == LEAT_E_NOT_FOUND)
            continue; /* removed between the two calls */
        if (status != LEAT_OK)
            return status;
        to->name = names[i];
        to->status = lt_arena_str(&out->arena, lt_slice_str(summary.status));
        to->n_open_shards = summary.n_open_shards;
        out->n_streams++;
    }
    return LEAT_OK;
}

static leat_status load_remote(struct lt_listing *out, struct lt_target *target,
                               struct leat_error *err) {
    struct lt_stream_service *service = NULL;
    uv_loop_t loop;

    if (uv_loop_init(&loop) != 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an event loop");
    leat_status status = lt_target_streams(target, &loop, &service, err);
    if (status == LEAT_OK)
        status = describe_streams(out, service, err);
    if (service)
        service->ops->close(service);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return status;
}

leat_status lt_listing_load(struct lt_listing *out, struct lt_target *target,
                            struct leat_error *err) {
    *out = (struct lt_listing){0};
    leat_status status = LEAT_OK;

    lt_arena_init(&out->arena, 256 << 20);
    out->embedded = lt_target_streams_embedded(target);
    if (out->embedded || lt_target_objects_embedded(target))
        status = load_engine(out, target, err);
    if (status == LEAT_OK && !lt_target_objects_embedded(target))
        out->n_buckets = 0; /* those of the folder are not the ones that are used */
    if (status == LEAT_OK && !out->embedded)
        status = load_remote(out, target, err);
    return status == LEAT_OK ? load_pipelines(out, target, err) : status;
}

void lt_listing_deinit(struct lt_listing *listing) {
    if (listing)
        lt_arena_deinit(&listing->arena);
}

const struct lt_listing_stream *lt_listing_stream(const struct lt_listing *listing,
                                                  const char *name) {
    for (size_t i = 0; i < listing->n_streams; i++)
        if (!strcmp(listing->streams[i].name, name))
            return &listing->streams[i];
    return NULL;
}
