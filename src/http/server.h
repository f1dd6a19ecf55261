/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_HTTP_SERVER_H
#define LT_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"

#include <uv.h>

/*
 * An HTTP/1.1 server (libmicrohttpd) on a libuv loop. A request is answered now or
 * later, on the loop's thread, exactly once.
 *
 * Thread: the loop's, for all calls.
 */
struct lt_http_server;
struct lt_http_request;

struct lt_http_header {
    const char *name;
    struct lt_slice value;
};

struct lt_http_server_options {
    uv_loop_t *loop;
    size_t max_body_bytes;    /**< of a body kept in memory; more is answered 413. 0: 16 MiB */
    unsigned max_connections; /**< 0: 4096; more wait in the listeners' queues */
    unsigned idle_timeout_s;  /**< 0: 75 */
    unsigned head_timeout_s;  /**< from a request's first line to its last header; 0: 30 */
    unsigned body_timeout_s;  /**< after this, a body has to have come at 1 KiB/s; 0: 60 */
    void *ctx;
    /**
     * Headers are there, the body is not. May call lt_http_body_to_file() or
     * lt_http_respond() (the body is then not read). May be NULL.
     */
    void (*on_headers)(void *ctx, struct lt_http_request *request);
    /** The whole request is there. */
    void (*on_request)(void *ctx, struct lt_http_request *request);
    /** A request that on_headers saw and nobody answered will never be whole (its client went away,
     * or the body was too large): release what lt_http_user() holds. The request must not be used
     * afterwards. May be NULL. */
    void (*on_abort)(void *ctx, struct lt_http_request *request);
};

/** Makes a server that listens nowhere yet. Errors: LEAT_E_NOMEM, LEAT_E_IO. */
LEAT_MUST_CHECK leat_status lt_http_server_new(struct lt_http_server **out,
                                               const struct lt_http_server_options *opt,
                                               struct leat_error *err);

/** Listens on "127.0.0.1:4567", "[::1]:0", ":4567" (all interfaces); `*port` is the real one.
 * Errors: LEAT_E_BUSY naming the address when it is in use; LEAT_E_INVALID. */
LEAT_MUST_CHECK leat_status lt_http_server_listen(struct lt_http_server *server,
                                                  const char *address, unsigned *port,
                                                  struct leat_error *err);

/** Listens on a bound, listening socket; the server becomes its owner. */
LEAT_MUST_CHECK leat_status lt_http_server_listen_fd(struct lt_http_server *server, int fd,
                                                     struct leat_error *err);

/** Stops accepting; answers to requests under way are still sent; `done` is called when
 * none is left or after `grace_ms`. */
void lt_http_server_stop(struct lt_http_server *server, unsigned grace_ms, void (*done)(void *ctx),
                         void *ctx);

/** Frees it. Requests not yet answered are cut off: they must still be answered, which then only
 * frees them (of such a request only its arena and user pointer are alive). Its uv handles are
 * closed by the loop's next turns. Not to be called from its own callbacks. NULL is fine. */
void lt_http_server_free(struct lt_http_server *server);

struct lt_slice lt_http_method(const struct lt_http_request *request);
/** The path as it came, still percent-encoded, without the query. */
struct lt_slice lt_http_raw_path(const struct lt_http_request *request);
/** The query as it came, without '?'. */
struct lt_slice lt_http_raw_query(const struct lt_http_request *request);
/** A header's value; `data` NULL when it is absent. Names compare without case. */
struct lt_slice lt_http_header(const struct lt_http_request *request, const char *name);
/** Calls `each` for every header, in the order they came. */
void lt_http_each_header(const struct lt_http_request *request,
                         void (*each)(void *ctx, struct lt_slice name, struct lt_slice value),
                         void *ctx);
/** The body in memory; empty when it went to a file. Lives until the answer is given. */
struct lt_slice lt_http_body(const struct lt_http_request *request);
/** Memory of this request, freed some time after the answer. */
struct lt_arena *lt_http_arena(struct lt_http_request *request);
/** Microseconds (lt_clock_mono_us) at which its first byte was seen. */
int64_t lt_http_started_us(const struct lt_http_request *request);
/** A place for the user's own pointer. */
void **lt_http_user(struct lt_http_request *request);

/** Takes a part of a body as it comes; 0, or an errno that ends the taking. */
typedef int lt_http_body_part(void *ctx, struct lt_slice part);
/** From on_headers: give the body, up to `max_bytes`, to `part` as it comes, instead of keeping it.
 * After a failure the rest is read and dropped, and on_request sees lt_http_body_error(). */
void lt_http_body_to(struct lt_http_request *request, uint64_t max_bytes, lt_http_body_part *part,
                     void *ctx);
/** From on_headers: write the body, up to `max_bytes`, to `fd` (the caller's) as it comes,
 * instead of keeping it. `each` (may be NULL) sees every part, for checksums. */
void lt_http_body_to_file(struct lt_http_request *request, int fd, uint64_t max_bytes,
                          void (*each)(void *ctx, struct lt_slice part), void *ctx);
/** The Content-Length of the request; UINT64_MAX when it is not told (a chunked body). */
uint64_t lt_http_content_length(const struct lt_http_request *request);
/** 0, or what went wrong with the body (errno of a write or of its taker; EFBIG over max_bytes). */
int lt_http_body_error(const struct lt_http_request *request);

/** Answers; the body is copied. `headers` (may be NULL) end with a NULL name; Content-Length and
 * Date are added. */
void lt_http_respond(struct lt_http_request *request, unsigned status,
                     const struct lt_http_header *headers, struct lt_slice body);
/** As lt_http_respond(), without a copy: takes over the buffer's bytes (`body` is then empty). */
void lt_http_respond_take(struct lt_http_request *request, unsigned status,
                          const struct lt_http_header *headers, struct lt_buf *body);
/** As lt_http_respond_take(), but breaks off after `n_sent` bytes of the body and closes the
 * connection: an answer that a client must find to be cut. */
void lt_http_respond_cut(struct lt_http_request *request, unsigned status,
                         const struct lt_http_header *headers, struct lt_buf *body, size_t n_sent);
/** Answers with `len` bytes of a file from `offset`; takes the descriptor over. For HEAD only the
 * length is sent, and `fd` may be -1. */
void lt_http_respond_file(struct lt_http_request *request, unsigned status,
                          const struct lt_http_header *headers, int fd, uint64_t offset,
                          uint64_t len);

/** Decodes %XX (and '+' as a space when `plus`) into `arena`; `data` NULL when malformed. */
struct lt_slice lt_http_percent_decode(struct lt_slice text, bool plus, struct lt_arena *arena);
/** A query parameter, decoded into `arena`; `data` NULL when absent; "" when given without a value.
 */
struct lt_slice lt_http_query(struct lt_slice query, const char *name, struct lt_arena *arena);

#endif
