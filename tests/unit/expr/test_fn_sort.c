/* SPDX-License-Identifier: Apache-2.0 */
/* Order, as /usr/bin/jq 1.6 gives it. */
#include "fn_rig.h"

static void sort_orders_by_kind_and_then_by_value(void **state) {
    static const struct fn_case cases[] = {
        {"sort", "[3,[2],{\"a\":1},\"x\",null,true,false,1.5,-1,\"\",[],{}]",
         "[null,false,true,-1,1.5,3,\"\",\"x\",[],[2],{},{\"a\":1}]"},
        {"sort", "[\"b\",\"a\",\"ab\",\"\",\"é\",\"z\",\"a\"]",
         "[\"\",\"a\",\"a\",\"ab\",\"b\",\"z\",\"é\"]"},
        {"sort", "[\"abcdefghij\",\"abcdefgh\",\"abcdefg\",\"abcdefghi\",\"abcdef\"]",
         "[\"abcdef\",\"abcdefg\",\"abcdefgh\",\"abcdefghi\",\"abcdefghij\"]"},
        {"sort", "[{\"b\":1},{\"a\":2},{\"a\":1,\"b\":0},{\"a\":1}]",
         "[{\"a\":1},{\"a\":2},{\"a\":1,\"b\":0},{\"b\":1}]"},
        {"sort", "[[1,2],[1],[0,5],[]]", "[[],[0,5],[1],[1,2]]"},
        {"sort", "[]", "[]"},
        {"sort", "{\"a\":1}", "error: object ({\"a\":1}) cannot be sorted, as it is not an array"},
        {"sort", "null", "error: null (null) cannot be sorted, as it is not an array"},
        {"sort", "\"abc\"", "error: string (\"abc\") cannot be sorted, as it is not an array"},
        {"sort", "[1000,999.5,0]", "[0,999.5,1000]"},
        {"sort", "[\"a\\u0000\",\"a\",\"a\\u0000\\u0000\"]",
         "[\"a\",\"a\\u0000\",\"a\\u0000\\u0000\"]"},
        {"sort", "[9,8,7,6,5,4,3,2,1,0,11,10,19,18,17,16,15,14,13,12]",
         "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]"},
        {"sort", "[1e+300,-1e+300,1e-300,-1e-300,0]", "[-1e+300,-1e-300,0,1e-300,1e+300]"},
        {"[nan, 1, nan, -5] | sort", "null", "[null,null,-5,1]"},
        {"[infinite, -infinite, nan, 0] | sort", "null",
         "[null,-1.7976931348623157e+308,0,1.7976931348623157e+308]"},
        {"sort", "[9007199254740993,9007199254740992,9007199254740994]",
         "[9007199254740992,9007199254740993,9007199254740994]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void sort_by_is_stable_and_takes_several_keys(void **state) {
    static const struct fn_case cases[] = {
        {"sort_by(.a)", "[{\"a\":2,\"i\":1},{\"a\":1,\"i\":2},{\"a\":2,\"i\":3},{\"i\":4}]",
         "[{\"i\":4},{\"a\":1,\"i\":2},{\"a\":2,\"i\":1},{\"a\":2,\"i\":3}]"},
        {"sort_by(.a)", "{\"x\":{\"a\":1}}",
         "error: object ({\"x\":{\"a\":1}}) and array ([[1]]) cannot be sorted, as they are not "
         "both arrays"},
        {"sort_by(.a)", "null", "error: Cannot iterate over null (null)"},
        {"sort_by(.a)", "[1]", "error: Cannot index number with string \"a\""},
        {"sort_by(.a)", "5", "error: Cannot iterate over number (5)"},
        {"sort_by(.a, .b)", "[{\"a\":1,\"b\":2},{\"a\":1,\"b\":1},{\"a\":0,\"b\":9}]",
         "[{\"a\":0,\"b\":9},{\"a\":1,\"b\":1},{\"a\":1,\"b\":2}]"},
        {"sort_by(-.)", "[1,3,2]", "[3,2,1]"},
        {"sort_by(empty)", "[3,1,2]", "[3,1,2]"},
        {"sort_by(error(\"x\"))", "[1]", "error: x"},
        {"sort_by(error(\"x\"))", "[]", "[]"},
        {"sort_by(.[])", "[[1,2],[1],[],[0,1,2]]", "[[],[0,1,2],[1],[1,2]]"},
        {"sort_by(length)", "[\"ccc\",\"a\",\"bb\",\"d\"]", "[\"a\",\"d\",\"bb\",\"ccc\"]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void group_by_gathers_equals_in_order(void **state) {
    static const struct fn_case cases[] = {
        {"group_by(.a)", "[{\"a\":\"x\",\"v\":1},{\"a\":\"b\",\"v\":2},{\"a\":\"x\",\"v\":3}]",
         "[[{\"a\":\"b\",\"v\":2}],[{\"a\":\"x\",\"v\":1},{\"a\":\"x\",\"v\":3}]]"},
        {"group_by(.a)", "[]", "[]"},
        {"group_by(.a)", "{\"p\":{\"a\":1}}",
         "error: object ({\"p\":{\"a\":1}}) and array ([[1]]) cannot be sorted, as they are not "
         "both arrays"},
        {"group_by(.a)", "[null]", "[[null]]"},
        {"group_by(. > 2)", "[1,4,2,3]", "[[1,2],[4,3]]"},
        {"group_by(.)", "[1,1.0,\"1\"]", "[[1,1.0],[\"1\"]]"},
        {"[nan, nan] | group_by(.)", "null", "[[null],[null]]"},
        {"group_by(empty)", "[2,1]", "[[2,1]]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void unique_keeps_the_first_of_equals(void **state) {
    static const struct fn_case cases[] = {
        {"unique", "[1,2,1,3,2]", "[1,2,3]"},
        {"unique", "[\"b\",\"a\",\"b\"]", "[\"a\",\"b\"]"},
        {"unique", "[]", "[]"},
        {"unique", "{\"a\":1}",
         "error: object ({\"a\":1}) and array ([[1]]) cannot be sorted, as they are not both "
         "arrays"},
        {"unique", "null", "error: Cannot iterate over null (null)"},
        {"unique", "[1,1.0]", "[1]"},
        {"unique", "[{\"a\":1},{\"a\":1},[],[]]", "[[],{\"a\":1}]"},
        {"unique_by(length)", "[\"a\",\"bb\",\"c\",\"dd\"]", "[\"a\",\"bb\"]"},
        {"unique_by(length)", "{\"a\":\"x\"}",
         "error: object ({\"a\":\"x\"}) and array ([[1]]) cannot be sorted, as they are not both "
         "arrays"},
        {"unique_by(length)", "5", "error: Cannot iterate over number (5)"},
        {"[nan, nan] | unique", "null", "[null,null]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void min_takes_the_first_of_equals_and_max_the_last(void **state) {
    static const struct fn_case cases[] = {
        {"[min, max]", "[3,1,2]", "[1,3]"},
        {"[min, max]", "[\"b\",\"a\"]", "[\"a\",\"b\"]"},
        {"[min, max]", "[]", "[null,null]"},
        {"[min, max]", "[null,false]", "[null,false]"},
        {"min", "null", "error: null (null) and null (null) cannot be iterated over"},
        {"min", "5", "error: number (5) and number (5) cannot be iterated over"},
        {"min", "{\"a\":1}",
         "error: object ({\"a\":1}) and object ({\"a\":1}) cannot be iterated over"},
        {"max", "\"abc\"", "error: string (\"abc\") and string (\"abc\") cannot be iterated over"},
        {"[min_by(.a), max_by(.a)]", "[{\"a\":1,\"i\":1},{\"a\":1,\"i\":2}]",
         "[{\"a\":1,\"i\":1},{\"a\":1,\"i\":2}]"},
        {"[min_by(.a), max_by(.a)]", "[{\"a\":3},{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":3}]"},
        {"[min_by(.a), max_by(.a)]", "[]", "[null,null]"},
        {"min_by(.)", "{\"a\":1}",
         "error: object ({\"a\":1}) and array ([[1]]) cannot be iterated over"},
        {"min_by(.)", "null", "error: Cannot iterate over null (null)"},
        {"max_by(error(\"x\"))", "[1]", "error: x"},
        {"[nan, 1] | [min, max]", "null", "[null,1]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void bsearch_finds_the_place(void **state) {
    static const struct fn_case cases[] = {
        {"[bsearch(0), bsearch(1), bsearch(1.5), bsearch(2), bsearch(4), bsearch(9)]", "[1,2,4]",
         "[-1,0,-2,1,2,-4]"},
        {"[bsearch(0), bsearch(1), bsearch(1.5), bsearch(2), bsearch(4), bsearch(9)]", "[1]",
         "[-1,0,-2,-2,-2,-2]"},
        {"[bsearch(0), bsearch(1), bsearch(1.5), bsearch(2), bsearch(4), bsearch(9)]", "[]",
         "[-1,-1,-1,-1,-1,-1]"},
        {"[bsearch(0), bsearch(1), bsearch(1.5), bsearch(2), bsearch(4), bsearch(9)]", "[1,1,1,1]",
         "[-1,1,-5,-5,-5,-5]"},
        {"[bsearch(0), bsearch(1), bsearch(1.5), bsearch(2), bsearch(4), bsearch(9)]",
         "[0,1,2,3,4,5,6]", "[0,1,-3,2,4,-8]"},
        {"bsearch(1)", "null", "-1"},
        {"bsearch(1)", "\"abc\"", "error: Cannot index string with number"},
        {"bsearch(1)", "{\"a\":1}", "error: Cannot index object with number"},
        {"bsearch(1)", "5", "error: Cannot index number with number"},
        {"bsearch(1)", "0", "-1"},
        {"bsearch(1)", "true", "error: boolean (true) has no length"},
        {"bsearch(error(\"x\"))", "[]", "-1"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_orders_by_kind_and_then_by_value),
        cmocka_unit_test(sort_by_is_stable_and_takes_several_keys),
        cmocka_unit_test(group_by_gathers_equals_in_order),
        cmocka_unit_test(unique_keeps_the_first_of_equals),
        cmocka_unit_test(min_takes_the_first_of_equals_and_max_the_last),
        cmocka_unit_test(bsearch_finds_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
