/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static char path[256];

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/leat-folder-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/data", dir);
    return 0;
}

static int tear_down(void **state) {
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

static struct lt_folder *lock(void) {
    struct lt_folder *folder;
    struct leat_error err;

    assert_int_equal(lt_folder_lock(&folder, path, &err), LEAT_OK);
    return folder;
}

static bool exists(const char *name) {
    char full[512];
    struct stat st;

    snprintf(full, sizeof(full), "%s/%s", path, name);
    return lstat(full, &st) == 0;
}

static int connect_to(const char *address) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(strlen(address) < sizeof(un.sun_path));
    memcpy(un.sun_path, address, strlen(address) + 1);
    if (connect(fd, (const struct sockaddr *)&un, sizeof(un))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void folder_is_made_with_all_that_is_above_and_in_it(void **state) {
    struct lt_folder *folder;

    (void)state;
    snprintf(path, sizeof(path), "%s/not/there//yet/", dir);
    folder = lock();
    assert_true(exists("lock") && exists("journal") && exists("buckets") && exists("tmp"));
    assert_false(exists("address"));
    assert_int_equal(lt_folder_path(folder)[0], '/');
    lt_folder_unlock(folder);
    folder = lock();
    lt_folder_unlock(folder);
    lt_folder_unlock(NULL);
}

static void folder_path_is_absolute_even_when_it_was_not_given_so(void **state) {
    char before[4096];
    struct lt_folder *folder;
    struct leat_error err;

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(dir), 0);
    leat_status status = lt_folder_lock(&folder, "data", &err);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(status, LEAT_OK);
    assert_string_equal(lt_folder_path(folder), path);
    lt_folder_unlock(folder);
}

static void folder_has_one_holder_at_a_time(void **state) {
    struct lt_folder *folder = lock();
    struct lt_folder *second;
    struct leat_error err;
    char pid[32];

    (void)state;
    assert_int_equal(lt_folder_lock(&second, path, &err), LEAT_E_BUSY);
    assert_null(second);
    snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    lt_folder_unlock(folder);
    lt_folder_unlock(lock());
}

static void folder_of_a_killed_process_is_free_and_its_leavings_are_cleared(void **state) {
    char ready;
    int pipes[2], status;
    struct leat_error err;
    char address[64];

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lt_folder *folder;
        int fd;
        if (lt_folder_lock(&folder, path, &err) != LEAT_OK ||
            lt_folder_listen(folder, &fd, &err) != LEAT_OK || write(pipes[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &ready, 1), 1);
    close(pipes[0]);
    struct lt_folder *folder;
    assert_int_equal(lt_folder_lock(&folder, path, &err), LEAT_E_BUSY);
    assert_int_equal(lt_folder_peer(path, address, &err), LEAT_OK);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(exists("address"));
    assert_int_equal(lt_folder_peer(path, address, &err), LEAT_E_NOT_FOUND);
    folder = lock();
    assert_false(exists("address"));
    lt_folder_unlock(folder);
}

static void folder_tmp_is_emptied_and_nothing_else(void **state) {
    char command[1024];
    struct lt_folder *folder = lock();

    (void)state;
    lt_folder_unlock(folder);
    snprintf(command, sizeof(command),
             "cd '%s' && mkdir -p tmp/a/b && echo x >tmp/a/b/c && echo x >tmp/d && "
             "mkdir buckets/keep && echo x >buckets/keep/k && ln -s ../buckets/keep tmp/link",
             path);
    assert_int_equal(system(command), 0);
    folder = lock();
    assert_true(exists("tmp"));
    assert_false(exists("tmp/a") || exists("tmp/d") || exists("tmp/link"));
    assert_true(exists("buckets/keep/k"));
    lt_folder_unlock(folder);
}

static void folder_tells_others_where_its_holder_answers_however_long_its_path(void **state) {
    struct lt_folder *folder;
    struct leat_error err;
    struct stat st;
    char address[64], again[64], full[600], got = 0;
    int listener;

    (void)state;
    size_t len = (size_t)snprintf(path, sizeof(path), "%s/", dir);
    memset(path + len, 'x', 120);
    path[len + 120] = '\0';
    folder = lock();
    assert_int_equal(lt_folder_listen(folder, &listener, &err), LEAT_OK);
    snprintf(full, sizeof(full), "%s/address", path);
    assert_int_equal(stat(full, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(S_ISSOCK(st.st_mode));
    assert_true(fcntl(listener, F_GETFL) & O_NONBLOCK);
    assert_int_equal(lt_folder_peer(path, address, &err), LEAT_OK);
    assert_int_equal(lt_folder_peer(path, again, &err), LEAT_OK);
    assert_string_equal(address, again);
    int client = connect_to(address);
    assert_true(client >= 0);
    assert_int_equal(write(client, "y", 1), 1);
    /* two connections only looked whether it answers */
    for (int i = 0; i < 3; i++) {
        int served = accept(listener, NULL, NULL);
        assert_true(served >= 0);
        if (read(served, &got, 1) == 1)
            assert_int_equal(got, 'y');
        close(served);
    }
    assert_int_equal(got, 'y');
    close(client);
    close(listener);
    lt_folder_unlock(folder);
    assert_int_not_equal(stat(full, &st), 0);
}

static void folder_without_a_holder_has_no_peer(void **state) {
    struct leat_error err;
    char address[64];

    (void)state;
    assert_int_equal(lt_folder_peer(path, address, &err), LEAT_E_NOT_FOUND);
    lt_folder_unlock(lock());
    assert_int_equal(lt_folder_peer(path, address, &err), LEAT_E_NOT_FOUND);
    assert_string_equal(address, "");
}

struct late {
    struct lt_folder *folder;
    int fd;
    leat_status status;
};

static void *listen_late(void *arg) {
    struct late *late = arg;
    struct leat_error err;

    poll(NULL, 0, 150);
    late->status = lt_folder_listen(late->folder, &late->fd, &err);
    return NULL;
}

static void folder_peer_waits_for_a_holder_that_is_starting(void **state) {
    struct late late = {.folder = lock()};
    struct leat_error err;
    pthread_t thread;
    char address[64];

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, listen_late, &late), 0);
    leat_status status = lt_folder_peer(path, address, &err);
    pthread_join(thread, NULL);
    assert_int_equal(late.status, LEAT_OK);
    assert_int_equal(status, LEAT_OK);
    close(late.fd);
    lt_folder_unlock(late.folder);
}

static void folder_peer_gives_up_on_a_holder_that_never_answers(void **state) {
    struct lt_folder *folder = lock();
    struct leat_error err;
    char address[64];
    int64_t start = lt_clock_mono_us();

    (void)state;
    assert_int_equal(lt_folder_peer(path, address, &err), LEAT_E_BUSY);
    assert_true(lt_clock_mono_us() - start >= 500000);
    lt_folder_unlock(folder);
}

static void folder_that_cannot_be_is_an_error_with_its_path(void **state) {
    struct lt_folder *folder;
    struct leat_error err;
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    fclose(file);
    assert_int_equal(lt_folder_lock(&folder, path, &err), LEAT_E_IO);
    assert_null(folder);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(lt_folder_lock(&folder, "", &err), LEAT_E_INVALID);
    assert_int_equal(lt_folder_lock(&folder, "/proc/leat-cannot-be-here", &err), LEAT_E_NOT_FOUND);
}

static void folder_had_in_passing_is_left_when_its_holder_ends(void **state) {
    (void)state;
    assert_false(lt_folder_is_left(path)); /* there is none */
    struct lt_folder *folder = lock();
    assert_false(lt_folder_is_left(path));
    lt_folder_unlock(folder);
    assert_false(lt_folder_is_left(path)); /* who had it comes back to it */
    folder = lock();
    lt_folder_pass(folder);
    assert_false(lt_folder_is_left(path));
    lt_folder_unlock(folder);
    assert_true(lt_folder_is_left(path));
    folder = lock();
    lt_folder_unlock(folder);
    assert_false(lt_folder_is_left(path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(folder_is_made_with_all_that_is_above_and_in_it),
        TEST(folder_path_is_absolute_even_when_it_was_not_given_so),
        TEST(folder_has_one_holder_at_a_time),
        TEST(folder_of_a_killed_process_is_free_and_its_leavings_are_cleared),
        TEST(folder_tmp_is_emptied_and_nothing_else),
        TEST(folder_tells_others_where_its_holder_answers_however_long_its_path),
        TEST(folder_without_a_holder_has_no_peer),
        TEST(folder_peer_waits_for_a_holder_that_is_starting),
        TEST(folder_peer_gives_up_on_a_holder_that_never_answers),
        TEST(folder_that_cannot_be_is_an_error_with_its_path),
        TEST(folder_had_in_passing_is_left_when_its_holder_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
