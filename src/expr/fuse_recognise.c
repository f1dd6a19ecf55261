/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipeline's trees to a plan. When an expression compares a column with a constant that was not
 * known before, the column's classes change, and with them every diagram: then all begins again,
 * with that constant.
 */
#include "expr/fuse_sym.h"

#include <stdio.h>

enum { MAX_SCRATCH_BYTES = 64 << 20, MAX_ROUNDS = 64 };

struct text {
    const struct lt_tree_part *part;
    enum { SET, ROUTE, KEY } kind;
};

static enum lt_sym_status finish_scalar(struct lt_sym *sym, struct lt_sym_value v,
                                        struct lt_fuse_leaf *leaf) {
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;
    enum lt_sym_status status = lt_sym_class(sym, v, &class, &type);

    if (status != LT_SYM_ONE)
        return status;
    if (v.kind == LT_SYM_LEAF) {
        *leaf = sym->plan->leaves[v.leaf];
        return LT_SYM_ONE;
    }
    if (v.kind != LT_SYM_COLUMN || type > LT_FUSE_STRING)
        return lt_sym_unsure(sym, "gives an array, an object, or a text with escapes");
    *leaf = (struct lt_fuse_leaf){.what = LT_FUSE_CELL, .type = (uint8_t)type, .column = v.column};
    if (type == LT_FUSE_NULL)
        *leaf = sym->plan->leaves[lt_sym_null(sym).leaf];
    else if (type <= LT_FUSE_TRUE)
        *leaf = sym->plan->leaves[lt_sym_bool(sym, type == LT_FUSE_TRUE).leaf];
    return LT_SYM_ONE;
}

static enum lt_sym_status answer_text(struct lt_sym *sym, void *ctx, struct lt_fuse_leaf *leaf) {
    const struct text *text = ctx;
    struct lt_sym_env env = {.n_vars = text->part->main.n_vars};
    struct lt_sym_value v = {0};
    bool truth = false;

    env.vars = lt_arena_calloc(sym->arena, env.n_vars + 1, sizeof(*env.vars));
    if (!env.vars) {
        sym->full = true;
        return LT_SYM_UNSURE;
    }
    sym->sees_sets = text->kind != SET;
    sym->at = NULL;
    sym->n_uses = 0;
    sym->depth = 0;
    enum lt_sym_status status =
        lt_sym_eval(sym, text->part->root, &env, lt_sym_column(LT_FUSE_ROOT), &v);
    if (status == LT_SYM_GENERATES)
        return lt_sym_unsure(sym, "gives an output for each element");
    if (text->kind == ROUTE) {
        if (status == LT_SYM_ONE)
            status = lt_sym_truth(sym, v, &truth);
        else if (status == LT_SYM_NONE)
            status = LT_SYM_ONE;
        if (status == LT_SYM_ONE)
            *leaf = sym->plan->leaves[lt_sym_bool(sym, truth).leaf];
        return status;
    }
    if (status == LT_SYM_ONE)
        return finish_scalar(sym, v, leaf);
    return status == LT_SYM_NONE && text->kind == SET ? lt_sym_unsure(sym, "gives no output")
                                                      : status;
}

/* False: the evaluator would be asked for every record. */
static bool draw(struct lt_sym *sym, struct text text, struct lt_slice name, uint16_t *node,
                 char why[160]) {
    static const char *const kinds[] = {"set.", "route ", ""};
    struct lt_sym_question question = {answer_text, &text};
    char reason[100] = "";

    sym->why = reason;
    sym->budget = 0;
    *node = lt_sym_diagram(sym, &question);
    if (sym->changed)
        return true;
    const struct lt_fuse_leaf *leaf = &sym->plan->leaves[*node & ~LT_FUSE_LEAF];
    if (!sym->full && !(*node & LT_FUSE_LEAF && leaf->what == LT_FUSE_DEOPT))
        return true;
    if (sym->full)
        snprintf(reason, sizeof(reason), "takes too many cases");
    if (text.kind == KEY)
        name = LT_LIT("key");
    snprintf(why, 160, "%s%.*s %s", kinds[text.kind], LT_FMT(name),
             reason[0] ? reason : "always fails");
    return false;
}

static bool draw_all(struct lt_sym *sym, char why[160]) {
    struct lt_fuse_plan *plan = sym->plan;
    const struct lt_expr_source *source = sym->parts->source;
    bool fits = true;

    for (size_t i = 0; fits && !sym->changed && i < source->n_sets; i++)
        fits = draw(sym, (struct text){&sym->parts->sets[i], SET}, source->sets[i].name,
                    &plan->sets[i], why);
    plan->has_key = source->key != NULL;
    if (fits && !sym->changed && source->key)
        fits = draw(sym, (struct text){sym->parts->key, KEY}, LT_LIT("key"), &plan->key, why);
    for (size_t i = 0; fits && !sym->changed && i < source->n_routes; i++) {
        plan->routes[i] = LT_FUSE_NO_NODE;
        if (source->routes[i].text.data)
            fits = draw(sym, (struct text){&sym->parts->routes[i], ROUTE}, source->routes[i].name,
                        &plan->routes[i], why);
    }
    return fits;
}

/* Members that sets replace have to be noticed. */
static bool add_replaced(struct lt_fuse_plan *plan, const struct lt_expr_source *source) {
    for (size_t i = 0; i < source->n_sets; i++) {
        struct lt_fuse_want *m, **end;
        for (end = &plan->root.members; (m = *end); end = &m->next)
            if (lt_slice_eq(m->name, source->sets[i].name))
                break;
        if (!m) {
            m = *end = lt_arena_calloc(plan->arena, 1, sizeof(*m));
            if (!m)
                return false;
            *m = (struct lt_fuse_want){.column = -1, .source = -1, .owner = -1};
            m->name = lt_arena_dup(plan->arena, source->sets[i].name);
        }
        m->replaced = true;
    }
    return true;
}

static bool init_plan(struct lt_fuse_plan *plan, const struct lt_expr_source *source,
                      struct lt_arena *arena) {
    *plan = (struct lt_fuse_plan){.arena = arena, .n_root_columns = LT_FUSE_FIRST_COLUMN};
    plan->root =
        (struct lt_fuse_want){.column = LT_FUSE_ROOT, .source = -1, .owner = -1, .guarded = true};
    plan->sets = lt_arena_calloc(arena, source->n_sets + 1, sizeof(*plan->sets));
    plan->routes = lt_arena_calloc(arena, source->n_routes + 1, sizeof(*plan->routes));
    plan->leaves = lt_arena_calloc(arena, LT_FUSE_MAX_LEAVES, sizeof(*plan->leaves));
    plan->diagram.words = lt_arena_calloc(arena, LT_FUSE_MAX_WORDS, sizeof(*plan->diagram.words));
    return plan->sets && plan->routes && plan->leaves && plan->diagram.words;
}

static bool keep_vars(struct lt_fuse_plan *plan, const struct lt_expr_source *source) {
    plan->vars = lt_arena_calloc(plan->arena, source->n_vars + 1, sizeof(*plan->vars));
    for (; plan->vars && plan->n_vars < source->n_vars; plan->n_vars++) {
        plan->vars[plan->n_vars] = lt_arena_dup(plan->arena, source->vars[plan->n_vars].json);
        if (!plan->vars[plan->n_vars].data)
            return false;
    }
    return plan->vars != NULL;
}

bool lt_fuse_recognise(struct lt_fuse_plan *plan, const struct lt_fuse_parts *parts,
                       struct lt_arena *arena, char why[160]) {
    struct lt_arena scratch;
    struct lt_sym sym = {.plan = plan, .parts = parts, .arena = &scratch, .changed = true};
    bool fits = init_plan(plan, parts->source, arena) && keep_vars(plan, parts->source);

    lt_arena_init(&scratch, MAX_SCRATCH_BYTES);
    for (unsigned round = 0; fits && sym.changed && round < MAX_ROUNDS; round++) {
        lt_arena_reset(&scratch);
        sym.changed = sym.full = false;
        memset(sym.assumed, 0xff, sizeof(sym.assumed));
        plan->diagram.n_words = 0;
        plan->n_leaves = 0;
        plan->n_aggregates = 0;
        fits = draw_all(&sym, why);
    }
    lt_arena_deinit(&scratch);
    if (fits && sym.changed) {
        snprintf(why, 160, "the expressions compare with too many constants");
        fits = false;
    }
    return fits && lt_fuse_tabulate(plan) && add_replaced(plan, parts->source);
}
