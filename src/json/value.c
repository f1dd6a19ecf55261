/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into validated text: iteration, members by name, strings. Values are
 * found by skipping, nothing is kept between calls; each step stays inside the
 * container it was given, so that a view never reaches past its text.
 */
#include "json/json.h"
#include "json/scan.h"

static const char *skip_string(const char *at, const char *end) {
    for (at++;; at += 2) {
        at = lt_json_scan_quote(at, end);
        if (end - at < 2 || *at == '"')
            return at < end ? at + 1 : end;
    }
}

static const char *skip_container(const char *at, const char *end) {
    size_t depth = 0;

    for (;;) {
        at = lt_json_scan_structure(at, end);
        if (at == end)
            return end;
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        depth += (*at | 0x20) == '{' ? 1 : SIZE_MAX;
        at++;
        if (depth == 0)
            return at;
    }
}

static const char *skip_scalar(const char *at, const char *end) {
    while (at < end && *at != ',' && *at != ']' && *at != '}' && *at != ':' &&
           !lt_json_is_space(*at))
        at++;
    return at;
}

/* Views the value at `at`; gives the byte after it. */
static const char *view(const char *at, const char *end, struct lt_json *value) {
    static const unsigned char types[256] = {
        ['"'] = LT_JSON_STRING, ['{'] = LT_JSON_OBJECT, ['['] = LT_JSON_ARRAY,
        ['t'] = LT_JSON_TRUE,   ['f'] = LT_JSON_FALSE,  ['n'] = LT_JSON_NULL,
        ['-'] = LT_JSON_NUMBER, ['0'] = LT_JSON_NUMBER, ['1'] = LT_JSON_NUMBER,
        ['2'] = LT_JSON_NUMBER, ['3'] = LT_JSON_NUMBER, ['4'] = LT_JSON_NUMBER,
        ['5'] = LT_JSON_NUMBER, ['6'] = LT_JSON_NUMBER, ['7'] = LT_JSON_NUMBER,
        ['8'] = LT_JSON_NUMBER, ['9'] = LT_JSON_NUMBER,
    };
    const char *after;

    value->type = (enum lt_json_type)types[(unsigned char)*at];
    switch (value->type) {
    case LT_JSON_STRING:
        after = skip_string(at, end);
        break;
    case LT_JSON_ARRAY:
    case LT_JSON_OBJECT:
        after = skip_container(at, end);
        break;
    default:
        after = skip_scalar(at, end);
        break;
    }
    value->raw = lt_slice(at, (size_t)(after - at));
    return after;
}

struct lt_json_iter lt_json_iter(struct lt_json container) {
    struct lt_json_iter iter = {NULL, NULL, container.type == LT_JSON_OBJECT};

    if (container.type == LT_JSON_ARRAY || container.type == LT_JSON_OBJECT) {
        iter.at = container.raw.data + 1;
        iter.end = container.raw.data + container.raw.len - 1;
    }
    return iter;
}

/* To the next element or name. False at the end. */
static bool step(struct lt_json_iter *iter) {
    if (!iter->at)
        return false;
    iter->at = lt_json_skip_space(iter->at, iter->end);
    if (iter->at < iter->end && *iter->at == ',')
        iter->at = lt_json_skip_space(iter->at + 1, iter->end);
    return iter->at < iter->end;
}

bool lt_json_next(struct lt_json_iter *iter, struct lt_json *value) {
    if (iter->object || !step(iter))
        return false;
    iter->at = view(iter->at, iter->end, value);
    return true;
}

bool lt_json_next_member(struct lt_json_iter *iter, struct lt_json *key, struct lt_json *value) {
    if (!iter->object || !step(iter))
        return false;
    const char *at = view(iter->at, iter->end, key);
    at = lt_json_skip_space(at, iter->end);
    at = lt_json_skip_space(at + (at < iter->end), iter->end); /* the colon */
    if (at >= iter->end)
        return false; /* cannot be in validated text */
    iter->at = view(at, iter->end, value);
    return true;
}

bool lt_json_get(struct lt_json object, const char *name, struct lt_json *value) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_slice wanted = lt_slice_str(name);
    struct lt_json key, member;
    bool found = false;

    while (lt_json_next_member(&iter, &key, &member)) {
        if (lt_json_string_is(key, wanted)) {
            *value = member;
            found = true;
        }
    }
    return found;
}

size_t lt_json_count(struct lt_json container) {
    struct lt_json_iter iter = lt_json_iter(container);
    struct lt_json key, value;
    size_t n = 0;

    while (iter.object ? lt_json_next_member(&iter, &key, &value) : lt_json_next(&iter, &value))
        n++;
    return n;
}

static unsigned put_utf8(unsigned c, char out[4]) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (unsigned i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xff) | c);
    return n;
}

/* Decodes the escape at `*at` (on the backslash) and steps over it; gives its bytes in UTF-8. */
static unsigned decode_escape(const char **at, char out[4]) {
    static const char simple[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    const char *s = *at;

    if (s[1] != 'u') {
        out[0] = simple[(unsigned char)s[1]];
        *at = s + 2;
        return 1;
    }
    unsigned c = (unsigned)lt_json_hex4(s + 2);
    *at = s + 6;
    if (c >= 0xd800 && c <= 0xdbff) {
        c = 0x10000 + ((c - 0xd800) << 10) + ((unsigned)lt_json_hex4(s + 8) - 0xdc00);
        *at = s + 12;
    }
    return put_utf8(c, out);
}

static struct lt_slice inside_quotes(struct lt_json string) {
    return lt_slice(string.raw.data + 1, string.raw.len - 2);
}

static bool has_escape(struct lt_slice body) {
    return body.len && memchr(body.data, '\\', body.len);
}

/* Copies up to the next backslash or `end`; gives where it stopped. What is written behind that is
 * overwritten, and has room: there is as much behind `*to` as behind `at`. */
static const char *copy_plain(const char *at, const char *end, char **to) {
#ifdef __SSE2__
    const __m128i backslash = _mm_set1_epi8('\\');

    for (; end - at >= 16; at += 16, *to += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)at);
        _mm_storeu_si128((__m128i *)*to, v);
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, backslash));
        if (mask) {
            *to += __builtin_ctz(mask);
            return at + __builtin_ctz(mask);
        }
    }
#endif
    while (at < end && *at != '\\')
        *(*to)++ = *at++;
    return at;
}

static size_t unescape(struct lt_slice body, char *to) {
    const char *at = body.data;
    const char *end = body.data + body.len;
    char *start = to;

    for (;;) {
        at = copy_plain(at, end, &to);
        if (at == end)
            return (size_t)(to - start);
        to += decode_escape(&at, to); /* an escape is longer than what it stands for */
    }
}

bool lt_json_string_is(struct lt_json string, struct lt_slice text) {
    if (string.type != LT_JSON_STRING)
        return false;
    struct lt_slice body = inside_quotes(string);
    if (body.len == text.len && lt_slice_eq(body, text))
        return !has_escape(body);
    if (body.len <= text.len || !has_escape(body))
        return false;

    const char *at = body.data;
    const char *end = body.data + body.len;
    while (at < end) {
        char bytes[4];
        const char *piece = at;
        size_t len;
        if (*at == '\\') {
            len = decode_escape(&at, bytes);
            piece = bytes;
        } else {
            at = lt_json_scan_quote(at, end);
            len = (size_t)(at - piece);
        }
        if (!lt_slice_starts(text, lt_slice(piece, len)))
            return false;
        text = lt_slice_from(text, len);
    }
    return text.len == 0;
}

struct lt_slice lt_json_string(struct lt_json string, struct lt_arena *arena) {
    if (string.type != LT_JSON_STRING)
        return lt_slice(NULL, 0);
    struct lt_slice body = inside_quotes(string);
    if (!has_escape(body))
        return body;
    char *to = lt_arena_alloc(arena, body.len);
    return lt_slice(to, to ? unescape(body, to) : 0);
}

void lt_json_string_append(struct lt_json string, struct lt_buf *out) {
    if (string.type != LT_JSON_STRING)
        return;
    struct lt_slice body = inside_quotes(string);
    char *to = body.len ? lt_buf_reserve(out, body.len) : NULL;
    if (to)
        lt_buf_commit(out, unescape(body, to));
}
