/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_FETCH_H
#define LT_REST_FETCH_H

#include "http/client.h"
#include "rest/api.h"

#include <uv.h>

/*
 * One request of an API until it has an answer worth reading: authorised, within the rate of its
 * host, retried where that may help, redirected within bounds. All requests of an API share one
 * client, one token, and one budget a host.
 *
 * - The bearer token (and every other credential) goes only to the origin of base_url: not across
 *   redirects, nor to a `next` link of another origin.
 * - A 401 renews a token once for all that wait, and the request is tried once more.
 * - 429 and 503 with Retry-After: the whole host waits; after a 429 the pace is halved and rises
 *   again slowly. `Retry-After: 0` still backs off. More than retry_after_cap_ms is an error.
 * - 429, 500, 502, 503, 504 and connection errors: exponential with full jitter, max_attempts.
 * - A body that ends early (fewer bytes than announced) is a connection error.
 *
 * Thread: the loop's. Texts show URLs with secrets masked (mask.h).
 */
struct lt_rest_fetcher;

enum lt_rest_note {
    LT_REST_NOTE_REQUEST, /**< each request as it is sent, for -v */
    LT_REST_NOTE_ANSWER,  /**< each answer's status, bytes and milliseconds, for -v */
    LT_REST_NOTE_RETRY,
    LT_REST_NOTE_WAIT, /**< its end is `until_ms` */
    LT_REST_NOTE_TOKEN,
};

struct lt_rest_fetcher_options {
    const struct lt_rest_api *api;
    uv_loop_t *loop;
    void *ctx;
    void (*on_note)(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms);
};

LEAT_MUST_CHECK leat_status lt_rest_fetcher_new(struct lt_rest_fetcher **out,
                                                const struct lt_rest_fetcher_options *opt,
                                                struct leat_error *err);
/** Requests under way get LEAT_E_CANCELLED before this returns. NULL is fine. */
void lt_rest_fetcher_free(struct lt_rest_fetcher *fetcher);

struct lt_rest_request {
    const struct lt_rest_resource *resource; /**< for errors and hints */
    const char *method;
    const char *url;            /**< absolute, without credentials */
    const char *const *headers; /**< "Name: value", ended by NULL; may be NULL */
    struct lt_slice body;       /**< borrowed until the callback */
};

/**
 * `status` LEAT_OK: an answer of 2xx; its body may be taken out (set to empty). Else `err` says
 * which resource, which URL (masked), the HTTP status and the API's own message, with the
 * resource's hint for that status. `url` is the one that answered, after redirects. Called once,
 * never from inside lt_rest_fetch().
 */
typedef void lt_rest_fetched(void *ctx, leat_status status, const char *url,
                             struct lt_http_answer *answer, const struct leat_error *err);

/** Starts one. The strings are copied. */
LEAT_MUST_CHECK leat_status lt_rest_fetch(struct lt_rest_fetcher *fetcher,
                                          const struct lt_rest_request *request,
                                          lt_rest_fetched *done, void *ctx, struct leat_error *err);

struct lt_rest_mask;
/** What hides the API's secrets and its tokens, as they come; the fetcher's. */
const struct lt_rest_mask *lt_rest_fetcher_mask(const struct lt_rest_fetcher *fetcher);

/** Requests sent and not answered, and those that wait for their turn. */
size_t lt_rest_fetcher_n_active(const struct lt_rest_fetcher *fetcher);
uint64_t lt_rest_fetcher_n_retries(const struct lt_rest_fetcher *fetcher);

#endif
