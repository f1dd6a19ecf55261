/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_STREAMS_PARTS_H
#define LT_ENGINE_STREAMS_PARTS_H

#include "engine/stream_entry.h"

#include <pthread.h>

/* The catalogue's own structure, shared by streams.c (what there is) and streams_io.c (records). */
struct lt_streams {
    /* immutable after open */
    struct lt_state *state;
    struct lt_journal *journal;

    pthread_mutex_t change_mu; /* one create or remove at a time; taken before `lock` */
    uint64_t next_uid, next_id;

    pthread_rwlock_t lock;
    /* guarded by lock */
    struct lt_stream_entry **entries; /* by name */
    size_t n, cap;
};

/** The stream of that name. Called under `lock`; NULL for `err` is fine.
 * Errors: LEAT_E_NOT_FOUND, code ResourceNotFoundException. */
LEAT_MUST_CHECK leat_status lt_streams_find(const struct lt_streams *s, const char *name,
                                            struct lt_stream_entry **out, struct leat_error *err);

#endif
