/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the active segment into a sealed one: its index moves from the shards'
 * runs into an `.idx` file, of which only a row a shard stays in memory. All its
 * groups are synced already; if anything fails here, it simply stays active.
 */
#include "store/journal_internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static leat_status prepare(struct lt_journal *journal, struct lt_table *table,
                           struct leat_error *err) {
    pthread_mutex_lock(&journal->mu);
    leat_status status = lt_journal_active_table(journal, table, err);
    if (status == LEAT_OK && !lt_journal_reserve_sealed(journal))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for another segment");
    for (size_t i = 0; status == LEAT_OK && i < table->n_rows; i++) {
        struct lt_shard *shard = lt_shard_find(&journal->shards, table->rows[i].shard);
        if (!lt_shard_reserve_extent(shard))
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for another segment");
    }
    pthread_mutex_unlock(&journal->mu);
    return status;
}

/* Cannot fail: the room is there. Takes the table's rows. */
static void swap(struct lt_journal *journal, struct lt_table *table, int idx_fd) {
    struct lt_segment *segment = journal->active;

    pthread_mutex_lock(&journal->mu);
    segment->rows = table->rows;
    segment->n_rows = table->n_rows;
    segment->idx_fd = idx_fd;
    table->rows = NULL;
    for (size_t i = 0; i < segment->n_rows; i++) {
        struct lt_shard *shard = lt_shard_find(&journal->shards, segment->rows[i].shard);
        free(shard->runs);
        shard->runs = NULL;
        shard->n_runs = shard->cap_runs = 0;
        shard->run_bytes = 0;
        if (!shard->forgotten)
            lt_shard_add_extent(shard, segment, &segment->rows[i]);
    }
    lt_journal_add_sealed(journal, segment);
    journal->active = NULL;
    lt_segment_make_way(journal);
    pthread_mutex_unlock(&journal->mu);
    journal->tail.n_runs = 0;
    journal->tail.torn = journal->tail.suspect = false;
}

leat_status lt_journal_seal(struct lt_journal *journal, struct leat_error *err) {
    struct lt_segment *segment = journal->active;
    struct lt_table table = {0};
    char name[LT_SEGMENT_NAME_BYTES];
    leat_status status = prepare(journal, &table, err);

    if (status != LEAT_OK)
        goto out;
    status = lt_index_write(journal, segment->number, segment->salt, &table, err);
    if (status != LEAT_OK)
        goto out;
    lt_segment_name(name, segment->number, ".idx");
    int idx_fd = openat(journal->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (idx_fd < 0) {
        status = lt_fail_sys(err, errno, "cannot open %s/%s", journal->dir, name);
        goto out;
    }
    /* Zeros behind the end do no harm, so a failure here is only room not given back. */
    if (lt_journal_io.ftruncate(segment->fd, (off_t)segment->len) != 0)
        lt_log(LT_LOG_WARN, "journal", "cannot cut the room behind segment %s", name);
    swap(journal, &table, idx_fd);
out:
    lt_table_deinit(&table);
    return status;
}
