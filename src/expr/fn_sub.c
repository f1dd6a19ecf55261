/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sub and gsub. jq 1.6 defines gsub by itself: replace the first match, then gsub what is behind
 * it. So the search begins anew behind each match (`^` matches there again), and where the
 * replacement has several outputs the last match's are the outermost loop. Where jq would go on for
 * ever, at an empty match that leaves all of the text behind it, the matches are taken as later
 * versions take them: from left to right in one text, and after an empty one a character further.
 */
#include "expr/fn.h"
#include "expr/fn_help.h"
#include "expr/fn_regex.h"

#include <string.h>

/** A match, and what replaces it. */
struct place {
    struct lt_slice before;  /**< the text between the last match and this one */
    struct lt_val captures;  /**< the replacement's input */
    struct lt_fn_list texts; /**< the replacement's outputs */
    bool evaluated;
    enum lt_flow end; /**< how its evaluation ended */
    struct lt_val error;
    uint64_t label;
    size_t next;          /**< the next of the outputs */
    struct lt_slice text; /**< the one chosen */
};

struct job {
    const struct lt_node *replacement;
    struct lt_frame *frame;
    const struct lt_path *path;
    struct lt_sink *sink;
    bool constant; /**< the replacement looks at nothing */
    struct place *places;
    size_t n;
    size_t cap;
    struct lt_slice rest; /**< behind the last match */
};

/* --- where ---------------------------------------------------------------------------------- */

static bool add_place(struct lt_vm *vm, struct job *job, struct lt_slice before,
                      const struct lt_fn_finder *f) {
    if (job->n == job->cap) {
        size_t cap = job->cap ? job->cap * 2 : 4;
        struct place *places = lt_heap_alloc(&vm->heap, cap * sizeof(*places));
        if (!places)
            return false;
        if (job->n)
            memcpy(places, job->places, job->n * sizeof(*places));
        job->places = places;
        job->cap = cap;
    }
    job->places[job->n++] = (struct place){
        .before = before,
        .captures = job->constant ? lt_val_null() : lt_fn_captures(vm, f),
    };
    return true;
}

static struct lt_slice from_byte(struct lt_slice s, size_t i) {
    return (struct lt_slice){s.data + i, s.len - i};
}

/* From left to right in the whole text; an empty match moves on by a character. */
static enum lt_flow find_in_one_text(struct lt_vm *vm, struct lt_fn_finder *f, struct job *job) {
    size_t behind = 0;
    size_t from = 0;
    enum lt_flow flow = LT_FLOW_ON;

    job->n = 0;
    while (from <= f->subject.len && flow == LT_FLOW_ON) {
        bool found;
        flow = lt_regex_search(vm, f->regex, f->subject, from, &found, &f->spans, &f->n_spans);
        if (flow != LT_FLOW_ON || !found)
            break;
        size_t at = (size_t)f->spans[0].from;
        size_t end = (size_t)f->spans[0].to;
        struct lt_slice before = {f->subject.data + behind, at - behind};
        if (!add_place(vm, job, before, f))
            return lt_vm_step(vm);
        behind = end;
        from = end;
        if (at == end)
            from += end < f->subject.len ? lt_fn_codepoint_len(f->subject.data[end]) : 1;
    }
    job->rest = from_byte(f->subject, behind);
    return flow;
}

static enum lt_flow find_as_jq(struct lt_vm *vm, struct lt_fn_finder *f, bool global,
                               struct job *job) {
    struct lt_slice whole = f->subject;
    bool found = true;
    enum lt_flow flow = LT_FLOW_ON;

    job->rest = whole;
    do {
        flow = lt_regex_search(vm, f->regex, f->subject, 0, &found, &f->spans, &f->n_spans);
        if (flow != LT_FLOW_ON || !found)
            break;
        size_t at = (size_t)f->spans[0].from;
        size_t end = (size_t)f->spans[0].to;
        if (global && end == 0 && f->subject.len) {
            f->subject = whole;
            return find_in_one_text(vm, f, job);
        }
        if (!add_place(vm, job, (struct lt_slice){f->subject.data, at}, f))
            return lt_vm_step(vm);
        f->subject = from_byte(f->subject, end);
        job->rest = f->subject;
    } while (global && f->subject.len);
    return flow;
}

/* --- with what ------------------------------------------------------------------------------ */

static enum lt_flow evaluate(struct lt_vm *vm, const struct job *job, struct place *place) {
    const struct place *last = &job->places[job->n - 1];

    if (job->constant && place != last) {
        place->texts = last->texts; /* which has been evaluated: it is the outermost */
        place->end = last->end;
        place->error = last->error;
        place->label = last->label;
    } else {
        place->end =
            lt_fn_collect(vm, job->replacement, job->frame, place->captures, &place->texts);
        place->error = vm->error;
        place->label = vm->label;
    }
    place->evaluated = true;
    return place->end == LT_FLOW_STOP || place->end == LT_FLOW_BAIL ? place->end : LT_FLOW_ON;
}

static enum lt_flow choose(struct lt_vm *vm, struct place *place, struct lt_val v) {
    struct lt_val ignored;
    if (v.kind == LT_VAL_STRING)
        place->text = lt_val_bytes(&vm->heap, v);
    else if (v.kind == LT_VAL_NULL)
        place->text = (struct lt_slice){"", 0};
    else
        return lt_vm_binary(vm, LT_OP_ADD, lt_val_string(place->before), v, &ignored);
    return LT_FLOW_ON;
}

static char *put(char *to, struct lt_slice s) {
    return s.len ? mempcpy(to, s.data, s.len) : to;
}

static enum lt_flow give(struct lt_vm *vm, const struct job *job) {
    size_t len = job->rest.len;
    for (size_t i = 0; i < job->n; i++)
        len += job->places[i].before.len + job->places[i].text.len;
    char *text = lt_fn_string_room(vm, len);
    char *to = text;
    if (!text)
        return lt_vm_step(vm);
    for (size_t i = 0; i < job->n; i++)
        to = put(put(to, job->places[i].before), job->places[i].text);
    put(to, job->rest);
    enum lt_flow flow = lt_fn_charge(vm, job->n);
    return flow == LT_FLOW_ON
               ? lt_fn_emit(vm, job->sink, lt_val_string((struct lt_slice){text, len}), job->path)
               : flow;
}

/* All ways to choose an output for each place, the last place's the outermost loop. */
static enum lt_flow replace(struct lt_vm *vm, struct job *job) {
    enum lt_flow flow = LT_FLOW_ON;
    size_t i = job->n - 1;

    while (flow == LT_FLOW_ON) {
        struct place *place = &job->places[i];
        if (!place->evaluated) {
            flow = evaluate(vm, job, place);
            continue;
        }
        if (place->next < place->texts.n) {
            flow = choose(vm, place, place->texts.values[place->next++]);
            if (flow == LT_FLOW_ON && i == 0)
                flow = give(vm, job);
            else if (flow == LT_FLOW_ON)
                job->places[--i].next = 0;
            continue;
        }
        if (place->end != LT_FLOW_ON) {
            vm->error = place->error;
            vm->label = place->label;
            return place->end;
        }
        if (i == job->n - 1)
            return LT_FLOW_ON;
        i++;
    }
    return flow;
}

static enum lt_flow run(struct lt_vm *vm, struct job *job, struct lt_val input, struct lt_val re,
                        struct lt_val flags, bool global) {
    struct lt_fn_finder f;
    enum lt_flow flow = lt_fn_find_open(vm, input, re, flags, &f);

    job->n = 0;
    if (flow == LT_FLOW_ON)
        flow = find_as_jq(vm, &f, global, job);
    if (flow != LT_FLOW_ON)
        return flow;
    return job->n ? replace(vm, job) : lt_fn_emit(vm, job->sink, input, job->path);
}

/* --- arguments ------------------------------------------------------------------------------ */

/* What the flags say of `g`, and the flags without it. */
static enum lt_flow without_g(struct lt_vm *vm, struct lt_val flags, bool global,
                              struct lt_val *out) {
    *out = flags;
    if (!global)
        return LT_FLOW_ON;
    if (flags.kind != LT_VAL_STRING)
        return lt_vm_raise(vm, "explode input must be a string");
    struct lt_slice s = lt_val_bytes(&vm->heap, flags);
    char *text = lt_fn_string_room(vm, s.len);
    size_t n = 0;
    if (!text)
        return lt_vm_step(vm);
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != 'g')
            text[n++] = s.data[i];
    }
    *out = lt_val_string((struct lt_slice){text, n});
    return LT_FLOW_ON;
}

/* jq looks at the flags twice, so that several of them are each taken with each. */
static enum lt_flow with_flags(struct lt_vm *vm, struct job *job, struct lt_val input,
                               struct lt_val re, const struct lt_fn_list *flags, enum lt_flow end) {
    const struct lt_val g = lt_val_string((struct lt_slice){"g", 1});
    struct lt_val error = vm->error;
    uint64_t label = vm->label;

    for (size_t i = 0; i < flags->n; i++) {
        struct lt_val hit;
        enum lt_flow flow = lt_fn_index(vm, flags->values[i], g, &hit);
        for (size_t j = 0; j < flags->n && flow == LT_FLOW_ON; j++) {
            struct lt_val used;
            bool global = lt_val_is_true(hit);
            flow = without_g(vm, flags->values[j], global, &used);
            if (flow == LT_FLOW_ON)
                flow = run(vm, job, input, re, used, global);
        }
        if (flow != LT_FLOW_ON)
            return flow;
        if (end != LT_FLOW_ON)
            break;
    }
    vm->error = error;
    vm->label = label;
    return end;
}

static enum lt_flow collect_flags(struct lt_vm *vm, const struct lt_node *node,
                                  struct lt_frame *frame, struct lt_val input, bool add_g,
                                  struct lt_fn_list *flags) {
    const struct lt_val g = lt_val_string((struct lt_slice){"g", 1});

    if (node->n < 3) {
        lt_fn_list_add(vm, flags, add_g ? g : lt_val_null());
        return LT_FLOW_ON;
    }
    enum lt_flow flow = lt_fn_collect(vm, node->items[2], frame, input, flags);
    for (size_t i = 0; i < flags->n && add_g; i++) {
        enum lt_flow added = lt_vm_binary(vm, LT_OP_ADD, flags->values[i], g, &flags->values[i]);
        if (added != LT_FLOW_ON) {
            flags->n = i;
            return added;
        }
    }
    return flow;
}

static enum lt_flow substitute(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                               struct lt_val input, const struct lt_path *path,
                               struct lt_sink *sink, bool add_g) {
    struct lt_fn_list patterns = {0};
    struct job job = {
        .replacement = node->items[1],
        .frame = frame,
        .path = path,
        .sink = sink,
        .constant = node->items[1]->kind == LT_NODE_LITERAL,
    };
    enum lt_flow end = lt_fn_collect(vm, node->items[0], frame, input, &patterns);
    struct lt_val error = vm->error;
    uint64_t label = vm->label;
    enum lt_flow flow = LT_FLOW_ON;

    for (size_t i = 0; i < patterns.n && flow == LT_FLOW_ON; i++) {
        struct lt_val re = patterns.values[i];
        struct lt_fn_list flags = {0};
        if (node->n == 2 && !add_g) { /* as match($re) does, so that an array may hold flags */
            struct lt_val used;
            flow = lt_fn_pattern(vm, re, &re, &used);
            if (flow == LT_FLOW_ON)
                flow = run(vm, &job, input, re, used, false);
            continue;
        }
        enum lt_flow flags_end = collect_flags(vm, node, frame, input, add_g, &flags);
        flow = with_flags(vm, &job, input, re, &flags, flags_end);
    }
    if (flow == LT_FLOW_ON && end != LT_FLOW_ON) {
        vm->error = error;
        vm->label = label;
        return end;
    }
    return flow;
}

enum lt_flow lt_fn_sub(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                       struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    return substitute(vm, node, frame, input, path, sink, false);
}

enum lt_flow lt_fn_gsub(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                        struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    return substitute(vm, node, frame, input, path, sink, true);
}
