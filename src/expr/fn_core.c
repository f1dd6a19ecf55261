/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that the evaluator itself must do: those that make or end outputs, and errors. */
#include "expr/fn.h"

static enum lt_flow give_nothing(struct lt_vm *vm, const struct lt_node *node,
                                 struct lt_frame *frame, struct lt_val input,
                                 const struct lt_path *path, struct lt_sink *sink) {
    (void)vm, (void)node, (void)frame, (void)input, (void)path, (void)sink;
    return LT_FLOW_ON;
}

static enum lt_flow not(struct lt_vm * vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm; *out = lt_val_bool(!lt_val_is_true(args[0])); return LT_FLOW_ON;
}

const struct lt_fn lt_fn_core[] = {
    {"empty", 0, NULL, give_nothing},
    {"not", 0, not, NULL},
    {NULL, 0, NULL, NULL},
};
