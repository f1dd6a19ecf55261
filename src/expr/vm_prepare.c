/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the plan of each node of a program, from the leaves up, before its first run. */
#include "expr/vm_parts.h"

struct prepare {
    struct lt_arena *arena;
    struct lt_heap heap; /* literals live as long as the tree */
    struct leat_error *err;
    leat_status status;
    bool calls_params;
};

static void prepare(struct prepare *p, struct lt_node *node);

static void fail(struct prepare *p) {
    if (p->status == LEAT_OK)
        p->status = lt_fail(p->err, LEAT_E_NOMEM, 0, "no memory for the plan of an expression");
}

static void read_literal(struct prepare *p, const struct lt_node *node, struct lt_plan *plan) {
    leat_status status = lt_val_parse(&p->heap, node->text, &plan->value, p->err);

    if (status != LEAT_OK) {
        p->status = status;
        return;
    }
    if (plan->value.kind == LT_VAL_NUMBER)
        plan->value = lt_val_number(plan->value);
    else if (plan->value.kind == LT_VAL_STRING)
        plan->value = lt_val_string(lt_val_bytes(&p->heap, plan->value));
    else
        plan->value = lt_val_freeze(&p->heap, plan->value);
}

static unsigned count_slots(const struct lt_pattern *pattern) {
    unsigned n = 0;

    if (pattern->kind == LT_PATTERN_VAR)
        return 1;
    for (size_t i = 0; i < pattern->n; i++) {
        n += pattern->kind == LT_PATTERN_OBJECT && pattern->has_slot[i];
        if (pattern->items[i])
            n += count_slots(pattern->items[i]);
    }
    return n;
}

static void list_slots(const struct lt_pattern *pattern, struct lt_plan *plan) {
    if (pattern->kind == LT_PATTERN_VAR) {
        plan->slots[plan->n_slots++] = pattern->slot;
        return;
    }
    for (size_t i = 0; i < pattern->n; i++) {
        if (pattern->kind == LT_PATTERN_OBJECT && pattern->has_slot[i])
            plan->slots[plan->n_slots++] = pattern->slots[i];
        if (pattern->items[i])
            list_slots(pattern->items[i], plan);
    }
}

static void prepare_keys(struct prepare *p, const struct lt_pattern *pattern) {
    if (pattern->kind == LT_PATTERN_VAR)
        return;
    for (size_t i = 0; i < pattern->n; i++) {
        if (pattern->kind == LT_PATTERN_OBJECT)
            prepare(p, pattern->keys[i]);
        if (pattern->items[i])
            prepare_keys(p, pattern->items[i]);
    }
}

static void prepare_patterns(struct prepare *p, const struct lt_node *node, struct lt_plan *plan) {
    unsigned n = 0;

    for (size_t i = 0; i < node->n_patterns; i++) {
        prepare_keys(p, node->patterns[i]);
        n += count_slots(node->patterns[i]);
    }
    plan->slots = lt_arena_alloc(p->arena, (n + 1) * sizeof(unsigned));
    if (!plan->slots) {
        fail(p);
        return;
    }
    for (size_t i = 0; i < node->n_patterns; i++)
        list_slots(node->patterns[i], plan);
}

/* A body that calls itself is met again while its plan is not done: it then has no `one` yet. */
static void prepare_body(struct prepare *p, const struct lt_def *def) {
    bool outer = p->calls_params;

    if (def->body->plan)
        return;
    p->calls_params = false;
    prepare(p, def->body);
    if (p->status == LEAT_OK)
        ((struct lt_plan *)def->body->plan)->calls_params = p->calls_params;
    /* Definitions inside call the closures of those around them. */
    p->calls_params = p->calls_params || outer;
}

static void prepare(struct prepare *p, struct lt_node *node) {
    struct lt_plan *plan;

    if (!node || node->plan || p->status != LEAT_OK)
        return;
    plan = lt_arena_calloc(p->arena, 1, sizeof(*plan));
    if (!plan) {
        fail(p);
        return;
    }
    plan->value = lt_val_null();
    plan->calls_params = true; /* until it is known better */
    node->plan = plan;
    if (node->kind == LT_NODE_LITERAL)
        read_literal(p, node, plan);
    if (node->kind == LT_NODE_PARAM)
        p->calls_params = true;
    prepare(p, node->a);
    prepare(p, node->b);
    prepare(p, node->c);
    prepare(p, node->d);
    for (size_t i = 0; i < node->n; i++)
        prepare(p, node->items[i]);
    if (node->n_patterns)
        prepare_patterns(p, node, plan);
    if (node->kind == LT_NODE_CALL)
        prepare_body(p, node->def);
    if (p->status == LEAT_OK)
        plan->one = lt_vm_find_one(node);
}

leat_status lt_vm_prepare(struct lt_tree_part *part, struct lt_arena *arena,
                          struct leat_error *err) {
    struct prepare p = {.arena = arena, .heap = {.arena = arena}, .err = err};

    if (!part->root)
        return LEAT_OK;
    prepare(&p, part->root);
    if (p.status == LEAT_OK && p.heap.full)
        fail(&p);
    return p.status;
}
