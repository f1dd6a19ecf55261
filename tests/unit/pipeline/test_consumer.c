/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/consumer.h"

/* A stream service of scripted shards. Each holds a count of records, named ID:1, ID:2 …, of which
 * a read gives two at most; a closed one ends after its last record. */
struct fake_shard {
    struct lt_stream_shard shard;
    unsigned n_records;
    unsigned n_errors; /* reads that fail first, by a throttle */
    bool hidden;       /* not listed before a shard was read to its end */
    enum lt_stream_from opened_from;
};

struct lt_stream_reader {
    struct fake_shard *shard;
    unsigned next;
    bool reading, closed;
};

static struct {
    struct lt_stream_service service;
    uv_loop_t loop;
    struct fake_shard *shards;
    size_t n;
    unsigned n_lists, n_open;
    bool some_ended;
    leat_status list_status;
    char log[4096]; /* what was delivered, in order */
    unsigned stop_after;
} fake;

/* An answer that comes from the loop, not from within the call. */
struct later {
    uv_timer_t timer;
    struct lt_stream_reader *reader;
    void *ctx;
    lt_stream_read_done *read_done;
    lt_stream_shards_done *shards_done;
};

static void free_later(uv_handle_t *handle) {
    free(handle->data);
}

static void answer_shards(struct later *later) {
    struct lt_stream_shard list[8];
    struct leat_error err;
    size_t n = 0;

    for (size_t i = 0; i < fake.n; i++)
        if (!fake.shards[i].hidden || fake.some_ended)
            list[n++] = fake.shards[i].shard;
    if (fake.list_status != LEAT_OK)
        later->shards_done(later->ctx, lt_fail(&err, fake.list_status, 0, "no such stream"), NULL,
                           0, &err);
    else
        later->shards_done(later->ctx, LEAT_OK, list, n, NULL);
}

static void answer_read(struct later *later) {
    struct fake_shard *shard = later->reader->shard;
    struct leat_error err;

    later->reader->reading = false;
    if (later->reader->closed) {
        free(later->reader);
        later->read_done(later->ctx, lt_fail(&err, LEAT_E_CANCELLED, 0, "closed"), NULL, &err);
        return;
    }
    if (shard->n_errors) {
        shard->n_errors--;
        later->read_done(later->ctx, lt_fail(&err, LEAT_E_THROTTLED, 0, "slow down"), NULL, &err);
        return;
    }
    struct lt_stream_batch *batch = calloc(1, sizeof(*batch));
    lt_arena_init(&batch->arena, 1 << 20);
    batch->records = lt_arena_calloc(&batch->arena, 2, sizeof(*batch->records));
    while (batch->n < 2 && later->reader->next <= shard->n_records) {
        struct lt_stream_record *record = &batch->records[batch->n++];
        record->data = lt_slice_str(
            lt_arena_printf(&batch->arena, "%s:%u", shard->shard.id, later->reader->next++));
    }
    bool at_end = later->reader->next > shard->n_records;
    batch->end = at_end && shard->shard.closed;
    batch->behind_ms = at_end ? 0 : 1000;
    fake.some_ended |= batch->end;
    later->read_done(later->ctx, LEAT_OK, batch, NULL);
}

static void on_later(uv_timer_t *timer) {
    struct later *later = timer->data;
    if (later->read_done)
        answer_read(later);
    else
        answer_shards(later);
    uv_close((uv_handle_t *)timer, free_later);
}

static void answer_later(struct later what) {
    struct later *later = malloc(sizeof(*later));
    *later = what;
    uv_timer_init(&fake.loop, &later->timer);
    later->timer.data = later;
    uv_timer_start(&later->timer, on_later, 1, 0);
}

static leat_status list_shards(struct lt_stream_service *s, const char *stream,
                               lt_stream_shards_done *done, void *ctx, struct leat_error *err) {
    (void)s;
    (void)err;
    assert_string_equal(stream, "in");
    fake.n_lists++;
    answer_later((struct later){.shards_done = done, .ctx = ctx});
    return LEAT_OK;
}

static leat_status open_shard(struct lt_stream_service *s, const char *stream, const char *id,
                              const struct lt_stream_start *start, struct lt_stream_reader **out,
                              struct leat_error *err) {
    (void)s;
    (void)stream;
    (void)err;
    for (size_t i = 0; i < fake.n; i++) {
        if (strcmp(fake.shards[i].shard.id, id) != 0)
            continue;
        *out = calloc(1, sizeof(**out));
        (*out)->shard = &fake.shards[i];
        (*out)->next = start->from == LT_FROM_LATEST ? fake.shards[i].n_records + 1 : 1;
        fake.shards[i].opened_from = start->from;
        fake.n_open++;
        return LEAT_OK;
    }
    fail_msg("shard %s was opened", id);
    return LEAT_E_NOT_FOUND;
}

static leat_status read_shard(struct lt_stream_reader *r, size_t max_records, size_t max_bytes,
                              int64_t idle_ms, lt_stream_read_done *done, void *ctx,
                              struct leat_error *err) {
    (void)max_bytes;
    (void)idle_ms;
    (void)err;
    assert_true(max_records >= 2);
    assert_false(r->reading);
    r->reading = true;
    answer_later((struct later){.reader = r, .read_done = done, .ctx = ctx});
    return LEAT_OK;
}

/* A read under way ends as cancelled. */
static void close_shard(struct lt_stream_reader *reader) {
    fake.n_open--;
    reader->closed = true;
    if (!reader->reading)
        free(reader);
}

static const struct lt_stream_ops ops = {.kind = "fake",
                                         .list_shards = list_shards,
                                         .open_shard = open_shard,
                                         .read = read_shard,
                                         .close_shard = close_shard};

static bool take(void *ctx, const char *shard, const struct lt_stream_record *records, size_t n) {
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(strncmp(records[i].data.data, shard, strlen(shard)), 0);
        strncat(fake.log, records[i].data.data, records[i].data.len);
        strcat(fake.log, " ");
    }
    if (!fake.stop_after)
        return true;
    return --fake.stop_after > 0;
}

static leat_status consume(struct fake_shard *shards, size_t n, struct lt_consume_options opt,
                           uint64_t *n_records, struct leat_error *err) {
    bool interrupted;

    fake.service.ops = &ops;
    fake.shards = shards;
    fake.n = n;
    fake.n_lists = fake.n_open = 0;
    fake.some_ended = false;
    fake.log[0] = '\0';
    uv_loop_init(&fake.loop);
    opt.service = &fake.service;
    opt.loop = &fake.loop;
    opt.stream = "in";
    opt.on_records = take;
    leat_status status = lt_consume(&opt, n_records, &interrupted, err);
    assert_false(interrupted);
    assert_int_equal(fake.n_open, 0);
    uv_run(&fake.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fake.loop), 0);
    return status;
}

/* Where `what` stands in the log; it must be there once. */
static size_t place(const char *what) {
    const char *at = strstr(fake.log, what);
    if (!at)
        fail_msg("%s was not delivered: %s", what, fake.log);
    assert_null(strstr(at + 1, what));
    return (size_t)(at - fake.log);
}

static void a_shard_is_read_to_its_end_in_order(void **state) {
    struct fake_shard shards[] = {{.shard = {.id = "a"}, .n_records = 5}};
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 1, (struct lt_consume_options){0}, &n, &err), LEAT_OK);
    assert_int_equal(n, 5);
    assert_string_equal(fake.log, "a:1 a:2 a:3 a:4 a:5 ");
}

static void children_come_after_all_their_parents(void **state) {
    struct fake_shard shards[] = {
        {.shard = {.id = "d", .parent = "b", .adjacent_parent = "c"}, .n_records = 2},
        {.shard = {.id = "b", .parent = "a", .closed = true}, .n_records = 3},
        {.shard = {.id = "c", .parent = "a", .closed = true}, .n_records = 9},
        {.shard = {.id = "a", .parent = "gone", .closed = true}, .n_records = 4},
    };
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 4, (struct lt_consume_options){0}, &n, &err), LEAT_OK);
    assert_int_equal(n, 18);
    assert_true(place("a:4") < place("b:1"));
    assert_true(place("a:4") < place("c:1"));
    assert_true(place("b:3") < place("d:1"));
    assert_true(place("c:9") < place("d:1"));
}

static void children_made_while_reading_start_at_their_first_record(void **state) {
    struct fake_shard shards[] = {
        {.shard = {.id = "a", .closed = true}, .n_records = 3},
        {.shard = {.id = "b", .parent = "a"}, .n_records = 3, .hidden = true},
        {.shard = {.id = "c", .parent = "a"}, .n_records = 1, .hidden = true},
    };
    const struct lt_consume_options opt = {
        .start = {.from = LT_FROM_AT_SEQUENCE, .sequence = LT_LIT("17")}};
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 3, opt, &n, &err), LEAT_OK);
    assert_int_equal(n, 7);
    assert_int_equal(shards[0].opened_from, LT_FROM_AT_SEQUENCE);
    assert_int_equal(shards[1].opened_from, LT_FROM_TRIM_HORIZON);
    assert_int_equal(shards[2].opened_from, LT_FROM_TRIM_HORIZON);
}

static void an_empty_closed_shard_hands_over_at_once(void **state) {
    struct fake_shard shards[] = {
        {.shard = {.id = "a", .closed = true}},
        {.shard = {.id = "b", .parent = "a"}, .n_records = 1},
    };
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 2, (struct lt_consume_options){0}, &n, &err), LEAT_OK);
    assert_string_equal(fake.log, "b:1 ");
}

static void from_latest_closed_shards_are_over_and_open_ones_start_at_their_tip(void **state) {
    struct fake_shard shards[] = {
        {.shard = {.id = "a", .closed = true}, .n_records = 3},
        {.shard = {.id = "b", .parent = "a"}, .n_records = 2},
    };
    const struct lt_consume_options opt = {.start = {.from = LT_FROM_LATEST}};
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 2, opt, &n, &err), LEAT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(shards[1].opened_from, LT_FROM_LATEST);
}

static void one_shard_alone_does_not_bring_its_children(void **state) {
    struct fake_shard shards[] = {
        {.shard = {.id = "a", .closed = true}, .n_records = 3},
        {.shard = {.id = "b", .parent = "a", .closed = true}, .n_records = 2},
    };
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 2, (struct lt_consume_options){.shard = "a"}, &n, &err),
                     LEAT_OK);
    assert_string_equal(fake.log, "a:1 a:2 a:3 ");
    assert_int_equal(consume(shards, 2, (struct lt_consume_options){.shard = "b"}, &n, &err),
                     LEAT_OK);
    assert_string_equal(fake.log, "b:1 b:2 "); /* although its parent was not read */
    assert_int_equal(consume(shards, 2, (struct lt_consume_options){.shard = "x"}, &n, &err),
                     LEAT_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "x"));
}

static void the_maximum_ends_it_within_a_batch_even_when_it_follows(void **state) {
    struct fake_shard shards[] = {{.shard = {.id = "a"}, .n_records = 50},
                                  {.shard = {.id = "b"}, .n_records = 50}};
    struct leat_error err;
    uint64_t n;

    (void)state;
    const struct lt_consume_options opt = {.max_records = 7, .follow = true};
    assert_int_equal(consume(shards, 2, opt, &n, &err), LEAT_OK);
    assert_int_equal(n, 7);
    assert_int_equal(strlen(fake.log), 7 * 4);
}

static void it_ends_when_nobody_wants_more(void **state) {
    struct fake_shard shards[] = {{.shard = {.id = "a"}, .n_records = 50}};
    struct leat_error err;
    uint64_t n;

    (void)state;
    fake.stop_after = 3;
    assert_int_equal(consume(shards, 1, (struct lt_consume_options){.follow = true}, &n, &err),
                     LEAT_OK);
    assert_int_equal(n, 6);
    fake.stop_after = 0;
}

static void a_read_that_may_succeed_later_is_tried_again(void **state) {
    struct fake_shard shards[] = {{.shard = {.id = "a"}, .n_records = 3, .n_errors = 2}};
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 1, (struct lt_consume_options){0}, &n, &err), LEAT_OK);
    assert_string_equal(fake.log, "a:1 a:2 a:3 ");
}

static void a_sequence_number_asks_for_its_shard_when_there_are_several(void **state) {
    struct fake_shard shards[] = {{.shard = {.id = "a"}}, {.shard = {.id = "b"}, .n_records = 1}};
    struct lt_consume_options opt = {
        .start = {.from = LT_FROM_AT_SEQUENCE, .sequence = LT_LIT("17")}};
    struct leat_error err;
    uint64_t n;

    (void)state;
    assert_int_equal(consume(shards, 2, opt, &n, &err), LEAT_E_INVALID);
    assert_non_null(strstr(err.text, "--shard"));
    opt.shard = "b";
    assert_int_equal(consume(shards, 2, opt, &n, &err), LEAT_OK);
    assert_int_equal(n, 1);
}

static void a_stream_that_is_not_there_is_the_error(void **state) {
    struct leat_error err;
    uint64_t n;

    (void)state;
    fake.list_status = LEAT_E_NOT_FOUND;
    assert_int_equal(consume(NULL, 0, (struct lt_consume_options){.follow = true}, &n, &err),
                     LEAT_E_NOT_FOUND);
    assert_string_equal(err.text, "no such stream");
    fake.list_status = LEAT_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shard_is_read_to_its_end_in_order),
        cmocka_unit_test(children_come_after_all_their_parents),
        cmocka_unit_test(children_made_while_reading_start_at_their_first_record),
        cmocka_unit_test(an_empty_closed_shard_hands_over_at_once),
        cmocka_unit_test(from_latest_closed_shards_are_over_and_open_ones_start_at_their_tip),
        cmocka_unit_test(one_shard_alone_does_not_bring_its_children),
        cmocka_unit_test(the_maximum_ends_it_within_a_batch_even_when_it_follows),
        cmocka_unit_test(it_ends_when_nobody_wants_more),
        cmocka_unit_test(a_read_that_may_succeed_later_is_tried_again),
        cmocka_unit_test(a_sequence_number_asks_for_its_shard_when_there_are_several),
        cmocka_unit_test(a_stream_that_is_not_there_is_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
