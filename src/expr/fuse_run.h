/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FUSE_RUN_H
#define LT_EXPR_FUSE_RUN_H

#include "base/error.h"
#include "expr/fuse_plan.h"

/*
 * The walk over a record. Records of one producer have the same members in the same order, with the
 * same white space, so what stands between two values (the gap) is nearly always one that was seen
 * before. A site is a gap with what is known of the value behind it: the walk compares 32 or 64
 * bytes with the gap it expects, steps over them, reads the value, and goes to the site that came
 * next the last time. A gap that no site has is checked byte by byte against the grammar and
 * becomes a site (fuse_sites.c); so all that a walk accepts is JSON, and every byte is looked at.
 */

struct lt_fuse_cell {
    union {
        int64_t i; /* INT */
        double d;  /* NUMBER that was computed */
    };
    const char *at; /* the value's bytes in the copy of the record, of a STRING those between its
                       quotes; NULL when it was computed or is walked into */
    uint32_t len;
};

enum lt_fuse_site_kind {
    LT_FUSE_SITE_STRING,       /* a string is expected; its cell matters */
    LT_FUSE_SITE_EXACT_STRING, /* the same; its class is refined by constants */
    LT_FUSE_SITE_ONE_STRING,   /* the same by one text of 1 to 8 bytes */
    LT_FUSE_SITE_SKIP_STRING,  /* its cell does not */
    LT_FUSE_SITE_INT,
    LT_FUSE_SITE_SKIP_NUMBER,
    LT_FUSE_SITE_WORD, /* true, false, null */
    LT_FUSE_SITE_SKIP_WORD,
    LT_FUSE_SITE_ANY,
    LT_FUSE_SITE_SKIP_ANY,
    LT_FUSE_SITE_NONE, /* the gap alone */
    LT_FUSE_SITE_END,  /* of the record */
    LT_FUSE_SITE_LOST, /* nothing followed yet */
    /* of those whose values nearly all have the same length (see lt_fuse_settle_sites()) */
    LT_FUSE_SITE_FIXED_STRING,
    LT_FUSE_SITE_FIXED_SKIP_STRING,
    LT_FUSE_SITE_FIXED_INT,
    LT_FUSE_SITE_FIXED_SKIP_NUMBER,
};

/* The longest of them: a string's without quotes, a number's. */
enum { LT_FUSE_FIXED_STRING = 31, LT_FUSE_FIXED_NUMBER = 15, LT_FUSE_FIXED_INT = 7 };

enum { LT_FUSE_MAX_MARKS = 3, LT_FUSE_MAX_LEVELS = 32 };

enum lt_fuse_flags { LT_FUSE_ENDS = 1, LT_FUSE_BEGINS = 2, LT_FUSE_MARKS = 4 };

struct lt_fuse_level;
struct lt_fuse_quick;

struct lt_fuse_site {
    char gap[LT_FUSE_MAX_GAP];
    uint64_t mask;             /* a bit for each byte that is compared */
    struct lt_fuse_site *next; /* the first of those that followed */
    struct lt_fuse_cell *cell; /* the column's, and its class */
    uint8_t *class;
    const struct lt_fuse_quick *quick; /* of the source whose element ends */
    int64_t *lanes[2];                 /* of an INT: see struct lt_fuse_walk */
    uint16_t places[3]; /* of the entry: what a WORD adds to it, by its class; a ONE_STRING, by
                           whether it is the text */
    uint16_t place;     /* what a STRING, an INT does */
    uint8_t len;
    uint8_t kind;
    uint8_t column;
    bool is_long;   /* more than 32 bytes are compared */
    uint8_t flags;  /* enum lt_fuse_flags */
    uint8_t ends;   /* the source, + 1, whose element ends in the gap */
    uint8_t begins; /* one begins, behind that */
    uint8_t n_marks;
    uint8_t depth;                       /* containers around the value */
    uint8_t marks[LT_FUSE_MAX_MARKS][2]; /* column, class: set, behind that */
    uint16_t marks_place[LT_FUSE_MAX_MARKS];
    uint8_t fixed; /* bytes of a FIXED value, a string's without quotes */
    uint8_t point; /* of a FIXED_SKIP_NUMBER, where its point is; `fixed` without one */
    uint64_t text; /* of a ONE_STRING */
    uint8_t text_len;
    uint32_t stops;             /* a bit for each of its bytes and the one behind it */
    uint32_t digits;            /* of a FIXED_SKIP_NUMBER: a bit for each that is a digit */
    struct lt_fuse_site *other; /* the next of those that followed the one before */

    /* for those who learn */
    uint8_t n_compared; /* bytes: the gap, and the value's first one where a container there would
                           be walked into */
    uint8_t tail;       /* END: bytes from where members are added to the end */
    bool is_empty;      /* END: the record is {} */
    const struct lt_fuse_level *level; /* that the value stands in */
    const struct lt_fuse_want *want;   /* what the value is; NULL: nothing that matters */
    const struct lt_fuse_want *wants[LT_FUSE_MAX_MARKS]; /* names that the gap has */
    uint8_t n_wants;
    struct lt_fuse_site *prev;
    uint32_t hits;
    uint32_t n_same;   /* values of the length of the one before */
    uint32_t last_len; /* of it, with quotes */
    uint8_t last_point;
};

/* A container that is walked into. */
struct lt_fuse_level {
    const struct lt_fuse_level *up;
    const struct lt_fuse_want *want;
    bool is_array;
    uint8_t depth; /* containers around a value in it */
};

struct lt_fuse_key {
    uint64_t low, high;
};

enum { LT_FUSE_KEY_BITS = 12 };

/* In `irregular`: rows take the slow way from here on. */
#define LT_FUSE_IRREGULAR (1U << 31)

/* Counts different values: open addressing, emptied by a new stamp. */
struct lt_fuse_set {
    struct lt_fuse_key *keys; /* LT_FUSE_MAX_DIFFERENT of them, as of the next two */
    const char **texts;       /* of a long one */
    uint32_t *lens;
    uint32_t *slots; /* stamp << KEY_BITS | key; twice the keys at least */
    uint32_t mask, n, stamp;
    uint32_t room; /* the last place before it grows */
};

static inline uint32_t lt_fuse_hash(struct lt_fuse_key key) {
    uint64_t h = (key.low ^ (key.high * 0xff51afd7ed558ccdULL)) * 0x9e3779b97f4a7c15ULL;
    return (uint32_t)(h >> 40);
}

/* What the quick way needs of a source. */
struct lt_fuse_quick {
    const struct lt_fuse_entry *entries;
    unsigned source;
    uint8_t first_lane, n_lanes, n_inserts;
    bool is_many; /* more than two lanes, or than one of `inserts` */
    struct {
        const struct lt_fuse_cell *cell;
        struct lt_fuse_set *set;
        unsigned aggregate;
    } inserts[LT_FUSE_MAX_AGGREGATES];
};

/* What an aggregate has so far. `sum`: SUM, COUNT. */
enum lt_fuse_shape { LT_FUSE_EXACT, LT_FUSE_SPELLED, LT_FUSE_ROUNDED };

/* What the quick way needs to know of an aggregate at a record's end. */
struct lt_fuse_result {
    const uint8_t *array; /* the class of the source's column */
    int64_t *sum;         /* of a SUM, a COUNT: its lane's, or apart */
    const uint32_t *n;    /* of a DISTINCT: its number */
    struct lt_fuse_cell *cell;
    uint8_t *class;
    uint32_t needs; /* bits of aggregates: what was seen must have this one, or it is null */
    bool is_quick;  /* a sum or a number, which nobody compares with constants */
};

struct lt_fuse_walk {
    /* of the record at work */
    uint8_t class[LT_FUSE_MAX_COLUMNS];
    struct lt_fuse_cell cells[LT_FUSE_MAX_COLUMNS];
    int64_t lanes[LT_FUSE_MAX_LANES + 2]; /* an element's numbers that are added to `sums`; the last
                                             is nobody's */
    int64_t sums[LT_FUSE_MAX_LANES + 2];
    int64_t apart[LT_FUSE_MAX_AGGREGATES]; /* sums of those without a lane */
    uint32_t seen;                         /* aggregates that had an element */
    uint32_t irregular; /* those whose sum is no int64 (any more), or that keep a cell */
    bool deopt;
    bool untidy;            /* what the slow way left is to be cleared */
    const char *at, *start; /* where the walk is, when it asks; and its last value */
    unsigned place;         /* in the table of the row */
    uint8_t shapes[LT_FUSE_MAX_AGGREGATES];
    struct lt_fuse_cell kept[LT_FUSE_MAX_AGGREGATES]; /* SPELLED, ROUNDED, MIN, MAX, FIRST, LAST */
    uint8_t kept_class[LT_FUSE_MAX_AGGREGATES];
    const char *end;  /* of the record's copy */
    const char *tail; /* where members are added */
    bool is_empty;

    /* kept from record to record */
    const struct lt_fuse_plan *plan;
    struct lt_fuse_quick quick[LT_FUSE_MAX_SOURCES];
    struct lt_fuse_set sets[LT_FUSE_MAX_AGGREGATES];
    uint8_t distinct[LT_FUSE_MAX_AGGREGATES]; /* aggregates that have a set */
    struct lt_fuse_result results[LT_FUSE_MAX_AGGREGATES];
    unsigned n_sets;
    struct lt_fuse_site lost;  /* `next` of those behind which nothing was seen */
    struct lt_fuse_site first; /* the gap before the first value follows it */
    struct lt_fuse_site *sites;
    unsigned n_sites;
    struct lt_fuse_level levels[LT_FUSE_MAX_LEVELS];
    unsigned n_levels;
    uint32_t n_unknown;
};

/** A walk over the record's copy [at, walk->end), LT_FUSE_PADDING bytes of zero behind it: true
 * when it is JSON and all that matters of it is in the walk. */
typedef bool lt_fuse_walker(struct lt_fuse_walk *w, const char *at);
lt_fuse_walker lt_fuse_walk_portable; /* counts hits */
lt_fuse_walker lt_fuse_walk_avx2;     /* x86-64 alone */

/** The site of the gap at `at` behind the value of `prev`, learnt. NULL: not one to be learnt. */
struct lt_fuse_site *lt_fuse_learn(struct lt_fuse_walk *w, struct lt_fuse_site *prev,
                                   const char *at);
void lt_fuse_init_sites(struct lt_fuse_walk *w);
/** For the one that counts hits: the site had the value [at, behind). */
void lt_fuse_note(struct lt_fuse_site *site, const char *at, const char *behind);
/** Puts those that come often first, and finds those whose values have one length: where that is
 * foreseen, nobody waits for a value's end to be found before what follows is looked at. */
void lt_fuse_settle_sites(struct lt_fuse_walk *w);

/* Values, the slow way (fuse_value.c): the byte behind it, NULL when it is none. */
const char *lt_fuse_read_any(struct lt_fuse_walk *w, const char *at, unsigned column,
                             unsigned depth);
const char *lt_fuse_skip_any(struct lt_fuse_walk *w, const char *at, unsigned depth);
/** At the opening quote. */
const char *lt_fuse_skip_string(const struct lt_fuse_walk *w, const char *at, bool *escapes);
/** Gives a column's class its last precision. */
void lt_fuse_refine(struct lt_fuse_walk *w, unsigned column);

/** What a column's class adds to the place of its row's entry. */
unsigned lt_fuse_place(const struct lt_fuse_walk *w, unsigned column);
/** Fills in what the plan says of a site's column. */
void lt_fuse_place_site(struct lt_fuse_walk *w, struct lt_fuse_site *site);
/** The number at w->start, the value of that site, does not end at w->at: reads it anew; its end.
 */
const char *lt_fuse_reread(struct lt_fuse_walk *w, const struct lt_fuse_site *site);

/* Rows (fuse_row.c) */
void lt_fuse_begin(struct lt_fuse_walk *w);
void lt_fuse_row_slow(struct lt_fuse_walk *w, unsigned source);
/** A value for the distinct count: its class, and its cell. */
void lt_fuse_insert(struct lt_fuse_walk *w, struct lt_fuse_set *set, unsigned class,
                    const struct lt_fuse_cell *cell);
/** The set is half full. */
void lt_fuse_grow(struct lt_fuse_walk *w, struct lt_fuse_set *set);
/** Aggregates' results into their columns. */
void lt_fuse_finish(struct lt_fuse_walk *w);

LEAT_MUST_CHECK leat_status lt_fuse_walk_init(struct lt_fuse_walk *w,
                                              const struct lt_fuse_plan *plan,
                                              struct lt_arena *arena, struct leat_error *err);
void lt_fuse_walk_deinit(struct lt_fuse_walk *w);

/** The number that a leaf gives; false when the evaluator is to be asked. */
struct lt_fuse_number {
    bool is_int;
    int64_t i;
    double d;
    const char *at; /* its spelling, where it comes from the record as it is */
    uint32_t len;
};
bool lt_fuse_leaf_number(const struct lt_fuse_walk *w, const struct lt_fuse_leaf *leaf,
                         struct lt_fuse_number *out);

#endif
