/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: members in a row, and an index of their names when there are many. */
#include "expr/val_seq.h"

#include "base/hash.h"

#include <pthread.h>

enum {
    SCANNED = 16,     /* members that are searched one after the other */
    WALKED = 4 * 256, /* tokens of a document's object that are walked without a thought */
    LOOKS = 8,        /* walks over a larger one before it is listed */
    MIN_SLOTS = 64,
};

static struct lt_val built(struct lt_seq *seq, size_t n) {
    if (!seq)
        return lt_val_null();
    struct lt_val v = {.kind = LT_VAL_OBJECT, .form = LT_VAL_BUILT, .n = (uint32_t)n};
    v.obj = (struct lt_obj *)seq;
    return v;
}

/* --- the index of names ------------------------------------------------------------------- */

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t seeds[2];

static void make_seeds(void) {
    lt_random(seeds, sizeof(seeds));
    seeds[0] |= 1;
    seeds[1] |= 1;
}

static uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded by chance, so that no input can be made whose names all fall together. */
static uint32_t hash_name(struct lt_slice name) {
    pthread_once(&seed_once, make_seeds);
    uint64_t hash = seeds[0] ^ name.len;
    const char *at = name.data;
    size_t left = name.len;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = mix(hash ^ word, seeds[1]);
    }
    uint64_t rest = 0;
    if (left)
        memcpy(&rest, at, left);
    hash = mix(mix(hash ^ rest, seeds[1]), seeds[0]);
    return (uint32_t)(hash >> 32);
}

static bool is_named(const struct lt_val *member, struct lt_slice name) {
    return member->n == name.len && (!name.len || !memcmp(member->s, name.data, name.len));
}

/* The slot of the name, or the free one where it would go. */
static struct lt_slot *find_slot(struct lt_room *room, struct lt_slice name, uint32_t hash) {
    uint32_t mask = room->n_slots - 1;
    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        struct lt_slot *slot = &room->slots[i];
        if (!slot->place ||
            (slot->hash == hash && is_named(&room->items[2 * (size_t)(slot->place - 1)], name)))
            return slot;
    }
}

/* Slots for `n` members, at most half of them taken. */
static bool make_slots(struct lt_heap *heap, struct lt_room *room, size_t n) {
    size_t n_slots = MIN_SLOTS;
    while (n_slots < 2 * n)
        n_slots *= 2;
    if (room->slots && n_slots <= room->n_slots)
        return true;
    if (room->slots)
        n_slots *= 2;
    struct lt_slot *slots =
        n_slots <= UINT32_MAX / 2 ? lt_heap_alloc(heap, n_slots * sizeof(*slots)) : NULL;
    if (!slots) {
        heap->full = true;
        return false;
    }
    memset(slots, 0, n_slots * sizeof(*slots));
    room->slots = slots;
    room->n_slots = (uint32_t)n_slots;
    room->n_indexed = 0;
    return true;
}

static bool index_members(struct lt_heap *heap, struct lt_room *room) {
    if (room->slots && room->n_indexed == room->used)
        return true;
    if (!make_slots(heap, room, room->used))
        return false;
    for (; room->n_indexed < room->used; room->n_indexed++) {
        const struct lt_val *name = &room->items[2 * (size_t)room->n_indexed];
        struct lt_slice bytes = lt_slice(name->s, name->n);
        uint32_t hash = hash_name(bytes);
        *find_slot(room, bytes, hash) = (struct lt_slot){hash, room->n_indexed + 1};
    }
    return true;
}

void lt_obj_index(struct lt_heap *heap, struct lt_room *room) {
    if (room->used > SCANNED)
        (void)index_members(heap, room);
}

int64_t lt_obj_find(struct lt_heap *heap, struct lt_seq *seq, size_t n, struct lt_slice name) {
    const struct lt_val *items = lt_seq_items(heap, seq, 2);
    if (!items)
        return -1;
    if (n <= SCANNED) {
        for (size_t i = 0; i < n; i++)
            if (is_named(&items[2 * i], name))
                return (int64_t)i;
        return -1;
    }
    if (!index_members(heap, seq->room))
        return -1;
    const struct lt_slot *slot = find_slot(seq->room, name, hash_name(name));
    return slot->place && slot->place <= n ? (int64_t)slot->place - 1 : -1;
}

/* --- of a document -------------------------------------------------------------------------- */

static struct lt_val name_at(struct lt_heap *heap, const struct lt_doc *doc, uint32_t token) {
    return lt_val_string(lt_val_bytes(heap, lt_val_at(doc, token)));
}

/* Lists the members; of a name that comes again the last value stands at the first place. */
struct lt_val lt_obj_of_raw(struct lt_heap *heap, struct lt_val raw) {
    const struct lt_json_tape *tape = &raw.doc->tape;
    size_t n = 0;
    for (uint32_t at = lt_json_tape_first(tape, raw.n); at; at = lt_json_tape_next(tape, at + 2))
        n++;
    struct lt_seq *seq = lt_seq_new(heap, 2, n);
    if (!seq || (n > SCANNED && !make_slots(heap, seq->room, n)))
        return lt_val_null();
    struct lt_room *room = seq->room;
    for (uint32_t at = lt_json_tape_first(tape, raw.n); at; at = lt_json_tape_next(tape, at + 2)) {
        struct lt_val name = name_at(heap, raw.doc, at);
        struct lt_slice bytes = lt_slice(name.s, name.n);
        size_t place = room->used;
        if (n <= SCANNED) {
            for (place = 0; place < room->used; place++)
                if (is_named(&room->items[2 * place], bytes))
                    break;
        } else {
            uint32_t hash = hash_name(bytes);
            struct lt_slot *slot = find_slot(room, bytes, hash);
            if (slot->place)
                place = slot->place - 1;
            else
                *slot = (struct lt_slot){hash, ++room->n_indexed};
        }
        if (place == room->used)
            room->items[2 * (size_t)room->used++] = name;
        room->items[2 * place + 1] = lt_val_at(raw.doc, at + 2);
    }
    seq->len = room->used;
    return heap->full ? lt_val_null() : built(seq, room->used);
}

/* Whether a document's object is to be searched on its tape: it is small, or was not looked at
 * often. The looks are counted in its slot, as an odd number. */
static bool is_walked(struct lt_heap *heap, struct lt_val raw) {
    const struct lt_doc *doc = raw.doc;
    if (doc->listed) {
        uintptr_t listed = (uintptr_t)doc->listed[raw.n];
        if (listed && !(listed & 1))
            return false;
    }
    if (doc->tape.jump[raw.n] - raw.n < WALKED)
        return true;
    void **slot = lt_doc_listed(heap, raw);
    if (!slot)
        return true;
    uintptr_t looks = (uintptr_t)*slot / 2;
    *slot = (void *)(2 * (looks + 1) + 1);
    return looks < LOOKS;
}

/* --- members -------------------------------------------------------------------------------- */

struct lt_val lt_val_object(struct lt_heap *heap, size_t room) {
    return built(lt_seq_new(heap, 2, room), 0);
}

const struct lt_member *lt_val_members(struct lt_heap *heap, struct lt_val object, size_t *n) {
    static const struct lt_member none;
    struct lt_val v = lt_val_resolve(heap, object);
    const struct lt_val *items =
        v.kind == LT_VAL_OBJECT ? lt_seq_items(heap, &v.obj->seq, 2) : NULL;
    *n = items ? v.n : 0;
    return items ? (const struct lt_member *)items : &none;
}

size_t lt_val_object_len(struct lt_heap *heap, struct lt_val object) {
    struct lt_val v = lt_val_resolve(heap, object);
    return v.kind == LT_VAL_OBJECT ? v.n : 0;
}

bool lt_val_object_get(struct lt_heap *heap, struct lt_val object, struct lt_slice name,
                       struct lt_val *out) {
    *out = lt_val_null();
    if (object.form == LT_VAL_RAW && is_walked(heap, object)) {
        uint32_t at = lt_json_tape_get(&object.doc->tape, object.n, name);
        if (!at)
            return false;
        *out = lt_val_at(object.doc, at);
        return true;
    }
    struct lt_val v = lt_val_resolve(heap, object);
    if (v.kind != LT_VAL_OBJECT)
        return false;
    int64_t place = lt_obj_find(heap, &v.obj->seq, v.n, name);
    if (place < 0)
        return false;
    *out = v.obj->seq.items[2 * place + 1];
    return true;
}

struct lt_val lt_val_object_set(struct lt_heap *heap, struct lt_val object, struct lt_val name,
                                struct lt_val value) {
    struct lt_val v = lt_val_resolve(heap, object);
    if (v.kind != LT_VAL_OBJECT)
        return lt_val_null();
    struct lt_seq *seq = &v.obj->seq;
    struct lt_slice bytes = lt_val_bytes(heap, name);
    int64_t place = lt_obj_find(heap, seq, v.n, bytes);
    if (heap->full)
        return lt_val_null();
    if (place >= 0)
        return built(lt_seq_set(heap, seq, 2, v.n, 2 * (size_t)place + 1, value), v.n);
    struct lt_val *where = lt_seq_extend(heap, &seq, 2, v.n, 1);
    if (!where)
        return lt_val_null();
    where[0] = lt_val_string(bytes);
    where[1] = value;
    return built(seq, (size_t)v.n + 1);
}

struct lt_val lt_obj_without(struct lt_heap *heap, struct lt_val object, const bool *gone) {
    size_t n, kept = 0;
    const struct lt_member *members = lt_val_members(heap, object, &n);
    for (size_t i = 0; i < n; i++)
        kept += !gone[i];
    struct lt_seq *seq = lt_seq_new(heap, 2, kept);
    struct lt_val *to = seq && kept ? lt_seq_extend(heap, &seq, 2, 0, kept) : NULL;
    for (size_t i = 0; to && i < n; i++) {
        if (gone[i])
            continue;
        *to++ = members[i].name;
        *to++ = members[i].value;
    }
    return built(heap->full ? NULL : seq, kept);
}

struct lt_val lt_val_object_delete(struct lt_heap *heap, struct lt_val object,
                                   struct lt_slice name) {
    struct lt_val v = lt_val_resolve(heap, object);
    if (v.kind != LT_VAL_OBJECT)
        return lt_val_null();
    int64_t place = lt_obj_find(heap, &v.obj->seq, v.n, name);
    if (place < 0)
        return v;
    if (place == (int64_t)v.n - 1)
        return built(&v.obj->seq, (size_t)v.n - 1);
    bool *gone = lt_heap_alloc(heap, v.n);
    if (!gone)
        return lt_val_null();
    memset(gone, 0, v.n);
    gone[place] = true;
    return lt_obj_without(heap, v, gone);
}

/* --- by name -------------------------------------------------------------------------------- */

static int compare_names(const struct lt_member *a, const struct lt_member *b) {
    return lt_slice_cmp(lt_slice(a->name.s, a->name.n), lt_slice(b->name.s, b->name.n));
}

static void merge(struct lt_member *to, const struct lt_member *a, size_t n_a,
                  const struct lt_member *b, size_t n_b) {
    while (n_a && n_b) {
        bool first = compare_names(a, b) <= 0;
        *to++ = first ? *a++ : *b++;
        n_a -= first;
        n_b -= !first;
    }
    memcpy(to, n_a ? a : b, (n_a + n_b) * sizeof(*to));
}

const struct lt_member *lt_val_sorted_members(struct lt_heap *heap, struct lt_val object,
                                              size_t *n) {
    const struct lt_member *members = lt_val_members(heap, object, n);
    bool sorted = true;
    for (size_t i = 1; i < *n && sorted; i++)
        sorted = compare_names(&members[i - 1], &members[i]) < 0;
    if (sorted)
        return members;
    struct lt_member *from = lt_heap_alloc(heap, *n * sizeof(*from));
    struct lt_member *to = lt_heap_alloc(heap, *n * sizeof(*to));
    if (!from || !to)
        return members;
    memcpy(from, members, *n * sizeof(*from));
    for (size_t width = 1; width < *n; width *= 2) {
        for (size_t i = 0; i < *n; i += 2 * width) {
            size_t n_a = *n - i < width ? *n - i : width;
            size_t n_b = *n - i - n_a < width ? *n - i - n_a : width;
            merge(to + i, from + i, n_a, from + i + n_a, n_b);
        }
        struct lt_member *swap = from;
        from = to;
        to = swap;
    }
    return from;
}
