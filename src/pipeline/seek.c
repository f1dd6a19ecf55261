/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/seek.h"

#include "pipeline/stream_wait.h"

#include <unistd.h>

enum { SEEK_ARENA_MAX_BYTES = 64 << 20 };

static leat_status list_shards(struct lt_target *target, const char *stream, struct lt_arena *arena,
                               struct lt_stream_shard **shards, size_t *n, struct leat_error *err) {
    uv_loop_t loop;
    struct lt_stream_service *service = NULL;
    int rc = uv_loop_init(&loop);

    if (rc)
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot make a loop");
    leat_status status = lt_target_streams(target, &loop, &service, err);
    if (status == LEAT_OK)
        status = lt_wait_shards(service, &loop, stream, arena, shards, n, err);
    if (service)
        service->ops->close(service);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return status;
}

static uint64_t ordinal_of(const struct lt_checkpoint *list, size_t n, const char *shard) {
    for (size_t i = 0; i < n; i++) {
        if (lt_slice_eq_str(list[i].shard, shard))
            return list[i].ordinal;
    }
    return 0;
}

static leat_status move(struct lt_state *state, const struct lt_system_pipeline *pipeline,
                        const struct lt_seek *seek, const struct lt_stream_shard *shards, size_t n,
                        struct lt_arena *arena, size_t *n_moved, struct leat_error *err) {
    struct lt_checkpoint *old;
    size_t n_old;
    leat_status status = lt_checkpoint_load(state, pipeline->name, pipeline->source_stream, arena,
                                            &old, &n_old, err);
    struct lt_checkpoint *moved = lt_arena_calloc(arena, n + 1, sizeof(*moved));

    if (status == LEAT_OK && !moved)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu shards", n);
    *n_moved = 0;
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (seek->shard && strcmp(seek->shard, shards[i].id) != 0)
            continue;
        moved[(*n_moved)++] = (struct lt_checkpoint){
            .shard = lt_slice_str(shards[i].id),
            .ordinal = ordinal_of(old, n_old, shards[i].id),
            .sequence = seek->to == LT_SEEK_SEQUENCE ? seek->sequence : lt_slice(NULL, 0),
            .at = seek->to == LT_SEEK_SEQUENCE,
            .seek_time_ms = seek->to == LT_SEEK_TIME ? seek->time_ms : 0,
        };
    }
    if (status != LEAT_OK)
        return status;
    if (!*n_moved)
        return lt_fail(err, LEAT_E_NOT_FOUND, 0, "stream %s has no shard %s",
                       pipeline->source_stream, seek->shard ? seek->shard : "");
    if (seek->to == LT_SEEK_SEQUENCE && *n_moved > 1)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "a sequence number is of one shard, and %s has %zu: name it with --shard",
                       pipeline->source_stream, *n_moved);
    return lt_checkpoint_save(state, pipeline->name, pipeline->source_stream, moved, *n_moved, err);
}

leat_status lt_seek(struct lt_target *target, const struct lt_system_pipeline *pipeline,
                    const struct lt_seek *seek, size_t *n_moved, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_stream_shard *shards;
    struct lt_state *state;
    size_t n = 0;
    int claim;
    leat_status status = lt_target_claim_pipeline(target, pipeline->name, &claim, err);

    *n_moved = 0;
    if (status != LEAT_OK)
        return status;
    lt_arena_init(&arena, SEEK_ARENA_MAX_BYTES);
    status = list_shards(target, pipeline->source_stream, &arena, &shards, &n, err);
    if (status == LEAT_OK)
        status = lt_target_state(target, &state, err);
    if (status == LEAT_OK)
        status = move(state, pipeline, seek, shards, n, &arena, n_moved, err);
    lt_arena_deinit(&arena);
    close(claim);
    return status;
}
