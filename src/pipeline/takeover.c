/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/takeover.h"

#include "base/log.h"
#include "store/folder.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 20, FAILED_WAIT_MS = 1000 };

struct lt_takeover {
    char *data_dir;
    pthread_t thread;
    /* the thread's until it has ended */
    struct lt_engine *engine;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    bool stop; /* guarded by mu */
};

/** False when it is to stop. */
static bool wait_a_while(struct lt_takeover *takeover, int64_t ms) {
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&takeover->mu);
    while (!takeover->stop &&
           pthread_cond_clockwait(&takeover->changed, &takeover->mu, CLOCK_MONOTONIC, &until) == 0)
        ;
    bool stop = takeover->stop;
    pthread_mutex_unlock(&takeover->mu);
    return !stop;
}

static void *watch(void *arg) {
    struct lt_takeover *takeover = arg;
    const struct lt_engine_options opt = {.data_dir = takeover->data_dir, .passing = true};
    int64_t wait_ms = LOOK_MS;
    struct leat_error err;

    while (!takeover->engine && wait_a_while(takeover, wait_ms)) {
        wait_ms = LOOK_MS;
        if (!lt_folder_is_left(takeover->data_dir))
            continue;
        leat_status status = lt_engine_open(&takeover->engine, &opt, &err);
        if (status == LEAT_OK)
            lt_log(LT_LOG_DEBUG, "engine", "the command that had %s has ended; this one goes on",
                   takeover->data_dir);
        if (status == LEAT_OK || status == LEAT_E_BUSY) /* another one was faster */
            continue;
        lt_log(LT_LOG_WARN, "engine", "cannot go on with %s, which another command has left: %s",
               takeover->data_dir, err.text);
        wait_ms = FAILED_WAIT_MS;
    }
    return NULL;
}

leat_status lt_takeover_start(struct lt_takeover **out, const char *data_dir,
                              struct leat_error *err) {
    struct lt_takeover *takeover = calloc(1, sizeof(*takeover));
    sigset_t all, before;

    *out = NULL;
    if (takeover)
        takeover->data_dir = strdup(data_dir);
    if (!takeover || !takeover->data_dir) {
        free(takeover);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to watch the folder %s", data_dir);
    }
    pthread_mutex_init(&takeover->mu, NULL);
    pthread_cond_init(&takeover->changed, NULL);
    sigfillset(&all); /* signals are the command's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int sys = pthread_create(&takeover->thread, NULL, watch, takeover);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (sys) {
        pthread_cond_destroy(&takeover->changed);
        pthread_mutex_destroy(&takeover->mu);
        free(takeover->data_dir);
        free(takeover);
        return lt_fail_sys(err, sys, "starting a thread");
    }
    *out = takeover;
    return LEAT_OK;
}

void lt_takeover_stop(struct lt_takeover *takeover, bool flush) {
    if (!takeover)
        return;
    pthread_mutex_lock(&takeover->mu);
    takeover->stop = true;
    pthread_cond_signal(&takeover->changed);
    pthread_mutex_unlock(&takeover->mu);
    pthread_join(takeover->thread, NULL);
    lt_engine_close(takeover->engine, flush);
    pthread_cond_destroy(&takeover->changed);
    pthread_mutex_destroy(&takeover->mu);
    free(takeover->data_dir);
    free(takeover);
}
