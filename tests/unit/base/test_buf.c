/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static void buf_append_over_its_maximum_fails_and_keeps_what_it_had(void **state) {
    struct lt_buf buf;
    struct leat_error err;

    (void)state;
    lt_buf_init(&buf, 8);
    lt_buf_append_str(&buf, "12345");
    lt_buf_append_str(&buf, "6789");
    assert_int_equal(lt_buf_status(&buf, &err), LEAT_E_NOMEM);
    assert_int_equal(buf.len, 5);
    lt_buf_append_str(&buf, "6");
    assert_int_equal(buf.len, 5);
    lt_buf_clear(&buf);
    assert_int_equal(lt_buf_status(&buf, &err), LEAT_OK);
    lt_buf_deinit(&buf);
}

static void buf_printf_and_u64_append_text(void **state) {
    struct lt_buf buf;

    (void)state;
    lt_buf_init(&buf, 1000);
    lt_buf_append_u64(&buf, UINT64_MAX);
    lt_buf_printf(&buf, " %s %d", "x", -1);
    assert_true(lt_slice_eq_str(lt_buf_slice(&buf), "18446744073709551615 x -1"));
    lt_buf_consume(&buf, 21);
    assert_string_equal(lt_buf_cstr(&buf), "x -1");
    lt_buf_deinit(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_append_over_its_maximum_fails_and_keeps_what_it_had),
        cmocka_unit_test(buf_printf_and_u64_append_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
