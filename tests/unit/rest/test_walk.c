/* SPDX-License-Identifier: Apache-2.0 */
/* Order, counts of requests, pages side by side, fields, limits. */
#include "walk_world.h"

static void a_world_comes_whole_and_in_order(void **state) {
    struct rig *rig = *state;
    struct lines expected[3] = {{0}};

    make_world(rig);
    expect_world(expected);
    for (uint64_t seed = 0; seed < 40; seed++) {
        rig_reset(rig);
        rig->seed = seed;
        rig->shuffle = seed % 4;
        rig->most_held = seed % 3 * 5;
        rig->api.concurrency = (unsigned)(1 + seed % 16);
        rig_run(rig);
        if (rig->status != LEAT_OK)
            fail_msg("%s", rig->err.text);
        for (size_t i = 0; i < 3; i++)
            rig_assert_records(rig, i, &expected[i], 0);
        rig_assert_no_url_twice(rig);
        assert_int_equal(rig->urls.n, world_requests());
        struct lt_rest_stat stat;
        lt_rest_walk_stat(rig->walk, TRACKS, &stat);
        assert_int_equal(stat.n_records, expected[TRACKS].n);
        assert_int_equal(stat.n_tasks, expected[ALBUMS].n);
        assert_int_equal(stat.n_tasks_done, expected[ALBUMS].n);
        assert_true(stat.complete);
        lt_rest_walk_stat(rig->walk, ARTISTS, &stat);
        assert_int_equal(stat.total_records, N_ARTISTS);
        assert_int_equal(stat.n_requests, 5);
    }
    for (size_t i = 0; i < 3; i++)
        rig_free_lines(&expected[i]);
}

static void a_parent_that_is_not_selected_is_fetched_only(void **state) {
    struct rig *rig = *state;
    struct lines expected[3] = {{0}};

    make_world(rig);
    expect_world(expected);
    rig->selected[ARTISTS] = rig->selected[ALBUMS] = false;
    rig->shuffle = true;
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_OK);
    assert_int_equal(rig->records[ARTISTS].n + rig->records[ALBUMS].n, 0);
    rig_assert_records(rig, TRACKS, &expected[TRACKS], 0);
    assert_int_equal(rig->urls.n, world_requests());
    rig_reset(rig);
    rig->selected[TRACKS] = false;
    rig->selected[ARTISTS] = true;
    rig_run(rig);
    rig_assert_records(rig, ARTISTS, &expected[ARTISTS], 0);
    assert_int_equal(rig->urls.n, 5);
    for (size_t i = 0; i < 3; i++)
        rig_free_lines(&expected[i]);
}

/* A child's page never comes before the page of its parent. */
static void check_parent_first(struct rig *rig, struct lt_rest_page *page) {
    struct lt_json id;
    char wanted[64];

    if (page->resource_index != TRACKS)
        return;
    for (size_t i = 0; i < page->n_records; i++) {
        bool found = false;
        assert_true(lt_json_get(page->records[i], "album", &id));
        snprintf(wanted, sizeof(wanted), "{\"id\":%.*s,", LT_FMT(id.raw));
        for (size_t j = 0; j < rig->records[ALBUMS].n && !found; j++)
            found = !strncmp(rig->records[ALBUMS].list[j], wanted, strlen(wanted));
        assert_true(found);
        assert_true(lt_slice_eq(page->group, id.raw));
    }
}

static void children_come_after_the_page_of_their_parent(void **state) {
    struct rig *rig = *state;

    make_world(rig);
    rig->shuffle = true;
    rig->on_page = check_parent_first;
    for (rig->seed = 1; rig->n_pages < 400; rig->seed++) {
        size_t n = rig->n_pages;
        rig_reset(rig);
        rig_run(rig);
        rig->n_pages += n;
    }
}

/* A list of `n_list` records by offset. */
static int64_t n_list, list_cap;
static bool tells_total;

static void list_answer(struct rig *rig, const char *url, struct reply *reply) {
    int64_t at = rig_param(url, "offset", 0), limit = rig_param(url, "limit", 10);

    (void)rig;
    if (list_cap && limit > list_cap)
        limit = list_cap;
    lt_buf_append_str(&reply->body, "{\"items\":[");
    for (int64_t i = at; i < at + limit && i < n_list; i++)
        lt_buf_printf(&reply->body, "%s{\"n\":%d}", i > at ? "," : "", (int)i);
    lt_buf_append_byte(&reply->body, ']');
    if (tells_total)
        lt_buf_printf(&reply->body, ",\"total\":%d", (int)n_list);
    lt_buf_append_byte(&reply->body, '}');
}

static struct lt_rest_resource *make_list(struct rig *rig, int64_t n, bool total) {
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");

    n_list = n;
    list_cap = 0;
    tells_total = total;
    rig->answer = list_answer;
    rig->params[0] = (struct lt_rest_param){"limit", PLAIN("10")};
    list->params = rig->params;
    list->n_params = 1;
    list->pagination = (struct lt_rest_pagination){
        .kind = "offset", .offset_param = "offset", .limit_param = "limit"};
    if (total)
        list->pagination.total = TEXT(".total");
    return list;
}

static void no_request_is_made_more_than_needed(void **state) {
    static const struct {
        int64_t n;
        bool total;
        size_t n_requests;
    } cases[] = {{0, true, 1},    {9, true, 1},  {10, true, 1},  {11, true, 2},  {100, true, 10},
                 {101, true, 11}, {0, false, 1}, {10, false, 2}, {25, false, 3}, {30, false, 4}};
    struct rig *rig = *state;

    make_list(rig, 0, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_reset(rig);
        rig->api.n_resources = 0;
        make_list(rig, cases[i].n, cases[i].total)->pagination.total =
            cases[i].total ? TEXT(".total") : (struct lt_expr_text){0};
        rig->shuffle = true;
        rig_run(rig);
        assert_int_equal(rig->status, LEAT_OK);
        assert_int_equal(rig->records[0].n, cases[i].n);
        assert_int_equal(rig->urls.n, cases[i].n_requests);
        rig_assert_no_url_twice(rig);
    }
}

static void pages_go_side_by_side_as_many_as_may(void **state) {
    struct rig *rig = *state;

    make_list(rig, 1000, true);
    rig->api.concurrency = 7;
    rig_run(rig);
    assert_int_equal(rig->max_pending, 7);
    assert_int_equal(rig->urls.n, 100);
    rig_reset(rig);
    tells_total = false; /* and one by one when nobody says how many there are */
    rig_run(rig);
    assert_int_equal(rig->max_pending, 1);
    assert_int_equal(rig->records[0].n, 1000);
}

static void a_server_that_caps_the_limit_loses_nothing(void **state) {
    struct rig *rig = *state;

    make_list(rig, 95, true);
    list_cap = 7;
    rig->shuffle = true;
    rig_run(rig);
    assert_int_equal(rig->records[0].n, 95);
    assert_int_equal(rig->urls.n, 14);
    rig_assert_no_url_twice(rig);
}

/* The third page is short once, though the total is told: what was asked for behind it is void. */
static void hole_answer(struct rig *rig, const char *url, struct reply *reply) {
    int64_t at = rig_param(url, "offset", 0);

    (void)rig;
    int64_t end = at == 20 ? 26 : at + 10 < 100 ? at + 10 : 100;
    lt_buf_append_str(&reply->body, "{\"items\":[");
    for (int64_t i = at; i < end; i++)
        lt_buf_printf(&reply->body, "%s{\"n\":%d}", i > at ? "," : "", (int)i);
    lt_buf_append_str(&reply->body, "],\"total\":100}");
}

static void a_page_shorter_than_foreseen_is_gone_on_from(void **state) {
    struct rig *rig = *state;

    make_list(rig, 100, true);
    rig->answer = hole_answer;
    rig->api.concurrency = 8;
    for (rig->seed = 1; rig->seed < 9; rig->seed++) {
        uint64_t seed = rig->seed;
        rig_reset(rig);
        rig->shuffle = true;
        rig_run(rig);
        rig->seed = seed;
        assert_int_equal(rig->status, LEAT_OK);
        assert_int_equal(rig->records[0].n, 100);
        for (size_t i = 0; i < 100; i++) {
            char wanted[32];
            snprintf(wanted, sizeof(wanted), "{\"n\":%zu}", i);
            assert_string_equal(rig->records[0].list[i], wanted);
        }
    }
}

static void a_limit_asks_for_no_page_more(void **state) {
    static const struct {
        uint64_t limit;
        size_t n_requests;
    } cases[] = {{1, 1}, {10, 1}, {11, 2}, {15, 2}, {20, 2}, {55, 6}, {2000, 100}};
    struct rig *rig = *state;

    make_list(rig, 1000, true);
    rig->api.concurrency = 16;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_reset(rig);
        rig->limit = cases[i].limit;
        rig->shuffle = true;
        rig_run(rig);
        assert_int_equal(rig->status, LEAT_OK);
        assert_int_equal(rig->records[0].n, cases[i].limit < 1000 ? cases[i].limit : 1000);
        assert_int_equal(rig->urls.n, cases[i].n_requests);
    }
}

static void a_limit_is_of_resources_without_a_parent(void **state) {
    struct rig *rig = *state;
    size_t n_children = 0;

    make_world(rig);
    rig->limit = 5;
    rig->shuffle = true;
    rig_run(rig);
    assert_int_equal(rig->records[ARTISTS].n, 5);
    for (int i = 0; i < 5; i++)
        n_children += (size_t)n_albums(i);
    assert_int_equal(rig->records[ALBUMS].n, n_children);
    assert_int_equal(rig_count_with(rig, "/artists?"), 2);
}

/* Pages of some 4 KiB; what is held is measured from outside by what was asked and not given. */
static size_t n_bytes_out, most_bytes_out;

static void big_answer(struct rig *rig, const char *url, struct reply *reply) {
    (void)rig;
    lt_buf_append_str(&reply->body, "{\"items\":[");
    for (int i = 0; i < 10; i++)
        lt_buf_printf(&reply->body, "%s{\"pad\":\"%0400d\"}", i ? "," : "",
                      (int)rig_param(url, "offset", 0) + i);
    lt_buf_append_str(&reply->body, "],\"total\":3000}");
    n_bytes_out += reply->body.len;
    if (n_bytes_out > most_bytes_out)
        most_bytes_out = n_bytes_out;
}

static void note_given(struct rig *rig, struct lt_rest_page *page) {
    (void)rig;
    n_bytes_out -= page->n_records * 411;
}

static void what_is_held_is_bounded(void **state) {
    struct rig *rig = *state;

    make_list(rig, 3000, true);
    rig->answer = big_answer;
    rig->on_page = note_given;
    rig->api.concurrency = 64;
    rig->max_held_bytes = 64 << 10;
    rig->most_held = 30; /* more than fits: the user lets go when nothing is under way */
    rig->shuffle = true;
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_OK);
    assert_int_equal(rig->records[0].n, 3000);
    assert_true(most_bytes_out < (size_t)2 * (64 << 10));
    assert_int_equal(rig->urls.n, 300);
}

static void a_tiny_bound_still_ends(void **state) {
    struct rig *rig = *state;
    struct lines expected[3] = {{0}};

    make_world(rig);
    expect_world(expected);
    rig->max_held_bytes = 1;
    rig->api.concurrency = 16;
    for (size_t held = 0; held < 3; held++) {
        rig_reset(rig);
        rig->most_held = held;
        rig->shuffle = true;
        rig_run(rig);
        assert_int_equal(rig->status, LEAT_OK);
        for (size_t i = 0; i < 3; i++)
            rig_assert_records(rig, i, &expected[i], 0);
    }
    for (size_t i = 0; i < 3; i++)
        rig_free_lines(&expected[i]);
}

/* Many parents: their lists do not pile up. */
static size_t most_waiting;

static void many_answer(struct rig *rig, const char *url, struct reply *reply) {
    struct lt_rest_stat stat;

    if (strstr(url, "/of/")) {
        lt_buf_append_str(&reply->body, "{\"items\":[{\"x\":1}]}");
        lt_rest_walk_stat(rig->walk, 1, &stat);
        if (stat.n_tasks - stat.n_tasks_done > most_waiting)
            most_waiting = stat.n_tasks - stat.n_tasks_done;
        return;
    }
    list_answer(rig, url, reply);
}

static void make_parents(struct rig *rig, int64_t n, const char *limit) {
    struct lt_rest_resource *child;

    make_list(rig, n, true);
    rig->params[0].value.source.text = lt_slice_str(limit);
    child = rig_resource(rig, "child", "/of/{.n}");
    child->parent = 0;
    rig->answer = many_answer;
    most_waiting = 0;
}

static void parents_wait_while_their_children_pile_up(void **state) {
    struct rig *rig = *state;

    make_parents(rig, 6800, "50");
    rig->api.concurrency = 16;
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_OK);
    assert_int_equal(rig->records[0].n, 6800);
    assert_int_equal(rig->records[1].n, 6800);
    assert_int_equal(rig->urls.n, 136 + 6800);
    assert_true(most_waiting <= 1000 + 50 + 64);
}

static void parents_and_children_go_side_by_side(void **state) {
    struct rig *rig = *state;

    make_parents(rig, 40, "10");
    rig->api.concurrency = 3;
    rig_run(rig);
    /* the first page of parents, its ten children, and only then the next page */
    assert_int_equal(rig->urls.n, 44);
    assert_non_null(strstr(rig->urls.list[1], "/of/0"));
    assert_int_equal(rig->max_pending, 3);
}

static void fetched_at_answer(struct rig *rig, const char *url, struct reply *reply) {
    (void)rig;
    lt_buf_append_str(&reply->body, strstr(url, "/of/") ? "[{\"a\":1,\"when\":0},7]"
                                                        : "[{\"n\":1,\"name\":\"x.y\"}]");
}

static void fields_take_the_parent_the_resource_and_the_time(void **state) {
    struct rig *rig = *state;
    struct lt_rest_resource *parent = rig_resource(rig, "parent", "/parent"), *child;

    (void)parent;
    child = rig_resource(rig, "child", "/of/{.n}");
    child->parent = 0;
    rig->answer = fetched_at_answer;
    rig->fields[0] = (struct lt_expr_text){.name = LT_LIT("name"), .text = LT_LIT(".name")};
    rig->fields[1] = (struct lt_expr_text){.name = LT_LIT("when"), .text = LT_LIT("$fetched_at")};
    rig->fields[2] = (struct lt_expr_text){
        .name = LT_LIT("day"), .text = LT_LIT("$fetched_at[:4] + .name + $resource # so")};
    child->fields = rig->fields;
    child->n_fields = 3;
    rig_run(rig);
    if (rig->status != LEAT_OK)
        fail_msg("%s", rig->err.text);
    struct lt_json record, value;
    struct lt_slice text = lt_slice_str(rig->records[1].list[0]);
    assert_int_equal(lt_json_parse(&record, text, 8, NULL), LEAT_OK);
    assert_true(lt_json_get(record, "name", &value) && lt_slice_eq_str(value.raw, "\"x.y\""));
    assert_true(lt_json_get(record, "when", &value) &&
                value.raw.len == strlen("\"2026-01-01T00:00:00.000Z\""));
    assert_true(lt_json_get(record, "day", &value));
    assert_int_equal(value.raw.len, strlen("\"2026x.ychild\""));
    assert_non_null(strstr(rig->records[1].list[0], "x.ychild\""));
    assert_string_equal(rig->records[1].list[1], "7"); /* nothing to add a field to */
}

static void an_expression_of_a_field_that_fails_ends_the_walk(void **state) {
    struct rig *rig = *state;
    struct lt_rest_resource *child;

    rig_resource(rig, "parent", "/parent");
    child = rig_resource(rig, "child", "/of/{.n}");
    child->parent = 0;
    rig->answer = fetched_at_answer;
    rig->fields[0] = (struct lt_expr_text){.name = LT_LIT("bad"), .text = LT_LIT(".name.x")};
    child->fields = rig->fields;
    child->n_fields = 1;
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_E_INVALID);
    assert_non_null(strstr(rig->err.text, "resource child: fields.bad"));
    assert_int_equal(rig->records[0].n, 0); /* its lists could not be made: it does not count */
    assert_int_equal(rig->urls.n, 1);
}

static void api_answer(struct rig *rig, const char *url, struct reply *reply) {
    (void)rig;
    lt_buf_append_str(&reply->body, strstr(url, "/next")
                                        ? "{\"items\":[{\"n\":2}],\"next\":null}"
                                        : "{\"items\":[{\"n\":1}],\"next\":\"/next?x=1\"}");
}

static void params_of_the_api_stand_in_every_request(void **state) {
    struct lt_rest_param of_api[] = {{"key", PLAIN("s3cret key")}, {"v", PLAIN("{{1}}")}};
    static const char *secrets[] = {"s3cret key"};
    struct rig *rig = *state;
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list?fixed=1");

    rig->api.params = of_api;
    rig->api.n_params = 2;
    rig->api.secrets = secrets;
    rig->api.n_secrets = 1;
    rig->params[0] = (struct lt_rest_param){"limit", PLAIN("5")};
    list->params = rig->params;
    list->n_params = 1;
    list->pagination = (struct lt_rest_pagination){.kind = "next", .next = TEXT(".next")};
    rig->answer = api_answer;
    rig_run(rig);
    assert_int_equal(rig->urls.n, 2);
    assert_non_null(strstr(rig->urls.list[0], "/v1/list?fixed=1&key=s3cret"));
    assert_non_null(strstr(rig->urls.list[0], "&limit=5"));
    assert_int_equal(rig_param(rig->urls.list[1], "x", 0), 1);
    assert_non_null(strstr(rig->urls.list[1], "key=s3cret"));
    assert_null(strstr(rig->urls.list[1], "limit=")); /* the next URL says what it means */
}

static void nothing_selected_ends_at_once(void **state) {
    struct rig *rig = *state;

    make_world(rig);
    memset(rig->selected, 0, sizeof(rig->selected));
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_OK);
    assert_int_equal(rig->urls.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_world_comes_whole_and_in_order),
        RIG_TEST(a_parent_that_is_not_selected_is_fetched_only),
        RIG_TEST(children_come_after_the_page_of_their_parent),
        RIG_TEST(no_request_is_made_more_than_needed),
        RIG_TEST(pages_go_side_by_side_as_many_as_may),
        RIG_TEST(a_server_that_caps_the_limit_loses_nothing),
        RIG_TEST(a_page_shorter_than_foreseen_is_gone_on_from),
        RIG_TEST(a_limit_asks_for_no_page_more),
        RIG_TEST(a_limit_is_of_resources_without_a_parent),
        RIG_TEST(what_is_held_is_bounded),
        RIG_TEST(a_tiny_bound_still_ends),
        RIG_TEST(parents_wait_while_their_children_pile_up),
        RIG_TEST(parents_and_children_go_side_by_side),
        RIG_TEST(fields_take_the_parent_the_resource_and_the_time),
        RIG_TEST(an_expression_of_a_field_that_fails_ends_the_walk),
        RIG_TEST(params_of_the_api_stand_in_every_request),
        RIG_TEST(nothing_selected_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
