/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_ENGINE_H
#define LT_ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "object/object.h"
#include "store/journal.h"
#include "store/state.h"

/*
 * The embedded engine: one folder, one thread with its loop and HTTP server, the services as
 * tables of operations. In this process it can also be called directly (engine/streams.h).
 */
struct lt_engine;

/** A Web API to try things on, beside the services (engine/spotify/). */
struct lt_engine_sample {
    const char *name;   /**< "spotify", or NULL: none, and all below is without effect */
    const char *data;   /**< its catalogue, a CSV file; NULL: the one that is built in */
    uint64_t scale;     /**< how often the catalogue stands in it, from 1 */
    const char *faults; /**< "latency=20ms,errors=5%"; NULL: none */
};

struct lt_engine_options {
    const char *data_dir;
    const char *listen; /**< "127.0.0.1:4567", or NULL: only the private address in the folder */
    bool passing;       /**< for as long as a command takes: see lt_folder_pass() */
    struct lt_engine_sample sample;
};

/** Takes the folder, opens what is in it, starts the thread; it answers when this returns.
 * Errors: LEAT_E_BUSY when another process has the folder (see lt_folder_peer()); as
 * lt_journal_open(), lt_http_server_listen(), lt_spotify_open(). */
LEAT_MUST_CHECK leat_status lt_engine_open(struct lt_engine **out,
                                           const struct lt_engine_options *opt,
                                           struct leat_error *err);

/** Graceful: no new requests, those under way are answered, what deliveries have buffered stays
 * safely in the journal (or is put, with `flush`), all is synced. Blocks. NULL is fine. */
void lt_engine_close(struct lt_engine *engine, bool flush);

/** The port of `listen`, 0 without. */
unsigned lt_engine_port(const struct lt_engine *engine);
struct lt_state *lt_engine_state(struct lt_engine *engine);
struct lt_journal *lt_engine_journal(struct lt_engine *engine);
struct lt_object_store *lt_engine_objects(struct lt_engine *engine);

/** Asks the deliveries (all, or the one named) to put what their streams hold now, and waits up to
 * `timeout_ms`. Errors: LEAT_E_TIMEOUT, or the error that stands in the way. Blocks. Thread: any
 * but the engine's. */
LEAT_MUST_CHECK leat_status lt_engine_flush(struct lt_engine *engine, const char *delivery,
                                            int64_t timeout_ms, struct leat_error *err);

/**
 * What `leat ls` shows, as JSON:
 * {"streams":[{"name","status","shards":[{"id","open","records","bytes","last_arrival_ms",
 * "first_sequence","next_sequence"}],…}],"deliveries":[{"name","source","bucket","prefix","records","bytes","objects","buffer_bytes",
 * "lag_records","last_error"}],"buckets":[{"name","objects","bytes"}],"disk_bytes"}. The same is at
 * GET /_leat/status. POST /_leat/flush?delivery=NAME&timeout_ms=N is lt_engine_flush(). Thread:
 * any.
 */
LEAT_MUST_CHECK leat_status lt_engine_status_json(struct lt_engine *engine, struct lt_buf *out,
                                                  struct leat_error *err);

#endif
