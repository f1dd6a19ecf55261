/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_RECORDS_H
#define LT_REST_RECORDS_H

#include "expr/query.h"
#include "rest/api.h"

/*
 * The records of a page: what the resource's expression gives, or, where it has none, the body if
 * it is an array, else the one array of objects at depth 1 or, when there is none, at depth 2.
 * Where they were found is remembered for the pages that follow.
 */
struct lt_rest_records {
    const struct lt_rest_resource *resource;
    struct lt_expr_query *query; /**< NULL: found by themselves */
    bool found;                  /**< by themselves: `path` holds the names on the way */
    size_t depth;
    char *path[2];
    char around[256]; /**< as lt_rest_seen.around; known when `is_around_known` */
    bool is_around_known;
    struct lt_json *scratch;
    size_t n_scratch, cap_scratch;
};

/** Errors: LEAT_E_CONFIG, LEAT_E_UNSUPPORTED, LEAT_E_NOMEM. Deinit also after failure. */
LEAT_MUST_CHECK leat_status lt_rest_records_init(struct lt_rest_records *records,
                                                 const struct lt_rest_resource *resource,
                                                 struct leat_error *err);
void lt_rest_records_deinit(struct lt_rest_records *records);

/**
 * Finds those of a page, as views of it where the expression is a plain path. A null that stands
 * where the records should be is an empty page; a place that is not there is an error.
 * Errors: LEAT_E_PARSE that lists what is there instead; LEAT_E_LIMIT; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_rest_records_find(struct lt_rest_records *records,
                                                 struct lt_json body, struct lt_arena *arena,
                                                 struct lt_json **out, size_t *n,
                                                 struct leat_error *err);

/** Where they stand, for lt_rest_seen; NULL: not known. */
const char *lt_rest_records_around(const struct lt_rest_records *records);

/** Appends where they were found as JSON, for a position; `null` when they were not. */
void lt_rest_records_write_found(const struct lt_rest_records *records, struct lt_buf *out);
/** Errors: LEAT_E_PARSE, LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_rest_records_read_found(struct lt_rest_records *records,
                                                       struct lt_json found,
                                                       struct leat_error *err);

#endif
