/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of S3 that decide without a disk: names, ranges, conditions, dates, documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/s3/call.h"

static void bucket_names_follow_the_rules(void **state) {
    static const char *const good[] = {"abc", "a-b.c", "0ab", "a1.b2.c3.d4", "1.2.3", "1.2.3.4.5"};
    static const char *const bad[] = {"",     "ab",   "Abc",     "a_b", "-abc", "abc-",   ".abc",
                                      "abc.", "a..b", "1.2.3.4", "a b", "a/b",  "xn--abc"};
    char longest[65];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(lt_s3_is_bucket_name(lt_slice_str(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(lt_s3_is_bucket_name(lt_slice_str(bad[i])));
    memset(longest, 'a', sizeof(longest));
    assert_true(lt_s3_is_bucket_name(lt_slice(longest, 63)));
    assert_false(lt_s3_is_bucket_name(lt_slice(longest, 64)));
}

static void utf8_is_told_from_what_is_none(void **state) {
    static const char *const good[] = {"",
                                       "a",
                                       "\xc3\xbc",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xef\xbf\xbf",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xed\x9f\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x82",
                                      "\xe2\x28\xa1"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(lt_s3_is_utf8(lt_slice_str(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(lt_s3_is_utf8(lt_slice_str(bad[i])));
}

static void range_is_cut_to_the_object_or_refused_or_none(void **state) {
    static const struct {
        const char *range;
        uint64_t size;
        enum lt_s3_verdict verdict;
        uint64_t offset, len;
    } cases[] = {
        {"bytes=0-0", 10, LT_S3_GO, 0, 1},
        {"bytes=2-5", 10, LT_S3_GO, 2, 4},
        {" bytes= 2 - 5 ", 10, LT_S3_GO, 2, 4},
        {"bytes=2-", 10, LT_S3_GO, 2, 8},
        {"bytes=2-18446744073709551615", 10, LT_S3_GO, 2, 8},
        {"bytes=-4", 10, LT_S3_GO, 6, 4},
        {"bytes=-40", 10, LT_S3_GO, 0, 10},
        {"bytes=10-", 10, LT_S3_FAILED, 0, 0},
        {"bytes=-0", 10, LT_S3_FAILED, 0, 0},
        {"bytes=0-", 0, LT_S3_FAILED, 0, 0},
        {"bytes=-1", 0, LT_S3_FAILED, 0, 0},
        {"bytes=5-2", 10, LT_S3_NOT_MODIFIED, 0, 0},
        {"bytes=1-2,4-5", 10, LT_S3_NOT_MODIFIED, 0, 0},
        {"bytes=-", 10, LT_S3_NOT_MODIFIED, 0, 0},
        {"bytes=99999999999999999999-", 10, LT_S3_NOT_MODIFIED, 0, 0},
        {"bytes=a-b", 10, LT_S3_NOT_MODIFIED, 0, 0},
        {"lines=1-2", 10, LT_S3_NOT_MODIFIED, 0, 0},
        {"", 10, LT_S3_NOT_MODIFIED, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t offset = 0, len = 0;
        assert_int_equal(lt_s3_range(lt_slice_str(cases[i].range), cases[i].size, &offset, &len),
                         cases[i].verdict);
        if (cases[i].verdict == LT_S3_GO) {
            assert_int_equal(offset, cases[i].offset);
            assert_int_equal(len, cases[i].len);
        }
    }
}

static void etags_are_found_in_lists(void **state) {
    (void)state;
    assert_true(lt_s3_etag_in(LT_LIT("\"abc\""), "abc"));
    assert_true(lt_s3_etag_in(LT_LIT("abc"), "abc"));
    assert_true(lt_s3_etag_in(LT_LIT("\"x\" , W/\"abc\""), "abc"));
    assert_true(lt_s3_etag_in(LT_LIT("*"), "abc"));
    assert_false(lt_s3_etag_in(LT_LIT("\"ab\""), "abc"));
    assert_false(lt_s3_etag_in(LT_LIT(""), "abc"));
    assert_false(lt_s3_etag_in(LT_LIT(",,\""), "abc"));
}

static void dates_are_written_and_read_back(void **state) {
    struct lt_arena arena;
    int64_t ms;
    (void)state;
    lt_arena_init(&arena, 1 << 16);
    const char *text = lt_s3_http_date(&arena, 784111777123);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_true(lt_s3_parse_http_date(lt_slice_str(text), &ms));
    assert_int_equal(ms, 784111777000);
    assert_false(lt_s3_parse_http_date(LT_LIT("yesterday"), &ms));
    assert_false(lt_s3_parse_http_date(LT_LIT("Sun, 06 Nix 1994 08:49:37 GMT"), &ms));
    assert_false(lt_s3_parse_http_date(LT_LIT(""), &ms));
    lt_arena_deinit(&arena);
}

static void xml_escapes_what_xml_must(void **state) {
    struct lt_buf out;
    (void)state;
    lt_buf_init(&out, 1000);
    lt_s3_xml_text(&out, "K", LT_LIT("a<b>&\"\x01\r\n\xc3\xbc"));
    lt_s3_xml_time(&out, "T", 784111777005);
    assert_true(lt_slice_eq_str(lt_buf_slice(&out),
                                "<K>a&lt;b&gt;&amp;&quot;&#x1;&#xD;&#xA;\xc3\xbc</K>"
                                "<T>1994-11-06T08:49:37.005Z</T>"));
    lt_buf_deinit(&out);
}

/** A call with the headers of one object's condition. */
static enum lt_s3_verdict check(const char *name, const char *value, const char *name2,
                                const char *value2) {
    struct lt_s3_header headers[] = {{lt_slice_str(name), lt_slice_str(value)},
                                     {lt_slice_str(name2), lt_slice_str(value2)}};
    struct lt_s3_call call = {.headers = headers, .n_headers = name2 ? 2 : 1};
    struct lt_object_info info = {.etag = "abc", .modified_ms = 784111777900};
    return lt_s3_check(&call, "", &info);
}

static void conditions_take_precedence_as_rfc_9110_says(void **state) {
    static const char same[] = "Sun, 06 Nov 1994 08:49:37 GMT",
                      before[] = "Sun, 06 Nov 1994 08:49:36 GMT";
    (void)state;
    assert_int_equal(check("If-Match", "\"abc\"", NULL, NULL), LT_S3_GO);
    assert_int_equal(check("If-Match", "\"x\"", NULL, NULL), LT_S3_FAILED);
    assert_int_equal(check("If-None-Match", "\"abc\"", NULL, NULL), LT_S3_NOT_MODIFIED);
    assert_int_equal(check("If-Modified-Since", same, NULL, NULL), LT_S3_NOT_MODIFIED);
    assert_int_equal(check("If-Modified-Since", before, NULL, NULL), LT_S3_GO);
    assert_int_equal(check("If-Modified-Since", "rubbish", NULL, NULL), LT_S3_GO);
    assert_int_equal(check("If-Unmodified-Since", same, NULL, NULL), LT_S3_GO);
    assert_int_equal(check("If-Unmodified-Since", before, NULL, NULL), LT_S3_FAILED);
    assert_int_equal(check("If-Unmodified-Since", "rubbish", NULL, NULL), LT_S3_GO);
    assert_int_equal(check("If-Match", "\"abc\"", "If-Unmodified-Since", before), LT_S3_GO);
    assert_int_equal(check("If-None-Match", "\"x\"", "If-Modified-Since", same), LT_S3_GO);
    assert_int_equal(check("If-Match", "\"x\"", "If-None-Match", "\"abc\""), LT_S3_FAILED);
}

static void answer_headers_grow_and_end(void **state) {
    struct lt_arena arena;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    struct lt_s3_call call = {.arena = &arena};
    for (size_t i = 0; i < 100; i++) {
        lt_s3_answer_header_str(&call, "X", "y");
        assert_int_equal(call.n_answer, i + 1);
        assert_null(call.answer[call.n_answer].name);
    }
    lt_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_names_follow_the_rules),
        cmocka_unit_test(utf8_is_told_from_what_is_none),
        cmocka_unit_test(range_is_cut_to_the_object_or_refused_or_none),
        cmocka_unit_test(etags_are_found_in_lists),
        cmocka_unit_test(dates_are_written_and_read_back),
        cmocka_unit_test(xml_escapes_what_xml_must),
        cmocka_unit_test(conditions_take_precedence_as_rfc_9110_says),
        cmocka_unit_test(answer_headers_grow_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
