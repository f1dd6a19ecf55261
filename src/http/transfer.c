/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request by libcurl. Whatever a peer does, the answer has a maximum of
 * bytes (headers too) and of time; redirects are not followed, no protocol but
 * HTTP is spoken, and the path goes out as it was given (S3 keys hold "/../").
 * Error texts name the peer by host and port alone: URLs and headers hold secrets.
 */
#include "http/transfer.h"

#include <stdlib.h>
#include <strings.h>

enum {
    DEFAULT_ANSWER_MAX = 64 << 20,
    HEADERS_MAX = 256 << 10,
    CONNECT_TIMEOUT_MS = 5000,
    TOTAL_TIMEOUT_MS = 60000,
};

struct url_parts {
    struct lt_slice host; /**< without brackets */
    struct lt_slice port; /**< or empty */
    bool tls;
    bool v6;
};

/* Only what is needed to name the peer and to tell a loopback; libcurl does the real parsing. */
static bool split_url(const char *url, struct url_parts *parts) {
    memset(parts, 0, sizeof(*parts));
    if (!url)
        return false;
    if (strncasecmp(url, "https://", 8) == 0)
        parts->tls = true;
    else if (strncasecmp(url, "http://", 7) != 0)
        return false;
    const char *at = url + (parts->tls ? 8 : 7);
    struct lt_slice authority = {at, strcspn(at, "/?#\\")};
    const char *user = memrchr(authority.data, '@', authority.len);
    if (user)
        authority = lt_slice_from(authority, (size_t)(user - authority.data) + 1);

    parts->host = authority;
    const char *end = authority.len && authority.data[0] == '['
                          ? memchr(authority.data, ']', authority.len)
                          : NULL;
    const char *port_from = end ? end : authority.data;
    const char *colon =
        memchr(port_from, ':', authority.len - (size_t)(port_from - authority.data));
    if (colon) {
        parts->host.len = (size_t)(colon - authority.data);
        parts->port = lt_slice_from(authority, parts->host.len + 1);
    }
    if (end) {
        parts->host = lt_slice(authority.data + 1, (size_t)(end - authority.data) - 1);
        parts->v6 = true;
    }
    return parts->host.len > 0;
}

static bool ends_with(struct lt_slice text, struct lt_slice tail) {
    return text.len >= tail.len &&
           strncasecmp(text.data + text.len - tail.len, tail.data, tail.len) == 0;
}

static bool is_loopback(const struct url_parts *parts) {
    if (parts->v6)
        return lt_slice_eq(parts->host, LT_LIT("::1"));
    if (lt_slice_starts(parts->host, LT_LIT("127.")))
        return true;
    return ends_with(parts->host, LT_LIT("localhost")) &&
           (parts->host.len == 9 || parts->host.data[parts->host.len - 10] == '.');
}

bool lt_http_is_loopback(const char *url) {
    struct url_parts parts;
    return split_url(url, &parts) && is_loopback(&parts);
}

static char *name_peer(const struct lt_http_call *call, const struct url_parts *parts) {
    char *name = NULL;
    if (call->unix_socket)
        return strdup(call->unix_socket);
    const char *port = parts->tls ? "443" : "80";
    struct lt_slice shown = parts->port.len ? parts->port : lt_slice_str(port);
    const char *form = parts->v6 ? "[%.*s]:%.*s" : "%.*s:%.*s";
    return asprintf(&name, form, LT_FMT(parts->host), LT_FMT(shown)) < 0 ? NULL : name;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx) {
    struct lt_http_transfer *transfer = ctx;
    struct lt_buf *body = &transfer->answer.body;
    size_t len = size * n;
    transfer->n_signs++;
    if (len > body->max - body->len) {
        transfer->over_limit = true;
        return 0;
    }
    lt_buf_append(body, lt_slice(data, len));
    return body->failed ? 0 : len;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx) {
    struct lt_http_transfer *transfer = ctx;
    struct lt_buf *headers = &transfer->answer.headers;
    struct lt_slice line = {data, size * n};
    transfer->n_signs++;
    /* A status line begins a new answer: what came before was a 1xx or a proxy's. */
    if (lt_slice_starts(line, LT_LIT("HTTP/")))
        lt_buf_clear(headers);
    if (line.len > headers->max - headers->len) {
        transfer->over_header_limit = true;
        return 0;
    }
    lt_buf_append(headers, line);
    return headers->failed ? 0 : line.len;
}

/* libcurl: the connection stands, the request goes out next. */
static int on_connected(void *ctx, char *address, char *local_address, int port, int local_port) {
    struct lt_http_transfer *transfer = ctx;
    (void)address;
    (void)local_address;
    (void)port;
    (void)local_port;
    transfer->n_signs++;
    return CURL_PREREQFUNC_OK;
}

static bool is_header_named(const char *line, const char *name) {
    size_t len = strlen(name);
    return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

static leat_status append_header(struct lt_http_transfer *transfer, const char *line,
                                 struct leat_error *err) {
    struct curl_slist *longer = transfer->curl->slist_append(transfer->headers, line);
    if (!longer)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the headers of a request");
    transfer->headers = longer;
    return LEAT_OK;
}

static leat_status add_headers(struct lt_http_transfer *transfer, const struct lt_http_call *call,
                               struct leat_error *err) {
    bool typed = false;
    for (const char *const *line = call->headers; line && *line; line++) {
        const char *colon = strchr(*line, ':');
        if (!colon || colon == *line || strpbrk(*line, "\r\n"))
            return lt_fail(err, LEAT_E_INVALID, 0, "a header of the request to %s is malformed",
                           transfer->answer.remote);
        /* libcurl drops a header without a value; one that ends with ';' is sent empty. */
        char empty[256];
        const char *sent = *line;
        if (colon[1 + strspn(colon + 1, " \t")] == '\0' &&
            (size_t)(colon - *line) < sizeof(empty) - 2) {
            memcpy(empty, *line, (size_t)(colon - *line));
            memcpy(empty + (colon - *line), ";", 2);
            sent = empty;
        }
        typed = typed || is_header_named(*line, "Content-Type");
        leat_status status = append_header(transfer, sent, err);
        if (status != LEAT_OK)
            return status;
    }
    /* A server that waits with "100 Continue" costs a second; a form's type would be a lie. */
    leat_status status = append_header(transfer, "Expect:", err);
    if (status == LEAT_OK && !typed)
        status = append_header(transfer, "Content-Type:", err);
    return status;
}

/* The last failure among many setopt calls, so that they need not be checked one by one. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_code = setopt(easy, option, value);                                           \
        if (set_code != CURLE_OK)                                                                  \
            code = set_code;                                                                       \
    } while (0)

static CURLcode set_method(struct lt_http_transfer *transfer, const struct lt_http_call *call) {
    typeof(curl_easy_setopt) *setopt = transfer->curl->easy_setopt;
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;
    bool has_body = call->body.len > 0 || !strcmp(call->method, "POST") ||
                    !strcmp(call->method, "PUT") || !strcmp(call->method, "PATCH");

    if (!strcmp(call->method, "HEAD")) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (has_body) {
        SET(CURLOPT_POSTFIELDS, call->body.len ? call->body.data : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(CURLOPT_CUSTOMREQUEST, call->method);
    } else if (strcmp(call->method, "GET") != 0) {
        SET(CURLOPT_CUSTOMREQUEST, call->method);
    }
    return code;
}

static CURLcode set_options(struct lt_http_transfer *transfer, const struct lt_http_call *call,
                            bool direct, bool tls) {
    typeof(curl_easy_setopt) *setopt = transfer->curl->easy_setopt;
    CURL *easy = transfer->easy;
    CURLcode code = set_method(transfer, call);

    SET(CURLOPT_URL, call->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_USERAGENT, "leat/" LEAT_VERSION);
    SET(CURLOPT_HTTPHEADER, transfer->headers);
    SET(CURLOPT_HTTP_VERSION,
        call->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)transfer->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)transfer->total_timeout_ms);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    if (call->read_timeout_ms) {
        SET(CURLOPT_PREREQFUNCTION, on_connected);
        SET(CURLOPT_PREREQDATA, transfer);
    }
    /* Calls that come while the first connection is being made wait to share it. */
    if (call->http2 && tls)
        SET(CURLOPT_PIPEWAIT, 1L);
    if (call->compressed)
        SET(CURLOPT_ACCEPT_ENCODING, "");
    if (call->ca_file)
        SET(CURLOPT_CAINFO, call->ca_file);
    if (call->unix_socket)
        SET(CURLOPT_UNIX_SOCKET_PATH, call->unix_socket);
    if (direct)
        SET(CURLOPT_PROXY, "");
    return code;
}

leat_status lt_http_transfer_init(struct lt_http_transfer *transfer, const struct lt_curl *curl,
                                  CURL *easy, const struct lt_http_call *call,
                                  struct leat_error *err) {
    struct url_parts parts;

    memset(transfer, 0, sizeof(*transfer));
    transfer->curl = curl;
    transfer->easy = easy;
    transfer->max_answer_bytes =
        call->max_answer_bytes ? call->max_answer_bytes : (size_t)DEFAULT_ANSWER_MAX;
    transfer->total_timeout_ms =
        call->total_timeout_ms ? call->total_timeout_ms : (int64_t)TOTAL_TIMEOUT_MS;
    transfer->connect_timeout_ms =
        call->connect_timeout_ms ? call->connect_timeout_ms : (int64_t)CONNECT_TIMEOUT_MS;
    lt_buf_init(&transfer->answer.body, transfer->max_answer_bytes);
    lt_buf_init(&transfer->answer.headers, HEADERS_MAX);

    if (!split_url(call->url, &parts))
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "the address of a request is not an http or https URL");
    transfer->answer.remote = name_peer(call, &parts);
    if (!transfer->answer.remote)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
    leat_status status = add_headers(transfer, call, err);
    if (status != LEAT_OK)
        return status;
    CURLcode code =
        set_options(transfer, call, call->unix_socket || is_loopback(&parts), parts.tls);
    if (code != CURLE_OK)
        return lt_fail(err, code == CURLE_OUT_OF_MEMORY ? LEAT_E_NOMEM : LEAT_E_INVALID, 0,
                       "cannot make a request to %s: %s", transfer->answer.remote,
                       curl->easy_strerror(code));
    return LEAT_OK;
}

/* What is not listed is LEAT_E_NETWORK. A certificate that fails today fails in a second too. */
static leat_status status_of(CURLcode code) {
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return LEAT_E_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return LEAT_E_NOMEM;
    case CURLE_URL_MALFORMAT:
        return LEAT_E_INVALID;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return LEAT_E_AUTH;
    default:
        return LEAT_E_NETWORK;
    }
}

leat_status lt_http_transfer_finish(struct lt_http_transfer *transfer, CURLcode code,
                                    struct leat_error *err) {
    const char *remote = transfer->answer.remote;
    long http_status = 0;

    if (code == CURLE_OK) {
        transfer->curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
        transfer->answer.status = (unsigned)http_status;
        return LEAT_OK;
    }
    if (transfer->over_limit)
        return lt_fail(err, LEAT_E_LIMIT, 0, "the answer of %s is larger than %zu bytes", remote,
                       transfer->max_answer_bytes);
    if (transfer->over_header_limit)
        return lt_fail(err, LEAT_E_LIMIT, 0, "the headers of %s's answer are larger than %d bytes",
                       remote, HEADERS_MAX);
    if (transfer->answer.body.failed || transfer->answer.headers.failed)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the answer of %s", remote);
    const char *reason = transfer->error[0] ? transfer->error : transfer->curl->easy_strerror(code);
    return lt_fail(err, status_of(code), 0, "request to %s: %s", remote, reason);
}

void lt_http_transfer_deinit(struct lt_http_transfer *transfer) {
    if (transfer->curl)
        transfer->curl->slist_free_all(transfer->headers);
    transfer->headers = NULL;
    lt_http_answer_deinit(&transfer->answer);
}

void lt_http_answer_deinit(struct lt_http_answer *answer) {
    if (!answer)
        return;
    lt_buf_deinit(&answer->body);
    lt_buf_deinit(&answer->headers);
    free((void *)answer->remote);
    answer->remote = NULL;
    answer->status = 0;
}

struct lt_slice lt_http_answer_header(const struct lt_http_answer *answer, const char *name) {
    struct lt_slice rest = lt_buf_slice(&answer->headers);
    size_t name_len = strlen(name);
    struct lt_slice found = {NULL, 0};

    while (rest.len) {
        const char *newline = memchr(rest.data, '\n', rest.len);
        struct lt_slice line = {rest.data, newline ? (size_t)(newline - rest.data) : rest.len};
        rest = lt_slice_from(rest, newline ? line.len + 1 : line.len);
        if (line.len <= name_len || line.data[name_len] != ':' ||
            strncasecmp(line.data, name, name_len) != 0)
            continue;
        line = lt_slice_from(line, name_len + 1);
        while (line.len && (*line.data == ' ' || *line.data == '\t'))
            line = lt_slice_from(line, 1);
        while (line.len && strchr(" \t\r", line.data[line.len - 1]))
            line.len--;
        found = line;
    }
    return found;
}
