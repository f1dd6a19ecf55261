/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user sees of a request, and the answers. An answer given while libmicrohttpd is not
 * inside this request's callback resumes its connection, which then asks for it.
 */
#include "http/server_internal.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_BLOCK_BYTES = 64 << 10, CUT_BLOCK_BYTES = 16 << 10 };

struct lt_slice lt_http_method(const struct lt_http_request *request) {
    return request->method;
}

struct lt_slice lt_http_raw_path(const struct lt_http_request *request) {
    return request->path;
}

struct lt_slice lt_http_raw_query(const struct lt_http_request *request) {
    return request->query;
}

struct lt_slice lt_http_header(const struct lt_http_request *request, const char *name) {
    const char *value = NULL;
    size_t len = 0;

    if (!request->connection ||
        MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
                                      &value, &len) != MHD_YES)
        return lt_slice(NULL, 0);
    return value ? lt_slice(value, len) : lt_slice("", 0);
}

struct visit {
    void (*each)(void *ctx, struct lt_slice name, struct lt_slice value);
    void *ctx;
};

static enum MHD_Result visit_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                    size_t name_len, const char *value, size_t value_len) {
    const struct visit *visit = cls;
    (void)kind;
    visit->each(visit->ctx, lt_slice(name, name_len), lt_slice(value ? value : "", value_len));
    return MHD_YES;
}

void lt_http_each_header(const struct lt_http_request *request,
                         void (*each)(void *ctx, struct lt_slice name, struct lt_slice value),
                         void *ctx) {
    struct visit visit = {each, ctx};
    if (request->connection)
        MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, visit_header, &visit);
}

struct lt_slice lt_http_body(const struct lt_http_request *request) {
    return request->part ? lt_slice("", 0) : lt_buf_slice(&request->body);
}

struct lt_arena *lt_http_arena(struct lt_http_request *request) {
    return &request->arena;
}

int64_t lt_http_started_us(const struct lt_http_request *request) {
    return request->started_us;
}

void **lt_http_user(struct lt_http_request *request) {
    return &request->user;
}

uint64_t lt_http_content_length(const struct lt_http_request *request) {
    return request->content_length;
}

int lt_http_body_error(const struct lt_http_request *request) {
    return request->body_error;
}

void lt_http_body_to(struct lt_http_request *request, uint64_t max_bytes, lt_http_body_part *part,
                     void *ctx) {
    request->part = part;
    request->part_ctx = ctx;
    /* so far from its end that what is added to it never wraps */
    request->max_body_bytes = max_bytes < UINT64_MAX / 4 ? max_bytes : UINT64_MAX / 4;
}

static int write_part(void *ctx, struct lt_slice part) {
    struct lt_http_request *request = ctx;
    const char *at = part.data;
    size_t left = part.len;

    while (left) {
        ssize_t n = write(request->body_fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        at += n;
        left -= (size_t)n;
    }
    if (request->each)
        request->each(request->each_ctx, part);
    return 0;
}

void lt_http_body_to_file(struct lt_http_request *request, int fd, uint64_t max_bytes,
                          void (*each)(void *ctx, struct lt_slice part), void *ctx) {
    request->body_fd = fd;
    request->each = each;
    request->each_ctx = ctx;
    lt_http_body_to(request, max_bytes, write_part, request);
}

static void add_headers(struct lt_http_request *request, struct MHD_Response *response,
                        const struct lt_http_header *headers) {
    for (; headers && headers->name; headers++) {
        char small[256];
        const char *value = small;
        if (headers->value.len < sizeof(small)) {
            if (headers->value.len)
                memcpy(small, headers->value.data, headers->value.len);
            small[headers->value.len] = '\0';
        } else {
            value = lt_arena_str(&request->arena, headers->value);
        }
        if (!value || MHD_add_response_header(response, headers->name, value) != MHD_YES)
            lt_log(LT_LOG_WARN, "http", "the header %s of an answer could not be added",
                   headers->name);
    }
}

/** The one way out: `response` may be NULL without memory, the connection is then closed. */
static void answer(struct lt_http_request *request, unsigned status,
                   const struct lt_http_header *headers, struct MHD_Response *response) {
    bool held = request->held;

    if (response && request->connection)
        add_headers(request, response, headers);
    request->status = status;
    request->response = response;
    if (held) {
        if (request->server)
            lt_http_unhold(request);
        request->held = false;
    }
    if (request->suspended)
        lt_http_resume(request);
    if (held && !request->connection)
        lt_http_request_release(request);
}

void lt_http_respond(struct lt_http_request *request, unsigned status,
                     const struct lt_http_header *headers, struct lt_slice body) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, body.len ? (void *)(uintptr_t)body.data : NULL,
                                        body.len ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
    answer(request, status, headers, response);
}

void lt_http_respond_take(struct lt_http_request *request, unsigned status,
                          const struct lt_http_header *headers, struct lt_buf *body) {
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
        body->len, body->len ? body->data : NULL, free);
    if (response && body->len) {
        const size_t max = body->max;
        lt_buf_init(body, max);
    } else {
        lt_buf_deinit(body);
    }
    answer(request, status, headers, response);
}

struct cut_body {
    struct lt_buf bytes;
    size_t n_sent;
};

static ssize_t read_cut(void *cls, uint64_t pos, char *buf, size_t max) {
    const struct cut_body *cut = cls;

    if (pos >= cut->n_sent)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = cut->n_sent - (size_t)pos < max ? cut->n_sent - (size_t)pos : max;
    memcpy(buf, cut->bytes.data + pos, n);
    return (ssize_t)n;
}

static void free_cut(void *cls) {
    struct cut_body *cut = cls;
    lt_buf_deinit(&cut->bytes);
    free(cut);
}

void lt_http_respond_cut(struct lt_http_request *request, unsigned status,
                         const struct lt_http_header *headers, struct lt_buf *body, size_t n_sent) {
    struct cut_body *cut = malloc(sizeof(*cut));
    struct MHD_Response *response = NULL;
    const size_t max = body->max;

    if (cut) {
        *cut = (struct cut_body){*body, n_sent < body->len ? n_sent : body->len};
        response =
            MHD_create_response_from_callback(body->len, CUT_BLOCK_BYTES, read_cut, cut, free_cut);
    }
    if (response) {
        lt_buf_init(body, max);
    } else {
        free(cut);
        lt_buf_deinit(body);
    }
    answer(request, status, headers, response);
}

struct file_body {
    int fd;
    uint64_t offset;
};

static ssize_t read_file(void *cls, uint64_t pos, char *buf, size_t max) {
    const struct file_body *file = cls;
    ssize_t n;

    do
        n = pread(file->fd, buf, max, (off_t)(file->offset + pos));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return n ? n : MHD_CONTENT_READER_END_WITH_ERROR; /* shorter than promised */
}

static void close_file(void *cls) {
    struct file_body *file = cls;
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}

void lt_http_respond_file(struct lt_http_request *request, unsigned status,
                          const struct lt_http_header *headers, int fd, uint64_t offset,
                          uint64_t len) {
    struct file_body *file = malloc(sizeof(*file));
    struct MHD_Response *response = NULL;

    if (file) {
        *file = (struct file_body){fd, offset};
        response = MHD_create_response_from_callback(
            len, len < FILE_BLOCK_BYTES ? (size_t)len + 1 : FILE_BLOCK_BYTES, read_file, file,
            close_file);
    }
    if (!response) {
        if (fd >= 0)
            close(fd);
        free(file);
    }
    answer(request, status, headers, response);
}
