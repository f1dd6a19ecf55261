/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expressions of each pipeline, compiled together as a run does. Each text is given lines of
 * its own in an imagined document, so that the line of an error tells which text it is in and
 * where; the way from there to the file goes through quotes, escapes and indentation. A text with
 * an error is replaced by `.` and the rest tried again, so that every error is told.
 */
#include "pipeline/config.h"

enum { MAX_ROUNDS = 30 };

/* A text of the pipeline under its imagined lines. */
struct numbered {
    struct lt_expr_text *copy;
    const struct lt_expr_text *original;
    unsigned first_line, last_line;
    bool broken;
};

struct compilation {
    struct lt_expr_source source;
    struct numbered *texts;
    size_t n;
};

static unsigned count_lines(struct lt_slice text) {
    unsigned n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    return n;
}

static void number(struct compilation *k, struct lt_expr_text *copy,
                   const struct lt_expr_text *original, unsigned *line) {
    *copy = *original;
    if (!original->text.data)
        return;
    unsigned n_lines = count_lines(original->text);
    copy->line = *line;
    copy->column = 1;
    k->texts[k->n++] = (struct numbered){copy, original, *line, *line + n_lines - 1, false};
    *line += n_lines + 1;
}

/* Copies of the pipeline's texts, numbered. False without memory. */
static bool prepare(struct lt_config *c, const struct lt_system_pipeline *pipeline,
                    struct compilation *k) {
    size_t n = pipeline->n_defs + pipeline->n_sets + pipeline->n_routes + 1;
    struct lt_expr_text *copies = lt_config_alloc(c, n, sizeof(*copies));
    unsigned line = 1;
    size_t at = 0;

    *k = (struct compilation){.texts = lt_config_alloc(c, n, sizeof(*k->texts))};
    if (!copies || !k->texts)
        return false;
    k->source.defs = copies;
    k->source.n_defs = pipeline->n_defs;
    for (size_t i = 0; i < pipeline->n_defs; i++)
        number(k, &copies[at++], &pipeline->defs[i], &line);
    k->source.sets = &copies[at];
    k->source.n_sets = pipeline->n_sets;
    for (size_t i = 0; i < pipeline->n_sets; i++)
        number(k, &copies[at++], &pipeline->sets[i], &line);
    k->source.routes = &copies[at];
    k->source.n_routes = pipeline->n_routes;
    for (size_t i = 0; i < pipeline->n_routes; i++)
        number(k, &copies[at++], &pipeline->routes[i].when, &line);
    if (pipeline->key) {
        k->source.key = &copies[at];
        number(k, &copies[at], pipeline->key, &line);
    }
    return true;
}

static const struct lt_yaml_node *node_of(const struct lt_config *c,
                                          const struct lt_expr_text *text) {
    for (const struct lt_config_jq *known = c->expressions; known; known = known->next)
        if (known->text == text->text.data)
            return known->node;
    return NULL;
}

/* The byte of `text` at a line and column (in characters) of its own, both from 1. */
static size_t offset_in(struct lt_slice text, unsigned line, unsigned column) {
    size_t i = 0;

    for (; line > 1 && i < text.len; i++)
        line -= text.data[i] == '\n';
    for (; column > 1 && i < text.len && text.data[i] != '\n'; column--)
        do
            i++;
        while (i < text.len && ((unsigned char)text.data[i] & 0xc0) == 0x80);
    return i;
}

/* Tells the error where it stands; false when it belongs to no text. */
static bool tell(struct lt_config *c, struct compilation *k, const struct leat_error *err) {
    struct numbered *found = NULL;

    for (size_t i = 0; i < k->n; i++)
        if (err->line >= k->texts[i].first_line && err->line <= k->texts[i].last_line)
            found = &k->texts[i];
    if (!found || found->broken)
        return false;
    const struct lt_yaml_node *node = node_of(c, found->original);
    if (!node)
        return false;
    size_t at = offset_in(found->original->text, err->line - found->first_line + 1,
                          err->column ? err->column : 1);
    lt_config_problem(c, lt_yaml_source_offset(&c->source, node, at), NULL, "%s", err->text);
    found->broken = true;
    found->copy->text = LT_LIT(".");
    return true;
}

static leat_status check_pipeline(struct lt_config *c, const struct lt_system_pipeline *pipeline,
                                  struct leat_error *err) {
    struct compilation k;
    struct leat_error found;

    if (pipeline->n_defs + pipeline->n_sets + pipeline->n_routes > LT_CONFIG_MAX_EXPRESSIONS)
        return LEAT_OK; /* told */
    if (!prepare(c, pipeline, &k))
        return LEAT_OK; /* no_memory is set */
    for (int round = 0; k.n && round < MAX_ROUNDS; round++) {
        struct lt_expr *expr = NULL;
        leat_status status = lt_expr_compile(&expr, &k.source, &found);
        lt_expr_free(expr);
        if (status == LEAT_OK)
            return LEAT_OK;
        if (status != LEAT_E_CONFIG) {
            if (err)
                *err = found;
            return status;
        }
        if (tell(c, &k, &found))
            continue;
        lt_config_problem_at(c, pipeline->place.line, pipeline->place.column, NULL, found.text);
        return LEAT_OK;
    }
    return LEAT_OK;
}

leat_status lt_config_check_expressions(struct lt_config *c, struct leat_error *err) {
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < c->system->n_pipelines && status == LEAT_OK; i++)
        status = check_pipeline(c, &c->system->pipelines[i], err);
    return status;
}
