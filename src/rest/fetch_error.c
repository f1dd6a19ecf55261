/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an error of a request says: which resource, which request, the HTTP status, the API's own
 * words, and what to do about it. Words of an API are masked: it may send back what it was sent.
 */
#include "rest/fetch_parts.h"
#include "rest/message.h"

#include <stdio.h>
#include <stdlib.h>

static leat_status status_of(unsigned http) {
    switch (http) {
    case 401:
    case 403:
    case 407:
        return LEAT_E_AUTH;
    case 404:
    case 410:
        return LEAT_E_NOT_FOUND;
    case 408:
        return LEAT_E_TIMEOUT;
    case 429:
        return LEAT_E_THROTTLED;
    default:
        return http >= 400 && http < 500 ? LEAT_E_INVALID : LEAT_E_REMOTE;
    }
}

/* "resource tracks: GET https://…" */
static void begin(const struct lt_rest_fetching *fetching, struct lt_buf *text) {
    char name[320];
    if (fetching->resource)
        lt_buf_printf(text, "resource %s", fetching->resource->name);
    else
        lt_buf_append_str(text, "asking for a token");
    lt_buf_printf(text, ": %s", lt_rest_fetching_name(fetching, name));
}

static const char *find_hint(const struct lt_rest_fetching *fetching, unsigned status) {
    const struct lt_rest_resource *resource = fetching->resource;
    for (size_t i = 0; resource && i < resource->n_hints; i++)
        if (resource->hints[i].status == status)
            return resource->hints[i].text;
    return NULL;
}

static void add_message(const struct lt_rest_fetching *fetching,
                        const struct lt_http_answer *answer, struct lt_rest_message *message,
                        struct lt_buf *text) {
    struct lt_buf masked;
    lt_buf_init(&masked, 4096);
    lt_rest_mask_append(fetching->fetcher->mask, lt_slice_str(message->text), &masked);
    if (masked.len)
        lt_buf_printf(text, ": %.*s", (int)masked.len, masked.data);
    lt_buf_clear(&masked);
    lt_rest_mask_append(fetching->fetcher->mask, lt_slice_str(message->code), &masked);
    snprintf(message->code, sizeof(message->code), "%s", lt_buf_cstr(&masked));
    if (message->code[0] && !strstr(message->text, message->code))
        lt_buf_printf(text, " (%s)", message->code);
    if (!message->text[0] && answer->body.len)
        lt_buf_printf(text, " (%zu bytes without a message)", answer->body.len);
    lt_buf_deinit(&masked);
}

static void add_advice(const struct lt_rest_fetching *fetching, unsigned status, const char *code,
                       struct lt_buf *text) {
    const struct lt_rest_fetcher *fetcher = fetching->fetcher;
    const char *hint = find_hint(fetching, status);
    if (hint)
        lt_buf_printf(text, "; %s", hint);
    else if (!fetching->resource && status >= 400 && status < 500 && status != 429)
        lt_buf_printf(text, "; check %s of source %s, and the variables that they are read from%s",
                      fetcher->auth->to_check, fetcher->api->name ? fetcher->api->name : "",
                      strcmp(code, "invalid_grant") == 0
                          ? "; a refresh token that was revoked must be granted anew"
                          : "");
    else if (status == 401 && !fetching->own_origin)
        lt_buf_append_str(text, "; it is not the origin of base_url, and so got no credentials");
    else if (status == 401)
        lt_buf_printf(text, "; check %s of source %s", fetcher->auth->to_check,
                      fetcher->api->name ? fetcher->api->name : "");
}

leat_status lt_rest_answer_error(const struct lt_rest_fetching *fetching,
                                 const struct lt_http_answer *answer, struct leat_error *err) {
    struct lt_rest_message message;
    struct lt_buf text;
    leat_status status = status_of(answer->status);

    /* A token that is refused is refused, whatever the number: but one that may pass may pass. */
    if (!fetching->resource && status != LEAT_E_THROTTLED && answer->status < 500)
        status = LEAT_E_AUTH;
    lt_rest_message_find(&message, lt_buf_slice(&answer->body));
    lt_buf_init(&text, 8192);
    begin(fetching, &text);
    lt_buf_printf(&text, ": HTTP %u", answer->status);
    add_message(fetching, answer, &message, &text);
    add_advice(fetching, answer->status, message.code, &text);
    lt_fail_code(err, status, message.code, "%s", lt_buf_cstr(&text));
    lt_buf_deinit(&text);
    return status;
}

leat_status lt_rest_no_answer_error(const struct lt_rest_fetching *fetching,
                                    const struct leat_error *cause, struct leat_error *err) {
    const struct lt_rest_api *api = fetching->fetcher->api;
    leat_status status = cause->status;
    struct lt_buf text;

    lt_buf_init(&text, 8192);
    begin(fetching, &text);
    lt_buf_append_str(&text, ": ");
    lt_rest_mask_append(fetching->fetcher->mask, lt_slice_str(cause->text), &text);
    if (status == LEAT_E_AUTH && api->ca_file)
        lt_buf_printf(&text, " (with the certificates of ca_file: %s)", api->ca_file);
    else if (status == LEAT_E_AUTH)
        lt_buf_append_str(&text, "; where an authority of your own has signed the server's "
                                 "certificate, name its file in ca_file");
    else if (status == LEAT_E_LIMIT)
        lt_buf_append_str(&text, "; max_page of the source sets the limit");
    lt_fail(err, status, 0, "%s", lt_buf_cstr(&text));
    lt_buf_deinit(&text);
    return status;
}
