/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that libjq compiles, since compiling costs some 26 ms however short the
 * text: first what masks the builtins that a pipeline must not have, then each text
 * as a function of its own, then the expression that runs the one that is asked for. A text stands
 * on lines of its own, so that jq's line and column lead back to it.
 */
#include "expr/program.h"

#include "expr/lex.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_PROGRAM_BYTES = 16 << 20 };

/*
 * Masked: what reads the environment or files, writes to the terminal, or ends
 * the process or the run; and what aborts jq 1.6 on odd data: `strftime` (so `todate`) of a
 * time over the year 2^31, `%` of a number below int64 by -1, `setpath` with a path of
 * a length that overflows the C stack.
 */
static const char prelude[] =
    "{} as $ENV |"
    "def __leat_input: input;"
    "def __leat_no($name): error($name + \" is not available in a pipeline\");"
    "def env: __leat_no(\"env\");"
    "def input: __leat_no(\"input\");"
    "def inputs: __leat_no(\"inputs\");"
    "def input_filename: __leat_no(\"input_filename\");"
    "def input_line_number: __leat_no(\"input_line_number\");"
    "def get_search_list: __leat_no(\"get_search_list\");"
    "def modulemeta: __leat_no(\"modulemeta\");"
    "def halt: __leat_no(\"halt\");"
    "def halt_error: error;"
    "def halt_error(f): error;"
    "def stderr: .;"
    "def __leat_strftime(f): strftime(f);"
    "def strftime(f): (if type == \"number\" then gmtime else . end) | __leat_strftime(f);"
    "def todate: strftime(\"%Y-%m-%dT%H:%M:%SZ\");"
    "def __leat_strflocaltime(f): strflocaltime(f);"
    "def strflocaltime(f): (if type == \"number\" then localtime else . end)"
    " | __leat_strflocaltime(f);"
    "def __leat_mod(a; b): a % b;"
    "def _mod(a; b): b as $b | a as $a | if ($b | type) == \"number\" and ($a | type) == \"number\""
    " and $b <= -1 and $b > -2 then 0 else __leat_mod($a; $b) end;"
    "def __leat_setpath(p; v): setpath(p; v);"
    "def setpath(p; v): p as $p | if ($p | type) == \"array\" and ($p | length) > 1000"
    " then error(\"a path of more than 1000 steps\") else __leat_setpath($p; v) end;"
    "\n";

const char *lt_expr_label(enum lt_expr_kind kind, size_t index, struct lt_slice name,
                          char out[LT_EXPR_LABEL_BYTES]) {
    int len = (int)(name.len < 120 ? name.len : 120);

    switch (kind) {
    case LT_EXPR_DEF:
        snprintf(out, LT_EXPR_LABEL_BYTES, "with.%.*s", len, name.data);
        break;
    case LT_EXPR_SET:
        snprintf(out, LT_EXPR_LABEL_BYTES, "set.%.*s", len, name.data);
        break;
    case LT_EXPR_KEY:
        snprintf(out, LT_EXPR_LABEL_BYTES, "key");
        break;
    case LT_EXPR_ROUTE:
        snprintf(out, LT_EXPR_LABEL_BYTES, "route[%zu].when", index);
        break;
    case LT_EXPR_FILTER:
        snprintf(out, LT_EXPR_LABEL_BYTES, "%.*s", len ? len : 10, len ? name.data : "expression");
        break;
    }
    return out;
}

void lt_expr_locate(const struct lt_expr_text *text, size_t at, struct leat_error *err) {
    if (!err || !text->line)
        return;
    err->line = text->line;
    err->column = text->column;
    for (size_t i = 0; i < at && i < text->text.len; i++) {
        if (text->text.data[i] == '\n') {
            /* the lines of a block in YAML are indented alike */
            err->line++;
            err->column = text->column;
        } else if ((text->text.data[i] & 0xc0) != 0x80) {
            err->column += text->column != 0;
        }
    }
}

static unsigned count_lines(struct lt_slice text) {
    unsigned n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    return n;
}

static leat_status check(const struct lt_expr_part *part, struct leat_error *err) {
    char label[LT_EXPR_LABEL_BYTES];
    size_t at = 0;
    leat_status status = LEAT_OK;

    if (part->kind == LT_EXPR_DEF)
        status = lt_expr_check_def_name(part->text->name, err);
    if (status == LEAT_OK)
        status = lt_expr_check_text(part->text->text, &at, err);
    if (status == LEAT_OK)
        return LEAT_OK;
    lt_error_prefix(err, "%s", lt_expr_label(part->kind, part->index, part->text->name, label));
    lt_expr_locate(part->text, at, err);
    return status;
}

/* jq drops a function that nobody calls before it looks into it: so each is called, by a function
 * that the main expression names where it never comes. */
static void add_call_of_def(struct lt_buf *out, size_t index, struct lt_slice name) {
    const char *open = memchr(name.data, '(', name.len);
    const char *end = name.data + name.len;

    lt_buf_printf(out, "def __leat_d%zu: %.*s", index, (int)((open ? open : end) - name.data),
                  name.data);
    if (open) {
        lt_buf_append_str(out, "(.");
        for (const char *at = open; at < end; at++)
            if (*at == ';')
                lt_buf_append_str(out, "; .");
        lt_buf_append_byte(out, ')');
    }
    lt_buf_append_str(out, ";\n");
}

/* Two line ends: no comment at the text's end reaches the parenthesis, in any version of jq. */
static leat_status add_part(struct lt_expr_program *p, enum lt_expr_kind kind, size_t index,
                            const struct lt_expr_text *text, unsigned *line,
                            struct leat_error *err) {
    struct lt_expr_part *part = &p->parts[p->n_parts];

    *part = (struct lt_expr_part){kind, index, text, *line + 1, p->n_asked};
    leat_status status = check(part, err);
    if (status != LEAT_OK)
        return status;
    p->n_parts++;
    p->n_asked += kind != LT_EXPR_DEF;
    switch (kind) {
    case LT_EXPR_DEF:
        lt_buf_printf(&p->text, "def %.*s: (\n", LT_FMT(text->name));
        break;
    case LT_EXPR_SET:
        lt_buf_printf(&p->text, "def __leat_s%zu: (\n", index);
        break;
    case LT_EXPR_KEY:
        lt_buf_printf(&p->text, "def __leat_k: (\n");
        break;
    case LT_EXPR_ROUTE:
        lt_buf_printf(&p->text, "def __leat_r%zu: (\n", index);
        break;
    case LT_EXPR_FILTER:
        lt_buf_printf(&p->text, "(\n");
        break;
    }
    lt_buf_append(&p->text, text->text);
    lt_buf_append_str(&p->text, kind == LT_EXPR_FILTER ? "\n\n)\n" : "\n\n);\n");
    *line += count_lines(text->text) + 4;
    if (kind == LT_EXPR_DEF) {
        add_call_of_def(&p->text, index, text->name);
        ++*line;
    }
    return LEAT_OK;
}

static void add_call(struct lt_buf *out, const struct lt_expr_part *part) {
    if (part->kind == LT_EXPR_SET)
        lt_buf_printf(out, "__leat_s%zu", part->index);
    else if (part->kind == LT_EXPR_KEY)
        lt_buf_append_str(out, "__leat_k");
    else
        lt_buf_printf(out, "__leat_r%zu", part->index);
}

/* The expression that runs the functions. */
static void add_main(struct lt_expr_program *p, const struct lt_expr_source *src) {
    struct lt_buf *out = &p->text;

    for (size_t i = 0; i < src->n_defs; i++)
        lt_buf_printf(out, "%s__leat_d%zu", i ? ", " : "if false then ", i);
    if (src->n_defs)
        lt_buf_append_str(out, " else ");
    if (p->n_asked)
        lt_buf_append_str(out, "__leat_input as $__leat_part | ");
    for (size_t i = 0; i < p->n_parts; i++) {
        if (p->parts[i].kind == LT_EXPR_DEF)
            continue;
        lt_buf_printf(out, "%s $__leat_part == %u then ", p->parts[i].number ? " elif" : "if",
                      p->parts[i].number);
        add_call(out, &p->parts[i]);
    }
    lt_buf_append_str(out, p->n_asked ? " else . end" : ".");
    lt_buf_append_str(out, src->n_defs ? " end" : "");
}

static leat_status start(struct lt_expr_program *p, size_t n_parts, const struct lt_expr_var *vars,
                         size_t n_vars, struct leat_error *err) {
    *p = (struct lt_expr_program){.vars = vars, .n_vars = n_vars};
    lt_buf_init(&p->text, MAX_PROGRAM_BYTES);
    p->parts = calloc(n_parts ? n_parts : 1, sizeof(*p->parts));
    if (!p->parts)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu expressions", n_parts);
    lt_buf_append_str(&p->text, prelude);
    return LEAT_OK;
}

leat_status lt_expr_program_init(struct lt_expr_program *p, const struct lt_expr_source *src,
                                 struct leat_error *err) {
    unsigned line = 2; /* the prelude is one line */
    leat_status status =
        start(p, src->n_defs + src->n_sets + src->n_routes + 1, src->vars, src->n_vars, err);

    for (size_t i = 0; status == LEAT_OK && i < src->n_defs; i++)
        status = add_part(p, LT_EXPR_DEF, i, &src->defs[i], &line, err);
    for (size_t i = 0; status == LEAT_OK && i < src->n_sets; i++)
        status = add_part(p, LT_EXPR_SET, i, &src->sets[i], &line, err);
    if (status == LEAT_OK && src->key)
        status = add_part(p, LT_EXPR_KEY, 0, src->key, &line, err);
    for (size_t i = 0; status == LEAT_OK && i < src->n_routes; i++)
        if (src->routes[i].text.data)
            status = add_part(p, LT_EXPR_ROUTE, i, &src->routes[i], &line, err);
    if (status != LEAT_OK)
        return status;
    add_main(p, src);
    lt_buf_cstr(&p->text);
    return lt_buf_status(&p->text, err);
}

leat_status lt_expr_program_init_filter(struct lt_expr_program *p, const struct lt_expr_text *text,
                                        const struct lt_expr_var *vars, size_t n_vars,
                                        struct leat_error *err) {
    unsigned line = 2;
    leat_status status = start(p, 1, vars, n_vars, err);

    if (status == LEAT_OK)
        status = add_part(p, LT_EXPR_FILTER, 0, text, &line, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_cstr(&p->text);
    return lt_buf_status(&p->text, err);
}

void lt_expr_program_deinit(struct lt_expr_program *p) {
    lt_buf_deinit(&p->text);
    free(p->parts);
    p->parts = NULL;
    p->n_parts = 0;
}
