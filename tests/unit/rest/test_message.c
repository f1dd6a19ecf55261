/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/message.h"

static void the_message_is_found_in_the_shapes_in_use(void **state) {
    static const char *const rows[][3] = {
        {"{\"error\":{\"status\":403,\"message\":\"Forbidden.\"}}", "Forbidden.", ""},
        {"{\"error\":{\"status\":429,\"message\":\"API rate "
         "limit\",\"reason\":\"QUOTA_EXCEEDED\"}}",
         "API rate limit", "QUOTA_EXCEEDED"},
        {"{\"error\":\"invalid_client\",\"error_description\":\"Invalid client secret\"}",
         "invalid_client: Invalid client secret", "invalid_client"},
        {"{\"error\":\"Not Found\"}", "Not Found", "Not Found"},
        {"{\"message\":\"Bad credentials\",\"documentation_url\":\"x\"}", "Bad credentials", ""},
        {"{\"code\":\"rate\",\"message\":\"slow\\r\\n down\\u0000\"}", "slow down", "rate"},
        {"{\"errors\":[{\"message\":\"first\"},{\"message\":\"second\"}]}", "first", ""},
        {"{\"errors\":[{\"code\":\"E1\",\"title\":\"T\",\"detail\":\"d\"}]}", "T: d", "E1"},
        {"{\"errors\":[\"plain\"]}", "plain", ""},
        {"{\"errors\":\"Not Found\"}", "Not Found", ""},
        {"{\"type\":\"about:blank\",\"title\":\"Too much\",\"detail\":\"wait\",\"status\":429}",
         "Too much: wait", ""},
        {"{\"detail\":\"only\"}", "only", ""},
        {"[{\"message\":\"in a list\",\"errorCode\":\"X\"}]", "in a list", ""},
        {"\"a string\"", "a string", ""},
        {"{\"ok\":false}", "", ""},
        {"{\"error\":{\"error\":{\"error\":{\"error\":{\"error\":{\"message\":\"deep\"}}}}}}", "",
         ""},
        {"{\"error\":null}", "", ""},
        {"12", "", ""},
        {"<html><head><TITLE>502 Bad\nGateway</TITLE></head></html>", "502 Bad Gateway", ""},
        {"<html><title>never closed", "", ""},
        {"<p>no title", "", ""},
        {"  plain\ttext\n", "plain text", ""},
        {"{\"message\": \"torn", "{\"message\": \"torn", ""},
        {"", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lt_rest_message message;
        lt_rest_message_find(&message, lt_slice_str(rows[i][0]));
        assert_string_equal(message.text, rows[i][1]);
        assert_string_equal(message.code, rows[i][2]);
    }
}

static void a_long_message_is_cut_between_characters(void **state) {
    char body[2000];
    struct lt_rest_message message;
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(body, 'a', shift);
        for (size_t i = shift; i + 4 <= sizeof(body); i += 4)
            memcpy(body + i, "\xf0\x9f\x8e\xb5", 4);
        lt_rest_message_find(&message, lt_slice(body, sizeof(body) - 4));
        size_t len = strlen(message.text);
        assert_in_range(len, 240, 255);
        assert_int_equal((len - shift) % 4, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_is_found_in_the_shapes_in_use),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
