/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_MASK_H
#define LT_REST_MASK_H

#include "base/arena.h"
#include "base/buf.h"
#include "rest/api.h"

/**
 * What no text may show: the secrets of an API and the tokens that it gave out. Each is hidden as
 * it is, percent-encoded, in a form, in a JSON string, and in Base64; so is the user part of a URL.
 * A secret of less than 4 bytes is hidden only where it stands as a word of its own: else it would
 * tear every number apart.
 */
struct lt_rest_mask;

LEAT_MUST_CHECK leat_status lt_rest_mask_new(struct lt_rest_mask **out,
                                             const struct lt_rest_api *api, struct leat_error *err);
void lt_rest_mask_free(struct lt_rest_mask *mask);

/** One more secret; an empty one is none. */
LEAT_MUST_CHECK leat_status lt_rest_mask_add(struct lt_rest_mask *mask, struct lt_slice secret,
                                             struct leat_error *err);

/** A token that was given out. Only the last few are kept: whoever renews every second would grow
 * without end. */
LEAT_MUST_CHECK leat_status lt_rest_mask_add_token(struct lt_rest_mask *mask, struct lt_slice token,
                                                   struct leat_error *err);

/** Appends `text` with `***` for each secret in it. */
void lt_rest_mask_append(const struct lt_rest_mask *mask, struct lt_slice text, struct lt_buf *out);
/** True when there is a secret in it. */
bool lt_rest_mask_hides(const struct lt_rest_mask *mask, struct lt_slice text);
/** The same as lt_rest_mask_append(), as a string; NULL when the arena is full. */
char *lt_rest_mask_str(const struct lt_rest_mask *mask, struct lt_slice text,
                       struct lt_arena *arena);

#endif
