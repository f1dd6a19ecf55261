/* SPDX-License-Identifier: Apache-2.0 */
#include "paginate_rig.h"

static void every_kind_has_its_row(void **state) {
    (void)state;
    for (const char *const *kind = lt_rest_paginator_kinds; *kind; kind++) {
        assert_non_null(lt_rest_paginator_find(*kind));
        assert_string_equal(lt_rest_paginator_find(*kind)->kind, *kind);
    }
    assert_null(lt_rest_paginator_find("offsets"));
    assert_null(lt_rest_paginator_find(NULL));
}

static void none_ends_after_its_page(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){.kind = "none"});
    see(rig, "{\"next\":\"/x\",\"total\":99}", 2);
    assert_end(rig);
}

static const struct lt_rest_pagination by_offset = {.kind = "offset",
                                                    .offset_param = "offset",
                                                    .limit_param = "limit",
                                                    .total = {.text = {".total", 6}}};

static void offset_goes_on_by_the_records_that_came(void **state) {
    struct rig *rig = *state;

    make(rig, by_offset);
    rig->seen.limit = 50;
    see(rig, "{\"total\":100}", 20); /* the server's own cap */
    assert_number(rig, 20);
    assert_int_equal(rig->told.total, 100);
    go_to(rig, 20, 20);
    assert_number(rig, 40);
}

static void offset_stops_at_a_total_that_the_limit_divides(void **state) {
    struct rig *rig = *state;

    make(rig, by_offset);
    rig->seen.limit = 2;
    go_to(rig, 2, 2);
    see(rig, "{\"total\":4}", 2);
    assert_end(rig);
    see(rig, "{\"total\":\"5\"}", 2);
    assert_number(rig, 4);
    see(rig, "{\"total\":0}", 0);
    assert_end(rig);
}

static void offset_without_a_total_stops_at_a_short_or_empty_page(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){.kind = "offset", .offset_param = "offset"});
    rig->seen.limit = 2;
    see(rig, "{}", 2);
    assert_number(rig, 2);
    see(rig, "{}", 1);
    assert_end(rig);
    rig->seen.limit = 0; /* then only an empty one is a sign */
    assert_number(rig, 1);
    see(rig, "{}", 0);
    assert_end(rig);
}

static void offset_goes_on_over_a_short_page_when_the_total_is_told(void **state) {
    struct rig *rig = *state;

    make(rig, by_offset);
    rig->seen.limit = 50;
    go_to(rig, 50, 50);
    see(rig, "{\"total\":200}", 49);
    assert_number(rig, 99);
    see(rig, "{\"total\":200}", 0);
    assert_end(rig);
    see(rig, "{\"total\":null}", 50); /* told no more */
    assert_number(rig, 100);
}

static void offset_begins_where_the_params_say(void **state) {
    struct rig *rig = *state;
    const char *name;
    struct lt_slice value;
    struct lt_rest_place first = {.kind = LT_REST_FIRST};

    rig->params[0] = (struct lt_rest_param){"offset", {TEXT("100")}};
    rig->resource.n_params = 1;
    make(rig, by_offset);
    see(rig, "{\"total\":104}", 2);
    assert_number(rig, 102);
    go_to(rig, 102, 2);
    assert_end(rig);
    assert_true(rig->pager.row->param(&rig->pager, &first, &rig->arena, &name, &value));
    assert_string_equal(name, "offset");
    assert_true(lt_slice_eq_str(value, "100"));
}

static void offset_says_what_lies_ahead(void **state) {
    struct rig *rig = *state;
    struct lt_rest_place first = {.kind = LT_REST_FIRST}, out;
    struct lt_rest_told told = {150, -1};

    make(rig, by_offset);
    assert_true(rig->pager.row->ahead(&rig->pager, &first, 1, 50, &told, &out));
    assert_int_equal(out.number, 50);
    assert_true(rig->pager.row->ahead(&rig->pager, &first, 2, 50, &told, &out));
    assert_false(rig->pager.row->ahead(&rig->pager, &first, 3, 50, &told, &out));
    assert_false(rig->pager.row->ahead(&rig->pager, &first, UINT64_MAX, 50, &told, &out));
    assert_false(rig->pager.row->ahead(&rig->pager, &first, INT64_MAX, 50, &told, &out));
    assert_false(rig->pager.row->ahead(&rig->pager, &first, 1, 0, &told, &out));
    told.total = -1;
    assert_false(rig->pager.row->ahead(&rig->pager, &first, 1, 50, &told, &out));
}

static void offset_names_a_total_that_is_no_number(void **state) {
    struct rig *rig = *state;

    make(rig, by_offset);
    see(rig, "{\"total\":{\"value\":4}}", 2);
    assert_int_equal(ask(rig), LEAT_E_PARSE);
    assert_non_null(strstr(rig->err.text, "resource things: `total` gives an object"));
    see(rig, "{\"total\":\"many\"}", 2);
    assert_int_equal(ask(rig), LEAT_E_PARSE);
    see(rig, "{\"total\":1.5}", 2);
    assert_int_equal(ask(rig), LEAT_E_PARSE);
    see(rig, "[1]", 2); /* jq's own error */
    assert_int_equal(ask(rig), LEAT_E_PARSE);
    assert_int_equal(rig->err.status, LEAT_E_PARSE);
    see(rig, "{\"total\":-1}", 2); /* a way to say "unknown" */
    assert_int_equal(ask(rig), LEAT_OK);
    assert_int_equal(rig->told.total, -1);
}

static void page_counts_pages(void **state) {
    struct rig *rig = *state;
    struct lt_rest_place out;

    make(rig, (struct lt_rest_pagination){
                  .kind = "page", .page_param = "page", .first = 1, .pages = TEXT(".pages")});
    see(rig, "{\"pages\":3}", 2);
    assert_number(rig, 2);
    assert_int_equal(rig->told.pages, 3);
    go_to(rig, 2, 2);
    see(rig, "{\"pages\":3}", 0); /* all of it filtered away */
    assert_number(rig, 3);
    assert_true(rig->pager.row->ahead(&rig->pager, &rig->seen.at, 1, 0, &rig->told, &out));
    assert_int_equal(out.number, 3);
    assert_false(rig->pager.row->ahead(&rig->pager, &rig->seen.at, 2, 0, &rig->told, &out));
    go_to(rig, 3, 2);
    assert_end(rig);
}

static void page_stops_at_the_total_or_at_a_short_page(void **state) {
    struct rig *rig = *state;
    struct lt_rest_place out;

    make(rig, (struct lt_rest_pagination){.kind = "page",
                                          .page_param = "page",
                                          .limit_param = "per_page",
                                          .first = 0,
                                          .total = TEXT(".total")});
    rig->seen.limit = 2;
    see(rig, "{\"total\":4}", 2);
    assert_number(rig, 1);
    rig->seen.at.kind = LT_REST_FIRST;
    assert_true(rig->pager.row->ahead(&rig->pager, &rig->seen.at, 1, 2, &rig->told, &out));
    assert_false(rig->pager.row->ahead(&rig->pager, &rig->seen.at, 2, 2, &rig->told, &out));
    go_to(rig, 1, 2);
    assert_end(rig);
    see(rig, "{}", 2);
    assert_number(rig, 2);
    see(rig, "{}", 1);
    assert_end(rig);
}

static void more_that_is_false_or_null_ends_it(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){
                  .kind = "page", .page_param = "page", .first = 1, .more = TEXT(".more")});
    see(rig, "{\"more\":true}", 2);
    assert_number(rig, 2);
    see(rig, "{\"more\":false}", 2);
    assert_end(rig);
    see(rig, "{}", 2);
    assert_end(rig);
}

static void cursor_is_a_text_or_a_number_of_the_body(void **state) {
    struct rig *rig = *state;
    const char *name;
    struct lt_slice value;

    make(rig, (struct lt_rest_pagination){
                  .kind = "cursor", .cursor_param = "after", .next = TEXT(".meta.next")});
    see(rig, "{\"meta\":{\"next\":\"a\\/b=\"}}", 2);
    assert_text(rig, LT_REST_TOKEN, "a/b=");
    assert_true(rig->pager.row->param(&rig->pager, &rig->next, &rig->arena, &name, &value));
    assert_string_equal(name, "after");
    assert_true(lt_slice_eq_str(value, "a/b="));
    see(rig, "{\"meta\":{\"next\":17}}", 0); /* empty, but not over */
    assert_text(rig, LT_REST_TOKEN, "17");
    see(rig, "{\"meta\":{\"next\":null}}", 2);
    assert_end(rig);
    see(rig, "{\"meta\":{\"next\":\"\"}}", 2);
    assert_end(rig);
    see(rig, "{}", 2);
    assert_end(rig);
    see(rig, "null", 0);
    assert_end(rig);
    see(rig, "{\"meta\":{\"next\":[1]}}", 2);
    assert_int_equal(ask(rig), LEAT_E_PARSE);
    assert_non_null(strstr(rig->err.text, "`cursor` gives an array"));
    rig->seen.at.kind = LT_REST_FIRST;
    assert_false(rig->pager.row->param(&rig->pager, &rig->seen.at, &rig->arena, &name, &value));
}

static void cursor_stops_at_false_more_and_at_a_total(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){.kind = "cursor",
                                          .cursor_param = "after",
                                          .next = TEXT(".next"),
                                          .more = TEXT(".has_more")});
    see(rig, "{\"next\":\"x\",\"has_more\":true}", 2);
    assert_text(rig, LT_REST_TOKEN, "x");
    see(rig, "{\"next\":\"x\",\"has_more\":false}", 2);
    assert_end(rig);
    make(rig, (struct lt_rest_pagination){.kind = "cursor",
                                          .cursor_param = "after",
                                          .next = TEXT(".next"),
                                          .total = TEXT(".total")});
    rig->seen.n_before = 2;
    see(rig, "{\"next\":\"x\",\"total\":4}", 2);
    assert_end(rig);
    see(rig, "{\"next\":\"x\",\"total\":5}", 2);
    assert_text(rig, LT_REST_TOKEN, "x");
}

static void cursor_may_stand_in_a_header(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){
                  .kind = "cursor", .cursor_param = "after", .cursor_header = "X-Next"});
    assert_end(rig); /* a recorded page has no headers */
    rig->seen.answer = &rig->answer;
    assert_end(rig);
    lt_buf_append_str(&rig->answer.headers, "x-next: abc\r\n");
    assert_text(rig, LT_REST_TOKEN, "abc");
}

static void next_is_absolute_or_relative(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){.kind = "next", .next = TEXT(".next")});
    see(rig, "{\"next\":\"https://other.test/p?x=1\"}", 2);
    assert_text(rig, LT_REST_URL, "https://other.test/p?x=1");
    see(rig, "{\"next\":\"/v2/p?x=%2F\"}", 2);
    assert_text(rig, LT_REST_URL, "https://api.test/v2/p?x=%2F");
    see(rig, "{\"next\":\"?page=2\"}", 0); /* an empty page may have a next one */
    assert_text(rig, LT_REST_URL, "https://api.test/v1/things?page=2");
    see(rig, "{\"next\":\"more\"}", 2);
    assert_text(rig, LT_REST_URL, "https://api.test/v1/more");
}

static void next_ends_at_null_false_empty_or_nothing(void **state) {
    static const char *const ends[] = {"{\"next\":null}", "{\"next\":false}", "{\"next\":\"\"}",
                                       "{}", "null"};
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){.kind = "next", .next = TEXT(".next")});
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        see(rig, ends[i], 2);
        assert_end(rig);
    }
}

static void next_that_is_no_url_is_an_error(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){.kind = "next", .next = TEXT(".next")});
    see(rig, "{\"next\":7}", 2);
    assert_int_equal(ask(rig), LEAT_E_PARSE);
    assert_non_null(strstr(rig->err.text, "resource things: `next` gives a number"));
    see(rig, "{\"next\":\"file:///etc/passwd\"}", 2);
    assert_int_equal(ask(rig), LEAT_E_PARSE);
    see(rig, "{\"next\":\"https://\"}", 2);
    assert_int_equal(ask(rig), LEAT_E_PARSE);
}

static struct lt_slice link_of(const char *headers) {
    return lt_rest_link_next(lt_slice_str(headers));
}

static void link_finds_next_among_links_and_headers(void **state) {
    (void)state;
    assert_true(lt_slice_eq_str(
        link_of("HTTP/1.1 200 OK\r\nLink: <https://a.test/2>; rel=\"next\"\r\n\r\n"),
        "https://a.test/2"));
    assert_true(lt_slice_eq_str(
        link_of(
            "link: <https://a.test/1>; rel=prev, </2,3>;title=\"a, <b>; rel=next\" ; REL = Next"),
        "/2,3"));
    assert_true(
        lt_slice_eq_str(link_of("Link: </1>; rel=\"first\"\r\nLink: </2>; rel=\"next\""), "/2"));
    assert_true(lt_slice_eq_str(link_of("Link: </9>; rel=\"last next\""), "/9"));
    assert_true(lt_slice_eq_str(link_of("Link: ,, </9> ;rel=next;,"), "/9"));
    assert_true(lt_slice_eq_str(link_of("Link: <>; rel=next"), ""));
}

static void link_passes_over_what_is_no_next(void **state) {
    static const char *const none[] = {
        "",
        "Link:",
        "Link: </1>",
        "Link: </1>; rel=prev",
        "Link: </1>; rel=\"nextpage\"",
        "Link: </1>; rel=prev; rel=next",
        "Link: </1>; title=\"rel=next\"",
        "Link: </1>; anchor=\"#part\"; rel=next",
        "Link: </1; rel=next",
        "X-Link: </1>; rel=next",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (link_of(none[i]).data)
            fail_msg("%s", none[i]);
}

static void link_goes_to_the_next_page(void **state) {
    struct rig *rig = *state;

    make(rig, (struct lt_rest_pagination){.kind = "link"});
    assert_end(rig);
    rig->seen.answer = &rig->answer;
    assert_end(rig);
    lt_buf_append_str(&rig->answer.headers, "Link: <?page=2>; rel=\"next\"\r\n");
    assert_text(rig, LT_REST_URL, "https://api.test/v1/things?page=2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_kind_has_its_row),
        TEST(none_ends_after_its_page),
        TEST(offset_goes_on_by_the_records_that_came),
        TEST(offset_stops_at_a_total_that_the_limit_divides),
        TEST(offset_without_a_total_stops_at_a_short_or_empty_page),
        TEST(offset_goes_on_over_a_short_page_when_the_total_is_told),
        TEST(offset_begins_where_the_params_say),
        TEST(offset_says_what_lies_ahead),
        TEST(offset_names_a_total_that_is_no_number),
        TEST(page_counts_pages),
        TEST(page_stops_at_the_total_or_at_a_short_page),
        TEST(more_that_is_false_or_null_ends_it),
        TEST(cursor_is_a_text_or_a_number_of_the_body),
        TEST(cursor_stops_at_false_more_and_at_a_total),
        TEST(cursor_may_stand_in_a_header),
        TEST(next_is_absolute_or_relative),
        TEST(next_ends_at_null_false_empty_or_nothing),
        TEST(next_that_is_no_url_is_an_error),
        TEST(link_finds_next_among_links_and_headers),
        TEST(link_passes_over_what_is_no_next),
        TEST(link_goes_to_the_next_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
