/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PULL_SPOOL_H
#define LT_PIPELINE_PULL_SPOOL_H

#include "deliver/delivery.h"
#include "object/object.h"
#include "store/state.h"

#include <uv.h>

/*
 * Spools: where records wait to become objects. A spool is for one place (a route's bucket and
 * prefix) and one resource, and is a row of files under the data folder, of which the last one
 * grows:
 *
 *     append ─▶ file (grows) ─seal─▶ file ─put─▶ object ─▶ (forgotten, removed)
 *
 * What counts is the document of each spool ("spool/TO/RESOURCE"): its files, how long each is, and
 * whether it is sealed. A commit writes and syncs what was appended, and then sets the documents
 * together with the caller's changes (the positions) in one step; so what a crash leaves beyond a
 * document's length is cut when the spools are opened again, and nothing else is ever cut. An
 * object is put only after a document says that its file is sealed, and its key is made of what
 * stands there and of the bytes: put twice, it is the same object. The document forgets the file
 * after the put.
 *
 * Thread: the loop's. Files are written, packed and put on libuv's pool.
 */
struct lt_pull_spools;
struct lt_pull_spool;

/** Where a spool's objects go. The strings are copied. */
struct lt_pull_place {
    const char *to; /**< names it, for people and in the state */
    const char *bucket;
    const char *prefix; /**< may have timestamp expressions; nothing is added to it */
    enum lt_compression compression;
    uint64_t object_bytes; /**< a file is sealed when a record would not fit any more… */
    int64_t object_ms;     /**< …or this long after its first record (lt_pull_spools_tick()) */
};

struct lt_pull_spools_options {
    const char *dir;      /**< made when absent; nobody else's */
    const char *kind;     /**< of the documents */
    const char *pipeline; /**< goes into the keys */
    struct lt_state *state;
    struct lt_object_store
        *objects; /**< may be NULL when nothing was ever spooled and nothing is */
    uv_loop_t *loop;
    void *ctx;
    /** Something moved: there may be room, or an end. */
    void (*on_progress)(void *ctx);
    /** An object is there. May be NULL, as the next one. */
    void (*on_object)(void *ctx, const char *to, uint64_t n_records);
    /** A put did not succeed and is tried again at `until_ms` (wall clock). */
    void (*on_retry)(void *ctx, const struct leat_error *err, int64_t until_ms);
    /** A write, the state or a put failed for good; what the state says stays true. After a failed
     * put, commits go on. */
    void (*on_failed)(void *ctx, const struct leat_error *err);
};

/**
 * Opens what an earlier run left: files are cut to what the state says, others removed; sealed ones
 * are put by and by.
 *
 * Blocks: on the disk. Errors: LEAT_E_CORRUPT when a file is shorter than the state says or its
 * document is none; LEAT_E_IO, LEAT_E_FULL, LEAT_E_NOMEM; as lt_state_list().
 */
LEAT_MUST_CHECK leat_status lt_pull_spools_open(struct lt_pull_spools **out,
                                                const struct lt_pull_spools_options *opt,
                                                struct leat_error *err);
/** What is not committed is dropped. A write or put under way is waited for. NULL is fine. */
void lt_pull_spools_free(struct lt_pull_spools *spools);

/** The spool of a place and a resource, made when it is new. Errors: LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_pull_spools_get(struct lt_pull_spools *spools,
                                               const struct lt_pull_place *place,
                                               const char *resource, struct lt_pull_spool **out,
                                               struct leat_error *err);

/** Appends a record and a line end. `ordinal` names the object when the record is its first.
 * Errors: LEAT_E_NOMEM; the error of an earlier write. */
LEAT_MUST_CHECK leat_status lt_pull_spool_append(struct lt_pull_spool *spool, uint64_t ordinal,
                                                 struct lt_slice record, struct leat_error *err);

/** False while too much waits to be written or put. */
bool lt_pull_spools_has_room(const struct lt_pull_spools *spools);

/** True when a sealed file waits for a commit. */
bool lt_pull_spools_wants_commit(const struct lt_pull_spools *spools);
bool lt_pull_spools_is_committing(const struct lt_pull_spools *spools);

/**
 * Makes all that was appended durable, and then these changes, in one step. They are copied.
 * Called while none is under way; its end is told by on_progress or on_failed.
 * Errors: LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_pull_spools_commit(struct lt_pull_spools *spools,
                                                  const struct lt_state_change *changes, size_t n,
                                                  struct leat_error *err);

/** Seals what is old enough and starts what waits to be put; several times a second. */
void lt_pull_spools_tick(struct lt_pull_spools *spools);

/** Seals all. */
void lt_pull_spools_seal(struct lt_pull_spools *spools);

/** Seals what waits of a resource, all places: another pass over it begins, and no object holds
 * records of two. */
void lt_pull_spools_end_pass(struct lt_pull_spools *spools, const char *resource);

/** Throws away what waits of a resource, all places; before anything was appended or put. */
void lt_pull_spools_drop(struct lt_pull_spools *spools, const char *resource);

/** Sealed files that are not yet objects. */
size_t lt_pull_spools_n_waiting(const struct lt_pull_spools *spools);

/** True when there is nothing to write, put or forget. */
bool lt_pull_spools_is_empty(const struct lt_pull_spools *spools);

/** Forgets what is kept under a kind and removes the files, while no spools are open there.
 * `dir` may be absent. Blocks. */
LEAT_MUST_CHECK leat_status lt_pull_spools_forget(const char *dir, const char *kind,
                                                  struct lt_state *state, struct leat_error *err);

#endif
