/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_DIFFERENTIAL_SUBJECT_H
#define LT_TEST_DIFFERENTIAL_SUBJECT_H

#include "expr/vm.h"

/* What the compiler and its evaluator say, in the same form as the oracle. */

enum lt_answer {
    LT_ANSWERED,
    LT_REFUSED, /**< the text is no jq: `text` says why */
    LT_LEFT,    /**< not covered: left to libjq. `text` says why */
    LT_STOPPED, /**< steps or memory are used up */
    LT_BAILED,  /**< left to libjq at run time */
};

struct lt_subject {
    struct lt_arena program;
    struct lt_arena run;
    struct lt_tree_part part;
    struct lt_vm vm;
    enum lt_answer state; /**< of the text */
    char why[1024];
};

void lt_subject_init(struct lt_subject *subject, const char *expression);
void lt_subject_deinit(struct lt_subject *subject);
/** Appends the answer: [[VALUE],[VALUE],{"error":VALUE}]. */
enum lt_answer lt_subject_ask(struct lt_subject *subject, const char *document,
                              struct lt_buf *answer);

#endif
