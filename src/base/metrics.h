/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_METRICS_H
#define LT_BASE_METRICS_H

#include "base/buf.h"

#include <stdatomic.h>

/*
 * Counters, gauges and histograms, each a row of the table in metrics.c (name,
 * type, help, label names), in Prometheus' terms. A series is found once by its
 * label values and then updated without a lock.
 */
struct lt_metrics;
struct lt_metric_series;

enum lt_metric_id {
    LT_METRIC_STREAM_RECORDS_IN,    /* leat_stream_records_in_total{stream} */
    LT_METRIC_STREAM_BYTES_IN,      /* leat_stream_bytes_in_total{stream} */
    LT_METRIC_STREAM_RECORDS_OUT,   /* leat_stream_records_out_total{stream} */
    LT_METRIC_STREAM_BYTES_OUT,     /* leat_stream_bytes_out_total{stream} */
    LT_METRIC_DELIVERY_RECORDS,     /* leat_delivery_records_total{delivery} */
    LT_METRIC_DELIVERY_BYTES,       /* leat_delivery_bytes_total{delivery} */
    LT_METRIC_DELIVERY_OBJECTS,     /* leat_delivery_objects_total{delivery} */
    LT_METRIC_DELIVERY_ERRORS,      /* leat_delivery_errors_total{delivery} */
    LT_METRIC_DELIVERY_BUFFER,      /* leat_delivery_buffer_bytes{delivery} gauge */
    LT_METRIC_DELIVERY_LAG,         /* leat_delivery_lag_records{delivery} gauge */
    LT_METRIC_ROUTE_RECORDS,        /* leat_route_records_total{pipeline,route} */
    LT_METRIC_ROUTE_BYTES,          /* leat_route_bytes_total{pipeline,route} */
    LT_METRIC_ROUTE_ERRORS,         /* leat_route_errors_total{pipeline,route} */
    LT_METRIC_ROUTE_BUFFER,         /* leat_route_buffer_bytes{pipeline,route} gauge */
    LT_METRIC_PIPELINE_RECORDS,     /* leat_pipeline_records_total{pipeline} */
    LT_METRIC_PIPELINE_DEAD,        /* leat_pipeline_dead_letters_total{pipeline} */
    LT_METRIC_PIPELINE_LAG,         /* leat_pipeline_lag_records{pipeline} gauge */
    LT_METRIC_PIPELINE_LATENCY,     /* leat_pipeline_latency_seconds{pipeline} histogram */
    LT_METRIC_REQUESTS,             /* leat_requests_total{service,operation} */
    LT_METRIC_REQUEST_ERRORS,       /* leat_request_errors_total{service,operation,code} */
    LT_METRIC_REQUEST_LATENCY,      /* leat_request_seconds{service,operation} histogram */
    LT_METRIC_JOURNAL_SYNCS,        /* leat_journal_syncs_total */
    LT_METRIC_JOURNAL_SYNC_LATENCY, /* leat_journal_sync_seconds histogram */
    LT_METRIC_JOURNAL_BYTES,        /* leat_journal_bytes gauge */
    LT_METRIC_HTTP_CONNECTIONS,     /* leat_http_connections gauge */
    LT_N_METRICS
};

/** The process' own registry. Thread: any. */
struct lt_metrics *lt_metrics_global(void);

/**
 * The series of a metric with these label values (up to three, in the row's
 * order; NULL beyond those it has), made when it is new. It lives as long as
 * the registry. Never NULL: without memory, a series that nobody sees.
 * Thread: any; takes a lock, so keep the result.
 */
struct lt_metric_series *lt_metric(struct lt_metrics *metrics, enum lt_metric_id id, const char *a,
                                   const char *b, const char *c);

/* Thread: any, without a lock. */
void lt_metric_add(struct lt_metric_series *series, double n);
void lt_metric_set(struct lt_metric_series *series, double value);
void lt_metric_observe(struct lt_metric_series *series, double seconds);
/** `n` observations of the same. */
void lt_metric_observe_all(struct lt_metric_series *series, double seconds, uint64_t n);
double lt_metric_value(const struct lt_metric_series *series);

/** Prometheus' text exposition format 0.0.4. Thread: any. */
void lt_metrics_write(struct lt_metrics *metrics, struct lt_buf *out);

#endif
