/* SPDX-License-Identifier: Apache-2.0 */
/* What all bodies of a stream service share. */
#include "stream/stream.h"

#include <stdlib.h>

void lt_stream_batch_free(struct lt_stream_batch *batch) {
    if (!batch)
        return;
    lt_arena_deinit(&batch->arena); /* the batch itself lies outside it */
    free(batch);
}
