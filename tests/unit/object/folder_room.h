/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TESTS_OBJECT_FOLDER_ROOM_H
#define LT_TESTS_OBJECT_FOLDER_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "object/folder.h"

/** A data folder of its own, and what is opened on it. */
struct room {
    char dir[64];
    struct lt_state *state;
    struct lt_object_folder *folder;
    struct lt_object_store *store;
    struct lt_arena arena;
    struct leat_error err;
};

void open_room(struct room *room);
void close_room(struct room *room);
int set_up(void **state);
int tear_down(void **state);
void put(struct room *room, const char *key, const char *data);
/** The bytes of an object, "(none)" without one. */
const char *get(struct room *room, struct lt_slice key);
void expect(struct room *room, const char *key, const char *data);
void drop(struct room *room, const char *key);
void expect_sums(struct room *room, uint64_t n_objects, uint64_t n_bytes);
bool exists(const struct room *room, const char *path);
unsigned n_files_in(const struct room *room, const char *path);

#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
