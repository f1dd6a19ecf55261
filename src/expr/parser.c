/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the parser share: tokens taken one by one, nodes made, faults told. The first
 * fault counts; after it every function of the parser gives NULL.
 */
#include "expr/parse.h"

#include "base/units.h"
#include "json/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_SHOWN = 40 };

void lt_parser_advance(struct lt_parser *p) {
    p->last_end = p->token.end;
    p->token = lt_token_next(p->text, p->token.end);
}

void lt_parser_fail(struct lt_parser *p, size_t at, const char *fmt, ...) {
    char text[LEAT_ERROR_TEXT_BYTES];
    va_list args;

    if (p->status != LEAT_OK)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    for (char *s = text; *s; s++)
        if ((unsigned char)*s < 0x20)
            *s = ' ';
    p->at = at;
    p->status = lt_fail(p->err, LEAT_E_CONFIG, 0, "%s", text);
}

void *lt_parser_nomem(struct lt_parser *p) {
    if (p->status == LEAT_OK)
        p->status = lt_fail(p->err, LEAT_E_NOMEM, 0, "no memory for an expression");
    return NULL;
}

void *lt_parser_alloc(struct lt_parser *p, size_t n, size_t size) {
    void *memory = lt_arena_calloc(p->arena, n ? n : 1, size);

    return memory ? memory : lt_parser_nomem(p);
}

bool lt_parser_enter(struct lt_parser *p) {
    if (p->depth == LT_SYNTAX_MAX_DEPTH) {
        lt_parser_fail(p, p->token.offset, "more than %d expressions inside each other",
                       LT_SYNTAX_MAX_DEPTH);
        return false;
    }
    p->depth++;
    return true;
}

/* At most MAX_SHOWN bytes, whole characters. */
static struct lt_slice shorten(struct lt_slice text) {
    if (text.len <= MAX_SHOWN)
        return text;
    text.len = MAX_SHOWN;
    while (text.len && ((unsigned char)text.data[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

static const char *describe(struct lt_token token, char out[MAX_SHOWN + 40]) {
    struct lt_slice shown = token.text;
    unsigned char c = shown.len ? (unsigned char)shown.data[0] : 0;

    if (token.kind == LT_TOKEN_FIELD)
        shown = lt_slice(token.text.data - 1, token.text.len + 1);
    if (token.kind == LT_TOKEN_BAD && c == '\r')
        snprintf(out, MAX_SHOWN + 40, "carriage return (no white space in jq 1.6)");
    else if (token.kind == LT_TOKEN_BAD && (c < 0x20 || c >= 0x7f))
        snprintf(out, MAX_SHOWN + 40, "byte 0x%02x", c);
    else if (token.kind == LT_TOKEN_QUOTE)
        snprintf(out, MAX_SHOWN + 40, "string");
    else if (shown.len > MAX_SHOWN)
        snprintf(out, MAX_SHOWN + 40, "'%.*s...'", LT_FMT(shorten(shown)));
    else
        snprintf(out, MAX_SHOWN + 40, "'%.*s'", LT_FMT(shown));
    return out;
}

/* Brackets first: what is amiss with one explains what comes after it. True when it was that. */
static bool blame_bracket(struct lt_parser *p) {
    int kind = p->token.kind;
    bool closes = kind == ')' || kind == ']' || kind == '}';

    if (kind == LT_TOKEN_END && p->open)
        lt_parser_fail(p, p->open->offset, "'%c' is missing for this bracket", p->open->closer);
    else if (closes && !p->open)
        lt_parser_fail(p, p->token.offset, "'%c' closes nothing", kind);
    else if (closes && p->open->closer != kind)
        lt_parser_fail(p, p->token.offset, "'%c' where '%c' should stand", kind, p->open->closer);
    else
        return false;
    return true;
}

void lt_parser_unexpected(struct lt_parser *p, const char *expected, const char *const *keywords) {
    char found[MAX_SHOWN + 40];
    const char *nearest = NULL;

    if (blame_bracket(p))
        return;
    if (p->token.kind == LT_TOKEN_END) {
        lt_parser_fail(p, p->token.offset,
                       "syntax error: the expression ends too early; expected %s", expected);
        return;
    }
    if (p->token.kind == LT_TOKEN_NAME && keywords)
        nearest = lt_nearest(p->token.text, keywords);
    lt_parser_fail(p, p->token.offset, "syntax error, unexpected %s; expected %s%s%s%s",
                   describe(p->token, found), expected, nearest ? "; did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?" : "");
}

bool lt_parser_expect(struct lt_parser *p, int kind, const char *expected) {
    const char *words[2] = {NULL, NULL};

    if (p->status != LEAT_OK)
        return false;
    if (p->token.kind != kind) {
        if (kind >= LT_TOKEN_KEYWORD)
            words[0] = lt_token_keywords[kind - LT_TOKEN_KEYWORD];
        lt_parser_unexpected(p, expected, words);
        return false;
    }
    lt_parser_advance(p);
    return true;
}

bool lt_parser_open(struct lt_parser *p, size_t at, char closer) {
    struct lt_parser_bracket *bracket = lt_parser_alloc(p, 1, sizeof(*bracket));

    if (!bracket)
        return false;
    *bracket = (struct lt_parser_bracket){p->open, at, closer};
    p->open = bracket;
    return true;
}

bool lt_parser_close(struct lt_parser *p, const char *expected) {
    if (p->status != LEAT_OK || !lt_parser_expect(p, p->open->closer, expected))
        return false;
    p->open = p->open->outer;
    return true;
}

/* --- nodes ------------------------------------------------------------------------------ */

struct lt_node *lt_parser_node(struct lt_parser *p, enum lt_node_kind kind, size_t offset) {
    struct lt_node *node = lt_parser_alloc(p, 1, sizeof(*node));

    if (node) {
        node->kind = kind;
        node->offset = (uint32_t)offset;
    }
    return node;
}

static unsigned height_of(const struct lt_node *node) {
    return node ? node->slot : 0;
}

static unsigned tallest_pattern(const struct lt_pattern *pattern) {
    unsigned height = 0;

    for (size_t i = 0; pattern && pattern->kind != LT_PATTERN_VAR && i < pattern->n; i++) {
        unsigned item = tallest_pattern(pattern->items[i]);
        unsigned key = pattern->kind == LT_PATTERN_OBJECT ? height_of(pattern->keys[i]) : 0;
        height = item > height ? item : height;
        height = key > height ? key : height;
    }
    return height + 1;
}

static struct lt_syntax_constant nothing = {LT_CONSTANT_NOTHING, 0};

struct lt_node *lt_parser_finish(struct lt_parser *p, struct lt_node *node) {
    const struct lt_node *below[] = {node->a, node->b, node->c, node->d};
    unsigned height = node->kind == LT_SYNTAX_DEF ? height_of(node->def->body) : 0;

    if (p->status != LEAT_OK)
        return NULL;
    for (size_t i = 0; i < 4; i++)
        height = height_of(below[i]) > height ? height_of(below[i]) : height;
    for (size_t i = 0; i < node->n; i++)
        height = height_of(node->items[i]) > height ? height_of(node->items[i]) : height;
    for (size_t i = 0; i < node->n_patterns; i++) {
        unsigned pattern = tallest_pattern(node->patterns[i]);
        height = pattern > height ? pattern : height;
    }
    if (height == LT_SYNTAX_MAX_HEIGHT) {
        lt_parser_fail(p, node->offset, "more than %d steps in one expression",
                       LT_SYNTAX_MAX_HEIGHT);
        return NULL;
    }
    if (node->kind == LT_NODE_IDENTITY)
        node->plan = &nothing;
    node->slot = height + 1;
    /* the `.` of `.name` has no text of its own */
    node->end = p->last_end > node->offset ? (uint32_t)p->last_end : node->offset;
    return node;
}

static bool set_constant(struct lt_parser *p, struct lt_node *node,
                         enum lt_syntax_constant_kind kind, double number) {
    struct lt_syntax_constant *c = lt_parser_alloc(p, 1, sizeof(*c));

    if (!c)
        return false;
    *c = (struct lt_syntax_constant){kind, number};
    node->plan = c;
    return true;
}

struct lt_node *lt_parser_literal(struct lt_parser *p, size_t offset, struct lt_slice json,
                                  enum lt_syntax_constant_kind kind, double number) {
    struct lt_node *node = lt_parser_node(p, LT_NODE_LITERAL, offset);

    if (!node || !set_constant(p, node, kind, number))
        return NULL;
    node->text = json;
    return lt_parser_finish(p, node);
}

struct lt_node *lt_parser_string(struct lt_parser *p, size_t offset, struct lt_slice bytes) {
    struct lt_buf json;
    struct lt_slice text = {0};

    lt_buf_init(&json, 8 * bytes.len + 16);
    lt_json_write_string(&json, bytes);
    if (!json.failed)
        text = lt_arena_dup(p->arena, lt_buf_slice(&json));
    lt_buf_deinit(&json);
    if (!text.data)
        return lt_parser_nomem(p);
    return lt_parser_literal(p, offset, text, LT_CONSTANT_STRING, 0);
}

bool lt_parser_add(struct lt_parser *p, struct lt_node_list *list, struct lt_node *node) {
    return node && lt_parser_add_any(p, list, node);
}

bool lt_parser_add_any(struct lt_parser *p, struct lt_node_list *list, struct lt_node *node) {
    if (p->status != LEAT_OK)
        return false;
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 4;
        struct lt_node **items = lt_parser_alloc(p, cap, sizeof(*items));
        if (!items)
            return false;
        if (list->n)
            memcpy(items, list->items, list->n * sizeof(*items));
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n++] = node;
    return true;
}

/* --- constants -------------------------------------------------------------------------- */

/* Numbers fold by all but `%`, as doubles. */
static void fold_numbers(struct lt_parser *p, struct lt_node *node, double a, double b) {
    switch ((enum lt_op)node->op) {
    case LT_OP_ADD:
        set_constant(p, node, LT_CONSTANT_NUMBER, a + b);
        break;
    case LT_OP_SUB:
        set_constant(p, node, LT_CONSTANT_NUMBER, a - b);
        break;
    case LT_OP_MUL:
        set_constant(p, node, LT_CONSTANT_NUMBER, a * b);
        break;
    case LT_OP_DIV:
        set_constant(p, node, LT_CONSTANT_NUMBER, a / b);
        break;
    case LT_OP_EQ:
    case LT_OP_NE:
    case LT_OP_LT:
    case LT_OP_LE:
    case LT_OP_GT:
    case LT_OP_GE:
        set_constant(p, node, LT_CONSTANT_BOOLEAN, 0);
        break;
    default:
        break;
    }
}

static bool is_nothing(const struct lt_node *node) {
    const struct lt_syntax_constant *c = node->plan;
    return c && c->kind == LT_CONSTANT_NOTHING;
}

void lt_parser_fold(struct lt_parser *p, struct lt_node *node) {
    const struct lt_syntax_constant *a = lt_syntax_constant(node->a);
    const struct lt_syntax_constant *b = lt_syntax_constant(node->b);

    if (node->kind == LT_NODE_PIPE && is_nothing(node->a))
        node->plan = node->b->plan;
    else if (node->kind == LT_NODE_PIPE && is_nothing(node->b))
        node->plan = node->a->plan;
    if (node->kind != LT_NODE_BINARY || !a || !b || a->kind == LT_CONSTANT_LIST ||
        b->kind == LT_CONSTANT_LIST)
        return;
    if (node->op == LT_OP_ADD && a->kind == LT_CONSTANT_NULL)
        node->plan = node->b->plan;
    else if (node->op == LT_OP_ADD && b->kind == LT_CONSTANT_NULL)
        node->plan = node->a->plan;
    else if (a->kind == LT_CONSTANT_NUMBER && b->kind == LT_CONSTANT_NUMBER)
        fold_numbers(p, node, a->number, b->number);
    else if (node->op == LT_OP_ADD && a->kind == LT_CONSTANT_STRING && b->kind == a->kind)
        node->plan = node->a->plan;
}

bool lt_parser_check_key(struct lt_parser *p, const struct lt_node *key, size_t offset) {
    static const char *const kinds[] = {"null", "boolean", "number", "string", "array", "object"};
    const struct lt_syntax_constant *c = lt_syntax_constant(key);

    if (!c || c->kind == LT_CONSTANT_STRING || c->kind == LT_CONSTANT_LIST)
        return true;
    struct lt_slice shown = lt_slice(p->text.data + key->offset, key->end - key->offset);
    lt_parser_fail(p, offset, "Cannot use %s (%.*s%s) as object key", kinds[c->kind],
                   LT_FMT(shorten(shown)), shown.len > MAX_SHOWN ? "..." : "");
    return false;
}
