/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FUSE_PLAN_H
#define LT_EXPR_FUSE_PLAN_H

#include "expr/fuse.h"
#include "json/json.h"

/*
 * What the parts of the fuse share.
 *
 * A column is a value at a fixed path: of the record, of the elements of an array (a source), or
 * the result of an aggregate. Its class is its type, refined by the constants that it is compared
 * with, so that whatever an expression asks of a column follows from its class. An expression over
 * classes is a diagram of decisions (struct lt_fuse_diagram) whose leaves say what comes out.
 */

enum {
    LT_FUSE_ROOT_COLUMNS = 32,
    LT_FUSE_ELEMENT_COLUMNS = 8,
    LT_FUSE_MAX_SOURCES = 4,
    LT_FUSE_MAX_COLUMNS = LT_FUSE_ROOT_COLUMNS + LT_FUSE_MAX_SOURCES * LT_FUSE_ELEMENT_COLUMNS,
    LT_FUSE_MAX_CLASSES = 52,
    LT_FUSE_MAX_CONSTANTS = 8, /* texts, and numbers, of a column */
    LT_FUSE_MAX_AGGREGATES = 16,
    LT_FUSE_MAX_LANES = 8,        /* sums of the quick way */
    LT_FUSE_SITE_LANES = 2,       /* of one column, without going the slow way */
    LT_FUSE_QUICK_INT = 10000000, /* 2^32 elements of no more than this make no overflow */
    LT_FUSE_MAX_TABLE = 4096,     /* entries */
    LT_FUSE_MAX_SITES = 384,
    LT_FUSE_MAX_WORDS = 0x7000, /* of the diagrams */
    LT_FUSE_MAX_LEAVES = 0x1000,
    LT_FUSE_MAX_GAP = 64,
    LT_FUSE_MAX_DIFFERENT = 4096, /* values of one distinct count */
    LT_FUSE_PADDING = 96,         /* readable bytes behind a record's copy */
};

/* Fixed columns. */
enum {
    LT_FUSE_ONE,      /* the number 1: what a count adds up */
    LT_FUSE_REPLACED, /* true when the record has a member that a set replaces */
    LT_FUSE_ROOT,     /* the record, an object */
    LT_FUSE_FIRST_COLUMN,
};

enum lt_fuse_class {
    LT_FUSE_NULL, /* or missing */
    LT_FUSE_FALSE,
    LT_FUSE_TRUE,
    LT_FUSE_INT,     /* spelled without point and exponent, at most 18 digits, no -0 */
    LT_FUSE_NUMBER,  /* any other */
    LT_FUSE_STRING,  /* without escapes */
    LT_FUSE_ESCAPED, /* a string with escapes */
    LT_FUSE_ARRAY,
    LT_FUSE_OBJECT,
    LT_FUSE_N_TYPES, /* from here on: the column's texts, then intervals of INT, then of NUMBER */
};

struct lt_fuse_column {
    struct lt_slice texts[LT_FUSE_MAX_CONSTANTS];
    double numbers[LT_FUSE_MAX_CONSTANTS]; /* ascending; with n of them there are 2n + 1 intervals:
                                              below the first, equal, between, … */
    uint8_t n_texts;
    uint8_t n_numbers;
    uint8_t source; /* the array's elements are looked at: its place + 1 */
};

static inline unsigned lt_fuse_n_classes(const struct lt_fuse_column *c) {
    return LT_FUSE_N_TYPES + c->n_texts + (c->n_numbers ? 2 * (2U * c->n_numbers + 1) : 0);
}

/* The type that a class refines. */
static inline enum lt_fuse_class lt_fuse_type(const struct lt_fuse_column *c, unsigned class) {
    if (class < LT_FUSE_N_TYPES)
        return (enum lt_fuse_class) class;
    class -= LT_FUSE_N_TYPES;
    if (class < c->n_texts)
        return LT_FUSE_STRING;
    return class - c->n_texts < 2U * c->n_numbers + 1 ? LT_FUSE_INT : LT_FUSE_NUMBER;
}

/* A member whose value matters, in the tree of names. */
struct lt_fuse_want {
    struct lt_slice name;
    int column;                   /* -1: only what is inside */
    int source;                   /* -1: not an array whose elements matter */
    int owner;                    /* the source whose elements it is a part of; -1: of the record */
    bool replaced;                /* by a set */
    bool guarded;                 /* it must be an object or null: its members are asked for */
    struct lt_fuse_want *members; /* linked */
    struct lt_fuse_want *next;
    struct lt_fuse_want *element; /* of a source */
};

/* --- decisions ---------------------------------------------------------------------------- */

/* Nodes in `words`: a column, then a child by class. A child with LT_FUSE_LEAF set is a leaf. */
enum { LT_FUSE_LEAF = 0x8000 };
struct lt_fuse_diagram {
    uint16_t *words;
    size_t n_words;
};

static inline uint16_t lt_fuse_decide(const uint16_t *words, uint16_t node, const uint8_t *class) {
    while (!(node & LT_FUSE_LEAF))
        node = words[node + 1 + class[words[node]]];
    return node;
}

/* What comes out at a leaf. */
enum lt_fuse_what {
    LT_FUSE_DEOPT, /* the evaluator is asked */
    LT_FUSE_EMPTY, /* nothing */
    LT_FUSE_CONST, /* text */
    LT_FUSE_CELL,  /* the column's value */
    LT_FUSE_TONUM, /* a string column's value as a number */
    LT_FUSE_ARITH, /* a op b, of leaves */
};
struct lt_fuse_leaf {
    uint8_t what; /* enum lt_fuse_what */
    uint8_t op;   /* enum lt_op */
    uint8_t type; /* CONST, CELL: its enum lt_fuse_class below N_TYPES */
    uint8_t column;
    uint16_t a, b;
    int64_t i;            /* CONST INT */
    double d;             /* CONST INT, NUMBER */
    struct lt_slice text; /* CONST: JSON; a STRING's has no escapes */
};

/* --- aggregates --------------------------------------------------------------------------- */

enum lt_fuse_kind {
    LT_FUSE_SUM,
    LT_FUSE_COUNT,
    LT_FUSE_DISTINCT,
    LT_FUSE_MIN,
    LT_FUSE_MAX,
    LT_FUSE_FIRST,
    LT_FUSE_LAST,
    LT_FUSE_ANY,
    LT_FUSE_ALL,
};

struct lt_fuse_aggregate {
    uint8_t kind;
    uint8_t source;
    uint8_t result; /* column */
    uint8_t column; /* SUM, DISTINCT: whose cell the quick way takes */
    uint8_t lane;   /* SUM, COUNT: its own; NO_LANE: none */
    bool from_zero; /* SUM: begins with 0, not null */
    uint16_t node;  /* what comes of an element */
};

/* What an element does, by the classes of its columns. */
struct lt_fuse_entry {
    uint16_t adds;    /* aggregates that had an element */
    uint16_t inserts; /* aggregates whose column's text counts */
    uint16_t slow;    /* the quick way cannot do it: each aggregate's leaf is looked at */
    uint16_t spare;
    int8_t masks[LT_FUSE_MAX_LANES]; /* -1: the lane is added; from the source's first lane on */
};

/* Of a source: an entry for each combination of classes. */
struct lt_fuse_table {
    uint8_t n_columns;
    uint8_t columns[LT_FUSE_ELEMENT_COLUMNS];
    uint16_t places[LT_FUSE_ELEMENT_COLUMNS][LT_FUSE_MAX_CLASSES]; /* summed up: the entry */
    struct lt_fuse_entry *entries;
};

struct lt_fuse_source {
    int column; /* the array's */
    struct lt_fuse_want *element;
    unsigned n_columns; /* of elements: from ROOT_COLUMNS + source * ELEMENT_COLUMNS on */
    struct lt_fuse_table table;
    uint16_t aggregates; /* bits */
    uint8_t first_lane, n_lanes;
};

static inline unsigned lt_fuse_element_column(unsigned source, unsigned i) {
    return LT_FUSE_ROOT_COLUMNS + source * LT_FUSE_ELEMENT_COLUMNS + i;
}

struct lt_fuse_plan {
    struct lt_arena *arena;
    struct lt_fuse_column columns[LT_FUSE_MAX_COLUMNS];
    unsigned n_root_columns;
    struct lt_fuse_source sources[LT_FUSE_MAX_SOURCES];
    unsigned n_sources;
    struct lt_fuse_aggregate aggregates[LT_FUSE_MAX_AGGREGATES];
    unsigned n_aggregates;
    uint8_t results[LT_FUSE_MAX_AGGREGATES]; /* columns for them, as many as there ever were */
    unsigned n_results;
    unsigned n_lanes;
    uint64_t used; /* columns whose class is asked for */
    struct lt_fuse_want root;
    struct lt_fuse_diagram diagram;
    struct lt_fuse_leaf *leaves;
    unsigned n_leaves;

    /* what a record gives; columns that hold the sets' values, as routes see them */
    uint16_t *sets;
    uint16_t *routes; /* NO_NODE: always */
    uint16_t key;
    bool has_key;
    struct lt_slice *vars; /* JSON of the source's variables, kept: the caller's bytes may go */
    size_t n_vars;
};

enum { LT_FUSE_NO_NODE = 0xffff, LT_FUSE_NO_LANE = 0xff };

/** Recognises; false with the reason in `why`, or without memory (`why` empty). */
bool lt_fuse_recognise(struct lt_fuse_plan *plan, const struct lt_fuse_parts *parts,
                       struct lt_arena *arena, char why[160]);

/** Makes the tables of the sources from the aggregates' diagrams. False: no memory. */
bool lt_fuse_tabulate(struct lt_fuse_plan *plan);

#endif
