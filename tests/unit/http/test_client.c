/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../peer.h"
#include "base/clock.h"
#include "http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void wait_until_cut(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    poll(&poll_fd, 1, 10000);
}

static void send_str(int fd, const char *text) {
    peer_send(fd, text, strlen(text));
}

static bool echo(int fd, const struct peer_request *request) {
    char host[128] = "", expect[64] = "none", type[64] = "none", agent[64] = "", empty[16] = "none";
    char *text = NULL;
    peer_header(request, "Host", host, sizeof(host));
    peer_header(request, "Expect", expect, sizeof(expect));
    peer_header(request, "Content-Type", type, sizeof(type));
    peer_header(request, "User-Agent", agent, sizeof(agent));
    peer_header(request, "X-Empty", empty, sizeof(empty));
    if (asprintf(&text, "%s %s host=%s expect=%s type=%s agent=%s empty=%s body=%zu:%.20s",
                 request->method, request->target, host, expect, type, agent, empty,
                 request->body_len, request->body) < 0)
        abort();
    peer_answer(fd, 200, "X-One: 1\r\nX-Two:  two words \r\n", text);
    free(text);
    return true;
}

static bool send_flood(int fd, const char *head) {
    static const char block[65536];
    send_str(fd, head);
    for (int i = 0; i < 64; i++)
        peer_send(fd, block, sizeof(block));
    return false;
}

/* One byte every 100 ms, 15 of them. */
static bool drip(int fd) {
    const struct timespec pause = {.tv_nsec = 100000000};
    send_str(fd, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n");
    for (int i = 0; i < 15; i++) {
        nanosleep(&pause, NULL);
        send_str(fd, "x");
    }
    return true;
}

/* "unpacked text" by gzip, for who accepts it. */
static bool send_packed(int fd, const struct peer_request *request) {
    static const char packed[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xcd\x2b\x48\x4c\xce\x4e\x4d\x51\x28\x49\xad"
        "\x28\x01\x00\xe3\x73\x41\xd0\x0d\x00\x00\x00";
    char accepts[128], head[128];
    if (!peer_header(request, "Accept-Encoding", accepts, sizeof(accepts)) ||
        !strstr(accepts, "gzip")) {
        peer_answer(fd, 200, "", "as it is");
        return true;
    }
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
             sizeof(packed) - 1);
    send_str(fd, head);
    peer_send(fd, packed, sizeof(packed) - 1);
    return true;
}

/* What each target does. */
static bool behave(void *ctx, const struct peer_request *request, int fd) {
    const char *target = request->target;
    (void)ctx;
    if (!strncmp(target, "/echo", 5))
        return echo(fd, request);
    if (!strcmp(target, "/drips"))
        return drip(fd);
    if (!strcmp(target, "/packed"))
        return send_packed(fd, request);
    if (!strcmp(target, "/slow")) {
        wait_until_cut(fd);
        return false;
    }
    if (!strcmp(target, "/stalls")) {
        send_str(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        wait_until_cut(fd);
        return false;
    }
    if (!strcmp(target, "/truncated")) {
        send_str(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        return false;
    }
    if (!strcmp(target, "/truncated-chunk")) {
        send_str(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf");
        return false;
    }
    if (!strcmp(target, "/flood"))
        return send_flood(fd, "HTTP/1.1 200 OK\r\n\r\n");
    if (!strcmp(target, "/flood-announced"))
        return send_flood(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n");
    if (!strcmp(target, "/header-flood")) {
        send_str(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 20000; i++)
            send_str(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
        send_str(fd, "\r\n");
        return false;
    }
    if (!strcmp(target, "/garbage")) {
        send_str(fd, "\x16\x03\x01 what is this?\r\n\r\n");
        return false;
    }
    if (!strcmp(target, "/silent"))
        return false;
    if (!strcmp(target, "/continue")) {
        send_str(fd, "HTTP/1.1 103 Early Hints\r\nX-One: early\r\n\r\n");
        peer_answer(fd, 200, "", "late");
        return true;
    }
    if (!strcmp(target, "/moved"))
        peer_answer(fd, 302, "Location: /echo\r\n", "");
    else
        peer_answer(fd, 404, "", "nothing here");
    return true;
}

struct fixture {
    struct peer *peer;
    uv_loop_t loop;
    struct lt_http_client *client;
};

static int set_up(void **state) {
    static struct fixture f;
    struct lt_http_client_options opt = {.loop = &f.loop};
    struct leat_error err;
    f.peer = peer_start(NULL, behave, NULL);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    assert_int_equal(lt_http_client_new(&f.client, &opt, &err), LEAT_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    lt_http_client_free(f->client);
    f->client = NULL;
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    peer_stop(f->peer);
    return 0;
}

/* What came of a call, copied out of the callback. */
struct outcome {
    unsigned n_calls;
    leat_status status;
    unsigned http;
    struct leat_error err;
    char body[512];
    char one[32], two[32];
    struct lt_http_client *free_me; /**< freed from inside the callback */
    struct fixture *again;          /**< starts another call from inside the callback */
};

static void note(void *ctx, leat_status status, struct lt_http_answer *answer,
                 const struct leat_error *err) {
    struct outcome *o = ctx;
    o->n_calls++;
    o->status = status;
    o->http = answer->status;
    if (err)
        o->err = *err;
    snprintf(o->body, sizeof(o->body), "%.*s", LT_FMT(lt_buf_slice(&answer->body)));
    snprintf(o->one, sizeof(o->one), "%.*s", LT_FMT(lt_http_answer_header(answer, "x-ONE")));
    snprintf(o->two, sizeof(o->two), "%.*s", LT_FMT(lt_http_answer_header(answer, "X-Two")));
    if (o->free_me)
        lt_http_client_free(o->free_me);
    if (o->again) {
        char url[128];
        struct lt_http_call call = {.method = "GET", .url = url};
        struct fixture *f = o->again;
        o->again = NULL;
        snprintf(url, sizeof(url), "%s/echo", peer_url(f->peer));
        assert_int_equal(lt_http_client_start(f->client, &call, note, o, NULL), LEAT_OK);
    }
}

static void start(struct fixture *f, const char *target, struct lt_http_call call,
                  struct outcome *o) {
    char url[256];
    struct leat_error err;
    snprintf(url, sizeof(url), "%s%s", peer_url(f->peer), target);
    call.url = url;
    if (!call.method)
        call.method = "GET";
    assert_int_equal(lt_http_client_start(f->client, &call, note, o, &err), LEAT_OK);
}

static void await(struct fixture *f, const struct outcome *o, unsigned n_calls) {
    int64_t deadline_us = lt_clock_mono_us() + 20000000;
    while (o->n_calls < n_calls && lt_clock_mono_us() < deadline_us)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(o->n_calls, n_calls);
}

static struct outcome get(struct fixture *f, const char *target, struct lt_http_call call) {
    struct outcome o = {0};
    start(f, target, call, &o);
    await(f, &o, 1);
    return o;
}

static void a_get_brings_status_headers_and_body(void **state) {
    struct outcome o = get(*state, "/echo?a=%20b&c", (struct lt_http_call){0});
    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.http, 200);
    assert_string_equal(o.one, "1");
    assert_string_equal(o.two, "two words");
    assert_non_null(strstr(o.body, "GET /echo?a=%20b&c host=127.0.0.1:"));
    assert_non_null(strstr(o.body, "agent=leat/"));
}

static void a_path_with_dots_goes_out_as_it_is(void **state) {
    struct outcome o = get(*state, "/echo/../a/./b", (struct lt_http_call){0});
    assert_non_null(strstr(o.body, "GET /echo/../a/./b host="));
}

static void a_post_asks_for_no_continue_and_claims_no_form(void **state) {
    struct lt_http_call call = {.method = "POST", .body = LT_LIT("{\"a\":1}")};
    struct outcome o = get(*state, "/echo", call);
    assert_non_null(strstr(o.body, "POST /echo "));
    assert_non_null(strstr(o.body, "expect=none type=none"));
    assert_non_null(strstr(o.body, "body=7:{\"a\":1}"));
}

static void headers_go_out_also_when_empty(void **state) {
    const char *headers[] = {"Host: elsewhere", "Content-Type: text/x", "X-Empty: ", NULL};
    struct lt_http_call call = {.method = "PUT", .headers = headers, .body = LT_LIT("x")};
    struct outcome o = get(*state, "/echo", call);
    assert_non_null(strstr(o.body, "PUT /echo host=elsewhere "));
    assert_non_null(strstr(o.body, "type=text/x"));
    assert_non_null(strstr(o.body, "empty= "));
}

static void a_put_without_a_body_says_so(void **state) {
    struct outcome o = get(*state, "/echo", (struct lt_http_call){.method = "PUT"});
    assert_int_equal(o.status, LEAT_OK);
    assert_non_null(strstr(o.body, "PUT /echo "));
    assert_non_null(strstr(o.body, "body=0:"));
}

static void a_head_waits_for_no_body(void **state) {
    struct lt_http_call call = {.method = "HEAD", .total_timeout_ms = 5000};
    struct outcome o = get(*state, "/echo", call);
    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.http, 200);
    assert_string_equal(o.body, "");
}

static void a_delete_is_sent_as_such(void **state) {
    struct outcome o = get(*state, "/echo", (struct lt_http_call){.method = "DELETE"});
    assert_non_null(strstr(o.body, "DELETE /echo "));
}

static void an_error_of_http_is_an_answer(void **state) {
    struct outcome o = get(*state, "/missing", (struct lt_http_call){0});
    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.http, 404);
    assert_string_equal(o.body, "nothing here");
}

static void a_redirect_is_not_followed(void **state) {
    struct outcome o = get(*state, "/moved", (struct lt_http_call){0});
    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.http, 302);
}

static void headers_are_those_of_the_last_answer(void **state) {
    struct outcome o = get(*state, "/continue", (struct lt_http_call){0});
    assert_int_equal(o.http, 200);
    assert_string_equal(o.one, "");
    assert_string_equal(o.body, "late");
}

static void no_answer_in_time_is_a_timeout(void **state) {
    struct outcome o = get(*state, "/slow", (struct lt_http_call){.total_timeout_ms = 100});
    assert_int_equal(o.status, LEAT_E_TIMEOUT);
    assert_int_equal(o.err.status, LEAT_E_TIMEOUT);
    assert_non_null(strstr(o.err.text, "request to 127.0.0.1:"));
}

static void an_answer_that_stalls_is_a_timeout(void **state) {
    struct outcome o = get(*state, "/stalls", (struct lt_http_call){.total_timeout_ms = 100});
    assert_int_equal(o.status, LEAT_E_TIMEOUT);
}

static void a_peer_that_falls_silent_is_given_up_long_before_the_end_of_time(void **state) {
    static const char *const targets[] = {"/slow", "/stalls"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct lt_http_call call = {.read_timeout_ms = 50, .total_timeout_ms = 600000};
        struct outcome o = get(*state, targets[i], call);
        assert_int_equal(o.status, LEAT_E_TIMEOUT);
        assert_non_null(strstr(o.err.text, "nothing was received for 50 ms"));
    }
}

static void a_slow_answer_is_waited_for_while_bytes_come(void **state) {
    struct outcome o = get(*state, "/drips", (struct lt_http_call){.read_timeout_ms = 1000});
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.body, "xxxxxxxxxxxxxxx");
}

static void a_packed_answer_is_unpacked_only_when_it_was_asked_for(void **state) {
    struct outcome o = get(*state, "/packed", (struct lt_http_call){.compressed = true});
    assert_string_equal(o.body, "unpacked text");
    o = get(*state, "/packed", (struct lt_http_call){.compressed = true, .max_answer_bytes = 12});
    assert_int_equal(o.status, LEAT_E_LIMIT);
    o = get(*state, "/packed", (struct lt_http_call){0});
    assert_string_equal(o.body, "as it is");
}

static void a_file_of_certificates_that_is_not_there_is_named(void **state) {
    struct fixture *f = *state;
    char url[128];
    struct outcome o = {0};
    struct lt_http_call call = {.method = "GET", .url = url, .ca_file = "/nowhere/ca.pem"};
    snprintf(url, sizeof(url), "https%s/echo", strchr(peer_url(f->peer), ':'));
    assert_int_equal(lt_http_client_start(f->client, &call, note, &o, NULL), LEAT_OK);
    await(f, &o, 1);
    assert_int_equal(o.status, LEAT_E_AUTH);
    assert_non_null(strstr(o.err.text, "/nowhere/ca.pem"));
}

static void nothing_of_a_call_is_left_in_the_next_one(void **state) {
    const char *headers[] = {"Content-Type: text/x", "X-Empty: full", NULL};
    struct lt_http_call call = {.method = "PATCH", .headers = headers, .body = LT_LIT("x")};
    struct outcome o = get(*state, "/echo", call);
    assert_non_null(strstr(o.body, "PATCH /echo "));
    o = get(*state, "/echo", (struct lt_http_call){0});
    assert_non_null(strstr(o.body, "GET /echo "));
    assert_non_null(strstr(o.body, "expect=none type=none"));
    assert_non_null(strstr(o.body, "empty=none body=0:"));
}

static void a_broken_answer_is_a_network_error(void **state) {
    static const char *const targets[] = {"/truncated", "/truncated-chunk", "/garbage", "/silent"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct outcome o = get(*state, targets[i], (struct lt_http_call){.total_timeout_ms = 5000});
        assert_int_equal(o.status, LEAT_E_NETWORK);
        assert_int_equal(o.http, 0);
    }
}

static void an_answer_over_its_limit_is_cut_off(void **state) {
    struct lt_http_call call = {.max_answer_bytes = 100000};
    struct outcome o = get(*state, "/flood", call);
    assert_int_equal(o.status, LEAT_E_LIMIT);
    assert_non_null(strstr(o.err.text, "larger than 100000 bytes"));
    o = get(*state, "/flood-announced", call);
    assert_int_equal(o.status, LEAT_E_LIMIT);
    o = get(*state, "/flood-announced", (struct lt_http_call){.max_answer_bytes = 4 << 20});
    assert_int_equal(o.status, LEAT_OK);
}

static void headers_without_end_are_cut_off(void **state) {
    struct outcome o = get(*state, "/header-flood", (struct lt_http_call){0});
    assert_int_equal(o.status, LEAT_E_LIMIT);
    assert_non_null(strstr(o.err.text, "headers"));
}

static void a_refused_connection_is_a_network_error_that_names_the_peer(void **state) {
    struct fixture *f = *state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    char url[128];
    struct outcome o = {0};
    struct lt_http_call call = {.method = "GET", .url = url};

    /* Bound and not listening: nobody else gets this port, and nobody answers on it. */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(url, sizeof(url), "http://user:hidden@127.0.0.1:%u/path?token=hidden",
             ntohs(address.sin_port));
    assert_int_equal(lt_http_client_start(f->client, &call, note, &o, NULL), LEAT_OK);
    await(f, &o, 1);
    assert_int_equal(o.status, LEAT_E_NETWORK);
    assert_non_null(strstr(o.err.text, "request to 127.0.0.1:"));
    assert_null(strstr(o.err.text, "hidden"));
    close(fd);
}

static void bad_calls_are_refused_at_once(void **state) {
    struct fixture *f = *state;
    const char *split[] = {"X-A: b\r\nX-C: d", NULL}, *nameless[] = {": v", NULL};
    struct lt_http_call calls[] = {
        {.method = "GET", .url = "ftp://host/x"},
        {.method = "GET", .url = "file:///etc/passwd"},
        {.method = "GET", .url = "http:///x"},
        {.method = "GET", .url = NULL},
        {.method = "GET", .url = "http://127.0.0.1:1/", .headers = split},
        {.method = "GET", .url = "http://127.0.0.1:1/", .headers = nameless},
    };
    struct outcome o = {0};
    struct leat_error err;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_equal(lt_http_client_start(f->client, &calls[i], note, &o, &err),
                         LEAT_E_INVALID);
        assert_int_equal(err.status, LEAT_E_INVALID);
    }
    assert_int_equal(o.n_calls, 0);
}

static void connections_are_kept_and_reused(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(get(f, "/echo", (struct lt_http_call){0}).status, LEAT_OK);
    assert_int_equal(peer_requests(f->peer), 10);
    assert_int_equal(peer_connections(f->peer), 1);
}

static void many_calls_share_a_bounded_number_of_connections(void **state) {
    struct fixture *f = *state;
    struct outcome o = {0};
    for (int i = 0; i < 100; i++)
        start(f, "/echo", (struct lt_http_call){0}, &o);
    assert_int_equal(o.n_calls, 0);
    await(f, &o, 100);
    assert_int_equal(o.status, LEAT_OK);
    assert_in_range(peer_connections(f->peer), 1, 16);
}

static void a_callback_may_start_another_call(void **state) {
    struct outcome o = {.again = *state};
    start(*state, "/missing", (struct lt_http_call){0}, &o);
    await(*state, &o, 2);
    assert_int_equal(o.http, 200);
}

static void free_cancels_what_is_under_way(void **state) {
    struct fixture *f = *state;
    struct outcome slow = {0}, stalled = {0};
    start(f, "/slow", (struct lt_http_call){0}, &slow);
    start(f, "/stalls", (struct lt_http_call){0}, &stalled);
    for (int i = 0; i < 20 && peer_requests(f->peer) < 2; i++)
        uv_run(&f->loop, UV_RUN_ONCE);
    lt_http_client_free(f->client);
    f->client = NULL;
    assert_int_equal(slow.n_calls, 1);
    assert_int_equal(slow.status, LEAT_E_CANCELLED);
    assert_int_equal(stalled.status, LEAT_E_CANCELLED);
}

static void a_callback_may_free_the_client(void **state) {
    struct fixture *f = *state;
    struct outcome freeing = {.free_me = f->client}, slow = {0};
    start(f, "/slow", (struct lt_http_call){0}, &slow);
    start(f, "/echo", (struct lt_http_call){0}, &freeing);
    await(f, &freeing, 1);
    f->client = NULL;
    assert_int_equal(freeing.status, LEAT_OK);
    assert_int_equal(slow.status, LEAT_E_CANCELLED);
    assert_int_equal(slow.n_calls, 1);
}

static void a_unix_socket_is_spoken_to_past_any_proxy(void **state) {
    struct fixture *f = *state;
    char dir[] = "/tmp/leat-http-XXXXXX", path[64];
    struct leat_error err;
    struct lt_http_answer answer;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/engine", dir);
    struct peer *peer = peer_start(path, behave, NULL);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    struct lt_http_call call = {.method = "GET", .url = "http://leat/echo", .unix_socket = path};
    assert_int_equal(lt_http_fetch(&call, &answer, &err), LEAT_OK);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.remote, path);
    lt_http_answer_deinit(&answer);
    assert_int_equal(get(f, "/echo", (struct lt_http_call){0}).status, LEAT_OK);

    call.unix_socket = NULL;
    call.url = "http://leat.invalid/echo";
    assert_int_equal(lt_http_fetch(&call, &answer, &err), LEAT_E_NETWORK); /* the proxy is used */
    assert_null(strstr(err.text, "resolve host"));
    unsetenv("http_proxy");
    peer_stop(peer);
    unlink(path);
    rmdir(dir);
}

static void a_fetch_waits_and_gives_the_answer(void **state) {
    struct fixture *f = *state;
    struct lt_http_answer answer;
    struct leat_error err;
    char url[128];
    struct lt_http_call call = {.method = "POST", .url = url, .body = LT_LIT("abc")};
    snprintf(url, sizeof(url), "%s/echo", peer_url(f->peer));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lt_http_fetch(&call, &answer, &err), LEAT_OK);
        assert_int_equal(answer.status, 200);
        assert_true(lt_slice_starts(lt_buf_slice(&answer.body), LT_LIT("POST /echo ")));
        lt_http_answer_deinit(&answer);
    }
    assert_int_equal(peer_connections(f->peer), 1);
    call.method = "GET";
    call.body = (struct lt_slice){NULL, 0};
    snprintf(url, sizeof(url), "%s/truncated", peer_url(f->peer));
    assert_int_equal(lt_http_fetch(&call, &answer, &err), LEAT_E_NETWORK);
    lt_http_answer_deinit(&answer);
    snprintf(url, sizeof(url), "%s/slow", peer_url(f->peer));
    call.total_timeout_ms = 100;
    assert_int_equal(lt_http_fetch(&call, &answer, &err), LEAT_E_TIMEOUT);
}

static void *fetch_some(void *arg) {
    struct fixture *f = arg;
    for (int i = 0; i < 20; i++) {
        struct lt_http_answer answer;
        char url[128];
        struct lt_http_call call = {.method = "GET", .url = url};
        snprintf(url, sizeof(url), "%s/echo", peer_url(f->peer));
        if (lt_http_fetch(&call, &answer, NULL) != LEAT_OK || answer.status != 200)
            return arg;
        lt_http_answer_deinit(&answer);
    }
    return NULL;
}

static void threads_fetch_side_by_side(void **state) {
    struct fixture *f = *state;
    pthread_t threads[4];
    void *failed;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_some, f), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(peer_requests(f->peer), 80);
    assert_int_equal(peer_connections(f->peer), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_get_brings_status_headers_and_body),
        TEST(a_path_with_dots_goes_out_as_it_is),
        TEST(a_post_asks_for_no_continue_and_claims_no_form),
        TEST(headers_go_out_also_when_empty),
        TEST(a_put_without_a_body_says_so),
        TEST(a_head_waits_for_no_body),
        TEST(a_delete_is_sent_as_such),
        TEST(an_error_of_http_is_an_answer),
        TEST(a_redirect_is_not_followed),
        TEST(headers_are_those_of_the_last_answer),
        TEST(no_answer_in_time_is_a_timeout),
        TEST(an_answer_that_stalls_is_a_timeout),
        TEST(a_peer_that_falls_silent_is_given_up_long_before_the_end_of_time),
        TEST(a_slow_answer_is_waited_for_while_bytes_come),
        TEST(a_packed_answer_is_unpacked_only_when_it_was_asked_for),
        TEST(a_file_of_certificates_that_is_not_there_is_named),
        TEST(nothing_of_a_call_is_left_in_the_next_one),
        TEST(a_broken_answer_is_a_network_error),
        TEST(an_answer_over_its_limit_is_cut_off),
        TEST(headers_without_end_are_cut_off),
        TEST(a_refused_connection_is_a_network_error_that_names_the_peer),
        TEST(bad_calls_are_refused_at_once),
        TEST(connections_are_kept_and_reused),
        TEST(many_calls_share_a_bounded_number_of_connections),
        TEST(a_callback_may_start_another_call),
        TEST(free_cancels_what_is_under_way),
        TEST(a_callback_may_free_the_client),
        TEST(a_unix_socket_is_spoken_to_past_any_proxy),
        TEST(a_fetch_waits_and_gives_the_answer),
        TEST(threads_fetch_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
