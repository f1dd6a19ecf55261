/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuse_kit.h"

static void compare_at_random(const char *walker, uint64_t seed, unsigned n) {
    struct lt_arena arena;
    struct lt_buf record;

    if (!lt_fuse_walker_use(walker))
        return; /* not on this machine */
    lt_arena_init(&arena, 64 << 20);
    lt_buf_init(&record, 1 << 20);
    for (size_t i = 0; i < sizeof(pair_pipelines) / sizeof(*pair_pipelines); i++) {
        struct maker m = {.state = seed + i, .out = &record};
        struct pair p;
        pair_init(&p, &pair_pipelines[i], false);
        for (unsigned k = 0; k < n; k++) {
            make_record(&m);
            assert_true(pair_agree(&p, lt_buf_slice(&record), &arena));
            lt_arena_reset(&arena);
        }
        print_message("pipeline %zu: %zu of %zu records fused\n", i, p.n_fused, p.n_asked);
        assert_true(p.n_fused > n / 50);
        pair_deinit(&p);
    }
    lt_buf_deinit(&record);
    lt_arena_deinit(&arena);
}

static void fuse_says_what_the_evaluator_says_of_random_records_with_avx2(void **state) {
    (void)state;
    compare_at_random("avx2", 1, 4000);
}

static void fuse_says_what_the_evaluator_says_of_random_records_in_plain_c(void **state) {
    (void)state;
    compare_at_random("portable", 1000, 2000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fuse_says_what_the_evaluator_says_of_random_records_with_avx2),
        cmocka_unit_test(fuse_says_what_the_evaluator_says_of_random_records_in_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
