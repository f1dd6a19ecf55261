/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON Schema, as lt_json_schema_write() writes it or a person does. Annotations
 * and what narrows a value within its type (`minimum`, `pattern`, `enum`) are passed over; what
 * would give a level another meaning (`$ref`, `anyOf`) is refused.
 */
#include "json/schema_tree.h"

struct reading {
    struct lt_json_schema *schema;
    struct lt_buf path; /* of the schema at work, for errors */
    struct leat_error *err;
};

static leat_status refuse(struct reading *r, const char *what, struct lt_slice word) {
    const char *path = r->path.len ? lt_buf_cstr(&r->path) : ".";

    if (word.len > 100)
        word.len = 100;
    return lt_fail(r->err, LEAT_E_PARSE, 0, "not a schema: %s: %s%.*s", path ? path : ".", what,
                   LT_FMT(word));
}

static leat_status check_keywords(struct reading *r, struct lt_json object) {
    static const char *const refused[] = {
        "$ref",
        "$dynamicRef",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "contains",
        "prefixItems",
        "patternProperties",
        "unevaluatedItems",
        "unevaluatedProperties",
    };
    struct lt_json value;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (lt_json_get(object, refused[i], &value))
            return refuse(r, "a keyword that is not supported: ", lt_slice_str(refused[i]));
    return LEAT_OK;
}

static leat_status read_type(struct reading *r, struct lt_json name, struct lt_schema_node *node) {
    for (unsigned i = 0, type; i < LT_SCHEMA_N_TYPES; i++) {
        if (lt_json_string_is(name, lt_slice_str(lt_schema_type_name(i, &type)))) {
            node->types = (uint8_t)(node->types | type);
            return LEAT_OK;
        }
    }
    return refuse(r, "an unknown type: ", name.raw);
}

static leat_status read_types(struct reading *r, struct lt_json types,
                              struct lt_schema_node *node) {
    struct lt_json_iter iter = lt_json_iter(types);
    leat_status status = LEAT_OK;
    struct lt_json name;

    if (types.type == LT_JSON_STRING)
        return read_type(r, types, node);
    if (types.type != LT_JSON_ARRAY || lt_json_count(types) == 0)
        return refuse(r, "\"type\" is a string or an array of strings", lt_slice(NULL, 0));
    while (status == LEAT_OK && lt_json_next(&iter, &name))
        status = read_type(r, name, node);
    if (node->types & LT_SCHEMA_NUMBER)
        node->types = (uint8_t)(node->types & ~LT_SCHEMA_INTEGER);
    return status;
}

static leat_status read_node(struct reading *r, struct lt_json text, struct lt_schema_node *node);

static leat_status read_child(struct reading *r, struct lt_json text, struct lt_schema_node *node) {
    if (node->any)
        return LEAT_OK;
    if (text.type == LT_JSON_TRUE) {
        node->any = true;
        return LEAT_OK;
    }
    return read_node(r, text, node);
}

static leat_status read_property(struct reading *r, struct lt_json key, struct lt_json text,
                                 struct lt_schema_node *node) {
    struct lt_json_schema *schema = r->schema;
    struct lt_schema_field *field = NULL;
    size_t hint = 0, path_len = r->path.len;

    if (lt_schema_find(node, key, &hint, &schema->name))
        return refuse(r, "a repeated property: ", key.raw);
    lt_buf_clear(&schema->name);
    lt_json_string_append(key, &schema->name);
    leat_status status = lt_buf_status(&schema->name, r->err);
    if (status == LEAT_OK)
        status = lt_schema_append(schema, node, lt_buf_slice(&schema->name), &field, r->err);
    if (status != LEAT_OK || !field)
        return status;
    field->optional = true;
    node->n_required--;
    lt_schema_path_add(&r->path, field->name);
    status = read_child(r, text, field->node);
    r->path.len = path_len;
    return status;
}

static leat_status read_properties(struct reading *r, struct lt_json properties,
                                   struct lt_schema_node *node) {
    struct lt_json_iter iter = lt_json_iter(properties);
    leat_status status = LEAT_OK;
    struct lt_json key, value;

    if (properties.type != LT_JSON_OBJECT)
        return refuse(r, "\"properties\" is an object", lt_slice(NULL, 0));
    while (status == LEAT_OK && lt_json_next_member(&iter, &key, &value))
        status = read_property(r, key, value, node);
    return status;
}

static leat_status read_required(struct reading *r, struct lt_json required,
                                 struct lt_schema_node *node) {
    struct lt_json_iter iter = lt_json_iter(required);
    struct lt_json name;
    size_t hint = 0;

    if (required.type != LT_JSON_ARRAY)
        return refuse(r, "\"required\" is an array of strings", lt_slice(NULL, 0));
    while (lt_json_next(&iter, &name)) {
        if (name.type != LT_JSON_STRING)
            return refuse(r, "\"required\" is an array of strings", lt_slice(NULL, 0));
        struct lt_schema_field *field = lt_schema_find(node, name, &hint, &r->schema->name);
        if (field && field->optional) {
            field->optional = false;
            node->n_required++;
        }
    }
    return LEAT_OK;
}

static leat_status read_object_keywords(struct reading *r, struct lt_json text,
                                        struct lt_schema_node *node) {
    leat_status status = LEAT_OK;
    struct lt_json value;

    if (lt_json_get(text, "properties", &value))
        status = read_properties(r, value, node);
    if (status == LEAT_OK && lt_json_get(text, "required", &value))
        status = read_required(r, value, node);
    if (lt_json_get(text, "additionalProperties", &value))
        node->open |= value.type != LT_JSON_FALSE;
    return status;
}

static leat_status read_items(struct reading *r, struct lt_json text, struct lt_schema_node *node) {
    size_t path_len = r->path.len;
    struct lt_json items;

    if (!lt_json_get(text, "items", &items) || items.type == LT_JSON_FALSE)
        return LEAT_OK;
    node->items = lt_schema_node_new(r->schema, node->depth + 1U);
    if (!node->items)
        return lt_fail(r->err, LEAT_E_NOMEM, 0, "no memory for a schema");
    lt_buf_append_str(&r->path, r->path.len ? "[]" : ".[]");
    leat_status status = read_child(r, items, node->items);
    r->path.len = path_len;
    return status;
}

/* Without `type` the other keywords tell; without them it takes anything. */
static leat_status read_node(struct reading *r, struct lt_json text, struct lt_schema_node *node) {
    leat_status status;
    struct lt_json value;

    if (text.type != LT_JSON_OBJECT)
        return refuse(r, "a schema is an object", lt_slice(NULL, 0));
    status = check_keywords(r, text);
    if (status == LEAT_OK && lt_json_get(text, "type", &value))
        status = read_types(r, value, node);
    else if (lt_json_get(text, "properties", &value))
        node->types = LT_SCHEMA_OBJECT;
    else if (lt_json_get(text, "items", &value))
        node->types = LT_SCHEMA_ARRAY;
    else
        node->any = node->depth > 0; /* a schema of no record has nothing at its root */
    if (node->types & LT_SCHEMA_STRING)
        node->formats = 0;
    if ((node->types & LT_SCHEMA_STRING) && lt_json_get(text, "format", &value)) {
        if (lt_json_string_is(value, LT_LIT("date-time")))
            node->formats = LT_SCHEMA_DATE_TIME;
        else if (lt_json_string_is(value, LT_LIT("date")))
            node->formats = LT_SCHEMA_DATE;
    }
    if (status == LEAT_OK && (node->types & LT_SCHEMA_OBJECT))
        status = read_object_keywords(r, text, node);
    if (status == LEAT_OK && (node->types & LT_SCHEMA_ARRAY))
        status = read_items(r, text, node);
    return status;
}

leat_status lt_json_schema_read(struct lt_json_schema **out, struct lt_slice text,
                                struct leat_error *err) {
    struct reading r = {.err = err};
    struct lt_json parsed;

    *out = NULL;
    leat_status status = lt_json_parse(&parsed, text, LT_JSON_MAX_DEPTH, err);
    if (status == LEAT_OK)
        status = lt_json_schema_new(&r.schema, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_init(&r.path, 1 << 16);
    status = read_node(&r, parsed, r.schema->root);
    lt_buf_deinit(&r.path);
    if (status == LEAT_OK)
        *out = r.schema;
    else
        lt_json_schema_free(r.schema);
    return status;
}
