/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipeline's expressions are compiled: each is checked; what is the same for every record is
 * computed once; where all fit one pass over a record, that is made; what the evaluator does not
 * cover is compiled by libjq, in its own process. That process is also there, not started, for the
 * records at which the evaluator gives up.
 */
#include "expr/expr.h"

#include "expr/expr_parts.h"
#include "expr/program.h"

#include <stdlib.h>

enum { MAX_CONFIG_BYTES = 256 << 20, MAX_SCRATCH_BYTES = 1 << 30 };

void lt_expr_set_limits(struct lt_expr *expr, const struct lt_expr_limits *limits) {
    expr->limits = *limits;
    lt_machine_set_limits(&expr->machine, limits);
    if (expr->remote)
        lt_remote_set_limits(expr->remote, limits->max_ms, limits->max_bytes);
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
    expr->n_all_routes = src->n_routes;
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

/* Parses and prepares what a part of the program says. */
static leat_status parse_piece(struct lt_expr *expr, const struct lt_expr_part *part,
                               const struct lt_expr_source *src, struct leat_error *err) {
    struct lt_piece *piece = find_piece(expr, part);
    leat_status status = lt_expr_parse_part(&piece->part, part, src, &expr->config, err);

    if (status == LEAT_OK && piece->part.root)
        status = lt_vm_prepare(&piece->part, &expr->config, err);
    return status;
}

/* What no record can change is computed once; where that cannot be done here, it is no constant. */
static leat_status settle(struct lt_expr *expr, struct lt_piece *piece, unsigned max_values,
                          struct leat_error *err) {
    struct lt_machine *machine = &expr->machine;
    struct lt_val value;
    unsigned n = 0;

    if (!piece->label.data || !piece->part.root || !lt_tree_is_constant(&piece->part))
        return LEAT_OK;
    lt_machine_begin(machine);
    lt_buf_clear(&expr->values);
    enum lt_flow flow =
        lt_machine_take(machine, &piece->part, lt_val_null(), max_values, &value, &n);
    if (flow == LT_FLOW_BAIL || flow == LT_FLOW_STOP)
        return LEAT_OK;
    const char *fault = NULL;
    if (flow == LT_FLOW_ON && n)
        fault = lt_machine_write(machine, &expr->values, value, 1);
    struct lt_slice text = fault                ? lt_slice_str(fault)
                           : flow == LT_FLOW_ON ? lt_buf_slice(&expr->values)
                                                : lt_machine_reason(machine, flow);
    bool failed = fault || flow != LT_FLOW_ON;
    piece->answer = (struct lt_answer){failed ? LT_ANSWER_FAILED : LT_ANSWER_VALUES, n,
                                       failed ? lt_expr_one_line(text, &expr->config)
                                              : lt_arena_dup(&expr->config, text)};
    if (!piece->answer.text.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a constant");
    piece->constant = true;
    piece->value = lt_val_null();
    return failed || !n ? LEAT_OK
                        : lt_machine_keep(piece->answer.text, &expr->config, &piece->value, err);
}

static leat_status settle_all(struct lt_expr *expr, struct leat_error *err) {
    leat_status status = settle(expr, &expr->key, 2, err);

    for (size_t i = 0; status == LEAT_OK && i < expr->n_sets; i++)
        status = settle(expr, &expr->sets[i], 2, err);
    for (size_t i = 0; status == LEAT_OK && i < expr->n_routes; i++)
        status = settle(expr, &expr->routes[i], 1, err);
    return status;
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

static bool is_left(const struct lt_piece *piece) {
    return piece->label.data && !piece->part.root;
}

static bool is_apart(const struct lt_expr *expr, const struct lt_piece *piece) {
    return !piece->label.data || piece->constant ||
           (piece->part.root && lt_expr_is_apart(piece->part.root, expr->fields, expr->n_sets));
}

/* What can be said of the whole. */
static void look_at_all(struct lt_expr *expr) {
    expr->needs_libjq = is_left(&expr->key);
    expr->second_is_apart = is_apart(expr, &expr->key);
    for (size_t i = 0; i < expr->n_sets; i++)
        expr->needs_libjq |= is_left(&expr->sets[i]);
    for (size_t i = 0; i < expr->n_routes; i++) {
        expr->needs_libjq |= is_left(&expr->routes[i]);
        expr->second_is_apart &= is_apart(expr, &expr->routes[i]);
    }
}

static leat_status fuse(struct lt_expr *expr, const struct lt_expr_source *src,
                        struct leat_error *err) {
    struct lt_tree_part *sets = lt_arena_calloc(&expr->config, expr->n_sets, sizeof(*sets));
    struct lt_tree_part *routes = lt_arena_calloc(&expr->config, src->n_routes, sizeof(*routes));
    struct lt_fuse_parts parts = {
        .source = src, .sets = sets, .routes = routes, .key = src->key ? &expr->key.part : NULL};

    if (!sets || !routes)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's expressions");
    for (size_t i = 0; i < expr->n_sets; i++)
        sets[i] = expr->sets[i].part;
    for (size_t i = 0; i < src->n_routes; i++)
        routes[i] = expr->routes[i].part;
    return lt_fuse_new(&expr->fuse, &parts, expr->why_not_fused, err);
}

static leat_status compile_program(struct lt_expr *expr, const struct lt_expr_program *program,
                                   const struct lt_expr_source *src, struct leat_error *err) {
    leat_status status = LEAT_OK;

    if (!program->n_asked)
        return lt_expr_parse_defs(src, &expr->config, err);
    for (size_t i = 0; status == LEAT_OK && i < program->n_parts; i++)
        if (program->parts[i].kind != LT_EXPR_DEF)
            status = parse_piece(expr, &program->parts[i], src, err);
    if (status == LEAT_OK)
        status = settle_all(expr, err);
    if (status != LEAT_OK)
        return status;
    look_at_all(expr);
    if (expr->needs_libjq)
        return lt_expr_program_compile(program, &expr->remote, err);
    status = lt_expr_program_keep(program, &expr->remote, err);
    cut_routes(expr);
    return status == LEAT_OK && lt_expr_computes(expr) ? fuse(expr, src, err) : status;
}

static leat_status compile(struct lt_expr *expr, const struct lt_expr_source *src,
                           struct leat_error *err) {
    struct lt_expr_program program = {0};

    leat_status status =
        lt_machine_init(&expr->machine, src->vars, src->n_vars, &expr->config, err);
    if (status == LEAT_OK)
        status = lt_expr_program_init(&program, src, err);
    if (status == LEAT_OK && program.n_parts)
        status = compile_program(expr, &program, src, err);
    lt_expr_program_deinit(&program);
    cut_routes(expr);
    if (status == LEAT_OK)
        lt_expr_set_limits(expr, &lt_expr_default_limits);
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
    lt_buf_init(&expr->values, 2 * LT_EXPR_MAX_RESULT_BYTES);
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
    lt_fuse_free(expr->fuse);
    lt_remote_free(expr->remote);
    if (expr->machine.vm.heap.arena)
        lt_machine_deinit(&expr->machine);
    lt_arena_deinit(&expr->config);
    lt_arena_deinit(&expr->scratch);
    lt_buf_deinit(&expr->values);
    lt_buf_deinit(&expr->spliced);
    free(expr);
}

const char *lt_expr_tier_name(enum lt_expr_tier tier) {
    static const char *const names[] = {"constant", "fused", "compiled", "libjq"};
    return names[tier];
}

static const struct lt_piece *piece_at(const struct lt_expr *expr, size_t i) {
    if (i < expr->n_sets)
        return &expr->sets[i];
    i -= expr->n_sets;
    if (expr->key.label.data && i-- == 0)
        return &expr->key;
    for (size_t k = 0; k < expr->n_all_routes; k++)
        if (expr->routes[k].label.data && i-- == 0)
            return &expr->routes[k];
    return NULL;
}

bool lt_expr_explain(const struct lt_expr *expr, size_t i, struct lt_expr_plan *plan) {
    const struct lt_piece *piece = piece_at(expr, i);

    if (!piece)
        return false;
    *plan = (struct lt_expr_plan){.label = piece->label};
    if (piece->constant) {
        plan->tier = LT_EXPR_CONSTANT;
    } else if (!piece->part.root) {
        plan->tier = LT_EXPR_LIBJQ;
        plan->why = piece->part.why;
    } else if (expr->fuse) {
        plan->tier = LT_EXPR_FUSED;
    } else {
        plan->tier = LT_EXPR_COMPILED;
        plan->why = expr->why_not_fused[0] ? expr->why_not_fused : NULL;
    }
    return true;
}
