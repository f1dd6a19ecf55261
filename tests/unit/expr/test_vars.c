/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

static void variable_is_seen_by_defs_sets_key_and_routes(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.defs = {"where", "$resource + \"/\" + .id"},
                                  .sets = {"a", "$resource", "b", "where", "c", "$more.n[1] + .n"},
                                  .routes = {"x", "$resource == .id", "y", ".a == $resource"},
                                  .key = "where",
                                  .vars = {"resource", "\"albums\"", "more", "{\"n\":[1,-2.5]}"}});
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result r = kit_run(expr, "{\"id\":\"7\",\"n\":1}", &arena);
    assert_int_equal(r.outcome, LT_EXPR_OK);
    assert_true(lt_slice_eq_str(r.data, "{\"id\":\"7\",\"n\":1,\"a\":\"albums\","
                                        "\"b\":\"albums/7\",\"c\":-1.5}"));
    assert_true(lt_slice_eq_str(r.key, "albums/7"));
    assert_int_equal(r.route, 1);
    r = kit_run(expr, "{\"id\":\"albums\"}", &arena);
    assert_int_equal(r.route, 0);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

static void variable_is_any_json_and_cannot_reach_outside_its_value(void **state) {
    static const char *const rows[][2] = {
        {"null", "null"},
        {"false", "false"},
        {" [ 1 , {} ] ", "[1,{}]"},
        {"\"\\\\(1) \\\" ) | empty #\"", "\"\\\\(1) \\\" ) | empty #\""},
        {"\"\\u0000\\ud83d\\ude00\"", "\"\\u0000\xf0\x9f\x98\x80\""},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"-0.5e1", "-5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_expr *expr =
            kit_compile(&(struct kit){.sets = {"v", ".n as $n | $x"}, .vars = {"x", rows[i][0]}});
        char expected[100] = "{\"v\":";
        strcat(strcat(expected, rows[i][1]), "}");
        kit_expect_data(expr, "{}", expected);
        lt_expr_free(expr);
    }
}

static void variable_of_the_text_hides_one_of_the_program(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.defs = {"f($x)", "$x"},
                                  .sets = {"a", "2 as $x | $x", "b", "f(3)", "c", "$x"},
                                  .vars = {"x", "1"}});

    (void)state;
    kit_expect_data(expr, "{}", "{\"a\":2,\"b\":3,\"c\":1}");
    lt_expr_free(expr);
}

static void variable_that_is_not_bound_is_an_error_of_the_file(void **state) {
    struct lt_expr *expr;
    struct leat_error err;

    (void)state;
    assert_int_equal(kit_try(&expr, &(struct kit){.routes = {"a", "$resource == \"x\""}}, &err),
                     LEAT_E_CONFIG);
    assert_string_equal(err.text, "route[0].when: $resource is not defined");
    assert_int_equal(err.line, 10);
    assert_int_equal(kit_try(&expr,
                             &(struct kit){.routes = {"a", "1 == $resorce"},
                                           .vars = {"fetched_at", "1", "resource", "2"}},
                             &err),
                     LEAT_E_CONFIG);
    assert_string_equal(err.text,
                        "route[0].when: $resorce is not defined; did you mean \"$resource\"?");
    assert_int_equal(err.column, 10);
}

static void variable_whose_value_is_no_json_is_refused(void **state) {
    struct lt_expr *expr;
    struct leat_error err;

    (void)state;
    assert_int_equal(kit_try(&expr, &(struct kit){.sets = {"a", "$x"}, .vars = {"x", "1 2"}}, &err),
                     LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "the value of $x: not JSON: byte 2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variable_is_seen_by_defs_sets_key_and_routes),
        cmocka_unit_test(variable_is_any_json_and_cannot_reach_outside_its_value),
        cmocka_unit_test(variable_of_the_text_hides_one_of_the_program),
        cmocka_unit_test(variable_that_is_not_bound_is_an_error_of_the_file),
        cmocka_unit_test(variable_whose_value_is_no_json_is_refused),
    };
    return cmocka_run_group_tests_name("expr vars", tests, NULL, NULL);
}
