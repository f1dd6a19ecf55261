/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_PATH_H
#define LT_EXPR_PATH_H

#include "base/arena.h"
#include "json/json.h"

enum lt_expr_step_kind { LT_EXPR_STEP_KEY, LT_EXPR_STEP_INDEX, LT_EXPR_STEP_EACH };

struct lt_expr_step {
    enum lt_expr_step_kind kind;
    bool optional; /**< `?`: where the step fails it gives nothing */
    struct lt_slice key;
    int index; /**< from the end when below 0 */
};

/** A jq text that is only a way into its input: `.`, `.a.b`, `."a b"`, `.["a"]`, `.[]`, `.[-1]`,
 * `.a?`, in any chain. */
struct lt_expr_path {
    struct lt_expr_step *steps;
    size_t n_steps;
};

/**
 * Reads `text` as a plain path. `*is_path` is false for every other text, be it right or wrong:
 * whatever is a path here, jq takes with the same meaning. The path lives in `arena`.
 *
 * Errors: LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_expr_path_parse(struct lt_expr_path *path, bool *is_path,
                                               struct lt_slice text, struct lt_arena *arena,
                                               struct leat_error *err);

/** Views in the order in which they were found. All zero is a valid empty list. */
struct lt_expr_views {
    struct lt_json *items; /**< free() it */
    size_t n;
    size_t cap;
};
LEAT_MUST_CHECK leat_status lt_expr_views_add(struct lt_expr_views *views, struct lt_json value,
                                              struct leat_error *err);

/**
 * Walks the path into `doc` (validated text), and adds what stands at its end: views of `doc`, or
 * of a static "null" where nothing stands.
 *
 * Errors: LEAT_E_INVALID with jq's message; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_expr_path_walk(const struct lt_expr_path *path, struct lt_json doc,
                                              struct lt_expr_views *views, struct leat_error *err);

#endif
