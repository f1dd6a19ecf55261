/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal knows of each shard, and the map from a shard's number to it
 * (open addressing; a shard is never taken out while the journal is open).
 * A shard's records lie first in its extents, one a sealed segment, then in
 * its runs in the active segment; both ascend by sequence number without a gap
 * within what is in view.
 */
#include "store/journal_internal.h"

#include <stdlib.h>

static size_t slot_of(const struct lt_shard_map *map, uint64_t id) {
    id ^= id >> 33;
    id *= UINT64_C(0xff51afd7ed558ccd);
    id ^= id >> 33;
    return (size_t)id & (map->cap - 1);
}

struct lt_shard *lt_shard_find(const struct lt_shard_map *map, uint64_t id) {
    if (!map->cap)
        return NULL;
    for (size_t i = slot_of(map, id); map->slots[i]; i = (i + 1) & (map->cap - 1))
        if (map->slots[i]->id == id)
            return map->slots[i];
    return NULL;
}

static void insert(struct lt_shard_map *map, struct lt_shard *shard) {
    size_t i = slot_of(map, shard->id);
    while (map->slots[i])
        i = (i + 1) & (map->cap - 1);
    map->slots[i] = shard;
}

static bool grow(struct lt_shard_map *map) {
    struct lt_shard_map bigger = {.n = map->n, .cap = map->cap ? map->cap * 2 : 16};

    bigger.slots = calloc(bigger.cap, sizeof(struct lt_shard *));
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i])
            insert(&bigger, map->slots[i]);
    free(map->slots);
    *map = bigger;
    return true;
}

struct lt_shard *lt_shard_make(struct lt_shard_map *map, uint64_t id) {
    struct lt_shard *shard = lt_shard_find(map, id);

    if (shard)
        return shard;
    if (map->n >= map->cap / 4 * 3 && !grow(map))
        return NULL;
    shard = calloc(1, sizeof(*shard));
    if (!shard)
        return NULL;
    shard->id = id;
    shard->assigned = shard->first = shard->next = 1;
    shard->hidden_known = true;
    insert(map, shard);
    map->n++;
    return shard;
}

void lt_shard_map_deinit(struct lt_shard_map *map) {
    for (size_t i = 0; i < map->cap; i++) {
        if (!map->slots[i])
            continue;
        free(map->slots[i]->extents);
        free(map->slots[i]->runs);
        free(map->slots[i]);
    }
    free(map->slots);
    *map = (struct lt_shard_map){0};
}

bool lt_shard_reserve_runs(struct lt_shard *shard, size_t n) {
    if (shard->cap_runs - shard->n_runs >= n)
        return true;
    size_t cap = shard->cap_runs ? shard->cap_runs * 2 : 16;
    while (cap - shard->n_runs < n)
        cap *= 2;
    struct lt_run *runs = reallocarray(shard->runs, cap, sizeof(*runs));
    if (!runs)
        return false;
    shard->runs = runs;
    shard->cap_runs = cap;
    return true;
}

bool lt_run_merge(struct lt_run *last, const struct lt_run *run) {
    if (last->offset + last->len != run->offset || last->seq + last->n_records != run->seq ||
        last->len >= LT_RUN_BYTES || run->len > LT_RUN_BYTES - last->len)
        return false;
    last->len += run->len;
    last->n_records += run->n_records;
    return true;
}

void lt_shard_add_run(struct lt_shard *shard, const struct lt_run *run) {
    shard->run_bytes += lt_run_payload(run);
    if (shard->n_runs && lt_run_merge(&shard->runs[shard->n_runs - 1], run))
        return;
    shard->runs[shard->n_runs++] = *run;
}

bool lt_shard_reserve_extent(struct lt_shard *shard) {
    if (shard->n_extents < shard->cap_extents)
        return true;
    size_t cap = shard->cap_extents ? shard->cap_extents * 2 : 4;
    struct lt_extent *extents = reallocarray(shard->extents, cap, sizeof(*extents));
    if (!extents)
        return false;
    shard->extents = extents;
    shard->cap_extents = cap;
    return true;
}

void lt_shard_add_extent(struct lt_shard *shard, struct lt_segment *segment,
                         const struct lt_index_row *row) {
    size_t at = shard->n_extents;

    while (at && shard->extents[at - 1].row->first > row->first) {
        shard->extents[at] = shard->extents[at - 1];
        at--;
    }
    shard->extents[at] = (struct lt_extent){segment, row};
    shard->n_extents++;
}

void lt_shard_remove_extent(struct lt_shard *shard, const struct lt_segment *segment) {
    size_t kept = 0;

    for (size_t i = 0; i < shard->n_extents; i++)
        if (shard->extents[i].segment != segment)
            shard->extents[kept++] = shard->extents[i];
    shard->n_extents = kept;
}
