/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FN_CORE_H
#define LT_EXPR_FN_CORE_H

#include "expr/vm_parts.h"

/* The parameters of a row over closures. */
#define LT_GENERATE                                                                                \
    struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame, struct lt_val input,     \
        const struct lt_path *path, struct lt_sink *sink

/** A sink that knows where its outputs go, and what the function was called on. */
struct lt_relay {
    struct lt_sink sink;
    struct lt_sink *down;
    const struct lt_node *node;
    struct lt_frame *frame;
    struct lt_val input;
    const struct lt_path *path;
    struct lt_val state;
    uint64_t label;
};

extern const struct lt_fn lt_fn_loop[]; /* fn_loop.c: range, limit, first, until, any, select, … */

extern const struct lt_fn lt_fn_range[]; /* fn_range.c: range, while, until */

#endif
