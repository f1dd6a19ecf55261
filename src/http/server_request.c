/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a request: its line, its headers, its body, the user, the answer. A body kept in
 * memory has its room once, by Content-Length. One that is refused early is still read to its end
 * (up to a bound), for a client that is sending does not look for an answer before.
 */
#include "http/server_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

void lt_http_hold(struct lt_http_request *request) {
    struct lt_http_server *server = request->server;
    request->held = true;
    request->prev = NULL;
    request->next = server->held;
    if (request->next)
        request->next->prev = request;
    server->held = request;
}

void lt_http_unhold(struct lt_http_request *request) {
    if (request->next)
        request->next->prev = request->prev;
    if (request->prev)
        request->prev->next = request->next;
    else if (request->server && request->server->held == request)
        request->server->held = request->next;
    request->prev = request->next = NULL;
}

void lt_http_request_free(struct lt_http_request *request) {
    if (!request)
        return;
    lt_buf_deinit(&request->body);
    lt_arena_deinit(&request->arena);
    free(request);
}

void lt_http_request_release(struct lt_http_request *request) {
    struct lt_http_server *server = request->server;

    if (request->connection || request->held)
        return;
    if (request->response)
        MHD_destroy_response(request->response);
    request->response = NULL;
    if (!server || server->freed || server->n_spare >= LT_HTTP_MAX_SPARE) {
        lt_http_request_free(request);
        return;
    }
    if (request->body.cap > LT_HTTP_SPARE_BODY_BYTES)
        lt_buf_deinit(&request->body);
    lt_arena_reset(&request->arena);
    request->next = server->spare;
    server->spare = request;
    server->n_spare++;
}

static struct lt_http_request *new_request(struct lt_http_server *server) {
    struct lt_http_request *request = server->spare;

    if (!request) {
        request = calloc(1, sizeof(*request));
        if (!request)
            return NULL;
        lt_arena_init(&request->arena, LT_HTTP_REQUEST_ARENA_MAX);
    } else {
        server->spare = request->next;
        server->n_spare--;
    }
    server->used_spare = true;
    struct lt_arena arena = request->arena;
    struct lt_buf body = request->body;
    memset(request, 0, sizeof(*request));
    request->arena = arena;
    request->body = body;
    lt_buf_clear(&request->body);
    request->body.max = server->opt.max_body_bytes;
    request->server = server;
    request->max_body_bytes = server->opt.max_body_bytes;
    request->body_fd = -1;
    return request;
}

void *lt_http_on_uri(void *cls, const char *uri, struct MHD_Connection *connection) {
    struct lt_http_request *request = new_request(cls);
    if (!request)
        return NULL;
    struct lt_slice target = lt_arena_dup(&request->arena, lt_slice_str(uri));
    const char *mark = target.len ? memchr(target.data, '?', target.len) : NULL;
    size_t path_len = mark ? (size_t)(mark - target.data) : target.len;
    request->path = lt_slice(target.data, path_len);
    request->query = mark ? lt_slice_from(target, path_len + 1) : lt_slice("", 0);
    request->connection = connection;
    request->started_us = lt_clock_mono_us();
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    request->conn = info ? info->socket_context : NULL;
    if (request->conn)
        request->conn->request = request;
    return request;
}

/** The Content-Length; UINT64_MAX when the body is chunked. Libmicrohttpd has checked the number.
 */
static uint64_t content_length(const struct lt_http_request *request) {
    struct lt_slice value = lt_http_header(request, "Content-Length");
    uint64_t n = 0;

    if (lt_http_header(request, "Transfer-Encoding").data)
        return UINT64_MAX;
    for (size_t i = 0; i < value.len && value.data[i] >= '0' && value.data[i] <= '9'; i++)
        n = n * 10 + (uint64_t)(value.data[i] - '0');
    return n;
}

static void refuse_body(struct lt_http_request *request) {
    char text[96];
    snprintf(text, sizeof(text), "the body is larger than the %zu bytes that are allowed\n",
             (size_t)request->server->opt.max_body_bytes);
    static const struct lt_http_header headers[] = {{"Content-Type", {"text/plain", 10}}, {0}};
    lt_http_respond(request, 413, headers, lt_slice_str(text));
}

static enum MHD_Result send_answer(struct lt_http_request *request) {
    struct MHD_Response *response = request->response;

    request->phase = LT_HTTP_ANSWERED;
    request->response = NULL;
    if (request->server->stopping)
        (void)MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return result;
}

/** After on_headers: a refusal goes out at once only where the client waits for it, or the body is
 * too large to be read for nothing. */
static enum MHD_Result answer_early(struct lt_http_request *request) {
    bool waits = lt_http_header(request, "Expect").data != NULL;

    if (request->content_length == 0 || waits ||
        (request->content_length != UINT64_MAX && request->content_length > LT_HTTP_DRAIN_BYTES))
        return send_answer(request);
    request->phase = LT_HTTP_DRAIN;
    return MHD_YES;
}

static enum MHD_Result on_headers(struct lt_http_request *request, const char *method) {
    const struct lt_http_server_options *opt = &request->server->opt;

    request->method = lt_slice_str(method);
    request->content_length = content_length(request);
    request->phase = LT_HTTP_BODY;
    if (opt->on_headers) {
        request->announced = true;
        opt->on_headers(opt->ctx, request);
    }
    if (!request->response && !request->part && request->content_length != UINT64_MAX) {
        if (request->content_length > opt->max_body_bytes) {
            if (request->announced && opt->on_abort)
                opt->on_abort(opt->ctx, request);
            request->announced = false;
            refuse_body(request);
        } else if (request->content_length && request->body.cap < request->content_length) {
            /* Without memory the body fails when it comes. */
            (void)lt_buf_reserve(&request->body, (size_t)request->content_length);
        }
    }
    return request->response ? answer_early(request) : MHD_YES;
}

static int take_part(struct lt_http_request *request, struct lt_slice part) {
    if (request->n_received > request->max_body_bytes)
        return EFBIG;
    if (request->part)
        return request->part(request->part_ctx, part);
    lt_buf_append(&request->body, part);
    return request->body.failed ? ENOMEM : 0;
}

static enum MHD_Result on_body(struct lt_http_request *request, struct lt_slice part) {
    request->n_received += part.len;
    if (request->conn)
        lt_http_was_read(request->conn);
    if (request->phase == LT_HTTP_BODY && !request->body_error)
        request->body_error = take_part(request, part);
    if (request->phase == LT_HTTP_DRAIN || request->body_error)
        return request->n_received > request->max_body_bytes + LT_HTTP_DRAIN_BYTES ? MHD_NO
                                                                                   : MHD_YES;
    return MHD_YES;
}

static enum MHD_Result on_whole(struct lt_http_request *request) {
    const struct lt_http_server_options *opt = &request->server->opt;

    if (request->phase == LT_HTTP_BODY && request->body_error && !request->part) {
        if (request->announced && opt->on_abort)
            opt->on_abort(opt->ctx, request);
        request->announced = false;
        refuse_body(request);
    }
    if (request->phase == LT_HTTP_BODY && !request->response) {
        request->phase = LT_HTTP_HELD;
        lt_http_hold(request);
        opt->on_request(opt->ctx, request);
    }
    if (request->response)
        return send_answer(request);
    if (!request->held)
        return MHD_NO; /* answered without memory for it */
    request->suspended = true;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

enum MHD_Result lt_http_on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **context) {
    struct lt_http_request *request = *context;

    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    if (!request)
        return MHD_NO;
    switch (request->phase) {
    case LT_HTTP_HEADERS:
        return on_headers(request, method);
    case LT_HTTP_BODY:
    case LT_HTTP_DRAIN:
        if (*data_len) {
            struct lt_slice part = lt_slice(data, *data_len);
            *data_len = 0;
            return on_body(request, part);
        }
        return on_whole(request);
    case LT_HTTP_HELD:
        return request->response ? send_answer(request) : MHD_NO;
    case LT_HTTP_ANSWERED:
        break;
    }
    *data_len = 0;
    return MHD_YES;
}

void lt_http_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_RequestTerminationCode why) {
    struct lt_http_server *server = cls;
    struct lt_http_request *request = *context;

    (void)connection;
    (void)why;
    *context = NULL;
    if (!request)
        return;
    if (request->conn) {
        request->conn->request = NULL;
        request->conn->idle_since_us = lt_clock_mono_us();
        if (server->stopping)
            lt_http_cut(request->conn);
    }
    if (request->announced && request->phase == LT_HTTP_BODY && server->opt.on_abort)
        server->opt.on_abort(server->opt.ctx, request);
    request->connection = NULL;
    request->conn = NULL;
    if (server->freed)
        request->server = NULL;
    lt_http_request_release(request);
}
