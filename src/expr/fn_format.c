/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of jq 1.6: a value as text for somebody else's syntax. */
#include "expr/fn.h"
#include "expr/val_number.h"

#include "base/base64.h"

#include <math.h>

/* What stands for a byte; in jq NUL is written as \0 wherever anything is escaped so. */
struct escape {
    char byte;
    const char *text;
};
static const struct escape csv_escapes[] = {{'"', "\"\""}, {'\0', "\\0"}};
static const struct escape tsv_escapes[] = {
    {'\t', "\\t"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\\', "\\\\"}, {'\0', "\\0"}};
static const struct escape html_escapes[] = {{'&', "&amp;"},   {'<', "&lt;"},   {'>', "&gt;"},
                                             {'\'', "&apos;"}, {'"', "&quot;"}, {'\0', "\\0"}};
static const struct escape sh_escapes[] = {{'\'', "'\\''"}, {'\0', "\\0"}};
#define ESCAPES(list) list, sizeof(list) / sizeof(*(list))

static void put_escaped(struct lt_buf *out, struct lt_slice text, const struct escape *escapes,
                        size_t n) {
    size_t from = 0;
    for (size_t at = 0; at < text.len; at++)
        for (size_t i = 0; i < n; i++)
            if (text.data[at] == escapes[i].byte) {
                lt_buf_append(out, lt_slice(text.data + from, at - from));
                lt_buf_append_str(out, escapes[i].text);
                from = at + 1;
                break;
            }
    lt_buf_append(out, lt_slice_from(text, from));
}

/* As `tostring` */
static struct lt_slice text_of(struct lt_heap *heap, struct lt_val v) {
    return v.kind == LT_VAL_STRING ? lt_val_bytes(heap, v) : lt_val_json(heap, v);
}

static enum lt_flow refuse(struct lt_vm *vm, struct lt_val v, const char *why) {
    char shown[16];
    return lt_vm_raise(vm, "%s (%s) %s", lt_val_type(v), lt_val_shortened(&vm->heap, v, shown),
                       why);
}

/* A row's cell or a word: null, a boolean or a number. */
static void put_plain(struct lt_buf *out, struct lt_val v) {
    char text[32];
    if (v.kind == LT_VAL_NUMBER)
        lt_buf_append(out, lt_slice(text, lt_val_format_number(v, text)));
    else
        lt_buf_append_str(out, v.kind == LT_VAL_NULL   ? "null"
                               : v.kind == LT_VAL_TRUE ? "true"
                                                       : "false");
}

/* null and NaN are empty cells. */
static void put_cell(struct lt_buf *out, struct lt_val v) {
    if (v.kind != LT_VAL_NULL && !(v.kind == LT_VAL_NUMBER && isnan(lt_val_as_double(v))))
        put_plain(out, v);
}

static enum lt_flow put_row(struct lt_vm *vm, struct lt_val v, bool tsv, struct lt_buf *out) {
    size_t n;
    if (v.kind != LT_VAL_ARRAY)
        return refuse(vm, v,
                      tsv ? "cannot be tsv-formatted, only array"
                          : "cannot be csv-formatted, only array");
    const struct lt_val *items = lt_val_items(&vm->heap, v, &n);
    for (size_t i = 0; i < n; i++) {
        if (i)
            lt_buf_append_byte(out, tsv ? '\t' : ',');
        if (items[i].kind >= LT_VAL_ARRAY)
            return refuse(vm, items[i], "is not valid in a csv row");
        if (items[i].kind != LT_VAL_STRING) {
            put_cell(out, items[i]);
        } else if (tsv) {
            put_escaped(out, lt_val_bytes(&vm->heap, items[i]), ESCAPES(tsv_escapes));
        } else {
            lt_buf_append_byte(out, '"');
            put_escaped(out, lt_val_bytes(&vm->heap, items[i]), ESCAPES(csv_escapes));
            lt_buf_append_byte(out, '"');
        }
    }
    return LT_FLOW_ON;
}

static enum lt_flow put_words(struct lt_vm *vm, struct lt_val v, struct lt_buf *out) {
    size_t n = 1;
    const struct lt_val *items = v.kind == LT_VAL_ARRAY ? lt_val_items(&vm->heap, v, &n) : &v;
    for (size_t i = 0; i < n; i++) {
        if (i)
            lt_buf_append_byte(out, ' ');
        if (items[i].kind >= LT_VAL_ARRAY)
            return refuse(vm, items[i], "can not be escaped for shell");
        if (items[i].kind != LT_VAL_STRING) {
            put_plain(out, items[i]);
            continue;
        }
        lt_buf_append_byte(out, '\'');
        put_escaped(out, lt_val_bytes(&vm->heap, items[i]), ESCAPES(sh_escapes));
        lt_buf_append_byte(out, '\'');
    }
    return LT_FLOW_ON;
}

static void put_uri(struct lt_buf *out, struct lt_slice text) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     (c && strchr("-_.!~*'()", c));
        if (plain)
            lt_buf_append_byte(out, (char)c);
        else
            lt_buf_append(out, lt_slice((char[]){'%', hex[c >> 4], hex[c & 15]}, 3));
    }
}

static int sextet(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* As jq 1.6 reads it: up to the first `=`, however many there are or are missing. */
static enum lt_flow decode(struct lt_vm *vm, struct lt_slice text, struct lt_buf *out) {
    uint32_t code = 0;
    unsigned n = 0;
    for (size_t i = 0; i < text.len && text.data[i] != '='; i++) {
        int bits = sextet(text.data[i]);
        if (bits < 0)
            return refuse(vm, lt_val_string(text), "is not valid base64 data");
        code = code << 6 | (uint32_t)bits;
        if (++n % 4 == 0)
            lt_buf_append(out,
                          lt_slice((char[]){(char)(code >> 16), (char)(code >> 8), (char)code}, 3));
    }
    if (n % 4 == 1)
        return refuse(vm, lt_val_string(text), "trailing base64 byte found");
    if (n % 4 == 2)
        lt_buf_append_byte(out, (char)(code >> 4));
    if (n % 4 == 3)
        lt_buf_append(out, lt_slice((char[]){(char)(code >> 10), (char)(code >> 2)}, 2));
    return LT_FLOW_ON;
}

static enum lt_flow put(struct lt_vm *vm, enum lt_format format, struct lt_val v,
                        struct lt_buf *out) {
    switch (format) {
    case LT_FORMAT_CSV:
        return put_row(vm, v, false, out);
    case LT_FORMAT_TSV:
        return put_row(vm, v, true, out);
    case LT_FORMAT_SH:
        return put_words(vm, v, out);
    case LT_FORMAT_HTML:
        put_escaped(out, text_of(&vm->heap, v), ESCAPES(html_escapes));
        return LT_FLOW_ON;
    case LT_FORMAT_URI:
        put_uri(out, text_of(&vm->heap, v));
        return LT_FLOW_ON;
    case LT_FORMAT_BASE64:
        lt_base64_append(out, text_of(&vm->heap, v));
        return LT_FLOW_ON;
    case LT_FORMAT_BASE64D:
    default:
        return decode(vm, text_of(&vm->heap, v), out);
    }
}

enum lt_flow lt_fn_format(struct lt_vm *vm, enum lt_format format, struct lt_val v,
                          struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    if (format == LT_FORMAT_TEXT || format == LT_FORMAT_JSON) {
        bool as_it_is = format == LT_FORMAT_TEXT && v.kind == LT_VAL_STRING;
        *out = as_it_is ? v : lt_val_string(lt_val_json(heap, v));
        return heap->full ? lt_vm_step(vm) : LT_FLOW_ON;
    }
    struct lt_buf text;
    lt_buf_init(&text, heap->arena->max);
    enum lt_flow flow = put(vm, format, v, &text);
    heap->full |= text.failed;
    if (flow == LT_FLOW_ON && !heap->full)
        *out = lt_val_copy_string(heap, lt_buf_slice(&text));
    lt_buf_deinit(&text);
    return flow == LT_FLOW_ON && heap->full ? lt_vm_step(vm) : flow;
}
