/* SPDX-License-Identifier: Apache-2.0 */
#include "object/plain.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct room {
    char dir[64];
    char root[96];
    struct lt_object_store *store;
    struct lt_arena arena;
    struct leat_error err;
};

static int set_up(void **state) {
    struct room *room = calloc(1, sizeof(*room));
    assert_non_null(room);
    snprintf(room->dir, sizeof(room->dir), "/tmp/leat-plain-XXXXXX");
    assert_non_null(mkdtemp(room->dir));
    snprintf(room->root, sizeof(room->root), "%s/a/b", room->dir);
    assert_int_equal(lt_object_plain_new(&room->store, room->root, &room->err), LEAT_OK);
    lt_arena_init(&room->arena, 1 << 20);
    *state = room;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state) {
    struct room *room = *state;
    room->store->ops->close(room->store);
    lt_arena_deinit(&room->arena);
    nftw(room->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(room);
    return 0;
}

static leat_status put(struct room *room, const char *bucket, const char *key, const char *data) {
    const struct lt_object_put object = {.key = lt_slice_str(key), .data = lt_slice_str(data)};
    return room->store->ops->put(room->store, bucket, &object, &room->err);
}

static void assert_file(struct room *room, const char *name, const char *data) {
    char path[256], text[256];
    snprintf(path, sizeof(path), "%s/%s", room->root, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[n] = '\0';
    assert_string_equal(text, data);
}

static size_t count_files(const char *path) {
    DIR *dir = opendir(path);
    size_t n = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static void an_object_is_a_file_under_bucket_and_key(void **state) {
    struct room *room = *state;
    assert_int_equal(put(room, "lake", "albums/2026/x.jsonl", "{}\n"), LEAT_OK);
    assert_int_equal(put(room, "", "top", ""), LEAT_OK);
    assert_file(room, "lake/albums/2026/x.jsonl", "{}\n");
    assert_file(room, "top", "");
}

static void a_second_put_replaces_the_object_and_leaves_nothing_else(void **state) {
    struct room *room = *state;
    char path[256];
    assert_int_equal(put(room, "lake", "k", "one"), LEAT_OK);
    assert_int_equal(put(room, "lake", "k", "2"), LEAT_OK);
    assert_file(room, "lake/k", "2");
    snprintf(path, sizeof(path), "%s/lake", room->root);
    assert_int_equal(count_files(path), 1);
}

static void keys_that_lead_elsewhere_are_refused(void **state) {
    struct room *room = *state;
    const char *const keys[] = {"",     "/",     "/etc/x", "..",  "../x", "a/../../x",
                                "a//x", "a/./b", "a/",     "./x", "a/..", "."};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(put(room, "lake", keys[i], "no"), LEAT_E_INVALID);
    assert_int_equal(put(room, "..", "x", "no"), LEAT_E_INVALID);
    assert_int_equal(put(room, "a/b", "x", "no"), LEAT_E_INVALID);
    assert_int_equal(count_files(room->root), 0);
    assert_int_equal(count_files(room->dir), 1);
}

static void dots_inside_a_name_are_no_way_out(void **state) {
    struct room *room = *state;
    assert_int_equal(put(room, "", "..x/y..z/...", "yes"), LEAT_OK);
    assert_file(room, "..x/y..z/...", "yes");
}

static void head_tells_the_size_or_that_there_is_none(void **state) {
    struct room *room = *state;
    const struct lt_object_ops *ops = room->store->ops;
    struct lt_object_info info;
    assert_int_equal(put(room, "lake", "a/k", "12345"), LEAT_OK);
    assert_int_equal(ops->head(room->store, "lake", LT_LIT("a/k"), &room->arena, &info, &room->err),
                     LEAT_OK);
    assert_int_equal(info.size, 5);
    assert_true(info.modified_ms > 0);
    assert_true(lt_slice_eq(info.key, LT_LIT("a/k")));
    assert_int_equal(
        ops->head(room->store, "lake", LT_LIT("a/no"), &room->arena, &info, &room->err),
        LEAT_E_NOT_FOUND);
    assert_int_equal(ops->head(room->store, "lake", LT_LIT("a"), &room->arena, &info, &room->err),
                     LEAT_E_NOT_FOUND);
    assert_int_equal(ops->head(room->store, "none", LT_LIT("a/k"), &room->arena, &info, &room->err),
                     LEAT_E_NOT_FOUND);
}

static void a_put_that_cannot_be_is_an_error_that_names_key_and_folder(void **state) {
    struct room *room = *state;
    assert_int_equal(put(room, "lake", "file", "x"), LEAT_OK);
    assert_int_equal(put(room, "lake", "file/below", "x"), LEAT_E_IO);
    assert_non_null(strstr(room->err.text, "file/below"));
    assert_non_null(strstr(room->err.text, room->root));
    assert_file(room, "lake/file", "x");
}

static void a_bucket_is_made_once(void **state) {
    struct room *room = *state;
    const struct lt_object_ops *ops = room->store->ops;
    assert_int_equal(ops->create_bucket(room->store, "lake", &room->err), LEAT_OK);
    assert_int_equal(ops->create_bucket(room->store, "lake", &room->err), LEAT_E_EXISTS);
    assert_int_equal(ops->create_bucket(room->store, "../lake", &room->err), LEAT_E_INVALID);
}

static void a_root_that_is_no_folder_is_an_error(void **state) {
    struct room *room = *state;
    struct lt_object_store *store;
    char path[256];
    assert_int_equal(put(room, "", "file", "x"), LEAT_OK);
    snprintf(path, sizeof(path), "%s/file", room->root);
    assert_int_equal(lt_object_plain_new(&store, path, &room->err), LEAT_E_IO);
    assert_null(store);
    assert_int_equal(lt_object_plain_new(&store, "", &room->err), LEAT_E_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_object_is_a_file_under_bucket_and_key),
        TEST(a_second_put_replaces_the_object_and_leaves_nothing_else),
        TEST(keys_that_lead_elsewhere_are_refused),
        TEST(dots_inside_a_name_are_no_way_out),
        TEST(head_tells_the_size_or_that_there_is_none),
        TEST(a_put_that_cannot_be_is_an_error_that_names_key_and_folder),
        TEST(a_bucket_is_made_once),
        TEST(a_root_that_is_no_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
