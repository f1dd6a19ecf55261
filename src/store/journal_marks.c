/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `marks`: for each shard that was trimmed the oldest number in view,
 * and the shards that were forgotten but still have records in some segment. It is
 * written before a segment is deleted, so that what is missing below a mark is
 * known to be gone on purpose, and anything else missing is damage. It also
 * keeps the numbers of a shard going when its last segment is gone.
 */
#include "store/journal_internal.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static leat_status parse(struct lt_journal *journal, const char *bytes, uint64_t len,
                         struct lt_mark **marks, size_t *n, struct leat_error *err) {
    uint64_t n_marks = 0;
    uint32_t crc = 0;
    enum lt_format_check check = LT_FORMAT_DAMAGED;

    if (len >= LT_MARKS_HEADER_BYTES)
        check = lt_marks_header_get(bytes, &n_marks, &crc);
    if (check == LT_FORMAT_NEWER)
        return lt_fail(err, LEAT_E_UNSUPPORTED, 0, "%s/marks was made by a newer leat",
                       journal->dir);
    const char *rows = bytes + LT_MARKS_HEADER_BYTES;
    if (check != LT_FORMAT_OK || n_marks != (len - LT_MARKS_HEADER_BYTES) / LT_MARK_BYTES ||
        lt_crc32c(0, rows, n_marks * LT_MARK_BYTES) != crc)
        return lt_fail(err, LEAT_E_CORRUPT, 0, "%s/marks fails its checksum at offset 0",
                       journal->dir);
    *marks = calloc(n_marks ? n_marks : 1, sizeof(**marks));
    if (!*marks)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %s/marks", journal->dir);
    for (size_t i = 0; i < n_marks; i++)
        lt_mark_get(rows + i * LT_MARK_BYTES, &(*marks)[i]);
    *n = n_marks;
    return LEAT_OK;
}

leat_status lt_marks_load(struct lt_journal *journal, struct lt_mark **marks, size_t *n,
                          struct leat_error *err) {
    struct stat st;
    char *bytes = NULL;
    leat_status status;

    *marks = NULL;
    *n = 0;
    int fd = openat(journal->dir_fd, "marks", O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return LEAT_OK;
    if (fd < 0 || fstat(fd, &st) != 0) {
        status = lt_fail_sys(err, errno, "cannot open %s/marks", journal->dir);
        goto out;
    }
    bytes = malloc((size_t)st.st_size + 1);
    if (!bytes) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %s/marks", journal->dir);
        goto out;
    }
    status = lt_pread_all(fd, bytes, (size_t)st.st_size, 0, "marks", err);
    if (status == LEAT_OK)
        status = parse(journal, bytes, (uint64_t)st.st_size, marks, n, err);
out:
    free(bytes);
    if (fd >= 0)
        close(fd);
    return status;
}

/* Is a record of it left in a sealed segment, or could one be in the active one? Holds mu. */
static bool has_remains(const struct lt_journal *journal, uint64_t shard) {
    if (journal->active)
        return true;
    for (size_t i = 0; i < journal->n_sealed; i++)
        for (size_t k = 0; k < journal->sealed[i]->n_rows; k++)
            if (journal->sealed[i]->rows[k].shard == shard)
                return true;
    return false;
}

leat_status lt_marks_save(struct lt_journal *journal, struct leat_error *err) {
    uint64_t n = 0;

    pthread_mutex_lock(&journal->mu);
    char *bytes = malloc(LT_MARKS_HEADER_BYTES + journal->shards.n * LT_MARK_BYTES);
    char *rows = bytes + LT_MARKS_HEADER_BYTES;
    for (size_t i = 0; bytes && i < journal->shards.cap; i++) {
        const struct lt_shard *shard = journal->shards.slots[i];
        if (!shard || (shard->forgotten ? !has_remains(journal, shard->id) : shard->first == 1))
            continue;
        struct lt_mark mark = {shard->id, shard->first, shard->forgotten};
        lt_mark_put(rows + n++ * LT_MARK_BYTES, &mark);
    }
    if (bytes)
        journal->marks_dirty = false;
    pthread_mutex_unlock(&journal->mu);
    if (!bytes)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %s/marks", journal->dir);
    lt_marks_header_put(bytes, n, lt_crc32c(0, rows, n * LT_MARK_BYTES));
    leat_status status = lt_journal_write_file(journal, "marks", bytes,
                                               LT_MARKS_HEADER_BYTES + n * LT_MARK_BYTES, err);
    /* The rename must be on disk before a segment goes. */
    if (status == LEAT_OK && lt_journal_io.fsync(journal->dir_fd) != 0)
        status = lt_fail_sys(err, errno, "cannot sync %s", journal->dir);
    if (status != LEAT_OK) {
        pthread_mutex_lock(&journal->mu);
        journal->marks_dirty = true;
        pthread_mutex_unlock(&journal->mu);
    }
    free(bytes);
    return status;
}
