/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk itself, made once for each set of instructions. Who includes this has defined, beside
 * WALK (the walker's name), TARGET (the attribute of all functions here) and STEP (bytes):
 *
 * - is_gap(site, at): whether the bytes are the site's gap; is_short_gap(site, at): the same for
 *   one of at most 32 bytes;
 * - find_stop(at): the first `"`, `\`, control character or byte over 0x7f, or at + STEP;
 * - read_digits(at, &value): the number of digits at `at`, 0 to 7, and their value; 8 when there
 *   are more; count_digits(at): their number alone;
 * - is_fixed_string(), is_fixed_int(), is_fixed_number(): whether the value is what the site, one
 * of a FIXED kind, expects; they may say no to anything;
 * - low_bytes(word, n): its first n bytes in memory, zeros for the others;
 * - COUNT(site, at), NOTE(site, behind): count the site's hits, and the length of its value from
 *   `at` to `behind`, or do not.
 *
 * Bytes behind the record are zeros, which no value and no gap holds: so nothing looks for the end.
 */
#include "expr/fuse_run.h"

#define INLINE TARGET static inline __attribute__((always_inline))

INLINE uint64_t load8(const char *at) {
    uint64_t v;
    memcpy(&v, at, 8);
    return v;
}

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Any value, without hope that it is the expected one. NULL: there is none. Where the walk is in
 * the table of the element's row, w->place, goes on. Apart, so that the walk keeps its registers.
 */
TARGET static __attribute__((noinline)) const char *
read_any_apart(struct lt_fuse_walk *w, const struct lt_fuse_site *site, const char *at) {
    at = lt_fuse_read_any(w, at, site->column, site->depth);
    w->place += lt_fuse_place(w, site->column);
    return at;
}

INLINE const char *read_any(struct lt_fuse_walk *w, const struct lt_fuse_site *site, const char *at,
                            unsigned *place) {
    w->place = *place;
    at = read_any_apart(w, site, at);
    *place = w->place;
    return at;
}

/* A number that begins with a sign, or is none of few digits. */
TARGET static __attribute__((noinline)) const char *
read_other_number_apart(struct lt_fuse_walk *w, const struct lt_fuse_site *site, const char *at) {
    uint64_t value = 0;
    unsigned n = *at == '-' ? read_digits(at + 1, &value) : 0;

    if (n - 1 >= 7 || at[1] == '0')
        return read_any_apart(w, site, at);
    *site->class = LT_FUSE_INT;
    site->cell->i = *site->lanes[0] = *site->lanes[1] = -(int64_t)value;
    w->place += site->place;
    return at + 1 + n;
}

INLINE const char *read_other_number(struct lt_fuse_walk *w, const struct lt_fuse_site *site,
                                     const char *at, unsigned *place) {
    w->start = at;
    w->place = *place;
    at = read_other_number_apart(w, site, at);
    *place = w->place;
    return at;
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

/* The quote that ends the string at `at`, if a string and a plain one is there. */
INLINE const char *find_quote(const char *at) {
    const char *stop = find_stop(at + 1);
    if (UNLIKELY(*at != '"'))
        return NULL;
    if (UNLIKELY(*stop != '"'))
        return stop == at + 1 + STEP ? skip_plain(at + 1) : NULL;
    return stop;
}

/* A string of so many bytes. */
INLINE const char *take_string(const struct lt_fuse_site *site, const char *at, uint32_t len,
                               unsigned *place) {
    *site->class = LT_FUSE_STRING;
    site->cell->at = at + 1;
    site->cell->len = len;
    *place += site->place;
    return at + len + 2;
}

/* The same where it is compared with one text: without a branch on whether it is that one, for that
 * is often a matter of chance. */
INLINE const char *take_one_string(const struct lt_fuse_site *site, const char *at, uint32_t len,
                                   unsigned *place) {
    unsigned same =
        (len == site->text_len) & (low_bytes(load8(at + 1), site->text_len) == site->text);
    site->cell->at = at + 1;
    site->cell->len = len;
    *site->class = (uint8_t)(LT_FUSE_STRING + same * (LT_FUSE_N_TYPES - LT_FUSE_STRING));
    *place += site->places[same];
    return at + len + 2;
}

/* And with several. */
INLINE const char *take_exact_string(struct lt_fuse_walk *w, const struct lt_fuse_site *site,
                                     const char *at, uint32_t len, unsigned *place) {
    *site->class = LT_FUSE_STRING;
    site->cell->at = at + 1;
    site->cell->len = len;
    lt_fuse_refine(w, site->column);
    *place += lt_fuse_place(w, site->column);
    return at + len + 2;
}

/* A whole number; whether it ends there the next gap shows. */
INLINE const char *take_int(struct lt_fuse_walk *w, const struct lt_fuse_site *site, const char *at,
                            unsigned n, uint64_t value, unsigned *place) {
    w->start = at;
    *site->class = LT_FUSE_INT;
    site->cell->i = *site->lanes[0] = *site->lanes[1] = (int64_t)value;
    *place += site->place;
    return at + n;
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

TARGET static __attribute__((noinline)) void add_many(struct lt_fuse_walk *w,
                                                      const struct lt_fuse_quick *quick,
                                                      const struct lt_fuse_entry *entry) {
    for (unsigned i = 2; i < quick->n_lanes; i++)
        w->sums[quick->first_lane + i] += w->lanes[quick->first_lane + i] & entry->masks[i];
    for (unsigned i = 0; i < quick->n_inserts; i++)
        if (entry->inserts >> quick->inserts[i].aggregate & 1)
            insert_text(w, quick->inserts[i].set, quick->inserts[i].cell);
}

/* An element's columns are known: what they do. Apart, so that the walk keeps its registers; what
 * it calls it calls last, so that it needs none of its own. */
INLINE void end_row(struct lt_fuse_walk *w, const struct lt_fuse_quick *quick, unsigned place) {
    const struct lt_fuse_entry *entry = &quick->entries[place];

    if (UNLIKELY(entry->slow | w->irregular)) {
        lt_fuse_row_slow(w, quick->source);
        return;
    }
    w->seen |= entry->adds;
    /* numbers of few digits: no sum overflows before the record is longer than it may be */
    int64_t *sums = w->sums + quick->first_lane, *lanes = w->lanes + quick->first_lane;
    sums[0] += lanes[0] & entry->masks[0];
    sums[1] += lanes[1] & entry->masks[1];
    if (UNLIKELY(quick->is_many))
        add_many(w, quick, entry);
    else if (entry->inserts)
        insert_text(w, quick->inserts[0].set, quick->inserts[0].cell);
}

TARGET static __attribute__((noinline)) unsigned
follow(struct lt_fuse_walk *w, const struct lt_fuse_site *site, unsigned place) {
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

/* The site that follows, its gap stepped over. NULL: the gap is none of any. */
INLINE struct lt_fuse_site *next_site(struct lt_fuse_walk *w, struct lt_fuse_site *prev,
                                      const char **at, unsigned *place) {
    struct lt_fuse_site *site = prev->next;

    if (UNLIKELY(!is_short_gap(site, *at)) ||
        (UNLIKELY(site->is_long) && UNLIKELY(!is_gap(site, *at)))) {
        w->at = *at;
        w->place = *place;
        site = find_other(w, prev);
        *at = w->at;
        *place = w->place;
        if (UNLIKELY(!site))
            return NULL;
    }
    *at += site->len;
    if (UNLIKELY(site->flags))
        *place = follow(w, site, *place);
    return site;
}

TARGET bool WALK(struct lt_fuse_walk *w, const char *at) {
    struct lt_fuse_site *site = &w->first;
    const char *behind, *quote, *from = at;
    unsigned class, n, place = 0;
    uint64_t value;

match:
    site = next_site(w, site, &at, &place);
    if (UNLIKELY(!site))
        return false;
    COUNT(site, at);
    switch ((enum lt_fuse_site_kind)site->kind) {
    case LT_FUSE_SITE_FIXED_STRING:
        if (LIKELY(is_fixed_string(site, at))) {
            at = take_string(site, at, site->fixed, &place);
            goto match;
        } /* fall through */
    case LT_FUSE_SITE_STRING:
        if (UNLIKELY(!(quote = find_quote(at))))
            goto any;
        at = take_string(site, at, (uint32_t)(quote - at - 1), &place);
        break;
    case LT_FUSE_SITE_ONE_STRING:
        if (UNLIKELY(!(quote = find_quote(at))))
            goto any;
        at = take_one_string(site, at, (uint32_t)(quote - at - 1), &place);
        goto match;
    case LT_FUSE_SITE_EXACT_STRING:
        if (UNLIKELY(!(quote = find_quote(at))))
            goto any;
        at = take_exact_string(w, site, at, (uint32_t)(quote - at - 1), &place);
        goto match;
    case LT_FUSE_SITE_FIXED_SKIP_STRING:
        if (LIKELY(is_fixed_string(site, at))) {
            at += site->fixed + 2;
            goto match;
        } /* fall through */
    case LT_FUSE_SITE_SKIP_STRING:
        if (UNLIKELY(!(quote = find_quote(at))))
            goto skip_any;
        at = quote + 1;
        break;
    case LT_FUSE_SITE_FIXED_INT:
        if (LIKELY(is_fixed_int(site, at, &value))) {
            at = take_int(w, site, at, site->fixed, value, &place);
            goto match;
        } /* fall through */
    case LT_FUSE_SITE_INT:
        n = read_digits(at, &value);
        if (UNLIKELY(n - 1 >= 7 || (*at == '0' && n > 1)))
            at = read_other_number(w, site, at, &place);
        else
            at = take_int(w, site, at, n, value, &place);
        break;
    case LT_FUSE_SITE_FIXED_SKIP_NUMBER:
        if (LIKELY(is_fixed_number(site, at))) {
            w->start = at;
            at += site->fixed;
            goto match;
        } /* fall through */
    case LT_FUSE_SITE_SKIP_NUMBER:
        at = skip_number(w, site, at);
        break;
    case LT_FUSE_SITE_WORD:
        if (UNLIKELY(!(behind = read_bool(at, &class))))
            goto any;
        at = behind;
        *site->class = (uint8_t) class;
        place += site->places[class];
        goto match;
    case LT_FUSE_SITE_SKIP_WORD:
        if (UNLIKELY(!(behind = read_bool(at, &class))))
            goto skip_any;
        at = behind;
        goto match;
    case LT_FUSE_SITE_ANY:
    any:
        at = read_any(w, site, at, &place);
        break;
    case LT_FUSE_SITE_SKIP_ANY:
    skip_any:
        at = lt_fuse_skip_any(w, at, site->depth);
        break;
    case LT_FUSE_SITE_NONE:
        goto match;
    case LT_FUSE_SITE_END:
        w->tail = at - site->tail;
        w->is_empty = site->is_empty;
        return at == w->end && !w->deopt;
    case LT_FUSE_SITE_LOST:
        return false;
    default:
        __builtin_unreachable();
    }
    if (UNLIKELY(!at))
        return false;
    NOTE(site, at);
    goto match;
}
