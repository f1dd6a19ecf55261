/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run over a batch. Per record: validate the bytes, compute the fields, splice their texts into
 * the record's own bytes, then take key and routes, with the fields, until one holds.
 */
#include "expr/expr_parts.h"

#include <stdlib.h>

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
    struct lt_slice none = {NULL, 0};
    struct leat_error why;

    *job->result = (struct lt_expr_result){.outcome = LT_EXPR_OK, .data = job->record};
    if (lt_json_parse(&job->object, job->record, LT_JSON_DEFAULT_DEPTH, &why) != LEAT_OK)
        return lt_expr_end_with(job, LT_EXPR_NOT_JSON, none,
                                lt_expr_keep(job, lt_slice_str(why.text)));
    if (job->object.type == LT_JSON_OBJECT)
        return LT_GOES_ON;
    char *reason = lt_arena_printf(job->arena, "not a JSON object but %s", kinds[job->object.type]);
    return lt_expr_end_with(job, LT_EXPR_NOT_OBJECT, none, lt_slice_str(reason));
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

leat_status lt_expr_run(struct lt_expr *expr, const struct lt_slice *records, size_t n,
                        struct lt_expr_result *results, struct lt_arena *arena,
                        struct leat_error *err) {
    struct parking parking = {.n = 0};
    leat_status status = LEAT_OK;

    for (size_t i = 0; status == LEAT_OK && i < n; i++) {
        struct lt_expr_job job = {
            .expr = expr, .arena = arena, .record = records[i], .result = &results[i]};
        if (validate(&job) == LT_ENDED || job.no_memory)
            status = finish(&job, err);
        else
            parking.jobs[parking.n++] = job;
        if (parking.n == MAX_PARKED)
            status = run_parked(expr, &parking, err);
    }
    return status == LEAT_OK ? run_parked(expr, &parking, err) : status;
}
