/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that come, wait, leave, and are too many; and the end of a server. */
#include "http/server_internal.h"
#include "server_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

static void client_that_closes_right_behind_its_data_is_noticed_soon(void **state) {
    struct peer peer = {0};
    char *part = calloc(1, 500000);
    (void)state;
    start_peer(&peer);
    for (unsigned n = 1; n <= 20; n++) {
        int fd = dial(peer.port);
        say_str(fd, "PUT /to-file HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        say(fd, part, 500000);
        close(fd);
    }
    wait_for(&peer.n_aborted, 20);
    free(part);
    end_peer(&peer);
}

/** From now on no event of the only connection is told: it is reported once, for nothing. */
static void mute(struct peer *peer) {
    struct lt_http_conn *conn = peer->server->conns;
    struct epoll_event once = {.events = EPOLLOUT | EPOLLET | EPOLLONESHOT};
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(peer->server->mhd, MHD_DAEMON_INFO_EPOLL_FD);

    assert_int_equal(peer->server->n_conns, 1);
    once.data.ptr = conn->connection;
    assert_int_equal(epoll_ctl(info->epoll_fd, EPOLL_CTL_MOD, conn->fd, &once), 0);
}

/** A connection in its upload, of which nothing more is told. */
static int dial_muted(struct peer *peer) {
    int fd = dial(peer->port);
    say_str(fd, "PUT /to-slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    say_str(fd, "part");
    wait_for(&peer->n_parts, 1);
    order(peer, mute);
    return fd;
}

static void close_of_which_no_event_came_is_noticed(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial_muted(&peer);
    close(fd);
    wait_for(&peer.n_aborted, 1);
    end_peer(&peer);
}

static void data_of_which_no_event_came_are_read(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial_muted(&peer);
    say_str(fd, "more");
    wait_for(&peer.n_parts, 2);
    order(&peer, mute); /* again, for it is told of events anew */
    say_str(fd, "and the last");
    close(fd);
    wait_for(&peer.n_parts, 3);
    wait_for(&peer.n_aborted, 1);
    end_peer(&peer);
}

struct sender {
    pthread_t thread;
    int fd;
    atomic_bool *enough;
    bool gave_up;
};

/** Sends without a pause until it is told that it is enough, at most 1 GiB. */
static void *send_on(void *arg) {
    struct sender *sender = arg;
    char *part = calloc(1, 1 << 20);
    for (int i = 0; i < 1024 && !atomic_load(sender->enough); i++)
        say(sender->fd, part, 1 << 20);
    sender->gave_up = !atomic_load(sender->enough);
    free(part);
    close(sender->fd);
    return NULL;
}

static void uploads_without_a_pause_leave_the_loop_to_others(void **state) {
    enum { N = 8 };
    struct peer peer = {0};
    struct sender senders[N] = {0};
    atomic_bool enough = false;
    (void)state;
    start_peer(&peer);
    for (size_t i = 0; i < N; i++) {
        senders[i].enough = &enough;
        senders[i].fd = dial(peer.port);
        say_str(senders[i].fd,
                "PUT /to-slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000000\r\n\r\n");
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_on, &senders[i]), 0);
    }
    while (atomic_load(&peer.n_parts) < 32 * N)
        usleep(1000);
    int late = dial(peer.port);
    say_str(late, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    expect(late, 200, "abc");
    atomic_store(&enough, true);
    for (size_t i = 0; i < N; i++) {
        pthread_join(senders[i].thread, NULL);
        assert_false(senders[i].gave_up);
    }
    close(late);
    end_peer(&peer);
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
    assert_non_null(strstr(lt_buf_cstr(&heard.bytes), "Connection: close"));
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

/** Says a byte every now and then; true when the server has hung up before 10 s. */
static bool trickle(int fd, const char *text) {
    for (int i = 0; i < 200; i++) {
        struct pollfd ended = {.fd = fd, .events = POLLIN};
        if (poll(&ended, 1, 50))
            return true;
        if (send(fd, &text[i % (int)strlen(text)], 1, MSG_NOSIGNAL) < 0)
            return true;
    }
    return false;
}

static void head_or_body_that_trickles_in_is_cut_and_others_are_not(void **state) {
    struct peer peer = {.idle_timeout_s = 1, .head_timeout_s = 1, .body_timeout_s = 1};
    (void)state;
    start_peer(&peer);
    int line = dial(peer.port), head = dial(peer.port), body = dial(peer.port);
    int good = dial(peer.port);
    say_str(head, "GET / HTTP/1.1\r\n");
    say_str(body, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n");
    say_str(good, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&peer.n_held_seen, 1);
    assert_true(trickle(head, "X-A: b\r\n"));
    assert_true(trickle(body, "x"));
    assert_true(trickle(line, "G"));
    order(&peer, answer_held);
    expect(good, 200, "held");
    close(line);
    close(head);
    close(body);
    close(good);
    end_peer(&peer);
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

static void never_called(void *ctx, struct lt_http_request *request) {
    (void)ctx;
    (void)request;
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
    struct lt_http_server_options opt = {.loop = &loop, .on_request = never_called};
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_that_leaves_in_its_body_is_told_once),
        cmocka_unit_test(client_that_closes_right_behind_its_data_is_noticed_soon),
        cmocka_unit_test(close_of_which_no_event_came_is_noticed),
        cmocka_unit_test(data_of_which_no_event_came_are_read),
        cmocka_unit_test(uploads_without_a_pause_leave_the_loop_to_others),
        cmocka_unit_test(client_that_leaves_before_its_answer_harms_nobody),
        cmocka_unit_test(request_may_be_answered_after_the_server_is_gone),
        cmocka_unit_test(stop_waits_for_pending_answers_and_closes_idle_connections),
        cmocka_unit_test(stop_ends_after_its_grace_time),
        cmocka_unit_test(stop_without_connections_is_done_at_once),
        cmocka_unit_test(thousand_connections_are_served),
        cmocka_unit_test(connections_over_the_limit_wait_for_their_turn),
        cmocka_unit_test(without_free_descriptors_the_server_waits_and_does_not_spin),
        cmocka_unit_test(idle_connection_is_closed_and_a_pending_one_is_not),
        cmocka_unit_test(head_or_body_that_trickles_in_is_cut_and_others_are_not),
        cmocka_unit_test(unix_socket_is_served_beside_tcp),
        cmocka_unit_test(listening_on_a_taken_or_bad_address_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
