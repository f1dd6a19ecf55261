/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry: entries in order of name, each with its document and its pump. The journal's
 * thread wakes the loop, which waits a few milliseconds so that many small groups become one read.
 */
#include "base/log.h"
#include "engine/deliveries_parts.h"

#include <stdlib.h>

enum { TICK_MS = 5, PAGE_ROWS = 200, PAGE_ARENA_BYTES = 256 << 20 };

struct lt_delivery_entry *lt_deliveries_entry(struct lt_deliveries *d, const char *name,
                                              size_t *at) {
    size_t low = 0, high = d->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(d->entries[mid]->doc->config.name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (at)
        *at = low;
    return low < d->n && !strcmp(d->entries[low]->doc->config.name, name) ? d->entries[low] : NULL;
}

leat_status lt_deliveries_insert(struct lt_deliveries *d, struct lt_delivery_document *doc,
                                 struct lt_delivery_entry **out, struct leat_error *err) {
    struct lt_delivery_entry *entry = calloc(1, sizeof(*entry));
    size_t at;

    *out = NULL;
    if (entry && d->n == d->cap) {
        size_t cap = d->cap ? d->cap * 2 : 8;
        void *entries = reallocarray(d->entries, cap, sizeof(d->entries[0]));
        if (entries) {
            d->entries = entries;
            d->cap = cap;
        }
    }
    if (!entry || d->n == d->cap) {
        free(entry);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", doc->config.name);
    }
    (void)lt_deliveries_entry(d, doc->config.name, &at);
    memmove(&d->entries[at + 1], &d->entries[at], (d->n - at) * sizeof(d->entries[0]));
    d->entries[at] = entry;
    d->n++;
    *entry = (struct lt_delivery_entry){.deliveries = d, .doc = doc};
    *out = entry;
    return LEAT_OK;
}

static void free_entry(struct lt_delivery_entry *entry) {
    lt_pump_free(entry->pump);
    lt_delivery_document_free(entry->doc);
    free(entry);
}

void lt_deliveries_drop(struct lt_deliveries *d, struct lt_delivery_entry *entry) {
    size_t at;

    (void)lt_deliveries_entry(d, entry->doc->config.name, &at);
    memmove(&d->entries[at], &d->entries[at + 1], (d->n - at - 1) * sizeof(d->entries[0]));
    d->n--;
    free_entry(entry);
}

static void on_change(void *ctx, struct lt_pump *pump) {
    struct lt_delivery_entry *entry = ctx;
    struct lt_pump_stat stat;

    lt_pump_stat(pump, &stat); /* sets the lag's metric */
    lt_deliveries_check_flushes(entry->deliveries);
}

leat_status lt_deliveries_start(struct lt_delivery_entry *entry, struct leat_error *err) {
    struct lt_pump_options opt = {
        .env = &entry->deliveries->env,
        .config = &entry->doc->config,
        .starts = entry->doc->starts,
        .n_starts = entry->doc->n_starts,
        .on_change = on_change,
        .ctx = entry,
    };
    leat_status status = lt_pump_new(&entry->pump, &opt, err);
    if (status == LEAT_OK)
        entry->state = LT_DELIVERY_ACTIVE;
    return status;
}

static void on_tick(uv_timer_t *timer) {
    struct lt_deliveries *d = timer->data;
    struct lt_pump_stat stat;

    for (size_t i = 0; i < d->n; i++)
        if (d->entries[i]->pump) {
            lt_pump_wake(d->entries[i]->pump);
            lt_pump_stat(d->entries[i]->pump, &stat);
        }
}

static void on_async(uv_async_t *async) {
    struct lt_deliveries *d = async->data;

    if (d->n && !uv_is_active((uv_handle_t *)d->tick))
        uv_timer_start(d->tick, on_tick, TICK_MS, 0);
}

/* On the journal's thread. */
static void on_journal(void *ctx) {
    struct lt_deliveries *d = ctx;
    uv_async_send(d->async);
}

/* One that cannot be used stands in the list with its error, and is left alone on disk. */
static leat_status load_one(struct lt_deliveries *d, const struct lt_state_row *row,
                            struct leat_error *err) {
    struct lt_delivery_document *doc;
    struct lt_delivery_entry *entry;
    leat_status status = lt_delivery_document_read(&doc, row->name, row->body, err);

    if (status == LEAT_E_CORRUPT) {
        lt_log(LT_LOG_ERROR, "delivery", "%s", err->text);
        return LEAT_OK;
    }
    if (status != LEAT_OK)
        return status;
    status = lt_deliveries_insert(d, doc, &entry, err);
    if (status != LEAT_OK) {
        lt_delivery_document_free(doc);
        return status;
    }
    entry->state = LT_DELIVERY_ACTIVE;
    if (lt_deliveries_start(entry, &entry->error) != LEAT_OK)
        lt_log(LT_LOG_ERROR, "delivery", "%s does not run: %s", doc->config.name,
               entry->error.text);
    return LEAT_OK;
}

static leat_status load(struct lt_deliveries *d, struct leat_error *err) {
    struct lt_slice from = {"", 0};
    struct lt_state_row *rows;
    struct lt_arena arena;
    size_t n = PAGE_ROWS;
    leat_status status = LEAT_OK;

    lt_arena_init(&arena, PAGE_ARENA_BYTES);
    for (bool after = false; status == LEAT_OK && n == PAGE_ROWS; after = true) {
        status =
            lt_state_list(d->env.state, "delivery", from, after, PAGE_ROWS, &arena, &rows, &n, err);
        for (size_t i = 0; status == LEAT_OK && i < n; i++) {
            status = load_one(d, &rows[i], err);
            from = rows[i].name;
        }
    }
    lt_arena_deinit(&arena);
    return status;
}

static void free_handle(uv_handle_t *handle) {
    free(handle);
}

static leat_status open_handles(struct lt_deliveries *d, struct leat_error *err) {
    leat_status status = lt_completions_open(&d->completions, d->env.loop, err);
    int rc;

    if (status != LEAT_OK)
        return status;
    uv_timer_t *tick = calloc(1, sizeof(*tick));
    uv_async_t *async = calloc(1, sizeof(*async));
    if (!tick || !async) {
        free(tick);
        free(async);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the deliveries");
    }
    uv_timer_init(d->env.loop, tick);
    tick->data = d;
    d->tick = tick;
    rc = uv_async_init(d->env.loop, async, on_async);
    if (rc < 0) {
        free(async);
        return lt_fail(err, LEAT_E_IO, -rc, "cannot make a wake-up for the deliveries");
    }
    async->data = d;
    d->async = async;
    return LEAT_OK;
}

leat_status lt_deliveries_open(struct lt_deliveries **out, const struct lt_deliveries_options *opt,
                               struct leat_error *err) {
    struct lt_deliveries *d = calloc(1, sizeof(*d));
    leat_status status;

    *out = NULL;
    if (!d)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the deliveries");
    d->env = *opt;
    status = open_handles(d, err);
    if (status == LEAT_OK)
        status = lt_journal_watch(d->env.journal, on_journal, d, err);
    if (status == LEAT_OK)
        status = load(d, err);
    if (status != LEAT_OK) {
        lt_deliveries_close(d);
        return status;
    }
    *out = d;
    return LEAT_OK;
}

void lt_deliveries_close(struct lt_deliveries *d) {
    if (!d)
        return;
    lt_journal_unwatch(d->env.journal, d);
    while (d->n_puts) { /* the journal answers each of them soon */
        lt_completions_drain(d->completions);
        if (d->n_puts)
            uv_sleep(1);
    }
    lt_deliveries_cancel_flushes(d);
    lt_deliveries_cancel_changes(d);
    for (size_t i = 0; i < d->n; i++)
        free_entry(d->entries[i]);
    free(d->entries);
    if (d->tick)
        uv_close((uv_handle_t *)d->tick, free_handle);
    if (d->async)
        uv_close((uv_handle_t *)d->async, free_handle);
    lt_completions_close(d->completions);
    free(d);
}

const struct lt_delivery_config *lt_deliveries_find(struct lt_deliveries *d, const char *name) {
    struct lt_delivery_entry *entry = lt_deliveries_entry(d, name, NULL);
    return entry && entry->state == LT_DELIVERY_ACTIVE ? &entry->doc->config : NULL;
}

const struct lt_delivery_config *lt_deliveries_next(struct lt_deliveries *d, const char *after) {
    size_t at;

    if (lt_deliveries_entry(d, after, &at))
        at++;
    for (; at < d->n; at++)
        if (d->entries[at]->state == LT_DELIVERY_ACTIVE)
            return &d->entries[at]->doc->config;
    return NULL;
}

size_t lt_deliveries_count(const struct lt_deliveries *d) {
    return d->n;
}

struct put {
    struct lt_completion completion; /* first */
    struct lt_deliveries *deliveries;
    lt_deliveries_done *done;
    void *ctx;
    leat_status status;
    struct leat_error err;
    struct lt_streams_put records[];
};

static void end_put(struct lt_completion *completion) {
    struct put *put = (struct put *)completion;

    put->deliveries->n_puts--;
    put->done(put->ctx, put->status, put->status == LEAT_OK ? NULL : &put->err);
    free(put);
}

/* On the journal's thread. */
static void on_put(void *ctx, leat_status status, const struct leat_error *err) {
    struct put *put = ctx;

    put->status = status;
    if (status != LEAT_OK && err)
        put->err = *err;
    lt_completions_post(put->deliveries->completions, &put->completion);
}

leat_status lt_deliveries_put(struct lt_deliveries *d, const char *name,
                              const struct lt_slice *records, size_t n,
                              char (*ids)[LT_SEQUENCE_DIGITS + 1], lt_deliveries_done *done,
                              void *ctx, struct leat_error *err) {
    const struct lt_delivery_config *config = lt_deliveries_find(d, name);
    struct put *put;

    if (!config)
        return lt_fail(err, LEAT_E_NOT_FOUND, 0,
                       "Firehose %s under account 000000000000 not found.", name);
    if (!config->direct_put)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "This operation is not permitted on KinesisStreamAsSource delivery stream "
                       "type.");
    put = calloc(1, sizeof(*put) + n * sizeof(put->records[0]));
    if (!put)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to put %zu records", n);
    put->completion.run = end_put;
    put->deliveries = d;
    put->done = done;
    put->ctx = ctx;
    for (size_t i = 0; i < n; i++)
        put->records[i] = (struct lt_streams_put){.key = LT_LIT("-"), .data = records[i]};
    d->n_puts++;
    leat_status status =
        lt_streams_put(d->env.streams, config->stream, put->records, n, on_put, put, err);
    if (status != LEAT_OK) {
        d->n_puts--;
        free(put);
        return status;
    }
    /* `put` lives on: its completion runs on this thread */
    for (size_t i = 0; i < n; i++)
        lt_sequence_format(put->records[i].shard_uid, put->records[i].seq, ids[i]);
    return LEAT_OK;
}

void lt_deliveries_write_status(struct lt_deliveries *d, struct lt_json_writer *w) {
    lt_json_begin_array(w);
    for (size_t i = 0; i < d->n; i++) {
        struct lt_delivery_entry *entry = d->entries[i];
        const struct lt_delivery_config *config = &entry->doc->config;
        struct lt_pump_stat stat = {.error = entry->error};

        if (entry->state != LT_DELIVERY_ACTIVE)
            continue;
        if (entry->pump)
            lt_pump_stat(entry->pump, &stat);
        const struct {
            const char *name;
            uint64_t value;
        } numbers[] = {
            {"records", stat.delivery.n_records}, {"bytes", stat.delivery.n_bytes},
            {"objects", stat.delivery.n_objects}, {"buffer_bytes", stat.delivery.buffer_bytes},
            {"lag_records", stat.lag_records},    {"lost_records", stat.lost_records},
            {"errors", stat.delivery.n_errors},
        };
        lt_json_begin_object(w);
        lt_json_key(w, "name");
        lt_json_put_str(w, config->name);
        lt_json_key(w, "source");
        lt_json_put_str(w, config->direct_put ? "DirectPut" : config->stream);
        lt_json_key(w, "bucket");
        lt_json_put_str(w, config->bucket);
        lt_json_key(w, "prefix");
        lt_json_put_str(w, config->prefix);
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
            lt_json_key(w, numbers[k].name);
            lt_json_put_uint(w, numbers[k].value);
        }
        lt_json_key(w, "last_error");
        if (stat.error.status == LEAT_OK)
            lt_json_put_null(w);
        else
            lt_json_put_str(w, stat.error.text);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}
