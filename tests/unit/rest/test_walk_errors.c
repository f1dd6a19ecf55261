/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that go round, answers that are no pages, and what is still given out then. */
#include "walk_rig.h"

#include <stdio.h>

/* The answers to requests, by a part of their URL; the first that fits. */
struct script {
    const char *part, *body, *headers;
    unsigned status;
};

static void scripted(struct rig *rig, const char *url, struct reply *reply) {
    for (const struct script *line = rig->user; line->part; line++) {
        if (!strstr(url, line->part))
            continue;
        reply->status = line->status ? line->status : 200;
        lt_buf_append_str(&reply->body, line->body);
        lt_buf_append_str(&reply->headers, line->headers ? line->headers : "");
        return;
    }
    fail_msg("nobody expected %s", url);
}

static struct lt_rest_resource *make(struct rig *rig, struct script *script,
                                     struct lt_rest_pagination how) {
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");

    rig->answer = scripted;
    rig->user = script;
    list->pagination = how;
    return list;
}

static const struct lt_rest_pagination by_next = {.kind = "next", .next = {.text = {".next", 5}}};

/* Runs a list that must fail with a text that holds these. */
static void fails(struct rig *rig, leat_status status, const char *one, const char *two) {
    rig_run(rig);
    if (rig->status != status || !strstr(rig->err.text, one) || !strstr(rig->err.text, two))
        fail_msg("%d: %s", rig->status, rig->status ? rig->err.text : "ok");
}

static void a_next_url_that_comes_again_is_named(void **state) {
    struct script script[] = {{"page=2", "{\"items\":[{\"n\":2}],\"next\":\"?page=3\"}", NULL, 0},
                              {"page=3", "{\"items\":[{\"n\":3}],\"next\":\"?page=2\"}", NULL, 0},
                              {"/list", "{\"items\":[{\"n\":1}],\"next\":\"?page=2\"}", NULL, 0},
                              {0}};
    struct rig *rig = *state;

    make(rig, script, by_next);
    fails(rig, LEAT_E_PARSE, "https://api.test/v1/list?page=2", "comes again");
    assert_int_equal(rig->records[0].n, 3); /* what was read is given out */
    assert_int_equal(rig->urls.n, 3);
    rig_keep_positions(rig);
    rig_reset(rig);
    fails(rig, LEAT_E_PARSE, "resource list", "start over"); /* and not once more */
    assert_int_equal(rig->records[0].n, 0);
    assert_int_equal(rig->urls.n, 0);
}

static void a_next_url_that_is_its_own_page_is_named(void **state) {
    struct script script[] = {{"/list", "{\"items\":[{\"n\":1}],\"next\":\"/v1/list\"}", NULL, 0},
                              {0}};
    struct rig *rig = *state;

    make(rig, script, by_next);
    fails(rig, LEAT_E_PARSE, "https://api.test/v1/list", "comes again");
    assert_int_equal(rig->records[0].n, 1);
    assert_int_equal(rig->urls.n, 1);
}

static void a_cursor_that_comes_again_is_named(void **state) {
    struct script script[] = {{"after=c1", "{\"items\":[{\"n\":2}],\"c\":\"c1\"}", NULL, 0},
                              {"/list", "{\"items\":[{\"n\":1}],\"c\":\"c1\"}", NULL, 0},
                              {0}};
    struct rig *rig = *state;

    make(
        rig, script,
        (struct lt_rest_pagination){.kind = "cursor", .cursor_param = "after", .next = TEXT(".c")});
    fails(rig, LEAT_E_PARSE, "the cursor c1", "comes again");
    assert_int_equal(rig->records[0].n, 2);
    assert_int_equal(rig->urls.n, 2);
}

/* next: 1, 2, … up to a circle that begins at `loop_to` */
static int loop_from, loop_to;

static void circle(struct rig *rig, const char *url, struct reply *reply) {
    int at = (int)rig_param(url, "at", 0);

    (void)rig;
    lt_buf_printf(&reply->body, "{\"items\":[{\"n\":%d}],\"next\":\"?at=%d\"}", at,
                  at == loop_from ? loop_to : at + 1);
}

static void circles_of_any_length_are_found(void **state) {
    struct rig *rig = *state;

    make(rig, NULL, by_next);
    rig->answer = circle;
    for (loop_from = 1; loop_from < 2000; loop_from = loop_from * 3 + 1) {
        loop_to = loop_from / 2 + 1;
        rig_reset(rig);
        fails(rig, LEAT_E_PARSE, "/v1/list?at=", "comes again");
        assert_int_equal(rig->records[0].n, loop_from + 1);
    }
}

static void a_page_that_comes_again_under_another_number_is_an_error(void **state) {
    struct script script[] = {{"/list", "{\"items\":[{\"n\":1}]}", NULL, 0}, {0}};
    struct rig *rig = *state;

    make(rig, script,
         (struct lt_rest_pagination){.kind = "page", .page_param = "page", .first = 1});
    fails(rig, LEAT_E_PARSE, "page=2", "records of the page before again");
    assert_int_equal(rig->records[0].n, 1);
    assert_int_equal(rig->urls.n, 2);
    rig_keep_positions(rig);
    rig_reset(rig);
    fails(rig, LEAT_E_PARSE, "page=2", "records of the page before again");
    assert_int_equal(rig->records[0].n, 0); /* the next walk knows it too */
}

static void clock_answer(struct rig *rig, const char *url, struct reply *reply) {
    (void)url;
    lt_buf_printf(&reply->body, "{\"items\":[{\"n\":1}],\"clock\":%zu}", rig->urls.n);
}

static void records_that_come_for_ever_are_an_error(void **state) {
    struct rig *rig = *state;

    make(rig, NULL, (struct lt_rest_pagination){.kind = "page", .page_param = "page", .first = 1});
    rig->answer = clock_answer;
    fails(rig, LEAT_E_PARSE, "page=5", "records of the page before again");
    assert_int_equal(rig->urls.n, 5);
}

static void empty_answer(struct rig *rig, const char *url, struct reply *reply) {
    int at = (int)rig_param(url, "at", 0);

    (void)rig;
    lt_buf_printf(&reply->body, "{\"items\":[%s],\"next\":\"?at=%d\"}",
                  at % 60 == 0 && at < 200 ? "{}" : "", at + 1);
}

static void empty_pages_are_gone_over_but_not_for_ever(void **state) {
    struct rig *rig = *state;

    make(rig, NULL, by_next)->records = TEXT(".items");
    rig->answer = empty_answer;
    fails(rig, LEAT_E_PARSE, "100 empty pages in a row", "at=281");
    assert_int_equal(rig->records[0].n, 4);
    assert_int_equal(rig->urls.n, 281);
}

static void an_answer_that_is_no_json_says_what_it_is(void **state) {
    struct script script[] = {
        {"page=2", "<html><body>Sorry s3cret</body></html>", "Content-Type: text/html\r\n", 0},
        {"/list", "{\"items\":[{\"n\":1}],\"next\":\"?page=2\"}", NULL, 0},
        {0}};
    static const char *secrets[] = {"s3cret"};
    struct rig *rig = *state;

    make(rig, script, by_next);
    rig->api.secrets = secrets;
    rig->api.n_secrets = 1;
    fails(rig, LEAT_E_PARSE,
          "https://api.test/v1/list?page=2: resource list: the answer is no JSON",
          "its type is text/html, and it begins with \"<html><body>Sorry ***");
    assert_null(strstr(rig->err.text, "s3cret"));
    assert_int_equal(rig->records[0].n, 1);
}

static void json_of_any_type_is_read(void **state) {
    struct script script[] = {
        {"/list", "\xef\xbb\xbf \n[{\"n\":1},{\"n\":2}]\n", "Content-Type: text/plain\r\n", 0},
        {0}};
    struct rig *rig = *state;

    make(rig, script, (struct lt_rest_pagination){.kind = "none"});
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_OK);
    assert_int_equal(rig->records[0].n, 2);
}

static void empty_answers_are_empty_pages(void **state) {
    static const char *const empty[] = {"",   "  \n",           "null",
                                        "[]", "{\"items\":[]}", "{\"items\":null}"};
    struct script script[] = {{"/list", NULL, NULL, 204}, {0}};
    struct rig *rig = *state;

    make(rig, script, by_next)->records = TEXT(".items");
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        rig->resources[0].records =
            strcmp(empty[i], "[]") ? TEXT(".items") : (struct lt_expr_text){0};
        rig->resources[0].pagination.kind = strcmp(empty[i], "[]") ? "next" : "none";
        rig_reset(rig);
        script[0].body = empty[i];
        rig_run(rig);
        if (rig->status != LEAT_OK)
            fail_msg("%s: %s", empty[i], rig->err.text);
        assert_int_equal(rig->records[0].n, 0);
        assert_int_equal(rig->n_pages, 1);
        assert_int_equal(rig->urls.n, 1);
    }
}

static void a_page_without_its_records_lists_what_is_there(void **state) {
    struct script script[] = {
        {"/list", "{\"error\":{\"status\":500},\"message\":\"no\",\"n\":[1]}", NULL, 0}, {0}};
    struct rig *rig = *state;

    make(rig, script, by_next)->records = TEXT(".albums.items");
    fails(rig, LEAT_E_PARSE, "`records` (.albums.items) gives nothing",
          "`error` (an object), `message` (a text), `n` (an array)");
    rig_reset(rig);
    rig->resources[0].records = TEXT(".n.items[]");
    fails(rig, LEAT_E_PARSE, "`records` (.n.items[])", "`error` (an object)");
    rig_reset(rig);
    rig->resources[0].records = (struct lt_expr_text){0};
    fails(rig, LEAT_E_PARSE, "no list of objects", "`error` (an object)");
}

static void a_request_that_fails_ends_it_with_its_own_error(void **state) {
    struct script script[] = {{"page=2", "", NULL, 403},
                              {"/list", "{\"items\":[{\"n\":1}],\"next\":\"?page=2\"}", NULL, 0},
                              {0}};
    struct rig *rig = *state;

    make(rig, script, by_next);
    fails(rig, LEAT_E_REMOTE, "page=2", "says 403");
    assert_int_equal(rig->records[0].n, 1);
    assert_int_equal(rig->urls.n, 2);
}

static void a_value_that_no_path_takes_ends_it_before_it_asks(void **state) {
    struct script script[] = {{"/list", "[{\"n\":1},{\"n\":null},{\"n\":3}]", NULL, 0},
                              {"/of/1", "[{\"c\":1}]", NULL, 0},
                              {0}};
    struct rig *rig = *state;

    make(rig, script, (struct lt_rest_pagination){.kind = "none"});
    rig_resource(rig, "child", "/of/{.n}")->parent = 0;
    rig->api.concurrency = 1;
    fails(rig, LEAT_E_INVALID, "resource child", "null");
    assert_int_equal(rig->records[0].n, 3);
    assert_int_equal(rig->records[1].n, 1);
}

static void secrets_in_next_urls_stand_in_no_position(void **state) {
    struct script script[] = {
        {"page=3", "", NULL, 500},
        {"page=2", "{\"items\":[{\"n\":2}],\"next\":\"?page=3&key=s3cr%65t&x=1\"}", NULL, 0},
        {"/list", "{\"items\":[{\"n\":1}],\"next\":\"?page=2&key=s3cret\"}", NULL, 0},
        {0}};
    struct lt_rest_param of_api[] = {{"key", PLAIN("s3cret")}};
    static const char *secrets[] = {"s3cret"};
    struct rig *rig = *state;

    make(rig, script, by_next);
    rig->api.params = of_api;
    rig->api.n_params = 1;
    rig->api.secrets = secrets;
    rig->api.n_secrets = 1;
    rig_run(rig);
    assert_int_equal(rig->records[0].n, 2);
    rig_keep_positions(rig);
    assert_null(strstr(rig->positions[0].data, "s3cr"));
    assert_non_null(strstr(rig->positions[0].data, "?page=3&x=1"));
    script[0] = (struct script){"page=3", "{\"items\":[{\"n\":3}],\"next\":null}", NULL, 0};
    rig_reset(rig);
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_OK);
    assert_int_equal(rig->records[0].n, 1);
    assert_string_equal(rig->urls.list[0], "https://api.test/v1/list?page=3&x=1&key=s3cret");
}

static void a_place_that_is_a_secret_is_not_kept(void **state) {
    struct script script[] = {{"/s3cret/2", "", NULL, 500},
                              {"/list", "{\"items\":[{\"n\":1}],\"next\":\"/s3cret/2\"}", NULL, 0},
                              {0}};
    static const char *secrets[] = {"s3cret"};
    struct rig *rig = *state;

    make(rig, script, by_next);
    rig->api.secrets = secrets;
    rig->api.n_secrets = 1;
    rig_run(rig);
    assert_int_equal(rig->status, LEAT_E_REMOTE);
    rig_keep_positions(rig);
    assert_null(strstr(rig->positions[0].data, "s3cret"));
    assert_non_null(strstr(rig->positions[0].data, "\"lost\":true"));
}

static void an_auto_pagination_goes_on_from_a_position(void **state) {
    struct script script[] = {
        {"pageToken=b", "", NULL, 500},
        {"pageToken=a", "{\"rows\":{\"list\":[{\"n\":2}],\"nextPageToken\":\"b\"}}", NULL, 0},
        {"/list", "{\"rows\":{\"list\":[{\"n\":1}],\"nextPageToken\":\"a\"}}", NULL, 0},
        {0}};
    struct rig *rig = *state;

    make(rig, script, (struct lt_rest_pagination){.kind = "auto"});
    rig_run(rig);
    assert_int_equal(rig->records[0].n, 2);
    rig_keep_positions(rig);
    script[0] = (struct script){"pageToken=b",
                                "{\"rows\":{\"list\":[]},\"other\":{\"x\":[{\"n\":9}]}}", NULL, 0};
    rig_reset(rig);
    rig_run(rig);
    if (rig->status != LEAT_OK)
        fail_msg("%s", rig->err.text);
    assert_int_equal(rig->records[0].n, 0);
    assert_string_equal(rig->urls.list[0], "https://api.test/v1/list?pageToken=b");
}

static void an_auto_pagination_of_children_is_found_in_any_of_them(void **state) {
    struct script script[] = {
        {"/list", "[{\"n\":1},{\"n\":2},{\"n\":3}]", NULL, 0},
        {"/of/2?at=2", "{\"items\":[{\"c\":22}],\"next\":null}", NULL, 0},
        {"/of/1", "{\"items\":[{\"c\":1}],\"next\":null}", NULL, 0},
        {"/of/2", "{\"items\":[{\"c\":2}],\"next\":\"/v1/of/2?at=2\"}", NULL, 0},
        {"/of/3", "{\"items\":[],\"next\":null}", NULL, 0},
        {0}};
    struct rig *rig = *state;

    make(rig, script, (struct lt_rest_pagination){.kind = "auto"});
    struct lt_rest_resource *child = rig_resource(rig, "child", "/of/{.n}");
    child->parent = 0;
    child->pagination.kind = "auto";
    rig->shuffle = true;
    rig_run(rig);
    if (rig->status != LEAT_OK)
        fail_msg("%s", rig->err.text);
    assert_int_equal(rig->records[1].n, 3);
    assert_string_equal(rig->records[1].list[2], "{\"c\":22}");
    assert_int_equal(rig->urls.n, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_next_url_that_comes_again_is_named),
        RIG_TEST(a_next_url_that_is_its_own_page_is_named),
        RIG_TEST(a_cursor_that_comes_again_is_named),
        RIG_TEST(circles_of_any_length_are_found),
        RIG_TEST(a_page_that_comes_again_under_another_number_is_an_error),
        RIG_TEST(records_that_come_for_ever_are_an_error),
        RIG_TEST(empty_pages_are_gone_over_but_not_for_ever),
        RIG_TEST(an_answer_that_is_no_json_says_what_it_is),
        RIG_TEST(json_of_any_type_is_read),
        RIG_TEST(empty_answers_are_empty_pages),
        RIG_TEST(a_page_without_its_records_lists_what_is_there),
        RIG_TEST(a_request_that_fails_ends_it_with_its_own_error),
        RIG_TEST(a_value_that_no_path_takes_ends_it_before_it_asks),
        RIG_TEST(secrets_in_next_urls_stand_in_no_position),
        RIG_TEST(a_place_that_is_a_secret_is_not_kept),
        RIG_TEST(an_auto_pagination_goes_on_from_a_position),
        RIG_TEST(an_auto_pagination_of_children_is_found_in_any_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
