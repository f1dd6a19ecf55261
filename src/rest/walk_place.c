/* SPDX-License-Identifier: Apache-2.0 */
/* Places that own their text, and the guard against lists that go round. */
#include "rest/walk_parts.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 32, MAX_SLOTS = 1 << 17 };

bool lt_walk_place_copy(struct lt_rest_place *to, const struct lt_rest_place *from) {
    struct lt_rest_place copy = *from;

    copy.text = (struct lt_slice){NULL, 0};
    if (from->kind == LT_REST_TOKEN || from->kind == LT_REST_URL) {
        char *text = malloc(from->text.len + 1);
        if (!text)
            return false;
        memcpy(text, from->text.data, from->text.len);
        text[from->text.len] = '\0';
        copy.text = lt_slice(text, from->text.len);
    }
    lt_walk_place_free(to);
    *to = copy;
    return true;
}

void lt_walk_place_free(struct lt_rest_place *place) {
    free((char *)place->text.data);
    *place = (struct lt_rest_place){.kind = LT_REST_FIRST};
}

bool lt_walk_place_eq(const struct lt_rest_place *a, const struct lt_rest_place *b) {
    if (a->kind != b->kind)
        return false;
    return a->kind == LT_REST_NUMBER ? a->number == b->number : lt_slice_eq(a->text, b->text);
}

static uint64_t mix(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *at, size_t n) {
    uint64_t word = 0;

    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return word;
}

/* Multiplies and folds 16 bytes at a time. It tells accidents apart, not an adversary's bytes: who
 * wants a list to look like a circle can as well send one. */
uint64_t lt_walk_hash(struct lt_slice bytes, uint64_t seed) {
    const uint64_t a = 0x9e3779b97f4a7c15, b = 0xd1b54a32d192ed03, c = 0x8cb92ba72f3d8dd7;
    const char *at = bytes.data;
    size_t left = bytes.len;
    uint64_t hash = seed ^ a;

    for (; left >= 16; left -= 16, at += 16)
        hash = mix(load(at, 8) ^ b, load(at + 8, 8) ^ hash);
    uint64_t first = load(at, left < 8 ? left : 8);
    uint64_t second = left > 8 ? load(at + 8, left - 8) : 0;
    hash = mix(first ^ b, second ^ hash);
    hash = mix(hash ^ bytes.len, c);
    return hash ? hash : 1;
}

/* The slot of a hash, or the free one where it would stand. */
static uint64_t *slot_of(const struct lt_walk_guard *guard, uint64_t hash) {
    size_t i = (size_t)hash & (guard->cap - 1);

    while (guard->slots[i] && guard->slots[i] != hash)
        i = (i + 1) & (guard->cap - 1);
    return &guard->slots[i];
}

static bool grow(struct lt_walk_guard *guard) {
    struct lt_walk_guard larger = {.cap = guard->cap ? guard->cap * 2 : FIRST_SLOTS};

    larger.slots = calloc(larger.cap, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < guard->cap; i++)
        if (guard->slots[i])
            *slot_of(&larger, guard->slots[i]) = guard->slots[i];
    free(guard->slots);
    guard->slots = larger.slots;
    guard->cap = larger.cap;
    return true;
}

bool lt_walk_guard_has(const struct lt_walk_guard *guard, struct lt_slice place) {
    return guard->cap && *slot_of(guard, lt_walk_hash(place, 0));
}

bool lt_walk_guard_add(struct lt_walk_guard *guard, struct lt_slice place) {
    if (guard->n * 2 >= MAX_SLOTS) {
        memset(guard->slots, 0, guard->cap * sizeof(*guard->slots));
        guard->n = 0;
    }
    if (guard->n * 2 >= guard->cap && !grow(guard))
        return false;
    uint64_t hash = lt_walk_hash(place, 0);
    uint64_t *slot = slot_of(guard, hash);
    guard->n += !*slot;
    *slot = hash;
    return true;
}

void lt_walk_guard_deinit(struct lt_walk_guard *guard) {
    free(guard->slots);
    *guard = (struct lt_walk_guard){0};
}
