/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/metrics.h"

#include <pthread.h>
#include <stdio.h>

static char text[8 << 20];

/* The whole exposition as a string; the registry is the process' own, so tests use labels of their
 * own. */
static const char *exposition(void) {
    struct lt_buf buf;

    lt_buf_init(&buf, sizeof(text));
    lt_metrics_write(lt_metrics_global(), &buf);
    assert_false(buf.failed);
    assert_true(buf.len < sizeof(text));
    memcpy(text, buf.data ? buf.data : "", buf.len);
    text[buf.len] = '\0';
    lt_buf_deinit(&buf);
    return text;
}

static void metrics_a_series_is_found_again_by_its_labels(void **state) {
    struct lt_metrics *metrics = lt_metrics_global();
    struct lt_metric_series *a = lt_metric(metrics, LT_METRIC_ROUTE_RECORDS, "p", "us", NULL);

    (void)state;
    assert_ptr_equal(a, lt_metric(metrics, LT_METRIC_ROUTE_RECORDS, "p", "us", NULL));
    assert_ptr_not_equal(a, lt_metric(metrics, LT_METRIC_ROUTE_RECORDS, "p", "intl", NULL));
    assert_ptr_not_equal(a, lt_metric(metrics, LT_METRIC_ROUTE_BYTES, "p", "us", NULL));
    assert_ptr_not_equal(a, lt_metric(metrics, LT_METRIC_ROUTE_RECORDS, "pu", "s", NULL));
    assert_ptr_equal(lt_metric(metrics, LT_METRIC_JOURNAL_SYNCS, NULL, NULL, NULL),
                     lt_metric(metrics, LT_METRIC_JOURNAL_SYNCS, "no", "such", "labels"));
}

static void metrics_counters_and_gauges_are_written_with_help_and_type(void **state) {
    struct lt_metrics *metrics = lt_metrics_global();

    (void)state;
    lt_metric_add(lt_metric(metrics, LT_METRIC_STREAM_RECORDS_IN, "sessions", NULL, NULL), 3);
    lt_metric_add(lt_metric(metrics, LT_METRIC_STREAM_RECORDS_IN, "sessions", NULL, NULL), 20000);
    lt_metric_set(lt_metric(metrics, LT_METRIC_JOURNAL_BYTES, NULL, NULL, NULL), 12345678901.5);
    const char *out = exposition();
    assert_non_null(strstr(out, "# HELP leat_stream_records_in_total Records put into a stream and "
                                "acknowledged.\n# TYPE leat_stream_records_in_total counter\n"));
    assert_non_null(strstr(out, "\nleat_stream_records_in_total{stream=\"sessions\"} 20003\n"));
    assert_non_null(strstr(out, "# TYPE leat_journal_bytes gauge\n"
                                "leat_journal_bytes 12345678901.5\n"));
    lt_metric_add(lt_metric(metrics, LT_METRIC_JOURNAL_BYTES, NULL, NULL, NULL), -0.5);
    assert_true(lt_metric_value(lt_metric(metrics, LT_METRIC_JOURNAL_BYTES, NULL, NULL, NULL)) ==
                12345678901.0);
    assert_null(strstr(out, "leat_delivery_objects_total"));
}

static void metrics_histograms_are_cumulative_and_end_with_all(void **state) {
    struct lt_metric_series *series =
        lt_metric(lt_metrics_global(), LT_METRIC_REQUEST_LATENCY, "kinesis", "PutRecords", NULL);

    (void)state;
    lt_metric_observe(series, 0.0001); /* a bound belongs to its own bucket */
    lt_metric_observe(series, 0.003);
    lt_metric_observe(series, 400);
    const char *out = exposition();
#define LABELS "{service=\"kinesis\",operation=\"PutRecords\""
    assert_non_null(strstr(out, "leat_request_seconds_bucket" LABELS ",le=\"0.0001\"} 1\n"));
    assert_non_null(strstr(out, "leat_request_seconds_bucket" LABELS ",le=\"0.0025\"} 1\n"));
    assert_non_null(strstr(out, "leat_request_seconds_bucket" LABELS ",le=\"0.005\"} 2\n"));
    assert_non_null(strstr(out, "leat_request_seconds_bucket" LABELS ",le=\"300\"} 2\n"));
    assert_non_null(strstr(out, "leat_request_seconds_bucket" LABELS ",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(out, "leat_request_seconds_sum" LABELS "} 400.0031\n"));
    assert_non_null(strstr(out, "leat_request_seconds_count" LABELS "} 3\n"));
}

static void metrics_label_values_are_escaped(void **state) {
    (void)state;
    lt_metric_add(
        lt_metric(lt_metrics_global(), LT_METRIC_DELIVERY_ERRORS, "a\"b\\c\nd", NULL, NULL), 1);
    assert_non_null(
        strstr(exposition(), "leat_delivery_errors_total{delivery=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

static void metrics_an_observation_of_a_counter_is_ignored(void **state) {
    struct lt_metric_series *series =
        lt_metric(lt_metrics_global(), LT_METRIC_PIPELINE_DEAD, "x", NULL, NULL);

    (void)state;
    lt_metric_observe(series, 5);
    assert_true(lt_metric_value(series) == 0);
}

static void *count(void *arg) {
    for (int i = 0; i < 10000; i++) {
        lt_metric_add(lt_metric(lt_metrics_global(), LT_METRIC_REQUESTS, "s3", "GetObject", NULL),
                      1);
        lt_metric_observe(arg, 0.5);
    }
    return NULL;
}

static void metrics_threads_lose_no_count(void **state) {
    struct lt_metric_series *latency =
        lt_metric(lt_metrics_global(), LT_METRIC_PIPELINE_LATENCY, "threads", NULL, NULL);
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, latency), 0);
    (void)exposition();
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(lt_metric_value(lt_metric(lt_metrics_global(), LT_METRIC_REQUESTS, "s3",
                                          "GetObject", NULL)) == 40000);
    assert_non_null(
        strstr(exposition(), "leat_pipeline_latency_seconds_count{pipeline=\"threads\"} 40000\n"));
    assert_true(lt_metric_value(latency) == 20000);
}

static void metrics_too_many_label_values_share_a_series_that_nobody_sees(void **state) {
    struct lt_metric_series *last = NULL;
    char name[32];

    (void)state;
    for (int i = 0; i < 10100; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        last = lt_metric(lt_metrics_global(), LT_METRIC_DELIVERY_LAG, name, NULL, NULL);
        assert_non_null(last);
    }
    lt_metric_set(last, 7);
    lt_metric_observe(last, 7);
    assert_ptr_equal(last, lt_metric(lt_metrics_global(), LT_METRIC_DELIVERY_LAG, "z", NULL, NULL));
    const char *out = exposition();
    assert_non_null(strstr(out, "{delivery=\"n9999\"} 0\n"));
    assert_null(strstr(out, "{delivery=\"n10000\"}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_a_series_is_found_again_by_its_labels),
        cmocka_unit_test(metrics_counters_and_gauges_are_written_with_help_and_type),
        cmocka_unit_test(metrics_histograms_are_cumulative_and_end_with_all),
        cmocka_unit_test(metrics_label_values_are_escaped),
        cmocka_unit_test(metrics_an_observation_of_a_counter_is_ignored),
        cmocka_unit_test(metrics_threads_lose_no_count),
        cmocka_unit_test(metrics_too_many_label_values_share_a_series_that_nobody_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
