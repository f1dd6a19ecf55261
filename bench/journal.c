/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal alone does on this disk: appends of 650-byte records in units of 500, for
 * 1 and 64 shards and 10,000 to 1,000,000 records; then all of it read back, and opened again.
 * usage: bench_journal [FOLDER]   (made and removed; default: under /tmp)
 */
#include "store/journal.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_BYTES = 650, PER_UNIT = 500, IN_FLIGHT = 8 };

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static size_t n_done, n_failed;

static void done(void *ctx, leat_status status, const struct leat_error *err) {
    (void)ctx;
    (void)err;
    pthread_mutex_lock(&mu);
    n_done++;
    n_failed += status != LEAT_OK;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mu);
}

static void wait_until_done(size_t n) {
    pthread_mutex_lock(&mu);
    while (n_done < n)
        pthread_cond_wait(&cond, &mu);
    pthread_mutex_unlock(&mu);
}

/* Kilobytes of a line of /proc/self/status. */
static long proc_kb(const char *what) {
    char line[256];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, what, strlen(what)) == 0)
            kb = strtol(line + strlen(what), NULL, 10);
    if (file)
        fclose(file);
    return kb;
}

static double thread_cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(leat_status status, const struct leat_error *err) {
    if (status == LEAT_OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void append_all(struct lt_journal *journal, size_t n_records, uint64_t n_shards) {
    static char data[RECORD_BYTES];
    struct lt_journal_append unit[PER_UNIT];
    struct leat_error err;

    memset(data, 'x', sizeof(data));
    n_done = n_failed = 0;
    for (size_t i = 0; i < n_records / PER_UNIT; i++) {
        for (size_t k = 0; k < PER_UNIT; k++)
            unit[k] = (struct lt_journal_append){.shard = 1 + (i * PER_UNIT + k * 7) % n_shards,
                                                 .key = LT_LIT("0123456789abcdef"),
                                                 .data = lt_slice(data, sizeof(data))};
        must(lt_journal_append(journal, unit, PER_UNIT, NULL, done, NULL, &err), &err);
        if (i >= IN_FLIGHT)
            wait_until_done(i - IN_FLIGHT);
    }
    wait_until_done(n_records / PER_UNIT);
}

static size_t read_all(struct lt_journal *journal, uint64_t n_shards) {
    struct lt_arena arena;
    struct leat_error err;
    size_t total = 0;

    lt_arena_init(&arena, 64 << 20);
    for (uint64_t shard = 1; shard <= n_shards; shard++) {
        uint64_t from = 1;
        for (size_t n = 1; n; from += n, total += n) {
            struct lt_journal_record *records;
            lt_arena_reset(&arena);
            must(lt_journal_read(journal, shard, from, 10000, 1 << 20, &arena, &records, &n, &err),
                 &err);
        }
    }
    lt_arena_deinit(&arena);
    return total;
}

static void measure(const char *dir, size_t n_records, uint64_t n_shards) {
    struct lt_journal_options opt = {.dir = dir};
    struct lt_journal *journal;
    struct leat_error err;
    const double mb = (double)n_records * RECORD_BYTES / 1e6;

    must(lt_journal_open(&journal, &opt, &err), &err);
    double cpu = thread_cpu();
    int64_t start = lt_clock_mono_us();
    append_all(journal, n_records, n_shards);
    double put = (double)(lt_clock_mono_us() - start) / 1e6;
    cpu = thread_cpu() - cpu;
    start = lt_clock_mono_us();
    size_t n_read = read_all(journal, n_shards);
    double got = (double)(lt_clock_mono_us() - start) / 1e6;
    long rss = proc_kb("VmRSS:"), data = proc_kb("RssAnon:");
    lt_journal_close(journal);
    start = lt_clock_mono_us();
    must(lt_journal_open(&journal, &opt, &err), &err);
    double reopen = (double)(lt_clock_mono_us() - start) / 1e3;
    lt_journal_close(journal);
    printf("%9zu records %3d shards: put %6.0f MB/s (%5.0f MB/s a core), read %6.0f MB/s, "
           "open %6.1f ms, resident %4.1f MB (anonymous %4.1f MB)%s\n",
           n_records, (int)n_shards, mb / put, mb / cpu, mb / got, reopen, (double)rss / 1024,
           (double)data / 1024, n_read == n_records && !n_failed ? "" : "  RECORDS MISSING");
    fflush(stdout);
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {10000, 100000, 1000000};
    static const uint64_t shards[] = {1, 64};
    char base[200] = "/tmp/leat-bench-XXXXXX";

    if (argc > 1)
        snprintf(base, sizeof(base), "%s-XXXXXX", argv[1]);
    if (!mkdtemp(base))
        return 1;
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 2; k++) {
            char dir[256], command[300];
            snprintf(dir, sizeof(dir), "%s/journal", base);
            measure(dir, sizes[i], shards[k]);
            snprintf(command, sizeof(command), "rm -rf '%s'", dir);
            if (system(command) != 0)
                return 1;
        }
    }
    return rmdir(base) != 0;
}
