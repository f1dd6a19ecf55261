/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_STREAM_WAIT_H
#define LT_PIPELINE_STREAM_WAIT_H

#include "stream/stream.h"

/* Calls of a stream service, waited for: each runs the service's loop until it is answered. For
 * commands that do one thing after another. Thread: the loop's. Errors: as the service's. */

/** The shards of a stream, copied into `arena`. */
LEAT_MUST_CHECK leat_status lt_wait_shards(struct lt_stream_service *service, uv_loop_t *loop,
                                           const char *stream, struct lt_arena *arena,
                                           struct lt_stream_shard **shards, size_t *n,
                                           struct leat_error *err);

/** One batch; the caller frees it. */
LEAT_MUST_CHECK leat_status lt_wait_read(struct lt_stream_service *service, uv_loop_t *loop,
                                         struct lt_stream_reader *reader, size_t max_records,
                                         struct lt_stream_batch **batch, struct leat_error *err);

/** Puts one record, with backoff while the service asks for it; `result` has its shard and sequence
 * number. */
LEAT_MUST_CHECK leat_status lt_wait_put_one(struct lt_stream_service *service, uv_loop_t *loop,
                                            const char *stream, const struct lt_stream_put *record,
                                            struct lt_stream_put_result *result,
                                            struct leat_error *err);

/** Puts all records (at most 500), those that fail alone again with backoff, until all are taken.
 */
LEAT_MUST_CHECK leat_status lt_wait_put(struct lt_stream_service *service, uv_loop_t *loop,
                                        const char *stream, const struct lt_stream_put *records,
                                        size_t n, struct leat_error *err);

#endif
