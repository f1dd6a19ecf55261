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

/* A value of four bytes; one time in 50 another one, that may be no JSON. */
static void make_fixed(struct maker *m, const char *name, const char *usual, bool is_last) {
    static const char *const others[] = {"\"\"",
                                         "\"a\\\"b\"",
                                         "\"ab\"",
                                         "\"abcd\"",
                                         "\"a\\n\"",
                                         "\"\t\"",
                                         "\"ab\xc3\xa9\"",
                                         "7",
                                         "12",
                                         "012",
                                         "0",
                                         "0000",
                                         "-1",
                                         "-12",
                                         "1234567",
                                         "12345678",
                                         "1.23",
                                         "12.3",
                                         "12.",
                                         ".123",
                                         "1e12",
                                         "12e3",
                                         "1.2e",
                                         "1e+1",
                                         "1.2e-7",
                                         "0.12",
                                         "00.1",
                                         "123",
                                         "true",
                                         "null",
                                         "1234.5",
                                         "1234e2",
                                         "{\"\":1}",
                                         "[1.5]",
                                         "\"12\"",
                                         "\"1.2\"",
                                         "123456789012345678901"};

    lt_buf_append_byte(m->out, '"');
    lt_buf_append_str(m->out, name);
    lt_buf_append_str(m->out, "\": ");
    lt_buf_append_str(m->out, make_number(m, 50)
                                  ? usual
                                  : make_choice(m, others, sizeof(others) / sizeof(*others)));
    lt_buf_append_str(m->out, is_last ? "}" : ", ");
}

/* All of the same shape, and most of the same length, as the walk soon takes for granted. */
static void make_regular(struct maker *m) {
    static const char *const codes[] = {"\"S1_2\"", "\"S3_4\"", "\"S5_6\""};
    static const char *const wholes[] = {"4711", "1000", "9999"};
    static const char *const prices[] = {"1.50", "0.99", "9.00"};

    lt_buf_clear(m->out);
    lt_buf_append_byte(m->out, '{');
    make_fixed(m, "id", make_choice(m, codes, 3), false);
    make_fixed(m, "weight", make_choice(m, prices, 3), false);
    make_fixed(m, "number", make_choice(m, wholes, 3), false);
    make_fixed(m, "country", make_number(m, 2) ? "\"USA\"" : "\"Spain\"", false);
    lt_buf_append_str(m->out, "\"items\": [");
    for (unsigned i = 1 + make_number(m, 4); i > 0; i--) {
        lt_buf_append_byte(m->out, '{');
        make_fixed(m, "product_code", make_choice(m, codes, 3), false);
        make_fixed(m, "text", "\"twelve bytes\"", false);
        make_fixed(m, "price", make_choice(m, prices, 3), false);
        make_fixed(m, "quantity", make_choice(m, wholes, 3), true);
        lt_buf_append_str(m->out, i > 1 ? ", " : "]}");
    }
    if (make_number(m, 100) == 0)
        m->out->len -= make_number(m, 60);
}

static void compare_regular(const char *walker, const struct pair_texts *texts, unsigned n) {
    struct lt_arena arena;
    struct lt_buf record;
    struct pair p;

    if (!lt_fuse_walker_use(walker))
        return; /* not on this machine */
    lt_arena_init(&arena, 64 << 20);
    lt_buf_init(&record, 1 << 20);
    struct maker m = {.state = 3, .out = &record};
    pair_init(&p, texts, false);
    for (unsigned k = 0; k < n; k++) {
        make_regular(&m);
        assert_true(pair_agree(&p, lt_buf_slice(&record), &arena));
        lt_arena_reset(&arena);
    }
    print_message("%zu of %zu records fused\n", p.n_fused, p.n_asked);
    assert_true(p.n_fused > n / 2);
    pair_deinit(&p);
    lt_buf_deinit(&record);
    lt_arena_deinit(&arena);
}

static void values_that_nearly_always_have_one_length_may_have_another(void **state) {
    static const struct pair_texts texts[] = {
        {.sets = {"sum", "[.items[].quantity] | add", "n",
                  "[.items[].product_code] | unique | length", "cheap",
                  "[.items[] | select(.product_code == \"S1_2\") | .quantity] | add"},
         .routes = {"us", ".country == \"USA\"", "big", ".number > 2000"},
         .key = ".id"},
        {.sets = {"number", ".number", "id", ".id"}, .routes = {"one", ".id == \"S1_2\""}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        compare_regular("avx2", &texts[i], 40000);
        compare_regular("portable", &texts[i], 4000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fuse_says_what_the_evaluator_says_of_random_records_with_avx2),
        cmocka_unit_test(fuse_says_what_the_evaluator_says_of_random_records_in_plain_c),
        cmocka_unit_test(values_that_nearly_always_have_one_length_may_have_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
