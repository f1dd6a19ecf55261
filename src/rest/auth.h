/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_AUTH_H
#define LT_REST_AUTH_H

#include "base/arena.h"
#include "base/buf.h"
#include "rest/api.h"

/*
 * The ways to say who asks: a table of rows, one file each. What a row adds to a request is only
 * ever added to one for the origin of base_url; what it asks for a token goes to token_url alone.
 */

/** What a request gets. */
struct lt_rest_credentials {
    const char *header; /**< a whole line, or NULL */
    const char *url;    /**< with a parameter more; NULL: as it is */
};

/** A request for a token: a form, by POST. */
struct lt_rest_token_request {
    const char *authorization; /**< a whole header line, or NULL */
    struct lt_slice form;
};

struct lt_rest_auth_kind {
    const char *kind;
    /** Fills in `out` for a request to `url`; `token` is NULL unless the row asks for tokens.
     * False: no memory. */
    bool (*authorise)(const struct lt_rest_auth *auth, const char *token, const char *url,
                      struct lt_rest_credentials *out, struct lt_arena *arena);
    /** The request for a token; `refresh_token` is the newest there is. False: no memory. NULL:
     * this kind needs no token. */
    bool (*ask)(const struct lt_rest_auth *auth, const char *refresh_token,
                struct lt_rest_token_request *out, struct lt_arena *arena);
    const char *to_check; /**< settings behind a refusal, for its error */
};

/** The row of that kind, or NULL. */
const struct lt_rest_auth_kind *lt_rest_auth_find(const char *kind);
/** The kinds, ended by NULL: for the file's reader. */
extern const char *const lt_rest_auth_kind_names[];

/** The rows. */
extern const struct lt_rest_auth_kind lt_rest_auth_none, lt_rest_auth_api_key, lt_rest_auth_basic,
    lt_rest_auth_bearer, lt_rest_auth_client_credentials, lt_rest_auth_refresh_token;

/** "Authorization: Basic …"; NULL: no memory. */
char *lt_rest_basic_line(struct lt_slice user, struct lt_slice password, struct lt_arena *arena);

/** What a token endpoint answered with 2xx. */
struct lt_rest_token {
    char *value;         /**< the arena's, as is refresh_token */
    char *refresh_token; /**< a new one, or NULL */
    int64_t life_ms;     /**< 0: not told */
};

/**
 * Reads the answer of a token endpoint.
 * Errors: LEAT_E_AUTH for what is no bearer token, without showing any of it; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_rest_token_read(struct lt_rest_token *out, struct lt_slice body,
                                               struct lt_arena *arena, struct leat_error *err);

/** How long before its end a token is renewed: 60 s, or a tenth of its life when that is shorter.
 */
int64_t lt_rest_token_ahead_ms(int64_t life_ms);

#endif
