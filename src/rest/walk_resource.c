/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A resource compiled. What its texts and fields take of a parent's record is one JSON array a
 * task: the values of the path, the parameters, the headers, the body, and one for each field.
 */
#include "rest/walk_parts.h"

#include <stdlib.h>

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the resources of an API");
}

static leat_status compile_text(struct lt_walk_resource *res, struct lt_rest_template **out,
                                const struct lt_rest_text *text, enum lt_rest_text_kind kind,
                                const char *where, struct leat_error *err) {
    leat_status status =
        lt_rest_template_new(out, text, kind, res->resource->name, where, NULL, 0, err);
    if (status == LEAT_OK)
        res->n_values += lt_rest_template_n_values(*out);
    return status;
}

static leat_status compile_params(struct lt_walk_resource *res, struct lt_rest_template ***out,
                                  const struct lt_rest_param *params, size_t n,
                                  enum lt_rest_text_kind kind, const char *group,
                                  struct leat_error *err) {
    leat_status status = LEAT_OK;
    char where[160];

    *out = calloc(n + 1, sizeof(**out));
    if (!*out)
        return no_memory(err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        snprintf(where, sizeof(where), "%s.%.100s", group, params[i].name);
        status = compile_text(res, &(*out)[i], &params[i].value, kind, where, err);
    }
    return status;
}

static bool mentions(struct lt_slice text, const char *word) {
    return text.len && memmem(text.data, text.len, word, strlen(word));
}

static struct lt_slice trim(struct lt_slice text) {
    while (text.len && strchr(" \t\r\n", text.data[0]) && text.data[0])
        text = lt_slice_from(text, 1);
    while (text.len && strchr(" \t\r\n", text.data[text.len - 1]) && text.data[text.len - 1])
        text.len--;
    return text;
}

/* The two variables alone need no jq. A field that takes the time of its page is asked of [time,
 * the parent's record] for each page; a parent's record is kept for it only where its text can
 * reach into one. */
static leat_status compile_field(struct lt_walk_resource *res, struct lt_walk_field *field,
                                 const struct lt_expr_text *source, struct leat_error *err) {
    static const char head[] = ".[0] as $fetched_at | .[1] | (", tail[] = "\n)";
    struct lt_expr_text text = *source;
    struct lt_expr_var var = {.name = "resource"};
    struct lt_buf name, wrapped;

    if (lt_slice_eq_str(trim(text.text), "$fetched_at")) {
        field->when = LT_WALK_FETCHED_AT;
        return LEAT_OK;
    }
    if (lt_slice_eq_str(trim(text.text), "$resource")) {
        field->when = LT_WALK_NAME;
        return LEAT_OK;
    }
    lt_buf_init(&name, 1 << 16);
    lt_buf_init(&wrapped, text.text.len + sizeof(head) + sizeof(tail));
    lt_json_write_string(&name, lt_slice_str(res->resource->name));
    if (mentions(text.text, "$fetched_at")) {
        field->when = LT_WALK_EACH_PAGE;
        field->takes_parent = memchr(text.text.data, '.', text.text.len);
        lt_buf_append_str(&wrapped, head);
        lt_buf_append(&wrapped, text.text);
        lt_buf_append_str(&wrapped, tail);
        text.text = lt_buf_slice(&wrapped);
        text.column -= text.line ? (unsigned)(sizeof(head) - 1) : 0; /* its own text's first */
    }
    var.json = lt_buf_slice(&name);
    leat_status status = name.failed || wrapped.failed
                             ? no_memory(err)
                             : lt_expr_query_new(&field->query, &text, &var, 1, err);
    lt_buf_deinit(&name);
    lt_buf_deinit(&wrapped);
    return status;
}

static leat_status compile_fields(struct lt_walk_resource *res, struct leat_error *err) {
    const struct lt_rest_resource *resource = res->resource;
    leat_status status = LEAT_OK;

    res->fields = calloc(resource->n_fields + 1, sizeof(*res->fields));
    if (!res->fields)
        return no_memory(err);
    for (size_t i = 0; i < resource->n_fields && status == LEAT_OK; i++)
        status = compile_field(res, &res->fields[i], &resource->fields[i], err);
    res->n_values += resource->n_fields;
    return status;
}

static leat_status compile_incremental(struct lt_walk_resource *res, struct leat_error *err) {
    struct lt_expr_text text = res->resource->incremental.field;

    if (!text.text.data)
        return LEAT_OK;
    if (!text.name.data)
        text.name = LT_LIT("incremental.field");
    return lt_expr_query_new(&res->incremental, &text, NULL, 0, err);
}

leat_status lt_walk_resource_init(struct lt_walk_resource *res, const struct lt_rest_api *api,
                                  size_t index, struct leat_error *err) {
    const struct lt_rest_resource *resource = &api->resources[index];

    *res = (struct lt_walk_resource){.api = api, .resource = resource, .index = index};
    res->stat.name = resource->name;
    leat_status status = compile_text(res, &res->path, &resource->path, LT_REST_PATH, "path", err);
    if (status == LEAT_OK)
        status = compile_params(res, &res->params, resource->params, resource->n_params,
                                LT_REST_PARAM, "params", err);
    if (status == LEAT_OK)
        status = compile_params(res, &res->headers, resource->headers, resource->n_headers,
                                LT_REST_HEADER, "headers", err);
    if (status == LEAT_OK && resource->body.source.text.data)
        status = compile_text(res, &res->body, &resource->body, LT_REST_BODY, "body", err);
    if (status == LEAT_OK)
        status = compile_fields(res, err);
    if (status == LEAT_OK)
        status = lt_rest_records_init(&res->records, resource, err);
    if (status == LEAT_OK)
        status = lt_rest_pager_init(&res->pager, resource, err);
    if (status == LEAT_OK)
        status = compile_incremental(res, err);
    return status;
}

void lt_walk_resource_deinit(struct lt_walk_resource *res) {
    if (!res->resource)
        return;
    lt_rest_template_free(res->path);
    lt_rest_template_free(res->body);
    for (size_t i = 0; res->params && i < res->resource->n_params; i++)
        lt_rest_template_free(res->params[i]);
    for (size_t i = 0; res->headers && i < res->resource->n_headers; i++)
        lt_rest_template_free(res->headers[i]);
    for (size_t i = 0; res->fields && i < res->resource->n_fields; i++)
        lt_expr_query_free(res->fields[i].query);
    free(res->params);
    free(res->headers);
    free(res->fields);
    free(res->children);
    lt_rest_records_deinit(&res->records);
    lt_rest_pager_deinit(&res->pager);
    lt_expr_query_free(res->incremental);
    lt_walk_mark_deinit(&res->base);
    lt_walk_mark_deinit(&res->high);
    free((char *)res->kept.data);
    *res = (struct lt_walk_resource){0};
}

static leat_status ask_text(struct lt_rest_template *template, struct lt_json parent,
                            struct lt_arena *scratch, struct lt_buf *out, struct leat_error *err) {
    size_t n = template ? lt_rest_template_n_values(template) : 0;

    if (!n)
        return LEAT_OK;
    struct lt_json *values = lt_arena_calloc(scratch, n, sizeof(*values));
    if (!values)
        return no_memory(err);
    leat_status status = lt_rest_template_ask(template, parent, values, scratch, err);
    for (size_t i = 0; status == LEAT_OK && i < n; i++) {
        lt_buf_append_byte(out, ',');
        lt_buf_append(out, values[i].raw);
    }
    return status;
}

/* The one value of a field's expression. */
static leat_status ask_field(struct lt_walk_resource *res, size_t i, struct lt_json input,
                             struct lt_arena *arena, struct lt_json *out, struct leat_error *err) {
    struct lt_slice name = res->resource->fields[i].name;
    struct lt_json *outputs = NULL;
    size_t n = 0;

    leat_status status = lt_expr_query_run(res->fields[i].query, input, arena, &outputs, &n, err);
    if (status != LEAT_OK)
        return lt_error_prefix(err, "resource %s: fields.%.*s", res->resource->name, LT_FMT(name));
    if (n != 1)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "resource %s: fields.%.*s gives %zu values; expected one",
                       res->resource->name, LT_FMT(name), n);
    *out = outputs[0];
    return LEAT_OK;
}

static leat_status ask_fields(struct lt_walk_resource *res, struct lt_json parent,
                              struct lt_arena *scratch, struct lt_buf *out,
                              struct leat_error *err) {
    for (size_t i = 0; i < res->resource->n_fields; i++) {
        const struct lt_walk_field *field = &res->fields[i];
        struct lt_json value = {LT_JSON_NULL, LT_LIT("null")};
        leat_status status = LEAT_OK;
        if (field->when == LT_WALK_ONCE)
            status = ask_field(res, i, parent, scratch, &value, err);
        else if (field->takes_parent)
            value = parent;
        if (status != LEAT_OK)
            return status;
        lt_buf_append_byte(out, ',');
        if (field->when == LT_WALK_NAME)
            lt_json_write_string(out, lt_slice_str(res->resource->name));
        else
            lt_buf_append(out, value.raw);
    }
    return LEAT_OK;
}

leat_status lt_walk_ask_values(struct lt_walk_resource *res, struct lt_json parent,
                               struct lt_arena *scratch, struct lt_buf *out,
                               struct leat_error *err) {
    size_t start = out->len;
    leat_status status = ask_text(res->path, parent, scratch, out, err);

    for (size_t i = 0; i < res->resource->n_params && status == LEAT_OK; i++)
        status = ask_text(res->params[i], parent, scratch, out, err);
    for (size_t i = 0; i < res->resource->n_headers && status == LEAT_OK; i++)
        status = ask_text(res->headers[i], parent, scratch, out, err);
    if (status == LEAT_OK)
        status = ask_text(res->body, parent, scratch, out, err);
    if (status == LEAT_OK)
        status = ask_fields(res, parent, scratch, out, err);
    if (status != LEAT_OK)
        return status;
    if (out->len == start)
        lt_buf_append_byte(out, '[');
    lt_buf_append_byte(out, ']');
    if (!out->failed)
        out->data[start] = '['; /* over the first comma */
    return lt_buf_status(out, err);
}

/* [time, the kept record] */
static leat_status ask_with_time(struct lt_walk_resource *res, size_t i, struct lt_json kept,
                                 struct lt_slice time, struct lt_arena *arena, struct lt_json *out,
                                 struct leat_error *err) {
    char *text = lt_arena_printf(arena, "[%.*s,%.*s]", LT_FMT(time), LT_FMT(kept.raw));
    struct lt_json input = {LT_JSON_ARRAY, lt_slice_str(text)};

    return text ? ask_field(res, i, input, arena, out, err) : no_memory(err);
}

leat_status lt_walk_field_values(struct lt_walk_resource *res, struct lt_json values,
                                 const char *fetched_at, struct lt_arena *arena,
                                 struct lt_json_field *fields, struct leat_error *err) {
    const struct lt_rest_resource *resource = res->resource;
    struct lt_json_iter iter = lt_json_iter(values);
    struct lt_json value = {LT_JSON_NULL, LT_LIT("null")};
    char *quoted = lt_arena_printf(arena, "\"%s\"", fetched_at);

    if (!quoted)
        return no_memory(err);
    for (size_t i = resource->n_fields; i < res->n_values; i++)
        lt_json_next(&iter, &value);
    for (size_t i = 0; i < resource->n_fields; i++) {
        leat_status status = LEAT_OK;
        lt_json_next(&iter, &value);
        if (res->fields[i].when == LT_WALK_FETCHED_AT)
            value.raw = lt_slice_str(quoted);
        else if (res->fields[i].when == LT_WALK_EACH_PAGE)
            status = ask_with_time(res, i, value, lt_slice_str(quoted), arena, &value, err);
        if (status != LEAT_OK)
            return status;
        fields[i] = (struct lt_json_field){resource->fields[i].name, value.raw};
    }
    return LEAT_OK;
}
