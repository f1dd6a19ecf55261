/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "json/tape.h"

static struct lt_json parse(const char *text) {
    struct leat_error err;
    struct lt_json value;

    if (lt_json_parse(&value, lt_slice_str(text), LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static void assert_spliced(struct lt_buf *out, const char *expected) {
    assert_false(out->failed);
    assert_string_equal(lt_buf_cstr(out), expected);
    lt_buf_clear(out);
}

/* `sets`: name, value, name, value, ..., NULL. By all three ways to the members: a short text by
 * the iterator, a longer one by a tape of the room's own where the scanner is a fast one; the
 * caller's tape. */
static void check_splice(const char *object, const char *expected, const char *const *sets) {
    const char *in_use = lt_json_scanner_name();
    struct lt_json_tape tape = {0};
    struct lt_json_field fields[80];
    struct lt_buf out;
    size_t n = 0;

    for (; sets[2 * n]; n++)
        fields[n] =
            (struct lt_json_field){lt_slice_str(sets[2 * n]), lt_slice_str(sets[2 * n + 1])};
    lt_buf_init(&out, 1 << 16);
    parse(expected); /* what comes out is JSON */
    lt_json_splice(parse(object), fields, n, &out);
    assert_spliced(&out, expected);
    assert_true(lt_json_scanner_use("portable"));
    lt_json_splice(parse(object), fields, n, &out);
    assert_spliced(&out, expected);
    assert_true(lt_json_scanner_use(in_use));
    assert_int_equal(lt_json_tape_parse(&tape, lt_slice_str(object), LT_JSON_DEFAULT_DEPTH, NULL),
                     LEAT_OK);
    lt_json_tape_splice(&tape, 0, fields, n, &out);
    assert_spliced(&out, expected);
    lt_json_tape_deinit(&tape);
    lt_buf_deinit(&out);
}

#define CHECK(object, expected, ...)                                                               \
    check_splice(object, expected, (const char *const[]){__VA_ARGS__, NULL})

static void splice_adds_a_field_behind_the_last_member(void **state) {
    (void)state;
    CHECK("{\"a\":1}", "{\"a\":1,\"b\":2}", "b", "2");
    CHECK("{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":[3]}", "b", "2", "c", "[3]");
    CHECK("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1},\"b\":2}", "b", "2");
}

static void splice_into_an_empty_object_needs_no_comma(void **state) {
    (void)state;
    CHECK("{}", "{\"b\":2}", "b", "2");
    CHECK("{}", "{\"b\":2,\"c\":3}", "b", "2", "c", "3");
    CHECK("{ \n}", "{\"b\":2 \n}", "b", "2");
}

static void splice_keeps_white_space_before_the_closing_brace(void **state) {
    (void)state;
    CHECK("{ \"a\" : 1\n}", "{ \"a\" : 1,\"b\":2\n}", "b", "2");
    CHECK("{\n  \"a\": [ 1 ] \t}", "{\n  \"a\": [ 1 ],\"b\":2 \t}", "b", "2");
}

static void splice_replaces_a_value_where_it_stands(void **state) {
    (void)state;
    CHECK("{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"b\":\"x\",\"c\":3}", "b", "\"x\"");
    CHECK("{\"a\" : {\"x\":[1,{}]} , \"b\":2}", "{\"a\" : 0 , \"b\":2}", "a", "0");
    CHECK("{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":9,\"b\":2,\"c\":8,\"d\":7}", "c", "8", "d", "7", "a",
          "9");
    CHECK("{\"b\":\"}\\\"]\" }", "{\"b\":null }", "b", "null");
}

static void splice_replaces_the_last_of_several_members(void **state) {
    (void)state;
    CHECK("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":1,\"b\":2,\"a\":4}", "a", "4");
    CHECK("{\"a\":1,\"a\":2,\"a\":3,\"b\":0}", "{\"a\":1,\"a\":2,\"a\":5,\"b\":6}", "b", "6", "a",
          "5");
}

static void splice_knows_a_name_however_it_is_escaped(void **state) {
    (void)state;
    CHECK("{\"\\u0061\":1}", "{\"\\u0061\":2}", "a", "2");
    CHECK("{\"\\ud83d\\ude00\":1}", "{\"\\ud83d\\ude00\":2}", "\xf0\x9f\x98\x80", "2");
    CHECK("{\"a\":1,\"\\u0061\":2}", "{\"a\":1,\"\\u0061\":3}", "a", "3");
    CHECK("{\"\\u0061b\":1}", "{\"\\u0061b\":1,\"a\":2}", "a", "2");
}

static void splice_counts_the_last_of_fields_given_twice(void **state) {
    (void)state;
    CHECK("{\"a\":1}", "{\"a\":3}", "a", "2", "a", "3");
    CHECK("{}", "{\"c\":9,\"b\":3}", "b", "2", "c", "9", "b", "3");
}

static void splice_escapes_the_names_that_it_adds(void **state) {
    (void)state;
    CHECK("{}", "{\"a\\\"\\n\\u0001\xc3\xa9\":1}", "a\"\n\x01\xc3\xa9", "1");
    CHECK("{\"\":0}", "{\"\":1}", "", "1");
}

static void splice_touches_no_other_byte(void **state) {
    (void)state;
    CHECK("{\"n\":1.0e+05,\"big\":100000000000000000001,\"s\":\"\\u00e9\\/\",\"z\":-0.0,\"x\":[ ]}",
          "{\"n\":1.0e+05,\"big\":100000000000000000001,\"s\":\"\\u00e9\\/\",\"z\":-0.0,\"x\":[ "
          "],\"t\":1}",
          "t", "1");
}

static void splice_takes_more_fields_than_fit_on_the_stack(void **state) {
    struct lt_json_field fields[100];
    char names[100][8];
    struct lt_buf out;
    struct lt_json value;
    int64_t n;

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof(names[i]), "f%d", i);
        fields[i] = (struct lt_json_field){lt_slice_str(names[i]), lt_slice_str(names[i] + 1)};
    }
    lt_buf_init(&out, 1 << 16);
    lt_json_splice(parse("{\"f50\":0,\"x\":0,\"f3\":0}"), fields, 100, &out);
    struct lt_json object = parse(lt_buf_cstr(&out));
    assert_int_equal(lt_json_count(object), 101);
    for (int i = 0; i < 100; i++) {
        assert_true(lt_json_get(object, names[i], &value));
        assert_true(lt_json_int64(value, &n));
        assert_int_equal(n, i);
    }
    lt_buf_deinit(&out);
}

static void splice_of_what_is_no_object_changes_nothing(void **state) {
    struct lt_json_field field = {LT_LIT("a"), LT_LIT("1")};
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 100);
    lt_json_splice(parse("[1]"), &field, 1, &out);
    assert_string_equal(lt_buf_cstr(&out), "[1]");
    lt_json_splice(parse("{\"b\":1}"), NULL, 0, &out);
    assert_string_equal(lt_buf_cstr(&out), "[1]{\"b\":1}");
    lt_buf_deinit(&out);
}

static void splice_into_a_full_buffer_fails(void **state) {
    struct lt_json_field field = {LT_LIT("a"), LT_LIT("1")};
    struct leat_error err;
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 8);
    lt_json_splice(parse("{\"b\":\"0123456789\"}"), &field, 1, &out);
    assert_int_equal(lt_buf_status(&out, &err), LEAT_E_NOMEM);
    lt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splice_adds_a_field_behind_the_last_member),
        cmocka_unit_test(splice_into_an_empty_object_needs_no_comma),
        cmocka_unit_test(splice_keeps_white_space_before_the_closing_brace),
        cmocka_unit_test(splice_replaces_a_value_where_it_stands),
        cmocka_unit_test(splice_replaces_the_last_of_several_members),
        cmocka_unit_test(splice_knows_a_name_however_it_is_escaped),
        cmocka_unit_test(splice_counts_the_last_of_fields_given_twice),
        cmocka_unit_test(splice_escapes_the_names_that_it_adds),
        cmocka_unit_test(splice_touches_no_other_byte),
        cmocka_unit_test(splice_takes_more_fields_than_fit_on_the_stack),
        cmocka_unit_test(splice_of_what_is_no_object_changes_nothing),
        cmocka_unit_test(splice_into_a_full_buffer_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
