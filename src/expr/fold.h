/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FOLD_H
#define LT_EXPR_FOLD_H

#include "expr/expr.h"

/**
 * Whether a condition is made of bound variables, strings, truth values, null, `==`, `!=`, `and`,
 * `or` and parentheses alone, and then whether it holds: `$resource == "a"` needs no libjq, whose
 * start costs more than a small pull. False also for what is no jq: libjq then says why.
 */
bool lt_expr_fold(struct lt_slice text, const struct lt_expr_source *src, bool *holds);

#endif
