/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_DELIVER_RIG_H
#define LT_TEST_DELIVER_RIG_H

#include "fake.h"

enum { RIG_SHARDS = 3, RIG_MAX_RECORD_BYTES = 64 };

/**
 * A loop, a fake world, a source of numbered records in three shards, and a delivery that can be
 * thrown away and made again, as a crash does. A record is "<shard>:<seq>;" and padding.
 */
struct rig {
    uv_loop_t loop;
    uv_timer_t tick; /* so that waiting ends */
    struct fake_world *world;
    struct lt_delivery *delivery;
    struct lt_delivery_options opt;
    unsigned n_records[RIG_SHARDS]; /* that the source has */
    uint64_t first[RIG_SHARDS];     /* the oldest it still has */
    uint64_t cursor[RIG_SHARDS];    /* the last one pushed since the start */
    unsigned n_progress;
    unsigned record_bytes;
    unsigned seed;
    bool scarce; /* a push may find no memory, and is tried again */
};

void rig_setup(struct rig *rig);
void rig_teardown(struct rig *rig);

/** A new delivery on the same world; asserts that it can be made. */
void rig_start(struct rig *rig);
/** Frees the delivery, and lets the loop close what it had. */
void rig_stop(struct rig *rig);

/** Pushes what the source has and the delivery takes, a random few at a time. */
void rig_push(struct rig *rig);
/** Pushes and turns the loop until all is delivered; false after `ms`. */
bool rig_deliver(struct rig *rig, unsigned ms);
/** Turns the loop until `test` holds; false after `ms`. */
bool rig_wait(struct rig *rig, bool (*test)(struct rig *rig), unsigned ms);
void rig_turn(struct rig *rig, unsigned ms);

/** Asserts that each record of the source is in the objects exactly once, in order within its
 * shard, and that no object was written with two contents. */
void rig_check_once(struct rig *rig);

const char *rig_shard(unsigned i);

#endif
