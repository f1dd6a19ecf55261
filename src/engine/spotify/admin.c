/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /_leat/sample: what the sample has done, and what it should do from now on. A change is made
 * whole or not at all.
 */
#include "engine/service.h"
#include "engine/spotify/parts.h"

enum { MAX_PAGE_BYTES = 64 << 20, MAX_DEPTH = 4 };

static const struct lt_http_header json_headers[] = {{"Content-Type", {"application/json", 16}},
                                                     {NULL, {NULL, 0}}};

static void put_count(struct lt_json_writer *w, const char *name, uint64_t n) {
    lt_json_key(w, name);
    lt_json_put_uint(w, n);
}

static void write_catalogue(const struct lt_spotify_catalogue *catalogue,
                            struct lt_json_writer *w) {
    lt_json_begin_object(w);
    lt_json_key(w, "source");
    lt_json_put_str(w, catalogue->source);
    put_count(w, "scale", catalogue->scale);
    put_count(w, "albums", (uint64_t)catalogue->n_albums * catalogue->scale);
    put_count(w, "tracks", (uint64_t)catalogue->n_tracks * catalogue->scale);
    lt_json_end_object(w);
}

static void write_counters(const struct lt_spotify_counters *counters, struct lt_json_writer *w) {
    put_count(w, "requests", counters->n_requests);
    lt_json_key(w, "operations");
    lt_json_begin_object(w);
    for (size_t i = 0; i < lt_spotify_n_operations; i++)
        put_count(w, lt_spotify_operations[i].name, counters->operations[i]);
    lt_json_end_object(w);
    lt_json_key(w, "statuses");
    lt_json_begin_object(w);
    for (unsigned i = 0; i < LT_SPOTIFY_N_STATUSES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%u", i);
        if (counters->statuses[i])
            put_count(w, name, counters->statuses[i]);
    }
    lt_json_end_object(w);
    put_count(w, "tokens_issued", counters->n_tokens);
    lt_json_key(w, "faults");
    lt_json_begin_object(w);
    put_count(w, "errors", counters->n_errors);
    put_count(w, "truncated", counters->n_truncated);
    put_count(w, "throttled", counters->n_throttled);
    put_count(w, "over_rate", counters->n_over_rate);
    put_count(w, "over_quota", counters->n_over_quota);
    lt_json_end_object(w);
}

static void write_pages(const struct lt_spotify_pages *pages, struct lt_json_writer *w) {
    lt_json_key(w, "paths");
    lt_json_begin_object(w);
    for (uint32_t i = 0; i < pages->n; i++) {
        if (!pages->counts[i].given)
            continue;
        lt_json_key_slice(w, pages->counts[i].name);
        lt_json_put_uint(w, pages->counts[i].given);
    }
    lt_json_end_object(w);
    put_count(w, "unlisted", pages->n_unlisted);
}

void lt_spotify_show(struct lt_spotify *spotify, struct lt_http_request *request) {
    struct lt_json_writer w;
    struct lt_buf body;

    lt_buf_init(&body, MAX_PAGE_BYTES);
    lt_json_writer_init(&w, &body);
    lt_json_begin_object(&w);
    lt_json_key(&w, "sample");
    lt_json_put_str(&w, "spotify");
    lt_json_key(&w, "catalogue");
    write_catalogue(spotify->catalogue, &w);
    lt_json_key(&w, "settings");
    lt_spotify_settings_write(&spotify->settings, &w);
    write_counters(&spotify->counters, &w);
    write_pages(&spotify->pages, &w);
    lt_json_end_object(&w);
    lt_buf_append_byte(&body, '\n');
    if (body.failed)
        lt_http_respond(request, 500, NULL, LT_LIT(""));
    else
        lt_http_respond_take(request, 200, json_headers, &body);
    lt_buf_deinit(&body);
}

/* Reading a change. */

static leat_status read_json(struct lt_spotify_settings *settings, struct lt_slice body,
                             struct lt_arena *arena, struct leat_error *err) {
    struct lt_json object, key, value;
    leat_status status = lt_json_parse(&object, body, MAX_DEPTH, err);

    if (status == LEAT_OK && object.type != LT_JSON_OBJECT)
        status = lt_fail(err, LEAT_E_INVALID, 0, "the body is not a JSON object");
    if (status != LEAT_OK)
        return status;
    struct lt_json_iter iter = lt_json_iter(object);
    while (status == LEAT_OK && lt_json_next_member(&iter, &key, &value)) {
        struct lt_slice text =
            value.type == LT_JSON_STRING ? lt_json_string(value, arena) : value.raw;
        status = lt_spotify_settings_set(settings, lt_json_string(key, arena), text, err);
    }
    return status;
}

/* A form; a '%' that encodes nothing stands for itself, so that `curl -d errors=5%` works. */
static leat_status read_form(struct lt_spotify_settings *settings, struct lt_slice body,
                             struct lt_arena *arena, struct leat_error *err) {
    leat_status status = LEAT_OK;

    while (body.len && status == LEAT_OK) {
        const char *amp = memchr(body.data, '&', body.len);
        struct lt_slice pair = lt_slice(body.data, amp ? (size_t)(amp - body.data) : body.len);
        const char *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
        struct lt_slice name =
            lt_slice(pair.data, equals ? (size_t)(equals - pair.data) : pair.len);
        struct lt_slice raw = lt_slice_from(pair, name.len + 1);
        struct lt_slice value = lt_http_percent_decode(raw, true, arena);
        body = lt_slice_from(body, pair.len + (amp ? 1 : 0));
        if (pair.len)
            status = lt_spotify_settings_set(settings, name, value.data ? value : raw, err);
    }
    return status;
}

static struct lt_slice trim(struct lt_slice text) {
    while (text.len && strchr(" \t\r\n", text.data[0]) && text.data[0])
        text = lt_slice_from(text, 1);
    while (text.len && strchr(" \t\r\n", text.data[text.len - 1]) && text.data[text.len - 1])
        text.len--;
    return text;
}

static void reset_counters(struct lt_spotify *spotify) {
    spotify->counters = (struct lt_spotify_counters){0};
    lt_spotify_pages_deinit(&spotify->pages);
    lt_spotify_rate_forget(spotify->tokens);
    spotify->n_quota_used = 0;
    spotify->n_draws = 0;
}

/* Puts settings into force; what they count begins anew where they changed. */
static void take_settings(struct lt_spotify *spotify, const struct lt_spotify_settings *settings) {
    const struct lt_spotify_settings *old = &spotify->settings;

    if (settings->rate.n != old->rate.n || settings->rate.window_ms != old->rate.window_ms)
        lt_spotify_rate_forget(spotify->tokens);
    if (settings->quota != old->quota)
        spotify->n_quota_used = 0;
    spotify->settings = *settings;
}

void lt_spotify_change(struct lt_spotify *spotify, struct lt_http_request *request) {
    struct lt_arena *arena = lt_http_arena(request);
    struct lt_slice query = lt_http_raw_query(request);
    struct lt_slice reset = lt_http_query(query, "reset", arena);
    struct lt_slice body = trim(lt_http_body(request));
    struct lt_spotify_settings settings =
        lt_slice_eq_str(reset, "all") ? spotify->initial : spotify->settings;
    bool json = body.len > 0 && body.data[0] == '{';
    struct leat_error err;

    leat_status status =
        json ? read_json(&settings, body, arena, &err) : read_form(&settings, body, arena, &err);
    if (status != LEAT_OK) {
        lt_service_refuse(request, 400, leat_status_name(status), err.text);
        return;
    }
    if (reset.data)
        reset_counters(spotify);
    if (lt_http_query(query, "expire_tokens", arena).data)
        lt_spotify_tokens_expire(spotify->tokens);
    take_settings(spotify, &settings);
    lt_spotify_show(spotify, request);
}
