/* SPDX-License-Identifier: Apache-2.0 */
/* jq's operators on two values. */
#include "expr/val_seq.h"
#include "expr/vm.h"

#include <math.h>

/* `a` and `b` as doubles, unless both are whole numbers. */
struct pair {
    bool whole;
    double a, b;
};

static struct pair pair_of(struct lt_val *a, struct lt_val *b) {
    *a = lt_val_number(*a);
    *b = lt_val_number(*b);
    if (a->form == LT_VAL_INT && b->form == LT_VAL_INT)
        return (struct pair){.whole = true};
    return (struct pair){false, lt_val_as_double(*a), lt_val_as_double(*b)};
}

static bool are_both(enum lt_val_kind kind, struct lt_val a, struct lt_val b) {
    return a.kind == kind && b.kind == kind;
}

static enum lt_flow done(struct lt_vm *vm, struct lt_val v, struct lt_val *out) {
    *out = v;
    return vm->heap.full ? lt_vm_step(vm) : LT_FLOW_ON;
}

static enum lt_flow refuse(struct lt_vm *vm, struct lt_val a, struct lt_val b, const char *what) {
    char x[16], y[16];
    return lt_vm_raise(vm, "%s (%s) and %s (%s) cannot be %s", lt_val_type(a),
                       lt_val_shortened(&vm->heap, a, x), lt_val_type(b),
                       lt_val_shortened(&vm->heap, b, y), what);
}

/* --- + ------------------------------------------------------------------------------------ */

static struct lt_val add_numbers(struct lt_val a, struct lt_val b) {
    struct pair p = pair_of(&a, &b);
    int64_t sum;
    if (!p.whole)
        return lt_val_double(p.a + p.b);
    if (__builtin_add_overflow(a.i, b.i, &sum))
        return lt_val_double((double)a.i + (double)b.i);
    return lt_val_int(sum);
}

static struct lt_val add_arrays(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    size_t n;
    if (!lt_val_array_len(heap, a))
        return b;
    const struct lt_val *items = lt_val_items(heap, b, &n);
    return lt_val_array_extend(heap, a, items, n);
}

static struct lt_val add_objects(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    size_t n;
    if (!lt_val_object_len(heap, a))
        return b;
    const struct lt_member *members = lt_val_members(heap, b, &n);
    for (size_t i = 0; i < n && !heap->full; i++)
        a = lt_val_object_set(heap, a, members[i].name, members[i].value);
    return a;
}

static enum lt_flow add(struct lt_vm *vm, struct lt_val a, struct lt_val b, struct lt_val *out) {
    if (a.kind == LT_VAL_NULL)
        return done(vm, b, out);
    if (b.kind == LT_VAL_NULL)
        return done(vm, a, out);
    if (are_both(LT_VAL_NUMBER, a, b))
        return done(vm, add_numbers(a, b), out);
    if (are_both(LT_VAL_STRING, a, b))
        return done(vm, lt_val_concat(&vm->heap, a, b), out);
    if (are_both(LT_VAL_ARRAY, a, b))
        return done(vm, add_arrays(&vm->heap, a, b), out);
    if (are_both(LT_VAL_OBJECT, a, b))
        return done(vm, add_objects(&vm->heap, a, b), out);
    return refuse(vm, a, b, "added");
}

/* --- - ------------------------------------------------------------------------------------ */

static struct lt_val sub_numbers(struct lt_val a, struct lt_val b) {
    struct pair p = pair_of(&a, &b);
    int64_t difference;
    if (!p.whole)
        return lt_val_double(p.a - p.b);
    if (__builtin_sub_overflow(a.i, b.i, &difference))
        return lt_val_double((double)a.i - (double)b.i);
    return lt_val_int(difference);
}

enum { FEW = 8 }; /* elements that are looked through one after the other */

static bool is_among(struct lt_heap *heap, const struct lt_val *sorted, size_t n, struct lt_val v) {
    size_t from = 0;
    while (from < n) {
        size_t middle = from + (n - from) / 2;
        int order = lt_val_compare(heap, v, sorted[middle]);
        if (order == 0)
            return true;
        if (order < 0)
            n = middle;
        else
            from = middle + 1;
    }
    return false;
}

static enum lt_flow sub_arrays(struct lt_vm *vm, struct lt_val a, struct lt_val b,
                               struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    size_t n_a, n_b;
    const struct lt_val *x = lt_val_items(heap, a, &n_a);
    const struct lt_val *y = lt_val_items(heap, b, &n_b);
    struct lt_val kept = lt_val_array(heap, 0);
    struct lt_val *sorted = n_b > FEW ? lt_heap_alloc(heap, n_b * sizeof(*sorted)) : NULL;
    if (sorted) {
        memcpy(sorted, y, n_b * sizeof(*sorted));
        lt_val_sort(heap, sorted, n_b);
    }
    for (size_t i = 0; i < n_a; i++) {
        bool found = sorted && is_among(heap, sorted, n_b, x[i]);
        for (size_t j = 0; !sorted && j < n_b && !found; j++)
            found = lt_val_equal(heap, x[i], y[j]);
        if (!found)
            kept = lt_val_array_append(heap, kept, x[i]);
        enum lt_flow flow = lt_vm_step(vm);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    return done(vm, kept, out);
}

static enum lt_flow sub(struct lt_vm *vm, struct lt_val a, struct lt_val b, struct lt_val *out) {
    if (are_both(LT_VAL_NUMBER, a, b))
        return done(vm, sub_numbers(a, b), out);
    if (are_both(LT_VAL_ARRAY, a, b))
        return sub_arrays(vm, a, b, out);
    return refuse(vm, a, b, "subtracted");
}

/* --- * ------------------------------------------------------------------------------------ */

static struct lt_val mul_numbers(struct lt_val a, struct lt_val b) {
    struct pair p = pair_of(&a, &b);
    int64_t product;
    if (!p.whole)
        return lt_val_double(p.a * p.b);
    /* a zero may have a sign */
    if (__builtin_mul_overflow(a.i, b.i, &product) || (product == 0 && (a.i < 0 || b.i < 0)))
        return lt_val_double((double)a.i * (double)b.i);
    return lt_val_int(product);
}

/* As often as the number says, a part of a time being a time; null for none. */
static struct lt_val repeat(struct lt_heap *heap, struct lt_val string, double times) {
    if (!(times > 0))
        return lt_val_null();
    struct lt_slice once = lt_val_bytes(heap, string);
    uint64_t n = times < 1 ? 1 : times > INT32_MAX ? INT32_MAX : (uint64_t)times;
    if (n == 1 || !once.len)
        return string;
    char *all = n * once.len <= UINT32_MAX ? lt_heap_alloc(heap, n * once.len) : NULL;
    if (!all) {
        heap->full = true;
        return lt_val_null();
    }
    for (uint64_t i = 0; i < n; i++)
        memcpy(all + i * once.len, once.data, once.len);
    return lt_val_string(lt_slice(all, n * once.len));
}

static struct lt_val merge(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth) {
    size_t n;
    const struct lt_member *members = lt_val_members(heap, b, &n);
    if (depth > LT_VAL_MAX_DEPTH)
        heap->full = true;
    for (size_t i = 0; i < n && !heap->full; i++) {
        struct lt_val name = members[i].name, value = members[i].value, old;
        if (value.kind == LT_VAL_OBJECT &&
            lt_val_object_get(heap, a, lt_slice(name.s, name.n), &old) && old.kind == LT_VAL_OBJECT)
            value = merge(heap, old, value, depth + 1);
        a = lt_val_object_set(heap, a, name, value);
    }
    return a;
}

static enum lt_flow mul(struct lt_vm *vm, struct lt_val a, struct lt_val b, struct lt_val *out) {
    if (are_both(LT_VAL_NUMBER, a, b))
        return done(vm, mul_numbers(a, b), out);
    if (a.kind == LT_VAL_STRING && b.kind == LT_VAL_NUMBER)
        return done(vm, repeat(&vm->heap, a, lt_val_as_double(b)), out);
    if (a.kind == LT_VAL_NUMBER && b.kind == LT_VAL_STRING)
        return done(vm, repeat(&vm->heap, b, lt_val_as_double(a)), out);
    if (are_both(LT_VAL_OBJECT, a, b))
        return done(vm, merge(&vm->heap, a, b, 0), out);
    return refuse(vm, a, b, "multiplied");
}

/* --- / and % -------------------------------------------------------------------------------- */

/* The end of the first character. */
static size_t char_len(const char *at, const char *end) {
    size_t n = 1;
    while (at + n < end && (at[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static enum lt_flow split(struct lt_vm *vm, struct lt_val a, struct lt_val b, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_slice text = lt_val_bytes(heap, a), by = lt_val_bytes(heap, b);
    struct lt_val parts = lt_val_array(heap, 4);
    const char *at = text.data, *end = text.data + text.len;
    while (at < end) {
        enum lt_flow flow = lt_vm_step(vm);
        if (flow != LT_FLOW_ON)
            return flow;
        const char *stop =
            by.len ? memmem(at, (size_t)(end - at), by.data, by.len) : at + char_len(at, end);
        bool found = stop != NULL && by.len;
        stop = stop ? stop : end;
        parts = lt_val_array_append(heap, parts, lt_val_string(lt_slice(at, (size_t)(stop - at))));
        at = stop + (found ? by.len : 0);
        if (found && at == end)
            parts = lt_val_array_append(heap, parts, lt_val_string(LT_LIT("")));
    }
    return done(vm, parts, out);
}

static enum lt_flow divide(struct lt_vm *vm, struct lt_val a, struct lt_val b, struct lt_val *out) {
    if (are_both(LT_VAL_STRING, a, b))
        return split(vm, a, b, out);
    if (!are_both(LT_VAL_NUMBER, a, b))
        return refuse(vm, a, b, "divided");
    struct pair p = pair_of(&a, &b);
    if (p.whole ? b.i == 0 : p.b == 0)
        return refuse(vm, a, b, "divided because the divisor is zero");
    if (!p.whole)
        return done(vm, lt_val_double(p.a / p.b), out);
    if (b.i != -1 && a.i != 0 && a.i % b.i == 0)
        return done(vm, lt_val_int(a.i / b.i), out);
    return done(vm, lt_val_double((double)a.i / (double)b.i), out);
}

/* Cut to a whole number as the processor does it for jq: what does not fit is the least one. */
static int64_t cut(struct lt_val number) {
    if (number.form == LT_VAL_INT)
        return number.i;
    return number.d >= -9223372036854775808.0 && number.d < 9223372036854775808.0
               ? (int64_t)number.d
               : INT64_MIN;
}

static enum lt_flow modulo(struct lt_vm *vm, struct lt_val a, struct lt_val b, struct lt_val *out) {
    if (!are_both(LT_VAL_NUMBER, a, b))
        return refuse(vm, a, b, "divided (remainder)");
    int64_t x = cut(lt_val_number(a)), y = cut(lt_val_number(b));
    if (y == 0)
        return refuse(vm, a, b, "divided (remainder) because the divisor is zero");
    return done(vm, lt_val_int(y == -1 ? 0 : x % y), out);
}

enum lt_flow lt_vm_binary(struct lt_vm *vm, enum lt_op op, struct lt_val a, struct lt_val b,
                          struct lt_val *out) {
    switch (op) {
    case LT_OP_ADD:
        return add(vm, a, b, out);
    case LT_OP_SUB:
        return sub(vm, a, b, out);
    case LT_OP_MUL:
        return mul(vm, a, b, out);
    case LT_OP_DIV:
        return divide(vm, a, b, out);
    case LT_OP_MOD:
        return modulo(vm, a, b, out);
    case LT_OP_EQ:
        return done(vm, lt_val_bool(lt_val_equal(&vm->heap, a, b)), out);
    case LT_OP_NE:
        return done(vm, lt_val_bool(!lt_val_equal(&vm->heap, a, b)), out);
    case LT_OP_LT:
        return done(vm, lt_val_bool(lt_val_compare(&vm->heap, a, b) < 0), out);
    case LT_OP_LE:
        return done(vm, lt_val_bool(lt_val_compare(&vm->heap, a, b) <= 0), out);
    case LT_OP_GT:
        return done(vm, lt_val_bool(lt_val_compare(&vm->heap, a, b) > 0), out);
    case LT_OP_GE:
        return done(vm, lt_val_bool(lt_val_compare(&vm->heap, a, b) >= 0), out);
    default:
        return refuse(vm, a, b, "combined");
    }
}
