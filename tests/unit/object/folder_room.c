/* SPDX-License-Identifier: Apache-2.0 */
#include "folder_room.h"

#include "base/hash.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void open_room(struct room *room) {
    char path[128];
    snprintf(path, sizeof(path), "%s/state.db", room->dir);
    assert_int_equal(lt_state_open(&room->state, path, &room->err), LEAT_OK);
    assert_int_equal(lt_object_folder_new(&room->folder, room->dir, room->state, &room->err),
                     LEAT_OK);
    room->store = lt_object_folder_store(room->folder);
    lt_arena_init(&room->arena, 64 << 20);
}

void close_room(struct room *room) {
    lt_arena_deinit(&room->arena);
    lt_object_folder_free(room->folder);
    lt_state_close(room->state);
}

int set_up(void **state) {
    struct room *room = calloc(1, sizeof(*room));
    snprintf(room->dir, sizeof(room->dir), "/tmp/leat-folder-XXXXXX");
    assert_non_null(mkdtemp(room->dir));
    open_room(room);
    assert_int_equal(room->store->ops->create_bucket(room->store, "lake", &room->err), LEAT_OK);
    *state = room;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int tear_down(void **state) {
    struct room *room = *state;
    close_room(room);
    nftw(room->dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
    free(room);
    return 0;
}

void put(struct room *room, const char *key, const char *data) {
    struct lt_object_put object = {.key = lt_slice_str(key), .data = lt_slice_str(data)};
    leat_status status = room->store->ops->put(room->store, "lake", &object, &room->err);
    if (status != LEAT_OK)
        fail_msg("put of %s: %s", key, room->err.text);
}

const char *get(struct room *room, struct lt_slice key) {
    struct lt_object_info info;
    int fd;
    leat_status status =
        lt_object_folder_open(room->folder, "lake", key, &room->arena, &info, &fd, &room->err);
    if (status == LEAT_E_NOT_FOUND) {
        assert_string_equal(room->err.code, "NoSuchKey");
        return "(none)";
    }
    if (status != LEAT_OK)
        fail_msg("%s", room->err.text);
    char *data = lt_arena_calloc(&room->arena, 1, info.size + 1);
    assert_int_equal(read(fd, data, info.size + 1), info.size);
    close(fd);
    uint8_t digest[LT_MD5_BYTES];
    char etag[40];
    lt_md5(lt_slice(data, info.size), digest);
    lt_hex(digest, sizeof(digest), etag);
    assert_string_equal(info.etag, etag);
    return data;
}

void expect(struct room *room, const char *key, const char *data) {
    assert_string_equal(get(room, lt_slice_str(key)), data);
}

void drop(struct room *room, const char *key) {
    assert_int_equal(lt_object_folder_remove(room->folder, "lake", lt_slice_str(key), &room->err),
                     LEAT_OK);
}

void expect_sums(struct room *room, uint64_t n_objects, uint64_t n_bytes) {
    uint64_t n, bytes;
    assert_int_equal(room->store->ops->stat_bucket(room->store, "lake", &n, &bytes, &room->err),
                     LEAT_OK);
    assert_int_equal(n, n_objects);
    assert_int_equal(bytes, n_bytes);
}

bool exists(const struct room *room, const char *path) {
    char full[2048];
    snprintf(full, sizeof(full), "%s/%s", room->dir, path);
    return access(full, F_OK) == 0;
}

unsigned n_files_in(const struct room *room, const char *path) {
    char full[256];
    unsigned n = 0;
    snprintf(full, sizeof(full), "%s/%s", room->dir, path);
    DIR *dir = opendir(full);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}
