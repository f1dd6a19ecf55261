/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens on libuv's pool. A commit writes the bytes that waited, syncs the files (and their
 * folder when there are new ones), sets the documents, and removes the files that these forget. A
 * put reads a sealed file, names the object by a hash of what it holds, packs it and puts it. Jobs
 * own what they work on, so that the spools may go while one is ending.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "deliver/compress.h"
#include "deliver/prefix.h"
#include "pipeline/pull_spool_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHANGES_ARENA_BYTES = 512 << 20, DOC_MAX_BYTES = 16 << 20, KEY_MAX_BYTES = 4 << 10 };

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a spool");
}

/* ---- a commit ---- */

struct write {
    char *path;
    uint64_t offset;
    struct lt_buf bytes;
};

struct lt_spool_commit {
    struct lt_work work;
    struct lt_pull_spools *spools; /* loop thread only, but for opt and dir */
    struct lt_arena arena;         /* holds what follows */
    struct write *writes;
    size_t n_writes;
    struct lt_state_change *changes;
    size_t n_changes;
    char **removes;
    size_t n_removes;
    bool whole; /* with sync and state */
    leat_status status;
    struct leat_error err;
};

static void free_commit(void *ctx) {
    struct lt_spool_commit *c = ctx;

    for (size_t i = 0; i < c->n_writes; i++)
        lt_buf_deinit(&c->writes[i].bytes);
    lt_arena_deinit(&c->arena);
    free(c);
}

static leat_status write_one(const struct lt_spool_commit *c, const struct write *w,
                             struct leat_error *err) {
    struct lt_slice rest = lt_buf_slice(&w->bytes);
    uint64_t offset = w->offset;
    int fd = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    leat_status status = LEAT_OK;

    if (fd < 0)
        return lt_fail_sys(err, errno, "cannot open %s", w->path);
    while (rest.len && status == LEAT_OK) {
        ssize_t n = pwrite(fd, rest.data, rest.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            status = lt_fail_sys(err, errno, "cannot write %s", w->path);
            break;
        }
        offset += (uint64_t)n;
        rest = lt_slice_from(rest, (size_t)n);
    }
    if (status == LEAT_OK && c->whole && fdatasync(fd))
        status = lt_fail_sys(err, errno, "cannot sync %s", w->path);
    close(fd);
    return status;
}

static leat_status sync_folder(const char *path, struct leat_error *err) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return lt_fail_sys(err, errno, "cannot open the folder %s", path);
    int rc = fsync(fd), sys = rc ? errno : 0;
    close(fd);
    return rc ? lt_fail_sys(err, sys, "cannot sync the folder %s", path) : LEAT_OK;
}

static void run_commit(void *ctx) {
    struct lt_spool_commit *c = ctx;

    c->status = LEAT_OK;
    for (size_t i = 0; i < c->n_writes && c->status == LEAT_OK; i++)
        c->status = write_one(c, &c->writes[i], &c->err);
    if (!c->whole)
        return;
    if (c->status == LEAT_OK && c->n_writes)
        c->status = sync_folder(c->spools->dir, &c->err);
    if (c->status == LEAT_OK && c->n_changes)
        c->status = lt_state_apply(c->spools->opt.state, c->changes, c->n_changes, &c->err);
    for (size_t i = 0; i < c->n_removes && c->status == LEAT_OK; i++)
        (void)unlink(c->removes[i]); /* one that stays is a stranger to the next run */
}

static void settle_files(struct lt_pull_spools *spools) {
    for (struct lt_pull_spool *spool = spools->list; spool; spool = spool->next) {
        for (struct lt_spool_file *file = spool->first; file; file = file->next) {
            if (!file->sealing)
                continue;
            file->sealing = false;
            file->stage = LT_SPOOL_READY;
            spools->n_unsealed--;
        }
        lt_spool_remove_gone(spool);
    }
}

static void commit_done(void *ctx) {
    struct lt_spool_commit *c = ctx;
    struct lt_pull_spools *spools = c->spools;
    bool whole = c->whole;
    leat_status status = c->status;
    struct leat_error err = c->err;

    spools->commit = NULL;
    free_commit(c);
    if (status != LEAT_OK) {
        spools->failed = true;
        spools->error = err;
        spools->opt.on_failed(spools->opt.ctx, &err);
        return;
    }
    if (whole) {
        settle_files(spools);
        lt_spool_puts_start(spools);
    }
    spools->opt.on_progress(spools->opt.ctx);
}

/* Written now: also what an earlier flush left to be synced. */
static bool is_written(const struct lt_spool_commit *c, const struct lt_spool_file *file) {
    return file->pending.len || (c->whole && file->unsynced);
}

/* Counts what there is to write, so that it can be taken without failing half way. */
static bool make_room(struct lt_spool_commit *c, size_t n_user) {
    size_t n_files = 0, n_spools = 0;

    for (struct lt_pull_spool *spool = c->spools->list; spool; spool = spool->next) {
        n_spools++;
        for (struct lt_spool_file *file = spool->first; file; file = file->next)
            n_files++;
    }
    c->writes = lt_arena_calloc(&c->arena, n_files + 1, sizeof(*c->writes));
    c->removes = lt_arena_calloc(&c->arena, n_files + 1, sizeof(*c->removes));
    c->changes = lt_arena_calloc(&c->arena, n_spools + n_user + 1, sizeof(*c->changes));
    return c->writes && c->removes && c->changes;
}

static char *path_of(struct lt_spool_commit *c, const struct lt_spool_file *file) {
    struct lt_buf path;
    lt_spool_path(c->spools, file->number, &path);
    char *copy = path.failed ? NULL : lt_arena_str(&c->arena, lt_buf_slice(&path));
    lt_buf_deinit(&path);
    return copy;
}

static leat_status add_document(struct lt_spool_commit *c, const struct lt_pull_spool *spool,
                                struct leat_error *err) {
    struct lt_state_change *change = &c->changes[c->n_changes];
    struct lt_buf body;

    lt_buf_init(&body, DOC_MAX_BYTES);
    lt_spool_doc_write(spool, &body);
    leat_status status = lt_buf_status(&body, err);
    change->kind = c->spools->kind;
    change->name = lt_arena_dup(&c->arena, lt_slice_str(spool->name));
    if (body.len)
        change->body = lt_arena_dup(&c->arena, lt_buf_slice(&body));
    if (status == LEAT_OK && (!change->name.data || (body.len && !change->body.data)))
        status = no_memory(err);
    lt_buf_deinit(&body);
    c->n_changes++;
    return status;
}

static leat_status add_changes(struct lt_spool_commit *c, const struct lt_state_change *changes,
                               size_t n, struct leat_error *err) {
    assert(changes || !n);
    for (size_t i = 0; i < n; i++) {
        struct lt_state_change *to = &c->changes[c->n_changes++];
        to->kind = lt_arena_str(&c->arena, lt_slice_str(changes[i].kind));
        to->name = lt_arena_dup(&c->arena, changes[i].name);
        if (changes[i].body.data)
            to->body = lt_arena_dup(&c->arena, changes[i].body);
        if (!to->kind || !to->name.data || (changes[i].body.data && !to->body.data))
            return no_memory(err);
    }
    return LEAT_OK;
}

/* All that can fail, before anything of the spools changes. */
static leat_status prepare(struct lt_spool_commit *c, const struct lt_state_change *changes,
                           size_t n, struct leat_error *err) {
    leat_status status = LEAT_OK;
    size_t w = 0;

    if (!make_room(c, n))
        return no_memory(err);
    for (struct lt_pull_spool *spool = c->spools->list; spool; spool = spool->next) {
        for (struct lt_spool_file *file = spool->first; file; file = file->next) {
            char *path = path_of(c, file);
            if (!path)
                return no_memory(err);
            if (is_written(c, file))
                c->writes[w++].path = path;
            else if (c->whole && file->stage == LT_SPOOL_GONE)
                c->removes[c->n_removes++] = path;
        }
        if (c->whole && spool->dirty && status == LEAT_OK)
            status = add_document(c, spool, err);
    }
    return status == LEAT_OK ? add_changes(c, changes, n, err) : status;
}

static void take(struct lt_spool_commit *c) {
    for (struct lt_pull_spool *spool = c->spools->list; spool; spool = spool->next) {
        for (struct lt_spool_file *file = spool->first; file; file = file->next) {
            if (is_written(c, file)) {
                struct write *w = &c->writes[c->n_writes++];
                w->bytes = file->pending;
                w->offset = file->len - file->pending.len;
                lt_buf_init(&file->pending, PTRDIFF_MAX);
                file->unsynced = !c->whole;
            }
            if (!c->whole)
                continue;
            file->sealing = file->stage == LT_SPOOL_SEALED;
            file->forgetting = file->stage == LT_SPOOL_GONE;
        }
        if (c->whole)
            spool->dirty = false;
    }
    c->spools->n_pending = 0;
}

leat_status lt_spool_commit_start(struct lt_pull_spools *spools,
                                  const struct lt_state_change *changes, size_t n,
                                  struct leat_error *err) {
    struct lt_spool_commit *c = calloc(1, sizeof(*c));

    assert(!spools->commit);
    if (!c)
        return no_memory(err);
    c->spools = spools;
    c->whole = changes != NULL;
    lt_arena_init(&c->arena, CHANGES_ARENA_BYTES);
    leat_status status = prepare(c, changes, n, err);
    if (status != LEAT_OK) {
        free_commit(c);
        return status;
    }
    take(c);
    spools->commit = c;
    lt_work_init(&c->work);
    lt_work_start(&c->work, spools->opt.loop, run_commit, commit_done, c);
    return LEAT_OK;
}

void lt_spool_commit_abandon(struct lt_pull_spools *spools) {
    if (spools->commit)
        lt_work_abandon(&spools->commit->work, free_commit, spools->commit);
    spools->commit = NULL;
}

/* ---- a put ---- */

struct lt_spool_put {
    struct lt_work work;
    struct lt_pull_spools *spools; /* loop thread only, but for opt and pipeline */
    struct lt_spool_file *file;    /* loop thread only, but for what a sealed file keeps */
    const struct lt_pull_spool *spool;
    struct lt_buf path, bytes, packed, key;
    leat_status status;
    struct leat_error err;
};

static void free_put(void *ctx) {
    struct lt_spool_put *p = ctx;

    lt_buf_deinit(&p->path);
    lt_buf_deinit(&p->bytes);
    lt_buf_deinit(&p->packed);
    lt_buf_deinit(&p->key);
    free(p);
}

static leat_status read_bytes(struct lt_spool_put *p, struct leat_error *err) {
    const char *path = lt_buf_cstr(&p->path);
    size_t len = (size_t)p->file->len, got = 0;
    char *to = lt_buf_reserve(&p->bytes, len);

    if (!path || !to)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an object of %zu bytes", len);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lt_fail_sys(err, errno, "cannot open %s", path);
    while (got < len) {
        ssize_t n = pread(fd, to + got, len - got, (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int sys = n ? errno : 0;
            close(fd);
            return n ? lt_fail_sys(err, sys, "cannot read %s", path)
                     : lt_fail(err, LEAT_E_CORRUPT, 0, "%s is shorter than was kept", path);
        }
        got += (size_t)n;
    }
    close(fd);
    lt_buf_commit(&p->bytes, len);
    return LEAT_OK;
}

/* Of all that makes the object this one: the same again has the same key. */
static leat_status hash(const struct lt_spool_put *p, char hex[17], struct leat_error *err) {
    struct lt_digest *digest = lt_digest_new(LT_DIGEST_SHA256);
    uint8_t out[LT_SHA256_BYTES];
    char numbers[64];

    if (!digest)
        return no_memory(err);
    int n = snprintf(numbers, sizeof(numbers), "%llu\n%llu\n", (unsigned long long)p->file->first,
                     (unsigned long long)p->file->n_records);
    lt_digest_update(digest, lt_slice_str(p->spools->pipeline));
    lt_digest_update(digest, LT_LIT("\n"));
    lt_digest_update(digest, lt_slice_str(p->spool->resource));
    lt_digest_update(digest, LT_LIT("\n"));
    lt_digest_update(digest, lt_slice(numbers, (size_t)n));
    lt_digest_update(digest, lt_buf_slice(&p->bytes));
    lt_digest_final(digest, out);
    lt_digest_free(digest);
    lt_hex(out, 8, hex);
    return LEAT_OK;
}

static leat_status make_key(struct lt_spool_put *p, const struct lt_compressor *row,
                            struct leat_error *err) {
    char hex[17];
    leat_status status = hash(p, hex, err);

    if (status != LEAT_OK)
        return status;
    const struct lt_prefix_values values = {
        .time_ms = p->file->started_ms, .seed = lt_slice_str(hex), .as_written = true};
    status = lt_prefix_append(&p->key, lt_slice_str(p->spool->prefix), &values, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_printf(&p->key, "%s-%012llu-%s.jsonl%s", p->spool->resource,
                  (unsigned long long)p->file->first, hex, row->suffix);
    return lt_buf_status(&p->key, err);
}

static leat_status try_put(struct lt_spool_put *p, struct leat_error *err) {
    struct lt_object_store *objects = p->spools->opt.objects;
    const struct lt_compressor *row = lt_compressor_of(p->spool->compression);
    struct lt_slice data;
    leat_status status = read_bytes(p, err);

    if (status == LEAT_OK)
        status = make_key(p, row, err);
    if (status != LEAT_OK)
        return status;
    data = lt_buf_slice(&p->bytes);
    if (row->run) {
        status = row->run(data, &p->packed, err);
        if (status != LEAT_OK)
            return status;
        lt_buf_deinit(&p->bytes);
        data = lt_buf_slice(&p->packed);
    }
    const struct lt_object_put object = {.key = lt_buf_slice(&p->key),
                                         .data = data,
                                         .content_type = "application/x-ndjson",
                                         .content_encoding = row->content_encoding};
    status = objects->ops->put(objects, p->spool->bucket, &object, err);
    if (status != LEAT_OK)
        lt_error_prefix(err, "putting %.*s into %s", LT_FMT(object.key), p->spool->to);
    return status;
}

static void run_put(void *ctx) {
    struct lt_spool_put *p = ctx;
    p->status = try_put(p, &p->err);
}

static void fail_puts(struct lt_pull_spools *spools, const struct leat_error *err) {
    if (spools->put_failed)
        return;
    spools->put_failed = true;
    spools->opt.on_failed(spools->opt.ctx, err);
}

static void retry_put(struct lt_pull_spools *spools, struct lt_spool_file *file,
                      const struct leat_error *err) {
    int64_t wait_ms;

    file->stage = LT_SPOOL_READY;
    if (!lt_retry_next(&file->retry, err, &wait_ms)) {
        fail_puts(spools, err);
        return;
    }
    file->retry_at_ms = lt_clock_wall_ms() + wait_ms;
    if (spools->opt.on_retry)
        spools->opt.on_retry(spools->opt.ctx, err, file->retry_at_ms);
}

static void put_done(void *ctx) {
    struct lt_spool_put *p = ctx;
    struct lt_pull_spools *spools = p->spools;
    struct lt_spool_file *file = p->file;
    leat_status status = p->status;
    struct leat_error err = p->err;

    for (size_t i = 0; i < LT_SPOOL_N_PUTS; i++) {
        if (spools->puts[i] == p)
            spools->puts[i] = NULL;
    }
    free_put(p);
    if (status != LEAT_OK) {
        retry_put(spools, file, &err);
        return;
    }
    file->stage = LT_SPOOL_GONE;
    file->spool->dirty = true;
    spools->n_waiting--;
    if (spools->opt.on_object)
        spools->opt.on_object(spools->opt.ctx, file->spool->to, file->n_records);
    lt_spool_puts_start(spools);
    spools->opt.on_progress(spools->opt.ctx);
}

static struct lt_spool_file *find_ready(const struct lt_pull_spools *spools, int64_t now_ms) {
    for (struct lt_pull_spool *spool = spools->list; spool; spool = spool->next) {
        for (struct lt_spool_file *file = spool->first; file; file = file->next) {
            if (file->stage == LT_SPOOL_READY && file->retry_at_ms <= now_ms)
                return file;
        }
    }
    return NULL;
}

static leat_status start_put(struct lt_pull_spools *spools, struct lt_spool_file *file,
                             struct lt_spool_put **out, struct leat_error *err) {
    if (!spools->opt.objects)
        return lt_fail(err, LEAT_E_INVALID, 0, "records of %s wait for %s, which is not open",
                       file->spool->resource, file->spool->to);
    struct lt_spool_put *p = calloc(1, sizeof(*p));
    if (!p)
        return no_memory(err);
    p->spools = spools;
    p->file = file;
    p->spool = file->spool;
    lt_spool_path(spools, file->number, &p->path);
    lt_buf_init(&p->bytes, PTRDIFF_MAX);
    lt_buf_init(&p->packed, PTRDIFF_MAX);
    lt_buf_init(&p->key, KEY_MAX_BYTES);
    file->stage = LT_SPOOL_PUTTING;
    lt_work_init(&p->work);
    lt_work_start(&p->work, spools->opt.loop, run_put, put_done, p);
    *out = p;
    return LEAT_OK;
}

void lt_spool_puts_start(struct lt_pull_spools *spools) {
    struct leat_error err;

    for (size_t i = 0; i < LT_SPOOL_N_PUTS && !spools->put_failed; i++) {
        if (spools->puts[i])
            continue;
        struct lt_spool_file *file = find_ready(spools, lt_clock_wall_ms());
        if (!file)
            return;
        if (start_put(spools, file, &spools->puts[i], &err) != LEAT_OK)
            fail_puts(spools, &err);
    }
}

void lt_spool_puts_abandon(struct lt_pull_spools *spools) {
    for (size_t i = 0; i < LT_SPOOL_N_PUTS; i++) {
        if (spools->puts[i])
            lt_work_abandon(&spools->puts[i]->work, free_put, spools->puts[i]);
        spools->puts[i] = NULL;
    }
}
