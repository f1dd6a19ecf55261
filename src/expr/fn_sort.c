/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order: sort, group_by, unique, min, max. A key is the list of what `f` gives for an
 * element (jq's `map([f])`); it is made once, read and unescaped, with a number before it that
 * tells most keys apart without looking at them. The sort is stable, a merge sort in the run's
 * memory.
 */
#include "expr/fn.h"
#include "expr/fn_help.h"

#include <math.h>
#include <string.h>

struct row {
    uint64_t head, more;      /**< in the order of the keys; equal ones say what is_whole() tells */
    const struct lt_val *key; /**< its values */
    uint32_t n;               /**< how many */
    uint32_t at;              /**< which element */
};

/* --- keys ------------------------------------------------------------------------------- */

/* The value in the form that is quickly compared. */
static struct lt_val ready(struct lt_heap *heap, struct lt_val v) {
    if (v.kind == LT_VAL_NUMBER)
        return lt_val_number(v);
    if (v.kind == LT_VAL_STRING && v.form == LT_VAL_RAW)
        return lt_val_string(lt_val_bytes(heap, v));
    return v;
}

/* The bits of a double as a number in the same order, NaN first. */
static uint64_t number_head(struct lt_val v) {
    double d = lt_val_as_double(v);
    uint64_t bits;
    if (isnan(d))
        return 0;
    d += 0.0; /* of the two zeros, this one */
    memcpy(&bits, &d, sizeof(bits));
    return (bits >> 63 ? ~bits : bits | (uint64_t)1 << 63) >> 3;
}

enum { HEAD_BYTES = 7 };

static uint64_t bytes_from(struct lt_val v, uint32_t at) {
    uint64_t head = 0;
    for (uint32_t i = at; i < at + HEAD_BYTES; i++)
        head = head << 8 | (i < v.n ? (unsigned char)v.s[i] : 0);
    return head;
}

/* `head`: kind in the upper three bits (an empty key is before all), then the beginning of the
 * value. `more`: the bytes of a string behind those, and how many there are at all. */
static void set_head(struct row *row) {
    const struct lt_val *key = row->key;

    row->head = row->more = 0;
    if (row->n == 0)
        return;
    row->head = (uint64_t)(key->kind + 1) << 61;
    if (key->kind == LT_VAL_NUMBER) {
        row->head |= number_head(*key);
    } else if (key->kind == LT_VAL_STRING) {
        row->head |= bytes_from(*key, 0) << 5;
        row->more = bytes_from(*key, HEAD_BYTES) << 8;
        row->more |= key->n <= 2 * HEAD_BYTES ? key->n : 2 * HEAD_BYTES + 1;
    }
}

/* Whether the first values of all keys with this head are the same: short strings, whose bytes need
 * not be looked up then, and words. */
static bool is_whole(const struct row *row) {
    unsigned kind = (unsigned)(row->head >> 61);
    if (kind == LT_VAL_STRING + 1)
        return (row->more & 0xff) <= 2 * HEAD_BYTES;
    return kind && kind <= LT_VAL_TRUE + 1;
}

static int compare_strings(struct lt_val a, struct lt_val b) {
    uint32_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.s, b.s, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int compare_values(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.kind == LT_VAL_STRING)
        return compare_strings(a, b);
    if (a.kind == LT_VAL_NUMBER && a.form == LT_VAL_INT && b.form == LT_VAL_INT)
        return (a.i > b.i) - (a.i < b.i);
    return lt_val_compare(heap, a, b);
}

static int compare_keys(struct lt_heap *heap, const struct row *a, const struct row *b) {
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    if (a->more != b->more)
        return a->more < b->more ? -1 : 1;
    uint32_t n = a->n < b->n ? a->n : b->n;
    for (uint32_t i = is_whole(a); i < n; i++) {
        int c = compare_values(heap, a->key[i], b->key[i]);
        if (c)
            return c;
    }
    return (a->n > b->n) - (a->n < b->n);
}

/* --- merge sort --------------------------------------------------------------------------- */

enum { RUN = 8 };

static void sort_run(struct lt_heap *heap, struct row *rows, size_t n) {
    for (size_t i = 1; i < n; i++) {
        struct row row = rows[i];
        size_t j = i;
        for (; j > 0 && compare_keys(heap, &rows[j - 1], &row) > 0; j--)
            rows[j] = rows[j - 1];
        rows[j] = row;
    }
}

static void merge(struct lt_heap *heap, const struct row *from, size_t middle, size_t n,
                  struct row *to) {
    size_t a = 0;
    size_t b = middle;

    /* already in order, as data often is */
    if (middle >= n || compare_keys(heap, &from[middle - 1], &from[middle]) <= 0) {
        memcpy(to, from, n * sizeof(*to));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (b >= n || (a < middle && compare_keys(heap, &from[a], &from[b]) <= 0))
            to[i] = from[a++];
        else
            to[i] = from[b++];
    }
}

static enum lt_flow sort_rows(struct lt_vm *vm, struct row *rows, size_t n) {
    struct lt_heap *heap = &vm->heap;
    enum lt_flow flow = LT_FLOW_ON;
    struct row *from = rows;

    for (size_t i = 0; i < n && flow == LT_FLOW_ON; i += RUN) {
        sort_run(heap, rows + i, n - i < RUN ? n - i : RUN);
        flow = lt_vm_step(vm);
    }
    if (n <= RUN || flow != LT_FLOW_ON)
        return flow;
    struct row *to = lt_heap_alloc(heap, n * sizeof(*to));
    if (!to)
        return lt_vm_step(vm);
    for (size_t width = RUN; width < n && flow == LT_FLOW_ON; width *= 2) {
        for (size_t i = 0; i < n && flow == LT_FLOW_ON; i += 2 * width) {
            size_t len = n - i < 2 * width ? n - i : 2 * width;
            merge(heap, from + i, width, len, to + i);
            flow = lt_fn_charge(vm, len / 8);
        }
        struct row *swap = from;
        from = to;
        to = swap;
    }
    if (from != rows)
        memcpy(rows, from, n * sizeof(*rows));
    return flow;
}

/* --- from elements to rows ------------------------------------------------------------------ */

/* What is being ordered: the elements of an array (or an object's values), a row each. */
struct table {
    const struct lt_val *values;
    size_t n;
    struct row *rows;
};

static enum lt_flow key_by_itself(struct lt_vm *vm, struct table *table) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val *keys = lt_heap_alloc(heap, (table->n + 1) * sizeof(*keys));

    table->rows = lt_heap_alloc(heap, (table->n + 1) * sizeof(*table->rows));
    if (!keys || !table->rows)
        return lt_vm_step(vm);
    for (size_t i = 0; i < table->n; i++) {
        keys[i] = ready(heap, table->values[i]);
        table->rows[i] = (struct row){.key = &keys[i], .n = 1, .at = (uint32_t)i};
        set_head(&table->rows[i]);
    }
    return lt_fn_charge(vm, table->n / 4);
}

/* Adds what `f` gives for `v`. `.name` of an object, which is what most sort by, is looked up here.
 */
static enum lt_flow add_keys(struct lt_vm *vm, const struct lt_node *f, struct lt_frame *frame,
                             struct lt_val v, struct lt_fn_list *keys) {
    if (f->kind == LT_NODE_FIELD && f->a && f->a->kind == LT_NODE_IDENTITY &&
        v.kind == LT_VAL_OBJECT) {
        struct lt_val key;
        lt_val_object_get(&vm->heap, v, f->text, &key);
        lt_fn_list_add(vm, keys, key);
        return LT_FLOW_ON;
    }
    return lt_fn_collect(vm, f, frame, v, keys);
}

static enum lt_flow key_by(struct lt_vm *vm, const struct lt_node *f, struct lt_frame *frame,
                           struct table *table) {
    struct lt_heap *heap = &vm->heap;
    struct lt_fn_list keys = {0};
    struct row *rows = lt_heap_alloc(heap, (table->n + 1) * sizeof(*rows));
    size_t at = 0;

    table->rows = rows;
    if (!rows)
        return lt_vm_step(vm);
    for (size_t i = 0; i < table->n; i++) {
        size_t before = keys.n;
        enum lt_flow flow = add_keys(vm, f, frame, table->values[i], &keys);
        if (flow == LT_FLOW_ON)
            flow = lt_vm_step(vm);
        if (flow != LT_FLOW_ON)
            return flow;
        for (size_t j = before; j < keys.n; j++)
            keys.values[j] = ready(heap, keys.values[j]);
        rows[i].n = (uint32_t)(keys.n - before);
        rows[i].at = (uint32_t)i;
    }
    /* now that the list of keys moves no more */
    for (size_t i = 0; i < table->n; i++) {
        rows[i].key = keys.values + at;
        at += rows[i].n;
        set_head(&rows[i]);
    }
    return lt_vm_step(vm);
}

/* The keys as jq's `map([f])`, for an error's text. */
static struct lt_val keys_as_array(struct lt_vm *vm, const struct table *table) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val all = lt_val_array(heap, table->n);
    for (size_t i = 0; i < table->n && !heap->full; i++) {
        struct lt_val key = lt_val_array(heap, table->rows[i].n);
        for (uint32_t j = 0; j < table->rows[i].n; j++)
            key = lt_val_array_append(heap, key, table->rows[i].key[j]);
        all = lt_val_array_append(heap, all, key);
    }
    return all;
}

/* While `f` is evaluated the array may be changed where it lies, a record's own too: it is listed
 * once. */
static enum lt_flow copy_values(struct lt_vm *vm, struct table *table) {
    struct lt_val *copy = lt_heap_alloc(&vm->heap, (table->n + 1) * sizeof(*copy));
    if (!copy)
        return lt_vm_step(vm);
    if (table->n)
        memcpy(copy, table->values, table->n * sizeof(*copy));
    table->values = copy;
    return LT_FLOW_ON;
}

/* The table of `v` by `f`, or by the elements themselves (f NULL); an object gets as far as jq lets
 * it, which is to the keys. */
static enum lt_flow make_table(struct lt_vm *vm, struct lt_val v, const struct lt_node *f,
                               struct lt_frame *frame, const char *refusal, struct table *table) {
    enum lt_flow flow = lt_fn_values(vm, v, &table->values, &table->n);
    if (flow == LT_FLOW_ON && f && v.kind == LT_VAL_ARRAY)
        flow = copy_values(vm, table);
    if (flow == LT_FLOW_ON)
        flow = f ? key_by(vm, f, frame, table) : key_by_itself(vm, table);
    if (flow == LT_FLOW_ON && v.kind != LT_VAL_ARRAY)
        flow = lt_fn_refuse_both(vm, v, keys_as_array(vm, table), refusal);
    return flow;
}

static const char NOT_SORTED[] = "cannot be sorted, as they are not both arrays";
static const char NOT_ITERATED[] = "cannot be iterated over";

static enum lt_flow in_order(struct lt_vm *vm, const struct table *table, struct lt_val *out) {
    *out = lt_val_array(&vm->heap, table->n);
    for (size_t i = 0; i < table->n && !vm->heap.full; i++)
        *out = lt_val_array_append(&vm->heap, *out, table->values[table->rows[i].at]);
    return lt_fn_charge(vm, table->n / 4);
}

static enum lt_flow in_groups(struct lt_vm *vm, const struct table *table, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val group = lt_val_null();

    *out = lt_val_array(heap, 0);
    for (size_t i = 0; i < table->n && !heap->full; i++) {
        if (i == 0 || compare_keys(heap, &table->rows[i - 1], &table->rows[i]) != 0) {
            if (i)
                *out = lt_val_array_append(heap, *out, group);
            group = lt_val_array(heap, 1);
        }
        group = lt_val_array_append(heap, group, table->values[table->rows[i].at]);
    }
    if (table->n)
        *out = lt_val_array_append(heap, *out, group);
    return lt_fn_charge(vm, table->n / 4);
}

/* The first element of each group. */
static enum lt_flow without_equals(struct lt_vm *vm, const struct table *table,
                                   struct lt_val *out) {
    *out = lt_val_array(&vm->heap, 0);
    for (size_t i = 0; i < table->n && !vm->heap.full; i++) {
        if (i == 0 || compare_keys(&vm->heap, &table->rows[i - 1], &table->rows[i]) != 0)
            *out = lt_val_array_append(&vm->heap, *out, table->values[table->rows[i].at]);
    }
    return lt_fn_charge(vm, table->n / 4);
}

/* Of equal ones jq takes the first as the least and the last as the greatest. */
static struct lt_val extreme(struct lt_vm *vm, const struct table *table, bool greatest) {
    size_t best = 0;
    for (size_t i = 1; i < table->n; i++) {
        int c = compare_keys(&vm->heap, &table->rows[i], &table->rows[best]);
        if ((c < 0) != greatest)
            best = i;
    }
    return table->n ? table->values[best] : lt_val_null();
}

/* --- rows --------------------------------------------------------------------------------- */

static enum lt_flow sort(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct table table;
    if (args[0].kind != LT_VAL_ARRAY)
        return lt_fn_refuse(vm, args[0], "cannot be sorted, as it is not an array");
    enum lt_flow flow = make_table(vm, args[0], NULL, NULL, NOT_SORTED, &table);
    if (flow == LT_FLOW_ON)
        flow = sort_rows(vm, table.rows, table.n);
    return flow == LT_FLOW_ON ? in_order(vm, &table, out) : flow;
}

static enum lt_flow unique(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct table table;
    enum lt_flow flow = make_table(vm, args[0], NULL, NULL, NOT_SORTED, &table);
    if (flow == LT_FLOW_ON)
        flow = sort_rows(vm, table.rows, table.n);
    return flow == LT_FLOW_ON ? without_equals(vm, &table, out) : flow;
}

static enum lt_flow min_or_max(struct lt_vm *vm, struct lt_val v, bool greatest,
                               struct lt_val *out) {
    struct table table;
    if (v.kind != LT_VAL_ARRAY)
        return lt_fn_refuse_both(vm, v, v, NOT_ITERATED);
    enum lt_flow flow = make_table(vm, v, NULL, NULL, NOT_ITERATED, &table);
    if (flow == LT_FLOW_ON)
        *out = extreme(vm, &table, greatest);
    return flow;
}

static enum lt_flow min(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return min_or_max(vm, args[0], false, out);
}

static enum lt_flow max(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return min_or_max(vm, args[0], true, out);
}

#define BY(name, refusal, sorted, result)                                                          \
    static enum lt_flow name(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame, \
                             struct lt_val input, const struct lt_path *path,                      \
                             struct lt_sink *sink) {                                               \
        struct table table;                                                                        \
        struct lt_val v = lt_val_null();                                                           \
        enum lt_flow flow = make_table(vm, input, node->items[0], frame, refusal, &table);         \
        if (flow == LT_FLOW_ON && (sorted))                                                        \
            flow = sort_rows(vm, table.rows, table.n);                                             \
        if (flow == LT_FLOW_ON)                                                                    \
            flow = result;                                                                         \
        return flow == LT_FLOW_ON ? lt_fn_emit(vm, sink, v, path) : flow;                          \
    }

BY(sort_by, NOT_SORTED, true, in_order(vm, &table, &v))
BY(group_by, NOT_SORTED, true, in_groups(vm, &table, &v))
BY(unique_by, NOT_SORTED, true, without_equals(vm, &table, &v))
BY(min_by, NOT_ITERATED, false, (v = extreme(vm, &table, false), LT_FLOW_ON))
BY(max_by, NOT_ITERATED, false, (v = extreme(vm, &table, true), LT_FLOW_ON))

const struct lt_fn lt_fn_sort[] = {
    {"group_by", 1, NULL, group_by}, {"max", 0, max, NULL},       {"max_by", 1, NULL, max_by},
    {"min", 0, min, NULL},           {"min_by", 1, NULL, min_by}, {"sort", 0, sort, NULL},
    {"sort_by", 1, NULL, sort_by},   {"unique", 0, unique, NULL}, {"unique_by", 1, NULL, unique_by},
    {NULL, 0, NULL, NULL},
};
