/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From syntax to a checked tree. Nodes are changed where they stand: names become slots,
 * definitions leave the tree and are reached by the calls of them, constants are gathered into one
 * literal. A definition is looked at when the first call of it is met: what nobody calls may name
 * what does not exist, as in jq.
 */
#include "expr/check.h"

#include "expr/fn.h"
#include "json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool lt_check_nomem(struct lt_checker *c) {
    if (c->status == LEAT_OK)
        c->status = lt_fail(c->err, LEAT_E_NOMEM, 0, "no memory for an expression");
    return false;
}

bool lt_check_fail(struct lt_checker *c, size_t at, const char *fmt, ...) {
    char text[LEAT_ERROR_TEXT_BYTES];
    va_list args;

    if (c->status != LEAT_OK)
        return false;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    c->at = at;
    c->failed = c->current->text;
    c->status = lt_fail(c->err, LEAT_E_CONFIG, 0, "%s", text);
    return false;
}

const struct lt_scope *lt_check_add(struct lt_checker *c, const struct lt_scope *outer,
                                    enum lt_scope_kind kind, struct lt_slice name, unsigned slot,
                                    struct lt_syntax_def *def) {
    struct lt_scope *scope = lt_arena_calloc(c->arena, 1, sizeof(*scope));

    if (!scope) {
        lt_check_nomem(c);
        return NULL;
    }
    *scope = (struct lt_scope){outer, kind, name, c->current->depth, slot, def};
    return scope;
}

static bool check(struct lt_checker *c, struct lt_node **at, const struct lt_scope *scope);

/* --- variables -------------------------------------------------------------------------- */

static const struct lt_scope *find(const struct lt_scope *scope, enum lt_scope_kind kind,
                                   struct lt_slice name) {
    while (scope && (scope->kind != kind || !lt_slice_eq(scope->name, name)))
        scope = scope->outer;
    return scope;
}

static bool check_variable(struct lt_checker *c, struct lt_node *node,
                           const struct lt_scope *scope) {
    const struct lt_scope *found = find(scope, LT_SCOPE_VAR, node->text);

    if (found) {
        node->up = c->current->depth - found->depth;
        node->slot = found->slot;
        return true;
    }
    for (size_t i = 0; i < c->n_vars && !c->current->def.prelude; i++)
        if (lt_slice_eq_str(node->text, c->vars[i].name)) {
            node->kind = LT_NODE_GLOBAL;
            node->slot = (unsigned)i;
            return true;
        }
    if (lt_slice_eq_str(node->text, "ENV")) {
        node->kind = LT_NODE_ENV;
        return true;
    }
    return lt_check_unknown(c, node, scope);
}

static bool check_break(struct lt_checker *c, struct lt_node *node, const struct lt_scope *scope) {
    const struct lt_scope *found = find(scope, LT_SCOPE_LABEL, node->text);

    if (!found)
        return lt_check_unknown(c, node, scope);
    node->up = c->current->depth - found->depth;
    node->slot = found->slot;
    return true;
}

/* The slot of a name that a pattern binds: one for all patterns of a `?//`. */
static bool bind(struct lt_checker *c, struct lt_slice name, const struct lt_scope *outer,
                 const struct lt_scope **inner, unsigned *slot) {
    for (const struct lt_scope *s = *inner; s != outer; s = s->outer)
        if (lt_slice_eq(s->name, name)) {
            *slot = s->slot;
            return true;
        }
    *slot = c->current->def.n_vars++;
    *inner = lt_check_add(c, *inner, LT_SCOPE_VAR, name, *slot, NULL);
    return *inner != NULL;
}

static bool bind_pattern(struct lt_checker *c, struct lt_pattern *pattern,
                         const struct lt_scope *outer, const struct lt_scope **inner) {
    struct lt_syntax_pattern *syntax = (struct lt_syntax_pattern *)pattern;

    if (pattern->kind == LT_PATTERN_VAR)
        return bind(c, syntax->name, outer, inner, &pattern->slot);
    for (size_t i = 0; i < pattern->n; i++) {
        if (pattern->has_slot[i] && !bind(c, syntax->names[i], outer, inner, &pattern->slots[i]))
            return false;
        if (pattern->items[i] && !bind_pattern(c, pattern->items[i], outer, inner))
            return false;
    }
    return true;
}

static bool check_keys(struct lt_checker *c, struct lt_pattern *pattern,
                       const struct lt_scope *scope) {
    for (size_t i = 0; pattern->kind != LT_PATTERN_VAR && i < pattern->n; i++) {
        if (pattern->keys[i] && !check(c, &pattern->keys[i], scope))
            return false;
        if (pattern->items[i] && !check_keys(c, pattern->items[i], scope))
            return false;
    }
    return true;
}

/* The keys of a lone pattern see what stands before it. Those of `?//` see what all of them bind
 * (null until it is bound), as in jq. */
static bool check_patterns(struct lt_checker *c, struct lt_node *node, const struct lt_scope *outer,
                           const struct lt_scope **inner) {
    for (size_t i = 0; i < node->n_patterns; i++)
        if (!bind_pattern(c, node->patterns[i], outer, inner))
            return false;
    for (size_t i = 0; i < node->n_patterns; i++)
        if (!check_keys(c, node->patterns[i], node->n_patterns > 1 ? *inner : outer))
            return false;
    return true;
}

/* AS, REDUCE, FOREACH: the source and (but for `as`) the first state do not see what is bound. */
static bool check_binding(struct lt_checker *c, struct lt_node *node,
                          const struct lt_scope *scope) {
    const struct lt_scope *inner = scope;
    bool as = node->kind == LT_NODE_AS;

    if (!check(c, &node->a, scope) || (!as && !check(c, &node->b, scope)))
        return false;
    if (!check_patterns(c, node, scope, &inner))
        return false;
    if (as)
        return check(c, &node->b, inner);
    return check(c, &node->c, inner) && (!node->d || check(c, &node->d, inner));
}

static bool check_label(struct lt_checker *c, struct lt_node *node, const struct lt_scope *scope) {
    node->slot = c->current->def.n_vars++;
    scope = lt_check_add(c, scope, LT_SCOPE_LABEL, node->text, node->slot, NULL);
    return scope && check(c, &node->a, scope);
}

/* --- constants -------------------------------------------------------------------------- */

static bool is_literal(const struct lt_node *node) {
    return node && node->kind == LT_NODE_LITERAL;
}

static bool is_list_of_literals(const struct lt_node *node) {
    if (node->kind == LT_NODE_COMMA)
        return is_list_of_literals(node->a) && is_list_of_literals(node->b);
    return is_literal(node);
}

static void write_list(struct lt_buf *out, const struct lt_node *node) {
    if (node->kind != LT_NODE_COMMA) {
        lt_buf_append(out, node->text);
        return;
    }
    write_list(out, node->a);
    lt_buf_append_byte(out, ',');
    write_list(out, node->b);
}

static bool become_literal(struct lt_checker *c, struct lt_node *node, struct lt_buf *json) {
    struct lt_slice text = {0};

    if (!json->failed)
        text = lt_arena_dup(c->arena, lt_buf_slice(json));
    lt_buf_deinit(json);
    if (!text.data)
        return lt_check_nomem(c);
    *node = (struct lt_node){
        .kind = LT_NODE_LITERAL, .text = text, .offset = node->offset, .end = node->end};
    return true;
}

enum { MAX_LITERAL = 1 << 20 };

/* `[1, 2]`, `{"a": 1}`, `-1`. `[]` and `{}` stay: who builds upon them begins with a new one. */
static bool gather(struct lt_checker *c, struct lt_node *node) {
    struct lt_buf json;

    lt_buf_init(&json, MAX_LITERAL);
    if (node->kind == LT_NODE_ARRAY) {
        if (!node->a || !is_list_of_literals(node->a))
            return true;
        lt_buf_append_byte(&json, '[');
        write_list(&json, node->a);
        lt_buf_append_byte(&json, ']');
    } else if (node->kind == LT_NODE_OBJECT) {
        for (size_t i = 0; i < node->n; i++)
            if (!is_literal(node->items[i]) || (i % 2 == 0 && node->items[i]->text.data[0] != '"'))
                return true;
        if (!node->n)
            return true;
        for (size_t i = 0; i < node->n; i++) {
            lt_buf_append_byte(&json, i % 2 ? ':' : i ? ',' : '{');
            lt_buf_append(&json, node->items[i]->text);
        }
        lt_buf_append_byte(&json, '}');
    } else {
        char first = is_literal(node->a) ? node->a->text.data[0] : 0;
        if (first < '0' || first > '9' || strtod(node->a->text.data, NULL) == 0)
            return true;
        lt_buf_append_byte(&json, '-');
        lt_buf_append(&json, node->a->text);
    }
    return become_literal(c, node, &json);
}

/* --- strings and formats ---------------------------------------------------------------- */

static struct lt_node *make(struct lt_checker *c, enum lt_node_kind kind,
                            const struct lt_node *like) {
    struct lt_node *node = lt_arena_calloc(c->arena, 1, sizeof(*node));

    if (!node) {
        lt_check_nomem(c);
        return NULL;
    }
    node->kind = kind;
    node->offset = like->offset;
    node->end = like->end;
    return node;
}

/* `format("name")`, as jq has it. */
static struct lt_node *call_format(struct lt_checker *c, const struct lt_node *node) {
    struct lt_node *call = make(c, LT_NODE_CALL, node);
    struct lt_node *name = call ? make(c, LT_NODE_LITERAL, node) : NULL;
    struct lt_node **items = name ? lt_arena_calloc(c->arena, 1, sizeof(struct lt_node *)) : NULL;
    char *json = items ? lt_arena_printf(c->arena, "\"%.*s\"", LT_FMT(node->text)) : NULL;

    if (!json) {
        lt_check_nomem(c);
        return NULL;
    }
    name->text = lt_slice_str(json);
    items[0] = name;
    call->text = LT_LIT("format");
    call->items = items;
    call->n = 1;
    return call;
}

/* Whether `@name` must go through format/1: it is no format, or the user has defined format/1. */
static bool is_odd_format(const struct lt_node *node, const struct lt_scope *scope) {
    if (lt_check_find_function(scope, LT_LIT("format"), 1))
        return true;
    return node->format == LT_FORMAT_TEXT && !lt_slice_eq_str(node->text, "text");
}

/* `"x\(a)y"` as "x" + (a | @name) + "y". */
static struct lt_node *spell_out_string(struct lt_checker *c, const struct lt_node *string) {
    struct lt_node *sum = string->items[0];

    for (size_t i = 1; i < string->n; i++) {
        struct lt_node *piece = string->items[i];
        if (i % 2) {
            struct lt_node *pipe = make(c, LT_NODE_PIPE, piece);
            if (!pipe)
                return NULL;
            pipe->a = piece;
            pipe->b = call_format(c, string);
            if (!pipe->b)
                return NULL;
            piece = pipe;
        }
        struct lt_node *add = make(c, LT_NODE_BINARY, string);
        if (!add)
            return NULL;
        add->op = LT_OP_ADD;
        add->a = sum;
        add->b = piece;
        sum = add;
    }
    return sum;
}

static bool check_format(struct lt_checker *c, struct lt_node **at, const struct lt_scope *scope) {
    if (!is_odd_format(*at, scope))
        return true;
    *at = call_format(c, *at);
    return *at && check(c, at, scope);
}

static bool check_string(struct lt_checker *c, struct lt_node **at, const struct lt_scope *scope) {
    struct lt_node *node = *at;

    if (is_odd_format(node, scope)) {
        *at = spell_out_string(c, node);
        return *at && check(c, at, scope);
    }
    for (size_t i = 0; i < node->n; i++)
        if (!check(c, &node->items[i], scope))
            return false;
    return true;
}

/* --- the rest --------------------------------------------------------------------------- */

/* `..` is a call of recurse/0, which the user may have defined. */
static bool check_recurse(struct lt_checker *c, struct lt_node *node,
                          const struct lt_scope *scope) {
    if (!lt_check_find_function(scope, LT_LIT("recurse"), 0))
        return true;
    node->kind = LT_NODE_CALL;
    node->text = LT_LIT("recurse");
    return lt_check_call(c, node, scope);
}

/* jq's operators are calls of these: a definition of the same name would change them. */
static bool is_operator_name(struct lt_slice name) {
    static const char *const names[] = {"_plus",    "_minus",     "_multiply", "_divide",
                                        "_mod",     "_equal",     "_less",     "_lesseq",
                                        "_greater", "_greatereq", "_assign",   "_modify",
                                        "_negate",  "_notequal",  NULL};

    for (size_t i = 0; names[i]; i++)
        if (lt_slice_eq_str(name, names[i]))
            return true;
    return false;
}

/* Takes the definition out of the tree: what is behind it stands in its place. */
static const struct lt_scope *declare(struct lt_checker *c, struct lt_node **at,
                                      const struct lt_scope *scope) {
    struct lt_syntax_def *def = (struct lt_syntax_def *)(uintptr_t)(*at)->def;

    if (c->live && !c->why && is_operator_name(def->def.name)) {
        c->why = lt_arena_printf(c->arena, "`%.*s` is defined anew, which changes an operator",
                                 LT_FMT(def->def.name));
        if (!c->why)
            lt_check_nomem(c);
    }
    def->text = c->current->text;
    def->depth = c->current->depth + 1;
    def->def.prelude = c->current->def.prelude;
    def->scope = lt_check_add(c, scope, LT_SCOPE_DEF, def->def.name, 0, def);
    *at = (*at)->a;
    return def->scope;
}

/* `.["name"]` with a constant is `.name`. */
static bool check_index(struct lt_checker *c, struct lt_node *node) {
    if (node->kind != LT_NODE_INDEX || !is_literal(node->b) || node->b->text.data[0] != '"')
        return true;
    struct lt_json key = {LT_JSON_STRING, node->b->text};
    node->text = lt_json_string(key, c->arena);
    node->kind = LT_NODE_FIELD;
    node->b = NULL;
    return node->text.data || lt_check_nomem(c);
}

static bool check_children(struct lt_checker *c, struct lt_node *node,
                           const struct lt_scope *scope) {
    struct lt_node **below[] = {&node->a, &node->b, &node->c, &node->d};

    for (size_t i = 0; i < 4; i++)
        if (*below[i] && !check(c, below[i], scope))
            return false;
    for (size_t i = 0; i < node->n; i++)
        if (node->items[i] && !check(c, &node->items[i], scope))
            return false;
    return true;
}

static bool check(struct lt_checker *c, struct lt_node **at, const struct lt_scope *scope) {
    while ((*at)->kind == LT_SYNTAX_DEF) {
        scope = declare(c, at, scope);
        if (!scope)
            return false;
    }
    struct lt_node *node = *at;
    node->slot = 0;
    node->plan = NULL;
    if (node->kind == LT_NODE_COMMA)
        node->op = 0;
    switch (node->kind) {
    case LT_NODE_VAR:
        return check_variable(c, node, scope);
    case LT_NODE_BREAK:
        return check_break(c, node, scope);
    case LT_NODE_LABEL:
        return check_label(c, node, scope);
    case LT_NODE_AS:
    case LT_NODE_REDUCE:
    case LT_NODE_FOREACH:
        return check_binding(c, node, scope);
    case LT_NODE_RECURSE:
        return check_recurse(c, node, scope);
    case LT_NODE_FORMAT:
        return check_format(c, at, scope);
    case LT_NODE_STRING:
        return check_string(c, at, scope);
    case LT_NODE_CALL:
        return check_children(c, node, scope) && lt_check_call(c, node, scope);
    case LT_NODE_ARRAY:
    case LT_NODE_OBJECT:
    case LT_NODE_NEGATE:
        return check_children(c, node, scope) && gather(c, node);
    default:
        return check_children(c, node, scope) && check_index(c, node);
    }
}

/* --- definitions ------------------------------------------------------------------------ */

/* A `$x` can be called as `x` too; of two parameters of one name the last counts. */
static const struct lt_scope *declare_parameters(struct lt_checker *c, struct lt_syntax_def *def,
                                                 const struct lt_scope *scope) {
    for (unsigned i = 0; i < def->def.n_params; i++) {
        scope = lt_check_add(c, scope, LT_SCOPE_PARAM, def->params[i], i, NULL);
        if (scope && def->def.is_value[i]) {
            def->def.value_slot[i] = def->def.n_vars++;
            scope =
                lt_check_add(c, scope, LT_SCOPE_VAR, def->params[i], def->def.value_slot[i], NULL);
        }
        if (!scope)
            return NULL;
    }
    return scope;
}

bool lt_check_def(struct lt_checker *c, struct lt_syntax_def *def) {
    c->current = def;
    const struct lt_scope *scope = declare_parameters(c, def, def->scope);
    return c->status == LEAT_OK && check(c, &def->def.body, scope);
}

void lt_check_enqueue(struct lt_checker *c, struct lt_syntax_def *def) {
    if (def->queued)
        return;
    def->queued = true;
    def->def.id = c->n_defs++;
    if (c->last)
        c->last->next = def;
    else
        c->first = def;
    c->last = def;
    if (!c->next)
        c->next = def;
}

bool lt_check_queue(struct lt_checker *c) {
    while (c->next) {
        struct lt_syntax_def *def = c->next;
        if (!lt_check_def(c, def))
            return false;
        c->next = def->next;
    }
    return true;
}
