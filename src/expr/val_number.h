/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VAL_NUMBER_H
#define LT_EXPR_VAL_NUMBER_H

#include "expr/val.h"

/** All its digits; returns the length. */
size_t lt_val_format_int(int64_t value, char out[24]);

/** The fewest digits that read back as `value`, with point and exponent where jq 1.6 has them: NaN
 * as "null", infinities as the largest double. Returns the length. */
size_t lt_val_format_double(double value, char out[32]);

/** Any number as jq prints it, whatever its spelling was. Returns the length. */
size_t lt_val_format_number(struct lt_val number, char out[32]);

#endif
