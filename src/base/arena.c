/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks double from 4 KiB to those that the process shares; what is larger gets one of its own. */
#include "base/arena.h"

#include "base/block.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BLOCK_BYTES = 4096 };

struct lt_arena_block {
    struct lt_arena_block *next;
    size_t len;
    size_t cap;
    alignas(max_align_t) char data[];
};

void lt_arena_init(struct lt_arena *arena, size_t max) {
    *arena = (struct lt_arena){.max = max};
}

/* The room of a block that the process shares. */
static const size_t SHARED_CAP = LT_ARENA_SHARED_BYTES;
static_assert(sizeof(struct lt_arena_block) + LT_ARENA_SHARED_BYTES == LT_BLOCK_BYTES,
              "a shared block is filled by its head and its room");

static void free_block(struct lt_arena_block *block) {
    if (block && block->cap == SHARED_CAP)
        lt_block_give(block);
    else
        free(block);
}

static void free_blocks(struct lt_arena_block *block) {
    while (block) {
        struct lt_arena_block *next = block->next;
        free_block(block);
        block = next;
    }
}

void lt_arena_deinit(struct lt_arena *arena) {
    free_blocks(arena->head);
    lt_arena_init(arena, arena->max);
}

void lt_arena_reset(struct lt_arena *arena) {
    struct lt_arena_block *keep = NULL;

    while (arena->head) {
        struct lt_arena_block *block = arena->head;
        arena->head = block->next;
        if (!keep || block->cap > keep->cap) {
            free_block(keep);
            keep = block;
        } else {
            free_block(block);
        }
    }
    if (keep) {
        keep->next = NULL;
        keep->len = 0;
    }
    arena->head = keep;
    arena->used = 0;
}

static struct lt_arena_block *add_block(struct lt_arena *arena, size_t len) {
    size_t cap = arena->head ? arena->head->cap * 2 : FIRST_BLOCK_BYTES;
    while (cap < len && cap < SHARED_CAP)
        cap *= 2;
    if (cap >= SHARED_CAP)
        cap = len > SHARED_CAP ? len : SHARED_CAP;
    struct lt_arena_block *block =
        cap == SHARED_CAP ? lt_block_take() : malloc(sizeof(*block) + cap);
    if (!block)
        return NULL;
    block->next = arena->head;
    block->len = 0;
    block->cap = cap;
    arena->head = block;
    return block;
}

void *lt_arena_alloc(struct lt_arena *arena, size_t len) {
    const size_t align = alignof(max_align_t);

    if (len > SIZE_MAX / 2 || len > arena->max || arena->used > arena->max - len)
        return NULL;
    len = (len + align - 1) & ~(align - 1);
    struct lt_arena_block *block = arena->head;
    if (!block || block->cap - block->len < len)
        block = add_block(arena, len);
    if (!block)
        return NULL;
    void *data = block->data + block->len;
    block->len += len;
    arena->used += len;
    return data;
}

void *lt_arena_calloc(struct lt_arena *arena, size_t n, size_t size) {
    size_t len;
    if (__builtin_mul_overflow(n, size, &len))
        return NULL;
    void *data = lt_arena_alloc(arena, len);
    if (data)
        memset(data, 0, len);
    return data;
}

struct lt_slice lt_arena_dup(struct lt_arena *arena, struct lt_slice bytes) {
    char *str = lt_arena_str(arena, bytes);
    return str ? lt_slice(str, bytes.len) : lt_slice(NULL, 0);
}

char *lt_arena_str(struct lt_arena *arena, struct lt_slice bytes) {
    if (bytes.len == SIZE_MAX)
        return NULL;
    char *str = lt_arena_alloc(arena, bytes.len + 1);
    if (!str)
        return NULL;
    if (bytes.len)
        memcpy(str, bytes.data, bytes.len);
    str[bytes.len] = '\0';
    return str;
}

char *lt_arena_printf(struct lt_arena *arena, const char *fmt, ...) {
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *str = len >= 0 ? lt_arena_alloc(arena, (size_t)len + 1) : NULL;
    if (str)
        vsnprintf(str, (size_t)len + 1, fmt, again);
    va_end(again);
    return str;
}
