/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline's expressions are compiled: each checked, what is the same for every record computed
 * once. */
#include "expr/expr.h"

#include "expr/constant.h"
#include "expr/expr_parts.h"
#include "expr/fold.h"
#include "expr/program.h"

#include <stdlib.h>

enum { MAX_CONFIG_BYTES = 256 << 20, MAX_SCRATCH_BYTES = 1 << 30 };

void lt_expr_set_limits(struct lt_expr *expr, int64_t max_ms, size_t max_bytes) {
    if (expr->remote)
        lt_remote_set_limits(expr->remote, max_ms, max_bytes);
}

static bool keep_piece(struct lt_expr *expr, struct lt_piece *piece, enum lt_expr_kind kind,
                       size_t index, const struct lt_expr_text *text) {
    char label[LT_EXPR_LABEL_BYTES];

    lt_expr_label(kind, index, text->name, label);
    piece->label = lt_arena_dup(&expr->config, lt_slice_str(label));
    piece->number = expr->n_pieces++;
    return piece->label.data != NULL;
}

/* The pieces in the order in which a program of libjq numbers them. */
static leat_status keep_pieces(struct lt_expr *expr, const struct lt_expr_source *src,
                               struct leat_error *err) {
    struct lt_arena *a = &expr->config;

    expr->sets = lt_arena_calloc(a, src->n_sets, sizeof(*expr->sets));
    expr->routes = lt_arena_calloc(a, src->n_routes, sizeof(*expr->routes));
    expr->fields = lt_arena_calloc(a, src->n_sets, sizeof(*expr->fields));
    bool kept = expr->sets && expr->routes && expr->fields;
    for (; kept && expr->n_sets < src->n_sets; expr->n_sets++) {
        size_t i = expr->n_sets;
        expr->fields[i].name = lt_arena_dup(a, src->sets[i].name);
        kept = expr->fields[i].name.data &&
               keep_piece(expr, &expr->sets[i], LT_EXPR_SET, i, &src->sets[i]);
    }
    if (kept && src->key)
        kept = keep_piece(expr, &expr->key, LT_EXPR_KEY, 0, src->key);
    for (; kept && expr->n_routes < src->n_routes; expr->n_routes++) {
        size_t i = expr->n_routes;
        kept = !src->routes[i].text.data ||
               keep_piece(expr, &expr->routes[i], LT_EXPR_ROUTE, i, &src->routes[i]);
    }
    return kept ? LEAT_OK
                : lt_fail(err, LEAT_E_NOMEM, 0,
                          "no memory for the names of a pipeline's expressions");
}

static struct lt_piece *find_piece(struct lt_expr *expr, const struct lt_expr_part *part) {
    return part->kind == LT_EXPR_SET   ? &expr->sets[part->index]
           : part->kind == LT_EXPR_KEY ? &expr->key
                                       : &expr->routes[part->index];
}

struct constants {
    struct lt_expr *expr;
    struct lt_piece **pieces; /* of each job */
};

static leat_status take_value(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                              struct leat_error *err) {
    struct constants *constants = ctx;
    struct lt_answer *answer = &constants->pieces[job]->answer;

    (void)ask;
    if (answer->n++)
        return LEAT_OK;
    answer->text = lt_arena_dup(&constants->expr->config, json);
    return answer->text.data ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a constant");
}

static leat_status take_end(void *ctx, size_t job, const struct lt_remote_outcome *outcome,
                            struct leat_error *err) {
    struct constants *constants = ctx;
    struct lt_answer *answer = &constants->pieces[job]->answer;

    answer->kind = LT_ANSWER_VALUES;
    if (outcome->end == LT_REMOTE_DONE)
        return LEAT_OK;
    answer->kind = LT_ANSWER_FAILED;
    answer->text = lt_expr_one_line(outcome->reason, &constants->expr->config);
    return answer->text.data ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a constant");
}

/* What no record can change is asked of libjq once. */
static leat_status take_constants(struct lt_expr *expr, const struct lt_expr_program *program,
                                  const struct lt_expr_source *src, struct leat_error *err) {
    struct lt_remote_ask *asks = lt_arena_calloc(&expr->config, program->n_parts, sizeof(*asks));
    struct lt_remote_job *jobs = lt_arena_calloc(&expr->config, program->n_parts, sizeof(*jobs));
    struct constants constants = {
        expr, lt_arena_calloc(&expr->config, program->n_parts, sizeof(struct lt_piece *))};
    const struct lt_remote_sink sink = {.ctx = &constants, .value = take_value, .end = take_end};
    size_t n = 0;

    if (!asks || !jobs || !constants.pieces)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's constants");
    for (size_t i = 0; i < program->n_parts; i++) {
        const struct lt_expr_part *part = &program->parts[i];
        if (part->kind == LT_EXPR_DEF || !lt_expr_is_constant(part->text->text, src))
            continue;
        constants.pieces[n] = find_piece(expr, part);
        constants.pieces[n]->constant = true;
        asks[n] = (struct lt_remote_ask){part->number, part->kind == LT_EXPR_ROUTE ? 1 : 2, false};
        jobs[n] = (struct lt_remote_job){LT_LIT("null"), &asks[n], 1};
        n++;
    }
    return lt_remote_run(expr->remote, jobs, n, &sink, err);
}

/* Whether a condition holds, or fails, whatever the record. */
static bool ends_routes(const struct lt_piece *route) {
    if (!route->label.data)
        return true;
    return route->constant && (route->answer.kind == LT_ANSWER_FAILED ||
                               (route->answer.n && !lt_slice_eq_str(route->answer.text, "null") &&
                                !lt_slice_eq_str(route->answer.text, "false")));
}

bool lt_expr_computes(const struct lt_expr *expr) {
    bool asks = expr->key.label.data && !expr->key.constant;

    for (size_t i = 0; i < expr->n_sets; i++)
        asks |= !expr->sets[i].constant;
    for (size_t i = 0; i < expr->n_routes; i++)
        asks |= expr->routes[i].label.data && !expr->routes[i].constant;
    return asks;
}

/* What stands behind a condition that always holds is never asked for. */
static void cut_routes(struct lt_expr *expr) {
    for (size_t i = 0; i < expr->n_routes; i++)
        if (ends_routes(&expr->routes[i]))
            expr->n_routes = i + 1;
}

/* Where there is nothing but conditions that need no jq: settles them all, or none. */
static bool fold_all(struct lt_expr *expr, const struct lt_expr_source *src) {
    bool holds;

    if (src->n_defs || src->n_sets || src->key)
        return false;
    for (size_t i = 0; i < src->n_routes; i++)
        if (src->routes[i].text.data && !lt_expr_fold(src->routes[i].text, src, &holds))
            return false;
    for (size_t i = 0; i < src->n_routes; i++) {
        struct lt_piece *route = &expr->routes[i];
        route->constant = true;
        route->answer = (struct lt_answer){LT_ANSWER_VALUES, 1, LT_LIT("false")};
        if (lt_expr_fold(src->routes[i].text, src, &holds) && holds)
            route->answer.text = LT_LIT("true");
    }
    return true;
}

static leat_status compile(struct lt_expr *expr, const struct lt_expr_source *src,
                           struct leat_error *err) {
    struct lt_expr_program program = {0};

    if (fold_all(expr, src))
        return LEAT_OK;
    leat_status status = lt_expr_program_init(&program, src, err);
    if (status == LEAT_OK && program.n_parts)
        status = lt_expr_program_compile(&program, &expr->remote, err);
    if (status == LEAT_OK && program.n_parts)
        status = take_constants(expr, &program, src, err);
    lt_expr_program_deinit(&program);
    cut_routes(expr);
    if (!lt_expr_computes(expr)) {
        lt_remote_free(expr->remote);
        expr->remote = NULL;
    }
    return status;
}

leat_status lt_expr_compile(struct lt_expr **out, const struct lt_expr_source *src,
                            struct leat_error *err) {
    struct lt_expr *expr = calloc(1, sizeof(*expr));

    *out = NULL;
    if (!expr)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's expressions");
    lt_arena_init(&expr->config, MAX_CONFIG_BYTES);
    lt_arena_init(&expr->scratch, MAX_SCRATCH_BYTES);
    lt_buf_init(&expr->spliced, LT_EXPR_MAX_RESULT_BYTES);
    leat_status status = keep_pieces(expr, src, err);
    if (status == LEAT_OK)
        status = compile(expr, src, err);
    if (status == LEAT_OK)
        *out = expr;
    else
        lt_expr_free(expr);
    return status;
}

void lt_expr_free(struct lt_expr *expr) {
    if (!expr)
        return;
    lt_remote_free(expr->remote);
    lt_arena_deinit(&expr->config);
    lt_arena_deinit(&expr->scratch);
    lt_buf_deinit(&expr->spliced);
    free(expr);
}
