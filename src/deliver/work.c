/* SPDX-License-Identifier: Apache-2.0 */
/* libuv owns a request until its after-work callback ran, so an owner that goes earlier leaves the
 * memory to that callback; what the worker uses of others is free once it has run. */
#include "deliver/work.h"

#include <assert.h>

void lt_work_init(struct lt_work *work) {
    *work = (struct lt_work){0};
    work->request.data = work;
    pthread_mutex_init(&work->mu, NULL);
    pthread_cond_init(&work->idle, NULL);
}

static void deinit(struct lt_work *work) {
    pthread_cond_destroy(&work->idle);
    pthread_mutex_destroy(&work->mu);
}

static void on_run(uv_work_t *request) {
    struct lt_work *work = request->data;

    work->run(work->ctx);
    pthread_mutex_lock(&work->mu);
    work->running = false;
    pthread_cond_signal(&work->idle);
    pthread_mutex_unlock(&work->mu);
}

static void on_done(uv_work_t *request, int status) {
    struct lt_work *work = request->data;

    (void)status; /* cancelled only by lt_work_abandon() */
    if (work->release) {
        deinit(work);
        work->release(work->release_ctx);
        return;
    }
    work->queued = false;
    work->done(work->ctx);
}

void lt_work_start(struct lt_work *work, uv_loop_t *loop, void (*run)(void *ctx),
                   void (*done)(void *ctx), void *ctx) {
    assert(!work->queued);
    work->run = run;
    work->done = done;
    work->ctx = ctx;
    work->queued = true;
    work->running = true;
    int rc = uv_queue_work(loop, &work->request, on_run, on_done);
    assert(rc == 0); /* it fails only without a callback */
    (void)rc;
}

bool lt_work_is_queued(const struct lt_work *work) {
    return work->queued;
}

void lt_work_abandon(struct lt_work *work, void (*release)(void *ctx), void *ctx) {
    if (!work->queued) {
        deinit(work);
        release(ctx);
        return;
    }
    work->release = release;
    work->release_ctx = ctx;
    if (uv_cancel((uv_req_t *)&work->request) == 0)
        return;
    pthread_mutex_lock(&work->mu);
    while (work->running)
        pthread_cond_wait(&work->idle, &work->mu);
    pthread_mutex_unlock(&work->mu);
}
