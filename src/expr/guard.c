/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jq's interpreter looks at its `halted` mark before each instruction, and jq_halt()
 * sets it: that stops an endless loop or recursion from outside. What runs inside
 * one C function of libjq (a regular expression, "x" * 1e9) cannot be stopped so.
 * The mutex makes sure that the run that is halted is the one that was looked at.
 */
#include "expr/guard.h"

#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 20, DEFAULT_MAX_MS = 5000, DEFAULT_MAX_BYTES = 512 << 20 };

static size_t resident_bytes(void) {
    char text[128];

    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *second = strchr(text, ' '); /* pages: in all, resident, … */
    return second ? strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static void look(struct lt_guard *g) {
    if (!g->running || g->trip)
        return;
    if (g->run != g->seen_run) {
        g->seen_run = g->run;
        g->seen_bytes = resident_bytes();
    } else {
        size_t bytes = resident_bytes();
        if (bytes > g->seen_bytes && bytes - g->seen_bytes > g->max_bytes)
            g->trip = LT_GUARD_MEMORY;
    }
    if (lt_clock_mono_us() / 1000 - g->since_ms > g->max_ms)
        g->trip = LT_GUARD_TIME;
    if (g->trip)
        lt_jq.halt(g->jq, lt_jq.invalid(), lt_jq.invalid());
}

static void *watch(void *data) {
    struct lt_guard *g = data;

    pthread_mutex_lock(&g->mu);
    while (!g->stop) {
        if (!g->in_batch) {
            pthread_cond_wait(&g->changed, &g->mu);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&g->changed, &g->mu, &until);
        look(g);
    }
    pthread_mutex_unlock(&g->mu);
    return NULL;
}

void lt_guard_init(struct lt_guard *guard, jq_state *jq) {
    pthread_condattr_t attr;

    *guard = (struct lt_guard){.jq = jq, .max_ms = DEFAULT_MAX_MS, .max_bytes = DEFAULT_MAX_BYTES};
    pthread_mutex_init(&guard->mu, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&guard->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void lt_guard_deinit(struct lt_guard *guard) {
    if (guard->started) {
        pthread_mutex_lock(&guard->mu);
        guard->stop = true;
        pthread_cond_signal(&guard->changed);
        pthread_mutex_unlock(&guard->mu);
        pthread_join(guard->thread, NULL);
        guard->started = false;
    }
    pthread_cond_destroy(&guard->changed);
    pthread_mutex_destroy(&guard->mu);
}

void lt_guard_set_limits(struct lt_guard *guard, int64_t max_ms, size_t max_bytes) {
    pthread_mutex_lock(&guard->mu);
    guard->max_ms = max_ms;
    guard->max_bytes = max_bytes;
    pthread_mutex_unlock(&guard->mu);
}

leat_status lt_guard_enter(struct lt_guard *guard, struct leat_error *err) {
    if (!guard->started) {
        int failed = pthread_create(&guard->thread, NULL, watch, guard);
        if (failed)
            return lt_fail_sys(err, failed, "cannot start the thread that guards expressions");
        guard->started = true;
    }
    pthread_mutex_lock(&guard->mu);
    guard->in_batch = true;
    pthread_cond_signal(&guard->changed);
    pthread_mutex_unlock(&guard->mu);
    return LEAT_OK;
}

void lt_guard_leave(struct lt_guard *guard) {
    pthread_mutex_lock(&guard->mu);
    guard->in_batch = false;
    pthread_mutex_unlock(&guard->mu);
}

void lt_guard_begin(struct lt_guard *guard) {
    int64_t now_ms = lt_clock_mono_us() / 1000;

    pthread_mutex_lock(&guard->mu);
    guard->run++;
    guard->since_ms = now_ms;
    guard->trip = LT_GUARD_NONE;
    guard->running = true;
    pthread_mutex_unlock(&guard->mu);
}

enum lt_guard_trip lt_guard_end(struct lt_guard *guard) {
    pthread_mutex_lock(&guard->mu);
    enum lt_guard_trip trip = guard->trip;
    guard->running = false;
    pthread_mutex_unlock(&guard->mu);
    return trip;
}

void lt_guard_explain(struct lt_guard *guard, enum lt_guard_trip trip, char out[64]) {
    pthread_mutex_lock(&guard->mu);
    if (trip == LT_GUARD_TIME)
        snprintf(out, 64, "took longer than %lld ms", (long long)guard->max_ms);
    else
        snprintf(out, 64, "took more than %zu MiB of memory", guard->max_bytes >> 20);
    pthread_mutex_unlock(&guard->mu);
}
