/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_SPOTIFY_H
#define LT_ENGINE_SPOTIFY_SPOTIFY_H

#include "base/error.h"
#include "http/server.h"

#include <uv.h>

/*
 * `leat serve --sample spotify`: a server that answers like accounts.spotify.com/api/token and
 * api.spotify.com/v1, for trying and testing. It takes /api/token, /v1 and all below /v1, which
 * hides the bucket "v1" and the key "token" of the bucket "api" while it is on.
 *
 * Thread: the loop's, once it is open.
 */
struct lt_spotify;

struct lt_spotify_options {
    uv_loop_t *loop;
    const char *data;   /**< a catalogue's CSV file; NULL: the one that is built in */
    uint64_t scale;     /**< how often the catalogue stands in it */
    const char *faults; /**< "latency=20ms,errors=5%", see settings.h; NULL: none */
};

/** Reads the catalogue. Errors: as lt_spotify_catalogue_open(), lt_spotify_settings_read(). */
LEAT_MUST_CHECK leat_status lt_spotify_open(struct lt_spotify **out,
                                            const struct lt_spotify_options *opt,
                                            struct leat_error *err);
/** Answers what still waits; its handle is closed by the loop's next turn, which frees it. NULL is
 * fine. */
void lt_spotify_close(struct lt_spotify *spotify);

/** Whether a request is for it, from the request's head alone. */
bool lt_spotify_is(struct lt_http_request *request);
/** Answers it, now or later. */
void lt_spotify_on_request(struct lt_spotify *spotify, struct lt_http_request *request);

/** GET /_leat/sample: counters and settings, as JSON. */
void lt_spotify_show(struct lt_spotify *spotify, struct lt_http_request *request);
/** POST /_leat/sample: changes settings, from a form or a JSON object; ?reset begins the counters
 * anew, ?reset=all the settings, too; ?expire_tokens ends the life of all tokens. Answers as GET.
 */
void lt_spotify_change(struct lt_spotify *spotify, struct lt_http_request *request);

#endif
