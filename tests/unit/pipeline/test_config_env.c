/* SPDX-License-Identifier: Apache-2.0 */
/* The `.env` beside a file: its lines, who wins, and that what it holds is never shown. */
#include "files.h"

#include <sys/stat.h>

struct folder {
    char path[64];
    char file[80], env[80];
};

static void make_folder(struct folder *f) {
    snprintf(f->path, sizeof(f->path), "/tmp/leat-test-env-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->file, sizeof(f->file), "%s/file.yaml", f->path);
    snprintf(f->env, sizeof(f->env), "%s/.env", f->path);
}

static void remove_folder(const struct folder *f) {
    unlink(f->file);
    unlink(f->env);
    rmdir(f->path);
}

static void write_file(const char *path, const char *text, size_t len) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void load_with(struct loaded *l, const char *env, size_t env_len, const char *text) {
    struct folder f;
    make_folder(&f);
    write_file(f.file, text, strlen(text));
    write_file(f.env, env, env_len);
    l->status = lt_system_load(&l->system, f.file, &l->problems, &l->err);
    remove_folder(&f);
}

static const char one_value[] =
    "sources: {api: {base_url: \"https://x\", params: {p: \"${LEAT_TEST_V}\"}, "
    "resources: {a: {path: /a}}}}\n";

static void lines_are_read_in_all_their_forms(void **state) {
    static const struct {
        const char *env, *value;
    } cases[] = {
        {"LEAT_TEST_V=abc", "abc"},
        {"LEAT_TEST_V=abc\n", "abc"},
        {"LEAT_TEST_V=abc\r\n", "abc"},
        {"export LEAT_TEST_V=abc\n", "abc"},
        {"export\tLEAT_TEST_V=abc\n", "abc"},
        {"export=1\nLEAT_TEST_V=abc\n", "abc"},
        {"  LEAT_TEST_V = abc  # a comment\n", "abc"},
        {"LEAT_TEST_V=a b\tc \n", "a b\tc"},
        {"LEAT_TEST_V=a#b", "a#b"},
        {"LEAT_TEST_V=#b", ""},
        {"LEAT_TEST_V=", ""},
        {"LEAT_TEST_V=a=b=", "a=b="},
        {"LEAT_TEST_V='a b # c'\n", "a b # c"},
        {"LEAT_TEST_V='a\\nb'\n", "a\\nb"},
        {"LEAT_TEST_V=\"a\\nb\\t\\\"c\\\" \\\\ \\$d \\e\" # more\n", "a\nb\t\"c\" \\ $d \\e"},
        {"LEAT_TEST_V=\"a\nb\r\nc\"\n", "a\nb\nc"},
        {"LEAT_TEST_V='$HOME ${HOME}'", "$HOME ${{HOME}}"}, /* as a template has it */
        {"LEAT_TEST_V=$HOME", "$HOME"},
        {"# LEAT_TEST_V=no\n\n \t\nOTHER=x\nLEAT_TEST_V=abc\n# end", "abc"},
        {"LEAT_TEST_V=first\nLEAT_TEST_V=abc\n", "abc"},
        {"\xef\xbb\xbfLEAT_TEST_V=abc\n", "abc"},
        {"LEAT_TEST_V=caf\xc3\xa9", "caf\xc3\xa9"},
        {"LEAT_TEST_V=\"\"", ""},
    };
    (void)state;
    unsetenv("LEAT_TEST_V");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loaded l;
        load_with(&l, cases[i].env, strlen(cases[i].env), one_value);
        if (l.status != LEAT_OK)
            fail_msg("%s: %s", cases[i].env, l.err.text);
        struct lt_slice value = l.system.apis[0].params[0].value.source.text;
        if (!lt_slice_eq_str(value, cases[i].value))
            fail_msg("%s gave '%.*s'", cases[i].env, LT_FMT(value));
        assert_int_equal(l.system.apis[0].n_secrets, *cases[i].value != '\0');
        unload(&l);
    }
}

static void the_environment_wins(void **state) {
    struct loaded l;
    (void)state;
    setenv("LEAT_TEST_V", "outer", 1);
    load_with(&l, "LEAT_TEST_V=inner", 17, one_value);
    assert_int_equal(l.status, LEAT_OK);
    assert_true(lt_slice_eq_str(l.system.apis[0].params[0].value.source.text, "outer"));
    unload(&l);
    unsetenv("LEAT_TEST_V");
}

static void a_default_stands_for_what_neither_sets(void **state) {
    struct loaded l;
    (void)state;
    load_with(&l, "A=\n", 3, "buckets: [\"${LEAT_TEST_NONE:-lake}\", \"${A:-pond}\"]\n");
    assert_int_equal(l.status, LEAT_OK);
    assert_string_equal(l.system.buckets[0].name, "lake");
    assert_string_equal(l.system.buckets[1].name, "pond");
    unload(&l);
}

static void a_malformed_line_is_named_and_not_shown(void **state) {
    static const struct {
        const char *env;
        size_t len; /* 0: to its NUL */
        const char *text;
    } cases[] = {
        {"Hunter2", 0, ".env:1: this line is no assignment"},
        {"A=1\n\nB Hunter2=\n", 0, ".env:3: this line is no assignment"},
        {"=Hunter2", 0, ".env:1: this line is no assignment"},
        {"1A=Hunter2", 0, ".env:1: this line is no assignment"},
        {"export Hunter2", 0, ".env:1: this line is no assignment"},
        {"A\n=Hunter2", 0, ".env:1: this line is no assignment"},
        {"\nA='Hunter2\nB=2\n", 0, ".env:2: the quote that begins here is not closed"},
        {"A=\"Hunter2\\\"\n", 0, ".env:1: the quote that begins here is not closed"},
        {"A='1'Hunter2", 0, ".env:1: something follows the closing quote"},
        {"A=\"x\ny\"\nHunter2", 0, ".env:3: this line is no assignment"},
        {"A=Hunter2\0x", 11, ".env:1: the value holds a NUL character"},
    };
    (void)state;
    setenv("LEAT_TEST_V", "x", 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loaded l;
        bool found = false;
        load_with(&l, cases[i].env, cases[i].len ? cases[i].len : strlen(cases[i].env), one_value);
        assert_int_equal(l.status, LEAT_E_CONFIG);
        for (size_t p = 0; p < l.problems.n; p++) {
            found = found || strstr(l.problems.list[p].text, cases[i].text);
            assert_null(strstr(l.problems.list[p].text, "Hunter2"));
            assert_int_equal(l.problems.list[p].place.line, 1);
            assert_int_equal(l.problems.list[p].place.column, 53);
        }
        if (!found)
            fail_msg("%s: %s", cases[i].env, l.err.text);
        unload(&l);
    }
    unsetenv("LEAT_TEST_V");
}

static void a_dot_env_that_is_no_file_of_text_is_told(void **state) {
    struct folder f;
    struct loaded l;
    struct lt_buf big;
    (void)state;
    setenv("LEAT_TEST_V", "x", 1);
    make_folder(&f);
    write_file(f.file, one_value, sizeof(one_value) - 1);
    assert_int_equal(mkdir(f.env, 0700), 0);
    l.status = lt_system_load(&l.system, f.file, &l.problems, &l.err);
    assert_int_equal(l.status, LEAT_E_CONFIG);
    assert_non_null(strstr(l.problems.list[0].text, "the .env beside the file cannot be read"));
    unload(&l);
    rmdir(f.env);
    remove_folder(&f);
    lt_buf_init(&big, 4 << 20);
    lt_buf_append_str(&big, "A=");
    while (big.len < 2 << 20)
        lt_buf_append_byte(&big, 'x');
    load_with(&l, big.data, big.len, one_value);
    assert_int_equal(l.status, LEAT_E_CONFIG);
    assert_non_null(strstr(l.problems.list[0].text, "at most 1 MiB"));
    lt_buf_deinit(&big);
    unload(&l);
    unsetenv("LEAT_TEST_V");
}

static void it_is_not_looked_at_without_a_variable(void **state) {
    struct loaded l;
    (void)state;
    load_with(&l, "nonsense", 8, "buckets: [lake]\n");
    assert_int_equal(l.status, LEAT_OK);
    unload(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_in_all_their_forms),
        cmocka_unit_test(the_environment_wins),
        cmocka_unit_test(a_default_stands_for_what_neither_sets),
        cmocka_unit_test(a_malformed_line_is_named_and_not_shown),
        cmocka_unit_test(a_dot_env_that_is_no_file_of_text_is_told),
        cmocka_unit_test(it_is_not_looked_at_without_a_variable),
    };
    return cmocka_run_group_tests_name("pipeline config_env", tests, NULL, NULL);
}
