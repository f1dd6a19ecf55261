/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets: a document each, {"created","objects","bytes"}, whose sums change together with the
 * objects' documents, and a table of all in memory. One that is being removed says "deleting"
 * from before its first object goes to after its last, so that a crash on the way is carried on.
 */
#include "object/folder_parts.h"

#include "base/clock.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char bucket_kind[] = "bucket";

leat_status lt_object_no_bucket(struct leat_error *err, const char *bucket) {
    return lt_fail_code(err, LEAT_E_NOT_FOUND, "NoSuchBucket", "there is no bucket %.63s", bucket);
}

leat_status lt_object_no_key(struct leat_error *err, struct lt_slice key) {
    return lt_fail_code(err, LEAT_E_NOT_FOUND, "NoSuchKey", "there is no object %.*s", LT_FMT(key));
}

/** Index of the first row not before `name`. table_mu is held. */
static size_t find_row(const struct lt_object_folder *folder, const char *name) {
    size_t low = 0, high = folder->n_rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(folder->rows[middle].bucket.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct lt_object_bucket_row *row_of(struct lt_object_folder *folder, const char *name) {
    size_t i = find_row(folder, name);
    if (i < folder->n_rows && !strcmp(folder->rows[i].bucket.name, name))
        return &folder->rows[i];
    return NULL;
}

static leat_status add_row(struct lt_object_folder *folder, const struct lt_object_bucket_row *row,
                           struct leat_error *err) {
    pthread_mutex_lock(&folder->table_mu);
    if (folder->n_rows == folder->cap_rows) {
        size_t cap = folder->cap_rows ? folder->cap_rows * 2 : 16;
        struct lt_object_bucket_row *rows = reallocarray(folder->rows, cap, sizeof(*rows));
        if (!rows) {
            pthread_mutex_unlock(&folder->table_mu);
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu buckets", cap);
        }
        folder->rows = rows;
        folder->cap_rows = cap;
    }
    size_t at = find_row(folder, row->bucket.name);
    memmove(&folder->rows[at + 1], &folder->rows[at], (folder->n_rows - at) * sizeof(*row));
    folder->rows[at] = *row;
    folder->n_rows++;
    pthread_mutex_unlock(&folder->table_mu);
    return LEAT_OK;
}

static void drop_row(struct lt_object_folder *folder, const char *name) {
    pthread_mutex_lock(&folder->table_mu);
    struct lt_object_bucket_row *row = row_of(folder, name);
    if (row) {
        size_t after = folder->n_rows - (size_t)(row - folder->rows) - 1;
        memmove(row, row + 1, after * sizeof(*row));
        folder->n_rows--;
    }
    pthread_mutex_unlock(&folder->table_mu);
}

/** A copy of the row; false when there is none. */
static bool get_row(struct lt_object_folder *folder, const char *name,
                    struct lt_object_bucket_row *out) {
    pthread_mutex_lock(&folder->table_mu);
    const struct lt_object_bucket_row *row = row_of(folder, name);
    if (row)
        *out = *row;
    pthread_mutex_unlock(&folder->table_mu);
    return row != NULL;
}

static void set_row(struct lt_object_folder *folder, const struct lt_object_bucket_row *with) {
    pthread_mutex_lock(&folder->table_mu);
    struct lt_object_bucket_row *row = row_of(folder, with->bucket.name);
    if (row)
        *row = *with;
    pthread_mutex_unlock(&folder->table_mu);
}

bool lt_object_folder_has(struct lt_object_folder *folder, const char *bucket,
                          struct lt_object_bucket *out) {
    struct lt_object_bucket_row row;
    if (!get_row(folder, bucket, &row) || row.deleting)
        return false;
    if (out)
        *out = row.bucket;
    return true;
}

leat_status lt_object_folder_buckets(struct lt_object_folder *folder, struct lt_arena *arena,
                                     struct lt_object_bucket **buckets, size_t *n,
                                     struct leat_error *err) {
    *n = 0;
    pthread_mutex_lock(&folder->table_mu);
    *buckets = lt_arena_calloc(arena, folder->n_rows + 1, sizeof(**buckets));
    for (size_t i = 0; *buckets && i < folder->n_rows; i++)
        if (!folder->rows[i].deleting)
            (*buckets)[(*n)++] = folder->rows[i].bucket;
    pthread_mutex_unlock(&folder->table_mu);
    if (!*buckets)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to list the buckets");
    return LEAT_OK;
}

static void write_doc(const struct lt_object_bucket_row *row, struct lt_buf *out) {
    struct lt_json_writer w;

    lt_buf_clear(out);
    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "created");
    lt_json_put_int(&w, row->bucket.created_ms);
    lt_json_key(&w, "objects");
    lt_json_put_uint(&w, row->bucket.n_objects);
    lt_json_key(&w, "bytes");
    lt_json_put_uint(&w, row->bucket.n_bytes);
    if (*row->bucket.location) {
        lt_json_key(&w, "location");
        lt_json_put_str(&w, row->bucket.location);
    }
    if (row->deleting) {
        lt_json_key(&w, "deleting");
        lt_json_put_bool(&w, true);
    }
    lt_json_end_object(&w);
}

static leat_status read_doc(struct lt_object_bucket_row *row, const struct lt_state_row *doc,
                            struct leat_error *err) {
    struct lt_json json, value;
    int64_t n_objects = 0, n_bytes = 0;

    memset(row, 0, sizeof(*row));
    if (doc->name.len >= sizeof(row->bucket.name) ||
        lt_json_parse(&json, doc->body, LT_JSON_DEFAULT_DEPTH, err) != LEAT_OK ||
        !lt_json_get(json, "created", &value) || !lt_json_int64(value, &row->bucket.created_ms) ||
        !lt_json_get(json, "objects", &value) || !lt_json_int64(value, &n_objects) ||
        !lt_json_get(json, "bytes", &value) || !lt_json_int64(value, &n_bytes))
        return lt_fail(err, LEAT_E_CORRUPT, 0, "the document of the bucket %.*s is damaged",
                       LT_FMT(doc->name));
    memcpy(row->bucket.name, doc->name.data, doc->name.len);
    row->bucket.n_objects = (uint64_t)n_objects;
    row->bucket.n_bytes = (uint64_t)n_bytes;
    row->deleting = lt_json_get(json, "deleting", &value);
    if (lt_json_get(json, "location", &value) && value.raw.len - 2 < sizeof(row->bucket.location))
        memcpy(row->bucket.location, value.raw.data + 1, value.raw.len - 2);
    return LEAT_OK;
}

static leat_status set_doc(struct lt_object_folder *folder, const struct lt_object_bucket_row *row,
                           struct leat_error *err) {
    struct lt_buf doc;

    lt_buf_init(&doc, 4096);
    write_doc(row, &doc);
    leat_status status = lt_buf_status(&doc, err);
    if (status == LEAT_OK)
        status = lt_state_set(folder->state, bucket_kind, lt_slice_str(row->bucket.name),
                              lt_buf_slice(&doc), err);
    lt_buf_deinit(&doc);
    return status;
}

leat_status lt_object_create_bucket(struct lt_object_store *store, const char *bucket,
                                    struct leat_error *err) {
    return lt_object_folder_create((struct lt_object_folder *)store, bucket, "", err);
}

leat_status lt_object_folder_create(struct lt_object_folder *folder, const char *bucket,
                                    const char *location, struct leat_error *err) {
    struct lt_object_bucket_row row = {.bucket = {.created_ms = lt_clock_wall_ms()}};
    leat_status status;

    if (!*bucket || strlen(bucket) >= sizeof(row.bucket.name) || strchr(bucket, '/') ||
        bucket[0] == '.')
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidBucketName",
                            "\"%.80s\" is not a bucket's name", bucket);
    memcpy(row.bucket.name, bucket, strlen(bucket));
    snprintf(row.bucket.location, sizeof(row.bucket.location), "%s", location);
    pthread_mutex_lock(&folder->commit_mu);
    struct lt_object_bucket_row old;
    if (get_row(folder, bucket, &old)) {
        status = old.deleting
                     ? lt_fail(err, LEAT_E_BUSY, 0, "the bucket %s is being removed", bucket)
                     : lt_fail(err, LEAT_E_EXISTS, 0, "the bucket %s exists", bucket);
        goto out;
    }
    if ((mkdirat(folder->buckets_fd, bucket, 0777) && errno != EEXIST) ||
        fsync(folder->buckets_fd)) {
        status = lt_fail_sys(err, errno, "making buckets/%s", bucket);
        goto out;
    }
    status = set_doc(folder, &row, err);
    if (status == LEAT_OK)
        status = add_row(folder, &row, err);

out:
    pthread_mutex_unlock(&folder->commit_mu);
    return status;
}

/**
 * What is left to do of a bucket that says "deleting". Its folder goes to `tmp/` under the name in
 * `trash`, to be removed without a lock; with `keep_files` only when it is empty, so that what a
 * person put there is not lost with an empty bucket.
 */
static leat_status finish_removal(struct lt_object_folder *folder, const char *bucket,
                                  bool keep_files, char trash[112], struct leat_error *err) {
    char kind[80];

    *trash = '\0';
    lt_object_kind(bucket, kind);
    leat_status status = lt_state_remove_kind(folder->state, kind, err);
    if (status != LEAT_OK)
        return status;
    if (keep_files) {
        lt_object_remove_empty(folder, bucket);
    } else {
        snprintf(trash, 112, "bucket-%s-%llu", bucket,
                 (unsigned long long)atomic_fetch_add(&folder->n_tmp, 1));
        if (renameat(folder->buckets_fd, bucket, folder->tmp_fd, trash) && errno != ENOENT)
            return lt_fail_sys(err, errno, "removing buckets/%s", bucket);
    }
    status = lt_state_remove(folder->state, bucket_kind, lt_slice_str(bucket), err);
    if (status == LEAT_OK)
        drop_row(folder, bucket);
    return status;
}

leat_status lt_object_remove_bucket(struct lt_object_store *store, const char *bucket,
                                    bool with_objects, struct leat_error *err) {
    struct lt_object_folder *folder = (struct lt_object_folder *)store;
    struct lt_object_bucket_row row;
    char trash[112] = "";
    leat_status status;

    pthread_mutex_lock(&folder->commit_mu);
    if (!get_row(folder, bucket, &row)) {
        status = lt_object_no_bucket(err, bucket);
    } else if (row.bucket.n_objects && !with_objects && !row.deleting) {
        status = lt_fail_code(err, LEAT_E_BUSY, "BucketNotEmpty", "the bucket %s has %llu objects",
                              bucket, (unsigned long long)row.bucket.n_objects);
    } else {
        bool keep_files = row.bucket.n_objects == 0;
        row.deleting = true;
        status = set_doc(folder, &row, err);
        if (status == LEAT_OK)
            set_row(folder, &row);
        if (status == LEAT_OK)
            status = finish_removal(folder, bucket, keep_files, trash, err);
    }
    pthread_mutex_unlock(&folder->commit_mu);
    if (*trash)
        lt_object_remove_tree(folder->tmp_fd, trash);
    return status;
}

leat_status lt_object_stat_bucket(struct lt_object_store *store, const char *bucket,
                                  uint64_t *n_objects, uint64_t *n_bytes, struct leat_error *err) {
    struct lt_object_bucket found;

    if (!lt_object_folder_has((struct lt_object_folder *)store, bucket, &found))
        return lt_object_no_bucket(err, bucket);
    *n_objects = found.n_objects;
    *n_bytes = found.n_bytes;
    return LEAT_OK;
}

leat_status lt_object_apply(struct lt_object_folder *folder, const char *bucket,
                            const struct lt_state_change *changes, size_t n_changes,
                            int64_t more_objects, int64_t more_bytes, struct leat_error *err) {
    struct lt_object_bucket_row row;
    struct lt_buf doc;
    leat_status status;

    struct lt_state_change *all = reallocarray(NULL, n_changes + 1, sizeof(*all));
    if (!all)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu changes", n_changes);
    lt_buf_init(&doc, 4096);
    pthread_mutex_lock(&folder->commit_mu);
    if (!get_row(folder, bucket, &row) || row.deleting) {
        status = lt_object_no_bucket(err, bucket);
        goto out;
    }
    memcpy(all, changes, n_changes * sizeof(*all));
    row.bucket.n_objects += (uint64_t)more_objects;
    row.bucket.n_bytes += (uint64_t)more_bytes;
    write_doc(&row, &doc);
    status = lt_buf_status(&doc, err);
    if (status != LEAT_OK)
        goto out;
    all[n_changes] =
        (struct lt_state_change){bucket_kind, lt_slice_str(bucket), lt_buf_slice(&doc)};
    status = lt_state_apply(folder->state, all, n_changes + 1, err);
    if (status == LEAT_OK)
        set_row(folder, &row);

out:
    pthread_mutex_unlock(&folder->commit_mu);
    lt_buf_deinit(&doc);
    free(all);
    return status;
}

leat_status lt_object_load_buckets(struct lt_object_folder *folder, struct leat_error *err) {
    enum { AT_ONCE = 256 };
    struct lt_arena arena;
    struct lt_state_row *rows = NULL;
    char last[64] = "", trash[112] = "";
    size_t n = AT_ONCE;
    leat_status status = LEAT_OK;

    lt_arena_init(&arena, 64 << 20);
    while (status == LEAT_OK && n == AT_ONCE) {
        lt_arena_reset(&arena);
        status = lt_state_list(folder->state, bucket_kind, lt_slice_str(last), *last != '\0',
                               AT_ONCE, &arena, &rows, &n, err);
        for (size_t i = 0; status == LEAT_OK && i < n; i++) {
            struct lt_object_bucket_row row;
            status = read_doc(&row, &rows[i], err);
            if (status != LEAT_OK)
                break;
            memcpy(last, row.bucket.name, sizeof(last));
            status = add_row(folder, &row, err);
            if (status == LEAT_OK && row.deleting)
                status =
                    finish_removal(folder, row.bucket.name, row.bucket.n_objects == 0, trash, err);
            if (*trash)
                lt_object_remove_tree(folder->tmp_fd, trash);
            *trash = '\0';
        }
    }
    lt_arena_deinit(&arena);
    return status;
}
