/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions, as /usr/bin/jq 1.6 has them by the same library. */
#include "fn_rig.h"

static void test_says_whether_it_matches(void **state) {
    static const struct fn_case cases[] = {
        {"test(\"a.c\")", "\"xabcx\"", "true"},
        {"test(\"a.c\")", "\"ac\"", "false"},
        {"test(\"a.c\")", "\"\"", "false"},
        {"test(\"a.c\")", "null", "error: null (null) cannot be matched, as it is not a string"},
        {"test(\"a.c\")", "1", "error: number (1) cannot be matched, as it is not a string"},
        {"test(\"O\")", "\"foo\"", "false"},
        {"test(\"O\"; \"i\")", "\"foo\"", "true"},
        {"test(\"O\"; null)", "\"foo\"", "false"},
        {"test([\"O\",\"i\"])", "\"foo\"", "true"},
        {"test([\"o\"])", "\"foo\"", "true"},
        {"test([])", "\"foo\"", "error: array not a string or array"},
        {"test(5)", "\"foo\"", "error: number not a string or array"},
        {"test({})", "\"foo\"", "error: object not a string or array"},
        {"test(\"o\",\"x\")", "\"foo\"", "true\nfalse"},
        {"test(\"O\"; \"i\", null)", "\"foo\"", "true\nfalse"},
        {"test(\"o\"; \"q\")", "\"foo\"", "error: q is not a valid modifier string"},
        {"test(\"o\"; 1)", "\"foo\"", "error: number (1) is not a string"},
        {"test(1; \"g\")", "\"foo\"", "error: number (1) is not a string"},
        {"test(\"\")", "\"foo\"", "true"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void match_tells_offsets_in_codepoints(void **state) {
    static const struct fn_case cases[] = {
        {"match(\"t\")", "\"test\"",
         "{\"offset\":0,\"length\":1,\"string\":\"t\",\"captures\":[]}"},
        {"match(\"t\"; \"g\")", "\"test\"",
         "{\"offset\":0,\"length\":1,\"string\":\"t\",\"captures\":[]}\n{\"offset\":3,\"length\":1,"
         "\"string\":\"t\",\"captures\":[]}"},
        {"match([\"t\",\"g\"])", "\"test\"",
         "{\"offset\":0,\"length\":1,\"string\":\"t\",\"captures\":[]}\n{\"offset\":3,\"length\":1,"
         "\"string\":\"t\",\"captures\":[]}"},
        {"match(\"x\")", "\"test\"", ""},
        {"match(\"é\"; \"g\")", "\"héé\"",
         "{\"offset\":1,\"length\":1,\"string\":\"é\",\"captures\":[]}\n{\"offset\":2,\"length\":1,"
         "\"string\":\"é\",\"captures\":[]}"},
        {"match(\"(?<n>é)$\")", "\"héé\"",
         "{\"offset\":2,\"length\":1,\"string\":\"é\",\"captures\":[{\"offset\":2,\"length\":1,"
         "\"string\":\"é\",\"name\":\"n\"}]}"},
        {"match(\"b\")", "\"a\\u0000b\"",
         "{\"offset\":2,\"length\":1,\"string\":\"b\",\"captures\":[]}"},
        {"match(\"\\u0000\")", "\"a\\u0000b\"",
         "{\"offset\":1,\"length\":1,\"string\":\"\\u0000\",\"captures\":[]}"},
        {"[match(\"o\", \"f\"; \"g\", null) | .offset]", "\"foo\"", "[1,2,0,1,0]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void match_tells_of_groups(void **state) {
    static const struct fn_case cases[] = {
        {"match(\"(a)(x)?(?<n>b)\")", "\"abc\"",
         "{\"offset\":0,\"length\":2,\"string\":\"ab\",\"captures\":[{\"offset\":0,\"length\":1,"
         "\"string\":\"a\",\"name\":null},{\"offset\":-1,\"string\":null,\"length\":0,\"name\":"
         "null},{\"offset\":1,\"length\":1,\"string\":\"b\",\"name\":\"n\"}]}"},
        {"match(\"a(x*)b(?<n>)\")", "\"abc\"",
         "{\"offset\":0,\"length\":2,\"string\":\"ab\",\"captures\":[{\"offset\":1,\"string\":\"\","
         "\"length\":0,\"name\":null},{\"offset\":2,\"string\":\"\",\"length\":0,\"name\":\"n\"}]"
         "}"},
        {"match(\"(x)?\")", "\"abc\"",
         "{\"offset\":0,\"length\":0,\"string\":\"\",\"captures\":[]}"},
        {"match(\"(?<=(a))b\")", "\"abc\"",
         "{\"offset\":1,\"length\":1,\"string\":\"b\",\"captures\":[{\"offset\":0,\"length\":1,"
         "\"string\":\"a\",\"name\":null}]}"},
        {"match(\"(?<a>o)|(?<b>b)\"; \"g\")", "\"foo bar\"",
         "{\"offset\":1,\"length\":1,\"string\":\"o\",\"captures\":[{\"offset\":1,\"length\":1,"
         "\"string\":\"o\",\"name\":\"a\"},{\"offset\":-1,\"string\":null,\"length\":0,\"name\":"
         "\"b\"}]}\n{\"offset\":2,\"length\":1,\"string\":\"o\",\"captures\":[{\"offset\":2,"
         "\"length\":1,\"string\":\"o\",\"name\":\"a\"},{\"offset\":-1,\"string\":null,\"length\":"
         "0,\"name\":\"b\"}]}\n{\"offset\":4,\"length\":1,\"string\":\"b\",\"captures\":[{"
         "\"offset\":-1,\"string\":null,\"length\":0,\"name\":\"a\"},{\"offset\":4,\"length\":1,"
         "\"string\":\"b\",\"name\":\"b\"}]}"},
        {"match(\"(?<a>f)(?<a>o)\")", "\"foo\"",
         "{\"offset\":0,\"length\":2,\"string\":\"fo\",\"captures\":[{\"offset\":0,\"length\":1,"
         "\"string\":\"f\",\"name\":\"a\"},{\"offset\":1,\"length\":1,\"string\":\"o\",\"name\":"
         "\"a\"}]}"},
        {"match(\"((f)(o))\")", "\"foo\"",
         "{\"offset\":0,\"length\":2,\"string\":\"fo\",\"captures\":[{\"offset\":0,\"length\":2,"
         "\"string\":\"fo\",\"name\":null},{\"offset\":0,\"length\":1,\"string\":\"f\",\"name\":"
         "null},{\"offset\":1,\"length\":1,\"string\":\"o\",\"name\":null}]}"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void an_empty_match_has_no_captures_and_moves_on_by_a_character(void **state) {
    static const struct fn_case cases[] = {
        {"[match(\"\"; \"g\") | .offset]", "\"test\"", "[0,1,2,3]"},
        {"[match(\"$\"; \"g\") | .offset]", "\"abc\"", "[3,3,3]"},
        {"[match(\"c*\"; \"g\") | [.offset, .string]]", "\"abc\"", "[[0,\"\"],[1,\"\"],[2,\"c\"]]"},
        {"[match(\"(?<n>x)?\"; \"g\") | .captures]", "\"abc\"", "[[],[],[]]"},
        {"[match(\"\"; \"gn\")]", "\"abc\"", "[]"},
        {"[match(\"\"; \"g\")]", "\"\"",
         "[{\"offset\":0,\"length\":0,\"string\":\"\",\"captures\":[]}]"},
        {"[match(\"a\"; \"g\")]", "\"\"", "[]"},
        {"match(\"(?<n>x)?y*\"; \"g\")", "\"xyz\"",
         "{\"offset\":0,\"length\":2,\"string\":\"xy\",\"captures\":[{\"offset\":0,\"length\":1,"
         "\"string\":\"x\",\"name\":\"n\"}]}\n{\"offset\":2,\"length\":0,\"string\":\"\","
         "\"captures\":[]}"},
        {"[match(\"\"; \"g\") | .offset]", "\"héé\"", "[0,1,2]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void flags_are_oniguruma_options(void **state) {
    static const struct fn_case cases[] = {
        {"[match(\"o.b\"; \"s\") | .offset]", "\"foo\\nbar\"", "[]"},
        {"[match(\"o.b\"; \"m\") | .offset]", "\"foo\\nbar\"", "[2]"},
        {"[match(\"o.b\"; \"p\") | .offset]", "\"foo\\nbar\"", "[2]"},
        {"[match(\"o$\"; \"s\") | .offset]", "\"foo\\nbar\"", "[]"},
        {"[match(\"^b\") | .offset]", "\"foo\\nbar\"", "[]"},
        {"[match(\"o$\") | .offset]", "\"foo\\nbar\"", "[]"},
        {"[match(\"f o o\"; \"x\") | .offset]", "\"foo\"", "[0]"},
        {"[match(\"o*\"; \"n\") | .offset]", "\"foo\"", "[1]"},
        {"[match(\"o|oo\"; \"l\") | [.offset, .length]]", "\"foo\"", "[[1,1]]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_pattern_at_fault_is_an_error(void **state) {
    static const struct fn_case cases[] = {
        {"match(\"(\")", "\"foo\"", "error: Regex failure: end pattern with unmatched parenthesis"},
        {"match(\"[\")", "\"foo\"", "error: Regex failure: premature end of char-class"},
        {"match(\"a**\")", "\"foo\"",
         "{\"offset\":0,\"length\":0,\"string\":\"\",\"captures\":[]}"},
        {"match(\"(?<n\")", "\"foo\"", "error: Regex failure: invalid group name <n>"},
        {"match(\"\\\\\")", "\"foo\"", "error: Regex failure: end pattern at escape"},
        {"match(\"a{2\")", "\"foo\"", ""},
        {"match(\"(?<n>a)\\\\k<m>\")", "\"foo\"",
         "error: Regex failure: undefined name <m> reference"},
        {"match(\"*\")", "\"foo\"",
         "error: Regex failure: target of repeat operator is not specified"},
        {"match(\"[b-a]\")", "\"foo\"", "error: Regex failure: empty range in char class"},
        {"match(\"\\\\p{Nope}\")", "\"foo\"",
         "error: Regex failure: invalid character property name {Nope}"},
        {"match(null)", "\"foo\"", "error: null not a string or array"},
        {"match({})", "\"foo\"", "error: object not a string or array"},
        {"match([1])", "\"foo\"", "error: number (1) is not a string"},
        {"match([\"o\",1])", "\"foo\"", "error: number (1) is not a string"},
        {"match(\"o\"; \"gq\")", "\"foo\"", "error: gq is not a valid modifier string"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void capture_and_scan_give_texts(void **state) {
    static const struct fn_case cases[] = {
        {"capture(\"(?<a>x)(?<b>q)?\")", "\"xyxy\"", "{\"a\":\"x\",\"b\":null}"},
        {"capture(\"(x)(?<b>y)\")", "\"xyxy\"", "{\"b\":\"y\"}"},
        {"[capture(\"(?<a>x)\"; \"g\")]", "\"xyxy\"", "[{\"a\":\"x\"},{\"a\":\"x\"}]"},
        {"[capture(\"q\")]", "\"xyxy\"", "[]"},
        {"capture(5)", "\"xyxy\"", "error: number not a string or array"},
        {"capture(\"(?<a>x)(?<a>y)\")", "\"xyxy\"", "{\"a\":\"y\"}"},
        {"capture([\"(?<a>X)\",\"i\"])", "\"xyxy\"", "{\"a\":\"x\"}"},
        {"[capture(\"(?<a>q)?\")]", "\"xyxy\"", "[{}]"},
        {"[scan(\"o\")]", "\"foo bar\"", "[\"o\",\"o\"]"},
        {"[scan(\"(o)(.)\")]", "\"foo bar\"", "[[\"o\",\"o\"]]"},
        {"[scan(\"(x)?o\")]", "\"foo bar\"", "[[null],[null]]"},
        {"[scan(\"\")]", "\"foo bar\"", "[\"\",\"\",\"\",\"\",\"\",\"\",\"\"]"},
        {"[scan([\"o\",\"g\"])]", "\"foo bar\"", "error: array ([\"o\",\"g\"]) is not a string"},
        {"[scan(1)]", "\"foo bar\"", "error: number (1) is not a string"},
        {"[scan(\"c\")]", "\"cac\"", "[\"c\",\"c\"]"},
        {"[scan(\"c\")]", "1", "error: number (1) cannot be matched, as it is not a string"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void splits_cut_at_matches(void **state) {
    static const struct fn_case cases[] = {
        {"[splits(\"[0-9]\")]", "\"a1b2c\"", "[\"a\",\"b\",\"c\"]"},
        {"split(\"[0-9]\"; null)", "\"a1b2c\"", "[\"a\",\"b\",\"c\"]"},
        {"split(\"[0-9]\"; \"g\")", "\"a1b2c\"", "[\"a\",\"b\",\"c\"]"},
        {"split(\"[0-9]\"; 1)", "\"a1b2c\"",
         "error: string (\"g\") and number (1) cannot be added"},
        {"[splits(\"x\")]", "\"a1b2c\"", "[\"a1b2c\"]"},
        {"split(\"[0-9]\"; null, \"i\")", "\"a1b2c\"", "[\"a\",\"b\",\"\",\"b\",\"c\"]"},
        {"split(\"[0-9]\"; empty)", "\"a1b2c\"", "[\"a1b2c\"]"},
        {"split(\"\"; null)", "\"abc\"", "[\"\",\"a\",\"b\",\"c\"]"},
        {"[splits(\"$\")]", "\"abc\"", "[\"abc\",\"\",\"\",\"\"]"},
        {"[splits(\"x\"; \"i\")]", "\"aXbxc\"", "[\"a\",\"b\",\"c\"]"},
        {"[splits(\"x\")]", "\"\"", "[\"\"]"},
        {"[splits(\"1\")]", "\"é1é\"", "[\"é\",\"é\"]"},
        {"[splits(\"x\")]", "5", "error: number (5) cannot be matched, as it is not a string"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void sub_replaces_the_first_match(void **state) {
    static const struct fn_case cases[] = {
        {"sub(\"b\"; \"x\")", "\"abcb\"", "\"axcb\""},
        {"sub(\"(?<l>b)\"; \"[\\(.l)]\")", "\"abcb\"", "\"a[b]cb\""},
        {"[sub(\"(?<l>[ab])\"; \"\\(.l)1\", \"2\")]", "\"abcb\"", "[\"a1bcb\",\"2bcb\"]"},
        {"sub(\"q\"; \"x\")", "\"abcb\"", "\"abcb\""},
        {"sub(\"b\"; 1)", "\"abcb\"", "error: string (\"a\") and number (1) cannot be added"},
        {"sub(\"b\"; null)", "\"abcb\"", "\"acb\""},
        {"sub(\"b\"; [1])", "\"abcb\"", "error: string (\"a\") and array ([1]) cannot be added"},
        {"sub(\"b\"; empty)", "\"abcb\"", ""},
        {"sub(\"b\"; \"x\"; \"z\")", "\"abcb\"", "error: z is not a valid modifier string"},
        {"sub(\"B\"; \"x\"; \"gi\")", "\"abcb\"", "\"axcx\""},
        {"sub(\"b\"; \"x\"; null)", "\"abcb\"", "\"axcb\""},
        {"sub(\"b\"; \"x\"; 1)", "\"abcb\"", "error: Cannot index number with string \"g\""},
        {"sub(1; \"x\")", "\"abcb\"", "error: number not a string or array"},
        {"sub([\"b\"]; \"x\")", "\"abcb\"", "\"axcb\""},
        {"sub([\"B\",\"i\"]; \"x\")", "\"abcb\"", "\"axcb\""},
        {"sub(\"\"; \"x\")", "\"abcb\"", "\"xabcb\""},
        {"sub(\"$\"; \"x\")", "\"abcb\"", "\"abcbx\""},
        {"sub(\"b\"; .)", "\"abcb\"", "error: string (\"a\") and object ({}) cannot be added"},
        {"sub(\"a\",\"b\"; \"x\")", "\"abcb\"", "\"xbcb\"\n\"axcb\""},
        {"[sub(\"a\"; \"x\", \"y\"; \"g\", \"\")]", "\"abcb\"",
         "[\"xbcb\",\"ybcb\",\"xbcb\",\"ybcb\",\"xbcb\",\"ybcb\",\"xbcb\",\"ybcb\"]"},
        {"sub(\"b\"; error(\"e\"))", "\"abcb\"", "error: e"},
        {"sub(\"b\"; \"x\"; error(\"e\"))", "\"abcb\"", "error: e"},
        {"sub(\"a\"; \"x\")", "1", "error: number (1) cannot be matched, as it is not a string"},
        {"sub(\"\"; \"x\")", "\"\"", "\"x\""},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void gsub_replaces_all_of_them(void **state) {
    static const struct fn_case cases[] = {
        {"gsub(\"b\"; \"x\")", "\"abcb\"", "\"axcx\""},
        {"[gsub(\"(?<l>[ab])\"; \"\\(.l)1\", \"2\")]", "\"abcb\"",
         "[\"a1b1cb1\",\"2b1cb1\",\"a12cb1\",\"22cb1\",\"a1b1c2\",\"2b1c2\",\"a12c2\",\"22c2\"]"},
        {"gsub(\"^.\"; \"x\")", "\"abcb\"", "\"xxxx\""},
        {"gsub(\"$\"; \"x\")", "\"abcb\"", "\"abcbx\""},
        {"gsub(\"[bc]\"; empty)", "\"abcb\"", ""},
        {"gsub(\"[bc]\"; error(\"e\"))", "\"abcb\"", "error: e"},
        {"gsub(\"B\"; \"x\"; \"i\")", "\"abcb\"", "\"axcx\""},
        {"gsub(\"b\"; \"x\"; null)", "\"abcb\"", "\"axcx\""},
        {"gsub(\"b\"; \"x\"; 1)", "\"abcb\"",
         "error: number (1) and string (\"g\") cannot be added"},
        {"gsub([\"b\",\"i\"]; \"x\")", "\"abcb\"", "error: array ([\"b\",\"i\"]) is not a string"},
        {"gsub(\"(?<x>b)|(?<y>c)\"; \"[\\(.x)\\(.y)]\")", "\"abcb\"", "\"a[bnull][nullc][bnull]\""},
        {"[gsub(\"b\",\"c\"; \"x\")]", "\"abcb\"", "[\"axcx\",\"abxb\"]"},
        {"[gsub(\"b\"; \"x\"; \"i\", \"\")]", "\"abcb\"", "[\"axcx\",\"axcx\",\"axcx\",\"axcx\"]"},
        {"gsub(\"q\"; \"x\")", "\"abcb\"", "\"abcb\""},
        {"gsub(\"b\"; 1)", "\"abcb\"", "error: string (\"c\") and number (1) cannot be added"},
        {"[gsub(\"[ab]\"; \"x\", error(\"e\"))]", "\"abcb\"", "error: e"},
        {"gsub(\"(?<=a)b\"; \"x\")", "\"abcb\"", "\"axcb\""},
        {"gsub(\"b\"; \"x\" | ascii_upcase)", "\"abcb\"", "\"aXcX\""},
        {"[label $out | gsub(\"b\"; \"x\", break $out)]", "\"abcb\"", "[\"axcx\"]"},
        {"[limit(2; gsub(\"b\"; \"1\", \"2\"))]", "\"abcb\"", "[\"a1c1\",\"a2c1\"]"},
        {"gsub(\"(?<e>é)\"; \"\\(.e)-\")", "\"ééé\"", "\"é-é-é-\""},
        {"gsub(\"é\"; \"e\")", "\"ééé\"", "\"eee\""},
        {"gsub(\"\"; \"x\")", "\"\"", "\"x\""},
        {"gsub(\"a\"; \"x\")", "null",
         "error: null (null) cannot be matched, as it is not a string"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void gsub_of_empty_matches_ends(void **state) {
    static const struct fn_case cases[] = {
        {"gsub(\"\"; \"x\")", "\"abc\"", "\"xaxbxcx\""},
        {"gsub(\"a*\"; \"x\")", "\"baac\"", "\"xbxxcx\""},
        {"gsub(\"\\\\b\"; \"|\")", "\"ab cd\"", "\"|ab| |cd|\""},
        {"gsub(\"(?=c)\"; \"x\")", "\"abcc\"", "\"abxcxc\""},
        {"gsub(\"^\"; \"x\")", "\"abc\"", "\"xabc\""},
        {"gsub(\"\"; \"x\")", "\"éé\"", "\"xéxéx\""},
        {"[gsub(\"(?<e>x?)\"; \"<\\(.e)>\")]", "\"ax\"", "[\"<null>a<x><null>\"]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void what_backtracks_without_end_is_an_error(void **state) {
    static const struct fn_case cases[] = {
        {"test(\"^(a+)+$\")", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"",
         "error: Regex failure: retry-limit-in-match over"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_whether_it_matches),
        cmocka_unit_test(match_tells_offsets_in_codepoints),
        cmocka_unit_test(match_tells_of_groups),
        cmocka_unit_test(an_empty_match_has_no_captures_and_moves_on_by_a_character),
        cmocka_unit_test(flags_are_oniguruma_options),
        cmocka_unit_test(a_pattern_at_fault_is_an_error),
        cmocka_unit_test(capture_and_scan_give_texts),
        cmocka_unit_test(splits_cut_at_matches),
        cmocka_unit_test(sub_replaces_the_first_match),
        cmocka_unit_test(gsub_replaces_all_of_them),
        cmocka_unit_test(gsub_of_empty_matches_ends),
        cmocka_unit_test(what_backtracks_without_end_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
