/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_EXPR_PARTS_H
#define LT_EXPR_EXPR_PARTS_H

#include "expr/expr.h"
#include "expr/remote.h"
#include "json/json.h"

/* Private to src/expr/expr*.c. */

/** A text of one value may not be longer, nor a record with its fields. */
#define LT_EXPR_MAX_RESULT_BYTES ((size_t)64 << 20)

enum lt_answer_kind {
    LT_ANSWER_NONE,   /**< not computed */
    LT_ANSWER_VALUES, /**< `n` of them; `text` is the first one's JSON */
    LT_ANSWER_FAILED, /**< `text` says why */
};

/** What an expression gave for one record. */
struct lt_answer {
    enum lt_answer_kind kind;
    unsigned n; /**< 0, 1, or 2 for several */
    struct lt_slice text;
};

/** One expression that can be run. */
struct lt_piece {
    struct lt_slice label; /**< `data` NULL: a route without a condition, or no key */
    uint32_t number;       /**< among all pieces, and in libjq's program */
    bool constant;         /**< `answer` holds for every record */
    struct lt_answer answer;
};

struct lt_expr {
    struct lt_arena config; /**< owns what follows */
    struct lt_piece *sets;
    struct lt_piece *routes;
    struct lt_piece key;
    size_t n_sets;
    size_t n_routes; /**< without those that are never reached */
    uint32_t n_pieces;
    struct lt_json_field *fields; /**< n_sets, with their names */

    struct lt_remote *remote; /**< NULL when no record has to be computed with */
    struct lt_arena scratch;  /**< of the records on their way to libjq */
    struct lt_buf spliced;
};

/** One record at work. */
struct lt_expr_job {
    struct lt_expr *expr;
    struct lt_arena *arena; /**< of the batch */
    struct lt_slice record;
    struct lt_json object;
    struct lt_expr_result *result;
    bool no_memory; /**< in the arena */
};

/** Whether the work on a record goes on. */
enum lt_going { LT_GOES_ON, LT_ENDED };

/* expr_run.c */

struct lt_slice lt_expr_keep(struct lt_expr_job *job, struct lt_slice text);
enum lt_going lt_expr_end_with(struct lt_expr_job *job, enum lt_expr_outcome outcome,
                               struct lt_slice label, struct lt_slice reason);
enum lt_going lt_expr_fail_with(struct lt_expr_job *job, struct lt_slice label, const char *reason);
/** The record with the fields (whose values are set), as the result's data. */
enum lt_going lt_expr_splice(struct lt_expr_job *job);

/* expr_park.c: records that need answers of libjq */

/** Computes what is asked for the jobs (all of one batch), and their results. */
LEAT_MUST_CHECK leat_status lt_expr_run_parked(struct lt_expr *expr, struct lt_expr_job *jobs,
                                               size_t n, struct leat_error *err);

/** A message as one line for people, in the arena: controls are blanks, what is long is cut. `data`
 * is NULL without memory. */
struct lt_slice lt_expr_one_line(struct lt_slice text, struct lt_arena *arena);

#endif
