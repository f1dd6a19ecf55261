/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_HTTP_SERVER_INTERNAL_H
#define LT_HTTP_SERVER_INTERNAL_H

#include "base/metrics.h"
#include "http/server.h"

#include <microhttpd.h>

/*
 * What the files of the server share. A request has two holders: the connection, until
 * libmicrohttpd reports it completed, and the user, from on_request until the answer. It goes
 * back to the server's spare list (or is freed) when both let go.
 */

enum {
    LT_HTTP_POOL_BYTES = 128 << 10, /* of a connection: half of it is one read of a body */
    LT_HTTP_REQUEST_ARENA_MAX = 64 << 20,
    LT_HTTP_MAX_LISTENERS = 8,
    LT_HTTP_MAX_SPARE = 32,             /* requests kept for the next ones */
    LT_HTTP_SPARE_BODY_BYTES = 1 << 20, /* a larger body's memory is not kept */
    LT_HTTP_DRAIN_BYTES = 16 << 20,     /* of a refused body that are read before hanging up */
    LT_HTTP_TICK_MS = 1000,
    LT_HTTP_EMFILE_WAIT_MS = 100
};

struct lt_http_listener {
    uv_poll_t poll;
    int fd;
    bool polling;
};

/** One connection, known from its accept to its close. */
struct lt_http_conn {
    struct lt_http_conn *prev, *next;
    struct lt_http_server *server;
    struct lt_http_request *request; /**< the current one, or NULL */
    struct MHD_Connection *connection;
    int fd; /**< libmicrohttpd's */
    int64_t idle_since_us;
    uint64_t n_received; /**< of the request, when the last tick saw data that nobody had read */
    bool waits;          /**< the last tick saw such data */
    bool cut;            /**< shut down by us; the close is on its way */
    /* among the server's `read`: where the pointer to this one stands, or NULL */
    struct lt_http_conn **read_slot, *next_read;
};

struct lt_http_server {
    struct lt_http_server_options opt;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;    /**< on libmicrohttpd's epoll descriptor */
    uv_timer_t wake;   /**< its next time-out */
    uv_idle_t again;   /**< while it has more to do: once in each turn of the loop */
    uv_timer_t tick;   /**< looks for slow clients while there are connections */
    uv_timer_t accept; /**< tries again after descriptors ran out */
    uv_timer_t stop;   /**< the end of the grace time */
    struct lt_http_listener *listeners[LT_HTTP_MAX_LISTENERS];
    unsigned n_listeners;
    unsigned n_handles; /**< uv handles not closed yet */
    struct lt_http_conn *conns;
    struct lt_http_conn *read; /**< those of which a part of a body was read in this turn */
    unsigned n_conns;
    struct lt_metric_series *connections;
    struct lt_http_request *held; /**< given to the user and not answered */
    struct lt_http_request *spare;
    unsigned n_spare;
    bool used_spare; /**< since the last tick */
    bool running;    /**< inside MHD_run */
    bool resumed;    /**< a connection waits for MHD_run, which no descriptor tells */
    bool stopping;
    bool freed;
    void (*stop_done)(void *ctx);
    void *stop_ctx;
};

enum lt_http_phase {
    LT_HTTP_HEADERS, /**< the request line came */
    LT_HTTP_BODY,
    LT_HTTP_DRAIN, /**< the answer is there; what is left of the body is dropped */
    LT_HTTP_HELD,  /**< with the user */
    LT_HTTP_ANSWERED
};

struct lt_http_request {
    struct lt_http_server *server;     /**< NULL once it is gone */
    struct MHD_Connection *connection; /**< NULL once it is gone */
    struct lt_http_conn *conn;
    struct lt_http_request *prev, *next; /**< in `held` or `spare` */
    struct lt_arena arena;
    struct lt_slice method, path, query;
    struct lt_buf body;
    uint64_t content_length;
    uint64_t max_body_bytes;
    uint64_t n_received;
    lt_http_body_part *part;
    void *part_ctx;
    int body_fd;
    void (*each)(void *ctx, struct lt_slice part);
    void *each_ctx;
    int body_error;
    enum lt_http_phase phase;
    bool announced; /**< on_headers saw it */
    bool held;      /**< the user has to answer it */
    bool suspended;
    struct MHD_Response *response;
    unsigned status;
    int64_t started_us;
    void *user;
};

/* server_request.c: libmicrohttpd's callbacks. */
void *lt_http_on_uri(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result lt_http_on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **context);
void lt_http_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_RequestTerminationCode why);

/** Lets go of one side; the last one to let go frees it. */
void lt_http_request_release(struct lt_http_request *request);
void lt_http_request_free(struct lt_http_request *request);
void lt_http_hold(struct lt_http_request *request);
void lt_http_unhold(struct lt_http_request *request);

/* server_conn.c */
void lt_http_on_connection(void *cls, struct MHD_Connection *connection, void **conn,
                           enum MHD_ConnectionNotificationCode what);
/** Ends a connection: nothing more is read from it. */
void lt_http_cut(struct lt_http_conn *conn);
/** Notes that a part of a body was read from it. */
void lt_http_was_read(struct lt_http_conn *conn);
/** At the end of a turn: cuts those whose client closed right behind what was read. */
void lt_http_cut_left(struct lt_http_server *server);
/** At a tick: cuts those that take too long, or whose client is gone, and has those looked at again
 * of which an event was lost. */
void lt_http_tend(struct lt_http_server *server);
/** Cuts those that wait for their next request. */
void lt_http_cut_idle(struct lt_http_server *server);

/* server.c: what the connections tell it. */
void lt_http_resume(struct lt_http_request *request);
/** Has libmicrohttpd run although no descriptor told it to. */
void lt_http_run_soon(struct lt_http_server *server);
void lt_http_conn_opened(struct lt_http_server *server);
void lt_http_conn_closed(struct lt_http_server *server);

/* listen.c */
LEAT_MUST_CHECK leat_status lt_http_bind(const char *address, int *fd, unsigned *port,
                                         struct leat_error *err);

#endif
