/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagrams of decisions, and the tables made of those that are asked for each element. Equal nodes
 * and leaves are the same, so that two expressions that say the same are one.
 */
#include "expr/fuse_sym.h"

#include <stdlib.h>

enum { MAX_BUDGET = 20000 };

uint16_t lt_sym_intern_leaf(struct lt_sym *sym, const struct lt_fuse_leaf *leaf) {
    struct lt_fuse_plan *plan = sym->plan;

    for (unsigned i = 0; i < plan->n_leaves; i++) {
        const struct lt_fuse_leaf *old = &plan->leaves[i];
        if (old->what == leaf->what && old->op == leaf->op && old->type == leaf->type &&
            old->column == leaf->column && old->a == leaf->a && old->b == leaf->b &&
            old->i == leaf->i && old->d == leaf->d && lt_slice_eq(old->text, leaf->text))
            return (uint16_t)i;
    }
    if (plan->n_leaves == LT_FUSE_MAX_LEAVES) {
        sym->full = true;
        return 0;
    }
    plan->leaves[plan->n_leaves] = *leaf;
    return (uint16_t)plan->n_leaves++;
}

static uint16_t intern_node(struct lt_sym *sym, unsigned column, const uint16_t *children,
                            unsigned n) {
    struct lt_fuse_plan *plan = sym->plan;
    struct lt_fuse_diagram *d = &plan->diagram;

    for (size_t at = 0; at < d->n_words;) {
        unsigned c = d->words[at], m = lt_fuse_n_classes(&plan->columns[c]);
        if (c == column && memcmp(&d->words[at + 1], children, n * sizeof(*children)) == 0)
            return (uint16_t)at;
        at += 1 + m;
    }
    if (d->n_words + 1 + n > LT_FUSE_MAX_WORDS) {
        sym->full = true;
        return LT_FUSE_LEAF;
    }
    size_t at = d->n_words;
    d->words[at] = (uint16_t)column;
    memcpy(&d->words[at + 1], children, n * sizeof(*children));
    d->n_words += 1 + n;
    return (uint16_t)at;
}

uint16_t lt_sym_diagram(struct lt_sym *sym, const struct lt_sym_question *question) {
    struct lt_fuse_leaf leaf = {.what = LT_FUSE_DEOPT};
    uint16_t children[LT_FUSE_MAX_CLASSES] = {0};

    if (sym->budget++ > MAX_BUDGET)
        sym->full = true;
    if (sym->full || sym->changed)
        return LT_FUSE_LEAF;
    enum lt_sym_status status = question->answer(sym, question->ctx, &leaf);
    if (sym->full || sym->changed)
        return LT_FUSE_LEAF;
    if (status != LT_SYM_NEED) {
        if (status == LT_SYM_NONE)
            leaf.what = LT_FUSE_EMPTY;
        else if (status != LT_SYM_ONE)
            leaf = (struct lt_fuse_leaf){.what = LT_FUSE_DEOPT};
        return (uint16_t)(lt_sym_intern_leaf(sym, &leaf) | LT_FUSE_LEAF);
    }
    unsigned column = sym->need, n = lt_fuse_n_classes(&sym->plan->columns[column]);
    bool same = true;
    for (unsigned class = 0; class < n; class ++) {
        sym->assumed[column] = (int16_t) class;
        children[class] = lt_sym_diagram(sym, question);
        same &= children[class] == children[0];
    }
    sym->assumed[column] = -1;
    if (sym->full || sym->changed)
        return LT_FUSE_LEAF;
    return same ? children[0] : intern_node(sym, column, children, n);
}

/* --- tables ------------------------------------------------------------------------------- */

struct tabler {
    struct lt_fuse_plan *plan;
    struct lt_fuse_source *source;
    uint8_t merged[LT_FUSE_ELEMENT_COLUMNS][LT_FUSE_MAX_CLASSES]; /* class: its like */
    uint8_t first[LT_FUSE_ELEMENT_COLUMNS][LT_FUSE_MAX_CLASSES];  /* like: a class */
    unsigned n_merged[LT_FUSE_ELEMENT_COLUMNS];
};

static void find_columns(struct tabler *t, uint16_t node, uint64_t *columns) {
    const uint16_t *words = t->plan->diagram.words;

    if (node & LT_FUSE_LEAF)
        return;
    *columns |= 1ULL << words[node];
    unsigned n = lt_fuse_n_classes(&t->plan->columns[words[node]]);
    for (unsigned i = 0; i < n; i++)
        find_columns(t, words[node + 1 + i], columns);
}

/* Whether no decision from the node on tells the classes apart. */
static bool are_alike(const struct tabler *t, uint16_t node, unsigned column, unsigned a,
                      unsigned b) {
    const uint16_t *words = t->plan->diagram.words;

    if (node & LT_FUSE_LEAF)
        return true;
    if (words[node] == column)
        return words[node + 1 + a] == words[node + 1 + b]; /* it is asked once on a way */
    unsigned n = lt_fuse_n_classes(&t->plan->columns[words[node]]);
    for (unsigned i = 0; i < n; i++)
        if (!are_alike(t, words[node + 1 + i], column, a, b))
            return false;
    return true;
}

static bool are_alike_for_all(const struct tabler *t, unsigned column, unsigned a, unsigned b) {
    for (unsigned i = 0; i < t->plan->n_aggregates; i++)
        if (t->source->aggregates >> i & 1 &&
            !are_alike(t, t->plan->aggregates[i].node, column, a, b))
            return false;
    return true;
}

static void merge_classes(struct tabler *t, unsigned k) {
    unsigned column = t->source->table.columns[k];
    unsigned n = lt_fuse_n_classes(&t->plan->columns[column]);

    t->n_merged[k] = 0;
    for (unsigned class = 0; class < n; class ++) {
        unsigned m = 0;
        while (m < t->n_merged[k] && !are_alike_for_all(t, column, t->first[k][m], class))
            m++;
        if (m == t->n_merged[k])
            t->first[k][t->n_merged[k]++] = (uint8_t) class;
        t->merged[k][class] = (uint8_t)m;
    }
}

/* A lane of the source's; NO_LANE when there is none left. */
static uint8_t take_lane(struct lt_fuse_plan *plan, struct lt_fuse_source *source) {
    if (plan->n_lanes == LT_FUSE_MAX_LANES)
        return LT_FUSE_NO_LANE;
    source->n_lanes++;
    return (uint8_t)plan->n_lanes++;
}

/* What the quick way can take of an aggregate's leaf is set in the entry; else it is slow. */
static void fill_action(const struct tabler *t, unsigned a, const uint8_t *class,
                        struct lt_fuse_entry *e) {
    struct lt_fuse_aggregate *agg = &t->plan->aggregates[a];
    uint16_t node = lt_fuse_decide(t->plan->diagram.words, agg->node, class);
    const struct lt_fuse_leaf *leaf = &t->plan->leaves[node & ~LT_FUSE_LEAF];
    uint16_t bit = (uint16_t)(1U << a);
    bool cell = leaf->what == LT_FUSE_CELL;
    bool sums = cell && agg->kind == LT_FUSE_SUM && leaf->type == LT_FUSE_INT;
    bool inserts = cell && agg->kind == LT_FUSE_DISTINCT && leaf->type == LT_FUSE_STRING;

    if (leaf->what == LT_FUSE_EMPTY)
        return;
    if ((sums || inserts) && agg->column == LT_FUSE_ONE) {
        agg->column = leaf->column;
        if (sums)
            agg->lane = take_lane(t->plan, t->source);
    }
    if (leaf->what == LT_FUSE_DEOPT) {
        e->slow |= bit;
    } else if (agg->kind == LT_FUSE_ANY || agg->kind == LT_FUSE_ALL) {
        if ((leaf->type == LT_FUSE_TRUE) == (agg->kind == LT_FUSE_ANY))
            e->adds |= bit;
    } else if (agg->lane != LT_FUSE_NO_LANE &&
               (agg->kind == LT_FUSE_COUNT || (sums && agg->column == leaf->column))) {
        e->adds |= bit;
        e->masks[agg->lane - t->source->first_lane] = -1;
    } else if (inserts && agg->column == leaf->column) {
        e->inserts |= bit;
    } else {
        e->slow |= bit;
    }
}

static void fill_entries(const struct tabler *t, size_t n_entries) {
    struct lt_fuse_table *table = &t->source->table;
    uint8_t class[LT_FUSE_MAX_COLUMNS] = {0};

    for (size_t at = 0; at < n_entries; at++) {
        size_t rest = at;
        for (unsigned k = 0; k < table->n_columns; k++) {
            class[table->columns[k]] = t->first[k][rest % t->n_merged[k]];
            rest /= t->n_merged[k];
        }
        for (unsigned a = 0; a < t->plan->n_aggregates; a++)
            if (t->source->aggregates >> a & 1)
                fill_action(t, a, class, &table->entries[at]);
    }
}

/* With too many combinations there is one entry, the slow one. */
static bool tabulate(struct lt_fuse_plan *plan, struct lt_fuse_source *source) {
    struct tabler t = {.plan = plan, .source = source};
    struct lt_fuse_table *table = &source->table;
    uint64_t columns = 0;
    size_t n_entries = 1;

    source->first_lane = (uint8_t)plan->n_lanes;
    for (unsigned a = 0; a < plan->n_aggregates; a++) {
        if (!(source->aggregates >> a & 1))
            continue;
        find_columns(&t, plan->aggregates[a].node, &columns);
        if (plan->aggregates[a].kind == LT_FUSE_COUNT)
            plan->aggregates[a].lane = take_lane(plan, source);
    }
    for (unsigned c = LT_FUSE_ROOT_COLUMNS; c < LT_FUSE_MAX_COLUMNS; c++) {
        if (!(columns >> c & 1))
            continue;
        unsigned k = table->n_columns++;
        table->columns[k] = (uint8_t)c;
        merge_classes(&t, k);
        for (unsigned class = 0; class < lt_fuse_n_classes(&plan->columns[c]); class ++)
            table->places[k][class] = (uint16_t)(t.merged[k][class] * n_entries);
        n_entries *= t.n_merged[k];
        if (n_entries > LT_FUSE_MAX_TABLE) {
            n_entries = 1;
            table->n_columns = 0;
            break;
        }
    }
    table->entries = lt_arena_calloc(plan->arena, n_entries, sizeof(*table->entries));
    if (!table->entries)
        return false;
    if (table->n_columns == 0 && columns)
        table->entries[0].slow = source->aggregates;
    else
        fill_entries(&t, n_entries);
    return true;
}

/* The columns whose classes diagrams ask for. */
static void find_used(struct lt_fuse_plan *plan) {
    const struct lt_fuse_diagram *d = &plan->diagram;

    plan->used = 1ULL << LT_FUSE_REPLACED;
    for (size_t at = 0; at < d->n_words; at += 1 + lt_fuse_n_classes(&plan->columns[d->words[at]]))
        plan->used |= 1ULL << d->words[at];
}

bool lt_fuse_tabulate(struct lt_fuse_plan *plan) {
    find_used(plan);
    for (unsigned a = 0; a < plan->n_aggregates; a++) {
        struct lt_fuse_aggregate *agg = &plan->aggregates[a];
        plan->sources[agg->source].aggregates |= (uint16_t)(1U << a);
        agg->lane = LT_FUSE_NO_LANE;
    }
    for (unsigned s = 0; s < plan->n_sources; s++)
        if (!tabulate(plan, &plan->sources[s]))
            return false;
    return true;
}
