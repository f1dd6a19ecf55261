/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VM_OP_H
#define LT_EXPR_VM_OP_H

#include "expr/vm.h"

/* What the operators' files share. */

/** The range of elements (or characters) that a {"start","end"} key stands for, of `len`. False
 * when they are not numbers. */
bool lt_vm_slice_of(struct lt_heap *heap, struct lt_val key, size_t len, size_t *from, size_t *to);

/** A number cut to an index as jq does it: what does not fit is INT32_MIN. */
int32_t lt_vm_cut_index(double d);

#endif
