/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of a file, run through the pipeline's own program, and how values are compared. */
#include "pipeline/examples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- comparing ---- */

/* All differences as "path: expected -> got" lines. */
static void compare(const char *expected, const char *got, char out[2048]) {
    struct lt_difference list[LT_EXAMPLE_MAX_DIFFERENCES];
    struct lt_arena arena;
    struct lt_json a, b;
    struct leat_error err;
    size_t len = 0;

    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(lt_json_parse(&a, lt_slice_str(expected), 100, &err), LEAT_OK);
    assert_int_equal(lt_json_parse(&b, lt_slice_str(got), 100, &err), LEAT_OK);
    size_t n = lt_json_compare(a, b, &arena, list);
    out[0] = '\0';
    for (size_t i = 0; i < n && i < LT_EXAMPLE_MAX_DIFFERENCES; i++)
        len +=
            (size_t)snprintf(out + len, 2048 - len, "%s: %.*s -> %.*s\n", list[i].path,
                             LT_FMT(list[i].expected.data ? list[i].expected : LT_LIT("nothing")),
                             LT_FMT(list[i].got.data ? list[i].got : LT_LIT("nothing")));
    if (n > LT_EXAMPLE_MAX_DIFFERENCES)
        snprintf(out + len, 2048 - len, "+%zu\n", n - LT_EXAMPLE_MAX_DIFFERENCES);
    lt_arena_deinit(&arena);
}

static void equal_values_have_no_difference(void **state) {
    static const char *const same[][2] = {
        {"{\"a\":1,\"b\":2}", "{ \"b\" : 2.0, \"a\" : 1e0 }"},
        {"[1,[2,{\"c\":null}]]", "[1, [2, {\"c\": null}]]"},
        {"\"\\u00e9/\"", "\"\xc3\xa9\\/\""},
        {"{\"\\u0061\":true}", "{\"a\":true}"},
        {"123456789012345678901", "123456789012345678901"},
        {"{\"a\":1}", "{\"a\":2,\"a\":1}"},
    };
    char out[2048];
    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        compare(same[i][0], same[i][1], out);
        assert_string_equal(out, "");
    }
}

static void differences_name_their_path(void **state) {
    static const struct {
        const char *expected, *got, *out;
    } cases[] = {
        {"{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3]}}", ".a.b[1]: 2 -> 3\n"},
        {"{\"a\":1}", "{}", ".a: 1 -> nothing\n"},
        {"{}", "{\"a\":1}", ".a: nothing -> 1\n"},
        {"{\"a b\":1}", "{\"a b\":\"1\"}", ".\"a b\": 1 -> \"1\"\n"},
        {"[1]", "[1,2,3]", "[1]: nothing -> 2\n[2]: nothing -> 3\n"},
        {"[1,2]", "[]", "[0]: 1 -> nothing\n[1]: 2 -> nothing\n"},
        {"{\"a\":true}", "{\"a\":false}", ".a: true -> false\n"},
        {"{\"a\":{}}", "{\"a\":[]}", ".a: {} -> []\n"},
        {"123456789012345678901", "123456789012345678902",
         ": 123456789012345678901 -> 123456789012345678902\n"},
    };
    char out[2048];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        compare(cases[i].expected, cases[i].got, out);
        assert_string_equal(out, cases[i].out);
    }
}

static void differences_beyond_20_are_counted(void **state) {
    char out[2048];
    (void)state;
    compare("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
            "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", out);
    assert_non_null(strstr(out, "[19]: 0 -> 1\n+5\n"));
}

/* ---- running ---- */

static const char file[] = "streams: {in: {}, usa: {}, rest: {}, dead: {}}\n"
                           "pipelines:\n"
                           "  p:\n"
                           "    source: {stream: in}\n"
                           "    set:\n"
                           "      sum: '[.items[].n | tonumber] | add // 0'\n"
                           "    route:\n"
                           "      - {when: '.country == \"USA\"', to: usa}\n"
                           "      - {to: rest}\n"
                           "    dead_letters: {stream: dead}\n"
                           "    tests:\n"
                           "      - name: good\n"
                           "        in: {country: USA, items: [{n: 1}, {n: \"2\"}]}\n"
                           "        out: {country: USA, items: [{n: 1}, {n: \"2\"}], sum: 3}\n"
                           "        to: usa\n"
                           "      - name: bad sum\n"
                           "        in: {items: [{n: 1}]}\n"
                           "        out: {items: [{n: 1}], sum: 2}\n"
                           "        to: usa\n"
                           "      - {name: dead, in: {items: [{n: two}]}, dead: \"sum\"}\n"
                           "      - {name: not json, in: \"{broken\", dead: true}\n"
                           "      - {name: other reason, in: {items: 5}, dead: nothing like it}\n"
                           "      - {name: alive, in: {items: []}, dead: true}\n"
                           "      - {name: dies, in: \"[]\", to: usa}\n"
                           "      - {name: only to, in: {items: []}, to: rest}\n"
                           "      - {name: nothing asked, in: {items: []}}\n";

struct fixture {
    struct lt_system system;
    struct lt_problems problems;
    struct lt_examples examples;
    struct leat_error err;
};

static leat_status run_named(struct fixture *f, const char *name) {
    char path[] = "/tmp/leat-test-examples-XXXXXX";
    int fd = mkstemp(path);

    memset(f, 0, sizeof(*f));
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file, sizeof(file) - 1), (ssize_t)sizeof(file) - 1);
    close(fd);
    leat_status status = lt_system_load(&f->system, path, &f->problems, &f->err);
    unlink(path);
    assert_int_equal(status, LEAT_OK);
    return lt_examples_run(&f->examples, &f->system, &name, name ? 1 : 0, &f->err);
}

static void done(struct fixture *f) {
    lt_examples_deinit(&f->examples);
    lt_system_deinit(&f->system);
}

static void each_example_is_judged(void **state) {
    static const struct {
        bool passed;
        size_t n_differences;
        const char *path;
    } expected[] = {{true, 0, NULL},  {false, 2, ".sum"}, {true, 0, NULL},
                    {true, 0, NULL},  {false, 1, "dead"}, {false, 1, "dead"},
                    {false, 1, "to"}, {true, 0, NULL},    {true, 0, NULL}};
    struct fixture f;
    (void)state;
    assert_int_equal(run_named(&f, NULL), LEAT_OK);
    assert_int_equal(f.examples.n, sizeof(expected) / sizeof(expected[0]));
    assert_int_equal(f.examples.n_failed, 4);
    for (size_t i = 0; i < f.examples.n; i++) {
        const struct lt_example *example = &f.examples.list[i];
        assert_int_equal(example->index, i + 1);
        assert_int_equal(example->passed, expected[i].passed);
        assert_int_equal(example->n_differences, expected[i].n_differences);
        if (expected[i].path)
            assert_string_equal(example->differences[0].path, expected[i].path);
    }
    const struct lt_difference *sum = f.examples.list[1].differences;
    assert_true(lt_slice_eq_str(sum[0].expected, "2"));
    assert_true(lt_slice_eq_str(sum[0].got, "1"));
    assert_string_equal(sum[1].path, "to");
    assert_true(lt_slice_eq_str(sum[1].expected, "usa"));
    assert_true(lt_slice_eq_str(sum[1].got, "rest"));
    const struct lt_difference *dies = f.examples.list[6].differences;
    assert_true(lt_slice_starts(dies->got, LT_LIT("dead letter: ")));
    done(&f);
}

static void a_name_picks_a_test_a_pipeline_or_a_number(void **state) {
    static const struct {
        const char *name;
        size_t n, index;
    } cases[] = {{"bad sum", 1, 2}, {"p/3", 1, 3}, {"p", 9, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        assert_int_equal(run_named(&f, cases[i].name), LEAT_OK);
        assert_int_equal(f.examples.n, cases[i].n);
        assert_int_equal(f.examples.list[0].index, cases[i].index);
        done(&f);
    }
}

static void a_name_that_picks_nothing_is_told_with_the_nearest(void **state) {
    struct fixture f;
    (void)state;
    assert_int_equal(run_named(&f, "bad sun"), LEAT_E_NOT_FOUND);
    assert_non_null(strstr(f.err.text, "did you mean 'bad sum'?"));
    done(&f);
    assert_int_equal(run_named(&f, "p/10"), LEAT_E_NOT_FOUND);
    done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_have_no_difference),
        cmocka_unit_test(differences_name_their_path),
        cmocka_unit_test(differences_beyond_20_are_counted),
        cmocka_unit_test(each_example_is_judged),
        cmocka_unit_test(a_name_picks_a_test_a_pipeline_or_a_number),
        cmocka_unit_test(a_name_that_picks_nothing_is_told_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
