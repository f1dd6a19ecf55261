/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FN_PARTS_H
#define LT_EXPR_FN_PARTS_H

/** A definition of the prelude. A list of them ends with one without a name. */
struct lt_fn_definition {
    const char *name;
    unsigned n_args;
    const char *text; /**< "def NAME(…): …;" */
};
extern const struct lt_fn_definition lt_fn_definitions[]; /* prelude.c */

#endif
