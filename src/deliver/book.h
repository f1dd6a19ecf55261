/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_BOOK_H
#define LT_DELIVER_BOOK_H

#include "deliver/intent.h"

/*
 * A delivery's documents in the state, all of the kind "deliver/NAME": "identity" {source, id},
 * "intent" (see intent.c) while an object is on its way, "shard/NAME" {seq, position} for each
 * shard that has a record in an object, "total" {records, bytes, objects} of all delivered.
 */
struct lt_book_total {
    uint64_t n_records;
    uint64_t n_bytes;
    uint64_t n_objects;
};

struct lt_book {
    struct lt_state *state; /**< borrowed */
    char *kind;
    char id[33];                /**< random, made when the delivery first saw this source */
    struct lt_book_total total; /**< whoever settles has it: a worker, or the loop between two */
};

/** A position as it is kept. */
struct lt_book_position {
    const char *shard;
    uint64_t seq;
    struct lt_slice position;
};

/**
 * Opens the book of a delivery of `source`; that of another source is emptied first. Gives the
 * positions and the intent (NULL when there is none; release it with lt_intent_free()).
 *
 * Blocks: on the disk. Errors: as lt_state_list(); LEAT_E_CORRUPT.
 */
LEAT_MUST_CHECK leat_status lt_book_open(struct lt_book *book, struct lt_state *state,
                                         const char *name, const char *source,
                                         struct lt_arena *arena,
                                         struct lt_book_position **positions, size_t *n,
                                         struct lt_intent **intent, struct leat_error *err);
void lt_book_deinit(struct lt_book *book);

/* Blocks: on the disk. Errors: as lt_state_apply(). */
LEAT_MUST_CHECK leat_status lt_book_intend(const struct lt_book *book,
                                           const struct lt_intent *intent, struct leat_error *err);
/** Moves the positions to the intent's, adds to the total and removes the intent, in one change. */
LEAT_MUST_CHECK leat_status lt_book_settle(struct lt_book *book, const struct lt_intent *intent,
                                           struct leat_error *err);

#endif
