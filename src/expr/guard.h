/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_GUARD_H
#define LT_EXPR_GUARD_H

#include "base/error.h"
#include "expr/libjq.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum lt_guard_trip { LT_GUARD_NONE, LT_GUARD_TIME, LT_GUARD_MEMORY };

/**
 * Halts a jq program that runs too long on one record or takes too much memory
 * for it. A thread looks every few milliseconds while a batch runs, and sleeps between
 * batches. It is started with the first batch.
 */
struct lt_guard {
    jq_state *jq; /* immutable after init */
    pthread_t thread;
    bool started; /* the program's thread only */

    pthread_mutex_t mu;
    pthread_cond_t changed;
    /* guarded by mu */
    int64_t max_ms;
    size_t max_bytes;
    bool in_batch;
    bool stop;
    uint64_t run; /* counts the runs; 0 is none */
    int64_t since_ms;
    bool running;
    enum lt_guard_trip trip;

    /* guard's thread only */
    uint64_t seen_run;
    size_t seen_bytes;
};

void lt_guard_init(struct lt_guard *guard, jq_state *jq);
void lt_guard_deinit(struct lt_guard *guard);
void lt_guard_set_limits(struct lt_guard *guard, int64_t max_ms, size_t max_bytes);

/** Around a batch. Errors: LEAT_E_NOMEM, LEAT_E_IO when there can be no thread. */
LEAT_MUST_CHECK leat_status lt_guard_enter(struct lt_guard *guard, struct leat_error *err);
void lt_guard_leave(struct lt_guard *guard);

/** Around one jq_start() with its jq_next() calls. `end` tells whether the program was halted. */
void lt_guard_begin(struct lt_guard *guard);
enum lt_guard_trip lt_guard_end(struct lt_guard *guard);

/** "took longer than 5 s" */
void lt_guard_explain(struct lt_guard *guard, enum lt_guard_trip trip, char out[64]);

#endif
