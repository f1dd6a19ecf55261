/* SPDX-License-Identifier: Apache-2.0 */
/* The folder's objects opened and closed, and as a body of the object store's interface. */
#include "object/folder_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_sub_folder(const char *data_dir, const char *name) {
    int base = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (base < 0)
        return -1;
    int fd = -1;
    if (mkdirat(base, name, 0777) == 0 || errno == EEXIST)
        fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int sys = errno;
    close(base);
    errno = sys;
    return fd;
}

static leat_status put(struct lt_object_store *store, const char *bucket,
                       const struct lt_object_put *object, struct leat_error *err) {
    struct lt_object_folder *folder = (struct lt_object_folder *)store;
    struct lt_object_commit commit = {.key = object->key,
                                      .content_type = lt_slice_str(object->content_type),
                                      .content_encoding = lt_slice_str(object->content_encoding)};
    struct lt_object_tmp tmp;

    if (!lt_object_folder_has(folder, bucket, NULL))
        return lt_object_no_bucket(err, bucket);
    leat_status status = lt_object_tmp_new(folder, &tmp, err);
    if (status != LEAT_OK)
        return status;
    status = lt_object_write(tmp.fd, object, commit.etag, err);
    if (status == LEAT_OK)
        status = lt_object_folder_commit(folder, bucket, &tmp, &commit, err);
    lt_object_tmp_drop(folder, &tmp);
    return status;
}

static leat_status head(struct lt_object_store *store, const char *bucket, struct lt_slice key,
                        struct lt_arena *arena, struct lt_object_info *info,
                        struct leat_error *err) {
    return lt_object_folder_open((struct lt_object_folder *)store, bucket, key, arena, info, NULL,
                                 err);
}

static void close_store(struct lt_object_store *store) {
    lt_object_folder_free((struct lt_object_folder *)store);
}

static const struct lt_object_ops ops = {
    .put = put,
    .head = head,
    .create_bucket = lt_object_create_bucket,
    .remove_bucket = lt_object_remove_bucket,
    .stat_bucket = lt_object_stat_bucket,
    .close = close_store,
};

leat_status lt_object_folder_new(struct lt_object_folder **out, const char *data_dir,
                                 struct lt_state *state, struct leat_error *err) {
    struct lt_object_folder *folder = calloc(1, sizeof(*folder));
    leat_status status;

    *out = NULL;
    if (!folder)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a folder of objects");
    folder->store.ops = &ops;
    folder->state = state;
    folder->buckets_fd = -1;
    folder->tmp_fd = -1;
    for (size_t i = 0; i < LT_OBJECT_N_STRIPES; i++)
        pthread_mutex_init(&folder->stripes[i], NULL);
    pthread_mutex_init(&folder->commit_mu, NULL);
    pthread_mutex_init(&folder->table_mu, NULL);
    folder->buckets_fd = open_sub_folder(data_dir, "buckets");
    if (folder->buckets_fd >= 0)
        folder->tmp_fd = open_sub_folder(data_dir, "tmp");
    if (folder->tmp_fd < 0) {
        status = lt_fail_sys(err, errno, "opening the folders of %.300s", data_dir);
        goto fail;
    }
    status = lt_object_load_buckets(folder, err);
    if (status == LEAT_OK)
        status = lt_object_recover(folder, err);
    if (status != LEAT_OK)
        goto fail;
    *out = folder;
    return LEAT_OK;

fail:
    lt_object_folder_free(folder);
    return status;
}

void lt_object_folder_free(struct lt_object_folder *folder) {
    if (!folder)
        return;
    if (folder->buckets_fd >= 0)
        close(folder->buckets_fd);
    if (folder->tmp_fd >= 0)
        close(folder->tmp_fd);
    for (size_t i = 0; i < LT_OBJECT_N_STRIPES; i++)
        pthread_mutex_destroy(&folder->stripes[i]);
    pthread_mutex_destroy(&folder->commit_mu);
    pthread_mutex_destroy(&folder->table_mu);
    free(folder->rows);
    free(folder);
}

struct lt_object_store *lt_object_folder_store(struct lt_object_folder *folder) {
    return &folder->store;
}
