/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offset and limit. The offset goes on by the records that the server gave, which may be less than
 * the limit asked for: many cap it.
 */
#include "rest/paginate_parts.h"

/* Offsets before `number`, of which `total` exist. */
static bool is_over(const struct lt_rest_pager *pager, int64_t number, int64_t total) {
    int64_t end;
    return total >= 0 && !__builtin_add_overflow(pager->how.first, total, &end) && number >= end;
}

static leat_status next(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        const struct lt_rest_told *told, struct lt_rest_place *place,
                        struct lt_arena *arena, struct leat_error *err) {
    bool is_short = seen->limit > 0 && seen->n_records < (uint64_t)seen->limit;

    (void)arena;
    (void)err;
    place->kind = LT_REST_END;
    if (!seen->n_records || (told->total < 0 && is_short))
        return LEAT_OK;
    *place = lt_rest_place_after(lt_rest_pager_number(pager, &seen->at, pager->how.offset_param),
                                 (int64_t)seen->n_records);
    if (is_over(pager, place->number, told->total))
        place->kind = LT_REST_END;
    return LEAT_OK;
}

static bool ahead(const struct lt_rest_pager *pager, const struct lt_rest_place *at, uint64_t n,
                  int64_t page_len, const struct lt_rest_told *told, struct lt_rest_place *out) {
    int64_t step;

    if (told->total < 0 || page_len <= 0 || n > INT64_MAX ||
        __builtin_mul_overflow((int64_t)n, page_len, &step))
        return false;
    *out = lt_rest_place_after(lt_rest_pager_number(pager, at, pager->how.offset_param), step);
    return out->kind == LT_REST_NUMBER && !is_over(pager, out->number, told->total);
}

static bool param(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                  struct lt_arena *arena, const char **name, struct lt_slice *value) {
    return lt_rest_pager_number_param(pager, at, pager->how.offset_param, arena, name, value);
}

const struct lt_rest_paginator lt_rest_paginate_offset = {
    .kind = "offset", .places = LT_REST_NUMBER, .next = next, .ahead = ahead, .param = param};
