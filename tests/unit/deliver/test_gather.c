/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "deliver/gather.h"

enum { SHARDS = 3, ROUNDS = 400, LONGEST = 700000 };

static const char *const names[SHARDS] = {"a", "b", "c"};

/* Adds one record and notes its bytes where the object should have them. */
static void add(struct lt_gather *gather, struct lt_buf *expected, unsigned shard, uint64_t seq,
                size_t len, bool newline) {
    static char data[LONGEST];
    char position[32];
    struct leat_error err;

    memset(data, 'a' + (int)(seq % 26), len);
    snprintf(position, sizeof(position), "p%llu", (unsigned long long)seq);
    const struct lt_delivery_record record = {.seq = seq,
                                              .position = lt_slice_str(position),
                                              .time_ms = 1000 - (int64_t)seq,
                                              .data = lt_slice(data, len)};
    assert_int_equal(lt_gather_add(gather, names[shard], &record, newline, &err), LEAT_OK);
    lt_buf_append(&expected[shard], record.data);
    if (newline)
        lt_buf_append_byte(&expected[shard], '\n');
}

static void compare(const struct lt_gather *gather, const struct lt_buf *expected) {
    struct lt_slice *pieces;
    struct leat_error err;
    struct lt_buf got, want;
    size_t n;

    lt_buf_init(&got, 1 << 30);
    lt_buf_init(&want, 1 << 30);
    assert_int_equal(lt_gather_pieces(gather, &pieces, &n, &err), LEAT_OK);
    for (size_t i = 0; i < n; i++)
        lt_buf_append(&got, pieces[i]);
    for (unsigned i = 0; i < SHARDS; i++)
        lt_buf_append(&want, lt_buf_slice(&expected[i]));
    assert_int_equal(got.len, want.len);
    assert_int_equal(got.len, gather->n_held);
    assert_true(lt_slice_eq(lt_buf_slice(&got), lt_buf_slice(&want)));
    free(pieces);
    lt_buf_deinit(&got);
    lt_buf_deinit(&want);
}

static void records_of_all_lengths_come_out_by_shard_in_their_order(void **state) {
    struct lt_gather gather = {0};
    struct lt_buf expected[SHARDS];
    uint64_t seq[SHARDS] = {0};
    uint32_t x = 7;

    (void)state;
    for (unsigned i = 0; i < SHARDS; i++)
        lt_buf_init(&expected[i], 1 << 30);
    for (int round = 0; round < ROUNDS; round++) {
        x = x * 1664525 + 1013904223;
        unsigned shard = (x >> 20) % SHARDS;
        size_t len = round % 50 == 49 ? (size_t)(LONGEST - round) : (x >> 8) % 3000;
        add(&gather, expected, shard, ++seq[shard], round % 7 ? len : 0, round % 3 != 0);
        if (round % 100 == 0)
            compare(&gather, expected);
    }
    compare(&gather, expected);
    for (unsigned i = 0; i < SHARDS; i++) {
        assert_string_equal(gather.parts[i].shard, names[i]);
        assert_int_equal(gather.parts[i].last, seq[i]);
        lt_buf_clear(&expected[i]);
    }
    lt_gather_free_bytes(&gather);
    assert_int_equal(gather.n_parts, SHARDS);
    gather.n_held = 0;
    compare(&gather, expected);
    lt_gather_deinit(&gather);
    for (unsigned i = 0; i < SHARDS; i++)
        lt_buf_deinit(&expected[i]);
}

static void records_without_a_byte_are_held_all_the_same(void **state) {
    struct lt_gather gather = {0};
    struct lt_buf expected[SHARDS] = {{.max = 9}, {.max = 9}, {.max = 9}};

    (void)state;
    add(&gather, expected, 1, 5, 0, false);
    add(&gather, expected, 1, 6, 0, false);
    compare(&gather, expected);
    assert_int_equal(gather.n_records, 2);
    assert_int_equal(gather.parts[0].first, 5);
    add(&gather, expected, 1, 7, 0, true);
    compare(&gather, expected);
    lt_gather_deinit(&gather);
    lt_buf_deinit(&expected[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_all_lengths_come_out_by_shard_in_their_order),
        cmocka_unit_test(records_without_a_byte_are_held_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
