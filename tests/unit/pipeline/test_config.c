/* SPDX-License-Identifier: Apache-2.0 */
/* Values of files: variables, examples as JSON, what aliases share, and files that are damaged. */
#include "files.h"

static void variables_are_replaced(void **state) {
    struct loaded l;
    (void)state;
    setenv("LEAT_TEST_SHARDS", "3", 1);
    setenv("LEAT_TEST_BUCKET", "from-env", 1);
    setenv("LEAT_TEST_EMPTY", "", 1);
    unsetenv("LEAT_TEST_NONE");
    load(&l,
         "streams: {a: {shards: \"${LEAT_TEST_SHARDS}\"}, b: {shards: \"${LEAT_TEST_NONE:-7}\"}}\n"
         "buckets: [\"${LEAT_TEST_BUCKET}\", \"x-${LEAT_TEST_EMPTY:-empty}-y\"]\n"
         "deliveries: {d: {from: a, to: \"s3://${LEAT_TEST_BUCKET}/$${x}/\"}}\n");
    assert_int_equal(l.status, LEAT_OK);
    assert_int_equal(l.system.streams[0].n_shards, 3);
    assert_int_equal(l.system.streams[1].n_shards, 7);
    assert_string_equal(l.system.buckets[0].name, "from-env");
    assert_string_equal(l.system.buckets[1].name, "x-empty-y");
    assert_string_equal(l.system.deliveries[0].bucket, "from-env");
    assert_string_equal(l.system.deliveries[0].prefix, "${x}/");
    unload(&l);
}

static void a_variable_that_is_not_set_is_named(void **state) {
    static const struct problem_case cases[] = {
        {"buckets: [\"a-${LEAT_TEST_NONE}\"]\n", 1, 14,
         "environment variable LEAT_TEST_NONE is not set"},
        {"buckets: [\"a-${}\"]\n", 1, 14, "'${' starts no variable"},
        {"buckets: [\"a-${A\"]\n", 1, 14, "'${' starts no variable"},
        {"buckets: [\"a-${1A}\"]\n", 1, 14, "'${' starts no variable"},
    };
    (void)state;
    unsetenv("LEAT_TEST_NONE");
    RUN(cases);
}

static void what_a_variable_holds_is_never_shown(void **state) {
    static const char *const files[] = {
        "streams: {a: {shards: \"${LEAT_TEST_SECRET}\", retention: \"${LEAT_TEST_SECRET}\"}}\n",
        "buckets: [\"${LEAT_TEST_SECRET}\"]\n",
        STREAMS BUCKETS "deliveries: {d: {from: \"${LEAT_TEST_SECRET}\", "
                        "to: \"${LEAT_TEST_SECRET}\"}}\n",
        STREAMS BUCKETS "deliveries: {d: {from: in, to: \"s3://${LEAT_TEST_SECRET}/\", "
                        "compression: \"${LEAT_TEST_SECRET}\", role: \"${LEAT_TEST_SECRET}\", "
                        "suffix: \"${LEAT_TEST_SECRET}\"}}\n",
        STREAMS BUCKETS "deliveries: {d: {from: in, to: \"s3://lake/${LEAT_TEST_SECRET}\"}}\n",
        STREAMS PIPELINE "    route: [{to: \"${LEAT_TEST_SECRET}\"}]\n",
    };
    (void)state;
    setenv("LEAT_TEST_SECRET", "Hunter2!{x}", 1);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct loaded l;
        load(&l, files[i]);
        assert_true(l.problems.n > 0);
        for (size_t p = 0; p < l.problems.n; p++)
            assert_null(strstr(l.problems.list[p].text, "Hunter2"));
        assert_null(strstr(l.err.text, "Hunter2"));
        unload(&l);
    }
    unsetenv("LEAT_TEST_SECRET");
}

static void expressions_and_tests_keep_their_dollars(void **state) {
    struct loaded l;
    (void)state;
    load(&l, STREAMS PIPELINE "    set: {a: '\"${HOME}\"'}\n"
                              "    route: [{to: out}]\n"
                              "    tests: [{in: {a: \"${HOME}\"}}]\n");
    assert_int_equal(l.status, LEAT_OK);
    assert_true(lt_slice_eq_str(l.system.pipelines[0].sets[0].text, "\"${HOME}\""));
    assert_true(lt_slice_eq_str(l.system.pipelines[0].tests[0].in, "{\"a\":\"${HOME}\"}"));
    unload(&l);
}

static const struct {
    const char *yaml, *json;
} values[] = {
    {"{a: 1, b: -2, c: +3, d: 007, e: 0x1F, f: 0o17}",
     "{\"a\":1,\"b\":-2,\"c\":3,\"d\":7,\"e\":31,\"f\":15}"},
    {"{a: 1.50, b: .5, c: 5., d: 1e3, e: -1.5E-7}",
     "{\"a\":1.50,\"b\":0.5,\"c\":5,\"d\":1e3,\"e\":-1.5e-7}"},
    {"{a: 12345678901234567890123}", "{\"a\":12345678901234567890123}"},
    {"{a: yes, b: no, c: on, d: off, e: y}",
     "{\"a\":\"yes\",\"b\":\"no\",\"c\":\"on\",\"d\":\"off\",\"e\":\"y\"}"},
    {"{a: true, b: False, c: NULL, d: ~, e: }",
     "{\"a\":true,\"b\":false,\"c\":null,\"d\":null,\"e\":null}"},
    {"{a: '1', b: \"true\", c: !!str 12, d: 1_000, e: 1:30}",
     "{\"a\":\"1\",\"b\":\"true\",\"c\":\"12\",\"d\":\"1_000\",\"e\":\"1:30\"}"},
    {"{a: [], b: {}, c: [[1], {d: \"\\u00e9\\n\"}]}",
     "{\"a\":[],\"b\":{},\"c\":[[1],{\"d\":\"\xc3\xa9\\n\"}]}"},
    {"{1: x, true: y}", "{\"1\":\"x\",\"true\":\"y\"}"},
    {"[1, a]", "[1,\"a\"]"},
    {"\"not { json\"", "not { json"},
    {"plain words", "plain words"},
    {"12", "12"},
    {"'12'", "12"},
};

static void examples_become_json_by_the_core_schema(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct loaded l;
        char text[1024];
        snprintf(text, sizeof(text),
                 STREAMS PIPELINE "    route: [{to: out}]\n"
                                  "    tests:\n      - in: %s\n",
                 values[i].yaml);
        load(&l, text);
        assert_int_equal(l.status, LEAT_OK);
        struct lt_slice in = l.system.pipelines[0].tests[0].in;
        if (!lt_slice_eq_str(in, values[i].json))
            fail_msg("%s gave %.*s, expected %s", values[i].yaml, LT_FMT(in), values[i].json);
        unload(&l);
    }
}

#define TESTS(text)                                                                                \
    STREAMS PIPELINE "    route: [{when: .a, to: out}, {to: dead}]\n    tests:\n" text

static void examples_are_checked(void **state) {
    static const struct problem_case cases[] = {
        {TESTS("      - {out: {}}\n"), 7, 9, "a test has no 'in'"},
        {TESTS("      - {in: {}, out: 5}\n"), 7, 23, "out is '5'"},
        {TESTS("      - {in: {}, to: ouf}\n"), 7, 22,
         "no route of this pipeline leads to 'ouf'; expected out or dead; did you mean 'out'?"},
        {TESTS("      - {in: {}, dead: x, to: out}\n"), 7, 24, "neither 'out' nor 'to'"},
        {TESTS("      - {in: {}, dead: 5}\n"), 7, 24, "dead is '5'"},
        {TESTS("      - {in: {a: .nan}}\n"), 7, 18, "cannot stand in JSON"},
        {TESTS("      - {in: {a: !x 1}}\n"), 7, 21, "tag"},
        {TESTS("      - {in: {a: 1, a: 2}}\n"), 7, 21, "stands here again"},
    };
    (void)state;
    RUN(cases);
}

static void an_alias_bomb_in_an_example_is_refused(void **state) {
    struct lt_buf text;
    struct loaded l;
    (void)state;
    lt_buf_init(&text, 1 << 20);
    lt_buf_append_str(&text, "x-0: &a0 [x]\n");
    for (int i = 1; i < 40; i++)
        lt_buf_printf(&text, "x-%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1,
                      i - 1);
    lt_buf_append_str(&text, TESTS("      - {in: *a39}\n"));
    load_bytes(&l, text.data, text.len);
    assert_int_equal(l.status, LEAT_E_CONFIG);
    assert_non_null(strstr(l.problems.list[0].text, "more than 1048576 bytes as JSON"));
    unload(&l);
    lt_buf_deinit(&text);
}

static void anchors_share_properties(void **state) {
    struct loaded l;
    (void)state;
    load(&l, "x-defaults:\n"
             "  delivery: &d {compression: gzip, buffer: {size: 8MiB}}\n" STREAMS BUCKETS
             "deliveries:\n"
             "  a: {<<: *d, from: in, to: \"s3://lake/a/\"}\n"
             "  b: {<<: *d, from: out, to: \"s3://lake/b/\", compression: none}\n");
    assert_int_equal(l.status, LEAT_OK);
    assert_int_equal(l.system.deliveries[0].compression, LT_COMPRESSION_GZIP);
    assert_int_equal(l.system.deliveries[0].buffer_bytes, 8 << 20);
    assert_int_equal(l.system.deliveries[1].compression, LT_COMPRESSION_NONE);
    unload(&l);
}

static void a_problem_in_a_shared_value_is_told_once(void **state) {
    struct loaded l;
    (void)state;
    load(&l, "x-s: &s {shards: 0}\nstreams: {a: *s, b: *s, c: *s}\n");
    assert_int_equal(l.problems.n, 1);
    assert_int_equal(l.problems.list[0].place.line, 1);
    unload(&l);
}

static void errors_hold_no_control_characters(void **state) {
    struct loaded l;
    (void)state;
    load(&l, "streams: {\"a\\e[31m\\r\\n\": {}}\n");
    assert_int_equal(l.problems.n, 1);
    for (const char *at = l.problems.list[0].text; *at; at++)
        assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
    unload(&l);
}

/* Each line of the file taken out, and each character changed: an answer, and nothing worse. */
static void damaged_files_get_an_answer(void **state) {
    static const char file[] = STREAMS BUCKETS
        "deliveries:\n  d: {from: in, to: \"s3://lake/x/\", buffer: {size: 5MiB}}\n" PIPELINE
        "    route: [{to: out}]\n    dead_letters: {stream: dead}\n"
        "    tests: [{in: {a: [1, x]}, to: out}]\n";
    static const char bytes[] = "\n \"'[]{}:,&*|#-\xff";
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(file); i++)
        for (size_t k = 0; k + 1 < sizeof(bytes); k++) {
            char copy[sizeof(file)];
            struct loaded l;
            memcpy(copy, file, sizeof(file));
            copy[i] = bytes[k];
            load_bytes(&l, copy, sizeof(file) - 1);
            assert_true(l.status == LEAT_OK || l.status == LEAT_E_CONFIG);
            assert_true(l.status == LEAT_OK || l.problems.n > 0);
            unload(&l);
        }
}

static void the_reference_and_the_schema_come_from_the_tables(void **state) {
    struct lt_buf out;
    struct lt_json root, properties, one;
    struct leat_error err;
    (void)state;
    lt_buf_init(&out, 1 << 20);
    lt_config_write_reference(&out);
    assert_int_equal(lt_buf_status(&out, &err), LEAT_OK);
    assert_non_null(strstr(lt_buf_cstr(&out), "shards"));
    assert_non_null(strstr(lt_buf_cstr(&out), "1 MiB to 128 MiB"));
    lt_buf_clear(&out);
    lt_config_write_schema(&out);
    assert_int_equal(lt_json_parse(&root, lt_buf_slice(&out), 64, &err), LEAT_OK);
    assert_true(lt_json_get(root, "properties", &properties));
    assert_true(lt_json_get(properties, "pipelines", &one));
    assert_true(lt_json_get(properties, "sources", &one));
    lt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_replaced),
        cmocka_unit_test(a_variable_that_is_not_set_is_named),
        cmocka_unit_test(what_a_variable_holds_is_never_shown),
        cmocka_unit_test(expressions_and_tests_keep_their_dollars),
        cmocka_unit_test(examples_become_json_by_the_core_schema),
        cmocka_unit_test(examples_are_checked),
        cmocka_unit_test(an_alias_bomb_in_an_example_is_refused),
        cmocka_unit_test(anchors_share_properties),
        cmocka_unit_test(a_problem_in_a_shared_value_is_told_once),
        cmocka_unit_test(errors_hold_no_control_characters),
        cmocka_unit_test(damaged_files_get_an_answer),
        cmocka_unit_test(the_reference_and_the_schema_come_from_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
