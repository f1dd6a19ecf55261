/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives disk back: marks are saved first, then segments without a record in
 * view are deleted, then neighbours of which at most a quarter is in view are
 * written together into one, which takes the place of the first by a rename and says
 * in its header which numbers it covers; so records keep their order, number and time, and a crash
 * at any point leaves either the old files or the new one (with leftovers that the next open
 * removes). Readers keep the old files open until they are done.
 */
#include "store/journal_internal.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    GROUP_BYTES = 1 << 20,
    RUNS_AT_ONCE = 64,
    MOSTLY_DEAD = 4, /* one part in this many, or less, is in view */
    ROLL_BYTES = 1 << 20
};

/* ---- what is in view ---- */

/* The first number of the row in view; 0 when none is. Holds mu. */
static uint64_t first_in_view(const struct lt_journal *journal, const struct lt_index_row *row) {
    const struct lt_shard *shard = lt_shard_find(&journal->shards, row->shard);

    if (shard->forgotten || row->last < shard->first)
        return 0;
    return row->first > shard->first ? row->first : shard->first;
}

/* About how many bytes are in view. Holds mu. */
static uint64_t bytes_in_view(const struct lt_journal *journal, const struct lt_segment *segment,
                              bool *any) {
    double bytes = 0;

    *any = false;
    for (size_t i = 0; i < segment->n_rows; i++) {
        const struct lt_index_row *row = &segment->rows[i];
        uint64_t first = first_in_view(journal, row);
        if (!first)
            continue;
        *any = true;
        double n = (double)(row->last - row->first + 1);
        bytes +=
            (double)(row->last - first + 1) * (LT_RECORD_HEADER_BYTES + (double)row->n_bytes / n);
    }
    return (uint64_t)bytes;
}

/* Holds mu. */
static bool active_is_dead(const struct lt_journal *journal) {
    uint64_t bytes = 0;
    bool any = false;

    if (!journal->active || !journal->active->n_groups)
        return false;
    for (size_t i = 0; i < journal->shards.cap; i++) {
        const struct lt_shard *shard = journal->shards.slots[i];
        if (!shard || !shard->n_runs || shard->forgotten || shard->first >= shard->next)
            continue;
        any = true;
        uint64_t n = shard->next - shard->runs[0].seq;
        uint64_t from = shard->first > shard->runs[0].seq ? shard->first : shard->runs[0].seq;
        bytes += (uint64_t)((double)(shard->run_bytes + n * LT_RECORD_HEADER_BYTES) *
                            (double)(shard->next - from) / (double)n);
    }
    return !any ||
           (journal->active->len >= ROLL_BYTES && bytes <= journal->active->len / MOSTLY_DEAD);
}

/* Asks the writer to seal the active segment, so that it can be collected like the others. */
static void roll_if_dead(struct lt_journal *journal) {
    pthread_mutex_lock(&journal->gather_mu);
    pthread_mutex_lock(&journal->mu);
    bool dead = active_is_dead(journal);
    pthread_mutex_unlock(&journal->mu);
    if (dead && !journal->stop) {
        journal->roll_wanted = true;
        pthread_cond_signal(&journal->work);
        while (journal->roll_wanted)
            pthread_cond_wait(&journal->rolled, &journal->gather_mu);
    }
    pthread_mutex_unlock(&journal->gather_mu);
}

/* ---- deleting ---- */

static void unlink_files(struct lt_journal *journal, uint64_t number) {
    char name[LT_SEGMENT_NAME_BYTES];

    unlinkat(journal->dir_fd, lt_segment_name(name, number, ".log"), 0);
    unlinkat(journal->dir_fd, lt_segment_name(name, number, ".idx"), 0);
}

/* Takes the segment at `at` out of the list and of its shards. Holds mu. */
static void take_out(struct lt_journal *journal, size_t at) {
    struct lt_segment *segment = journal->sealed[at];

    for (size_t i = 0; i < segment->n_rows; i++)
        lt_shard_remove_extent(lt_shard_find(&journal->shards, segment->rows[i].shard), segment);
    journal->n_sealed--;
    memmove(journal->sealed + at, journal->sealed + at + 1,
            (journal->n_sealed - at) * sizeof(struct lt_segment *));
    lt_segment_unref(journal, segment);
}

/* The first segment without a record in view; n_sealed when all have some. Holds mu. */
static size_t find_dead(const struct lt_journal *journal) {
    size_t i = 0;
    bool any = true;

    for (; i < journal->n_sealed; i++) {
        bytes_in_view(journal, journal->sealed[i], &any);
        if (!any)
            break;
    }
    return i;
}

static bool any_dead(struct lt_journal *journal) {
    pthread_mutex_lock(&journal->mu);
    bool dead = find_dead(journal) < journal->n_sealed;
    pthread_mutex_unlock(&journal->mu);
    return dead;
}

static void delete_dead(struct lt_journal *journal) {
    for (bool more = true; more;) {
        uint64_t number = 0;
        pthread_mutex_lock(&journal->mu);
        size_t at = find_dead(journal);
        more = at < journal->n_sealed;
        if (more) {
            number = journal->sealed[at]->number;
            take_out(journal, at);
        }
        pthread_mutex_unlock(&journal->mu);
        if (more)
            unlink_files(journal, number);
    }
}

/* ---- writing together ---- */

/* Neighbours in the list, taken. */
struct batch {
    struct lt_segment **list;
    size_t n;
};

/* Finds the next neighbours to write together, from number `*from` on, which moves behind them. */
static leat_status choose(struct lt_journal *journal, uint64_t *from, struct batch *batch,
                          struct leat_error *err) {
    uint64_t sum = 0;
    bool any;
    leat_status status = LEAT_OK;

    batch->n = 0;
    pthread_mutex_lock(&journal->mu);
    batch->list = calloc(journal->n_sealed ? journal->n_sealed : 1, sizeof(struct lt_segment *));
    if (!batch->list)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to collect a journal");
    for (size_t i = 0; status == LEAT_OK && i < journal->n_sealed; i++) {
        struct lt_segment *segment = journal->sealed[i];
        if (segment->number < *from)
            continue;
        uint64_t bytes = bytes_in_view(journal, segment, &any);
        if (bytes > segment->len / MOSTLY_DEAD || sum + bytes > journal->segment_bytes) {
            if (batch->n)
                break;
            continue;
        }
        sum += bytes;
        status = lt_segment_ref(journal, segment, err);
        if (status == LEAT_OK)
            batch->list[batch->n++] = segment;
    }
    pthread_mutex_unlock(&journal->mu);
    if (batch->n)
        *from = batch->list[batch->n - 1]->number + 1;
    return status;
}

static void release(struct lt_journal *journal, struct batch *batch) {
    pthread_mutex_lock(&journal->mu);
    for (size_t i = 0; i < batch->n; i++)
        lt_segment_unref(journal, batch->list[i]);
    pthread_mutex_unlock(&journal->mu);
    free(batch->list);
}

/* The new file. */
struct copy {
    struct lt_journal *journal;
    struct lt_segment_header header;
    char name[LT_SEGMENT_NAME_BYTES]; /* while it is written */
    int fd;
    uint64_t len;
    char *group; /* header, records, room for the trailer */
    size_t used, cap;
    uint32_t n_records;
    struct lt_table_builder builder;
    struct lt_table table;
    leat_status status;
    struct leat_error *err;
};

static leat_status flush_group(struct copy *copy) {
    struct lt_group_header header = {.salt = copy->header.salt,
                                     .offset = copy->len,
                                     .number = copy->table.n_groups,
                                     .len = copy->used + LT_GROUP_TRAILER_BYTES,
                                     .n_records = copy->n_records};
    struct iovec iov = {copy->group, copy->used + LT_GROUP_TRAILER_BYTES};

    if (!copy->n_records)
        return LEAT_OK;
    lt_group_header_put(copy->group, &header);
    lt_group_trailer_put(copy->group + copy->used, &header);
    leat_status status = lt_pwrite_all(copy->fd, &iov, 1, copy->len, copy->name, copy->err);
    copy->len += header.len;
    copy->used = LT_GROUP_HEADER_BYTES;
    copy->n_records = 0;
    copy->table.n_groups++;
    return status;
}

static bool copy_record(void *ctx, const struct lt_record_header *header, const char *payload) {
    struct copy *copy = ctx;
    const size_t len = LT_RECORD_HEADER_BYTES + lt_record_payload_len(header);

    if (copy->used + len > GROUP_BYTES)
        copy->status = flush_group(copy);
    if (copy->status == LEAT_OK && copy->used + len + LT_GROUP_TRAILER_BYTES > copy->cap) {
        size_t cap = copy->used + len + LT_GROUP_TRAILER_BYTES;
        char *group = realloc(copy->group, cap);
        if (group) {
            copy->group = group;
            copy->cap = cap;
        }
        if (!group)
            copy->status = LEAT_E_NOMEM;
    }
    struct lt_table_entry entry = {.shard = header->shard,
                                   .run = {.seq = header->seq,
                                           .time_ms = header->time_ms,
                                           .offset = copy->len + copy->used,
                                           .len = (uint32_t)len,
                                           .n_records = 1},
                                   .last_time_ms = header->time_ms};
    if (copy->status == LEAT_OK && !lt_table_add(&copy->builder, &entry))
        copy->status = LEAT_E_NOMEM;
    if (copy->status == LEAT_E_NOMEM)
        lt_fail(copy->err, LEAT_E_NOMEM, 0, "no memory to collect a journal");
    if (copy->status != LEAT_OK)
        return false;
    memcpy(copy->group + copy->used, payload - LT_RECORD_HEADER_BYTES, len);
    copy->used += len;
    copy->n_records++;
    return true;
}

static leat_status copy_row(struct copy *copy, struct lt_segment *segment,
                            const struct lt_index_row *row) {
    struct lt_journal *journal = copy->journal;
    struct lt_run runs[RUNS_AT_ONCE];
    struct lt_visit visit = {.shard = row->shard,
                             .want_bytes = SIZE_MAX,
                             .check_payload = true,
                             .record = copy_record,
                             .ctx = copy};
    bool more = true;
    leat_status status = LEAT_OK;

    pthread_mutex_lock(&journal->mu);
    visit.from = first_in_view(journal, row);
    pthread_mutex_unlock(&journal->mu);
    while (visit.from && visit.from <= row->last && status == LEAT_OK) {
        size_t n;
        status =
            lt_index_runs(journal, segment, row, visit.from, runs, RUNS_AT_ONCE, &n, copy->err);
        if (status == LEAT_OK)
            status = lt_journal_visit(journal, segment, runs, n, &visit, &more, copy->err);
        if (status == LEAT_OK)
            status = copy->status;
        if (status == LEAT_OK)
            visit.from = runs[n - 1].seq + runs[n - 1].n_records;
    }
    return status;
}

struct task {
    struct lt_segment *segment;
    const struct lt_index_row *row;
};

static int order_tasks(const void *a, const void *b) {
    const struct task *x = a, *y = b;
    if (x->row->shard != y->row->shard)
        return x->row->shard < y->row->shard ? -1 : 1;
    return x->row->first < y->row->first ? -1 : x->row->first > y->row->first;
}

/* All rows of the batch by shard, so that the new file holds each shard's records in one place. */
static leat_status copy_all(struct copy *copy, const struct batch *batch) {
    size_t n = 0;
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < batch->n; i++)
        n += batch->list[i]->n_rows;
    struct task *tasks = calloc(n ? n : 1, sizeof(*tasks));
    if (!tasks)
        return lt_fail(copy->err, LEAT_E_NOMEM, 0, "no memory to collect a journal");
    n = 0;
    for (size_t i = 0; i < batch->n; i++)
        for (size_t k = 0; k < batch->list[i]->n_rows; k++)
            tasks[n++] = (struct task){batch->list[i], &batch->list[i]->rows[k]};
    qsort(tasks, n, sizeof(*tasks), order_tasks);
    for (size_t i = 0; i < n && status == LEAT_OK; i++)
        status = copy_row(copy, tasks[i].segment, tasks[i].row);
    free(tasks);
    return status == LEAT_OK ? flush_group(copy) : status;
}

static leat_status start_copy(struct copy *copy, const struct batch *batch) {
    char head[LT_SEGMENT_HEADER_BYTES];
    struct iovec iov = {head, sizeof(head)};

    copy->header.number = batch->list[0]->number;
    copy->header.covers = batch->list[batch->n - 1]->covers;
    copy->header.created_ms = lt_clock_wall_ms();
    lt_random(&copy->header.salt, sizeof(copy->header.salt));
    lt_segment_name(copy->name, copy->header.number, ".log.tmp");
    copy->cap = GROUP_BYTES + LT_GROUP_TRAILER_BYTES;
    copy->group = malloc(copy->cap);
    if (!copy->group)
        return lt_fail(copy->err, LEAT_E_NOMEM, 0, "no memory to collect a journal");
    copy->used = LT_GROUP_HEADER_BYTES;
    copy->fd =
        openat(copy->journal->dir_fd, copy->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (copy->fd < 0)
        return lt_fail_sys(copy->err, errno, "cannot make %s/%s", copy->journal->dir, copy->name);
    lt_segment_header_put(head, &copy->header);
    copy->len = LT_SEGMENT_HEADER_BYTES;
    return lt_pwrite_all(copy->fd, &iov, 1, 0, copy->name, copy->err);
}

/* Syncs the copy and puts it in the place of the batch's first segment. The rename is the last
 * thing that can fail. */
static leat_status finish_copy(struct copy *copy) {
    struct lt_journal *journal = copy->journal;
    char name[LT_SEGMENT_NAME_BYTES];
    const uint32_t n_groups = copy->table.n_groups;
    leat_status status;

    if (lt_journal_io.fdatasync(copy->fd) != 0)
        return lt_fail_sys(copy->err, errno, "cannot sync %s/%s", journal->dir, copy->name);
    status = lt_table_finish(&copy->builder, &copy->table, copy->err);
    if (status != LEAT_OK)
        return status;
    copy->table.n_groups = n_groups;
    copy->table.end = copy->len;
    status =
        lt_index_write(journal, copy->header.number, copy->header.salt, &copy->table, copy->err);
    if (status != LEAT_OK)
        return status;
    lt_segment_name(name, copy->header.number, ".log");
    if (lt_journal_io.renameat(journal->dir_fd, copy->name, journal->dir_fd, name) != 0)
        return lt_fail_sys(copy->err, errno, "cannot rename %s/%s", journal->dir, copy->name);
    return LEAT_OK;
}

/* The batch's segments give way to `segment`, in memory. */
static void put_in_place(struct lt_journal *journal, const struct batch *batch,
                         struct lt_segment *segment) {
    pthread_mutex_lock(&journal->mu);
    for (size_t i = 0; i < journal->n_sealed;) {
        bool old = false;
        for (size_t k = 0; k < batch->n; k++)
            old = old || journal->sealed[i] == batch->list[k];
        if (old)
            take_out(journal, i);
        else
            i++;
    }
    for (size_t i = 0; i < segment->n_rows; i++) {
        struct lt_shard *shard = lt_shard_find(&journal->shards, segment->rows[i].shard);
        if (shard->forgotten)
            continue;
        /* there is room: at least one extent was taken out for this one */
        lt_shard_add_extent(shard, segment, &segment->rows[i]);
        shard->hidden_known = shard->first == 1;
    }
    lt_journal_add_sealed(journal, segment);
    pthread_mutex_unlock(&journal->mu);
}

static leat_status write_together(struct lt_journal *journal, struct batch *batch,
                                  struct leat_error *err) {
    struct copy copy = {.journal = journal, .fd = -1, .err = err};
    struct lt_segment *segment = NULL;
    leat_status status = start_copy(&copy, batch);

    if (status == LEAT_OK)
        status = copy_all(&copy, batch);
    if (status != LEAT_OK || !copy.table.n_groups)
        goto out; /* trimmed meanwhile: deleted the next time */
    segment = lt_segment_new(copy.header.number, copy.header.covers, copy.header.salt);
    if (!segment) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to collect a journal");
        goto out;
    }
    status = finish_copy(&copy);
    if (status != LEAT_OK)
        goto out;
    segment->rows = copy.table.rows;
    segment->n_rows = copy.table.n_rows;
    segment->len = copy.len;
    segment->n_groups = copy.table.n_groups;
    copy.table.rows = NULL;
    lt_log(LT_LOG_DEBUG, "journal", "%zu segments written together into %012" PRIu64, batch->n,
           segment->number);
    put_in_place(journal, batch, segment);
    segment = NULL;
    /* Only when the new file surely has its name may the others go. */
    if (lt_journal_io.fsync(journal->dir_fd) != 0)
        status = lt_fail_sys(err, errno, "cannot sync %s", journal->dir);
    for (size_t i = 1; i < batch->n && status == LEAT_OK; i++)
        unlink_files(journal, batch->list[i]->number);
out:
    if (copy.fd >= 0) {
        close(copy.fd);
        unlinkat(journal->dir_fd, copy.name, 0); /* a no-op once it was renamed */
    }
    free(segment);
    free(copy.group);
    lt_table_builder_deinit(&copy.builder);
    lt_table_deinit(&copy.table);
    return status;
}

leat_status lt_journal_collect(struct lt_journal *journal, struct leat_error *err) {
    struct leat_error local;
    leat_status status = LEAT_OK;
    uint64_t from = 0;
    bool dirty;

    if (!err)
        err = &local;
    pthread_mutex_lock(&journal->collect_mu);
    roll_if_dead(journal);
    pthread_mutex_lock(&journal->mu);
    dirty = journal->marks_dirty;
    pthread_mutex_unlock(&journal->mu);
    if (dirty || any_dead(journal))
        status = lt_marks_save(journal, err);
    if (status == LEAT_OK)
        delete_dead(journal);
    for (bool more = true; more && status == LEAT_OK;) {
        struct batch batch;
        status = choose(journal, &from, &batch, err);
        more = batch.n > 0;
        if (status == LEAT_OK && more)
            status = write_together(journal, &batch, err);
        release(journal, &batch);
    }
    lt_metric_set(journal->disk_bytes, (double)lt_journal_disk_bytes(journal));
    pthread_mutex_unlock(&journal->collect_mu);
    return status;
}
