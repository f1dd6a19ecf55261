/* SPDX-License-Identifier: Apache-2.0 */
/* The next page's URL in the body, absolute or relative to the page's own. */
#include "rest/paginate_parts.h"

static leat_status next(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        const struct lt_rest_told *told, struct lt_rest_place *place,
                        struct lt_arena *arena, struct leat_error *err) {
    struct lt_json value;
    leat_status status =
        lt_rest_pager_ask(pager, pager->next, "next", seen->body, arena, &value, err);

    (void)told;
    place->kind = LT_REST_END;
    if (status != LEAT_OK || value.type == LT_JSON_NULL || value.type == LT_JSON_FALSE)
        return status;
    if (value.type != LT_JSON_STRING)
        return lt_rest_pager_misfit(pager, "next", value, "a URL, or null at the end", err);
    struct lt_slice reference = lt_json_string(value, arena);
    if (!reference.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a URL");
    if (!reference.len)
        return LEAT_OK;
    return lt_rest_pager_follow(pager, "`next`", seen->url, reference, place, arena, err);
}

const struct lt_rest_paginator lt_rest_paginate_next = {
    .kind = "next", .places = LT_REST_URL, .next = next};
