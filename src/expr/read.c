/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a record's bytes to jq's values, in one pass over text that lt_json_parse() has
 * passed: what jq's own reader does byte by byte at a third of the speed. Of members with
 * the same name the last one counts, as in jq. No deeper than the validator allowed, so
 * recursion is bounded.
 */
#include "expr/value.h"
#include "json/scan.h"

#include <limits.h>

struct reader {
    const char *at;
    const char *end;
    struct lt_buf text; /* a string without its escapes */
};

static jv read_value(struct reader *r);

/* The string at `at`, as a view with its quotes; sets whether it holds an escape. */
static struct lt_json take_string(struct reader *r, bool *escaped) {
    const char *start = r->at;
    const char *at = lt_json_scan_quote(start + 1, r->end);

    *escaped = at < r->end && *at == '\\';
    while (r->end - at > 2 && *at == '\\')
        at = lt_json_scan_quote(at + 2, r->end);
    r->at = at < r->end ? at + 1 : r->end;
    return (struct lt_json){LT_JSON_STRING, lt_slice(start, (size_t)(r->at - start))};
}

static jv read_string(struct reader *r) {
    bool escaped;
    struct lt_json string = take_string(r, &escaped);
    struct lt_slice text = lt_slice(string.raw.data + 1, string.raw.len - 2);

    if (escaped) {
        lt_buf_clear(&r->text);
        lt_json_string_append(string, &r->text);
        text = lt_buf_slice(&r->text);
    }
    return lt_jq.string_sized(text.data ? text.data : "", (int)text.len);
}

static jv read_number(struct reader *r) {
    const char *start = r->at;
    double value = 0;

    while (r->at < r->end && (*r->at == '-' || *r->at == '+' || *r->at == '.' ||
                              (*r->at >= '0' && *r->at <= '9') || (*r->at | 0x20) == 'e'))
        r->at++;
    struct lt_json number = {LT_JSON_NUMBER, lt_slice(start, (size_t)(r->at - start))};
    (void)lt_json_double(number, &value);
    return lt_jq.number(value);
}

/* Over white space and one comma; false at the bracket that ends the container, which it takes. */
static bool next_element(struct reader *r, char closer) {
    r->at = lt_json_skip_space(r->at, r->end);
    if (r->at < r->end && *r->at == ',')
        r->at = lt_json_skip_space(r->at + 1, r->end);
    if (r->at < r->end && *r->at != closer)
        return true;
    r->at += r->at < r->end;
    return false;
}

static jv read_array(struct reader *r) {
    jv array = lt_jq.array();

    r->at++;
    while (next_element(r, ']'))
        array = lt_jq.array_append(array, read_value(r));
    return array;
}

static jv read_object(struct reader *r) {
    jv object = lt_jq.object();

    r->at++;
    while (next_element(r, '}')) {
        jv name = read_string(r);
        r->at = lt_json_skip_space(r->at, r->end);
        r->at += r->at < r->end; /* the colon */
        object = lt_jq.object_set(object, name, read_value(r));
    }
    return object;
}

static jv read_value(struct reader *r) {
    r->at = lt_json_skip_space(r->at, r->end);
    switch (r->at < r->end ? *r->at : 'n') {
    case '"':
        return read_string(r);
    case '{':
        return read_object(r);
    case '[':
        return read_array(r);
    case 't':
        r->at += 4;
        return lt_jq.bool_(1);
    case 'f':
        r->at += 5;
        return lt_jq.bool_(0);
    case 'n':
        r->at += 4;
        return lt_jq.null();
    default:
        return read_number(r);
    }
}

jv lt_expr_read_value(struct lt_json value) {
    struct reader r = {.at = value.raw.data, .end = value.raw.data + value.raw.len};

    if (value.raw.len > INT_MAX)
        return lt_jq.invalid();
    lt_buf_init(&r.text, INT_MAX);
    jv read = read_value(&r);
    if (r.text.failed) {
        lt_jq.free(read);
        read = lt_jq.invalid();
    }
    lt_buf_deinit(&r.text);
    return read;
}
