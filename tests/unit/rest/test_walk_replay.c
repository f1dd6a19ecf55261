/* SPDX-License-Identifier: Apache-2.0 */
/* First requests described, and recorded pages read, without asking anybody. */
#include "walk_rig.h"

#include "rest/records.h"

static struct lt_rest_param secret_header[] = {{"X-Key", {{.text = {"k3y-of-header", 13}}}}};

static void describe(struct rig *rig, struct lt_buf *out) {
    lt_buf_clear(out);
    if (lt_rest_walk_describe(&rig->api, rig->selected, out, &rig->err) != LEAT_OK)
        fail_msg("%s", rig->err.text);
    assert_non_null(lt_buf_cstr(out));
}

static void first_requests_are_described_with_secrets_masked(void **state) {
    static const char *secrets[] = {"k3y-of-header", "t0ken"};
    struct rig *rig = *state;
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");
    struct lt_rest_resource *child = rig_resource(rig, "child", "/list/{.id}/of");
    struct lt_buf out;

    lt_buf_init(&out, 1 << 16);
    rig->api.headers = secret_header;
    rig->api.n_headers = 1;
    rig->api.auth.kind = "bearer";
    rig->api.auth.token = "t0ken";
    rig->api.secrets = secrets;
    rig->api.n_secrets = 2;
    rig->params[0] = (struct lt_rest_param){"limit", PLAIN("50")};
    rig->params[1] = (struct lt_rest_param){"q", PLAIN("<{.name}>")};
    list->params = rig->params;
    list->n_params = 1;
    list->pagination = (struct lt_rest_pagination){.kind = "offset", .offset_param = "offset"};
    child->parent = 0;
    child->method = "POST";
    child->params = rig->params + 1;
    child->n_params = 1;
    child->body = PLAIN("{\"a\":\"{.b}\"}");
    rig->selected[0] = false; /* a parent is asked for all the same */
    describe(rig, &out);
    assert_string_equal(out.data, "GET https://api.test/v1/list?limit=50&offset=0\n"
                                  "X-Key: ***\n"
                                  "Authorization: Bearer ***\n"
                                  "\n"
                                  "POST https://api.test/v1/list/{.id}/of?q=<{.name}>\n"
                                  "X-Key: ***\n"
                                  "Authorization: Bearer ***\n"
                                  "\n"
                                  "{\"a\":{.b}}\n");
    lt_buf_deinit(&out);
}

static void replay(struct rig *rig, size_t resource, const char *page, size_t n, const char *next) {
    struct lt_rest_replay out;
    struct lt_arena arena;

    lt_arena_init(&arena, SIZE_MAX);
    if (lt_rest_replay_page(&rig->api, resource, lt_slice_str(page), &arena, &out, &rig->err) !=
        LEAT_OK)
        fail_msg("%s", rig->err.text);
    assert_int_equal(out.n_records, n);
    assert_string_equal(out.next, next);
    lt_arena_deinit(&arena);
}

static void recorded_pages_give_their_records_and_what_follows(void **state) {
    struct rig *rig = *state;
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");
    struct lt_rest_resource *child = rig_resource(rig, "child", "/list/{.id}/of");

    rig->params[0] = (struct lt_rest_param){"limit", PLAIN("2")};
    list->params = rig->params;
    list->n_params = 1;
    list->pagination = (struct lt_rest_pagination){.kind = "offset",
                                                   .offset_param = "offset",
                                                   .limit_param = "limit",
                                                   .total = TEXT(".total")};
    child->parent = 0;
    child->pagination.kind = "auto";
    replay(rig, 0, "{\"items\":[{},{}],\"total\":3}", 2,
           "https://api.test/v1/list?limit=2&offset=2");
    replay(rig, 0, "{\"items\":[{},{}],\"total\":2}", 2, "");
    replay(rig, 0, "{\"items\":[{}]}", 1, "");
    replay(rig, 1, "{\"rows\":[{}],\"next_cursor\":\"c\"}", 1,
           "https://api.test/v1/list/{.id}/of?cursor=c");
    replay(rig, 1, "{\"rows\":[{}],\"next\":\"https://api.test/v1/x?y=1\"}", 1,
           "https://api.test/v1/x?y=1");
    replay(rig, 1, "[]", 0, "");
    replay(rig, 1, "null", 0, "");
}

static void recorded_pages_that_do_not_fit_say_why(void **state) {
    struct rig *rig = *state;
    struct lt_rest_replay out;
    struct lt_arena arena;

    rig_resource(rig, "list", "/list")->records = TEXT(".albums.items");
    lt_arena_init(&arena, SIZE_MAX);
    assert_int_equal(
        lt_rest_replay_page(&rig->api, 0, LT_LIT("{\"album\":{}}"), &arena, &out, &rig->err),
        LEAT_E_PARSE);
    assert_non_null(strstr(rig->err.text, "`album` (an object)"));
    assert_int_equal(lt_rest_replay_page(&rig->api, 0, LT_LIT("{"), &arena, &out, &rig->err),
                     LEAT_E_PARSE);
    lt_arena_deinit(&arena);
}

/* ---- records that are found by themselves ---- */

static leat_status find(struct lt_rest_records *records, struct lt_arena *arena, const char *page,
                        size_t *n, struct leat_error *err) {
    struct lt_json body, *list;

    assert_int_equal(lt_json_parse(&body, lt_slice_str(page), 64, err), LEAT_OK);
    return lt_rest_records_find(records, body, arena, &list, n, err);
}

static void records_are_the_one_list_of_objects(void **state) {
    static const struct {
        const char *page;
        size_t n;
        const char *around; /* NULL: not told */
    } cases[] = {
        {"[{},{},{}]", 3, ""},
        {"[1,2]", 2, ""},
        {"{\"a\":[{}],\"n\":1}", 1, ""},
        {"{\"a\":[1,2],\"b\":[{},{}],\"c\":[]}", 2, ""},
        {"{\"a\":[{}],\"b\":{\"c\":[{},{}]}}", 1, ""},
        {"{\"albums\":{\"items\":[{},{}],\"total\":2}}", 2, ".albums"},
        {"{\"a\":[],\"b\":{\"c\":[]}}", 0, NULL},
    };
    struct rig *rig = *state;
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lt_rest_records records;
        struct lt_arena arena;
        size_t n = 99;
        lt_arena_init(&arena, SIZE_MAX);
        assert_int_equal(lt_rest_records_init(&records, list, &rig->err), LEAT_OK);
        assert_int_equal(find(&records, &arena, cases[i].page, &n, &rig->err), LEAT_OK);
        assert_int_equal(n, cases[i].n);
        const char *around = lt_rest_records_around(&records);
        assert_true(!around == !cases[i].around);
        if (around)
            assert_string_equal(around, cases[i].around);
        lt_rest_records_deinit(&records);
        lt_arena_deinit(&arena);
    }
}

static void several_lists_or_none_are_an_error_that_names_them(void **state) {
    static const struct {
        const char *page, *said;
    } cases[] = {
        {"{\"a\":[{}],\"b\":[{}]}", "several lists may be its records: `.a`, `.b`"},
        {"{\"x\":{\"a\":[{}],\"b\":[{}]}}", "`.x.a`, `.x.b`"},
        {"{\"x\":{\"y\":{\"a\":[{}]}},\"n\":1.5}", "`x` (an object), `n` (a number)"},
        {"{}", "an object without members"},
        {"\"text\"", "a text"},
    };
    struct rig *rig = *state;
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lt_rest_records records;
        struct lt_arena arena;
        size_t n;
        lt_arena_init(&arena, SIZE_MAX);
        assert_int_equal(lt_rest_records_init(&records, list, &rig->err), LEAT_OK);
        assert_int_equal(find(&records, &arena, cases[i].page, &n, &rig->err), LEAT_E_PARSE);
        if (!strstr(rig->err.text, cases[i].said))
            fail_msg("%s", rig->err.text);
        lt_rest_records_deinit(&records);
        lt_arena_deinit(&arena);
    }
}

static void records_are_looked_for_where_they_were(void **state) {
    struct rig *rig = *state;
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");
    struct lt_rest_records records;
    struct lt_arena arena;
    size_t n;

    lt_arena_init(&arena, SIZE_MAX);
    assert_int_equal(lt_rest_records_init(&records, list, &rig->err), LEAT_OK);
    assert_int_equal(find(&records, &arena, "{\"a\":{\"b\":[{}]}}", &n, &rig->err), LEAT_OK);
    assert_int_equal(find(&records, &arena, "{\"a\":{\"b\":[]},\"c\":[{},{}]}", &n, &rig->err),
                     LEAT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(find(&records, &arena, "{\"a\":{\"b\":null}}", &n, &rig->err), LEAT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(find(&records, &arena, "{\"c\":[{}]}", &n, &rig->err), LEAT_E_PARSE);
    assert_non_null(strstr(rig->err.text, "(.a.b)"));
    lt_rest_records_deinit(&records);
    lt_arena_deinit(&arena);
}

static void an_expression_gives_an_array_or_each_record(void **state) {
    static const struct {
        struct lt_expr_text jq;
        const char *page;
        int n; /* -1: an error */
        const char *around;
    } cases[] = {
        {{.text = {".a", 2}}, "{\"a\":[1,2,3]}", 3, ""},
        {{.text = {".a[]", 4}}, "{\"a\":[1,2,3]}", 3, ""},
        {{.text = {".a.b", 4}}, "{\"a\":{\"b\":[1]}}", 1, ".a"},
        {{.text = {".", 1}}, "{\"a\":1}", 1, NULL},
        {{.text = {".a", 2}}, "{\"a\":{}}", 1, ""},
        {{.text = {".a[]?", 5}}, "{\"b\":1}", 0, NULL},
        {{.text = {"[.a[] | {x: .}]", 15}}, "{\"a\":[1,2]}", 2, NULL},
        {{.text = {".a[] | {x: .}", 13}}, "{\"a\":[1,2]}", 2, NULL},
        {{.text = {".a", 2}}, "{\"a\":null}", 0, ""},
        {{.text = {".a", 2}}, "{\"a\":\"x\"}", -1, ""},
        {{.text = {".a", 2}}, "{\"b\":[]}", -1, ""},
        {{.text = {".a", 2}}, "[1]", -1, ""},
    };
    struct rig *rig = *state;
    struct lt_rest_resource *list = rig_resource(rig, "list", "/list");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lt_rest_records records;
        struct lt_arena arena;
        size_t n = 99;
        list->records = cases[i].jq;
        lt_arena_init(&arena, SIZE_MAX);
        assert_int_equal(lt_rest_records_init(&records, list, &rig->err), LEAT_OK);
        leat_status status = find(&records, &arena, cases[i].page, &n, &rig->err);
        assert_int_equal(status, cases[i].n < 0 ? LEAT_E_PARSE : LEAT_OK);
        if (cases[i].n >= 0)
            assert_int_equal(n, cases[i].n);
        const char *around = lt_rest_records_around(&records);
        assert_true(!around == !cases[i].around);
        if (around)
            assert_string_equal(around, cases[i].around);
        lt_rest_records_deinit(&records);
        lt_arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(first_requests_are_described_with_secrets_masked),
        RIG_TEST(recorded_pages_give_their_records_and_what_follows),
        RIG_TEST(recorded_pages_that_do_not_fit_say_why),
        RIG_TEST(records_are_the_one_list_of_objects),
        RIG_TEST(several_lists_or_none_are_an_error_that_names_them),
        RIG_TEST(records_are_looked_for_where_they_were),
        RIG_TEST(an_expression_gives_an_array_or_each_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
