/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_YAML_H
#define LT_PIPELINE_YAML_H

#include "base/arena.h"
#include "base/error.h"

/*
 * A YAML 1.2 file as a tree in which every value knows the bytes that it came from. libfyaml
 * parses; the tree is ours, so that its size is bounded, an alias is a shared value (never a copy)
 * and duplicate keys are told. Input that no well-meant file holds (not UTF-8, NUL bytes, over
 * 4 MiB, over 100,000 values or 1,000 anchors, over 1,000 blank lines in a row, nested over 60
 * deep, an alias to what contains it) is an error.
 */
enum {
    LT_YAML_MAX_BYTES = 4 << 20,
    LT_YAML_MAX_NODES = 100000,
    LT_YAML_MAX_DEPTH = 60,
    LT_YAML_MAX_ANCHORS = 1000,
    LT_YAML_MAX_BLANK_LINES = 1000,
};

/** The file's bytes and where its lines start. A byte order mark stands before `text`. */
struct lt_yaml_source {
    struct lt_slice text;
    size_t *lines;
    size_t n_lines;
};

enum lt_yaml_type { LT_YAML_SCALAR, LT_YAML_SEQUENCE, LT_YAML_MAPPING };
enum lt_yaml_style {
    LT_YAML_PLAIN,
    LT_YAML_SINGLE_QUOTED,
    LT_YAML_DOUBLE_QUOTED,
    LT_YAML_LITERAL,
    LT_YAML_FOLDED
};

struct lt_yaml_pair;

struct lt_yaml_node {
    enum lt_yaml_type type;
    enum lt_yaml_style style;   /**< SCALAR */
    bool absent;                /**< SCALAR: nothing was written ("key:"); its place is the key's */
    struct lt_slice text;       /**< SCALAR: its value; ended by a NUL that is not counted */
    struct lt_slice tag;        /**< "tag:yaml.org,2002:str" for "!!str"; else empty */
    size_t offset;              /**< first byte in the source, its quote or bracket included */
    size_t end;                 /**< after its last byte; for a block collection its start */
    struct lt_yaml_pair *pairs; /**< MAPPING: merge keys are resolved; no key twice */
    struct lt_yaml_node **items; /**< SEQUENCE */
    size_t n;
};

struct lt_yaml_pair {
    struct lt_yaml_node *key;
    struct lt_yaml_node *value;
};

/** What is wrong without being a reason to stop reading: a key twice, a bad merge. */
typedef void lt_yaml_problem(void *ctx, size_t offset, const char *text);

/**
 * Parses. `*out` is NULL for a file without a value. All memory is the arena's.
 *
 * Errors: LEAT_E_CONFIG with line and column; LEAT_E_NOMEM; LEAT_E_UNSUPPORTED without libfyaml.
 */
LEAT_MUST_CHECK leat_status lt_yaml_parse(struct lt_yaml_source *source, struct lt_yaml_node **out,
                                          struct lt_slice file, struct lt_arena *arena,
                                          lt_yaml_problem *problem, void *ctx,
                                          struct leat_error *err);

/** Fills `source` from a file's bytes: strips a byte order mark, checks UTF-8, finds the lines. */
LEAT_MUST_CHECK leat_status lt_yaml_source_init(struct lt_yaml_source *source, struct lt_slice file,
                                                struct lt_arena *arena, struct leat_error *err);

/** Line and column (in characters), both from 1, of a byte. */
void lt_yaml_place(const struct lt_yaml_source *source, size_t offset, unsigned *line,
                   unsigned *column);

/** Line `line` (from 1) without its line end; empty beyond the last. */
struct lt_slice lt_yaml_line(const struct lt_yaml_source *source, unsigned line);

/** The byte in the source from which byte `at` of a scalar's value came: through quotes, escapes,
 * indentation and folding. */
size_t lt_yaml_source_offset(const struct lt_yaml_source *source, const struct lt_yaml_node *scalar,
                             size_t at);

/** The value of a key, or NULL. */
struct lt_yaml_node *lt_yaml_get(const struct lt_yaml_node *mapping, const char *key);

/** "a mapping", "a list", "a text in quotes", … for errors. */
const char *lt_yaml_kind(const struct lt_yaml_node *node);

#endif
