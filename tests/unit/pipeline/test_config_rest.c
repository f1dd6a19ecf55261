/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: what becomes of a good file, and every mistake at its place. */
#include "files.h"

/* As SOURCE with one line more (line 4). */
#define SOURCE_WITH(line)                                                                          \
    "sources:\n"                                                                                   \
    "  api:\n"                                                                                     \
    "    base_url: https://api.example.com/v1\n"                                                   \
    "    " line "\n"                                                                               \
    "    resources: {a: {path: /a}}\n"

static const struct lt_rest_resource *resource(const struct loaded *l, const char *name) {
    const struct lt_rest_api *api = &l->system.apis[0];
    for (size_t i = 0; i < api->n_resources; i++)
        if (!strcmp(api->resources[i].name, name))
            return &api->resources[i];
    fail_msg("no resource %s", name);
    return NULL;
}

static bool has_secret(const struct lt_rest_api *api, const char *text) {
    bool found = false;
    for (size_t i = 0; i < api->n_secrets; i++)
        found |= !strcmp(api->secrets[i], text);
    return found;
}

static void the_file_of_the_design_is_read(void **state) {
    struct loaded l;
    (void)state;
    setenv("LEAT_TEST_ID", "the-id", 1);
    setenv("LEAT_TEST_KEY", "the-key", 1);
    load_good(&l,
              "buckets: [lake]\n"
              "sources:\n"
              "  spotify:\n"
              "    base_url: https://api.spotify.com/v1\n"
              "    auth: {oauth2_client_credentials: {token_url: "
              "https://accounts.spotify.com/api/token,\n"
              "           client_id: \"${LEAT_TEST_ID}\", client_secret: \"${LEAT_TEST_KEY}\"}}\n"
              "    resources:\n"
              "      new_releases: {path: /browse/new-releases, params: {limit: 50}, records: "
              ".albums.items, next: .albums.next}\n"
              "      album_tracks: {for_each: new_releases, path: \"/albums/{.id}/tracks\", "
              "params: {limit: 50}, records: .items,\n"
              "                     paginate: {offset: {total: .total}}}\n"
              "pipelines:\n"
              "  catalogue:\n"
              "    source: {rest: spotify}\n"
              "    route: [{when: '$resource == \"new_releases\"', to: \"s3://lake/albums/\"}, "
              "{to: \"s3://lake/tracks/\"}]\n");
    assert_int_equal(l.problems.n, 0);
    assert_int_equal(l.system.n_apis, 1);
    const struct lt_rest_api *api = &l.system.apis[0];
    assert_string_equal(api->name, "spotify");
    assert_string_equal(api->base_url, "https://api.spotify.com/v1");
    assert_string_equal(api->auth.kind, "oauth2_client_credentials");
    assert_string_equal(api->auth.token_url, "https://accounts.spotify.com/api/token");
    assert_string_equal(api->auth.client_id, "the-id");
    assert_string_equal(api->auth.client_secret, "the-key");
    assert_int_equal(api->auth.credentials_in, 1);
    assert_int_equal(api->n_secrets, 2);
    assert_true(has_secret(api, "the-id") && has_secret(api, "the-key"));
    assert_int_equal(api->n_resources, 2);
    const struct lt_rest_resource *albums = &api->resources[0], *tracks = &api->resources[1];
    assert_string_equal(albums->name, "new_releases");
    assert_true(albums->parent == SIZE_MAX);
    assert_string_equal(albums->pagination.kind, "next");
    assert_text(albums->pagination.next.text, ".albums.next");
    assert_text(albums->records.text, ".albums.items");
    assert_int_equal(albums->records.line, 8);
    assert_string_equal(albums->params[0].name, "limit");
    assert_text(albums->params[0].value.source.text, "50");
    assert_int_equal(tracks->parent, 0);
    assert_text(tracks->path.source.text, "/albums/{.id}/tracks");
    assert_string_equal(tracks->pagination.kind, "offset");
    assert_string_equal(tracks->pagination.offset_param, "offset");
    assert_string_equal(tracks->pagination.limit_param, "limit");
    assert_text(tracks->pagination.total.text, ".total");
    const struct lt_system_pipeline *pipeline = &l.system.pipelines[0];
    assert_ptr_equal(pipeline->source_api, api);
    assert_null(pipeline->source_stream);
    assert_null(pipeline->source_resources);
    assert_int_equal(pipeline->routes[0].compression, LT_COMPRESSION_NONE);
    assert_int_equal(pipeline->routes[0].object_bytes, 5 << 20);
    assert_int_equal(pipeline->routes[0].object_ms, 0); /* a stream's default is the runner's */
    unload(&l);
}

static void defaults_are_those_of_the_reference(void **state) {
    struct loaded l;
    (void)state;
    load_good(&l, SOURCE "      a: {path: /a}\n");
    const struct lt_rest_api *api = &l.system.apis[0];
    const struct lt_rest_resource *a = &api->resources[0];
    assert_string_equal(api->auth.kind, "none");
    assert_true(api->rate_per_s == 0.0);
    assert_int_equal(api->concurrency, 16);
    assert_int_equal(api->connect_timeout_ms, 5000);
    assert_int_equal(api->read_timeout_ms, 30000);
    assert_int_equal(api->total_timeout_ms, 300000);
    assert_int_equal(api->max_attempts, 8);
    assert_int_equal(api->retry_after_cap_ms, 300000);
    assert_int_equal(api->max_page_bytes, 64 << 20);
    assert_null(api->ca_file);
    assert_int_equal(api->n_secrets, 0);
    assert_string_equal(a->method, "GET");
    assert_string_equal(a->pagination.kind, "auto");
    assert_null(a->records.text.data);
    assert_null(a->body.source.text.data);
    assert_null(a->incremental.field.text.data);
    assert_int_equal(a->on_change, LT_REST_EVOLVE);
    assert_false(a->on_request);
    assert_int_equal(a->line, 5);
    assert_int_equal(a->column, 7);
    unload(&l);
}

static void every_property_of_an_api_is_read(void **state) {
    struct loaded l;
    (void)state;
    setenv("LEAT_TEST_KEY", "from-env", 1);
    load_good(&l, "sources:\n"
                  "  api:\n"
                  "    base_url: https://api.example.com/v1//\n"
                  "    auth: {api_key: {in: query, name: key, value: \"${LEAT_TEST_KEY}\"}}\n"
                  "    headers: {Accept: \"text/{{x}}\", X-Trace: \"t-${LEAT_TEST_KEY}\"}\n"
                  "    params: {market: US, deep: true, n: 3}\n"
                  "    rate: 90/m\n"
                  "    concurrency: 64\n"
                  "    timeout: {connect: 1s, read: 250ms, total: 1m}\n"
                  "    retry: {attempts: 1, retry_after_max: 1h}\n"
                  "    max_page: 1MiB\n"
                  "    resources: {a: {path: /a}}\n");
    const struct lt_rest_api *api = &l.system.apis[0];
    assert_string_equal(api->base_url, "https://api.example.com/v1");
    assert_string_equal(api->auth.kind, "api_key");
    assert_int_equal(api->auth.in, 1);
    assert_string_equal(api->auth.name, "key");
    assert_string_equal(api->auth.value, "from-env");
    assert_int_equal(api->n_headers, 2);
    assert_text(api->headers[0].value.source.text, "text/{{x}}");
    assert_text(api->headers[1].value.source.text, "t-from-env");
    assert_int_equal(api->n_params, 3);
    assert_text(api->params[1].value.source.text, "true");
    assert_true(api->rate_per_s == 1.5);
    assert_int_equal(api->concurrency, 64);
    assert_int_equal(api->connect_timeout_ms, 1000);
    assert_int_equal(api->read_timeout_ms, 250);
    assert_int_equal(api->total_timeout_ms, 60000);
    assert_int_equal(api->max_attempts, 1);
    assert_int_equal(api->retry_after_cap_ms, 3600000);
    assert_int_equal(api->max_page_bytes, 1 << 20);
    assert_int_equal(api->n_secrets, 2);
    assert_true(has_secret(api, "from-env") && has_secret(api, "t-from-env"));
    unload(&l);
}

static void every_auth_is_read(void **state) {
    static const struct {
        const char *line, *kind;
        unsigned n_secrets, n_warnings;
    } cases[] = {
        {"auth: none", "none", 0, 0},
        {"auth: {none: {}}", "none", 0, 0},
        {"auth: {none: }", "none", 0, 0},
        {"auth: {api_key: {name: X-Key, value: k}}", "api_key", 1, 1},
        {"auth: {basic: {username: u, password: p}}", "basic", 1, 1},
        {"auth: {bearer: {token: t}}", "bearer", 1, 1},
        {"auth: {oauth2_client_credentials: {token_url: \"https://x/t\", client_id: i, "
         "client_secret: s, scope: a b, credentials_in: form}}",
         "oauth2_client_credentials", 1, 1},
        {"auth: {oauth2_refresh_token: {token_url: \"https://x/t\", client_id: i, "
         "refresh_token: r}}",
         "oauth2_refresh_token", 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loaded l;
        char text[1024];
        snprintf(text, sizeof(text), SOURCE_WITH("%s"), cases[i].line);
        load(&l, text);
        if (l.status != LEAT_OK || l.problems.n != cases[i].n_warnings)
            fail_msg("%s: %zu problems, %s", cases[i].line, l.problems.n,
                     l.status != LEAT_OK ? l.err.text : "");
        assert_string_equal(l.system.apis[0].auth.kind, cases[i].kind);
        assert_int_equal(l.system.apis[0].n_secrets, cases[i].n_secrets);
        unload(&l);
    }
}

static void a_secret_in_the_file_is_warned_of_by_the_variable_to_use(void **state) {
    struct loaded l;
    (void)state;
    load(&l, SOURCE_WITH("auth: {bearer: {token: abc}}"));
    assert_int_equal(l.status, LEAT_OK);
    assert_int_equal(l.problems.n, 1);
    assert_true(l.problems.list[0].warning);
    assert_int_equal(l.problems.list[0].place.line, 4);
    assert_int_equal(l.problems.list[0].place.column, 28);
    assert_non_null(strstr(l.problems.list[0].text, "${API_TOKEN}"));
    assert_null(strstr(l.problems.list[0].text, "abc"));
    unload(&l);
}

static void every_pagination_is_read(void **state) {
    struct loaded l;
    (void)state;
    load_good(&l, SOURCE
              "      a: {path: /a, paginate: auto}\n"
              "      b: {path: /a, paginate: none}\n"
              "      c: {path: /a, paginate: {offset: {offset_param: from, limit_param: size, "
              "total: .t, first: 1}}}\n"
              "      d: {path: /a, paginate: {page: {page_param: p, total: .t, pages: .n, more: "
              ".m}}}\n"
              "      e: {path: /a, paginate: {cursor: {param: after, cursor: .c, more: .m}}}\n"
              "      f: {path: /a, paginate: {cursor: {param: after, header: X-Next}}}\n"
              "      g: {path: /a, paginate: {next: {url: .next}}}\n"
              "      h: {path: /a, paginate: link}\n"
              "      i: {path: /a, paginate: page}\n"
              "      j: {path: /a, paginate: {offset: }}\n");
    const struct lt_rest_resource *all = l.system.apis[0].resources;
    static const char *const kinds[] = {"auto",   "none", "offset", "page", "cursor",
                                        "cursor", "next", "link",   "page", "offset"};
    for (size_t i = 0; i < 10; i++)
        assert_string_equal(all[i].pagination.kind, kinds[i]);
    assert_string_equal(all[2].pagination.offset_param, "from");
    assert_string_equal(all[2].pagination.limit_param, "size");
    assert_int_equal(all[2].pagination.first, 1);
    assert_string_equal(all[3].pagination.page_param, "p");
    assert_string_equal(all[3].pagination.limit_param, "per_page");
    assert_int_equal(all[3].pagination.first, 1);
    assert_text(all[3].pagination.pages.text, ".n");
    assert_text(all[3].pagination.more.text, ".m");
    assert_string_equal(all[4].pagination.cursor_param, "after");
    assert_text(all[4].pagination.next.text, ".c");
    assert_string_equal(all[5].pagination.cursor_header, "X-Next");
    assert_text(all[6].pagination.next.text, ".next");
    assert_int_equal(all[8].pagination.first, 1);
    assert_int_equal(all[9].pagination.first, 0);
    unload(&l);
}

static void every_property_of_a_resource_is_read(void **state) {
    struct loaded l;
    (void)state;
    load_good(&l, SOURCE
              "      list:\n"
              "        path: /list\n"
              "        key: id\n"
              "        incremental: {field: .updated, start: 2024-01-01, param: since, order: "
              "descending}\n"
              "        on_change: dead_letter\n"
              "        on_request: true\n"
              "        hint: {403: ask for access, 404: \"gone: see docs\"}\n"
              "        tests:\n"
              "          - {name: one, page: {items: [{id: 1}]}, records: 1, first: {id: 1}, next: "
              "null}\n"
              "          - {page: '[]', next: \"https://x/?p=2\"}\n"
              "      one:\n"
              "        for_each: list\n"
              "        path: \"/list/{.id}\"\n"
              "        method: POST\n"
              "        headers: {X-Id: \"{.id}\"}\n"
              "        params: {\"filter[x]\": \"{.x}-{{y}}\"}\n"
              "        body: {q: \"{.id}\", n: 5, deep: [true, null, {a: x}]}\n"
              "        fields: {list_id: .id, at: $fetched_at, of: $resource}\n"
              "        key: [a, b]\n");
    const struct lt_rest_resource *list = resource(&l, "list"), *one = resource(&l, "one");
    assert_int_equal(list->n_key, 1);
    assert_string_equal(list->key[0], "id");
    assert_text(list->incremental.field.text, ".updated");
    assert_string_equal(list->incremental.start, "2024-01-01");
    assert_string_equal(list->incremental.param, "since");
    assert_int_equal(list->incremental.order, LT_REST_DESCENDING);
    assert_int_equal(list->on_change, LT_REST_DEAD_LETTER);
    assert_true(list->on_request);
    assert_int_equal(list->n_hints, 2);
    assert_int_equal(list->hints[0].status, 403);
    assert_string_equal(list->hints[1].text, "gone: see docs");
    assert_int_equal(list->n_tests, 2);
    assert_text(list->tests[0].page, "{\"items\":[{\"id\":1}]}");
    assert_int_equal(list->tests[0].n_records, 1);
    assert_text(list->tests[0].first, "{\"id\":1}");
    assert_string_equal(list->tests[0].next, "");
    assert_string_equal(list->tests[1].next, "https://x/?p=2");
    assert_int_equal(list->tests[1].n_records, -1);
    assert_null(list->tests[1].first.data);
    assert_int_equal(list->tests[1].line, 14);
    assert_string_equal(one->method, "POST");
    assert_text(one->headers[0].value.source.text, "{.id}");
    assert_string_equal(one->params[0].name, "filter[x]");
    assert_text(one->params[0].value.source.text, "{.x}-{{y}}");
    assert_text(one->body.source.text,
                "{\"q\":\"{.id}\",\"n\":5,\"deep\":[true,null,{\"a\":\"x\"}]}");
    assert_int_equal(one->n_fields, 3);
    assert_text(one->fields[1].name, "at");
    assert_text(one->fields[1].text, "$fetched_at");
    assert_int_equal(one->n_key, 2);
    unload(&l);
}

static void a_variable_in_a_template_is_a_text_and_never_an_expression(void **state) {
    struct loaded l;
    (void)state;
    setenv("LEAT_TEST_KEY", "a{.b}c", 1);
    load_good(&l,
              SOURCE "      a: {path: \"/x/${LEAT_TEST_KEY}/$${y}/{1 | \\\"${z}\\\"}\", params: "
                     "{k: \"${LEAT_TEST_KEY}\"}}\n");
    const struct lt_rest_resource *a = resource(&l, "a");
    assert_text(a->path.source.text, "/x/a{{.b}}c/${{y}}/{1 | \"${z}\"}");
    assert_text(a->params[0].value.source.text, "a{{.b}}c");
    assert_true(has_secret(&l.system.apis[0], "a{.b}c"));
    unload(&l);
}

static void parents_come_before_their_children_else_in_the_order_of_the_file(void **state) {
    static const char *const order[] = {"z", "c", "b", "a", "d", "e"};
    struct loaded l;
    (void)state;
    load_good(&l, SOURCE "      z: {path: /z}\n"
                         "      a: {path: \"/a/{.x}\", for_each: b}\n"
                         "      b: {path: \"/b/{.x}\", for_each: c}\n"
                         "      c: {path: /c}\n"
                         "      d: {path: \"/d/{.x}\", for_each: b}\n"
                         "      e: {path: /e}\n");
    const struct lt_rest_api *api = &l.system.apis[0];
    assert_int_equal(api->n_resources, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(api->resources[i].name, order[i]);
        assert_true(api->resources[i].parent == SIZE_MAX || api->resources[i].parent < i);
    }
    assert_string_equal(api->resources[resource(&l, "d")->parent].name, "b");
    assert_string_equal(api->resources[resource(&l, "a")->parent].name, "b");
    assert_string_equal(api->resources[resource(&l, "b")->parent].name, "c");
    unload(&l);
}

static void merged_and_shared_values_are_read_as_if_written_twice(void **state) {
    struct loaded l;
    (void)state;
    load_good(&l,
              "x-list: &list {params: {limit: \"{1 + 1}\"}, records: .items, next: .next}\n" SOURCE
              "      a: {<<: *list, path: /a}\n"
              "      b: {<<: *list, path: \"/b/{.id}\", for_each: a, records: .others}\n");
    assert_text(resource(&l, "a")->records.text, ".items");
    assert_text(resource(&l, "b")->records.text, ".others");
    assert_text(resource(&l, "b")->params[0].value.source.text, "{1 + 1}");
    assert_string_equal(resource(&l, "b")->pagination.kind, "next");
    unload(&l);
}

static void mistakes_in_an_api_are_told_at_their_place(void **state) {
    static const struct problem_case cases[] = {
        {"sources: {api: {}}\n", 1, 16, "a source has no 'base_url'; expected a URL"},
        {"sources: {api: {base_url: \"https://x\"}}\n", 1, 16, "a source has no 'resources'"},
        {"sources: {api: {base_url: \"https://x\", resources: {}}}\n", 1, 51,
         "resources is empty; expected at least one"},
        {"sources: {api: {base_url: x.com, resources: {a: {path: /a}}}}\n", 1, 27,
         "neither http:// nor https://"},
        {"sources: {api: {base_url: \"https://u:p@x\", resources: {a: {path: /a}}}}\n", 1, 27,
         "they belong under 'auth'"},
        {"sources: {api: {base_url: \"https://x?a=b\", resources: {a: {path: /a}}}}\n", 1, 27,
         "belongs under 'params'"},
        {"sources: {api: {base_url: \"https:///x\", resources: {a: {path: /a}}}}\n", 1, 27,
         "names no host"},
        {"sources: {a b: {base_url: \"https://x\", resources: {a: {path: /a}}}}\n", 1, 11,
         "cannot name a source"},
        {SOURCE_WITH("bas_url: x"), 4, 5, "did you mean 'base_url'?"},
        {SOURCE_WITH("auth: {}"), 4, 11, "auth has no key; expected exactly one of none, api_key"},
        {SOURCE_WITH("auth: {none: {}, basic: {}}"), 4, 22,
         "expected exactly one of none, api_key"},
        {SOURCE_WITH("auth: [none]"), 4, 11, "auth has a list; expected exactly one of"},
        {SOURCE_WITH("auth: {baerer: {token: x}}"), 4, 12, "did you mean 'bearer'?"},
        {SOURCE_WITH("auth: bearer"), 4, 11, "bearer has no 'token'"},
        {SOURCE_WITH("auth: {bearer: {token: \"\"}}"), 4, 28, "token is empty"},
        {SOURCE_WITH("auth: {bearer: {tokn: x}}"), 4, 21, "did you mean 'token'?"},
        {SOURCE_WITH("auth: {api_key: {name: \"X Y\", value: v}}"), 4, 28,
         "'X Y' cannot name a header"},
        {SOURCE_WITH("auth: {api_key: {in: body, name: x, value: v}}"), 4, 26,
         "in is 'body'; expected header, query or cookie"},
        {SOURCE_WITH("auth: {oauth2_client_credentials: {token_url: x, client_id: i, "
                     "client_secret: s}}"),
         4, 51, "token_url is 'x': it begins with neither"},
        {SOURCE_WITH("headers: {\"X Y\": z}"), 4, 15,
         "'X Y' cannot name a header; expected letters"},
        {SOURCE_WITH("headers: {Host: z}"), 4, 15, "the client sets it itself"},
        {SOURCE_WITH("headers: {X-Y: \"a\\nb\"}"), 4, 20, "holds a line end"},
        {SOURCE_WITH("headers: {X-Y: [a]}"), 4, 20, "headers.X-Y has a list; expected a text"},
        {SOURCE_WITH("params: {a: \"x{1}\"}"), 4, 19, "takes no expressions; expected '{{'"},
        {SOURCE_WITH("params: {\"\": z}"), 4, 14, "cannot name a parameter"},
        {SOURCE_WITH("params: {a: }"), 4, 14, "params.a has no value"},
        {SOURCE_WITH("params: [a]"), 4, 13, "params has a list"},
        {SOURCE_WITH("rate: 10"), 4, 11, "rate is '10'; expected a rate such as 10/s"},
        {SOURCE_WITH("rate: 0/s"), 4, 11, "rate is '0/s'"},
        {SOURCE_WITH("rate: 1.2.3/s"), 4, 11, "rate is '1.2.3/s'"},
        {SOURCE_WITH("rate: 5/d"), 4, 11, "expected a rate such as 10/s, 100/m or 5000/h"},
        {SOURCE_WITH("concurrency: 65"), 4, 18, "expected a whole number, 1 to 64"},
        {SOURCE_WITH("timeout: {read: 0s}"), 4, 21, "read is '0s'"},
        {SOURCE_WITH("retry: {attempts: 0}"), 4, 23, "expected a whole number, 1 to 100"},
        {SOURCE_WITH("max_page: 1"), 4, 15, "expected a size such as 5MiB, 1 KiB to 1 GiB"},
    };
    (void)state;
    RUN(cases);
}

static void mistakes_in_a_resource_are_told_at_their_place(void **state) {
    static const struct problem_case cases[] = {
        {SOURCE "      A: {path: /a}\n", 5, 7,
         "'A' cannot name a resource; expected 1 to 64 lower"},
        {SOURCE "      a: {}\n", 5, 10, "a resource has no 'path'"},
        {SOURCE "      a: {path: a}\n", 5, 17, "path is 'a'; expected it to begin with '/'"},
        {SOURCE "      a: {path: {.id}}\n", 5, 17,
         "path has a mapping; expected a text, in quotes"},
        {SOURCE "      a: {path: /a, for_eac: b}\n", 5, 21, "did you mean 'for_each'?"},
        {SOURCE "      a: {path: /a, for_each: bb}\n      b: {path: /b}\n", 5, 31,
         "which is no resource of api; expected a or b; did you mean 'b'?"},
        {SOURCE "      a: {path: /a, for_each: a}\n", 5, 31, "in a circle: a -> a;"},
        {SOURCE "      x: {path: /x, for_each: a}\n      a: {path: /a, for_each: b}\n"
                "      b: {path: /b, for_each: c}\n      c: {path: /c, for_each: a}\n",
         6, 31, "in a circle: a -> b -> c -> a;"},
        {SOURCE "      a: {path: \"/a/{.id}\"}\n", 5, 21, "{.id} has no record to look into"},
        {SOURCE "      a: {path: /a, fields: {x: .id}}\n", 5, 33, "fields.x has no record"},
        {SOURCE "      a: {path: /a, next: .n, paginate: none}\n", 5, 27,
         "expected one of the two"},
        {SOURCE "      a: {path: /a, paginate: pages}\n", 5, 31, "did you mean 'page'?"},
        {SOURCE "      a: {path: /a, paginate: {offset: {}, page: {}}}\n", 5, 44,
         "expected exactly one of auto, none, offset"},
        {SOURCE "      a: {path: /a, paginate: {cursor: {cursor: .c}}}\n", 5, 40,
         "cursor has no 'param'"},
        {SOURCE "      a: {path: /a, paginate: {cursor: {param: p}}}\n", 5, 40,
         "the cursor comes from nowhere"},
        {SOURCE "      a: {path: /a, paginate: {cursor: {param: p, cursor: .c, header: X}}}\n", 5,
         71, "the cursor comes from two places"},
        {SOURCE "      a: {path: /a, paginate: next}\n", 5, 31, "next has no 'url'"},
        {SOURCE "      a: {path: /a, paginate: {offset: {first: -1}}}\n", 5, 48, "first is '-1'"},
        {SOURCE "      a: {path: /a, paginate: offset, params: {offset: 5}}\n", 5, 48,
         "'offset' is set by 'paginate'"},
        {SOURCE "      a: {path: /a, method: put}\n", 5, 29, "expected GET or POST"},
        {SOURCE "      a: {path: /a, body: {}}\n", 5, 27, "a GET request has no body"},
        {SOURCE "      a: {path: /a, method: POST, body: '{'}\n", 5, 41, "body is no JSON"},
        {SOURCE "      a: {path: /a, paginate: {page: {in: body}}}\n", 5, 31, "method: POST"},
        {SOURCE "      a: {path: /a, method: POST, body: [], paginate: {page: {in: body}}}\n", 5,
         55, "no object to go into"},
        {SOURCE "      a: {path: /a, hint: {40: x}}\n", 5, 28,
         "'40' is no HTTP status of an error"},
        {SOURCE "      a: {path: /a, hint: {200: x}}\n", 5, 28, "from 300 to 599"},
        {SOURCE "      a: {path: /a, hint: {404: [x]}}\n", 5, 33, "hint has a list"},
        {SOURCE "      a: {path: /a, key: []}\n", 5, 26, "key is empty"},
        {SOURCE "      a: {path: /a, key: [x, x]}\n", 5, 30, "'x' stands here again"},
        {SOURCE "      a: {path: /a, on_change: evolv}\n", 5, 32, "did you mean 'evolve'?"},
        {SOURCE "      a: {path: /a, incremental: {start: 5}}\n", 5, 34,
         "incremental has no 'field'"},
        {SOURCE "      a: {path: /a, incremental: {field: .x, order: up}}\n", 5, 53,
         "expected unordered, ascending or descending"},
        {SOURCE "      a: {path: /a, headers: {\"X:\": y}}\n", 5, 31, "cannot name a header"},
        {SOURCE "      a: {path: /a, tests: [{}]}\n", 5, 29, "a test has no 'page'"},
        {SOURCE "      a: {path: /a, tests: [{page: '{'}]}\n", 5, 36, "page is no JSON"},
        {SOURCE "      a: {path: /a, tests: [{page: [], records: x}]}\n", 5, 49, "records is 'x'"},
    };
    (void)state;
    RUN(cases);
}

static void mistakes_in_expressions_are_told_at_their_place(void **state) {
    static const struct problem_case cases[] = {
        {SOURCE "      a: {path: /a, records: .x | nosuch}\n", 5, 35,
         "records: nosuch/0 is not defined"},
        {SOURCE "      a: {path: /a, records: '.x['}\n", 5, 33, "records: ']' is missing"},
        {SOURCE "      a: {path: /a, next: .x | nosuch}\n", 5, 32, "next: nosuch/0"},
        {SOURCE "      a: {path: /a, paginate: {offset: {total: .a b}}}\n", 5, 51,
         "total: syntax error"},
        {SOURCE "      a: {path: /a, paginate: {page: {more: nosuch}}}\n", 5, 45, "more: nosuch/0"},
        {SOURCE "      a: {path: /a, incremental: {field: nosuch}}\n", 5, 42, "field: nosuch/0"},
        {SOURCE "      a: {path: /a, fields: {x: $resource, y: $nope}}\n", 5, 47, "$nope is not"},
        {SOURCE "      a: {path: /a, records: $resource}\n", 5, 30, "$resource is not defined"},
        {SOURCE "      a: {path: \"/é/{1 | nosuch}\"}\n", 5, 26, "path: nosuch/0"},
        {SOURCE "      a: {path: \"/\\u00e9/{1 | nosuch}\"}\n", 5, 31, "path: nosuch/0"},
        {SOURCE "      a:\n        path: >-\n          /a/\n          {1 | nosuch}\n", 8, 16,
         "path: nosuch/0"},
        {SOURCE "      a: {path: \"/a/{1\"}\n", 5, 21, "path: the brace that opens here"},
        {SOURCE "      a: {path: \"/a/1}\"}\n", 5, 22, "path: '}' closes nothing"},
        {SOURCE "      a: {path: \"/a/{}\"}\n", 5, 21, "path: the braces are empty"},
        {SOURCE "      a: {path: \"/a/{(1]}\"}\n", 5, 24, "path: ']' where ')' should stand"},
        {SOURCE "      a: {path: /a, params: {q: \"x{1 | nosuch}\"}}\n", 5, 40,
         "params.q: nosuch/0"},
        {SOURCE "      a: {path: /a, headers: {X-Q: \"{$ENV}\"}}\n", 5, 39,
         "$ENV is not available"},
        {SOURCE "      a: {path: /a, method: POST, body: {a: [x, \"{1 | nosuch}\"]}}\n", 5, 55,
         "body: nosuch/0"},
        {SOURCE "      a: {path: /a, method: POST, body: '{\"a\": [\"{1 | nosuch}\"]}'}\n", 5, 55,
         "body: nosuch/0"},
        {SOURCE "      a: {path: /a, method: POST, body: '{\"a\": [\"\\t{1 | nosuch}\"]}'}\n", 5,
         50, "body: nosuch/0"},
    };
    (void)state;
    RUN(cases);
}

static void credentials_in_clear_text_are_warned_of_but_not_on_this_machine(void **state) {
    static const struct {
        const char *url;
        size_t n;
    } cases[] = {{"http://api.example.com", 1},  {"https://api.example.com", 0},
                 {"http://127.0.0.1:8080/x", 0}, {"http://localhost:1", 0},
                 {"http://127.example.com", 1},  {"http://localhost.example.com/", 1},
                 {"http://[::1]:80/", 0}};
    (void)state;
    setenv("LEAT_TEST_KEY", "k", 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loaded l;
        char text[512];
        snprintf(text, sizeof(text),
                 "sources:\n  api:\n    base_url: %s\n    auth: {bearer: {token: "
                 "\"${LEAT_TEST_KEY}\"}}\n    resources: {a: {path: /a}}\n",
                 cases[i].url);
        load(&l, text);
        assert_int_equal(l.status, LEAT_OK);
        assert_int_equal(l.problems.n, cases[i].n);
        if (l.problems.n)
            assert_non_null(strstr(l.problems.list[0].text, "over http://"));
        unload(&l);
    }
}

static void what_a_variable_holds_is_in_no_problem_of_a_source(void **state) {
    static const char *const lines[] = {
        "auth: {bearer: {token: \"${LEAT_TEST_SECRET}\"}}",
        "auth: {api_key: {name: \"${LEAT_TEST_SECRET}\", value: \"${LEAT_TEST_SECRET}\"}}",
        ("auth: {oauth2_refresh_token: {token_url: \"${LEAT_TEST_SECRET}\", client_id: "
         "\"${LEAT_TEST_SECRET}\", refresh_token: \"${LEAT_TEST_SECRET}\"}}"),
        "headers: {X: \"${LEAT_TEST_SECRET}\"}",
        "rate: \"${LEAT_TEST_SECRET}\"",
        "ca_file: \"${LEAT_TEST_SECRET}\"",
        "concurrency: \"${LEAT_TEST_SECRET}\"",
        "timeout: {read: \"${LEAT_TEST_SECRET}\"}",
    };
    (void)state;
    setenv("LEAT_TEST_SECRET", "Hunter2 {\n", 1);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct loaded l;
        char text[1024];
        snprintf(text, sizeof(text), SOURCE_WITH("%s"), lines[i]);
        load(&l, text);
        assert_true(l.problems.n > 0);
        for (size_t p = 0; p < l.problems.n; p++)
            assert_null(strstr(l.problems.list[p].text, "Hunter2"));
        unload(&l);
    }
}

/* Each character of a source changed: an answer, and nothing worse. */
static void damaged_sources_get_an_answer(void **state) {
    static const char file[] =
        "sources:\n  api:\n    base_url: http://x\n    auth: {api_key: {name: k, value: v}}\n"
        "    resources:\n      a: {path: /a, next: .n, hint: {403: x}}\n"
        "      b: {for_each: a, path: \"/{.id}\", method: POST, body: {a: ['{.x}']},\n"
        "          paginate: {cursor: {param: p, header: H}}, tests: [{page: []}]}\n";
    static const char bytes[] = "\n \"'[]{}:,&*#-\xff";
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(file); i++)
        for (size_t k = 0; k + 1 < sizeof(bytes); k += 1 + i % 3) {
            char copy[sizeof(file)];
            struct loaded l;
            memcpy(copy, file, sizeof(file));
            copy[i] = bytes[k];
            load_bytes(&l, copy, sizeof(file) - 1);
            assert_true(l.status == LEAT_OK || l.status == LEAT_E_CONFIG);
            assert_true(l.status == LEAT_OK || l.problems.n > 0);
            unload(&l);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_of_the_design_is_read),
        cmocka_unit_test(defaults_are_those_of_the_reference),
        cmocka_unit_test(every_property_of_an_api_is_read),
        cmocka_unit_test(every_auth_is_read),
        cmocka_unit_test(a_secret_in_the_file_is_warned_of_by_the_variable_to_use),
        cmocka_unit_test(every_pagination_is_read),
        cmocka_unit_test(every_property_of_a_resource_is_read),
        cmocka_unit_test(a_variable_in_a_template_is_a_text_and_never_an_expression),
        cmocka_unit_test(parents_come_before_their_children_else_in_the_order_of_the_file),
        cmocka_unit_test(merged_and_shared_values_are_read_as_if_written_twice),
        cmocka_unit_test(mistakes_in_an_api_are_told_at_their_place),
        cmocka_unit_test(mistakes_in_a_resource_are_told_at_their_place),
        cmocka_unit_test(mistakes_in_expressions_are_told_at_their_place),
        cmocka_unit_test(credentials_in_clear_text_are_warned_of_but_not_on_this_machine),
        cmocka_unit_test(what_a_variable_holds_is_in_no_problem_of_a_source),
        cmocka_unit_test(damaged_sources_get_an_answer),
    };
    return cmocka_run_group_tests_name("pipeline config_rest", tests, NULL, NULL);
}
