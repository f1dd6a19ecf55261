/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch_rig.h"

#include <stdio.h>
#include <time.h>

/*
 * The peer gives out tokens "token-1", "token-2", … at /token. What it does with them is the mode.
 */
enum mode {
    PLAIN,          /* any token it gave out is good */
    REVOKES_FIRST,  /* token-1 is refused */
    REFUSES_ALL,    /* none is good */
    SHORT_LIVES,    /* a token lives for 0.3 s by its own word */
    INVALID_CLIENT, /* no token is given */
    FLAKY_ENDPOINT, /* the first two requests for a token fail */
    NO_TOKEN,       /* its answer has none */
    MOVED_ENDPOINT,
    SLOW_ENDPOINT, /* a token takes 50 ms */
};

static struct rig rig;

static bool give_token(int fd) {
    const struct timespec pause = {.tv_nsec = 50000000};
    char body[256];
    if (rig.mode == SLOW_ENDPOINT)
        nanosleep(&pause, NULL);
    pthread_mutex_lock(&rig.mu);
    unsigned number = ++rig.n_tokens;
    pthread_mutex_unlock(&rig.mu);
    snprintf(body, sizeof(body),
             "{\"access_token\":\"token-%u\",\"token_type\":\"Bearer\",\"expires_in\":%s,"
             "\"refresh_token\":\"refresh-%u\"}",
             number, rig.mode == SHORT_LIVES ? "0.3" : "3600", number);
    peer_answer(fd, 200, "", body);
    return true;
}

static bool answer_token(unsigned before, int fd) {
    switch (rig.mode) {
    case INVALID_CLIENT:
        peer_answer(fd, 400, "",
                    "{\"error\":\"invalid_client\",\"error_description\":\"Invalid client secret "
                    "cl1ent-s3cret\"}");
        return true;
    case FLAKY_ENDPOINT:
        if (before >= 2)
            return give_token(fd);
        peer_answer(fd, before ? 429 : 503, "", "");
        return true;
    case NO_TOKEN:
        peer_answer(fd, 200, "", "{\"token\":\"nothing\"}");
        return true;
    case MOVED_ENDPOINT:
        peer_answer(fd, 302, "Location: /elsewhere\r\n", "");
        return true;
    default:
        return give_token(fd);
    }
}

static bool behave(void *ctx, const struct peer_request *request, int fd) {
    char authorization[128] = "";
    unsigned before = rig_see(ctx, "own", request);
    if (!strcmp(request->target, "/token"))
        return answer_token(before, fd);
    peer_header(request, "Authorization", authorization, sizeof(authorization));
    if (rig.mode == REFUSES_ALL || strncmp(authorization, "Bearer token-", 13) != 0 ||
        (rig.mode == REVOKES_FIRST && !strcmp(authorization, "Bearer token-1")))
        peer_answer(fd, 401, "", "{\"error\":{\"message\":\"The access token expired\"}}");
    else
        peer_answer(fd, 200, "", "{}");
    return true;
}

static int set_up(void **state) {
    (void)state;
    rig_start(&rig, behave, NULL);
    rig.api.auth = (struct lt_rest_auth){.kind = "oauth2_client_credentials",
                                         .token_url = rig.token_url,
                                         .client_id = "cl1ent-1d",
                                         .client_secret = "cl1ent-s3cret",
                                         .credentials_in = 1};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (unsigned i = 0; i < rig.n_notes; i++) {
        assert_null(strstr(rig.notes[i].text, "token-"));
        assert_null(strstr(rig.notes[i].text, "s3cret"));
    }
    rig_end(&rig);
    return 0;
}

static void get_side_by_side(struct outcome *outcomes, size_t n) {
    memset(outcomes, 0, n * sizeof(*outcomes));
    for (size_t i = 0; i < n; i++)
        rig_start_get(&rig, "/albums", &outcomes[i]);
    rig_await(&rig, outcomes, n);
}

static void one_token_serves_all_requests(void **state) {
    struct outcome outcomes[20];
    (void)state;
    rig.mode = SLOW_ENDPOINT;
    rig_ready(&rig);
    get_side_by_side(outcomes, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(outcomes[i].status, LEAT_OK);
    get_side_by_side(outcomes, 1);
    assert_int_equal(rig_n_seen(&rig, "POST /token"), 1);
    assert_int_equal(rig_n_seen(&rig, "GET /albums"), 21);
    for (unsigned i = 0; i < 21; i++)
        assert_string_equal(rig_find(&rig, "GET /albums", i)->authorization, "Bearer token-1");
    const struct seen *asked = rig_find(&rig, "POST /token", 0);
    assert_string_equal(asked->body, "grant_type=client_credentials");
    assert_string_equal(asked->authorization, "Basic Y2wxZW50LTFkOmNsMWVudC1zM2NyZXQ=");
    assert_non_null(
        strstr(asked->headers, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_int_equal(rig_n_notes(&rig, LT_REST_NOTE_TOKEN, "a new token, for 3600 s"), 1);
}

static void a_token_that_is_refused_is_renewed_once_for_all(void **state) {
    struct outcome outcomes[16];
    (void)state;
    rig.mode = REVOKES_FIRST;
    rig_ready(&rig);
    get_side_by_side(outcomes, 16);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(outcomes[i].status, LEAT_OK);
    assert_int_equal(rig_n_seen(&rig, "POST /token"), 2);
    assert_int_equal(rig_n_seen(&rig, "GET /albums"), 32);
}

static void a_request_refused_with_a_new_token_too_fails(void **state) {
    (void)state;
    rig.mode = REFUSES_ALL;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/albums");
    assert_int_equal(o.status, LEAT_E_AUTH);
    assert_int_equal(o.http, 401);
    assert_non_null(strstr(o.err.text, "HTTP 401: The access token expired; check client_id and "
                                       "client_secret of source shop"));
    assert_int_equal(rig_n_seen(&rig, "POST /token"), 2);
    assert_int_equal(rig_n_seen(&rig, "GET /albums"), 2);
}

static void a_token_is_renewed_before_its_end(void **state) {
    (void)state;
    rig.mode = SHORT_LIVES;
    rig_ready(&rig);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig_get(&rig, "/albums").status, LEAT_OK);
        rig_pass(&rig, 350);
    }
    assert_int_equal(rig_n_seen(&rig, "POST /token"), 3);
    for (unsigned i = 0; i < 3; i++) {
        char token[32];
        snprintf(token, sizeof(token), "Bearer token-%u", i + 1);
        assert_string_equal(rig_find(&rig, "GET /albums", i)->authorization, token);
    }
}

static void a_refresh_token_that_changes_is_kept(void **state) {
    (void)state;
    rig.mode = SHORT_LIVES;
    rig.api.auth.kind = "oauth2_refresh_token";
    rig.api.auth.refresh_token = "refresh-0";
    rig.api.auth.credentials_in = 0;
    rig_ready(&rig);
    assert_int_equal(rig_get(&rig, "/albums").status, LEAT_OK);
    rig_pass(&rig, 350);
    assert_int_equal(rig_get(&rig, "/albums").status, LEAT_OK);
    assert_string_equal(rig_find(&rig, "POST /token", 0)->body,
                        "grant_type=refresh_token&refresh_token=refresh-0&client_id=cl1ent-1d&"
                        "client_secret=cl1ent-s3cret");
    assert_string_equal(rig_find(&rig, "POST /token", 1)->body,
                        "grant_type=refresh_token&refresh_token=refresh-1&client_id=cl1ent-1d&"
                        "client_secret=cl1ent-s3cret");
}

static void a_client_that_is_not_known_fails_at_once_and_says_what_to_check(void **state) {
    struct outcome outcomes[5];
    (void)state;
    rig.mode = INVALID_CLIENT;
    rig_ready(&rig);
    get_side_by_side(outcomes, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(outcomes[i].status, LEAT_E_AUTH);
        assert_string_equal(outcomes[i].err.code, "invalid_client");
        assert_non_null(strstr(outcomes[i].err.text, "asking for a token: POST http://127"));
        assert_non_null(
            strstr(outcomes[i].err.text,
                   "/token: HTTP 400: invalid_client: Invalid client secret ***; check client_id "
                   "and client_secret of source shop, and the variables"));
    }
    assert_int_equal(rig_n_seen(&rig, NULL), 1);
    assert_int_equal(lt_rest_fetcher_n_active(rig.fetcher), 0);
}

static void a_token_endpoint_that_fails_for_a_while_is_asked_again(void **state) {
    (void)state;
    rig.mode = FLAKY_ENDPOINT;
    rig_ready(&rig);
    assert_int_equal(rig_get(&rig, "/albums").status, LEAT_OK);
    assert_int_equal(rig_n_seen(&rig, "POST /token"), 3);
    assert_int_equal(rig_n_seen(&rig, "GET /albums"), 1);
}

static void an_answer_without_a_token_or_a_redirect_is_an_error(void **state) {
    (void)state;
    rig.mode = NO_TOKEN;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/albums");
    assert_int_equal(o.status, LEAT_E_AUTH);
    assert_non_null(strstr(o.err.text, "has no access_token"));
    rig.mode = MOVED_ENDPOINT;
    o = rig_get(&rig, "/albums");
    assert_int_equal(o.status, LEAT_E_AUTH);
    assert_non_null(strstr(o.err.text, "the token endpoint redirects"));
    assert_int_equal(rig_n_seen(&rig, NULL), 2);
}

static void start_again(void *ctx, struct outcome *outcome) {
    (void)outcome;
    rig_start_get(&rig, "/albums", ctx);
}

static void a_request_started_as_another_fails_asks_for_a_token_of_its_own(void **state) {
    struct outcome second = {0}, first = {.then = start_again, .ctx = &second};
    (void)state;
    rig.mode = INVALID_CLIENT;
    rig_ready(&rig);
    rig_start_get(&rig, "/albums", &first);
    rig_await(&rig, &first, 1);
    rig_await(&rig, &second, 1);
    assert_int_equal(second.status, LEAT_E_AUTH);
    assert_int_equal(rig_n_seen(&rig, "POST /token"), 2);
}

static void free_cancels_a_request_for_a_token(void **state) {
    struct outcome outcome = {0};
    (void)state;
    rig.mode = SLOW_ENDPOINT;
    rig_ready(&rig);
    rig_start_get(&rig, "/albums", &outcome);
    while (rig_n_seen(&rig, NULL) < 1)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    lt_rest_fetcher_free(rig.fetcher);
    rig.fetcher = NULL;
    assert_int_equal(outcome.n_calls, 1);
    assert_int_equal(outcome.status, LEAT_E_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_token_serves_all_requests),
        TEST(a_token_that_is_refused_is_renewed_once_for_all),
        TEST(a_request_refused_with_a_new_token_too_fails),
        TEST(a_token_is_renewed_before_its_end),
        TEST(a_refresh_token_that_changes_is_kept),
        TEST(a_client_that_is_not_known_fails_at_once_and_says_what_to_check),
        TEST(a_token_endpoint_that_fails_for_a_while_is_asked_again),
        TEST(an_answer_without_a_token_or_a_redirect_is_an_error),
        TEST(a_request_started_as_another_fails_asks_for_a_token_of_its_own),
        TEST(free_cancels_a_request_for_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
