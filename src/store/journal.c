/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing, and what can be asked of a journal without the disk.
 * The parts: append (records gather), writer (groups become durable), segment,
 * index, table, scan and open (files and how they are found again), read, marks,
 * collect. Their shared structures and the order of locks are in journal_internal.h.
 */
#include "store/journal_internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFAULT_BYTES = 64 << 20 };

static void init(struct lt_journal *journal, const struct lt_journal_options *opt) {
    struct lt_metrics *metrics = lt_metrics_global();

    pthread_mutex_init(&journal->gather_mu, NULL);
    pthread_mutex_init(&journal->mu, NULL);
    pthread_mutex_init(&journal->watch_mu, NULL);
    pthread_mutex_init(&journal->collect_mu, NULL);
    pthread_mutex_init(&journal->cache.mu, NULL);
    pthread_cond_init(&journal->work, NULL);
    pthread_cond_init(&journal->rolled, NULL);
    journal->dir_fd = -1;
    journal->segment_bytes = opt->segment_bytes ? opt->segment_bytes : DEFAULT_BYTES;
    journal->group_max_bytes = opt->group_max_bytes ? opt->group_max_bytes : DEFAULT_BYTES;
    journal->open = &journal->groups[0];
    journal->syncs = lt_metric(metrics, LT_METRIC_JOURNAL_SYNCS, NULL, NULL, NULL);
    journal->sync_seconds = lt_metric(metrics, LT_METRIC_JOURNAL_SYNC_LATENCY, NULL, NULL, NULL);
    journal->disk_bytes = lt_metric(metrics, LT_METRIC_JOURNAL_BYTES, NULL, NULL, NULL);
}

static leat_status open_dir(struct lt_journal *journal, const char *dir, struct leat_error *err) {
    journal->dir = strdup(dir);
    if (!journal->dir)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a journal");
    if (mkdir(dir, 0755) == 0)
        journal->tail.unsynced_dir = true;
    else if (errno != EEXIST)
        return lt_fail_sys(err, errno, "cannot make the folder %s", dir);
    journal->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->dir_fd < 0)
        return lt_fail_sys(err, errno, "cannot open the folder %s", dir);
    return LEAT_OK;
}

leat_status lt_journal_open(struct lt_journal **out, const struct lt_journal_options *opt,
                            struct leat_error *err) {
    struct lt_journal *journal = calloc(1, sizeof(*journal));
    struct leat_error local;
    leat_status status;

    if (!err)
        err = &local;
    *out = NULL;
    if (!journal)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a journal");
    init(journal, opt);
    status = open_dir(journal, opt->dir, err);
    if (status == LEAT_OK)
        status = lt_journal_recover(journal, err);
    if (status != LEAT_OK)
        goto fail;
    lt_metric_set(journal->disk_bytes, (double)lt_journal_disk_bytes(journal));
    int sys = pthread_create(&journal->writer, NULL, lt_journal_write_loop, journal);
    if (sys) {
        status = lt_fail_sys(err, sys, "cannot start the journal's thread");
        goto fail;
    }
    journal->has_writer = true;
    *out = journal;
    return LEAT_OK;

fail:
    lt_journal_close(journal);
    return status;
}

/* The next open then knows that all of the active segment was synced. */
static void index_active(struct lt_journal *journal) {
    struct lt_table table = {0};
    struct leat_error err;

    if (journal->tail.indexed || journal->tail.torn || journal->tail.suspect)
        return;
    pthread_mutex_lock(&journal->mu);
    leat_status status = lt_journal_active_table(journal, &table, &err);
    pthread_mutex_unlock(&journal->mu);
    if (status == LEAT_OK)
        status =
            lt_index_write(journal, journal->active->number, journal->active->salt, &table, &err);
    if (status == LEAT_OK &&
        lt_journal_io.ftruncate(journal->active->fd, (off_t)journal->active->len) != 0)
        status = lt_fail_sys(&err, errno, "cannot cut segment %" PRIu64, journal->active->number);
    if (status != LEAT_OK)
        lt_log(LT_LOG_WARN, "journal", "%s", err.text);
    lt_table_deinit(&table);
}

static void stop_writer(struct lt_journal *journal) {
    pthread_mutex_lock(&journal->gather_mu);
    journal->stop = true;
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->gather_mu);
    pthread_join(journal->writer, NULL);
    if (journal->active)
        index_active(journal);
}

void lt_journal_close(struct lt_journal *journal) {
    if (!journal)
        return;
    if (journal->has_writer)
        stop_writer(journal);
    pthread_mutex_lock(&journal->mu);
    for (size_t i = 0; i < journal->n_sealed; i++)
        lt_segment_unref(journal, journal->sealed[i]);
    lt_segment_unref(journal, journal->active);
    pthread_mutex_unlock(&journal->mu);
    lt_shard_map_deinit(&journal->shards);
    lt_runs_cache_deinit(&journal->cache);
    lt_group_deinit(&journal->groups[0]);
    lt_group_deinit(&journal->groups[1]);
    if (journal->dir_fd >= 0)
        close(journal->dir_fd);
    pthread_mutex_destroy(&journal->gather_mu);
    pthread_mutex_destroy(&journal->mu);
    pthread_mutex_destroy(&journal->watch_mu);
    pthread_mutex_destroy(&journal->collect_mu);
    pthread_mutex_destroy(&journal->cache.mu);
    pthread_cond_destroy(&journal->work);
    pthread_cond_destroy(&journal->rolled);
    free(journal->sealed);
    free(journal->watches);
    free(journal->chain);
    free(journal->tail.iov);
    free(journal->dir);
    free(journal);
}

/* ---- where shards stand ---- */

/* Holds mu. */
static uint64_t kept_bytes(const struct lt_shard *shard) {
    uint64_t bytes = shard->run_bytes;

    if (shard->first >= shard->next)
        return 0;
    for (size_t i = shard->n_extents; i && shard->extents[i - 1].row->last >= shard->first; i--)
        bytes += shard->extents[i - 1].row->n_bytes;
    return bytes > shard->hidden_bytes ? bytes - shard->hidden_bytes : 0;
}

/* After a trim: how much of the extent that holds the oldest record in view is before it. */
static void measure_hidden(struct lt_journal *journal, uint64_t shard_id, uint64_t first) {
    struct leat_error err;
    uint64_t bytes;

    if (lt_journal_hidden_bytes(journal, shard_id, first, &bytes, &err) != LEAT_OK) {
        lt_log(LT_LOG_WARN, "journal", "%s", err.text);
        bytes = 0;
    }
    pthread_mutex_lock(&journal->mu);
    struct lt_shard *shard = lt_shard_find(&journal->shards, shard_id);
    if (shard->first == first) {
        shard->hidden_bytes = bytes;
        shard->hidden_known = true;
    }
    pthread_mutex_unlock(&journal->mu);
}

void lt_journal_stat(struct lt_journal *journal, uint64_t shard_id, struct lt_journal_shard *out) {
    bool known = false;

    *out = (struct lt_journal_shard){.first = 1, .next = 1};
    for (int i = 0; i < 3 && !known; i++) { /* a trim may come between; then the bytes are near */
        pthread_mutex_lock(&journal->mu);
        const struct lt_shard *shard = lt_shard_find(&journal->shards, shard_id);
        known = !shard || shard->forgotten || shard->hidden_known || shard->first >= shard->next;
        if (shard && !shard->forgotten)
            *out = (struct lt_journal_shard){.first = shard->first,
                                             .next = shard->next,
                                             .n_bytes = kept_bytes(shard),
                                             .last_time_ms = shard->last_time_ms};
        pthread_mutex_unlock(&journal->mu);
        if (!known)
            measure_hidden(journal, shard_id, out->first);
    }
}

void lt_journal_forget(struct lt_journal *journal, uint64_t shard_id) {
    pthread_mutex_lock(&journal->gather_mu);
    pthread_mutex_lock(&journal->mu);
    struct lt_shard *shard = lt_shard_find(&journal->shards, shard_id);
    if (shard && !shard->forgotten) {
        /* Its runs stay, so that an index says all that its segment holds. */
        shard->closed = shard->forgotten = true;
        shard->n_extents = 0;
        journal->marks_dirty = true;
    }
    pthread_mutex_unlock(&journal->mu);
    pthread_mutex_unlock(&journal->gather_mu);
}

uint64_t lt_journal_disk_bytes(struct lt_journal *journal) {
    uint64_t bytes = 0;

    pthread_mutex_lock(&journal->mu);
    for (size_t i = 0; i < journal->n_sealed; i++)
        bytes += journal->sealed[i]->len;
    if (journal->active)
        bytes += journal->active->len;
    pthread_mutex_unlock(&journal->mu);
    return bytes;
}

/* ---- watches ---- */

leat_status lt_journal_watch(struct lt_journal *journal, lt_journal_wake *wake, void *ctx,
                             struct leat_error *err) {
    leat_status status = LEAT_OK;

    pthread_mutex_lock(&journal->watch_mu);
    for (size_t i = 0; i < journal->n_watches; i++)
        if (journal->watches[i].ctx == ctx)
            status = lt_fail(err, LEAT_E_EXISTS, 0, "the journal is watched already");
    if (status == LEAT_OK && journal->n_watches == journal->cap_watches) {
        size_t cap = journal->cap_watches ? journal->cap_watches * 2 : 8;
        struct lt_watch *watches = reallocarray(journal->watches, cap, sizeof(*watches));
        if (watches) {
            journal->watches = watches;
            journal->cap_watches = cap;
        } else {
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to watch the journal");
        }
    }
    if (status == LEAT_OK)
        journal->watches[journal->n_watches++] = (struct lt_watch){wake, ctx};
    pthread_mutex_unlock(&journal->watch_mu);
    return status;
}

void lt_journal_unwatch(struct lt_journal *journal, void *ctx) {
    pthread_mutex_lock(&journal->watch_mu);
    for (size_t i = 0; i < journal->n_watches; i++)
        if (journal->watches[i].ctx == ctx)
            journal->watches[i--] = journal->watches[--journal->n_watches];
    pthread_mutex_unlock(&journal->watch_mu);
}
