/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page numbers. A number of pages that is told is believed, also over an empty page on the way:
 * some APIs take out of a page what its reader may not see.
 */
#include "rest/paginate_parts.h"

/* Whether page `number` lies behind the last of `pages`. */
static bool is_over(const struct lt_rest_pager *pager, int64_t number, int64_t pages) {
    int64_t end;
    return !__builtin_add_overflow(pager->how.first, pages, &end) && number >= end;
}

static leat_status next(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        const struct lt_rest_told *told, struct lt_rest_place *place,
                        struct lt_arena *arena, struct leat_error *err) {
    bool is_short = seen->limit > 0 && seen->n_records < (uint64_t)seen->limit;

    (void)arena;
    (void)err;
    *place = lt_rest_place_after(lt_rest_pager_number(pager, &seen->at, pager->how.page_param), 1);
    if (told->pages >= 0 ? is_over(pager, place->number, told->pages)
                         : !seen->n_records || (told->total < 0 && is_short))
        place->kind = LT_REST_END;
    return LEAT_OK;
}

static bool ahead(const struct lt_rest_pager *pager, const struct lt_rest_place *at, uint64_t n,
                  int64_t page_len, const struct lt_rest_told *told, struct lt_rest_place *out) {
    int64_t index, before;

    if (n > INT64_MAX || (told->pages < 0 && told->total < 0))
        return false;
    *out = lt_rest_place_after(lt_rest_pager_number(pager, at, pager->how.page_param), (int64_t)n);
    if (out->kind != LT_REST_NUMBER)
        return false;
    if (told->pages >= 0)
        return !is_over(pager, out->number, told->pages);
    return page_len > 0 && !__builtin_sub_overflow(out->number, pager->how.first, &index) &&
           !__builtin_mul_overflow(index, page_len, &before) && before < told->total;
}

static bool param(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                  struct lt_arena *arena, const char **name, struct lt_slice *value) {
    return lt_rest_pager_number_param(pager, at, pager->how.page_param, arena, name, value);
}

const struct lt_rest_paginator lt_rest_paginate_page = {
    .kind = "page", .places = LT_REST_NUMBER, .next = next, .ahead = ahead, .param = param};
