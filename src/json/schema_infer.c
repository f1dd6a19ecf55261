/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Widening a schema by a record. A field is required while each object of its
 * level had it: an object counts the required ones that it has, and only when some are
 * missing are they looked for. Once the shape is known nothing is allocated.
 */
#include "json/schema_tree.h"

/* ---- the forms of strings ---- */

static bool two_digits(const char *at, int *value) {
    *value = (at[0] - '0') * 10 + (at[1] - '0');
    return at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9';
}

/* "2024-02-29": 10 bytes are there */
static bool is_date(const char *at) {
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century, rest, month, day;

    if (!two_digits(at, &century) || !two_digits(at + 2, &rest) || at[4] != '-' ||
        !two_digits(at + 5, &month) || at[7] != '-' || !two_digits(at + 8, &day))
        return false;
    int year = century * 100 + rest;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day < 29 || leap);
}

/* What follows the "T": a time with its offset, RFC 3339. */
static bool is_time(struct lt_slice text) {
    const char *at = text.data;
    const char *end = text.data + text.len;
    int hour, minute, second;

    if (text.len < 9 || !two_digits(at, &hour) || at[2] != ':' || !two_digits(at + 3, &minute) ||
        at[5] != ':' || !two_digits(at + 6, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    at += 8;
    if (*at == '.') {
        const char *digits = ++at;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
        if (at == digits)
            return false;
    }
    if (end - at == 1)
        return *at == 'Z' || *at == 'z';
    return end - at == 6 && (*at == '+' || *at == '-') && two_digits(at + 1, &hour) &&
           at[3] == ':' && two_digits(at + 4, &minute) && hour <= 23 && minute <= 59;
}

static unsigned format_of(struct lt_json string) {
    struct lt_slice text = lt_slice(string.raw.data + 1, string.raw.len - 2);

    if (text.len < 10 || !is_date(text.data))
        return 0;
    if (text.len == 10)
        return LT_SCHEMA_DATE;
    bool joint = text.data[10] == 'T' || text.data[10] == 't';
    return joint && is_time(lt_slice_from(text, 11)) ? LT_SCHEMA_DATE_TIME : 0;
}

/* ---- widening ---- */

static leat_status add_value(struct lt_json_schema *schema, struct lt_schema_node *node,
                             struct lt_json value, struct leat_error *err);

static void mark_missing(struct lt_schema_node *node) {
    for (size_t i = 0; i < node->n_fields; i++) {
        struct lt_schema_field *field = &node->fields[i];
        if (!field->optional && field->seen != node->n_objects) {
            field->optional = true;
            node->n_required--;
        }
    }
}

static leat_status add_field(struct lt_json_schema *schema, struct lt_schema_node *node,
                             struct lt_json key, bool first, struct lt_schema_field **out,
                             struct leat_error *err) {
    lt_buf_clear(&schema->name);
    lt_json_string_append(key, &schema->name);
    leat_status status = lt_buf_status(&schema->name, err);
    if (status == LEAT_OK)
        status = lt_schema_append(schema, node, lt_buf_slice(&schema->name), out, err);
    if (status == LEAT_OK && *out && !first) {
        (*out)->optional = true; /* objects before it did without */
        node->n_required--;
    }
    return status;
}

static leat_status add_object(struct lt_json_schema *schema, struct lt_schema_node *node,
                              struct lt_json object, bool first, struct leat_error *err) {
    struct lt_json_iter iter = lt_json_iter(object);
    leat_status status = LEAT_OK;
    struct lt_json key, value;
    size_t hint = 0, n_there = 0;

    node->n_objects++;
    while (status == LEAT_OK && lt_json_next_member(&iter, &key, &value)) {
        struct lt_schema_field *field = lt_schema_find(node, key, &hint, &schema->name);
        if (!field && !node->open) {
            status = add_field(schema, node, key, first, &field, err);
            hint = node->n_fields;
        }
        if (!field)
            continue;
        if (field->seen != node->n_objects) {
            field->seen = node->n_objects;
            n_there += !field->optional;
        }
        status = add_value(schema, field->node, value, err);
    }
    if (status == LEAT_OK && n_there < node->n_required)
        mark_missing(node);
    return status;
}

static leat_status add_array(struct lt_json_schema *schema, struct lt_schema_node *node,
                             struct lt_json array, struct leat_error *err) {
    struct lt_json_iter iter = lt_json_iter(array);
    leat_status status = LEAT_OK;
    struct lt_json value;

    while (status == LEAT_OK && lt_json_next(&iter, &value)) {
        if (!node->items)
            node->items = lt_schema_node_new(schema, node->depth + 1U);
        if (!node->items)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a schema of %zu fields",
                           schema->n_nodes);
        status = add_value(schema, node->items, value, err);
    }
    return status;
}

/* Goes no deeper than the schema does: below it a node takes anything. */
static leat_status add_value(struct lt_json_schema *schema, struct lt_schema_node *node,
                             struct lt_json value, struct leat_error *err) {
    unsigned type = lt_schema_type_of(value);
    bool first = !(node->types & type);

    if (node->any)
        return LEAT_OK;
    node->types = (uint8_t)(node->types | type);
    if (node->types & LT_SCHEMA_NUMBER)
        node->types = (uint8_t)(node->types & ~LT_SCHEMA_INTEGER);
    if (type == LT_SCHEMA_STRING && node->formats)
        node->formats = (uint8_t)(node->formats & format_of(value));
    if (type == LT_SCHEMA_OBJECT)
        return add_object(schema, node, value, first, err);
    if (type == LT_SCHEMA_ARRAY)
        return add_array(schema, node, value, err);
    return LEAT_OK;
}

leat_status lt_json_schema_add(struct lt_json_schema *schema, struct lt_json record,
                               struct leat_error *err) {
    leat_status status = add_value(schema, schema->root, record, err);

    if (status == LEAT_OK)
        schema->n_records++;
    return status;
}
