/* SPDX-License-Identifier: Apache-2.0 */
/* A jq text becomes a tree of resolved names, or is refused at a place. */
#include "kit.h"

#include "expr/tree.h"

#include <stdio.h>
#include <stdlib.h>

struct tree {
    struct lt_arena arena;
    struct lt_tree_part part;
    struct leat_error err;
    leat_status status;
};

static void parse(struct tree *t, const char *text) {
    struct lt_expr_text source = {
        .name = LT_LIT("x"), .text = lt_slice_str(text), .line = 10, .column = 5};
    struct lt_expr_var var = {"given", LT_LIT("1")};

    lt_arena_init(&t->arena, 64 << 20);
    t->status = lt_tree_parse(&t->part, &source, NULL, 0, &var, 1, &t->arena, &t->err);
}

static const struct lt_node *root_of(struct tree *t, const char *text) {
    parse(t, text);
    if (t->status != LEAT_OK)
        fail_msg("%s: %u:%u %s", text, t->err.line, t->err.column, t->err.text);
    assert_non_null(t->part.root);
    return t->part.root;
}

static void done(struct tree *t) {
    lt_arena_deinit(&t->arena);
}

static void a_path_is_fields_over_the_identity(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, ".a[\"b c\"]?");

    (void)state;
    assert_int_equal(root->kind, LT_NODE_FIELD);
    assert_true(lt_slice_eq_str(root->text, "b c"));
    assert_true(root->optional);
    assert_int_equal(root->a->kind, LT_NODE_FIELD);
    assert_false(root->a->optional);
    assert_int_equal(root->a->a->kind, LT_NODE_IDENTITY);
    assert_int_equal(root->offset, 0);
    assert_int_equal(root->end, 10);
    done(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_fields_over_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
