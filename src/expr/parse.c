/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions: operators by precedence, as the tables of jq 1.6's own grammar decide. What begins
 * with a word (`def`, `try`, `. as $x |`, …) may stand wherever an operand may; how far it reaches
 * to the right is a matter of its own precedence, not of what stands before it.
 */
#include "expr/parse.h"

#include <math.h>

#define LEFT LT_ASSOC_LEFT
#define RIGHT LT_ASSOC_RIGHT
#define NONE LT_ASSOC_NONE

static const struct lt_operator operators[] = {
    {LT_TOKEN_ALTERNATIVE, LT_LEVEL_ALTERNATIVE, RIGHT, LT_NODE_ALTERNATIVE, 0},
    {'=', LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_SET},
    {LT_TOKEN_UPDATE, LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_UPDATE},
    {LT_TOKEN_ADD_UPDATE, LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_ADD},
    {LT_TOKEN_SUB_UPDATE, LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_SUB},
    {LT_TOKEN_MUL_UPDATE, LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_MUL},
    {LT_TOKEN_DIV_UPDATE, LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_DIV},
    {LT_TOKEN_MOD_UPDATE, LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_MOD},
    {LT_TOKEN_ALTERNATIVE_UPDATE, LT_LEVEL_ASSIGN, NONE, LT_NODE_ASSIGN, LT_OP_ALTERNATIVE},
    {LT_TOKEN_OR, LT_LEVEL_OR, LEFT, LT_NODE_OR, 0},
    {LT_TOKEN_AND, LT_LEVEL_AND, LEFT, LT_NODE_AND, 0},
    {LT_TOKEN_EQ, LT_LEVEL_COMPARE, NONE, LT_NODE_BINARY, LT_OP_EQ},
    {LT_TOKEN_NE, LT_LEVEL_COMPARE, NONE, LT_NODE_BINARY, LT_OP_NE},
    {'<', LT_LEVEL_COMPARE, NONE, LT_NODE_BINARY, LT_OP_LT},
    {LT_TOKEN_LE, LT_LEVEL_COMPARE, NONE, LT_NODE_BINARY, LT_OP_LE},
    {'>', LT_LEVEL_COMPARE, NONE, LT_NODE_BINARY, LT_OP_GT},
    {LT_TOKEN_GE, LT_LEVEL_COMPARE, NONE, LT_NODE_BINARY, LT_OP_GE},
    {'+', LT_LEVEL_ADD, LEFT, LT_NODE_BINARY, LT_OP_ADD},
    {'-', LT_LEVEL_ADD, LEFT, LT_NODE_BINARY, LT_OP_SUB},
    {'*', LT_LEVEL_MULTIPLY, LEFT, LT_NODE_BINARY, LT_OP_MUL},
    {'/', LT_LEVEL_MULTIPLY, LEFT, LT_NODE_BINARY, LT_OP_DIV},
    {'%', LT_LEVEL_MULTIPLY, LEFT, LT_NODE_BINARY, LT_OP_MOD},
};

static const struct lt_operator *find_operator(int token) {
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (operators[i].token == token)
            return &operators[i];
    return NULL;
}

const struct lt_operator *lt_parser_operator(enum lt_node_kind kind, unsigned op) {
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (operators[i].kind == kind && (unsigned)operators[i].op == op)
            return &operators[i];
    return NULL;
}

static struct lt_node *parse_definition(struct lt_parser *p) {
    struct lt_node *node = lt_parser_node(p, LT_SYNTAX_DEF, p->token.offset);
    struct lt_syntax_def *def = node ? lt_parse_def(p) : NULL;

    if (!def)
        return NULL;
    node->def = &def->def;
    node->a = lt_parse_expression(p, LT_LEVEL_PIPE);
    if (!node->a)
        return NULL;
    node->plan = node->a->plan; /* jq drops a definition that nobody calls */
    return lt_parser_finish(p, node);
}

static struct lt_node *parse_negation(struct lt_parser *p) {
    struct lt_node *node = lt_parser_node(p, LT_NODE_NEGATE, p->token.offset);

    if (!node)
        return NULL;
    lt_parser_advance(p);
    node->a = lt_parse_expression(p, LT_LEVEL_ADD + 1);
    return node->a ? lt_parser_finish(p, node) : NULL;
}

/* A term, or with `as` behind it all that its variables reach. */
static struct lt_node *parse_operand(struct lt_parser *p) {
    struct lt_node *term = lt_parse_term(p);

    if (!term || p->token.kind != LT_TOKEN_AS)
        return term;
    struct lt_node *node = lt_parser_node(p, LT_NODE_AS, term->offset);
    if (!node)
        return NULL;
    lt_parser_advance(p);
    node->a = term;
    if (!lt_parse_patterns(p, node) || !lt_parser_expect(p, '|', "'|' behind what `as` binds"))
        return NULL;
    node->b = lt_parse_expression(p, LT_LEVEL_PIPE);
    return node->b ? lt_parser_finish(p, node) : NULL;
}

static struct lt_node *parse_prefix(struct lt_parser *p) {
    switch (p->token.kind) {
    case LT_TOKEN_DEF:
        return parse_definition(p);
    case '-':
        return parse_negation(p);
    case LT_TOKEN_IF:
    case LT_TOKEN_REDUCE:
    case LT_TOKEN_FOREACH:
    case LT_TOKEN_TRY:
    case LT_TOKEN_LABEL:
        return lt_parse_construct(p);
    default:
        return parse_operand(p);
    }
}

/* `a?` behind more than a path: a try. */
static struct lt_node *parse_optional(struct lt_parser *p, struct lt_node *left) {
    struct lt_node *node = lt_parser_node(p, LT_NODE_TRY, left->offset);

    if (!node)
        return NULL;
    lt_parser_advance(p);
    node->a = left;
    return lt_parser_finish(p, node);
}

/* The operands of a chain of `|` or `,`, of which `left` is the first. */
static bool parse_chain(struct lt_parser *p, struct lt_node *left, int sign, int level,
                        struct lt_node_list *list) {
    if (!lt_parser_add(p, list, left))
        return false;
    while (p->token.kind == sign) {
        lt_parser_advance(p);
        if (!lt_parser_add(p, list, lt_parse_expression(p, level)))
            return false;
    }
    return true;
}

struct lt_node *lt_parser_pipe(struct lt_parser *p, const struct lt_node_list *list) {
    struct lt_node *right = list->items[list->n - 1];

    for (size_t i = list->n - 1; i-- > 0;) {
        struct lt_node *node = lt_parser_node(p, LT_NODE_PIPE, list->items[i]->offset);
        if (!node)
            return NULL;
        node->a = list->items[i];
        node->b = right;
        lt_parser_fold(p, node);
        right = lt_parser_finish(p, node);
        if (!right)
            return NULL;
    }
    return right;
}

static struct lt_node *parse_pipe(struct lt_parser *p, struct lt_node *left) {
    struct lt_node_list list = {0};

    return parse_chain(p, left, '|', LT_LEVEL_COMMA, &list) ? lt_parser_pipe(p, &list) : NULL;
}

/* Halves of halves, so that a list of thousands is not a tree of that height. */
static struct lt_node *join_commas(struct lt_parser *p, struct lt_node **items, size_t n,
                                   uint8_t inner) {
    if (n == 1)
        return items[0];
    struct lt_node *node = lt_parser_node(p, LT_NODE_COMMA, items[0]->offset);
    if (!node)
        return NULL;
    node->op = inner;
    node->a = join_commas(p, items, n / 2, true);
    node->b = join_commas(p, items + n / 2, n - n / 2, true);
    if (!node->a || !node->b || !lt_parser_finish(p, node))
        return NULL;
    node->end = items[n - 1]->end;
    return node;
}

static struct lt_node *parse_commas(struct lt_parser *p, struct lt_node *left) {
    static struct lt_syntax_constant list_of_constants = {LT_CONSTANT_LIST, 0};
    struct lt_node_list list = {0};

    if (!parse_chain(p, left, ',', LT_LEVEL_ALTERNATIVE, &list))
        return NULL;
    struct lt_node *node = join_commas(p, list.items, list.n, false);
    bool constant = lt_syntax_constant(left) != NULL;
    for (size_t i = 1; i < list.n; i++) {
        const struct lt_syntax_constant *c = lt_syntax_constant(list.items[i]);
        constant = constant && c && c->kind != LT_CONSTANT_LIST;
    }
    if (node && constant)
        node->plan = &list_of_constants;
    return node;
}

static struct lt_node *parse_binary(struct lt_parser *p, struct lt_node *left,
                                    const struct lt_operator *op) {
    struct lt_node *node = lt_parser_node(p, op->kind, left->offset);

    if (!node)
        return NULL;
    node->op = (uint8_t)op->op;
    node->a = left;
    lt_parser_advance(p);
    node->b = lt_parse_expression(p, op->assoc == RIGHT ? op->level : op->level + 1);
    if (!node->b)
        return NULL;
    lt_parser_fold(p, node);
    const struct lt_syntax_constant *c = lt_syntax_constant(node);
    if (op->token == '/' && c && c->kind == LT_CONSTANT_NUMBER && isinf(c->number)) {
        lt_parser_fail(p, node->offset, "Division by zero?");
        return NULL;
    }
    if (op->assoc == NONE) {
        const struct lt_operator *next = find_operator(p->token.kind);
        if (next && next->level == op->level) {
            lt_parser_unexpected(p,
                                 op->level == LT_LEVEL_COMPARE
                                     ? "parentheses around one of two comparisons"
                                     : "parentheses around one of two assignments",
                                 NULL);
            return NULL;
        }
    }
    return lt_parser_finish(p, node);
}

struct lt_node *lt_parse_expression(struct lt_parser *p, int level) {
    if (!lt_parser_enter(p))
        return NULL;
    struct lt_node *left = parse_prefix(p);
    while (left) {
        const struct lt_operator *op = find_operator(p->token.kind);
        if (p->token.kind == '?' && level <= LT_LEVEL_OPTIONAL)
            left = parse_optional(p, left);
        else if (p->token.kind == '|' && level <= LT_LEVEL_PIPE)
            left = parse_pipe(p, left);
        else if (p->token.kind == ',' && level <= LT_LEVEL_COMMA)
            left = parse_commas(p, left);
        else if (op && level <= op->level)
            left = parse_binary(p, left, op);
        else
            break;
    }
    p->depth--;
    return left;
}

/* --- whole texts ------------------------------------------------------------------------ */

static void begin(struct lt_parser *p, struct lt_slice text, struct lt_arena *arena,
                  struct leat_error *err) {
    *p = (struct lt_parser){.text = text, .arena = arena, .err = err, .status = LEAT_OK};
    p->token = lt_token_next(text, 0);
}

static struct lt_node *end(struct lt_parser *p, struct lt_node *root) {
    if (root && p->token.kind != LT_TOKEN_END) {
        static const char *const words[] = {"and", "or", "as", NULL};
        lt_parser_unexpected(p, "an operator or the end", words);
        return NULL;
    }
    return p->status == LEAT_OK ? root : NULL;
}

/* Definitions at the head of a program may be all of it. */
static struct lt_node *parse_top(struct lt_parser *p) {
    if (p->token.kind == LT_TOKEN_END) {
        p->bare = true;
        struct lt_node *node = lt_parser_node(p, LT_NODE_IDENTITY, p->token.offset);
        return node ? lt_parser_finish(p, node) : NULL;
    }
    if (p->token.kind != LT_TOKEN_DEF)
        return lt_parse_expression(p, LT_LEVEL_PIPE);
    struct lt_node *node = lt_parser_node(p, LT_SYNTAX_DEF, p->token.offset);
    struct lt_syntax_def *def = node && lt_parser_enter(p) ? lt_parse_def(p) : NULL;
    if (!def)
        return NULL;
    node->def = &def->def;
    node->a = parse_top(p);
    p->depth--;
    return node->a ? lt_parser_finish(p, node) : NULL;
}

struct lt_node *lt_parse_program(struct lt_parser *p, struct lt_slice text, struct lt_arena *arena,
                                 struct leat_error *err) {
    begin(p, text, arena, err);
    return end(p, parse_top(p));
}

struct lt_node *lt_parse_body(struct lt_parser *p, struct lt_slice text, struct lt_arena *arena,
                              struct leat_error *err) {
    begin(p, text, arena, err);
    return end(p, lt_parse_expression(p, LT_LEVEL_PIPE));
}
