/* SPDX-License-Identifier: Apache-2.0 */
/* What binds names: `as` with its patterns, `reduce`, `foreach`, `label`. */
#include "expr/vm_parts.h"

/* --- one pattern ------------------------------------------------------------------------ */

/* What follows when a pattern is bound. */
struct after {
    enum lt_flow (*go)(struct lt_vm *vm, struct after *self, const struct lt_path *path);
};

struct match {
    struct lt_sink sink; /* OBJECT: takes a key */
    struct after after;  /* goes on with the next element */
    const struct lt_pattern *pattern;
    struct lt_frame *frame;
    struct lt_val v;
    const struct lt_path *path;
    size_t i;
    struct after *end;
};

static enum lt_flow bind(struct lt_vm *vm, const struct lt_pattern *pattern, struct lt_frame *frame,
                         struct lt_val v, const struct lt_path *path, struct after *end);

static enum lt_flow next_element(struct lt_vm *vm, struct after *self, const struct lt_path *path) {
    struct match m = *(struct match *)((char *)self - offsetof(struct match, after));
    struct lt_path place;
    struct lt_val v;
    bool given;
    enum lt_flow flow;

    if (m.i == 0)
        return m.end->go(vm, m.end, path);
    m.i--; /* jq takes the last element first */
    flow = lt_vm_walk(vm, m.v, lt_val_int((int64_t)m.i), false, path, &v, &place, &given);
    if (flow != LT_FLOW_ON)
        return flow;
    return bind(vm, m.pattern->items[m.i], m.frame, v, path ? &place : NULL, &m.after);
}

static enum lt_flow take_key(struct lt_vm *vm, struct lt_sink *self, struct lt_val key,
                             const struct lt_path *unused) {
    struct match m = *(struct match *)self;
    struct lt_path place;
    struct lt_val v;
    bool given;
    enum lt_flow flow = lt_vm_walk(vm, m.v, key, false, m.path, &v, &place, &given);
    const struct lt_path *path = m.path ? &place : NULL;

    (void)unused;
    if (flow != LT_FLOW_ON)
        return flow;
    if (m.pattern->has_slot[m.i])
        m.frame->vars[m.pattern->slots[m.i]] = v;
    const struct lt_pattern *below = m.pattern->items[m.i++];
    return below ? bind(vm, below, m.frame, v, path, &m.after) : m.after.go(vm, &m.after, path);
}

static enum lt_flow next_member(struct lt_vm *vm, struct after *self, const struct lt_path *path) {
    struct match m = *(struct match *)((char *)self - offsetof(struct match, after));

    if (m.i == m.pattern->n)
        return m.end->go(vm, m.end, path);
    m.path = path;
    return lt_vm_eval(vm, m.pattern->keys[m.i], m.frame, m.v, NULL, &m.sink);
}

static enum lt_flow bind(struct lt_vm *vm, const struct lt_pattern *pattern, struct lt_frame *frame,
                         struct lt_val v, const struct lt_path *path, struct after *end) {
    struct match m = {{take_key}, {next_element}, pattern, frame, v, path, pattern->n, end};

    if ((const char *)__builtin_frame_address(0) < vm->stack_end)
        return LT_FLOW_BAIL;
    switch (pattern->kind) {
    case LT_PATTERN_VAR:
        frame->vars[pattern->slot] = v;
        return end->go(vm, end, path);
    case LT_PATTERN_ARRAY:
        return next_element(vm, &m.after, path);
    default:
        m.i = 0;
        m.after.go = next_member;
        return next_member(vm, &m.after, path);
    }
}

bool lt_vm_pattern_is_one(const struct lt_pattern *pattern) {
    for (size_t i = 0; pattern->kind != LT_PATTERN_VAR && i < pattern->n; i++) {
        if (pattern->kind == LT_PATTERN_OBJECT && !lt_plan(pattern->keys[i])->one)
            return false;
        if (pattern->items[i] && !lt_vm_pattern_is_one(pattern->items[i]))
            return false;
    }
    return true;
}

static enum lt_flow bind_member(struct lt_vm *vm, const struct lt_pattern *pattern, size_t i,
                                struct lt_frame *frame, struct lt_val whole) {
    struct lt_val key, v;
    enum lt_flow flow = lt_vm_one_of(vm, pattern->keys[i], frame, whole, &key);

    if (flow == LT_FLOW_ON)
        flow = lt_vm_get(vm, whole, key, &v);
    if (flow != LT_FLOW_ON)
        return flow;
    if (pattern->has_slot[i])
        frame->vars[pattern->slots[i]] = v;
    return pattern->items[i] ? lt_vm_bind_one(vm, pattern->items[i], frame, v) : LT_FLOW_ON;
}

enum lt_flow lt_vm_bind_one(struct lt_vm *vm, const struct lt_pattern *pattern,
                            struct lt_frame *frame, struct lt_val v) {
    enum lt_flow flow = LT_FLOW_ON;
    struct lt_val element;

    if (pattern->kind == LT_PATTERN_VAR) {
        frame->vars[pattern->slot] = v;
        return LT_FLOW_ON;
    }
    if (pattern->kind == LT_PATTERN_OBJECT) {
        for (size_t i = 0; i < pattern->n && flow == LT_FLOW_ON; i++)
            flow = bind_member(vm, pattern, i, frame, v);
        return flow;
    }
    for (size_t i = pattern->n; i > 0 && flow == LT_FLOW_ON; i--) {
        flow = lt_vm_get(vm, v, lt_val_int((int64_t)(i - 1)), &element);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_bind_one(vm, pattern->items[i - 1], frame, element);
    }
    return flow;
}

/* --- slots ------------------------------------------------------------------------------ */

bool lt_vm_save(struct lt_vm *vm, const struct lt_node *node, const struct lt_frame *frame,
                struct lt_saved *saved) {
    const struct lt_plan *plan = lt_plan(node);

    saved->at = saved->room;
    if (plan->n_slots > LT_FRAME_ROOM)
        saved->at = lt_heap_alloc(&vm->heap, plan->n_slots * sizeof(struct lt_val));
    for (unsigned i = 0; saved->at && i < plan->n_slots; i++)
        saved->at[i] = frame->vars[plan->slots[i]];
    return saved->at != NULL;
}

void lt_vm_restore(const struct lt_node *node, struct lt_frame *frame,
                   const struct lt_saved *saved) {
    const struct lt_plan *plan = lt_plan(node);

    for (unsigned i = 0; i < plan->n_slots; i++)
        frame->vars[plan->slots[i]] = saved->at[i];
}

/* --- alternatives ----------------------------------------------------------------------- */

/* A node that binds each output of its source and goes on. */
struct binder {
    struct lt_sink sink; /* of the source */
    struct after after;  /* when bound */
    const struct lt_node *node;
    struct lt_frame *frame;
    struct lt_sink *down;
    struct lt_val input;        /* AS: what the body sees */
    const struct lt_path *path; /* AS */
    struct lt_val state;        /* REDUCE, FOREACH */
};

/* Tries the patterns one after the other: an error in one, or in what follows while it is bound
 * (even a break: it is an error to jq 1.6), leads to the next; that of the last is the whole's. */
static enum lt_flow bind_any(struct lt_vm *vm, struct binder *b, struct lt_val v,
                             const struct lt_path *path) {
    const struct lt_node *node = b->node;
    const struct lt_plan *plan = lt_plan(node);
    enum lt_flow flow = LT_FLOW_ON;

    for (size_t i = 0; i < node->n_patterns; i++) {
        if (node->n_patterns > 1) {
            for (unsigned k = 0; k < plan->n_slots; k++)
                b->frame->vars[plan->slots[k]] = lt_val_null();
        }
        flow = bind(vm, node->patterns[i], b->frame, v, path, &b->after);
        if (flow != LT_FLOW_ERROR && flow != LT_FLOW_BREAK)
            break;
    }
    return flow;
}

/* --- as --------------------------------------------------------------------------------- */

static enum lt_flow run_body(struct lt_vm *vm, struct after *self, const struct lt_path *path) {
    struct binder *b = (struct binder *)((char *)self - offsetof(struct binder, after));
    return lt_vm_eval(vm, b->node->b, b->frame, b->input, path, b->down);
}

static enum lt_flow bind_source(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                const struct lt_path *path) {
    struct binder *b = (struct binder *)self;

    (void)path;
    return bind_any(vm, b, v, b->path);
}

enum lt_flow lt_vm_as(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                      struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct binder b = {{bind_source}, {run_body}, node, frame, sink, input, path, lt_val_null()};
    struct lt_saved saved;
    enum lt_flow flow;

    if (!lt_vm_save(vm, node, frame, &saved))
        return lt_vm_check(vm);
    flow = lt_vm_eval(vm, node->a, frame, input, NULL, &b.sink);
    lt_vm_restore(node, frame, &saved);
    return flow;
}

/* --- reduce and foreach ------------------------------------------------------------------ */

/* A sink that knows its binder: the state's, and FOREACH's update. */
struct update {
    struct lt_sink sink;
    struct binder *binder;
};

static enum lt_flow set_state(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    (void)vm, (void)path;
    ((struct update *)self)->binder->state = v;
    return LT_FLOW_ON;
}

/* The state is moved out while its update is computed: without an output it stays null. */
static enum lt_flow reduce_step(struct lt_vm *vm, struct after *self, const struct lt_path *path) {
    struct binder *b = (struct binder *)((char *)self - offsetof(struct binder, after));
    struct update u = {{set_state}, b};
    struct lt_val state = b->state, next;
    enum lt_flow flow;

    b->state = lt_val_null();
    if (path || !lt_plan(b->node->c)->one)
        return lt_vm_eval(vm, b->node->c, b->frame, state, path, &u.sink);
    flow = lt_vm_step(vm);
    if (flow == LT_FLOW_ON)
        flow = lt_vm_one_of(vm, b->node->c, b->frame, state, &next);
    if (flow == LT_FLOW_ON)
        b->state = next;
    return flow;
}

static enum lt_flow bind_item(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    return bind_any(vm, (struct binder *)self, v, path);
}

static enum lt_flow extract(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    struct binder *b = ((struct update *)self)->binder;

    b->state = v;
    if (!b->node->d)
        return lt_vm_emit(vm, b->down, v, path);
    return lt_vm_eval(vm, b->node->d, b->frame, v, path, b->down);
}

static enum lt_flow foreach_step(struct lt_vm *vm, struct after *self, const struct lt_path *path) {
    struct binder *b = (struct binder *)((char *)self - offsetof(struct binder, after));
    struct update u = {{extract}, b};
    struct lt_val state = b->state;

    b->state = lt_val_null();
    return lt_vm_eval(vm, b->node->c, b->frame, state, path, &u.sink);
}

/* For each first state: all of the source, from the path that the state's expression left. jq 1.6
 * moves the input out for the first of them: for the others the source sees null. */
static enum lt_flow begin_state(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                const struct lt_path *path) {
    struct binder *b = ((struct update *)self)->binder;
    struct lt_val input = b->input;
    struct lt_saved saved;
    enum lt_flow flow;

    b->state = v;
    b->input = lt_val_null();
    if (!lt_vm_save(vm, b->node, b->frame, &saved))
        return lt_vm_check(vm);
    flow = lt_vm_eval(vm, b->node->a, b->frame, input, path, &b->sink);
    lt_vm_restore(b->node, b->frame, &saved);
    if (flow == LT_FLOW_ON && b->node->kind == LT_NODE_REDUCE)
        flow = lt_vm_emit(vm, b->down, b->state, path);
    return flow;
}

static enum lt_flow run_states(struct lt_vm *vm, struct binder *b) {
    struct update first = {{begin_state}, b};
    return lt_vm_eval(vm, b->node->b, b->frame, b->input, b->path, &first.sink);
}

enum lt_flow lt_vm_reduce(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                          struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct binder b = {{bind_item}, {reduce_step}, node, frame, sink, input, path, lt_val_null()};
    return run_states(vm, &b);
}

enum lt_flow lt_vm_foreach(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                           struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct binder b = {{bind_item}, {foreach_step}, node, frame, sink, input, path, lt_val_null()};
    return run_states(vm, &b);
}

/* --- label ------------------------------------------------------------------------------- */

/* A break is an error with {"__jq": N} to jq: raised again by hand, it is a break still. */
static bool is_own(struct lt_vm *vm, enum lt_flow flow, uint64_t label) {
    struct lt_val n;

    if (flow == LT_FLOW_BREAK)
        return vm->label == label;
    return flow == LT_FLOW_ERROR && vm->error.kind == LT_VAL_OBJECT &&
           lt_val_object_len(&vm->heap, vm->error) == 1 &&
           lt_val_object_get(&vm->heap, vm->error, lt_slice_str("__jq"), &n) &&
           lt_val_equal(&vm->heap, n, lt_val_int((int64_t)label));
}

enum lt_flow lt_vm_label(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                         struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct lt_val before = frame->vars[node->slot];
    uint64_t label = vm->next_label++;
    enum lt_flow flow;

    frame->vars[node->slot] = lt_val_int((int64_t)label);
    flow = lt_vm_eval(vm, node->a, frame, input, path, sink);
    frame->vars[node->slot] = before;
    return is_own(vm, flow, label) ? LT_FLOW_ON : flow;
}
