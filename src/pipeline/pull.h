/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PULL_H
#define LT_PIPELINE_PULL_H

#include "pipeline/system.h"
#include "pipeline/target.h"
#include "rest/walk.h"

/*
 * Runs the pipelines of a file whose source is a REST API: pages come from the walk (rest/walk.h),
 * records pass the transform and the routes, sinks take them, and the positions move when a page's
 * records are durable.
 *
 *     walk ─page─▶ transform ─▶ route ─▶ spool ─▶ object      (a folder, S3, the embedded engine)
 *                                      ├▶ outlet ─▶ stream
 *                                      ├▶ standard output     (json, singer, airbyte, grouped)
 *                                      └▶ dead letters
 *
 * What ends in objects passes a spool: a file in the data folder that is synced before the
 * positions move, in the same change of the state that says how long it is. After a crash it is cut
 * to that length and goes on; when it is full it becomes one object, whose key is fixed by what it
 * holds. So each record is in an object once, however often the program is killed.
 */
enum lt_pull_format { LT_PULL_JSON, LT_PULL_SINGER, LT_PULL_AIRBYTE, LT_PULL_GROUPED };

struct lt_pull_route_stat {
    const char *to;
    uint64_t n_records, n_bytes, n_objects;
};

struct lt_pull_change {
    const char *resource, *path, *before, *now; /**< `before` NULL: a new field */
};

struct lt_pull_stat {
    struct lt_rest_stat *resources; /**< of all pipelines run; names are unique per API */
    size_t n_resources;
    struct lt_pull_route_stat *routes;
    size_t n_routes;
    struct lt_pull_change *changes; /**< of schemas, against the last run */
    size_t n_changes;
    uint64_t n_dead;
    uint64_t n_skipped; /**< records of an incremental resource that were not new */
    int64_t elapsed_ms;
    int64_t wait_until_ms; /**< wall clock; the host asks to wait until then, or 0 */
    char wait_why[160];
    bool resumed;     /**< an earlier run's positions were there */
    bool interrupted; /**< by SIGINT or SIGTERM */
    struct lt_arena arena;
};

struct lt_pull_options {
    const struct lt_system *system;
    struct lt_target *target;     /**< may be NULL with `to` "-" */
    const char *only;             /**< one pipeline's name, or NULL for all that pull */
    const char *const *resources; /**< only these, ended by NULL, or NULL */
    uint64_t limit;               /**< records of each resource without a parent; 0: all. Positions
                                     are then neither read nor kept */
    bool fresh;                   /**< forget the positions first */
    const char
        *to; /**< instead of the routes' sinks: a folder, or "-" for `out`; NULL: the sinks */
    enum lt_pull_format format;      /**< with `to` "-" */
    enum lt_compression compression; /**< with a folder */
    const char *state; /**< with "-": a file with the last Singer or Airbyte state, or NULL */
    int out_fd;        /**< "-" */
    void *ctx;
    void (*on_progress)(void *ctx, const struct lt_pull_stat *stat); /**< five times a second */
    void (*on_note)(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms);
};

/**
 * Whether the options name what the file has: at least one pipeline that pulls, resources of its
 * APIs, one resource for grouped output. Touches nothing.
 * Errors: LEAT_E_NOT_FOUND with the nearest name; LEAT_E_INVALID.
 */
LEAT_MUST_CHECK leat_status lt_pull_check(const struct lt_pull_options *opt,
                                          struct leat_error *err);

/** For `--dry-run`: appends the first requests of what would be pulled, as lt_rest_walk_describe().
 */
LEAT_MUST_CHECK leat_status lt_pull_describe(const struct lt_pull_options *opt, struct lt_buf *out,
                                             struct leat_error *err);

/**
 * Pulls to the end, or until SIGINT or SIGTERM (what was read is kept, and the positions; a second
 * one ends at once). `stat` is filled in any case; release it with lt_pull_stat_deinit().
 *
 * Thread: one call in a process at a time. Blocks.
 * Errors: as those of lt_pull_check(), the walk and the sinks; LEAT_E_BUSY when the pipeline is
 *         being pulled elsewhere.
 */
LEAT_MUST_CHECK leat_status lt_pull(const struct lt_pull_options *opt, struct lt_pull_stat *stat,
                                    struct leat_error *err);
void lt_pull_stat_deinit(struct lt_pull_stat *stat);

/** Where a pipeline stands in a resource. */
struct lt_pull_position {
    const char *resource;
    bool complete;          /**< the last pass came to its end: the next one begins anew */
    uint64_t n_records;     /**< of this pass, or the last one */
    size_t n_waiting;       /**< lists that are begun or wait for their turn */
    struct lt_slice cursor; /**< JSON, of an incremental resource; or empty */
};

/** What is kept of a pipeline that pulls, in `arena`; none is no error. */
LEAT_MUST_CHECK leat_status lt_pull_positions(struct lt_target *target,
                                              const struct lt_system_pipeline *pipeline,
                                              struct lt_arena *arena,
                                              struct lt_pull_position **list, size_t *n,
                                              struct leat_error *err);

/** Forgets the positions and what waits to become objects: the next pull starts over.
 * Errors: LEAT_E_BUSY while it is being pulled. */
LEAT_MUST_CHECK leat_status lt_pull_reset(struct lt_target *target,
                                          const struct lt_system_pipeline *pipeline,
                                          struct leat_error *err);

#endif
