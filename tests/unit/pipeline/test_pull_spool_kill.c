/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process spools and commits how far it came; it is killed at each of its steps in turn,
 * another child goes on, and the folder of objects must then hold each record once, in order.
 */
#include "pull_spool_rig.h"

/* One run in a child, killed at its nth point. True when it came to its end. */
static bool run_child(struct rig *rig, unsigned nth) {
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        kill_at = nth;
        n_points = 0;
        open_rig(rig);
        take_records(rig, N_RECORDS);
        finish(rig, N_RECORDS);
        close_rig(rig);
        _exit(rig->failed ? FAILED : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
    return WEXITSTATUS(status) == 0;
}

static void start_over(struct rig *rig) {
    nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(rig->dir, 0777), 0);
}

static void killed_at_any_step_each_record_is_in_an_object_once(void **state) {
    struct rig *rig = *state;
    unsigned nth = 1;
    for (;; nth++) {
        start_over(rig);
        bool ended = run_child(rig, nth);
        if (!ended)
            assert_true(run_child(rig, 0));
        assert_everything_once(rig);
        if (ended)
            break;
    }
    assert_true(nth > 60); /* that many steps there are at least */
}

static void killed_again_and_again_it_still_comes_to_the_end(void **state) {
    struct rig *rig = *state;
    for (unsigned step = 11; step < 60; step += 8) {
        unsigned nth = step, n_runs = 1;
        start_over(rig);
        while (!run_child(rig, nth)) {
            n_runs++;
            nth++; /* so that it ends for sure */
        }
        assert_true(n_runs > 1);
        assert_everything_once(rig);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(killed_at_any_step_each_record_is_in_an_object_once),
        TEST(killed_again_and_again_it_still_comes_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
