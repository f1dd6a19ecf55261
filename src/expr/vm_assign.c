/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assignments. The left side's paths are found in the input as it was, one after the other, and
 * each is set in the value that the ones before it made.
 */
#include "expr/vm_parts.h"

struct assign {
    struct lt_sink sink;  /* takes the right side's values */
    struct lt_sink place; /* takes the left side's paths */
    struct lt_sink set;   /* takes what is to stand there */
    const struct lt_node *node;
    struct lt_frame *frame;
    struct lt_sink *down;
    struct lt_val input;
    const struct lt_path *path;
    struct lt_val right;
    struct lt_val state;        /* the value made so far */
    const struct lt_keys *keys; /* the place at hand */
    struct lt_val before;       /* the state that it is set in */
    uint64_t label;
};

static struct assign *of_place(struct lt_sink *self) {
    return (struct assign *)((char *)self - offsetof(struct assign, place));
}

/* `op` of what stood there and the right side's value. */
static enum lt_flow operate(struct lt_vm *vm, const struct assign *a, struct lt_val old,
                            struct lt_val *out) {
    *out = a->right;
    if (a->node->op == LT_OP_SET)
        return LT_FLOW_ON;
    if (a->node->op == LT_OP_ALTERNATIVE) {
        if (lt_val_is_true(old))
            *out = old;
        return LT_FLOW_ON;
    }
    return lt_vm_binary(vm, (enum lt_op)a->node->op, old, a->right, out);
}

/* The state stays null when it fails: a `?` on the left side may go on from there. */
static enum lt_flow set_at(struct lt_vm *vm, struct assign *a, struct lt_val v) {
    struct lt_val made;
    enum lt_flow flow = lt_vm_setpath(vm, a->before, a->keys->at, a->keys->n, v, &made);

    if (flow == LT_FLOW_ON)
        a->state = made;
    return flow;
}

/* The first output of an update is what counts; jq leaves the rest by a break. */
static enum lt_flow set_first(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    struct assign *a = (struct assign *)((char *)self - offsetof(struct assign, set));
    enum lt_flow flow = set_at(vm, a, v);

    (void)path;
    if (flow != LT_FLOW_ON)
        return flow;
    vm->label = a->label;
    return LT_FLOW_BREAK;
}

/* No output (or a break that a `?` in the update swallowed): the place is removed. */
static enum lt_flow remove_place(struct lt_vm *vm, struct assign *a) {
    struct lt_val keys = lt_val_array(&vm->heap, a->keys->n);
    struct lt_val places = lt_val_array(&vm->heap, 1);

    for (size_t i = 0; i < a->keys->n; i++)
        keys = lt_val_array_append(&vm->heap, keys, a->keys->at[i]);
    places = lt_val_array_append(&vm->heap, places, keys);
    struct lt_val made;
    enum lt_flow flow = lt_vm_delpaths(vm, a->before, places, &made);
    if (flow == LT_FLOW_ON)
        a->state = made;
    return flow;
}

static enum lt_flow update(struct lt_vm *vm, struct assign *a, struct lt_val old) {
    const struct lt_node *f = a->node->b;
    struct lt_val v;
    enum lt_flow flow;

    if (lt_plan(f)->one) {
        flow = lt_vm_one_of(vm, f, a->frame, old, &v);
        return flow == LT_FLOW_ON ? set_at(vm, a, v) : flow;
    }
    a->label = vm->next_label++;
    flow = lt_vm_eval(vm, f, a->frame, old, NULL, &a->set);
    if (flow == LT_FLOW_BREAK && vm->label == a->label)
        return LT_FLOW_ON;
    return flow == LT_FLOW_ON ? remove_place(vm, a) : flow;
}

static enum lt_flow set_place(struct lt_vm *vm, struct lt_sink *self, struct lt_val unused,
                              const struct lt_path *path) {
    struct assign *a = of_place(self);
    struct lt_keys keys;
    struct lt_val old, v;
    enum lt_flow flow = lt_vm_step(vm);

    (void)unused;
    if (flow != LT_FLOW_ON || !lt_keys_of(vm, &keys, path))
        return lt_vm_check(vm);
    a->keys = &keys;
    a->before = a->state;
    a->state = lt_val_null();
    if (a->node->op != LT_OP_SET) {
        flow = lt_vm_getpath(vm, a->before, keys.at, keys.n, &old);
        if (flow != LT_FLOW_ON)
            return flow;
        if (a->node->op == LT_OP_UPDATE)
            return update(vm, a, old);
    } else {
        old = lt_val_null();
    }
    flow = operate(vm, a, old, &v);
    return flow == LT_FLOW_ON ? set_at(vm, a, v) : flow;
}

static enum lt_flow assign(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                           const struct lt_path *path) {
    struct assign *a = (struct assign *)self;
    enum lt_flow flow;

    if (path) /* that of the right side: in jq it runs on */
        a->path = path;
    a->right = v;
    a->state = a->input;
    flow = lt_vm_paths(vm, a->node->a, a->frame, a->input, &a->place);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, a->down, a->state, a->path) : flow;
}

enum lt_flow lt_vm_assign(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                          struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct assign a = {
        .sink = {assign},
        .place = {set_place},
        .set = {set_first},
        .node = node,
        .frame = frame,
        .down = sink,
        .input = input,
        .path = path,
    };

    if (node->op == LT_OP_UPDATE)
        return assign(vm, &a.sink, lt_val_null(), NULL);
    return lt_vm_eval(vm, node->b, frame, input, node->op == LT_OP_SET ? NULL : path, &a.sink);
}
