/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine: its limits, what it says of an error, and the one function that evaluates a node
 * into a sink. See vm_parts.h for how the kinds share the work.
 */
#include "expr/vm_parts.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>

enum {
    STEPS_BETWEEN_CHECKS = 4096,
    STACK_DEPTH = 4 << 20,    /* what a run may take of the thread's stack */
    STACK_MARGIN = 160 << 10, /* left for what a builtin needs */
};

void lt_vm_init(struct lt_vm *vm, struct lt_arena *arena) {
    *vm = (struct lt_vm){.heap = {.arena = arena}};
}

void lt_vm_deinit(struct lt_vm *vm) {
    lt_fn_regexes_free(vm->regexes);
    vm->regexes = NULL;
}

enum lt_flow lt_vm_check(struct lt_vm *vm) {
    int64_t now_us;

    if (vm->heap.full) {
        snprintf(vm->why_text, sizeof(vm->why_text), "took more than %zu MiB",
                 vm->heap.arena->max >> 20);
    } else if (vm->limits.max_steps && vm->steps >= vm->limits.max_steps) {
        snprintf(vm->why_text, sizeof(vm->why_text), "took more than %llu steps",
                 (unsigned long long)vm->limits.max_steps);
    } else {
        vm->next_check = vm->steps + STEPS_BETWEEN_CHECKS;
        if (vm->limits.max_steps && vm->next_check > vm->limits.max_steps)
            vm->next_check = vm->limits.max_steps;
        now_us = vm->limits.max_ms ? lt_clock_mono_us() : 0;
        if (!vm->started_us)
            vm->started_us = now_us;
        if (!vm->limits.max_ms || (now_us - vm->started_us) / 1000 < vm->limits.max_ms)
            return LT_FLOW_ON;
        snprintf(vm->why_text, sizeof(vm->why_text), "took longer than %lld ms",
                 (long long)vm->limits.max_ms);
    }
    vm->why = vm->why_text;
    return LT_FLOW_STOP;
}

enum lt_flow lt_vm_raise(struct lt_vm *vm, const char *fmt, ...) {
    char text[512];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (len < 0)
        len = 0;
    if ((size_t)len >= sizeof(text)) {
        char *longer = lt_heap_alloc(&vm->heap, (size_t)len + 1);
        if (!longer)
            return lt_vm_check(vm);
        va_start(args, fmt);
        vsnprintf(longer, (size_t)len + 1, fmt, args);
        va_end(args);
        vm->error = lt_val_copy_string(&vm->heap, lt_slice(longer, (size_t)len));
    } else {
        vm->error = lt_val_copy_string(&vm->heap, lt_slice(text, (size_t)len));
    }
    return vm->heap.full ? lt_vm_check(vm) : LT_FLOW_ERROR;
}

/* The lowest address of this thread's stack; found once a thread. */
static const char *find_stack(void) {
    static _Thread_local const char *lowest;
    pthread_attr_t attr;
    void *start = NULL;
    size_t len = 0;

    if (!lowest && pthread_getattr_np(pthread_self(), &attr) == 0) {
        if (pthread_attr_getstack(&attr, &start, &len) == 0)
            lowest = start;
        pthread_attr_destroy(&attr);
    }
    return lowest;
}

enum lt_flow lt_vm_run(struct lt_vm *vm, const struct lt_tree_part *part, struct lt_val input,
                       bool more, struct lt_sink *sink) {
    const char *here = __builtin_frame_address(0);
    const char *lowest = find_stack();
    struct lt_frame_room room;

    if (!more) {
        vm->steps = vm->next_check = 0;
        vm->started_us = 0;
        vm->why = NULL;
    }
    vm->heap.full = false;
    vm->stack_end = lowest ? lowest + STACK_MARGIN : here - (STACK_MARGIN << 1);
    if (here - vm->stack_end > STACK_DEPTH)
        vm->stack_end = here - STACK_DEPTH;
    if (!lt_frame_open(vm, &room, &part->main, NULL))
        return lt_vm_check(vm);
    return lt_vm_eval(vm, part->root, &room.frame, input, NULL, sink);
}

bool lt_frame_open(struct lt_vm *vm, struct lt_frame_room *room, const struct lt_def *def,
                   struct lt_frame *up) {
    room->frame = (struct lt_frame){up, room->params, room->vars};
    if (def->n_vars > LT_FRAME_ROOM) {
        room->frame.vars = lt_heap_alloc(&vm->heap, def->n_vars * sizeof(struct lt_val));
        if (!room->frame.vars)
            return false;
    }
    if (def->n_params > LT_FRAME_ROOM) {
        room->frame.params = lt_heap_alloc(&vm->heap, def->n_params * sizeof(struct lt_closure));
        if (!room->frame.params)
            return false;
    }
    for (unsigned i = 0; i < def->n_vars; i++)
        room->frame.vars[i] = lt_val_null();
    return true;
}

/* The error that came to a `try`, which takes a break for one, as jq 1.6 does. A string "object" it
 * takes for one of its own, and fails. */
enum lt_flow lt_vm_catch(struct lt_vm *vm, enum lt_flow flow, struct lt_val *caught) {
    if (flow == LT_FLOW_BREAK) {
        *caught =
            lt_val_object_set(&vm->heap, lt_val_object(&vm->heap, 1),
                              lt_val_string(lt_slice_str("__jq")), lt_val_int((int64_t)vm->label));
        return LT_FLOW_ON;
    }
    *caught = vm->error;
    if (vm->error.kind == LT_VAL_STRING &&
        lt_slice_eq_str(lt_val_bytes(&vm->heap, vm->error), "object"))
        return lt_vm_raise(vm, "Cannot index string with string \"__jq\"");
    return LT_FLOW_ON;
}

/* A kind that gives whatever it gives to the sink, and is then done. */
static lt_vm_kind *const kinds[] = {
    [LT_NODE_FIELD] = lt_vm_field,
    [LT_NODE_INDEX] = lt_vm_index,
    [LT_NODE_SLICE] = lt_vm_slice,
    [LT_NODE_EACH] = lt_vm_each,
    [LT_NODE_RECURSE] = lt_vm_recurse,
    [LT_NODE_NEGATE] = lt_vm_negation,
    [LT_NODE_BINARY] = lt_vm_operation,
    [LT_NODE_AND] = lt_vm_and_or,
    [LT_NODE_OR] = lt_vm_and_or,
    [LT_NODE_ARRAY] = lt_vm_array,
    [LT_NODE_OBJECT] = lt_vm_object,
    [LT_NODE_STRING] = lt_vm_string,
    [LT_NODE_AS] = lt_vm_as,
    [LT_NODE_REDUCE] = lt_vm_reduce,
    [LT_NODE_FOREACH] = lt_vm_foreach,
    [LT_NODE_LABEL] = lt_vm_label,
    [LT_NODE_BUILTIN] = lt_vm_row,
    [LT_NODE_ASSIGN] = lt_vm_assign,
};

/* In path mode a scalar-valued node of these kinds is computed as outside of it: jq keeps no path
 * inside them, and the current one stands. */
static bool keeps_no_path(enum lt_node_kind kind) {
    return kind == LT_NODE_LITERAL || kind == LT_NODE_OBJECT || kind == LT_NODE_FORMAT ||
           kind == LT_NODE_VAR || kind == LT_NODE_GLOBAL || kind == LT_NODE_ENV;
}

/* What is left to do after a part of a node is done, so that chains and loops written as recursion
 * take no stack: ON with *next set, or the node's end. */
static enum lt_flow choose(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                           struct lt_val *input, const struct lt_path *path, struct lt_sink *sink,
                           const struct lt_node **next) {
    enum lt_flow flow;
    struct lt_val v;
    bool found = false;

    *next = NULL;
    switch (node->kind) {
    case LT_NODE_PIPE:
        if (path || !lt_plan(node->a)->one)
            return lt_vm_pipe(vm, node, frame, *input, path, sink);
        flow = lt_vm_one_of(vm, node->a, frame, *input, &v);
        *input = v;
        *next = node->b;
        return flow;
    case LT_NODE_COMMA:
        flow = lt_vm_eval(vm, node->a, frame, *input, path, sink);
        *next = node->b;
        return flow;
    case LT_NODE_ALTERNATIVE:
        flow = lt_vm_preferred(vm, node, frame, *input, path, sink, &found);
        *next = found ? NULL : node->b;
        return flow;
    case LT_NODE_IF:
        if (!lt_plan(node->a)->one)
            return lt_vm_if(vm, node, frame, *input, path, sink);
        flow = lt_vm_one_of(vm, node->a, frame, *input, &v);
        if (flow != LT_FLOW_ON)
            return flow;
        *next = lt_val_is_true(v) ? node->b : node->c;
        return *next ? LT_FLOW_ON : lt_vm_emit(vm, sink, *input, path);
    default: /* TRY */
        flow = lt_vm_eval(vm, node->a, frame, *input, path, sink);
        if (flow != LT_FLOW_ERROR && flow != LT_FLOW_BREAK)
            return flow;
        if (!node->b)
            return LT_FLOW_ON;
        flow = lt_vm_catch(vm, flow, &v);
        *input = v;
        *next = node->b;
        return flow;
    }
}

enum lt_flow lt_vm_eval(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                        struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    return lt_vm_eval_in(vm, node, frame, input, path, sink, NULL);
}

enum lt_flow lt_vm_eval_in(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                           struct lt_val input, const struct lt_path *path, struct lt_sink *sink,
                           struct lt_frame_room *room) {
    enum lt_flow flow;
    const struct lt_node *next;
    const struct lt_closure *closure;

    if ((const char *)__builtin_frame_address(0) < vm->stack_end)
        return LT_FLOW_BAIL;
    for (;;) {
        flow = lt_vm_step(vm);
        if (flow != LT_FLOW_ON)
            return flow;
        if (lt_plan(node)->one && (!path || keeps_no_path(node->kind))) {
            struct lt_val out;
            flow = lt_vm_one_of(vm, node, frame, input, &out);
            return flow == LT_FLOW_ON ? lt_vm_emit(vm, sink, out, path) : flow;
        }
        switch (node->kind) {
        case LT_NODE_IDENTITY:
            return lt_vm_emit(vm, sink, input, path);
        case LT_NODE_BREAK:
            vm->label = (uint64_t)lt_frame_up(frame, node->up)->vars[node->slot].i;
            return LT_FLOW_BREAK;
        case LT_NODE_PARAM:
            closure = &lt_frame_up(frame, node->up)->params[node->slot];
            node = closure->node;
            frame = closure->frame;
            break;
        case LT_NODE_PIPE:
        case LT_NODE_COMMA:
        case LT_NODE_ALTERNATIVE:
        case LT_NODE_IF:
        case LT_NODE_TRY:
            flow = choose(vm, node, frame, &input, path, sink, &next);
            if (flow != LT_FLOW_ON || !next)
                return flow;
            node = next;
            break;
        case LT_NODE_CALL:
            if (!room || frame != &room->frame || !lt_vm_can_reuse(node, frame))
                return lt_vm_call(vm, node, frame, input, path, sink);
            flow = lt_vm_reuse(vm, node, room, input);
            if (flow != LT_FLOW_ON)
                return flow;
            node = node->def->body;
            break;
        default:
            return kinds[node->kind](vm, node, frame, input, path, sink);
        }
    }
}
