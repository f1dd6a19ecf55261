/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_SCHEMA_TREE_H
#define LT_JSON_SCHEMA_TREE_H

#include "json/schema.h"

/*
 * The tree behind a schema, for the files of this room that build, write, read and compare it.
 * Nodes live in the schema's arena and are never freed alone.
 */

/* Types as bits. A level that saw a NUMBER does not keep INTEGER: it is one kind of it. */
enum {
    LT_SCHEMA_BOOLEAN = 1,
    LT_SCHEMA_INTEGER = 2,
    LT_SCHEMA_NUMBER = 4,
    LT_SCHEMA_STRING = 8,
    LT_SCHEMA_ARRAY = 16,
    LT_SCHEMA_OBJECT = 32,
    LT_SCHEMA_NULL = 64,
};

/* Forms that all strings seen had, as bits; all while no string was seen. */
enum { LT_SCHEMA_DATE_TIME = 1, LT_SCHEMA_DATE = 2, LT_SCHEMA_ALL_FORMATS = 3 };

enum {
    LT_SCHEMA_MAX_DEPTH = 32,
    LT_SCHEMA_MAX_FIELDS = 1000,     /* of one level */
    LT_SCHEMA_MAX_NODES = 20000,     /* of all */
    LT_SCHEMA_MAX_NAME_BYTES = 1024, /* a longer name is not kept: its level takes any name */
};

struct lt_schema_field {
    struct lt_slice name;
    uint32_t hash;
    bool optional;
    uint64_t seen; /* the last object, by the node's count, that had it */
    struct lt_schema_node *node;
};

struct lt_schema_node {
    uint8_t types;
    uint8_t formats;
    uint8_t depth;
    bool any;  /* takes whatever comes and keeps nothing */
    bool open; /* takes any name beside its fields */

    struct lt_schema_field *fields; /* in the order in which they were first seen */
    size_t n_fields;
    size_t n_required;
    size_t cap;
    uint32_t *slots; /* field + 1 by hash, 0 is free: 2 * cap, a power of two */
    uint64_t n_objects;

    struct lt_schema_node *items; /* NULL: no element was seen */
};

struct lt_json_schema {
    struct lt_arena arena;
    struct lt_schema_node *root;
    size_t n_nodes;
    uint64_t n_records;

    /* scratch of the call at work */
    struct lt_buf name;
    struct lt_buf path; /* these three hold the misfit too */
    struct lt_buf expected;
    struct lt_json_schema_misfit misfit;
};

/** NULL without memory. A node below the greatest depth takes anything. */
struct lt_schema_node *lt_schema_node_new(struct lt_json_schema *schema, unsigned depth);

/** The field of that name; NULL when there is none. `*hint` is the place where it is looked for
 * first, and becomes the one behind it. `scratch` is for names with escapes. */
struct lt_schema_field *lt_schema_find(const struct lt_schema_node *node, struct lt_json key,
                                       size_t *hint, struct lt_buf *scratch);
/** The same by the name itself. */
struct lt_schema_field *lt_schema_find_name(const struct lt_schema_node *node,
                                            struct lt_slice name);

/** Adds a field (that is not there); `*out` is NULL, and the node open, past what a level keeps.
 * The field is required. */
LEAT_MUST_CHECK leat_status lt_schema_append(struct lt_json_schema *schema,
                                             struct lt_schema_node *node, struct lt_slice name,
                                             struct lt_schema_field **out, struct leat_error *err);

/** The type of a value: one bit. */
unsigned lt_schema_type_of(struct lt_json value);

/** "string or null", "integer, string or null"; "nothing" for none. At most 80 bytes. */
const char *lt_schema_type_names(unsigned types, char out[80]);

/** Calls for each of `types` in the order in which they are written. */
const char *lt_schema_type_name(unsigned index, unsigned *type);
enum { LT_SCHEMA_N_TYPES = 7 };

/** Adds ".name" to a path for people, as jq would say it. */
void lt_schema_path_add(struct lt_buf *path, struct lt_slice name);

#endif
