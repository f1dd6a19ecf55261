/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_OBJECT_FOLDER_PARTS_H
#define LT_OBJECT_FOLDER_PARTS_H

#include "base/buf.h"
#include "object/folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

/*
 * What the folder's files share.
 *
 * Locks, in the order in which they are taken: the key's stripe (its file and its document change
 * together), `commit_mu` (documents and sums of buckets), `table_mu` (the table in memory; never
 * held over a call that blocks).
 */

enum {
    LT_OBJECT_KEY_MAX_BYTES = 1024,
    LT_OBJECT_PATH_BYTES = 64 + 1 + LT_OBJECT_KEY_MAX_BYTES + 1,
    LT_OBJECT_N_STRIPES = 32 /* all may be held at once; ThreadSanitizer follows 64 locks */
};

struct lt_object_bucket_row {
    struct lt_object_bucket bucket;
    bool deleting;
};

struct lt_object_folder {
    struct lt_object_store store;
    struct lt_state *state; /* immutable after open */
    int buckets_fd;
    int tmp_fd;
    atomic_uint_fast64_t n_tmp;
    pthread_mutex_t stripes[LT_OBJECT_N_STRIPES];
    pthread_mutex_t commit_mu;
    pthread_mutex_t table_mu;
    struct lt_object_bucket_row *rows; /* guarded by table_mu; in order of name */
    size_t n_rows, cap_rows;
};

/* folder_name.c: where an object's file lies, relative to `buckets/`. */

/** The file of a key under its own name; false when a file system may not take that. */
bool lt_object_plain_path(const char *bucket, struct lt_slice key, char out[LT_OBJECT_PATH_BYTES]);
/** The file of a key that needs another name. */
void lt_object_escaped_path(const char *bucket, struct lt_slice key,
                            char out[LT_OBJECT_PATH_BYTES]);
/** Renames a file of `tmp/` to `path`, making folders; all is on disk when it returns.
 * Errors: LEAT_E_BUSY where something else stands in the way; LEAT_E_FULL, LEAT_E_IO. */
LEAT_MUST_CHECK leat_status lt_object_place(struct lt_object_folder *folder, const char *tmp_name,
                                            const char *path, struct leat_error *err);
/** Removes a file, and the folders above it that are empty then, up to the bucket's. */
LEAT_MUST_CHECK leat_status lt_object_unplace(struct lt_object_folder *folder, const char *path,
                                              struct leat_error *err);
/** Removes a bucket's folder when no file is in it. */
void lt_object_remove_empty(struct lt_object_folder *folder, const char *bucket);
/** Removes a folder and all in it, as far as it can. */
void lt_object_remove_tree(int dir_fd, const char *name);

/* folder_doc.c: what state.db holds of an object. */
struct lt_object_doc {
    struct lt_object_info info; /**< without `key` */
    uint64_t ino;               /**< of its file; another one may mean a change cut short */
    struct lt_slice path;       /**< an escaped file's, relative to the bucket; or empty */
};
void lt_object_doc_write(const struct lt_object_doc *doc, struct lt_buf *out);
/** With `arena` NULL only numbers and the etag are read. */
LEAT_MUST_CHECK leat_status lt_object_doc_read(struct lt_object_doc *doc, struct lt_slice body,
                                               struct lt_arena *arena, struct leat_error *err);
/** The file that a document speaks of. */
void lt_object_doc_path(const struct lt_object_doc *doc, const char *bucket, struct lt_slice key,
                        char out[LT_OBJECT_PATH_BYTES]);
/** "object/BUCKET" */
void lt_object_kind(const char *bucket, char out[80]);
extern const char lt_object_intent_kind[];

/* folder_bucket.c */
LEAT_MUST_CHECK leat_status lt_object_load_buckets(struct lt_object_folder *folder,
                                                   struct leat_error *err);
leat_status lt_object_create_bucket(struct lt_object_store *store, const char *bucket,
                                    struct leat_error *err);
leat_status lt_object_remove_bucket(struct lt_object_store *store, const char *bucket,
                                    bool with_objects, struct leat_error *err);
leat_status lt_object_stat_bucket(struct lt_object_store *store, const char *bucket,
                                  uint64_t *n_objects, uint64_t *n_bytes, struct leat_error *err);
/** Makes the changes and the bucket's new sums one change of the state. Takes commit_mu. */
LEAT_MUST_CHECK leat_status lt_object_apply(struct lt_object_folder *folder, const char *bucket,
                                            const struct lt_state_change *changes, size_t n_changes,
                                            int64_t more_objects, int64_t more_bytes,
                                            struct leat_error *err);
leat_status lt_object_no_bucket(struct leat_error *err, const char *bucket);
leat_status lt_object_no_key(struct leat_error *err, struct lt_slice key);

/* folder_put.c */
pthread_mutex_t *lt_object_stripe(struct lt_object_folder *folder, const char *bucket,
                                  struct lt_slice key);
/** Finishes replacements that a crash cut short between the file and its document. */
LEAT_MUST_CHECK leat_status lt_object_recover(struct lt_object_folder *folder,
                                              struct leat_error *err);
/** Finishes one, if there is one to finish. */
LEAT_MUST_CHECK leat_status lt_object_finish_intent(struct lt_object_folder *folder,
                                                    const char *bucket, struct lt_slice key,
                                                    struct lt_arena *arena, struct leat_error *err);

#endif
