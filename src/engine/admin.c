/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's own pages, each a row: /healthz, /metrics, and under /_leat/ what the leat commands
 * ask of an engine that another process holds. No bucket can be named so: a bucket's name has no
 * underscore, and a bucket "metrics" or "healthz" is always listed with a query.
 */
#include "base/metrics.h"
#include "engine/parts.h"

#include <stdlib.h>

enum { MAX_PAGE_BYTES = 64 << 20, MAX_FLUSH_MS = 3600 * 1000 };

static void answer_text(struct lt_http_request *request, unsigned http, const char *type,
                        struct lt_buf *body) {
    struct lt_http_header headers[] = {{"Content-Type", lt_slice_str(type)}, {NULL, {NULL, 0}}};
    lt_http_respond_take(request, http, headers, body);
}

static void answer_error(struct lt_http_request *request, leat_status status,
                         const struct leat_error *err) {
    lt_service_refuse(request, (unsigned)lt_status_http(status), leat_status_name(status),
                      err->text);
}

static void show_health(struct lt_engine *engine, struct lt_http_request *request) {
    struct lt_buf body;

    lt_buf_init(&body, 64);
    lt_buf_append_str(&body, engine->stopping ? "stopping\n" : "ok\n");
    answer_text(request, engine->stopping ? 503 : 200, "text/plain; charset=utf-8", &body);
    lt_buf_deinit(&body);
}

static void show_metrics(struct lt_engine *engine, struct lt_http_request *request) {
    struct lt_metrics *metrics = lt_metrics_global();
    struct lt_buf body;

    lt_metric_set(lt_metric(metrics, LT_METRIC_JOURNAL_BYTES, NULL, NULL, NULL),
                  (double)lt_journal_disk_bytes(engine->journal));
    lt_buf_init(&body, MAX_PAGE_BYTES);
    lt_metrics_write(metrics, &body);
    answer_text(request, body.failed ? 500 : 200, "text/plain; version=0.0.4; charset=utf-8",
                &body);
    lt_buf_deinit(&body);
}

static void show_status(struct lt_engine *engine, struct lt_http_request *request) {
    struct leat_error err;
    struct lt_buf body;
    leat_status status;

    lt_buf_init(&body, MAX_PAGE_BYTES);
    status = lt_engine_write_status(engine, &body, &err);
    if (status == LEAT_OK)
        answer_text(request, 200, "application/json", &body);
    else
        answer_error(request, status, &err);
    lt_buf_deinit(&body);
}

static void on_flushed(void *ctx, leat_status status, const struct leat_error *err) {
    struct lt_http_request *request = ctx;
    static const struct lt_http_header headers[] = {{"Content-Type", {"application/json", 16}},
                                                    {NULL, {NULL, 0}}};

    if (status == LEAT_OK)
        lt_http_respond(request, 200, headers, LT_LIT("{}\n"));
    else
        answer_error(request, status, err);
}

static void flush(struct lt_engine *engine, struct lt_http_request *request) {
    struct lt_arena *arena = lt_http_arena(request);
    struct lt_slice query = lt_http_raw_query(request);
    struct lt_slice name = lt_http_query(query, "delivery", arena);
    struct lt_slice timeout = lt_http_query(query, "timeout_ms", arena);
    const char *delivery = name.len > 0 ? lt_arena_str(arena, name) : NULL;
    const char *digits = timeout.len > 0 ? lt_arena_str(arena, timeout) : NULL;
    int64_t timeout_ms = digits ? strtoll(digits, NULL, 10) : 30 * 1000;
    struct leat_error err;
    leat_status status;

    if (timeout_ms < 0 || timeout_ms > MAX_FLUSH_MS)
        timeout_ms = MAX_FLUSH_MS;
    status =
        lt_deliveries_flush(engine->deliveries, delivery, timeout_ms, on_flushed, request, &err);
    if (status != LEAT_OK)
        answer_error(request, status, &err);
}

/* The sample's own page; without one, that is said. */
static bool has_sample(const struct lt_engine *engine, struct lt_http_request *request) {
    if (!engine->sample)
        lt_service_refuse(request, 404, "LEAT_E_NOT_FOUND",
                          "no sample is on: leat serve --sample spotify");
    return engine->sample != NULL;
}

static void show_sample(struct lt_engine *engine, struct lt_http_request *request) {
    if (has_sample(engine, request))
        lt_spotify_show(engine->sample, request);
}

static void change_sample(struct lt_engine *engine, struct lt_http_request *request) {
    if (has_sample(engine, request))
        lt_spotify_change(engine->sample, request);
}

static const struct page {
    const char *path;
    const char *method; /* HEAD is also taken where it is GET */
    void (*show)(struct lt_engine *engine, struct lt_http_request *request);
} pages[] = {
    {"/healthz", "GET", show_health},      {"/metrics", "GET", show_metrics},
    {"/_leat/status", "GET", show_status}, {"/_leat/flush", "POST", flush},
    {"/_leat/sample", "GET", show_sample}, {"/_leat/sample", "POST", change_sample},
};

static bool is_method(struct lt_http_request *request, const char *method) {
    struct lt_slice given = lt_http_method(request);
    return lt_slice_eq_str(given, method) ||
           (!strcmp(method, "GET") && lt_slice_eq_str(given, "HEAD"));
}

static const struct page *find_page(struct lt_http_request *request) {
    struct lt_slice path = lt_http_raw_path(request);

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (lt_slice_eq_str(path, pages[i].path) && is_method(request, pages[i].method))
            return &pages[i];
    return NULL;
}

static bool is_private(struct lt_http_request *request) {
    return lt_slice_starts(lt_http_raw_path(request), LT_LIT("/_leat/"));
}

bool lt_admin_is(struct lt_http_request *request) {
    return is_private(request) || (lt_http_raw_query(request).len == 0 && find_page(request));
}

bool lt_admin_handle(struct lt_engine *engine, struct lt_http_request *request) {
    const struct page *page = find_page(request);

    if (page)
        page->show(engine, request);
    else
        lt_service_refuse(request, 404, "LEAT_E_NOT_FOUND",
                          "there is GET /_leat/status, POST /_leat/flush, and GET and POST "
                          "/_leat/sample");
    return page != NULL;
}
