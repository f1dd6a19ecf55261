/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/replay.h"

#include "base/clock.h"
#include "pipeline/checkpoint.h"
#include "pipeline/dead_letter.h"
#include "pipeline/stream_wait.h"

#include <stdio.h>

enum { READ_RECORDS = 200, ARENA_MAX_BYTES = 512 << 20, RECORD_MAX_BYTES = 64 << 20 };

struct replay {
    const struct lt_replay_options *opt;
    struct lt_replay_stat *stat;
    uv_loop_t loop;
    struct lt_stream_service *service;
    struct lt_state *state;
    char name[160]; /* of its checkpoints */
    int64_t until_ms;
    struct lt_arena arena; /* of a batch */
    struct lt_stream_put puts[READ_RECORDS];
    size_t n_puts;
    /* a large record on its way together */
    struct lt_buf whole;
    char whole_sequence[132];
    unsigned next_part;
};

/* Adds a part; true when the record is whole (then in replay->whole). */
static bool join_part(struct replay *replay, const struct lt_dead_letter *letter) {
    bool goes_on = replay->next_part && letter->part == replay->next_part &&
                   lt_slice_eq_str(letter->sequence, replay->whole_sequence);

    if (!goes_on) {
        replay->stat->n_broken += replay->next_part != 0;
        replay->next_part = 0;
        if (letter->part != 1 || letter->sequence.len >= sizeof(replay->whole_sequence)) {
            replay->stat->n_broken++;
            return false;
        }
        lt_buf_clear(&replay->whole);
        memcpy(replay->whole_sequence, letter->sequence.data, letter->sequence.len);
        replay->whole_sequence[letter->sequence.len] = '\0';
    }
    lt_buf_append(&replay->whole, letter->data);
    replay->next_part = letter->part < letter->parts ? letter->part + 1 : 0;
    return replay->next_part == 0;
}

static leat_status take_letter(struct replay *replay, const struct lt_stream_record *record,
                               struct leat_error *err) {
    struct lt_dead_letter letter;
    struct lt_slice data;

    if (lt_dead_letter_read(&letter, record->data, &replay->arena, NULL) != LEAT_OK ||
        !lt_slice_eq_str(letter.pipeline, replay->opt->pipeline->name)) {
        replay->stat->n_other++;
        return LEAT_OK;
    }
    replay->stat->n_letters += letter.part <= 1;
    data = letter.data;
    if (letter.parts > 1) {
        if (!join_part(replay, &letter))
            return lt_buf_status(&replay->whole, err);
        data = lt_arena_dup(&replay->arena, lt_buf_slice(&replay->whole));
    }
    if (!data.data && data.len)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a record");
    replay->puts[replay->n_puts++] =
        (struct lt_stream_put){.key = letter.key.len ? letter.key : record->key, .data = data};
    return LEAT_OK;
}

/* Calls hold at most 5 MiB. */
static leat_status send_back(struct replay *replay, struct leat_error *err) {
    size_t from = 0;
    leat_status status = LEAT_OK;

    while (from < replay->n_puts && status == LEAT_OK && !replay->opt->dry_run) {
        size_t n = 0, n_bytes = 0;
        for (; from + n < replay->n_puts; n++) {
            const struct lt_stream_put *put = &replay->puts[from + n];
            if (n && n_bytes + put->data.len + put->key.len > LT_STREAM_PUT_MAX_BYTES)
                break;
            n_bytes += put->data.len + put->key.len;
        }
        status = lt_wait_put(replay->service, &replay->loop, replay->opt->pipeline->source_stream,
                             replay->puts + from, n, err);
        from += n;
        if (status == LEAT_OK)
            replay->stat->n_sent += n;
    }
    replay->n_puts = 0;
    return status;
}

static leat_status save(struct replay *replay, const char *shard,
                        const struct lt_stream_record *last, struct leat_error *err) {
    const struct lt_checkpoint done = {
        .shard = lt_slice_str(shard), .sequence = last->sequence, .time_ms = last->time_ms};

    /* between the parts of a record there is nothing to come back to */
    if (replay->opt->dry_run || replay->next_part)
        return LEAT_OK;
    return lt_checkpoint_save(replay->state, replay->name, replay->opt->pipeline->dead_stream,
                              &done, 1, err);
}

/* One batch; `*end` when there is nothing more that arrived before the call. */
static leat_status replay_batch(struct replay *replay, const char *shard,
                                struct lt_stream_batch *batch, bool *end, struct leat_error *err) {
    leat_status status = LEAT_OK;
    size_t n = 0;

    for (; n < batch->n && status == LEAT_OK; n++) {
        if (batch->records[n].time_ms > replay->until_ms) {
            *end = true;
            break;
        }
        status = take_letter(replay, &batch->records[n], err);
        if (status == LEAT_OK && replay->n_puts == READ_RECORDS)
            status = send_back(replay, err); /* a service may answer more than it was asked for */
    }
    if (status == LEAT_OK)
        status = send_back(replay, err);
    if (status == LEAT_OK && n)
        status = save(replay, shard, &batch->records[n - 1], err);
    if (batch->end || (!batch->n && !batch->behind_ms))
        *end = true;
    return status;
}

static leat_status replay_shard(struct replay *replay, const char *shard,
                                const struct lt_stream_start *start, struct leat_error *err) {
    struct lt_stream_reader *reader;
    bool end = false;
    leat_status status = replay->service->ops->open_shard(
        replay->service, replay->opt->pipeline->dead_stream, shard, start, &reader, err);

    if (status != LEAT_OK)
        return status;
    while (!end && status == LEAT_OK) {
        struct lt_stream_batch *batch;
        lt_arena_reset(&replay->arena);
        status = lt_wait_read(replay->service, &replay->loop, reader, READ_RECORDS, &batch, err);
        if (status == LEAT_OK)
            status = replay_batch(replay, shard, batch, &end, err);
        lt_stream_batch_free(batch);
    }
    replay->service->ops->close_shard(reader);
    replay->stat->n_broken += replay->next_part != 0;
    replay->next_part = 0;
    return status;
}

static struct lt_stream_start start_of(const struct replay *replay,
                                       const struct lt_checkpoint *checkpoints, size_t n,
                                       const char *shard) {
    struct lt_stream_start start = {.from = LT_FROM_TRIM_HORIZON};
    for (size_t i = 0; i < n && !replay->opt->all; i++) {
        if (lt_slice_eq_str(checkpoints[i].shard, shard) && checkpoints[i].sequence.len) {
            start.from = LT_FROM_AFTER_SEQUENCE;
            start.sequence = checkpoints[i].sequence;
        }
    }
    return start;
}

static leat_status replay_shards(struct replay *replay, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_stream_shard *shards;
    struct lt_checkpoint *checkpoints;
    size_t n_shards, n_checkpoints = 0;
    const char *stream = replay->opt->pipeline->dead_stream;

    lt_arena_init(&arena, ARENA_MAX_BYTES);
    leat_status status =
        lt_wait_shards(replay->service, &replay->loop, stream, &arena, &shards, &n_shards, err);
    if (status == LEAT_OK)
        status = lt_checkpoint_load(replay->state, replay->name, stream, &arena, &checkpoints,
                                    &n_checkpoints, err);
    for (size_t i = 0; i < n_shards && status == LEAT_OK; i++) {
        struct lt_stream_start start = start_of(replay, checkpoints, n_checkpoints, shards[i].id);
        status = replay_shard(replay, shards[i].id, &start, err);
    }
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_replay(const struct lt_replay_options *opt, struct lt_replay_stat *stat,
                      struct leat_error *err) {
    struct replay replay = {.opt = opt, .stat = stat, .until_ms = lt_clock_wall_ms()};

    *stat = (struct lt_replay_stat){0};
    if (!opt->pipeline->dead_stream)
        return lt_fail(err, LEAT_E_INVALID, 0, "pipeline %s has no dead_letters",
                       opt->pipeline->name);
    int rc = uv_loop_init(&replay.loop);
    if (rc)
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot make a loop");
    lt_arena_init(&replay.arena, ARENA_MAX_BYTES);
    lt_buf_init(&replay.whole, RECORD_MAX_BYTES);
    snprintf(replay.name, sizeof(replay.name), "%s~replay", opt->pipeline->name);
    leat_status status = lt_target_streams(opt->target, &replay.loop, &replay.service, err);
    if (status == LEAT_OK)
        status = lt_target_state(opt->target, &replay.state, err);
    if (status == LEAT_OK)
        status = replay_shards(&replay, err);
    if (replay.service)
        replay.service->ops->close(replay.service);
    uv_run(&replay.loop, UV_RUN_DEFAULT);
    uv_loop_close(&replay.loop);
    lt_buf_deinit(&replay.whole);
    lt_arena_deinit(&replay.arena);
    return status;
}
