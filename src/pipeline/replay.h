/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_REPLAY_H
#define LT_PIPELINE_REPLAY_H

#include "pipeline/system.h"
#include "pipeline/target.h"

/* Sends a pipeline's dead letters back into its source stream, each once: what was sent is kept as
 * a checkpoint of its own ("PIPELINE~replay"), saved after the stream acknowledged. */

struct lt_replay_options {
    struct lt_target *target;
    const struct lt_system_pipeline *pipeline;
    bool all;     /**< also those that were sent back before */
    bool dry_run; /**< count, send nothing */
};

struct lt_replay_stat {
    uint64_t n_letters; /**< of this pipeline */
    uint64_t n_sent;    /**< records put back */
    uint64_t n_other;   /**< letters of other pipelines, and what is no dead letter */
    uint64_t n_broken;  /**< a part of a large record is missing */
};

/**
 * Replays the letters that arrived before the call. Records keep their partition key.
 *
 * Blocks: until all are acknowledged.
 * Errors: LEAT_E_INVALID when the pipeline has no dead_letters; as the stream service.
 */
LEAT_MUST_CHECK leat_status lt_replay(const struct lt_replay_options *opt,
                                      struct lt_replay_stat *stat, struct leat_error *err);

#endif
