/* SPDX-License-Identifier: Apache-2.0 */
/* The table of auths, and how a token endpoint's answer is read (RFC 6749, section 5.1). */
#include "rest/auth.h"

#include "base/base64.h"
#include "json/json.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

static const struct lt_rest_auth_kind *const kinds[] = {
    &lt_rest_auth_none,
    &lt_rest_auth_api_key,
    &lt_rest_auth_basic,
    &lt_rest_auth_bearer,
    &lt_rest_auth_client_credentials,
    &lt_rest_auth_refresh_token,
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]), AHEAD_MS = 60000, TOKEN_MAX = 64 << 10 };

static const double longest_life_s = 1e9;

const char *const lt_rest_auth_kind_names[] = {
    "none", "api_key", "basic", "bearer", "oauth2_client_credentials", "oauth2_refresh_token",
    NULL};

_Static_assert(sizeof(lt_rest_auth_kind_names) / sizeof(lt_rest_auth_kind_names[0]) == N_KINDS + 1,
               "a kind of auth is missing among the names");

const struct lt_rest_auth_kind *lt_rest_auth_find(const char *kind) {
    for (size_t i = 0; i < N_KINDS; i++)
        if (strcmp(kinds[i]->kind, kind) == 0)
            return kinds[i];
    return NULL;
}

char *lt_rest_basic_line(struct lt_slice user, struct lt_slice password, struct lt_arena *arena) {
    struct lt_buf plain, line;
    lt_buf_init(&plain, (size_t)2 * TOKEN_MAX);
    lt_buf_append(&plain, user);
    lt_buf_append_byte(&plain, ':');
    lt_buf_append(&plain, password);
    lt_buf_init(&line, (size_t)4 * TOKEN_MAX);
    lt_buf_append(&line, LT_LIT("Authorization: Basic "));
    lt_base64_append(&line, lt_buf_slice(&plain));
    char *out = plain.failed || line.failed ? NULL : lt_arena_str(arena, lt_buf_slice(&line));
    lt_buf_deinit(&plain);
    lt_buf_deinit(&line);
    return out;
}

/* A string's text when it may stand in a header, else NULL. */
static char *read_text(struct lt_json value, struct lt_arena *arena) {
    struct lt_slice text = lt_json_string(value, arena);
    if (!text.len || text.len > TOKEN_MAX)
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return NULL;
    return lt_arena_str(arena, text);
}

/* A number, or one in a string as some servers have it; what makes no sense is not told. */
static int64_t read_life_ms(struct lt_json value, struct lt_arena *arena) {
    double seconds = 0;
    if (value.type == LT_JSON_STRING) {
        struct lt_slice text = lt_json_string(value, arena);
        char *str = text.data ? lt_arena_str(arena, text) : NULL;
        seconds = str ? strtod(str, NULL) : 0;
    } else if (!lt_json_double(value, &seconds)) {
        seconds = 0;
    }
    if (!isfinite(seconds) || seconds <= 0)
        return 0;
    return (int64_t)((seconds < longest_life_s ? seconds : longest_life_s) * 1000);
}

leat_status lt_rest_token_read(struct lt_rest_token *out, struct lt_slice body,
                               struct lt_arena *arena, struct leat_error *err) {
    struct lt_json doc, value;

    memset(out, 0, sizeof(*out));
    if (lt_json_parse(&doc, body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK ||
        doc.type != LT_JSON_OBJECT)
        return lt_fail(err, LEAT_E_AUTH, 0,
                       "the answer of the token endpoint is no JSON object (%zu bytes)", body.len);
    if (!lt_json_get(doc, "access_token", &value))
        return lt_fail(err, LEAT_E_AUTH, 0, "the answer of the token endpoint has no access_token");
    out->value = read_text(value, arena);
    if (!out->value)
        return lt_fail(err, LEAT_E_AUTH, 0,
                       "the access_token of the token endpoint cannot stand in a header");
    if (lt_json_get(doc, "token_type", &value) && value.type == LT_JSON_STRING) {
        struct lt_slice type = lt_json_string(value, arena);
        if (type.len && (type.len != 6 || strncasecmp(type.data, "bearer", 6) != 0))
            return lt_fail(err, LEAT_E_AUTH, 0,
                           "the token endpoint gives tokens of the type %.*s; expected Bearer",
                           type.len < 32 ? (int)type.len : 32, type.data);
    }
    if (lt_json_get(doc, "expires_in", &value))
        out->life_ms = read_life_ms(value, arena);
    if (lt_json_get(doc, "refresh_token", &value))
        out->refresh_token = read_text(value, arena);
    return LEAT_OK;
}

int64_t lt_rest_token_ahead_ms(int64_t life_ms) {
    return life_ms / 10 < AHEAD_MS ? life_ms / 10 : AHEAD_MS;
}
