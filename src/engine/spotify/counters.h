/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_COUNTERS_H
#define LT_ENGINE_SPOTIFY_COUNTERS_H

#include "base/arena.h"
#include "json/json.h"

/*
 * How often each page was asked for and given whole. A page is named by its path with the
 * parameters that count, spelt one way ("/v1/albums/ID/tracks?offset=0&limit=50"), however it was
 * asked for. Of more than LT_SPOTIFY_MAX_PAGES pages only the number of answers is kept.
 */
enum { LT_SPOTIFY_MAX_PAGES = 100000 };

struct lt_spotify_page_count {
    struct lt_slice name;
    uint32_t asked;
    uint32_t given;
};

struct lt_spotify_pages {
    struct lt_arena arena;
    struct lt_spotify_page_count *counts;
    uint32_t *slots; /* open addressing: count + 1 */
    uint32_t mask;
    uint32_t n, cap;
    uint64_t n_unlisted; /* given, of pages that are not in the list */
};

void lt_spotify_pages_init(struct lt_spotify_pages *pages);
void lt_spotify_pages_deinit(struct lt_spotify_pages *pages);

/** The page's counts, made when it is new; NULL where the list is full (or there is no memory).
 * Valid until the next call. */
struct lt_spotify_page_count *lt_spotify_page_find(struct lt_spotify_pages *pages,
                                                   struct lt_slice name);

#endif
