/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_OBJECT_OBJECT_H
#define LT_OBJECT_OBJECT_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * The one interface to an object store. An object appears whole or not at all; a put is on disk
 * (or acknowledged by the service) when it returns.
 *
 * Thread: any. Blocks: all calls; make them from a worker thread.
 */
struct lt_object_store;

enum { LT_ETAG_BYTES = 48 };

struct lt_object_info {
    struct lt_slice key;
    uint64_t size;
    int64_t modified_ms;
    char etag[LT_ETAG_BYTES];     /**< hex, without quotes */
    struct lt_slice content_type; /**< or empty */
    struct lt_slice content_encoding;
    struct lt_slice user_meta; /**< a JSON object of the other headers to give back, or empty */
};

struct lt_object_put {
    struct lt_slice key;
    struct lt_slice data;
    const struct lt_slice *rest; /**< what follows `data`, in pieces; may be NULL */
    size_t n_rest;
    const char *content_type;     /**< NULL: application/octet-stream */
    const char *content_encoding; /**< or NULL */
};

/** How many bytes the object has. */
uint64_t lt_object_put_len(const struct lt_object_put *object);
/** Adds all the object's bytes to `out`. Errors: LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_object_put_join(const struct lt_object_put *object,
                                               struct lt_buf *out, struct leat_error *err);

/**
 * Writes an object's bytes to an empty file, not synced, and says its ETag where `etag` is no NULL.
 * Up to 1 MiB that is the MD5 in hex. A larger object has one of the form HEX-1, as those that
 * come in parts have, by which clients know that it is no MD5: it is four CRC-32C.
 *
 * Blocks: on the disk; large objects go past the page cache where the file system has a way.
 * Errors: LEAT_E_IO, LEAT_E_FULL; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_object_write(int fd, const struct lt_object_put *object,
                                            char etag[LT_ETAG_BYTES], struct leat_error *err);

struct lt_object_ops {
    leat_status (*put)(struct lt_object_store *store, const char *bucket,
                       const struct lt_object_put *object, struct leat_error *err);
    leat_status (*head)(struct lt_object_store *store, const char *bucket, struct lt_slice key,
                        struct lt_arena *arena, struct lt_object_info *info,
                        struct leat_error *err);
    leat_status (*create_bucket)(struct lt_object_store *store, const char *bucket,
                                 struct leat_error *err); /**< LEAT_E_EXISTS */
    leat_status (*remove_bucket)(
        struct lt_object_store *store, const char *bucket, bool with_objects,
        struct leat_error *err); /**< LEAT_E_NOT_FOUND, LEAT_E_BUSY: not empty */
    /** Sums over a bucket; LEAT_E_NOT_FOUND. */
    leat_status (*stat_bucket)(struct lt_object_store *store, const char *bucket,
                               uint64_t *n_objects, uint64_t *n_bytes, struct leat_error *err);
    void (*close)(struct lt_object_store *store);
};

/** First member of every body. */
struct lt_object_store {
    const struct lt_object_ops *ops;
};

#endif
