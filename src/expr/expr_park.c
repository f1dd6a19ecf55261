/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records for which libjq has to be asked, many at a time. In two rounds: the sets of all of them,
 * with the records as they came; then key and conditions of those that are left, with their fields.
 * In a round the evaluator computes what it can, in order until one settles the record; what it
 * cannot, before that, is asked of libjq; then the answers are looked at in order.
 */
#include "expr/expr_parts.h"

enum { MAX_REASON_BYTES = 500 };

struct parked {
    struct lt_expr_job *job;
    struct lt_answer *answers; /* by number */
    struct lt_remote_ask *asks;
    uint32_t n_asks;
    bool ended;
    bool no_memory;
};

struct round {
    struct lt_expr *expr;
    struct parked **parked; /* of each job of libjq */
    struct lt_remote_job *jobs;
    size_t n;
};

struct lt_slice lt_expr_one_line(struct lt_slice text, struct lt_arena *arena) {
    if (text.len > MAX_REASON_BYTES) {
        text.len = MAX_REASON_BYTES;
        while (text.len && (text.data[text.len] & 0xc0) == 0x80)
            text.len--; /* not within a character */
    }
    char *to = lt_arena_str(arena, text);
    if (!to)
        return lt_slice(NULL, 0);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)to[i] < 0x20 || to[i] == 0x7f)
            to[i] = ' ';
    return lt_slice(to, text.len);
}

static leat_status no_memory(const struct lt_expr *expr, struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0,
                   "the answers of libjq for a batch do not fit in %zu bytes of memory",
                   expr->scratch.max);
}

static leat_status take_value(void *ctx, size_t job, uint32_t ask, struct lt_slice json,
                              struct leat_error *err) {
    struct round *round = ctx;
    struct parked *p = round->parked[job];
    struct lt_answer *answer = &p->answers[p->asks[ask].part];

    answer->kind = LT_ANSWER_VALUES;
    if (answer->n++)
        return LEAT_OK;
    answer->text = lt_arena_dup(&round->expr->scratch, json);
    return answer->text.data ? LEAT_OK : no_memory(round->expr, err);
}

static leat_status take_end(void *ctx, size_t job, const struct lt_remote_outcome *outcome,
                            struct leat_error *err) {
    struct round *round = ctx;
    struct parked *p = round->parked[job];
    uint32_t at = outcome->ask;
    bool lost = outcome->end == LT_REMOTE_KILLED; /* they do not matter: the record has failed */

    for (uint32_t i = 0; i <= at && i < p->n_asks; i++) {
        struct lt_answer *answer = &p->answers[p->asks[i].part];
        if (answer->kind == LT_ANSWER_NONE)
            *answer = (struct lt_answer){LT_ANSWER_VALUES, lost, LT_LIT("null")};
    }
    if (outcome->end == LT_REMOTE_DONE || !p->n_asks)
        return LEAT_OK;
    struct lt_answer *answer = &p->answers[p->asks[at].part];
    answer->kind = LT_ANSWER_FAILED;
    answer->text = lt_expr_one_line(outcome->reason, &round->expr->scratch);
    return answer->text.data ? LEAT_OK : no_memory(round->expr, err);
}

/* Asks of a record's text what it has gathered. */
static void add_job(struct round *round, struct parked *p, struct lt_slice doc) {
    if (p->ended || !p->n_asks)
        return;
    round->parked[round->n] = p;
    round->jobs[round->n++] = (struct lt_remote_job){doc, p->asks, p->n_asks};
}

static leat_status ask(struct round *round, struct leat_error *err) {
    const struct lt_remote_sink sink = {.ctx = round, .value = take_value, .end = take_end};

    return round->n ? lt_remote_run(round->expr->remote, round->jobs, round->n, &sink, err)
                    : LEAT_OK;
}

static struct lt_answer answer_of(const struct parked *p, const struct lt_piece *piece) {
    return piece->constant ? piece->answer : p->answers[piece->number];
}

static bool holds(struct lt_answer answer) {
    return answer.kind == LT_ANSWER_VALUES && answer.n && answer.text.data &&
           !lt_slice_eq_str(answer.text, "null") && !lt_slice_eq_str(answer.text, "false");
}

/* Computes or gathers a piece. True when what stands behind it does not matter. */
static bool compute(struct parked *p, const struct lt_piece *piece, unsigned max_values,
                    bool is_condition) {
    struct lt_expr *expr = p->job->expr;
    struct lt_machine *machine = &expr->machine;
    struct lt_answer *answer = &p->answers[piece->number];
    enum lt_flow flow = LT_FLOW_BAIL;
    struct lt_val value;
    unsigned n = 0;

    if (piece->constant) {
        flow = LT_FLOW_ON;
        *answer = piece->answer;
    } else if (piece->part.root) {
        flow = lt_machine_take(machine, &piece->part, lt_val_of_doc(&machine->doc), max_values,
                               &value, &n);
    }
    if (flow == LT_FLOW_BAIL) {
        p->asks[p->n_asks++] =
            (struct lt_remote_ask){piece->number, (uint16_t)max_values, is_condition};
        return false;
    }
    if (!piece->constant) {
        lt_buf_clear(&expr->values);
        const char *fault = NULL;
        if (flow == LT_FLOW_ON && n)
            fault = lt_machine_write(machine, &expr->values, value, 1);
        struct lt_slice text = fault                ? lt_slice_str(fault)
                               : flow == LT_FLOW_ON ? lt_buf_slice(&expr->values)
                                                    : lt_machine_reason(machine, flow);
        bool failed = fault || flow != LT_FLOW_ON;
        *answer = (struct lt_answer){failed ? LT_ANSWER_FAILED : LT_ANSWER_VALUES, n,
                                     failed ? lt_expr_one_line(text, &expr->scratch)
                                            : lt_arena_dup(&expr->scratch, text)};
        p->no_memory |= !answer->text.data;
    }
    return answer->kind == LT_ANSWER_FAILED || (is_condition && holds(*answer)) ||
           (!is_condition && answer->n > 1);
}

/* Computes what can be, of the record at work. Whether it can be read was seen before. */
static bool begin(struct parked *p, struct lt_slice text) {
    struct lt_machine *machine = &p->job->expr->machine;
    struct leat_error err;

    p->n_asks = 0;
    lt_machine_begin(machine);
    if (lt_machine_read(machine, text, LT_JSON_DEFAULT_DEPTH, &err) == LEAT_OK)
        return true;
    lt_expr_end_with(p->job, LT_EXPR_FAILED, LT_LIT("set"),
                     lt_expr_one_line(lt_slice_str(err.text), p->job->arena));
    p->ended = true;
    return false;
}

static leat_status ask_sets(struct round *round, struct parked *parked, size_t n,
                            struct leat_error *err) {
    struct lt_expr *expr = round->expr;

    round->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct parked *p = &parked[i];
        bool settled = !begin(p, p->job->record);
        for (size_t k = 0; k < expr->n_sets && !settled; k++)
            settled = compute(p, &expr->sets[k], 2, false);
        if (p->no_memory)
            return no_memory(expr, err);
        add_job(round, p, p->job->object.raw);
    }
    return ask(round, err);
}

/* The fields from the answers, and the record with them. */
static enum lt_going take_sets(struct parked *p) {
    struct lt_expr *expr = p->job->expr;

    for (size_t i = 0; i < expr->n_sets; i++) {
        struct lt_answer answer = answer_of(p, &expr->sets[i]);
        struct lt_slice label = expr->sets[i].label;
        if (answer.kind == LT_ANSWER_FAILED)
            return lt_expr_end_with(p->job, LT_EXPR_FAILED, label,
                                    lt_expr_keep(p->job, answer.text));
        if (answer.n != 1)
            return lt_expr_fail_with(p->job, label,
                                     answer.n ? "gave more than one value" : "gave no value");
        expr->fields[i].value = answer.text;
    }
    return expr->n_sets ? lt_expr_splice(p->job) : LT_GOES_ON;
}

static leat_status ask_second(struct round *round, struct parked *parked, size_t n,
                              struct leat_error *err) {
    struct lt_expr *expr = round->expr;

    round->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct parked *p = &parked[i];
        bool settled = p->ended || !begin(p, p->job->result->data);
        if (expr->key.label.data && !settled)
            settled = compute(p, &expr->key, 2, false);
        for (size_t k = 0; k < expr->n_routes && !settled && expr->routes[k].label.data; k++)
            settled = compute(p, &expr->routes[k], 1, true);
        if (p->no_memory)
            return no_memory(expr, err);
        add_job(round, p, p->job->result->data);
    }
    return ask(round, err);
}

static enum lt_going take_key(struct parked *p) {
    struct lt_expr *expr = p->job->expr;
    struct lt_answer answer = answer_of(p, &expr->key);
    struct lt_json json;

    if (answer.kind == LT_ANSWER_FAILED)
        return lt_expr_end_with(p->job, LT_EXPR_FAILED, expr->key.label,
                                lt_expr_keep(p->job, answer.text));
    if (answer.n > 1)
        return lt_expr_fail_with(p->job, expr->key.label, "gave more than one value");
    if (!answer.n || !answer.text.data || lt_slice_eq_str(answer.text, "null"))
        return LT_GOES_ON;
    if (*answer.text.data != '"') {
        p->job->result->key = lt_expr_keep(p->job, answer.text);
        return LT_GOES_ON;
    }
    json = (struct lt_json){LT_JSON_STRING, answer.text};
    p->job->result->key = lt_expr_keep(p->job, lt_json_string(json, &expr->scratch));
    return LT_GOES_ON;
}

static enum lt_going take_routes(struct parked *p) {
    struct lt_expr *expr = p->job->expr;

    for (size_t i = 0; i < expr->n_routes; i++) {
        const struct lt_piece *route = &expr->routes[i];
        struct lt_answer answer = route->label.data ? answer_of(p, route) : (struct lt_answer){0};
        if (answer.kind == LT_ANSWER_FAILED)
            return lt_expr_end_with(p->job, LT_EXPR_FAILED, route->label,
                                    lt_expr_keep(p->job, answer.text));
        if (!route->label.data || holds(answer)) {
            p->job->result->route = i;
            return LT_GOES_ON;
        }
    }
    if (!expr->n_routes)
        return LT_GOES_ON;
    return lt_expr_end_with(p->job, LT_EXPR_NO_ROUTE, lt_slice(NULL, 0),
                            lt_expr_keep(p->job, LT_LIT("no route's condition holds")));
}

leat_status lt_expr_run_parked(struct lt_expr *expr, struct lt_expr_job *jobs, size_t n,
                               struct leat_error *err) {
    struct lt_arena *a = &expr->scratch;
    struct round round = {.expr = expr};

    lt_arena_reset(a);
    struct parked *parked = lt_arena_calloc(a, n, sizeof(*parked));
    round.parked = lt_arena_calloc(a, n, sizeof(struct parked *));
    round.jobs = lt_arena_calloc(a, n, sizeof(*round.jobs));
    bool kept = parked && round.parked && round.jobs;
    for (size_t i = 0; kept && i < n; i++) {
        parked[i].job = &jobs[i];
        parked[i].answers = lt_arena_calloc(a, expr->n_pieces, sizeof(struct lt_answer));
        parked[i].asks = lt_arena_calloc(a, expr->n_pieces, sizeof(struct lt_remote_ask));
        kept = parked[i].answers && parked[i].asks;
    }
    if (!kept)
        return no_memory(expr, err);
    leat_status status = ask_sets(&round, parked, n, err);
    for (size_t i = 0; status == LEAT_OK && i < n; i++)
        parked[i].ended = take_sets(&parked[i]) == LT_ENDED || jobs[i].no_memory;
    if (status == LEAT_OK)
        status = ask_second(&round, parked, n, err);
    for (size_t i = 0; status == LEAT_OK && i < n; i++)
        if (!parked[i].ended && (!expr->key.label.data || take_key(&parked[i]) == LT_GOES_ON))
            take_routes(&parked[i]);
    return status;
}
