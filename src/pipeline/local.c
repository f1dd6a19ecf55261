/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/local.h"

#include "base/clock.h"
#include "pipeline/local_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CARRY_MAX_BYTES = 1 << 20,
    PIPE_BYTES = 1 << 20,
    ALONE_CHUNKS = 8, /* so many before others join: a small input needs no second program */
    MAX_WORKERS = 4
};

/* ---- files ---- */

static leat_status open_file(struct lt_local *local, size_t at, const char *name,
                             struct leat_error *err) {
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/%s.jsonl", local->opt->to, name);

    if (len < 0 || (size_t)len >= sizeof(path))
        return lt_fail(err, LEAT_E_LIMIT, 0, "the path of %s is too long", name);
    for (char *c = path + strlen(local->opt->to) + 1; *c; c++) {
        if (*c == '/' || *c == ':')
            *c = '_';
    }
    local->files[at] = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (local->files[at] < 0)
        return lt_fail_sys(err, errno, "cannot make %s", path);
    return LEAT_OK;
}

static leat_status open_out(struct lt_local *local, struct leat_error *err) {
    const struct lt_system_pipeline *pipeline = local->opt->pipeline;
    leat_status status = LEAT_OK;

    local->files = calloc(local->n_files, sizeof(*local->files));
    if (!local->files)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the routes");
    for (size_t i = 0; i < local->n_files; i++)
        local->files[i] = -1;
    if (local->to_stdout) {
        local->files[0] = STDOUT_FILENO;
        (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES); /* where it is a pipe */
        return LEAT_OK;
    }
    if (mkdir(local->opt->to, 0777) < 0 && errno != EEXIST)
        return lt_fail_sys(err, errno, "cannot make the folder %s", local->opt->to);
    for (size_t i = 0; i < local->n_files && status == LEAT_OK; i++)
        status = open_file(local, i,
                           i < pipeline->n_routes ? pipeline->routes[i].to : "dead-letters", err);
    return status;
}

static leat_status open_in(struct lt_local *local, struct leat_error *err) {
    if (strcmp(local->opt->from, "-") != 0) {
        local->in = open(local->opt->from, O_RDONLY | O_CLOEXEC);
        if (local->in < 0)
            return lt_fail_sys(err, errno, "cannot read %s", local->opt->from);
        (void)posix_fadvise(local->in, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    (void)fcntl(local->in, F_SETPIPE_SZ, PIPE_BYTES);
    return LEAT_OK;
}

/* ---- workers ---- */

static void *help(void *arg) {
    struct lt_local_worker *worker;
    struct leat_error err;

    /* who cannot help leaves it to the others */
    if (lt_local_worker_new(&worker, arg, &err) == LEAT_OK)
        while (lt_local_worker_step(worker))
            ;
    lt_local_worker_free(worker);
    return NULL;
}

static unsigned count_workers(const struct lt_local_options *opt) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    if (opt->n_threads)
        n = (int)opt->n_threads;
    return n > MAX_WORKERS ? MAX_WORKERS : n < 1 ? 1 : (unsigned)n;
}

static leat_status run(struct lt_local *local, struct leat_error *err) {
    pthread_t helpers[MAX_WORKERS];
    unsigned n_helpers = 0, n_wanted = count_workers(local->opt) - 1;
    struct lt_local_worker *worker;
    leat_status status = lt_local_worker_new(&worker, local, err);

    for (unsigned n = 1; status == LEAT_OK && lt_local_worker_step(worker); n++) {
        while (n == ALONE_CHUNKS && n_helpers < n_wanted &&
               pthread_create(&helpers[n_helpers], NULL, help, local) == 0)
            n_helpers++;
    }
    for (unsigned i = 0; i < n_helpers; i++)
        pthread_join(helpers[i], NULL);
    lt_local_worker_free(worker);
    if (status == LEAT_OK && local->status != LEAT_OK) {
        status = local->status;
        if (err)
            *err = local->err;
    }
    return status;
}

/* ---- all of it ---- */

static leat_status init_stat(struct lt_local *local, struct lt_run_stat *stat,
                             struct leat_error *err) {
    const struct lt_system_pipeline *pipeline = local->opt->pipeline;

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

static void deinit(struct lt_local *local) {
    for (size_t i = 0; local->files && i < local->n_files; i++) {
        if (local->files[i] > STDERR_FILENO)
            close(local->files[i]);
    }
    if (local->in > STDERR_FILENO)
        close(local->in);
    free(local->files);
    lt_buf_deinit(&local->carry);
    pthread_mutex_destroy(&local->read_mu);
    pthread_mutex_destroy(&local->turn_mu);
    pthread_cond_destroy(&local->turned);
}

leat_status lt_run_local(const struct lt_local_options *opt, struct lt_run_stat *stat,
                         struct leat_error *err) {
    int64_t started_us = lt_clock_mono_us();
    struct lt_local local = {
        .opt = opt, .to_stdout = strcmp(opt->to, "-") == 0, .n_files = opt->pipeline->n_routes + 1};

    *stat = (struct lt_run_stat){0};
    lt_buf_init(&local.carry, CARRY_MAX_BYTES);
    pthread_mutex_init(&local.read_mu, NULL);
    pthread_mutex_init(&local.turn_mu, NULL);
    pthread_cond_init(&local.turned, NULL);
    leat_status status = init_stat(&local, stat, err);
    if (status == LEAT_OK)
        status = open_in(&local, err);
    if (status == LEAT_OK)
        status = open_out(&local, err);
    if (status == LEAT_OK)
        status = run(&local, err);
    stat->elapsed_ms = (lt_clock_mono_us() - started_us) / 1000;
    deinit(&local);
    return status;
}
