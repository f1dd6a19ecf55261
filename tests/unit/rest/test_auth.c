/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/auth.h"

static struct lt_arena arena;

static int set_up(void **state) {
    (void)state;
    lt_arena_init(&arena, 8 << 20);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    lt_arena_deinit(&arena);
    return 0;
}

static struct lt_rest_credentials authorise(const struct lt_rest_auth *auth, const char *token) {
    struct lt_rest_credentials out;
    const struct lt_rest_auth_kind *kind = lt_rest_auth_find(auth->kind);
    assert_non_null(kind);
    assert_true(kind->authorise(auth, token, "https://h/p?a=1", &out, &arena));
    return out;
}

static void the_table_has_each_kind_once(void **state) {
    (void)state;
    for (size_t i = 0; lt_rest_auth_kind_names[i]; i++)
        assert_string_equal(lt_rest_auth_find(lt_rest_auth_kind_names[i])->kind,
                            lt_rest_auth_kind_names[i]);
    assert_null(lt_rest_auth_find("digest"));
}

static void none_adds_nothing(void **state) {
    struct lt_rest_auth auth = {.kind = "none"};
    struct lt_rest_credentials out = authorise(&auth, NULL);
    (void)state;
    assert_null(out.header);
    assert_null(out.url);
}

static void a_key_goes_where_it_is_said(void **state) {
    struct lt_rest_auth auth = {.kind = "api_key", .in = 0, .name = "X-Key", .value = "a b"};
    struct lt_rest_credentials out = authorise(&auth, NULL);
    (void)state;
    assert_string_equal(out.header, "X-Key: a b");
    assert_null(out.url);
    auth.in = 1;
    out = authorise(&auth, NULL);
    assert_null(out.header);
    assert_string_equal(out.url, "https://h/p?a=1&X-Key=a%20b");
    auth.in = 2;
    out = authorise(&auth, NULL);
    assert_string_equal(out.header, "Cookie: X-Key=a b");
    assert_null(out.url);
}

static void basic_and_bearer_are_exact(void **state) {
    struct lt_rest_auth basic = {.kind = "basic", .username = "Aladdin", .password = "open sesame"};
    struct lt_rest_auth bearer = {.kind = "bearer", .token = "t0k"};
    (void)state;
    assert_string_equal(authorise(&basic, NULL).header,
                        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_string_equal(authorise(&bearer, NULL).header, "Authorization: Bearer t0k");
}

static struct lt_rest_token_request ask(const struct lt_rest_auth *auth, const char *refresh) {
    struct lt_rest_token_request out;
    assert_true(lt_rest_auth_find(auth->kind)->ask(auth, refresh, &out, &arena));
    return out;
}

static void client_credentials_go_in_the_form_or_by_basic(void **state) {
    struct lt_rest_auth auth = {.kind = "oauth2_client_credentials",
                                .client_id = "id",
                                .client_secret = "s&c",
                                .scope = "a b"};
    struct lt_rest_token_request out = ask(&auth, NULL);
    (void)state;
    assert_string_equal(
        out.form.data,
        "grant_type=client_credentials&client_id=id&client_secret=s%26c&scope=a%20b");
    assert_null(out.authorization);
    auth.credentials_in = 1;
    out = ask(&auth, NULL);
    assert_string_equal(out.form.data, "grant_type=client_credentials&scope=a%20b");
    assert_string_equal(out.authorization, "Authorization: Basic aWQ6cyUyNmM="); /* id:s%26c */
    assert_string_equal(authorise(&auth, "tok").header, "Authorization: Bearer tok");
}

static void a_refresh_uses_the_newest_refresh_token(void **state) {
    struct lt_rest_auth auth = {
        .kind = "oauth2_refresh_token", .client_id = "id", .refresh_token = "r1"};
    (void)state;
    assert_string_equal(ask(&auth, NULL).form.data,
                        "grant_type=refresh_token&refresh_token=r1&client_id=id");
    assert_string_equal(ask(&auth, "r2").form.data,
                        "grant_type=refresh_token&refresh_token=r2&client_id=id");
    auth.credentials_in = 1; /* without a secret there is nothing to say by Basic */
    assert_string_equal(ask(&auth, "r2").form.data,
                        "grant_type=refresh_token&refresh_token=r2&client_id=id");
    auth.client_secret = "s";
    assert_string_equal(ask(&auth, "r2").form.data, "grant_type=refresh_token&refresh_token=r2");
    assert_string_equal(ask(&auth, "r2").authorization, "Authorization: Basic aWQ6cw==");
}

static void a_token_is_read_with_its_life(void **state) {
    static const struct {
        const char *body;
        int64_t life_ms;
    } rows[] = {
        {"{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":3600}", 3600000},
        {"{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":\"60\"}", 60000},
        {"{\"access_token\":\"t\",\"expires_in\":1.5}", 1500},
        {"{\"access_token\":\"t\",\"expires_in\":1e300}", 1000000000000},
        {"{\"access_token\":\"t\"}", 0},
        {"{\"access_token\":\"t\",\"token_type\":null,\"expires_in\":null}", 0},
        {"{\"access_token\":\"t\",\"expires_in\":0}", 0},
        {"{\"access_token\":\"t\",\"expires_in\":-5}", 0},
        {"{\"access_token\":\"t\",\"expires_in\":\"soon\"}", 0},
        {"{\"access_token\":\"t\",\"expires_in\":\"nan\"}", 0},
        {"{\"access_token\":\"t\",\"expires_in\":[1]}", 0},
    };
    struct lt_rest_token token;
    struct leat_error err;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(lt_rest_token_read(&token, lt_slice_str(rows[i].body), &arena, &err),
                         LEAT_OK);
        assert_string_equal(token.value, "t");
        assert_true(token.life_ms == rows[i].life_ms);
        assert_null(token.refresh_token);
    }
    assert_int_equal(lt_rest_token_read(&token,
                                        LT_LIT("{\"access_token\":\"t\",\"refresh_token\":\"r\"}"),
                                        &arena, &err),
                     LEAT_OK);
    assert_string_equal(token.refresh_token, "r");
}

static void what_is_no_bearer_token_is_an_error_that_shows_none_of_it(void **state) {
    static const char *const bodies[] = {
        "",
        "secret",
        "[\"secret\"]",
        "{\"token\":\"secret\"}",
        "{\"access_token\":\"\"}",
        "{\"access_token\":5}",
        "{\"access_token\":\"secret\\r\\nX: y\"}",
        "{\"access_token\":\"secret\xc3\xa9\"}",
        "{\"access_token\":\"secret\",\"token_type\":\"mac\"}",
    };
    struct lt_rest_token token;
    struct leat_error err;
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(lt_rest_token_read(&token, lt_slice_str(bodies[i]), &arena, &err),
                         LEAT_E_AUTH);
        assert_null(strstr(err.text, "secret"));
    }
    assert_non_null(strstr(err.text, "of the type mac"));
}

static void a_token_is_renewed_a_minute_ahead_or_in_the_last_tenth_of_its_life(void **state) {
    (void)state;
    assert_int_equal(lt_rest_token_ahead_ms(3600000), 60000);
    assert_int_equal(lt_rest_token_ahead_ms(600000), 60000);
    assert_int_equal(lt_rest_token_ahead_ms(100000), 10000);
    assert_int_equal(lt_rest_token_ahead_ms(1000), 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_table_has_each_kind_once),
        TEST(none_adds_nothing),
        TEST(a_key_goes_where_it_is_said),
        TEST(basic_and_bearer_are_exact),
        TEST(client_credentials_go_in_the_form_or_by_basic),
        TEST(a_refresh_uses_the_newest_refresh_token),
        TEST(a_token_is_read_with_its_life),
        TEST(what_is_no_bearer_token_is_an_error_that_shows_none_of_it),
        TEST(a_token_is_renewed_a_minute_ahead_or_in_the_last_tenth_of_its_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
