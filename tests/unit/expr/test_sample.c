/* SPDX-License-Identifier: Apache-2.0 */
/* The recommender's expressions over the real sessions that the example ships. */
#include "kit.h"

#include <stdlib.h>
#include <zlib.h>

#include "json/json.h"

enum { BATCH = 100, MAX_BYTES = 16 << 20, N_SESSIONS = 1500 };

static const struct kit recommender = {
    .defs = {"items", ".browsing_history // .browse_history // error(\"no browsing history\")",
             "quantity", "if type == \"number\" then . elif . == null then 0 else tonumber end"},
    .sets = {"overall_product_quantity", "[items[].quantity | quantity] | add // 0",
             "overall_in_shopping_cart",
             "[items[] | select(.in_shopping_cart == true or .in_shopping_cart == \"true\") | "
             ".quantity | quantity] | add // 0",
             "total_different_products", "[items[].product_code] | unique | length"},
    .routes = {"us-sessions", ".country == \"USA\"", "intl-sessions", NULL},
};

static struct lt_slice read_sample(void) {
    char *data = malloc(MAX_BYTES);
    gzFile file = gzopen(SAMPLE_FILE, "rb");

    assert_non_null(data);
    assert_non_null(file);
    int len = gzread(file, data, MAX_BYTES);
    assert_true(len > 0 && len < MAX_BYTES);
    gzclose(file);
    return lt_slice(data, (size_t)len);
}

static int64_t sum_of(struct lt_json object, const char *name) {
    struct lt_json value;
    int64_t n;

    assert_true(lt_json_get(object, name, &value));
    assert_true(lt_json_int64(value, &n));
    return n;
}

struct totals {
    size_t n, n_usa;
    int64_t quantity, in_cart, products;
};

static void add_result(struct totals *totals, struct lt_slice record,
                       const struct lt_expr_result *result) {
    struct leat_error err;
    struct lt_json object;

    assert_int_equal(result->outcome, LT_EXPR_OK);
    assert_int_equal(lt_json_parse(&object, result->data, LT_JSON_DEFAULT_DEPTH, &err), LEAT_OK);
    /* the record's own bytes stand first, whatever is in them */
    record.len--;
    assert_true(lt_slice_starts(result->data, record));
    totals->n++;
    totals->n_usa += result->route == 0;
    totals->quantity += sum_of(object, "overall_product_quantity");
    totals->in_cart += sum_of(object, "overall_in_shopping_cart");
    totals->products += sum_of(object, "total_different_products");
}

static void sums_over_real_sessions_are_those_that_were_counted_by_other_means(void **state) {
    struct lt_expr *expr = kit_compile(&recommender);
    struct lt_slice sample = read_sample();
    struct lt_slice rest = sample, records[BATCH];
    struct lt_expr_result results[BATCH];
    struct totals totals = {0};
    struct lt_arena arena;
    struct leat_error err;

    (void)state;
    lt_arena_init(&arena, 64 << 20);
    while (rest.len) {
        size_t n = 0;
        for (; n < BATCH && rest.len; n++) {
            const char *end = memchr(rest.data, '\n', rest.len);
            assert_non_null(end);
            records[n] = lt_slice(rest.data, (size_t)(end - rest.data));
            rest = lt_slice_from(rest, records[n].len + 1);
        }
        assert_int_equal(lt_expr_run(expr, records, n, results, &arena, &err), LEAT_OK);
        for (size_t i = 0; i < n; i++)
            add_result(&totals, records[i], &results[i]);
        lt_arena_reset(&arena);
    }
    assert_int_equal(totals.n, N_SESSIONS);
    assert_int_equal(totals.n_usa, 3);
    assert_int_equal(totals.quantity, 296267);
    assert_int_equal(totals.in_cart, 312226);
    assert_int_equal(totals.products, 27377);
    lt_arena_deinit(&arena);
    lt_expr_free(expr);
    free((void *)(uintptr_t)sample.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_over_real_sessions_are_those_that_were_counted_by_other_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
