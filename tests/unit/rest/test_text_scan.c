/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with jq expressions in braces: their parts, and where a fault is. */
#include "rest/text_scan.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Literals as they are, expressions as <OFFSET:TEXT>. */
static leat_status write_part(void *ctx, bool is_expression, struct lt_slice part, size_t offset,
                              struct leat_error *err) {
    struct lt_buf *out = ctx;

    (void)err;
    if (is_expression)
        lt_buf_printf(out, "<%zu:%.*s>", offset, LT_FMT(part));
    else
        lt_buf_append(out, part);
    return LEAT_OK;
}

static void literals_and_expressions_come_apart(void **state) {
    static const struct {
        const char *text, *parts;
    } cases[] = {
        {"", ""},
        {"/albums", "/albums"},
        {"/albums/{.id}/tracks", "/albums/<9:.id>/tracks"},
        {"{.a}{.b}", "<1:.a><5:.b>"},
        {"a{{b}}c", "a{b}c"},
        {"{{{.a}}}", "{<3:.a>}"},
        {"{{.a}}", "{.a}"},
        {"{ .a | {b: .c} | .b }-", "<1: .a | {b: .c} | .b >-"},
        {"{.a | \"}\" + .}x", "<1:.a | \"}\" + .>x"},
        {"{\"\\(.a | {b: \"}\"} | .b)\"}x", "<1:\"\\(.a | {b: \"}\"} | .b)\">x"},
        {"{.[\"a}b\"]}", "<1:.[\"a}b\"]>"},
        {"{.a # }\n}x", "<1:.a # }\n>x"},
        {"caf\xc3\xa9/{.\"\xc3\xa9\"}", "caf\xc3\xa9/<7:.\"\xc3\xa9\">"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct leat_error err;
        struct lt_buf out;
        size_t at;
        lt_buf_init(&out, 4096);
        leat_status status =
            lt_rest_text_each(lt_slice_str(cases[i].text), write_part, &out, &at, &err);
        if (status != LEAT_OK)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_string_equal(lt_buf_cstr(&out), cases[i].parts);
        lt_buf_deinit(&out);
    }
}

static void a_fault_is_told_at_its_byte(void **state) {
    static const struct {
        const char *text;
        size_t at;
        const char *part;
    } cases[] = {
        {"/a/{.id", 3, "not closed"},       {"/a/.id}/b", 6, "closes nothing"},
        {"/a/{}/b", 3, "braces are empty"}, {"/a/{ \t}/b", 3, "braces are empty"},
        {"/a/{.b[0}/b", 8, "']'"},          {"/a/{\"x}", 4, "string"},
        {"/a/{$ENV.HOME}", 5, "$ENV"},      {"{{}", 2, "closes nothing"},
        {"{.a}}", 4, "closes nothing"},     {"/a/{.b)}", 6, "closes nothing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct leat_error err = {0};
        size_t at;
        leat_status status = lt_rest_text_each(lt_slice_str(cases[i].text), NULL, NULL, &at, &err);
        if (status != LEAT_E_CONFIG || at != cases[i].at || !strstr(err.text, cases[i].part))
            fail_msg("%s: status %d at %zu: %s", cases[i].text, (int)status, at, err.text);
    }
}

static leat_status refuse(void *ctx, bool is_expression, struct lt_slice part, size_t offset,
                          struct leat_error *err) {
    (void)ctx, (void)part, (void)offset;
    return is_expression ? lt_fail(err, LEAT_E_LIMIT, 0, "enough") : LEAT_OK;
}

static void what_the_caller_returns_ends_the_reading(void **state) {
    struct leat_error err;
    size_t at;
    (void)state;
    assert_int_equal(lt_rest_text_each(LT_LIT("ab{.c}{.d"), refuse, NULL, &at, &err), LEAT_E_LIMIT);
    assert_int_equal(at, 3);
    assert_string_equal(err.text, "enough");
}

static void a_text_longer_than_an_expression_may_be_is_read(void **state) {
    struct leat_error err;
    struct lt_buf text;
    size_t at;
    (void)state;
    lt_buf_init(&text, 1 << 20);
    lt_buf_append_str(&text, "{.a}");
    for (int i = 0; i < 100000; i++)
        lt_buf_append_byte(&text, 'x');
    assert_int_equal(lt_rest_text_each(lt_buf_slice(&text), NULL, NULL, &at, &err), LEAT_OK);
    lt_buf_append_byte(&text, '{');
    assert_int_equal(lt_rest_text_each(lt_buf_slice(&text), NULL, NULL, &at, &err), LEAT_E_CONFIG);
    assert_int_equal(at, 100004);
    lt_buf_deinit(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_and_expressions_come_apart),
        cmocka_unit_test(a_fault_is_told_at_its_byte),
        cmocka_unit_test(what_the_caller_returns_ends_the_reading),
        cmocka_unit_test(a_text_longer_than_an_expression_may_be_is_read),
    };
    return cmocka_run_group_tests_name("rest text_scan", tests, NULL, NULL);
}
