/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_FETCH_PARTS_H
#define LT_REST_FETCH_PARTS_H

#include "base/retry.h"
#include "rest/auth.h"
#include "rest/fetch.h"
#include "rest/limit.h"
#include "rest/mask.h"

/*
 * What the files of the fetcher share. A request is in one of two places: among those that wait
 * (for a token, for the pace of their host, for the end of a back-off, for a place among those
 * under way), in the order in which they came; or sent, and then libcurl has it. The pump sends
 * what may go, and sets the timer for what may not yet.
 */

enum { LT_REST_MAX_HOSTS = 32, LT_REST_MAX_REDIRECTS = 5 };

struct lt_rest_host {
    char *name; /* "host:port" */
    struct lt_rest_budget budget;
};

struct lt_rest_fetching {
    struct lt_rest_fetcher *fetcher;
    struct lt_rest_fetching *prev, *next; /* among those that wait, or that failed early */
    struct lt_arena arena;
    uint64_t serial;
    const struct lt_rest_resource *resource; /* NULL: a token is asked for */
    const char *method, *url;
    const char **headers;
    size_t n_headers;
    struct lt_slice body;
    lt_rest_fetched *done;
    void *ctx;

    struct lt_rest_host *host;
    bool own_origin; /* of base_url: it gets the credentials */
    int64_t not_before_ms;
    int64_t sent_ms;
    unsigned n_failed;        /* attempts */
    unsigned n_redirects;     /* followed */
    uint64_t token;           /* the number of the token that it was sent with; 0: none */
    bool renewed;             /* its own 401 has made a new token */
    struct leat_error *early; /* it failed before it was sent */
};

struct lt_rest_tokens {
    char *value;         /* the newest, or NULL */
    char *refresh_token; /* the newest that an answer brought, or NULL */
    uint64_t number;     /* of the newest: 1, 2, … */
    int64_t renew_ms;    /* from then on a new one is asked for */
    int64_t end_ms;      /* from then on it is not used */
    bool asking;
};

struct lt_rest_fetcher {
    const struct lt_rest_api *api;
    uv_loop_t *loop;
    void *ctx;
    void (*on_note)(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms);
    struct lt_http_client *client;
    struct lt_rest_mask *mask;
    const struct lt_rest_auth_kind *auth;
    struct lt_retry_policy retry;
    uv_timer_t timer;
    struct lt_rest_fetching *first, *last; /* those that wait, by serial */
    struct lt_rest_fetching *early;        /* failed before they were sent; told by the timer */
    struct lt_rest_host hosts[LT_REST_MAX_HOSTS];
    size_t n_hosts;
    size_t n_sent;   /* requests for tokens not counted */
    size_t n_active; /* the same, and those that wait */
    uint64_t n_retries;
    uint64_t next_serial;
    struct lt_rest_tokens tokens;
    bool closed;
};

/* fetch.c */
void lt_rest_pump(struct lt_rest_fetcher *fetcher);
/** Puts it among those that wait, for `wait_ms` at least. */
void lt_rest_fetching_wait(struct lt_rest_fetching *fetching, int64_t wait_ms);
/** Tells whoever asked, and frees. What it calls may free the fetcher, whose memory stays until the
 * loop's next turn. */
void lt_rest_fetching_finish(struct lt_rest_fetching *fetching, leat_status status,
                             struct lt_http_answer *answer, const struct leat_error *err);
/** Takes one out of those that wait, and tells whoever asked that it failed. */
void lt_rest_fetching_drop(struct lt_rest_fetching *fetching, leat_status status,
                           const struct leat_error *err);
/** Sets another URL: where it goes, and whether that may see credentials. False: no memory. */
bool lt_rest_fetching_aim(struct lt_rest_fetching *fetching, const char *url);
struct lt_rest_fetching *lt_rest_fetching_new(struct lt_rest_fetcher *fetcher,
                                              const struct lt_rest_request *request,
                                              lt_rest_fetched *done, void *ctx);
void lt_rest_fetching_free(struct lt_rest_fetching *fetching);
void lt_rest_note(struct lt_rest_fetcher *fetcher, enum lt_rest_note note, int64_t until_ms,
                  const char *fmt, ...) LEAT_PRINTF(4, 5);
/** "GET https://…" with secrets masked, cut to what an error has room for. */
const char *lt_rest_fetching_name(const struct lt_rest_fetching *fetching, char out[320]);

/* fetch_send.c */
LEAT_MUST_CHECK leat_status lt_rest_send(struct lt_rest_fetching *fetching, struct leat_error *err);

/* fetch_answer.c */
void lt_rest_on_answer(void *ctx, leat_status status, struct lt_http_answer *answer,
                       const struct leat_error *cause);

/* fetch_error.c */
/** Composes the error of an answer that is none of 2xx; its status says what kind it is. */
leat_status lt_rest_answer_error(const struct lt_rest_fetching *fetching,
                                 const struct lt_http_answer *answer, struct leat_error *err);
/** The same of a request that got no answer, for `cause`. */
leat_status lt_rest_no_answer_error(const struct lt_rest_fetching *fetching,
                                    const struct leat_error *cause, struct leat_error *err);

/* fetch_token.c */
/** True when the request may be sent as to tokens; else one is being asked for. */
bool lt_rest_token_ready(struct lt_rest_fetching *fetching);
/** A 401 came: true when the request is to be tried once more. */
bool lt_rest_token_refused(struct lt_rest_fetching *fetching);

#endif
