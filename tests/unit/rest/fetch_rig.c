/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch_rig.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static void note(void *ctx, enum lt_rest_note kind, const char *text, int64_t until_ms) {
    struct rig *rig = ctx;
    if (rig->n_notes == MOST_NOTES)
        return;
    rig->notes[rig->n_notes].note = kind;
    rig->notes[rig->n_notes].until_ms = until_ms;
    snprintf(rig->notes[rig->n_notes].text, sizeof(rig->notes[0].text), "%s", text);
    rig->n_notes++;
}

void rig_start(struct rig *rig, peer_handler *own, peer_handler *other) {
    memset(rig, 0, sizeof(*rig));
    pthread_mutex_init(&rig->mu, NULL);
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->peer = peer_start(NULL, own, rig);
    snprintf(rig->base_url, sizeof(rig->base_url), "%s", peer_url(rig->peer));
    snprintf(rig->token_url, sizeof(rig->token_url), "%s/token", rig->base_url);
    if (other) {
        rig->other = peer_start(NULL, other, rig);
        snprintf(rig->other_url, sizeof(rig->other_url), "%s", peer_url(rig->other));
    }
    rig->hints[0] = (struct lt_rest_hint){403, "ask for the right to read it"};
    rig->resource = (struct lt_rest_resource){
        .name = "albums", .method = "GET", .hints = rig->hints, .n_hints = 1};
    rig->api = (struct lt_rest_api){.name = "shop",
                                    .base_url = rig->base_url,
                                    .auth = {.kind = "none"},
                                    .resources = &rig->resource,
                                    .n_resources = 1,
                                    .max_attempts = 5,
                                    .read_timeout_ms = 20000};
}

void rig_ready(struct rig *rig) {
    struct lt_rest_fetcher_options opt = {
        .api = &rig->api, .loop = &rig->loop, .ctx = rig, .on_note = note};
    struct leat_error err;
    assert_int_equal(lt_rest_fetcher_new(&rig->fetcher, &opt, &err), LEAT_OK);
}

void rig_end(struct rig *rig) {
    lt_rest_fetcher_free(rig->fetcher);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    peer_stop(rig->peer);
    if (rig->other)
        peer_stop(rig->other);
    pthread_mutex_destroy(&rig->mu);
}

unsigned rig_see(struct rig *rig, const char *who, const struct peer_request *request) {
    char line[512];
    unsigned before = 0;
    snprintf(line, sizeof(line), "%s %.450s", request->method, request->target);
    pthread_mutex_lock(&rig->mu);
    for (unsigned i = 0; i < rig->n_seen && i < MOST_SEEN; i++)
        before += strcmp(rig->seen[i].line, line) == 0;
    if (rig->n_seen < MOST_SEEN) {
        struct seen *seen = &rig->seen[rig->n_seen];
        snprintf(seen->line, sizeof(seen->line), "%s", line);
        snprintf(seen->headers, sizeof(seen->headers), "%s", request->head);
        snprintf(seen->body, sizeof(seen->body), "%s", request->body);
        snprintf(seen->who, sizeof(seen->who), "%s", who);
        peer_header(request, "Authorization", seen->authorization, sizeof(seen->authorization));
    }
    rig->n_seen++;
    pthread_mutex_unlock(&rig->mu);
    return before;
}

unsigned rig_n_seen(struct rig *rig, const char *line) {
    unsigned n = 0;
    pthread_mutex_lock(&rig->mu);
    assert_true(rig->n_seen <= MOST_SEEN);
    for (unsigned i = 0; i < rig->n_seen; i++)
        n += !line || strcmp(rig->seen[i].line, line) == 0;
    pthread_mutex_unlock(&rig->mu);
    return n;
}

const struct seen *rig_find(struct rig *rig, const char *line, unsigned nth) {
    const struct seen *found = NULL;
    pthread_mutex_lock(&rig->mu);
    for (unsigned i = 0; i < rig->n_seen && !found; i++)
        if (strcmp(rig->seen[i].line, line) == 0 && nth-- == 0)
            found = &rig->seen[i];
    pthread_mutex_unlock(&rig->mu);
    assert_non_null(found);
    return found;
}

unsigned rig_n_notes(const struct rig *rig, enum lt_rest_note kind, const char *has) {
    unsigned n = 0;
    for (unsigned i = 0; i < rig->n_notes; i++)
        n += rig->notes[i].note == kind && strstr(rig->notes[i].text, has);
    return n;
}

static void done(void *ctx, leat_status status, const char *url, struct lt_http_answer *answer,
                 const struct leat_error *err) {
    struct outcome *outcome = ctx;
    outcome->n_calls++;
    outcome->status = status;
    outcome->http = answer->status;
    if (err)
        outcome->err = *err;
    snprintf(outcome->url, sizeof(outcome->url), "%s", url);
    snprintf(outcome->body, sizeof(outcome->body), "%.*s", LT_FMT(lt_buf_slice(&answer->body)));
    if (outcome->then)
        outcome->then(outcome->ctx, outcome);
}

void rig_start_request(struct rig *rig, const struct lt_rest_request *request,
                       struct outcome *outcome) {
    struct leat_error err;
    assert_int_equal(lt_rest_fetch(rig->fetcher, request, done, outcome, &err), LEAT_OK);
}

void rig_start_get(struct rig *rig, const char *target, struct outcome *outcome) {
    char url[512];
    struct lt_rest_request request = {.resource = &rig->resource, .method = "GET", .url = url};
    snprintf(url, sizeof(url), "%s%s", target[0] == '/' ? rig->base_url : "", target);
    rig_start_request(rig, &request, outcome);
}

void rig_await(struct rig *rig, const struct outcome *outcomes, size_t n) {
    int64_t deadline_us = lt_clock_mono_us() + 60000000;
    for (size_t i = 0; i < n; i++) {
        while (!outcomes[i].n_calls && lt_clock_mono_us() < deadline_us)
            uv_run(&rig->loop, UV_RUN_ONCE);
        assert_int_equal(outcomes[i].n_calls, 1);
    }
}

struct outcome rig_get(struct rig *rig, const char *target) {
    struct outcome outcome = {0};
    rig_start_get(rig, target, &outcome);
    assert_int_equal(outcome.n_calls, 0);
    rig_await(rig, &outcome, 1);
    return outcome;
}

static void on_pause_end(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

void rig_pass(struct rig *rig, uint64_t ms) {
    uv_timer_t timer;
    uv_timer_init(&rig->loop, &timer);
    uv_update_time(&rig->loop);
    uv_timer_start(&timer, on_pause_end, ms, 0);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}
