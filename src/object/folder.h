/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_OBJECT_FOLDER_H
#define LT_OBJECT_FOLDER_H

#include "object/object.h"
#include "store/state.h"

/*
 * Objects as plain files: `buckets/NAME/KEY` under the engine's folder, what is known of them in
 * state.db ("object/NAME" by key, "bucket" by name). Only what stands there is an object: a file
 * dropped in by hand is none. The engine's folder must be held (store/folder.h).
 *
 * Thread: any. Blocks: all calls but lt_object_folder_has() and lt_object_tmp_new().
 */
struct lt_object_folder;

/**
 * Opens what is under `data_dir`; finishes or undoes what a crash cut short.
 *
 * Owns:   `state` is borrowed. Release it with lt_object_folder_free(), or its store's close().
 * Errors: LEAT_E_IO, LEAT_E_FULL, LEAT_E_NOMEM; as those of `state`.
 */
LEAT_MUST_CHECK leat_status lt_object_folder_new(struct lt_object_folder **out,
                                                 const char *data_dir, struct lt_state *state,
                                                 struct leat_error *err);
void lt_object_folder_free(struct lt_object_folder *folder);

/** The same as an object store. */
struct lt_object_store *lt_object_folder_store(struct lt_object_folder *folder);

struct lt_object_bucket {
    char name[64];
    char location[32]; /**< a region, or "" */
    int64_t created_ms;
    uint64_t n_objects;
    uint64_t n_bytes;
};

/** Makes a bucket. `location` is kept for lt_object_folder_has(), up to 31 bytes.
 * Errors: LEAT_E_EXISTS; LEAT_E_INVALID (code InvalidBucketName); LEAT_E_BUSY while it is removed.
 */
LEAT_MUST_CHECK leat_status lt_object_folder_create(struct lt_object_folder *folder,
                                                    const char *bucket, const char *location,
                                                    struct leat_error *err);

/** Whether there is such a bucket; fills `out` when it is not NULL. Does not block on the disk. */
bool lt_object_folder_has(struct lt_object_folder *folder, const char *bucket,
                          struct lt_object_bucket *out);
/** All buckets in order of name, in `arena`. Errors: LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_object_folder_buckets(struct lt_object_folder *folder,
                                                     struct lt_arena *arena,
                                                     struct lt_object_bucket **buckets, size_t *n,
                                                     struct leat_error *err);

/** A file under `tmp/` that is to become an object. */
struct lt_object_tmp {
    int fd; /**< for writing; -1: none */
    char name[48];
};

/** Makes one. Release it with lt_object_tmp_drop(), also after it was committed. */
LEAT_MUST_CHECK leat_status lt_object_tmp_new(struct lt_object_folder *folder,
                                              struct lt_object_tmp *tmp, struct leat_error *err);
/** Closes it and removes what was not committed. */
void lt_object_tmp_drop(struct lt_object_folder *folder, struct lt_object_tmp *tmp);

struct lt_object_commit {
    struct lt_slice key;          /**< 1 to 1024 bytes */
    char etag[48];                /**< hex */
    struct lt_slice content_type; /**< or empty */
    struct lt_slice content_encoding;
    struct lt_slice user_meta; /**< a JSON object, or empty */
    bool if_none;              /**< only when there is no such object */
    struct lt_slice if_match;  /**< only when the object there has this etag; empty: any */
    int64_t modified_ms;       /**< out */
};

/**
 * Makes the written file the object: synced, renamed into its place, recorded. What was there
 * before under that key is replaced in one step, or stays whole.
 *
 * Errors: LEAT_E_NOT_FOUND: no such bucket (code NoSuchBucket), or no such object with `if_match`
 *         (NoSuchKey); LEAT_E_EXISTS with code PreconditionFailed; LEAT_E_INVALID for the key;
 *         LEAT_E_FULL; LEAT_E_IO.
 */
LEAT_MUST_CHECK leat_status lt_object_folder_commit(struct lt_object_folder *folder,
                                                    const char *bucket, struct lt_object_tmp *tmp,
                                                    struct lt_object_commit *commit,
                                                    struct leat_error *err);

/**
 * What is known of an object, and with `fd` not NULL its file, opened for reading: both of the same
 * moment. The caller closes it.
 *
 * Errors: LEAT_E_NOT_FOUND (code NoSuchBucket or NoSuchKey); LEAT_E_CORRUPT when its file has
 *         another size than was put.
 */
LEAT_MUST_CHECK leat_status lt_object_folder_open(struct lt_object_folder *folder,
                                                  const char *bucket, struct lt_slice key,
                                                  struct lt_arena *arena,
                                                  struct lt_object_info *info, int *fd,
                                                  struct leat_error *err);

/** Removes an object and the folders that it leaves empty. One that is not there is none removed.
 * Errors: LEAT_E_NOT_FOUND (code NoSuchBucket). */
LEAT_MUST_CHECK leat_status lt_object_folder_remove(struct lt_object_folder *folder,
                                                    const char *bucket, struct lt_slice key,
                                                    struct leat_error *err);

/** Removes up to 1,000 objects with one sync, all of them or none; a file that cannot be removed is
 * then no object any more. */
LEAT_MUST_CHECK leat_status lt_object_folder_remove_many(struct lt_object_folder *folder,
                                                         const char *bucket,
                                                         const struct lt_slice *keys, size_t n,
                                                         struct leat_error *err);

struct lt_object_list {
    struct lt_slice prefix;
    struct lt_slice delimiter; /**< or empty */
    struct lt_slice after;     /**< only what orders after it, or empty */
    size_t max;
};

/** A key, or with a delimiter what several keys have in common up to it. */
struct lt_object_entry {
    bool is_prefix;
    struct lt_object_info info; /**< of a prefix only `key`; of an object without its headers */
};

struct lt_object_listing {
    struct lt_object_entry *entries;
    size_t n;
    bool more; /**< go on after the key of the last entry */
};

/** Lists in order of bytes. Costs as much as what it returns, however large the bucket is.
 * Errors: LEAT_E_NOT_FOUND (code NoSuchBucket); LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_object_folder_list(
    struct lt_object_folder *folder, const char *bucket, const struct lt_object_list *list,
    struct lt_arena *arena, struct lt_object_listing *out, struct leat_error *err);

#endif
