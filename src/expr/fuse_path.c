/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, the lists that come of arrays, the functions on them, and aggregates. */
#include "expr/fuse_sym.h"

#include <stdio.h>

/* --- paths -------------------------------------------------------------------------------- */

static struct lt_fuse_want *find_want(struct lt_fuse_want *tree, unsigned column) {
    if (tree->column == (int)column)
        return tree;
    for (struct lt_fuse_want *m = tree->members; m; m = m->next) {
        struct lt_fuse_want *found = find_want(m, column);
        if (found)
            return found;
    }
    return NULL;
}

static struct lt_fuse_want *want_of(struct lt_sym *sym, unsigned column) {
    struct lt_fuse_plan *plan = sym->plan;
    struct lt_fuse_want *found = find_want(&plan->root, column);

    for (unsigned s = 0; !found && s < plan->n_sources; s++)
        found = find_want(plan->sources[s].element, column);
    return found;
}

/* A new column for what stands there; -1 when there are too many. */
static int add_column(struct lt_sym *sym, int owner) {
    struct lt_fuse_plan *plan = sym->plan;

    if (owner < 0)
        return plan->n_root_columns < LT_FUSE_ROOT_COLUMNS ? (int)plan->n_root_columns++ : -1;
    struct lt_fuse_source *source = &plan->sources[owner];
    if (source->n_columns == LT_FUSE_ELEMENT_COLUMNS)
        return -1;
    return (int)lt_fuse_element_column((unsigned)owner, source->n_columns++);
}

static struct lt_fuse_want *new_want(struct lt_sym *sym, struct lt_slice name, int owner) {
    struct lt_fuse_want *want = lt_arena_calloc(sym->plan->arena, 1, sizeof(*want));

    if (!want) {
        sym->full = true;
        return NULL;
    }
    want->name = lt_arena_dup(sym->plan->arena, name);
    want->column = add_column(sym, owner);
    want->source = -1;
    want->owner = owner;
    return want;
}

/* The field of a set, as routes and the key see it. */
static const struct lt_tree_part *find_set(const struct lt_sym *sym, struct lt_slice name) {
    const struct lt_expr_source *source = sym->parts->source;

    for (size_t i = source->n_sets; sym->sees_sets && i > 0; i--)
        if (lt_slice_eq(source->sets[i - 1].name, name))
            return &sym->parts->sets[i - 1];
    return NULL;
}

static enum lt_sym_status eval_set(struct lt_sym *sym, const struct lt_tree_part *part,
                                   struct lt_sym_value *out) {
    struct lt_sym_list *at = sym->at;
    struct lt_sym_env env = {.n_vars = part->main.n_vars};

    env.vars = lt_arena_calloc(sym->arena, env.n_vars + 1, sizeof(*env.vars));
    if (!env.vars) {
        sym->full = true;
        return LT_SYM_UNSURE;
    }
    if (at)
        return lt_sym_unsure(sym, "compares elements with the record");
    sym->sees_sets = false;
    enum lt_sym_status status =
        lt_sym_eval(sym, part->root, &env, lt_sym_column(LT_FUSE_ROOT), out);
    sym->sees_sets = true;
    return status == LT_SYM_ONE || status == LT_SYM_NEED ? status
                                                         : lt_sym_unsure(sym, "asks for a field");
}

enum lt_sym_status lt_sym_field(struct lt_sym *sym, struct lt_sym_value v, struct lt_slice name,
                                struct lt_sym_value *out) {
    struct lt_fuse_want *m, **end;

    if (v.kind == LT_SYM_LEAF && sym->plan->leaves[v.leaf].what == LT_FUSE_CONST &&
        sym->plan->leaves[v.leaf].type == LT_FUSE_NULL) {
        *out = v;
        return LT_SYM_ONE;
    }
    if (v.kind != LT_SYM_COLUMN)
        return lt_sym_unsure(sym, "asks a computed value for a member");
    if (v.column == LT_FUSE_ROOT) {
        const struct lt_tree_part *set = find_set(sym, name);
        if (set)
            return eval_set(sym, set, out);
    }
    struct lt_fuse_want *want = want_of(sym, v.column);
    if (!want) /* an aggregate's */
        return lt_sym_unsure(sym, "asks a computed value for a member");
    want->guarded = true;
    for (end = &want->members; (m = *end); end = &m->next)
        if (lt_slice_eq(m->name, name))
            break;
    if (!m) {
        m = new_want(sym, name, want->owner);
        if (!m)
            return LT_SYM_UNSURE;
        *end = m;
    }
    if (m->column < 0)
        return lt_sym_unsure(sym, "looks at too many members");
    *out = lt_sym_column((unsigned)m->column);
    return LT_SYM_ONE;
}

/* The place among the sources of an array's column; -1 when there are too many. */
static int find_source(struct lt_sym *sym, unsigned column) {
    struct lt_fuse_plan *plan = sym->plan;
    struct lt_fuse_want *want = want_of(sym, column);

    if (!want || want->owner >= 0)
        return -1;
    if (want->source >= 0)
        return want->source;
    if (plan->n_sources == LT_FUSE_MAX_SOURCES)
        return -1;
    int s = (int)plan->n_sources;
    struct lt_fuse_source *source = &plan->sources[s];
    *source = (struct lt_fuse_source){.column = (int)column};
    plan->n_sources++;
    source->element = new_want(sym, LT_LIT(""), s);
    if (!source->element) {
        plan->n_sources--;
        return -1;
    }
    want->source = s;
    want->element = source->element;
    return s;
}

enum lt_sym_status lt_sym_each(struct lt_sym *sym, struct lt_sym_value v, bool optional,
                               struct lt_sym_value *out) {
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;
    struct lt_sym_list *at = sym->at;
    enum lt_sym_status status = lt_sym_class(sym, v, &class, &type);

    if (status != LT_SYM_ONE)
        return status;
    if (type != LT_FUSE_ARRAY)
        return optional && type < LT_FUSE_ARRAY ? LT_SYM_NONE
                                                : lt_sym_unsure(sym, "iterates over an object");
    if (v.kind == LT_SYM_LIST && !v.list)
        return LT_SYM_NONE;
    if (v.kind != LT_SYM_COLUMN && v.kind != LT_SYM_LIST)
        return lt_sym_unsure(sym, "iterates over a computed array");
    if (!at) {
        sym->generated = v;
        return LT_SYM_GENERATES;
    }
    if (sym->n_uses++ || at->piped)
        return lt_sym_unsure(sym, "iterates twice");
    if (v.kind == LT_SYM_LIST && at->base == v.list)
        return lt_sym_element(sym, at->base, out);
    if (v.kind == LT_SYM_COLUMN && !at->base && at->array == v.column) {
        *out = lt_sym_column((unsigned)sym->plan->sources[at->source].element->column);
        return LT_SYM_ONE;
    }
    return lt_sym_unsure(sym, "iterates over two arrays");
}

/* --- lists -------------------------------------------------------------------------------- */

struct lt_sym_list *lt_sym_new_list(struct lt_sym *sym, struct lt_sym_value each,
                                    struct lt_sym_closure body, struct lt_sym_value input) {
    struct lt_sym_list *list = lt_arena_calloc(sym->arena, 1, sizeof(*list));

    if (!list) {
        sym->full = true;
        return NULL;
    }
    *list = (struct lt_sym_list){.body = body, .input = input};
    if (each.kind == LT_SYM_LIST) {
        list->base = each.list;
        list->source = each.list->source;
        list->array = each.list->array;
        return list;
    }
    list->array = each.column;
    list->source = find_source(sym, each.column);
    if (list->source >= 0)
        return list;
    lt_sym_unsure(sym, "iterates over an array of an element, or too many");
    return NULL;
}

/* What the list has for the element: with the body's input, or from its `[]`. */
enum lt_sym_status lt_sym_element(struct lt_sym *sym, struct lt_sym_list *list,
                                  struct lt_sym_value *out) {
    struct lt_sym_list *at = sym->at;
    unsigned n_uses = sym->n_uses;
    struct lt_sym_value input = list->input;
    enum lt_sym_status status = LT_SYM_ONE;

    if (list->piped || list->bound) {
        struct lt_sym_value element = {0};
        status = lt_sym_element(sym, list->base, &element);
        if (status == LT_SYM_ONE && list->bound)
            list->body.env->vars[list->slot] = element;
        else
            input = element;
    }
    sym->at = list;
    sym->n_uses = list->piped || list->bound;
    if (status == LT_SYM_ONE)
        status = lt_sym_eval(sym, list->body.node, list->body.env, input, out);
    if (status == LT_SYM_ONE && sym->n_uses != 1)
        status = lt_sym_unsure(sym, "iterates in a way of its own");
    sym->at = at;
    sym->n_uses = n_uses;
    return status == LT_SYM_GENERATES ? lt_sym_unsure(sym, "iterates twice") : status;
}

/* The list with each element piped through a closure. */
static bool pipe_list(struct lt_sym *sym, struct lt_sym_value *list, struct lt_sym_closure f) {
    struct lt_sym_list *piped =
        list->list ? lt_sym_new_list(sym, *list, f, (struct lt_sym_value){0}) : NULL;

    if (piped)
        piped->piped = true;
    list->list = piped;
    return piped != NULL;
}

/* --- aggregates --------------------------------------------------------------------------- */

struct element {
    struct lt_sym_list *list;
    enum lt_fuse_kind kind;
};

/* A value as what comes of an element. */
static enum lt_sym_status finish_leaf(struct lt_sym *sym, struct lt_sym_value v,
                                      enum lt_fuse_kind kind, struct lt_fuse_leaf *leaf) {
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;
    enum lt_sym_status status;

    if (kind == LT_FUSE_COUNT || kind == LT_FUSE_ANY || kind == LT_FUSE_ALL) {
        bool truth = true;
        status = kind == LT_FUSE_COUNT ? LT_SYM_ONE : lt_sym_truth(sym, v, &truth);
        *leaf = sym->plan->leaves[lt_sym_bool(sym, truth).leaf];
        return status;
    }
    status = lt_sym_class(sym, v, &class, &type);
    if (status != LT_SYM_ONE)
        return status;
    if (kind == LT_FUSE_SUM && type == LT_FUSE_NULL)
        return LT_SYM_NONE; /* adds nothing */
    if (v.kind == LT_SYM_LEAF)
        *leaf = sym->plan->leaves[v.leaf];
    else if (type <= LT_FUSE_TRUE)
        *leaf = sym->plan->leaves[(type == LT_FUSE_NULL ? lt_sym_null(sym)
                                                        : lt_sym_bool(sym, type == LT_FUSE_TRUE))
                                      .leaf];
    else if (type > LT_FUSE_STRING || v.kind != LT_SYM_COLUMN)
        return lt_sym_unsure(sym, "takes arrays, objects or escapes as they are");
    else
        *leaf =
            (struct lt_fuse_leaf){.what = LT_FUSE_CELL, .type = (uint8_t)type, .column = v.column};
    bool number = type == LT_FUSE_INT || type == LT_FUSE_NUMBER;
    return kind == LT_FUSE_SUM && !number ? lt_sym_unsure(sym, "adds up what is no number")
                                          : LT_SYM_ONE;
}

static enum lt_sym_status answer_element(struct lt_sym *sym, void *ctx, struct lt_fuse_leaf *leaf) {
    const struct element *e = ctx;
    struct lt_sym_value v = {0};
    enum lt_sym_status status = lt_sym_element(sym, e->list, &v);
    unsigned first = lt_fuse_element_column((unsigned)e->list->source, 0);

    if (status != LT_SYM_ONE)
        return status;
    sym->at = e->list;
    status = finish_leaf(sym, v, e->kind, leaf);
    sym->at = NULL;
    if (status == LT_SYM_ONE && leaf->what == LT_FUSE_CELL &&
        (leaf->column < first || leaf->column >= first + LT_FUSE_ELEMENT_COLUMNS))
        return lt_sym_unsure(sym, "takes elements and the record together");
    return status;
}

/* What an aggregate over no elements is. */
static void aggregate_nothing(struct lt_sym *sym, enum lt_fuse_kind kind, bool from_zero,
                              struct lt_sym_value *out) {
    if (kind == LT_FUSE_COUNT || kind == LT_FUSE_DISTINCT || from_zero)
        lt_sym_literal(sym, LT_LIT("0"), out);
    else if (kind == LT_FUSE_ANY || kind == LT_FUSE_ALL)
        *out = lt_sym_bool(sym, kind == LT_FUSE_ALL);
    else
        *out = lt_sym_null(sym);
}

enum lt_sym_status lt_sym_aggregate(struct lt_sym *sym, enum lt_fuse_kind kind,
                                    struct lt_sym_value list, bool from_zero,
                                    struct lt_sym_value *out) {
    struct lt_fuse_plan *plan = sym->plan;
    struct element e = {list.list, kind};
    struct lt_sym_question question = {answer_element, &e};
    unsigned a = 0;

    if (!list.list) {
        aggregate_nothing(sym, kind, from_zero, out);
        return LT_SYM_ONE;
    }
    if (sym->at)
        return lt_sym_unsure(sym, "aggregates in each element");
    struct lt_fuse_aggregate agg = {.kind = (uint8_t)kind,
                                    .source = (uint8_t)list.list->source,
                                    .from_zero = from_zero,
                                    .node = lt_sym_diagram(sym, &question)};
    if (sym->full || sym->changed)
        return LT_SYM_UNSURE;
    const struct lt_fuse_leaf *leaf = &plan->leaves[agg.node & ~LT_FUSE_LEAF];
    if (agg.node & LT_FUSE_LEAF && leaf->what == LT_FUSE_DEOPT)
        return LT_SYM_UNSURE;
    for (; a < plan->n_aggregates; a++)
        if (plan->aggregates[a].kind == kind && plan->aggregates[a].source == agg.source &&
            plan->aggregates[a].node == agg.node && plan->aggregates[a].from_zero == from_zero)
            break;
    if (a == plan->n_aggregates) {
        int column = a < plan->n_results          ? plan->results[a]
                     : a < LT_FUSE_MAX_AGGREGATES ? add_column(sym, -1)
                                                  : -1;
        if (column < 0)
            return lt_sym_unsure(sym, "has too many aggregates");
        if (a == plan->n_results)
            plan->results[plan->n_results++] = (uint8_t)column;
        agg.result = (uint8_t)column;
        plan->aggregates[plan->n_aggregates++] = agg;
    }
    *out = lt_sym_column(plan->aggregates[a].result);
    return LT_SYM_ONE;
}

/* --- functions ---------------------------------------------------------------------------- */

static const char *const type_names[] = {"\"null\"",   "\"boolean\"", "\"boolean\"",
                                         "\"number\"", "\"number\"",  "\"string\"",
                                         "\"string\"", "\"array\"",   "\"object\""};

static enum lt_sym_status call_type(struct lt_sym *sym, struct lt_sym_value input,
                                    struct lt_sym_value *out) {
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;
    enum lt_sym_status status = lt_sym_class(sym, input, &class, &type);
    return status == LT_SYM_ONE ? lt_sym_literal(sym, lt_slice_str(type_names[type]), out) : status;
}

static enum lt_sym_status call_tonumber(struct lt_sym *sym, struct lt_sym_value input,
                                        struct lt_sym_value *out) {
    struct lt_fuse_leaf leaf = {.what = LT_FUSE_TONUM, .column = input.column};
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;
    enum lt_sym_status status = lt_sym_class(sym, input, &class, &type);

    *out = input;
    if (status != LT_SYM_ONE || type == LT_FUSE_INT || type == LT_FUSE_NUMBER)
        return status;
    if (type != LT_FUSE_STRING || input.kind != LT_SYM_COLUMN)
        return lt_sym_unsure(sym, "makes a number of what is no text");
    *out = lt_sym_leaf(sym, &leaf);
    return LT_SYM_ONE;
}

static enum lt_sym_status call_length(struct lt_sym *sym, struct lt_sym_value input,
                                      struct lt_sym_value *out) {
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;

    if (input.kind == LT_SYM_LIST)
        return lt_sym_aggregate(sym, LT_FUSE_COUNT, input, false, out);
    if (input.kind == LT_SYM_UNIQUE)
        return lt_sym_aggregate(sym, LT_FUSE_DISTINCT, input, false, out);
    enum lt_sym_status status = lt_sym_class(sym, input, &class, &type);
    if (status != LT_SYM_ONE)
        return status;
    if (type == LT_FUSE_NULL)
        return lt_sym_literal(sym, LT_LIT("0"), out);
    if (type != LT_FUSE_ARRAY || input.kind != LT_SYM_COLUMN || sym->at)
        return lt_sym_unsure(sym, "takes the length of a text or an object");
    static const struct lt_node each = {.kind = LT_NODE_EACH}, dot = {.kind = LT_NODE_IDENTITY};
    struct lt_sym_value list = {.kind = LT_SYM_LIST};
    (void)dot;
    list.list = lt_sym_new_list(sym, input, (struct lt_sym_closure){&each, NULL}, input);
    return list.list ? lt_sym_aggregate(sym, LT_FUSE_COUNT, list, false, out) : LT_SYM_UNSURE;
}

/* The outputs of a node as a list: its own elements, or those of an array. */
static enum lt_sym_status collect(struct lt_sym *sym, const struct lt_node *node,
                                  struct lt_sym_env *env, struct lt_sym_value input,
                                  struct lt_sym_value *list) {
    static const struct lt_node each = {.kind = LT_NODE_EACH};
    struct lt_sym_value v = {0};

    if (sym->at)
        return lt_sym_unsure(sym, "aggregates in each element");
    if (!node)
        node = &each;
    enum lt_sym_status status = lt_sym_eval(sym, node, env, input, &v);
    *list = (struct lt_sym_value){.kind = LT_SYM_LIST};
    if (status == LT_SYM_NONE)
        return LT_SYM_ONE;
    if (status != LT_SYM_GENERATES)
        return status == LT_SYM_ONE ? lt_sym_unsure(sym, "aggregates a single value") : status;
    list->list = lt_sym_new_list(sym, sym->generated, (struct lt_sym_closure){node, env}, input);
    return list->list ? LT_SYM_ONE : LT_SYM_UNSURE;
}

/* any, all: over `.[]` or a generator, with a condition or the values themselves. */
static enum lt_sym_status call_any_all(struct lt_sym *sym, enum lt_fuse_kind kind,
                                       const struct lt_node *node, struct lt_sym_env *env,
                                       struct lt_sym_value input, struct lt_sym_value *out) {
    struct lt_sym_value list = {0};
    enum lt_sym_status status =
        collect(sym, node->n == 2 ? node->items[0] : NULL, env, input, &list);

    if (status != LT_SYM_ONE)
        return status;
    if (node->n && list.list &&
        !pipe_list(sym, &list, (struct lt_sym_closure){node->items[node->n - 1], env}))
        return LT_SYM_UNSURE;
    return lt_sym_aggregate(sym, kind, list, false, out);
}

static enum lt_sym_status call_unique_by(struct lt_sym *sym, const struct lt_node *node,
                                         struct lt_sym_env *env, struct lt_sym_value input,
                                         struct lt_sym_value *out) {
    enum lt_sym_status status = collect(sym, NULL, env, input, out);

    if (status != LT_SYM_ONE)
        return status;
    if (node->n && out->list && !pipe_list(sym, out, (struct lt_sym_closure){node->items[0], env}))
        return LT_SYM_UNSURE;
    out->kind = LT_SYM_UNIQUE;
    return LT_SYM_ONE;
}

static enum lt_sym_status call_over_elements(struct lt_sym *sym, enum lt_fuse_kind kind,
                                             struct lt_sym_env *env, struct lt_sym_value input,
                                             struct lt_sym_value *out) {
    struct lt_sym_value list = {0};
    enum lt_sym_status status = collect(sym, NULL, env, input, &list);
    return status == LT_SYM_ONE ? lt_sym_aggregate(sym, kind, list, false, out) : status;
}

static enum lt_sym_status call_select(struct lt_sym *sym, const struct lt_node *node,
                                      struct lt_sym_env *env, struct lt_sym_value input,
                                      struct lt_sym_value *out) {
    struct lt_sym_value condition = {0};
    bool truth = false;
    enum lt_sym_status status = lt_sym_eval(sym, node->items[0], env, input, &condition);

    if (status == LT_SYM_ONE)
        status = lt_sym_truth(sym, condition, &truth);
    *out = input;
    return status == LT_SYM_ONE && !truth ? LT_SYM_NONE : status;
}

static enum lt_sym_status call_map(struct lt_sym *sym, const struct lt_node *node,
                                   struct lt_sym_env *env, struct lt_sym_value input,
                                   struct lt_sym_value *out) {
    enum lt_sym_status status = collect(sym, NULL, env, input, out);

    if (status == LT_SYM_ONE && out->list &&
        !pipe_list(sym, out, (struct lt_sym_closure){node->items[0], env}))
        return LT_SYM_UNSURE;
    return status;
}

static bool is_called(struct lt_slice name, const struct lt_node *node, const char *known,
                      size_t n) {
    return node->n == n && lt_slice_eq_str(name, known);
}

bool lt_sym_call(struct lt_sym *sym, struct lt_slice name, const struct lt_node *node,
                 struct lt_sym_env *env, struct lt_sym_value input, enum lt_sym_status *status,
                 struct lt_sym_value *out) {
    bool truth = false;

    if (is_called(name, node, "empty", 0)) {
        *status = LT_SYM_NONE;
    } else if (lt_slice_eq_str(name, "error")) {
        *status = LT_SYM_UNSURE;
    } else if (is_called(name, node, "not", 0)) {
        *status = lt_sym_truth(sym, input, &truth);
        if (*status == LT_SYM_ONE)
            *out = lt_sym_bool(sym, !truth);
    } else if (is_called(name, node, "select", 1)) {
        *status = call_select(sym, node, env, input, out);
    } else if (is_called(name, node, "map", 1)) {
        *status = call_map(sym, node, env, input, out);
    } else if (is_called(name, node, "type", 0)) {
        *status = call_type(sym, input, out);
    } else if (is_called(name, node, "tonumber", 0)) {
        *status = call_tonumber(sym, input, out);
    } else if (is_called(name, node, "length", 0)) {
        *status = call_length(sym, input, out);
    } else if (is_called(name, node, "add", 0)) {
        *status = call_over_elements(sym, LT_FUSE_SUM, env, input, out);
    } else if (is_called(name, node, "min", 0)) {
        *status = call_over_elements(sym, LT_FUSE_MIN, env, input, out);
    } else if (is_called(name, node, "max", 0)) {
        *status = call_over_elements(sym, LT_FUSE_MAX, env, input, out);
    } else if (lt_slice_eq_str(name, "any")) {
        *status = call_any_all(sym, LT_FUSE_ANY, node, env, input, out);
    } else if (lt_slice_eq_str(name, "all")) {
        *status = call_any_all(sym, LT_FUSE_ALL, node, env, input, out);
    } else if (is_called(name, node, "unique", 0) || is_called(name, node, "unique_by", 1)) {
        *status = call_unique_by(sym, node, env, input, out);
    } else {
        return false;
    }
    return true;
}
