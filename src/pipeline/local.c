/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/local.h"

#include "base/clock.h"
#include "pipeline/dead_letter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BATCH_RECORDS = 1000,
    READ_BYTES = 1 << 20,
    LINE_LIMIT_BYTES = 64 << 20,
    INPUT_MAX_BYTES = (64 << 20) + (2 << 20),
    OUT_FLUSH_BYTES = 256 << 10,
    OUT_MAX_BYTES = 256 << 20,
    BATCH_ARENA_BYTES = 1 << 30,
};

/* A file that lines are gathered for. */
struct outfile {
    int fd; /* -1: not opened */
    struct lt_buf buf;
};

struct local {
    const struct lt_local_options *opt;
    struct lt_expr *expr;
    struct lt_run_pipeline_stat *stat;
    int in;
    struct lt_buf input;
    uint64_t n_lines;
    struct outfile *files; /* one a route, then the dead letters'; with "-" all are files[0] */
    size_t n_files;
    struct lt_arena arena;
    struct lt_slice lines[BATCH_RECORDS];
    uint64_t numbers[BATCH_RECORDS];
    struct lt_expr_result results[BATCH_RECORDS];
    bool closed; /* the reader of standard output has gone */
};

static bool to_stdout(const struct local *local) {
    return strcmp(local->opt->to, "-") == 0;
}

/* ---- writing ---- */

static leat_status flush_file(struct local *local, struct outfile *file, struct leat_error *err) {
    struct lt_slice rest = lt_buf_slice(&file->buf);

    while (rest.len && !local->closed) {
        ssize_t n = write(file->fd, rest.data, rest.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE && to_stdout(local)) {
            local->closed = true;
            break;
        }
        if (n < 0)
            return lt_fail_sys(err, errno, "cannot write to %s", local->opt->to);
        rest = lt_slice_from(rest, (size_t)n);
    }
    lt_buf_clear(&file->buf);
    return LEAT_OK;
}

static leat_status write_line(struct local *local, size_t at, struct lt_slice line,
                              struct leat_error *err) {
    struct outfile *file = &local->files[to_stdout(local) ? 0 : at];

    lt_buf_append(&file->buf, line);
    lt_buf_append_byte(&file->buf, '\n');
    leat_status status = lt_buf_status(&file->buf, err);
    if (status == LEAT_OK && file->buf.len >= OUT_FLUSH_BYTES)
        status = flush_file(local, file, err);
    return status;
}

static leat_status open_file(struct local *local, size_t at, const char *name,
                             struct leat_error *err) {
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/%s.jsonl", local->opt->to, name);

    if (len < 0 || (size_t)len >= sizeof(path))
        return lt_fail(err, LEAT_E_LIMIT, 0, "the path of %s is too long", name);
    for (char *c = path + strlen(local->opt->to) + 1; *c; c++) {
        if (*c == '/' || *c == ':')
            *c = '_';
    }
    local->files[at].fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (local->files[at].fd < 0)
        return lt_fail_sys(err, errno, "cannot make %s", path);
    return LEAT_OK;
}

static leat_status open_files(struct local *local, struct leat_error *err) {
    const struct lt_system_pipeline *pipeline = local->opt->pipeline;
    leat_status status = LEAT_OK;

    local->n_files = pipeline->n_routes + 1;
    local->files = calloc(local->n_files, sizeof(*local->files));
    if (!local->files)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the routes");
    for (size_t i = 0; i < local->n_files; i++) {
        local->files[i].fd = -1;
        lt_buf_init(&local->files[i].buf, OUT_MAX_BYTES);
    }
    if (to_stdout(local)) {
        local->files[0].fd = STDOUT_FILENO;
        return LEAT_OK;
    }
    if (mkdir(local->opt->to, 0777) < 0 && errno != EEXIST)
        return lt_fail_sys(err, errno, "cannot make the folder %s", local->opt->to);
    for (size_t i = 0; i < local->n_files && status == LEAT_OK; i++)
        status = open_file(local, i,
                           i < pipeline->n_routes ? pipeline->routes[i].to : "dead-letters", err);
    return status;
}

/* ---- one batch ---- */

static leat_status write_dead(struct local *local, size_t i, const char *code,
                              struct leat_error *err) {
    const struct lt_expr_result *result = &local->results[i];
    const struct lt_dead_letter letter = {
        .pipeline = lt_slice_str(local->opt->pipeline->name),
        .code = lt_slice_str(code),
        .message = result->reason,
        .expression = result->expression,
        .stream = lt_slice_str(local->opt->from),
        .sequence = lt_slice_str(
            lt_arena_printf(&local->arena, "%llu", (unsigned long long)local->numbers[i])),
        .arrival_ms = lt_clock_wall_ms(),
        .data = local->lines[i],
        .part = 1,
        .parts = 1,
    };

    local->stat->n_dead++;
    if (local->opt->on_dead)
        local->opt->on_dead(local->opt->ctx, local->numbers[i], result->expression, result->reason);
    if (to_stdout(local))
        return LEAT_OK;
    struct lt_slice text = lt_dead_letter_write(&letter, &local->arena);
    if (!text.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a dead letter");
    return write_line(local, local->n_files - 1, text, err);
}

static const char *const codes[] = {
    [LT_EXPR_OK] = "",
    [LT_EXPR_NOT_JSON] = "NotJson",
    [LT_EXPR_NOT_OBJECT] = "NotObject",
    [LT_EXPR_FAILED] = "ExpressionFailed",
    [LT_EXPR_NO_ROUTE] = "NoRoute",
};

static leat_status run_batch(struct local *local, size_t n, struct leat_error *err) {
    leat_status status =
        lt_expr_run(local->expr, local->lines, n, local->results, &local->arena, err);

    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        const struct lt_expr_result *result = &local->results[i];
        local->stat->n_read++;
        local->stat->n_bytes += local->lines[i].len;
        if (result->outcome != LT_EXPR_OK) {
            status = write_dead(local, i, codes[result->outcome], err);
            continue;
        }
        if (result->route < local->stat->n_routes) {
            local->stat->routes[result->route].n_records++;
            local->stat->routes[result->route].n_bytes += result->data.len;
        }
        status = write_line(local, result->route, result->data, err);
    }
    lt_arena_reset(&local->arena);
    return status;
}

/* ---- reading ---- */

/* Reads more; `*end` at the end of the input. */
static leat_status fill(struct local *local, bool *end, struct leat_error *err) {
    char *to = lt_buf_reserve(&local->input, READ_BYTES);
    if (!to)
        return lt_fail(err, LEAT_E_LIMIT, 0, "line %llu of %s is longer than %d MiB",
                       (unsigned long long)local->n_lines + 1, local->opt->from,
                       LINE_LIMIT_BYTES >> 20);
    ssize_t n;
    do
        n = read(local->in, to, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return lt_fail_sys(err, errno, "cannot read %s", local->opt->from);
    lt_buf_commit(&local->input, (size_t)n);
    *end = n == 0;
    return LEAT_OK;
}

static bool is_blank(struct lt_slice line) {
    for (size_t i = 0; i < line.len; i++) {
        if (!strchr(" \t\r", line.data[i]) || !line.data[i])
            return false;
    }
    return true;
}

/* Runs all whole lines of the input, and at its end what follows the last line end. */
static leat_status run_lines(struct local *local, bool end, struct leat_error *err) {
    struct lt_slice rest = lt_buf_slice(&local->input);
    leat_status status = LEAT_OK;
    size_t n = 0;

    while (rest.len && status == LEAT_OK) {
        const char *stop = memchr(rest.data, '\n', rest.len);
        if (!stop && !end)
            break;
        struct lt_slice line = {rest.data, stop ? (size_t)(stop - rest.data) : rest.len};
        rest = lt_slice_from(rest, line.len + (stop ? 1 : 0));
        local->n_lines++;
        if (is_blank(line))
            continue;
        local->lines[n] = line;
        local->numbers[n++] = local->n_lines;
        if (n == BATCH_RECORDS) {
            status = run_batch(local, n, err);
            n = 0;
        }
    }
    if (n && status == LEAT_OK)
        status = run_batch(local, n, err);
    lt_buf_consume(&local->input, local->input.len - rest.len);
    return status;
}

static leat_status run(struct local *local, struct leat_error *err) {
    leat_status status = LEAT_OK;
    bool end = false;

    while (!end && !local->closed && status == LEAT_OK) {
        status = fill(local, &end, err);
        if (status == LEAT_OK)
            status = run_lines(local, end, err);
    }
    for (size_t i = 0; i < local->n_files && status == LEAT_OK; i++)
        status = flush_file(local, &local->files[i], err);
    return status;
}

static leat_status init_stat(struct local *local, struct lt_run_stat *stat,
                             struct leat_error *err) {
    const struct lt_system_pipeline *pipeline = local->opt->pipeline;

    *stat = (struct lt_run_stat){0};
    stat->pipelines = calloc(1, sizeof(*stat->pipelines));
    if (!stat->pipelines)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the figures");
    stat->n_pipelines = 1;
    local->stat = stat->pipelines;
    local->stat->name = pipeline->name;
    local->stat->routes = calloc(pipeline->n_routes + 1, sizeof(*local->stat->routes));
    if (!local->stat->routes)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the figures");
    local->stat->n_routes = pipeline->n_routes;
    for (size_t i = 0; i < pipeline->n_routes; i++)
        local->stat->routes[i].to = pipeline->routes[i].to;
    return LEAT_OK;
}

static void deinit(struct local *local) {
    for (size_t i = 0; local->files && i < local->n_files; i++) {
        if (local->files[i].fd > STDERR_FILENO)
            close(local->files[i].fd);
        lt_buf_deinit(&local->files[i].buf);
    }
    if (local->in > STDERR_FILENO)
        close(local->in);
    free(local->files);
    lt_expr_free(local->expr);
    lt_buf_deinit(&local->input);
    lt_arena_deinit(&local->arena);
    free(local);
}

leat_status lt_run_local(const struct lt_local_options *opt, struct lt_run_stat *stat,
                         struct leat_error *err) {
    int64_t started_us = lt_clock_mono_us();
    struct local *local = calloc(1, sizeof(*local));

    *stat = (struct lt_run_stat){0};
    if (!local)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to run");
    local->opt = opt;
    lt_buf_init(&local->input, INPUT_MAX_BYTES);
    lt_arena_init(&local->arena, BATCH_ARENA_BYTES);
    leat_status status = init_stat(local, stat, err);
    if (status == LEAT_OK)
        status = lt_system_compile(opt->pipeline, &local->expr, err);
    if (status == LEAT_OK && strcmp(opt->from, "-") != 0) {
        local->in = open(opt->from, O_RDONLY | O_CLOEXEC);
        if (local->in < 0)
            status = lt_fail_sys(err, errno, "cannot read %s", opt->from);
    }
    if (status == LEAT_OK)
        status = open_files(local, err);
    if (status == LEAT_OK)
        status = run(local, err);
    stat->elapsed_ms = (lt_clock_mono_us() - started_us) / 1000;
    deinit(local);
    return status;
}
