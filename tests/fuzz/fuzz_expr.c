/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a jq text between two others: it compiles or is refused with a
 * place inside it, and whatever it does the fields beside it are those that
 * they should be, in a record that is JSON.
 */
#include "expr/expr.h"
#include "json/json.h"

#include <stdlib.h>

enum { LINE = 7, MAX_TEXT = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* libjq 1.6 loses the key when an error leaves an iteration over an object; our own use of it is
 * proved free of leaks by the unit tests, which have no such expressions. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libjq.so\n";
}

static void must(bool holds) {
    if (!holds)
        abort();
}

static void check_field(struct lt_json object, const char *name, const char *raw) {
    struct lt_json value;

    must(lt_json_get(object, name, &value) && lt_slice_eq_str(value.raw, raw));
}

static void run(struct lt_expr *expr) {
    static const char *const records[] = {
        "{\"a\":1,\"b\":[1,2,{\"c\":\"x\"}],\"d\":\"2\"}",
        "{ }",
    };
    struct lt_arena arena;

    lt_arena_init(&arena, 1 << 26);
    lt_expr_set_limits(expr, &(struct lt_expr_limits){1000000, 100, 64 << 20});
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct lt_slice record = lt_slice_str(records[i]);
        struct lt_expr_result result;
        struct lt_json object;
        if (lt_expr_run(expr, &record, 1, &result, &arena, NULL) != LEAT_OK)
            continue;
        if (result.outcome != LT_EXPR_OK) {
            must(result.outcome == LT_EXPR_FAILED && result.reason.len > 0);
            must(lt_slice_eq_str(result.expression, "set.x"));
            continue;
        }
        must(lt_json_parse(&object, result.data, 1000, NULL) == LEAT_OK);
        check_field(object, "before", "[\"before\"]");
        check_field(object, "after", "[\"after\"]");
        must(lt_json_get(object, "x", &object));
        must(result.route == 0);
    }
    lt_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_expr_text sets[] = {
        {LT_LIT("before"), LT_LIT("[\"before\"]"), 1, 1},
        {LT_LIT("x"), lt_slice(data, len), LINE, 1},
        {LT_LIT("after"), LT_LIT("[\"after\"]"), 1, 1},
    };
    struct lt_expr_text route = {LT_LIT("r"), LT_LIT("has(\"x\")"), 1, 1};
    struct lt_expr_source source = {.sets = sets, .n_sets = 3, .routes = &route, .n_routes = 1};
    struct leat_error err = {0};
    struct lt_expr *expr;

    if (len > MAX_TEXT)
        return 0;
    unsigned lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += data[i] == '\n';
    leat_status status = lt_expr_compile(&expr, &source, &err);
    if (status == LEAT_OK)
        run(expr);
    else
        must(status == LEAT_E_CONFIG && err.line >= LINE && err.line <= LINE + lines);
    lt_expr_free(expr);
    return 0;
}
