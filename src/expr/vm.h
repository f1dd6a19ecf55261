/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VM_H
#define LT_EXPR_VM_H

#include "expr/tree.h"
#include "expr/val.h"

/*
 * Runs a checked tree. An expression has any number of outputs: evaluation takes a sink and calls
 * it once an output, so that a pipe is a sink that evaluates its right side, and nothing is
 * collected that nobody asked to collect. Steps, memory and depth are counted; each has a limit.
 */

struct lt_vm;

/** What a step says to the one that called it. All but ON unwind. */
enum lt_flow {
    LT_FLOW_ON,
    LT_FLOW_ERROR, /**< vm->error is the value raised; `try` catches it */
    LT_FLOW_BREAK, /**< out to the label whose identity is vm->label */
    LT_FLOW_STOP,  /**< steps or memory are used up: the record's failure; nothing catches it.
                      vm->why says  which */
    LT_FLOW_BAIL,  /**< cannot be done here as jq does it (recursion too deep for the stack, …):
                      libjq is asked;  nothing catches it */
};

/** Where a value stands in the input of `path(…)`: its last key, and the path above. An output
 * need not be the value that stands there (`path(.a | tojson)`): jq tells when a further step is
 * made from it, or at the end. */
struct lt_path {
    const struct lt_path *up; /**< NULL: this is the root, and has no key */
    struct lt_val key;
    struct lt_val value; /**< what stands there */
};

struct lt_sink {
    /** `path` is NULL where none is kept. */
    enum lt_flow (*emit)(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                         const struct lt_path *path);
};

struct lt_frame; /* the evaluator's own */

struct lt_vm_limits {
    uint64_t max_steps; /**< a record; 0: no limit */
    int64_t max_ms;     /**< a record; looked at every few thousand steps; 0: no limit */
};

struct lt_vm {
    struct lt_heap heap; /**< the run's memory: its arena's `max` is the limit */
    struct lt_val error; /**< FLOW_ERROR */
    uint64_t label;      /**< FLOW_BREAK */
    const char *why;     /**< FLOW_STOP: "took more than 1,000,000 steps" */
    char why_text[96];

    /* set by who owns it, before the first run */
    struct lt_vm_limits limits;
    const struct lt_val *globals; /**< of lt_expr_var, by NODE_GLOBAL's index */
    bool allow_env;               /**< `env`, `$ENV`; else they are refused */
    /** `input`: ON with a value, ERROR "No more inputs". NULL: refused, as in a pipeline. */
    enum lt_flow (*next_input)(struct lt_vm *vm, void *ctx, struct lt_val *out);
    void *input_ctx;
    /** `debug`, `stderr`: gets the text; NULL: nothing is written. */
    void (*message)(void *ctx, struct lt_slice text);
    void *message_ctx;
    struct lt_slice filename; /**< `input_filename`; data NULL: null */

    /* the evaluator's own */
    uint64_t steps;
    uint64_t next_check;
    int64_t started_us;
    const char *stack_end;
    uint64_t next_label;
    void *regexes; /**< compiled patterns, kept over runs (fn_regex.c) */
};

/** An empty machine. `arena` is what runs allocate from; the caller resets it between records. */
void lt_vm_init(struct lt_vm *vm, struct lt_arena *arena);
void lt_vm_deinit(struct lt_vm *vm);

/** Makes `plan`s of a tree once (literals, formats); `arena` outlives the tree's runs. */
LEAT_MUST_CHECK leat_status lt_vm_prepare(struct lt_tree_part *part, struct lt_arena *arena,
                                          struct leat_error *err);

/** Runs a part on `input`, each output to `sink`. Begins the count of steps anew unless `more`. */
enum lt_flow lt_vm_run(struct lt_vm *vm, const struct lt_tree_part *part, struct lt_val input,
                       bool more, struct lt_sink *sink);

/* --- for builtins ------------------------------------------------------------------------ */

/** Raises a string. Always LT_FLOW_ERROR (or STOP without memory). */
enum lt_flow lt_vm_raise(struct lt_vm *vm, const char *fmt, ...) LEAT_PRINTF(2, 3);

/** One step of work that is not a node's (an element in a C loop): ON, or STOP when they are used
 * up. */
static inline enum lt_flow lt_vm_step(struct lt_vm *vm);
enum lt_flow lt_vm_check(struct lt_vm *vm); /* the slow half */
static inline enum lt_flow lt_vm_step(struct lt_vm *vm) {
    return ++vm->steps >= vm->next_check || vm->heap.full ? lt_vm_check(vm) : LT_FLOW_ON;
}

/** Evaluates an argument of the builtin at work, with `input`, in the frame it stands in. */
enum lt_flow lt_vm_eval(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                        struct lt_val input, const struct lt_path *path, struct lt_sink *sink);

/* jq's operators on values. */
enum lt_flow lt_vm_binary(struct lt_vm *vm, enum lt_op op, struct lt_val a, struct lt_val b,
                          struct lt_val *out);
/** `v[key]`: by name, by number, by {"start","end"} object, and `.[array]` (indices). */
enum lt_flow lt_vm_get(struct lt_vm *vm, struct lt_val v, struct lt_val key, struct lt_val *out);
enum lt_flow lt_vm_set(struct lt_vm *vm, struct lt_val v, struct lt_val key, struct lt_val value,
                       struct lt_val *out);
enum lt_flow lt_vm_getpath(struct lt_vm *vm, struct lt_val v, const struct lt_val *keys, size_t n,
                           struct lt_val *out);
enum lt_flow lt_vm_setpath(struct lt_vm *vm, struct lt_val v, const struct lt_val *keys, size_t n,
                           struct lt_val value, struct lt_val *out);
enum lt_flow lt_vm_delpaths(struct lt_vm *vm, struct lt_val v, struct lt_val paths,
                            struct lt_val *out);

#endif
