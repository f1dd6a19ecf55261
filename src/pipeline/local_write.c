/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk's turn: its dead letters are told under their line numbers, and what it made is written.
 * After an error, or when the reader of standard output has gone, later chunks write nothing. */
#include "base/clock.h"
#include "pipeline/dead_letter.h"
#include "pipeline/local_parts.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Writes what is in a file's buffer; `*gone` when nobody reads it any more. */
static leat_status write_out(struct lt_local *local, size_t at, struct lt_slice rest, bool *gone,
                             struct leat_error *err) {
    while (rest.len) {
        ssize_t n = write(local->files[at], rest.data, rest.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) { /* a pipe that its other end has made non-blocking */
            struct pollfd writable = {.fd = local->files[at], .events = POLLOUT};
            (void)poll(&writable, 1, -1);
            continue;
        }
        if (n < 0 && errno == EPIPE && local->to_stdout) {
            *gone = true;
            return LEAT_OK;
        }
        if (n < 0)
            return lt_fail_sys(err, errno, "cannot write to %s", local->opt->to);
        rest = lt_slice_from(rest, (size_t)n);
    }
    return LEAT_OK;
}

static leat_status add_letter(struct lt_local_worker *w, const struct lt_local_dead *dead,
                              uint64_t line, struct leat_error *err) {
    const struct lt_local_options *opt = w->local->opt;
    struct lt_buf *out = &w->out[w->local->n_files - 1];
    const struct lt_dead_letter letter = {
        .pipeline = lt_slice_str(opt->pipeline->name),
        .code = lt_slice_str(dead->code),
        .message = dead->reason,
        .expression = dead->expression,
        .stream = lt_slice_str(opt->from),
        .sequence = lt_slice_str(lt_arena_printf(&w->deaths, "%llu", (unsigned long long)line)),
        .arrival_ms = lt_clock_wall_ms(),
        .data = dead->data,
        .part = 1,
        .parts = 1,
    };
    struct lt_slice text = lt_dead_letter_write(&letter, &w->deaths);

    if (!text.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a dead letter");
    lt_buf_append(out, text);
    lt_buf_append_byte(out, '\n');
    return lt_buf_status(out, err);
}

static leat_status tell_dead(struct lt_local_worker *w, struct leat_error *err) {
    const struct lt_local_options *opt = w->local->opt;
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < w->n_dead && status == LEAT_OK; i++) {
        const struct lt_local_dead *dead = &w->dead[i];
        uint64_t line = w->local->n_lines + dead->line;
        w->local->stat->n_dead++;
        if (opt->on_dead)
            opt->on_dead(opt->ctx, line, dead->expression, dead->reason);
        if (!w->local->to_stdout)
            status = add_letter(w, dead, line, err);
    }
    return status;
}

static void add_counts(struct lt_local_worker *w) {
    struct lt_run_pipeline_stat *stat = w->local->stat;

    w->local->n_lines += w->n_lines;
    stat->n_read += w->n_read;
    stat->n_bytes += w->n_bytes;
    for (size_t i = 0; i < stat->n_routes; i++) {
        stat->routes[i].n_records += w->routes[i].n_records;
        stat->routes[i].n_bytes += w->routes[i].n_bytes;
    }
}

void lt_local_write(struct lt_local_worker *w) {
    struct lt_local *local = w->local;
    leat_status status = w->status;
    bool gone = false;

    if (atomic_load(&local->stop))
        return;
    if (w->too_long)
        status =
            lt_fail(&w->err, LEAT_E_LIMIT, 0, "line %llu of %s is longer than %d MiB",
                    (unsigned long long)local->n_lines + 1, local->opt->from, LT_LOCAL_LINE_MIB);
    if (w->status == LEAT_OK)
        status = tell_dead(w, &w->err);
    for (size_t i = 0; i < local->n_files && status == LEAT_OK && !gone; i++)
        status = write_out(local, i, lt_buf_slice(&w->out[i]), &gone, &w->err);
    add_counts(w);
    if (status != LEAT_OK) {
        local->status = status;
        local->err = w->err;
    }
    if (status != LEAT_OK || gone)
        atomic_store(&local->stop, true);
}
