/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void lt_buf_init(struct lt_buf *buf, size_t max) {
    *buf = (struct lt_buf){.max = max};
}

void lt_buf_deinit(struct lt_buf *buf) {
    free(buf->data);
    *buf = (struct lt_buf){.max = buf->max};
}

void lt_buf_clear(struct lt_buf *buf) {
    buf->len = 0;
    buf->failed = false;
}

char *lt_buf_reserve(struct lt_buf *buf, size_t n) {
    if (buf->failed)
        return NULL;
    if (n > buf->max || buf->len > buf->max - n)
        goto fail;
    if (buf->len + n > buf->cap || !buf->data) {
        size_t cap = buf->cap < 64 ? 64 : buf->cap;
        while (cap < buf->len + n)
            cap = cap > SIZE_MAX / 2 ? buf->len + n : cap * 2;
        char *data = realloc(buf->data, cap);
        if (!data)
            goto fail;
        buf->data = data;
        buf->cap = cap;
    }
    return buf->data + buf->len;

fail:
    buf->failed = true;
    return NULL;
}

void lt_buf_append(struct lt_buf *buf, struct lt_slice bytes) {
    char *to = bytes.len ? lt_buf_reserve(buf, bytes.len) : NULL;
    if (!to)
        return;
    memcpy(to, bytes.data, bytes.len);
    buf->len += bytes.len;
}

void lt_buf_append_str(struct lt_buf *buf, const char *str) {
    lt_buf_append(buf, lt_slice_str(str));
}

void lt_buf_append_byte(struct lt_buf *buf, char byte) {
    lt_buf_append(buf, lt_slice(&byte, 1));
}

void lt_buf_append_u64(struct lt_buf *buf, uint64_t value) {
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    lt_buf_append(buf, lt_slice(digits + at, sizeof(digits) - at));
}

void lt_buf_printf(struct lt_buf *buf, const char *fmt, ...) {
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    /* one more for the NUL that vsnprintf writes */
    char *to = len >= 0 ? lt_buf_reserve(buf, (size_t)len + 1) : NULL;
    if (to) {
        vsnprintf(to, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

void lt_buf_consume(struct lt_buf *buf, size_t n) {
    if (n >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
}

leat_status lt_buf_status(const struct lt_buf *buf, struct leat_error *err) {
    if (!buf->failed)
        return LEAT_OK;
    return lt_fail(err, LEAT_E_NOMEM, 0, "a buffer of %zu bytes cannot grow (maximum %zu)",
                   buf->len, buf->max);
}

const char *lt_buf_cstr(struct lt_buf *buf) {
    char *to = lt_buf_reserve(buf, 1);
    if (!to)
        return NULL;
    *to = '\0';
    return buf->data;
}
