/* SPDX-License-Identifier: Apache-2.0 */
/* Files as systems: what is read, and every kind of error with its exact place. */
#include "files.h"

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
         "unknown key 'stream' in the file; expected streams, buckets, sources, deliveries or "
         "pipelines; "
         "did you mean 'streams'?"},
        {"streams:\n  a: {shard: 2}\n", 2, 7,
         "unknown key 'shard' in a stream; expected shards or retention; did you mean 'shards'?"},
        {STREAMS BUCKETS "deliveries:\n  d:\n    from: in\n    to: s3://lake/\n    buffr: {}\n", 7,
         5, "did you mean 'buffer'?"},
        {STREAMS PIPELINE "    rout: []\n", 5, 5, "did you mean 'route'?"},
        {STREAMS PIPELINE "    route: [{too: out}]\n", 5, 14, "did you mean 'to'?"},
        {STREAMS PIPELINE "    zzzzzzzzzz: 1\n    route: [{to: out}]\n", 5, 5,
         "expected source, with, set, key, route, dead_letters, buffer, limits or tests"},
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
        cmocka_unit_test(expressions_with_errors_have_their_place_in_the_file),
        cmocka_unit_test(warnings_do_not_fail_a_file),
        cmocka_unit_test(all_problems_are_told_in_the_order_of_the_file),
        cmocka_unit_test(at_most_50_problems_are_told_and_the_rest_counted),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told),
        cmocka_unit_test(routes_into_objects_have_a_name_for_their_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
