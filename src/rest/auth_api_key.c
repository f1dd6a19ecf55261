/* SPDX-License-Identifier: Apache-2.0 */
/* A key in a header, a query parameter or a cookie. */
#include "rest/auth.h"
#include "rest/url.h"

enum { IN_HEADER, IN_QUERY, IN_COOKIE };

static bool authorise(const struct lt_rest_auth *auth, const char *token, const char *url,
                      struct lt_rest_credentials *out, struct lt_arena *arena) {
    (void)token;
    *out = (struct lt_rest_credentials){NULL, NULL};
    if (auth->in == IN_QUERY) {
        out->url = lt_rest_url_set_param(url, auth->name, lt_slice_str(auth->value), arena);
        return out->url != NULL;
    }
    out->header = auth->in == IN_COOKIE
                      ? lt_arena_printf(arena, "Cookie: %s=%s", auth->name, auth->value)
                      : lt_arena_printf(arena, "%s: %s", auth->name, auth->value);
    return out->header != NULL;
}

const struct lt_rest_auth_kind lt_rest_auth_api_key = {
    .kind = "api_key", .authorise = authorise, .to_check = "auth.api_key.value"};
