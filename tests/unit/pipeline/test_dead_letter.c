/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/dead_letter.h"

static struct lt_dead_letter letter_of(struct lt_slice data) {
    return (struct lt_dead_letter){
        .pipeline = LT_LIT("recommender"),
        .code = LT_LIT("ExpressionFailed"),
        .message = LT_LIT("\"two\" cannot be parsed as a number"),
        .expression = LT_LIT("set.overall_product_quantity"),
        .stream = LT_LIT("sessions"),
        .shard = LT_LIT("shardId-000000000001"),
        .sequence = LT_LIT("49000000000001"),
        .key = LT_LIT("a\"1"),
        .arrival_ms = 1700000000123,
        .data = data,
        .part = 1,
        .parts = lt_dead_letter_parts(data.len),
    };
}

static void dead_letter_gives_back_every_byte_and_where_it_came_from(void **state) {
    struct lt_arena arena;
    struct lt_dead_letter out;
    struct leat_error err;
    const char bytes[] = "\x00\xff{not json\n";
    struct lt_dead_letter in = letter_of(lt_slice(bytes, sizeof(bytes) - 1));

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    struct lt_slice text = lt_dead_letter_write(&in, &arena);
    assert_non_null(text.data);
    assert_int_equal(lt_dead_letter_read(&out, text, &arena, &err), LEAT_OK);
    assert_true(lt_slice_eq(out.data, in.data));
    assert_true(lt_slice_eq(out.message, in.message));
    assert_true(lt_slice_eq(out.expression, in.expression));
    assert_true(lt_slice_eq(out.sequence, in.sequence));
    assert_true(lt_slice_eq(out.key, in.key));
    assert_int_equal(out.arrival_ms, in.arrival_ms);
    assert_int_equal(out.parts, 1);
    lt_arena_deinit(&arena);
}

static void dead_letter_of_a_large_record_is_kept_in_parts_under_a_streams_limit(void **state) {
    struct lt_arena arena;
    struct lt_dead_letter out;
    struct leat_error err;
    size_t len = 1 << 20, n_back = 0;
    char *bytes = malloc(len), *back = malloc(len);

    (void)state;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 256);
    lt_arena_init(&arena, 64 << 20);
    struct lt_dead_letter in = letter_of(lt_slice(bytes, len));
    assert_int_equal(in.parts, 2);
    for (in.part = 1; in.part <= in.parts; in.part++) {
        struct lt_slice text = lt_dead_letter_write(&in, &arena);
        assert_in_range(text.len, 1, (1 << 20) - 1024);
        assert_int_equal(lt_dead_letter_read(&out, text, &arena, &err), LEAT_OK);
        assert_int_equal(out.part, in.part);
        assert_int_equal(out.parts, 2);
        memcpy(back + n_back, out.data.data, out.data.len);
        n_back += out.data.len;
    }
    assert_int_equal(n_back, len);
    assert_memory_equal(back, bytes, len);
    free(back);
    free(bytes);
    lt_arena_deinit(&arena);
}

static void dead_letter_read_refuses_what_is_none(void **state) {
    static const char *const texts[] = {"", "[]", "{}", "{\"rawData\":1}", "{\"rawData\":\"%%%\"}"};
    struct lt_arena arena;
    struct lt_dead_letter out;
    struct leat_error err;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(lt_dead_letter_read(&out, lt_slice_str(texts[i]), &arena, &err),
                         LEAT_E_PARSE);
        assert_non_null(strstr(err.text, "not a dead letter"));
    }
    lt_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_letter_gives_back_every_byte_and_where_it_came_from),
        cmocka_unit_test(dead_letter_of_a_large_record_is_kept_in_parts_under_a_streams_limit),
        cmocka_unit_test(dead_letter_read_refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
