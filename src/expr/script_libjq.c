/* SPDX-License-Identifier: Apache-2.0 */
/* A script's values by way of the helper process that holds libjq. */
#include "expr/script_parts.h"

#include "base/error.h"

struct turn {
    struct lt_script *script;
    uint64_t n_done; /* outputs that are printed already */
};

static leat_status take_value(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                              struct leat_error *err) {
    struct turn *turn = ctx;
    struct lt_heap *heap = &turn->script->vm.heap;
    struct lt_val v;

    (void)job, (void)ask;
    if (turn->n_done) {
        turn->n_done--;
        return LEAT_OK;
    }
    struct lt_slice copy = lt_arena_dup(heap->arena, json);
    if (!copy.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "an output does not fit in %zu MiB of memory",
                       heap->arena->max >> 20);
    leat_status status = lt_val_parse(heap, copy, &v, err);
    return status == LEAT_OK ? lt_script_print(turn->script, v, err) : status;
}

static leat_status take_end(void *ctx, size_t job, const struct lt_remote_outcome *outcome,
                            struct leat_error *err) {
    struct lt_script *s = ((struct turn *)ctx)->script;

    (void)job, (void)err;
    if (outcome->end == LT_REMOTE_HALT) {
        s->result->halted = true;
        s->result->halt_code = outcome->code;
        if (s->io->message && outcome->reason.len) {
            s->io->message(s->io->ctx, outcome->reason);
            if (!outcome->is_string)
                s->io->message(s->io->ctx, LT_LIT("\n"));
        }
    } else if (outcome->end != LT_REMOTE_DONE) {
        lt_script_complain(s, lt_val_string(outcome->reason));
    }
    return LEAT_OK;
}

static leat_status give_input(void *ctx, struct lt_slice *json, struct leat_error *err) {
    struct lt_script *s = ((struct turn *)ctx)->script;
    struct lt_val v;
    bool more;
    leat_status status = lt_script_next(s, &v, &more, err);

    *json = lt_slice(NULL, 0);
    if (status == LEAT_OK && more)
        *json = lt_val_json(&s->vm.heap, v);
    return status;
}

static void show_message(void *ctx, struct lt_slice json) {
    struct lt_script *s = ((struct turn *)ctx)->script;

    if (s->io->message)
        s->io->message(s->io->ctx, json);
}

leat_status lt_script_run_libjq(struct lt_script *s, struct lt_val input, uint64_t n_done,
                                struct leat_error *err) {
    struct turn turn = {s, n_done};
    const struct lt_remote_program program = {
        .text = s->opt.text.text, .vars = s->opt.vars, .n_vars = s->opt.n_vars, .for_people = true};
    const struct lt_remote_sink sink = {&turn, take_value, take_end, give_input, show_message};
    leat_status status = LEAT_OK;

    if (s->asked) {
        lt_script_complain(s, lt_val_string(LT_LIT("recursion is too deep, and what it read of its "
                                                   "inputs cannot be read again")));
        return LEAT_OK;
    }
    if (!s->remote) {
        status = lt_remote_new(&s->remote, &program, err);
        if (status != LEAT_OK)
            return status;
        lt_remote_set_limits(s->remote, 0, s->opt.max_bytes);
    }
    s->vm.heap.full = false;
    struct lt_slice doc = lt_val_json(&s->vm.heap, input);
    if (s->vm.heap.full)
        return lt_fail(err, LEAT_E_NOMEM, 0, "an input does not fit in %zu MiB of memory",
                       s->vm.heap.arena->max >> 20);
    const struct lt_remote_ask ask = {0};
    const struct lt_remote_job job = {doc, &ask, 1};
    return lt_remote_run(s->remote, &job, 1, &sink, err);
}
