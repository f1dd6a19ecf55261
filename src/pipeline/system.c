/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file becomes a system: its bytes a tree (yaml.c), the tree the structs of system.h by the
 * tables (config_*.c), then every expression is compiled. All problems of the file are told, also
 * those after the first; only what is no YAML ends the reading at once.
 */
#include "pipeline/system.h"

#include "pipeline/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_MEMORY_BYTES = 256 << 20, READ_STEP_BYTES = 64 << 10 };

/* One byte more than is accepted shows that a file is too large, be it a pipe or /dev/zero. */
static leat_status read_all(int fd, const char *path, struct lt_buf *out, struct leat_error *err) {
    for (;;) {
        char *room = lt_buf_reserve(out, READ_STEP_BYTES);
        if (!room)
            return lt_buf_status(out, err);
        ssize_t n = read(fd, room, READ_STEP_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lt_fail_sys(err, errno, "reading %s", path);
        lt_buf_commit(out, (size_t)n);
        if (n == 0 || out->len > LT_YAML_MAX_BYTES)
            return LEAT_OK;
    }
}

static leat_status read_file(const char *path, struct lt_buf *out, struct leat_error *err) {
    bool is_stdin = !strcmp(path, "-");
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return lt_fail_sys(err, errno, "opening %s", path);
    leat_status status = LEAT_OK;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        status = lt_fail(err, LEAT_E_IO, EISDIR, "reading %s", path);
    else
        status = read_all(fd, path, out, err);
    if (!is_stdin)
        close(fd);
    return status;
}

static void take_yaml_problem(void *ctx, size_t offset, const char *text) {
    lt_config_problem(ctx, offset, NULL, "%s", text);
}

static void read_root(struct lt_config *c, struct lt_yaml_node *root) {
    static const char expected[] = "expected streams, buckets, sources, deliveries or pipelines";

    const struct lt_system *system = c->system;

    if (!root || (root->type == LT_YAML_SCALAR && root->absent)) {
        lt_config_problem(c, 0, NULL, "the file is empty; %s", expected);
        return;
    }
    if (root->type != LT_YAML_MAPPING)
        lt_config_problem(c, root->offset, NULL, "the file is %s; %s", lt_yaml_kind(root),
                          expected);
    else
        lt_config_read_kind(c, &lt_config_file, root, c->system);
    if (!c->n_problems && !system->n_streams && !system->n_buckets && !system->n_deliveries &&
        !system->n_pipelines && !system->n_apis)
        lt_config_problem(c, root->offset, NULL, "the file describes nothing; %s", expected);
}

static leat_status first_error(const struct lt_problems *problems, struct leat_error *err) {
    for (size_t i = 0; i < problems->n; i++) {
        const struct lt_problem *problem = &problems->list[i];
        if (problem->warning)
            continue;
        lt_fail(err, LEAT_E_CONFIG, 0, "%s", problem->text);
        if (err) {
            err->line = problem->place.line;
            err->column = problem->place.column;
        }
        return LEAT_E_CONFIG;
    }
    return LEAT_OK;
}

static leat_status load(struct lt_config *c, const char *path, struct lt_problems *problems,
                        struct leat_error *err) {
    struct lt_yaml_node *root = NULL;
    struct lt_buf file;

    lt_buf_init(&file, LT_YAML_MAX_BYTES + 2 * READ_STEP_BYTES);
    leat_status status = read_file(path, &file, err);
    if (status == LEAT_OK)
        status = lt_yaml_parse(&c->source, &root, lt_buf_slice(&file), c->arena, take_yaml_problem,
                               c, err);
    c->system->text = c->source.text;
    lt_buf_deinit(&file);
    if (status == LEAT_E_CONFIG)
        lt_config_problem_at(c, err->line, err->column, NULL, err->text);
    else if (status != LEAT_OK)
        return status;
    if (status == LEAT_OK) {
        read_root(c, root);
        status = lt_config_check_expressions(c, err);
        if (status != LEAT_OK)
            return status;
    }
    lt_config_problems_finish(c, problems);
    if (c->no_memory)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for what %s describes", path);
    return first_error(problems, err);
}

leat_status lt_system_load(struct lt_system *out, const char *path, struct lt_problems *problems,
                           struct leat_error *err) {
    struct leat_error own;
    struct lt_config c = {.system = out, .arena = &out->arena};

    *out = (struct lt_system){0};
    *problems = (struct lt_problems){0};
    lt_arena_init(&out->arena, MAX_MEMORY_BYTES);
    out->path = lt_arena_str(&out->arena, lt_slice_str(path));
    leat_status status = out->path ? load(&c, path, problems, &own)
                                   : lt_fail(&own, LEAT_E_NOMEM, 0, "no memory to read a file");
    if (status != LEAT_OK && err)
        *err = own;
    return status;
}

void lt_system_deinit(struct lt_system *system) {
    if (system)
        lt_arena_deinit(&system->arena);
}

bool lt_system_route_delivery(const struct lt_system_pipeline *pipeline, size_t route,
                              char name[LT_ROUTE_DELIVERY_BYTES]) {
    size_t n_objects = 0;

    for (size_t i = 0; i < pipeline->n_routes; i++)
        n_objects += pipeline->routes[i].kind == LT_ROUTE_OBJECTS;
    if (pipeline->routes[route].kind != LT_ROUTE_OBJECTS)
        return false;
    if (n_objects > 1)
        snprintf(name, LT_ROUTE_DELIVERY_BYTES, "%.64s-%zu", pipeline->name, route + 1);
    else
        snprintf(name, LT_ROUTE_DELIVERY_BYTES, "%.64s", pipeline->name);
    return true;
}

leat_status lt_system_compile_for(const struct lt_system_pipeline *pipeline, const char *resource,
                                  struct lt_expr **out, struct leat_error *err) {
    struct lt_expr_var var = {.name = "resource"};
    struct lt_arena arena;
    leat_status status;

    *out = NULL;
    lt_arena_init(&arena, 16 << 20);
    struct lt_expr_text *routes = lt_arena_calloc(&arena, pipeline->n_routes + 1, sizeof(*routes));
    if (!routes) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the routes of %s", pipeline->name);
        goto done;
    }
    for (size_t i = 0; i < pipeline->n_routes; i++)
        routes[i] = pipeline->routes[i].when;
    struct lt_expr_source source = {
        .defs = pipeline->defs,
        .n_defs = pipeline->n_defs,
        .sets = pipeline->sets,
        .n_sets = pipeline->n_sets,
        .routes = routes,
        .n_routes = pipeline->n_routes,
        .key = pipeline->key,
        .vars = resource ? &var : NULL,
        .n_vars = resource != NULL,
    };
    if (resource) {
        const char *json = lt_arena_printf(&arena, "\"%s\"", resource); /* [a-z0-9_-] */
        if (!json) {
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the name of a resource");
            goto done;
        }
        var.json = lt_slice_str(json);
    }
    status = lt_expr_compile(out, &source, err);
    if (status == LEAT_OK)
        lt_expr_set_limits(*out, &pipeline->limits);
done:
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_system_compile(const struct lt_system_pipeline *pipeline, struct lt_expr **out,
                              struct leat_error *err) {
    return lt_system_compile_for(pipeline, NULL, out, err);
}
