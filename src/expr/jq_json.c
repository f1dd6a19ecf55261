/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte at a time, as in jq, since its errors tell the byte at which it notices. A value that is
 * complete waits in `next` until a comma, colon or closer says what it is; a key stands on the
 * stack above its object.
 */
#include "expr/jq_json.h"

#include "expr/fn_help.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 256,
    RS = 0x1e, /* a record separator begins anew */
};

/** What a byte led to, unless that is an error's text. */
static const char VALUE[] = "a value is complete";

struct reader {
    struct lt_vm *vm;
    struct lt_slice text;
    size_t at;
    size_t line;
    size_t column;
    enum { BETWEEN, IN_STRING, AFTER_BACKSLASH } state;
    size_t token; /**< its first byte */
    size_t token_len;
    struct lt_val next;
    bool has_next;
    struct lt_val stack[MAX_DEPTH + 1];
    size_t depth;
};

static const char NEEDS_SEPARATOR[] = "Expected separator between values";

static const char *put(struct reader *r, struct lt_val v) {
    if (r->has_next)
        return NEEDS_SEPARATOR;
    r->next = v;
    r->has_next = true;
    return NULL;
}

static struct lt_val *top(struct reader *r) {
    return r->depth ? &r->stack[r->depth - 1] : NULL;
}

static const char *push(struct reader *r, struct lt_val v) {
    if (r->depth > MAX_DEPTH)
        return "Exceeds depth limit for parsing";
    r->stack[r->depth++] = v;
    return NULL;
}

static const char *open_container(struct reader *r, struct lt_val empty) {
    if (r->depth >= MAX_DEPTH)
        return "Exceeds depth limit for parsing";
    if (r->has_next)
        return NEEDS_SEPARATOR;
    return push(r, empty);
}

/* Takes the waiting value into the member whose key is on top. */
static void finish_member(struct reader *r) {
    struct lt_val key = r->stack[--r->depth];
    *top(r) = lt_val_object_set(&r->vm->heap, *top(r), key, r->next);
    r->has_next = false;
}

static const char *colon(struct reader *r) {
    if (!r->has_next)
        return "Expected string key before ':'";
    if (!top(r) || top(r)->kind != LT_VAL_OBJECT)
        return "':' not as part of an object";
    if (r->next.kind != LT_VAL_STRING)
        return "Object keys must be strings";
    r->has_next = false;
    return push(r, r->next);
}

static const char *comma(struct reader *r) {
    if (!r->has_next)
        return "Expected value before ','";
    if (!top(r))
        return "',' not as part of an object or array";
    if (top(r)->kind == LT_VAL_OBJECT)
        return "Objects must consist of key:value pairs";
    if (top(r)->kind == LT_VAL_STRING) {
        finish_member(r);
        return NULL;
    }
    *top(r) = lt_val_array_append(&r->vm->heap, *top(r), r->next);
    r->has_next = false;
    return NULL;
}

static const char *close_container(struct reader *r) {
    r->next = r->stack[--r->depth];
    r->has_next = true;
    return NULL;
}

static const char *close_array(struct reader *r) {
    struct lt_heap *heap = &r->vm->heap;
    if (!top(r) || top(r)->kind != LT_VAL_ARRAY)
        return "Unmatched ']'";
    if (r->has_next)
        *top(r) = lt_val_array_append(heap, *top(r), r->next);
    else if (lt_val_array_len(heap, *top(r)))
        return "Expected another array element";
    return close_container(r);
}

static const char *close_object(struct reader *r) {
    if (!top(r))
        return "Unmatched '}'";
    if (r->has_next) {
        if (top(r)->kind != LT_VAL_STRING)
            return "Objects must consist of key:value pairs";
        finish_member(r);
    } else {
        if (top(r)->kind != LT_VAL_OBJECT)
            return "Unmatched '}'";
        if (lt_val_object_len(&r->vm->heap, *top(r)))
            return "Expected another key-value pair";
    }
    return close_container(r);
}

static const char *structure(struct reader *r, char c) {
    switch (c) {
    case '[':
        return open_container(r, lt_val_array(&r->vm->heap, 0));
    case '{':
        return open_container(r, lt_val_object(&r->vm->heap, 0));
    case ':':
        return colon(r);
    case ',':
        return comma(r);
    case ']':
        return close_array(r);
    default:
        return close_object(r);
    }
}

/* --- numbers and words ---------------------------------------------------------------------- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Digits with a point at most, as RFC 8259 writes them. */
static bool is_plain(struct lt_slice s) {
    size_t i = s.len && s.data[0] == '-';
    size_t digits = i;
    while (i < s.len && is_digit(s.data[i]))
        i++;
    if (i == digits || (s.data[digits] == '0' && i > digits + 1))
        return false;
    if (i + 1 < s.len && s.data[i] == '.') {
        i++;
        while (i < s.len && is_digit(s.data[i]))
            i++;
    }
    return i == s.len && is_digit(s.data[i - 1]);
}

static bool is_word(const char *s, const char *word) {
    return strcasecmp(s, word) == 0;
}

bool lt_jq_json_number(struct lt_slice token, struct lt_val *out) {
    char text[512];
    char *end;

    token.len = token.len ? strnlen(token.data, token.len) : 0;
    if (is_plain(token)) {
        struct lt_val raw = {
            .kind = LT_VAL_NUMBER, .form = LT_VAL_RAW, .n = (uint32_t)token.len, .s = token.data};
        *out = lt_val_number(raw);
        if (token.data[0] == '-' && out->form == LT_VAL_INT && out->i == 0)
            *out = lt_val_double(-0.0);
        return true;
    }
    if (token.len >= sizeof(text))
        return false;
    if (token.len)
        memcpy(text, token.data, token.len);
    text[token.len] = '\0';
    if (token.len == 0) {
        *out = lt_val_int(0);
        return true;
    }
    const char *body = text + strspn(text, "\v\f"); /* white space for strtod() alone */
    double sign = *body == '-' ? -1 : 1;
    body += *body == '-' || *body == '+';
    if (is_word(body, "nan")) {
        *out = lt_val_double(NAN);
        return true;
    }
    if (is_word(body, "inf") || is_word(body, "infinity")) {
        *out = lt_val_double(sign * (double)INFINITY);
        return true;
    }
    if (!(is_digit(body[0]) || (body[0] == '.' && is_digit(body[1]))) || strpbrk(body, "xX"))
        return false;
    *out = lt_val_double(sign * strtod(body, &end));
    return *end == '\0';
}

/* The token that has just ended, if there was one. */
static const char *finish_token(struct reader *r) {
    struct lt_slice token = {r->text.data + r->token, r->token_len};
    struct lt_val v;

    if (token.len == 0)
        return NULL;
    const char *word = NULL;
    switch (token.data[0]) {
    case 't':
        word = "true";
        v = lt_val_bool(true);
        break;
    case 'f':
        word = "false";
        v = lt_val_bool(false);
        break;
    case 'n':
        word = token.len == 3 ? NULL : "null"; /* three letters may be "nan" */
        v = lt_val_null();
        break;
    default:
        break;
    }
    if (word ? !lt_slice_eq_str(token, word) : !lt_jq_json_number(token, &v))
        return word ? "Invalid literal" : "Invalid numeric literal";
    const char *msg = put(r, v);
    if (!msg)
        r->token_len = 0;
    return msg;
}

/* --- strings -------------------------------------------------------------------------------- */

static int unhex4(const char *s) {
    int v = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = s[i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

/* `*in` stands behind `\u`. */
static const char *unicode_escape(const char **in, const char *end, char **out) {
    if (end - *in < 4)
        return "Invalid \\uXXXX escape";
    int c = unhex4(*in);
    if (c < 0)
        return "Invalid characters in \\uXXXX escape";
    *in += 4;
    if (c >= 0xd800 && c <= 0xdbff) {
        const char *low = *in;
        int d = end - low >= 6 && low[0] == '\\' && low[1] == 'u' ? unhex4(low + 2) : -1;
        if (d < 0xdc00 || d > 0xdfff)
            return "Invalid \\uXXXX\\uXXXX surrogate pair escape";
        *in += 6;
        c = 0x10000 + ((c - 0xd800) << 10 | (d - 0xdc00));
    }
    *out += lt_fn_write_codepoint(*out, c >= 0xdc00 && c <= 0xdfff ? 0xfffd : (uint32_t)c);
    return NULL;
}

static const char *unescape(const char **in, const char *end, char **out) {
    static const char from[] = "\\\"/bftnr";
    static const char to[] = "\\\"/\b\f\t\n\r";
    if (*in == end)
        return "Expected escape character at end of string";
    char c = *(*in)++;
    if (c == 'u')
        return unicode_escape(in, end, out);
    const char *hit = c ? strchr(from, c) : NULL;
    if (!hit)
        return "Invalid escape";
    *(*out)++ = to[hit - from];
    return NULL;
}

static const char *finish_string(struct reader *r) {
    const char *in = r->text.data + r->token;
    const char *end = in + r->token_len;
    char *text = lt_fn_string_room(r->vm, r->token_len);
    char *out = text;

    if (!text)
        return "no memory";
    while (in < end) {
        char c = *in++;
        if (c == '\\') {
            const char *msg = unescape(&in, end, &out);
            if (msg)
                return msg;
        } else {
            if (c > 0 && c < 0x1f)
                return "Invalid string: control characters from U+0000 through U+001F must be "
                       "escaped";
            *out++ = c;
        }
    }
    const char *msg = put(r, lt_val_string((struct lt_slice){text, (size_t)(out - text)}));
    if (!msg)
        r->token_len = 0;
    return msg;
}

/* --- bytes ---------------------------------------------------------------------------------- */

static bool take(struct reader *r, struct lt_val *out) {
    if (r->depth || !r->has_next)
        return false;
    *out = r->next;
    r->has_next = false;
    return true;
}

static void add_to_token(struct reader *r) {
    if (r->token_len == 0)
        r->token = r->at - 1;
    r->token_len++;
}

static const char *byte_between(struct reader *r, char c, struct lt_val *out, bool *got) {
    const char *msg = NULL;
    bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';

    if (!space && c != '"' && !(c && strchr("[]{}:,", c))) {
        add_to_token(r);
        return NULL;
    }
    msg = finish_token(r);
    if (msg)
        return msg;
    *got = take(r, out);
    if (c == '"')
        r->state = IN_STRING;
    else if (!space)
        msg = structure(r, c);
    if (msg)
        return msg;
    *got = take(r, out) || *got;
    return NULL;
}

static const char *byte_in_string(struct reader *r, char c, struct lt_val *out, bool *got) {
    if (c == '"' && r->state == IN_STRING) {
        const char *msg = finish_string(r);
        if (msg)
            return msg;
        r->state = BETWEEN;
        *got = take(r, out);
        return NULL;
    }
    add_to_token(r);
    r->state = c == '\\' && r->state == IN_STRING ? AFTER_BACKSLASH : IN_STRING;
    return NULL;
}

static const char *separator(struct reader *r, struct lt_val *out, bool *got) {
    const char *msg = finish_token(r);
    if (msg)
        return msg;
    if (r->state != BETWEEN || !take(r, out)) {
        r->has_next = false;
        r->depth = 0;
        r->token_len = 0;
        r->state = BETWEEN;
        return VALUE; /* though there is none */
    }
    *got = true;
    return NULL;
}

/* The next value: NULL, and whether there was one; or an error's text, `*eof` when the end of the
 * text is at fault. */
static const char *read_value(struct reader *r, struct lt_val *out, bool *got, bool *eof) {
    const char *msg = NULL;

    *got = false;
    *eof = false;
    while (!msg && !*got && r->at < r->text.len) {
        char c = r->text.data[r->at++];
        r->column++;
        if (c == '\n') {
            r->line++;
            r->column = 0;
        }
        if (c == RS)
            msg = separator(r, out, got);
        else if (r->state == BETWEEN)
            msg = byte_between(r, c, out, got);
        else
            msg = byte_in_string(r, c, out, got);
    }
    if (msg || *got)
        return msg == VALUE ? NULL : msg;
    *eof = true;
    if (r->state != BETWEEN)
        return "Unfinished string";
    msg = finish_token(r);
    if (msg)
        return msg;
    if (r->depth)
        return "Unfinished JSON term";
    *got = take(r, out);
    return NULL;
}

static enum lt_flow fail(struct reader *r, const char *msg, bool eof, struct lt_slice whole) {
    size_t shown = whole.len ? strnlen(whole.data, whole.len) : 0;
    if (r->vm->heap.full)
        return lt_vm_step(r->vm);
    if (r->line == 0)
        return lt_vm_raise(r->vm, "%s (while parsing '%.*s')", msg, (int)shown, whole.data);
    return lt_vm_raise(r->vm, "%s at %sline %zu, column %zu (while parsing '%.*s')", msg,
                       eof ? "EOF at " : "", r->line, r->column, (int)shown, whole.data);
}

enum lt_flow lt_jq_json_parse(struct lt_vm *vm, struct lt_slice text, struct lt_val *out) {
    static const char bom[] = "\xef\xbb\xbf";
    struct reader *r = lt_heap_alloc(&vm->heap, sizeof(*r));
    struct lt_val more;
    bool got;
    bool eof;
    size_t n = 0;

    if (!r)
        return lt_vm_step(vm);
    memset(r, 0, sizeof(*r));
    r->vm = vm;
    while (n < 3 && n < text.len && text.data[n] == bom[n])
        n++;
    r->text = (struct lt_slice){text.data + n, text.len - n};
    if (n == 1 || n == 2)
        return fail(r, "Malformed BOM", false, text);
    r->line = 1;
    const char *msg = read_value(r, out, &got, &eof);
    if (!msg && !got) {
        r->line = 0;
        return fail(r, "Expected JSON value", false, text);
    }
    if (!msg && !eof) {
        msg = read_value(r, &more, &got, &eof);
        if (!msg && got) {
            r->line = 0;
            msg = "Unexpected extra JSON values";
        }
    }
    return msg ? fail(r, msg, eof, text) : lt_vm_step(vm);
}
