/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Having libjq compile, and leading jq's complaints back to the user's file. jq 1.6 says the
 * line of its program, repeats that line, and adds as many spaces as the fault's column:
 * with each text on lines of its own this is exact.
 */
#include "expr/program.h"

#include "base/units.h"
#include "expr/fn.h"
#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_CANDIDATES = 512, MAX_WHAT_BYTES = 400, MAX_VAR_BYTES = 64 << 20 };

/* The first complaint that stands in a user's text, else the first of all. */
struct complaint {
    const struct lt_expr_program *program;
    const struct lt_expr_part *part;
    size_t at; /* byte of the part's text */
    bool any;
    char what[LEAT_ERROR_TEXT_BYTES];
};

static const struct lt_expr_part *find_part(const struct lt_expr_program *p, unsigned line) {
    const struct lt_expr_part *found = NULL;

    for (size_t i = 0; i < p->n_parts; i++)
        if (p->parts[i].first_line <= line)
            found = &p->parts[i];
    return found;
}

/* The bytes of line `n` (from 1) of `text`, without its end. */
static struct lt_slice line_of(struct lt_slice text, unsigned n) {
    const char *at = text.data;
    const char *end = text.data + text.len;

    for (; n > 1 && at < end; n--) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    return lt_slice(at, (size_t)((stop ? stop : end) - at));
}

/* `rest` is what jq wrote after "line N:": the line again and spaces up to the column. */
static void place(struct complaint *c, unsigned line, struct lt_slice rest) {
    c->part = find_part(c->program, line);
    if (!c->part)
        return;
    struct lt_slice text = c->part->text->text;
    unsigned n = line - c->part->first_line + 1;
    struct lt_slice found = line_of(text, n);
    size_t start = (size_t)(found.data - text.data);
    bool behind = start >= text.len && text.len; /* in what stands after the text */

    c->at = behind ? text.len : start;
    if (!behind && lt_slice_starts(rest, found))
        c->at += rest.len - found.len <= found.len ? rest.len - found.len : found.len;
    if (behind || (c->at >= text.len && strstr(c->what, "unexpected ')'")))
        snprintf(c->what, sizeof(c->what), "syntax error: the expression ends too early");
}

static const char *find(struct lt_slice text, const char *word) {
    return text.len ? memmem(text.data, text.len, word, strlen(word)) : NULL;
}

/* "jq: error: WHAT (Unix shell quoting issues?) at <top-level>, line N:\nTEXT" */
static void take_complaint(struct complaint *c, struct lt_slice message) {
    static const char where[] = " at <top-level>, line ";
    const char *location = find(message, where);
    struct lt_slice what = message;

    if (c->part || (c->any && !location))
        return;
    if (location)
        what.len = (size_t)(location - what.data);
    if (lt_slice_starts(what, LT_LIT("jq: error: ")))
        what = lt_slice_from(what, 11);
    const char *quoting = find(what, " (Unix shell quoting issues?)");
    if (quoting)
        what.len = (size_t)(quoting - what.data);
    if (what.len > MAX_WHAT_BYTES)
        what.len = MAX_WHAT_BYTES;
    c->any = true;
    if (lt_slice_starts(what, LT_LIT("$*label-")))
        snprintf(c->what, sizeof(c->what), "label %.*s", LT_FMT(lt_slice_from(what, 8)));
    else
        snprintf(c->what, sizeof(c->what), "%.*s", LT_FMT(what));
    for (char *s = c->what; *s; s++)
        if ((unsigned char)*s < 0x20)
            *s = ' ';
    if (location) {
        char *after = NULL;
        unsigned line = (unsigned)strtoul(location + sizeof(where) - 1, &after, 10);
        size_t at = (size_t)(after - message.data);
        bool repeats = lt_slice_starts(lt_slice_from(message, at), LT_LIT(":\n"));
        place(c, line, lt_slice_from(message, repeats ? at + 2 : message.len));
    }
}

static void on_complaint(void *ctx, struct lt_slice message) {
    take_complaint(ctx, message);
}

static void add_builtin_names(struct lt_buf *out) {
    const char *name;

    for (size_t i = 0; (name = lt_fn_name(i)) != NULL; i++) {
        lt_buf_append_str(out, name);
        lt_buf_append_byte(out, '\0');
    }
}

static void add_def_names(struct lt_buf *out, const struct lt_expr_program *p) {
    for (size_t i = 0; i < p->n_parts; i++) {
        if (p->parts[i].kind != LT_EXPR_DEF)
            continue;
        struct lt_slice name = p->parts[i].text->name;
        const char *open = memchr(name.data, '(', name.len);
        unsigned arity = open ? 1 : 0;
        for (const char *s = open; s && s < name.data + name.len; s++)
            arity += *s == ';';
        lt_buf_printf(out, "%.*s/%u", open ? (int)(open - name.data) : (int)name.len, name.data,
                      arity);
        lt_buf_append_byte(out, '\0');
    }
}

static void add_nearest(struct complaint *c, struct lt_slice word, const char *const *candidates) {
    const char *nearest = lt_nearest(word, candidates);
    size_t len = strlen(c->what);

    if (nearest)
        snprintf(c->what + len, sizeof(c->what) - len, "; did you mean \"%s%s\"?",
                 c->what[0] == '$' ? "$" : "", nearest);
}

/* Adds the nearest known name to "$NAME is not defined". */
static void suggest_variable(struct complaint *c) {
    const char *candidates[MAX_CANDIDATES + 1];
    size_t n = 0;
    const char *end = strstr(c->what, " is not defined");

    if (!end || c->what[0] != '$')
        return;
    for (; n < c->program->n_vars && n < MAX_CANDIDATES; n++)
        candidates[n] = c->program->vars[n].name;
    candidates[n] = NULL;
    add_nearest(c, lt_slice(c->what + 1, (size_t)(end - c->what) - 1), candidates);
}

/* Adds the nearest known name to "NAME/ARITY is not defined". */
static void suggest_function(struct complaint *c) {
    char *candidates[MAX_CANDIDATES + 1];
    size_t n = 0;
    char *end = strstr(c->what, " is not defined");
    char *slash = end ? memchr(c->what, '/', (size_t)(end - c->what)) : NULL;
    struct lt_buf names;

    if (!slash || c->what[0] == '$')
        return;
    struct lt_slice word = lt_slice(c->what, (size_t)(slash - c->what));
    size_t len = strlen(c->what);
    lt_buf_init(&names, 1 << 20);
    add_def_names(&names, c->program);
    add_builtin_names(&names);
    for (char *at = names.data; !names.failed && at && at < names.data + names.len;) {
        char *name = at;
        at += strlen(at) + 1;
        char *arity = strchr(name, '/');
        if (arity)
            *arity++ = '\0';
        if (arity && lt_slice_eq_str(word, name)) {
            snprintf(c->what + len, sizeof(c->what) - len, ", but %s/%s is", name, arity);
            lt_buf_deinit(&names);
            return;
        }
        if (n < MAX_CANDIDATES)
            candidates[n++] = name;
    }
    candidates[n] = NULL;
    add_nearest(c, word, (const char *const *)candidates);
    lt_buf_deinit(&names);
}

leat_status lt_expr_check_vars(const struct lt_expr_var *vars, size_t n, struct leat_error *err) {
    struct lt_json json;

    for (size_t i = 0; i < n; i++) {
        leat_status status =
            vars[i].json.len > MAX_VAR_BYTES
                ? lt_fail(err, LEAT_E_CONFIG, 0, "more than %d bytes", MAX_VAR_BYTES)
                : lt_json_parse(&json, vars[i].json, LT_JSON_DEFAULT_DEPTH, err);
        if (status != LEAT_OK) {
            lt_error_prefix(err, "the value of $%s", vars[i].name);
            return LEAT_E_CONFIG;
        }
    }
    return LEAT_OK;
}

static leat_status name_part(const struct lt_expr_part *part, const struct lt_tree_part *tree,
                             const struct lt_expr_source *src, struct leat_error *err) {
    char label[LT_EXPR_LABEL_BYTES];

    if (tree->failed && tree->failed != part->text && src->n_defs) {
        size_t i = (size_t)(tree->failed - src->defs);
        lt_expr_label(LT_EXPR_DEF, i, tree->failed->name, label);
    } else {
        lt_expr_label(part->kind, part->index, part->text->name, label);
    }
    return lt_error_prefix(err, "%s", label);
}

/* jq takes nothing, or definitions alone, for `.`: in a file that is a slip. */
static bool is_empty(const struct lt_node *root, struct lt_slice text) {
    return root && root->kind == LT_NODE_IDENTITY &&
           (root->offset >= text.len || text.data[root->offset] != '.');
}

leat_status lt_expr_parse_part(struct lt_tree_part *tree, const struct lt_expr_part *part,
                               const struct lt_expr_source *src, struct lt_arena *arena,
                               struct leat_error *err) {
    leat_status status =
        lt_tree_parse(tree, part->text, src->defs, src->n_defs, src->vars, src->n_vars, arena, err);

    if (status == LEAT_OK && is_empty(tree->root, part->text->text)) {
        status = lt_fail(err, LEAT_E_CONFIG, 0,
                         "syntax error: the expression ends too early; expected an expression");
        lt_expr_locate(part->text, part->text->text.len, err);
    }
    return status == LEAT_E_CONFIG ? name_part(part, tree, src, err) : status;
}

leat_status lt_expr_parse_defs(const struct lt_expr_source *src, struct lt_arena *arena,
                               struct leat_error *err) {
    const struct lt_expr_text identity = {.text = LT_LIT(".")};
    const struct lt_expr_part part = {.kind = LT_EXPR_FILTER, .text = &identity};
    struct lt_tree_part tree;

    return lt_expr_parse_part(&tree, &part, src, arena, err);
}

leat_status lt_expr_program_keep(const struct lt_expr_program *p, struct lt_remote **out,
                                 struct leat_error *err) {
    struct lt_remote_program program = {
        .text = lt_buf_slice(&p->text), .vars = p->vars, .n_vars = p->n_vars};

    return lt_remote_new(out, &program, err);
}

leat_status lt_expr_program_compile(const struct lt_expr_program *p, struct lt_remote **out,
                                    struct leat_error *err) {
    struct complaint c = {.program = p};
    char label[LT_EXPR_LABEL_BYTES];

    *out = NULL;
    leat_status status = lt_expr_check_vars(p->vars, p->n_vars, err);
    if (status == LEAT_OK)
        status = lt_expr_program_keep(p, out, err);
    if (status != LEAT_OK)
        return status;
    status = lt_remote_start(*out, on_complaint, &c, err);
    if (status == LEAT_OK)
        return LEAT_OK;

    lt_remote_free(*out);
    *out = NULL;
    if (status != LEAT_E_CONFIG)
        return status;
    suggest_variable(&c);
    suggest_function(&c);
    if (!c.part)
        return lt_fail(err, LEAT_E_CONFIG, 0, "jq: %s", c.any ? c.what : "cannot compile");
    lt_fail(err, LEAT_E_CONFIG, 0, "%s: %s",
            lt_expr_label(c.part->kind, c.part->index, c.part->text->name, label), c.what);
    lt_expr_locate(c.part->text, c.at, err);
    return LEAT_E_CONFIG;
}
