/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi interface driven by a libuv loop: libcurl says which sockets to
 * watch and when to wake it, libuv does both. A call lives from start to its
 * callback and is in the client's list meanwhile. The client's memory outlives
 * lt_http_client_free() until libuv has given its handles back (`n_refs`), and a
 * callback may start calls or free the client.
 */
#include "http/client.h"

#include "http/transfer.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    DEFAULT_CONNECTIONS_PER_HOST = 16,
    MAX_KEPT_CONNECTIONS = 64,
    MAX_SPARE_HANDLES = 64,
    LONGEST_TICK_MS = 500,
};

struct active_call {
    struct lt_http_transfer transfer;
    struct lt_http_client *client;
    struct active_call *prev, *next;
    lt_http_done *done;
    void *ctx;
    int64_t read_timeout_ms; /* 0: none */
    uint64_t sign_ms;        /* when a sign of life was last seen */
    unsigned n_signs;
};

struct watched_socket {
    uv_poll_t poll;
    struct lt_http_client *client;
    curl_socket_t fd;
};

struct lt_http_client {
    const struct lt_curl *curl;
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    uv_timer_t ticks; /* runs while calls with a read time-out are under way */
    int64_t tick_ms;
    size_t n_ticking;
    struct active_call *calls;
    CURL *spare[MAX_SPARE_HANDLES]; /* a handle costs more to make than a small request to send */
    size_t n_spare;
    size_t n_refs; /* open uv handles, and whoever is at work inside */
    bool closed;
};

static void unref(struct lt_http_client *client) {
    if (--client->n_refs == 0)
        free(client);
}

static void on_timer_closed(uv_handle_t *handle) {
    unref(handle->data);
}

static void on_poll_closed(uv_handle_t *handle) {
    struct watched_socket *watched = handle->data;
    unref(watched->client);
    free(watched);
}

/* Takes a call out of the list and out of libcurl, so that its callback may do anything. */
static void detach(struct active_call *call) {
    struct lt_http_client *client = call->client;
    if (call->read_timeout_ms && --client->n_ticking == 0)
        uv_timer_stop(&client->ticks);
    if (call->prev)
        call->prev->next = call->next;
    else
        client->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    client->curl->multi_remove_handle(client->multi, call->transfer.easy);
}

static CURL *take_handle(struct lt_http_client *client) {
    return client->n_spare ? client->spare[--client->n_spare] : client->curl->easy_init();
}

/* A handle that is kept has no pointer into its call any more. */
static void give_back(struct lt_http_client *client, CURL *easy) {
    if (client->closed || client->n_spare == MAX_SPARE_HANDLES) {
        client->curl->easy_cleanup(easy);
        return;
    }
    client->curl->easy_reset(easy);
    client->spare[client->n_spare++] = easy;
}

static void free_call(struct active_call *call) {
    give_back(call->client, call->transfer.easy);
    lt_http_transfer_deinit(&call->transfer);
    free(call);
}

static void finish_call(struct active_call *call, CURLcode code) {
    struct leat_error err;
    leat_status status = lt_http_transfer_finish(&call->transfer, code, &err);
    detach(call);
    call->done(call->ctx, status, &call->transfer.answer, status == LEAT_OK ? NULL : &err);
    free_call(call);
}

/* Ends a call without libcurl. */
static void abandon(struct active_call *call, leat_status status, const char *why) {
    struct leat_error err;
    lt_fail(&err, status, 0, "request to %s: %s", call->transfer.answer.remote, why);
    detach(call);
    call->done(call->ctx, status, &call->transfer.answer, &err);
    free_call(call);
}

/* Callbacks run here and nowhere inside libcurl, so they may start calls and free the client; the
 * caller holds a reference. */
static void finish_calls(struct lt_http_client *client) {
    CURLMsg *msg;
    int n_left;
    while (!client->closed && (msg = client->curl->multi_info_read(client->multi, &n_left))) {
        struct active_call *call = NULL;
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE)
            continue;
        client->curl->easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
        finish_call(call, code);
    }
}

static void act(struct lt_http_client *client, curl_socket_t fd, int events) {
    int n_running;
    if (client->closed)
        return;
    client->n_refs++;
    CURLMcode code = client->curl->multi_socket_action(client->multi, fd, events, &n_running);
    finish_calls(client);
    /* libcurl is dead until all its transfers are gone (a socket could not be watched). */
    while (code != CURLM_OK && !client->closed && client->calls)
        abandon(client->calls, LEAT_E_NETWORK, client->curl->multi_strerror(code));
    unref(client);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    struct watched_socket *watched = poll->data;
    int flags = 0;
    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    act(watched->client, watched->fd, flags);
}

static void on_timer(uv_timer_t *timer) {
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* The first call that has been without a sign of life for too long, or NULL. */
static struct active_call *find_silent(struct lt_http_client *client) {
    uint64_t now = uv_now(client->loop);
    for (struct active_call *call = client->calls; call; call = call->next) {
        if (call->n_signs != call->transfer.n_signs) {
            call->n_signs = call->transfer.n_signs;
            call->sign_ms = now;
        } else if (call->n_signs && call->read_timeout_ms &&
                   now - call->sign_ms >= (uint64_t)call->read_timeout_ms) {
            return call;
        }
    }
    return NULL;
}

static void on_tick(uv_timer_t *timer) {
    struct lt_http_client *client = timer->data;
    struct active_call *silent;
    client->n_refs++;
    while (!client->closed && (silent = find_silent(client))) {
        char why[96];
        snprintf(why, sizeof(why), "nothing was received for %lld ms",
                 (long long)silent->read_timeout_ms);
        abandon(silent, LEAT_E_TIMEOUT, why);
    }
    unref(client);
}

static void start_ticks(struct lt_http_client *client, int64_t timeout_ms) {
    int64_t tick_ms = timeout_ms / 8 + 1;
    if (tick_ms > LONGEST_TICK_MS)
        tick_ms = LONGEST_TICK_MS;
    if (client->n_ticking++ && client->tick_ms <= tick_ms)
        return;
    client->tick_ms = tick_ms;
    uv_timer_start(&client->ticks, on_tick, (uint64_t)tick_ms, (uint64_t)tick_ms);
}

/* libcurl: call me back in so many milliseconds, or (-1) never. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *ctx) {
    struct lt_http_client *client = ctx;
    (void)multi;
    if (client->closed)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void unwatch(struct watched_socket *watched) {
    uv_poll_stop(&watched->poll);
    uv_close((uv_handle_t *)&watched->poll, on_poll_closed);
}

static struct watched_socket *watch(struct lt_http_client *client, curl_socket_t fd) {
    struct watched_socket *watched = calloc(1, sizeof(*watched));
    if (!watched)
        return NULL;
    if (uv_poll_init_socket(client->loop, &watched->poll, fd) != 0) {
        free(watched);
        return NULL;
    }
    watched->poll.data = watched;
    watched->client = client;
    watched->fd = fd;
    client->n_refs++;
    client->curl->multi_assign(client->multi, fd, watched);
    return watched;
}

/* libcurl: watch this socket for that. -1 makes it fail all calls that are under way. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx) {
    struct lt_http_client *client = ctx;
    struct watched_socket *watched = socket_ctx;
    int events = 0;
    (void)easy;

    if (what == CURL_POLL_REMOVE) {
        if (watched) {
            client->curl->multi_assign(client->multi, fd, NULL);
            unwatch(watched);
        }
        return 0;
    }
    if (!watched)
        watched = watch(client, fd);
    if (!watched)
        return -1;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    return uv_poll_start(&watched->poll, events, on_poll) == 0 ? 0 : -1;
}

leat_status lt_http_client_new(struct lt_http_client **out,
                               const struct lt_http_client_options *opt, struct leat_error *err) {
    const struct lt_curl *curl;

    *out = NULL;
    leat_status status = lt_curl_load(&curl, err);
    if (status != LEAT_OK)
        return status;
    struct lt_http_client *client = calloc(1, sizeof(*client));
    CURLM *multi = client ? curl->multi_init() : NULL;
    if (!multi) {
        free(client);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an HTTP client");
    }
    client->curl = curl;
    client->loop = opt->loop;
    client->multi = multi;
    uv_timer_init(opt->loop, &client->timer);
    client->timer.data = client;
    uv_timer_init(opt->loop, &client->ticks);
    client->ticks.data = client;
    client->n_refs = 2; /* the timers' */

    long per_host = opt->max_connections_per_host ? (long)opt->max_connections_per_host
                                                  : (long)DEFAULT_CONNECTIONS_PER_HOST;
    curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl->multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    curl->multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
    curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MAX_KEPT_CONNECTIONS);
    *out = client;
    return LEAT_OK;
}

void lt_http_client_free(struct lt_http_client *client) {
    if (!client || client->closed)
        return;
    client->closed = true;
    uv_timer_stop(&client->timer);
    while (client->calls)
        abandon(client->calls, LEAT_E_CANCELLED, "cancelled");
    while (client->n_spare)
        client->curl->easy_cleanup(client->spare[--client->n_spare]);
    client->curl->multi_cleanup(client->multi);
    client->multi = NULL;
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
    uv_close((uv_handle_t *)&client->ticks, on_timer_closed);
}

leat_status lt_http_client_start(struct lt_http_client *client, const struct lt_http_call *spec,
                                 lt_http_done *done, void *ctx, struct leat_error *err) {
    if (client->closed)
        return lt_fail(err, LEAT_E_CANCELLED, 0, "the HTTP client is being closed");
    struct active_call *call = calloc(1, sizeof(*call));
    CURL *easy = call ? take_handle(client) : NULL;
    if (!easy) {
        free(call);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
    }
    call->client = client;
    call->done = done;
    call->ctx = ctx;
    leat_status status = lt_http_transfer_init(&call->transfer, client->curl, easy, spec, err);
    if (status != LEAT_OK)
        goto fail;
    client->curl->easy_setopt(easy, CURLOPT_PRIVATE, call);
    CURLMcode code = client->curl->multi_add_handle(client->multi, easy);
    if (code != CURLM_OK) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "cannot start a request to %s: %s",
                         call->transfer.answer.remote, client->curl->multi_strerror(code));
        goto fail;
    }
    call->read_timeout_ms = spec->read_timeout_ms;
    if (call->read_timeout_ms)
        start_ticks(client, call->read_timeout_ms);
    call->next = client->calls;
    if (call->next)
        call->next->prev = call;
    client->calls = call;
    return LEAT_OK;

fail:
    free_call(call);
    return status;
}
