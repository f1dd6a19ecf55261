/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dylib.h"
#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <stdalign.h>

static void arena_hands_out_aligned_memory_up_to_its_maximum(void **state) {
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 10000);
    for (size_t len = 1; len < 100; len++) {
        char *data = lt_arena_alloc(&arena, len);
        assert_non_null(data);
        assert_int_equal((uintptr_t)data % alignof(max_align_t), 0);
        memset(data, 0xee, len);
    }
    assert_null(lt_arena_alloc(&arena, 10000));
    assert_null(lt_arena_alloc(&arena, SIZE_MAX));
    assert_null(lt_arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_non_null(lt_arena_alloc(&arena, 10));
    lt_arena_deinit(&arena);
}

static void arena_reset_keeps_a_block_and_gives_all_of_the_maximum_again(void **state) {
    struct lt_arena arena;

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 15; i++)
            assert_non_null(lt_arena_calloc(&arena, 65536, 1));
        lt_arena_reset(&arena);
        assert_int_equal(arena.used, 0);
        assert_non_null(arena.head);
    }
    lt_arena_deinit(&arena);
    assert_null(arena.head);
}

static void arena_strings_are_copies(void **state) {
    struct lt_arena arena;
    char bytes[] = {'a', 'b', 'c'};

    (void)state;
    lt_arena_init(&arena, 1000);
    char *str = lt_arena_str(&arena, lt_slice(bytes, 3));
    struct lt_slice copy = lt_arena_dup(&arena, lt_slice(bytes, 3));
    bytes[0] = 'x';
    assert_string_equal(str, "abc");
    assert_true(lt_slice_eq_str(copy, "abc"));
    assert_int_equal(copy.data[3], 0);
    assert_string_equal(lt_arena_str(&arena, lt_slice(NULL, 0)), "");
    assert_string_equal(lt_arena_printf(&arena, "%d of %s", 3, "x"), "3 of x");
    assert_null(lt_arena_dup(&arena, lt_slice(bytes, 2000)).data);
    lt_arena_deinit(&arena);
}

static void error_tells_status_errno_and_text(void **state) {
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_fail_sys(&err, ENOSPC, "writing %s", "x"), LEAT_E_FULL);
    assert_int_equal(err.sys, ENOSPC);
    assert_string_equal(err.text, "writing x: No space left on device");
    assert_int_equal(lt_error_prefix(&err, "stream %s", "s"), LEAT_E_FULL);
    assert_string_equal(err.text, "stream s: writing x: No space left on device");
    assert_int_equal(lt_fail_code(&err, LEAT_E_NOT_FOUND, "ResourceNotFoundException", "no"),
                     LEAT_E_NOT_FOUND);
    assert_string_equal(err.code, "ResourceNotFoundException");
    assert_int_equal(err.sys, 0);
    assert_int_equal(lt_fail(NULL, LEAT_E_IO, 0, "nobody listens"), LEAT_E_IO);
}

static void error_text_too_long_is_cut_not_overrun(void **state) {
    struct leat_error err;
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)lt_fail(&err, LEAT_E_IO, EIO, "%s", text);
    assert_int_equal(strlen(err.text), LEAT_ERROR_TEXT_BYTES - 1);
    (void)lt_error_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), LEAT_ERROR_TEXT_BYTES - 1);
    (void)lt_fail_code(&err, LEAT_E_REMOTE, text, "x");
    assert_int_equal(strlen(err.code), sizeof(err.code) - 1);
}

static void error_every_status_has_its_row(void **state) {
    (void)state;
    for (int s = 0; s < LEAT_N_STATUS; s++) {
        assert_non_null(leat_status_name((leat_status)s));
        assert_true(strlen(leat_status_text((leat_status)s)) > 0);
        assert_in_range(lt_status_http((leat_status)s), 200, 599);
    }
    assert_string_equal(leat_status_name((leat_status)999), "LEAT_E_INTERNAL");
    assert_true(leat_status_is_retryable(LEAT_E_THROTTLED));
    assert_false(leat_status_is_retryable(LEAT_E_INVALID));
}

static void dylib_names_library_symbol_and_package_when_it_fails(void **state) {
    void *slot = NULL;
    const struct lt_dylib_symbol missing[] = {{"no_such_function", &slot}};
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_dylib_open("libnosuch.so.1", "libnosuch1", NULL, 0, &err),
                     LEAT_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "libnosuch.so.1"));
    assert_non_null(strstr(err.text, "libnosuch1"));
    assert_int_equal(lt_dylib_open("libc.so.6", "libc6", missing, 1, &err), LEAT_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "no_such_function"));
    assert_null(slot);
}

static void dylib_fills_the_slots(void **state) {
    static typeof(strlen) *length;
    const struct lt_dylib_symbol symbols[] = {{"strlen", &length}};
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_dylib_open("libc.so.6", "libc6", symbols, 1, &err), LEAT_OK);
    assert_int_equal(length("four"), 4);
}

static char logged[4096];
static size_t n_logged;

static void keep_line(const char *line, size_t len) {
    assert_true(len < sizeof(logged));
    memcpy(logged, line, len);
    logged[len] = '\0';
    n_logged++;
}

static void log_writes_whole_lines_from_its_level_on(void **state) {
    (void)state;
    n_logged = 0;
    lt_log(LT_LOG_ERROR, "base", "before the set-up");
    lt_log_setup(LT_LOG_INFO, LT_LOG_TEXT, keep_line);
    lt_log(LT_LOG_DEBUG, "base", "not wanted");
    assert_int_equal(n_logged, 0);
    lt_log(LT_LOG_INFO, "base", "%d records", 5);
    assert_int_equal(n_logged, 1);
    assert_non_null(strstr(logged, "5 records"));
    assert_int_equal(logged[strlen(logged) - 1], '\n');
    lt_log(LT_LOG_WARN, "base", "one\ntwo");
    assert_non_null(strstr(logged, "one two\n"));
    lt_log_setup(LT_LOG_ERROR, LT_LOG_TEXT, NULL);
}

static void log_json_lines_escape_their_text(void **state) {
    (void)state;
    n_logged = 0;
    lt_log_setup(LT_LOG_INFO, LT_LOG_JSON, keep_line);
    lt_log(LT_LOG_WARN, "base", "a \"quoted\" line\nand\ta \\ and \x01");
    lt_log_setup(LT_LOG_ERROR, LT_LOG_TEXT, NULL);
    assert_int_equal(n_logged, 1);
    assert_int_equal(logged[0], '{');
    assert_non_null(strstr(logged, "a \\\"quoted\\\" line\\u000a"));
    assert_non_null(strstr(logged, "\\\\"));
    assert_non_null(strstr(logged, "\\u0001"));
    assert_ptr_equal(strchr(logged, '\n'), logged + strlen(logged) - 1);
}

static void clock_mono_never_goes_back_and_wall_is_after_2020(void **state) {
    int64_t before = lt_clock_mono_us();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = lt_clock_mono_us();
        assert_true(now >= before);
        before = now;
    }
    assert_true(lt_clock_wall_ms() > 1577836800000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_hands_out_aligned_memory_up_to_its_maximum),
        cmocka_unit_test(arena_reset_keeps_a_block_and_gives_all_of_the_maximum_again),
        cmocka_unit_test(arena_strings_are_copies),
        cmocka_unit_test(error_tells_status_errno_and_text),
        cmocka_unit_test(error_text_too_long_is_cut_not_overrun),
        cmocka_unit_test(error_every_status_has_its_row),
        cmocka_unit_test(dylib_names_library_symbol_and_package_when_it_fails),
        cmocka_unit_test(dylib_fills_the_slots),
        cmocka_unit_test(log_writes_whole_lines_from_its_level_on),
        cmocka_unit_test(log_json_lines_escape_their_text),
        cmocka_unit_test(clock_mono_never_goes_back_and_wall_is_after_2020),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
