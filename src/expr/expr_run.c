/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run over a batch. Per record: validate the bytes, compute the fields, splice their texts into
 * the record's own bytes, then take key and routes, with the fields, until one holds. A record for
 * which libjq has to be asked is parked, and done together with others.
 */
#include "expr/expr_parts.h"

enum { MAX_PARKED = 128 };

struct lt_slice lt_expr_keep(struct lt_expr_job *job, struct lt_slice text) {
    struct lt_slice kept = lt_arena_dup(job->arena, text);
    job->no_memory |= !kept.data;
    return kept;
}

enum lt_going lt_expr_end_with(struct lt_expr_job *job, enum lt_expr_outcome outcome,
                               struct lt_slice label, struct lt_slice reason) {
    job->result->outcome = outcome;
    if (label.data)
        job->result->expression = lt_expr_keep(job, label);
    job->result->reason = reason;
    job->no_memory |= !reason.data;
    return LT_ENDED;
}

enum lt_going lt_expr_fail_with(struct lt_expr_job *job, struct lt_slice label,
                                const char *reason) {
    return lt_expr_end_with(job, LT_EXPR_FAILED, label, lt_expr_keep(job, lt_slice_str(reason)));
}

enum lt_going lt_expr_splice(struct lt_expr_job *job) {
    struct lt_expr *expr = job->expr;
    struct lt_slice raw = job->object.raw;
    size_t before = (size_t)(raw.data - job->record.data);

    lt_buf_clear(&expr->spliced);
    lt_buf_append(&expr->spliced, lt_slice(job->record.data, before));
    lt_json_splice(job->object, expr->fields, expr->n_sets, &expr->spliced);
    lt_buf_append(&expr->spliced, lt_slice_from(job->record, before + raw.len));
    if (expr->spliced.failed)
        return lt_expr_fail_with(job, LT_LIT("set"), "the record with its fields is too large");
    job->result->data = lt_expr_keep(job, lt_buf_slice(&expr->spliced));
    return LT_GOES_ON;
}

/* Ends what is no object. */
static enum lt_going validate(struct lt_expr_job *job) {
    static const char *const kinds[] = {"null",     "false",    "true",     "a number",
                                        "a string", "an array", "an object"};
    struct lt_machine *machine = &job->expr->machine;
    struct lt_slice none = {NULL, 0};
    struct leat_error why;

    lt_machine_begin(machine);
    if (lt_machine_read(machine, job->record, LT_JSON_DEFAULT_DEPTH, &why) != LEAT_OK)
        return lt_expr_end_with(job, LT_EXPR_NOT_JSON, none,
                                lt_expr_keep(job, lt_slice_str(why.text)));
    job->object = lt_json_tape_value(&machine->doc.tape, 0);
    if (job->object.type == LT_JSON_OBJECT)
        return LT_GOES_ON;
    char *reason = lt_arena_printf(job->arena, "not a JSON object but %s", kinds[job->object.type]);
    return lt_expr_end_with(job, LT_EXPR_NOT_OBJECT, none, lt_slice_str(reason));
}

/* Not PARKED: the piece's first values. */
static enum lt_going take(struct lt_expr_job *job, const struct lt_piece *piece,
                          struct lt_val input, unsigned max, struct lt_val *first, unsigned *n) {
    struct lt_machine *machine = &job->expr->machine;

    if (piece->constant && piece->answer.kind == LT_ANSWER_FAILED)
        return lt_expr_end_with(job, LT_EXPR_FAILED, piece->label,
                                lt_expr_keep(job, piece->answer.text));
    if (piece->constant) {
        *first = piece->value;
        *n = piece->answer.n;
        return LT_GOES_ON;
    }
    enum lt_flow flow = lt_machine_take(machine, &piece->part, input, max, first, n);
    if (flow == LT_FLOW_ON)
        return LT_GOES_ON;
    if (flow == LT_FLOW_BAIL)
        return LT_PARKED;
    struct lt_slice reason = lt_machine_reason(machine, flow);
    return lt_expr_end_with(job, LT_EXPR_FAILED, piece->label,
                            lt_expr_one_line(reason, job->arena));
}

/* The fields' values, and the record as key and conditions see it. */
static enum lt_going run_sets(struct lt_expr_job *job, struct lt_val *record) {
    struct lt_expr *expr = job->expr;
    struct lt_heap *heap = &expr->machine.vm.heap;
    struct lt_val input = *record, value;
    unsigned n;

    lt_buf_clear(&expr->values);
    for (size_t i = 0; i < expr->n_sets; i++) {
        const struct lt_piece *set = &expr->sets[i];
        enum lt_going going = take(job, set, input, 2, &value, &n);
        if (going != LT_GOES_ON)
            return going;
        if (n != 1)
            return lt_expr_fail_with(job, set->label,
                                     n ? "gave more than one value" : "gave no value");
        size_t start = expr->values.len;
        const char *fault = lt_machine_write(&expr->machine, &expr->values, value, 1);
        if (fault)
            return lt_expr_fail_with(job, set->label, fault);
        expr->fields[i].value.len = expr->values.len - start;
        if (!expr->second_is_apart)
            *record = lt_val_object_set(heap, *record, lt_val_string(expr->fields[i].name), value);
    }
    const char *at = expr->values.data;
    for (size_t i = 0; i < expr->n_sets; i++) {
        expr->fields[i].value.data = at;
        at += expr->fields[i].value.len;
    }
    return expr->n_sets ? lt_expr_splice(job) : LT_GOES_ON;
}

static enum lt_going run_key(struct lt_expr_job *job, struct lt_val record) {
    struct lt_expr *expr = job->expr;
    struct lt_heap *heap = &expr->machine.vm.heap;
    struct lt_val value;
    unsigned n;

    enum lt_going going = take(job, &expr->key, record, 2, &value, &n);
    if (going != LT_GOES_ON)
        return going;
    if (n > 1)
        return lt_expr_fail_with(job, expr->key.label, "gave more than one value");
    if (n == 0 || value.kind == LT_VAL_NULL)
        return LT_GOES_ON;
    if (value.kind == LT_VAL_STRING) {
        job->result->key = lt_expr_keep(job, lt_val_bytes(heap, value));
        return LT_GOES_ON;
    }
    lt_buf_clear(&expr->values);
    const char *fault = lt_machine_write(&expr->machine, &expr->values, value, 1);
    if (fault)
        return lt_expr_fail_with(job, expr->key.label, fault);
    job->result->key = lt_expr_keep(job, lt_buf_slice(&expr->values));
    return LT_GOES_ON;
}

static enum lt_going run_routes(struct lt_expr_job *job, struct lt_val record) {
    struct lt_expr *expr = job->expr;
    struct lt_val value = lt_val_null();
    unsigned n = 0;

    for (size_t i = 0; i < expr->n_routes; i++) {
        bool always = !expr->routes[i].label.data;
        enum lt_going going =
            always ? LT_GOES_ON : take(job, &expr->routes[i], record, 1, &value, &n);
        if (going != LT_GOES_ON)
            return going;
        if (always || (n && lt_val_is_true(value))) {
            job->result->route = i;
            return LT_GOES_ON;
        }
    }
    if (!expr->n_routes)
        return LT_GOES_ON;
    return lt_expr_end_with(job, LT_EXPR_NO_ROUTE, lt_slice(NULL, 0),
                            lt_expr_keep(job, LT_LIT("no route's condition holds")));
}

static enum lt_going run_record(struct lt_expr_job *job) {
    struct lt_expr *expr = job->expr;

    *job->result = (struct lt_expr_result){.outcome = LT_EXPR_OK, .data = job->record};
    if (expr->fuse && lt_fuse_run(expr->fuse, job->record, job->result, job->arena))
        return LT_ENDED;
    *job->result = (struct lt_expr_result){.outcome = LT_EXPR_OK, .data = job->record};
    if (validate(job) == LT_ENDED)
        return LT_ENDED;
    if (expr->needs_libjq)
        return LT_PARKED;
    struct lt_val record = lt_val_of_doc(&expr->machine.doc);
    enum lt_going going = run_sets(job, &record);
    if (going == LT_GOES_ON && expr->key.label.data)
        going = run_key(job, record);
    return going == LT_GOES_ON ? run_routes(job, record) : going;
}

static leat_status finish(struct lt_expr_job *job, struct leat_error *err) {
    if (job->no_memory)
        return lt_fail(err, LEAT_E_NOMEM, 0,
                       "the results of a batch do not fit in its %zu bytes of memory",
                       job->arena->max);
    if (job->result->outcome != LT_EXPR_OK) {
        job->result->data = lt_slice(NULL, 0);
        job->result->key = lt_slice(NULL, 0);
    }
    return LEAT_OK;
}

struct parking {
    struct lt_expr_job jobs[MAX_PARKED];
    size_t n;
};

static leat_status run_parked(struct lt_expr *expr, struct parking *parking,
                              struct leat_error *err) {
    leat_status status =
        parking->n ? lt_expr_run_parked(expr, parking->jobs, parking->n, err) : LEAT_OK;

    for (size_t i = 0; status == LEAT_OK && i < parking->n; i++)
        status = finish(&parking->jobs[i], err);
    parking->n = 0;
    return status;
}

/* Records are read from front to back, once: the bytes of the next one are asked for while this one
 * is at work. As many for each record: how often a loop runs that has nothing to foresee costs more
 * than bytes that are asked for in vain. */
static void expect(struct lt_slice record) {
    enum { LINE = 64, LINES = 12 };

    for (uintptr_t i = 0; i < LINES; i++)
        __builtin_prefetch((const char *)((uintptr_t)record.data + i * LINE));
}

leat_status lt_expr_run(struct lt_expr *expr, const struct lt_slice *records, size_t n,
                        struct lt_expr_result *results, struct lt_arena *arena,
                        struct leat_error *err) {
    struct parking parking = {.n = 0};
    leat_status status = LEAT_OK;

    for (size_t i = 0; status == LEAT_OK && i < n; i++) {
        struct lt_expr_job job = {
            .expr = expr, .arena = arena, .record = records[i], .result = &results[i]};
        if (i + 1 < n)
            expect(records[i + 1]);
        if (run_record(&job) != LT_PARKED || job.no_memory) {
            status = finish(&job, err);
            continue;
        }
        *job.result = (struct lt_expr_result){.outcome = LT_EXPR_OK, .data = job.record};
        parking.jobs[parking.n++] = job;
        if (parking.n == MAX_PARKED)
            status = run_parked(expr, &parking, err);
    }
    return status == LEAT_OK ? run_parked(expr, &parking, err) : status;
}
