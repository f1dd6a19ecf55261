/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_DIFFERENTIAL_COMPARE_H
#define LT_TEST_DIFFERENTIAL_COMPARE_H

#include "base/slice.h"

/** Whether two JSON texts are the same byte for byte, but for the spelling of numbers: two numbers
 * are the same when they are the same double. */
bool lt_texts_are_same(struct lt_slice a, struct lt_slice b);

#endif
