/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/auth.h"

static bool authorise(const struct lt_rest_auth *auth, const char *token, const char *url,
                      struct lt_rest_credentials *out, struct lt_arena *arena) {
    (void)token;
    (void)url;
    out->url = NULL;
    out->header = lt_arena_printf(arena, "Authorization: Bearer %s", auth->token);
    return out->header != NULL;
}

const struct lt_rest_auth_kind lt_rest_auth_bearer = {
    .kind = "bearer", .authorise = authorise, .to_check = "auth.bearer.token"};
