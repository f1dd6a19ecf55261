/* SPDX-License-Identifier: Apache-2.0 */
/* One jq text over one JSON value at a time: by the evaluator, or by libjq where it is left to it.
 */
#include "expr/eval.h"

#include "expr/program.h"

enum { MAX_CONFIG_BYTES = 256 << 20 };

static leat_status compile(struct lt_expr_eval *eval, const struct lt_expr_program *program,
                           struct leat_error *err) {
    const struct lt_expr_source source = {.vars = program->vars, .n_vars = program->n_vars};

    leat_status status =
        lt_expr_parse_part(&eval->part, &program->parts[0], &source, &eval->config, err);
    if (status == LEAT_OK && !eval->part.root)
        return lt_expr_program_compile(program, &eval->remote, err);
    if (status == LEAT_OK)
        status = lt_vm_prepare(&eval->part, &eval->config, err);
    if (status == LEAT_OK)
        status = lt_expr_program_keep(program, &eval->remote, err);
    return status;
}

leat_status lt_expr_eval_init(struct lt_expr_eval *eval, const struct lt_expr_text *text,
                              const struct lt_expr_var *vars, size_t n_vars,
                              struct leat_error *err) {
    struct lt_expr_program program = {0};

    *eval = (struct lt_expr_eval){.remote = NULL};
    lt_arena_init(&eval->config, MAX_CONFIG_BYTES);
    lt_buf_init(&eval->text, 2 * LT_EXPR_MAX_RESULT_BYTES);
    leat_status status = lt_machine_init(&eval->machine, vars, n_vars, &eval->config, err);
    if (status == LEAT_OK)
        status = lt_expr_program_init_filter(&program, text, vars, n_vars, err);
    if (status == LEAT_OK)
        status = compile(eval, &program, err);
    lt_expr_program_deinit(&program);
    return status;
}

void lt_expr_eval_deinit(struct lt_expr_eval *eval) {
    lt_remote_free(eval->remote);
    if (eval->machine.vm.heap.arena)
        lt_machine_deinit(&eval->machine);
    lt_arena_deinit(&eval->config);
    lt_buf_deinit(&eval->text);
}

static leat_status fail(leat_status status, const char *what, struct lt_slice reason,
                        struct leat_error *err) {
    struct lt_arena arena;

    lt_arena_init(&arena, 4096);
    reason = lt_expr_one_line(reason, &arena);
    status = lt_fail(err, status, 0, "the expression %s%.*s", what, LT_FMT(reason));
    lt_arena_deinit(&arena);
    return status;
}

/* ---- by libjq ---- */

static leat_status give_text(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                             struct leat_error *err) {
    const struct lt_expr_outputs *outputs = ctx;

    (void)job;
    (void)ask;
    return outputs->add(outputs->ctx, (struct lt_json){lt_json_type_of(*json.data), json}, err);
}

static leat_status take_end(void *ctx, size_t job, const struct lt_remote_outcome *outcome,
                            struct leat_error *err) {
    (void)ctx;
    (void)job;
    if (outcome->end == LT_REMOTE_DONE)
        return LEAT_OK;
    return fail(outcome->end == LT_REMOTE_KILLED ? LEAT_E_LIMIT : LEAT_E_INVALID,
                outcome->end == LT_REMOTE_ERROR ? "failed: " : "", outcome->reason, err);
}

static leat_status run_remote(struct lt_expr_eval *eval, struct lt_json doc,
                              const struct lt_expr_outputs *outputs, struct leat_error *err) {
    const struct lt_remote_ask ask = {.part = 0};
    const struct lt_remote_job job = {doc.raw, &ask, 1};
    const struct lt_remote_sink sink = {
        .ctx = (void *)(uintptr_t)outputs, .value = give_text, .end = take_end};

    return lt_remote_run(eval->remote, &job, 1, &sink, err);
}

/* ---- here ---- */

struct giving {
    struct lt_sink sink;
    struct lt_expr_eval *eval;
    const struct lt_expr_outputs *outputs;
    leat_status status;
    struct leat_error *err;
};

/* The bytes of a value that stands in the document; false when it was computed. */
static bool find_view(const struct lt_expr_eval *eval, struct lt_val v, struct lt_json *view) {
    const struct lt_json_tape *tape = &eval->machine.doc.tape;

    if (v.form != LT_VAL_RAW)
        return false;
    if (v.kind >= LT_VAL_ARRAY) {
        if (v.doc == &eval->machine.doc)
            *view = lt_json_tape_value(tape, v.n);
        return v.doc == &eval->machine.doc;
    }
    size_t quotes = v.kind == LT_VAL_STRING;
    if (v.s < tape->text + quotes || v.s + v.n + quotes > tape->text + tape->len)
        return false;
    *view = (struct lt_json){quotes ? LT_JSON_STRING : LT_JSON_NUMBER,
                             lt_slice(v.s - quotes, v.n + 2 * quotes)};
    return true;
}

static enum lt_flow give_value(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                               const struct lt_path *path) {
    struct giving *g = (struct giving *)self;
    struct lt_expr_eval *eval = g->eval;
    struct lt_json value = {LT_JSON_NULL, {NULL, 0}};

    (void)path;
    if (!g->outputs->views || !find_view(eval, v, &value)) {
        lt_buf_clear(&eval->text);
        const char *fault = lt_machine_write(&eval->machine, &eval->text, v, 0);
        if (fault)
            g->status = fail(LEAT_E_INVALID, "", lt_slice_str(fault), g->err);
        value.raw = lt_buf_slice(&eval->text);
        if (!fault)
            value.type = lt_json_type_of(*value.raw.data);
    }
    if (g->status == LEAT_OK)
        g->status = g->outputs->add(g->outputs->ctx, value, g->err);
    if (g->status == LEAT_OK)
        return LT_FLOW_ON;
    vm->label = UINT64_MAX; /* no label of the program */
    return LT_FLOW_BREAK;
}

leat_status lt_expr_eval_run(struct lt_expr_eval *eval, struct lt_json doc,
                             const struct lt_expr_outputs *outputs, struct leat_error *err) {
    struct giving g = {.sink = {.emit = give_value}, .eval = eval, .outputs = outputs, .err = err};
    struct lt_machine *machine = &eval->machine;

    if (!eval->part.root)
        return run_remote(eval, doc, outputs, err);
    lt_machine_begin(machine);
    leat_status status = lt_machine_read(machine, doc.raw, LT_JSON_MAX_DEPTH, err);
    if (status != LEAT_OK)
        return status;
    enum lt_flow flow =
        lt_vm_run(&machine->vm, &eval->part, lt_val_of_doc(&machine->doc), false, &g.sink);
    if (flow == LT_FLOW_BAIL) {
        outputs->clear(outputs->ctx);
        return run_remote(eval, doc, outputs, err);
    }
    if (g.status != LEAT_OK)
        return g.status;
    if (flow == LT_FLOW_STOP)
        return fail(LEAT_E_LIMIT, "", lt_machine_reason(machine, flow), err);
    if (flow == LT_FLOW_ERROR && machine->vm.error.kind != LT_VAL_NULL)
        return fail(LEAT_E_INVALID, "failed: ", lt_machine_reason(machine, flow), err);
    return LEAT_OK;
}
