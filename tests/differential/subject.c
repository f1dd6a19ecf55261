/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROGRAM_BYTES = 8 << 20, RUN_BYTES = 256 << 20, MAX_STEPS = 50 * 1000 * 1000 };

void lt_subject_init(struct lt_subject *subject, const char *expression) {
    struct leat_error err = {0};
    struct lt_buf bounded;

    *subject = (struct lt_subject){.state = LT_REFUSED};
    lt_arena_init(&subject->program, PROGRAM_BYTES);
    lt_arena_init(&subject->run, RUN_BYTES);
    lt_vm_init(&subject->vm, &subject->run);
    subject->vm.limits.max_steps = MAX_STEPS;
    subject->vm.allow_env = true;
    lt_buf_init(&bounded, 1 << 20);
    lt_oracle_bound(&bounded, expression);
    struct lt_expr_text text = {.name = LT_LIT("test"), .text = lt_buf_slice(&bounded)};
    if (lt_tree_parse(&subject->part, &text, NULL, 0, NULL, 0, &subject->program, &err) !=
        LEAT_OK) {
        snprintf(subject->why, sizeof(subject->why), "%u:%u %s", err.line, err.column, err.text);
    } else if (!subject->part.root) {
        subject->state = LT_LEFT;
        snprintf(subject->why, sizeof(subject->why), "%s", subject->part.why);
    } else if (lt_vm_prepare(&subject->part, &subject->program, &err) == LEAT_OK) {
        subject->state = LT_ANSWERED;
    } else {
        snprintf(subject->why, sizeof(subject->why), "%s", err.text);
    }
    lt_buf_deinit(&bounded);
}

void lt_subject_deinit(struct lt_subject *subject) {
    lt_vm_deinit(&subject->vm);
    lt_arena_deinit(&subject->program);
    lt_arena_deinit(&subject->run);
}

struct writer {
    struct lt_sink sink;
    struct lt_buf *out;
    size_t n;
};

static enum lt_flow write_output(struct lt_vm *vm, struct lt_sink *self, struct lt_val v,
                                 const struct lt_path *path) {
    struct writer *w = (struct writer *)self;

    (void)path;
    lt_buf_append_str(w->out, w->n++ ? ",[" : "[");
    lt_val_write(&vm->heap, w->out, v);
    lt_buf_append_byte(w->out, ']');
    return LT_FLOW_ON;
}

enum lt_answer lt_subject_ask(struct lt_subject *subject, const char *document,
                              struct lt_buf *answer) {
    struct writer w = {{write_output}, answer, 0};
    struct leat_error err;
    struct lt_val input;
    enum lt_flow flow;

    if (subject->state != LT_ANSWERED)
        return subject->state;
    lt_arena_reset(&subject->run);
    subject->vm.heap.full = false;
    if (lt_val_parse(&subject->vm.heap, lt_slice_str(document), &input, &err) != LEAT_OK)
        abort();
    lt_buf_append_byte(answer, '[');
    flow = lt_vm_run(&subject->vm, &subject->part, input, false, &w.sink);
    if (flow == LT_FLOW_BAIL)
        return LT_BAILED;
    if (flow == LT_FLOW_STOP)
        return LT_STOPPED;
    if (flow != LT_FLOW_ON) {
        lt_buf_append_str(answer, w.n ? ",{\"error\":" : "{\"error\":");
        lt_val_write(&subject->vm.heap, answer, subject->vm.error);
        lt_buf_append_byte(answer, '}');
    }
    lt_buf_append_byte(answer, ']');
    return LT_ANSWERED;
}
