/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_LOCAL_H
#define LT_PIPELINE_LOCAL_H

#include "pipeline/runner.h"

/* A pipeline with its source replaced by JSON lines and its sinks by files: to try it, and for
 * shell pipes. */
struct lt_local_options {
    const struct lt_system_pipeline *pipeline;
    const char *from;   /**< a file, or "-" for standard input */
    const char *to;     /**< a folder (made when absent), or "-" for standard output */
    unsigned n_threads; /**< 0: as many as there are processors, at most 4 */
    /** A record that became a dead letter: its line number and why, in the order of lines; from any
     * thread, one at a time. May be NULL. */
    void (*on_dead)(void *ctx, uint64_t line, struct lt_slice expression, struct lt_slice reason);
    void *ctx;
};

/**
 * Reads lines (empty ones are passed over), transforms, and writes each record as a line into
 * "FOLDER/ROUTE.jsonl" ('/' and ':' of a route become '_'), dead letters into
 * "FOLDER/dead-letters.jsonl"; with "-" all routes go to standard output and dead letters only to
 * `on_dead`.
 *
 * Blocks: to the end of the input.
 * Errors: LEAT_E_IO, LEAT_E_FULL, LEAT_E_NOT_FOUND; LEAT_E_LIMIT for a line over 64 MiB. A closed
 * pipe on standard output is no error.
 */
LEAT_MUST_CHECK leat_status lt_run_local(const struct lt_local_options *opt,
                                         struct lt_run_stat *stat, struct leat_error *err);

#endif
