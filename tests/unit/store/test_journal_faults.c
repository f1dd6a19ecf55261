/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_rig.h"

#include <errno.h>

/* The Nth call that changes a file fails, once or from then on, counted over all of them. */
static struct {
    atomic_int n_calls;
    int fail_from, fail_until;
    int error;
    atomic_int n_failed;
} fault;

static bool fails_now(void) {
    int n = atomic_fetch_add(&fault.n_calls, 1);
    if (n < fault.fail_from || n >= fault.fail_until)
        return false;
    atomic_fetch_add(&fault.n_failed, 1);
    errno = fault.error;
    return true;
}

static ssize_t faulty_pwritev(int fd, const struct iovec *iov, int n, off_t offset) {
    if (!fails_now())
        return pwritev(fd, iov, n, offset);
    if (n < 2)
        return -1;
    (void)!pwritev(fd, iov, n / 2, offset); /* some of it arrived */
    errno = fault.error;
    return -1;
}

static int faulty_fdatasync(int fd) {
    (void)fd;
    return fails_now() ? -1 : 0;
}

static int faulty_ftruncate(int fd, off_t len) {
    return fails_now() ? -1 : ftruncate(fd, len);
}

static int faulty_fallocate(int fd, int mode, off_t offset, off_t len) {
    return fails_now() ? -1 : fallocate(fd, mode, offset, len);
}

static int faulty_renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return fails_now() ? -1 : renameat(from_dir, from, to_dir, to);
}

static void set_fault(int from, int until, int error) {
    atomic_store(&fault.n_calls, 0);
    atomic_store(&fault.n_failed, 0);
    fault.fail_from = from;
    fault.fail_until = until;
    fault.error = error;
}

enum { SHARDS = 2, ROUNDS = 14 };

/* What was acknowledged, by shard: the numbers must stay dense, whatever failed. */
struct told {
    uint64_t n[SHARDS];
    int n_failed;
};

/* Appends one unit of a record a shard, then checks what stands there. */
static void put_round(struct rig *rig, struct told *told) {
    struct lt_journal_append in[SHARDS];
    char data[SHARDS][700];
    struct leat_error err;

    for (uint64_t shard = 0; shard < SHARDS; shard++) {
        in[shard] = (struct lt_journal_append){.shard = shard, .key = LT_LIT("key")};
        in[shard].data =
            lt_slice(data[shard], fill_data(data[shard], 600, shard, told->n[shard] + 1));
    }
    leat_status status = rig_append(rig, in, SHARDS, NULL, &err);
    for (uint64_t shard = 0; shard < SHARDS; shard++) {
        struct lt_journal_shard at;
        assert_int_equal(in[shard].seq, told->n[shard] + 1);
        if (status == LEAT_OK)
            told->n[shard]++;
        lt_journal_stat(rig->journal, shard, &at);
        assert_int_equal(at.next, told->n[shard] + 1);
    }
    told->n_failed += status != LEAT_OK;
}

static void check_told(struct rig *rig, const struct told *told) {
    for (uint64_t shard = 0; shard < SHARDS; shard++)
        assert_int_equal(rig_check(rig, shard, 1), told->n[shard]);
}

/* After a crash there may be one unit more than was told: it was written, and its sync failed. */
static void check_crashed(struct rig *rig, const struct told *told) {
    struct rig crashed;
    struct leat_error err;

    rig_snapshot(rig, &crashed);
    if (rig_try_open(&crashed, &err) != LEAT_OK)
        fail_msg("after failing call %d..%d: %s", fault.fail_from, fault.fail_until, err.text);
    uint64_t more = rig_check(&crashed, 0, 1) - told->n[0];
    assert_in_range(more, 0, 1);
    for (uint64_t shard = 0; shard < SHARDS; shard++)
        assert_int_equal(rig_check(&crashed, shard, 1), told->n[shard] + more);
    rig_deinit(&crashed);
}

/* A whole life with segments that roll; returns how many calls were made. */
static int live(int from, int until, int error, bool *some_failed) {
    struct rig rig;
    struct told told = {{0}, 0};

    rig_init(&rig);
    rig.opt.segment_bytes = 5000;
    set_fault(from, until, error);
    rig_open(&rig);
    for (int i = 0; i < ROUNDS; i++)
        put_round(&rig, &told);
    set_fault(INT32_MAX, INT32_MAX, 0);
    check_crashed(&rig, &told);
    set_fault(from, until, error);
    int n_calls = atomic_load(&fault.n_calls);
    set_fault(INT32_MAX, INT32_MAX, 0);
    put_round(&rig, &told); /* with the fault gone it works again */
    if (told.n[0] == 0)
        fail_msg("nothing could be appended after the fault at %d", from);
    check_told(&rig, &told);
    check_crashed(&rig, &told);
    rig_close(&rig);
    rig_open(&rig);
    check_told(&rig, &told);
    put_round(&rig, &told);
    check_told(&rig, &told);
    *some_failed = told.n_failed > 0;
    rig_deinit(&rig);
    return n_calls;
}

static int count_calls(void) {
    struct rig rig;
    struct told told = {{0}, 0};

    rig_init(&rig);
    rig.opt.segment_bytes = 5000;
    set_fault(INT32_MAX, INT32_MAX, 0);
    rig_open(&rig);
    for (int i = 0; i < ROUNDS; i++)
        put_round(&rig, &told);
    int n = atomic_load(&fault.n_calls);
    rig_deinit(&rig);
    return n;
}

static void any_one_failing_call_fails_at_most_its_group_and_numbers_stay_dense(void **state) {
    int n = count_calls(), n_felt = 0;

    (void)state;
    assert_in_range(n, 2 * ROUNDS, 10 * ROUNDS);
    for (int i = 0; i < n; i++) {
        bool felt;
        live(i, i + 1, i % 2 ? EIO : ENOSPC, &felt);
        n_felt += felt;
    }
    assert_in_range(n_felt, ROUNDS, n); /* at least each write and each sync */
}

static void several_failing_calls_in_a_row_do_not_confuse_it(void **state) {
    int n = count_calls();
    bool felt;

    (void)state;
    for (int width = 2; width <= 5; width++)
        for (int i = 0; i < n; i++)
            live(i, i + width, EIO, &felt);
}

static void a_full_disk_fails_appends_with_its_reason_until_there_is_room(void **state) {
    struct rig rig;
    struct told told = {{0}, 0};
    struct leat_error err;
    struct waiter waiter;
    struct lt_journal_append in = {.shard = 0, .data = LT_LIT("x")};

    (void)state;
    rig_init(&rig);
    set_fault(INT32_MAX, INT32_MAX, 0);
    rig_open(&rig);
    put_round(&rig, &told);
    set_fault(0, INT32_MAX, ENOSPC);
    for (int i = 0; i < 5; i++) {
        waiter_init(&waiter);
        assert_int_equal(lt_journal_append(rig.journal, &in, 1, NULL, waiter_done, &waiter, &err),
                         LEAT_OK);
        assert_int_equal(waiter_wait(&waiter, 1), LEAT_E_FULL);
        assert_non_null(strstr(waiter.text, "No space left"));
    }
    check_told(&rig, &told);
    set_fault(INT32_MAX, INT32_MAX, 0);
    put_round(&rig, &told);
    check_told(&rig, &told);
    rig_deinit(&rig);
}

static void after_a_failed_sync_the_segment_is_never_written_again(void **state) {
    struct rig rig;
    struct told told = {{0}, 0};

    (void)state;
    rig_init(&rig);
    set_fault(INT32_MAX, INT32_MAX, 0);
    rig_open(&rig);
    put_round(&rig, &told);
    off_t len = (off_t)rig.journal->active->len;
    set_fault(1, 2, EIO); /* the write, then the sync */
    put_round(&rig, &told);
    assert_int_equal(told.n_failed, 1);
    set_fault(INT32_MAX, INT32_MAX, 0);
    put_round(&rig, &told);
    assert_int_equal(rig.journal->n_sealed, 1);
    assert_int_equal(rig_size(&rig, "000000000001.log"), len);
    check_told(&rig, &told);
    check_crashed(&rig, &told);
    rig_deinit(&rig);
}

/* ---- what gathered behind a failed group fails with it ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int gated_fdatasync(int fd) {
    (void)fd;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return fails_now() ? -1 : 0;
}

static void appends_behind_a_failed_group_fail_too_and_give_their_numbers_back(void **state) {
    struct rig rig;
    struct leat_error err;
    struct waiter waiter;
    struct lt_journal_append in = {.shard = 0, .data = LT_LIT("x")};

    (void)state;
    waiter_init(&waiter);
    rig_init(&rig);
    lt_journal_io.fdatasync = gated_fdatasync;
    set_fault(INT32_MAX, INT32_MAX, 0);
    rig_open(&rig);
    pthread_mutex_lock(&gate);
    set_fault(2, INT32_MAX, EIO); /* room and write are fine, the sync is not */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(lt_journal_append(rig.journal, &in, 1, NULL, waiter_done, &waiter, &err),
                         LEAT_OK);
        assert_int_equal(in.seq, i + 1);
        if (i == 0)
            usleep(30000);
    }
    pthread_mutex_unlock(&gate);
    assert_int_equal(waiter_wait(&waiter, 10), LEAT_E_IO);
    set_fault(INT32_MAX, INT32_MAX, 0);
    lt_journal_io.fdatasync = faulty_fdatasync;
    rig_put(&rig, 0, 1, 20);
    assert_int_equal(rig_check(&rig, 0, 1), 1);
    rig_deinit(&rig);
}

/* ---- collecting ---- */

enum { KEPT = 7, N_KEPT = 60 };

/* Segments of which most is trimmed or forgotten; a small shard is kept whole. */
static void make_mostly_dead(struct rig *rig, uint64_t *first, uint64_t *next) {
    struct leat_error err;
    struct told told = {{0}, 0};
    int64_t time_ms;

    rig_init(rig);
    rig->opt.segment_bytes = 20000;
    rig_open(rig);
    for (uint64_t i = 1; i <= N_KEPT; i++) {
        if (i == 58)
            usleep(5000);
        put_round(rig, &told);
        rig_put(rig, KEPT, i, 20);
    }
    assert_int_equal(lt_journal_time_of(rig->journal, 0, 58, &time_ms, &err), LEAT_OK);
    lt_journal_trim(rig->journal, 0, time_ms);
    lt_journal_forget(rig->journal, 1);
    *first = 58;
    *next = told.n[0] + 1;
}

static void check_kept(struct rig *rig, uint64_t first, uint64_t next) {
    assert_int_equal(rig_check(rig, 0, first), next - first);
    assert_int_equal(rig_check(rig, KEPT, 1), N_KEPT);
}

static void any_failing_call_of_a_collect_loses_nothing_and_the_next_one_succeeds(void **state) {
    bool felt = true;
    int i = 0;

    (void)state;
    for (; felt; i++) {
        struct rig rig, crashed;
        struct leat_error err;
        uint64_t first, next;

        set_fault(INT32_MAX, INT32_MAX, 0);
        make_mostly_dead(&rig, &first, &next);
        set_fault(i, i + 1, EIO);
        leat_status status = lt_journal_collect(rig.journal, &err);
        felt = atomic_load(&fault.n_failed) > 0;
        set_fault(INT32_MAX, INT32_MAX, 0);
        assert_true(status == LEAT_OK || status == LEAT_E_IO);
        check_kept(&rig, first, next);
        rig_snapshot(&rig, &crashed);
        rig_open(&crashed);
        check_kept(&crashed, first, next);
        rig_deinit(&crashed);
        assert_int_equal(lt_journal_collect(rig.journal, &err), LEAT_OK);
        check_kept(&rig, first, next);
        rig_close(&rig);
        rig_open(&rig);
        check_kept(&rig, first, next);
        assert_int_equal(rig_check(&rig, 1, 1), 0);
        rig_deinit(&rig);
    }
    assert_in_range(i, 10, 200);
}

int main(void) {
    lt_journal_io = (struct lt_journal_io){.pwritev = faulty_pwritev,
                                           .fdatasync = faulty_fdatasync,
                                           .fsync = faulty_fdatasync,
                                           .ftruncate = faulty_ftruncate,
                                           .fallocate = faulty_fallocate,
                                           .renameat = faulty_renameat};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_failing_call_fails_at_most_its_group_and_numbers_stay_dense),
        cmocka_unit_test(several_failing_calls_in_a_row_do_not_confuse_it),
        cmocka_unit_test(a_full_disk_fails_appends_with_its_reason_until_there_is_room),
        cmocka_unit_test(after_a_failed_sync_the_segment_is_never_written_again),
        cmocka_unit_test(appends_behind_a_failed_group_fail_too_and_give_their_numbers_back),
        cmocka_unit_test(any_failing_call_of_a_collect_loses_nothing_and_the_next_one_succeeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
