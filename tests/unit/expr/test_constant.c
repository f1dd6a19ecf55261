/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include <stdio.h>

/* ---- what has to be computed with each record ---- */

static void check_computes(bool expected, const struct kit *kit) {
    struct lt_expr *expr = kit_compile(kit);

    assert_int_equal(lt_expr_computes(expr), expected);
    lt_expr_free(expr);
}

#define VARS .vars = {"resource", "\"a\""}

static void record_that_nothing_looks_at_is_only_validated(void **state) {
    (void)state;
    check_computes(false, &(struct kit){.routes = {"x", "$resource == \"b\"", "y",
                                                   "$resource == \"a\"", "z", ".never"},
                                        VARS});
    check_computes(false, &(struct kit){.routes = {"x", "$resource == \"b\"", "y", NULL}, VARS});
    check_computes(false, &(struct kit){.sets = {"s", "$resource"}, .key = "\"k\"", VARS});
    check_computes(false, &(struct kit){.defs = {"f", ".a"}, .routes = {"y", NULL}});
    check_computes(false, &(struct kit){.routes = {"x", "$resource | .[0]", "y", ".a"}, VARS});
    check_computes(true, &(struct kit){.routes = {"x", "false", "y", ".a"}});
    check_computes(true, &(struct kit){.sets = {"s", "1", "t", ".a"}});
    check_computes(true, &(struct kit){.sets = {"s", "1"}, .key = ".a"});
}

static void record_of_a_constant_program_is_validated_all_the_same(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.routes = {"x", "$resource == \"a\"", "y", NULL}, VARS});

    (void)state;
    kit_expect_data(expr, " {\"a\" : 1.0, \"a\":2}\n", " {\"a\" : 1.0, \"a\":2}\n");
    kit_expect_failure(expr, "{\"a\":}", LT_EXPR_NOT_JSON, "",
                       "not JSON: byte 5: expected a value, found '}'");
    kit_expect_failure(expr, "[1]", LT_EXPR_NOT_OBJECT, "", "not a JSON object but an array");
    lt_expr_free(expr);
}

static void fields_of_constants_are_seen_by_key_and_routes(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"source", "$resource", "a", "[1,{}][0]"},
                                  .routes = {"x", ".a == 2", "y", ".source == \"a\" and .a == 1"},
                                  .key = ".source + .id",
                                  VARS});
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result r = kit_run(expr, "{\"id\":\"7\",\"a\":2}", &arena);
    assert_int_equal(r.outcome, LT_EXPR_OK);
    assert_true(lt_slice_eq_str(r.data, "{\"id\":\"7\",\"a\":1,\"source\":\"a\"}"));
    assert_true(lt_slice_eq_str(r.key, "a7"));
    assert_int_equal(r.route, 1);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

/* ---- the same outcomes as without all this ---- */

static uint64_t seed;

static unsigned draw(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

#define PICK(list) list[draw(sizeof(list) / sizeof(list[0]))]

static const char *const constants[] = {
    "$resource == \"a\"",        "$resource == \"b\"", "\"text\"", "1, 2",
    "$resource | .[0]",          "$resource | .[]",    "null",     "false",
    "$resource | startswith(1)", "[] | .[]",           "[$more]",  "$resource | test(\"a\")",
    "$resource | tonumber",      "$more.x | length",
};
static const char *const others[] = {".a", ".a == 1", ".b", ".c.d", ".a, .b | select(. != null)"};

/* A constant, or what computes the same with each record. */
static const char *draw_text(bool live, char out[200]) {
    if (draw(3) == 0)
        return PICK(others);
    const char *text = PICK(constants);
    snprintf(out, 200, live ? "if true then (%s) else . end" : "%s", text);
    return out;
}

static struct kit draw_kit(bool live, char texts[10][200]) {
    struct kit kit = {.vars = {"resource", "\"a\"", "more", "{\"x\":[1]}"}};
    static const char *const names[] = {"s", "a", "t"};

    for (unsigned i = 0, n = draw(4); i < n; i++) {
        kit.sets[2 * i] = names[i];
        kit.sets[2 * i + 1] = draw_text(live, texts[i]);
    }
    for (unsigned i = 0, n = draw(5); i < n; i++) {
        kit.routes[2 * i] = "r";
        kit.routes[2 * i + 1] = draw(6) ? draw_text(live, texts[4 + i]) : NULL;
    }
    if (draw(2))
        kit.key = draw_text(live, texts[9]);
    return kit;
}

static void expect_same(struct lt_expr *a, struct lt_expr *b, const char *record,
                        unsigned outcomes[LT_EXPR_NO_ROUTE + 1]) {
    struct lt_arena arena;

    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result x = kit_run(a, record, &arena);
    struct lt_expr_result y = kit_run(b, record, &arena);
    if (x.outcome != y.outcome || !lt_slice_eq(x.reason, y.reason))
        fail_msg("seed %llu, %s: %d %.*s, else %d %.*s", (unsigned long long)seed, record,
                 (int)x.outcome, LT_FMT(x.reason), (int)y.outcome, LT_FMT(y.reason));
    assert_int_equal(x.route, y.route);
    assert_true(lt_slice_eq(x.data, y.data));
    assert_true(lt_slice_eq(x.key, y.key));
    assert_int_equal(!x.key.data, !y.key.data);
    assert_true(lt_slice_eq(x.expression, y.expression));
    outcomes[x.outcome]++;
    lt_arena_deinit(&arena);
}

static void constants_change_no_outcome(void **state) {
    static const char *const records[] = {
        "{}", "{\"a\":1}", " {\"a\":null,\"b\":\"x\"} ", "{\"c\":5,\"s\":{}}", "[]", "{"};
    unsigned outcomes[LT_EXPR_NO_ROUTE + 1] = {0};
    char texts[2][10][200];

    (void)state;
    for (uint64_t n = 0; n < 80; n++) {
        seed = n;
        struct kit constant = draw_kit(false, texts[0]);
        seed = n;
        struct kit live = draw_kit(true, texts[1]);
        struct lt_expr *a = kit_compile(&constant);
        struct lt_expr *b = kit_compile(&live);
        for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
            expect_same(a, b, records[i], outcomes);
        lt_expr_free(a);
        lt_expr_free(b);
    }
    for (size_t i = 0; i <= LT_EXPR_NO_ROUTE; i++)
        assert_true(outcomes[i] > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_that_nothing_looks_at_is_only_validated),
        cmocka_unit_test(record_of_a_constant_program_is_validated_all_the_same),
        cmocka_unit_test(fields_of_constants_are_seen_by_key_and_routes),
        cmocka_unit_test(constants_change_no_outcome),
    };
    return cmocka_run_group_tests_name("expr constant", tests, NULL, NULL);
}
