/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of the wire: sequence numbers, shard ids, hash keys, tokens. */
#include "base/clock.h"
#include "engine/kinesis/kinesis.h"
#include "engine/streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const unsigned __int128 MAX_KEY = ~(unsigned __int128)0;

static void sequence_numbers_read_back(void **state) {
    static const struct {
        uint64_t uid, seq;
    } rows[] = {{1, 0}, {1, 1}, {7, 42}, {999999999999, UINT64_MAX}};
    char text[LT_SEQUENCE_DIGITS + 1];
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t uid, seq;
        lt_sequence_format(rows[i].uid, rows[i].seq, text);
        assert_int_equal(strlen(text), LT_SEQUENCE_DIGITS);
        assert_true(lt_sequence_parse(lt_slice_str(text), &uid, &seq));
        assert_true(uid == rows[i].uid && seq == rows[i].seq);
    }
}

static void the_next_sequence_number_is_that_of_the_next_record(void **state) {
    static const uint64_t from[] = {0, 8, 9, 99, 12345678999, 9999999999999999998u, UINT64_MAX - 3};
    char before[LT_SEQUENCE_DIGITS + 1], next[LT_SEQUENCE_DIGITS + 1],
        wanted[LT_SEQUENCE_DIGITS + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        for (uint64_t seq = from[i]; seq < from[i] + 3; seq++) {
            lt_sequence_format(999999999999, seq, before);
            lt_sequence_format(999999999999, seq + 1, wanted);
            lt_sequence_next(before, next);
            assert_string_equal(next, wanted);
        }
    }
}

static void sequence_numbers_rise_within_a_shard_and_to_its_children(void **state) {
    char a[LT_SEQUENCE_DIGITS + 1], b[LT_SEQUENCE_DIGITS + 1];
    (void)state;

    lt_sequence_format(3, 99, a);
    lt_sequence_format(3, 100, b);
    assert_true(strcmp(a, b) < 0); /* of the same length: texts order as numbers */
    lt_sequence_format(4, 0, a);
    assert_true(strcmp(b, a) < 0);
}

static void what_is_no_sequence_number_is_told(void **state) {
    static const char *const bad[] = {
        "",
        "49",
        "4900000000000100000000000000000001x",
        "490000000000010000000000000000000",
        "5900000000000100000000000000000001",
        "49000000000001000000000000000000-1",
        "4900000000000199999999999999999999", /* over 64 bits */
    };
    uint64_t uid, seq;
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(lt_sequence_parse(lt_slice_str(bad[i]), &uid, &seq));
}

static void shard_ids_read_back(void **state) {
    static const char *const bad[] = {"",
                                      "shardId-",
                                      "shardId-1",
                                      "shardId-00000000000x",
                                      "shardId-999999999999",
                                      "shardid-000000000001",
                                      "shardId-0000000000001"};
    char text[32];
    unsigned index;
    (void)state;

    lt_shard_id_format(0, text);
    assert_string_equal(text, "shardId-000000000000");
    lt_shard_id_format(20000, text);
    assert_string_equal(text, "shardId-000000020000");
    assert_true(lt_shard_id_parse(lt_slice_str(text), &index));
    assert_int_equal(index, 20000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(lt_shard_id_parse(lt_slice_str(bad[i]), &index));
}

static void hash_keys_are_decimal_numbers_of_128_bits(void **state) {
    static const char *const bad[] = {"",
                                      "-1",
                                      "01",
                                      "1x",
                                      " 1",
                                      "340282366920938463463374607431768211456",
                                      "999999999999999999999999999999999999999",
                                      "1000000000000000000000000000000000000000"};
    char text[LT_HASH_KEY_TEXT];
    unsigned __int128 key;
    (void)state;

    lt_hash_key_format(MAX_KEY, text);
    assert_string_equal(text, "340282366920938463463374607431768211455");
    assert_true(lt_hash_key_parse(lt_slice_str(text), &key) && key == MAX_KEY);
    lt_hash_key_format(0, text);
    assert_string_equal(text, "0");
    assert_true(lt_hash_key_parse(lt_slice_str(text), &key) && key == 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(lt_hash_key_parse(lt_slice_str(bad[i]), &key));
}

static struct lt_kinesis_token make_token(const char *name) {
    struct lt_kinesis_token token = {.kind = LT_KINESIS_TOKEN_ITERATOR,
                                     .time_ms = lt_clock_wall_ms(),
                                     .n = {1, 2, UINT64_MAX, 4}};
    snprintf(token.name, sizeof(token.name), "%s", name);
    return token;
}

static void a_token_reads_back(void **state) {
    struct lt_kinesis_token token = make_token("orders"), back;
    char text[LT_KINESIS_TOKEN_TEXT];
    (void)state;

    lt_kinesis_token_format(&token, text);
    assert_true(lt_kinesis_token_parse(lt_slice_str(text), token.kind, &back));
    assert_string_equal(back.name, "orders");
    assert_true(back.time_ms == token.time_ms);
    assert_memory_equal(back.n, token.n, sizeof(token.n));
}

static void a_token_of_the_longest_name_fits(void **state) {
    char name[129], text[LT_KINESIS_TOKEN_TEXT];
    struct lt_kinesis_token token, back;
    (void)state;

    memset(name, 'n', 128);
    name[128] = 0;
    token = make_token(name);
    lt_kinesis_token_format(&token, text);
    assert_true(strlen(text) <= 512);
    assert_true(lt_kinesis_token_parse(lt_slice_str(text), token.kind, &back));
    assert_string_equal(back.name, name);
}

static void a_changed_token_is_refused(void **state) {
    struct lt_kinesis_token token = make_token("orders"), back;
    char text[LT_KINESIS_TOKEN_TEXT];
    size_t len;
    (void)state;

    lt_kinesis_token_format(&token, text);
    len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        /* The last character before the padding may hold bits that say nothing. */
        if (i + 4 < len)
            assert_false(lt_kinesis_token_parse(lt_slice_str(text), token.kind, &back));
        text[i] = kept;
    }
    for (size_t n = 0; n < len; n++)
        assert_false(lt_kinesis_token_parse(lt_slice(text, n), token.kind, &back));
    assert_false(lt_kinesis_token_parse(lt_slice_str(text), LT_KINESIS_TOKEN_SHARDS, &back));
}

static void a_token_lives_five_minutes(void **state) {
    struct lt_kinesis_token token = make_token("orders");
    (void)state;

    assert_false(lt_kinesis_token_is_expired(&token));
    token.time_ms -= 299 * 1000;
    assert_false(lt_kinesis_token_is_expired(&token));
    token.time_ms -= 2 * 1000;
    assert_true(lt_kinesis_token_is_expired(&token));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_numbers_read_back),
        cmocka_unit_test(the_next_sequence_number_is_that_of_the_next_record),
        cmocka_unit_test(sequence_numbers_rise_within_a_shard_and_to_its_children),
        cmocka_unit_test(what_is_no_sequence_number_is_told),
        cmocka_unit_test(shard_ids_read_back),
        cmocka_unit_test(hash_keys_are_decimal_numbers_of_128_bits),
        cmocka_unit_test(a_token_reads_back),
        cmocka_unit_test(a_token_of_the_longest_name_fits),
        cmocka_unit_test(a_changed_token_is_refused),
        cmocka_unit_test(a_token_lives_five_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
