/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client.h"
#include "aws/xml.h"

#include <stdio.h>
#include <stdlib.h>

static struct leat_error read_error(unsigned http, const char *headers, const char *body) {
    struct lt_http_answer answer = {.status = http};
    struct leat_error err;
    lt_buf_init(&answer.body, 1 << 20);
    lt_buf_init(&answer.headers, 1 << 20);
    lt_buf_append_str(&answer.body, body);
    lt_buf_append_str(&answer.headers, "HTTP/1.1 400 Bad Request\r\n");
    lt_buf_append_str(&answer.headers, headers);
    leat_status status = lt_aws_error(&answer, &err);
    assert_int_equal(status, err.status);
    lt_http_answer_deinit(&answer);
    return err;
}

static void codes_of_the_json_protocol_have_their_status(void **state) {
    static const struct {
        const char *code;
        leat_status status;
    } rows[] = {
        {"ProvisionedThroughputExceededException", LEAT_E_THROTTLED},
        {"ThrottlingException", LEAT_E_THROTTLED},
        {"ResourceNotFoundException", LEAT_E_NOT_FOUND},
        {"ResourceInUseException", LEAT_E_EXISTS},
        {"ExpiredIteratorException", LEAT_E_EXPIRED},
        {"ExpiredTokenException", LEAT_E_AUTH},
        {"AccessDeniedException", LEAT_E_AUTH},
        {"UnrecognizedClientException", LEAT_E_AUTH},
        {"InvalidSignatureException", LEAT_E_AUTH},
        {"IncompleteSignatureException", LEAT_E_AUTH},
        {"ValidationException", LEAT_E_INVALID},
        {"InvalidArgumentException", LEAT_E_INVALID},
        {"LimitExceededException", LEAT_E_LIMIT},
        {"InternalFailure", LEAT_E_REMOTE},
        {"UnknownOperationException", LEAT_E_UNSUPPORTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[256];
        snprintf(body, sizeof(body),
                 "{\"__type\":\"com.amazonaws.kinesis.v20131202#%s\","
                 "\"message\":\"why \\u00e9 it\\nfailed\"}",
                 rows[i].code);
        struct leat_error err = read_error(400, "", body);
        assert_int_equal(err.status, rows[i].status);
        assert_string_equal(err.code, rows[i].code);
        assert_int_equal(lt_aws_code_status(rows[i].code), rows[i].status);
    }
    assert_int_equal(lt_aws_code_status("SomethingNew"), LEAT_E_REMOTE);
}

static void the_text_holds_code_message_and_http_status_in_one_line(void **state) {
    (void)state;
    struct leat_error err =
        read_error(400, "",
                   "{\"__type\":\"ResourceNotFoundException\",\"message\":\"Stream s\\n"
                   "under account 1 not found.\"}");
    assert_string_equal(err.text, "ResourceNotFoundException: Stream s under account 1 not found. "
                                  "(HTTP 400)");
    err = read_error(400, "", "{\"__type\":\"SerializationException\",\"Message\":\"M\"}");
    assert_string_equal(err.text, "SerializationException: M (HTTP 400)");
}

static void the_code_may_stand_in_a_header(void **state) {
    (void)state;
    struct leat_error err = read_error(
        400, "x-amzn-ErrorType: LimitExceededException:http://internal.amazon.com/x\r\n", "");
    assert_string_equal(err.code, "LimitExceededException");
    assert_int_equal(err.status, LEAT_E_LIMIT);
}

static void a_rate_that_is_exceeded_is_a_throttle_not_a_limit(void **state) {
    (void)state;
    struct leat_error err =
        read_error(400, "",
                   "{\"__type\":\"LimitExceededException\",\"message\":\"Rate exceeded "
                   "for stream s under account 1.\"}");
    assert_int_equal(err.status, LEAT_E_THROTTLED);
    assert_string_equal(err.code, "LimitExceededException");
}

static void codes_of_s3_have_their_status(void **state) {
    static const struct {
        const char *code;
        leat_status status;
        unsigned http;
    } rows[] = {
        {"NoSuchBucket", LEAT_E_NOT_FOUND, 404},
        {"NoSuchKey", LEAT_E_NOT_FOUND, 404},
        {"BucketAlreadyOwnedByYou", LEAT_E_EXISTS, 409},
        {"BucketAlreadyExists", LEAT_E_BUSY, 409},
        {"BucketNotEmpty", LEAT_E_BUSY, 409},
        {"AccessDenied", LEAT_E_AUTH, 403},
        {"SignatureDoesNotMatch", LEAT_E_AUTH, 403},
        {"RequestTimeTooSkewed", LEAT_E_AUTH, 403},
        {"SlowDown", LEAT_E_THROTTLED, 503},
        {"InternalError", LEAT_E_REMOTE, 500},
        {"PermanentRedirect", LEAT_E_INVALID, 301},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[512];
        snprintf(body, sizeof(body),
                 "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code>"
                 "<Message>because &lt;so&gt;</Message><Resource>/b</Resource></Error>",
                 rows[i].code);
        struct leat_error err = read_error(rows[i].http, "", body);
        assert_int_equal(err.status, rows[i].status);
        assert_string_equal(err.code, rows[i].code);
    }
}

static void messages_about_signatures_are_not_repeated(void **state) {
    static const char *const codes[] = {
        "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException",
        "ExpiredTokenException",     "InvalidAccessKeyId",    "AuthorizationHeaderMalformed"};
    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        char body[512];
        snprintf(body, sizeof(body),
                 "{\"__type\":\"%s\",\"message\":\"Authorization=AWS4 hidden "
                 "x-amz-security-token:hidden\"}",
                 codes[i]);
        struct leat_error err = read_error(403, "", body);
        assert_int_equal(err.status, LEAT_E_AUTH);
        assert_null(strstr(err.text, "hidden"));
        assert_non_null(strchr(err.text, '(')); /* a hint stands in for it */
    }
}

static void without_a_code_the_http_status_decides(void **state) {
    static const struct {
        unsigned http;
        leat_status status;
    } rows[] = {
        {400, LEAT_E_INVALID},   {401, LEAT_E_AUTH},        {403, LEAT_E_AUTH},
        {404, LEAT_E_NOT_FOUND}, {408, LEAT_E_TIMEOUT},     {409, LEAT_E_BUSY},
        {412, LEAT_E_EXISTS},    {413, LEAT_E_LIMIT},       {429, LEAT_E_THROTTLED},
        {500, LEAT_E_REMOTE},    {501, LEAT_E_UNSUPPORTED}, {502, LEAT_E_REMOTE},
        {503, LEAT_E_THROTTLED}, {307, LEAT_E_INVALID},
    };
    static const char *const bodies[] = {"",    "<html>oops",     "{",   "\xff\xfe", "{\"a\":1}",
                                         "[1]", "{\"__type\":3}", "<a/>"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++) {
            struct leat_error err = read_error(rows[i].http, "", bodies[j]);
            assert_int_equal(err.status, rows[i].status);
            assert_string_equal(err.code, "");
        }
}

static void a_peers_wish_to_wait_is_read(void **state) {
    (void)state;
    assert_int_equal(read_error(503, "Retry-After: 7\r\n", "").retry_after_ms, 7000);
    assert_int_equal(read_error(503, "Retry-After: -7\r\n", "").retry_after_ms, 0);
    assert_int_equal(read_error(503, "Retry-After: soon\r\n", "").retry_after_ms, 0);
    assert_int_equal(read_error(503, "Retry-After: 99999999999999\r\n", "").retry_after_ms, 0);
}

static void a_long_message_is_cut_between_characters(void **state) {
    char body[4096] = "{\"__type\":\"ValidationException\",\"message\":\"";
    (void)state;
    for (int i = 0; i < 500; i++)
        strcat(body, i == 0 ? "a" : "\xc3\xa9");
    strcat(body, "\"}");
    struct leat_error err = read_error(400, "", body);
    const char *end = strstr(err.text, " (HTTP");
    assert_non_null(end);
    assert_int_equal((unsigned char)end[-1], 0xa9);
}

struct seen {
    char text[1024];
};

static leat_status on_leaf(void *ctx, const char *path, struct lt_slice text,
                           struct leat_error *err) {
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof(seen->text) - len, "%s=%.*s;", path, LT_FMT(text));
    return lt_slice_eq_str(text, "stop") ? lt_fail(err, LEAT_E_CANCELLED, 0, "stopped") : LEAT_OK;
}

static leat_status read_xml(const char *xml, struct seen *seen) {
    const struct lt_xml_visitor visitor = {seen, on_leaf, NULL};
    struct leat_error err;
    memset(seen, 0, sizeof(*seen));
    return lt_xml_read(lt_slice_str(xml), &visitor, &err);
}

static void xml_is_read_as_leaves_with_their_paths(void **state) {
    struct seen seen;
    (void)state;
    assert_int_equal(read_xml("<r xmlns=\"u\"><a>1</a> <b><c>x &amp; y</c><c/></b></r>", &seen),
                     LEAT_OK);
    assert_string_equal(seen.text, "r/a=1;r/b/c=x & y;r/b/c=;");
    assert_int_equal(read_xml("<n:r xmlns:n='u'><n:a>1</n:a></n:r>", &seen), LEAT_OK);
    assert_string_equal(seen.text, "r/a=1;");
    assert_int_equal(read_xml("<r><a>stop</a><a>2</a></r>", &seen), LEAT_E_CANCELLED);
    assert_string_equal(seen.text, "r/a=stop;");
}

static void bad_xml_is_an_error(void **state) {
    char deep[512] = "";
    struct seen seen;
    (void)state;
    assert_int_equal(read_xml("<r><a></r>", &seen), LEAT_E_PARSE);
    assert_int_equal(read_xml("", &seen), LEAT_E_PARSE);
    assert_int_equal(read_xml("<r>", &seen), LEAT_E_PARSE);
    assert_int_equal(read_xml("<!DOCTYPE r [<!ENTITY a \"aaaa\">]><r>&a;</r>", &seen),
                     LEAT_E_PARSE);
    for (int i = 0; i < 20; i++)
        strcat(deep, "<a>");
    assert_int_equal(read_xml(deep, &seen), LEAT_E_LIMIT);

    size_t len = (2 << 20) + 16;
    char *long_text = calloc(1, len);
    assert_non_null(long_text);
    memset(long_text, 'x', len - 1);
    memcpy(long_text, "<r>", 3);
    memcpy(long_text + len - 5, "</r>", 4);
    assert_int_equal(read_xml(long_text, &seen), LEAT_E_LIMIT);
    free(long_text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_of_the_json_protocol_have_their_status),
        cmocka_unit_test(the_text_holds_code_message_and_http_status_in_one_line),
        cmocka_unit_test(the_code_may_stand_in_a_header),
        cmocka_unit_test(a_rate_that_is_exceeded_is_a_throttle_not_a_limit),
        cmocka_unit_test(codes_of_s3_have_their_status),
        cmocka_unit_test(messages_about_signatures_are_not_repeated),
        cmocka_unit_test(without_a_code_the_http_status_decides),
        cmocka_unit_test(a_peers_wish_to_wait_is_read),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(xml_is_read_as_leaves_with_their_paths),
        cmocka_unit_test(bad_xml_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
