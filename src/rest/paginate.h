/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_PAGINATE_H
#define LT_REST_PAGINATE_H

#include "expr/query.h"
#include "http/client.h"
#include "rest/api.h"

/*
 * The ways from one page to the next: a table of rows, one file each. A paginator is asked after
 * every page where the next one is; it keeps nothing between, so that a position can be kept as
 * text.
 */

/** Where a page is: what distinguishes it from the first request of its list. */
struct lt_rest_place {
    enum { LT_REST_FIRST, LT_REST_NUMBER, LT_REST_TOKEN, LT_REST_URL, LT_REST_END } kind;
    int64_t number;       /**< NUMBER: an offset or a page */
    struct lt_slice text; /**< TOKEN: a cursor; URL: an absolute URL */
};

/** What a paginator sees of a page. */
struct lt_rest_seen {
    const char *url; /**< the one that answered: relative links are relative to it */
    const struct lt_http_answer *answer; /**< headers; NULL for a recorded page */
    struct lt_json body;                 /**< null for an empty one (204) */
    size_t n_records;                    /**< as the server gave them, before any is skipped */
    int64_t limit;           /**< the value of the limit parameter in the request; 0: none */
    struct lt_rest_place at; /**< where this page was */
    uint64_t n_before;       /**< records of the pages before it */
};

/** The compiled expressions of a resource's pagination; NULL where it has none. */
struct lt_rest_pager {
    const struct lt_rest_resource *resource;
    const struct lt_rest_paginator *row;
    struct lt_expr_query *total, *pages, *next, *more;
};

struct lt_rest_paginator {
    const char *kind;
    /** Finds the next place (END when there is none) and, where it is told, how many records there
     * are in all (`*total`, else -1). All memory is the arena's. Errors: LEAT_E_PARSE naming what
     * was expected: `total` that is no number, a `next` that is no text. */
    leat_status (*next)(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        struct lt_rest_place *next, int64_t *total, struct lt_arena *arena,
                        struct leat_error *err);
    /** The place of the page `n` pages after `at`, for lists whose total is known: pages are then
     * fetched side by side. NULL: they come one after another. `page_len` is the number of records
     * of the first page. */
    bool (*ahead)(const struct lt_rest_pager *pager, const struct lt_rest_place *at, uint64_t n,
                  int64_t page_len, int64_t total, struct lt_rest_place *out);
};

/** The row of that kind, or NULL. */
const struct lt_rest_paginator *lt_rest_paginator_find(const char *kind);
/** The kinds, ended by NULL: for the file's reader. */
extern const char *const lt_rest_paginator_kinds[];

LEAT_MUST_CHECK leat_status lt_rest_pager_init(struct lt_rest_pager *pager,
                                               const struct lt_rest_resource *resource,
                                               struct leat_error *err);
void lt_rest_pager_deinit(struct lt_rest_pager *pager);

/** After the first page of "auto": the row that fits what is there (a Link header with rel="next";
 * `next`, `paging.next`, `links.next`, `@odata.nextLink` … as a URL; `next_cursor`,
 * `next_page_token` …; offset/limit or page with a total), or "none". The pager is then set up as
 * if the file had said so. */
LEAT_MUST_CHECK leat_status lt_rest_pager_detect(struct lt_rest_pager *pager,
                                                 const struct lt_rest_seen *seen,
                                                 struct lt_arena *arena, struct leat_error *err);

#endif
