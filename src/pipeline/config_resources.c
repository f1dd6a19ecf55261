/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold between the properties of an API and of its resources: who is fetched for whom,
 * without circles, and parents before their children.
 */
#include "pipeline/config.h"

#include "base/units.h"
#include "json/json.h"

#include <ctype.h>

enum { MAX_CANDIDATES = 1000, MAX_NAME_BYTES = 64 };

/* Names become parts of the keys of objects. */
bool lt_config_check_resource_name(struct lt_config *c, struct lt_yaml_node *key) {
    size_t i = 0;

    while (i < key->text.len && (islower((unsigned char)key->text.data[i]) ||
                                 isdigit((unsigned char)key->text.data[i]) ||
                                 key->text.data[i] == '_' || key->text.data[i] == '-'))
        i++;
    if (i && i == key->text.len && i <= MAX_NAME_BYTES)
        return true;
    lt_config_problem(c, key->offset, NULL,
                      "'%.*s' cannot name a resource; expected 1 to %d lower-case letters, digits, "
                      "'_' or '-'",
                      LT_FMT(lt_config_cut(key->text)), MAX_NAME_BYTES);
    return false;
}

/* Until all resources are known, a resource with a parent has 0 as its index. */
static void read_for_each(struct lt_config *c, const struct lt_config_property *p,
                          struct lt_yaml_node *value, void *base) {
    struct lt_rest_resource *resource = base;

    if (value->type == LT_YAML_SCALAR && !lt_config_is_null(value))
        resource->parent = 0;
    else
        lt_config_wrong_type(c, p, value);
}

static bool read_for_each_text(struct lt_config *c, const struct lt_config_property *p,
                               struct lt_slice text, void *out) {
    size_t none = SIZE_MAX;

    (void)c, (void)p, (void)text;
    memcpy(out, &none, sizeof(none));
    return true;
}

void lt_config_finish_auth(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_rest_api *api = base;
    const struct lt_yaml_node *name = lt_yaml_get(mapping, "name");
    const char *fault = api->auth.name && api->auth.in != 1
                            ? lt_config_name_fault(lt_slice_str(api->auth.name), true)
                            : NULL;

    if (name && fault)
        lt_config_problem(c, name->offset, NULL, "'%.*s' cannot name a %s; %s",
                          LT_FMT(lt_config_cut(name->text)),
                          api->auth.in == 2 ? "cookie" : "header", fault);
}

void lt_config_finish_cursor(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_yaml_node *cursor = lt_yaml_get(mapping, "cursor");
    const struct lt_yaml_node *header = lt_yaml_get(mapping, "header");

    (void)base;
    if (!cursor == !header)
        lt_config_problem(c, cursor ? header->offset : mapping->offset, NULL,
                          "the cursor comes from %s; expected either 'cursor', jq on the body, or "
                          "'header'",
                          cursor ? "two places" : "nowhere");
}

static void check_path(struct lt_config *c, const struct lt_yaml_node *mapping) {
    const struct lt_yaml_node *path = lt_yaml_get(mapping, "path");
    static const char *const starts[] = {"/", "http://", "https://", "${", NULL};

    if (!path || path->type != LT_YAML_SCALAR || lt_config_is_null(path))
        return;
    for (size_t i = 0; starts[i]; i++)
        if (lt_slice_starts(path->text, lt_slice_str(starts[i])))
            return;
    if (lt_slice_starts(path->text, LT_LIT("{")) && !lt_slice_starts(path->text, LT_LIT("{{")))
        return;
    lt_config_problem(c, path->offset, NULL,
                      "path is '%.*s'; expected it to begin with '/', or a whole URL",
                      LT_FMT(lt_config_cut(path->text)));
}

/* A parameter that changes from page to page, or run to run, cannot be the file's too. */
static void check_page_params(struct lt_config *c, const struct lt_yaml_node *mapping,
                              const struct lt_rest_resource *resource) {
    const struct lt_rest_pagination *pagination = &resource->pagination;
    const struct lt_yaml_node *params = lt_yaml_get(mapping, "params");
    const char *const set[] = {pagination->offset_param, pagination->page_param,
                               pagination->cursor_param, resource->incremental.param};

    for (size_t i = 0; params && params->type == LT_YAML_MAPPING && i < params->n; i++)
        for (size_t k = 0; k < sizeof(set) / sizeof(set[0]); k++)
            if (set[k] && lt_slice_eq_str(params->pairs[i].key->text, set[k]))
                lt_config_problem(c, params->pairs[i].key->offset, NULL,
                                  "'%s' is set by '%s'; expected it not here", set[k],
                                  k == 3 ? "incremental" : "paginate");
}

/* A parameter in the body needs one that is an object. */
static void check_in_body(struct lt_config *c, const struct lt_yaml_node *mapping,
                          const struct lt_rest_resource *resource) {
    const struct lt_yaml_node *node =
        lt_yaml_get(mapping, resource->pagination.in ? "paginate" : "incremental");
    struct lt_slice text = resource->body.source.text;
    struct lt_json body;

    if (!node || (!resource->pagination.in && !resource->incremental.in))
        return;
    if (!resource->method || strcmp(resource->method, "POST") != 0)
        lt_config_problem(c, node->offset, NULL,
                          "a GET request has no body for 'in: body'; expected 'method: POST'");
    else if (text.data &&
             (lt_json_parse(&body, text, 64, NULL) != LEAT_OK || body.type != LT_JSON_OBJECT))
        lt_config_problem(c, node->offset, NULL,
                          "'in: body' has no object to go into; expected 'body' to be a mapping");
}

void lt_config_finish_resource(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    struct lt_rest_resource *resource = base;
    const struct lt_yaml_node *next = lt_yaml_get(mapping, "next");
    const struct lt_yaml_node *body = lt_yaml_get(mapping, "body");
    const struct lt_yaml_node *fields = lt_yaml_get(mapping, "fields");

    check_path(c, mapping);
    check_page_params(c, mapping, resource);
    check_in_body(c, mapping, resource);
    if (next && lt_yaml_get(mapping, "paginate"))
        lt_config_problem(
            c, next->offset, NULL,
            "next is short for 'paginate: {next: {url: …}}'; expected one of the two");
    else if (next)
        resource->pagination.kind = "next";
    if (body && resource->method && strcmp(resource->method, "POST") != 0)
        lt_config_problem(c, body->offset, NULL,
                          "a %s request has no body; expected 'method: POST', or 'params'",
                          resource->method);
    for (size_t i = 0; fields && fields->type == LT_YAML_MAPPING && i < fields->n; i++) {
        const struct lt_yaml_node *value = fields->pairs[i].value;
        if (resource->parent == SIZE_MAX && value->type == LT_YAML_SCALAR &&
            lt_config_is_jq_path(value->text))
            lt_config_problem(c, value->offset, NULL,
                              "fields.%.*s has no record of a parent to look into; expected "
                              "'for_each' with the resource whose records it is of",
                              LT_FMT(lt_config_cut(fields->pairs[i].key->text)));
    }
}

static struct lt_yaml_node *resource_node(const struct lt_yaml_node *mapping, size_t i) {
    const struct lt_yaml_node *resources = lt_yaml_get(mapping, "resources");
    return resources && resources->type == LT_YAML_MAPPING && i < resources->n
               ? resources->pairs[i].value
               : NULL;
}

static const char **resource_names(struct lt_config *c, const struct lt_rest_api *api) {
    size_t n = api->n_resources < MAX_CANDIDATES ? api->n_resources : MAX_CANDIDATES;
    const char **names = lt_config_alloc(c, n + 1, sizeof(*names));

    for (size_t i = 0; names && i < n; i++)
        names[i] = api->resources[i].name;
    return names;
}

static void find_parent(struct lt_config *c, struct lt_rest_api *api, size_t i,
                        const struct lt_yaml_node *value) {
    struct lt_rest_resource *resource = &api->resources[i];

    resource->parent = SIZE_MAX;
    for (size_t k = 0; k < api->n_resources; k++)
        if (lt_slice_eq_str(value->text, api->resources[k].name))
            resource->parent = k;
    if (resource->parent != SIZE_MAX)
        return;
    const char **names = resource_names(c, api);
    if (names)
        lt_config_problem(c, value->offset, lt_nearest(value->text, names),
                          "for_each names '%.*s', which is no resource of %s; expected %s",
                          LT_FMT(lt_config_cut(value->text)), api->name,
                          lt_config_words(c, names, " or "));
}

/* "a -> b -> a", from resource `i` on. */
static const char *circle_text(struct lt_config *c, const struct lt_rest_api *api, size_t i) {
    struct lt_buf buf;
    size_t at = i;

    lt_buf_init(&buf, 512);
    do {
        lt_buf_printf(&buf, "%s -> ", api->resources[at].name);
        at = api->resources[at].parent;
    } while (at != i && !buf.failed);
    lt_buf_append_str(&buf, buf.failed ? "…" : api->resources[i].name);
    const char *text = lt_arena_str(c->arena, lt_buf_slice(&buf));
    lt_buf_deinit(&buf);
    return text ? text : "";
}

/* Each circle is told once, at its first resource in the file, and cut there. */
static void check_circles(struct lt_config *c, struct lt_rest_api *api,
                          const struct lt_yaml_node *mapping) {
    size_t *seen = lt_config_alloc(c, api->n_resources + 1, sizeof(*seen)); /* by round, from 1 */

    for (size_t i = 0; seen && i < api->n_resources; i++) {
        size_t at = i;
        while (at != SIZE_MAX && !seen[at]) {
            seen[at] = i + 1;
            at = api->resources[at].parent;
        }
        if (at == SIZE_MAX || seen[at] != i + 1)
            continue;
        size_t first = at;
        for (size_t k = api->resources[at].parent; k != at; k = api->resources[k].parent)
            first = k < first ? k : first;
        const struct lt_yaml_node *node = resource_node(mapping, first);
        const struct lt_yaml_node *value = node ? lt_yaml_get(node, "for_each") : NULL;
        lt_config_problem(c, value ? value->offset : mapping->offset, NULL,
                          "for_each goes in a circle: %s; expected a resource that stands alone at "
                          "its start",
                          circle_text(c, api, first));
        api->resources[first].parent = SIZE_MAX;
    }
}

/* Parents before their children, else in the order of the file. */
static void order_resources(struct lt_config *c, struct lt_rest_api *api) {
    size_t n = api->n_resources, done = 0;
    struct lt_rest_resource *ordered = lt_config_alloc(c, n + 1, sizeof(*ordered));
    size_t *place = lt_config_alloc(c, n + 1, sizeof(*place)); /* in `ordered`, from 1 */

    for (size_t i = 0; ordered && place && i < n; i++) {
        while (!place[i]) {
            size_t first = i; /* the farthest forefather that has no place yet */
            while (api->resources[first].parent != SIZE_MAX && !place[api->resources[first].parent])
                first = api->resources[first].parent;
            ordered[done] = api->resources[first];
            if (ordered[done].parent != SIZE_MAX)
                ordered[done].parent = place[ordered[done].parent] - 1;
            place[first] = ++done;
        }
    }
    if (done == n && n)
        api->resources = ordered;
}

/* What must not be shown of this API; the next one begins anew. */
static void take_secrets(struct lt_config *c, const struct lt_yaml_node *mapping,
                         struct lt_rest_api *api) {
    const struct lt_config_value *list = c->secrets;
    size_t n = 0;

    c->secrets = NULL;
    for (const struct lt_config_value *one = list; one; one = one->next)
        n++;
    if (n > LT_CONFIG_MAX_SECRETS) {
        lt_config_problem(c, mapping->offset, NULL,
                          "%s takes more than %d values from variables; expected fewer", api->name,
                          LT_CONFIG_MAX_SECRETS);
        return;
    }
    api->secrets = lt_config_alloc(c, n + 1, sizeof(*api->secrets));
    for (const struct lt_config_value *one = list; api->secrets && one; one = one->next)
        api->secrets[api->n_secrets++] = one->text;
}

/* True for a host that is this machine. */
static bool is_local(struct lt_slice host) {
    size_t len = 0;

    if (lt_slice_starts(host, LT_LIT("[::1]")))
        return true;
    while (len < host.len && host.data[len] != ':' && host.data[len] != '/')
        len++;
    host.len = len;
    len = 0;
    while (len < host.len && (isdigit((unsigned char)host.data[len]) || host.data[len] == '.'))
        len++;
    return lt_slice_eq_str(host, "localhost") ||
           (lt_slice_starts(host, LT_LIT("127.")) && len == host.len);
}

/* Credentials over a connection that anyone can read, but for this machine's own. */
static void check_clear_text(struct lt_config *c, const struct lt_yaml_node *value,
                             const char *url) {
    struct lt_slice text = lt_slice_str(url);

    if (value && lt_slice_starts(text, LT_LIT("http://")) && !is_local(lt_slice_from(text, 7)))
        lt_config_warn(c, value->offset,
                       "credentials go over http:// for everyone on the way to read; expected "
                       "https://");
}

static void check_clear_texts(struct lt_config *c, const struct lt_yaml_node *mapping,
                              const struct lt_rest_api *api) {
    const struct lt_yaml_node *auth = lt_yaml_get(mapping, "auth");

    if (!auth || auth->type != LT_YAML_MAPPING || !strcmp(api->auth.kind, "none"))
        return;
    const struct lt_yaml_node *kind = lt_yaml_get(auth, api->auth.kind);
    check_clear_text(c, lt_yaml_get(mapping, "base_url"), api->base_url);
    if (kind && kind->type == LT_YAML_MAPPING)
        check_clear_text(c, lt_yaml_get(kind, "token_url"), api->auth.token_url);
}

void lt_config_finish_api(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    struct lt_rest_api *api = base;
    const struct lt_yaml_node *resources = lt_yaml_get(mapping, "resources");

    if (resources && resources->type == LT_YAML_MAPPING && !resources->n)
        lt_config_problem(c, resources->offset, NULL,
                          "resources is empty; expected at least one, by name");
    for (size_t i = 0; i < api->n_resources; i++) {
        const struct lt_yaml_node *node = resource_node(mapping, i);
        const struct lt_yaml_node *value =
            node && node->type == LT_YAML_MAPPING ? lt_yaml_get(node, "for_each") : NULL;
        if (value && value->type == LT_YAML_SCALAR && api->resources[i].parent != SIZE_MAX)
            find_parent(c, api, i, value);
    }
    check_circles(c, api, mapping);
    order_resources(c, api);
    check_clear_texts(c, mapping, api);
    take_secrets(c, mapping, api);
}

static void read_api_ref(struct lt_config *c, const struct lt_config_property *p,
                         struct lt_yaml_node *value, void *base) {
    size_t n = c->system->n_apis < MAX_CANDIDATES ? c->system->n_apis : MAX_CANDIDATES;
    struct lt_rest_api *api = NULL;
    struct lt_slice name;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &name, &from_env))
        return;
    for (size_t i = 0; i < c->system->n_apis; i++)
        if (lt_slice_eq_str(name, c->system->apis[i].name))
            api = &c->system->apis[i];
    memcpy((char *)base + p->offset, &api, sizeof(api));
    const char **names = api ? NULL : lt_config_alloc(c, n + 1, sizeof(*names));
    for (size_t i = 0; names && i < n; i++)
        names[i] = c->system->apis[i].name;
    if (names)
        lt_config_problem(c, value->offset, from_env ? NULL : lt_nearest(name, names),
                          "%s names '%.*s', which is no source of this file; expected %s", p->name,
                          LT_FMT(lt_config_cut(value->text)),
                          n ? lt_config_words(c, names, " or ")
                            : "it under 'sources', where there is none yet");
}

/* Some resources of the API that was named before. */
static void read_resource_refs(struct lt_config *c, const struct lt_config_property *p,
                               struct lt_yaml_node *value, void *base) {
    struct lt_system_pipeline *pipeline = base;
    const struct lt_rest_api *api = pipeline->source_api;

    lt_config_names.read(c, p, value, base);
    const char **names = api ? resource_names(c, api) : NULL;
    for (size_t i = 0; names && i < pipeline->n_source_resources; i++) {
        bool found = false;
        for (size_t k = 0; k < api->n_resources && !found; k++)
            found = !strcmp(pipeline->source_resources[i], api->resources[k].name);
        if (found)
            continue;
        const struct lt_yaml_node *item =
            value->type == LT_YAML_SEQUENCE && i < value->n ? value->items[i] : value;
        lt_config_problem(
            c, item->offset, lt_nearest(lt_slice_str(pipeline->source_resources[i]), names),
            "'%.*s' is no resource of %s; expected %s", LT_FMT(lt_config_cut(item->text)),
            api->name, lt_config_words(c, names, " or "));
    }
}

const struct lt_config_type lt_config_api_ref = {
    .name = "source",
    .expected = "the name of a source of this file",
    .schema = "\"type\":\"string\"",
    .read = read_api_ref,
};
const struct lt_config_type lt_config_resource_refs = {
    .name = "list of names",
    .expected = "a list of names of resources",
    .schema = "\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}",
    .read = read_resource_refs,
};
const struct lt_config_type lt_config_for_each = {
    .name = "resource",
    .expected = "the name of a resource of this API",
    .schema = "\"type\":\"string\"",
    .read = read_for_each,
    .read_text = read_for_each_text,
};
