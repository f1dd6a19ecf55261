/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/outlet.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ITEMS = 64 };

static void close_gap(struct lt_queue *queue) {
    memmove(queue->items, queue->items + queue->head,
            (queue->tail - queue->head) * sizeof(*queue->items));
    queue->tail -= queue->head;
    queue->head = 0;
}

leat_status lt_queue_push(struct lt_queue *queue, const struct lt_item *item,
                          struct leat_error *err) {
    if (queue->tail == queue->cap && queue->head > queue->cap / 2)
        close_gap(queue);
    if (queue->tail == queue->cap) {
        size_t cap = queue->cap ? queue->cap * 2 : FIRST_ITEMS;
        struct lt_item *items = reallocarray(queue->items, cap, sizeof(*items));
        if (!items)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu records", cap);
        queue->items = items;
        queue->cap = cap;
    }
    queue->items[queue->tail++] = *item;
    queue->n_bytes += item->data.len + item->key.len;
    return LEAT_OK;
}

void lt_queue_deinit(struct lt_queue *queue) {
    free(queue->items);
    *queue = (struct lt_queue){0};
}
