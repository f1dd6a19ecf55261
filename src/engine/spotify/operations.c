/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations. */
#include "engine/spotify/parts.h"

#define ROW(name, method, path, open)                                                              \
    { #name, method, path, open, lt_spotify_##name##_read, lt_spotify_##name##_write }

const struct lt_spotify_operation lt_spotify_operations[] = {
    ROW(album_tracks, "GET", "/v1/albums/{id}/tracks", false),
    ROW(new_releases, "GET", "/v1/browse/new-releases", false),
    ROW(album, "GET", "/v1/albums/{id}", false),
    ROW(search, "GET", "/v1/search", false),
    ROW(token, "POST", "/api/token", true),
};
const size_t lt_spotify_n_operations =
    sizeof(lt_spotify_operations) / sizeof(lt_spotify_operations[0]);

_Static_assert(sizeof(lt_spotify_operations) / sizeof(lt_spotify_operations[0]) <=
                   LT_SPOTIFY_MAX_OPERATIONS,
               "room for their counters");
