/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object store over S3's protocol, path style. A put is one request with the
 * body's SHA-256, so that the service takes what was sent or nothing. Buckets are
 * listed page by page; a page that does not go on is an error, not an endless loop.
 */
#include "object/s3.h"

#include "aws/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PATH_MAX_BYTES = 8 << 10, /* a key has at most 1,024 bytes; encoded, three times that */
    QUERY_MAX = 16 << 10,
    PAGE_MAX_BYTES = 8 << 20,
    ENDPOINT_MAX = 1 << 20,
};

struct s3_store {
    struct lt_object_store base;
    struct lt_arena arena; /* owns what `endpoint` points to */
    struct lt_aws_endpoint endpoint;
};

static const struct lt_slice no_bytes = {NULL, 0};

static struct s3_store *store_of(struct lt_object_store *store) {
    return (struct s3_store *)store;
}

/* "/bucket" or "/bucket/key", encoded. */
static leat_status make_path(struct lt_buf *path, const char *bucket, struct lt_slice key,
                             struct leat_error *err) {
    lt_buf_init(path, PATH_MAX_BYTES);
    lt_buf_append_byte(path, '/');
    lt_aws_percent_encode(path, lt_slice_str(bucket), false);
    if (key.len) {
        lt_buf_append_byte(path, '/');
        lt_aws_percent_encode(path, key, true);
    }
    if (path->failed)
        return lt_fail(err, LEAT_E_LIMIT, 0, "the key of an object in bucket %s is too long",
                       bucket);
    return LEAT_OK;
}

/* One request of which the answer's status is all that matters. */
static leat_status call(struct s3_store *store, const char *method, const char *bucket,
                        struct lt_slice key, const char *const *headers, struct lt_slice body,
                        struct leat_error *err) {
    struct lt_buf path;
    struct lt_http_answer answer;
    leat_status status = make_path(&path, bucket, key, err);
    if (status == LEAT_OK) {
        status = lt_s3_fetch(&store->endpoint, method, lt_buf_slice(&path), no_bytes, headers, body,
                             &answer, err);
        if (status == LEAT_OK)
            lt_http_answer_deinit(&answer);
    }
    lt_buf_deinit(&path);
    return status;
}

static leat_status put(struct lt_object_store *base, const char *bucket,
                       const struct lt_object_put *object, struct leat_error *err) {
    char type[256], encoding[64];
    const char *headers[] = {type, object->content_encoding ? encoding : NULL, NULL};
    int n = snprintf(type, sizeof(type), "Content-Type: %s",
                     object->content_type ? object->content_type : "application/octet-stream");
    int m = snprintf(encoding, sizeof(encoding), "Content-Encoding: %s",
                     object->content_encoding ? object->content_encoding : "");
    if (n < 0 || (size_t)n >= sizeof(type) || m < 0 || (size_t)m >= sizeof(encoding))
        return lt_fail(err, LEAT_E_INVALID, 0, "an object's content type or encoding is too long");
    if (object->key.len == 0)
        return lt_fail(err, LEAT_E_INVALID, 0, "an object for bucket %s has no key", bucket);
    struct lt_buf whole;
    struct lt_slice data = object->data;
    leat_status status = LEAT_OK;
    lt_buf_init(&whole, PTRDIFF_MAX);
    if (object->n_rest) {
        status = lt_object_put_join(object, &whole, err);
        data = lt_buf_slice(&whole);
    }
    if (status == LEAT_OK)
        status = call(store_of(base), "PUT", bucket, object->key, headers, data, err);
    lt_buf_deinit(&whole);
    return status;
}

/* "Sun, 30 Aug 2015 12:36:00 GMT"; 0 when it is none. */
static int64_t parse_http_date(struct lt_slice text) {
    char copy[64];
    struct tm tm = {0};
    if (text.len >= sizeof(copy))
        return 0;
    snprintf(copy, sizeof(copy), "%.*s", LT_FMT(text));
    const char *end = strptime(copy, "%a, %d %b %Y %H:%M:%S", &tm);
    return end ? (int64_t)timegm(&tm) * 1000 : 0;
}

static leat_status read_head(const struct lt_http_answer *answer, struct lt_arena *arena,
                             struct lt_object_info *info, struct leat_error *err) {
    struct lt_slice etag = lt_http_answer_header(answer, "ETag");
    struct lt_slice length = lt_http_answer_header(answer, "Content-Length");
    char digits[32];
    char *end;

    snprintf(digits, sizeof(digits), "%.*s", LT_FMT(length));
    info->size = strtoull(digits, &end, 10);
    if (length.len == 0 || length.len >= sizeof(digits) || *end)
        return lt_fail(err, LEAT_E_PARSE, 0, "the service told no length of an object");
    info->modified_ms = parse_http_date(lt_http_answer_header(answer, "Last-Modified"));
    if (etag.len >= 2 && etag.data[0] == '"')
        etag = lt_slice(etag.data + 1, etag.len - 2);
    snprintf(info->etag, sizeof(info->etag), "%.*s", LT_FMT(etag));
    info->content_type = lt_arena_dup(arena, lt_http_answer_header(answer, "Content-Type"));
    info->content_encoding = lt_arena_dup(arena, lt_http_answer_header(answer, "Content-Encoding"));
    if (!info->content_type.data || !info->content_encoding.data || !info->key.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for what is said of an object");
    return LEAT_OK;
}

static leat_status head(struct lt_object_store *base, const char *bucket, struct lt_slice key,
                        struct lt_arena *arena, struct lt_object_info *info,
                        struct leat_error *err) {
    struct lt_buf path;
    struct lt_http_answer answer;

    memset(info, 0, sizeof(*info));
    leat_status status = make_path(&path, bucket, key, err);
    if (status == LEAT_OK)
        status = lt_s3_fetch(&store_of(base)->endpoint, "HEAD", lt_buf_slice(&path), no_bytes, NULL,
                             no_bytes, &answer, err);
    lt_buf_deinit(&path);
    if (status != LEAT_OK)
        return status;
    info->key = lt_arena_dup(arena, key);
    status = read_head(&answer, arena, info, err);
    lt_http_answer_deinit(&answer);
    return status;
}

/* A second creation of one's own bucket is no error everywhere, so it is looked for first. */
static leat_status create_bucket(struct lt_object_store *base, const char *bucket,
                                 struct leat_error *err) {
    struct s3_store *store = store_of(base);
    const char *region = store->endpoint.region;
    char body[256] = "";

    leat_status status = call(store, "HEAD", bucket, no_bytes, NULL, no_bytes, err);
    if (status == LEAT_OK)
        return lt_fail(err, LEAT_E_EXISTS, 0, "bucket %s exists already", bucket);
    if (status == LEAT_E_AUTH && !store->endpoint.unix_socket)
        return lt_error_prefix(err, "bucket %s may be another account's", bucket);
    if (status != LEAT_E_NOT_FOUND)
        return status;
    if (region && strcmp(region, "us-east-1") != 0) {
        int n = snprintf(body, sizeof(body),
                         "<CreateBucketConfiguration "
                         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                         "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
                         region);
        if (n < 0 || (size_t)n >= sizeof(body) || strpbrk(region, "<>&"))
            return lt_fail(err, LEAT_E_INVALID, 0, "'%s' is no AWS region", region);
    }
    return call(store, "PUT", bucket, no_bytes, NULL, lt_slice_str(body), err);
}

/* One page of a listing. */
struct page {
    struct lt_arena arena;
    struct lt_slice *keys;
    size_t n_keys, cap_keys;
    uint64_t n_bytes;
    bool truncated;
    struct lt_slice next;
};

static leat_status add_key(struct page *page, struct lt_slice text, struct leat_error *err) {
    if (page->n_keys == page->cap_keys) {
        size_t cap = page->cap_keys ? page->cap_keys * 2 : 256;
        struct lt_slice *keys = lt_arena_calloc(&page->arena, cap, sizeof(*keys));
        if (!keys)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a page of a bucket");
        if (page->n_keys)
            memcpy(keys, page->keys, page->n_keys * sizeof(*keys));
        page->keys = keys;
        page->cap_keys = cap;
    }
    page->keys[page->n_keys] = lt_arena_dup(&page->arena, text);
    if (!page->keys[page->n_keys].data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a page of a bucket");
    page->n_keys++;
    return LEAT_OK;
}

static leat_status on_leaf(void *ctx, const char *path, struct lt_slice text,
                           struct leat_error *err) {
    struct page *page = ctx;
    if (!strcmp(path, "ListBucketResult/Contents/Key"))
        return add_key(page, text, err);
    if (!strcmp(path, "ListBucketResult/Contents/Size")) {
        char digits[32], *end;
        snprintf(digits, sizeof(digits), "%.*s", LT_FMT(text));
        unsigned long long size = strtoull(digits, &end, 10);
        if (*end || __builtin_add_overflow(page->n_bytes, size, &page->n_bytes))
            return lt_fail(err, LEAT_E_PARSE, 0, "an object in a listing has no proper size");
    } else if (!strcmp(path, "ListBucketResult/IsTruncated")) {
        page->truncated = lt_slice_eq_str(text, "true");
    } else if (!strcmp(path, "ListBucketResult/NextContinuationToken")) {
        page->next = lt_arena_dup(&page->arena, text);
    }
    return LEAT_OK;
}

/* Reads the page after `token` (empty: the first). `page` is the caller's to deinit. */
static leat_status list_page(struct s3_store *store, const char *bucket, struct lt_slice token,
                             struct page *page, struct leat_error *err) {
    const struct lt_xml_visitor visitor = {page, on_leaf, NULL};
    struct lt_buf path, query;
    struct lt_http_answer answer = {0};

    memset(page, 0, sizeof(*page));
    lt_arena_init(&page->arena, PAGE_MAX_BYTES);
    lt_buf_init(&query, QUERY_MAX);
    if (token.len) {
        lt_buf_append_str(&query, "continuation-token=");
        lt_aws_percent_encode(&query, token, false);
        lt_buf_append_byte(&query, '&');
    }
    lt_buf_append_str(&query, "list-type=2&max-keys=1000");
    leat_status status = make_path(&path, bucket, no_bytes, err);
    if (status == LEAT_OK)
        status = lt_buf_status(&query, err);
    if (status == LEAT_OK)
        status = lt_s3_fetch(&store->endpoint, "GET", lt_buf_slice(&path), lt_buf_slice(&query),
                             NULL, no_bytes, &answer, err);
    if (status == LEAT_OK)
        status = lt_xml_read(lt_buf_slice(&answer.body), &visitor, err);
    if (status == LEAT_OK && page->truncated &&
        (page->next.len == 0 || lt_slice_eq(page->next, token)))
        status = lt_fail(err, LEAT_E_PARSE, 0,
                         "the listing of bucket %s goes on and does not say from where", bucket);
    lt_http_answer_deinit(&answer);
    lt_buf_deinit(&query);
    lt_buf_deinit(&path);
    return status;
}

/* Deletes what the first page shows until it shows nothing. */
static leat_status remove_objects(struct s3_store *store, const char *bucket,
                                  struct leat_error *err) {
    struct lt_buf first; /* of the page before: it must be gone */
    leat_status status = LEAT_OK;
    size_t n_keys = 1;

    lt_buf_init(&first, PATH_MAX_BYTES);
    while (status == LEAT_OK && n_keys > 0) {
        struct page page = {0};
        status = list_page(store, bucket, no_bytes, &page, err);
        n_keys = page.n_keys;
        if (status == LEAT_OK && n_keys && first.len &&
            lt_slice_eq(page.keys[0], lt_buf_slice(&first)))
            status = lt_fail(err, LEAT_E_REMOTE, 0,
                             "an object of bucket %s is still listed after it was deleted", bucket);
        for (size_t i = 0; status == LEAT_OK && i < n_keys; i++)
            status = call(store, "DELETE", bucket, page.keys[i], NULL, no_bytes, err);
        lt_buf_clear(&first);
        if (status == LEAT_OK && n_keys) {
            lt_buf_append(&first, page.keys[0]);
            status = lt_buf_status(&first, err);
        }
        lt_arena_deinit(&page.arena);
    }
    lt_buf_deinit(&first);
    return status;
}

static leat_status remove_bucket(struct lt_object_store *base, const char *bucket,
                                 bool with_objects, struct leat_error *err) {
    struct s3_store *store = store_of(base);
    leat_status status = with_objects ? remove_objects(store, bucket, err) : LEAT_OK;
    if (status != LEAT_OK)
        return status;
    return call(store, "DELETE", bucket, no_bytes, NULL, no_bytes, err);
}

static leat_status stat_bucket(struct lt_object_store *base, const char *bucket,
                               uint64_t *n_objects, uint64_t *n_bytes, struct leat_error *err) {
    struct lt_buf token;
    leat_status status;
    bool more = true;

    *n_objects = *n_bytes = 0;
    lt_buf_init(&token, QUERY_MAX);
    do {
        struct page page = {0};
        status = list_page(store_of(base), bucket, lt_buf_slice(&token), &page, err);
        *n_objects += page.n_keys;
        if (status == LEAT_OK && __builtin_add_overflow(*n_bytes, page.n_bytes, n_bytes))
            status = lt_fail(err, LEAT_E_PARSE, 0, "the sizes in bucket %s overflow", bucket);
        more = page.truncated;
        lt_buf_clear(&token);
        lt_buf_append(&token, page.next);
        if (status == LEAT_OK)
            status = lt_buf_status(&token, err);
        lt_arena_deinit(&page.arena);
    } while (status == LEAT_OK && more);
    lt_buf_deinit(&token);
    return status;
}

static void close_store(struct lt_object_store *base) {
    if (!base)
        return;
    lt_arena_deinit(&store_of(base)->arena);
    free(base);
}

static const struct lt_object_ops ops = {
    .put = put,
    .head = head,
    .create_bucket = create_bucket,
    .remove_bucket = remove_bucket,
    .stat_bucket = stat_bucket,
    .close = close_store,
};

leat_status lt_object_s3_new(struct lt_object_store **out, const struct lt_aws_endpoint *endpoint,
                             struct leat_error *err) {
    struct s3_store *store = calloc(1, sizeof(*store));

    *out = NULL;
    if (!store)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an object store");
    store->base.ops = &ops;
    lt_arena_init(&store->arena, ENDPOINT_MAX);
    leat_status status = lt_aws_endpoint_copy(&store->endpoint, endpoint, &store->arena, err);
    if (status != LEAT_OK) {
        close_store(&store->base);
        return status;
    }
    *out = &store->base;
    return LEAT_OK;
}
