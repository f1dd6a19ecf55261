/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/auth.h"

static bool authorise(const struct lt_rest_auth *auth, const char *token, const char *url,
                      struct lt_rest_credentials *out, struct lt_arena *arena) {
    (void)token;
    (void)url;
    out->url = NULL;
    out->header =
        lt_rest_basic_line(lt_slice_str(auth->username), lt_slice_str(auth->password), arena);
    return out->header != NULL;
}

const struct lt_rest_auth_kind lt_rest_auth_basic = {
    .kind = "basic",
    .authorise = authorise,
    .to_check = "auth.basic.username and auth.basic.password"};
