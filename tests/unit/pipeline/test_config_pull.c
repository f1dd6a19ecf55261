/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines whose source is a REST API: what becomes of them, and every mistake at its place. */
#include "files.h"

#include "rest/auth.h"
#include "rest/paginate.h"

#define PULL STREAMS BUCKETS SOURCE "      a: {path: /a}\n      b: {path: /b}\npipelines:\n  p:\n"
#define OUT "    route: [{to: out}]\n"

static void mistakes_in_a_pipeline_that_pulls_are_told_at_their_place(void **state) {
    static const struct problem_case cases[] = {
        {PULL "    source: {}\n" OUT, 11, 13, "neither a stream nor an API"},
        {PULL "    source: {rest: api, stream: in}\n" OUT, 11, 20, "both a stream and an API"},
        {PULL "    source: {rest: ap}\n" OUT, 11, 20,
         "no source of this file; expected api; did you"},
        {PULL "    source: {rest: api, from: latest}\n" OUT, 11, 31, "from is for streams"},
        {PULL "    source: {stream: in, resources: [a]}\n" OUT, 11, 37, "resources are an API's"},
        {PULL "    source: {rest: api, resources: [a, bb]}\n" OUT, 11, 40,
         "'bb' is no resource of api; expected a or b; did you mean 'b'?"},
        {PULL "    source: {rest: api, resources: []}\n" OUT, 11, 36, "resources is empty"},
        {PULL "    source: {rest: api}\n    route: [{to: out, compression: gzip}]\n", 12, 36,
         "this route leads to the stream 'out'"},
        {PULL "    source: {rest: api}\n    route: [{to: out, buffer: {size: 1MiB}}]\n", 12, 31,
         "this route leads to the stream 'out'"},
        {PULL "    source: {rest: api}\n    route: [{to: \"s3://lake/\", compression: zip}]\n", 12,
         45, "expected none, gzip or zstd"},
        {PULL "    source: {rest: api}\n" OUT "    dead_letters: {}\n", 13, 19,
         "or 'to' with s3://BUCKET/PREFIX"},
        {PULL "    source: {rest: api}\n" OUT
              "    dead_letters: {stream: dead, to: \"s3://lake/x/\"}\n",
         13, 38, "dead_letters has two places"},
        {PULL "    source: {rest: api}\n" OUT "    dead_letters: {to: \"s3://lakes/x/\"}\n", 13, 24,
         "did you mean 'lake'?"},
        {PULL "    source: {stream: in}\n" OUT "    dead_letters: {to: \"s3://lake/x/\"}\n", 13, 24,
         "expected 'stream'"},
        {PULL "    source: {rest: api}\n" OUT "    tests: [{in: {}}]\n", 13, 13,
         "a test has no 'resource'; expected a or b"},
        {PULL "    source: {rest: api}\n" OUT "    tests: [{in: {}, resource: c}]\n", 13, 32,
         "takes no resource 'c'; expected a or b"},
        {PULL "    source: {rest: api, resources: a}\n" OUT "    tests: [{in: {}, resource: b}]\n",
         13, 32, "takes no resource 'b'; expected a"},
        {PULL "    source: {stream: in}\n" OUT "    tests: [{in: {}, resource: a}]\n", 13, 32,
         "this pipeline reads a stream"},
        {PULL "    source: {stream: in}\n    set: {a: $resource}\n" OUT, 12, 14,
         "$resource is not defined"},
        {PULL "    source: {rest: api}\n    set: {a: $nope}\n" OUT, 12, 14, "$nope is not defined"},
    };
    (void)state;
    RUN(cases);
}

static void a_pipeline_that_pulls_is_read(void **state) {
    struct loaded l;
    struct lt_expr *expr;
    struct lt_arena arena;
    struct lt_expr_result result;
    struct lt_slice record = LT_LIT("{\"x\":1}");
    (void)state;
    load_good(&l, PULL "    source: {rest: api, resources: [b]}\n"
                       "    with: {name: '\"<\" + $resource + \">\"'}\n"
                       "    set: {from: name}\n"
                       "    route:\n"
                       "      - {when: '$resource == \"a\"', to: out}\n"
                       "      - {to: \"s3://lake/b/\", compression: zstd, buffer: {size: 2MiB, "
                       "interval: 5s}}\n"
                       "    dead_letters: {to: \"s3://lake/dead/\"}\n"
                       "    tests: [{in: {x: 1}, to: \"s3://lake/b/\"}]\n");
    const struct lt_system_pipeline *p = &l.system.pipelines[0];
    assert_int_equal(p->n_source_resources, 1);
    assert_string_equal(p->source_resources[0], "b");
    assert_string_equal(p->dead_bucket, "lake");
    assert_string_equal(p->dead_prefix, "dead/");
    assert_null(p->dead_stream);
    assert_int_equal(p->routes[1].compression, LT_COMPRESSION_ZSTD);
    assert_int_equal(p->routes[1].object_bytes, 2 << 20);
    assert_int_equal(p->routes[1].object_ms, 5000);
    assert_string_equal(p->tests[0].resource, "b");
    lt_arena_init(&arena, 1 << 20);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lt_system_compile_for(p, i ? "b" : "a", &expr, &l.err), LEAT_OK);
        assert_int_equal(lt_expr_run(expr, &record, 1, &result, &arena, &l.err), LEAT_OK);
        assert_int_equal(result.outcome, LT_EXPR_OK);
        assert_int_equal(result.route, i);
        assert_text(result.data, i ? "{\"x\":1,\"from\":\"<b>\"}" : "{\"x\":1,\"from\":\"<a>\"}");
        lt_expr_free(expr);
    }
    lt_arena_deinit(&arena);
    unload(&l);
}

static void what_is_likely_not_meant_is_warned_of(void **state) {
    static const struct problem_case cases[] = {
        {PULL
         "    source: {rest: api}\n    route:\n      - {when: '.x and $resource == \"bb\"', to: "
         "out}\n      - {to: out}\n",
         13, 37,
         "'bb' is no resource of api: no record is of it; expected a or b; did you mean 'b'?"},
        {PULL "    source: {rest: api}\n    route:\n      - {when: '$resource==\"a\" or "
              "$resource != \"ccccc\"', to: out}\n      - {to: out}\n",
         13, 48, "'ccccc' is no resource of api"},
        {STREAMS BUCKETS SOURCE "      a: {path: /a, on_change: dead_letter}\npipelines:\n  p:\n"
                                "    source: {rest: api}\n" OUT,
         10, 13, "a makes dead letters of records that do not fit"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loaded l;
        load(&l, cases[i].file);
        assert_int_equal(l.status, LEAT_OK);
        assert_int_equal(l.problems.n, 1);
        const struct lt_problem *problem = &l.problems.list[0];
        if (!problem->warning || problem->place.line != cases[i].line ||
            problem->place.column != cases[i].column || !strstr(problem->text, cases[i].text))
            fail_msg("%u:%u: %s", problem->place.line, problem->place.column, problem->text);
        unload(&l);
    }
}

static void good_conditions_on_the_resource_are_not_warned_of(void **state) {
    static const char *const conditions[] = {
        "$resource == \"a\"", "$resource!=\"b\"", "[$resource] | inside([\"x\"])",
        "$resource",          "$resource ==",     "$resource == \"a",
        "$resource == .x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        struct loaded l;
        char text[1024];
        snprintf(text, sizeof(text),
                 PULL "    source: {rest: api}\n    route: [{when: '%s', to: out}, {to: dead}]\n",
                 conditions[i]);
        load(&l, text);
        for (size_t p = 0; p < l.problems.n; p++)
            assert_false(l.problems.list[p].warning);
        unload(&l);
    }
}

/* What one of the two tables has, the other has too: the words that a wrong one is answered with.
 */
static void assert_same_words(const char *file, const char *const *kinds) {
    struct loaded l;
    size_t n = 0;
    load(&l, file);
    assert_int_equal(l.problems.n, 1);
    const char *words = strstr(l.problems.list[0].text, "exactly one of ");
    assert_non_null(words);
    for (const char *at = words; *at; at++)
        n += *at == ',';
    size_t n_kinds = 0;
    for (; kinds[n_kinds]; n_kinds++)
        if (!strstr(words, kinds[n_kinds]))
            fail_msg("the file knows no %s", kinds[n_kinds]);
    assert_int_equal(n + 2, n_kinds);
    unload(&l);
}

static void the_file_knows_the_kinds_of_auth_and_pagination_that_there_are(void **state) {
    (void)state;
    assert_same_words("sources: {a: {base_url: \"https://x\", auth: zzzzzz, resources: "
                      "{r: {path: /r}}}}\n",
                      lt_rest_auth_kind_names);
    assert_same_words("sources: {a: {base_url: \"https://x\", resources: {r: {path: /r, paginate: "
                      "zzzzzz}}}}\n",
                      lt_rest_paginator_kinds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_in_a_pipeline_that_pulls_are_told_at_their_place),
        cmocka_unit_test(a_pipeline_that_pulls_is_read),
        cmocka_unit_test(what_is_likely_not_meant_is_warned_of),
        cmocka_unit_test(good_conditions_on_the_resource_are_not_warned_of),
        cmocka_unit_test(the_file_knows_the_kinds_of_auth_and_pagination_that_there_are),
    };
    return cmocka_run_group_tests_name("pipeline config_pull", tests, NULL, NULL);
}
