/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer against AWS' own vectors (tests/data/aws4_testsuite, from botocore): every one of
 * them, also the four that botocore leaves out for reasons of its own (a space in the request
 * line, and parameters of one name, which Python's parser and dict cannot hold).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client.h"
#include "aws/sigv4.h"
#include "base/hash.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { N_VECTORS = 34, TEXT_MAX = 64 << 10, MAX_VECTORS = 64, MAX_HEADERS = 16 };

static const struct lt_aws_credentials credentials = {
    .access_key_id = "AKIDEXAMPLE",
    .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
static const int64_t vector_time_ms = 1440938160000; /* 2015-08-30T12:36:00Z */

static struct lt_buf read_text(const char *folder, const char *suffix) {
    char path[512], block[4096];
    struct lt_buf raw, text;
    const char *name = strrchr(folder, '/') + 1;
    size_t n;
    snprintf(path, sizeof(path), "%s/%s.%s", folder, name, suffix);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    lt_buf_init(&raw, TEXT_MAX);
    lt_buf_init(&text, TEXT_MAX);
    while ((n = fread(block, 1, sizeof(block), file)) > 0)
        lt_buf_append(&raw, lt_slice(block, n));
    fclose(file);
    for (size_t i = 0; i < raw.len; i++)
        if (raw.data[i] != '\r')
            lt_buf_append_byte(&text, raw.data[i]);
    lt_buf_deinit(&raw);
    return text;
}

struct vector {
    struct lt_buf req, creq, sts, authz;
    char method[16];
    struct lt_sigv4_header headers[MAX_HEADERS];
    char hash[65];
    struct lt_sigv4_request request;
};

static struct lt_slice take_line(struct lt_slice *rest) {
    const char *newline = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct lt_slice line = {rest->data, newline ? (size_t)(newline - rest->data) : rest->len};
    *rest = lt_slice_from(*rest, line.len + (newline ? 1 : 0));
    return line;
}

static void parse_request_line(struct vector *v, struct lt_slice line) {
    const char *space = memchr(line.data, ' ', line.len);
    const char *version = memrchr(line.data, ' ', line.len);
    snprintf(v->method, sizeof(v->method), "%.*s", (int)(space - line.data), line.data);
    struct lt_slice target = {space + 1, (size_t)(version - space) - 1};
    const char *question = memchr(target.data, '?', target.len);
    v->request.path =
        lt_slice(target.data, question ? (size_t)(question - target.data) : target.len);
    v->request.query = lt_slice_from(target, v->request.path.len + 1);
    v->request.method = v->method;
}

static void parse_headers(struct vector *v, struct lt_slice *rest) {
    size_t n = 0;
    while (rest->len) {
        struct lt_slice line = take_line(rest);
        if (line.len == 0)
            break;
        if (line.data[0] == ' ') { /* goes on the line before */
            struct lt_slice *value = &v->headers[n - 1].value;
            value->len = (size_t)(line.data + line.len - value->data);
            continue;
        }
        const char *colon = memchr(line.data, ':', line.len);
        assert_non_null(colon);
        assert_in_range(n, 0, MAX_HEADERS - 1);
        v->headers[n].name = lt_slice(line.data, (size_t)(colon - line.data));
        v->headers[n].value = lt_slice_from(line, v->headers[n].name.len + 1);
        n++;
    }
    v->request.n_headers = n;
}

/* Some vectors have the session token in the canonical form alone: whoever signs adds it. */
static void add_token(struct vector *v) {
    static const struct lt_slice name = LT_LIT("x-amz-security-token");
    for (size_t i = 0; i < v->request.n_headers; i++)
        if (v->headers[i].name.len == name.len)
            return;
    const char *line = strstr(lt_buf_cstr(&v->creq), "\nx-amz-security-token:");
    if (!line)
        return;
    line += 1 + name.len + 1;
    v->headers[v->request.n_headers].name = name;
    v->headers[v->request.n_headers++].value = lt_slice(line, strcspn(line, "\n"));
}

static void load_vector(struct vector *v, const char *folder) {
    uint8_t digest[LT_SHA256_BYTES];
    memset(v, 0, sizeof(*v));
    v->req = read_text(folder, "req");
    v->creq = read_text(folder, "creq");
    v->sts = read_text(folder, "sts");
    v->authz = read_text(folder, "authz");
    struct lt_slice rest = lt_buf_slice(&v->req);
    parse_request_line(v, take_line(&rest));
    parse_headers(v, &rest);
    add_token(v);
    lt_sha256(rest, digest);
    lt_hex(digest, sizeof(digest), v->hash);
    v->request.payload_hash = lt_slice_str(v->hash);
    v->request.headers = v->headers;
    v->request.region = "us-east-1";
    v->request.service = "service";
    v->request.time_ms = vector_time_ms;
}

static void free_vector(struct vector *v) {
    lt_buf_deinit(&v->req);
    lt_buf_deinit(&v->creq);
    lt_buf_deinit(&v->sts);
    lt_buf_deinit(&v->authz);
}

static void check_vector(const char *folder) {
    struct vector v;
    struct lt_buf authorization, canonical, to_sign;
    struct leat_error err;

    load_vector(&v, folder);
    lt_buf_init(&authorization, TEXT_MAX);
    lt_buf_init(&canonical, TEXT_MAX);
    lt_buf_init(&to_sign, TEXT_MAX);
    print_message("%s\n", strrchr(folder, '/') + 1);
    assert_int_equal(
        lt_sigv4_sign(&v.request, &credentials, &authorization, &canonical, &to_sign, &err),
        LEAT_OK);
    assert_string_equal(lt_buf_cstr(&canonical), lt_buf_cstr(&v.creq));
    assert_string_equal(lt_buf_cstr(&to_sign), lt_buf_cstr(&v.sts));
    assert_string_equal(lt_buf_cstr(&authorization), lt_buf_cstr(&v.authz));
    lt_buf_deinit(&authorization);
    lt_buf_deinit(&canonical);
    lt_buf_deinit(&to_sign);
    free_vector(&v);
}

/* A folder with "NAME.req" is a vector; others are looked into. Returns how many were checked. */
static unsigned check_folder(const char *folder) {
    char path[512];
    struct stat st;
    unsigned n = 0;
    snprintf(path, sizeof(path), "%s/%s.req", folder, strrchr(folder, '/') + 1);
    if (stat(path, &st) == 0) {
        check_vector(folder);
        return 1;
    }
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            n += check_folder(path);
    }
    closedir(dir);
    return n;
}

static void every_vector_of_the_suite_is_signed_as_aws_does(void **state) {
    (void)state;
    assert_int_equal(check_folder(TEST_DATA "/aws4_testsuite"), N_VECTORS);
}

static void sign(const struct lt_sigv4_request *request, char canonical[4096]) {
    struct lt_buf authorization, form;
    struct leat_error err;
    lt_buf_init(&authorization, TEXT_MAX);
    lt_buf_init(&form, 4096);
    assert_int_equal(lt_sigv4_sign(request, &credentials, &authorization, &form, NULL, &err),
                     LEAT_OK);
    assert_null(strstr(lt_buf_cstr(&authorization), credentials.secret_access_key));
    snprintf(canonical, 4096, "%s", lt_buf_cstr(&form));
    lt_buf_deinit(&authorization);
    lt_buf_deinit(&form);
}

static struct lt_sigv4_request plain_request(void) {
    static const struct lt_sigv4_header host = {LT_LIT("Host"), LT_LIT("h")};
    return (struct lt_sigv4_request){.method = "GET",
                                     .headers = &host,
                                     .n_headers = 1,
                                     .payload_hash = LT_LIT("UNSIGNED-PAYLOAD"),
                                     .region = "us-east-1",
                                     .service = "s3",
                                     .time_ms = vector_time_ms};
}

static void a_key_of_s3_is_signed_as_it_goes_out(void **state) {
    struct lt_sigv4_request request = plain_request();
    char canonical[4096];
    (void)state;
    request.path = LT_LIT("/bucket/a//b/../c%20d");
    request.s3 = true;
    sign(&request, canonical);
    assert_non_null(strstr(canonical, "GET\n/bucket/a//b/../c%20d\n\nhost:h\n"));
    request.s3 = false;
    sign(&request, canonical);
    assert_non_null(strstr(canonical, "GET\n/bucket/a/c%2520d\n\nhost:h\n"));
}

static void spellings_of_one_query_are_signed_alike(void **state) {
    struct lt_sigv4_request request = plain_request();
    char one[4096], other[4096];
    (void)state;
    request.query = LT_LIT("prefix=a/b&list-type=2&&max-keys=");
    sign(&request, one);
    assert_non_null(strstr(one, "\nlist-type=2&max-keys=&prefix=a%2Fb\n"));
    request.query = LT_LIT("max-keys&list-type=2&prefix=a%2fb");
    sign(&request, other);
    assert_string_equal(one, other);
}

static void a_percent_sign_without_digits_is_itself(void **state) {
    struct lt_sigv4_request request = plain_request();
    char canonical[4096];
    (void)state;
    request.query = LT_LIT("a=100%&b=%zz&c=%4");
    sign(&request, canonical);
    assert_non_null(strstr(canonical, "\na=100%25&b=%25zz&c=%254\n"));
}

static void parameters_sort_by_name_before_value(void **state) {
    struct lt_sigv4_request request = plain_request();
    char canonical[4096];
    (void)state;
    request.query = LT_LIT("a-b=1&a=2&a=1&a.=0");
    sign(&request, canonical);
    assert_non_null(strstr(canonical, "\na=1&a=2&a-b=1&a.=0\n"));
}

static void too_much_to_sign_is_refused(void **state) {
    struct lt_sigv4_request request = plain_request();
    struct lt_sigv4_header many[65];
    struct lt_buf query, authorization;
    struct leat_error err;
    (void)state;
    lt_buf_init(&authorization, TEXT_MAX);
    lt_buf_init(&query, TEXT_MAX);
    for (size_t i = 0; i < 65; i++)
        many[i] = (struct lt_sigv4_header){LT_LIT("X-A"), LT_LIT("1")};
    request.headers = many;
    request.n_headers = 65;
    assert_int_equal(lt_sigv4_sign(&request, &credentials, &authorization, NULL, NULL, &err),
                     LEAT_E_LIMIT);
    request.n_headers = 1;
    for (int i = 0; i < 257; i++)
        lt_buf_append_str(&query, "a=b&");
    request.query = lt_buf_slice(&query);
    assert_int_equal(lt_sigv4_sign(&request, &credentials, &authorization, NULL, NULL, &err),
                     LEAT_E_LIMIT);
    assert_int_equal(authorization.len, 0);
    lt_buf_deinit(&query);
}

static void text_is_encoded_as_aws_wants_it(void **state) {
    struct lt_buf out;
    (void)state;
    lt_buf_init(&out, 1000);
    lt_aws_percent_encode(&out, LT_LIT("a/b c+d~e_f.g-h%\xe1\x88\xb4"), true);
    assert_string_equal(lt_buf_cstr(&out), "a/b%20c%2Bd~e_f.g-h%25%E1%88%B4");
    lt_buf_clear(&out);
    lt_aws_percent_encode(&out, LT_LIT("a/b="), false);
    assert_string_equal(lt_buf_cstr(&out), "a%2Fb%3D");
    lt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_of_the_suite_is_signed_as_aws_does),
        cmocka_unit_test(a_key_of_s3_is_signed_as_it_goes_out),
        cmocka_unit_test(spellings_of_one_query_are_signed_alike),
        cmocka_unit_test(a_percent_sign_without_digits_is_itself),
        cmocka_unit_test(parameters_sort_by_name_before_value),
        cmocka_unit_test(too_much_to_sign_is_refused),
        cmocka_unit_test(text_is_encoded_as_aws_wants_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
