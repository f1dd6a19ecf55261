/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a sealed segment: its rows (one a shard) stay in memory, its
 * runs lie in the `.idx` file and are read row by row when they are needed,
 * through a cache of at most LT_CACHE_BYTES. A row's runs that fail their sum are
 * found again by reading the segment, and the file is written anew: an index
 * is never a reason to lose a record.
 */
#include "store/journal_internal.h"

#include "base/hash.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void put_table(char *to, const struct lt_index_header *head, struct lt_table *table) {
    char *rows = to + LT_INDEX_HEADER_BYTES;
    char *runs = rows + table->n_rows * LT_INDEX_ROW_BYTES;
    struct lt_index_header full = *head;

    for (size_t i = 0; i < table->n_runs; i++)
        lt_run_put(runs + i * LT_INDEX_RUN_BYTES, &table->runs[i]);
    for (size_t i = 0; i < table->n_rows; i++) {
        struct lt_index_row *row = &table->rows[i];
        row->crc = lt_crc32c(0, runs + row->run * LT_INDEX_RUN_BYTES,
                             (size_t)row->n_runs * LT_INDEX_RUN_BYTES);
        lt_index_row_put(rows + i * LT_INDEX_ROW_BYTES, row);
    }
    full.rows_crc = lt_crc32c(0, rows, table->n_rows * LT_INDEX_ROW_BYTES);
    lt_index_header_put(to, &full);
}

leat_status lt_index_write(struct lt_journal *journal, uint64_t number, uint64_t salt,
                           struct lt_table *table, struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];
    struct lt_index_header head = {.number = number,
                                   .salt = salt,
                                   .log_len = table->end,
                                   .n_runs = table->n_runs,
                                   .n_rows = (uint32_t)table->n_rows,
                                   .n_groups = table->n_groups};
    size_t len = LT_INDEX_HEADER_BYTES + table->n_rows * LT_INDEX_ROW_BYTES +
                 table->n_runs * LT_INDEX_RUN_BYTES;
    char *bytes = malloc(len);

    lt_segment_name(name, number, ".idx");
    if (!bytes)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to write %s", name);
    put_table(bytes, &head, table);
    leat_status status = lt_journal_write_file(journal, name, bytes, len, err);
    free(bytes);
    return status;
}

/* Are head and rows of this file whole, and this segment's? Fills `rows` when they are. */
static bool load_rows(int fd, const char *name, uint64_t size, struct lt_index_header *head,
                      struct lt_index_row **rows) {
    char bytes[LT_INDEX_HEADER_BYTES];
    struct leat_error ignored;
    bool valid = false;

    if (size < sizeof(bytes) ||
        lt_pread_all(fd, bytes, sizeof(bytes), 0, name, &ignored) != LEAT_OK ||
        lt_index_header_get(bytes, head) != LT_FORMAT_OK)
        return false;
    uint64_t rows_len = (uint64_t)head->n_rows * LT_INDEX_ROW_BYTES;
    uint64_t room = size - sizeof(bytes);
    if (rows_len > room || head->n_runs != (room - rows_len) / LT_INDEX_RUN_BYTES ||
        (room - rows_len) % LT_INDEX_RUN_BYTES)
        return false;
    char *raw = malloc(rows_len ? rows_len : 1);
    *rows = calloc(head->n_rows ? head->n_rows : 1, sizeof(**rows));
    if (raw && *rows && lt_pread_all(fd, raw, rows_len, sizeof(bytes), name, &ignored) == LEAT_OK &&
        lt_crc32c(0, raw, rows_len) == head->rows_crc) {
        valid = true;
        for (uint32_t i = 0; i < head->n_rows; i++) {
            struct lt_index_row *row = &(*rows)[i];
            lt_index_row_get(raw + (size_t)i * LT_INDEX_ROW_BYTES, row);
            valid = valid && row->run <= head->n_runs && row->n_runs <= head->n_runs - row->run &&
                    row->n_runs && row->first <= row->last;
        }
    }
    free(raw);
    if (!valid) {
        free(*rows);
        *rows = NULL;
    }
    return valid;
}

leat_status lt_index_load(struct lt_journal *journal, uint64_t number, uint64_t salt, bool *valid,
                          struct lt_index_header *head, struct lt_index_row **rows,
                          struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];
    struct stat st;

    *valid = false;
    *rows = NULL;
    lt_segment_name(name, number, ".idx");
    int fd = openat(journal->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return LEAT_OK;
    if (fd < 0 || fstat(fd, &st) != 0) {
        int sys = errno;
        if (fd >= 0)
            close(fd);
        return lt_fail_sys(err, sys, "cannot open %s/%s", journal->dir, name);
    }
    *valid = load_rows(fd, name, (uint64_t)st.st_size, head, rows);
    close(fd);
    if (*valid && (head->number != number || head->salt != salt)) {
        free(*rows);
        *rows = NULL;
        *valid = false;
    }
    return LEAT_OK;
}

size_t lt_run_holding(const struct lt_run *runs, size_t n, uint64_t seq) {
    size_t low = 0, high = n;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (runs[mid].seq <= seq)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* ---- the cache ---- */

void lt_runs_cache_deinit(struct lt_runs_cache *cache) {
    for (size_t i = 0; i < LT_CACHE_SLOTS; i++)
        free(cache->slots[i].runs);
    memset(cache->slots, 0, sizeof(cache->slots));
    cache->bytes = 0;
}

static void drop_slot(struct lt_runs_cache *cache, struct lt_cache_slot *slot) {
    cache->bytes -= slot->n * sizeof(struct lt_run);
    free(slot->runs);
    *slot = (struct lt_cache_slot){0};
}

static struct lt_cache_slot *least_used(struct lt_runs_cache *cache, bool full) {
    struct lt_cache_slot *least = NULL;

    for (size_t i = 0; i < LT_CACHE_SLOTS; i++) {
        struct lt_cache_slot *slot = &cache->slots[i];
        if (!slot->runs && !full)
            return slot;
        if (slot->runs && (!least || slot->last_use < least->last_use))
            least = slot;
    }
    return least;
}

static size_t copy_from(const struct lt_run *runs, size_t n, uint64_t seq, struct lt_run *to,
                        size_t max) {
    size_t at = lt_run_holding(runs, n, seq);
    size_t count = n - at < max ? n - at : max;

    memcpy(to, runs + at, count * sizeof(*to));
    return count;
}

/* The number of runs copied; 0 when the row is not in the cache. */
static size_t copy_cached(struct lt_runs_cache *cache, uint64_t salt, uint64_t shard, uint64_t seq,
                          struct lt_run *runs, size_t max) {
    size_t n = 0;

    pthread_mutex_lock(&cache->mu);
    for (size_t i = 0; i < LT_CACHE_SLOTS && !n; i++) {
        struct lt_cache_slot *slot = &cache->slots[i];
        if (!slot->runs || slot->salt != salt || slot->shard != shard)
            continue;
        slot->last_use = ++cache->tick;
        n = copy_from(slot->runs, slot->n, seq, runs, max);
    }
    pthread_mutex_unlock(&cache->mu);
    return n;
}

/* Takes `runs`. */
static void keep(struct lt_runs_cache *cache, uint64_t salt, uint64_t shard, struct lt_run *runs,
                 size_t n) {
    const size_t bytes = n * sizeof(*runs);

    if (bytes > LT_CACHE_BYTES) {
        free(runs);
        return;
    }
    pthread_mutex_lock(&cache->mu);
    while (cache->bytes + bytes > LT_CACHE_BYTES)
        drop_slot(cache, least_used(cache, true));
    struct lt_cache_slot *slot = least_used(cache, false);
    if (slot->runs)
        drop_slot(cache, slot);
    *slot = (struct lt_cache_slot){salt, shard, runs, n, ++cache->tick};
    cache->bytes += bytes;
    pthread_mutex_unlock(&cache->mu);
}

/* ---- reading runs ---- */

/* The row's runs from the file; `*runs` is NULL when they fail their sum. */
static leat_status read_runs(const struct lt_segment *segment, uint64_t n_rows,
                             const struct lt_index_row *row, const char *name, struct lt_run **runs,
                             struct leat_error *err) {
    const size_t len = (size_t)row->n_runs * LT_INDEX_RUN_BYTES;
    uint64_t offset =
        LT_INDEX_HEADER_BYTES + n_rows * LT_INDEX_ROW_BYTES + row->run * LT_INDEX_RUN_BYTES;
    char *raw = malloc(len);

    *runs = reallocarray(NULL, row->n_runs, sizeof(**runs));
    if (!raw || !*runs) {
        free(raw);
        free(*runs);
        *runs = NULL;
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read %s", name);
    }
    leat_status status = lt_pread_all(segment->idx_fd, raw, len, offset, name, err);
    if (status == LEAT_OK && lt_crc32c(0, raw, len) == row->crc) {
        for (uint32_t i = 0; i < row->n_runs; i++)
            lt_run_get(raw + (size_t)i * LT_INDEX_RUN_BYTES, &(*runs)[i]);
    } else {
        free(*runs);
        *runs = NULL;
    }
    free(raw);
    return status == LEAT_E_CORRUPT ? LEAT_OK : status; /* a short file is a damaged one */
}

/* Builds the index anew from the segment and gives the row's runs. */
static leat_status rebuild(struct lt_journal *journal, struct lt_segment *segment,
                           const struct lt_index_row *row, struct lt_run **runs,
                           struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];
    struct lt_table table = {0};
    struct lt_scan scan = {.fd = segment->fd, .name = name, .salt = segment->salt};
    struct leat_error ignored;
    leat_status status;

    lt_log(LT_LOG_WARN, "journal", "the index of segment %" PRIu64 " is damaged; building it anew",
           segment->number);
    lt_segment_name(name, segment->number, ".log");
    pthread_mutex_lock(&journal->mu);
    scan.size = segment->len;
    pthread_mutex_unlock(&journal->mu);
    status = lt_scan_segment(&scan, &table, err);
    if (status != LEAT_OK)
        return status;
    size_t i = 0;
    while (i < table.n_rows && table.rows[i].shard != row->shard)
        i++;
    *runs = reallocarray(NULL, row->n_runs, sizeof(**runs));
    if (!*runs) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the index of %s", name);
    } else if (i == table.n_rows || table.rows[i].n_runs != row->n_runs) {
        free(*runs);
        *runs = NULL;
        status = lt_fail(err, LEAT_E_CORRUPT, 0, "%s/%s: records differ from the index",
                         journal->dir, name);
    } else {
        memcpy(*runs, table.runs + table.rows[i].run, row->n_runs * sizeof(**runs));
        /* The sums come out the same, so the file takes the old one's place at the next open. */
        if (lt_index_write(journal, segment->number, segment->salt, &table, &ignored) != LEAT_OK)
            lt_log(LT_LOG_WARN, "journal", "%s", ignored.text);
    }
    lt_table_deinit(&table);
    return status;
}

leat_status lt_index_runs(struct lt_journal *journal, struct lt_segment *segment,
                          const struct lt_index_row *row, uint64_t seq, struct lt_run *runs,
                          size_t max, size_t *n, struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];
    struct lt_run *all = NULL;
    leat_status status;

    *n = copy_cached(&journal->cache, segment->salt, row->shard, seq, runs, max);
    if (*n)
        return LEAT_OK;
    lt_segment_name(name, segment->number, ".idx");
    status = read_runs(segment, segment->n_rows, row, name, &all, err);
    if (status == LEAT_OK && !all)
        status = rebuild(journal, segment, row, &all, err);
    if (status != LEAT_OK)
        return status;
    *n = copy_from(all, row->n_runs, seq, runs, max);
    keep(&journal->cache, segment->salt, row->shard, all, row->n_runs);
    return LEAT_OK;
}

leat_status lt_journal_active_table(struct lt_journal *journal, struct lt_table *out,
                                    struct leat_error *err) {
    struct lt_table_builder builder = {0};
    leat_status status = LEAT_OK;

    *out = (struct lt_table){0};
    for (size_t i = 0; i < journal->shards.cap && status == LEAT_OK; i++) {
        const struct lt_shard *shard = journal->shards.slots[i];
        for (size_t k = 0; shard && k < shard->n_runs; k++) {
            const struct lt_run *run = &shard->runs[k];
            bool last = k + 1 == shard->n_runs;
            struct lt_table_entry entry = {shard->id, *run,
                                           last ? shard->last_time_ms : run->time_ms};
            if (!lt_table_add(&builder, &entry)) {
                status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a segment's index");
                break;
            }
        }
    }
    if (status == LEAT_OK)
        status = lt_table_finish(&builder, out, err);
    lt_table_builder_deinit(&builder);
    out->end = journal->active->len;
    out->n_groups = journal->active->n_groups;
    return status;
}
