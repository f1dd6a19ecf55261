/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's own thread: takes what has gathered, writes it as one group with
 * one call, syncs once, makes it visible, and tells those who wait; meanwhile
 * the next group gathers. A group that cannot be written is taken back whole:
 * it and all that gathered behind it fail, their sequence numbers are given
 * again, and the file is cut to its last good group before anything is added.
 * A segment whose sync failed is never written again: the kernel has forgotten
 * which of its pages are not on disk. It is cut, synced, its last group is read
 * back from the device, and the journal goes on in a new segment.
 */
#include "store/journal_internal.h"

#include "base/block.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    PREALLOCATE_BYTES = 16 << 20,
    ACTIVE_MAX_RUNS = 128 << 10, /* 4 MiB of index */
    IDLE_MS = 1000,              /* after this the memory kept for blocks is freed */
    COMPLAIN_US = 1000000        /* a full disk is said once a second, not once a group */
};

/* ---- the active segment's file ---- */

static leat_status create_segment(struct lt_journal *journal, struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];
    uint64_t salt;

    lt_random(&salt, sizeof(salt));
    lt_segment_name(name, journal->tail.next_number, ".log");
    struct lt_segment *segment =
        lt_segment_new(journal->tail.next_number, journal->tail.next_number, salt);
    if (!segment)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a segment");
    segment->fd = openat(journal->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (segment->fd < 0) {
        free(segment);
        return lt_fail_sys(err, errno, "cannot make %s/%s", journal->dir, name);
    }
    segment->len = LT_SEGMENT_HEADER_BYTES;
    journal->tail.next_number++;
    journal->tail.preallocated = 0;
    journal->tail.last_group = 0;
    journal->tail.n_runs = 0;
    journal->tail.fresh = true;
    pthread_mutex_lock(&journal->mu);
    journal->active = segment;
    journal->n_open++;
    pthread_mutex_unlock(&journal->mu);
    return LEAT_OK;
}

/* Takes back a segment into which nothing was ever written whole. Its number is used again, so
 * that a file which cannot be removed is overwritten. */
static void drop_fresh(struct lt_journal *journal) {
    char name[LT_SEGMENT_NAME_BYTES];
    struct lt_segment *segment = journal->active;

    lt_segment_name(name, segment->number, ".log");
    unlinkat(journal->dir_fd, name, 0);
    journal->tail.next_number = segment->number;
    journal->tail.fresh = journal->tail.torn = journal->tail.suspect = false;
    pthread_mutex_lock(&journal->mu);
    journal->active = NULL;
    lt_segment_unref(journal, segment);
    pthread_mutex_unlock(&journal->mu);
}

/* Room ahead makes a sync five times cheaper. Where there is none, the write will say so. */
static void preallocate(struct lt_journal *journal, uint64_t end) {
    uint64_t target = journal->tail.preallocated + PREALLOCATE_BYTES;

    if (end <= journal->tail.preallocated)
        return;
    if (target > journal->segment_bytes)
        target = journal->segment_bytes;
    if (target < end)
        target = end;
    if (lt_journal_io.fallocate(journal->active->fd, 0, (off_t)journal->tail.preallocated,
                                (off_t)(target - journal->tail.preallocated)) == 0)
        journal->tail.preallocated = target;
}

static leat_status verify_last_group(struct lt_journal *journal, struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];
    struct lt_scan scan = {.fd = journal->active->fd,
                           .name = lt_segment_name(name, journal->active->number, ".log"),
                           .salt = journal->active->salt,
                           .size = journal->active->len};

    if (!journal->tail.last_group)
        return LEAT_OK;
    (void)posix_fadvise(scan.fd, 0, 0, POSIX_FADV_DONTNEED);
    return lt_scan_group(&scan, journal->tail.last_group, err);
}

/* Makes good what a failed group left, before anything else is added. */
static leat_status repair(struct lt_journal *journal, struct leat_error *err) {
    struct lt_segment *segment = journal->active;

    if (!segment || !(journal->tail.torn || journal->tail.suspect))
        return LEAT_OK;
    if (lt_journal_io.ftruncate(segment->fd, (off_t)segment->len) != 0)
        return lt_fail_sys(err, errno, "cannot cut segment %" PRIu64 " to %" PRIu64 " bytes",
                           segment->number, segment->len);
    journal->tail.preallocated = segment->len;
    if (journal->tail.suspect) {
        if (lt_journal_io.fdatasync(segment->fd) != 0)
            return lt_fail_sys(err, errno, "cannot sync segment %" PRIu64, segment->number);
        leat_status status = verify_last_group(journal, err);
        return status == LEAT_OK ? lt_journal_seal(journal, err) : status;
    }
    journal->tail.torn = false;
    return LEAT_OK;
}

/* ---- one group ---- */

static int order_pieces(const void *a, const void *b) {
    const struct lt_piece *x = a, *y = b;
    if (x->shard != y->shard)
        return x->shard->id < y->shard->id ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Puts the records of a shard together. */
static leat_status arrange(struct lt_journal *journal, struct lt_group *group,
                           struct leat_error *err) {
    bool sorted = true;

    for (size_t i = 1; i < group->n_pieces && sorted; i++)
        sorted = order_pieces(&group->pieces[i - 1], &group->pieces[i]) < 0;
    if (!sorted)
        qsort(group->pieces, group->n_pieces, sizeof(*group->pieces), order_pieces);
    if (journal->tail.cap_iov < group->n_pieces + 3) {
        free(journal->tail.iov);
        journal->tail.cap_iov = group->cap_pieces + 3;
        journal->tail.iov = calloc(journal->tail.cap_iov, sizeof(struct iovec));
        if (!journal->tail.iov) {
            journal->tail.cap_iov = 0;
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to write a group");
        }
    }
    return LEAT_OK;
}

/* So that publish() cannot fail. */
static leat_status reserve_runs(struct lt_journal *journal, const struct lt_group *group,
                                struct leat_error *err) {
    bool room = true;

    pthread_mutex_lock(&journal->mu);
    for (size_t i = 0, n; i < group->n_pieces && room; i += n) {
        for (n = 1;
             i + n < group->n_pieces && group->pieces[i + n].shard == group->pieces[i].shard;)
            n++;
        room = lt_shard_reserve_runs(group->pieces[i].shard, n);
    }
    pthread_mutex_unlock(&journal->mu);
    return room ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the journal's index");
}

static uint64_t group_len(const struct lt_group *group) {
    return LT_GROUP_HEADER_BYTES + group->n_bytes + LT_GROUP_TRAILER_BYTES;
}

/* An active segment that can take the group. */
static leat_status make_ready(struct lt_journal *journal, const struct lt_group *group,
                              struct leat_error *err) {
    leat_status status = repair(journal, err);

    if (status != LEAT_OK)
        return status;
    if (journal->active && journal->active->n_groups &&
        (journal->active->len + group_len(group) > journal->segment_bytes ||
         journal->tail.n_runs > ACTIVE_MAX_RUNS)) {
        struct leat_error why;
        if (lt_journal_seal(journal, &why) != LEAT_OK)
            lt_log(LT_LOG_WARN, "journal", "segment %" PRIu64 " goes on past its size: %s",
                   journal->active->number, why.text);
    }
    if (!journal->active)
        status = create_segment(journal, err);
    if (status == LEAT_OK)
        preallocate(journal, journal->active->len + group_len(group));
    return status;
}

static leat_status write_group(struct lt_journal *journal, const struct lt_group *group,
                               struct leat_error *err) {
    const struct lt_segment *segment = journal->active;
    char head[LT_SEGMENT_HEADER_BYTES], start[LT_GROUP_HEADER_BYTES], end[LT_GROUP_TRAILER_BYTES];
    char name[LT_SEGMENT_NAME_BYTES];
    struct lt_segment_header seg_header = {segment->number, segment->covers, segment->salt,
                                           lt_clock_wall_ms()};
    struct lt_group_header header = {.salt = segment->salt,
                                     .offset = segment->len,
                                     .number = segment->n_groups,
                                     .len = group_len(group),
                                     .n_records = group->n_records};
    struct iovec *iov = journal->tail.iov;
    size_t n = 0;
    uint64_t offset = segment->len;

    if (journal->tail.fresh) {
        lt_segment_header_put(head, &seg_header);
        iov[n++] = (struct iovec){head, sizeof(head)};
        offset = 0;
    }
    lt_group_header_put(start, &header);
    lt_group_trailer_put(end, &header);
    iov[n++] = (struct iovec){start, sizeof(start)};
    for (size_t i = 0; i < group->n_pieces; i++) {
        const struct lt_piece *piece = &group->pieces[i];
        if (i && (char *)iov[n - 1].iov_base + iov[n - 1].iov_len == piece->data)
            iov[n - 1].iov_len += piece->len;
        else
            iov[n++] = (struct iovec){piece->data, piece->len};
    }
    iov[n++] = (struct iovec){end, sizeof(end)};
    return lt_pwrite_all(segment->fd, iov, n, offset,
                         lt_segment_name(name, segment->number, ".log"), err);
}

static leat_status sync_dirs(struct lt_journal *journal, struct leat_error *err) {
    if (lt_journal_io.fsync(journal->dir_fd) != 0)
        return lt_fail_sys(err, errno, "cannot sync %s", journal->dir);
    if (!journal->tail.unsynced_dir)
        return LEAT_OK;
    int parent = openat(journal->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 || lt_journal_io.fsync(parent) != 0) {
        int sys = errno;
        if (parent >= 0)
            close(parent);
        return lt_fail_sys(err, sys, "cannot sync the folder of %s", journal->dir);
    }
    close(parent);
    journal->tail.unsynced_dir = false;
    return LEAT_OK;
}

static leat_status sync_group(struct lt_journal *journal, struct leat_error *err) {
    int64_t start_us = lt_clock_mono_us();

    if (lt_journal_io.fdatasync(journal->active->fd) != 0) {
        journal->tail.suspect = true;
        return lt_fail_sys(err, errno, "cannot sync segment %" PRIu64, journal->active->number);
    }
    lt_metric_add(journal->syncs, 1);
    lt_metric_observe(journal->sync_seconds, (double)(lt_clock_mono_us() - start_us) / 1e6);
    return journal->tail.fresh ? sync_dirs(journal, err) : LEAT_OK;
}

/* The group is on disk: readers may see it. Cannot fail. */
static void publish(struct lt_journal *journal, const struct lt_group *group) {
    struct lt_segment *segment = journal->active;

    pthread_mutex_lock(&journal->mu);
    uint64_t offset = segment->len + LT_GROUP_HEADER_BYTES;
    for (size_t i = 0; i < group->n_pieces; i++) {
        const struct lt_piece *piece = &group->pieces[i];
        struct lt_shard *shard = piece->shard;
        struct lt_run run = {piece->seq, piece->time_ms, offset, piece->len, piece->n_records};
        size_t before = shard->n_runs;
        lt_shard_add_run(shard, &run);
        journal->tail.n_runs += shard->n_runs - before;
        shard->next = piece->seq + piece->n_records;
        shard->last_time_ms = piece->time_ms;
        offset += piece->len;
    }
    journal->tail.last_group = segment->len;
    segment->len += group_len(group);
    segment->n_groups++;
    pthread_mutex_unlock(&journal->mu);
    journal->tail.fresh = journal->tail.indexed = false;
    lt_metric_set(journal->disk_bytes, (double)lt_journal_disk_bytes(journal));
}

static void wake_all(struct lt_journal *journal) {
    pthread_mutex_lock(&journal->watch_mu);
    for (size_t i = 0; i < journal->n_watches; i++)
        journal->watches[i].wake(journal->watches[i].ctx);
    pthread_mutex_unlock(&journal->watch_mu);
}

static void tell(const struct lt_group *group, leat_status status, const struct leat_error *err) {
    for (size_t i = 0; i < group->n_units; i++)
        if (group->units[i].done)
            group->units[i].done(group->units[i].ctx, status, status == LEAT_OK ? NULL : err);
}

static struct lt_group *other(struct lt_journal *journal, const struct lt_group *group) {
    return group == &journal->groups[0] ? &journal->groups[1] : &journal->groups[0];
}

static void finish(struct lt_journal *journal, struct lt_group *group) {
    pthread_mutex_lock(&journal->gather_mu);
    journal->pending_bytes -= group->n_bytes;
    pthread_mutex_unlock(&journal->gather_mu);
    tell(group, LEAT_OK, NULL);
    wake_all(journal);
    lt_group_clear(group);
}

/* `group` failed, so all that gathered behind it does: it counted on the numbers of `group`. */
static void fail(struct lt_journal *journal, struct lt_group *group, const struct leat_error *err) {
    struct lt_group behind;

    const int64_t now_us = lt_clock_mono_us();

    if (now_us - journal->tail.complained_us > COMPLAIN_US) {
        lt_log(LT_LOG_ERROR, "journal", "%" PRIu32 " records were not taken: %s", group->n_records,
               err->text);
        journal->tail.complained_us = now_us;
    }
    pthread_mutex_lock(&journal->gather_mu);
    behind = *journal->open;
    *journal->open = (struct lt_group){0};
    journal->pending_bytes = 0;
    pthread_mutex_lock(&journal->mu);
    for (size_t i = 0; i < journal->shards.cap; i++) {
        struct lt_shard *shard = journal->shards.slots[i];
        if (!shard)
            continue;
        shard->assigned = shard->next;
        shard->assigned_time_ms = shard->last_time_ms;
    }
    pthread_mutex_unlock(&journal->mu);
    pthread_mutex_unlock(&journal->gather_mu);
    tell(group, err->status, err);
    tell(&behind, err->status, err);
    lt_group_clear(group);
    lt_group_deinit(&behind);
}

static leat_status put_on_disk(struct lt_journal *journal, struct lt_group *group,
                               struct leat_error *err) {
    leat_status status = arrange(journal, group, err);

    if (status == LEAT_OK)
        status = make_ready(journal, group, err);
    if (status == LEAT_OK)
        status = reserve_runs(journal, group, err);
    if (status != LEAT_OK)
        return status;
    journal->tail.torn = true;
    status = write_group(journal, group, err);
    if (status == LEAT_OK)
        status = sync_group(journal, err);
    if (status == LEAT_OK)
        journal->tail.torn = false;
    return status;
}

static void commit(struct lt_journal *journal, struct lt_group *group) {
    struct leat_error err, later;

    if (put_on_disk(journal, group, &err) == LEAT_OK) {
        publish(journal, group);
        finish(journal, group);
        return;
    }
    if (journal->active && journal->tail.fresh)
        drop_fresh(journal);
    else if (repair(journal, &later) != LEAT_OK) /* tried again before the next group */
        lt_log(LT_LOG_ERROR, "journal", "%s", later.text);
    fail(journal, group, &err);
}

/* ---- the loop ---- */

/* Waits for work; when it was idle for a while, gives the memory back. Holds gather_mu. */
static void wait_for_work(struct lt_journal *journal) {
    struct timespec until;

    if (journal->tail.trimmed) {
        pthread_cond_wait(&journal->work, &journal->gather_mu);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_MS / 1000;
    if (pthread_cond_timedwait(&journal->work, &journal->gather_mu, &until) == ETIMEDOUT &&
        !journal->open->n_units) {
        lt_block_trim();
        journal->tail.trimmed = true;
    }
}

void *lt_journal_write_loop(void *arg) {
    struct lt_journal *journal = arg;
    struct leat_error err;

    pthread_mutex_lock(&journal->gather_mu);
    for (;;) {
        struct lt_group *group = journal->open;
        if (group->n_units) {
            journal->open = other(journal, group);
            pthread_mutex_unlock(&journal->gather_mu);
            commit(journal, group);
            journal->tail.trimmed = false;
            pthread_mutex_lock(&journal->gather_mu);
        } else if (journal->roll_wanted) {
            pthread_mutex_unlock(&journal->gather_mu);
            if (repair(journal, &err) != LEAT_OK ||
                (journal->active && lt_journal_seal(journal, &err) != LEAT_OK))
                lt_log(LT_LOG_WARN, "journal", "%s", err.text);
            pthread_mutex_lock(&journal->gather_mu);
            journal->roll_wanted = false;
            pthread_cond_broadcast(&journal->rolled);
        } else if (journal->stop) {
            break;
        } else {
            wait_for_work(journal);
        }
    }
    pthread_mutex_unlock(&journal->gather_mu);
    if (repair(journal, &err) != LEAT_OK)
        lt_log(LT_LOG_WARN, "journal", "%s", err.text);
    return NULL;
}
