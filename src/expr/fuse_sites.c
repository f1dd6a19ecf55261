/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a site is made: the gap is read byte by byte, as the grammar has it, from behind one value to
 * the next. What a site says holds for all records, since it is reached only from the site before
 * it, and so in the same containers behind the same names. Sites are a tree, but that behind the
 * first value of an element comes what came there in an earlier element.
 */
#include "expr/fuse_run.h"

#include "json/scan.h"

struct gap {
    struct lt_fuse_walk *w;
    struct lt_fuse_site *prev;
    struct lt_fuse_site *site; /* in the making */
    const struct lt_fuse_level *level;
    const char *at;
    const char *tail; /* behind the record's last value */
    bool peeks;       /* the site is for values with this first byte alone */
};

enum next { FAIL, AFTER_VALUE, NAME, ELEMENT, VALUE, READY };

static void skip_space(struct gap *g) {
    g->at = lt_json_skip_space(g->at, g->w->end);
}

static const struct lt_fuse_level *find_level(struct gap *g, const struct lt_fuse_want *want,
                                              bool is_array) {
    struct lt_fuse_walk *w = g->w;

    for (unsigned i = 0; i < w->n_levels; i++)
        if (w->levels[i].up == g->level && w->levels[i].want == want &&
            w->levels[i].is_array == is_array)
            return &w->levels[i];
    if (w->n_levels == LT_FUSE_MAX_LEVELS)
        return NULL;
    struct lt_fuse_level *level = &w->levels[w->n_levels++];
    *level = (struct lt_fuse_level){g->level, want, is_array,
                                    (uint8_t)(g->level ? g->level->depth + 1 : 1)};
    return level;
}

static bool mark(struct gap *g, int column, enum lt_fuse_class class) {
    if (column < 0 || !(g->w->plan->used >> column & 1))
        return true;
    if (g->site->n_marks == LT_FUSE_MAX_MARKS)
        return false;
    uint8_t *m = g->site->marks[g->site->n_marks++];
    m[0] = (uint8_t)column;
    m[1] = (uint8_t) class;
    return true;
}

static bool has_want(const struct lt_fuse_site *site, const struct lt_fuse_want *want) {
    for (unsigned i = 0; i < site->n_wants; i++)
        if (site->wants[i] == want)
            return true;
    return false;
}

/* Whether the member was already met in this object: the last one counts then, which is left to the
 * evaluator. */
static bool is_repeated(const struct gap *g, const struct lt_fuse_want *want) {
    if (has_want(g->site, want))
        return true;
    if (want->owner >= 0 && g->site->begins == want->owner + 1)
        return false;
    for (const struct lt_fuse_site *s = g->prev; s; s = s->prev) {
        if (has_want(s, want))
            return true;
        if (want->owner >= 0 && s->begins == want->owner + 1)
            return false;
    }
    return false;
}

static enum next read_name(struct gap *g) {
    bool escapes;

    skip_space(g);
    const char *start = g->at;
    if (*start != '"')
        return FAIL;
    const char *behind = lt_fuse_skip_string(g->w, start, &escapes);
    if (!behind || escapes)
        return FAIL;
    struct lt_slice name = lt_slice(start + 1, (size_t)(behind - start) - 2);
    g->at = behind;
    skip_space(g);
    if (*g->at != ':')
        return FAIL;
    g->at++;
    g->site->want = NULL;
    for (const struct lt_fuse_want *m = g->level->want->members; m; m = m->next) {
        if (!lt_slice_eq(m->name, name))
            continue;
        if (is_repeated(g, m) || g->site->n_wants == LT_FUSE_MAX_MARKS ||
            (m->replaced && !mark(g, LT_FUSE_REPLACED, LT_FUSE_TRUE)))
            return FAIL;
        g->site->want = m;
        g->site->wants[g->site->n_wants++] = m;
        break;
    }
    return VALUE;
}

static enum next begin_element(struct gap *g) {
    const struct lt_fuse_want *array = g->level->want;

    if (g->site->begins)
        return FAIL;
    g->site->begins = (uint8_t)(array->source + 1);
    g->site->want = array->element;
    return VALUE;
}

/* Behind an opening bracket: it closes at once, or something comes. */
static enum next open_container(struct gap *g, bool is_array) {
    const struct lt_fuse_want *want = g->site->want;
    const struct lt_fuse_level *up = g->level;

    if (!mark(g, want->column, is_array ? LT_FUSE_ARRAY : LT_FUSE_OBJECT))
        return FAIL;
    g->level = find_level(g, want, is_array);
    if (!g->level)
        return FAIL;
    g->at++;
    skip_space(g);
    if (*g->at != (is_array ? ']' : '}'))
        return is_array ? ELEMENT : NAME;
    if (!up) {
        g->tail = g->at;
        g->site->is_empty = true;
    }
    g->at++;
    g->level = up;
    return AFTER_VALUE;
}

static enum lt_fuse_site_kind kind_of(char first, bool matters) {
    switch (first) {
    case '"':
        return matters ? LT_FUSE_SITE_STRING : LT_FUSE_SITE_SKIP_STRING;
    case 't':
    case 'f':
    case 'n':
        return matters ? LT_FUSE_SITE_WORD : LT_FUSE_SITE_SKIP_WORD;
    case '{':
    case '[':
        return matters ? LT_FUSE_SITE_ANY : LT_FUSE_SITE_SKIP_ANY;
    default:
        return matters ? LT_FUSE_SITE_INT : LT_FUSE_SITE_SKIP_NUMBER;
    }
}

static enum next begin_value(struct gap *g) {
    const struct lt_fuse_want *want = g->site->want;

    skip_space(g);
    char first = *g->at;
    if (first == '{' && want && (want->members || want->guarded))
        return open_container(g, false);
    if (first == '[' && want && want->source >= 0)
        return open_container(g, true);
    if (!g->level)
        return FAIL; /* no object: the evaluator says what it is */
    if (want && want->guarded) {
        if (g->w->end - g->at < 4 || memcmp(g->at, "null", 4) != 0)
            return FAIL;
        g->at += 4;
        return mark(g, want->column, LT_FUSE_NULL) ? AFTER_VALUE : FAIL;
    }
    bool matters = want && want->column >= 0;
    g->site->kind = (uint8_t)kind_of(first, matters);
    if (matters)
        g->site->column = (uint8_t)want->column;
    g->peeks = want && (want->source >= 0 || want->guarded);
    return READY;
}

static enum next end_value(struct gap *g) {
    const struct lt_fuse_level *level = g->level;

    if (level && level->is_array) {
        if (g->site->begins) { /* null, or an object without members: a site of its own */
            g->site->kind = LT_FUSE_SITE_NONE;
            return READY;
        }
        g->site->ends = (uint8_t)(level->want->source + 1);
    }
    const char *behind = g->at;
    skip_space(g);
    if (!level) {
        g->site->kind = LT_FUSE_SITE_END;
        return g->at == g->w->end ? READY : FAIL;
    }
    if (*g->at == ',') {
        g->at++;
        return level->is_array ? ELEMENT : NAME;
    }
    if (*g->at != (level->is_array ? ']' : '}'))
        return FAIL;
    if (!level->up)
        g->tail = behind;
    g->at++;
    g->level = level->up;
    return AFTER_VALUE;
}

static bool read_gap(struct gap *g, enum next next) {
    for (;;) {
        switch (next) {
        case FAIL:
            return false;
        case AFTER_VALUE:
            next = end_value(g);
            break;
        case NAME:
            next = read_name(g);
            break;
        case ELEMENT:
            next = begin_element(g);
            break;
        case VALUE:
            next = begin_value(g);
            break;
        case READY:
            return true;
        }
    }
}

/* Whether behind both the same can come: what matters of the element so far is the same. */
static bool is_same_place(const struct lt_fuse_site *a, const struct lt_fuse_site *b) {
    int owner = a->begins - 1;
    unsigned i = 0, j = 0;

    if (a->begins != b->begins || a->level != b->level || a->want != b->want)
        return false;
    for (;; i++, j++) {
        while (i < a->n_wants && a->wants[i]->owner != owner)
            i++;
        while (j < b->n_wants && b->wants[j]->owner != owner)
            j++;
        if (i == a->n_wants || j == b->n_wants)
            return i == a->n_wants && j == b->n_wants;
        if (a->wants[i] != b->wants[j])
            return false;
    }
}

/* In an element: goes on as an earlier element that begins in the same way. */
static void join_earlier(struct lt_fuse_site *site) {
    if (!site->begins)
        return;
    for (struct lt_fuse_site *s = site->prev; s; s = s->prev) {
        if (s->begins == site->begins && is_same_place(s, site)) {
            site->next = s->next;
            return;
        }
    }
}

static void link_site(struct lt_fuse_walk *w, struct lt_fuse_site *prev,
                      struct lt_fuse_site *site) {
    struct lt_fuse_site *last = prev->next;

    site->prev = prev;
    if (last == &w->lost) {
        prev->next = site;
        return;
    }
    while (last->other)
        last = last->other;
    last->other = site;
}

struct lt_fuse_site *lt_fuse_learn(struct lt_fuse_walk *w, struct lt_fuse_site *prev,
                                   const char *at) {
    w->n_unknown++;
    if (w->n_sites == LT_FUSE_MAX_SITES)
        return NULL;
    struct lt_fuse_site *site = &w->sites[w->n_sites];
    struct gap g = {.w = w, .prev = prev, .site = site, .level = prev->level, .at = at};

    memset(site, 0, sizeof(*site));
    site->want = &w->plan->root;
    if (!read_gap(&g, prev == &w->first ? VALUE : AFTER_VALUE))
        return NULL;
    size_t len = (size_t)(g.at - at), n = len + g.peeks;
    if (n > LT_FUSE_MAX_GAP || g.at > w->end)
        return NULL;
    memcpy(site->gap, at, n);
    site->mask = n == 64 ? ~0ULL : (1ULL << n) - 1;
    site->n_compared = (uint8_t)n;
    site->len = (uint8_t)len;
    if (site->kind == LT_FUSE_SITE_END) {
        if (g.tail < at)
            return NULL;
        site->tail = (uint8_t)(g.at - g.tail);
    }
    site->level = g.level;
    site->depth = g.level ? g.level->depth : 0;
    site->next = &w->lost;
    lt_fuse_place_site(w, site);
    w->n_sites++;
    link_site(w, prev, site);
    join_earlier(site);
    return site;
}

void lt_fuse_init_sites(struct lt_fuse_walk *w) {
    memset(&w->first, 0, sizeof(w->first));
    memset(&w->lost, 0, sizeof(w->lost));
    w->lost.mask = ~0ULL;
    w->lost.kind = LT_FUSE_SITE_LOST;
    w->first.next = &w->lost;
    w->n_sites = 0;
    w->n_levels = 0;
    w->n_unknown = 0;
}

/* A stable sort of each list by hits. A list that joined another begins at the same site. */
static struct lt_fuse_site *sort(struct lt_fuse_site *list) {
    struct lt_fuse_site *sorted = NULL;

    while (list) {
        struct lt_fuse_site *site = list, **to = &sorted;
        list = list->other;
        while (*to && (*to)->hits >= site->hits)
            to = &(*to)->other;
        site->other = *to;
        *to = site;
    }
    return sorted;
}

static enum lt_fuse_site_kind plain_kind(enum lt_fuse_site_kind kind) {
    switch (kind) {
    case LT_FUSE_SITE_FIXED_STRING:
        return LT_FUSE_SITE_STRING;
    case LT_FUSE_SITE_FIXED_SKIP_STRING:
        return LT_FUSE_SITE_SKIP_STRING;
    case LT_FUSE_SITE_FIXED_INT:
        return LT_FUSE_SITE_INT;
    case LT_FUSE_SITE_FIXED_SKIP_NUMBER:
        return LT_FUSE_SITE_SKIP_NUMBER;
    default:
        return kind;
    }
}

void lt_fuse_note(struct lt_fuse_site *site, const char *at, const char *behind) {
    uint32_t len = (uint32_t)(behind - at);
    uint8_t point = 0;

    while (len <= LT_FUSE_FIXED_NUMBER && point < len && at[point] != '.')
        point++;
    site->n_same += len == site->last_len && (*at == '"' || point == site->last_point);
    site->last_len = len;
    site->last_point = point;
}

/* A value of another length costs some twenty cycles, one that is foreseen saves ten. */
static void foresee(struct lt_fuse_site *site) {
    enum lt_fuse_site_kind kind = plain_kind((enum lt_fuse_site_kind)site->kind);
    uint32_t len = site->last_len;

    site->kind = (uint8_t)kind;
    if (site->hits < 8 || site->n_same < site->hits - site->hits / 8 - 1)
        return;
    switch (kind) {
    case LT_FUSE_SITE_STRING:
    case LT_FUSE_SITE_SKIP_STRING:
        len -= 2;
        if (len > LT_FUSE_FIXED_STRING)
            return;
        kind = kind == LT_FUSE_SITE_STRING ? LT_FUSE_SITE_FIXED_STRING
                                           : LT_FUSE_SITE_FIXED_SKIP_STRING;
        break;
    case LT_FUSE_SITE_INT:
        if (len > LT_FUSE_FIXED_INT)
            return;
        kind = LT_FUSE_SITE_FIXED_INT;
        break;
    case LT_FUSE_SITE_SKIP_NUMBER:
        if (len > LT_FUSE_FIXED_NUMBER)
            return;
        kind = LT_FUSE_SITE_FIXED_SKIP_NUMBER;
        break;
    default:
        return;
    }
    site->kind = (uint8_t)kind;
    site->fixed = (uint8_t)len;
    site->point = site->last_point;
    site->stops = (uint32_t)((2ULL << len) - 1);
    site->digits = ((1U << len) - 1) & ~(1U << site->point);
}

static void sort_sites(struct lt_fuse_walk *w) {
    for (unsigned i = 0; i <= w->n_sites; i++) {
        struct lt_fuse_site *owner = i ? &w->sites[i - 1] : &w->first;
        struct lt_fuse_site *before = owner->next, *after;
        if (before == &w->lost)
            continue;
        after = sort(before);
        for (unsigned j = 0; after != before && j < w->n_sites; j++)
            if (w->sites[j].next == before)
                w->sites[j].next = after;
        owner->next = after;
    }
}

void lt_fuse_settle_sites(struct lt_fuse_walk *w) {
    sort_sites(w);
    for (unsigned i = 0; i < w->n_sites; i++) {
        foresee(&w->sites[i]);
        w->sites[i].hits = w->sites[i].n_same = 0;
    }
}
