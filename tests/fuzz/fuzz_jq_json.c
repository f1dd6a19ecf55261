/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text through the reader that does as jq's: a value or an error of jq's kind. What the strict
 * reader takes it takes, too, as the same value.
 */
#include "expr/jq_json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

/* jq counts a member's name as a level. */
static bool is_deep(struct lt_slice text) {
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '[' ? 1 : text.data[i] == '{' ? 2 : 0;
    return n > 255;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_arena arena;
    struct lt_vm vm;
    struct lt_val strict;
    struct lt_val v;

    lt_arena_init(&arena, 16 << 20);
    lt_vm_init(&vm, &arena);
    /* a string's bytes are UTF-8, whatever was read */
    struct lt_val string = lt_val_copy_string(&vm.heap, (struct lt_slice){(const char *)data, len});
    struct lt_slice text = lt_val_bytes(&vm.heap, string);
    enum lt_flow flow = lt_jq_json_parse(&vm, text, &v);
    must(flow == LT_FLOW_ON || flow == LT_FLOW_ERROR);
    if (flow == LT_FLOW_ERROR)
        must(vm.error.kind == LT_VAL_STRING && lt_val_bytes(&vm.heap, vm.error).len > 0);
    if (lt_val_parse(&vm.heap, text, &strict, NULL) == LEAT_OK && !is_deep(text)) {
        must(flow == LT_FLOW_ON);
        must(lt_val_equal(&vm.heap, v, strict));
    }
    lt_vm_deinit(&vm);
    lt_arena_deinit(&arena);
    return 0;
}
