/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator as those who have expressions use it: a document at a time, within limits. */
#include "expr/expr_parts.h"
#include "expr/program.h"

#include <math.h>
#include <stdio.h>

enum { MAX_DEPTH = LT_JSON_DEFAULT_DEPTH };

/* No label of a program: ends a run from its sink. */
static const uint64_t enough = UINT64_MAX;

const struct lt_expr_limits lt_expr_default_limits = {100000000, 5000, (size_t)512 << 20};

leat_status lt_machine_keep(struct lt_slice json, struct lt_arena *config, struct lt_val *out,
                            struct leat_error *err) {
    struct lt_heap heap = {.arena = config};

    leat_status status = lt_val_parse(&heap, json, out, err);
    if (status == LEAT_OK)
        *out = lt_val_freeze(&heap, *out);
    return heap.full ? lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a constant") : status;
}

leat_status lt_machine_init(struct lt_machine *machine, const struct lt_expr_var *vars,
                            size_t n_vars, struct lt_arena *config, struct leat_error *err) {
    leat_status status = lt_expr_check_vars(vars, n_vars, err);

    lt_arena_init(&machine->run, lt_expr_default_limits.max_bytes);
    lt_vm_init(&machine->vm, &machine->run);
    machine->globals = lt_arena_calloc(config, n_vars, sizeof(*machine->globals));
    if (status == LEAT_OK && !machine->globals)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the variables of expressions");
    for (size_t i = 0; status == LEAT_OK && i < n_vars; i++)
        status = lt_machine_keep(vars[i].json, config, &machine->globals[i], err);
    machine->vm.globals = machine->globals;
    lt_machine_set_limits(machine, &lt_expr_default_limits);
    return status;
}

void lt_machine_deinit(struct lt_machine *machine) {
    lt_vm_deinit(&machine->vm);
    lt_arena_deinit(&machine->run);
    lt_json_tape_deinit(&machine->doc.tape);
}

void lt_machine_set_limits(struct lt_machine *machine, const struct lt_expr_limits *limits) {
    machine->vm.limits =
        (struct lt_vm_limits){.max_steps = limits->max_steps, .max_ms = limits->max_ms};
    machine->run.max = limits->max_bytes ? limits->max_bytes : SIZE_MAX;
}

void lt_machine_begin(struct lt_machine *machine) {
    lt_arena_reset(&machine->run);
    machine->vm.heap.full = false;
    machine->doc.listed = NULL;
    machine->more = false;
}

leat_status lt_machine_read(struct lt_machine *machine, struct lt_slice text, unsigned max_depth,
                            struct leat_error *err) {
    machine->doc.listed = NULL;
    return lt_json_tape_parse(&machine->doc.tape, text, max_depth, err);
}

struct taking {
    struct lt_sink sink;
    struct lt_val first;
    unsigned n, max;
};

static enum lt_flow take(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                         const struct lt_path *path) {
    struct taking *t = (struct taking *)self;

    (void)path;
    if (t->n++ == 0)
        t->first = v;
    if (t->n < t->max)
        return LT_FLOW_ON;
    vm->label = enough;
    return LT_FLOW_BREAK;
}

enum lt_flow lt_machine_take(struct lt_machine *machine, const struct lt_tree_part *part,
                             struct lt_val input, unsigned max, struct lt_val *first, unsigned *n) {
    struct taking t = {.sink = {.emit = take}, .first = lt_val_null(), .max = max};
    enum lt_flow flow = lt_vm_run(&machine->vm, part, input, machine->more, &t.sink);

    machine->more = true;
    *first = t.first;
    *n = t.n;
    /* error(null) is the end of the outputs */
    if (flow == LT_FLOW_BREAK || (flow == LT_FLOW_ERROR && machine->vm.error.kind == LT_VAL_NULL))
        return LT_FLOW_ON;
    return flow;
}

struct lt_slice lt_machine_reason(struct lt_machine *machine, enum lt_flow flow) {
    struct lt_heap *heap = &machine->vm.heap;

    if (flow == LT_FLOW_STOP && heap->full) {
        snprintf(machine->why, sizeof(machine->why), "took more than %zu MiB of memory",
                 machine->run.max >> 20);
        return lt_slice_str(machine->why);
    }
    if (flow != LT_FLOW_ERROR)
        return lt_slice_str(machine->vm.why);
    return machine->vm.error.kind == LT_VAL_STRING ? lt_val_bytes(heap, machine->vm.error)
                                                   : lt_val_json(heap, machine->vm.error);
}

/* The levels of a container of a document. */
static unsigned raw_depth(struct lt_val v) {
    const struct lt_json_tape *tape = &v.doc->tape;
    unsigned depth = 0, deepest = 0;

    for (uint32_t i = v.n; i < tape->jump[v.n]; i++) {
        char c = tape->text[tape->at[i]];
        if (c == '[' || c == '{')
            deepest = ++depth > deepest ? depth : deepest;
        else if (c == ']' || c == '}')
            depth--;
    }
    return deepest;
}

/* NULL, or what is wrong. What is built has at most MAX_DEPTH levels looked at, so recursion is
 * bounded. */
static const char *find_fault(struct lt_heap *heap, struct lt_val v, unsigned depth) {
    static const char deep[] = "gave a value that is nested too deep";
    const char *fault = NULL;
    size_t n;

    if (v.form == LT_VAL_DOUBLE)
        return isfinite(v.d) ? NULL : "gave a number that is not finite";
    if (v.kind < LT_VAL_ARRAY)
        return NULL;
    if (depth >= MAX_DEPTH)
        return deep;
    if (v.form == LT_VAL_RAW)
        return depth && raw_depth(v) + depth > MAX_DEPTH ? deep : NULL;
    if (v.kind == LT_VAL_ARRAY) {
        const struct lt_val *items = lt_val_items(heap, v, &n);
        for (size_t i = 0; i < n && !fault; i++)
            fault = find_fault(heap, items[i], depth + 1);
    } else {
        const struct lt_member *members = lt_val_members(heap, v, &n);
        for (size_t i = 0; i < n && !fault; i++)
            fault = find_fault(heap, members[i].value, depth + 1);
    }
    return fault;
}

const char *lt_machine_write(struct lt_machine *machine, struct lt_buf *out, struct lt_val v,
                             unsigned depth) {
    const char *fault = find_fault(&machine->vm.heap, v, depth);

    if (fault)
        return fault;
    size_t start = out->len;
    lt_val_write(&machine->vm.heap, out, v);
    if (out->failed || out->len - start > LT_EXPR_MAX_RESULT_BYTES)
        return "gave too large a value";
    return machine->vm.heap.full ? lt_machine_reason(machine, LT_FLOW_STOP).data : NULL;
}
