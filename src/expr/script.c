/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a run is one arena, emptied before each input; an input's value looks into the
 * feed's own bytes, but where the text may ask for further inputs, which move those bytes: it is
 * then copied.
 */
#include "expr/script_parts.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES = 64 << 20, WRITE_BYTES = 1 << 16, MAX_OUT_BYTES = 1 << 30 };

/* --- outputs ---------------------------------------------------------------------------- */

leat_status lt_script_flush(struct lt_script *s, struct leat_error *err) {
    leat_status status = LEAT_OK;

    if (s->out.len)
        status = s->io->write(s->io->ctx, lt_buf_slice(&s->out), err);
    lt_buf_clear(&s->out);
    return status;
}

leat_status lt_script_print(struct lt_script *s, struct lt_val v, struct leat_error *err) {
    const struct lt_script_options *opt = &s->opt;

    s->result->n_outputs++;
    s->result->last_is_true = lt_val_is_true(v);
    if (v.kind == LT_VAL_STRING && (opt->raw_output || opt->join) && !opt->style.ascii)
        lt_buf_append(&s->out, lt_val_bytes(&s->vm.heap, v));
    else if (s->styled)
        lt_val_write_styled(&s->vm.heap, &s->out, v, &opt->style);
    else
        lt_val_write(&s->vm.heap, &s->out, v);
    if (!opt->join)
        lt_buf_append_byte(&s->out, '\n');
    if (s->out.failed || s->vm.heap.full)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to print an output");
    return s->out.len < WRITE_BYTES ? LEAT_OK : lt_script_flush(s, err);
}

static enum lt_flow on_output(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                              const struct lt_path *path) {
    struct lt_script *s = ((struct lt_script_sink *)self)->script;

    (void)path;
    s->status = lt_script_print(s, v, &s->err);
    if (s->status == LEAT_OK)
        return LT_FLOW_ON;
    vm->why = "cannot print";
    return LT_FLOW_STOP;
}

/* --- inputs ----------------------------------------------------------------------------- */

static leat_status read_bytes(void *ctx, char *to, size_t room, size_t *n, struct leat_error *err) {
    struct lt_script *s = ctx;
    leat_status status = LEAT_OK;

    if (s->prompt)
        status = lt_script_flush(s, err);
    return status == LEAT_OK ? s->io->read(s->io->ctx, to, room, n, err) : status;
}

/* The next file; `*more` is false when there is none. */
static leat_status open_next(struct lt_script *s, bool *more, struct leat_error *err) {
    const char *name = NULL;
    leat_status status = s->io->next(s->io->ctx, more, &name, err);

    s->opened = status == LEAT_OK && *more;
    s->vm.filename = name ? lt_slice_str(name) : lt_slice(NULL, 0);
    s->feed.at = s->feed.end = 0;
    s->feed.line = 1;
    s->feed.ended = false;
    s->feed.misses = 0;
    return status;
}

static leat_status next_line(struct lt_script *s, struct lt_val *out, bool *more,
                             struct leat_error *err) {
    struct lt_slice line;
    leat_status status = lt_json_feed_line(&s->feed, &line, more, err);

    if (status == LEAT_OK && *more)
        *out = lt_val_copy_string(&s->vm.heap, line);
    return status;
}

static leat_status next_json(struct lt_script *s, struct lt_val *out, bool *more,
                             struct leat_error *err) {
    leat_status status = lt_json_feed_next(&s->feed, &s->doc.tape, more, err);

    if (status != LEAT_OK || !*more)
        return status;
    if (!s->copies) {
        s->doc.listed = NULL;
        *out = lt_val_of_doc(&s->doc);
        return LEAT_OK;
    }
    struct lt_slice copy =
        lt_arena_dup(s->vm.heap.arena, lt_slice(s->doc.tape.text, s->doc.tape.len));
    if (!copy.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "the inputs do not fit in %zu MiB of memory",
                       s->vm.heap.arena->max >> 20);
    return lt_val_parse(&s->vm.heap, copy, out, err);
}

leat_status lt_script_next(struct lt_script *s, struct lt_val *out, bool *more,
                           struct leat_error *err) {
    leat_status status = LEAT_OK;

    for (;;) {
        *more = true;
        if (!s->opened)
            status = open_next(s, more, err);
        if (status != LEAT_OK || !*more)
            return status;
        s->value_line = s->feed.line;
        status = s->opt.raw_input ? next_line(s, out, more, err) : next_json(s, out, more, err);
        if (status == LEAT_OK && s->vm.heap.full)
            status = lt_fail(err, LEAT_E_NOMEM, 0, "the inputs do not fit in %zu MiB of memory",
                             s->vm.heap.arena->max >> 20);
        if (status != LEAT_OK || *more)
            return status;
        s->opened = false;
    }
}

static enum lt_flow on_input(struct lt_vm *vm, void *ctx, struct lt_val *out) {
    struct lt_script *s = ctx;
    bool more;

    s->status = lt_script_next(s, out, &more, &s->err);
    if (s->status != LEAT_OK) {
        vm->why = "cannot read";
        return LT_FLOW_STOP;
    }
    s->asked = true;
    return more ? LT_FLOW_ON : lt_vm_raise(vm, "No more inputs");
}

/* All inputs as one: a string, or an array. */
static leat_status slurp(struct lt_script *s, struct lt_val *out, struct leat_error *err) {
    leat_status status = LEAT_OK;
    bool more = true;

    *out = s->opt.raw_input ? lt_val_string(lt_slice("", 0)) : lt_val_array(&s->vm.heap, 16);
    while (status == LEAT_OK) {
        struct lt_val v;
        struct lt_slice rest;
        if (!s->opt.raw_input) {
            status = lt_script_next(s, &v, &more, err);
            if (status != LEAT_OK || !more)
                return status;
            *out = lt_val_array_append(&s->vm.heap, *out, v);
        } else {
            status = open_next(s, &more, err);
            if (status != LEAT_OK || !more)
                return status;
            status = lt_json_feed_rest(&s->feed, &rest, err);
            if (status == LEAT_OK)
                *out = lt_val_concat(&s->vm.heap, *out, lt_val_copy_string(&s->vm.heap, rest));
        }
        if (status == LEAT_OK && s->vm.heap.full)
            status = lt_fail(err, LEAT_E_NOMEM, 0, "the inputs do not fit in %zu MiB of memory",
                             s->vm.heap.arena->max >> 20);
    }
    return status;
}

/* --- runs ------------------------------------------------------------------------------- */

void lt_script_complain(struct lt_script *s, struct lt_val error) {
    s->result->n_failed++;
    struct lt_slice text = error.kind == LT_VAL_STRING ? lt_val_bytes(&s->vm.heap, error)
                                                       : lt_val_json(&s->vm.heap, error);
    s->io->complain(s->io->ctx, s->opt.null_input ? 0 : s->value_line, text);
}

static leat_status run_value(struct lt_script *s, struct lt_val input, struct leat_error *err) {
    struct lt_script_sink sink = {{on_output}, s};
    uint64_t before = s->result->n_outputs;

    s->status = LEAT_OK;
    s->asked = false;
    switch (lt_vm_run(&s->vm, &s->part, input, false, &sink.sink)) {
    case LT_FLOW_ON:
        return LEAT_OK;
    case LT_FLOW_ERROR:
        lt_script_complain(s, s->vm.error);
        return LEAT_OK;
    case LT_FLOW_BREAK:
        lt_script_complain(s, lt_val_string(LT_LIT("break")));
        return LEAT_OK;
    case LT_FLOW_STOP:
        if (s->status == LEAT_OK) {
            s->vm.heap.full = false;
            lt_script_complain(s, lt_val_string(lt_slice_str(s->vm.why)));
        } else if (err) {
            *err = s->err;
        }
        return s->status;
    case LT_FLOW_BAIL:
        break;
    }
    return lt_script_run_libjq(s, input, s->result->n_outputs - before, err);
}

static leat_status run_inputs(struct lt_script *s, struct leat_error *err) {
    leat_status status = LEAT_OK;
    bool more = true;

    while (status == LEAT_OK && !s->result->halted) {
        struct lt_val v = lt_val_null();
        lt_arena_reset(s->vm.heap.arena);
        s->vm.heap.full = false;
        if (s->opt.slurp && !s->opt.null_input)
            status = slurp(s, &v, err);
        else if (!s->opt.null_input)
            status = lt_script_next(s, &v, &more, err);
        if (status != LEAT_OK || !more)
            return status;
        status = s->part.root ? run_value(s, v, err) : lt_script_run_libjq(s, v, 0, err);
        if (s->opt.slurp || s->opt.null_input)
            return status;
    }
    return status;
}

leat_status lt_script_run(struct lt_script *s, const struct lt_script_io *io,
                          struct lt_script_result *result, struct leat_error *err) {
    struct leat_error late;

    *result = (struct lt_script_result){0};
    s->io = io;
    s->result = result;
    s->prompt = true;
    s->opened = false;
    s->vm.message = io->message;
    s->vm.message_ctx = io->ctx;
    leat_status status = run_inputs(s, err);
    leat_status flushed = lt_script_flush(s, &late);
    if (status == LEAT_OK && flushed != LEAT_OK) {
        if (err)
            *err = late;
        status = flushed;
    }
    return status;
}

/* --- opening ---------------------------------------------------------------------------- */

static leat_status read_globals(struct lt_script *s, struct leat_error *err) {
    struct lt_heap heap = {.arena = &s->config};
    struct lt_val *globals = lt_arena_calloc(&s->config, s->opt.n_vars + 1, sizeof(*globals));

    if (!globals)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for variables");
    for (size_t i = 0; i < s->opt.n_vars; i++) {
        leat_status status = lt_val_parse(&heap, s->opt.vars[i].json, &globals[i], err);
        if (status != LEAT_OK)
            return lt_error_prefix(err, "$%s", s->opt.vars[i].name);
        globals[i] = lt_val_freeze(&heap, globals[i]); /* runs have other memory */
    }
    if (heap.full)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for variables");
    s->vm.globals = globals;
    return LEAT_OK;
}

static leat_status open_script(struct lt_script *s, struct leat_error *err) {
    const struct lt_script_options *opt = &s->opt;
    leat_status status =
        lt_tree_parse(&s->part, &opt->text, NULL, 0, opt->vars, opt->n_vars, &s->config, err);

    if (status == LEAT_OK)
        status = read_globals(s, err);
    if (status == LEAT_OK && s->part.root)
        status = lt_vm_prepare(&s->part, &s->config, err);
    if (status != LEAT_OK)
        return status;
    const char *text = opt->text.text.data;
    s->copies = opt->slurp || (text && memmem(text, opt->text.text.len, "input", 5));
    s->styled = opt->style.indent || opt->style.tab || opt->style.sort_keys || opt->style.ascii ||
                opt->style.color;
    s->vm.allow_env = true;
    s->vm.next_input = on_input;
    s->vm.input_ctx = s;
    return LEAT_OK;
}

leat_status lt_script_new(struct lt_script **out, const struct lt_script_options *opt,
                          struct leat_error *err) {
    struct lt_script *s = calloc(1, sizeof(*s));

    *out = NULL;
    if (!s)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a script");
    s->opt = *opt;
    lt_arena_init(&s->config, CONFIG_BYTES);
    lt_arena_init(&s->memory, opt->max_bytes);
    lt_buf_init(&s->out, MAX_OUT_BYTES);
    lt_json_feed_init(&s->feed, read_bytes, s, opt->max_value_bytes);
    lt_vm_init(&s->vm, &s->memory);
    leat_status status = open_script(s, err);
    if (status == LEAT_OK)
        *out = s;
    else
        lt_script_free(s);
    return status;
}

void lt_script_free(struct lt_script *s) {
    if (!s)
        return;
    lt_remote_free(s->remote);
    lt_vm_deinit(&s->vm);
    lt_json_feed_deinit(&s->feed);
    lt_json_tape_deinit(&s->doc.tape);
    lt_buf_deinit(&s->out);
    lt_arena_deinit(&s->memory);
    lt_arena_deinit(&s->config);
    free(s);
}

const char *lt_script_why_libjq(const struct lt_script *s) {
    return s->part.root ? NULL : s->part.why;
}
