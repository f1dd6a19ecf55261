/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_SCHEMA_H
#define LT_JSON_SCHEMA_H

#include "json/json.h"

/*
 * What records look like, inferred from them: a tree of fields with the types seen, written as JSON
 * Schema (draft 2020-12) and read back from it. A field seen in every object of its level is
 * required. Bounded: past `max_fields` names (an object used as a map), or a depth of 32, a level
 * takes any name and no more are kept.
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
    const char *path;     /**< ".tracks.items[].name" */
    const char *expected; /**< "string or null"; "no such field" for a field that is new */
    const char *found;    /**< "number" */
};

/**
 * Whether `record` fits as it is: no new field and no new type. A required field that is missing is
 * no misfit (it becomes optional). False with the first misfit in `*misfit` (may be NULL).
 */
bool lt_json_schema_fits(struct lt_json_schema *schema, struct lt_json record,
                         struct lt_json_schema_misfit *misfit);

/** Appends it as one JSON Schema object with `$schema` and, where not NULL, `title`. Fields stand
 * in the order in which they were first seen. A field's types: "null", "boolean", "integer",
 * "number", "string" (with `format` date-time or date where all values seen had that form),
 * "array", "object". */
void lt_json_schema_write(const struct lt_json_schema *schema, const char *title,
                          struct lt_buf *out);

/** Reads what lt_json_schema_write() wrote (or a hand-written one of the same keywords). `*out` is
 * the caller's. Errors: LEAT_E_PARSE, LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_json_schema_read(struct lt_json_schema **out, struct lt_slice text,
                                                struct leat_error *err);

/** Calls `each` for every field that `now` has and `before` has not ("new"), or whose types became
 * more ("changed", with both lists of types). */
void lt_json_schema_compare(const struct lt_json_schema *before, const struct lt_json_schema *now,
                            void (*each)(void *ctx, const char *path, const char *types_before,
                                         const char *types_now),
                            void *ctx);

/** Number of records added since it was made or read. */
uint64_t lt_json_schema_n_records(const struct lt_json_schema *schema);

#endif
