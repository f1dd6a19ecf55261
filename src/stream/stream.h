/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STREAM_STREAM_H
#define LT_STREAM_STREAM_H

#include "base/arena.h"
#include "base/error.h"

#include <uv.h>

/*
 * The one interface to a stream service. Bodies: the embedded engine in this process (engine.c),
 * and anything that speaks Kinesis' protocol (kinesis.c), which is also how an engine held by
 * another process is reached. Names and semantics are those of Amazon Kinesis.
 *
 * Thread: a service belongs to one loop and its thread. Callbacks come from that loop, exactly once
 * for each call that returned LEAT_OK, and never from inside the call itself.
 */
struct lt_stream_service;

/** Where reading starts. */
enum lt_stream_from {
    LT_FROM_TRIM_HORIZON,
    LT_FROM_LATEST,
    LT_FROM_AT_SEQUENCE,
    LT_FROM_AFTER_SEQUENCE,
    LT_FROM_TIME
};
struct lt_stream_start {
    enum lt_stream_from from;
    struct lt_slice sequence; /**< AT_SEQUENCE, AFTER_SEQUENCE */
    int64_t time_ms;          /**< TIME */
};

struct lt_stream_shard {
    const char *id;
    const char *parent;          /**< or NULL */
    const char *adjacent_parent; /**< or NULL */
    bool closed;
};

struct lt_stream_record {
    struct lt_slice sequence; /**< decimal text */
    struct lt_slice key;      /**< partition key */
    struct lt_slice data;
    int64_t time_ms; /**< arrival */
};

/** A batch read from a shard; all memory is its arena's. */
struct lt_stream_batch {
    struct lt_arena arena;
    struct lt_stream_record *records;
    size_t n;
    int64_t behind_ms; /**< MillisBehindLatest; 0 at the tip */
    bool end;          /**< the shard is closed and read to its end: its children may start */
};
void lt_stream_batch_free(struct lt_stream_batch *batch); /**< NULL is fine */

struct lt_stream_put {
    struct lt_slice key;  /**< 1 to 256 characters */
    struct lt_slice hash; /**< explicit hash key, or empty */
    struct lt_slice data;
};
struct lt_stream_put_result {
    leat_status status;
    char code[64]; /**< the service's error code, or "" */
    char shard[128];
    char sequence[132];
};

struct lt_stream_summary {
    char name[129];
    char arn[256];
    char status[16]; /**< "ACTIVE" */
    unsigned n_open_shards;
    unsigned retention_hours;
    int64_t created_ms;
};

/** A position within one shard. Made by open_shard, freed by close_shard. One read at a time. */
struct lt_stream_reader;

typedef void lt_stream_simple_done(void *ctx, leat_status status, const struct leat_error *err);
/** The shards live during the callback. */
typedef void lt_stream_shards_done(void *ctx, leat_status status,
                                   const struct lt_stream_shard *shards, size_t n,
                                   const struct leat_error *err);
/** The batch becomes the callee's. */
typedef void lt_stream_read_done(void *ctx, leat_status status, struct lt_stream_batch *batch,
                                 const struct leat_error *err);
/** One result a record, in order; alive during the callback. With `status` not OK no record was
 * taken for sure. */
typedef void lt_stream_put_done(void *ctx, leat_status status,
                                const struct lt_stream_put_result *results, size_t n,
                                const struct leat_error *err);

struct lt_stream_ops {
    const char *kind; /**< "engine", "kinesis" */
    leat_status (*list_shards)(struct lt_stream_service *s, const char *stream,
                               lt_stream_shards_done *done, void *ctx, struct leat_error *err);
    leat_status (*open_shard)(struct lt_stream_service *s, const char *stream, const char *shard,
                              const struct lt_stream_start *start, struct lt_stream_reader **out,
                              struct leat_error *err);
    /** Up to max_records and about max_bytes. An empty batch comes at once; the caller waits
     * with `idle_ms` (advice: how long until it is worth to ask again; an engine's reader may delay
     * its answer until a record comes or idle_ms passed). Throttles and expired iterators are
     * handled inside. */
    leat_status (*read)(struct lt_stream_reader *r, size_t max_records, size_t max_bytes,
                        int64_t idle_ms, lt_stream_read_done *done, void *ctx,
                        struct leat_error *err);
    void (*close_shard)(
        struct lt_stream_reader *r); /**< a read under way ends with LEAT_E_CANCELLED */
    /** At most 500 records and 5 MiB a call (lt_stream_put_fits). The bytes are borrowed until
     * `done`. No retry inside. */
    leat_status (*put)(struct lt_stream_service *s, const char *stream,
                       const struct lt_stream_put *records, size_t n, lt_stream_put_done *done,
                       void *ctx, struct leat_error *err);
    /** As put, for who needs no shard and number of a record: all are taken in their order, or
     * none; `done` gets no results. At most LT_STREAM_BULK_MAX_RECORDS and _BYTES a call. NULL
     * where a service has no such thing. */
    leat_status (*put_bulk)(struct lt_stream_service *s, const char *stream,
                            const struct lt_stream_put *records, size_t n, lt_stream_put_done *done,
                            void *ctx, struct leat_error *err);
    /* For people and infrastructure; these block. */
    leat_status (*create)(struct lt_stream_service *s, const char *stream, unsigned n_shards,
                          struct leat_error *err); /**< returns when ACTIVE; LEAT_E_EXISTS */
    /** 24 to 8,760 hours. */
    leat_status (*set_retention)(struct lt_stream_service *s, const char *stream, unsigned hours,
                                 struct leat_error *err);
    leat_status (*remove)(struct lt_stream_service *s, const char *stream, struct leat_error *err);
    leat_status (*describe)(struct lt_stream_service *s, const char *stream,
                            struct lt_stream_summary *out,
                            struct leat_error *err); /**< LEAT_E_NOT_FOUND */
    leat_status (*list)(struct lt_stream_service *s, struct lt_arena *arena,
                        const char *const **names, size_t *n, struct leat_error *err);
    void (*close)(struct lt_stream_service *s);
};

/** First member of every body. */
struct lt_stream_service {
    const struct lt_stream_ops *ops;
    bool atomic_put; /**< a put takes all its records, in their order, or none (the engine's do) */
};

enum {
    LT_STREAM_PUT_MAX_RECORDS = 500,
    LT_STREAM_PUT_MAX_BYTES = 5 << 20,
    LT_STREAM_BULK_MAX_RECORDS = 4096,
    LT_STREAM_BULK_MAX_BYTES = 5 << 20,
    LT_STREAM_RECORD_MAX_BYTES = 1 << 20
};

struct lt_engine;
struct lt_aws_endpoint;

/** A service on an engine of this process; `engine` is borrowed. */
LEAT_MUST_CHECK leat_status lt_stream_engine_new(struct lt_stream_service **out, uv_loop_t *loop,
                                                 struct lt_engine *engine, struct leat_error *err);
/** A service over Kinesis' protocol; `endpoint` is copied. */
LEAT_MUST_CHECK leat_status lt_stream_kinesis_new(struct lt_stream_service **out, uv_loop_t *loop,
                                                  const struct lt_aws_endpoint *endpoint,
                                                  struct leat_error *err);

#endif
