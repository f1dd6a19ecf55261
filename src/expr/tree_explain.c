/* SPDX-License-Identifier: Apache-2.0 */
/* The line at fault and a caret, for people. */
#include "expr/tree.h"

enum { BEFORE = 60, BEHIND = 40 }; /* characters shown around the place */

static bool is_start(char c) {
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* `n` characters back from `at`, not before `start`. */
static const char *back(const char *at, const char *start, unsigned n) {
    while (at > start && n) {
        at--;
        n -= is_start(*at);
    }
    return at;
}

static const char *forward(const char *at, const char *end, unsigned n) {
    while (at < end && (n || !is_start(*at))) {
        n -= is_start(*at) && n;
        at++;
    }
    return at;
}

static void append_shown(struct lt_buf *out, const char *from, const char *to, bool blank) {
    for (; from < to; from++) {
        unsigned char c = (unsigned char)*from;
        if (c == '\t')
            lt_buf_append_byte(out, '\t');
        else if (blank && is_start(*from))
            lt_buf_append_byte(out, ' ');
        else if (!blank)
            lt_buf_append_byte(out, c < 0x20 || c == 0x7f ? '?' : *from);
    }
}

void lt_tree_explain(const struct lt_expr_text *text, const struct leat_error *err,
                     struct lt_buf *out) {
    if (!text->line || !text->column || err->line < text->line || err->column < text->column)
        return;
    const char *end = text->text.data + text->text.len;
    const char *start = text->text.data;
    for (unsigned line = text->line; line < err->line; line++) {
        const char *feed = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
        if (!feed)
            return;
        start = feed + 1;
    }
    const char *feed = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    const char *stop = feed ? feed : end;
    const char *place = forward(start, stop, err->column - text->column);
    const char *from = back(place, start, BEFORE);
    const char *to = forward(place, stop, BEHIND);

    lt_buf_append_str(out, from > start ? "  ..." : "  ");
    append_shown(out, from, to, false);
    lt_buf_append_str(out, to < stop ? "...\n" : "\n");
    lt_buf_append_str(out, from > start ? "     " : "  ");
    append_shown(out, from, place, true);
    lt_buf_append_str(out, "^\n");
}
