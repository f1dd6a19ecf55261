/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled pipeline and its run over a batch. Per record: validate the bytes, let
 * jq compute the fields one by one, splice their texts into the record's own bytes, hand
 * jq the record with the fields, and take key and routes until one holds. Outputs
 * are taken one at a time, so nothing is computed behind the first failure or match.
 */
#include "expr/expr.h"

#include "expr/guard.h"
#include "expr/program.h"
#include "expr/value.h"

#include <stdlib.h>

enum { MAX_CONFIG_BYTES = 16 << 20 };

struct lt_expr {
    jq_state *jq; /* NULL when there is nothing to compute */
    struct lt_guard guard;
    struct lt_arena config; /* owns what follows */
    struct lt_slice *set_names;
    struct lt_slice *set_labels;
    struct lt_slice *route_labels; /* `data` NULL: the route has no condition */
    size_t n_sets;
    size_t n_routes;
    bool has_key;
    bool has_second; /* a key or a condition: jq sees the record with its fields */

    /* of the record at work */
    jv input; /* for the program's second half */
    struct lt_buf values;
    struct lt_buf spliced;
    struct lt_json_field *fields;
};

/* One record at work. */
struct job {
    struct lt_expr *expr;
    struct lt_arena *arena;
    struct lt_slice record;
    struct lt_json object;
    struct lt_expr_result *result;
    bool no_memory; /* in the arena */
};

/* Whether the work on a record goes on. */
enum going { ON, ENDED };

static struct lt_slice keep(struct job *job, struct lt_slice text) {
    struct lt_slice kept = lt_arena_dup(job->arena, text);
    job->no_memory |= !kept.data;
    return kept;
}

static enum going end_with(struct job *job, enum lt_expr_outcome outcome, struct lt_slice label,
                           struct lt_slice reason) {
    job->result->outcome = outcome;
    if (label.data)
        job->result->expression = keep(job, label);
    job->result->reason = reason;
    job->no_memory |= !reason.data;
    return ENDED;
}

static enum going fail(struct job *job, struct lt_slice label, const char *reason) {
    return end_with(job, LT_EXPR_FAILED, label, keep(job, lt_slice_str(reason)));
}

static jv give_input(jq_state *jq, void *data) {
    struct lt_expr *expr = data;
    jv input = expr->input;

    (void)jq;
    expr->input = lt_jq.invalid();
    return input;
}

/* The next expression's first values, one or two or none. On ON the caller owns the array. */
static enum going take_values(struct job *job, struct lt_slice label, jv *values) {
    struct lt_expr *expr = job->expr;
    char text[64];

    *values = lt_jq.next(expr->jq);
    jv_kind kind = lt_jq.get_kind(*values);
    if (kind == JV_KIND_ARRAY)
        return ON;
    if (kind == JV_KIND_OBJECT) {
        jv message = lt_jq.object_get(*values, lt_jq.string("e"));
        return end_with(job, LT_EXPR_FAILED, label, lt_expr_message(message, job->arena));
    }
    if (lt_jq.halted(expr->jq)) {
        lt_jq.free(*values);
        lt_guard_explain(&expr->guard, lt_guard_end(&expr->guard), text);
        return fail(job, label, text);
    }
    jv message = lt_jq.invalid_get_msg(*values);
    if (lt_jq.get_kind(message) == JV_KIND_STRING)
        return end_with(job, LT_EXPR_FAILED, label, lt_expr_message(message, job->arena));
    lt_jq.free(message);
    return fail(job, label, "gave no value");
}

/* As take_values() for what must be one value. */
static enum going take_one(struct job *job, struct lt_slice label, jv *value) {
    jv values;

    if (take_values(job, label, &values) == ENDED)
        return ENDED;
    int n = lt_jq.array_length(lt_jq.copy(values));
    *value = lt_jq.array_get(values, 0);
    if (n == 1)
        return ON;
    lt_jq.free(*value);
    return fail(job, label, n ? "gave more than one value" : "gave no value");
}

/* Computes the sets; their texts lie one after another in `values`. */
static enum going run_sets(struct job *job) {
    struct lt_expr *expr = job->expr;

    lt_buf_clear(&expr->values);
    for (size_t i = 0; i < expr->n_sets; i++) {
        jv value;
        if (take_one(job, expr->set_labels[i], &value) == ENDED)
            return ENDED;
        size_t start = expr->values.len;
        const char *fault = lt_expr_write_value(&expr->values, value);
        if (fault) {
            lt_jq.free(value);
            return fail(job, expr->set_labels[i], fault);
        }
        expr->fields[i].value.len = expr->values.len - start;
        if (!expr->has_second) {
            lt_jq.free(value);
            continue;
        }
        struct lt_slice name = expr->set_names[i];
        expr->input =
            lt_jq.object_set(expr->input, lt_jq.string_sized(name.data, (int)name.len), value);
    }
    return ON;
}

static enum going splice_record(struct job *job) {
    struct lt_expr *expr = job->expr;
    struct lt_slice raw = job->object.raw;
    const char *at = expr->values.data;

    for (size_t i = 0; i < expr->n_sets; i++) {
        expr->fields[i].value.data = at;
        at += expr->fields[i].value.len;
    }
    size_t before = (size_t)(raw.data - job->record.data);
    lt_buf_clear(&expr->spliced);
    lt_buf_append(&expr->spliced, lt_slice(job->record.data, before));
    lt_json_splice(job->object, expr->fields, expr->n_sets, &expr->spliced);
    lt_buf_append(&expr->spliced, lt_slice_from(job->record, before + raw.len));
    if (expr->spliced.failed)
        return fail(job, LT_LIT("set"), "the record with its fields is too large");
    job->result->data = keep(job, lt_buf_slice(&expr->spliced));
    return ON;
}

static enum going run_key(struct job *job) {
    static const struct lt_slice label = {"key", 3};
    struct lt_expr *expr = job->expr;
    const char *fault = NULL;
    jv values;

    if (take_values(job, label, &values) == ENDED)
        return ENDED;
    int n = lt_jq.array_length(lt_jq.copy(values));
    jv value = lt_jq.array_get(values, 0);
    jv_kind kind = lt_jq.get_kind(value);
    if (n > 1) {
        fault = "gave more than one value";
    } else if (kind == JV_KIND_STRING) {
        job->result->key = keep(job, lt_expr_string(value));
    } else if (n == 1 && kind != JV_KIND_NULL) {
        lt_buf_clear(&expr->values);
        fault = lt_expr_write_value(&expr->values, value);
        if (!fault)
            job->result->key = keep(job, lt_buf_slice(&expr->values));
    }
    lt_jq.free(value);
    return fault ? fail(job, label, fault) : ON;
}

static bool is_true(jv_kind kind) {
    return kind != JV_KIND_INVALID && kind != JV_KIND_NULL && kind != JV_KIND_FALSE;
}

static enum going run_routes(struct job *job) {
    struct lt_expr *expr = job->expr;

    for (size_t i = 0; i < expr->n_routes; i++) {
        bool holds = !expr->route_labels[i].data;
        if (!holds) {
            jv values;
            if (take_values(job, expr->route_labels[i], &values) == ENDED)
                return ENDED;
            jv first = lt_jq.array_get(values, 0); /* invalid where there is none */
            holds = is_true(lt_jq.get_kind(first));
            lt_jq.free(first);
        }
        if (holds) {
            job->result->route = i;
            return ON;
        }
    }
    if (!expr->n_routes)
        return ON;
    return end_with(job, LT_EXPR_NO_ROUTE, lt_slice(NULL, 0),
                    keep(job, LT_LIT("no route's condition holds")));
}

static void run_program(struct job *job) {
    struct lt_expr *expr = job->expr;

    if (!expr->jq) {
        run_routes(job);
        return;
    }
    jv record = lt_expr_read_value(job->object);
    if (lt_jq.get_kind(record) == JV_KIND_INVALID) {
        lt_jq.free(record);
        end_with(job, LT_EXPR_NOT_JSON, lt_slice(NULL, 0), keep(job, LT_LIT("longer than 2 GiB")));
        return;
    }
    if (expr->has_second && expr->n_sets)
        expr->input = lt_jq.copy(record);
    lt_guard_begin(&expr->guard);
    lt_jq.start(expr->jq, record, 0);
    if (run_sets(job) == ON && (!expr->n_sets || splice_record(job) == ON) &&
        (!expr->has_key || run_key(job) == ON))
        run_routes(job);
    lt_guard_end(&expr->guard);
    lt_jq.free(expr->input);
    expr->input = lt_jq.invalid();
}

static leat_status run_record(struct lt_expr *expr, struct lt_slice record,
                              struct lt_expr_result *result, struct lt_arena *arena,
                              struct leat_error *err) {
    static const char *const kinds[] = {"null",     "false",    "true",     "a number",
                                        "a string", "an array", "an object"};
    struct job job = {.expr = expr, .arena = arena, .record = record, .result = result};
    struct lt_slice none = {NULL, 0};
    struct leat_error why;

    *result = (struct lt_expr_result){.outcome = LT_EXPR_OK, .data = record};
    if (lt_json_parse(&job.object, record, LT_JSON_DEFAULT_DEPTH, &why) != LEAT_OK) {
        end_with(&job, LT_EXPR_NOT_JSON, none, keep(&job, lt_slice_str(why.text)));
    } else if (job.object.type != LT_JSON_OBJECT) {
        char *reason = lt_arena_printf(arena, "not a JSON object but %s", kinds[job.object.type]);
        end_with(&job, LT_EXPR_NOT_OBJECT, none, lt_slice_str(reason));
    } else {
        run_program(&job);
    }
    if (job.no_memory)
        return lt_fail(err, LEAT_E_NOMEM, 0,
                       "the results of a batch do not fit in its %zu bytes of memory", arena->max);
    if (result->outcome != LT_EXPR_OK) {
        result->data = none;
        result->key = none;
    }
    return LEAT_OK;
}

leat_status lt_expr_run(struct lt_expr *expr, const struct lt_slice *records, size_t n,
                        struct lt_expr_result *results, struct lt_arena *arena,
                        struct leat_error *err) {
    leat_status status = LEAT_OK;

    if (expr->jq)
        status = lt_guard_enter(&expr->guard, err);
    if (status != LEAT_OK)
        return status;
    for (size_t i = 0; status == LEAT_OK && i < n; i++)
        status = run_record(expr, records[i], &results[i], arena, err);
    if (expr->jq)
        lt_guard_leave(&expr->guard);
    return status;
}

void lt_expr_set_limits(struct lt_expr *expr, int64_t max_ms, size_t max_bytes) {
    if (expr->jq)
        lt_guard_set_limits(&expr->guard, max_ms, max_bytes);
}

static leat_status keep_names(struct lt_expr *expr, const struct lt_expr_source *src,
                              struct leat_error *err) {
    struct lt_arena *a = &expr->config;
    char label[LT_EXPR_LABEL_BYTES];

    expr->n_sets = src->n_sets;
    expr->n_routes = src->n_routes;
    expr->has_key = expr->has_second = src->key != NULL;
    expr->set_names = lt_arena_calloc(a, src->n_sets, sizeof(*expr->set_names));
    expr->set_labels = lt_arena_calloc(a, src->n_sets, sizeof(*expr->set_labels));
    expr->route_labels = lt_arena_calloc(a, src->n_routes, sizeof(*expr->route_labels));
    expr->fields = lt_arena_calloc(a, src->n_sets, sizeof(*expr->fields));
    if (!expr->set_names || !expr->set_labels || !expr->route_labels || !expr->fields)
        goto no_memory;
    for (size_t i = 0; i < src->n_sets; i++) {
        struct lt_slice name = src->sets[i].name;
        expr->set_names[i] = lt_arena_dup(a, name);
        lt_expr_label(LT_EXPR_SET, i, name, label);
        expr->set_labels[i] = lt_arena_dup(a, lt_slice_str(label));
        if (!expr->set_names[i].data || !expr->set_labels[i].data)
            goto no_memory;
        expr->fields[i].name = expr->set_names[i];
    }
    for (size_t i = 0; i < src->n_routes; i++) {
        if (!src->routes[i].text.data)
            continue;
        expr->has_second = true;
        lt_expr_label(LT_EXPR_ROUTE, i, src->routes[i].name, label);
        expr->route_labels[i] = lt_arena_dup(a, lt_slice_str(label));
        if (!expr->route_labels[i].data)
            goto no_memory;
    }
    return LEAT_OK;

no_memory:
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the names of a pipeline's expressions");
}

leat_status lt_expr_compile(struct lt_expr **out, const struct lt_expr_source *src,
                            struct leat_error *err) {
    struct lt_expr_program program = {0};
    leat_status status;
    struct lt_expr *expr = calloc(1, sizeof(*expr));

    *out = NULL;
    if (!expr)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's expressions");
    lt_arena_init(&expr->config, MAX_CONFIG_BYTES);
    lt_buf_init(&expr->values, LT_EXPR_MAX_RESULT_BYTES);
    lt_buf_init(&expr->spliced, LT_EXPR_MAX_RESULT_BYTES);
    status = keep_names(expr, src, err);
    if (status != LEAT_OK)
        goto done;
    if (src->n_defs || src->n_sets || expr->has_second) {
        status = lt_expr_program_init(&program, src, err);
        if (status == LEAT_OK)
            status = lt_libjq_load(err);
        if (status == LEAT_OK)
            status = lt_expr_program_compile(&program, &expr->jq, err);
        if (status != LEAT_OK)
            goto done;
        expr->input = lt_jq.invalid();
        lt_jq.set_input_cb(expr->jq, give_input, expr);
        lt_guard_init(&expr->guard, expr->jq);
    }
    *out = expr;

done:
    lt_expr_program_deinit(&program);
    if (status != LEAT_OK)
        lt_expr_free(expr);
    return status;
}

void lt_expr_free(struct lt_expr *expr) {
    if (!expr)
        return;
    if (expr->jq) {
        lt_guard_deinit(&expr->guard);
        lt_jq.free(expr->input);
        lt_jq.teardown(&expr->jq);
    }
    lt_buf_deinit(&expr->values);
    lt_buf_deinit(&expr->spliced);
    lt_arena_deinit(&expr->config);
    free(expr);
}
