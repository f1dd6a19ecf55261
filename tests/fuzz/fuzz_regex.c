/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any pattern, flags and text: the walk over the matches ends, goes forward, and names places
 * within the text. The input is flags, pattern and text with a line feed between them.
 */
#include "expr/fn.h"
#include "expr/fn_regex.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static struct lt_val line(struct lt_vm *vm, struct lt_slice *rest) {
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t n = end ? (size_t)(end - rest->data) : rest->len;
    struct lt_val v = lt_val_copy_string(&vm->heap, (struct lt_slice){rest->data, n});
    n += end != NULL;
    *rest = (struct lt_slice){rest->data + n, rest->len - n};
    return v;
}

static void check(const struct lt_fn_finder *f) {
    must(f->n_spans >= 1);
    for (size_t i = 0; i < f->n_spans; i++) {
        const struct lt_regex_span *span = &f->spans[i];
        if (i && span->from < 0)
            continue;
        must(span->from >= 0 && span->from <= span->to);
        must((size_t)span->to <= f->subject.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_slice rest = {(const char *)data, len};
    struct lt_fn_finder f;
    struct lt_arena arena;
    struct lt_vm vm;
    bool found = true;
    size_t from = 0;

    lt_arena_init(&arena, 16 << 20);
    lt_vm_init(&vm, &arena);
    vm.limits.max_steps = 100000;
    struct lt_val flags = line(&vm, &rest);
    struct lt_val pattern = line(&vm, &rest);
    struct lt_val text = lt_val_copy_string(&vm.heap, rest);
    enum lt_flow flow = lt_fn_find_open(&vm, text, pattern, flags, &f);
    while (flow == LT_FLOW_ON && found) {
        flow = lt_fn_find_next(&vm, &f, &found);
        if (flow != LT_FLOW_ON || !found)
            break;
        check(&f);
        must(f.from > from || f.done);
        from = f.from;
    }
    must(flow == LT_FLOW_ON || flow == LT_FLOW_ERROR || flow == LT_FLOW_STOP);
    lt_vm_deinit(&vm);
    lt_arena_deinit(&arena);
    return 0;
}
