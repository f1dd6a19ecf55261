/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers. */
#include "server_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void pipelined_requests_are_answered_in_order(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
                "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
                "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                "POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nfour");
    expect(fd, 200, "one");
    expect(fd, 200, "two");
    expect(fd, 204, "");
    expect(fd, 200, "four");
    close(fd);
    end_peer(&peer);
}

static void request_parts_and_headers_come_as_they_were_sent(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /headers?a=%20b&c HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: %41\r\n\r\n");
    assert_true(hear(fd, false, &heard));
    assert_true(
        lt_slice_eq_str(heard.body, "PUT /headers ? a=%20b&c\nHost=x\nX-Two=1\nx-two=%41\n"));
    lt_buf_deinit(&heard.bytes);
    close(fd);
    end_peer(&peer);
}

static void answer_has_its_headers_date_and_length(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    assert_true(hear(fd, false, &heard));
    assert_non_null(strstr(lt_buf_cstr(&heard.bytes), "Content-Type: text/x-echo\r\n"));
    assert_non_null(strstr(lt_buf_cstr(&heard.bytes), "Content-Length: 2\r\n"));
    assert_non_null(strstr(lt_buf_cstr(&heard.bytes), "Date: "));
    lt_buf_deinit(&heard.bytes);
    close(fd);
    end_peer(&peer);
}

static void head_gets_the_length_without_the_body(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "HEAD /headers HTTP/1.1\r\nHost: x\r\n\r\n"
                "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnext");
    assert_true(hear(fd, true, &heard));
    assert_int_equal(length_in(heard.bytes.data), strlen("HEAD /headers ? \nHost=x\n"));
    lt_buf_deinit(&heard.bytes);
    expect(fd, 200, "next");
    close(fd);
    end_peer(&peer);
}

static void chunked_body_comes_whole(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n");
    usleep(20000);
    say_str(fd, "1;ext=1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n");
    expect(fd, 200, "hello world");
    close(fd);
    end_peer(&peer);
}

static void expect_100_is_answered_before_the_body(void **state) {
    struct peer peer = {0};
    struct heard heard;
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_true(hear(fd, true, &heard));
    assert_int_equal(heard.status, 100);
    lt_buf_deinit(&heard.bytes);
    say_str(fd, "body");
    expect(fd, 200, "body");
    close(fd);
    fd = dial(peer.port);
    say_str(fd,
            "PUT /refuse HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    expect(fd, 403, "no");
    close(fd);
    end_peer(&peer);
}

static void refused_body_is_read_and_the_connection_goes_on(void **state) {
    struct peer peer = {0};
    char *body = calloc(1, 300000);
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n");
    say(fd, body, 300000);
    expect(fd, 403, "no");
    say_str(fd, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1");
    expect(fd, 200, "1");
    close(fd);
    free(body);
    end_peer(&peer);
    assert_int_equal(atomic_load(&peer.n_aborted), 0);
}

static void too_large_body_is_answered_413(void **state) {
    struct peer peer = {0};
    char *body = calloc(1, MAX_BODY_BYTES + 100);
    char head[128];
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    snprintf(head, sizeof(head), "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             MAX_BODY_BYTES + 1);
    say_str(fd, head);
    say(fd, body, MAX_BODY_BYTES + 1);
    expect(fd, 413, NULL);
    snprintf(head, sizeof(head),
             "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
             MAX_BODY_BYTES + 1);
    say_str(fd, head);
    say(fd, body, MAX_BODY_BYTES + 1);
    say_str(fd, "\r\n0\r\n\r\n");
    expect(fd, 413, NULL);
    snprintf(head, sizeof(head), "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             MAX_BODY_BYTES);
    say_str(fd, head);
    say(fd, body, MAX_BODY_BYTES);
    expect(fd, 200, NULL);
    close(fd);
    free(body);
    end_peer(&peer);
    assert_int_equal(atomic_load(&peer.n_aborted), 2);
}

static void huge_body_is_refused_without_being_read(void **state) {
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n");
    expect(fd, 413, NULL);
    expect_end(fd);
    close(fd);
    end_peer(&peer);
}

static void too_many_header_bytes_are_answered_431(void **state) {
    struct peer peer = {0};
    char *line = malloc(4096);
    (void)state;
    start_peer(&peer);
    memset(line, 'a', 4096);
    memcpy(line, "X-Long: ", 8);
    memcpy(line + 4094, "\r\n", 2);
    int fd = dial(peer.port);
    say_str(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 64; i++)
        if (send(fd, line, 4096, MSG_NOSIGNAL) <= 0)
            break;
    struct heard heard;
    if (hear(fd, false, &heard)) { /* a reset may overtake the answer */
        assert_int_equal(heard.status, 431);
        lt_buf_deinit(&heard.bytes);
    }
    close(fd);
    free(line);
    end_peer(&peer);
}

static void garbage_is_answered_or_hung_up(void **state) {
    static const char *const garbage[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
    struct peer peer = {0};
    (void)state;
    start_peer(&peer);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        int fd = dial(peer.port);
        struct heard heard;
        say_str(fd, garbage[i]);
        shutdown(fd, SHUT_WR);
        if (hear(fd, false, &heard)) {
            assert_true(heard.status >= 400);
            lt_buf_deinit(&heard.bytes);
        }
        close(fd);
    }
    int fd = dial(peer.port);
    say_str(fd, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fd, 204, "");
    close(fd);
    end_peer(&peer);
}

static void body_to_file_and_file_as_answer_carry_the_same_bytes(void **state) {
    enum { LEN = 3000000 };
    struct peer peer = {0};
    char *body = malloc(LEN);
    struct heard heard;
    (void)state;
    start_peer(&peer);
    for (size_t i = 0; i < LEN; i++)
        body[i] = (char)(i * 2654435761U >> 13);
    int fd = dial(peer.port);
    say_str(fd, "PUT /to-file HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    say(fd, body, LEN);
    assert_true(hear(fd, false, &heard));
    assert_int_equal(heard.body.len, LEN);
    assert_memory_equal(heard.body.data, body, LEN);
    lt_buf_deinit(&heard.bytes);
    say_str(fd, "PUT /to-file HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    expect(fd, 200, "");
    close(fd);
    free(body);
    end_peer(&peer);
}

static void answer_that_is_cut_has_its_length_and_ends_early(void **state) {
    static const size_t lengths[] = {0, 1, 30000, 99999};
    struct peer peer = {0};
    char *body = malloc(100000), head[128];
    struct lt_buf heard;
    (void)state;
    start_peer(&peer);
    memset(body, 'b', 100000);
    lt_buf_init(&heard, 1 << 20);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        int fd = dial(peer.port);
        snprintf(head, sizeof(head),
                 "POST /cut?%zu HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", lengths[i]);
        say_str(fd, head);
        say(fd, body, 100000);
        lt_buf_clear(&heard);
        for (ssize_t n = 1; n > 0; lt_buf_commit(&heard, n > 0 ? (size_t)n : 0))
            n = read(fd, lt_buf_reserve(&heard, 4096), 4096);
        const char *end = strstr(lt_buf_cstr(&heard), "\r\n\r\n");
        assert_non_null(end);
        assert_int_equal(length_in(heard.data), 100000);
        assert_int_equal(heard.len - (size_t)(end + 4 - heard.data), lengths[i]);
        close(fd);
    }
    lt_buf_deinit(&heard);
    free(body);
    end_peer(&peer);
}

static void failing_body_taker_is_told_and_the_rest_dropped(void **state) {
    struct peer peer = {0};
    char *body = calloc(1, 500000), text[16];
    (void)state;
    start_peer(&peer);
    int fd = dial(peer.port);
    say_str(fd, "PUT /to-failing HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
    say(fd, body, 500000);
    snprintf(text, sizeof(text), "%d", ENOSPC);
    expect(fd, 507, text);
    close(fd);
    free(body);
    end_peer(&peer);
}

static void percent_and_query_decode_or_refuse(void **state) {
    struct lt_arena arena;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    assert_true(lt_slice_eq_str(lt_http_percent_decode(LT_LIT("/a%20b+%2f%C3%bc"), false, &arena),
                                "/a b+/\xc3\xbc"));
    assert_true(lt_slice_eq_str(lt_http_percent_decode(LT_LIT("a+b"), true, &arena), "a b"));
    assert_null(lt_http_percent_decode(LT_LIT("%"), false, &arena).data);
    assert_null(lt_http_percent_decode(LT_LIT("%4"), false, &arena).data);
    assert_null(lt_http_percent_decode(LT_LIT("a%4g"), false, &arena).data);
    assert_int_equal(lt_http_percent_decode(LT_LIT("%41"), false, &arena).len, 1);
    struct lt_slice query = LT_LIT("list-type=2&prefix=a%2Fb%26&empty=&flag&x%2dy=1&prefix=2");
    assert_true(lt_slice_eq_str(lt_http_query(query, "prefix", &arena), "a/b&"));
    assert_true(lt_slice_eq_str(lt_http_query(query, "x-y", &arena), "1"));
    assert_non_null(lt_http_query(query, "flag", &arena).data);
    assert_int_equal(lt_http_query(query, "empty", &arena).len, 0);
    assert_null(lt_http_query(query, "pre", &arena).data);
    assert_null(lt_http_query(LT_LIT(""), "x", &arena).data);
    lt_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(request_parts_and_headers_come_as_they_were_sent),
        cmocka_unit_test(answer_has_its_headers_date_and_length),
        cmocka_unit_test(head_gets_the_length_without_the_body),
        cmocka_unit_test(chunked_body_comes_whole),
        cmocka_unit_test(expect_100_is_answered_before_the_body),
        cmocka_unit_test(refused_body_is_read_and_the_connection_goes_on),
        cmocka_unit_test(too_large_body_is_answered_413),
        cmocka_unit_test(huge_body_is_refused_without_being_read),
        cmocka_unit_test(too_many_header_bytes_are_answered_431),
        cmocka_unit_test(garbage_is_answered_or_hung_up),
        cmocka_unit_test(body_to_file_and_file_as_answer_carry_the_same_bytes),
        cmocka_unit_test(answer_that_is_cut_has_its_length_and_ends_early),
        cmocka_unit_test(failing_body_taker_is_told_and_the_rest_dropped),
        cmocka_unit_test(percent_and_query_decode_or_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
