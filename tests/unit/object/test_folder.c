/* SPDX-License-Identifier: Apache-2.0 */
#include "folder_room.h"

#include "base/buf.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void object_is_a_plain_file_under_its_key(void **state) {
    struct room *room = *state;
    char full[128], data[16] = "";
    put(room, "2026/02/01/a b.json", "hello");
    snprintf(full, sizeof(full), "%s/buckets/lake/2026/02/01/a b.json", room->dir);
    int fd = open(full, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, data, sizeof(data)), 5);
    close(fd);
    assert_string_equal(data, "hello");
    assert_int_equal(n_files_in(room, "tmp"), 0);
}

static void object_keeps_its_headers_over_a_restart(void **state) {
    struct room *room = *state;
    struct lt_object_tmp tmp;
    struct lt_object_info info;
    assert_int_equal(lt_object_tmp_new(room->folder, &tmp, &room->err), LEAT_OK);
    assert_int_equal(write(tmp.fd, "abc", 3), 3);
    struct lt_object_commit commit = {
        .key = LT_LIT("k"),
        .etag = "900150983cd24fb0d6963f7d28e17f72",
        .content_type = LT_LIT("text/\"quoted\""),
        .content_encoding = LT_LIT("gzip"),
        .user_meta = LT_LIT("{\"x-amz-meta-a\":\"\\u00fc\"}"),
    };
    assert_int_equal(lt_object_folder_commit(room->folder, "lake", &tmp, &commit, &room->err),
                     LEAT_OK);
    lt_object_tmp_drop(room->folder, &tmp);
    close_room(room);
    open_room(room);
    assert_int_equal(lt_object_folder_open(room->folder, "lake", LT_LIT("k"), &room->arena, &info,
                                           NULL, &room->err),
                     LEAT_OK);
    assert_true(lt_slice_eq_str(info.content_type, "text/\"quoted\""));
    assert_true(lt_slice_eq_str(info.content_encoding, "gzip"));
    assert_true(lt_slice_eq_str(info.user_meta, "{\"x-amz-meta-a\":\"\\u00fc\"}"));
    assert_string_equal(info.etag, commit.etag);
    assert_int_equal(info.size, 3);
    assert_int_equal(info.modified_ms, commit.modified_ms);
    expect_sums(room, 1, 3);
}

static void replacing_changes_bytes_etag_and_sums_and_leaves_no_intent(void **state) {
    struct room *room = *state;
    uint64_t n;
    put(room, "k", "one");
    put(room, "k", "three");
    expect(room, "k", "three");
    expect_sums(room, 1, 5);
    put(room, "k", "");
    expect(room, "k", "");
    expect_sums(room, 1, 0);
    assert_int_equal(lt_state_count(room->state, "object-intent", &n, &room->err), LEAT_OK);
    assert_int_equal(n, 0);
}

static void key_that_is_a_prefix_of_another_works_in_both_orders(void **state) {
    struct room *room = *state;
    put(room, "a", "1");
    put(room, "a/b", "2");
    put(room, "a/b/c", "3");
    put(room, "x/y", "4");
    put(room, "x", "5");
    put(room, "x/", "6");
    expect(room, "a", "1");
    expect(room, "a/b", "2");
    expect(room, "a/b/c", "3");
    expect(room, "x/y", "4");
    expect(room, "x", "5");
    expect(room, "x/", "6");
    put(room, "a/b", "22");
    expect(room, "a/b", "22");
    close_room(room);
    open_room(room);
    expect(room, "a/b", "22");
    expect_sums(room, 6, 7);
    drop(room, "a");
    drop(room, "x/y");
    expect(room, "a", "(none)");
    expect(room, "a/b", "22");
    expect(room, "x", "5");
    put(room, "a", "again");
    expect(room, "a", "again");
}

static void keys_that_no_file_system_takes_are_objects_all_the_same(void **state) {
    struct room *room = *state;
    char longest[1025], component[300];
    memset(longest, 'k', 1024);
    longest[1024] = '\0';
    memset(component, 'c', 256);
    memcpy(component + 256, "/x.json", 8);
    const char *const keys[] = {"..",
                                "../../../etc/passwd",
                                "a/../b",
                                ".",
                                "a/./b",
                                "/abs",
                                "a//b",
                                "/",
                                "//",
                                "dir/",
                                longest,
                                component,
                                ".escaped/evil",
                                "a\nb",
                                "\xc3\xbc\xe2\x82\xac",
                                " ",
                                "\\",
                                "a:b*?"};
    const size_t n = sizeof(keys) / sizeof(keys[0]);
    for (size_t i = 0; i < n; i++)
        put(room, keys[i], keys[i]);
    struct lt_object_put nul = {.key = LT_LIT("nul\0key"), .data = LT_LIT("nul")};
    assert_int_equal(room->store->ops->put(room->store, "lake", &nul, &room->err), LEAT_OK);
    close_room(room);
    open_room(room);
    for (size_t i = 0; i < n; i++)
        expect(room, keys[i], keys[i]);
    assert_string_equal(get(room, nul.key), "nul");
    assert_false(exists(room, "etc"));
    assert_false(exists(room, "abs"));
    for (size_t i = 0; i < n; i++)
        drop(room, keys[i]);
    assert_int_equal(lt_object_folder_remove(room->folder, "lake", nul.key, &room->err), LEAT_OK);
    assert_int_equal(n_files_in(room, "buckets/lake"), 0);
    assert_false(exists(room, "buckets/lake/.escaped"));
    expect_sums(room, 0, 0);
}

static void key_over_1024_bytes_or_empty_is_refused(void **state) {
    struct room *room = *state;
    char key[1026];
    memset(key, 'k', 1025);
    key[1025] = '\0';
    struct lt_object_put object = {.key = lt_slice_str(key), .data = LT_LIT("x")};
    assert_int_equal(room->store->ops->put(room->store, "lake", &object, &room->err),
                     LEAT_E_INVALID);
    object.key = LT_LIT("");
    assert_int_equal(room->store->ops->put(room->store, "lake", &object, &room->err),
                     LEAT_E_INVALID);
    expect(room, key, "(none)");
    assert_int_equal(n_files_in(room, "tmp"), 0);
}

static void removing_takes_the_folders_that_it_empties(void **state) {
    struct room *room = *state;
    put(room, "a/b/c/1", "1");
    put(room, "a/b/2", "2");
    drop(room, "a/b/c/1");
    assert_false(exists(room, "buckets/lake/a/b/c"));
    assert_true(exists(room, "buckets/lake/a/b/2"));
    drop(room, "a/b/2");
    assert_false(exists(room, "buckets/lake/a"));
    assert_true(exists(room, "buckets/lake"));
    drop(room, "a/b/2");
    expect_sums(room, 0, 0);
}

static void many_are_removed_at_once_and_absent_ones_do_not_matter(void **state) {
    struct room *room = *state;
    const struct lt_slice keys[] = {LT_LIT("b"), LT_LIT("none"), LT_LIT("a/1"),
                                    LT_LIT("b"), LT_LIT(""),     LT_LIT("a/2")};
    put(room, "a/1", "1");
    put(room, "a/2", "22");
    put(room, "b", "333");
    put(room, "c", "4444");
    assert_int_equal(lt_object_folder_remove_many(room->folder, "lake", keys, 6, &room->err),
                     LEAT_OK);
    expect(room, "a/1", "(none)");
    expect(room, "b", "(none)");
    expect(room, "c", "4444");
    expect_sums(room, 1, 4);
    assert_int_equal(n_files_in(room, "buckets/lake"), 1);
    assert_int_equal(lt_object_folder_remove_many(room->folder, "none", keys, 6, &room->err),
                     LEAT_E_NOT_FOUND);
}

static void thousand_are_removed_at_once(void **state) {
    struct room *room = *state;
    struct lt_slice keys[1000];
    for (size_t i = 0; i < 1000; i++)
        keys[i] = lt_slice_str(lt_arena_printf(&room->arena, "key-%zu", i));
    for (size_t i = 0; i < 1000; i += 100)
        put(room, keys[i].data, "x");
    put(room, "other", "x");
    assert_int_equal(lt_object_folder_remove_many(room->folder, "lake", keys, 1000, &room->err),
                     LEAT_OK);
    expect_sums(room, 1, 1);
}

static void bucket_keeps_its_location(void **state) {
    struct room *room = *state;
    struct lt_object_bucket bucket;
    assert_int_equal(lt_object_folder_create(room->folder, "far", "eu-west-1", &room->err),
                     LEAT_OK);
    close_room(room);
    open_room(room);
    assert_true(lt_object_folder_has(room->folder, "far", &bucket));
    assert_string_equal(bucket.location, "eu-west-1");
    assert_true(lt_object_folder_has(room->folder, "lake", &bucket));
    assert_string_equal(bucket.location, "");
}

static void file_dropped_in_by_hand_is_no_object(void **state) {
    struct room *room = *state;
    struct lt_object_listing listing;
    struct lt_object_list list = {.max = 10};
    char full[128];
    snprintf(full, sizeof(full), "%s/buckets/lake/mine", room->dir);
    close(open(full, O_CREAT | O_WRONLY, 0600));
    expect(room, "mine", "(none)");
    assert_int_equal(
        lt_object_folder_list(room->folder, "lake", &list, &room->arena, &listing, &room->err),
        LEAT_OK);
    assert_int_equal(listing.n, 0);
    assert_int_equal(room->store->ops->remove_bucket(room->store, "lake", false, &room->err),
                     LEAT_OK);
    assert_true(exists(room, "buckets/lake/mine"));
}

static void file_gone_or_changed_by_hand_is_told(void **state) {
    struct room *room = *state;
    struct lt_object_info info;
    char full[128];
    int fd;
    put(room, "gone", "x");
    put(room, "grown", "x");
    snprintf(full, sizeof(full), "%s/buckets/lake/gone", room->dir);
    unlink(full);
    expect(room, "gone", "(none)");
    snprintf(full, sizeof(full), "%s/buckets/lake/grown", room->dir);
    fd = open(full, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "yz", 2), 2);
    close(fd);
    assert_int_equal(lt_object_folder_open(room->folder, "lake", LT_LIT("grown"), &room->arena,
                                           &info, &fd, &room->err),
                     LEAT_E_CORRUPT);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(room->err.text, "grown has 3 bytes"));
    put(room, "grown", "new");
    expect(room, "grown", "new");
}

static void folder_that_was_copied_is_read_as_before(void **state) {
    struct room *room = *state;
    char from[128], to[128];
    put(room, "k", "copied");
    snprintf(from, sizeof(from), "%s/buckets/lake/k", room->dir);
    snprintf(to, sizeof(to), "%s/buckets/lake/copy", room->dir);
    int fd = open(to, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "copied", 6), 6);
    close(fd);
    assert_int_equal(rename(to, from), 0); /* another inode, the same bytes */
    expect(room, "k", "copied");
}

static void conditions_are_those_of_the_moment(void **state) {
    struct room *room = *state;
    struct lt_object_tmp tmp;
    struct lt_object_commit commit = {.key = LT_LIT("k"), .etag = "x", .if_none = true};
    put(room, "k", "abc");
    assert_int_equal(lt_object_tmp_new(room->folder, &tmp, &room->err), LEAT_OK);
    assert_int_equal(lt_object_folder_commit(room->folder, "lake", &tmp, &commit, &room->err),
                     LEAT_E_EXISTS);
    assert_string_equal(room->err.code, "PreconditionFailed");
    commit.if_none = false;
    commit.if_match = LT_LIT("other");
    assert_int_equal(lt_object_folder_commit(room->folder, "lake", &tmp, &commit, &room->err),
                     LEAT_E_EXISTS);
    commit.key = LT_LIT("new");
    assert_int_equal(lt_object_folder_commit(room->folder, "lake", &tmp, &commit, &room->err),
                     LEAT_E_NOT_FOUND);
    commit.key = LT_LIT("k");
    commit.if_match = LT_LIT("900150983cd24fb0d6963f7d28e17f72");
    assert_int_equal(lt_object_folder_commit(room->folder, "lake", &tmp, &commit, &room->err),
                     LEAT_OK);
    lt_object_tmp_drop(room->folder, &tmp);
    assert_int_equal(n_files_in(room, "tmp"), 0);
}

static void buckets_are_made_listed_and_removed(void **state) {
    struct room *room = *state;
    const struct lt_object_ops *ops = room->store->ops;
    struct lt_object_bucket *buckets, one;
    size_t n;
    assert_int_equal(ops->create_bucket(room->store, "lake", &room->err), LEAT_E_EXISTS);
    assert_int_equal(ops->create_bucket(room->store, "a-first", &room->err), LEAT_OK);
    assert_int_equal(ops->create_bucket(room->store, "../x", &room->err), LEAT_E_INVALID);
    assert_int_equal(ops->create_bucket(room->store, "", &room->err), LEAT_E_INVALID);
    put(room, "k", "x");
    close_room(room);
    open_room(room);
    assert_int_equal(lt_object_folder_buckets(room->folder, &room->arena, &buckets, &n, &room->err),
                     LEAT_OK);
    assert_int_equal(n, 2);
    assert_string_equal(buckets[0].name, "a-first");
    assert_string_equal(buckets[1].name, "lake");
    assert_int_equal(buckets[1].n_objects, 1);
    assert_true(lt_object_folder_has(room->folder, "lake", &one));
    assert_int_equal(ops->remove_bucket(room->store, "lake", false, &room->err), LEAT_E_BUSY);
    assert_string_equal(room->err.code, "BucketNotEmpty");
    assert_int_equal(ops->remove_bucket(room->store, "lake", true, &room->err), LEAT_OK);
    assert_int_equal(ops->remove_bucket(room->store, "a-first", false, &room->err), LEAT_OK);
    assert_int_equal(ops->remove_bucket(room->store, "a-first", false, &room->err),
                     LEAT_E_NOT_FOUND);
    assert_string_equal(room->err.code, "NoSuchBucket");
    assert_int_equal(n_files_in(room, "buckets"), 0);
    assert_int_equal(n_files_in(room, "tmp"), 0);
    assert_int_equal(ops->create_bucket(room->store, "lake", &room->err), LEAT_OK);
    expect(room, "k", "(none)");
    expect_sums(room, 0, 0);
}

/** All entries as "key" or "prefix*", page by page. */
static const char *list_all(struct room *room, const char *prefix, const char *delimiter,
                            const char *after, size_t max) {
    struct lt_buf out;
    struct lt_object_list list = {.prefix = lt_slice_str(prefix),
                                  .delimiter = lt_slice_str(delimiter),
                                  .after = lt_slice_str(after),
                                  .max = max};
    struct lt_object_listing listing;
    lt_buf_init(&out, 1 << 20);
    do {
        assert_int_equal(
            lt_object_folder_list(room->folder, "lake", &list, &room->arena, &listing, &room->err),
            LEAT_OK);
        assert_true(listing.n <= max);
        for (size_t i = 0; i < listing.n; i++)
            lt_buf_printf(&out, "%.*s%s ", LT_FMT(listing.entries[i].info.key),
                          listing.entries[i].is_prefix ? "*" : "");
        assert_true(listing.n || !listing.more);
        if (listing.n)
            list.after = listing.entries[listing.n - 1].info.key;
    } while (listing.more);
    const char *text = lt_arena_str(&room->arena, lt_buf_slice(&out));
    lt_buf_deinit(&out);
    return text;
}

static void listing_groups_by_the_delimiter_and_pages_without_loss(void **state) {
    struct room *room = *state;
    static const char *const keys[] = {"a", "a/1",    "a/2/x", "b//",   "b/1",
                                       "c", "c/\xff", "d",     "e/f/g", "z"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        put(room, keys[i], "x");
    for (size_t max = 1; max < 12; max++) {
        assert_string_equal(list_all(room, "", "", "", max),
                            "a a/1 a/2/x b// b/1 c c/\xff d e/f/g z ");
        assert_string_equal(list_all(room, "", "/", "", max), "a a/* b/* c c/* d e/* z ");
        assert_string_equal(list_all(room, "a/", "/", "", max), "a/1 a/2/* ");
        assert_string_equal(list_all(room, "b/", "/", "", max), "b//* b/1 ");
        assert_string_equal(list_all(room, "c/", "", "", max), "c/\xff ");
        assert_string_equal(list_all(room, "e/", "f/", "", max), "e/f/* ");
        assert_string_equal(list_all(room, "", "", "b/1", max), "c c/\xff d e/f/g z ");
        assert_string_equal(list_all(room, "", "/", "b/1", max), "c c/* d e/* z ");
        assert_string_equal(list_all(room, "a", "", "b", max), "");
        assert_string_equal(list_all(room, "b", "", "a", max), "b// b/1 ");
        assert_string_equal(list_all(room, "q", "/", "", max), "");
    }
    struct lt_object_listing listing;
    struct lt_object_list list = {.max = 0};
    assert_int_equal(
        lt_object_folder_list(room->folder, "lake", &list, &room->arena, &listing, &room->err),
        LEAT_OK);
    assert_false(listing.more);
    assert_int_equal(
        lt_object_folder_list(room->folder, "none", &list, &room->arena, &listing, &room->err),
        LEAT_E_NOT_FOUND);
}

static void listing_tells_size_etag_and_time(void **state) {
    struct room *room = *state;
    struct lt_object_listing listing;
    struct lt_object_list list = {.max = 1000};
    put(room, "k", "abc");
    assert_int_equal(
        lt_object_folder_list(room->folder, "lake", &list, &room->arena, &listing, &room->err),
        LEAT_OK);
    assert_int_equal(listing.n, 1);
    assert_int_equal(listing.entries[0].info.size, 3);
    assert_string_equal(listing.entries[0].info.etag, "900150983cd24fb0d6963f7d28e17f72");
    assert_true(listing.entries[0].info.modified_ms > 1700000000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ROOM_TEST(object_is_a_plain_file_under_its_key),
        ROOM_TEST(object_keeps_its_headers_over_a_restart),
        ROOM_TEST(replacing_changes_bytes_etag_and_sums_and_leaves_no_intent),
        ROOM_TEST(key_that_is_a_prefix_of_another_works_in_both_orders),
        ROOM_TEST(keys_that_no_file_system_takes_are_objects_all_the_same),
        ROOM_TEST(key_over_1024_bytes_or_empty_is_refused),
        ROOM_TEST(removing_takes_the_folders_that_it_empties),
        ROOM_TEST(many_are_removed_at_once_and_absent_ones_do_not_matter),
        ROOM_TEST(thousand_are_removed_at_once),
        ROOM_TEST(bucket_keeps_its_location),
        ROOM_TEST(file_dropped_in_by_hand_is_no_object),
        ROOM_TEST(file_gone_or_changed_by_hand_is_told),
        ROOM_TEST(folder_that_was_copied_is_read_as_before),
        ROOM_TEST(conditions_are_those_of_the_moment),
        ROOM_TEST(buckets_are_made_listed_and_removed),
        ROOM_TEST(listing_groups_by_the_delimiter_and_pages_without_loss),
        ROOM_TEST(listing_tells_size_etag_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
