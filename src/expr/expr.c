/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled pipeline and its run over a batch. Per record: validate the bytes, let
 * jq compute the fields one by one, splice their texts into the record's own bytes, hand
 * jq the record with the fields, and take key and routes until one holds. Outputs
 * are taken one at a time, so nothing is computed behind the first failure or match.
 * What gives the same for every record was computed once; where nothing else can be asked for,
 * jq never sees a record.
 */
#include "expr/expr.h"

#include "expr/fold.h"
#include "expr/guard.h"
#include "expr/program.h"
#include "expr/value.h"

#include <stdlib.h>

enum { MAX_CONFIG_BYTES = 16 << 20 };

struct part {
    struct lt_slice label; /* `data` NULL: not there; a route without a condition */
    bool constant;
    jv value;   /* constant: what jq gave for it */
    bool never; /* a route whose condition was found not to hold, without jq */
};

struct lt_expr {
    jq_state *jq; /* NULL when no record has to be computed with */
    struct lt_guard guard;
    struct lt_arena config; /* owns what follows */
    struct part *sets;
    struct part *routes;
    struct part key;
    size_t n_sets;
    size_t n_routes;
    bool asks_sets;   /* of jq, with the record as it came */
    bool asks_second; /* key or conditions of jq, with the record and its fields */

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

/* The expression's first values, one or two or none. On ON the caller owns the array. */
static enum going take_values(struct job *job, const struct part *part, jv *values) {
    struct lt_expr *expr = job->expr;
    struct lt_slice label = part->label;
    char text[64];

    *values = part->constant ? lt_jq.copy(part->value) : lt_jq.next(expr->jq);
    jv_kind kind = lt_jq.get_kind(*values);
    if (kind == JV_KIND_ARRAY)
        return ON;
    if (kind == JV_KIND_OBJECT) {
        jv message = lt_jq.object_get(*values, lt_jq.string("e"));
        return end_with(job, LT_EXPR_FAILED, label, lt_expr_message(message, job->arena));
    }
    if (!part->constant && lt_jq.halted(expr->jq)) {
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
static enum going take_one(struct job *job, const struct part *part, jv *value) {
    jv values;

    if (take_values(job, part, &values) == ENDED)
        return ENDED;
    int n = lt_jq.array_length(lt_jq.copy(values));
    *value = lt_jq.array_get(values, 0);
    if (n == 1)
        return ON;
    lt_jq.free(*value);
    return fail(job, part->label, n ? "gave more than one value" : "gave no value");
}

/* Computes the sets; their texts lie one after another in `values`. */
static enum going run_sets(struct job *job) {
    struct lt_expr *expr = job->expr;

    lt_buf_clear(&expr->values);
    for (size_t i = 0; i < expr->n_sets; i++) {
        jv value;
        if (take_one(job, &expr->sets[i], &value) == ENDED)
            return ENDED;
        size_t start = expr->values.len;
        const char *fault = lt_expr_write_value(&expr->values, value);
        if (fault) {
            lt_jq.free(value);
            return fail(job, expr->sets[i].label, fault);
        }
        expr->fields[i].value.len = expr->values.len - start;
        if (!expr->asks_second) {
            lt_jq.free(value);
            continue;
        }
        struct lt_slice name = expr->fields[i].name;
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
    struct lt_expr *expr = job->expr;
    const char *fault = NULL;
    jv values;

    if (take_values(job, &expr->key, &values) == ENDED)
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
    return fault ? fail(job, expr->key.label, fault) : ON;
}

static bool is_true(jv_kind kind) {
    return kind != JV_KIND_INVALID && kind != JV_KIND_NULL && kind != JV_KIND_FALSE;
}

static enum going run_routes(struct job *job) {
    struct lt_expr *expr = job->expr;

    for (size_t i = 0; i < expr->n_routes; i++) {
        bool holds = !expr->routes[i].label.data;
        if (!holds && !expr->routes[i].never) {
            jv values;
            if (take_values(job, &expr->routes[i], &values) == ENDED)
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

/* jq computes with `input` from here on. Takes it. */
static void begin(struct lt_expr *expr, jv input) {
    lt_guard_begin(&expr->guard);
    lt_jq.start(expr->jq, input, 0);
}

static enum going run_parts(struct job *job) {
    struct lt_expr *expr = job->expr;

    if (run_sets(job) == ENDED || (expr->n_sets && splice_record(job) == ENDED))
        return ENDED;
    if (expr->asks_second && !expr->asks_sets)
        begin(expr, give_input(expr->jq, expr));
    if (expr->key.label.data && run_key(job) == ENDED)
        return ENDED;
    return run_routes(job);
}

static void run_program(struct job *job) {
    struct lt_expr *expr = job->expr;

    if (!expr->jq) {
        run_parts(job);
        return;
    }
    jv record = lt_expr_read_value(job->object);
    if (lt_jq.get_kind(record) == JV_KIND_INVALID) {
        lt_jq.free(record);
        end_with(job, LT_EXPR_NOT_JSON, lt_slice(NULL, 0), keep(job, LT_LIT("longer than 2 GiB")));
        return;
    }
    if (expr->asks_second)
        expr->input = lt_jq.copy(record);
    if (expr->asks_sets)
        begin(expr, record);
    else
        lt_jq.free(record);
    run_parts(job);
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

static bool keep_part(struct lt_expr *expr, struct part *part, enum lt_expr_kind kind, size_t index,
                      const struct lt_expr_text *text) {
    char label[LT_EXPR_LABEL_BYTES];

    lt_expr_label(kind, index, text->name, label);
    part->label = lt_arena_dup(&expr->config, lt_slice_str(label));
    return part->label.data != NULL;
}

static leat_status keep_names(struct lt_expr *expr, const struct lt_expr_source *src,
                              struct leat_error *err) {
    struct lt_arena *a = &expr->config;

    expr->sets = lt_arena_calloc(a, src->n_sets, sizeof(*expr->sets));
    expr->routes = lt_arena_calloc(a, src->n_routes, sizeof(*expr->routes));
    expr->fields = lt_arena_calloc(a, src->n_sets, sizeof(*expr->fields));
    bool kept = expr->sets && expr->routes && expr->fields;
    for (; kept && expr->n_sets < src->n_sets; expr->n_sets++) {
        size_t i = expr->n_sets;
        expr->fields[i].name = lt_arena_dup(a, src->sets[i].name);
        kept = expr->fields[i].name.data &&
               keep_part(expr, &expr->sets[i], LT_EXPR_SET, i, &src->sets[i]);
    }
    if (kept && src->key)
        kept = keep_part(expr, &expr->key, LT_EXPR_KEY, 0, src->key);
    for (; kept && expr->n_routes < src->n_routes; expr->n_routes++) {
        size_t i = expr->n_routes;
        kept = !src->routes[i].text.data ||
               keep_part(expr, &expr->routes[i], LT_EXPR_ROUTE, i, &src->routes[i]);
    }
    return kept ? LEAT_OK
                : lt_fail(err, LEAT_E_NOMEM, 0,
                          "no memory for the names of a pipeline's expressions");
}

static struct part *find_part(struct lt_expr *expr, const struct lt_expr_part *part) {
    return part->kind == LT_EXPR_SET   ? &expr->sets[part->index]
           : part->kind == LT_EXPR_KEY ? &expr->key
                                       : &expr->routes[part->index];
}

/* The program gives, on null, what is constant: in two passes, for sets come before the others. */
static void take_constants(struct lt_expr *expr, const struct lt_expr_program *program) {
    lt_jq.start(expr->jq, lt_jq.null(), 0);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < program->n_parts; i++) {
            const struct lt_expr_part *part = &program->parts[i];
            if (!part->constant || (part->kind == LT_EXPR_SET) != (pass == 0))
                continue;
            *find_part(expr, part) =
                (struct part){find_part(expr, part)->label, true, lt_jq.next(expr->jq), false};
        }
    }
}

/* What no record can change: a condition that always holds, or a failure. */
static bool ends_routes(const struct part *route) {
    if (!route->label.data)
        return true;
    if (!route->constant)
        return false;
    if (lt_jq.get_kind(route->value) != JV_KIND_ARRAY)
        return true;
    jv first = lt_jq.array_get(lt_jq.copy(route->value), 0);
    bool holds = is_true(lt_jq.get_kind(first));
    lt_jq.free(first);
    return holds;
}

/* Sets what jq is asked for with each record. */
static void see_what_is_asked(struct lt_expr *expr) {
    for (size_t i = 0; i < expr->n_sets; i++)
        expr->asks_sets |= !expr->sets[i].constant;
    expr->asks_second = expr->key.label.data && !expr->key.constant;
    for (size_t i = 0; i < expr->n_routes && !ends_routes(&expr->routes[i]); i++)
        expr->asks_second |= !expr->routes[i].constant;
}

/* Where there is nothing but conditions that need no jq: settles them all, or none. */
static bool fold_all(struct lt_expr *expr, const struct lt_expr_source *src) {
    bool holds;

    if (src->n_defs || src->n_sets || src->key)
        return false;
    for (size_t i = 0; i < src->n_routes; i++)
        if (src->routes[i].text.data && !lt_expr_fold(src->routes[i].text, src, &holds))
            return false;
    for (size_t i = 0; i < src->n_routes; i++) {
        if (!src->routes[i].text.data)
            continue;
        expr->routes[i].never = !lt_expr_fold(src->routes[i].text, src, &holds) || !holds;
        if (!expr->routes[i].never)
            expr->routes[i].label = lt_slice(NULL, 0); /* always */
    }
    return true;
}

static leat_status compile(struct lt_expr *expr, const struct lt_expr_source *src,
                           struct leat_error *err) {
    struct lt_expr_program program = {0};

    if (fold_all(expr, src))
        return LEAT_OK;
    leat_status status = lt_expr_program_init(&program, src, err);
    if (status == LEAT_OK && program.n_parts)
        status = lt_libjq_load(err);
    if (status == LEAT_OK && program.n_parts)
        status = lt_expr_program_compile(&program, &expr->jq, err);
    if (status == LEAT_OK && program.n_parts) {
        expr->input = lt_jq.invalid();
        take_constants(expr, &program);
        see_what_is_asked(expr);
        if (!expr->asks_sets && !expr->asks_second)
            lt_jq.teardown(&expr->jq);
    }
    lt_expr_program_deinit(&program);
    if (expr->jq) {
        lt_jq.set_input_cb(expr->jq, give_input, expr);
        lt_guard_init(&expr->guard, expr->jq);
    }
    return status;
}

leat_status lt_expr_compile(struct lt_expr **out, const struct lt_expr_source *src,
                            struct leat_error *err) {
    struct lt_expr *expr = calloc(1, sizeof(*expr));

    *out = NULL;
    if (!expr)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's expressions");
    lt_arena_init(&expr->config, MAX_CONFIG_BYTES);
    lt_buf_init(&expr->values, LT_EXPR_MAX_RESULT_BYTES);
    lt_buf_init(&expr->spliced, LT_EXPR_MAX_RESULT_BYTES);
    leat_status status = keep_names(expr, src, err);
    if (status == LEAT_OK)
        status = compile(expr, src, err);
    if (status == LEAT_OK)
        *out = expr;
    else
        lt_expr_free(expr);
    return status;
}

static void free_constant(struct part *part) {
    if (part->constant)
        lt_jq.free(part->value);
}

void lt_expr_free(struct lt_expr *expr) {
    if (!expr)
        return;
    if (expr->jq) {
        lt_guard_deinit(&expr->guard);
        lt_jq.free(expr->input);
        lt_jq.teardown(&expr->jq);
    }
    for (size_t i = 0; i < expr->n_sets; i++)
        free_constant(&expr->sets[i]);
    for (size_t i = 0; i < expr->n_routes; i++)
        free_constant(&expr->routes[i]);
    free_constant(&expr->key);
    lt_buf_deinit(&expr->values);
    lt_buf_deinit(&expr->spliced);
    lt_arena_deinit(&expr->config);
    free(expr);
}
