/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_TEXT_SCAN_H
#define LT_REST_TEXT_SCAN_H

#include "base/error.h"
#include "base/slice.h"

/*
 * The parts of a text with jq expressions in braces: "/albums/{.id}/tracks" is the literal
 * "/albums/", the expression ".id" and the literal "/tracks". "{{" is a literal "{" and "}}" a
 * literal "}". An expression ends at the brace that closes it by jq's own lexical rules: braces of
 * its objects, strings and comments do not end it.
 */

/** One part: a literal as it goes out ("{" for "{{"), or an expression without its braces. `offset`
 * is where `part` begins in the text. Anything but LEAT_OK ends the reading with it. */
typedef leat_status lt_rest_text_part(void *ctx, bool is_expression, struct lt_slice part,
                                      size_t offset, struct leat_error *err);

/**
 * Calls `each` (may be NULL: only to check) for the parts in order. Literal bytes in a row may come
 * as several parts. All that is borrowed is `text`.
 *
 * Errors: LEAT_E_CONFIG for a brace that closes nothing or is not closed, an expression that is
 *         empty, or what lt_expr_check_text() finds in one, with its byte offset in `*at`; else
 *         what `each` returned, with the part's offset.
 */
LEAT_MUST_CHECK leat_status lt_rest_text_each(struct lt_slice text, lt_rest_text_part *each,
                                              void *ctx, size_t *at, struct leat_error *err);

/** The expression after the brace at byte `open`, as lt_rest_text_each() reads it. */
LEAT_MUST_CHECK leat_status lt_rest_text_expression(struct lt_slice text, size_t open,
                                                    struct lt_slice *out, size_t *at,
                                                    struct leat_error *err);

#endif
