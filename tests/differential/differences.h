/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_DIFFERENTIAL_DIFFERENCES_H
#define LT_TEST_DIFFERENTIAL_DIFFERENCES_H

#include "base/slice.h"

/** Whether a difference between libjq's answer and ours is one that docs/design.md lists under
 * "Where leat differs from jq", of such an expression. */
bool lt_is_known_difference(const char *expression, struct lt_slice expected, struct lt_slice got);

#endif
