/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_LEX_H
#define LT_EXPR_LEX_H

#include "base/error.h"
#include "base/slice.h"

/* A text longer than this is refused: libjq's parser is made for programs of people. */
enum { LT_EXPR_MAX_TEXT_BYTES = 65536 };

static inline bool lt_expr_is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static inline bool lt_expr_is_name(char c) {
    return lt_expr_is_name_start(c) || (c >= '0' && c <= '9');
}

/**
 * Whether a jq text is closed in itself, by jq's own lexical rules: brackets and
 * strings end where they began, no name of leat's own is used. A closed text
 * between parentheses cannot reach outside them. Syntax is left to jq.
 *
 * Errors: LEAT_E_CONFIG, with the byte offset of the fault in `*at`.
 */
LEAT_MUST_CHECK leat_status lt_expr_check_text(struct lt_slice text, size_t *at,
                                               struct leat_error *err);

/** Whether `name` can follow `def`: "name", "name(f)", "name($x; f)". As lt_expr_check_text(). */
LEAT_MUST_CHECK leat_status lt_expr_check_def_name(struct lt_slice name, struct leat_error *err);

#endif
