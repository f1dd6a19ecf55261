/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server runs on a loop in a thread of its own; the tests are its clients, over raw sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_BODY_BYTES = 1 << 20, ANSWER_MAX_BYTES = 4 << 20, MAX_HELD = 64 };

/** A server under test. Fields below `loop` belong to the loop's thread unless atomic. */
struct peer {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t async;
    struct lt_http_server *server;
    unsigned port;
    unsigned max_connections, idle_timeout_s;
    struct lt_http_request *held[MAX_HELD];
    unsigned n_held;
    char file[64];
    int listener; /**< a socket to hand over */
    atomic_uint n_held_seen, n_aborted, n_stopped;
    /* one order at a time from the test's thread, carried out on the loop */
    pthread_mutex_t mu;
    pthread_cond_t done;
    void (*order)(struct peer *peer);
};

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

static void order(struct peer *peer, void (*what)(struct peer *peer)) {
    pthread_mutex_lock(&peer->mu);
    peer->order = what;
    uv_async_send(&peer->async);
    while (peer->order)
        pthread_cond_wait(&peer->done, &peer->mu);
    pthread_mutex_unlock(&peer->mu);
}

static void start_peer(struct peer *peer) {
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

static void end_peer(struct peer *peer) {
    order(peer, end_loop);
    pthread_join(peer->thread, NULL);
    assert_int_equal(uv_loop_close(&peer->loop), 0);
    unlink(peer->file);
    pthread_mutex_destroy(&peer->mu);
    pthread_cond_destroy(&peer->done);
}

static int dial(unsigned port) {
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

static void say(int fd, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

static void say_str(int fd, const char *text) {
    say(fd, text, strlen(text));
}

/** One answer as it came: the head ends with an empty line; `head` asks for no body. */
struct heard {
    struct lt_buf bytes;
    int status;
    struct lt_slice body;
};

static size_t length_in(const char *head) {
    const char *at = strcasestr(head, "\r\nContent-Length: ");
    return at ? (size_t)strtoull(at + 18, NULL, 10) : 0;
}

/** Reads one answer, leaving what follows it in the socket. False at the connection's end. */
static bool hear(int fd, bool head, struct heard *heard) {
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

/** Hears an answer of that status and body (NULL: any), and forgets it. */
static void expect(int fd, int status, const char *body) {
    struct heard heard;
    assert_true(hear(fd, false, &heard));
    assert_int_equal(heard.status, status);
    if (body)
        assert_true(lt_slice_eq_str(heard.body, body));
    lt_buf_deinit(&heard.bytes);
}

static void expect_end(int fd) {
    struct heard heard;
    assert_false(hear(fd, false, &heard));
}

static void wait_for(atomic_uint *count, unsigned n) {
    for (int i = 0; i < 2000 && atomic_load(count) < n; i++)
        usleep(5000);
    assert_int_equal(atomic_load(count), n);
}

static void pipelined_requests_are_answered_in_order(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
                "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
                "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nfour");
    expect(fd, 200, "one");
    expect(fd, 200, "two");
    expect(fd, 204, "");
    expect(fd, 200, "four");
    close(fd);
    end_peer(&peer);
}

static void request_parts_and_headers_come_as_they_were_sent(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /headers?a=%20b&c HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: %41\r\n\r\n");
    assert_true(hear(fd, false, &heard));
    assert_true(
        lt_slice_eq_str(heard.body, "PUT /headers ? a=%20b&c\nHost=x\nX-Two=1\nx-two=%41\n"));
    lt_buf_deinit(&heard.bytes);
    close(fd);
    end_peer(&peer);
}

static void answer_has_its_headers_date_and_length(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    assert_true(hear(fd, false, &heard));
    assert_non_null(strstr(heard.bytes.data, "Content-Type: text/x-echo\r\n"));
    assert_non_null(strstr(heard.bytes.data, "Content-Length: 2\r\n"));
    assert_non_null(strstr(heard.bytes.data, "Date: "));
    lt_buf_deinit(&heard.bytes);
    close(fd);
    end_peer(&peer);
}

static void head_gets_the_length_without_the_body(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "HEAD /headers HTTP/1.1\r\nHost: x\r\n\r\n"
                "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnext");
    assert_true(hear(fd, true, &heard));
    assert_int_equal(length_in(heard.bytes.data), strlen("HEAD /headers ? \nHost=x\n"));
    lt_buf_deinit(&heard.bytes);
    expect(fd, 200, "next");
    close(fd);
    end_peer(&peer);
}

static void chunked_body_comes_whole(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n");
    usleep(20000);
    say_str(fd, "1;ext=1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n");
    expect(fd, 200, "hello world");
    close(fd);
    end_peer(&peer);
}

static void expect_100_is_answered_before_the_body(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_true(hear(fd, true, &heard));
    assert_int_equal(heard.status, 100);
    lt_buf_deinit(&heard.bytes);
    say_str(fd, "body");
    expect(fd, 200, "body");
    close(fd);
    fd = dial(peer.port);
    say_str(fd,
            "PUT /refuse HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    expect(fd, 403, "no");
    close(fd);
    end_peer(&peer);
}

static void refused_body_is_read_and_the_connection_goes_on(void **state) {
    struct peer peer = {0};
    char *body = calloc(1, 300000);
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n");
    say(fd, body, 300000);
    expect(fd, 403, "no");
    say_str(fd, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1");
    expect(fd, 200, "1");
    close(fd);
    free(body);
    end_peer(&peer);
    assert_int_equal(atomic_load(&peer.n_aborted), 0);
}

static void too_large_body_is_answered_413(void **state) {
    struct peer peer = {0};
    char *body = calloc(1, MAX_BODY_BYTES + 100);
    char head[128];
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    snprintf(head, sizeof(head), "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             MAX_BODY_BYTES + 1);
    say_str(fd, head);
    say(fd, body, MAX_BODY_BYTES + 1);
    expect(fd, 413, NULL);
    snprintf(head, sizeof(head),
             "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
             MAX_BODY_BYTES + 1);
    say_str(fd, head);
    say(fd, body, MAX_BODY_BYTES + 1);
    say_str(fd, "\r\n0\r\n\r\n");
    expect(fd, 413, NULL);
    snprintf(head, sizeof(head), "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             MAX_BODY_BYTES);
    say_str(fd, head);
    say(fd, body, MAX_BODY_BYTES);
    expect(fd, 200, NULL);
    close(fd);
    free(body);
    end_peer(&peer);
    assert_int_equal(atomic_load(&peer.n_aborted), 2);
}

static void huge_body_is_refused_without_being_read(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n");
    expect(fd, 413, NULL);
    expect_end(fd);
    close(fd);
    end_peer(&peer);
}

static void too_many_header_bytes_are_answered_431(void **state) {
    struct peer peer = {0};
    char *line = malloc(4096);
    (void)state;
    start_peer(&peer);
    memset(line, 'a', 4096);
    memcpy(line, "X-Long: ", 8);
    memcpy(line + 4094, "\r\n", 2);
    int fd = dial(peer.port);
    say_str(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 64; i++)
        if (send(fd, line, 4096, MSG_NOSIGNAL) <= 0)
            break;
    struct heard heard;
    if (hear(fd, false, &heard)) { /* a reset may overtake the answer */
        assert_int_equal(heard.status, 431);
        lt_buf_deinit(&heard.bytes);
    }
    close(fd);
    free(line);
    end_peer(&peer);
}

static void garbage_is_answered_or_hung_up(void **state) {
    static const char *const garbage[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        int fd = dial(peer.port);
        struct heard heard;
        say_str(fd, garbage[i]);
        shutdown(fd, SHUT_WR);
        if (hear(fd, false, &heard)) {
            assert_true(heard.status >= 400);
            lt_buf_deinit(&heard.bytes);
        }
        close(fd);
    }
    int fd = dial(peer.port);
    say_str(fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fd, 204, "");
    close(fd);
    end_peer(&peer);
}

static void body_to_file_and_file_as_answer_carry_the_same_bytes(void **state) {
    enum { LEN = 3000000 };
    struct peer peer = {0};
    char *body = malloc(LEN);
    struct heard heard;
    (void)state;
    start_peer(&peer);
    for (size_t i = 0; i < LEN; i++)
        body[i] = (char)(i * 2654435761U >> 13);
    int fd = dial(peer.port);
    say_str(fd, "PUT /to-file HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    say(fd, body, LEN);
    assert_true(hear(fd, false, &heard));
    assert_int_equal(heard.body.len, LEN);
    assert_memory_equal(heard.body.data, body, LEN);
    lt_buf_deinit(&heard.bytes);
    say_str(fd, "PUT /to-file HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    expect(fd, 200, "");
    close(fd);
    free(body);
    end_peer(&peer);
}

static void failing_body_taker_is_told_and_the_rest_dropped(void **state) {
    struct peer peer = {0};
    char *body = calloc(1, 500000), text[16];
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /to-failing HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
    say(fd, body, 500000);
    snprintf(text, sizeof(text), "%d", ENOSPC);
    expect(fd, 507, text);
    close(fd);
    free(body);
    end_peer(&peer);
}

static void client_that_leaves_in_its_body_is_told_once(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /to-file HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\npart");
    usleep(20000);
    close(fd);
    wait_for(&peer.n_aborted, 1);
    end_peer(&peer);
    assert_int_equal(atomic_load(&peer.n_aborted), 1);
}

static void answer_held(struct peer *peer) {
    for (unsigned i = 0; i < peer->n_held; i++)
        lt_http_respond(peer->held[i], 200, no_headers, LT_LIT("held"));
    peer->n_held = 0;
}

static void client_that_leaves_before_its_answer_harms_nobody(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int gone = dial(peer.port), there = dial(peer.port);
    say_str(gone, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    say_str(there, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&peer.n_held_seen, 2);
    struct linger reset = {.l_onoff = 1};
    setsockopt(gone, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(gone);
    usleep(20000);
    order(&peer, answer_held);
    expect(there, 200, "held");
    say_str(there, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(there, 204, "");
    close(there);
    end_peer(&peer);
}

static void request_may_be_answered_after_the_server_is_gone(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&peer.n_held_seen, 1);
    end_peer(&peer); /* frees the server, then answers */
    expect_end(fd);
    close(fd);
}

static void count_stop(void *ctx) {
    atomic_fetch_add(&((struct peer *)ctx)->n_stopped, 1);
}

static void stop_gracefully(struct peer *peer) {
    lt_http_server_stop(peer->server, 10000, count_stop, peer);
}

static void stop_at_once(struct peer *peer) {
    lt_http_server_stop(peer->server, 50, count_stop, peer);
}

static void stop_waits_for_pending_answers_and_closes_idle_connections(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int idle = dial(peer.port), busy = dial(peer.port);
    say_str(idle, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(idle, 204, "");
    say_str(busy, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&peer.n_held_seen, 1);
    order(&peer, stop_gracefully);
    expect_end(idle);
    assert_int_equal(atomic_load(&peer.n_stopped), 0);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)peer.port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&addr, sizeof(addr)), -1);
    close(late);
    order(&peer, answer_held);
    struct heard heard;
    assert_true(hear(busy, false, &heard));
    assert_non_null(strstr(heard.bytes.data, "Connection: close"));
    lt_buf_deinit(&heard.bytes);
    expect_end(busy);
    wait_for(&peer.n_stopped, 1);
    close(idle);
    close(busy);
    end_peer(&peer);
}

static void stop_ends_after_its_grace_time(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&peer.n_held_seen, 1);
    order(&peer, stop_at_once);
    wait_for(&peer.n_stopped, 1);
    end_peer(&peer);
    assert_int_equal(atomic_load(&peer.n_stopped), 1);
    close(fd);
}

static void stop_without_connections_is_done_at_once(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    order(&peer, stop_gracefully);
    wait_for(&peer.n_stopped, 1);
    end_peer(&peer);
}

static void thousand_connections_are_served(void **state) {
    enum { N = 1000 };
    struct peer peer = {0};
    struct rlimit limit;
    int *fds = calloc(N, sizeof(*fds));
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit more = {limit.rlim_max < 4096 ? limit.rlim_max : 4096, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &more);
    start_peer(&peer);
    for (int i = 0; i < N; i++)
        fds[i] = dial(peer.port);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++)
            say_str(fds[i], "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
        for (int i = 0; i < N; i++)
            expect(fds[i], 200, "abc");
    }
    for (int i = 0; i < N; i++)
        close(fds[i]);
    end_peer(&peer);
    setrlimit(RLIMIT_NOFILE, &limit);
    free(fds);
}

static void connections_over_the_limit_wait_for_their_turn(void **state) {
    struct peer peer = {.max_connections = 2};
    (void)state;
    start_peer(&peer);
    int a = dial(peer.port), b = dial(peer.port), c = dial(peer.port);
    struct pollfd waits = {.fd = c, .events = POLLIN};
    say_str(a, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(a, 204, "");
    say_str(b, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(b, 204, "");
    say_str(c, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(poll(&waits, 1, 100), 0);
    close(a);
    expect(c, 204, "");
    close(b);
    close(c);
    end_peer(&peer);
}

static int64_t cpu_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
}

static void without_free_descriptors_the_server_waits_and_does_not_spin(void **state) {
    struct peer peer = {0};
    struct rlimit limit, tight;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fd, 204, "");
    close(fd);
    usleep(20000);
    fd = dial(peer.port); /* the client's end exists before the limit falls */
    say_str(fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fd, 204, "");
    int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int top = dup(waiting);
    close(top);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    tight = limit;
    tight.rlim_cur = (rlim_t)top;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)peer.port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(waiting, (struct sockaddr *)&addr, sizeof(addr)), 0);
    int64_t before = cpu_us();
    usleep(300000);
    int64_t spent = cpu_us() - before;
    say_str(waiting, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_in_range(spent, 0, 100000);
    expect(waiting, 204, "");
    close(fd);
    close(waiting);
    end_peer(&peer);
}

static void idle_connection_is_closed_and_a_pending_one_is_not(void **state) {
    struct peer peer = {.idle_timeout_s = 1};
    (void)state;
    start_peer(&peer);
    int idle = dial(peer.port), busy = dial(peer.port);
    say_str(busy, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&peer.n_held_seen, 1);
    expect_end(idle);
    usleep(1500000);
    order(&peer, answer_held);
    expect(busy, 200, "held");
    close(idle);
    close(busy);
    end_peer(&peer);
}

static void hand_over(struct peer *peer) {
    struct leat_error err;
    assert_int_equal(lt_http_server_listen_fd(peer->server, peer->listener, &err), LEAT_OK);
}

static void unix_socket_is_served_beside_tcp(void **state) {
    struct peer peer = {0};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/leat-unix-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
    peer.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(peer.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(peer.listener, 8), 0);
    start_peer(&peer);
    order(&peer, hand_over);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    say_str(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nunix");
    expect(fd, 200, "unix");
    int tcp = dial(peer.port);
    say_str(tcp, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntcp");
    expect(tcp, 200, "tcp");
    close(fd);
    close(tcp);
    end_peer(&peer);
    unlink(addr.sun_path);
    rmdir(dir);
}

static void listening_on_a_taken_or_bad_address_says_so(void **state) {
    struct peer peer = {0};
    struct leat_error err;
    struct lt_http_server *server;
    uv_loop_t loop;
    unsigned port;
    char address[32];
    (void)state;
    start_peer(&peer);
    uv_loop_init(&loop);
    struct lt_http_server_options opt = {.loop = &loop, .on_request = on_request};
    assert_int_equal(lt_http_server_new(&server, &opt, &err), LEAT_OK);
    snprintf(address, sizeof(address), "127.0.0.1:%u", peer.port);
    assert_int_equal(lt_http_server_listen(server, address, &port, &err), LEAT_E_BUSY);
    assert_non_null(strstr(err.text, address));
    static const char *const bad[] = {
        "", "localhost", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", "::1:80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(lt_http_server_listen(server, bad[i], &port, &err), LEAT_E_INVALID);
    assert_int_equal(lt_http_server_listen(server, ":0", &port, &err), LEAT_OK);
    close(dial(port));
    lt_http_server_free(server);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    end_peer(&peer);
}

static void percent_and_query_decode_or_refuse(void **state) {
    struct lt_arena arena;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_true(lt_slice_eq_str(lt_http_percent_decode(LT_LIT("/a%20b+%2f%C3%bc"), false, &arena),
                                "/a b+/\xc3\xbc"));
    assert_true(lt_slice_eq_str(lt_http_percent_decode(LT_LIT("a+b"), true, &arena), "a b"));
    assert_null(lt_http_percent_decode(LT_LIT("%"), false, &arena).data);
    assert_null(lt_http_percent_decode(LT_LIT("%4"), false, &arena).data);
    assert_null(lt_http_percent_decode(LT_LIT("a%4g"), false, &arena).data);
    assert_int_equal(lt_http_percent_decode(LT_LIT("%41"), false, &arena).len, 1);
    struct lt_slice query = LT_LIT("list-type=2&prefix=a%2Fb%26&empty=&flag&x%2dy=1&prefix=2");
    assert_true(lt_slice_eq_str(lt_http_query(query, "prefix", &arena), "a/b&"));
    assert_true(lt_slice_eq_str(lt_http_query(query, "x-y", &arena), "1"));
    assert_non_null(lt_http_query(query, "flag", &arena).data);
    assert_int_equal(lt_http_query(query, "empty", &arena).len, 0);
    assert_null(lt_http_query(query, "pre", &arena).data);
    assert_null(lt_http_query(LT_LIT(""), "x", &arena).data);
    lt_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(request_parts_and_headers_come_as_they_were_sent),
        cmocka_unit_test(answer_has_its_headers_date_and_length),
        cmocka_unit_test(head_gets_the_length_without_the_body),
        cmocka_unit_test(chunked_body_comes_whole),
        cmocka_unit_test(expect_100_is_answered_before_the_body),
        cmocka_unit_test(refused_body_is_read_and_the_connection_goes_on),
        cmocka_unit_test(too_large_body_is_answered_413),
        cmocka_unit_test(huge_body_is_refused_without_being_read),
        cmocka_unit_test(too_many_header_bytes_are_answered_431),
        cmocka_unit_test(garbage_is_answered_or_hung_up),
        cmocka_unit_test(body_to_file_and_file_as_answer_carry_the_same_bytes),
        cmocka_unit_test(failing_body_taker_is_told_and_the_rest_dropped),
        cmocka_unit_test(client_that_leaves_in_its_body_is_told_once),
        cmocka_unit_test(client_that_leaves_before_its_answer_harms_nobody),
        cmocka_unit_test(request_may_be_answered_after_the_server_is_gone),
        cmocka_unit_test(stop_waits_for_pending_answers_and_closes_idle_connections),
        cmocka_unit_test(stop_ends_after_its_grace_time),
        cmocka_unit_test(stop_without_connections_is_done_at_once),
        cmocka_unit_test(thousand_connections_are_served),
        cmocka_unit_test(connections_over_the_limit_wait_for_their_turn),
        cmocka_unit_test(without_free_descriptors_the_server_waits_and_does_not_spin),
        cmocka_unit_test(idle_connection_is_closed_and_a_pending_one_is_not),
        cmocka_unit_test(unix_socket_is_served_beside_tcp),
        cmocka_unit_test(listening_on_a_taken_or_bad_address_says_so),
        cmocka_unit_test(percent_and_query_decode_or_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
