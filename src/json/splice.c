/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting top-level fields without touching another byte. One walk over the members
 * finds, for each field, the value that it replaces; then the text is copied
 * from edit to edit. New members go behind the last value, so that white space
 * before the closing brace stays before the brace.
 */
#include "json/json.h"

#include <stdlib.h>

enum { FEW_FIELDS = 32 };

/* The field that sets this member: of several with that name the last. */
static size_t find_field(struct lt_json key, const struct lt_json_field *fields, size_t n_fields) {
    for (size_t i = n_fields; i > 0; i--)
        if (lt_json_string_is(key, fields[i - 1].name))
            return i - 1;
    return n_fields;
}

static bool is_repeated_later(const struct lt_json_field *fields, size_t n_fields, size_t i) {
    for (size_t j = i + 1; j < n_fields; j++)
        if (lt_slice_eq(fields[j].name, fields[i].name))
            return true;
    return false;
}

/* The edit that comes first in the text at or after `from`; n_fields when there is none. */
static size_t next_edit(const struct lt_slice *replaced, size_t n_fields, const char *from) {
    size_t first = n_fields;

    for (size_t i = 0; i < n_fields; i++)
        if (replaced[i].data && replaced[i].data >= from &&
            (first == n_fields || replaced[i].data < replaced[first].data))
            first = i;
    return first;
}

static void add_missing(const struct lt_json_field *fields, size_t n_fields,
                        const struct lt_slice *replaced, bool has_members, struct lt_buf *out) {
    for (size_t i = 0; i < n_fields; i++) {
        if (replaced[i].data || is_repeated_later(fields, n_fields, i))
            continue;
        if (has_members)
            lt_buf_append_byte(out, ',');
        has_members = true;
        lt_json_write_string(out, fields[i].name);
        lt_buf_append_byte(out, ':');
        lt_buf_append(out, fields[i].value);
    }
}

static void splice(struct lt_json object, const struct lt_json_field *fields, size_t n_fields,
                   struct lt_slice *replaced, struct lt_buf *out) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, value;
    const char *at = object.raw.data;
    const char *end = object.raw.data + object.raw.len;
    const char *tail = object.raw.data + 1; /* behind the last value */
    bool has_members = false;

    while (lt_json_next_member(&iter, &key, &value)) {
        size_t i = find_field(key, fields, n_fields);
        if (i < n_fields)
            replaced[i] = value.raw;
        tail = value.raw.data + value.raw.len;
        has_members = true;
    }
    for (size_t i; (i = next_edit(replaced, n_fields, at)) < n_fields;) {
        lt_buf_append(out, lt_slice(at, (size_t)(replaced[i].data - at)));
        lt_buf_append(out, fields[i].value);
        at = replaced[i].data + replaced[i].len;
    }
    lt_buf_append(out, lt_slice(at, (size_t)(tail - at)));
    add_missing(fields, n_fields, replaced, has_members, out);
    lt_buf_append(out, lt_slice(tail, (size_t)(end - tail)));
}

void lt_json_splice(struct lt_json object, const struct lt_json_field *fields, size_t n_fields,
                    struct lt_buf *out) {
    struct lt_slice few[FEW_FIELDS] = {0};

    if (object.type != LT_JSON_OBJECT || n_fields == 0) {
        lt_buf_append(out, object.raw);
    } else if (n_fields <= FEW_FIELDS) {
        splice(object, fields, n_fields, few, out);
    } else {
        struct lt_slice *many = calloc(n_fields, sizeof(*many));
        if (many)
            splice(object, fields, n_fields, many, out);
        else
            out->failed = true;
        free(many);
    }
}
