/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, as /usr/bin/jq 1.6 has them. */
#include "fn_rig.h"

static void startswith_and_endswith_take_strings(void **state) {
    static const struct fn_case cases[] = {
        {"startswith(\"ab\")", "\"abc\"", "true"},
        {"startswith(\"ab\")", "\"a\"", "false"},
        {"startswith(\"ab\")", "\"\"", "false"},
        {"startswith(\"ab\")", "1", "error: startswith() requires string inputs"},
        {"startswith(\"ab\")", "null", "error: startswith() requires string inputs"},
        {"startswith(\"\")", "\"a\"", "true"},
        {"startswith(\"\")", "\"\"", "true"},
        {"startswith(1)", "\"a\"", "error: startswith() requires string inputs"},
        {"endswith(\"bc\")", "\"abc\"", "true"},
        {"endswith(\"bc\")", "\"c\"", "false"},
        {"endswith(\"bc\")", "[]", "error: endswith() requires string inputs"},
        {"endswith(\"\")", "\"\"", "true"},
        {"endswith({})", "\"a\"", "error: endswith() requires string inputs"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void ltrimstr_and_rtrimstr_leave_what_does_not_fit(void **state) {
    static const struct fn_case cases[] = {
        {"[ltrimstr(\"a\"), rtrimstr(\"a\"), ltrimstr(\"\"), rtrimstr(\"\"), ltrimstr(\"aba\"), "
         "rtrimstr(\"abax\"), ltrimstr(1), rtrimstr(null)]",
         "\"aba\"", "[\"ba\",\"ab\",\"aba\",\"aba\",\"\",\"aba\",\"aba\",\"aba\"]"},
        {"[ltrimstr(\"a\"), rtrimstr(\"a\"), ltrimstr(\"\"), rtrimstr(\"\"), ltrimstr(\"aba\"), "
         "rtrimstr(\"abax\"), ltrimstr(1), rtrimstr(null)]",
         "\"\"", "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]"},
        {"[ltrimstr(\"a\"), rtrimstr(\"a\"), ltrimstr(\"\"), rtrimstr(\"\"), ltrimstr(\"aba\"), "
         "rtrimstr(\"abax\"), ltrimstr(1), rtrimstr(null)]",
         "1", "[1,1,1,1,1,1,1,1]"},
        {"[ltrimstr(\"a\"), rtrimstr(\"a\"), ltrimstr(\"\"), rtrimstr(\"\"), ltrimstr(\"aba\"), "
         "rtrimstr(\"abax\"), ltrimstr(1), rtrimstr(null)]",
         "null", "[null,null,null,null,null,null,null,null]"},
        {"[ltrimstr(\"a\"), rtrimstr(\"a\"), ltrimstr(\"\"), rtrimstr(\"\"), ltrimstr(\"aba\"), "
         "rtrimstr(\"abax\"), ltrimstr(1), rtrimstr(null)]",
         "[\"a\"]", "[[\"a\"],[\"a\"],[\"a\"],[\"a\"],[\"a\"],[\"a\"],[\"a\"],[\"a\"]]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void explode_and_implode_are_by_codepoint(void **state) {
    static const struct fn_case cases[] = {
        {"explode", "\"aé😀\\u0000\"", "[97,233,128512,0]"},
        {"explode", "\"\"", "[]"},
        {"explode", "1", "error: explode input must be a string"},
        {"explode", "null", "error: explode input must be a string"},
        {"implode", "[97,233,128512]", "\"aé😀\""},
        {"implode", "[]", "\"\""},
        {"implode", "1", "error: implode input must be an array"},
        {"implode", "\"a\"", "error: implode input must be an array"},
        {"implode", "[\"a\"]",
         "error: string (\"a\") can't be imploded, unicode codepoint needs to be numeric"},
        {"implode", "[null]",
         "error: null (null) can't be imploded, unicode codepoint needs to be numeric"},
        {"implode", "[1.7]", "\"\\u0001\""},
        {"implode", "[1114112]", "\"�\""},
        {"implode", "[-1]", "\"�\""},
        {"implode", "[55296]", "\"�\""},
        {"[0] | implode | length", "null", "1"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void ascii_case_changes_a_to_z_alone(void **state) {
    static const struct fn_case cases[] = {
        {"[ascii_downcase, ascii_upcase]", "\"aZ@[`{é É09\"", "[\"az@[`{é É09\",\"AZ@[`{é É09\"]"},
        {"[ascii_downcase, ascii_upcase]", "\"\"", "[\"\",\"\"]"},
        {"ascii_downcase", "1", "error: explode input must be a string"},
        {"ascii_downcase", "null", "error: explode input must be a string"},
        {"ascii_upcase", "[]", "error: explode input must be a string"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void split_gives_all_parts(void **state) {
    static const struct fn_case cases[] = {
        {"split(\",\")", "\"a,b\"", "[\"a\",\"b\"]"},
        {"split(\",\")", "\"a,b,\"", "[\"a\",\"b\",\"\"]"},
        {"split(\",\")", "\",a\"", "[\"\",\"a\"]"},
        {"split(\",\")", "\",\"", "[\"\",\"\"]"},
        {"split(\",\")", "\"\"", "[]"},
        {"split(\",\")", "\"abc\"", "[\"abc\"]"},
        {"split(\",\")", "\"a,,b\"", "[\"a\",\"\",\"b\"]"},
        {"split(\",\")", "1", "error: split input and separator must be strings"},
        {"split(\",\")", "null", "error: split input and separator must be strings"},
        {"split(\"\")", "\"aé😀\"", "[\"a\",\"é\",\"😀\"]"},
        {"split(\"\")", "\"\"", "[]"},
        {"split(\", \")", "\"a, b,c, d\"", "[\"a\",\"b,c\",\"d\"]"},
        {"split(\"abc\")", "\"abc\"", "[\"\",\"\"]"},
        {"split(\"aa\")", "\"aaaa\"", "[\"\",\"\",\"\"]"},
        {"split(\"aa\")", "\"aaa\"", "[\"\",\"a\"]"},
        {"split(1)", "\"a\"", "error: split input and separator must be strings"},
        {"split(\"\\u0000\")", "\"a\\u0000b\"", "[\"a\",\"b\"]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void join_writes_numbers_and_booleans_and_nothing_for_null(void **state) {
    static const struct fn_case cases[] = {
        {"join(\",\")", "[\"a\",\"b\"]", "\"a,b\""},
        {"join(\",\")", "[]", "\"\""},
        {"join(\",\")", "[\"a\"]", "\"a\""},
        {"join(\",\")", "[1,null,\"a\",true,false,1.5]", "\"1,,a,true,false,1.5\""},
        {"join(\",\")", "[null]", "\"\""},
        {"join(\",\")", "[null,null]", "\",\""},
        {"join(\",\")", "{\"a\":1,\"b\":\"x\"}", "\"1,x\""},
        {"join(\",\")", "[\"a\",[1]]", "error: string (\"a,\") and array ([1]) cannot be added"},
        {"join(\",\")", "[[1]]", "error: string (\"\") and array ([1]) cannot be added"},
        {"join(\",\")", "[\"a\",{}]", "error: string (\"a,\") and object ({}) cannot be added"},
        {"join(\",\")", "5", "error: Cannot iterate over number (5)"},
        {"join(\",\")", "null", "error: Cannot iterate over null (null)"},
        {"join(5)", "[1]", "\"1\""},
        {"join(5)", "[1,2]", "error: string (\"1\") and number (5) cannot be added"},
        {"join(null)", "[\"a\",\"b\"]", "\"ab\""},
        {"join([])", "[1,2]", "error: string (\"1\") and array ([]) cannot be added"},
        {"[join(\",\", \"/\")]", "[\"a\",\"b\"]", "[\"a,b\",\"a/b\"]"},
        {"join(\"é\")", "[\"a\",\"b\"]", "\"aéb\""},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startswith_and_endswith_take_strings),
        cmocka_unit_test(ltrimstr_and_rtrimstr_leave_what_does_not_fit),
        cmocka_unit_test(explode_and_implode_are_by_codepoint),
        cmocka_unit_test(ascii_case_changes_a_to_z_alone),
        cmocka_unit_test(split_gives_all_parts),
        cmocka_unit_test(join_writes_numbers_and_booleans_and_nothing_for_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
