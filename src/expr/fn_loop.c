/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that choose among outputs or make more of them. Those that stop early do so by a
 * break to a label of their own, as jq's definitions do: a `?` on the way catches it there, and
 * here.
 */
#include "expr/fn_core.h"

static struct lt_relay relay(LT_GENERATE) {
    (void)vm;
    return (struct lt_relay){
        .down = sink, .node = node, .frame = frame, .input = input, .path = path};
}

static enum lt_flow break_out(struct lt_vm *vm, const struct lt_relay *r) {
    vm->label = r->label;
    return LT_FLOW_BREAK;
}

static enum lt_flow land(const struct lt_vm *vm, enum lt_flow flow, const struct lt_relay *r) {
    return flow == LT_FLOW_BREAK && vm->label == r->label ? LT_FLOW_ON : flow;
}

/* --- choosing ------------------------------------------------------------------------------- */

static enum lt_flow pass(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                         const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;

    (void)path;
    return lt_val_is_true(v) ? lt_vm_emit(vm, r->down, r->input, r->path) : LT_FLOW_ON;
}

static enum lt_flow select_if(LT_GENERATE) {
    const struct lt_node *condition = node->items[0];
    struct lt_relay r;
    struct lt_val v;
    enum lt_flow flow;

    if (lt_plan(condition)->one) {
        flow = lt_vm_one_of(vm, condition, frame, input, &v);
        if (flow != LT_FLOW_ON || !lt_val_is_true(v))
            return flow;
        return lt_vm_emit(vm, sink, input, path);
    }
    r = relay(vm, node, frame, input, path, sink);
    r.sink.emit = pass;
    return lt_vm_eval(vm, condition, frame, input, NULL, &r.sink);
}

static enum lt_flow give_first(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    enum lt_flow flow = lt_vm_emit(vm, r->down, v, path);
    return flow == LT_FLOW_ON ? break_out(vm, r) : flow;
}

static enum lt_flow first(LT_GENERATE) {
    struct lt_relay r = relay(vm, node, frame, input, path, sink);

    r.sink.emit = give_first;
    r.label = vm->next_label++;
    return land(vm, lt_vm_eval(vm, node->items[0], frame, input, path, &r.sink), &r);
}

static enum lt_flow last(LT_GENERATE) {
    struct lt_last l = lt_vm_last();
    enum lt_flow flow = lt_vm_eval(vm, node->items[0], frame, input, path, &l.sink);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, sink, l.value, path) : flow;
}

/* `state` is how many are still wanted. */
static enum lt_flow give_some(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    struct lt_val left;
    enum lt_flow flow = lt_vm_binary(vm, LT_OP_SUB, r->state, lt_val_int(1), &left);

    r->state = lt_val_null(); /* if it failed and a `?` goes on: jq has moved it out */
    if (flow != LT_FLOW_ON)
        return flow;
    r->state = left;
    flow = lt_vm_emit(vm, r->down, v, path);
    if (flow != LT_FLOW_ON || lt_val_compare(&vm->heap, left, lt_val_int(0)) > 0)
        return flow;
    return break_out(vm, r);
}

static enum lt_flow limit_to(struct lt_vm *vm, struct lt_relay *r, struct lt_val n,
                             struct lt_sink *sink) {
    struct lt_relay some = *r;

    if (lt_val_compare(&vm->heap, n, lt_val_int(0)) < 0)
        return lt_vm_eval(vm, r->node->items[1], r->frame, r->input, r->path, sink);
    some.sink.emit = give_some;
    some.down = sink;
    some.state = n;
    some.label = vm->next_label++;
    return land(vm, lt_vm_eval(vm, r->node->items[1], r->frame, r->input, r->path, &some.sink),
                &some);
}

static enum lt_flow take_limit(struct lt_vm *vm, struct lt_sink *self, struct lt_val n,
                               const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    (void)path;
    return limit_to(vm, r, n, r->down);
}

static enum lt_flow limit(LT_GENERATE) {
    struct lt_relay r = relay(vm, node, frame, input, path, sink);
    r.sink.emit = take_limit;
    return lt_vm_eval(vm, node->items[0], frame, input, NULL, &r.sink);
}

static enum lt_flow take_nth(struct lt_vm *vm, struct lt_sink *self, struct lt_val n,
                             const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    struct lt_last l = lt_vm_last();
    struct lt_val count;
    enum lt_flow flow;

    (void)path;
    if (lt_val_compare(&vm->heap, n, lt_val_int(0)) < 0)
        return lt_vm_raise(vm, "nth doesn't support negative indices");
    flow = lt_vm_binary(vm, LT_OP_ADD, n, lt_val_int(1), &count);
    if (flow == LT_FLOW_ON)
        flow = limit_to(vm, r, count, &l.sink);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, r->down, l.value, r->path) : flow;
}

static enum lt_flow nth(LT_GENERATE) {
    struct lt_relay r = relay(vm, node, frame, input, path, sink);
    r.sink.emit = take_nth;
    return lt_vm_eval(vm, node->items[0], frame, input, NULL, &r.sink);
}

/* --- asking --------------------------------------------------------------------------------- */

static enum lt_flow not_empty(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    enum lt_flow flow = lt_vm_emit(vm, r->down, lt_val_bool(false), r->path);

    (void)v, (void)path;
    r->state = lt_val_bool(true);
    return flow == LT_FLOW_ON ? break_out(vm, r) : flow;
}

static enum lt_flow is_empty(LT_GENERATE) {
    struct lt_relay r = relay(vm, node, frame, input, path, sink);
    enum lt_flow flow;

    r.sink.emit = not_empty;
    r.state = lt_val_bool(false);
    r.label = vm->next_label++;
    flow = land(vm, lt_vm_eval(vm, node->items[0], frame, input, NULL, &r.sink), &r);
    if (flow != LT_FLOW_ON || lt_val_is_true(r.state))
        return flow;
    return lt_vm_emit(vm, sink, lt_val_bool(true), path);
}

/*
 * jq's any and all: each output of the condition is the new state; those that decide are counted;
 * what the generator gives after that breaks out. `all` holds when none decided, `any` when exactly
 * one did: `any(1; true, true)` is false in jq 1.6. No output of the condition is a state of null.
 */
struct quantify {
    struct lt_relay r;
    struct lt_sink decide;
    const struct lt_node *condition; /* NULL: the element itself */
    bool wanted;                     /* what decides: true for any, false for all */
    bool state;
    size_t n;
};

static enum lt_flow decide(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                           const struct lt_path *path) {
    struct quantify *q = (struct quantify *)((char *)self - offsetof(struct quantify, decide));

    (void)vm, (void)path;
    q->state = lt_val_is_true(v);
    q->n += q->state == q->wanted;
    return LT_FLOW_ON;
}

static enum lt_flow quantify_next(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                  const struct lt_path *path) {
    struct quantify *q = (struct quantify *)self;
    bool decided = q->state == q->wanted;

    (void)path;
    q->state = false;
    if (decided)
        return break_out(vm, &q->r);
    if (!q->condition)
        return decide(vm, &q->decide, v, NULL);
    return lt_vm_eval(vm, q->condition, q->r.frame, v, NULL, &q->decide);
}

static enum lt_flow quantify(LT_GENERATE, bool wanted) {
    struct quantify q = {.r = relay(vm, node, frame, input, path, sink),
                         .decide = {decide},
                         .condition = node->n ? node->items[node->n - 1] : NULL,
                         .wanted = wanted,
                         .state = !wanted};
    enum lt_flow flow;

    q.r.sink.emit = quantify_next;
    q.r.label = vm->next_label++;
    if (node->n == 2)
        flow = lt_vm_eval(vm, node->items[0], frame, input, path, &q.r.sink);
    else
        flow = lt_vm_iterate(vm, input, false, path, &q.r.sink);
    flow = land(vm, flow, &q.r);
    if (flow != LT_FLOW_ON)
        return flow;
    return lt_vm_emit(vm, sink, lt_val_bool(q.n == (wanted ? 1 : 0)), path);
}

static enum lt_flow any(LT_GENERATE) {
    return quantify(vm, node, frame, input, path, sink, true);
}

static enum lt_flow all(LT_GENERATE) {
    return quantify(vm, node, frame, input, path, sink, false);
}

/* --- many ----------------------------------------------------------------------------------- */

static enum lt_flow map_element(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    return lt_vm_eval(vm, r->node->items[0], r->frame, v, path, r->down);
}

static enum lt_flow map(LT_GENERATE) {
    struct lt_collect c = lt_vm_collect(vm);
    struct lt_relay r = relay(vm, node, frame, input, path, &c.sink);
    enum lt_flow flow;

    r.sink.emit = map_element;
    flow = lt_vm_iterate(vm, input, false, path, &r.sink);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, sink, c.array, path) : flow;
}

static enum lt_flow recurse_into(LT_GENERATE);

static enum lt_flow recurse_on(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    return recurse_into(vm, r->node, r->frame, v, path, r->down);
}

static enum lt_flow recurse_kept(struct lt_vm *vm, struct lt_sink *self, struct lt_val keep,
                                 const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;

    (void)path;
    if (!lt_val_is_true(keep))
        return LT_FLOW_ON;
    return recurse_into(vm, r->node, r->frame, r->input, r->path, r->down);
}

/* recurse(f; keep): the outputs of f are kept or not before they are gone into. */
static enum lt_flow recurse_check(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                  const struct lt_path *path) {
    struct lt_relay r = *(struct lt_relay *)self;

    r.input = v;
    r.path = path;
    r.sink.emit = recurse_kept;
    return lt_vm_eval(vm, r.node->items[1], r.frame, v, NULL, &r.sink);
}

static enum lt_flow recurse_into(LT_GENERATE) {
    const struct lt_node *f = node->items[0];
    struct lt_relay r = relay(vm, node, frame, input, path, sink);
    enum lt_flow flow = lt_vm_emit(vm, sink, input, path);

    r.sink.emit = node->n == 2 ? recurse_check : recurse_on;
    while (flow == LT_FLOW_ON && !path && node->n == 1 && lt_plan(f)->one) {
        struct lt_val next; /* a chain: no stack is used */
        flow = lt_vm_step(vm);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_one_of(vm, f, frame, input, &next);
        if (flow != LT_FLOW_ON)
            return flow;
        input = next;
        flow = lt_vm_emit(vm, sink, input, NULL);
    }
    return flow == LT_FLOW_ON ? lt_vm_eval(vm, f, frame, input, path, &r.sink) : flow;
}

static enum lt_flow recurse(LT_GENERATE) {
    if (node->n == 0)
        return lt_vm_descend(vm, input, path, sink);
    return recurse_into(vm, node, frame, input, path, sink);
}

/* In jq 1.6 it gives f's outputs for the same input again and again. */
static enum lt_flow repeat(LT_GENERATE) {
    enum lt_flow flow = LT_FLOW_ON;

    while (flow == LT_FLOW_ON)
        flow = lt_vm_eval(vm, node->items[0], frame, input, path, sink);
    return flow;
}

const struct lt_fn lt_fn_loop[] = {
    {"select", 1, NULL, select_if}, {"first", 1, NULL, first},     {"last", 1, NULL, last},
    {"limit", 2, NULL, limit},      {"nth", 2, NULL, nth},         {"isempty", 1, NULL, is_empty},
    {"any", 0, NULL, any},          {"any", 1, NULL, any},         {"any", 2, NULL, any},
    {"all", 0, NULL, all},          {"all", 1, NULL, all},         {"all", 2, NULL, all},
    {"map", 1, NULL, map},          {"recurse", 0, NULL, recurse}, {"recurse", 1, NULL, recurse},
    {"recurse", 2, NULL, recurse},  {"repeat", 1, NULL, repeat},   {NULL, 0, NULL, NULL},
};
