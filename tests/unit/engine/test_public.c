/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <leat/engine.h>
#include <leat/version.h>

static void library_opens_an_engine_and_says_its_port(void **state) {
    char dir[] = "/tmp/leat-public-XXXXXX", command[64];
    struct leat_engine *engine, *second;
    struct leat_error err;

    (void)state;
    assert_non_null(mkdtemp(dir));
    const struct leat_engine_options options = {.data_dir = dir, .listen = "127.0.0.1:0"};
    assert_int_equal(leat_engine_open(&engine, &options, &err), LEAT_OK);
    assert_in_range(leat_engine_port(engine), 1, 65535);
    assert_int_equal(leat_engine_open(&second, &options, &err), LEAT_E_BUSY);
    assert_null(second);
    leat_engine_close(engine);
    leat_engine_close(NULL);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void library_names_its_statuses(void **state) {
    (void)state;
    assert_string_equal(leat_status_name(LEAT_E_FULL), "LEAT_E_FULL");
    assert_true(leat_status_is_retryable(LEAT_E_THROTTLED));
    assert_false(leat_status_is_retryable(LEAT_E_INVALID));
    for (int i = 0; i < LEAT_N_STATUS; i++)
        assert_true(strlen(leat_status_text((leat_status)i)) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_opens_an_engine_and_says_its_port),
        cmocka_unit_test(library_names_its_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
