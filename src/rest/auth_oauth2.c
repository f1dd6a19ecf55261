/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OAuth 2.0 (RFC 6749): client credentials (section 4.4) and a refresh token (section 6). Who asks
 * is said in the form or by HTTP Basic, whose parts are encoded as in a form first (section 2.3.1).
 */
#include "rest/auth.h"
#include "rest/url.h"

enum { IN_FORM, IN_BASIC, FORM_MAX = 1 << 20 };

static bool authorise(const struct lt_rest_auth *auth, const char *token, const char *url,
                      struct lt_rest_credentials *out, struct lt_arena *arena) {
    (void)auth;
    (void)url;
    out->url = NULL;
    out->header = lt_arena_printf(arena, "Authorization: Bearer %s", token);
    return out->header != NULL;
}

static void add(struct lt_buf *form, const char *name, const char *value) {
    if (!value)
        return;
    if (form->len)
        lt_buf_append_byte(form, '&');
    lt_buf_append_str(form, name);
    lt_buf_append_byte(form, '=');
    lt_rest_url_encode_path(form, lt_slice_str(value)); /* all but the unreserved is encoded */
}

static char *encoded(const char *text, struct lt_arena *arena) {
    struct lt_buf buf;
    lt_buf_init(&buf, FORM_MAX);
    lt_rest_url_encode_path(&buf, lt_slice_str(text));
    char *out = buf.failed ? NULL : lt_arena_str(arena, lt_buf_slice(&buf));
    lt_buf_deinit(&buf);
    return out;
}

/* A public client has no secret, and then says its name in the form. */
static bool ask(const struct lt_rest_auth *auth, const char *grant, const char *refresh_token,
                struct lt_rest_token_request *out, struct lt_arena *arena) {
    bool basic = auth->credentials_in == IN_BASIC && auth->client_secret;
    struct lt_buf form;

    *out = (struct lt_rest_token_request){NULL, {NULL, 0}};
    if (basic) {
        const char *id = encoded(auth->client_id, arena);
        const char *secret = encoded(auth->client_secret, arena);
        if (id && secret)
            out->authorization = lt_rest_basic_line(lt_slice_str(id), lt_slice_str(secret), arena);
        if (!out->authorization)
            return false;
    }
    lt_buf_init(&form, FORM_MAX);
    add(&form, "grant_type", grant);
    add(&form, "refresh_token", refresh_token);
    if (!basic) {
        add(&form, "client_id", auth->client_id);
        add(&form, "client_secret", auth->client_secret);
    }
    add(&form, "scope", auth->scope);
    if (!form.failed)
        out->form = lt_arena_dup(arena, lt_buf_slice(&form));
    lt_buf_deinit(&form);
    return out->form.data != NULL;
}

static bool ask_as_client(const struct lt_rest_auth *auth, const char *refresh_token,
                          struct lt_rest_token_request *out, struct lt_arena *arena) {
    (void)refresh_token;
    return ask(auth, "client_credentials", NULL, out, arena);
}

static bool ask_by_refresh(const struct lt_rest_auth *auth, const char *refresh_token,
                           struct lt_rest_token_request *out, struct lt_arena *arena) {
    return ask(auth, "refresh_token", refresh_token ? refresh_token : auth->refresh_token, out,
               arena);
}

const struct lt_rest_auth_kind lt_rest_auth_client_credentials = {
    .kind = "oauth2_client_credentials",
    .authorise = authorise,
    .ask = ask_as_client,
    .to_check = "client_id and client_secret"};

const struct lt_rest_auth_kind lt_rest_auth_refresh_token = {
    .kind = "oauth2_refresh_token",
    .authorise = authorise,
    .ask = ask_by_refresh,
    .to_check = "client_id, client_secret and refresh_token"};
