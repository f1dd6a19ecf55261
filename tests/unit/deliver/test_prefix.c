/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/delivery.h"
#include "deliver/javatime.h"
#include "deliver/prefix.h"

/* Monday 2018-08-27T10:30:02.042Z */
static const int64_t at_ms = 1535365802042;

static void expect_time(const char *pattern, int64_t ms, const char *expected) {
    struct leat_error err;
    struct lt_buf out;

    if (lt_javatime_check(lt_slice_str(pattern), &err) != LEAT_OK)
        fail_msg("%s: %s", pattern, err.text);
    lt_buf_init(&out, 4096);
    lt_javatime_append(&out, lt_slice_str(pattern), ms);
    assert_string_equal(lt_buf_cstr(&out), expected);
    lt_buf_deinit(&out);
}

static void javatime_writes_the_fields_as_java_does(void **state) {
    (void)state;
    expect_time("yyyy/MM/dd/HH/", at_ms, "2018/08/27/10/");
    expect_time("yy M d H:m:s", at_ms, "18 8 27 10:30:2");
    expect_time("SSS S SSSSSSSSS", at_ms, "042 0 042000000");
    expect_time("DDD D", at_ms, "239 239");
    expect_time("DDD", 0, "001");
    expect_time("EEE EEEE EEEEE e", at_ms, "Mon Monday M 2");
    expect_time("MMM MMMM MMMMM", at_ms, "Aug August A");
    expect_time("hh a K k", at_ms, "10 AM 10 10");
    expect_time("h a k K", 1535329802000, "12 AM 24 0");
    expect_time("Q QQ QQQ QQQQ", at_ms, "3 03 Q3 3rd quarter");
    expect_time("z VV X xxx Z O G", at_ms, "UTC UTC Z +00:00 +0000 GMT AD");
    expect_time("A n N", at_ms, "37802042 42000000 37802042000000");
    expect_time("F W", at_ms, "4 5");
}

static void javatime_takes_quoted_text_as_it_is(void **state) {
    (void)state;
    expect_time("yyyy'-'MM'-'dd", at_ms, "2018-08-27");
    expect_time("'year='yyyy", at_ms, "year=2018");
    expect_time("HH''mm", at_ms, "10'30");
    expect_time("'it''s 'HH", at_ms, "it's 10");
    expect_time("''''", at_ms, "'");
    expect_time("yyyy-MM-dd_HH.mm", at_ms, "2018-08-27_10.30");
    expect_time("yyyy[-MM]", at_ms, "2018-08");
}

static void javatime_counts_weeks_from_sunday_with_january_1_in_the_first(void **state) {
    (void)state;
    expect_time("YYYY w", 1546128000000, "2019 1");   /* Sunday 2018-12-30 */
    expect_time("YYYY ww", 1546041600000, "2018 52"); /* Saturday 2018-12-29 */
    expect_time("YYYY ww", 1546300800000, "2019 01"); /* Tuesday 2019-01-01 */
    expect_time("YY ww", 1704067199000, "24 01");     /* Sunday 2023-12-31 */
}

static void javatime_handles_leap_days_and_times_before_1970(void **state) {
    (void)state;
    expect_time("yyyy-MM-dd DDD", 1709164800000, "2024-02-29 060");
    expect_time("yyyy-MM-dd HH:mm:ss.SSS", -1, "1969-12-31 23:59:59.999");
}

static void javatime_refuses_what_java_refuses(void **state) {
    static const char *const bad[] = {"",           "b",      "yyyy-JJ", "HHH", "ddd",
                                      "DDDD",       "'open",  "yyyy{",   "#",   "yy]",
                                      "SSSSSSSSSS", "EEEEEE", "V",       "OO",  "aa"};
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (lt_javatime_check(lt_slice_str(bad[i]), &err) != LEAT_E_INVALID)
            fail_msg("accepted: %s", bad[i]);
}

static void evaluate(const char *prefix, const char *seed, struct lt_buf *out) {
    struct lt_prefix_values values = {.time_ms = at_ms, .seed = lt_slice_str(seed)};
    struct leat_error err;

    lt_buf_init(out, 4096);
    if (lt_prefix_append(out, lt_slice_str(prefix), &values, &err) != LEAT_OK)
        fail_msg("%s: %s", prefix, err.text);
    lt_buf_cstr(out);
}

static void expect_prefix(const char *prefix, const char *expected) {
    struct lt_buf out;
    evaluate(prefix, "seed", &out);
    assert_string_equal(out.data, expected);
    lt_buf_deinit(&out);
}

static void prefix_without_timestamp_gets_year_month_day_hour(void **state) {
    (void)state;
    expect_prefix("", "2018/08/27/10/");
    expect_prefix("sessions/", "sessions/2018/08/27/10/");
    expect_prefix("sessions", "sessions2018/08/27/10/");
}

static void prefix_with_timestamp_is_taken_whole(void **state) {
    (void)state;
    expect_prefix("a/!{timestamp:yyyy}/b/!{timestamp:MM'-'dd}/", "a/2018/b/08-27/");
    expect_prefix("!{timestamp:yyyy/MM/dd}", "2018/08/27");
    expect_prefix("dt=!{timestamp:yyyy'-'MM'-'dd}!", "dt=2018-08-27!");
}

static void prefix_random_string_depends_on_the_seed_and_the_instance_alone(void **state) {
    struct lt_buf a, b, c;

    (void)state;
    evaluate("!{firehose:random-string}/!{firehose:random-string}/!{timestamp:HH}", "one", &a);
    evaluate("!{firehose:random-string}/!{firehose:random-string}/!{timestamp:HH}", "one", &b);
    evaluate("!{firehose:random-string}/!{firehose:random-string}/!{timestamp:HH}", "two", &c);
    assert_string_equal(a.data, b.data);
    assert_string_not_equal(a.data, c.data);
    assert_int_equal(a.len, 11 + 1 + 11 + 1 + 2);
    assert_memory_not_equal(a.data, a.data + 12, 11);
    lt_buf_deinit(&a);
    lt_buf_deinit(&b);
    lt_buf_deinit(&c);
}

static void expect_refused(const char *prefix, bool is_error, const char *reason) {
    struct leat_error err;
    if (lt_delivery_check_prefix(lt_slice_str(prefix), is_error, &err) != LEAT_E_INVALID)
        fail_msg("accepted: %s", prefix);
    if (!strstr(err.text, reason))
        fail_msg("%s: %s", prefix, err.text);
}

static void prefix_refuses_what_firehose_refuses(void **state) {
    (void)state;
    expect_refused("a/!{timestamp:yyyy", false, "can only appear in !{namespace:value}");
    expect_refused("a/!{yyyy}/", false, "can only appear in !{namespace:value}");
    expect_refused("!{time:yyyy}/", false, "the namespace time is not one of");
    expect_refused("!{timestamp:bbbb}/", false, "Unknown pattern letter: b");
    expect_refused("!{firehose:error-output-type}/", false, "Prefix cannot contain");
    expect_refused("!{firehose:random}/", false, "not one of");
    expect_refused("!{partitionKeyFromQuery:country}/", false, "dynamic partitioning");
    expect_refused("!{partitionKeyFromLambda:country}/", false, "dynamic partitioning");
    expect_refused("errors/!{timestamp:yyyy}/", true, "at least one instance");
}

static void prefix_longer_than_512_characters_is_refused(void **state) {
    char text[600];
    struct leat_error err;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[499] = '\0'; /* 512 with the time that is added */
    assert_int_equal(lt_delivery_check_prefix(lt_slice_str(text), false, &err), LEAT_E_INVALID);
    text[498] = '\0';
    assert_int_equal(lt_delivery_check_prefix(lt_slice_str(text), false, &err), LEAT_OK);
}

static void error_prefix_may_be_plain_or_name_the_error_type(void **state) {
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_delivery_check_prefix(LT_LIT("errors/"), true, &err), LEAT_OK);
    assert_int_equal(lt_delivery_check_prefix(
                         LT_LIT("e/!{firehose:error-output-type}/!{timestamp:yyyy}/"), true, &err),
                     LEAT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(javatime_writes_the_fields_as_java_does),
        cmocka_unit_test(javatime_takes_quoted_text_as_it_is),
        cmocka_unit_test(javatime_counts_weeks_from_sunday_with_january_1_in_the_first),
        cmocka_unit_test(javatime_handles_leap_days_and_times_before_1970),
        cmocka_unit_test(javatime_refuses_what_java_refuses),
        cmocka_unit_test(prefix_without_timestamp_gets_year_month_day_hour),
        cmocka_unit_test(prefix_with_timestamp_is_taken_whole),
        cmocka_unit_test(prefix_random_string_depends_on_the_seed_and_the_instance_alone),
        cmocka_unit_test(prefix_refuses_what_firehose_refuses),
        cmocka_unit_test(prefix_longer_than_512_characters_is_refused),
        cmocka_unit_test(error_prefix_may_be_plain_or_name_the_error_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
