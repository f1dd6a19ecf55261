/* SPDX-License-Identifier: Apache-2.0 */
/* A table of pages by name; names lie in an arena, all is let go at once by a reset. */
#include "engine/spotify/counters.h"

#include "engine/spotify/hash.h"

#include <stdlib.h>

enum { MAX_NAMES_BYTES = 64 << 20 };

void lt_spotify_pages_init(struct lt_spotify_pages *pages) {
    *pages = (struct lt_spotify_pages){0};
    lt_arena_init(&pages->arena, MAX_NAMES_BYTES);
}

void lt_spotify_pages_deinit(struct lt_spotify_pages *pages) {
    free(pages->counts);
    free(pages->slots);
    lt_arena_deinit(&pages->arena);
    lt_spotify_pages_init(pages);
}

static void put(struct lt_spotify_pages *pages, uint32_t count) {
    struct lt_slice name = pages->counts[count].name;
    uint32_t at = (uint32_t)lt_spotify_hash(0, name.data, name.len) & pages->mask;

    while (pages->slots[at])
        at = (at + 1) & pages->mask;
    pages->slots[at] = count + 1;
}

static bool grow(struct lt_spotify_pages *pages) {
    uint32_t cap = pages->cap ? pages->cap * 2 : 256;
    struct lt_spotify_page_count *counts;
    uint32_t *slots;

    if (pages->n < pages->cap)
        return true;
    counts = reallocarray(pages->counts, cap, sizeof(*counts));
    if (!counts)
        return false;
    pages->counts = counts;
    slots = calloc((size_t)cap * 2, sizeof(*slots));
    if (!slots)
        return false;
    free(pages->slots);
    pages->slots = slots;
    pages->mask = cap * 2 - 1;
    pages->cap = cap;
    for (uint32_t i = 0; i < pages->n; i++)
        put(pages, i);
    return true;
}

struct lt_spotify_page_count *lt_spotify_page_find(struct lt_spotify_pages *pages,
                                                   struct lt_slice name) {
    uint32_t at = (uint32_t)lt_spotify_hash(0, name.data, name.len) & pages->mask;

    for (; pages->slots && pages->slots[at]; at = (at + 1) & pages->mask)
        if (lt_slice_eq(pages->counts[pages->slots[at] - 1].name, name))
            return &pages->counts[pages->slots[at] - 1];
    if (pages->n == LT_SPOTIFY_MAX_PAGES || !grow(pages))
        return NULL;
    struct lt_slice kept = lt_arena_dup(&pages->arena, name);
    if (!kept.data)
        return NULL;
    pages->counts[pages->n] = (struct lt_spotify_page_count){.name = kept};
    put(pages, pages->n);
    return &pages->counts[pages->n++];
}
