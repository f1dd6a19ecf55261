/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_SCHEMA_H
#define LT_JSON_SCHEMA_H

#include "json/json.h"

/*
 * What records look like, inferred from them: a tree of fields with the types seen, written as JSON
 * Schema (draft 2020-12) and read back from it. A field seen in every object of its level is
 * required. Bounded: past 1,000 names of a level (an object used as a map), 20,000 of all, a name
 * of 1 KiB, or a depth of 32, a level takes any name and no more are kept. Of a repeated name each
 * value is looked at.
 *
 * Thread: one at a time.
 */
struct lt_json_schema;

LEAT_MUST_CHECK leat_status lt_json_schema_new(struct lt_json_schema **out, struct leat_error *err);
void lt_json_schema_free(struct lt_json_schema *schema);

/** Widens the schema so that it takes `record` (validated text). Errors: LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_json_schema_add(struct lt_json_schema *schema, struct lt_json record,
                                               struct leat_error *err);

/** One way in which a record does not fit. Lives until the schema's next call. */
struct lt_json_schema_misfit {
    const char *path;     /**< ".tracks.items[].name"; "." is the record itself */
    const char *expected; /**< "string or null"; "no such field" for a field that is new; "no
                             elements" for an array that always was empty */
    const char *found;    /**< "number" */
};

/**
 * Whether `record` fits as it is: no new field and no new type (an integer is a number). A required
 * field that is missing and a string without the format are no misfit: when the record is added,
 * the one becomes optional, the other loses its format. False with the first misfit in `*misfit`
 * (may be NULL).
 */
bool lt_json_schema_fits(struct lt_json_schema *schema, struct lt_json record,
                         struct lt_json_schema_misfit *misfit);

/** Appends it as one JSON Schema object with `$schema` and, where not NULL, `title`. Fields stand
 * in the order in which they were first seen. A field's types: "null", "boolean", "integer",
 * "number", "string" (with `format` date-time or date where all values seen had that form),
 * "array", "object". A number is an integer by its spelling: 10.0 is none. A level that takes any
 * name says `additionalProperties: true`; an array without `items` always was empty. */
void lt_json_schema_write(const struct lt_json_schema *schema, const char *title,
                          struct lt_buf *out);

/** Reads what lt_json_schema_write() wrote, or a hand-written one of the same keywords: others are
 * passed over (`minimum`, `description`), or refused where they make another meaning (`anyOf`,
 * `$ref`). `*out` is the caller's. Errors: LEAT_E_PARSE, LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_json_schema_read(struct lt_json_schema **out, struct lt_slice text,
                                                struct leat_error *err);

/** Calls `each` for every field that `now` has and `before` has not (`types_before` is NULL; what
 * is within it is not told apart), or whose types became more (with both lists: "string or null").
 * A field that became optional or lost its format is no change. The texts live during the call. */
void lt_json_schema_compare(const struct lt_json_schema *before, const struct lt_json_schema *now,
                            void (*each)(void *ctx, const char *path, const char *types_before,
                                         const char *types_now),
                            void *ctx);

/** Number of records added since it was made or read. */
uint64_t lt_json_schema_n_records(const struct lt_json_schema *schema);

#endif
