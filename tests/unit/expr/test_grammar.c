/* SPDX-License-Identifier: Apache-2.0 */
/* The parser takes what libjq 1.6 takes, and refuses what it refuses. */
#include "kit.h"

#include "expr/libjq.h"
#include "expr/tree.h"
#include "json/json.h"

#include <stdio.h>

/* libjq 1.6 loses memory over texts that it refuses. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libjq.so\n";
}

/* Calls `each` with every text of a file: a JSON string a line. */
static void each_text(const char *name, void (*each)(const char *text)) {
    struct lt_arena arena;
    struct lt_json json;
    char path[512], line[4096];
    size_t n = 0;

    snprintf(path, sizeof(path), "%s/%s", TEXTS_FOLDER, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    lt_arena_init(&arena, 1 << 20);
    for (; fgets(line, sizeof(line), file); n++) {
        assert_int_equal(lt_json_parse(&json, lt_slice_str(line), 2, NULL), LEAT_OK);
        char *text = lt_arena_str(&arena, lt_json_string(json, &arena));
        assert_non_null(text);
        each(text);
        lt_arena_reset(&arena);
    }
    assert_true(n > 300);
    lt_arena_deinit(&arena);
    fclose(file);
}

static void ignore(void *data, jv message) {
    (void)data;
    lt_jq.free(message);
}

static bool libjq_takes(const char *text) {
    jq_state *jq = lt_jq.init();

    assert_non_null(jq);
    lt_jq.set_error_cb(jq, ignore, NULL);
    bool takes = lt_jq.compile(jq, text) != 0;
    lt_jq.teardown(&jq);
    return takes;
}

static leat_status parse(const char *text, struct leat_error *err) {
    struct lt_expr_text source = {
        .name = LT_LIT("x"), .text = lt_slice_str(text), .line = 1, .column = 1};
    struct lt_tree_part part;
    struct lt_arena arena;

    lt_arena_init(&arena, 64 << 20);
    leat_status status = lt_tree_parse(&part, &source, NULL, 0, NULL, 0, &arena, err);
    if (status == LEAT_OK && !part.root)
        assert_non_null(part.why);
    lt_arena_deinit(&arena);
    return status;
}

static void must_be_taken(const char *text) {
    struct leat_error err;

    if (parse(text, &err) != LEAT_OK)
        fail_msg("%s: %u:%u %s", text, err.line, err.column, err.text);
    if (!libjq_takes(text))
        fail_msg("libjq does not take %s", text);
}

static void what_jq_takes_is_taken(void **state) {
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_libjq_load(&err), LEAT_OK);
    each_text("taken.jsonl", must_be_taken);
}

static void must_be_refused(const char *text) {
    struct leat_error err;

    if (parse(text, &err) != LEAT_E_CONFIG)
        fail_msg("%s was taken", text);
    if (!err.line || !err.column || err.column > strlen(text) + 1 || !err.text[0])
        fail_msg("%s: %u:%u %s", text, err.line, err.column, err.text);
    if (libjq_takes(text))
        fail_msg("libjq takes %s", text);
}

static void what_jq_refuses_is_refused_at_a_place(void **state) {
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_libjq_load(&err), LEAT_OK);
    each_text("refused.jsonl", must_be_refused);
}

static void print(const char *text, struct lt_buf *out) {
    struct lt_expr_text source = {
        .name = LT_LIT("x"), .text = lt_slice_str(text), .line = 1, .column = 1};
    struct leat_error err;

    lt_buf_clear(out);
    if (lt_tree_print(&source, out, &err) != LEAT_OK)
        fail_msg("%s: %u:%u %s", text, err.line, err.column, err.text);
    assert_non_null(lt_buf_cstr(out));
}

static void must_print_as_itself(const char *text) {
    struct lt_buf once, twice;
    struct leat_error err;

    lt_buf_init(&once, 1 << 20);
    lt_buf_init(&twice, 1 << 20);
    print(text, &once);
    print(once.data, &twice);
    if (strcmp(once.data, twice.data) != 0)
        fail_msg("%s: %s and then %s", text, once.data, twice.data);
    if (parse(once.data, &err) != LEAT_OK)
        fail_msg("%s: %s: %s", text, once.data, err.text);
    lt_buf_deinit(&once);
    lt_buf_deinit(&twice);
}

static void what_is_printed_parses_and_prints_as_itself(void **state) {
    (void)state;
    each_text("taken.jsonl", must_print_as_itself);
}

static void a_text_is_printed_with_few_parentheses(void **state) {
    static const char *const rows[][2] = {
        {"((.a))|(.b)", ".a | .b"},
        {"(1+2)*3-4", "(1 + 2) * 3 - 4"},
        {"1-(2-3)", "1 - (2 - 3)"},
        {"(1,2),(3,(4|5))", "(1, 2), (3, (4 | 5))"},
        {"1,2,3,4,5", "1, 2, 3, 4, 5"},
        {"1|(. as $x|$x)|2", "1 | (. as $x | $x) | 2"},
        {". as [$a,{b:$c,$d:[$e]}]?//$a|$a", ". as [$a, {b: $c, $d: [$e]}] ?// $a | $a"},
        {"reduce .[]as$x(0;.+$x)", "reduce .[] as $x (0; . + $x)"},
        {"if 1 then 2 else if 3 then 4 else 5 end end", "if 1 then 2 elif 3 then 4 else 5 end"},
        {"{\"a\":.a,b,\"c d\":1,(.x):-1,$v,@json \"x\\(1)\":2}",
         "{a, b, \"c d\": 1, (.x): (-1), $v, @json \"x\\(1)\": 2}"},
        {".a.b[\"c\"]?.d[1:]?[]", ".a.b[\"c\"]?.d[1:]?[]"},
        {"1???|(.a)?|((.a?)?)?|(1+2)?|- - -1|try (1?)",
         "1??? | try .a | .a??? | try (1 + 2) | ---1 | 1??"},
        {"(..).a|1.5|(1).a", "(..).a | 1.5 | (1).a"},
        {"1?|.a??|try error(\"x\")catch.", "1? | .a?? | try error(\"x\") catch ."},
        {"def f(g;$x):g+$x;f(1;2)", "def f(g; $x): g + $x; f(1; 2)"},
        {"label$x|(break$x).a", "label $x | break $x.a"},
        {"\"a\\(\"b\\(1+1)\")\\n\"", "\"a\\(\"b\\(1 + 1)\")\\n\""},
        {".a|=(.b//=1)", ".a |= (.b //= 1)"},
        {"1 and(2 or 3)", "1 and (2 or 3)"},
        {"-(1+2)*3", "-(1 + 2) * 3"},
        {"(-1)*2", "(-1) * 2"},
        {".5+1.", "0.5 + 1"},
    };
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print(rows[i][0], &out);
        assert_string_equal(out.data, rows[i][1]);
    }
    lt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_jq_takes_is_taken),
        cmocka_unit_test(what_jq_refuses_is_refused_at_a_place),
        cmocka_unit_test(what_is_printed_parses_and_prints_as_itself),
        cmocka_unit_test(a_text_is_printed_with_few_parentheses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
