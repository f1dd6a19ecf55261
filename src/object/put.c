/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a put. A large object goes through a few blocks on a page's boundary, so that it can
 * be written past the page cache (O_DIRECT): it is not read soon, and a copy into fresh pages of
 * the kernel costs more than all else that is done for it. What does not fill a page at the end is
 * written the usual way, and where a file system refuses, all is. The blocks are cut at the same
 * offsets whatever pieces the bytes come in, so sums over them say the same of the same bytes.
 */
#include "base/block.h"
#include "base/hash.h"
#include "object/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LARGE_BYTES = 1 << 20, N_BLOCKS = 4 };

uint64_t lt_object_put_len(const struct lt_object_put *object) {
    uint64_t len = object->data.len;

    for (size_t i = 0; i < object->n_rest; i++)
        len += object->rest[i].len;
    return len;
}

leat_status lt_object_put_join(const struct lt_object_put *object, struct lt_buf *out,
                               struct leat_error *err) {
    uint64_t len = lt_object_put_len(object);

    if (len && !lt_buf_reserve(out, len))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an object of %llu bytes",
                       (unsigned long long)len);
    lt_buf_append(out, object->data);
    for (size_t i = 0; i < object->n_rest; i++)
        lt_buf_append(out, object->rest[i]);
    return lt_buf_status(out, err);
}

/* ---- large objects ---- */

struct writer {
    int fd;
    int flags; /* of the descriptor; with O_DIRECT while it goes past the cache */
    off_t offset;
    char *blocks[N_BLOCKS];
    size_t len; /* of what is in the blocks */
    uint32_t sums[N_BLOCKS];
};

static leat_status failed(const struct writer *w, ssize_t n, struct leat_error *err) {
    return lt_fail_sys(err, n < 0 ? errno : EIO, "writing an object at offset %lld",
                       (long long)w->offset);
}

static bool set_direct(struct writer *w, bool direct) {
    int flags = direct ? w->flags | O_DIRECT : w->flags & ~O_DIRECT;

    if (flags != w->flags && fcntl(w->fd, F_SETFL, flags))
        return false;
    w->flags = flags;
    return true;
}

/* Writes the first `len` bytes of the blocks. */
static leat_status write_blocks(struct writer *w, size_t len, struct leat_error *err) {
    for (size_t done = 0; done < len;) {
        struct iovec iov[N_BLOCKS];
        int n_iov = 0;
        for (size_t at = done; at < len; n_iov++) {
            size_t in = at % LT_BLOCK_BYTES, n = LT_BLOCK_BYTES - in;
            n = n < len - at ? n : len - at;
            iov[n_iov] = (struct iovec){w->blocks[at / LT_BLOCK_BYTES] + in, n};
            at += n;
        }
        ssize_t n = pwritev(w->fd, iov, n_iov, w->offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EINVAL && (w->flags & O_DIRECT) && set_direct(w, false))
            continue;
        if (n <= 0)
            return failed(w, n, err);
        done += (size_t)n;
        w->offset += n;
        if (done % LT_BLOCK_ALIGN && !set_direct(w, false))
            return failed(w, -1, err);
    }
    return LEAT_OK;
}

static leat_status flush(struct writer *w, struct leat_error *err) {
    for (size_t at = 0; at < w->len; at += LT_BLOCK_BYTES) {
        size_t n = w->len - at < LT_BLOCK_BYTES ? w->len - at : LT_BLOCK_BYTES;
        uint32_t *sum = &w->sums[at / LT_BLOCK_BYTES];
        *sum = lt_crc32c(*sum, w->blocks[at / LT_BLOCK_BYTES], n);
    }
    size_t tail = w->len % LT_BLOCK_ALIGN, body = w->len - tail;
    leat_status status = write_blocks(w, body, err);
    if (status == LEAT_OK && tail) {
        /* only the last flush has a tail; it moves to a block's start to be written alone */
        memmove(w->blocks[0], w->blocks[body / LT_BLOCK_BYTES] + body % LT_BLOCK_BYTES, tail);
        status = set_direct(w, false) ? write_blocks(w, tail, err) : failed(w, -1, err);
    }
    w->len = 0;
    return status;
}

static leat_status add(struct writer *w, struct lt_slice bytes, struct leat_error *err) {
    while (bytes.len) {
        size_t in = w->len % LT_BLOCK_BYTES, n = LT_BLOCK_BYTES - in;
        n = n < bytes.len ? n : bytes.len;
        memcpy(w->blocks[w->len / LT_BLOCK_BYTES] + in, bytes.data, n);
        w->len += n;
        bytes = lt_slice_from(bytes, n);
        leat_status status = w->len == (size_t)N_BLOCKS * LT_BLOCK_BYTES ? flush(w, err) : LEAT_OK;
        if (status != LEAT_OK)
            return status;
    }
    return LEAT_OK;
}

static leat_status write_large(int fd, const struct lt_object_put *object, char *etag,
                               struct leat_error *err) {
    struct writer w = {.fd = fd, .flags = fcntl(fd, F_GETFL)};
    leat_status status = LEAT_OK;

    if (w.flags < 0)
        return failed(&w, -1, err);
    (void)set_direct(&w, true);
    for (size_t i = 0; i < N_BLOCKS && status == LEAT_OK; i++) {
        w.blocks[i] = lt_block_take();
        if (!w.blocks[i])
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to write an object");
    }
    if (status == LEAT_OK)
        status = add(&w, object->data, err);
    for (size_t i = 0; i < object->n_rest && status == LEAT_OK; i++)
        status = add(&w, object->rest[i], err);
    if (status == LEAT_OK)
        status = flush(&w, err);
    for (size_t i = 0; i < N_BLOCKS; i++)
        lt_block_give(w.blocks[i]);
    if (etag)
        snprintf(etag, LT_ETAG_BYTES, "%08x%08x%08x%08x-1", w.sums[0], w.sums[1], w.sums[2],
                 w.sums[3]);
    return status;
}

/* ---- small ones ---- */

static leat_status write_piece(int fd, struct lt_slice data, struct leat_error *err) {
    while (data.len) {
        ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lt_fail_sys(err, n < 0 ? errno : EIO, "writing an object of %zu bytes",
                               data.len);
        data = lt_slice_from(data, (size_t)n);
    }
    return LEAT_OK;
}

static leat_status name_small(const struct lt_object_put *object, char *etag,
                              struct leat_error *err) {
    struct lt_digest *digest = lt_digest_new(LT_DIGEST_MD5);
    uint8_t md5[LT_MD5_BYTES];

    if (!digest)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an object's ETag");
    lt_digest_update(digest, object->data);
    for (size_t i = 0; i < object->n_rest; i++)
        lt_digest_update(digest, object->rest[i]);
    lt_digest_final(digest, md5);
    lt_digest_free(digest);
    lt_hex(md5, sizeof(md5), etag);
    return LEAT_OK;
}

leat_status lt_object_write(int fd, const struct lt_object_put *object, char etag[LT_ETAG_BYTES],
                            struct leat_error *err) {
    if (lt_object_put_len(object) > LARGE_BYTES)
        return write_large(fd, object, etag, err);
    leat_status status = etag ? name_small(object, etag, err) : LEAT_OK;
    if (status == LEAT_OK)
        status = write_piece(fd, object->data, err);
    for (size_t i = 0; i < object->n_rest && status == LEAT_OK; i++)
        status = write_piece(fd, object->rest[i], err);
    return status;
}
