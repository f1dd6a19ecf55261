/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections, and how long each may take: libmicrohttpd closes those on which nothing
 * moves; here those are cut on which too little moves (a header a minute, a byte of the body a
 * second), so that each of the connections that there may be is free again some day.
 *
 * libmicrohttpd's epoll tells of edges, and it takes a short read for all there was: the edge of a
 * close right behind the data has passed by then. So each connection of which a part of a body was
 * read is looked at when the turn ends. An edge that gets lost in any other way costs a tick: what
 * is there to read in two of them without anything being read, and what was cut and is still
 * there, is read whatever the descriptor told.
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
    conn->connection = connection;
    conn->fd = info ? info->connect_fd : -1;
    conn->idle_since_us = lt_clock_mono_us();
    conn->next = server->conns;
    if (conn->next)
        conn->next->prev = conn;
    server->conns = conn;
    lt_metric_add(server->connections, 1);
    lt_http_conn_opened(server);
}

static void leave_read(struct lt_http_conn *conn) {
    if (!conn->read_slot)
        return;
    *conn->read_slot = conn->next_read;
    if (conn->next_read)
        conn->next_read->read_slot = conn->read_slot;
    conn->next_read = NULL;
    conn->read_slot = NULL;
}

void lt_http_was_read(struct lt_http_conn *conn) {
    struct lt_http_server *server = conn->server;

    if (conn->read_slot)
        return;
    conn->next_read = server->read;
    if (conn->next_read)
        conn->next_read->read_slot = &conn->next_read;
    conn->read_slot = &server->read;
    server->read = conn;
}

static void closed(struct lt_http_conn *conn) {
    struct lt_http_server *server = conn->server;

    leave_read(conn);
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

/** Whether libmicrohttpd is to read from it: not while the user has the request, nor while its
 * answer goes out; a client may close its half and wait for the answer. */
static bool is_reading(const struct lt_http_conn *conn) {
    return conn->fd >= 0 && (!conn->request || conn->request->phase < LT_HTTP_HELD);
}

enum sight { SEES_NOTHING, SEES_DATA, SEES_END };

static enum sight look(const struct lt_http_conn *conn) {
    char byte;
    ssize_t n = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n > 0)
        return SEES_DATA;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? SEES_NOTHING : SEES_END;
}

/** The client has closed, and nothing that it sent is left to read. */
static bool is_gone(const struct lt_http_conn *conn) {
    return is_reading(conn) && look(conn) == SEES_END;
}

/** A connection that is resumed is read from, whatever its descriptor told. */
static void read_anyway(struct lt_http_conn *conn) {
    MHD_suspend_connection(conn->connection);
    MHD_resume_connection(conn->connection);
    lt_http_run_soon(conn->server);
}

void lt_http_cut_left(struct lt_http_server *server) {
    while (server->read) {
        struct lt_http_conn *conn = server->read;
        leave_read(conn);
        if (!conn->cut && is_gone(conn))
            lt_http_cut(conn);
    }
}

static void tend(struct lt_http_conn *conn, int64_t now_us) {
    uint64_t n_received = conn->request ? conn->request->n_received : 0;

    if (!is_reading(conn))
        return;
    if (conn->cut) {
        read_anyway(conn);
        return;
    }
    enum sight sight = look(conn);
    if (sight == SEES_END || is_slow(conn, now_us)) {
        lt_http_cut(conn);
        return;
    }
    if (sight == SEES_DATA && conn->waits && conn->n_received == n_received)
        read_anyway(conn);
    conn->waits = sight == SEES_DATA;
    conn->n_received = n_received;
}

void lt_http_tend(struct lt_http_server *server) {
    int64_t now_us = lt_clock_mono_us();

    for (struct lt_http_conn *conn = server->conns; conn; conn = conn->next)
        tend(conn, now_us);
}

void lt_http_cut_idle(struct lt_http_server *server) {
    for (struct lt_http_conn *conn = server->conns; conn; conn = conn->next)
        if (!conn->request || is_gone(conn))
            lt_http_cut(conn);
}
