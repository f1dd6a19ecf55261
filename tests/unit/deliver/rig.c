/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARRIVAL_MS = 1000 };

static void on_tick(uv_timer_t *timer) {
    (void)timer;
}

static void on_progress(void *ctx, struct lt_delivery *delivery) {
    struct rig *rig = ctx;
    (void)delivery;
    rig->n_progress++;
}

void rig_setup(struct rig *rig) {
    memset(rig, 0, sizeof(*rig));
    uv_loop_init(&rig->loop);
    uv_timer_init(&rig->loop, &rig->tick);
    rig->world = fake_new();
    rig->record_bytes = 20;
    rig->seed = 1;
    for (unsigned i = 0; i < RIG_SHARDS; i++)
        rig->first[i] = 1;
    rig->opt = (struct lt_delivery_options){
        .name = "us",
        .source = "us-sessions",
        .loop = &rig->loop,
        .objects = fake_objects(rig->world),
        .state = fake_state(rig->world),
        .bucket = "lake",
        .prefix = "p/",
        .error_prefix = "",
        .suffix = "",
        .buffer_bytes = 200,
        .buffer_ms = 20,
        .version = 1,
        .on_progress = on_progress,
        .ctx = rig,
    };
}

static void on_closed(uv_handle_t *handle) {
    (void)handle;
}

void rig_teardown(struct rig *rig) {
    rig_stop(rig);
    uv_close((uv_handle_t *)&rig->tick, on_closed);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    fake_free(rig->world);
}

void rig_start(struct rig *rig) {
    struct leat_error err;
    leat_status status = lt_delivery_new(&rig->delivery, &rig->opt, &err);
    if (status != LEAT_OK)
        fail_msg("a delivery could not be made: %s", err.text);
    for (unsigned i = 0; i < RIG_SHARDS; i++)
        rig->cursor[i] = lt_delivery_position(rig->delivery, rig_shard(i), NULL);
}

void rig_stop(struct rig *rig) {
    lt_delivery_free(rig->delivery);
    rig->delivery = NULL;
    uv_timer_stop(&rig->tick);
    uv_run(&rig->loop, UV_RUN_DEFAULT); /* ends when nothing is left open */
}

const char *rig_shard(unsigned i) {
    static const char *const names[RIG_SHARDS] = {"shardId-2", "shardId-0", "shardId-1"};
    return names[i];
}

static unsigned next_random(struct rig *rig) {
    rig->seed = rig->seed * 1103515245 + 12345;
    return rig->seed >> 16;
}

static void fill(struct rig *rig, unsigned shard, uint64_t seq, char *text,
                 struct lt_delivery_record *record, char position[32]) {
    int len = snprintf(text, rig->record_bytes + 1, "%s:%llu;", rig_shard(shard),
                       (unsigned long long)seq);
    memset(text + len, '.', rig->record_bytes - (unsigned)len);
    snprintf(position, 32, "at-%llu", (unsigned long long)seq);
    *record = (struct lt_delivery_record){.seq = seq,
                                          .position = lt_slice_str(position),
                                          .time_ms = ARRIVAL_MS * (int64_t)seq,
                                          .data = lt_slice(text, rig->record_bytes)};
}

/* Pushes up to `max` records of a shard; the number taken. */
static size_t push_shard(struct rig *rig, unsigned shard, size_t max) {
    struct lt_delivery_record records[8];
    char positions[8][32];
    struct leat_error err;
    size_t n = 0, n_taken;
    char text[8 * (RIG_MAX_RECORD_BYTES + 1)];

    if (rig->cursor[shard] + 1 < rig->first[shard]) {
        rig->cursor[shard] = rig->first[shard] - 1;
        assert_int_equal(
            lt_delivery_skip(rig->delivery, rig_shard(shard), rig->cursor[shard], &err), LEAT_OK);
    }
    for (uint64_t seq = rig->cursor[shard] + 1; n < max && n < 8 && seq <= rig->n_records[shard];
         seq++, n++)
        fill(rig, shard, seq, text + n * (rig->record_bytes + 1), &records[n], positions[n]);
    leat_status status =
        lt_delivery_push(rig->delivery, rig_shard(shard), records, n, &n_taken, &err);
    assert_int_equal(status, rig->scarce && status != LEAT_OK ? LEAT_E_NOMEM : LEAT_OK);
    rig->cursor[shard] += n_taken;
    return n_taken;
}

void rig_push(struct rig *rig) {
    size_t n_taken;
    do {
        n_taken = 0;
        for (unsigned i = 0; i < RIG_SHARDS; i++)
            n_taken += push_shard(rig, i, 1 + next_random(rig) % 8);
    } while (n_taken);
}

void rig_turn(struct rig *rig, unsigned ms) {
    uv_timer_start(&rig->tick, on_tick, ms, 0);
    uv_run(&rig->loop, UV_RUN_ONCE);
}

static bool all_delivered(struct rig *rig) {
    for (unsigned i = 0; i < RIG_SHARDS; i++)
        if (lt_delivery_position(rig->delivery, rig_shard(i), NULL) < rig->n_records[i])
            return false;
    return true;
}

bool rig_wait(struct rig *rig, bool (*test)(struct rig *rig), unsigned ms) {
    int64_t end_us = lt_clock_mono_us() + ms * 1000;
    while (!test(rig)) {
        if (lt_clock_mono_us() > end_us)
            return false;
        rig_turn(rig, 5);
    }
    return true;
}

static bool pushed_and_delivered(struct rig *rig) {
    rig_push(rig);
    return all_delivered(rig);
}

bool rig_deliver(struct rig *rig, unsigned ms) {
    return rig_wait(rig, pushed_and_delivered, ms);
}

void rig_check_once(struct rig *rig) {
    uint64_t last[RIG_SHARDS] = {0};
    size_t n = 0, n_expected = 0;

    for (size_t i = 0; i < fake_n_objects(rig->world); i++) {
        const struct fake_object *object = fake_object(rig->world, i);
        const char *at = object->data.data, *end = at + object->data.len;
        assert_true(object->same_each_put);
        for (; at < end; at += rig->record_bytes, n++) {
            unsigned shard = 0;
            while (shard < RIG_SHARDS && strncmp(at, rig_shard(shard), 9))
                shard++;
            assert_in_range(shard, 0, RIG_SHARDS - 1);
            uint64_t seq = strtoull(at + 10, NULL, 10);
            assert_int_equal(seq, last[shard] + 1);
            last[shard] = seq;
        }
    }
    for (unsigned i = 0; i < RIG_SHARDS; i++)
        n_expected += rig->n_records[i];
    assert_int_equal(n, n_expected);
}
