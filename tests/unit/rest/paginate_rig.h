/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAGINATE_RIG_H
#define PAGINATE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "rest/paginate.h"
#include "rest/paginate_parts.h"

#define TEXT(jq) ((struct lt_expr_text){.text = LT_LIT(jq)})

/* A page as a paginator sees it, and what came of it. */
struct rig {
    struct lt_rest_resource resource;
    struct lt_rest_param params[2];
    struct lt_rest_pager pager;
    struct lt_http_answer answer;
    struct lt_arena arena;
    struct lt_rest_seen seen;
    struct lt_rest_place next;
    struct lt_rest_told told;
    struct leat_error err;
};

static inline int set_up(void **state) {
    struct rig *rig = calloc(1, sizeof(*rig));

    rig->resource.name = "things";
    rig->resource.method = "GET";
    rig->resource.params = rig->params;
    rig->seen.url = "https://api.test/v1/things?limit=2";
    rig->seen.body = (struct lt_json){LT_JSON_NULL, LT_LIT("null")};
    lt_arena_init(&rig->arena, SIZE_MAX);
    lt_buf_init(&rig->answer.headers, 1 << 20);
    *state = rig;
    return 0;
}

static inline int tear_down(void **state) {
    struct rig *rig = *state;

    lt_rest_pager_deinit(&rig->pager);
    lt_arena_deinit(&rig->arena);
    lt_buf_deinit(&rig->answer.headers);
    free(rig);
    return 0;
}

static inline void make(struct rig *rig, struct lt_rest_pagination how) {
    lt_rest_pager_deinit(&rig->pager);
    rig->resource.pagination = how;
    assert_int_equal(lt_rest_pager_init(&rig->pager, &rig->resource, &rig->err), LEAT_OK);
}

static inline void see(struct rig *rig, const char *body, size_t n_records) {
    struct lt_slice text = lt_arena_dup(&rig->arena, lt_slice_str(body));

    assert_int_equal(lt_json_parse(&rig->seen.body, text, 64, &rig->err), LEAT_OK);
    rig->seen.n_records = n_records;
}

static inline leat_status ask(struct rig *rig) {
    return lt_rest_pager_next(&rig->pager, &rig->seen, &rig->next, &rig->told, &rig->arena,
                              &rig->err);
}

static inline void assert_number(struct rig *rig, int64_t number) {
    assert_int_equal(ask(rig), LEAT_OK);
    assert_int_equal(rig->next.kind, LT_REST_NUMBER);
    assert_int_equal(rig->next.number, number);
}

static inline void assert_text(struct rig *rig, int kind, const char *text) {
    if (ask(rig) != LEAT_OK)
        fail_msg("%s", rig->err.text);
    assert_int_equal(rig->next.kind, kind);
    if (!lt_slice_eq_str(rig->next.text, text))
        fail_msg("%.*s instead of %s", LT_FMT(rig->next.text), text);
}

static inline void assert_end(struct rig *rig) {
    if (ask(rig) != LEAT_OK)
        fail_msg("%s", rig->err.text);
    assert_int_equal(rig->next.kind, LT_REST_END);
}

static inline void go_to(struct rig *rig, int64_t number, uint64_t n_before) {
    rig->seen.at = (struct lt_rest_place){.kind = LT_REST_NUMBER, .number = number};
    rig->seen.n_before = n_before;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
