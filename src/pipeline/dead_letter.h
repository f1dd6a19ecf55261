/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_DEAD_LETTER_H
#define LT_PIPELINE_DEAD_LETTER_H

#include "base/arena.h"
#include "base/error.h"

/*
 * A dead letter: a record that could not be processed, kept whole with the reason. Its form is that
 * of Firehose's error output (attemptsMade, arrivalTimestamp, errorCode, errorMessage,
 * attemptEndingTimestamp, rawData in base64), one JSON object, with where it came from beside it:
 * pipeline, expression, stream, shardId, sequenceNumber, partitionKey; of a record that was pulled,
 * resource, url and its ordinal as the sequenceNumber. A record whose letter would
 * be over a stream's 1 MiB is kept in parts (part 1 of parts, …), each a letter of its own with a
 * piece of rawData.
 */
struct lt_dead_letter {
    struct lt_slice pipeline;
    struct lt_slice code; /**< "NotJson", "NotObject", "ExpressionFailed", "NoRoute", "TooLarge",
                             "Refused", "SchemaChanged" */
    struct lt_slice message;
    struct lt_slice expression; /**< or empty */
    struct lt_slice stream;
    struct lt_slice shard;
    struct lt_slice sequence;
    struct lt_slice key;
    struct lt_slice resource;
    struct lt_slice url; /**< of the page, secrets masked */
    int64_t arrival_ms;
    struct lt_slice data; /**< the record's own bytes */
    unsigned part, parts; /**< 1 of 1 for a whole one */
};

/** Parts that a record of `len` bytes takes: at least 1. */
unsigned lt_dead_letter_parts(size_t len);

/** The letter (the part `letter->part` of it) as JSON text in `arena`; `data` NULL without memory.
 */
struct lt_slice lt_dead_letter_write(const struct lt_dead_letter *letter, struct lt_arena *arena);

/**
 * Reads a letter; `data` is this part's bytes. Slices live in `arena`, or are the input's.
 * Errors: LEAT_E_PARSE when it is not a dead letter.
 */
LEAT_MUST_CHECK leat_status lt_dead_letter_read(struct lt_dead_letter *out, struct lt_slice text,
                                                struct lt_arena *arena, struct leat_error *err);

#endif
