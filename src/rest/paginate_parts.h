/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_PAGINATE_PARTS_H
#define LT_REST_PAGINATE_PARTS_H

#include "rest/paginate.h"

/* What the paginators' files share. */

extern const struct lt_rest_paginator lt_rest_paginate_auto, lt_rest_paginate_none,
    lt_rest_paginate_offset, lt_rest_paginate_page, lt_rest_paginate_cursor, lt_rest_paginate_next,
    lt_rest_paginate_link;

/** Finds the row, and compiles the expressions, of `pager->how`. */
LEAT_MUST_CHECK leat_status lt_rest_pager_set_up(struct lt_rest_pager *pager,
                                                 struct leat_error *err);

/** The first output of an expression; null when there is no expression or no output. */
LEAT_MUST_CHECK leat_status lt_rest_pager_ask(const struct lt_rest_pager *pager,
                                              struct lt_expr_query *query, const char *what,
                                              struct lt_json body, struct lt_arena *arena,
                                              struct lt_json *out, struct leat_error *err);

/** LEAT_E_PARSE: what the resource's expression `what` gave, and what was expected. */
LEAT_MUST_CHECK leat_status lt_rest_pager_misfit(const struct lt_rest_pager *pager,
                                                 const char *what, struct lt_json found,
                                                 const char *expected, struct leat_error *err);

/** The number of a place. A list begins at the number in the resource's own parameters, where the
 * file asks for its middle, else at the first. */
int64_t lt_rest_pager_number(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                             const char *param);

/** The parameter `param` for a numbered place. */
bool lt_rest_pager_number_param(const struct lt_rest_pager *pager, const struct lt_rest_place *at,
                                const char *param, struct lt_arena *arena, const char **name,
                                struct lt_slice *value);

/** The place after a numbered page, `step` further; END where the numbers end. */
struct lt_rest_place lt_rest_place_after(int64_t number, int64_t step);

/** The target of the first Link header with rel="next" (RFC 8288) among raw header lines; `data`
 * NULL when there is none. A view. */
struct lt_slice lt_rest_link_next(struct lt_slice headers);

/** A reference in a page, as a place. Errors: LEAT_E_PARSE naming `what`. */
LEAT_MUST_CHECK leat_status lt_rest_pager_follow(const struct lt_rest_pager *pager,
                                                 const char *what, const char *base,
                                                 struct lt_slice reference,
                                                 struct lt_rest_place *next, struct lt_arena *arena,
                                                 struct leat_error *err);

/** The words for a value's type: "text", "an object" … */
const char *lt_rest_type_word(struct lt_json value);

#endif
