/* SPDX-License-Identifier: Apache-2.0 */
/* The recommender's expressions as leat runs them; see transform_kit.h. */
#include "transform_kit.h"

#include "expr/expr.h"

enum { BATCH_BYTES = 256 << 10, BATCH = 64 };

#define TEXT(field, jq)                                                                            \
    { .name = LT_LIT(field), .text = LT_LIT(jq) }

static const struct lt_expr_text defs[] = {
    TEXT("items", ".browsing_history // .browse_history // error(\"no browsing history\")"),
    TEXT("quantity", "if type == \"number\" then . elif . == null then 0 else tonumber end")};
static const struct lt_expr_text sets[] = {
    TEXT("overall_product_quantity", "[items[].quantity | quantity] | add // 0"),
    TEXT("overall_in_shopping_cart",
         "[items[] | select(.in_shopping_cart == true or .in_shopping_cart == \"true\") "
         "| .quantity | quantity] | add // 0"),
    TEXT("total_different_products", "[items[].product_code] | unique | length")};
static const struct lt_expr_text routes[] = {TEXT("us-sessions", ".country == \"USA\""),
                                             {.name = LT_LIT("intl-sessions")}};

struct program {
    struct lt_expr *expr;
    struct lt_arena arena;
};

static struct counts pass(void *ctx, const struct lines *lines, FILE *out) {
    struct program *p = ctx;
    struct lt_slice records[BATCH];
    struct lt_expr_result results[BATCH];
    struct leat_error err;
    struct counts counts = {0};

    for (size_t i = 0, n; i < lines->n; i += n) {
        for (n = 0; n < BATCH && i + n < lines->n; n++)
            records[n] = lt_slice(lines->at[i + n].data, lines->at[i + n].len);
        if (p->arena.used > BATCH_BYTES)
            lt_arena_reset(&p->arena);
        if (lt_expr_run(p->expr, records, n, results, &p->arena, &err) != LEAT_OK)
            die(err.text);
        for (size_t k = 0; k < n; k++) {
            bool ok = results[k].outcome == LT_EXPR_OK;
            counts.dead += !ok;
            counts.usa += ok && results[k].route == 0;
            if (out && ok) {
                fwrite(results[k].data.data, 1, results[k].data.len, out);
                fputc('\n', out);
            }
        }
    }
    return counts;
}

int main(int argc, char **argv) {
    struct lt_expr_source source = {
        .defs = defs, .n_defs = 2, .sets = sets, .n_sets = 3, .routes = routes, .n_routes = 2};
    struct program p = {0};
    struct leat_error err;

    lt_arena_init(&p.arena, 64 << 20);
    if (lt_expr_compile(&p.expr, &source, &err) != LEAT_OK)
        die(err.text);
    int code = measure(argc, argv, pass, &p);
    lt_expr_free(p.expr);
    lt_arena_deinit(&p.arena);
    return code;
}
