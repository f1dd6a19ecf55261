/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_WALK_PARTS_H
#define LT_REST_WALK_PARTS_H

#include "rest/mask.h"
#include "rest/paginate.h"
#include "rest/records.h"
#include "rest/text.h"
#include "rest/walk.h"

/*
 * What the walk's files share.
 *
 * A page's way:  ASKED ─▶ ANSWERED ─▶ READ ─▶ GIVEN ─▶ DONE ─▶ counted, and gone
 *                  └────▶ FAILED
 *
 * Up to READ it stands in its task's list (what was asked for and is not given out, in order); from
 * GIVEN on in its resource's ledger (what was given out and is not counted, in order). Pages of a
 * task are read in order, for each says where the next one is; a task's pages are given out when
 * all of the tasks before it are. A page is counted when it is done, all before it in its resource
 * are counted, and so is the parent's page that its task comes from. What is counted is what the
 * positions say; nothing else is.
 *
 * Everything happens in the walk's turns (a timer of 0 ms): answers and lt_rest_walk_done() only
 * note what came and ask for a turn. So the user's callbacks are never inside one another, and may
 * call anything.
 */

enum { LT_WALK_MAX_WAITING = 1000, LT_WALK_MAX_EMPTY = 100, LT_WALK_MAX_SEEN = 10000 };

struct lt_walk_page;
struct lt_walk_task;
struct lt_walk_resource;

/** Hashes of the places of a task so far, and of its last page: what tells a list that goes round.
 * Bounded: when it is full it begins anew, and so finds every circle that is shorter. */
struct lt_walk_guard {
    uint64_t *slots;
    size_t n, cap;
    uint64_t last_body, last_records; /**< 0: none */
    unsigned n_same, n_empty;         /**< pages in a row */
};

/** One list. Owned by its resource's row of tasks until it is counted. */
struct lt_walk_task {
    struct lt_walk_task *next;
    struct lt_walk_resource *resource;
    struct lt_walk_page *origin;       /**< the parent's page, until that is counted; then NULL */
    struct lt_walk_page *first, *last; /**< asked for and not given out */
    size_t n_pages;
    bool begun; /**< something was asked */
    bool loop;  /**< the last run ended because `ask` was there before */

    struct lt_rest_place ask; /**< the next to ask for, when `can_ask` */
    bool can_ask;

    bool is_ahead;             /**< pages are asked for side by side, from what `base` told */
    struct lt_rest_place base; /**< FIRST or NUMBER */
    uint64_t n_ahead;          /**< the next one lies so many pages after `base` */
    uint64_t n_kept_base;      /**< `n_kept` after it */
    int64_t page_len;
    struct lt_rest_told told;

    uint64_t n_read; /**< records of all pages read, as the server gave them */
    uint64_t n_kept; /**< of these, not skipped */
    int64_t n_told;  /**< records in all, as it was told */
    struct lt_walk_guard guard;

    struct lt_rest_place counted_at; /**< of the first page not counted */
    uint64_t counted_n;              /**< records of those counted */
    uint64_t counted_body;           /**< hash of the last one counted; 0: none */
    bool counted_loop;               /**< `counted_at` was there before */

    struct lt_slice values; /**< JSON array: what the texts take of the parent; behind the struct */
};

enum lt_walk_state {
    LT_WALK_ASKED,
    LT_WALK_ANSWERED,
    LT_WALK_READ,
    LT_WALK_FAILED,
    LT_WALK_GIVEN,
    LT_WALK_DONE,
};

struct lt_walk_page {
    struct lt_rest_page public; /**< first: the user's pointer is the page's */
    struct lt_rest_walk *walk;
    struct lt_walk_task *task; /**< NULL: dropped, its answer is awaited */
    struct lt_walk_page *next;
    enum lt_walk_state state;
    struct lt_rest_place at;
    struct lt_rest_place follows; /**< READ: where the next one is, or END */
    int64_t limit;                /**< of the request */
    char *url;                    /**< asked for, then the one that answered */
    struct lt_http_answer answer; /**< body and headers, until it is read */
    struct lt_arena arena;        /**< records and strings of the public part */
    size_t held_bytes;            /**< as counted in the walk */
    uint64_t n_bytes;             /**< of the body */
    size_t n_raw;                 /**< records as the server gave them */
    uint64_t n_skipped;
    uint64_t body_hash;
    bool loops;    /**< where the next one is, the task was before */
    bool user_has; /**< it was handed over */
    struct leat_error *failure;
    struct lt_walk_mark *mark; /**< incremental: the highest of its records, or NULL */
};

/** A cursor: a value and the hashes of the records that have it. */
struct lt_walk_mark {
    struct lt_json value; /**< its bytes are the mark's own; raw.data NULL: none */
    uint64_t *seen;
    size_t n_seen, cap_seen;
};

struct lt_walk_field {
    enum { LT_WALK_ONCE, LT_WALK_EACH_PAGE, LT_WALK_FETCHED_AT, LT_WALK_NAME } when;
    bool takes_parent; /**< EACH_PAGE: its value in the task is the parent's record */
    struct lt_expr_query *query;
};

/** A resource: what is compiled of it, and how far it is. */
struct lt_walk_resource {
    struct lt_rest_walk *walk; /**< NULL for describe and replay */
    const struct lt_rest_api *api;
    const struct lt_rest_resource *resource;
    size_t index;
    unsigned depth;
    bool needed, selected;
    struct lt_walk_resource *parent;
    struct lt_walk_resource **children; /**< those needed */
    size_t n_children;

    struct lt_rest_template *path, *body;
    struct lt_rest_template **params, **headers;
    struct lt_walk_field *fields;
    size_t n_values; /**< of a task */
    struct lt_rest_records records;
    struct lt_rest_pager pager;

    struct lt_walk_task *first, *last; /**< not counted whole */
    struct lt_walk_task *give;         /**< the first not given out whole */
    struct lt_walk_task *settle;       /**< the first whose origin is not counted */
    struct lt_walk_page *ledger, *ledger_last;
    size_t n_waiting;     /**< tasks not begun */
    size_t n_outstanding; /**< pages asked for and not given out */
    size_t n_in_flight;
    size_t page_bytes; /**< of a page, as the last ones were */
    size_t page_len;   /**< records of the last page */
    uint64_t next_ordinal, counted_ordinal;
    struct lt_rest_stat stat;
    bool complete;

    struct lt_expr_query *incremental; /**< NULL: it is not */
    bool warned_without_value;
    struct lt_walk_mark base; /**< the cursor of the pass */
    struct lt_walk_mark high; /**< the highest that was counted, from `base` on */
    struct lt_slice kept;     /**< the position as given, where it is not walked */
};

struct lt_rest_walk {
    struct lt_rest_walk_options opt;
    const struct lt_rest_api *api;
    struct lt_rest_fetcher *fetcher;
    struct lt_rest_mask *mask;
    uv_timer_t timer;
    bool has_timer;
    struct lt_walk_resource *resources;
    size_t n_resources;
    struct lt_arena scratch; /**< of one call */
    struct lt_buf text;      /**< of one call */
    char fetched_at[40];

    size_t n_in_flight;
    size_t n_given;            /**< with the user */
    size_t held_bytes;         /**< pages that are here, and tasks */
    size_t given_bytes;        /**< of these, with the user */
    size_t n_answered;         /**< pages in ANSWERED */
    size_t n_failed;           /**< pages in FAILED: while there are any, nothing is asked for */
    uint64_t n_retries;        /**< of the fetcher, as far as they are in a resource's count */
    struct leat_error failure; /**< of the first page that failed, or of the walk itself */
    bool broken;               /**< by the latter: nothing more is given out */
    bool stopping;             /**< by the user */
    bool moved;                /**< a position, since on_progress */
    bool ended, freed;
    unsigned depth; /**< calls of others under way: the fetcher's, the user's */
};

/* walk.c */
/** Asks for a turn. */
void lt_walk_wake(struct lt_rest_walk *walk);
/** No memory for the walk itself: it ends when the user has done with its pages. */
void lt_walk_break(struct lt_rest_walk *walk);
/** Forgets what is neither given out nor counted, and the fetcher. */
void lt_walk_drop_all(struct lt_rest_walk *walk);

/* walk_place.c */
/** A copy with its own text. False: no memory. */
LEAT_MUST_CHECK bool lt_walk_place_copy(struct lt_rest_place *to, const struct lt_rest_place *from);
void lt_walk_place_free(struct lt_rest_place *place);
bool lt_walk_place_eq(const struct lt_rest_place *a, const struct lt_rest_place *b);
/** A hash of bytes, never 0; the same on every machine. */
uint64_t lt_walk_hash(struct lt_slice bytes, uint64_t seed);
/** Whether the task was at that place (a cursor, a URL); and notes one. False: no memory. */
bool lt_walk_guard_has(const struct lt_walk_guard *guard, struct lt_slice place);
LEAT_MUST_CHECK bool lt_walk_guard_add(struct lt_walk_guard *guard, struct lt_slice place);
void lt_walk_guard_deinit(struct lt_walk_guard *guard);

/* walk_resource.c */
/** Compiles; deinit also after failure. `depth` and the links are the caller's. */
LEAT_MUST_CHECK leat_status lt_walk_resource_init(struct lt_walk_resource *res,
                                                  const struct lt_rest_api *api, size_t index,
                                                  struct leat_error *err);
void lt_walk_resource_deinit(struct lt_walk_resource *res);
/** Appends what the texts take of a parent's record, as a JSON array. */
LEAT_MUST_CHECK leat_status lt_walk_ask_values(struct lt_walk_resource *res, struct lt_json parent,
                                               struct lt_arena *scratch, struct lt_buf *out,
                                               struct leat_error *err);
/** The value of each field for a page of a task; `fields` has room for all. */
LEAT_MUST_CHECK leat_status lt_walk_field_values(struct lt_walk_resource *res,
                                                 struct lt_json values, const char *fetched_at,
                                                 struct lt_arena *arena,
                                                 struct lt_json_field *fields,
                                                 struct leat_error *err);

/* walk_request.c */
/** A request for a place of a list. `values` NULL: texts stay as they were written. All memory is
 * the arena's; credentials are not in it. */
struct lt_walk_request {
    const char *method, *url;
    const char **headers; /**< ended by NULL */
    struct lt_slice body;
    int64_t limit;
};
LEAT_MUST_CHECK leat_status lt_walk_request(struct lt_walk_resource *res,
                                            const struct lt_json *values,
                                            const struct lt_rest_place *at, struct lt_arena *arena,
                                            struct lt_walk_request *out, struct leat_error *err);
/** A URL without the parameters whose values are secret; the arena's. NULL: no memory. */
char *lt_walk_url_without_secrets(const struct lt_rest_api *api, const char *url,
                                  struct lt_arena *arena);

/* walk_task.c */
/** A task from its values, in no row yet. NULL: no memory. */
struct lt_walk_task *lt_walk_task_new(struct lt_walk_resource *res, struct lt_slice values,
                                      struct lt_walk_page *origin);
void lt_walk_task_free(struct lt_walk_task *task);
/** To the end of its resource's row. */
void lt_walk_task_append(struct lt_walk_task *task);
/** The first of the row is counted whole, and goes. */
void lt_walk_task_remove_first(struct lt_walk_resource *res);
/** Asks for what may be asked for now. */
void lt_walk_ask(struct lt_rest_walk *walk);
/** A page was read: where its task goes on. False: no memory. */
LEAT_MUST_CHECK bool lt_walk_task_go_on(struct lt_walk_page *page, const struct lt_rest_told *told);
/** The list cannot go on at `at`, for a reason that is no answer: what was read before is still
 * given out. */
void lt_walk_task_fail_at(struct lt_walk_task *task, const struct lt_rest_place *at,
                          const struct leat_error *err);

/* walk_page.c */
/** Reads the pages of a task that have come, in order. */
void lt_walk_read(struct lt_walk_task *task);
void lt_walk_page_free(struct lt_walk_page *page);
/** Forgets the pages of a task after `before` (NULL: all) that are not given out. */
void lt_walk_drop_pages(struct lt_walk_task *task, struct lt_walk_page *before);
/** What the page holds has changed. */
void lt_walk_page_hold(struct lt_walk_page *page, size_t bytes);
/** Its records and its body are gone; what has to be counted stays. */
void lt_walk_page_empty(struct lt_walk_page *page);
/** The page is a failed one from now on, and those after it are forgotten. */
void lt_walk_page_fail(struct lt_walk_page *page, const struct leat_error *err);
/** What comes of a request. */
lt_rest_fetched lt_walk_on_fetched;

/* walk_emit.c */
/** Gives out what is next in order. */
void lt_walk_give(struct lt_rest_walk *walk);
/** Counts what can be counted of a resource, and of its children. */
void lt_walk_count(struct lt_walk_resource *res);

/* walk_position.c */
LEAT_MUST_CHECK leat_status lt_walk_restore(struct lt_rest_walk *walk, struct leat_error *err);

/* walk_incremental.c */
/** Takes out of a page the records that are not new, and marks its highest. `is_old`: the page
 * held records, and all are older than the cursor. */
LEAT_MUST_CHECK leat_status lt_walk_skip_old(struct lt_walk_page *page, struct lt_json *records,
                                             size_t *n, bool *is_old, struct leat_error *err);
/** Takes `from` into `into`. False: no memory. */
LEAT_MUST_CHECK bool lt_walk_mark_merge(struct lt_walk_mark *into, const struct lt_walk_mark *from);
LEAT_MUST_CHECK bool lt_walk_mark_set(struct lt_walk_mark *mark, struct lt_json value);
LEAT_MUST_CHECK bool lt_walk_mark_see(struct lt_walk_mark *mark, uint64_t hash);
void lt_walk_mark_deinit(struct lt_walk_mark *mark);

#endif
