/* SPDX-License-Identifier: Apache-2.0 */
/* What `.[…]` reads and what an assignment writes. */
#include "expr/vm_op.h"

#include <float.h>
#include <math.h>

#define NOT_NUMBERS "Start and end indices of an %s slice must be numbers"

enum { SHOWN_NAME_BYTES = 30 }; /* a longer name is not shown in an error */

static enum lt_flow done(struct lt_vm *vm, struct lt_val v, struct lt_val *out) {
    *out = v;
    return vm->heap.full ? lt_vm_step(vm) : LT_FLOW_ON;
}

int32_t lt_vm_cut_index(double d) {
    return d > -2147483649.0 && d < 2147483648.0 ? (int32_t)d : INT32_MIN;
}

/* --- slices --------------------------------------------------------------------------------- */

bool lt_vm_slice_of(struct lt_heap *heap, struct lt_val key, size_t len, size_t *from, size_t *to) {
    struct lt_val first, last;
    /* a key without either is refused, as in jq 1.6: `.[1:]` has a null there */
    if (!lt_val_object_get(heap, key, LT_LIT("start"), &first) ||
        !lt_val_object_get(heap, key, LT_LIT("end"), &last))
        return false;
    if ((first.kind != LT_VAL_NULL && first.kind != LT_VAL_NUMBER) ||
        (last.kind != LT_VAL_NULL && last.kind != LT_VAL_NUMBER))
        return false;
    double n = (double)len;
    double start = first.kind == LT_VAL_NULL ? 0 : lt_val_as_double(first);
    double end = last.kind == LT_VAL_NULL ? n : lt_val_as_double(last);
    start += start < 0 ? n : 0;
    end += end < 0 ? n : 0;
    *from = start > n ? len : start > 0 ? (size_t)start : 0;
    *to = end > n ? len : end > 0 ? (size_t)ceil(end) : 0; /* of 1.5 all that is before 2 */
    if (*to < *from)
        *to = *from;
    return true;
}

/* Where the n-th character begins. */
static const char *skip_chars(const char *at, const char *end, size_t n) {
    while (at < end && n) {
        for (at++; at < end && (*at & 0xc0) == 0x80;)
            at++;
        n--;
    }
    return at;
}

static enum lt_flow slice_string(struct lt_vm *vm, struct lt_val v, struct lt_val key,
                                 struct lt_val *out) {
    struct lt_slice bytes = lt_val_bytes(&vm->heap, v);
    size_t from, to;
    if (!lt_vm_slice_of(&vm->heap, key, lt_val_codepoints(bytes), &from, &to))
        return lt_vm_raise(vm, NOT_NUMBERS, "string");
    const char *end = bytes.data + bytes.len;
    const char *first = skip_chars(bytes.data, end, from);
    const char *last = skip_chars(first, end, to - from);
    return done(vm, lt_val_string(lt_slice(first, (size_t)(last - first))), out);
}

static enum lt_flow slice_array(struct lt_vm *vm, struct lt_val v, struct lt_val key,
                                struct lt_val *out) {
    size_t from, to;
    if (!lt_vm_slice_of(&vm->heap, key, lt_val_array_len(&vm->heap, v), &from, &to))
        return lt_vm_raise(vm, NOT_NUMBERS, "array");
    return done(vm, lt_val_array_slice(&vm->heap, v, from, to), out);
}

/* --- reading -------------------------------------------------------------------------------- */

/* The element of that number, from the end when it is below zero; null when it is not whole. */
static struct lt_val get_element(struct lt_heap *heap, struct lt_val v, struct lt_val key) {
    key = lt_val_number(key);
    int64_t i = key.form == LT_VAL_INT ? key.i : 0;
    if (key.form == LT_VAL_DOUBLE) {
        double whole;
        if (!(fabs(modf(key.d, &whole)) < DBL_EPSILON))
            return lt_val_null();
        i = lt_vm_cut_index(key.d);
    }
    if (i < 0)
        i += (int64_t)lt_val_array_len(heap, v);
    return i < 0 ? lt_val_null() : lt_val_array_get(heap, v, (size_t)i);
}

/* All places where `part` begins in `v`. */
static enum lt_flow find_places(struct lt_vm *vm, struct lt_val v, struct lt_val part,
                                struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    size_t n, n_part;
    const struct lt_val *items = lt_val_items(heap, v, &n);
    const struct lt_val *sought = lt_val_items(heap, part, &n_part);
    struct lt_val places = lt_val_array(heap, 0);
    for (size_t i = 0; n_part && i + n_part <= n; i++) {
        size_t j = 0;
        while (j < n_part && lt_val_equal(heap, items[i + j], sought[j]))
            j++;
        if (j == n_part)
            places = lt_val_array_append(heap, places, lt_val_int((int64_t)i));
        enum lt_flow flow = lt_vm_step(vm);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    return done(vm, places, out);
}

static enum lt_flow refuse_get(struct lt_vm *vm, struct lt_val v, struct lt_val key) {
    if (key.kind == LT_VAL_STRING) {
        struct lt_slice name = lt_val_bytes(&vm->heap, key);
        if (name.len < SHOWN_NAME_BYTES)
            return lt_vm_raise(vm, "Cannot index %s with string \"%.*s\"", lt_val_type(v),
                               LT_FMT(name));
    }
    return lt_vm_raise(vm, "Cannot index %s with %s", lt_val_type(v), lt_val_type(key));
}

enum lt_flow lt_vm_get(struct lt_vm *vm, struct lt_val v, struct lt_val key, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    if (v.kind == LT_VAL_OBJECT && key.kind == LT_VAL_STRING) {
        (void)lt_val_object_get(heap, v, lt_val_bytes(heap, key), out);
        return done(vm, *out, out);
    }
    if (v.kind == LT_VAL_ARRAY && key.kind == LT_VAL_NUMBER)
        return done(vm, get_element(heap, v, key), out);
    if (v.kind == LT_VAL_ARRAY && key.kind == LT_VAL_OBJECT)
        return slice_array(vm, v, key, out);
    if (v.kind == LT_VAL_STRING && key.kind == LT_VAL_OBJECT)
        return slice_string(vm, v, key, out);
    if (v.kind == LT_VAL_ARRAY && key.kind == LT_VAL_ARRAY)
        return find_places(vm, v, key, out);
    if (v.kind == LT_VAL_NULL &&
        (key.kind == LT_VAL_STRING || key.kind == LT_VAL_NUMBER || key.kind == LT_VAL_OBJECT))
        return done(vm, lt_val_null(), out);
    return refuse_get(vm, v, key);
}

enum lt_flow lt_vm_getpath(struct lt_vm *vm, struct lt_val v, const struct lt_val *keys, size_t n,
                           struct lt_val *out) {
    *out = v;
    for (size_t i = 0; i < n; i++) {
        enum lt_flow flow = lt_vm_get(vm, *out, keys[i], out);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    return LT_FLOW_ON;
}

/* --- writing -------------------------------------------------------------------------------- */

static enum lt_flow set_element(struct lt_vm *vm, struct lt_val v, struct lt_val key,
                                struct lt_val value, struct lt_val *out) {
    int64_t i = lt_vm_cut_index(lt_val_as_double(key));
    if (i < 0)
        i += (int64_t)lt_val_array_len(&vm->heap, v);
    if (i < 0)
        return lt_vm_raise(vm, "Out of bounds negative array index");
    return done(vm, lt_val_array_set(&vm->heap, v, (size_t)i, value), out);
}

static enum lt_flow set_slice(struct lt_vm *vm, struct lt_val v, struct lt_val key,
                              struct lt_val value, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    size_t from, to, n, n_new;
    if (!lt_vm_slice_of(heap, key, lt_val_array_len(heap, v), &from, &to))
        return lt_vm_raise(vm, NOT_NUMBERS, "array");
    if (value.kind != LT_VAL_ARRAY)
        return lt_vm_raise(vm, "A slice of an array can only be assigned another array");
    const struct lt_val *items = lt_val_items(heap, v, &n);
    const struct lt_val *new_items = lt_val_items(heap, value, &n_new);
    struct lt_val whole = lt_val_array(heap, n - (to - from) + n_new);
    whole = lt_val_array_extend(heap, whole, items, from);
    whole = lt_val_array_extend(heap, whole, new_items, n_new);
    return done(vm, lt_val_array_extend(heap, whole, items + to, n - to), out);
}

enum lt_flow lt_vm_set(struct lt_vm *vm, struct lt_val v, struct lt_val key, struct lt_val value,
                       struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    bool none = v.kind == LT_VAL_NULL;
    if (key.kind == LT_VAL_STRING && (none || v.kind == LT_VAL_OBJECT)) {
        struct lt_val object = none ? lt_val_object(heap, 1) : v;
        return done(vm, lt_val_object_set(heap, object, key, value), out);
    }
    if (none || v.kind == LT_VAL_ARRAY) {
        struct lt_val array = none ? lt_val_array(heap, 1) : v;
        if (key.kind == LT_VAL_NUMBER)
            return set_element(vm, array, key, value, out);
        if (key.kind == LT_VAL_OBJECT)
            return set_slice(vm, array, key, value, out);
    }
    return lt_vm_raise(vm, "Cannot update field at %s index of %s", lt_val_type(key),
                       lt_val_type(v));
}

enum lt_flow lt_vm_setpath(struct lt_vm *vm, struct lt_val v, const struct lt_val *keys, size_t n,
                           struct lt_val value, struct lt_val *out) {
    struct lt_val few[16];
    struct lt_val *above = few; /* what each key is looked up in */
    if (n > sizeof(few) / sizeof(*few))
        above = lt_heap_alloc(&vm->heap, n * sizeof(*above));
    if (!above)
        return lt_vm_step(vm);
    for (size_t i = 0; i < n; i++) {
        above[i] = v;
        enum lt_flow flow = lt_vm_get(vm, v, keys[i], &v);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    *out = value;
    while (n--) {
        enum lt_flow flow = lt_vm_set(vm, above[n], keys[n], *out, out);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    return LT_FLOW_ON;
}
