/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes from `at` to `end` are read and not given out. Where a value is not whole, more is read
 * behind them; the search for its end goes on where it stood, so that a long value costs its
 * length once.
 */
#include "json/feed.h"

#include "base/error.h"
#include "json/scan.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 1 << 18,
    MANY_MISSES = 8, /* so many lines were no values: values do not come in lines here */
};

void lt_json_feed_init(struct lt_json_feed *feed, lt_json_feed_read *read, void *ctx,
                       size_t max_bytes) {
    *feed = (struct lt_json_feed){.read = read, .ctx = ctx, .max_bytes = max_bytes, .line = 1};
}

void lt_json_feed_deinit(struct lt_json_feed *feed) {
    free(feed->data);
    feed->data = NULL;
    feed->cap = feed->at = feed->end = 0;
}

/* Room for a block behind `end`; what is left moves to the front. */
static leat_status make_room(struct lt_json_feed *feed, struct leat_error *err) {
    size_t len = feed->end - feed->at;

    if (len > feed->max_bytes)
        return lt_fail(err, LEAT_E_LIMIT, 0, "line %llu: a value is longer than %zu bytes",
                       (unsigned long long)feed->line, feed->max_bytes);
    if (feed->at) {
        memmove(feed->data, feed->data + feed->at, len);
        feed->at = 0;
        feed->end = len;
    }
    if (feed->cap - feed->end >= BLOCK_BYTES)
        return LEAT_OK;
    size_t cap = feed->cap ? feed->cap * 2 : (size_t)2 * BLOCK_BYTES;
    char *data = realloc(feed->data, cap);
    if (!data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read a value of more than %zu bytes",
                       len);
    feed->data = data;
    feed->cap = cap;
    return LEAT_OK;
}

/* Reads one block more; sets `ended`. */
static leat_status read_more(struct lt_json_feed *feed, struct leat_error *err) {
    size_t n = 0;
    leat_status status = make_room(feed, err);

    if (status == LEAT_OK)
        status = feed->read(feed->ctx, feed->data + feed->end, feed->cap - feed->end, &n, err);
    if (status != LEAT_OK)
        return status;
    feed->end += n;
    feed->ended = n == 0;
    return LEAT_OK;
}

/* Over white space, lines counted; false at the end. */
static leat_status skip_space(struct lt_json_feed *feed, bool *more, struct leat_error *err) {
    for (;;) {
        for (; feed->at < feed->end && lt_json_is_space(feed->data[feed->at]); feed->at++)
            feed->line += feed->data[feed->at] == '\n';
        *more = feed->at < feed->end;
        if (*more || feed->ended)
            return LEAT_OK;
        leat_status status = read_more(feed, err);
        if (status != LEAT_OK)
            return status;
    }
}

/* Bytes from `at` to the next line end; SIZE_MAX where there is none and the rest is not all. */
static leat_status find_line(struct lt_json_feed *feed, size_t *len, struct leat_error *err) {
    size_t seen = 0;

    for (;;) {
        const char *from = feed->data + feed->at;
        size_t there = feed->end - feed->at;
        const char *found = there > seen ? memchr(from + seen, '\n', there - seen) : NULL;
        if (found || feed->ended) {
            *len = found ? (size_t)(found - from) : there;
            return LEAT_OK;
        }
        seen = there;
        leat_status status = read_more(feed, err);
        if (status != LEAT_OK)
            return status;
    }
}

/* Where the search for a value's end stands; `at` counts from the value's first byte. */
struct search {
    size_t at;
    size_t depth;
    bool in_string;
};

/* Looks on in the bytes that are there; true when the value ends at `at`. */
static bool search_container(struct search *s, const char *text, size_t len) {
    const char *end = text + len;
    const char *at = text + s->at;

    while (at < end) {
        if (s->in_string) {
            at = lt_json_scan_quote(at, end);
            if (at == end)
                break;
            if (*at == '\\') {
                if (end - at < 2)
                    break; /* the escape is looked at when it is whole */
                at += 2;
                continue;
            }
            s->in_string = false;
            at++;
            if (s->depth == 0) {
                s->at = (size_t)(at - text);
                return true;
            }
            continue;
        }
        at = lt_json_scan_structure(at, end);
        if (at == end)
            break;
        char c = *at++;
        if (c == '"')
            s->in_string = true;
        else if (c == '{' || c == '[')
            s->depth++;
        else if (s->depth && --s->depth == 0) {
            s->at = (size_t)(at - text);
            return true;
        }
    }
    s->at = (size_t)(at - text);
    return false;
}

/* A number or a word: up to white space or a byte that has a meaning of its own. */
static bool search_word(struct search *s, const char *text, size_t len) {
    for (; s->at < len; s->at++)
        if (lt_json_is_space(text[s->at]) || (s->at && strchr("{}[]\",:", text[s->at])))
            return true;
    return false;
}

/* The length of the value at `at`: to its closer, or to the end where there is none. */
static leat_status find_end(struct lt_json_feed *feed, size_t *len, struct leat_error *err) {
    char first = feed->data[feed->at];
    bool word = first != '{' && first != '[' && first != '"';
    struct search s = {0};

    for (;;) {
        const char *text = feed->data + feed->at;
        size_t there = feed->end - feed->at;
        if (word ? search_word(&s, text, there) : search_container(&s, text, there)) {
            *len = s.at;
            return LEAT_OK;
        }
        if (feed->ended) {
            *len = there;
            return LEAT_OK;
        }
        leat_status status = read_more(feed, err);
        if (status != LEAT_OK)
            return status;
    }
}

static void take(struct lt_json_feed *feed, size_t len) {
    const char *at = feed->data + feed->at, *end = at + len;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        feed->line++;
        at++;
    }
    feed->at += len;
}

/* The rest of the line as a value, where its end is there already; `*taken` is false when it is
 * none. */
static leat_status try_line(struct lt_json_feed *feed, struct lt_json_tape *tape, bool *taken,
                            struct leat_error *err) {
    const char *from = feed->data + feed->at;
    const char *end = memchr(from, '\n', feed->end - feed->at);

    *taken = false;
    if (!end || (size_t)(end - from) > feed->max_bytes)
        return LEAT_OK;
    struct lt_slice line = lt_slice(from, (size_t)(end - from));
    leat_status status = lt_json_tape_parse(tape, line, LT_JSON_DEFAULT_DEPTH, err);
    if (status == LEAT_E_PARSE) {
        feed->misses++;
        return LEAT_OK;
    }
    if (status != LEAT_OK)
        return status;
    feed->at += line.len + 1;
    feed->line++;
    *taken = true;
    return LEAT_OK;
}

leat_status lt_json_feed_next(struct lt_json_feed *feed, struct lt_json_tape *tape, bool *more,
                              struct leat_error *err) {
    size_t len;
    leat_status status = skip_space(feed, more, err);

    if (status != LEAT_OK || !*more)
        return status;
    if (feed->misses < MANY_MISSES) {
        bool taken;
        status = try_line(feed, tape, &taken, err);
        if (status != LEAT_OK || taken)
            return status;
    }
    status = find_end(feed, &len, err);
    if (status != LEAT_OK)
        return status;
    if (len > feed->max_bytes)
        return lt_fail(err, LEAT_E_LIMIT, 0, "line %llu: a value is longer than %zu bytes",
                       (unsigned long long)feed->line, feed->max_bytes);
    struct lt_slice text = lt_slice(feed->data + feed->at, len);
    status = lt_json_tape_parse(tape, text, LT_JSON_DEFAULT_DEPTH, err);
    if (status != LEAT_OK)
        return lt_error_prefix(err, "line %llu", (unsigned long long)feed->line);
    take(feed, len);
    return LEAT_OK;
}

leat_status lt_json_feed_line(struct lt_json_feed *feed, struct lt_slice *line, bool *more,
                              struct leat_error *err) {
    size_t len;
    leat_status status = find_line(feed, &len, err);

    *line = lt_slice(NULL, 0);
    *more = false;
    if (status != LEAT_OK || feed->at == feed->end)
        return status;
    *line = lt_slice(feed->data + feed->at, len);
    *more = true;
    feed->at += len + (feed->at + len < feed->end);
    feed->line++;
    return LEAT_OK;
}

leat_status lt_json_feed_rest(struct lt_json_feed *feed, struct lt_slice *rest,
                              struct leat_error *err) {
    while (!feed->ended) {
        leat_status status = read_more(feed, err);
        if (status != LEAT_OK)
            return status;
    }
    *rest = lt_slice(feed->data ? feed->data + feed->at : "", feed->end - feed->at);
    feed->at = feed->end;
    return LEAT_OK;
}
