/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_TREE_H
#define LT_EXPR_TREE_H

#include "base/arena.h"
#include "expr/expr.h"

/*
 * A checked jq program: names are resolved, so that whoever runs or transforms it meets no unknown
 * variable, function, label or format. Nodes live in an arena, are never shared between two parents
 * except through a definition, and are immutable once the checker is done.
 *
 * Scopes. Each definition (and the program as a whole, definition 0) has a frame at run time:
 * `n_vars` slots for variables, one a binding; its closure arguments; and a link to the frame of
 * the definition that it stands in. A reference says how many links up its frame is (`up`) and
 * which slot.
 */

enum lt_node_kind {
    LT_NODE_IDENTITY, /* . */
    LT_NODE_LITERAL,  /* value: a JSON scalar, or an array or object made only of literals */
    LT_NODE_FIELD,    /* a.name     a: target, text: the unescaped name */
    LT_NODE_INDEX, /* a[b]       b sees the same input as the whole; b's outputs are the outer loop
                    */
    LT_NODE_SLICE, /* a[b:c]     b or c NULL when left out */
    LT_NODE_EACH,  /* a[] */
    LT_NODE_RECURSE, /* .. */
    LT_NODE_PIPE,    /* a | b */
    LT_NODE_COMMA,   /* a, b */
    LT_NODE_NEGATE,  /* -a */
    LT_NODE_BINARY,  /* a op b     arithmetic and comparison; b's outputs are the outer loop */
    LT_NODE_AND,
    LT_NODE_OR,
    LT_NODE_ALTERNATIVE, /* a // b */
    LT_NODE_IF,          /* if a then b else c */
    LT_NODE_TRY, /* try a catch b; b NULL: errors are swallowed. `1?`, `(…)?` are the same. As in jq
                  1.6 it also catches what is raised while its outputs are used: `(try 1) |
                  error("x")` gives nothing. `.a?`, `.[b]?`, `.[]?` are no TRY: see `optional` */
    LT_NODE_ARRAY,  /* [a]; a NULL: [] */
    LT_NODE_OBJECT, /* {…}: items are key, value, key, value …, in the order written. A value is
                       NULL for `{"a\(1)"}` alone: it is `.[key]`, of the key's very output */
    LT_NODE_STRING, /* "x\(…)y": items are a LITERAL string (maybe empty), an expression, a LITERAL
                       string … and at the end a LITERAL string; format says how each expression's
                       output becomes text */
    LT_NODE_FORMAT,  /* @name alone. (A name that is no format is a call of the builtin format/1,
                        which raises when it runs, as in jq) */
    LT_NODE_AS,      /* a as PATTERN ?// PATTERN … | b */
    LT_NODE_REDUCE,  /* reduce a as PATTERN (b; c) */
    LT_NODE_FOREACH, /* foreach a as PATTERN (b; c; d); d NULL: the state itself */
    LT_NODE_LABEL,   /* label $name | a     slot: where its identity is kept */
    LT_NODE_BREAK,   /* break $name         up, slot: of its label */
    LT_NODE_VAR,     /* $name               up, slot */
    LT_NODE_GLOBAL,  /* $name given by the caller (struct lt_expr_var); slot: which */
    LT_NODE_ENV,     /* $ENV */
    LT_NODE_CALL,    /* a function by definition: def, up (of the frame it stands in), items:
                        its arguments, closures; for a `$x` parameter see struct lt_def */
    LT_NODE_PARAM,   /* a closure parameter called by its name: up, slot: index among params */
    LT_NODE_BUILTIN, /* a C row: builtin, items: its arguments */
    LT_NODE_ASSIGN,  /* a op b: `=` `|=` `+=` … `//=` */
};

enum lt_op {
    LT_OP_ADD,
    LT_OP_SUB,
    LT_OP_MUL,
    LT_OP_DIV,
    LT_OP_MOD,
    LT_OP_EQ,
    LT_OP_NE,
    LT_OP_LT,
    LT_OP_LE,
    LT_OP_GT,
    LT_OP_GE,
    LT_OP_ALTERNATIVE, /* ASSIGN alone: //= */
    LT_OP_SET,         /* ASSIGN alone: = */
    LT_OP_UPDATE,      /* ASSIGN alone: |= */
};

enum lt_format {
    LT_FORMAT_TEXT,
    LT_FORMAT_JSON,
    LT_FORMAT_CSV,
    LT_FORMAT_TSV,
    LT_FORMAT_HTML,
    LT_FORMAT_URI,
    LT_FORMAT_SH,
    LT_FORMAT_BASE64,
    LT_FORMAT_BASE64D,
};

enum lt_pattern_kind { LT_PATTERN_VAR, LT_PATTERN_ARRAY, LT_PATTERN_OBJECT };

/** What `as` binds. */
struct lt_pattern {
    enum lt_pattern_kind kind;
    unsigned slot; /**< VAR; OBJECT member `$name` (and `$name: PATTERN`): see `has_slot` */
    struct lt_pattern **items; /**< ARRAY: elements. OBJECT: the value's pattern of each member,
                                  NULL for `{$name}` alone */
    struct lt_node **keys;     /**< OBJECT: the key of each member (a LITERAL for a plain name) */
    bool *has_slot;            /**< OBJECT: the member also binds its value to slots[i] (`$name`) */
    unsigned *slots;
    size_t n;
};

struct lt_def;
struct lt_fn;

struct lt_node {
    enum lt_node_kind kind;
    uint8_t op;     /**< enum lt_op */
    uint8_t format; /**< enum lt_format */
    bool
        optional; /**< FIELD, INDEX, SLICE, EACH: `.a?`. An error of this very step gives no output;
                     those of its target, of its key, and of who uses the outputs are not caught */
    unsigned up, slot; /**< see the kinds */
    uint32_t offset;   /**< byte of its text (struct lt_tree_part) where it begins */
    uint32_t end;      /**< byte behind it */
    struct lt_node *a, *b, *c, *d;
    struct lt_node **items;
    size_t n;
    struct lt_slice text;         /**< FIELD: name; LITERAL: its JSON text; VAR, LABEL: name */
    struct lt_pattern **patterns; /**< AS, REDUCE, FOREACH: n_patterns > 1 with `?//` */
    size_t n_patterns;
    const struct lt_def *def;    /**< CALL */
    const struct lt_fn *builtin; /**< BUILTIN */
    void *plan; /**< for the one who runs it: made once, before the first run (literal values,
                   regular expressions); NULL from the checker */
};

/** A function by definition: the user's `def`, a `with:` entry, or one of the prelude. */
struct lt_def {
    struct lt_slice name;
    unsigned id;     /**< its place among the program's definitions */
    unsigned n_vars; /**< slots of its frame, those of `$x` parameters included */
    unsigned n_params;
    bool *is_value; /**< of each parameter: `$x`: the argument's outputs are bound one after the
                       other (the first parameter's is the outer loop, as in jq) to slot
                       `value_slot[i]`; `x` can be called as a closure too */
    unsigned *value_slot;
    struct lt_node *body;
    bool recursive; /**< calls itself, or one that calls it */
    bool prelude;   /**< ours */
};

/** One text of the program, compiled. */
struct lt_tree_part {
    const struct lt_expr_text *text;
    struct lt_node *root; /**< NULL when it cannot be compiled here */
    struct lt_def main;   /**< its frame: n_vars. `with:` definitions stand in it */
    bool bare;            /**< the text is definitions alone, or nothing: jq takes it for `.` */
    const char *why; /**< root NULL: what is not covered, in a few words: "`input_line_number` is
                        left to libjq" */
    const struct lt_expr_text
        *failed; /**< on LEAT_E_CONFIG: `text`, or the one of `defs` at fault */
};

/**
 * Parses and checks one text, which sees `defs` (each a `def NAME: TEXT;`) and `vars`. When the
 * grammar holds but it calls something that only libjq knows, `root` is NULL and `why` says so;
 * that is LEAT_OK. Everything lives in `arena`, which must outlive the tree; texts are copied into
 * it.
 *
 * A definition inside a text that nobody calls is dropped before its names are looked at, as in jq;
 * those of `defs` are all checked. Offsets of nodes are bytes of the text that they stand in; of
 * nodes of the prelude they say nothing.
 *
 * Errors: LEAT_E_CONFIG with line, column, what was found and expected, and the nearest known name
 *         (for the line with a caret see lt_tree_explain()); LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_tree_parse(struct lt_tree_part *part,
                                          const struct lt_expr_text *text,
                                          const struct lt_expr_text *defs, size_t n_defs,
                                          const struct lt_expr_var *vars, size_t n_vars,
                                          struct lt_arena *arena, struct leat_error *err);

/** Appends the line of `text` that `err` (from lt_tree_parse()) names, and under it a caret.
 * Nothing when `err` has no place in the text. */
void lt_tree_explain(const struct lt_expr_text *text, const struct leat_error *err,
                     struct lt_buf *out);

/**
 * Appends a text printed anew from its syntax alone: one line, parentheses only where they are
 * needed (which may be more than the text has, so that one at the limit of nesting is over it when
 * printed). Names are not looked up. Errors: as lt_tree_parse().
 */
LEAT_MUST_CHECK leat_status lt_tree_print(const struct lt_expr_text *text, struct lt_buf *out,
                                          struct leat_error *err);

/**
 * Calls `visit` for a node and then those below it (arguments and keys of patterns included), in
 * the order written; below a node for which it gives false it does not go. Definitions are not
 * entered: see CALL's `def`.
 */
void lt_tree_walk(const struct lt_node *node, bool (*visit)(void *ctx, const struct lt_node *node),
                  void *ctx);

/** Whether the part gives the same whatever its input is, today and tomorrow: it does not look at
 * `.`, the environment, the clock, or further inputs. On the safe side: false says nothing. */
bool lt_tree_is_constant(const struct lt_tree_part *part);

#endif
