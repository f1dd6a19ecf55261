/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/url.h"

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

static void a_url_is_split_into_its_parts(void **state) {
    struct lt_rest_url url;
    (void)state;
    assert_true(lt_rest_url_split(LT_LIT("HTTPS://me:pw@h.example:8443/a/b?c=d?e#f"), &url));
    assert_true(lt_slice_eq_str(url.scheme, "HTTPS"));
    assert_true(lt_slice_eq_str(url.user, "me:pw"));
    assert_true(lt_slice_eq_str(url.host, "h.example"));
    assert_true(lt_slice_eq_str(url.port, "8443"));
    assert_true(lt_slice_eq_str(url.path, "/a/b"));
    assert_true(url.has_query);
    assert_true(lt_slice_eq_str(url.query, "c=d?e"));
    assert_true(lt_slice_eq_str(url.fragment, "f"));
    assert_true(lt_rest_url_split(LT_LIT("http://[::1]:80"), &url));
    assert_true(lt_slice_eq_str(url.host, "[::1]"));
    assert_true(lt_slice_eq_str(url.port, "80"));
    assert_int_equal(url.path.len, 0);
    assert_false(url.has_query);
}

static void what_is_no_http_url_is_told(void **state) {
    static const char *const texts[] = {"",           "/a",          "ftp://h/",    "http:/h",
                                        "http://",    "http:///a",   "http://h:x/", "http://[::1",
                                        "http://@/a", "https://:80", "mailto:a@b",  "http://h\\x"};
    struct lt_rest_url url;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(lt_rest_url_split(lt_slice_str(texts[i]), &url));
}

static void an_origin_is_scheme_host_and_port(void **state) {
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"https://h/a", "https://h/b?c", true},  {"https://h", "https://H:443/", true},
        {"http://h:80", "http://h/", true},      {"http://h:080", "http://h/", true},
        {"http://h", "https://h", false},        {"https://h", "https://h:8443", false},
        {"https://h", "https://h.evil", false},  {"https://h", "https://sub.h", false},
        {"https://h", "https://h@evil/", false}, {"https://me:pw@h", "https://h/", true},
        {"https://h", "/relative", false},       {"https://h:443", "http://h:443", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(lt_rest_url_same_origin(lt_slice_str(rows[i].a), lt_slice_str(rows[i].b)),
                         rows[i].same);
}

static void a_path_is_joined_to_the_base_whose_path_stays(void **state) {
    static const char *const rows[][3] = {
        {"https://h/v1", "/albums", "https://h/v1/albums"},
        {"https://h/v1/", "/albums", "https://h/v1/albums"},
        {"https://h/v1/", "albums/", "https://h/v1/albums/"},
        {"https://h", "albums", "https://h/albums"},
        {"https://h", "", "https://h"},
        {"https://h/v1/", "", "https://h/v1/"},
        {"https://h/v1", "?a=1", "https://h/v1?a=1"},
        {"https://h/v1?key=x", "/a?b=2", "https://h/v1/a?key=x&b=2"},
        {"https://h/v1?key=x#frag", "/a", "https://h/v1/a?key=x"},
        {"https://h?key=x", "/a", "https://h/a?key=x"},
        {"https://h/v1", "https://other/x?y#z", "https://other/x?y#z"},
        {"https://h/v1", "/a%2Fb/c", "https://h/v1/a%2Fb/c"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(lt_rest_url_join(rows[i][0], lt_slice_str(rows[i][1]), &arena),
                            rows[i][2]);
}

/* RFC 3986, section 5.4, but for fragments, which no request has. */
static void references_resolve_as_in_the_rfc(void **state) {
    static const char *const rows[][2] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {";x", "http://a/b/c/;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"https://other/x/../y?a=%20", "https://other/x/../y?a=%20"},
        {" /with space\t", "http://a/with%20space"},
        {"?q=\xc3\xa9|x\r\nHost: evil", "http://a/b/c/d;p?q=%C3%A9%7Cx%0D%0AHost:%20evil"},
        {"/p?cursor=a%2Bb+c==", "http://a/p?cursor=a%2Bb+c=="},
    };
    char *out;
    struct leat_error err;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            lt_rest_url_resolve("http://a/b/c/d;p?q", lt_slice_str(rows[i][0]), &arena, &out, &err),
            LEAT_OK);
        assert_string_equal(out, rows[i][1]);
    }
    assert_int_equal(lt_rest_url_resolve("https://h:1?x", LT_LIT("y"), &arena, &out, &err),
                     LEAT_OK);
    assert_string_equal(out, "https://h:1/y");
}

static void a_reference_that_leads_off_http_is_an_error_without_the_link(void **state) {
    static const char *const texts[] = {"ftp://h/secret",    "file:///secret",
                                        "javascript:secret", "//",
                                        "http://",           "http://h:port/secret"};
    char *out;
    struct leat_error err;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(
            lt_rest_url_resolve("http://a/b", lt_slice_str(texts[i]), &arena, &out, &err),
            LEAT_E_PARSE);
        assert_null(out);
        assert_null(strstr(err.text, "secret"));
    }
    lt_arena_deinit(&arena);
    lt_arena_init(&arena, 4);
    assert_int_equal(lt_rest_url_resolve("http://a/b", LT_LIT("/abcdef"), &arena, &out, &err),
                     LEAT_E_NOMEM);
}

static void a_parameter_is_set_where_it_stands_and_the_others_stay(void **state) {
    static const char *const rows[][4] = {
        {"http://h/p", "a", "1", "http://h/p?a=1"},
        {"http://h/p?", "a", "1", "http://h/p?a=1"},
        {"http://h/p?b=%7e&c=+#f", "a", "1 2", "http://h/p?b=%7e&c=+&a=1%202"},
        {"http://h/p?a=0&b=%2f", "a", "5", "http://h/p?a=5&b=%2f"},
        {"http://h/p?x&a=0&b&a=1", "a", "5", "http://h/p?x&a=5&b"},
        {"http://h/p?%61=0", "a", "5", "http://h/p?a=5"},
        {"http://h/p?page%5Bnumber%5D=1", "page[number]", "2", "http://h/p?page%5Bnumber%5D=2"},
        {"http://h/p?aa=0", "a", "tag:new&x", "http://h/p?aa=0&a=tag:new%26x"},
        {"http://h/p?a", "a", "", "http://h/p?a="},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(
            lt_rest_url_set_param(rows[i][0], rows[i][1], lt_slice_str(rows[i][2]), &arena),
            rows[i][3]);
}

static void a_parameter_is_removed_and_read(void **state) {
    (void)state;
    assert_string_equal(lt_rest_url_remove_param("http://h/p?a=1&b=2&a=3", "a", &arena),
                        "http://h/p?b=2");
    assert_string_equal(lt_rest_url_remove_param("http://h/p?a=1", "a", &arena), "http://h/p");
    assert_string_equal(lt_rest_url_remove_param("http://h/p?b=+%7e", "a", &arena),
                        "http://h/p?b=+%7e");
    assert_true(
        lt_slice_eq_str(lt_rest_url_param("http://h/p?b=1&a=x%20y+z", "a", &arena), "x y z"));
    assert_null(lt_rest_url_param("http://h/p?b=1", "a", &arena).data);
}

static void values_are_encoded_for_their_place(void **state) {
    struct lt_buf buf;
    (void)state;
    lt_buf_init(&buf, 1000);
    lt_rest_url_encode_path(&buf, lt_slice("a/b?c#d e%\0:\xc3\xa9-._~", 18));
    assert_string_equal(lt_buf_cstr(&buf), "a%2Fb%3Fc%23d%20e%25%00%3A%C3%A9-._~");
    lt_buf_clear(&buf);
    lt_rest_url_encode_query(&buf, LT_LIT("a/b?c#d e&f=g+h:@,"));
    assert_string_equal(lt_buf_cstr(&buf), "a/b%3Fc%23d%20e%26f%3Dg%2Bh:@,");
    lt_buf_deinit(&buf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_url_is_split_into_its_parts),
        TEST(what_is_no_http_url_is_told),
        TEST(an_origin_is_scheme_host_and_port),
        TEST(a_path_is_joined_to_the_base_whose_path_stays),
        TEST(references_resolve_as_in_the_rfc),
        TEST(a_reference_that_leads_off_http_is_an_error_without_the_link),
        TEST(a_parameter_is_set_where_it_stands_and_the_others_stay),
        TEST(a_parameter_is_removed_and_read),
        TEST(values_are_encoded_for_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
