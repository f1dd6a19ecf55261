/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PRODUCER_H
#define LT_PIPELINE_PRODUCER_H

#include "base/arena.h"
#include "expr/expr.h"
#include "stream/stream.h"

/* JSON lines into a stream: in calls within the service's limits, sent as soon as the last one is
 * acknowledged, so that a slow source waits for nothing and a fast one fills its calls. */

struct lt_produce_stat {
    uint64_t n_lines;   /**< read */
    uint64_t n_records; /**< acknowledged */
    uint64_t n_bytes;   /**< of those */
    uint64_t n_skipped; /**< lines that are no record */
    uint64_t n_retries; /**< records sent again */
    uint64_t n_left;    /**< records that were read and not taken: the service failed at the end */
    int64_t elapsed_ms;
    bool interrupted; /**< by SIGINT or SIGTERM: what was read before is acknowledged, unless the
                           service takes nothing now */
};

struct lt_produce_options {
    struct lt_stream_service *service;
    uv_loop_t *loop; /**< the service's */
    const char *stream;
    int fd;                     /**< read to its end; the caller's */
    const char *name;           /**< of the input, for errors: "sessions.jsonl", "standard input" */
    struct lt_expr_filter *key; /**< partition key; NULL: `.session_id // .id`, else a random one */
    bool skip;                  /**< pass over lines that are no record, instead of stopping */
    void (*on_skip)(void *ctx, uint64_t line, const char *why); /**< may be NULL */
    void (*on_progress)(
        void *ctx, const struct lt_produce_stat *stat); /**< five times a second; may be NULL */
    void *ctx;
};

/**
 * Reads lines (empty ones are passed over) and puts each as a record, byte for byte. Records of
 * one key keep their order. `stat` is filled in any case.
 *
 * Blocks: to the end of the input and the last acknowledgement.
 * Errors: LEAT_E_PARSE or LEAT_E_LIMIT naming the line, unless `skip`; LEAT_E_IO; as the service's.
 */
LEAT_MUST_CHECK leat_status lt_produce(const struct lt_produce_options *opt,
                                       struct lt_produce_stat *stat, struct leat_error *err);

/**
 * Finds the partition key of a record in `arena`. `filter` NULL: `.session_id // .id`, else random.
 * Errors: LEAT_E_PARSE for what is not JSON; LEAT_E_INVALID for a key that a service would not
 * take; LEAT_E_LIMIT when key and data are over 1 MiB.
 */
LEAT_MUST_CHECK leat_status lt_produce_key(struct lt_expr_filter *filter, struct lt_slice record,
                                           struct lt_arena *arena, struct lt_slice *key,
                                           struct leat_error *err);

#endif
