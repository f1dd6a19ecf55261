/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_RUNNER_H
#define LT_PIPELINE_RUNNER_H

#include "pipeline/latency.h"
#include "pipeline/system.h"
#include "pipeline/target.h"

/* Runs the pipelines of a file: shard by shard, in order, until it is stopped or drained. */

struct lt_run_route_stat {
    const char *to;
    uint64_t n_records; /**< acknowledged */
    uint64_t n_bytes;
    uint64_t n_retries; /**< records sent again because the sink did not take them */
};

struct lt_run_pipeline_stat {
    const char *name;
    uint64_t n_read;
    uint64_t n_bytes;
    uint64_t n_dead;
    uint64_t n_shards; /**< that were read */
    struct lt_run_route_stat *routes;
    size_t n_routes;
    struct lt_latency latency; /**< from arrival in the source to the sink's acknowledgement */
};

struct lt_run_stat {
    struct lt_run_pipeline_stat *pipelines;
    size_t n_pipelines;
    int64_t elapsed_ms;
    bool interrupted; /**< by SIGINT or SIGTERM */
};

struct lt_run_options {
    struct lt_target *target;
    const struct lt_system *system;
    const char *only;   /**< one pipeline's name, or NULL for all */
    bool drain;         /**< stop when the sources are read to their end and all is delivered */
    unsigned n_threads; /**< 0: as many as there are processors, at most 8 */
    void (*on_progress)(void *ctx,
                        const struct lt_run_stat *stat); /**< five times a second; may be NULL */
    void *ctx;
};

/**
 * Runs. SIGINT and SIGTERM stop it cleanly (what was read is acknowledged and the checkpoints
 * kept); a second one at once. `stat` is filled in any case; release it with lt_run_stat_deinit().
 *
 * Thread: one call in a process at a time. Blocks: until the end.
 * Errors: as the services'; LEAT_E_NOT_FOUND for a stream that is not there (naming `leat up`).
 */
LEAT_MUST_CHECK leat_status lt_run(const struct lt_run_options *opt, struct lt_run_stat *stat,
                                   struct leat_error *err);
void lt_run_stat_deinit(struct lt_run_stat *stat);

/** Puts what the embedded deliveries hold, wherever the engine is. Blocks. */
LEAT_MUST_CHECK leat_status lt_run_flush_deliveries(struct lt_target *target,
                                                    struct leat_error *err);

#endif
