/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TESTS_HTTP_SERVER_PEER_H
#define LT_TESTS_HTTP_SERVER_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/server.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * A server on a loop in a thread of its own, whose paths do different things, and a client over
 * raw sockets.
 */
enum { MAX_BODY_BYTES = 1 << 20, MAX_HELD = 64 };

/** A server under test. Fields below `loop` belong to the loop's thread unless atomic. */
struct peer {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t async;
    struct lt_http_server *server;
    unsigned port;
    unsigned max_connections, idle_timeout_s, head_timeout_s, body_timeout_s;
    struct lt_http_request *held[MAX_HELD];
    unsigned n_held;
    char file[64];
    int listener; /**< a socket to hand over */
    atomic_uint n_held_seen, n_aborted, n_stopped, n_parts;
    /* one order at a time from the test's thread, carried out on the loop */
    pthread_mutex_t mu;
    pthread_cond_t done;
    void (*order)(struct peer *peer);
};

void start_peer(struct peer *peer);
void end_peer(struct peer *peer);
/** Carries `what` out on the loop. */
void order(struct peer *peer, void (*what)(struct peer *peer));
/* What to order. */
void answer_held(struct peer *peer);
void stop_gracefully(struct peer *peer);
void stop_at_once(struct peer *peer);

int dial(unsigned port);
void say(int fd, const void *data, size_t len);
void say_str(int fd, const char *text);

/** One answer as it came: the head ends with an empty line; `head` asks for no body. */
struct heard {
    struct lt_buf bytes;
    int status;
    struct lt_slice body;
};

/** Reads one answer, leaving what follows it in the socket. False at the connection's end. */
bool hear(int fd, bool head, struct heard *heard);
/** The Content-Length of a head, or 0. */
size_t length_in(const char *head);
/** Hears an answer of that status and body (NULL: any), and forgets it. */
void expect(int fd, int status, const char *body);
/** The connection ends without another answer. */
void expect_end(int fd);
/** Until the counter is `n`. */
void wait_for(atomic_uint *count, unsigned n);

#endif
