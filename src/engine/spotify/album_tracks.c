/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/albums/{id}/tracks: the tracks of an album, as a bare page. */
#include "engine/spotify/parts.h"

enum { DEFAULT_LIMIT = 20, MAX_LIMIT = 50 };

unsigned lt_spotify_album_tracks_read(struct lt_spotify_call *call) {
    unsigned status = lt_spotify_read_album(call);

    if (status != 200)
        return status;
    const char *list = lt_arena_printf(call->arena, "/v1/albums/%.*s/tracks?", LT_FMT(call->id));
    call->list = lt_slice_str(list);
    call->range.total = call->album.album->n_tracks;
    return lt_spotify_read_range(call, DEFAULT_LIMIT, MAX_LIMIT);
}

void lt_spotify_album_tracks_write(struct lt_spotify_call *call) {
    lt_spotify_write_tracks_page(call);
}
