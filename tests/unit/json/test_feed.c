/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "json/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct source {
    struct lt_slice left;
    size_t step; /* bytes a read gives at most */
    bool fails;  /* at the end */
};

static leat_status give(void *ctx, char *to, size_t room, size_t *n, struct leat_error *err) {
    struct source *s = ctx;

    *n = s->left.len < s->step ? s->left.len : s->step;
    if (*n == 0 && s->fails)
        return lt_fail(err, LEAT_E_IO, 0, "the source broke");
    if (*n > room)
        *n = room;
    memcpy(to, s->left.data, *n);
    s->left = lt_slice_from(s->left, *n);
    return LEAT_OK;
}

/* All values of `text`, one a line, read in steps; then the error's text, if any. */
static void read_all(const char *text, size_t step, size_t max, struct lt_buf *out) {
    struct source source = {lt_slice_str(text), step, false};
    struct lt_json_tape tape = {0};
    struct lt_json_feed feed;
    struct leat_error err;
    bool more = true;
    leat_status status = LEAT_OK;

    lt_buf_clear(out);
    lt_json_feed_init(&feed, give, &source, max);
    while (status == LEAT_OK && more) {
        status = lt_json_feed_next(&feed, &tape, &more, &err);
        if (status == LEAT_OK && more) {
            lt_buf_append(out, lt_json_tape_value(&tape, 0).raw);
            lt_buf_append_byte(out, '|');
        }
    }
    if (status != LEAT_OK)
        lt_buf_append_str(out, err.text);
    lt_json_feed_deinit(&feed);
    lt_json_tape_deinit(&tape);
}

static const struct {
    const char *text, *values;
} cases[] = {
    {"", ""},
    {" \n\t\r\n", ""},
    {"1", "1|"},
    {"1\n2\n3", "1|2|3|"},
    {"1 2\n\n\n3 ", "1|2|3|"},
    {"{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}|{\"a\":2}|"},
    {"{\"a\":1}{\"a\":2}[3]\"x\"\"y\"4", "{\"a\":1}|{\"a\":2}|[3]|\"x\"|\"y\"|4|"},
    {"{\n \"a\": [1,\n2]\n}\n[\n]\n1", "{\n \"a\": [1,\n2]\n}|[\n]|1|"},
    {"\"a\\\"b\\\\\" \"}{\" [\"]\"]", "\"a\\\"b\\\\\"|\"}{\"|[\"]\"]|"},
    {"true false null", "true|false|null|"},
    {"truefalse", "line 1: not JSON: byte 4: expected nothing after the value, found 'f'"},
    {"1\n2\n[1,]\n", "1|2|line 3: not JSON: byte 3: expected a value, found ']'"},
    {"1\n{\"a\":\n\n", "1|line 2: not JSON: byte 7: expected a value, found the end of the text"},
    {"\"abc",
     "line 1: not JSON: byte 4: expected '\"' to end the string, found the end of the text"},
    {"]", "line 1: not JSON: byte 0: expected a value, found ']'"},
    {"1,2", "1|line 1: not JSON: byte 0: expected a value, found ','"},
    {"[}", "line 1: not JSON: byte 1: expected a value, found '}'"},
};

static void feed_gives_the_same_values_however_the_bytes_come(void **state) {
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t step = 1; step < 20; step++) {
            read_all(cases[i].text, step, 1 << 20, &out);
            assert_string_equal(lt_buf_cstr(&out) ? out.data : "", cases[i].values);
        }
    }
    lt_buf_deinit(&out);
}

static void feed_finds_values_that_never_come_in_lines(void **state) {
    struct lt_buf text, out;
    size_t n = 0;

    (void)state;
    lt_buf_init(&text, 8 << 20);
    lt_buf_init(&out, 8 << 20);
    for (int i = 0; i < 50000; i++)
        lt_buf_printf(&text, "{\n\"n\":%d}[%d]", i, i);
    read_all(lt_buf_cstr(&text), 100000, 1000, &out);
    for (size_t i = 0; i < out.len; i++)
        n += out.data[i] == '|';
    assert_int_equal(n, 100000);
    lt_buf_deinit(&text);
    lt_buf_deinit(&out);
}

static void feed_refuses_a_value_over_its_limit_and_takes_the_ones_before(void **state) {
    struct lt_buf text, out;

    (void)state;
    lt_buf_init(&text, 8 << 20);
    lt_buf_init(&out, 8 << 20);
    lt_buf_append_str(&text, "1\n[");
    for (int i = 0; i < 500000; i++)
        lt_buf_append_str(&text, "1,");
    lt_buf_append_str(&text, "1]\n2\n");
    read_all(lt_buf_cstr(&text), 65536, 10000, &out);
    assert_string_equal(lt_buf_cstr(&out), "1|line 2: a value is longer than 10000 bytes");
    lt_buf_deinit(&text);
    lt_buf_deinit(&out);
}

static void feed_gives_lines_as_they_are(void **state) {
    struct source source = {LT_LIT("a\n\n\xff b\r\nlast"), 2, false};
    const char *const lines[] = {"a", "", "\xff b\r", "last"};
    struct lt_json_feed feed;
    struct lt_slice line;
    struct leat_error err;
    bool more;

    (void)state;
    lt_json_feed_init(&feed, give, &source, 100);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(lt_json_feed_line(&feed, &line, &more, &err), LEAT_OK);
        assert_true(more);
        assert_true(lt_slice_eq_str(line, lines[i]));
    }
    assert_int_equal(lt_json_feed_line(&feed, &line, &more, &err), LEAT_OK);
    assert_false(more);
    lt_json_feed_deinit(&feed);
}

static void feed_passes_an_error_of_its_source_on(void **state) {
    struct source source = {LT_LIT("1\n[2"), 100, true};
    struct lt_json_tape tape = {0};
    struct lt_json_feed feed;
    struct leat_error err;
    bool more;

    (void)state;
    lt_json_feed_init(&feed, give, &source, 100);
    assert_int_equal(lt_json_feed_next(&feed, &tape, &more, &err), LEAT_OK);
    assert_int_equal(lt_json_feed_next(&feed, &tape, &more, &err), LEAT_E_IO);
    assert_string_equal(err.text, "the source broke");
    lt_json_feed_deinit(&feed);
    lt_json_tape_deinit(&tape);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_gives_the_same_values_however_the_bytes_come),
        cmocka_unit_test(feed_finds_values_that_never_come_in_lines),
        cmocka_unit_test(feed_refuses_a_value_over_its_limit_and_takes_the_ones_before),
        cmocka_unit_test(feed_gives_lines_as_they_are),
        cmocka_unit_test(feed_passes_an_error_of_its_source_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
