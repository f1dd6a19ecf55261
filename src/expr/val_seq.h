/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VAL_SEQ_H
#define LT_EXPR_VAL_SEQ_H

#include "expr/val.h"

/*
 * What arrays and objects are made of: a run of elements in a room, each of `stride` values (an
 * array's element is one, an object's member two: its name and its value), in versions.
 *
 * A version is a handle and a length (struct lt_val's `n`). An append by the version that ends
 * where its room is filled writes behind it: the older version keeps its own length. A change at a
 * place gives the room to a new handle, and the old one becomes a difference from the new (Baker's
 * trick); when somebody looks at it again it gets a copy of its own. A room that is pinned is never
 * changed at a place. No more differences are made from one room than it has elements, so that the
 * copy of an old version costs no more than a copy of its elements.
 */

struct lt_slot {
    uint32_t hash;
    uint32_t place; /**< of the member, plus one; 0: free */
};

struct lt_room {
    uint32_t cap; /**< elements */
    uint32_t used;
    uint32_t n_diffs;
    uint32_t pins;         /**< iterations under way, slices that look into it, a frozen value */
    struct lt_slot *slots; /**< objects with many members: by name; NULL before the first search */
    uint32_t n_slots;
    uint32_t n_indexed; /**< members in the slots */
    struct lt_val items[];
};

struct lt_seq {
    struct lt_val *items; /**< NULL: it is `next` but for one value */
    uint32_t len;         /**< elements of its longest version */
    uint32_t at;          /**< difference: which value */
    union {
        struct lt_room *room;
        struct lt_seq *next;
    };
    struct lt_val old;
};
struct lt_arr {
    struct lt_seq seq;
};
struct lt_obj {
    struct lt_seq seq;
};

/** An empty version with room for `cap` elements; NULL without memory. */
struct lt_seq *lt_seq_new(struct lt_heap *heap, unsigned stride, size_t cap);
/** The elements of a handle; NULL without memory. */
struct lt_val *lt_seq_items(struct lt_heap *heap, struct lt_seq *seq, unsigned stride);
/** Room for `more` elements behind the first `n` of `*seq`, which may become another handle.
 * Returns where they go (they then count), or NULL without memory. */
struct lt_val *lt_seq_extend(struct lt_heap *heap, struct lt_seq **seq, unsigned stride, size_t n,
                             size_t more);
/** Sets the value at `at` (counted in values, not elements) of the version of `n` elements. Returns
 * the handle of the version with it; NULL without memory. */
struct lt_seq *lt_seq_set(struct lt_heap *heap, struct lt_seq *seq, unsigned stride, size_t n,
                          size_t at, struct lt_val v);
/** Elements `from` to `to`. */
struct lt_seq *lt_seq_slice(struct lt_heap *heap, struct lt_seq *seq, unsigned stride, size_t from,
                            size_t to);

/* val_object.c */

/** The place of the member of that name among the first `n`, or -1. */
int64_t lt_obj_find(struct lt_heap *heap, struct lt_seq *seq, size_t n, struct lt_slice name);
/** Makes the index of names now. */
void lt_obj_index(struct lt_heap *heap, struct lt_room *room);
struct lt_val lt_obj_of_raw(struct lt_heap *heap, struct lt_val raw);
/** The object without the members of those places. */
struct lt_val lt_obj_without(struct lt_heap *heap, struct lt_val object, const bool *gone);

/* val_array.c */
struct lt_val lt_arr_of_raw(struct lt_heap *heap, struct lt_val raw);

/* val.c */

/** A container as BUILT: one of a document is listed once. */
struct lt_val lt_val_resolve(struct lt_heap *heap, struct lt_val container);
/** The slot of a container in its document: a resolved value, or NULL and a count of looks. */
void **lt_doc_listed(struct lt_heap *heap, struct lt_val raw);

enum { LT_VAL_MAX_DEPTH = 10000 }; /**< of what is walked by recursion */

#endif
