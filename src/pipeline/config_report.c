/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The problems of a file: gathered as they are found (at most 1,000, so that a hostile file costs
 * little), then sorted by place. A value that is shared by an alias is read several times; its
 * problems are told once.
 */
#include "pipeline/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *lt_config_alloc(struct lt_config *c, size_t n, size_t size) {
    void *memory = lt_arena_calloc(c->arena, n, size);
    if (!memory)
        c->no_memory = true;
    return memory;
}

struct lt_slice lt_config_cut(struct lt_slice text) {
    size_t len = text.len < 100 ? text.len : 100;

    while (len && len < text.len && ((unsigned char)text.data[len] & 0xc0) == 0x80)
        len--;
    return lt_slice(text.data, len);
}

/* A file's words stand in errors: none of them may steer the terminal. */
static void blank_controls(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

static struct lt_problem *add(struct lt_config *c) {
    if (!c->problems)
        c->problems = lt_config_alloc(c, LT_CONFIG_MAX_FOUND, sizeof(*c->problems));
    if (!c->problems || c->n_problems == LT_CONFIG_MAX_FOUND) {
        c->n_untold++;
        return NULL;
    }
    return &c->problems[c->n_problems++];
}

static void fill(struct lt_config *c, struct lt_problem *problem, size_t offset, const char *fmt,
                 va_list args) {
    char text[LEAT_ERROR_TEXT_BYTES];

    vsnprintf(text, sizeof(text), fmt, args);
    blank_controls(text);
    lt_yaml_place(&c->source, offset, &problem->place.line, &problem->place.column);
    problem->text = lt_arena_str(c->arena, lt_slice_str(text));
    if (!problem->text) {
        c->no_memory = true;
        problem->text = "no memory";
    }
}

static void suggest(struct lt_config *c, struct lt_problem *problem, const char *suggestion) {
    if (!suggestion)
        return;
    const char *text =
        lt_arena_printf(c->arena, "%s; did you mean '%s'?", problem->text, suggestion);
    problem->text = text ? text : problem->text;
    problem->suggestion = suggestion;
}

void lt_config_problem(struct lt_config *c, size_t offset, const char *suggestion, const char *fmt,
                       ...) {
    struct lt_problem *problem = add(c);
    va_list args;

    if (!problem)
        return;
    va_start(args, fmt);
    fill(c, problem, offset, fmt, args);
    va_end(args);
    suggest(c, problem, suggestion);
}

void lt_config_warn(struct lt_config *c, size_t offset, const char *fmt, ...) {
    struct lt_problem *problem = add(c);
    va_list args;

    if (!problem)
        return;
    va_start(args, fmt);
    fill(c, problem, offset, fmt, args);
    va_end(args);
    problem->warning = true;
}

void lt_config_problem_at(struct lt_config *c, unsigned line, unsigned column,
                          const char *suggestion, const char *text) {
    struct lt_problem *problem = add(c);

    if (!problem)
        return;
    problem->place = (struct lt_place){line ? line : 1, column ? column : 1};
    problem->text = lt_arena_str(c->arena, lt_slice_str(text));
    problem->text = problem->text ? problem->text : "no memory";
    suggest(c, problem, suggestion);
}

static int by_place(const void *a, const void *b) {
    const struct lt_problem *x = a, *y = b;

    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    if (x->place.column != y->place.column)
        return x->place.column < y->place.column ? -1 : 1;
    return strcmp(x->text, y->text);
}

void lt_config_problems_finish(struct lt_config *c, struct lt_problems *out) {
    size_t n = 0;

    *out = (struct lt_problems){0};
    if (!c->n_problems)
        return;
    qsort(c->problems, c->n_problems, sizeof(*c->problems), by_place);
    for (size_t i = 0; i < c->n_problems; i++)
        if (!n || by_place(&c->problems[n - 1], &c->problems[i]) != 0)
            c->problems[n++] = c->problems[i];
    out->list = c->problems;
    out->n = n < LT_CONFIG_MAX_TOLD ? n : LT_CONFIG_MAX_TOLD;
    out->n_untold = n - out->n + c->n_untold;
}

const char *lt_config_words(struct lt_config *c, const char *const *words, const char *last) {
    struct lt_buf buf;

    lt_buf_init(&buf, 4096);
    for (size_t i = 0; words[i]; i++) {
        const char *glue = !i ? "" : words[i + 1] ? ", " : last;
        lt_buf_printf(&buf, "%s%s", glue, words[i]);
    }
    const char *text = lt_arena_str(c->arena, lt_buf_slice(&buf));
    lt_buf_deinit(&buf);
    return text ? text : "";
}
