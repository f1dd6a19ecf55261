/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/s3/chunked.h"

#include <errno.h>
#include <strings.h>

enum { LINE_MAX_BYTES = 4096, TRAILERS_MAX_BYTES = 8192, SIZE_MAX_DIGITS = 12 };

void lt_s3_chunked_init(struct lt_s3_chunked *chunked) {
    memset(chunked, 0, sizeof(*chunked));
    lt_buf_init(&chunked->line, LINE_MAX_BYTES);
    lt_buf_init(&chunked->trailers, TRAILERS_MAX_BYTES);
}

void lt_s3_chunked_deinit(struct lt_s3_chunked *chunked) {
    lt_buf_deinit(&chunked->line);
    lt_buf_deinit(&chunked->trailers);
}

/** Adds bytes up to a line's end. True when the line is whole; it is then without its end. */
static bool take_line(struct lt_s3_chunked *chunked, struct lt_slice *bytes) {
    const char *end = memchr(bytes->data, '\n', bytes->len);
    size_t n = end ? (size_t)(end - bytes->data) : bytes->len;

    lt_buf_append(&chunked->line, lt_slice(bytes->data, n));
    *bytes = lt_slice_from(*bytes, n + (end ? 1 : 0));
    if (!end)
        return false;
    if (chunked->line.len && chunked->line.data[chunked->line.len - 1] == '\r')
        chunked->line.len--;
    return true;
}

static bool parse_size(struct lt_slice line, uint64_t *size) {
    size_t n = 0;

    *size = 0;
    for (; n < line.len && line.data[n] != ';'; n++) {
        char c = line.data[n];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit == 16 || n == SIZE_MAX_DIGITS)
            return false;
        *size = *size * 16 + digit;
    }
    return n > 0;
}

static int on_size(struct lt_s3_chunked *chunked) {
    if (chunked->line.failed || !parse_size(lt_buf_slice(&chunked->line), &chunked->left))
        return EPROTO;
    lt_buf_clear(&chunked->line);
    chunked->state = chunked->left ? LT_S3_CHUNK_DATA : LT_S3_CHUNK_TRAILER;
    return 0;
}

static int on_trailer(struct lt_s3_chunked *chunked) {
    if (chunked->line.failed)
        return EPROTO;
    if (!chunked->line.len)
        chunked->state = LT_S3_CHUNK_DONE;
    lt_buf_append(&chunked->trailers, lt_buf_slice(&chunked->line));
    lt_buf_append_byte(&chunked->trailers, '\n');
    lt_buf_clear(&chunked->line);
    return chunked->trailers.failed ? EPROTO : 0;
}

static int on_data(struct lt_s3_chunked *chunked, struct lt_slice *bytes, lt_http_body_part *part,
                   void *ctx) {
    size_t n = bytes->len < chunked->left ? bytes->len : (size_t)chunked->left;
    int sys = part(ctx, lt_slice(bytes->data, n));

    chunked->left -= n;
    chunked->n_bytes += n;
    *bytes = lt_slice_from(*bytes, n);
    if (!chunked->left)
        chunked->state = LT_S3_CHUNK_CR;
    return sys;
}

int lt_s3_chunked_feed(struct lt_s3_chunked *chunked, struct lt_slice bytes,
                       lt_http_body_part *part, void *ctx) {
    int sys = 0;

    while (bytes.len && !sys) {
        switch (chunked->state) {
        case LT_S3_CHUNK_SIZE:
            if (take_line(chunked, &bytes))
                sys = on_size(chunked);
            break;
        case LT_S3_CHUNK_DATA:
            sys = on_data(chunked, &bytes, part, ctx);
            break;
        case LT_S3_CHUNK_CR:
        case LT_S3_CHUNK_LF:
            if (bytes.data[0] != (chunked->state == LT_S3_CHUNK_CR ? '\r' : '\n'))
                return EPROTO;
            chunked->state = chunked->state == LT_S3_CHUNK_CR ? LT_S3_CHUNK_LF : LT_S3_CHUNK_SIZE;
            bytes = lt_slice_from(bytes, 1);
            break;
        case LT_S3_CHUNK_TRAILER:
            if (take_line(chunked, &bytes))
                sys = on_trailer(chunked);
            break;
        case LT_S3_CHUNK_DONE:
            return EPROTO;
        }
        if (chunked->line.failed)
            return EPROTO;
    }
    return sys;
}

bool lt_s3_chunked_is_whole(const struct lt_s3_chunked *chunked) {
    /* Some clients leave the last empty line out. */
    return chunked->state == LT_S3_CHUNK_DONE ||
           (chunked->state == LT_S3_CHUNK_TRAILER && !chunked->line.len);
}

struct lt_slice lt_s3_chunked_trailer(const struct lt_s3_chunked *chunked, const char *name) {
    struct lt_slice rest = lt_buf_slice(&chunked->trailers);
    const size_t name_len = strlen(name);

    while (rest.len) {
        const char *end = memchr(rest.data, '\n', rest.len);
        struct lt_slice line = lt_slice(rest.data, end ? (size_t)(end - rest.data) : rest.len);
        rest = lt_slice_from(rest, line.len + 1);
        if (line.len <= name_len || line.data[name_len] != ':' ||
            strncasecmp(line.data, name, name_len) != 0)
            continue;
        line = lt_slice_from(line, name_len + 1);
        while (line.len && line.data[0] == ' ')
            line = lt_slice_from(line, 1);
        while (line.len && line.data[line.len - 1] == ' ')
            line.len--;
        return line;
    }
    return lt_slice(NULL, 0);
}
