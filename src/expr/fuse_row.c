/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregates: what an element adds to them where the quick way of the walk does not know, and what
 * they come to. Sums are exact in int64; where one would not be, the record is the evaluator's.
 * With the first number that is no int64 a sum goes on in doubles, element by element as in jq.
 */
#include "expr/fuse_run.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 256, LAST_STAMP = (1U << (32 - LT_FUSE_KEY_BITS)) - 1, MAX_PROBES = 64 };

static bool init_set(struct lt_fuse_set *set) {
    set->keys = malloc(LT_FUSE_MAX_DIFFERENT * sizeof(*set->keys));
    set->texts = malloc(LT_FUSE_MAX_DIFFERENT * sizeof(*set->texts));
    set->lens = malloc(LT_FUSE_MAX_DIFFERENT * sizeof(*set->lens));
    set->slots = calloc(FIRST_SLOTS, sizeof(*set->slots));
    set->mask = FIRST_SLOTS - 1;
    set->room = FIRST_SLOTS / 2 - 1;
    return set->keys && set->texts && set->lens && set->slots;
}

static void init_quick(struct lt_fuse_walk *w) {
    const struct lt_fuse_plan *plan = w->plan;

    for (unsigned s = 0; s < plan->n_sources; s++) {
        w->quick[s].entries = plan->sources[s].table.entries;
        w->quick[s].source = s;
        w->quick[s].first_lane = plan->sources[s].first_lane;
        w->quick[s].n_lanes = plan->sources[s].n_lanes;
    }
    for (unsigned a = 0; a < plan->n_aggregates; a++) {
        const struct lt_fuse_aggregate *agg = &plan->aggregates[a];
        struct lt_fuse_quick *quick = &w->quick[agg->source];
        if (agg->kind == LT_FUSE_COUNT && agg->lane != LT_FUSE_NO_LANE)
            w->lanes[agg->lane] = 1;
        if (agg->kind != LT_FUSE_DISTINCT)
            continue;
        quick->inserts[quick->n_inserts].cell = &w->cells[agg->column];
        quick->inserts[quick->n_inserts].set = &w->sets[a];
        quick->inserts[quick->n_inserts++].aggregate = a;
    }
    for (unsigned s = 0; s < plan->n_sources; s++)
        w->quick[s].is_many = w->quick[s].n_lanes > 2 || w->quick[s].n_inserts > 1;
}

static void init_result(struct lt_fuse_walk *w, unsigned a) {
    const struct lt_fuse_plan *plan = w->plan;
    const struct lt_fuse_aggregate *agg = &plan->aggregates[a];
    const struct lt_fuse_column *column = &plan->columns[agg->result];
    bool has_sum = agg->kind == LT_FUSE_SUM || agg->kind == LT_FUSE_COUNT;

    w->results[a] = (struct lt_fuse_result){
        .array = &w->class[plan->sources[agg->source].column],
        .sum = agg->lane != LT_FUSE_NO_LANE ? &w->sums[agg->lane] : &w->apart[a],
        .n = agg->kind == LT_FUSE_DISTINCT ? &w->sets[a].n : NULL,
        .cell = &w->cells[agg->result],
        .class = &w->class[agg->result],
        .needs = agg->kind == LT_FUSE_SUM && !agg->from_zero ? 1U << a : 0,
        .is_quick =
            (has_sum || agg->kind == LT_FUSE_DISTINCT) && !column->n_texts && !column->n_numbers,
    };
}

leat_status lt_fuse_walk_init(struct lt_fuse_walk *w, const struct lt_fuse_plan *plan,
                              struct lt_arena *arena, struct leat_error *err) {
    memset(w, 0, sizeof(*w));
    w->plan = plan;
    w->sites = lt_arena_calloc(arena, LT_FUSE_MAX_SITES, sizeof(*w->sites));
    lt_fuse_init_sites(w);
    bool ok = w->sites != NULL;
    for (unsigned a = 0; ok && a < plan->n_aggregates; a++)
        if (plan->aggregates[a].kind == LT_FUSE_DISTINCT)
            ok = init_set(&w->sets[w->distinct[w->n_sets++] = (uint8_t)a]);
    init_quick(w);
    for (unsigned a = 0; a < plan->n_aggregates; a++)
        init_result(w, a);
    return ok ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's expressions");
}

void lt_fuse_walk_deinit(struct lt_fuse_walk *w) {
    for (unsigned a = 0; a < LT_FUSE_MAX_AGGREGATES; a++) {
        free(w->sets[a].keys);
        free(w->sets[a].texts);
        free(w->sets[a].lens);
        free(w->sets[a].slots);
    }
}

static void empty_set(struct lt_fuse_set *set) {
    set->n = 0;
    if (++set->stamp > LAST_STAMP) {
        memset(set->slots, 0, (set->mask + 1) * sizeof(*set->slots));
        set->stamp = 1;
    }
}

void lt_fuse_begin(struct lt_fuse_walk *w) {
    memset(w->class, LT_FUSE_NULL, LT_FUSE_ROOT_COLUMNS);
    w->class[LT_FUSE_ONE] = LT_FUSE_INT;
    w->cells[LT_FUSE_ONE].i = 1;
    w->class[LT_FUSE_ROOT] = LT_FUSE_OBJECT;
    w->seen = 0;
    w->irregular = 0;
    w->deopt = false;
    memset(w->sums, 0, sizeof(w->sums));
    if (w->untidy) {
        memset(w->apart, 0, sizeof(w->apart));
        memset(w->shapes, LT_FUSE_EXACT, sizeof(w->shapes));
        w->untidy = false;
    }
    for (unsigned i = 0; i < w->n_sets; i++)
        empty_set(&w->sets[w->distinct[i]]);
}

static bool grow_slots(struct lt_fuse_set *set) {
    uint32_t n = (set->mask + 1) * 2;
    uint32_t *slots = calloc(n, sizeof(*slots));
    if (!slots)
        return false;
    free(set->slots);
    set->slots = slots;
    set->mask = n - 1;
    set->room = n / 2 - 1;
    set->stamp = 1;
    for (uint32_t i = 0; i < set->n; i++) {
        uint32_t place = lt_fuse_hash(set->keys[i]) & set->mask;
        while (slots[place])
            place = (place + 1) & set->mask;
        slots[place] = set->stamp << LT_FUSE_KEY_BITS | i;
    }
    return true;
}

void lt_fuse_grow(struct lt_fuse_walk *w, struct lt_fuse_set *set) {
    if (set->n == LT_FUSE_MAX_DIFFERENT) {
        w->deopt = true; /* and what follows is of no use */
        set->n = 0;
    } else if (!grow_slots(set)) {
        w->deopt = true;
        set->n = 0;
    }
}

static void keep(struct lt_fuse_walk *w, struct lt_fuse_set *set, uint32_t place,
                 struct lt_fuse_key key, const struct lt_fuse_cell *cell) {
    set->texts[set->n] = cell->at;
    set->lens[set->n] = cell->len;
    set->keys[set->n] = key;
    set->slots[place] = set->stamp << LT_FUSE_KEY_BITS | set->n;
    if (set->n++ >= set->room)
        lt_fuse_grow(w, set);
}

/* No text has these bytes, so a key made so is no text's. */
static const uint64_t long_text = ~0ULL, whole_number = ~1ULL, word = ~2ULL;

static struct lt_fuse_key key_of(unsigned class, const struct lt_fuse_cell *cell) {
    struct lt_fuse_key key = {0, 0};

    if (class == LT_FUSE_INT) {
        key = (struct lt_fuse_key){(uint64_t)cell->i, whole_number};
    } else if (class != LT_FUSE_STRING) {
        key = (struct lt_fuse_key){class, word};
    } else if (cell->len > 16) {
        uint64_t h = cell->len;
        for (uint32_t i = 0; i < cell->len; i += 8) {
            uint64_t v = 0;
            memcpy(&v, cell->at + i, cell->len - i < 8 ? cell->len - i : 8);
            h = (h ^ v) * 0xff51afd7ed558ccdULL;
            h ^= h >> 32;
        }
        key = (struct lt_fuse_key){h, long_text};
    } else {
        memcpy(&key.low, cell->at, cell->len < 8 ? cell->len : 8);
        if (cell->len > 8)
            memcpy(&key.high, cell->at + 8, cell->len - 8);
    }
    return key;
}

void lt_fuse_insert(struct lt_fuse_walk *w, struct lt_fuse_set *set, unsigned class,
                    const struct lt_fuse_cell *cell) {
    struct lt_fuse_key key = key_of(class, cell);
    uint32_t place = lt_fuse_hash(key) & set->mask;

    for (unsigned i = 0; i < MAX_PROBES; i++, place = (place + 1) & set->mask) {
        uint32_t slot = set->slots[place], k = slot & (LT_FUSE_MAX_DIFFERENT - 1);
        if (slot >> LT_FUSE_KEY_BITS != set->stamp) {
            keep(w, set, place, key, cell);
            return;
        }
        if (set->keys[k].low == key.low && set->keys[k].high == key.high &&
            (key.high != long_text ||
             (set->lens[k] == cell->len && memcmp(set->texts[k], cell->at, cell->len) == 0)))
            return;
    }
    w->deopt = true; /* made to collide */
}

/* --- numbers ------------------------------------------------------------------------------ */

static bool read_text_number(const struct lt_fuse_cell *cell, struct lt_fuse_number *out) {
    const char *at = cell->at, *end = cell->at + cell->len;
    bool negative = cell->len && *at == '-';
    int64_t value = 0;

    at += negative;
    if (at == end || end - at > 18 || (*at == '0' && (end - at > 1 || negative)))
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        value = value * 10 + (*at - '0');
    }
    *out = (struct lt_fuse_number){.is_int = true, .i = negative ? -value : value};
    return true;
}

/* Of 19 digits alone: a whole number that int64 may hold, and that a double rounds. */
static bool may_be_exact(const struct lt_fuse_cell *cell) {
    size_t sign = *cell->at == '-';
    size_t n = 0;

    while (n < cell->len - sign && cell->at[sign + n] >= '0' && cell->at[sign + n] <= '9')
        n++;
    return n == 19 && n + sign == cell->len;
}

static bool read_cell_number(const struct lt_fuse_walk *w, unsigned column,
                             struct lt_fuse_number *out) {
    const struct lt_fuse_cell *cell = &w->cells[column];
    enum lt_fuse_class type = lt_fuse_type(&w->plan->columns[column], w->class[column]);

    if (type == LT_FUSE_INT) {
        *out = (struct lt_fuse_number){.is_int = true, .i = cell->i};
        return true;
    }
    *out = (struct lt_fuse_number){.at = cell->at, .len = cell->len};
    if (type != LT_FUSE_NUMBER)
        return false;
    struct lt_json raw = {LT_JSON_NUMBER, {cell->at, cell->len}};
    if (!cell->at)
        out->d = cell->d;
    else if (may_be_exact(cell) || !lt_json_double(raw, &out->d))
        return false;
    return isfinite(out->d);
}

static bool compute_ints(enum lt_op op, int64_t a, int64_t b, struct lt_fuse_number *out) {
    out->is_int = true;
    switch (op) {
    case LT_OP_ADD:
        return !__builtin_add_overflow(a, b, &out->i);
    case LT_OP_SUB:
        return !__builtin_sub_overflow(a, b, &out->i);
    case LT_OP_MUL:
        return !__builtin_mul_overflow(a, b, &out->i);
    default:
        return false;
    }
}

static bool compute(enum lt_op op, const struct lt_fuse_number *a, const struct lt_fuse_number *b,
                    struct lt_fuse_number *out) {
    *out = (struct lt_fuse_number){0};
    if (a->is_int && b->is_int)
        return compute_ints(op, a->i, b->i, out);
    double x = a->is_int ? (double)a->i : a->d, y = b->is_int ? (double)b->i : b->d;
    switch (op) {
    case LT_OP_ADD:
        out->d = x + y;
        break;
    case LT_OP_SUB:
        out->d = x - y;
        break;
    case LT_OP_MUL:
        out->d = x * y;
        break;
    default:
        return false;
    }
    return isfinite(out->d);
}

bool lt_fuse_leaf_number(const struct lt_fuse_walk *w, const struct lt_fuse_leaf *leaf,
                         struct lt_fuse_number *out) {
    struct lt_fuse_number a, b;

    switch ((enum lt_fuse_what)leaf->what) {
    case LT_FUSE_CONST:
        *out = (struct lt_fuse_number){
            .is_int = leaf->type == LT_FUSE_INT, .i = leaf->i, .d = leaf->d};
        return leaf->type == LT_FUSE_INT || leaf->type == LT_FUSE_NUMBER;
    case LT_FUSE_CELL:
        return read_cell_number(w, leaf->column, out);
    case LT_FUSE_TONUM:
        return read_text_number(&w->cells[leaf->column], out);
    case LT_FUSE_ARITH:
        return lt_fuse_leaf_number(w, &w->plan->leaves[leaf->a], &a) &&
               lt_fuse_leaf_number(w, &w->plan->leaves[leaf->b], &b) &&
               compute((enum lt_op)leaf->op, &a, &b, out);
    default:
        return false;
    }
}

/* --- rows --------------------------------------------------------------------------------- */

static void keep_number(struct lt_fuse_walk *w, unsigned a, const struct lt_fuse_number *n) {
    w->kept_class[a] = n->is_int ? LT_FUSE_INT : LT_FUSE_NUMBER;
    w->kept[a] = (struct lt_fuse_cell){.at = n->at, .len = n->len};
    if (n->is_int)
        w->kept[a].i = n->i;
    else
        w->kept[a].d = n->d;
}

static void add_number(struct lt_fuse_walk *w, unsigned a, const struct lt_fuse_number *n) {
    bool first = !(w->seen >> a & 1) && !w->plan->aggregates[a].from_zero;
    int64_t *sum = w->results[a].sum;

    w->seen |= 1U << a;
    if (w->shapes[a] == LT_FUSE_EXACT && n->is_int) {
        w->deopt |= __builtin_add_overflow(*sum, n->i, sum);
        return;
    }
    w->irregular |= 1U << a;
    if (first) { /* null + a number is that number, with its spelling */
        w->shapes[a] = LT_FUSE_ROUNDED;
        keep_number(w, a, n);
        return;
    }
    double before = w->shapes[a] == LT_FUSE_EXACT ? (double)*sum : w->kept[a].d;
    w->shapes[a] = LT_FUSE_ROUNDED;
    w->kept_class[a] = LT_FUSE_NUMBER;
    w->kept[a] = (struct lt_fuse_cell){.d = before + (n->is_int ? (double)n->i : n->d)};
    w->deopt |= !isfinite(w->kept[a].d);
}

/* jq's order of scalars; false when it takes the evaluator to tell. */
static bool compare(unsigned class_a, const struct lt_fuse_cell *a, unsigned class_b,
                    const struct lt_fuse_cell *b, int *order) {
    if (class_a == LT_FUSE_NUMBER || class_b == LT_FUSE_NUMBER) {
        bool numbers = (class_a == LT_FUSE_NUMBER || class_a == LT_FUSE_INT) &&
                       (class_b == LT_FUSE_NUMBER || class_b == LT_FUSE_INT);
        if (numbers) {
            if (class_a != class_b)
                return false;
            *order = (a->d > b->d) - (a->d < b->d);
            return true;
        }
    }
    if (class_a != class_b)
        *order = class_a < class_b ? -1 : 1;
    else if (class_a == LT_FUSE_INT)
        *order = (a->i > b->i) - (a->i < b->i);
    else if (class_a == LT_FUSE_STRING)
        *order = lt_slice_cmp(lt_slice(a->at, a->len), lt_slice(b->at, b->len));
    else
        *order = 0;
    return true;
}

/* A scalar that a leaf gives. */
static bool read_leaf(const struct lt_fuse_walk *w, const struct lt_fuse_leaf *leaf,
                      unsigned *class, struct lt_fuse_cell *cell) {
    struct lt_fuse_number n;

    if (leaf->what == LT_FUSE_CONST && leaf->type != LT_FUSE_INT && leaf->type != LT_FUSE_NUMBER) {
        bool quoted = leaf->type == LT_FUSE_STRING;
        *class = leaf->type;
        *cell = (struct lt_fuse_cell){.at = leaf->text.data + quoted,
                                      .len = (uint32_t)leaf->text.len - 2 * quoted};
        return true;
    }
    if (leaf->what == LT_FUSE_CELL) {
        *class = lt_fuse_type(&w->plan->columns[leaf->column], w->class[leaf->column]);
        *cell = w->cells[leaf->column];
        if (*class == LT_FUSE_NULL || *class == LT_FUSE_FALSE || *class == LT_FUSE_TRUE ||
            *class == LT_FUSE_STRING)
            return true;
    }
    if (!lt_fuse_leaf_number(w, leaf, &n))
        return false;
    *class = n.is_int ? LT_FUSE_INT : LT_FUSE_NUMBER;
    *cell = (struct lt_fuse_cell){.at = n.at, .len = n.len};
    if (n.is_int)
        cell->i = n.i;
    else
        cell->d = n.d;
    return true;
}

static void take_scalar(struct lt_fuse_walk *w, unsigned a, unsigned class,
                        const struct lt_fuse_cell *cell) {
    bool first = !(w->seen >> a & 1), take = first;
    int order;

    switch ((enum lt_fuse_kind)w->plan->aggregates[a].kind) {
    case LT_FUSE_DISTINCT:
        if (class == LT_FUSE_NUMBER)
            w->deopt = true; /* 1.0 is 1 */
        else
            lt_fuse_insert(w, &w->sets[a], class, cell);
        return;
    case LT_FUSE_MIN: /* of equal ones the first, as in jq */
    case LT_FUSE_MAX: /* the last */
        if (!first && !compare(class, cell, w->kept_class[a], &w->kept[a], &order))
            w->deopt = true;
        else if (!first)
            take = (order < 0) == (w->plan->aggregates[a].kind == LT_FUSE_MIN);
        break;
    case LT_FUSE_LAST:
        take = true;
        break;
    default:
        break;
    }
    w->seen |= 1U << a;
    if (take) {
        w->kept_class[a] = (uint8_t) class;
        w->kept[a] = *cell;
    }
}

static void take_leaf(struct lt_fuse_walk *w, unsigned a) {
    const struct lt_fuse_aggregate *agg = &w->plan->aggregates[a];
    uint16_t node = lt_fuse_decide(w->plan->diagram.words, agg->node, w->class);
    const struct lt_fuse_leaf *leaf = &w->plan->leaves[node & ~LT_FUSE_LEAF];
    struct lt_fuse_number n = {.is_int = true, .i = 1};
    struct lt_fuse_cell cell;
    unsigned class;

    if (leaf->what == LT_FUSE_EMPTY)
        return;
    if (leaf->what == LT_FUSE_DEOPT) {
        w->deopt = true;
    } else if (agg->kind == LT_FUSE_ANY || agg->kind == LT_FUSE_ALL) {
        if ((leaf->type == LT_FUSE_TRUE) == (agg->kind == LT_FUSE_ANY))
            w->seen |= 1U << a;
    } else if (agg->kind == LT_FUSE_COUNT) {
        add_number(w, a, &n);
    } else if (agg->kind == LT_FUSE_SUM) {
        if (lt_fuse_leaf_number(w, leaf, &n))
            add_number(w, a, &n);
        else
            w->deopt = true;
    } else if (read_leaf(w, leaf, &class, &cell)) {
        take_scalar(w, a, class, &cell);
    } else {
        w->deopt = true;
    }
}

void lt_fuse_row_slow(struct lt_fuse_walk *w, unsigned source) {
    unsigned bits = w->plan->sources[source].aggregates;

    w->untidy = true;
    for (; bits; bits &= bits - 1)
        take_leaf(w, (unsigned)__builtin_ctz(bits));
}

static void give(struct lt_fuse_walk *w, unsigned column, unsigned class,
                 struct lt_fuse_cell cell) {
    w->class[column] = (uint8_t) class;
    w->cells[column] = cell;
    if (w->plan->columns[column].n_texts || w->plan->columns[column].n_numbers)
        lt_fuse_refine(w, column);
}

/* One that has no quick way, or whose elements had not. */
static void finish_slow(struct lt_fuse_walk *w, unsigned a) {
    const struct lt_fuse_aggregate *agg = &w->plan->aggregates[a];
    struct lt_fuse_cell cell = {.i = *w->results[a].sum};
    unsigned class = LT_FUSE_INT;
    bool seen = w->seen >> a & 1;

    switch ((enum lt_fuse_kind)agg->kind) {
    case LT_FUSE_COUNT:
        break;
    case LT_FUSE_DISTINCT:
        cell.i = w->sets[a].n;
        break;
    case LT_FUSE_ANY:
    case LT_FUSE_ALL:
        class = seen == (agg->kind == LT_FUSE_ANY) ? LT_FUSE_TRUE : LT_FUSE_FALSE;
        break;
    case LT_FUSE_SUM:
        if (!seen && !agg->from_zero)
            class = LT_FUSE_NULL;
        if (w->shapes[a] == LT_FUSE_EXACT)
            break;
        class = w->kept_class[a];
        cell = w->kept[a];
        break;
    default:
        class = seen ? w->kept_class[a] : LT_FUSE_NULL;
        cell = w->kept[a];
        break;
    }
    give(w, agg->result, class, cell);
}

void lt_fuse_finish(struct lt_fuse_walk *w) {
    for (unsigned a = 0; a < w->plan->n_aggregates; a++) {
        const struct lt_fuse_result *r = &w->results[a];
        if (*r->array != LT_FUSE_ARRAY)
            continue; /* without the array nobody asks for it */
        if (!r->is_quick || w->untidy) {
            finish_slow(w, a);
            continue;
        }
        r->cell->i = r->n ? (int64_t)*r->n : *r->sum;
        r->cell->at = NULL;
        *r->class = (w->seen & r->needs) == r->needs ? LT_FUSE_INT : LT_FUSE_NULL;
    }
}
