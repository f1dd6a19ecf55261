/* SPDX-License-Identifier: Apache-2.0 */
/* The shards of a delivery, found by name by halving. A shard's struct and its name stay where they
 * are, so that gathered parts can point to the name. */
#include "deliver/shards.h"

#include <stdlib.h>

enum { POSITION_MAX_BYTES = 8192 };

static void free_shard(struct lt_delivery_shard *shard) {
    if (!shard)
        return;
    lt_buf_deinit(&shard->position);
    free(shard->name);
    free(shard);
}

void lt_delivery_shards_deinit(struct lt_delivery_shards *shards) {
    for (size_t i = 0; i < shards->n; i++)
        free_shard(shards->items[i]);
    free(shards->items);
    *shards = (struct lt_delivery_shards){0};
}

/* The first shard whose name is not below `name`. */
static size_t lower_bound(const struct lt_delivery_shards *shards, const char *name) {
    size_t low = 0, high = shards->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(shards->items[mid]->name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct lt_delivery_shard *lt_delivery_shards_find(const struct lt_delivery_shards *shards,
                                                  const char *name) {
    size_t at = lower_bound(shards, name);
    return at < shards->n && !strcmp(shards->items[at]->name, name) ? shards->items[at] : NULL;
}

struct lt_delivery_shard *lt_delivery_shards_get(struct lt_delivery_shards *shards,
                                                 const char *name) {
    struct lt_delivery_shard *shard = lt_delivery_shards_find(shards, name);
    size_t at;

    if (shard)
        return shard;
    if (shards->n == shards->cap) {
        size_t cap = shards->cap ? shards->cap * 2 : 4;
        void *items = reallocarray(shards->items, cap, sizeof(shards->items[0]));
        if (!items)
            return NULL;
        shards->items = items;
        shards->cap = cap;
    }
    shard = calloc(1, sizeof(*shard));
    if (!shard || !(shard->name = strdup(name))) {
        free_shard(shard);
        return NULL;
    }
    lt_buf_init(&shard->position, POSITION_MAX_BYTES);
    at = lower_bound(shards, name);
    memmove(&shards->items[at + 1], &shards->items[at],
            (shards->n - at) * sizeof(shards->items[0]));
    shards->items[at] = shard;
    shards->n++;
    return shard;
}

void lt_delivery_shard_settle(struct lt_delivery_shard *shard, uint64_t seq,
                              struct lt_slice position) {
    shard->delivered = seq;
    if (shard->pushed < seq)
        shard->pushed = seq;
    lt_buf_clear(&shard->position);
    lt_buf_append(&shard->position, position);
}
