/* SPDX-License-Identifier: Apache-2.0 */
/* Objects looked at and removed. A document goes before its file, so that a crash between the two
 * leaves a file that is no object, and never an object without its file. */
#include "object/folder_parts.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_MAX_BYTES = 256 << 20 };

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
    struct stat st = {0};

    memset(doc, 0, sizeof(*doc));
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

/** What is known of the objects to remove. */
struct removal {
    struct lt_object_folder *folder;
    const char *bucket;
    const struct lt_slice *keys;
    size_t n;
    struct lt_arena arena;
    char kind[80];
    struct lt_state_change *changes; /* of those that are there */
    struct lt_object_doc *docs;      /* the same */
    size_t n_there;
    uint64_t n_bytes;
};

static int compare_keys(const void *a, const void *b) {
    return lt_slice_cmp(*(const struct lt_slice *)a, *(const struct lt_slice *)b);
}

/** The documents of those that are there, each once. */
static leat_status gather(struct removal *removal, struct leat_error *err) {
    struct lt_slice *keys = lt_arena_calloc(&removal->arena, removal->n, sizeof(*keys));
    removal->changes = lt_arena_calloc(&removal->arena, removal->n, sizeof(*removal->changes));
    removal->docs = lt_arena_calloc(&removal->arena, removal->n, sizeof(*removal->docs));
    if (!keys || !removal->changes || !removal->docs)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to remove %zu objects", removal->n);
    memcpy(keys, removal->keys, removal->n * sizeof(*keys));
    qsort(keys, removal->n, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < removal->n; i++) {
        struct lt_slice key = keys[i];
        if (!key.len || key.len > LT_OBJECT_KEY_MAX_BYTES || (i && lt_slice_eq(key, keys[i - 1])))
            continue;
        struct lt_object_doc *doc = &removal->docs[removal->n_there];
        leat_status status =
            lt_object_finish_intent(removal->folder, removal->bucket, key, &removal->arena, err);
        if (status == LEAT_OK)
            status = get_doc(removal->folder, removal->bucket, key, &removal->arena, doc, err);
        if (status == LEAT_E_NOT_FOUND)
            continue;
        if (status != LEAT_OK)
            return status;
        removal->changes[removal->n_there++] =
            (struct lt_state_change){removal->kind, key, {NULL, 0}};
        removal->n_bytes += doc->info.size;
    }
    return LEAT_OK;
}

static leat_status remove_them(struct removal *removal, struct leat_error *err) {
    leat_status status = gather(removal, err);
    if (status != LEAT_OK || !removal->n_there)
        return status;
    status = lt_object_apply(removal->folder, removal->bucket, removal->changes, removal->n_there,
                             -(int64_t)removal->n_there, -(int64_t)removal->n_bytes, err);
    if (status != LEAT_OK)
        return status;
    for (size_t i = 0; i < removal->n_there; i++) {
        char path[LT_OBJECT_PATH_BYTES];
        struct leat_error why;
        lt_object_doc_path(&removal->docs[i], removal->bucket, removal->changes[i].name, path);
        if (lt_object_unplace(removal->folder, path, &why) != LEAT_OK)
            lt_log(LT_LOG_WARN, "object", "a file without its object stays: %s", why.text);
    }
    return LEAT_OK;
}

leat_status lt_object_folder_remove_many(struct lt_object_folder *folder, const char *bucket,
                                         const struct lt_slice *keys, size_t n,
                                         struct leat_error *err) {
    struct removal removal = {.folder = folder, .bucket = bucket, .keys = keys, .n = n};
    uint64_t locked =
        0; /* a bit a stripe; taken in their order, so that nobody waits in a circle */

    _Static_assert(LT_OBJECT_N_STRIPES <= 64, "a bit a stripe");
    if (!lt_object_folder_has(folder, bucket, NULL))
        return lt_object_no_bucket(err, bucket);
    lt_object_kind(bucket, removal.kind);
    lt_arena_init(&removal.arena, ARENA_MAX_BYTES);
    for (size_t i = 0; i < n; i++)
        locked |= UINT64_C(1) << (lt_object_stripe(folder, bucket, keys[i]) - folder->stripes);
    for (unsigned i = 0; i < LT_OBJECT_N_STRIPES; i++)
        if (locked >> i & 1)
            pthread_mutex_lock(&folder->stripes[i]);
    leat_status status = remove_them(&removal, err);
    for (unsigned i = 0; i < LT_OBJECT_N_STRIPES; i++)
        if (locked >> i & 1)
            pthread_mutex_unlock(&folder->stripes[i]);
    lt_arena_deinit(&removal.arena);
    return status;
}

leat_status lt_object_folder_remove(struct lt_object_folder *folder, const char *bucket,
                                    struct lt_slice key, struct leat_error *err) {
    return lt_object_folder_remove_many(folder, bucket, &key, 1, err);
}
