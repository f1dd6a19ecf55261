/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of a file: each pipeline's together through its compiled program, then compared. */
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

static void add_difference(struct lt_example *example, const char *path, struct lt_slice expected,
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
        add_difference(example, "dead", lt_slice_str(expected), lt_slice_str(text));
        return;
    }
    struct lt_slice reason = reason_of(result, arena);
    if (*test->dead && !memmem(reason.data, reason.len, test->dead, strlen(test->dead)))
        add_difference(example, "dead", lt_slice_str(test->dead), reason);
}

static void judge_out(struct lt_example *example, const struct lt_expr_result *result,
                      struct lt_arena *arena) {
    struct lt_json expected, got;
    struct leat_error err;

    if (lt_json_parse(&expected, example->test->out, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK ||
        lt_json_parse(&got, result->data, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK) {
        add_difference(example, "out", example->test->out, result->data);
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
        add_difference(example, "to", lt_slice_str(test->to ? test->to : "a record"),
                       reason_of(result, arena));
    } else {
        const char *to = example->pipeline->routes[result->route].to;
        if (test->out.data)
            judge_out(example, result, arena);
        if (test->to && strcmp(test->to, to) != 0)
            add_difference(example, "to", lt_slice_str(test->to), lt_slice_str(to));
    }
    example->passed = example->n_differences == 0;
}

/* True when `name` picks the example. */
static bool picks(const char *name, const struct lt_system_pipeline *pipeline, size_t index) {
    const struct lt_system_test *test = &pipeline->tests[index - 1];
    char place[192];

    snprintf(place, sizeof(place), "%s/%zu", pipeline->name, index);
    return !strcmp(name, pipeline->name) || !strcmp(name, place) ||
           (test->name && !strcmp(name, test->name));
}

static bool is_picked(const struct lt_system_pipeline *pipeline, size_t index,
                      const char *const *names, size_t n_names) {
    for (size_t i = 0; i < n_names; i++)
        if (picks(names[i], pipeline, index))
            return true;
    return n_names == 0;
}

static leat_status fail_unknown(struct lt_examples *out, const struct lt_system *system,
                                const char *name, struct leat_error *err) {
    size_t n = 0;
    size_t max = system->n_pipelines + 1;

    for (size_t i = 0; i < system->n_pipelines; i++)
        max += system->pipelines[i].n_tests;
    const char **known = lt_arena_calloc(&out->arena, max, sizeof(*known));
    for (size_t i = 0; known && i < system->n_pipelines; i++) {
        known[n++] = system->pipelines[i].name;
        for (size_t k = 0; k < system->pipelines[i].n_tests; k++)
            if (system->pipelines[i].tests[k].name)
                known[n++] = system->pipelines[i].tests[k].name;
    }
    const char *near = known ? lt_nearest(lt_slice_str(name), known) : NULL;
    return lt_fail(err, LEAT_E_NOT_FOUND, 0,
                   "no test or pipeline with tests is called '%.100s'%s%.100s%s", name,
                   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static leat_status check_names(struct lt_examples *out, const struct lt_system *system,
                               const char *const *names, size_t n_names, struct leat_error *err) {
    for (size_t i = 0; i < n_names; i++) {
        bool found = false;
        for (size_t p = 0; p < system->n_pipelines; p++)
            for (size_t k = 1; k <= system->pipelines[p].n_tests; k++)
                found = found || picks(names[i], &system->pipelines[p], k);
        if (!found)
            return fail_unknown(out, system, names[i], err);
    }
    return LEAT_OK;
}

/* Runs the examples [first, first + n) of the list, all of one pipeline, as one batch. */
static leat_status run_pipeline(struct lt_examples *out, size_t first, size_t n,
                                struct leat_error *err) {
    struct lt_slice *records = lt_arena_calloc(&out->arena, n, sizeof(*records));
    struct lt_expr_result *results = lt_arena_calloc(&out->arena, n, sizeof(*results));
    struct lt_expr *expr = NULL;

    if (!records || !results)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu tests", n);
    for (size_t i = 0; i < n; i++)
        records[i] = out->list[first + i].test->in;
    leat_status status = lt_system_compile(out->list[first].pipeline, &expr, err);
    if (status == LEAT_OK)
        status = lt_expr_run(expr, records, n, results, &out->arena, err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        struct lt_example *example = &out->list[first + i];
        example->differences = lt_arena_calloc(&out->arena, 2 * LT_EXAMPLE_MAX_DIFFERENCES,
                                               sizeof(*example->differences));
        if (!example->differences) {
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for what a test gave");
            break;
        }
        judge(example, &results[i], &out->arena);
        out->n_failed += !example->passed;
    }
    lt_expr_free(expr);
    return status;
}

leat_status lt_examples_run(struct lt_examples *out, const struct lt_system *system,
                            const char *const *names, size_t n_names, struct leat_error *err) {
    size_t max = 0;

    *out = (struct lt_examples){0};
    lt_arena_init(&out->arena, MAX_MEMORY_BYTES);
    leat_status status = check_names(out, system, names, n_names, err);
    for (size_t i = 0; i < system->n_pipelines; i++)
        max += system->pipelines[i].n_tests;
    out->list = lt_arena_calloc(&out->arena, max + 1, sizeof(*out->list));
    if (status == LEAT_OK && !out->list)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu tests", max);
    for (size_t i = 0; i < system->n_pipelines && status == LEAT_OK; i++) {
        const struct lt_system_pipeline *pipeline = &system->pipelines[i];
        size_t first = out->n;
        for (size_t k = 1; k <= pipeline->n_tests; k++)
            if (is_picked(pipeline, k, names, n_names))
                out->list[out->n++] = (struct lt_example){
                    .pipeline = pipeline, .test = &pipeline->tests[k - 1], .index = k};
        if (out->n > first)
            status = run_pipeline(out, first, out->n - first, err);
    }
    return status;
}

void lt_examples_deinit(struct lt_examples *examples) {
    if (examples)
        lt_arena_deinit(&examples->arena);
}
