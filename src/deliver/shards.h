/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_SHARDS_H
#define LT_DELIVER_SHARDS_H

#include "base/buf.h"

/** Where a delivery stands in one shard. */
struct lt_delivery_shard {
    char *name;             /**< lives as long as the set */
    uint64_t delivered;     /**< last record durably in an object, or 0 */
    struct lt_buf position; /**< the source's text for `delivered` */
    uint64_t pushed;        /**< last record taken, at least `delivered` */
    uint64_t resume_to;     /**< last record of the resumed intent, or 0 */
    bool resume_whole;      /**< all of it up to there came, or the source has no more of it */
};

/** Shards in order of name. All zero is empty. */
struct lt_delivery_shards {
    struct lt_delivery_shard **items;
    size_t n, cap;
};

void lt_delivery_shards_deinit(struct lt_delivery_shards *shards);

/** The shard of that name, or NULL. */
struct lt_delivery_shard *lt_delivery_shards_find(const struct lt_delivery_shards *shards,
                                                  const char *name);

/** The shard of that name, made when it is new; NULL: no memory. It does not move. */
struct lt_delivery_shard *lt_delivery_shards_get(struct lt_delivery_shards *shards,
                                                 const char *name);

/** Notes that all up to `seq` is in objects. */
void lt_delivery_shard_settle(struct lt_delivery_shard *shard, uint64_t seq,
                              struct lt_slice position);

#endif
