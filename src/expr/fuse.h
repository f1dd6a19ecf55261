/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FUSE_H
#define LT_EXPR_FUSE_H

#include "expr/tree.h"

/*
 * All expressions of a pipeline as one pass over a record's bytes. What fits are paths, conditions
 * on them, and aggregates over arrays (sums, counts, different values, least and greatest, any and
 * all): each expression becomes a table from the types of the members that it looks at to what is
 * to be done, so that a record is read once, from front to back, without a tree, an index or a
 * stack.
 *
 * It answers for a record only what it is sure of; for every other it says so and leaves no trace:
 * the evaluator (vm.h) then computes it from scratch. So results and errors are the evaluator's.
 */

struct lt_fuse;

/** A pipeline's checked trees, as its source has its texts. They outlive the fuse, and none has a
 * NULL root. */
struct lt_fuse_parts {
    const struct lt_expr_source *source;
    const struct lt_tree_part *sets;
    const struct lt_tree_part *routes; /**< those without a text are not looked at */
    const struct lt_tree_part *key;    /**< NULL without one */
};

/**
 * A fuse, or NULL in `*out` with the reason in `why` (a few words: "set.x looks at something that
 * is no path, condition or aggregate").
 *
 * Owns:   the caller owns `*out`; release it with lt_fuse_free().
 * Thread: a fuse belongs to one thread at a time.
 * Errors: LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_fuse_new(struct lt_fuse **out, const struct lt_fuse_parts *parts,
                                        char why[160], struct leat_error *err);
void lt_fuse_free(struct lt_fuse *fuse);

/**
 * Computes one record: true, and `*result` is what lt_expr_run() says of it (OK or NO_ROUTE).
 * False: ask the evaluator; `*result` means nothing, and the arena has at most some bytes less.
 */
bool lt_fuse_run(struct lt_fuse *fuse, struct lt_slice record, struct lt_expr_result *result,
                 struct lt_arena *arena);

/** The instructions in use: "avx2", "sse2", "portable". */
const char *lt_fuse_walker_name(void);

/** For tests and bench, before lt_fuse_new(): use these. False when this machine has none of that
 * name. */
bool lt_fuse_walker_use(const char *name);

#endif
