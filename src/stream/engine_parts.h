/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STREAM_ENGINE_PARTS_H
#define LT_STREAM_ENGINE_PARTS_H

#include "engine/completions.h"
#include "engine/streams.h"
#include "stream/stream.h"

#include <pthread.h>

/* The body over an engine of this process, shared by engine.c (service and puts) and engine_read.c
 * (readers). */

/** What the journal's thread may still touch when the service is closed. */
struct lt_engine_mail {
    pthread_mutex_t mu;
    unsigned refs;                /**< guarded by mu: the service, and each put under way */
    struct lt_completions *queue; /**< guarded by mu: NULL once the service is closed */
};

/** A call whose callback is due: in the list of the service until it was called. */
struct lt_engine_op {
    struct lt_completion completion; /* first */
    struct lt_engine_op *prev, *next;
    struct lt_engine_service *service;
    /** Calls back; with LEAT_E_CANCELLED in `status` when the service is closed. Does not free. */
    void (*deliver)(struct lt_engine_op *op);
    /** Frees it; NULL: free(). */
    void (*release)(struct lt_engine_op *op);
    leat_status status;
    struct leat_error err;
};

struct lt_engine_service {
    struct lt_stream_service base;
    uv_loop_t *loop;
    struct lt_engine *engine;
    struct lt_streams *streams;
    struct lt_journal *journal;
    struct lt_engine_mail *mail;
    struct lt_engine_op *ops;         /**< calls not yet called back */
    struct lt_stream_reader *readers; /**< all that are open */
    uv_async_t wake;                  /**< a group became durable */
    bool closed;
};

static inline struct lt_engine_service *lt_engine_service_of(struct lt_stream_service *base) {
    return (struct lt_engine_service *)base;
}

/** A new op of `size` bytes in the service's list; NULL without memory. */
struct lt_engine_op *lt_engine_op_new(struct lt_engine_service *service, size_t size,
                                      void (*deliver)(struct lt_engine_op *op));
/** Calls back from a later turn of the loop. */
void lt_engine_op_post(struct lt_engine_op *op);
/** Takes it out of the list and frees it, uncalled. */
void lt_engine_op_drop(struct lt_engine_op *op);

/* engine_read.c */
leat_status lt_engine_open_shard(struct lt_stream_service *base, const char *stream,
                                 const char *shard, const struct lt_stream_start *start,
                                 struct lt_stream_reader **out, struct leat_error *err);
leat_status lt_engine_read(struct lt_stream_reader *reader, size_t max_records, size_t max_bytes,
                           int64_t idle_ms, lt_stream_read_done *done, void *ctx,
                           struct leat_error *err);
void lt_engine_close_shard(struct lt_stream_reader *reader);
/** Looks at the readers that wait for a record. */
void lt_engine_wake_readers(struct lt_engine_service *service);

#endif
