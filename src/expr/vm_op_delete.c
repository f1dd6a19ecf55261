/* SPDX-License-Identifier: Apache-2.0 */
/* delpaths: the paths in order, those that begin alike together, the deepest first. */
#include "expr/val_seq.h"
#include "expr/vm_op.h"

struct deletion {
    struct lt_vm *vm;
    struct lt_val *keys; /* of all levels under way, one behind the other */
    size_t n_keys;
};

static enum lt_flow delete_elements(struct lt_vm *vm, struct lt_val v, const struct lt_val *keys,
                                    size_t n_keys, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    size_t n;
    const struct lt_val *items = lt_val_items(heap, v, &n);
    bool *gone = lt_heap_alloc(heap, n);
    if (!gone)
        return lt_vm_step(vm);
    memset(gone, 0, n);
    for (size_t i = 0; i < n_keys; i++) {
        size_t from, to;
        if (keys[i].kind == LT_VAL_NUMBER) {
            double d = lt_val_as_double(keys[i]);
            int64_t at = lt_vm_cut_index(d) + (d < 0 ? (int64_t)n : 0);
            if (at >= 0 && (size_t)at < n)
                gone[at] = true;
        } else if (keys[i].kind != LT_VAL_OBJECT) {
            return lt_vm_raise(vm, "Cannot delete %s element of array", lt_val_type(keys[i]));
        } else if (lt_vm_slice_of(heap, keys[i], n, &from, &to)) {
            memset(gone + from, 1, to - from);
        } else {
            return lt_vm_raise(vm, "Start and end indices of an array slice must be numbers");
        }
    }
    struct lt_val kept = lt_val_array(heap, n);
    for (size_t i = 0; i < n; i++)
        if (!gone[i])
            kept = lt_val_array_append(heap, kept, items[i]);
    *out = kept;
    return heap->full ? lt_vm_step(vm) : LT_FLOW_ON;
}

static enum lt_flow delete_members(struct lt_vm *vm, struct lt_val v, const struct lt_val *keys,
                                   size_t n_keys, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val object = lt_val_resolve(heap, v);
    size_t n = lt_val_object_len(heap, object);
    bool *gone = n_keys > 1 ? lt_heap_alloc(heap, n) : NULL;
    if (gone)
        memset(gone, 0, n);
    for (size_t i = 0; i < n_keys && !heap->full; i++) {
        if (keys[i].kind != LT_VAL_STRING)
            return lt_vm_raise(vm, "Cannot delete %s field of object", lt_val_type(keys[i]));
        struct lt_slice name = lt_val_bytes(heap, keys[i]);
        if (!gone) {
            object = lt_val_object_delete(heap, object, name);
            break;
        }
        int64_t place = lt_obj_find(heap, &object.obj->seq, n, name);
        if (place >= 0)
            gone[place] = true;
    }
    *out = gone && !heap->full ? lt_obj_without(heap, object, gone) : object;
    return heap->full ? lt_vm_step(vm) : LT_FLOW_ON;
}

static enum lt_flow delete_keys(struct lt_vm *vm, struct lt_val v, const struct lt_val *keys,
                                size_t n_keys, struct lt_val *out) {
    *out = v;
    if (v.kind == LT_VAL_NULL || !n_keys)
        return LT_FLOW_ON;
    if (v.kind == LT_VAL_ARRAY)
        return delete_elements(vm, v, keys, n_keys, out);
    if (v.kind == LT_VAL_OBJECT)
        return delete_members(vm, v, keys, n_keys, out);
    return lt_vm_raise(vm, "Cannot delete fields from %s", lt_val_type(v));
}

static struct lt_val key_of(struct lt_heap *heap, struct lt_val path, size_t level) {
    return lt_val_array_get(heap, path, level);
}

/* `paths` are sorted, and longer than `level`. */
static enum lt_flow delete_sorted(struct deletion *d, struct lt_val v, const struct lt_val *paths,
                                  size_t n, size_t level, struct lt_val *out) {
    struct lt_heap *heap = &d->vm->heap;
    size_t first_key = d->n_keys;
    if (level >= LT_VAL_MAX_DEPTH)
        return LT_FLOW_BAIL;
    for (size_t i = 0, end; i < n; i = end) {
        struct lt_val key = key_of(heap, paths[i], level);
        for (end = i + 1; end < n && lt_val_equal(heap, key, key_of(heap, paths[end], level));)
            end++;
        enum lt_flow flow = lt_vm_step(d->vm);
        if (flow != LT_FLOW_ON)
            return flow;
        if (lt_val_array_len(heap, paths[i]) == level + 1) {
            d->keys[d->n_keys++] = key; /* with all that is below it */
            continue;
        }
        struct lt_val part;
        flow = lt_vm_get(d->vm, v, key, &part);
        if (flow == LT_FLOW_ON && part.kind != LT_VAL_NULL) {
            flow = delete_sorted(d, part, paths + i, end - i, level + 1, &part);
            if (flow == LT_FLOW_ON)
                flow = lt_vm_set(d->vm, v, key, part, &v);
        }
        if (flow != LT_FLOW_ON)
            return flow;
    }
    enum lt_flow flow = delete_keys(d->vm, v, d->keys + first_key, d->n_keys - first_key, out);
    d->n_keys = first_key;
    return flow;
}

enum lt_flow lt_vm_delpaths(struct lt_vm *vm, struct lt_val v, struct lt_val paths,
                            struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    if (paths.kind != LT_VAL_ARRAY)
        return lt_vm_raise(vm, "Paths must be specified as an array");
    size_t n;
    const struct lt_val *items = lt_val_items(heap, paths, &n);
    struct lt_val *sorted = lt_heap_alloc(heap, n * sizeof(*sorted));
    struct deletion d = {vm, lt_heap_alloc(heap, n * sizeof(*sorted)), 0};
    if (!sorted || !d.keys)
        return lt_vm_step(vm);
    if (n)
        memcpy(sorted, items, n * sizeof(*sorted));
    lt_val_sort(heap, sorted, n);
    for (size_t i = 0; i < n; i++)
        if (sorted[i].kind != LT_VAL_ARRAY)
            return lt_vm_raise(vm, "Path must be specified as array, not %s",
                               lt_val_type(sorted[i]));
    *out = v;
    if (!n)
        return heap->full ? lt_vm_step(vm) : LT_FLOW_ON;
    if (!lt_val_array_len(heap, sorted[0])) {
        *out = lt_val_null();
        return LT_FLOW_ON;
    }
    return delete_sorted(&d, v, sorted, n, 0, out);
}
