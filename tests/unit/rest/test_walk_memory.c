/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation fails, for each that a walk makes; the linker leads them here. Whatever it was,
 * the walk ends, and one from its positions gives the rest: each record once. */
#include "walk_world.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t max);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);

static volatile unsigned n_calls;
static volatile unsigned fail_at; /* 0: none fails */

static bool fails(void) {
    return fail_at && !rig_inside && ++n_calls == fail_at;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size) {
    return fails() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t max) {
    return fails() ? NULL : __real_strndup(text, max);
}

static struct lines expected[3];

/* The records of a walk that counted, behind those of walks before. */
static void take_counted(struct rig *rig, struct lines all[3]) {
    for (size_t i = 0; i < 3; i++) {
        struct lt_json json, n;
        int64_t counted = 0;
        assert_int_equal(lt_json_parse(&json, rig->positions[i], 64, NULL), LEAT_OK);
        assert_true(lt_json_get(json, "n", &n) && lt_json_int64(n, &counted));
        for (size_t j = all[i].n; j < (size_t)counted; j++)
            rig_add_line(&all[i], lt_slice_str(rig->records[i].list[j - rig->ordinals[i]]));
    }
}

/* A walk whose nth allocation fails, and one from where it ended. */
static void run(struct rig *rig, unsigned nth, size_t most_held) {
    struct lines all[3] = {{0}};

    rig_inside++;
    rig_reset(rig);
    rig_free_positions(rig);
    rig_inside--;
    rig->seed = nth;
    rig->most_held = most_held;
    n_calls = 0;
    fail_at = nth;
    for (int life = 0; life < 2; life++) {
        leat_status status = rig_try_start(rig);
        if (status != LEAT_OK) { /* only one allocation fails */
            assert_int_equal(status, LEAT_E_NOMEM);
            continue;
        }
        uv_run(&rig->loop, UV_RUN_DEFAULT);
        assert_true(rig->ended);
        if (rig->status != LEAT_OK && rig->status != LEAT_E_NOMEM && rig->status != LEAT_E_LIMIT)
            fail_msg("%u: %s", nth, rig->err.text);
        bool is_over = rig->status == LEAT_OK;
        fail_at = 0;
        rig_keep_positions(rig);
        take_counted(rig, all);
        rig_reset(rig);
        if (is_over)
            break;
    }
    fail_at = 0;
    for (size_t i = 0; i < 3; i++) {
        rig->records[i] = all[i];
        rig_assert_records(rig, i, &expected[i], 0);
    }
    rig_reset(rig);
}

static void run_each(struct rig *rig, size_t most_held) {
    unsigned nth = 0;

    make_world(rig);
    expect_world(expected);
    rig->shuffle = true;
    do
        run(rig, ++nth, most_held);
    while (n_calls >= nth);
    assert_in_range(nth, 500, 20000);
    for (size_t i = 0; i < 3; i++)
        rig_free_lines(&expected[i]);
}

static void a_walk_survives_any_failing_allocation(void **state) {
    run_each(*state, 0);
}

static void a_walk_with_pages_held_survives_any_failing_allocation(void **state) {
    run_each(*state, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_walk_survives_any_failing_allocation),
        RIG_TEST(a_walk_with_pages_held_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
