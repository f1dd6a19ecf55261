/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of a file: each pipeline's together through its compiled program, then compared; and
 * each recorded page alone. */
#include "pipeline/examples.h"

#include "base/units.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_MEMORY_BYTES = 256 << 20, MAX_PATH_BYTES = 2000 };

/* A walk over two values side by side; the path is one text that grows and shrinks. */
struct comparison {
    struct lt_arena *arena;
    struct lt_difference *list;
    size_t n;
    struct lt_buf path;
};

static void differ(struct comparison *c, struct lt_slice expected, struct lt_slice got) {
    if (c->n < LT_EXAMPLE_MAX_DIFFERENCES) {
        const char *path = lt_arena_str(c->arena, lt_buf_slice(&c->path));
        c->list[c->n] = (struct lt_difference){path ? path : "?", expected, got};
    }
    c->n++;
}

static bool is_integer_text(struct lt_slice text) {
    size_t i = text.len && text.data[0] == '-';
    for (; i < text.len; i++)
        if (!isdigit((unsigned char)text.data[i]))
            return false;
    return true;
}

/* By value; whole numbers beyond a double's precision by their digits. */
static bool same_number(struct lt_json a, struct lt_json b) {
    double x, y;

    if (lt_slice_eq(a.raw, b.raw))
        return true;
    if (is_integer_text(a.raw) && is_integer_text(b.raw))
        return false;
    return lt_json_double(a, &x) && lt_json_double(b, &y) && !islessgreater(x, y);
}

static bool same_string(struct lt_json a, struct lt_json b) {
    struct lt_buf text;

    if (lt_slice_eq(a.raw, b.raw))
        return true;
    lt_buf_init(&text, a.raw.len * 3 + 1);
    lt_json_string_append(a, &text);
    bool same = !text.failed && lt_json_string_is(b, lt_buf_slice(&text));
    lt_buf_deinit(&text);
    return same;
}

/* The last member of that key, as JSON readers have it. */
static bool find_member(struct lt_json object, struct lt_json key, struct lt_json *value) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json k, v;
    bool found = false;

    while (lt_json_next_member(&iter, &k, &v))
        if (same_string(k, key)) {
            *value = v;
            found = true;
        }
    return found;
}

static bool is_word(struct lt_slice text) {
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.data[i]) && text.data[i] != '_')
            return false;
    return text.len && !isdigit((unsigned char)text.data[0]);
}

/* Adds ".key", or ."a key" where it is no plain word; gives the length to cut back to. */
static size_t enter_member(struct comparison *c, struct lt_json key) {
    size_t before = c->path.len;
    struct lt_slice raw = key.raw;

    if (raw.len >= 2 && is_word(lt_slice(raw.data + 1, raw.len - 2)))
        raw = lt_slice(raw.data + 1, raw.len - 2);
    lt_buf_append_byte(&c->path, '.');
    lt_buf_append(&c->path, raw);
    return before;
}

static void leave(struct comparison *c, size_t before) {
    c->path.len = before;
    c->path.failed = false;
}

static void compare(struct comparison *c, struct lt_json expected, struct lt_json got);

static void compare_objects(struct comparison *c, struct lt_json expected, struct lt_json got) {
    struct lt_json_iter iter = lt_json_iter(expected);
    struct lt_json key, value, other;

    while (lt_json_next_member(&iter, &key, &value)) {
        size_t before = enter_member(c, key);
        if (find_member(got, key, &other))
            compare(c, value, other);
        else
            differ(c, value.raw, lt_slice(NULL, 0));
        leave(c, before);
    }
    iter = lt_json_iter(got);
    while (lt_json_next_member(&iter, &key, &value)) {
        size_t before = enter_member(c, key);
        if (!find_member(expected, key, &other))
            differ(c, lt_slice(NULL, 0), value.raw);
        leave(c, before);
    }
}

static void compare_arrays(struct comparison *c, struct lt_json expected, struct lt_json got) {
    struct lt_json_iter left = lt_json_iter(expected), right = lt_json_iter(got);
    struct lt_json a, b;
    bool more_left = lt_json_next(&left, &a), more_right = lt_json_next(&right, &b);

    for (size_t i = 0; more_left || more_right; i++) {
        size_t before = c->path.len;
        lt_buf_printf(&c->path, "[%zu]", i);
        if (more_left && more_right)
            compare(c, a, b);
        else
            differ(c, more_left ? a.raw : lt_slice(NULL, 0),
                   more_right ? b.raw : lt_slice(NULL, 0));
        leave(c, before);
        more_left = more_left && lt_json_next(&left, &a);
        more_right = more_right && lt_json_next(&right, &b);
    }
}

static void compare(struct comparison *c, struct lt_json expected, struct lt_json got) {
    bool same = expected.type == got.type;

    if (same && expected.type == LT_JSON_OBJECT) {
        compare_objects(c, expected, got);
        return;
    }
    if (same && expected.type == LT_JSON_ARRAY) {
        compare_arrays(c, expected, got);
        return;
    }
    if (same && expected.type == LT_JSON_NUMBER)
        same = same_number(expected, got);
    else if (same && expected.type == LT_JSON_STRING)
        same = same_string(expected, got);
    if (!same)
        differ(c, expected.raw, got.raw);
}

size_t lt_json_compare(struct lt_json expected, struct lt_json got, struct lt_arena *arena,
                       struct lt_difference *list) {
    struct comparison c = {.arena = arena, .list = list};

    lt_buf_init(&c.path, MAX_PATH_BYTES);
    compare(&c, expected, got);
    lt_buf_deinit(&c.path);
    return c.n;
}

void lt_example_differ(struct lt_example *example, const char *path, struct lt_slice expected,
                       struct lt_slice got) {
    if (example->n_differences < LT_EXAMPLE_MAX_DIFFERENCES)
        example->differences[example->n_differences] = (struct lt_difference){path, expected, got};
    example->n_differences++;
}

/* "set.total: cannot add…", as a dead letter tells it. */
static struct lt_slice reason_of(const struct lt_expr_result *result, struct lt_arena *arena) {
    const char *text = result->expression.len
                           ? lt_arena_printf(arena, "dead letter: %.*s: %.*s",
                                             LT_FMT(result->expression), LT_FMT(result->reason))
                           : lt_arena_printf(arena, "dead letter: %.*s", LT_FMT(result->reason));
    return lt_slice_str(text ? text : "dead letter");
}

static void judge_dead(struct lt_example *example, const struct lt_expr_result *result,
                       struct lt_arena *arena) {
    const struct lt_system_test *test = example->test;

    if (result->outcome == LT_EXPR_OK) {
        const char *text =
            lt_arena_printf(arena, "a record for %s", example->pipeline->routes[result->route].to);
        const char *expected =
            *test->dead ? lt_arena_printf(arena, "dead letter: %s", test->dead) : "a dead letter";
        lt_example_differ(example, "dead", lt_slice_str(expected), lt_slice_str(text));
        return;
    }
    struct lt_slice reason = reason_of(result, arena);
    if (*test->dead && !memmem(reason.data, reason.len, test->dead, strlen(test->dead)))
        lt_example_differ(example, "dead", lt_slice_str(test->dead), reason);
}

static void judge_out(struct lt_example *example, const struct lt_expr_result *result,
                      struct lt_arena *arena) {
    struct lt_json expected, got;
    struct leat_error err;

    if (lt_json_parse(&expected, example->test->out, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK ||
        lt_json_parse(&got, result->data, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK) {
        lt_example_differ(example, "out", example->test->out, result->data);
        return;
    }
    example->n_differences +=
        lt_json_compare(expected, got, arena, example->differences + example->n_differences);
}

static void judge(struct lt_example *example, const struct lt_expr_result *result,
                  struct lt_arena *arena) {
    const struct lt_system_test *test = example->test;

    if (test->dead) {
        judge_dead(example, result, arena);
    } else if (result->outcome != LT_EXPR_OK) {
        lt_example_differ(example, "to", lt_slice_str(test->to ? test->to : "a record"),
                          reason_of(result, arena));
    } else {
        const char *to = example->pipeline->routes[result->route].to;
        if (test->out.data)
            judge_out(example, result, arena);
        if (test->to && strcmp(test->to, to) != 0)
            lt_example_differ(example, "to", lt_slice_str(test->to), lt_slice_str(to));
    }
    example->passed = example->n_differences == 0;
}

/* True when `name` picks the example. */
static bool picks(const char *name, const struct lt_example *example) {
    char place[192];

    snprintf(place, sizeof(place), "%.150s/%zu", example->group, example->index);
    return !strcmp(name, example->group) || !strcmp(name, place) ||
           (example->name && !strcmp(name, example->name)) ||
           (example->page && !strcmp(name, example->api->resources[example->resource].name));
}

static leat_status fail_unknown(struct lt_examples *out, const char *name, struct leat_error *err) {
    const char **known = lt_arena_calloc(&out->arena, 3 * out->n + 1, sizeof(*known));
    size_t n = 0;

    for (size_t i = 0; known && i < out->n; i++) {
        const struct lt_example *example = &out->list[i];
        known[n++] = example->group;
        if (example->name)
            known[n++] = example->name;
        if (example->page)
            known[n++] = example->api->resources[example->resource].name;
    }
    const char *near = known ? lt_nearest(lt_slice_str(name), known) : NULL;
    return lt_fail(err, LEAT_E_NOT_FOUND, 0,
                   "no test, and no pipeline or resource with tests, is called '%.100s'%s%.100s%s",
                   name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Leaves those in the list that a name picks. */
static leat_status pick(struct lt_examples *out, const char *const *names, size_t n_names,
                        struct leat_error *err) {
    size_t n = 0;

    for (size_t i = 0; i < n_names; i++) {
        bool found = false;
        for (size_t k = 0; k < out->n && !found; k++)
            found = picks(names[i], &out->list[k]);
        if (!found)
            return fail_unknown(out, names[i], err);
    }
    for (size_t k = 0; k < out->n; k++) {
        bool picked = !n_names;
        for (size_t i = 0; i < n_names && !picked; i++)
            picked = picks(names[i], &out->list[k]);
        if (picked)
            out->list[n++] = out->list[k];
    }
    out->n = n;
    return LEAT_OK;
}

static leat_status list_pages(struct lt_examples *out, const struct lt_rest_api *api,
                              struct leat_error *err) {
    for (size_t i = 0; i < api->n_resources; i++) {
        const struct lt_rest_resource *resource = &api->resources[i];
        const char *group = lt_arena_printf(&out->arena, "%s.%s", api->name, resource->name);
        if (!group)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the tests of %s", api->name);
        for (size_t k = 0; k < resource->n_tests; k++)
            out->list[out->n++] = (struct lt_example){.group = group,
                                                      .index = k + 1,
                                                      .name = resource->tests[k].name,
                                                      .line = resource->tests[k].line,
                                                      .api = api,
                                                      .resource = i,
                                                      .page = &resource->tests[k]};
    }
    return LEAT_OK;
}

/* All examples: those of the sources first, as a file has them. */
static leat_status list_all(struct lt_examples *out, const struct lt_system *system,
                            struct leat_error *err) {
    leat_status status = LEAT_OK;
    size_t max = 1;

    for (size_t i = 0; i < system->n_pipelines; i++)
        max += system->pipelines[i].n_tests;
    for (size_t i = 0; i < system->n_apis; i++)
        for (size_t k = 0; k < system->apis[i].n_resources; k++)
            max += system->apis[i].resources[k].n_tests;
    out->list = lt_arena_calloc(&out->arena, max, sizeof(*out->list));
    if (!out->list)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu tests", max);
    for (size_t i = 0; i < system->n_apis && status == LEAT_OK; i++)
        status = list_pages(out, &system->apis[i], err);
    for (size_t i = 0; i < system->n_pipelines; i++) {
        const struct lt_system_pipeline *pipeline = &system->pipelines[i];
        for (size_t k = 0; k < pipeline->n_tests; k++)
            out->list[out->n++] = (struct lt_example){.group = pipeline->name,
                                                      .index = k + 1,
                                                      .name = pipeline->tests[k].name,
                                                      .line = pipeline->tests[k].place.line,
                                                      .pipeline = pipeline,
                                                      .test = &pipeline->tests[k]};
    }
    return status;
}

/* True for examples that the same program runs. */
static bool run_alike(const struct lt_example *a, const struct lt_example *b) {
    return a->pipeline && a->pipeline == b->pipeline &&
           (!a->pipeline->source_api || !strcmp(a->test->resource, b->test->resource));
}

/* Runs example `first` and those after it that run alike, as one batch. */
static leat_status run_batch(struct lt_examples *out, size_t first, bool *done,
                             struct leat_error *err) {
    size_t max = out->n - first, n = 0;
    const struct lt_system_pipeline *pipeline = out->list[first].pipeline;
    struct lt_slice *records = lt_arena_calloc(&out->arena, max, sizeof(*records));
    struct lt_expr_result *results = lt_arena_calloc(&out->arena, max, sizeof(*results));
    struct lt_example **batch = lt_arena_calloc(&out->arena, max, sizeof(*batch));
    struct lt_expr *expr = NULL;

    if (!records || !results || !batch)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu tests", max);
    for (size_t i = first; i < out->n; i++)
        if (run_alike(&out->list[first], &out->list[i])) {
            records[n] = out->list[i].test->in;
            batch[n++] = &out->list[i];
            done[i] = true;
        }
    const char *resource = pipeline->source_api ? out->list[first].test->resource : NULL;
    leat_status status = lt_system_compile_for(pipeline, resource, &expr, err);
    if (status == LEAT_OK)
        status = lt_expr_run(expr, records, n, results, &out->arena, err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++)
        judge(batch[i], &results[i], &out->arena);
    lt_expr_free(expr);
    return status;
}

static leat_status run_all(struct lt_examples *out, struct leat_error *err) {
    bool *done = lt_arena_calloc(&out->arena, out->n + 1, sizeof(*done));
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < out->n; i++) {
        out->list[i].differences = lt_arena_calloc(&out->arena, 2 * LT_EXAMPLE_MAX_DIFFERENCES,
                                                   sizeof(*out->list[i].differences));
        if (!done || !out->list[i].differences)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for what a test gave");
    }
    for (size_t i = 0; i < out->n && status == LEAT_OK; i++) {
        if (out->list[i].page)
            status = lt_example_run_page(&out->list[i], &out->arena, err);
        else if (!done[i])
            status = run_batch(out, i, done, err);
    }
    for (size_t i = 0; i < out->n; i++)
        out->n_failed += !out->list[i].passed;
    return status;
}

leat_status lt_examples_run(struct lt_examples *out, const struct lt_system *system,
                            const char *const *names, size_t n_names, struct leat_error *err) {
    *out = (struct lt_examples){0};
    lt_arena_init(&out->arena, MAX_MEMORY_BYTES);
    leat_status status = list_all(out, system, err);
    if (status == LEAT_OK)
        status = pick(out, names, n_names, err);
    return status == LEAT_OK ? run_all(out, err) : status;
}

void lt_examples_deinit(struct lt_examples *examples) {
    if (examples)
        lt_arena_deinit(&examples->arena);
}
