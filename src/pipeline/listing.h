/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_LISTING_H
#define LT_PIPELINE_LISTING_H

#include "base/buf.h"
#include "pipeline/target.h"

/*
 * What there is where a command works: of the embedded engine everything, counted; of remote
 * services what they tell. Strings live in the listing's arena.
 */
struct lt_listing_shard {
    const char *id;
    bool open;
    uint64_t n_records, n_bytes;
    int64_t last_arrival_ms; /**< 0: nothing has arrived */
    const char *next_sequence;
};

struct lt_listing_stream {
    const char *name;
    const char *status;
    unsigned n_open_shards;
    bool counted; /**< the sums and the shards are known */
    uint64_t n_records, n_bytes;
    int64_t last_arrival_ms;
    struct lt_listing_shard *shards;
    size_t n_shards;
};

struct lt_listing_delivery {
    const char *name;
    const char *source;
    const char *bucket;
    const char *prefix;
    uint64_t n_records, n_bytes, n_objects, buffer_bytes, lag_records;
    const char *last_error; /**< or NULL */
};

/** A pipeline as its checkpoints tell it, whichever file it stands in. */
struct lt_listing_pipeline {
    const char *name;
    const char *source; /**< the stream that it reads */
    uint64_t n_done;    /**< records taken so far */
    bool counted;       /**< `lag_records` is known */
    uint64_t lag_records;
    int64_t last_time_ms; /**< arrival of the last record done, or 0 */
};

struct lt_listing_bucket {
    const char *name;
    uint64_t n_objects, n_bytes;
};

struct lt_listing {
    struct lt_arena arena;
    bool embedded; /**< the streams are the engine's; else their records are not counted */
    struct lt_listing_stream *streams;
    size_t n_streams;
    struct lt_listing_delivery *deliveries;
    size_t n_deliveries;
    struct lt_listing_bucket *buckets;
    size_t n_buckets;
    struct lt_listing_pipeline *pipelines;
    size_t n_pipelines;
    uint64_t disk_bytes;
};

/** Looks. Release `out` with lt_listing_deinit() in any case. Blocks. */
LEAT_MUST_CHECK leat_status lt_listing_load(struct lt_listing *out, struct lt_target *target,
                                            struct leat_error *err);
void lt_listing_deinit(struct lt_listing *listing);

/** The stream of that name, or NULL. */
const struct lt_listing_stream *lt_listing_stream(const struct lt_listing *listing,
                                                  const char *name);

#endif
