/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_EXPR_KIT_H
#define LT_TEST_EXPR_KIT_H

/* A pipeline's expressions from short lists, and its result for one record. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expr/expr.h"

enum { KIT_TEXTS = 12 };

/* name, text, name, text, ..., NULL; a text of NULL is a route without a condition */
struct kit {
    const char *defs[2 * KIT_TEXTS + 1];
    const char *sets[2 * KIT_TEXTS + 1];
    const char *routes[2 * KIT_TEXTS + 1];
    const char *key;
    const char *vars[2 * KIT_TEXTS + 1]; /* name, JSON */
};

static inline size_t kit_texts(const char *const *list, struct lt_expr_text *texts) {
    size_t n = 0;

    for (; list[2 * n]; n++)
        texts[n] = (struct lt_expr_text){lt_slice_str(list[2 * n]), lt_slice_str(list[2 * n + 1]),
                                         10 * (unsigned)(n + 1), 5};
    return n;
}

static inline size_t kit_vars(const char *const *list, struct lt_expr_var *vars) {
    size_t n = 0;

    for (; list[2 * n]; n++)
        vars[n] = (struct lt_expr_var){list[2 * n], lt_slice_str(list[2 * n + 1])};
    return n;
}

static inline leat_status kit_try(struct lt_expr **out, const struct kit *kit,
                                  struct leat_error *err) {
    struct lt_expr_text defs[KIT_TEXTS], sets[KIT_TEXTS], routes[KIT_TEXTS];
    struct lt_expr_var vars[KIT_TEXTS];
    struct lt_expr_text key = {.text = lt_slice_str(kit->key), .line = 99, .column = 1};
    struct lt_expr_source source = {
        .defs = defs,
        .n_defs = kit_texts(kit->defs, defs),
        .sets = sets,
        .n_sets = kit_texts(kit->sets, sets),
        .routes = routes,
        .n_routes = kit_texts(kit->routes, routes),
        .key = kit->key ? &key : NULL,
        .vars = vars,
        .n_vars = kit_vars(kit->vars, vars),
    };
    return lt_expr_compile(out, &source, err);
}

static inline struct lt_expr *kit_compile(const struct kit *kit) {
    struct leat_error err;
    struct lt_expr *expr = NULL;

    if (kit_try(&expr, kit, &err) != LEAT_OK)
        fail_msg("%u:%u %s", err.line, err.column, err.text);
    return expr;
}

static inline struct lt_expr_result kit_run(struct lt_expr *expr, const char *record,
                                            struct lt_arena *arena) {
    struct lt_slice text = lt_slice_str(record);
    struct lt_expr_result result;
    struct leat_error err;

    if (lt_expr_run(expr, &text, 1, &result, arena, &err) != LEAT_OK)
        fail_msg("%s: %s", record, err.text);
    return result;
}

static inline void kit_expect_data(struct lt_expr *expr, const char *record, const char *data) {
    struct lt_arena arena;

    lt_arena_init(&arena, 1 << 26);
    struct lt_expr_result r = kit_run(expr, record, &arena);
    if (r.outcome != LT_EXPR_OK)
        fail_msg("%s: %.*s: %.*s", record, LT_FMT(r.expression), LT_FMT(r.reason));
    if (!lt_slice_eq_str(r.data, data))
        fail_msg("%s gave %.*s", record, LT_FMT(r.data));
    lt_arena_deinit(&arena);
}

static inline void kit_expect_failure(struct lt_expr *expr, const char *record,
                                      enum lt_expr_outcome outcome, const char *expression,
                                      const char *reason) {
    struct lt_arena arena;

    lt_arena_init(&arena, 1 << 26);
    struct lt_expr_result r = kit_run(expr, record, &arena);
    if (r.outcome != outcome)
        fail_msg("%s: outcome %d: %.*s", record, (int)r.outcome, LT_FMT(r.reason));
    if (!lt_slice_eq_str(r.expression, expression) || !lt_slice_eq_str(r.reason, reason))
        fail_msg("%s: %.*s: %.*s", record, LT_FMT(r.expression), LT_FMT(r.reason));
    assert_null(r.data.data);
    assert_null(r.key.data);
    lt_arena_deinit(&arena);
}

#endif
