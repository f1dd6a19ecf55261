/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expressions of each pipeline, compiled together as a run does; and those of the sources, many
 * at once, since compiling what is left to libjq costs some 26 ms however short the texts are. Each
 * text is given lines of its own in an imagined document, so that the line of an error tells which
 * text it is in and where; the way from there to the file goes through quotes, escapes and
 * indentation. A text with an error is replaced by `.` and the rest tried again, so that every
 * error is told.
 */
#include "pipeline/config.h"

#include "expr/path.h"

enum { MAX_ROUNDS = 30, MAX_TOGETHER = 50 };

/* A text under its imagined lines. */
struct numbered {
    struct lt_expr_text *copy;
    const struct lt_config_jq *known; /* NULL: its place is not known */
    unsigned first_line, last_line;
    bool broken;
};

struct compilation {
    const char *pipeline; /* or NULL */
    struct lt_expr_source source;
    struct numbered *texts;
    size_t n;
    unsigned line; /* the next imagined one */
};

static unsigned count_lines(struct lt_slice text) {
    unsigned n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    return n;
}

static const struct lt_config_jq *find_known(const struct lt_config *c, struct lt_slice text) {
    for (const struct lt_config_jq *known = c->expressions; known; known = known->next)
        if (known->scope == LT_CONFIG_JQ_PIPELINE && known->text.text.data == text.data)
            return known;
    return NULL;
}

static void number(struct compilation *k, struct lt_expr_text *copy,
                   const struct lt_expr_text *original, const struct lt_config_jq *known) {
    *copy = *original;
    if (!original->text.data)
        return;
    unsigned n_lines = count_lines(original->text);
    copy->line = k->line;
    copy->column = 1;
    k->texts[k->n++] = (struct numbered){copy, known, k->line, k->line + n_lines - 1, false};
    k->line += n_lines + 1;
}

/* Copies of the texts, numbered, from `copies` on. */
static void number_all(struct lt_config *c, struct compilation *k, struct lt_expr_text *copies,
                       const struct lt_expr_text *originals, size_t n) {
    for (size_t i = 0; i < n; i++)
        number(k, &copies[i], &originals[i], find_known(c, originals[i].text));
}

/* Room for `n` texts; NULL without memory. */
static struct lt_expr_text *begin(struct lt_config *c, struct compilation *k, size_t n) {
    struct lt_expr_text *copies = lt_config_alloc(c, n, sizeof(*copies));

    *k = (struct compilation){.texts = lt_config_alloc(c, n, sizeof(*k->texts)), .line = 1};
    return k->texts ? copies : NULL;
}

/* Copies of the pipeline's texts, numbered. False without memory. */
static bool prepare(struct lt_config *c, const struct lt_system_pipeline *pipeline,
                    struct compilation *k) {
    struct lt_expr_text *copies =
        begin(c, k, pipeline->n_defs + pipeline->n_sets + pipeline->n_routes + 1);

    if (!copies)
        return false;
    k->source.defs = copies;
    k->source.n_defs = pipeline->n_defs;
    number_all(c, k, copies, pipeline->defs, pipeline->n_defs);
    k->source.sets = copies += pipeline->n_defs;
    k->source.n_sets = pipeline->n_sets;
    number_all(c, k, copies, pipeline->sets, pipeline->n_sets);
    k->source.routes = copies += pipeline->n_sets;
    k->source.n_routes = pipeline->n_routes;
    for (size_t i = 0; i < pipeline->n_routes; i++)
        number_all(c, k, &copies[i], &pipeline->routes[i].when, 1);
    if (pipeline->key) {
        k->source.key = copies += pipeline->n_routes;
        number_all(c, k, copies, pipeline->key, 1);
    }
    return true;
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
    if (!found || found->broken || !found->known)
        return false;
    const struct lt_config_jq *known = found->known;
    size_t at = known->offset;
    if (!known->inexact)
        at += offset_in(known->text.text, err->line - found->first_line + 1,
                        err->column ? err->column : 1);
    /* a query is compiled as a set, and was written as none */
    bool as_set =
        known->scope != LT_CONFIG_JQ_PIPELINE && !strncmp(err->text, "set.", strlen("set."));
    lt_config_problem(c, lt_yaml_source_offset(&c->source, known->node, at), NULL, "%s",
                      err->text + (as_set ? strlen("set.") : 0));
    found->broken = true;
    found->copy->text = LT_LIT(".");
    return true;
}

static struct lt_place place_of(const struct lt_config *c, const struct compilation *k,
                                const struct lt_expr_text *copy) {
    struct lt_place place = {0, 0};

    for (size_t i = 0; i < k->n; i++) {
        const struct lt_config_jq *known = k->texts[i].known;
        if (k->texts[i].copy == copy && known)
            lt_yaml_place(&c->source, lt_yaml_source_offset(&c->source, known->node, known->offset),
                          &place.line, &place.column);
    }
    return place;
}

/* The text of the i-th plan: lt_expr_explain() has the order sets, key, conditions. */
static const struct lt_expr_text *planned(const struct compilation *k, size_t i) {
    const struct lt_expr_source *src = &k->source;

    if (i < src->n_sets)
        return &src->sets[i];
    i -= src->n_sets;
    if (src->key && i-- == 0)
        return src->key;
    for (size_t n = 0; n < src->n_routes; n++)
        if (src->routes[n].text.data && i-- == 0)
            return &src->routes[n];
    return NULL;
}

/* Keeps how each expression is run, for `leat check`. */
static void keep_plans(struct lt_config *c, const struct compilation *k,
                       const struct lt_expr *expr) {
    struct lt_expr_plan plan;
    size_t n = 0;

    while (lt_expr_explain(expr, n, &plan))
        n++;
    struct lt_system_expression *all =
        lt_config_alloc(c, c->system->n_expressions + n, sizeof(*all));
    if (!all)
        return; /* no_memory is set */
    if (c->system->n_expressions)
        memcpy(all, c->system->expressions, c->system->n_expressions * sizeof(*all));
    c->system->expressions = all;
    for (size_t i = 0; lt_expr_explain(expr, i, &plan); i++) {
        bool as_set = !k->pipeline; /* a query is compiled as a set, and was written as none */
        if (as_set)
            plan.label = lt_slice_from(plan.label, strlen("set."));
        if (as_set && plan.tier == LT_EXPR_FUSED)
            plan.tier = LT_EXPR_COMPILED;
        all[c->system->n_expressions++] = (struct lt_system_expression){
            .pipeline = k->pipeline,
            .name = lt_arena_str(c->arena, plan.label),
            .tier = plan.tier,
            .why = plan.why ? lt_arena_str(c->arena, lt_slice_str(plan.why)) : NULL,
            .place = place_of(c, k, planned(k, i)),
        };
        c->no_memory |= !all[c->system->n_expressions - 1].name;
    }
}

/* Compiles until nothing is wrong, or what is wrong has no place of its own: that is in `left`. */
static leat_status compile(struct lt_config *c, struct compilation *k, struct leat_error *left) {
    leat_status status = LEAT_OK;

    for (int round = 0; k->n && round < MAX_ROUNDS; round++) {
        struct lt_expr *expr = NULL;
        status = lt_expr_compile(&expr, &k->source, left);
        if (status == LEAT_OK && round == 0)
            keep_plans(c, k, expr);
        lt_expr_free(expr);
        if (status != LEAT_E_CONFIG || !tell(c, k, left))
            return status;
    }
    return LEAT_OK;
}

static leat_status check_pipeline(struct lt_config *c, const struct lt_system_pipeline *pipeline,
                                  struct leat_error *err) {
    static const struct lt_expr_var resource = {.name = "resource", .json = {"\"\"", 2}};
    struct compilation k;
    struct leat_error left;

    if (pipeline->n_defs + pipeline->n_sets + pipeline->n_routes > LT_CONFIG_MAX_EXPRESSIONS)
        return LEAT_OK; /* told */
    if (!prepare(c, pipeline, &k))
        return LEAT_OK; /* no_memory is set */
    k.pipeline = pipeline->name;
    if (pipeline->source_api) {
        k.source.vars = &resource;
        k.source.n_vars = 1;
    }
    leat_status status = compile(c, &k, &left);
    if (status == LEAT_E_CONFIG)
        lt_config_problem_at(c, pipeline->place.line, pipeline->place.column, NULL, left.text);
    else if (status != LEAT_OK && err)
        *err = left;
    return status == LEAT_E_CONFIG ? LEAT_OK : status;
}

/* Queries of one scope, each as a set of a program of its own kind. */
static leat_status check_queries(struct lt_config *c, const struct lt_config_jq *const *queries,
                                 size_t n, struct leat_error *err) {
    static const struct lt_expr_var vars[] = {
        {.name = "resource", .json = {"\"\"", 2}},
        {.name = "fetched_at", .json = {"\"\"", 2}},
    };
    struct compilation k;
    struct leat_error left;
    struct lt_expr_text *copies = begin(c, &k, n);

    if (!copies)
        return LEAT_OK; /* no_memory is set */
    for (size_t i = 0; i < n; i++)
        number(&k, &copies[i], &queries[i]->text, queries[i]);
    k.source.sets = copies;
    k.source.n_sets = n;
    if (queries[0]->scope == LT_CONFIG_JQ_FIELD) {
        k.source.vars = vars;
        k.source.n_vars = sizeof(vars) / sizeof(vars[0]);
    }
    leat_status status = compile(c, &k, &left);
    if (status == LEAT_E_CONFIG)
        lt_config_problem(c, queries[0]->node->offset, NULL, "%s", left.text);
    else if (status != LEAT_OK && err)
        *err = left;
    return status == LEAT_E_CONFIG ? LEAT_OK : status;
}

/* A plain path is right as it is, and most queries are one. */
static bool is_path(const struct lt_config_jq *query) {
    struct lt_expr_path path;
    struct lt_arena arena;
    struct leat_error err;
    bool found = false;

    lt_arena_init(&arena, 1 << 20);
    if (lt_expr_path_parse(&path, &found, query->text.text, &arena, &err) != LEAT_OK)
        found = false;
    lt_arena_deinit(&arena);
    return found;
}

static leat_status check_scope(struct lt_config *c, enum lt_config_jq_scope scope,
                               struct leat_error *err) {
    const struct lt_config_jq *queries[MAX_TOGETHER];
    leat_status status = LEAT_OK;
    size_t n = 0;

    for (const struct lt_config_jq *one = c->expressions; one && status == LEAT_OK;
         one = one->next) {
        if (one->scope == scope && !is_path(one))
            queries[n++] = one;
        if (n && (n == MAX_TOGETHER || !one->next)) {
            status = check_queries(c, queries, n, err);
            n = 0;
        }
    }
    return status;
}

leat_status lt_config_check_expressions(struct lt_config *c, struct leat_error *err) {
    leat_status status = check_scope(c, LT_CONFIG_JQ_QUERY, err);

    if (status == LEAT_OK)
        status = check_scope(c, LT_CONFIG_JQ_FIELD, err);
    for (size_t i = 0; i < c->system->n_pipelines && status == LEAT_OK; i++)
        status = check_pipeline(c, &c->system->pipelines[i], err);
    return status;
}
