/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_OBJECT_OBJECT_H
#define LT_OBJECT_OBJECT_H

#include "base/arena.h"
#include "base/error.h"

/*
 * The one interface to an object store. An object appears whole or not at all; a put is on disk
 * (or acknowledged by the service) when it returns.
 *
 * Thread: any. Blocks: all calls; make them from a worker thread.
 */
struct lt_object_store;

struct lt_object_info {
    struct lt_slice key;
    uint64_t size;
    int64_t modified_ms;
    char etag[48];                /**< hex, without quotes */
    struct lt_slice content_type; /**< or empty */
    struct lt_slice content_encoding;
    struct lt_slice user_meta; /**< a JSON object of the other headers to give back, or empty */
};

struct lt_object_put {
    struct lt_slice key;
    struct lt_slice data;
    const char *content_type;     /**< NULL: application/octet-stream */
    const char *content_encoding; /**< or NULL */
};

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
