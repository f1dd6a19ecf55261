/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "deliveries_rig.h"

static void direct_put_records_are_in_objects_after_a_flush(void **state) {
    (void)state;
    create_bucket();
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    for (unsigned i = 0; i < 4000; i += 500)
        put_direct("us", i, 500);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 4000);
    assert_true(found.n_files > 4); /* of 4096 bytes */
    assert_int_equal(status_number("us", "records"), 4000);
    assert_int_equal(status_number("us", "lag_records"), 0);
    assert_int_equal(status_number("us", "buffer_bytes"), 0);
}

static void delivery_of_a_stream_starts_behind_what_is_there(void **state) {
    (void)state;
    create_bucket();
    create_stream("sessions", 4);
    put_stream("sessions", 0, 100);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    assert_int_equal(status_number("us", "lag_records"), 0);
    put_stream("sessions", 100, 400);
    reopen_rig(); /* the start is kept */
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(100, 400);
    assert_int_equal(status_number("us", "lost_records"), 0);
}

static void many_shards_and_deliveries_each_get_every_record(void **state) {
    (void)state;
    create_bucket();
    create_stream("sessions", 16);
    struct lt_delivery_config config = config_of("a", "sessions");
    config.buffer_bytes = 3000;
    assert_int_equal(create(&config), LEAT_OK);
    for (unsigned i = 0; i < 20000; i += 500)
        put_stream("sessions", i, 500);
    assert_int_equal(flush(NULL, WAIT_MS), LEAT_OK);
    expect_numbers(0, 20000);
}

static void restart_in_the_middle_goes_on_where_it_was(void **state) {
    (void)state;
    create_bucket();
    create_stream("sessions", 3);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned i = 0; i < 2000; i += 500)
            put_stream("sessions", round * 2000 + i, 500);
        for (unsigned i = 0; i < round; i++)
            turn();
        reopen_rig();
    }
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 12000);
    assert_int_equal(status_number("us", "records"), 12000);
}

static void names_are_taken_once_and_free_after_removal(void **state) {
    (void)state;
    create_bucket();
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    assert_int_equal(create_simple("us", NULL), LEAT_E_EXISTS);
    put_direct("us", 0, 10);
    assert_int_equal(remove_delivery("us"), LEAT_OK);
    assert_int_equal(remove_delivery("us"), LEAT_E_NOT_FOUND);
    assert_null(lt_deliveries_find(rig.deliveries, "us"));
    assert_int_equal(lt_deliveries_count(rig.deliveries), 0);
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 10, 10);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(10, 10);
    reopen_rig();
    assert_non_null(lt_deliveries_find(rig.deliveries, "us"));
}

static void calls_on_a_delivery_in_creation_find_it_taken(void **state) {
    struct lt_delivery_config config = config_of("us", NULL);
    struct answer first = {0};
    struct leat_error err;
    (void)state;
    must(lt_deliveries_create(rig.deliveries, &config, on_answer, &first, &err), &err);
    assert_int_equal(create(&config), LEAT_E_EXISTS);
    assert_int_equal(remove_delivery("us"), LEAT_E_BUSY);
    assert_null(lt_deliveries_find(rig.deliveries, "us"));
    assert_int_equal(await(&first), LEAT_OK);
    assert_non_null(lt_deliveries_find(rig.deliveries, "us"));
}

static void creation_of_a_bad_one_is_refused(void **state) {
    struct lt_delivery_config config = config_of("us", "nothing");
    (void)state;
    assert_int_equal(create(&config), LEAT_E_NOT_FOUND);
    config = config_of("us", NULL);
    config.prefix = "!{bad}";
    assert_int_equal(create(&config), LEAT_E_INVALID);
    assert_int_equal(lt_deliveries_count(rig.deliveries), 0);
}

static void hidden_stream_left_by_a_crash_is_cleared_away(void **state) {
    struct leat_error err;
    (void)state;
    create_bucket();
    must(lt_streams_create(rig.streams, "firehose:us", 1, true, false, 1000, &err), &err);
    put_stream("firehose:us", 500, 20);
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 0, 20);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 20);
}

static void list_goes_by_name(void **state) {
    (void)state;
    assert_int_equal(create_simple("b", NULL), LEAT_OK);
    assert_int_equal(create_simple("c", NULL), LEAT_OK);
    assert_int_equal(create_simple("a", NULL), LEAT_OK);
    assert_string_equal(lt_deliveries_next(rig.deliveries, "")->name, "a");
    assert_string_equal(lt_deliveries_next(rig.deliveries, "a")->name, "b");
    assert_string_equal(lt_deliveries_next(rig.deliveries, "aa")->name, "b");
    assert_null(lt_deliveries_next(rig.deliveries, "c"));
}

static void flush_tells_the_missing_bucket_and_works_once_it_is_there(void **state) {
    (void)state;
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 0, 5);
    assert_int_equal(flush("us", WAIT_MS), LEAT_E_NOT_FOUND);
    assert_int_equal(status_number("us", "last_error"), 1);
    assert_int_equal(status_number("us", "lag_records"), 5);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    assert_int_equal(status_number("us", "last_error"), 0);
    expect_numbers(0, 5);
}

static void flush_of_a_delivery_stuck_with_a_full_buffer_tells_why(void **state) {
    (void)state;
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    for (unsigned i = 0; i < 10000; i += 500)
        put_direct("us", i, 500);
    wait_until("us", "errors", 1);
    assert_true(status_number("us", "buffer_bytes") <= 2 * 4096);
    assert_int_equal(flush("us", WAIT_MS), LEAT_E_NOT_FOUND);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 10000);
}

static void flush_of_nothing_and_of_nobody(void **state) {
    (void)state;
    assert_int_equal(flush(NULL, 1000), LEAT_OK);
    assert_int_equal(flush("us", 1000), LEAT_E_NOT_FOUND);
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    assert_int_equal(flush("us", 1000), LEAT_OK);
}

static void close_answers_what_is_open(void **state) {
    struct lt_delivery_config config = config_of("new", NULL);
    struct answer flushing = {0}, creating = {0};
    struct leat_error err;
    (void)state;
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    put_direct("us", 0, 5);
    must(lt_deliveries_flush(rig.deliveries, NULL, WAIT_MS, on_answer, &flushing, &err), &err);
    must(lt_deliveries_create(rig.deliveries, &config, on_answer, &creating, &err), &err);
    reopen_rig();
    assert_true(flushing.came && flushing.status == LEAT_E_CANCELLED);
    assert_true(creating.came && creating.status == LEAT_E_CANCELLED);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 5);
}

static void expired_records_are_counted_and_block_nothing(void **state) {
    (void)state;
    create_stream("sessions", 2);
    struct lt_delivery_config config = config_of("us", "sessions");
    config.buffer_bytes = 50; /* nearly all stays unread while there is no bucket */
    assert_int_equal(create(&config), LEAT_OK);
    put_stream("sessions", 0, 400);
    wait_until("us", "errors", 1);
    trim_all("sessions");
    put_stream("sessions", 400, 100);
    wait_until("us", "lost_records", 1);
    create_bucket();
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    int64_t n_lost = status_number("us", "lost_records");
    assert_in_range(n_lost, 300, 399);
    assert_int_equal(status_number("us", "records") + n_lost, 500);
}

static void flush_does_not_wait_for_records_that_all_expired(void **state) {
    (void)state;
    create_stream("sessions", 2);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    create_bucket();
    put_stream("sessions", 0, 50);
    trim_all("sessions"); /* before the loop turned */
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    assert_int_equal(status_number("us", "lost_records") + status_number("us", "records"), 50);
    assert_int_equal(status_number("us", "lag_records"), 0);
}

static void child_shard_is_read_after_its_parent(void **state) {
    char after[96];
    unsigned n_more = 0;
    (void)state;
    create_stream("sessions", 2);
    struct lt_delivery_config config = config_of("us", "sessions");
    config.buffer_bytes = 64; /* many objects, one after the other */
    assert_int_equal(create(&config), LEAT_OK);
    put_stream("sessions", 0, 400);
    struct lt_journal_shard first;
    struct lt_streams_shard shard;
    struct leat_error err;
    must(lt_streams_shard(rig.streams, "sessions", 0, &shard, &err), &err);
    lt_journal_stat(rig.journal, shard.uid, &first);
    assert_in_range(first.next, 2, 400);
    close_rig(); /* nothing could be delivered: there is no bucket */
    open_rig();
    /* shard 0 becomes the closed parent of shard 1, which then takes every key */
    snprintf(after, sizeof(after), "\"closed\":true,\"closed_after\":%llu,\"closed_ms\":%lld",
             (unsigned long long)first.next - 1, (long long)lt_clock_wall_ms());
    edit_stream("sessions", "\"closed\":false,\"closed_after\":0,\"closed_ms\":0", after, 0);
    edit_stream("sessions", "\"parent\":-1", "\"parent\":0", 1);
    edit_stream("sessions", "\"first\":\"170141183460469231731687303715884105728\"",
                "\"first\":\"0\"", 0);
    reopen_rig();
    create_bucket();
    while (status_number("us", "lag_records") > 100) {
        put_stream("sessions", 400 + n_more++, 1); /* wakes the pump, goes to the child */
        turn();
        if (position_of("us", shard.uid + 1) > 0)
            assert_int_equal(position_of("us", shard.uid), first.next - 1);
    }
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    expect_numbers(0, 400 + n_more);
}

static void stream_removed_under_a_delivery_is_told_and_one_made_anew_is_read(void **state) {
    struct leat_error err;
    (void)state;
    create_bucket();
    create_stream("sessions", 2);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    put_stream("sessions", 0, 10);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    must(lt_streams_remove(rig.streams, "sessions", &err), &err);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    assert_int_equal(status_number("us", "last_error"), 1);
    reopen_rig();
    assert_int_equal(status_number("us", "last_error"), 1);
    create_stream("sessions", 1);
    put_stream("sessions", 10, 10);
    assert_int_equal(flush("us", WAIT_MS), LEAT_OK);
    assert_int_equal(status_number("us", "last_error"), 0);
    expect_numbers(0, 20);
}

static void unreadable_document_stops_no_other_delivery(void **state) {
    struct leat_error err;
    (void)state;
    create_bucket();
    assert_int_equal(create_simple("us", NULL), LEAT_OK);
    must(lt_state_set(rig.state, "delivery", LT_LIT("bad"), LT_LIT("{\"source\":1}"), &err), &err);
    reopen_rig();
    assert_int_equal(lt_deliveries_count(rig.deliveries), 1);
    put_direct("us", 0, 5);
    assert_int_equal(flush(NULL, WAIT_MS), LEAT_OK);
    expect_numbers(0, 5);
}

static void put_to_a_delivery_of_a_stream_is_refused(void **state) {
    struct lt_slice record = LT_LIT("x");
    char id[1][LT_SEQUENCE_DIGITS + 1];
    struct leat_error err;
    (void)state;
    create_stream("sessions", 1);
    assert_int_equal(create_simple("us", "sessions"), LEAT_OK);
    assert_int_equal(lt_deliveries_put(rig.deliveries, "us", &record, 1, id, on_answer, NULL, &err),
                     LEAT_E_INVALID);
    assert_int_equal(
        lt_deliveries_put(rig.deliveries, "nobody", &record, 1, id, on_answer, NULL, &err),
        LEAT_E_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(direct_put_records_are_in_objects_after_a_flush),
        TEST(delivery_of_a_stream_starts_behind_what_is_there),
        TEST(many_shards_and_deliveries_each_get_every_record),
        TEST(restart_in_the_middle_goes_on_where_it_was),
        TEST(names_are_taken_once_and_free_after_removal),
        TEST(calls_on_a_delivery_in_creation_find_it_taken),
        TEST(creation_of_a_bad_one_is_refused),
        TEST(hidden_stream_left_by_a_crash_is_cleared_away),
        TEST(list_goes_by_name),
        TEST(flush_tells_the_missing_bucket_and_works_once_it_is_there),
        TEST(flush_of_a_delivery_stuck_with_a_full_buffer_tells_why),
        TEST(flush_of_nothing_and_of_nobody),
        TEST(close_answers_what_is_open),
        TEST(expired_records_are_counted_and_block_nothing),
        TEST(flush_does_not_wait_for_records_that_all_expired),
        TEST(child_shard_is_read_after_its_parent),
        TEST(stream_removed_under_a_delivery_is_told_and_one_made_anew_is_read),
        TEST(unreadable_document_stops_no_other_delivery),
        TEST(put_to_a_delivery_of_a_stream_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
