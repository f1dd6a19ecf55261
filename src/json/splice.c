/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting top-level fields without touching another byte. One walk over the members, by a
 * tape where there is one, finds, for each field, the value that it replaces; then the text is
 * copied from edit to edit. New members go behind the last value, so that white space before the
 * closing brace stays before the brace.
 */
#include "json/scan.h"
#include "json/scanner.h"

#include <stdlib.h>

enum { FEW_FIELDS = 32 };

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

static void add_member(const struct lt_json_field *field, bool comma, struct lt_buf *out) {
    const char *end = field->name.data + field->name.len;

    if (field->name.len && lt_json_scan_plain(field->name.data, end) == end) {
        size_t len = (size_t)comma + field->name.len + 3 + field->value.len;
        char *to = lt_buf_reserve(out, len);
        if (!to)
            return;
        *to = ',';
        to += comma;
        *to++ = '"';
        memcpy(to, field->name.data, field->name.len);
        to += field->name.len;
        *to++ = '"';
        *to++ = ':';
        if (field->value.len)
            memcpy(to, field->value.data, field->value.len);
        lt_buf_commit(out, len);
        return;
    }
    if (comma)
        lt_buf_append_byte(out, ',');
    lt_json_write_string(out, field->name);
    lt_buf_append_byte(out, ':');
    lt_buf_append(out, field->value);
}

static void add_missing(const struct lt_json_field *fields, size_t n_fields,
                        const struct lt_slice *replaced, bool has_members, struct lt_buf *out) {
    for (size_t i = 0; i < n_fields; i++) {
        if (replaced[i].data || is_repeated_later(fields, n_fields, i))
            continue;
        add_member(&fields[i], has_members, out);
        has_members = true;
    }
}

/* What the walk over the members finds. */
struct members {
    struct lt_slice *replaced; /* of each field: the value that it replaces */
    const char *tail;          /* behind the last value */
    bool is_any;
};

/* Of several fields with that name the last sets the member. */
static void find_by_iterator(struct lt_json object, const struct lt_json_field *fields,
                             size_t n_fields, struct members *m) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, value;

    while (lt_json_next_member(&iter, &key, &value)) {
        for (size_t i = n_fields; i-- > 0;) {
            if (lt_json_string_is(key, fields[i].name)) {
                m->replaced[i] = value.raw;
                break;
            }
        }
        m->tail = value.raw.data + value.raw.len;
        m->is_any = true;
    }
}

static void find_by_tape(const struct lt_json_tape *tape, uint32_t object,
                         const struct lt_json_field *fields, size_t n_fields, struct members *m) {
    bool has_escapes = tape->flags & LT_JSON_HAS_ESCAPES;
    uint32_t last = 0;

    for (uint32_t at = lt_json_tape_first(tape, object); at; at = lt_json_tape_next(tape, at + 2)) {
        struct lt_json key = {LT_JSON_STRING, lt_json_tape_scalar(tape, at)};
        struct lt_slice name = {key.raw.data + 1, key.raw.len - 2};
        for (size_t i = n_fields; i-- > 0;) {
            if (has_escapes ? lt_json_string_is(key, fields[i].name)
                            : lt_slice_eq(name, fields[i].name)) {
                m->replaced[i] = lt_json_tape_value(tape, at + 2).raw;
                break;
            }
        }
        last = at + 2;
    }
    if (last) {
        struct lt_slice raw = lt_json_tape_value(tape, last).raw;
        m->tail = raw.data + raw.len;
        m->is_any = true;
    }
}

/* `tape` is NULL where there is none. */
static void splice(const struct lt_json_tape *tape, uint32_t token, struct lt_json object,
                   const struct lt_json_field *fields, size_t n_fields, struct lt_slice *replaced,
                   struct lt_buf *out) {
    const char *at = object.raw.data;
    const char *end = object.raw.data + object.raw.len;
    struct members m = {replaced, object.raw.data + 1, false};

    if (tape)
        find_by_tape(tape, token, fields, n_fields, &m);
    else
        find_by_iterator(object, fields, n_fields, &m);
    for (size_t i; (i = next_edit(replaced, n_fields, at)) < n_fields;) {
        lt_buf_append(out, lt_slice(at, (size_t)(replaced[i].data - at)));
        lt_buf_append(out, fields[i].value);
        at = replaced[i].data + replaced[i].len;
    }
    lt_buf_append(out, lt_slice(at, (size_t)(m.tail - at)));
    add_missing(fields, n_fields, replaced, m.is_any, out);
    lt_buf_append(out, lt_slice(m.tail, (size_t)(end - m.tail)));
}

static void splice_any(const struct lt_json_tape *tape, uint32_t token, struct lt_json object,
                       const struct lt_json_field *fields, size_t n_fields, struct lt_buf *out) {
    struct lt_slice few[FEW_FIELDS];

    if (object.type != LT_JSON_OBJECT || n_fields == 0) {
        lt_buf_append(out, object.raw);
    } else if (n_fields <= FEW_FIELDS) {
        memset(few, 0, n_fields * sizeof(few[0]));
        splice(tape, token, object, fields, n_fields, few, out);
    } else {
        struct lt_slice *many = calloc(n_fields, sizeof(*many));
        if (many)
            splice(tape, token, object, fields, n_fields, many, out);
        else
            out->failed = true;
        free(many);
    }
}

void lt_json_splice(struct lt_json object, const struct lt_json_field *fields, size_t n_fields,
                    struct lt_buf *out) {
    struct lt_json_small_tape small;
    bool has_tape = lt_json_small_tape_parse(&small, object.raw, LT_JSON_MAX_DEPTH);

    splice_any(has_tape ? &small.tape : NULL, 0, object, fields, n_fields, out);
}

void lt_json_tape_splice(const struct lt_json_tape *tape, uint32_t object,
                         const struct lt_json_field *fields, size_t n_fields, struct lt_buf *out) {
    splice_any(tape, object, lt_json_tape_value(tape, object), fields, n_fields, out);
}
