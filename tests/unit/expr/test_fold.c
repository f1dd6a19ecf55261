/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include <stdio.h>

#include "expr/fold.h"
#include "expr/query.h"

enum { N_DRAWN = 400 };

static const struct lt_expr_var vars[] = {
    {"resource", LT_LIT("\"a\\u0062\"")}, {"no", LT_LIT("false")}, {"n", LT_LIT("1")}};
static const struct lt_expr_source source = {.vars = vars, .n_vars = 3};

static void condition_of_variables_and_strings_is_settled(void **state) {
    static const struct {
        const char *text;
        bool holds;
    } rows[] = {
        {"$resource == \"ab\"", true},
        {"\"a\\u0062\"==$resource", true},
        {"$resource != \"ab\"", false},
        {"$resource == null", false},
        {"$resource", true},
        {"$no", false},
        {"null", false},
        {"true or false and false", true},
        {"(true or false) and false", false},
        {"\n$resource == \"x\" or\t$resource == \"ab\" ", true},
        {"$no == false", true},
    };
    bool holds;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!lt_expr_fold(lt_slice_str(rows[i].text), &source, &holds))
            fail_msg("%s is not settled", rows[i].text);
        if (holds != rows[i].holds)
            fail_msg("%s: %d", rows[i].text, holds);
    }
}

static void what_is_more_or_no_jq_is_left_to_jq(void **state) {
    static const char *const texts[] = {"",
                                        " ",
                                        ".",
                                        "$resource == .a",
                                        "$n == 1",
                                        "1",
                                        "$resource == \"\\(1)\"",
                                        "$resource | not",
                                        "$resource == \"a\" == true",
                                        "$unknown",
                                        "$resource == \"a",
                                        "$resource ==",
                                        "(true",
                                        "true)",
                                        "true and",
                                        "trueand false",
                                        "$resource.x",
                                        "true # why",
                                        "[]",
                                        "not"};
    bool holds;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (lt_expr_fold(lt_slice_str(texts[i]), &source, &holds))
            fail_msg("%s is taken", texts[i]);
}

static uint64_t seed = 1;

static unsigned draw(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static void draw_condition(struct lt_buf *out, unsigned depth) {
    static const char *const terms[] = {"$resource", "$no",  "\"ab\"", "\"a\\\"b\"",
                                        "\"\\n\"",   "true", "false",  "null"};
    static const char *const joints[] = {" and ", " or "};

    unsigned n = 1 + draw(3);
    for (unsigned i = 0; i < n; i++) {
        if (i)
            lt_buf_append_str(out, joints[draw(2)]);
        if (depth && draw(3) == 0) {
            lt_buf_append_byte(out, '(');
            draw_condition(out, depth - 1);
            lt_buf_append_byte(out, ')');
        } else {
            lt_buf_append_str(out, terms[draw(8)]);
        }
        if (draw(2)) {
            lt_buf_append_str(out, draw(2) ? " == " : "!=");
            lt_buf_append_str(out, terms[draw(8)]);
        }
    }
}

/* All of them in one array, since compiling costs the same for one and for many. */
static void what_is_settled_is_what_jq_says(void **state) {
    bool said[N_DRAWN];
    struct lt_buf all, one;
    struct lt_expr_query *query;
    struct lt_arena arena;
    struct leat_error err;
    struct lt_json null, *outputs, value;
    size_t n_outputs, n = 0, n_true = 0;

    (void)state;
    lt_arena_init(&arena, 8 << 20);
    lt_buf_init(&all, 60000);
    lt_buf_init(&one, 4096);
    lt_buf_append_byte(&all, '[');
    for (; n < N_DRAWN && all.len < 50000; n++) {
        lt_buf_clear(&one);
        draw_condition(&one, 3);
        if (one.len > 4000 || !lt_expr_fold(lt_buf_slice(&one), &source, &said[n]))
            fail_msg("%.*s is not settled", LT_FMT(lt_buf_slice(&one)));
        lt_buf_printf(&all, "%sif (%.*s) then true else false end", n ? "," : "",
                      LT_FMT(lt_buf_slice(&one)));
        n_true += said[n];
    }
    lt_buf_append_byte(&all, ']');
    struct lt_expr_text text = {.text = lt_buf_slice(&all)};
    if (lt_expr_query_new(&query, &text, vars, 3, &err) != LEAT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(lt_json_parse(&null, LT_LIT("null"), 0, &err), LEAT_OK);
    assert_int_equal(lt_expr_query_run(query, null, &arena, &outputs, &n_outputs, &err), LEAT_OK);
    assert_int_equal(n_outputs, 1);
    struct lt_json_iter iter = lt_json_iter(outputs[0]);
    for (size_t i = 0; i < n; i++) {
        assert_true(lt_json_next(&iter, &value));
        if ((value.type == LT_JSON_TRUE) != said[i])
            fail_msg("condition %zu: %d", i, said[i]);
    }
    assert_true(n > 200 && n_true > n / 5 && n_true < n * 4 / 5);
    lt_expr_query_free(query);
    lt_buf_deinit(&all);
    lt_buf_deinit(&one);
    lt_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(condition_of_variables_and_strings_is_settled),
        cmocka_unit_test(what_is_more_or_no_jq_is_left_to_jq),
        cmocka_unit_test(what_is_settled_is_what_jq_says),
    };
    return cmocka_run_group_tests_name("expr fold", tests, NULL, NULL);
}
