/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../script.h"
#include "object/s3.h"

#include <stdio.h>

struct fixture {
    struct script script;
    struct lt_object_store *store;
    struct leat_error err;
};

static void open_store(struct fixture *f, const char *region, const struct script_line *lines) {
    script_start(&f->script, NULL, lines);
    const struct lt_aws_endpoint endpoint = {.url = peer_url(f->script.peer), .region = region};
    assert_int_equal(lt_object_s3_new(&f->store, &endpoint, &f->err), LEAT_OK);
}

static void close_store(struct fixture *f) {
    f->store->ops->close(f->store);
    script_end(&f->script);
}

#define LIST                                                                                       \
    "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define END_LIST "</ListBucketResult>"
#define MISSING "<Error><Code>NoSuchBucket</Code></Error>"

static void put_sends_the_object_with_its_type_and_encoding(void **state) {
    static const struct script_line lines[] = {
        {"PUT /lake/a/b%20c/%C3%A9%2B.gz", "head:Content-Type: application/x-ndjson\r\n", 200, "",
         NULL},
        {"PUT /lake/a/b%20c/%C3%A9%2B.gz", "head:Content-Encoding: gzip\r\n", 200, "", NULL},
        {"PUT /lake/empty", "head:Content-Type: application/octet-stream\r\n", 200, "", NULL},
        {"PUT /lake/empty", "head:Content-Length: 0\r\n", 200, "", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    const struct lt_object_put object = {.key = LT_LIT("a/b c/\xc3\xa9+.gz"),
                                         .data = LT_LIT("data"),
                                         .content_type = "application/x-ndjson",
                                         .content_encoding = "gzip"};
    const struct lt_object_put empty = {.key = LT_LIT("empty")};
    struct fixture f;
    (void)state;
    open_store(&f, NULL, lines);
    for (int i = 0; i < 2; i++)
        assert_int_equal(f.store->ops->put(f.store, "lake", &object, &f.err), LEAT_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(f.store->ops->put(f.store, "lake", &empty, &f.err), LEAT_OK);
    close_store(&f);
}

static void put_without_a_bucket_is_told(void **state) {
    static const struct script_line lines[] = {
        {"PUT /lake/a", NULL, 404, MISSING, NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    const struct lt_object_put object = {.key = LT_LIT("a"), .data = LT_LIT("data")};
    const struct lt_object_put nameless = {.data = LT_LIT("data")};
    struct fixture f;
    (void)state;
    open_store(&f, NULL, lines);
    assert_int_equal(f.store->ops->put(f.store, "lake", &object, &f.err), LEAT_E_NOT_FOUND);
    assert_string_equal(f.err.code, "NoSuchBucket");
    assert_int_equal(f.store->ops->put(f.store, "lake", &nameless, &f.err), LEAT_E_INVALID);
    close_store(&f);
}

static void a_put_that_fails_on_the_way_is_sent_again(void **state) {
    static const struct script_line lines[] = {
        {"PUT /lake/a", "data", 503, "<Error><Code>SlowDown</Code></Error>", NULL},
        {"PUT /lake/a", "data", 500, "", NULL},
        {"PUT /lake/a", "data", 200, "", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    const struct lt_object_put object = {.key = LT_LIT("a"), .data = LT_LIT("data")};
    struct fixture f;
    (void)state;
    open_store(&f, NULL, lines);
    assert_int_equal(f.store->ops->put(f.store, "lake", &object, &f.err), LEAT_OK);
    close_store(&f);
}

static void head_tells_what_is_known_of_an_object(void **state) {
    static const struct script_line lines[] = {
        {"HEAD /lake/a", NULL, 200, NULL,
         "Content-Length: 5000000000\r\nETag: \"0123456789abcdef0123456789abcdef\"\r\n"
         "Last-Modified: Sun, 30 Aug 2015 12:36:00 GMT\r\nContent-Type: text/plain\r\n"
         "Content-Encoding: gzip\r\n"},
        {"HEAD /lake/b", NULL, 404, NULL, NULL},
        {"HEAD /lake/c", NULL, 200, NULL, "Content-Length: 3\r\n"},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct lt_object_info info;
    struct lt_arena arena;
    struct fixture f;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    open_store(&f, NULL, lines);
    assert_int_equal(f.store->ops->head(f.store, "lake", LT_LIT("a"), &arena, &info, &f.err),
                     LEAT_OK);
    assert_true(lt_slice_eq_str(info.key, "a"));
    assert_int_equal(info.size, 5000000000);
    assert_int_equal(info.modified_ms, 1440938160000);
    assert_string_equal(info.etag, "0123456789abcdef0123456789abcdef");
    assert_true(lt_slice_eq_str(info.content_type, "text/plain"));
    assert_true(lt_slice_eq_str(info.content_encoding, "gzip"));
    assert_int_equal(f.store->ops->head(f.store, "lake", LT_LIT("b"), &arena, &info, &f.err),
                     LEAT_E_NOT_FOUND);
    assert_int_equal(f.store->ops->head(f.store, "lake", LT_LIT("c"), &arena, &info, &f.err),
                     LEAT_OK);
    assert_int_equal(info.content_encoding.len, 0);
    lt_arena_deinit(&arena);
    close_store(&f);
}

static void a_bucket_is_created_where_it_is_missing(void **state) {
    static const struct script_line lines[] = {
        {"HEAD /lake", NULL, 404, NULL, NULL},
        {"PUT /lake", "<LocationConstraint>eu-west-1</LocationConstraint>", 200, "", NULL},
        {"HEAD /lake", NULL, 200, NULL, NULL},
        {"HEAD /lake", NULL, 404, NULL, NULL},
        {"PUT /lake", NULL, 409, "<Error><Code>BucketAlreadyOwnedByYou</Code></Error>", NULL},
        {"HEAD /lake", NULL, 403, NULL, NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct fixture f;
    (void)state;
    open_store(&f, "eu-west-1", lines);
    assert_int_equal(f.store->ops->create_bucket(f.store, "lake", &f.err), LEAT_OK);
    assert_int_equal(f.store->ops->create_bucket(f.store, "lake", &f.err), LEAT_E_EXISTS);
    assert_int_equal(f.store->ops->create_bucket(f.store, "lake", &f.err), LEAT_E_EXISTS);
    assert_int_equal(f.store->ops->create_bucket(f.store, "lake", &f.err), LEAT_E_AUTH);
    assert_non_null(strstr(f.err.text, "another account"));
    close_store(&f);
}

static void a_bucket_of_the_first_region_names_none(void **state) {
    static const struct script_line lines[] = {
        {"HEAD /lake", NULL, 404, NULL, NULL},
        {"PUT /lake", "head:Content-Length: 0\r\n", 200, "", NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct fixture f;
    (void)state;
    open_store(&f, "us-east-1", lines);
    assert_int_equal(f.store->ops->create_bucket(f.store, "lake", &f.err), LEAT_OK);
    close_store(&f);
}

static void a_bucket_is_removed_with_its_objects_when_asked_to(void **state) {
    static const struct script_line lines[] = {
        {"DELETE /lake", NULL, 409, "<Error><Code>BucketNotEmpty</Code></Error>", NULL},
        {"GET /lake?list-type=2&max-keys=1000", NULL, 200,
         LIST "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
              "<Contents><Key>a&amp;b</Key><Size>1</Size></Contents>"
              "<Contents><Key>c/d</Key><Size>2</Size></Contents>" END_LIST,
         NULL},
        {"DELETE /lake/a%26b", NULL, 204, "", NULL},
        {"DELETE /lake/c/d", NULL, 204, "", NULL},
        {"GET /lake?list-type=2&max-keys=1000", NULL, 200,
         LIST "<Contents><Key>e</Key><Size>1</Size></Contents>" END_LIST, NULL},
        {"DELETE /lake/e", NULL, 204, "", NULL},
        {"GET /lake?list-type=2&max-keys=1000", NULL, 200, LIST END_LIST, NULL},
        {"DELETE /lake", NULL, 204, "", NULL},
        {"DELETE /lake", NULL, 404, MISSING, NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct fixture f;
    (void)state;
    open_store(&f, NULL, lines);
    assert_int_equal(f.store->ops->remove_bucket(f.store, "lake", false, &f.err), LEAT_E_BUSY);
    assert_int_equal(f.store->ops->remove_bucket(f.store, "lake", true, &f.err), LEAT_OK);
    assert_int_equal(f.store->ops->remove_bucket(f.store, "lake", false, &f.err), LEAT_E_NOT_FOUND);
    close_store(&f);
}

static void an_object_that_does_not_go_away_is_an_error_not_a_loop(void **state) {
    static const char page[] = LIST "<Contents><Key>e</Key><Size>1</Size></Contents>" END_LIST;
    static const struct script_line lines[] = {
        {"GET /lake?list-type=2&max-keys=1000", NULL, 200, page, NULL},
        {"DELETE /lake/e", NULL, 204, "", NULL},
        {"GET /lake?list-type=2&max-keys=1000", NULL, 200, page, NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    struct fixture f;
    (void)state;
    open_store(&f, NULL, lines);
    assert_int_equal(f.store->ops->remove_bucket(f.store, "lake", true, &f.err), LEAT_E_REMOTE);
    close_store(&f);
}

static void a_bucket_is_summed_over_all_pages(void **state) {
    static const struct script_line lines[] = {
        {"GET /lake?list-type=2&max-keys=1000", NULL, 200,
         LIST "<IsTruncated>true</IsTruncated><NextContinuationToken>t/1+=</NextContinuationToken>"
              "<Contents><Key>a</Key><Size>1</Size></Contents>"
              "<Contents><Key>b</Key><Size>4000000000</Size></Contents>" END_LIST,
         NULL},
        {"GET /lake?continuation-token=t%2F1%2B%3D&list-type=2&max-keys=1000", NULL, 200,
         LIST
         "<IsTruncated>false</IsTruncated><Contents><Key>c</Key><Size>2</Size></Contents>" END_LIST,
         NULL},
        {"GET /none?list-type=2&max-keys=1000", NULL, 404, MISSING, NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    uint64_t n_objects, n_bytes;
    struct fixture f;
    (void)state;
    open_store(&f, NULL, lines);
    assert_int_equal(f.store->ops->stat_bucket(f.store, "lake", &n_objects, &n_bytes, &f.err),
                     LEAT_OK);
    assert_int_equal(n_objects, 3);
    assert_int_equal(n_bytes, 4000000003);
    assert_int_equal(f.store->ops->stat_bucket(f.store, "none", &n_objects, &n_bytes, &f.err),
                     LEAT_E_NOT_FOUND);
    close_store(&f);
}

static void a_listing_that_makes_no_sense_is_an_error(void **state) {
    static const char *const pages[] = {
        LIST "<IsTruncated>true</IsTruncated>" END_LIST,
        LIST "<Contents><Key>a</Key><Size>many</Size></Contents>" END_LIST,
        LIST "<Contents><Key>a</Key>" END_LIST,
        "{}",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        const struct script_line lines[] = {
            {"GET /lake?list-type=2&max-keys=1000", NULL, 200, pages[i], NULL},
            {NULL, NULL, 0, NULL, NULL},
        };
        uint64_t n_objects, n_bytes;
        struct fixture f;
        open_store(&f, NULL, lines);
        assert_int_equal(f.store->ops->stat_bucket(f.store, "lake", &n_objects, &n_bytes, &f.err),
                         LEAT_E_PARSE);
        close_store(&f);
    }
}

static void a_token_that_comes_again_is_an_error_not_a_loop(void **state) {
    static const char page[] = LIST
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" END_LIST;
    static const struct script_line lines[] = {
        {"GET /lake?list-type=2&max-keys=1000", NULL, 200, page, NULL},
        {"GET /lake?continuation-token=t&list-type=2&max-keys=1000", NULL, 200, page, NULL},
        {NULL, NULL, 0, NULL, NULL},
    };
    uint64_t n_objects, n_bytes;
    struct fixture f;
    (void)state;
    open_store(&f, NULL, lines);
    assert_int_equal(f.store->ops->stat_bucket(f.store, "lake", &n_objects, &n_bytes, &f.err),
                     LEAT_E_PARSE);
    close_store(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_sends_the_object_with_its_type_and_encoding),
        cmocka_unit_test(put_without_a_bucket_is_told),
        cmocka_unit_test(a_put_that_fails_on_the_way_is_sent_again),
        cmocka_unit_test(head_tells_what_is_known_of_an_object),
        cmocka_unit_test(a_bucket_is_created_where_it_is_missing),
        cmocka_unit_test(a_bucket_of_the_first_region_names_none),
        cmocka_unit_test(a_bucket_is_removed_with_its_objects_when_asked_to),
        cmocka_unit_test(an_object_that_does_not_go_away_is_an_error_not_a_loop),
        cmocka_unit_test(a_bucket_is_summed_over_all_pages),
        cmocka_unit_test(a_listing_that_makes_no_sense_is_an_error),
        cmocka_unit_test(a_token_that_comes_again_is_an_error_not_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
