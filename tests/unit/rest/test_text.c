/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/text.h"

static const char parent[] =
    "{\"id\":\"4aa/b c\",\"n\":12345678901234567890,\"x\":1.50,\"yes\":true,\"none\":null,"
    "\"list\":[1, 2],\"href\":\"https://other/x y?a=1\",\"quote\":\"a\\\"b\\u00e9\\n\",\"empty\":"
    "\"\",\"dots\":\"..\",\"names\":[\"a\",\"b\"]}";

static struct lt_arena arena;

static int set_up(void **state) {
    (void)state;
    lt_arena_init(&arena, 8 << 20);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    lt_arena_deinit(&arena);
    return 0;
}

static leat_status compile(struct lt_rest_template **out, const char *text,
                           enum lt_rest_text_kind kind, struct leat_error *err) {
    struct lt_rest_text source = {.source = {.text = lt_slice_str(text), .line = 7, .column = 10}};
    return lt_rest_template_new(out, &source, kind, "tracks", "path", NULL, 0, err);
}

/* Fills the text from the parent; the result, or NULL with `err`. */
static const char *fill(const char *text, enum lt_rest_text_kind kind, struct leat_error *err) {
    struct lt_rest_template *template;
    struct lt_json doc, values[8];
    struct lt_buf out;
    const char *result = NULL;

    memset(err, 0, sizeof(*err));
    assert_int_equal(compile(&template, text, kind, err), LEAT_OK);
    assert_int_equal(lt_json_parse(&doc, lt_slice_str(parent), 64, err), LEAT_OK);
    assert_true(lt_rest_template_n_values(template) <= 8);
    lt_buf_init(&out, 1 << 16);
    if (lt_rest_template_ask(template, doc, values, &arena, err) == LEAT_OK &&
        lt_rest_template_render(template, values, &out, err) == LEAT_OK)
        result = lt_arena_str(&arena, lt_buf_slice(&out));
    lt_buf_deinit(&out);
    lt_rest_template_free(template);
    return result;
}

static void values_are_written_as_their_place_asks(void **state) {
    static const struct {
        enum lt_rest_text_kind kind;
        const char *text, *filled;
    } rows[] = {
        {LT_REST_PATH, "/albums", "/albums"},
        {LT_REST_PATH, "/albums/{.id}/tracks", "/albums/4aa%2Fb%20c/tracks"},
        {LT_REST_PATH, "/{.n}/{.x}/{.yes}", "/12345678901234567890/1.50/true"},
        {LT_REST_PATH, "/{{x}}/{.id | length}", "/{x}/7"},
        {LT_REST_PATH, "{.href}", "https://other/x%20y?a=1"},
        {LT_REST_PATH, "{.href}/more", "https://other/x%20y?a=1/more"},
        {LT_REST_PATH, "/at/{.href}", "/at/https%3A%2F%2Fother%2Fx%20y%3Fa%3D1"},
        {LT_REST_PARAM, "{.id}", "4aa/b c"},
        {LT_REST_PARAM, "id:{.id},{.list}", "id:4aa/b c,[1, 2]"},
        {LT_REST_PARAM, "{.names | join(\",\")}", "a,b"},
        {LT_REST_PARAM, "plain", "plain"},
        {LT_REST_PARAM, "", ""},
        {LT_REST_PARAM, "{.empty}", ""},
        {LT_REST_HEADER, "W/{.id}", "W/4aa/b c"},
        {LT_REST_BODY, "{\"a\": \"{.id}\", \"b\":[\"x{.n}y\", 5 ,\"{{}}\"], \"{.c}\":\"\"}",
         "{\"a\": \"4aa/b c\", \"b\":[\"x12345678901234567890y\", 5 ,\"{}\"], \"{.c}\":\"\"}"},
        {LT_REST_BODY, "{\"n\":\"{.n}\",\"l\":\"{.list}\",\"t\":\"{.yes}\"}",
         "{\"n\":12345678901234567890,\"l\":[1, 2],\"t\":true}"},
        {LT_REST_BODY, "\"<{.quote}>\"", "\"<a\\\"b\xc3\xa9\\n>\""},
        {LT_REST_BODY, "{\"q\":\"say \\\"{.x}\\\"\"}", "{\"q\":\"say \\\"1.50\\\"\"}"},
        {LT_REST_BODY, " [1, {\"a\":{\"b\":null}} ] ", " [1, {\"a\":{\"b\":null}} ] "},
    };
    struct leat_error err;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *filled = fill(rows[i].text, rows[i].kind, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(filled, rows[i].filled);
    }
}

static void a_value_that_cannot_stand_there_names_expression_and_resource(void **state) {
    static const struct {
        enum lt_rest_text_kind kind;
        const char *text, *says;
    } rows[] = {
        {LT_REST_PATH, "/{.missing}", "{.missing} in the path of resource tracks gives null"},
        {LT_REST_PARAM, "{.none}", "{.none} in the path of resource tracks gives null"},
        {LT_REST_BODY, "[\"{.none}\"]", "{.none} in the path of resource tracks gives null"},
        {LT_REST_PATH, "/{.list}", "an array or object"},
        {LT_REST_PATH, "/{.empty}/x", "an empty text"},
        {LT_REST_PATH, "/{.dots}/x", "dots alone"},
        {LT_REST_HEADER, "{.quote}", "a line end"},
        {LT_REST_PATH, "/{.names[]}", "{.names[]} in the path of resource tracks gives several"},
        {LT_REST_PATH, "/{empty}", "{empty} in the path of resource tracks gives no value"},
        {LT_REST_PATH, "/{.id.x}", "{.id.x} in the path of resource tracks: "},
        {LT_REST_PATH, "/{error(\"no\")}", "in the path of resource tracks: "},
    };
    struct leat_error err;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_null(fill(rows[i].text, rows[i].kind, &err));
        assert_int_equal(err.status, LEAT_E_INVALID);
        assert_non_null(strstr(err.text, rows[i].says));
    }
}

static void a_text_that_does_not_compile_says_where(void **state) {
    struct lt_rest_template *template;
    struct leat_error err;
    (void)state;
    assert_int_equal(compile(&template, "/a/{.id", LT_REST_PATH, &err), LEAT_E_CONFIG);
    assert_null(template);
    assert_int_equal(err.line, 7);
    assert_int_equal(err.column, 13);
    assert_int_equal(compile(&template, "/a/{.id |}", LT_REST_PATH, &err), LEAT_E_CONFIG);
    assert_int_equal(err.line, 7);
    assert_int_equal(compile(&template, "/a}", LT_REST_PATH, &err), LEAT_E_CONFIG);
    assert_int_equal(err.column, 12);
    assert_int_equal(compile(&template, "{not json", LT_REST_BODY, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "of resource tracks is no JSON"));
}

static void variables_are_bound_and_texts_are_described_as_written(void **state) {
    const struct lt_expr_var vars[] = {{"resource", LT_LIT("\"tracks\"")}};
    struct lt_rest_text text = {.source = {.text = LT_LIT("/{$resource}/{{{.id}")}};
    struct lt_rest_template *template;
    struct lt_json null, values[2];
    struct leat_error err;
    struct lt_buf out;
    (void)state;
    assert_int_equal(
        lt_rest_template_new(&template, &text, LT_REST_PATH, "r", "path", vars, 1, &err), LEAT_OK);
    assert_int_equal(lt_rest_template_n_values(template), 2);
    assert_int_equal(lt_json_parse(&null, LT_LIT("{\"id\":1}"), 4, &err), LEAT_OK);
    assert_int_equal(lt_rest_template_ask(template, null, values, &arena, &err), LEAT_OK);
    lt_buf_init(&out, 1000);
    assert_int_equal(lt_rest_template_render(template, values, &out, &err), LEAT_OK);
    assert_string_equal(lt_buf_cstr(&out), "/tracks/{1");
    lt_buf_clear(&out);
    lt_rest_template_describe(template, &out);
    assert_string_equal(lt_buf_cstr(&out), "/{$resource}/{{.id}");
    lt_buf_deinit(&out);
    lt_rest_template_free(template);
    lt_rest_template_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(values_are_written_as_their_place_asks),
        TEST(a_value_that_cannot_stand_there_names_expression_and_resource),
        TEST(a_text_that_does_not_compile_says_where),
        TEST(variables_are_bound_and_texts_are_described_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
