/* SPDX-License-Identifier: Apache-2.0 */
/* jq's order of values, and when two are equal. */
#include "expr/val_seq.h"

#include <math.h>

#define TWO_TO_63 9223372036854775808.0

/* Of a whole number and a double, exactly. */
static int compare_int_double(int64_t i, double d) {
    if (d >= TWO_TO_63)
        return -1;
    if (d < -TWO_TO_63)
        return 1;
    int64_t whole = (int64_t)d;
    if (i != whole)
        return i < whole ? -1 : 1;
    double rest = d - (double)whole;
    return (rest < 0) - (rest > 0);
}

static int compare_numbers(struct lt_val a, struct lt_val b) {
    a = lt_val_number(a);
    b = lt_val_number(b);
    if (a.form == LT_VAL_INT && b.form == LT_VAL_INT)
        return (a.i > b.i) - (a.i < b.i);
    if (a.form == LT_VAL_DOUBLE && isnan(a.d)) /* as null: below every number, another NaN too */
        return -1;
    if (b.form == LT_VAL_DOUBLE && isnan(b.d))
        return 1;
    if (a.form == LT_VAL_INT)
        return compare_int_double(a.i, b.d);
    if (b.form == LT_VAL_INT)
        return -compare_int_double(b.i, a.d);
    return (a.d > b.d) - (a.d < b.d);
}

static int compare_strings(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    return lt_slice_cmp(lt_val_bytes(heap, a), lt_val_bytes(heap, b));
}

static int compare(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth);

static int compare_arrays(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth) {
    size_t n_a, n_b;
    const struct lt_val *x = lt_val_items(heap, a, &n_a);
    const struct lt_val *y = lt_val_items(heap, b, &n_b);
    for (size_t i = 0; i < n_a && i < n_b; i++) {
        int order = compare(heap, x[i], y[i], depth);
        if (order)
            return order;
    }
    return (n_a > n_b) - (n_a < n_b);
}

/* First the sorted names, as arrays; then the values in that order. */
static int compare_objects(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth) {
    size_t n_a, n_b;
    const struct lt_member *x = lt_val_sorted_members(heap, a, &n_a);
    const struct lt_member *y = lt_val_sorted_members(heap, b, &n_b);
    for (size_t i = 0; i < n_a && i < n_b; i++) {
        int order = compare_strings(heap, x[i].name, y[i].name);
        if (order)
            return order;
    }
    if (n_a != n_b)
        return n_a < n_b ? -1 : 1;
    for (size_t i = 0; i < n_a; i++) {
        int order = compare(heap, x[i].value, y[i].value, depth);
        if (order)
            return order;
    }
    return 0;
}

static int compare(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth) {
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (depth >= LT_VAL_MAX_DEPTH) {
        heap->full = true;
        return 0;
    }
    switch (a.kind) {
    case LT_VAL_NUMBER:
        return compare_numbers(a, b);
    case LT_VAL_STRING:
        return compare_strings(heap, a, b);
    case LT_VAL_ARRAY:
        return compare_arrays(heap, a, b, depth + 1);
    case LT_VAL_OBJECT:
        return compare_objects(heap, a, b, depth + 1);
    default:
        return 0;
    }
}

int lt_val_compare(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    return compare(heap, a, b, 0);
}

static bool equal(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth);

static bool equal_arrays(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth) {
    size_t n_a, n_b;
    const struct lt_val *x = lt_val_items(heap, a, &n_a);
    const struct lt_val *y = lt_val_items(heap, b, &n_b);
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (!equal(heap, x[i], y[i], depth))
            return false;
    return true;
}

static bool equal_objects(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth) {
    size_t n_a, n_b;
    const struct lt_member *x = lt_val_members(heap, a, &n_a);
    const struct lt_member *y = lt_val_members(heap, b, &n_b);
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++) {
        /* most often the members come in the same order */
        struct lt_val other = y[i].value;
        struct lt_slice name = lt_slice(x[i].name.s, x[i].name.n);
        if (!lt_slice_eq(name, lt_slice(y[i].name.s, y[i].name.n)) &&
            !lt_val_object_get(heap, b, name, &other))
            return false;
        if (!equal(heap, x[i].value, other, depth))
            return false;
    }
    return true;
}

static bool equal(struct lt_heap *heap, struct lt_val a, struct lt_val b, unsigned depth) {
    if (a.kind != b.kind)
        return false;
    if (depth >= LT_VAL_MAX_DEPTH) {
        heap->full = true;
        return false;
    }
    switch (a.kind) {
    case LT_VAL_NUMBER:
        return compare_numbers(a, b) == 0;
    case LT_VAL_STRING:
        if (a.form == b.form && a.form == LT_VAL_PLAIN)
            return a.n == b.n && (!a.n || !memcmp(a.s, b.s, a.n));
        return compare_strings(heap, a, b) == 0;
    case LT_VAL_ARRAY:
    case LT_VAL_OBJECT:
        /* the very same one is equal, whatever NaN is in it, as jq has it */
        if (a.form == b.form && a.n == b.n && a.doc == b.doc)
            return true;
        return a.kind == LT_VAL_ARRAY ? equal_arrays(heap, a, b, depth + 1)
                                      : equal_objects(heap, a, b, depth + 1);
    default:
        return true;
    }
}

bool lt_val_equal(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    return equal(heap, a, b, 0);
}

/* --- sorting -------------------------------------------------------------------------------- */

static void merge(struct lt_heap *heap, struct lt_val *to, const struct lt_val *a, size_t n_a,
                  const struct lt_val *b, size_t n_b) {
    while (n_a && n_b) {
        bool first = lt_val_compare(heap, *a, *b) <= 0;
        *to++ = first ? *a++ : *b++;
        n_a -= first;
        n_b -= !first;
    }
    memcpy(to, n_a ? a : b, (n_a + n_b) * sizeof(*to));
}

void lt_val_sort(struct lt_heap *heap, struct lt_val *items, size_t n) {
    struct lt_val *from = items;
    struct lt_val *to = n > 1 ? lt_heap_alloc(heap, n * sizeof(*to)) : NULL;
    for (size_t width = 1; to && width < n; width *= 2) {
        for (size_t i = 0; i < n; i += 2 * width) {
            size_t n_a = n - i < width ? n - i : width;
            size_t n_b = n - i - n_a < width ? n - i - n_a : width;
            merge(heap, to + i, from + i, n_a, from + i + n_a, n_b);
        }
        struct lt_val *swap = from;
        from = to;
        to = swap;
    }
    if (to && from != items)
        memcpy(items, from, n * sizeof(*items));
}
