/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VALUE_H
#define LT_EXPR_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "expr/expr_parts.h"
#include "expr/libjq.h"
#include "json/json.h"

/**
 * Appends a value as compact JSON, numbers as jq prints them. Returns NULL, or why
 * it has no JSON form: "gave a number that is not finite". Borrows `value`.
 */
const char *lt_expr_write_value(struct lt_buf *out, jv value);

/** A validated text as a jq value; invalid when it is longer than 2 GiB. */
jv lt_expr_read_value(struct lt_json value);

/** The bytes of a jq string, as long as the caller holds it. */
struct lt_slice lt_expr_string(jv string);

#endif
