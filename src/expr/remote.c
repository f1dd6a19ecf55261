/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's side of the libjq helper. Several jobs are on their way at a time; the helper works
 * on the first one not answered yet, since that one's answer was written before it took the next.
 * So the time of a job is counted from the answer before it, and what ends the helper is that job's
 * doing.
 */
#include "expr/remote.h"

#include "base/clock.h"
#include "expr/remote_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DEFAULT_MAX_MS = 5000,
    DEFAULT_MAX_BYTES = 512 << 20,
    START_MS = 60000, /* to start and compile */
    MAX_STARTS = 4,
    LOOK_MS = 20,   /* how often the memory of a job at work is looked at */
    MAX_AHEAD = 64, /* jobs on their way */
    MAX_AHEAD_BYTES = 256 << 10,
    READ_BYTES = 64 << 10,
};

struct lt_remote {
    struct lt_remote_process process;
    struct lt_buf program; /* what the helper is told first, but for the limit */
    bool for_people;
    int64_t max_ms;
    size_t max_bytes;
    bool limit_changed;
    bool grown;
    struct lt_buf out;
    size_t out_at;
    struct lt_buf in;
    size_t in_at;
};

/* A call of lt_remote_run(). */
struct work {
    struct lt_remote *remote;
    const struct lt_remote_job *jobs;
    size_t n;
    size_t head; /* the first job not answered */
    size_t sent;
    const struct lt_remote_sink *sink;
    int64_t since_us;  /* that the helper can have worked on the head */
    bool has_values;   /* of the head, already given to the sink */
    bool tried_before; /* the head: a helper ended over it */
    struct leat_error *err;
};

enum event { ANSWERED, ENDED, TOO_LATE, TOO_LARGE };

leat_status lt_remote_new(struct lt_remote **out, const struct lt_remote_program *program,
                          struct leat_error *err) {
    struct lt_remote *remote = calloc(1, sizeof(*remote));

    *out = NULL;
    if (!remote)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a program of libjq");
    remote->process.fd = -1;
    remote->for_people = program->for_people;
    remote->max_ms = DEFAULT_MAX_MS;
    remote->max_bytes = DEFAULT_MAX_BYTES;
    lt_buf_init(&remote->program, SIZE_MAX / 2);
    lt_buf_init(&remote->in, SIZE_MAX / 2);
    lt_buf_init(&remote->out, SIZE_MAX / 2);
    lt_wire_add_text(&remote->program, program->text);
    for (size_t i = 0; i < program->n_vars; i++) {
        lt_wire_add_text(&remote->program, lt_slice_str(program->vars[i].name));
        lt_wire_add_text(&remote->program, program->vars[i].json);
    }
    /* the number of variables is kept in front when it is sent */
    struct lt_wire_program head = {.for_people = program->for_people,
                                   .n_vars = (uint32_t)program->n_vars};
    lt_buf_append(&remote->program, lt_slice(&head, sizeof(head)));
    if (remote->program.failed) {
        lt_remote_free(remote);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a program of libjq");
    }
    *out = remote;
    return LEAT_OK;
}

static void stop(struct lt_remote *remote) {
    lt_remote_stop(&remote->process);
    lt_buf_clear(&remote->in);
    lt_buf_clear(&remote->out);
    remote->in_at = remote->out_at = 0;
    remote->grown = false;
}

void lt_remote_free(struct lt_remote *remote) {
    if (!remote)
        return;
    stop(remote);
    lt_buf_deinit(&remote->program);
    lt_buf_deinit(&remote->in);
    lt_buf_deinit(&remote->out);
    free(remote);
}

void lt_remote_set_limits(struct lt_remote *remote, int64_t max_ms, size_t max_bytes) {
    remote->limit_changed |= max_bytes != remote->max_bytes;
    remote->max_ms = max_ms;
    remote->max_bytes = max_bytes;
}

int lt_remote_pid(const struct lt_remote *remote) {
    return (int)remote->process.pid;
}

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for what is sent to libjq");
}

/* Writes and reads what can be. False when the helper is gone and all that it said is read. */
static bool exchange(struct lt_remote *remote, short ready) {
    struct lt_buf *out = &remote->out;

    while (out->len > remote->out_at) {
        ssize_t n = send(remote->process.fd, out->data + remote->out_at, out->len - remote->out_at,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break; /* full; or the helper is gone: the read below says so */
        remote->out_at += (size_t)n;
    }
    if (out->len == remote->out_at) {
        lt_buf_clear(out);
        remote->out_at = 0;
    }
    if (!(ready & (POLLIN | POLLHUP | POLLERR)))
        return true;
    if (remote->in_at == remote->in.len) {
        lt_buf_clear(&remote->in);
        remote->in_at = 0;
    }
    char *room = lt_buf_reserve(&remote->in, READ_BYTES);
    if (!room)
        return false;
    ssize_t n = recv(remote->process.fd, room, READ_BYTES, 0);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    lt_buf_commit(&remote->in, (size_t)n);
    return n > 0;
}

static short wanted(const struct lt_remote *remote) {
    return (short)(POLLIN | (remote->out.len > remote->out_at ? POLLOUT : 0));
}

/* Waits for the first message of a helper. False when none comes. */
static bool wait_for_answer(struct lt_remote *remote, uint32_t *type, struct lt_slice *body) {
    int64_t until_us = lt_clock_mono_us() + START_MS * 1000L;

    while (!lt_wire_next(&remote->in, &remote->in_at, type, body)) {
        struct pollfd poller = {.fd = remote->process.fd, .events = wanted(remote)};
        int64_t left_ms = (until_us - lt_clock_mono_us()) / 1000;
        int n = left_ms > 0 ? poll(&poller, 1, (int)left_ms) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || !exchange(remote, poller.revents))
            return false;
    }
    return true;
}

static leat_status did_not_start(struct lt_remote *remote, bool *killed, struct leat_error *err) {
    int how = lt_remote_reap(&remote->process);

    stop(remote);
    *killed = WIFSIGNALED(how);
    if (WIFEXITED(how) && WEXITSTATUS(how) == LT_WIRE_EXIT_NOMEM)
        return lt_fail(err, LEAT_E_NOMEM, 0, "libjq has no memory for the program");
    return lt_fail(err, LEAT_E_UNSUPPORTED, 0, "the process that runs libjq did not start (%s %d)",
                   WIFSIGNALED(how) ? "signal" : "exit code",
                   WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

static void send_program(struct lt_remote *remote) {
    struct lt_wire_program head;
    struct lt_slice texts = lt_buf_slice(&remote->program);

    texts.len -= sizeof(head);
    memcpy(&head, texts.data + texts.len, sizeof(head));
    head.max_bytes = remote->max_bytes;
    size_t at = lt_wire_begin(&remote->out, LT_WIRE_PROGRAM);
    lt_buf_append(&remote->out, lt_slice(&head, sizeof(head)));
    lt_buf_append(&remote->out, texts);
    lt_wire_finish(&remote->out, at);
    remote->limit_changed = false;
}

struct complaining {
    void (*complain)(void *ctx, struct lt_slice message);
    void *ctx;
};

/* What the helper says of the program. */
static leat_status take_first_answer(struct lt_remote *remote, uint32_t type, struct lt_slice body,
                                     const struct complaining *to, struct leat_error *err) {
    struct lt_slice message;
    uint32_t version = 0;
    leat_status status;

    if (type == LT_WIRE_READY && lt_wire_take(&body, &version, sizeof(version)) &&
        version == LT_WIRE_VERSION) {
        remote->process.base_bytes = lt_remote_resident(&remote->process);
        return LEAT_OK;
    }
    if (type == LT_WIRE_BAD) {
        while (lt_wire_take_text(&body, &message))
            if (to->complain)
                to->complain(to->ctx, message);
        status = lt_fail(err, LEAT_E_CONFIG, 0, "jq: cannot compile");
    } else if (type == LT_WIRE_NO_LIBJQ) {
        status = lt_fail(err, LEAT_E_UNSUPPORTED, 0, "%.*s", LT_FMT(body));
    } else {
        status = lt_fail(err, LEAT_E_UNSUPPORTED, 0,
                         "the process that runs libjq is of another version");
    }
    stop(remote);
    return status;
}

static leat_status start_once(struct lt_remote *remote, bool *killed, const struct complaining *to,
                              struct leat_error *err) {
    struct lt_slice body;
    uint32_t type;

    *killed = false;
    leat_status status = lt_remote_spawn(&remote->process, remote->for_people, err);
    if (status != LEAT_OK)
        return status;
    send_program(remote);
    if (remote->out.failed) {
        stop(remote);
        return no_memory(err);
    }
    if (!wait_for_answer(remote, &type, &body))
        return did_not_start(remote, killed, err);
    return take_first_answer(remote, type, body, to, err);
}

/* One that somebody kills before it is ready is started again. */
leat_status lt_remote_start(struct lt_remote *remote,
                            void (*complain)(void *ctx, struct lt_slice message), void *ctx,
                            struct leat_error *err) {
    const struct complaining to = {complain, ctx};
    leat_status status = LEAT_OK;
    bool killed = !remote->process.pid;

    for (int i = 0; killed && i < MAX_STARTS; i++)
        status = start_once(remote, &killed, &to, err);
    return status;
}

static void send_job(struct lt_remote *remote, const struct lt_remote_job *job) {
    struct lt_wire_run head = {job->n_asks};
    size_t at = lt_wire_begin(&remote->out, LT_WIRE_RUN);

    lt_buf_append(&remote->out, lt_slice(&head, sizeof(head)));
    for (uint32_t i = 0; i < job->n_asks; i++) {
        struct lt_wire_ask ask = {job->asks[i].part, job->asks[i].max_values,
                                  job->asks[i].ends_if_true};
        lt_buf_append(&remote->out, lt_slice(&ask, sizeof(ask)));
    }
    lt_buf_append(&remote->out, job->doc);
    lt_wire_finish(&remote->out, at);
}

static leat_status send_jobs(struct work *w) {
    struct lt_remote *remote = w->remote;

    if (remote->limit_changed) {
        uint64_t max_bytes = remote->max_bytes;
        size_t at = lt_wire_begin(&remote->out, LT_WIRE_LIMIT);
        lt_buf_append(&remote->out, lt_slice(&max_bytes, sizeof(max_bytes)));
        lt_wire_finish(&remote->out, at);
        remote->limit_changed = false;
    }
    while (w->sent < w->n && w->sent - w->head < MAX_AHEAD &&
           remote->out.len - remote->out_at < MAX_AHEAD_BYTES &&
           !(w->tried_before && w->sent > w->head)) {
        if (w->sent == w->head)
            w->since_us = lt_clock_mono_us();
        send_job(remote, &w->jobs[w->sent++]);
    }
    return remote->out.failed ? no_memory(w->err) : LEAT_OK;
}

/* Gives the sink the end of the head. */
static leat_status end_head(struct work *w, const struct lt_remote_outcome *outcome) {
    size_t job = w->head++;

    w->has_values = w->tried_before = false;
    w->since_us = lt_clock_mono_us();
    return w->sink->end(w->sink->ctx, job, outcome, w->err);
}

static leat_status take_end(struct work *w, struct lt_slice body) {
    struct lt_wire_end end;

    if (!lt_wire_take(&body, &end, sizeof(end)))
        return lt_fail(w->err, LEAT_E_INTERNAL, 0, "libjq's process gave half an answer");
    w->remote->grown |= end.grown != 0;
    struct lt_remote_outcome outcome = {.end = (enum lt_remote_end)end.end,
                                        .ask = end.ask,
                                        .is_string = end.is_string,
                                        .code = end.code,
                                        .reason = body};
    return end_head(w, &outcome);
}

static leat_status give_input(struct work *w) {
    struct lt_buf *out = &w->remote->out;
    struct lt_slice json = {NULL, 0};
    leat_status status = LEAT_OK;

    if (w->sink->next_input)
        status = w->sink->next_input(w->sink->ctx, &json, w->err);
    size_t at = lt_wire_begin(out, LT_WIRE_INPUT);
    lt_buf_append(out, json);
    lt_wire_finish(out, at);
    return status;
}

static leat_status take_message(struct work *w, uint32_t type, struct lt_slice body) {
    struct lt_wire_value value;

    switch (type) {
    case LT_WIRE_VALUE:
        if (!lt_wire_take(&body, &value, sizeof(value)))
            break;
        w->has_values = true;
        return w->sink->value(w->sink->ctx, w->head, value.ask, body, w->err);
    case LT_WIRE_END:
        return take_end(w, body);
    case LT_WIRE_NEXT_INPUT:
        return give_input(w);
    case LT_WIRE_MESSAGE:
        if (w->sink->message)
            w->sink->message(w->sink->ctx, body);
        return LEAT_OK;
    default:
        break;
    }
    return lt_fail(w->err, LEAT_E_INTERNAL, 0, "libjq's process said something unknown");
}

static leat_status take_messages(struct work *w) {
    struct lt_remote *remote = w->remote;
    leat_status status = LEAT_OK;
    struct lt_slice body;
    uint32_t type;

    while (status == LEAT_OK && w->head < w->n &&
           lt_wire_next(&remote->in, &remote->in_at, &type, &body))
        status = take_message(w, type, body);
    lt_buf_consume(&remote->in, remote->in_at);
    remote->in_at = 0;
    return status;
}

/* Waits until the helper says something, ends, or is over a limit. */
static enum event wait_for_event(struct work *w) {
    struct lt_remote *remote = w->remote;

    for (;;) {
        struct pollfd poller = {.fd = remote->process.fd, .events = wanted(remote)};
        int64_t now_ms = (lt_clock_mono_us() - w->since_us) / 1000;
        int64_t left_ms = remote->max_ms ? remote->max_ms - now_ms : LOOK_MS;
        if (left_ms > LOOK_MS)
            left_ms = LOOK_MS;
        int n = poll(&poller, 1, left_ms > 0 ? (int)left_ms : 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ENDED;
        if (n > 0 && !exchange(remote, poller.revents))
            return ENDED;
        if (n > 0 && (poller.revents & ~POLLOUT))
            return ANSWERED;
        if (n > 0)
            continue;
        if (left_ms <= 0)
            return TOO_LATE;
        size_t bytes = lt_remote_resident(&remote->process);
        if (remote->max_bytes && bytes > remote->process.base_bytes &&
            bytes - remote->process.base_bytes > remote->max_bytes)
            return TOO_LARGE;
    }
}

/* The head's outcome, or a second attempt; the jobs behind it are sent again. */
static leat_status bury(struct work *w, enum event event) {
    struct lt_remote *remote = w->remote;
    uint32_t ask = remote->process.shared->ask;
    int how = event == ENDED ? lt_remote_reap(&remote->process) : 0;
    char why[96];

    stop(remote);
    w->sent = w->head + 1;
    if (event == TOO_LATE)
        snprintf(why, sizeof(why), "took longer than %lld ms", (long long)remote->max_ms);
    else if (event == TOO_LARGE || (WIFEXITED(how) && WEXITSTATUS(how) == LT_WIRE_EXIT_NOMEM))
        snprintf(why, sizeof(why), "took more than %zu MiB of memory", remote->max_bytes >> 20);
    else if (!w->tried_before && !w->has_values) {
        w->tried_before = true; /* somebody may have killed it, or the machine ran out of memory */
        w->sent = w->head;
        return LEAT_OK;
    } else {
        snprintf(why, sizeof(why), "ended libjq unexpectedly (%s %d)",
                 WIFSIGNALED(how) ? "signal" : "exit code",
                 WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    }
    if (ask >= w->jobs[w->head].n_asks)
        ask = 0;
    struct lt_remote_outcome outcome = {
        .end = LT_REMOTE_KILLED, .ask = ask, .reason = lt_slice_str(why)};
    return end_head(w, &outcome);
}

/* A helper that libjq let grow is renewed between two runs; one that ended in its sleep is, too. */
static void renew(struct lt_remote *remote) {
    struct pollfd poller = {.fd = remote->process.fd, .events = POLLIN};

    if (remote->process.pid && (remote->grown || poll(&poller, 1, 0) != 0))
        stop(remote);
}

leat_status lt_remote_run(struct lt_remote *remote, const struct lt_remote_job *jobs, size_t n,
                          const struct lt_remote_sink *sink, struct leat_error *err) {
    struct work w = {.remote = remote, .jobs = jobs, .n = n, .sink = sink, .err = err};
    leat_status status = LEAT_OK;

    renew(remote);
    while (status == LEAT_OK && w.head < n) {
        status = lt_remote_start(remote, NULL, NULL, err);
        if (status == LEAT_OK)
            status = send_jobs(&w);
        if (status != LEAT_OK)
            break;
        enum event event = wait_for_event(&w);
        status = take_messages(&w);
        if (status == LEAT_OK && event != ANSWERED && w.head < n)
            status = bury(&w, event);
        else if (event == ENDED)
            stop(remote);
    }
    if (status != LEAT_OK)
        stop(remote); /* answers to come belong to nobody */
    return status;
}
