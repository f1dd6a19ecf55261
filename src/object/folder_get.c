/* SPDX-License-Identifier: Apache-2.0 */
/* Objects looked at and removed. A document goes before its file, so that a crash between the two
 * leaves a file that is no object, and never an object without its file. */
#include "object/folder_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { ARENA_MAX_BYTES = 1 << 20 };

static leat_status get_doc(struct lt_object_folder *folder, const char *bucket, struct lt_slice key,
                           struct lt_arena *arena, struct lt_object_doc *doc,
                           struct leat_error *err) {
    char kind[80];
    struct lt_slice body;

    lt_object_kind(bucket, kind);
    leat_status status = lt_state_get(folder->state, kind, key, arena, &body, err);
    if (status == LEAT_E_NOT_FOUND)
        return lt_object_no_key(err, key);
    return status == LEAT_OK ? lt_object_doc_read(doc, body, arena, err) : status;
}

static leat_status open_file(struct lt_object_folder *folder, const char *path, struct lt_slice key,
                             int *fd, struct stat *st, struct leat_error *err) {
    *fd = openat(folder->buckets_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return lt_object_no_key(err, key);
    if (*fd < 0 || fstat(*fd, st))
        return lt_fail_sys(err, errno, "opening buckets/%s", path);
    return LEAT_OK;
}

/** The key's stripe is held. */
static leat_status open_object(struct lt_object_folder *folder, const char *bucket,
                               struct lt_slice key, struct lt_arena *arena,
                               struct lt_object_doc *doc, int *fd, struct leat_error *err) {
    char path[LT_OBJECT_PATH_BYTES];
    struct stat st;

    leat_status status = get_doc(folder, bucket, key, arena, doc, err);
    if (status != LEAT_OK)
        return status;
    lt_object_doc_path(doc, bucket, key, path);
    status = open_file(folder, path, key, fd, &st, err);
    if (status == LEAT_OK && (uint64_t)st.st_ino != doc->ino) {
        /* Cut short between file and document, or a folder that was copied. */
        status = lt_object_finish_intent(folder, bucket, key, arena, err);
        if (status == LEAT_OK)
            status = get_doc(folder, bucket, key, arena, doc, err);
    }
    if (status == LEAT_OK && (uint64_t)st.st_size != doc->info.size)
        status = lt_fail(err, LEAT_E_CORRUPT, 0, "buckets/%.500s has %lld bytes, but %llu were put",
                         path, (long long)st.st_size, (unsigned long long)doc->info.size);
    return status;
}

leat_status lt_object_folder_open(struct lt_object_folder *folder, const char *bucket,
                                  struct lt_slice key, struct lt_arena *arena,
                                  struct lt_object_info *info, int *fd, struct leat_error *err) {
    struct lt_object_doc doc;
    int file = -1;

    if (fd)
        *fd = -1;
    if (!lt_object_folder_has(folder, bucket, NULL))
        return lt_object_no_bucket(err, bucket);
    if (!key.len || key.len > LT_OBJECT_KEY_MAX_BYTES)
        return lt_object_no_key(err, key);
    pthread_mutex_t *stripe = lt_object_stripe(folder, bucket, key);
    pthread_mutex_lock(stripe);
    leat_status status = open_object(folder, bucket, key, arena, &doc, &file, err);
    pthread_mutex_unlock(stripe);
    if (status == LEAT_OK) {
        *info = doc.info;
        info->key = key;
    }
    if (status == LEAT_OK && fd)
        *fd = file;
    else if (file >= 0)
        close(file);
    return status;
}

/** The key's stripe is held. */
static leat_status remove_object(struct lt_object_folder *folder, const char *bucket,
                                 struct lt_slice key, struct lt_arena *arena,
                                 struct leat_error *err) {
    struct lt_object_doc doc;
    char kind[80], path[LT_OBJECT_PATH_BYTES];

    leat_status status = lt_object_finish_intent(folder, bucket, key, arena, err);
    if (status == LEAT_OK)
        status = get_doc(folder, bucket, key, arena, &doc, err);
    if (status == LEAT_E_NOT_FOUND)
        return LEAT_OK;
    if (status != LEAT_OK)
        return status;
    lt_object_kind(bucket, kind);
    const struct lt_state_change change = {kind, key, {NULL, 0}};
    status = lt_object_apply(folder, bucket, &change, 1, -1, -(int64_t)doc.info.size, err);
    if (status != LEAT_OK)
        return status;
    lt_object_doc_path(&doc, bucket, key, path);
    return lt_object_unplace(folder, path, err);
}

leat_status lt_object_folder_remove(struct lt_object_folder *folder, const char *bucket,
                                    struct lt_slice key, struct leat_error *err) {
    struct lt_arena arena;

    if (!lt_object_folder_has(folder, bucket, NULL))
        return lt_object_no_bucket(err, bucket);
    if (!key.len || key.len > LT_OBJECT_KEY_MAX_BYTES)
        return LEAT_OK;
    lt_arena_init(&arena, ARENA_MAX_BYTES);
    pthread_mutex_t *stripe = lt_object_stripe(folder, bucket, key);
    pthread_mutex_lock(stripe);
    leat_status status = remove_object(folder, bucket, key, &arena, err);
    pthread_mutex_unlock(stripe);
    lt_arena_deinit(&arena);
    return status;
}
