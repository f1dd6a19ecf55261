/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TESTS_JOURNAL_RIG_H
#define LT_TESTS_JOURNAL_RIG_H

/* What the journal's tests share: a folder, appends that wait for the disk, files to damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/journal_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct rig {
    char dir[64];
    struct lt_journal *journal;
    struct lt_journal_options opt;
};

static inline int rig_no_sync(int fd) {
    (void)fd;
    return 0;
}

static inline void rig_init(struct rig *rig) {
    memset(rig, 0, sizeof(*rig));
    bool memory = lt_journal_io.fdatasync != fdatasync && access("/dev/shm", W_OK) == 0;
    strcpy(rig->dir, memory ? "/dev/shm/leat-journal-XXXXXX" : "/tmp/leat-journal-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    rig->opt.dir = rig->dir;
}

static inline leat_status rig_try_open(struct rig *rig, struct leat_error *err) {
    return lt_journal_open(&rig->journal, &rig->opt, err);
}

static inline void rig_open(struct rig *rig) {
    struct leat_error err;
    if (rig_try_open(rig, &err) != LEAT_OK)
        fail_msg("cannot open: %s", err.text);
}

static inline void rig_close(struct rig *rig) {
    lt_journal_close(rig->journal);
    rig->journal = NULL;
}

static inline void rig_deinit(struct rig *rig) {
    rig_close(rig);
    DIR *dir = opendir(rig->dir);
    const struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    assert_int_equal(rmdir(rig->dir), 0);
}

static inline void rig_copy_file(const char *from, const char *to) {
    static char bytes[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
    ssize_t n;
    assert_true(in >= 0 && out >= 0);
    while ((n = read(in, bytes, sizeof(bytes))) > 0)
        assert_int_equal(write(out, bytes, (size_t)n), n);
    assert_int_equal(n, 0);
    close(in);
    close(out);
}

/* Copies the folder as it stands, as a crash would leave it, without closing. */
static inline void rig_snapshot(const struct rig *rig, struct rig *copy) {
    rig_init(copy);
    copy->opt.segment_bytes = rig->opt.segment_bytes;
    copy->opt.group_max_bytes = rig->opt.group_max_bytes;
    DIR *dir = opendir(rig->dir);
    const struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        char from[400], to[400];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(from, sizeof(from), "%s/%s", rig->dir, entry->d_name);
        snprintf(to, sizeof(to), "%s/%s", copy->dir, entry->d_name);
        rig_copy_file(from, to);
    }
    closedir(dir);
}

/* ---- appends that wait ---- */

struct waiter {
    pthread_mutex_t mu;
    pthread_cond_t cond;
    int n_done;
    leat_status status;
    char text[LEAT_ERROR_TEXT_BYTES];
};

static inline void waiter_init(struct waiter *waiter) {
    memset(waiter, 0, sizeof(*waiter));
    pthread_mutex_init(&waiter->mu, NULL);
    pthread_cond_init(&waiter->cond, NULL);
}

static inline void waiter_done(void *ctx, leat_status status, const struct leat_error *err) {
    struct waiter *waiter = ctx;
    pthread_mutex_lock(&waiter->mu);
    waiter->n_done++;
    if (status != LEAT_OK) {
        waiter->status = status;
        snprintf(waiter->text, sizeof(waiter->text), "%s", err->text);
    }
    pthread_cond_broadcast(&waiter->cond);
    pthread_mutex_unlock(&waiter->mu);
}

static inline leat_status waiter_wait(struct waiter *waiter, int n) {
    pthread_mutex_lock(&waiter->mu);
    while (waiter->n_done < n)
        pthread_cond_wait(&waiter->cond, &waiter->mu);
    leat_status status = waiter->status;
    pthread_mutex_unlock(&waiter->mu);
    return status;
}

/* Appends `n` records as one unit and waits until they are on disk or failed. */
static inline leat_status rig_append(struct rig *rig, struct lt_journal_append *records, size_t n,
                                     int64_t *time_ms, struct leat_error *err) {
    struct waiter waiter;
    waiter_init(&waiter);
    leat_status status =
        lt_journal_append(rig->journal, records, n, time_ms, waiter_done, &waiter, err);
    if (status == LEAT_OK)
        status = waiter_wait(&waiter, 1);
    return status;
}

/* A record whose bytes tell shard and number: "SHARD:SEQ:xxxx…", `len` bytes or longer. */
static inline size_t fill_data(char *data, size_t len, uint64_t shard, uint64_t n) {
    size_t head = (size_t)sprintf(data, "%" PRIu64 ":%" PRIu64 ":", shard, n);
    while (head < len) {
        data[head] = (char)('a' + (head * 7 + n) % 26);
        head++;
    }
    data[head] = '\0';
    return head;
}

/* Appends one record and checks its number. */
static inline void rig_put(struct rig *rig, uint64_t shard, uint64_t want_seq, size_t len) {
    char data[70000];
    struct leat_error err;
    struct lt_journal_append record = {.shard = shard, .key = LT_LIT("key")};
    record.data = lt_slice(data, fill_data(data, len, shard, want_seq));
    assert_int_equal(rig_append(rig, &record, 1, NULL, &err), LEAT_OK);
    assert_int_equal(record.seq, want_seq);
}

/* Reads shard from `from` to its end and checks number and bytes of each. Returns how many. */
static inline size_t rig_check(struct rig *rig, uint64_t shard, uint64_t from) {
    struct lt_arena arena;
    struct leat_error err;
    size_t total = 0, n = 1;

    lt_arena_init(&arena, 64 << 20);
    while (n) {
        struct lt_journal_record *records;
        if (lt_journal_read(rig->journal, shard, from, 1000, 1 << 20, &arena, &records, &n, &err) !=
            LEAT_OK)
            fail_msg("shard %" PRIu64 " from %" PRIu64 ": %s", shard, from, err.text);
        for (size_t i = 0; i < n; i++) {
            char want[70000];
            assert_int_equal(records[i].seq, from + i);
            size_t len = fill_data(want, records[i].data.len, shard, records[i].seq);
            assert_int_equal(len, records[i].data.len);
            assert_memory_equal(want, records[i].data.data, len);
        }
        from += n;
        total += n;
        lt_arena_reset(&arena);
    }
    lt_arena_deinit(&arena);
    return total;
}

/* ---- files ---- */

static inline char *rig_path(const struct rig *rig, char out[128], const char *name) {
    snprintf(out, 128, "%s/%s", rig->dir, name);
    return out;
}

static inline off_t rig_size(const struct rig *rig, const char *name) {
    char path[128];
    struct stat st;
    return stat(rig_path(rig, path, name), &st) == 0 ? st.st_size : -1;
}

static inline void rig_truncate(const struct rig *rig, const char *name, off_t len) {
    char path[128];
    assert_int_equal(truncate(rig_path(rig, path, name), len), 0);
}

static inline void rig_unlink(const struct rig *rig, const char *name) {
    char path[128];
    assert_int_equal(unlink(rig_path(rig, path, name)), 0);
}

static inline void rig_write(const struct rig *rig, const char *name, off_t at, const void *bytes,
                             size_t len) {
    char path[128];
    int fd = open(rig_path(rig, path, name), O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}

static inline void rig_flip(const struct rig *rig, const char *name, off_t at) {
    char path[128], byte;
    int fd = open(rig_path(rig, path, name), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 0x10);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

#endif
