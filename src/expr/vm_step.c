/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds that go from a value into it, or hand it on: pipes, fields, indices, slices, `[]`. */
#include "expr/vm_parts.h"

/* What a sink of these kinds needs to go on with its node. */
struct stage {
    struct lt_sink sink;
    const struct lt_node *node;
    struct lt_frame *frame;
    struct lt_sink *down;
    struct lt_val input;
    const struct lt_path *path;
    struct lt_val key;
};

static enum lt_flow pipe_on(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    struct stage *s = (struct stage *)self;
    return lt_vm_eval(vm, s->node, s->frame, v, path, s->down);
}

enum lt_flow lt_vm_pipe(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                        struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct stage s = {{pipe_on}, node->b, frame, sink, input, path, lt_val_null()};
    return lt_vm_eval(vm, node->a, frame, input, path, &s.sink);
}

/* One step by a known key. */
static enum lt_flow step(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                         const struct lt_path *path) {
    struct stage *s = (struct stage *)self;
    struct lt_path place;
    struct lt_val out;
    bool given;
    enum lt_flow flow = lt_vm_walk(vm, v, s->key, s->node->optional, path, &out, &place, &given);

    if (flow != LT_FLOW_ON || !given)
        return flow;
    return lt_vm_emit(vm, s->down, out, path ? &place : NULL);
}

static enum lt_flow step_from(struct lt_vm *vm, struct stage *s) {
    s->sink.emit = step;
    if (s->node->a->kind == LT_NODE_IDENTITY)
        return step(vm, &s->sink, s->input, s->path);
    return lt_vm_eval(vm, s->node->a, s->frame, s->input, s->path, &s->sink);
}

enum lt_flow lt_vm_field(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                         struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct stage s = {{step}, node, frame, sink, input, path, lt_val_string(node->text)};
    return step_from(vm, &s);
}

static enum lt_flow index_by(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                             const struct lt_path *path) {
    struct stage s = *(struct stage *)self;

    (void)path;
    s.key = v;
    return step_from(vm, &s);
}

enum lt_flow lt_vm_index(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                         struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct stage s = {{index_by}, node, frame, sink, input, path, lt_val_null()};
    enum lt_flow flow;

    if (!lt_plan(node->b)->one)
        return lt_vm_eval(vm, node->b, frame, input, NULL, &s.sink);
    flow = lt_vm_one_of(vm, node->b, frame, input, &s.key);
    return flow == LT_FLOW_ON ? step_from(vm, &s) : flow;
}

struct lt_val lt_vm_slice_key(struct lt_vm *vm, struct lt_val from, struct lt_val to) {
    struct lt_val key = lt_val_object(&vm->heap, 2);
    key = lt_val_object_set(&vm->heap, key, lt_val_string(lt_slice_str("start")), from);
    return lt_val_object_set(&vm->heap, key, lt_val_string(lt_slice_str("end")), to);
}

/* The end is known: `key` holds the start. */
static enum lt_flow slice_to(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                             const struct lt_path *path) {
    struct stage s = *(struct stage *)self;

    (void)path;
    s.key = lt_vm_slice_key(vm, s.key, v);
    return step_from(vm, &s);
}

static enum lt_flow slice_from(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct stage s = *(struct stage *)self;

    (void)path;
    s.key = v;
    if (!s.node->c)
        return slice_to(vm, &s.sink, lt_val_null(), NULL);
    s.sink.emit = slice_to;
    return lt_vm_eval(vm, s.node->c, s.frame, s.input, NULL, &s.sink);
}

enum lt_flow lt_vm_slice(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                         struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct stage s = {{slice_from}, node, frame, sink, input, path, lt_val_null()};

    if (!node->b)
        return slice_from(vm, &s.sink, lt_val_null(), NULL);
    return lt_vm_eval(vm, node->b, frame, input, NULL, &s.sink);
}

static enum lt_flow iterate(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    struct stage *s = (struct stage *)self;
    return lt_vm_iterate(vm, v, s->node->optional, path, s->down);
}

enum lt_flow lt_vm_each(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                        struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct stage s = {{iterate}, node, frame, sink, input, path, lt_val_null()};
    enum lt_flow flow;
    struct lt_val v;

    if (path || !lt_plan(node->a)->one)
        return lt_vm_eval(vm, node->a, frame, input, path, &s.sink);
    flow = lt_vm_one_of(vm, node->a, frame, input, &v);
    return flow == LT_FLOW_ON ? lt_vm_iterate(vm, v, node->optional, NULL, sink) : flow;
}

enum lt_flow lt_vm_recurse(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                           struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    (void)node, (void)frame;
    return lt_vm_descend(vm, input, path, sink);
}
