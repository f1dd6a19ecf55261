/* SPDX-License-Identifier: Apache-2.0 */
/* Files as systems: what is read, and every kind of error with its exact place. */
#include "pipeline/system.h"

#include "pipeline/config.h"
#include "json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct loaded {
    struct lt_system system;
    struct lt_problems problems;
    struct leat_error err;
    leat_status status;
};

static char *make_file(const char *text, size_t len) {
    char *path = strdup("/tmp/leat-test-system-XXXXXX");
    assert_non_null(path);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    return path;
}

static void load_bytes(struct loaded *l, const char *text, size_t len) {
    char *path = make_file(text, len);
    l->status = lt_system_load(&l->system, path, &l->problems, &l->err);
    unlink(path);
    free(path);
}

static void load(struct loaded *l, const char *text) {
    load_bytes(l, text, strlen(text));
}

static void unload(struct loaded *l) {
    lt_system_deinit(&l->system);
}

/* A good file; cases replace a part of it. */
#define STREAMS "streams: {in: {shards: 4}, out: {}, dead: {}}\n"
#define BUCKETS "buckets: [lake]\n"
#define PIPELINE                                                                                   \
    "pipelines:\n"                                                                                 \
    "  p:\n"                                                                                       \
    "    source: {stream: in}\n"

static void a_whole_system_is_read(void **state) {
    struct loaded l;
    (void)state;
    load(&l, "streams:\n"
             "  in: {shards: 4, retention: 7d}\n"
             "  out:\n"
             "  dead: {}\n"
             "buckets: [lake, other.bucket]\n"
             "deliveries:\n"
             "  d: {from: out, to: \"s3://lake/a/b/\", buffer: {size: 64MiB, interval: 60s},\n"
             "      compression: gzip, newline: false, suffix: .jsonl.gz}\n"
             "  e: {from: out, to: \"s3://lake\", role: \"arn:aws:iam::123456789012:role/x\"}\n"
             "pipelines:\n"
             "  p:\n"
             "    source: {stream: in, from: latest}\n"
             "    with: {f: '.a'}\n"
             "    set: {x: 'f', y: '1'}\n"
             "    key: .id\n"
             "    route:\n"
             "      - {when: '.x == 1', to: out}\n"
             "      - {to: \"s3://lake/rest/\"}\n"
             "    dead_letters: {stream: dead}\n"
             "    buffer: 2MiB\n");
    assert_int_equal(l.problems.n, 0);
    assert_int_equal(l.status, LEAT_OK);
    assert_int_equal(l.system.n_streams, 3);
    assert_string_equal(l.system.streams[0].name, "in");
    assert_int_equal(l.system.streams[0].n_shards, 4);
    assert_int_equal(l.system.streams[0].retention_hours, 168);
    assert_int_equal(l.system.streams[0].place.line, 2);
    assert_int_equal(l.system.streams[1].n_shards, 1); /* the default */
    assert_int_equal(l.system.streams[1].retention_hours, 24);
    assert_false(l.system.streams[1].dead_letters);
    assert_true(l.system.streams[2].dead_letters);
    assert_int_equal(l.system.n_buckets, 2);
    assert_string_equal(l.system.buckets[1].name, "other.bucket");
    const struct lt_system_delivery *d = l.system.deliveries;
    assert_string_equal(d->from, "out");
    assert_string_equal(d->bucket, "lake");
    assert_string_equal(d->prefix, "a/b/");
    assert_int_equal(d->buffer_bytes, 64 << 20);
    assert_int_equal(d->buffer_ms, 60000);
    assert_int_equal(d->compression, LT_COMPRESSION_GZIP);
    assert_false(d->newline);
    assert_string_equal(d->suffix, ".jsonl.gz");
    assert_null(d->role);
    assert_string_equal(d[1].prefix, "");
    assert_string_equal(d[1].error_prefix, "");
    assert_int_equal(d[1].buffer_bytes, 5 << 20);
    assert_int_equal(d[1].buffer_ms, 300000);
    assert_true(d[1].newline);
    assert_string_equal(d[1].role, "arn:aws:iam::123456789012:role/x");
    const struct lt_system_pipeline *p = l.system.pipelines;
    assert_string_equal(p->source_stream, "in");
    assert_true(p->from_latest);
    assert_int_equal(p->n_defs, 1);
    assert_int_equal(p->n_sets, 2);
    assert_true(lt_slice_eq_str(p->sets[1].name, "y"));
    assert_int_equal(p->sets[1].line, 14);
    assert_int_equal(p->sets[1].column, 23);
    assert_true(lt_slice_eq_str(p->key->text, ".id"));
    assert_int_equal(p->n_routes, 2);
    assert_int_equal(p->routes[0].kind, LT_ROUTE_STREAM);
    assert_string_equal(p->routes[0].stream, "out");
    assert_int_equal(p->routes[1].kind, LT_ROUTE_OBJECTS);
    assert_null(p->routes[1].when.text.data);
    assert_string_equal(p->routes[1].to, "s3://lake/rest/");
    assert_string_equal(p->routes[1].prefix, "rest/");
    assert_string_equal(p->dead_stream, "dead");
    assert_int_equal(p->buffer_bytes, 2 << 20);
    unload(&l);
}

/* One problem expected: its place and a part of its text. */
struct problem_case {
    const char *file;
    unsigned line, column;
    const char *text;
};

static void run_cases(const struct problem_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct loaded l;
        const struct problem_case *k = &cases[i];
        bool found = false;
        load(&l, k->file);
        for (size_t p = 0; p < l.problems.n; p++) {
            const struct lt_problem *problem = &l.problems.list[p];
            found = found || (problem->place.line == k->line &&
                              problem->place.column == k->column && strstr(problem->text, k->text));
        }
        for (size_t p = 0; p < l.problems.n && !found; p++)
            print_message("  %u:%u: %s\n", l.problems.list[p].place.line,
                          l.problems.list[p].place.column, l.problems.list[p].text);
        if (!found || l.status != LEAT_E_CONFIG)
            fail_msg("case %zu: no %u:%u: %s in\n%s", i, k->line, k->column, k->text, k->file);
        unload(&l);
    }
}
#define RUN(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void files_that_describe_nothing_are_refused(void **state) {
    static const struct problem_case cases[] = {
        {"", 1, 1, "the file is empty; expected streams, buckets"},
        {"# nothing\n", 1, 1, "the file is empty"},
        {"---\n", 1, 1, "the file is empty"},
        {"{}\n", 1, 1, "describes nothing"},
        {"- a\n", 1, 1, "the file is a list"},
        {"word\n", 1, 1, "the file is a word"},
    };
    (void)state;
    RUN(cases);
}

static void unknown_keys_name_the_nearest_word(void **state) {
    static const struct problem_case cases[] = {
        {"stream: {}\n", 1, 1,
         "unknown key 'stream' in the file; expected streams, buckets, deliveries or pipelines; "
         "did you mean 'streams'?"},
        {"streams:\n  a: {shard: 2}\n", 2, 7,
         "unknown key 'shard' in a stream; expected shards or retention; did you mean 'shards'?"},
        {STREAMS BUCKETS "deliveries:\n  d:\n    from: in\n    to: s3://lake/\n    buffr: {}\n", 7,
         5, "did you mean 'buffer'?"},
        {STREAMS PIPELINE "    rout: []\n", 5, 5, "did you mean 'route'?"},
        {STREAMS PIPELINE "    route: [{too: out}]\n", 5, 14, "did you mean 'to'?"},
        {STREAMS PIPELINE "    zzzzzzzzzz: 1\n    route: [{to: out}]\n", 5, 5,
         "expected source, with, set, key, route, dead_letters, buffer or tests"},
    };
    (void)state;
    RUN(cases);
}

static void a_key_that_resembles_nothing_gets_no_suggestion(void **state) {
    struct loaded l;
    (void)state;
    load(&l, STREAMS "zzzzzzzz: 1\n");
    assert_int_equal(l.problems.n, 1);
    assert_null(l.problems.list[0].suggestion);
    assert_null(strstr(l.problems.list[0].text, "did you mean"));
    unload(&l);
}

static void values_of_a_wrong_type_or_range_are_refused(void **state) {
    static const struct problem_case cases[] = {
        {"streams: {a: {shards: many}}\n", 1, 23,
         "shards is 'many'; expected a whole number, 1 to 1,000"},
        {"streams: {a: {shards: \"2\"}}\n", 1, 23, "shards is a text in quotes"},
        {"streams: {a: {shards: 0}}\n", 1, 23, "shards is '0'"},
        {"streams: {a: {shards: 1001}}\n", 1, 23, "shards is '1001'"},
        {"streams: {a: {shards: 99999999999999999999}}\n", 1, 23, "expected a whole number"},
        {"streams: {a: {shards: 2.5}}\n", 1, 23, "expected a whole number"},
        {"streams: {a: {shards: -1}}\n", 1, 23, "expected a whole number"},
        {"streams: {a: {shards: [1]}}\n", 1, 23, "shards has a list; expected a whole number"},
        {"streams: {a: {shards: }}\n", 1, 15, "shards has no value"},
        {"streams: {a: {shards: ~}}\n", 1, 23, "shards is '~'"},
        {"streams: {a: 4}\n", 1, 14, "a stream is a word; expected a mapping"},
        {"streams: [a]\n", 1, 10, "streams has a list; expected a mapping of names"},
        {"streams: {a: {retention: 90m}}\n", 1, 26, "in steps of 1h"},
        {"streams: {a: {retention: 2h}}\n", 1, 26, "24h to 8760h"},
        {"buckets: lake\n", 1, 10, "buckets is 'lake'; expected a list of bucket names"},
    };
    (void)state;
    RUN(cases);
}

#define DELIVERY(rest)                                                                             \
    STREAMS BUCKETS "deliveries:\n  d: {from: in, to: \"s3://lake/x/\", " rest "}\n"

static void deliveries_are_checked(void **state) {
    static const struct problem_case cases[] = {
        {DELIVERY("buffer: {size: 500KiB}"), 4, 52, "1 MiB to 128 MiB in steps of 1 MiB"},
        {DELIVERY("buffer: {size: 129MiB}"), 4, 52, "1 MiB to 128 MiB"},
        {DELIVERY("buffer: {interval: 20m}"), 4, 56, "0s to 15m in steps of 1s"},
        {DELIVERY("buffer: {interval: soon}"), 4, 56, "a duration such as 60s"},
        {DELIVERY("buffer: 5MiB"), 4, 45, "buffer is '5MiB'; expected a mapping"},
        {DELIVERY("compression: gzipp"), 4, 50,
         "compression is 'gzipp'; expected none or gzip; did you mean 'gzip'?"},
        {DELIVERY("newline: no"), 4, 46,
         "newline is 'no'; expected true or false; did you mean 'false'?"},
        {DELIVERY("newline: \"true\""), 4, 46, "newline is a text in quotes"},
        {DELIVERY("suffix: GZ"), 4, 45, "suffix is 'GZ'; expected a file extension"},
        {DELIVERY("role: admin"), 4, 43, "role is 'admin'; expected a role's ARN"},
        {STREAMS BUCKETS "deliveries:\n  d: {to: \"s3://lake/\"}\n", 4, 6,
         "a delivery has no 'from'"},
        {STREAMS BUCKETS "deliveries:\n  d: {from: in}\n", 4, 6, "a delivery has no 'to'"},
        {STREAMS BUCKETS "deliveries:\n  d: {from: im, to: \"s3://lake/\"}\n", 4, 13,
         "from names 'im', which is no stream of this file; expected in, out or dead; did you mean "
         "'in'?"},
        {STREAMS BUCKETS "deliveries:\n  d: {from: in, to: \"s3://lakes/x/\"}\n", 4, 21,
         "did you mean 'lake'?"},
        {STREAMS "deliveries:\n  d: {from: in, to: \"s3://lake/x/\"}\n", 3, 21,
         "under 'buckets', where there is none yet"},
        {STREAMS BUCKETS "deliveries:\n  d: {from: in, to: lake}\n", 4, 21,
         "to is 'lake'; expected s3://BUCKET/PREFIX"},
        {STREAMS BUCKETS "deliveries:\n  d: {from: in, to: \"s3://lake/!{timestamp:yyyy}/\"}\n", 4,
         21, "wants an error_prefix"},
        {STREAMS BUCKETS "deliveries:\n  d: {from: in, to: \"s3://lake/!{nonsense:x}/\"}\n", 4, 21,
         "to: "},
    };
    (void)state;
    RUN(cases);
}

static void names_that_aws_does_not_take_are_refused(void **state) {
    static const struct problem_case cases[] = {
        {"streams: {a b: {}}\n", 1, 11, "'a b' cannot name a stream; expected 1 to 128 letters"},
        {"streams: {\"\": {}}\n", 1, 11, "cannot name a stream"},
        {"streams: {\"a\\0b\": {}}\n", 1, 11, "cannot name a stream"},
        {"buckets: [ab]\n", 1, 11, "'ab' cannot name a bucket; expected 3 to 63 characters"},
        {"buckets: [Lake]\n", 1, 11, "lower-case"},
        {"buckets: [my_lake]\n", 1, 11, "lower-case"},
        {"buckets: [my..lake]\n", 1, 11, "two dots"},
        {"buckets: [-lake]\n", 1, 11, "both ends"},
        {"buckets: [192.168.1.1]\n", 1, 11, "no IP address"},
        {"buckets: [xn--lake]\n", 1, 11, "prefixes that AWS keeps"},
        {"buckets: [lake, lake]\n", 1, 17, "bucket 'lake' stands here again"},
        {STREAMS "pipelines:\n  a/b:\n    source: {stream: in}\n    route: [{to: out}]\n", 3, 3,
         "cannot name a pipeline"},
    };
    (void)state;
    RUN(cases);
}

static void duplicate_keys_are_refused(void **state) {
    static const struct problem_case cases[] = {
        {"streams: {a: {}}\nstreams: {b: {}}\n", 2, 1, "key 'streams' stands here again"},
        {"streams:\n  a: {}\n  a: {}\n", 3, 3, "it is at line 2"},
    };
    (void)state;
    RUN(cases);
}

static void pipelines_are_checked(void **state) {
    static const struct problem_case cases[] = {
        {STREAMS "pipelines:\n  p:\n    route: [{to: out}]\n", 4, 5, "a pipeline has no 'source'"},
        {STREAMS PIPELINE, 4, 5, "a pipeline has no 'route'"},
        {STREAMS PIPELINE "    route: []\n", 5, 12, "route is empty"},
        {STREAMS PIPELINE "    route: {to: out}\n", 5, 12, "route has a mapping; expected a list"},
        {STREAMS PIPELINE "    route: [{when: '.a'}]\n", 5, 13, "a route has no 'to'"},
        {STREAMS PIPELINE "    route: [{to: ou}]\n", 5, 18, "did you mean 'out'?"},
        {STREAMS PIPELINE "    route: [{to: in}]\n", 5, 18, "back into the pipeline's source 'in'"},
        {STREAMS PIPELINE "    route: [{to: out}, {when: '.a', to: dead}]\n", 5, 13,
         "those after it get none"},
        {STREAMS PIPELINE "    route: [{to: out}]\n    dead_letters: {stream: in}\n", 6, 19,
         "dead letters would go back"},
        {STREAMS PIPELINE "    route: [{to: out}]\n    dead_letters: {stream: ded}\n", 6, 28,
         "did you mean 'dead'?"},
        {STREAMS PIPELINE "    route: [{to: out}]\n    set: {a: }\n", 6, 11, "a is empty"},
        {STREAMS PIPELINE "    route: [{to: out}]\n    set: {a: [1]}\n", 6, 14, "a is not a text"},
        {STREAMS PIPELINE "    route: [{to: out}]\n    set: ['.a']\n", 6, 10, "set has a list"},
        {STREAMS PIPELINE "    route: [{to: out}]\n    with: {if: '.a'}\n", 6, 12,
         "'if' cannot name a jq function"},
        {STREAMS PIPELINE "    route: [{to: out}]\n    with: {a-b: '.a'}\n", 6, 12,
         "'a-b' cannot name a jq function"},
        {STREAMS "pipelines:\n  p:\n    source: {stream: in, from: newest}\n"
                 "    route: [{to: out}]\n",
         4, 32, "from is 'newest'; expected trim-horizon or latest"},
        {STREAMS "pipelines:\n  p:\n    source: in\n    route: [{to: out}]\n", 4, 13,
         "source is 'in'; expected a mapping"},
        {STREAMS BUCKETS "deliveries:\n  p: {from: out, to: \"s3://lake/d/\"}\n" PIPELINE
                         "    route: [{to: \"s3://lake/x/\"}]\n",
         8, 13, "called 'p', and so is a delivery"},
    };
    (void)state;
    RUN(cases);
}

static void what_comes_later_says_so(void **state) {
    static const struct problem_case cases[] = {
        {STREAMS "sources: {}\n", 2, 1, "'sources' is not supported yet"},
        {STREAMS "pipelines:\n  p:\n    source: {rest: x, stream: in}\n    route: [{to: out}]\n", 4,
         14, "'rest' is not supported yet"},
    };
    (void)state;
    RUN(cases);
}

static void expressions_with_errors_have_their_place_in_the_file(void **state) {
    struct loaded l;
    (void)state;
    load(&l, STREAMS PIPELINE "    with:\n"
                              "      f: nosuchfunction\n"
                              "    set:\n"
                              "      a: |\n"
                              "        .x\n"
                              "          | lengthh\n"
                              "      b: '.b'\n"
                              "    key: '.id | ]'\n"
                              "    route: [{to: out}]\n");
    assert_int_equal(l.status, LEAT_E_CONFIG);
    assert_int_equal(l.problems.n, 3);
    assert_int_equal(l.problems.list[0].place.line, 6);
    assert_int_equal(l.problems.list[0].place.column, 10);
    assert_int_equal(l.problems.list[1].place.line, 10);
    assert_int_equal(l.problems.list[1].place.column, 13);
    assert_non_null(strstr(l.problems.list[1].text, "length"));
    assert_int_equal(l.problems.list[2].place.line, 12);
    unload(&l);
}

static void warnings_do_not_fail_a_file(void **state) {
    struct loaded l;
    (void)state;
    load(&l, STREAMS BUCKETS PIPELINE "    route: [{when: '.a', to: \"s3://lake/x\"}]\n");
    assert_int_equal(l.status, LEAT_OK);
    assert_int_equal(l.problems.n, 2);
    assert_true(l.problems.list[0].warning && l.problems.list[1].warning);
    assert_int_equal(l.problems.list[0].place.column, 13);
    assert_non_null(strstr(l.problems.list[0].text, "stops the pipeline"));
    assert_int_equal(l.problems.list[1].place.column, 30);
    assert_non_null(strstr(l.problems.list[1].text, "without a '/'"));
    unload(&l);
}

static void all_problems_are_told_in_the_order_of_the_file(void **state) {
    struct loaded l;
    (void)state;
    load(&l, "pipelines:\n"
             "  p:\n"
             "    source: {stream: nowhere}\n"
             "    route: [{to: out}]\n"
             "streams: {out: {shards: 0}}\n"
             "bukets: []\n");
    assert_int_equal(l.status, LEAT_E_CONFIG);
    assert_int_equal(l.problems.n, 3);
    assert_int_equal(l.problems.list[0].place.line, 3);
    assert_int_equal(l.problems.list[1].place.line, 5);
    assert_int_equal(l.problems.list[2].place.line, 6);
    assert_int_equal(l.err.line, 3);
    assert_int_equal(l.err.column, 22);
    unload(&l);
}

static void at_most_50_problems_are_told_and_the_rest_counted(void **state) {
    struct lt_buf text;
    struct loaded l;
    (void)state;
    lt_buf_init(&text, 1 << 20);
    for (int i = 0; i < 80; i++)
        lt_buf_printf(&text, "k%d: 1\n", i);
    load_bytes(&l, text.data, text.len);
    assert_int_equal(l.problems.n, 50);
    assert_int_equal(l.problems.n_untold, 30);
    assert_int_equal(l.problems.list[49].place.line, 50);
    unload(&l);
    lt_buf_deinit(&text);
}

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

static void a_file_that_cannot_be_read_is_told(void **state) {
    struct lt_problems problems;
    struct lt_system system;
    struct leat_error err;
    (void)state;
    assert_int_equal(lt_system_load(&system, "/nonexistent/x.yaml", &problems, &err),
                     LEAT_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/x.yaml"));
    lt_system_deinit(&system);
    assert_int_equal(lt_system_load(&system, "/tmp", &problems, &err), LEAT_E_IO);
    lt_system_deinit(&system);
    assert_int_equal(lt_system_load(&system, "/dev/zero", &problems, &err), LEAT_E_CONFIG);
    assert_non_null(strstr(err.text, "at most 4194304"));
    lt_system_deinit(&system);
}

static void routes_into_objects_have_a_name_for_their_positions(void **state) {
    struct loaded l;
    char name[LT_ROUTE_DELIVERY_BYTES];
    (void)state;
    load(&l, STREAMS BUCKETS PIPELINE "    route: [{when: .a, to: \"s3://lake/a/\"}, {when: .b, "
                                      "to: out}, {to: \"s3://lake/c/\"}]\n");
    assert_int_equal(l.status, LEAT_OK);
    assert_true(lt_system_route_delivery(l.system.pipelines, 0, name));
    assert_string_equal(name, "p-1");
    assert_false(lt_system_route_delivery(l.system.pipelines, 1, name));
    assert_true(lt_system_route_delivery(l.system.pipelines, 2, name));
    assert_string_equal(name, "p-3");
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
    assert_false(lt_json_get(properties, "sources", &one));
    lt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_system_is_read),
        cmocka_unit_test(files_that_describe_nothing_are_refused),
        cmocka_unit_test(unknown_keys_name_the_nearest_word),
        cmocka_unit_test(a_key_that_resembles_nothing_gets_no_suggestion),
        cmocka_unit_test(values_of_a_wrong_type_or_range_are_refused),
        cmocka_unit_test(deliveries_are_checked),
        cmocka_unit_test(names_that_aws_does_not_take_are_refused),
        cmocka_unit_test(duplicate_keys_are_refused),
        cmocka_unit_test(pipelines_are_checked),
        cmocka_unit_test(what_comes_later_says_so),
        cmocka_unit_test(expressions_with_errors_have_their_place_in_the_file),
        cmocka_unit_test(warnings_do_not_fail_a_file),
        cmocka_unit_test(all_problems_are_told_in_the_order_of_the_file),
        cmocka_unit_test(at_most_50_problems_are_told_and_the_rest_counted),
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
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
        cmocka_unit_test(routes_into_objects_have_a_name_for_their_positions),
        cmocka_unit_test(damaged_files_get_an_answer),
        cmocka_unit_test(the_reference_and_the_schema_come_from_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
