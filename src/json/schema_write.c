/* SPDX-License-Identifier: Apache-2.0 */
/* A schema as JSON Schema. It is nested twice as deep as its records, deeper than a writer goes. */
#include "json/schema_tree.h"

static void write_node(const struct lt_schema_node *node, struct lt_buf *out, bool *comma);

/* `"name":` with the comma before it where one is due */
static void write_keyword(struct lt_buf *out, bool *comma, const char *name) {
    lt_buf_printf(out, "%s\"%s\":", *comma ? "," : "", name);
    *comma = true;
}

static void write_types(unsigned types, struct lt_buf *out) {
    bool several = (types & (types - 1)) != 0;
    bool comma = false;

    if (several)
        lt_buf_append_byte(out, '[');
    for (unsigned i = 0, type; i < LT_SCHEMA_N_TYPES; i++) {
        const char *name = lt_schema_type_name(i, &type);
        if (!(types & type))
            continue;
        lt_buf_printf(out, "%s\"%s\"", comma ? "," : "", name);
        comma = true;
    }
    if (several)
        lt_buf_append_byte(out, ']');
}

static void write_fields(const struct lt_schema_node *node, struct lt_buf *out, bool *comma) {
    write_keyword(out, comma, "properties");
    lt_buf_append_byte(out, '{');
    for (size_t i = 0; i < node->n_fields; i++) {
        bool inner = false;
        if (i)
            lt_buf_append_byte(out, ',');
        lt_json_write_string(out, node->fields[i].name);
        lt_buf_append_str(out, ":{");
        write_node(node->fields[i].node, out, &inner);
        lt_buf_append_byte(out, '}');
    }
    lt_buf_append_byte(out, '}');
    if (node->n_required) {
        bool inner = false;
        write_keyword(out, comma, "required");
        lt_buf_append_byte(out, '[');
        for (size_t i = 0; i < node->n_fields; i++) {
            if (node->fields[i].optional)
                continue;
            if (inner)
                lt_buf_append_byte(out, ',');
            inner = true;
            lt_json_write_string(out, node->fields[i].name);
        }
        lt_buf_append_byte(out, ']');
    }
    if (node->open) {
        write_keyword(out, comma, "additionalProperties");
        lt_buf_append_str(out, "true");
    }
}

/* The members of a schema object; none where any value is taken. */
static void write_node(const struct lt_schema_node *node, struct lt_buf *out, bool *comma) {
    if (node->any || !node->types)
        return;
    write_keyword(out, comma, "type");
    write_types(node->types, out);
    if ((node->types & LT_SCHEMA_STRING) && node->formats) {
        write_keyword(out, comma, "format");
        lt_buf_append_str(out, node->formats & LT_SCHEMA_DATE ? "\"date\"" : "\"date-time\"");
    }
    if (node->types & LT_SCHEMA_OBJECT)
        write_fields(node, out, comma);
    if (node->items) {
        bool inner = false;
        write_keyword(out, comma, "items");
        lt_buf_append_byte(out, '{');
        write_node(node->items, out, &inner);
        lt_buf_append_byte(out, '}');
    }
}

void lt_json_schema_write(const struct lt_json_schema *schema, const char *title,
                          struct lt_buf *out) {
    bool comma = false;

    lt_buf_append_byte(out, '{');
    write_keyword(out, &comma, "$schema");
    lt_buf_append_str(out, "\"https://json-schema.org/draft/2020-12/schema\"");
    if (title) {
        write_keyword(out, &comma, "title");
        lt_json_write_string(out, lt_slice_str(title));
    }
    write_node(schema->root, out, &comma);
    lt_buf_append_byte(out, '}');
}
