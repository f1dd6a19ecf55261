/* SPDX-License-Identifier: Apache-2.0 */
/* YAML files as trees: places, the traps of the format, and what no well-meant file holds. */
#include "pipeline/yaml.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct parsed {
    struct lt_arena arena;
    struct lt_yaml_source source;
    struct lt_yaml_node *root;
    struct leat_error err;
    leat_status status;
    unsigned n_problems;
    unsigned line, column; /* of the last problem */
    char text[256];
};

static void take_problem(void *ctx, size_t offset, const char *text) {
    struct parsed *p = ctx;
    p->n_problems++;
    lt_yaml_place(&p->source, offset, &p->line, &p->column);
    snprintf(p->text, sizeof(p->text), "%s", text);
}

static void parse(struct parsed *p, const char *text, size_t len) {
    *p = (struct parsed){0};
    lt_arena_init(&p->arena, 64 << 20);
    p->status = lt_yaml_parse(&p->source, &p->root, lt_slice(text, len), &p->arena, take_problem, p,
                              &p->err);
}

static void parse_str(struct parsed *p, const char *text) {
    parse(p, text, strlen(text));
}

/* The value at a path of keys, ended by NULL. */
static const struct lt_yaml_node *at(const struct parsed *p, const char *const *path) {
    const struct lt_yaml_node *node = p->root;
    for (; *path && node; path++)
        node = lt_yaml_get(node, *path);
    assert_non_null(node);
    return node;
}
#define AT(p, ...) at(p, (const char *const[]){__VA_ARGS__, NULL})

static void assert_place(const struct parsed *p, const struct lt_yaml_node *node, unsigned line,
                         unsigned column) {
    unsigned l, c;
    lt_yaml_place(&p->source, node->offset, &l, &c);
    assert_int_equal(l, line);
    assert_int_equal(c, column);
}

static void assert_fails(const char *text, size_t len, unsigned line, unsigned column,
                         const char *part) {
    struct parsed p;
    parse(&p, text, len);
    assert_int_equal(p.status, LEAT_E_CONFIG);
    assert_null(p.root);
    if (!strstr(p.err.text, part) || p.err.line != line || p.err.column != column)
        fail_msg("'%.60s': %u:%u: %s", text, p.err.line, p.err.column, p.err.text);
    lt_arena_deinit(&p.arena);
}
#define ASSERT_FAILS(text, line, column, part)                                                     \
    assert_fails(text, sizeof(text) - 1, line, column, part)

static void values_know_their_line_and_column(void **state) {
    struct parsed p;
    (void)state;
    parse_str(&p, "a: \xc3\xa9\n"
                  "b\xc3\xa9: {x: \"q\", y: [1, 'two']}\n"
                  "c:\n"
                  "  d: word\n"
                  "  e:\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_place(&p, p.root, 1, 1);
    assert_place(&p, AT(&p, "a"), 1, 4);
    const struct lt_yaml_node *flow = AT(&p, "b\xc3\xa9");
    assert_place(&p, flow, 2, 5);
    assert_place(&p, lt_yaml_get(flow, "x"), 2, 9);
    assert_place(&p, lt_yaml_get(flow, "y"), 2, 17);
    assert_place(&p, lt_yaml_get(flow, "y")->items[1], 2, 21);
    assert_place(&p, AT(&p, "c", "d"), 4, 6);
    assert_true(AT(&p, "c", "e")->absent);
    assert_place(&p, AT(&p, "c", "e"), 5, 3); /* that of its key */
    lt_arena_deinit(&p.arena);
}

static void styles_are_told_apart(void **state) {
    struct parsed p;
    (void)state;
    parse_str(&p, "a: no\nb: 'no'\nc: \"no\"\nd: |\n  no\ne: >-\n  no\n  way\nf: !!str 12\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_int_equal(AT(&p, "a")->style, LT_YAML_PLAIN);
    assert_int_equal(AT(&p, "b")->style, LT_YAML_SINGLE_QUOTED);
    assert_int_equal(AT(&p, "c")->style, LT_YAML_DOUBLE_QUOTED);
    assert_int_equal(AT(&p, "d")->style, LT_YAML_LITERAL);
    assert_string_equal(AT(&p, "d")->text.data, "no\n");
    assert_int_equal(AT(&p, "e")->style, LT_YAML_FOLDED);
    assert_string_equal(AT(&p, "e")->text.data, "no way");
    assert_true(lt_slice_eq_str(AT(&p, "f")->tag, "tag:yaml.org,2002:str"));
    lt_arena_deinit(&p.arena);
}

/* Where the mark '^' of the value stands in the file. */
static void assert_maps(const char *file, const char *value, unsigned line, unsigned column) {
    struct parsed p;
    unsigned l, c;

    parse_str(&p, file);
    assert_int_equal(p.status, LEAT_OK);
    const struct lt_yaml_node *node = AT(&p, "k");
    const char *mark = strchr(node->text.data, '^');
    assert_non_null(mark);
    if (value)
        assert_string_equal(node->text.data, value);
    lt_yaml_place(&p.source,
                  lt_yaml_source_offset(&p.source, node, (size_t)(mark - node->text.data)), &l, &c);
    if (l != line || c != column)
        fail_msg("in '%s': at %u:%u, expected %u:%u", file, l, c, line, column);
    lt_arena_deinit(&p.arena);
}

static void a_place_inside_a_value_is_found_in_the_file(void **state) {
    (void)state;
    assert_maps("k: a + ^b\n", "a + ^b", 1, 8);
    assert_maps("k: 'a ''x'' ^'\n", "a 'x' ^", 1, 13);
    assert_maps("k: \"a \\\"x\\\" \\u00e9 \\x41 ^\"\n", NULL, 1, 25);
    assert_maps("k: |\n  one\n    two\n  ^three\n", "one\n  two\n^three\n", 4, 3);
    assert_maps("k: |\n  one\n    ^two\n", "one\n  ^two\n", 3, 5);
    assert_maps("k: |2\n    ^one\n", "  ^one\n", 2, 5);
    assert_maps("k: |-\n\n  one\n\n  a ^b\n", "\none\n\na ^b", 5, 5);
    assert_maps("k: >\n  one\n  two ^x\n", "one two ^x\n", 3, 7);
    assert_maps("k: >\n  one\n\n  two ^x\n", "one\ntwo ^x\n", 4, 7);
    assert_maps("k: one\n  two\n   three ^x\n", "one two three ^x", 3, 10);
    assert_maps("k: 'one\n\n   two ^x'\n", "one\ntwo ^x", 3, 8);
    assert_maps("k: \"one\n   two \\\n   ^x\"\n", "one two ^x", 3, 4);
    assert_maps("{k: \"\xc3\xa9\xc3\xa9 ^x\"}\n", NULL, 1, 9);
    assert_maps("k: |\r\n  one\r\n  t^wo\r\n", "one\nt^wo\n", 3, 4);
}

static void a_byte_order_mark_and_crlf_change_no_place(void **state) {
    struct parsed p;
    (void)state;
    parse_str(&p, "\xef\xbb\xbf"
                  "a: 1\r\nb: 2\r\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_place(&p, AT(&p, "a"), 1, 4);
    assert_place(&p, AT(&p, "b"), 2, 4);
    assert_string_equal(AT(&p, "b")->text.data, "2");
    assert_true(lt_slice_eq_str(lt_yaml_line(&p.source, 1), "a: 1"));
    assert_int_equal(lt_yaml_line(&p.source, 9).len, 0);
    lt_arena_deinit(&p.arena);
}

static void an_empty_file_has_no_root(void **state) {
    static const char *const files[] = {"", "\n\n", "# only a comment\n", "\xef\xbb\xbf"};
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct parsed p;
        parse_str(&p, files[i]);
        assert_int_equal(p.status, LEAT_OK);
        assert_null(p.root);
        lt_arena_deinit(&p.arena);
    }
}

static void what_is_no_yaml_is_told_with_its_place(void **state) {
    (void)state;
    ASSERT_FAILS("\ta: b\n", 1, 1, "tab");
    ASSERT_FAILS("a: b: c\n", 1, 5, "nested");
    ASSERT_FAILS("a: @x\n", 1, 4, "'@'");
    ASSERT_FAILS("a: [1, 2\n", 2, 1, "'[' at line 1, column 4 is open");
    ASSERT_FAILS("a: {b: {c: 1}\nd: 2\n", 2, 1, "'{' at line 1, column 4 is open");
    ASSERT_FAILS("a: \"x\n", 1, 5, "closing quote");
    ASSERT_FAILS("- a\nb: c\n", 2, 1, "block sequence");
}

static void bytes_that_are_no_text_are_refused(void **state) {
    (void)state;
    ASSERT_FAILS("a: \xff\n", 1, 4, "not UTF-8; expected");
    ASSERT_FAILS("a: 1\nb: \xc3", 2, 4, "not UTF-8");
    ASSERT_FAILS("a: \xed\xa0\x80\n", 1, 4, "not UTF-8"); /* a lone surrogate */
    ASSERT_FAILS("a: \xc0\xaf\n", 1, 4, "not UTF-8");     /* overlong */
    ASSERT_FAILS("a: \"b\0c\"\n", 1, 6, "NUL");
}

static void a_second_document_is_refused(void **state) {
    struct parsed p;
    (void)state;
    ASSERT_FAILS("a: 1\n---\nb: 2\n", 2, 1, "second document");
    parse_str(&p, "---\na: 1\n...\n");
    assert_int_equal(p.status, LEAT_OK);
    lt_arena_deinit(&p.arena);
}

static void a_file_over_4_mib_is_refused(void **state) {
    size_t len = LT_YAML_MAX_BYTES + 1;
    char *text = malloc(len);
    (void)state;
    assert_non_null(text);
    memset(text, '#', len);
    assert_fails(text, len, 0, 0, "at most 4194304");
    free(text);
}

static void repeated(struct lt_buf *out, const char *text, size_t n) {
    lt_buf_init(out, 4 << 20);
    for (size_t i = 0; i < n; i++)
        lt_buf_append_str(out, text);
}

static void too_many_values_are_refused(void **state) {
    struct lt_buf text;
    struct parsed p;
    (void)state;
    repeated(&text, "- a\n", LT_YAML_MAX_NODES + 1);
    parse(&p, text.data, text.len);
    assert_int_equal(p.status, LEAT_E_CONFIG);
    assert_non_null(strstr(p.err.text, "too many values"));
    lt_arena_deinit(&p.arena);
    lt_buf_deinit(&text);
}

static void too_many_anchors_or_blank_lines_are_refused(void **state) {
    struct lt_buf text;
    struct parsed p;
    (void)state;
    repeated(&text, "- &a x\n", LT_YAML_MAX_ANCHORS + 1);
    assert_fails(text.data, text.len, LT_YAML_MAX_ANCHORS + 1, 6, "too many anchors");
    lt_buf_deinit(&text);
    repeated(&text, " \n", LT_YAML_MAX_BLANK_LINES + 1);
    assert_fails(text.data, text.len, LT_YAML_MAX_BLANK_LINES + 1, 1, "blank lines");
    lt_buf_deinit(&text);
    repeated(&text, " \n", LT_YAML_MAX_BLANK_LINES - 1);
    parse(&p, text.data, text.len);
    assert_int_equal(p.status, LEAT_OK);
    lt_arena_deinit(&p.arena);
    lt_buf_deinit(&text);
}

static void deep_nesting_is_refused(void **state) {
    static const char *const opens[] = {"[", "{a: ", "- "};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 61; n < 100000; n *= 10) {
            struct lt_buf text;
            struct parsed p;
            repeated(&text, opens[i], n);
            parse(&p, text.data, text.len);
            assert_int_equal(p.status, LEAT_E_CONFIG);
            lt_arena_deinit(&p.arena);
            lt_buf_deinit(&text);
        }
}

static void an_alias_is_the_same_value(void **state) {
    struct parsed p;
    (void)state;
    parse_str(&p, "a: &x {n: 1}\nb: *x\nc: &x 2\nd: *x\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_ptr_equal(AT(&p, "a"), AT(&p, "b"));
    assert_string_equal(AT(&p, "d")->text.data, "2");
    lt_arena_deinit(&p.arena);
}

static void an_alias_bomb_costs_no_more_than_its_text(void **state) {
    struct lt_buf text;
    struct parsed p;
    (void)state;
    lt_buf_init(&text, 1 << 20);
    lt_buf_append_str(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < 50; i++)
        lt_buf_printf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1,
                      i - 1, i - 1);
    parse(&p, text.data, text.len);
    assert_int_equal(p.status, LEAT_OK);
    assert_true(p.arena.used < 1 << 20);
    lt_arena_deinit(&p.arena);
    lt_buf_deinit(&text);
}

static void an_alias_must_name_something_finished(void **state) {
    (void)state;
    ASSERT_FAILS("a: *nope\n", 1, 4, "no anchor '&nope'");
    ASSERT_FAILS("a: &a [1, *a]\n", 1, 11, "inside the value");
}

static void merge_keys_give_what_is_not_there(void **state) {
    struct parsed p;
    (void)state;
    parse_str(&p, "x: &x {a: 1, b: 2}\n"
                  "y: &y {b: 3, c: 4}\n"
                  "k: {<<: [*x, *y], a: own}\n"
                  "q: {\"<<\": text}\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_int_equal(p.n_problems, 0);
    assert_int_equal(AT(&p, "k")->n, 3);
    assert_string_equal(AT(&p, "k", "a")->text.data, "own");
    assert_string_equal(AT(&p, "k", "b")->text.data, "2");
    assert_string_equal(AT(&p, "k", "c")->text.data, "4");
    assert_string_equal(AT(&p, "q", "<<")->text.data, "text");
    lt_arena_deinit(&p.arena);
    parse_str(&p, "k:\n  <<: 7\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_int_equal(p.n_problems, 1);
    assert_int_equal(p.line, 2);
    lt_arena_deinit(&p.arena);
}

static void merges_of_merges_stay_bounded(void **state) {
    struct lt_buf text;
    struct parsed p;
    (void)state;
    lt_buf_init(&text, 4 << 20);
    lt_buf_append_str(&text, "m0: &m0 {k0: 1}\n");
    for (int i = 1; i < 2000; i++)
        lt_buf_printf(&text, "m%d: &m%d {<<: *m%d, k%d: 1}\n", i, i, i - 1, i);
    parse(&p, text.data, text.len);
    assert_int_equal(p.status, LEAT_E_CONFIG);
    assert_non_null(strstr(p.err.text, "too many values"));
    lt_arena_deinit(&p.arena);
    lt_buf_deinit(&text);
}

static void a_key_twice_is_told_and_the_first_stays(void **state) {
    struct parsed p;
    (void)state;
    parse_str(&p, "a: 1\nb: 2\na: 3\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_int_equal(p.n_problems, 1);
    assert_int_equal(p.line, 3);
    assert_int_equal(p.column, 1);
    assert_string_equal(p.text, "key 'a' stands here again; it is at line 1");
    assert_string_equal(AT(&p, "a")->text.data, "1");
    lt_arena_deinit(&p.arena);
}

static void a_key_must_be_a_word(void **state) {
    struct parsed p;
    (void)state;
    parse_str(&p, "? [a]\n: b\nc: d\n");
    assert_int_equal(p.status, LEAT_OK);
    assert_int_equal(p.n_problems, 1);
    assert_int_equal(p.root->n, 1);
    lt_arena_deinit(&p.arena);
}

/* Every prefix of a file, and every file with one byte changed, gets an answer. */
static void damaged_files_get_an_answer(void **state) {
    static const char file[] = "s: &a {x: \"q\\u00e9\", y: 'it''s'}\n"
                               "t: |\n  one\n   two\nu: >-\n  a\n\n  b\n"
                               "v: [*a, {<<: *a, z: !!str 1}]\nw: ~ # end\n";
    static const char bytes[] = "\t\n \"'[]{}:,&*|>!%@`#-?\\\xff\xc3";
    char copy[sizeof(file)];
    (void)state;
    for (size_t len = 0; len < sizeof(file); len++) {
        struct parsed p;
        parse(&p, file, len);
        assert_true(p.status == LEAT_OK || p.status == LEAT_E_CONFIG);
        lt_arena_deinit(&p.arena);
    }
    for (size_t i = 0; i + 1 < sizeof(file); i++)
        for (size_t k = 0; k + 1 < sizeof(bytes); k++) {
            struct parsed p;
            memcpy(copy, file, sizeof(file));
            copy[i] = bytes[k];
            parse(&p, copy, sizeof(file) - 1);
            assert_true(p.status == LEAT_OK || p.status == LEAT_E_CONFIG);
            if (p.status != LEAT_OK)
                assert_true(p.err.line >= 1 && p.err.column >= 1);
            lt_arena_deinit(&p.arena);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_know_their_line_and_column),
        cmocka_unit_test(styles_are_told_apart),
        cmocka_unit_test(a_place_inside_a_value_is_found_in_the_file),
        cmocka_unit_test(a_byte_order_mark_and_crlf_change_no_place),
        cmocka_unit_test(an_empty_file_has_no_root),
        cmocka_unit_test(what_is_no_yaml_is_told_with_its_place),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_second_document_is_refused),
        cmocka_unit_test(a_file_over_4_mib_is_refused),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(too_many_anchors_or_blank_lines_are_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(an_alias_is_the_same_value),
        cmocka_unit_test(an_alias_bomb_costs_no_more_than_its_text),
        cmocka_unit_test(an_alias_must_name_something_finished),
        cmocka_unit_test(merge_keys_give_what_is_not_there),
        cmocka_unit_test(merges_of_merges_stay_bounded),
        cmocka_unit_test(a_key_twice_is_told_and_the_first_stays),
        cmocka_unit_test(a_key_must_be_a_word),
        cmocka_unit_test(damaged_files_get_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
