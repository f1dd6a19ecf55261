/* SPDX-License-Identifier: Apache-2.0 */
/* Terms: what stands alone, and the path steps behind it. */
#include "expr/parse.h"

#include "json/json.h"

#include <stdlib.h>

/* `.name`, `."name"`, `[…]` take a `?` of their own, which binds to that step. */
static struct lt_node *finish_step(struct lt_parser *p, struct lt_node *node) {
    if (p->token.kind == '?') {
        node->optional = true;
        lt_parser_advance(p);
    }
    return lt_parser_finish(p, node);
}

static struct lt_node *make_step(struct lt_parser *p, enum lt_node_kind kind,
                                 struct lt_node *target) {
    struct lt_node *node = target ? lt_parser_node(p, kind, target->offset) : NULL;

    if (node)
        node->a = target;
    return node;
}

static struct lt_node *make_identity(struct lt_parser *p, size_t offset) {
    struct lt_node *node = lt_parser_node(p, LT_NODE_IDENTITY, offset);
    return node ? lt_parser_finish(p, node) : NULL;
}

static struct lt_node *parse_field(struct lt_parser *p, struct lt_node *target) {
    struct lt_node *node = make_step(p, LT_NODE_FIELD, target);

    if (!node)
        return NULL;
    node->text = p->token.text;
    lt_parser_advance(p);
    return finish_step(p, node);
}

static bool is_string_start(const struct lt_parser *p) {
    return p->token.kind == LT_TOKEN_QUOTE || p->token.kind == LT_TOKEN_FORMAT;
}

/* `."name"` behind its point. */
static struct lt_node *parse_string_step(struct lt_parser *p, struct lt_node *target) {
    struct lt_node *node = make_step(p, LT_NODE_INDEX, target);

    if (!node)
        return NULL;
    node->b = lt_parse_string(p);
    return node->b ? finish_step(p, node) : NULL;
}

/* Behind "[": `]`, `b]`, `b:]`, `b:c]`, `:c]`. */
static struct lt_node *parse_bracket_step(struct lt_parser *p, struct lt_node *target) {
    struct lt_node *node = make_step(p, LT_NODE_EACH, target);

    if (!node || !lt_parser_open(p, p->token.offset, ']'))
        return NULL;
    lt_parser_advance(p);
    if (p->token.kind != ']') {
        node->kind = LT_NODE_INDEX;
        if (p->token.kind != ':') {
            node->b = lt_parse_expression(p, LT_LEVEL_PIPE);
            if (!node->b)
                return NULL;
        }
        if (p->token.kind == ':') {
            node->kind = LT_NODE_SLICE;
            lt_parser_advance(p);
            if (p->token.kind != ']' || !node->b) {
                node->c = lt_parse_expression(p, LT_LEVEL_PIPE);
                if (!node->c)
                    return NULL;
            }
        }
    }
    if (!lt_parser_close(p, node->kind == LT_NODE_INDEX ? "']' or ':'" : "']'"))
        return NULL;
    return finish_step(p, node);
}

static struct lt_node *parse_steps(struct lt_parser *p, struct lt_node *term) {
    while (term) {
        if (p->token.kind == LT_TOKEN_FIELD) {
            term = parse_field(p, term);
        } else if (p->token.kind == '[') {
            term = parse_bracket_step(p, term);
        } else if (p->token.kind == '.') {
            lt_parser_advance(p);
            if (!is_string_start(p)) {
                lt_parser_unexpected(p,
                                     "a name or a string behind '.'; `.a[0]` has no point before "
                                     "its bracket",
                                     NULL);
                return NULL;
            }
            term = parse_string_step(p, term);
        } else {
            break;
        }
    }
    return term;
}

/* --- strings ---------------------------------------------------------------------------- */

struct string {
    size_t start;
    struct lt_buf piece;
    struct lt_node_list items;
};

static bool add_piece(struct lt_parser *p, struct string *s) {
    struct lt_slice bytes = {"", 0};

    if (s->piece.failed)
        return false;
    if (s->piece.len)
        bytes = lt_arena_dup(p->arena, lt_buf_slice(&s->piece));
    lt_buf_clear(&s->piece);
    return bytes.data && lt_parser_add(p, &s->items, lt_parser_string(p, s->start, bytes));
}

/* `at` is behind "\(". The text goes on behind its ")". */
static bool add_insert(struct lt_parser *p, struct string *s, size_t *at) {
    if (!lt_parser_open(p, *at - 2, ')'))
        return false;
    p->token = lt_token_next(p->text, *at);
    if (!lt_parser_add(p, &s->items, lt_parse_expression(p, LT_LEVEL_PIPE)))
        return false;
    if (p->token.kind != ')') {
        lt_parser_unexpected(p, "an operator or ')'", NULL);
        return false;
    }
    p->open = p->open->outer;
    *at = p->token.end;
    return true;
}

static bool read_string(struct lt_parser *p, struct string *s, size_t at) {
    for (;;) {
        const char *why;
        switch (lt_token_string(p->text, &at, &s->piece, &why)) {
        case LT_TOKEN_STRING_END:
            p->last_end = at;
            p->token = lt_token_next(p->text, at);
            return add_piece(p, s);
        case LT_TOKEN_STRING_INSERT:
            if (!add_piece(p, s) || !add_insert(p, s, &at))
                return false;
            break;
        case LT_TOKEN_STRING_OPEN:
            lt_parser_fail(p, s->start, "the string that begins here does not end");
            return false;
        case LT_TOKEN_STRING_BAD:
            lt_parser_fail(p, at, "in a string: %s", why);
            return false;
        }
    }
}

static bool find_format(struct lt_slice name, uint8_t *format) {
    static const char *const names[] = {"text", "json", "csv",    "tsv",    "html",
                                        "uri",  "sh",   "base64", "base64d"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (lt_slice_eq_str(name, names[i])) {
            *format = (uint8_t)i;
            return true;
        }
    return false;
}

/* At its quote; `format` is NULL without one. */
static struct lt_node *parse_quoted(struct lt_parser *p, const struct lt_token *format) {
    struct string s = {.start = p->token.offset};
    struct lt_node *node = NULL;

    lt_buf_init(&s.piece, p->text.len + 16);
    bool good = read_string(p, &s, p->token.end);
    lt_buf_deinit(&s.piece);
    if (!good)
        return p->status == LEAT_OK ? lt_parser_nomem(p) : NULL;
    if (s.items.n == 1) {
        node = s.items.items[0];
        node->end = (uint32_t)p->last_end;
        return node;
    }
    node = lt_parser_node(p, LT_NODE_STRING, format ? format->offset : s.start);
    if (!node)
        return NULL;
    node->items = s.items.items;
    node->n = s.items.n;
    node->text = format ? format->text : LT_LIT("text");
    find_format(node->text, &node->format);
    return lt_parser_finish(p, node);
}

struct lt_node *lt_parse_string(struct lt_parser *p) {
    struct lt_token format = p->token;

    if (format.kind != LT_TOKEN_FORMAT)
        return parse_quoted(p, NULL);
    lt_parser_advance(p);
    if (p->token.kind == LT_TOKEN_QUOTE)
        return parse_quoted(p, &format);
    lt_parser_unexpected(p, "a string", NULL);
    return NULL;
}

static struct lt_node *parse_format(struct lt_parser *p) {
    struct lt_token format = p->token;

    lt_parser_advance(p);
    if (p->token.kind == LT_TOKEN_QUOTE)
        return parse_quoted(p, &format);
    struct lt_node *node = lt_parser_node(p, LT_NODE_FORMAT, format.offset);
    if (!node)
        return NULL;
    node->text = format.text;
    find_format(node->text, &node->format);
    return lt_parser_finish(p, node);
}

/* --- the others ------------------------------------------------------------------------- */

static struct lt_node *parse_number(struct lt_parser *p) {
    struct lt_token token = p->token;
    struct lt_buf json;
    struct lt_slice text = {0};

    lt_buf_init(&json, token.text.len + 4);
    if (!lt_token_number(token.text, &json))
        lt_parser_fail(p, token.offset, "\"%.*s\" is no number", LT_FMT(token.text));
    else if (!json.failed)
        text = lt_arena_dup(p->arena, lt_buf_slice(&json));
    lt_buf_deinit(&json);
    if (!text.data)
        return p->status == LEAT_OK ? lt_parser_nomem(p) : NULL;
    lt_parser_advance(p);
    return lt_parser_literal(p, token.offset, text, LT_CONSTANT_NUMBER, strtod(text.data, NULL));
}

/* Behind the name. Closures have `;` between them. */
static bool parse_arguments(struct lt_parser *p, struct lt_node *call) {
    struct lt_node_list list = {0};

    if (p->token.kind != '(')
        return true;
    if (!lt_parser_open(p, p->token.offset, ')'))
        return false;
    do {
        lt_parser_advance(p);
        if (!lt_parser_add(p, &list, lt_parse_expression(p, LT_LEVEL_PIPE)))
            return false;
    } while (p->token.kind == ';');
    call->items = list.items;
    call->n = list.n;
    return lt_parser_close(p, "an operator, ';' or ')'");
}

static struct lt_node *parse_name(struct lt_parser *p) {
    struct lt_token name = p->token;
    struct lt_node *node = lt_parser_node(p, LT_NODE_CALL, name.offset);

    lt_parser_advance(p);
    node = node && parse_arguments(p, node) ? node : NULL;
    if (!node)
        return NULL;
    if (!node->n && lt_slice_eq_str(name.text, "null"))
        return lt_parser_literal(p, name.offset, name.text, LT_CONSTANT_NULL, 0);
    if (!node->n && (lt_slice_eq_str(name.text, "true") || lt_slice_eq_str(name.text, "false")))
        return lt_parser_literal(p, name.offset, name.text, LT_CONSTANT_BOOLEAN, 0);
    node->text = name.text;
    return lt_parser_finish(p, node);
}

/* `$__loc__`: an object. The line is that in the text. */
static struct lt_node *parse_location(struct lt_parser *p, size_t offset) {
    unsigned line = 1;

    for (size_t i = 0; i < p->token.offset; i++)
        line += p->text.data[i] == '\n';
    char *json = lt_arena_printf(p->arena, "{\"file\":\"<top-level>\",\"line\":%u}", line);
    lt_parser_advance(p);
    return json ? lt_parser_literal(p, offset, lt_slice_str(json), LT_CONSTANT_OBJECT, 0)
                : lt_parser_nomem(p);
}

/* `$name`; `break $name` with the kind BREAK. */
static struct lt_node *parse_variable(struct lt_parser *p, enum lt_node_kind kind) {
    struct lt_node *node = lt_parser_node(p, kind, p->token.offset);

    if (!node)
        return NULL;
    if (kind == LT_NODE_BREAK)
        lt_parser_advance(p);
    if (!lt_parser_expect(p, '$', "the '$' of a label"))
        return NULL;
    if (kind == LT_NODE_VAR && p->token.kind == LT_TOKEN_LOC)
        return parse_location(p, node->offset);
    node->text = p->token.text;
    return lt_parser_expect(p, LT_TOKEN_NAME, "a name behind '$'") ? lt_parser_finish(p, node)
                                                                   : NULL;
}

static struct lt_node *parse_parentheses(struct lt_parser *p) {
    if (!lt_parser_open(p, p->token.offset, ')'))
        return NULL;
    lt_parser_advance(p);
    struct lt_node *node = lt_parse_expression(p, LT_LEVEL_PIPE);
    return node && lt_parser_close(p, "an operator or ')'") ? node : NULL;
}

static struct lt_node *parse_array(struct lt_parser *p) {
    static struct lt_syntax_constant constant = {LT_CONSTANT_ARRAY, 0};
    struct lt_node *node = lt_parser_node(p, LT_NODE_ARRAY, p->token.offset);

    if (!node || !lt_parser_open(p, node->offset, ']'))
        return NULL;
    lt_parser_advance(p);
    if (p->token.kind != ']') {
        node->a = lt_parse_expression(p, LT_LEVEL_PIPE);
        if (!node->a)
            return NULL;
    }
    if (!lt_parser_close(p, "an operator or ']'"))
        return NULL;
    if (!node->a || lt_syntax_constant(node->a))
        node->plan = &constant;
    return lt_parser_finish(p, node);
}

/* `.`, `..`, and `."name"`. */
static struct lt_node *parse_point(struct lt_parser *p) {
    size_t offset = p->token.offset;
    bool all = p->token.kind == LT_TOKEN_RECURSE;

    lt_parser_advance(p);
    if (all) {
        struct lt_node *node = lt_parser_node(p, LT_NODE_RECURSE, offset);
        return node ? lt_parser_finish(p, node) : NULL;
    }
    struct lt_node *node = make_identity(p, offset);
    return is_string_start(p) ? parse_string_step(p, node) : node;
}

static struct lt_node *parse_start(struct lt_parser *p) {
    switch (p->token.kind) {
    case '.':
    case LT_TOKEN_RECURSE:
        return parse_point(p);
    case LT_TOKEN_FIELD:
        return parse_field(p, make_identity(p, p->token.offset));
    case LT_TOKEN_NUMBER:
        return parse_number(p);
    case LT_TOKEN_QUOTE:
        return parse_quoted(p, NULL);
    case LT_TOKEN_FORMAT:
        return parse_format(p);
    case LT_TOKEN_NAME:
        return parse_name(p);
    case '$':
        return parse_variable(p, LT_NODE_VAR);
    case LT_TOKEN_BREAK:
        return parse_variable(p, LT_NODE_BREAK);
    case '(':
        return parse_parentheses(p);
    case '[':
        return parse_array(p);
    case '{':
        return lt_parse_object(p);
    case LT_TOKEN_IMPORT:
    case LT_TOKEN_INCLUDE:
    case LT_TOKEN_MODULE:
        lt_parser_fail(p, p->token.offset,
                       "syntax error, unexpected %.*s; modules are not available: put definitions "
                       "under `with:` or before the expression",
                       LT_FMT(p->token.text));
        return NULL;
    default:
        lt_parser_unexpected(p, "an expression", NULL);
        return NULL;
    }
}

struct lt_node *lt_parse_term(struct lt_parser *p) {
    return parse_steps(p, parse_start(p));
}
