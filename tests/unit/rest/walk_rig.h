/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_RIG_H
#define WALK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "rest/walk.h"

/*
 * A walk over an API that a test scripts, without a network: the fetcher is ours (the linker takes
 * it instead of the real one). Answers come one by one or in bursts, in any order, by a seed; the
 * user holds pages for a while, and is done with them in any order, by the same seed.
 */

#define TEXT(jq) ((struct lt_expr_text){.text = LT_LIT(jq)})
#define PLAIN(string) ((struct lt_rest_text){.source = {.text = LT_LIT(string)}})

enum { RIG_RESOURCES = 4 };

struct rig;

/* What the API says to a request. */
struct reply {
    unsigned status; /* not 2xx: the request fails */
    struct lt_buf body;
    struct lt_buf headers;
};
typedef void answer_fn(struct rig *rig, const char *url, struct reply *reply);

/* Not 0 while the rig itself works: what it allocates is not the walk's. */
extern volatile int rig_inside; /* volatile: compilers know what calloc() looks at */

/* Lines that grow. */
struct lines {
    char **list;
    size_t n;
};

struct pending; /* a request that has no answer yet */

struct rig {
    uv_loop_t loop;
    uv_timer_t ticker;
    struct lt_rest_api api;
    struct lt_rest_resource resources[RIG_RESOURCES];
    struct lt_rest_param params[RIG_RESOURCES];
    struct lt_expr_text fields[RIG_RESOURCES];
    bool selected[RIG_RESOURCES];
    struct lt_slice positions[RIG_RESOURCES];
    uint64_t limit;
    size_t max_held_bytes;
    answer_fn *answer;
    void *user;

    /* how it goes */
    uint64_t seed;
    bool shuffle;      /* answers come in any order */
    size_t most_held;  /* pages that the user keeps at a time; 0: done at once */
    size_t stop_after; /* ticks; 0: never */
    size_t free_after; /* ticks; 0: never */
    void (*on_page)(struct rig *rig, struct lt_rest_page *page);
    void (*on_progress)(struct rig *rig);

    /* what came of it */
    struct lt_rest_walk *walk;
    struct lines records[RIG_RESOURCES];
    struct lines urls; /* of requests, in order */
    size_t n_pages, n_ticks, n_progress;
    size_t n_pending, max_pending;
    struct pending *pending;
    struct lt_rest_page *held[256];
    size_t n_held;
    uint64_t ordinals[RIG_RESOURCES];
    bool ended, freed;
    leat_status status;
    struct leat_error err;
};

int rig_set_up(void **state);
int rig_tear_down(void **state);

/* A resource of the API; its pagination and the rest are the test's to fill in. */
struct lt_rest_resource *rig_resource(struct rig *rig, const char *name, const char *path);

/* Starts and goes on to the end. Checks what must hold in any walk. */
void rig_start(struct rig *rig);
leat_status rig_try_start(struct rig *rig);
void rig_run(struct rig *rig);
/* Forgets what came of a walk, for the next one; positions and the API stay. */
void rig_reset(struct rig *rig);

uint64_t rig_random(struct rig *rig, uint64_t below);
/* A query parameter of a URL as a number. */
int64_t rig_param(const char *url, const char *name, int64_t otherwise);
/* How often a URL was asked for; how many were that contain a text. */
size_t rig_count(const struct rig *rig, const char *url);
size_t rig_count_with(const struct rig *rig, const char *part);
void rig_assert_no_url_twice(const struct rig *rig);
void rig_position(const struct rig *rig, size_t resource, struct lt_buf *out);
/* Takes the positions of the walk as those for the next one. */
void rig_keep_positions(struct rig *rig);
void rig_free_positions(struct rig *rig);
/** A copy with an end. No strndup(): a strict sanitizer looks beyond the length. */
char *rig_copy(struct lt_slice text);
void rig_add_line(struct lines *lines, struct lt_slice text);
void rig_free_lines(struct lines *lines);
void rig_assert_records(const struct rig *rig, size_t resource, const struct lines *expected,
                        size_t from);

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

#endif
