/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs by slices. Nothing is decoded and encoded again on the way: a part either stays as it is or
 * is written anew.
 */
#include "rest/url.h"

#include "http/server.h"

#include <strings.h>

enum { URL_MAX = 1 << 20 };

static struct lt_slice cut(struct lt_slice *rest, const char *stops) {
    size_t len = 0;
    while (len < rest->len && !(rest->data[len] && strchr(stops, rest->data[len])))
        len++;
    struct lt_slice part = {rest->data, len};
    *rest = lt_slice_from(*rest, len);
    return part;
}

static bool equals_nocase(struct lt_slice a, struct lt_slice b) {
    return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

static size_t scheme_len(struct lt_slice text) {
    if (text.len >= 8 && strncasecmp(text.data, "https://", 8) == 0)
        return 5;
    return text.len >= 7 && strncasecmp(text.data, "http://", 7) == 0 ? 4 : 0;
}

bool lt_rest_url_is_absolute(struct lt_slice text) {
    return scheme_len(text) > 0;
}

bool lt_rest_url_is_https(struct lt_slice url) {
    return scheme_len(url) == 5;
}

/* host, host:port, [v6], [v6]:port */
static bool split_host(struct lt_slice authority, struct lt_rest_url *url) {
    const char *at = authority.len ? memrchr(authority.data, '@', authority.len) : NULL;
    if (at) {
        url->user = lt_slice(authority.data, (size_t)(at - authority.data));
        authority = lt_slice_from(authority, url->user.len + 1);
    }
    if (authority.len && authority.data[0] == '[') {
        const char *end = memchr(authority.data, ']', authority.len);
        if (!end)
            return false;
        url->host = lt_slice(authority.data, (size_t)(end - authority.data) + 1);
        authority = lt_slice_from(authority, url->host.len);
    } else {
        url->host = cut(&authority, ":");
    }
    if (authority.len && authority.data[0] != ':')
        return false;
    url->port = lt_slice_from(authority, 1);
    for (size_t i = 0; i < url->port.len; i++)
        if (url->port.data[i] < '0' || url->port.data[i] > '9')
            return false;
    return url->host.len > 0;
}

bool lt_rest_url_split(struct lt_slice text, struct lt_rest_url *url) {
    memset(url, 0, sizeof(*url));
    url->scheme = lt_slice(text.data, scheme_len(text));
    if (!url->scheme.len)
        return false;
    struct lt_slice rest = lt_slice_from(text, url->scheme.len + 3);
    /* Some parsers take '\' for '/': a URL where it would matter is none. */
    struct lt_slice authority = cut(&rest, "/?#\\");
    if (!split_host(authority, url))
        return false;
    url->path = cut(&rest, "?#");
    if (rest.len && rest.data[0] == '?') {
        rest = lt_slice_from(rest, 1);
        url->has_query = true;
        url->query = cut(&rest, "#");
    }
    url->fragment = lt_slice_from(rest, 1);
    return !url->path.len || url->path.data[0] == '/';
}

/* Without leading zeros; the scheme's own where none is said. */
static struct lt_slice port_of(const struct lt_rest_url *url) {
    struct lt_slice port = url->port;
    while (port.len > 1 && port.data[0] == '0')
        port = lt_slice_from(port, 1);
    if (port.len)
        return port;
    return url->scheme.len == 5 ? LT_LIT("443") : LT_LIT("80");
}

bool lt_rest_url_same_origin(struct lt_slice a, struct lt_slice b) {
    struct lt_rest_url left, right;
    return lt_rest_url_split(a, &left) && lt_rest_url_split(b, &right) &&
           left.scheme.len == right.scheme.len && equals_nocase(left.host, right.host) &&
           lt_slice_eq(port_of(&left), port_of(&right));
}

static char *finish(struct lt_buf *buf, struct lt_arena *arena) {
    char *out = buf->failed ? NULL : lt_arena_str(arena, lt_buf_slice(buf));
    lt_buf_deinit(buf);
    return out;
}

char *lt_rest_url_join(const char *base, struct lt_slice path, struct lt_arena *arena) {
    struct lt_rest_url url;
    struct lt_buf out;
    struct lt_slice rest = path;

    if (lt_rest_url_is_absolute(path) || !lt_rest_url_split(lt_slice_str(base), &url))
        return lt_arena_str(arena, path);
    struct lt_slice own_path = cut(&rest, "?#");
    struct lt_slice own_query = {NULL, 0};
    if (rest.len && rest.data[0] == '?') {
        rest = lt_slice_from(rest, 1);
        own_query = cut(&rest, "#");
    }
    size_t base_len = strcspn(base, "?#");

    lt_buf_init(&out, URL_MAX);
    if (own_path.len)
        while (base_len && base[base_len - 1] == '/')
            base_len--;
    lt_buf_append(&out, lt_slice(base, base_len));
    if (own_path.len && own_path.data[0] != '/')
        lt_buf_append_byte(&out, '/');
    lt_buf_append(&out, own_path);
    if (url.query.len || own_query.len)
        lt_buf_append_byte(&out, '?');
    lt_buf_append(&out, url.query);
    if (url.query.len && own_query.len)
        lt_buf_append_byte(&out, '&');
    lt_buf_append(&out, own_query);
    return finish(&out, arena);
}

/* RFC 3986, section 5.2.4, over the path that stands in `out` from `from` on. */
static void remove_dot_segments(struct lt_buf *out, size_t from) {
    char *path = out->data + from;
    size_t len = out->len - from, to = 0, at = 0;
    while (at < len) {
        size_t segment = 1; /* with the '/' before it */
        while (at + segment < len && path[at + segment] != '/')
            segment++;
        bool last = at + segment == len;
        bool one = segment == 2 && path[at + 1] == '.';
        bool two = segment == 3 && path[at + 1] == '.' && path[at + 2] == '.';
        if (two)
            while (to && path[--to] != '/')
                ;
        if (one || two) {
            if (last)
                path[to++] = '/';
        } else {
            memmove(path + to, path + at, segment);
            to += segment;
        }
        at += segment;
    }
    out->len = from + to;
}

/* Section 5.2.3: the reference's path takes the place of what follows the last '/'. */
static void append_merged(struct lt_buf *out, struct lt_slice base, struct lt_slice path) {
    const char *slash = base.len ? memrchr(base.data, '/', base.len) : NULL;
    if (slash)
        lt_buf_append(out, lt_slice(base.data, (size_t)(slash - base.data) + 1));
    else
        lt_buf_append_byte(out, '/');
    lt_buf_append(out, path);
}

static void append_path_and_query(struct lt_buf *out, const struct lt_rest_url *base,
                                  struct lt_slice reference) {
    struct lt_slice rest = reference;
    struct lt_slice path = cut(&rest, "?");
    size_t from = out->len;
    if (path.len && path.data[0] == '/')
        lt_buf_append(out, path);
    else if (path.len)
        append_merged(out, base->path, path);
    else
        lt_buf_append(out, base->path);
    if (path.len && !out->failed)
        remove_dot_segments(out, from);
    if (rest.len) {
        lt_buf_append(out, rest);
    } else if (!path.len && base->has_query) {
        lt_buf_append_byte(out, '?');
        lt_buf_append(out, base->query);
    }
}

static void append_code(struct lt_buf *out, unsigned char c) {
    static const char digits[] = "0123456789ABCDEF";
    const char code[3] = {'%', digits[c >> 4], digits[c & 15]};
    lt_buf_append(out, lt_slice(code, sizeof(code)));
}

void lt_rest_url_append_clean(struct lt_buf *out, struct lt_slice text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
            append_code(out, c);
        else
            lt_buf_append_byte(out, (char)c);
    }
}

/* The reference without white space around it and its fragment, fit for a URL. */
static void append_reference(struct lt_buf *out, struct lt_slice reference) {
    while (reference.len && (unsigned char)reference.data[0] <= ' ')
        reference = lt_slice_from(reference, 1);
    while (reference.len && (unsigned char)reference.data[reference.len - 1] <= ' ')
        reference.len--;
    lt_rest_url_append_clean(out, cut(&reference, "#"));
}

/* "mailto:", "ftp:" …: a scheme ends with the first ':' before any '/', '?' or '#'. */
static bool has_scheme(struct lt_slice reference) {
    for (size_t i = 0; i < reference.len && !strchr("/?#", reference.data[i]); i++)
        if (reference.data[i] == ':')
            return i > 0 &&
                   ((reference.data[0] | 0x20) >= 'a' && (reference.data[0] | 0x20) <= 'z');
    return false;
}

leat_status lt_rest_url_resolve(const char *base, struct lt_slice reference, struct lt_arena *arena,
                                char **out, struct leat_error *err) {
    struct lt_rest_url url, result;
    struct lt_buf clean, buf;

    *out = NULL;
    lt_buf_init(&clean, URL_MAX);
    lt_buf_init(&buf, (size_t)2 * URL_MAX);
    append_reference(&clean, reference);
    struct lt_slice target = lt_buf_slice(&clean);
    bool based = lt_rest_url_split(lt_slice_str(base), &url);
    bool valid = based || has_scheme(target);

    if (has_scheme(target)) {
        lt_buf_append(&buf, target);
    } else if (based && lt_slice_starts(target, LT_LIT("//"))) {
        lt_buf_append(&buf, url.scheme);
        lt_buf_append_byte(&buf, ':');
        lt_buf_append(&buf, target);
    } else if (based) {
        const char *end =
            url.port.len ? url.port.data + url.port.len : url.host.data + url.host.len;
        lt_buf_append(&buf, lt_slice(base, (size_t)(end - base)));
        append_path_and_query(&buf, &url, target);
    }
    valid = valid && !buf.failed && lt_rest_url_split(lt_buf_slice(&buf), &result);
    bool full = clean.failed || buf.failed;
    if (valid)
        *out = lt_arena_str(arena, lt_buf_slice(&buf));
    lt_buf_deinit(&clean);
    lt_buf_deinit(&buf);
    if (full || (valid && !*out))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a URL of %zu bytes", reference.len);
    return valid ? LEAT_OK : lt_fail(err, LEAT_E_PARSE, 0, "a link is no http or https URL");
}

/* The name of a "name=value" pair is `name`, however it is encoded. */
static bool is_named(struct lt_slice pair, const char *name, struct lt_arena *arena) {
    struct lt_slice key = cut(&pair, "=");
    if (lt_slice_eq_str(key, name))
        return true;
    if (!key.len || !(memchr(key.data, '%', key.len) || memchr(key.data, '+', key.len)))
        return false;
    return lt_slice_eq_str(lt_http_percent_decode(key, true, arena), name);
}

static void append_pair(struct lt_buf *out, const char *name, struct lt_slice value) {
    lt_rest_url_encode_query(out, lt_slice_str(name));
    lt_buf_append_byte(out, '=');
    lt_rest_url_encode_query(out, value);
}

/* `value` NULL: removes. */
static char *change_param(const char *text, const char *name, const struct lt_slice *value,
                          struct lt_arena *arena) {
    struct lt_rest_url url;
    struct lt_buf out;
    bool placed = !value;

    if (!lt_rest_url_split(lt_slice_str(text), &url))
        return lt_arena_str(arena, lt_slice_str(text));
    lt_buf_init(&out, URL_MAX);
    lt_buf_append(&out, lt_slice(text, strcspn(text, "?#")));
    char separator = '?';
    for (struct lt_slice rest = url.query; rest.len;) {
        struct lt_slice pair = cut(&rest, "&");
        rest = lt_slice_from(rest, 1);
        bool ours = is_named(pair, name, arena);
        if (ours && placed)
            continue;
        lt_buf_append_byte(&out, separator);
        separator = '&';
        if (ours)
            append_pair(&out, name, *value);
        else
            lt_buf_append(&out, pair);
        placed = placed || ours;
    }
    if (!placed) {
        lt_buf_append_byte(&out, separator);
        append_pair(&out, name, *value);
    }
    return finish(&out, arena);
}

char *lt_rest_url_set_param(const char *url, const char *name, struct lt_slice value,
                            struct lt_arena *arena) {
    return change_param(url, name, &value, arena);
}

char *lt_rest_url_remove_param(const char *url, const char *name, struct lt_arena *arena) {
    return change_param(url, name, NULL, arena);
}

struct lt_slice lt_rest_url_param(const char *url, const char *name, struct lt_arena *arena) {
    struct lt_rest_url parts;
    if (!lt_rest_url_split(lt_slice_str(url), &parts))
        return lt_slice(NULL, 0);
    return lt_http_query(parts.query, name, arena);
}

static void encode(struct lt_buf *out, struct lt_slice value, const char *kept) {
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c && strchr(kept, c)))
            lt_buf_append_byte(out, c);
        else
            append_code(out, (unsigned char)c);
    }
}

void lt_rest_url_encode_path(struct lt_buf *out, struct lt_slice value) {
    encode(out, value, "-._~");
}

void lt_rest_url_encode_query(struct lt_buf *out, struct lt_slice value) {
    encode(out, value, "-._~:@/,");
}
