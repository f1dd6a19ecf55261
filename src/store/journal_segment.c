/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of segments: names, whole reads and writes, and which of them are
 * open. A segment's files are opened when they are read and closed again when
 * LT_OPEN_SEGMENTS others were used since, so that a large journal does not
 * take all descriptors. A segment that was deleted or replaced stays readable for
 * those who had taken it.
 */
#include "store/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct lt_journal_io lt_journal_io = {
    .pwritev = pwritev,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .ftruncate = ftruncate,
    .fallocate = fallocate,
    .renameat = renameat,
};

char *lt_segment_name(char out[LT_SEGMENT_NAME_BYTES], uint64_t number, const char *suffix) {
    snprintf(out, LT_SEGMENT_NAME_BYTES, "%012" PRIu64 "%.7s", number, suffix);
    return out;
}

struct lt_segment *lt_segment_new(uint64_t number, uint64_t covers, uint64_t salt) {
    struct lt_segment *segment = calloc(1, sizeof(*segment));

    if (!segment)
        return NULL;
    *segment = (struct lt_segment){
        .number = number, .covers = covers, .salt = salt, .refs = 1, .fd = -1, .idx_fd = -1};
    return segment;
}

static void close_files(struct lt_journal *journal, struct lt_segment *segment) {
    if (segment->fd >= 0) {
        close(segment->fd);
        journal->n_open--;
    }
    if (segment->idx_fd >= 0)
        close(segment->idx_fd);
    segment->fd = segment->idx_fd = -1;
}

void lt_segment_make_way(struct lt_journal *journal) {
    struct lt_segment *least = NULL;

    if (journal->n_open < LT_OPEN_SEGMENTS)
        return;

    for (size_t i = 0; i < journal->n_sealed; i++) {
        struct lt_segment *segment = journal->sealed[i];
        if (segment->fd >= 0 && segment->refs == 1 &&
            (!least || segment->last_use < least->last_use))
            least = segment;
    }
    if (least)
        close_files(journal, least);
}

static int open_file(struct lt_journal *journal, struct lt_segment *segment, const char *suffix,
                     struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];

    lt_segment_name(name, segment->number, suffix);
    int fd = openat(journal->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        lt_fail_sys(err, errno, "cannot open %s/%s", journal->dir, name);
    return fd;
}

leat_status lt_segment_ref(struct lt_journal *journal, struct lt_segment *segment,
                           struct leat_error *err) {
    if (segment->fd < 0) {
        lt_segment_make_way(journal);
        segment->fd = open_file(journal, segment, ".log", err);
        if (segment->fd < 0)
            return err->status;
        journal->n_open++;
        if (segment->rows)
            segment->idx_fd = open_file(journal, segment, ".idx", err);
        if (segment->rows && segment->idx_fd < 0) {
            close_files(journal, segment);
            return err->status;
        }
    }
    segment->last_use = ++journal->use_tick;
    segment->refs++;
    return LEAT_OK;
}

void lt_segment_unref(struct lt_journal *journal, struct lt_segment *segment) {
    if (!segment || --segment->refs)
        return;
    close_files(journal, segment);
    free(segment->rows);
    free(segment);
}

leat_status lt_pread_all(int fd, void *to, size_t len, uint64_t offset, const char *name,
                         struct leat_error *err) {
    char *at = to;

    while (len) {
        ssize_t n = pread(fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lt_fail_sys(err, errno, "cannot read %zu bytes of %s at offset %" PRIu64, len,
                               name, offset);
        if (n == 0)
            return lt_fail(err, LEAT_E_CORRUPT, 0,
                           "%s ends at offset %" PRIu64 ", %zu bytes too early", name, offset, len);
        at += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return LEAT_OK;
}

leat_status lt_pwrite_all(int fd, struct iovec *iov, size_t n, uint64_t offset, const char *name,
                          struct leat_error *err) {
    while (n) {
        int part = n < 1024 ? (int)n : 1024; /* IOV_MAX */
        ssize_t done = lt_journal_io.pwritev(fd, iov, part, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return lt_fail_sys(err, done < 0 ? errno : ENOSPC, "cannot write %s at offset %" PRIu64,
                               name, offset);
        offset += (uint64_t)done;
        while (n && (size_t)done >= iov->iov_len) {
            done -= (ssize_t)iov->iov_len;
            iov++;
            n--;
        }
        if (n && done) {
            iov->iov_base = (char *)iov->iov_base + done;
            iov->iov_len -= (size_t)done;
        }
    }
    return LEAT_OK;
}

leat_status lt_journal_write_file(struct lt_journal *journal, const char *name, const char *data,
                                  size_t len, struct leat_error *err) {
    char tmp[LT_SEGMENT_NAME_BYTES + 8];
    struct iovec iov = {.iov_base = (char *)(uintptr_t)data, .iov_len = len};
    leat_status status;

    snprintf(tmp, sizeof(tmp), "%s.tmp", name);
    int fd = openat(journal->dir_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return lt_fail_sys(err, errno, "cannot make %s/%s", journal->dir, tmp);
    status = lt_pwrite_all(fd, &iov, 1, 0, tmp, err);
    if (status == LEAT_OK && lt_journal_io.fdatasync(fd) != 0)
        status = lt_fail_sys(err, errno, "cannot sync %s/%s", journal->dir, tmp);
    close(fd);
    if (status == LEAT_OK &&
        lt_journal_io.renameat(journal->dir_fd, tmp, journal->dir_fd, name) != 0)
        status = lt_fail_sys(err, errno, "cannot rename %s/%s", journal->dir, tmp);
    if (status != LEAT_OK)
        unlinkat(journal->dir_fd, tmp, 0);
    return status;
}

bool lt_journal_reserve_sealed(struct lt_journal *journal) {
    if (journal->n_sealed < journal->cap_sealed)
        return true;
    size_t cap = journal->cap_sealed ? journal->cap_sealed * 2 : 16;
    struct lt_segment **sealed = reallocarray(journal->sealed, cap, sizeof(struct lt_segment *));
    if (!sealed)
        return false;
    journal->sealed = sealed;
    journal->cap_sealed = cap;
    return true;
}

void lt_journal_add_sealed(struct lt_journal *journal, struct lt_segment *segment) {
    size_t at = journal->n_sealed++;

    while (at && journal->sealed[at - 1]->number > segment->number) {
        journal->sealed[at] = journal->sealed[at - 1];
        at--;
    }
    journal->sealed[at] = segment;
}
