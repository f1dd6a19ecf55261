/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/browse/new-releases: all albums, newest first. Lost to apps in development mode. */
#include "engine/spotify/parts.h"

enum { DEFAULT_LIMIT = 20, MAX_LIMIT = 50 };

unsigned lt_spotify_new_releases_read(struct lt_spotify_call *call) {
    const struct lt_spotify_catalogue *catalogue = call->spotify->catalogue;

    if (call->spotify->settings.mode == LT_SPOTIFY_DEVELOPMENT)
        return lt_spotify_error(call, 403, "Forbidden");
    call->list = LT_LIT("/v1/browse/new-releases?");
    call->range.total = (uint64_t)catalogue->n_albums * catalogue->scale;
    return lt_spotify_read_range(call, DEFAULT_LIMIT, MAX_LIMIT);
}

void lt_spotify_new_releases_write(struct lt_spotify_call *call) {
    uint64_t n = lt_spotify_n_items(call);

    lt_buf_append(&call->out, LT_LIT("{\"albums\":"));
    lt_spotify_begin_page(call);
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            lt_buf_append_byte(&call->out, ',');
        lt_spotify_write_album(call,
                               lt_spotify_newest(call->spotify->catalogue, call->range.offset + i));
    }
    lt_spotify_end_page(call);
    lt_buf_append_byte(&call->out, '}');
}
