/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_GATHER_H
#define LT_DELIVER_GATHER_H

#include "deliver/delivery.h"

/*
 * Records on their way into one object, by shard. Each shard's bytes stand as they will in the
 * object, in chunks, so that taking the shards in order of name is all that is left to do.
 */

struct lt_gather_chunk;

struct lt_gather_part {
    const char *shard; /**< borrowed */
    uint64_t first, last;
    struct lt_buf position; /**< the source's text for `last` */
    struct lt_gather_chunk *chunks, *tail;
    size_t n_chunks;
};

struct lt_gather {
    struct lt_gather_part *parts; /**< in order of shard */
    size_t n_parts, cap;
    uint64_t n_records;
    uint64_t n_bytes;  /**< of records, without line ends */
    uint64_t n_held;   /**< of `data`, line ends included */
    int64_t oldest_ms; /**< arrival of the oldest record */
    int64_t since_us;  /**< lt_clock_mono_us() when the first one came */
};

/** Frees what it holds; it is then empty and usable. All zero is empty, too. */
void lt_gather_deinit(struct lt_gather *gather);

/** Adds a record behind those of its shard. Errors: LEAT_E_NOMEM, and nothing is changed. */
LEAT_MUST_CHECK leat_status lt_gather_add(struct lt_gather *gather, const char *shard,
                                          const struct lt_delivery_record *record, bool newline,
                                          struct leat_error *err);

/**
 * The object's bytes, in pieces: `*pieces` is an array of `*n`, to be freed; the bytes are the
 * gather's. Errors: LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_gather_pieces(const struct lt_gather *gather,
                                             struct lt_slice **pieces, size_t *n,
                                             struct leat_error *err);

/** Frees the records' bytes; the ranges and positions stay. */
void lt_gather_free_bytes(struct lt_gather *gather);

#endif
