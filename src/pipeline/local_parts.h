/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_LOCAL_PARTS_H
#define LT_PIPELINE_LOCAL_PARTS_H

#include "pipeline/local.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * Lines go through in chunks. A worker takes the next chunk of the input, transforms it, and waits
 * for its turn to write: so chunks are transformed side by side, and what comes out has the order
 * of what went in. The first worker is the caller's thread; others join it once there is more than
 * they cost.
 *
 *     read (one at a time, in order) ──▶ transform (side by side) ──▶ write (one at a time, in
 * order)
 */

/** A record that became a dead letter, until its chunk's turn. */
struct lt_local_dead {
    uint64_t line; /**< from the start of the chunk: 1, 2, … */
    const char *code;
    struct lt_slice data, expression, reason;
};

struct lt_local {
    /* immutable once workers run */
    const struct lt_local_options *opt;
    bool to_stdout;
    int *files; /**< one a route, then the dead letters'; with "-" all go to files[0] */
    size_t n_files;

    /* guarded by read_mu */
    pthread_mutex_t read_mu;
    int in;
    struct lt_buf carry; /**< the start of a line whose end is not read yet */
    uint64_t n_chunks;   /**< given out */
    bool end;

    /* guarded by turn_mu */
    pthread_mutex_t turn_mu;
    pthread_cond_t turned;
    uint64_t turn; /**< the chunk that may be written */

    /* the worker's whose turn it is */
    struct lt_run_pipeline_stat *stat;
    uint64_t n_lines;
    leat_status status;
    struct leat_error err;

    _Atomic bool stop; /**< an error, or the reader of standard output has gone */
};

enum { LT_LOCAL_BATCH_RECORDS = 1000, LT_LOCAL_LINE_MIB = 64 };

struct lt_local_worker {
    struct lt_local *local;
    struct lt_expr *expr;
    struct lt_arena arena;  /**< of a batch */
    struct lt_arena deaths; /**< of a chunk: what `dead` points to */
    struct lt_buf input;
    struct lt_buf *out; /**< as the files */
    /* the chunk under way */
    uint64_t chunk;
    uint64_t n_lines, n_read, n_bytes;
    struct lt_run_route_stat *routes;
    struct lt_local_dead *dead;
    size_t n_dead, cap_dead;
    leat_status status;
    struct leat_error err; /**< but with `too_long` */
    bool too_long;
    struct lt_slice lines[LT_LOCAL_BATCH_RECORDS];
    uint64_t numbers[LT_LOCAL_BATCH_RECORDS];
    struct lt_expr_result results[LT_LOCAL_BATCH_RECORDS];
};

/* local_work.c */
/** A worker with its own program; free it with lt_local_worker_free(), also when it failed. */
LEAT_MUST_CHECK leat_status lt_local_worker_new(struct lt_local_worker **out,
                                                struct lt_local *local, struct leat_error *err);
/** Takes, transforms and writes one chunk; false at the end of all. */
bool lt_local_worker_step(struct lt_local_worker *worker);
void lt_local_worker_free(struct lt_local_worker *worker);

/* local_write.c */
/** What happens at a chunk's turn. Sets the local's status. */
void lt_local_write(struct lt_local_worker *worker);

#endif
