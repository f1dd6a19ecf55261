/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../script.h"
#include "aws/client.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct lt_aws_call put_call = {
    .service = "kinesis", .target = "Kinesis_20131202.PutRecords", .body = {"{\"a\":1}", 7}};

static struct lt_aws_endpoint endpoint_of(const struct script *script) {
    return (struct lt_aws_endpoint){.url = peer_url(script->peer), .region = "eu-west-1"};
}

static leat_status fetch(const struct script *script, char *answer, size_t cap,
                         struct leat_error *err) {
    struct lt_aws_endpoint endpoint = endpoint_of(script);
    struct lt_buf body;
    struct lt_json json;
    leat_status status = lt_aws_fetch(&endpoint, &put_call, &body, &json, err);
    if (status == LEAT_OK)
        snprintf(answer, cap, "%.*s", LT_FMT(json.raw));
    lt_buf_deinit(&body);
    return status;
}

static void a_json_call_is_signed_and_its_answer_parsed(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", "head:Content-Type: application/x-amz-json-1.1\r\n", 200, " {\"b\":2} ",
         NULL},
        {"PutRecords", "head:Credential=leat/", 200, "{}", NULL},
        {"PutRecords", "head:/eu-west-1/kinesis/aws4_request", 200, "{}", NULL},
        {"PutRecords", "{\"a\":1}", 200, "", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct script script;
    struct leat_error err;
    char answer[64];
    (void)state;
    script_start(&script, NULL, lines);
    assert_int_equal(fetch(&script, answer, sizeof(answer), &err), LEAT_OK);
    assert_string_equal(answer, "{\"b\":2}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(fetch(&script, answer, sizeof(answer), &err), LEAT_OK);
    assert_string_equal(answer, "{}");
    script_end(&script);
}

static void what_may_pass_is_tried_again(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", NULL, 500, "{\"__type\":\"InternalFailure\"}", NULL},
        {"PutRecords", NULL, 400, "{\"__type\":\"ProvisionedThroughputExceededException\"}", NULL},
        {"PutRecords", NULL, 0, NULL, NULL},
        {"PutRecords", NULL, 200, "{\"b\":2}", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct script script;
    struct leat_error err;
    char answer[64];
    (void)state;
    script_start(&script, NULL, lines);
    assert_int_equal(fetch(&script, answer, sizeof(answer), &err), LEAT_OK);
    assert_string_equal(answer, "{\"b\":2}");
    script_end(&script);
}

static void what_will_not_pass_is_told_at_once(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", NULL, 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no s\"}",
         NULL},
        {"PutRecords", NULL, 200, "this is no JSON", NULL},
        {"PutRecords", NULL, 409, "", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct script script;
    struct leat_error err;
    char answer[64];
    (void)state;
    script_start(&script, NULL, lines);
    assert_int_equal(fetch(&script, answer, sizeof(answer), &err), LEAT_E_NOT_FOUND);
    assert_string_equal(err.text, "PutRecords: ResourceNotFoundException: no s (HTTP 400)");
    assert_string_equal(err.code, "ResourceNotFoundException");
    assert_int_equal(fetch(&script, answer, sizeof(answer), &err), LEAT_E_PARSE);
    assert_int_equal(fetch(&script, answer, sizeof(answer), &err), LEAT_E_BUSY);
    script_end(&script);
}

static void nobody_at_a_loopback_is_told_soon(void **state) {
    struct script script;
    static const struct script_line lines[] = {{NULL, NULL, 0, NULL, NULL}};
    struct leat_error err;
    char answer[64], url[64];
    struct lt_buf body;
    struct lt_json json;
    (void)state;
    script_start(&script, NULL, lines);
    snprintf(url, sizeof(url), "%s", peer_url(script.peer));
    script_end(&script);
    const struct lt_aws_endpoint endpoint = {.url = url};
    assert_int_equal(lt_aws_fetch(&endpoint, &put_call, &body, &json, &err), LEAT_E_NETWORK);
    assert_non_null(strstr(err.text, "PutRecords: request to 127.0.0.1:"));
    lt_buf_deinit(&body);
    (void)answer;
}

static void an_endpoint_needs_credentials_and_a_region_unless_it_is_local(void **state) {
    struct lt_aws_endpoint endpoint = {.url = "https://kinesis.us-east-1.amazonaws.com"};
    struct leat_error err;
    (void)state;
    assert_int_equal(lt_aws_endpoint_check(&endpoint, &err), LEAT_E_INVALID);
    assert_non_null(strstr(err.text, "AWS_REGION"));
    endpoint.region = "us-east-1";
    assert_int_equal(lt_aws_endpoint_check(&endpoint, &err), LEAT_E_AUTH);
    assert_non_null(strstr(err.text, "AWS_ACCESS_KEY_ID"));
    endpoint.credentials.problem = "profile x gets its credentials by sso_session";
    assert_int_equal(lt_aws_endpoint_check(&endpoint, &err), LEAT_E_AUTH);
    assert_non_null(strstr(err.text, "sso_session"));
    endpoint.credentials.access_key_id = endpoint.credentials.secret_access_key = "x";
    assert_int_equal(lt_aws_endpoint_check(&endpoint, &err), LEAT_OK);

    static const char *const local[] = {"http://localhost:4567", "http://127.0.0.1",
                                        "https://[::1]:1", "http://user@LocalHost/x",
                                        "http://a.localhost:1"};
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        endpoint = (struct lt_aws_endpoint){.url = local[i]};
        assert_int_equal(lt_aws_endpoint_check(&endpoint, &err), LEAT_OK);
    }
    static const char *const remote[] = {"http://localhost.example:1", "http://127.0.0.1@host",
                                         "http://xlocalhost", "http://128.0.0.1"};
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        endpoint = (struct lt_aws_endpoint){.url = remote[i], .region = "r"};
        assert_int_equal(lt_aws_endpoint_check(&endpoint, &err), LEAT_E_AUTH);
    }
    endpoint = (struct lt_aws_endpoint){.unix_socket = "/tmp/x"};
    assert_int_equal(lt_aws_endpoint_check(&endpoint, &err), LEAT_OK);
}

static void a_session_token_is_sent_and_signed(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", "head:X-Amz-Security-Token: the-token\r\n", 200, "{}", NULL},
        {"PutRecords", "head:Credential=AKID/", 200, "{}", NULL},
        {"PutRecords",
         "head:SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,", 200,
         "{}", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct script script;
    struct leat_error err;
    (void)state;
    script_start(&script, NULL, lines);
    struct lt_aws_endpoint endpoint = endpoint_of(&script);
    endpoint.credentials = (struct lt_aws_credentials){
        .access_key_id = "AKID", .secret_access_key = "secret", .session_token = "the-token"};
    for (int i = 0; i < 3; i++) {
        struct lt_buf body;
        struct lt_json json;
        assert_int_equal(lt_aws_fetch(&endpoint, &put_call, &body, &json, &err), LEAT_OK);
        lt_buf_deinit(&body);
    }
    script_end(&script);
}

static void a_request_of_s3_carries_path_query_and_hash(void **state) {
    static const struct script_line lines[] = {
        {"PUT /base/b/a%20key?x=1&y",
         "head:X-Amz-Content-Sha256: "
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\r\n",
         200, "", "ETag: \"e\"\r\n"},
        {"GET /base/b", NULL, 404, "<Error><Code>NoSuchBucket</Code></Error>", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct script script;
    struct leat_error err;
    struct lt_http_answer answer;
    char url[128];
    (void)state;
    script_start(&script, NULL, lines);
    struct lt_aws_endpoint endpoint = endpoint_of(&script);
    snprintf(url, sizeof(url), "%s/base/", peer_url(script.peer));
    endpoint.url = url;
    assert_int_equal(lt_s3_fetch(&endpoint, "PUT", LT_LIT("/b/a%20key"), LT_LIT("x=1&y"), NULL,
                                 LT_LIT("abc"), &answer, &err),
                     LEAT_OK);
    assert_true(lt_slice_eq_str(lt_http_answer_header(&answer, "etag"), "\"e\""));
    lt_http_answer_deinit(&answer);
    assert_int_equal(
        lt_s3_fetch(&endpoint, "GET", LT_LIT("/b"), LT_LIT(""), NULL, LT_LIT(""), &answer, &err),
        LEAT_E_NOT_FOUND);
    assert_string_equal(err.text, "GET /b: NoSuchBucket (HTTP 404)");
    script_end(&script);
}

static void a_unix_socket_is_spoken_to_with_a_made_up_key(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", "head:Credential=leat/", 200, "{}", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct script script;
    struct leat_error err;
    struct lt_buf body;
    struct lt_json json;
    char dir[] = "/tmp/leat-aws-XXXXXX", path[64];
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s", dir);
    script_start(&script, path, lines);
    const struct lt_aws_endpoint endpoint = {
        .unix_socket = path,
        .credentials = {.access_key_id = "REAL", .secret_access_key = "hidden"}};
    assert_int_equal(lt_aws_fetch(&endpoint, &put_call, &body, &json, &err), LEAT_OK);
    lt_buf_deinit(&body);
    script_end(&script);
    unlink(path);
    rmdir(dir);
}

struct outcome {
    unsigned n_calls;
    leat_status status;
    struct leat_error err;
    char answer[128];
};

static void note(void *ctx, leat_status status, struct lt_json answer,
                 const struct leat_error *err) {
    struct outcome *o = ctx;
    o->n_calls++;
    o->status = status;
    if (err)
        o->err = *err;
    snprintf(o->answer, sizeof(o->answer), "%.*s", LT_FMT(answer.raw));
}

static void calls_on_a_loop_bring_answers_and_errors_without_retry(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", NULL, 200, "{\"b\":2}", NULL},
        {"PutRecords", NULL, 500, "{\"__type\":\"InternalFailure\"}", NULL},
        {"PutRecords", NULL, 0, NULL, NULL}, /* a kept connection: libcurl tries a new one */
        {"PutRecords", NULL, 0, NULL, NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    static const leat_status expected[] = {LEAT_OK, LEAT_E_REMOTE, LEAT_E_NETWORK};
    struct script script;
    struct leat_error err;
    struct outcome o = {0};
    struct lt_http_client *client;
    uv_loop_t loop;
    (void)state;
    script_start(&script, NULL, lines);
    struct lt_aws_endpoint endpoint = endpoint_of(&script);
    assert_int_equal(uv_loop_init(&loop), 0);
    const struct lt_http_client_options opt = {.loop = &loop};
    assert_int_equal(lt_http_client_new(&client, &opt, &err), LEAT_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(lt_aws_start(client, &endpoint, &put_call, note, &o, &err), LEAT_OK);
        assert_int_equal(o.n_calls, i);
        while (o.n_calls == i)
            uv_run(&loop, UV_RUN_ONCE);
        assert_int_equal(o.status, expected[i]);
        if (i == 0)
            assert_string_equal(o.answer, "{\"b\":2}");
        else
            assert_non_null(strstr(o.err.text, "PutRecords at 127.0.0.1:"));
    }
    lt_http_client_free(client);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    script_end(&script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_call_is_signed_and_its_answer_parsed),
        cmocka_unit_test(what_may_pass_is_tried_again),
        cmocka_unit_test(what_will_not_pass_is_told_at_once),
        cmocka_unit_test(nobody_at_a_loopback_is_told_soon),
        cmocka_unit_test(an_endpoint_needs_credentials_and_a_region_unless_it_is_local),
        cmocka_unit_test(a_session_token_is_sent_and_signed),
        cmocka_unit_test(a_request_of_s3_carries_path_query_and_hash),
        cmocka_unit_test(a_unix_socket_is_spoken_to_with_a_made_up_key),
        cmocka_unit_test(calls_on_a_loop_bring_answers_and_errors_without_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
