/* SPDX-License-Identifier: Apache-2.0 */
/* From one kind of value to another, and what kind one is. */
#include "expr/fn.h"
#include "expr/fn_help.h"
#include "expr/jq_json.h"

#include <math.h>
#include <string.h>

static enum lt_flow type(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    const char *name = lt_val_type(args[0]);
    (void)vm;
    *out = lt_val_string((struct lt_slice){name, strlen(name)});
    return LT_FLOW_ON;
}

static enum lt_flow tojson(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_slice text = lt_val_json(&vm->heap, args[0]);
    *out = lt_val_string(text);
    return lt_fn_charge(vm, text.len / 16);
}

static enum lt_flow tostring(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    if (args[0].kind != LT_VAL_STRING)
        return tojson(vm, args, out);
    *out = args[0];
    return LT_FLOW_ON;
}

/* What is JSON by RFC 8259 is read into a document; what jq takes beyond that, and the error of
 * what it does not take, come from a reader that does as jq's does. */
static enum lt_flow parse(struct lt_vm *vm, struct lt_slice text, struct lt_val *out) {
    enum lt_flow flow = lt_fn_charge(vm, text.len / 16);
    if (flow != LT_FLOW_ON)
        return flow;
    if (lt_val_parse(&vm->heap, text, out, NULL) == LEAT_OK)
        return lt_vm_step(vm);
    return lt_jq_json_parse(vm, text, out);
}

static enum lt_flow fromjson(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    if (args[0].kind != LT_VAL_STRING)
        return lt_fn_refuse(vm, args[0], "only strings can be parsed");
    return parse(vm, lt_val_bytes(&vm->heap, args[0]), out);
}

static enum lt_flow tonumber(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    if (args[0].kind == LT_VAL_NUMBER) {
        *out = args[0];
        return LT_FLOW_ON;
    }
    if (args[0].kind == LT_VAL_STRING) {
        struct lt_slice s = lt_val_bytes(&vm->heap, args[0]);
        if (s.len)
            s.len = strnlen(s.data, s.len); /* jq's reader stops there */
        if (s.len && lt_jq_json_number(s, out))
            return LT_FLOW_ON;
        struct lt_val v;
        enum lt_flow flow = parse(vm, s, &v);
        if (flow != LT_FLOW_ON)
            return flow;
        if (v.kind == LT_VAL_NUMBER) {
            *out = lt_val_number(v);
            return LT_FLOW_ON;
        }
    }
    return lt_fn_refuse(vm, args[0], "cannot be parsed as a number");
}

/* --- numbers that are none ------------------------------------------------------------------ */

static enum lt_flow infinite(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm;
    (void)args;
    *out = lt_val_double(INFINITY);
    return LT_FLOW_ON;
}

static enum lt_flow not_a_number(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm;
    (void)args;
    *out = lt_val_double(NAN);
    return LT_FLOW_ON;
}

static enum lt_flow is_infinite(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm;
    *out = lt_val_bool(args[0].kind == LT_VAL_NUMBER && isinf(lt_val_as_double(args[0])));
    return LT_FLOW_ON;
}

static enum lt_flow is_nan(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm;
    *out = lt_val_bool(args[0].kind == LT_VAL_NUMBER && isnan(lt_val_as_double(args[0])));
    return LT_FLOW_ON;
}

static enum lt_flow is_normal(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm;
    *out = lt_val_bool(args[0].kind == LT_VAL_NUMBER && isnormal(lt_val_as_double(args[0])));
    return LT_FLOW_ON;
}

static enum lt_flow is_finite(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    (void)vm;
    *out = lt_val_bool(args[0].kind == LT_VAL_NUMBER && !isinf(lt_val_as_double(args[0])));
    return LT_FLOW_ON;
}

/* --- format(name) --------------------------------------------------------------------------- */

static enum lt_flow format(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    static const struct {
        const char *name;
        enum lt_format format;
    } rows[] = {
        {"text", LT_FORMAT_TEXT}, {"json", LT_FORMAT_JSON},     {"csv", LT_FORMAT_CSV},
        {"tsv", LT_FORMAT_TSV},   {"html", LT_FORMAT_HTML},     {"uri", LT_FORMAT_URI},
        {"sh", LT_FORMAT_SH},     {"base64", LT_FORMAT_BASE64}, {"base64d", LT_FORMAT_BASE64D},
    };
    if (args[1].kind != LT_VAL_STRING)
        return lt_fn_refuse(vm, args[1], "is not a valid format");
    struct lt_slice name = lt_val_bytes(&vm->heap, args[1]);
    size_t len = name.len ? strnlen(name.data, name.len) : 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (lt_slice_eq_str((struct lt_slice){name.data, len}, rows[i].name))
            return lt_fn_format(vm, rows[i].format, args[0], out);
    }
    return lt_fn_refuse_name(vm, args[1], " is not a valid format");
}

const struct lt_fn lt_fn_convert[] = {
    {"format", 1, format, NULL},
    {"fromjson", 0, fromjson, NULL},
    {"infinite", 0, infinite, NULL},
    {"isfinite", 0, is_finite, NULL},
    {"isinfinite", 0, is_infinite, NULL},
    {"isnan", 0, is_nan, NULL},
    {"isnormal", 0, is_normal, NULL},
    {"nan", 0, not_a_number, NULL},
    {"tojson", 0, tojson, NULL},
    {"tonumber", 0, tonumber, NULL},
    {"tostring", 0, tostring, NULL},
    {"type", 0, type, NULL},
    {NULL, 0, NULL, NULL},
};
