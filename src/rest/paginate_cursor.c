/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor in the body or in a header, which goes into a parameter of the next request. */
#include "rest/paginate_parts.h"

static leat_status next(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        const struct lt_rest_told *told, struct lt_rest_place *place,
                        struct lt_arena *arena, struct leat_error *err) {
    struct lt_slice cursor = {NULL, 0};
    struct lt_json value = {LT_JSON_NULL, LT_LIT("null")};

    (void)told;
    place->kind = LT_REST_END;
    if (pager->how.cursor_header && seen->answer)
        cursor = lt_http_answer_header(seen->answer, pager->how.cursor_header);
    leat_status status =
        lt_rest_pager_ask(pager, pager->next, "cursor", seen->body, arena, &value, err);
    if (status != LEAT_OK)
        return status;
    if (value.type == LT_JSON_STRING) {
        cursor = lt_json_string(value, arena);
        if (!cursor.data)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a cursor");
    } else if (value.type == LT_JSON_NUMBER) {
        cursor = value.raw;
    } else if (value.type != LT_JSON_NULL && value.type != LT_JSON_FALSE) {
        return lt_rest_pager_misfit(pager, "cursor", value, "a text, a number, or null at the end",
                                    err);
    }
    /* It is asked only when `more` did not end the list. To end here all the same would lose
     * records without a word, where a name is misspelt. What was only guessed is not held against
     * the API. */
    if (!cursor.len && seen->n_records && pager->more &&
        pager->how.kind == pager->resource->pagination.kind)
        return lt_fail(err, LEAT_E_PARSE, 0,
                       "resource %s: `more` says that there are more records, but there is no "
                       "cursor to ask for them; if the cursor alone ends this API's lists, leave "
                       "`more` out",
                       pager->resource->name);
    if (cursor.len)
        *place = (struct lt_rest_place){.kind = LT_REST_TOKEN, .text = cursor};
    return LEAT_OK;
}

static bool param(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                  struct lt_arena *arena, const char **name, struct lt_slice *value) {
    (void)arena;
    *name = pager->how.cursor_param;
    *value = at->text;
    return at->kind == LT_REST_TOKEN && *name;
}

const struct lt_rest_paginator lt_rest_paginate_cursor = {
    .kind = "cursor", .places = LT_REST_TOKEN, .next = next, .param = param};
