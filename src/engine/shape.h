/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SHAPE_H
#define LT_ENGINE_SHAPE_H

#include "base/arena.h"
#include "base/error.h"
#include "json/json.h"

/*
 * What an operation takes, as data: members with type, range and pattern as they stand in the
 * service's model (botocore's service-2.json). Checking is one walk over the body that words errors
 * as AWS does.
 */
enum lt_shape_type {
    LT_SHAPE_STRING,
    LT_SHAPE_BLOB, /**< base64 text; its range counts decoded bytes */
    LT_SHAPE_INTEGER,
    LT_SHAPE_LONG,
    LT_SHAPE_DOUBLE,
    LT_SHAPE_BOOLEAN,
    LT_SHAPE_TIMESTAMP, /**< seconds since 1970, with a fraction */
    LT_SHAPE_STRUCTURE,
    LT_SHAPE_LIST,
    LT_SHAPE_MAP,
};

/** A pattern: the model's text, for the error, and what decides. */
struct lt_shape_pattern {
    const char *text;
    bool (*matches)(struct lt_slice value);
};

struct lt_shape_member {
    const char *name; /**< as on the wire; NULL for the element of a list or map */
    enum lt_shape_type type;
    bool required;
    /** Range: characters of a string, decoded bytes of a blob, elements, or a number's value.
     * `max` 0: no upper bound. */
    int64_t min, max;
    const struct lt_shape_pattern *pattern;
    const char *const *values;             /**< an enumeration's values, NULL at the end */
    const struct lt_shape *shape;          /**< STRUCTURE: its members; NULL: not looked into */
    const struct lt_shape_member *element; /**< LIST, MAP: each element; NULL: not looked into */
};

struct lt_shape {
    const struct lt_shape_member *members;
    size_t n;
};

enum { LT_SHAPE_MAX_MEMBERS = 24 };

/** A shape of an array of members. */
#define LT_SHAPE(array)                                                                            \
    { (array), sizeof(array) / sizeof((array)[0]) }

/**
 * Checks `object` against the shape. Unknown members are ignored, as AWS does. `prefix` stands
 * before the member's name in errors ("records.3.member."), "" at the top. `values`, with room for
 * `shape->n`, gets the members as lt_shape_pick() gives them.
 *
 * Errors: LEAT_E_PARSE, SerializationException for a wrong JSON type; LEAT_E_INVALID,
 *         ValidationException "N validation errors detected: Value '…' at '…' failed to satisfy
 *         constraint: …; …" for all others, up to ten of them.
 */
LEAT_MUST_CHECK leat_status lt_shape_check(const struct lt_shape *shape, struct lt_json object,
                                           const char *prefix, struct lt_arena *arena,
                                           struct lt_json *values, struct leat_error *err);

/** Picks the members of an object in the order of the shape's rows, in one walk; absent or null
 * ones have `raw.data` NULL. `values` has room for `shape->n`. */
void lt_shape_pick(const struct lt_shape *shape, struct lt_json object, struct lt_json *values);

/** [a-zA-Z0-9_.-]+ */
extern const struct lt_shape_pattern lt_pattern_name;

#endif
