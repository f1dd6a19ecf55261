/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output, written by libuv's pool: who reads it may be slow, and the loop has requests to
 * look after. While one write is under way, what comes is gathered for the next.
 */
#include "pipeline/pull_parts.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void lt_pull_out_open(struct lt_pull_out *out, struct lt_pull_run *run, int fd) {
    *out = (struct lt_pull_out){.run = run, .fd = fd, .open = true};
    lt_buf_init(&out->buf, PTRDIFF_MAX);
    lt_buf_init(&out->writing, PTRDIFF_MAX);
    lt_work_init(&out->work);
}

static void run_write(void *ctx) {
    struct lt_pull_out *out = ctx;
    struct lt_slice rest = lt_buf_slice(&out->writing);

    out->sys = 0;
    while (rest.len) {
        ssize_t n = write(out->fd, rest.data, rest.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) { /* a pipe that its other end has made non-blocking */
            struct pollfd writable = {.fd = out->fd, .events = POLLOUT};
            (void)poll(&writable, 1, -1);
            continue;
        }
        if (n < 0) {
            out->sys = errno;
            return;
        }
        rest = lt_slice_from(rest, (size_t)n);
    }
}

static void write_done(void *ctx) {
    struct lt_pull_out *out = ctx;
    struct lt_pull_run *run = out->run;
    struct leat_error err;

    lt_buf_clear(&out->writing);
    if (out->sys) {
        out->closed = true;
        lt_buf_clear(&out->buf);
    }
    if (out->sys && out->sys != EPIPE) {
        lt_fail_sys(&err, out->sys, "cannot write to standard output");
        lt_pull_run_fail(run, &err);
    } else if (out->sys && run->walk) {
        lt_rest_walk_stop(run->walk); /* nobody reads it any more: that is no error */
    }
    lt_pull_out_write(out);
    lt_pull_run_advance(run);
}

void lt_pull_out_write(struct lt_pull_out *out) {
    if (!out->open || !out->buf.len || lt_work_is_queued(&out->work))
        return;
    if (out->closed) {
        lt_buf_clear(&out->buf);
        return;
    }
    struct lt_buf buf = out->writing;
    out->writing = out->buf;
    out->buf = buf;
    lt_work_start(&out->work, &out->run->loop, run_write, write_done, out);
}

bool lt_pull_out_is_idle(const struct lt_pull_out *out) {
    return !out->open || (!out->buf.len && !lt_work_is_queued(&out->work));
}

static void release(void *ctx) {
    struct lt_pull_out *out = ctx;
    lt_buf_deinit(&out->buf);
    lt_buf_deinit(&out->writing);
}

void lt_pull_out_close(struct lt_pull_out *out) {
    if (!out->open)
        return;
    out->open = false;
    lt_work_abandon(&out->work, release, out);
}
