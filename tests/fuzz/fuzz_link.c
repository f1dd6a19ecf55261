/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as header lines: a link that is found is one of theirs, between angle brackets. */
#include "rest/paginate_parts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    char *copy = malloc(len + 1); /* of its own, so that a step beyond it is seen */

    if (!copy)
        abort();
    memcpy(copy, data, len);
    struct lt_slice target = lt_rest_link_next(lt_slice(copy, len));
    if (target.data &&
        (target.data <= copy || target.data + target.len >= copy + len || target.data[-1] != '<' ||
         target.data[target.len] != '>' || memchr(target.data, '>', target.len)))
        abort();
    free(copy);
    return 0;
}
