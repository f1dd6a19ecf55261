/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pull_spool.h"

#include "base/clock.h"
#include "pipeline/pull_spool_parts.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DOC_LIST_MAX = 100000,
    DOC_LIST_BYTES = 256 << 20,
    PENDING_ROOM_BYTES = 8 << 20, /* more waits for the disk */
    FLUSH_BYTES = 1 << 20,        /* so much is written without waiting for a commit */
    WAITING_ROOM_FILES = 16,
};

static const char doc_prefix[] = "spool/";

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a spool");
}

void lt_spool_path(const struct lt_pull_spools *spools, uint64_t number, struct lt_buf *out) {
    lt_buf_init(out, PATH_MAX);
    lt_buf_printf(out, "%s/%llu.jsonl", spools->dir, (unsigned long long)number);
}

/* ---- a spool and its files ---- */

static void free_spool(struct lt_pull_spool *spool) {
    if (!spool)
        return;
    while (spool->first) {
        struct lt_spool_file *file = spool->first;
        spool->first = file->next;
        lt_buf_deinit(&file->pending);
        free(file);
    }
    free(spool->name);
    free(spool->to);
    free(spool->resource);
    free(spool->bucket);
    free(spool->prefix);
    free(spool);
}

leat_status lt_spool_new(struct lt_pull_spools *spools, const struct lt_pull_place *place,
                         const char *resource, struct lt_pull_spool **out, struct leat_error *err) {
    struct lt_pull_spool *spool = calloc(1, sizeof(*spool));
    size_t len = sizeof(doc_prefix) + strlen(place->to) + strlen(resource) + 1;

    *out = NULL;
    if (!spool)
        return no_memory(err);
    spool->name = malloc(len);
    spool->to = strdup(place->to);
    spool->resource = strdup(resource);
    spool->bucket = strdup(place->bucket);
    spool->prefix = strdup(place->prefix);
    if (!spool->name || !spool->to || !spool->resource || !spool->bucket || !spool->prefix) {
        free_spool(spool);
        return no_memory(err);
    }
    snprintf(spool->name, len, "%s%s/%s", doc_prefix, place->to, resource);
    spool->spools = spools;
    spool->compression = place->compression;
    spool->object_bytes = place->object_bytes;
    spool->object_ms = place->object_ms;
    spool->next = spools->list;
    spools->list = spool;
    *out = spool;
    return LEAT_OK;
}

struct lt_spool_file *lt_spool_add_file(struct lt_pull_spool *spool) {
    struct lt_spool_file *file = calloc(1, sizeof(*file));

    if (!file)
        return NULL;
    file->spool = spool;
    file->retry.policy = &lt_retry_default;
    lt_buf_init(&file->pending, PTRDIFF_MAX);
    if (spool->last)
        spool->last->next = file;
    else
        spool->first = file;
    spool->last = file;
    return file;
}

void lt_spool_remove_gone(struct lt_pull_spool *spool) {
    struct lt_spool_file **at = &spool->first;

    spool->last = NULL;
    while (*at) {
        struct lt_spool_file *file = *at;
        if (file->stage == LT_SPOOL_GONE && file->forgetting) {
            *at = file->next;
            lt_buf_deinit(&file->pending);
            free(file);
            continue;
        }
        spool->last = file;
        at = &file->next;
    }
}

static void seal(struct lt_spool_file *file) {
    struct lt_pull_spools *spools = file->spool->spools;

    file->stage = LT_SPOOL_SEALED;
    file->spool->dirty = true;
    spools->n_waiting++;
    spools->n_unsealed++;
}

static bool is_same_place(const struct lt_pull_spool *spool, const struct lt_pull_place *place) {
    return strcmp(spool->bucket, place->bucket) == 0 && strcmp(spool->prefix, place->prefix) == 0 &&
           spool->compression == place->compression;
}

/* A spool whose place was edited is sealed and put as it was; its document would have the name of
 * the new one, so that waits until the old one is gone. */
leat_status lt_pull_spools_get(struct lt_pull_spools *spools, const struct lt_pull_place *place,
                               const char *resource, struct lt_pull_spool **out,
                               struct leat_error *err) {
    struct lt_pull_place under = *place;
    char to[PATH_MAX];
    unsigned n = 1;

    *out = NULL;
    for (struct lt_pull_spool *spool = spools->list; spool;) {
        if (strcmp(spool->to, under.to) != 0 || strcmp(spool->resource, resource) != 0) {
            spool = spool->next;
            continue;
        }
        if (is_same_place(spool, place)) {
            spool->object_bytes = place->object_bytes;
            spool->object_ms = place->object_ms;
            *out = spool;
            return LEAT_OK;
        }
        snprintf(to, sizeof(to), "%s#%u", place->to, ++n);
        under.to = to;
        spool = spools->list; /* look for that one */
    }
    return lt_spool_new(spools, &under, resource, out, err);
}

leat_status lt_pull_spool_append(struct lt_pull_spool *spool, uint64_t ordinal,
                                 struct lt_slice record, struct leat_error *err) {
    struct lt_pull_spools *spools = spool->spools;
    struct lt_spool_file *file = spool->last;

    if (spools->failed) {
        *err = spools->error;
        return spools->error.status;
    }
    if (file && file->stage == LT_SPOOL_OPEN && file->n_records &&
        file->len + record.len + 1 > spool->object_bytes)
        seal(file);
    if (!file || file->stage != LT_SPOOL_OPEN) {
        file = lt_spool_add_file(spool);
        if (!file)
            return no_memory(err);
        file->number = spools->next_number++;
    }
    if (!file->n_records) {
        file->first = ordinal;
        file->started_ms = lt_clock_wall_ms();
    }
    size_t before = file->pending.len;
    lt_buf_append(&file->pending, record);
    lt_buf_append_byte(&file->pending, '\n');
    if (file->pending.failed)
        return no_memory(err);
    file->len += file->pending.len - before;
    spools->n_pending += file->pending.len - before;
    file->n_records++;
    spool->dirty = true;
    if (spools->n_pending >= FLUSH_BYTES && !spools->commit)
        return lt_spool_commit_start(spools, NULL, 0, err);
    return LEAT_OK;
}

/* ---- all of them ---- */

bool lt_pull_spools_has_room(const struct lt_pull_spools *spools) {
    return spools->n_pending < PENDING_ROOM_BYTES && spools->n_waiting < WAITING_ROOM_FILES;
}

bool lt_pull_spools_wants_commit(const struct lt_pull_spools *spools) {
    return spools->n_unsealed && !spools->failed;
}

bool lt_pull_spools_is_committing(const struct lt_pull_spools *spools) {
    return spools->commit != NULL;
}

leat_status lt_pull_spools_commit(struct lt_pull_spools *spools,
                                  const struct lt_state_change *changes, size_t n,
                                  struct leat_error *err) {
    static const struct lt_state_change none;

    if (spools->failed) {
        *err = spools->error;
        return spools->error.status;
    }
    return lt_spool_commit_start(spools, changes ? changes : &none, n, err);
}

void lt_pull_spools_tick(struct lt_pull_spools *spools) {
    int64_t now = lt_clock_wall_ms();

    for (struct lt_pull_spool *spool = spools->list; spool; spool = spool->next) {
        struct lt_spool_file *file = spool->last;
        if (file && file->stage == LT_SPOOL_OPEN && file->n_records && spool->object_ms &&
            now - file->started_ms >= spool->object_ms)
            seal(file);
    }
    lt_spool_puts_start(spools);
}

static void seal_last(struct lt_pull_spool *spool) {
    if (spool->last && spool->last->stage == LT_SPOOL_OPEN && spool->last->n_records)
        seal(spool->last);
}

void lt_pull_spools_seal(struct lt_pull_spools *spools) {
    for (struct lt_pull_spool *spool = spools->list; spool; spool = spool->next)
        seal_last(spool);
}

void lt_pull_spools_end_pass(struct lt_pull_spools *spools, const char *resource) {
    for (struct lt_pull_spool *spool = spools->list; spool; spool = spool->next) {
        if (strcmp(spool->resource, resource) == 0)
            seal_last(spool);
    }
}

void lt_pull_spools_drop(struct lt_pull_spools *spools, const char *resource) {
    for (struct lt_pull_spool *spool = spools->list; spool; spool = spool->next) {
        if (strcmp(spool->resource, resource) != 0)
            continue;
        for (struct lt_spool_file *file = spool->first; file; file = file->next) {
            assert(file->stage == LT_SPOOL_OPEN || file->stage == LT_SPOOL_READY);
            spools->n_waiting -= file->stage == LT_SPOOL_READY;
            file->stage = LT_SPOOL_GONE;
            spool->dirty = true;
        }
    }
}

size_t lt_pull_spools_n_waiting(const struct lt_pull_spools *spools) {
    return spools->n_waiting;
}

bool lt_pull_spools_is_empty(const struct lt_pull_spools *spools) {
    if (spools->commit)
        return false;
    for (const struct lt_pull_spool *spool = spools->list; spool; spool = spool->next) {
        for (const struct lt_spool_file *file = spool->first; file; file = file->next) {
            if (file->n_records)
                return false;
        }
    }
    return true;
}

/* ---- opening ---- */

static leat_status make_folders(const char *dir, struct leat_error *err) {
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
        return lt_fail(err, LEAT_E_LIMIT, 0, "the path %s is too long", dir);
    for (char *at = path + 1;; at++) {
        char end = *at;
        if (end && end != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0777) && errno != EEXIST)
            return lt_fail_sys(err, errno, "cannot make the folder %s", path);
        *at = end;
        if (!end)
            return LEAT_OK;
    }
}

static leat_status read_docs(struct lt_pull_spools *spools, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_state_row *rows;
    size_t n = 0;

    lt_arena_init(&arena, DOC_LIST_BYTES);
    leat_status status = lt_state_list(spools->opt.state, spools->kind, lt_slice_str(doc_prefix),
                                       false, DOC_LIST_MAX, &arena, &rows, &n, err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (!lt_slice_starts(rows[i].name, lt_slice_str(doc_prefix)))
            break;
        status = lt_spool_doc_read(spools, rows[i].name, rows[i].body, err);
    }
    lt_arena_deinit(&arena);
    return status;
}

/* What was written after the last commit is cut. */
static leat_status cut(struct lt_pull_spools *spools, const struct lt_spool_file *file,
                       struct leat_error *err) {
    struct lt_buf path;
    struct stat st;
    leat_status status = LEAT_OK;

    lt_spool_path(spools, file->number, &path);
    const char *name = lt_buf_cstr(&path);
    if (!name)
        status = no_memory(err);
    else if (stat(name, &st))
        status = lt_fail_sys(err, errno, "records of %s wait in %s, which cannot be read",
                             file->spool->resource, name);
    else if ((uint64_t)st.st_size < file->len)
        status = lt_fail(err, LEAT_E_CORRUPT, 0,
                         "%s has %llu bytes, and %llu of them were kept: records of %s are lost; "
                         "--fresh starts over",
                         name, (unsigned long long)st.st_size, (unsigned long long)file->len,
                         file->spool->resource);
    else if ((uint64_t)st.st_size > file->len && truncate(name, (off_t)file->len))
        status = lt_fail_sys(err, errno, "cutting %s", name);
    if (status == LEAT_E_NOT_FOUND)
        status = lt_fail(err, LEAT_E_CORRUPT, 0,
                         "%s is gone, and with it %llu records of %s; --fresh starts over", name,
                         (unsigned long long)file->n_records, file->spool->resource);
    lt_buf_deinit(&path);
    return status;
}

static bool is_known(const struct lt_pull_spools *spools, const char *name) {
    char known[32];
    for (const struct lt_pull_spool *spool = spools->list; spool; spool = spool->next) {
        for (const struct lt_spool_file *file = spool->first; file; file = file->next) {
            snprintf(known, sizeof(known), "%llu.jsonl", (unsigned long long)file->number);
            if (strcmp(known, name) == 0)
                return true;
        }
    }
    return false;
}

/* Files that no document names: begun after the last commit, or forgotten and not yet removed. */
static leat_status remove_strangers(const char *path, const struct lt_pull_spools *spools,
                                    struct leat_error *err) {
    DIR *dir = opendir(path);
    leat_status status = LEAT_OK;

    if (!dir)
        return lt_fail_sys(err, errno, "cannot open the folder %s", path);
    for (struct dirent *entry; status == LEAT_OK && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || (spools && is_known(spools, entry->d_name)))
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) && errno != ENOENT)
            status = lt_fail_sys(err, errno, "removing %s/%s", path, entry->d_name);
    }
    closedir(dir);
    return status;
}

leat_status lt_pull_spools_open(struct lt_pull_spools **out,
                                const struct lt_pull_spools_options *opt, struct leat_error *err) {
    struct lt_pull_spools *spools = calloc(1, sizeof(*spools));
    leat_status status = LEAT_OK;

    *out = NULL;
    if (!spools)
        return no_memory(err);
    spools->opt = *opt;
    spools->next_number = 1;
    spools->dir = strdup(opt->dir);
    spools->kind = strdup(opt->kind);
    spools->pipeline = strdup(opt->pipeline);
    if (!spools->dir || !spools->kind || !spools->pipeline)
        status = no_memory(err);
    if (status == LEAT_OK)
        status = make_folders(opt->dir, err);
    if (status == LEAT_OK)
        status = read_docs(spools, err);
    for (struct lt_pull_spool *spool = spools->list; spool && status == LEAT_OK;
         spool = spool->next) {
        for (struct lt_spool_file *file = spool->first; file && status == LEAT_OK;
             file = file->next)
            status = cut(spools, file, err);
    }
    if (status == LEAT_OK)
        status = remove_strangers(spools->dir, spools, err);
    if (status != LEAT_OK) {
        lt_pull_spools_free(spools);
        return status;
    }
    *out = spools;
    return LEAT_OK;
}

void lt_pull_spools_free(struct lt_pull_spools *spools) {
    if (!spools)
        return;
    lt_spool_commit_abandon(spools);
    lt_spool_puts_abandon(spools);
    while (spools->list) {
        struct lt_pull_spool *spool = spools->list;
        spools->list = spool->next;
        free_spool(spool);
    }
    free(spools->dir);
    free(spools->kind);
    free(spools->pipeline);
    free(spools);
}

leat_status lt_pull_spools_forget(const char *dir, const char *kind, struct lt_state *state,
                                  struct leat_error *err) {
    struct stat st;
    leat_status status = lt_state_remove_kind(state, kind, err);

    if (status != LEAT_OK || (stat(dir, &st) && errno == ENOENT))
        return status;
    return remove_strangers(dir, NULL, err);
}
