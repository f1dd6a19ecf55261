/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a request: wait for its time, find the operation, check the token, keep the limits,
 * read the parameters, meet a fault or not, write the answer, count. All of it but the waiting is
 * done in one go, and nothing of an answer is kept while its request waits.
 */
#include "base/clock.h"
#include "base/log.h"
#include "engine/spotify/parts.h"

#include <stdlib.h>
#include <strings.h>

enum { MAX_BODY_BYTES = 8 << 20 };

/* Where a request goes. */

bool lt_spotify_is(struct lt_http_request *request) {
    struct lt_slice path = lt_http_raw_path(request);

    return lt_slice_starts(path, LT_LIT("/v1/")) || lt_slice_eq_str(path, "/v1") ||
           lt_slice_eq_str(path, "/api/token");
}

/* Whether `path` is the row's; `*id` gets what stands for {id}, which has no slash. */
static bool path_matches(const char *row, struct lt_slice path, struct lt_slice *id) {
    const char *mark = strstr(row, "{id}");

    if (!mark)
        return lt_slice_eq_str(path, row);
    struct lt_slice before = lt_slice(row, (size_t)(mark - row));
    struct lt_slice after = lt_slice_str(mark + 4);
    if (!lt_slice_starts(path, before) || path.len <= before.len + after.len)
        return false;
    *id = lt_slice(path.data + before.len, path.len - before.len - after.len);
    return lt_slice_eq(lt_slice_from(path, path.len - after.len), after) &&
           !memchr(id->data, '/', id->len);
}

static bool is_method(struct lt_slice given, const char *method) {
    return lt_slice_eq_str(given, method) ||
           (!strcmp(method, "GET") && lt_slice_eq_str(given, "HEAD"));
}

static unsigned find_operation(struct lt_spotify_call *call) {
    struct lt_slice path = lt_http_raw_path(call->request);
    struct lt_slice method = lt_http_method(call->request);

    for (size_t i = 0; i < lt_spotify_n_operations; i++) {
        const struct lt_spotify_operation *row = &lt_spotify_operations[i];
        if (!path_matches(row->path, path, &call->id))
            continue;
        if (!is_method(method, row->method))
            return lt_spotify_error(call, 405, "Method not allowed");
        call->operation = row;
        return 200;
    }
    return lt_spotify_error(call, 404, "Service not found");
}

static unsigned check_token(struct lt_spotify_call *call, unsigned *slot) {
    struct lt_slice header = lt_http_header(call->request, "Authorization");
    static const char scheme[] = "Bearer ";

    call->challenge = "Bearer realm=\"spotify\"";
    if (header.len == 0)
        return lt_spotify_error(call, 401, "No token provided");
    if (header.len < sizeof(scheme) - 1 ||
        strncasecmp(header.data, scheme, sizeof(scheme) - 1) != 0)
        return lt_spotify_error(call, 400, "Only valid bearer authentication supported");
    call->challenge = "Bearer realm=\"spotify\", error=\"invalid_token\"";
    switch (lt_spotify_token_check(call->spotify->tokens, lt_slice_from(header, sizeof(scheme) - 1),
                                   lt_clock_mono_us(), slot)) {
    case LT_SPOTIFY_TOKEN_GOOD:
        return 200;
    case LT_SPOTIFY_TOKEN_EXPIRED:
        return lt_spotify_error(call, 401, "The access token expired");
    case LT_SPOTIFY_TOKEN_WRONG:
        break;
    }
    return lt_spotify_error(call, 401, "Invalid access token");
}

/* The Host that the client used, so that it can follow the links; what could not stand in a URL is
 * not repeated. */
static struct lt_slice base_of(struct lt_spotify_call *call) {
    struct lt_slice host = lt_http_header(call->request, "Host");

    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              strchr(".-_:[]", c)) ||
            c == '\0')
            host.len = 0;
    }
    const char *base = host.len ? lt_arena_printf(call->arena, "http://%.*s", LT_FMT(host)) : NULL;
    return base ? lt_slice_str(base) : LT_LIT("http://localhost");
}

/* The answer. */

/* The last use of the call: with a client that is gone, the answer frees the request. */
static void respond(struct lt_spotify_call *call, unsigned status, bool truncate) {
    char retry_after[16];
    struct lt_http_header headers[6] = {
        {"Content-Type", LT_LIT("application/json; charset=utf-8")}};
    size_t n = 1;

    if (status == 429) {
        snprintf(retry_after, sizeof(retry_after), "%u", call->retry_after_s);
        headers[n++] = (struct lt_http_header){"Retry-After", lt_slice_str(retry_after)};
    }
    if (status == 401)
        headers[n++] = (struct lt_http_header){"WWW-Authenticate", lt_slice_str(call->challenge)};
    if (call->operation && call->operation->open)
        headers[n++] = (struct lt_http_header){"Cache-Control", LT_LIT("no-store")};
    headers[n] = (struct lt_http_header){NULL, {NULL, 0}};
    struct lt_buf out = call->out;
    if (truncate)
        lt_http_respond_cut(call->request, status, headers, &out, out.len / 2);
    else
        lt_http_respond_take(call->request, status, headers, &out);
    lt_buf_deinit(&out);
}

static void count(struct lt_spotify_call *call, unsigned status, bool truncate) {
    struct lt_spotify *spotify = call->spotify;

    spotify->counters.n_requests++;
    if (status < LT_SPOTIFY_N_STATUSES)
        spotify->counters.statuses[status]++;
    if (call->operation) {
        size_t row = (size_t)(call->operation - lt_spotify_operations);
        spotify->counters.operations[row]++;
        lt_metric_add(spotify->requests[row], 1);
        lt_metric_observe(spotify->latency[row],
                          (double)(lt_clock_mono_us() - lt_http_started_us(call->request)) * 1e-6);
    }
    if (truncate)
        spotify->counters.n_truncated++;
    if (status != 200 || truncate || call->page.len == 0)
        return;
    struct lt_spotify_page_count *page = lt_spotify_page_find(&spotify->pages, call->page);
    if (page)
        page->given++;
    else
        spotify->pages.n_unlisted++;
}

/* All up to the writing of a good answer. */
static unsigned prepare(struct lt_spotify_call *call, bool *truncate) {
    unsigned status = find_operation(call), slot = 0;

    if (status == 200 && !call->operation->open)
        status = check_token(call, &slot);
    if (status == 200 && !call->operation->open)
        status = lt_spotify_limit(call, slot);
    if (status == 200)
        status = call->operation->read(call);
    if (status == 200 && !call->operation->open)
        status = lt_spotify_fault(call, truncate);
    return status;
}

static void answer(struct lt_spotify_call *call) {
    bool truncate = false;

    lt_buf_init(&call->out, MAX_BODY_BYTES);
    call->base = base_of(call);
    unsigned status = prepare(call, &truncate);
    if (status == 200)
        call->operation->write(call);
    if (call->out.failed) {
        truncate = false;
        status = lt_spotify_error(call, 503, "Service unavailable");
    }
    count(call, status, truncate);
    respond(call, status, truncate);
}

/* The waiting: a list by time and one timer, for the first. */

static void on_time(uv_timer_t *timer);

static void set_timer(struct lt_spotify *spotify) {
    if (!spotify->waiting)
        return;
    int64_t left_us = spotify->waiting->due_us - lt_clock_mono_us();
    uv_update_time(spotify->timer.loop);
    uv_timer_start(&spotify->timer, on_time, left_us > 0 ? (uint64_t)(left_us + 999) / 1000 : 0, 0);
}

static struct lt_spotify_call *take_first(struct lt_spotify *spotify) {
    struct lt_spotify_call *call = spotify->waiting;

    spotify->waiting = call->next;
    if (!spotify->waiting)
        spotify->last_waiting = NULL;
    return call;
}

static void on_time(uv_timer_t *timer) {
    struct lt_spotify *spotify = timer->data;
    int64_t now_us = lt_clock_mono_us();

    while (spotify->waiting && spotify->waiting->due_us <= now_us)
        answer(take_first(spotify));
    set_timer(spotify);
}

/* Nearly always the last one; a change of the latency alone brings others. */
static void wait_for_time(struct lt_spotify *spotify, struct lt_spotify_call *call) {
    struct lt_spotify_call **at = &spotify->waiting;

    if (spotify->last_waiting && spotify->last_waiting->due_us <= call->due_us)
        at = &spotify->last_waiting->next;
    while (*at && (*at)->due_us <= call->due_us)
        at = &(*at)->next;
    call->next = *at;
    *at = call;
    if (!call->next)
        spotify->last_waiting = call;
    if (spotify->waiting == call)
        set_timer(spotify);
}

void lt_spotify_on_request(struct lt_spotify *spotify, struct lt_http_request *request) {
    struct lt_arena *arena = lt_http_arena(request);
    struct lt_spotify_call *call = lt_arena_calloc(arena, 1, sizeof(*call));

    if (!call) {
        lt_http_respond(request, 503, NULL, LT_LIT(""));
        return;
    }
    call->spotify = spotify;
    call->request = request;
    call->arena = arena;
    if (spotify->settings.latency_ms == 0) {
        answer(call);
        return;
    }
    call->due_us = lt_http_started_us(request) + spotify->settings.latency_ms * 1000;
    wait_for_time(spotify, call);
}

/* Life. */

static void find_series(struct lt_spotify *spotify) {
    struct lt_metrics *metrics = lt_metrics_global();

    for (size_t i = 0; i < lt_spotify_n_operations; i++) {
        const char *name = lt_spotify_operations[i].name;
        spotify->requests[i] = lt_metric(metrics, LT_METRIC_REQUESTS, "spotify", name, NULL);
        spotify->latency[i] = lt_metric(metrics, LT_METRIC_REQUEST_LATENCY, "spotify", name, NULL);
    }
}

static void free_all(struct lt_spotify *spotify) {
    lt_spotify_catalogue_free(spotify->catalogue);
    lt_spotify_tokens_free(spotify->tokens);
    lt_spotify_pages_deinit(&spotify->pages);
    free(spotify);
}

leat_status lt_spotify_open(struct lt_spotify **out, const struct lt_spotify_options *opt,
                            struct leat_error *err) {
    struct lt_spotify *spotify = calloc(1, sizeof(*spotify));
    leat_status status;

    *out = NULL;
    if (!spotify)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the sample");
    lt_spotify_pages_init(&spotify->pages);
    spotify->initial = lt_spotify_settings_default;
    status = lt_spotify_settings_read(&spotify->initial, lt_slice_str(opt->faults), err);
    if (status == LEAT_OK)
        status = lt_spotify_catalogue_open(&spotify->catalogue, opt->data, opt->scale, err);
    if (status == LEAT_OK && !(spotify->tokens = lt_spotify_tokens_new()))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the sample's tokens");
    if (status != LEAT_OK) {
        free_all(spotify);
        return status;
    }
    spotify->settings = spotify->initial;
    find_series(spotify);
    uv_timer_init(opt->loop, &spotify->timer);
    spotify->timer.data = spotify;
    *out = spotify;
    return LEAT_OK;
}

static void on_closed(uv_handle_t *handle) {
    free_all(handle->data);
}

void lt_spotify_close(struct lt_spotify *spotify) {
    if (!spotify)
        return;
    while (spotify->waiting)
        lt_http_respond(take_first(spotify)->request, 503, NULL, LT_LIT(""));
    uv_timer_stop(&spotify->timer);
    uv_close((uv_handle_t *)&spotify->timer, on_closed);
}
