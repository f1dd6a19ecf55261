/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a body against a shape, and the words of what is wrong. */
#include "engine/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const colours[] = {"RED", "GREEN", NULL};

static const struct lt_shape_member inner_members[] = {
    {.name = "Key", .type = LT_SHAPE_STRING, .required = true, .min = 1, .max = 4},
    {.name = "Data", .type = LT_SHAPE_BLOB, .max = 3},
};
static const struct lt_shape inner_shape = LT_SHAPE(inner_members);
static const struct lt_shape_member inner = {.type = LT_SHAPE_STRUCTURE, .shape = &inner_shape};
static const struct lt_shape_member text = {.type = LT_SHAPE_STRING, .max = 2};

enum { NAME, COUNT, LEVEL, FLAG, COLOUR, ITEMS, TAGS, WHEN, ONE };
static const struct lt_shape_member members[] = {
    [NAME] = {.name = "Name",
              .type = LT_SHAPE_STRING,
              .required = true,
              .min = 1,
              .max = 8,
              .pattern = &lt_pattern_name},
    [COUNT] = {.name = "Count", .type = LT_SHAPE_INTEGER, .min = 1, .max = 10},
    [LEVEL] = {.name = "Level", .type = LT_SHAPE_INTEGER, .max = 900},
    [FLAG] = {.name = "Flag", .type = LT_SHAPE_BOOLEAN},
    [COLOUR] = {.name = "Colour", .type = LT_SHAPE_STRING, .values = colours},
    [ITEMS] = {.name = "Items", .type = LT_SHAPE_LIST, .min = 1, .max = 3, .element = &inner},
    [TAGS] = {.name = "Tags", .type = LT_SHAPE_MAP, .max = 2, .element = &text},
    [WHEN] = {.name = "When", .type = LT_SHAPE_TIMESTAMP},
    [ONE] = {.name = "One", .type = LT_SHAPE_STRUCTURE, .shape = &inner_shape},
};
static const struct lt_shape shape = LT_SHAPE(members);

static leat_status check(const char *body, struct leat_error *err) {
    struct lt_json values[LT_SHAPE_MAX_MEMBERS];
    struct lt_arena arena;
    struct lt_json json;
    leat_status status;

    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_json_parse(&json, lt_slice_str(body), 64, err), LEAT_OK);
    status = lt_shape_check(&shape, json, "", &arena, values, err);
    lt_arena_deinit(&arena);
    return status;
}

static void a_body_that_fits_passes(void **state) {
    static const char *const good[] = {
        "{\"Name\":\"a.b-c_D\"}",
        "{\"Name\":\"a\",\"Count\":1,\"Flag\":false,\"Colour\":\"RED\",\"When\":1.5,\"Level\":0}",
        "{\"Name\":\"a\",\"Count\":10.0,\"Items\":[{\"Key\":\"k\",\"Data\":\"YWJj\"}]}",
        "{\"Name\":\"a\",\"Items\":[{\"Key\":\"\\u00e9\\u00e9\\u00e9\\u00e9\"}]}",
        "{\"Name\":\"a\",\"Count\":null,\"Tags\":{\"x\":\"yz\"},\"Unknown\":{\"a\":[1]}}",
        "{\"Nam\\u0065\":\"a\",\"One\":{\"Key\":\"k\"}}",
    };
    struct leat_error err;
    (void)state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(check(good[i], &err), LEAT_OK);
}

static void violations_are_worded_as_the_services_word_them(void **state) {
#define AT " failed to satisfy constraint: "
    static const char *const rows[][2] = {
        {"{}", "1 validation error detected: Value null at 'name'" AT "Member must not be null"},
        {"{\"Name\":\"a b\"}", "1 validation error detected: Value 'a b' at 'name'" AT
                               "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
        {"{\"Name\":\"123456789\"}", "1 validation error detected: Value '123456789' at 'name'" AT
                                     "Member must have length less than or equal to 8"},
        {"{\"Name\":\"a\",\"Count\":0}", "1 validation error detected: Value '0' at 'count'" AT
                                         "Member must have value greater than or equal to 1"},
        {"{\"Name\":\"a\",\"Count\":11}", "1 validation error detected: Value '11' at 'count'" AT
                                          "Member must have value less than or equal to 10"},
        {"{\"Name\":\"a\",\"Level\":-1}", "1 validation error detected: Value '-1' at 'level'" AT
                                          "Member must have value greater than or equal to 0"},
        {"{\"Name\":\"a\",\"Colour\":\"BLUE\"}",
         "1 validation error detected: Value 'BLUE' at 'colour'" AT
         "Member must satisfy enum value set: [RED, GREEN]"},
        {"{\"Name\":\"a\",\"Items\":[{\"Key\":\"k\"},{\"Key\":\"k\",\"Data\":\"YWJjZA==\"}]}",
         "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=4 cap=4]' at "
         "'items.2.member.data'" AT "Member must have length less than or equal to 3"},
        {"{\"Name\":\"a\",\"Items\":[null]}",
         "1 validation error detected: Value null at 'items.1.member'" AT
         "Member must not be null"},
        {"{\"Name\":\"a\",\"Items\":[]}", "1 validation error detected: Value '[]' at 'items'" AT
                                          "Member must have length greater than or equal to 1"},
        {"{\"Name\":\"a\",\"Tags\":{\"t\":\"abc\"}}",
         "1 validation error detected: Value 'abc' at 'tags.t.member'" AT
         "Member must have length less than or equal to 2"},
        {"{\"Name\":\"\",\"One\":{}}",
         "3 validation errors detected: Value '' at 'name'" AT
         "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at 'name'" AT
         "Member must have length greater than or equal to 1; Value null at 'one.key'" AT
         "Member must not be null"},
    };
    struct leat_error err;
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(check(rows[i][0], &err), LEAT_E_INVALID);
        assert_string_equal(err.code, "ValidationException");
        assert_string_equal(err.text, rows[i][1]);
    }
}

static void wrong_types_are_serialization_errors(void **state) {
    static const char *const bad[] = {
        "{\"Name\":5}",
        "{\"Name\":true}",
        "{\"Name\":[]}",
        "{\"Name\":{}}",
        "{\"Name\":\"a\",\"Count\":\"1\"}",
        "{\"Name\":\"a\",\"Count\":false}",
        "{\"Name\":\"a\",\"Flag\":1}",
        "{\"Name\":\"a\",\"Flag\":\"true\"}",
        "{\"Name\":\"a\",\"When\":\"2020\"}",
        "{\"Name\":\"a\",\"Items\":\"x\"}",
        "{\"Name\":\"a\",\"Items\":{}}",
        "{\"Name\":\"a\",\"Items\":[[]]}",
        "{\"Name\":\"a\",\"Items\":[{\"Key\":\"k\",\"Data\":\"!\"}]}",
        "{\"Name\":\"a\",\"Items\":[{\"Key\":\"k\",\"Data\":\"YQ\"}]}",
        "{\"Name\":\"a\",\"Tags\":[]}",
        "{\"Name\":\"a\",\"One\":\"x\"}",
        "{\"Name\":\"\",\"Count\":\"x\"}", /* before any violation */
    };
    struct leat_error err;
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(check(bad[i], &err), LEAT_E_PARSE);
        assert_string_equal(err.code, "SerializationException");
    }
}

static void ten_violations_are_told_at_most(void **state) {
    char body[4096] = "{\"Name\":\"a\",\"Items\":[";
    struct leat_error err;
    (void)state;

    for (int i = 0; i < 40; i++)
        strcat(body, i ? ",{}" : "{}");
    strcat(body, "]}");
    assert_int_equal(check(body, &err), LEAT_E_INVALID);
    assert_memory_equal(err.text, "10 validation errors", 20);
}

static void a_long_value_is_cut_at_a_character(void **state) {
    char body[4096] = "{\"Name\":\"";
    struct lt_json json;
    struct leat_error err;
    (void)state;

    for (int i = 0; i < 600; i++)
        strcat(body, "\xc3\xa9");
    strcat(body, "\"}");
    assert_int_equal(check(body, &err), LEAT_E_INVALID);
    char quoted[LEAT_ERROR_TEXT_BYTES + 2];
    snprintf(quoted, sizeof(quoted), "\"%s\"", err.text);
    assert_int_equal(lt_json_parse(&json, lt_slice_str(quoted), 1, &err), LEAT_OK);
}

static void picked_members_stand_in_the_order_of_the_rows(void **state) {
    struct lt_json values[sizeof(members) / sizeof(members[0])];
    struct leat_error err;
    struct lt_json json;
    (void)state;

    assert_int_equal(lt_json_parse(&json,
                                   LT_LIT("{\"One\":{},\"x\":1,\"Name\":\"first\",\"Count\":null,"
                                          "\"Name\":\"last\"}"),
                                   64, &err),
                     LEAT_OK);
    lt_shape_pick(&shape, json, values);
    assert_true(lt_slice_eq_str(values[NAME].raw, "\"last\""));
    assert_null(values[COUNT].raw.data);
    assert_null(values[ITEMS].raw.data);
    assert_int_equal(values[ONE].type, LT_JSON_OBJECT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_fits_passes),
        cmocka_unit_test(violations_are_worded_as_the_services_word_them),
        cmocka_unit_test(wrong_types_are_serialization_errors),
        cmocka_unit_test(ten_violations_are_told_at_most),
        cmocka_unit_test(a_long_value_is_cut_at_a_character),
        cmocka_unit_test(picked_members_stand_in_the_order_of_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
