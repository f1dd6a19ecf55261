/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include "expr/query.h"

static struct lt_expr_query *make(const char *text, const char *const *vars) {
    struct lt_expr_text source = {LT_LIT(""), lt_slice_str(text), 7, 3};
    struct lt_expr_var bound[KIT_TEXTS];
    struct lt_expr_query *query;
    struct leat_error err;

    size_t n = vars ? kit_vars(vars, bound) : 0;
    if (lt_expr_query_new(&query, &source, bound, n, &err) != LEAT_OK)
        fail_msg("%s: %u:%u %s", text, err.line, err.column, err.text);
    return query;
}

static struct lt_json parse(const char *text) {
    struct lt_json doc;

    assert_int_equal(lt_json_parse(&doc, lt_slice_str(text), LT_JSON_MAX_DEPTH, NULL), LEAT_OK);
    return doc;
}

/* `expected`: the outputs with a blank between them */
static void check(const char *text, const char *const *vars, bool is_path, const char *json,
                  const char *expected) {
    struct lt_expr_query *query = make(text, vars);
    struct lt_json doc = parse(json);
    struct lt_arena arena;
    struct leat_error err;
    struct lt_json *outputs;
    struct lt_buf all;
    size_t n;

    lt_arena_init(&arena, 1 << 20);
    lt_buf_init(&all, 1 << 20);
    assert_int_equal(lt_expr_query_is_path(query), is_path);
    for (int again = 0; again < 2; again++) {
        lt_buf_clear(&all);
        if (lt_expr_query_run(query, doc, &arena, &outputs, &n, &err) != LEAT_OK)
            fail_msg("%s of %s: %s", text, json, err.text);
        for (size_t i = 0; i < n; i++) {
            struct lt_json reread;
            assert_int_equal(lt_json_parse(&reread, outputs[i].raw, 1000, NULL), LEAT_OK);
            assert_int_equal(reread.type, outputs[i].type);
            if (i)
                lt_buf_append_byte(&all, ' ');
            lt_buf_append(&all, outputs[i].raw);
        }
        assert_string_equal(lt_buf_cstr(&all), expected);
    }
    lt_buf_deinit(&all);
    lt_arena_deinit(&arena);
    lt_expr_query_free(query);
}

static void check_failure(const char *text, const char *json, leat_status expected,
                          const char *what) {
    struct lt_expr_query *query = make(text, NULL);
    struct lt_json *outputs;
    struct lt_arena arena;
    struct leat_error err;
    size_t n = 1;

    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_expr_query_run(query, parse(json), &arena, &outputs, &n, &err), expected);
    assert_string_equal(err.text, what);
    assert_int_equal(n, 0);
    lt_arena_deinit(&arena);
    lt_expr_query_free(query);
}

static void query_of_a_plain_path_gives_the_bytes_as_they_stand(void **state) {
    (void)state;
    check(".items[]", NULL, true, "{\"items\": [ {\"b\" : 1.50, \"a\":\"\\u0041\"} , 1E3 ]}",
          "{\"b\" : 1.50, \"a\":\"\\u0041\"} 1E3");
    check(" . ", NULL, true, " [ 1 ] ", "[ 1 ]");
    check(".a.b", NULL, true, "{\"a\":{\"b\":12345678901234567890}}", "12345678901234567890");
    check(".next", NULL, true, "{\"items\":[]}", "null");
    check(".a[]", NULL, true, "{\"a\":[]}", "");
}

static void query_outputs_of_a_path_are_views_of_the_document(void **state) {
    static const char text[] = "{\"a\":[1,{\"b\":2}]}";
    struct lt_expr_query *query = make(".a[]", NULL);
    struct lt_json *outputs;
    struct lt_arena arena;
    struct leat_error err;
    size_t n;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_expr_query_run(query, parse(text), &arena, &outputs, &n, &err), LEAT_OK);
    assert_int_equal(n, 2);
    assert_ptr_equal(outputs[0].raw.data, text + 6);
    assert_ptr_equal(outputs[1].raw.data, text + 8);
    lt_arena_deinit(&arena);
    lt_expr_query_free(query);
}

static void query_outputs_that_stand_in_the_document_are_views_of_it(void **state) {
    static const char text[] = "{\"a\":[1.50,{\"b\" : 2},\"\\u0041\"]}";
    struct lt_expr_query *query = make("(.a[] | select(. != 7)), 5", NULL);
    struct lt_json *outputs;
    struct lt_arena arena;
    struct leat_error err;
    size_t n;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_false(lt_expr_query_is_path(query));
    assert_null(lt_expr_query_why_libjq(query));
    assert_int_equal(lt_expr_query_run(query, parse(text), &arena, &outputs, &n, &err), LEAT_OK);
    assert_int_equal(n, 4);
    assert_ptr_equal(outputs[0].raw.data, text + 6);
    assert_ptr_equal(outputs[1].raw.data, text + 11);
    assert_int_equal(outputs[1].raw.len, strlen("{\"b\" : 2}"));
    assert_ptr_equal(outputs[2].raw.data, text + 21);
    assert_true(lt_slice_eq_str(outputs[2].raw, "\"\\u0041\""));
    assert_true(lt_slice_eq_str(outputs[3].raw, "5"));
    lt_arena_deinit(&arena);
    lt_expr_query_free(query);
}

static void query_left_to_libjq_says_why(void **state) {
    struct lt_expr_query *query = make("_plus(.a; 1)", NULL);

    (void)state;
    assert_non_null(strstr(lt_expr_query_why_libjq(query), "libjq"));
    lt_expr_query_free(query);
    check("_plus(.a, 5; 1)", NULL, false, "{\"a\":1.50}", "2.5 6");
    check_failure("_plus(.a; 1)", "{\"a\":[]}", LEAT_E_INVALID,
                  "the expression failed: array ([]) and number (1) cannot be added");
}

static void query_of_anything_else_is_evaluated(void **state) {
    static const char *const vars[] = {"resource", "\"albums\"", "n", "{\"x\":[1,-2]}", NULL};

    (void)state;
    check(".a | .b", NULL, false, "{\"a\":{\"b\":1.50}}", "1.50");
    check("[.[] * 2]", NULL, false, "[1,2]", "[2,4]");
    check(".[] | select(. > 1)", NULL, false, "[1,2,3]", "2 3");
    check("$resource, $n.x[1], $n", vars, false, "null", "\"albums\" -2 {\"x\":[1,-2]}");
    check(".a + $resource", vars, false, "{\"a\":\"x\"}", "\"xalbums\"");
    check("\"x\\($resource)\", true, false", vars, false, "0", "\"xalbums\" true false");
    check(".a", vars, true, "{\"a\":\"x\"}", "\"x\"");
}

static void query_that_fails_says_why_as_jq_does(void **state) {
    (void)state;
    check_failure(".a", "1", LEAT_E_INVALID,
                  "the expression failed: Cannot index number with string \"a\"");
    check_failure(".[0]", "{}", LEAT_E_INVALID,
                  "the expression failed: Cannot index object with number");
    check_failure(".a[]", "{}", LEAT_E_INVALID,
                  "the expression failed: Cannot iterate over null (null)");
    check_failure(".[].a", "[{\"a\":1},true]", LEAT_E_INVALID,
                  "the expression failed: Cannot index boolean with string \"a\"");
    check_failure("error(\"no \\(.a)\")", "{\"a\":5}", LEAT_E_INVALID,
                  "the expression failed: no 5");
    check_failure("1e1000", "1", LEAT_E_INVALID, "the expression gave a number that is not finite");
}

static void query_outputs_that_do_not_fit_in_the_arena_are_an_error(void **state) {
    static const char *const texts[] = {".[]", ".[] | ."};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lt_expr_query *query = make(texts[i], NULL);
        struct lt_json *outputs;
        struct lt_arena arena;
        struct leat_error err;
        size_t n;
        lt_arena_init(&arena, 50);
        assert_int_equal(lt_expr_query_run(query, parse("[1,2,3,4]"), &arena, &outputs, &n, &err),
                         LEAT_E_NOMEM);
        assert_string_equal(err.text, "the outputs of an expression do not fit in 50 bytes");
        lt_arena_deinit(&arena);
        lt_expr_query_free(query);
    }
}

static void query_that_does_not_compile_names_the_place(void **state) {
    static const struct {
        const char *text, *what;
        unsigned line, column;
    } rows[] = {
        {".a | nosuch", "expression: nosuch/0 is not defined", 7, 8},
        {".a\n | $resorce", "expression: $resorce is not defined; did you mean \"$resource\"?", 8,
         6},
        {".a.[0]", NULL, 7, 0},
        {".a[", "expression: ']' is missing for this bracket", 7, 5},
        {"", NULL, 7, 0},
        {"$ENV", NULL, 7, 4},
    };
    struct lt_expr_var var = {"resource", LT_LIT("\"x\"")};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_expr_text text = {LT_LIT(""), lt_slice_str(rows[i].text), 7, 3};
        struct lt_expr_query *query = NULL;
        struct leat_error err;
        assert_int_equal(lt_expr_query_new(&query, &text, &var, 1, &err), LEAT_E_CONFIG);
        assert_null(query);
        if (rows[i].what)
            assert_string_equal(err.text, rows[i].what);
        assert_int_equal(err.line, rows[i].line);
        if (rows[i].column)
            assert_int_equal(err.column, rows[i].column);
    }
}

static void query_is_known_by_its_name_in_errors(void **state) {
    struct lt_expr_text text = {LT_LIT("records"), LT_LIT(".a |"), 7, 3};
    struct lt_expr_query *query;
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_expr_query_new(&query, &text, NULL, 0, &err), LEAT_E_CONFIG);
    assert_string_equal(
        err.text, "records: syntax error: the expression ends too early; expected an expression");
}

static void query_variable_that_is_no_json_is_refused(void **state) {
    struct lt_expr_text text = {LT_LIT(""), LT_LIT("$x"), 7, 3};
    struct lt_expr_var var = {"x", LT_LIT("{")};
    struct lt_expr_query *query;
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_expr_query_new(&query, &text, &var, 1, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "the value of $x: not JSON: byte 1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_of_a_plain_path_gives_the_bytes_as_they_stand),
        cmocka_unit_test(query_outputs_of_a_path_are_views_of_the_document),
        cmocka_unit_test(query_of_anything_else_is_evaluated),
        cmocka_unit_test(query_outputs_that_stand_in_the_document_are_views_of_it),
        cmocka_unit_test(query_left_to_libjq_says_why),
        cmocka_unit_test(query_that_fails_says_why_as_jq_does),
        cmocka_unit_test(query_outputs_that_do_not_fit_in_the_arena_are_an_error),
        cmocka_unit_test(query_that_does_not_compile_names_the_place),
        cmocka_unit_test(query_is_known_by_its_name_in_errors),
        cmocka_unit_test(query_variable_that_is_no_json_is_refused),
    };
    return cmocka_run_group_tests_name("expr query", tests, NULL, NULL);
}
