/* SPDX-License-Identifier: Apache-2.0 */
/* What jq tells of arrays and objects as such: how long, which keys, what is in them. */
#include "expr/fn.h"
#include "expr/fn_help.h"

#include <math.h>
#include <string.h>

/* A value within a value within … deeper than this is left to libjq: C's stack holds no more. */
enum { MAX_DEPTH = 1000 };

static const struct lt_slice NAME_KEY = {"key", 3};
static const struct lt_slice NAME_VALUE = {"value", 5};

enum lt_flow lt_fn_length(struct lt_vm *vm, struct lt_val v, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;

    switch (v.kind) {
    case LT_VAL_NULL:
        *out = lt_val_int(0);
        break;
    case LT_VAL_NUMBER:
        v = lt_val_number(v);
        if (v.form == LT_VAL_INT && v.i != INT64_MIN)
            *out = lt_val_int(v.i < 0 ? -v.i : v.i);
        else
            *out = lt_val_double(fabs(lt_val_as_double(v)));
        break;
    case LT_VAL_STRING:
        *out = lt_val_int((int64_t)lt_val_codepoints(lt_val_bytes(heap, v)));
        break;
    case LT_VAL_ARRAY:
        *out = lt_val_int((int64_t)lt_val_array_len(heap, v));
        break;
    case LT_VAL_OBJECT:
        *out = lt_val_int((int64_t)lt_val_object_len(heap, v));
        break;
    default:
        return lt_fn_refuse(vm, v, "has no length");
    }
    return LT_FLOW_ON;
}

static enum lt_flow length(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return lt_fn_length(vm, args[0], out);
}

static enum lt_flow utf8bytelength(struct lt_vm *vm, const struct lt_val *args,
                                   struct lt_val *out) {
    if (args[0].kind != LT_VAL_STRING)
        return lt_fn_refuse(vm, args[0], "only strings have UTF-8 byte length");
    *out = lt_val_int((int64_t)lt_val_bytes(&vm->heap, args[0]).len);
    return LT_FLOW_ON;
}

static enum lt_flow list_keys(struct lt_vm *vm, struct lt_val v, bool sorted, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    const struct lt_member *members = NULL;
    size_t n;

    if (v.kind == LT_VAL_OBJECT)
        members = sorted ? lt_val_sorted_members(heap, v, &n) : lt_val_members(heap, v, &n);
    else if (v.kind == LT_VAL_ARRAY)
        n = lt_val_array_len(heap, v);
    else
        return lt_fn_refuse(vm, v, "has no keys");
    *out = lt_val_array(heap, n);
    for (size_t i = 0; i < n && !heap->full; i++)
        *out = lt_val_array_append(heap, *out, members ? members[i].name : lt_val_int((int64_t)i));
    return lt_fn_charge(vm, n / 4);
}

static enum lt_flow keys(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return list_keys(vm, args[0], true, out);
}

static enum lt_flow keys_unsorted(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return list_keys(vm, args[0], false, out);
}

static enum lt_flow has(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val ignored;
    bool found = false;

    if (args[0].kind == LT_VAL_OBJECT && args[1].kind == LT_VAL_STRING) {
        found = lt_val_object_get(heap, args[0], lt_val_bytes(heap, args[1]), &ignored);
    } else if (args[0].kind == LT_VAL_ARRAY && args[1].kind == LT_VAL_NUMBER) {
        int i = lt_fn_to_int(lt_val_as_double(args[1]));
        found = i >= 0 && (size_t)i < lt_val_array_len(heap, args[0]);
    } else if (args[0].kind != LT_VAL_NULL) {
        return lt_vm_raise(vm, "Cannot check whether %s has a %s key", lt_val_type(args[0]),
                           lt_val_type(args[1]));
    }
    *out = lt_val_bool(found);
    return LT_FLOW_ON;
}

/* --- contains ----------------------------------------------------------------------------- */

static enum lt_flow holds(struct lt_vm *vm, struct lt_val a, struct lt_val b, unsigned depth,
                          bool *yes);

/* jq 1.6 looks no further than the first NUL of either. */
static bool string_holds(struct lt_heap *heap, struct lt_val a, struct lt_val b) {
    struct lt_slice all = lt_val_bytes(heap, a);
    struct lt_slice part = lt_val_bytes(heap, b);
    size_t n_all = all.len ? strnlen(all.data, all.len) : 0;
    size_t n_part = part.len ? strnlen(part.data, part.len) : 0;
    return n_part == 0 || memmem(all.data, n_all, part.data, n_part);
}

static enum lt_flow object_holds(struct lt_vm *vm, struct lt_val a, struct lt_val b, unsigned depth,
                                 bool *yes) {
    enum lt_flow flow = LT_FLOW_ON;
    size_t n;
    const struct lt_member *members = lt_val_members(&vm->heap, b, &n);

    *yes = true;
    for (size_t i = 0; i < n && *yes && flow == LT_FLOW_ON; i++) {
        struct lt_val v;
        struct lt_slice name = lt_val_bytes(&vm->heap, members[i].name);
        if (lt_val_object_get(&vm->heap, a, name, &v))
            flow = holds(vm, v, members[i].value, depth + 1, yes);
        else
            *yes = false;
    }
    return flow;
}

static enum lt_flow array_holds(struct lt_vm *vm, struct lt_val a, struct lt_val b, unsigned depth,
                                bool *yes) {
    enum lt_flow flow = LT_FLOW_ON;
    size_t n_a;
    size_t n_b;
    const struct lt_val *in_a = lt_val_items(&vm->heap, a, &n_a);
    const struct lt_val *in_b = lt_val_items(&vm->heap, b, &n_b);

    *yes = true;
    for (size_t i = 0; i < n_b && *yes && flow == LT_FLOW_ON; i++) {
        *yes = false;
        for (size_t j = 0; j < n_a && !*yes && flow == LT_FLOW_ON; j++)
            flow = holds(vm, in_a[j], in_b[i], depth + 1, yes);
    }
    return flow;
}

static enum lt_flow holds(struct lt_vm *vm, struct lt_val a, struct lt_val b, unsigned depth,
                          bool *yes) {
    if (depth > MAX_DEPTH)
        return LT_FLOW_BAIL;
    if (a.kind != b.kind)
        *yes = false;
    else if (a.kind == LT_VAL_OBJECT)
        return object_holds(vm, a, b, depth, yes);
    else if (a.kind == LT_VAL_ARRAY)
        return array_holds(vm, a, b, depth, yes);
    else if (a.kind == LT_VAL_STRING)
        *yes = string_holds(&vm->heap, a, b);
    else
        *yes = lt_val_equal(&vm->heap, a, b);
    return lt_vm_step(vm);
}

static enum lt_flow contains(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    bool yes = false;
    if (args[0].kind != args[1].kind)
        return lt_fn_refuse_both(vm, args[0], args[1], "cannot have their containment checked");
    enum lt_flow flow = holds(vm, args[0], args[1], 0, &yes);
    *out = lt_val_bool(yes);
    return flow;
}

/* --- indices ------------------------------------------------------------------------------ */

/* Byte offsets, as in jq 1.6, of matches that do not overlap. An empty text is nowhere. */
static enum lt_flow string_indices(struct lt_vm *vm, struct lt_slice all, struct lt_slice part,
                                   struct lt_val *out) {
    enum lt_flow flow = LT_FLOW_ON;
    size_t at = 0;

    *out = lt_val_array(&vm->heap, 0);
    while (part.len && all.len - at >= part.len && flow == LT_FLOW_ON) {
        const char *hit = memmem(all.data + at, all.len - at, part.data, part.len);
        if (!hit)
            break;
        *out = lt_val_array_append(&vm->heap, *out, lt_val_int(hit - all.data));
        at = (size_t)(hit - all.data) + part.len;
        flow = lt_vm_step(vm);
    }
    return flow;
}

static enum lt_flow indices(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val key = args[1];

    if (args[0].kind == LT_VAL_STRING && key.kind == LT_VAL_STRING)
        return string_indices(vm, lt_val_bytes(heap, args[0]), lt_val_bytes(heap, key), out);
    if (args[0].kind == LT_VAL_ARRAY && key.kind != LT_VAL_ARRAY)
        key = lt_val_array_append(heap, lt_val_array(heap, 1), key);
    return lt_vm_get(vm, args[0], key, out);
}

enum lt_flow lt_fn_index(struct lt_vm *vm, struct lt_val v, struct lt_val key, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val args[] = {v, key};
    struct lt_val all;

    if (v.kind == LT_VAL_STRING && key.kind == LT_VAL_STRING) {
        struct lt_slice in = lt_val_bytes(heap, v);
        struct lt_slice part = lt_val_bytes(heap, key);
        const char *hit = part.len && in.len ? memmem(in.data, in.len, part.data, part.len) : NULL;
        *out = hit ? lt_val_int(hit - in.data) : lt_val_null();
        return lt_vm_step(vm);
    }
    enum lt_flow flow = indices(vm, args, &all);
    return flow == LT_FLOW_ON ? lt_vm_get(vm, all, lt_val_int(0), out) : flow;
}

static enum lt_flow index_of(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return lt_fn_index(vm, args[0], args[1], out);
}

/* `indices | .[-1:][0]` */
static enum lt_flow rindex_of(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val all;
    enum lt_flow flow = indices(vm, args, &all);

    if (flow != LT_FLOW_ON)
        return flow;
    if (all.kind == LT_VAL_ARRAY) {
        size_t n = lt_val_array_len(heap, all);
        *out = n ? lt_val_array_get(heap, all, n - 1) : lt_val_null();
        return LT_FLOW_ON;
    }
    struct lt_val last = lt_val_object(heap, 2);
    last =
        lt_val_object_set(heap, last, lt_val_string((struct lt_slice){"start", 5}), lt_val_int(-1));
    last = lt_val_object_set(heap, last, lt_val_string((struct lt_slice){"end", 3}), lt_val_null());
    flow = lt_vm_get(vm, all, last, &all);
    return flow == LT_FLOW_ON ? lt_vm_get(vm, all, lt_val_int(0), out) : flow;
}

/* --- add, flatten, reverse ------------------------------------------------------------------ */

static enum lt_flow add(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    const struct lt_val *values;
    struct lt_val sum = lt_val_null();
    size_t n;
    enum lt_flow flow = lt_fn_values(vm, args[0], &values, &n);

    for (size_t i = 0; i < n && flow == LT_FLOW_ON; i++) {
        struct lt_val v = values[i];
        int64_t whole;
        if (v.kind == LT_VAL_NUMBER && sum.kind == LT_VAL_NUMBER) {
            v = lt_val_number(v);
            sum = lt_val_number(sum);
            if (sum.form == LT_VAL_INT && v.form == LT_VAL_INT &&
                !__builtin_add_overflow(sum.i, v.i, &whole))
                sum = lt_val_int(whole);
            else
                sum = lt_val_double(lt_val_as_double(sum) + lt_val_as_double(v));
        } else if (sum.kind == LT_VAL_NULL) {
            sum = v;
        } else {
            flow = lt_vm_binary(vm, LT_OP_ADD, sum, v, &sum);
        }
        if (flow == LT_FLOW_ON)
            flow = lt_vm_step(vm);
    }
    *out = sum;
    return flow;
}

/* A list that is being flattened: what is left of it. */
struct level {
    struct level *up;
    struct level *spare; /**< the one below, when it was left */
    const struct lt_val *values;
    size_t n;
    size_t i;
    struct lt_val depth; /**< how many levels of arrays in it are still opened */
};

static struct level *open_level(struct lt_vm *vm, struct level *up, const struct lt_val *values,
                                size_t n, struct lt_val depth) {
    struct level *level = up ? up->spare : NULL;
    if (!level) {
        level = lt_heap_alloc(&vm->heap, sizeof(*level));
        if (!level)
            return NULL;
        level->spare = NULL;
        if (up)
            up->spare = level;
    }
    level->up = up;
    level->values = values;
    level->n = n;
    level->i = 0;
    level->depth = depth;
    return level;
}

static bool is_zero(struct lt_val v) {
    return v.kind == LT_VAL_NUMBER && lt_val_as_double(v) == 0;
}

static enum lt_flow flatten_into(struct lt_vm *vm, struct level *level, struct lt_val *out) {
    enum lt_flow flow = LT_FLOW_ON;

    while (level && flow == LT_FLOW_ON) {
        if (level->i == level->n) {
            level = level->up;
            continue;
        }
        struct lt_val v = level->values[level->i++];
        if (v.kind == LT_VAL_ARRAY && !is_zero(level->depth)) {
            struct lt_val less;
            size_t n;
            flow = lt_vm_binary(vm, LT_OP_SUB, level->depth, lt_val_int(1), &less);
            if (flow != LT_FLOW_ON)
                return flow;
            const struct lt_val *values = lt_val_items(&vm->heap, v, &n);
            level = open_level(vm, level, values, n, less);
        } else {
            *out = lt_val_array_append(&vm->heap, *out, v);
        }
        flow = lt_vm_step(vm);
    }
    return flow;
}

static enum lt_flow flatten_to(struct lt_vm *vm, struct lt_val v, struct lt_val depth,
                               struct lt_val *out) {
    const struct lt_val *values;
    size_t n;

    if (lt_val_compare(&vm->heap, depth, lt_val_int(0)) < 0)
        return lt_vm_raise(vm, "flatten depth must not be negative");
    enum lt_flow flow = lt_fn_values(vm, v, &values, &n);
    *out = lt_val_array(&vm->heap, n);
    return flow == LT_FLOW_ON ? flatten_into(vm, open_level(vm, NULL, values, n, depth), out)
                              : flow;
}

static enum lt_flow flatten(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return flatten_to(vm, args[0], args[1], out);
}

static enum lt_flow flatten_all(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return flatten_to(vm, args[0], lt_val_double(INFINITY), out);
}

/* `[.[length - 1 - range(0; length)]]`: what has a length of nothing gives [], too. */
static enum lt_flow reverse(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val n_values = lt_val_null();
    struct lt_val ignored;
    size_t n = 0;
    const struct lt_val *values = NULL;

    if (args[0].kind != LT_VAL_ARRAY) {
        enum lt_flow flow = lt_fn_length(vm, args[0], &n_values);
        if (flow == LT_FLOW_ON && lt_val_as_double(n_values) > 0)
            flow = lt_vm_get(vm, args[0], lt_val_int(0), &ignored);
        *out = lt_val_array(heap, 0);
        return flow;
    }
    values = lt_val_items(heap, args[0], &n);
    *out = lt_val_array(heap, n);
    for (size_t i = n; i-- > 0 && !heap->full;)
        *out = lt_val_array_append(heap, *out, values[i]);
    return lt_fn_charge(vm, n / 4);
}

/* --- entries ------------------------------------------------------------------------------ */

static struct lt_val entry(struct lt_heap *heap, struct lt_val key, struct lt_val value) {
    struct lt_val v = lt_val_object(heap, 2);
    v = lt_val_object_set(heap, v, lt_val_string(NAME_KEY), key);
    return lt_val_object_set(heap, v, lt_val_string(NAME_VALUE), value);
}

static enum lt_flow to_entries(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    const struct lt_member *members = NULL;
    const struct lt_val *values = NULL;
    struct lt_val v = lt_val_null();
    size_t n;

    if (args[0].kind == LT_VAL_OBJECT)
        members = lt_val_members(heap, args[0], &n);
    else if (args[0].kind == LT_VAL_ARRAY)
        values = lt_val_items(heap, args[0], &n);
    else
        return lt_fn_refuse(vm, args[0], "has no keys");
    *out = lt_val_array(heap, n);
    for (size_t i = 0; i < n && !heap->full; i++) {
        if (members)
            v = entry(heap, members[i].name, members[i].value);
        else if (values)
            v = entry(heap, lt_val_int((int64_t)i), values[i]);
        *out = lt_val_array_append(heap, *out, v);
    }
    return lt_fn_charge(vm, n);
}

/* The first of the names by which an entry calls its key that is neither null nor false. */
static enum lt_flow entry_key(struct lt_vm *vm, struct lt_val v, struct lt_val *key) {
    static const struct lt_slice names[] = {{"key", 3}, {"Key", 3}, {"name", 4}, {"Name", 4}};
    *key = lt_val_null();
    for (size_t i = 0; i < 4 && !lt_val_is_true(*key); i++) {
        if (v.kind == LT_VAL_OBJECT) {
            lt_val_object_get(&vm->heap, v, names[i], key);
        } else {
            enum lt_flow flow = lt_vm_get(vm, v, lt_val_string(names[i]), key);
            if (flow != LT_FLOW_ON)
                return flow;
        }
    }
    return LT_FLOW_ON;
}

static enum lt_flow from_entries(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    const struct lt_val *values;
    size_t n;
    enum lt_flow flow = lt_fn_values(vm, args[0], &values, &n);

    *out = lt_val_object(heap, n);
    for (size_t i = 0; i < n && flow == LT_FLOW_ON; i++) {
        struct lt_val key = lt_val_null();
        struct lt_val value = lt_val_null();
        flow = entry_key(vm, values[i], &key);
        if (flow != LT_FLOW_ON)
            return flow;
        if (values[i].kind == LT_VAL_OBJECT &&
            !lt_val_object_get(heap, values[i], NAME_VALUE, &value))
            lt_val_object_get(heap, values[i], (struct lt_slice){"Value", 5}, &value);
        if (key.kind != LT_VAL_STRING) {
            char text[16];
            return lt_vm_raise(vm, "Cannot use %s (%s) as object key", lt_val_type(key),
                               lt_val_shortened(heap, key, text));
        }
        *out = lt_val_object_set(heap, *out, lt_val_string(lt_val_bytes(heap, key)), value);
        flow = lt_vm_step(vm);
    }
    return flow;
}

const struct lt_fn lt_fn_collection[] = {
    {"add", 0, add, NULL},
    {"contains", 1, contains, NULL},
    {"flatten", 0, flatten_all, NULL},
    {"flatten", 1, flatten, NULL},
    {"from_entries", 0, from_entries, NULL},
    {"has", 1, has, NULL},
    {"index", 1, index_of, NULL},
    {"indices", 1, indices, NULL},
    {"keys", 0, keys, NULL},
    {"keys_unsorted", 0, keys_unsorted, NULL},
    {"length", 0, length, NULL},
    {"reverse", 0, reverse, NULL},
    {"rindex", 1, rindex_of, NULL},
    {"to_entries", 0, to_entries, NULL},
    {"utf8bytelength", 0, utf8bytelength, NULL},
    {NULL, 0, NULL, NULL},
};
