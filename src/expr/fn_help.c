/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/fn_help.h"

#include <string.h>

enum lt_flow lt_fn_values(struct lt_vm *vm, struct lt_val v, const struct lt_val **values,
                          size_t *n) {
    struct lt_heap *heap = &vm->heap;

    *values = NULL;
    *n = 0;
    if (v.kind == LT_VAL_ARRAY) {
        *values = lt_val_items(heap, v, n);
        return LT_FLOW_ON;
    }
    if (v.kind != LT_VAL_OBJECT) {
        char text[16];
        return lt_vm_raise(vm, "Cannot iterate over %s (%s)", lt_val_type(v),
                           lt_val_shortened(heap, v, text));
    }
    const struct lt_member *members = lt_val_members(heap, v, n);
    struct lt_val *list = *n ? lt_heap_alloc(heap, *n * sizeof(*list)) : NULL;
    if (!list) {
        *n = 0;
        return lt_vm_step(vm);
    }
    for (size_t i = 0; i < *n; i++)
        list[i] = members[i].value;
    *values = list;
    return lt_fn_charge(vm, *n / 4);
}

char *lt_fn_string_room(struct lt_vm *vm, size_t len) {
    if (len > UINT32_MAX) {
        vm->heap.full = true;
        return NULL;
    }
    return lt_heap_alloc(&vm->heap, len + 1);
}

void lt_fn_list_add(struct lt_vm *vm, struct lt_fn_list *list, struct lt_val v) {
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 8;
        struct lt_val *values = lt_heap_alloc(&vm->heap, cap * sizeof(*values));
        if (!values)
            return;
        if (list->n)
            memcpy(values, list->values, list->n * sizeof(*values));
        list->values = values;
        list->cap = cap;
    }
    list->values[list->n++] = v;
}

struct collector {
    struct lt_sink sink;
    struct lt_fn_list *list;
};

static enum lt_flow collect(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    (void)path;
    lt_fn_list_add(vm, ((struct collector *)self)->list, v);
    return lt_vm_step(vm);
}

enum lt_flow lt_fn_collect(struct lt_vm *vm, const struct lt_node *closure, struct lt_frame *frame,
                           struct lt_val input, struct lt_fn_list *list) {
    struct collector to = {{collect}, list};
    return lt_vm_eval(vm, closure, frame, input, NULL, &to.sink);
}

enum lt_flow lt_fn_emit(struct lt_vm *vm, struct lt_sink *sink, struct lt_val v,
                        const struct lt_path *path) {
    return sink->emit(vm, sink, v, path);
}
