/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flush notes where the shards end now; each delivery is then told to put what it has once all
 * up to there is read, and has done its part when all up to there is in objects. An error that may
 * pass is waited out: a look around each LOOK_MS asks again until the time is up.
 */
#include "base/clock.h"
#include "engine/deliveries_parts.h"

#include <stdlib.h>

enum { LOOK_MS = 100, MAX_MS = 1000000000 };

/* One delivery's part of a flush. */
struct part {
    char *name; /* NULL: it has done its part */
    struct lt_pump_mark *marks;
    size_t n_marks;
    bool asked; /* the delivery is putting, and will tell */
    struct lt_deliveries_flush *flush;
};

struct lt_deliveries_flush {
    struct lt_deliveries *deliveries;
    struct part *parts;
    size_t n_parts;
    size_t n_asked; /* answers outstanding: the memory stays until they came */
    uv_timer_t timer;
    int64_t end_us;
    lt_deliveries_done *done; /* NULL once called */
    void *ctx;
    bool closed; /* the timer's close callback ran */
    struct lt_deliveries_flush *next;
};

static void free_when_quiet(struct lt_deliveries_flush *flush) {
    if (!flush->closed || flush->n_asked)
        return;
    for (size_t i = 0; i < flush->n_parts; i++) {
        free(flush->parts[i].name);
        free(flush->parts[i].marks);
    }
    free(flush->parts);
    free(flush);
}

static void on_closed(uv_handle_t *handle) {
    struct lt_deliveries_flush *flush = handle->data;
    flush->closed = true;
    free_when_quiet(flush);
}

/* Takes it out of the list and tells the caller. */
static void finish(struct lt_deliveries_flush *flush, leat_status status,
                   const struct leat_error *err) {
    struct lt_deliveries_flush **at = &flush->deliveries->flushes;
    lt_deliveries_done *done = flush->done;

    while (*at != flush)
        at = &(*at)->next;
    *at = flush->next;
    flush->done = NULL;
    uv_close((uv_handle_t *)&flush->timer, on_closed);
    done(flush->ctx, status, err);
}

static struct lt_delivery_entry *entry_of(struct part *part) {
    struct lt_delivery_entry *entry =
        lt_deliveries_entry(part->flush->deliveries, part->name, NULL);
    return entry && entry->state == LT_DELIVERY_ACTIVE && entry->pump ? entry : NULL;
}

static void check(struct lt_deliveries_flush *flush);

static void on_flushed(void *ctx, leat_status status, const struct leat_error *err) {
    struct part *part = ctx;
    struct lt_deliveries_flush *flush = part->flush;

    part->asked = false;
    flush->n_asked--;
    if (!flush->done) {
        free_when_quiet(flush);
        return;
    }
    if (status != LEAT_OK && status != LEAT_E_CANCELLED && !leat_status_is_retryable(status)) {
        finish(flush, status, err);
        return;
    }
    if (status == LEAT_OK)
        check(flush);
    /* else the next look asks again */
}

static void ask(struct part *part, struct lt_pump *pump) {
    part->asked = true;
    part->flush->n_asked++;
    lt_delivery_flush(lt_pump_delivery(pump), on_flushed, part);
}

/* True when this delivery has done its part, or is not there any more. */
static bool check_part(struct part *part) {
    struct lt_delivery_entry *entry = entry_of(part);
    struct lt_pump *pump = entry ? entry->pump : NULL;

    if (part->asked)
        return false;
    if (pump && !lt_pump_passed(pump, part->marks, part->n_marks, false)) {
        if (lt_pump_passed(pump, part->marks, part->n_marks, true))
            ask(part, pump);
        return false;
    }
    free(part->name);
    part->name = NULL;
    return true;
}

static void check(struct lt_deliveries_flush *flush) {
    size_t n_open = 0;

    for (size_t i = 0; i < flush->n_parts; i++)
        n_open += flush->parts[i].name && !check_part(&flush->parts[i]);
    if (!n_open && flush->done)
        finish(flush, LEAT_OK, NULL);
}

/* The time is up: the error that stands in the way, or that there is none. */
static void give_up(struct lt_deliveries_flush *flush) {
    struct leat_error err;
    struct part *open = flush->parts;

    while (!open->name)
        open++;
    struct lt_delivery_entry *entry = entry_of(open);
    struct lt_pump_stat stat = {0};
    if (entry)
        lt_pump_stat(entry->pump, &stat);
    if (stat.error.status != LEAT_OK)
        err = stat.error;
    else
        lt_fail(&err, LEAT_E_TIMEOUT, 0, "%llu records of the delivery %s are not in objects yet",
                (unsigned long long)stat.lag_records, open->name);
    finish(flush, err.status, &err);
}

static void on_look(uv_timer_t *timer) {
    struct lt_deliveries_flush *flush = timer->data;

    check(flush);
    if (!flush->done)
        return;
    if (lt_clock_mono_us() >= flush->end_us) {
        give_up(flush);
        return;
    }
    /* One that is failing with a full buffer reads no further: it tries again now, and tells. */
    for (size_t i = 0; i < flush->n_parts; i++) {
        struct part *part = &flush->parts[i];
        struct lt_delivery_entry *entry = part->name && !part->asked ? entry_of(part) : NULL;
        struct lt_delivery_stat stat;
        if (!entry)
            continue;
        lt_delivery_stat(lt_pump_delivery(entry->pump), &stat);
        if (stat.last_error.status != LEAT_OK)
            ask(part, entry->pump);
    }
}

void lt_deliveries_check_flushes(struct lt_deliveries *d) {
    struct lt_deliveries_flush *flush, *next;

    for (flush = d->flushes; flush; flush = next) {
        next = flush->next;
        check(flush);
    }
}

void lt_deliveries_cancel_flushes(struct lt_deliveries *d) {
    struct leat_error err;

    lt_fail(&err, LEAT_E_CANCELLED, 0, "the engine stops");
    while (d->flushes)
        finish(d->flushes, LEAT_E_CANCELLED, &err);
}

static leat_status add_part(struct lt_deliveries_flush *flush, struct lt_delivery_entry *entry,
                            struct leat_error *err) {
    struct part *part = &flush->parts[flush->n_parts];

    part->flush = flush;
    part->name = strdup(entry->doc->config.name);
    part->marks = lt_pump_marks(entry->pump, &part->n_marks);
    flush->n_parts++;
    if (!part->name || !part->marks)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to flush %s", entry->doc->config.name);
    return LEAT_OK;
}

static leat_status add_parts(struct lt_deliveries_flush *flush, const char *name,
                             struct leat_error *err) {
    struct lt_deliveries *d = flush->deliveries;
    leat_status status = LEAT_OK;

    flush->parts = calloc(d->n + 1, sizeof(flush->parts[0]));
    if (!flush->parts)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to flush the deliveries");
    for (size_t i = 0; status == LEAT_OK && i < d->n; i++) {
        struct lt_delivery_entry *entry = d->entries[i];
        if (entry->state != LT_DELIVERY_ACTIVE ||
            (name && strcmp(entry->doc->config.name, name) != 0))
            continue;
        if (entry->pump) {
            status = add_part(flush, entry, err);
        } else {
            *err = entry->error; /* it does not run */
            status = err->status;
        }
    }
    return status;
}

leat_status lt_deliveries_flush(struct lt_deliveries *d, const char *name, int64_t timeout_ms,
                                lt_deliveries_done *done, void *ctx, struct leat_error *err) {
    struct lt_deliveries_flush *flush;
    leat_status status;

    if (name && !lt_deliveries_find(d, name))
        return lt_fail(err, LEAT_E_NOT_FOUND, 0, "there is no delivery %s", name);
    flush = calloc(1, sizeof(*flush));
    if (!flush)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to flush the deliveries");
    flush->deliveries = d;
    status = add_parts(flush, name, err);
    if (status != LEAT_OK) {
        flush->closed = true;
        free_when_quiet(flush);
        return status;
    }
    flush->done = done;
    flush->ctx = ctx;
    flush->end_us = lt_clock_mono_us() + (timeout_ms < MAX_MS ? timeout_ms : MAX_MS) * 1000;
    flush->next = d->flushes;
    d->flushes = flush;
    uv_timer_init(d->env.loop, &flush->timer);
    flush->timer.data = flush;
    uv_timer_start(&flush->timer, on_look, 0, LOOK_MS);
    return LEAT_OK;
}
