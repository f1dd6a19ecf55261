/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FN_H
#define LT_EXPR_FN_H

#include "expr/vm.h"

/*
 * The functions of jq 1.6: each a row of a table, in C over values (`call`), in C over closures
 * (`generate`), or a definition in jq (the prelude, parsed when it is first used). Error texts are
 * jq's.
 */

struct lt_fn {
    const char *name;
    unsigned n_args;
    /** args[0] is the input, args[1…] the arguments' values. The evaluator calls it for every
     * combination (the last argument is the outer loop). */
    enum lt_flow (*call)(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out);
    /** Closures: evaluates `node->items` itself with lt_vm_eval(). `path` NULL where no path is
     * kept; one that cannot keep paths says so as jq does. */
    enum lt_flow (*generate)(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                             struct lt_val input, const struct lt_path *path, struct lt_sink *sink);
};

/** A table of rows ends with a row without a name. One a file. */
extern const struct lt_fn lt_fn_core[]; /* fn_core.c: path, getpath, range, limit, first, error,
                                           empty, input, … (the evaluator's own) */
extern const struct lt_fn
    lt_fn_collection[]; /* keys, has, contains, sort, group_by, unique, min_by, flatten, add, … */
extern const struct lt_fn lt_fn_string[];  /* split, join, ltrimstr, explode, ascii_downcase, … */
extern const struct lt_fn lt_fn_sort[];    /* sort, group_by, unique, min_by, … */
extern const struct lt_fn lt_fn_convert[]; /* type, tostring, tonumber, tojson, format, nan, … */
extern const struct lt_fn lt_fn_regex[];   /* match, test, capture, … over Oniguruma */
extern const struct lt_fn lt_fn_math[];    /* floor, pow, log, … */
extern const struct lt_fn lt_fn_time[];    /* now, mktime, strftime, … */

/** Frees what fn_regex.c keeps in a machine; NULL is nothing. */
void lt_fn_regexes_free(void *regexes);

/** The row, or NULL. */
const struct lt_fn *lt_fn_find(struct lt_slice name, size_t n_args);

/** The text of a definition of the prelude ("def map(f): [.[] | f];"), or NULL. */
const char *lt_fn_prelude(struct lt_slice name, size_t n_args);

/** Whether jq 1.6 knows it though we do not: it is left to libjq. */
bool lt_fn_is_left_to_libjq(struct lt_slice name, size_t n_args);

/** The i-th name that jq 1.6 knows, as "name/2", for "did you mean"; NULL at the end. */
const char *lt_fn_name(size_t i);

/** `@format` of a value, as text. */
enum lt_flow lt_fn_format(struct lt_vm *vm, enum lt_format format, struct lt_val v,
                          struct lt_val *out);

#endif
