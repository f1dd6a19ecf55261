/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher: those that wait, the pump that sends them, and the way in and out. */
#include "rest/fetch_parts.h"
#include "rest/url.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    REQUEST_MAX = 8 << 20, /* of a request's own memory: its URLs and headers */
    BACKOFF_MS = 200,
    LONGEST_BACKOFF_MS = 20000,
    DEFAULT_ATTEMPTS = 8,
    DEFAULT_RETRY_AFTER_CAP_MS = 300000,
    DEFAULT_CONCURRENCY = 16,
    NO_MEMORY_MS = 1000, /* then a token is asked for again */
};

static unsigned concurrency(const struct lt_rest_fetcher *fetcher) {
    return fetcher->api->concurrency ? fetcher->api->concurrency : (unsigned)DEFAULT_CONCURRENCY;
}

void lt_rest_note(struct lt_rest_fetcher *fetcher, enum lt_rest_note note, int64_t until_ms,
                  const char *fmt, ...) {
    char text[LEAT_ERROR_TEXT_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (fetcher->on_note)
        fetcher->on_note(fetcher->ctx, note, text, until_ms);
}

const char *lt_rest_fetching_name(const struct lt_rest_fetching *fetching, char out[320]) {
    struct lt_buf buf;
    lt_buf_init(&buf, 1 << 20);
    lt_rest_mask_append(fetching->fetcher->mask, lt_slice_str(fetching->url), &buf);
    bool cut = buf.len > 280;
    snprintf(out, 320, "%s %.*s%s", fetching->method, cut ? 280 : (int)buf.len,
             buf.len ? buf.data : "", cut ? "..." : "");
    lt_buf_deinit(&buf);
    return out;
}

static struct lt_rest_host *find_host(struct lt_rest_fetcher *fetcher, const char *url) {
    struct lt_rest_url parts;
    char name[300];
    if (!lt_rest_url_split(lt_slice_str(url), &parts))
        return NULL;
    snprintf(name, sizeof(name), "%.*s:%.*s", LT_FMT(parts.host),
             LT_FMT(parts.port.len          ? parts.port
                    : parts.scheme.len == 5 ? LT_LIT("443")
                                            : LT_LIT("80")));
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    for (size_t i = 0; i < fetcher->n_hosts; i++)
        if (strcmp(fetcher->hosts[i].name, name) == 0)
            return &fetcher->hosts[i];
    /* An API whose links lead to ever new hosts: the last of them share one budget. */
    if (fetcher->n_hosts == LT_REST_MAX_HOSTS)
        return &fetcher->hosts[LT_REST_MAX_HOSTS - 1];
    struct lt_rest_host *host = &fetcher->hosts[fetcher->n_hosts];
    host->name = strdup(name);
    if (!host->name)
        return NULL;
    fetcher->n_hosts++;
    lt_rest_budget_init(&host->budget, fetcher->api->rate_per_s, (int64_t)uv_now(fetcher->loop));
    return host;
}

bool lt_rest_fetching_aim(struct lt_rest_fetching *fetching, const char *url) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    fetching->url = lt_arena_str(&fetching->arena, lt_slice_str(url));
    fetching->host = fetching->url ? find_host(fetcher, fetching->url) : NULL;
    fetching->own_origin =
        lt_rest_url_same_origin(lt_slice_str(url), lt_slice_str(fetcher->api->base_url));
    return fetching->host != NULL;
}

static bool copy_headers(struct lt_rest_fetching *fetching, const char *const *headers) {
    size_t n = 0;
    while (headers && headers[n])
        n++;
    fetching->headers = lt_arena_calloc(&fetching->arena, n + 1, sizeof(*headers));
    if (!fetching->headers)
        return false;
    for (; fetching->n_headers < n; fetching->n_headers++) {
        char *line = lt_arena_str(&fetching->arena, lt_slice_str(headers[fetching->n_headers]));
        if (!line)
            return false;
        fetching->headers[fetching->n_headers] = line;
    }
    return true;
}

struct lt_rest_fetching *lt_rest_fetching_new(struct lt_rest_fetcher *fetcher,
                                              const struct lt_rest_request *request,
                                              lt_rest_fetched *done, void *ctx) {
    struct lt_rest_fetching *fetching = calloc(1, sizeof(*fetching));
    if (!fetching)
        return NULL;
    lt_arena_init(&fetching->arena, REQUEST_MAX);
    fetching->fetcher = fetcher;
    fetching->resource = request->resource;
    fetching->body = request->body;
    fetching->done = done;
    fetching->ctx = ctx;
    fetching->serial = ++fetcher->next_serial;
    fetching->method = lt_arena_str(&fetching->arena, lt_slice_str(request->method));
    if (!fetching->method || !copy_headers(fetching, request->headers) ||
        !lt_rest_fetching_aim(fetching, request->url)) {
        lt_rest_fetching_free(fetching);
        return NULL;
    }
    return fetching;
}

void lt_rest_fetching_free(struct lt_rest_fetching *fetching) {
    lt_arena_deinit(&fetching->arena);
    free(fetching->early);
    free(fetching);
}

/* In the order of their serials: one that comes back stands before those that came later. */
static void insert(struct lt_rest_fetching *fetching) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    struct lt_rest_fetching *before = fetcher->last;
    while (before && before->serial > fetching->serial)
        before = before->prev;
    fetching->prev = before;
    fetching->next = before ? before->next : fetcher->first;
    if (fetching->next)
        fetching->next->prev = fetching;
    else
        fetcher->last = fetching;
    if (before)
        before->next = fetching;
    else
        fetcher->first = fetching;
}

static void take_out(struct lt_rest_fetching *fetching) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    if (fetching->prev)
        fetching->prev->next = fetching->next;
    else
        fetcher->first = fetching->next;
    if (fetching->next)
        fetching->next->prev = fetching->prev;
    else
        fetcher->last = fetching->prev;
    fetching->prev = fetching->next = NULL;
}

void lt_rest_fetching_wait(struct lt_rest_fetching *fetching, int64_t wait_ms) {
    fetching->not_before_ms = (int64_t)uv_now(fetching->fetcher->loop) + wait_ms;
    insert(fetching);
}

void lt_rest_fetching_finish(struct lt_rest_fetching *fetching, leat_status status,
                             struct lt_http_answer *answer, const struct leat_error *err) {
    struct lt_http_answer none = {.remote = ""};
    if (fetching->resource)
        fetching->fetcher->n_active--;
    fetching->done(fetching->ctx, status, fetching->url, answer ? answer : &none, err);
    lt_rest_fetching_free(fetching);
}

void lt_rest_fetching_drop(struct lt_rest_fetching *fetching, leat_status status,
                           const struct leat_error *err) {
    take_out(fetching);
    lt_rest_fetching_finish(fetching, status, NULL, err);
}

/* It is told from the loop, never from inside the call that started it. */
static void fail_early(struct lt_rest_fetching *fetching, const struct leat_error *err) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    struct lt_rest_fetching **end = &fetcher->early;
    fetching->early = malloc(sizeof(*fetching->early));
    if (fetching->early)
        *fetching->early = *err;
    while (*end)
        end = &(*end)->next;
    *end = fetching;
    fetching->next = NULL;
}

static void tell_early(struct lt_rest_fetcher *fetcher) {
    while (!fetcher->closed && fetcher->early) {
        struct lt_rest_fetching *fetching = fetcher->early;
        struct leat_error err;
        fetcher->early = fetching->next;
        if (fetching->early)
            err = *fetching->early;
        else
            lt_fail(&err, LEAT_E_NOMEM, 0, "no memory for a request");
        lt_rest_fetching_finish(fetching, err.status, NULL, &err);
    }
}

static void on_timer(uv_timer_t *timer) {
    struct lt_rest_fetcher *fetcher = timer->data;
    tell_early(fetcher);
    lt_rest_pump(fetcher);
}

/* Milliseconds until it may go as to time; 0: now. */
static int64_t time_to_wait(struct lt_rest_fetching *fetching, int64_t now_ms) {
    if (fetching->not_before_ms > now_ms)
        return fetching->not_before_ms - now_ms;
    return lt_rest_budget_take(&fetching->host->budget, now_ms);
}

/* Sends what may go; the time until something else may, or -1. */
static int64_t send_ready(struct lt_rest_fetcher *fetcher, int64_t now_ms) {
    int64_t soonest_ms = -1, wait_ms;
    struct lt_rest_fetching *next;
    struct leat_error err;

    for (struct lt_rest_fetching *fetching = fetcher->first; fetching; fetching = next) {
        next = fetching->next;
        if (fetching->resource && fetcher->n_sent >= concurrency(fetcher))
            break;
        if (lt_rest_token_ready(fetching))
            wait_ms = time_to_wait(fetching, now_ms);
        else if (fetcher->tokens.asking)
            continue;
        else
            wait_ms = NO_MEMORY_MS;
        if (wait_ms) {
            if (soonest_ms < 0 || wait_ms < soonest_ms)
                soonest_ms = wait_ms;
            continue;
        }
        take_out(fetching);
        fetching->sent_ms = now_ms;
        if (lt_rest_send(fetching, &err) != LEAT_OK)
            fail_early(fetching, &err);
        else if (fetching->resource)
            fetcher->n_sent++;
    }
    return soonest_ms;
}

void lt_rest_pump(struct lt_rest_fetcher *fetcher) {
    if (fetcher->closed)
        return;
    uv_update_time(fetcher->loop);
    int64_t now_ms = (int64_t)uv_now(fetcher->loop);
    uint64_t before = fetcher->next_serial;
    int64_t wait_ms = send_ready(fetcher, now_ms);
    if (before != fetcher->next_serial) /* a token is asked for, which stands before all */
        wait_ms = send_ready(fetcher, now_ms);
    if (fetcher->early)
        wait_ms = 0;
    if (wait_ms >= 0)
        uv_timer_start(&fetcher->timer, on_timer, (uint64_t)wait_ms, 0);
    else
        uv_timer_stop(&fetcher->timer);
}

leat_status lt_rest_fetch(struct lt_rest_fetcher *fetcher, const struct lt_rest_request *request,
                          lt_rest_fetched *done, void *ctx, struct leat_error *err) {
    if (fetcher->closed)
        return lt_fail(err, LEAT_E_CANCELLED, 0, "the fetcher is being closed");
    if (!lt_rest_url_is_absolute(lt_slice_str(request->url)))
        return lt_fail(err, LEAT_E_INVALID, 0, "the address of resource %s is no http or https URL",
                       request->resource->name);
    struct lt_rest_fetching *fetching = lt_rest_fetching_new(fetcher, request, done, ctx);
    if (!fetching)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request of resource %s",
                       request->resource->name);
    fetcher->n_active++;
    insert(fetching);
    lt_rest_pump(fetcher);
    return LEAT_OK;
}

leat_status lt_rest_fetcher_new(struct lt_rest_fetcher **out,
                                const struct lt_rest_fetcher_options *opt, struct leat_error *err) {
    const struct lt_rest_api *api = opt->api;
    const char *kind = api->auth.kind ? api->auth.kind : "none";
    leat_status status;

    *out = NULL;
    struct lt_rest_fetcher *fetcher = calloc(1, sizeof(*fetcher));
    if (!fetcher)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a fetcher");
    fetcher->api = api;
    fetcher->loop = opt->loop;
    fetcher->ctx = opt->ctx;
    fetcher->on_note = opt->on_note;
    fetcher->retry = (struct lt_retry_policy){
        .max_attempts = api->max_attempts ? api->max_attempts : (unsigned)DEFAULT_ATTEMPTS,
        .base_ms = BACKOFF_MS,
        .cap_ms = LONGEST_BACKOFF_MS,
        .retry_after_cap_ms = api->retry_after_cap_ms ? api->retry_after_cap_ms
                                                      : (int64_t)DEFAULT_RETRY_AFTER_CAP_MS};
    fetcher->auth = lt_rest_auth_find(kind);
    status = fetcher->auth ? lt_rest_mask_new(&fetcher->mask, api, err)
                           : lt_fail(err, LEAT_E_CONFIG, 0, "there is no auth %s", kind);
    /* As many as there may be requests, and one for a token. */
    struct lt_http_client_options client = {.loop = opt->loop,
                                            .max_connections_per_host = concurrency(fetcher) + 1};
    if (status == LEAT_OK)
        status = lt_http_client_new(&fetcher->client, &client, err);
    if (status != LEAT_OK) {
        lt_rest_mask_free(fetcher->mask);
        free(fetcher);
        return status;
    }
    uv_timer_init(opt->loop, &fetcher->timer);
    fetcher->timer.data = fetcher;
    *out = fetcher;
    return LEAT_OK;
}

static void on_timer_closed(uv_handle_t *handle) {
    struct lt_rest_fetcher *fetcher = handle->data;
    lt_rest_mask_free(fetcher->mask);
    for (size_t i = 0; i < fetcher->n_hosts; i++)
        free(fetcher->hosts[i].name);
    free(fetcher->tokens.value);
    free(fetcher->tokens.refresh_token);
    free(fetcher);
}

void lt_rest_fetcher_free(struct lt_rest_fetcher *fetcher) {
    struct leat_error err;
    if (!fetcher || fetcher->closed)
        return;
    fetcher->closed = true;
    lt_http_client_free(fetcher->client); /* those that were sent */
    lt_fail(&err, LEAT_E_CANCELLED, 0, "cancelled");
    while (fetcher->early) {
        struct lt_rest_fetching *fetching = fetcher->early;
        fetcher->early = fetching->next;
        lt_rest_fetching_finish(fetching, LEAT_E_CANCELLED, NULL, &err);
    }
    while (fetcher->first)
        lt_rest_fetching_drop(fetcher->first, LEAT_E_CANCELLED, &err);
    uv_close((uv_handle_t *)&fetcher->timer, on_timer_closed);
}

const struct lt_rest_mask *lt_rest_fetcher_mask(const struct lt_rest_fetcher *fetcher) {
    return fetcher->mask;
}

size_t lt_rest_fetcher_n_active(const struct lt_rest_fetcher *fetcher) {
    return fetcher->n_active;
}

uint64_t lt_rest_fetcher_n_retries(const struct lt_rest_fetcher *fetcher) {
    return fetcher->n_retries;
}
