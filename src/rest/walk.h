/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_WALK_H
#define LT_REST_WALK_H

#include "base/buf.h"
#include "rest/fetch.h"
#include "json/json.h"

#include <uv.h>

/*
 * The walk through an API: all pages of its resources, side by side, given out in the API's order.
 *
 * A task is one list: a resource, for one record of its parent (or once, without a parent). Its
 * pages come in order, tasks of a resource in the order of the parent's records; resources are
 * independent of each other, but a child's pages never come before the page of the parent that they
 * belong to. Pages that are fetched ahead wait, in bounded number and bytes.
 *
 *     walk ──on_page──▶ user ──lt_rest_walk_done()──▶ walk      (pages of a resource: in order)
 *
 * A position is what the user keeps to go on after a crash: one JSON text a resource, which moves
 * over a page when it is done and all before it are, and the page of its parent too.
 *
 * Thread: the loop's, for all calls.
 */
struct lt_rest_walk;

/** A page on its way: the user has it from on_page until lt_rest_walk_done(). */
struct lt_rest_page {
    const struct lt_rest_resource *resource;
    size_t resource_index;
    const char *url; /**< of the request, secrets masked */
    struct lt_json
        *records; /**< with the fields added; in order; skipped ones (incremental) gone */
    size_t n_records;
    struct lt_slice
        group; /**< JSON: the first value that the path takes of the parent; null without */
    int64_t fetched_ms;
    uint64_t ordinal; /**< of the first record, in its resource and run: 0, 1, … */
    bool last_of_task;
    void *user; /**< the user's own */
};

/** Counts of one resource. */
struct lt_rest_stat {
    const char *name;
    uint64_t n_pages, n_records, n_bytes; /**< given out; bytes of bodies */
    uint64_t n_skipped;                   /**< records that an incremental resource had before */
    uint64_t n_requests, n_retries;
    uint64_t n_tasks_done, n_tasks; /**< known so far */
    uint64_t total_records;         /**< told by the API for what is known so far; 0: unknown */
    bool complete;
};

struct lt_rest_walk_options {
    const struct lt_rest_api *api;
    uv_loop_t *loop;
    const bool *selected; /**< one a resource; a parent of a selected one is fetched, and given out
                             only when it is selected itself */
    uint64_t limit;       /**< at most so many records of each resource without a parent; 0: all.
                             Positions of such a walk are not to be kept */
    const char *run_id;   /**< of this pass, for errors and User-Agent; or NULL */
    /** The position of each resource from an earlier walk, JSON; data NULL: from the start. */
    const struct lt_slice *positions;
    size_t max_held_bytes; /**< of pages fetched ahead and given out; 0: 64 MiB */
    void *ctx;
    /** A page, in order. To be answered by lt_rest_walk_done(), then or later. */
    void (*on_page)(void *ctx, struct lt_rest_page *page);
    /** A position may have moved (lt_rest_walk_position()). May be NULL. */
    void (*on_progress)(void *ctx);
    /** Something worth a line: a wait and its reason, a retry, a token. Secrets are masked.
     * `until_ms` is the wall clock's end of a wait, or 0. May be NULL. */
    void (*on_note)(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms);
    /** The end: all is given out and done; or stopped; or failed, with what came before still given
     * out and done. Called once. */
    void (*on_end)(void *ctx, leat_status status, const struct leat_error *err);
};

/**
 * Starts. Errors: LEAT_E_CONFIG, LEAT_E_NOMEM, LEAT_E_PARSE for a position that is none.
 * Owns: `*out` is the caller's; release it with lt_rest_walk_free() after on_end, or at any time.
 */
LEAT_MUST_CHECK leat_status lt_rest_walk_start(struct lt_rest_walk **out,
                                               const struct lt_rest_walk_options *opt,
                                               struct leat_error *err);

/** The user has done with a page: all its records are in their sinks. The page is gone then. */
void lt_rest_walk_done(struct lt_rest_walk *walk, struct lt_rest_page *page);

/** No new requests; what is under way is dropped; on_end(LEAT_E_CANCELLED) comes once the pages
 * given out are done. */
void lt_rest_walk_stop(struct lt_rest_walk *walk);

/**
 * Appends the position of a resource as one JSON object. The positions of all resources, taken
 * together without a return to the loop between, belong together. After a walk's whole end it says
 * {"complete":true,…}, with the cursor of an incremental resource, from which the next walk starts.
 */
void lt_rest_walk_position(const struct lt_rest_walk *walk, size_t resource, struct lt_buf *out);

void lt_rest_walk_stat(const struct lt_rest_walk *walk, size_t resource, struct lt_rest_stat *out);

/** Frees; pages not done are gone with it. Its handles are closed by the loop's next turns. NULL is
 * fine. */
void lt_rest_walk_free(struct lt_rest_walk *walk);

/** For `--dry-run`: appends the first request of each selected resource as text ("GET URL",
 * headers, body), secrets masked; of children with their expressions unevaluated. */
LEAT_MUST_CHECK leat_status lt_rest_walk_describe(const struct lt_rest_api *api,
                                                  const bool *selected, struct lt_buf *out,
                                                  struct leat_error *err);

/** Runs a recorded page through a resource: its records and the next request's URL ("" for none).
 */
struct lt_rest_replay {
    struct lt_json *records;
    size_t n_records;
    const char *next;
};
LEAT_MUST_CHECK leat_status lt_rest_replay_page(const struct lt_rest_api *api, size_t resource,
                                                struct lt_slice page, struct lt_arena *arena,
                                                struct lt_rest_replay *out, struct leat_error *err);

#endif
