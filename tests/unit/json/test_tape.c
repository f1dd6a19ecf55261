/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "json/scanner.h"

enum { DEPTH = 256 };

static void parse(struct lt_json_tape *tape, const char *text) {
    assert_int_equal(lt_json_tape_parse(tape, lt_slice_str(text), DEPTH, NULL), LEAT_OK);
}

static void assert_value(const struct lt_json_tape *tape, uint32_t token, enum lt_json_type type,
                         const char *raw) {
    struct lt_json value = lt_json_tape_value(tape, token);

    assert_int_equal(value.type, type);
    assert_int_equal(lt_json_tape_type(tape, token), type);
    assert_int_equal(value.raw.len, strlen(raw));
    assert_memory_equal(value.raw.data, raw, value.raw.len);
}

static void a_token_is_a_bracket_a_colon_a_comma_or_the_begin_of_a_scalar(void **state) {
    struct lt_json_tape tape = {0};

    (void)state;
    parse(&tape, " {\"a:\\\"\" : [1 , true],\"b\":{}} ");
    static const uint32_t wanted[] = {1, 2, 9, 11, 12, 14, 16, 20, 21, 22, 25, 26, 27, 28, 30};
    assert_int_equal(tape.n, 14);
    assert_memory_equal(tape.at, wanted, sizeof(wanted));
    assert_int_equal(tape.flags, LT_JSON_HAS_ESCAPES);
    parse(&tape, "\"\xc3\xa9\"");
    assert_int_equal(tape.n, 1);
    assert_int_equal(tape.flags, LT_JSON_HAS_NON_ASCII);
    lt_json_tape_deinit(&tape);
}

static void values_of_each_type_are_viewed_without_white_space(void **state) {
    struct lt_json_tape tape = {0};

    (void)state;
    parse(&tape, "[ \"s\" , -1.5e3\n,{ \"k\" :[ ] }\t,null,true , false ]");
    uint32_t at = lt_json_tape_first(&tape, 0);
    assert_value(&tape, at, LT_JSON_STRING, "\"s\"");
    at = lt_json_tape_next(&tape, at);
    assert_value(&tape, at, LT_JSON_NUMBER, "-1.5e3");
    at = lt_json_tape_next(&tape, at);
    assert_value(&tape, at, LT_JSON_OBJECT, "{ \"k\" :[ ] }");
    assert_int_equal(lt_json_tape_first(&tape, at + 3), 0);
    at = lt_json_tape_next(&tape, at);
    assert_value(&tape, at, LT_JSON_NULL, "null");
    at = lt_json_tape_next(&tape, at);
    assert_value(&tape, at, LT_JSON_TRUE, "true");
    at = lt_json_tape_next(&tape, at);
    assert_value(&tape, at, LT_JSON_FALSE, "false");
    assert_int_equal(lt_json_tape_next(&tape, at), 0);
    lt_json_tape_deinit(&tape);
}

static void a_member_is_found_by_its_unescaped_name_and_the_last_of_several_counts(void **state) {
    struct lt_json_tape tape = {0};

    (void)state;
    parse(&tape, "{\"a\":1,\"\\u0061\":2,\"b\" :{\"a\":3},\"ab\":4,\"\":5}");
    assert_value(&tape, lt_json_tape_get(&tape, 0, LT_LIT("a")), LT_JSON_NUMBER, "2");
    assert_value(&tape, lt_json_tape_get(&tape, 0, LT_LIT("b")), LT_JSON_OBJECT, "{\"a\":3}");
    assert_value(&tape, lt_json_tape_get(&tape, 0, LT_LIT("")), LT_JSON_NUMBER, "5");
    assert_int_equal(lt_json_tape_get(&tape, 0, LT_LIT("c")), 0);
    parse(&tape, "{\"a\":1,\"a\" :{},\"b\":3}");
    assert_value(&tape, lt_json_tape_get(&tape, 0, LT_LIT("a")), LT_JSON_OBJECT, "{}");
    assert_int_equal(lt_json_tape_get(&tape, 0, lt_slice(NULL, 0)), 0);
    parse(&tape, "[\"a\",1,\"a\",2]");
    assert_int_equal(lt_json_tape_get(&tape, 0, LT_LIT("a")), 0);
    assert_int_equal(lt_json_tape_get(&tape, 1, LT_LIT("a")), 0);
    lt_json_tape_deinit(&tape);
}

static void the_tape_refuses_in_the_words_of_the_validator(void **state) {
    static const char *const bad[] = {
        "",           " ",
        "[",          "]",
        "{\"a\"}",    "{\"a\":}",
        "[1,]",       "[1 2]",
        "1 2",        "{\"a\":1",
        "[}",         "{]",
        "{1:2}",      "[01]",
        "[tru]",      "[truex]",
        "\"a",        "[\"\\q\"]",
        "[\"\n\"]",   "\"\\ud800\"",
        "[\"\xff\"]", "\xef\xbb\xbf[1]",
        "[1.]",       "[]]",
        ",",          ":",
        "{,}",        "[:]",
        "{\"a\":1,}", "{\"a\"::1}",
        "nul",        "[-]",
    };
    struct lt_json_tape tape = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct leat_error wanted, err;
        struct lt_json value;
        assert_int_equal(lt_json_validate(&value, lt_slice_str(bad[i]), DEPTH, &wanted),
                         LEAT_E_PARSE);
        assert_int_equal(lt_json_tape_parse(&tape, lt_slice_str(bad[i]), DEPTH, &err),
                         LEAT_E_PARSE);
        assert_string_equal(err.text, wanted.text);
    }
    lt_json_tape_deinit(&tape);
}

static void depth_is_limited_as_in_the_validator(void **state) {
    struct lt_json_tape tape = {0};

    (void)state;
    assert_int_equal(lt_json_tape_parse(&tape, LT_LIT("[[1]]"), 2, NULL), LEAT_OK);
    assert_int_equal(lt_json_tape_parse(&tape, LT_LIT("[[1]]"), 1, NULL), LEAT_E_PARSE);
    assert_int_equal(lt_json_tape_parse(&tape, LT_LIT("1"), 0, NULL), LEAT_OK);
    assert_int_equal(lt_json_tape_parse(&tape, LT_LIT("[]"), 0, NULL), LEAT_E_PARSE);
    lt_json_tape_deinit(&tape);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_a_bracket_a_colon_a_comma_or_the_begin_of_a_scalar),
        cmocka_unit_test(values_of_each_type_are_viewed_without_white_space),
        cmocka_unit_test(a_member_is_found_by_its_unescaped_name_and_the_last_of_several_counts),
        cmocka_unit_test(the_tape_refuses_in_the_words_of_the_validator),
        cmocka_unit_test(depth_is_limited_as_in_the_validator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
