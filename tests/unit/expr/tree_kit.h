/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_EXPR_TREE_KIT_H
#define LT_TEST_EXPR_TREE_KIT_H

/* One text, parsed at line 10, column 5, with the variable $given. */

#include "kit.h"

#include "expr/tree.h"

struct tree {
    struct lt_arena arena;
    struct lt_tree_part part;
    struct lt_expr_text text;
    struct leat_error err;
    leat_status status;
};

static inline void parse_with(struct tree *t, const char *text, const char *const *list) {
    static struct lt_expr_text defs[KIT_TEXTS];
    struct lt_expr_var var = {"given", LT_LIT("1")};

    t->text = (struct lt_expr_text){LT_LIT("x"), lt_slice_str(text), 10, 5};
    lt_arena_init(&t->arena, 64 << 20);
    t->status = lt_tree_parse(&t->part, &t->text, defs, list ? kit_texts(list, defs) : 0, &var, 1,
                              &t->arena, &t->err);
}

static inline const struct lt_node *root_with(struct tree *t, const char *text,
                                              const char *const *list) {
    parse_with(t, text, list);
    if (t->status != LEAT_OK)
        fail_msg("%s: %u:%u %s", text, t->err.line, t->err.column, t->err.text);
    if (!t->part.root)
        fail_msg("%s: %s", text, t->part.why);
    return t->part.root;
}

static inline const struct lt_node *root_of(struct tree *t, const char *text) {
    return root_with(t, text, NULL);
}

static inline void done(struct tree *t) {
    lt_arena_deinit(&t->arena);
}

#endif
