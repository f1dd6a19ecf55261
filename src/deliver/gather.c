/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One buffer a shard. Objects hold records by shard, in order within a shard, whatever the order
 * in which shards were read: only so a second try after a crash gives the same bytes.
 */
#include "deliver/gather.h"

#include "base/clock.h"

#include <stdlib.h>

enum { POSITION_MAX_BYTES = 4096 };

void lt_gather_deinit(struct lt_gather *gather) {
    for (size_t i = 0; i < gather->n_parts; i++) {
        lt_buf_deinit(&gather->parts[i].position);
        lt_buf_deinit(&gather->parts[i].data);
    }
    free(gather->parts);
    *gather = (struct lt_gather){0};
}

/* The index of the shard's part, or where it belongs. */
static size_t find(const struct lt_gather *gather, const char *shard, bool *found) {
    size_t low = 0, high = gather->n_parts;
    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(gather->parts[mid].shard, shard);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct lt_gather_part *part_of(struct lt_gather *gather, const char *shard) {
    bool found;
    size_t at = find(gather, shard, &found);

    if (found)
        return &gather->parts[at];
    if (gather->n_parts == gather->cap) {
        size_t cap = gather->cap ? gather->cap * 2 : 4;
        struct lt_gather_part *parts = reallocarray(gather->parts, cap, sizeof(*parts));
        if (!parts)
            return NULL;
        gather->parts = parts;
        gather->cap = cap;
    }
    memmove(&gather->parts[at + 1], &gather->parts[at],
            (gather->n_parts - at) * sizeof(gather->parts[0]));
    gather->parts[at] = (struct lt_gather_part){.shard = shard};
    lt_buf_init(&gather->parts[at].position, POSITION_MAX_BYTES);
    lt_buf_init(&gather->parts[at].data, PTRDIFF_MAX); /* lt_delivery_push() holds the limit */
    gather->n_parts++;
    return &gather->parts[at];
}

static void drop_part(struct lt_gather *gather, struct lt_gather_part *part) {
    size_t after = (size_t)(&gather->parts[gather->n_parts] - part) - 1;
    lt_buf_deinit(&part->position);
    lt_buf_deinit(&part->data);
    memmove(part, part + 1, after * sizeof(*part));
    gather->n_parts--;
}

leat_status lt_gather_add(struct lt_gather *gather, const char *shard,
                          const struct lt_delivery_record *record, bool newline,
                          struct leat_error *err) {
    struct lt_gather_part *part = part_of(gather, shard);
    size_t held = record->data.len + newline;

    if (!part)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to buffer shard %s", shard);
    /* both have room before either changes */
    if (!lt_buf_reserve(&part->data, held) ||
        !lt_buf_reserve(&part->position, record->position.len + part->position.len + 1)) {
        part->data.failed = part->position.failed = false;
        if (!part->first)
            drop_part(gather, part);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to buffer %zu bytes of shard %s", held,
                       shard);
    }
    lt_buf_append(&part->data, record->data);
    if (newline)
        lt_buf_append_byte(&part->data, '\n');
    lt_buf_clear(&part->position);
    lt_buf_append(&part->position, record->position);
    if (!part->first)
        part->first = record->seq;
    part->last = record->seq;

    if (!gather->n_records) {
        gather->oldest_ms = record->time_ms;
        gather->since_us = lt_clock_mono_us();
    } else if (record->time_ms < gather->oldest_ms) {
        gather->oldest_ms = record->time_ms;
    }
    gather->n_records++;
    gather->n_bytes += record->data.len;
    gather->n_held += held;
    return LEAT_OK;
}

leat_status lt_gather_join(struct lt_gather *gather, struct lt_buf *out, struct leat_error *err) {
    size_t n = gather->n_parts;

    if (n == 1) { /* the common case: no copy */
        *out = gather->parts[0].data;
        lt_buf_init(&gather->parts[0].data, PTRDIFF_MAX);
        return LEAT_OK;
    }
    lt_buf_init(out, PTRDIFF_MAX);
    if (gather->n_held && !lt_buf_reserve(out, gather->n_held))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to join %llu bytes of %zu shards",
                       (unsigned long long)gather->n_held, n);
    for (size_t i = 0; i < n; i++) {
        lt_buf_append(out, lt_buf_slice(&gather->parts[i].data));
        lt_buf_deinit(&gather->parts[i].data);
    }
    return LEAT_OK;
}
