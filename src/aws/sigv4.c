/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4: a canonical form of the request is hashed, and the hash is
 * signed with a key made from the secret, the day, the region and the service.
 * Canonical means: a normalised path, parameters and headers sorted, white space
 * in header values squeezed. All headers that are given are signed.
 */
#include "aws/sigv4.h"

#include "aws/client.h"
#include "base/hash.h"

#include <ctype.h>
#include <stdlib.h>
#include <time.h>

enum {
    CANONICAL_MAX = 1 << 20, /* of the canonical request: services take far less */
    SECRET_MAX = 1024,
    MAX_HEADERS = 64,
    MAX_PARAMETERS = 256,
};

struct parameter {
    struct lt_slice name, value; /* percent-encoded, canonical */
};

void lt_sigv4_time(int64_t ms, char out[17]) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm))
        out[0] = '\0'; /* a year of five digits */
}

/* Resolves "." and "..", drops empty segments, and encodes what is left once more. */
static leat_status append_normal_path(struct lt_buf *out, struct lt_slice path,
                                      struct leat_error *err) {
    struct lt_buf normal;
    struct lt_slice rest = path;

    lt_buf_init(&normal, CANONICAL_MAX);
    while (rest.len) {
        const char *slash = memchr(rest.data, '/', rest.len);
        struct lt_slice segment = {rest.data, slash ? (size_t)(slash - rest.data) : rest.len};
        rest = lt_slice_from(rest, segment.len + (slash ? 1 : 0));
        if (lt_slice_eq(segment, LT_LIT(".."))) {
            const char *last = normal.len ? memrchr(normal.data, '/', normal.len) : NULL;
            normal.len = last ? (size_t)(last - normal.data) : 0;
        } else if (segment.len && !lt_slice_eq(segment, LT_LIT("."))) {
            lt_buf_append_byte(&normal, '/');
            lt_buf_append(&normal, segment);
        }
    }
    if (normal.len == 0 || path.data[path.len - 1] == '/')
        lt_buf_append_byte(&normal, '/');
    lt_aws_percent_encode(out, lt_buf_slice(&normal), true);
    leat_status status = lt_buf_status(&normal, err);
    lt_buf_deinit(&normal);
    return status;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes what is encoded and encodes again, so that every spelling becomes the one that counts. */
static struct lt_slice reencode(struct lt_arena *arena, struct lt_slice text) {
    struct lt_buf out;
    lt_buf_init(&out, CANONICAL_MAX);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%' && i + 2 < text.len && hex_value(text.data[i + 1]) >= 0 &&
            hex_value(text.data[i + 2]) >= 0) {
            c = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
            i += 2;
        }
        lt_aws_percent_encode(&out, lt_slice(&c, 1), false);
    }
    struct lt_slice result = {NULL, 0};
    if (!out.failed)
        result = lt_arena_dup(arena, lt_buf_slice(&out));
    lt_buf_deinit(&out);
    return result;
}

static int compare_parameters(const void *a, const void *b) {
    const struct parameter *x = a, *y = b;
    int by_name = lt_slice_cmp(x->name, y->name);
    return by_name ? by_name : lt_slice_cmp(x->value, y->value);
}

static leat_status append_query(struct lt_buf *out, struct lt_slice query, struct leat_error *err) {
    struct parameter parameters[MAX_PARAMETERS];
    struct lt_arena arena;
    size_t n = 0;
    leat_status status = LEAT_OK;

    lt_arena_init(&arena, CANONICAL_MAX);
    while (query.len && status == LEAT_OK) {
        const char *amp = memchr(query.data, '&', query.len);
        struct lt_slice part = {query.data, amp ? (size_t)(amp - query.data) : query.len};
        query = lt_slice_from(query, part.len + (amp ? 1 : 0));
        if (part.len == 0)
            continue;
        if (n == MAX_PARAMETERS) {
            status = lt_fail(err, LEAT_E_LIMIT, 0, "a request to sign has more than %d parameters",
                             MAX_PARAMETERS);
            break;
        }
        const char *equals = memchr(part.data, '=', part.len);
        size_t name_len = equals ? (size_t)(equals - part.data) : part.len;
        struct parameter *p = &parameters[n++];
        p->name = reencode(&arena, lt_slice(part.data, name_len));
        p->value = reencode(&arena, lt_slice_from(part, name_len + 1));
        if (!p->name.data || !p->value.data)
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to sign a request's parameters");
    }
    if (n)
        qsort(parameters, n, sizeof(parameters[0]), compare_parameters);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (i)
            lt_buf_append_byte(out, '&');
        lt_buf_append(out, parameters[i].name);
        lt_buf_append_byte(out, '=');
        lt_buf_append(out, parameters[i].value);
    }
    lt_arena_deinit(&arena);
    return status;
}

static int compare_names(struct lt_slice a, struct lt_slice b) {
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        int d = tolower((unsigned char)a.data[i]) - tolower((unsigned char)b.data[i]);
        if (d)
            return d;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static void append_lower(struct lt_buf *out, struct lt_slice text) {
    for (size_t i = 0; i < text.len; i++)
        lt_buf_append_byte(out, (char)tolower((unsigned char)text.data[i]));
}

/* Without white space around it, and with one space for each run of it within. */
static void append_squeezed(struct lt_buf *out, struct lt_slice text) {
    bool gap = false, any = false;
    for (size_t i = 0; i < text.len; i++) {
        if (isspace((unsigned char)text.data[i])) {
            gap = true;
            continue;
        }
        if (gap && any)
            lt_buf_append_byte(out, ' ');
        lt_buf_append_byte(out, text.data[i]);
        any = true;
        gap = false;
    }
}

/* Indices of the headers by name; those of one name in the order they came. */
static void sort_headers(const struct lt_sigv4_request *request, unsigned char *order) {
    for (size_t i = 0; i < request->n_headers; i++) {
        size_t at = i;
        for (; at > 0 &&
               compare_names(request->headers[order[at - 1]].name, request->headers[i].name) > 0;
             at--)
            order[at] = order[at - 1];
        order[at] = (unsigned char)i;
    }
}

static bool same_name_as_before(const struct lt_sigv4_request *request, const unsigned char *order,
                                size_t i) {
    return i > 0 &&
           compare_names(request->headers[order[i]].name, request->headers[order[i - 1]].name) == 0;
}

static void append_headers(struct lt_buf *out, const struct lt_sigv4_request *request,
                           const unsigned char *order) {
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct lt_sigv4_header *header = &request->headers[order[i]];
        if (same_name_as_before(request, order, i)) {
            lt_buf_append_byte(out, ',');
        } else {
            lt_buf_append_str(out, i ? "\n" : "");
            append_lower(out, header->name);
            lt_buf_append_byte(out, ':');
        }
        append_squeezed(out, header->value);
    }
    lt_buf_append_byte(out, '\n');
}

static void append_signed_names(struct lt_buf *out, const struct lt_sigv4_request *request,
                                const unsigned char *order) {
    for (size_t i = 0; i < request->n_headers; i++) {
        if (same_name_as_before(request, order, i))
            continue;
        lt_buf_append_str(out, i ? ";" : "");
        append_lower(out, request->headers[order[i]].name);
    }
}

static leat_status make_canonical(struct lt_buf *out, const struct lt_sigv4_request *request,
                                  const unsigned char *order, struct leat_error *err) {
    leat_status status = LEAT_OK;

    lt_buf_append_str(out, request->method);
    lt_buf_append_byte(out, '\n');
    if (request->path.len == 0)
        lt_buf_append_byte(out, '/');
    else if (request->s3)
        lt_buf_append(out, request->path);
    else
        status = append_normal_path(out, request->path, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_append_byte(out, '\n');
    status = append_query(out, request->query, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_append_byte(out, '\n');
    append_headers(out, request, order);
    lt_buf_append_byte(out, '\n');
    append_signed_names(out, request, order);
    lt_buf_append_byte(out, '\n');
    lt_buf_append(out, request->payload_hash);
    return lt_buf_status(out, err);
}

static struct lt_slice digest_slice(const uint8_t *digest) {
    return lt_slice(digest, LT_SHA256_BYTES);
}

/* HMAC over day, region, service and "aws4_request", each keyed by the one before. */
static leat_status make_signature(const struct lt_sigv4_request *request, const char *secret,
                                  struct lt_slice day, struct lt_slice to_sign,
                                  char hex[2 * LT_SHA256_BYTES + 1], struct leat_error *err) {
    const struct lt_slice parts[] = {day, lt_slice_str(request->region),
                                     lt_slice_str(request->service), LT_LIT("aws4_request"),
                                     to_sign};
    uint8_t key[LT_SHA256_BYTES], next[LT_SHA256_BYTES];
    struct lt_buf first;

    lt_buf_init(&first, SECRET_MAX);
    lt_buf_append_str(&first, "AWS4");
    lt_buf_append_str(&first, secret);
    leat_status status = lt_buf_status(&first, err);
    if (status == LEAT_OK) {
        lt_hmac_sha256(lt_buf_slice(&first), parts[0], key);
        for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++) {
            lt_hmac_sha256(digest_slice(key), parts[i], next);
            memcpy(key, next, sizeof(key));
        }
        lt_hex(key, sizeof(key), hex);
    }
    lt_buf_deinit(&first);
    return status;
}

leat_status lt_sigv4_sign(const struct lt_sigv4_request *request,
                          const struct lt_aws_credentials *credentials,
                          struct lt_buf *authorization, struct lt_buf *canonical,
                          struct lt_buf *to_sign, struct leat_error *err) {
    unsigned char order[MAX_HEADERS];
    uint8_t digest[LT_SHA256_BYTES];
    char hex[2 * LT_SHA256_BYTES + 1], date[17];
    struct lt_buf form, text;

    if (request->n_headers > MAX_HEADERS)
        return lt_fail(err, LEAT_E_LIMIT, 0, "a request to sign has more than %d headers",
                       MAX_HEADERS);
    lt_buf_init(&form, CANONICAL_MAX);
    lt_buf_init(&text, CANONICAL_MAX);
    sort_headers(request, order);
    leat_status status = make_canonical(&form, request, order, err);
    if (status != LEAT_OK)
        goto out;

    lt_sigv4_time(request->time_ms, date);
    lt_sha256(lt_buf_slice(&form), digest);
    lt_hex(digest, sizeof(digest), hex);
    lt_buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", date, date,
                  request->region, request->service, hex);
    status = lt_buf_status(&text, err);
    if (status != LEAT_OK)
        goto out;
    status = make_signature(request, credentials->secret_access_key, lt_slice(date, 8),
                            lt_buf_slice(&text), hex, err);
    if (status != LEAT_OK)
        goto out;

    lt_buf_printf(authorization, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, ",
                  credentials->access_key_id, date, request->region, request->service);
    lt_buf_append_str(authorization, "SignedHeaders=");
    append_signed_names(authorization, request, order);
    lt_buf_printf(authorization, ", Signature=%s", hex);
    status = lt_buf_status(authorization, err);
    if (canonical)
        lt_buf_append(canonical, lt_buf_slice(&form));
    if (to_sign)
        lt_buf_append(to_sign, lt_buf_slice(&text));
out:
    lt_buf_deinit(&form);
    lt_buf_deinit(&text);
    return status;
}
