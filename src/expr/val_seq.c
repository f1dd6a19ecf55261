/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of arrays and objects; see val_seq.h. */
#include "expr/val_seq.h"

enum { MIN_GROWTH = 4, MIN_DIFFS = 16, SHORT_SLICE = 16 };

static struct lt_room *new_room(struct lt_heap *heap, unsigned stride, size_t cap) {
    if (cap > UINT32_MAX / 2) {
        heap->full = true;
        return NULL;
    }
    struct lt_room *room =
        lt_heap_alloc(heap, sizeof(*room) + cap * stride * sizeof(struct lt_val));
    if (room)
        *room = (struct lt_room){.cap = (uint32_t)cap};
    return room;
}

static struct lt_seq *new_handle(struct lt_heap *heap, struct lt_room *room) {
    struct lt_seq *seq = room ? lt_heap_alloc(heap, sizeof(*seq)) : NULL;
    if (seq)
        *seq = (struct lt_seq){.items = room->items, .len = room->used, .room = room};
    return seq;
}

struct lt_seq *lt_seq_new(struct lt_heap *heap, unsigned stride, size_t cap) {
    return new_handle(heap, new_room(heap, stride, cap));
}

static struct lt_room *copy_room(struct lt_heap *heap, const struct lt_val *items, unsigned stride,
                                 size_t n, size_t cap) {
    struct lt_room *room = new_room(heap, stride, cap);
    if (!room)
        return NULL;
    if (n)
        memcpy(room->items, items, n * stride * sizeof(*items));
    room->used = (uint32_t)n;
    return room;
}

/* Gives an old version its own room again: the newest one's elements, less what was changed since,
 * latest first. */
static void detach(struct lt_heap *heap, struct lt_seq *seq, unsigned stride) {
    size_t n = 0;
    struct lt_seq *newest = seq;
    for (; !newest->items; newest = newest->next)
        n++;
    struct lt_room *room = copy_room(heap, newest->items, stride, seq->len, seq->len);
    struct lt_seq **since = lt_heap_alloc(heap, n * sizeof(struct lt_seq *));
    if (!room || !since)
        return;
    n = 0;
    for (struct lt_seq *at = seq; !at->items; at = at->next)
        since[n++] = at;
    while (n--)
        if (since[n]->at < (size_t)seq->len * stride)
            room->items[since[n]->at] = since[n]->old;
    seq->room = room;
    seq->items = room->items;
}

struct lt_val *lt_seq_items(struct lt_heap *heap, struct lt_seq *seq, unsigned stride) {
    if (!seq->items)
        detach(heap, seq, stride);
    return seq->items;
}

/* Whether the version of `n` elements is the one that its room ends with. */
static bool is_last(const struct lt_seq *seq, unsigned stride, size_t n) {
    return seq->items + n * stride == seq->room->items + (size_t)seq->room->used * stride;
}

struct lt_val *lt_seq_extend(struct lt_heap *heap, struct lt_seq **seq, unsigned stride, size_t n,
                             size_t more) {
    struct lt_seq *s = *seq;
    if (!lt_seq_items(heap, s, stride))
        return NULL;
    if (!is_last(s, stride, n) || s->room->cap - s->room->used < more) {
        size_t cap = n + (more > n ? more : n);
        struct lt_room *room =
            copy_room(heap, s->items, stride, n, cap < MIN_GROWTH ? MIN_GROWTH : cap);
        s = new_handle(heap, room);
        if (!s)
            return NULL;
        *seq = s;
    }
    struct lt_val *where = s->items + n * stride;
    s->room->used += (uint32_t)more;
    s->len = (uint32_t)(n + more);
    return where;
}

struct lt_seq *lt_seq_set(struct lt_heap *heap, struct lt_seq *seq, unsigned stride, size_t n,
                          size_t at, struct lt_val v) {
    if (!lt_seq_items(heap, seq, stride))
        return NULL;
    struct lt_room *room = seq->room;
    uint32_t max_diffs = room->used < MIN_DIFFS ? MIN_DIFFS : room->used;
    if (room->pins || !is_last(seq, stride, n) || room->n_diffs >= max_diffs) {
        struct lt_seq *copy = new_handle(heap, copy_room(heap, seq->items, stride, n, n));
        if (copy)
            copy->items[at] = v;
        return copy;
    }
    struct lt_seq *newer = lt_heap_alloc(heap, sizeof(*newer));
    if (!newer)
        return NULL;
    *newer = (struct lt_seq){.items = seq->items, .len = seq->len, .room = room};
    room->n_diffs++;
    seq->old = seq->items[at];
    seq->at = (uint32_t)at;
    seq->next = newer;
    seq->items = NULL;
    newer->items[at] = v;
    return newer;
}

struct lt_seq *lt_seq_slice(struct lt_heap *heap, struct lt_seq *seq, unsigned stride, size_t from,
                            size_t to) {
    if (!lt_seq_items(heap, seq, stride))
        return NULL;
    struct lt_val *items = seq->items + from * stride;
    if (to - from <= SHORT_SLICE)
        return new_handle(heap, copy_room(heap, items, stride, to - from, to - from));
    struct lt_seq *slice = lt_heap_alloc(heap, sizeof(*slice));
    if (!slice)
        return NULL;
    *slice = (struct lt_seq){.items = items, .len = (uint32_t)(to - from), .room = seq->room};
    seq->room->pins++;
    return slice;
}
