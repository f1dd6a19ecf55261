/* SPDX-License-Identifier: Apache-2.0 */
/* Counting and loops: range, while, until. */
#include "expr/fn_core.h"

/* --- range ----------------------------------------------------------------------------------- */

static enum lt_flow count_ints(struct lt_vm *vm, int64_t from, double upto, struct lt_sink *sink,
                               const struct lt_path *path) {
    enum lt_flow flow = LT_FLOW_ON;

    for (; (double)from < upto && flow == LT_FLOW_ON; from++) {
        flow = lt_vm_step(vm);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_emit(vm, sink, lt_val_int(from), path);
    }
    return flow;
}

static enum lt_flow count_doubles(struct lt_vm *vm, double from, double upto, struct lt_sink *sink,
                                  const struct lt_path *path) {
    enum lt_flow flow = LT_FLOW_ON;

    for (; from < upto && flow == LT_FLOW_ON; from += 1) {
        flow = lt_vm_step(vm);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_emit(vm, sink, lt_val_double(from), path);
    }
    return flow;
}

static enum lt_flow count_to(struct lt_vm *vm, struct lt_val from, struct lt_val upto,
                             struct lt_sink *sink, const struct lt_path *path) {
    if (from.kind != LT_VAL_NUMBER || upto.kind != LT_VAL_NUMBER)
        return lt_vm_raise(vm, "Range bounds must be numeric");
    from = lt_val_number(from);
    if (from.form == LT_VAL_INT)
        return count_ints(vm, from.i, lt_val_as_double(upto), sink, path);
    return count_doubles(vm, from.d, lt_val_as_double(upto), sink, path);
}

/* `$from` and `$upto` are known; `by` is the order of `$by` beside 0. Any values can be compared
 * and added, so that a range of strings fails where jq's does. */
static enum lt_flow count_by(struct lt_vm *vm, struct lt_val at, struct lt_val upto,
                             struct lt_val step, struct lt_sink *sink, const struct lt_path *path) {
    int by = lt_val_compare(&vm->heap, step, lt_val_int(0));
    enum lt_flow flow = LT_FLOW_ON;

    if (by == 0)
        return LT_FLOW_ON;
    for (;;) {
        int order = lt_val_compare(&vm->heap, at, upto);
        if (by > 0 ? order >= 0 : order <= 0)
            return LT_FLOW_ON;
        flow = lt_vm_step(vm);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_emit(vm, sink, at, path);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_binary(vm, LT_OP_ADD, at, step, &at);
        if (flow != LT_FLOW_ON)
            return flow;
    }
}

/* The arguments one after the other, the first in the outermost loop. */
struct range {
    struct lt_relay r;
    struct lt_val args[3];
    size_t i;
};

static enum lt_flow take_bound(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct range next = *(struct range *)self;

    if (path) /* jq's range/2, which is an instruction there: the current path runs on */
        next.r.path = path;
    next.args[next.i++] = v;
    if (next.i < next.r.node->n)
        return lt_vm_eval(vm, next.r.node->items[next.i], next.r.frame, next.r.input, path,
                          &next.r.sink);
    if (next.i == 1)
        return count_to(vm, lt_val_int(0), v, next.r.down, next.r.path);
    if (next.i == 2)
        return count_to(vm, next.args[0], v, next.r.down, next.r.path);
    return count_by(vm, next.args[0], next.args[1], v, next.r.down, next.r.path);
}

static enum lt_flow range(LT_GENERATE) {
    struct range r = {
        .r = {.sink = {take_bound},
              .down = sink,
              .node = node,
              .frame = frame,
              .input = input,
              .path = path},
    };
    return lt_vm_eval(vm, node->items[0], frame, input, node->n == 2 ? path : NULL, &r.r.sink);
}

/* --- while and until -------------------------------------------------------------------------- */

/* One turn for one output of the condition; the next turns are in the outputs of the step. A chain
 * (one condition, one step) runs without stack. */
static enum lt_flow turn(LT_GENERATE);

static enum lt_flow go_on(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                          const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;
    return turn(vm, r->node, r->frame, v, path, r->down);
}

static bool is_until(const struct lt_node *node) {
    return node->builtin->name[0] == 'u';
}

static enum lt_flow decide(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                           const struct lt_path *path) {
    struct lt_relay r = *(struct lt_relay *)self;
    bool holds = lt_val_is_true(v);
    enum lt_flow flow = LT_FLOW_ON;

    (void)path;
    if (is_until(r.node) ? holds : !holds)
        return holds ? lt_vm_emit(vm, r.down, r.input, r.path) : LT_FLOW_ON;
    if (!is_until(r.node))
        flow = lt_vm_emit(vm, r.down, r.input, r.path);
    if (flow != LT_FLOW_ON)
        return flow;
    r.sink.emit = go_on;
    return lt_vm_eval(vm, r.node->items[1], r.frame, r.input, r.path, &r.sink);
}

static enum lt_flow turn(LT_GENERATE) {
    struct lt_relay r = {
        .sink = {decide}, .down = sink, .node = node, .frame = frame, .input = input, .path = path};
    return lt_vm_eval(vm, node->items[0], frame, input, NULL, &r.sink);
}

static enum lt_flow loop(LT_GENERATE) {
    const struct lt_node *condition = node->items[0], *step = node->items[1];
    bool until = is_until(node);
    struct lt_val v;
    enum lt_flow flow;

    if (path || !lt_plan(condition)->one || !lt_plan(step)->one)
        return turn(vm, node, frame, input, path, sink);
    for (;;) {
        flow = lt_vm_step(vm);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_one_of(vm, condition, frame, input, &v);
        if (flow != LT_FLOW_ON)
            return flow;
        if (lt_val_is_true(v) == until)
            return until ? lt_vm_emit(vm, sink, input, NULL) : LT_FLOW_ON;
        if (!until)
            flow = lt_vm_emit(vm, sink, input, NULL);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_one_of(vm, step, frame, input, &v);
        if (flow != LT_FLOW_ON)
            return flow;
        input = v;
    }
}

const struct lt_fn lt_fn_range[] = {
    {"range", 1, NULL, range}, {"range", 2, NULL, range}, {"range", 3, NULL, range},
    {"while", 2, NULL, loop},  {"until", 2, NULL, loop},  {NULL, 0, NULL, NULL},
};
