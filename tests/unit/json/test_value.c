/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "json/json.h"

static struct lt_json parse_slice(struct lt_slice text) {
    struct leat_error err;
    struct lt_json value;

    if (lt_json_parse(&value, text, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK)
        fail_msg("%.*s: %s", LT_FMT(text), err.text);
    return value;
}

static struct lt_json parse(const char *text) {
    return parse_slice(lt_slice_str(text));
}

static void iter_views_each_element_with_its_type(void **state) {
    static const char *const raw[] = {"1",    "\"a,]\\\"\"", "[ 2,[3] ]", "{\"x\":{}}",
                                      "null", "true",        "false",     "-1e5"};
    static const enum lt_json_type types[] = {LT_JSON_NUMBER, LT_JSON_STRING, LT_JSON_ARRAY,
                                              LT_JSON_OBJECT, LT_JSON_NULL,   LT_JSON_TRUE,
                                              LT_JSON_FALSE,  LT_JSON_NUMBER};
    struct lt_json array =
        parse(" [ 1 ,\"a,]\\\"\", [ 2,[3] ],\n{\"x\":{}},null,true,false,-1e5] ");
    struct lt_json_iter iter = lt_json_iter(array);
    struct lt_json value;
    size_t n = 0;

    (void)state;
    for (; lt_json_next(&iter, &value); n++) {
        assert_true(lt_slice_eq_str(value.raw, raw[n]));
        assert_int_equal(value.type, types[n]);
    }
    assert_int_equal(n, 8);
    assert_false(lt_json_next(&iter, &value));
    assert_int_equal(lt_json_count(array), 8);
}

static void iter_views_each_member(void **state) {
    struct lt_json object = parse("{ \"a\" : 1 , \"b:}\":[{}],\"\":\"x\" }");
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, value;

    (void)state;
    assert_true(lt_json_next_member(&iter, &key, &value));
    assert_true(lt_slice_eq_str(key.raw, "\"a\""));
    assert_true(lt_slice_eq_str(value.raw, "1"));
    assert_true(lt_json_next_member(&iter, &key, &value));
    assert_true(lt_json_string_is(key, LT_LIT("b:}")));
    assert_true(lt_slice_eq_str(value.raw, "[{}]"));
    assert_true(lt_json_next_member(&iter, &key, &value));
    assert_true(lt_json_string_is(key, LT_LIT("")));
    assert_true(lt_slice_eq_str(value.raw, "\"x\""));
    assert_false(lt_json_next_member(&iter, &key, &value));
    assert_int_equal(lt_json_count(object), 3);
}

static void iter_over_the_wrong_kind_or_nothing_ends_at_once(void **state) {
    static const char *const scalars[] = {"1", "\"a\"", "null", "true", "[]", "{}", "[ ]", "{ }"};
    struct lt_json key, value;

    (void)state;
    for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
        struct lt_json_iter iter = lt_json_iter(parse(scalars[i]));
        assert_false(lt_json_next(&iter, &value));
        assert_false(lt_json_next_member(&iter, &key, &value));
        assert_int_equal(lt_json_count(parse(scalars[i])), 0);
    }
    struct lt_json_iter array = lt_json_iter(parse("[\"a\",1]"));
    assert_false(lt_json_next_member(&array, &key, &value));
    struct lt_json_iter object = lt_json_iter(parse("{\"a\":1}"));
    assert_false(lt_json_next(&object, &value));
}

static void get_gives_the_last_member_of_that_name(void **state) {
    struct lt_json object = parse("{\"a\":1,\"b\":{\"c\":9},\"a\":2,\"\\u0061\":3,\"aa\":4}");
    struct lt_json value;
    int64_t n;

    (void)state;
    assert_true(lt_json_get(object, "a", &value));
    assert_true(lt_json_int64(value, &n));
    assert_int_equal(n, 3);
    assert_false(lt_json_get(object, "c", &value));
    assert_false(lt_json_get(object, "", &value));
    assert_false(lt_json_get(parse("[\"a\",1]"), "a", &value));
    assert_false(lt_json_get(parse("\"a\""), "a", &value));
}

static void check_string(const char *json, struct lt_slice expected) {
    struct lt_json value = parse(json);
    struct lt_arena arena;
    struct lt_buf buf;

    lt_arena_init(&arena, 1 << 16);
    lt_buf_init(&buf, 1 << 16);
    assert_true(lt_slice_eq(lt_json_string(value, &arena), expected));
    assert_true(lt_json_string_is(value, expected));
    lt_json_string_append(value, &buf);
    assert_true(lt_slice_eq(lt_buf_slice(&buf), expected));
    if (expected.len) {
        expected.len--;
        assert_false(lt_json_string_is(value, expected));
    }
    lt_buf_deinit(&buf);
    lt_arena_deinit(&arena);
}

static void string_unescapes_every_escape(void **state) {
    (void)state;
    check_string("\"\"", LT_LIT(""));
    check_string("\"plain text\"", LT_LIT("plain text"));
    check_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", LT_LIT("\"\\/\b\f\n\r\t"));
    check_string("\"a\\u0000b\"", LT_LIT("a\0b"));
    check_string("\"\\u0041\\u00e9\\u07ff\\u0800\\u20aC\\uffff\"",
                 LT_LIT("A\xc3\xa9\xdf\xbf\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf"));
    check_string("\"\\ud83d\\ude00\\uD800\\uDC00\\udbff\\udfff\"",
                 LT_LIT("\xf0\x9f\x98\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    check_string("\"0123456789abcdef0123\\n0123456789abcdef\xc3\xa9\\\\\"",
                 LT_LIT("0123456789abcdef0123\n0123456789abcdef\xc3\xa9\\"));
}

static void string_is_compares_the_value_and_not_the_spelling(void **state) {
    (void)state;
    assert_true(lt_json_string_is(parse("\"\\u0061b\""), LT_LIT("ab")));
    assert_false(lt_json_string_is(parse("\"\\u0061b\""), LT_LIT("\\u0061b")));
    assert_false(lt_json_string_is(parse("\"\\n\""), LT_LIT("\\n")));
    assert_false(lt_json_string_is(parse("\"\\u0061b\""), LT_LIT("abc")));
    assert_false(lt_json_string_is(parse("\"\\u0061b\""), LT_LIT("ac")));
    assert_false(lt_json_string_is(parse("12"), LT_LIT("12")));
    assert_false(lt_json_string_is(parse("\"ab\""), LT_LIT("aB")));
}

static void string_without_an_escape_is_a_view_and_else_of_the_arena(void **state) {
    struct lt_arena none;
    struct lt_json value = parse("\"abc\"");

    (void)state;
    lt_arena_init(&none, 0);
    assert_ptr_equal(lt_json_string(value, &none).data, value.raw.data + 1);
    assert_non_null(lt_json_string(parse("\"\""), &none).data);
    assert_null(lt_json_string(parse("\"a\\n\""), &none).data);
    assert_null(lt_json_string(parse("1"), &none).data);
    assert_null(lt_json_string(parse("null"), &none).data);
}

static void int64_takes_whole_numbers_however_they_are_spelt(void **state) {
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"0.0", 0},
        {"0e99", 0},
        {"0e-99", 0},
        {"0.000e5", 0},
        {"1", 1},
        {"-1", -1},
        {"1e3", 1000},
        {"2.0", 2},
        {"1.5e1", 15},
        {"-1.25E+2", -125},
        {"100e-2", 1},
        {"1200e-2", 12},
        {"0.001e3", 1},
        {"123456789", 123456789},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775807.000", INT64_MAX},
        {"9007199254740993", 9007199254740993},
        {"1000000000000000000000e-3", 1000000000000000000},
        {"92233720368547758070000000000000000000000e-22", INT64_MAX},
        {"0.00000000000000000000000000000001e32", 1},
        {"1e18", 1000000000000000000},
    };
    static const char *const bad[] = {
        "1.5",
        "0.1",
        "1e-1",
        "9223372036854775808",
        "-9223372036854775809",
        "1e19",
        "1e400",
        "1e-400",
        "99999999999999999999999",
        "18446744073709551616",
        "12345678901234567890.5",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "\"1\"",
        "null",
        "true",
        "[1]",
    };
    int64_t n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!lt_json_int64(parse(good[i].text), &n) || n != good[i].value)
            fail_msg("%s", good[i].text);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (lt_json_int64(parse(bad[i]), &n))
            fail_msg("%s is not a whole number within int64", bad[i]);
}

static void double_is_the_nearest_one(void **state) {
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},
        {"1", 1},
        {"-1.5", -1.5},
        {"0.1", 0.1},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"1e-22", 1e-22},
        {"1.0e+05", 100000},
        {"123456789.125", 123456789.125},
        {"9007199254740992", 9007199254740992},
        {"9007199254740993", 9007199254740992},
        {"9007199254740993.00000000000000000001", 9007199254740994},
        {"100000000000000000001", 1e20},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"5e-324", 5e-324},
        {"1e-400", 0},
        {"2.2250738585072012e-308", 2.2250738585072014e-308},
        {"0.000000000000000000000000000000000000000001", 1e-42},
        {"1e99999999999999", (double)INFINITY},
        {"-1e400", -(double)INFINITY},
        {"0."
         "30000000000000004440892098500626161694526672363281250000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000",
         0.1 + 0.2},
    };
    double d;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!lt_json_double(parse(good[i].text), &d) || d != good[i].value)
            fail_msg("%s gave %.17g", good[i].text, d);
    assert_true(lt_json_double(parse("-0"), &d));
    assert_true(d == 0 && signbit(d));
    assert_false(lt_json_double(parse("\"1\""), &d));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iter_views_each_element_with_its_type),
        cmocka_unit_test(iter_views_each_member),
        cmocka_unit_test(iter_over_the_wrong_kind_or_nothing_ends_at_once),
        cmocka_unit_test(get_gives_the_last_member_of_that_name),
        cmocka_unit_test(string_unescapes_every_escape),
        cmocka_unit_test(string_is_compares_the_value_and_not_the_spelling),
        cmocka_unit_test(string_without_an_escape_is_a_view_and_else_of_the_arena),
        cmocka_unit_test(int64_takes_whole_numbers_however_they_are_spelt),
        cmocka_unit_test(double_is_the_nearest_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
