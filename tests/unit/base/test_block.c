/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/block.h"

enum { MANY = 200 };

static void blocks_stand_on_pages_and_none_is_given_out_twice(void **state) {
    char *blocks[MANY];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            blocks[i] = lt_block_take();
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % LT_BLOCK_ALIGN, 0);
            memset(blocks[i], i, LT_BLOCK_BYTES);
        }
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(blocks[i][0], (char)i);
            assert_int_equal(blocks[i][LT_BLOCK_BYTES - 1], (char)i);
            lt_block_give(blocks[i]);
        }
        if (round == 1)
            lt_block_trim();
    }
    lt_block_give(NULL);
    lt_block_trim();
}

static void an_arena_of_all_sizes_gives_its_blocks_back(void **state) {
    static const size_t sizes[] = {1, 4000,   100000, LT_ARENA_SHARED_BYTES, LT_BLOCK_BYTES,
                                   3, 1 << 20};
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 64 << 20);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            char *bytes = lt_arena_alloc(&arena, sizes[i]);
            assert_non_null(bytes);
            memset(bytes, 1, sizes[i]);
        }
        if (round == 1)
            lt_arena_reset(&arena);
    }
    lt_arena_deinit(&arena);
    assert_int_equal(arena.used, 0);
    lt_block_trim();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_stand_on_pages_and_none_is_given_out_twice),
        cmocka_unit_test(an_arena_of_all_sizes_gives_its_blocks_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
