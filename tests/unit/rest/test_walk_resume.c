/* SPDX-License-Identifier: Apache-2.0 */
/* From every position of a walk, and whatever happens to it, each record comes exactly once. */
#include "walk_world.h"

#include "rest/walk_parts.h"

/* The positions of one moment, all resources', and how many records each had counted. */
struct moment {
    char *positions[3];
    size_t n[3];
};

struct moments {
    struct lines expected[3];
    struct moment *list;
    size_t n;
};

static void expect(struct rig *rig, struct moments *moments) {
    rig->user = moments;
    expect_world(moments->expected);
}

static void forget(struct moments *moments) {
    for (size_t i = 0; i < moments->n; i++)
        for (size_t j = 0; j < 3; j++)
            free(moments->list[i].positions[j]);
    for (size_t i = 0; i < 3; i++)
        rig_free_lines(&moments->expected[i]);
    free(moments->list);
}

static size_t counted_of(const char *position) {
    struct lt_json json, n;
    int64_t number = -1;

    assert_int_equal(lt_json_parse(&json, lt_slice_str(position), 64, NULL), LEAT_OK);
    assert_true(lt_json_get(json, "n", &n) && lt_json_int64(n, &number) && number >= 0);
    return (size_t)number;
}

static void keep_moment(struct rig *rig) {
    struct moments *moments = rig->user;
    struct lt_buf text;

    moments->list = realloc(moments->list, (moments->n + 1) * sizeof(*moments->list));
    assert_non_null(moments->list);
    struct moment *moment = &moments->list[moments->n++];
    lt_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < 3; i++) {
        rig_position(rig, i, &text);
        moment->positions[i] = rig_copy(lt_buf_slice(&text));
        moment->n[i] = counted_of(moment->positions[i]);
        if (rig->records[i].n) /* nothing counts that was not given out */
            assert_true(moment->n[i] <= rig->ordinals[i] + rig->records[i].n);
    }
    lt_buf_deinit(&text);
}

/* Takes up a moment: the next walk starts there. */
static void go_back_to(struct rig *rig, const struct moment *moment) {
    rig_reset(rig);
    rig_free_positions(rig);
    for (size_t i = 0; i < 3; i++)
        rig->positions[i] = lt_slice_str(strdup(moment->positions[i]));
}

/* A walk that ended has nothing left but what its positions say. */
static void check_books(struct rig *rig) {
    size_t left = 0;

    assert_int_equal(rig->walk->n_given, 0);
    assert_int_equal(rig->walk->given_bytes, 0);
    assert_int_equal(rig->walk->n_in_flight, 0);
    assert_int_equal(rig->walk->n_answered, 0);
    assert_int_equal(rig->walk->n_failed, 0);
    for (size_t i = 0; i < 3; i++) {
        struct lt_walk_resource *res = &rig->walk->resources[i];
        assert_int_equal(res->n_outstanding, 0);
        assert_int_equal(res->n_in_flight, 0);
        for (struct lt_walk_task *task = res->first; task; task = task->next)
            left += sizeof(*task) + task->values.len;
        for (struct lt_walk_page *page = res->ledger; page; page = page->next)
            left += page->held_bytes;
    }
    assert_int_equal(rig->walk->held_bytes, left);
}

static bool is_complete(const char *position) {
    return strstr(position, "\"complete\":true") != NULL;
}

/* Goes on from the moment and checks that exactly what it had not counted comes. */
static void check_moment(struct rig *rig, struct moments *moments, size_t at) {
    const struct moment moment = moments->list[at];

    go_back_to(rig, &moment);
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_OK);
    check_books(rig);
    for (size_t i = 0; i < 3; i++) {
        bool anew = is_complete(moment.positions[i]);
        rig_assert_records(rig, i, &moments->expected[i], anew ? 0 : moment.n[i]);
        if (rig->records[i].n)
            assert_int_equal(rig->ordinals[i], anew ? 0 : moment.n[i]);
    }
    rig_assert_no_url_twice(rig);
}

static void from_every_position_each_record_comes_once(void **state) {
    struct rig *rig = *state;

    size_t n_moments = 0;

    make_world(rig);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct moments moments = {0};
        expect(rig, &moments);
        rig_reset(rig);
        rig_free_positions(rig);
        rig->seed = seed;
        rig->shuffle = true;
        rig->most_held = seed % 3 * 7;
        rig->api.concurrency = (unsigned)(1 + seed * 2);
        rig->on_progress = keep_moment;
        rig_run(rig);
        rig->on_progress = NULL;
        assert_int_equal(rig->status, LEAT_OK);
        n_moments += moments.n;
        assert_true(is_complete(moments.list[moments.n - 1].positions[TRACKS]));
        for (size_t i = 0; i < moments.n; i++)
            check_moment(rig, &moments, i);
        forget(&moments);
    }
    assert_true(n_moments > 80);
}

/* The user is done with pages in any order, and late; positions are looked at after each. */
static void look_after_each_page(struct rig *rig, struct lt_rest_page *page) {
    (void)page;
    keep_moment(rig);
}

static void positions_hold_between_progress_too(void **state) {
    struct rig *rig = *state;
    struct moments moments = {0};

    make_world(rig);
    expect(rig, &moments);
    rig->shuffle = true;
    rig->most_held = 20;
    rig->on_page = look_after_each_page;
    rig_run(rig);
    rig->on_page = NULL;
    rig->most_held = 0;
    assert_true(moments.n > 40);
    for (size_t i = 0; i < moments.n; i++)
        check_moment(rig, &moments, i);
    forget(&moments);
}

static void a_chain_of_crashes_gives_each_record_once(void **state) {
    struct rig *rig = *state;

    make_world(rig);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct lines all[3] = {{0}};
        struct moments moments = {0};
        size_t counted[3] = {0};
        expect(rig, &moments);
        rig_reset(rig);
        rig_free_positions(rig);
        rig->shuffle = true;
        rig->most_held = seed % 5;
        bool ended = false;
        for (size_t runs = 0; !ended; runs++) {
            rig->seed = seed * 1000 + runs;
            rig->free_after = 3 + rig_random(rig, 10);
            rig->on_progress = keep_moment;
            rig_start(rig);
            uv_run(&rig->loop, UV_RUN_DEFAULT);
            ended = rig->ended;
            for (size_t i = 0; i < 3; i++) {
                size_t now = moments.n ? moments.list[moments.n - 1].n[i] : 0;
                for (; counted[i] < now; counted[i]++)
                    rig_add_line(&all[i],
                                 lt_slice_str(rig->records[i].list[counted[i] - rig->ordinals[i]]));
            }
            if (!ended && moments.n)
                go_back_to(rig, &moments.list[moments.n - 1]);
            else if (!ended)
                rig_reset(rig);
            assert_true(runs < 200);
        }
        rig->free_after = 0;
        rig_reset(rig);
        for (size_t i = 0; i < 3; i++) {
            rig->records[i] = all[i];
            rig_assert_records(rig, i, &moments.expected[i], 0);
        }
        forget(&moments);
    }
}

static void stopped_at_any_step_it_ends_and_goes_on(void **state) {
    struct rig *rig = *state;

    make_world(rig);
    for (size_t step = 1; step < 60; step++) {
        struct moments moments = {0};
        expect(rig, &moments);
        rig_reset(rig);
        rig_free_positions(rig);
        rig->seed = step;
        rig->shuffle = true;
        rig->most_held = step % 4;
        rig->stop_after = step;
        rig->on_progress = keep_moment;
        rig_run(rig);
        rig->on_progress = NULL;
        rig->stop_after = 0;
        assert_true(rig->status == LEAT_E_CANCELLED || rig->status == LEAT_OK);
        assert_int_equal(rig->n_pending, 0);
        assert_true(moments.n);
        check_books(rig);
        /* what was given out was done, so that all of it counts but for gaps that were cut off */
        check_moment(rig, &moments, moments.n - 1);
        forget(&moments);
    }
}

static void freed_at_any_step_nothing_is_left(void **state) {
    struct rig *rig = *state;

    make_world(rig);
    rig->shuffle = true;
    for (size_t step = 1; step < 60; step++) {
        rig_reset(rig);
        rig->seed = step;
        rig->most_held = step % 4;
        rig->free_after = step;
        rig_run(rig);
        assert_int_equal(rig->n_pending, 0);
    }
}

static void free_now(struct rig *rig) {
    lt_rest_walk_free(rig->walk);
    rig->walk = NULL;
    rig->freed = true;
}

static void free_in_page(struct rig *rig, struct lt_rest_page *page) {
    (void)page;
    if (rig->n_pages == 5)
        free_now(rig);
}

static void free_in_progress(struct rig *rig) {
    if (rig->n_progress == 3)
        free_now(rig);
}

static void callbacks_may_free_it(void **state) {
    struct rig *rig = *state;

    make_world(rig);
    rig->on_page = free_in_page;
    rig_run(rig);
    assert_int_equal(rig->n_pages, 5);
    rig_reset(rig);
    rig->on_page = NULL;
    rig->on_progress = free_in_progress;
    rig_run(rig);
    assert_int_equal(rig->n_progress, 3);
}

/* One of the requests fails until it is mended. */
static const char *broken_part;

static void broken_answer(struct rig *rig, const char *url, struct reply *reply) {
    if (broken_part && strstr(url, broken_part))
        reply->status = 404;
    else
        world_answer(rig, url, reply);
}

static void after_any_failed_request_the_next_walk_goes_on(void **state) {
    struct rig *rig = *state;
    struct lines urls = {0};

    make_world(rig);
    rig_run(rig);
    for (size_t i = 0; i < rig->urls.n; i++)
        rig_add_line(&urls, lt_slice_str(rig->urls.list[i]));
    rig->answer = broken_answer;
    for (size_t i = 0; i < urls.n; i++) {
        struct moments moments = {0};
        expect(rig, &moments);
        rig_reset(rig);
        rig_free_positions(rig);
        broken_part = urls.list[i];
        rig->seed = i + 1;
        rig->shuffle = i % 2;
        rig->most_held = i % 3;
        rig->on_progress = keep_moment;
        rig_run(rig);
        rig->on_progress = NULL;
        assert_int_equal(rig->status, LEAT_E_REMOTE);
        assert_non_null(strstr(rig->err.text, "says 404"));
        check_books(rig);
        assert_true(moments.n);
        broken_part = NULL;
        check_moment(rig, &moments, moments.n - 1);
        forget(&moments);
    }
    rig_free_lines(&urls);
}

static void a_failed_page_lets_out_what_comes_before_it(void **state) {
    struct rig *rig = *state;
    struct moments moments = {0};

    make_world(rig);
    expect(rig, &moments);
    rig->selected[ALBUMS] = rig->selected[TRACKS] = false;
    rig->answer = broken_answer;
    broken_part = "offset=9";
    rig->shuffle = true;
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_E_REMOTE);
    assert_int_equal(rig->records[ARTISTS].n, 9);
    rig_keep_positions(rig);
    assert_non_null(strstr(rig->positions[ARTISTS].data, "{\"number\":9}"));
    broken_part = NULL;
    rig_reset(rig);
    rig_run(rig);
    rig_assert_records(rig, ARTISTS, &moments.expected[ARTISTS], 9);
    assert_int_equal(rig->urls.n, 2);
    forget(&moments);
}

static void a_whole_walk_begins_anew_from_its_end(void **state) {
    struct rig *rig = *state;
    struct moments moments = {0};

    make_world(rig);
    expect(rig, &moments);
    rig_run(rig);
    for (size_t i = 0; i < 2; i++) {
        rig_keep_positions(rig);
        rig_reset(rig);
        rig_run(rig);
        assert_int_equal(rig->urls.n, world_requests());
        for (size_t j = 0; j < 3; j++) {
            rig_assert_records(rig, j, &moments.expected[j], 0);
            assert_int_equal(rig->ordinals[j], 0);
        }
    }
    forget(&moments);
}

static leat_status start_with(struct rig *rig, size_t resource, const char *position) {
    const struct lt_rest_walk_options opt = {.api = &rig->api,
                                             .loop = &rig->loop,
                                             .selected = rig->selected,
                                             .positions = rig->positions};
    struct lt_rest_walk *walk;

    rig_free_positions(rig);
    rig->positions[resource] = lt_slice_str(strdup(position));
    leat_status status = lt_rest_walk_start(&walk, &opt, &rig->err);
    lt_rest_walk_free(walk);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    return status;
}

static void what_is_no_position_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "7",
        "[]",
        "{}",
        "{\"v\":1}",
        "{\"v\":2,\"n\":0,\"complete\":false,\"tasks\":[]}",
        "{\"v\":1,\"n\":-1,\"complete\":false,\"tasks\":[]}",
        "{\"v\":1,\"n\":0,\"complete\":0,\"tasks\":[]}",
        "{\"v\":1,\"n\":0,\"complete\":false}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":{}}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[7]}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{}]}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":7,\"n\":0}]}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":{},\"n\":0}]}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":null}]}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":{\"number\":\"x\"},\"n\":"
        "0}]}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":{\"url\":\"x\"},\"n\":0}]"
        "}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":null,\"n\":0,\"body\":"
        "\"x\"}]}",
        "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[],\"found\":{\"records\":[7]}}",
    };
    struct rig *rig = *state;

    make_world(rig);
    rig->selected[ALBUMS] = rig->selected[TRACKS] = false;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (start_with(rig, ARTISTS, bad[i]) != LEAT_E_PARSE)
            fail_msg("%s: %s", bad[i], rig->err.text);
    assert_non_null(strstr(rig->err.text, "resource artists"));
}

static void a_position_of_another_file_is_refused(void **state) {
    struct rig *rig = *state;

    make_world(rig);
    rig->selected[ALBUMS] = rig->selected[TRACKS] = false;
    assert_int_equal(
        start_with(rig, ARTISTS,
                   "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[1],\"at\":null,"
                   "\"n\":0}]}"),
        LEAT_E_CONFIG);
    assert_int_equal(start_with(rig, ARTISTS,
                                "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":"
                                "{\"url\":\"https://api.test/x\"},\"n\":0}]}"),
                     LEAT_E_CONFIG);
    assert_int_equal(start_with(rig, ARTISTS,
                                "{\"v\":1,\"n\":0,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":"
                                "{\"lost\":true},\"n\":0}]}"),
                     LEAT_E_CONFIG);
    rig->selected[ALBUMS] = true; /* it has no lists for the artists that were counted */
    assert_int_equal(start_with(rig, ARTISTS,
                                "{\"v\":1,\"n\":3,\"complete\":false,\"tasks\":[{\"p\":[],\"at\":"
                                "{\"number\":3},\"n\":3}]}"),
                     LEAT_E_CONFIG);
    assert_non_null(strstr(rig->err.text, "albums"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(from_every_position_each_record_comes_once),
        RIG_TEST(positions_hold_between_progress_too),
        RIG_TEST(a_chain_of_crashes_gives_each_record_once),
        RIG_TEST(stopped_at_any_step_it_ends_and_goes_on),
        RIG_TEST(freed_at_any_step_nothing_is_left),
        RIG_TEST(callbacks_may_free_it),
        RIG_TEST(after_any_failed_request_the_next_walk_goes_on),
        RIG_TEST(a_failed_page_lets_out_what_comes_before_it),
        RIG_TEST(a_whole_walk_begins_anew_from_its_end),
        RIG_TEST(what_is_no_position_is_refused),
        RIG_TEST(a_position_of_another_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
