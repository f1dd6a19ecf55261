/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>

#include "json/schema.h"

#define HEAD "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\""

static struct lt_json_schema *make(void) {
    struct lt_json_schema *schema;

    assert_int_equal(lt_json_schema_new(&schema, NULL), LEAT_OK);
    return schema;
}

static struct lt_json parse(struct lt_slice text) {
    struct leat_error err;
    struct lt_json value;

    if (lt_json_parse(&value, text, LT_JSON_MAX_DEPTH, &err) != LEAT_OK)
        fail_msg("%.*s: %s", LT_FMT(text), err.text);
    return value;
}

static void add(struct lt_json_schema *schema, const char *record) {
    assert_int_equal(lt_json_schema_add(schema, parse(lt_slice_str(record)), NULL), LEAT_OK);
}

static struct lt_json_schema *make_of(const char *const *records) {
    struct lt_json_schema *schema = make();

    for (size_t i = 0; records[i]; i++)
        add(schema, records[i]);
    return schema;
}
#define MAKE(...) make_of((const char *const[]){__VA_ARGS__, NULL})

static struct lt_json_schema *read_text(const char *text) {
    struct lt_json_schema *schema;
    struct leat_error err;

    if (lt_json_schema_read(&schema, lt_slice_str(text), &err) != LEAT_OK)
        fail_msg("%s: %s", text, err.text);
    return schema;
}

static void expect_text(const struct lt_json_schema *schema, const char *title,
                        const char *expected) {
    struct lt_buf text;

    lt_buf_init(&text, 1 << 24);
    lt_json_schema_write(schema, title, &text);
    assert_string_equal(lt_buf_cstr(&text), expected);
    lt_buf_deinit(&text);
}

/* What is written reads back as the same, and grows as the same. */
static void expect_same_when_read_again(const struct lt_json_schema *schema) {
    struct lt_buf text;

    lt_buf_init(&text, 1 << 24);
    lt_json_schema_write(schema, "t", &text);
    struct lt_json_schema *again = read_text(lt_buf_cstr(&text));
    expect_text(again, "t", text.data);
    assert_int_equal(lt_json_schema_n_records(again), 0);
    lt_json_schema_free(again);
    lt_buf_deinit(&text);
}

/* The schema of some records without its head: `"type":…`. */
static void check(const char *const *records, const char *expected) {
    struct lt_json_schema *schema = make_of(records);
    char text[2000];

    snprintf(text, sizeof(text), "{" HEAD ",%s}", expected);
    expect_text(schema, NULL, text);
    expect_same_when_read_again(schema);
    lt_json_schema_free(schema);
}
#define CHECK(expected, ...) check((const char *const[]){__VA_ARGS__, NULL}, expected)

static void field_has_the_types_that_were_seen(void **state) {
    (void)state;
    CHECK("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
          "\"string\"},\"c\":{\"type\":\"boolean\"},\"d\":{\"type\":\"null\"}},"
          "\"required\":[\"a\",\"b\",\"c\",\"d\"]",
          "{\"a\":1,\"b\":\"\",\"c\":false,\"d\":null}");
    CHECK("\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"integer\",\"string\",\"null\"]}},"
          "\"required\":[\"a\"]",
          "{\"a\":null}", "{\"a\":\"x\"}", "{\"a\":2}");
    CHECK("\"type\":\"object\",\"properties\":{}", "{}");
    CHECK("\"type\":[\"boolean\",\"object\"],\"properties\":{}", "{}", "true");
}

static void number_is_an_integer_by_its_spelling(void **state) {
    (void)state;
    CHECK("\"type\":\"integer\"", "1", "-0", "123456789012345678901234567890");
    CHECK("\"type\":\"number\"", "10.0");
    CHECK("\"type\":\"number\"", "1e3");
    CHECK("\"type\":\"number\"", "1", "1.5");
    CHECK("\"type\":\"number\"", "1.5", "1");
}

static void field_of_every_object_is_required(void **state) {
    (void)state;
    CHECK("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
          "\"integer\"},\"c\":{\"type\":\"integer\"}},\"required\":[\"b\"]",
          "{\"a\":1,\"b\":1}", "{\"b\":1,\"c\":2}", "{\"c\":1,\"b\":1,\"b\":2,\"a\":1}");
    CHECK("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}", "{}", "{\"a\":1}");
    CHECK("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}", "{\"a\":1}",
          "{\"a\":1}", "{}");
    CHECK("\"type\":[\"object\",\"null\"],\"properties\":{\"a\":{\"type\":\"integer\"}},"
          "\"required\":[\"a\"]",
          "{\"a\":1}", "null");
    /* a repeated name is one field */
    CHECK("\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
          "\"integer\"}},\"required\":[\"a\"]",
          "{\"a\":1,\"b\":1}", "{\"a\":1,\"a\":1}");
}

static void elements_of_an_array_share_one_schema(void **state) {
    (void)state;
    CHECK("\"type\":\"array\"", "[]");
    CHECK(
        "\"type\":\"array\",\"items\":{\"type\":[\"integer\",\"array\",\"object\"],"
        "\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"type\":\"null\"}},\"items\":{\"type\":"
        "\"string\"}}",
        "[1,{\"a\":null},{\"b\":null}]", "[[\"x\"]]", "[]");
}

static void string_has_a_format_while_all_values_have_it(void **state) {
    static const struct {
        const char *value, *format;
    } rows[] = {
        {"\"2024-02-29\"", ",\"format\":\"date\""},
        {"\"2000-02-29\"", ",\"format\":\"date\""},
        {"\"2023-02-29\"", ""},
        {"\"1900-02-29\"", ""},
        {"\"2024-13-01\"", ""},
        {"\"2024-00-01\"", ""},
        {"\"2024-04-31\"", ""},
        {"\"0000-01-01\"", ""},
        {"\"2024-1-01x\"", ""},
        {"\"2024-01-0\"", ""},
        {"\"2024-01-01 \"", ""},
        {"\"2024-01-01T\"", ""},
        {"\"2024-01-01T00:00:00Z\"", ",\"format\":\"date-time\""},
        {"\"2024-01-01t23:59:59.000001z\"", ",\"format\":\"date-time\""},
        {"\"2024-01-01T00:00:00+23:59\"", ",\"format\":\"date-time\""},
        {"\"2024-01-01T00:00:00.5-00:00\"", ",\"format\":\"date-time\""},
        {"\"2024-01-01T00:00:00\"", ""},
        {"\"2024-01-01T00:00:00.Z\"", ""},
        {"\"2024-01-01T00:00:00+0100\"", ""},
        {"\"2024-01-01T00:00:00+24:00\"", ""},
        {"\"2024-01-01T24:00:00Z\"", ""},
        {"\"2024-01-01T00:60:00Z\"", ""},
        {"\"2024-01-01T00:00:60Z\"", ""},
        {"\"2024-01-01T00:00:0\"", ""},
        {"\"2024-01-01T00:00:00ZZ\"", ""},
        {"\"2024-01-01T00:00:00Z+00:00\"", ""},
        {"\"2024-01-01 00:00:00Z\"", ""},
        {"\"\\u0032024-01-01\"", ""},
        {"\"\"", ""},
    };
    char expected[100];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(expected, sizeof(expected), "\"type\":\"string\"%s", rows[i].format);
        CHECK(expected, rows[i].value);
    }
    CHECK("\"type\":\"string\"", "\"2024-02-29\"", "\"2024-01-01T00:00:00Z\"");
    CHECK("\"type\":\"string\"", "\"2024-02-29\"", "\"\"", "\"2024-02-29\"");
    CHECK("\"type\":[\"string\",\"null\"],\"format\":\"date\"", "null", "\"2024-02-29\"");
}

static void names_stand_in_the_order_first_seen_however_they_are_escaped(void **state) {
    (void)state;
    CHECK("\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\"},\"a\\\"\\u0000\":{"
          "\"type\":\"integer\"},\"\":{\"type\":\"integer\"},\"\xc3\xa9\":{\"type\":\"integer\"}}",
          "{\"b\":1,\"a\\u0022\\u0000\":1}", "{\"\":1,\"\\u0062\":2}", "{\"\\u00e9\":1}",
          "{\"\xc3\xa9\":1}");
}

static void schema_of_no_record_has_no_type(void **state) {
    struct lt_json_schema *schema = make();

    (void)state;
    expect_text(schema, NULL, "{" HEAD "}");
    expect_text(schema, "a \"b\"", "{" HEAD ",\"title\":\"a \\\"b\\\"\"}");
    expect_same_when_read_again(schema);
    assert_int_equal(lt_json_schema_n_records(schema), 0);
    add(schema, "{}");
    add(schema, "{}");
    assert_int_equal(lt_json_schema_n_records(schema), 2);
    lt_json_schema_free(schema);
}

/* ---- many fields, depth, memory ---- */

static void write_map(struct lt_buf *out, unsigned n, unsigned from) {
    lt_buf_clear(out);
    for (unsigned i = 0; i < n; i++)
        lt_buf_printf(out, "%c\"k%u\":%u", i ? ',' : '{', from + i, i);
    lt_buf_append_byte(out, '}');
}

static void level_with_too_many_names_takes_any(void **state) {
    struct lt_json_schema *schema = make();
    struct lt_json_schema_misfit misfit;
    struct lt_buf text;
    struct lt_json found;

    (void)state;
    lt_buf_init(&text, 1 << 24);
    write_map(&text, 1000, 0);
    assert_int_equal(lt_json_schema_add(schema, parse(lt_buf_slice(&text)), NULL), LEAT_OK);
    assert_false(lt_json_schema_fits(schema, parse(LT_LIT("{\"other\":1}")), &misfit));
    assert_string_equal(misfit.path, ".other");
    write_map(&text, 100000, 500);
    assert_int_equal(lt_json_schema_add(schema, parse(lt_buf_slice(&text)), NULL), LEAT_OK);
    assert_true(lt_json_schema_fits(schema, parse(LT_LIT("{\"other\":1}")), NULL));
    assert_false(lt_json_schema_fits(schema, parse(LT_LIT("{\"k7\":\"\"}")), &misfit));
    assert_string_equal(misfit.path, ".k7");
    lt_buf_clear(&text);
    lt_json_schema_write(schema, NULL, &text);
    struct lt_json written = parse(lt_buf_slice(&text));
    assert_true(lt_json_get(written, "properties", &found));
    assert_int_equal(lt_json_count(found), 1000);
    assert_true(lt_json_get(written, "required", &found));
    assert_int_equal(lt_json_count(found), 500);
    assert_true(lt_json_get(written, "additionalProperties", &found));
    assert_int_equal(found.type, LT_JSON_TRUE);
    expect_same_when_read_again(schema);
    lt_json_schema_free(schema);
    lt_buf_deinit(&text);
}

static void schema_of_maps_in_a_map_stays_small(void **state) {
    struct lt_json_schema *schema = make();
    struct lt_buf text, map;

    (void)state;
    lt_buf_init(&text, 1 << 26);
    lt_buf_init(&map, 1 << 20);
    write_map(&map, 900, 0);
    for (unsigned i = 0; i < 900; i++)
        lt_buf_printf(&text, "%c\"m%u\":%.*s", i ? ',' : '{', i, LT_FMT(lt_buf_slice(&map)));
    lt_buf_append_byte(&text, '}');
    struct lt_json record = parse(lt_buf_slice(&text));
    assert_int_equal(lt_json_schema_add(schema, record, NULL), LEAT_OK);
    assert_true(lt_json_schema_fits(schema, record, NULL));
    lt_buf_clear(&map);
    map.max = 1 << 24;
    lt_json_schema_write(schema, NULL, &map);
    assert_false(map.failed);
    assert_true(map.len < 4 << 20);
    expect_same_when_read_again(schema);
    lt_json_schema_free(schema);
    lt_buf_deinit(&text);
    lt_buf_deinit(&map);
}

static void name_that_is_too_long_is_not_kept(void **state) {
    struct lt_json_schema *schema = make();
    static char record[5000];

    (void)state;
    snprintf(record, sizeof(record), "{\"a\":1,\"%04000d\":1,\"b\":1}", 0);
    add(schema, record);
    expect_text(schema, NULL,
                "{" HEAD ",\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},"
                "\"required\":[\"a\"],\"additionalProperties\":true}");
    lt_json_schema_free(schema);
}

static void deep_record_is_followed_32_levels(void **state) {
    static const char *const open[] = {"{\"a\":", "[", "{\"a\":["};
    static const char *const close[] = {"}", "]", "]}"};
    struct lt_json_schema *schema;
    struct lt_buf text;

    (void)state;
    lt_buf_init(&text, 1 << 20);
    for (size_t kind = 0; kind < 3; kind++) {
        lt_buf_clear(&text);
        for (int i = 0; i < 200; i++)
            lt_buf_append_str(&text, open[kind]);
        lt_buf_append_str(&text, "1");
        for (int i = 0; i < 200; i++)
            lt_buf_append_str(&text, close[kind]);
        schema = make();
        struct lt_json record = parse(lt_buf_slice(&text));
        assert_int_equal(lt_json_schema_add(schema, record, NULL), LEAT_OK);
        assert_true(lt_json_schema_fits(schema, record, NULL));
        lt_buf_clear(&text);
        lt_json_schema_write(schema, NULL, &text);
        assert_true(text.len < 3000);
        expect_same_when_read_again(schema);
        lt_json_schema_free(schema);
    }
    lt_buf_deinit(&text);
}

static void known_shape_takes_no_memory(void **state) {
    static const char record[] =
        "{\"a\":1,\"b\":[{\"c\":\"2024-01-01\"},{\"\\u0064\":null}],\"e\":{}}";
    struct lt_json_schema *schema = MAKE(record);
    struct lt_json parsed = parse(LT_LIT(record));

    (void)state;
    assert_int_equal(lt_json_schema_add(schema, parsed, NULL), LEAT_OK);
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(lt_json_schema_add(schema, parsed, NULL), LEAT_OK);
        assert_true(lt_json_schema_fits(schema, parsed, NULL));
    }
    assert_int_equal(mallinfo2().uordblks, before);
    assert_int_equal(lt_json_schema_n_records(schema), 1002);
    lt_json_schema_free(schema);
}

/* ---- fits ---- */

static void expect_misfit(struct lt_json_schema *schema, const char *record, const char *path,
                          const char *expected, const char *found) {
    struct lt_json_schema_misfit misfit = {0};

    if (lt_json_schema_fits(schema, parse(lt_slice_str(record)), &misfit))
        fail_msg("%s fits", record);
    assert_string_equal(misfit.path, path);
    assert_string_equal(misfit.expected, expected);
    assert_string_equal(misfit.found, found);
}

static void record_that_does_not_fit_is_told_with_its_path(void **state) {
    struct lt_json_schema *schema =
        MAKE("{\"id\":1,\"price\":1.5,\"t\":{\"items\":[{\"name\":\"\"}]},\"none\":[],\"when\":"
             "\"2024-01-01\"}",
             "{\"id\":\"\",\"price\":null,\"t\":{\"items\":[{\"name\":null}]},\"a b\":{}}");

    (void)state;
    expect_misfit(schema, "{\"t\":{\"items\":[{},{\"name\":7}]}}", ".t.items[].name",
                  "string or null", "integer");
    expect_misfit(schema, "{\"new\":[]}", ".new", "no such field", "array");
    expect_misfit(schema, "{\"t\":{\"items\":[{\"\\u006eew\\n\":true}]}}", ".t.items[].\"new\\n\"",
                  "no such field", "boolean");
    expect_misfit(schema, "{\"a b\":{\"\":1}}", ".\"a b\".\"\"", "no such field", "integer");
    expect_misfit(schema, "{\"id\":1.0}", ".id", "integer or string", "number");
    expect_misfit(schema, "{\"none\":[null]}", ".none[]", "no elements", "null");
    expect_misfit(schema, "{\"id\":false,\"new\":1}", ".id", "integer or string", "boolean");
    expect_misfit(schema, "[]", ".", "object", "array");
    assert_true(lt_json_schema_fits(schema, parse(LT_LIT("{}")), NULL));
    assert_true(lt_json_schema_fits(schema, parse(LT_LIT("{\"price\":2}")), NULL));
    assert_true(lt_json_schema_fits(schema, parse(LT_LIT("{\"when\":\"soon\"}")), NULL));
    assert_false(lt_json_schema_fits(schema, parse(LT_LIT("{\"x\":1}")), NULL));
    lt_json_schema_free(schema);
    schema = make();
    expect_misfit(schema, "{}", ".", "nothing", "object");
    lt_json_schema_free(schema);
    schema = MAKE("[1,[2]]");
    expect_misfit(schema, "[[{}]]", ".[][]", "integer", "object");
    lt_json_schema_free(schema);
}

static void long_name_in_a_misfit_is_cut(void **state) {
    struct lt_json_schema *schema = MAKE("{}");
    struct lt_json_schema_misfit misfit;
    static char record[100100];

    (void)state;
    snprintf(record, sizeof(record), "{\"%0100000d\":1}", 0);
    assert_false(lt_json_schema_fits(schema, parse(lt_slice_str(record)), &misfit));
    assert_int_equal(strlen(misfit.path), 203);
    lt_json_schema_free(schema);
}

/* ---- compare ---- */

static void note(void *ctx, const char *path, const char *before, const char *now) {
    lt_buf_printf(ctx, "%s: %s -> %s\n", path, before ? before : "-", now);
}

static void expect_changes(struct lt_json_schema *before, struct lt_json_schema *now,
                           const char *expected) {
    struct lt_buf changes;

    lt_buf_init(&changes, 1 << 20);
    lt_json_schema_compare(before, now, note, &changes);
    assert_string_equal(lt_buf_cstr(&changes), expected);
    lt_buf_deinit(&changes);
    lt_json_schema_free(before);
    lt_json_schema_free(now);
}

static void compare_tells_new_fields_and_new_types(void **state) {
    (void)state;
    expect_changes(
        MAKE("{\"a\":1,\"b\":[{\"c\":null}],\"d\":[],\"gone\":1,\"o\":{}}"),
        MAKE("{\"new\":{\"x\":1},\"b\":[{\"c\":\"\",\"e e\":1},[]],\"d\":[1],\"a\":1.5,\"o\":{}}",
             "{\"a\":null,\"b\":[{\"c\":null}]}"),
        ".new: - -> object\n"
        ".b[]: object -> array or object\n"
        ".b[].c: null -> string or null\n"
        ".b[].\"e e\": - -> integer\n"
        ".d[]: - -> integer\n"
        ".a: integer -> number or null\n");
    expect_changes(MAKE("{\"a\":1.5}"), MAKE("{\"a\":1}"), "");
    expect_changes(MAKE("{\"a\":\"2024-01-01\"}"), MAKE("{\"a\":\"\"}", "{}"), "");
    expect_changes(make(), MAKE("{\"a\":1}"), ".: nothing -> object\n");
    expect_changes(MAKE("{\"a\":null}"), MAKE("{\"a\":{\"b\":1}}"), ".a: null -> object\n");
    expect_changes(read_text("{\"properties\":{\"a\":{}},\"additionalProperties\":true}"),
                   MAKE("{\"a\":1,\"b\":2}"), "");
}

/* ---- reading ---- */

static void hand_written_schema_is_read(void **state) {
    struct lt_json_schema *schema = read_text(
        "{\"description\":\"x\",\"required\":[\"a\",\"nosuch\",\"a\"],\"additionalProperties\":"
        "false,"
        "\"properties\":{\"a\":{\"type\":[\"number\",\"integer\"],\"minimum\":0},\"any\":true,"
        "\"also\":{},\"l\":{\"items\":{\"type\":\"string\",\"format\":\"uri\"}},"
        "\"d\":{\"type\":\"string\",\"format\":\"date\"}, \"m\":{\"additionalProperties\":{},"
        "\"type\":\"object\"}}}");

    (void)state;
    expect_text(schema, NULL,
                "{" HEAD ",\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},"
                "\"any\":{},\"also\":{},\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
                "\"d\":{\"type\":\"string\",\"format\":\"date\"},\"m\":{\"type\":\"object\","
                "\"properties\":{},\"additionalProperties\":true}},\"required\":[\"a\"]}");
    assert_true(lt_json_schema_fits(
        schema, parse(LT_LIT("{\"any\":[{}],\"also\":1,\"m\":{\"x\":1},\"a\":1}")), NULL));
    expect_misfit(schema, "{\"l\":[1]}", ".l[]", "string", "integer");
    expect_same_when_read_again(schema);
    add(schema, "{\"d\":\"\",\"any\":5,\"new\":[]}");
    expect_text(schema, NULL,
                "{" HEAD ",\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"},"
                "\"any\":{},\"also\":{},\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
                "\"d\":{\"type\":\"string\"},\"m\":{\"type\":\"object\","
                "\"properties\":{},\"additionalProperties\":true},\"new\":{\"type\":\"array\"}}}");
    assert_int_equal(lt_json_schema_n_records(schema), 1);
    lt_json_schema_free(schema);
}

static void text_that_is_no_schema_is_refused_with_its_place(void **state) {
    static const char *const rows[][2] = {
        {"", "not JSON: byte 0: expected a value, found the end of the text"},
        {"[]", "not a schema: .: a schema is an object"},
        {"true", "not a schema: .: a schema is an object"},
        {"{\"type\":\"int\"}", "not a schema: .: an unknown type: \"int\""},
        {"{\"type\":[]}", "not a schema: .: \"type\" is a string or an array of strings"},
        {"{\"type\":[\"null\",5]}", "not a schema: .: an unknown type: 5"},
        {"{\"properties\":[]}", "not a schema: .: \"properties\" is an object"},
        {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":false}}}}}",
         "not a schema: .a[].b: a schema is an object"},
        {"{\"properties\":{\"a\":{\"anyOf\":[]}}}",
         "not a schema: .a: a keyword that is not supported: anyOf"},
        {"{\"$ref\":\"#\"}", "not a schema: .: a keyword that is not supported: $ref"},
        {"{\"properties\":{\"a\":{},\"\\u0061\":{}}}",
         "not a schema: .: a repeated property: \"\\u0061\""},
        {"{\"properties\":{},\"required\":{}}",
         "not a schema: .: \"required\" is an array of strings"},
        {"{\"properties\":{},\"required\":[1]}",
         "not a schema: .: \"required\" is an array of strings"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_json_schema *schema = NULL;
        struct leat_error err;
        assert_int_equal(lt_json_schema_read(&schema, lt_slice_str(rows[i][0]), &err),
                         LEAT_E_PARSE);
        assert_string_equal(err.text, rows[i][1]);
        assert_null(schema);
    }
}

static void schema_that_is_read_grows_as_the_one_that_was_written(void **state) {
    static const char *const first[] = {"{\"a\":1,\"d\":\"2024-01-01\",\"l\":[]}", "{\"a\":2}",
                                        NULL};
    static const char *const later[] = {"{\"b\":1,\"d\":\"2024-01-02\"}",
                                        "{\"l\":[{\"x\":1}],\"d\":null}", "{\"l\":[{}]}", NULL};
    struct lt_json_schema *whole = make_of(first), *again;
    struct lt_buf text;

    (void)state;
    lt_buf_init(&text, 1 << 20);
    lt_json_schema_write(whole, NULL, &text);
    again = read_text(lt_buf_cstr(&text));
    for (size_t i = 0; later[i]; i++) {
        add(whole, later[i]);
        add(again, later[i]);
        lt_buf_clear(&text);
        lt_json_schema_write(whole, NULL, &text);
        expect_text(again, NULL, lt_buf_cstr(&text));
    }
    lt_json_schema_free(whole);
    lt_json_schema_free(again);
    lt_buf_deinit(&text);
}

/* ---- the files that a validator of another make has looked at (tests/client/test_schema.py) ----
 */

static void read_file(const char *name, struct lt_buf *out) {
    char path[1024];

    snprintf(path, sizeof(path), "%s/schema/%s", TEST_DATA, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    lt_buf_init(out, 1 << 20);
    char *to = lt_buf_reserve(out, 1 << 16);
    lt_buf_commit(out, fread(to, 1, 1 << 16, file));
    fclose(file);
}

static void schema_of_the_sample_files_is_as_recorded(void **state) {
    static const char *const names[] = {"albums", "mixed"};
    struct lt_buf records, recorded, text;
    char name[100];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lt_json_schema *schema = make();
        snprintf(name, sizeof(name), "%s.jsonl", names[i]);
        read_file(name, &records);
        snprintf(name, sizeof(name), "%s.schema.json", names[i]);
        read_file(name, &recorded);
        for (char *at = records.data, *end; at < records.data + records.len; at = end + 1) {
            end = memchr(at, '\n', (size_t)(records.data + records.len - at));
            struct lt_json record = parse(lt_slice(at, (size_t)(end - at)));
            assert_int_equal(lt_json_schema_add(schema, record, NULL), LEAT_OK);
        }
        lt_buf_init(&text, 1 << 20);
        lt_json_schema_write(schema, names[i], &text);
        lt_buf_append_byte(&text, '\n');
        assert_string_equal(lt_buf_cstr(&text), lt_buf_cstr(&recorded));
        expect_same_when_read_again(schema);
        lt_json_schema_free(schema);
        lt_buf_deinit(&records);
        lt_buf_deinit(&recorded);
        lt_buf_deinit(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_has_the_types_that_were_seen),
        cmocka_unit_test(number_is_an_integer_by_its_spelling),
        cmocka_unit_test(field_of_every_object_is_required),
        cmocka_unit_test(elements_of_an_array_share_one_schema),
        cmocka_unit_test(string_has_a_format_while_all_values_have_it),
        cmocka_unit_test(names_stand_in_the_order_first_seen_however_they_are_escaped),
        cmocka_unit_test(schema_of_no_record_has_no_type),
        cmocka_unit_test(level_with_too_many_names_takes_any),
        cmocka_unit_test(schema_of_maps_in_a_map_stays_small),
        cmocka_unit_test(name_that_is_too_long_is_not_kept),
        cmocka_unit_test(deep_record_is_followed_32_levels),
        cmocka_unit_test(known_shape_takes_no_memory),
        cmocka_unit_test(record_that_does_not_fit_is_told_with_its_path),
        cmocka_unit_test(long_name_in_a_misfit_is_cut),
        cmocka_unit_test(compare_tells_new_fields_and_new_types),
        cmocka_unit_test(hand_written_schema_is_read),
        cmocka_unit_test(text_that_is_no_schema_is_refused_with_its_place),
        cmocka_unit_test(schema_that_is_read_grows_as_the_one_that_was_written),
        cmocka_unit_test(schema_of_the_sample_files_is_as_recorded),
    };
    return cmocka_run_group_tests_name("json schema", tests, NULL, NULL);
}
