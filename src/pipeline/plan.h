/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PLAN_H
#define LT_PIPELINE_PLAN_H

#include "pipeline/system.h"
#include "pipeline/target.h"

/*
 * What `leat up` and `leat down` would do, found out by looking alone, and then done item by item.
 * Both can be stopped anywhere and run again.
 */
enum lt_plan_kind {
    LT_PLAN_BUCKET,
    LT_PLAN_STREAM,
    LT_PLAN_DELIVERY,
    LT_PLAN_PIPELINE, /**< of a pipeline only its positions exist outside the file */
};

enum lt_plan_action {
    LT_PLAN_CREATE,
    LT_PLAN_KEEP,   /**< is there, as the file says */
    LT_PLAN_DIFFER, /**< is there, but not as the file says: left as it is */
    LT_PLAN_LOCAL,  /**< a delivery that runs inside `leat run` */
    LT_PLAN_REMOVE,
    LT_PLAN_ABSENT, /**< down: not there */
};

struct lt_plan_item {
    enum lt_plan_kind kind;
    enum lt_plan_action action;
    size_t index; /**< in the system's array of that kind */
    const char *name;
    const char *detail;     /**< "4 shards"; "" when there is nothing to say */
    const char *difference; /**< DIFFER: "has 1 shard, the file says 4" */
    bool counted;           /**< REMOVE: n_records (objects of a bucket) and n_bytes are known */
    uint64_t n_records;
    uint64_t n_bytes;
    bool done; /**< by lt_plan_apply() */
};

struct lt_plan {
    struct lt_arena arena;
    const struct lt_system *system;
    struct lt_target *target;
    struct lt_plan_item *items; /**< in the order in which they are done */
    size_t n;
    const char *account; /**< of remote streams, or NULL */
};

/** What is missing, there, or different. Release with lt_plan_deinit() in any case. Blocks. */
LEAT_MUST_CHECK leat_status lt_plan_up(struct lt_plan *out, const struct lt_system *system,
                                       struct lt_target *target, struct leat_error *err);

/** What is there and would be removed, with what would be lost. Blocks. */
LEAT_MUST_CHECK leat_status lt_plan_down(struct lt_plan *out, const struct lt_system *system,
                                         struct lt_target *target, struct leat_error *err);

/**
 * Does what is to do, in order; `on_done` (may be NULL) hears of each item. What somebody else made
 * or removed in the meantime counts as done. Blocks.
 *
 * Errors: the first one; items after it are not done.
 */
LEAT_MUST_CHECK leat_status lt_plan_apply(struct lt_plan *plan,
                                          void (*on_done)(void *ctx,
                                                          const struct lt_plan_item *item),
                                          void *ctx, struct leat_error *err);
void lt_plan_deinit(struct lt_plan *plan);

/** Number of items with that action. */
size_t lt_plan_count(const struct lt_plan *plan, enum lt_plan_action action);

/** Creates what is missing, for `leat run` on the embedded engine. Blocks. */
LEAT_MUST_CHECK leat_status lt_plan_create_missing(const struct lt_system *system,
                                                   struct lt_target *target,
                                                   struct leat_error *err);

#endif
