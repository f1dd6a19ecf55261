/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_FEED_H
#define LT_JSON_FEED_H

#include "json/tape.h"

/*
 * JSON values out of a stream of bytes, one after another: lines, documents over many lines, or
 * values that follow each other with white space or nothing between, as jq reads them. A line that
 * is one value is taken as it is; only where it is not, the value's end is looked for.
 *
 * Thread: one at a time.
 */

/** Fills `to` with up to `room` bytes (at least 1); `*n` is 0 at the end. */
typedef leat_status lt_json_feed_read(void *ctx, char *to, size_t room, size_t *n,
                                      struct leat_error *err);

struct lt_json_feed {
    lt_json_feed_read *read;
    void *ctx;
    size_t max_bytes; /**< of one value */

    char *data;
    size_t cap;
    size_t at;       /**< what was given out ends here */
    size_t end;      /**< of the bytes that are there */
    uint64_t line;   /**< of `at`, from 1 */
    bool ended;      /**< there is no more to read */
    unsigned misses; /**< lines that were no value */
};

/** Allocates nothing yet. */
void lt_json_feed_init(struct lt_json_feed *feed, lt_json_feed_read *read, void *ctx,
                       size_t max_bytes);
void lt_json_feed_deinit(struct lt_json_feed *feed);

/**
 * The next value, parsed: `tape` looks into the feed's bytes, until the next call. `*more` is false
 * at the end.
 *
 * Errors: LEAT_E_PARSE as lt_json_parse(), with the line on which the value begins; LEAT_E_LIMIT
 * where a value is longer than max_bytes; those of `read`; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_json_feed_next(struct lt_json_feed *feed, struct lt_json_tape *tape,
                                              bool *more, struct leat_error *err);

/** The next line without its line end, whatever it holds; until the next call. Errors: as above. */
LEAT_MUST_CHECK leat_status lt_json_feed_line(struct lt_json_feed *feed, struct lt_slice *line,
                                              bool *more, struct leat_error *err);

/** All that is left. Errors: as above. */
LEAT_MUST_CHECK leat_status lt_json_feed_rest(struct lt_json_feed *feed, struct lt_slice *rest,
                                              struct leat_error *err);

#endif
