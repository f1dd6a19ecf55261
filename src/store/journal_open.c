/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands on disk becomes what stands in memory. Sealed segments with a
 * valid index are trusted and not read; the last segment is read whole, its
 * torn tail cut, and it goes on being the active one. Each shard's numbers must
 * run through all segments without a gap above its mark: a segment that is missing
 * is found here, not by a reader.
 */
#include "store/journal_internal.h"

#include "base/log.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the folder's files ---- */

struct numbers {
    uint64_t *list;
    size_t n, cap;
};

static int order(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The number in "000000000007.log" for the suffix ".log". */
static bool parse_name(const char *name, const char *suffix, uint64_t *number) {
    char *end;

    if (!isdigit((unsigned char)name[0]) || strlen(name) != 12 + strlen(suffix))
        return false;
    *number = strtoull(name, &end, 10);
    return end == name + 12 && strcmp(end, suffix) == 0;
}

static bool add_number(struct numbers *numbers, uint64_t number) {
    if (numbers->n == numbers->cap) {
        size_t cap = numbers->cap ? numbers->cap * 2 : 32;
        uint64_t *list = reallocarray(numbers->list, cap, sizeof(*list));
        if (!list)
            return false;
        numbers->list = list;
        numbers->cap = cap;
    }
    numbers->list[numbers->n++] = number;
    return true;
}

/* Lists the segments, and removes what an interrupted write left. */
static leat_status list_files(struct lt_journal *journal, struct numbers *logs,
                              struct leat_error *err) {
    leat_status status = LEAT_OK;
    int fd = openat(journal->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (!dir) {
        status = lt_fail_sys(err, errno, "cannot list %s", journal->dir);
        if (fd >= 0)
            close(fd);
        return status;
    }
    while (status == LEAT_OK && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);
        uint64_t number;
        if (len > 4 && strcmp(entry->d_name + len - 4, ".tmp") == 0)
            unlinkat(journal->dir_fd, entry->d_name, 0);
        else if (parse_name(entry->d_name, ".log", &number) && !add_number(logs, number))
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to list %s", journal->dir);
    }
    closedir(dir);
    if (logs->n)
        qsort(logs->list, logs->n, sizeof(*logs->list), order);
    return status;
}

static void remove_files(struct lt_journal *journal, uint64_t number) {
    char name[LT_SEGMENT_NAME_BYTES];

    unlinkat(journal->dir_fd, lt_segment_name(name, number, ".log"), 0);
    unlinkat(journal->dir_fd, lt_segment_name(name, number, ".idx"), 0);
}

/* ---- one segment ---- */

struct found {
    uint64_t number;
    bool last;
    int fd;
    char name[LT_SEGMENT_NAME_BYTES];
    uint64_t size;
    struct lt_segment_header header;
    bool empty; /* a crash left it before its first group was written */
    bool has_index;
    struct lt_index_header index;
    struct lt_index_row *rows;
};

static void close_found(struct found *found) {
    if (found->fd >= 0)
        close(found->fd);
    free(found->rows);
    found->fd = -1;
    found->rows = NULL;
}

/* An index is written of what is synced: one with rows says that its segment held records. */
static bool has_indexed_records(const struct lt_journal *journal, uint64_t number) {
    char name[LT_SEGMENT_NAME_BYTES];
    struct stat st;

    lt_segment_name(name, number, ".idx");
    return fstatat(journal->dir_fd, name, &st, 0) == 0 && st.st_size > LT_INDEX_HEADER_BYTES;
}

static leat_status read_header(struct lt_journal *journal, struct found *found,
                               struct leat_error *err) {
    char bytes[LT_SEGMENT_HEADER_BYTES];
    enum lt_format_check check = LT_FORMAT_DAMAGED;
    struct lt_scan scan = {.fd = found->fd, .name = found->name, .size = found->size};
    bool has_group = false;
    leat_status status = LEAT_OK;

    if (found->size >= sizeof(bytes)) {
        status = lt_pread_all(found->fd, bytes, sizeof(bytes), 0, found->name, err);
        if (status != LEAT_OK)
            return status;
        check = lt_segment_header_get(bytes, &found->header);
    }
    if (check == LT_FORMAT_NEWER)
        return lt_fail(err, LEAT_E_UNSUPPORTED, 0, "%s/%s was made by a newer leat", journal->dir,
                       found->name);
    if (check == LT_FORMAT_OK && found->header.number == found->number)
        return LEAT_OK;
    if (found->last)
        status = lt_scan_has_group(&scan, &has_group, err);
    if (status == LEAT_OK && (!found->last || has_group))
        status = lt_fail(err, LEAT_E_CORRUPT, 0, "%s/%s: its header is damaged at offset 0",
                         journal->dir, found->name);
    if (status == LEAT_OK && has_indexed_records(journal, found->number))
        status = lt_fail(err, LEAT_E_CORRUPT, 0,
                         "%s/%s holds no records, but some were synced (there is an .idx of it; "
                         "remove that file to go on without what is missing)",
                         journal->dir, found->name);
    found->empty = status == LEAT_OK;
    return status;
}

static leat_status open_found(struct lt_journal *journal, struct found *found,
                              struct leat_error *err) {
    struct stat st;

    lt_segment_name(found->name, found->number, ".log");
    found->fd = openat(journal->dir_fd, found->name, O_RDWR | O_CLOEXEC);
    if (found->fd < 0 || fstat(found->fd, &st) != 0)
        return lt_fail_sys(err, errno, "cannot open %s/%s", journal->dir, found->name);
    found->size = (uint64_t)st.st_size;
    leat_status status = read_header(journal, found, err);
    if (status != LEAT_OK || found->empty)
        return status;
    status = lt_index_load(journal, found->number, found->header.salt, &found->has_index,
                           &found->index, &found->rows, err);
    if (status == LEAT_OK && found->has_index && found->index.log_len > found->size)
        status = lt_fail(err, LEAT_E_CORRUPT, 0,
                         "%s/%s ends at offset %" PRIu64 ", but %" PRIu64
                         " bytes of it were synced (its .idx says so; remove that file to go on "
                         "without what is missing)",
                         journal->dir, found->name, found->size, found->index.log_len);
    return status;
}

static leat_status scan(struct lt_journal *journal, const struct found *found,
                        struct lt_table *table, struct leat_error *err) {
    char name[256];
    struct lt_scan how = {.fd = found->fd,
                          .name = name,
                          .salt = found->header.salt,
                          .size = found->size,
                          .synced = found->has_index ? found->index.log_len : 0,
                          .last = found->last};

    snprintf(name, sizeof(name), "%.200s/%s", journal->dir, found->name);
    return lt_scan_segment(&how, table, err);
}

/* ---- into memory ---- */

struct marks {
    struct lt_mark *list; /* by shard */
    size_t n;
};

static int order_marks(const void *a, const void *b) {
    const struct lt_mark *x = a, *y = b;
    return x->shard < y->shard ? -1 : x->shard > y->shard;
}

static const struct lt_mark *mark_of(const struct marks *marks, uint64_t shard) {
    struct lt_mark key = {.shard = shard};

    return marks->n ? bsearch(&key, marks->list, marks->n, sizeof(key), order_marks) : NULL;
}

/* The shard of a row, which must go on where the segments before it ended. */
static leat_status join(struct lt_journal *journal, const struct marks *marks,
                        const struct lt_index_row *row, uint64_t number, struct lt_shard **out,
                        struct leat_error *err) {
    struct lt_shard *shard = lt_shard_make(&journal->shards, row->shard);
    const struct lt_mark *mark = mark_of(marks, row->shard);
    const bool known_gone = mark && (mark->forgotten || row->first <= mark->first);

    if (!shard || !lt_shard_reserve_extent(shard))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the journal's index");
    if (row->first < shard->next || (row->first > shard->next && !known_gone))
        return lt_fail(err, LEAT_E_CORRUPT, 0,
                       "%s/%012" PRIu64 ".log, offset %d: shard %" PRIu64
                       " goes on with record %" PRIu64 " where %" PRIu64
                       " comes next: a segment %s",
                       journal->dir, number, LT_SEGMENT_HEADER_BYTES, row->shard, row->first,
                       shard->next, row->first > shard->next ? "is missing" : "is there twice");
    shard->next = row->last + 1;
    shard->last_time_ms = row->last_time_ms;
    *out = shard;
    return LEAT_OK;
}

static leat_status add_sealed(struct lt_journal *journal, const struct marks *marks,
                              struct found *found, struct leat_error *err) {
    struct lt_table table = {0};
    leat_status status;

    if (!found->has_index) {
        status = scan(journal, found, &table, err);
        if (status == LEAT_OK)
            status = lt_index_write(journal, found->number, found->header.salt, &table, err);
        if (status != LEAT_OK)
            goto out;
        lt_log(LT_LOG_INFO, "journal", "%s: built its missing index", found->name);
        found->rows = table.rows;
        found->index.n_rows = (uint32_t)table.n_rows;
        found->index.log_len = table.end;
        found->index.n_groups = table.n_groups;
        table.rows = NULL;
    }
    struct lt_segment *segment =
        lt_segment_new(found->number, found->header.covers, found->header.salt);
    if (!segment || !lt_journal_reserve_sealed(journal)) {
        free(segment);
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a segment");
        goto out;
    }
    segment->rows = found->rows;
    segment->n_rows = found->index.n_rows;
    segment->len = found->index.log_len;
    segment->n_groups = found->index.n_groups;
    found->rows = NULL;
    lt_journal_add_sealed(journal, segment);
    status = LEAT_OK;
    for (size_t i = 0; i < segment->n_rows && status == LEAT_OK; i++) {
        struct lt_shard *shard;
        status = join(journal, marks, &segment->rows[i], segment->number, &shard, err);
        if (status == LEAT_OK)
            lt_shard_add_extent(shard, segment, &segment->rows[i]);
    }
out:
    lt_table_deinit(&table);
    return status;
}

static leat_status fill_active(struct lt_journal *journal, const struct marks *marks,
                               const struct lt_table *table, uint64_t number,
                               struct leat_error *err) {
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct lt_index_row *row = &table->rows[i];
        struct lt_shard *shard;
        leat_status status = join(journal, marks, row, number, &shard, err);
        if (status != LEAT_OK)
            return status;
        if (!lt_shard_reserve_runs(shard, row->n_runs))
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the journal's index");
        memcpy(shard->runs, table->runs + row->run, row->n_runs * sizeof(*shard->runs));
        shard->n_runs = row->n_runs;
        shard->run_bytes = row->n_bytes;
        journal->tail.n_runs += row->n_runs;
    }
    return LEAT_OK;
}

/* A program that was killed may have written its last group, and the file's name, without syncing
 * them. Readers will see that group, and its numbers are not given again: so it has to stay. */
static leat_status sync_last(struct lt_journal *journal, const struct found *found,
                             const struct lt_table *table, struct leat_error *err) {
    if (found->has_index && found->index.log_len == table->end)
        return LEAT_OK;
    if (lt_journal_io.fdatasync(found->fd) != 0 || lt_journal_io.fsync(journal->dir_fd) != 0)
        return lt_fail_sys(err, errno, "cannot sync %s/%s", journal->dir, found->name);
    return LEAT_OK;
}

static leat_status add_last(struct lt_journal *journal, const struct marks *marks,
                            struct found *found, struct leat_error *err) {
    struct lt_table table = {0};
    struct lt_segment *segment;
    leat_status status = scan(journal, found, &table, err);

    if (status != LEAT_OK)
        return status;
    if (!table.n_groups) {
        remove_files(journal, found->number);
        goto out;
    }
    if (table.end < found->size && lt_journal_io.ftruncate(found->fd, (off_t)table.end) != 0) {
        status = lt_fail_sys(err, errno, "cannot cut %s/%s to %" PRIu64 " bytes", journal->dir,
                             found->name, table.end);
        goto out;
    }
    status = sync_last(journal, found, &table, err);
    if (status != LEAT_OK)
        goto out;
    segment = lt_segment_new(found->number, found->header.covers, found->header.salt);
    if (!segment) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a segment");
        goto out;
    }
    segment->fd = found->fd;
    segment->len = table.end;
    segment->n_groups = table.n_groups;
    found->fd = -1;
    journal->active = segment;
    journal->n_open++;
    journal->tail.preallocated = table.end;
    journal->tail.last_group = table.last_group;
    journal->tail.indexed = found->has_index && found->index.log_len == table.end;
    status = fill_active(journal, marks, &table, found->number, err);
out:
    lt_table_deinit(&table);
    return status;
}

static leat_status apply_marks(struct lt_journal *journal, const struct marks *marks,
                               struct leat_error *err) {
    for (size_t i = 0; i < marks->n; i++) {
        const struct lt_mark *mark = &marks->list[i];
        struct lt_shard *shard = lt_shard_make(&journal->shards, mark->shard);
        if (!shard)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the journal's index");
        if (mark->forgotten) {
            shard->forgotten = shard->closed = true;
            shard->n_extents = 0;
            continue;
        }
        shard->first = mark->first;
        shard->hidden_known = false;
        if (shard->next < mark->first)
            shard->next = mark->first;
    }
    for (size_t i = 0; i < journal->shards.cap; i++) {
        struct lt_shard *shard = journal->shards.slots[i];
        if (!shard)
            continue;
        shard->assigned = shard->next;
        shard->assigned_time_ms = shard->last_time_ms;
    }
    return LEAT_OK;
}

static leat_status add_all(struct lt_journal *journal, const struct numbers *logs,
                           const struct marks *marks, struct leat_error *err) {
    leat_status status = LEAT_OK;
    uint64_t covered = 0;
    size_t n = logs->n;

    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        struct found found = {.number = logs->list[i], .fd = -1, .last = i + 1 == n};
        if (covered && found.number <= covered) {
            /* a crash came between putting a compacted segment in place and deleting these */
            remove_files(journal, found.number);
            continue;
        }
        status = open_found(journal, &found, err);
        if (status == LEAT_OK && !found.empty) {
            covered = found.header.covers > found.number ? found.header.covers : 0;
            if (covered >= journal->tail.next_number)
                journal->tail.next_number = covered + 1;
            status = found.last ? add_last(journal, marks, &found, err)
                                : add_sealed(journal, marks, &found, err);
        } else if (status == LEAT_OK) {
            remove_files(journal, found.number);
        }
        close_found(&found);
    }
    return status;
}

leat_status lt_journal_recover(struct lt_journal *journal, struct leat_error *err) {
    struct numbers logs = {0};
    struct marks marks = {0};
    leat_status status = list_files(journal, &logs, err);

    if (status == LEAT_OK)
        status = lt_marks_load(journal, &marks.list, &marks.n, err);
    if (marks.n)
        qsort(marks.list, marks.n, sizeof(*marks.list), order_marks);
    journal->tail.next_number = logs.n ? logs.list[logs.n - 1] + 1 : 1;
    if (status == LEAT_OK)
        status = add_all(journal, &logs, &marks, err);
    if (status == LEAT_OK)
        status = apply_marks(journal, &marks, err);
    free(logs.list);
    free(marks.list);
    return status;
}
