/* SPDX-License-Identifier: Apache-2.0 */
#include "differences.h"

bool lt_is_known_difference(const char *expression, struct lt_slice expected, struct lt_slice got) {
    (void)expression, (void)expected, (void)got;
    return false;
}
