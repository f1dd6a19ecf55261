/* SPDX-License-Identifier: Apache-2.0 */
/* Steps from a value to what is in it, and the path that is kept on the way. */
#include "expr/vm_parts.h"

#include <math.h>

bool lt_vm_is_same(struct lt_val a, struct lt_val b) {
    if (a.kind != b.kind)
        return false;
    if (a.kind == LT_VAL_NUMBER) {
        double x = lt_val_as_double(a), y = lt_val_as_double(b);
        return isnan(x) ? isnan(y) : x == y && signbit(x) == signbit(y);
    }
    if (a.kind < LT_VAL_NUMBER)
        return true;
    return a.form == b.form && a.n == b.n && a.s == b.s;
}

struct lt_val lt_vm_apart(struct lt_vm *vm, struct lt_val v, const struct lt_path *path) {
    char *copy;

    if (!path || v.kind != LT_VAL_STRING || !lt_vm_is_same(v, path->value))
        return v;
    struct lt_slice bytes = lt_val_bytes(&vm->heap, v);
    copy = lt_heap_alloc(&vm->heap, bytes.len + 1); /* an empty one has a place of its own too */
    if (!copy)
        return lt_val_null(); /* the next step tells */
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return lt_val_string(lt_slice(copy, bytes.len));
}

enum lt_flow lt_vm_walk(struct lt_vm *vm, struct lt_val v, struct lt_val key, bool optional,
                        const struct lt_path *path, struct lt_val *out, struct lt_path *place,
                        bool *given) {
    enum lt_flow flow;

    *given = true;
    if (path && !lt_vm_is_same(v, path->value)) {
        char of_key[15], of_value[30]; /* jq's own sizes */
        return lt_vm_raise(vm, "Invalid path expression near attempt to access element %s of %s",
                           lt_val_cut(&vm->heap, key, of_key, sizeof(of_key)),
                           lt_val_cut(&vm->heap, v, of_value, sizeof(of_value)));
    }
    flow = lt_vm_get(vm, v, key, out);
    if (flow == LT_FLOW_ERROR && optional) {
        *given = false;
        return LT_FLOW_ON;
    }
    if (path)
        *place = (struct lt_path){path, key, *out};
    return flow;
}

static enum lt_flow emit_element(struct lt_vm *vm, struct lt_val v, struct lt_val key,
                                 const struct lt_path *path, struct lt_sink *sink) {
    struct lt_path place;
    enum lt_flow flow = lt_vm_step(vm);

    if (flow != LT_FLOW_ON)
        return flow;
    if (!path)
        return lt_vm_emit(vm, sink, v, NULL);
    place = (struct lt_path){path, key, v};
    return lt_vm_emit(vm, sink, v, &place);
}

/* The record's own array: its tokens are walked, nothing is listed. */
static enum lt_flow iterate_document(struct lt_vm *vm, struct lt_val v, const struct lt_path *path,
                                     struct lt_sink *sink) {
    const struct lt_doc *doc = v.doc;
    enum lt_flow flow = LT_FLOW_ON;
    int64_t i = 0;

    for (uint32_t token = lt_json_tape_first(&doc->tape, v.n); token && flow == LT_FLOW_ON;
         token = lt_json_tape_next(&doc->tape, token))
        flow = emit_element(vm, lt_val_at(doc, token), lt_val_int(i++), path, sink);
    return flow;
}

/* Elements are fetched one by one: whoever gets one may change the array where it lies, and then
 * this version finds its own content elsewhere. */
static enum lt_flow iterate_array(struct lt_vm *vm, struct lt_val v, const struct lt_path *path,
                                  struct lt_sink *sink) {
    size_t n = lt_val_array_len(&vm->heap, v);
    enum lt_flow flow = LT_FLOW_ON;

    for (size_t i = 0; i < n && flow == LT_FLOW_ON; i++)
        flow =
            emit_element(vm, lt_val_array_get(&vm->heap, v, i), lt_val_int((int64_t)i), path, sink);
    return flow;
}

static enum lt_flow iterate_object(struct lt_vm *vm, struct lt_val v, const struct lt_path *path,
                                   struct lt_sink *sink) {
    size_t n;
    const struct lt_member *members = lt_val_members(&vm->heap, v, &n);
    enum lt_flow flow = LT_FLOW_ON;

    if (n) { /* as above, but all at once; a record's own object too: it is listed once */
        struct lt_member *copy = lt_heap_alloc(&vm->heap, n * sizeof(*copy));
        if (!copy)
            return lt_vm_check(vm);
        memcpy(copy, members, n * sizeof(*copy));
        members = copy;
    }
    for (size_t i = 0; i < n && flow == LT_FLOW_ON; i++)
        flow = emit_element(vm, members[i].value, members[i].name, path, sink);
    return flow;
}

enum lt_flow lt_vm_iterate(struct lt_vm *vm, struct lt_val v, bool optional,
                           const struct lt_path *path, struct lt_sink *sink) {
    char text[30];

    if (path && !lt_vm_is_same(v, path->value))
        return lt_vm_raise(vm, "Invalid path expression near attempt to iterate through %s",
                           lt_val_cut(&vm->heap, v, text, sizeof(text)));
    if (v.kind == LT_VAL_OBJECT)
        return iterate_object(vm, v, path, sink);
    if (v.kind == LT_VAL_ARRAY)
        return v.form == LT_VAL_RAW ? iterate_document(vm, v, path, sink)
                                    : iterate_array(vm, v, path, sink);
    if (optional)
        return LT_FLOW_ON;
    if (v.kind == LT_VAL_NULL)
        return lt_vm_raise(vm, "Cannot iterate over null (null)");
    return lt_vm_raise(vm, "Cannot iterate over %s (%s)", lt_val_type(v),
                       lt_val_shortened(&vm->heap, v, text));
}

struct descent {
    struct lt_sink sink;
    struct lt_sink *down;
};

static enum lt_flow descend(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                            const struct lt_path *path) {
    struct descent *d = (struct descent *)self;
    return lt_vm_descend(vm, v, path, d->down);
}

enum lt_flow lt_vm_descend(struct lt_vm *vm, struct lt_val v, const struct lt_path *path,
                           struct lt_sink *sink) {
    struct descent children = {{descend}, sink};
    enum lt_flow flow;

    if ((const char *)__builtin_frame_address(0) < vm->stack_end)
        return LT_FLOW_BAIL;
    flow = lt_vm_emit(vm, sink, v, path);
    if (flow == LT_FLOW_ON && v.kind >= LT_VAL_ARRAY)
        flow = lt_vm_iterate(vm, v, true, path, &children.sink);
    return flow;
}

bool lt_keys_of(struct lt_vm *vm, struct lt_keys *keys, const struct lt_path *path) {
    size_t i = 0;

    for (const struct lt_path *p = path; p->up; p = p->up)
        i++;
    keys->n = i;
    keys->at = keys->room;
    if (i > LT_KEYS_ROOM) {
        keys->at = lt_heap_alloc(&vm->heap, i * sizeof(struct lt_val));
        if (!keys->at)
            return false;
    }
    for (const struct lt_path *p = path; p->up; p = p->up)
        keys->at[--i] = p->key;
    return true;
}

struct lt_val lt_keys_array(struct lt_vm *vm, const struct lt_path *path) {
    struct lt_keys keys;
    struct lt_val array;

    if (!lt_keys_of(vm, &keys, path))
        return lt_val_null();
    array = lt_val_array(&vm->heap, keys.n);
    for (size_t i = 0; i < keys.n; i++)
        array = lt_val_array_append(&vm->heap, array, keys.at[i]);
    return array;
}

struct ending {
    struct lt_sink sink;
    struct lt_sink *down;
};

static enum lt_flow end_path(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                             const struct lt_path *path) {
    struct ending *e = (struct ending *)self;
    char text[30];

    if (!lt_vm_is_same(v, path->value))
        return lt_vm_raise(vm, "Invalid path expression with result %s",
                           lt_val_cut(&vm->heap, v, text, sizeof(text)));
    return lt_vm_emit(vm, e->down, v, path);
}

enum lt_flow lt_vm_paths(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                         struct lt_val input, struct lt_sink *sink) {
    struct lt_path root = {.value = input};
    struct ending end = {{end_path}, sink};
    return lt_vm_eval(vm, node, frame, input, &root, &end.sink);
}
