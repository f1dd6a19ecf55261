/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"

/* A copy with no byte after it, so that ASan sees a read past the end. */
static leat_status parse_copy(struct lt_slice text, unsigned max_depth, struct leat_error *err) {
    char *copy = malloc(text.len ? text.len : 1);
    struct lt_json value;

    assert_non_null(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    leat_status status = lt_json_parse(&value, lt_slice(copy, text.len), max_depth, err);
    if (status == LEAT_OK)
        assert_true(value.raw.data >= copy && value.raw.data + value.raw.len <= copy + text.len);
    else
        assert_null(value.raw.data);
    free(copy);
    return status;
}

static void parse_accepts_what_rfc_8259_allows(void **state) {
    static const char *const good[] = {
        "0",
        "-0",
        "1",
        "-1",
        "10",
        "0.0",
        "1.5",
        "-0.5e10",
        "1e5",
        "1E5",
        "1e+5",
        "1e-5",
        "0e0",
        "123456789012345678901234567890",
        "1e400",
        "1.0e+05",
        "0.1e000009",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        " \t\r\n 1 \t\r\n ",
        "[]",
        "[ ]",
        "[1]",
        "[1,2]",
        "[ 1 , 2 ]",
        "[[],[[]],{}]",
        "[null,true,false,\"\",0]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{ \"a\" : 1 , \"b\" : [ ] }",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":{\"c\":[{}]}}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"",
        "\"\\u00e9\\u20AC\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\ud800\\udc00\"",
        "\"\\uDBFF\\uDFFF\"",
        "\"\\\\u12\"",
        "\"\x7f\"",
        "\"\xc2\x80\"",
        "\"\xdf\xbf\"",
        "\"\xe0\xa0\x80\"",
        "\"\xed\x9f\xbf\"",
        "\"\xee\x80\x80\"",
        "\"\xef\xbf\xbf\"",
        "\"\xf0\x90\x80\x80\"",
        "\"\xf4\x8f\xbf\xbf\"",
        "\"0123456789abcdef0123456789abcdef\"",
        "\"0123456789abcde\xc3\xa9 0123456789abcdef\"",
        "\"0123456789abcdef\\n0123456789abcdef\"",
    };
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (parse_copy(lt_slice_str(good[i]), 8, &err) != LEAT_OK)
            fail_msg("%s: %s", good[i], err.text);
}

struct bad {
    const char *text;
    size_t len; /* 0: of the C string */
    size_t at;
};

static const struct bad bad[] = {
    {"", 0, 0},
    {" ", 0, 1},
    {"\n\t", 0, 2},
    /* numbers */
    {"+1", 0, 0},
    {"-", 0, 1},
    {"01", 0, 1},
    {"-01", 0, 2},
    {"1.", 0, 2},
    {".5", 0, 0},
    {"1.e5", 0, 2},
    {"1e", 0, 2},
    {"1e+", 0, 3},
    {"1e+-5", 0, 3},
    {"0x10", 0, 1},
    {"1_000", 0, 1},
    {"--1", 0, 1},
    {"- 1", 0, 1},
    {"1 2", 0, 2},
    {"NaN", 0, 0},
    {"nan", 0, 0},
    {"Infinity", 0, 0},
    {"-Infinity", 0, 1},
    {"1e5.5", 0, 3},
    {"[1.]", 0, 3},
    {"[-]", 0, 2},
    /* words */
    {"tru", 0, 0},
    {"True", 0, 0},
    {"nul", 0, 0},
    {"truefalse", 0, 4},
    {"nulll", 0, 4},
    {"'a'", 0, 0},
    /* containers */
    {"[", 0, 1},
    {"]", 0, 0},
    {"[1", 0, 2},
    {"[1,", 0, 3},
    {"[1,]", 0, 3},
    {"[,1]", 0, 1},
    {"[1 2]", 0, 3},
    {"[1}", 0, 2},
    {"[1]]", 0, 3},
    {"[1:2]", 0, 2},
    {"[1,,2]", 0, 3},
    {"{", 0, 1},
    {"}", 0, 0},
    {"{\"a\"", 0, 4},
    {"{\"a\":", 0, 5},
    {"{\"a\":1", 0, 6},
    {"{\"a\":1,", 0, 7},
    {"{\"a\":1,}", 0, 7},
    {"{a:1}", 0, 1},
    {"{1:1}", 0, 1},
    {"{\"a\",1}", 0, 4},
    {"{\"a\" 1}", 0, 5},
    {"{\"a\":1]", 0, 6},
    {"{\"a\"::1}", 0, 5},
    {"{,}", 0, 1},
    {"{\"a\":}", 0, 5},
    {"{'a':1}", 0, 1},
    {"{}{}", 0, 2},
    {"{\"a\":1 \"b\":2}", 0, 7},
    /* comments, a byte order mark, odd white space, a NUL */
    {"// a\n1", 0, 0},
    {"/* a */1", 0, 0},
    {"1 # a", 0, 2},
    {"\xef\xbb\xbf{}", 0, 0},
    {"\xa0"
     "1",
     0, 0},
    {"\f1", 0, 0},
    {"\v1", 0, 0},
    {"1\0", 2, 1},
    {"\0", 1, 0},
    {"[\0]", 3, 1},
    /* strings */
    {"\"", 0, 1},
    {"\"a", 0, 2},
    {"\"\\", 0, 2},
    {"\"\\\"", 0, 3},
    {"\"\\x\"", 0, 2},
    {"\"\\'\"", 0, 2},
    {"\"\\\0\"", 4, 2},
    {"\"\\u\"", 0, 1},
    {"\"\\u12\"", 0, 1},
    {"\"\\u123g\"", 0, 1},
    {"\"\\U0041\"", 0, 2},
    {"\"\n\"", 0, 1},
    {"\"\t\"", 0, 1},
    {"\"a\0b\"", 5, 2},
    {"\"\x1f\"", 0, 1},
    {"\"0123456789abcdef\n\"", 0, 17},
    /* lone surrogates */
    {"\"\\ud800\"", 0, 1},
    {"\"\\udbff\"", 0, 1},
    {"\"\\udc00\"", 0, 1},
    {"\"\\udfff\"", 0, 1},
    {"\"\\ud800\\n\"", 0, 1},
    {"\"\\ud800\\ud800\"", 0, 1},
    {"\"\\ud800\\u0041\"", 0, 1},
    {"\"\\udc00\\ud800\"", 0, 1},
    {"\"\\ud800\\udc\"", 0, 1},
    {"\"\\ud800udc00\"", 0, 1},
    {"\"\\ud800\\udc0", 0, 1},
    /* not UTF-8: alone, overlong, surrogates, over U+10FFFF, cut short */
    {"\"\x80\"", 0, 1},
    {"\"\xbf\"", 0, 1},
    {"\"\xc0\x80\"", 0, 1},
    {"\"\xc1\xbf\"", 0, 1},
    {"\"\xc2\"", 0, 1},
    {"\"\xc2", 0, 1},
    {"\"\xc2\x41\"", 0, 1},
    {"\"\xe0\x9f\xbf\"", 0, 1},
    {"\"\xe2\x82\"", 0, 1},
    {"\"\xe2\x82", 0, 1},
    {"\"\xed\xa0\x80\"", 0, 1},
    {"\"\xed\xbf\xbf\"", 0, 1},
    {"\"\xf0\x8f\xbf\xbf\"", 0, 1},
    {"\"\xf0\x90\x80\"", 0, 1},
    {"\"\xf4\x90\x80\x80\"", 0, 1},
    {"\"\xf5\x80\x80\x80\"", 0, 1},
    {"\"\xf8\x88\x80\x80\x80\"", 0, 1},
    {"\"\xfe\"", 0, 1},
    {"\"\xff\"", 0, 1},
    {"\"ok\xff\"", 0, 3},
    {"{\"\xff\":1}", 0, 2},
};

static void parse_refuses_what_rfc_8259_does_not_allow_and_says_where(void **state) {
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char where[32];
        struct lt_slice text = lt_slice(bad[i].text, bad[i].len ? bad[i].len : strlen(bad[i].text));
        if (parse_copy(text, 8, &err) != LEAT_E_PARSE)
            fail_msg("row %zu was accepted: %s", i, bad[i].text);
        snprintf(where, sizeof(where), "byte %zu:", bad[i].at);
        if (!strstr(err.text, where))
            fail_msg("row %zu, %s: not at byte %zu: %s", i, bad[i].text, bad[i].at, err.text);
    }
}

static void parse_counts_nesting_and_stops_at_the_limit(void **state) {
    struct leat_error err;
    char deep[2 * LT_JSON_MAX_DEPTH + 4];

    (void)state;
    assert_int_equal(parse_copy(LT_LIT("1"), 0, &err), LEAT_OK);
    assert_int_equal(parse_copy(LT_LIT("[]"), 0, &err), LEAT_E_PARSE);
    assert_int_equal(parse_copy(LT_LIT("[]"), 1, &err), LEAT_OK);
    assert_int_equal(parse_copy(LT_LIT("[{\"a\":[]},[[1]]]"), 3, &err), LEAT_OK);
    assert_int_equal(parse_copy(LT_LIT("[{\"a\":[]},[[1]]]"), 2, &err), LEAT_E_PARSE);
    assert_non_null(strstr(err.text, "byte 6: expected less nesting"));

    /* the library's own limit holds whatever the caller says */
    size_t n = LT_JSON_MAX_DEPTH;
    memset(deep, '[', n + 1);
    memset(deep + n + 1, ']', n + 1);
    assert_int_equal(parse_copy(lt_slice(deep + 1, 2 * n), UINT32_MAX, &err), LEAT_OK);
    assert_int_equal(parse_copy(lt_slice(deep, 2 * n + 2), UINT32_MAX, &err), LEAT_E_PARSE);
}

static void parse_keeps_apart_arrays_and_objects_on_deep_levels(void **state) {
    struct leat_error err;
    char text[1024];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        len += (size_t)sprintf(text + len, "%s", i % 3 ? "[" : "{\"a\":");
    text[len++] = '1';
    for (int i = 99; i >= 0; i--)
        text[len++] = i % 3 ? ']' : '}';
    assert_int_equal(parse_copy(lt_slice(text, len), 100, &err), LEAT_OK);
    text[len - 65] = text[len - 65] == ']' ? '}' : ']'; /* of the other kind */
    assert_int_equal(parse_copy(lt_slice(text, len), 100, &err), LEAT_E_PARSE);
}

static void parse_finds_a_fault_at_every_place_of_a_long_string(void **state) {
    static const char faults[] = {'\n', '\0', '\x1f', (char)0x80, (char)0xff, '\\'};
    struct leat_error err;
    char text[80];

    (void)state;
    for (size_t len = 3; len < sizeof(text); len++) {
        for (size_t at = 1; at < len - 1; at++) {
            memset(text, 'x', len);
            text[0] = text[len - 1] = '"';
            assert_int_equal(parse_copy(lt_slice(text, len), 0, &err), LEAT_OK);
            text[at] = faults[(at + len) % sizeof(faults)];
            assert_int_equal(parse_copy(lt_slice(text, len), 0, &err), LEAT_E_PARSE);
        }
    }
}

static void parse_refuses_every_true_prefix_of_an_object(void **state) {
    static const char text[] =
        "{\"a\":[1,2.5e3,true,{\"b\":null}],\"\\u0041\xc3\xa9\":\"\\ud83d\\ude00 x\"}";
    struct leat_error err;

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++)
        assert_int_equal(parse_copy(lt_slice(text, len), 8, &err), LEAT_E_PARSE);
    assert_int_equal(parse_copy(lt_slice(text, sizeof(text) - 1), 8, &err), LEAT_OK);
}

static void parse_views_the_value_without_the_space_around_it(void **state) {
    struct leat_error err;
    struct lt_json value;

    (void)state;
    assert_int_equal(lt_json_parse(&value, LT_LIT(" \n{\"a\": 1 }\r\n"), 8, &err), LEAT_OK);
    assert_int_equal(value.type, LT_JSON_OBJECT);
    assert_true(lt_slice_eq_str(value.raw, "{\"a\": 1 }"));
    assert_int_equal(lt_json_parse(&value, LT_LIT("  -1.5  "), 8, &err), LEAT_OK);
    assert_int_equal(value.type, LT_JSON_NUMBER);
    assert_true(lt_slice_eq_str(value.raw, "-1.5"));
    assert_int_equal(lt_json_parse(&value, lt_slice(NULL, 0), 8, &err), LEAT_E_PARSE);
}

static void parse_errors_tell_what_was_expected_and_no_more_of_the_text(void **state) {
    struct leat_error err;
    struct lt_json value;

    (void)state;
    assert_int_equal(lt_json_parse(&value, LT_LIT("{\"secret\":hunter2}"), 8, &err), LEAT_E_PARSE);
    assert_string_equal(err.text, "not JSON: byte 10: expected a value, found 'h'");
    assert_int_equal(lt_json_parse(&value, LT_LIT("{\"a\":1"), 8, &err), LEAT_E_PARSE);
    assert_string_equal(err.text,
                        "not JSON: byte 6: expected ',' or '}', found the end of the text");
    assert_int_equal(lt_json_parse(&value, LT_LIT("\"\x01\""), 8, NULL), LEAT_E_PARSE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_accepts_what_rfc_8259_allows),
        cmocka_unit_test(parse_refuses_what_rfc_8259_does_not_allow_and_says_where),
        cmocka_unit_test(parse_counts_nesting_and_stops_at_the_limit),
        cmocka_unit_test(parse_keeps_apart_arrays_and_objects_on_deep_levels),
        cmocka_unit_test(parse_finds_a_fault_at_every_place_of_a_long_string),
        cmocka_unit_test(parse_refuses_every_true_prefix_of_an_object),
        cmocka_unit_test(parse_views_the_value_without_the_space_around_it),
        cmocka_unit_test(parse_errors_tell_what_was_expected_and_no_more_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
