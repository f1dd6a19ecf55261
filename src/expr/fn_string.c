/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: parts of them (which share their bytes), and strings made of others. */
#include "expr/fn.h"
#include "expr/fn_help.h"

#include <string.h>

static const struct lt_slice NOTHING = {"", 0};

/* --- begins and ends ------------------------------------------------------------------------ */

static bool begins(struct lt_slice all, struct lt_slice part) {
    return part.len <= all.len && (!part.len || memcmp(all.data, part.data, part.len) == 0);
}

static bool ends(struct lt_slice all, struct lt_slice part) {
    return part.len <= all.len &&
           (!part.len || memcmp(all.data + all.len - part.len, part.data, part.len) == 0);
}

static bool are_strings(const struct lt_val *args) {
    return args[0].kind == LT_VAL_STRING && args[1].kind == LT_VAL_STRING;
}

static enum lt_flow startswith(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    if (!are_strings(args))
        return lt_vm_raise(vm, "startswith() requires string inputs");
    *out = lt_val_bool(begins(lt_val_bytes(heap, args[0]), lt_val_bytes(heap, args[1])));
    return LT_FLOW_ON;
}

static enum lt_flow endswith(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    if (!are_strings(args))
        return lt_vm_raise(vm, "endswith() requires string inputs");
    *out = lt_val_bool(ends(lt_val_bytes(heap, args[0]), lt_val_bytes(heap, args[1])));
    return LT_FLOW_ON;
}

static enum lt_flow ltrimstr(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    *out = args[0];
    if (are_strings(args)) {
        struct lt_slice all = lt_val_bytes(&vm->heap, args[0]);
        struct lt_slice part = lt_val_bytes(&vm->heap, args[1]);
        if (begins(all, part))
            *out = lt_val_string((struct lt_slice){all.data + part.len, all.len - part.len});
    }
    return LT_FLOW_ON;
}

static enum lt_flow rtrimstr(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    *out = args[0];
    if (are_strings(args)) {
        struct lt_slice all = lt_val_bytes(&vm->heap, args[0]);
        struct lt_slice part = lt_val_bytes(&vm->heap, args[1]);
        if (ends(all, part))
            *out = lt_val_string((struct lt_slice){all.data, all.len - part.len});
    }
    return LT_FLOW_ON;
}

/* --- codepoints ----------------------------------------------------------------------------- */

/* The bytes are valid UTF-8. */
static int64_t read_codepoint(const char *s, size_t len) {
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    int64_t c = (unsigned char)*s & masks[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    return c;
}

size_t lt_fn_write_codepoint(char *to, uint32_t c) {
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(heads[len] | c);
    return len;
}

static enum lt_flow explode(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    if (args[0].kind != LT_VAL_STRING)
        return lt_vm_raise(vm, "explode input must be a string");
    struct lt_slice s = lt_val_bytes(heap, args[0]);
    *out = lt_val_array(heap, lt_val_codepoints(s));
    for (size_t i = 0; i < s.len && !heap->full;) {
        size_t len = lt_fn_codepoint_len(s.data[i]);
        *out = lt_val_array_append(heap, *out, lt_val_int(read_codepoint(s.data + i, len)));
        i += len;
    }
    return lt_fn_charge(vm, s.len / 4);
}

/* What is no codepoint becomes U+FFFD. */
static enum lt_flow implode(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    size_t n;
    size_t len = 0;

    if (args[0].kind != LT_VAL_ARRAY)
        return lt_vm_raise(vm, "implode input must be an array");
    const struct lt_val *values = lt_val_items(heap, args[0], &n);
    char *text = lt_fn_string_room(vm, 4 * n);
    if (!text)
        return lt_vm_step(vm);
    for (size_t i = 0; i < n; i++) {
        if (values[i].kind != LT_VAL_NUMBER)
            return lt_fn_refuse(vm, values[i],
                                "can't be imploded, unicode codepoint needs to be numeric");
        int c = lt_fn_to_int(lt_val_as_double(values[i]));
        bool valid = c >= 0 && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        len += lt_fn_write_codepoint(text + len, valid ? (uint32_t)c : 0xfffd);
    }
    *out = lt_val_string((struct lt_slice){text, len});
    return lt_fn_charge(vm, n / 4);
}

/* Each byte from `first` on, for 26 of them, with bit 0x20 changed. */
static enum lt_flow change_case(struct lt_vm *vm, struct lt_val v, char first, struct lt_val *out) {
    if (v.kind != LT_VAL_STRING)
        return lt_vm_raise(vm, "explode input must be a string");
    struct lt_slice s = lt_val_bytes(&vm->heap, v);
    char *text = lt_fn_string_room(vm, s.len);
    if (!text)
        return lt_vm_step(vm);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        bool hit = (unsigned char)(c - (unsigned char)first) < 26;
        text[i] = (char)(c ^ (hit ? 0x20 : 0));
    }
    *out = lt_val_string((struct lt_slice){text, s.len});
    return lt_fn_charge(vm, s.len / 16);
}

static enum lt_flow ascii_downcase(struct lt_vm *vm, const struct lt_val *args,
                                   struct lt_val *out) {
    return change_case(vm, args[0], 'A', out);
}

static enum lt_flow ascii_upcase(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return change_case(vm, args[0], 'a', out);
}

/* --- split and join ------------------------------------------------------------------------- */

static enum lt_flow split(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    if (!are_strings(args))
        return lt_vm_raise(vm, "split input and separator must be strings");
    return lt_fn_split(vm, lt_val_bytes(&vm->heap, args[0]), lt_val_bytes(&vm->heap, args[1]), out);
}

/* A separator of nothing stands between all codepoints; nothing splits into no parts. */
enum lt_flow lt_fn_split(struct lt_vm *vm, struct lt_slice all, struct lt_slice by,
                         struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    enum lt_flow flow = LT_FLOW_ON;
    size_t at = 0;

    *out = lt_val_array(heap, 0);
    while (at < all.len && flow == LT_FLOW_ON) {
        size_t end = all.len;
        if (by.len == 0) {
            end = at + lt_fn_codepoint_len(all.data[at]);
        } else {
            const char *hit = memmem(all.data + at, all.len - at, by.data, by.len);
            if (hit)
                end = (size_t)(hit - all.data);
        }
        *out = lt_val_array_append(heap, *out,
                                   lt_val_string((struct lt_slice){all.data + at, end - at}));
        at = end + by.len;
        if (by.len && at == all.len)
            *out = lt_val_array_append(heap, *out, lt_val_string(NOTHING));
        flow = lt_vm_step(vm);
    }
    return flow;
}

/* The text of an element between separators; false for an array or object. */
static bool text_of(struct lt_heap *heap, struct lt_val v, struct lt_slice *text) {
    switch (v.kind) {
    case LT_VAL_STRING:
        *text = lt_val_bytes(heap, v);
        return true;
    case LT_VAL_NULL:
        *text = NOTHING;
        return true;
    case LT_VAL_ARRAY:
    case LT_VAL_OBJECT:
        return false;
    default:
        *text = lt_val_json(heap, v);
        return true;
    }
}

static struct lt_val glue(struct lt_vm *vm, const struct lt_slice *parts, size_t n,
                          struct lt_slice by) {
    size_t len = n ? by.len * (n - 1) : 0;
    for (size_t i = 0; i < n; i++)
        len += parts[i].len;
    char *text = lt_fn_string_room(vm, len);
    if (!text)
        return lt_val_null();
    char *to = text;
    for (size_t i = 0; i < n; i++) {
        if (i && by.len)
            to = mempcpy(to, by.data, by.len);
        if (parts[i].len)
            to = mempcpy(to, parts[i].data, parts[i].len);
    }
    return lt_val_string((struct lt_slice){text, len});
}

/* jq adds up from the left, so that an error tells what had been joined by then. */
static enum lt_flow join(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    const struct lt_val *values;
    struct lt_val by = args[1];
    struct lt_slice between = NOTHING;
    size_t n;
    enum lt_flow flow = lt_fn_values(vm, args[0], &values, &n);

    if (flow != LT_FLOW_ON)
        return flow;
    struct lt_slice *parts = lt_heap_alloc(heap, (n + 1) * sizeof(*parts));
    if (!parts)
        return lt_vm_step(vm);
    if (by.kind == LT_VAL_STRING)
        between = lt_val_bytes(heap, by);
    for (size_t i = 0; i < n && flow == LT_FLOW_ON; i++) {
        if (i && by.kind != LT_VAL_STRING && by.kind != LT_VAL_NULL)
            return lt_vm_binary(vm, LT_OP_ADD, glue(vm, parts, i, NOTHING), by, out);
        if (!text_of(heap, values[i], &parts[i])) {
            parts[i] = NOTHING;
            return lt_vm_binary(vm, LT_OP_ADD, glue(vm, parts, i + 1, between), values[i], out);
        }
        flow = lt_vm_step(vm);
    }
    *out = glue(vm, parts, n, between);
    return flow;
}

const struct lt_fn lt_fn_string[] = {
    {"ascii_downcase", 0, ascii_downcase, NULL},
    {"ascii_upcase", 0, ascii_upcase, NULL},
    {"endswith", 1, endswith, NULL},
    {"explode", 0, explode, NULL},
    {"implode", 0, implode, NULL},
    {"join", 1, join, NULL},
    {"ltrimstr", 1, ltrimstr, NULL},
    {"rtrimstr", 1, rtrimstr, NULL},
    {"split", 1, split, NULL},
    {"startswith", 1, startswith, NULL},
    {NULL, 0, NULL, NULL},
};
