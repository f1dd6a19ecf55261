/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_DIFFERENTIAL_GRAMMAR_H
#define LT_TEST_DIFFERENTIAL_GRAMMAR_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * Makes expressions that are valid and mostly make sense: each is put together from rows (see
 * grammar_rows.c) that say what they give, and what they want from their parts. Now and then a part
 * of any kind stands where one kind is wanted, so that errors are met too. The same seed makes the
 * same expressions.
 */

struct lt_random {
    uint64_t state;
};
uint32_t lt_random_next(struct lt_random *random);
static inline uint32_t lt_random_below(struct lt_random *random, uint32_t n) {
    return lt_random_next(random) % n;
}

/** What a value is. */
enum lt_type {
    T_NUMBER,
    T_STRING,
    T_BOOLEAN,
    T_NUMBERS, /* an array of them */
    T_STRINGS,
    T_RECORD,  /* an object as the documents' lists have them */
    T_RECORDS, /* an array of those */
    T_OBJECT,  /* the document */
    T_ANY,
    N_TYPES,
};

enum { LT_MAX_PARTS = 5 };

/** How a text is made of its parts: "%0 + %1". */
struct lt_row {
    enum lt_type gives;
    unsigned level; /**< how tight it binds: 0 a pipe … 9 a term */
    const char *text;
    const char *parts; /**< of each: the type wanted, after '<' the type of its input (else that of
                          the whole), after '@' the tightness that it must have, after '$' how many
                          variables of type number it sees beyond. "N N<N@9" */
    const char *input; /**< the types of input that it is for; NULL: any */
};
extern const struct lt_row lt_rows[];
extern const size_t lt_n_rows;

struct lt_tree {
    const struct lt_row *row; /**< NULL: `text` */
    const char *text;
    struct lt_tree *parts[LT_MAX_PARTS];
    unsigned n;
};

struct lt_tree *lt_grammar_make(struct lt_random *random, struct lt_arena *arena);
void lt_grammar_print(const struct lt_tree *tree, unsigned level, struct lt_buf *out);

/** The i-th way to make the tree smaller by one step: a part in place of its whole, or `.`. NULL
 * when there is none. */
struct lt_tree *lt_grammar_shrink(const struct lt_tree *tree, size_t i, struct lt_arena *arena);

/** A JSON document: the i-th of a seed. */
void lt_document_make(struct lt_random *random, struct lt_buf *out);

#endif
