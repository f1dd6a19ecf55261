/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_JQ_JSON_H
#define LT_EXPR_JQ_JSON_H

#include "expr/vm.h"

/*
 * JSON as jq 1.6 reads it with fromjson and tonumber, which is more than RFC 8259 allows (`01`,
 * `.5`, `nan`, `-Infinity`, a NUL) and has jq's words for what it does not allow. It is slow, and
 * meant for texts that the strict reader has refused.
 */

/** The value; ERROR with jq's text, which names the text and the place in it. */
enum lt_flow lt_jq_json_parse(struct lt_vm *vm, struct lt_slice text, struct lt_val *out);

/** The number that a token without white space spells, as an INT or DOUBLE; false when it is none.
 * An empty one is 0, as it is for jq. */
bool lt_jq_json_number(struct lt_slice token, struct lt_val *out);

#endif
