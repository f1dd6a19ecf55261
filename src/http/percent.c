/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding of paths and queries. Malformed text is refused, never passed on half decoded.
 */
#include "http/server.h"

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct lt_slice lt_http_percent_decode(struct lt_slice text, bool plus, struct lt_arena *arena) {
    const struct lt_slice malformed = {NULL, 0};
    char *out = lt_arena_str(arena, text);
    size_t len = 0;

    if (!out)
        return malformed;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            bool whole = text.len - i > 2;
            int high = whole ? hex(text.data[i + 1]) : -1;
            int low = whole ? hex(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return malformed;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[len++] = c;
    }
    out[len] = '\0';
    return lt_slice(out, len);
}

/** Cuts the next "name=value" off; false at the end. */
static bool next_pair(struct lt_slice *query, struct lt_slice *name, struct lt_slice *value) {
    if (!query->len)
        return false;
    const char *amp = memchr(query->data, '&', query->len);
    struct lt_slice pair = lt_slice(query->data, amp ? (size_t)(amp - query->data) : query->len);
    *query = lt_slice_from(*query, pair.len + (amp ? 1 : 0));
    const char *eq = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
    size_t name_len = eq ? (size_t)(eq - pair.data) : pair.len;
    *name = lt_slice(pair.data, name_len);
    *value = eq ? lt_slice_from(pair, name_len + 1) : lt_slice("", 0);
    return true;
}

struct lt_slice lt_http_query(struct lt_slice query, const char *name, struct lt_arena *arena) {
    struct lt_slice key, value;

    while (next_pair(&query, &key, &value)) {
        if (key.len && memchr(key.data, '%', key.len))
            key = lt_http_percent_decode(key, true, arena);
        if (lt_slice_eq_str(key, name))
            return lt_http_percent_decode(value, true, arena);
    }
    return lt_slice(NULL, 0);
}
