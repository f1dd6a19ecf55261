/* SPDX-License-Identifier: Apache-2.0 */
/* A delivery that dies at any call to its disk, and one made anew after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;

static int setup(void **state) {
    (void)state;
    rig_setup(&rig);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rig_teardown(&rig);
    return 0;
}

static bool stuck(struct rig *r) {
    struct lt_delivery_stat stat;
    rig_push(r);
    lt_delivery_stat(r->delivery, &stat);
    return stat.n_errors > 0;
}

/* Kills at call `n` of a run, then runs to the end; false when the run has no such call. */
static bool kill_at(unsigned n, bool after, leat_status head_status, unsigned seed) {
    rig_setup(&rig);
    rig.seed = seed;
    rig.n_records[0] = 23;
    rig.n_records[1] = 9;
    rig.n_records[2] = 31;
    rig_start(&rig);
    fake_fail_from(rig.world, fake_n_calls(rig.world) + n, after);
    bool killed = rig_wait(&rig, stuck, 300);
    rig_stop(&rig);
    fake_fail_from(rig.world, 0, false);
    fake_head_status(rig.world, head_status);
    rig.seed = seed * 31; /* pushed in another rhythm */
    rig_start(&rig);
    assert_true(rig_deliver(&rig, 5000));
    struct lt_delivery_stat stat;
    lt_delivery_stat(rig.delivery, &stat);
    assert_int_equal(stat.n_records, 23 + 9 + 31);
    assert_int_equal(stat.n_bytes, (23 + 9 + 31) * rig.record_bytes);
    rig_stop(&rig);
    assert_int_equal(stat.n_objects, fake_n_objects(rig.world));
    rig_check_once(&rig);
    rig_teardown(&rig);
    return killed;
}

static void kill_at_every_call(bool after, leat_status head_status) {
    unsigned n = 1;
    while (kill_at(n, after, head_status, n))
        n++;
    assert_in_range(n, 9, 200); /* intent, put and positions of some objects */
}

static void crash_before_any_change_loses_and_doubles_nothing(void **state) {
    (void)state;
    kill_at_every_call(false, LEAT_OK);
}

static void crash_after_any_change_loses_and_doubles_nothing(void **state) {
    (void)state;
    kill_at_every_call(true, LEAT_OK);
}

static void
crash_is_survived_by_writing_the_same_bytes_where_objects_cannot_be_looked_for(void **state) {
    (void)state;
    kill_at_every_call(true, LEAT_E_AUTH);
}

static void crashes_in_a_row_lose_and_double_nothing(void **state) {
    (void)state;
    rig.n_records[0] = 40;
    rig.n_records[1] = 25;
    rig.n_records[2] = 33;
    for (unsigned i = 1; i <= 20; i++) {
        rig_start(&rig);
        fake_fail_from(rig.world, fake_n_calls(rig.world) + 1 + i % 4, i % 2);
        rig_wait(&rig, stuck, 200);
        rig_stop(&rig);
        fake_fail_from(rig.world, 0, false);
        if (i % 5 == 0)
            fake_head_status(rig.world, i % 2 ? LEAT_OK : LEAT_E_AUTH);
    }
    rig_start(&rig);
    assert_true(rig_deliver(&rig, 5000));
    rig_stop(&rig);
    rig_check_once(&rig);
}

static void settings_changed_after_a_crash_do_not_change_the_object_under_way(void **state) {
    (void)state;
    rig.n_records[0] = 30;
    rig_start(&rig);
    fake_fail_from(rig.world, fake_n_calls(rig.world) + 2, true); /* put, and not known */
    assert_true(rig_wait(&rig, stuck, 1000));
    rig_stop(&rig);
    fake_fail_from(rig.world, 0, false);
    fake_head_status(rig.world, LEAT_E_AUTH); /* so that it is written again */
    rig.opt.newline = true;
    rig.opt.compression = LT_COMPRESSION_GZIP;
    rig.opt.prefix = "other/";
    rig.opt.buffer_bytes = 60;
    rig_start(&rig);
    assert_true(rig_deliver(&rig, 5000));
    rig_stop(&rig);
    assert_int_equal(fake_object(rig.world, 0)->n_puts, 2);
    assert_true(fake_object(rig.world, 0)->same_each_put);
    assert_memory_equal(fake_object(rig.world, 1)->key, "other/", 6);
    for (size_t i = 1; i < fake_n_objects(rig.world); i++)
        assert_int_equal(fake_object(rig.world, i)->n_puts, 1);
}

/* Leaves an intent of one object, put or not. */
static void leave_intent(bool put) {
    rig.n_records[0] = rig.n_records[1] = 5;
    rig_start(&rig);
    fake_fail_from(rig.world, fake_n_calls(rig.world) + 2, put);
    assert_true(rig_wait(&rig, stuck, 1000));
    rig_stop(&rig);
    fake_fail_from(rig.world, 0, false);
    assert_int_equal(fake_n_objects(rig.world), put);
}

static bool settled(struct rig *r) {
    return lt_delivery_position(r->delivery, rig_shard(0), NULL) == 5 &&
           lt_delivery_position(r->delivery, rig_shard(1), NULL) == 5;
}

static void object_found_after_a_crash_moves_the_positions_without_its_records(void **state) {
    struct lt_slice position;
    (void)state;
    leave_intent(true);
    rig_start(&rig);
    assert_true(rig_wait(&rig, settled, 1000)); /* nothing was pushed */
    lt_delivery_position(rig.delivery, rig_shard(1), &position);
    assert_true(lt_slice_eq(position, LT_LIT("at-5")));
    rig_push(&rig);
    rig_turn(&rig, 50);
    assert_int_equal(fake_n_objects(rig.world), 1);
    assert_int_equal(fake_object(rig.world, 0)->n_puts, 1);
}

static void records_expired_before_they_were_put_do_not_block_the_rest(void **state) {
    (void)state;
    leave_intent(false);
    rig.n_records[0] = 20;
    rig.n_records[1] = 5;
    rig.first[0] = 4; /* 1 to 3 are gone */
    rig.first[1] = 6; /* all are gone */
    rig_start(&rig);
    for (unsigned i = 0; i < RIG_SHARDS; i++)
        rig_push(&rig);
    assert_true(rig_deliver(&rig, 5000));
    size_t len;
    char *bytes = fake_all_bytes(rig.world, &len);
    assert_int_equal(len, 17 * rig.record_bytes);
    assert_memory_equal(bytes, "shardId-2:4;", 12);
    free(bytes);
}

static void expired_records_never_cut_short_an_object_that_may_be_there(void **state) {
    (void)state;
    leave_intent(true);
    fake_head_status(rig.world, LEAT_E_NETWORK); /* nobody knows whether it is there */
    rig.first[0] = 4;
    rig_start(&rig);
    rig_push(&rig);
    assert_true(rig_wait(&rig, stuck, 1000));
    assert_int_equal(fake_object(rig.world, 0)->n_puts, 1);
    fake_head_status(rig.world, LEAT_OK);
    assert_true(rig_wait(&rig, settled, 25000));
    assert_int_equal(fake_object(rig.world, 0)->n_puts, 1);
    assert_int_equal(fake_object(rig.world, 0)->data.len, 10 * rig.record_bytes);
}

static void expired_shards_alone_only_move_the_positions(void **state) {
    (void)state;
    leave_intent(false);
    rig.first[0] = rig.first[1] = 6;
    rig_start(&rig);
    rig_push(&rig);
    assert_true(rig_wait(&rig, settled, 1000));
    assert_int_equal(fake_n_objects(rig.world), 0);
}

static void resumed_object_takes_its_own_records_while_later_ones_fill_the_buffer(void **state) {
    struct leat_error err;
    size_t n_taken;
    char text[400];
    (void)state;
    leave_intent(false);
    rig_start(&rig);
    /* another shard fills the whole buffer first */
    memset(text, 'x', sizeof(text));
    struct lt_delivery_record big = {.seq = 1, .data = lt_slice(text, 200)};
    assert_int_equal(lt_delivery_push(rig.delivery, "zzz", &big, 1, &n_taken, &err), LEAT_OK);
    assert_int_equal(n_taken, 1);
    big.seq = 2;
    assert_int_equal(lt_delivery_push(rig.delivery, "zzz", &big, 1, &n_taken, &err), LEAT_OK);
    assert_int_equal(n_taken, 0);
    assert_true(rig_deliver(&rig, 5000)); /* and the resumed shards are taken all the same */
    rig_stop(&rig);
    assert_int_equal(fake_object(rig.world, 0)->data.len, 10 * rig.record_bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crash_before_any_change_loses_and_doubles_nothing),
        cmocka_unit_test(crash_after_any_change_loses_and_doubles_nothing),
        cmocka_unit_test(
            crash_is_survived_by_writing_the_same_bytes_where_objects_cannot_be_looked_for),
        TEST(crashes_in_a_row_lose_and_double_nothing),
        TEST(settings_changed_after_a_crash_do_not_change_the_object_under_way),
        TEST(object_found_after_a_crash_moves_the_positions_without_its_records),
        TEST(records_expired_before_they_were_put_do_not_block_the_rest),
        TEST(expired_records_never_cut_short_an_object_that_may_be_there),
        TEST(expired_shards_alone_only_move_the_positions),
        TEST(resumed_object_takes_its_own_records_while_later_ones_fill_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
