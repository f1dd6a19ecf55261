/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_DELIVERY_H
#define LT_DELIVER_DELIVERY_H

#include "base/metrics.h"
#include "object/object.h"
#include "store/state.h"

#include <uv.h>

/*
 * A delivery: records of the shards of one stream, pushed in the order of each
 * shard, come out as objects. It owns the buffer, the object's name, the compression, the put
 * and the positions. What it needs of the source is one promise: after a restart, records
 * are pushed again from lt_delivery_position().
 *
 * Exactly once: before an object is put, its key and the range of each shard that it holds
 * are recorded in the state; after the put, the positions move and the record goes, in one
 * change. After a crash between the two, the same ranges are gathered again and put under the same
 * key. Within an object, records stand by shard, and within a shard in order, so the bytes are the
 * same.
 *
 * Thread: the loop's. Compression and puts happen on libuv's worker pool.
 */
struct lt_delivery;

enum lt_compression { LT_COMPRESSION_NONE, LT_COMPRESSION_GZIP, LT_COMPRESSION_ZSTD };

struct lt_delivery_options {
    const char *name; /**< the delivery stream's name */
    const char
        *source; /**< names the stream whose positions it keeps: another source starts anew */
    uv_loop_t *loop;
    struct lt_object_store *objects; /**< borrowed */
    struct lt_state *state;          /**< borrowed */
    const char *bucket;
    const char *prefix;       /**< with expressions, or "" */
    const char *error_prefix; /**< or "" */
    const char *suffix;       /**< file extension, or ""; ".gz" is not added by itself */
    uint64_t buffer_bytes;    /**< of records (and line ends) before compression; one larger
                                 record is an object of its own */
    int64_t buffer_ms;        /**< from the first buffered record; 0: at once */
    enum lt_compression compression;
    bool newline;     /**< a line end is added after each record, also after one that has one, as
                         Firehose's AppendDelimiterToRecord does */
    unsigned version; /**< of the configuration: 1, 2, … */
    /** After positions moved (records acknowledged) or an error: on the loop's thread. May be NULL.
     */
    void (*on_progress)(void *ctx, struct lt_delivery *delivery);
    void *ctx;
};

/** Validates a prefix or error prefix as Firehose does. Errors: LEAT_E_INVALID with the
 * reason. */
LEAT_MUST_CHECK leat_status lt_delivery_check_prefix(struct lt_slice prefix, bool is_error_prefix,
                                                     struct leat_error *err);

LEAT_MUST_CHECK leat_status lt_delivery_new(struct lt_delivery **out,
                                            const struct lt_delivery_options *opt,
                                            struct leat_error *err);

/** Stops; what is buffered and not put stays unread in the source. A put under way is waited for
 * (Blocks). Flushes not yet answered get LEAT_E_CANCELLED. Its handles are closed by the loop's
 * next turns. May be called from its own callbacks. NULL is fine. */
void lt_delivery_free(struct lt_delivery *delivery);

/** One record of a shard. */
struct lt_delivery_record {
    uint64_t seq;
    struct lt_slice
        position;    /**< the source's own position text (a sequence number); kept with seq */
    int64_t time_ms; /**< arrival */
    struct lt_slice data;
};

/**
 * Takes the first records of `records` (their bytes are copied); `*n_taken` says how many. Fewer
 * than `n` when the buffer is full: push the rest after the next on_progress, but go on with other
 * shards: after a crash, the object under way may need theirs first. `seq` rises within a shard;
 * what is at or below one pushed before is taken and ignored. Calls nobody back.
 * Errors: LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_delivery_push(struct lt_delivery *delivery, const char *shard,
                                             const struct lt_delivery_record *records, size_t n,
                                             size_t *n_taken, struct leat_error *err);

/**
 * Tells that the source has no record of the shard up to `seq` any more that was not pushed (they
 * expired): an object that a crash interrupted does not wait for them. Errors: LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_delivery_skip(struct lt_delivery *delivery, const char *shard,
                                             uint64_t seq, struct leat_error *err);

/** The last record of the shard that is durably in an object: seq 0 and an empty text when there is
 * none. The text lives until the next progress. */
uint64_t lt_delivery_position(struct lt_delivery *delivery, const char *shard,
                              struct lt_slice *position);

/** Puts what is buffered now, without waiting for size or interval. `done` is called when
 * all that was pushed before is durable, or with the error that stands in the way (retries go on).
 */
void lt_delivery_flush(struct lt_delivery *delivery,
                       void (*done)(void *ctx, leat_status status, const struct leat_error *err),
                       void *ctx);

struct lt_delivery_stat {
    uint64_t n_records; /**< delivered of this source, restarts included */
    uint64_t n_bytes;   /**< of records, before compression */
    uint64_t n_objects;
    uint64_t buffer_bytes;
    uint64_t n_errors;            /**< since the process started */
    struct leat_error last_error; /**< status LEAT_OK when the last put succeeded */
};
void lt_delivery_stat(const struct lt_delivery *delivery, struct lt_delivery_stat *out);

/** Forgets positions and intents of a delivery that is deleted. */
LEAT_MUST_CHECK leat_status lt_delivery_forget(struct lt_state *state, const char *name,
                                               struct leat_error *err);

#endif
