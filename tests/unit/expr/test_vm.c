/* SPDX-License-Identifier: Apache-2.0 */
/* What the evaluator does when a program does not end, wants too much, or goes too deep. That it
 * gives what jq gives is what tests/differential shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expr/fn.h"

struct run {
    struct lt_arena program;
    struct lt_arena memory;
    struct lt_tree_part part;
    struct lt_vm vm;
};

static void prepare(struct run *r, const char *expression, size_t max_bytes) {
    struct lt_expr_text text = {.name = LT_LIT("t"), .text = lt_slice_str(expression)};
    struct leat_error err;

    lt_arena_init(&r->program, 1 << 20);
    lt_arena_init(&r->memory, max_bytes);
    lt_vm_init(&r->vm, &r->memory);
    assert_int_equal(lt_tree_parse(&r->part, &text, NULL, 0, NULL, 0, &r->program, &err), LEAT_OK);
    assert_non_null(r->part.root);
    assert_int_equal(lt_vm_prepare(&r->part, &r->program, &err), LEAT_OK);
}

static void done(struct run *r) {
    lt_vm_deinit(&r->vm);
    lt_arena_deinit(&r->program);
    lt_arena_deinit(&r->memory);
}

struct last {
    struct lt_sink sink;
    struct lt_val value;
    size_t n;
};

static enum lt_flow keep(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                         const struct lt_path *path) {
    struct last *last = (struct last *)self;

    (void)vm, (void)path;
    last->value = v;
    last->n++;
    return LT_FLOW_ON;
}

static enum lt_flow run(struct run *r, struct last *last) {
    *last = (struct last){.sink = {keep}};
    return lt_vm_run(&r->vm, &r->part, lt_val_null(), false, &last->sink);
}

static void a_program_that_does_not_end_is_stopped_by_its_steps(void **state) {
    static const char *const texts[] = {"def f: f; f", "repeat(1)", "0 | until(false; . + 1)",
                                        "[range(1e12)] | length", "last(0 | recurse(. + 1))"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct run r;
        struct last last;
        prepare(&r, texts[i], 64 << 20);
        r.vm.limits.max_steps = 100000;
        assert_int_equal(run(&r, &last), LT_FLOW_STOP);
        assert_string_equal(r.vm.why, "took more than 100000 steps");
        done(&r);
    }
}

static void a_program_that_does_not_end_is_stopped_by_the_clock(void **state) {
    struct run r;
    struct last last;

    (void)state;
    prepare(&r, "0 | until(false; . + 1)", 1 << 20);
    r.vm.limits.max_ms = 20;
    assert_int_equal(run(&r, &last), LT_FLOW_STOP);
    assert_string_equal(r.vm.why, "took longer than 20 ms");
    done(&r);
}

static void memory_is_bounded_and_nothing_catches_its_end(void **state) {
    struct run r;
    struct last last;

    (void)state;
    prepare(&r, "try (reduce range(1e9) as $i ([]; . + [$i])) catch 1, 2", 4 << 20);
    assert_int_equal(run(&r, &last), LT_FLOW_STOP);
    assert_string_equal(r.vm.why, "took more than 4 MiB");
    assert_int_equal(last.n, 0);
    done(&r);
}

static void recursion_that_is_too_deep_is_left_to_libjq(void **state) {
    struct run r;
    struct last last;

    (void)state;
    prepare(&r, "def f: if . == 0 then 0 else (. - 1 | f) + 1 end; try (1e7 | f) catch 1", 1 << 30);
    assert_int_equal(run(&r, &last), LT_FLOW_BAIL);
    done(&r);
}

static void a_call_in_the_last_place_takes_no_stack(void **state) {
    static const char *const texts[] = {
        "def f: if . == 1000000 then . else . + 1 | f end; 0 | f",
        "def f($n): if $n == 1000000 then $n else f($n + 1) end; f(0)",
        "0 | until(. == 1000000; . + 1)", "last(range(1000001))"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct run r;
        struct last last;
        prepare(&r, texts[i], 64 << 20);
        assert_int_equal(run(&r, &last), LT_FLOW_ON);
        assert_int_equal(lt_val_number(last.value).i, 1000000);
        done(&r);
    }
}

static void what_is_outside_is_refused_unless_it_is_given(void **state) {
    static const char *const texts[] = {"env", "$ENV", "input", "[inputs]"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct run r;
        struct last last;
        prepare(&r, texts[i], 1 << 20);
        assert_int_equal(run(&r, &last), LT_FLOW_ERROR);
        struct lt_slice text = lt_val_bytes(&r.vm.heap, r.vm.error);
        assert_non_null(memmem(text.data, text.len, "is not available in a pipeline", 30));
        r.vm.allow_env = true;
        assert_int_equal(run(&r, &last), i < 2 ? LT_FLOW_ON : LT_FLOW_ERROR);
        done(&r);
    }
}

/* Each name of jq 1.6 leads to one place. */
static void all_names_of_jq_lead_somewhere(void **state) {
    const char *name;

    (void)state;
    for (size_t i = 0; (name = lt_fn_name(i)) != NULL; i++) {
        const char *slash = strchr(name, '/');
        struct lt_slice text = lt_slice(name, (size_t)(slash - name));
        size_t n_args = (size_t)(slash[1] - '0');
        int ways = (lt_fn_find(text, n_args) != NULL) + (lt_fn_prelude(text, n_args) != NULL) +
                   lt_fn_is_left_to_libjq(text, n_args);
        if (ways != 1)
            fail_msg("%s leads to %d places", name, ways);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_does_not_end_is_stopped_by_its_steps),
        cmocka_unit_test(a_program_that_does_not_end_is_stopped_by_the_clock),
        cmocka_unit_test(memory_is_bounded_and_nothing_catches_its_end),
        cmocka_unit_test(recursion_that_is_too_deep_is_left_to_libjq),
        cmocka_unit_test(a_call_in_the_last_place_takes_no_stack),
        cmocka_unit_test(what_is_outside_is_refused_unless_it_is_given),
        cmocka_unit_test(all_names_of_jq_lead_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
