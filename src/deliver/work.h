/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_WORK_H
#define LT_DELIVER_WORK_H

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

/*
 * Work on libuv's pool that its owner may let go of at any moment. Embedded in the owner's struct.
 *
 * Thread: the loop's, for all calls.
 */
struct lt_work {
    uv_work_t request;
    void *ctx;
    void (*run)(void *ctx);
    void (*done)(void *ctx);
    void (*release)(void *ctx); /**< set once it is abandoned */
    void *release_ctx;
    bool queued;

    pthread_mutex_t mu;
    pthread_cond_t idle;
    bool running; /**< guarded by mu: queued, and not yet run */
};

void lt_work_init(struct lt_work *work);

/** Calls `run` on a worker, then `done` on the loop's thread. One at a time. */
void lt_work_start(struct lt_work *work, uv_loop_t *loop, void (*run)(void *ctx),
                   void (*done)(void *ctx), void *ctx);

/** True between lt_work_start() and `done`. */
bool lt_work_is_queued(const struct lt_work *work);

/**
 * Ends it: a run under way is waited for (Blocks), one that has not begun is dropped; `done` is not
 * called. The memory of `work` must stay until `release` is called: at once when nothing was
 * queued, else by one of the loop's next turns. The work is then gone (no deinit).
 */
void lt_work_abandon(struct lt_work *work, void (*release)(void *ctx), void *ctx);

#endif
