/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_WORLD_H
#define WALK_WORLD_H

#include "walk_rig.h"

#include <stdio.h>

/*
 * An API of three levels, each paged in another way: artists by offset with a total, the albums of
 * each by next URLs, the tracks of each album by page numbers. Some lists are empty. `expected` are
 * the records that a whole walk gives.
 */
enum { ARTISTS, ALBUMS, TRACKS };
enum { N_ARTISTS = 13, ARTISTS_A_PAGE = 3, ALBUMS_A_PAGE = 2, TRACKS_A_PAGE = 3 };

static inline int n_albums(int artist) {
    return artist * 7 % 6;
}

static inline int n_tracks(int artist, int album) {
    return (artist * 3 + album * 5) % 8;
}

static inline void say_artists(const char *url, struct lt_buf *out) {
    int at = (int)rig_param(url, "offset", 0);

    assert_int_equal(rig_param(url, "limit", 0), ARTISTS_A_PAGE);
    lt_buf_append_str(out, "{\"items\":[");
    for (int i = at; i < at + ARTISTS_A_PAGE && i < N_ARTISTS; i++)
        lt_buf_printf(out, "%s{\"id\":%d}", i > at ? ", " : "", i);
    lt_buf_printf(out, "],\"total\":%d}", N_ARTISTS);
}

static inline void say_albums(const char *url, int artist, struct lt_buf *out) {
    int at = (int)rig_param(url, "at", 0);
    int end = at + ALBUMS_A_PAGE < n_albums(artist) ? at + ALBUMS_A_PAGE : n_albums(artist);

    lt_buf_append_str(out, "{\"page\":{\"albums\":[");
    for (int i = at; i < end; i++)
        lt_buf_printf(out, "%s{\"id\":\"%d-%d\"}", i > at ? "," : "", artist, i);
    if (end < n_albums(artist))
        lt_buf_printf(out, "],\"next\":\"?at=%d\"}}", end);
    else
        lt_buf_append_str(out, "],\"next\":null}}");
}

static inline void say_tracks(const char *url, int artist, int album, struct lt_buf *out) {
    int n = n_tracks(artist, album);
    int at = (int)(rig_param(url, "page", -1) - 1) * TRACKS_A_PAGE;

    lt_buf_append_byte(out, '{');
    lt_buf_append_str(out, "\"tracks\":[");
    for (int i = at; i < at + TRACKS_A_PAGE && i < n; i++)
        lt_buf_printf(out, "%s{\"id\":\"%d-%d-%d\"}", i > at ? "," : "", artist, album, i);
    lt_buf_printf(out, "],\"pages\":%d}", (n + TRACKS_A_PAGE - 1) / TRACKS_A_PAGE);
}

static inline void world_answer(struct rig *rig, const char *url, struct reply *reply) {
    int artist, album;

    (void)rig;
    if (sscanf(url, "https://api.test/v1/albums/%d-%d/tracks", &artist, &album) == 2)
        say_tracks(url, artist, album, &reply->body);
    else if (sscanf(url, "https://api.test/v1/artists/%d/albums", &artist) == 1)
        say_albums(url, artist, &reply->body);
    else
        say_artists(url, &reply->body);
}

static inline void make_world(struct rig *rig) {
    struct lt_rest_resource *artists = rig_resource(rig, "artists", "/artists");
    struct lt_rest_resource *albums = rig_resource(rig, "albums", "/artists/{.id}/albums");
    struct lt_rest_resource *tracks = rig_resource(rig, "tracks", "/albums/{.id}/tracks");

    rig->answer = world_answer;
    rig->params[0] = (struct lt_rest_param){"limit", PLAIN("3")};
    artists->params = rig->params;
    artists->n_params = 1;
    artists->pagination = (struct lt_rest_pagination){.kind = "offset",
                                                      .offset_param = "offset",
                                                      .limit_param = "limit",
                                                      .total = TEXT(".total")};
    albums->parent = ARTISTS;
    albums->records = TEXT(".page.albums");
    albums->pagination = (struct lt_rest_pagination){.kind = "next", .next = TEXT(".page.next")};
    rig->fields[0] = (struct lt_expr_text){.name = LT_LIT("artist"), .text = LT_LIT(".id")};
    albums->fields = rig->fields;
    albums->n_fields = 1;
    tracks->parent = ALBUMS;
    tracks->pagination = (struct lt_rest_pagination){
        .kind = "page", .page_param = "page", .first = 1, .pages = TEXT(".pages")};
    rig->fields[1] = (struct lt_expr_text){.name = LT_LIT("album"), .text = LT_LIT(".id")};
    rig->fields[2] = (struct lt_expr_text){.name = LT_LIT("artist"), .text = LT_LIT(".artist")};
    rig->fields[3] = (struct lt_expr_text){.name = LT_LIT("of"), .text = LT_LIT("$resource")};
    tracks->fields = rig->fields + 1;
    tracks->n_fields = 3;
}

static inline void expect_line(struct lines *lines, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void expect_line(struct lines *lines, const char *fmt, ...) {
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    rig_add_line(lines, lt_slice_str(text));
}

static inline void expect_world(struct lines expected[3]) {
    for (int artist = 0; artist < N_ARTISTS; artist++) {
        expect_line(&expected[ARTISTS], "{\"id\":%d}", artist);
        for (int album = 0; album < n_albums(artist); album++) {
            expect_line(&expected[ALBUMS], "{\"id\":\"%d-%d\",\"artist\":%d}", artist, album,
                        artist);
            for (int track = 0; track < n_tracks(artist, album); track++)
                expect_line(&expected[TRACKS],
                            "{\"id\":\"%d-%d-%d\",\"album\":\"%d-%d\",\"artist\":%d,"
                            "\"of\":\"tracks\"}",
                            artist, album, track, artist, album, artist);
        }
    }
}

/* The requests of a whole walk. */
static inline size_t world_requests(void) {
    size_t n = (N_ARTISTS + ARTISTS_A_PAGE - 1) / ARTISTS_A_PAGE;

    for (int artist = 0; artist < N_ARTISTS; artist++) {
        int albums = n_albums(artist);
        n += albums ? (size_t)(albums + ALBUMS_A_PAGE - 1) / ALBUMS_A_PAGE : 1;
        for (int album = 0; album < albums; album++) {
            int tracks = n_tracks(artist, album);
            n += tracks ? (size_t)(tracks + TRACKS_A_PAGE - 1) / TRACKS_A_PAGE : 1;
        }
    }
    return n;
}

#endif
