/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_rig.h"

#include <signal.h>
#include <sys/wait.h>

enum { SHARDS = 5, PRODUCERS = 3, UNITS = 150, PER_UNIT = 10 };

/* ---- many threads at once ---- */

struct crowd {
    struct rig *rig;
    atomic_int n_producing;
    atomic_ullong n_read;
};

/* Appends with several units in flight; each record names its producer and its own count. */
static void *produce(void *arg) {
    struct crowd *crowd = arg;
    struct waiter waiter;
    uint64_t last_seq[SHARDS] = {0};

    waiter_init(&waiter);
    for (int unit = 0; unit < UNITS; unit++) {
        struct lt_journal_append in[PER_UNIT];
        char data[PER_UNIT][400];
        struct leat_error err;
        for (int i = 0; i < PER_UNIT; i++) {
            uint64_t shard = (uint64_t)(unit + i) % SHARDS;
            in[i] = (struct lt_journal_append){.shard = shard, .key = LT_LIT("key")};
            in[i].data = lt_slice(data[i], fill_data(data[i], 300, shard, (uint64_t)unit));
        }
        leat_status status;
        while ((status = lt_journal_append(crowd->rig->journal, in, PER_UNIT, NULL, waiter_done,
                                           &waiter, &err)) == LEAT_E_THROTTLED)
            usleep(1000);
        assert_int_equal(status, LEAT_OK);
        for (int i = 0; i < PER_UNIT; i++) { /* a producer's own records rise in each shard */
            assert_true(in[i].seq > last_seq[in[i].shard]);
            last_seq[in[i].shard] = in[i].seq;
        }
        if (unit > 8)
            waiter_wait(&waiter, unit - 8);
    }
    assert_int_equal(waiter_wait(&waiter, UNITS), LEAT_OK);
    atomic_fetch_sub(&crowd->n_producing, 1);
    return NULL;
}

/* Follows a shard to its end: numbers without a gap, and only whole records. */
static void *follow(void *arg) {
    struct crowd *crowd = arg;
    static atomic_int next_shard;
    uint64_t shard = (uint64_t)atomic_fetch_add(&next_shard, 1) % SHARDS, from = 1;
    struct lt_arena arena;
    bool last = false;

    lt_arena_init(&arena, 16 << 20);
    for (;;) {
        struct lt_journal_record *records;
        struct leat_error err;
        size_t n;
        assert_int_equal(lt_journal_read(crowd->rig->journal, shard, from, 100, 1 << 16, &arena,
                                         &records, &n, &err),
                         LEAT_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(records[i].seq, from + i);
            assert_true(records[i].data.len >= 300);
        }
        from += n;
        atomic_fetch_add(&crowd->n_read, n);
        lt_arena_reset(&arena);
        if (!n && last)
            break;
        last = !n && atomic_load(&crowd->n_producing) == 0;
        if (!n)
            usleep(500);
    }
    lt_arena_deinit(&arena);
    return NULL;
}

static void ignore_wake(void *ctx) {
    atomic_fetch_add((atomic_int *)ctx, 1);
}

/* Everything else that may be asked meanwhile. */
static void *meddle(void *arg) {
    struct crowd *crowd = arg;
    struct lt_journal *journal = crowd->rig->journal;
    atomic_int wakes = 0;

    while (atomic_load(&crowd->n_producing)) {
        struct leat_error err;
        struct lt_journal_shard at;
        uint64_t seq;
        int64_t time_ms;
        assert_int_equal(lt_journal_watch(journal, ignore_wake, &wakes, &err), LEAT_OK);
        for (uint64_t shard = 0; shard < SHARDS; shard++) {
            lt_journal_stat(journal, shard, &at);
            if (at.next == at.first)
                continue;
            assert_int_equal(lt_journal_seek_time(journal, shard, at.last_time_ms, &seq, &err),
                             LEAT_OK);
            assert_int_equal(lt_journal_time_of(journal, shard, at.next - 1, &time_ms, &err),
                             LEAT_OK);
        }
        lt_journal_forget(journal, 1000);
        assert_int_equal(lt_journal_collect(journal, &err), LEAT_OK);
        (void)lt_journal_disk_bytes(journal);
        lt_journal_unwatch(journal, &wakes);
        usleep(1000);
    }
    return NULL;
}

static void appends_and_reads_of_many_threads_neither_lose_nor_tear_anything(void **state) {
    struct rig rig;
    struct crowd crowd = {.rig = &rig, .n_producing = PRODUCERS};
    pthread_t threads[PRODUCERS + SHARDS + 1];
    int n = 0;

    (void)state;
    rig_init(&rig);
    rig.opt.segment_bytes = 200000;
    rig.opt.group_max_bytes = 30000;
    rig_open(&rig);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[n++], NULL, produce, &crowd), 0);
    for (int i = 0; i < SHARDS; i++)
        assert_int_equal(pthread_create(&threads[n++], NULL, follow, &crowd), 0);
    assert_int_equal(pthread_create(&threads[n++], NULL, meddle, &crowd), 0);
    while (n)
        pthread_join(threads[--n], NULL);
    assert_int_equal(atomic_load(&crowd.n_read), PRODUCERS * UNITS * PER_UNIT);
    rig_deinit(&rig);
}

/* While a reader reads from the start, all is trimmed and collected under it. */
static void *trim_on(void *arg) {
    struct rig *rig = arg;

    for (int i = 0; i < 60; i++) {
        struct lt_journal_shard at;
        struct leat_error err;
        int64_t time_ms;
        lt_journal_stat(rig->journal, 1, &at);
        if (lt_journal_time_of(rig->journal, 1, at.first + (at.next - at.first) / 8, &time_ms,
                               &err) == LEAT_OK)
            lt_journal_trim(rig->journal, 1, time_ms);
        assert_int_equal(lt_journal_collect(rig->journal, &err), LEAT_OK);
    }
    return NULL;
}

static void reads_go_on_while_segments_are_trimmed_and_written_together(void **state) {
    struct rig rig;
    struct lt_arena arena;
    pthread_t thread;

    (void)state;
    rig_init(&rig);
    rig.opt.segment_bytes = 10000;
    rig_open(&rig);
    for (uint64_t i = 1; i <= 300; i++) {
        rig_put(&rig, 1, i, 300);
        rig_put(&rig, 2, i, 15);
    }
    lt_arena_init(&arena, 1 << 20);
    assert_int_equal(pthread_create(&thread, NULL, trim_on, &rig), 0);
    for (int round = 0; round < 200; round++) {
        struct lt_journal_record *records;
        struct leat_error err;
        size_t n;
        leat_status status =
            lt_journal_read(rig.journal, 1, 1, 50, 1 << 20, &arena, &records, &n, &err);
        if (status != LEAT_OK)
            fail_msg("%s", err.text);
        for (size_t i = 1; i < n; i++)
            assert_int_equal(records[i].seq, records[0].seq + i);
        assert_int_equal(rig_check(&rig, 2, 1), 300);
        lt_arena_reset(&arena);
    }
    pthread_join(thread, NULL);
    lt_arena_deinit(&arena);
    rig_deinit(&rig);
}

/* ---- kill -9 ---- */

struct ack {
    uint64_t shard;
    uint64_t seq;
};

/* Two records of one unit, and where to tell that they are safe. */
struct told {
    struct ack acks[2];
    int pipe;
};
static pthread_mutex_t told_mu = PTHREAD_MUTEX_INITIALIZER; /* held until the numbers are known */

static void tell(void *ctx, leat_status status, const struct leat_error *err) {
    struct told *told = ctx;
    (void)err;
    pthread_mutex_lock(&told_mu);
    if (status == LEAT_OK && write(told->pipe, told->acks, sizeof(told->acks)) < 0)
        _exit(3);
    pthread_mutex_unlock(&told_mu);
    free(told);
}

/* Appends for ever, in units over two shards, and tells the pipe what was acknowledged. */
static void append_until_killed(struct rig *rig, int pipe) {
    rig_open(rig);
    for (uint64_t unit = 0;; unit++) {
        struct lt_journal_append in[2];
        char data[2][3000];
        struct told *told = calloc(1, sizeof(*told));
        struct leat_error err;
        for (uint64_t i = 0; i < 2; i++) {
            uint64_t shard = (unit + i) % 3;
            size_t len = fill_data(data[i], 20 + (unit * 37) % 2500, shard, unit);
            in[i] = (struct lt_journal_append){
                .shard = shard, .key = LT_LIT("key"), .data = lt_slice(data[i], len)};
        }
        told->pipe = pipe;
        pthread_mutex_lock(&told_mu);
        leat_status status = lt_journal_append(rig->journal, in, 2, NULL, tell, told, &err);
        for (int i = 0; i < 2; i++)
            told->acks[i] = (struct ack){in[i].shard, in[i].seq};
        pthread_mutex_unlock(&told_mu);
        if (status != LEAT_OK) {
            free(told);
            usleep(200);
        }
    }
}

static int64_t read_acks(int fd, uint64_t acked[3]) {
    struct ack acks[512];
    int64_t n_acks = 0;
    ssize_t n;

    while ((n = read(fd, acks, sizeof(acks))) > 0)
        for (size_t i = 0; i < (size_t)n / sizeof(*acks); i++, n_acks++)
            if (acks[i].seq > acked[acks[i].shard])
                acked[acks[i].shard] = acks[i].seq;
    return n_acks;
}

static void kill_9_at_any_moment_loses_no_acknowledged_record(void **state) {
    struct rig rig;
    uint64_t acked[3] = {0};
    int64_t n_acks = 0;

    (void)state;
    rig_init(&rig);
    rig.opt.segment_bytes = 300000;
    rig.opt.group_max_bytes = 60000;
    srand(1);
    for (int round = 0; round < 40; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        if (child == 0) {
            close(fds[0]);
            append_until_killed(&rig, fds[1]);
            _exit(0);
        }
        close(fds[1]);
        /* a full pipe would hold the child up: read while it runs */
        struct timespec nap = {0, (5 + rand() % 40) * 1000000};
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        for (int i = 0; i < 4; i++) {
            struct timespec part = {0, nap.tv_nsec / 4};
            nanosleep(&part, NULL);
            n_acks += read_acks(fds[0], acked);
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        n_acks += read_acks(fds[0], acked);
        close(fds[0]);

        rig_open(&rig);
        for (uint64_t shard = 0; shard < 3; shard++) {
            struct lt_journal_shard at;
            struct lt_arena arena;
            uint64_t from = round % 5 ? acked[shard] : 1;
            size_t n = 1;
            lt_journal_stat(rig.journal, shard, &at);
            if (at.next <= acked[shard])
                fail_msg("round %d: shard %d ends at %d, but %d was acknowledged", round,
                         (int)shard, (int)at.next - 1, (int)acked[shard]);
            lt_arena_init(&arena, 64 << 20);
            for (from = from ? from : 1; n;) {
                struct lt_journal_record *records;
                struct leat_error err;
                assert_int_equal(lt_journal_read(rig.journal, shard, from, 10000, 16 << 20, &arena,
                                                 &records, &n, &err),
                                 LEAT_OK);
                from += n;
                lt_arena_reset(&arena);
            }
            assert_int_equal(from, at.next);
            lt_arena_deinit(&arena);
        }
        rig_close(&rig);
    }
    assert_true(n_acks > 100);
    rig_deinit(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        /* first, while there is one thread only: it forks */
        cmocka_unit_test(kill_9_at_any_moment_loses_no_acknowledged_record),
        cmocka_unit_test(appends_and_reads_of_many_threads_neither_lose_nor_tear_anything),
        cmocka_unit_test(reads_go_on_while_segments_are_trimmed_and_written_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
