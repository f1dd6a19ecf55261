/* SPDX-License-Identifier: Apache-2.0 */
/* A jq text becomes a tree of resolved names. */
#include "tree_kit.h"

#include "expr/fn.h"

#include <stdio.h>

/* --- nodes ------------------------------------------------------------------------------ */

static void a_path_is_fields_over_the_identity(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, ".a[\"b \\u00e9\"]?");

    (void)state;
    assert_int_equal(root->kind, LT_NODE_FIELD);
    assert_true(lt_slice_eq_str(root->text, "b \xc3\xa9"));
    assert_true(root->optional);
    assert_int_equal(root->a->kind, LT_NODE_FIELD);
    assert_false(root->a->optional);
    assert_int_equal(root->a->a->kind, LT_NODE_IDENTITY);
    assert_int_equal(root->offset, 0);
    assert_int_equal(root->end, 15);
    done(&t);
}

static void a_question_mark_behind_more_than_a_step_is_a_try(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, ".a??");

    (void)state;
    assert_int_equal(root->kind, LT_NODE_TRY);
    assert_null(root->b);
    assert_true(root->a->optional);
    done(&t);
}

static void expect_literal(const char *text, const char *json) {
    struct tree t;
    const struct lt_node *root = root_of(&t, text);

    if (root->kind != LT_NODE_LITERAL || !lt_slice_eq_str(root->text, json))
        fail_msg("%s: kind %d, %.*s", text, (int)root->kind, LT_FMT(root->text));
    assert_null(root->plan);
    done(&t);
}

static void constants_are_gathered_into_one_literal(void **state) {
    (void)state;
    expect_literal("[1, \"a\\n\", [null, true], {a: -2, \"b\": .5}]",
                   "[1,\"a\\n\",[null,true],{\"a\":-2,\"b\":0.5}]");
    expect_literal("1.", "1");
    expect_literal("007e+3", "7e+3");
    expect_literal("-12345678901234567890", "-12345678901234567890");
    expect_literal("\"\\ud83d\\ude00\\udc00\"", "\"\xf0\x9f\x98\x80\xef\xbf\xbd\"");
    expect_literal("\n\n$__loc__", "{\"file\":\"<top-level>\",\"line\":3}");
}

static void what_is_built_upon_stays_an_array_or_object(void **state) {
    static const struct {
        const char *text;
        enum lt_node_kind kind;
    } rows[] = {
        {"[]", LT_NODE_ARRAY},    {"{}", LT_NODE_OBJECT},  {"[.]", LT_NODE_ARRAY},
        {"{a}", LT_NODE_OBJECT},  {"-0", LT_NODE_NEGATE},  {"-.a", LT_NODE_NEGATE},
        {"[1|2]", LT_NODE_ARRAY}, {"1+2", LT_NODE_BINARY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tree t;
        const struct lt_node *root = root_of(&t, rows[i].text);
        if (root->kind != rows[i].kind)
            fail_msg("%s: kind %d", rows[i].text, (int)root->kind);
        done(&t);
    }
}

static void a_string_is_literals_and_expressions_in_turn(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, "@json \"\\(.a)\\(1)x\"");

    (void)state;
    assert_int_equal(root->kind, LT_NODE_STRING);
    assert_int_equal(root->format, LT_FORMAT_JSON);
    assert_int_equal(root->n, 5);
    assert_true(lt_slice_eq_str(root->items[0]->text, "\"\""));
    assert_int_equal(root->items[1]->kind, LT_NODE_FIELD);
    assert_true(lt_slice_eq_str(root->items[2]->text, "\"\""));
    assert_int_equal(root->items[3]->kind, LT_NODE_LITERAL);
    assert_true(lt_slice_eq_str(root->items[4]->text, "\"x\""));
    done(&t);
}

static void a_name_that_is_no_format_is_a_call_that_raises_when_it_runs(void **state) {
    struct tree t;

    (void)state;
    parse_with(&t, "@nosuch \"a\\(1)\"", NULL);
    assert_int_equal(t.status, LEAT_OK); /* format/1 may be a row or left to libjq */
    if (t.part.root) {
        assert_int_equal(t.part.root->kind, LT_NODE_BINARY);
        const struct lt_node *first = t.part.root->a;
        assert_int_equal(first->b->kind, LT_NODE_PIPE);
        assert_int_equal(first->b->b->kind, LT_NODE_BUILTIN);
    } else {
        assert_string_equal(t.part.why, "`format` is one that only libjq has");
    }
    done(&t);
}

static void the_value_of_a_string_key_with_inserts_is_left_out(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, "{\"a\\(1)\", \"b\"}");

    (void)state;
    assert_int_equal(root->n, 4);
    assert_int_equal(root->items[0]->kind, LT_NODE_STRING);
    assert_null(root->items[1]);
    assert_int_equal(root->items[3]->kind, LT_NODE_FIELD);
    done(&t);
}

/* --- names ------------------------------------------------------------------------------ */

static void each_binding_has_a_slot_of_its_own(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, ". as $x | (. as $x | $x), $x, $given");
    const struct lt_node *list = root->b;

    (void)state;
    assert_int_equal(t.part.main.n_vars, 2);
    assert_int_equal(root->patterns[0]->slot, 0);
    assert_int_equal(list->a->patterns[0]->slot, 1);
    assert_int_equal(list->a->b->slot, 1);
    assert_int_equal(list->b->a->kind, LT_NODE_VAR);
    assert_int_equal(list->b->a->slot, 0);
    assert_int_equal(list->b->b->kind, LT_NODE_GLOBAL);
    assert_int_equal(list->b->b->slot, 0);
    done(&t);
}

static void alternative_patterns_share_the_slot_of_a_name(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, ". as [$a] ?// {$a: [$b], (\"k\"): $a} | $a, $b");
    const struct lt_pattern *second = root->patterns[1];

    (void)state;
    assert_int_equal(t.part.main.n_vars, 2);
    assert_int_equal(root->n_patterns, 2);
    assert_int_equal(root->patterns[0]->items[0]->slot, 0);
    assert_int_equal(second->kind, LT_PATTERN_OBJECT);
    assert_true(second->has_slot[0]);
    assert_false(second->has_slot[1]);
    assert_int_equal(second->slots[0], 0);
    assert_int_equal(second->items[0]->items[0]->slot, 1);
    assert_int_equal(second->items[1]->slot, 0);
    done(&t);
}

static void a_reference_says_how_many_frames_up_it_goes(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(
        &t, ". as $x | label $l | def f(g; $y): def h: $x + $y + g + y; h, break $l; f(.; 1)");
    const struct lt_node *call = root->b->a;
    const struct lt_def *f = call->def;
    const struct lt_node *call_h = f->body->a;
    const struct lt_node *sum = call_h->def->body;

    (void)state;
    assert_int_equal(call->kind, LT_NODE_CALL);
    assert_int_equal(call->up, 0);
    assert_int_equal(call->n, 2);
    assert_int_equal(f->n_params, 2);
    assert_false(f->is_value[0]);
    assert_true(f->is_value[1]);
    assert_int_equal(f->n_vars, 1);
    assert_int_equal(call_h->kind, LT_NODE_CALL);
    assert_int_equal(call_h->up, 0);
    assert_int_equal(f->body->b->kind, LT_NODE_BREAK);
    assert_int_equal(f->body->b->up, 1);
    assert_int_equal(f->body->b->slot, 1);
    assert_int_equal(sum->b->kind, LT_NODE_PARAM); /* y */
    assert_int_equal(sum->b->up, 1);
    assert_int_equal(sum->b->slot, 1);
    assert_int_equal(sum->a->b->kind, LT_NODE_PARAM); /* g */
    assert_int_equal(sum->a->b->slot, 0);
    assert_int_equal(sum->a->a->b->up, 1); /* $y */
    assert_int_equal(sum->a->a->b->slot, f->value_slot[1]);
    assert_int_equal(sum->a->a->a->up, 2); /* $x */
    done(&t);
}

static const struct lt_def *called(const struct lt_node *node) {
    assert_int_equal(node->kind, LT_NODE_CALL);
    return node->def;
}

static void functions_are_told_by_name_and_number_of_arguments(void **state) {
    struct tree t;
    const struct lt_node *root =
        root_of(&t, "def f: 1; def f(x): 2; def g: f; def f: 3; f, f(.), g");
    const struct lt_node *rest = root->b;

    (void)state;
    assert_true(lt_slice_eq_str(called(root->a)->body->text, "3"));
    assert_true(lt_slice_eq_str(called(rest->a)->body->text, "2"));
    assert_true(lt_slice_eq_str(called(called(rest->b)->body)->body->text, "1"));
    done(&t);
}

static void the_users_functions_go_before_builtins(void **state) {
    struct tree t;
    const struct lt_node *root = root_of(&t, "def map(f): 5; def recurse: 6; map(.), ..");

    (void)state;
    assert_true(lt_slice_eq_str(called(root->a)->body->text, "5"));
    assert_false(called(root->a)->prelude);
    assert_true(lt_slice_eq_str(called(root->b)->body->text, "6"));
    done(&t);
    root = root_of(&t, "map_values(.a), (.b | map_values(1)), ..");
    assert_true(called(root->a)->prelude);
    assert_ptr_equal(called(root->a), called(root->b->a->b));
    assert_int_equal(root->b->b->kind, LT_NODE_RECURSE);
    done(&t);
}

static void with_entries_are_seen_in_order_and_by_themselves(void **state) {
    static const char *const defs[] = {"a", ". + 1", "f(g; $n)", "if $n then g else f(a; 1) end",
                                       NULL};
    struct tree t;
    const struct lt_node *root = root_with(&t, "f(.x; 2)", defs);

    (void)state;
    assert_true(called(root)->recursive);
    const struct lt_def *a = called(called(root)->body->c->items[0]);
    assert_true(lt_slice_eq_str(a->name, "a"));
    assert_false(a->recursive);
    assert_int_equal(called(root)->body->c->items[0]->up, 1);
    done(&t);
}

static void recursion_is_told_also_round_a_corner(void **state) {
    struct tree t;
    const struct lt_node *root =
        root_of(&t, "def f: def g: f; def h: g; if . then h else 1 end; def k: 1; f, k");
    const struct lt_def *f = called(root->a);

    (void)state;
    assert_true(f->recursive);
    assert_true(called(f->body->b)->recursive);
    assert_true(called(called(f->body->b)->body)->recursive);
    assert_false(called(root->b)->recursive);
    done(&t);
}

static void what_nobody_calls_may_name_what_is_not_there(void **state) {
    static const char *const defs[] = {"a", "nosuch", NULL};
    struct tree t;

    (void)state;
    root_of(&t, "def f: nosuch | $nosuch | break $nosuch; 1");
    done(&t);
    parse_with(&t, "1", defs); /* but with: is checked */
    assert_int_equal(t.status, LEAT_E_CONFIG);
    assert_true(lt_slice_eq_str(t.part.failed->name, "a"));
    assert_int_equal(t.err.line, 10);
    done(&t);
}

static void definitions_alone_are_the_identity_and_said_to_be(void **state) {
    static const char *const rows[] = {"", "# nothing\n", "def f: 1;", "def f: 1; def g: f;"};
    struct tree t;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(root_of(&t, rows[i])->kind, LT_NODE_IDENTITY);
        assert_true(t.part.bare);
        done(&t);
    }
    root_of(&t, "def f: 1; .");
    assert_false(t.part.bare);
    done(&t);
}

static void what_only_libjq_knows_is_left_to_it(void **state) {
    static const char *const defs[] = {"a", "halt_error", NULL};
    struct tree t;

    (void)state;
    parse_with(&t, ".a | def f: input_line_number; [f]", NULL);
    assert_int_equal(t.status, LEAT_OK);
    assert_null(t.part.root);
    assert_string_equal(t.part.why, "`input_line_number` is one that only libjq has");
    done(&t);
    root_of(&t, "def f: input_line_number; 1"); /* never called */
    done(&t);
    root_with(&t, "1", defs);
    done(&t);
    parse_with(&t, "a", defs);
    assert_int_equal(t.status, LEAT_OK);
    assert_null(t.part.root);
    done(&t);
    parse_with(&t, "def _plus(a; b): 5; 1 + .a", NULL);
    assert_null(t.part.root);
    assert_non_null(strstr(t.part.why, "`_plus` is defined anew"));
    done(&t);
}

static void every_definition_of_the_prelude_can_be_used(void **state) {
    const char *name;
    char text[200];

    (void)state;
    for (size_t i = 0; (name = lt_fn_name(i)) != NULL; i++) {
        struct tree t;
        int len = (int)strcspn(name, "/");
        int n = snprintf(text, sizeof(text), "%.*s", len, name);
        for (int arg = 0; arg < name[len + 1] - '0'; arg++)
            n += snprintf(text + n, sizeof(text) - (size_t)n, "%s", arg ? "; ." : "(.");
        snprintf(text + n, sizeof(text) - (size_t)n, "%s", name[len + 1] == '0' ? "" : ")");
        parse_with(&t, text, NULL);
        if (t.status != LEAT_OK)
            fail_msg("%s: %s", text, t.err.text);
        done(&t);
    }
}

/* --- what others use ---------------------------------------------------------------------- */

static bool count_fields(void *ctx, const struct lt_node *node) {
    *(size_t *)ctx += node->kind == LT_NODE_FIELD;
    return node->kind != LT_NODE_ARRAY;
}

static void a_walk_meets_every_node_but_those_it_does_not_want(void **state) {
    struct tree t;
    size_t n = 0;
    const struct lt_node *root =
        root_of(&t, ".a as {(.b): $x} | {(.c): .d, \"\\(.e)\": 1} | if .f then [.no] else "
                    "reduce .g as $y (.h; .i) end | limit(.j; .k) | .[.l:.m]?");

    (void)state;
    lt_tree_walk(root, count_fields, &n);
    assert_int_equal(n, 13);
    done(&t);
}

static void expect_constant(const char *text, bool constant) {
    static const char *const defs[] = {"one", "1", "same", ".", "apply(f)", "5 | f", NULL};
    struct tree t;

    parse_with(&t, text, defs);
    if (t.status != LEAT_OK)
        fail_msg("%s: %s", text, t.err.text);
    if (t.part.root && lt_tree_is_constant(&t.part) != constant)
        fail_msg("%s", text);
    done(&t);
}

static void what_does_not_look_at_its_input_is_constant(void **state) {
    static const char *const constant[] = {
        "1",
        "$given == 1",
        "[1, 2] | .[0]",
        "\"a\" | test(\"b\")",
        "if $given then 1 else 2 end",
        "one",
        "5 | same",

        "{a: 1} | .a",
        "1 as $x | $x",
        "[1] as [$x] | {$x}",
        "reduce (1, 2) as $x (0; . + $x)",
        "\"a\\(1)\"",
        "1 | \"a\\(.)\"",
        "label $l | 1, break $l",
        "[range(3)]",
        "1 | tostring",
        "{} | .a = 1",
        "null | not",
    };
    static const char *const varying[] = {
        ".",
        ".a",
        "..",
        "[.]",
        "same",
        "apply(.) | one, same",
        "now",
        "$ENV",
        "1 | now",
        "1 | env",
        "input",
        "length",
        "1, .",
        "not",
        "@json",
        "\"\\(.)\"",
        "{a}",
        ". as $x | 1",
        ".a = 1",
        "error",
        "try error catch .",
        "reduce . as $x (0; 1)",
        "1 as $x | .",
        "{\"a\\(1)\"}",
        "if . then 1 else 2 end",
        "1 | input",
        "first(.)",
        "[limit(1; .)]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(constant) / sizeof(constant[0]); i++)
        expect_constant(constant[i], true);
    for (size_t i = 0; i < sizeof(varying) / sizeof(varying[0]); i++)
        expect_constant(varying[i], false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_fields_over_the_identity),
        cmocka_unit_test(a_question_mark_behind_more_than_a_step_is_a_try),
        cmocka_unit_test(constants_are_gathered_into_one_literal),
        cmocka_unit_test(what_is_built_upon_stays_an_array_or_object),
        cmocka_unit_test(a_string_is_literals_and_expressions_in_turn),
        cmocka_unit_test(a_name_that_is_no_format_is_a_call_that_raises_when_it_runs),
        cmocka_unit_test(the_value_of_a_string_key_with_inserts_is_left_out),
        cmocka_unit_test(each_binding_has_a_slot_of_its_own),
        cmocka_unit_test(alternative_patterns_share_the_slot_of_a_name),
        cmocka_unit_test(a_reference_says_how_many_frames_up_it_goes),
        cmocka_unit_test(functions_are_told_by_name_and_number_of_arguments),
        cmocka_unit_test(the_users_functions_go_before_builtins),
        cmocka_unit_test(with_entries_are_seen_in_order_and_by_themselves),
        cmocka_unit_test(recursion_is_told_also_round_a_corner),
        cmocka_unit_test(what_nobody_calls_may_name_what_is_not_there),
        cmocka_unit_test(definitions_alone_are_the_identity_and_said_to_be),
        cmocka_unit_test(what_only_libjq_knows_is_left_to_it),
        cmocka_unit_test(every_definition_of_the_prelude_can_be_used),
        cmocka_unit_test(a_walk_meets_every_node_but_those_it_does_not_want),
        cmocka_unit_test(what_does_not_look_at_its_input_is_constant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
