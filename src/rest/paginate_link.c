/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Link header with rel="next" (RFC 8288): several links in a header, several headers, quoted
 * and plain parameters in any order, several relations in one. A link with `anchor` is about some
 * other resource, and is passed over.
 */
#include "rest/paginate_parts.h"

#include <strings.h>

struct reader {
    const char *at, *end;
};

static void skip_space(struct reader *in) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
        in->at++;
}

static bool take(struct reader *in, char byte) {
    skip_space(in);
    if (in->at == in->end || *in->at != byte)
        return false;
    in->at++;
    return true;
}

/* Up to one of `stop` or white space. */
static struct lt_slice take_token(struct reader *in, const char *stop) {
    skip_space(in);
    const char *start = in->at;
    while (in->at < in->end && *in->at && !strchr(stop, *in->at) && *in->at != ' ' &&
           *in->at != '\t')
        in->at++;
    return lt_slice(start, (size_t)(in->at - start));
}

/* Up to the closing quote, which is stepped over. Escapes stay: no relation has one. */
static struct lt_slice take_quoted(struct reader *in) {
    const char *start = in->at;

    while (in->at < in->end && *in->at != '"')
        in->at += *in->at == '\\' && in->end - in->at > 1 ? 2 : 1;
    struct lt_slice text = lt_slice(start, (size_t)(in->at - start));
    if (in->at < in->end)
        in->at++;
    return text;
}

static bool is_word(struct lt_slice text, const char *word) {
    return text.len == strlen(word) && !strncasecmp(text.data, word, text.len);
}

static bool has_relation(struct lt_slice relations, const char *word) {
    struct reader in = {relations.data, relations.data + relations.len};

    while (in.at < in.end) {
        struct lt_slice one = take_token(&in, "");
        if (is_word(one, word))
            return true;
        if (!one.len && in.at < in.end)
            in.at++; /* a NUL */
    }
    return false;
}

/* Reads the parameters of a link; true when it is the next one. */
static bool take_params(struct reader *in) {
    bool is_next = false, has_rel = false, has_anchor = false;

    while (take(in, ';')) {
        struct lt_slice name = take_token(in, "=;,");
        struct lt_slice value = {NULL, 0};
        if (take(in, '='))
            value = take(in, '"') ? take_quoted(in) : take_token(in, ";,");
        if (is_word(name, "rel") && !has_rel) { /* the first one counts */
            has_rel = true;
            is_next = value.data && has_relation(value, "next");
        }
        has_anchor |= is_word(name, "anchor");
    }
    return is_next && !has_anchor;
}

/* The next link among those of one header's value. */
static struct lt_slice find_next(struct lt_slice value) {
    struct reader in = {value.data, value.data + value.len};

    while (in.at < in.end) {
        if (take(&in, ',') || !take(&in, '<')) {
            in.at += in.at < in.end && *in.at != ',' && *in.at != '<';
            continue;
        }
        const char *close = memchr(in.at, '>', (size_t)(in.end - in.at));
        if (!close)
            break;
        struct lt_slice target = lt_slice(in.at, (size_t)(close - in.at));
        in.at = close + 1;
        if (take_params(&in))
            return target;
    }
    return lt_slice(NULL, 0);
}

struct lt_slice lt_rest_link_next(struct lt_slice headers) {
    static const char name[] = "Link:";
    const size_t name_len = sizeof(name) - 1;

    while (headers.len) {
        const char *end = memchr(headers.data, '\n', headers.len);
        size_t len = end ? (size_t)(end - headers.data) : headers.len;
        struct lt_slice line = lt_slice(headers.data, len);
        headers = lt_slice_from(headers, end ? len + 1 : len);
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        if (line.len > name_len && !strncasecmp(line.data, name, name_len)) {
            struct lt_slice target = find_next(lt_slice_from(line, name_len));
            if (target.data)
                return target;
        }
    }
    return lt_slice(NULL, 0);
}

static leat_status next(const struct lt_rest_pager *pager, const struct lt_rest_seen *seen,
                        const struct lt_rest_told *told, struct lt_rest_place *place,
                        struct lt_arena *arena, struct leat_error *err) {
    struct lt_slice target = {NULL, 0};

    (void)told;
    place->kind = LT_REST_END;
    if (seen->answer)
        target = lt_rest_link_next(lt_buf_slice(&seen->answer->headers));
    if (!target.data)
        return LEAT_OK;
    return lt_rest_pager_follow(pager, "the Link header", seen->url, target, place, arena, err);
}

const struct lt_rest_paginator lt_rest_paginate_link = {
    .kind = "link", .places = LT_REST_URL, .next = next};
