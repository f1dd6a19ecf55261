/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list under a mutex and one uv_async_t: posting is two pointer writes and, for the first one
 * after the loop looked, a write to an eventfd.
 */
#include "engine/completions.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct lt_completions {
    uv_async_t async;
    pthread_mutex_t mu;
    /* guarded by mu */
    struct lt_completion *first;
    struct lt_completion **last;
};

void lt_completions_drain(struct lt_completions *queue) {
    struct lt_completion *c, *next;

    pthread_mutex_lock(&queue->mu);
    c = queue->first;
    queue->first = NULL;
    queue->last = &queue->first;
    pthread_mutex_unlock(&queue->mu);
    for (; c; c = next) {
        next = c->next; /* `run` may free it */
        c->run(c);
    }
}

static void on_async(uv_async_t *async) {
    lt_completions_drain(async->data);
}

leat_status lt_completions_open(struct lt_completions **out, uv_loop_t *loop,
                                struct leat_error *err) {
    struct lt_completions *queue = calloc(1, sizeof(*queue));

    *out = NULL;
    if (!queue)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a queue of completions");
    int rc = uv_async_init(loop, &queue->async, on_async);
    if (rc < 0) {
        free(queue);
        return lt_fail(err, LEAT_E_IO, -rc, "cannot make a wake-up for the loop");
    }
    queue->async.data = queue;
    queue->last = &queue->first;
    pthread_mutex_init(&queue->mu, NULL);
    *out = queue;
    return LEAT_OK;
}

void lt_completions_post(struct lt_completions *queue, struct lt_completion *completion) {
    bool was_empty;

    completion->next = NULL;
    pthread_mutex_lock(&queue->mu);
    was_empty = !queue->first;
    *queue->last = completion;
    queue->last = &completion->next;
    /* Sent under the mutex: a queue is closed only by who has seen its last completion run. */
    if (was_empty)
        uv_async_send(&queue->async);
    pthread_mutex_unlock(&queue->mu);
}

static void on_closed(uv_handle_t *handle) {
    struct lt_completions *queue = handle->data;
    pthread_mutex_destroy(&queue->mu);
    free(queue);
}

void lt_completions_close(struct lt_completions *queue) {
    if (!queue)
        return;
    lt_completions_drain(queue);
    uv_close((uv_handle_t *)&queue->async, on_closed);
}
