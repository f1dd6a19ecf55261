/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections, and how long each may take: libmicrohttpd closes those on which nothing
 * moves; here those are cut on which too little moves (a header a minute, a byte of the body a
 * second), so that each of the connections that there may be is free again some day. A client that
 * closes right behind its data is looked for, too: libmicrohttpd takes a short read for all there
 * was, and the edge that told of the close has passed by then.
 */
#include "http/server_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static void opened(struct lt_http_server *server, struct MHD_Connection *connection, void **out) {
    struct lt_http_conn *conn = calloc(1, sizeof(*conn));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    *out = conn;
    if (!conn)
        return;
    conn->server = server;
    conn->fd = info ? info->connect_fd : -1;
    conn->idle_since_us = lt_clock_mono_us();
    conn->next = server->conns;
    if (conn->next)
        conn->next->prev = conn;
    server->conns = conn;
    lt_metric_add(server->connections, 1);
    lt_http_conn_opened(server);
}

static void closed(struct lt_http_conn *conn) {
    struct lt_http_server *server = conn->server;

    if (conn->next)
        conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    free(conn);
    lt_metric_add(server->connections, -1);
    lt_http_conn_closed(server);
}

void lt_http_on_connection(void *cls, struct MHD_Connection *connection, void **conn,
                           enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        opened(cls, connection, conn);
    else if (*conn)
        closed(*conn);
}

void lt_http_cut(struct lt_http_conn *conn) {
    if (conn->cut || conn->fd < 0)
        return;
    conn->cut = true;
    shutdown(conn->fd, SHUT_RDWR);
}

static bool is_slow(const struct lt_http_conn *conn, int64_t now_us) {
    const struct lt_http_server_options *opt = &conn->server->opt;
    const struct lt_http_request *request = conn->request;
    const int64_t second_us = 1000000;

    if (!request) /* between requests; the start of one, whose line is not whole, counts too */
        return now_us - conn->idle_since_us >
               ((int64_t)opt->idle_timeout_s + opt->head_timeout_s) * second_us;
    int64_t age_us = now_us - request->started_us;
    switch (request->phase) {
    case LT_HTTP_HEADERS:
        return age_us > opt->head_timeout_s * second_us;
    case LT_HTTP_BODY:
    case LT_HTTP_DRAIN:
        return age_us > (opt->body_timeout_s + (int64_t)(request->n_received >> 10)) * second_us;
    default:
        return false;
    }
}

/** The client has closed, and nothing that it sent is left to read. */
static bool is_gone(const struct lt_http_conn *conn) {
    const struct lt_http_request *request = conn->request;
    char byte;

    if (conn->cut || conn->fd < 0 || (request && request->phase >= LT_HTTP_HELD))
        return false; /* a client may close its half and wait for the answer */
    ssize_t n = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

void lt_http_cut_slow(struct lt_http_server *server) {
    int64_t now_us = lt_clock_mono_us();

    for (struct lt_http_conn *conn = server->conns; conn; conn = conn->next)
        if (is_slow(conn, now_us) || is_gone(conn))
            lt_http_cut(conn);
}

void lt_http_cut_idle(struct lt_http_server *server) {
    for (struct lt_http_conn *conn = server->conns; conn; conn = conn->next)
        if (!conn->request || is_gone(conn))
            lt_http_cut(conn);
}
