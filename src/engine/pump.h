/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_PUMP_H
#define LT_ENGINE_PUMP_H

#include "engine/deliveries.h"

/*
 * Reads the shards of one stream from the journal, on a worker thread, into one delivery: a parent
 * before its children, from the delivery's positions, never more than the delivery has room for.
 * Records that expired before they were read are counted and logged.
 *
 * Thread: the loop's.
 */
struct lt_pump;

/** Where reading of a shard starts when nothing of it was delivered yet: behind `seq`. */
struct lt_pump_start {
    uint64_t shard_uid;
    uint64_t seq;
};

struct lt_pump_options {
    const struct lt_deliveries_options *env;
    const struct lt_delivery_config *config; /**< borrowed */
    const struct lt_pump_start *starts;      /**< borrowed; shards not in it are read whole */
    size_t n_starts;
    /** After records were read or delivered, or something failed. */
    void (*on_change)(void *ctx, struct lt_pump *pump);
    void *ctx;
};

/** Errors: as lt_delivery_new(). */
LEAT_MUST_CHECK leat_status lt_pump_new(struct lt_pump **out, const struct lt_pump_options *opt,
                                        struct leat_error *err);

/** Stops. What runs on a worker is waited for (Blocks); the memory goes with the loop's next turns.
 * NULL is fine. */
void lt_pump_free(struct lt_pump *pump);

/** Looks whether there is something to read. */
void lt_pump_wake(struct lt_pump *pump);

struct lt_delivery *lt_pump_delivery(struct lt_pump *pump);

struct lt_pump_stat {
    struct lt_delivery_stat delivery;
    uint64_t lag_records;    /**< durable in the stream and not in an object */
    uint64_t lost_records;   /**< expired or removed unread, since the process started */
    bool source_missing;     /**< there is no such stream */
    struct leat_error error; /**< of reading or of delivering; LEAT_OK when all is well */
};
void lt_pump_stat(struct lt_pump *pump, struct lt_pump_stat *out);

/** Where the shards stand now. */
struct lt_pump_mark {
    uint64_t shard_uid;
    uint64_t seq;
};
/** The marks, with malloc; `*n` may be 0. NULL: no memory. */
struct lt_pump_mark *lt_pump_marks(struct lt_pump *pump, size_t *n);
/** All up to the marks is handed to the delivery (`read`), or in objects. */
bool lt_pump_passed(struct lt_pump *pump, const struct lt_pump_mark *marks, size_t n, bool read);

#endif
