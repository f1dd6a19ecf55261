/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/search?type=album: `tag:new` gives the new releases, other words the albums whose name
 * holds them all. As Spotify's it ends after a thousand results, and gives apps in development mode
 * ten at most. Its links say "query" where a request says "q"; both are taken.
 */
#include "base/buf.h"
#include "engine/spotify/parts.h"

enum {
    DEFAULT_LIMIT = 20,
    MAX_LIMIT = 50,
    DEVELOPMENT_DEFAULT_LIMIT = 5,
    DEVELOPMENT_MAX_LIMIT = 10,
    MAX_RESULTS = 1000
};

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Whether `text` holds `word`, whatever the case of ASCII letters; `word` is in lower case. */
static bool holds(struct lt_slice text, struct lt_slice word) {
    for (size_t at = 0; at + word.len <= text.len; at++) {
        size_t n = 0;
        while (n < word.len && lower(text.data[at + n]) == word.data[n])
            n++;
        if (n == word.len)
            return true;
    }
    return false;
}

static struct lt_slice next_word(struct lt_slice *words) {
    while (words->len && words->data[0] == ' ')
        *words = lt_slice_from(*words, 1);
    const char *space = words->len ? memchr(words->data, ' ', words->len) : NULL;
    struct lt_slice word =
        lt_slice(words->data, space ? (size_t)(space - words->data) : words->len);
    *words = lt_slice_from(*words, word.len);
    return word;
}

static bool matches(const struct lt_spotify_album *album, struct lt_slice words) {
    for (struct lt_slice word = next_word(&words); word.len; word = next_word(&words))
        if (!lt_slice_eq_str(word, "tag:new") && !holds(album->name, word))
            return false;
    return true;
}

static bool is_all(struct lt_slice words) {
    for (struct lt_slice word = next_word(&words); word.len; word = next_word(&words))
        if (!lt_slice_eq_str(word, "tag:new"))
            return false;
    return true;
}

static uint64_t count_matches(const struct lt_spotify_catalogue *catalogue, struct lt_slice words) {
    uint64_t n = 0;

    if (is_all(words))
        return (uint64_t)catalogue->n_albums * catalogue->scale;
    for (uint32_t i = 0; i < catalogue->n_albums; i++)
        n += matches(&catalogue->albums[i], words);
    return n * catalogue->scale;
}

static bool append_encoded(struct lt_buf *out, struct lt_slice text) {
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        char code[3] = {'%', hex[c >> 4], hex[c & 15]};
        if (plain || c == ' ')
            lt_buf_append_byte(out, c == ' ' ? '+' : (char)c);
        else
            lt_buf_append(out, lt_slice(code, 3));
    }
    return !out->failed;
}

/* The list's name holds the query, spelt as Spotify's own links spell it. */
static bool name_list(struct lt_spotify_call *call, struct lt_slice query) {
    struct lt_buf name;

    lt_buf_init(&name, 64 << 10);
    lt_buf_append(&name, LT_LIT("/v1/search?query="));
    bool good = append_encoded(&name, query);
    lt_buf_append(&name, LT_LIT("&type=album&"));
    call->list = lt_arena_dup(call->arena, lt_buf_slice(&name));
    good = good && !name.failed && call->list.data;
    lt_buf_deinit(&name);
    return good;
}

static unsigned read_words(struct lt_spotify_call *call, struct lt_slice query) {
    char *words = lt_arena_str(call->arena, query);

    if (!words)
        return lt_spotify_error(call, 503, "Service unavailable");
    for (size_t i = 0; i < query.len; i++)
        words[i] = lower(words[i]);
    call->words = lt_slice(words, query.len);
    if (next_word(&(struct lt_slice){words, query.len}).len == 0)
        return lt_spotify_error(call, 400, "No search query");
    return 200;
}

unsigned lt_spotify_search_read(struct lt_spotify_call *call) {
    struct lt_slice raw = lt_http_raw_query(call->request);
    struct lt_slice query = lt_http_query(raw, "q", call->arena);
    struct lt_slice type = lt_http_query(raw, "type", call->arena);
    bool development = call->spotify->settings.mode == LT_SPOTIFY_DEVELOPMENT;
    unsigned status;

    if (!query.data)
        query = lt_http_query(raw, "query", call->arena);
    if (query.len == 0)
        return lt_spotify_error(call, 400, "No search query");
    if (type.len == 0)
        return lt_spotify_error(call, 400, "Missing parameter type");
    if (!lt_slice_eq_str(type, "album")) {
        const char *text = lt_arena_printf(call->arena, "Bad search type field %.*s", LT_FMT(type));
        return lt_spotify_error(call, 400, text ? text : "Bad search type field");
    }
    status = read_words(call, query);
    if (status != 200)
        return status;
    if (!name_list(call, query))
        return lt_spotify_error(call, 414, "URI too long");
    uint64_t total = count_matches(call->spotify->catalogue, call->words);
    call->range.total = total < MAX_RESULTS ? total : MAX_RESULTS;
    status = lt_spotify_read_range(call, development ? DEVELOPMENT_DEFAULT_LIMIT : DEFAULT_LIMIT,
                                   development ? DEVELOPMENT_MAX_LIMIT : MAX_LIMIT);
    if (status == 200 && call->range.offset >= MAX_RESULTS)
        return lt_spotify_error(call, 400, "Invalid offset");
    return status;
}

static void write_matches(struct lt_spotify_call *call, uint64_t n) {
    const struct lt_spotify_catalogue *catalogue = call->spotify->catalogue;
    bool all = is_all(call->words);
    uint64_t at = 0, written = 0;

    for (uint64_t i = all ? call->range.offset : 0; written < n; i++) {
        struct lt_spotify_album_ref ref = lt_spotify_newest(catalogue, i);
        if (!all && !matches(ref.album, call->words)) {
            i += catalogue->scale - 1; /* its copies do not, either */
            continue;
        }
        if (!all && at++ < call->range.offset)
            continue;
        if (written++ > 0)
            lt_buf_append_byte(&call->out, ',');
        lt_spotify_write_album(call, ref);
    }
}

void lt_spotify_search_write(struct lt_spotify_call *call) {
    lt_buf_append(&call->out, LT_LIT("{\"albums\":"));
    lt_spotify_begin_page(call);
    write_matches(call, lt_spotify_n_items(call));
    lt_spotify_end_page(call);
    lt_buf_append_byte(&call->out, '}');
}
