/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk itself, made once for each set of instructions: who includes this has defined
 *   WALK          the walker's name
 *   TARGET        the attribute of all functions here
 *   is_gap(site, at)                    whether the bytes are the site's gap
 *   is_short_gap(site, at)              the same, for one of at most 32 bytes
 *   low_bytes(word, n)                  its first n bytes in memory, zeros for the others
 *   COUNT(site)                       counts the site's hits, or does not
 *   find_stop(at)                       the first `"`, `\\`, control character or byte over 0x7f,
 * or at + STEP read_digits(at, &value)             the number of digits at `at`, 0 to 7, and their
 * value; 8 when there are more count_digits(at)                    their number alone Bytes behind
 * the record are zeros, which no value and no gap holds: so nothing looks for the end.
 */
#include "expr/fuse_run.h"

#define INLINE TARGET static inline __attribute__((always_inline))

INLINE uint64_t load8(const char *at) {
    uint64_t v;
    memcpy(&v, at, 8);
    return v;
}

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Any value, without hope that it is the expected one. NULL: there is none. `*place` is where the
 * walk is in the table of the element's row. */
INLINE const char *read_any(struct lt_fuse_walk *w, const struct lt_fuse_site *site, const char *at,
                            unsigned *place) {
    at = lt_fuse_read_any(w, at, site->column, site->depth);
    *place += lt_fuse_place(w, site->column);
    return at;
}

TARGET static __attribute__((noinline)) const char *read_negative(struct lt_fuse_walk *w,
                                                                  const struct lt_fuse_site *site,
                                                                  const char *at, unsigned *place) {
    uint64_t value = 0;
    unsigned n = read_digits(at + 1, &value);

    w->start = at;
    if (n - 1 >= 7 || at[1] == '0')
        return read_any(w, site, at, place);
    *site->class = LT_FUSE_INT;
    site->cell->i = *site->lanes[0] = *site->lanes[1] = -(int64_t)value;
    *place += site->place;
    return at + 1 + n;
}

/* A whole number of few digits. Whether it ends there the next gap shows. */
INLINE const char *read_int(struct lt_fuse_walk *w, const struct lt_fuse_site *site, const char *at,
                            unsigned *place) {
    uint64_t value = 0;
    unsigned n = read_digits(at, &value);

    w->start = at;
    if (UNLIKELY(n - 1 >= 7))
        return *at == '-' ? read_negative(w, site, at, place) : read_any(w, site, at, place);
    if (UNLIKELY(*at == '0' && n > 1))
        return NULL;
    *site->class = LT_FUSE_INT;
    site->cell->i = (int64_t)value;
    *site->lanes[0] = (int64_t)value;
    *site->lanes[1] = (int64_t)value;
    *place += site->place;
    return at + n;
}

/* Digits with or without a fraction. */
INLINE const char *skip_number(struct lt_fuse_walk *w, const struct lt_fuse_site *site,
                               const char *at) {
    unsigned n = count_digits(at), m = 0;

    w->start = at;
    if (at[n] == '.') {
        m = count_digits(at + n + 1);
        if (UNLIKELY(m - 1 >= 7))
            n = 0;
        m++;
    }
    if (UNLIKELY(n - 1 >= 7 || (*at == '0' && n > 1)))
        return lt_fuse_skip_any(w, at, site->depth);
    return at + n + m;
}

/* Behind a string that is longer than one step; NULL when it needs a closer look. */
TARGET static __attribute__((noinline)) const char *skip_plain(const char *at) {
    do
        at += STEP;
    while (find_stop(at) == at + STEP && at[STEP] != '"');
    at = find_stop(at);
    return *at == '"' ? at : NULL;
}

INLINE const char *find_quote(const char *at) {
    const char *stop = find_stop(at);
    if (UNLIKELY(*stop != '"'))
        return stop == at + STEP ? skip_plain(at) : NULL;
    return stop;
}

INLINE const char *read_string(struct lt_fuse_walk *w, const struct lt_fuse_site *site,
                               const char *at, unsigned *place) {
    const char *quote;

    if (UNLIKELY(*at != '"' || !(quote = find_quote(at + 1))))
        return read_any(w, site, at, place);
    *site->class = LT_FUSE_STRING;
    site->cell->at = at + 1;
    site->cell->len = (uint32_t)(quote - (at + 1));
    *place += site->place;
    return quote + 1;
}

/* The same for a column that is compared with constants. */
INLINE const char *read_exact_string(struct lt_fuse_walk *w, const struct lt_fuse_site *site,
                                     const char *at, unsigned *place) {
    const char *quote;

    if (UNLIKELY(*at != '"' || !(quote = find_quote(at + 1))))
        return read_any(w, site, at, place);
    *site->class = LT_FUSE_STRING;
    site->cell->at = at + 1;
    site->cell->len = (uint32_t)(quote - (at + 1));
    lt_fuse_refine(w, site->column);
    *place += lt_fuse_place(w, site->column);
    return quote + 1;
}

INLINE const char *skip_string(struct lt_fuse_walk *w, const struct lt_fuse_site *site,
                               const char *at) {
    const char *quote;

    if (UNLIKELY(*at != '"' || !(quote = find_quote(at + 1))))
        return lt_fuse_skip_any(w, at, site->depth);
    return quote + 1;
}

/* True or false: without a branch on which it is, for that is often a matter of chance. NULL:
 * neither. */
INLINE const char *read_bool(const char *at, unsigned *class) {
    uint64_t word = load8(at);
    bool is_true = (uint32_t)word == 0x65757274;
    bool is_false = word << 24 == 0x65736c6166ULL << 24;
    *class = 1U + is_true;
    return UNLIKELY(!(is_true | is_false)) ? NULL : at + 4 + is_false;
}

/* A text of at most 16 bytes is its own key: no text holds a zero, so zeros can fill it up. */
INLINE void insert_text(struct lt_fuse_walk *w, struct lt_fuse_set *set,
                        const struct lt_fuse_cell *cell) {
    struct lt_fuse_key key = {low_bytes(load8(cell->at), cell->len), 0};

    if (UNLIKELY(cell->len > 8)) {
        if (cell->len > 16) {
            lt_fuse_insert(w, set, LT_FUSE_STRING, cell);
            return;
        }
        key.high = low_bytes(load8(cell->at + 8), cell->len - 8);
    }
    for (uint32_t place = lt_fuse_hash(key) & set->mask;; place = (place + 1) & set->mask) {
        uint32_t slot = set->slots[place], n = set->n;
        if (slot >> LT_FUSE_KEY_BITS != set->stamp) {
            set->keys[n] = key;
            set->slots[place] = set->stamp << LT_FUSE_KEY_BITS | n;
            set->n = n + 1;
            if (UNLIKELY(n >= set->room))
                lt_fuse_grow(w, set);
            return;
        }
        const struct lt_fuse_key *old = &set->keys[slot & (LT_FUSE_MAX_DIFFERENT - 1)];
        if (old->low == key.low && old->high == key.high)
            return;
    }
}

/* An element's columns are known: what they do. Apart, so that the walk keeps its registers. */
TARGET static __attribute__((noinline)) void
end_row(struct lt_fuse_walk *w, const struct lt_fuse_quick *quick, unsigned place) {
    const struct lt_fuse_entry *entry = &quick->entries[place];
    unsigned inserts = entry->inserts;

    if (UNLIKELY(entry->slow | w->irregular)) {
        lt_fuse_row_slow(w, quick->source);
        return;
    }
    w->seen |= entry->adds;
    /* numbers of few digits: no sum overflows before the record is longer than it may be */
    int64_t *sums = w->sums + quick->first_lane, *lanes = w->lanes + quick->first_lane;
    sums[0] += lanes[0] & entry->masks[0];
    sums[1] += lanes[1] & entry->masks[1];
    for (unsigned i = 2; UNLIKELY(i < quick->n_lanes); i++)
        sums[i] += lanes[i] & entry->masks[i];
    if (quick->n_inserts && inserts >> quick->inserts[0].aggregate & 1)
        insert_text(w, quick->inserts[0].set, quick->inserts[0].cell);
    for (unsigned i = 1; UNLIKELY(i < quick->n_inserts); i++)
        if (inserts >> quick->inserts[i].aggregate & 1)
            insert_text(w, quick->inserts[i].set, quick->inserts[i].cell);
}

INLINE unsigned follow(struct lt_fuse_walk *w, const struct lt_fuse_site *site, unsigned place) {
    unsigned flags = site->flags;

    if (flags & LT_FUSE_ENDS)
        end_row(w, site->quick, place);
    if (flags & LT_FUSE_BEGINS) {
        memset(&w->class[lt_fuse_element_column(site->begins - 1U, 0)], LT_FUSE_NULL,
               LT_FUSE_ELEMENT_COLUMNS);
        place = 0;
    }
    if (flags & LT_FUSE_MARKS)
        for (unsigned i = 0; i < site->n_marks; i++) {
            w->class[site->marks[i][0]] = site->marks[i][1];
            place += site->marks_place[i];
        }
    return place;
}

/* The first site that followed the last value does not have this gap: another, or a new one. The
 * last value, if a number, stands at w->start; its end and the row's place are the caller's, in w.
 */
TARGET static __attribute__((noinline)) struct lt_fuse_site *find_other(struct lt_fuse_walk *w,
                                                                        struct lt_fuse_site *prev) {
    struct lt_fuse_site *site;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (site = prev->next; site; site = site->other)
            if (is_gap(site, w->at))
                return site;
        if (*w->at != '.' && (*w->at | 0x20) != 'e')
            break;
        w->at = lt_fuse_reread(w, prev);
        if (!w->at)
            return NULL;
    }
    return lt_fuse_learn(w, prev, w->at);
}

TARGET bool WALK(struct lt_fuse_walk *w, const char *at) {
    static const void *const kinds[] = {&&string,      &&exact_string, &&skip_string, &&number,
                                        &&skip_number, &&word,         &&skip_word,   &&any,
                                        &&skip_any,    &&match,        &&end,         &&lost};
    struct lt_fuse_site *prev, *site = &w->first;
    const char *behind;
    unsigned class, place = 0;

match:
    prev = site;
    site = site->next;
    if (UNLIKELY(!is_short_gap(site, at)) ||
        (site->flags & LT_FUSE_LONG && UNLIKELY(!is_gap(site, at)))) {
        w->at = at;
        w->place = place;
        site = find_other(w, prev);
        at = w->at;
        place = w->place;
        if (UNLIKELY(!site))
            return false;
    }
    COUNT(site);
    at += site->len;
    if (site->flags)
        place = follow(w, site, place);
    goto *kinds[site->kind];
string:
    at = read_string(w, site, at, &place);
    goto check;
exact_string:
    at = read_exact_string(w, site, at, &place);
    goto check;
skip_string:
    at = skip_string(w, site, at);
    goto check;
number:
    at = read_int(w, site, at, &place);
    goto check;
skip_number:
    at = skip_number(w, site, at);
    goto check;
word:
    behind = read_bool(at, &class);
    if (UNLIKELY(!behind))
        goto any;
    at = behind;
    *site->class = (uint8_t) class;
    place += site->places[class];
    goto match;
skip_word:
    behind = read_bool(at, &class);
    if (UNLIKELY(!behind))
        goto skip_any;
    at = behind;
    goto match;
any:
    at = read_any(w, site, at, &place);
    goto check;
skip_any:
    at = lt_fuse_skip_any(w, at, site->depth);
check:
    if (UNLIKELY(!at))
    lost:
        return false;
    goto match;
end:
    w->tail = at - site->tail;
    w->is_empty = site->is_empty;
    return at == w->end && !w->deopt;
}
