/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FUSE_SYM_H
#define LT_EXPR_FUSE_SYM_H

#include "expr/fuse_plan.h"

/*
 * Evaluation of a tree without a record: with names for values, and with classes assumed for the
 * columns that were asked about. Where the class of another column matters, evaluation says which
 * one and begins again with each of its classes assumed; so it becomes a diagram of decisions, and
 * each of its ends is exact: what jq gives for every record with those classes, or that the
 * evaluator is to be asked.
 */

enum lt_sym_status {
    LT_SYM_ONE,       /* one output */
    LT_SYM_NONE,      /* no output */
    LT_SYM_UNSURE,    /* an error, or not known here */
    LT_SYM_NEED,      /* sym->need: whose class has to be assumed */
    LT_SYM_GENERATES, /* an output for each element of sym->generated */
};

enum lt_sym_kind {
    LT_SYM_LEAF,   /* CONST, TONUM, ARITH: leaf */
    LT_SYM_COLUMN, /* column */
    LT_SYM_LIST,   /* an array: the outputs of a body for each element of a source; `list` NULL:
                      empty */
    LT_SYM_UNIQUE, /* what `unique` makes of that */
    LT_SYM_SUMMED, /* the state of a reduce: may not be looked at */
};

struct lt_sym_env;
struct lt_sym_list;

struct lt_sym_value {
    enum lt_sym_kind kind;
    uint16_t leaf;
    uint8_t column;
    struct lt_sym_list *list;
};

struct lt_sym_closure {
    const struct lt_node *node;
    struct lt_sym_env *env;
};

/* A frame: of a definition at work. */
struct lt_sym_env {
    struct lt_sym_env *up;
    struct lt_sym_closure *args;
    struct lt_sym_value *vars;
    unsigned n_args, n_vars;
};

struct lt_sym_list {
    int source;
    unsigned array;           /* the source's column */
    struct lt_sym_list *base; /* whose elements the body's `[]` gives; NULL: the source's own */
    struct lt_sym_closure body;
    struct lt_sym_value input; /* of the body */
    bool piped;                /* each element of the base is the body's input; there is no `[]` */
    bool bound;                /* and is bound to the frame's variable */
    unsigned slot;
};

struct lt_sym {
    struct lt_fuse_plan *plan;
    const struct lt_fuse_parts *parts;
    struct lt_arena *arena;
    char *why;
    int16_t assumed[LT_FUSE_MAX_COLUMNS]; /* class, or -1 */
    unsigned need;
    struct lt_sym_value generated;
    struct lt_sym_list *at; /* the list whose element is being computed; NULL: the record */
    unsigned n_uses;        /* of that element by `[]` */
    bool sees_sets;         /* fields of sets are there: a route, the key */
    bool changed;           /* a constant was new: all begins again */
    bool full;              /* no memory, or too much of something */
    unsigned depth, budget;
};

/** Evaluates; on ONE `*out` is the value. */
enum lt_sym_status lt_sym_eval(struct lt_sym *sym, const struct lt_node *node,
                               struct lt_sym_env *env, struct lt_sym_value input,
                               struct lt_sym_value *out);

/** A function by name: true when it is one of those known here. */
bool lt_sym_call(struct lt_sym *sym, struct lt_slice name, const struct lt_node *node,
                 struct lt_sym_env *env, struct lt_sym_value input, enum lt_sym_status *status,
                 struct lt_sym_value *out);

/* Values */
enum lt_sym_status lt_sym_unsure(struct lt_sym *sym, const char *why);
struct lt_sym_value lt_sym_const(struct lt_sym *sym, const struct lt_fuse_leaf *leaf);
struct lt_sym_value lt_sym_bool(struct lt_sym *sym, bool b);
struct lt_sym_value lt_sym_null(struct lt_sym *sym);
struct lt_sym_value lt_sym_leaf(struct lt_sym *sym, const struct lt_fuse_leaf *leaf);
struct lt_sym_value lt_sym_column(unsigned column);
/** A literal's JSON text. */
enum lt_sym_status lt_sym_literal(struct lt_sym *sym, struct lt_slice text,
                                  struct lt_sym_value *out);
/** The class assumed for a value's column (or of its constant); NEED when there is none. */
enum lt_sym_status lt_sym_class(struct lt_sym *sym, struct lt_sym_value v, unsigned *class,
                                enum lt_fuse_class *type);
enum lt_sym_status lt_sym_truth(struct lt_sym *sym, struct lt_sym_value v, bool *truth);
enum lt_sym_status lt_sym_binary(struct lt_sym *sym, enum lt_op op, struct lt_sym_value a,
                                 struct lt_sym_value b, struct lt_sym_value *out);

/* Paths */
enum lt_sym_status lt_sym_field(struct lt_sym *sym, struct lt_sym_value v, struct lt_slice name,
                                struct lt_sym_value *out);
enum lt_sym_status lt_sym_each(struct lt_sym *sym, struct lt_sym_value v, bool optional,
                               struct lt_sym_value *out);

/* Lists and aggregates */
struct lt_sym_list *lt_sym_new_list(struct lt_sym *sym, struct lt_sym_value each,
                                    struct lt_sym_closure body, struct lt_sym_value input);
enum lt_sym_status lt_sym_element(struct lt_sym *sym, struct lt_sym_list *list,
                                  struct lt_sym_value *out);
enum lt_sym_status lt_sym_aggregate(struct lt_sym *sym, enum lt_fuse_kind kind,
                                    struct lt_sym_value list, bool from_zero,
                                    struct lt_sym_value *out);

/* Diagrams (fuse_diagram.c). The leaf for one set of assumptions. */
struct lt_sym_question {
    enum lt_sym_status (*answer)(struct lt_sym *sym, void *ctx, struct lt_fuse_leaf *leaf);
    void *ctx;
};
uint16_t lt_sym_diagram(struct lt_sym *sym, const struct lt_sym_question *question);
uint16_t lt_sym_intern_leaf(struct lt_sym *sym, const struct lt_fuse_leaf *leaf);

#endif
