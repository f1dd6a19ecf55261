/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_QUERY_H
#define LT_EXPR_QUERY_H

#include "expr/expr.h"
#include "json/json.h"

/*
 * One jq text asked of one JSON value: the records of a page, its `next`, a value of a parent. A
 * plain path (`.`, `.a.b`, `."a b"`, `.a[]`, `.a[2]`, `.a?`, in any chain) is walked over the text
 * itself. Anything else is evaluated, or left to libjq (remote.h). What an output takes whole from
 * the input is a view: the bytes as they came, but for libjq, which prints all anew.
 *
 * Thread: a query belongs to one thread at a time.
 */
struct lt_expr_query;

/**
 * Compiles. `text` says where the expression stands, for errors; `vars` (n_vars, may be 0) are
 * bound as `$name`.
 *
 * Owns:   on LEAT_OK the caller owns `*out`; release it with lt_expr_query_free(). Nothing borrowed
 *         is kept.
 * Errors: LEAT_E_CONFIG with line and column; LEAT_E_UNSUPPORTED; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_expr_query_new(struct lt_expr_query **out,
                                              const struct lt_expr_text *text,
                                              const struct lt_expr_var *vars, size_t n_vars,
                                              struct leat_error *err);
void lt_expr_query_free(struct lt_expr_query *query);

/** True when the text is a plain path: its outputs are views of the input. */
bool lt_expr_query_is_path(const struct lt_expr_query *query);

/** Why it is left to libjq; NULL when it is not. */
const char *lt_expr_query_why_libjq(const struct lt_expr_query *query);

/**
 * Asks. `doc` is validated text (lt_json_parse()). `*outputs` (in `arena`) are the outputs in
 * order: views of `doc`, or JSON text in `arena`.
 *
 * Errors: LEAT_E_INVALID with jq's message where the expression raised an error (as jq: `.a` of a
 *         number, `.[]` of null); LEAT_E_LIMIT when it was stopped; LEAT_E_NOMEM when the arena is
 *         full.
 */
LEAT_MUST_CHECK leat_status lt_expr_query_run(struct lt_expr_query *query, struct lt_json doc,
                                              struct lt_arena *arena, struct lt_json **outputs,
                                              size_t *n, struct leat_error *err);

#endif
