/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pipeline while it is pulled: the line of pages, commits several times a second, and the end.
 * A run ends in any case with a commit of what it has: after a failure or a signal the spools stay
 * for the next run; after a complete pass they become objects first.
 */
#include "base/clock.h"
#include "base/log.h"
#include "pipeline/pull_parts.h"

#include <stdlib.h>

enum {
    TICK_MS = 50,
    PROGRESS_EVERY_TICKS = 4,
    COMMIT_EVERY_TICKS = 5,
    HELD_BYTES = 32 << 20, /* of pages in line, before the heap's own overhead */
    GRACE_MS = 10000       /* that streams have after a stop, to acknowledge what was sent */
};

/* ---- figures ---- */

static void fill_stat(struct lt_pull_run *run) {
    size_t at = run->stat_at;

    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (run->walked[i])
            lt_rest_walk_stat(run->walk, i, &run->stat->resources[at++]);
    }
}

void lt_pull_run_note(struct lt_pull_run *run, enum lt_rest_note note, const char *text,
                      int64_t until_ms) {
    if (note == LT_REST_NOTE_WAIT && until_ms) {
        run->stat->wait_until_ms = until_ms;
        snprintf(run->stat->wait_why, sizeof(run->stat->wait_why), "%s", text);
    }
    if (run->formatter && (note == LT_REST_NOTE_WAIT || note == LT_REST_NOTE_RETRY)) {
        lt_pull_format_note(run->formatter, "WARN", text);
        lt_pull_out_write(&run->out);
    }
    if (run->opt->on_note)
        run->opt->on_note(run->opt->ctx, note, text, until_ms);
}

/* ---- the line of pages ---- */

static leat_status settle(struct lt_pull_run *run, struct lt_pull_page *page,
                          struct leat_error *err) {
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < run->n_sinks && status == LEAT_OK; i++) {
        if (run->sinks[i].ops->settle)
            status = run->sinks[i].ops->settle(&run->sinks[i], page, err);
    }
    return status;
}

/* Pages leave in order: what the sinks have and what the positions say is one set of pages. */
static void leave(struct lt_pull_run *run) {
    struct leat_error err;

    for (;;) {
        lt_pull_pages_process(run);
        struct lt_pull_page *page = run->first;
        if (!page || !page->ready || page->failed || page->n_unacknowledged ||
            !lt_pull_sinks_have_room(run))
            return;
        if (settle(run, page, &err) != LEAT_OK) {
            page->failed = true;
            lt_pull_run_fail(run, &err);
            return;
        }
        run->first = page->next;
        if (!run->first)
            run->last = NULL;
        run->n_ready--;
        run->dirty = true;
        struct lt_rest_page *rest_page = page->page;
        lt_pull_page_free(page);
        lt_rest_walk_done(run->walk, rest_page);
    }
}

static void commit_if(struct lt_pull_run *run, bool wanted) {
    if (run->spools && wanted && !lt_pull_spools_is_committing(run->spools))
        lt_pull_state_commit(run);
}

/* ---- the end ---- */

/* Whether nothing more will come out of the line. */
static bool is_over(const struct lt_pull_run *run) {
    if (run->walk_ended && !run->first)
        return true;
    if (!run->failed && !run->interrupted && !run->out.closed)
        return false;
    return (run->failed && (!run->first || run->first->failed || !run->first->ready)) ||
           (run->give_up_ms && (int64_t)uv_now(&run->loop) >= run->give_up_ms);
}

static bool end_out(struct lt_pull_run *run) {
    struct leat_error err;

    if (!run->out.open)
        return true;
    if (!run->out_ended) {
        run->out_ended = true;
        if (lt_pull_format_end(run->formatter, run->complete, run->failed ? &run->error : NULL,
                               &err) != LEAT_OK)
            lt_pull_run_fail(run, &err);
        lt_pull_out_write(&run->out);
    }
    return lt_pull_out_is_idle(&run->out);
}

/* True when all is durable, and after a complete pass in objects. */
static bool end_spools(struct lt_pull_run *run) {
    if (!run->spools)
        return true;
    if (lt_pull_spools_is_committing(run->spools))
        return false;
    if (run->complete && !run->failed && !run->sealed) {
        run->sealed = true;
        lt_pull_spools_seal(run->spools);
    }
    if (!run->ending_commit) {
        run->ending_commit = true;
        lt_pull_state_commit(run);
        return !lt_pull_spools_is_committing(run->spools); /* it could not even begin */
    }
    if (run->failed || !run->complete || lt_pull_spools_is_empty(run->spools))
        return true;
    commit_if(run, !lt_pull_spools_n_waiting(run->spools));
    return false;
}

static void close_handle(void *handle) {
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_run(struct lt_pull_run *run) {
    if (run->walk)
        fill_stat(run);
    lt_pull_schemas_put_close(run);
    close_handle(&run->timer);
    close_handle(&run->sigint);
    close_handle(&run->sigterm);
    lt_pull_sinks_close(run);
    lt_pull_out_close(&run->out);
    lt_pull_spools_free(run->spools);
    run->spools = NULL;
    lt_rest_walk_free(run->walk);
    run->walk = NULL;
    if (run->streams)
        run->streams->ops->close(run->streams);
    run->streams = NULL;
}

static void on_close_timer(uv_timer_t *timer) {
    close_run(timer->data);
}

/* One step of the end at a time; each calls back when it is done. */
static void go_on_ending(struct lt_pull_run *run) {
    if (run->phase == LT_PULL_WALKING) {
        if (!is_over(run))
            return;
        run->complete &= !run->failed;
        run->phase = LT_PULL_ENDING;
    }
    if (run->phase == LT_PULL_ENDING) {
        if (!end_out(run) || !end_spools(run))
            return;
        if (run->failed || !run->complete) {
            run->phase = LT_PULL_DONE;
        } else {
            run->phase = LT_PULL_SCHEMAS;
            if (lt_pull_schemas_put(run))
                return;
        }
    }
    if (run->phase == LT_PULL_SCHEMAS) {
        if (lt_pull_schemas_putting(run))
            return;
        run->phase = run->spools && !run->failed ? LT_PULL_LAST : LT_PULL_DONE;
        if (run->phase == LT_PULL_LAST)
            commit_if(run, true);
    }
    if (run->phase == LT_PULL_LAST && !lt_pull_spools_is_committing(run->spools))
        run->phase = LT_PULL_DONE;
    if (run->phase == LT_PULL_DONE) /* from no callback of what is freed */
        uv_timer_start(&run->timer, on_close_timer, 0, 0);
}

void lt_pull_run_advance(struct lt_pull_run *run) {
    if (run->advancing || run->phase == LT_PULL_DONE || !run->walk)
        return; /* who is advancing looks again */
    run->advancing = true;
    if (run->phase == LT_PULL_WALKING) {
        leave(run);
        commit_if(run, run->spools && lt_pull_spools_wants_commit(run->spools));
    }
    go_on_ending(run);
    run->advancing = false;
}

void lt_pull_run_fail(struct lt_pull_run *run, const struct leat_error *err) {
    if (run->failed)
        return;
    run->failed = true;
    run->error = *err;
    run->complete = false;
    if (!run->give_up_ms)
        run->give_up_ms = (int64_t)uv_now(&run->loop) + GRACE_MS;
    if (run->walk && !run->walk_ended)
        lt_rest_walk_stop(run->walk);
}

/* ---- what the walk says ---- */

static void on_page(void *ctx, struct lt_rest_page *page) {
    lt_pull_page_take(ctx, page);
    lt_pull_run_advance(ctx);
}

static void on_walk_progress(void *ctx) {
    struct lt_pull_run *run = ctx;
    run->dirty = true;
}

static void on_note(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms) {
    lt_pull_run_note(ctx, note, text, until_ms);
}

static void on_walk_end(void *ctx, leat_status status, const struct leat_error *err) {
    struct lt_pull_run *run = ctx;

    run->walk_ended = true;
    run->dirty = true;
    run->complete = status == LEAT_OK && !run->failed;
    if (status != LEAT_OK && status != LEAT_E_CANCELLED)
        lt_pull_run_fail(run, err);
    lt_pull_run_advance(run);
}

/* ---- the loop ---- */

static void tell_state(struct lt_pull_run *run) {
    struct leat_error err;

    if (!run->formatter || !run->dirty || run->phase != LT_PULL_WALKING)
        return;
    run->dirty = false;
    if (lt_pull_format_state(run->formatter, &err) != LEAT_OK)
        lt_pull_run_fail(run, &err);
    lt_pull_out_write(&run->out);
}

static void on_tick(uv_timer_t *timer) {
    struct lt_pull_run *run = timer->data;

    if (++run->n_ticks % PROGRESS_EVERY_TICKS == 0 && run->opt->on_progress) {
        fill_stat(run);
        run->stat->elapsed_ms = (lt_clock_mono_us() - run->started_us) / 1000;
        run->opt->on_progress(run->opt->ctx, run->stat);
    }
    if (run->n_ticks % COMMIT_EVERY_TICKS == 0) {
        tell_state(run);
        if (run->spools) {
            lt_pull_spools_tick(run->spools);
            commit_if(run, run->dirty && run->phase == LT_PULL_WALKING);
        }
    }
    lt_pull_run_advance(run);
}

static void on_signal(uv_signal_t *handle, int signum) {
    struct lt_pull_run *run = handle->data;

    (void)signum;
    run->interrupted = true;
    run->stat->interrupted = true;
    if (!run->give_up_ms)
        run->give_up_ms = (int64_t)uv_now(&run->loop) + GRACE_MS;
    if (!run->walk_ended)
        lt_rest_walk_stop(run->walk);
    lt_pull_run_advance(run);
}

static leat_status start(struct lt_pull_run *run, struct leat_error *err) {
    const struct lt_rest_walk_options opt = {
        .api = run->api,
        .loop = &run->loop,
        .selected = run->selected,
        .limit = run->opt->limit,
        .positions = run->positions,
        .max_held_bytes = HELD_BYTES,
        .ctx = run,
        .on_page = on_page,
        .on_progress = on_walk_progress,
        .on_note = on_note,
        .on_end = on_walk_end,
    };
    leat_status status = LEAT_OK;

    if (run->formatter)
        status = lt_pull_format_begin(run->formatter, err);
    if (status == LEAT_OK)
        status = lt_rest_walk_start(&run->walk, &opt, err);
    if (status != LEAT_OK)
        return status;
    run->dirty = true; /* what is forgotten should be so soon */
    uv_timer_start(&run->timer, on_tick, TICK_MS, TICK_MS);
    /* once: a second signal finds the system's own action, and ends the program */
    uv_signal_start_oneshot(&run->sigint, on_signal, SIGINT);
    uv_signal_start_oneshot(&run->sigterm, on_signal, SIGTERM);
    return LEAT_OK;
}

leat_status lt_pull_run(struct lt_pull_run *run, struct leat_error *err) {
    int rc = uv_loop_init(&run->loop);
    if (rc)
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot make a loop");
    uv_timer_init(&run->loop, &run->timer);
    uv_signal_init(&run->loop, &run->sigint);
    uv_signal_init(&run->loop, &run->sigterm);
    run->timer.data = run->sigint.data = run->sigterm.data = run;
    leat_status status = lt_pull_open(run, err);
    if (status == LEAT_OK)
        status = start(run, err);
    if (status != LEAT_OK) {
        run->phase = LT_PULL_DONE;
        close_run(run);
    }
    uv_run(&run->loop, UV_RUN_DEFAULT);
    uv_loop_close(&run->loop);
    lt_pull_close(run);
    if (status == LEAT_OK && run->failed) {
        *err = run->error;
        status = run->error.status;
    }
    return status;
}
