/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key and conditions see the record with its fields. Most look at other fields: then the record as
 * it came serves them, and no second one is made. Whatever is not known here is taken to look at
 * all.
 */
#include "expr/expr_parts.h"

struct apart {
    const struct lt_json_field *fields;
    size_t n;
};

static bool is_set(const struct apart *a, struct lt_slice name) {
    for (size_t i = 0; i < a->n; i++)
        if (lt_slice_eq(a->fields[i].name, name))
            return true;
    return false;
}

static bool is_apart(const struct apart *a, const struct lt_node *node);

static bool are_apart(const struct apart *a, struct lt_node *const *nodes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!is_apart(a, nodes[i]))
            return false;
    return true;
}

/* `node` is given the record. What stands behind a pipe whose left side is apart is given something
 * within another field. */
static bool is_apart(const struct apart *a, const struct lt_node *node) {
    if (!node)
        return true;
    switch (node->kind) {
    case LT_NODE_LITERAL:
    case LT_NODE_GLOBAL:
        return true;
    case LT_NODE_FIELD:
        return !node->a || node->a->kind == LT_NODE_IDENTITY ? !is_set(a, node->text)
                                                             : is_apart(a, node->a);
    case LT_NODE_PIPE:
        return is_apart(a, node->a);
    case LT_NODE_INDEX:
    case LT_NODE_SLICE:
    case LT_NODE_EACH:
    case LT_NODE_COMMA:
    case LT_NODE_NEGATE:
    case LT_NODE_BINARY:
    case LT_NODE_AND:
    case LT_NODE_OR:
    case LT_NODE_ALTERNATIVE:
    case LT_NODE_IF:
    case LT_NODE_TRY:
    case LT_NODE_ARRAY:
    case LT_NODE_OBJECT:
    case LT_NODE_STRING:
        if (node->kind <= LT_NODE_EACH && !node->a)
            return false;
        return is_apart(a, node->a) && is_apart(a, node->b) && is_apart(a, node->c) &&
               are_apart(a, node->items, node->n);
    default:
        return false;
    }
}

bool lt_expr_is_apart(const struct lt_node *root, const struct lt_json_field *fields,
                      size_t n_fields) {
    const struct apart a = {fields, n_fields};

    return is_apart(&a, root);
}
