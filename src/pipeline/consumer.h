/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_CONSUMER_H
#define LT_PIPELINE_CONSUMER_H

#include "stream/stream.h"

/* Reads the shards of a stream side by side; children follow when their parents are read to the
 * end. */

struct lt_consume_options {
    struct lt_stream_service *service;
    uv_loop_t *loop; /**< the service's */
    const char *stream;
    const char *shard; /**< only this one, or NULL */
    struct lt_stream_start start;
    bool follow;          /**< wait for more; else stop where each shard ends now */
    uint64_t max_records; /**< 0: without end */
    /** Records of one shard, in order. False: stop, nobody wants more. */
    bool (*on_records)(void *ctx, const char *shard, const struct lt_stream_record *records,
                       size_t n);
    void *ctx;
};

/**
 * Reads until the end, the maximum, SIGINT or SIGTERM (`*interrupted`), or until `on_records` says
 * stop.
 *
 * Blocks: as long as it reads.
 * Errors: LEAT_E_NOT_FOUND for a stream or shard that is not there; LEAT_E_INVALID for a sequence
 * number without a shard when there are several; as the service's. What a later attempt may mend is
 * tried again.
 */
LEAT_MUST_CHECK leat_status lt_consume(const struct lt_consume_options *opt, uint64_t *n_records,
                                       bool *interrupted, struct leat_error *err);

#endif
