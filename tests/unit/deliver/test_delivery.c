/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rig.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

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

/* Pushes one record; the number taken. */
static size_t push(const char *shard, uint64_t seq, int64_t time_ms, const char *data) {
    struct lt_delivery_record record = {
        .seq = seq, .position = LT_LIT("pos"), .time_ms = time_ms, .data = lt_slice_str(data)};
    struct leat_error err;
    size_t n_taken;
    assert_int_equal(lt_delivery_push(rig.delivery, shard, &record, 1, &n_taken, &err), LEAT_OK);
    return n_taken;
}

static bool one_object(struct rig *r) {
    struct lt_delivery_stat stat;
    lt_delivery_stat(r->delivery, &stat);
    return stat.n_objects >= 1;
}

static bool two_objects(struct rig *r) {
    struct lt_delivery_stat stat;
    lt_delivery_stat(r->delivery, &stat);
    return stat.n_objects >= 2;
}

static bool three_errors(struct rig *r) {
    struct lt_delivery_stat stat;
    lt_delivery_stat(r->delivery, &stat);
    return stat.n_errors >= 3;
}

static bool hanging(struct rig *r) {
    return fake_is_hanging(r->world);
}

static void expect_object(size_t i, const char *bytes) {
    const struct fake_object *object = fake_object(rig.world, i);
    assert_non_null(object);
    assert_int_equal(object->data.len, strlen(bytes));
    assert_memory_equal(object->data.data, bytes, strlen(bytes));
}

static void delivery_puts_when_the_interval_has_passed_since_the_first_record(void **state) {
    (void)state;
    rig.opt.buffer_ms = 60;
    rig_start(&rig);
    int64_t start_us = lt_clock_mono_us();
    push("s", 1, 0, "a");
    rig_turn(&rig, 30);
    push("s", 2, 0, "b");
    assert_int_equal(fake_n_objects(rig.world), 0);
    assert_true(rig_wait(&rig, one_object, 2000));
    assert_true(lt_clock_mono_us() - start_us >= 60000);
    expect_object(0, "ab");
}

static void delivery_puts_when_the_buffer_is_full(void **state) {
    (void)state;
    rig.opt.buffer_ms = 3600000;
    rig.opt.buffer_bytes = 10;
    rig_start(&rig);
    push("s", 1, 0, "12345");
    push("s", 2, 0, "67890"); /* exactly full */
    assert_true(rig_wait(&rig, one_object, 2000));
    expect_object(0, "1234567890");
    push("s", 3, 0, "abcdef");
    assert_int_equal(push("s", 4, 0, "ghijkl"), 1); /* would overflow: starts the next object */
    assert_true(rig_wait(&rig, two_objects, 2000));
    expect_object(1, "abcdef");
}

static void delivery_of_interval_zero_puts_at_once(void **state) {
    (void)state;
    rig.opt.buffer_ms = 0;
    rig_start(&rig);
    push("s", 1, 0, "a");
    push("s", 2, 0, "b");
    assert_true(rig_wait(&rig, one_object, 1000));
    expect_object(0, "ab");
}

static void delivery_gives_a_record_larger_than_the_buffer_its_own_object(void **state) {
    char large[301];
    (void)state;
    memset(large, 'L', 300);
    large[300] = '\0';
    rig.opt.buffer_ms = 0;
    rig_start(&rig);
    assert_int_equal(push("s", 1, 0, "a"), 1);
    assert_int_equal(push("s", 2, 0, large), 1);
    assert_true(rig_wait(&rig, two_objects, 1000));
    expect_object(0, "a");
    expect_object(1, large);
}

static void delivery_orders_an_object_by_shard_and_within_it_by_sequence(void **state) {
    (void)state;
    rig_start(&rig);
    push("b", 1, 0, "b1");
    push("a", 1, 0, "a1");
    push("c", 7, 0, "c7");
    push("b", 2, 0, "b2");
    push("a", 3, 0, "a3");
    assert_true(rig_wait(&rig, one_object, 1000));
    expect_object(0, "a1a3b1b2c7");
}

static void delivery_ends_each_record_with_a_line_end_if_asked(void **state) {
    (void)state;
    rig.opt.newline = true;
    rig_start(&rig);
    push("s", 1, 0, "a");
    push("s", 2, 0, "b\n"); /* as AppendDelimiterToRecord: always one more */
    push("s", 3, 0, "");
    assert_true(rig_wait(&rig, one_object, 1000));
    expect_object(0, "a\nb\n\n\n");
}

static void delivery_names_an_object_by_its_oldest_record(void **state) {
    static const char expected[] = "p/2018/08/27/10/us-3-2018-08-27-10-30-02-";
    (void)state;
    rig.opt.version = 3;
    rig.opt.suffix = ".jsonl";
    rig_start(&rig);
    push("b", 1, 1535365809000, "x");
    push("a", 1, 1535365802042, "y");
    assert_true(rig_wait(&rig, one_object, 1000));
    const char *key = fake_object(rig.world, 0)->key;
    assert_memory_equal(key, expected, sizeof(expected) - 1);
    assert_int_equal(strlen(key), sizeof(expected) - 1 + 36 + 6);
    const char *unique = key + sizeof(expected) - 1;
    for (size_t i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(unique[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", unique[i]));
    assert_string_equal(unique + 36, ".jsonl");
}

static void delivery_packs_with_gzip(void **state) {
    char text[64];
    z_stream z = {0};
    (void)state;
    rig.opt.compression = LT_COMPRESSION_GZIP;
    rig_start(&rig);
    push("b", 1, 0, "world");
    push("a", 1, 0, "hello ");
    assert_true(rig_wait(&rig, one_object, 1000));
    const struct fake_object *object = fake_object(rig.world, 0);
    assert_string_equal(object->encoding, "gzip");
    assert_memory_equal(object->data.data + 4, "\0\0\0\0", 4); /* no time: the same bytes again */
    assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    z.next_in = (Bytef *)object->data.data;
    z.avail_in = (uInt)object->data.len;
    z.next_out = (Bytef *)text;
    z.avail_out = sizeof(text);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, 11);
    assert_memory_equal(text, "hello world", 11);
    inflateEnd(&z);
}

static void delivery_takes_no_more_than_one_buffer_while_another_is_put(void **state) {
    (void)state;
    rig.opt.buffer_bytes = 10;
    rig.opt.buffer_ms = 3600000;
    fake_hang(rig.world);
    rig_start(&rig);
    assert_int_equal(push("s", 1, 0, "1234567890"), 1);
    assert_true(rig_wait(&rig, hanging, 1000));
    assert_int_equal(push("s", 2, 0, "12345"), 1);
    assert_int_equal(push("s", 3, 0, "67890"), 1);
    assert_int_equal(push("s", 4, 0, "x"), 0);
    assert_int_equal(push("other", 1, 0, "x"), 0);
    struct lt_delivery_stat stat;
    lt_delivery_stat(rig.delivery, &stat);
    assert_int_equal(stat.buffer_bytes, 20);
    fake_release(rig.world);
    assert_true(rig_wait(&rig, two_objects, 1000));
    assert_true(rig.n_progress >= 2);
    assert_int_equal(push("s", 4, 0, "x"), 1);
}

static void delivery_tries_a_failing_destination_until_it_works(void **state) {
    struct lt_delivery_stat stat;
    struct lt_slice position;
    (void)state;
    rig.opt.buffer_ms = 0;
    fake_put_status(rig.world, LEAT_E_NOT_FOUND); /* a missing bucket; not retryable as such */
    rig_start(&rig);
    push("s", 1, 0, "a");
    assert_true(rig_wait(&rig, three_errors, 20000));
    lt_delivery_stat(rig.delivery, &stat);
    assert_int_equal(stat.last_error.status, LEAT_E_NOT_FOUND);
    assert_string_equal(stat.last_error.text, "bucket lake: no");
    assert_int_equal(stat.n_objects, 0);
    assert_int_equal(lt_delivery_position(rig.delivery, "s", &position), 0);
    assert_int_equal(position.len, 0);
    fake_put_status(rig.world, LEAT_OK);
    assert_true(rig_wait(&rig, one_object, 20000));
    lt_delivery_stat(rig.delivery, &stat);
    assert_int_equal(stat.last_error.status, LEAT_OK);
    assert_int_equal(stat.n_records, 1);
    assert_int_equal(lt_delivery_position(rig.delivery, "s", &position), 1);
    assert_true(lt_slice_eq(position, LT_LIT("pos")));
    expect_object(0, "a");
}

struct flushed {
    unsigned n;
    leat_status status;
};

static void on_flushed(void *ctx, leat_status status, const struct leat_error *err) {
    struct flushed *flushed = ctx;
    assert_true((status == LEAT_OK) == (err == NULL));
    flushed->n++;
    flushed->status = status;
}

static struct flushed flushed;

static bool is_flushed(struct rig *r) {
    (void)r;
    return flushed.n > 0;
}

static void flush_puts_at_once_and_tells_when_all_is_durable(void **state) {
    (void)state;
    flushed = (struct flushed){0};
    rig.opt.buffer_ms = 3600000;
    rig_start(&rig);
    push("s", 1, 0, "a");
    lt_delivery_flush(rig.delivery, on_flushed, &flushed);
    push("t", 1, 0, "b");
    assert_int_equal(flushed.n, 0);
    assert_true(rig_wait(&rig, is_flushed, 1000));
    assert_int_equal(flushed.status, LEAT_OK);
    assert_int_equal(lt_delivery_position(rig.delivery, "s", NULL), 1);
}

static void flush_of_nothing_is_answered_later_and_well(void **state) {
    (void)state;
    flushed = (struct flushed){0};
    rig_start(&rig);
    lt_delivery_flush(rig.delivery, on_flushed, &flushed);
    assert_int_equal(flushed.n, 0);
    assert_true(rig_wait(&rig, is_flushed, 1000));
    assert_int_equal(flushed.n, 1);
    assert_int_equal(flushed.status, LEAT_OK);
    assert_int_equal(fake_n_objects(rig.world), 0);
}

static void flush_waits_for_the_object_under_way_and_the_one_after_it(void **state) {
    (void)state;
    flushed = (struct flushed){0};
    rig.opt.buffer_ms = 3600000;
    rig.opt.buffer_bytes = 4;
    fake_hang(rig.world);
    rig_start(&rig);
    push("s", 1, 0, "1234");
    assert_true(rig_wait(&rig, hanging, 1000));
    push("s", 2, 0, "5");
    lt_delivery_flush(rig.delivery, on_flushed, &flushed);
    rig_turn(&rig, 20);
    assert_int_equal(flushed.n, 0);
    fake_release(rig.world);
    assert_true(rig_wait(&rig, is_flushed, 1000));
    assert_int_equal(flushed.status, LEAT_OK);
    assert_int_equal(lt_delivery_position(rig.delivery, "s", NULL), 2);
}

static void flush_tells_the_error_that_stands_in_the_way(void **state) {
    (void)state;
    flushed = (struct flushed){0};
    rig.opt.buffer_ms = 3600000;
    fake_put_status(rig.world, LEAT_E_AUTH);
    rig_start(&rig);
    push("s", 1, 0, "a");
    lt_delivery_flush(rig.delivery, on_flushed, &flushed);
    assert_true(rig_wait(&rig, is_flushed, 1000));
    assert_int_equal(flushed.status, LEAT_E_AUTH);
    fake_put_status(rig.world, LEAT_OK);
    flushed = (struct flushed){0};
    lt_delivery_flush(rig.delivery, on_flushed, &flushed); /* tries at once, not at the back-off */
    assert_true(rig_wait(&rig, is_flushed, 1000));
    assert_int_equal(flushed.status, LEAT_OK);
    expect_object(0, "a");
}

static void flush_is_cancelled_when_the_delivery_is_freed(void **state) {
    (void)state;
    flushed = (struct flushed){0};
    fake_put_status(rig.world, LEAT_E_REMOTE);
    rig_start(&rig);
    push("s", 1, 0, "a");
    lt_delivery_flush(rig.delivery, on_flushed, &flushed);
    rig_stop(&rig);
    assert_int_equal(flushed.n, 1);
}

static void free_from_the_progress_call(void *ctx, struct lt_delivery *delivery) {
    struct rig *r = ctx;
    assert_ptr_equal(delivery, r->delivery);
    lt_delivery_free(delivery);
    r->delivery = NULL;
    r->n_progress++;
}

static bool progressed(struct rig *r) {
    return r->n_progress > 0;
}

static void delivery_may_be_freed_from_its_own_callback(void **state) {
    (void)state;
    rig.opt.buffer_ms = 0;
    rig.opt.on_progress = free_from_the_progress_call;
    rig_start(&rig);
    push("s", 1, 0, "a");
    assert_true(rig_wait(&rig, progressed, 1000));
    assert_null(rig.delivery);
}

static void *release_soon(void *ctx) {
    usleep(30000);
    fake_release(ctx);
    return NULL;
}

static void delivery_freed_with_a_put_under_way_waits_for_it(void **state) {
    pthread_t thread;
    (void)state;
    rig.opt.buffer_ms = 0;
    fake_hang(rig.world);
    rig_start(&rig);
    push("s", 1, 0, "a");
    assert_true(rig_wait(&rig, hanging, 1000));
    push("s", 2, 0, "b");
    assert_int_equal(pthread_create(&thread, NULL, release_soon, rig.world), 0);
    rig_stop(&rig);
    pthread_join(thread, NULL);
    expect_object(0, "a");
    rig_start(&rig);
    assert_int_equal(lt_delivery_position(rig.delivery, "s", NULL), 1); /* it was committed, too */
}

static void delivery_freed_before_its_first_work_began_leaks_nothing(void **state) {
    (void)state;
    rig.opt.buffer_ms = 3600000;
    rig.opt.buffer_bytes = 1;
    rig_start(&rig);
    push("s", 1, 0, "abc");
    rig_stop(&rig);
}

static void delivery_ignores_what_is_pushed_again(void **state) {
    (void)state;
    rig.opt.buffer_ms = 0;
    rig_start(&rig);
    assert_int_equal(push("s", 1, 0, "a"), 1);
    assert_int_equal(push("s", 2, 0, "b"), 1);
    assert_int_equal(push("s", 1, 0, "a"), 1);
    assert_true(rig_wait(&rig, one_object, 1000));
    assert_int_equal(push("s", 2, 0, "b"), 1);
    rig_turn(&rig, 20);
    assert_int_equal(fake_n_objects(rig.world), 1);
    expect_object(0, "ab");
}

static void delivery_of_another_source_starts_anew(void **state) {
    (void)state;
    rig.n_records[0] = rig.n_records[1] = 30;
    rig_start(&rig);
    assert_true(rig_deliver(&rig, 5000));
    size_t n = fake_n_objects(rig.world);
    rig_stop(&rig);
    rig.opt.source = "other-sessions";
    rig_start(&rig);
    assert_int_equal(lt_delivery_position(rig.delivery, rig_shard(0), NULL), 0);
    assert_true(rig_deliver(&rig, 5000));
    /* the same ranges, and yet no object of the first source was written over */
    assert_true(fake_n_objects(rig.world) > n);
    for (size_t i = 0; i < fake_n_objects(rig.world); i++)
        assert_int_equal(fake_object(rig.world, i)->n_puts, 1);
}

static void delivery_forgotten_starts_anew_and_leaves_no_document(void **state) {
    struct leat_error err;
    (void)state;
    rig.n_records[0] = 5;
    rig_start(&rig);
    assert_true(rig_deliver(&rig, 5000));
    rig_stop(&rig);
    assert_int_not_equal(fake_n_documents(rig.world), 0);
    assert_int_equal(lt_delivery_forget(fake_state(rig.world), "us", &err), LEAT_OK);
    assert_int_equal(fake_n_documents(rig.world), 0);
    rig_start(&rig);
    assert_int_equal(lt_delivery_position(rig.delivery, rig_shard(0), NULL), 0);
}

static void delivery_with_a_bad_prefix_or_endless_keys_is_not_made(void **state) {
    char suffix[600];
    struct leat_error err;
    (void)state;
    rig.opt.prefix = "!{nothing}";
    assert_int_equal(lt_delivery_new(&rig.delivery, &rig.opt, &err), LEAT_E_INVALID);
    assert_null(rig.delivery);
    char prefix[481];
    memset(prefix, 'p', 480);
    prefix[480] = '\0';
    memset(suffix, 's', sizeof(suffix));
    suffix[599] = '\0';
    rig.opt.prefix = prefix;
    rig.opt.suffix = suffix;
    assert_int_equal(lt_delivery_new(&rig.delivery, &rig.opt, &err), LEAT_E_INVALID);
    assert_null(rig.delivery);
}

static void delivery_is_not_made_when_its_state_cannot_be_written(void **state) {
    struct leat_error err;
    (void)state;
    fake_fail_from(rig.world, 1, false);
    assert_int_equal(lt_delivery_new(&rig.delivery, &rig.opt, &err), LEAT_E_IO);
    assert_null(rig.delivery);
}

static void delivery_holds_many_shards(void **state) {
    char shard[32];
    (void)state;
    rig.opt.buffer_bytes = 1 << 20;
    rig.opt.buffer_ms = 3600000;
    rig_start(&rig);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(shard, sizeof(shard), "s%04u", (i * 7) % 2000);
        assert_int_equal(push(shard, 1, 0, shard), 1);
    }
    flushed = (struct flushed){0};
    lt_delivery_flush(rig.delivery, on_flushed, &flushed);
    assert_true(rig_wait(&rig, is_flushed, 5000));
    const struct fake_object *object = fake_object(rig.world, 0);
    assert_int_equal(object->data.len, 2000 * 5);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(shard, sizeof(shard), "s%04u", i);
        assert_memory_equal(object->data.data + i * 5, shard, 5);
    }
    rig_stop(&rig);
    rig_start(&rig); /* positions of more than one page are read again */
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(shard, sizeof(shard), "s%04u", i);
        assert_int_equal(lt_delivery_position(rig.delivery, shard, NULL), 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(delivery_puts_when_the_interval_has_passed_since_the_first_record),
        TEST(delivery_puts_when_the_buffer_is_full),
        TEST(delivery_of_interval_zero_puts_at_once),
        TEST(delivery_gives_a_record_larger_than_the_buffer_its_own_object),
        TEST(delivery_orders_an_object_by_shard_and_within_it_by_sequence),
        TEST(delivery_ends_each_record_with_a_line_end_if_asked),
        TEST(delivery_names_an_object_by_its_oldest_record),
        TEST(delivery_packs_with_gzip),
        TEST(delivery_takes_no_more_than_one_buffer_while_another_is_put),
        TEST(delivery_tries_a_failing_destination_until_it_works),
        TEST(flush_puts_at_once_and_tells_when_all_is_durable),
        TEST(flush_of_nothing_is_answered_later_and_well),
        TEST(flush_waits_for_the_object_under_way_and_the_one_after_it),
        TEST(flush_tells_the_error_that_stands_in_the_way),
        TEST(flush_is_cancelled_when_the_delivery_is_freed),
        TEST(delivery_may_be_freed_from_its_own_callback),
        TEST(delivery_freed_with_a_put_under_way_waits_for_it),
        TEST(delivery_freed_before_its_first_work_began_leaks_nothing),
        TEST(delivery_ignores_what_is_pushed_again),
        TEST(delivery_of_another_source_starts_anew),
        TEST(delivery_forgotten_starts_anew_and_leaves_no_document),
        TEST(delivery_with_a_bad_prefix_or_endless_keys_is_not_made),
        TEST(delivery_is_not_made_when_its_state_cannot_be_written),
        TEST(delivery_holds_many_shards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
