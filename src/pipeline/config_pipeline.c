/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold between the properties of a delivery, and between those of a pipeline. */
#include "pipeline/config.h"

#include "base/units.h"

void lt_config_finish_delivery(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_system_delivery *delivery = base;
    const struct lt_yaml_node *to = lt_yaml_get(mapping, "to");

    /* Source: Amazon Data Firehose, custom prefixes. */
    if (to && delivery->prefix && strstr(delivery->prefix, "!{") &&
        !lt_yaml_get(mapping, "error_prefix"))
        lt_config_problem(c, to->offset, NULL,
                          "a prefix with expressions wants an error_prefix; expected one such as "
                          "\"errors/!{firehose:error-output-type}/\"");
}

/* The mapping of route or test `i`, or NULL. */
static struct lt_yaml_node *item_of(const struct lt_yaml_node *mapping, const char *key, size_t i) {
    struct lt_yaml_node *list = lt_yaml_get(mapping, key);
    return list && list->type == LT_YAML_SEQUENCE && i < list->n ? list->items[i] : NULL;
}

/* jq takes a time that grows with the square of the expressions of a pipeline. */
static void check_size(struct lt_config *c, const struct lt_yaml_node *mapping,
                       const struct lt_system_pipeline *pipeline) {
    size_t n = pipeline->n_defs + pipeline->n_sets + pipeline->n_routes;

    if (n > LT_CONFIG_MAX_EXPRESSIONS)
        lt_config_problem(c, mapping->offset, NULL,
                          "%s has %zu expressions and routes; at most %d are run", pipeline->name,
                          n, LT_CONFIG_MAX_EXPRESSIONS);
}

static void check_routes(struct lt_config *c, struct lt_yaml_node *mapping,
                         const struct lt_system_pipeline *pipeline) {
    const struct lt_yaml_node *list = lt_yaml_get(mapping, "route");

    if (list && list->type == LT_YAML_SEQUENCE && !list->n)
        lt_config_problem(c, list->offset, NULL, "route is empty; expected at least one 'to'");
    for (size_t i = 0; i < pipeline->n_routes; i++) {
        const struct lt_system_route *route = &pipeline->routes[i];
        const struct lt_yaml_node *item = item_of(mapping, "route", i);
        const struct lt_yaml_node *to = item ? lt_yaml_get(item, "to") : NULL;
        bool always = item && item->type == LT_YAML_MAPPING && !lt_yaml_get(item, "when");
        if (always && i + 1 < pipeline->n_routes)
            lt_config_problem(c, item->offset, NULL,
                              "this route takes every record, so those after it get none; expected "
                              "'when' here, or the route last");
        else if (!always && i + 1 == pipeline->n_routes && item)
            lt_config_warn(c, item->offset,
                           "no route takes what fails every condition: such a record %s",
                           pipeline->dead_stream || pipeline->dead_bucket ? "becomes a dead letter"
                                                                          : "stops the pipeline");
        if (to && route->stream && pipeline->source_stream &&
            !strcmp(route->stream, pipeline->source_stream))
            lt_config_problem(c, to->offset, NULL,
                              "this route leads back into the pipeline's source '%s', and would "
                              "never end; expected another stream",
                              route->stream);
    }
}

void lt_config_finish_source(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_yaml_node *stream = lt_yaml_get(mapping, "stream");
    const struct lt_yaml_node *rest = lt_yaml_get(mapping, "rest");
    const struct lt_yaml_node *from = lt_yaml_get(mapping, "from");
    const struct lt_yaml_node *resources = lt_yaml_get(mapping, "resources");

    (void)base;
    if (!stream == !rest)
        lt_config_problem(c, rest ? rest->offset : mapping->offset, NULL,
                          "source has %s; expected exactly one of stream or rest",
                          rest ? "both a stream and an API" : "neither a stream nor an API");
    if (from && rest && !stream)
        lt_config_problem(c, from->offset, NULL,
                          "from is for streams; an API's resources start where their own "
                          "'incremental' says");
    if (resources && stream && !rest)
        lt_config_problem(c, resources->offset, NULL,
                          "resources are an API's; expected 'rest' instead of 'stream'");
}

void lt_config_finish_dead_letters(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_system_pipeline *pipeline = base;
    const struct lt_yaml_node *stream = lt_yaml_get(mapping, "stream");
    const struct lt_yaml_node *to = lt_yaml_get(mapping, "to");

    if (!stream && !to)
        lt_config_problem(c, mapping->offset, NULL,
                          "dead_letters has no 'stream'; expected the name of a stream of this "
                          "file%s",
                          pipeline->source_api ? ", or 'to' with s3://BUCKET/PREFIX" : "");
    else if (stream && to)
        lt_config_problem(c, to->offset, NULL,
                          "dead_letters has two places; expected either 'stream' or 'to'");
    else if (to && pipeline->source_stream)
        lt_config_problem(c, to->offset, NULL,
                          "dead letters of a stream go into a stream; expected 'stream'");
}

void lt_config_finish_route(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_system_route *route = base;
    static const char *const of_objects[] = {"compression", "buffer"};

    for (size_t i = 0; route->stream && i < sizeof(of_objects) / sizeof(of_objects[0]); i++) {
        const struct lt_yaml_node *value = lt_yaml_get(mapping, of_objects[i]);
        if (value)
            lt_config_problem(c, value->offset, NULL,
                              "%s is of objects, and this route leads to the stream '%s'; expected "
                              "it with s3://BUCKET/PREFIX",
                              of_objects[i], route->stream);
    }
}

static void check_dead_letters(struct lt_config *c, struct lt_yaml_node *mapping,
                               const struct lt_system_pipeline *pipeline) {
    const struct lt_yaml_node *value = lt_yaml_get(mapping, "dead_letters");

    if (!pipeline->dead_stream || !value)
        return;
    if (pipeline->source_stream && !strcmp(pipeline->dead_stream, pipeline->source_stream))
        lt_config_problem(c, value->offset, NULL,
                          "dead letters would go back into the pipeline's source '%s'; expected "
                          "another stream",
                          pipeline->source_stream);
    struct lt_system_stream *stream = lt_config_find_stream(c, lt_slice_str(pipeline->dead_stream));
    if (stream)
        stream->dead_letters = true;
}

/* True when the pipeline takes records of that resource. */
static bool takes_resource(const struct lt_system_pipeline *pipeline, const char *name) {
    const struct lt_rest_api *api = pipeline->source_api;
    bool found = false;

    for (size_t i = 0; i < pipeline->n_source_resources; i++)
        found |= !strcmp(name, pipeline->source_resources[i]);
    for (size_t i = 0; i < api->n_resources && !pipeline->source_resources; i++)
        found |= !strcmp(name, api->resources[i].name);
    return found;
}

/* A record of an API is always one of a resource. */
static void check_test_resource(struct lt_config *c, const struct lt_yaml_node *item,
                                const struct lt_system_pipeline *pipeline,
                                struct lt_system_test *test) {
    const struct lt_yaml_node *value = lt_yaml_get(item, "resource");
    const struct lt_rest_api *api = pipeline->source_api;

    if (!api) {
        if (value && pipeline->source_stream)
            lt_config_problem(c, value->offset, NULL,
                              "this pipeline reads a stream; expected no 'resource'");
        return;
    }
    if (test->resource && takes_resource(pipeline, test->resource))
        return;
    const char **names = lt_config_alloc(c, api->n_resources + 1, sizeof(*names));
    size_t n = 0;
    for (size_t i = 0; names && i < api->n_resources; i++)
        if (takes_resource(pipeline, api->resources[i].name))
            names[n++] = api->resources[i].name;
    if (value && names)
        lt_config_problem(c, value->offset,
                          test->resource ? lt_nearest(lt_slice_str(test->resource), names) : NULL,
                          "this pipeline takes no resource '%.*s'; expected %s",
                          LT_FMT(lt_config_cut(value->text)), lt_config_words(c, names, " or "));
    else if (n == 1)
        test->resource = names[0];
    else if (names)
        lt_config_problem(c, item->offset, NULL, "a test has no 'resource'; expected %s",
                          lt_config_words(c, names, " or "));
}

static void check_tests(struct lt_config *c, struct lt_yaml_node *mapping,
                        const struct lt_system_pipeline *pipeline) {
    const char **names = lt_config_alloc(c, pipeline->n_routes + 1, sizeof(*names));
    size_t n_names = 0;

    for (size_t i = 0; names && i < pipeline->n_routes; i++)
        if (pipeline->routes[i].to)
            names[n_names++] = pipeline->routes[i].to;
    for (size_t i = 0; names && i < pipeline->n_tests; i++) {
        struct lt_system_test *test = &pipeline->tests[i];
        const struct lt_yaml_node *item = item_of(mapping, "tests", i);
        const struct lt_yaml_node *to = item ? lt_yaml_get(item, "to") : NULL;
        bool found = !test->to;
        if (item && item->type == LT_YAML_MAPPING)
            check_test_resource(c, item, pipeline, test);
        for (size_t k = 0; k < n_names && !found; k++)
            found = !strcmp(test->to, names[k]);
        if (to && !found)
            lt_config_problem(c, to->offset, lt_nearest(lt_slice_str(test->to), names),
                              "no route of this pipeline leads to '%.150s'; expected %s", test->to,
                              lt_config_words(c, names, " or "));
    }
}

/* What a condition compares $resource with; `at` is behind the variable. False when it is no text.
 */
static bool read_compared(struct lt_slice text, size_t at, struct lt_slice *name) {
    while (at < text.len && text.data[at] == ' ')
        at++;
    struct lt_slice rest = lt_slice_from(text, at);
    if (!lt_slice_starts(rest, LT_LIT("==")) && !lt_slice_starts(rest, LT_LIT("!=")))
        return false;
    for (at += 2; at < text.len && text.data[at] == ' ';)
        at++;
    rest = lt_slice_from(text, at + 1);
    const char *end = rest.len ? memchr(rest.data, '"', rest.len) : NULL;
    if (at >= text.len || text.data[at] != '"' || !end)
        return false;
    *name = lt_slice(rest.data, (size_t)(end - rest.data));
    return true;
}

static void check_condition(struct lt_config *c, const struct lt_yaml_node *when,
                            const struct lt_system_pipeline *pipeline) {
    static const char variable[] = "$resource";
    const struct lt_rest_api *api = pipeline->source_api;
    struct lt_slice name;

    for (size_t at = 0; at < when->text.len;) {
        struct lt_slice rest = lt_slice_from(when->text, at);
        const char *found = memmem(rest.data, rest.len, variable, sizeof(variable) - 1);
        if (!found)
            return;
        at = (size_t)(found - when->text.data) + sizeof(variable) - 1;
        if (!read_compared(when->text, at, &name))
            continue;
        const char **names = lt_config_alloc(c, api->n_resources + 1, sizeof(*names));
        bool known = !names;
        for (size_t i = 0; names && i < api->n_resources; i++) {
            names[i] = api->resources[i].name;
            known |= lt_slice_eq_str(name, names[i]);
        }
        if (known)
            continue;
        const char *near = lt_nearest(name, names);
        lt_config_warn(
            c, lt_yaml_source_offset(&c->source, when, (size_t)(name.data - 1 - when->text.data)),
            "'%.*s' is no resource of %s: no record is of it; expected %s%s%s%s",
            LT_FMT(lt_config_cut(name)), api->name, lt_config_words(c, names, " or "),
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
}

/* What concerns a pipeline with the resources that it takes. */
static void check_pulled(struct lt_config *c, struct lt_yaml_node *mapping,
                         const struct lt_system_pipeline *pipeline) {
    const struct lt_yaml_node *source = lt_yaml_get(mapping, "source");
    const struct lt_rest_api *api = pipeline->source_api;

    for (size_t i = 0; api && i < pipeline->n_routes; i++) {
        const struct lt_yaml_node *item = item_of(mapping, "route", i);
        const struct lt_yaml_node *when = item ? lt_yaml_get(item, "when") : NULL;
        if (when && when->type == LT_YAML_SCALAR)
            check_condition(c, when, pipeline);
    }
    for (size_t i = 0; api && source && i < api->n_resources; i++)
        if (api->resources[i].on_change == LT_REST_DEAD_LETTER && !pipeline->dead_stream &&
            !pipeline->dead_bucket && takes_resource(pipeline, api->resources[i].name))
            lt_config_warn(c, source->offset,
                           "%s makes dead letters of records that do not fit its schema, and "
                           "without dead_letters such a record stops the pipeline",
                           api->resources[i].name);
}

/* Positions are kept by name: two of one name would take each other's. */
static void check_object_names(struct lt_config *c, const struct lt_yaml_node *mapping,
                               const struct lt_system_pipeline *pipeline) {
    char name[LT_ROUTE_DELIVERY_BYTES];

    if (pipeline->source_api)
        return; /* a pull's positions are its own */
    for (size_t i = 0; i < pipeline->n_routes; i++)
        for (size_t k = 0; k < c->system->n_deliveries; k++) {
            const struct lt_yaml_node *item = item_of(mapping, "route", i);
            if (item && lt_system_route_delivery(pipeline, i, name) &&
                !strcmp(name, c->system->deliveries[k].name))
                lt_config_problem(c, item->offset, NULL,
                                  "this route into objects is called '%s', and so is a delivery; "
                                  "expected another name for the delivery or the pipeline",
                                  name);
        }
}

void lt_config_finish_pipeline(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_system_pipeline *pipeline = base;

    check_size(c, mapping, pipeline);
    check_routes(c, mapping, pipeline);
    check_dead_letters(c, mapping, pipeline);
    check_tests(c, mapping, pipeline);
    check_pulled(c, mapping, pipeline);
    check_object_names(c, mapping, pipeline);
}
