/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_TOKENS_H
#define LT_ENGINE_SPOTIFY_TOKENS_H

#include "base/error.h"
#include "base/slice.h"
#include "engine/spotify/settings.h"

/*
 * The access tokens that were issued, and how much each client has asked of late. A token's text
 * tells its slot, the rest is random; a slot is used again when all are taken, the oldest first. A
 * rate counts in slices of a thirtieth of its window, so that no window ever holds more than it
 * allows; it is a client's, whatever token it uses, as Spotify's is an app's.
 */
enum { LT_SPOTIFY_TOKEN_LEN = 60, LT_SPOTIFY_MAX_TOKENS = 4096 };

struct lt_spotify_tokens;

enum lt_spotify_token_state {
    LT_SPOTIFY_TOKEN_GOOD,
    LT_SPOTIFY_TOKEN_EXPIRED,
    LT_SPOTIFY_TOKEN_WRONG
};

struct lt_spotify_tokens *lt_spotify_tokens_new(void); /**< NULL: no memory */
void lt_spotify_tokens_free(struct lt_spotify_tokens *tokens);

/** Issues one to a client, good until `expires_us` (lt_clock_mono_us). NULL: no memory. It stays
 * valid until the next call. */
const char *lt_spotify_token_issue(struct lt_spotify_tokens *tokens, struct lt_slice client,
                                   int64_t expires_us);
/** What a token is worth at `now_us`; `*slot` names its client to lt_spotify_rate_take(). */
enum lt_spotify_token_state lt_spotify_token_check(const struct lt_spotify_tokens *tokens,
                                                   struct lt_slice text, int64_t now_us,
                                                   unsigned *slot);
/** Ends the life of all. */
void lt_spotify_tokens_expire(struct lt_spotify_tokens *tokens);

/** Counts one more request of the client that has the token in `slot`: 0, or, when its rate is
 * spent, milliseconds until it has room again. */
int64_t lt_spotify_rate_take(struct lt_spotify_tokens *tokens, unsigned slot,
                             const struct lt_spotify_rate *rate, int64_t now_us);
/** Forgets what the clients have asked. */
void lt_spotify_rate_forget(struct lt_spotify_tokens *tokens);

#endif
