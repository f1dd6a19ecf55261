/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker of a run over lines. A chunk is what one read gives, cut behind its last line end; the
 * start of a line that is left over is carried to the next chunk, also when another worker
 * takes it. A read that gives less (a pipe's) makes a smaller chunk, so that nobody waits for lines
 * that are there.
 */
#include "pipeline/local_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 256 << 10,
    LINE_LIMIT_BYTES = LT_LOCAL_LINE_MIB << 20,
    INPUT_MAX_BYTES = LINE_LIMIT_BYTES + 2 * CHUNK_BYTES,
    OUT_MAX_BYTES = 256 << 20,
    ARENA_MAX_BYTES = 1 << 30,
};

/* ---- taking a chunk ---- */

/* The next bytes of the input behind what the worker has; `*line_end` when a line ends in them. */
static leat_status read_more(struct lt_local_worker *w, bool *line_end, struct leat_error *err) {
    struct lt_local *local = w->local;
    char *to = lt_buf_reserve(&w->input, CHUNK_BYTES);
    ssize_t n;

    if (w->input.len > LINE_LIMIT_BYTES) {
        w->too_long = true; /* its number is known at its turn */
        return LEAT_E_LIMIT;
    }
    if (!to)
        return lt_buf_status(&w->input, err);
    do
        n = read(local->in, to, CHUNK_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return lt_fail_sys(err, errno, "cannot read %s", local->opt->from);
    lt_buf_commit(&w->input, (size_t)n);
    local->end = n == 0;
    const char *last = n ? memrchr(to, '\n', (size_t)n) : NULL;
    *line_end = last != NULL;
    if (!last)
        return LEAT_OK;
    size_t kept = (size_t)(last + 1 - w->input.data);
    lt_buf_append(&local->carry, lt_slice_from(lt_buf_slice(&w->input), kept));
    w->input.len = kept;
    return lt_buf_status(&local->carry, err);
}

/* False when there is nothing more. An error is the chunk's, and is told at its turn. */
static bool take_chunk(struct lt_local_worker *w) {
    struct lt_local *local = w->local;
    bool line_end = false;

    lt_buf_clear(&w->input);
    pthread_mutex_lock(&local->read_mu);
    bool more = !local->end && !atomic_load(&local->stop);
    if (more) {
        lt_buf_append(&w->input, lt_buf_slice(&local->carry));
        lt_buf_clear(&local->carry);
        w->status = lt_buf_status(&w->input, &w->err);
        while (w->status == LEAT_OK && !line_end && !local->end)
            w->status = read_more(w, &line_end, &w->err);
        local->end = local->end || w->status != LEAT_OK;
        more = w->input.len || w->status != LEAT_OK;
        w->chunk = local->n_chunks;
        local->n_chunks += more;
    }
    pthread_mutex_unlock(&local->read_mu);
    return more;
}

/* ---- transforming it ---- */

static const char *const codes[] = {
    [LT_EXPR_OK] = "",
    [LT_EXPR_NOT_JSON] = "NotJson",
    [LT_EXPR_NOT_OBJECT] = "NotObject",
    [LT_EXPR_FAILED] = "ExpressionFailed",
    [LT_EXPR_NO_ROUTE] = "NoRoute",
};

static leat_status keep_dead(struct lt_local_worker *w, size_t i, struct leat_error *err) {
    const struct lt_expr_result *result = &w->results[i];

    if (w->n_dead == w->cap_dead) {
        size_t cap = w->cap_dead ? w->cap_dead * 2 : 16;
        struct lt_local_dead *dead = reallocarray(w->dead, cap, sizeof(*dead));
        if (!dead)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a dead letter");
        w->dead = dead;
        w->cap_dead = cap;
    }
    struct lt_local_dead dead = {
        .line = w->numbers[i],
        .code = codes[result->outcome],
        .data = w->lines[i],
        .expression = lt_arena_dup(&w->deaths, result->expression),
        .reason = lt_arena_dup(&w->deaths, result->reason),
    };
    if (!dead.expression.data || !dead.reason.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a dead letter");
    w->dead[w->n_dead++] = dead;
    return LEAT_OK;
}

static leat_status add_line(struct lt_buf *out, struct lt_slice line, struct leat_error *err) {
    char *to = lt_buf_reserve(out, line.len + 1);

    if (!to)
        return lt_buf_status(out, err);
    if (line.len)
        memcpy(to, line.data, line.len);
    to[line.len] = '\n';
    lt_buf_commit(out, line.len + 1);
    return LEAT_OK;
}

static leat_status run_batch(struct lt_local_worker *w, size_t n, struct leat_error *err) {
    leat_status status = lt_expr_run(w->expr, w->lines, n, w->results, &w->arena, err);

    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        const struct lt_expr_result *result = &w->results[i];
        w->n_read++;
        w->n_bytes += w->lines[i].len;
        if (result->outcome != LT_EXPR_OK) {
            status = keep_dead(w, i, err);
            continue;
        }
        if (result->route < w->local->n_files - 1) {
            w->routes[result->route].n_records++;
            w->routes[result->route].n_bytes += result->data.len;
        }
        status = add_line(&w->out[w->local->to_stdout ? 0 : result->route], result->data, err);
    }
    lt_arena_reset(&w->arena);
    return status;
}

static bool is_blank(struct lt_slice line) {
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];
        if (c != ' ' && c != '\t' && c != '\r')
            return false;
    }
    return true;
}

/* All lines of the chunk; the last one of the input may have no end. */
static leat_status run_lines(struct lt_local_worker *w, struct leat_error *err) {
    struct lt_slice rest = lt_buf_slice(&w->input);
    leat_status status = LEAT_OK;
    size_t n = 0;

    while (rest.len && status == LEAT_OK) {
        const char *stop = memchr(rest.data, '\n', rest.len);
        struct lt_slice line = {rest.data, stop ? (size_t)(stop - rest.data) : rest.len};
        rest = lt_slice_from(rest, line.len + (stop ? 1 : 0));
        w->n_lines++;
        if (is_blank(line))
            continue;
        w->lines[n] = line;
        w->numbers[n++] = w->n_lines;
        if (n == LT_LOCAL_BATCH_RECORDS) {
            status = run_batch(w, n, err);
            n = 0;
        }
    }
    return n && status == LEAT_OK ? run_batch(w, n, err) : status;
}

static void begin_chunk(struct lt_local_worker *w) {
    w->n_lines = w->n_read = w->n_bytes = 0;
    w->n_dead = 0;
    memset(w->routes, 0, w->local->n_files * sizeof(*w->routes));
    lt_arena_reset(&w->deaths);
    for (size_t i = 0; i < w->local->n_files; i++)
        lt_buf_clear(&w->out[i]);
}

bool lt_local_worker_step(struct lt_local_worker *w) {
    struct lt_local *local = w->local;

    if (!take_chunk(w))
        return false;
    begin_chunk(w);
    if (w->status == LEAT_OK)
        w->status = run_lines(w, &w->err);
    pthread_mutex_lock(&local->turn_mu);
    while (local->turn != w->chunk)
        pthread_cond_wait(&local->turned, &local->turn_mu);
    pthread_mutex_unlock(&local->turn_mu);
    lt_local_write(w);
    pthread_mutex_lock(&local->turn_mu);
    local->turn++;
    pthread_cond_broadcast(&local->turned);
    pthread_mutex_unlock(&local->turn_mu);
    return true;
}

/* ---- its life ---- */

leat_status lt_local_worker_new(struct lt_local_worker **out, struct lt_local *local,
                                struct leat_error *err) {
    struct lt_local_worker *w = calloc(1, sizeof(*w));

    *out = w;
    if (!w)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to run");
    w->local = local;
    lt_arena_init(&w->arena, ARENA_MAX_BYTES);
    lt_arena_init(&w->deaths, ARENA_MAX_BYTES);
    lt_buf_init(&w->input, INPUT_MAX_BYTES);
    w->routes = calloc(local->n_files, sizeof(*w->routes));
    w->out = calloc(local->n_files, sizeof(*w->out));
    if (!w->routes || !w->out)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the routes");
    for (size_t i = 0; i < local->n_files; i++)
        lt_buf_init(&w->out[i], OUT_MAX_BYTES);
    return lt_system_compile(local->opt->pipeline, &w->expr, err);
}

void lt_local_worker_free(struct lt_local_worker *w) {
    if (!w)
        return;
    for (size_t i = 0; w->out && i < w->local->n_files; i++)
        lt_buf_deinit(&w->out[i]);
    free(w->out);
    free(w->routes);
    free(w->dead);
    lt_expr_free(w->expr);
    lt_buf_deinit(&w->input);
    lt_arena_deinit(&w->arena);
    lt_arena_deinit(&w->deaths);
    free(w);
}
