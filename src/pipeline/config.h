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
    const char *later; /**< known, and not done yet: what to say */
    const char *help;  /**< one line */
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
};

struct lt_config_jq {
    const char *text;
    const struct lt_yaml_node *node;
    struct lt_config_jq *next;
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

/* config_read.c */

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

/* config_types.c */

extern const struct lt_config_type lt_config_string, lt_config_uint, lt_config_bytes,
    lt_config_duration, lt_config_hours, lt_config_bool, lt_config_choice, lt_config_switch,
    lt_config_jq, lt_config_jq_map, lt_config_jq_pointer;

/* config_refs.c: names, and what names something else in the file */

extern const struct lt_config_type lt_config_stream_ref, lt_config_buckets, lt_config_objects,
    lt_config_destination, lt_config_error_prefix, lt_config_suffix, lt_config_role;
bool lt_config_check_stream_name(struct lt_config *c, struct lt_yaml_node *key);
bool lt_config_check_delivery_name(struct lt_config *c, struct lt_yaml_node *key);
bool lt_config_check_pipeline_name(struct lt_config *c, struct lt_yaml_node *key);
/** The stream of that name in the file, or NULL. */
struct lt_system_stream *lt_config_find_stream(struct lt_config *c, struct lt_slice name);

/* config_tests.c: the examples of a pipeline */

extern const struct lt_config_type lt_config_test_in, lt_config_test_out, lt_config_test_dead;
void lt_config_finish_test(struct lt_config *c, struct lt_yaml_node *mapping, void *base);

enum { LT_CONFIG_MAX_EXPRESSIONS = 500 };

/* config_pipeline.c: what concerns a delivery or a pipeline as a whole */

void lt_config_finish_delivery(struct lt_config *c, struct lt_yaml_node *mapping, void *base);
void lt_config_finish_pipeline(struct lt_config *c, struct lt_yaml_node *mapping, void *base);

/* config_value.c */

/** Appends a YAML value as compact JSON (core schema of YAML 1.2). False after telling why not. */
bool lt_config_to_json(struct lt_config *c, const struct lt_yaml_node *node, struct lt_buf *out);
/** True when an unquoted text is a number, truth value or null in YAML 1.2. */
bool lt_config_is_plain_string(const struct lt_yaml_node *node);

/* config_jq.c */

/** Compiles every expression of every pipeline and tells each that does not. */
LEAT_MUST_CHECK leat_status lt_config_check_expressions(struct lt_config *c,
                                                        struct leat_error *err);

/* config_help.c */

/** Appends the reference of the file's format, for `leat help file` and the manual. */
void lt_config_write_reference(struct lt_buf *out);
/** Appends the JSON schema (draft 2020-12) of the file, for editors. */
void lt_config_write_schema(struct lt_buf *out);

#endif
