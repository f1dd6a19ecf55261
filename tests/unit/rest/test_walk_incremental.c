/* SPDX-License-Identifier: Apache-2.0 */
/* A later walk takes what is new, and its cursor moves only with a whole one. */
#include "walk_rig.h"

#include <stdio.h>

/* A feed of records with a time, in pages of five. */
struct feed {
    const char *times[64]; /* JSON values */
    int n;
    bool newest_first;
    int broken_at; /* the page there fails; 0: none does */
};

static void feed_answer(struct rig *rig, const char *url, struct reply *reply) {
    struct feed *feed = rig->user;
    int at = (int)rig_param(url, "skip", 0);

    if (feed->broken_at && at >= feed->broken_at) {
        reply->status = 500;
        return;
    }
    lt_buf_append_str(&reply->body, "{\"items\":[");
    for (int i = at; i < at + 5 && i < feed->n; i++) {
        int index = feed->newest_first ? feed->n - 1 - i : i;
        lt_buf_printf(&reply->body, "%s{\"id\":%d,\"at\":%s}", i > at ? "," : "", index,
                      feed->times[index]);
    }
    if (at + 5 < feed->n)
        lt_buf_printf(&reply->body, "],\"next\":\"?skip=%d\"}", at + 5);
    else
        lt_buf_append_str(&reply->body, "],\"next\":null}");
}

static struct lt_rest_resource *make(struct rig *rig, struct feed *feed) {
    struct lt_rest_resource *list = rig_resource(rig, "feed", "/feed");

    rig->answer = feed_answer;
    rig->user = feed;
    list->records = TEXT(".items");
    list->pagination = (struct lt_rest_pagination){.kind = "next", .next = TEXT(".next")};
    list->incremental.field = TEXT(".at");
    return list;
}

/* One pass; the ids that came, as "0 1 2 ". */
static void pass(struct rig *rig, leat_status status, const char *ids) {
    char found[512] = "";

    rig_reset(rig);
    rig_run(rig);
    if (rig->status != status)
        fail_msg("%d: %s", rig->status, rig->status ? rig->err.text : "ok");
    for (size_t i = 0; i < rig->records[0].n; i++) {
        int id = -1;
        assert_int_equal(sscanf(rig->records[0].list[i], "{\"id\":%d", &id), 1);
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%d ", id);
    }
    assert_string_equal(found, ids);
    rig_keep_positions(rig);
}

static void only_what_is_new_comes_again(void **state) {
    struct feed feed = {.times = {"\"a\"", "\"b\"", "\"c\"", "\"c\"", "\"d\"", "\"d\"", "\"e\""},
                        .n = 4};
    struct rig *rig = *state;
    struct lt_rest_stat stat;

    make(rig, &feed);
    pass(rig, LEAT_OK, "0 1 2 3 ");
    pass(rig, LEAT_OK, "");
    lt_rest_walk_stat(rig->walk, 0, &stat);
    assert_int_equal(stat.n_skipped, 4);
    feed.n = 5;
    pass(rig, LEAT_OK, "4 ");
    feed.n = 7; /* one more with the cursor's own value */
    pass(rig, LEAT_OK, "5 6 ");
    pass(rig, LEAT_OK, "");
    assert_non_null(strstr(rig->positions[0].data, "\"cursor\":\"e\""));
}

static void numbers_compare_as_numbers_and_texts_as_bytes(void **state) {
    struct feed feed = {
        .times = {"9", "10", "100", "99.5", "9007199254740993", "9007199254740992", "1e400"},
        .n = 3};
    struct rig *rig = *state;

    make(rig, &feed);
    pass(rig, LEAT_OK, "0 1 2 ");
    feed.n = 5;
    pass(rig, LEAT_OK, "4 ");
    feed.n = 6; /* one less than the cursor, which no double can say */
    pass(rig, LEAT_OK, "");
    feed.n = 7;
    pass(rig, LEAT_OK, "6 ");
    assert_non_null(strstr(rig->positions[0].data, "\"cursor\":1e400"));
}

static void the_start_of_the_file_stands_for_a_cursor(void **state) {
    struct feed feed = {.times = {"5", "15", "25"}, .n = 3};
    struct rig *rig = *state;
    struct lt_rest_resource *list = make(rig, &feed);

    list->incremental.start = "15";
    list->incremental.param = "since";
    pass(rig, LEAT_OK, "1 2 ");
    assert_string_equal(rig->urls.list[0], "https://api.test/v1/feed?since=15");
    pass(rig, LEAT_OK, "");
    assert_string_equal(rig->urls.list[0], "https://api.test/v1/feed?since=25");
}

static void a_text_goes_into_the_request_as_it_is(void **state) {
    struct feed feed = {.times = {"\"2026-01-01T00:00:00+01:00 \\u00e4\""}, .n = 1};
    struct rig *rig = *state;

    make(rig, &feed)->incremental.param = "since";
    pass(rig, LEAT_OK, "0 ");
    assert_string_equal(rig->urls.list[0], "https://api.test/v1/feed");
    pass(rig, LEAT_OK, "");
    assert_non_null(strstr(rig->urls.list[0], "since=2026-01-01T00"));
    assert_non_null(strstr(rig->urls.list[0], "%C3%A4"));
}

static void records_without_the_field_always_come(void **state) {
    struct feed feed = {.times = {"null", "\"a\"", "[1]", "true"}, .n = 4};
    struct rig *rig = *state;

    make(rig, &feed);
    pass(rig, LEAT_OK, "0 1 2 3 ");
    pass(rig, LEAT_OK, "0 2 3 ");
}

static void newest_first_ends_at_a_page_all_older(void **state) {
    struct feed feed = {.times = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
                                  "13", "14", "15", "16", "17"},
                        .n = 15,
                        .newest_first = true};
    struct rig *rig = *state;

    make(rig, &feed)->incremental.order = LT_REST_DESCENDING;
    pass(rig, LEAT_OK, "14 13 12 11 10 9 8 7 6 5 4 3 2 1 0 ");
    assert_int_equal(rig->urls.n, 3);
    feed.n = 17;
    pass(rig, LEAT_OK, "16 15 ");
    assert_int_equal(rig->urls.n, 2);
}

static void a_walk_that_failed_moves_no_cursor(void **state) {
    struct feed feed = {.times = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"},
                        .n = 12,
                        .newest_first = true,
                        .broken_at = 5};
    struct rig *rig = *state;

    make(rig, &feed)->incremental.order = LT_REST_DESCENDING;
    pass(rig, LEAT_E_REMOTE, "11 10 9 8 7 ");
    assert_non_null(strstr(rig->positions[0].data, "\"cursor\":null"));
    assert_non_null(strstr(rig->positions[0].data, "\"high\":12"));
    feed.broken_at = 0;
    pass(rig, LEAT_OK, "6 5 4 3 2 1 0 ");
    assert_non_null(strstr(rig->positions[0].data, "\"cursor\":12"));
    pass(rig, LEAT_OK, "");
    assert_int_equal(rig->urls.n, 2); /* the page with the cursor, and one all older */
}

static void a_limit_counts_what_is_new(void **state) {
    struct feed feed = {.times = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"},
                        .n = 6};
    struct rig *rig = *state;

    make(rig, &feed);
    pass(rig, LEAT_OK, "0 1 2 3 4 5 ");
    feed.n = 12;
    rig->limit = 3;
    pass(rig, LEAT_OK, "6 7 8 ");
}

static void many_at_the_cursor_are_known_by_their_bytes(void **state) {
    struct feed feed = {.n = 64};
    struct rig *rig = *state;

    for (int i = 0; i < 64; i++)
        feed.times[i] = "\"same\"";
    make(rig, &feed);
    rig_run(rig);
    assert_int_equal(rig->records[0].n, 64);
    rig_keep_positions(rig);
    pass(rig, LEAT_OK, "");
    feed.times[40] = "\"same\" "; /* white space, but in no record's bytes that were seen */
    pass(rig, LEAT_OK, "40 ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(only_what_is_new_comes_again),
        RIG_TEST(numbers_compare_as_numbers_and_texts_as_bytes),
        RIG_TEST(the_start_of_the_file_stands_for_a_cursor),
        RIG_TEST(a_text_goes_into_the_request_as_it_is),
        RIG_TEST(records_without_the_field_always_come),
        RIG_TEST(newest_first_ends_at_a_page_all_older),
        RIG_TEST(a_walk_that_failed_moves_no_cursor),
        RIG_TEST(a_limit_counts_what_is_new),
        RIG_TEST(many_at_the_cursor_are_known_by_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
