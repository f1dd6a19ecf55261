/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_VAL_COPY_H
#define LT_EXPR_VAL_COPY_H

#include "expr/val.h"

enum lt_val_copied {
    LT_VAL_COPIED,
    LT_VAL_HAS_ESCAPES, /**< some that are printed otherwise */
    LT_VAL_HAS_NAMES,   /**< some that come again, or more than are looked through */
};

/** Appends the container at that token as compact JSON; nothing unless it is COPIED. */
enum lt_val_copied lt_val_copy_container(struct lt_buf *out, const struct lt_doc *doc,
                                         uint32_t container);

#endif
