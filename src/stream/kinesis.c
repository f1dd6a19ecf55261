/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream service over Kinesis' JSON protocol: AWS, what speaks its protocol, or an
 * engine in another process. Puts are sent once and told record by record. A
 * service that does not know ListShards (older ones) is asked by DescribeStream.
 * Closing the service ends all calls with LEAT_E_CANCELLED before it returns.
 */
#include "stream/kinesis.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ENDPOINT_MAX = 1 << 20,
    BODY_MAX = 32 << 20, /* 5 MiB in base64, and keys that JSON may write six times as long */
    SMALL_BODY_MAX = 256 << 10,
    SHARDS_MAX_BYTES = 64 << 20,
    SHARDS_MAX = 100000,
};

void lt_kinesis_copy(struct lt_json value, char *out, size_t cap) {
    struct lt_arena arena;
    lt_arena_init(&arena, 64 << 10);
    snprintf(out, cap, "%.*s", LT_FMT(lt_json_string(value, &arena)));
    lt_arena_deinit(&arena);
}

bool lt_kinesis_is_unknown(leat_status status, const struct leat_error *err) {
    return status == LEAT_E_UNSUPPORTED ||
           (status != LEAT_OK && strcmp(err->code, "UnknownOperationException") == 0);
}

/* Puts */

struct put_call {
    lt_stream_put_done *done;
    void *ctx;
    size_t n;
};

static void read_put_result(struct lt_json entry, struct lt_stream_put_result *result) {
    struct lt_json_iter iter = lt_json_iter(entry);
    struct lt_json key, value;
    while (lt_json_next_member(&iter, &key, &value)) {
        if (value.type != LT_JSON_STRING)
            continue;
        if (lt_json_string_is(key, LT_LIT("SequenceNumber")))
            lt_kinesis_copy(value, result->sequence, sizeof(result->sequence));
        else if (lt_json_string_is(key, LT_LIT("ShardId")))
            lt_kinesis_copy(value, result->shard, sizeof(result->shard));
        else if (lt_json_string_is(key, LT_LIT("ErrorCode")))
            lt_kinesis_copy(value, result->code, sizeof(result->code));
    }
    if (result->code[0])
        result->status = lt_aws_code_status(result->code);
    else
        result->status = result->sequence[0] ? LEAT_OK : LEAT_E_REMOTE;
}

static void on_put(void *ctx, leat_status status, struct lt_json answer,
                   const struct leat_error *err) {
    struct put_call *put = ctx;
    struct lt_stream_put_result *results = NULL;
    struct lt_json records, entry;
    struct leat_error local;

    if (status == LEAT_OK &&
        (!lt_json_get(answer, "Records", &records) || lt_json_count(records) != put->n)) {
        status = lt_fail(&local, LEAT_E_REMOTE, 0,
                         "PutRecords: the answer does not hold a result for each of %zu records",
                         put->n);
        err = &local;
    }
    if (status == LEAT_OK && !(results = calloc(put->n, sizeof(*results)))) {
        status = lt_fail(&local, LEAT_E_NOMEM, 0, "no memory for the results of a put");
        err = &local;
    }
    if (results) {
        struct lt_json_iter iter = lt_json_iter(records);
        for (size_t i = 0; i < put->n && lt_json_next(&iter, &entry); i++)
            read_put_result(entry, &results[i]);
    }
    put->done(put->ctx, status, results, status == LEAT_OK ? put->n : 0, err);
    free(results);
    free(put);
}

static void write_put(struct lt_buf *body, const char *stream, const struct lt_stream_put *records,
                      size_t n) {
    struct lt_json_writer w;
    lt_json_writer_init(&w, body);
    lt_json_begin_object(&w);
    lt_json_key(&w, "StreamName");
    lt_json_put_str(&w, stream);
    lt_json_key(&w, "Records");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < n; i++) {
        lt_json_begin_object(&w);
        lt_json_key(&w, "Data");
        lt_json_put_base64(&w, records[i].data);
        lt_json_key(&w, "PartitionKey");
        lt_json_put_string(&w, records[i].key);
        if (records[i].hash.len) {
            lt_json_key(&w, "ExplicitHashKey");
            lt_json_put_string(&w, records[i].hash);
        }
        lt_json_end_object(&w);
    }
    lt_json_end_array(&w);
    lt_json_end_object(&w);
}

static leat_status put(struct lt_stream_service *base, const char *stream,
                       const struct lt_stream_put *records, size_t n, lt_stream_put_done *done,
                       void *ctx, struct leat_error *err) {
    const struct lt_kinesis_how how = {.operation = "PutRecords"};
    struct lt_buf body;

    if (n == 0 || n > LT_STREAM_PUT_MAX_RECORDS)
        return lt_fail(err, LEAT_E_INVALID, 0, "a put of %zu records; 1 to %d are allowed", n,
                       LT_STREAM_PUT_MAX_RECORDS);
    struct put_call *call = calloc(1, sizeof(*call));
    if (!call)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a put");
    *call = (struct put_call){done, ctx, n};
    lt_buf_init(&body, BODY_MAX);
    write_put(&body, stream, records, n);
    leat_status status =
        lt_kinesis_start(lt_kinesis_of(base), &how, &body, on_put, call, NULL, err);
    if (status != LEAT_OK)
        free(call);
    return status;
}

/* Shards */

struct list_call {
    struct lt_kinesis *service;
    char *stream;
    lt_stream_shards_done *done;
    void *ctx;
    struct lt_arena arena;
    struct lt_stream_shard *shards;
    size_t n, cap;
    bool by_describe; /* the service knows no ListShards */
};

static leat_status ask_for_shards(struct list_call *call, struct lt_slice token,
                                  struct leat_error *err);

static void finish_list(struct list_call *call, leat_status status, const struct leat_error *err) {
    call->done(call->ctx, status, call->shards, status == LEAT_OK ? call->n : 0, err);
    lt_arena_deinit(&call->arena);
    free(call->stream);
    free(call);
}

static const char *text_of(struct lt_json object, const char *name, struct lt_arena *arena) {
    struct lt_json value;
    if (!lt_json_get(object, name, &value) || value.type != LT_JSON_STRING)
        return NULL;
    return lt_arena_str(arena, lt_json_string(value, arena));
}

static leat_status add_shard(struct list_call *call, struct lt_json entry, struct leat_error *err) {
    struct lt_json range, ending;
    if (call->n == call->cap) {
        size_t cap = call->cap ? call->cap * 2 : 64;
        struct lt_stream_shard *shards = lt_arena_calloc(&call->arena, cap, sizeof(*shards));
        if (!shards || cap > SHARDS_MAX)
            return lt_fail(err, LEAT_E_LIMIT, 0, "stream %s has too many shards", call->stream);
        if (call->n)
            memcpy(shards, call->shards, call->n * sizeof(*shards));
        call->shards = shards;
        call->cap = cap;
    }
    struct lt_stream_shard *shard = &call->shards[call->n];
    shard->id = text_of(entry, "ShardId", &call->arena);
    shard->parent = text_of(entry, "ParentShardId", &call->arena);
    shard->adjacent_parent = text_of(entry, "AdjacentParentShardId", &call->arena);
    shard->closed = lt_json_get(entry, "SequenceNumberRange", &range) &&
                    lt_json_get(range, "EndingSequenceNumber", &ending) &&
                    ending.type == LT_JSON_STRING;
    if (!shard->id)
        return lt_fail(err, LEAT_E_REMOTE, 0, "a shard of stream %s has no ShardId", call->stream);
    call->n++;
    return LEAT_OK;
}

/* Adds a page; `*token` is what the next one is asked for with, or `data` NULL at the end. */
static leat_status read_shards(struct list_call *call, struct lt_json answer,
                               struct lt_slice *token, struct leat_error *err) {
    struct lt_json page = answer, shards, entry, more;
    *token = (struct lt_slice){NULL, 0};
    if ((call->by_describe && !lt_json_get(answer, "StreamDescription", &page)) ||
        !lt_json_get(page, "Shards", &shards))
        return lt_fail(err, LEAT_E_REMOTE, 0, "the answer does not list the shards of stream %s",
                       call->stream);
    size_t n_before = call->n;
    struct lt_json_iter iter = lt_json_iter(shards);
    while (lt_json_next(&iter, &entry)) {
        leat_status status = add_shard(call, entry, err);
        if (status != LEAT_OK)
            return status;
    }
    if (!call->by_describe) {
        if (lt_json_get(page, "NextToken", &more) && more.type == LT_JSON_STRING)
            *token = lt_json_string(more, &call->arena);
        return LEAT_OK;
    }
    if (!lt_json_get(page, "HasMoreShards", &more) || more.type != LT_JSON_TRUE)
        return LEAT_OK;
    if (call->n == n_before)
        return lt_fail(err, LEAT_E_REMOTE, 0, "the shards of stream %s go on after an empty page",
                       call->stream);
    *token = lt_slice_str(call->shards[call->n - 1].id);
    return LEAT_OK;
}

static void on_shards(void *ctx, leat_status status, struct lt_json answer,
                      const struct leat_error *err) {
    struct list_call *call = ctx;
    struct lt_slice token = {NULL, 0};
    struct leat_error local;

    if (!call->by_describe && lt_kinesis_is_unknown(status, err)) {
        call->by_describe = true;
        status = ask_for_shards(call, token, &local);
        if (status != LEAT_OK)
            finish_list(call, status, &local);
        return;
    }
    if (status == LEAT_OK) {
        status = read_shards(call, answer, &token, &local);
        if (status == LEAT_OK && token.data)
            status = ask_for_shards(call, token, &local);
        err = &local;
    }
    if (status != LEAT_OK || !token.data)
        finish_list(call, status, status == LEAT_OK ? NULL : err);
}

static leat_status ask_for_shards(struct list_call *call, struct lt_slice token,
                                  struct leat_error *err) {
    const struct lt_kinesis_how how = {.operation =
                                           call->by_describe ? "DescribeStream" : "ListShards",
                                       .policy = &lt_retry_default};
    struct lt_buf body;
    struct lt_json_writer w;

    lt_buf_init(&body, SMALL_BODY_MAX);
    lt_json_writer_init(&w, &body);
    lt_json_begin_object(&w);
    if (!token.data || call->by_describe) { /* ListShards takes a name or a token, not both */
        lt_json_key(&w, "StreamName");
        lt_json_put_str(&w, call->stream);
    }
    if (token.data) {
        lt_json_key(&w, call->by_describe ? "ExclusiveStartShardId" : "NextToken");
        lt_json_put_string(&w, token);
    }
    lt_json_end_object(&w);
    return lt_kinesis_start(call->service, &how, &body, on_shards, call, NULL, err);
}

static leat_status list_shards(struct lt_stream_service *base, const char *stream,
                               lt_stream_shards_done *done, void *ctx, struct leat_error *err) {
    struct list_call *call = calloc(1, sizeof(*call));
    char *name = strdup(stream);

    if (!call || !name) {
        free(call);
        free(name);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to list shards");
    }
    *call = (struct list_call){
        .service = lt_kinesis_of(base), .stream = name, .done = done, .ctx = ctx};
    lt_arena_init(&call->arena, SHARDS_MAX_BYTES);
    leat_status status = ask_for_shards(call, (struct lt_slice){NULL, 0}, err);
    if (status != LEAT_OK) {
        free(name);
        free(call);
    }
    return status;
}

static void close_service(struct lt_stream_service *base) {
    if (!base)
        return;
    struct lt_kinesis *service = lt_kinesis_of(base);
    lt_kinesis_close_calls(service);
    lt_http_client_free(service->client);
    service->client = NULL;
    lt_kinesis_unref(service);
}

static const struct lt_stream_ops ops = {
    .kind = "kinesis",
    .list_shards = list_shards,
    .open_shard = lt_kinesis_open_shard,
    .read = lt_kinesis_read,
    .close_shard = lt_kinesis_close_shard,
    .put = put,
    .create = lt_kinesis_create,
    .set_retention = lt_kinesis_set_retention,
    .remove = lt_kinesis_remove,
    .describe = lt_kinesis_describe,
    .list = lt_kinesis_list,
    .close = close_service,
};

leat_status lt_stream_kinesis_new(struct lt_stream_service **out, uv_loop_t *loop,
                                  const struct lt_aws_endpoint *endpoint, struct leat_error *err) {
    const struct lt_http_client_options opt = {.loop = loop};

    *out = NULL;
    leat_status status = lt_aws_endpoint_check(endpoint, err);
    if (status != LEAT_OK)
        return status;
    struct lt_kinesis *service = calloc(1, sizeof(*service));
    if (!service)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a stream service");
    service->base.ops = &ops;
    service->base.atomic_put = endpoint->unix_socket != NULL; /* there it is an engine */
    service->loop = loop;
    service->n_refs = 1;
    lt_arena_init(&service->arena, ENDPOINT_MAX);
    status = lt_aws_endpoint_copy(&service->endpoint, endpoint, &service->arena, err);
    if (status == LEAT_OK)
        status = lt_http_client_new(&service->client, &opt, err);
    if (status != LEAT_OK) {
        close_service(&service->base);
        return status;
    }
    *out = &service->base;
    return LEAT_OK;
}
