/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of tokens and the clients behind them; both bounded, the oldest gives way. */
#include "engine/spotify/tokens.h"

#include "base/hash.h"
#include "engine/spotify/hash.h"

#include <stdlib.h>

enum {
    N_CLIENTS = 64,
    N_SLICES = 30,
    SLOT_AT = 2, /* behind "BQ", with which Spotify's begin */
    SLOT_LEN = 2,
    RANDOM_LEN = LT_SPOTIFY_TOKEN_LEN - SLOT_AT - SLOT_LEN
};

struct token {
    char text[LT_SPOTIFY_TOKEN_LEN];
    unsigned client;
    int64_t expires_us;
};

struct client {
    uint64_t hash; /* of its id */
    int64_t slice; /* the number of the latest */
    uint32_t counts[N_SLICES + 1];
    uint64_t sum;
};

struct lt_spotify_tokens {
    struct token *slots;
    unsigned n_slots; /* room */
    unsigned n;       /* used */
    unsigned next;    /* to be used (again) */
    struct client clients[N_CLIENTS];
    unsigned n_clients, next_client;
    char issued[LT_SPOTIFY_TOKEN_LEN + 1];
};

/* base64url: what an Authorization header may hold */
static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct lt_spotify_tokens *lt_spotify_tokens_new(void) {
    return calloc(1, sizeof(struct lt_spotify_tokens));
}

void lt_spotify_tokens_free(struct lt_spotify_tokens *tokens) {
    if (tokens)
        free(tokens->slots);
    free(tokens);
}

static unsigned find_client(struct lt_spotify_tokens *tokens, struct lt_slice id) {
    uint64_t hash = lt_spotify_hash(0, id.data, id.len);

    for (unsigned i = 0; i < tokens->n_clients; i++)
        if (tokens->clients[i].hash == hash)
            return i;
    unsigned at = tokens->next_client;
    tokens->next_client = (at + 1) % N_CLIENTS;
    if (tokens->n_clients < N_CLIENTS)
        tokens->n_clients++;
    tokens->clients[at] = (struct client){.hash = hash};
    return at;
}

static bool grow(struct lt_spotify_tokens *tokens) {
    if (tokens->n < tokens->n_slots || tokens->n == LT_SPOTIFY_MAX_TOKENS)
        return true;
    unsigned room = tokens->n_slots ? tokens->n_slots * 4 : 16;
    struct token *more = reallocarray(tokens->slots, room, sizeof(*more));
    if (!more)
        return false;
    tokens->slots = more;
    tokens->n_slots = room;
    return true;
}

const char *lt_spotify_token_issue(struct lt_spotify_tokens *tokens, struct lt_slice client,
                                   int64_t expires_us) {
    unsigned char bits[RANDOM_LEN];

    if (!grow(tokens))
        return NULL;
    unsigned slot = tokens->next;
    struct token *token = &tokens->slots[slot];
    tokens->next = (slot + 1) % LT_SPOTIFY_MAX_TOKENS;
    if (tokens->n < LT_SPOTIFY_MAX_TOKENS)
        tokens->n++;
    lt_random(bits, sizeof(bits));
    token->text[0] = 'B';
    token->text[1] = 'Q';
    token->text[SLOT_AT] = digits64[slot / 64];
    token->text[SLOT_AT + 1] = digits64[slot % 64];
    for (size_t i = 0; i < RANDOM_LEN; i++)
        token->text[SLOT_AT + SLOT_LEN + i] = digits64[bits[i] % 64];
    token->client = find_client(tokens, client);
    token->expires_us = expires_us;
    memcpy(tokens->issued, token->text, LT_SPOTIFY_TOKEN_LEN);
    return tokens->issued;
}

static unsigned digit64(char c) {
    const char *at = c ? strchr(digits64, c) : NULL;
    return at ? (unsigned)(at - digits64) : LT_SPOTIFY_MAX_TOKENS;
}

enum lt_spotify_token_state lt_spotify_token_check(const struct lt_spotify_tokens *tokens,
                                                   struct lt_slice text, int64_t now_us,
                                                   unsigned *slot) {
    if (text.len != LT_SPOTIFY_TOKEN_LEN)
        return LT_SPOTIFY_TOKEN_WRONG;
    *slot = digit64(text.data[SLOT_AT]) * 64 + digit64(text.data[SLOT_AT + 1]);
    if (*slot >= tokens->n ||
        memcmp(tokens->slots[*slot].text, text.data, LT_SPOTIFY_TOKEN_LEN) != 0)
        return LT_SPOTIFY_TOKEN_WRONG;
    return now_us < tokens->slots[*slot].expires_us ? LT_SPOTIFY_TOKEN_GOOD
                                                    : LT_SPOTIFY_TOKEN_EXPIRED;
}

void lt_spotify_tokens_expire(struct lt_spotify_tokens *tokens) {
    for (unsigned i = 0; i < tokens->n; i++)
        tokens->slots[i].expires_us = INT64_MIN;
}

/* Forgets the slices that have left the window. */
static void advance(struct client *client, int64_t slice) {
    if (slice - client->slice > N_SLICES) {
        memset(client->counts, 0, sizeof(client->counts));
        client->sum = 0;
        client->slice = slice;
    }
    while (client->slice < slice) {
        uint32_t *count = &client->counts[++client->slice % (N_SLICES + 1)];
        client->sum -= *count;
        *count = 0;
    }
}

int64_t lt_spotify_rate_take(struct lt_spotify_tokens *tokens, unsigned slot,
                             const struct lt_spotify_rate *rate, int64_t now_us) {
    struct client *client = &tokens->clients[tokens->slots[slot].client];

    if (rate->n < 0)
        return 0;
    /* rounded up: thirty slices are never shorter than the window */
    const int64_t slice_us = (rate->window_ms * 1000 + N_SLICES - 1) / N_SLICES;
    /* ahead by a window, so that none has a number below zero */
    const int64_t slice = now_us / slice_us + N_SLICES + 1;

    advance(client, slice);
    if (client->sum < (uint64_t)rate->n) {
        client->counts[slice % (N_SLICES + 1)]++;
        client->sum++;
        return 0;
    }
    uint64_t left = client->sum;
    int64_t oldest = slice - N_SLICES;
    for (; oldest < slice; oldest++) {
        left -= client->counts[oldest % (N_SLICES + 1)];
        if (left < (uint64_t)rate->n)
            break;
    }
    /* Numbers being ahead by a window, this is when the window of that slice has passed. */
    return (oldest * slice_us - now_us + 999) / 1000;
}

void lt_spotify_rate_forget(struct lt_spotify_tokens *tokens) {
    for (unsigned i = 0; i < tokens->n_clients; i++) {
        struct client *client = &tokens->clients[i];
        memset(client->counts, 0, sizeof(client->counts));
        client->sum = 0;
        client->slice = 0;
    }
}
