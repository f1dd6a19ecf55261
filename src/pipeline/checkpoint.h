/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_CHECKPOINT_H
#define LT_PIPELINE_CHECKPOINT_H

#include "base/arena.h"
#include "base/error.h"
#include "store/state.h"

/*
 * Where a pipeline stands in each shard of its source: state kind "checkpoint", name
 * "PIPELINE/STREAM/SHARD", a JSON document. The position is that of the last record which every
 * sink has acknowledged.
 */
struct lt_checkpoint {
    struct lt_slice shard;
    struct lt_slice sequence; /**< of the last record done; empty: none, start as the file says */
    uint64_t ordinal;         /**< records of the shard ever taken up to it; never goes back */
    int64_t time_ms;          /**< arrival of that record, or 0 */
    bool ended;               /**< the shard is closed and read to its end */
    bool at;                  /**< set by a seek: go on with that very record, not after it */
    int64_t seek_time_ms; /**< set by a seek, without a sequence: go on from this arrival, or 0 */
};

/** All checkpoints of a pipeline over a stream, in `arena`. None is no error. */
LEAT_MUST_CHECK leat_status lt_checkpoint_load(struct lt_state *state, const char *pipeline,
                                               const char *stream, struct lt_arena *arena,
                                               struct lt_checkpoint **list, size_t *n,
                                               struct leat_error *err);

/** Stores the checkpoints in one change. Durable when it returns. */
LEAT_MUST_CHECK leat_status lt_checkpoint_save(struct lt_state *state, const char *pipeline,
                                               const char *stream, const struct lt_checkpoint *list,
                                               size_t n, struct leat_error *err);

/** Forgets all positions of a pipeline. */
LEAT_MUST_CHECK leat_status lt_checkpoint_forget(struct lt_state *state, const char *pipeline,
                                                 struct leat_error *err);

#endif
