/* SPDX-License-Identifier: Apache-2.0 */
/* A jq text that is none is refused at a place, in words for people, whatever its bytes. */
#include "tree_kit.h"

#include <stdio.h>
#include <stdlib.h>

struct fault {
    const char *text;
    unsigned line, column;
    const char *message;
};

static void expect_faults(const struct fault *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct tree t;
        parse_with(&t, rows[i].text, NULL);
        if (t.status != LEAT_E_CONFIG)
            fail_msg("%s was taken", rows[i].text);
        if (t.err.line != rows[i].line || t.err.column != rows[i].column ||
            strcmp(t.err.text, rows[i].message) != 0)
            fail_msg("%s: %u:%u %s", rows[i].text, t.err.line, t.err.column, t.err.text);
        assert_ptr_equal(t.part.failed, &t.text);
        done(&t);
    }
}
#define EXPECT_FAULTS(rows) expect_faults(rows, sizeof(rows) / sizeof(rows[0]))

static void a_syntax_error_says_what_was_found_and_expected(void **state) {
    static const struct fault rows[] = {
        {"1 +", 10, 8, "syntax error: the expression ends too early; expected an expression"},
        {"1;2", 10, 6, "syntax error, unexpected ';'; expected an operator or the end"},
        {".a |\n  .b b", 11, 10, "syntax error, unexpected 'b'; expected an operator or the end"},
        {"1 adn 2", 10, 7,
         "syntax error, unexpected 'adn'; expected an operator or the end; did you mean \"and\"?"},
        {"if . thne 1 else 2 end", 10, 10,
         "syntax error, unexpected 'thne'; expected an operator or \"then\"; did you mean "
         "\"then\"?"},
        {"if . then 1 end", 10, 17,
         "syntax error, unexpected 'end'; expected an operator, \"elif\" or \"else\" (in jq 1.6 "
         "each `if` has one)"},
        {"if . then 1", 10, 16,
         "syntax error: the expression ends too early; expected an operator, \"elif\" or "
         "\"else\" (in jq 1.6 each `if` has one)"},
        {"1 == 2 == 3", 10, 12,
         "syntax error, unexpected '=='; expected parentheses around one of two comparisons"},
        {"\"\xc3\xa9\" | 1 \"x\"", 10, 13,
         "syntax error, unexpected string; expected an operator or the end"},
        {"{a: 1 + 2}", 10, 11,
         "syntax error, unexpected '+'; expected ',' or '}'; a value with operators other than "
         "'|' wants parentheses"},
        {"{a b}", 10, 8,
         "syntax error, unexpected 'b'; expected ',' or '}'; a value with operators other than "
         "'|' wants parentheses"},
        {"1\r", 10, 6,
         "syntax error, unexpected carriage return (no white space in jq 1.6); expected an "
         "operator or the end"},
        {"\xc3\xa9", 10, 5, "syntax error, unexpected byte 0xc3; expected an expression"},
        {"import \"a\" as a; .", 10, 5,
         "syntax error, unexpected import; modules are not available: put definitions under "
         "`with:` or before the expression"},
        {".a.[0]", 10, 8,
         "syntax error, unexpected '['; expected a name or a string behind '.'; `.a[0]` has no "
         "point before its bracket"},
        {"1.2.3", 10, 5, "\"1.2.3\" is no number"},
        {"\"a\\x\"", 10, 7,
         "in a string: no such escape; expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX or "
         "\\("},
        {"\"a\xff\"", 10, 7, "in a string: bytes that are not UTF-8"},
        {"1/0", 10, 5, "Division by zero?"},
        {"{(1+1): 2}", 10, 6, "Cannot use number (1+1) as object key"},
    };
    (void)state;
    EXPECT_FAULTS(rows);
}

static void a_bracket_is_blamed_before_what_comes_of_it(void **state) {
    static const struct fault rows[] = {
        {"1] | [2", 10, 6, "']' closes nothing"},
        {"}", 10, 5, "'}' closes nothing"},
        {"(1]", 10, 7, "']' where ')' should stand"},
        {"{a: (1}", 10, 11, "'}' where ')' should stand"},
        {"{a:1", 10, 5, "'}' is missing for this bracket"},
        {".a |\n [", 11, 6, "']' is missing for this bracket"},
        {"f(1; [2)", 10, 12, "')' where ']' should stand"},
        {"\"abc", 10, 5, "the string that begins here does not end"},
        {"\"a\\(1", 10, 7, "')' is missing for this bracket"},
        {"\"a\\(\")\"", 10, 7, "')' is missing for this bracket"},
        {". as [$a | 1", 10, 14, "syntax error, unexpected '|'; expected ',' or ']'"},
    };
    (void)state;
    EXPECT_FAULTS(rows);
}

static void an_unknown_name_is_told_with_the_nearest(void **state) {
    static const struct fault rows[] = {
        {"lenght", 10, 5, "lenght/0 is not defined; did you mean \"length\"?"},
        {".a | tonubmer", 10, 10, "tonubmer/0 is not defined; did you mean \"tonumber\"?"},
        {"map", 10, 5, "map/0 is not defined, but map/1 is"},
        {"def total(f): 1; total", 10, 22, "total/0 is not defined, but total/1 is"},
        {"def total: 1; 1 + ttoal", 10, 23, "ttoal/0 is not defined; did you mean \"total\"?"},
        {"zzzzqqqq", 10, 5, "zzzzqqqq/0 is not defined"},
        {"$gievn", 10, 5, "$gievn is not defined; did you mean \"$given\"?"},
        {". as $value | $vlaue", 10, 19, "$vlaue is not defined; did you mean \"$value\"?"},
        {"label $x | break $y", 10, 16, "label y is not defined"},
        {"def f: 1; def g: f | h; g", 10, 26, "h/0 is not defined"},
    };
    (void)state;
    EXPECT_FAULTS(rows);
}

static void depth_height_and_length_are_bounded(void **state) {
    static const char *const units[] = {
        "[",   "(",       "{a:", "-",     ".[",         "\"\\(",       "def f: ",    "try ", "if ",
        "[1,", "1 as {(", "f(",  "1 // ", "1 as $x | ", "label $x | ", "def f: 1; ", "{a:-"};
    char *text = malloc(70001);
    struct tree t;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        text[0] = '\0';
        for (size_t n = 0, len = strlen(units[i]); n + len < 65000; n += len)
            memcpy(text + n, units[i], len + 1);
        parse_with(&t, text, NULL);
        assert_int_equal(t.status, LEAT_E_CONFIG);
        if (!strstr(t.err.text, "more than 1000 expressions inside each other"))
            fail_msg("%s: %s", units[i], t.err.text);
        done(&t);
    }
    memcpy(text, "1 as ", 5);
    memset(text + 5, '[', 60000);
    text[60005] = '\0';
    parse_with(&t, text, NULL);
    assert_non_null(strstr(t.err.text, "more than 1000 expressions inside each other"));
    done(&t);
    memset(text, '1', 8001);
    for (size_t i = 1; i < 8000; i += 2)
        text[i] = '+';
    text[8001] = '\0';
    parse_with(&t, text, NULL);
    assert_int_equal(t.status, LEAT_E_CONFIG);
    assert_string_equal(t.err.text, "more than 2000 steps in one expression");
    done(&t);
    for (size_t i = 1; i < 8000; i += 2)
        text[i] = ',';
    root_of(&t, text); /* a list is as long as it likes */
    done(&t);
    memset(text, ' ', 70000);
    text[70000] = '\0';
    parse_with(&t, text, NULL);
    assert_string_equal(t.err.text, "an expression of 70000 bytes (at most 65536)");
    done(&t);
    free(text);
}

static void a_nul_byte_is_refused(void **state) {
    struct lt_expr_text text = {LT_LIT("x"), {"\"a\0b\"", 5}, 1, 1};
    struct lt_tree_part part;
    struct lt_arena arena;
    struct leat_error err;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_tree_parse(&part, &text, NULL, 0, NULL, 0, &arena, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "NUL"));
    lt_arena_deinit(&arena);
}

static void a_full_arena_is_no_memory(void **state) {
    static const char text[] = "def f(g; $x): [.[] | {a: g, \"b\\(1)\": $x}]; . as [$a, {$b}] | "
                               "f($a; \"\\u00e9\") | map(.c) | @json \"x\\(.)\" | [1, 2], lenght";
    struct lt_expr_text source = {LT_LIT("x"), lt_slice_str(text), 1, 1};
    struct lt_tree_part part;
    struct leat_error err;
    size_t n_full = 0;

    (void)state;
    for (size_t max = 0; max < 100000; max += 64) {
        struct lt_arena arena;
        lt_arena_init(&arena, max);
        leat_status status = lt_tree_parse(&part, &source, NULL, 0, NULL, 0, &arena, &err);
        n_full += status == LEAT_E_NOMEM;
        assert_true(status == LEAT_E_NOMEM || status == LEAT_E_CONFIG);
        lt_arena_deinit(&arena);
    }
    assert_true(n_full > 100 && n_full < 100000 / 64);
}

static void expect_explained(const char *text, const char *shown) {
    struct lt_buf out;
    struct tree t;

    parse_with(&t, text, NULL);
    lt_buf_init(&out, 4096);
    lt_tree_explain(&t.text, &t.err, &out);
    assert_string_equal(lt_buf_cstr(&out), shown);
    lt_buf_deinit(&out);
    done(&t);
}

static void a_fault_is_shown_with_a_caret(void **state) {
    char text[200], shown[400];

    (void)state;
    expect_explained(".a |\n\t.b b |\n.c", "  \t.b b |\n  \t   ^\n");
    expect_explained("\"\xc3\xa9\" | nosuch", "  \"\xc3\xa9\" | nosuch\n        ^\n");
    expect_explained("1 +", "  1 +\n     ^\n");
    snprintf(text, sizeof(text), "%080d + b + %080d", 1, 1);
    snprintf(shown, sizeof(shown), "  ...%057d + b + %036d...\n  %63s^\n", 1, 0, "");
    expect_explained(text, shown);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syntax_error_says_what_was_found_and_expected),
        cmocka_unit_test(a_bracket_is_blamed_before_what_comes_of_it),
        cmocka_unit_test(an_unknown_name_is_told_with_the_nearest),
        cmocka_unit_test(depth_height_and_length_are_bounded),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_full_arena_is_no_memory),
        cmocka_unit_test(a_fault_is_shown_with_a_caret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
