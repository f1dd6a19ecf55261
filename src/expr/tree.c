/* SPDX-License-Identifier: Apache-2.0 */
/* One text and the definitions that it sees, from bytes to a checked tree. */
#include "expr/tree.h"

#include "expr/check.h"
#include "expr/lex.h"
#include "expr/program.h"

#include <stdio.h>

struct reader {
    struct lt_parser parser;
    struct lt_checker checker;
    const struct lt_expr_text *failed; /* the caller's */
    size_t at;
};

leat_status lt_tree_check_size(const struct lt_expr_text *text, struct leat_error *err) {
    if (text->text.len > LT_EXPR_MAX_TEXT_BYTES)
        return lt_fail(err, LEAT_E_CONFIG, 0, "an expression of %zu bytes (at most %d)",
                       text->text.len, LT_EXPR_MAX_TEXT_BYTES);
    if (text->text.len && memchr(text->text.data, '\0', text->text.len))
        return lt_fail(err, LEAT_E_CONFIG, 0, "a NUL byte in an expression");
    return LEAT_OK;
}

/* A copy whose bytes live in the arena; NULL without memory. */
static struct lt_expr_text *copy_text(const struct lt_expr_text *text, struct lt_arena *arena) {
    struct lt_expr_text *copy = lt_arena_calloc(arena, 1, sizeof(*copy));

    if (!copy)
        return NULL;
    *copy = *text;
    copy->text = text->text.len ? lt_arena_dup(arena, text->text) : LT_LIT("");
    copy->name = text->name.len ? lt_arena_dup(arena, text->name) : LT_LIT("");
    return copy->text.data && copy->name.data ? copy : NULL;
}

static leat_status fail_at(struct reader *r, const struct lt_expr_text *text, size_t at,
                           leat_status status) {
    r->failed = text;
    r->at = at;
    return status;
}

/* Reads a `with:` entry into `scope`. */
static leat_status read_def(struct reader *r, const struct lt_expr_text *text,
                            const struct lt_scope **scope) {
    struct lt_checker *c = &r->checker;
    leat_status status = lt_expr_check_def_name(text->name, c->err);

    if (status == LEAT_OK)
        status = lt_tree_check_size(text, c->err);
    if (status != LEAT_OK)
        return fail_at(r, text, 0, status);
    const struct lt_expr_text *copy = copy_text(text, c->arena);
    if (!copy)
        return lt_fail(c->err, LEAT_E_NOMEM, 0, "no memory for an expression");
    struct lt_syntax_def *def = lt_parse_def_name(&r->parser, copy->name, c->arena, c->err);
    if (!def)
        return fail_at(r, text, 0, r->parser.status);
    def->def.body = lt_parse_body(&r->parser, copy->text, c->arena, c->err);
    if (!def->def.body)
        return fail_at(r, text, r->parser.at, r->parser.status);
    def->text = text;
    def->depth = 1;
    def->scope = *scope = lt_check_add(c, *scope, LT_SCOPE_DEF, def->def.name, 0, def);
    return c->status;
}

static leat_status check_all(struct reader *r, struct lt_syntax_def *main,
                             const struct lt_scope *scope) {
    struct lt_checker *c = &r->checker;

    main->scope = scope;
    lt_check_enqueue(c, main);
    c->live = true;
    if (!lt_check_queue(c))
        return fail_at(r, c->failed, c->at, c->status);
    c->live = false;
    for (; scope; scope = scope->outer)
        lt_check_enqueue(c, scope->def);
    if (!lt_check_queue(c))
        return fail_at(r, c->failed, c->at, c->status);
    return lt_check_recursion(c) ? LEAT_OK : c->status;
}

static leat_status read_all(struct reader *r, struct lt_tree_part *part,
                            const struct lt_expr_text *text, const struct lt_expr_text *defs,
                            size_t n_defs) {
    struct lt_checker *c = &r->checker;
    const struct lt_scope *scope = NULL;
    struct lt_syntax_def *main = lt_arena_calloc(c->arena, 1, sizeof(*main));
    leat_status status = LEAT_OK;

    if (!main)
        return lt_fail(c->err, LEAT_E_NOMEM, 0, "no memory for an expression");
    c->current = main; /* whose frame the definitions hang off */
    for (size_t i = 0; i < n_defs && status == LEAT_OK; i++)
        status = read_def(r, &defs[i], &scope);
    if (status != LEAT_OK)
        return status;
    status = lt_tree_check_size(text, c->err);
    if (status != LEAT_OK)
        return fail_at(r, text, 0, status);
    part->text = copy_text(text, c->arena);
    if (!part->text)
        return lt_fail(c->err, LEAT_E_NOMEM, 0, "no memory for an expression");
    main->text = text;
    main->def.body = lt_parse_program(&r->parser, part->text->text, c->arena, c->err);
    if (!main->def.body)
        return fail_at(r, text, r->parser.at, r->parser.status);
    part->bare = r->parser.bare;
    status = check_all(r, main, scope);
    if (status != LEAT_OK)
        return status;
    part->main = main->def;
    part->why = c->why;
    part->root = c->why ? NULL : main->def.body;
    return LEAT_OK;
}

leat_status lt_tree_parse(struct lt_tree_part *part, const struct lt_expr_text *text,
                          const struct lt_expr_text *defs, size_t n_defs,
                          const struct lt_expr_var *vars, size_t n_vars, struct lt_arena *arena,
                          struct leat_error *err) {
    struct leat_error ignored = {0};
    struct reader r = {.checker = {.arena = arena,
                                   .err = err ? err : &ignored,
                                   .status = LEAT_OK,
                                   .vars = vars,
                                   .n_vars = n_vars}};

    *part = (struct lt_tree_part){0};
    leat_status status = read_all(&r, part, text, defs, n_defs);
    if (status == LEAT_OK)
        return LEAT_OK;
    *part = (struct lt_tree_part){.failed = r.failed};
    if (status == LEAT_E_CONFIG && r.failed)
        lt_expr_locate(r.failed, r.at, err);
    return status;
}
