/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test, match, capture, scan, splits. What gives many outputs is here a row that gives an array;
 * the prelude iterates over it. As in jq 1.6 a match of nothing has no captures, and the search
 * after it goes on one character after the place where that search began.
 */
#include "expr/fn_regex.h"
#include "expr/fn.h"
#include "expr/fn_help.h"

#include <string.h>

static struct lt_val name(const char *text) {
    return lt_val_string((struct lt_slice){text, strlen(text)});
}

/* --- finding -------------------------------------------------------------------------------- */

enum lt_flow lt_fn_find_open(struct lt_vm *vm, struct lt_val input, struct lt_val re,
                             struct lt_val flags, struct lt_fn_finder *f) {
    struct lt_regex_flags read;

    *f = (struct lt_fn_finder){0};
    if (input.kind != LT_VAL_STRING)
        return lt_fn_refuse(vm, input, "cannot be matched, as it is not a string");
    if (re.kind != LT_VAL_STRING)
        return lt_fn_refuse(vm, re, "is not a string");
    enum lt_flow flow = lt_regex_read_flags(vm, flags, &read);
    if (flow != LT_FLOW_ON)
        return flow;
    f->subject = lt_val_bytes(&vm->heap, input);
    f->global = read.global;
    return lt_regex_get(vm, lt_val_bytes(&vm->heap, re), read.options, &f->regex);
}

enum lt_flow lt_fn_find_next(struct lt_vm *vm, struct lt_fn_finder *f, bool *found) {
    *found = false;
    if (f->done)
        return LT_FLOW_ON;
    enum lt_flow flow =
        lt_regex_search(vm, f->regex, f->subject, f->from, found, &f->spans, &f->n_spans);
    if (flow != LT_FLOW_ON || !*found)
        return flow;
    if (f->spans[0].from == f->spans[0].to)
        f->from += f->from < f->subject.len ? lt_fn_codepoint_len(f->subject.data[f->from]) : 1;
    else
        f->from = (size_t)f->spans[0].to;
    f->done = !f->global || f->from >= f->subject.len;
    return LT_FLOW_ON;
}

struct lt_slice lt_fn_found(const struct lt_fn_finder *f, size_t group) {
    const struct lt_regex_span *span = &f->spans[group];
    return (struct lt_slice){f->subject.data + span->from, (size_t)(span->to - span->from)};
}

bool lt_fn_found_nothing(const struct lt_fn_finder *f) {
    return f->spans[0].from == f->spans[0].to;
}

/* --- match -------------------------------------------------------------------------------- */

/* From bytes to codepoints, going on from the last place. */
struct counter {
    struct lt_slice subject;
    bool ascii;
    size_t byte;
    size_t codepoints;
};

static struct counter begin_count(struct lt_slice subject) {
    return (struct counter){.subject = subject, .ascii = lt_val_codepoints(subject) == subject.len};
}

static size_t codepoints_at(struct counter *c, size_t byte) {
    if (c->ascii)
        return byte;
    if (byte < c->byte)
        c->byte = c->codepoints = 0;
    c->codepoints +=
        lt_val_codepoints((struct lt_slice){c->subject.data + c->byte, byte - c->byte});
    c->byte = byte;
    return c->codepoints;
}

static struct lt_val place(struct lt_heap *heap, struct counter *c, struct lt_regex_span span,
                           size_t room) {
    size_t from = codepoints_at(c, (size_t)span.from);
    size_t to = codepoints_at(c, (size_t)span.to);
    struct lt_val v = lt_val_object(heap, room);
    v = lt_val_object_set(heap, v, name("offset"), lt_val_int((int64_t)from));
    return lt_val_object_set(heap, v, name("length"), lt_val_int((int64_t)(to - from)));
}

/* The order of the members is jq's. */
static struct lt_val capture_of(struct lt_heap *heap, const struct lt_fn_finder *f,
                                struct counter *c, size_t i) {
    struct lt_regex_span span = f->spans[i];
    struct lt_slice group = lt_regex_group_name(f->regex, i);
    struct lt_val v;

    if (span.from == span.to) {
        bool absent = span.from < 0;
        size_t at = absent ? 0 : codepoints_at(c, (size_t)span.from);
        v = lt_val_object(heap, 4);
        v = lt_val_object_set(heap, v, name("offset"), lt_val_int(absent ? -1 : (int64_t)at));
        v = lt_val_object_set(heap, v, name("string"), absent ? lt_val_null() : name(""));
        v = lt_val_object_set(heap, v, name("length"), lt_val_int(0));
    } else {
        v = place(heap, c, span, 4);
        v = lt_val_object_set(heap, v, name("string"), lt_val_string(lt_fn_found(f, i)));
    }
    return lt_val_object_set(heap, v, name("name"),
                             group.data ? lt_val_copy_string(heap, group) : lt_val_null());
}

static struct lt_val match_of(struct lt_heap *heap, const struct lt_fn_finder *f,
                              struct counter *c) {
    struct lt_val v = place(heap, c, f->spans[0], 4);
    struct lt_val captures = lt_val_array(heap, f->n_spans - 1);

    v = lt_val_object_set(heap, v, name("string"), lt_val_string(lt_fn_found(f, 0)));
    for (size_t i = 1; i < f->n_spans && !lt_fn_found_nothing(f) && !heap->full; i++)
        captures = lt_val_array_append(heap, captures, capture_of(heap, f, c, i));
    return lt_val_object_set(heap, v, name("captures"), captures);
}

/* --- capture, scan -------------------------------------------------------------------------- */

struct lt_val lt_fn_captures(struct lt_vm *vm, const struct lt_fn_finder *f) {
    struct lt_heap *heap = &vm->heap;
    struct lt_val v = lt_val_object(heap, 0);

    for (size_t i = 1; i < f->n_spans && !lt_fn_found_nothing(f) && !heap->full; i++) {
        struct lt_slice group = lt_regex_group_name(f->regex, i);
        bool absent = f->spans[i].from < 0;
        if (group.data)
            v = lt_val_object_set(heap, v, lt_val_copy_string(heap, group),
                                  absent ? lt_val_null() : lt_val_string(lt_fn_found(f, i)));
    }
    return v;
}

static struct lt_val scanned(struct lt_vm *vm, const struct lt_fn_finder *f) {
    struct lt_heap *heap = &vm->heap;

    if (f->n_spans == 1 || lt_fn_found_nothing(f))
        return lt_val_string(lt_fn_found(f, 0));
    struct lt_val v = lt_val_array(heap, f->n_spans - 1);
    for (size_t i = 1; i < f->n_spans && !heap->full; i++)
        v = lt_val_array_append(
            heap, v, f->spans[i].from < 0 ? lt_val_null() : lt_val_string(lt_fn_found(f, i)));
    return v;
}

/* --- rows: each with pattern and flags, and with both in one value ---------------------------- */

enum lt_flow lt_fn_pattern(struct lt_vm *vm, struct lt_val v, struct lt_val *re,
                           struct lt_val *flags) {
    size_t n = 0;
    const struct lt_val *values = v.kind == LT_VAL_ARRAY ? lt_val_items(&vm->heap, v, &n) : NULL;

    if (v.kind != LT_VAL_STRING && n == 0)
        return lt_vm_raise(vm, "%s not a string or array", lt_val_type(v));
    *re = n ? values[0] : v;
    *flags = n > 1 ? values[1] : lt_val_null();
    return LT_FLOW_ON;
}

static enum lt_flow test_for(struct lt_vm *vm, struct lt_val input, struct lt_val re,
                             struct lt_val flags, struct lt_val *out) {
    struct lt_fn_finder f;
    bool found = false;
    enum lt_flow flow = lt_fn_find_open(vm, input, re, flags, &f);
    if (flow == LT_FLOW_ON)
        flow = lt_fn_find_next(vm, &f, &found);
    *out = lt_val_bool(found);
    return flow;
}

enum what { MATCH, CAPTURE, SCAN };

static enum lt_flow find_all(struct lt_vm *vm, struct lt_val input, struct lt_val re,
                             struct lt_val flags, enum what what, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    struct lt_fn_finder f;
    bool found = true;
    enum lt_flow flow = lt_fn_find_open(vm, input, re, flags, &f);

    if (flow != LT_FLOW_ON)
        return flow;
    struct counter c = begin_count(f.subject);
    *out = lt_val_array(heap, 0);
    while (found && flow == LT_FLOW_ON) {
        flow = lt_fn_find_next(vm, &f, &found);
        if (flow != LT_FLOW_ON || !found)
            break;
        *out = lt_val_array_append(heap, *out,
                                   what == MATCH     ? match_of(heap, &f, &c)
                                   : what == CAPTURE ? lt_fn_captures(vm, &f)
                                                     : scanned(vm, &f));
        flow = lt_vm_step(vm);
    }
    return flow;
}

static enum lt_flow test(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return test_for(vm, args[0], args[1], args[2], out);
}

static enum lt_flow test_either(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_val re = lt_val_null();
    struct lt_val flags = lt_val_null();
    enum lt_flow flow = lt_fn_pattern(vm, args[1], &re, &flags);
    return flow == LT_FLOW_ON ? test_for(vm, args[0], re, flags, out) : flow;
}

static enum lt_flow match(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return find_all(vm, args[0], args[1], args[2], MATCH, out);
}

static enum lt_flow match_either(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_val re = lt_val_null();
    struct lt_val flags = lt_val_null();
    enum lt_flow flow = lt_fn_pattern(vm, args[1], &re, &flags);
    return flow == LT_FLOW_ON ? find_all(vm, args[0], re, flags, MATCH, out) : flow;
}

static enum lt_flow capture(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return find_all(vm, args[0], args[1], args[2], CAPTURE, out);
}

static enum lt_flow capture_either(struct lt_vm *vm, const struct lt_val *args,
                                   struct lt_val *out) {
    struct lt_val re = lt_val_null();
    struct lt_val flags = lt_val_null();
    enum lt_flow flow = lt_fn_pattern(vm, args[1], &re, &flags);
    return flow == LT_FLOW_ON ? find_all(vm, args[0], re, flags, CAPTURE, out) : flow;
}

static enum lt_flow scan(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    return find_all(vm, args[0], args[1], name("g"), SCAN, out);
}

/* `args[2]` lists all that the flags gave: jq takes the matches of each one after the other. */
static enum lt_flow splits(struct lt_vm *vm, const struct lt_val *args, struct lt_val *out) {
    struct lt_heap *heap = &vm->heap;
    size_t n;
    const struct lt_val *flags = lt_val_items(heap, args[2], &n);
    struct lt_slice subject = {NULL, 0};
    size_t from = 0;
    enum lt_flow flow = LT_FLOW_ON;

    *out = lt_val_array(heap, 0);
    for (size_t i = 0; i < n && flow == LT_FLOW_ON; i++) {
        struct lt_fn_finder f;
        struct lt_val all_flags;
        bool found = true;
        flow = lt_vm_binary(vm, LT_OP_ADD, name("g"), flags[i], &all_flags);
        if (flow == LT_FLOW_ON)
            flow = lt_fn_find_open(vm, args[0], args[1], all_flags, &f);
        while (found && flow == LT_FLOW_ON) {
            flow = lt_fn_find_next(vm, &f, &found);
            if (flow != LT_FLOW_ON || !found)
                break;
            size_t to = (size_t)f.spans[0].from;
            struct lt_slice part = {f.subject.data + from, to > from ? to - from : 0};
            *out = lt_val_array_append(heap, *out, lt_val_string(part));
            from = (size_t)f.spans[0].to;
        }
    }
    if (flow != LT_FLOW_ON)
        return flow;
    if (args[0].kind != LT_VAL_STRING)
        return lt_fn_refuse(vm, args[0], "cannot be matched, as it is not a string");
    subject = lt_val_bytes(heap, args[0]);
    struct lt_slice rest = {subject.data + from, subject.len - from};
    *out = lt_val_array_append(heap, *out, lt_val_string(rest));
    return lt_vm_step(vm);
}

const struct lt_fn lt_fn_regex[] = {
    {"test", 1, test_either, NULL},
    {"test", 2, test, NULL},
    {"sub", 2, NULL, lt_fn_sub},
    {"sub", 3, NULL, lt_fn_sub},
    {"gsub", 2, NULL, lt_fn_gsub},
    {"gsub", 3, NULL, lt_fn_gsub},
    /* arrays of what the functions of the prelude give one after the other */
    {"_match_impl", 1, match_either, NULL},
    {"_match_impl", 2, match, NULL},
    {"_capture_impl", 1, capture_either, NULL},
    {"_capture_impl", 2, capture, NULL},
    {"_scan_impl", 1, scan, NULL},
    {"_splits_impl", 2, splits, NULL},
    {NULL, 0, NULL, NULL},
};
