/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the catalogue: one pass over the file gathers albums and tracks, then the tracks are laid
 * album by album and the albums put in the order of new releases. Names stay views of the file's
 * text, which is kept.
 */
#include "engine/spotify/catalogue.h"

#include "base/buf.h"
#include "engine/spotify/csv.h"
#include "engine/spotify/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TAIL_LEN = 4,
    HEAD_LEN = LT_SPOTIFY_ID_LEN - TAIL_LEN,
    N_TAILS = 62 * 62 * 62 * 62,
    MAX_COLUMNS = 64,
    MAX_FILE_BYTES = 1 << 30,
    MAX_ROWS = 10 * 1000 * 1000
};

enum column {
    TRACK_ID,
    TRACK_NAME,
    ARTIST,
    ALBUM_ID,
    ALBUM_NAME,
    DATE,
    DURATION,
    POPULARITY,
    N_COLUMNS
};

static const char *const columns[N_COLUMNS] = {
    [TRACK_ID] = "track_id",           [TRACK_NAME] = "track_name",
    [ARTIST] = "track_artist",         [ALBUM_ID] = "track_album_id",
    [ALBUM_NAME] = "track_album_name", [DATE] = "track_album_release_date",
    [DURATION] = "duration_ms",        [POPULARITY] = "track_popularity",
};

static const char digits62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint32_t digit62(char c) {
    return (uint32_t)(c <= '9' ? c - '0' : c <= 'Z' ? c - 'A' + 10 : c - 'a' + 36);
}

static bool is_digit62(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool lt_spotify_is_id(struct lt_slice text) {
    if (text.len != LT_SPOTIFY_ID_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit62(text.data[i]))
            return false;
    return true;
}

static uint32_t tail_of(const char *id) {
    uint32_t tail = 0;
    for (size_t i = HEAD_LEN; i < LT_SPOTIFY_ID_LEN; i++)
        tail = tail * 62 + digit62(id[i]);
    return tail;
}

/* How many copies `id` stands behind `base`, whose head it shares. */
static uint32_t copies_between(const char *base, const char *id) {
    return (tail_of(id) + N_TAILS - tail_of(base)) % N_TAILS;
}

void lt_spotify_copy_id(const char *id, uint32_t copy, char out[LT_SPOTIFY_ID_LEN]) {
    memcpy(out, id, LT_SPOTIFY_ID_LEN);
    if (copy == 0)
        return;
    uint32_t tail = (tail_of(id) + copy) % N_TAILS;
    for (size_t i = LT_SPOTIFY_ID_LEN; i-- > HEAD_LEN; tail /= 62)
        out[i] = digits62[tail % 62];
}

/* The index of albums: open addressing by the head of an id. */

static uint32_t hash_head(const char *id) {
    return (uint32_t)lt_spotify_hash(0, id, HEAD_LEN);
}

bool lt_spotify_find_album(const struct lt_spotify_catalogue *catalogue, struct lt_slice id,
                           struct lt_spotify_album_ref *out) {
    if (!lt_spotify_is_id(id) || !catalogue->index)
        return false;
    for (uint32_t at = hash_head(id.data) & catalogue->index_mask; catalogue->index[at];
         at = (at + 1) & catalogue->index_mask) {
        const struct lt_spotify_album *album = &catalogue->albums[catalogue->index[at] - 1];
        if (memcmp(album->id, id.data, HEAD_LEN) != 0)
            continue;
        uint32_t copy = copies_between(album->id, id.data);
        if (copy < catalogue->scale) {
            *out = (struct lt_spotify_album_ref){album, copy};
            return true;
        }
    }
    return false;
}

struct lt_spotify_album_ref lt_spotify_newest(const struct lt_spotify_catalogue *catalogue,
                                              uint64_t at) {
    return (struct lt_spotify_album_ref){
        &catalogue->albums[catalogue->newest[at / catalogue->scale]],
        (uint32_t)(at % catalogue->scale)};
}

/* Reading. */

/** A table of ids, by which doubles are found: of albums it is kept as the catalogue's index. */
struct id_table {
    uint32_t *slots;
    uint32_t mask;
    uint32_t n;
};

struct reader {
    struct lt_spotify_catalogue *catalogue;
    struct lt_csv csv;
    size_t at[N_COLUMNS]; /* where each column stands; SIZE_MAX: not there */
    size_t n_columns;
    uint32_t albums_cap, tracks_cap;
    struct id_table albums, tracks;
};

static const char *id_of(const struct reader *reader, const struct id_table *table, uint32_t at) {
    return table == &reader->albums ? reader->catalogue->albums[at].id
                                    : reader->catalogue->tracks[at].id;
}

static void put_slot(struct id_table *table, const char *id, uint32_t value) {
    uint32_t at = hash_head(id) & table->mask;
    while (table->slots[at])
        at = (at + 1) & table->mask;
    table->slots[at] = value + 1;
}

/* Room for one more, at most half full. */
static bool grow_table(struct reader *reader, struct id_table *table) {
    if (table->slots && table->n < (table->mask + 1) / 2)
        return true;
    uint32_t size = table->slots ? (table->mask + 1) * 2 : 1024;
    uint32_t *slots = calloc(size, sizeof(*slots));
    if (!slots)
        return false;
    free(table->slots);
    table->slots = slots;
    table->mask = size - 1;
    for (uint32_t i = 0; i < table->n; i++)
        put_slot(table, id_of(reader, table, i), i);
    return true;
}

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the sample's catalogue");
}

static leat_status bad_record(const struct reader *reader, struct leat_error *err, const char *what,
                              struct lt_slice value) {
    leat_status status = lt_fail(err, LEAT_E_PARSE, 0, "%s%s%.*s%s", what, value.data ? ": \"" : "",
                                 LT_FMT(value), value.data ? "\"" : "");
    if (err)
        err->line = reader->csv.record_line;
    return status;
}

/**
 * Looks `id` up, `*same` its place or UINT32_MAX; a near one, whose copies would have the same ids,
 * is an error.
 */
static leat_status look_up(const struct reader *reader, const struct id_table *table,
                           struct lt_slice id, uint32_t *same, struct leat_error *err) {
    uint32_t scale = reader->catalogue->scale;

    *same = UINT32_MAX;
    for (uint32_t at = hash_head(id.data) & table->mask; table->slots[at];
         at = (at + 1) & table->mask) {
        const char *other = id_of(reader, table, table->slots[at] - 1);
        if (memcmp(other, id.data, HEAD_LEN) != 0)
            continue;
        uint32_t ahead = copies_between(other, id.data);
        if (ahead == 0)
            *same = table->slots[at] - 1;
        else if (ahead < scale || N_TAILS - ahead < scale)
            return bad_record(reader, err, "too near to another id for so many copies", id);
    }
    return LEAT_OK;
}

static bool is_date(struct lt_slice text) {
    if (text.len != 4 && text.len != 7 && text.len != 10)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text.data[i] != '-' : text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return true;
}

static bool read_number(struct lt_slice text, uint32_t *out) {
    uint64_t value = 0;

    if (text.len == 0 || text.len > 10)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = (uint32_t)value;
    return value <= INT32_MAX;
}

static leat_status take_album(struct reader *reader, const struct lt_slice *fields, uint32_t *out,
                              struct leat_error *err) {
    struct lt_spotify_catalogue *catalogue = reader->catalogue;
    struct lt_slice id = fields[reader->at[ALBUM_ID]];
    struct lt_slice date = fields[reader->at[DATE]];
    leat_status status;

    if (!lt_spotify_is_id(id))
        return bad_record(reader, err, "track_album_id is not 22 letters and digits", id);
    if (!is_date(date))
        return bad_record(reader, err,
                          "track_album_release_date is not YYYY, YYYY-MM or YYYY-MM-DD", date);
    if (!grow_table(reader, &reader->albums))
        return no_memory(err);
    status = look_up(reader, &reader->albums, id, out, err);
    if (status != LEAT_OK || *out != UINT32_MAX)
        return status;
    if (catalogue->n_albums == reader->albums_cap) {
        uint32_t cap = reader->albums_cap ? reader->albums_cap * 2 : 1024;
        void *more = reallocarray(catalogue->albums, cap, sizeof(*catalogue->albums));
        if (!more)
            return no_memory(err);
        catalogue->albums = more;
        reader->albums_cap = cap;
    }
    *out = catalogue->n_albums++;
    catalogue->albums[*out] = (struct lt_spotify_album){
        .id = id.data, .name = fields[reader->at[ALBUM_NAME]], .release_date = date};
    put_slot(&reader->albums, id.data, *out);
    reader->albums.n++;
    return LEAT_OK;
}

static leat_status add_track(struct reader *reader, const struct lt_spotify_track *track,
                             struct leat_error *err) {
    struct lt_spotify_catalogue *catalogue = reader->catalogue;
    struct lt_slice id = lt_slice(track->id, LT_SPOTIFY_ID_LEN);
    uint32_t same;

    if (!grow_table(reader, &reader->tracks))
        return no_memory(err);
    leat_status status = look_up(reader, &reader->tracks, id, &same, err);
    if (status != LEAT_OK)
        return status;
    if (same != UINT32_MAX)
        return bad_record(reader, err, "this track_id stands in the file already", id);
    if (catalogue->n_tracks == MAX_ROWS)
        return bad_record(reader, err, "there are more tracks than can be held",
                          (struct lt_slice){0});
    if (catalogue->n_tracks == reader->tracks_cap) {
        uint32_t cap = reader->tracks_cap ? reader->tracks_cap * 2 : 1024;
        void *more = reallocarray(catalogue->tracks, cap, sizeof(*catalogue->tracks));
        if (!more)
            return no_memory(err);
        catalogue->tracks = more;
        reader->tracks_cap = cap;
    }
    catalogue->tracks[catalogue->n_tracks] = *track;
    put_slot(&reader->tracks, track->id, catalogue->n_tracks++);
    reader->tracks.n++;
    return LEAT_OK;
}

static leat_status take_record(struct reader *reader, const struct lt_slice *fields,
                               struct leat_error *err) {
    struct lt_slice id = fields[reader->at[TRACK_ID]];
    struct lt_slice duration = fields[reader->at[DURATION]];
    struct lt_spotify_track track = {.id = id.data,
                                     .name = fields[reader->at[TRACK_NAME]],
                                     .artist = fields[reader->at[ARTIST]]};
    leat_status status;

    if (!lt_spotify_is_id(id))
        return bad_record(reader, err, "track_id is not 22 letters and digits", id);
    if (!read_number(duration, &track.duration_ms))
        return bad_record(reader, err, "duration_ms is not a whole number", duration);
    if (reader->at[POPULARITY] != SIZE_MAX &&
        (!read_number(fields[reader->at[POPULARITY]], &track.popularity) || track.popularity > 100))
        return bad_record(reader, err, "track_popularity is not a number from 0 to 100",
                          fields[reader->at[POPULARITY]]);
    status = take_album(reader, fields, &track.album, err);
    if (status != LEAT_OK)
        return status;
    /* The file does not know the artists' ids: one name is always one id. */
    for (size_t half = 0; half < 2; half++) {
        uint64_t bits = lt_spotify_hash(half + 1, track.artist.data, track.artist.len);
        for (size_t i = 0; i < LT_SPOTIFY_ID_LEN / 2; i++, bits /= 62)
            track.artist_id[half * (LT_SPOTIFY_ID_LEN / 2) + i] = digits62[bits % 62];
    }
    return add_track(reader, &track, err);
}

static leat_status take_heading(struct reader *reader, const struct lt_slice *fields, size_t n,
                                struct leat_error *err) {
    for (size_t column = 0; column < N_COLUMNS; column++) {
        reader->at[column] = SIZE_MAX;
        for (size_t i = 0; i < n; i++)
            if (lt_slice_eq_str(fields[i], columns[column]))
                reader->at[column] = i;
        if (reader->at[column] == SIZE_MAX && column != POPULARITY)
            return bad_record(reader, err, "the first line names no column",
                              lt_slice_str(columns[column]));
    }
    reader->n_columns = n;
    return LEAT_OK;
}

static leat_status read_records(struct reader *reader, struct leat_error *err) {
    struct lt_slice fields[MAX_COLUMNS];
    size_t n;
    leat_status status = lt_csv_next(&reader->csv, fields, MAX_COLUMNS, &n, err);

    if (status == LEAT_OK)
        status = take_heading(reader, fields, n, err);
    while (status == LEAT_OK) {
        status = lt_csv_next(&reader->csv, fields, MAX_COLUMNS, &n, err);
        if (status != LEAT_OK || n == 0)
            break;
        if (n != reader->n_columns) {
            char what[96];
            snprintf(what, sizeof(what), "the record has %zu fields and the first line %zu", n,
                     reader->n_columns);
            return bad_record(reader, err, what, (struct lt_slice){0});
        }
        status = take_record(reader, fields, err);
    }
    if (status == LEAT_OK && reader->catalogue->n_tracks == 0)
        status = bad_record(reader, err, "there is no track in it", (struct lt_slice){0});
    return status;
}

/* Putting in order. */

static void finish_album(struct lt_spotify_catalogue *catalogue, struct lt_spotify_album *album) {
    const struct lt_spotify_track *first = &catalogue->tracks[album->first_track];

    for (uint32_t i = 0; i < album->n_tracks; i++) {
        const struct lt_spotify_track *track = first + i;
        if (track->popularity > album->popularity)
            album->popularity = track->popularity;
        album->various |= !lt_slice_eq(track->artist, first->artist);
        album->single |= album->n_tracks <= 3 && lt_slice_eq(track->name, album->name);
    }
}

/* A counting sort: the tracks of an album together, in the file's order. */
static leat_status lay_tracks(struct lt_spotify_catalogue *catalogue, struct leat_error *err) {
    struct lt_spotify_track *laid = reallocarray(NULL, catalogue->n_tracks, sizeof(*laid));
    uint32_t start = 0;

    if (!laid)
        return no_memory(err);
    for (uint32_t i = 0; i < catalogue->n_tracks; i++)
        catalogue->tracks[i].number = ++catalogue->albums[catalogue->tracks[i].album].n_tracks;
    for (uint32_t i = 0; i < catalogue->n_albums; i++) {
        catalogue->albums[i].first_track = start;
        start += catalogue->albums[i].n_tracks;
    }
    for (uint32_t i = 0; i < catalogue->n_tracks; i++) {
        const struct lt_spotify_track *track = &catalogue->tracks[i];
        laid[catalogue->albums[track->album].first_track + track->number - 1] = *track;
    }
    free(catalogue->tracks);
    catalogue->tracks = laid;
    for (uint32_t i = 0; i < catalogue->n_albums; i++)
        finish_album(catalogue, &catalogue->albums[i]);
    return LEAT_OK;
}

static int compare_newest(const void *left, const void *right, void *ctx) {
    const struct lt_spotify_album *albums = ctx;
    const struct lt_spotify_album *a = &albums[*(const uint32_t *)left];
    const struct lt_spotify_album *b = &albums[*(const uint32_t *)right];
    int order = lt_slice_cmp(b->release_date, a->release_date);

    return order ? order : memcmp(a->id, b->id, LT_SPOTIFY_ID_LEN);
}

static leat_status put_in_order(struct lt_spotify_catalogue *catalogue, struct leat_error *err) {
    leat_status status = lay_tracks(catalogue, err);

    if (status != LEAT_OK)
        return status;
    catalogue->newest = reallocarray(NULL, catalogue->n_albums, sizeof(*catalogue->newest));
    if (!catalogue->newest)
        return no_memory(err);
    for (uint32_t i = 0; i < catalogue->n_albums; i++)
        catalogue->newest[i] = i;
    qsort_r(catalogue->newest, catalogue->n_albums, sizeof(*catalogue->newest), compare_newest,
            catalogue->albums);
    return LEAT_OK;
}

/* The file. */

static leat_status read_whole(int fd, const char *path, struct lt_arena *arena,
                              struct lt_slice *text, struct leat_error *err) {
    struct stat st;

    if (fstat(fd, &st) != 0)
        return lt_fail_sys(err, errno, "cannot read %s", path);
    if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE_BYTES)
        return lt_fail(err, LEAT_E_CONFIG, 0, "%s is not a file of at most 1 GiB", path);
    char *data = lt_arena_alloc(arena, (size_t)st.st_size + 1);
    if (!data)
        return no_memory(err);
    size_t len = 0;
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, data + len, (size_t)st.st_size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lt_fail_sys(err, errno, "cannot read %s", path);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    *text = lt_slice(data, len);
    return LEAT_OK;
}

static leat_status open_text(struct lt_spotify_catalogue *catalogue, const char *path,
                             struct lt_slice *text, struct leat_error *err) {
    catalogue->source = strdup(path ? path : "built in (examples/spotify/songs.csv)");
    if (!catalogue->source)
        return no_memory(err);
    if (!path) {
        *text = lt_slice(lt_spotify_songs, lt_spotify_songs_len);
        return LEAT_OK;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lt_fail_sys(err, errno, "cannot open the sample's data %s", path);
    leat_status status = read_whole(fd, path, &catalogue->arena, text, err);
    close(fd);
    return status;
}

static leat_status read_text(struct lt_spotify_catalogue *catalogue, struct lt_slice text,
                             struct leat_error *err) {
    struct reader reader = {.catalogue = catalogue};

    lt_csv_init(&reader.csv, text, &catalogue->arena);
    leat_status status = read_records(&reader, err);
    catalogue->index = reader.albums.slots;
    catalogue->index_mask = reader.albums.mask;
    free(reader.tracks.slots);
    if (status == LEAT_E_PARSE) {
        unsigned line = err ? err->line : 0;
        status = lt_error_prefix(err, "%s:%u", catalogue->source, line);
        if (err) {
            err->line = 0; /* the text tells it */
            err->status = status = LEAT_E_CONFIG;
        }
    }
    return status;
}

leat_status lt_spotify_catalogue_open(struct lt_spotify_catalogue **out, const char *path,
                                      uint64_t scale, struct leat_error *err) {
    struct lt_spotify_catalogue *catalogue = calloc(1, sizeof(*catalogue));
    struct lt_slice text;
    leat_status status;

    *out = NULL;
    if (!catalogue)
        return no_memory(err);
    lt_arena_init(&catalogue->arena, SIZE_MAX);
    if (scale < 1 || scale > LT_SPOTIFY_MAX_SCALE) {
        status = lt_fail(err, LEAT_E_INVALID, 0, "the sample's scale is %llu, not 1 to %d",
                         (unsigned long long)scale, LT_SPOTIFY_MAX_SCALE);
        goto fail;
    }
    catalogue->scale = (uint32_t)scale;
    status = open_text(catalogue, path, &text, err);
    if (status == LEAT_OK)
        status = read_text(catalogue, text, err);
    if (status == LEAT_OK)
        status = put_in_order(catalogue, err);
    if (status != LEAT_OK)
        goto fail;
    *out = catalogue;
    return LEAT_OK;

fail:
    lt_spotify_catalogue_free(catalogue);
    return status;
}

void lt_spotify_catalogue_free(struct lt_spotify_catalogue *catalogue) {
    if (!catalogue)
        return;
    free(catalogue->albums);
    free(catalogue->tracks);
    free(catalogue->newest);
    free(catalogue->index);
    free(catalogue->source);
    lt_arena_deinit(&catalogue->arena);
    free(catalogue);
}
