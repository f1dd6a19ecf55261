/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue of streams over a real journal and state, and records in and out of it. */
#include "base/clock.h"
#include "base/hash.h"
#include "engine/streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

struct place {
    char dir[64];
    struct lt_state *state;
    struct lt_journal *journal;
    struct lt_streams *streams;
    struct lt_arena arena;
    struct leat_error err;
};

static void open_place(struct place *p) {
    char path[128];
    struct lt_journal_options options = {.dir = path};

    snprintf(path, sizeof(path), "%s/state.db", p->dir);
    assert_int_equal(lt_state_open(&p->state, path, &p->err), LEAT_OK);
    snprintf(path, sizeof(path), "%s/journal", p->dir);
    assert_int_equal(lt_journal_open(&p->journal, &options, &p->err), LEAT_OK);
    assert_int_equal(lt_streams_open(&p->streams, p->state, p->journal, &p->err), LEAT_OK);
    lt_arena_init(&p->arena, 64 << 20);
}

static void close_place(struct place *p) {
    lt_streams_close(p->streams);
    lt_journal_close(p->journal);
    lt_state_close(p->state);
    lt_arena_deinit(&p->arena);
}

static void reopen(struct place *p) {
    close_place(p);
    open_place(p);
}

static int set_up(void **state) {
    struct place *p = calloc(1, sizeof(*p));

    strcpy(p->dir, "/tmp/leat-streams-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    open_place(p);
    *state = p;
    return 0;
}

static int tear_down(void **state) {
    struct place *p = *state;
    char command[128];

    close_place(p);
    snprintf(command, sizeof(command), "rm -rf %s", p->dir);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static void create(struct place *p, const char *name, unsigned n_shards) {
    assert_int_equal(lt_streams_create(p->streams, name, n_shards, false, false, 0, &p->err),
                     LEAT_OK);
}

struct wait {
    uv_sem_t done;
    leat_status status;
};

static void on_done(void *ctx, leat_status status, const struct leat_error *err) {
    struct wait *wait = ctx;
    (void)err;
    wait->status = status;
    uv_sem_post(&wait->done);
}

/* Puts and waits for the disk. */
static leat_status put(struct place *p, const char *name, struct lt_streams_put *records,
                       size_t n) {
    struct wait wait;
    leat_status status;

    uv_sem_init(&wait.done, 0);
    status = lt_streams_put(p->streams, name, records, n, on_done, &wait, &p->err);
    if (status == LEAT_OK) {
        uv_sem_wait(&wait.done);
        status = wait.status;
    }
    uv_sem_destroy(&wait.done);
    return status;
}

static struct lt_streams_put record(const char *key, const char *hash, const char *data) {
    return (struct lt_streams_put){
        .key = lt_slice_str(key), .hash = lt_slice_str(hash), .data = lt_slice_str(data)};
}

static struct lt_streams_shard shard(struct place *p, const char *name, unsigned index) {
    struct lt_streams_shard out;
    assert_int_equal(lt_streams_shard(p->streams, name, index, &out, &p->err), LEAT_OK);
    return out;
}

static size_t count_records(struct place *p, const char *name, unsigned index) {
    struct lt_streams_shard of = shard(p, name, index);
    struct lt_streams_batch batch;
    assert_int_equal(
        lt_streams_read(p->streams, name, &of, 1, 10000, 1 << 20, &p->arena, &batch, &p->err),
        LEAT_OK);
    return batch.n;
}

static void an_empty_catalogue_writes_nothing(void **state) {
    struct place *p = *state;
    char path[128];

    snprintf(path, sizeof(path), "%s/state.db", p->dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void retention_is_set_within_its_bounds_and_survives_a_restart(void **state) {
    struct place *p = *state;
    struct lt_streams_info info;

    create(p, "a", 1);
    assert_int_equal(lt_streams_set_retention(p->streams, "a", 23, &p->err), LEAT_E_INVALID);
    assert_int_equal(lt_streams_set_retention(p->streams, "a", 8761, &p->err), LEAT_E_INVALID);
    assert_int_equal(lt_streams_set_retention(p->streams, "b", 48, &p->err), LEAT_E_NOT_FOUND);
    assert_int_equal(lt_streams_set_retention(p->streams, "a", 8760, &p->err), LEAT_OK);
    assert_int_equal(lt_streams_set_retention(p->streams, "a", 48, &p->err), LEAT_OK);
    reopen(p);
    assert_int_equal(lt_streams_info(p->streams, "a", &info, &p->err), LEAT_OK);
    assert_int_equal(info.retention_hours, 48);
    assert_int_equal(info.n_open_shards, 1);
}

static void streams_are_there_after_a_restart(void **state) {
    struct place *p = *state;
    struct lt_streams_shard *before, *after;
    struct lt_streams_info info;
    size_t n, n_after;

    create(p, "b", 7);
    create(p, "a", 1);
    assert_int_equal(lt_streams_create(p->streams, "h", 4, true, true, 10 << 20, &p->err), LEAT_OK);
    assert_int_equal(lt_streams_shards(p->streams, "b", &p->arena, &before, &n, &p->err), LEAT_OK);
    struct lt_streams_shard kept[7];
    memcpy(kept, before, sizeof(kept));
    reopen(p);
    assert_int_equal(lt_streams_shards(p->streams, "b", &p->arena, &after, &n_after, &p->err),
                     LEAT_OK);
    assert_int_equal(n_after, 7);
    for (size_t i = 0; i < n_after; i++) {
        assert_true(after[i].uid == kept[i].uid && after[i].hash_first == kept[i].hash_first &&
                    after[i].hash_last == kept[i].hash_last && after[i].index == i);
        assert_int_equal(after[i].parent, -1);
    }
    assert_int_equal(lt_streams_info(p->streams, "h", &info, &p->err), LEAT_OK);
    assert_true(info.hidden && info.on_demand);
    assert_int_equal(info.max_record_bytes, 10 << 20);
    assert_int_equal(info.n_open_shards, 4);
    assert_int_equal(info.retention_hours, 24);
    assert_int_equal(lt_streams_count_shards(p->streams), 12);
}

static void names_are_listed_in_order_without_the_hidden(void **state) {
    struct place *p = *state;
    const char **names;
    size_t n;
    bool more;

    create(p, "c", 1);
    create(p, "a", 1);
    assert_int_equal(lt_streams_create(p->streams, "b", 1, true, false, 0, &p->err), LEAT_OK);
    assert_int_equal(
        lt_streams_list(p->streams, NULL, false, 10, &p->arena, &names, &n, &more, &p->err),
        LEAT_OK);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "c");
    assert_false(more);
    assert_int_equal(
        lt_streams_list(p->streams, NULL, true, 2, &p->arena, &names, &n, &more, &p->err), LEAT_OK);
    assert_int_equal(n, 2);
    assert_string_equal(names[1], "b");
    assert_true(more);
    /* After a name that is not there. */
    assert_int_equal(
        lt_streams_list(p->streams, "aa", true, 9, &p->arena, &names, &n, &more, &p->err), LEAT_OK);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "b");
}

static void what_cannot_be_created_is_refused(void **state) {
    struct place *p = *state;
    char name[140];

    create(p, "a", 1);
    assert_int_equal(lt_streams_create(p->streams, "a", 1, false, false, 0, &p->err),
                     LEAT_E_EXISTS);
    assert_string_equal(p->err.code, "ResourceInUseException");
    assert_int_equal(lt_streams_create(p->streams, "", 1, false, false, 0, &p->err),
                     LEAT_E_INVALID);
    assert_int_equal(lt_streams_create(p->streams, "z", 0, false, false, 0, &p->err),
                     LEAT_E_INVALID);
    assert_int_equal(lt_streams_create(p->streams, "z", 30000, false, false, 0, &p->err),
                     LEAT_E_LIMIT);
    memset(name, 'n', 129);
    name[129] = 0;
    assert_int_equal(lt_streams_create(p->streams, name, 1, false, false, 0, &p->err),
                     LEAT_E_INVALID);
    assert_int_equal(lt_streams_remove(p->streams, "z", &p->err), LEAT_E_NOT_FOUND);
    assert_int_equal(lt_streams_count_shards(p->streams), 1);
}

static void a_uid_is_never_used_twice(void **state) {
    struct place *p = *state;
    uint64_t uid;

    create(p, "a", 3);
    uid = shard(p, "a", 2).uid;
    assert_int_equal(lt_streams_remove(p->streams, "a", &p->err), LEAT_OK);
    reopen(p);
    create(p, "a", 1);
    assert_true(shard(p, "a", 0).uid > uid);
}

static void records_go_where_their_hash_says(void **state) {
    struct place *p = *state;
    struct lt_streams_put records[3 + 32];
    char keys[32][16];

    create(p, "a", 5);
    records[0] = record("k", "0", "first");
    records[1] = record("k", "340282366920938463463374607431768211455", "last");
    records[2] = record("k", "", "by its key");
    for (int i = 0; i < 32; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key %d", i);
        records[3 + i] = record(keys[i], "", keys[i]);
    }
    assert_int_equal(put(p, "a", records, 35), LEAT_OK);
    assert_int_equal(records[0].shard_index, 0);
    assert_int_equal(records[1].shard_index, 4);
    for (int i = 0; i < 32; i++) {
        unsigned __int128 key = 0;
        uint8_t md5[LT_MD5_BYTES];

        lt_md5(records[3 + i].key, md5);
        for (unsigned b = 0; b < sizeof(md5); b++)
            key = key << 8 | md5[b];
        struct lt_streams_shard of = shard(p, "a", records[3 + i].shard_index);
        assert_true(key >= of.hash_first && key <= of.hash_last);
        assert_true(records[3 + i].shard_uid == of.uid);
    }
    size_t n = 0;
    for (unsigned i = 0; i < 5; i++)
        n += count_records(p, "a", i);
    assert_int_equal(n, 35);
}

static void a_hash_beyond_128_bits_refuses_the_put(void **state) {
    struct place *p = *state;
    struct lt_streams_put records[2] = {
        record("k", "", "good"), record("k", "340282366920938463463374607431768211456", "bad")};

    create(p, "a", 1);
    assert_int_equal(put(p, "a", records, 2), LEAT_E_INVALID);
    assert_string_equal(p->err.code, "InvalidArgumentException");
    assert_int_equal(count_records(p, "a", 0), 0);
}

static void a_read_tells_how_far_behind_it_is(void **state) {
    struct place *p = *state;
    struct lt_streams_put records[3] = {record("k", "", "1"), record("k", "", "2"),
                                        record("k", "", "3")};
    struct lt_streams_batch batch;
    struct lt_streams_shard of;

    create(p, "a", 1);
    of = shard(p, "a", 0);
    assert_int_equal(put(p, "a", records, 3), LEAT_OK);
    assert_int_equal(
        lt_streams_read(p->streams, "a", &of, 1, 2, 1 << 20, &p->arena, &batch, &p->err), LEAT_OK);
    assert_int_equal(batch.n, 2);
    assert_true(batch.behind_ms > 0);
    assert_int_equal(batch.next, 3);
    assert_false(batch.end);
    assert_int_equal(
        lt_streams_read(p->streams, "a", &of, batch.next, 2, 1 << 20, &p->arena, &batch, &p->err),
        LEAT_OK);
    assert_int_equal(batch.n, 1);
    assert_int_equal(batch.behind_ms, 0);
    assert_int_equal(
        lt_streams_read(p->streams, "a", &of, batch.next, 2, 1 << 20, &p->arena, &batch, &p->err),
        LEAT_OK);
    assert_int_equal(batch.n, 0);
    assert_int_equal(batch.next, 4);
}

static void a_closed_shard_ends_where_it_was_closed(void **state) {
    struct place *p = *state;
    struct lt_streams_put one = record("k", "", "1");
    struct lt_streams_batch batch;
    struct lt_streams_shard of;

    create(p, "a", 1);
    assert_int_equal(put(p, "a", &one, 1), LEAT_OK);
    of = shard(p, "a", 0);
    of.closed = true;
    of.closed_after = 1;
    assert_int_equal(
        lt_streams_read(p->streams, "a", &of, 1, 9, 1 << 20, &p->arena, &batch, &p->err), LEAT_OK);
    assert_true(batch.end && batch.n == 1);
}

static void reading_starts_where_it_is_told(void **state) {
    struct place *p = *state;
    struct lt_streams_put records[2] = {record("k", "", "1"), record("k", "", "2")};
    struct lt_streams_shard of;
    uint64_t first;

    create(p, "a", 1);
    of = shard(p, "a", 0);
    assert_int_equal(put(p, "a", records, 2), LEAT_OK);
    static const struct {
        enum lt_streams_from from;
        uint64_t seq;
        int64_t time_ms;
        uint64_t first;
    } rows[] = {
        {LT_STREAMS_TRIM_HORIZON, 0, 0, 1}, {LT_STREAMS_LATEST, 0, 0, 3},
        {LT_STREAMS_AT_SEQUENCE, 2, 0, 2},  {LT_STREAMS_AFTER_SEQUENCE, 2, 0, 3},
        {LT_STREAMS_AT_TIME, 0, 1, 1},      {LT_STREAMS_AT_TIME, 0, INT64_MAX, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(lt_streams_seek(p->streams, &of, rows[i].from, rows[i].seq,
                                         rows[i].time_ms, &first, &p->err),
                         LEAT_OK);
        assert_int_equal(first, rows[i].first);
    }
}

static void what_was_removed_stays_removed_whatever_is_left_on_disk(void **state) {
    struct place *p = *state;
    struct lt_streams_put one = record("k", "", "1");
    struct lt_journal_shard stat;
    uint64_t uid;

    create(p, "a", 1);
    uid = shard(p, "a", 0).uid;
    assert_int_equal(put(p, "a", &one, 1), LEAT_OK);
    assert_int_equal(lt_streams_remove(p->streams, "a", &p->err), LEAT_OK);
    assert_int_equal(put(p, "a", &one, 1), LEAT_E_NOT_FOUND);
    reopen(p);
    lt_journal_stat(p->journal, uid, &stat);
    assert_true(stat.first == stat.next);
    assert_int_equal(lt_streams_maintain(p->streams, &p->err), LEAT_OK);
    uint64_t n;
    assert_int_equal(lt_state_count(p->state, "forgotten", &n, &p->err), LEAT_OK);
    assert_int_equal(n, 0);
}

static void maintenance_keeps_what_is_within_retention(void **state) {
    struct place *p = *state;
    struct lt_streams_put one = record("k", "", "1");

    create(p, "a", 1);
    assert_int_equal(put(p, "a", &one, 1), LEAT_OK);
    assert_int_equal(lt_streams_maintain(p->streams, &p->err), LEAT_OK);
    assert_int_equal(count_records(p, "a", 0), 1);
    reopen(p);
    assert_int_equal(count_records(p, "a", 0), 1);
}

/* The wall clock is the tests', so that a day can pass. */
static atomic_llong passed_ms;
int64_t __real_lt_clock_wall_ms(void);
int64_t __wrap_lt_clock_wall_ms(void);
int64_t __wrap_lt_clock_wall_ms(void) {
    return __real_lt_clock_wall_ms() + atomic_load(&passed_ms);
}

static void records_age_out_of_their_own_stream_and_numbers_go_on(void **state) {
    const int64_t hour_ms = 3600000;
    struct place *p = *state;
    struct lt_streams_put records[] = {record("k", "", "1"), record("k", "", "2")};
    struct lt_streams_put later = record("k", "", "3");
    struct lt_streams_shard of;
    uint64_t first;

    create(p, "day", 1);
    create(p, "week", 1);
    assert_int_equal(lt_streams_set_retention(p->streams, "week", 168, &p->err), LEAT_OK);
    assert_int_equal(put(p, "day", records, 2), LEAT_OK);
    assert_int_equal(put(p, "week", records, 2), LEAT_OK);
    atomic_store(&passed_ms, 23 * hour_ms);
    assert_int_equal(put(p, "day", &later, 1), LEAT_OK);
    assert_int_equal(lt_streams_maintain(p->streams, &p->err), LEAT_OK);
    assert_int_equal(count_records(p, "day", 0), 3);
    for (int restart = 0; restart < 2; restart++) {
        atomic_store(&passed_ms, 25 * hour_ms);
        assert_int_equal(lt_streams_maintain(p->streams, &p->err), LEAT_OK);
        assert_int_equal(count_records(p, "day", 0), 1);
        assert_int_equal(count_records(p, "week", 0), 2);
        of = shard(p, "day", 0);
        assert_int_equal(
            lt_streams_seek(p->streams, &of, LT_STREAMS_TRIM_HORIZON, 0, 0, &first, &p->err),
            LEAT_OK);
        assert_int_equal(first, 3);
        reopen(p);
    }
    atomic_store(&passed_ms, 200 * hour_ms);
    assert_int_equal(lt_streams_maintain(p->streams, &p->err), LEAT_OK);
    assert_int_equal(count_records(p, "day", 0) + count_records(p, "week", 0), 0);
    assert_int_equal(put(p, "day", &later, 1), LEAT_OK);
    assert_int_equal(later.seq, 4);
    assert_int_equal(count_records(p, "day", 0), 1);
    atomic_store(&passed_ms, 0);
}

static void a_damaged_document_stops_the_start_and_is_named(void **state) {
    struct place *p = *state;
    struct lt_streams *again;
    struct lt_slice body;

    create(p, "a", 1);
    create(p, "b", 2);
    assert_int_equal(lt_state_get(p->state, "stream", LT_LIT("b"), &p->arena, &body, &p->err),
                     LEAT_OK);
    /* Cut anywhere, it is no document. */
    for (size_t len = 0; len < body.len; len += 7) {
        assert_int_equal(
            lt_state_set(p->state, "stream", LT_LIT("b"), lt_slice(body.data, len), &p->err),
            LEAT_OK);
        assert_int_equal(lt_streams_open(&again, p->state, p->journal, &p->err), LEAT_E_CORRUPT);
        assert_null(again);
        assert_non_null(strstr(p->err.text, "stream b"));
    }
    /* Whole, but its shards leave keys out. */
    char *gap = lt_arena_str(&p->arena, body);
    char *last = strstr(gap, "\"first\":\"1");
    assert_non_null(last);
    last[9] = '2';
    assert_int_equal(lt_state_set(p->state, "stream", LT_LIT("b"), lt_slice_str(gap), &p->err),
                     LEAT_OK);
    assert_int_equal(lt_streams_open(&again, p->state, p->journal, &p->err), LEAT_E_CORRUPT);
}

/* Puts from one thread while another creates and removes: nothing is lost, nothing crashes. */
static void churn(void *ctx) {
    struct place *p = ctx;
    struct leat_error err;

    for (int i = 0; i < 20; i++) {
        (void)!lt_streams_create(p->streams, "churn", 2, false, false, 0, &err);
        (void)!lt_streams_remove(p->streams, "churn", &err);
    }
}

static void puts_and_changes_of_the_catalogue_do_not_disturb_each_other(void **state) {
    struct place *p = *state;
    uv_thread_t thread;

    create(p, "a", 2);
    assert_int_equal(uv_thread_create(&thread, churn, p), 0);
    size_t n = 0;
    for (int i = 0; i < 60; i++) {
        struct lt_streams_put own = record("k", "", "x"), other = record("k", "", "y");
        assert_int_equal(put(p, "a", &own, 1), LEAT_OK);
        n++;
        leat_status status = put(p, "churn", &other, 1);
        assert_true(status == LEAT_OK || status == LEAT_E_NOT_FOUND);
    }
    uv_thread_join(&thread);
    assert_int_equal(count_records(p, "a", 0) + count_records(p, "a", 1), n);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_catalogue_writes_nothing),
        TEST(streams_are_there_after_a_restart),
        TEST(retention_is_set_within_its_bounds_and_survives_a_restart),
        TEST(names_are_listed_in_order_without_the_hidden),
        TEST(what_cannot_be_created_is_refused),
        TEST(a_uid_is_never_used_twice),
        TEST(records_go_where_their_hash_says),
        TEST(a_hash_beyond_128_bits_refuses_the_put),
        TEST(a_read_tells_how_far_behind_it_is),
        TEST(a_closed_shard_ends_where_it_was_closed),
        TEST(reading_starts_where_it_is_told),
        TEST(what_was_removed_stays_removed_whatever_is_left_on_disk),
        TEST(maintenance_keeps_what_is_within_retention),
        TEST(records_age_out_of_their_own_stream_and_numbers_go_on),
        TEST(a_damaged_document_stops_the_start_and_is_named),
        TEST(puts_and_changes_of_the_catalogue_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
