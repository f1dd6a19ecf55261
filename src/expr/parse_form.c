/* SPDX-License-Identifier: Apache-2.0 */
/* What has a shape of its own: objects, definitions, patterns, and what a keyword begins. */
#include "expr/parse.h"

/* --- objects ---------------------------------------------------------------------------- */

/* A value in an object: terms with `|` between them, each with any number of `-` before it. */
static struct lt_node *parse_value_step(struct lt_parser *p) {
    if (p->token.kind != '-')
        return lt_parse_term(p);
    struct lt_node *node =
        lt_parser_enter(p) ? lt_parser_node(p, LT_NODE_NEGATE, p->token.offset) : NULL;
    if (!node)
        return NULL;
    lt_parser_advance(p);
    node->a = parse_value_step(p);
    p->depth--;
    return node->a ? lt_parser_finish(p, node) : NULL;
}

static struct lt_node *parse_value(struct lt_parser *p) {
    struct lt_node_list list = {0};

    if (!lt_parser_add(p, &list, parse_value_step(p)))
        return NULL;
    while (p->token.kind == '|') {
        lt_parser_advance(p);
        if (!lt_parser_add(p, &list, parse_value_step(p)))
            return NULL;
    }
    return lt_parser_pipe(p, &list);
}

/* `{name}` is `{name: .name}`. */
static struct lt_node *make_field(struct lt_parser *p, struct lt_token name) {
    struct lt_node *target = lt_parser_node(p, LT_NODE_IDENTITY, name.offset);
    struct lt_node *node = lt_parser_node(p, LT_NODE_FIELD, name.offset);

    if (!target || !node)
        return NULL;
    node->a = lt_parser_finish(p, target);
    node->text = name.text;
    return lt_parser_finish(p, node);
}

/* `(expression)` as a key, checked as jq does when it compiles. */
static struct lt_node *parse_computed_key(struct lt_parser *p) {
    size_t at = p->token.offset;

    if (!lt_parser_open(p, at, ')'))
        return NULL;
    lt_parser_advance(p);
    struct lt_node *key = lt_parse_expression(p, LT_LEVEL_PIPE);
    if (!key || !lt_parser_close(p, "an operator or ')'"))
        return NULL;
    return lt_parser_check_key(p, key, at) ? key : NULL;
}

/* `{"name"}` is `{"name": .["name"]}`. */
static struct lt_node *make_step(struct lt_parser *p, const struct lt_node *key) {
    struct lt_node *target = lt_parser_node(p, LT_NODE_IDENTITY, key->offset);
    struct lt_node *copy = lt_parser_node(p, LT_NODE_LITERAL, key->offset);
    struct lt_node *node = lt_parser_node(p, LT_NODE_INDEX, key->offset);

    if (!target || !copy || !node)
        return NULL;
    *copy = *key;
    node->a = lt_parser_finish(p, target);
    node->b = copy;
    return lt_parser_finish(p, node);
}

/* Behind '$'. */
static bool parse_bound_name(struct lt_parser *p, struct lt_slice *name) {
    lt_parser_advance(p);
    *name = p->token.text;
    return lt_parser_expect(p, LT_TOKEN_NAME, "a name behind '$'");
}

static struct lt_node *parse_variable(struct lt_parser *p) {
    struct lt_node *node = lt_parser_node(p, LT_NODE_VAR, p->token.offset);
    return node && parse_bound_name(p, &node->text) ? lt_parser_finish(p, node) : NULL;
}

/* The key at hand; `*value` is what it stands for without a colon (NULL for a string with inserts:
 * `.[key]`), `*alone` whether it may stand so, `*colon` whether one may follow. */
static struct lt_node *parse_key(struct lt_parser *p, struct lt_node **value, bool *alone,
                                 bool *colon) {
    struct lt_token token = p->token;

    *value = NULL;
    *alone = *colon = true;
    if (token.kind == LT_TOKEN_NAME || lt_token_is_keyword(token)) {
        lt_parser_advance(p);
        *alone = token.kind == LT_TOKEN_NAME;
        if (*alone && p->token.kind != ':') {
            *value = make_field(p, token);
            if (!*value)
                return NULL;
        }
        return lt_parser_string(p, token.offset, token.text);
    }
    if (token.kind == '$') {
        *colon = false;
        *value = parse_variable(p);
        return *value ? lt_parser_string(p, token.offset, (*value)->text) : NULL;
    }
    if (token.kind == '(') {
        *alone = false;
        return parse_computed_key(p);
    }
    if (token.kind == LT_TOKEN_QUOTE || token.kind == LT_TOKEN_FORMAT) {
        struct lt_node *key = lt_parse_string(p);
        if (key && key->kind == LT_NODE_LITERAL && p->token.kind != ':') {
            *value = make_step(p, key);
            return *value ? key : NULL;
        }
        return key;
    }
    lt_parser_unexpected(p, "a key: a name, a string, $name, or an expression in parentheses",
                         NULL);
    return NULL;
}

static bool parse_pair(struct lt_parser *p, struct lt_node_list *list, bool *constant) {
    struct lt_node *value;
    bool alone, colon;
    struct lt_node *key = parse_key(p, &value, &alone, &colon);

    if (!key || !lt_parser_add(p, list, key))
        return false;
    if (colon && p->token.kind == ':') {
        lt_parser_advance(p);
        value = parse_value(p);
        if (!value)
            return false;
    } else if (!alone) {
        lt_parser_unexpected(p, "':'", NULL);
        return false;
    }
    const struct lt_syntax_constant *k = lt_syntax_constant(key);
    const struct lt_syntax_constant *v = value ? lt_syntax_constant(value) : NULL;
    *constant = *constant && k && k->kind == LT_CONSTANT_STRING && v && v->kind != LT_CONSTANT_LIST;
    return lt_parser_add_any(p, list, value);
}

struct lt_node *lt_parse_object(struct lt_parser *p) {
    static struct lt_syntax_constant object = {LT_CONSTANT_OBJECT, 0};
    struct lt_node *node = lt_parser_node(p, LT_NODE_OBJECT, p->token.offset);
    struct lt_node_list list = {0};
    bool constant = true;

    if (!node || !lt_parser_enter(p) || !lt_parser_open(p, node->offset, '}'))
        return NULL;
    lt_parser_advance(p);
    while (p->token.kind != '}') {
        if (!parse_pair(p, &list, &constant))
            return NULL;
        if (p->token.kind != ',')
            break;
        lt_parser_advance(p);
    }
    p->depth--;
    node->items = list.items;
    node->n = list.n;
    if (!lt_parser_close(p, "',' or '}'; a value with operators other than '|' wants parentheses"))
        return NULL;
    if (constant)
        node->plan = &object;
    return lt_parser_finish(p, node);
}

/* --- definitions ------------------------------------------------------------------------ */

static bool parse_parameters(struct lt_parser *p, struct lt_syntax_def *def) {
    size_t room = 0;

    do {
        lt_parser_advance(p);
        if (def->def.n_params == room) {
            size_t bigger = room ? 2 * room : 4;
            struct lt_slice *params = lt_parser_alloc(p, bigger, sizeof(*params));
            bool *is_value = lt_parser_alloc(p, bigger, sizeof(*is_value));
            if (!params || !is_value)
                return false;
            if (room) {
                memcpy(params, def->params, room * sizeof(*params));
                memcpy(is_value, def->def.is_value, room * sizeof(*is_value));
            }
            def->params = params;
            def->def.is_value = is_value;
            room = bigger;
        }
        if (p->token.kind == '$') {
            def->def.is_value[def->def.n_params] = true;
            lt_parser_advance(p);
        }
        def->params[def->def.n_params] = p->token.text;
        if (!lt_parser_expect(p, LT_TOKEN_NAME, "the name of a parameter"))
            return false;
        def->def.n_params++;
    } while (p->token.kind == ';');
    def->def.value_slot = lt_parser_alloc(p, def->def.n_params, sizeof(*def->def.value_slot));
    return def->def.value_slot != NULL;
}

static struct lt_syntax_def *parse_head(struct lt_parser *p) {
    struct lt_syntax_def *def = lt_parser_alloc(p, 1, sizeof(*def));

    if (!def)
        return NULL;
    def->offset = p->token.offset;
    def->def.name = p->token.text;
    if (!lt_parser_expect(p, LT_TOKEN_NAME, "the name of a function"))
        return NULL;
    if (p->token.kind == '(') {
        if (!lt_parser_open(p, p->token.offset, ')') || !parse_parameters(p, def) ||
            !lt_parser_close(p, "';' or ')'"))
            return NULL;
    }
    return def;
}

struct lt_syntax_def *lt_parse_def(struct lt_parser *p) {
    lt_parser_advance(p);
    struct lt_syntax_def *def = parse_head(p);

    if (!def || !lt_parser_expect(p, ':', def->params ? "':'" : "'(' or ':'"))
        return NULL;
    def->def.body = lt_parse_expression(p, LT_LEVEL_PIPE);
    if (!def->def.body ||
        !lt_parser_expect(p, ';', "an operator, or the ';' that ends the definition"))
        return NULL;
    return def;
}

struct lt_syntax_def *lt_parse_def_name(struct lt_parser *p, struct lt_slice name,
                                        struct lt_arena *arena, struct leat_error *err) {
    *p = (struct lt_parser){.text = name, .arena = arena, .err = err, .status = LEAT_OK};
    p->token = lt_token_next(name, 0);
    struct lt_syntax_def *def = parse_head(p);
    return def && lt_parser_expect(p, LT_TOKEN_END, "'(' or nothing") ? def : NULL;
}

/* --- patterns --------------------------------------------------------------------------- */

struct members {
    struct lt_pattern **items;
    struct lt_node **keys;
    struct lt_slice *names;
    bool *has_slot;
    size_t n, cap;
};

static bool grow(struct lt_parser *p, struct members *m) {
    struct members old = *m;

    if (m->n < m->cap)
        return true;
    m->cap = old.cap ? 2 * old.cap : 4;
    m->items = lt_parser_alloc(p, m->cap, sizeof(*m->items));
    m->keys = lt_parser_alloc(p, m->cap, sizeof(struct lt_node *));
    m->names = lt_parser_alloc(p, m->cap, sizeof(*m->names));
    m->has_slot = lt_parser_alloc(p, m->cap, sizeof(*m->has_slot));
    if (!m->items || !m->keys || !m->names || !m->has_slot)
        return false;
    if (old.n) {
        memcpy(m->items, old.items, old.n * sizeof(*m->items));
        memcpy(m->keys, old.keys, old.n * sizeof(*m->keys));
        memcpy(m->names, old.names, old.n * sizeof(*m->names));
        memcpy(m->has_slot, old.has_slot, old.n * sizeof(*m->has_slot));
    }
    return true;
}

static struct lt_pattern *parse_pattern(struct lt_parser *p);

static bool parse_member(struct lt_parser *p, struct members *m) {
    struct lt_token token = p->token;

    if (!grow(p, m))
        return false;
    if (token.kind == '$') {
        m->has_slot[m->n] = true;
        if (!parse_bound_name(p, &m->names[m->n]))
            return false;
        m->keys[m->n] = lt_parser_string(p, token.offset, m->names[m->n]);
        if (p->token.kind != ':')
            return m->keys[m->n++] != NULL;
    } else if (token.kind == LT_TOKEN_NAME || lt_token_is_keyword(token)) {
        lt_parser_advance(p);
        m->keys[m->n] = lt_parser_string(p, token.offset, token.text);
    } else if (token.kind == '(') {
        m->keys[m->n] = parse_computed_key(p);
    } else if (token.kind == LT_TOKEN_QUOTE || token.kind == LT_TOKEN_FORMAT) {
        m->keys[m->n] = lt_parse_string(p);
    } else {
        lt_parser_unexpected(p, "a key: a name, a string, $name, or an expression in parentheses",
                             NULL);
    }
    if (!m->keys[m->n] || !lt_parser_expect(p, ':', "':' and what the key's value is bound to"))
        return false;
    m->items[m->n] = parse_pattern(p);
    return m->items[m->n++] != NULL;
}

static bool parse_element(struct lt_parser *p, struct members *m) {
    if (!grow(p, m))
        return false;
    m->items[m->n] = parse_pattern(p);
    return m->items[m->n++] != NULL;
}

static struct lt_pattern *parse_pattern(struct lt_parser *p) {
    struct lt_syntax_pattern *s = lt_parser_alloc(p, 1, sizeof(*s));
    struct members m = {0};
    bool array = p->token.kind == '[';

    if (!s)
        return NULL;
    s->offset = p->token.offset;
    if (p->token.kind == '$') {
        s->pattern.kind = LT_PATTERN_VAR;
        return parse_bound_name(p, &s->name) ? &s->pattern : NULL;
    }
    if (p->token.kind != '[' && p->token.kind != '{') {
        lt_parser_unexpected(p, "$name, [ or {: what `as` binds", NULL);
        return NULL;
    }
    if (!lt_parser_enter(p) || !lt_parser_open(p, s->offset, array ? ']' : '}'))
        return NULL;
    do {
        lt_parser_advance(p);
        if (!(array ? parse_element(p, &m) : parse_member(p, &m)))
            return NULL;
    } while (p->token.kind == ',');
    p->depth--;
    s->pattern.kind = array ? LT_PATTERN_ARRAY : LT_PATTERN_OBJECT;
    s->pattern.items = m.items;
    s->pattern.keys = m.keys;
    s->pattern.has_slot = m.has_slot;
    s->pattern.n = m.n;
    s->names = m.names;
    s->pattern.slots = lt_parser_alloc(p, m.n, sizeof(*s->pattern.slots));
    if (!s->pattern.slots || !lt_parser_close(p, array ? "',' or ']'" : "',' or '}'"))
        return NULL;
    return &s->pattern;
}

bool lt_parse_patterns(struct lt_parser *p, struct lt_node *node) {
    struct members m = {0};

    if (!parse_element(p, &m))
        return false;
    while (p->token.kind == LT_TOKEN_PATTERN_OR) {
        lt_parser_advance(p);
        if (!parse_element(p, &m))
            return false;
    }
    node->patterns = m.items;
    node->n_patterns = m.n;
    return true;
}
