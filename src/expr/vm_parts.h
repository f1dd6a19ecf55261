/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VM_PARTS_H
#define LT_EXPR_VM_PARTS_H

#include "expr/fn.h"

/*
 * How a tree is run. Each node has a plan. One that always gives exactly one output (or an error)
 * has `one`, which computes it at once; all others are evaluated into a sink (lt_vm_eval()).
 *
 * Paths. jq keeps one "current path" with the value that stands there, whatever else is computed in
 * between, and demands at each step, and at the end, that the value at hand is that very value. So
 * in path mode each output carries the current path, be it the output's own or not.
 *
 * Frames live as long as the call: no closure outlives the call that it was given to. A slot is set
 * for each output of what it is bound to; who binds it puts back what was there, since the same
 * expression can be at work twice in one frame (a closure that is called while it gives an output).
 */

typedef enum lt_flow lt_vm_one(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                               struct lt_val input, struct lt_val *out);

struct lt_plan {
    lt_vm_one *one;      /**< NULL: any number of outputs */
    struct lt_val value; /**< LITERAL */
    unsigned *slots;     /**< AS, REDUCE, FOREACH: all that their patterns bind */
    unsigned n_slots;
    bool calls_params; /**< of a definition's body: a closure of its own is called in it */
};

static inline const struct lt_plan *lt_plan(const struct lt_node *node) {
    return node->plan;
}

struct lt_closure {
    const struct lt_node *node;
    struct lt_frame *frame;
};

struct lt_frame {
    struct lt_frame *up; /**< of the definition that this one stands in */
    struct lt_closure *params;
    struct lt_val *vars;
};

enum { LT_FRAME_ROOM = 4 };

/** A frame and its content where that is small, as most are; on the stack of who calls. */
struct lt_frame_room {
    struct lt_frame frame;
    struct lt_val vars[LT_FRAME_ROOM];
    struct lt_closure params[LT_FRAME_ROOM];
};

/** Makes a frame for a call of `def`; false without memory. */
bool lt_frame_open(struct lt_vm *vm, struct lt_frame_room *room, const struct lt_def *def,
                   struct lt_frame *up);

/** As lt_vm_eval(); `room` holds `frame` and serves a call in the last place of it too. */
enum lt_flow lt_vm_eval_in(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                           struct lt_val input, const struct lt_path *path, struct lt_sink *sink,
                           struct lt_frame_room *room);
/** Whether a call in the last place of `frame` needs nothing of it any more. */
bool lt_vm_can_reuse(const struct lt_node *call, const struct lt_frame *frame);
enum lt_flow lt_vm_reuse(struct lt_vm *vm, const struct lt_node *call, struct lt_frame_room *room,
                         struct lt_val input);

static inline struct lt_frame *lt_frame_up(struct lt_frame *frame, unsigned up) {
    for (; up && frame; up--) /* a definition of the prelude stands nowhere */
        frame = frame->up;
    return frame;
}

/** The output of a node that has `one`. */
static inline enum lt_flow lt_vm_one_of(struct lt_vm *vm, const struct lt_node *node,
                                        struct lt_frame *frame, struct lt_val input,
                                        struct lt_val *out) {
    return lt_plan(node)->one(vm, node, frame, input, out);
}

static inline enum lt_flow lt_vm_emit(struct lt_vm *vm, struct lt_sink *sink, struct lt_val v,
                                      const struct lt_path *path) {
    return sink->emit(vm, sink, v, path);
}

/** What a node of this kind is computed with when it gives one output; NULL: it may give others.
 * The nodes below it have their plans. (vm_one.c) */
lt_vm_one *lt_vm_find_one(const struct lt_node *node);

/* The kinds (vm_step.c, vm_value.c, vm_bind.c, vm_call.c, vm_assign.c): as lt_vm_eval(). */
typedef enum lt_flow lt_vm_kind(struct lt_vm *vm, const struct lt_node *node,
                                struct lt_frame *frame, struct lt_val input,
                                const struct lt_path *path, struct lt_sink *sink);
lt_vm_kind lt_vm_pipe, lt_vm_field, lt_vm_index, lt_vm_slice, lt_vm_each, lt_vm_recurse,
    lt_vm_negation, lt_vm_operation, lt_vm_and_or, lt_vm_if, lt_vm_array, lt_vm_object,
    lt_vm_string, lt_vm_as, lt_vm_reduce, lt_vm_foreach, lt_vm_label, lt_vm_call, lt_vm_row,
    lt_vm_assign;
/** The left side of `a // b`; `*found` tells whether the right one is not asked for. */
enum lt_flow lt_vm_preferred(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                             struct lt_val input, const struct lt_path *path, struct lt_sink *sink,
                             bool *found);
/** What `try` does with an error that came to it: ON and `*caught` when the handler is to run. */
enum lt_flow lt_vm_catch(struct lt_vm *vm, enum lt_flow flow, struct lt_val *caught);

/* Steps on values, with their paths. */

/** Whether jq would take both for the same value in memory. */
bool lt_vm_is_same(struct lt_val a, struct lt_val b);
/** What was computed, for whoever is asked for a path: a text that jq makes anew is never the very
 * value that stands there, even where nothing was added to it. */
struct lt_val lt_vm_apart(struct lt_vm *vm, struct lt_val v, const struct lt_path *path);
/** `v[key]`, and where it stands. `*given` is false when an optional step failed. */
enum lt_flow lt_vm_walk(struct lt_vm *vm, struct lt_val v, struct lt_val key, bool optional,
                        const struct lt_path *path, struct lt_val *out, struct lt_path *place,
                        bool *given);
/** `v[]` */
enum lt_flow lt_vm_iterate(struct lt_vm *vm, struct lt_val v, bool optional,
                           const struct lt_path *path, struct lt_sink *sink);
/** `v | recurse(.[]?)` */
enum lt_flow lt_vm_descend(struct lt_vm *vm, struct lt_val v, const struct lt_path *path,
                           struct lt_sink *sink);
enum lt_flow lt_vm_negate(struct lt_vm *vm, struct lt_val v, struct lt_val *out);
enum lt_flow lt_vm_bad_key(struct lt_vm *vm, struct lt_val key);
struct lt_val lt_vm_slice_key(struct lt_vm *vm, struct lt_val from, struct lt_val to);
enum lt_flow lt_vm_env(struct lt_vm *vm, struct lt_val *out);

/* Paths that are asked for. */

enum { LT_KEYS_ROOM = 16 };
struct lt_keys {
    struct lt_val *at; /**< the keys, outermost first */
    size_t n;
    struct lt_val room[LT_KEYS_ROOM];
};
/** The keys of a path; false without memory. */
bool lt_keys_of(struct lt_vm *vm, struct lt_keys *keys, const struct lt_path *path);
struct lt_val lt_keys_array(struct lt_vm *vm, const struct lt_path *path);
/** `path(node)`: calls `sink` with each output and its path, which is its own. */
enum lt_flow lt_vm_paths(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                         struct lt_val input, struct lt_sink *sink);

/** A sink that appends to an array. */
struct lt_collect {
    struct lt_sink sink;
    struct lt_val array;
};
struct lt_collect lt_vm_collect(struct lt_vm *vm);

/** A sink that keeps the last output. */
struct lt_last {
    struct lt_sink sink;
    struct lt_val value;
};
struct lt_last lt_vm_last(void);

/* Bindings (vm_bind.c). */

/** Binds a pattern without alternatives whose keys give one output each. */
enum lt_flow lt_vm_bind_one(struct lt_vm *vm, const struct lt_pattern *pattern,
                            struct lt_frame *frame, struct lt_val v);
bool lt_vm_pattern_is_one(const struct lt_pattern *pattern);
/** Room for what stood in the slots of a node's patterns. */
struct lt_saved {
    struct lt_val *at;
    struct lt_val room[LT_FRAME_ROOM];
};
bool lt_vm_save(struct lt_vm *vm, const struct lt_node *node, const struct lt_frame *frame,
                struct lt_saved *saved);
void lt_vm_restore(const struct lt_node *node, struct lt_frame *frame,
                   const struct lt_saved *saved);

#endif
