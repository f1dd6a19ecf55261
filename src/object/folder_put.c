/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object comes in: its file is synced under `tmp/`, renamed into its place, and then its
 * document is set. A crash before the document leaves a file that is no object. Where the object
 * replaces another, its document is first kept as an intent ("object-intent", by BUCKET/KEY), with
 * the inode of the new file: whoever finds that inode in the object's place carries the intent
 * out, so that bytes and document are always of the same put.
 */
#include "object/folder_parts.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { DOC_MAX_BYTES = 256 << 10, ARENA_MAX_BYTES = 4 << 20, INTENT_NAME_BYTES = 1100 };

pthread_mutex_t *lt_object_stripe(struct lt_object_folder *folder, const char *bucket,
                                  struct lt_slice key) {
    uint32_t hash = lt_crc32c(lt_crc32c(0, bucket, strlen(bucket)), key.data, key.len);
    return &folder->stripes[hash % LT_OBJECT_N_STRIPES];
}

leat_status lt_object_tmp_new(struct lt_object_folder *folder, struct lt_object_tmp *tmp,
                              struct leat_error *err) {
    snprintf(tmp->name, sizeof(tmp->name), "object-%ld-%llu", (long)getpid(),
             (unsigned long long)atomic_fetch_add(&folder->n_tmp, 1));
    tmp->fd = openat(folder->tmp_fd, tmp->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (tmp->fd < 0)
        return lt_fail_sys(err, errno, "making tmp/%s", tmp->name);
    return LEAT_OK;
}

void lt_object_tmp_drop(struct lt_object_folder *folder, struct lt_object_tmp *tmp) {
    if (tmp->fd >= 0)
        close(tmp->fd);
    tmp->fd = -1;
    if (*tmp->name)
        (void)unlinkat(folder->tmp_fd, tmp->name, 0);
    *tmp->name = '\0';
}

static struct lt_slice intent_name(const char *bucket, struct lt_slice key,
                                   char out[INTENT_NAME_BYTES]) {
    size_t n = strlen(bucket);
    memcpy(out, bucket, n);
    out[n] = '/';
    memcpy(out + n + 1, key.data, key.len);
    return lt_slice(out, n + 1 + key.len);
}

/** The document of an object; `*found` tells whether there is one. */
static leat_status get_doc(struct lt_object_folder *folder, const char *bucket, struct lt_slice key,
                           struct lt_arena *arena, struct lt_object_doc *doc, bool *found,
                           struct leat_error *err) {
    char kind[80];
    struct lt_slice body;

    *found = false;
    lt_object_kind(bucket, kind);
    leat_status status = lt_state_get(folder->state, kind, key, arena, &body, err);
    if (status == LEAT_E_NOT_FOUND)
        return LEAT_OK;
    if (status == LEAT_OK)
        status = lt_object_doc_read(doc, body, arena, err);
    *found = status == LEAT_OK;
    return status;
}

/** Everything of one put between its steps. */
struct put {
    struct lt_object_folder *folder;
    const char *bucket;
    struct lt_object_tmp *tmp;
    struct lt_object_commit *commit;
    struct lt_arena arena;
    struct lt_object_doc old, doc;
    bool replaces;
    struct lt_buf body;
    char kind[80];
    char path[LT_OBJECT_PATH_BYTES];
};

static leat_status check_conditions(const struct put *put, struct leat_error *err) {
    const struct lt_object_commit *commit = put->commit;

    if (commit->if_match.len && !put->replaces)
        return lt_object_no_key(err, commit->key);
    if (commit->if_none && put->replaces)
        return lt_fail_code(err, LEAT_E_EXISTS, "PreconditionFailed", "the object exists");
    if (commit->if_match.len && !lt_slice_eq_str(commit->if_match, put->old.info.etag))
        return lt_fail_code(err, LEAT_E_EXISTS, "PreconditionFailed",
                            "the object has another etag");
    return LEAT_OK;
}

static leat_status write_body(struct put *put, bool escaped, struct leat_error *err) {
    put->doc.path = lt_slice(NULL, 0);
    if (escaped) {
        lt_object_escaped_path(put->bucket, put->commit->key, put->path);
        put->doc.path = lt_slice_str(put->path + strlen(put->bucket) + 1);
    }
    lt_buf_clear(&put->body);
    lt_object_doc_write(&put->doc, &put->body);
    return lt_buf_status(&put->body, err);
}

/** Records what will be, while the object that is replaced is still in its place. */
static leat_status set_intent(struct put *put, struct leat_error *err) {
    char name[INTENT_NAME_BYTES];
    return lt_state_set(put->folder->state, lt_object_intent_kind,
                        intent_name(put->bucket, put->commit->key, name), lt_buf_slice(&put->body),
                        err);
}

/** An object that is there keeps its file's name; a new one gets its plain name where it can. */
static leat_status place(struct put *put, struct leat_error *err) {
    bool plain = lt_object_plain_path(put->bucket, put->commit->key, put->path);
    bool escaped = put->replaces ? put->old.path.len != 0 : !plain;

    leat_status status = write_body(put, escaped, err);
    if (status == LEAT_OK && put->replaces)
        status = set_intent(put, err);
    if (status != LEAT_OK)
        return status;
    status = lt_object_place(put->folder, put->tmp->name, put->path, err);
    if (status != LEAT_E_BUSY || escaped)
        return status;
    /* Another object stands in the way, or by now a person's folder does. */
    status = write_body(put, true, err);
    if (status == LEAT_OK && put->replaces)
        status = set_intent(put, err);
    if (status == LEAT_OK)
        status = lt_object_place(put->folder, put->tmp->name, put->path, err);
    return status;
}

static leat_status record(struct put *put, struct leat_error *err) {
    char name[INTENT_NAME_BYTES];
    const struct lt_state_change changes[] = {
        {put->kind, put->commit->key, lt_buf_slice(&put->body)},
        {lt_object_intent_kind, intent_name(put->bucket, put->commit->key, name), {NULL, 0}}};

    return lt_object_apply(put->folder, put->bucket, changes, put->replaces ? 2 : 1,
                           put->replaces ? 0 : 1,
                           (int64_t)(put->doc.info.size - put->old.info.size), err);
}

static leat_status swap(struct put *put, struct leat_error *err) {
    leat_status status =
        lt_object_finish_intent(put->folder, put->bucket, put->commit->key, &put->arena, err);
    if (status == LEAT_OK)
        status = get_doc(put->folder, put->bucket, put->commit->key, &put->arena, &put->old,
                         &put->replaces, err);
    if (status == LEAT_OK)
        status = check_conditions(put, err);
    if (status == LEAT_OK)
        status = place(put, err);
    if (status != LEAT_OK)
        return status;
    *put->tmp->name = '\0'; /* it is no temporary file any more */
    status = record(put, err);
    if (status != LEAT_OK && !put->replaces) {
        struct leat_error ignored;
        (void)!lt_object_unplace(put->folder, put->path, &ignored);
    }
    return status;
}

static leat_status sync_tmp(struct put *put, struct leat_error *err) {
    struct stat st;

    if (fsync(put->tmp->fd) || fstat(put->tmp->fd, &st))
        return lt_fail_sys(err, errno, "syncing tmp/%s", put->tmp->name);
    put->doc.info.size = (uint64_t)st.st_size;
    put->doc.ino = (uint64_t)st.st_ino;
    return LEAT_OK;
}

leat_status lt_object_folder_commit(struct lt_object_folder *folder, const char *bucket,
                                    struct lt_object_tmp *tmp, struct lt_object_commit *commit,
                                    struct leat_error *err) {
    struct put put = {.folder = folder, .bucket = bucket, .tmp = tmp, .commit = commit};

    if (!commit->key.len || commit->key.len > LT_OBJECT_KEY_MAX_BYTES)
        return lt_fail_code(err, LEAT_E_INVALID, "KeyTooLongError",
                            "a key has 1 to %d bytes, not %zu", LT_OBJECT_KEY_MAX_BYTES,
                            commit->key.len);
    if (!lt_object_folder_has(folder, bucket, NULL))
        return lt_object_no_bucket(err, bucket);
    lt_arena_init(&put.arena, ARENA_MAX_BYTES);
    lt_buf_init(&put.body, DOC_MAX_BYTES);
    lt_object_kind(bucket, put.kind);
    put.doc.info.content_type = commit->content_type;
    put.doc.info.content_encoding = commit->content_encoding;
    put.doc.info.user_meta = commit->user_meta;
    memcpy(put.doc.info.etag, commit->etag, sizeof(commit->etag));
    put.doc.info.etag[sizeof(commit->etag) - 1] = '\0';
    leat_status status = sync_tmp(&put, err);
    if (status == LEAT_OK) {
        pthread_mutex_t *stripe = lt_object_stripe(folder, bucket, commit->key);
        pthread_mutex_lock(stripe);
        commit->modified_ms = put.doc.info.modified_ms = lt_clock_wall_ms();
        status = swap(&put, err);
        pthread_mutex_unlock(stripe);
    }
    lt_buf_deinit(&put.body);
    lt_arena_deinit(&put.arena);
    return status;
}

/** Carries an intent out when its file is in the object's place; forgets it otherwise. */
static leat_status finish(struct lt_object_folder *folder, const char *bucket, struct lt_slice key,
                          struct lt_slice body, struct lt_arena *arena, struct leat_error *err) {
    char kind[80], name[INTENT_NAME_BYTES], path[LT_OBJECT_PATH_BYTES];
    struct lt_object_doc doc, old;
    struct stat st;
    bool there = false;

    memset(&old, 0, sizeof(old));
    lt_object_kind(bucket, kind);
    leat_status status = lt_object_doc_read(&doc, body, arena, err);
    if (status == LEAT_OK)
        status = get_doc(folder, bucket, key, arena, &old, &there, err);
    if (status != LEAT_OK)
        return status;
    lt_object_doc_path(&doc, bucket, key, path);
    bool placed = fstatat(folder->buckets_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                  (uint64_t)st.st_ino == doc.ino && (uint64_t)st.st_size == doc.info.size;
    const struct lt_state_change changes[] = {
        {lt_object_intent_kind, intent_name(bucket, key, name), {NULL, 0}}, {kind, key, body}};
    if (!there || !placed)
        return lt_state_apply(folder->state, changes, 1, err);
    lt_log(LT_LOG_INFO, "object", "finished a put that was cut short");
    return lt_object_apply(folder, bucket, changes, 2, 0, (int64_t)(doc.info.size - old.info.size),
                           err);
}

leat_status lt_object_finish_intent(struct lt_object_folder *folder, const char *bucket,
                                    struct lt_slice key, struct lt_arena *arena,
                                    struct leat_error *err) {
    char name[INTENT_NAME_BYTES];
    struct lt_slice body;

    leat_status status = lt_state_get(folder->state, lt_object_intent_kind,
                                      intent_name(bucket, key, name), arena, &body, err);
    if (status == LEAT_E_NOT_FOUND)
        return LEAT_OK;
    return status == LEAT_OK ? finish(folder, bucket, key, body, arena, err) : status;
}

leat_status lt_object_recover(struct lt_object_folder *folder, struct leat_error *err) {
    enum { AT_ONCE = 64 };
    struct lt_arena arena;
    size_t n = AT_ONCE;
    leat_status status = LEAT_OK;

    lt_arena_init(&arena, 64 << 20);
    while (status == LEAT_OK && n) { /* each one that was seen is gone afterwards */
        struct lt_state_row *rows;
        lt_arena_reset(&arena);
        status = lt_state_list(folder->state, lt_object_intent_kind, lt_slice("", 0), false,
                               AT_ONCE, &arena, &rows, &n, err);
        for (size_t i = 0; status == LEAT_OK && i < n; i++) {
            struct lt_slice name = rows[i].name;
            const char *slash = name.len ? memchr(name.data, '/', name.len) : NULL;
            size_t len = slash ? (size_t)(slash - name.data) : 0;
            char bucket[64] = "";
            memcpy(bucket, name.data, len < sizeof(bucket) ? len : 0);
            if (lt_object_folder_has(folder, bucket, NULL))
                status =
                    finish(folder, bucket, lt_slice_from(name, len + 1), rows[i].body, &arena, err);
            else
                status = lt_state_remove(folder->state, lt_object_intent_kind, name, err);
        }
    }
    lt_arena_deinit(&arena);
    return status;
}
