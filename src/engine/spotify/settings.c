/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what can be set, and how each kind of value is read and shown. */
#include "engine/spotify/settings.h"

#include "base/units.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_WAIT_MS = 600 * 1000, TOKEN_LIFE_MS = 3600 * 1000 };

const struct lt_spotify_settings lt_spotify_settings_default = {
    .retry_after_ms = 1000, .expire_ms = TOKEN_LIFE_MS, .rate = {-1, 0}, .quota = -1, .seed = 1};

enum kind { DURATION, LIFE, RATIO, COUNT, LIMIT, RATE, MODE };

static const struct row {
    const char *name;
    enum kind kind;
    size_t offset;
} rows[] = {
#define ROW(name, kind, member)                                                                    \
    { name, kind, offsetof(struct lt_spotify_settings, member) }
    ROW("latency", DURATION, latency_ms),
    ROW("errors", RATIO, errors),
    ROW("truncate", RATIO, truncate),
    ROW("throttle", RATIO, throttle),
    ROW("retry_after", DURATION, retry_after_ms),
    ROW("expire", LIFE, expire_ms),
    ROW("mode", MODE, mode),
    ROW("rate", RATE, rate),
    ROW("quota", LIMIT, quota),
    ROW("seed", COUNT, seed),
#undef ROW
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static const char *const modes[] = {
    [LT_SPOTIFY_EXTENDED] = "extended", [LT_SPOTIFY_DEVELOPMENT] = "development", NULL};

static const char *const wanted[] = {
    [DURATION] = "a duration up to ten minutes, such as 20ms or 1s",
    [LIFE] = "a duration above zero, such as 1s",
    [RATIO] = "a share, such as 5% or 0.05",
    [COUNT] = "a whole number",
    [LIMIT] = "a whole number, or none",
    [RATE] = "requests in a time, such as 100/30s, or none",
    [MODE] = "extended or development",
};

static bool read_count(struct lt_slice text, int64_t *out) {
    int64_t value = 0;

    if (text.len == 0 || text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (text.data[i] - '0');
    }
    *out = value;
    return true;
}

static bool read_duration(struct lt_slice text, int64_t min_ms, int64_t max_ms, int64_t *out) {
    struct leat_error ignored;
    return lt_parse_duration(text, out, &ignored) == LEAT_OK && *out >= min_ms && *out <= max_ms;
}

static bool read_ratio(struct lt_slice text, double *out) {
    char number[32], *end;
    bool percent = text.len > 0 && text.data[text.len - 1] == '%';

    text.len -= percent;
    if (text.len == 0 || text.len >= sizeof(number))
        return false;
    memcpy(number, text.data, text.len);
    number[text.len] = '\0';
    *out = strtod(number, &end) / (percent ? 100 : 1);
    return strspn(number, "0123456789.") == text.len && *end == '\0' && *out >= 0 && *out <= 1;
}

static bool read_rate(struct lt_slice text, struct lt_spotify_rate *out) {
    const char *slash = text.len ? memchr(text.data, '/', text.len) : NULL;

    if (lt_slice_eq_str(text, "none")) {
        *out = (struct lt_spotify_rate){-1, 0};
        return true;
    }
    size_t len = slash ? (size_t)(slash - text.data) : text.len;
    struct lt_slice window = slash ? lt_slice_from(text, len + 1) : LT_LIT("30s");
    return read_count(lt_slice(text.data, len), &out->n) &&
           read_duration(window, 1, MAX_WAIT_MS, &out->window_ms);
}

static bool read_mode(struct lt_slice text, int64_t *out) {
    for (int i = 0; modes[i]; i++)
        if (lt_slice_eq_str(text, modes[i])) {
            *out = i;
            return true;
        }
    return false;
}

static bool read_value(const struct row *row, struct lt_slice text, void *out) {
    switch (row->kind) {
    case DURATION:
        return read_duration(text, 0, MAX_WAIT_MS, out);
    case LIFE:
        return read_duration(text, 1, INT32_MAX * 1000LL, out);
    case RATIO:
        return read_ratio(text, out);
    case COUNT:
        return read_count(text, out);
    case LIMIT:
        if (!lt_slice_eq_str(text, "none"))
            return read_count(text, out);
        *(int64_t *)out = -1;
        return true;
    case RATE:
        return read_rate(text, out);
    case MODE:
        return read_mode(text, out);
    }
    return false;
}

leat_status lt_spotify_settings_set(struct lt_spotify_settings *settings, struct lt_slice name,
                                    struct lt_slice value, struct leat_error *err) {
    const char *names[N_ROWS + 1] = {0};

    for (size_t i = 0; i < N_ROWS; i++) {
        names[i] = rows[i].name;
        if (!lt_slice_eq_str(name, rows[i].name))
            continue;
        /* a value that is not taken changes nothing */
        struct lt_spotify_settings changed = *settings;
        if (!read_value(&rows[i], value, (char *)&changed + rows[i].offset))
            return lt_fail(err, LEAT_E_INVALID, 0, "the sample's %s is %s, not \"%.*s\"",
                           rows[i].name, wanted[rows[i].kind], LT_FMT(value));
        *settings = changed;
        return LEAT_OK;
    }
    const char *near = lt_nearest(name, names);
    return lt_fail(err, LEAT_E_INVALID, 0,
                   "the sample has no setting \"%.*s\"%s%s%s (latency, errors, truncate, throttle, "
                   "retry_after, expire, mode, rate, quota, seed)",
                   LT_FMT(name), near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

leat_status lt_spotify_settings_read(struct lt_spotify_settings *settings, struct lt_slice list,
                                     struct leat_error *err) {
    leat_status status = LEAT_OK;

    while (list.len && status == LEAT_OK) {
        const char *comma = memchr(list.data, ',', list.len);
        struct lt_slice pair = lt_slice(list.data, comma ? (size_t)(comma - list.data) : list.len);
        const char *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
        struct lt_slice name =
            lt_slice(pair.data, equals ? (size_t)(equals - pair.data) : pair.len);
        list = lt_slice_from(list, pair.len + (comma ? 1 : 0));
        status = lt_spotify_settings_set(settings, name, lt_slice_from(pair, name.len + 1), err);
    }
    return status;
}

static void write_value(const struct row *row, const void *value, struct lt_json_writer *w) {
    const struct lt_spotify_rate *rate = value;
    const int64_t *number = value;
    char text[64];

    switch (row->kind) {
    case DURATION:
    case LIFE:
        snprintf(text, sizeof(text), "%lldms", (long long)*number);
        lt_json_put_str(w, text);
        break;
    case RATIO:
        lt_json_put_double(w, *(const double *)value);
        break;
    case COUNT:
    case LIMIT:
        if (*number < 0)
            lt_json_put_str(w, "none");
        else
            lt_json_put_int(w, *number);
        break;
    case RATE:
        snprintf(text, sizeof(text), "%lld/%lldms", (long long)rate->n, (long long)rate->window_ms);
        lt_json_put_str(w, rate->n < 0 ? "none" : text);
        break;
    case MODE:
        lt_json_put_str(w, modes[*number]);
        break;
    }
}

void lt_spotify_settings_write(const struct lt_spotify_settings *settings,
                               struct lt_json_writer *w) {
    lt_json_begin_object(w);
    for (size_t i = 0; i < N_ROWS; i++) {
        lt_json_key(w, rows[i].name);
        write_value(&rows[i], (const char *)settings + rows[i].offset, w);
    }
    lt_json_end_object(w);
}
