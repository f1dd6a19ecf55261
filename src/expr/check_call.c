/* SPDX-License-Identifier: Apache-2.0 */
/* Where a call leads: the user's definitions, rows in C, definitions of the prelude, libjq. And
 * which definitions come back to themselves. */
#include "expr/check.h"

#include "base/units.h"
#include "expr/fn.h"

#include <stdio.h>

enum { MAX_CANDIDATES = 512, MAX_NAME = 64 };

const struct lt_scope *lt_check_find_function(const struct lt_scope *scope, struct lt_slice name,
                                              size_t n_args) {
    for (; scope; scope = scope->outer) {
        if (!lt_slice_eq(scope->name, name))
            continue;
        if (scope->kind == LT_SCOPE_DEF && scope->def->def.n_params == n_args)
            return scope;
        if (scope->kind == LT_SCOPE_PARAM && !n_args)
            return scope;
    }
    return NULL;
}

/* --- "did you mean" --------------------------------------------------------------------- */

struct candidates {
    const char *names[MAX_CANDIDATES + 1];
    char text[MAX_CANDIDATES][MAX_NAME];
    size_t n;
};

static void add_candidate(struct candidates *list, struct lt_slice name) {
    if (list->n == MAX_CANDIDATES || name.len >= MAX_NAME || (name.len && name.data[0] == '_'))
        return;
    snprintf(list->text[list->n], MAX_NAME, "%.*s", LT_FMT(name));
    list->names[list->n] = list->text[list->n];
    list->names[++list->n] = NULL;
}

static bool fail_unknown(struct lt_checker *c, const struct lt_node *node, const char *what,
                         const char *sign, const struct candidates *list) {
    const char *nearest = lt_nearest(node->text, list->names);

    return lt_check_fail(c, node->offset, "%s is not defined%s%s%s%s", what,
                         nearest ? "; did you mean \"" : "", nearest ? sign : "",
                         nearest ? nearest : "", nearest ? "\"?" : "");
}

static void list_scope(struct candidates *list, const struct lt_scope *scope,
                       enum lt_scope_kind kind) {
    for (; scope; scope = scope->outer)
        if (scope->kind == kind)
            add_candidate(list, scope->name);
}

bool lt_check_unknown(struct lt_checker *c, const struct lt_node *node,
                      const struct lt_scope *scope) {
    struct candidates *list = lt_arena_calloc(c->arena, 1, sizeof(*list));
    char what[MAX_NAME + 16];
    bool label = node->kind == LT_NODE_BREAK;

    if (!list)
        return lt_check_nomem(c);
    list_scope(list, scope, label ? LT_SCOPE_LABEL : LT_SCOPE_VAR);
    for (size_t i = 0; i < c->n_vars && !label; i++)
        add_candidate(list, lt_slice_str(c->vars[i].name));
    snprintf(what, sizeof(what), "%s%.*s", label ? "label " : "$",
             (int)(node->text.len < MAX_NAME ? node->text.len : MAX_NAME), node->text.data);
    return fail_unknown(c, node, what, label ? "" : "$", list);
}

/* The same name with another number of arguments. */
static bool find_other_arity(const struct lt_scope *scope, struct lt_slice name, char *out,
                             size_t cap) {
    for (; scope; scope = scope->outer)
        if (scope->kind == LT_SCOPE_DEF && lt_slice_eq(scope->name, name)) {
            snprintf(out, cap, "%.*s/%u", LT_FMT(name), scope->def->def.n_params);
            return true;
        }
    const char *known;
    for (size_t i = 0; (known = lt_fn_name(i)) != NULL; i++) {
        const char *slash = strchr(known, '/');
        if (slash && lt_slice_eq(lt_slice(known, (size_t)(slash - known)), name)) {
            snprintf(out, cap, "%s", known);
            return true;
        }
    }
    return false;
}

static bool fail_unknown_function(struct lt_checker *c, const struct lt_node *node,
                                  const struct lt_scope *scope) {
    char what[MAX_NAME + 32], other[MAX_NAME + 32];
    struct candidates *list = lt_arena_calloc(c->arena, 1, sizeof(*list));
    const char *known;

    if (!list)
        return lt_check_nomem(c);
    snprintf(what, sizeof(what), "%.*s/%zu",
             (int)(node->text.len < MAX_NAME ? node->text.len : MAX_NAME), node->text.data,
             node->n);
    if (find_other_arity(scope, node->text, other, sizeof(other)))
        return lt_check_fail(c, node->offset, "%s is not defined, but %s is", what, other);
    list_scope(list, scope, LT_SCOPE_DEF);
    list_scope(list, scope, LT_SCOPE_PARAM);
    for (size_t i = 0; (known = lt_fn_name(i)) != NULL; i++) {
        const char *slash = strchr(known, '/');
        if (slash)
            add_candidate(list, lt_slice(known, (size_t)(slash - known)));
    }
    return fail_unknown(c, node, what, "", list);
}

/* --- calls ------------------------------------------------------------------------------ */

static bool lead_to(struct lt_checker *c, struct lt_node *node, struct lt_syntax_def *def) {
    struct lt_syntax_call *call = lt_arena_calloc(c->arena, 1, sizeof(*call));

    if (!call)
        return lt_check_nomem(c);
    call->def = def;
    call->next = c->current->calls;
    c->current->calls = call;
    node->def = &def->def;
    lt_check_enqueue(c, def);
    return true;
}

/* A definition of the prelude hangs off no frame: any may stand for it. */
static bool call_prelude(struct lt_checker *c, struct lt_node *node, const char *text) {
    struct lt_parser p;

    for (struct lt_syntax_def *def = c->prelude; def; def = def->next_in_prelude)
        if (def->def.n_params == node->n && lt_slice_eq(def->def.name, node->text))
            return lead_to(c, node, def);
    struct lt_node *root = lt_parse_program(&p, lt_slice_str(text), c->arena, c->err);
    if (!root && p.status == LEAT_E_NOMEM)
        return lt_check_nomem(c);
    if (!root || root->kind != LT_SYNTAX_DEF)
        return lt_check_fail(c, node->offset, "the definition of %.*s cannot be read: %s",
                             LT_FMT(node->text), root ? "" : c->err->text);
    struct lt_syntax_def *def = (struct lt_syntax_def *)(uintptr_t)root->def;
    def->def.prelude = true;
    def->depth = 1;
    def->scope = lt_check_add(c, NULL, LT_SCOPE_DEF, def->def.name, 0, def);
    if (!def->scope)
        return false;
    def->next_in_prelude = c->prelude;
    c->prelude = def;
    return lead_to(c, node, def);
}

/* Whether jq has it, though nothing here does. */
static bool is_known(struct lt_slice name, size_t n_args) {
    char full[MAX_NAME + 32];
    const char *known;

    if (name.len >= MAX_NAME)
        return false;
    snprintf(full, sizeof(full), "%.*s/%zu", LT_FMT(name), n_args);
    for (size_t i = 0; (known = lt_fn_name(i)) != NULL; i++)
        if (!strcmp(known, full))
            return true;
    return false;
}

bool lt_check_call(struct lt_checker *c, struct lt_node *node, const struct lt_scope *scope) {
    const struct lt_scope *found = lt_check_find_function(scope, node->text, node->n);

    if (found && found->kind == LT_SCOPE_PARAM) {
        node->kind = LT_NODE_PARAM;
        node->up = c->current->depth - found->depth;
        node->slot = found->slot;
        return true;
    }
    if (found) {
        node->up = c->current->depth - found->depth;
        return lead_to(c, node, found->def);
    }
    node->builtin = lt_fn_find(node->text, node->n);
    if (node->builtin) {
        node->kind = LT_NODE_BUILTIN;
        return true;
    }
    const char *text = lt_fn_prelude(node->text, node->n);
    if (text)
        return call_prelude(c, node, text);
    if (!lt_fn_is_left_to_libjq(node->text, node->n) && !is_known(node->text, node->n))
        return fail_unknown_function(c, node, scope);
    if (c->live && !c->why) {
        c->why = lt_arena_printf(c->arena, "`%.*s` is one that only libjq has", LT_FMT(node->text));
        return c->why || lt_check_nomem(c);
    }
    return true;
}

/* --- recursion -------------------------------------------------------------------------- */

/* Whether calls lead from `def` to itself. `stack` has room for all definitions. */
static bool comes_back(struct lt_syntax_def *def, struct lt_syntax_def **stack, unsigned mark) {
    size_t n = 0;

    stack[n++] = def;
    while (n) {
        const struct lt_syntax_def *at = stack[--n];
        for (const struct lt_syntax_call *call = at->calls; call; call = call->next) {
            if (call->def == def)
                return true;
            if (call->def->mark != mark) {
                call->def->mark = mark;
                stack[n++] = call->def;
            }
        }
    }
    return false;
}

bool lt_check_recursion(struct lt_checker *c) {
    struct lt_syntax_def **stack =
        lt_arena_calloc(c->arena, c->n_defs + 1, sizeof(struct lt_syntax_def *));
    unsigned mark = 0;

    if (!stack)
        return lt_check_nomem(c);
    for (struct lt_syntax_def *def = c->first; def; def = def->next)
        def->def.recursive = comes_back(def, stack, ++mark);
    return true;
}
