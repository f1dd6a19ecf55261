/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON: what the validator passes can be walked, unescaped, written
 * again and spliced, and comes out as JSON that says the same. The tape passes the same texts,
 * refuses the others in the same words, and shows the same values; each scanner makes the same
 * tape.
 */
#include "json/scanner.h"

#include <math.h>
#include <stdlib.h>

enum { DEPTH = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void check_string(struct lt_json string) {
    struct lt_json again;
    struct lt_buf plain, quoted;

    lt_buf_init(&plain, SIZE_MAX);
    lt_buf_init(&quoted, SIZE_MAX);
    lt_json_string_append(string, &plain);
    must(lt_json_string_is(string, lt_buf_slice(&plain)));
    lt_json_write_string(&quoted, lt_buf_slice(&plain));
    must(lt_json_parse(&again, lt_buf_slice(&quoted), 0, NULL) == LEAT_OK);
    must(lt_json_string_is(again, lt_buf_slice(&plain)));
    lt_buf_deinit(&plain);
    lt_buf_deinit(&quoted);
}

static void check_number(struct lt_json number) {
    double as_double;
    int64_t as_int;
    char text[32];

    must(lt_json_double(number, &as_double));
    must(!isnan(as_double));
    lt_json_format_double(as_double, text);
    if (isfinite(as_double))
        must(strtod(text, NULL) == as_double);
    if (lt_json_int64(number, &as_int))
        must((double)as_int == as_double);
}

static void walk(struct lt_json value, unsigned depth) {
    struct lt_json_iter iter = lt_json_iter(value);
    struct lt_json key, child;
    size_t n = 0;

    must(depth <= DEPTH && value.raw.len > 0);
    must(lt_json_parse(&child, value.raw, DEPTH, NULL) == LEAT_OK);
    must(child.type == value.type && lt_slice_eq(child.raw, value.raw));
    if (value.type == LT_JSON_STRING)
        check_string(value);
    if (value.type == LT_JSON_NUMBER)
        check_number(value);
    for (; iter.object && lt_json_next_member(&iter, &key, &child); n++) {
        must(key.type == LT_JSON_STRING);
        check_string(key);
        walk(child, depth + 1);
    }
    for (; !iter.object && lt_json_next(&iter, &child); n++)
        walk(child, depth + 1);
    must(n == lt_json_count(value));
}

/* By a tape of the caller's, and by the iterator: the portable scanner makes no tape of its own. */
static void check_other_splices(struct lt_json object, const struct lt_json_field *fields,
                                size_t n_fields, struct lt_slice wanted) {
    const char *in_use = lt_json_scanner_name();
    struct lt_json_tape tape = {0};
    struct lt_buf out;

    lt_buf_init(&out, SIZE_MAX);
    must(lt_json_tape_parse(&tape, object.raw, DEPTH, NULL) == LEAT_OK);
    lt_json_tape_splice(&tape, 0, fields, n_fields, &out);
    must(lt_slice_eq(lt_buf_slice(&out), wanted));
    lt_buf_clear(&out);
    must(lt_json_scanner_use("portable"));
    lt_json_splice(object, fields, n_fields, &out);
    must(lt_slice_eq(lt_buf_slice(&out), wanted));
    must(lt_json_scanner_use(in_use));
    lt_buf_deinit(&out);
    lt_json_tape_deinit(&tape);
}

/* Sets the first member's name and a name of the text's own; then both have the new values. */
static void check_splice(struct lt_json object) {
    struct lt_json_field fields[3] = {{LT_LIT("a"), LT_LIT("{\"x\":[1]}")},
                                      {LT_LIT("new\n"), LT_LIT("2")},
                                      {LT_LIT("a"), LT_LIT("\"3\"")}};
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, value;
    struct lt_buf out, name;

    lt_buf_init(&out, SIZE_MAX);
    lt_buf_init(&name, SIZE_MAX);
    if (lt_json_next_member(&iter, &key, &value)) {
        lt_json_string_append(key, &name);
        fields[0].name = lt_slice(name.data ? name.data : "", name.len);
    }
    lt_json_splice(object, fields, 3, &out);
    check_other_splices(object, fields, 3, lt_buf_slice(&out));
    must(lt_json_parse(&object, lt_buf_slice(&out), DEPTH + 2, NULL) == LEAT_OK);
    must(lt_json_get(object, "new\n", &value));
    if (!lt_slice_eq_str(fields[0].name, "new\n"))
        must(lt_slice_eq_str(value.raw, "2"));
    must(lt_json_get(object, "a", &value) && lt_slice_eq_str(value.raw, "\"3\""));
    lt_buf_deinit(&out);
    lt_buf_deinit(&name);
}

/* The tape's values are those that the iterator finds in the text. */
static void walk_tape(const struct lt_json_tape *tape, uint32_t token, struct lt_json wanted) {
    struct lt_json found = lt_json_tape_value(tape, token);
    struct lt_json_iter iter = lt_json_iter(wanted);
    struct lt_json key, child, last;

    must(found.type == wanted.type && found.raw.data == wanted.raw.data &&
         found.raw.len == wanted.raw.len && lt_json_tape_type(tape, token) == wanted.type);
    if (wanted.type != LT_JSON_ARRAY && wanted.type != LT_JSON_OBJECT)
        return;
    uint32_t at = lt_json_tape_first(tape, token);
    for (; iter.object && lt_json_next_member(&iter, &key, &child);
         at = lt_json_tape_next(tape, at + 2)) {
        struct lt_buf name;
        lt_buf_init(&name, SIZE_MAX);
        must(at && lt_json_tape_scalar(tape, at).data == key.raw.data);
        lt_json_string_append(key, &name);
        uint32_t member = lt_json_tape_get(tape, token, lt_slice(name.data, name.len));
        must(member >= at + 2);
        if (!memchr(name.data ? name.data : "", '\0', name.len)) {
            lt_buf_append_byte(&name, '\0');
            must(lt_json_get(wanted, name.data, &last));
            must(lt_json_tape_value(tape, member).raw.data == last.raw.data);
        }
        lt_buf_deinit(&name);
        walk_tape(tape, at + 2, child);
    }
    for (; !iter.object && lt_json_next(&iter, &child); at = lt_json_tape_next(tape, at)) {
        must(at != 0);
        walk_tape(tape, at, child);
    }
    must(at == 0);
}

static void check_tape(struct lt_slice text) {
    struct lt_json value, again;
    struct lt_json_tape tape = {0};
    struct leat_error err, tape_err;
    leat_status status = lt_json_validate(&value, text, DEPTH, &err);

    must(lt_json_parse(&again, text, DEPTH, &tape_err) == status && again.type == value.type &&
         again.raw.data == value.raw.data && again.raw.len == value.raw.len);
    if (status != LEAT_OK)
        must(strcmp(err.text, tape_err.text) == 0);
    must(lt_json_tape_parse(&tape, text, DEPTH, &tape_err) == status);
    if (status == LEAT_OK)
        walk_tape(&tape, 0, value);
    else
        must(strcmp(err.text, tape_err.text) == 0);
    lt_json_tape_deinit(&tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_json value;
    struct leat_error err;
    char *copy = malloc(len ? len : 1); /* nothing readable behind it */

    must(copy != NULL);
    if (len)
        memcpy(copy, data, len);
    if (lt_json_parse(&value, lt_slice(copy, len), DEPTH, &err) == LEAT_OK) {
        walk(value, 0);
        if (value.type == LT_JSON_OBJECT)
            check_splice(value);
    }
    check_tape(lt_slice(copy, len));

    struct lt_buf out;
    lt_buf_init(&out, SIZE_MAX);
    lt_json_write_string(&out, lt_slice(copy, len));
    must(lt_json_parse(&value, lt_buf_slice(&out), 0, &err) == LEAT_OK);
    lt_buf_deinit(&out);
    free(copy);
    return 0;
}
