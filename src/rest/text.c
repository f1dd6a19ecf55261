/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts with expressions. A compiled text is a row of parts; a body's parts are cut from its JSON,
 * so that what stands between strings goes out as it was written.
 */
#include "rest/text.h"

#include "rest/text_scan.h"
#include "rest/url.h"

#include <stdlib.h>

enum { TEXT_MAX = 16 << 20 };

/* How a part's value is written. */
enum manner { LITERAL, AS_TEXT, AS_SEGMENT, AS_HEADER, IN_STRING, AS_JSON };

struct part {
    enum manner manner;
    struct lt_slice text; /* the literal, or the expression as written; the arena's */
    struct lt_expr_query *query;
};

struct lt_rest_template {
    struct lt_arena arena;
    const char *resource, *where;
    const struct lt_expr_var *vars; /* only while it is compiled */
    size_t n_vars;
    struct part *parts;
    size_t n_parts, cap_parts;
    size_t n_values;
    unsigned line, column; /* of the text's first character; line 0: not from a file */
};

/* What lt_rest_text_each() is given. */
struct reading {
    struct lt_rest_template *template;
    enum manner manner;
    bool escape_literals;
    size_t shift; /* where the text that is read begins in the whole */
};

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the texts of a resource");
}

static struct part *new_part(struct lt_rest_template *template, enum manner manner,
                             struct lt_slice text) {
    if (template->n_parts == template->cap_parts) {
        size_t cap = template->cap_parts ? template->cap_parts * 2 : 4;
        struct part *parts = reallocarray(template->parts, cap, sizeof(*parts));
        if (!parts)
            return NULL;
        template->parts = parts;
        template->cap_parts = cap;
    }
    struct part *part = &template->parts[template->n_parts];
    *part = (struct part){.manner = manner, .text = lt_arena_dup(&template->arena, text)};
    if (!part->text.data)
        return NULL;
    template->n_parts++;
    return part;
}

static leat_status add_literal(struct lt_rest_template *template, struct lt_slice text,
                               struct leat_error *err) {
    if (!text.len)
        return LEAT_OK;
    return new_part(template, LITERAL, text) ? LEAT_OK : no_memory(err);
}

/* A literal inside a JSON string, without the quotes. */
static leat_status add_escaped(struct lt_rest_template *template, struct lt_slice text,
                               struct leat_error *err) {
    struct lt_buf buf;
    lt_buf_init(&buf, TEXT_MAX);
    lt_json_write_string(&buf, text);
    leat_status status = buf.failed || buf.len < 2
                             ? no_memory(err)
                             : add_literal(template, lt_slice(buf.data + 1, buf.len - 2), err);
    lt_buf_deinit(&buf);
    return status;
}

static leat_status add_part(void *ctx, bool is_expression, struct lt_slice text, size_t offset,
                            struct leat_error *err) {
    struct reading *reading = ctx;
    struct lt_rest_template *template = reading->template;
    if (!is_expression)
        return reading->escape_literals ? add_escaped(template, text, err)
                                        : add_literal(template, text, err);
    struct part *part = new_part(template, reading->manner, text);
    if (!part)
        return no_memory(err);
    struct lt_expr_text source = {
        .name = lt_slice_str(template->where),
        .text = part->text,
        .line = template->line,
        .column = template->line ? template->column + (unsigned)(reading->shift + offset) : 0};
    template->n_values++;
    return lt_expr_query_new(&part->query, &source, template->vars, template->n_vars, err);
}

static leat_status read_text(struct lt_rest_template *template, struct lt_slice text,
                             enum manner manner, bool escape_literals, size_t shift,
                             struct leat_error *err) {
    struct reading reading = {template, manner, escape_literals, shift};
    size_t at = 0;
    leat_status status = lt_rest_text_each(text, add_part, &reading, &at, err);
    if (status != LEAT_OK && err && !err->line && template->line) {
        err->line = template->line;
        err->column = template->column + (unsigned)(shift + at);
    }
    return status;
}

/* One string of a body, with its quotes. */
static leat_status read_json_string(struct lt_rest_template *template, struct lt_json string,
                                    size_t shift, struct leat_error *err) {
    struct lt_slice text = lt_json_string(string, &template->arena);
    size_t n_parts = template->n_parts;

    if (!text.data)
        return no_memory(err);
    if (!memchr(string.raw.data, '{', string.raw.len) &&
        !memchr(string.raw.data, '}', string.raw.len))
        return add_literal(template, string.raw, err);
    leat_status status = add_literal(template, LT_LIT("\""), err);
    if (status == LEAT_OK)
        status = read_text(template, text, IN_STRING, true, shift + 1, err);
    if (status != LEAT_OK)
        return status;
    struct part *first = &template->parts[n_parts];
    if (template->n_parts == n_parts + 2 && first[1].manner == IN_STRING) {
        first[0] = first[1]; /* one expression and nothing else: the value itself */
        first[0].manner = AS_JSON;
        template->n_parts--;
        return LEAT_OK;
    }
    return add_literal(template, LT_LIT("\""), err);
}

/* The strings of a body that are values, in the order of the text; names are left as they are. */
static leat_status read_json(struct lt_rest_template *template, struct lt_json value,
                             const char **done, const char *start, struct leat_error *err) {
    leat_status status = LEAT_OK;
    struct lt_json member, key;

    if (value.type == LT_JSON_STRING) {
        status = add_literal(template, lt_slice(*done, (size_t)(value.raw.data - *done)), err);
        *done = value.raw.data + value.raw.len;
        return status == LEAT_OK
                   ? read_json_string(template, value, (size_t)(value.raw.data - start), err)
                   : status;
    }
    if (value.type != LT_JSON_ARRAY && value.type != LT_JSON_OBJECT)
        return LEAT_OK;
    struct lt_json_iter iter = lt_json_iter(value);
    while (status == LEAT_OK &&
           (value.type == LT_JSON_ARRAY ? lt_json_next(&iter, &member)
                                        : lt_json_next_member(&iter, &key, &member)))
        status = read_json(template, member, done, start, err);
    return status;
}

static leat_status read_body(struct lt_rest_template *template, struct lt_slice text,
                             struct leat_error *err) {
    struct lt_json body;
    leat_status status = lt_json_parse(&body, text, 64, err);
    if (status != LEAT_OK)
        return lt_fail(err, LEAT_E_CONFIG, 0, "the %s of resource %s is no JSON", template->where,
                       template->resource);
    const char *done = text.data;
    status = read_json(template, body, &done, text.data, err);
    if (status != LEAT_OK)
        return status;
    return add_literal(template, lt_slice_from(text, (size_t)(done - text.data)), err);
}

leat_status lt_rest_template_new(struct lt_rest_template **out, const struct lt_rest_text *text,
                                 enum lt_rest_text_kind kind, const char *resource,
                                 const char *where, const struct lt_expr_var *vars, size_t n_vars,
                                 struct leat_error *err) {
    static const enum manner manners[] = {[LT_REST_PATH] = AS_SEGMENT,
                                          [LT_REST_PARAM] = AS_TEXT,
                                          [LT_REST_HEADER] = AS_HEADER,
                                          [LT_REST_BODY] = IN_STRING};
    leat_status status;
    struct lt_rest_template *template = calloc(1, sizeof(*template));

    *out = NULL;
    if (!template)
        return no_memory(err);
    lt_arena_init(&template->arena, TEXT_MAX);
    template->resource = lt_arena_str(&template->arena, lt_slice_str(resource));
    template->where = lt_arena_str(&template->arena, lt_slice_str(where));
    template->vars = vars;
    template->n_vars = n_vars;
    template->line = text->source.line;
    template->column = text->source.column;
    if (!template->resource || !template->where)
        status = no_memory(err);
    else if (kind == LT_REST_BODY)
        status = read_body(template, text->source.text, err);
    else
        status = read_text(template, text->source.text, manners[kind], false, 0, err);
    template->vars = NULL;
    if (status != LEAT_OK) {
        lt_rest_template_free(template);
        return status;
    }
    *out = template;
    return LEAT_OK;
}

void lt_rest_template_free(struct lt_rest_template *template) {
    if (!template)
        return;
    for (size_t i = 0; i < template->n_parts; i++)
        lt_expr_query_free(template->parts[i].query);
    free(template->parts);
    lt_arena_deinit(&template->arena);
    free(template);
}

size_t lt_rest_template_n_values(const struct lt_rest_template *template) {
    return template->n_values;
}

static leat_status refuse(const struct lt_rest_template *template, const struct part *part,
                          struct leat_error *err, const char *what) {
    return lt_fail(err, LEAT_E_INVALID, 0, "{%.*s} in the %s of resource %s %s", LT_FMT(part->text),
                   template->where, template->resource, what);
}

leat_status lt_rest_template_ask(struct lt_rest_template *template, struct lt_json parent,
                                 struct lt_json *values, struct lt_arena *arena,
                                 struct leat_error *err) {
    size_t at = 0;
    for (size_t i = 0; i < template->n_parts; i++) {
        struct part *part = &template->parts[i];
        struct lt_json *outputs = NULL;
        size_t n = 0;
        if (part->manner == LITERAL)
            continue;
        leat_status status = lt_expr_query_run(part->query, parent, arena, &outputs, &n, err);
        if (status != LEAT_OK) {
            lt_error_prefix(err, "{%.*s} in the %s of resource %s", LT_FMT(part->text),
                            template->where, template->resource);
            return status;
        }
        if (n != 1)
            return refuse(template, part, err,
                          n ? "gives several values of the parent's record; expected one"
                            : "gives no value of the parent's record");
        values[at++] = outputs[0];
    }
    return LEAT_OK;
}

/* Text of a value: a string's own, all else as JSON writes it. */
static void append_text(struct lt_json value, struct lt_buf *out) {
    if (value.type == LT_JSON_STRING)
        lt_json_string_append(value, out);
    else
        lt_buf_append(out, value.raw);
}

static leat_status check(const struct lt_rest_template *template, const struct part *part,
                         struct lt_json value, struct lt_slice text, struct leat_error *err) {
    if (part->manner == AS_SEGMENT) {
        if (value.type == LT_JSON_ARRAY || value.type == LT_JSON_OBJECT)
            return refuse(template, part, err,
                          "gives an array or object, which cannot stand in a path");
        if (!text.len)
            return refuse(template, part, err, "gives an empty text, which cannot stand in a path");
        if (lt_slice_eq_str(text, ".") || lt_slice_eq_str(text, ".."))
            return refuse(template, part, err, "gives dots alone, which cannot stand in a path");
    }
    if (part->manner == AS_HEADER)
        for (size_t i = 0; i < text.len; i++)
            if (strchr("\r\n", text.data[i])) /* a NUL too */
                return refuse(template, part, err, "gives a line end, which no header may hold");
    return LEAT_OK;
}

static void write_value(const struct part *part, bool first, struct lt_json value,
                        struct lt_slice text, struct lt_buf *out) {
    if (part->manner == AS_JSON) {
        lt_buf_append(out, value.raw);
    } else if (part->manner == IN_STRING) {
        struct lt_buf quoted;
        lt_buf_init(&quoted, TEXT_MAX);
        lt_json_write_string(&quoted, text);
        out->failed = out->failed || quoted.failed;
        if (!quoted.failed)
            lt_buf_append(out, lt_slice(quoted.data + 1, quoted.len - 2));
        lt_buf_deinit(&quoted);
    } else if (part->manner == AS_SEGMENT) {
        if (first && lt_rest_url_is_absolute(text))
            lt_rest_url_append_clean(out, text);
        else
            lt_rest_url_encode_path(out, text);
    } else {
        lt_buf_append(out, text);
    }
}

leat_status lt_rest_template_render(const struct lt_rest_template *template,
                                    const struct lt_json *values, struct lt_buf *out,
                                    struct leat_error *err) {
    struct lt_buf text;
    leat_status status = LEAT_OK;

    lt_buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < template->n_parts && status == LEAT_OK; i++) {
        const struct part *part = &template->parts[i];
        if (part->manner == LITERAL) {
            lt_buf_append(out, part->text);
            continue;
        }
        struct lt_json value = *values++;
        lt_buf_clear(&text);
        append_text(value, &text);
        if (text.failed)
            status = no_memory(err);
        else if (value.type == LT_JSON_NULL)
            status =
                refuse(template, part, err, "gives null: the parent's record has no such value");
        else
            status = check(template, part, value, lt_buf_slice(&text), err);
        if (status == LEAT_OK)
            write_value(part, i == 0, value, lt_buf_slice(&text), out);
    }
    lt_buf_deinit(&text);
    return status == LEAT_OK ? lt_buf_status(out, err) : status;
}

void lt_rest_template_describe(const struct lt_rest_template *template, struct lt_buf *out) {
    for (size_t i = 0; i < template->n_parts; i++) {
        const struct part *part = &template->parts[i];
        if (part->manner == LITERAL)
            lt_buf_append(out, part->text);
        else
            lt_buf_printf(out, "{%.*s}", LT_FMT(part->text));
    }
}
