/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server on its loop: libmicrohttpd's epoll descriptor is polled by libuv, its time-outs are
 * a timer's, and the accepting is done here, so that several listeners share one daemon and a
 * process without free descriptors waits instead of spinning.
 */
#include "http/server_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DEFAULT_MAX_BODY_BYTES = 16 << 20,
    DEFAULT_MAX_CONNECTIONS = 4096,
    DEFAULT_IDLE_TIMEOUT_S = 75,
    DEFAULT_HEAD_TIMEOUT_S = 30,
    DEFAULT_BODY_TIMEOUT_S = 60,
    MAX_ROUNDS = 16,  /* of libmicrohttpd in one turn of the loop */
    MAX_ACCEPTS = 64, /* of one listener in one turn */
};

static void on_handle_closed(uv_handle_t *handle) {
    struct lt_http_server *server = handle->data;
    if (--server->n_handles == 0 && server->freed)
        free(server);
}

static void on_listener_closed(uv_handle_t *handle) {
    struct lt_http_listener *listener = (struct lt_http_listener *)(void *)handle;
    on_handle_closed(handle);
    free(listener);
}

static void on_wake(uv_timer_t *timer);
static void on_again(uv_idle_t *idle);

static void run(struct lt_http_server *server) {
    MHD_UNSIGNED_LONG_LONG ms = 0;
    unsigned n = 0;
    bool more;

    if (server->running)
        return;
    server->running = true;
    do {
        server->resumed = false;
        (void)MHD_run(server->mhd);
        more = MHD_get_timeout(server->mhd, &ms) == MHD_YES;
        if (server->resumed) {
            more = true;
            ms = 0;
        }
    } while (more && ms == 0 && ++n < MAX_ROUNDS);
    server->running = false;
    lt_http_cut_left(server);
    /* Not by a timer that is due at once: libuv would come back to it before all else, for as long
     * as one client sends without a pause. */
    if (more && ms == 0)
        uv_idle_start(&server->again, on_again);
    else
        uv_idle_stop(&server->again);
    /* A timer that fires too early only looks again, so it is moved only to an earlier time. */
    if (more && ms &&
        (!uv_is_active((uv_handle_t *)&server->wake) || uv_timer_get_due_in(&server->wake) > ms))
        uv_timer_start(&server->wake, on_wake, ms, 0);
}

static void on_wake(uv_timer_t *timer) {
    run(timer->data);
}

static void on_again(uv_idle_t *idle) {
    run(idle->data);
}

void lt_http_run_soon(struct lt_http_server *server) {
    server->resumed = true;
    if (!server->running && !server->freed)
        uv_idle_start(&server->again, on_again);
}

void lt_http_resume(struct lt_http_request *request) {
    request->suspended = false;
    MHD_resume_connection(request->connection);
    lt_http_run_soon(request->server);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_tick(uv_timer_t *timer) {
    struct lt_http_server *server = timer->data;

    lt_http_tend(server);
    if (!server->used_spare)
        while (server->spare) {
            struct lt_http_request *request = server->spare;
            server->spare = request->next;
            lt_http_request_free(request);
            server->n_spare--;
        }
    server->used_spare = false;
    if (!server->n_conns && !server->n_spare)
        uv_timer_stop(timer);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void listeners_pause(struct lt_http_server *server) {
    for (unsigned i = 0; i < server->n_listeners; i++) {
        uv_poll_stop(&server->listeners[i]->poll);
        server->listeners[i]->polling = false;
    }
}

static void listeners_go_on(struct lt_http_server *server) {
    if (server->stopping || server->n_conns >= server->opt.max_connections)
        return;
    for (unsigned i = 0; i < server->n_listeners; i++)
        if (!server->listeners[i]->polling)
            server->listeners[i]->polling =
                uv_poll_start(&server->listeners[i]->poll, UV_READABLE, on_acceptable) == 0;
}

static void on_accept_again(uv_timer_t *timer) {
    listeners_go_on(timer->data);
}

/** Accepts one connection; false when there is none, or none can be taken now. */
static bool take_one(struct lt_http_server *server, struct lt_http_listener *listener) {
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    const int on = 1;

    memset(&addr, 0, sizeof(addr));
    int fd = accept4(listener->fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            lt_log(LT_LOG_WARN, "http", "no connection can be accepted now: %s", strerror(errno));
            listeners_pause(server);
            uv_timer_start(&server->accept, on_accept_again, LT_HTTP_EMFILE_WAIT_MS, 0);
            return false;
        }
        return errno == ECONNABORTED || errno == EINTR;
    }
    if (addr.ss_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    /* It closes the descriptor where it fails. */
    (void)MHD_add_connection(server->mhd, fd, (struct sockaddr *)&addr, len);
    return true;
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
    struct lt_http_listener *listener = (struct lt_http_listener *)(void *)poll;
    struct lt_http_server *server = poll->data;

    (void)status;
    (void)events;
    for (unsigned n = 0; n < MAX_ACCEPTS; n++) {
        if (server->n_conns >= server->opt.max_connections) {
            listeners_pause(server);
            break;
        }
        if (!take_one(server, listener))
            break;
    }
    run(server);
}

void lt_http_conn_opened(struct lt_http_server *server) {
    server->n_conns++;
    if (!uv_is_active((uv_handle_t *)&server->tick))
        uv_timer_start(&server->tick, on_tick, LT_HTTP_TICK_MS, LT_HTTP_TICK_MS);
}

static void on_stopped(uv_timer_t *timer) {
    struct lt_http_server *server = timer->data;
    void (*done)(void *ctx) = server->stop_done;
    server->stop_done = NULL;
    if (done)
        done(server->stop_ctx);
}

void lt_http_conn_closed(struct lt_http_server *server) {
    server->n_conns--;
    if (server->freed)
        return;
    if (server->stopping && !server->n_conns && server->stop_done)
        uv_timer_start(&server->stop, on_stopped, 0, 0);
    else if (server->n_conns + 1 == server->opt.max_connections)
        listeners_go_on(server);
}

static void log_line(void *cls, const char *fmt, va_list args) {
    char text[512];
    (void)cls;
    vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = '\0';
    lt_log(LT_LOG_DEBUG, "http", "%s", text);
}

/** Paths stay as they came: percent-decoding is the user's. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text) {
    (void)cls;
    (void)connection;
    return strlen(text);
}

static leat_status start_daemon(struct lt_http_server *server, struct leat_error *err) {
    server->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            MHD_USE_TURBO | MHD_USE_ERROR_LOG,
        0, NULL, NULL, lt_http_on_access, server, MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LT_HTTP_POOL_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)4096, MHD_OPTION_CONNECTION_LIMIT,
        server->opt.max_connections + 1, MHD_OPTION_CONNECTION_TIMEOUT, server->opt.idle_timeout_s,
        MHD_OPTION_NOTIFY_COMPLETED, lt_http_on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        lt_http_on_connection, server, MHD_OPTION_URI_LOG_CALLBACK, lt_http_on_uri, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (!server->mhd)
        return lt_fail(err, LEAT_E_IO, errno, "cannot start the HTTP server");
    return LEAT_OK;
}

static void init_timer(struct lt_http_server *server, uv_timer_t *timer) {
    uv_timer_init(server->opt.loop, timer);
    timer->data = server;
    server->n_handles++;
}

leat_status lt_http_server_new(struct lt_http_server **out,
                               const struct lt_http_server_options *opt, struct leat_error *err) {
    *out = NULL;
    struct lt_http_server *server = calloc(1, sizeof(*server));
    if (!server)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an HTTP server");
    server->opt = *opt;
    if (!opt->max_body_bytes)
        server->opt.max_body_bytes = DEFAULT_MAX_BODY_BYTES;
    if (!opt->max_connections)
        server->opt.max_connections = DEFAULT_MAX_CONNECTIONS;
    if (!opt->idle_timeout_s)
        server->opt.idle_timeout_s = DEFAULT_IDLE_TIMEOUT_S;
    if (!opt->head_timeout_s)
        server->opt.head_timeout_s = DEFAULT_HEAD_TIMEOUT_S;
    if (!opt->body_timeout_s)
        server->opt.body_timeout_s = DEFAULT_BODY_TIMEOUT_S;
    server->connections =
        lt_metric(lt_metrics_global(), LT_METRIC_HTTP_CONNECTIONS, NULL, NULL, NULL);
    leat_status status = start_daemon(server, err);
    if (status != LEAT_OK)
        goto fail;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    int uv = info ? uv_poll_init(opt->loop, &server->poll, info->epoll_fd) : UV_EINVAL;
    if (uv != 0) {
        status = lt_fail(err, LEAT_E_IO, -uv, "cannot poll the HTTP server's descriptor");
        goto fail;
    }
    server->poll.data = server;
    server->n_handles++;
    init_timer(server, &server->wake);
    init_timer(server, &server->tick);
    init_timer(server, &server->accept);
    init_timer(server, &server->stop);
    uv_idle_init(opt->loop, &server->again);
    server->again.data = server;
    server->n_handles++;
    uv_poll_start(&server->poll, UV_READABLE, on_ready);
    *out = server;
    return LEAT_OK;

fail:
    if (server->mhd)
        MHD_stop_daemon(server->mhd);
    free(server);
    return status;
}

leat_status lt_http_server_listen_fd(struct lt_http_server *server, int fd,
                                     struct leat_error *err) {
    struct lt_http_listener *listener = calloc(1, sizeof(*listener));
    leat_status status;

    if (!listener || server->n_listeners == LT_HTTP_MAX_LISTENERS || server->stopping) {
        status =
            lt_fail(err, listener ? LEAT_E_LIMIT : LEAT_E_NOMEM, 0,
                    "the HTTP server cannot have another listener (%u now)", server->n_listeners);
        goto fail;
    }
    listener->fd = fd;
    int uv = uv_poll_init(server->opt.loop, &listener->poll, fd); /* makes it non-blocking */
    if (uv != 0) {
        status = lt_fail(err, LEAT_E_IO, -uv, "cannot poll a listening socket");
        goto fail;
    }
    listener->poll.data = server;
    server->n_handles++;
    server->listeners[server->n_listeners++] = listener;
    listeners_go_on(server);
    return LEAT_OK;

fail:
    free(listener);
    close(fd);
    return status;
}

leat_status lt_http_server_listen(struct lt_http_server *server, const char *address,
                                  unsigned *port, struct leat_error *err) {
    int fd;
    leat_status status = lt_http_bind(address, &fd, port, err);
    if (status != LEAT_OK)
        return status;
    return lt_http_server_listen_fd(server, fd, err);
}

static void close_listeners(struct lt_http_server *server) {
    for (unsigned i = 0; i < server->n_listeners; i++) {
        uv_poll_stop(&server->listeners[i]->poll);
        close(server->listeners[i]->fd);
        uv_close((uv_handle_t *)&server->listeners[i]->poll, on_listener_closed);
    }
    server->n_listeners = 0;
}

void lt_http_server_stop(struct lt_http_server *server, unsigned grace_ms, void (*done)(void *ctx),
                         void *ctx) {
    server->stopping = true;
    server->stop_done = done;
    server->stop_ctx = ctx;
    uv_timer_stop(&server->accept);
    close_listeners(server);
    lt_http_cut_idle(server);
    uv_timer_start(&server->stop, on_stopped, server->n_conns ? grace_ms : 0, 0);
}

static void close_timer(uv_timer_t *timer) {
    uv_timer_stop(timer);
    uv_close((uv_handle_t *)timer, on_handle_closed);
}

void lt_http_server_free(struct lt_http_server *server) {
    if (!server)
        return;
    server->freed = true;
    server->stopping = true;
    server->stop_done = NULL;
    close_listeners(server);
    /* libmicrohttpd wants no suspended connection when it stops; the requests of those live on
     * with their users. */
    while (server->held) {
        struct lt_http_request *request = server->held;
        lt_http_unhold(request);
        if (request->suspended)
            lt_http_resume(request);
    }
    uv_poll_stop(&server->poll);
    MHD_stop_daemon(server->mhd);
    server->mhd = NULL;
    while (server->spare) {
        struct lt_http_request *request = server->spare;
        server->spare = request->next;
        lt_http_request_free(request);
    }
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->again, on_handle_closed);
    close_timer(&server->wake);
    close_timer(&server->tick);
    close_timer(&server->accept);
    close_timer(&server->stop);
}
