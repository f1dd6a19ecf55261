/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_INTENT_H
#define LT_DELIVER_INTENT_H

#include "deliver/delivery.h"
#include "deliver/gather.h"

/*
 * What an object will be: its key and the records that it holds, fixed before it is put. It is
 * made from gathered records, kept in the state until the positions moved, and read again after a
 * crash.
 */

/** Records of one shard: all that the source has from `first` to `last`. */
struct lt_intent_range {
    const char *shard;
    uint64_t first, last;
    struct lt_slice position; /**< the source's text for `last` */
};

struct lt_intent {
    struct lt_arena arena; /**< owns all it points to */
    const char *key;
    struct lt_intent_range *ranges; /**< in order of shard */
    size_t n_ranges;
    uint64_t n_records;
    uint64_t n_bytes; /**< of records */
    enum lt_compression compression;
    bool newline;
};

/** What a key is made of beside the records. */
struct lt_intent_naming {
    const char *delivery;
    const char *identity; /**< of the delivery, so that one made anew never writes an old key */
    const char *prefix;
    const char *suffix;
    unsigned version;
    enum lt_compression compression;
    bool newline;
};

/**
 * Fixes what the object of `gather` (not empty) will be. The key is
 * `<prefix><delivery>-<version>-YYYY-MM-DD-HH-mm-ss-<uuid><suffix>`: the time is the arrival of the
 * oldest record, the UUID-shaped part a hash of delivery, identity and ranges.
 *
 * Owns:   on LEAT_OK release it with lt_intent_free().
 * Errors: LEAT_E_NOMEM; LEAT_E_INVALID as lt_delivery_check_prefix().
 */
LEAT_MUST_CHECK leat_status lt_intent_new(struct lt_intent **out,
                                          const struct lt_intent_naming *naming,
                                          const struct lt_gather *gather, struct leat_error *err);
void lt_intent_free(struct lt_intent *intent); /**< NULL is fine */

/** Appends the intent as a JSON document. */
void lt_intent_write(const struct lt_intent *intent, struct lt_buf *out);

/** Reads such a document. Errors: LEAT_E_CORRUPT, LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_intent_read(struct lt_intent **out, struct lt_slice document,
                                           struct leat_error *err);

#endif
