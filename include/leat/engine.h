/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAT_ENGINE_H
#define LEAT_ENGINE_H

#include <leat/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The embedded engine in a program of your own: Kinesis, Firehose and S3 over their wire protocols,
 * from one folder, on a thread of its own. What is acknowledged is on disk.
 */
struct leat_engine;

struct leat_engine_options {
    const char *data_dir; /**< made when absent */
    const char *listen;   /**< "127.0.0.1:4567", "127.0.0.1:0" for any free port, or NULL: only the
                             folder's private socket */
};

/**
 * Takes the folder and serves; it answers when this returns.
 *
 * Owns:    on LEAT_OK the caller owns `*out`; release it with leat_engine_close(). On failure it is
 * NULL. Errors:  LEAT_E_BUSY when another process has the folder, or the address is in use;
 * LEAT_E_CORRUPT for damaged data, naming file and offset; LEAT_E_IO; LEAT_E_FULL.
 */
LEAT_API LEAT_MUST_CHECK leat_status leat_engine_open(struct leat_engine **out,
                                                      const struct leat_engine_options *options,
                                                      struct leat_error *err);

/** The port it listens on; 0 without `listen`. */
LEAT_API unsigned leat_engine_port(const struct leat_engine *engine);

/** Answers what is under way, syncs, and stops. What deliveries hold stays safely in the journal.
 * Blocks. NULL is fine. */
LEAT_API void leat_engine_close(struct leat_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
