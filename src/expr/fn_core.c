/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that the evaluator itself must do: paths, errors, further inputs, messages. */
#include "expr/fn_core.h"

#include <unistd.h>

/* --- errors ------------------------------------------------------------------------------- */

static enum lt_flow give_nothing(LT_GENERATE) {
    (void)vm, (void)node, (void)frame, (void)input, (void)path, (void)sink;
    return LT_FLOW_ON;
}

static enum lt_flow is_not(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm;
    *out = lt_val_bool(!lt_val_is_true(args[0]));
    return LT_FLOW_ON;
}

/* An error without a value is, in jq 1.6, no output. */
static enum lt_flow raise(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                          const struct lt_path *path) {
    (void)self, (void)path;
    vm->error = v;
    return v.kind == LT_VAL_NULL ? LT_FLOW_ON : LT_FLOW_ERROR;
}

static enum lt_flow error(LT_GENERATE) {
    struct lt_sink raiser = {raise};

    (void)sink;
    if (node->n == 0)
        return raise(vm, &raiser, input, path);
    return lt_vm_eval(vm, node->items[0], frame, input, NULL, &raiser);
}

/* --- paths -------------------------------------------------------------------------------- */

static enum lt_flow give_path(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    struct lt_relay *r = (struct lt_relay *)self;

    (void)v;
    return lt_vm_emit(vm, r->down, lt_keys_array(vm, path), r->path);
}

static enum lt_flow path_of(LT_GENERATE) {
    struct lt_relay r = {.sink = {give_path}, .down = sink, .path = path};
    return lt_vm_paths(vm, node->items[0], frame, input, &r.sink);
}

static enum lt_flow get_keys(struct lt_vm *vm, struct lt_val keys, struct lt_val v,
                             const struct lt_val **at, size_t *n, struct lt_val *out) {
    if (keys.kind != LT_VAL_ARRAY)
        return lt_vm_raise(vm, "Path must be specified as an array");
    *at = lt_val_items(&vm->heap, keys, n);
    return lt_vm_getpath(vm, v, *at, *n, out);
}

static enum lt_flow get_at(struct lt_vm *vm, struct lt_sink *self, struct lt_val keys,
                           const struct lt_path *unused) {
    struct lt_relay *r = (struct lt_relay *)self;
    const struct lt_path *path = r->path;
    const struct lt_val *at = NULL;
    struct lt_val out = lt_val_null();
    size_t n = 0;
    enum lt_flow flow = get_keys(vm, keys, r->input, &at, &n, &out);

    (void)unused;
    if (flow != LT_FLOW_ON)
        return flow;
    if (path && !lt_vm_is_same(r->input, path->value))
        n = 0; /* no step from the current path, which stays */
    for (size_t i = 0; path && i < n; i++) {
        struct lt_path *place = lt_heap_alloc(&vm->heap, sizeof(*place));
        if (!place)
            return lt_vm_check(vm);
        *place = (struct lt_path){path, at[i], out};
        path = place;
    }
    return lt_vm_emit(vm, r->down, out, path);
}

static enum lt_flow getpath(LT_GENERATE) {
    struct lt_relay r = {.sink = {get_at}, .down = sink, .input = input, .path = path};
    return lt_vm_eval(vm, node->items[0], frame, input, NULL, &r.sink);
}

static enum lt_flow setpath(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    const struct lt_val *at;
    size_t n;

    if (args[1].kind != LT_VAL_ARRAY)
        return lt_vm_raise(vm, "Path must be specified as an array");
    at = lt_val_items(&vm->heap, args[1], &n);
    return lt_vm_setpath(vm, args[0], at, n, args[2], out);
}

static enum lt_flow delpaths(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    if (args[1].kind != LT_VAL_ARRAY)
        return lt_vm_raise(vm, "Paths must be specified as an array");
    return lt_vm_delpaths(vm, args[0], args[1], out);
}

struct paths {
    struct lt_sink sink;
    struct lt_val array;
};

static enum lt_flow add_path(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                             const struct lt_path *path) {
    struct paths *p = (struct paths *)self;

    (void)v;
    p->array = lt_val_array_append(&vm->heap, p->array, lt_keys_array(vm, path));
    return LT_FLOW_ON;
}

static enum lt_flow del(LT_GENERATE) {
    struct paths p = {{add_path}, lt_val_array(&vm->heap, 0)};
    struct lt_val out;
    enum lt_flow flow = lt_vm_paths(vm, node->items[0], frame, input, &p.sink);

    if (flow == LT_FLOW_ON)
        flow = lt_vm_delpaths(vm, input, p.array, &out);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, sink, out, path) : flow;
}

/* --- outside ------------------------------------------------------------------------------ */

static enum lt_flow next_input(struct lt_vm *vm, struct lt_val *out, const char *name) {
    if (!vm->next_input)
        return lt_vm_raise(vm, "%s is not available in a pipeline", name);
    return vm->next_input(vm, vm->input_ctx, out);
}

static enum lt_flow input_of(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)args;
    return next_input(vm, out, "input");
}

/* jq's word for the end of the input is "break"; it is the end too when an error by that name comes
 * back from who uses the inputs. */
static bool is_end(struct lt_vm *vm) {
    struct lt_slice text;

    if (vm->error.kind != LT_VAL_STRING)
        return false;
    text = lt_val_bytes(&vm->heap, vm->error);
    return lt_slice_eq_str(text, "break") || lt_slice_eq_str(text, "No more inputs");
}

static enum lt_flow inputs(LT_GENERATE) {
    struct lt_val v = lt_val_null();
    enum lt_flow flow = LT_FLOW_ON;

    (void)node, (void)frame, (void)input;
    while (flow == LT_FLOW_ON) {
        flow = lt_vm_step(vm);
        if (flow == LT_FLOW_ON)
            flow = next_input(vm, &v, "inputs");
        if (flow == LT_FLOW_ON)
            flow = lt_vm_emit(vm, sink, v, path);
    }
    return flow == LT_FLOW_ERROR && is_end(vm) ? LT_FLOW_ON : flow;
}

static enum lt_flow input_filename(struct lt_vm *vm, const struct lt_val *args,
                                   struct lt_val *out) {
    (void)args;
    *out = vm->filename.data ? lt_val_copy_string(&vm->heap, vm->filename) : lt_val_null();
    return LT_FLOW_ON;
}

static enum lt_flow tell(struct lt_vm *vm, struct lt_val v, const char *end) {
    struct lt_slice json;

    if (!vm->message)
        return LT_FLOW_ON;
    json = lt_val_json(&vm->heap, v);
    if (vm->heap.full)
        return lt_vm_check(vm);
    vm->message(vm->message_ctx, json);
    if (*end)
        vm->message(vm->message_ctx, lt_slice_str(end));
    return LT_FLOW_ON;
}

static enum lt_flow debug(LT_GENERATE) {
    struct lt_val pair = lt_val_array(&vm->heap, 2);
    enum lt_flow flow;

    (void)node, (void)frame;
    pair = lt_val_array_append(&vm->heap, pair, lt_val_string(lt_slice_str("DEBUG:")));
    flow = tell(vm, lt_val_array_append(&vm->heap, pair, input), "\n");
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, sink, input, path) : flow;
}

static enum lt_flow to_stderr(LT_GENERATE) {
    enum lt_flow flow = tell(vm, input, "");

    (void)node, (void)frame;
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, sink, input, path) : flow;
}

enum lt_flow lt_vm_env(struct lt_vm *vm, struct lt_val *out) {
    struct lt_val env = lt_val_object(&vm->heap, 0);

    if (!vm->allow_env)
        return lt_vm_raise(vm, "env is not available in a pipeline");
    for (char *const *at = environ; at && *at; at++) {
        const char *equals = strchr(*at, '=');
        if (!equals)
            continue;
        env = lt_val_object_set(
            &vm->heap, env, lt_val_copy_string(&vm->heap, lt_slice(*at, (size_t)(equals - *at))),
            lt_val_copy_string(&vm->heap, lt_slice_str(equals + 1)));
    }
    *out = env;
    return LT_FLOW_ON;
}

const struct lt_fn lt_fn_core[] = {
    {"empty", 0, NULL, give_nothing},
    {"not", 0, is_not, NULL},
    {"error", 0, NULL, error},
    {"error", 1, NULL, error},
    {"path", 1, NULL, path_of},
    {"getpath", 1, NULL, getpath},
    {"setpath", 2, setpath, NULL},
    {"delpaths", 1, delpaths, NULL},
    {"del", 1, NULL, del},
    {"input", 0, input_of, NULL},
    {"inputs", 0, NULL, inputs},
    {"input_filename", 0, input_filename, NULL},
    {"debug", 0, NULL, debug},
    {"stderr", 0, NULL, to_stderr},
    {NULL, 0, NULL, NULL},
};
