/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include <stdio.h>

static struct lt_expr_filter *make(const char *text) {
    struct lt_expr_filter *filter;
    struct leat_error err;

    if (lt_expr_filter_new(&filter, lt_slice_str(text), &err) != LEAT_OK)
        fail_msg("%s: %s", text, err.text);
    return filter;
}

static void check(const char *text, const char *json, bool raw, size_t n, const char *expected) {
    struct lt_expr_filter *filter = make(text);
    struct leat_error err;
    struct lt_buf out;
    size_t n_outputs;

    lt_buf_init(&out, 1 << 20);
    for (int again = 0; again < 2; again++) {
        lt_buf_clear(&out);
        if (lt_expr_filter_run(filter, lt_slice_str(json), raw, &out, &n_outputs, &err) != LEAT_OK)
            fail_msg("%s: %s", text, err.text);
        assert_int_equal(n_outputs, n);
        assert_string_equal(lt_buf_cstr(&out), expected);
    }
    lt_buf_deinit(&out);
    lt_expr_filter_free(filter);
}

static void filter_gives_each_output_on_a_line(void **state) {
    (void)state;
    check(".a", "{\"a\":\"x\\n\"}", false, 1, "\"x\\n\"\n");
    check(".[]", " [1,[2, 3],\"x\",null] ", false, 4, "1\n[2,3]\n\"x\"\nnull\n");
    check("empty", "1", false, 0, "");
    check(". + 1", "1", false, 1, "2\n");
}

static void filter_gives_strings_raw_when_asked(void **state) {
    (void)state;
    check(".session_id // .id", "{\"id\":\"a1\"}", true, 1, "a1\n");
    check(".id", "{\"id\":12}", true, 1, "12\n");
    check(".[]", "[\"a\",{\"b\":\"c\"}]", true, 2, "a\n{\"b\":\"c\"}\n");
}

static void filter_reads_json_as_jq_does(void **state) {
    static const char *const rows[][2] = {
        {"[ ]", "[]"},
        {"{ }", "{}"},
        {" [ 1 , [ 2 ] , { \"a\" : [ ] } ] ", "[1,[2],{\"a\":[]}]"},
        {"[true,false,null]", "[true,false,null]"},
        {"[-1.5e2,0.1,1E+2,-0]", "[-1.5e2,0.1,1E+2,-0]"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"\\u0061\":1,\"a\":{\"\":2}}", "{\"a\":{\"\":2}}"},
        {"\"\"", "\"\""},
        {"\"\\\"\\\\\"", "\"\\\"\\\\\""},
        {"[\"\\\\\",\"]\"]", "[\"\\\\\",\"]\"]"},
        {"\"\\ud83d\\ude00\\n\\/\\u0000x\"", "\"\xf0\x9f\x98\x80\\n/\\u0000x\""},
        {"[\"\xc3\xa9\"]", "[\"\xc3\xa9\"]"},
        {"{\"0123456789abcdef\":\"0123456789abcdef0123456789abcdef\\\"\"}",
         "{\"0123456789abcdef\":\"0123456789abcdef0123456789abcdef\\\"\"}"},
        {"100000000000000000001", "100000000000000000001"},
        {"123456789012345678", "123456789012345678"},
        {"\t{\"a\"\n:\r[ \"x\" ] }", "{\"a\":[\"x\"]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[200];
        snprintf(line, sizeof(line), "%s\n", rows[i][1]);
        check(".", rows[i][0], false, 1, line);
    }
}

static void filter_keeps_what_the_buffer_had_and_drops_half_an_answer(void **state) {
    struct lt_expr_filter *filter = make(".[] | tonumber");
    struct leat_error err;
    struct lt_buf out;
    size_t n = 9;

    (void)state;
    lt_buf_init(&out, 1000);
    lt_buf_append_str(&out, "kept ");
    assert_int_equal(lt_expr_filter_run(filter, LT_LIT("[1,\"x\"]"), false, &out, &n, &err),
                     LEAT_E_INVALID);
    assert_non_null(strstr(err.text, "the expression failed: Invalid "));
    assert_int_equal(n, 0);
    assert_string_equal(lt_buf_cstr(&out), "kept ");
    assert_int_equal(lt_expr_filter_run(filter, LT_LIT("[1,]"), false, &out, &n, &err),
                     LEAT_E_PARSE);
    assert_int_equal(lt_expr_filter_run(filter, LT_LIT("[1]"), false, &out, NULL, &err), LEAT_OK);
    assert_string_equal(lt_buf_cstr(&out), "kept 1\n");
    lt_buf_deinit(&out);
    lt_expr_filter_free(filter);
}

static void filter_without_end_stops_at_the_buffers_maximum(void **state) {
    struct lt_expr_filter *filter = make("repeat(\"0123456789\")");
    struct leat_error err;
    struct lt_buf out;
    size_t n;

    (void)state;
    lt_buf_init(&out, 1000);
    assert_int_equal(lt_expr_filter_run(filter, LT_LIT("1"), false, &out, &n, &err), LEAT_E_NOMEM);
    lt_buf_deinit(&out);
    lt_expr_filter_free(filter);
}

static void filter_refuses_numbers_that_are_not_finite(void **state) {
    struct lt_expr_filter *filter = make("nan");
    struct leat_error err;
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 1000);
    assert_int_equal(lt_expr_filter_run(filter, LT_LIT("1"), false, &out, NULL, &err),
                     LEAT_E_INVALID);
    assert_string_equal(err.text, "the expression gave a number that is not finite");
    lt_buf_deinit(&out);
    lt_expr_filter_free(filter);
}

static void filter_that_does_not_compile_says_why(void **state) {
    struct lt_expr_filter *filter = NULL;
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_expr_filter_new(&filter, LT_LIT(".a | lenght"), &err), LEAT_E_CONFIG);
    assert_null(filter);
    assert_string_equal(err.text, "expression: lenght/0 is not defined; did you mean \"length\"?");
    assert_int_equal(lt_expr_filter_new(&filter, LT_LIT(".a)"), &err), LEAT_E_CONFIG);
    lt_expr_filter_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_gives_each_output_on_a_line),
        cmocka_unit_test(filter_gives_strings_raw_when_asked),
        cmocka_unit_test(filter_reads_json_as_jq_does),
        cmocka_unit_test(filter_keeps_what_the_buffer_had_and_drops_half_an_answer),
        cmocka_unit_test(filter_without_end_stops_at_the_buffers_maximum),
        cmocka_unit_test(filter_refuses_numbers_that_are_not_finite),
        cmocka_unit_test(filter_that_does_not_compile_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
