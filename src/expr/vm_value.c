/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds that make new values out of others' outputs, where one of those gives any number. What
 * is written last is the outer loop for operators, arguments and texts; for objects it is the
 * first.
 */
#include "expr/vm_parts.h"

struct work {
    struct lt_sink sink;
    const struct lt_node *node;
    struct lt_frame *frame;
    struct lt_sink *down;
    struct lt_val input;
    const struct lt_path *path;
    struct lt_val other; /* the operand, object or text that is ready */
    size_t i;            /* OBJECT, STRING: the item at hand */
};

static struct work begin(const struct lt_node *node, struct lt_frame *frame, struct lt_val input,
                         const struct lt_path *path, struct lt_sink *sink) {
    return (struct work){{NULL}, node, frame, sink, input, path, lt_val_null(), 0};
}

static enum lt_flow collect(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    struct lt_collect *c = (struct lt_collect *)self;

    (void)path;
    c->array = lt_val_array_append(&vm->heap, c->array, v);
    return LT_FLOW_ON;
}

struct lt_collect lt_vm_collect(struct lt_vm *vm) {
    return (struct lt_collect){{collect}, lt_val_array(&vm->heap, 0)};
}

static enum lt_flow keep(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                         const struct lt_path *path) {
    struct lt_last *l = (struct lt_last *)self;

    (void)vm, (void)path;
    l->value = v;
    return LT_FLOW_ON;
}

struct lt_last lt_vm_last(void) {
    return (struct lt_last){{keep}, lt_val_null()};
}

enum lt_flow lt_vm_negate(struct lt_vm *vm, struct lt_val v, struct lt_val *out) {
    char text[16];

    if (v.kind != LT_VAL_NUMBER)
        return lt_vm_raise(vm, "%s (%s) cannot be negated", lt_val_type(v),
                           lt_val_shortened(&vm->heap, v, text));
    v = lt_val_number(v);
    if (v.form == LT_VAL_INT && v.i != 0 && v.i != INT64_MIN)
        *out = lt_val_int(-v.i);
    else
        *out = lt_val_double(-lt_val_as_double(v));
    return LT_FLOW_ON;
}

static enum lt_flow negate(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                           const struct lt_path *path) {
    struct work *w = (struct work *)self;
    struct lt_val out = lt_val_null();
    enum lt_flow flow = lt_vm_negate(vm, v, &out);

    return flow == LT_FLOW_ON ? lt_vm_emit(vm, w->down, out, path) : flow;
}

enum lt_flow lt_vm_negation(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                            struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct work w = begin(node, frame, input, path, sink);

    w.sink.emit = negate;
    return lt_vm_eval(vm, node->a, frame, input, path, &w.sink);
}

static enum lt_flow operate(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    struct work *w = (struct work *)self;
    struct lt_val out;
    enum lt_flow flow = lt_vm_binary(vm, (enum lt_op)w->node->op, v, w->other, &out);

    (void)path;
    if (flow != LT_FLOW_ON)
        return flow;
    if (v.kind == LT_VAL_STRING && w->other.kind == LT_VAL_STRING)
        out = lt_vm_apart(vm, out, w->path); /* `. + null` is the same value, `. + ""` is not */
    return lt_vm_emit(vm, w->down, out, w->path);
}

static enum lt_flow take_right(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct work w = *(struct work *)self;

    (void)path;
    w.other = v;
    w.sink.emit = operate;
    return lt_vm_eval(vm, w.node->a, w.frame, w.input, NULL, &w.sink);
}

enum lt_flow lt_vm_operation(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                             struct lt_val input, const struct lt_path *path,
                             struct lt_sink *sink) {
    struct work w = begin(node, frame, input, path, sink);

    w.sink.emit = take_right;
    return lt_vm_eval(vm, node->b, frame, input, NULL, &w.sink);
}

static enum lt_flow as_bool(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    struct work *w = (struct work *)self;
    return lt_vm_emit(vm, w->down, lt_val_bool(lt_val_is_true(v)), path);
}

/* The current path runs on from the left side into the right one, as in jq. */
static enum lt_flow take_left(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    struct work w = *(struct work *)self;

    if (lt_val_is_true(v) == (w.node->kind == LT_NODE_OR))
        return lt_vm_emit(vm, w.down, lt_val_bool(w.node->kind == LT_NODE_OR), path);
    w.sink.emit = as_bool;
    return lt_vm_eval(vm, w.node->b, w.frame, w.input, path, &w.sink);
}

enum lt_flow lt_vm_and_or(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                          struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct work w = begin(node, frame, input, path, sink);

    w.sink.emit = take_left;
    return lt_vm_eval(vm, node->a, frame, input, path, &w.sink);
}

static enum lt_flow branch(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                           const struct lt_path *path) {
    struct work *w = (struct work *)self;
    const struct lt_node *next = lt_val_is_true(v) ? w->node->b : w->node->c;

    (void)path;
    if (!next)
        return lt_vm_emit(vm, w->down, w->input, w->path);
    return lt_vm_eval(vm, next, w->frame, w->input, w->path, w->down);
}

enum lt_flow lt_vm_if(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                      struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct work w = begin(node, frame, input, path, sink);

    w.sink.emit = branch;
    return lt_vm_eval(vm, node->a, frame, input, NULL, &w.sink);
}

static enum lt_flow prefer(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                           const struct lt_path *path) {
    struct work *w = (struct work *)self;

    if (!lt_val_is_true(v))
        return LT_FLOW_ON;
    w->i = 1;
    return lt_vm_emit(vm, w->down, v, path);
}

enum lt_flow lt_vm_preferred(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                             struct lt_val input, const struct lt_path *path, struct lt_sink *sink,
                             bool *found) {
    struct work w = begin(node, frame, input, path, sink);
    enum lt_flow flow;

    w.sink.emit = prefer;
    flow = lt_vm_eval(vm, node->a, frame, input, path, &w.sink);
    *found = w.i != 0;
    return flow;
}

enum lt_flow lt_vm_array(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                         struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct lt_collect c = lt_vm_collect(vm);
    enum lt_flow flow = LT_FLOW_ON;

    if (node->a)
        flow = lt_vm_eval(vm, node->a, frame, input, path, &c.sink);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, sink, c.array, path) : flow;
}

/* jq finds it when it puts the member in, so that an error of the value comes first. */
enum lt_flow lt_vm_bad_key(struct lt_vm *vm, struct lt_val key) {
    char text[16];
    return lt_vm_raise(vm, "Cannot use %s (%s) as object key", lt_val_type(key),
                       lt_val_shortened(&vm->heap, key, text));
}

static enum lt_flow set_member(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path);

/* `input` of the key's sink is the whole's input; the key itself travels in `key`. */
struct member {
    struct work work;
    struct lt_val key;
};

static enum lt_flow take_key(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                             const struct lt_path *path) {
    struct member m = *(struct member *)self;

    (void)path;
    m.key = v;
    m.work.sink.emit = set_member;
    if (!m.work.node->items[m.work.i + 1]) { /* {"a\(1)"}: what stands there */
        enum lt_flow flow = lt_vm_get(vm, m.work.input, m.key, &v);
        return flow == LT_FLOW_ON ? set_member(vm, &m.work.sink, v, NULL) : flow;
    }
    return lt_vm_eval(vm, m.work.node->items[m.work.i + 1], m.work.frame, m.work.input, NULL,
                      &m.work.sink);
}

static enum lt_flow members_from(struct lt_vm *vm, struct member *m) {
    if (m->work.i == m->work.node->n)
        return lt_vm_emit(vm, m->work.down, m->work.other, m->work.path);
    m->work.sink.emit = take_key;
    return lt_vm_eval(vm, m->work.node->items[m->work.i], m->work.frame, m->work.input, NULL,
                      &m->work.sink);
}

static enum lt_flow set_member(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct member m = *(struct member *)self;

    (void)path;
    if (m.key.kind != LT_VAL_STRING)
        return lt_vm_bad_key(vm, m.key);
    m.work.other = lt_val_object_set(&vm->heap, m.work.other, m.key, v);
    m.work.i += 2;
    return members_from(vm, &m);
}

enum lt_flow lt_vm_object(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                          struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct member m = {begin(node, frame, input, path, sink), lt_val_null()};

    m.work.other = lt_val_object(&vm->heap, node->n / 2);
    return members_from(vm, &m);
}

static enum lt_flow texts_before(struct lt_vm *vm, struct work *w);

static enum lt_flow take_text(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    struct work w = *(struct work *)self;
    struct lt_val text;
    enum lt_flow flow = lt_fn_format(vm, (enum lt_format)w.node->format, v, &text);

    (void)path;
    if (flow != LT_FLOW_ON)
        return flow;
    w.other = lt_val_concat(&vm->heap, text, w.other);
    return texts_before(vm, &w);
}

/* From the last item to the first, which is the innermost loop: `other` is what stands behind. */
static enum lt_flow texts_before(struct lt_vm *vm, struct work *w) {
    while (w->i > 0) {
        const struct lt_node *item = w->node->items[--w->i];
        if (item->kind != LT_NODE_LITERAL || w->i % 2 == 1) {
            w->sink.emit = take_text;
            return lt_vm_eval(vm, item, w->frame, w->input, NULL, &w->sink);
        }
        w->other = lt_val_concat(&vm->heap, lt_plan(item)->value, w->other);
    }
    return lt_vm_emit(vm, w->down, lt_vm_apart(vm, w->other, w->path), w->path);
}

enum lt_flow lt_vm_string(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                          struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct work w = begin(node, frame, input, path, sink);

    w.i = node->n;
    w.other = lt_val_string(lt_slice_str(""));
    return texts_before(vm, &w);
}
