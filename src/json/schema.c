/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a schema: its nodes, and how a field is found. Records of one source
 * have their names in the same order, so a name is looked for where the last one
 * ended; where it is not, a hash table leads to it.
 */
#include "json/schema_tree.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_TREE_BYTES = 128 << 20,
    MAX_TEXT_BYTES = 1 << 16,
    MIN_FIELDS = 8,
    SHOWN_NAME_BYTES = 200
};

leat_status lt_json_schema_new(struct lt_json_schema **out, struct leat_error *err) {
    struct lt_json_schema *schema = calloc(1, sizeof(*schema));

    *out = NULL;
    if (!schema)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a schema");
    lt_arena_init(&schema->arena, MAX_TREE_BYTES);
    lt_buf_init(&schema->name, SIZE_MAX);
    lt_buf_init(&schema->path, MAX_TEXT_BYTES);
    lt_buf_init(&schema->expected, MAX_TEXT_BYTES);
    schema->root = lt_schema_node_new(schema, 0);
    if (!schema->root) {
        lt_json_schema_free(schema);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a schema");
    }
    *out = schema;
    return LEAT_OK;
}

void lt_json_schema_free(struct lt_json_schema *schema) {
    if (!schema)
        return;
    lt_arena_deinit(&schema->arena);
    lt_buf_deinit(&schema->name);
    lt_buf_deinit(&schema->path);
    lt_buf_deinit(&schema->expected);
    free(schema);
}

uint64_t lt_json_schema_n_records(const struct lt_json_schema *schema) {
    return schema->n_records;
}

struct lt_schema_node *lt_schema_node_new(struct lt_json_schema *schema, unsigned depth) {
    struct lt_schema_node *node = lt_arena_calloc(&schema->arena, 1, sizeof(*node));

    if (!node)
        return NULL;
    schema->n_nodes++;
    node->depth = (uint8_t)depth;
    node->formats = LT_SCHEMA_ALL_FORMATS;
    node->any = depth > LT_SCHEMA_MAX_DEPTH || schema->n_nodes > LT_SCHEMA_MAX_NODES;
    return node;
}

/* ---- fields ---- */

static uint32_t hash_of(struct lt_slice name) {
    return lt_crc32c(0, name.data, name.len);
}

static size_t slot_mask(const struct lt_schema_node *node) {
    return 2 * node->cap - 1;
}

struct lt_schema_field *lt_schema_find_name(const struct lt_schema_node *node,
                                            struct lt_slice name) {
    uint32_t hash = hash_of(name);

    if (!node->cap)
        return NULL;
    for (size_t at = hash & slot_mask(node); node->slots[at]; at = (at + 1) & slot_mask(node)) {
        struct lt_schema_field *field = &node->fields[node->slots[at] - 1];
        if (field->hash == hash && lt_slice_eq(field->name, name))
            return field;
    }
    return NULL;
}

struct lt_schema_field *lt_schema_find(const struct lt_schema_node *node, struct lt_json key,
                                       size_t *hint, struct lt_buf *scratch) {
    struct lt_slice name = lt_slice(key.raw.data + 1, key.raw.len - 2);
    struct lt_schema_field *field;

    if (memchr(name.data, '\\', name.len)) {
        lt_buf_clear(scratch);
        lt_json_string_append(key, scratch);
        name = lt_buf_slice(scratch);
    }
    if (*hint < node->n_fields && lt_slice_eq(node->fields[*hint].name, name))
        return &node->fields[(*hint)++];
    field = lt_schema_find_name(node, name);
    if (field)
        *hint = (size_t)(field - node->fields) + 1;
    return field;
}

static void put_in_slot(struct lt_schema_node *node, size_t index) {
    size_t at = node->fields[index].hash & slot_mask(node);

    while (node->slots[at])
        at = (at + 1) & slot_mask(node);
    node->slots[at] = (uint32_t)index + 1;
}

/* What was outgrown stays in the arena: in sum no more than what is in use. */
static bool grow(struct lt_json_schema *schema, struct lt_schema_node *node) {
    size_t cap = node->cap ? 2 * node->cap : MIN_FIELDS;
    struct lt_schema_field *fields = lt_arena_calloc(&schema->arena, cap, sizeof(*fields));
    uint32_t *slots = lt_arena_calloc(&schema->arena, 2 * cap, sizeof(*slots));

    if (!fields || !slots)
        return false;
    if (node->n_fields)
        memcpy(fields, node->fields, node->n_fields * sizeof(*fields));
    node->fields = fields;
    node->slots = slots;
    node->cap = cap;
    for (size_t i = 0; i < node->n_fields; i++)
        put_in_slot(node, i);
    return true;
}

leat_status lt_schema_append(struct lt_json_schema *schema, struct lt_schema_node *node,
                             struct lt_slice name, struct lt_schema_field **out,
                             struct leat_error *err) {
    *out = NULL;
    if (node->n_fields == LT_SCHEMA_MAX_FIELDS || schema->n_nodes >= LT_SCHEMA_MAX_NODES ||
        name.len > LT_SCHEMA_MAX_NAME_BYTES || node->depth == LT_SCHEMA_MAX_DEPTH) {
        node->open = true;
        return LEAT_OK;
    }
    struct lt_slice kept = lt_arena_dup(&schema->arena, name);
    struct lt_schema_node *child = lt_schema_node_new(schema, node->depth + 1U);
    if (!kept.data || !child || (node->n_fields == node->cap && !grow(schema, node)))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a schema of %zu fields",
                       schema->n_nodes);
    *out = &node->fields[node->n_fields];
    **out = (struct lt_schema_field){.name = kept, .hash = hash_of(kept), .node = child};
    put_in_slot(node, node->n_fields);
    node->n_fields++;
    node->n_required++;
    return LEAT_OK;
}

/* ---- types and paths ---- */

unsigned lt_schema_type_of(struct lt_json value) {
    switch (value.type) {
    case LT_JSON_NULL:
        return LT_SCHEMA_NULL;
    case LT_JSON_FALSE:
    case LT_JSON_TRUE:
        return LT_SCHEMA_BOOLEAN;
    case LT_JSON_NUMBER:
        /* by its spelling: who writes 10.0 means a number that has a fraction tomorrow */
        for (size_t i = 0; i < value.raw.len; i++)
            if (value.raw.data[i] == '.' || (value.raw.data[i] | 0x20) == 'e')
                return LT_SCHEMA_NUMBER;
        return LT_SCHEMA_INTEGER;
    case LT_JSON_STRING:
        return LT_SCHEMA_STRING;
    case LT_JSON_ARRAY:
        return LT_SCHEMA_ARRAY;
    case LT_JSON_OBJECT:
        break;
    }
    return LT_SCHEMA_OBJECT;
}

const char *lt_schema_type_name(unsigned index, unsigned *type) {
    static const char *const names[LT_SCHEMA_N_TYPES] = {"boolean", "integer", "number", "string",
                                                         "array",   "object",  "null"};
    *type = 1U << index;
    return names[index];
}

const char *lt_schema_type_names(unsigned types, char out[80]) {
    size_t len = 0;

    if (!types)
        return "nothing";
    out[0] = '\0';
    for (unsigned i = 0, type; i < LT_SCHEMA_N_TYPES; i++) {
        const char *name = lt_schema_type_name(i, &type);
        if (!(types & type))
            continue;
        types &= ~type;
        const char *joint = !len ? "" : types ? ", " : " or ";
        len += (size_t)snprintf(out + len, 80 - len, "%s%s", joint, name);
    }
    return out;
}

static bool is_plain(struct lt_slice name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

void lt_schema_path_add(struct lt_buf *path, struct lt_slice name) {
    lt_buf_append_byte(path, '.');
    if (name.len > SHOWN_NAME_BYTES)
        name.len = SHOWN_NAME_BYTES;
    if (is_plain(name))
        lt_buf_append(path, name);
    else
        lt_json_write_string(path, name);
}
