/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names as AWS takes them, and values that name something else of the file: a stream, a bucket.
 * Streams and buckets are read before what names them, so a reference is settled where it stands.
 */
#include "pipeline/config.h"

#include "base/units.h"

#include <ctype.h>

enum { MAX_CANDIDATES = 1000, MAX_SHOWN = 12, MAX_BUCKETS = 2000 };

static const char s3_scheme[] = "s3://";
static const char bad_prefix_from_env[] =
    "what came from the environment makes no prefix that Firehose takes";

/* A name of letters, digits, '_', '.' and '-'. */
static bool check_name(struct lt_config *c, const struct lt_yaml_node *key, const char *what,
                       size_t max) {
    size_t i = 0;

    while (i < key->text.len && (isalnum((unsigned char)key->text.data[i]) ||
                                 (key->text.data[i] && strchr("_.-", key->text.data[i]))))
        i++;
    if (key->text.len >= 1 && key->text.len <= max && i == key->text.len)
        return true;
    lt_config_problem(c, key->offset, NULL,
                      "'%.*s' cannot name a %s; expected 1 to %zu letters, digits, '_', '.' or '-'",
                      LT_FMT(lt_config_cut(key->text)), what, max);
    return false;
}

bool lt_config_check_stream_name(struct lt_config *c, struct lt_yaml_node *key) {
    return check_name(c, key, "stream", 128);
}

bool lt_config_check_delivery_name(struct lt_config *c, struct lt_yaml_node *key) {
    return check_name(c, key, "delivery", 64);
}

bool lt_config_check_pipeline_name(struct lt_config *c, struct lt_yaml_node *key) {
    return check_name(c, key, "pipeline", 64);
}

bool lt_config_check_api_name(struct lt_config *c, struct lt_yaml_node *key) {
    return check_name(c, key, "source", 64);
}

static bool is_bucket_char(char ch) {
    return islower((unsigned char)ch) || isdigit((unsigned char)ch) || ch == '-' || ch == '.';
}

/* Source: Amazon S3, general purpose bucket naming rules. NULL when the name is good. */
static const char *bucket_fault(struct lt_slice name) {
    size_t n_dots = 0, n_digits = 0;

    if (name.len < 3 || name.len > 63)
        return "expected 3 to 63 characters";
    for (size_t i = 0; i < name.len; i++) {
        if (!is_bucket_char(name.data[i]))
            return "expected lower-case letters, digits, '.' and '-' alone";
        if (name.data[i] == '.' && name.data[i - (i > 0)] == '.' && i > 0)
            return "expected no two dots in a row";
        n_dots += name.data[i] == '.';
        n_digits += isdigit((unsigned char)name.data[i]) != 0;
    }
    if (!isalnum((unsigned char)name.data[0]) || !isalnum((unsigned char)name.data[name.len - 1]))
        return "expected a letter or digit at both ends";
    if (n_dots == 3 && n_digits + n_dots == name.len)
        return "expected no IP address";
    if (lt_slice_starts(name, LT_LIT("xn--")) || lt_slice_starts(name, LT_LIT("sthree-")) ||
        lt_slice_starts(name, LT_LIT("amzn-s3-demo-")))
        return "expected none of the prefixes that AWS keeps (xn--, sthree-, amzn-s3-demo-)";
    return NULL;
}

static const char **stream_names(struct lt_config *c) {
    size_t n = c->system->n_streams < MAX_CANDIDATES ? c->system->n_streams : MAX_CANDIDATES;
    const char **names = lt_config_alloc(c, n + 1, sizeof(*names));

    for (size_t i = 0; names && i < n; i++)
        names[i] = c->system->streams[i].name;
    return names;
}

static const char **bucket_names(struct lt_config *c) {
    size_t n = c->system->n_buckets < MAX_CANDIDATES ? c->system->n_buckets : MAX_CANDIDATES;
    const char **names = lt_config_alloc(c, n + 1, sizeof(*names));

    for (size_t i = 0; names && i < n; i++)
        names[i] = c->system->buckets[i].name;
    return names;
}

struct lt_system_stream *lt_config_find_stream(struct lt_config *c, struct lt_slice name) {
    for (size_t i = 0; i < c->system->n_streams; i++)
        if (lt_slice_eq_str(name, c->system->streams[i].name))
            return &c->system->streams[i];
    return NULL;
}

static const struct lt_system_bucket *find_bucket(const struct lt_config *c, struct lt_slice name) {
    for (size_t i = 0; i < c->system->n_buckets; i++)
        if (lt_slice_eq_str(name, c->system->buckets[i].name))
            return &c->system->buckets[i];
    return NULL;
}

/* What the file offers, cut short where it is long. */
static const char *offer(struct lt_config *c, const char **names, const char *none) {
    const char *shown[MAX_SHOWN + 2] = {0};
    size_t n = 0;

    while (n < MAX_SHOWN && names[n]) {
        shown[n] = names[n];
        n++;
    }
    if (names[n])
        shown[n++] = "another of the file's";
    return n ? lt_config_words(c, shown, " or ") : none;
}

/* `shown` is what stands in the file; a name that came out of the environment is not shown. */
static const char *resolve_stream(struct lt_config *c, const struct lt_config_property *p,
                                  const struct lt_yaml_node *value, struct lt_slice name,
                                  bool from_env) {
    struct lt_system_stream *stream = lt_config_find_stream(c, name);

    if (stream)
        return stream->name;
    const char **names = stream_names(c);
    if (names)
        lt_config_problem(c, value->offset, from_env ? NULL : lt_nearest(name, names),
                          "%s names '%.*s', which is no stream of this file; expected %s%s",
                          p->name, LT_FMT(lt_config_cut(value->text)),
                          offer(c, names, "it under 'streams', where there is none yet"),
                          p->type == &lt_config_destination ? ", or s3://BUCKET/PREFIX" : "");
    return NULL;
}

static void read_stream_ref(struct lt_config *c, const struct lt_config_property *p,
                            struct lt_yaml_node *value, void *base) {
    struct lt_slice name;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &name, &from_env))
        return;
    const char *stream = resolve_stream(c, p, value, name, from_env);
    memcpy((char *)base + p->offset, &stream, sizeof(stream));
}

static void read_buckets(struct lt_config *c, const struct lt_config_property *p,
                         struct lt_yaml_node *value, void *base) {
    struct lt_system *system = base;

    if (value->type != LT_YAML_SEQUENCE) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    if (value->n > MAX_BUCKETS) {
        lt_config_problem(c, value->offset, NULL, "buckets has %zu entries; at most %d are read",
                          value->n, MAX_BUCKETS);
        return;
    }
    system->buckets = lt_config_alloc(c, value->n ? value->n : 1, sizeof(*system->buckets));
    for (size_t i = 0; system->buckets && i < value->n; i++) {
        const struct lt_yaml_node *item = value->items[i];
        struct lt_system_bucket bucket = {0};
        struct lt_slice name;
        bool from_env;
        if (!lt_config_scalar(c, p, item, &name, &from_env))
            continue;
        const char *fault = bucket_fault(name);
        if (fault)
            lt_config_problem(c, item->offset, NULL, "'%.*s' cannot name a bucket; %s",
                              LT_FMT(lt_config_cut(item->text)), fault);
        if (find_bucket(c, name)) {
            lt_config_problem(c, item->offset, NULL, "bucket '%.*s' stands here again",
                              LT_FMT(item->text));
            continue;
        }
        bucket.name = lt_arena_str(c->arena, name);
        lt_yaml_place(&c->source, item->offset, &bucket.place.line, &bucket.place.column);
        system->buckets[system->n_buckets] = bucket;
        if (bucket.name)
            system->n_buckets++;
    }
}

/* "s3://BUCKET/PREFIX" into its parts; the bucket must be one of the file's. */
static bool resolve_objects(struct lt_config *c, const struct lt_config_property *p,
                            const struct lt_yaml_node *value, struct lt_slice text, bool from_env,
                            const char **bucket, const char **prefix) {
    struct lt_slice rest = lt_slice_from(text, sizeof(s3_scheme) - 1);
    const char *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
    struct lt_slice name = slash ? lt_slice(rest.data, (size_t)(slash - rest.data)) : rest;
    struct lt_slice key = slash ? lt_slice_from(rest, name.len + 1) : lt_slice("", 0);
    const struct lt_system_bucket *found = find_bucket(c, name);
    struct leat_error err;

    if (!found) {
        const char **names = bucket_names(c);
        if (names)
            lt_config_problem(
                c, value->offset, from_env ? NULL : lt_nearest(name, names),
                "%s names '%.*s', which is in no bucket of this file; expected %s", p->name,
                LT_FMT(lt_config_cut(value->text)),
                offer(c, names, "the bucket under 'buckets', where there is none yet"));
        return false;
    }
    *bucket = found->name;
    *prefix = lt_arena_str(c->arena, key);
    if (lt_delivery_check_prefix(key, false, &err) != LEAT_OK)
        lt_config_problem(c, value->offset, NULL, "%s: %s", p->name,
                          from_env ? bad_prefix_from_env : err.text);
    else if (key.len && isalnum((unsigned char)key.data[key.len - 1]))
        lt_config_warn(c, value->offset,
                       "%s ends without a '/': the time follows at once, as in '%s2026/…'", p->name,
                       from_env  ? "PREFIX"
                       : *prefix ? *prefix
                                 : "");
    return *prefix != NULL;
}

static void read_objects(struct lt_config *c, const struct lt_config_property *p,
                         struct lt_yaml_node *value, void *base) {
    struct lt_system_delivery *delivery = base;
    struct lt_slice text;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &text, &from_env))
        return;
    if (!lt_slice_starts(text, lt_slice_str(s3_scheme)))
        lt_config_wrong_type(c, p, value);
    else
        (void)resolve_objects(c, p, value, text, from_env, &delivery->bucket, &delivery->prefix);
}

static void read_dead_objects(struct lt_config *c, const struct lt_config_property *p,
                              struct lt_yaml_node *value, void *base) {
    struct lt_system_pipeline *pipeline = base;
    struct lt_slice text;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &text, &from_env))
        return;
    if (!lt_slice_starts(text, lt_slice_str(s3_scheme)))
        lt_config_wrong_type(c, p, value);
    else
        (void)resolve_objects(c, p, value, text, from_env, &pipeline->dead_bucket,
                              &pipeline->dead_prefix);
}

static void read_destination(struct lt_config *c, const struct lt_config_property *p,
                             struct lt_yaml_node *value, void *base) {
    struct lt_system_route *route = base;
    struct lt_slice text;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &text, &from_env))
        return;
    route->to = value->text.data; /* as written */
    if (lt_slice_starts(text, lt_slice_str(s3_scheme))) {
        route->kind = LT_ROUTE_OBJECTS;
        (void)resolve_objects(c, p, value, text, from_env, &route->bucket, &route->prefix);
        return;
    }
    route->kind = LT_ROUTE_STREAM;
    route->stream = resolve_stream(c, p, value, text, from_env);
}

static void read_error_prefix(struct lt_config *c, const struct lt_config_property *p,
                              struct lt_yaml_node *value, void *base) {
    struct lt_slice text;
    struct leat_error err;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &text, &from_env))
        return;
    if (lt_delivery_check_prefix(text, true, &err) != LEAT_OK)
        lt_config_problem(c, value->offset, NULL, "%s: %s", p->name,
                          from_env ? bad_prefix_from_env : err.text);
    else
        p->type->read_text(c, p, text, (char *)base + p->offset);
}

/* Source: Amazon Data Firehose API, FileExtension: ^$|\.[0-9a-z!\-_.*'()]+ */
static bool read_suffix_text(struct lt_config *c, const struct lt_config_property *p,
                             struct lt_slice text, void *out) {
    for (size_t i = 0; i < text.len; i++)
        if (!islower((unsigned char)text.data[i]) && !isdigit((unsigned char)text.data[i]) &&
            (!text.data[i] || !strchr("!-_.*'()", text.data[i])))
            return false;
    if (text.len && (text.data[0] != '.' || text.len < 2 || text.len > 128))
        return false;
    return lt_config_string.read_text(c, p, text, out);
}

static bool read_role_text(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_slice text, void *out) {
    if (!lt_slice_starts(text, LT_LIT("arn:")) || !memmem(text.data, text.len, ":role/", 6))
        return false;
    return lt_config_string.read_text(c, p, text, out);
}

static bool read_text(struct lt_config *c, const struct lt_config_property *p, struct lt_slice text,
                      void *out) {
    return lt_config_string.read_text(c, p, text, out);
}

const struct lt_config_type lt_config_stream_ref = {
    .name = "stream",
    .expected = "the name of a stream of this file",
    .schema = "\"type\":\"string\"",
    .read = read_stream_ref,
};
const struct lt_config_type lt_config_buckets = {
    .name = "list of names",
    .expected = "a list of bucket names",
    .schema = "\"type\":\"array\",\"items\":{\"type\":\"string\"}",
    .read = read_buckets,
};
const struct lt_config_type lt_config_objects = {
    .name = "s3://BUCKET/PREFIX",
    .expected = "s3://BUCKET/PREFIX",
    .schema = "\"type\":\"string\",\"pattern\":\"^s3://\"",
    .read = read_objects,
};
const struct lt_config_type lt_config_dead_objects = {
    .name = "s3://BUCKET/PREFIX",
    .expected = "s3://BUCKET/PREFIX",
    .schema = "\"type\":\"string\",\"pattern\":\"^s3://\"",
    .read = read_dead_objects,
};
const struct lt_config_type lt_config_destination = {
    .name = "stream or s3://BUCKET/PREFIX",
    .expected = "a stream of this file, or s3://BUCKET/PREFIX",
    .schema = "\"type\":\"string\"",
    .read = read_destination,
};
const struct lt_config_type lt_config_suffix = {
    .name = "suffix",
    .expected = "a file extension such as .jsonl.gz, in lower case",
    .schema = "\"type\":\"string\"",
    .read = lt_config_read_scalar,
    .read_text = read_suffix_text,
};
const struct lt_config_type lt_config_error_prefix = {
    .name = "prefix",
    .expected = "a key prefix such as \"errors/!{firehose:error-output-type}/\"",
    .schema = "\"type\":\"string\"",
    .read = read_error_prefix,
    .read_text = read_text,
};
const struct lt_config_type lt_config_role = {
    .name = "ARN",
    .expected = "a role's ARN such as arn:aws:iam::123456789012:role/delivery",
    .schema = "\"type\":\"string\",\"pattern\":\"^arn:\"",
    .read = lt_config_read_scalar,
    .read_text = read_role_text,
};
