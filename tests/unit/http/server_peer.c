/* SPDX-License-Identifier: Apache-2.0 */
#include "server_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX_BYTES = 4 << 20 };

static const struct lt_http_header no_headers[] = {{0}};

struct late {
    uv_timer_t timer;
    struct lt_http_request *request;
};

static void free_late(uv_handle_t *handle) {
    free(handle->data);
}

static void answer_late(uv_timer_t *timer) {
    struct late *late = timer->data;
    lt_http_respond(late->request, 200, no_headers, lt_http_body(late->request));
    uv_close((uv_handle_t *)timer, free_late);
}

static void count_bytes(void *ctx, struct lt_slice part) {
    *(uint64_t *)ctx += part.len;
}

static int count_part(void *ctx, struct lt_slice part) {
    uint64_t *sum = ctx;
    *sum += part.len;
    return *sum > 100000 ? ENOSPC : 0;
}

static int take_slowly(void *ctx, struct lt_slice part) {
    struct peer *peer = ctx;
    (void)part;
    usleep(1000);
    atomic_fetch_add(&peer->n_parts, 1);
    return 0;
}

static void on_headers(void *ctx, struct lt_http_request *request) {
    struct peer *peer = ctx;
    struct lt_slice path = lt_http_raw_path(request);

    if (lt_slice_eq_str(path, "/refuse")) {
        lt_http_respond(request, 403, no_headers, LT_LIT("no"));
    } else if (lt_slice_eq_str(path, "/to-file")) {
        int fd = open(peer->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        *lt_http_user(request) = lt_arena_calloc(lt_http_arena(request), 2, sizeof(uint64_t));
        ((uint64_t *)*lt_http_user(request))[1] = (uint64_t)fd;
        lt_http_body_to_file(request, fd, 8 << 20, count_bytes, *lt_http_user(request));
    } else if (lt_slice_eq_str(path, "/to-slow")) {
        lt_http_body_to(request, UINT64_MAX, take_slowly, peer);
    } else if (lt_slice_eq_str(path, "/to-failing")) {
        *lt_http_user(request) = lt_arena_calloc(lt_http_arena(request), 1, sizeof(uint64_t));
        lt_http_body_to(request, 8 << 20, count_part, *lt_http_user(request));
    }
}

static void list_header(void *ctx, struct lt_slice name, struct lt_slice value) {
    lt_buf_printf(ctx, "%.*s=%.*s\n", LT_FMT(name), LT_FMT(value));
}

static void respond_headers(struct lt_http_request *request) {
    struct lt_buf out;
    lt_buf_init(&out, 1 << 20);
    lt_buf_printf(&out, "%.*s %.*s ? %.*s\n", LT_FMT(lt_http_method(request)),
                  LT_FMT(lt_http_raw_path(request)), LT_FMT(lt_http_raw_query(request)));
    lt_http_each_header(request, list_header, &out);
    lt_http_respond_take(request, 200, no_headers, &out);
    assert_null(out.data);
}

static void respond_file(struct lt_http_request *request) {
    uint64_t *sums = *lt_http_user(request);
    uint64_t len = sums[0];
    int fd = (int)sums[1];
    if (lt_http_body_error(request)) {
        close(fd);
        lt_http_respond(request, 500, no_headers, LT_LIT("body"));
        return;
    }
    assert_int_equal(lt_http_body(request).len, 0);
    lt_http_respond_file(request, 200, no_headers, fd, 0, len);
}

/* The request's body, of which as many bytes are sent as the query says. */
static void respond_cut(struct lt_http_request *request) {
    char digits[16];
    struct lt_buf out;
    snprintf(digits, sizeof(digits), "%.*s", LT_FMT(lt_http_raw_query(request)));
    lt_buf_init(&out, 1 << 20);
    lt_buf_append(&out, lt_http_body(request));
    lt_http_respond_cut(request, 200, no_headers, &out, strtoul(digits, NULL, 10));
    assert_null(out.data);
}

static void on_request(void *ctx, struct lt_http_request *request) {
    static const struct lt_http_header typed[] = {
        {"Content-Type", {"text/x-echo", 11}}, {"X-Empty", {"", 0}}, {0}};
    struct peer *peer = ctx;
    struct lt_slice path = lt_http_raw_path(request);

    if (lt_slice_eq_str(path, "/late")) {
        struct late *late = calloc(1, sizeof(*late));
        late->request = request;
        uv_timer_init(&peer->loop, &late->timer);
        late->timer.data = late;
        uv_timer_start(&late->timer, answer_late, 20, 0);
    } else if (lt_slice_eq_str(path, "/hold")) {
        peer->held[peer->n_held++] = request;
        atomic_fetch_add(&peer->n_held_seen, 1);
    } else if (lt_slice_eq_str(path, "/to-file")) {
        respond_file(request);
    } else if (lt_slice_eq_str(path, "/to-failing")) {
        char text[32];
        snprintf(text, sizeof(text), "%d", lt_http_body_error(request));
        lt_http_respond(request, 507, no_headers, lt_slice_str(text));
    } else if (lt_slice_eq_str(path, "/headers")) {
        respond_headers(request);
    } else if (lt_slice_eq_str(path, "/cut")) {
        respond_cut(request);
    } else if (lt_slice_eq_str(path, "/none")) {
        lt_http_respond(request, 204, NULL, lt_slice(NULL, 0));
    } else {
        lt_http_respond(request, 200, typed, lt_http_body(request));
    }
}

static void on_abort(void *ctx, struct lt_http_request *request) {
    struct peer *peer = ctx;
    if (lt_slice_eq_str(lt_http_raw_path(request), "/to-file"))
        close((int)((uint64_t *)*lt_http_user(request))[1]);
    atomic_fetch_add(&peer->n_aborted, 1);
}

static void on_async(uv_async_t *async) {
    struct peer *peer = async->data;
    pthread_mutex_lock(&peer->mu);
    if (peer->order)
        peer->order(peer);
    peer->order = NULL;
    pthread_cond_signal(&peer->done);
    pthread_mutex_unlock(&peer->mu);
}

static void *run_peer(void *arg) {
    struct peer *peer = arg;
    uv_run(&peer->loop, UV_RUN_DEFAULT);
    return NULL;
}

void order(struct peer *peer, void (*what)(struct peer *peer)) {
    pthread_mutex_lock(&peer->mu);
    peer->order = what;
    uv_async_send(&peer->async);
    while (peer->order)
        pthread_cond_wait(&peer->done, &peer->mu);
    pthread_mutex_unlock(&peer->mu);
}

void start_peer(struct peer *peer) {
    struct leat_error err;

    snprintf(peer->file, sizeof(peer->file), "/tmp/leat-server-XXXXXX");
    int fd = mkstemp(peer->file);
    assert_true(fd >= 0);
    close(fd);
    pthread_mutex_init(&peer->mu, NULL);
    pthread_cond_init(&peer->done, NULL);
    uv_loop_init(&peer->loop);
    uv_async_init(&peer->loop, &peer->async, on_async);
    peer->async.data = peer;
    struct lt_http_server_options opt = {.loop = &peer->loop,
                                         .max_body_bytes = MAX_BODY_BYTES,
                                         .max_connections = peer->max_connections,
                                         .idle_timeout_s = peer->idle_timeout_s,
                                         .head_timeout_s = peer->head_timeout_s,
                                         .body_timeout_s = peer->body_timeout_s,
                                         .ctx = peer,
                                         .on_headers = on_headers,
                                         .on_request = on_request,
                                         .on_abort = on_abort};
    assert_int_equal(lt_http_server_new(&peer->server, &opt, &err), LEAT_OK);
    assert_int_equal(lt_http_server_listen(peer->server, "127.0.0.1:0", &peer->port, &err),
                     LEAT_OK);
    assert_true(peer->port > 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, run_peer, peer), 0);
}

static void free_server(struct peer *peer) {
    lt_http_server_free(peer->server);
    peer->server = NULL;
}

static void end_loop(struct peer *peer) {
    free_server(peer);
    for (unsigned i = 0; i < peer->n_held; i++)
        lt_http_respond(peer->held[i], 200, no_headers, LT_LIT("too late"));
    peer->n_held = 0;
    uv_close((uv_handle_t *)&peer->async, NULL);
}

void end_peer(struct peer *peer) {
    order(peer, end_loop);
    pthread_join(peer->thread, NULL);
    assert_int_equal(uv_loop_close(&peer->loop), 0);
    unlink(peer->file);
    pthread_mutex_destroy(&peer->mu);
    pthread_cond_destroy(&peer->done);
}

int dial(unsigned port) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval wait = {.tv_sec = 20};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    return fd;
}

void say(int fd, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

void say_str(int fd, const char *text) {
    say(fd, text, strlen(text));
}

size_t length_in(const char *head) {
    const char *at = strcasestr(head, "\r\nContent-Length: ");
    return at ? (size_t)strtoull(at + 18, NULL, 10) : 0;
}

bool hear(int fd, bool head, struct heard *heard) {
    lt_buf_init(&heard->bytes, ANSWER_MAX_BYTES);
    for (;;) {
        char *to = lt_buf_reserve(&heard->bytes, 2);
        ssize_t n = recv(fd, to, 1, 0);
        if (n <= 0) {
            lt_buf_deinit(&heard->bytes);
            return false;
        }
        heard->bytes.len++;
        if (heard->bytes.len >= 4 &&
            !memcmp(heard->bytes.data + heard->bytes.len - 4, "\r\n\r\n", 4))
            break;
    }
    size_t head_len = heard->bytes.len;
    heard->bytes.data[head_len] = '\0';
    heard->status = atoi(heard->bytes.data + 9);
    size_t len = head || heard->status == 100 ? 0 : length_in(heard->bytes.data);
    assert_non_null(lt_buf_reserve(&heard->bytes, len + 1));
    while (heard->bytes.len < head_len + len) {
        ssize_t n =
            recv(fd, heard->bytes.data + heard->bytes.len, head_len + len - heard->bytes.len, 0);
        assert_true(n > 0);
        heard->bytes.len += (size_t)n;
    }
    heard->body = lt_slice(heard->bytes.data + head_len, len);
    return true;
}

void expect(int fd, int status, const char *body) {
    struct heard heard;
    assert_true(hear(fd, false, &heard));
    assert_int_equal(heard.status, status);
    if (body)
        assert_true(lt_slice_eq_str(heard.body, body));
    lt_buf_deinit(&heard.bytes);
}

void expect_end(int fd) {
    struct heard heard;
    assert_false(hear(fd, false, &heard));
}

void wait_for(atomic_uint *count, unsigned n) {
    for (int i = 0; i < 2000 && atomic_load(count) < n; i++)
        usleep(5000);
    assert_int_equal(atomic_load(count), n);
}

void answer_held(struct peer *peer) {
    for (unsigned i = 0; i < peer->n_held; i++)
        lt_http_respond(peer->held[i], 200, no_headers, LT_LIT("held"));
    peer->n_held = 0;
}

static void count_stop(void *ctx) {
    atomic_fetch_add(&((struct peer *)ctx)->n_stopped, 1);
}

void stop_gracefully(struct peer *peer) {
    lt_http_server_stop(peer->server, 10000, count_stop, peer);
}

void stop_at_once(struct peer *peer) {
    lt_http_server_stop(peer->server, 50, count_stop, peer);
}
