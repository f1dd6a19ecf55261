/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a jq program, over the document on its last line: it is refused, left to libjq, or
 * runs within its limits, and what it gives is JSON.
 */
#include "expr/vm.h"

#include <stdlib.h>

enum { MAX_TEXT = 2048, MAX_STEPS = 20000, PROGRAM_BYTES = 8 << 20, RUN_BYTES = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum lt_flow check_output(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                 const struct lt_path *path) {
    struct lt_buf text;
    struct lt_json json;

    (void)self, (void)path;
    lt_buf_init(&text, RUN_BYTES);
    lt_val_write(&vm->heap, &text, v);
    if (!text.failed && !vm->heap.full &&
        lt_json_parse(&json, lt_buf_slice(&text), LT_JSON_MAX_DEPTH, NULL) != LEAT_OK &&
        text.len < 2000) /* else it may be deeper than a text may be */
        abort();
    lt_buf_deinit(&text);
    return LT_FLOW_ON;
}

static void run(const struct lt_tree_part *part, struct lt_slice document) {
    struct lt_sink sink = {check_output};
    struct lt_arena arena;
    struct lt_vm vm;
    struct lt_val input;

    lt_arena_init(&arena, RUN_BYTES);
    lt_vm_init(&vm, &arena);
    vm.limits.max_steps = MAX_STEPS;
    if (lt_val_parse(&vm.heap, document, &input, NULL) == LEAT_OK) {
        enum lt_flow flow = lt_vm_run(&vm, part, input, false, &sink);
        if (flow == LT_FLOW_BREAK || (flow == LT_FLOW_STOP && !vm.why))
            abort();
    }
    lt_vm_deinit(&vm);
    lt_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_slice all = lt_slice(data, len);
    struct lt_expr_text text = {.name = LT_LIT("fuzz")};
    struct lt_tree_part part;
    struct lt_arena arena;
    struct leat_error err;
    size_t end = len;

    if (len > MAX_TEXT)
        return 0;
    while (end > 0 && all.data[end - 1] != '\n')
        end--;
    text.text = lt_slice(data, end);
    lt_arena_init(&arena, PROGRAM_BYTES);
    if (lt_tree_parse(&part, &text, NULL, 0, NULL, 0, &arena, &err) == LEAT_OK && part.root &&
        lt_vm_prepare(&part, &arena, &err) == LEAT_OK)
        run(&part, lt_slice_from(all, end));
    lt_arena_deinit(&arena);
    return 0;
}
