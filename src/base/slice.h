/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_SLICE_H
#define LT_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * Borrowed bytes, passed by value; not ended by a NUL. `data` may be NULL only
 * when `len` is 0. Whoever made it says how long the bytes live.
 */
struct lt_slice {
    const char *data;
    size_t len;
};

/* For printf: "%.*s" with LT_FMT(slice). */
#define LT_FMT(s) (int)((s).len > INT32_MAX ? INT32_MAX : (s).len), (s).data ? (s).data : ""

/* A slice of a string literal. */
#define LT_LIT(literal) ((struct lt_slice){(literal), sizeof(literal) - 1})

static inline struct lt_slice lt_slice(const void *data, size_t len) {
    return (struct lt_slice){(const char *)data, len};
}

static inline struct lt_slice lt_slice_str(const char *str) {
    return (struct lt_slice){str, str ? strlen(str) : 0};
}

static inline bool lt_slice_eq(struct lt_slice a, struct lt_slice b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool lt_slice_eq_str(struct lt_slice a, const char *str) {
    return lt_slice_eq(a, lt_slice_str(str));
}

static inline bool lt_slice_starts(struct lt_slice a, struct lt_slice prefix) {
    return a.len >= prefix.len && (prefix.len == 0 || !memcmp(a.data, prefix.data, prefix.len));
}

/** Bytes from `from` (cut to the length) to the end. */
static inline struct lt_slice lt_slice_from(struct lt_slice a, size_t from) {
    if (from > a.len)
        from = a.len;
    return (struct lt_slice){from ? a.data + from : a.data, a.len - from};
}

/** Orders as memcmp does; a prefix comes first. */
static inline int lt_slice_cmp(struct lt_slice a, struct lt_slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

#endif
