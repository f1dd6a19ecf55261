/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_FN_HELP_H
#define LT_EXPR_FN_HELP_H

#include "expr/vm.h"

#include <string.h>

/* What the functions have in common: jq's error texts about a value, and counting of steps. */

/** "string ("a") number required" */
static inline enum lt_flow lt_fn_refuse(struct lt_vm *vm, struct lt_val v, const char *why) {
    char text[16];
    return lt_vm_raise(vm, "%s (%s) %s", lt_val_type(v), lt_val_shortened(&vm->heap, v, text), why);
}

/** "number (1) and string ("a") cannot be added" */
static inline enum lt_flow lt_fn_refuse_both(struct lt_vm *vm, struct lt_val a, struct lt_val b,
                                             const char *why) {
    char text_a[16];
    char text_b[16];
    return lt_vm_raise(vm, "%s (%s) and %s (%s) %s", lt_val_type(a),
                       lt_val_shortened(&vm->heap, a, text_a), lt_val_type(b),
                       lt_val_shortened(&vm->heap, b, text_b), why);
}

/** "STRING text": the whole string, NULs included. */
static inline enum lt_flow lt_fn_refuse_name(struct lt_vm *vm, struct lt_val string,
                                             const char *text) {
    struct lt_val rest = lt_val_string((struct lt_slice){text, strlen(text)});
    vm->error = lt_val_concat(&vm->heap, string, rest);
    return vm->heap.full ? lt_vm_step(vm) : LT_FLOW_ERROR;
}

/** Counts `n` steps: ON, or STOP when they are used up. */
static inline enum lt_flow lt_fn_charge(struct lt_vm *vm, size_t n) {
    vm->steps += n;
    return lt_vm_step(vm);
}

/**
 * What `.[]` gives of an array or object, as one list; ERROR for other values. `*values` lives as
 * long as the elements of an array do (lt_val_items()).
 */
enum lt_flow lt_fn_values(struct lt_vm *vm, struct lt_val v, const struct lt_val **values,
                          size_t *n);

/** Room for a string of `len` bytes in the heap, NULL (and `full`) without memory. */
char *lt_fn_string_room(struct lt_vm *vm, size_t len);

/** A list of values that grows in the heap. */
struct lt_fn_list {
    struct lt_val *values;
    size_t n;
    size_t cap;
};
/** Nothing is added when memory is used up; the heap then says so. */
void lt_fn_list_add(struct lt_vm *vm, struct lt_fn_list *list, struct lt_val v);

/** Evaluates the closure on `input` and adds its outputs to `list`. */
enum lt_flow lt_fn_collect(struct lt_vm *vm, const struct lt_node *closure, struct lt_frame *frame,
                           struct lt_val input, struct lt_fn_list *list);

/** Gives `v` to the sink of a `generate`. Where a path is kept it stays the input's, which then is
 * not the path of `v`: the evaluator refuses it if it is used as one. */
enum lt_flow lt_fn_emit(struct lt_vm *vm, struct lt_sink *sink, struct lt_val v,
                        const struct lt_path *path);

/** jq's `length`. */
enum lt_flow lt_fn_length(struct lt_vm *vm, struct lt_val v, struct lt_val *out);

/** jq's `index($key)`. */
enum lt_flow lt_fn_index(struct lt_vm *vm, struct lt_val v, struct lt_val key, struct lt_val *out);

/** How many bytes a codepoint takes that begins with this one. */
static inline size_t lt_fn_codepoint_len(char first) {
    unsigned char c = (unsigned char)first;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/** Writes a codepoint as UTF-8 (at most 4 bytes); returns how many. */
size_t lt_fn_write_codepoint(char *to, uint32_t c);

/** jq's `split($by)`. */
enum lt_flow lt_fn_split(struct lt_vm *vm, struct lt_slice all, struct lt_slice by,
                         struct lt_val *out);

/** A double as an int, as the machine that jq was measured on does it: what does not fit is the
 * least int. */
static inline int lt_fn_to_int(double d) {
    return d > -2147483649.0 && d < 2147483648.0 ? (int)d : (int)(-2147483647 - 1);
}

#endif
