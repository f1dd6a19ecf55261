/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a REST API that stand for themselves. What a variable gave in auth, headers and
 * parameters is kept as a secret of the API (lt_config_keep_secret()).
 */
#include "pipeline/config.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_NAME_BYTES = 200, MAX_NAMES = 200, MAX_HINTS = 100 };

bool lt_config_has_control(struct lt_slice text) {
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

/* Source: RFC 3986. NULL when the text is a URL with a scheme and a host that a request can go to.
 */
static const char *url_fault(struct lt_slice url) {
    size_t scheme = lt_slice_starts(url, LT_LIT("https://"))  ? 8
                    : lt_slice_starts(url, LT_LIT("http://")) ? 7
                                                              : 0;
    struct lt_slice rest = lt_slice_from(url, scheme);
    size_t host = 0;

    if (!scheme)
        return "it begins with neither http:// nor https://";
    while (host < rest.len && !strchr("/?#", rest.data[host]))
        host++;
    if (!host || rest.data[0] == ':')
        return "it names no host";
    if (memchr(rest.data, '@', host))
        return "a name and password in a URL would be shown; they belong under 'auth'";
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.data[i] <= 0x20 || url.data[i] == 0x7f)
            return "it holds a blank or a control character";
    if (memchr(url.data, '#', url.len))
        return "it has a fragment ('#')";
    return NULL;
}

static void read_url(struct lt_config *c, const struct lt_config_property *p,
                     struct lt_yaml_node *value, void *base) {
    struct lt_slice url;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &url, &from_env))
        return;
    const char *fault = url_fault(url);
    bool is_base = !strcmp(p->name, "base_url");
    if (!fault && is_base && memchr(url.data, '?', url.len))
        fault = "its query belongs under 'params'";
    if (fault) {
        lt_config_problem(c, value->offset, NULL, "%s is '%.*s': %s; expected %s", p->name,
                          LT_FMT(lt_config_cut(value->text)), fault, p->type->expected);
        return;
    }
    while (is_base && url.data[url.len - 1] == '/')
        url.len--;
    lt_config_string.read_text(c, p, url, (char *)base + p->offset);
}

/* "10/s", "0.5/s", "100/m", "5000/h" in requests a second. */
static bool read_rate_text(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_slice text, void *out) {
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
    char number[32];
    char *end;
    size_t i = 0;

    (void)c, (void)p;
    while (i < text.len && (isdigit((unsigned char)text.data[i]) || text.data[i] == '.'))
        i++;
    if (!i || i >= sizeof(number) || text.len != i + 2 || text.data[i] != '/')
        return false;
    memcpy(number, text.data, i);
    number[i] = '\0';
    double n = strtod(number, &end);
    if (*end || !isfinite(n) || n <= 0)
        return false;
    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++)
        if (text.data[i + 1] == units[u].unit) {
            double rate = n / units[u].seconds;
            memcpy(out, &rate, sizeof(rate));
            return rate <= 100000 && rate >= 1.0 / 86400;
        }
    return false;
}

/* A value of `auth`: `base` is the API that it belongs to. */
static void read_credential(struct lt_config *c, const struct lt_config_property *p,
                            struct lt_yaml_node *value, void *base) {
    const struct lt_rest_api *api = base;
    struct lt_slice text;
    bool from_env;
    const char *kept = NULL;

    if (!lt_config_scalar(c, p, value, &text, &from_env))
        return;
    if (!text.len && !p->required && !from_env)
        return; /* as if it were not there; an empty variable was forgotten */
    if (!text.len || lt_config_has_control(text)) {
        lt_config_problem(c, value->offset, NULL, "%s %s; expected %s", p->name,
                          text.len ? "holds a control character" : "is empty", p->type->expected);
        return;
    }
    lt_config_string.read_text(c, p, text, &kept);
    if (!kept)
        return;
    memcpy((char *)base + p->offset, &kept, sizeof(kept));
    lt_config_keep_used(c);
    if (p->type == &lt_config_identity)
        return;
    lt_config_keep_secret(c, kept);
    if (from_env)
        return;
    char name[128];
    int n = snprintf(name, sizeof(name), "%.60s_%s", api->name, p->name);
    for (int i = 0; i < n && i < (int)sizeof(name) - 1; i++)
        name[i] = isalnum((unsigned char)name[i]) ? (char)toupper((unsigned char)name[i]) : '_';
    lt_config_warn(c, value->offset,
                   "%s stands in the file for everyone to read; expected a variable such as ${%s}, "
                   "set in the environment or in a .env beside the file",
                   p->name, name);
}

/* Source: RFC 9110, field-name: a token. A parameter's name is percent-encoded, and may be any
 * text.
 */
const char *lt_config_name_fault(struct lt_slice name, bool is_header) {
    static const char *const own[] = {"host",       "content-length",    "connection",
                                      "keep-alive", "transfer-encoding", "upgrade",
                                      "te",         "trailer",           NULL};

    if (!name.len || name.len > MAX_NAME_BYTES)
        return "expected 1 to 200 characters";
    if (lt_config_has_control(name))
        return "expected no control characters";
    if (!is_header)
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.data[i]) && !strchr("!#$%&'*+-.^_`|~", name.data[i]))
            return "expected letters, digits and '-' alone";
    for (size_t i = 0; own[i]; i++)
        if (name.len == strlen(own[i]) && !strncasecmp(name.data, own[i], name.len))
            return "the client sets it itself";
    return NULL;
}

static bool read_name_text(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_slice text, void *out) {
    return !lt_config_name_fault(text, p->type == &lt_config_header) &&
           lt_config_string.read_text(c, p, text, out);
}

static void add_name(struct lt_config *c, const struct lt_config_property *p,
                     const struct lt_yaml_node *item, const char **names, size_t *n) {
    struct lt_slice text;
    bool from_env;
    const char *name = NULL;

    if (!lt_config_scalar(c, p, item, &text, &from_env))
        return;
    if (!text.len) {
        lt_config_problem(c, item->offset, NULL, "%s has an empty name", p->name);
        return;
    }
    lt_config_string.read_text(c, p, text, &name);
    if (!name)
        return;
    for (size_t i = 0; i < *n; i++)
        if (!strcmp(names[i], name)) {
            lt_config_problem(c, item->offset, NULL, "'%.*s' stands here again",
                              LT_FMT(lt_config_cut(item->text)));
            return;
        }
    names[(*n)++] = name;
}

static void read_names(struct lt_config *c, const struct lt_config_property *p,
                       struct lt_yaml_node *value, void *base) {
    size_t *n = (size_t *)(void *)((char *)base + p->count_offset);
    size_t n_items = value->type == LT_YAML_SEQUENCE ? value->n : 1;

    if (value->type == LT_YAML_MAPPING || n_items > MAX_NAMES || lt_config_is_null(value)) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    if (!n_items) {
        lt_config_problem(c, value->offset, NULL, "%s is empty; expected at least one name",
                          p->name);
        return;
    }
    const char **names = lt_config_alloc(c, n_items, sizeof(*names));
    if (!names)
        return;
    memcpy((char *)base + p->offset, &names, sizeof(names));
    for (size_t i = 0; i < n_items; i++)
        add_name(c, p, value->type == LT_YAML_SEQUENCE ? value->items[i] : value, names, n);
}

static void read_hints(struct lt_config *c, const struct lt_config_property *p,
                       struct lt_yaml_node *value, void *base) {
    struct lt_rest_resource *resource = base;

    if (value->type != LT_YAML_MAPPING || value->n > MAX_HINTS) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    resource->hints = lt_config_alloc(c, value->n ? value->n : 1, sizeof(*resource->hints));
    for (size_t i = 0; resource->hints && i < value->n; i++) {
        const struct lt_yaml_node *key = value->pairs[i].key;
        struct lt_rest_hint hint = {0};
        struct lt_slice text;
        bool from_env;
        for (size_t k = 0; k < key->text.len && k < 4; k++)
            hint.status = isdigit((unsigned char)key->text.data[k])
                              ? hint.status * 10 + (unsigned)(key->text.data[k] - '0')
                              : 9999;
        if (hint.status < 300 || hint.status > 599 || key->text.len != 3) {
            lt_config_problem(c, key->offset, NULL,
                              "'%.*s' is no HTTP status of an error; expected one from 300 to 599",
                              LT_FMT(lt_config_cut(key->text)));
            continue;
        }
        if (!lt_config_scalar(c, p, value->pairs[i].value, &text, &from_env) ||
            !lt_config_string.read_text(c, p, text, &hint.text) || !hint.text)
            continue;
        resource->hints[resource->n_hints++] = hint;
    }
}

/* A file beside this one. */
static void read_path(struct lt_config *c, const struct lt_config_property *p,
                      struct lt_yaml_node *value, void *base) {
    struct lt_slice text;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &text, &from_env))
        return;
    if (!text.len || memchr(text.data, '\0', text.len)) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    const char *path = lt_config_beside(c, text);
    if (!path)
        return;
    memcpy((char *)base + p->offset, &path, sizeof(path));
    if (access(path, R_OK) != 0)
        lt_config_warn(c, value->offset, "%s names '%.*s', which cannot be read here", p->name,
                       LT_FMT(lt_config_cut(value->text)));
}

const struct lt_config_type lt_config_url = {
    .name = "URL",
    .expected = "a URL such as https://api.example.com/v1",
    .schema = "\"type\":\"string\",\"pattern\":\"^(https?://|[$])\"",
    .read = read_url,
};
const struct lt_config_type lt_config_rate = {
    .name = "rate",
    .expected = "a rate such as 10/s, 100/m or 5000/h",
    .schema = "\"type\":\"string\",\"pattern\":\"^([0-9.]+/[smh]|[$].*)$\"",
    .read = lt_config_read_scalar,
    .read_text = read_rate_text,
};
const struct lt_config_type lt_config_secret = {
    .name = "secret",
    .expected = "a text, best from a variable",
    .schema = "\"type\":\"string\"",
    .read = read_credential,
};
const struct lt_config_type lt_config_identity = {
    .name = "string",
    .expected = "a text",
    .schema = "\"type\":\"string\"",
    .read = read_credential,
};
const struct lt_config_type lt_config_header = {
    .name = "header",
    .expected = "the name of a header such as X-Api-Key",
    .schema = "\"type\":\"string\"",
    .read = lt_config_read_scalar,
    .read_text = read_name_text,
};
const struct lt_config_type lt_config_param_name = {
    .name = "name",
    .expected = "the name of a parameter",
    .schema = "\"type\":\"string\"",
    .read = lt_config_read_scalar,
    .read_text = read_name_text,
};
const struct lt_config_type lt_config_names = {
    .name = "list of names",
    .expected = "a name, or a list of names",
    .schema = "\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}",
    .read = read_names,
};
const struct lt_config_type lt_config_hints = {
    .name = "map of texts",
    .expected = "a mapping of HTTP statuses to texts",
    .schema = "\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}",
    .read = read_hints,
};
const struct lt_config_type lt_config_path = {
    .name = "file",
    .expected = "the path of a file, from this one's folder",
    .schema = "\"type\":\"string\"",
    .read = read_path,
};
