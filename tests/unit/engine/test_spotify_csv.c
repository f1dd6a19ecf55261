/* SPDX-License-Identifier: Apache-2.0 */
/* The sample's reader of comma-separated values: what RFC 4180 says, and where it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "engine/spotify/csv.h"

enum { ROOM = 4 };

/* All records as "a|b;c|d;", or "LINE: what is wrong". */
static const char *read_all(struct lt_slice text) {
    static char out[512];
    struct lt_slice fields[ROOM];
    struct lt_arena arena;
    struct leat_error err;
    struct lt_csv csv;
    struct lt_buf buf;
    size_t n;
    leat_status status;

    lt_arena_init(&arena, 1 << 20);
    lt_buf_init(&buf, sizeof(out));
    lt_csv_init(&csv, text, &arena);
    while ((status = lt_csv_next(&csv, fields, ROOM, &n, &err)) == LEAT_OK && n > 0) {
        for (size_t i = 0; i < n; i++) {
            lt_buf_append(&buf, fields[i]);
            lt_buf_append_byte(&buf, i + 1 < n ? '|' : ';');
        }
    }
    if (status != LEAT_OK) {
        lt_buf_clear(&buf);
        lt_buf_printf(&buf, "%u: %s", err.line, err.text);
        assert_int_equal(status, LEAT_E_PARSE);
        assert_int_equal(lt_csv_next(&csv, fields, ROOM, &n, &err), LEAT_OK);
        assert_int_equal(n, 0); /* after an error comes the end */
    }
    snprintf(out, sizeof(out), "%.*s", LT_FMT(lt_buf_slice(&buf)));
    lt_buf_deinit(&buf);
    lt_arena_deinit(&arena);
    return out;
}

static const char *read_text(const char *text) {
    return read_all(lt_slice_str(text));
}

static void records_end_with_lf_or_crlf_or_the_text(void **state) {
    (void)state;
    assert_string_equal(read_text("a,b\nc,d\n"), "a|b;c|d;");
    assert_string_equal(read_text("a,b\r\nc,d\r\n"), "a|b;c|d;");
    assert_string_equal(read_text("a,b\nc,d"), "a|b;c|d;");
    assert_string_equal(read_text("a,b\r\nc,d\r"), "a|b;c|d;");
}

static void empty_fields_are_fields(void **state) {
    (void)state;
    assert_string_equal(read_text(",\n"), "|;");
    assert_string_equal(read_text("a,\n,b\n"), "a|;|b;");
    assert_string_equal(read_text("a,"), "a|;");
    assert_string_equal(read_text("\"\"\n"), ";");
    assert_string_equal(read_text("\"\",\"\""), "|;");
}

static void empty_lines_and_a_byte_order_mark_are_passed_over(void **state) {
    (void)state;
    assert_string_equal(read_text(""), "");
    assert_string_equal(read_text("\n\r\n\n"), "");
    assert_string_equal(read_text("\xef\xbb\xbf"), "");
    assert_string_equal(read_text("\xef\xbb\xbf\na\n\nb\n\n"), "a;b;");
    assert_string_equal(read_all((struct lt_slice){NULL, 0}), "");
}

static void quotes_hold_commas_line_ends_and_quotes(void **state) {
    (void)state;
    assert_string_equal(read_text("\"a,b\",c\n"), "a,b|c;");
    assert_string_equal(read_text("\"a\r\nb\",c"), "a\r\nb|c;");
    assert_string_equal(read_text("\"a \"\"b\"\" c\""), "a \"b\" c;");
    assert_string_equal(read_text("\"\"\"\",\"\"\"\"\"\""), "\"|\"\";");
    assert_string_equal(read_text("\"a\nb\nc\"\n\"d"), "4: nothing closes the quote that begins on "
                                                       "this line");
}

static void spaces_belong_to_the_fields(void **state) {
    (void)state;
    assert_string_equal(read_text(" a , b\n"), " a | b;");
}

static void a_field_may_hold_any_byte(void **state) {
    (void)state;
    assert_string_equal(read_all(lt_slice("a\xff\xfe,b", 5)), "a\xff\xfe|b;");
    struct lt_slice fields[ROOM];
    struct lt_arena arena;
    struct leat_error err;
    struct lt_csv csv;
    size_t n;
    lt_arena_init(&arena, 1 << 20);
    lt_csv_init(&csv, lt_slice("a\0b,\"\0\"\"\"", 9), &arena);
    assert_int_equal(lt_csv_next(&csv, fields, ROOM, &n, &err), LEAT_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(fields[0].data, "a\0b", 3);
    assert_int_equal(fields[1].len, 2);
    assert_memory_equal(fields[1].data, "\0\"", 2);
    lt_arena_deinit(&arena);
}

static void what_is_malformed_is_refused_with_its_line(void **state) {
    (void)state;
    assert_string_equal(read_text("a\nb\"c\n"),
                        "2: a quote inside a field without quotes: the whole field belongs into "
                        "quotes, and this one is doubled");
    assert_string_equal(read_text("a\n\n\"b\nc\"d\n"), "4: text behind a closing quote");
    assert_string_equal(read_text("\"b\" ,c\n"), "1: text behind a closing quote");
    assert_string_equal(read_text("a\n\"b\n\n"),
                        "2: nothing closes the quote that begins on this line");
    assert_string_equal(read_text("a\rb\n"), "1: a carriage return that ends no line");
    assert_string_equal(read_text("\"a\"\rb\n"), "1: a carriage return that ends no line");
    assert_string_equal(read_text("\"a\"\"\n"),
                        "1: nothing closes the quote that begins on this line");
}

static void more_fields_than_there_is_room_for_are_an_error(void **state) {
    (void)state;
    assert_string_equal(read_text("a,b,c,d\n"), "a|b|c|d;");
    assert_string_equal(read_text("1\na,b,c,d,e\n"), "2: the record has too many fields");
    assert_string_equal(read_text("1\na,b,c,d,"), "2: the record has too many fields");
}

static void the_line_of_a_record_is_where_it_begins(void **state) {
    struct lt_slice fields[ROOM];
    struct lt_arena arena;
    struct leat_error err;
    struct lt_csv csv;
    size_t n;
    static const unsigned lines[] = {1, 2, 5, 7};

    (void)state;
    lt_arena_init(&arena, 1 << 20);
    lt_csv_init(&csv, LT_LIT("a\n\"b\n\nc\"\nd\n\ne"), &arena);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(lt_csv_next(&csv, fields, ROOM, &n, &err), LEAT_OK);
        assert_int_equal(n, 1);
        assert_int_equal(csv.record_line, lines[i]);
    }
    lt_arena_deinit(&arena);
}

static void fields_without_doubled_quotes_are_views_of_the_text(void **state) {
    static const char text[] = "abc,\"de,f\"\n";
    struct lt_slice fields[ROOM];
    struct lt_arena arena;
    struct leat_error err;
    struct lt_csv csv;
    size_t n;

    (void)state;
    lt_arena_init(&arena, 0); /* nothing to copy into */
    lt_csv_init(&csv, lt_slice_str(text), &arena);
    assert_int_equal(lt_csv_next(&csv, fields, ROOM, &n, &err), LEAT_OK);
    assert_ptr_equal(fields[0].data, text);
    assert_ptr_equal(fields[1].data, text + 5);
    lt_csv_init(&csv, LT_LIT("\"a\"\"b\""), &arena);
    assert_int_equal(lt_csv_next(&csv, fields, ROOM, &n, &err), LEAT_E_NOMEM);
    lt_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_end_with_lf_or_crlf_or_the_text),
        cmocka_unit_test(empty_fields_are_fields),
        cmocka_unit_test(empty_lines_and_a_byte_order_mark_are_passed_over),
        cmocka_unit_test(quotes_hold_commas_line_ends_and_quotes),
        cmocka_unit_test(spaces_belong_to_the_fields),
        cmocka_unit_test(a_field_may_hold_any_byte),
        cmocka_unit_test(what_is_malformed_is_refused_with_its_line),
        cmocka_unit_test(more_fields_than_there_is_room_for_are_an_error),
        cmocka_unit_test(the_line_of_a_record_is_where_it_begins),
        cmocka_unit_test(fields_without_doubled_quotes_are_views_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
