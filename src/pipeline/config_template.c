/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts with jq expressions in braces (rest/text_scan.h), and the parameters, headers and bodies
 * that are made of them. ${VAR} is replaced in what stands outside the expressions, and braces of
 * what it gave are doubled: a variable is never an expression. Inside one, `$` and braces are jq's.
 */
#include "pipeline/config.h"

#include "rest/text_scan.h"
#include "json/json.h"

enum { MAX_PARAMS = 200, MAX_BODY_BYTES = 1 << 20 };

/* A text at work. */
struct template {
    struct lt_config *c;
    struct lt_slice name; /* for errors */
    const struct lt_yaml_node *node;
    const struct lt_rest_resource *resource; /* NULL: of the API, where there are no expressions */
    struct lt_buf out;
};

/* Tells what is wrong with an expression of a resource that has no parent's record, `at` in the
 * node's text; true when all is well. */
static bool check_input(struct lt_config *c, const struct lt_rest_resource *resource,
                        struct lt_slice expression, const struct lt_yaml_node *node, size_t at) {
    if (!resource) {
        lt_config_problem(c, lt_yaml_source_offset(&c->source, node, at), NULL,
                          "what every request gets takes no expressions; expected '{{' for a brace "
                          "of the text, or it in a resource");
        return false;
    }
    if (resource->parent != SIZE_MAX || !lt_config_is_jq_path(expression))
        return true;
    lt_config_problem(c, lt_yaml_source_offset(&c->source, node, at), NULL,
                      "{%.*s} has no record to look into; expected 'for_each' with the resource "
                      "whose records it is of",
                      LT_FMT(lt_config_cut(expression)));
    return false;
}

/* The expression at the brace `*at`, which is moved behind it. */
static bool take_expression(struct template *t, size_t *at) {
    struct lt_config_jq jq = {
        .text.name = t->name, .node = t->node, .scope = LT_CONFIG_JQ_QUERY, .offset = *at + 1};
    struct leat_error err;
    size_t fault, open = *at;

    if (lt_rest_text_expression(t->node->text, open, &jq.text.text, &fault, &err) != LEAT_OK) {
        lt_config_problem(t->c, lt_yaml_source_offset(&t->c->source, t->node, fault), NULL,
                          "%.*s: %s", LT_FMT(t->name), err.text);
        return false;
    }
    size_t len = jq.text.text.len + 2;
    lt_buf_append(&t->out, lt_slice(t->node->text.data + open, len));
    *at += len;
    if (check_input(t->c, t->resource, jq.text.text, t->node, open))
        lt_config_keep_jq(t->c, &jq);
    return true;
}

static bool take_variable(struct template *t, size_t *at) {
    struct lt_buf value;
    size_t len = 2;

    lt_buf_init(&value, LT_CONFIG_MAX_VALUE_BYTES);
    bool ok = lt_config_expand_one(t->c, t->node, *at, &value, &len);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '{' || value.data[i] == '}')
            lt_buf_append_byte(&t->out, value.data[i]);
        lt_buf_append_byte(&t->out, value.data[i]);
    }
    t->out.failed |= value.failed;
    lt_buf_deinit(&value);
    *at += len;
    return ok;
}

/* "$${NAME}" is the text "${NAME}", with both of its braces. */
static void take_dollar(struct template *t, size_t *at) {
    struct lt_slice rest = lt_slice_from(t->node->text, *at + 3);
    size_t len = 0;

    while (len < rest.len && rest.data[len] != '}' && rest.data[len] != '{')
        len++;
    lt_buf_append(&t->out, LT_LIT("${{"));
    *at += 3;
    if (len == rest.len || rest.data[len] != '}')
        return;
    lt_buf_append(&t->out, lt_slice(rest.data, len));
    lt_buf_append(&t->out, LT_LIT("}}"));
    *at += len + 1;
}

/* The part at `*at`, which is moved behind it. */
static bool take_part(struct template *t, size_t *at) {
    struct lt_slice rest = lt_slice_from(t->node->text, *at);
    char c = rest.data[0];

    if (lt_slice_starts(rest, LT_LIT("$${"))) {
        take_dollar(t, at);
    } else if (lt_slice_starts(rest, LT_LIT("${"))) {
        return take_variable(t, at);
    } else if ((c == '{' || c == '}') && rest.len > 1 && rest.data[1] == c) {
        lt_buf_append(&t->out, lt_slice(rest.data, 2));
        *at += 2;
    } else if (c == '{') {
        return take_expression(t, at);
    } else if (c == '}') {
        lt_config_problem(t->c, lt_yaml_source_offset(&t->c->source, t->node, *at), NULL,
                          "%.*s: '}' closes nothing; expected '{' before it, or '}}' for a brace "
                          "of the text",
                          LT_FMT(t->name));
        return false;
    } else {
        lt_buf_append_byte(&t->out, c);
        ++*at;
    }
    return true;
}

/* The text with its variables replaced; its expressions are remembered. False after telling. */
static bool read_text(struct lt_config *c, struct lt_slice name, const struct lt_yaml_node *node,
                      const struct lt_rest_resource *resource, struct lt_slice *out) {
    struct template t = {.c = c, .name = name, .node = node, .resource = resource};
    bool ok = true;

    c->used = NULL;
    lt_buf_init(&t.out, 2 * LT_CONFIG_MAX_VALUE_BYTES);
    for (size_t i = 0; ok && i < node->text.len;)
        ok = take_part(&t, &i);
    if (t.out.failed) {
        lt_config_problem(c, node->offset, NULL, "%.*s has more than %d bytes", LT_FMT(name),
                          2 * LT_CONFIG_MAX_VALUE_BYTES);
        ok = false;
    }
    *out = lt_arena_dup(c->arena, lt_buf_slice(&t.out));
    if (!out->data)
        c->no_memory = true;
    lt_buf_deinit(&t.out);
    return ok && out->data;
}

static void place_text(struct lt_config *c, struct lt_slice name, const struct lt_yaml_node *node,
                       struct lt_slice text, struct lt_rest_text *out) {
    out->source = (struct lt_expr_text){.name = name, .text = text};
    lt_yaml_place(&c->source, lt_yaml_source_offset(&c->source, node, 0), &out->source.line,
                  &out->source.column);
}

static bool is_text(struct lt_config *c, const struct lt_config_property *p,
                    const struct lt_yaml_node *value) {
    if (value->type == LT_YAML_SCALAR && !lt_config_is_null(value) &&
        !memchr(value->text.data, '\0', value->text.len))
        return true;
    lt_config_wrong_type(c, p, value);
    return false;
}

static void read_template(struct lt_config *c, const struct lt_config_property *p,
                          struct lt_yaml_node *value, void *base) {
    struct lt_slice name = lt_slice_str(p->name), text;

    if (!is_text(c, p, value) || !read_text(c, name, value, base, &text))
        return;
    place_text(c, name, value, text, (void *)((char *)base + p->offset));
}

static leat_status append_literal(void *ctx, bool is_expression, struct lt_slice part,
                                  size_t offset, struct leat_error *err) {
    (void)offset;
    if (is_expression)
        return lt_fail(err, LEAT_E_LIMIT, 0, "an expression");
    lt_buf_append(ctx, part);
    return LEAT_OK;
}

/* What variables gave is secret, and so is a whole text that holds some of it and is always the
 * same. */
static void keep_secrets(struct lt_config *c, struct lt_slice text) {
    struct leat_error err;
    struct lt_buf whole;
    size_t at;

    if (!c->used)
        return;
    lt_config_keep_used(c);
    lt_buf_init(&whole, text.len + 1);
    if (lt_rest_text_each(text, append_literal, &whole, &at, &err) == LEAT_OK) {
        const char *kept = lt_arena_str(c->arena, lt_buf_slice(&whole));
        if (kept)
            lt_config_keep_secret(c, kept);
        c->no_memory |= !kept;
    }
    lt_buf_deinit(&whole);
}

/* One parameter or header. False when there is none to keep. */
static bool read_param(struct lt_config *c, const struct lt_config_property *p,
                       const struct lt_yaml_node *key, const struct lt_yaml_node *value,
                       const struct lt_rest_resource *resource, struct lt_rest_param *out) {
    bool is_header = !strcmp(p->name, "headers");
    const char *fault = lt_config_name_fault(key->text, is_header);
    const char *full = lt_arena_printf(c->arena, "%s.%.*s", p->name, LT_FMT(key->text));
    struct lt_config_property one = {.name = full,
                                     .type = resource ? &lt_config_template : &lt_config_string};
    struct lt_slice text;

    if (!full) {
        c->no_memory = true;
        return false;
    }
    if (fault)
        lt_config_problem(c, key->offset, NULL, "'%.*s' cannot name a %s; %s",
                          LT_FMT(lt_config_cut(key->text)), is_header ? "header" : "parameter",
                          fault);
    else if (is_header && key->text.len == 13 &&
             !strncasecmp(key->text.data, "authorization", key->text.len))
        lt_config_warn(c, key->offset,
                       "a header of every request may go to other hosts; expected credentials "
                       "under 'auth', which sends them to the API alone");
    if (!is_text(c, &one, value) || !read_text(c, lt_slice_str(full), value, resource, &text))
        return false;
    keep_secrets(c, text);
    if (is_header && lt_config_has_control(text)) {
        lt_config_problem(c, value->offset, NULL,
                          "%s holds a line end or another control character; expected one line",
                          full);
        return false;
    }
    out->name = key->text.data;
    place_text(c, lt_slice_str(full), value, text, &out->value);
    return !fault;
}

/* Texts by name. For every request of an API they are templates without expressions. */
static void read_params(struct lt_config *c, const struct lt_config_property *p,
                        struct lt_yaml_node *value, void *base) {
    const struct lt_rest_resource *resource = p->type == &lt_config_templates ? base : NULL;
    size_t *n = (size_t *)(void *)((char *)base + p->count_offset);

    if (value->type != LT_YAML_MAPPING || value->n > MAX_PARAMS) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    struct lt_rest_param *params = lt_config_alloc(c, value->n ? value->n : 1, sizeof(*params));
    if (!params)
        return;
    memcpy((char *)base + p->offset, &params, sizeof(params));
    for (size_t i = 0; i < value->n; i++)
        *n += read_param(c, p, value->pairs[i].key, value->pairs[i].value, resource, &params[*n]);
}

/* A body written as YAML: JSON whose strings are templates. */
static bool write_body(struct lt_config *c, struct lt_slice name, const struct lt_yaml_node *node,
                       const struct lt_rest_resource *resource, struct lt_buf *out) {
    bool object = node->type == LT_YAML_MAPPING;
    bool ok = !out->failed;
    struct lt_slice text;

    if (lt_config_is_plain_string(node)) {
        ok = ok && read_text(c, name, node, resource, &text);
        if (ok) {
            keep_secrets(c, text);
            lt_json_write_string(out, text);
        }
        return ok;
    }
    if (node->type == LT_YAML_SCALAR)
        return ok && lt_config_to_json(c, node, out);
    lt_buf_append_byte(out, object ? '{' : '[');
    for (size_t i = 0; i < node->n && ok; i++) {
        if (i)
            lt_buf_append_byte(out, ',');
        if (object) {
            lt_json_write_string(out, node->pairs[i].key->text);
            lt_buf_append_byte(out, ':');
        }
        ok = write_body(c, name, object ? node->pairs[i].value : node->items[i], resource, out);
    }
    lt_buf_append_byte(out, object ? '}' : ']');
    return ok;
}

/* A body written as JSON text at work: a string of it. */
struct json_string {
    struct lt_config *c;
    const struct lt_config_property *p;
    const struct lt_yaml_node *node;
    const struct lt_rest_resource *resource;
    size_t start; /* in the node's text */
    bool exact;   /* its bytes are the node's: no escape, no variable */
};

static leat_status keep_part(void *ctx, bool is_expression, struct lt_slice part, size_t offset,
                             struct leat_error *err) {
    const struct json_string *s = ctx;
    size_t at = s->start + (s->exact ? offset : 0);
    struct lt_config_jq jq = {
        .text = {.name = lt_slice_str(s->p->name), .text = part},
        .node = s->node,
        .scope = LT_CONFIG_JQ_QUERY,
        .offset = at,
        .inexact = !s->exact,
    };

    (void)err;
    if (is_expression && check_input(s->c, s->resource, part, s->node, at))
        lt_config_keep_jq(s->c, &jq);
    return LEAT_OK;
}

static void check_string(struct json_string *s, struct lt_slice text, struct lt_json string,
                         bool from_env) {
    struct lt_slice value = lt_json_string(string, s->c->arena);
    struct leat_error err;
    size_t at;

    s->exact = !from_env && value.len + 2 == string.raw.len;
    s->start = from_env ? 0 : (size_t)(string.raw.data - text.data) + 1;
    if (!value.data) {
        s->c->no_memory = true;
        return;
    }
    if (lt_rest_text_each(value, keep_part, s, &at, &err) != LEAT_OK)
        lt_config_problem(
            s->c, lt_yaml_source_offset(&s->c->source, s->node, s->start + (s->exact ? at : 0)),
            NULL, "%s: %s", s->p->name, err.text);
}

/* The depth is bounded by the parser's. */
static void check_strings(struct json_string *s, struct lt_slice text, struct lt_json value,
                          bool from_env) {
    struct lt_json_iter iter = lt_json_iter(value);
    struct lt_json key, member;

    if (value.type == LT_JSON_STRING)
        check_string(s, text, value, from_env);
    else if (value.type == LT_JSON_ARRAY)
        while (lt_json_next(&iter, &member))
            check_strings(s, text, member, from_env);
    else if (value.type == LT_JSON_OBJECT)
        while (lt_json_next_member(&iter, &key, &member))
            check_strings(s, text, member, from_env);
}

static bool read_body_text(struct lt_config *c, const struct lt_config_property *p,
                           const struct lt_yaml_node *value, struct lt_rest_resource *resource,
                           struct lt_slice *text) {
    struct json_string s = {.c = c, .p = p, .node = value, .resource = resource};
    struct leat_error err;
    struct lt_json json;
    bool from_env;

    if (!lt_config_expand(c, value, text, &from_env))
        return false;
    lt_config_keep_used(c);
    if (lt_json_parse(&json, *text, 64, &err) != LEAT_OK) {
        lt_config_problem(c, value->offset, NULL, "%s is no JSON%s%s; expected %s", p->name,
                          from_env ? "" : ": ", from_env ? "" : err.text, p->type->expected);
        return false;
    }
    check_strings(&s, *text, json, from_env);
    return true;
}

static void read_body(struct lt_config *c, const struct lt_config_property *p,
                      struct lt_yaml_node *value, void *base) {
    struct lt_rest_resource *resource = base;
    struct lt_slice name = lt_slice_str(p->name), text = {0};
    struct lt_buf buf;
    bool ok;

    lt_buf_init(&buf, MAX_BODY_BYTES);
    if (value->type == LT_YAML_SCALAR) {
        ok = is_text(c, p, value) && read_body_text(c, p, value, resource, &text);
    } else {
        ok = write_body(c, name, value, resource, &buf);
        if (buf.failed)
            lt_config_problem(c, value->offset, NULL, "%s has more than %d bytes as JSON", p->name,
                              MAX_BODY_BYTES);
        text = ok ? lt_arena_dup(c->arena, lt_buf_slice(&buf)) : text;
        c->no_memory |= ok && !text.data;
    }
    lt_buf_deinit(&buf);
    if (ok && text.data)
        place_text(c, name, value, text, &resource->body);
}

#define MAP_OF_TEXTS                                                                               \
    "\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}"

const struct lt_config_type lt_config_template = {
    .name = "text",
    .expected = "a text, in quotes where it begins with a brace",
    .schema = "\"type\":\"string\"",
    .read = read_template,
};
const struct lt_config_type lt_config_templates = {
    .name = "map of texts",
    .expected = "a mapping of at most 200 names to texts",
    .schema = MAP_OF_TEXTS,
    .read = read_params,
};
const struct lt_config_type lt_config_params = {
    .name = "map of texts",
    .expected = "a mapping of at most 200 names to texts",
    .schema = MAP_OF_TEXTS,
    .read = read_params,
};
const struct lt_config_type lt_config_body = {
    .name = "JSON, or text",
    .expected = "a JSON body as a mapping, or as text",
    .schema = "",
    .read = read_body,
};
