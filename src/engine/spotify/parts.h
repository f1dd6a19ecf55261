/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_PARTS_H
#define LT_ENGINE_SPOTIFY_PARTS_H

#include "base/buf.h"
#include "base/metrics.h"
#include "engine/spotify/catalogue.h"
#include "engine/spotify/counters.h"
#include "engine/spotify/hash.h"
#include "engine/spotify/settings.h"
#include "engine/spotify/spotify.h"
#include "engine/spotify/tokens.h"

/*
 * What the files of the sample share. An operation is one file and one row of the table in
 * operations.c: a path, a reader that checks the parameters and names the page, a writer that
 * writes it. Between the two it is decided whether the answer is a fault.
 */
struct lt_spotify_call;

struct lt_spotify_operation {
    const char *name;   /**< "new_releases": in counters and metrics */
    const char *method; /**< GET also takes HEAD */
    const char *path;   /**< "/v1/albums/{id}/tracks" */
    bool open;          /**< needs no token, and has no faults but latency */
    /** Checks the parameters and names the page (`call->page`); 200, or the status of an error
     * that it has written. */
    unsigned (*read)(struct lt_spotify_call *call);
    /** Writes the body. */
    void (*write)(struct lt_spotify_call *call);
};

enum { LT_SPOTIFY_MAX_OPERATIONS = 8, LT_SPOTIFY_N_STATUSES = 600 };

extern const struct lt_spotify_operation lt_spotify_operations[];
extern const size_t lt_spotify_n_operations;

/** A part of a list. */
struct lt_spotify_range {
    uint64_t offset, limit, total;
};

/** One request on its way; in the request's arena. */
struct lt_spotify_call {
    struct lt_spotify *spotify;
    const struct lt_spotify_operation *operation;
    struct lt_http_request *request;
    struct lt_arena *arena;
    struct lt_slice id;   /**< what stands for {id}, as it came */
    struct lt_slice base; /**< "http://HOST", as the client knows this server */
    struct lt_slice list; /**< "/v1/albums/ID/tracks?": a list without its range */
    struct lt_slice page; /**< the page's name: see counters.h; empty: not counted */
    struct lt_spotify_range range;
    struct lt_spotify_album_ref album;
    struct lt_slice words;        /**< search: what to look for; empty: all */
    struct lt_buf out;            /**< the body */
    int64_t due_us;               /**< when it may be answered */
    struct lt_spotify_call *next; /**< that waits for its time */
    unsigned retry_after_s;       /**< with a 429 */
    const char *challenge;        /**< with a 401: what WWW-Authenticate says */
};

struct lt_spotify_counters {
    uint64_t n_requests;
    uint64_t operations[LT_SPOTIFY_MAX_OPERATIONS];
    uint64_t statuses[LT_SPOTIFY_N_STATUSES];
    uint64_t n_tokens;
    uint64_t n_errors, n_truncated, n_throttled, n_over_rate, n_over_quota; /* faults */
};

struct lt_spotify {
    /* immutable */
    struct lt_spotify_catalogue *catalogue;
    struct lt_spotify_settings initial;
    struct lt_metric_series *requests[LT_SPOTIFY_MAX_OPERATIONS];
    struct lt_metric_series *latency[LT_SPOTIFY_MAX_OPERATIONS];

    struct lt_spotify_settings settings;
    struct lt_spotify_tokens *tokens;
    struct lt_spotify_counters counters;
    struct lt_spotify_pages pages;
    uint64_t n_quota_used;
    uint64_t n_draws; /* of pages that are not listed */
    uv_timer_t timer;
    struct lt_spotify_call *waiting; /* by due_us */
    struct lt_spotify_call *last_waiting;
};

/* errors.c */

/** Writes {"error":{"status","message"}} and returns the status. */
unsigned lt_spotify_error(struct lt_spotify_call *call, unsigned status, const char *message);
/** The same with "reason". */
unsigned lt_spotify_error_reason(struct lt_spotify_call *call, unsigned status, const char *message,
                                 const char *reason);

/* faults.c */

/** 200, or the status of the fault that limits or chance want, whose body it has written. */
unsigned lt_spotify_limit(struct lt_spotify_call *call, unsigned slot);
unsigned lt_spotify_fault(struct lt_spotify_call *call, bool *truncate);

/* render.c */

/** Reads limit and offset, and names the page by them; 200, or the status of an error. */
unsigned lt_spotify_read_range(struct lt_spotify_call *call, uint64_t limit, uint64_t max_limit);
/** What stands before and behind the items of a page. */
void lt_spotify_begin_page(struct lt_spotify_call *call);
void lt_spotify_end_page(struct lt_spotify_call *call);
/** How many items the page holds. */
uint64_t lt_spotify_n_items(const struct lt_spotify_call *call);
void lt_spotify_write_album(struct lt_spotify_call *call, struct lt_spotify_album_ref ref);
void lt_spotify_write_track(struct lt_spotify_call *call, const struct lt_spotify_track *track,
                            uint32_t copy);
/** An album's fields without the braces around them. */
void lt_spotify_write_album_fields(struct lt_spotify_call *call, struct lt_spotify_album_ref ref);
/** The tracks of `call->album` in `call->range`, as a page. */
void lt_spotify_write_tracks_page(struct lt_spotify_call *call);
/** Finds the album of the path; 200, or the status of an error. */
unsigned lt_spotify_read_album(struct lt_spotify_call *call);

/* One reader and one writer an operation, each in a file of its name. */
unsigned lt_spotify_token_read(struct lt_spotify_call *call);
void lt_spotify_token_write(struct lt_spotify_call *call);
unsigned lt_spotify_new_releases_read(struct lt_spotify_call *call);
void lt_spotify_new_releases_write(struct lt_spotify_call *call);
unsigned lt_spotify_album_tracks_read(struct lt_spotify_call *call);
void lt_spotify_album_tracks_write(struct lt_spotify_call *call);
unsigned lt_spotify_album_read(struct lt_spotify_call *call);
void lt_spotify_album_write(struct lt_spotify_call *call);
unsigned lt_spotify_search_read(struct lt_spotify_call *call);
void lt_spotify_search_write(struct lt_spotify_call *call);

#endif
