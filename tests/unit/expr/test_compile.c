/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A set of that text on line 10, column 5 of a file, among others. */
static leat_status compile_text(const char *text, struct leat_error *err) {
    const struct kit kit = {.defs = {"items", ".a", "by(f; $x)", "map(f) | .[$x]"},
                            .sets = {"total", text, "other", ".z"}};
    struct lt_expr *expr;
    leat_status status = kit_try(&expr, &kit, err);

    assert_int_equal(!expr, status != LEAT_OK);
    lt_expr_free(expr);
    return status;
}

static void compile_accepts_texts_that_are_closed_in_themselves(void **state) {
    static const char *const good[] = {
        ".a",
        ". # a comment",
        ". # with ) and ] and \"",
        "\"\\(\"x\\(1)\")\"",
        "\"a)b\"",
        "\"\\\")\"",
        "def f: 1; f",
        "def f(g; $x): g + $x; f(1; 2)",
        "label $out | 1, break $out",
        ". as [$a, {b: $c}] | $a",
        ". as [$a] ?// $a | $a",
        "{ENV: 1, env: 2, \"$ENV\": .ENV}",
        "reduce .[] as $x (0; . + $x)",
        "try error(\"x\") catch .",
        "if . then 1 else 2 end",
        "@base64 \"\\(.a)\"",
        "..",
        ".a\n| .b\n",
        "\n\n.a",
        "[.[] | {(.k): .v}] | add",
        "items | by(.x; 0)",
        "$__loc__",
        "\"\xc3\xa9\" # \xc3\xa9",
    };
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (compile_text(good[i], &err) != LEAT_OK)
            fail_msg("%s: %u:%u %s", good[i], err.line, err.column, err.text);
}

struct bad {
    const char *text;
    unsigned line, column;
    const char *message;
};

#define EARLY "set.total: syntax error: the expression ends too early; expected an expression"

static void compile_names_line_column_and_what_is_wrong(void **state) {
    static const struct bad bad[] = {
        {"1 +", 10, 8, EARLY},
        {"", 10, 5, EARLY},
        {"# only a comment", 10, 21, EARLY},
        {"if . then 1", 10, 16,
         "set.total: syntax error: the expression ends too early; expected an operator, \"elif\" "
         "or \"else\" (in jq 1.6 each `if` has one)"},
        {"def f: 1;", 10, 14, EARLY},
        {"1;2", 10, 6, "set.total: syntax error, unexpected ';'; expected an operator or the end"},
        {".a |\n  .b b", 11, 10,
         "set.total: syntax error, unexpected 'b'; expected an operator or the end"},
        {"\"\xc3\xa9\xc3\xa9\" | foo", 10, 12, "set.total: foo/0 is not defined"},
        {". as $x | $y", 10, 15, "set.total: $y is not defined"},
        {"label $x | break $y", 10, 16, "set.total: label y is not defined"},
        {"import \"a\" as a; .", 10, 5,
         "set.total: syntax error, unexpected import; modules are not available: put definitions "
         "under `with:` or before the expression"},
        {"include \"a\"; .", 10, 5,
         "set.total: syntax error, unexpected include; modules are not available: put definitions "
         "under `with:` or before the expression"},
        {"1/0", 10, 5, "set.total: Division by zero?"},
    };
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (compile_text(bad[i].text, &err) != LEAT_E_CONFIG)
            fail_msg("%s was accepted", bad[i].text);
        if (err.line != bad[i].line || err.column != bad[i].column ||
            strcmp(err.text, bad[i].message) != 0)
            fail_msg("%s: %u:%u %s", bad[i].text, err.line, err.column, err.text);
    }
}

static void compile_suggests_the_nearest_known_function(void **state) {
    static const struct bad rows[] = {
        {"lenght", 10, 5, "set.total: lenght/0 is not defined; did you mean \"length\"?"},
        {".a | tonubmer", 10, 10,
         "set.total: tonubmer/0 is not defined; did you mean \"tonumber\"?"},
        {"itms", 10, 5, "set.total: itms/0 is not defined; did you mean \"items\"?"},
        {"map", 10, 5, "set.total: map/0 is not defined, but map/1 is"},
        {"by(1)", 10, 5, "set.total: by/1 is not defined, but by/2 is"},
        {"zzzzqqqq", 10, 5, "set.total: zzzzqqqq/0 is not defined"},
    };
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(compile_text(rows[i].text, &err), LEAT_E_CONFIG);
        if (err.column != rows[i].column || strcmp(err.text, rows[i].message) != 0)
            fail_msg("%s: %u:%u %s", rows[i].text, err.line, err.column, err.text);
    }
}

static void compile_keeps_a_text_in_its_place(void **state) {
    static const struct bad rows[] = {
        {"1] | [2", 10, 6, "set.total: ']' closes nothing"},
        {"1) | (2", 10, 6, "set.total: ')' closes nothing"},
        {"1); def other: 2; (3", 10, 6, "set.total: ')' closes nothing"},
        {"}", 10, 5, "set.total: '}' closes nothing"},
        {"(1]", 10, 7, "set.total: ']' where ')' should stand"},
        {"{a: (1}", 10, 11, "set.total: '}' where ')' should stand"},
        {"{a:1", 10, 5, "set.total: '}' is missing for this bracket"},
        {".a |\n [", 11, 6, "set.total: ']' is missing for this bracket"},
        {"\"abc", 10, 5, "set.total: the string that begins here does not end"},
        {"\"a\\", 10, 5, "set.total: the string that begins here does not end"},
        {"\"a\\(1", 10, 7, "set.total: ')' is missing for this bracket"},
        {"\"a\\(\")\"", 10, 7, "set.total: ')' is missing for this bracket"},
        {". # \\", 10, 9, "set.total: a comment cannot end in a backslash"},
        {"__leat_s1", 10, 5, "set.total: names that begin with __leat are leat's own"},
        {"1 | __leat_input", 10, 9, "set.total: names that begin with __leat are leat's own"},
        {"def __leat_two(f): 1; 2", 10, 9,
         "set.total: names that begin with __leat are leat's own"},
    };
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(compile_text(rows[i].text, &err), LEAT_E_CONFIG);
        if (err.line != rows[i].line || err.column != rows[i].column ||
            strcmp(err.text, rows[i].message) != 0)
            fail_msg("%s: %u:%u %s", rows[i].text, err.line, err.column, err.text);
    }
}

static void compile_refuses_the_environment(void **state) {
    static const char *const texts[] = {"$ENV",   "$ENV.HOME",     "$ ENV",     "\"\\($ENV)\"",
                                        "{$ENV}", ". as $ENV | 1", "$ # c\nENV"};
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (compile_text(texts[i], &err) != LEAT_E_CONFIG)
            fail_msg("%s was accepted", texts[i]);
        assert_non_null(strstr(err.text, "$ENV is not available"));
    }
}

static void compile_refuses_a_nul_too_much_nesting_and_too_long_a_text(void **state) {
    struct lt_expr_text set = {LT_LIT("x"), {".a\0b", 4}, 1, 1};
    struct lt_expr_source source = {.sets = &set, .n_sets = 1};
    struct leat_error err;
    struct lt_expr *expr;
    char *text = malloc(70000);

    (void)state;
    assert_non_null(text);
    assert_int_equal(lt_expr_compile(&expr, &source, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "NUL"));
    memset(text, '[', 1000);
    set.text = lt_slice(text, 1000);
    assert_int_equal(lt_expr_compile(&expr, &source, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "more than 200 brackets"));
    memset(text, ' ', 70000);
    set.text = lt_slice(text, 70000);
    assert_int_equal(lt_expr_compile(&expr, &source, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "70000 bytes"));
    assert_null(expr);
    free(text);
}

static void compile_says_which_expression_of_all_kinds(void **state) {
    struct leat_error err;
    struct lt_expr *expr;

    (void)state;
    assert_int_equal(kit_try(&expr, &(struct kit){.defs = {"a", "1", "b", "nope("}}, &err),
                     LEAT_E_CONFIG);
    assert_string_equal(err.text, "with.b: ')' is missing for this bracket");
    assert_int_equal(err.line, 20);
    assert_int_equal(kit_try(&expr, &(struct kit){.defs = {"a", "b", "b", "1"}}, &err),
                     LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "with.a: b/0 is not defined")); /* though nobody uses it */
    assert_int_equal(kit_try(&expr, &(struct kit){.routes = {"x", NULL, "y", "1 1"}}, &err),
                     LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "route[1].when: syntax error"));
    assert_int_equal(err.line, 20);
    assert_int_equal(kit_try(&expr, &(struct kit){.key = ".a b"}, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "key: syntax error"));
    assert_int_equal(err.line, 99);
    assert_int_equal(err.column, 4);
}

static void def_names_are_checked_and_may_have_parameters(void **state) {
    static const char *const good[] = {"a",     "_a1",         "total", "f(g)",
                                       "f($x)", "f(a; $b; c)", "f( a )"};
    static const char *const bad[] = {
        "",    "1a",     "a b",   "a-b",   "a:",    "if",         "def",         "f(",  "f()",
        "f(a", "f(a,b)", "f(a;)", "f(a) ", "f(if)", "__leat_two", "f: 1; def g", "a\n", "\xc3\xa9"};
    struct leat_error err;
    struct lt_expr *expr;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (kit_try(&expr, &(struct kit){.defs = {good[i], "1"}}, &err) != LEAT_OK)
            fail_msg("%s: %s", good[i], err.text);
        lt_expr_free(expr);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (kit_try(&expr, &(struct kit){.defs = {bad[i], "1"}}, &err) != LEAT_E_CONFIG ||
            !strstr(err.text, "cannot be the name of a function"))
            fail_msg("%s was accepted", bad[i]);
}

static void defs_see_earlier_ones_and_hide_builtins_only_for_the_user(void **state) {
    struct lt_expr *expr = kit_compile(
        &(struct kit){.defs = {"one", "1", "two", "one + one", "limit(n; f)", "\"mine\"", "type",
                               "\"odd\"", "error(x)", "7", "env", "\"my env\""},
                      .sets = {"a", "two", "b", "limit(1; 2)", "c", "type", "d", "env"},
                      .routes = {"r", ".a == 2"}});

    (void)state;
    kit_expect_data(expr, "{}", "{\"a\":2,\"b\":\"mine\",\"c\":\"odd\",\"d\":\"my env\"}");
    lt_expr_free(expr);
}

static void compile_writes_nothing_to_the_terminal(void **state) {
    char path[] = "/tmp/leat-test-XXXXXX";
    struct leat_error err;
    struct stat st;

    (void)state;
    int file = mkstemp(path);
    int saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    fflush(stderr);
    dup2(file, STDERR_FILENO);
    leat_status first = compile_text("1 +", &err);
    leat_status second = compile_text("nope | nope2", &err);
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"x", "debug | stderr | 1"}});
    kit_expect_data(expr, "{}", "{\"x\":1}");
    lt_expr_free(expr);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    fstat(file, &st);
    close(file);
    close(saved);
    unlink(path);
    assert_int_equal(first, LEAT_E_CONFIG);
    assert_int_equal(second, LEAT_E_CONFIG);
    assert_int_equal(st.st_size, 0);
}

static void text_that_is_not_from_a_file_has_no_line(void **state) {
    struct lt_expr_text set = {LT_LIT("x"), LT_LIT("1 +"), 0, 0};
    struct lt_expr_source source = {.sets = &set, .n_sets = 1};
    struct leat_error err;
    struct lt_expr *expr;

    (void)state;
    assert_int_equal(lt_expr_compile(&expr, &source, &err), LEAT_E_CONFIG);
    assert_int_equal(err.line, 0);
    assert_int_equal(err.column, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compile_accepts_texts_that_are_closed_in_themselves),
        cmocka_unit_test(compile_names_line_column_and_what_is_wrong),
        cmocka_unit_test(compile_suggests_the_nearest_known_function),
        cmocka_unit_test(compile_keeps_a_text_in_its_place),
        cmocka_unit_test(compile_refuses_the_environment),
        cmocka_unit_test(compile_refuses_a_nul_too_much_nesting_and_too_long_a_text),
        cmocka_unit_test(compile_says_which_expression_of_all_kinds),
        cmocka_unit_test(def_names_are_checked_and_may_have_parameters),
        cmocka_unit_test(defs_see_earlier_ones_and_hide_builtins_only_for_the_user),
        cmocka_unit_test(compile_writes_nothing_to_the_terminal),
        cmocka_unit_test(text_that_is_not_from_a_file_has_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
