/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two stages: `gather` fills while `commit` brings the object before it out. When a restart finds
 * an intent, `resume` gathers its records, and only them, beside the ordinary gather, which waits
 * until that object is out: at most one object is on its way. advance() looks at all that could
 * be due (a full buffer, an interval, a retry, a flush), does it, and sets the one timer for what
 * comes next.
 */
#include "deliver/delivery.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "deliver/commit.h"
#include "deliver/compress.h"
#include "deliver/prefix.h"
#include "deliver/shards.h"

#include <stdlib.h>

enum { POSITIONS_MAX_BYTES = 256 << 20, KEY_LIMIT_BYTES = 1024, RETRY_CAP_MS = 20000 };

/* lt_retry_default without an end: the source keeps the records. */
static const struct lt_retry_policy retry_policy = {
    .base_ms = 100, .cap_ms = RETRY_CAP_MS, .retry_after_cap_ms = 120000};

struct flush {
    void (*done)(void *ctx, leat_status status, const struct leat_error *err);
    void *ctx;
    uint64_t until; /* the object whose settling fulfils it */
    bool spared;    /* asked while a try was under way: its failure is old news */
    struct flush *next;
};

/* Of an intent found at start. */
enum resume {
    RESUME_NONE,
    RESUME_LOOKING,   /* is its object there? */
    RESUME_GATHERING, /* it is not, or nobody knows: its records are awaited */
    RESUME_GIVEN      /* they are on their way */
};

struct series {
    struct lt_metric_series *records, *bytes, *objects, *errors, *buffer;
};

struct lt_delivery {
    struct lt_arena strings; /* immutable after new */
    struct lt_delivery_options opt;
    struct lt_book book;
    struct lt_commit_target target;
    struct series series;

    uv_timer_t *timer; /* freed by its close callback */
    struct lt_delivery_shards shards;
    struct lt_gather gather;
    bool gather_full;
    uint64_t gather_no; /* the number of the object that `gather` will be: 1, 2, … */
    uint64_t settled_no;

    struct lt_commit *commit; /* or NULL */
    uint64_t commit_no;
    uint64_t commit_held; /* bytes that it holds */
    bool committing;      /* a try is under way */
    struct lt_retry retry;
    int64_t retry_at_us;

    enum resume resuming;
    size_t n_resume_open; /* shards whose records of it are still to come */
    struct lt_gather resume;

    struct flush *flushes;
    struct lt_delivery_stat stat;
    unsigned n_inside; /* callbacks under way */
    bool closing;      /* freed, but for the memory if callbacks are under way */
};

static bool gather_due(const struct lt_delivery *d, int64_t now_us) {
    if (!d->gather.n_records)
        return false;
    if (d->gather_full || d->gather.n_held >= d->opt.buffer_bytes)
        return true;
    for (const struct flush *f = d->flushes; f; f = f->next)
        if (f->until >= d->gather_no)
            return true;
    return now_us - d->gather.since_us >= d->opt.buffer_ms * 1000;
}

static bool flush_due(const struct lt_delivery *d) {
    for (const struct flush *f = d->flushes; f; f = f->next)
        if (f->until <= d->settled_no)
            return true;
    return false;
}

/* True while the commit can only wait for records of its shards. */
static bool waits_for_records(const struct lt_delivery *d) {
    return d->resuming == RESUME_GATHERING && d->n_resume_open;
}

/* Microseconds until something may be due; -1: nothing before the next call. */
static int64_t next_wait_us(const struct lt_delivery *d, int64_t now_us) {
    if (flush_due(d))
        return 0;
    if (d->committing || (d->commit ? waits_for_records(d) : !d->gather.n_records))
        return -1;
    if (d->retry_at_us > now_us)
        return d->retry_at_us - now_us;
    if (d->commit || gather_due(d, now_us))
        return 0;
    return d->gather.since_us + d->opt.buffer_ms * 1000 - now_us;
}

static void on_timer(uv_timer_t *timer);

static void schedule(struct lt_delivery *d) {
    int64_t wait_us = next_wait_us(d, lt_clock_mono_us());

    lt_metric_set(d->series.buffer, (double)(d->gather.n_held + d->resume.n_held + d->commit_held));
    if (wait_us < 0)
        uv_timer_stop(d->timer);
    else
        uv_timer_start(d->timer, on_timer, (uint64_t)(wait_us + 999) / 1000, 0);
}

/* After a callback, which may have freed us: only the memory waits for the outermost to return. */
static bool leave(struct lt_delivery *d) {
    bool closing = d->closing;

    if (--d->n_inside == 0 && closing)
        free(d);
    return !closing;
}

/* Calls the flushes whose objects are out, or with `err` all of them. False when one freed us. */
static bool fulfil(struct lt_delivery *d, const struct leat_error *err) {
    struct flush **at = &d->flushes, *due = NULL, **due_end = &due;

    while (*at) {
        struct flush *f = *at;
        bool told = err && (!f->spared || d->closing);
        f->spared = f->spared && !err;
        if (told || f->until <= d->settled_no) {
            *at = f->next;
            f->next = NULL;
            *due_end = f;
            due_end = &f->next;
        } else {
            at = &f->next;
        }
    }
    d->n_inside++;
    while (due) {
        struct flush *f = due;
        due = f->next;
        bool out = f->until <= d->settled_no;
        f->done(f->ctx, out ? LEAT_OK : err->status, out ? NULL : err);
        free(f);
    }
    return leave(d);
}

/* False when it freed us. */
static bool tell_progress(struct lt_delivery *d) {
    if (!d->opt.on_progress)
        return true;
    d->n_inside++;
    d->opt.on_progress(d->opt.ctx, d);
    return leave(d);
}

static void note_failure(struct lt_delivery *d, const struct leat_error *err) {
    struct leat_error retryable = *err;
    int64_t wait_ms = 0;

    d->stat.n_errors++;
    d->stat.last_error = *err;
    lt_metric_add(d->series.errors, 1);
    lt_log(LT_LOG_WARN, "delivery", "%s: %s (failure %u in a row; it is tried again)", d->opt.name,
           err->text, d->retry.n_attempts + 1);
    /* A missing bucket or a refused key may be mended; until then the source keeps the records. */
    retryable.status = LEAT_E_REMOTE;
    if (!lt_retry_next(&d->retry, &retryable, &wait_ms))
        wait_ms = RETRY_CAP_MS;
    d->retry_at_us = lt_clock_mono_us() + wait_ms * 1000;
}

static void note_total(struct lt_delivery *d) {
    d->stat.n_records = d->book.total.n_records;
    d->stat.n_bytes = d->book.total.n_bytes;
    d->stat.n_objects = d->book.total.n_objects;
}

static void settle(struct lt_delivery *d, const struct lt_intent *intent) {
    for (size_t i = 0; i < intent->n_ranges; i++) {
        const struct lt_intent_range *range = &intent->ranges[i];
        struct lt_delivery_shard *shard = lt_delivery_shards_find(&d->shards, range->shard);
        if (!shard)
            continue;
        lt_delivery_shard_settle(shard, range->last, range->position);
        shard->resume_to = 0;
    }
    memset(&d->stat.last_error, 0, sizeof(d->stat.last_error));
    lt_metric_add(d->series.records, (double)intent->n_records);
    lt_metric_add(d->series.bytes, (double)intent->n_bytes);
    lt_metric_add(d->series.objects, 1);

    note_total(d);
    d->settled_no = d->commit_no;
    lt_commit_cancel(d->commit);
    d->commit = NULL;
    d->commit_held = 0;
    d->resuming = RESUME_NONE;
    d->retry.n_attempts = 0;
    d->retry_at_us = 0;
    lt_gather_deinit(&d->resume);
}

static void on_commit(void *ctx, enum lt_commit_outcome outcome, const struct leat_error *err);

/* Starts what is due; calls nobody back. */
static void proceed(struct lt_delivery *d) {
    int64_t now_us = lt_clock_mono_us();

    if (d->committing || d->retry_at_us > now_us)
        return;
    if (!d->commit && gather_due(d, now_us)) {
        uint64_t held = d->gather.n_held;
        d->commit = lt_commit_new(&d->target, &d->gather);
        if (!d->commit) {
            d->retry_at_us = now_us + 100000; /* no memory */
            return;
        }
        d->commit_held = held;
        d->commit_no = d->gather_no++;
        d->gather_full = false;
    }
    if (!d->commit || waits_for_records(d))
        return;
    if (d->resuming == RESUME_GATHERING) {
        d->commit_held = d->resume.n_held;
        lt_commit_give(d->commit, &d->resume);
        d->resuming = RESUME_GIVEN;
    }
    d->committing = true;
    lt_commit_start(d->commit, on_commit, d);
}

static void on_timer(uv_timer_t *timer) {
    struct lt_delivery *d = timer->data;

    proceed(d);
    if (fulfil(d, NULL))
        schedule(d);
}

static void on_commit(void *ctx, enum lt_commit_outcome outcome, const struct leat_error *err) {
    struct lt_delivery *d = ctx;
    struct leat_error failure = *err;
    bool failed = outcome == LT_COMMIT_FAILED;

    d->committing = false;
    if (failed)
        note_failure(d, &failure);
    else if (outcome == LT_COMMIT_ABSENT)
        d->resuming = RESUME_GATHERING;
    else
        settle(d, lt_commit_intent(d->commit));
    proceed(d); /* the next object is on its way before anybody is told */
    if (!fulfil(d, failed ? &failure : NULL) || !tell_progress(d))
        return;
    if (failed && d->flushes)
        d->retry_at_us = 0;
    schedule(d);
}

/* The shard's records of the resumed intent have all come, or will not come any more. */
static void close_resume(struct lt_delivery *d, struct lt_delivery_shard *shard) {
    if (!shard->resume_to || shard->resume_whole)
        return;
    shard->resume_whole = true;
    d->n_resume_open--;
}

/* Takes one record; `*full` when it has to wait. */
static leat_status take(struct lt_delivery *d, struct lt_delivery_shard *shard,
                        const struct lt_delivery_record *record, bool *full,
                        struct leat_error *err) {
    leat_status status;

    if (record->seq <= shard->pushed)
        return LEAT_OK;
    if (shard->resume_to && record->seq <= shard->resume_to) {
        bool newline = lt_commit_intent(d->commit)->newline;
        status = lt_gather_add(&d->resume, shard->name, record, newline, err);
        if (status == LEAT_OK && record->seq == shard->resume_to)
            close_resume(d, shard);
    } else {
        close_resume(d, shard); /* what is missing is gone from the source */
        if (d->gather.n_records &&
            d->gather.n_held + record->data.len + d->opt.newline > d->opt.buffer_bytes) {
            d->gather_full = true;
            proceed(d);
            *full = d->gather.n_records != 0;
            if (*full)
                return LEAT_OK;
        }
        status = lt_gather_add(&d->gather, shard->name, record, d->opt.newline, err);
    }
    if (status == LEAT_OK)
        shard->pushed = record->seq;
    return status;
}

leat_status lt_delivery_push(struct lt_delivery *d, const char *shard_name,
                             const struct lt_delivery_record *records, size_t n, size_t *n_taken,
                             struct leat_error *err) {
    struct lt_delivery_shard *shard = lt_delivery_shards_get(&d->shards, shard_name);
    leat_status status = LEAT_OK;
    bool full = false;

    *n_taken = 0;
    if (!shard)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for shard %s", shard_name);
    while (*n_taken < n) {
        status = take(d, shard, &records[*n_taken], &full, err);
        if (status != LEAT_OK || full)
            break;
        ++*n_taken;
    }
    if (d->gather.n_held >= d->opt.buffer_bytes || d->resuming == RESUME_GATHERING)
        proceed(d);
    schedule(d);
    return status;
}

leat_status lt_delivery_skip(struct lt_delivery *d, const char *shard_name, uint64_t seq,
                             struct leat_error *err) {
    struct lt_delivery_shard *shard = lt_delivery_shards_get(&d->shards, shard_name);

    if (!shard)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for shard %s", shard_name);
    if (seq >= shard->resume_to)
        close_resume(d, shard);
    if (shard->pushed < seq)
        shard->pushed = seq;
    proceed(d);
    schedule(d);
    return LEAT_OK;
}

uint64_t lt_delivery_position(struct lt_delivery *d, const char *shard_name,
                              struct lt_slice *position) {
    struct lt_delivery_shard *shard = lt_delivery_shards_find(&d->shards, shard_name);

    if (position)
        *position = shard ? lt_buf_slice(&shard->position) : (struct lt_slice){"", 0};
    return shard ? shard->delivered : 0;
}

void lt_delivery_flush(struct lt_delivery *d,
                       void (*done)(void *ctx, leat_status status, const struct leat_error *err),
                       void *ctx) {
    struct flush *f = calloc(1, sizeof(*f));

    if (!f) {
        struct leat_error err;
        done(ctx, lt_fail(&err, LEAT_E_NOMEM, 0, "no memory to flush %s", d->opt.name), &err);
        return;
    }
    f->done = done;
    f->ctx = ctx;
    f->until = d->gather.n_records ? d->gather_no : d->commit ? d->commit_no : d->settled_no;
    f->spared = d->committing;
    f->next = d->flushes;
    d->flushes = f;
    d->retry_at_us = 0; /* who asks now hears of the state now */
    proceed(d);
    schedule(d);
}

void lt_delivery_stat(const struct lt_delivery *d, struct lt_delivery_stat *out) {
    *out = d->stat;
    out->buffer_bytes = d->gather.n_held + d->resume.n_held + d->commit_held;
}

static void free_timer(uv_handle_t *timer) {
    free(timer);
}

void lt_delivery_free(struct lt_delivery *d) {
    struct leat_error err;

    if (!d || d->closing)
        return;
    d->closing = true;
    d->n_inside++;
    lt_commit_cancel(d->commit);
    lt_fail(&err, LEAT_E_CANCELLED, 0, "the delivery was stopped");
    fulfil(d, &err);
    if (d->series.buffer)
        lt_metric_set(d->series.buffer, 0);
    if (d->timer)
        uv_close((uv_handle_t *)d->timer, free_timer);
    lt_gather_deinit(&d->gather);
    lt_gather_deinit(&d->resume);
    lt_delivery_shards_deinit(&d->shards);
    lt_book_deinit(&d->book);
    lt_arena_deinit(&d->strings);
    leave(d);
}

/* Copies what the options point to. */
static leat_status copy_options(struct lt_delivery *d, const struct lt_delivery_options *opt,
                                struct leat_error *err) {
    const char **texts[] = {&d->opt.name,   &d->opt.source,       &d->opt.bucket,
                            &d->opt.prefix, &d->opt.error_prefix, &d->opt.suffix};

    d->opt = *opt;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = lt_arena_str(&d->strings, lt_slice_str(*texts[i] ? *texts[i] : ""));
        if (!*texts[i])
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", opt->name);
    }
    if (!d->opt.version)
        d->opt.version = 1;
    return LEAT_OK;
}

static leat_status check_options(const struct lt_delivery_options *opt, struct leat_error *err) {
    struct lt_prefix_values values = {.time_ms = 1695995999999, .seed = LT_LIT("check")};
    struct lt_buf key;
    leat_status status = lt_delivery_check_prefix(lt_slice_str(opt->prefix), false, err);

    if (status == LEAT_OK && *opt->error_prefix)
        status = lt_delivery_check_prefix(lt_slice_str(opt->error_prefix), true, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_init(&key, 1 << 20);
    status = lt_prefix_append(&key, lt_slice_str(opt->prefix), &values, err);
    /* version, time and the unique part take 70 more at most */
    if (status == LEAT_OK &&
        key.len + strlen(opt->name) + strlen(opt->suffix) + 70 > KEY_LIMIT_BYTES)
        status =
            lt_fail(err, LEAT_E_INVALID, 0, "the keys of delivery %s would be longer than %d bytes",
                    opt->name, KEY_LIMIT_BYTES);
    lt_buf_deinit(&key);
    return status;
}

/* Takes over what the state says; an intent left by a crash is looked for at once. */
static leat_status recover(struct lt_delivery *d, struct leat_error *err) {
    struct lt_book_position *positions;
    struct lt_intent *intent;
    struct lt_arena arena;
    size_t n = 0;

    lt_arena_init(&arena, POSITIONS_MAX_BYTES);
    leat_status status = lt_book_open(&d->book, d->opt.state, d->opt.name, d->opt.source, &arena,
                                      &positions, &n, &intent, err);
    note_total(d);
    for (size_t i = 0; status == LEAT_OK && i < n; i++) {
        struct lt_delivery_shard *shard = lt_delivery_shards_get(&d->shards, positions[i].shard);
        if (!shard)
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu positions", n);
        else
            lt_delivery_shard_settle(shard, positions[i].seq, positions[i].position);
    }
    for (size_t i = 0; status == LEAT_OK && intent && i < intent->n_ranges; i++) {
        struct lt_delivery_shard *shard =
            lt_delivery_shards_get(&d->shards, intent->ranges[i].shard);
        if (!shard) {
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an intent");
        } else {
            shard->resume_to = intent->ranges[i].last;
            d->n_resume_open++;
        }
    }
    if (status == LEAT_OK && intent) {
        d->commit = lt_commit_resume(&d->target, intent);
        if (!d->commit)
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to resume an object");
        else
            intent = NULL;
        d->commit_no = d->gather_no++;
        d->resuming = RESUME_LOOKING;
    }
    lt_intent_free(intent);
    lt_arena_deinit(&arena);
    return status;
}

static void aim(struct lt_delivery *d) {
    struct lt_metrics *metrics = lt_metrics_global();

    d->target = (struct lt_commit_target){
        .loop = d->opt.loop,
        .objects = d->opt.objects,
        .bucket = d->opt.bucket,
        .book = &d->book,
        .naming = {.delivery = d->opt.name,
                   .identity = d->book.id,
                   .prefix = d->opt.prefix,
                   .suffix = d->opt.suffix,
                   .version = d->opt.version,
                   .compression = d->opt.compression,
                   .newline = d->opt.newline},
    };
    d->series = (struct series){
        .records = lt_metric(metrics, LT_METRIC_DELIVERY_RECORDS, d->opt.name, NULL, NULL),
        .bytes = lt_metric(metrics, LT_METRIC_DELIVERY_BYTES, d->opt.name, NULL, NULL),
        .objects = lt_metric(metrics, LT_METRIC_DELIVERY_OBJECTS, d->opt.name, NULL, NULL),
        .errors = lt_metric(metrics, LT_METRIC_DELIVERY_ERRORS, d->opt.name, NULL, NULL),
        .buffer = lt_metric(metrics, LT_METRIC_DELIVERY_BUFFER, d->opt.name, NULL, NULL),
    };
    d->retry.policy = &retry_policy;
}

leat_status lt_delivery_new(struct lt_delivery **out, const struct lt_delivery_options *opt,
                            struct leat_error *err) {
    struct lt_delivery *d = calloc(1, sizeof(*d));
    leat_status status;

    *out = NULL;
    if (!d)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", opt->name);
    lt_arena_init(&d->strings, 1 << 20);
    d->gather_no = 1;
    status = copy_options(d, opt, err);
    if (status == LEAT_OK)
        status = check_options(&d->opt, err);
    if (status != LEAT_OK)
        goto fail;
    aim(d);
    status = recover(d, err);
    if (status != LEAT_OK)
        goto fail;
    d->timer = calloc(1, sizeof(*d->timer));
    if (!d->timer) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", opt->name);
        goto fail;
    }
    uv_timer_init(d->opt.loop, d->timer);
    d->timer->data = d;
    proceed(d);
    schedule(d);
    *out = d;
    return LEAT_OK;

fail:
    lt_delivery_free(d);
    return status;
}
