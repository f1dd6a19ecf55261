/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same outcomes whichever way an expression is run: evaluated here, or left to libjq, alone or
 * beside each other in one pipeline. `_plus` is jq's own name of `+`, known to libjq alone.
 */
#include "kit.h"

#include "expr/expr_parts.h"

#include <stdio.h>

/* What is made of an expression to leave it to libjq. */
static const char *left_to_libjq(const char *text, char out[400]) {
    snprintf(out, 400, "if false then _plus(1; 1) else (%s) end", text);
    return out;
}

static void explain_tells_tier_and_reason_of_each_expression(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"a", "1 + 1", "b", "_plus(.x; 1)", "c", "[.x[]? | [.]]"},
                                  .routes = {"r", ".y > 1", "s", NULL},
                                  .key = ".k"});
    static const struct {
        const char *label;
        enum lt_expr_tier tier;
    } expected[] = {{"set.a", LT_EXPR_CONSTANT},
                    {"set.b", LT_EXPR_LIBJQ},
                    {"set.c", LT_EXPR_COMPILED},
                    {"key", LT_EXPR_COMPILED},
                    {"route[0].when", LT_EXPR_COMPILED}};
    struct lt_expr_plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(lt_expr_explain(expr, i, &plan));
        assert_true(lt_slice_eq_str(plan.label, expected[i].label));
        assert_string_equal(lt_expr_tier_name(plan.tier), lt_expr_tier_name(expected[i].tier));
        if (plan.tier == LT_EXPR_LIBJQ)
            assert_non_null(strstr(plan.why, "_plus"));
    }
    assert_false(lt_expr_explain(expr, sizeof(expected) / sizeof(expected[0]), &plan));
    lt_expr_free(expr);
}

/* What leat promises to compile; `env` is refused in a pipeline (see tests/client/test_eval.py). */
static const char *const promised[] = {
    ".a",
    ".a.b[0]",
    ".a?",
    ".a[1:2]",
    ".[]",
    ".a | .b",
    ".a, .b",
    "1, \"x\", null",
    ".a + 1 - 2 * 3 / 4 % 5",
    ".a < 1, .a == .b",
    ".a and .b or (.c | not)",
    ".a // 1",
    "if .a then 1 elif .b then 2 else 3 end",
    ".a as $x | $x",
    ". as {a: [$x], $b} | [$x, $b]",
    ". as [$x] ?// {$x} | $x",
    "reduce .a[] as $x (0; . + $x)",
    "foreach .a[] as $x (0; . + $x; [.])",
    "def f(g; $x): g + $x; f(.a; 1)",
    "def f: if . > 9 then . else . + 1 | f end; .a | f",
    "try error(.a) catch .",
    "label $out | .a[] | ., break $out",
    "{a: 1, (.b): .c, \"x\": [.d]}",
    "\"a\\(.a)b\"",
    "@text, @json, @html, @uri, @sh, @base64",
    ".a | @csv, @tsv",
    ".a | @base64d",
    "@json \"x\\(.a)\"",
    ".a = 1 | .b |= 2 | .c += 3 | .d //= 4 | del(.e)",
    "select(.a)",
    ".a | map(.)",
    "map_values(.)",
    ".a | add",
    ".a | any, all, any(. > 1), all(. > 1), any(.[]; .), all(.[]; .)",
    ".a | length",
    "keys, keys_unsorted",
    "has(\"a\")",
    ".a | in({\"x\": 1})",
    "contains({a: 1})",
    "inside({a: 1})",
    ".a | index(\",\"), rindex(\",\"), indices(1)",
    ".a | unique, unique_by(.b)",
    ".a | sort, sort_by(.b), sort_by(.b, .c)",
    ".a | group_by(.b)",
    ".a | min, max, min_by(.b), max_by(.b)",
    ".a | flatten, flatten(1)",
    "range(3), range(1; 3), range(0; 9; 3)",
    ".a | first, last, nth(1), first(.[]), last(.[]), nth(1; .[]), limit(2; .[])",
    "to_entries, with_entries(.)",
    ".a | from_entries",
    "type, numbers, strings, booleans, nulls, arrays, objects, iterables, scalars, values",
    ".a | tostring, tonumber, tojson, fromjson",
    ".a | ascii_downcase, ascii_upcase",
    ".a | ltrimstr(\"x\"), rtrimstr(\"x\"), startswith(\"x\"), endswith(\"x\")",
    ".a | split(\",\"), split(\", *\"; null), join(\",\")",
    ".a | explode, implode",
    ".a | test(\"x\"), test(\"x\"; \"i\"), match(\"x\"; \"g\"), capture(\"(?<n>x)\")",
    ".a | sub(\"x\"; \"y\"), sub(\"x\"; \"y\"; \"g\"), gsub(\"x\"; \"y\")",
    ".a | floor, ceil, round, sqrt, log, pow(.; 2)",
    "now, (.a | todate, fromdate, gmtime, mktime, strftime(\"%Y\"), strptime(\"%Y\"))",
    "paths, paths(. == 1), getpath([\"a\", 0])",
};

static void what_is_promised_to_be_compiled_is(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(promised) / sizeof(promised[0]); i++) {
        struct lt_expr *expr =
            kit_compile(&(struct kit){.sets = {"a", promised[i]}, .routes = {"r", NULL}});
        struct lt_expr_plan plan;
        assert_true(lt_expr_explain(expr, 0, &plan));
        if (plan.tier == LT_EXPR_LIBJQ)
            fail_msg("%s: %s", promised[i], plan.why);
        lt_expr_free(expr);
    }
}

static void what_is_compiled_starts_no_process(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"a", ".n + 1", "b", "[.v[]? | [.]]"},
                                                     .routes = {"r", ".a > 1", "s", NULL}});

    (void)state;
    kit_expect_data(expr, "{\"n\":1,\"v\":[1,\"x\"]}",
                    "{\"n\":1,\"v\":[1,\"x\"],\"a\":2,\"b\":[[1],[\"x\"]]}");
    assert_int_equal(lt_remote_pid(expr->remote), 0);
    lt_expr_free(expr);
}

static void expect_same(struct lt_expr *a, struct lt_expr *b, const char *record,
                        const char *const *texts, size_t n_texts) {
    struct lt_arena arena;

    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result x = kit_run(a, record, &arena);
    struct lt_expr_result y = kit_run(b, record, &arena);
    bool same = x.outcome == y.outcome && x.route == y.route && lt_slice_eq(x.data, y.data) &&
                lt_slice_eq(x.key, y.key) && !x.key.data == !y.key.data &&
                lt_slice_eq(x.expression, y.expression) && lt_slice_eq(x.reason, y.reason);
    if (!same) {
        for (size_t i = 0; i < n_texts; i++)
            print_error("%s\n", texts[i]);
        fail_msg("%s: %d %zu '%.*s' '%.*s' %.*s %.*s, else %d %zu '%.*s' '%.*s' %.*s %.*s", record,
                 (int)x.outcome, x.route, LT_FMT(x.data), LT_FMT(x.key), LT_FMT(x.expression),
                 LT_FMT(x.reason), (int)y.outcome, y.route, LT_FMT(y.data), LT_FMT(y.key),
                 LT_FMT(y.expression), LT_FMT(y.reason));
    }
    lt_arena_deinit(&arena);
}

static uint64_t seed;

static unsigned draw(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static const char *draw_text(void) {
    static const char *const texts[] = {
        ".a",
        ".b",
        ".a + 1",
        ".s",
        ".v[]?",
        ".v | length",
        ".",
        "keys",
        "{x: .a, y: .b}",
        ".c.d",
        "[.v[]?] | add",
        ".v | map(. * 2)",
        "empty",
        "error(\"as told\")",
        "error({a: .a})",
        "error(null)",
        ".a, .b",
        "if .a then 1 else null end",
        "$g",
        "$o.k[0]",
        "$o.k + [.a]",
        "\"\\(.a)-\\(.b)\"",
        ".s == \"x\"",
        ".a > 1",
        "has(\"s\")",
        "to_entries | length",
        ".a |= . + 1 | .a",
        "[.. | numbers] | add",
        "try error(.a) catch .",
        "first(.v[]?)",
        "false",
        "nan",
        "reduce .v[]? as $x (0; . + ($x | tonumber))",
        "twice(.a)",
        "def f: if . > 3 then . else . + 1 | f end; 0 | f",
    };
    return texts[draw(sizeof(texts) / sizeof(texts[0]))];
}

enum { MAX_TEXTS = 8 };

struct drawn {
    const char *texts[MAX_TEXTS];
    char left[MAX_TEXTS][400];
    size_t n;
};

/* Two kits of the same texts; in the second some are left to libjq. */
static void draw_kits(struct drawn *d, struct kit *here, struct kit *left) {
    static const char *const fields[] = {"a", "s", "t"};
    unsigned n_sets = draw(4), n_routes = draw(4);

    *here =
        (struct kit){.defs = {"twice(f)", "f * 2"}, .vars = {"g", "\"x\"", "o", "{\"k\":[1,2]}"}};
    *left = *here;
    d->n = 0;
    for (unsigned i = 0; i < n_sets + n_routes + 1; i++, d->n++) {
        d->texts[d->n] = draw_text();
        const char *other = draw(2) ? left_to_libjq(d->texts[d->n], d->left[d->n]) : d->texts[d->n];
        if (i < n_sets) {
            here->sets[2 * i] = left->sets[2 * i] = fields[i];
            here->sets[2 * i + 1] = d->texts[d->n];
            left->sets[2 * i + 1] = other;
        } else if (i < n_sets + n_routes) {
            unsigned k = i - n_sets;
            here->routes[2 * k] = left->routes[2 * k] = "r";
            here->routes[2 * k + 1] = d->texts[d->n];
            left->routes[2 * k + 1] = other;
        } else if (draw(2)) {
            here->key = d->texts[d->n];
            left->key = other;
        }
    }
}

static void pipelines_with_texts_left_to_libjq_give_the_same(void **state) {
    static const char *const records[] = {
        "{}",
        "{\"a\":1,\"b\":2,\"v\":[1,2]}",
        " {\"v\":[\"3\",4],\"a\":null,\"s\":\"x\"} ",
        "{\"a\":\"text\",\"c\":{\"d\":[{}]},\"v\":{\"k\":5}}",
        "{\"a\":{},\"s\":7,\"b\":[],\"v\":[[]]}",
        "{\"a\":5,\"v\":[7]}",
        "[1]",
    };
    struct drawn d;

    (void)state;
    for (unsigned n = 0; n < 120; n++) {
        struct kit here, left;
        seed = n;
        draw_kits(&d, &here, &left);
        struct lt_expr *a = kit_compile(&here);
        struct lt_expr *b = kit_compile(&left);
        for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
            expect_same(a, b, records[i], d.texts, d.n);
        lt_expr_free(a);
        lt_expr_free(b);
    }
}

static void many_records_with_a_text_left_to_libjq_keep_their_order(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){
        .sets = {"x", "_plus(.n; 1)", "y", "if .n % 7 == 3 then error(\"seven\") else .n end"},
        .routes = {"odd", ".x % 2 == 1", "even", NULL}});
    enum { N = 1000 };
    static struct lt_expr_result results[N];
    static struct lt_slice records[N];
    static char texts[N][24];
    struct lt_arena arena;
    struct leat_error err;

    (void)state;
    lt_arena_init(&arena, 16 << 20);
    for (int i = 0; i < N; i++) {
        snprintf(texts[i], sizeof(texts[i]), i % 10 == 9 ? "{\"n\":%d" : "{\"n\":%d}", i);
        records[i] = lt_slice_str(texts[i]);
    }
    assert_int_equal(lt_expr_run(expr, records, N, results, &arena, &err), LEAT_OK);
    for (int i = 0; i < N; i++) {
        char expected[80];
        snprintf(expected, sizeof(expected), "{\"n\":%d,\"x\":%d,\"y\":%d}", i, i + 1, i);
        if (i % 10 == 9) {
            assert_int_equal(results[i].outcome, LT_EXPR_NOT_JSON);
        } else if (i % 7 == 3) {
            assert_int_equal(results[i].outcome, LT_EXPR_FAILED);
            assert_true(lt_slice_eq_str(results[i].expression, "set.y"));
            assert_true(lt_slice_eq_str(results[i].reason, "seven"));
        } else {
            assert_int_equal(results[i].outcome, LT_EXPR_OK);
            assert_true(lt_slice_eq_str(results[i].data, expected));
            assert_int_equal(results[i].route, i % 2);
        }
    }
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

static void steps_are_a_limit_that_no_machine_changes(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"x", "reduce range(.n) as $i (0; . + 1)"}});

    (void)state;
    lt_expr_set_limits(expr, &(struct lt_expr_limits){.max_steps = 10000});
    kit_expect_data(expr, "{\"n\":100}", "{\"n\":100,\"x\":100}");
    kit_expect_failure(expr, "{\"n\":1e5}", LT_EXPR_FAILED, "set.x", "took more than 10000 steps");
    kit_expect_data(expr, "{\"n\":200}", "{\"n\":200,\"x\":200}");
    lt_expr_free(expr);
}

static void steps_of_all_expressions_of_a_record_are_counted_together(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"x", "reduce range(.n) as $i (0; . + 1)", "y",
                                           "reduce range(.n) as $i (0; . + 1)"},
                                  .routes = {"r", "reduce range(.n) as $i (0; . + 1)"}});

    struct lt_arena arena;

    (void)state;
    lt_expr_set_limits(expr, &(struct lt_expr_limits){.max_steps = 10000});
    kit_expect_data(expr, "{\"n\":500}", "{\"n\":500,\"x\":500,\"y\":500}");
    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result r = kit_run(expr, "{\"n\":4500}", &arena);
    assert_int_equal(r.outcome, LT_EXPR_FAILED);
    assert_false(lt_slice_eq_str(r.expression, "set.x"));
    assert_true(lt_slice_eq_str(r.reason, "took more than 10000 steps"));
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

/* ---- whether key and conditions look at what is set ---- */

static void check_apart(bool expected, const char *route) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"x", ".n", "y z", "1"}, .routes = {"r", route}});

    if (expr->second_is_apart != expected)
        fail_msg("%s", route);
    lt_expr_free(expr);
}

static void condition_on_other_fields_sees_the_record_as_it_came(void **state) {
    static const char *const apart[] = {
        ".country == \"USA\"",
        ".a.x > 1 and (.b | .[0]) == 2",
        "[.items[] | .x] | .[0]",
        "{a: .a, \"b\": .b} == {}",
        "if .a then .b else .c end",
        "\"\\(.a)\" == \"x\"",
        "(.a // .b)[0]",
    };
    static const char *const together[] = {
        ".x",
        ".a + .x",
        ".",
        ".[\"x\"]",
        ".[.a]",
        "has(\"a\")",
        "keys | length",
        ". as {$x} | $x",
        ".\"y z\" == 1",
        "to_entries",
        "..",
        ".[]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
        check_apart(true, apart[i]);
    for (size_t i = 0; i < sizeof(together) / sizeof(together[0]); i++)
        check_apart(false, together[i]);
}

static void literals_and_variables_stay_what_they_are_from_record_to_record(void **state) {
    struct lt_expr *expr = kit_compile(
        &(struct kit){.sets = {"a", "[1,2] + [.n]", "b", "$v + [.n]", "c", "[$v[] | . + 1]", "d",
                               "{x:1} + {y: .n}", "e", "\"s\" + .s", "f", "$v[0], empty"},
                      .vars = {"v", "[5, 6]"}});

    (void)state;
    for (int i = 0; i < 50; i++) {
        char record[64], expected[256];
        snprintf(record, sizeof(record), "{\"n\":%d,\"s\":\"%d\"}", i, i);
        snprintf(expected, sizeof(expected),
                 "{\"n\":%d,\"s\":\"%d\",\"a\":[1,2,%d],\"b\":[5,6,%d],\"c\":[6,7],"
                 "\"d\":{\"x\":1,\"y\":%d},\"e\":\"s%d\",\"f\":5}",
                 i, i, i, i, i, i);
        kit_expect_data(expr, record, expected);
    }
    lt_expr_free(expr);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explain_tells_tier_and_reason_of_each_expression),
        cmocka_unit_test(what_is_promised_to_be_compiled_is),
        cmocka_unit_test(what_is_compiled_starts_no_process),
        cmocka_unit_test(pipelines_with_texts_left_to_libjq_give_the_same),
        cmocka_unit_test(many_records_with_a_text_left_to_libjq_keep_their_order),
        cmocka_unit_test(steps_are_a_limit_that_no_machine_changes),
        cmocka_unit_test(steps_of_all_expressions_of_a_record_are_counted_together),
        cmocka_unit_test(condition_on_other_fields_sees_the_record_as_it_came),
        cmocka_unit_test(literals_and_variables_stay_what_they_are_from_record_to_record),
    };
    return cmocka_run_group_tests_name("expr tiers", tests, NULL, NULL);
}
