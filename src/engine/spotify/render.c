/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages, albums and tracks as the Web API writes them, straight into the body. What the catalogue
 * does not know (pictures, markets) is made up, the same each time.
 */
#include "engine/spotify/parts.h"

#define MARKETS                                                                                    \
    "[\"AD\",\"AR\",\"AT\",\"AU\",\"BE\",\"BG\",\"BO\",\"BR\",\"CA\",\"CH\",\"CL\",\"CO\","        \
    "\"CR\",\"CY\",\"CZ\",\"DE\",\"DK\",\"DO\",\"EC\",\"EE\",\"ES\",\"FI\",\"FR\",\"GB\","         \
    "\"GR\",\"GT\",\"HK\",\"HN\",\"HU\",\"IE\",\"IS\",\"IT\",\"LI\",\"LT\",\"LU\",\"LV\","         \
    "\"MC\",\"MT\",\"MX\",\"MY\",\"NI\",\"NL\",\"NO\",\"NZ\",\"PA\",\"PE\",\"PH\",\"PL\","         \
    "\"PT\",\"PY\",\"RO\",\"SE\",\"SG\",\"SI\",\"SK\",\"SV\",\"TR\",\"TW\",\"US\",\"UY\"]"

enum { MAX_OFFSET = 1 << 30, IMAGE_DIGITS = 24 };

#define APPEND(out, literal) lt_buf_append(out, LT_LIT(literal))

static void append_id(struct lt_buf *out, const char *id) {
    lt_buf_append(out, lt_slice(id, LT_SPOTIFY_ID_LEN));
}

/* Digits within a limit; `absent` where the parameter is not given. */
static bool read_parameter(struct lt_spotify_call *call, const char *name, uint64_t absent,
                           uint64_t max, uint64_t *out) {
    struct lt_slice text = lt_http_query(lt_http_raw_query(call->request), name, call->arena);
    uint64_t value = 0;

    *out = absent;
    if (!text.data)
        return true;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
        if (value > max)
            return false;
    }
    *out = value;
    return text.len > 0;
}

unsigned lt_spotify_read_range(struct lt_spotify_call *call, uint64_t limit, uint64_t max_limit) {
    struct lt_spotify_range *range = &call->range;

    if (!read_parameter(call, "limit", limit, max_limit, &range->limit) || range->limit == 0)
        return lt_spotify_error(call, 400, "Invalid limit");
    if (!read_parameter(call, "offset", 0, MAX_OFFSET, &range->offset))
        return lt_spotify_error(call, 400, "Invalid offset");
    if (call->list.data)
        call->page = lt_slice_str(
            lt_arena_printf(call->arena, "%.*soffset=%llu&limit=%llu", LT_FMT(call->list),
                            (unsigned long long)range->offset, (unsigned long long)range->limit));
    return call->page.data ? 200 : lt_spotify_error(call, 503, "Service unavailable");
}

unsigned lt_spotify_read_album(struct lt_spotify_call *call) {
    if (!lt_spotify_is_id(call->id))
        return lt_spotify_error(call, 400, "Invalid base62 id");
    if (!lt_spotify_find_album(call->spotify->catalogue, call->id, &call->album))
        return lt_spotify_error(call, 404, "Resource not found");
    return 200;
}

uint64_t lt_spotify_n_items(const struct lt_spotify_call *call) {
    const struct lt_spotify_range *range = &call->range;
    uint64_t left = range->offset < range->total ? range->total - range->offset : 0;

    return left < range->limit ? left : range->limit;
}

/* The URL of a page of the list, or null. */
static void append_link(struct lt_spotify_call *call, bool there, uint64_t offset) {
    struct lt_buf *out = &call->out;

    if (!there) {
        APPEND(out, "null");
        return;
    }
    lt_buf_append_byte(out, '"');
    lt_buf_append(out, call->base);
    lt_buf_append(out,
                  call->list); /* nothing in it needs an escape: an id, or what search.c encodes */
    APPEND(out, "offset=");
    lt_buf_append_u64(out, offset);
    APPEND(out, "&limit=");
    lt_buf_append_u64(out, call->range.limit);
    lt_buf_append_byte(out, '"');
}

void lt_spotify_begin_page(struct lt_spotify_call *call) {
    APPEND(&call->out, "{\"href\":");
    append_link(call, true, call->range.offset);
    APPEND(&call->out, ",\"items\":[");
}

void lt_spotify_end_page(struct lt_spotify_call *call) {
    const struct lt_spotify_range *range = &call->range;
    struct lt_buf *out = &call->out;

    APPEND(out, "],\"limit\":");
    lt_buf_append_u64(out, range->limit);
    APPEND(out, ",\"next\":");
    append_link(call, range->offset + range->limit < range->total, range->offset + range->limit);
    APPEND(out, ",\"offset\":");
    lt_buf_append_u64(out, range->offset);
    APPEND(out, ",\"previous\":");
    append_link(call, range->offset > 0,
                range->offset > range->limit ? range->offset - range->limit : 0);
    APPEND(out, ",\"total\":");
    lt_buf_append_u64(out, range->total);
    lt_buf_append_byte(out, '}');
}

/* What every object has: its page for people, its URL here and its id. */
static void append_links(struct lt_spotify_call *call, const char *type, const char *plural,
                         const char *id) {
    struct lt_buf *out = &call->out;

    APPEND(out, "\"external_urls\":{\"spotify\":\"https://open.spotify.com/");
    lt_buf_append_str(out, type);
    lt_buf_append_byte(out, '/');
    append_id(out, id);
    APPEND(out, "\"},\"href\":\"");
    lt_buf_append(out, call->base);
    APPEND(out, "/v1/");
    lt_buf_append_str(out, plural);
    lt_buf_append_byte(out, '/');
    append_id(out, id);
    APPEND(out, "\",\"id\":\"");
    append_id(out, id);
    lt_buf_append_byte(out, '"');
}

static void append_type(struct lt_buf *out, const char *type, const char *id) {
    APPEND(out, ",\"type\":\"");
    lt_buf_append_str(out, type);
    APPEND(out, "\",\"uri\":\"spotify:");
    lt_buf_append_str(out, type);
    lt_buf_append_byte(out, ':');
    append_id(out, id);
    lt_buf_append_byte(out, '"');
}

static void append_artists(struct lt_spotify_call *call, struct lt_slice name, const char *id) {
    struct lt_buf *out = &call->out;

    APPEND(out, "\"artists\":[{");
    append_links(call, "artist", "artists", id);
    APPEND(out, ",\"name\":");
    lt_json_write_string(out, name);
    append_type(out, "artist", id);
    APPEND(out, "}]");
}

/* Three sizes of a picture that is nowhere, under the addresses that Spotify's pictures have. */
static void append_images(struct lt_buf *out, const char *id) {
    static const char *const sizes[][2] = {
        {"{\"height\":640,\"url\":\"https://i.scdn.co/image/ab67616d0000b273",
         "\",\"width\":640},"},
        {"{\"height\":300,\"url\":\"https://i.scdn.co/image/ab67616d00001e02",
         "\",\"width\":300},"},
        {"{\"height\":64,\"url\":\"https://i.scdn.co/image/ab67616d00004851", "\",\"width\":64}"}};
    static const char hex[] = "0123456789abcdef";
    char digits[IMAGE_DIGITS];
    uint64_t bits = 0;

    for (size_t i = 0; i < IMAGE_DIGITS; i++, bits >>= 4) {
        if (i % 12 == 0)
            bits = lt_spotify_hash(i + 1, id, LT_SPOTIFY_ID_LEN);
        digits[i] = hex[bits & 15];
    }
    APPEND(out, ",\"images\":[");
    for (size_t i = 0; i < 3; i++) {
        lt_buf_append_str(out, sizes[i][0]);
        lt_buf_append(out, lt_slice(digits, sizeof(digits)));
        lt_buf_append_str(out, sizes[i][1]);
    }
    lt_buf_append_byte(out, ']');
}

void lt_spotify_write_album_fields(struct lt_spotify_call *call, struct lt_spotify_album_ref ref) {
    /* "Various Artists" has this id */
    static const char various_id[] = "0LyfQWJT6nXafLPZqxe9Of";
    const struct lt_spotify_album *album = ref.album;
    const struct lt_spotify_track *first = &call->spotify->catalogue->tracks[album->first_track];
    struct lt_buf *out = &call->out;
    char id[LT_SPOTIFY_ID_LEN];

    lt_spotify_copy_id(album->id, ref.copy, id);
    APPEND(out, "\"album_type\":\"");
    lt_buf_append_str(out, album->various ? "compilation" : album->single ? "single" : "album");
    APPEND(out, "\",");
    if (album->various)
        append_artists(call, LT_LIT("Various Artists"), various_id);
    else
        append_artists(call, first->artist, first->artist_id);
    APPEND(out, ",\"available_markets\":" MARKETS ",");
    append_links(call, "album", "albums", id);
    append_images(out, id);
    APPEND(out, ",\"name\":");
    lt_json_write_string(out, album->name);
    APPEND(out, ",\"release_date\":\"");
    lt_buf_append(out, album->release_date);
    APPEND(out, "\",\"release_date_precision\":\"");
    lt_buf_append_str(out, album->release_date.len == 4   ? "year"
                           : album->release_date.len == 7 ? "month"
                                                          : "day");
    APPEND(out, "\",\"total_tracks\":");
    lt_buf_append_u64(out, album->n_tracks);
    append_type(out, "album", id);
}

void lt_spotify_write_album(struct lt_spotify_call *call, struct lt_spotify_album_ref ref) {
    lt_buf_append_byte(&call->out, '{');
    lt_spotify_write_album_fields(call, ref);
    lt_buf_append_byte(&call->out, '}');
}

void lt_spotify_write_track(struct lt_spotify_call *call, const struct lt_spotify_track *track,
                            uint32_t copy) {
    struct lt_buf *out = &call->out;
    char id[LT_SPOTIFY_ID_LEN];

    lt_spotify_copy_id(track->id, copy, id);
    lt_buf_append_byte(out, '{');
    append_artists(call, track->artist, track->artist_id);
    APPEND(out, ",\"available_markets\":" MARKETS ",\"disc_number\":1,\"duration_ms\":");
    lt_buf_append_u64(out, track->duration_ms);
    APPEND(out, ",\"explicit\":false,");
    append_links(call, "track", "tracks", id);
    APPEND(out, ",\"is_local\":false,\"name\":");
    lt_json_write_string(out, track->name);
    APPEND(out, ",\"preview_url\":null,\"track_number\":");
    lt_buf_append_u64(out, track->number);
    append_type(out, "track", id);
    lt_buf_append_byte(out, '}');
}

void lt_spotify_write_tracks_page(struct lt_spotify_call *call) {
    const struct lt_spotify_track *tracks =
        &call->spotify->catalogue->tracks[call->album.album->first_track];
    uint64_t n = lt_spotify_n_items(call);

    lt_spotify_begin_page(call);
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            lt_buf_append_byte(&call->out, ',');
        lt_spotify_write_track(call, &tracks[call->range.offset + i], call->album.copy);
    }
    lt_spotify_end_page(call);
}
