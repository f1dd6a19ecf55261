/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/stream_wait.h"

#include "base/retry.h"

#include <unistd.h>

/* One call under way. */
struct wait {
    bool done;
    leat_status status;
    struct leat_error *err;
    struct lt_arena *arena;
    struct lt_stream_shard *shards;
    size_t n;
    struct lt_stream_batch *batch;
    const struct lt_stream_put *given;
    struct lt_stream_put *again;
    size_t n_again;
    struct lt_stream_put_result result; /* the first one's */
};

static void finish(struct wait *wait, leat_status status, const struct leat_error *err) {
    wait->done = true;
    wait->status = status;
    if (status != LEAT_OK && err && wait->err)
        *wait->err = *err;
}

static leat_status run_until_done(uv_loop_t *loop, struct wait *wait) {
    while (!wait->done)
        uv_run(loop, UV_RUN_ONCE);
    return wait->status;
}

static const char *copy(struct lt_arena *arena, const char *text) {
    return text ? lt_arena_str(arena, lt_slice_str(text)) : NULL;
}

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    struct wait *wait = ctx;

    if (status == LEAT_OK && n) {
        wait->shards = lt_arena_calloc(wait->arena, n, sizeof(*shards));
        if (!wait->shards)
            status = lt_fail(wait->err, LEAT_E_NOMEM, 0, "no memory for %zu shards", n);
    }
    for (size_t i = 0; wait->shards && i < n; i++)
        wait->shards[i] = (struct lt_stream_shard){
            .id = copy(wait->arena, shards[i].id),
            .parent = copy(wait->arena, shards[i].parent),
            .adjacent_parent = copy(wait->arena, shards[i].adjacent_parent),
            .closed = shards[i].closed,
        };
    wait->n = n;
    finish(wait, status, err);
}

leat_status lt_wait_shards(struct lt_stream_service *service, uv_loop_t *loop, const char *stream,
                           struct lt_arena *arena, struct lt_stream_shard **shards, size_t *n,
                           struct leat_error *err) {
    struct wait wait = {.err = err, .arena = arena};
    leat_status status = service->ops->list_shards(service, stream, on_shards, &wait, err);

    *shards = NULL;
    *n = 0;
    if (status == LEAT_OK)
        status = run_until_done(loop, &wait);
    if (status == LEAT_OK) {
        *shards = wait.shards;
        *n = wait.n;
    }
    return status;
}

static void on_read(void *ctx, leat_status status, struct lt_stream_batch *batch,
                    const struct leat_error *err) {
    struct wait *wait = ctx;
    wait->batch = batch;
    finish(wait, status, err);
}

leat_status lt_wait_read(struct lt_stream_service *service, uv_loop_t *loop,
                         struct lt_stream_reader *reader, size_t max_records,
                         struct lt_stream_batch **batch, struct leat_error *err) {
    struct wait wait = {.err = err};
    leat_status status = service->ops->read(reader, max_records, 4 << 20, 0, on_read, &wait, err);

    *batch = NULL;
    if (status == LEAT_OK)
        status = run_until_done(loop, &wait);
    if (status == LEAT_OK)
        *batch = wait.batch;
    return status;
}

static void on_put(void *ctx, leat_status status, const struct lt_stream_put_result *results,
                   size_t n, const struct leat_error *err) {
    struct wait *wait = ctx;

    wait->n_again = 0;
    if (status == LEAT_OK && n)
        wait->result = results[0];
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (results[i].status == LEAT_OK)
            continue;
        if (!leat_status_is_retryable(results[i].status) && results[i].status != LEAT_E_REMOTE)
            status = lt_fail_code(wait->err, results[i].status, results[i].code,
                                  "the stream refused a record: %s", results[i].code);
        wait->again[wait->n_again++] = wait->given[i];
    }
    finish(wait, status, err);
}

static leat_status put_until_taken(struct lt_stream_service *service, uv_loop_t *loop,
                                   const char *stream, const struct lt_stream_put *records,
                                   size_t n, struct lt_stream_put_result *first,
                                   struct leat_error *err) {
    struct lt_stream_put given[LT_STREAM_PUT_MAX_RECORDS], again[LT_STREAM_PUT_MAX_RECORDS];
    struct lt_retry retry = {.policy = &lt_retry_default};
    struct leat_error failed;
    int64_t wait_ms = 0;

    memcpy(given, records, n * sizeof(*given));
    while (n) {
        struct wait wait = {.err = &failed, .given = given, .again = again};
        leat_status status = service->ops->put(service, stream, given, n, on_put, &wait, &failed);
        if (status == LEAT_OK)
            status = run_until_done(loop, &wait);
        if (status == LEAT_OK) {
            n = wait.n_again;
            *first = wait.result;
            if (!n)
                return LEAT_OK;
            for (size_t i = 0; i < n; i++)
                /* cppcheck-suppress uninitvar; on_put() set the first n_again */
                given[i] = again[i];
            lt_fail(&failed, LEAT_E_THROTTLED, 0, "%zu records were not taken by %s", n, stream);
        }
        if (!lt_retry_next(&retry, &failed, &wait_ms)) {
            *err = failed;
            return failed.status;
        }
        usleep((unsigned)wait_ms * 1000);
    }
    return LEAT_OK;
}

leat_status lt_wait_put(struct lt_stream_service *service, uv_loop_t *loop, const char *stream,
                        const struct lt_stream_put *records, size_t n, struct leat_error *err) {
    struct lt_stream_put_result first;
    if (n > LT_STREAM_PUT_MAX_RECORDS)
        return lt_fail(err, LEAT_E_LIMIT, 0, "a put takes %d records, not %zu",
                       LT_STREAM_PUT_MAX_RECORDS, n);
    return put_until_taken(service, loop, stream, records, n, &first, err);
}

leat_status lt_wait_put_one(struct lt_stream_service *service, uv_loop_t *loop, const char *stream,
                            const struct lt_stream_put *record, struct lt_stream_put_result *result,
                            struct leat_error *err) {
    return put_until_taken(service, loop, stream, record, 1, result, err);
}
