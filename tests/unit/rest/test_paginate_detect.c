/* SPDX-License-Identifier: Apache-2.0 */
#include "paginate_rig.h"

/* What a first page of "auto" becomes. */
static const char *detect(struct rig *rig, const char *body, size_t n_records) {
    make(rig, (struct lt_rest_pagination){.kind = "auto"});
    see(rig, body, n_records);
    assert_int_equal(lt_rest_pager_detect(&rig->pager, &rig->seen, &rig->arena, &rig->err),
                     LEAT_OK);
    assert_int_equal(ask(rig), LEAT_OK);
    return rig->pager.row->kind;
}

static void auto_finds_a_next_url(void **state) {
    static const char *const pages[] = {
        "{\"items\":[{}],\"next\":\"/v1/things?page=2\"}",
        "{\"data\":[{}],\"paging\":{\"next\":\"https://api.test/v1/things?page=2\"}}",
        "{\"data\":[{}],\"links\":{\"next\":{\"href\":\"?page=2\"}}}",
        "{\"data\":[{}],\"_links\":{\"next\":{\"href\":\"?page=2\"}}}",
        "{\"value\":[{}],\"@odata.nextLink\":\"https://api.test/v1/things?page=2\"}",
        "{\"results\":[{}],\"meta\":{\"next_url\":\"/v1/things?page=2\"}}",
        ("{\"items\":[{}],\"next_cursor\":\"x\",\"next\":\"/v1/things?page=2\",\"offset\":0,"
         "\"limit\":1,\"total\":7}"),
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        assert_string_equal(detect(rig, pages[i], 1), "next");
        assert_text(rig, LT_REST_URL, "https://api.test/v1/things?page=2");
    }
    rig->seen.around = ".albums"; /* as Spotify wraps its pages */
    assert_string_equal(
        detect(rig, "{\"albums\":{\"items\":[{}],\"next\":\"?page=2\"},\"next\":null}", 1), "next");
    assert_text(rig, LT_REST_URL, "https://api.test/v1/things?page=2");
}

static void auto_prefers_the_link_header(void **state) {
    struct rig *rig = *state;

    rig->seen.answer = &rig->answer;
    lt_buf_append_str(&rig->answer.headers, "Link: </l>; rel=next\r\n");
    assert_string_equal(detect(rig, "{\"items\":[{}],\"next\":\"/n\"}", 1), "link");
    assert_text(rig, LT_REST_URL, "https://api.test/l");
}

static void auto_finds_a_cursor(void **state) {
    struct rig *rig = *state;
    const char *name;
    struct lt_slice value;

    assert_string_equal(detect(rig,
                               "{\"items\":[{}],\"response_metadata\":{\"next_cursor\":\"c1\","
                               "\"has_more\":true}}",
                               1),
                        "cursor");
    assert_text(rig, LT_REST_TOKEN, "c1");
    assert_true(rig->pager.row->param(&rig->pager, &rig->next, &rig->arena, &name, &value));
    assert_string_equal(name, "cursor");
    see(rig, "{\"items\":[{}],\"response_metadata\":{\"next_cursor\":\"c1\",\"has_more\":false}}",
        1);
    assert_end(rig);
    assert_string_equal(detect(rig, "{\"items\":[{}],\"nextPageToken\":\"t\"}", 1), "cursor");
    assert_string_equal(rig->pager.how.cursor_param, "pageToken");
}

static void auto_finds_offsets_and_pages(void **state) {
    struct rig *rig = *state;

    assert_string_equal(detect(rig, "{\"items\":[{},{}],\"offset\":0,\"limit\":2,\"total\":5}", 2),
                        "offset");
    assert_number(rig, 2);
    assert_int_equal(rig->told.total, 5);
    assert_string_equal(detect(rig, "{\"items\":[{},{}],\"offset\":0,\"total\":5}", 2), "offset");
    assert_number(rig, 2); /* the request says limit=2 */
    rig->seen.url = "https://api.test/v1/things";
    assert_string_equal(detect(rig, "{\"items\":[{}],\"meta\":{\"page\":1,\"total_pages\":3}}", 1),
                        "page");
    assert_number(rig, 2);
    assert_string_equal(
        detect(rig, "{\"content\":[{}],\"page\":{\"number\":0,\"totalPages\":2}}", 1), "page");
    assert_number(rig, 1);
}

static void auto_takes_no_field_of_a_record_or_lookalike_for_paging(void **state) {
    static const char *const pages[] = {
        "[{\"next\":\"/x\",\"next_cursor\":\"c\"}]",
        "{\"items\":[{\"next\":\"https://api.test/x\"}]}",
        "{\"items\":[{}],\"next\":\"tomorrow\"}",
        "{\"items\":[{}],\"next\":2}",
        "{\"items\":[{}],\"next\":null}",
        "{\"items\":[{}],\"next\":\"/\"}",
        "{\"items\":[{}],\"next_cursor\":\"\"}",
        "{\"items\":[{}],\"next_cursor\":5}",
        "{\"items\":[{}],\"album\":{\"next\":\"https://api.test/x\",\"pages\":12,\"page\":1}}",
        "{\"items\":[{}],\"total\":100}",
        "{\"items\":[{}],\"offset\":0,\"total\":100}",
        "{\"items\":[{}],\"offset\":0,\"limit\":1,\"total\":1}",
        "{\"items\":[{}],\"page\":3,\"pages\":9}",
        "{\"items\":[{}],\"page\":1,\"pages\":1}",
        "{\"items\":[{}],\"pages\":9}",
        "null",
        "7",
    };
    struct rig *rig = *state;

    rig->seen.url = "https://api.test/v1/things"; /* nobody said a limit */
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        const char *kind = detect(rig, pages[i], 1);
        if (strcmp(kind, "auto") != 0)
            fail_msg("%s was taken for %s", pages[i], kind);
        assert_int_equal(rig->next.kind, LT_REST_END);
    }
}

static void auto_looks_again_at_the_next_list(void **state) {
    struct rig *rig = *state;

    assert_string_equal(detect(rig, "{\"items\":[{}],\"next\":null}", 1), "auto");
    see(rig, "{\"items\":[{}],\"next\":\"/2\"}", 1);
    assert_int_equal(lt_rest_pager_detect(&rig->pager, &rig->seen, &rig->arena, &rig->err),
                     LEAT_OK);
    assert_text(rig, LT_REST_URL, "https://api.test/2");
    rig->seen.url = "https://api.test/other";
    see(rig, "{\"items\":[{}],\"nextPageToken\":\"t\"}", 1); /* decided once and for all */
    assert_int_equal(lt_rest_pager_detect(&rig->pager, &rig->seen, &rig->arena, &rig->err),
                     LEAT_OK);
    assert_end(rig);
}

static void what_was_found_is_taken_up_again_from_a_position(void **state) {
    static const char *const pages[] = {
        "{\"items\":[{}],\"nextPageToken\":\"t\",\"hasMore\":true}",
        "{\"items\":[{}],\"meta\":{\"page\":1,\"total_pages\":3}}",
        "{\"items\":[{}],\"offset\":0,\"limit\":2,\"total\":5}",
        "{\"value\":[{}],\"@odata.nextLink\":\"/2\"}",
        "{\"items\":[{}]}",
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        const char *kind = detect(rig, pages[i], 1);
        struct lt_rest_place next = rig->next;
        struct lt_buf first, again;
        struct lt_json found;
        lt_buf_init(&first, 4096);
        lt_buf_init(&again, 4096);
        lt_rest_pager_write_found(&rig->pager, &first);
        make(rig, (struct lt_rest_pagination){.kind = "auto"});
        assert_int_equal(lt_json_parse(&found, lt_buf_slice(&first), 8, &rig->err), LEAT_OK);
        assert_int_equal(lt_rest_pager_read_found(&rig->pager, found, &rig->err), LEAT_OK);
        assert_string_equal(rig->pager.row->kind, kind);
        lt_rest_pager_write_found(&rig->pager, &again);
        assert_true(lt_slice_eq(lt_buf_slice(&first), lt_buf_slice(&again)));
        assert_int_equal(ask(rig), LEAT_OK);
        assert_int_equal(rig->next.kind, next.kind);
        assert_int_equal(rig->next.number, next.number);
        assert_true(lt_slice_eq(rig->next.text, next.text));
        lt_buf_deinit(&first);
        lt_buf_deinit(&again);
    }
}

static void what_was_found_must_fit(void **state) {
    static const char *const bad[] = {"7",
                                      "{}",
                                      "{\"kind\":\"nothing\",\"first\":0}",
                                      "{\"kind\":\"page\"}",
                                      "{\"kind\":\"next\",\"first\":0,\"next\":7}",
                                      "{\"kind\":\"ne\\u0000xt\",\"first\":0}",
                                      "{\"kind\":\"next\",\"first\":0,\"next\":\"halt\"}"};
    struct rig *rig = *state;
    struct lt_json found;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        make(rig, (struct lt_rest_pagination){.kind = "auto"});
        assert_int_equal(lt_json_parse(&found, lt_slice_str(bad[i]), 8, &rig->err), LEAT_OK);
        assert_int_equal(lt_rest_pager_read_found(&rig->pager, found, &rig->err), LEAT_E_PARSE);
    }
    make(rig, (struct lt_rest_pagination){.kind = "none"});
    assert_int_equal(lt_json_parse(&found, LT_LIT("{\"kind\":\"link\",\"first\":0}"), 8, &rig->err),
                     LEAT_OK);
    assert_int_equal(lt_rest_pager_read_found(&rig->pager, found, &rig->err), LEAT_E_PARSE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(auto_finds_a_next_url),
        TEST(auto_prefers_the_link_header),
        TEST(auto_finds_a_cursor),
        TEST(auto_finds_offsets_and_pages),
        TEST(auto_takes_no_field_of_a_record_or_lookalike_for_paging),
        TEST(auto_looks_again_at_the_next_list),
        TEST(what_was_found_is_taken_up_again_from_a_position),
        TEST(what_was_found_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
