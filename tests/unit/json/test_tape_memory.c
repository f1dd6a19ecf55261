/* SPDX-License-Identifier: Apache-2.0 */
/* Each malloc is led here by the linker: it may be told to fail, and is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/tape.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool fails;
static unsigned n_calls;

void *__wrap_malloc(size_t size) {
    n_calls++;
    return fails ? NULL : __real_malloc(size);
}

static void a_tape_without_memory_says_so_and_is_of_use_afterwards(void **state) {
    struct lt_json_tape tape = {0};
    struct leat_error err;

    (void)state;
    fails = true;
    assert_int_equal(lt_json_tape_parse(&tape, LT_LIT("[1]"), 2, &err), LEAT_E_NOMEM);
    assert_int_equal(lt_json_tape_scan(&tape, LT_LIT("[1]"), &err), LEAT_E_NOMEM);
    fails = false;
    assert_int_equal(lt_json_tape_parse(&tape, LT_LIT("[1]"), 2, &err), LEAT_OK);
    assert_int_equal(tape.n, 3);

    char large[4096]; /* does not fit; the tape is as new */
    memset(large, ' ', sizeof(large));
    large[0] = '1';
    fails = true;
    assert_int_equal(lt_json_tape_parse(&tape, lt_slice(large, sizeof(large)), 2, &err),
                     LEAT_E_NOMEM);
    fails = false;
    assert_int_equal(lt_json_tape_parse(&tape, lt_slice(large, sizeof(large)), 2, &err), LEAT_OK);
    assert_int_equal(tape.n, 1);
    lt_json_tape_deinit(&tape);
    lt_json_tape_deinit(&tape);
}

static void a_tape_allocates_only_for_a_text_larger_than_all_before(void **state) {
    static const char text[] = "{\"a\":[1,2,{\"b\":null}],\"c\":\"\\n\"}";
    struct lt_json_tape tape = {0};

    (void)state;
    n_calls = 0;
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(lt_json_tape_parse(&tape, lt_slice_str(text), 8, NULL), LEAT_OK);
    assert_int_equal(n_calls, 1);
    /* texts that grow a byte each time: few allocations, not one each */
    char growing[3000];
    memset(growing, ' ', sizeof(growing));
    growing[0] = '1';
    for (size_t len = 1; len <= sizeof(growing); len++)
        assert_int_equal(lt_json_tape_parse(&tape, lt_slice(growing, len), 8, NULL), LEAT_OK);
    assert_in_range(n_calls, 2, 12);
    lt_json_tape_deinit(&tape);
}

static void a_text_of_4_gib_is_refused_before_it_is_looked_at(void **state) {
    struct lt_json_tape tape = {0};
    struct leat_error err;
    static const char text[] = "1";

    (void)state;
    assert_int_equal(lt_json_tape_parse(&tape, lt_slice(text, (size_t)UINT32_MAX + 1), 1, &err),
                     LEAT_E_LIMIT);
    assert_non_null(strstr(err.text, "4 GiB"));
    lt_json_tape_deinit(&tape);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tape_without_memory_says_so_and_is_of_use_afterwards),
        cmocka_unit_test(a_tape_allocates_only_for_a_text_larger_than_all_before),
        cmocka_unit_test(a_text_of_4_gib_is_refused_before_it_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
