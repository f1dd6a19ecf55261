/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/claim.h"

static char dir[64];

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "/tmp/leat-claim-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static void claim_is_refused_while_another_has_it(void **state) {
    struct leat_error err;
    int first, second;

    (void)state;
    assert_int_equal(lt_claim_take(dir, "pipeline-a", &first, &err), LEAT_OK);
    assert_int_equal(lt_claim_take(dir, "pipeline-a", &second, &err), LEAT_E_BUSY);
    assert_int_equal(second, -1);
    assert_non_null(strstr(err.text, "pipeline-a"));
    assert_int_equal(lt_claim_take(dir, "pipeline-b", &second, &err), LEAT_OK);
    close(second);
    close(first);
    assert_int_equal(lt_claim_take(dir, "pipeline-a", &first, &err), LEAT_OK);
    close(first);
}

static void claim_of_a_process_that_was_killed_is_free_again(void **state) {
    struct leat_error err;
    int fd, status, ready[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (lt_claim_take(dir, "p", &fd, &err) == LEAT_OK && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(lt_claim_take(dir, "p", &fd, &err), LEAT_E_BUSY);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(lt_claim_take(dir, "p", &fd, &err), LEAT_OK);
    close(fd);
    close(ready[0]);
    close(ready[1]);
}

static void claim_in_a_folder_that_cannot_be_made_says_which(void **state) {
    struct leat_error err;
    int fd;

    (void)state;
    assert_int_equal(lt_claim_take("/dev/null/x", "p", &fd, &err), LEAT_E_IO);
    assert_non_null(strstr(err.text, "/dev/null/x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(claim_is_refused_while_another_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(claim_of_a_process_that_was_killed_is_free_again, set_up,
                                        tear_down),
        cmocka_unit_test(claim_in_a_folder_that_cannot_be_made_says_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
