/* SPDX-License-Identifier: Apache-2.0 */
/* `if`, `reduce`, `foreach`, `try`, `label`. In jq 1.6 none of them is a term: no path step and no
 * `as` follows them without parentheses. */
#include "expr/parse.h"

static bool parse_into(struct lt_parser *p, struct lt_node **out, int level) {
    *out = lt_parse_expression(p, level);
    return *out != NULL;
}

/* `elif` is an `if` in the place of `else`, so a long chain of them is a tall tree, but no deep
 * recursion. */
static struct lt_node *parse_if(struct lt_parser *p) {
    static const char *const words[] = {"else", "elif", NULL};
    struct lt_node_list chain = {0};
    struct lt_node *last;

    do {
        last = lt_parser_node(p, LT_NODE_IF, p->token.offset);
        if (!lt_parser_add(p, &chain, last))
            return NULL;
        lt_parser_advance(p);
        if (!parse_into(p, &last->a, LT_LEVEL_PIPE) ||
            !lt_parser_expect(p, LT_TOKEN_THEN, "an operator or \"then\"") ||
            !parse_into(p, &last->b, LT_LEVEL_PIPE))
            return NULL;
    } while (p->token.kind == LT_TOKEN_ELIF);
    if (p->token.kind != LT_TOKEN_ELSE) {
        lt_parser_unexpected(p, "an operator, \"elif\" or \"else\" (in jq 1.6 each `if` has one)",
                             words);
        return NULL;
    }
    lt_parser_advance(p);
    if (!parse_into(p, &last->c, LT_LEVEL_PIPE) ||
        !lt_parser_expect(p, LT_TOKEN_ENDIF, "an operator or \"end\""))
        return NULL;
    for (size_t i = chain.n - 1; i > 0; i--) {
        if (!lt_parser_finish(p, chain.items[i]))
            return NULL;
        chain.items[i - 1]->c = chain.items[i];
    }
    return lt_parser_finish(p, chain.items[0]);
}

/* Both kinds: `KEYWORD TERM as PATTERNS (b; c)`, and `; d` for foreach. */
static struct lt_node *parse_fold(struct lt_parser *p) {
    bool foreach = p->token.kind == LT_TOKEN_FOREACH;
    struct lt_node *node =
        lt_parser_node(p, foreach ? LT_NODE_FOREACH : LT_NODE_REDUCE, p->token.offset);

    if (!node)
        return NULL;
    lt_parser_advance(p);
    node->a = lt_parse_term(p);
    if (!node->a || !lt_parser_expect(p, LT_TOKEN_AS, "a path step or \"as\"") ||
        !lt_parse_patterns(p, node))
        return NULL;
    size_t at = p->token.offset;
    if (!lt_parser_expect(p, '(', "'('") || !lt_parser_open(p, at, ')') ||
        !parse_into(p, &node->b, LT_LEVEL_PIPE) ||
        !lt_parser_expect(p, ';', "an operator or ';'") || !parse_into(p, &node->c, LT_LEVEL_PIPE))
        return NULL;
    if (foreach && p->token.kind == ';') {
        lt_parser_advance(p);
        if (!parse_into(p, &node->d, LT_LEVEL_PIPE))
            return NULL;
    }
    if (!lt_parser_close(p, foreach && !node->d ? "an operator, ';' or ')'" : "an operator or ')'"))
        return NULL;
    return lt_parser_finish(p, node);
}

static struct lt_node *parse_try(struct lt_parser *p) {
    struct lt_node *node = lt_parser_node(p, LT_NODE_TRY, p->token.offset);

    if (!node)
        return NULL;
    lt_parser_advance(p);
    if (!parse_into(p, &node->a, LT_LEVEL_TRY + 1))
        return NULL;
    if (p->token.kind == LT_TOKEN_CATCH) {
        lt_parser_advance(p);
        if (!parse_into(p, &node->b, LT_LEVEL_CATCH + 1))
            return NULL;
    }
    return lt_parser_finish(p, node);
}

static struct lt_node *parse_label(struct lt_parser *p) {
    struct lt_node *node = lt_parser_node(p, LT_NODE_LABEL, p->token.offset);

    if (!node)
        return NULL;
    lt_parser_advance(p);
    if (!lt_parser_expect(p, '$', "the '$' of a label"))
        return NULL;
    node->text = p->token.text;
    if (!lt_parser_expect(p, LT_TOKEN_NAME, "a name behind '$'") ||
        !lt_parser_expect(p, '|', "'|' behind the label") ||
        !parse_into(p, &node->a, LT_LEVEL_PIPE))
        return NULL;
    return lt_parser_finish(p, node);
}

struct lt_node *lt_parse_construct(struct lt_parser *p) {
    switch (p->token.kind) {
    case LT_TOKEN_IF:
        return parse_if(p);
    case LT_TOKEN_TRY:
        return parse_try(p);
    case LT_TOKEN_LABEL:
        return parse_label(p);
    default:
        return parse_fold(p);
    }
}
