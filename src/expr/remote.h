/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_REMOTE_H
#define LT_EXPR_REMOTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "expr/expr.h"

/*
 * libjq in a process of its own: it can be stopped whatever it does, and what ends it ends one
 * record's work, not the program. The process is this program started again with the hidden command
 * `libjq-helper`; it holds one jq program, has the environment that it needs and no more, no
 * descriptor but its socket, and ends when the socket does. It is started when it is first asked,
 * and again after it ended.
 *
 * Which program is started: this one, where main() has said that it is leat (lt_remote_use_self());
 * else $LEAT_EXECUTABLE, else `leat` on the PATH: so a program that has libleat in it, or a unit
 * test, does not start itself.
 */

/** What libjq is given. */
struct lt_remote_program {
    struct lt_slice text; /**< jq; with several parts it selects one by `input` */
    const struct lt_expr_var *vars;
    size_t n_vars;
    bool for_people; /**< `leat eval`: sees the user's environment and standard error, `input` is
                        asked for, numbers are printed as jq does; else a pipeline's, with one or
                        several parts */
};

struct lt_remote;

/**
 * Keeps a copy of the program; starts nothing.
 *
 * Owns:   on LEAT_OK the caller owns `*out`; release it with lt_remote_free().
 * Thread: a handle belongs to one thread at a time.
 * Errors: LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_remote_new(struct lt_remote **out,
                                          const struct lt_remote_program *program,
                                          struct leat_error *err);
void lt_remote_free(struct lt_remote *remote);

/** For each run, 0: no limit. Without this call: 5 seconds, 512 MiB beyond what the process needs
 * for the program itself. */
void lt_remote_set_limits(struct lt_remote *remote, int64_t max_ms, size_t max_bytes);

/** Starts the process and has it compile, unless that is done. `complain` gets jq's own words where
 * it does not compile. Errors: LEAT_E_CONFIG then; LEAT_E_UNSUPPORTED when there can be no such
 * process, or no libjq in it. */
LEAT_MUST_CHECK leat_status lt_remote_start(struct lt_remote *remote,
                                            void (*complain)(void *ctx, struct lt_slice message),
                                            void *ctx, struct leat_error *err);

/** A part of the program to be run. */
struct lt_remote_ask {
    uint32_t part;
    uint16_t max_values; /**< is left after so many; 0: takes all */
    bool ends_if_true; /**< what is asked behind it is left out when its first value is neither null
                          nor false */
};

/** One document, and what is asked of it: parts in order, until one fails. */
struct lt_remote_job {
    struct lt_slice doc; /**< validated JSON */
    const struct lt_remote_ask *asks;
    uint32_t n_asks;
};

enum lt_remote_end {
    LT_REMOTE_DONE,
    LT_REMOTE_ERROR,  /**< it raised an error; `reason` is a string's own text or JSON */
    LT_REMOTE_FAULT,  /**< a value has no JSON form: "gave a number that is not finite" */
    LT_REMOTE_HALT,   /**< for people alone: it ended the program; `code` is what to exit with */
    LT_REMOTE_KILLED, /**< "took longer than 5000 ms", "took more than 512 MiB of memory",
                         "ended libjq unexpectedly (signal 6)" */
};

struct lt_remote_outcome {
    enum lt_remote_end end;
    uint32_t ask;   /**< the one at work; of KILLED, the values of those before it may be missing */
    bool is_string; /**< ERROR: the value raised is a string */
    int code;       /**< HALT */
    struct lt_slice reason;
};

/** What a run gives, in order: of each job its values, then its end. Slices live until the call
 * returns. An error of a call ends the run and is returned. */
struct lt_remote_sink {
    void *ctx;
    leat_status (*value)(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                         struct leat_error *err);
    leat_status (*end)(void *ctx, size_t job, const struct lt_remote_outcome *outcome,
                       struct leat_error *err);
    /** For people, may be NULL: `input` asks; `json->data` NULL says that there is no more. */
    leat_status (*next_input)(void *ctx, struct lt_slice *json, struct leat_error *err);
    /** For people, may be NULL: the value that `debug` shows, as JSON. */
    void (*message)(void *ctx, struct lt_slice json);
};

/**
 * Runs the jobs, several of them on their way at a time. A process that ended without reason is
 * started again with the same job once more; whatever else goes wrong with a job is its outcome.
 *
 * Blocks: up to the limits, for each job.
 * Errors: as lt_remote_start(), those of the sink, LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_remote_run(struct lt_remote *remote,
                                          const struct lt_remote_job *jobs, size_t n,
                                          const struct lt_remote_sink *sink,
                                          struct leat_error *err);

/** The process, or 0. For tests. */
int lt_remote_pid(const struct lt_remote *remote);

/** main() of the program says that it knows LT_REMOTE_COMMAND. Call it before threads start. */
void lt_remote_use_self(void);

#define LT_REMOTE_COMMAND "libjq-helper"
/** What that command does. Returns what main() shall return. */
int lt_remote_helper_main(void);

#endif
