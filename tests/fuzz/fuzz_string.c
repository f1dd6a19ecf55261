/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the inside of a string: where the validator takes them, they are unescaped as a
 * plain loop does it; any bytes as text are written as a string that reads back as they were.
 */
#include "json/json.h"
#include "json/scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void put(struct lt_buf *out, unsigned c) {
    if (c < 0x80) {
        lt_buf_append_byte(out, (char)c);
    } else if (c < 0x800) {
        lt_buf_append_byte(out, (char)(0xc0 | c >> 6));
        lt_buf_append_byte(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        lt_buf_append_byte(out, (char)(0xe0 | c >> 12));
        lt_buf_append_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
        lt_buf_append_byte(out, (char)(0x80 | (c & 0x3f)));
    } else {
        lt_buf_append_byte(out, (char)(0xf0 | c >> 18));
        lt_buf_append_byte(out, (char)(0x80 | (c >> 12 & 0x3f)));
        lt_buf_append_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
        lt_buf_append_byte(out, (char)(0x80 | (c & 0x3f)));
    }
}

static unsigned hex4(const char *at) {
    char digits[5] = {at[0], at[1], at[2], at[3], '\0'};
    return (unsigned)strtoul(digits, NULL, 16);
}

static void unescape_plainly(struct lt_slice body, struct lt_buf *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

    for (size_t i = 0; i < body.len;) {
        const char *at = body.data + i;
        if (*at != '\\') {
            lt_buf_append_byte(out, *at);
            i++;
        } else if (at[1] != 'u') {
            lt_buf_append_byte(out, to[strchr(from, at[1]) - from]);
            i += 2;
        } else {
            unsigned c = hex4(at + 2);
            bool pair = c >= 0xd800 && c < 0xdc00;
            put(out, pair ? 0x10000 + (c - 0xd800) * 0x400 + (hex4(at + 8) - 0xdc00) : c);
            i += pair ? 12 : 6;
        }
    }
}

static void check_string(struct lt_json string, struct lt_slice wanted) {
    struct lt_arena arena;
    struct lt_buf out;

    lt_arena_init(&arena, SIZE_MAX);
    lt_buf_init(&out, SIZE_MAX);
    struct lt_slice found = lt_json_string(string, &arena);
    must(found.data && lt_slice_eq(found, wanted));
    lt_buf_append_byte(&out, 'x');
    lt_json_string_append(string, &out);
    must(out.len == wanted.len + 1 && lt_slice_eq(lt_slice(out.data + 1, wanted.len), wanted));
    must(lt_json_string_is(string, wanted));
    lt_buf_append_byte(&out, 'y');
    must(!lt_json_string_is(string, lt_slice(out.data + 1, wanted.len + 1)));
    must(!wanted.len || !lt_json_string_is(string, lt_slice(wanted.data, wanted.len - 1)));
    lt_buf_deinit(&out);
    lt_arena_deinit(&arena);
}

static bool is_utf8(struct lt_slice text) {
    const char *at = text.data, *end = text.data + text.len;

    while (at < end) {
        unsigned n = lt_utf8_len(at, end);
        if (!n)
            return false;
        at += n;
    }
    return true;
}

/* Text to string and back. Of bytes that are not UTF-8 the good ones stay. */
static void check_written(struct lt_slice text) {
    struct lt_json string;
    struct lt_buf out;

    lt_buf_init(&out, SIZE_MAX);
    lt_json_write_string(&out, text);
    must(lt_json_parse(&string, lt_buf_slice(&out), 0, NULL) == LEAT_OK);
    must(string.type == LT_JSON_STRING && string.raw.len == out.len);
    if (is_utf8(text))
        check_string(string, text);
    else
        must(!lt_json_string_is(string, text));
    lt_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    char *copy = malloc(len + 2); /* nothing readable behind it */
    struct lt_slice body = {copy + 1, len};
    struct lt_json string;

    must(copy != NULL);
    copy[0] = copy[len + 1] = '"';
    if (len)
        memcpy(copy + 1, data, len);
    if (lt_json_parse(&string, lt_slice(copy, len + 2), 0, NULL) == LEAT_OK) {
        struct lt_buf plain;
        lt_buf_init(&plain, SIZE_MAX);
        lt_buf_append_byte(&plain, ' '); /* so that it has memory */
        unescape_plainly(body, &plain);
        check_string(string, lt_slice(plain.data + 1, plain.len - 1));
        lt_buf_deinit(&plain);
    }
    check_written(body);
    free(copy);
    return 0;
}
