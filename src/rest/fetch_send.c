/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as it goes out. Only one for the origin of base_url has the API's credentials; for any
 * other, headers that are or hold a secret are left out too.
 */
#include "rest/fetch_parts.h"
#include "rest/url.h"

#include <stdlib.h>
#include <strings.h>

enum { MOST_OWN_HEADERS = 3 };

static bool is_named(const char *line, const char *name) {
    size_t len = strlen(name);
    return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

static bool has_header(const struct lt_rest_fetching *fetching, const char *name) {
    for (size_t i = 0; i < fetching->n_headers; i++)
        if (is_named(fetching->headers[i], name))
            return true;
    return false;
}

static bool is_secret(const struct lt_rest_fetching *fetching, const char *line) {
    return is_named(line, "Authorization") || is_named(line, "Proxy-Authorization") ||
           is_named(line, "Cookie") ||
           lt_rest_mask_hides(fetching->fetcher->mask, lt_slice_str(line));
}

/* The lines of the request; a token's own Authorization is among its headers. */
static const char **list_headers(struct lt_rest_fetching *fetching, const char *credentials) {
    size_t n = 0;
    const char **lines = lt_arena_calloc(
        &fetching->arena, fetching->n_headers + MOST_OWN_HEADERS + 1, sizeof(*lines));
    if (!lines)
        return NULL;
    for (size_t i = 0; i < fetching->n_headers; i++)
        if (!fetching->resource || fetching->own_origin ||
            !is_secret(fetching, fetching->headers[i]))
            lines[n++] = fetching->headers[i];
    if (credentials)
        lines[n++] = credentials;
    if (!has_header(fetching, "Accept"))
        lines[n++] = "Accept: application/json, */*;q=0.5";
    if (fetching->body.len && !has_header(fetching, "Content-Type"))
        lines[n++] = "Content-Type: application/json";
    return lines;
}

leat_status lt_rest_send(struct lt_rest_fetching *fetching, struct leat_error *err) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    const struct lt_rest_api *api = fetcher->api;
    struct lt_rest_credentials credentials = {NULL, NULL};
    char name[320];

    fetching->token = 0;
    if (fetching->resource && fetching->own_origin) {
        if (!fetcher->auth->authorise(&api->auth, fetcher->tokens.value, fetching->url,
                                      &credentials, &fetching->arena))
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
        if (fetcher->auth->ask)
            fetching->token = fetcher->tokens.number;
    }
    const char **headers = list_headers(fetching, credentials.header);
    if (!headers)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
    const struct lt_http_call call = {
        .method = fetching->method,
        .url = credentials.url ? credentials.url : fetching->url,
        .headers = headers,
        .body = fetching->body,
        .max_answer_bytes = api->max_page_bytes,
        .connect_timeout_ms = api->connect_timeout_ms,
        .total_timeout_ms = api->total_timeout_ms ? api->total_timeout_ms : 300000,
        .read_timeout_ms = api->read_timeout_ms ? api->read_timeout_ms : 30000,
        .ca_file = api->ca_file,
        .compressed = true,
        .http2 = true};
    if (fetcher->on_note && fetching->resource)
        lt_rest_note(fetcher, LT_REST_NOTE_REQUEST, 0, "%s", lt_rest_fetching_name(fetching, name));
    leat_status status =
        lt_http_client_start(fetcher->client, &call, lt_rest_on_answer, fetching, err);
    if (status != LEAT_OK) {
        struct leat_error cause = *err;
        return lt_rest_no_answer_error(fetching, &cause, err);
    }
    return LEAT_OK;
}
