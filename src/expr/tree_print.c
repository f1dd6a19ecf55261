/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text printed from its syntax. What is printed parses to the same syntax again: parentheses
 * stand where a node would be read otherwise, by the levels of the parser.
 */
#include "expr/parse.h"

#include "expr/lex.h"
#include "expr/program.h"

enum { LEVEL_CLOSED = LT_LEVEL_CATCH + 1, LEVEL_TERM };

static void print(struct lt_buf *out, const struct lt_node *node, int level);
static int level_of(const struct lt_node *node);

static void print_term(struct lt_buf *out, const struct lt_node *node) {
    print(out, node, LEVEL_TERM);
}

static bool is_name(struct lt_slice text, bool keywords_too) {
    struct lt_token token = lt_token_next(text, 0);

    return (token.kind == LT_TOKEN_NAME || (keywords_too && lt_token_is_keyword(token))) &&
           token.offset == 0 && token.end == text.len;
}

/* A literal string without its quotes. */
static struct lt_slice inside_quotes(const struct lt_node *literal) {
    return lt_slice(literal->text.data + 1, literal->text.len - 2);
}

static bool is_string(const struct lt_node *node) {
    return node->kind == LT_NODE_LITERAL && node->text.data[0] == '"';
}

/* --- paths ------------------------------------------------------------------------------ */

/* What a step stands behind. `..` and a number would swallow the point of a field. */
static void print_target(struct lt_buf *out, const struct lt_node *node, bool field) {
    bool swallows =
        node->kind == LT_NODE_RECURSE ||
        (node->kind == LT_NODE_LITERAL && node->text.data[0] >= '0' && node->text.data[0] <= '9');

    if (field && node->kind == LT_NODE_IDENTITY)
        return;
    if (field && swallows)
        lt_buf_append_byte(out, '(');
    print_term(out, node);
    if (field && swallows)
        lt_buf_append_byte(out, ')');
}

static void print_step(struct lt_buf *out, const struct lt_node *node) {
    print_target(out, node->a, node->kind == LT_NODE_FIELD);
    if (node->kind == LT_NODE_FIELD) {
        lt_buf_append_byte(out, '.');
        lt_buf_append(out, node->text);
    } else {
        lt_buf_append_byte(out, '[');
        if (node->b)
            print(out, node->b, LT_LEVEL_PIPE);
        if (node->kind == LT_NODE_SLICE)
            lt_buf_append_byte(out, ':');
        if (node->c)
            print(out, node->c, LT_LEVEL_PIPE);
        lt_buf_append_byte(out, ']');
    }
    if (node->optional)
        lt_buf_append_byte(out, '?');
}

/* --- terms ------------------------------------------------------------------------------ */

static void print_string(struct lt_buf *out, const struct lt_node *node) {
    if (!lt_slice_eq_str(node->text, "text"))
        lt_buf_printf(out, "@%.*s ", LT_FMT(node->text));
    lt_buf_append_byte(out, '"');
    for (size_t i = 0; i < node->n; i++) {
        if (i % 2 == 0) {
            lt_buf_append(out, inside_quotes(node->items[i]));
            continue;
        }
        lt_buf_append_str(out, "\\(");
        print(out, node->items[i], LT_LEVEL_PIPE);
        lt_buf_append_byte(out, ')');
    }
    lt_buf_append_byte(out, '"');
}

static void print_call(struct lt_buf *out, const struct lt_node *node) {
    lt_buf_append(out, node->text);
    for (size_t i = 0; i < node->n; i++) {
        lt_buf_append_str(out, i ? "; " : "(");
        print(out, node->items[i], LT_LEVEL_PIPE);
    }
    if (node->n)
        lt_buf_append_byte(out, ')');
}

static void print_key(struct lt_buf *out, const struct lt_node *key) {
    if (is_string(key) && is_name(inside_quotes(key), true)) {
        lt_buf_append(out, inside_quotes(key));
    } else if (is_string(key) || key->kind == LT_NODE_STRING) {
        print_term(out, key);
    } else {
        lt_buf_append_byte(out, '(');
        print(out, key, LT_LEVEL_PIPE);
        lt_buf_append_byte(out, ')');
    }
}

/* Whether `{name: value}` is what `{name}` says. */
static bool is_own_field(const struct lt_node *key, const struct lt_node *value) {
    return is_string(key) && is_name(inside_quotes(key), false) && value->kind == LT_NODE_FIELD &&
           !value->optional && value->a->kind == LT_NODE_IDENTITY &&
           lt_slice_eq(value->text, inside_quotes(key));
}

static void print_pair(struct lt_buf *out, const struct lt_node *key, const struct lt_node *value) {
    if (value && value->kind == LT_NODE_VAR && is_string(key) &&
        lt_slice_eq(value->text, inside_quotes(key))) {
        print_term(out, value);
        return;
    }
    print_key(out, key);
    if (!value || is_own_field(key, value))
        return;
    lt_buf_append_str(out, ": ");
    print_term(out, value);
}

static void print_object(struct lt_buf *out, const struct lt_node *node) {
    lt_buf_append_byte(out, '{');
    for (size_t i = 0; i < node->n; i += 2) {
        if (i)
            lt_buf_append_str(out, ", ");
        print_pair(out, node->items[i], node->items[i + 1]);
    }
    lt_buf_append_byte(out, '}');
}

/* `$__loc__` is the one literal that is no scalar. */
static void print_literal(struct lt_buf *out, const struct lt_node *node) {
    if (node->text.data[0] == '{')
        lt_buf_append_str(out, "$__loc__");
    else
        lt_buf_append(out, node->text);
}

/* --- what begins with a word ------------------------------------------------------------- */

static void print_pattern(struct lt_buf *out, const struct lt_pattern *pattern) {
    const struct lt_syntax_pattern *syntax = (const struct lt_syntax_pattern *)pattern;

    if (pattern->kind == LT_PATTERN_VAR) {
        lt_buf_printf(out, "$%.*s", LT_FMT(syntax->name));
        return;
    }
    lt_buf_append_byte(out, pattern->kind == LT_PATTERN_ARRAY ? '[' : '{');
    for (size_t i = 0; i < pattern->n; i++) {
        if (i)
            lt_buf_append_str(out, ", ");
        if (pattern->has_slot[i])
            lt_buf_printf(out, "$%.*s", LT_FMT(syntax->names[i]));
        else if (pattern->keys[i])
            print_key(out, pattern->keys[i]);
        if (pattern->kind == LT_PATTERN_OBJECT && pattern->items[i])
            lt_buf_append_str(out, ": ");
        if (pattern->items[i])
            print_pattern(out, pattern->items[i]);
    }
    lt_buf_append_byte(out, pattern->kind == LT_PATTERN_ARRAY ? ']' : '}');
}

static void print_as(struct lt_buf *out, const struct lt_node *node) {
    print_term(out, node->a);
    for (size_t i = 0; i < node->n_patterns; i++) {
        lt_buf_append_str(out, i ? " ?// " : " as ");
        print_pattern(out, node->patterns[i]);
    }
}

static void print_fold(struct lt_buf *out, const struct lt_node *node) {
    lt_buf_append_str(out, node->kind == LT_NODE_REDUCE ? "reduce " : "foreach ");
    print_as(out, node);
    lt_buf_append_str(out, " (");
    print(out, node->b, LT_LEVEL_PIPE);
    lt_buf_append_str(out, "; ");
    print(out, node->c, LT_LEVEL_PIPE);
    if (node->d) {
        lt_buf_append_str(out, "; ");
        print(out, node->d, LT_LEVEL_PIPE);
    }
    lt_buf_append_byte(out, ')');
}

static void print_if(struct lt_buf *out, const struct lt_node *node) {
    const char *word = "if ";

    for (; node->kind == LT_NODE_IF; node = node->c, word = " elif ") {
        lt_buf_append_str(out, word);
        print(out, node->a, LT_LEVEL_PIPE);
        lt_buf_append_str(out, " then ");
        print(out, node->b, LT_LEVEL_PIPE);
    }
    lt_buf_append_str(out, " else ");
    print(out, node, LT_LEVEL_PIPE);
    lt_buf_append_str(out, " end");
}

/* Whether a try can be a `?`: behind a step without its own it would be taken for that. */
static bool is_postfix(const struct lt_node *node) {
    for (; node->kind == LT_NODE_TRY && !node->b; node = node->a) {
        const struct lt_node *a = node->a;
        bool step = a->kind == LT_NODE_FIELD || a->kind == LT_NODE_INDEX ||
                    a->kind == LT_NODE_SLICE || a->kind == LT_NODE_EACH;
        if (step ? a->optional : a->kind != LT_NODE_TRY && level_of(a) == LEVEL_TERM)
            return true;
    }
    return false;
}

static void print_definition(struct lt_buf *out, const struct lt_node *node) {
    const struct lt_syntax_def *def = (const struct lt_syntax_def *)node->def;

    lt_buf_printf(out, "def %.*s", LT_FMT(def->def.name));
    for (unsigned i = 0; i < def->def.n_params; i++)
        lt_buf_printf(out, "%s%s%.*s", i ? "; " : "(", def->def.is_value[i] ? "$" : "",
                      LT_FMT(def->params[i]));
    lt_buf_append_str(out, def->def.n_params ? "): " : ": ");
    print(out, def->def.body, LT_LEVEL_PIPE);
    lt_buf_append_str(out, "; ");
    print(out, node->a, LT_LEVEL_PIPE);
}

static void print_try(struct lt_buf *out, const struct lt_node *node) {
    if (is_postfix(node)) {
        print(out, node->a, LT_LEVEL_OPTIONAL);
        lt_buf_append_byte(out, '?');
        return;
    }
    lt_buf_append_str(out, "try ");
    print_term(out, node->a);
    if (node->b) {
        lt_buf_append_str(out, " catch ");
        print_term(out, node->b);
    }
}

/* --- operators -------------------------------------------------------------------------- */

static void print_operator(struct lt_buf *out, const struct lt_node *node,
                           const struct lt_operator *op) {
    const char *sign = lt_token_sign(op->token);

    print(out, node->a, op->assoc == LT_ASSOC_LEFT ? op->level : op->level + 1);
    if (op->token == LT_TOKEN_AND || op->token == LT_TOKEN_OR)
        lt_buf_printf(out, " %s ", lt_token_keywords[op->token - LT_TOKEN_KEYWORD]);
    else if (sign)
        lt_buf_printf(out, " %s ", sign);
    else
        lt_buf_printf(out, " %c ", op->token);
    print(out, node->b, op->assoc == LT_ASSOC_RIGHT ? op->level : op->level + 1);
}

/* A list within a list that was written in parentheses keeps them. */
static void print_comma(struct lt_buf *out, const struct lt_node *node) {
    const struct lt_node *sides[] = {node->a, node->b};

    for (size_t i = 0; i < 2; i++) {
        if (i)
            lt_buf_append_str(out, ", ");
        if (sides[i]->kind == LT_NODE_COMMA && sides[i]->op)
            print_comma(out, sides[i]);
        else
            print(out, sides[i], LT_LEVEL_ALTERNATIVE);
    }
}

static int level_of(const struct lt_node *node) {
    const struct lt_operator *op = lt_parser_operator(node->kind, node->op);

    if (op)
        return op->level;
    switch ((int)node->kind) {
    case (int)LT_SYNTAX_DEF:
    case LT_NODE_AS:
    case LT_NODE_LABEL:
    case LT_NODE_PIPE:
        return LT_LEVEL_PIPE;
    case LT_NODE_COMMA:
        return LT_LEVEL_COMMA;
    case LT_NODE_NEGATE:
        return LT_LEVEL_ADD;
    case LT_NODE_TRY:
        return is_postfix(node) ? LT_LEVEL_OPTIONAL : LT_LEVEL_TRY;
    case LT_NODE_IF:
    case LT_NODE_REDUCE:
    case LT_NODE_FOREACH:
        return LEVEL_CLOSED;
    default:
        return LEVEL_TERM;
    }
}

static void print_word(struct lt_buf *out, const struct lt_node *node) {
    switch ((int)node->kind) {
    case (int)LT_SYNTAX_DEF:
        print_definition(out, node);
        break;
    case LT_NODE_AS:
        print_as(out, node);
        lt_buf_append_str(out, " | ");
        print(out, node->b, LT_LEVEL_PIPE);
        break;
    case LT_NODE_LABEL:
        lt_buf_printf(out, "label $%.*s | ", LT_FMT(node->text));
        print(out, node->a, LT_LEVEL_PIPE);
        break;
    case LT_NODE_IF:
        print_if(out, node);
        break;
    case LT_NODE_TRY:
        print_try(out, node);
        break;
    default:
        print_fold(out, node);
        break;
    }
}

static void print_bare_term(struct lt_buf *out, const struct lt_node *node) {
    switch (node->kind) {
    case LT_NODE_IDENTITY:
        lt_buf_append_byte(out, '.');
        break;
    case LT_NODE_RECURSE:
        lt_buf_append_str(out, "..");
        break;
    case LT_NODE_LITERAL:
        print_literal(out, node);
        break;
    case LT_NODE_STRING:
        print_string(out, node);
        break;
    case LT_NODE_FORMAT:
        lt_buf_printf(out, "@%.*s", LT_FMT(node->text));
        break;
    case LT_NODE_VAR:
        lt_buf_printf(out, "$%.*s", LT_FMT(node->text));
        break;
    case LT_NODE_BREAK:
        lt_buf_printf(out, "break $%.*s", LT_FMT(node->text));
        break;
    case LT_NODE_ARRAY:
        lt_buf_append_byte(out, '[');
        if (node->a)
            print(out, node->a, LT_LEVEL_PIPE);
        lt_buf_append_byte(out, ']');
        break;
    case LT_NODE_OBJECT:
        print_object(out, node);
        break;
    case LT_NODE_CALL:
        print_call(out, node);
        break;
    default:
        print_step(out, node);
        break;
    }
}

static void print_bare(struct lt_buf *out, const struct lt_node *node, int own) {
    const struct lt_operator *op = lt_parser_operator(node->kind, node->op);

    if (op) {
        print_operator(out, node, op);
    } else if (node->kind == LT_NODE_PIPE) {
        print(out, node->a, LT_LEVEL_COMMA);
        lt_buf_append_str(out, " | ");
        print(out, node->b, LT_LEVEL_PIPE);
    } else if (node->kind == LT_NODE_COMMA) {
        print_comma(out, node);
    } else if (node->kind == LT_NODE_NEGATE) {
        lt_buf_append_byte(out, '-');
        print(out, node->a, node->a->kind == LT_NODE_NEGATE ? LT_LEVEL_ADD : LT_LEVEL_ADD + 1);
    } else if (own == LEVEL_TERM) {
        print_bare_term(out, node);
    } else {
        print_word(out, node);
    }
}

/* In a place that takes what binds as `level` or tighter. */
static void print(struct lt_buf *out, const struct lt_node *node, int level) {
    int own = level_of(node);

    if (own < level)
        lt_buf_append_byte(out, '(');
    print_bare(out, node, own);
    if (own < level)
        lt_buf_append_byte(out, ')');
}

enum { MAX_PRINT_ARENA = 64 << 20 };

leat_status lt_tree_print(const struct lt_expr_text *text, struct lt_buf *out,
                          struct leat_error *err) {
    struct lt_arena arena;
    struct lt_parser p = {.status = LEAT_OK};
    leat_status status = lt_tree_check_size(text, err);

    lt_arena_init(&arena, MAX_PRINT_ARENA);
    if (status == LEAT_OK) {
        const struct lt_node *root = lt_parse_program(&p, text->text, &arena, err);
        status = p.status;
        if (root)
            print(out, root, LT_LEVEL_PIPE);
    }
    lt_arena_deinit(&arena);
    if (status == LEAT_E_CONFIG)
        lt_expr_locate(text, p.at, err);
    return status == LEAT_OK ? lt_buf_status(out, err) : status;
}
