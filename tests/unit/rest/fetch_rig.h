/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_REST_FETCH_RIG_H
#define LT_TEST_REST_FETCH_RIG_H

#include "../peer.h"
#include "rest/fetch.h"

#include <pthread.h>

/*
 * A fetcher on a loop of its own, against peers whose handlers are each test's. What came is noted
 * by the outcome of each request; what the peers saw, by the rig, under its mutex.
 */
struct outcome {
    unsigned n_calls;
    leat_status status;
    unsigned http;
    struct leat_error err;
    char url[512];
    char body[256];
    void (*then)(void *ctx, struct outcome *outcome);
    void *ctx;
};

enum { MOST_NOTES = 64, MOST_SEEN = 128 };

/* A request as a peer saw it. */
struct seen {
    char line[512]; /* "GET /target" */
    char authorization[256];
    char headers[1024]; /* the whole head */
    char body[512];
    char who[16]; /* which peer */
};

struct rig {
    uv_loop_t loop;
    struct lt_rest_api api;
    struct lt_rest_resource resource;
    struct lt_rest_hint hints[1];
    struct lt_rest_fetcher *fetcher;
    struct peer *peer, *other; /* the API's own origin, and another one */
    char base_url[128], other_url[128], token_url[160];

    pthread_mutex_t mu;
    struct seen seen[MOST_SEEN]; /* guarded by mu */
    unsigned n_seen;             /* guarded by mu */
    unsigned n_tokens;           /* given out; guarded by mu */
    unsigned n_under_way, most_under_way;
    int mode; /* a test's own; set before requests start */

    struct {
        enum lt_rest_note note;
        char text[256];
        int64_t until_ms;
    } notes[MOST_NOTES];
    unsigned n_notes;
};

/** Peers with these handlers (ctx is the rig; `other` may be NULL); then rig->api may be changed.
 */
void rig_start(struct rig *rig, peer_handler *own, peer_handler *other);
/** Makes the fetcher as rig->api says. */
void rig_ready(struct rig *rig);
void rig_end(struct rig *rig);

/** Notes a request; returns how many with that line came before. */
unsigned rig_see(struct rig *rig, const char *who, const struct peer_request *request);
/** How many requests of that line ("GET /a", or "POST /token") came; NULL: all. */
unsigned rig_n_seen(struct rig *rig, const char *line);
const struct seen *rig_find(struct rig *rig, const char *line, unsigned nth);
/** Notes of that kind whose text has `has` in it. */
unsigned rig_n_notes(const struct rig *rig, enum lt_rest_note note, const char *has);

/** Starts a GET of base_url + target, or of a whole URL. */
void rig_start_get(struct rig *rig, const char *target, struct outcome *outcome);
void rig_start_request(struct rig *rig, const struct lt_rest_request *request,
                       struct outcome *outcome);
void rig_await(struct rig *rig, const struct outcome *outcomes, size_t n);
/** Starts one and waits for it. */
struct outcome rig_get(struct rig *rig, const char *target);
/** Lets the loop run for so long. */
void rig_pass(struct rig *rig, uint64_t ms);

#endif
