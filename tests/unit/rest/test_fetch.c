/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch_rig.h"

#include "base/clock.h"
#include "rest/mask.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

static struct rig rig;

static bool count_in(void) {
    pthread_mutex_lock(&rig.mu);
    rig.n_under_way++;
    if (rig.n_under_way > rig.most_under_way)
        rig.most_under_way = rig.n_under_way;
    pthread_mutex_unlock(&rig.mu);
    return true;
}

static void hold(int fd) {
    const struct timespec pause = {.tv_nsec = 20000000};
    count_in();
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&rig.mu);
    rig.n_under_way--;
    pthread_mutex_unlock(&rig.mu);
    peer_answer(fd, 200, "", "held");
}

static bool wait_until_cut(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    poll(&poll_fd, 1, 10000);
    return false;
}

static bool fail_first(unsigned before, const char *target, int fd) {
    if (!strcmp(target, "/flaky-500") && before < 2)
        peer_answer(fd, 500, "", "{\"message\":\"try later\"}");
    else if (!strcmp(target, "/flaky-503") && before < 1)
        peer_answer(fd, 503, "", "");
    else if (!strcmp(target, "/flaky-closed") && before < 1)
        return false;
    else if (!strcmp(target, "/flaky-torn") && before < 1) {
        peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"torn", 45);
        return false;
    } else
        peer_answer(fd, 200, "", "{\"ok\":true}");
    return true;
}

static bool redirect(const char *target, int fd) {
    char headers[256];
    const char *to = NULL;
    if (!strcmp(target, "/moved"))
        to = "albums?x=1#part";
    else if (!strcmp(target, "/far"))
        to = rig.other_url;
    else if (!strcmp(target, "/loop"))
        to = "/loop";
    else if (!strcmp(target, "/odd"))
        to = "ftp://host/x";
    else
        return false;
    snprintf(headers, sizeof(headers), "Location: %s%s\r\n", to,
             !strcmp(target, "/far") ? "/back" : "");
    peer_answer(fd, 302, headers, "");
    return true;
}

static bool behave(void *ctx, const struct peer_request *request, int fd) {
    const char *target = request->target;
    unsigned before = rig_see(ctx, "own", request);
    if (redirect(target, fd))
        return true;
    if (!strncmp(target, "/flaky", 6))
        return fail_first(before, target, fd);
    if (!strcmp(target, "/held"))
        hold(fd);
    else if (!strcmp(target, "/silent"))
        return wait_until_cut(fd);
    else if (!strcmp(target, "/403"))
        peer_answer(fd, 403, "", "{\"error\":{\"status\":403,\"message\":\"Not for s3cr3t/key\"}}");
    else if (!strcmp(target, "/404"))
        peer_answer(fd, 404, "", "<html><title>404 Not Found</title></html>");
    else if (!strcmp(target, "/500"))
        peer_answer(fd, 500, "", "boom");
    else if (!strcmp(target, "/304"))
        peer_answer(fd, 304, "", "");
    else if (!strcmp(target, "/large"))
        peer_answer(fd, 200, "", "0123456789012345678901234567890123456789");
    else if (!strcmp(target, "/quota"))
        peer_answer(fd, 429, "Retry-After: 0\r\n",
                    "{\"error\":{\"message\":\"API rate limit exceeded\",\"reason\":"
                    "\"QUOTA_EXCEEDED\"}}");
    else if (!strcmp(target, "/long-wait"))
        peer_answer(fd, 429, "Retry-After: 3600\r\n", "");
    else if (!strcmp(target, "/busy") && before == 0)
        peer_answer(fd, 429, "Retry-After: 1\r\n", "slow down");
    else if (!strcmp(target, "/down") && before == 0)
        peer_answer(fd, 503, "Retry-After: 1\r\n", "maintenance");
    else
        peer_answer(fd, 200, "X-Page: 1\r\n", "{\"ok\":true}");
    return true;
}

static bool behave_elsewhere(void *ctx, const struct peer_request *request, int fd) {
    char headers[256];
    rig_see(ctx, "other", request);
    if (!strcmp(request->target, "/401")) {
        peer_answer(fd, 401, "", "");
        return true;
    }
    if (strcmp(request->target, "/back") != 0) {
        peer_answer(fd, 200, "", "elsewhere");
        return true;
    }
    snprintf(headers, sizeof(headers), "Location: %s/home\r\n", rig.base_url);
    peer_answer(fd, 307, headers, "");
    return true;
}

static int set_up(void **state) {
    (void)state;
    rig_start(&rig, behave, behave_elsewhere);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rig_end(&rig);
    return 0;
}

static void an_answer_is_given_with_the_url_that_gave_it(void **state) {
    char line[600];
    (void)state;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/albums?limit=2");
    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(o.http, 200);
    assert_string_equal(o.body, "{\"ok\":true}");
    snprintf(line, sizeof(line), "%s/albums?limit=2", rig.base_url);
    assert_string_equal(o.url, line);
    assert_non_null(
        strstr(rig_find(&rig, "GET /albums?limit=2", 0)->headers, "Accept: application/json"));
    assert_int_equal(lt_rest_fetcher_n_active(rig.fetcher), 0);
    assert_int_equal(rig_n_notes(&rig, LT_REST_NOTE_REQUEST, "/albums?limit=2"), 1);
    assert_int_equal(rig_n_notes(&rig, LT_REST_NOTE_ANSWER, "200 GET http"), 1);
}

static void a_post_carries_its_body_as_json(void **state) {
    char url[256];
    struct outcome o = {0};
    const char *headers[] = {"X-One: 1", "Accept: text/x", NULL};
    struct lt_rest_request request = {.resource = &rig.resource,
                                      .method = "POST",
                                      .url = url,
                                      .headers = headers,
                                      .body = LT_LIT("{\"q\":1}")};
    (void)state;
    rig_ready(&rig);
    snprintf(url, sizeof(url), "%s/search", rig.base_url);
    rig_start_request(&rig, &request, &o);
    memset(url, 0, sizeof(url)); /* the strings are copied */
    headers[0] = NULL;
    rig_await(&rig, &o, 1);
    assert_int_equal(o.status, LEAT_OK);
    const struct seen *seen = rig_find(&rig, "POST /search", 0);
    assert_string_equal(seen->body, "{\"q\":1}");
    assert_non_null(strstr(seen->headers, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(seen->headers, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(seen->headers, "\r\nAccept: text/x\r\n"));
}

static void what_may_pass_is_tried_again(void **state) {
    static const char *const targets[] = {"/flaky-500", "/flaky-503", "/flaky-closed",
                                          "/flaky-torn"};
    (void)state;
    rig_ready(&rig);
    for (size_t i = 0; i < 4; i++) {
        struct outcome o = rig_get(&rig, targets[i]);
        assert_int_equal(o.status, LEAT_OK);
        assert_string_equal(o.body, "{\"ok\":true}");
    }
    assert_int_equal(rig_n_seen(&rig, NULL), 3 + 2 + 2 + 2);
    /* libcurl itself tries again where a kept connection is closed. */
    assert_in_range(lt_rest_fetcher_n_retries(rig.fetcher), 4, 5);
    assert_in_range(rig_n_notes(&rig, LT_REST_NOTE_RETRY, "attempt 2 of 5 in "), 3, 4);
    assert_int_equal(rig_n_notes(&rig, LT_REST_NOTE_RETRY, "HTTP 500: try later; attempt"), 2);
}

static void after_the_last_attempt_the_error_says_all(void **state) {
    (void)state;
    rig.api.max_attempts = 2;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/500");
    assert_int_equal(o.status, LEAT_E_REMOTE);
    assert_int_equal(o.http, 500);
    assert_non_null(strstr(o.err.text, "resource albums: GET http://127.0.0.1:"));
    assert_non_null(strstr(o.err.text, "/500: HTTP 500: boom (attempt 2 of 2)"));
    assert_int_equal(rig_n_seen(&rig, "GET /500"), 2);
}

static void what_will_not_pass_fails_at_once_with_message_and_hint(void **state) {
    const char *secrets[] = {"s3cr3t/key"};
    (void)state;
    rig.api.secrets = secrets;
    rig.api.n_secrets = 1;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/403");
    assert_int_equal(o.status, LEAT_E_AUTH);
    assert_non_null(strstr(o.err.text, ": HTTP 403: Not for ***; ask for the right to read it"));
    o = rig_get(&rig, "/404?key=s3cr3t%2Fkey");
    assert_int_equal(o.status, LEAT_OK);
    assert_int_equal(rig_n_notes(&rig, LT_REST_NOTE_REQUEST, "/404?key=***"), 1);
    o = rig_get(&rig, "/404");
    assert_int_equal(o.status, LEAT_E_NOT_FOUND);
    assert_non_null(strstr(o.err.text, "HTTP 404: 404 Not Found"));
    o = rig_get(&rig, "/304");
    assert_int_equal(o.status, LEAT_E_REMOTE);
    assert_int_equal(rig_n_seen(&rig, NULL), 4);
    for (unsigned i = 0; i < rig.n_notes; i++)
        assert_null(strstr(rig.notes[i].text, "s3cr3t"));
}

static void a_page_over_its_limit_names_the_setting(void **state) {
    (void)state;
    rig.api.max_page_bytes = 20;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/large");
    assert_int_equal(o.status, LEAT_E_LIMIT);
    assert_non_null(strstr(o.err.text, "larger than 20 bytes; max_page of the source"));
    assert_int_equal(rig_n_seen(&rig, NULL), 1);
}

static void a_server_that_says_nothing_is_tried_again_and_given_up(void **state) {
    (void)state;
    rig.api.read_timeout_ms = 60;
    rig.api.max_attempts = 2;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/silent");
    assert_int_equal(o.status, LEAT_E_TIMEOUT);
    assert_non_null(strstr(o.err.text, "nothing was received for 60 ms (attempt 2 of 2)"));
    assert_int_equal(rig_n_seen(&rig, "GET /silent"), 2);
}

static void redirects_are_followed_within_bounds(void **state) {
    char url[256];
    (void)state;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/moved");
    assert_int_equal(o.status, LEAT_OK);
    snprintf(url, sizeof(url), "%s/albums?x=1", rig.base_url);
    assert_string_equal(o.url, url);
    assert_int_equal(rig_n_seen(&rig, "GET /albums?x=1"), 1);

    o = rig_get(&rig, "/loop");
    assert_int_equal(o.status, LEAT_E_REMOTE);
    assert_non_null(strstr(o.err.text, "HTTP 302: more than 5 redirects"));
    assert_int_equal(rig_n_seen(&rig, "GET /loop"), 6);
    o = rig_get(&rig, "/odd");
    assert_non_null(strstr(o.err.text, "to what is no http or https URL"));

    struct outcome post = {0};
    struct lt_rest_request request = {.resource = &rig.resource, .method = "POST", .url = url};
    snprintf(url, sizeof(url), "%s/moved", rig.base_url);
    rig_start_request(&rig, &request, &post);
    rig_await(&rig, &post, 1);
    assert_int_equal(post.status, LEAT_E_REMOTE);
    assert_non_null(strstr(post.err.text, "that is no GET is not followed"));
}

static void credentials_go_to_the_origin_of_base_url_alone(void **state) {
    const char *secrets[] = {"hidden-header"};
    const char *headers[] = {"X-Own: hidden-header", "X-Plain: plain", NULL};
    char url[256];
    struct outcome outcomes[2] = {{0}, {0}};
    struct lt_rest_request request = {
        .resource = &rig.resource, .method = "GET", .url = url, .headers = headers};
    (void)state;
    rig.api.auth = (struct lt_rest_auth){.kind = "bearer", .token = "t0ken-t0ken"};
    rig.api.secrets = secrets;
    rig.api.n_secrets = 1;
    rig_ready(&rig);
    /* To the other origin and back: the credentials are there, away, and there again. */
    snprintf(url, sizeof(url), "%s/far", rig.base_url);
    rig_start_request(&rig, &request, &outcomes[0]);
    rig_await(&rig, outcomes, 1);
    assert_int_equal(outcomes[0].status, LEAT_OK);
    assert_string_equal(rig_find(&rig, "GET /far", 0)->authorization, "Bearer t0ken-t0ken");
    assert_non_null(strstr(rig_find(&rig, "GET /far", 0)->headers, "X-Own: hidden-header"));
    assert_string_equal(rig_find(&rig, "GET /back", 0)->who, "other");
    assert_string_equal(rig_find(&rig, "GET /back", 0)->authorization, "");
    assert_null(strstr(rig_find(&rig, "GET /back", 0)->headers, "hidden-header"));
    assert_non_null(strstr(rig_find(&rig, "GET /back", 0)->headers, "X-Plain: plain"));
    assert_string_equal(rig_find(&rig, "GET /home", 0)->authorization, "Bearer t0ken-t0ken");

    /* A `next` link that leads away gets none either, and the refusal says so. */
    snprintf(url, sizeof(url), "%s/401", rig.other_url);
    rig_start_request(&rig, &request, &outcomes[1]);
    rig_await(&rig, &outcomes[1], 1);
    assert_int_equal(outcomes[1].status, LEAT_E_AUTH);
    assert_non_null(strstr(outcomes[1].err.text, "not the origin of base_url"));
    assert_string_equal(rig_find(&rig, "GET /401", 0)->authorization, "");
}

static void a_key_in_the_query_is_sent_and_never_shown(void **state) {
    (void)state;
    rig.api.auth =
        (struct lt_rest_auth){.kind = "api_key", .in = 1, .name = "key", .value = "k3y k3y"};
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/albums?a=1");
    assert_int_equal(o.status, LEAT_OK);
    assert_null(strstr(o.url, "k3y"));
    assert_int_equal(rig_n_seen(&rig, "GET /albums?a=1&key=k3y%20k3y"), 1);
    o = rig_get(&rig, "/404?key=k3y%20k3y"); /* as a link may have it */
    for (unsigned i = 0; i < rig.n_notes; i++)
        assert_null(strstr(rig.notes[i].text, "k3y"));
}

static void no_more_requests_are_under_way_than_allowed(void **state) {
    struct outcome outcomes[12] = {0};
    (void)state;
    rig.api.concurrency = 3;
    rig_ready(&rig);
    for (size_t i = 0; i < 12; i++)
        rig_start_get(&rig, "/held", &outcomes[i]);
    assert_int_equal(lt_rest_fetcher_n_active(rig.fetcher), 12);
    rig_await(&rig, outcomes, 12);
    assert_int_equal(rig_n_seen(&rig, "GET /held"), 12);
    assert_int_equal(rig.most_under_way, 3);
}

static void retry_after_holds_the_whole_host_and_the_wait_is_told(void **state) {
    static const char *const targets[] = {"/busy", "/down"};
    (void)state;
    rig.api.concurrency = 1;
    rig_ready(&rig);
    for (size_t i = 0; i < 2; i++) {
        struct outcome outcomes[3] = {0};
        unsigned n_notes = rig.n_notes;
        int64_t wall_ms = lt_clock_wall_ms();
        rig_start_get(&rig, targets[i], &outcomes[0]);
        rig_start_get(&rig, "/albums", &outcomes[1]);
        rig_start_get(&rig, "/albums", &outcomes[2]);
        rig_await(&rig, outcomes, 3);
        for (int k = 0; k < 3; k++)
            assert_int_equal(outcomes[k].status, LEAT_OK);
        unsigned wait = n_notes;
        while (wait < rig.n_notes && rig.notes[wait].note != LT_REST_NOTE_WAIT)
            wait++;
        assert_true(wait < rig.n_notes);
        assert_non_null(strstr(rig.notes[wait].text, " asks to wait (HTTP "));
        assert_true(rig.notes[wait].until_ms >= wall_ms + 1000);
        /* Nothing was sent between the refusal and the end of the wait. */
        assert_int_equal(rig.notes[wait + 1].note, LT_REST_NOTE_REQUEST);
        assert_true(lt_clock_wall_ms() >= rig.notes[wait].until_ms - 50);
    }
    assert_int_equal(rig_n_notes(&rig, LT_REST_NOTE_WAIT, "asks to wait"), 2);
    assert_int_equal(rig_n_seen(&rig, NULL), 8);
}

static void a_wait_of_zero_still_backs_off_and_the_reason_is_named_at_the_end(void **state) {
    (void)state;
    rig.api.max_attempts = 3;
    rig_ready(&rig);
    int64_t began_us = lt_clock_mono_us();
    struct outcome o = rig_get(&rig, "/quota");
    assert_true(lt_clock_mono_us() - began_us >= 700000); /* 250 ms and 500 ms at least */
    assert_int_equal(o.status, LEAT_E_THROTTLED);
    assert_string_equal(o.err.code, "QUOTA_EXCEEDED");
    assert_non_null(
        strstr(o.err.text, "HTTP 429: API rate limit exceeded (QUOTA_EXCEEDED) (attempt 3 of 3)"));
    assert_int_equal(rig_n_seen(&rig, NULL), 3);
    assert_int_equal(rig_n_notes(&rig, LT_REST_NOTE_WAIT,
                                 "asks for fewer requests (HTTP 429, "
                                 "QUOTA_EXCEEDED); waiting "),
                     2);
}

static void a_wait_longer_than_allowed_is_an_error_that_says_how_long(void **state) {
    (void)state;
    rig_ready(&rig);
    struct outcome o = rig_get(&rig, "/long-wait");
    assert_int_equal(o.status, LEAT_E_THROTTLED);
    assert_int_equal(o.err.retry_after_ms, 3600000);
    assert_non_null(strstr(o.err.text, "; it asks to wait 3600 s, until 2"));
    assert_non_null(strstr(o.err.text, "longer than retry_after_max (300 s)"));
    assert_int_equal(rig_n_seen(&rig, NULL), 1);
}

static void a_rate_spreads_requests_over_time(void **state) {
    struct outcome outcomes[11] = {0};
    (void)state;
    rig.api.rate_per_s = 20;
    rig_ready(&rig);
    int64_t began_us = lt_clock_mono_us();
    for (size_t i = 0; i < 11; i++)
        rig_start_get(&rig, "/albums", &outcomes[i]);
    rig_await(&rig, outcomes, 11);
    assert_true(lt_clock_mono_us() - began_us >= 390000); /* two at once, the others 50 ms apart */
}

static void free_cancels_all_that_is_sent_and_all_that_waits(void **state) {
    struct outcome outcomes[4] = {0};
    (void)state;
    rig.api.concurrency = 2;
    rig_ready(&rig);
    for (size_t i = 0; i < 4; i++)
        rig_start_get(&rig, "/silent", &outcomes[i]);
    while (rig_n_seen(&rig, NULL) < 2)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    lt_rest_fetcher_free(rig.fetcher);
    rig.fetcher = NULL;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(outcomes[i].n_calls, 1);
        assert_int_equal(outcomes[i].status, LEAT_E_CANCELLED);
    }
}

static void free_fetcher(void *ctx, struct outcome *outcome) {
    struct leat_error err;
    struct lt_rest_request request = {
        .resource = &rig.resource, .method = "GET", .url = rig.base_url};
    (void)ctx;
    (void)outcome;
    lt_rest_fetcher_free(rig.fetcher);
    assert_int_equal(lt_rest_fetch(rig.fetcher, &request, NULL, NULL, &err), LEAT_E_CANCELLED);
    rig.fetcher = NULL;
}

static void a_callback_may_free_the_fetcher(void **state) {
    struct outcome outcomes[3] = {{.then = free_fetcher}};
    (void)state;
    rig.api.concurrency = 1;
    rig_ready(&rig);
    for (size_t i = 0; i < 3; i++)
        rig_start_get(&rig, "/albums", &outcomes[i]);
    rig_await(&rig, outcomes, 3);
    assert_int_equal(outcomes[0].status, LEAT_OK);
    assert_int_equal(outcomes[1].status, LEAT_E_CANCELLED);
    assert_int_equal(outcomes[2].status, LEAT_E_CANCELLED);
}

static void what_cannot_be_sent_fails_from_the_loop(void **state) {
    const char *headers[] = {"no colon s3cr3t", NULL};
    struct outcome o = {0};
    struct lt_rest_request request = {
        .resource = &rig.resource, .method = "GET", .headers = headers};
    struct leat_error err;
    (void)state;
    rig_ready(&rig);
    request.url = rig.base_url;
    rig_start_request(&rig, &request, &o);
    assert_int_equal(o.n_calls, 0);
    rig_await(&rig, &o, 1);
    assert_int_equal(o.status, LEAT_E_INVALID);
    assert_null(strstr(o.err.text, "s3cr3t"));
    request.url = "/relative";
    assert_int_equal(lt_rest_fetch(rig.fetcher, &request, NULL, NULL, &err), LEAT_E_INVALID);
    assert_int_equal(rig_n_seen(&rig, NULL), 0);
    rig.api.auth.kind = "digest";
    struct lt_rest_fetcher *fetcher;
    struct lt_rest_fetcher_options opt = {.api = &rig.api, .loop = &rig.loop};
    assert_int_equal(lt_rest_fetcher_new(&fetcher, &opt, &err), LEAT_E_CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_given_with_the_url_that_gave_it),
        TEST(a_post_carries_its_body_as_json),
        TEST(what_may_pass_is_tried_again),
        TEST(after_the_last_attempt_the_error_says_all),
        TEST(what_will_not_pass_fails_at_once_with_message_and_hint),
        TEST(a_page_over_its_limit_names_the_setting),
        TEST(a_server_that_says_nothing_is_tried_again_and_given_up),
        TEST(redirects_are_followed_within_bounds),
        TEST(credentials_go_to_the_origin_of_base_url_alone),
        TEST(a_key_in_the_query_is_sent_and_never_shown),
        TEST(no_more_requests_are_under_way_than_allowed),
        TEST(retry_after_holds_the_whole_host_and_the_wait_is_told),
        TEST(a_wait_of_zero_still_backs_off_and_the_reason_is_named_at_the_end),
        TEST(a_wait_longer_than_allowed_is_an_error_that_says_how_long),
        TEST(a_rate_spreads_requests_over_time),
        TEST(free_cancels_all_that_is_sent_and_all_that_waits),
        TEST(a_callback_may_free_the_fetcher),
        TEST(what_cannot_be_sent_fails_from_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
