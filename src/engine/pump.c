/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One read is under way at a time: up to READ_BYTES of the shards that have something new, on a
 * worker, into one arena. What the delivery does not take is read again when it has room. A
 * shard's cursor is the last record that the delivery took.
 */
#include "engine/pump.h"

#include "base/clock.h"
#include "base/log.h"
#include "deliver/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    READ_BYTES = 1 << 20,
    READ_MIN_BYTES = 64 << 10,
    READ_MAX_RECORDS = 4096,
    READ_MAX_SHARDS = 16,
    READ_ARENA_BYTES = 256 << 20,
    LIST_ARENA_BYTES = 64 << 20,
    RETRY_MS = 500,
    NAME_BYTES = 24
};

struct pump_shard {
    uint64_t uid;
    char name[NAME_BYTES]; /* the delivery's name for it: the uid, so that it orders by age */
    int index, parent, adjacent_parent;
    bool closed;
    uint64_t closed_after;
    bool listed; /* by the last look at the stream */
    uint64_t cursor;
    uint64_t start;  /* nothing at or before it is wanted */
    uint64_t pushed; /* the last record that the delivery took since the start */
    uint64_t known;  /* the last durable record that was seen */
    bool blocked;    /* until the delivery has room */
};

struct read_item {
    uint64_t uid;
    uint64_t from;
    size_t max_bytes;
    struct lt_journal_record *records;
    size_t n;
    leat_status status;
    struct leat_error err;
};

struct lt_pump {
    struct lt_pump_options opt;
    struct lt_delivery *delivery;
    struct lt_metric_series *lag_series;
    uv_timer_t *retry; /* freed by its close callback */

    struct pump_shard *shards; /* in order of uid */
    size_t n_shards, cap;
    size_t turn; /* the shard to read first, so that each has its turn */
    uint64_t n_lost;
    bool missing;
    bool waiting; /* for the retry timer */
    struct leat_error error;

    /* the worker's while `work` is queued */
    struct lt_work work;
    struct lt_arena arena;
    struct read_item items[READ_MAX_SHARDS];
    size_t n_items;
};

static void step(struct lt_pump *p);

static struct pump_shard *find_shard(const struct lt_pump *p, uint64_t uid) {
    size_t low = 0, high = p->n_shards;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->shards[mid].uid == uid)
            return &p->shards[mid];
        if (p->shards[mid].uid < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static uint64_t start_of(const struct lt_pump *p, uint64_t uid) {
    for (size_t i = 0; i < p->opt.n_starts; i++)
        if (p->opt.starts[i].shard_uid == uid)
            return p->opt.starts[i].seq;
    return 0;
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* The last record of the shard that needs nothing more: it is in an object, or it is lost and
 * those before it are in objects. */
static uint64_t delivered_of(struct lt_pump *p, const struct pump_shard *shard) {
    uint64_t position = larger(lt_delivery_position(p->delivery, shard->name, NULL), shard->start);
    return position >= shard->pushed ? larger(position, shard->cursor) : position;
}

static struct pump_shard *add_shard(struct lt_pump *p, uint64_t uid) {
    size_t at = p->n_shards;

    if (p->n_shards == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 4;
        struct pump_shard *shards = reallocarray(p->shards, cap, sizeof(*shards));
        if (!shards)
            return NULL;
        p->shards = shards;
        p->cap = cap;
    }
    while (at > 0 && p->shards[at - 1].uid > uid)
        at--;
    memmove(&p->shards[at + 1], &p->shards[at], (p->n_shards - at) * sizeof(*p->shards));
    p->n_shards++;
    struct pump_shard *shard = &p->shards[at];
    *shard = (struct pump_shard){.uid = uid, .start = start_of(p, uid)};
    snprintf(shard->name, sizeof(shard->name), "%012" PRIu64, uid);
    shard->cursor = larger(lt_delivery_position(p->delivery, shard->name, NULL), shard->start);
    shard->known = shard->cursor;
    return shard;
}

static void note_error(struct lt_pump *p, const struct leat_error *err) {
    if (p->error.status != err->status)
        lt_log(LT_LOG_ERROR, "delivery", "%s: %s", p->opt.config->name, err->text);
    p->error = *err;
}

static void on_retry(uv_timer_t *timer) {
    struct lt_pump *p = timer->data;
    p->waiting = false;
    step(p);
}

static void retry_later(struct lt_pump *p) {
    p->waiting = true;
    uv_timer_start(p->retry, on_retry, RETRY_MS, 0);
}

/* Records after the cursor up to `last` are not in the journal any more. */
static void skip_lost(struct lt_pump *p, struct pump_shard *shard, uint64_t last, const char *why) {
    struct leat_error err;

    lt_log(LT_LOG_WARN, "delivery",
           "%s: %" PRIu64 " records of %s (shard %s, %" PRIu64 " to %" PRIu64 ") %s before they "
           "were delivered",
           p->opt.config->name, last - shard->cursor, p->opt.config->stream, shard->name,
           shard->cursor + 1, last, why);
    p->n_lost += last - shard->cursor;
    shard->cursor = last;
    if (lt_delivery_skip(p->delivery, shard->name, last, &err) != LEAT_OK)
        note_error(p, &err);
}

/* Shards that the stream no longer has and that are read as far as they could be. */
static void drop_unlisted(struct lt_pump *p) {
    size_t kept = 0;
    for (size_t i = 0; i < p->n_shards; i++) {
        struct pump_shard *shard = &p->shards[i];
        if (!shard->listed && shard->cursor < shard->known)
            skip_lost(p, shard, shard->known, p->missing ? "were removed" : "expired");
        if (shard->listed || delivered_of(p, shard) < shard->cursor)
            p->shards[kept++] = *shard;
    }
    p->n_shards = kept;
}

/* Asks the stream for its shards. False when they are not to be had. */
static bool refresh(struct lt_pump *p) {
    const char *stream = p->opt.config->stream;
    struct lt_streams_shard *listed;
    struct leat_error err;
    struct lt_arena arena;
    size_t n = 0;

    lt_arena_init(&arena, LIST_ARENA_BYTES);
    leat_status status = lt_streams_shards(p->opt.env->streams, stream, &arena, &listed, &n, &err);
    if (status == LEAT_E_NOT_FOUND && !p->missing)
        lt_log(LT_LOG_WARN, "delivery", "%s: its source, the stream %s, is gone",
               p->opt.config->name, stream);
    if (status == LEAT_OK || status == LEAT_E_NOT_FOUND) {
        p->missing = status != LEAT_OK;
        for (size_t i = 0; i < p->n_shards; i++)
            p->shards[i].listed = false;
    }
    for (size_t i = 0; status == LEAT_OK && i < n; i++) {
        struct pump_shard *shard = find_shard(p, listed[i].uid);
        if (!shard)
            shard = add_shard(p, listed[i].uid);
        if (!shard) {
            status = lt_fail(&err, LEAT_E_NOMEM, 0, "no memory for a shard of %s", stream);
            break;
        }
        shard->index = (int)listed[i].index;
        shard->parent = listed[i].parent;
        shard->adjacent_parent = listed[i].adjacent_parent;
        shard->closed = listed[i].closed;
        shard->closed_after = listed[i].closed_after;
        shard->listed = true;
    }
    lt_arena_deinit(&arena);
    if (status != LEAT_OK && status != LEAT_E_NOT_FOUND) {
        note_error(p, &err);
        return false;
    }
    drop_unlisted(p);
    return true;
}

/* A parent that is not there any more has expired. */
static bool is_read_out(const struct lt_pump *p, int index) {
    for (size_t i = 0; index >= 0 && i < p->n_shards; i++) {
        const struct pump_shard *shard = &p->shards[i];
        if (shard->listed && shard->index == index)
            return shard->closed && shard->cursor >= shard->closed_after;
    }
    return true;
}

/* Looks at the journal; true when there is something to read now. */
static bool has_news(struct lt_pump *p, struct pump_shard *shard) {
    struct lt_journal_shard stat;

    if (!shard->listed)
        return false;
    lt_journal_stat(p->opt.env->journal, shard->uid, &stat);
    shard->known = larger(shard->known, stat.next - 1);
    if (stat.first > shard->cursor + 1)
        skip_lost(p, shard, stat.first - 1, "expired");
    return !shard->blocked && stat.next - 1 > shard->cursor && is_read_out(p, shard->parent) &&
           is_read_out(p, shard->adjacent_parent);
}

static void read_items(void *ctx) {
    struct lt_pump *p = ctx;

    for (size_t i = 0; i < p->n_items; i++) {
        struct read_item *item = &p->items[i];
        item->status =
            lt_journal_read(p->opt.env->journal, item->uid, item->from, READ_MAX_RECORDS,
                            item->max_bytes, &p->arena, &item->records, &item->n, &item->err);
    }
}

/* Hands a read's records on; false when it has to be tried again later. */
static bool push_item(struct lt_pump *p, struct pump_shard *shard, const struct read_item *item,
                      struct leat_error *err) {
    struct lt_delivery_record records[64];
    char positions[64][LT_SEQUENCE_DIGITS + 1];
    leat_status status = LEAT_OK;
    size_t n_taken = 0, n = 0;

    if (item->n && item->records[0].seq > shard->cursor + 1)
        skip_lost(p, shard, item->records[0].seq - 1, "expired");
    for (size_t at = 0; at < item->n && status == LEAT_OK && n_taken == n; at += n) {
        n = item->n - at < 64 ? item->n - at : 64;
        for (size_t i = 0; i < n; i++) {
            const struct lt_journal_record *record = &item->records[at + i];
            if (i && record->seq == records[i - 1].seq + 1)
                lt_sequence_next(positions[i - 1], positions[i]);
            else
                lt_sequence_format(shard->uid, record->seq, positions[i]);
            records[i] = (struct lt_delivery_record){
                .seq = record->seq,
                .position = lt_slice(positions[i], LT_SEQUENCE_DIGITS),
                .time_ms = record->time_ms,
                .data = record->data,
            };
        }
        status = lt_delivery_push(p->delivery, shard->name, records, n, &n_taken, err);
        if (n_taken)
            shard->cursor = shard->pushed = records[n_taken - 1].seq;
        shard->blocked = status == LEAT_OK && n_taken < n;
    }
    return status == LEAT_OK;
}

static void on_read(void *ctx) {
    struct lt_pump *p = ctx;
    bool failed = false;

    for (size_t i = 0; i < p->n_items; i++) {
        struct read_item *item = &p->items[i];
        struct pump_shard *shard = find_shard(p, item->uid);
        if (!shard)
            continue;
        if (item->status == LEAT_OK && push_item(p, shard, item, &item->err))
            continue;
        failed = true;
        note_error(p, &item->err);
    }
    p->n_items = 0;
    if (failed)
        retry_later(p);
    else
        memset(&p->error, 0, sizeof(p->error));
    lt_arena_reset(&p->arena);
    step(p);
    p->opt.on_change(p->opt.ctx, p);
}

/* Gathers what there is to read. */
static void pick_items(struct lt_pump *p) {
    size_t first = p->turn++;

    p->n_items = 0;
    for (size_t i = 0; i < p->n_shards && p->n_items < READ_MAX_SHARDS; i++) {
        struct pump_shard *shard = &p->shards[(first + i) % p->n_shards];
        if (has_news(p, shard))
            p->items[p->n_items++] =
                (struct read_item){.uid = shard->uid, .from = shard->cursor + 1};
    }
    for (size_t i = 0; i < p->n_items; i++)
        p->items[i].max_bytes = larger(READ_BYTES / p->n_items, READ_MIN_BYTES);
}

static void step(struct lt_pump *p) {
    if (lt_work_is_queued(&p->work) || p->waiting)
        return;
    if (!refresh(p)) {
        retry_later(p);
        return;
    }
    pick_items(p);
    if (p->n_items)
        lt_work_start(&p->work, p->opt.env->loop, read_items, on_read, p);
    else
        lt_arena_deinit(&p->arena); /* an idle delivery holds no memory */
}

static void on_progress(void *ctx, struct lt_delivery *delivery) {
    struct lt_pump *p = ctx;

    (void)delivery;
    for (size_t i = 0; i < p->n_shards; i++)
        p->shards[i].blocked = false;
    step(p);
    p->opt.on_change(p->opt.ctx, p);
}

void lt_pump_wake(struct lt_pump *p) {
    step(p);
}

struct lt_delivery *lt_pump_delivery(struct lt_pump *p) {
    return p->delivery;
}

void lt_pump_stat(struct lt_pump *p, struct lt_pump_stat *out) {
    *out = (struct lt_pump_stat){.lost_records = p->n_lost, .source_missing = p->missing};
    lt_delivery_stat(p->delivery, &out->delivery);
    for (size_t i = 0; i < p->n_shards; i++) {
        struct pump_shard *shard = &p->shards[i];
        struct lt_journal_shard stat;
        lt_journal_stat(p->opt.env->journal, shard->uid, &stat);
        uint64_t last = larger(larger(stat.next - 1, shard->known), shard->cursor);
        uint64_t delivered = delivered_of(p, shard);
        if (last > delivered)
            out->lag_records += last - delivered;
    }
    lt_metric_set(p->lag_series, (double)out->lag_records);
    out->error = out->delivery.last_error.status != LEAT_OK ? out->delivery.last_error : p->error;
    if (out->error.status == LEAT_OK && p->missing)
        lt_fail(&out->error, LEAT_E_NOT_FOUND, 0, "the source stream %s does not exist",
                p->opt.config->stream);
}

struct lt_pump_mark *lt_pump_marks(struct lt_pump *p, size_t *n) {
    struct lt_pump_mark *marks;

    step(p); /* the shards as they are now */
    marks = calloc(p->n_shards + 1, sizeof(*marks));
    *n = 0;
    for (size_t i = 0; marks && i < p->n_shards; i++) {
        struct lt_journal_shard stat;
        lt_journal_stat(p->opt.env->journal, p->shards[i].uid, &stat);
        marks[*n].shard_uid = p->shards[i].uid;
        marks[(*n)++].seq = larger(stat.next - 1, p->shards[i].cursor);
    }
    return marks;
}

bool lt_pump_passed(struct lt_pump *p, const struct lt_pump_mark *marks, size_t n, bool read) {
    for (size_t i = 0; i < n; i++) {
        const struct pump_shard *shard = find_shard(p, marks[i].shard_uid);
        if (shard && (read ? shard->cursor : delivered_of(p, shard)) < marks[i].seq)
            return false;
    }
    return true;
}

static void free_timer(uv_handle_t *timer) {
    free(timer);
}

static void release(void *ctx) {
    struct lt_pump *p = ctx;

    lt_arena_deinit(&p->arena);
    free(p->shards);
    free(p);
}

void lt_pump_free(struct lt_pump *p) {
    if (!p)
        return;
    lt_delivery_free(p->delivery);
    lt_metric_set(p->lag_series, 0);
    if (p->retry)
        uv_close((uv_handle_t *)p->retry, free_timer);
    lt_work_abandon(&p->work, release, p);
}

static leat_status open_delivery(struct lt_pump *p, struct leat_error *err) {
    const struct lt_delivery_config *config = p->opt.config;
    const struct lt_deliveries_options *env = p->opt.env;
    leat_status status;
    char *source;

    if (asprintf(&source, "%s/%" PRId64, config->stream, config->created_ms) < 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", config->name);
    struct lt_delivery_options opt = {
        .name = config->name,
        .source = source,
        .loop = env->loop,
        .objects = env->objects,
        .state = env->state,
        .bucket = config->bucket,
        .prefix = config->prefix,
        .error_prefix = config->error_prefix,
        .suffix = config->suffix,
        .buffer_bytes = config->buffer_bytes,
        .buffer_ms = config->buffer_ms,
        .compression = config->compression,
        .newline = config->newline,
        .version = config->version,
        .on_progress = on_progress,
        .ctx = p,
    };
    status = lt_delivery_new(&p->delivery, &opt, err);
    free(source);
    return status;
}

leat_status lt_pump_new(struct lt_pump **out, const struct lt_pump_options *opt,
                        struct leat_error *err) {
    struct lt_pump *p = calloc(1, sizeof(*p));
    leat_status status;

    *out = NULL;
    if (!p)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", opt->config->name);
    p->opt = *opt;
    lt_work_init(&p->work);
    lt_arena_init(&p->arena, READ_ARENA_BYTES);
    p->lag_series =
        lt_metric(lt_metrics_global(), LT_METRIC_DELIVERY_LAG, opt->config->name, NULL, NULL);
    p->retry = calloc(1, sizeof(*p->retry));
    if (!p->retry) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", opt->config->name);
        goto fail;
    }
    uv_timer_init(opt->env->loop, p->retry);
    p->retry->data = p;
    status = open_delivery(p, err);
    if (status != LEAT_OK)
        goto fail;
    step(p);
    *out = p;
    return LEAT_OK;

fail:
    lt_pump_free(p);
    return status;
}
