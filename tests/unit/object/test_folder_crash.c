/* SPDX-License-Identifier: Apache-2.0 */
/* What crashes and threads must not do to the folder's objects. */
#include "folder_room.h"

#include "base/hash.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct writer {
    struct room *room;
    unsigned seed;
};

/** An intent for "k" whose file has the inode of `path`. */
static void set_intent(struct room *room, const char *path) {
    struct stat st;
    char body[256];
    assert_int_equal(stat(path, &st), 0);
    snprintf(
        body, sizeof(body),
        "{\"size\":6,\"etag\":\"a9f0e61a137d86aa9db53465e0801612\",\"modified\":5,\"ino\":%llu,"
        "\"type\":\"text/new\"}",
        (unsigned long long)st.st_ino);
    assert_int_equal(lt_state_set(room->state, "object-intent", LT_LIT("lake/k"),
                                  lt_slice_str(body), &room->err),
                     LEAT_OK);
}

static void replacement_cut_short_is_finished_or_undone(void **state) {
    struct room *room = *state;
    struct lt_object_info info;
    char file[128], fresh[128];
    snprintf(file, sizeof(file), "%s/buckets/lake/k", room->dir);
    snprintf(fresh, sizeof(fresh), "%s/tmp/fresh", room->dir);
    for (int restart = 0; restart < 2; restart++) {
        put(room, "k", "old");
        int fd = open(fresh, O_CREAT | O_WRONLY | O_TRUNC, 0600);
        assert_int_equal(write(fd, "newest", 6), 6);
        close(fd);
        set_intent(room, fresh); /* cut short before the rename: nothing has happened */
        if (restart) {
            close_room(room);
            open_room(room);
        }
        expect(room, "k", "old");
        set_intent(room, fresh);
        assert_int_equal(rename(fresh, file), 0); /* and after it: the new one stands */
        if (restart) {
            close_room(room);
            open_room(room);
        }
        assert_int_equal(lt_object_folder_open(room->folder, "lake", LT_LIT("k"), &room->arena,
                                               &info, NULL, &room->err),
                         LEAT_OK);
        assert_int_equal(info.size, 6);
        assert_true(lt_slice_eq_str(info.content_type, "text/new"));
        expect_sums(room, 1, 6);
        uint64_t n;
        assert_int_equal(lt_state_count(room->state, "object-intent", &n, &room->err), LEAT_OK);
        assert_int_equal(n, 0);
    }
}

static void removal_of_a_bucket_that_a_crash_cut_short_is_carried_on(void **state) {
    struct room *room = *state;
    put(room, "k", "x");
    assert_int_equal(lt_state_set(room->state, "bucket", LT_LIT("lake"),
                                  LT_LIT("{\"created\":1,\"objects\":1,\"bytes\":1,"
                                         "\"deleting\":true}"),
                                  &room->err),
                     LEAT_OK);
    close_room(room);
    open_room(room);
    assert_false(lt_object_folder_has(room->folder, "lake", NULL));
    assert_int_equal(n_files_in(room, "buckets"), 0);
    uint64_t n;
    assert_int_equal(lt_state_count(room->state, "object/lake", &n, &room->err), LEAT_OK);
    assert_int_equal(n, 0);
}

/** Puts, reads, and removes a few keys that stand in each other's way. */
static void *churn(void *arg) {
    static const char *const keys[] = {"a", "a/b", "a/b/c", "a/c", "d/"};
    struct writer *writer = arg;
    struct lt_object_folder *folder = writer->room->folder;
    struct lt_object_store *store = writer->room->store;
    struct leat_error err;

    for (int i = 0; i < 60; i++) {
        struct lt_slice key = lt_slice_str(keys[rand_r(&writer->seed) % 5]);
        char data[32];
        snprintf(data, sizeof(data), "%u", writer->seed);
        struct lt_object_put object = {.key = key, .data = lt_slice_str(data)};
        struct lt_object_info info;
        struct lt_arena arena;
        int fd;
        leat_status status;
        lt_arena_init(&arena, 1 << 20);
        switch (rand_r(&writer->seed) % 3) {
        case 0:
            status = store->ops->put(store, "lake", &object, &err);
            break;
        case 1:
            status = lt_object_folder_remove(folder, "lake", key, &err);
            break;
        default:
            status = lt_object_folder_open(folder, "lake", key, &arena, &info, &fd, &err);
            if (status == LEAT_OK) {
                uint8_t digest[LT_MD5_BYTES];
                char etag[40];
                ssize_t n = read(fd, data, sizeof(data));
                close(fd);
                lt_md5(lt_slice(data, (size_t)n), digest);
                lt_hex(digest, sizeof(digest), etag);
                if (strcmp(etag, info.etag) != 0)
                    status = LEAT_E_CORRUPT;
            }
            if (status == LEAT_E_NOT_FOUND)
                status = LEAT_OK;
        }
        lt_arena_deinit(&arena);
        if (status != LEAT_OK)
            return strdup(err.text);
    }
    return NULL;
}

static void threads_never_see_bytes_and_etag_of_different_puts(void **state) {
    struct room *room = *state;
    pthread_t threads[4];
    struct writer writers[4];
    for (unsigned i = 0; i < 4; i++) {
        writers[i] = (struct writer){room, i * 7919 + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &writers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        if (wrong)
            fail_msg("%s", (char *)wrong);
    }
    struct lt_object_listing listing;
    struct lt_object_list list = {.max = 1000};
    uint64_t bytes = 0;
    assert_int_equal(
        lt_object_folder_list(room->folder, "lake", &list, &room->arena, &listing, &room->err),
        LEAT_OK);
    for (size_t i = 0; i < listing.n; i++) {
        bytes += listing.entries[i].info.size;
        (void)get(room, listing.entries[i].info.key);
    }
    expect_sums(room, listing.n, bytes);
}

static void kill_at_any_moment_leaves_whole_objects_and_true_sums(void **state) {
    struct room *room = *state;
    for (int round = 0; round < 12; round++) {
        close_room(room);
        pid_t child = fork();
        if (child == 0) {
            open_room(room);
            struct writer writer = {room, (unsigned)round * 31 + 5};
            for (;;)
                if (churn(&writer))
                    _exit(1);
        }
        usleep((useconds_t)(20000 + round * 7000));
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        open_room(room);
        struct lt_object_listing listing;
        struct lt_object_list list = {.max = 1000};
        uint64_t bytes = 0;
        assert_int_equal(
            lt_object_folder_list(room->folder, "lake", &list, &room->arena, &listing, &room->err),
            LEAT_OK);
        for (size_t i = 0; i < listing.n; i++) {
            bytes += listing.entries[i].info.size;
            assert_string_not_equal(get(room, listing.entries[i].info.key), "(none)");
        }
        expect_sums(room, listing.n, bytes);
    }
}

static void put_that_the_disk_does_not_take_changes_nothing(void **state) {
    enum { LEN = 1 << 20 };
    struct room *room = *state;
    char *data = calloc(1, LEN);
    struct lt_object_put object = {.key = LT_LIT("k"), .data = lt_slice(data, LEN)};
    struct rlimit limit, tight;
    put(room, "k", "before");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    tight = limit;
    tight.rlim_cur = LEN / 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    leat_status status = room->store->ops->put(room->store, "lake", &object, &room->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, LEAT_E_IO);
    expect(room, "k", "before");
    expect_sums(room, 1, 6);
    assert_int_equal(n_files_in(room, "tmp"), 0);
    assert_int_equal(room->store->ops->put(room->store, "lake", &object, &room->err), LEAT_OK);
    expect_sums(room, 1, LEN);
    free(data);
}

/** A put whose every call into the state fails after it was made unwritable. */
static void put_that_the_state_does_not_take_changes_nothing(void **state) {
    struct room *room = *state;
    struct lt_object_put object = {.key = LT_LIT("new"), .data = LT_LIT("after")};
    struct rlimit limit, tight;
    put(room, "k", "before");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    tight = limit;
    tight.rlim_cur = 64; /* enough for the object, not for a page of the state */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    leat_status status = room->store->ops->put(room->store, "lake", &object, &room->err);
    object.key = LT_LIT("k");
    leat_status replaced = room->store->ops->put(room->store, "lake", &object, &room->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_not_equal(status, LEAT_OK);
    assert_int_not_equal(replaced, LEAT_OK);
    expect(room, "new", "(none)");
    expect(room, "k", "before");
    assert_false(exists(room, "buckets/lake/new"));
    expect_sums(room, 1, 6);
    assert_int_equal(n_files_in(room, "tmp"), 0);
    put(room, "new", "after");
    expect(room, "new", "after");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ROOM_TEST(replacement_cut_short_is_finished_or_undone),
        ROOM_TEST(removal_of_a_bucket_that_a_crash_cut_short_is_carried_on),
        ROOM_TEST(put_that_the_disk_does_not_take_changes_nothing),
        ROOM_TEST(put_that_the_state_does_not_take_changes_nothing),
        ROOM_TEST(threads_never_see_bytes_and_etag_of_different_puts),
        ROOM_TEST(kill_at_any_moment_leaves_whole_objects_and_true_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
