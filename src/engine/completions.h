/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_COMPLETIONS_H
#define LT_ENGINE_COMPLETIONS_H

#include "base/error.h"

#include <uv.h>

/*
 * What other threads (the journal's above all) have done, brought to a loop: many completions of
 * one group wake the loop once.
 */
struct lt_completions;

/** Embedded in whoever waits; it is the poster's until `run` is called. */
struct lt_completion {
    struct lt_completion *next;
    void (*run)(struct lt_completion *completion);
};

LEAT_MUST_CHECK leat_status lt_completions_open(struct lt_completions **out, uv_loop_t *loop,
                                                struct leat_error *err);

/** `run` will be called from the loop, in the order of posts. Thread: any. */
void lt_completions_post(struct lt_completions *queue, struct lt_completion *completion);

/** Runs what was posted, now. Thread: the loop's. */
void lt_completions_drain(struct lt_completions *queue);

/** Nobody posts any more; what is still queued is run. Freed by the loop's next turns.
 * Thread: the loop's. NULL is fine. */
void lt_completions_close(struct lt_completions *queue);

#endif
