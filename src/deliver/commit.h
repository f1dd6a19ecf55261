/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_COMMIT_H
#define LT_DELIVER_COMMIT_H

#include "deliver/book.h"

/*
 * The way of one object, on a worker thread: fix the intent, record it, build the bytes, put them,
 * move the positions. A step that failed is tried again from there; the intent is never made
 * twice.
 *
 * Thread: the loop's; between lt_commit_start() and `done` only lt_commit_cancel() may be called.
 */
struct lt_commit;

/** Where all commits of a delivery go; alive as long as one of them is, and immutable but for the
 * book, which the commit under way has. */
struct lt_commit_target {
    uv_loop_t *loop;
    struct lt_object_store *objects;
    const char *bucket;
    struct lt_book *book;
    struct lt_intent_naming naming;
};

enum lt_commit_outcome {
    LT_COMMIT_FAILED, /**< see the error; lt_commit_start() goes on */
    LT_COMMIT_DONE,   /**< positions moved */
    LT_COMMIT_ABSENT, /**< the recorded intent's object is not there, or that is not known */
};

/** On the loop's thread. `err` is filled when it failed. */
typedef void lt_commit_done(void *ctx, enum lt_commit_outcome outcome,
                            const struct leat_error *err);

/** A new object of `gather`'s records, which are taken (it is then empty). NULL: no memory, and
 * the records stay. */
struct lt_commit *lt_commit_new(const struct lt_commit_target *target, struct lt_gather *gather);

/** An object whose intent was found in the state; takes it. First it is only looked for:
 * lt_commit_give() hands over the records when it is not there. */
struct lt_commit *lt_commit_resume(const struct lt_commit_target *target, struct lt_intent *intent);

/** The records of the resumed intent, gathered anew; taken. */
void lt_commit_give(struct lt_commit *commit, struct lt_gather *gather);

/** Queues the next try; `done` is called once. */
void lt_commit_start(struct lt_commit *commit, lt_commit_done *done, void *ctx);

/** What it is about; NULL before the first try made it. */
const struct lt_intent *lt_commit_intent(const struct lt_commit *commit);

/** Frees it. A try under way is waited for (Blocks), its `done` is not called. NULL is fine. */
void lt_commit_cancel(struct lt_commit *commit);

#endif
