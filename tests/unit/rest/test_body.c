/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/body.h"

static struct lt_arena arena;

static int set_up(void **state) {
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    lt_arena_deinit(&arena);
    return 0;
}

static void a_member_is_set_and_all_else_stays_as_it_was_written(void **state) {
    static const struct {
        const char *body, *path, *json, *expected;
    } cases[] = {
        {"{ \"q\": 1.50 }", "page", "2", "{ \"q\": 1.50,\"page\":2 }"},
        {"{\"page\": 1, \"q\": [1]}", "page", "2", "{\"page\": 2, \"q\": [1]}"},
        {"", "page", "2", "{\"page\":2}"},
        {"{}", "a.b.c", "\"x\"", "{\"a\":{\"b\":{\"c\":\"x\"}}}"},
        {"{\"a\":{\"z\": 1e2},\"y\":0}", "a.b", "null", "{\"a\":{\"z\": 1e2,\"b\":null},\"y\":0}"},
        {"{\"a\":null}", "a.b", "1", "{\"a\":{\"b\":1}}"},
        {"{}", "1.2.3.4.5.6.7.8.9", "0",
         "{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":{\"7\":{\"8.9\":0}}}}}}}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lt_slice body = lt_slice_str(cases[i].body);
        struct lt_json value;
        struct leat_error err;
        assert_int_equal(
            lt_rest_body_set(&body, cases[i].path, lt_slice_str(cases[i].json), &arena, &err),
            LEAT_OK);
        assert_int_equal(body.len, strlen(cases[i].expected));
        assert_memory_equal(body.data, cases[i].expected, body.len);
        assert_true(lt_rest_body_get(body, cases[i].path, &value));
        assert_true(lt_slice_eq_str(value.raw, cases[i].json));
    }
}

static void what_is_no_object_takes_no_member(void **state) {
    static const struct {
        const char *body, *path, *expected;
    } cases[] = {
        {"[1]", "page", "the whole of the body is no object to set page in"},
        {"{\"a\":{\"b\":7}}", "a.b.c", "b of the body is no object to set c in"},
        {"{\"a\":", "a", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lt_slice body = lt_slice_str(cases[i].body);
        struct leat_error err;
        assert_int_equal(lt_rest_body_set(&body, cases[i].path, LT_LIT("1"), &arena, &err),
                         LEAT_E_CONFIG);
        assert_non_null(strstr(err.text, cases[i].expected));
        assert_true(lt_slice_eq_str(body, cases[i].body));
    }
}

static void what_is_not_there_is_not_found(void **state) {
    struct lt_json value;
    (void)state;
    assert_false(lt_rest_body_get(LT_LIT(""), "a", &value));
    assert_false(lt_rest_body_get(LT_LIT("[]"), "a", &value));
    assert_false(lt_rest_body_get(LT_LIT("{\"a\":1}"), "a.b", &value));
    assert_false(lt_rest_body_get(LT_LIT("{\"a.b\":1}"), "a.b", &value));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_member_is_set_and_all_else_stays_as_it_was_written),
        TEST(what_is_no_object_takes_no_member),
        TEST(what_is_not_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
