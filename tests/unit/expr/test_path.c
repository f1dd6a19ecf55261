/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain paths against libjq: many paths and documents from a seed, and what the
 * walker gives must be what jq gives, errors with their texts too.
 */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>

#include "expr/path.h"

/* libjq 1.6 loses some bytes where an error leaves an iteration over an object. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libjq.so\n";
}

static bool is_path(const char *text) {
    struct lt_expr_path path;
    struct lt_arena arena;
    bool is = false;

    lt_arena_init(&arena, 1 << 24);
    assert_int_equal(lt_expr_path_parse(&path, &is, lt_slice_str(text), &arena, NULL), LEAT_OK);
    lt_arena_deinit(&arena);
    return is;
}

static void path_parser_leaves_to_jq_what_is_no_plain_path(void **state) {
    static const char *const texts[] = {
        "",
        " ",
        "..",
        ".?",
        ".a??",
        ".a?//1",
        ".a.",
        ".a..b",
        ".[0:1]",
        ".[1.5]",
        ".[1e1]",
        ".[- 1]",
        ".[\"a\"",
        ".\"a",
        ".a | .b",
        ".a, .b",
        "a",
        ".1",
        ".a.[0]",
        ".a b",
        ".[\"\\(1)\"]",
        ".a #x",
        ".$x",
        ".[$x]",
        ".[.a]",
        ".a!",
        ".[\"a\"]b",
        ".\"\\x\"",
        ".\"\t\"",
        ".\"\\ud800\"",
        ".[1234567890]",
        ".[",
        ".[]]",
        ".a::b",
        ".a.1",
        ".a. b",
        ". a",
        ".[+1]",
        ".\"a\"\"b\"",
        "..a",
        ".a?b",
        ".\r[0]",
        "1",
        "\"a\"",
        ".[\"a\",1]",
        ".\"\xff\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (is_path(texts[i]))
            fail_msg("%s is taken as a path", texts[i]);
    assert_false(is_path(NULL));
}

static void path_parser_takes_what_jq_allows_in_it(void **state) {
    static const char *const texts[] = {
        ".",
        " . ",
        ".a",
        ".a.b",
        ".a .b",
        ".a\n.b",
        ". .a",
        ".[]",
        ".[ ]",
        ".[][]",
        ". [0]",
        ".[0]",
        ".[ -1 ]",
        ".[007]",
        ".a?",
        ".a ?",
        ".a?.b?",
        ".[]?",
        ".\"a b\"",
        ". \"a b\"",
        ".\"\"",
        ".and",
        "._0.__loc__",
        ".[\"a\"]",
        ".[ \"a\\nb\" ]",
        ".a[\"b\"][0][]",
        ".a.\"b\"",
        ".a . \"b\"",
        ".\"\\ud83d\\ude00\"",
        ".\"\xc3\xa9\"",
        ".[999999999]",
        ".\"a\"?.b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!is_path(texts[i]))
            fail_msg("%s is not taken as a path", texts[i]);
}

static void path_of_64_KiB_is_walked_and_a_longer_one_left_to_jq(void **state) {
    static char text[70000];
    struct lt_expr_views views = {0};
    struct lt_expr_path path;
    struct lt_arena arena;
    struct lt_json doc;
    bool is;

    (void)state;
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i < 65536; i += 2)
        memcpy(text + i, ".a", 2);
    lt_arena_init(&arena, 1 << 24);
    assert_int_equal(lt_expr_path_parse(&path, &is, lt_slice_str(text), &arena, NULL), LEAT_OK);
    assert_true(is);
    assert_int_equal(lt_json_parse(&doc, LT_LIT("{\"a\":{\"a\":null}}"), 9, NULL), LEAT_OK);
    assert_int_equal(lt_expr_path_walk(&path, doc, &views, NULL), LEAT_OK);
    assert_int_equal(views.n, 1);
    assert_int_equal(views.items[0].type, LT_JSON_NULL);
    memcpy(text + 65536, ".a", 2);
    assert_false(is_path(text));
    free(views.items);
    lt_arena_deinit(&arena);
}

static void path_over_an_object_with_many_repeated_names_resolves_them_in_order(void **state) {
    enum { N = 20000, NAMES = 7000 };
    struct lt_expr_views views = {0};
    struct lt_expr_path path;
    struct lt_arena arena;
    struct lt_json doc;
    struct lt_buf text;
    bool is;

    (void)state;
    lt_buf_init(&text, 1 << 24);
    for (int i = 0; i < N; i++) /* the name's first letter is escaped in every third */
        lt_buf_printf(&text, "%c\"%s%d\":%d", i ? ',' : '{', i % 3 ? "k" : "\\u006b", i % NAMES, i);
    lt_buf_append_byte(&text, '}');
    lt_arena_init(&arena, 1 << 16);
    assert_int_equal(lt_json_parse(&doc, lt_buf_slice(&text), 9, NULL), LEAT_OK);
    assert_int_equal(lt_expr_path_parse(&path, &is, LT_LIT(".[]"), &arena, NULL), LEAT_OK);
    assert_int_equal(lt_expr_path_walk(&path, doc, &views, NULL), LEAT_OK);
    assert_int_equal(views.n, NAMES);
    for (int i = 0; i < NAMES; i++) {
        int64_t value;
        assert_true(lt_json_int64(views.items[i], &value));
        assert_int_equal(value, i + (i + 2 * NAMES < N ? 2 : 1) * NAMES);
    }
    free(views.items);
    lt_buf_deinit(&text);
    lt_arena_deinit(&arena);
}

/* ---- the differential test ---- */

enum { PATHS = 250, DOCS = 300, ROUNDS = 3, MAX_PATH = 200 };

static uint64_t seed;

static unsigned draw(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

#define PICK(list) list[draw(sizeof(list) / sizeof(list[0]))]

/* Few names, some written in several ways, so that paths often meet something. */
static const char *const json_names[] = {"\"a\"",       "\"a\"",     "\"b\"",      "\"c\"",
                                         "\"\\u0061\"", "\"x y\"",   "\"\"",       "\"\xc3\xa9\"",
                                         "\"\\u00e9\"", "\"a\\nb\"", "\"\\u0000\""};

static void write_value(struct lt_buf *out, unsigned depth) {
    static const char *const scalars[] = {
        "null",
        "true",
        "false",
        "0",
        "-1.50",
        "1e2",
        "12345678901",
        "\"\"",
        "\"text\"",
        "\"a longer text\"",
        "\"\\\"\\u0001\\n/\"",
        "\"\\ud83d\\ude00\"",
    };
    unsigned kind = draw(depth ? 7 : 1);

    if (kind < 2) {
        lt_buf_append_str(out, PICK(scalars));
    } else if (kind < 4) {
        lt_buf_append_str(out, draw(2) ? "[" : "[ ");
        for (unsigned i = 0, n = draw(4); i < n; i++) {
            if (i)
                lt_buf_append_str(out, " ,");
            write_value(out, depth - 1);
        }
        lt_buf_append_byte(out, ']');
    } else {
        lt_buf_append_str(out, draw(2) ? "{" : "{\n");
        for (unsigned i = 0, n = draw(6); i < n; i++) {
            lt_buf_printf(out, "%s%s:", i ? ", " : "", PICK(json_names));
            write_value(out, depth - 1);
        }
        lt_buf_append_byte(out, '}');
    }
}

static void write_path(char out[MAX_PATH]) {
    static const char *const steps[] = {
        ".a",           ".b",
        ".c",           "[]",
        "[0]",          "[-1]",
        "[1]",          "[2]",
        "[-3]",         ".\"x y\"",
        "[\"a\"]",      ".\"\\u0061\"",
        ".\"\"",        "[\"\xc3\xa9\"]",
        ".\"a\\nb\"",   " [ \"b\" ]",
        ".\"\\u0000\"", "[ ]",
        " .a",          "[\"\\u00e9\"]",
    };
    size_t len = (size_t)snprintf(out, MAX_PATH, ".");

    for (unsigned i = 0, n = draw(5); i < n; i++) {
        const char *step = PICK(steps);
        bool bare = i == 0 && step[0] == '.';
        const char *mark = draw(4) ? "" : draw(2) ? "?" : " ?";
        len += (size_t)snprintf(out + len, MAX_PATH - len, "%s%s", step + bare, mark);
    }
}

static void put_result(const struct lt_expr_path *path, struct lt_json doc, struct lt_buf *out) {
    static const char prefix[] = "the expression failed: ";
    struct lt_expr_views views = {0};
    struct leat_error err;

    leat_status status = lt_expr_path_walk(path, doc, &views, &err);
    if (status == LEAT_OK) {
        lt_buf_append_byte(out, '[');
        for (size_t i = 0; i < views.n; i++) {
            if (i)
                lt_buf_append_byte(out, ',');
            lt_buf_append(out, views.items[i].raw);
        }
        lt_buf_append_byte(out, ']');
    } else {
        assert_int_equal(status, LEAT_E_INVALID);
        assert_int_equal(strncmp(err.text, prefix, sizeof(prefix) - 1), 0);
        lt_json_write_string(out, lt_slice_str(err.text + sizeof(prefix) - 1));
    }
    free(views.items);
}

struct round {
    struct lt_arena arena;
    char texts[PATHS][MAX_PATH];
    struct lt_expr_path paths[PATHS];
    struct lt_expr_filter *jq;   /* all paths, each as its array of outputs or its error */
    struct lt_expr_filter *same; /* prints as jq does */
    unsigned n_values, n_errors;
};

static struct lt_expr_filter *make_filter(struct lt_slice text) {
    struct lt_expr_filter *filter;
    struct leat_error err;

    if (lt_expr_filter_new(&filter, text, &err) != LEAT_OK)
        fail_msg("%s: %.*s", err.text, LT_FMT(text));
    return filter;
}

static void begin_round(struct round *r) {
    struct lt_buf program;
    bool is;

    lt_arena_init(&r->arena, 1 << 24);
    lt_buf_init(&program, 1 << 16);
    for (size_t i = 0; i < PATHS; i++) {
        write_path(r->texts[i]);
        assert_int_equal(
            lt_expr_path_parse(&r->paths[i], &is, lt_slice_str(r->texts[i]), &r->arena, NULL),
            LEAT_OK);
        if (!is)
            fail_msg("%s is not taken as a path", r->texts[i]);
        /* jq's message is text for people: a line */
        lt_buf_printf(&program, "%s(try [%s] catch gsub(\"[\\u0000-\\u001f]\"; \" \"))",
                      i ? "," : "[", r->texts[i]);
    }
    /* `_plus` is known to libjq alone: so both run through it */
    lt_buf_append_str(&program, ", if false then _plus(1; 1) else empty end]");
    r->jq = make_filter(lt_buf_slice(&program));
    r->same = make_filter(LT_LIT("if false then _plus(1; 1) else . end"));
    lt_buf_deinit(&program);
}

static void explain(struct round *r, struct lt_slice doc, struct lt_slice ours,
                    struct lt_slice theirs) {
    struct lt_json a, b, x, y;

    assert_int_equal(lt_json_parse(&a, ours, 300, NULL), LEAT_OK);
    assert_int_equal(lt_json_parse(&b, theirs, 300, NULL), LEAT_OK);
    struct lt_json_iter i = lt_json_iter(a), j = lt_json_iter(b);
    for (size_t at = 0; lt_json_next(&i, &x) && lt_json_next(&j, &y); at++)
        if (!lt_slice_eq(x.raw, y.raw))
            fail_msg("%s of %.*s gave %.*s, in jq %.*s", r->texts[at], LT_FMT(doc), LT_FMT(x.raw),
                     LT_FMT(y.raw));
}

static void compare_on_one_document(struct round *r) {
    struct lt_buf text, ours, theirs, printed;
    struct lt_json doc;

    lt_buf_init(&text, 1 << 22);
    lt_buf_init(&ours, 1 << 24);
    lt_buf_init(&theirs, 1 << 24);
    lt_buf_init(&printed, 1 << 24);
    write_value(&text, 4);
    assert_int_equal(lt_json_parse(&doc, lt_buf_slice(&text), 9, NULL), LEAT_OK);
    for (size_t i = 0; i < PATHS; i++) {
        lt_buf_append_byte(&ours, i ? ',' : '[');
        size_t start = ours.len;
        put_result(&r->paths[i], doc, &ours);
        *(ours.data[start] == '"' ? &r->n_errors : &r->n_values) += 1;
    }
    lt_buf_append_byte(&ours, ']');
    assert_int_equal(lt_expr_filter_run(r->same, lt_buf_slice(&ours), false, &printed, NULL, NULL),
                     LEAT_OK);
    assert_int_equal(lt_expr_filter_run(r->jq, lt_buf_slice(&text), false, &theirs, NULL, NULL),
                     LEAT_OK);
    if (!lt_slice_eq(lt_buf_slice(&printed), lt_buf_slice(&theirs)))
        explain(r, lt_buf_slice(&text), lt_buf_slice(&printed), lt_buf_slice(&theirs));
    assert_true(lt_slice_eq(lt_buf_slice(&printed), lt_buf_slice(&theirs)));
    lt_buf_deinit(&text);
    lt_buf_deinit(&ours);
    lt_buf_deinit(&theirs);
    lt_buf_deinit(&printed);
}

static void path_gives_what_jq_gives_over_many_paths_and_documents(void **state) {
    static struct round round;

    (void)state;
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        seed = n;
        memset(&round, 0, sizeof(round));
        begin_round(&round);
        for (int i = 0; i < DOCS; i++)
            compare_on_one_document(&round);
        assert_true(round.n_values > PATHS * DOCS / 5);
        assert_true(round.n_errors > PATHS * DOCS / 5);
        lt_expr_filter_free(round.jq);
        lt_expr_filter_free(round.same);
        lt_arena_deinit(&round.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_parser_leaves_to_jq_what_is_no_plain_path),
        cmocka_unit_test(path_parser_takes_what_jq_allows_in_it),
        cmocka_unit_test(path_of_64_KiB_is_walked_and_a_longer_one_left_to_jq),
        cmocka_unit_test(path_over_an_object_with_many_repeated_names_resolves_them_in_order),
        cmocka_unit_test(path_gives_what_jq_gives_over_many_paths_and_documents),
    };
    return cmocka_run_group_tests_name("expr path", tests, NULL, NULL);
}
