/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_ARENA_H
#define LT_BASE_ARENA_H

#include "base/slice.h"

struct lt_arena_block;

/** The most that fits into a block that is shared with the rest of the process (base/block.h): who
 * takes pieces of about this size takes them without a page fault. */
enum { LT_ARENA_SHARED_BYTES = (256 << 10) - 32 };

/**
 * Memory of one batch or one request, freed in one call. It owns no
 * descriptor and no lock, and belongs to one thread at a time. All zero but
 * `max` is a valid empty arena; `max` bounds the sum of all it hands out.
 */
struct lt_arena {
    struct lt_arena_block *head;
    size_t used;
    size_t max;
};

/** An empty arena that hands out at most `max` bytes; allocates nothing. */
void lt_arena_init(struct lt_arena *arena, size_t max);

/** Frees all memory; the arena is then empty and usable. */
void lt_arena_deinit(struct lt_arena *arena);

/** Empties it but keeps its largest block, for the next batch. */
void lt_arena_reset(struct lt_arena *arena);

/** `len` bytes, not initialised, aligned for any type; NULL when out of memory or over `max`. */
void *lt_arena_alloc(struct lt_arena *arena, size_t len);

/** As lt_arena_alloc() for `n` times `size` bytes, all zero. */
void *lt_arena_calloc(struct lt_arena *arena, size_t n, size_t size);

/** A copy of the bytes, with a NUL after them that is not counted; `data` is NULL on failure. */
struct lt_slice lt_arena_dup(struct lt_arena *arena, struct lt_slice bytes);

/** A copy as a C string; NULL on failure. */
char *lt_arena_str(struct lt_arena *arena, struct lt_slice bytes);

/** A formatted C string; NULL on failure. */
char *lt_arena_printf(struct lt_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
