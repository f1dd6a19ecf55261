/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_ENGINE_DELIVERIES_RIG_H
#define LT_TEST_ENGINE_DELIVERIES_RIG_H

#include "base/clock.h"
#include "engine/deliveries.h"
#include "object/folder.h"
#include "store/folder.h"

/* Delivery streams over the real journal, state and folder of objects, without a server. */

enum { WAIT_MS = 20000 };

struct answer {
    bool came;
    leat_status status;
    struct leat_error err;
};

extern struct deliveries_rig {
    char dir[64];
    uv_loop_t loop;
    uv_timer_t tick;
    struct lt_folder *folder;
    struct lt_state *state;
    struct lt_journal *journal;
    struct lt_streams *streams;
    struct lt_object_folder *objects;
    struct lt_deliveries *deliveries;
} rig;

/** What expect_numbers() read. */
extern struct deliveries_found {
    unsigned counts[100000];
    unsigned n_records, n_files;
} found;

/** Fails the test with the error's words unless it is LEAT_OK. */
void must(leat_status status, const struct leat_error *err);
/** The stores, the loop and the deliveries, on the folder of the test. */
void open_rig(void);
void close_rig(void);
/** As a restart does. */
void reopen_rig(void);
int setup(void **state);
int teardown(void **state);
/** One turn of the loop, of 5 ms at most. */
void turn(void);
/** Fills the `struct answer` in `ctx`. */
void on_answer(void *ctx, leat_status status, const struct leat_error *err);
/** Turns the loop until the answer came. */
leat_status await(struct answer *answer);
/** Objects of 4 KiB, no interval; without `stream`, Direct PUT. */
struct lt_delivery_config config_of(const char *name, const char *stream);
leat_status create(const struct lt_delivery_config *config);
leat_status create_simple(const char *name, const char *stream);
leat_status remove_delivery(const char *name);
leat_status flush(const char *name, int64_t timeout_ms);
/** Puts `n` records "<first>;" and on, directly; waits until they are durable. */
void put_direct(const char *name, unsigned first, unsigned n);
/** The same into a stream, spread over its shards. */
void put_stream(const char *stream, unsigned first, unsigned n);
void create_stream(const char *name, unsigned n_shards);
void create_bucket(void);
/** Asserts that each of the numbers is in the bucket once, and nothing else; fills `found`. */
void expect_numbers(unsigned first, unsigned n);
/** A number of a delivery's status; 1 for a text, 0 for null. */
int64_t status_number(const char *name, const char *field);
void wait_until(const char *name, const char *field, int64_t at_least);
/** Lets all records of a stream expire. */
void trim_all(const char *stream);
/** The stream's document with `from` replaced by `to` at its nth place. */
void edit_stream(const char *stream, const char *from, const char *to, unsigned nth);
/** The last record of a shard that the delivery's book has in an object. */
uint64_t position_of(const char *delivery, uint64_t uid);

#endif
