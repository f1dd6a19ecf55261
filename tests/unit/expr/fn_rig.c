/* SPDX-License-Identifier: Apache-2.0 */
#include "fn_rig.h"

#include "base/buf.h"
#include "expr/vm.h"

#include <string.h>

static struct lt_slice slice(const char *s) {
    return (struct lt_slice){s, strlen(s)};
}

struct printer {
    struct lt_sink sink;
    struct lt_buf *to;
};

static enum lt_flow print(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                          const struct lt_path *path) {
    struct lt_buf *to = ((struct printer *)self)->to;
    (void)path;
    if (to->len)
        lt_buf_append_byte(to, '\n');
    lt_val_write(&vm->heap, to, v);
    return LT_FLOW_ON;
}

static void print_failure(struct lt_vm *vm, struct lt_buf *to) {
    if (to->len)
        lt_buf_append_byte(to, '\n');
    lt_buf_append_str(to, "error: ");
    if (vm->error.kind == LT_VAL_STRING)
        lt_buf_append(to, lt_val_bytes(&vm->heap, vm->error));
    else
        lt_val_write(&vm->heap, to, vm->error);
}

/* Each case runs twice in one machine: what it keeps from run to run must not change an answer. */
static void run(struct lt_vm *vm, struct lt_arena *arena, const struct lt_tree_part *part,
                const char *input, struct lt_buf *to) {
    struct leat_error err;
    for (int i = 0; i < 2; i++) {
        struct printer printer = {{print}, to};
        struct lt_val v;
        lt_buf_clear(to);
        lt_arena_reset(arena);
        assert_int_equal(LEAT_OK, lt_val_parse(&vm->heap, slice(input), &v, &err));
        enum lt_flow flow = lt_vm_run(vm, part, v, false, &printer.sink);
        if (flow == LT_FLOW_ERROR)
            print_failure(vm, to);
        else
            assert_int_equal(LT_FLOW_ON, flow);
        assert_false(vm->heap.full);
    }
}

void fn_cases_hold(const struct fn_case *cases, size_t n) {
    struct lt_arena trees;
    struct lt_arena arena;
    struct lt_buf out;
    struct lt_vm vm;

    lt_arena_init(&trees, 64 << 20);
    lt_arena_init(&arena, 64 << 20);
    lt_buf_init(&out, 1 << 20);
    lt_vm_init(&vm, &arena);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        struct leat_error err = {0};
        struct lt_expr_text text = {.text = slice(cases[i].expr)};
        struct lt_tree_part part;
        if (lt_tree_parse(&part, &text, NULL, 0, NULL, 0, &trees, &err) != LEAT_OK)
            fail_msg("%s: %s", cases[i].expr, err.text);
        if (!part.root)
            fail_msg("%s: %s", cases[i].expr, part.why);
        assert_int_equal(LEAT_OK, lt_vm_prepare(&part, &trees, &err));
        run(&vm, &arena, &part, cases[i].input, &out);
        const char *got = lt_buf_cstr(&out);
        if (!got || strcmp(got, cases[i].expected) != 0)
            fail_msg("%s on %s gives\n%s\nnot\n%s", cases[i].expr, cases[i].input, got,
                     cases[i].expected);
    }
    lt_vm_deinit(&vm);
    lt_buf_deinit(&out);
    lt_arena_deinit(&arena);
    lt_arena_deinit(&trees);
}
