/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of the simplest kind, by jq's precedence: `or` binds less than `and`, that less than a
 * comparison, which stands alone between its sides. Whatever else is met ends the attempt.
 */
#include "expr/fold.h"

#include "expr/lex.h"
#include "json/json.h"

enum { MAX_DEPTH = 32, MAX_TEXT_BYTES = 4096 };

struct fold {
    struct lt_slice rest;
    const struct lt_expr_source *src;
    struct lt_arena arena; /* unescaped strings */
    unsigned depth;
    bool failed;
};

static const struct lt_json json_true = {LT_JSON_TRUE, {"true", 4}};
static const struct lt_json json_false = {LT_JSON_FALSE, {"false", 5}};
static const struct lt_json json_null = {LT_JSON_NULL, {"null", 4}};

static bool is_true(struct lt_json value) {
    return value.type != LT_JSON_NULL && value.type != LT_JSON_FALSE;
}

static struct lt_json of_bool(bool value) {
    return value ? json_true : json_false;
}

static struct lt_json give_up(struct fold *f) {
    f->failed = true;
    return json_null;
}

static void skip_spaces(struct fold *f) {
    while (f->rest.len && strchr(" \n\t", *f->rest.data))
        f->rest = lt_slice_from(f->rest, 1);
}

static bool take(struct fold *f, const char *text) {
    skip_spaces(f);
    if (!lt_slice_starts(f->rest, lt_slice_str(text)))
        return false;
    f->rest = lt_slice_from(f->rest, strlen(text));
    return true;
}

static struct lt_slice peek_name(struct fold *f) {
    size_t n = 0;

    skip_spaces(f);
    while (n < f->rest.len && lt_expr_is_name(f->rest.data[n]))
        n++;
    return lt_slice(f->rest.data, n);
}

static bool take_word(struct fold *f, const char *word) {
    struct lt_slice name = peek_name(f);

    if (!lt_slice_eq_str(name, word))
        return false;
    f->rest = lt_slice_from(f->rest, name.len);
    return true;
}

static struct lt_json take_variable(struct fold *f) {
    struct lt_slice name =
        f->rest.len && lt_expr_is_name_start(*f->rest.data) ? peek_name(f) : lt_slice(NULL, 0);
    struct lt_json value;

    for (size_t i = 0; i < f->src->n_vars; i++)
        if (lt_slice_eq_str(name, f->src->vars[i].name) &&
            lt_json_parse(&value, f->src->vars[i].json, 0, NULL) == LEAT_OK) {
            f->rest = lt_slice_from(f->rest, name.len);
            return value;
        }
    return give_up(f);
}

/* A jq string without "\(" is a JSON string. */
static struct lt_json take_string(struct fold *f) {
    struct lt_json value;
    size_t n = 1;

    while (n < f->rest.len && f->rest.data[n] != '"')
        n += f->rest.data[n] == '\\' ? 2 : 1;
    if (n >= f->rest.len ||
        lt_json_parse(&value, lt_slice(f->rest.data, n + 1), 0, NULL) != LEAT_OK)
        return give_up(f);
    f->rest = lt_slice_from(f->rest, n + 1);
    return value;
}

static struct lt_json take_or(struct fold *f);

static struct lt_json take_term(struct fold *f) {
    skip_spaces(f);
    if (f->rest.len && *f->rest.data == '"')
        return take_string(f);
    if (take(f, "$"))
        return take_variable(f);
    if (take_word(f, "true"))
        return json_true;
    if (take_word(f, "false"))
        return json_false;
    if (take_word(f, "null"))
        return json_null;
    if (f->depth == MAX_DEPTH || !take(f, "("))
        return give_up(f);
    f->depth++;
    struct lt_json value = take_or(f);
    f->depth--;
    return take(f, ")") ? value : give_up(f);
}

/* Numbers, arrays and objects are left to jq. */
static bool is_equal(struct fold *f, struct lt_json a, struct lt_json b) {
    if (a.type == LT_JSON_NUMBER || a.type >= LT_JSON_ARRAY || b.type == LT_JSON_NUMBER ||
        b.type >= LT_JSON_ARRAY)
        give_up(f);
    if (f->failed || a.type != b.type)
        return false;
    if (a.type != LT_JSON_STRING)
        return true;
    struct lt_slice x = lt_json_string(a, &f->arena), y = lt_json_string(b, &f->arena);
    if (!x.data || !y.data)
        give_up(f);
    return lt_slice_eq(x, y);
}

static struct lt_json take_comparison(struct fold *f) {
    struct lt_json a = take_term(f);

    if (!f->failed && take(f, "=="))
        return of_bool(is_equal(f, a, take_term(f)));
    if (!f->failed && take(f, "!="))
        return of_bool(!is_equal(f, a, take_term(f)));
    return a;
}

static struct lt_json take_and(struct fold *f) {
    struct lt_json value = take_comparison(f);

    while (!f->failed && take_word(f, "and")) {
        struct lt_json other = take_comparison(f);
        value = of_bool(is_true(value) && is_true(other));
    }
    return value;
}

static struct lt_json take_or(struct fold *f) {
    struct lt_json value = take_and(f);

    while (!f->failed && take_word(f, "or")) {
        struct lt_json other = take_and(f);
        value = of_bool(is_true(value) || is_true(other));
    }
    return value;
}

bool lt_expr_fold(struct lt_slice text, const struct lt_expr_source *src, bool *holds) {
    struct fold f = {.rest = text, .src = src};

    *holds = false;
    if (text.len > MAX_TEXT_BYTES)
        return false;
    lt_arena_init(&f.arena, 1 << 20);
    struct lt_json value = take_or(&f);
    skip_spaces(&f);
    lt_arena_deinit(&f.arena);
    *holds = is_true(value);
    return !f.failed && f.rest.len == 0;
}
