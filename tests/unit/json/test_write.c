/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json/json.h"

static void check_string(struct lt_slice text, const char *expected) {
    struct lt_buf out;
    struct leat_error err;
    struct lt_json value;

    lt_buf_init(&out, 1 << 16);
    lt_json_write_string(&out, text);
    assert_int_equal(lt_json_parse(&value, lt_buf_slice(&out), 0, &err), LEAT_OK);
    assert_string_equal(lt_buf_cstr(&out), expected);
    lt_buf_deinit(&out);
}

static void write_string_escapes_what_must_be(void **state) {
    (void)state;
    check_string(lt_slice(NULL, 0), "\"\"");
    check_string(LT_LIT("plain"), "\"plain\"");
    check_string(LT_LIT("\"\\/"), "\"\\\"\\\\/\"");
    check_string(LT_LIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    check_string(LT_LIT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"");
    check_string(LT_LIT("0123456789abcdef\"0123456789abcdef"),
                 "\"0123456789abcdef\\\"0123456789abcdef\"");
}

static void write_string_keeps_utf_8(void **state) {
    (void)state;
    check_string(LT_LIT("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
                 "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

static void write_string_replaces_what_is_not_utf_8(void **state) {
#define BAD "\xef\xbf\xbd"
    (void)state;
    check_string(LT_LIT("a\xff"
                        "b"),
                 "\"a" BAD "b\"");
    check_string(LT_LIT("\x80\x80"), "\"" BAD BAD "\"");
    check_string(LT_LIT("\xc0\x80"), "\"" BAD BAD "\"");
    check_string(LT_LIT("\xed\xa0\x80"), "\"" BAD BAD BAD "\"");
    check_string(LT_LIT("\xe2\x82"), "\"" BAD "\"");
    check_string(LT_LIT("\xe2\x82x"), "\"" BAD "x\"");
    check_string(LT_LIT("\xf0\x9f\x98\"\xf0"), "\"" BAD "\\\"" BAD "\"");
    check_string(LT_LIT("\xf4\x90\x80\x80"), "\"" BAD BAD BAD BAD "\"");
    check_string(LT_LIT("\xf0\x90\xc3\xa9"), "\"" BAD "\xc3\xa9\"");
}

static void writer_puts_commas_and_colons_where_they_belong(void **state) {
    struct lt_json_writer w;
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 1000);
    lt_json_writer_init(&w, &out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "a");
    lt_json_begin_array(&w);
    lt_json_put_int(&w, INT64_MIN);
    lt_json_put_uint(&w, UINT64_MAX);
    lt_json_begin_object(&w);
    lt_json_end_object(&w);
    lt_json_begin_array(&w);
    lt_json_end_array(&w);
    lt_json_put_null(&w);
    lt_json_end_array(&w);
    lt_json_key_slice(&w, LT_LIT("b\n"));
    lt_json_put_str(&w, "x\"");
    lt_json_key(&w, "c");
    lt_json_put_bool(&w, true);
    lt_json_key(&w, "d");
    lt_json_put_bool(&w, false);
    lt_json_key(&w, "e");
    lt_json_put_raw(&w, LT_LIT("{\"x\":[ ]}"));
    lt_json_key(&w, "f");
    lt_json_put_string(&w, LT_LIT("y"));
    lt_json_end_object(&w);
    assert_string_equal(lt_buf_cstr(&out),
                        "{\"a\":[-9223372036854775808,18446744073709551615,{},[],null],\"b\\n\":"
                        "\"x\\\"\",\"c\":true,\"d\":false,\"e\":{\"x\":[ ]},\"f\":\"y\"}");
    lt_buf_deinit(&out);
}

static void writer_goes_64_levels_deep(void **state) {
    struct lt_json_writer w;
    struct leat_error err;
    struct lt_json value;
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 1000);
    lt_json_writer_init(&w, &out);
    for (int i = 0; i < 64; i++) {
        if (i % 2) {
            lt_json_key(&w, "a");
            lt_json_begin_array(&w);
            lt_json_put_int(&w, 1);
        } else {
            lt_json_begin_object(&w);
        }
    }
    for (int i = 63; i >= 0; i--) {
        if (i % 2)
            lt_json_end_array(&w);
        else
            lt_json_end_object(&w);
    }
    assert_int_equal(lt_json_parse(&value, lt_buf_slice(&out), 64, &err), LEAT_OK);
    lt_buf_deinit(&out);
}

static const char *double_text(double value) {
    static char text[32];
    size_t len = lt_json_format_double(value, text);

    assert_int_equal(strlen(text), len);
    return text;
}

static void writer_gives_the_shortest_double_that_reads_back(void **state) {
    static const double values[] = {
        1.0 / 3, DBL_MAX, DBL_MIN, DBL_EPSILON,        -2.0 / 3e7,
        5e-324,  4.35,    1e23,    9007199254740993.0, 2.2250738585072011e-308};

    (void)state;
    assert_string_equal(double_text(0), "0");
    assert_string_equal(double_text(-0.0), "-0");
    assert_string_equal(double_text(1), "1");
    assert_string_equal(double_text(-12345678), "-12345678");
    assert_string_equal(double_text(0.1), "0.1");
    assert_string_equal(double_text(-1.5e-7), "-1.5e-07");
    assert_string_equal(double_text(0.1 + 0.2), "0.30000000000000004");
    assert_string_equal(double_text(5e-324), "5e-324");
    assert_string_equal(double_text(1e300), "1e+300");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_true(strtod(double_text(values[i]), NULL) == values[i]);
}

static void writer_gives_null_for_a_double_that_json_cannot_say(void **state) {
    (void)state;
    assert_string_equal(double_text((double)NAN), "null");
    assert_string_equal(double_text((double)INFINITY), "null");
    assert_string_equal(double_text(-(double)INFINITY), "null");
}

static void check_epoch(int64_t ms, const char *expected) {
    struct lt_json_writer w;
    struct lt_buf out;

    lt_buf_init(&out, 100);
    lt_json_writer_init(&w, &out);
    lt_json_put_epoch(&w, ms);
    assert_string_equal(lt_buf_cstr(&out), expected);
    lt_buf_deinit(&out);
}

static void writer_gives_time_as_seconds_with_milliseconds(void **state) {
    (void)state;
    check_epoch(1700000000123, "1700000000.123");
    check_epoch(1700000000000, "1700000000.000");
    check_epoch(7, "0.007");
    check_epoch(-1500, "-1.500");
    check_epoch(INT64_MIN, "-9223372036854775.808");
}

static void writer_gives_bytes_as_base64(void **state) {
    struct lt_json_writer w;
    struct lt_buf out;

    (void)state;
    lt_buf_init(&out, 100);
    lt_json_writer_init(&w, &out);
    lt_json_begin_array(&w);
    lt_json_put_base64(&w, LT_LIT(""));
    lt_json_put_base64(&w, LT_LIT("\xff\xfe!"));
    lt_json_put_base64(&w, LT_LIT("a"));
    lt_json_end_array(&w);
    assert_string_equal(lt_buf_cstr(&out), "[\"\",\"//4h\",\"YQ==\"]");
    lt_buf_deinit(&out);
}

static void key_in_an_array(struct lt_json_writer *w) {
    lt_json_begin_array(w);
    lt_json_key(w, "a");
}

static void value_without_key(struct lt_json_writer *w) {
    lt_json_begin_object(w);
    lt_json_put_int(w, 1);
}

static void key_after_key(struct lt_json_writer *w) {
    lt_json_begin_object(w);
    lt_json_key(w, "a");
    lt_json_key(w, "b");
}

static void end_after_key(struct lt_json_writer *w) {
    lt_json_begin_object(w);
    lt_json_key(w, "a");
    lt_json_end_object(w);
}

static void wrong_end(struct lt_json_writer *w) {
    lt_json_begin_object(w);
    lt_json_end_array(w);
}

static void end_without_begin(struct lt_json_writer *w) {
    lt_json_end_object(w);
}

static void key_at_the_top(struct lt_json_writer *w) {
    lt_json_key(w, "a");
}

static void two_values(struct lt_json_writer *w) {
    lt_json_put_int(w, 1);
    lt_json_put_int(w, 2);
}

static void too_deep(struct lt_json_writer *w) {
    for (int i = 0; i < 65; i++)
        lt_json_begin_array(w);
}

static void writer_asserts_when_it_is_misused(void **state) {
    static void (*const misuses[])(struct lt_json_writer *) = {
        key_in_an_array,   value_without_key, key_after_key, end_after_key, wrong_end,
        end_without_begin, key_at_the_top,    two_values,    too_deep,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            struct rlimit no_core = {0, 0};
            struct lt_json_writer w;
            struct lt_buf out;
            setrlimit(RLIMIT_CORE, &no_core);
            signal(SIGABRT, SIG_DFL);
            if (!freopen("/dev/null", "w", stderr))
                _exit(2);
            lt_buf_init(&out, 1000);
            lt_json_writer_init(&w, &out);
            misuses[i](&w);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("misuse %zu was not caught", i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_string_escapes_what_must_be),
        cmocka_unit_test(write_string_keeps_utf_8),
        cmocka_unit_test(write_string_replaces_what_is_not_utf_8),
        cmocka_unit_test(writer_puts_commas_and_colons_where_they_belong),
        cmocka_unit_test(writer_goes_64_levels_deep),
        cmocka_unit_test(writer_gives_the_shortest_double_that_reads_back),
        cmocka_unit_test(writer_gives_null_for_a_double_that_json_cannot_say),
        cmocka_unit_test(writer_gives_time_as_seconds_with_milliseconds),
        cmocka_unit_test(writer_gives_bytes_as_base64),
        cmocka_unit_test(writer_asserts_when_it_is_misused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
