/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_JSON_H
#define LT_JSON_JSON_H

#include "base/arena.h"
#include "base/buf.h"

enum lt_json_type {
    LT_JSON_NULL,
    LT_JSON_FALSE,
    LT_JSON_TRUE,
    LT_JSON_NUMBER,
    LT_JSON_STRING,
    LT_JSON_ARRAY,
    LT_JSON_OBJECT,
};

/**
 * One value inside validated text: its type and its own bytes, without white
 * space around it. A view: it lives as long as the text.
 */
struct lt_json {
    enum lt_json_type type;
    struct lt_slice raw;
};

enum {
    LT_JSON_DEFAULT_DEPTH = 256,
    LT_JSON_MAX_DEPTH = 1024, /**< a larger `max_depth` counts as this */
};

/**
 * Validates `text` as one JSON value (RFC 8259, strict: UTF-8, control characters,
 * lone surrogates, leading zeros, trailing bytes, depth over `max_depth` are
 * errors) and views it. Depth is the number of containers around a value: a
 * scalar is at 0. Names may be repeated; the last one counts.
 *
 * Errors: LEAT_E_PARSE with the byte offset and what was expected.
 */
LEAT_MUST_CHECK leat_status lt_json_parse(struct lt_json *out, struct lt_slice text,
                                          unsigned max_depth, struct leat_error *err);

/** The type of the value that begins with `first`, in text that is JSON. */
static inline enum lt_json_type lt_json_type_of(char first) {
    switch (first) {
    case '"':
        return LT_JSON_STRING;
    case '{':
        return LT_JSON_OBJECT;
    case '[':
        return LT_JSON_ARRAY;
    case 't':
        return LT_JSON_TRUE;
    case 'f':
        return LT_JSON_FALSE;
    case 'n':
        return LT_JSON_NULL;
    default:
        return LT_JSON_NUMBER;
    }
}

/** Steps over the members of an array or object. `at` starts NULL-initialised by lt_json_iter(). */
struct lt_json_iter {
    const char *at;
    const char *end;
    bool object;
};
struct lt_json_iter lt_json_iter(struct lt_json container);

/** The next element. False at the end, or when `iter` is not over an array. */
bool lt_json_next(struct lt_json_iter *iter, struct lt_json *value);

/** The next member; `key` is the key's string value (type STRING). False at the end. */
bool lt_json_next_member(struct lt_json_iter *iter, struct lt_json *key, struct lt_json *value);

/** The member of that name; the last one of several. False when absent or not an object. */
bool lt_json_get(struct lt_json object, const char *name, struct lt_json *value);

/** True when a STRING's unescaped value is `text`. */
bool lt_json_string_is(struct lt_json string, struct lt_slice text);

/** The unescaped bytes of a STRING: a view where there is no escape, else from `arena`.
 * `data` is NULL when it is not a STRING or there is no memory. */
struct lt_slice lt_json_string(struct lt_json string, struct lt_arena *arena);

/** Appends the unescaped bytes of a STRING. */
void lt_json_string_append(struct lt_json string, struct lt_buf *out);

/** A NUMBER that is a whole number within int64 (1e3 and 2.0 count). False otherwise. */
bool lt_json_int64(struct lt_json number, int64_t *out);

/** A NUMBER as the nearest double (infinite when it is over a double's range). False when it is
 * not a number. */
bool lt_json_double(struct lt_json number, double *out);

/** The shortest text that reads back as `value`, whole numbers below 10^15 without point or
 * exponent; "null" for what JSON cannot say (NaN, infinities). Returns its length. */
size_t lt_json_format_double(double value, char out[32]);

/** Number of elements or members. */
size_t lt_json_count(struct lt_json container);

/** Appends `text` as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD. */
void lt_json_write_string(struct lt_buf *out, struct lt_slice text);

/**
 * A writer that puts commas and quotes where they belong. Misuse (a key in an
 * array) is a defect and asserts.
 */
struct lt_json_writer {
    struct lt_buf *out;
    uint64_t has_members; /**< one bit a level: at most 64 */
    uint64_t is_object;   /**< one bit a level */
    unsigned depth;
    bool after_key;
    bool done; /**< the text is one whole value */
};
void lt_json_writer_init(struct lt_json_writer *w, struct lt_buf *out);
void lt_json_begin_object(struct lt_json_writer *w);
void lt_json_end_object(struct lt_json_writer *w);
void lt_json_begin_array(struct lt_json_writer *w);
void lt_json_end_array(struct lt_json_writer *w);
void lt_json_key(struct lt_json_writer *w, const char *key);
void lt_json_key_slice(struct lt_json_writer *w, struct lt_slice key);
void lt_json_put_string(struct lt_json_writer *w, struct lt_slice text);
void lt_json_put_str(struct lt_json_writer *w, const char *text);
void lt_json_put_int(struct lt_json_writer *w, int64_t value);
void lt_json_put_uint(struct lt_json_writer *w, uint64_t value);
void lt_json_put_double(struct lt_json_writer *w, double value); /**< as lt_json_format_double() */
void lt_json_put_bool(struct lt_json_writer *w, bool value);
void lt_json_put_null(struct lt_json_writer *w);
void lt_json_put_raw(struct lt_json_writer *w, struct lt_slice json);
void lt_json_put_base64(struct lt_json_writer *w, struct lt_slice bytes);
/** Seconds since 1970 with milliseconds, as AWS' JSON protocols write time: 1700000000.123 */
void lt_json_put_epoch(struct lt_json_writer *w, int64_t ms);

/** What stands around a value that a caller appends to `out` itself. */
void lt_json_before_value(struct lt_json_writer *w);
void lt_json_after_value(struct lt_json_writer *w);

/** A top-level field to add or replace: its name, and its value as JSON text. */
struct lt_json_field {
    struct lt_slice name;
    struct lt_slice value;
};

/**
 * Appends `object` to `out` with the fields set: a member of that name (however
 * it is escaped) has its value replaced where it stands, the last one of several;
 * others are added behind the last member, in order. Of fields with the same name
 * the last counts. No other byte changes. What is not an OBJECT is appended as it is.
 */
void lt_json_splice(struct lt_json object, const struct lt_json_field *fields, size_t n_fields,
                    struct lt_buf *out);

#endif
