/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions over arrays and objects give, as /usr/bin/jq 1.6 does. */
#include "fn_rig.h"

static void length_counts_codepoints_elements_and_members_and_is_a_numbers_size(void **state) {
    static const struct fn_case cases[] = {
        {"length", "null", "0"},
        {"length", "[]", "0"},
        {"length", "[1,2]", "2"},
        {"length", "{}", "0"},
        {"length", "{\"a\":1,\"b\":2}", "2"},
        {"length", "\"\"", "0"},
        {"length", "\"héé\"", "3"},
        {"length", "\"a\\u0000b\"", "3"},
        {"length", "5", "5"},
        {"length", "-5", "5"},
        {"length", "1.5", "1.5"},
        {"length", "-0.25", "0.25"},
        {"length", "1e3", "1000"},
        {"length", "true", "error: boolean (true) has no length"},
        {"length", "false", "error: boolean (false) has no length"},
        {"length", "-9007199254740993", "9007199254740993"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void utf8bytelength_is_of_strings_alone(void **state) {
    static const struct fn_case cases[] = {
        {"utf8bytelength", "\"\"", "0"},
        {"utf8bytelength", "\"aé😀\"", "7"},
        {"utf8bytelength", "\"\\u00e9\"", "2"},
        {"utf8bytelength", "1", "error: number (1) only strings have UTF-8 byte length"},
        {"utf8bytelength", "null", "error: null (null) only strings have UTF-8 byte length"},
        {"utf8bytelength", "[1]", "error: array ([1]) only strings have UTF-8 byte length"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void keys_are_sorted_by_codepoint_and_keys_unsorted_are_not(void **state) {
    static const struct fn_case cases[] = {
        {"keys", "{\"b\":1,\"a\":2,\"é\":3,\"Z\":4,\"\":5}", "[\"\",\"Z\",\"a\",\"b\",\"é\"]"},
        {"keys", "{}", "[]"},
        {"keys", "[5,6]", "[0,1]"},
        {"keys", "[]", "[]"},
        {"keys", "1", "error: number (1) has no keys"},
        {"keys", "null", "error: null (null) has no keys"},
        {"keys", "\"a\"", "error: string (\"a\") has no keys"},
        {"keys_unsorted", "{\"b\":1,\"a\":2,\"\":5}", "[\"b\",\"a\",\"\"]"},
        {"keys_unsorted", "[7,8]", "[0,1]"},
        {"keys_unsorted", "{\"a\":1,\"b\":2,\"a\":3}", "[\"a\",\"b\"]"},
        {"keys_unsorted", "1", "error: number (1) has no keys"},
        {"keys_unsorted", "\"abcdefghijklmnop\"", "error: string (\"abcdefghij...) has no keys"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void has_takes_the_key_of_the_containers_kind(void **state) {
    static const struct fn_case cases[] = {
        {"has(\"a\")", "{\"a\":null}", "true"},
        {"has(\"a\")", "{\"b\":1}", "false"},
        {"has(\"a\")", "[1]", "error: Cannot check whether array has a string key"},
        {"has(\"a\")", "null", "false"},
        {"has(\"a\")", "5", "error: Cannot check whether number has a string key"},
        {"has(\"a\")", "\"a\"", "error: Cannot check whether string has a string key"},
        {"has(0)", "[1]", "true"},
        {"has(0)", "[]", "false"},
        {"has(0)", "{}", "error: Cannot check whether object has a number key"},
        {"has(0)", "null", "false"},
        {"[has(0, -1, 0.99, 1.5, 2, nan, 1e10)]", "[1,2]",
         "[true,false,true,true,false,false,false]"},
        {"has(null)", "{}", "error: Cannot check whether object has a null key"},
        {"has(null)", "[1]", "error: Cannot check whether array has a null key"},
        {"has(null)", "null", "false"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void contains_looks_into_strings_arrays_and_objects(void **state) {
    static const struct fn_case cases[] = {
        {"contains(\"bar\")", "\"foobar\"", "true"},
        {"contains(\"bar\")", "\"foo\"", "false"},
        {"contains(\"bar\")", "1",
         "error: number (1) and string (\"bar\") cannot have their containment checked"},
        {"contains(\"bar\")", "[\"bar\"]",
         "error: array ([\"bar\"]) and string (\"bar\") cannot have their containment checked"},
        {"contains(\"\")", "\"a\"", "true"},
        {"contains(\"\")", "\"\"", "true"},
        {"contains([\"a\",[\"b\"]])", "[\"ab\",[\"xbx\"],3]", "true"},
        {"contains([\"a\",[\"b\"]])", "[\"ab\"]", "false"},
        {"contains([\"a\",[\"b\"]])", "[]", "false"},
        {"contains({a:{b:\"x\"},c:[1]})", "{\"a\":{\"b\":\"axa\"},\"c\":[2,1],\"d\":0}", "true"},
        {"contains({a:{b:\"x\"},c:[1]})", "{\"a\":{\"b\":\"a\"},\"c\":[1]}", "false"},
        {"contains({a:{b:\"x\"},c:[1]})", "{\"a\":1,\"c\":[1]}", "false"},
        {"contains({a:{b:\"x\"},c:[1]})", "{}", "false"},
        {"contains(1)", "1", "true"},
        {"contains(1)", "1.0", "true"},
        {"contains(1)", "2", "false"},
        {"contains(true)", "true", "true"},
        {"contains(true)", "false",
         "error: boolean (false) and boolean (true) cannot have their containment checked"},
        {"contains(null)", "null", "true"},
        {"contains(null)", "1",
         "error: number (1) and null (null) cannot have their containment checked"},
        {"contains([null])", "[]", "false"},
        {"contains([null])", "[null]", "true"},
        {"contains({})", "{\"a\":1}", "true"},
        {"contains({})", "[]",
         "error: array ([]) and object ({}) cannot have their containment checked"},
        {"contains(\"a\\u0000x\")", "\"a\\u0000b\"", "true"},
        {"contains(\"b\")", "\"a\\u0000b\"", "false"},
        {"inside(\"foobar\")", "\"bar\"", "true"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void index_and_indices_of_a_text_are_byte_offsets_without_overlap(void **state) {
    static const struct fn_case cases[] = {
        {"indices(\", \")", "\"a,b, cd, efg\"", "[3,7]"},
        {"indices(\", \")", "\"\"", "[]"},
        {"indices(\"aa\")", "\"aaa\"", "[0]"},
        {"indices(\"aa\")", "\"aaaa\"", "[0,2]"},
        {"indices(\",\")", "\"éa,éb,\"", "[3,7]"},
        {"indices(\",\")", "\"a\\u0000,\"", "[2]"},
        {"[index(\",\"), rindex(\",\")]", "\"a,b,c\"", "[1,3]"},
        {"[index(\",\"), rindex(\",\")]", "\"abc\"", "[null,null]"},
        {"[index(\",\"), rindex(\",\")]", "\"é,\"", "[2,2]"},
        {"rindex(\"aa\")", "\"aaa\"", "0"},
        {"indices(\"\")", "\"abc\"", "[]"},
        {"index(\"\")", "\"abc\"", "null"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void index_and_indices_of_an_array_are_of_elements_or_of_runs_of_them(void **state) {
    static const struct fn_case cases[] = {
        {"indices(1)", "[1,2,1,2]", "[0,2]"},
        {"indices(1)", "[]", "[]"},
        {"indices([1,2])", "[1,2,1,2]", "[0,2]"},
        {"indices([1,2])", "[2,1]", "[]"},
        {"indices([])", "[1]", "[]"},
        {"[index(2), rindex(2)]", "[1,2,3,2]", "[1,3]"},
        {"[index(2), rindex(2)]", "[1]", "[null,null]"},
        {"indices(\"a\")", "[\"a\",\"b\",\"a\"]", "[0,2]"},
        {"indices(\"a\")", "{\"a\":[7,8]}", "[7,8]"},
        {"indices(\"a\")", "5", "error: Cannot index number with string \"a\""},
        {"indices(\"a\")", "null", "null"},
        {"index(\"a\")", "{\"a\":[7,8]}", "7"},
        {"index(\"a\")", "null", "null"},
        {"index(\"a\")", "5", "error: Cannot index number with string \"a\""},
        {"rindex(\"a\")", "{\"a\":[7,8]}", "8"},
        {"indices(1)", "\"abc\"", "error: Cannot index string with number"},
        {"indices(1)", "null", "null"},
        {"indices(1)", "{\"a\":1}", "error: Cannot index object with number"},
        {"indices(null)", "\"abc\"", "error: Cannot index string with null"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void add_sums_numbers_and_joins_everything_else(void **state) {
    static const struct fn_case cases[] = {
        {"add", "[]", "null"},
        {"add", "[1,2,3.5]", "6.5"},
        {"add", "[\"a\",\"b\"]", "\"ab\""},
        {"add", "[[1],[2]]", "[1,2]"},
        {"add", "[{\"a\":1},{\"b\":2,\"a\":3}]", "{\"a\":3,\"b\":2}"},
        {"add", "{\"x\":1,\"y\":2}", "3"},
        {"add", "[null,1,null]", "1"},
        {"add", "[1,\"a\"]", "error: number (1) and string (\"a\") cannot be added"},
        {"add", "null", "error: Cannot iterate over null (null)"},
        {"add", "5", "error: Cannot iterate over number (5)"},
        {"add", "\"abcdefghijklmnop\"", "error: Cannot iterate over string (\"abcdefghij...)"},
        {"add", "[{},[]]", "error: object ({}) and array ([]) cannot be added"},
        {"add", "[9007199254740993,1]", "9007199254740994"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void flatten_opens_arrays_to_a_depth(void **state) {
    static const struct fn_case cases[] = {
        {"flatten", "[1,[2,[3,[[4]]]],[]]", "[1,2,3,4]"},
        {"flatten", "{\"a\":[1,[2]],\"b\":3}", "[1,2,3]"},
        {"flatten", "[]", "[]"},
        {"flatten", "5", "error: Cannot iterate over number (5)"},
        {"flatten", "null", "error: Cannot iterate over null (null)"},
        {"flatten(1)", "[1,[2,[3]]]", "[1,2,[3]]"},
        {"flatten(0)", "[[1]]", "[[1]]"},
        {"flatten(-1)", "[[1]]", "error: flatten depth must not be negative"},
        {"flatten(-1)", "5", "error: flatten depth must not be negative"},
        {"flatten(0.5)", "[[1,[2]]]", "[1,2]"},
        {"flatten(null)", "[]", "error: flatten depth must not be negative"},
        {"flatten(\"a\")", "[1]", "[1]"},
        {"flatten(\"a\")", "[[1]]", "error: string (\"a\") and number (1) cannot be subtracted"},
        {"flatten(nan)", "[[1]]", "error: flatten depth must not be negative"},
        {"[flatten(1,2)]", "[[[1]]]", "[[[1]],[1]]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void reverse_is_of_arrays_and_of_what_has_no_length(void **state) {
    static const struct fn_case cases[] = {
        {"reverse", "[1,2,3]", "[3,2,1]"},
        {"reverse", "[]", "[]"},
        {"reverse", "null", "[]"},
        {"reverse", "\"\"", "[]"},
        {"reverse", "\"abc\"", "error: Cannot index string with number"},
        {"reverse", "0", "[]"},
        {"reverse", "3", "error: Cannot index number with number"},
        {"reverse", "0.5", "error: Cannot index number with number"},
        {"reverse", "{}", "[]"},
        {"reverse", "{\"a\":1}", "error: Cannot index object with number"},
        {"reverse", "true", "error: boolean (true) has no length"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void entries_are_made_and_read(void **state) {
    static const struct fn_case cases[] = {
        {"to_entries", "{\"b\":1,\"a\":[2]}",
         "[{\"key\":\"b\",\"value\":1},{\"key\":\"a\",\"value\":[2]}]"},
        {"to_entries", "{}", "[]"},
        {"to_entries", "[7,8]", "[{\"key\":0,\"value\":7},{\"key\":1,\"value\":8}]"},
        {"to_entries", "5", "error: number (5) has no keys"},
        {"to_entries", "null", "error: null (null) has no keys"},
        {"from_entries",
         "[{\"key\":\"a\",\"value\":1},{\"Key\":\"b\",\"Value\":2},{\"name\":\"c\"},{\"Name\":"
         "\"d\",\"value\":false}]",
         "{\"a\":1,\"b\":2,\"c\":null,\"d\":false}"},
        {"from_entries", "[]", "{}"},
        {"from_entries", "null", "error: Cannot iterate over null (null)"},
        {"from_entries", "[{\"key\":1}]", "error: Cannot use number (1) as object key"},
        {"from_entries", "[{\"k\":\"a\"}]", "error: Cannot use null (null) as object key"},
        {"from_entries", "[null]", "error: Cannot use null (null) as object key"},
        {"from_entries", "[1]", "error: Cannot index number with string \"key\""},
        {"from_entries", "[{\"key\":false,\"name\":\"x\"}]", "{\"x\":null}"},
        {"from_entries", "[{\"key\":\"a\",\"value\":null,\"Value\":3}]", "{\"a\":null}"},
        {"from_entries", "{\"x\":{\"key\":\"a\",\"value\":1}}", "{\"a\":1}"},
        {"from_entries",
         "[{\"key\":\"a\",\"value\":1},{\"key\":\"b\"},{\"key\":\"a\",\"value\":2}]",
         "{\"a\":2,\"b\":null}"},
        {"from_entries", "[[1]]", "error: Cannot index array with string \"key\""},
        {"from_entries", "[{\"key\":[]}]", "error: Cannot use array ([]) as object key"},
        {"with_entries(.value += 1)", "{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":3}"},
        {"with_entries(select(.key == \"a\"))", "{\"a\":1,\"b\":2}", "{\"a\":1}"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_counts_codepoints_elements_and_members_and_is_a_numbers_size),
        cmocka_unit_test(utf8bytelength_is_of_strings_alone),
        cmocka_unit_test(keys_are_sorted_by_codepoint_and_keys_unsorted_are_not),
        cmocka_unit_test(has_takes_the_key_of_the_containers_kind),
        cmocka_unit_test(contains_looks_into_strings_arrays_and_objects),
        cmocka_unit_test(index_and_indices_of_a_text_are_byte_offsets_without_overlap),
        cmocka_unit_test(index_and_indices_of_an_array_are_of_elements_or_of_runs_of_them),
        cmocka_unit_test(add_sums_numbers_and_joins_everything_else),
        cmocka_unit_test(flatten_opens_arrays_to_a_depth),
        cmocka_unit_test(reverse_is_of_arrays_and_of_what_has_no_length),
        cmocka_unit_test(entries_are_made_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
