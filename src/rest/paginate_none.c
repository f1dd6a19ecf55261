/* SPDX-License-Identifier: Apache-2.0 */
/* A list that is one page; and "auto", for as long as no page has shown where a next one is. */
#include "rest/paginate_parts.h"

static leat_status next(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        const struct lt_rest_told *told, struct lt_rest_place *place,
                        struct lt_arena *arena, struct leat_error *err) {
    (void)pager;
    (void)seen;
    (void)told;
    (void)arena;
    (void)err;
    place->kind = LT_REST_END;
    return LEAT_OK;
}

const struct lt_rest_paginator lt_rest_paginate_none = {
    .kind = "none", .places = LT_REST_FIRST, .next = next};
const struct lt_rest_paginator lt_rest_paginate_auto = {
    .kind = "auto", .places = LT_REST_FIRST, .next = next};
