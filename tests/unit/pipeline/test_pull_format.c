/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pull_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ALBUMS, TRACKS, N_RESOURCES };

struct rig {
    struct lt_rest_resource resources[N_RESOURCES];
    struct lt_rest_api api;
    const char *key[1];
    bool selected[N_RESOURCES], walked[N_RESOURCES];
    const char *positions[N_RESOURCES];
    struct lt_buf out;
    struct lt_arena arena;
    struct lt_pull_formatter *f;
    struct leat_error err;
    size_t n_lines;
    struct lt_json lines[64];
};

static int64_t now_ms(void) {
    return 1767225600123;
}

static void position(void *ctx, size_t resource, struct lt_buf *out) {
    struct rig *rig = ctx;
    lt_buf_append_str(out, rig->positions[resource]);
}

static int set_up(void **state) {
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->key[0] = "id";
    rig->resources[ALBUMS] = (struct lt_rest_resource){
        .name = "albums", .parent = SIZE_MAX, .key = rig->key, .n_key = 1};
    rig->resources[TRACKS] = (struct lt_rest_resource){.name = "tracks", .parent = ALBUMS};
    rig->api = (struct lt_rest_api){.resources = rig->resources, .n_resources = N_RESOURCES};
    rig->selected[ALBUMS] = rig->selected[TRACKS] = true;
    rig->walked[ALBUMS] = rig->walked[TRACKS] = true;
    rig->positions[ALBUMS] = rig->positions[TRACKS] = "{\"v\":1,\"complete\":false}";
    lt_buf_init(&rig->out, 1 << 20);
    lt_arena_init(&rig->arena, 1 << 20);
    *state = rig;
    return 0;
}

static int tear_down(void **state) {
    struct rig *rig = *state;
    lt_pull_formatter_free(rig->f);
    lt_buf_deinit(&rig->out);
    lt_arena_deinit(&rig->arena);
    free(rig);
    return 0;
}

static void begin(struct rig *rig, enum lt_pull_format format, bool with_positions) {
    const struct lt_pull_formatter_options opt = {
        .format = format,
        .api = &rig->api,
        .selected = rig->selected,
        .walked = rig->walked,
        .out = &rig->out,
        .ctx = rig,
        .position = with_positions ? position : NULL,
        .now_ms = now_ms,
    };
    assert_int_equal(lt_pull_formatter_new(&rig->f, &opt, &rig->err), LEAT_OK);
    assert_int_equal(lt_pull_format_begin(rig->f, &rig->err), LEAT_OK);
}

/* A page of up to two records; NULL: none. */
static void page(struct rig *rig, size_t resource, const char *group, const char *a,
                 const char *b) {
    const struct lt_rest_page rest_page = {.resource = &rig->resources[resource],
                                           .resource_index = resource,
                                           .group = lt_slice_str(group),
                                           .fetched_ms = 1767225600000};
    const struct lt_slice records[] = {lt_slice_str(a), lt_slice_str(b)};
    size_t n = (a != NULL) + (size_t)(b != NULL);
    assert_int_equal(lt_pull_format_page(rig->f, &rest_page, records, n, &rig->err), LEAT_OK);
}

static void end(struct rig *rig, bool complete, const struct leat_error *failure) {
    assert_int_equal(lt_pull_format_end(rig->f, complete, failure, &rig->err), LEAT_OK);
}

/* What is there, line by line, as JSON. */
static void read_lines(struct rig *rig) {
    struct lt_slice rest = lt_buf_slice(&rig->out);
    while (rest.len) {
        const char *stop = memchr(rest.data, '\n', rest.len);
        assert_non_null(stop);
        struct lt_slice line = {rest.data, (size_t)(stop - rest.data)};
        assert_true(rig->n_lines < 64);
        assert_int_equal(
            lt_json_parse(&rig->lines[rig->n_lines++], line, LT_JSON_MAX_DEPTH, &rig->err),
            LEAT_OK);
        rest = lt_slice_from(rest, line.len + 1);
    }
}

/* The value at a path of names, as JSON text. */
static const char *at(struct rig *rig, size_t line, const char *a, const char *b, const char *c,
                      const char *d) {
    const char *const names[] = {a, b, c, d};
    assert_true(line < rig->n_lines);
    struct lt_json value = rig->lines[line];
    for (size_t i = 0; i < 4 && names[i]; i++) {
        if (!lt_json_get(value, names[i], &value))
            return "(none)";
    }
    return lt_arena_str(&rig->arena, value.raw);
}

static void assert_out(struct rig *rig, const char *text) {
    assert_string_equal(lt_buf_cstr(&rig->out), text);
}

/* ---- json ---- */

static void json_lines_are_the_records_as_they_are(void **state) {
    struct rig *rig = *state;
    begin(rig, LT_PULL_JSON, true);
    page(rig, ALBUMS, "null", "{\"id\":1.50}", "{\"id\" : 2}");
    page(rig, TRACKS, "1", NULL, NULL);
    assert_int_equal(lt_pull_format_state(rig->f, &rig->err), LEAT_OK);
    lt_pull_format_note(rig->f, "WARN", "nobody hears it");
    end(rig, true, NULL);
    assert_out(rig, "{\"id\":1.50}\n{\"id\" : 2}\n");
}

/* ---- grouped ---- */

static void grouped_is_one_object_of_lists_by_what_the_path_takes_of_the_parent(void **state) {
    struct rig *rig = *state;
    begin(rig, LT_PULL_GROUPED, true);
    page(rig, TRACKS, "\"a\\\"1\"", "{\"t\":1}", "{\"t\":2}");
    page(rig, TRACKS, "\"a\\\"1\"", "{\"t\":3}", NULL); /* its second page */
    page(rig, TRACKS, "\"empty\"", NULL, NULL);
    page(rig, TRACKS, "7", "{\"t\":4}", NULL);
    end(rig, true, NULL);
    assert_out(rig, "{\n\"a\\\"1\": [{\"t\":1},\n {\"t\":2},\n {\"t\":3}],\n\"empty\": [],\n"
                    "\"7\": [{\"t\":4}]\n}\n");
}

static void grouped_without_a_parent_is_one_list_under_the_resources_name(void **state) {
    struct rig *rig = *state;
    begin(rig, LT_PULL_GROUPED, true);
    page(rig, ALBUMS, "null", "{\"id\":1}", NULL);
    page(rig, ALBUMS, "null", "{\"id\":2}", NULL);
    end(rig, true, NULL);
    assert_out(rig, "{\n\"albums\": [{\"id\":1},\n {\"id\":2}]\n}\n");
}

static void grouped_without_a_page_is_an_empty_object(void **state) {
    struct rig *rig = *state;
    struct lt_json value;
    begin(rig, LT_PULL_GROUPED, true);
    end(rig, false, NULL);
    assert_int_equal(lt_json_parse(&value, lt_buf_slice(&rig->out), 8, &rig->err), LEAT_OK);
    assert_int_equal(lt_json_count(value), 0);
}

/* ---- singer ---- */

static void singer_tells_a_schema_before_the_first_record_and_when_it_changes(void **state) {
    struct rig *rig = *state;
    begin(rig, LT_PULL_SINGER, false);
    page(rig, ALBUMS, "null", "{\"id\":1}", "{\"id\":2}");
    page(rig, ALBUMS, "null", "{\"id\":3}", NULL);
    page(rig, ALBUMS, "null", "{\"id\":\"x\"}", NULL);
    end(rig, true, NULL);
    read_lines(rig);
    const char *const types[] = {"SCHEMA", "RECORD", "RECORD", "RECORD", "SCHEMA", "RECORD"};
    assert_int_equal(rig->n_lines, 6); /* no STATE without positions */
    for (size_t i = 0; i < 6; i++) {
        char want[16];
        snprintf(want, sizeof(want), "\"%s\"", types[i]);
        assert_string_equal(at(rig, i, "type", NULL, NULL, NULL), want);
        assert_string_equal(at(rig, i, "stream", NULL, NULL, NULL), "\"albums\"");
    }
    assert_string_equal(at(rig, 0, "key_properties", NULL, NULL, NULL), "[\"id\"]");
    assert_string_equal(at(rig, 0, "bookmark_properties", NULL, NULL, NULL), "(none)");
    assert_string_equal(at(rig, 0, "schema", "properties", "id", "type"), "\"integer\"");
    assert_non_null(strstr(at(rig, 4, "schema", "properties", "id", "type"), "\"string\""));
    assert_string_equal(at(rig, 2, "record", NULL, NULL, NULL), "{\"id\":2}");
    assert_string_equal(at(rig, 2, "time_extracted", NULL, NULL, NULL),
                        "\"2026-01-01T00:00:00.000Z\"");
}

static void singer_names_the_bookmark_of_an_incremental_resource(void **state) {
    struct rig *rig = *state;
    rig->resources[ALBUMS].incremental.field.text = LT_LIT(".updated_at");
    rig->resources[TRACKS].incremental.field.text = LT_LIT(".a.b");
    begin(rig, LT_PULL_SINGER, false);
    page(rig, ALBUMS, "null", "{\"id\":1}", NULL);
    page(rig, TRACKS, "1", "{\"id\":1}", NULL);
    read_lines(rig);
    assert_string_equal(at(rig, 0, "bookmark_properties", NULL, NULL, NULL), "[\"updated_at\"]");
    assert_string_equal(at(rig, 2, "type", NULL, NULL, NULL), "\"SCHEMA\"");
    assert_string_equal(at(rig, 2, "bookmark_properties", NULL, NULL, NULL), "(none)");
    assert_string_equal(at(rig, 2, "key_properties", NULL, NULL, NULL), "[]");
}

static void singer_states_hold_what_is_needed_to_go_on_and_come_when_it_changed(void **state) {
    struct rig *rig = *state;
    rig->resources[ALBUMS].incremental.field.text = LT_LIT(".updated_at");
    begin(rig, LT_PULL_SINGER, true);
    rig->positions[ALBUMS] = "{\"v\":1,\"complete\":true,\"cursor\":\"2026-01-02\"}";
    assert_int_equal(lt_pull_format_state(rig->f, &rig->err), LEAT_OK);
    assert_int_equal(lt_pull_format_state(rig->f, &rig->err), LEAT_OK);
    rig->positions[TRACKS] = "{\"v\":1,\"complete\":true}";
    end(rig, true, NULL);
    read_lines(rig);
    assert_int_equal(rig->n_lines, 2);
    assert_string_equal(at(rig, 0, "value", "bookmarks", "albums", "replication_key"),
                        "\"updated_at\"");
    assert_string_equal(at(rig, 0, "value", "bookmarks", "albums", "replication_key_value"),
                        "\"2026-01-02\"");
    assert_string_equal(at(rig, 0, "value", "bookmarks", "albums", "position"),
                        rig->positions[ALBUMS]);
    assert_string_equal(at(rig, 0, "value", "bookmarks", "tracks", "position"),
                        "{\"v\":1,\"complete\":false}");
    /* a whole one that is not incremental begins anew next time */
    assert_string_equal(at(rig, 1, "value", "bookmarks", "tracks", NULL), "(none)");
}

/* ---- airbyte ---- */

static void airbyte_tells_the_life_of_each_stream_around_its_records(void **state) {
    struct rig *rig = *state;
    rig->selected[TRACKS] = false;
    begin(rig, LT_PULL_AIRBYTE, false);
    page(rig, ALBUMS, "null", NULL, NULL);
    page(rig, ALBUMS, "null", "{\"id\":1}", "{\"id\":2}");
    lt_pull_format_note(rig->f, "WARN", "a \"wait\"");
    end(rig, true, NULL);
    read_lines(rig);
    assert_int_equal(rig->n_lines, 6);
    const char *const status[] = {"\"STARTED\"", "\"RUNNING\"", "\"COMPLETE\""};
    const size_t where[] = {0, 1, 5};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(at(rig, where[i], "type", NULL, NULL, NULL), "\"TRACE\"");
        assert_string_equal(at(rig, where[i], "trace", "type", NULL, NULL), "\"STREAM_STATUS\"");
        assert_string_equal(at(rig, where[i], "trace", "emitted_at", NULL, NULL), "1767225600123");
        assert_string_equal(at(rig, where[i], "trace", "stream_status", "status", NULL), status[i]);
        assert_string_equal(
            at(rig, where[i], "trace", "stream_status", "stream_descriptor", "name"), "\"albums\"");
    }
    assert_string_equal(at(rig, 2, "type", NULL, NULL, NULL), "\"RECORD\"");
    assert_string_equal(at(rig, 2, "record", "stream", NULL, NULL), "\"albums\"");
    assert_string_equal(at(rig, 2, "record", "data", NULL, NULL), "{\"id\":1}");
    assert_string_equal(at(rig, 2, "record", "emitted_at", NULL, NULL), "1767225600000");
    assert_string_equal(at(rig, 4, "log", "level", NULL, NULL), "\"WARN\"");
    assert_string_equal(at(rig, 4, "log", "message", NULL, NULL), "\"a \\\"wait\\\"\"");
}

static void airbyte_states_are_one_a_stream_children_first(void **state) {
    struct rig *rig = *state;
    begin(rig, LT_PULL_AIRBYTE, true);
    page(rig, ALBUMS, "null", "{\"id\":1}", NULL);
    size_t before = rig->out.len;
    assert_int_equal(lt_pull_format_state(rig->f, &rig->err), LEAT_OK);
    rig->positions[ALBUMS] = "{\"v\":2}";
    assert_int_equal(lt_pull_format_state(rig->f, &rig->err), LEAT_OK);
    lt_buf_consume(&rig->out, before);
    read_lines(rig);
    assert_int_equal(rig->n_lines, 3);
    const char *const names[] = {"\"tracks\"", "\"albums\"", "\"albums\""};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(at(rig, i, "type", NULL, NULL, NULL), "\"STATE\"");
        assert_string_equal(at(rig, i, "state", "type", NULL, NULL), "\"STREAM\"");
        assert_string_equal(at(rig, i, "state", "stream", "stream_descriptor", "name"), names[i]);
    }
    assert_string_equal(at(rig, 2, "state", "stream", "stream_state", NULL), "{\"v\":2}");
    assert_string_equal(at(rig, 1, "state", "sourceStats", "recordCount", NULL), "1");
    assert_string_equal(at(rig, 2, "state", "sourceStats", "recordCount", NULL), "0");
}

static void airbyte_tells_a_failure_and_that_streams_are_incomplete(void **state) {
    struct rig *rig = *state;
    struct leat_error failure;
    lt_fail(&failure, LEAT_E_NETWORK, 0, "the API went away");
    begin(rig, LT_PULL_AIRBYTE, false);
    end(rig, false, &failure);
    read_lines(rig);
    assert_int_equal(rig->n_lines, 5);
    assert_string_equal(at(rig, 2, "trace", "type", NULL, NULL), "\"ERROR\"");
    assert_string_equal(at(rig, 2, "trace", "error", "message", NULL), "\"the API went away\"");
    assert_string_equal(at(rig, 2, "trace", "error", "failure_type", NULL), "\"system_error\"");
    assert_string_equal(at(rig, 4, "trace", "stream_status", "status", NULL), "\"INCOMPLETE\"");
}

static void a_buffer_that_is_full_is_an_error(void **state) {
    struct rig *rig = *state;
    const struct lt_rest_page rest_page = {.resource = &rig->resources[ALBUMS]};
    const struct lt_slice record = LT_LIT("{\"id\":1}");
    rig->out.max = 20;
    begin(rig, LT_PULL_JSON, false);
    page(rig, ALBUMS, "null", "{\"id\":1}", "{\"id\":2}");
    assert_int_equal(lt_pull_format_page(rig->f, &rest_page, &record, 1, &rig->err), LEAT_E_NOMEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(json_lines_are_the_records_as_they_are),
        TEST(grouped_is_one_object_of_lists_by_what_the_path_takes_of_the_parent),
        TEST(grouped_without_a_parent_is_one_list_under_the_resources_name),
        TEST(grouped_without_a_page_is_an_empty_object),
        TEST(singer_tells_a_schema_before_the_first_record_and_when_it_changes),
        TEST(singer_names_the_bookmark_of_an_incremental_resource),
        TEST(singer_states_hold_what_is_needed_to_go_on_and_come_when_it_changed),
        TEST(airbyte_tells_the_life_of_each_stream_around_its_records),
        TEST(airbyte_states_are_one_a_stream_children_first),
        TEST(airbyte_tells_a_failure_and_that_streams_are_incomplete),
        TEST(a_buffer_that_is_full_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
