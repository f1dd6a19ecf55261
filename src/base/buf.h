/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_BUF_H
#define LT_BASE_BUF_H

#include "base/error.h"
#include "base/slice.h"

/**
 * Bytes that grow up to a mandatory maximum. An append that would pass `max`,
 * or finds no memory, sets `failed` and changes nothing; every later append is
 * then ignored, so that a writer checks once, at its end, with lt_buf_status().
 * All zero but `max` is a valid empty buffer.
 */
struct lt_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
};

/** An empty buffer that may grow to `max` bytes; allocates nothing. */
void lt_buf_init(struct lt_buf *buf, size_t max);

/** Frees the bytes; `buf` is then empty and usable, with the same maximum. */
void lt_buf_deinit(struct lt_buf *buf);

/** Empties it, keeps its room, and forgets a failure. */
void lt_buf_clear(struct lt_buf *buf);

void lt_buf_append(struct lt_buf *buf, struct lt_slice bytes);
void lt_buf_append_str(struct lt_buf *buf, const char *str);
void lt_buf_append_byte(struct lt_buf *buf, char byte);
void lt_buf_append_u64(struct lt_buf *buf, uint64_t value);
void lt_buf_printf(struct lt_buf *buf, const char *fmt, ...) LEAT_PRINTF(2, 3);

/**
 * Room for `n` more bytes: returns where they go, or NULL (and sets `failed`).
 * Add what was written with lt_buf_commit().
 */
char *lt_buf_reserve(struct lt_buf *buf, size_t n);

static inline void lt_buf_commit(struct lt_buf *buf, size_t n) {
    buf->len += n;
}

/** Drops the first `n` bytes. */
void lt_buf_consume(struct lt_buf *buf, size_t n);

static inline struct lt_slice lt_buf_slice(const struct lt_buf *buf) {
    return (struct lt_slice){buf->data, buf->len};
}

/** LEAT_OK, or LEAT_E_NOMEM if an append failed since the last clear. */
LEAT_MUST_CHECK leat_status lt_buf_status(const struct lt_buf *buf, struct leat_error *err);

/** Adds a NUL that is not counted in `len`; returns the string, or NULL on failure. */
const char *lt_buf_cstr(struct lt_buf *buf);

#endif
