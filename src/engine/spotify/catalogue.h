/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_CATALOGUE_H
#define LT_ENGINE_SPOTIFY_CATALOGUE_H

#include "base/arena.h"
#include "base/error.h"

/*
 * The albums and tracks that the sample serves, read once from a CSV file with the columns
 * track_id, track_name, track_artist, track_album_id, track_album_name, track_album_release_date,
 * duration_ms and, where it is there, track_popularity, in any order.
 *
 * With a scale of N the catalogue stands N times, under ids derived from those of the file: copy k
 * of an id has k added to its last four characters, read as a number to the base 62. So a copy
 * costs no memory, and an id leads back to its album and copy with one look-up by what stands
 * before them. Copies lie beside their original in every order.
 *
 * Thread: any; nothing changes after the opening.
 */
enum { LT_SPOTIFY_ID_LEN = 22, LT_SPOTIFY_MAX_SCALE = 100000 };

struct lt_spotify_track {
    const char *id; /**< LT_SPOTIFY_ID_LEN bytes, as all ids here; no NUL */
    struct lt_slice name;
    struct lt_slice artist;
    char artist_id[LT_SPOTIFY_ID_LEN];
    uint32_t album;
    uint32_t number; /**< from 1, in the file's order */
    uint32_t duration_ms;
    uint32_t popularity;
};

struct lt_spotify_album {
    const char *id;
    struct lt_slice name;
    struct lt_slice release_date; /**< "2019", "2019-06" or "2019-06-14" */
    uint32_t first_track;
    uint32_t n_tracks;
    uint32_t popularity; /**< of its best track */
    bool various;        /**< its tracks are by more than one artist */
    bool single;         /**< up to three tracks, one of which has its name */
};

struct lt_spotify_catalogue {
    struct lt_spotify_album *albums;
    struct lt_spotify_track *tracks; /**< those of an album stand together */
    uint32_t *newest;                /**< albums, newest first, then by id */
    uint32_t n_albums;
    uint32_t n_tracks;
    uint32_t scale;
    char *source; /**< where it came from, for people */

    /* catalogue.c only */
    struct lt_arena arena;
    uint32_t *index; /* open addressing: album + 1 */
    uint32_t index_mask;
};

/** One of an album's copies. */
struct lt_spotify_album_ref {
    const struct lt_spotify_album *album;
    uint32_t copy;
};

/**
 * Reads `path`, or with NULL the part that is built in.
 *
 * Errors: LEAT_E_CONFIG "FILE:LINE: …" for what is wrong in the file; LEAT_E_INVALID for a scale
 *         outside 1 to LT_SPOTIFY_MAX_SCALE; LEAT_E_NOT_FOUND, LEAT_E_IO, LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_spotify_catalogue_open(struct lt_spotify_catalogue **out,
                                                      const char *path, uint64_t scale,
                                                      struct leat_error *err);
/** NULL is fine. */
void lt_spotify_catalogue_free(struct lt_spotify_catalogue *catalogue);

/** True for 22 characters of 0-9, A-Z, a-z. */
bool lt_spotify_is_id(struct lt_slice text);
/** The album of that id; false when there is none. */
bool lt_spotify_find_album(const struct lt_spotify_catalogue *catalogue, struct lt_slice id,
                           struct lt_spotify_album_ref *out);
/** The album at a place in the order of new releases, `at` < n_albums times scale. */
struct lt_spotify_album_ref lt_spotify_newest(const struct lt_spotify_catalogue *catalogue,
                                              uint64_t at);
/** Writes the id that copy `copy` of `id` has. */
void lt_spotify_copy_id(const char *id, uint32_t copy, char out[LT_SPOTIFY_ID_LEN]);

/* Made from examples/spotify/songs.csv when the program is built. */
extern const char lt_spotify_songs[];
extern const size_t lt_spotify_songs_len;

#endif
