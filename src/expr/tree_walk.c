/* SPDX-License-Identifier: Apache-2.0 */
/* Going through a checked tree, and whether one looks at its input. */
#include "expr/fn.h"
#include "expr/tree.h"

typedef bool visitor(void *ctx, const struct lt_node *node);

static void walk_keys(const struct lt_pattern *pattern, visitor *visit, void *ctx) {
    for (size_t i = 0; pattern->kind != LT_PATTERN_VAR && i < pattern->n; i++) {
        if (pattern->kind == LT_PATTERN_OBJECT)
            lt_tree_walk(pattern->keys[i], visit, ctx);
        if (pattern->items[i])
            walk_keys(pattern->items[i], visit, ctx);
    }
}

void lt_tree_walk(const struct lt_node *node, visitor *visit, void *ctx) {
    if (!node || !visit(ctx, node))
        return;
    lt_tree_walk(node->a, visit, ctx);
    for (size_t i = 0; i < node->n_patterns; i++)
        walk_keys(node->patterns[i], visit, ctx);
    lt_tree_walk(node->b, visit, ctx);
    lt_tree_walk(node->c, visit, ctx);
    lt_tree_walk(node->d, visit, ctx);
    for (size_t i = 0; i < node->n; i++)
        lt_tree_walk(node->items[i], visit, ctx);
}

/* --- constants -------------------------------------------------------------------------- */

/* Definitions that call each other many times over make a tree without end of a short text. */
enum { MAX_STEPS = 20000 };

struct search {
    unsigned steps;
};

/* Whether `node` gives the same always, where `sees` says that its input may differ. */
static bool is_constant(struct search *s, const struct lt_node *node, bool sees);

static bool is_constant_or_none(struct search *s, const struct lt_node *node, bool sees) {
    return !node || is_constant(s, node, sees);
}

static bool has_constant_keys(struct search *s, const struct lt_pattern *pattern) {
    for (size_t i = 0; pattern->kind != LT_PATTERN_VAR && i < pattern->n; i++) {
        if (pattern->kind == LT_PATTERN_OBJECT && !is_constant(s, pattern->keys[i], false))
            return false;
        if (pattern->items[i] && !has_constant_keys(s, pattern->items[i]))
            return false;
    }
    return true;
}

static bool has_constant_items(struct search *s, const struct lt_node *node, bool sees) {
    for (size_t i = 0; i < node->n; i++)
        if (node->items[i] ? !is_constant(s, node->items[i], sees) : sees)
            return false;
    return true;
}

static bool is_one_of(const char *name, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(name, *list))
            return true;
    return false;
}

static bool is_constant_builtin(struct search *s, const struct lt_node *node, bool sees) {
    /* the clock, the place, further inputs, messages */
    static const char *const impure[] = {
        "now",
        "localtime",
        "strflocaltime",
        "mktime",
        "env",
        "input",
        "inputs",
        "input_filename",
        "debug",
        "stderr",
        "input_line_number",
        "halt",
        "halt_error",
        "get_search_list",
        NULL,
    };
    static const char *const blind[] = {"empty", "range", "infinite", "nan", NULL};
    const char *name = node->builtin->name;

    if (is_one_of(name, impure) || (sees && !is_one_of(name, blind)))
        return false;
    return has_constant_items(s, node, sees);
}

/* An argument is evaluated on what the body gives it: where the call's own input is known, that is
 * known too. */
static bool is_constant_call(struct search *s, const struct lt_node *node, bool sees) {
    return !node->def->recursive && has_constant_items(s, node, sees) &&
           is_constant(s, node->def->body, sees);
}

static bool is_constant(struct search *s, const struct lt_node *node, bool sees) {
    if (++s->steps > MAX_STEPS)
        return false;
    switch (node->kind) {
    case LT_NODE_IDENTITY:
    case LT_NODE_RECURSE:
    case LT_NODE_FORMAT:
        return !sees;
    case LT_NODE_ASSIGN:
        return !sees && is_constant(s, node->a, false) && is_constant(s, node->b, false);
    case LT_NODE_ENV:
        return false;
    case LT_NODE_PIPE:
        return is_constant(s, node->a, sees) && is_constant(s, node->b, false);
    case LT_NODE_TRY:
        return is_constant(s, node->a, sees) && is_constant_or_none(s, node->b, false);
    case LT_NODE_AS:
    case LT_NODE_REDUCE:
    case LT_NODE_FOREACH:
        for (size_t i = 0; i < node->n_patterns; i++)
            if (!has_constant_keys(s, node->patterns[i]))
                return false;
        return is_constant(s, node->a, sees) && is_constant(s, node->b, sees) &&
               is_constant_or_none(s, node->c, false) && is_constant_or_none(s, node->d, false);
    case LT_NODE_CALL:
        return is_constant_call(s, node, sees);
    case LT_NODE_BUILTIN:
        return is_constant_builtin(s, node, sees);
    default:
        return is_constant_or_none(s, node->a, sees) && is_constant_or_none(s, node->b, sees) &&
               is_constant_or_none(s, node->c, sees) && has_constant_items(s, node, sees);
    }
}

bool lt_tree_is_constant(const struct lt_tree_part *part) {
    struct search s = {0};

    return part->root && is_constant(&s, part->root, true);
}
