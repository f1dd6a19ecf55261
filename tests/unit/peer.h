/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_PEER_H
#define LT_TEST_PEER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An HTTP peer for tests: a thread that listens on a free port of the loopback (or on a Unix
 * socket), and one thread a connection that reads whole requests and has the handler write the
 * answer's raw bytes, well-formed or not.
 */
struct peer;

struct peer_request {
    unsigned serial; /**< of all requests to this peer, from 0 */
    char method[16];
    char target[2048];
    char *head; /**< request line and header lines */
    char *body; /**< ends with a NUL that is not counted */
    size_t body_len;
};

/** Writes the answer to `fd`; false closes the connection. Runs on the connection's thread. */
typedef bool peer_handler(void *ctx, const struct peer_request *request, int fd);

/** On a TCP port, or at `unix_socket` when it is not NULL. Never NULL: it aborts the test. */
struct peer *peer_start(const char *unix_socket, peer_handler *handler, void *ctx);
/** "http://127.0.0.1:PORT". */
const char *peer_url(const struct peer *peer);
unsigned peer_requests(struct peer *peer);
unsigned peer_connections(struct peer *peer);
/** Cuts what is open and waits for its threads. */
void peer_stop(struct peer *peer);

/** Sends all of it, unless the other side is gone. */
void peer_send(int fd, const void *data, size_t len);
/** Sends an answer with a Content-Length; `headers` is "" or lines that end with CRLF. */
void peer_answer(int fd, unsigned status, const char *headers, const char *body);
/** True, and the value without spaces around it, when the request has the header. */
bool peer_header(const struct peer_request *request, const char *name, char *out, size_t cap);

#endif
