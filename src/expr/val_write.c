/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON text, as jq 1.6 prints it. What still lies in a document is written from its tape.
 */
#include "expr/val_copy.h"
#include "expr/val_number.h"
#include "expr/val_seq.h"

#include "json/scan.h"

enum { FEW_NAMES = 16 }; /* members whose names are compared with each other on the tape */

struct writer {
    struct lt_heap *heap;
    struct lt_buf *out;
    const struct lt_val_style *style; /* NULL: compact */
    bool respell;                     /* RAW numbers are written as jq would print them */
    bool no_copy;                     /* what stands around could not be copied from its document */
    unsigned depth;
};

/* Colors of jq 1.6: null, false, true, numbers, strings, arrays, objects; a member's name. */
static const char *const colors[] = {"\x1b[1;30m", "\x1b[0;39m", "\x1b[0;39m", "\x1b[0;39m",
                                     "\x1b[0;32m", "\x1b[1;39m", "\x1b[1;39m"};
#define NAME_COLOR "\x1b[34;1m"
#define COLOR_OFF "\x1b[0m"

/* --- strings ------------------------------------------------------------------------------ */

/* The first byte that cannot stand as it is. */
static const char *scan_special(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i del = _mm_set1_epi8(0x7f);
    const __m128i last_control = _mm_set1_epi8(0x1f);
    for (; end - at >= 16; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, del));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\' && *at != 0x7f)
        at++;
    return at;
}

static void put_escape(struct lt_buf *out, char c) {
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    static const char hex[] = "0123456789abcdef";
    for (const char *at = letters; *at; at += 2)
        if (*at == c) {
            lt_buf_append(out, lt_slice((char[]){'\\', at[1]}, 2));
            return;
        }
    char text[] = {'\\', 'u', '0', '0', hex[c >> 4 & 7], hex[c & 15]};
    lt_buf_append(out, lt_slice(text, sizeof(text)));
}

static void put_code(struct lt_buf *out, unsigned code) {
    if (code < 0x10000) {
        lt_buf_printf(out, "\\u%04x", code);
        return;
    }
    code -= 0x10000;
    lt_buf_printf(out, "\\u%04x\\u%04x", 0xd800 | code >> 10, 0xdc00 | (code & 0x3ff));
}

static void put_ascii(struct lt_buf *out, struct lt_slice bytes) {
    const char *at = bytes.data, *end = bytes.data + bytes.len;
    while (at < end) {
        unsigned n = lt_utf8_len(at, end);
        if (n < 2) {
            if (n == 0 || scan_special(at, at + 1) == at)
                put_escape(out, *at & 0x7f);
            else
                lt_buf_append_byte(out, *at);
            at++;
            continue;
        }
        unsigned code = (unsigned char)*at & (0xffU >> (n + 1));
        for (unsigned i = 1; i < n; i++)
            code = code << 6 | ((unsigned char)at[i] & 0x3f);
        put_code(out, code);
        at += n;
    }
}

/* With its quotes, and `behind` (a colon, or NUL for nothing) after them. */
static void put_text(const struct writer *w, struct lt_slice bytes, char behind) {
    const char *at = bytes.data, *end = bytes.data + bytes.len;
    bool ascii = w->style && w->style->ascii;
    const char *stop = ascii ? at : scan_special(at, end);
    char *to = lt_buf_reserve(w->out, bytes.len + 3);
    if (!to)
        return;
    *to++ = '"';
    if (stop == end) {
        if (bytes.len)
            memcpy(to, at, bytes.len);
        to[bytes.len] = '"';
        to[bytes.len + 1] = behind;
        lt_buf_commit(w->out, bytes.len + 2 + (behind != '\0'));
        return;
    }
    lt_buf_commit(w->out, 1);
    while (!ascii && at < end) {
        lt_buf_append(w->out, lt_slice(at, (size_t)(stop - at)));
        if (stop < end)
            put_escape(w->out, *stop++);
        at = stop;
        stop = scan_special(at, end);
    }
    if (ascii)
        put_ascii(w->out, bytes);
    lt_buf_append(w->out, lt_slice((char[]){'"', behind}, behind ? 2 : 1));
}

static void put_bytes(const struct writer *w, struct lt_slice bytes) {
    put_text(w, bytes, '\0');
}

static void put_number(const struct writer *w, struct lt_val v) {
    char text[32];
    if (v.form == LT_VAL_RAW && !w->respell)
        lt_buf_append(w->out, lt_slice(v.s, v.n));
    else
        lt_buf_append(w->out, lt_slice(text, lt_val_format_number(v, text)));
}

/* --- compact ------------------------------------------------------------------------------ */

static void put(struct writer *w, struct lt_val v);

static bool enter(struct writer *w) {
    if (w->depth >= LT_VAL_MAX_DEPTH) {
        w->heap->full = true;
        return false;
    }
    w->depth++;
    return true;
}

static void put_items(struct writer *w, struct lt_val array) {
    size_t n;
    const struct lt_val *items = lt_val_items(w->heap, array, &n);
    lt_buf_append_byte(w->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            lt_buf_append_byte(w->out, ',');
        put(w, items[i]);
    }
    lt_buf_append_byte(w->out, ']');
}

static void put_members(struct writer *w, struct lt_val object) {
    size_t n;
    const struct lt_member *members = lt_val_members(w->heap, object, &n);
    lt_buf_append_byte(w->out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i)
            lt_buf_append_byte(w->out, ',');
        put_text(w, lt_slice(members[i].name.s, members[i].name.n), ':');
        put(w, members[i].value);
    }
    lt_buf_append_byte(w->out, '}');
}

static void put_raw_items(struct writer *w, struct lt_val array) {
    const struct lt_json_tape *tape = &array.doc->tape;
    lt_buf_append_byte(w->out, '[');
    for (uint32_t at = lt_json_tape_first(tape, array.n); at;) {
        put(w, lt_val_at(array.doc, at));
        at = lt_json_tape_next(tape, at);
        if (at)
            lt_buf_append_byte(w->out, ',');
    }
    lt_buf_append_byte(w->out, ']');
}

/* False when there are many names, or one comes again: they are then listed. */
static bool names_differ(struct lt_val object) {
    const struct lt_json_tape *tape = &object.doc->tape;
    struct lt_slice names[FEW_NAMES];
    size_t n = 0;
    for (uint32_t at = lt_json_tape_first(tape, object.n); at;
         at = lt_json_tape_next(tape, at + 2)) {
        if (n == FEW_NAMES)
            return false;
        struct lt_val name = lt_val_at(object.doc, at);
        if (name.form == LT_VAL_RAW)
            return false;
        names[n] = lt_slice(name.s, name.n);
        for (size_t i = 0; i < n; i++)
            if (names[i].len == names[n].len && lt_slice_eq(names[i], names[n]))
                return false;
        n++;
    }
    return true;
}

static void put_raw_members(struct writer *w, struct lt_val object) {
    const struct lt_json_tape *tape = &object.doc->tape;
    lt_buf_append_byte(w->out, '{');
    for (uint32_t at = lt_json_tape_first(tape, object.n); at;) {
        put_text(w, lt_val_bytes(w->heap, lt_val_at(object.doc, at)), ':');
        put(w, lt_val_at(object.doc, at + 2));
        at = lt_json_tape_next(tape, at + 2);
        if (at)
            lt_buf_append_byte(w->out, ',');
    }
    lt_buf_append_byte(w->out, '}');
}

/* As jq prints it, member by member, if its bytes cannot be copied. */
static void put_raw_container(struct writer *w, struct lt_val v) {
    bool before = w->no_copy;
    if (!w->respell && !w->style && !w->no_copy) {
        enum lt_val_copied copied = lt_val_copy_container(w->out, v.doc, v.n);
        if (copied == LT_VAL_COPIED)
            return;
        w->no_copy = copied == LT_VAL_HAS_NAMES; /* not searched again at each depth */
    }
    if (v.kind == LT_VAL_ARRAY)
        put_raw_items(w, v);
    else if (names_differ(v))
        put_raw_members(w, v);
    else
        put_members(w, v);
    w->no_copy = before;
}

static void put_container(struct writer *w, struct lt_val v) {
    if (!enter(w))
        return;
    if (v.form == LT_VAL_RAW)
        put_raw_container(w, v);
    else if (v.kind == LT_VAL_ARRAY)
        put_items(w, v);
    else
        put_members(w, v);
    w->depth--;
}

static void put(struct writer *w, struct lt_val v) {
    switch (v.kind) {
    case LT_VAL_NULL:
        lt_buf_append(w->out, LT_LIT("null"));
        return;
    case LT_VAL_FALSE:
        lt_buf_append(w->out, LT_LIT("false"));
        return;
    case LT_VAL_TRUE:
        lt_buf_append(w->out, LT_LIT("true"));
        return;
    case LT_VAL_NUMBER:
        put_number(w, v);
        return;
    case LT_VAL_STRING:
        put_bytes(w, lt_val_bytes(w->heap, v));
        return;
    default:
        put_container(w, v);
    }
}

void lt_val_write(struct lt_heap *heap, struct lt_buf *out, struct lt_val v) {
    struct writer w = {.heap = heap, .out = out};
    put(&w, v);
}

/* --- for people --------------------------------------------------------------------------- */

static void put_styled(struct writer *w, struct lt_val v);

static void color(const struct writer *w, const char *code) {
    if (w->style->color)
        lt_buf_append_str(w->out, code);
}

static void new_line(const struct writer *w) {
    if (!w->style->indent && !w->style->tab)
        return;
    lt_buf_append_byte(w->out, '\n');
    unsigned n = w->depth * (w->style->tab ? 1 : w->style->indent);
    for (unsigned i = 0; i < n; i++)
        lt_buf_append_byte(w->out, w->style->tab ? '\t' : ' ');
}

static void put_styled_name(const struct writer *w, struct lt_val name) {
    const char *frame = colors[LT_VAL_OBJECT];
    color(w, COLOR_OFF);
    color(w, NAME_COLOR);
    put_bytes(w, lt_slice(name.s, name.n));
    color(w, COLOR_OFF);
    color(w, frame);
    lt_buf_append_byte(w->out, ':');
    if (w->style->indent || w->style->tab)
        lt_buf_append_byte(w->out, ' ');
    color(w, COLOR_OFF);
}

static void end_styled(struct writer *w, const char *frame, size_t n, char closer) {
    w->depth--;
    if (n) {
        color(w, frame);
        new_line(w);
        color(w, frame);
    }
    lt_buf_append_byte(w->out, closer);
}

static void put_styled_items(struct writer *w, struct lt_val v) {
    size_t n;
    const char *frame = colors[LT_VAL_ARRAY];
    const struct lt_val *items = lt_val_items(w->heap, v, &n);
    lt_buf_append_byte(w->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) {
            color(w, frame);
            lt_buf_append_byte(w->out, ',');
        }
        new_line(w);
        put_styled(w, items[i]);
    }
    end_styled(w, frame, n, ']');
}

static void put_styled_members(struct writer *w, struct lt_val v) {
    size_t n;
    const char *frame = colors[LT_VAL_OBJECT];
    const struct lt_member *members = w->style->sort_keys ? lt_val_sorted_members(w->heap, v, &n)
                                                          : lt_val_members(w->heap, v, &n);
    lt_buf_append_byte(w->out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i) {
            color(w, frame);
            lt_buf_append_byte(w->out, ',');
        }
        new_line(w);
        put_styled_name(w, members[i].name);
        put_styled(w, members[i].value);
    }
    end_styled(w, frame, n, '}');
}

static void put_styled(struct writer *w, struct lt_val v) {
    color(w, colors[v.kind]);
    if (v.kind < LT_VAL_ARRAY) {
        put(w, v);
    } else if (enter(w)) {
        if (v.kind == LT_VAL_ARRAY)
            put_styled_items(w, v);
        else
            put_styled_members(w, v);
    }
    color(w, COLOR_OFF);
}

void lt_val_write_styled(struct lt_heap *heap, struct lt_buf *out, struct lt_val v,
                         const struct lt_val_style *style) {
    struct writer w = {.heap = heap, .out = out, .style = style};
    put_styled(&w, v);
}

/* --- as strings ---------------------------------------------------------------------------- */

static void write_respelled(struct lt_heap *heap, struct lt_buf *out, struct lt_val v) {
    struct writer w = {.heap = heap, .out = out, .respell = true};
    put(&w, v);
}

struct lt_slice lt_val_json(struct lt_heap *heap, struct lt_val v) {
    struct lt_buf text;
    lt_buf_init(&text, heap->arena->max);
    write_respelled(heap, &text, v);
    char *copy = text.failed ? NULL : lt_heap_alloc(heap, text.len);
    if (copy && text.len)
        memcpy(copy, text.data, text.len);
    struct lt_slice json = copy ? lt_slice(copy, text.len) : LT_LIT("");
    heap->full |= text.failed;
    lt_buf_deinit(&text);
    return json;
}

const char *lt_val_cut(struct lt_heap *heap, struct lt_val v, char *out, size_t size) {
    struct lt_slice json = lt_val_json(heap, v);
    size_t len = json.len < size - 1 ? json.len : size - 1;
    if (len)
        memcpy(out, json.data, len);
    out[len] = '\0';
    if (json.len > size - 1)
        memcpy(out + size - 4, "...", 3);
    return out;
}

const char *lt_val_shortened(struct lt_heap *heap, struct lt_val v, char out[16]) {
    return lt_val_cut(heap, v, out, 15);
}
