/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/token: the grant of client credentials, in the form or as HTTP Basic. Any id and secret
 * that are not empty are taken, but the secret "wrong".
 */
#include "base/base64.h"
#include "base/clock.h"
#include "engine/spotify/parts.h"

#include <strings.h>

/* The token endpoint has an error object of its own (RFC 6749, section 5.2). */
static unsigned refuse(struct lt_spotify_call *call, unsigned status, const char *code,
                       const char *description) {
    struct lt_json_writer w;

    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "error");
    lt_json_put_str(&w, code);
    lt_json_key(&w, "error_description");
    lt_json_put_str(&w, description);
    lt_json_end_object(&w);
    return status;
}

static struct lt_slice form_value(const struct lt_spotify_call *call, const char *name) {
    return lt_http_query(lt_http_body(call->request), name, call->arena);
}

static bool is_form(const struct lt_spotify_call *call) {
    struct lt_slice type = lt_http_header(call->request, "Content-Type");
    static const char form[] = "application/x-www-form-urlencoded";

    return type.len >= sizeof(form) - 1 && !strncasecmp(type.data, form, sizeof(form) - 1);
}

/* False where the header is there and not Basic credentials. */
static bool read_basic(struct lt_spotify_call *call, struct lt_slice *id, struct lt_slice *secret) {
    struct lt_slice header = lt_http_header(call->request, "Authorization");
    static const char scheme[] = "Basic ";

    if (!header.data)
        return true;
    if (header.len < sizeof(scheme) - 1 ||
        strncasecmp(header.data, scheme, sizeof(scheme) - 1) != 0)
        return false;
    struct lt_slice code = lt_slice_from(header, sizeof(scheme) - 1);
    char *text = lt_arena_alloc(call->arena, lt_base64_decoded_max(code.len));
    size_t len = text ? lt_base64_decode(code, text) : SIZE_MAX;
    const char *colon = len != SIZE_MAX && len > 0 ? memchr(text, ':', len) : NULL;
    if (!colon)
        return false;
    *id = lt_slice(text, (size_t)(colon - text));
    *secret = lt_slice_from(lt_slice(text, len), id->len + 1);
    return true;
}

unsigned lt_spotify_token_read(struct lt_spotify_call *call) {
    struct lt_slice grant, id, secret;

    if (!is_form(call))
        return refuse(call, 415, "unsupported_media_type",
                      "Content-Type must be application/x-www-form-urlencoded");
    id = form_value(call, "client_id");
    secret = form_value(call, "client_secret");
    if (!read_basic(call, &id, &secret) || id.len == 0)
        return refuse(call, 400, "invalid_client", "Invalid client");
    if (secret.len == 0 || lt_slice_eq_str(secret, "wrong"))
        return refuse(call, 400, "invalid_client", "Invalid client secret");
    grant = form_value(call, "grant_type");
    if (grant.len == 0)
        return refuse(call, 400, "unsupported_grant_type", "grant_type parameter is missing");
    if (!lt_slice_eq_str(grant, "client_credentials"))
        return refuse(call, 400, "unsupported_grant_type", "grant_type must be client_credentials");
    call->words = id;
    return 200;
}

void lt_spotify_token_write(struct lt_spotify_call *call) {
    struct lt_spotify *spotify = call->spotify;
    int64_t expire_ms = spotify->settings.expire_ms;
    const char *token =
        lt_spotify_token_issue(spotify->tokens, call->words, lt_clock_mono_us() + expire_ms * 1000);

    if (!token) {
        call->out.failed = true;
        return;
    }
    spotify->counters.n_tokens++;
    lt_buf_printf(&call->out,
                  "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%lld}", token,
                  (long long)((expire_ms + 999) / 1000));
}
