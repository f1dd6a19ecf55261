/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FN_REGEX_H
#define LT_EXPR_FN_REGEX_H

#include "expr/regex.h"

/* What the functions over regular expressions share. */

/** A walk over the matches in a string. */
struct lt_fn_finder {
    struct lt_regex *regex;
    struct lt_slice subject;
    bool global; /**< more than the first */
    bool done;
    size_t from;                       /**< where the next search begins */
    const struct lt_regex_span *spans; /**< of the last match */
    size_t n_spans;
};

/** Checks and compiles as jq's match(re; flags) does. */
enum lt_flow lt_fn_find_open(struct lt_vm *vm, struct lt_val input, struct lt_val re,
                             struct lt_val flags, struct lt_fn_finder *f);
enum lt_flow lt_fn_find_next(struct lt_vm *vm, struct lt_fn_finder *f, bool *found);

/** The bytes of a group (0: the whole) that took part in the last match. */
struct lt_slice lt_fn_found(const struct lt_fn_finder *f, size_t group);
/** Whether the last match is empty. */
bool lt_fn_found_nothing(const struct lt_fn_finder *f);

/** {"name": "text"} of the last match. */
struct lt_val lt_fn_captures(struct lt_vm *vm, const struct lt_fn_finder *f);

/** Pattern and flags out of match($v)'s one value: a string, or an array of both. */
enum lt_flow lt_fn_pattern(struct lt_vm *vm, struct lt_val v, struct lt_val *re,
                           struct lt_val *flags);

/* sub and gsub (fn_sub.c) */
enum lt_flow lt_fn_sub(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                       struct lt_val input, const struct lt_path *path, struct lt_sink *sink);
enum lt_flow lt_fn_gsub(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                        struct lt_val input, const struct lt_path *path, struct lt_sink *sink);

#endif
