/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/albums/{id}: an album with the first page of its tracks. */
#include "engine/spotify/parts.h"

enum { N_TRACKS = 50 };

unsigned lt_spotify_album_read(struct lt_spotify_call *call) {
    unsigned status = lt_spotify_read_album(call);

    if (status != 200)
        return status;
    call->page = lt_http_raw_path(call->request);
    call->list =
        lt_slice_str(lt_arena_printf(call->arena, "/v1/albums/%.*s/tracks?", LT_FMT(call->id)));
    call->range =
        (struct lt_spotify_range){.limit = N_TRACKS, .total = call->album.album->n_tracks};
    return call->list.data ? 200 : lt_spotify_error(call, 503, "Service unavailable");
}

void lt_spotify_album_write(struct lt_spotify_call *call) {
    struct lt_buf *out = &call->out;

    lt_buf_append_byte(out, '{');
    lt_spotify_write_album_fields(call, call->album);
    lt_buf_append(out, LT_LIT(",\"tracks\":"));
    lt_spotify_write_tracks_page(call);
    lt_buf_append(out, LT_LIT(",\"copyrights\":[],\"external_ids\":{},\"genres\":[],\"label\":\"\","
                              "\"popularity\":"));
    lt_buf_append_u64(out, call->album.album->popularity);
    lt_buf_append_byte(out, '}');
}
