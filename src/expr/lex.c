/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of jq's lexer (src/lexer.l of jq 1.6) as tells whether a text closes
 * what it opens: brackets, strings, and the "\(" inside strings, which nest. A
 * stack holds the byte that ends each open level; '"' means inside a string.
 */
#include "expr/lex.h"

enum { MAX_NESTING = 200 };

struct lexer {
    const char *start;
    const char *at;
    const char *end;
    bool after_dollar; /* the last token was "$" */
    unsigned depth;
    struct level {
        char closer;
        const char *opened;
    } levels[MAX_NESTING];
    struct leat_error *err;
};

static bool in_string(const struct lexer *lx) {
    return lx->depth && lx->levels[lx->depth - 1].closer == '"';
}

static leat_status enter(struct lexer *lx, char closer) {
    if (lx->depth == MAX_NESTING)
        return lt_fail(lx->err, LEAT_E_CONFIG, 0, "more than %d brackets inside each other",
                       MAX_NESTING);
    lx->levels[lx->depth++] = (struct level){closer, lx->at};
    return LEAT_OK;
}

static leat_status leave(struct lexer *lx) {
    if (!lx->depth)
        return lt_fail(lx->err, LEAT_E_CONFIG, 0, "'%c' closes nothing", *lx->at);
    char closer = lx->levels[lx->depth - 1].closer;
    if (closer != *lx->at)
        return lt_fail(lx->err, LEAT_E_CONFIG, 0, "'%c' where '%c' should stand", *lx->at, closer);
    lx->depth--;
    return LEAT_OK;
}

static leat_status check_ident(struct lexer *lx, struct lt_slice ident) {
    if (lt_slice_starts(ident, LT_LIT("__leat")))
        return lt_fail(lx->err, LEAT_E_CONFIG, 0, "names that begin with __leat are leat's own");
    if (lx->after_dollar && lt_slice_eq_str(ident, "ENV"))
        return lt_fail(lx->err, LEAT_E_CONFIG, 0,
                       "$ENV is not available: the environment holds secrets, and a pipeline "
                       "should do the same everywhere");
    return LEAT_OK;
}

/* jq 1.7 and later read a comment on after a backslash at its end, 1.6 does not. */
static leat_status skip_comment(struct lexer *lx) {
    while (lx->at < lx->end && *lx->at != '\n')
        lx->at++;
    const char *last = lx->at - 1;
    if (last > lx->start && *last == '\r')
        last--;
    if (*last != '\\')
        return LEAT_OK;
    lx->at = last;
    return lt_fail(lx->err, LEAT_E_CONFIG, 0, "a comment cannot end in a backslash");
}

static leat_status step_in_string(struct lexer *lx) {
    if (*lx->at == '"') {
        lx->depth--;
        lx->at++;
    } else if (*lx->at == '\\' && lx->end - lx->at > 1) {
        if (lx->at[1] == '(') {
            leat_status status = enter(lx, ')');
            if (status != LEAT_OK)
                return status;
        }
        lx->at += 2;
    } else {
        lx->at++;
    }
    return LEAT_OK;
}

static leat_status step(struct lexer *lx) {
    leat_status status = LEAT_OK;
    bool dollar = false;
    char c = *lx->at;

    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        lx->at++;
        return LEAT_OK;
    }
    if (c == '#')
        return skip_comment(lx);
    if (lt_expr_is_name_start(c)) {
        const char *start = lx->at;
        while (lx->at < lx->end && lt_expr_is_name(*lx->at))
            lx->at++;
        status = check_ident(lx, lt_slice(start, (size_t)(lx->at - start)));
        if (status != LEAT_OK)
            lx->at = start;
        lx->after_dollar = false;
        return status;
    }
    if (c == '.' && lx->end - lx->at > 1 && lt_expr_is_name_start(lx->at[1])) {
        for (lx->at++; lx->at < lx->end && lt_expr_is_name(*lx->at);)
            lx->at++; /* a field: its name may be any */
        lx->after_dollar = false;
        return LEAT_OK;
    }
    switch (c) {
    case '"':
        status = enter(lx, '"');
        break;
    case '(':
        status = enter(lx, ')');
        break;
    case '[':
        status = enter(lx, ']');
        break;
    case '{':
        status = enter(lx, '}');
        break;
    case ')':
    case ']':
    case '}':
        status = leave(lx);
        break;
    case '\0':
        status = lt_fail(lx->err, LEAT_E_CONFIG, 0, "a NUL byte");
        break;
    case '$':
        dollar = true;
        break;
    default:
        break;
    }
    lx->after_dollar = dollar;
    if (status == LEAT_OK)
        lx->at++;
    return status;
}

leat_status lt_expr_check_text(struct lt_slice text, size_t *at, struct leat_error *err) {
    const char *data = text.data ? text.data : "";
    struct lexer lx = {.start = data, .at = data, .end = data + text.len, .err = err};
    leat_status status = LEAT_OK;

    *at = 0;
    if (text.len > LT_EXPR_MAX_TEXT_BYTES)
        return lt_fail(err, LEAT_E_CONFIG, 0, "an expression of %zu bytes (at most %d)", text.len,
                       LT_EXPR_MAX_TEXT_BYTES);
    if (text.len && memchr(data, '\0', text.len))
        return lt_fail(err, LEAT_E_CONFIG, 0, "a NUL byte in an expression");
    while (status == LEAT_OK && lx.at < lx.end)
        status = in_string(&lx) ? step_in_string(&lx) : step(&lx);
    if (status == LEAT_OK && lx.depth) {
        struct level open = lx.levels[lx.depth - 1];
        lx.at = open.opened;
        if (open.closer == '"')
            status = lt_fail(err, LEAT_E_CONFIG, 0, "the string that begins here does not end");
        else
            status =
                lt_fail(err, LEAT_E_CONFIG, 0, "'%c' is missing for this bracket", open.closer);
    }
    *at = (size_t)(lx.at - data);
    return status;
}

static const char *skip_blank(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* The identifier at `at`, which may not be a word of jq's grammar; NULL when there is none. */
static const char *skip_name(const char *at, const char *end) {
    static const char *const words[] = {
        "def", "module", "import",  "include", "if",    "then",  "else", "elif", "end",
        "as",  "reduce", "foreach", "try",     "catch", "label", "and",  "or",   "__loc__",
    };
    const char *start = at;

    if (at == end || !lt_expr_is_name_start(*at))
        return NULL;
    while (at < end && lt_expr_is_name(*at))
        at++;
    struct lt_slice name = lt_slice(start, (size_t)(at - start));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (lt_slice_eq_str(name, words[i]))
            return NULL;
    return lt_slice_starts(name, LT_LIT("__leat")) ? NULL : at;
}

static const char *skip_parameters(const char *at, const char *end) {
    do {
        at = skip_blank(at + 1, end); /* behind "(" or ";" */
        if (at < end && *at == '$')
            at++;
        at = skip_name(at, end);
        if (!at)
            return NULL;
        at = skip_blank(at, end);
    } while (at < end && *at == ';');
    return at < end && *at == ')' ? at + 1 : NULL;
}

leat_status lt_expr_check_def_name(struct lt_slice name, struct leat_error *err) {
    const char *end = name.data + name.len;
    const char *at = name.len ? skip_name(name.data, end) : NULL;

    if (at && at < end && *at == '(')
        at = skip_parameters(at, end);
    if (at && at == end)
        return LEAT_OK;
    return lt_fail(err, LEAT_E_CONFIG, 0,
                   "\"%.*s\" cannot be the name of a function: letters, digits and _ as in "
                   "\"total\", parameters as in \"total(f; $x)\"",
                   LT_FMT(name));
}
