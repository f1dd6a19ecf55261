/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does not look at the record. A record is seen by `.`, a path, or a function, where they
 * stand at the start of a text or of its brackets; behind a `|` whose left side is constant they
 * see that constant. The text compiles, so tokens are enough: there is no grammar here.
 */
#include "expr/constant.h"

#include "expr/lex.h"

enum { MAX_GROUPS = 32 };

struct scan {
    const char *at;
    const char *end;
    const struct lt_expr_source *src;
    bool after_value; /* the last token ends a value: what begins with "." goes into that */
    unsigned depth;
    bool sees_record[MAX_GROUPS];  /* at the point reached, for each open bracket */
    bool began_seeing[MAX_GROUPS]; /* the same at its start, and so behind each ";" */
};

static bool sees_record(const struct scan *s) {
    return s->sees_record[s->depth];
}

static bool open_group(struct scan *s) {
    if (s->depth + 1 == MAX_GROUPS)
        return false;
    bool sees = sees_record(s);
    s->depth++;
    s->sees_record[s->depth] = s->began_seeing[s->depth] = sees;
    s->after_value = false;
    s->at++;
    return true;
}

static bool close_group(struct scan *s) {
    if (!s->depth)
        return false;
    s->depth--;
    s->after_value = true;
    s->at++;
    return true;
}

static struct lt_slice take_name(struct scan *s) {
    const char *start = s->at;

    while (s->at < s->end && lt_expr_is_name(*s->at))
        s->at++;
    return lt_slice(start, (size_t)(s->at - start));
}

static bool is_one_of(struct lt_slice word, const char *const *list) {
    for (; *list; list++)
        if (lt_slice_eq_str(word, *list))
            return true;
    return false;
}

static bool is_defined_by_user(struct lt_slice name, const struct lt_expr_source *src) {
    for (size_t i = 0; i < src->n_defs; i++) {
        struct lt_slice def = src->defs[i].name;
        const char *open = def.len ? memchr(def.data, '(', def.len) : NULL;
        if (open)
            def.len = (size_t)(open - def.data);
        if (lt_slice_eq(def, name))
            return true;
    }
    return false;
}

static bool take_word(struct scan *s) {
    static const char *const operators[] = {"and", "or", NULL};
    static const char *const values[] = {"true", "false", "null", NULL};
    static const char *const functions[] = {
        "not",          "length",     "utf8bytelength",
        "type",         "tostring",   "tonumber",
        "test",         "startswith", "endswith",
        "ltrimstr",     "rtrimstr",   "contains",
        "inside",       "index",      "rindex",
        "split",        "join",       "ascii_downcase",
        "ascii_upcase", "IN",         "any",
        "all",          NULL,
    };
    struct lt_slice word = take_name(s);

    s->after_value = !is_one_of(word, operators);
    if (!s->after_value || is_one_of(word, values))
        return true;
    return !sees_record(s) && is_one_of(word, functions) && !is_defined_by_user(word, s->src);
}

static bool take_variable(struct scan *s) {
    s->at++;
    struct lt_slice name = take_name(s);

    s->after_value = true;
    for (size_t i = 0; i < s->src->n_vars; i++)
        if (lt_slice_eq_str(name, s->src->vars[i].name))
            return true;
    return false;
}

/* Without "\(": what stands in that is left alone. */
static bool take_string(struct scan *s) {
    for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
        if (*s->at == '\\' && (++s->at == s->end || *s->at == '('))
            return false;
    s->after_value = true;
    return s->at++ < s->end;
}

static bool take_number(struct scan *s) {
    while (s->at < s->end && ((*s->at >= '0' && *s->at <= '9') || *s->at == '.'))
        s->at++;
    s->after_value = true;
    return true;
}

/* "." with its name, of a value or of what is seen here. */
static bool take_dot(struct scan *s) {
    if (!s->after_value && sees_record(s))
        return false;
    s->at++;
    if (s->at < s->end && lt_expr_is_name_start(*s->at))
        take_name(s);
    s->after_value = true;
    return true;
}

/* `|`, `,`, `;`, `+`, `-`, comparisons; not what assigns, nor `?`, `/` and the like. */
static bool take_operator(struct scan *s) {
    char c = *s->at++;
    bool equals = s->at < s->end && *s->at == '=';

    s->after_value = false;
    switch (c) {
    case '|':
        s->sees_record[s->depth] = false;
        return !equals;
    case ';':
        s->sees_record[s->depth] = s->began_seeing[s->depth];
        return true;
    case ',':
        return true;
    case '+':
    case '-':
        return !equals;
    case '<':
    case '>':
        s->at += equals;
        return true;
    case '=':
    case '!':
        s->at++;
        return equals;
    default:
        return false;
    }
}

static bool take_token(struct scan *s) {
    char c = *s->at;

    if (c == ' ' || c == '\n' || c == '\t') {
        s->at++;
        return true;
    }
    if (lt_expr_is_name_start(c))
        return take_word(s);
    if (c >= '0' && c <= '9')
        return take_number(s);
    switch (c) {
    case '$':
        return take_variable(s);
    case '"':
        return take_string(s);
    case '.':
        return take_dot(s);
    case '(':
    case '[':
        return open_group(s);
    case ')':
    case ']':
        return close_group(s);
    default:
        return take_operator(s);
    }
}

bool lt_expr_is_constant(struct lt_slice text, const struct lt_expr_source *src) {
    struct scan s = {.at = text.data, .end = text.data + text.len, .src = src};

    s.sees_record[0] = s.began_seeing[0] = true;
    while (s.at < s.end)
        if (!take_token(&s))
            return false;
    return text.len > 0 && s.depth == 0;
}
