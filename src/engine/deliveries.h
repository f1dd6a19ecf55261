/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_DELIVERIES_H
#define LT_ENGINE_DELIVERIES_H

#include "deliver/delivery.h"
#include "engine/streams.h"
#include "json/json.h"

#include <uv.h>

/*
 * The engine's delivery streams: what they are (documents of the kind "delivery"), and a pump for
 * each that reads its source's shards from the journal into an lt_delivery. A Direct PUT delivery
 * has a hidden stream of its own as its source, so a put is acknowledged when it is on disk.
 *
 * Thread: the loop's, for all calls. Callbacks come from the loop, never from inside the call.
 */
struct lt_deliveries;

struct lt_deliveries_options {
    uv_loop_t *loop;
    struct lt_state *state;
    struct lt_journal *journal;
    struct lt_streams *streams;
    struct lt_object_store *objects;
};

/** Opens the registry and starts every delivery in it. Blocks: on the disk. Errors: as
 * lt_state_list(), lt_delivery_new(). A delivery whose document cannot be used is logged and shown
 * with its error; it stops no other. */
LEAT_MUST_CHECK leat_status lt_deliveries_open(struct lt_deliveries **out,
                                               const struct lt_deliveries_options *opt,
                                               struct leat_error *err);

/**
 * Stops: nothing is read any more, puts under way are waited for, what is buffered stays in the
 * journal; calls of this room still open end with LEAT_E_CANCELLED. Its memory and handles are
 * gone after the loop's next turns; journal, state and objects may be closed at once.
 * Blocks. NULL is fine.
 */
void lt_deliveries_close(struct lt_deliveries *deliveries);

/** What a delivery stream is. */
struct lt_delivery_config {
    const char *name;
    bool direct_put;
    const char *stream; /**< the source; for Direct PUT the hidden stream, set by create */
    const char *bucket;
    const char *prefix;
    const char *error_prefix;
    const char *suffix; /**< as it stands in keys */
    uint64_t buffer_bytes;
    int64_t buffer_ms;
    enum lt_compression compression;
    bool newline;
    unsigned version;
    int64_t created_ms;       /**< set by create */
    struct lt_slice describe; /**< JSON that the service shows; kept as it is */
};

typedef void lt_deliveries_done(void *ctx, leat_status status, const struct leat_error *err);

/**
 * Creates a delivery stream; durable and running when `done` is called. One with a stream as its
 * source starts behind the last record that the stream has now.
 *
 * Errors (here or by `done`): LEAT_E_EXISTS; LEAT_E_NOT_FOUND: no such source stream;
 * LEAT_E_INVALID for a prefix; LEAT_E_LIMIT.
 */
LEAT_MUST_CHECK leat_status lt_deliveries_create(struct lt_deliveries *deliveries,
                                                 const struct lt_delivery_config *config,
                                                 lt_deliveries_done *done, void *ctx,
                                                 struct leat_error *err);

/** Stops a delivery stream and forgets it, with its hidden stream; objects stay. A put under way is
 * waited for (Blocks). Errors: LEAT_E_NOT_FOUND, LEAT_E_BUSY: it is just being created or removed.
 */
LEAT_MUST_CHECK leat_status lt_deliveries_remove(struct lt_deliveries *deliveries, const char *name,
                                                 lt_deliveries_done *done, void *ctx,
                                                 struct leat_error *err);

/** NULL when there is none. Lives until the next turn of the loop. */
const struct lt_delivery_config *lt_deliveries_find(struct lt_deliveries *deliveries,
                                                    const char *name);

/** The first delivery stream whose name is behind `after` ("": of all), or NULL. */
const struct lt_delivery_config *lt_deliveries_next(struct lt_deliveries *deliveries,
                                                    const char *after);
size_t lt_deliveries_count(const struct lt_deliveries *deliveries);

/**
 * Puts records of a Direct PUT delivery into its stream; `done` is called when they are on disk.
 * `ids` (room for `n`) get the records' sequence numbers during the call. The bytes are copied.
 *
 * Errors: LEAT_E_NOT_FOUND; LEAT_E_INVALID when its source is another; as lt_journal_append().
 */
LEAT_MUST_CHECK leat_status lt_deliveries_put(struct lt_deliveries *deliveries, const char *name,
                                              const struct lt_slice *records, size_t n,
                                              char (*ids)[LT_SEQUENCE_DIGITS + 1],
                                              lt_deliveries_done *done, void *ctx,
                                              struct leat_error *err);

/**
 * Puts what the streams of one delivery (NULL: of all) hold now into objects; `done` is called when
 * all of it is there, or with the error that stands in the way (one that may pass is waited out),
 * or after `timeout_ms` with LEAT_E_TIMEOUT. Errors: LEAT_E_NOT_FOUND.
 */
LEAT_MUST_CHECK leat_status lt_deliveries_flush(struct lt_deliveries *deliveries, const char *name,
                                                int64_t timeout_ms, lt_deliveries_done *done,
                                                void *ctx, struct leat_error *err);

/** Writes an array with an object each: name, source, bucket, prefix, records, bytes, objects,
 * buffer_bytes, lag_records, lost_records, errors, last_error (or null). */
void lt_deliveries_write_status(struct lt_deliveries *deliveries, struct lt_json_writer *w);

#endif
