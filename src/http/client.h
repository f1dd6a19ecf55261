/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_HTTP_CLIENT_H
#define LT_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"

#include <uv.h>

/*
 * An HTTP client: libcurl's multi interface on a libuv loop, libcurl loaded at
 * first use. Connections are kept and reused. Never logs a header's value.
 *
 * Thread: the loop's, for all calls; the blocking call has a loop of its own and may be made from
 * any thread.
 */
struct lt_http_client;

struct lt_http_client_options {
    uv_loop_t *loop;
    unsigned max_connections_per_host; /**< 0: 16 */
};

LEAT_MUST_CHECK leat_status lt_http_client_new(struct lt_http_client **out,
                                               const struct lt_http_client_options *opt,
                                               struct leat_error *err);
/** Cancels what is under way (each callback gets LEAT_E_CANCELLED, before this returns) and frees;
 * the loop's next turns close its handles. NULL is fine; a callback may call it. */
void lt_http_client_free(struct lt_http_client *client);

struct lt_http_call {
    const char *method;         /**< "GET", "POST", … */
    const char *url;            /**< absolute, http or https */
    const char *unix_socket;    /**< path of a Unix socket to connect to instead, or NULL */
    const char *const *headers; /**< "Name: value", ended by NULL; may be NULL */
    struct lt_slice body;       /**< borrowed until the callback */
    size_t max_answer_bytes;    /**< 0: 64 MiB; more is LEAT_E_LIMIT */
    int64_t connect_timeout_ms; /**< 0: 5,000 */
    int64_t total_timeout_ms;   /**< 0: 60,000 */
    /** Longest time without a byte once the connection stands; 0: as long as it takes. Not of the
     * blocking call. */
    int64_t read_timeout_ms;
    const char *ca_file; /**< certificates to trust beside the system's, or NULL */
    bool compressed; /**< offer the encodings that libcurl undoes; limits count what comes out */
    bool http2;      /**< HTTP/2 over TLS where the peer has it, calls side by side on one
                        connection */
};

/** What came back. Lives during the callback (or until lt_http_answer_deinit() for the blocking
 * call). */
struct lt_http_answer {
    unsigned status; /**< HTTP status; 0 when there was no answer */
    struct lt_buf body;
    struct lt_buf headers; /**< raw header lines of the last answer */
    const char *remote;    /**< "host:port" for errors */
};

/** A header's value of an answer (the last of several), or `data` NULL. */
struct lt_slice lt_http_answer_header(const struct lt_http_answer *answer, const char *name);
void lt_http_answer_deinit(struct lt_http_answer *answer);

/**
 * `status` is LEAT_OK when an answer of any HTTP status came whole; else LEAT_E_NETWORK,
 * LEAT_E_TIMEOUT, LEAT_E_LIMIT, LEAT_E_CANCELLED, or LEAT_E_AUTH for a certificate that does not
 * verify, with `err` filled. Redirects are answers, not followed. Proxies are the environment's,
 * but never for a Unix socket or a loopback.
 */
typedef void lt_http_done(void *ctx, leat_status status, struct lt_http_answer *answer,
                          const struct leat_error *err);

/** Starts a call. `done` is called exactly once, from the loop, when this returned LEAT_OK. The
 * strings of `call` are copied, its body is borrowed. */
LEAT_MUST_CHECK leat_status lt_http_client_start(struct lt_http_client *client,
                                                 const struct lt_http_call *call,
                                                 lt_http_done *done, void *ctx,
                                                 struct leat_error *err);

/** True when the host of an http or https URL is this machine's loopback: 127.*, [::1], localhost.
 */
bool lt_http_is_loopback(const char *url);

/** One call, waited for. Any thread; a thread keeps its connections between its calls. On LEAT_OK
 * release `answer`. Errors: as those of lt_http_done, or LEAT_E_INVALID for a bad URL or header. */
LEAT_MUST_CHECK leat_status lt_http_fetch(const struct lt_http_call *call,
                                          struct lt_http_answer *answer, struct leat_error *err);

#endif
