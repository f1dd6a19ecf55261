/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STORE_STATE_H
#define LT_STORE_STATE_H

#include "base/arena.h"
#include "base/error.h"

/*
 * What survives a crash beside the journal: small documents in SQLite, each
 * found by a kind ("stream", "delivery", "checkpoint", "object/BUCKET") and a
 * name. A change is on disk when its call returns. Several processes may have
 * the same file open. Names order as bytes.
 *
 * Thread: any (one mutex a handle). Blocks: on the disk.
 */
struct lt_state;

/**
 * Opens `path`; the file is made by the first write, so that reading an empty folder costs nothing.
 * Errors: LEAT_E_IO, LEAT_E_CORRUPT, LEAT_E_UNSUPPORTED (made by a newer leat).
 */
LEAT_MUST_CHECK leat_status lt_state_open(struct lt_state **out, const char *path,
                                          struct leat_error *err);
void lt_state_close(struct lt_state *state);

/** One change: sets the document, or with `body.data` NULL removes it. */
struct lt_state_change {
    const char *kind;
    struct lt_slice name;
    struct lt_slice body;
};

/** Makes all changes or none. */
LEAT_MUST_CHECK leat_status lt_state_apply(struct lt_state *state,
                                           const struct lt_state_change *changes, size_t n,
                                           struct leat_error *err);

/** One change. */
LEAT_MUST_CHECK leat_status lt_state_set(struct lt_state *state, const char *kind,
                                         struct lt_slice name, struct lt_slice body,
                                         struct leat_error *err);
LEAT_MUST_CHECK leat_status lt_state_remove(struct lt_state *state, const char *kind,
                                            struct lt_slice name, struct leat_error *err);

/** The document, in `arena`. Errors: LEAT_E_NOT_FOUND. */
LEAT_MUST_CHECK leat_status lt_state_get(struct lt_state *state, const char *kind,
                                         struct lt_slice name, struct lt_arena *arena,
                                         struct lt_slice *body, struct leat_error *err);

struct lt_state_row {
    struct lt_slice name;
    struct lt_slice body;
};

/**
 * Up to `max` documents of a kind in order of name, from the first name that is
 * >= `from` (`after`: > `from`), in `arena`.
 */
LEAT_MUST_CHECK leat_status lt_state_list(struct lt_state *state, const char *kind,
                                          struct lt_slice from, bool after, size_t max,
                                          struct lt_arena *arena, struct lt_state_row **rows,
                                          size_t *n, struct leat_error *err);

/** Removes all documents of a kind. */
LEAT_MUST_CHECK leat_status lt_state_remove_kind(struct lt_state *state, const char *kind,
                                                 struct leat_error *err);

/** Number of documents of a kind. */
LEAT_MUST_CHECK leat_status lt_state_count(struct lt_state *state, const char *kind, uint64_t *n,
                                           struct leat_error *err);

#endif
