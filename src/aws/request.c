/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request is put together and signed for one sending: a retry is signed anew, for
 * a signature is good for minutes. The Host header is written here and not left to
 * the HTTP client, because it is signed. To a Unix socket nothing is proved, so the
 * body is not hashed.
 */
#include "aws/request.h"

#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/hash.h"

#include <strings.h>

enum {
    ARENA_MAX = 4 << 20,
    AUTHORIZATION_MAX = 64 << 10,
    MAX_HEADERS = 48,
    TIMEOUT_MS = 60000,
    SLOWEST_BYTES_PER_MS = 64, /* a body may take so long on top */
};

static const struct lt_aws_credentials made_up = {
    .access_key_id = "leat", .secret_access_key = "leat", .source = "none needed"};

struct headers {
    const char *lines[MAX_HEADERS + 1]; /* for the HTTP client, ended by NULL */
    struct lt_sigv4_header pairs[MAX_HEADERS];
    size_t n;
};

/* No credentials are needed, and no region. */
static bool is_local(const struct lt_aws_endpoint *endpoint) {
    return endpoint->unix_socket || lt_http_is_loopback(endpoint->url);
}

leat_status lt_aws_endpoint_check(const struct lt_aws_endpoint *endpoint, struct leat_error *err) {
    const struct lt_aws_credentials *credentials = &endpoint->credentials;
    if (is_local(endpoint))
        return LEAT_OK;
    if (!endpoint->url)
        return lt_fail(err, LEAT_E_INVALID, 0, "no endpoint URL for a service");
    if (!endpoint->region)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "no AWS region is set (--region, AWS_REGION, or `region` in the profile)");
    if (credentials->access_key_id && credentials->secret_access_key)
        return LEAT_OK;
    if (credentials->problem)
        return lt_fail(err, LEAT_E_AUTH, 0, "no AWS credentials: %s", credentials->problem);
    return lt_fail(err, LEAT_E_AUTH, 0,
                   "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a "
                   "profile of ~/.aws/credentials (--profile, AWS_PROFILE)");
}

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to sign a request");
}

leat_status lt_aws_endpoint_copy(struct lt_aws_endpoint *out,
                                 const struct lt_aws_endpoint *endpoint, struct lt_arena *arena,
                                 struct leat_error *err) {
    const char **texts[] = {&out->url,
                            &out->unix_socket,
                            &out->region,
                            &out->credentials.access_key_id,
                            &out->credentials.secret_access_key,
                            &out->credentials.session_token,
                            &out->credentials.source,
                            &out->credentials.problem};
    *out = *endpoint;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (*texts[i] && !(*texts[i] = lt_arena_str(arena, lt_slice_str(*texts[i]))))
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an endpoint");
    }
    return LEAT_OK;
}

/* The authority that goes into Host: no user, no port that the scheme implies. */
static struct lt_slice host_of(const char *url, struct lt_slice *path) {
    bool tls = strncasecmp(url, "https://", 8) == 0;
    const char *at = url + (tls ? 8 : 7);
    struct lt_slice host = {at, strcspn(at, "/?#")};
    struct lt_slice implied = tls ? LT_LIT(":443") : LT_LIT(":80");
    *path = lt_slice_str(at + host.len);
    const char *user = memrchr(host.data, '@', host.len);
    if (user)
        host = lt_slice_from(host, (size_t)(user - host.data) + 1);
    if (host.len > implied.len &&
        !memcmp(host.data + host.len - implied.len, implied.data, implied.len))
        host.len -= implied.len;
    return host;
}

static leat_status add_line(struct headers *headers, const char *line, struct leat_error *err) {
    const char *colon = line ? strchr(line, ':') : NULL;
    if (!line)
        return no_memory(err);
    if (!colon || headers->n == MAX_HEADERS)
        return lt_fail(err, LEAT_E_INVALID, 0, "a request with a malformed header or too many");
    headers->pairs[headers->n].name = lt_slice(line, (size_t)(colon - line));
    headers->pairs[headers->n].value = lt_slice_str(colon + 1);
    headers->lines[headers->n++] = line;
    headers->lines[headers->n] = NULL;
    return LEAT_OK;
}

static leat_status add_headers(struct headers *headers, struct lt_aws_request *request,
                               const struct lt_aws_request_spec *spec, struct lt_slice host,
                               const char *date, const char *hash, const char *token,
                               struct leat_error *err) {
    struct lt_arena *arena = &request->arena;
    leat_status status = add_line(headers, lt_arena_printf(arena, "Host: %.*s", LT_FMT(host)), err);
    if (status == LEAT_OK)
        status = add_line(headers, lt_arena_printf(arena, "X-Amz-Date: %s", date), err);
    if (status == LEAT_OK && spec->s3)
        status = add_line(headers, lt_arena_printf(arena, "X-Amz-Content-Sha256: %s", hash), err);
    if (status == LEAT_OK && token)
        status = add_line(headers, lt_arena_printf(arena, "X-Amz-Security-Token: %s", token), err);
    for (const char *const *line = spec->headers; status == LEAT_OK && line && *line; line++)
        status = add_line(headers, lt_arena_str(arena, lt_slice_str(*line)), err);
    return status;
}

static leat_status authorize(struct headers *headers, struct lt_aws_request *request,
                             const struct lt_sigv4_request *signing,
                             const struct lt_aws_credentials *credentials, struct leat_error *err) {
    struct lt_buf line;
    lt_buf_init(&line, AUTHORIZATION_MAX);
    lt_buf_append_str(&line, "Authorization: ");
    leat_status status = lt_sigv4_sign(signing, credentials, &line, NULL, NULL, err);
    if (status == LEAT_OK)
        status = add_line(headers, lt_arena_str(&request->arena, lt_buf_slice(&line)), err);
    lt_buf_deinit(&line);
    return status;
}

leat_status lt_aws_request_init(struct lt_aws_request *request,
                                const struct lt_aws_endpoint *endpoint,
                                const struct lt_aws_request_spec *spec, struct leat_error *err) {
    const struct lt_aws_credentials *credentials = &endpoint->credentials;
    char date[17], hash[2 * LT_SHA256_BYTES + 1] = "UNSIGNED-PAYLOAD";
    struct lt_slice base_path;
    struct lt_arena *arena = &request->arena;

    memset(request, 0, sizeof(*request));
    lt_arena_init(arena, ARENA_MAX);
    leat_status status = lt_aws_endpoint_check(endpoint, err);
    if (status != LEAT_OK)
        return status;
    if (!credentials->access_key_id || !credentials->secret_access_key || endpoint->unix_socket)
        credentials = &made_up;
    const char *url = endpoint->url ? endpoint->url : "http://localhost";
    struct lt_slice host = host_of(url, &base_path);
    while (base_path.len && base_path.data[base_path.len - 1] == '/')
        base_path.len--;

    int64_t now_ms = lt_clock_wall_ms();
    lt_sigv4_time(now_ms, date);
    if (!endpoint->unix_socket) {
        uint8_t digest[LT_SHA256_BYTES];
        lt_sha256(spec->body, digest);
        lt_hex(digest, sizeof(digest), hash);
    }
    struct headers *headers = lt_arena_calloc(arena, 1, sizeof(*headers));
    char *path = lt_arena_printf(arena, "%.*s%.*s", LT_FMT(base_path), LT_FMT(spec->path));
    if (!headers || !path)
        return no_memory(err);
    status = add_headers(headers, request, spec, host, date, hash, credentials->session_token, err);
    if (status != LEAT_OK)
        return status;
    const struct lt_sigv4_request signing = {
        .method = spec->method,
        .path = lt_slice_str(path),
        .query = spec->query,
        .headers = headers->pairs,
        .n_headers = headers->n,
        .payload_hash = lt_slice_str(hash),
        .s3 = spec->s3,
        .region = endpoint->region ? endpoint->region : "us-east-1",
        .service = spec->service,
        .time_ms = now_ms,
    };
    status = authorize(headers, request, &signing, credentials, err);
    if (status != LEAT_OK)
        return status;
    request->call = (struct lt_http_call){
        .method = spec->method,
        .url = lt_arena_printf(arena, "%.*s%s%s%.*s", (int)(strlen(url) - strlen(base_path.data)),
                               url, path, spec->query.len ? "?" : "", LT_FMT(spec->query)),
        .unix_socket = endpoint->unix_socket,
        .headers = headers->lines,
        .body = spec->body,
        .total_timeout_ms = TIMEOUT_MS + (int64_t)(spec->body.len / SLOWEST_BYTES_PER_MS),
    };
    return request->call.url ? LEAT_OK : no_memory(err);
}

void lt_aws_request_deinit(struct lt_aws_request *request) {
    lt_arena_deinit(&request->arena);
}
