/* SPDX-License-Identifier: Apache-2.0 */
/* A container of a document as compact JSON where its own bytes, less the white space between its
 * tokens, are what would be printed: most are. */
#include "expr/val_copy.h"

enum { MOST_NAMES = 64, BITS = 256 };

/* The names of one object, to find one that comes again: by a bit of its key, then by key. */
struct names {
    uint64_t bits[BITS / 64];
    uint64_t keys[MOST_NAMES];
    size_t n;
};

/* Names that differ have most often other keys. */
static uint64_t key_of(struct lt_slice name) {
    uint64_t first = 0, last = 0;
    size_t n = name.len < 8 ? name.len : 8;
    if (n == 8) {
        memcpy(&first, name.data, 8);
        memcpy(&last, name.data + name.len - 8, 8);
    } else {
        for (size_t i = 0; i < n; i++)
            first = first << 8 | (unsigned char)name.data[i];
    }
    return (first ^ (last << 1 | last >> 63) ^ name.len) * 0x9e3779b97f4a7c15;
}

/* Whether the name may have come before. */
static bool add_name(struct names *names, struct lt_slice name) {
    uint64_t key = key_of(name);
    unsigned bit = (unsigned)(key >> 56);
    uint64_t *word = &names->bits[bit / 64];
    if (names->n == MOST_NAMES)
        return true;
    if (*word >> bit % 64 & 1)
        for (size_t i = 0; i < names->n; i++)
            if (names->keys[i] == key)
                return true;
    *word |= 1ULL << bit % 64;
    names->keys[names->n++] = key;
    return false;
}

/* Whether no object in the container has a name twice, as far as can be told here. */
static bool names_differ(const struct lt_json_tape *tape, uint32_t container) {
    uint32_t end = tape->jump[container];
    bool is_object = tape->text[tape->at[container]] == '{';
    struct names names;

    if (is_object) {
        memset(names.bits, 0, sizeof(names.bits));
        names.n = 0;
    }
    for (uint32_t at = container + 1; at < end; at++) { /* over the comma */
        if (is_object) {
            if (add_name(&names, lt_json_tape_scalar(tape, at)))
                return false;
            at += 2;
        }
        char c = tape->text[tape->at[at]];
        if (c != '{' && c != '[') {
            at++;
            continue;
        }
        if (!names_differ(tape, at))
            return false;
        at = tape->jump[at] + 1;
    }
    return true;
}

/* Whether some byte is printed otherwise than it is spelled: an escaped solidus or number, DEL. */
static bool is_respelled(const struct lt_json_tape *tape, size_t from, size_t len) {
    const char *at = tape->text + from, *end = at + len;
    if (memchr(at, 0x7f, len))
        return true;
    while (tape->flags & LT_JSON_HAS_ESCAPES && (at = memchr(at, '\\', (size_t)(end - at)))) {
        if (at[1] == 'u' || at[1] == '/')
            return true;
        at += 2;
    }
    return false;
}

enum { AT_ONCE = 32 };

/* A piece of text; `whole` says that AT_ONCE bytes can be read. There is as much room behind `to`.
 */
static char *put_piece(char *to, const char *piece, size_t len, bool whole) {
    if (len <= AT_ONCE && whole)
        memcpy(to, piece, AT_ONCE);
    else
        memcpy(to, piece, len);
    return to + len;
}

enum lt_val_copied lt_val_copy_container(struct lt_buf *out, const struct lt_doc *doc,
                                         uint32_t container) {
    const struct lt_json_tape *tape = &doc->tape;
    const char *text = tape->text;
    uint32_t end = tape->jump[container];
    size_t from = tape->at[container], behind = (size_t)tape->at[end] + 1;

    if (is_respelled(tape, from, behind - from))
        return LT_VAL_HAS_ESCAPES;
    if (!names_differ(tape, container))
        return LT_VAL_HAS_NAMES;
    char *start = lt_buf_reserve(out, behind - from + AT_ONCE), *to = start;
    if (!to)
        return LT_VAL_COPIED; /* the buffer says that it failed */
    for (uint32_t i = container; i < end; i++) {
        size_t next = tape->at[i + 1], stop = next;
        if ((unsigned char)text[stop - 1] > ' ')
            continue;
        while ((unsigned char)text[stop - 1] <= ' ')
            stop--;
        to = put_piece(to, text + from, stop - from, from + AT_ONCE <= tape->len);
        from = next;
    }
    to = put_piece(to, text + from, behind - from, from + AT_ONCE <= tape->len);
    lt_buf_commit(out, (size_t)(to - start));
    return LT_VAL_COPIED;
}
