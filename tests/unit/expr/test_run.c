/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include <malloc.h>
#include <stdio.h>

#include "json/json.h"

static const struct kit recommender = {
    .defs = {"items", ".browsing_history // .browse_history // error(\"no browsing history\")",
             "quantity", "if type == \"number\" then . elif . == null then 0 else tonumber end"},
    .sets = {"overall_product_quantity", "[items[].quantity | quantity] | add // 0",
             "overall_in_shopping_cart",
             "[items[] | select(.in_shopping_cart == true or .in_shopping_cart == \"true\") | "
             ".quantity | quantity] | add // 0",
             "total_different_products", "[items[].product_code] | unique | length"},
    .routes = {"us-sessions", ".country == \"USA\"", "intl-sessions", NULL},
    .key = ".session_id",
};

static void check_recommender(const char *record, size_t route, const char *added) {
    struct lt_expr *expr = kit_compile(&recommender);
    struct lt_arena arena;
    char expected[2048];

    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result r = kit_run(expr, record, &arena);
    if (r.outcome != LT_EXPR_OK)
        fail_msg("%s: %.*s: %.*s", record, LT_FMT(r.expression), LT_FMT(r.reason));
    snprintf(expected, sizeof(expected), "%.*s,%s}", (int)strlen(record) - 1, record, added);
    assert_string_equal(lt_arena_str(&arena, r.data), expected);
    assert_int_equal(r.route, route);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

static void recommender_adds_the_sums_and_routes_by_country(void **state) {
    (void)state;
    check_recommender(
        "{\"session_id\": \"a1\", \"customer_number\": 100, \"city\": \"Washington\", \"country\": "
        "\"USA\", \"credit_limit\": 1000, \"browsing_history\": [{\"product_code\": \"S10_1678\", "
        "\"quantity\": 2, \"in_shopping_cart\": true}, {\"product_code\": \"S18_2319\", "
        "\"quantity\": 1, \"in_shopping_cart\": false}]}",
        0,
        "\"overall_product_quantity\":3,\"overall_in_shopping_cart\":2,"
        "\"total_different_products\":2");
    check_recommender("{\"country\":\"US\",\"browsing_history\":[]}", 1,
                      "\"overall_product_quantity\":0,\"overall_in_shopping_cart\":0,"
                      "\"total_different_products\":0");
}

static void recommender_treats_odd_records_as_its_file_says(void **state) {
    (void)state;
    check_recommender("{\"country\":\" usa \",\"browse_history\":[{\"product_code\":\"a\","
                      "\"quantity\":\"2\",\"in_shopping_cart\":\"true\"},{\"product_code\":\"a\","
                      "\"quantity\":null,\"in_shopping_cart\":true},{\"product_code\":\"b\"}]}",
                      1,
                      "\"overall_product_quantity\":2,\"overall_in_shopping_cart\":2,"
                      "\"total_different_products\":2");
    check_recommender("{\"browsing_history\":null,\"browse_history\":[{\"quantity\":1.5,"
                      "\"product_code\":1,\"in_shopping_cart\":true}]}",
                      1,
                      "\"overall_product_quantity\":1.5,\"overall_in_shopping_cart\":1.5,"
                      "\"total_different_products\":1");
}

static void recommender_fails_what_it_cannot_digest_with_name_and_reason(void **state) {
    struct lt_expr *expr = kit_compile(&recommender);

    (void)state;
    kit_expect_failure(expr, "{\"browsing_history\":[{\"quantity\":\"two\"}]}", LT_EXPR_FAILED,
                       "set.overall_product_quantity",
                       "Invalid literal at EOF at line 1, column 3 (while parsing 'two')");
    kit_expect_failure(expr, "{\"country\":\"USA\"}", LT_EXPR_FAILED,
                       "set.overall_product_quantity", "no browsing history");
    kit_expect_failure(expr, "{\"browsing_history\":[{\"quantity\":[1]}]}", LT_EXPR_FAILED,
                       "set.overall_product_quantity", "array ([1]) cannot be parsed as a number");
    kit_expect_failure(expr, "{\"browsing_history\":7}", LT_EXPR_FAILED,
                       "set.overall_product_quantity", "Cannot iterate over number (7)");
    lt_expr_free(expr);
}

static void record_that_is_not_json_or_no_object_is_its_own_outcome(void **state) {
    struct lt_expr *expr = kit_compile(&recommender);
    char deep[600];

    (void)state;
    kit_expect_failure(expr, "{\"a\":}", LT_EXPR_NOT_JSON, "",
                       "not JSON: byte 5: expected a value, found '}'");
    kit_expect_failure(expr, "", LT_EXPR_NOT_JSON, "",
                       "not JSON: byte 0: expected a value, found the end of the text");
    kit_expect_failure(expr, "{\"a\":\"\xff\"}", LT_EXPR_NOT_JSON, "",
                       "not JSON: byte 6: expected UTF-8, found byte 0xff");
    kit_expect_failure(expr, "[1]", LT_EXPR_NOT_OBJECT, "", "not a JSON object but an array");
    kit_expect_failure(expr, " 5 ", LT_EXPR_NOT_OBJECT, "", "not a JSON object but a number");
    kit_expect_failure(expr, "\"{}\"", LT_EXPR_NOT_OBJECT, "", "not a JSON object but a string");
    kit_expect_failure(expr, "null", LT_EXPR_NOT_OBJECT, "", "not a JSON object but null");

    memset(deep, 0, sizeof(deep));
    strcpy(deep, "{\"a\":");
    memset(deep + 5, '[', 256);
    memset(deep + 261, ']', 256);
    deep[517] = '}';
    kit_expect_failure(expr, deep, LT_EXPR_NOT_JSON, "",
                       "not JSON: byte 260: expected less nesting, found '['");
    lt_expr_free(expr);
}

static void record_of_the_greatest_depth_is_computed_with(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"b", ".a | type", "c", ".a"}});
    char deep[2000] = "", expected[4000];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < LT_JSON_DEFAULT_DEPTH; i++)
        len += (size_t)sprintf(deep + len, "{\"a\":");
    len += (size_t)sprintf(deep + len, "1");
    memset(deep + len, '}', LT_JSON_DEFAULT_DEPTH);
    deep[len + LT_JSON_DEFAULT_DEPTH] = '\0';
    len = strlen(deep);
    snprintf(expected, sizeof(expected), "%.*s,\"b\":\"object\",\"c\":%.*s}", (int)len - 1, deep,
             (int)len - 6, deep + 5);
    kit_expect_data(expr, deep, expected);
    lt_expr_free(expr);
}

static void fields_that_no_expression_names_pass_byte_for_byte(void **state) {
    static const char odd[] = " {\"n\": 1.0e+05, \"big\":100000000000000000001,\"neg\":-0.0, "
                              "\"z\":\"\\u00e9\\/\xc3\xa9\","
                              "\"d\":1,\"d\":2,\"x\" : [ 1 ,{} ] }\r\n";
    struct lt_expr *plain = kit_compile(&(struct kit){.routes = {"a", ".n > 1"}});
    struct lt_expr *adds = kit_compile(&(struct kit){.sets = {"t", ".n", "d", ".d + 1", "n", "0"}});

    (void)state;
    kit_expect_data(plain, odd, odd);
    kit_expect_data(
        adds, odd,
        " {\"n\": 0, \"big\":100000000000000000001,\"neg\":-0.0, \"z\":\"\\u00e9\\/\xc3\xa9\","
        "\"d\":1,\"d\":3,\"x\" : [ 1 ,{} ],\"t\":1.0e+05 }\r\n");
    lt_expr_free(plain);
    lt_expr_free(adds);
}

static void sets_see_the_record_as_it_came_and_not_each_other(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"a", ".a + 1", "b", ".a + 10", "c", "[.a, .b]"}});

    (void)state;
    kit_expect_data(expr, "{\"a\":1}", "{\"a\":2,\"b\":11,\"c\":[1,null]}");
    lt_expr_free(expr);
}

static void set_gives_exactly_one_value_or_fails(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"x", "0", "y", ".v[]"}});

    (void)state;
    kit_expect_data(expr, "{\"v\":[7]}", "{\"v\":[7],\"x\":0,\"y\":7}");
    kit_expect_failure(expr, "{\"v\":[]}", LT_EXPR_FAILED, "set.y", "gave no value");
    kit_expect_failure(expr, "{\"v\":[1,2]}", LT_EXPR_FAILED, "set.y", "gave more than one value");
    lt_expr_free(expr);
    expr = kit_compile(&(struct kit){.sets = {"x", "repeat(1)"}});
    kit_expect_failure(expr, "{}", LT_EXPR_FAILED, "set.x", "gave more than one value");
    lt_expr_free(expr);
}

static void set_writes_each_kind_of_value(void **state) {
    static const char *const rows[][2] = {
        {"null", "null"},
        {"true", "true"},
        {"[]", "[]"},
        {"{}", "{}"},
        {"\"a\\\"\\n\\u00e9\"", "\"a\\\"\\n\xc3\xa9\""},
        {"[1,{\"a\":[null,\"x\"]}]", "[1,{\"a\":[null,\"x\"]}]"},
        {"1.0", "1"},
        {"-0.5", "-0.5"},
        {"1e3", "1000"},
        {"123456789012", "123456789012"},
        {"1e17", "1e+17"},
        {"0.1 + 0.2", "0.30000000000000004"},
        {"1e300", "1e+300"},
        {"3 / 2", "1.5"},
        {"-1e15", "-1000000000000000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"x", rows[i][0]}});
        char expected[200];
        snprintf(expected, sizeof(expected), "{\"x\":%s}", rows[i][1]);
        kit_expect_data(expr, "{}", expected);
        lt_expr_free(expr);
    }
}

static void set_that_is_not_finite_fails_instead_of_lying(void **state) {
    struct lt_expr *expr = kit_compile(
        &(struct kit){.sets = {"x", ".a | if . == 1 then nan elif . == 2 then infinite elif . == 3 "
                                    "then [1,{\"b\":nan}] elif . == 4 then -1e1000 elif . == 5 "
                                    "then 1e308 * 10 else . end"}});
    static const char *const records[] = {"{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}",
                                          "{\"a\":5}"};

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        kit_expect_failure(expr, records[i], LT_EXPR_FAILED, "set.x",
                           "gave a number that is not finite");
    kit_expect_data(expr, "{\"a\":6}", "{\"a\":6,\"x\":6}");
    lt_expr_free(expr);
    expr = kit_compile(&(struct kit){.sets = {"x", ".a | if . == 1 then 2 else . end"}});
    /* what is passed on is passed on as it is spelled */
    kit_expect_data(expr, "{\"a\":[[1e400]]}", "{\"a\":[[1e400]],\"x\":[[1e400]]}");
    lt_expr_free(expr);
}

static void error_messages_come_through(void **state) {
    static const char *const rows[][2] = {
        {"error(\"text\")", "text"},
        {"error({\"a\":1})", "{\"a\":1}"},
        {"error([1])", "[1]"},
        {"error(5)", "5"},
        {"error(\"two\\nlines\\u0007\")", "two lines "},
        {"error(null)", "gave no value"},
        {"\"x\" | error", "x"},
        {".a.b.c | error(\"no c\")", "no c"},
        {"1 | .[0]", "Cannot index number with number"},
        {"{} | halt_error", "{}"},
        {"\"gone\" | halt_error(3)", "gone"},
        {"halt", "halt is not available in a pipeline"},
        {"input", "input is not available in a pipeline"},
        {"[inputs]", "inputs is not available in a pipeline"},
        {"env.HOME", "env is not available in a pipeline"},
        {"input_line_number", "input_line_number is not available in a pipeline"},
        {"get_search_list", "get_search_list is not available in a pipeline"},
        {"\"a\" | modulemeta", "modulemeta is not available in a pipeline"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"x", rows[i][0]}});
        kit_expect_failure(expr, "{}", LT_EXPR_FAILED, "set.x", rows[i][1]);
        kit_expect_failure(expr, "{\"z\":1}", LT_EXPR_FAILED, "set.x", rows[i][1]); /* and again */
        lt_expr_free(expr);
    }
}

static void long_error_message_is_cut_between_characters(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"x", "error(.a)"}});
    char record[2100] = "{\"a\":\"x";
    struct lt_arena arena;

    (void)state;
    for (size_t at = 7; at < 2001; at += 2)
        memcpy(record + at, "\xc3\xa9", 2);
    strcpy(record + 2001, "\"}");
    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result r = kit_run(expr, record, &arena);
    assert_int_equal(r.outcome, LT_EXPR_FAILED);
    assert_true(r.reason.len == 499);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

static void harmless_builtins_of_the_terminal_change_nothing(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"x", ".a | debug | stderr", "y",
                                           "(label $out | .a, break $out), ($__loc__ | empty)"}});

    (void)state;
    kit_expect_data(expr, "{\"a\":1}", "{\"a\":1,\"x\":1,\"y\":1}");
    lt_expr_free(expr);
}

static void route_is_the_first_whose_first_output_is_true(void **state) {
    static const struct {
        const char *record;
        size_t route;
    } rows[] = {
        {"{\"a\":true}", 0},      {"{\"a\":0}", 0},
        {"{\"a\":\"\"}", 0},      {"{\"a\":[]}", 0},
        {"{\"a\":false}", 1},     {"{\"a\":null,\"b\":[1]}", 1},
        {"{\"b\":[]}", 2},        {"{\"b\":[false,true]}", 2},
        {"{\"b\":[1,false]}", 1},
    };
    struct lt_expr *expr =
        kit_compile(&(struct kit){.routes = {"x", ".a", "y", "if .b then .b[] else 1 end", "z",
                                             NULL, "never", "error(\"not reached\")"}});
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_expr_result r = kit_run(expr, rows[i].record, &arena);
        assert_int_equal(r.outcome, LT_EXPR_OK);
        assert_int_equal(r.route, rows[i].route);
    }
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

static void route_sees_the_record_with_its_fields(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"a", ".a + 1", "new", "{\"x\":.a}"},
                                                     .routes = {"r", ".a == 2 and .new.x == 1"},
                                                     .key = ".new | tojson"});
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    struct lt_expr_result r = kit_run(expr, "{\"a\":1}", &arena);
    assert_int_equal(r.outcome, LT_EXPR_OK);
    assert_true(lt_slice_eq_str(r.key, "{\"x\":1}"));
    lt_arena_deinit(&arena);
    kit_expect_failure(expr, "{\"a\":2}", LT_EXPR_NO_ROUTE, "", "no route's condition holds");
    lt_expr_free(expr);
}

static void route_whose_condition_fails_is_named(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.routes = {"a", ".a", "b", NULL}});

    (void)state;
    kit_expect_data(expr, "{\"a\":0}", "{\"a\":0}");
    lt_expr_free(expr);
    expr = kit_compile(&(struct kit){.routes = {"a", ".a", "b", ".b.c", "c", NULL}});
    kit_expect_failure(expr, "{\"b\":5}", LT_EXPR_FAILED, "route[1].when",
                       "Cannot index number with string \"c\"");
    lt_expr_free(expr);
}

static void without_routes_all_goes_to_route_0(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"a", "1"}});
    struct lt_expr *empty = kit_compile(&(struct kit){.key = NULL});
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(kit_run(expr, "{}", &arena).outcome, LT_EXPR_OK);
    assert_int_equal(kit_run(expr, "{}", &arena).route, 0);
    kit_expect_data(empty, "{ }", "{ }");
    kit_expect_failure(empty, "7", LT_EXPR_NOT_OBJECT, "", "not a JSON object but a number");
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
    lt_expr_free(empty);
}

static void key_is_text(void **state) {
    static const struct {
        const char *record, *key;
    } rows[] = {
        {"{\"k\":\"a b\"}", "a b"},
        {"{\"k\":\"\"}", ""},
        {"{\"k\":12}", "12"},
        {"{\"k\":true}", "true"},
        {"{\"k\":[1,\"x\"]}", "[1,\"x\"]"},
        {"{\"k\":null}", NULL},
        {"{}", NULL},
        {"{\"k\":\"\\u00e9\"}", "\xc3\xa9"},
    };
    struct lt_expr *expr = kit_compile(&(struct kit){.key = ".k"});
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_expr_result r = kit_run(expr, rows[i].record, &arena);
        assert_int_equal(r.outcome, LT_EXPR_OK);
        assert_int_equal(!r.key.data, !rows[i].key);
        if (rows[i].key)
            assert_true(lt_slice_eq_str(r.key, rows[i].key));
    }
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
    expr = kit_compile(&(struct kit){.key = ".k + 0"});
    kit_expect_failure(expr, "{\"k\":1e999}", LT_EXPR_FAILED, "key",
                       "gave a number that is not finite");
    lt_expr_free(expr);
    expr = kit_compile(&(struct kit){.key = ".k[]?"});
    kit_expect_data(expr, "{}", "{}");
    kit_expect_failure(expr, "{\"k\":[1,2]}", LT_EXPR_FAILED, "key", "gave more than one value");
    lt_expr_free(expr);
}

static void batch_gives_each_record_its_own_result(void **state) {
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"b", ".a | tonumber"}, .routes = {"r", ".b < 10"}});
    struct lt_slice records[] = {LT_LIT("{\"a\":1}"),  LT_LIT("nope"), LT_LIT("{\"a\":\"x\"}"),
                                 LT_LIT("{\"a\":20}"), LT_LIT("[]"),   LT_LIT("{\"a\":\"2\"}")};
    static const enum lt_expr_outcome outcomes[] = {LT_EXPR_OK,         LT_EXPR_NOT_JSON,
                                                    LT_EXPR_FAILED,     LT_EXPR_NO_ROUTE,
                                                    LT_EXPR_NOT_OBJECT, LT_EXPR_OK};
    struct lt_expr_result results[6];
    struct lt_arena arena;
    struct leat_error err;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_expr_run(expr, records, 6, results, &arena, &err), LEAT_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(results[i].outcome, outcomes[i]);
    assert_true(lt_slice_eq_str(results[0].data, "{\"a\":1,\"b\":1}"));
    assert_true(lt_slice_eq_str(results[5].data, "{\"a\":\"2\",\"b\":2}"));
    assert_int_equal(lt_expr_run(expr, NULL, 0, NULL, &arena, &err), LEAT_OK);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

static void batch_that_does_not_fit_its_arena_fails_as_a_whole(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"b", "1"}});
    struct lt_slice records[] = {LT_LIT("{\"a\":1}"),
                                 LT_LIT("{\"a\":\"0123456789012345678901234567890123456789\"}"),
                                 LT_LIT("x")};
    struct lt_expr_result results[3];
    struct lt_arena arena;
    struct leat_error err;

    (void)state;
    for (size_t max = 0; max < 64; max += 8) {
        lt_arena_init(&arena, max);
        assert_int_equal(lt_expr_run(expr, records, 3, results, &arena, &err), LEAT_E_NOMEM);
        lt_arena_deinit(&arena);
    }
    lt_arena_init(&arena, 1000);
    assert_int_equal(lt_expr_run(expr, records, 3, results, &arena, &err), LEAT_OK);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

static void odd_data_that_aborts_jq_is_a_failure_of_the_record(void **state) {
    static const char *const rows[][3] = {
        {".t | todate", "{\"t\":1700000000000000000}",
         "errror converting number of seconds since epoch to datetime"},
        {".t | strftime(\"%Y\")", "{\"t\":1e300}",
         "errror converting number of seconds since epoch to datetime"},
        {"setpath([range(2000) | \"a\"]; 1)", "{}", "gave a value that is nested too deep"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"x", rows[i][0]}});
        kit_expect_failure(expr, rows[i][1], LT_EXPR_FAILED, "set.x", rows[i][2]);
        lt_expr_free(expr);
    }
    struct lt_expr *expr =
        kit_compile(&(struct kit){.sets = {"x", "[(.a, 7) % (.b, 3)]", "y", "1700000000 | todate",
                                           "z", "setpath([\"q\"]; 2) | .q"}});
    kit_expect_data(expr, "{\"a\":-9223372036854775808,\"b\":-1}",
                    "{\"a\":-9223372036854775808,\"b\":-1,\"x\":[0,0,-2,1],\"y\":\"2023-11-14T22:"
                    "13:20Z\",\"z\":2}");
    lt_expr_free(expr);
}

static void endless_evaluation_is_stopped_and_the_next_record_runs(void **state) {
    static const char *const endless[] = {"def f: f; f",
                                          "def f: 1 + f; f",
                                          "[range(1e15)] | length",
                                          "last(repeat(1))",
                                          "[limit(1e12; repeat(1))] | length",
                                          "def f: def g: f; try error(\"x\") catch g; f"};

    (void)state;
    for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        char text[200];
        struct lt_arena arena;
        snprintf(text, sizeof(text), "if .go then (%s) else 5 end", endless[i]);
        struct lt_expr *expr =
            kit_compile(&(struct kit){.sets = {"a", "1", "x", text}, .routes = {"r", ".x == 5"}});
        lt_expr_set_limits(expr, &(struct lt_expr_limits){0, 150, 64 << 20});
        lt_arena_init(&arena, 1 << 20);
        struct lt_expr_result r = kit_run(expr, "{\"go\":1}", &arena);
        if (r.outcome != LT_EXPR_FAILED)
            fail_msg("%s ended", endless[i]);
        assert_true(lt_slice_eq_str(r.expression, "set.x"));
        assert_true(lt_slice_starts(r.reason, LT_LIT("took ")));
        lt_arena_deinit(&arena);
        kit_expect_data(expr, "{}", "{\"a\":1,\"x\":5}");
        lt_expr_free(expr);
    }
}

static void greedy_evaluation_is_stopped_by_memory(void **state) {
    struct lt_expr *expr = kit_compile(&(struct kit){.sets = {"x", "[range(1e15)] | length"}});

    (void)state;
    lt_expr_set_limits(expr, &(struct lt_expr_limits){0, 60000, 16 << 20});
    kit_expect_failure(expr, "{}", LT_EXPR_FAILED, "set.x", "took more than 16 MiB of memory");
    lt_expr_free(expr);
}

static void memory_stays_flat_over_many_records(void **state) {
    struct lt_expr *expr = kit_compile(&recommender);
    struct lt_slice records[100];
    struct lt_expr_result results[100];
    struct lt_arena arena;
    struct leat_error err;
    size_t early = 0;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        records[i] = i % 10 ? lt_slice_str("{\"country\":\"USA\",\"browse_history\":[{\"product_"
                                           "code\":\"a\",\"quantity\":\"2\"}]}")
                            : lt_slice_str("{\"browse_history\":[{\"quantity\":\"two\"}]}");
    lt_arena_init(&arena, 1 << 20);
    for (size_t batch = 0; batch < 300; batch++) {
        assert_int_equal(lt_expr_run(expr, records, 100, results, &arena, &err), LEAT_OK);
        lt_arena_reset(&arena);
        if (batch == 30)
            early = mallinfo2().uordblks;
    }
    assert_true(mallinfo2().uordblks < early + 100000);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recommender_adds_the_sums_and_routes_by_country),
        cmocka_unit_test(recommender_treats_odd_records_as_its_file_says),
        cmocka_unit_test(recommender_fails_what_it_cannot_digest_with_name_and_reason),
        cmocka_unit_test(record_that_is_not_json_or_no_object_is_its_own_outcome),
        cmocka_unit_test(record_of_the_greatest_depth_is_computed_with),
        cmocka_unit_test(fields_that_no_expression_names_pass_byte_for_byte),
        cmocka_unit_test(sets_see_the_record_as_it_came_and_not_each_other),
        cmocka_unit_test(set_gives_exactly_one_value_or_fails),
        cmocka_unit_test(set_writes_each_kind_of_value),
        cmocka_unit_test(set_that_is_not_finite_fails_instead_of_lying),
        cmocka_unit_test(error_messages_come_through),
        cmocka_unit_test(long_error_message_is_cut_between_characters),
        cmocka_unit_test(harmless_builtins_of_the_terminal_change_nothing),
        cmocka_unit_test(route_is_the_first_whose_first_output_is_true),
        cmocka_unit_test(route_sees_the_record_with_its_fields),
        cmocka_unit_test(route_whose_condition_fails_is_named),
        cmocka_unit_test(without_routes_all_goes_to_route_0),
        cmocka_unit_test(key_is_text),
        cmocka_unit_test(batch_gives_each_record_its_own_result),
        cmocka_unit_test(batch_that_does_not_fit_its_arena_fails_as_a_whole),
        cmocka_unit_test(odd_data_that_aborts_jq_is_a_failure_of_the_record),
        cmocka_unit_test(endless_evaluation_is_stopped_and_the_next_record_runs),
        cmocka_unit_test(greedy_evaluation_is_stopped_by_memory),
        cmocka_unit_test(memory_stays_flat_over_many_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
