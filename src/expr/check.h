/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_CHECK_H
#define LT_EXPR_CHECK_H

#include "expr/parse.h"

enum lt_scope_kind { LT_SCOPE_VAR, LT_SCOPE_LABEL, LT_SCOPE_PARAM, LT_SCOPE_DEF };

/** One name and, by `outer`, all that are seen with it, the nearest first. */
struct lt_scope {
    const struct lt_scope *outer;
    enum lt_scope_kind kind;
    struct lt_slice name;
    unsigned depth; /**< of the frame that `slot` is of */
    unsigned slot;
    struct lt_syntax_def *def; /**< DEF */
};

struct lt_checker {
    struct lt_arena *arena;
    struct leat_error *err;
    leat_status status;
    const struct lt_expr_text *failed;
    size_t at; /**< of the fault in that text */
    const struct lt_expr_var *vars;
    size_t n_vars;

    struct lt_syntax_def *current;             /**< whose body is at hand */
    struct lt_syntax_def *first, *last, *next; /**< all that are called; from `next` on unchecked */
    struct lt_syntax_def *prelude;             /**< those already parsed */
    unsigned n_defs;
    bool live;       /**< what is at hand can be called */
    const char *why; /**< what only libjq does, in what can be called */
};

/** Reads and checks `text`, which sees `scope`, as the body of `def`. */
bool lt_check_def(struct lt_checker *c, struct lt_syntax_def *def);

/** Puts the definition into the queue, once. */
void lt_check_enqueue(struct lt_checker *c, struct lt_syntax_def *def);

/** Checks all that the queue holds, and what they call. */
bool lt_check_queue(struct lt_checker *c);

/** A scope of one more name; NULL without memory. */
const struct lt_scope *lt_check_add(struct lt_checker *c, const struct lt_scope *outer,
                                    enum lt_scope_kind kind, struct lt_slice name, unsigned slot,
                                    struct lt_syntax_def *def);

/** Fails at a byte of the text at hand; false. */
bool lt_check_fail(struct lt_checker *c, size_t at, const char *fmt, ...) LEAT_PRINTF(3, 4);
bool lt_check_nomem(struct lt_checker *c);

/** What a name leads to: the function of that many arguments in `scope`, NULL when there is none
 * by the user. */
const struct lt_scope *lt_check_find_function(const struct lt_scope *scope, struct lt_slice name,
                                              size_t n_args);

/** Resolves a CALL by its name, its arguments aside. */
bool lt_check_call(struct lt_checker *c, struct lt_node *node, const struct lt_scope *scope);

/** "$name is not defined", with the nearest that is. */
bool lt_check_unknown(struct lt_checker *c, const struct lt_node *node,
                      const struct lt_scope *scope);

/** Sets `recursive` of all definitions. */
bool lt_check_recursion(struct lt_checker *c);

#endif
