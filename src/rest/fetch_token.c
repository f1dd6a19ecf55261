/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token that the requests of an API share. It is asked for by a request among the others, which
 * stands before them all; while one is asked for, no second one is. A little before the end of its
 * life a new one is asked for, and until it is there the old one does.
 */
#include "rest/fetch_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { AFTER_FAILURE_MS = 5000, TOKEN_ANSWER_MAX = 1 << 20 };

/* Not those that are started meanwhile, by who is told: they ask for a token of their own. */
static void fail_all_that_wait(struct lt_rest_fetcher *fetcher, leat_status status,
                               const struct leat_error *err) {
    uint64_t newest = fetcher->next_serial;
    for (;;) {
        struct lt_rest_fetching *fetching = fetcher->first;
        while (fetching && !(fetching->resource && fetching->own_origin))
            fetching = fetching->next;
        if (!fetching || fetching->serial > newest || fetcher->closed)
            return;
        lt_rest_fetching_drop(fetching, status, err);
    }
}

static leat_status keep(struct lt_rest_fetcher *fetcher, const struct lt_rest_token *token,
                        struct leat_error *err) {
    struct lt_rest_tokens *tokens = &fetcher->tokens;
    int64_t now_ms = (int64_t)uv_now(fetcher->loop);
    char *value = strdup(token->value);
    char *refresh = token->refresh_token ? strdup(token->refresh_token) : NULL;
    leat_status status = lt_rest_mask_add_token(fetcher->mask, lt_slice_str(value), err);

    if (status == LEAT_OK && refresh)
        status = lt_rest_mask_add_token(fetcher->mask, lt_slice_str(refresh), err);
    if (status != LEAT_OK || !value || (token->refresh_token && !refresh)) {
        free(value);
        free(refresh);
        return status != LEAT_OK ? status : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a token");
    }
    free(tokens->value);
    tokens->value = value;
    if (refresh) {
        free(tokens->refresh_token);
        tokens->refresh_token = refresh;
    }
    tokens->number++;
    tokens->end_ms = token->life_ms ? now_ms + token->life_ms : INT64_MAX;
    tokens->renew_ms =
        token->life_ms ? tokens->end_ms - lt_rest_token_ahead_ms(token->life_ms) : INT64_MAX;
    return LEAT_OK;
}

/* Says what the answer was to. */
static leat_status unreadable(const struct lt_rest_fetcher *fetcher, const char *url,
                              struct leat_error *err) {
    struct leat_error cause = *err;
    struct lt_buf text;

    lt_buf_init(&text, 1 << 20);
    lt_rest_mask_append(fetcher->mask, lt_slice_str(url), &text);
    lt_fail(err, cause.status, 0, "asking for a token: POST %.*s: %s",
            text.len > 280 ? 280 : (int)text.len, text.len ? text.data : "", cause.text);
    lt_buf_deinit(&text);
    return err->status;
}

static void on_token(void *ctx, leat_status status, const char *url, struct lt_http_answer *answer,
                     const struct leat_error *failure) {
    struct lt_rest_fetcher *fetcher = ctx;
    struct lt_rest_tokens *tokens = &fetcher->tokens;
    struct lt_rest_token token = {NULL, NULL, 0};
    struct leat_error err;
    struct lt_arena arena;

    tokens->asking = false;
    if (fetcher->closed)
        return;
    lt_arena_init(&arena, (size_t)4 * TOKEN_ANSWER_MAX);
    if (status != LEAT_OK)
        err = *failure;
    else if ((status = lt_rest_token_read(&token, lt_buf_slice(&answer->body), &arena, &err)) !=
             LEAT_OK)
        status = unreadable(fetcher, url, &err);
    if (status == LEAT_OK)
        status = keep(fetcher, &token, &err);
    int64_t now_ms = (int64_t)uv_now(fetcher->loop);
    if (status == LEAT_OK && token.life_ms)
        lt_rest_note(fetcher, LT_REST_NOTE_TOKEN, 0, "a new token, for %lld s",
                     (long long)(token.life_ms / 1000));
    else if (status == LEAT_OK)
        lt_rest_note(fetcher, LT_REST_NOTE_TOKEN, 0, "a new token");
    else if (tokens->value && now_ms < tokens->end_ms)
        tokens->renew_ms = now_ms + AFTER_FAILURE_MS; /* the old one does for a while */
    else
        fail_all_that_wait(fetcher, status, &err);
    lt_arena_deinit(&arena);
}

/* Puts the request for a token before all that wait. */
static void ask(struct lt_rest_fetcher *fetcher) {
    const struct lt_rest_auth *auth = &fetcher->api->auth;
    struct lt_rest_token_request wanted;
    struct lt_arena arena;
    struct lt_rest_fetching *asking = NULL;
    const char *headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL, NULL};

    lt_arena_init(&arena, (size_t)4 * TOKEN_ANSWER_MAX);
    if (fetcher->auth->ask(auth, fetcher->tokens.refresh_token, &wanted, &arena)) {
        headers[1] = wanted.authorization;
        const struct lt_rest_request request = {
            .method = "POST", .url = auth->token_url, .headers = headers};
        asking = lt_rest_fetching_new(fetcher, &request, on_token, fetcher);
        if (asking)
            asking->body = lt_arena_dup(&asking->arena, wanted.form);
    }
    lt_arena_deinit(&arena);
    if (!asking)
        return; /* no memory: the next turn of the pump tries again */
    asking->serial = 0;
    fetcher->tokens.asking = true;
    lt_rest_fetching_wait(asking, 0);
}

bool lt_rest_token_ready(struct lt_rest_fetching *fetching) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    struct lt_rest_tokens *tokens = &fetcher->tokens;
    int64_t now_ms = (int64_t)uv_now(fetcher->loop);

    if (!fetcher->auth->ask || !fetching->resource || !fetching->own_origin)
        return true;
    if (!tokens->asking && (!tokens->value || now_ms >= tokens->renew_ms))
        ask(fetcher);
    return tokens->value && now_ms < tokens->end_ms;
}

bool lt_rest_token_refused(struct lt_rest_fetching *fetching) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    struct lt_rest_tokens *tokens = &fetcher->tokens;
    int64_t now_ms = (int64_t)uv_now(fetcher->loop);

    if (!fetching->token)
        return false;
    if (fetching->token != tokens->number) /* it has been replaced meanwhile */
        return true;
    if (now_ms < tokens->end_ms) {
        if (fetching->renewed)
            return false; /* a token as new as they come, and refused again */
        fetching->renewed = true;
    }
    tokens->end_ms = now_ms;
    tokens->renew_ms = now_ms;
    return true;
}
