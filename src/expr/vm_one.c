/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes that always give exactly one output: each is a function from its input to that value, so
 * that `.a.b > 1 and .c == "x"` runs without a sink. lt_vm_find_one() says which they are.
 */
#include "expr/vm_parts.h"

#include <math.h>

#define ONE(name)                                                                                  \
    static enum lt_flow name(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame, \
                             struct lt_val input, struct lt_val *out)

ONE(identity) {
    (void)vm, (void)node, (void)frame;
    *out = input;
    return LT_FLOW_ON;
}

ONE(literal) {
    (void)vm, (void)frame, (void)input;
    *out = lt_plan(node)->value;
    return LT_FLOW_ON;
}

ONE(variable) {
    (void)vm, (void)input;
    *out = lt_frame_up(frame, node->up)->vars[node->slot];
    return LT_FLOW_ON;
}

ONE(global) {
    (void)frame, (void)input;
    *out = vm->globals[node->slot];
    return LT_FLOW_ON;
}

ONE(environment) {
    (void)node, (void)frame, (void)input;
    return lt_vm_env(vm, out);
}

ONE(field) {
    struct lt_val target = input;
    enum lt_flow flow = LT_FLOW_ON;

    if (node->a->kind != LT_NODE_IDENTITY)
        flow = lt_vm_one_of(vm, node->a, frame, input, &target);
    if (flow != LT_FLOW_ON)
        return flow;
    if (target.kind == LT_VAL_OBJECT) {
        lt_val_object_get(&vm->heap, target, node->text, out);
        return LT_FLOW_ON;
    }
    return lt_vm_get(vm, target, lt_val_string(node->text), out);
}

ONE(element) {
    struct lt_val key, target;
    enum lt_flow flow = lt_vm_one_of(vm, node->b, frame, input, &key);

    if (flow == LT_FLOW_ON)
        flow = lt_vm_one_of(vm, node->a, frame, input, &target);
    return flow == LT_FLOW_ON ? lt_vm_get(vm, target, key, out) : flow;
}

ONE(slice) {
    struct lt_val from = lt_val_null(), to = lt_val_null(), target;
    enum lt_flow flow = LT_FLOW_ON;

    if (node->b)
        flow = lt_vm_one_of(vm, node->b, frame, input, &from);
    if (flow == LT_FLOW_ON && node->c)
        flow = lt_vm_one_of(vm, node->c, frame, input, &to);
    if (flow == LT_FLOW_ON)
        flow = lt_vm_one_of(vm, node->a, frame, input, &target);
    return flow == LT_FLOW_ON ? lt_vm_get(vm, target, lt_vm_slice_key(vm, from, to), out) : flow;
}

ONE(pipe) {
    struct lt_val v;
    enum lt_flow flow = lt_vm_one_of(vm, node->a, frame, input, &v);
    return flow == LT_FLOW_ON ? lt_vm_one_of(vm, node->b, frame, v, out) : flow;
}

ONE(negation) {
    struct lt_val v;
    enum lt_flow flow = lt_vm_one_of(vm, node->a, frame, input, &v);
    return flow == LT_FLOW_ON ? lt_vm_negate(vm, v, out) : flow;
}

ONE(operation) {
    struct lt_val left, right;
    enum lt_flow flow = lt_vm_one_of(vm, node->b, frame, input, &right);

    if (flow == LT_FLOW_ON)
        flow = lt_vm_one_of(vm, node->a, frame, input, &left);
    return flow == LT_FLOW_ON ? lt_vm_binary(vm, (enum lt_op)node->op, left, right, out) : flow;
}

/* `0 / 0` of constants is computed by jq while it compiles, without its check. */
ONE(not_a_number) {
    (void)vm, (void)node, (void)frame, (void)input;
    *out = lt_val_double(NAN);
    return LT_FLOW_ON;
}

ONE(and_or) {
    bool until = node->kind == LT_NODE_OR;
    struct lt_val v;
    enum lt_flow flow = lt_vm_one_of(vm, node->a, frame, input, &v);

    if (flow == LT_FLOW_ON && lt_val_is_true(v) != until)
        flow = lt_vm_one_of(vm, node->b, frame, input, &v);
    *out = lt_val_bool(flow == LT_FLOW_ON && lt_val_is_true(v));
    return flow;
}

ONE(alternative) {
    enum lt_flow flow = lt_vm_one_of(vm, node->a, frame, input, out);

    if (flow != LT_FLOW_ON || lt_val_is_true(*out))
        return flow;
    return lt_vm_one_of(vm, node->b, frame, input, out);
}

ONE(condition) {
    const struct lt_node *next;
    struct lt_val v;
    enum lt_flow flow = lt_vm_one_of(vm, node->a, frame, input, &v);

    if (flow != LT_FLOW_ON)
        return flow;
    next = lt_val_is_true(v) ? node->b : node->c;
    if (next)
        return lt_vm_one_of(vm, next, frame, input, out);
    *out = input;
    return LT_FLOW_ON;
}

ONE(array) {
    struct lt_collect c = lt_vm_collect(vm);
    enum lt_flow flow = LT_FLOW_ON;

    if (node->a)
        flow = lt_vm_eval(vm, node->a, frame, input, NULL, &c.sink);
    *out = c.array;
    return flow;
}

ONE(object) {
    struct lt_val made = lt_val_object(&vm->heap, node->n / 2), key, v;
    enum lt_flow flow = LT_FLOW_ON;

    for (size_t i = 0; i < node->n; i += 2) {
        flow = lt_vm_one_of(vm, node->items[i], frame, input, &key);
        if (flow == LT_FLOW_ON && !node->items[i + 1]) /* {"a\(1)"}: what stands there */
            flow = lt_vm_get(vm, input, key, &v);
        else if (flow == LT_FLOW_ON)
            flow = lt_vm_one_of(vm, node->items[i + 1], frame, input, &v);
        if (flow == LT_FLOW_ON && key.kind != LT_VAL_STRING)
            flow = lt_vm_bad_key(vm, key);
        if (flow != LT_FLOW_ON)
            return flow;
        made = lt_val_object_set(&vm->heap, made, key, v);
    }
    *out = made;
    return flow;
}

/* Inserts are made from the last to the first, as jq does, and put together from the first. */
ONE(string) {
    struct lt_val room[16], *texts = room;
    enum lt_flow flow;

    if (node->n > sizeof(room) / sizeof(room[0])) {
        texts = lt_heap_alloc(&vm->heap, node->n * sizeof(*texts));
        if (!texts)
            return lt_vm_check(vm);
    }
    for (size_t i = node->n; i-- > 0;) {
        flow = lt_vm_one_of(vm, node->items[i], frame, input, &texts[i]);
        if (flow == LT_FLOW_ON && i % 2 == 1)
            flow = lt_fn_format(vm, (enum lt_format)node->format, texts[i], &texts[i]);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    *out = texts[0];
    for (size_t i = 1; i < node->n; i++)
        *out = lt_val_concat(&vm->heap, *out, texts[i]);
    return LT_FLOW_ON;
}

ONE(format) {
    (void)frame;
    return lt_fn_format(vm, (enum lt_format)node->format, input, out);
}

ONE(binding) {
    struct lt_saved saved;
    struct lt_val v;
    enum lt_flow flow = lt_vm_one_of(vm, node->a, frame, input, &v);

    if (flow != LT_FLOW_ON)
        return flow;
    if (!lt_vm_save(vm, node, frame, &saved))
        return lt_vm_check(vm);
    flow = lt_vm_bind_one(vm, node->patterns[0], frame, v);
    if (flow == LT_FLOW_ON)
        flow = lt_vm_one_of(vm, node->b, frame, input, out);
    lt_vm_restore(node, frame, &saved);
    return flow;
}

ONE(reduction) {
    struct lt_last last = lt_vm_last();
    enum lt_flow flow = lt_vm_reduce(vm, node, frame, input, NULL, &last.sink);
    *out = last.value;
    return flow;
}

ONE(assignment) {
    struct lt_last last = lt_vm_last();
    enum lt_flow flow = lt_vm_assign(vm, node, frame, input, NULL, &last.sink);
    *out = last.value;
    return flow;
}

ONE(call) {
    struct lt_last last = lt_vm_last();
    enum lt_flow flow = lt_vm_call(vm, node, frame, input, NULL, &last.sink);
    *out = last.value;
    return flow;
}

ONE(generated) {
    struct lt_last last = lt_vm_last();
    enum lt_flow flow = node->builtin->generate(vm, node, frame, input, NULL, &last.sink);
    *out = last.value;
    return flow;
}

enum { MAX_ARGS = 4 };

ONE(row) {
    struct lt_val args[MAX_ARGS + 1];
    enum lt_flow flow = LT_FLOW_ON;

    args[0] = input;
    for (size_t i = node->n; i > 0 && flow == LT_FLOW_ON; i--)
        flow = lt_vm_one_of(vm, node->items[i - 1], frame, input, &args[i]);
    return flow == LT_FLOW_ON ? node->builtin->call(vm, args, out) : flow;
}

static bool is_one(const struct lt_node *node) {
    return !node || lt_plan(node)->one;
}

static bool are_one(const struct lt_node *node) {
    for (size_t i = 0; i < node->n; i++)
        if (!is_one(node->items[i]))
            return false;
    return true;
}

/* Rows over closures that give one output whatever those give. */
static bool gives_one(const struct lt_node *node) {
    static const char *const names[] = {"map",      "any",       "all",    "sort_by",
                                        "group_by", "unique_by", "min_by", "max_by",
                                        "del",      "last",      "add"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(node->builtin->name, names[i]))
            return true;
    return !strcmp(node->builtin->name, "getpath") && are_one(node);
}

static bool is_zero(const struct lt_node *node) {
    struct lt_val v = lt_plan(node)->value;
    return node->kind == LT_NODE_LITERAL && v.kind == LT_VAL_NUMBER && lt_val_as_double(v) == 0;
}

static lt_vm_one *find_operation(const struct lt_node *node) {
    if (node->op == LT_OP_DIV && is_zero(node->a) && is_zero(node->b))
        return not_a_number;
    return is_one(node->a) && is_one(node->b) ? operation : NULL;
}

static lt_vm_one *find_call(const struct lt_node *node) {
    const struct lt_def *def = node->def;

    if (def->recursive || !is_one(def->body))
        return NULL;
    for (unsigned i = 0; i < def->n_params; i++)
        if (def->is_value[i] && !is_one(node->items[i]))
            return NULL;
    return call;
}

static lt_vm_one *find_row(const struct lt_node *node) {
    if (node->builtin->generate)
        return gives_one(node) ? generated : NULL;
    return are_one(node) && node->n <= MAX_ARGS ? row : NULL;
}

lt_vm_one *lt_vm_find_one(const struct lt_node *node) {
    bool a = is_one(node->a), ab = a && is_one(node->b), abc = ab && is_one(node->c);

    switch (node->kind) {
    case LT_NODE_IDENTITY:
        return identity;
    case LT_NODE_LITERAL:
        return literal;
    case LT_NODE_VAR:
        return variable;
    case LT_NODE_GLOBAL:
        return global;
    case LT_NODE_ENV:
        return environment;
    case LT_NODE_FORMAT:
        return format;
    case LT_NODE_ARRAY:
        return array;
    case LT_NODE_FIELD:
        return a && !node->optional ? field : NULL;
    case LT_NODE_INDEX:
        return ab && !node->optional ? element : NULL;
    case LT_NODE_SLICE:
        return abc && !node->optional ? slice : NULL;
    case LT_NODE_PIPE:
        return ab ? pipe : NULL;
    case LT_NODE_NEGATE:
        return a ? negation : NULL;
    case LT_NODE_BINARY:
        return find_operation(node);
    case LT_NODE_AND:
    case LT_NODE_OR:
        return ab ? and_or : NULL;
    case LT_NODE_ALTERNATIVE:
        return ab ? alternative : NULL;
    case LT_NODE_IF:
        return abc ? condition : NULL;
    case LT_NODE_OBJECT:
        return are_one(node) ? object : NULL;
    case LT_NODE_STRING:
        return are_one(node) ? string : NULL;
    case LT_NODE_AS:
        return ab && node->n_patterns == 1 && lt_vm_pattern_is_one(node->patterns[0]) ? binding
                                                                                      : NULL;
    case LT_NODE_REDUCE:
        return is_one(node->b) ? reduction : NULL;
    case LT_NODE_ASSIGN:
        return node->op == LT_OP_UPDATE || is_one(node->b) ? assignment : NULL;
    case LT_NODE_CALL:
        return find_call(node);
    case LT_NODE_BUILTIN:
        return find_row(node);
    default:
        return NULL;
    }
}
