/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all metrics, and the registry of their series. A series, once
 * made, is never moved or freed, so its numbers are updated without the lock, which guards
 * only the lists. A metric has at most MAX_SERIES series, so that labels which come from
 * requests cannot eat the memory: what is over is counted in a series that is not shown.
 */
#include "base/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_LABELS = 3, MAX_SERIES = 10000, N_SLOTS = 1024 };

enum type { COUNTER, GAUGE, HISTOGRAM };

static const char *const type_names[] = {"counter", "gauge", "histogram"};

struct row {
    const char *name;
    enum type type;
    const char *help;
    const char *labels[MAX_LABELS];
};

static const struct row rows[LT_N_METRICS] = {
    [LT_METRIC_STREAM_RECORDS_IN] = {"leat_stream_records_in_total",
                                     COUNTER,
                                     "Records put into a stream and acknowledged.",
                                     {"stream"}},
    [LT_METRIC_STREAM_BYTES_IN] = {"leat_stream_bytes_in_total",
                                   COUNTER,
                                   "Bytes of data put into a stream and acknowledged.",
                                   {"stream"}},
    [LT_METRIC_STREAM_RECORDS_OUT] = {"leat_stream_records_out_total",
                                      COUNTER,
                                      "Records read from a stream.",
                                      {"stream"}},
    [LT_METRIC_STREAM_BYTES_OUT] = {"leat_stream_bytes_out_total",
                                    COUNTER,
                                    "Bytes of data read from a stream.",
                                    {"stream"}},
    [LT_METRIC_DELIVERY_RECORDS] = {"leat_delivery_records_total",
                                    COUNTER,
                                    "Records put into objects by a delivery.",
                                    {"delivery"}},
    [LT_METRIC_DELIVERY_BYTES] = {"leat_delivery_bytes_total",
                                  COUNTER,
                                  "Bytes of objects written by a delivery.",
                                  {"delivery"}},
    [LT_METRIC_DELIVERY_OBJECTS] = {"leat_delivery_objects_total",
                                    COUNTER,
                                    "Objects written by a delivery.",
                                    {"delivery"}},
    [LT_METRIC_DELIVERY_ERRORS] = {"leat_delivery_errors_total",
                                   COUNTER,
                                   "Attempts of a delivery that failed.",
                                   {"delivery"}},
    [LT_METRIC_DELIVERY_BUFFER] = {"leat_delivery_buffer_bytes",
                                   GAUGE,
                                   "Bytes that a delivery holds and has not put yet.",
                                   {"delivery"}},
    [LT_METRIC_DELIVERY_LAG] = {"leat_delivery_lag_records",
                                GAUGE,
                                "Records of its stream that a delivery has not put yet.",
                                {"delivery"}},
    [LT_METRIC_ROUTE_RECORDS] = {"leat_route_records_total",
                                 COUNTER,
                                 "Records that a route's sink acknowledged.",
                                 {"pipeline", "route"}},
    [LT_METRIC_ROUTE_BYTES] = {"leat_route_bytes_total",
                               COUNTER,
                               "Bytes that a route's sink acknowledged.",
                               {"pipeline", "route"}},
    [LT_METRIC_ROUTE_ERRORS] = {"leat_route_errors_total",
                                COUNTER,
                                "Attempts to write to a route's sink that failed.",
                                {"pipeline", "route"}},
    [LT_METRIC_ROUTE_BUFFER] = {"leat_route_buffer_bytes",
                                GAUGE,
                                "Bytes that wait for a route's sink.",
                                {"pipeline", "route"}},
    [LT_METRIC_PIPELINE_RECORDS] = {"leat_pipeline_records_total",
                                    COUNTER,
                                    "Records that a pipeline read from its source.",
                                    {"pipeline"}},
    [LT_METRIC_PIPELINE_DEAD] = {"leat_pipeline_dead_letters_total",
                                 COUNTER,
                                 "Records that became dead letters.",
                                 {"pipeline"}},
    [LT_METRIC_PIPELINE_LAG] = {"leat_pipeline_lag_records",
                                GAUGE,
                                "Records of the source that a pipeline has not read yet.",
                                {"pipeline"}},
    [LT_METRIC_PIPELINE_LATENCY] = {"leat_pipeline_latency_seconds",
                                    HISTOGRAM,
                                    "Time from a record's arrival in the source to its sink's "
                                    "acknowledgement.",
                                    {"pipeline"}},
    [LT_METRIC_REQUESTS] = {"leat_requests_total",
                            COUNTER,
                            "Requests answered.",
                            {"service", "operation"}},
    [LT_METRIC_REQUEST_ERRORS] = {"leat_request_errors_total",
                                  COUNTER,
                                  "Requests answered with an error.",
                                  {"service", "operation", "code"}},
    [LT_METRIC_REQUEST_LATENCY] = {"leat_request_seconds",
                                   HISTOGRAM,
                                   "Time from a request's first byte to its answer.",
                                   {"service", "operation"}},
    [LT_METRIC_JOURNAL_SYNCS] = {"leat_journal_syncs_total",
                                 COUNTER,
                                 "Groups of records synced to the journal.",
                                 {NULL}},
    [LT_METRIC_JOURNAL_SYNC_LATENCY] = {"leat_journal_sync_seconds",
                                        HISTOGRAM,
                                        "Time that a group's write and sync took.",
                                        {NULL}},
    [LT_METRIC_JOURNAL_BYTES] = {"leat_journal_bytes",
                                 GAUGE,
                                 "Bytes of the journal's segments on disk.",
                                 {NULL}},
    [LT_METRIC_HTTP_CONNECTIONS] = {"leat_http_connections", GAUGE, "Open connections.", {NULL}},
};

/* Upper bounds of a histogram's buckets; one more takes what is above. */
static const double bounds_s[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                  0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5,
                                  5,      10,      30,     60,    300};
enum { N_BOUNDS = sizeof(bounds_s) / sizeof(bounds_s[0]) };

struct histogram {
    _Atomic uint64_t counts[N_BOUNDS + 1];
};

struct lt_metric_series {
    /* immutable after it is in the lists */
    enum lt_metric_id id;
    char *labels[MAX_LABELS];
    struct histogram *histogram;           /* NULL for the other types */
    struct lt_metric_series *next;         /* of the same metric; guarded by mu */
    struct lt_metric_series *next_in_slot; /* guarded by mu */
    /* any thread */
    _Atomic uint64_t bits; /* of a double: the value, or the sum of a histogram */
};

struct lt_metrics {
    pthread_mutex_t mu;
    /* guarded by mu */
    struct lt_metric_series *slots[N_SLOTS];
    struct lt_metric_series *first[LT_N_METRICS];
    struct lt_metric_series **last[LT_N_METRICS]; /* NULL as long as there is none */
    size_t n_series[LT_N_METRICS];
    /* any thread */
    struct lt_metric_series unseen;
};

struct lt_metrics *lt_metrics_global(void) {
    static struct lt_metrics global = {.mu = PTHREAD_MUTEX_INITIALIZER};
    return &global;
}

static size_t slot_of(enum lt_metric_id id, const char *const values[MAX_LABELS]) {
    uint32_t hash = 2166136261U ^ (uint32_t)id; /* FNV-1a, a zero byte between labels */

    for (size_t i = 0; i < MAX_LABELS; i++) {
        for (const char *p = values[i]; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 16777619U;
        hash *= 16777619U;
    }
    return hash % N_SLOTS;
}

static bool is_series(const struct lt_metric_series *series, enum lt_metric_id id,
                      const char *const values[MAX_LABELS]) {
    if (series->id != id)
        return false;
    for (size_t i = 0; i < MAX_LABELS; i++)
        if (strcmp(series->labels[i], values[i]) != 0)
            return false;
    return true;
}

static void free_series(struct lt_metric_series *series) {
    if (!series)
        return;
    for (size_t i = 0; i < MAX_LABELS; i++)
        free(series->labels[i]);
    free(series->histogram);
    free(series);
}

static struct lt_metric_series *new_series(enum lt_metric_id id,
                                           const char *const values[MAX_LABELS]) {
    struct lt_metric_series *series = calloc(1, sizeof(*series));

    if (!series)
        return NULL;
    series->id = id;
    for (size_t i = 0; i < MAX_LABELS; i++) {
        series->labels[i] = strdup(values[i]);
        if (!series->labels[i])
            goto fail;
    }
    if (rows[id].type == HISTOGRAM) {
        series->histogram = calloc(1, sizeof(*series->histogram));
        if (!series->histogram)
            goto fail;
    }
    return series;

fail:
    free_series(series);
    return NULL;
}

static struct lt_metric_series *find_or_add(struct lt_metrics *metrics, enum lt_metric_id id,
                                            const char *const values[MAX_LABELS]) {
    size_t slot = slot_of(id, values);
    struct lt_metric_series *series = metrics->slots[slot];

    while (series && !is_series(series, id, values))
        series = series->next_in_slot;
    if (series || metrics->n_series[id] >= MAX_SERIES)
        return series;
    series = new_series(id, values);
    if (!series)
        return NULL;
    series->next_in_slot = metrics->slots[slot];
    metrics->slots[slot] = series;
    *(metrics->last[id] ? metrics->last[id] : &metrics->first[id]) = series;
    metrics->last[id] = &series->next;
    metrics->n_series[id]++;
    return series;
}

struct lt_metric_series *lt_metric(struct lt_metrics *metrics, enum lt_metric_id id, const char *a,
                                   const char *b, const char *c) {
    const char *given[MAX_LABELS] = {a, b, c};
    const char *values[MAX_LABELS];

    if ((unsigned)id >= LT_N_METRICS)
        return &metrics->unseen;
    for (size_t i = 0; i < MAX_LABELS; i++)
        values[i] = rows[id].labels[i] && given[i] ? given[i] : "";
    pthread_mutex_lock(&metrics->mu);
    struct lt_metric_series *series = find_or_add(metrics, id, values);
    pthread_mutex_unlock(&metrics->mu);
    return series ? series : &metrics->unseen;
}

static double to_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t to_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

void lt_metric_add(struct lt_metric_series *series, double n) {
    uint64_t old = atomic_load_explicit(&series->bits, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(&series->bits, &old, to_bits(to_double(old) + n),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

void lt_metric_set(struct lt_metric_series *series, double value) {
    atomic_store_explicit(&series->bits, to_bits(value), memory_order_relaxed);
}

void lt_metric_observe(struct lt_metric_series *series, double seconds) {
    lt_metric_observe_all(series, seconds, 1);
}

void lt_metric_observe_all(struct lt_metric_series *series, double seconds, uint64_t n) {
    size_t i = 0;

    if (!series->histogram)
        return;
    while (i < N_BOUNDS && seconds > bounds_s[i])
        i++;
    atomic_fetch_add_explicit(&series->histogram->counts[i], n, memory_order_relaxed);
    lt_metric_add(series, seconds * (double)n);
}

double lt_metric_value(const struct lt_metric_series *series) {
    return to_double(atomic_load_explicit(&series->bits, memory_order_relaxed));
}

static void write_number(struct lt_buf *out, double value) {
    char text[40];

    if (isnan(value)) {
        lt_buf_append_str(out, "NaN");
    } else if (isinf(value)) {
        lt_buf_append_str(out, value > 0 ? "+Inf" : "-Inf");
    } else {
        snprintf(text, sizeof(text), "%.15g", value);
        if (strtod(text, NULL) != value)
            snprintf(text, sizeof(text), "%.17g", value);
        lt_buf_append_str(out, text);
    }
}

static void write_label(struct lt_buf *out, const char *name, const char *value) {
    lt_buf_printf(out, "%s=\"", name);
    for (size_t i = 0; value[i]; i++) {
        if (value[i] == '\n')
            lt_buf_append_str(out, "\\n");
        else if (value[i] == '"' || value[i] == '\\')
            lt_buf_printf(out, "\\%c", value[i]);
        else
            lt_buf_append_byte(out, value[i]);
    }
    lt_buf_append_byte(out, '"');
}

/* `name{labels,le="…"} value`, without the braces where there is nothing between them. */
static void write_sample(struct lt_buf *out, const struct lt_metric_series *series,
                         const char *suffix, const char *le, double value) {
    const struct row *row = &rows[series->id];
    const char *before = "{";

    lt_buf_append_str(out, row->name);
    lt_buf_append_str(out, suffix);
    for (size_t i = 0; i < MAX_LABELS && row->labels[i]; i++) {
        lt_buf_append_str(out, before);
        write_label(out, row->labels[i], series->labels[i]);
        before = ",";
    }
    if (le) {
        lt_buf_append_str(out, before);
        write_label(out, "le", le);
        before = ",";
    }
    lt_buf_append_str(out, *before == ',' ? "} " : " ");
    write_number(out, value);
    lt_buf_append_byte(out, '\n');
}

static void write_histogram(struct lt_buf *out, const struct lt_metric_series *series) {
    double sum = lt_metric_value(series);
    uint64_t n = 0;
    char le[32];

    for (size_t i = 0; i < N_BOUNDS; i++) {
        n += atomic_load_explicit(&series->histogram->counts[i], memory_order_relaxed);
        snprintf(le, sizeof(le), "%g", bounds_s[i]);
        write_sample(out, series, "_bucket", le, (double)n);
    }
    n += atomic_load_explicit(&series->histogram->counts[N_BOUNDS], memory_order_relaxed);
    write_sample(out, series, "_bucket", "+Inf", (double)n);
    write_sample(out, series, "_sum", NULL, sum);
    write_sample(out, series, "_count", NULL, (double)n);
}

void lt_metrics_write(struct lt_metrics *metrics, struct lt_buf *out) {
    pthread_mutex_lock(&metrics->mu);
    for (size_t id = 0; id < LT_N_METRICS; id++) {
        if (!metrics->first[id])
            continue;
        lt_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[id].name, rows[id].help,
                      rows[id].name, type_names[rows[id].type]);
        for (const struct lt_metric_series *s = metrics->first[id]; s; s = s->next) {
            if (s->histogram)
                write_histogram(out, s);
            else
                write_sample(out, s, "", NULL, lt_metric_value(s));
        }
    }
    pthread_mutex_unlock(&metrics->mu);
}
