/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: of definitions, with their frames and closures, and of C rows with arguments' values. */
#include "expr/vm_parts.h"

/* --- definitions ------------------------------------------------------------------------- */

struct call {
    struct lt_sink sink; /* takes a value for parameter `i` */
    const struct lt_node *node;
    struct lt_frame *caller;
    struct lt_frame_room *room;
    struct lt_sink *down;
    struct lt_val input;
    const struct lt_path *path;
    unsigned i;
};

/* Binds the `$x` parameters from `i` on, the first of them in the outermost loop; then the body. */
static enum lt_flow bind_params(struct lt_vm *vm, struct call *c) {
    const struct lt_def *def = c->node->def;
    enum lt_flow flow;

    for (; c->i < def->n_params; c->i++) {
        const struct lt_node *arg = c->node->items[c->i];
        if (!def->is_value[c->i])
            continue;
        if (!lt_plan(arg)->one)
            return lt_vm_eval(vm, arg, c->caller, c->input, NULL, &c->sink);
        flow =
            lt_vm_one_of(vm, arg, c->caller, c->input, &c->room->frame.vars[def->value_slot[c->i]]);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    return lt_vm_eval_in(vm, def->body, &c->room->frame, c->input, c->path, c->down, c->room);
}

static enum lt_flow bind_param(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct call *c = (struct call *)self;
    struct call next = *c;

    (void)path;
    c->room->frame.vars[c->node->def->value_slot[c->i]] = v;
    next.i++;
    return bind_params(vm, &next);
}

static bool open_call(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                      struct lt_frame_room *room) {
    if (!lt_frame_open(vm, room, node->def, lt_frame_up(frame, node->up)))
        return false;
    for (unsigned i = 0; i < node->def->n_params; i++)
        room->frame.params[i] = (struct lt_closure){node->items[i], frame};
    return true;
}

enum lt_flow lt_vm_call(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                        struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct lt_frame_room room;
    struct call c = {{bind_param}, node, frame, &room, sink, input, path, 0};

    if (!open_call(vm, node, frame, &room))
        return lt_vm_check(vm);
    return bind_params(vm, &c);
}

bool lt_vm_can_reuse(const struct lt_node *call, const struct lt_frame *frame) {
    const struct lt_def *def = call->def;

    if (def->n_vars > LT_FRAME_ROOM || def->n_params > LT_FRAME_ROOM || call->up == 0)
        return false;
    if (def->n_params && lt_plan(def->body)->calls_params)
        return false;
    for (unsigned i = 0; i < def->n_params; i++)
        if (!def->is_value[i] || !lt_plan(call->items[i])->one)
            return false;
    return frame->up != NULL;
}

enum lt_flow lt_vm_reuse(struct lt_vm *vm, const struct lt_node *call, struct lt_frame_room *room,
                         struct lt_val input) {
    const struct lt_def *def = call->def;
    struct lt_frame *up = lt_frame_up(&room->frame, call->up);
    struct lt_val args[LT_FRAME_ROOM];
    enum lt_flow flow = LT_FLOW_ON;

    for (unsigned i = 0; i < def->n_params && flow == LT_FLOW_ON; i++)
        flow = lt_vm_one_of(vm, call->items[i], &room->frame, input, &args[i]);
    if (flow != LT_FLOW_ON)
        return flow;
    if (!lt_frame_open(vm, room, def, up))
        return lt_vm_check(vm);
    for (unsigned i = 0; i < def->n_params; i++)
        room->frame.vars[def->value_slot[i]] = args[i];
    return LT_FLOW_ON;
}

/* --- C rows ------------------------------------------------------------------------------ */

enum { MAX_ARGS = 8 };

struct row {
    struct lt_sink sink; /* takes a value for argument `i` */
    const struct lt_node *node;
    struct lt_frame *frame;
    struct lt_sink *down;
    struct lt_val input;
    const struct lt_path *path;
    struct lt_val *args; /* args[0] is the input */
    size_t i;
};

/* Arguments up to the i-th are still wanted: the last one's outputs are the outermost loop. */
static enum lt_flow take_args(struct lt_vm *vm, struct row *r) {
    struct lt_val out;
    enum lt_flow flow;

    for (; r->i > 0; r->i--) {
        const struct lt_node *arg = r->node->items[r->i - 1];
        if (!lt_plan(arg)->one)
            return lt_vm_eval(vm, arg, r->frame, r->input, NULL, &r->sink);
        flow = lt_vm_one_of(vm, arg, r->frame, r->input, &r->args[r->i]);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    r->args[0] = r->input;
    flow = r->node->builtin->call(vm, r->args, &out);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, r->down, out, r->path) : flow;
}

static enum lt_flow take_arg(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                             const struct lt_path *path) {
    struct row *r = (struct row *)self;
    struct row next = *r;

    (void)path;
    r->args[r->i] = v;
    next.i--;
    return take_args(vm, &next);
}

/* index, rindex and indices are steps in jq: `.[$i]`, and a step from there. On strings they are
 * not, and what is asked of the result then fails as any step from a value that is no place. */
struct search {
    struct lt_sink sink; /* takes what is searched for */
    const char *name;
    const struct lt_fn *indices;
    struct lt_sink *down;
    struct lt_val input;
    const struct lt_path *path;
};

static enum lt_flow step_on(struct lt_vm *vm, struct lt_val *v, struct lt_val key,
                            const struct lt_path **path, struct lt_path *place) {
    bool given;
    enum lt_flow flow = lt_vm_walk(vm, *v, key, false, *path, v, place, &given);

    *path = place;
    return flow;
}

static enum lt_flow search_for(struct lt_vm *vm, struct lt_sink *self, struct lt_val what,
                               const struct lt_path *unused) {
    struct search *s = (struct search *)self;
    const struct lt_path *path = s->path;
    struct lt_val v = s->input, key = what, args[2] = {s->input, what};
    struct lt_path places[3];
    enum lt_flow flow = LT_FLOW_ON;

    (void)unused;
    if (v.kind == LT_VAL_ARRAY && what.kind != LT_VAL_ARRAY)
        key = lt_val_array_append(&vm->heap, lt_val_array(&vm->heap, 1), what);
    if (v.kind == LT_VAL_STRING && what.kind == LT_VAL_STRING)
        flow = s->indices->call(vm, args, &v);
    else
        flow = step_on(vm, &v, key, &path, &places[0]);
    if (flow == LT_FLOW_ON && s->name[0] == 'r')
        flow =
            step_on(vm, &v, lt_vm_slice_key(vm, lt_val_int(-1), lt_val_null()), &path, &places[1]);
    if (flow == LT_FLOW_ON && strcmp(s->name, "indices") != 0)
        flow = step_on(vm, &v, lt_val_int(0), &path, &places[2]);
    return flow == LT_FLOW_ON ? lt_vm_emit(vm, s->down, v, path) : flow;
}

static bool is_search(const struct lt_fn *fn) {
    return fn->n_args == 1 && (!strcmp(fn->name, "index") || !strcmp(fn->name, "rindex") ||
                               !strcmp(fn->name, "indices"));
}

/* jq's own definitions of these go through what they made on the way, which is no place: asked for
 * a path they fail, whatever is done with what they give. Here what they give is shown. */
static bool goes_through_its_own(const struct lt_fn *fn) {
    static const char *const names[] = {
        "ascii_downcase", "ascii_upcase", "from_entries", "gsub", "sub", "unique", "unique_by"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(fn->name, names[i]))
            return true;
    return false;
}

static enum lt_flow refuse_steps(struct lt_vm *vm, struct lt_val input) {
    char text[30];
    return lt_vm_raise(vm, "Invalid path expression near attempt to iterate through %s",
                       lt_val_cut(&vm->heap, input, text, sizeof(text)));
}

/* These step into their input, which must then be what stands at the current path. */
static enum lt_flow check_steps(struct lt_vm *vm, const struct lt_fn *fn, struct lt_val input) {
    bool reverse = !strcmp(fn->name, "reverse");
    char text[30];

    if (reverse && input.kind == LT_VAL_ARRAY && lt_val_array_len(&vm->heap, input))
        return lt_vm_raise(vm, "Invalid path expression near attempt to access element %zu of %s",
                           lt_val_array_len(&vm->heap, input) - 1,
                           lt_val_cut(&vm->heap, input, text, sizeof(text)));
    if (!strcmp(fn->name, "add") || (!strcmp(fn->name, "flatten") && fn->n_args == 0))
        return refuse_steps(vm, input);
    return LT_FLOW_ON;
}

/* The same of those whose argument comes first. */
struct late_check {
    struct lt_sink sink;
    bool is_flatten;
    struct lt_val input;
};

static bool is_late(const struct lt_fn *fn) {
    return fn->n_args == 1 && (!strcmp(fn->name, "join") || !strcmp(fn->name, "flatten"));
}

static enum lt_flow check_late(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    const struct late_check *check = (const struct late_check *)self;

    (void)path;
    if (check->is_flatten && lt_val_compare(&vm->heap, v, lt_val_int(0)) < 0)
        return lt_vm_raise(vm, "flatten depth must not be negative");
    return refuse_steps(vm, check->input);
}

static enum lt_flow refuse_place(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                 const struct lt_path *path) {
    (void)self, (void)path;
    return refuse_steps(vm, v);
}

enum lt_flow lt_vm_row(struct lt_vm *vm, const struct lt_node *node, struct lt_frame *frame,
                       struct lt_val input, const struct lt_path *path, struct lt_sink *sink) {
    struct lt_val args[MAX_ARGS + 1];
    struct row r = {{take_arg}, node, frame, sink, input, path, args, node->n};

    if (path && is_search(node->builtin)) {
        struct search s = {
            {search_for}, node->builtin->name, lt_fn_find(LT_LIT("indices"), 1), sink, input, path};
        return lt_vm_eval(vm, node->items[0], frame, input, NULL, &s.sink);
    }
    if (path && !lt_vm_is_same(input, path->value)) {
        if (is_late(node->builtin)) {
            struct late_check check = {{check_late}, node->builtin->name[0] == 'f', input};
            return lt_vm_eval(vm, node->items[0], frame, input, NULL, &check.sink);
        }
        enum lt_flow flow = check_steps(vm, node->builtin, input);
        if (flow != LT_FLOW_ON)
            return flow;
    }
    if (path && goes_through_its_own(node->builtin)) {
        struct lt_sink refuse = {refuse_place};
        return lt_vm_row(vm, node, frame, input, NULL, &refuse);
    }
    if (node->builtin->generate)
        return node->builtin->generate(vm, node, frame, input, path, sink);
    return take_args(vm, &r);
}
