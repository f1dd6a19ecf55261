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
 *
 * Where several things say whether there is more, the first of these that speaks wins:
 *
 *     1. `more` false or null           the end
 *     2. `total` (or `pages`) reached   the end, also when the page still names a next one
 *     3. the paginator's own sign       no link, no cursor, an empty page (offset, page), or, when
 *                                       neither total nor pages is told, one shorter than its limit
 *
 * An empty page does not end a list of links or cursors: filters make such pages. (The walk bounds
 * how many come in a row.)
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
    const char *around;      /**< the path of the object that the records stand in: ".albums", ""
                                for the body itself; NULL: not known. For "auto" */
};

/** How much there is, as far as a page tells; -1: it does not. */
struct lt_rest_told {
    int64_t total; /**< records in all */
    int64_t pages;
};

/** How a resource's pages follow one another: what the file says, or what was found. */
struct lt_rest_pager {
    const struct lt_rest_resource *resource;
    const struct lt_rest_paginator *row;               /**< "auto" until something is found */
    struct lt_rest_pagination how;                     /**< the file's, or of what was found */
    struct lt_expr_query *total, *pages, *next, *more; /**< NULL where there is none */
    struct lt_arena arena;                             /**< strings of what was found */
};

struct lt_rest_paginator {
    const char *kind;
    /** The kind of its places after the first; a kept place of another kind is none of its own. */
    int places;
    /** The place after `seen` (END when there is none), from the paginator's own sign alone. All
     * memory is the arena's. */
    leat_status (*next)(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        const struct lt_rest_told *told, struct lt_rest_place *next,
                        struct lt_arena *arena, struct leat_error *err);
    /** The place of the page `n` pages after `at`, for lists whose total is known: pages are then
     * fetched side by side. False: there is none. NULL: they come one after another. `page_len` is
     * the number of records of the page at `at`. */
    bool (*ahead)(const struct lt_rest_pager *pager, const struct lt_rest_place *at, uint64_t n,
                  int64_t page_len, const struct lt_rest_told *told, struct lt_rest_place *out);
    /** The parameter, of the query or of the body, that asks for the place: its name, and its value
     * (the arena's or the place's). False where it takes none. NULL: never. */
    bool (*param)(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                  struct lt_arena *arena, const char **name, struct lt_slice *value);
};

/** The row of that kind, or NULL. */
const struct lt_rest_paginator *lt_rest_paginator_find(const char *kind);
/** The kinds, ended by NULL: for the file's reader. */
extern const char *const lt_rest_paginator_kinds[];

/** Compiles what the resource says. Errors: LEAT_E_CONFIG, LEAT_E_UNSUPPORTED, LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_rest_pager_init(struct lt_rest_pager *pager,
                                               const struct lt_rest_resource *resource,
                                               struct leat_error *err);
/** One all zero, or half built, is fine. */
void lt_rest_pager_deinit(struct lt_rest_pager *pager);

/**
 * Where the next page is, and what this one tells of them all. `next` lives in the arena.
 * Errors: LEAT_E_PARSE naming the resource and what was expected: a `total` that is no number, a
 * `next` that is no text or no URL; LEAT_E_LIMIT, LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_rest_pager_next(const struct lt_rest_pager *pager,
                                               const struct lt_rest_seen *seen,
                                               struct lt_rest_place *next,
                                               struct lt_rest_told *told, struct lt_arena *arena,
                                               struct leat_error *err);

/**
 * For a pager whose row is still "auto": finds the row that fits a page, and sets the pager up as
 * if the file had said so. Where nothing fits, the page is the last of its list, and the next
 * list's first page is looked at again. Asks for nothing; looks only beside the records, at the
 * body's own level, and at objects there that are called as those for paging are ("paging",
 * "links", "meta" …). In this order:
 *
 *     link     a Link header with rel="next"
 *     next     `next`, `next_url`, `@odata.nextLink` … that is a URL, or an object with `href`
 *     cursor   `next_cursor`, `next_page_token` … that is a text (with `has_more` beside it)
 *     offset   `offset`, a `limit` (also the request's) and a `total` beyond this page
 *     page     `page` (0 or 1) and a number of pages beyond it
 */
LEAT_MUST_CHECK leat_status lt_rest_pager_detect(struct lt_rest_pager *pager,
                                                 const struct lt_rest_seen *seen,
                                                 struct lt_arena *arena, struct leat_error *err);

/** Appends what was found as a JSON object, for a position; `null` when nothing was. */
void lt_rest_pager_write_found(const struct lt_rest_pager *pager, struct lt_buf *out);
/** Takes it up again; `null` changes nothing. Errors: LEAT_E_PARSE, LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_rest_pager_read_found(struct lt_rest_pager *pager,
                                                     struct lt_json found, struct leat_error *err);

#endif
