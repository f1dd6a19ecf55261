/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_CONFIG_H
#define LT_PIPELINE_CONFIG_H

#include "base/buf.h"
#include "pipeline/system.h"
#include "pipeline/yaml.h"

/*
 * How a file's YAML becomes a struct lt_system. Each kind of mapping is a table of properties
 * (config_schema.c); the reader, the reference page and the JSON schema come from the same rows.
 * A problem never stops the reading: all are gathered, and told in the order of the file.
 * Private to src/pipeline/config_*.c, system.c and their tests.
 */
struct lt_config;
struct lt_config_kind;
struct lt_config_property;

/** How a value is written, and the one function that reads it. */
struct lt_config_type {
    const char *name;     /**< in the reference: "duration" */
    const char *expected; /**< in errors: "a duration such as 60s or 15m" */
    const char *schema;   /**< members of a JSON schema: "\"type\":\"string\"" */
    /** Stores the value at `base` + the property's offset, or tells a problem. */
    void (*read)(struct lt_config *c, const struct lt_config_property *p,
                 struct lt_yaml_node *value, void *base);
    /** For a text: its value given as a slice (a default, or from the environment too). */
    bool (*read_text)(struct lt_config *c, const struct lt_config_property *p, struct lt_slice text,
                      void *out);
    /** A bound for people ("1 MiB"); NULL: the type has none. Returns `out`. */
    char *(*show)(int64_t bound, char out[32]);
    bool unquoted; /**< a text in quotes is not such a value */
};

struct lt_config_property {
    const char *name; /**< NULL ends a table */
    const struct lt_config_type *type;
    size_t offset;
    size_t count_offset;               /**< of the number, for maps and lists */
    const char *fallback;              /**< the default as it would be written, or NULL */
    int64_t min, max;                  /**< in the type's unit; max 0: not bounded */
    int64_t step;                      /**< a multiple of it; 0: any */
    const char *const *choices;        /**< ended by NULL */
    const struct lt_config_kind *kind; /**< of the values of maps, lists and objects */
    bool required;
    const char *help; /**< one line */
};

/** One kind of mapping. */
struct lt_config_kind {
    const char *name; /**< "stream" */
    const char *help;
    const struct lt_config_property *properties;
    size_t size; /**< of the struct that it fills; 0: the one of the mapping that it stands in */
    size_t place_offset;
    size_t name_offset; /**< for kinds that stand under a name */
    bool (*check_name)(struct lt_config *c, struct lt_yaml_node *key); /**< or NULL */
    /** After all properties: what concerns several. May be NULL. */
    void (*finish)(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
};

extern const struct lt_config_kind lt_config_file; /**< the root of all tables */

struct lt_config {
    struct lt_system *system;
    struct lt_arena *arena;
    struct lt_yaml_source source;
    struct lt_problem *problems;
    size_t n_problems, n_untold;
    size_t n_visited; /**< values read: an alias counts each time */
    bool no_memory;
    /** Where each expression stands: found by its text's address. */
    struct lt_config_jq *expressions;
    size_t n_queries;                /**< of them, those that stand alone */
    struct lt_config_value *dotenv;  /**< what the `.env` beside the file says */
    bool dotenv_read;                /**< it was looked for: at the first variable */
    struct lt_config_value *used;    /**< what variables gave for the text expanded last */
    struct lt_config_value *secrets; /**< of the API being read */
};

/** What an expression is compiled with. */
enum lt_config_jq_scope {
    LT_CONFIG_JQ_PIPELINE, /**< the others of its pipeline */
    LT_CONFIG_JQ_QUERY,    /**< nothing: it is asked alone */
    LT_CONFIG_JQ_FIELD,    /**< alone, with $resource and $fetched_at */
};

struct lt_config_jq {
    struct lt_expr_text text;
    const struct lt_yaml_node *node;
    size_t offset; /**< of the text in the node's */
    bool inexact;  /**< its bytes are not the node's: all its faults are at the offset */
    enum lt_config_jq_scope scope;
    struct lt_config_jq *next;
};

/** A variable, or one of the texts that must not be shown. */
struct lt_config_value {
    const char *name; /**< or NULL */
    const char *text;
    struct lt_config_value *next;
};

/* config_report.c */

enum { LT_CONFIG_MAX_TOLD = 50, LT_CONFIG_MAX_FOUND = 1000 };

/** Adds an error at a byte of the file. `suggestion` (may be NULL) is the nearest valid word. */
void lt_config_problem(struct lt_config *c, size_t offset, const char *suggestion, const char *fmt,
                       ...) LEAT_PRINTF(4, 5);
/** As above, for what may be meant but most likely is not. */
void lt_config_warn(struct lt_config *c, size_t offset, const char *fmt, ...) LEAT_PRINTF(3, 4);
/** At a line and column already known; 0: the start of the file. */
void lt_config_problem_at(struct lt_config *c, unsigned line, unsigned column,
                          const char *suggestion, const char *text);
/** Sorts by place, drops repeats, cuts to LT_CONFIG_MAX_TOLD. */
void lt_config_problems_finish(struct lt_config *c, struct lt_problems *out);
/** "a", "a or b", "a, b or c" in the arena; words end with NULL. Never NULL. */
const char *lt_config_words(struct lt_config *c, const char *const *words, const char *last);
/** The first 100 bytes or so, for an error; no character is cut through. */
struct lt_slice lt_config_cut(struct lt_slice text);
/** Memory of the system, zeroed; NULL sets `no_memory`. */
void *lt_config_alloc(struct lt_config *c, size_t n, size_t size);

/* config_env.c */

/**
 * The text of a value with ${VAR} and ${VAR:-default} replaced ("$${" gives "${"). False when a
 * variable is not set: that is told. `*used` says whether a variable was read; such a value is
 * never shown.
 */
bool lt_config_expand(struct lt_config *c, const struct lt_yaml_node *node, struct lt_slice *out,
                      bool *used);
enum { LT_CONFIG_MAX_VALUE_BYTES = 64 << 10 };
/** Appends what stands for the "${…}" at byte `at` of the node's text, `*len` bytes long; false
 * after telling what is wrong. What an environment gave is added to `used`. */
bool lt_config_expand_one(struct lt_config *c, const struct lt_yaml_node *node, size_t at,
                          struct lt_buf *out, size_t *len);
/** What the variables of the text expanded last gave is a secret of the API being read. */
void lt_config_keep_used(struct lt_config *c);
enum { LT_CONFIG_MAX_SECRETS = 2000 };
/** So is `text`; an empty one is none. */
void lt_config_keep_secret(struct lt_config *c, const char *text);

/* config_dotenv.c */

/** The value of a variable: of the environment, else of the `.env` beside the file, which is read
 * when the first one is asked for (what is wrong with it is told at `offset`); else NULL. */
const char *lt_config_variable(struct lt_config *c, const char *name, size_t offset);
/** "NAME" as beside the file, in the arena: its folder goes before a relative one. NULL without
 * memory. */
const char *lt_config_beside(struct lt_config *c, struct lt_slice name);

/* config_read.c */

/** True for nothing, `null` and `~`. */
bool lt_config_is_null(const struct lt_yaml_node *value);
/** Reads `mapping` as `kind` into `base`. */
void lt_config_read_kind(struct lt_config *c, const struct lt_config_kind *kind,
                         struct lt_yaml_node *mapping, void *base);
/** What is expected of a value, its range included, in the arena. Never NULL. */
const char *lt_config_expected(struct lt_config *c, const struct lt_config_property *p);
/** True when a value lies in the property's range and on its steps. */
bool lt_config_in_range(const struct lt_config_property *p, int64_t value);
/** Tells "NAME is WHAT; expected TYPE". */
void lt_config_wrong_type(struct lt_config *c, const struct lt_config_property *p,
                          const struct lt_yaml_node *value);
/** The text of a scalar, variables replaced; false after telling what is wrong. */
bool lt_config_scalar(struct lt_config *c, const struct lt_config_property *p,
                      const struct lt_yaml_node *value, struct lt_slice *text, bool *from_env);
/** Reads a scalar through the type's read_text. */
void lt_config_read_scalar(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_yaml_node *value, void *base);

extern const struct lt_config_type lt_config_object; /**< a mapping within the same struct */
extern const struct lt_config_type lt_config_map;    /**< name: kind */
extern const struct lt_config_type lt_config_list;   /**< - kind */
/** One of the kind's properties, alone: a word where that one needs no more, or a mapping of one
 * key. Its name is stored (a const char *), its properties lie in the same struct. */
extern const struct lt_config_type lt_config_variant;

/* config_types.c */

extern const struct lt_config_type lt_config_string, lt_config_uint, lt_config_bytes,
    lt_config_duration, lt_config_hours, lt_config_bool, lt_config_choice, lt_config_switch,
    lt_config_jq, lt_config_jq_map, lt_config_jq_pointer, lt_config_int, lt_config_word,
    lt_config_query, lt_config_query_fields;
/** Remembers where an expression stands; `jq` is copied. */
void lt_config_keep_jq(struct lt_config *c, const struct lt_config_jq *jq);
/** True when a text begins as a path into its input does: ".a", ".[", "..". */
bool lt_config_is_jq_path(struct lt_slice text);

/* config_schema_rest.c, config_schema_pipeline.c: the tables */

extern const struct lt_config_kind lt_config_api_kind, lt_config_pipeline_kind;

/* config_rest.c: values of a REST API; config_template.c: texts with expressions in braces */

extern const struct lt_config_type lt_config_url, lt_config_rate, lt_config_secret,
    lt_config_identity, lt_config_params, lt_config_names, lt_config_hints, lt_config_path,
    lt_config_header, lt_config_param_name;
extern const struct lt_config_type lt_config_template, lt_config_templates, lt_config_body;
bool lt_config_has_control(struct lt_slice text);
/** What is wrong with a header's or parameter's name, or NULL. */
const char *lt_config_name_fault(struct lt_slice name, bool is_header);

/* config_resources.c: an API and its resources as a whole */

extern const struct lt_config_type lt_config_for_each;
bool lt_config_check_api_name(struct lt_config *c, struct lt_yaml_node *key);
bool lt_config_check_resource_name(struct lt_config *c, struct lt_yaml_node *key);
void lt_config_finish_auth(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_cursor(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_resource(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_api(struct lt_config *c, struct lt_yaml_node *mapping, void *base);

/* config_refs.c: names, and what names something else in the file */

extern const struct lt_config_type lt_config_stream_ref, lt_config_buckets, lt_config_objects,
    lt_config_destination, lt_config_error_prefix, lt_config_suffix, lt_config_role,
    lt_config_api_ref, lt_config_resource_refs, lt_config_dead_objects;
bool lt_config_check_stream_name(struct lt_config *c, struct lt_yaml_node *key);
bool lt_config_check_delivery_name(struct lt_config *c, struct lt_yaml_node *key);
bool lt_config_check_pipeline_name(struct lt_config *c, struct lt_yaml_node *key);
/** The stream of that name in the file, or NULL. */
struct lt_system_stream *lt_config_find_stream(struct lt_config *c, struct lt_slice name);

/* config_tests.c: the examples of a pipeline */

extern const struct lt_config_type lt_config_test_in, lt_config_test_out, lt_config_test_dead,
    lt_config_page, lt_config_json, lt_config_next_url;
void lt_config_finish_page_test(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_test(struct lt_config *c, struct lt_yaml_node *mapping, void *base);

enum { LT_CONFIG_MAX_EXPRESSIONS = 500, LT_CONFIG_MAX_QUERIES = 2000 };

/* config_pipeline.c: what concerns a delivery or a pipeline as a whole */

void lt_config_finish_delivery(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_source(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_dead_letters(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_route(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_pipeline(struct lt_config *c, struct lt_yaml_node *mapping, void *base);

/* config_value.c */

/** Appends a YAML value as compact JSON (core schema of YAML 1.2). False after telling why not. */
bool lt_config_to_json(struct lt_config *c, const struct lt_yaml_node *node, struct lt_buf *out);
/** True when an unquoted text is a number, truth value or null in YAML 1.2. */
bool lt_config_is_plain_string(const struct lt_yaml_node *node);

/* config_jq.c */

/** Compiles every expression of every API and pipeline and tells each that does not. */
LEAT_MUST_CHECK leat_status lt_config_check_expressions(struct lt_config *c,
                                                        struct leat_error *err);

/* config_help.c */

/** Appends the reference of the file's format, for `leat help file` and the manual. */
void lt_config_write_reference(struct lt_buf *out);
/** Appends the JSON schema (draft 2020-12) of the file, for editors. */
void lt_config_write_schema(struct lt_buf *out);

#endif
