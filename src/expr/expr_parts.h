/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_EXPR_PARTS_H
#define LT_EXPR_EXPR_PARTS_H

#include "expr/expr.h"
#include "expr/fuse.h"
#include "expr/remote.h"
#include "expr/vm.h"

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
    struct lt_slice label;    /**< `data` NULL: a route without a condition, or no key */
    uint32_t number;          /**< among all pieces, and in libjq's program */
    struct lt_tree_part part; /**< `root` NULL: it is left to libjq */
    bool constant;            /**< `answer` holds for every record, and `value` where it has one */
    struct lt_answer answer;
    struct lt_val value;
};

/** The evaluator with its memory and the document that it looks at. */
struct lt_machine {
    struct lt_vm vm;
    struct lt_arena run; /**< of one record; its `max` is a limit */
    struct lt_doc doc;
    struct lt_val *globals;
    bool more; /**< not the record's first run */
    char why[64];
};

struct lt_expr {
    struct lt_arena config; /**< owns what follows */
    struct lt_piece *sets;
    struct lt_piece *routes;
    struct lt_piece key;
    size_t n_sets;
    size_t n_routes; /**< without those that are never reached */
    size_t n_all_routes;
    uint32_t n_pieces;
    struct lt_json_field *fields; /**< n_sets, with their names */
    bool needs_libjq;             /**< for every record */
    bool second_is_apart;         /**< key and conditions look at no field that is set */
    struct lt_expr_limits limits;

    struct lt_fuse *fuse; /**< NULL when the whole does not fit one */
    char why_not_fused[160];
    struct lt_remote *remote; /**< NULL when no record has to be computed with */
    struct lt_machine machine;
    struct lt_arena scratch; /**< of the records on their way to libjq */
    struct lt_buf values;    /**< the fields' texts, one after another */
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

/** Whether the work on a record goes on; PARKED: libjq has to be asked. */
enum lt_going { LT_GOES_ON, LT_ENDED, LT_PARKED };

/* expr_run.c */

struct lt_slice lt_expr_keep(struct lt_expr_job *job, struct lt_slice text);
enum lt_going lt_expr_end_with(struct lt_expr_job *job, enum lt_expr_outcome outcome,
                               struct lt_slice label, struct lt_slice reason);
enum lt_going lt_expr_fail_with(struct lt_expr_job *job, struct lt_slice label, const char *reason);
/** The record with the fields (whose values are set), as the result's data. */
enum lt_going lt_expr_splice(struct lt_expr_job *job);

/* machine.c */

/** Errors: LEAT_E_NOMEM; those of lt_expr_check_vars(). */
LEAT_MUST_CHECK leat_status lt_machine_init(struct lt_machine *machine,
                                            const struct lt_expr_var *vars, size_t n_vars,
                                            struct lt_arena *config, struct leat_error *err);
void lt_machine_deinit(struct lt_machine *machine);
void lt_machine_set_limits(struct lt_machine *machine, const struct lt_expr_limits *limits);
/** Begins a record: what the one before left is forgotten. */
void lt_machine_begin(struct lt_machine *machine);
/** Parses the record into `doc`. Errors: as lt_json_tape_parse(). */
LEAT_MUST_CHECK leat_status lt_machine_read(struct lt_machine *machine, struct lt_slice text,
                                            unsigned max_depth, struct leat_error *err);
/** The first values, at most `max` of them: how many, and the first. ON also when there are more.
 */
enum lt_flow lt_machine_take(struct lt_machine *machine, const struct lt_tree_part *part,
                             struct lt_val input, unsigned max, struct lt_val *first, unsigned *n);
/** Why it is not ON: the value raised, or the limit. Lives as long as the record. */
struct lt_slice lt_machine_reason(struct lt_machine *machine, enum lt_flow flow);
/** Appends a value, which will stand in `depth` containers, as compact JSON. NULL, or why it has no
 * such form: "gave a number that is not finite". */
const char *lt_machine_write(struct lt_machine *machine, struct lt_buf *out, struct lt_val v,
                             unsigned depth);
/** A value that outlives records, in `config`. */
LEAT_MUST_CHECK leat_status lt_machine_keep(struct lt_slice json, struct lt_arena *config,
                                            struct lt_val *out, struct leat_error *err);

/* expr_apart.c */

/** Whether a tree that is given a record looks, for certain, at no field that is among `fields`,
 * nor at the record as a whole. */
bool lt_expr_is_apart(const struct lt_node *root, const struct lt_json_field *fields,
                      size_t n_fields);

/* expr_park.c: records that need answers of libjq */

/** Computes what is asked for the jobs (all of one batch), and their results. */
LEAT_MUST_CHECK leat_status lt_expr_run_parked(struct lt_expr *expr, struct lt_expr_job *jobs,
                                               size_t n, struct leat_error *err);

/** A message as one line for people, in the arena: controls are blanks, what is long is cut. `data`
 * is NULL without memory. */
struct lt_slice lt_expr_one_line(struct lt_slice text, struct lt_arena *arena);

#endif
