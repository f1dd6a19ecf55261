/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_CSV_H
#define LT_ENGINE_SPOTIFY_CSV_H

#include "base/arena.h"
#include "base/error.h"

/*
 * A reader of comma-separated values over text in memory (RFC 4180): records end with LF or CRLF,
 * the last one need not; a field in quotes may hold commas, line ends and doubled quotes. A byte
 * order mark at the start and empty lines are passed over. Fields are views of the text, or, where
 * quotes were doubled, copies in the arena.
 */
struct lt_csv {
    const char *at;
    const char *end;
    struct lt_arena *arena;
    unsigned line;        /**< at which `at` stands, from 1 */
    unsigned record_line; /**< on which the last record begins */
};

/** Starts at the first record; reads nothing yet. */
void lt_csv_init(struct lt_csv *csv, struct lt_slice text, struct lt_arena *arena);

/**
 * The next record: its fields, at most `room` of them, and their number; 0 at the end.
 *
 * Errors: LEAT_E_PARSE with `err->line` for a quote inside a bare field, text behind a closing
 *         quote, a quote that nothing closes, a carriage return that ends no line, more than `room`
 *         fields; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_csv_next(struct lt_csv *csv, struct lt_slice *fields, size_t room,
                                        size_t *n_fields, struct leat_error *err);

#endif
