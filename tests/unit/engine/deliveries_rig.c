/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "deliveries_rig.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

struct deliveries_rig rig;

void must(leat_status status, const struct leat_error *err) {
    if (status != LEAT_OK)
        fail_msg("%s: %s", leat_status_name(status), err->text);
}

void open_rig(void) {
    struct lt_journal_options journal = {0};
    struct leat_error err;
    char path[128];

    must(lt_folder_lock(&rig.folder, rig.dir, &err), &err);
    snprintf(path, sizeof(path), "%s/state.db", rig.dir);
    must(lt_state_open(&rig.state, path, &err), &err);
    snprintf(path, sizeof(path), "%s/journal", rig.dir);
    journal.dir = path;
    must(lt_journal_open(&rig.journal, &journal, &err), &err);
    must(lt_streams_open(&rig.streams, rig.state, rig.journal, &err), &err);
    must(lt_object_folder_new(&rig.objects, rig.dir, rig.state, &err), &err);
    uv_loop_init(&rig.loop);
    uv_timer_init(&rig.loop, &rig.tick);
    struct lt_deliveries_options opt = {.loop = &rig.loop,
                                        .state = rig.state,
                                        .journal = rig.journal,
                                        .streams = rig.streams,
                                        .objects = lt_object_folder_store(rig.objects)};
    must(lt_deliveries_open(&rig.deliveries, &opt, &err), &err);
}

void close_rig(void) {
    lt_deliveries_close(rig.deliveries);
    uv_close((uv_handle_t *)&rig.tick, NULL);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig.loop), 0);
    lt_streams_close(rig.streams);
    lt_journal_close(rig.journal);
    lt_object_folder_free(rig.objects);
    lt_state_close(rig.state);
    lt_folder_unlock(rig.folder);
}

void reopen_rig(void) {
    close_rig();
    open_rig();
}

int setup(void **state) {
    (void)state;
    memset(&rig, 0, sizeof(rig));
    snprintf(rig.dir, sizeof(rig.dir), "/tmp/leat-deliveries-XXXXXX");
    assert_non_null(mkdtemp(rig.dir));
    open_rig();
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)st, (void)flag, (void)at;
    return remove(path);
}

int teardown(void **state) {
    (void)state;
    close_rig();
    return nftw(rig.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_tick(uv_timer_t *timer) {
    (void)timer;
}

void turn(void) {
    uv_timer_start(&rig.tick, on_tick, 5, 0);
    uv_run(&rig.loop, UV_RUN_ONCE);
}

void on_answer(void *ctx, leat_status status, const struct leat_error *err) {
    struct answer *answer = ctx;
    assert_false(answer->came);
    answer->came = true;
    answer->status = status;
    if (err)
        answer->err = *err;
}

leat_status await(struct answer *answer) {
    int64_t end_us = lt_clock_mono_us() + WAIT_MS * 1000;
    while (!answer->came) {
        assert_true(lt_clock_mono_us() < end_us);
        turn();
    }
    return answer->status;
}

struct lt_delivery_config config_of(const char *name, const char *stream) {
    return (struct lt_delivery_config){.name = name,
                                       .direct_put = !stream,
                                       .stream = stream,
                                       .bucket = "lake",
                                       .prefix = "",
                                       .error_prefix = "",
                                       .suffix = "",
                                       .buffer_bytes = 4096,
                                       .buffer_ms = 3600000,
                                       .version = 1};
}

leat_status create(const struct lt_delivery_config *config) {
    struct answer answer = {0};
    leat_status status =
        lt_deliveries_create(rig.deliveries, config, on_answer, &answer, &answer.err);
    return status == LEAT_OK ? await(&answer) : status;
}

leat_status create_simple(const char *name, const char *stream) {
    struct lt_delivery_config config = config_of(name, stream);
    return create(&config);
}

leat_status remove_delivery(const char *name) {
    struct answer answer = {0};
    leat_status status =
        lt_deliveries_remove(rig.deliveries, name, on_answer, &answer, &answer.err);
    return status == LEAT_OK ? await(&answer) : status;
}

leat_status flush(const char *name, int64_t timeout_ms) {
    struct answer answer = {0};
    leat_status status =
        lt_deliveries_flush(rig.deliveries, name, timeout_ms, on_answer, &answer, &answer.err);
    return status == LEAT_OK ? await(&answer) : status;
}

/* Puts `n` records "<first>;" and on, directly. */
void put_direct(const char *name, unsigned first, unsigned n) {
    struct answer answer = {0};
    struct lt_slice records[500];
    char texts[500][16];
    char ids[500][LT_SEQUENCE_DIGITS + 1];

    for (unsigned i = 0; i < n; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%u;", first + i);
        records[i] = lt_slice_str(texts[i]);
    }
    must(lt_deliveries_put(rig.deliveries, name, records, n, ids, on_answer, &answer, &answer.err),
         &answer.err);
    must(await(&answer), &answer.err);
    for (unsigned i = 1; i < n; i++)
        assert_true(strcmp(ids[i - 1], ids[i]) < 0);
}

struct waiter {
    uv_sem_t sem;
    leat_status status;
};

static void on_journal(void *ctx, leat_status status, const struct leat_error *err) {
    struct waiter *waiter = ctx;
    (void)err;
    waiter->status = status;
    uv_sem_post(&waiter->sem);
}

/* The same into a stream, spread over its shards. */
void put_stream(const char *stream, unsigned first, unsigned n) {
    struct lt_streams_put records[500];
    char texts[500][16];
    struct leat_error err;
    struct waiter waiter;

    for (unsigned i = 0; i < n; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%u;", first + i);
        records[i] =
            (struct lt_streams_put){.key = lt_slice_str(texts[i]), .data = lt_slice_str(texts[i])};
    }
    uv_sem_init(&waiter.sem, 0);
    must(lt_streams_put(rig.streams, stream, records, n, on_journal, &waiter, &err), &err);
    uv_sem_wait(&waiter.sem);
    uv_sem_destroy(&waiter.sem);
    assert_int_equal(waiter.status, LEAT_OK);
}

void create_stream(const char *name, unsigned n_shards) {
    struct leat_error err;
    must(lt_streams_create(rig.streams, name, n_shards, false, false, 1 << 20, &err), &err);
}

void create_bucket(void) {
    struct lt_object_store *store = lt_object_folder_store(rig.objects);
    struct leat_error err;
    must(store->ops->create_bucket(store, "lake", &err), &err);
}

struct deliveries_found found;

static int read_one(const char *path, const struct stat *st, int flag, struct FTW *at) {
    (void)st, (void)at;
    if (flag != FTW_F)
        return 0;
    FILE *file = fopen(path, "r");
    unsigned number;
    assert_non_null(file);
    found.n_files++;
    while (fscanf(file, "%u;", &number) == 1) {
        assert_in_range(number, 0, 99999);
        found.counts[number]++;
        found.n_records++;
    }
    fclose(file);
    return 0;
}

/* Asserts that each of the numbers is in the bucket once, and nothing else. */
void expect_numbers(unsigned first, unsigned n) {
    char path[128];

    memset(&found, 0, sizeof(found));
    snprintf(path, sizeof(path), "%s/buckets/lake", rig.dir);
    assert_int_equal(nftw(path, read_one, 16, FTW_PHYS), 0);
    for (unsigned i = first; i < first + n; i++)
        assert_int_equal(found.counts[i], 1);
    assert_int_equal(found.n_records, n);
}

/* A number of a delivery's status. */
int64_t status_number(const char *name, const char *field) {
    struct lt_json_writer w;
    struct lt_json root, item, value, key;
    int64_t number = -1;
    struct lt_buf out;

    lt_buf_init(&out, 1 << 20);
    lt_json_writer_init(&w, &out);
    lt_deliveries_write_status(rig.deliveries, &w);
    assert_int_equal(lt_json_parse(&root, lt_buf_slice(&out), 16, NULL), LEAT_OK);
    struct lt_json_iter iter = lt_json_iter(root);
    while (lt_json_next(&iter, &item))
        if (lt_json_get(item, "name", &key) && lt_json_string_is(key, lt_slice_str(name))) {
            assert_true(lt_json_get(item, field, &value));
            if (value.type == LT_JSON_NULL)
                number = 0;
            else if (value.type == LT_JSON_STRING)
                number = 1;
            else
                assert_true(lt_json_int64(value, &number));
        }
    lt_buf_deinit(&out);
    return number;
}

void wait_until(const char *name, const char *field, int64_t at_least) {
    int64_t end_us = lt_clock_mono_us() + WAIT_MS * 1000;
    while (status_number(name, field) < at_least) {
        assert_true(lt_clock_mono_us() < end_us);
        turn();
    }
}

void trim_all(const char *stream) {
    struct lt_streams_shard *shards;
    struct lt_arena arena;
    struct leat_error err;
    size_t n;

    lt_arena_init(&arena, 1 << 20);
    must(lt_streams_shards(rig.streams, stream, &arena, &shards, &n, &err), &err);
    for (size_t i = 0; i < n; i++)
        lt_journal_trim(rig.journal, shards[i].uid, lt_clock_wall_ms() + 1000);
    lt_arena_deinit(&arena);
}

/* The stream's document with `from` replaced by `to` at its n-th place. */
void edit_stream(const char *stream, const char *from, const char *to, unsigned nth) {
    struct lt_slice body, name = lt_slice_str(stream);
    struct lt_arena arena;
    struct leat_error err;
    struct lt_buf text;

    lt_arena_init(&arena, 1 << 20);
    must(lt_state_get(rig.state, "stream", name, &arena, &body, &err), &err);
    const char *at = body.data - 1;
    do
        at = strstr(at + 1, from);
    while (at && nth--);
    assert_non_null(at);
    size_t before = (size_t)(at - body.data);
    lt_buf_init(&text, 1 << 20);
    lt_buf_append(&text, lt_slice(body.data, before));
    lt_buf_append_str(&text, to);
    lt_buf_append(&text, lt_slice_from(body, before + strlen(from)));
    must(lt_state_set(rig.state, "stream", name, lt_buf_slice(&text), &err), &err);
    lt_buf_deinit(&text);
    lt_arena_deinit(&arena);
}

/* The last record of a shard that the delivery's book has in an object. */
uint64_t position_of(const char *delivery, uint64_t uid) {
    char kind[64], name[64];
    struct lt_slice body;
    struct lt_arena arena;
    unsigned long long seq = 0;

    snprintf(kind, sizeof(kind), "deliver/%s", delivery);
    snprintf(name, sizeof(name), "shard/%012llu", (unsigned long long)uid);
    lt_arena_init(&arena, 1 << 20);
    if (lt_state_get(rig.state, kind, lt_slice_str(name), &arena, &body, NULL) == LEAT_OK)
        assert_int_equal(sscanf(body.data, "{\"seq\":%llu,", &seq), 1);
    lt_arena_deinit(&arena);
    return seq;
}
