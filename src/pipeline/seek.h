/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_SEEK_H
#define LT_PIPELINE_SEEK_H

#include "pipeline/checkpoint.h"
#include "pipeline/system.h"
#include "pipeline/target.h"

/* Moves a pipeline's checkpoints while it does not run. Ordinals are kept, so that what is read
 * again is also delivered again. */

enum lt_seek_to {
    LT_SEEK_START,    /**< as a first run: where the file says */
    LT_SEEK_SEQUENCE, /**< the next record read has that sequence number */
    LT_SEEK_TIME,     /**< the next record read arrived then or later */
};

struct lt_seek {
    const char *shard; /**< one shard, or NULL for all that the source has */
    enum lt_seek_to to;
    struct lt_slice sequence;
    int64_t time_ms;
};

/**
 * Moves. `*n_moved` is the number of shards.
 *
 * Errors: LEAT_E_BUSY when the pipeline is running; LEAT_E_NOT_FOUND for a shard or stream that is
 * not there; LEAT_E_INVALID for a sequence number without a shard when the source has several.
 */
LEAT_MUST_CHECK leat_status lt_seek(struct lt_target *target,
                                    const struct lt_system_pipeline *pipeline,
                                    const struct lt_seek *seek, size_t *n_moved,
                                    struct leat_error *err);

#endif
