/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_DELIVER_FAKE_H
#define LT_TEST_DELIVER_FAKE_H

#include "deliver/delivery.h"

/*
 * Memory in the place of the state and of an object store, which fail when they are told to.
 * fake.c defines the functions of store/state.h, so that a test decides at which change the
 * "disk" goes away. Calls that change something are numbered over both: 1, 2, …
 */
struct fake_world;

/** Above 0 while this thread is inside the fakes, whose own allocations never fail. */
extern _Thread_local int fake_inside;

struct fake_world *fake_new(void);
void fake_free(struct fake_world *world);
struct lt_object_store *fake_objects(struct fake_world *world);
struct lt_state *fake_state(struct fake_world *world);

/** From call `n` on all calls fail (0: none does). With `after` that call still has its effect, as
 * when a process is killed before it hears of it. */
void fake_fail_from(struct fake_world *world, unsigned n, bool after);
/** Calls so far. */
unsigned fake_n_calls(struct fake_world *world);

/** Puts (not the state) fail with this status until it is LEAT_OK again. */
void fake_put_status(struct fake_world *world, leat_status status);
/** Heads fail with this status (LEAT_OK: they tell the truth). */
void fake_head_status(struct fake_world *world, leat_status status);
/** Puts hang until fake_release(). */
void fake_hang(struct fake_world *world);
void fake_release(struct fake_world *world);
/** True once a put hangs. */
bool fake_is_hanging(struct fake_world *world);

struct fake_object {
    char *key;
    char *encoding;
    struct lt_buf data;
    unsigned n_puts;    /* of this key */
    bool same_each_put; /* every put brought the same bytes */
};
size_t fake_n_objects(struct fake_world *world);
/** In order of first put; lives until the next put. */
const struct fake_object *fake_object(struct fake_world *world, size_t i);
/** All objects' bytes, in order of first put. The caller frees it. */
char *fake_all_bytes(struct fake_world *world, size_t *len);
/** Takes an object away, as somebody who moves it elsewhere does. */
void fake_remove_object(struct fake_world *world, size_t i);

/** Documents of all kinds. */
size_t fake_n_documents(struct fake_world *world);

#endif
