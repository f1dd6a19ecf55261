/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_CONSTANT_H
#define LT_EXPR_CONSTANT_H

#include "expr/expr.h"

/**
 * Whether a text of `src` that compiles gives the same for every record: `$resource == "a"`. Told
 * by its tokens, and on the safe side: false does not mean that it looks at the record.
 */
bool lt_expr_is_constant(struct lt_slice text, const struct lt_expr_source *src);

#endif
